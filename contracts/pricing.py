"""Pure: what a share costs, what a household's choices add up to, and when it pays for them.

Amounts are integer cents, coefficients and share-equivalents integer hundredths (100 = one whole share), deliveries are
named by their rank. No sum here ever rounds twice: what is shown, signed and paid is the same figure (BR-16).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.errors import Refused
from amap.euros import SplitMode, split

Turn = Literal["every", "odd", "even"]
DateStrategy = Literal["first_of_month", "fifth_of_month", "first_delivery_of_month", "per_delivery", "custom"]

CHEQUE_GRACE = timedelta(days=8)
OFF_PREMISES_DAYS = timedelta(days=8)


# The price of a share


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def price_from_budget(
    lines_total_cents: int,
    amap_share_hundredths: int,
    deliveries: int,
    equivalents_hundredths: int,
    step_cents: int = 5,
) -> int | None:
    """Cents per delivery of a whole share that cover this AMAP's part of the farm's budget (BR-9).

    `amap_share_hundredths` is in hundredths of a percent (70 % = 7000). Rounded half up to `step_cents`. None as long
    as the calendar or the number of shares is unknown.
    """
    if not deliveries or not equivalents_hundredths:
        return None
    return step_cents * _half_up(
        lines_total_cents * amap_share_hundredths, 100 * deliveries * equivalents_hundredths * step_cents
    )


def share_price(reference_cents: int, coefficient_hundredths: int) -> int:
    """The price of a size in proportion to the whole share's, rounded half up (BR-15)."""
    return _half_up(reference_cents * coefficient_hundredths, 100)


# Turns and share-equivalents


def turn_of(rank: int) -> Turn:
    """Turn A takes the odd ranks, turn B the even ones (BR-46, BR-80)."""
    return "odd" if rank % 2 else "even"


def takes(turn: Turn, rank: int) -> bool:
    """Is a share of this turn due at this rank?"""
    return turn in ("every", turn_of(rank))


def equivalents(coefficient_hundredths: int, quantity: int, turn: Turn = "every") -> int:
    """The hundredths of capacity a choice takes: half as much every other delivery (BR-20, BR-80).

    Half of an odd hundredth is rounded up, so that capacity is never oversold.
    """
    whole = coefficient_hundredths * quantity
    return whole if turn == "every" else (whole + 1) // 2


def lighter_turn(odd_hundredths: int, even_hundredths: int) -> Turn:
    """The turn to give to somebody who left it open: the one with fewer equivalents, turn A first (BR-80)."""
    return "odd" if odd_hundredths <= even_hundredths else "even"


# From choices to a quote


@dataclass(frozen=True)
class Choice:
    """So many of a size at each delivery of a turn. `item` is whatever the caller knows the size by."""

    item: int
    quantity: int
    unit_price_cents: int
    coefficient_hundredths: int = 100
    turn: Turn = "every"


@dataclass(frozen=True)
class Line:
    """A line of a quote: `quantity` of `item` at each of `ranks`."""

    item: int
    quantity: int
    unit_price_cents: int
    ranks: tuple[int, ...]
    turn: Turn = "every"
    equivalents_hundredths: int = 0

    @property
    def cents_per_delivery(self) -> int:
        return self.quantity * self.unit_price_cents

    @property
    def total_cents(self) -> int:
        return self.cents_per_delivery * len(self.ranks)


@dataclass(frozen=True)
class Quote:
    """What a household's choices come to, line by line (BR-16). Lines without a delivery are not there."""

    lines: tuple[Line, ...]

    @property
    def total_cents(self) -> int:
        return sum(line.total_cents for line in self.lines)

    @property
    def equivalents_hundredths(self) -> int:
        return sum(line.equivalents_hundredths for line in self.lines)

    @property
    def ranks(self) -> list[int]:
        """The deliveries at which something is due, in order."""
        return sorted({rank for line in self.lines for rank in line.ranks})

    @property
    def deliveries(self) -> int:
        return len(self.ranks)

    @property
    def cents_by_rank(self) -> dict[int, int]:
        """The value due at each delivery, in order of rank; the values add up to `total_cents`."""
        totals = dict.fromkeys(self.ranks, 0)
        for line in self.lines:
            for rank in line.ranks:
                totals[rank] += line.cents_per_delivery
        return totals

    @property
    def cents_by_item(self) -> dict[int, int]:
        """The value of each size or product over the season; the values add up to `total_cents`."""
        totals: dict[int, int] = {}
        for line in self.lines:
            totals[line.item] = totals.get(line.item, 0) + line.total_cents
        return totals


def quote(choices: Iterable[Choice], ranks: Collection[int]) -> Quote:
    """The quote of sizes × quantity × turn over the deliveries `ranks` that remain (BR-16, BR-23, BR-80).

    Raises ValueError for a negative quantity or price, which no form lets through.
    """
    lines = []
    for choice in choices:
        _refuse_negative(choice.quantity, choice.unit_price_cents)
        due = tuple(rank for rank in sorted(ranks) if takes(choice.turn, rank))
        if choice.quantity and due:
            share = equivalents(choice.coefficient_hundredths, choice.quantity, choice.turn)
            lines.append(Line(choice.item, choice.quantity, choice.unit_price_cents, due, choice.turn, share))
    return Quote(tuple(lines))


def quote_grid(
    cells: Mapping[tuple[int, int], int], prices: Mapping[int, int], ranks: Collection[int] | None = None
) -> Quote:
    """The quote of a grid: `cells` maps (rank, product) to a quantity, `prices` a product to its cents (BR-81).

    With `ranks`, a cell elsewhere is an error: ValueError, as for a negative quantity or an unknown product. Lines
    come in order of rank, then of product in `prices`. Grids take no share-equivalents.
    """
    order = {item: place for place, item in enumerate(prices)}
    lines = []
    for (rank, item), quantity in cells.items():
        if item not in prices or (ranks is not None and rank not in ranks):
            raise ValueError(f"no product {item} at delivery {rank}")
        _refuse_negative(quantity, prices[item])
        if quantity:
            lines.append(Line(item, quantity, prices[item], (rank,)))
    return Quote(tuple(sorted(lines, key=lambda line: (line.ranks, order[line.item]))))


def _refuse_negative(quantity: int, price_cents: int) -> None:
    if quantity < 0 or price_cents < 0:
        raise ValueError(f"{quantity} × {price_cents} cents is no choice")


class Short(NamedTuple):
    """A delivery (or the season, `rank` None) whose `cents` stay under the offer's `minimum_cents`."""

    rank: int | None
    cents: int
    minimum_cents: int


def below_minimum(
    quoted: Quote, *, per_delivery_cents: int, per_season_cents: int, remaining: int, season: int
) -> list[Short]:
    """What stays under the offer's minimums (BR-81): each delivery that is not left empty, and the season.

    The season's minimum is prorated down for somebody who has `remaining` of `season` deliveries left.
    """
    shorts: list[Short] = [
        Short(rank, cents, per_delivery_cents)
        for rank, cents in quoted.cents_by_rank.items()
        if cents < per_delivery_cents
    ]
    prorated = per_season_cents * remaining // season
    if quoted.total_cents < prorated:
        shorts.append(Short(None, quoted.total_cents, prorated))
    return shorts


# Instalments


class Part(NamedTuple):
    """A planned payment: the agreed day (the cheque's deposit, never its date: BR-35) and its cents."""

    on: date
    cents: int


def instalment_counts(
    total_cents: int, allowed: Iterable[int], minimum_cents: int, dates: int | None = None
) -> list[int]:
    """The numbers of instalments to offer, in order (BR-33): each part must reach `minimum_cents`.

    When only `dates` payment dates remain, longer plans become one of that many parts (BR-36). One payment is always
    possible, however small the total.
    """
    possible = {n if dates is None else min(n, dates) for n in allowed if n > 0}
    return sorted(n for n in possible if n and total_cents // n >= minimum_cents) or [1]


def schedule_dates(
    strategy: DateStrategy, delivery_days: Collection[date], signed_on: date, chosen: Collection[date] = ()
) -> list[date]:
    """The payment dates still possible for somebody due on `delivery_days` who may pay from `signed_on` on (BR-36).

    They run from the month of the first delivery, or are those `chosen` for a `custom` plan, to the last delivery,
    never before `signed_on` (give `instruments_from(…)` where BR-43c applies). When nothing remains, the only date is
    `signed_on` itself.
    """
    days = sorted(delivery_days)
    if not days:
        return [signed_on]
    months = _months(days[0], days[-1])
    match strategy:
        case "first_of_month":
            dates = months
        case "fifth_of_month":
            dates = [month.replace(day=5) for month in months]
        case "first_delivery_of_month":
            dates = [next(day for day in days if day >= month) for month in months]
        case "per_delivery":
            dates = days
        case "custom":
            dates = list(chosen)
        case _:
            raise ValueError(f"unknown payment dates: {strategy}")
    return sorted({day for day in dates if signed_on <= day <= days[-1]}) or [signed_on]


def _months(first: date, last: date) -> list[date]:
    """The first day of every month from that of `first` to that of `last`."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count)]


def chosen_dates(dates: Sequence[date], count: int) -> list[date]:
    """`count` of `dates`, evenly spaced, starting with the first. Raises `Refused` when there are not that many."""
    if not 1 <= count <= len(dates):
        raise Refused(_("Choose from 1 to %(most)s instalments.") % {"most": len(dates)})
    return [dates[n * len(dates) // count] for n in range(count)]


def schedule(total_cents: int, count: int, dates: Sequence[date], mode: SplitMode = "first") -> list[Part]:
    """The smoothed plan: `total_cents` in `count` equal parts over `dates` (BR-34, BR-36); parts add up exactly."""
    return [Part(*part) for part in zip(chosen_dates(dates, count), split(total_cents, count, mode), strict=True)]


# Cheques


def instruments_from(signed_on: date, *, off_premises: bool) -> date:
    """The first day a payment may be handed over: after 7 full days when signed away from the farm (BR-43c)."""
    return signed_on + OFF_PREMISES_DAYS if off_premises else signed_on


def last_deposit(issued_on: date) -> date:
    """The last day a deposit of a cheque written on `issued_on` may be planned: one year later (BR-35)."""
    try:
        return issued_on.replace(year=issued_on.year + 1)
    except ValueError:
        return date(issued_on.year + 1, 2, 28)


def stale_after(issued_on: date) -> date:
    """The last day the bank takes a cheque written on `issued_on`: one year and eight days later (BR-35)."""
    return last_deposit(issued_on) + CHEQUE_GRACE


def cheque_problem(issued_on: date, deposit_not_before: date, today: date | None = None) -> str | None:
    """Why a cheque cannot be taken, as a sentence; None when it can (BR-35).

    It bears the day it is written, never a later one (`today`), and is deposited within a year of it.
    """
    if today is not None and issued_on > today:
        return _("A cheque bears the date of the day it is written.")
    latest = last_deposit(issued_on)
    if deposit_not_before > latest:
        return _(
            "The cheque would be stale before its deposit on %(deposit)s: written on %(issued)s, it can be deposited "
            "until %(latest)s."
        ) % {
            "deposit": date_format(deposit_not_before, "DATE_FORMAT"),
            "issued": date_format(issued_on, "DATE_FORMAT"),
            "latest": date_format(latest, "DATE_FORMAT"),
        }
    return None
