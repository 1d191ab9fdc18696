"""Who holds the evening: opening shifts, taking one, leaving it, finding a replacement (BR-60, BR-62)."""

from collections import defaultdict
from datetime import datetime, time

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.errors import Refused
from amap.letters import post
from amap.models import Member
from amap.states import move, record
from contracts.models import ContractOffer, Delivery
from deliveries.models import Distribution, Shift, ShiftAssignment, ShiftRole
from deliveries.roster import leave_until

Status = ShiftAssignment.Status


@transaction.atomic
def open_shifts(association, *, today):
    """Make the shifts of the evenings to come from the association's roles, without touching those that exist.

    A role tied to a farm is opened only when that farm delivers (BR-60). Three queries and one statement.
    """
    evenings = association.distributions.filter(day__gte=today).exclude(status=Distribution.Status.CLOSED)
    delivering = defaultdict(set)
    coming = Delivery.objects.filter(association=association, day__gte=today, offer__status__in=ContractOffer.LIVE)
    for day, place, farm in coming.exclude(status=Delivery.Status.CANCELLED).values_list("day", "place", "offer__farm"):
        delivering[day, place].add(farm)
    roles = list(association.shift_roles.filter(is_removed=False))
    Shift.objects.bulk_create(
        [
            Shift(distribution_id=pk, role=role, needed=role.needed)
            for pk, day, place in evenings.values_list("pk", "day", "place")
            for role in roles
            if role.farm_id is None or role.farm_id in delivering[day, place]
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def take_shift(shift, *, household, volunteer="", user=None, by, now):
    """Put a household on a shift. Refused when it is full or past, or the household already helps that evening.

    The place is taken by a conditional update, last, so that two people cannot take the last one (the database's check
    stands behind it).
    """
    distribution = Distribution.objects.select_related("association").get(pk=shift.distribution_id)
    _refuse_past(distribution, now)
    assignment = _assign(distribution, shift, household=household, volunteer=volunteer, user=user, now=now)
    record("shift.taken", assignment, by=by, now=now)
    post(
        "shift_taken",
        association=distribution.association,
        to=household,
        key=f"shift_taken:{assignment.pk}",
        now=now,
        context=_about(distribution, shift),
    )
    if not Shift.objects.filter(pk=shift.pk, taken__lt=F("needed")).update(taken=F("taken") + 1):
        raise Refused(_("This shift has just been filled. Thank you! Another one may still need you."))
    return assignment


@transaction.atomic
def set_roles(association, rows, *, by, now):
    """Replace the roles of the association's evenings: rows of {id?, name, needed, minimum?, is_lead, farm,
    instructions} (BR-60). Without a `minimum` all are needed.

    Evenings to come get the new needs; a shift never shrinks below those already on it. Roles left out go from the
    evenings where nobody is on them; named again, they are themselves again.
    """
    coming = Shift.objects.filter(
        role__association=association, distribution__day__gte=timezone.localdate(now)
    ).order_by()
    kept = {row.get("id") for row in rows}
    known = {role.pk if role.pk in kept else role.name: role for role in association.shift_roles.all()}
    # First all are removed: a name is free before another role takes it.
    association.shift_roles.update(is_removed=True)
    for position, row in enumerate(rows):
        role = known.get(row.get("id")) or known.get(row["name"]) or ShiftRole(association=association)
        values = {"minimum": row["needed"]} | row | {"id": role.pk, "position": position, "is_removed": False}
        for field, value in values.items():
            setattr(role, field, value)
        role.save()
        coming.filter(role=role).update(needed=Greatest(F("taken"), role.needed))
        record("roster.role_set", role, by=by, now=now, after=role.needed)
    removed = association.shift_roles.filter(is_removed=True)
    coming.filter(role__in=removed, taken=0).delete()
    coming.filter(role__in=removed).update(needed=F("taken"))
    removed.filter(shifts=None).delete()
    open_shifts(association, today=timezone.localdate(now))


@transaction.atomic
def leave_shift(assignment, *, by, now):
    """Leave in time; afterwards only a replacement can be found (BR-62)."""
    assignment = _locked(assignment)
    distribution = assignment.distribution
    _refuse_past(distribution, now)
    if now > leave_until(distribution):
        raise Refused(
            _("A shift could be left until %(day)s. Now ask for a replacement: everybody will see it.")
            % {"day": date_format(timezone.localtime(leave_until(distribution)), "l j F, H:i")}
        )
    free(assignment, by=by, now=now)


@transaction.atomic
def free(assignment, *, by, now):
    """Take a household off a shift that is still to come; somebody else may take it."""
    assignment = _locked(assignment)
    if assignment.status in ShiftAssignment.COMING:
        move(assignment, to=Status.LEFT, by=by, now=now)
        Shift.objects.filter(pk=assignment.shift_id).update(taken=F("taken") - 1)


@transaction.atomic
def request_swap(assignment, *, by, now):
    """Look for a replacement. The household stays on the shift until somebody takes it over."""
    assignment = _locked(assignment)
    _refuse_past(assignment.distribution, now)
    if assignment.status != Status.CONFIRMED:
        raise Refused(_("A replacement is already being looked for."))
    move(assignment, to=Status.SWAP_REQUESTED, by=by, now=now)


@transaction.atomic
def keep_shift(assignment, *, by, now):
    """The household comes after all."""
    assignment = _locked(assignment)
    if assignment.status != Status.SWAP_REQUESTED:
        raise Refused(_("Somebody has already taken this shift over."))
    move(assignment, to=Status.CONFIRMED, by=by, now=now)


@transaction.atomic
def replace(assignment, *, household, volunteer="", user=None, by, now):
    """Another household takes the shift over. The place stays taken; both are told."""
    assignment = _locked(assignment)
    distribution = assignment.distribution
    _refuse_past(distribution, now)
    if assignment.status != Status.SWAP_REQUESTED:
        raise Refused(_("Somebody has already taken this shift over."))
    if household == assignment.household:
        raise Refused(_("Name another household than your own."))
    move(assignment, to=Status.REPLACED, by=by, now=now)
    taken_over = _assign(distribution, assignment.shift, household=household, volunteer=volunteer, user=user, now=now)
    record("shift.taken_over", taken_over, by=by, now=now)
    post(
        "shift_replaced",
        association=distribution.association,
        to=assignment.household,
        key=f"shift_replaced:{assignment.pk}",
        now=now,
        is_urgent=True,
        context=_about(distribution, assignment.shift) | {"name": household.name},
    )
    post(
        "shift_taken",
        association=distribution.association,
        to=household,
        key=f"shift_taken:{taken_over.pk}",
        now=now,
        context=_about(distribution, assignment.shift),
    )
    return taken_over


@transaction.atomic
def put_instead(assignment, *, household, by, now):
    """Those who run the roster write another household in, whether a replacement was looked for or not."""
    assignment = _locked(assignment)
    if assignment.status == Status.CONFIRMED:
        request_swap(assignment, by=by, now=now)
    return replace(assignment, household=household, by=by, now=now)


@transaction.atomic
def mark(assignment, *, to, by, now):
    """Write after the evening who came: `done`, `no_show` or `excused` (BR-64: no penalty follows)."""
    assignment = _locked(assignment)
    if to not in assignment.MOVES.get(assignment.status, ()) or to not in (Status.DONE, Status.NO_SHOW, Status.EXCUSED):
        raise Refused(_("This shift is already marked."))
    if now < timezone.make_aware(datetime.combine(assignment.distribution.day, time.min)):
        raise Refused(_("The distribution has not come yet."))
    move(assignment, to=to, by=by, now=now)


def remind(assignment, *, step, now):
    """Remind a household of its shift; once per `step`, a number of days before."""
    distribution = assignment.distribution
    post(
        "shift_reminder",
        association=distribution.association,
        to=assignment.household,
        key=f"shift_reminder:{assignment.pk}:{step}",
        now=now,
        context=_about(distribution, assignment.shift) | {"days": (distribution.day - timezone.localdate(now)).days},
    )


def call_for_help(distribution, *, now):
    """Ask everybody who is not on an evening with too few people, once (BR-62, BR-65). Somebody who looks for a
    replacement counts as missing.
    """
    coming = Count("assignments", Q(assignments__status=Status.CONFIRMED))
    shifts = distribution.shifts.annotate(coming=coming).values_list("needed", "role__minimum", "coming")
    shifts = list(shifts.order_by())
    if all(there >= minimum for _needed, minimum, there in shifts):
        return
    people = Member.objects.filter(association=distribution.association_id, household__left_on=None)
    people = people.exclude(
        household__in=distribution.assignments.filter(status__in=ShiftAssignment.HOLDS).values("household")
    )
    post(
        "shift_urgent",
        association=distribution.association,
        to=list(people.select_related("user")),
        key=f"shift_urgent:{distribution.pk}",
        now=now,
        is_urgent=True,
        context={
            "day": distribution.day.isoformat(),
            "place": distribution.place.name,
            "from": distribution.volunteers_from.isoformat(),
            "until": distribution.volunteers_until.isoformat(),
            "missing": sum(needed - there for needed, _minimum, there in shifts if there < needed),
            "url": _on_roster(distribution),
        },
    )


def _locked(assignment):
    """The assignment with its row locked: a swap has one taker."""
    ShiftAssignment.objects.select_for_update().get(pk=assignment.pk)
    return ShiftAssignment.objects.select_related("distribution__association", "shift__role", "household").get(
        pk=assignment.pk
    )


def _assign(distribution, shift, *, household, volunteer, user, now):
    """The new assignment. One per household and evening: the database decides between two clicks at once."""
    try:
        with transaction.atomic():
            return ShiftAssignment.objects.create(
                association_id=distribution.association_id,
                distribution=distribution,
                shift=shift,
                household=household,
                volunteer=volunteer,
                user=user,
                taken_at=now,
            )
    except IntegrityError as already:
        raise Refused(_("This household is already on the roster that day: one shift each.")) from already


def _refuse_past(distribution, now):
    if distribution.status == Distribution.Status.CLOSED or distribution.day < timezone.localdate(now):
        raise Refused(_("This distribution is over."))


def _about(distribution, shift):
    """What a letter says of a shift."""
    return {
        "day": distribution.day.isoformat(),
        "place": distribution.place.name,
        "from": distribution.volunteers_from.isoformat(),
        "until": distribution.volunteers_until.isoformat(),
        "role": shift.role.name,
        "instructions": "\n".join(filter(None, [shift.role.instructions, distribution.place.instructions])),
        "url": _on_roster(distribution),
    }


def _on_roster(distribution):
    return f"{reverse('deliveries:roster', args=[distribution.association.slug])}#evening-{distribution.pk}"
