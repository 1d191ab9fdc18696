"""The evening: lists to fix, harvest lists, distributions to close, people on the roster."""

from datetime import timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap.access import Role
from amap.desks.cards.rules import Card, and_more, day_text, moment, rule
from amap.facts import facts
from contracts.models import ContractOffer, Delivery
from deliveries.models import Distribution, Shift, ShiftAssignment
from deliveries.models.distributions import with_hours

HARVEST_AHEAD = timedelta(days=3)
HARVEST_LATE = timedelta(hours=24)


def _open_evenings(here):
    promised = Delivery.objects.filter(
        association=OuterRef("association"), day=OuterRef("day"), place=OuterRef("place")
    ).exclude(status=Delivery.Status.CANCELLED)
    evenings = (
        here.all(Distribution)
        .exclude(status=Distribution.Status.CLOSED)
        .filter(Exists(promised) | Q(status=Distribution.Status.LOCKED), day__lte=here.today + timedelta(days=2))
    )
    return facts(evenings.order_by("day"), "pk", "day", "status", "opens_at", "closes_at", most=20)


@rule(Role.COMMITTEE, Role.DISTRIBUTION_LEAD, asks=_open_evenings)
def evenings_to_close(desk, rows):
    """An evening whose list should be fixed by now, or that is over and not closed (BR-52)."""
    lock_hours = timedelta(hours=desk.association.lock_hours_before)
    lines = []
    for pk, day, status, opens, closes in rows:
        is_over = moment(day, closes) < desk.now
        if status == Distribution.Status.LOCKED and is_over:
            lines.append((_("%(day)s: close the distribution") % {"day": day_text(day)}, pk))
        elif status == Distribution.Status.PLANNED and moment(day, opens) - lock_hours <= desk.now:
            lines.append((_("%(day)s: fix the list") % {"day": day_text(day)}, pk))
    if not lines:
        return None
    lines = [(text, desk.url("deliveries:distribution", pk)) for text, pk in lines]
    return Card(
        ngettext("%(count)s distribution to finish", "%(count)s distributions to finish", len(lines))
        % {"count": len(lines)},
        lines[0][1],
        note=_("A closed distribution is in the history, with what was left and where it went."),
        icon="basket",
        lines=and_more(lines, len(lines)),
    )


def _without_harvest_list(here):
    waiting = here.of_farms(here.all(Delivery), "offer__farm").filter(
        day__range=(here.today, here.today + HARVEST_AHEAD),
        status__in=[Delivery.Status.SCHEDULED, Delivery.Status.LOCKED],
        offer__kind=ContractOffer.Kind.HARVEST_SHARE,
        offer__status__in=ContractOffer.LIVE,
        harvest_list=None,
    )
    columns = ("pk", "day", "offer__title", "offer__farm__name", "offer__farm", "opens_at", "closes_at")
    return facts(with_hours(waiting).order_by("day"), *columns, most=20)


@rule(Role.COMMITTEE, Role.LIAISON, Role.FARMER, asks=_without_harvest_list)
def missing_harvest_lists(desk, rows):
    """No harvest list yet: for the farm from three days before, for the committee in the last 24 hours (BR-45)."""
    own = desk.standing.looked_after_farm_ids
    lines, is_urgent = [], False
    for pk, day, offer, farm, farm_id, opens, closes in rows:
        is_late = moment(day, opens) - HARVEST_LATE <= desk.now
        if desk.now > moment(day, closes) or not (is_late or farm_id in own):
            continue
        is_urgent |= is_late
        text = _("%(offer)s (%(farm)s), %(day)s") % {"offer": offer, "farm": farm, "day": day_text(day)}
        lines.append((text, desk.url("deliveries:harvest", pk)))
    if not lines:
        return None
    return Card(
        ngettext("%(count)s harvest list is missing", "%(count)s harvest lists are missing", len(lines))
        % {"count": len(lines)},
        lines[0][1],
        note=_("Members look for it before they come; last week's list is there to start from."),
        icon="sprout",
        is_urgent=is_urgent,
        lines=and_more(lines, len(lines)),
    )


def _holes(here):
    holes = (
        Shift.objects.filter(
            distribution__association=OuterRef("pk"),
            distribution__day__range=(here.today, here.today + Shift.HOLES_WITHIN),
        )
        .exclude(distribution__status=Distribution.Status.CLOSED)
        .order_by("distribution__day")
        .values("distribution", "distribution__day", "distribution__volunteers_from", "distribution__volunteers_until")
        .annotate(missing=Sum(F("needed") - F("taken")), short=Count("pk", filter=Q(taken__lt=F("role__minimum"))))
        .filter(missing__gt=0)
    )
    columns = ("distribution__day", "distribution__volunteers_from", "distribution__volunteers_until")
    return facts(holes, "distribution", *columns, "short", "missing")


@rule(Role.COMMITTEE, Role.DISTRIBUTION_LEAD, Role.SECRETARY, asks=_holes)
def holes_in_the_roster(desk, rows):
    """Evenings of the next ten days with too few people; urgent in the last hours (BR-62, BR-65)."""
    rows = [row for row in rows if moment(row[1], row[3]) > desk.now]
    if not rows:
        return None
    lines = [
        (
            ngettext("%(day)s: %(count)s person", "%(day)s: %(count)s people", missing)
            % {"day": day_text(day), "count": missing},
            desk.url("deliveries:roster") + f"#evening-{pk}",
        )
        for pk, day, _from, _until, _short, missing in rows
    ]
    total = sum(row[-1] for row in rows)
    urgent_from = timedelta(hours=desk.association.urgent_hours)
    return Card(
        ngettext("%(count)s person is missing on the roster", "%(count)s people are missing on the roster", total)
        % {"count": total},
        lines[0][1],
        note=_("In the next ten days."),
        icon="roster",
        is_urgent=any(
            short and moment(day, begins) - urgent_from <= desk.now
            for _pk, day, begins, _until, short, _missing in rows
        ),
        lines=and_more(lines, len(lines)),
    )


def _leavers(here):
    wanted = here.all(ShiftAssignment).filter(
        status=ShiftAssignment.Status.SWAP_REQUESTED,
        distribution__day__range=(here.today, here.today + Shift.HOLES_WITHIN),
    )
    columns = ("pk", "distribution__day", "shift__role__name", "household__name", "volunteer")
    return facts(wanted.order_by("distribution__day"), *columns, most=20)


@rule(Role.COMMITTEE, Role.DISTRIBUTION_LEAD, Role.SECRETARY, asks=_leavers)
def replacements_wanted(desk, rows):
    """People on the roster of the next ten days who look for a replacement (BR-62)."""
    lines = [
        (
            _("%(day)s: %(name)s, %(role)s") % {"day": day_text(day), "name": volunteer or household, "role": role},
            desk.url("deliveries:replace", pk),
        )
        for pk, day, role, household, volunteer in rows
    ]
    return Card(
        ngettext("%(count)s replacement is looked for", "%(count)s replacements are looked for", len(rows))
        % {"count": len(rows)},
        desk.url("deliveries:roster"),
        icon="swap",
        lines=and_more(lines, len(lines)),
    )
