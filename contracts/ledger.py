"""Read-only: what was promised, received, handed over, paid, what is late; by farm, household, month (BR-16, BR-31).

Every figure is a sum of instalments, in cents, made by the database in one statement per question.
"""

from dataclasses import astuple, dataclass
from datetime import date, timedelta

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from contracts.models import Instalment

Status = Instalment.Status


@dataclass(frozen=True)
class Sums:
    """Cents. `promised` = `awaited` + `declared` + `held` + `handed_over` + `paid`; `due` and `late` are parts of
    `awaited`."""

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


def _figures(today: date, grace_days: int):
    def cents(**condition):
        return Sum("amount_cents", filter=Q(**condition), default=0)

    return {
        "promised": cents(status__in=Instalment.COUNTS),
        "awaited": cents(status=Status.PLANNED),
        "due": cents(status=Status.PLANNED, deposit_not_before__lte=today),
        "late": cents(status=Status.PLANNED, deposit_not_before__lt=today - timedelta(days=grace_days)),
        "declared": cents(status=Status.DECLARED),
        "held": cents(status=Status.RECEIVED),
        "handed_over": cents(status=Status.HANDED_OVER),
        "paid": cents(status__in=(Status.CASHED, Status.CONFIRMED)),
        "rejected": cents(status=Status.REJECTED),
    }


def total(instalments, *, today, grace_days) -> Sums:
    """The sums of a queryset of instalments."""
    return Sums(**instalments.order_by().aggregate(**_figures(today, grace_days)))


def add(sums) -> Sums:
    """Several sums as one."""
    rows = [astuple(one) for one in sums]
    return Sums(*map(sum, zip(*rows, strict=True))) if rows else Sums()


def by_farm(instalments, *, today, grace_days) -> list[dict]:
    """[{"farm", "farm__name", "farm__slug", "sums"}] in the order of the farms' names."""
    return _grouped(instalments, ("farm__name", "farm", "farm__slug"), today, grace_days)


def by_household(instalments, *, today, grace_days) -> list[dict]:
    """[{"household", "household__name", "household__number", "sums"}] in the order of names."""
    return _grouped(instalments, ("household__name", "household__number", "household"), today, grace_days)


def by_month(instalments, *, today, grace_days) -> list[dict]:
    """[{"month": first day of the month the payments are agreed for, "sums"}] in order."""
    return _grouped(instalments.annotate(month=TruncMonth("deposit_not_before")), ("month",), today, grace_days)


def _grouped(instalments, names, today, grace_days):
    figures = _figures(today, grace_days)
    rows = instalments.order_by().values(*names).annotate(**figures).order_by(*names)
    return [
        {name: row[name] for name in names} | {"sums": Sums(**{figure: row[figure] for figure in figures})}
        for row in rows
    ]


BADGES = {
    Status.PLANNED: "waiting",
    Status.RECEIVED: "mine",
    Status.HANDED_OVER: "mine",
    Status.DECLARED: "mine",
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
        one.is_late = one.status == Status.PLANNED and one.deposit_not_before < today - timedelta(days=grace_days)
        one.badge = "late" if one.is_late else BADGES[one.status]
        one.badge_text = _("late") if one.is_late else one.get_status_display()
    return rows
