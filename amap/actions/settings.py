"""The association decides about itself: its knobs, its places."""

from django.db import transaction

from amap import states
from amap.changes import change
from amap.models import Association, PickupPlace


@transaction.atomic
def edit_association(association, *, by, now, **fields):
    """Turn the association's knobs. What is already agreed, signed or planned keeps what it has copied."""
    association = Association.objects.select_for_update(no_key=True).get(pk=association.pk)
    if changed := change(association, fields):
        states.record("settings.changed", association, by=by, now=now, reason=", ".join(changed))
    return association


@transaction.atomic
def add_place(association, *, by, now, **fields):
    """One more place of distribution. Returns the PickupPlace."""
    place = PickupPlace.objects.create(association=association, **fields)
    states.record("place.added", place, by=by, now=now)
    return place


@transaction.atomic
def edit_place(place, *, by, now, **fields):
    """Change a place; distributions already planned there keep their day and hours."""
    place = PickupPlace.objects.select_for_update().get(pk=place.pk)
    if change(place, fields):
        states.record("place.edited", place, by=by, now=now)
    return place
