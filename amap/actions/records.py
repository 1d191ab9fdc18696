"""Letters and work that did not go through: once more, or settled in another way."""

from django.db import transaction
from django.utils.translation import gettext as _

from amap import states
from amap.errors import Refused
from amap.models import Job, Letter

STUCK_LETTERS = (Letter.Status.FAILED, Letter.Status.UNKNOWN)


@transaction.atomic
def send_again(letter, *, by, now):
    """Queue a letter once more, to leave within a minute. One that perhaps arrived may then arrive twice."""
    letter = _locked(letter, STUCK_LETTERS)
    Letter.objects.filter(pk=letter.pk).update(is_urgent=True, send_after=now, error="")
    states.move(letter, to=Letter.Status.QUEUED, by=by, now=now)


@transaction.atomic
def settle_letter(letter, *, by, now):
    """Nothing more is sent: somebody has told the reader."""
    states.move(_locked(letter, STUCK_LETTERS), to=Letter.Status.SETTLED, by=by, now=now)


@transaction.atomic
def try_again(job, *, by, now):
    """Give work that was given up its three starts back."""
    job = _locked(job, [Job.Status.PARKED])
    Job.objects.filter(pk=job.pk).update(starts=0, next_try_at=now)
    states.move(job, to=Job.Status.WAITING, by=by, now=now)


@transaction.atomic
def settle_job(job, *, by, now):
    """Leave the work undone."""
    states.move(_locked(job, [Job.Status.PARKED]), to=Job.Status.SETTLED, by=by, now=now)


def _locked(row, expected):
    row = type(row).objects.select_for_update().get(pk=row.pk)
    if row.status not in expected:
        raise Refused(_("Somebody has dealt with this meanwhile."))
    return row
