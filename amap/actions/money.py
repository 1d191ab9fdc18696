"""Writing money down: balanced, append-only movements, each written once under its key (reliability.md §2.3).

A key names the event (`cheque:42:received`). Done, undone and done again, the same event takes the next key of its line
(`cheque:42:received:2`): ask `keys` before writing, and `standing` for what holds.
"""

from django.db import IntegrityError, transaction
from django.db.models import Q

from amap.models import Movement

ASSOCIATION_ACCOUNTS = frozenset({"fees", "network", "donations", "solidarity", "bank", "cash", "cheques"})
FARM_ACCOUNTS = frozenset({"due", "sold", "cheques_held", "cheques_sent", "farm_bank"})


def movement(
    *, association, key, debit, credit, amount_cents, effective_on, by, now, farm=None, reverses=None, reason=""
):
    """An unsaved movement of `amount_cents`, for writing many at once with `record_all`.

    `farm` says whose book it belongs to; None is the association's own. Raises ValueError for an account of the other
    book: the two never mix (BR-31).
    """
    for account in (debit, credit):
        if account.partition(":")[0] not in (ASSOCIATION_ACCOUNTS if farm is None else FARM_ACCOUNTS):
            raise ValueError(f"account {account} does not belong to this book")
    return Movement(
        association_id=association.pk,
        farm_id=farm and farm.pk,
        key=key,
        debit=debit,
        credit=credit,
        amount_cents=amount_cents,
        effective_on=effective_on,
        recorded_at=now,
        by=by,
        reverses=reverses,
        reason=reason[:200],
    )


@transaction.atomic
def record(**content):
    """Write one movement (see `movement`) and return it; the same key again returns the first one.

    Raises ValueError when the key is known with another content: one event, one fact.
    """
    return _write(movement(**content))


@transaction.atomic
def record_all(movements):
    """Write many unsaved movements in one statement; those whose key is known are left as they are.

    The caller holds the lock of what they are about. Raises ValueError as `record` does.
    """
    known = {found.key: found for found in Movement.objects.filter(key__in=[one.key for one in movements])}
    for one in movements:
        if one.key in known:
            _same(known[one.key], one)
    Movement.objects.bulk_create([one for one in movements if one.key not in known])


@transaction.atomic
def reverse(movement, *, by, now, reason):
    """Undo a movement by its mirror image, dated as it was; returns the mirror. Again: the same mirror."""
    return _write(_mirror(movement, by=by, now=now, reason=reason))


@transaction.atomic
def reverse_all(movements, *, by, now, reason):
    """Undo many movements, as `reverse` does, in one statement."""
    record_all([_mirror(one, by=by, now=now, reason=reason) for one in movements])


def keys(events):
    """The key to write each event under: `{event: key}`. What was done and undone gets the next key of its line."""
    lines = _lines(events)
    return {
        event: line[-1].key if line and not line[-1].is_undone else f"{event}:{len(line) + 1}" if line else event
        for event, line in ((event, lines.get(event)) for event in events)
    }


def standing(events):
    """The movement that holds for each event: `{event: Movement}`, without those never written or undone since."""
    return {event: line[-1] for event, line in _lines(events).items() if not line[-1].is_undone}


def _lines(events):
    """Each event's movements, oldest first; one statement, and one more per event that was ever undone."""
    lines = {one.key: [one] for one in _read(Q(key__in=events))}
    for event, line in lines.items():
        if line[0].is_undone:
            line.extend(sorted(_read(Q(key__startswith=f"{event}:")), key=lambda one: int(one.key.rpartition(":")[2])))
    return lines


def _read(condition):
    found = list(Movement.objects.filter(condition).select_related("reversed_by"))
    for one in found:
        one.is_undone = hasattr(one, "reversed_by")
    return found


def _write(wanted):
    found = Movement.objects.filter(key=wanted.key).first()
    if found is None:
        try:
            with transaction.atomic():
                wanted.save(force_insert=True)
        except IntegrityError:  # somebody wrote the same event meanwhile, or a constraint said no
            found = Movement.objects.filter(key=wanted.key).first()
            if found is None:
                raise
        else:
            return wanted
    _same(found, wanted)
    return found


def _mirror(movement, *, by, now, reason):
    return Movement(
        association_id=movement.association_id,
        farm_id=movement.farm_id,
        key=f"reverse:{movement.pk}",
        debit=movement.credit,
        credit=movement.debit,
        amount_cents=movement.amount_cents,
        effective_on=movement.effective_on,
        recorded_at=now,
        by=by,
        reverses=movement,
        reason=reason[:200],
    )


def _same(found, wanted):
    content = ("association_id", "farm_id", "debit", "credit", "amount_cents", "reverses_id")
    if any(getattr(found, name) != getattr(wanted, name) for name in content):
        raise ValueError(f"movement {wanted.key} is already written with another content")
