"""The machinery: letters and work that did not go through."""

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap.access import Role
from amap.desks.cards.rules import Card, rule
from amap.facts import facts
from amap.models import Job, Letter


@rule(Role.COMMITTEE, Role.SECRETARY)
def letters_not_sent(desk):
    """Letters that did not leave, or of which nobody knows whether they did."""
    stuck = desk.association.letters.filter(status__in=[Letter.Status.FAILED, Letter.Status.UNKNOWN])
    rows = yield facts(stuck.order_by().values("status").annotate(count=Count("pk")), "status", "count")
    if not rows:
        return
    total = sum(count for _status, count in rows)
    yield Card(
        ngettext("%(count)s letter may not have arrived", "%(count)s letters may not have arrived", total)
        % {"count": total},
        desk.url("amap:troubles"),
        note=_("Telephone, or send again."),
        icon="mail",
    )


@rule(Role.COMMITTEE)
def work_given_up(desk):
    """Jobs the worker has tried three times; those of the whole installation too."""
    parked = Job.objects.filter(Q(association=desk.association) | Q(association=None), status=Job.Status.PARKED)
    rows = yield facts(parked.order_by().values("status").annotate(count=Count("pk")), "count")
    if not rows:
        return
    ((count,),) = rows
    yield Card(
        ngettext("%(count)s piece of work was given up", "%(count)s pieces of work were given up", count)
        % {"count": count},
        desk.url("amap:troubles"),
        note=_("Try it again; if it fails again, tell whoever runs this site."),
        icon="alert",
    )
