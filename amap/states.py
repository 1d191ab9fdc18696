"""State changes along drawn arrows only, each written down (BR-75)."""

from amap.models import AuditEntry


def move(thing, *, to, by, now, reason=""):
    """Move a row's `status` (or `outcome`) to a state its `MOVES` allows, save it, and write the audit entry.

    The caller holds the row's lock. Raises ValueError for an arrow that is not drawn: that is a bug, not a visitor's
    error; actions refuse in words before they come here.
    """
    name = "outcome" if hasattr(thing, "outcome") else "status"
    before = getattr(thing, name)
    if to not in thing.MOVES.get(before, ()):
        raise ValueError(f"{thing._meta.label} {thing.pk}: no arrow from {before} to {to}")
    setattr(thing, name, to)
    thing.save(update_fields=[name])
    record(f"{thing._meta.model_name}.{to}", thing, by=by, now=now, before=before, after=to, reason=reason)


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
    entry(verb, thing, by=by, now=now, before=before, after=after, reason=reason).save(force_insert=True)
