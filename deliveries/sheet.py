"""Read only: who collects what at a distribution.

Until a delivery's list is fixed it is computed from live subscriptions, their ranks, turns and dated lines; afterwards
it is read from the Baskets written by the lock, and nothing that happens elsewhere changes it (BR-52).
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Q, Sum
from django.utils.html import format_html

from amap.dates import date_format
from amap.euros import NO_BREAK_SPACE
from amap.names import Alphabetical, alphabetical
from amap.words import pair
from contracts.models import ContractOffer, Delivery, Subscription, SubscriptionLine
from contracts.pricing import takes, turn_of
from contracts.titles import with_unit, without_years
from deliveries.models import Basket, Distribution, Shift, ShiftAssignment

# Offers whose dates are meetings: a draft promises nothing yet, a cancelled one nothing more.
DELIVERING = (*ContractOffer.LIVE, ContractOffer.Status.CLOSED)


class Coming(NamedTuple):
    """A delivery of the evening."""

    id: int
    rank: int
    offer_id: int
    title: str
    kind: str
    farm_id: int
    farm: str
    status: str


@dataclass(slots=True)
class Taken:
    """What a household takes from one delivery. `contents`: [label, quantity] pairs, as printed."""

    delivery_id: int
    subscription_id: int
    contents: list
    outcome: str = Basket.Outcome.EXPECTED
    collected_at: object = None
    ticked_by: str = ""
    collected_by: str = ""
    fate: str = ""
    note: str = ""


@dataclass(slots=True)
class Line:
    """One household of the evening and all it takes."""

    household_id: int
    number: int
    name: str
    baskets: list[Taken] = field(default_factory=list)

    @property
    def code(self):
        return f"H-{self.number:03d}"

    @property
    def is_collected(self):
        return all(basket.outcome == Basket.Outcome.COLLECTED for basket in self.baskets)

    @property
    def notes(self):
        return [basket.note for basket in self.baskets if basket.note]


@dataclass
class Sheet:
    """The evening's list: deliveries by id, households in alphabetical order."""

    distribution: Distribution
    deliveries: dict[int, Coming]
    lines: list[Line]

    @property
    def collected(self):
        """Number of households that took everything."""
        return sum(line.is_collected for line in self.lines)

    def totals(self):
        """What each delivery must bring: {delivery id: Counter of label → quantity} (D8 is the sum of D6)."""
        sums = {pk: Counter() for pk in self.deliveries}
        for line in self.lines:
            for basket in line.baskets:
                for label, quantity in basket.contents:
                    sums[basket.delivery_id][label] += quantity
        return sums

    def takers(self, delivery_id):
        """Households of one delivery: list of (Line, contents)."""
        return [
            (line, basket.contents)
            for line in self.lines
            for basket in line.baskets
            if basket.delivery_id == delivery_id
        ]


def contents_text(contents):
    """`[["Half share", 1], ["Bread", 2]]` → `Half share, 2 × Bread`."""
    return ", ".join(label if quantity == 1 else f"{quantity} × {label}" for label, quantity in contents)


def when_and_where(begins, ends, place):
    """`18:30 – 19:45, school yard`, the hours on one line."""
    times = " – ".join(date_format(moment, "TIME_FORMAT") for moment in (begins, ends))
    return format_html('<span class="nowrap">{}</span>, {}', times, place)


def taken_text(title, contents):
    """`Vegetables: Half share`; what names the product itself needs no title: `Loaf of bread`, not `Bread 2026: …`."""
    said, short = contents_text(contents), without_years(title)
    product = alphabetical(short).split(" ")[0].rstrip("s")
    return said if product in alphabetical(said) else pair(short, said)


def taken_together(parts):
    """Several of them in one line; a line never begins with the dot between two."""
    return f"{NO_BREAK_SPACE}· ".join(parts)


def deliveries_of(distribution, farm_ids=None):
    """The deliveries that meet at this distribution, by id, farm by farm; only those of `farm_ids` if given."""
    rows = Delivery.objects.filter(
        association=distribution.association_id,
        day=distribution.day,
        place=distribution.place_id,
        offer__status__in=DELIVERING,
    ).exclude(status=Delivery.Status.CANCELLED)
    if farm_ids is not None:
        rows = rows.filter(offer__farm__in=farm_ids)
    columns = ("pk", "rank", "offer", "offer__title", "offer__kind", "offer__farm", "offer__farm__name", "status")
    return {
        row[0]: Coming(*row)
        for row in rows.order_by(Alphabetical("offer__farm__name"), Alphabetical("offer__title")).values_list(*columns)
    }


def due_lines(deliveries):
    """The lines of live subscriptions that are served at these deliveries (BR-23, BR-46, BR-80, BR-81)."""
    due = Q(delivery__in=[delivery.id for delivery in deliveries])
    for delivery in deliveries:
        due |= Q(
            delivery=None,
            subscription__offer=delivery.offer_id,
            subscription__first_rank__lte=delivery.rank,
            subscription__last_rank__gte=delivery.rank,
            turn__in=("every", turn_of(delivery.rank)),
        )
    return SubscriptionLine.objects.filter(
        due,
        subscription__offer__in=[delivery.offer_id for delivery in deliveries],
        subscription__status__in=Subscription.LIVE,
    )


def sheet(distribution, *, household_id=None, farm_ids=None):
    """The `Sheet` of a distribution, in two or three queries whatever its size; of one household or farms if asked."""
    deliveries = deliveries_of(distribution, farm_ids)
    if not deliveries:
        return Sheet(distribution, {}, [])
    lines = {}
    planned = {pk: one for pk, one in deliveries.items() if one.status == Delivery.Status.SCHEDULED}
    if planned:
        _compute(lines, planned, household_id)
    if len(planned) < len(deliveries):
        _read(lines, distribution, household_id, deliveries.keys() - planned.keys())
    lines = list(lines.values())
    lines.sort(key=lambda line: (alphabetical(line.name), line.number))
    if len(deliveries) > 1:
        order = {pk: position for position, pk in enumerate(deliveries)}
        for line in lines:
            if len(line.baskets) > 1:
                line.baskets.sort(key=lambda basket: order[basket.delivery_id])
    return Sheet(distribution, deliveries, lines)


def _compute(lines, deliveries, household_id):
    """Add who takes what from deliveries still planned to `lines`: {household id: `Line`}."""
    rows = due_lines(deliveries.values())
    if household_id:
        rows = rows.filter(subscription__household=household_id)
    of_offer = {delivery.offer_id: pk for pk, delivery in deliveries.items()}
    baskets = {}
    for household, number, name, subscription, offer, size, product, unit, quantity in rows.values_list(
        "subscription__household",
        "subscription__household__number",
        "subscription__household__name",
        "subscription",
        "subscription__offer",
        "size__label",
        "product__name",
        "product__unit",
        "quantity",
    ):
        basket = baskets.get(subscription)
        if basket is None:
            basket = baskets[subscription] = Taken(of_offer[offer], subscription, [])
            line = lines.get(household)
            if line is None:
                line = lines[household] = Line(household, number, name)
            line.baskets.append(basket)
        basket.contents.append([size or with_unit(product, unit), quantity])


def _read(lines, distribution, household_id, delivery_ids):
    """Add the baskets fixed for these deliveries to `lines`."""
    rows = Basket.objects.filter(distribution=distribution, delivery__in=delivery_ids)
    if household_id:
        rows = rows.filter(household=household_id)
    for household, number, name, *basket, ticked_by, collected_by, fate, note in rows.values_list(
        "household",
        "household__number",
        "household__name",
        "delivery",
        "subscription",
        "contents",
        "outcome",
        "collected_at",
        "ticked_by__name",
        "collected_by",
        "fate",
        "note",
    ):
        line = lines.get(household)
        if line is None:
            line = lines[household] = Line(household, number, name)
        line.baskets.append(Taken(*basket, ticked_by or "", collected_by, fate, note))


def season(association_id, days, household_id=None):
    """Between two days: {(day, place id): list of (title, farm, contents)} of all deliveries, in two queries.

    `contents` is what the household takes, None where it takes nothing.
    """
    lines = {}
    if household_id:
        rows = SubscriptionLine.objects.filter(
            subscription__household=household_id, subscription__status__in=Subscription.HOLDS
        )
        for offer, *line in rows.values_list(
            "subscription__offer",
            "delivery",
            "subscription__first_rank",
            "subscription__last_rank",
            "turn",
            "size__label",
            "product__name",
            "quantity",
        ):
            lines.setdefault(offer, []).append(line)
    deliveries = Delivery.objects.filter(
        association=association_id, day__range=days, offer__status__in=DELIVERING
    ).exclude(status=Delivery.Status.CANCELLED)
    evenings = {}
    for pk, day, place, rank, offer, title, farm in deliveries.order_by(Alphabetical("offer__farm__name")).values_list(
        "pk", "day", "place", "rank", "offer", "offer__title", "offer__farm__name"
    ):
        mine = [
            (size or product, quantity)
            for dated, first, last, turn, size, product, quantity in lines.get(offer, ())
            if dated == pk or (dated is None and first <= rank <= last and takes(turn, rank))
        ]
        evenings.setdefault((day, place), []).append((title, farm, mine or None))
    return evenings


def baskets_present(delivery):
    """How many baskets of each coefficient a delivery must fill: {100: 31, 50: 22}, for `deliveries.sharing`."""
    rows = due_lines([Coming(delivery.pk, delivery.rank, delivery.offer_id, "", "", 0, "", delivery.status)])
    if delivery.status != Delivery.Status.SCHEDULED:
        rows = SubscriptionLine.objects.filter(
            subscription__baskets__delivery=delivery,
            turn__in=("every", turn_of(delivery.rank)),
        )
    counts = rows.exclude(size=None).order_by().values_list("size__coefficient_hundredths").annotate(Sum("quantity"))
    return dict(counts)


class Post(NamedTuple):
    """A role of the evening and who holds it."""

    role: str
    needed: int
    people: list[str]

    @property
    def missing(self):
        return max(0, self.needed - len(self.people))

    @property
    def holes(self):
        """One item per person still needed, for the empty lines of a paper sheet."""
        return range(self.missing)


def volunteers(distribution):
    """The evening's roles with the names of those who come: list of `Post`, in one query."""
    posts = {}
    for pk, role, needed, status, volunteer, household in (
        Shift.objects.filter(distribution=distribution)
        .order_by("role__position", "pk", "assignments__pk")
        .values_list(
            "pk",
            "role__name",
            "needed",
            "assignments__status",
            "assignments__volunteer",
            "assignments__household__name",
        )
    ):
        post = posts.setdefault(pk, Post(role, needed, []))
        if status in ShiftAssignment.HOLDS:
            post.people.append(volunteer or household)
    return list(posts.values())
