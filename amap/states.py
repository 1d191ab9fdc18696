"""State changes along drawn arrows only, each written down (BR-75)."""

from amap import rows
from amap.models import AuditEntry


def move(thing, *, to, by, now, reason=""):
    """Move a row's `status` to a state its `MOVES` allows, save it, and write the audit entry.

    The caller holds the row's lock. Raises ValueError for an arrow that is not drawn: that is a bug, not a visitor's
    error; actions refuse in words before they come here.
    """
    move_all([thing], to=to, by=by, now=now, reason=reason)


def move_all(things, *, to, by, now, reason=""):
    """The same for many rows of one model, in two statements."""
    if not things:
        return
    model = type(things[0])
    entries = []
    for thing in things:
        before = thing.status
        if to not in thing.MOVES.get(before, ()):
            raise ValueError(f"{model._meta.label} {thing.pk}: no arrow from {before} to {to}")
        entries.append(
            entry(f"{model._meta.model_name}.{to}", thing, by=by, now=now, before=before, after=to, reason=reason)
        )
    model._base_manager.filter(pk__in=[thing.pk for thing in things]).update(status=to)
    AuditEntry.objects.bulk_create(entries, batch_size=500)
    for thing in things:
        thing.status = to


def entry(verb, thing, *, by, now, before="", after="", reason=""):
    """An unsaved audit entry about a row, for bulk writing."""
    return AuditEntry(
        association_id=thing.association_id,
        at=now,
        by=by,
        verb=verb,
        about=thing._meta.label_lower,
        about_id=thing.pk,
        before=str(before),
        after=str(after),
        reason=reason[:300],
    )


def record(verb, thing, *, by, now, before="", after="", reason=""):
    """Write that `by` did `verb` to the row at that moment, and why."""
    rows.insert([entry(verb, thing, by=by, now=now, before=before, after=after, reason=reason)])
