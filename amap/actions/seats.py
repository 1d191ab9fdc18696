"""Roles held by persons for a time (BR-5)."""

from django.db import transaction
from django.utils.translation import gettext as _

from amap import states
from amap.actions import farms
from amap.errors import Refused
from amap.models import Association, CommitteeSeat


@transaction.atomic
def seat(association, *, user, role, starts_on, by, now, ends_on=None):
    """Give a person a role for a time (BR-5). Refused when they hold it already in that time."""
    association = Association.objects.select_for_update(no_key=True).get(pk=association.pk)
    if ends_on and ends_on < starts_on:
        raise Refused(_("The end precedes the start."), field="ends_on")
    held = association.seats.filter(user=user, role=role).not_over(starts_on)
    if ends_on:
        held = held.filter(starts_on__lte=ends_on)
    if held.exists():
        raise Refused(_("%(name)s already holds this role at that time.") % {"name": user.name}, field="user")
    made = CommitteeSeat.objects.create(
        association=association, user=user, role=role, starts_on=starts_on, ends_on=ends_on
    )
    states.record("seat.given", made, by=by, now=now, after=role)
    return made


@transaction.atomic
def end_seat(seat, *, today, by, now):
    """A role ends today: its rights are gone at the next click. The committee keeps at least one person.

    One that has ended stays as it was.
    """
    association = Association.objects.select_for_update(no_key=True).get(pk=seat.association_id)
    seat = CommitteeSeat.objects.not_over(today).filter(pk=seat.pk).first()
    if seat is None:
        return
    committee = association.seats.current(today).filter(role=CommitteeSeat.Role.COMMITTEE)
    if seat.role == CommitteeSeat.Role.COMMITTEE and not committee.exclude(pk=seat.pk).exists():
        raise Refused(_("Somebody must remain on the committee. Give the role to another person first."))
    states.record("seat.ended", seat, by=by, now=now, before=seat.role)
    farms.end_mandate(seat, today)
