"""The machinery: letters and work that did not go through."""

from django.db.models import Count, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap.access import Role
from amap.desks.cards.rules import Card, rule
from amap.facts import facts
from amap.models import Job, Letter


def _letters(here):
    stuck = here.all(Letter).filter(status__in=[Letter.Status.FAILED, Letter.Status.UNKNOWN])
    return facts(stuck.order_by().values("status").annotate(count=Count("pk")), "status", "count")


@rule(Role.COMMITTEE, Role.SECRETARY, asks=_letters)
def letters_not_sent(desk, rows):
    """Letters that did not leave, or of which nobody knows whether they did."""
    total = sum(count for _status, count in rows)
    return Card(
        ngettext("%(count)s letter may not have arrived", "%(count)s letters may not have arrived", total)
        % {"count": total},
        desk.url("amap:troubles"),
        note=_("Telephone, or send again."),
        icon="mail",
    )


def _parked(here):
    parked = Job.objects.filter(Q(association=OuterRef("pk")) | Q(association=None), status=Job.Status.PARKED)
    return facts(parked.order_by().values("status").annotate(count=Count("pk")), "count")


@rule(Role.COMMITTEE, asks=_parked)
def work_given_up(desk, rows):
    """Jobs the worker has tried three times; those of the whole installation too."""
    ((count,),) = rows
    return Card(
        ngettext("%(count)s piece of work was given up", "%(count)s pieces of work were given up", count)
        % {"count": count},
        desk.url("amap:troubles"),
        note=_("Try it again; if it fails again, tell whoever runs this site."),
        icon="alert",
    )
