"""Read-only: what was promised, received, handed over, paid, what is late; by farm, household, month (BR-16, BR-31).

Every figure is a sum of instalments, in cents. The database adds up what has the same state and day, in one statement
per question; what state and day mean is said here.
"""

from collections import Counter, defaultdict
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Sum
from django.utils.translation import gettext as _

from contracts.models import Instalment

Status = Instalment.Status


class Sums(NamedTuple):
    """Cents. `promised` = `awaited` + `declared` + `held` + `handed_over` + `paid`; `due` and `late` are parts of
    `awaited` and `declared`."""

    promised: int = 0
    awaited: int = 0
    due: int = 0
    late: int = 0
    declared: int = 0
    held: int = 0
    handed_over: int = 0
    paid: int = 0
    rejected: int = 0

    @property
    def on_its_way(self):
        """Out of the households' hands, not yet on the farms' accounts."""
        return self.declared + self.held + self.handed_over

    @property
    def percent_paid(self):
        """0 to 100, rounded down: 100 only when everything is paid."""
        return self.paid * 100 // self.promised if self.promised else 0

    @property
    def percent_handed_in(self):
        """The part that has left the households' hands, 0 to 100, rounded down."""
        return (self.promised - self.awaited) * 100 // self.promised if self.promised else 0


# The figures of `Sums` that an instalment of each state counts in.
FIGURES = {
    Status.PLANNED: ("promised", "awaited"),
    Status.DECLARED: ("promised", "declared"),
    Status.RECEIVED: ("promised", "held"),
    Status.HANDED_OVER: ("promised", "handed_over"),
    Status.CASHED: ("promised", "paid"),
    Status.CONFIRMED: ("promised", "paid"),
    Status.REJECTED: ("rejected",),
    Status.RETURNED: (),
    Status.CANCELLED: (),
}


def total(instalments, *, today, grace_days) -> Sums:
    """The sums of a queryset of instalments."""
    return add(sums_by(instalments, today=today, grace_days=grace_days).values())


def sums_by(instalments, *names, today, grace_days) -> dict[tuple, Sums]:
    """The sums of a queryset by the columns named; "month" is the first day of the month a payment is agreed for."""
    columns = [name for name in names if name != "month"]
    rows = instalments.order_by().values_list(*columns, "status", "deposit_not_before").annotate(Sum("amount_cents"))
    counted = defaultdict(Counter)
    for *values, status, day, cents in rows:
        known = dict(zip(columns, values, strict=True), month=day.replace(day=1))
        figures = counted[tuple(known[name] for name in names)]
        for figure in FIGURES[status]:
            figures[figure] += cents
        if status in Instalment.UNSEEN and day <= today:
            figures["due"] += cents
        if _is_late(status, day, today, grace_days):
            figures["late"] += cents
    return {key: Sums(**figures) for key, figures in counted.items()}


def along(sums, place) -> dict:
    """What `sums_by` found by several names, by the one at that place only."""
    groups = defaultdict(list)
    for key, one in sums.items():
        groups[key[place]].append(one)
    return {value: add(several) for value, several in groups.items()}


def _is_late(status, day, today, grace_days):
    """Planned day + grace passed, and nobody has seen the money: announced or not (BR-41)."""
    return status in Instalment.UNSEEN and day < today - timedelta(days=grace_days)


def add(sums) -> Sums:
    """Several sums as one."""
    return Sums(*map(sum, zip(Sums(), *sums, strict=True)))


BADGES = {
    Status.PLANNED: "waiting",
    Status.RECEIVED: "way",
    Status.HANDED_OVER: "way",
    Status.DECLARED: "way",
    Status.CASHED: "done",
    Status.CONFIRMED: "done",
    Status.REJECTED: "late",
    Status.RETURNED: "off",
    Status.CANCELLED: "off",
}


def with_badges(instalments, *, today, grace_days):
    """The instalments as a list, each with `badge` (kind) and `badge_text` for ui/badge.html, and `is_late` (BR-41)."""
    rows = list(instalments)
    for one in rows:
        one.is_late = _is_late(one.status, one.deposit_not_before, today, grace_days)
        one.badge = "late" if one.is_late else BADGES[one.status]
        one.badge_text = one.get_status_display()
        if one.is_late:
            one.badge_text = _("announced, not arrived") if one.status == Status.DECLARED else _("late")
    return rows
