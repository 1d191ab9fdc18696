"""Pictures of desks: figures → what `ui/columns.html`, `ui/bars.html` and `ui/calendar_strip.html` draw."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Sum, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import charts
from amap.euros import equivalents_text, euros_text
from contracts import ledger, season_strip
from contracts.models import Subscription, SubscriptionLine
from deliveries.models import Basket, Shift

MONTHS_BACK, MONTHS = 5, 12
SEASON_BACK, SEASON_AHEAD = timedelta(days=62), timedelta(days=190)


@dataclass(frozen=True)
class Payments:
    """`rows` for `ui/columns.html`: handed in, and promised as outline. Sums in cents."""

    rows: list
    promised: int
    handed_in: int


def payments(instalments, today):
    """What was promised and what was handed in, by month, over the year around today. One query."""
    first = _months_later(today.replace(day=1), -MONTHS_BACK)
    last = _months_later(first, MONTHS) - timedelta(days=1)
    around = instalments.filter(deposit_not_before__range=(first, last))
    by_month = ledger.sums_by(around, "month", today=today, grace_days=0)
    rows = [
        {
            "month": month,
            "value": sums.promised - sums.awaited,
            "text": euros_text(sums.promised - sums.awaited),
            "target": sums.promised,
            "second_text": euros_text(sums.promised),
        }
        for (month,), sums in sorted(by_month.items())
        if sums.promised
    ]
    return Payments(charts.months(rows), sum(row["target"] for row in rows), sum(row["value"] for row in rows))


def _months_later(first, count):
    index = first.year * 12 + first.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def secured():
    """For offers: cents their signed contracts secure to the farm."""
    return Sum("subscriptions__total_cents", filter=Q(subscriptions__status__in=Subscription.HOLDS), default=0)


def signed(rows):
    """(label, taken, needed), in hundredths of a share → rows for `ui/bars.html`."""
    return charts.bars(
        {
            "label": label,
            "value": taken,
            "target": needed,
            "text": _("%(taken)s of %(needed)s")
            % {"taken": equivalents_text(taken), "needed": equivalents_text(needed)},
        }
        for label, taken, needed in rows
    )


def uncollected(association, today):
    """Baskets nobody came for in the last year, how many of them went to a charity, and their worth by contract, in
    cents (BR-51). One query.
    """
    turn = Case(When(parity=1, then=Value("odd")), default=Value("even"))
    taken = Q(delivery=OuterRef("delivery")) | Q(delivery=None, turn__in=["every", OuterRef("turn")])
    lines = SubscriptionLine.objects.filter(taken, subscription=OuterRef("subscription")).order_by()
    worth = lines.values("subscription").annotate(cents=Sum(F("quantity") * F("unit_price_cents"))).values("cents")
    baskets = Basket.objects.filter(
        distribution__association=association,
        distribution__day__gt=today - timedelta(days=365),
        outcome=Basket.Outcome.UNCOLLECTED,
    ).annotate(parity=F("delivery__rank") % 2, turn=turn, worth=Subquery(worth))
    to_charity = Q(fate=Basket.Fate.CHARITY)
    return baskets.aggregate(
        count=Count("pk"), charity=Count("pk", filter=to_charity), charity_cents=Sum("worth", filter=to_charity)
    )


def season(association, today):
    """The association's distributions as months; holes in the roster are said, and marked when they are near. One
    query.
    """
    evenings = (
        association.distributions.filter(day__range=(today - SEASON_BACK, today + SEASON_AHEAD))
        .order_by("day")
        .values_list("day", "place__name")
        .annotate(missing=Sum(F("shifts__needed") - F("shifts__taken"), default=0))
    )
    entries, following = [], None
    for day, place, missing in evenings:
        if day < today:
            entries.append((day, "done", place))
            continue
        following = following or day
        state, words = "", place
        if missing:
            state = "late" if day <= today + Shift.HOLES_WITHIN else ""
            words = (
                place
                + ", "
                + ngettext("%(count)s person missing", "%(count)s people missing", missing) % {"count": missing}
            )
        entries.append((day, f"{state} next".strip() if day == following else state, words))
    return season_strip.months(entries)


def season_legend():
    """What the marks of `season` mean."""
    return [
        {"state": "done", "text": _("past")},
        {"state": "next", "text": _("the next one")},
        {"state": "late", "text": _("people are missing, within ten days")},
        {"state": "", "text": _("to come")},
    ]
