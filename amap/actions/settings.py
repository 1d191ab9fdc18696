"""The association decides about itself: its knobs, its places."""

from django.db import transaction

from amap import states
from amap.models import Association, PickupPlace


@transaction.atomic
def edit_association(association, *, by, now, **fields):
    """Turn the association's knobs. What is already agreed, signed or planned keeps what it has copied."""
    association = Association.objects.select_for_update().get(pk=association.pk)
    changed = [key for key, value in fields.items() if getattr(association, key) != value]
    if changed:
        for key in changed:
            setattr(association, key, fields[key])
        association.save(update_fields=changed)
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
    for key, value in fields.items():
        setattr(place, key, value)
    place.save(update_fields=list(fields))
    states.record("place.edited", place, by=by, now=now)
    return place
