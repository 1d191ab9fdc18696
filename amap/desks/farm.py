"""A farm's desk over all its associations: what to harvest next, the lists to post, the offers, the money (BR-77)."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext

from amap import clock
from amap.desks import plots
from amap.euros import equivalents_text, euros_text
from amap.names import Alphabetical
from amap.words import pair
from contracts.models import ContractOffer, Delivery, Instalment, OfferAcceptance
from contracts.titles import with_unit
from deliveries.models import Basket
from deliveries.models.distributions import harvest_visible, with_hours
from deliveries.sheet import Coming, due_lines

LOOKS_AHEAD = timedelta(days=35)
DAYS = 5


@dataclass(slots=True)
class Stop:
    """A delivery of the farm: one offer at one association's distribution."""

    id: int
    rank: int
    offer_id: int
    title: str
    kind: str
    day: date
    status: str
    association_id: int
    association: str
    place: str
    opens_at: time
    closes_at: time
    harvest_days_before: int
    harvest_hour: time
    posted_at: object
    evening: int | None
    harvest_url: str = ""
    quantities_url: str = ""

    @property
    def takes_list(self):
        return self.kind == ContractOffer.Kind.HARVEST_SHARE

    @property
    def is_missing(self):
        """A list is expected and not there."""
        return self.takes_list and self.posted_at is None

    @property
    def due(self):
        """Until when the list is expected: then members look for it."""
        return harvest_visible(self.day, days_before=self.harvest_days_before, hour=self.harvest_hour)


@dataclass
class Day:
    """A day of deliveries. `rows`: [(label, total, [(association, quantity)])], only for the next one."""

    day: date
    stops: list[Stop]
    rows: list = field(default_factory=list)
    shares: str = ""

    @property
    def is_missing(self):
        return any(stop.is_missing for stop in self.stops)


def days(farm, standings, now):
    """The farm's next delivery days, the first with its quantities. Three queries at most.

    `standings` by association id: where the visitor has pages to go to.
    """
    today = timezone.localdate(now)
    promised = Delivery.objects.filter(
        offer__farm=farm, offer__status__in=ContractOffer.LIVE, day__range=(today, today + LOOKS_AHEAD)
    )
    rows = (
        with_hours(promised)
        .exclude(status=Delivery.Status.CANCELLED)
        .order_by("day", Alphabetical("association__name"), Alphabetical("offer__title"))
        .values_list(
            *("pk", "rank", "offer", "offer__title", "offer__kind", "day", "status", "association"),
            *("association__name", "place__name", "opens_at", "closes_at"),
            *("association__harvest_days_before", "association__harvest_hour", "harvest_list__posted_at"),
            "evening",
        )
    )
    found = {}
    for row in rows:
        stop = Stop(*row)
        if clock.at(stop.day, stop.closes_at) < now:
            continue
        if stop.day not in found and len(found) == DAYS:
            break
        if standing := standings.get(stop.association_id):
            stop.harvest_url = reverse("deliveries:harvest", args=[standing.slug, stop.id])
            if stop.evening:
                stop.quantities_url = reverse("deliveries:quantities", args=[standing.slug, stop.evening])
        found.setdefault(stop.day, Day(stop.day, [])).stops.append(stop)
    coming = list(found.values())
    if coming:
        _fill(coming[0])
    return coming


def _fill(day):
    """One line per product or size: the total, then by association. Fixed lists are read from their baskets."""
    offers = defaultdict(set)
    for stop in day.stops:
        offers[stop.association_id].add(stop.offer_id)
    by_id = {stop.id: stop for stop in day.stops}
    amounts = defaultdict(lambda: defaultdict(int))

    def add(stop, label, quantity):
        several = len(offers[stop.association_id]) > 1
        amounts[pair(stop.title, label) if several else label][stop.association] += quantity

    open_stops = [stop for stop in day.stops if stop.status == Delivery.Status.SCHEDULED]
    hundredths = 0
    if open_stops:
        of_offer = {stop.offer_id: stop for stop in open_stops}
        coming = [
            Coming(stop.id, stop.rank, stop.offer_id, stop.title, stop.kind, 0, "", stop.status) for stop in open_stops
        ]
        names = ("subscription__offer", "size__label", "size__coefficient_hundredths", "product__name", "product__unit")
        lines = due_lines(coming).order_by("size__position", "product__position", "size", "product")
        for offer, size, coefficient, product, unit, quantity in lines.values_list(*names).annotate(Sum("quantity")):
            add(of_offer[offer], size or with_unit(product, unit), quantity)
            hundredths += (coefficient or 0) * quantity if of_offer[offer].takes_list else 0
    fixed = [stop.id for stop in day.stops if stop.status != Delivery.Status.SCHEDULED]
    if fixed:
        for delivery, contents in Basket.objects.filter(delivery__in=fixed).values_list("delivery", "contents"):
            for label, quantity in contents:
                add(by_id[delivery], label, quantity)
    day.rows = [(label, sum(parts.values()), sorted(parts.items())) for label, parts in amounts.items()]
    day.shares = equivalents_text(hundredths) if hundredths else ""


def offers(farm, standings):
    """(offers that wait for the farm's yes: [(title, association, url)], signed shares of the live ones: [(title and
    association, taken, capacity)], cents secured by their contracts). One query.
    """
    yes = OfferAcceptance.objects.filter(
        offer=OuterRef("pk"), side=OfferAcceptance.Side.FARM, version=OuterRef("version")
    )
    rows = (
        ContractOffer.objects.filter(farm=farm, status__in=[ContractOffer.Status.PROPOSED, *ContractOffer.LIVE])
        .annotate(is_accepted=Exists(yes), cents=plots.secured())
        .order_by(Alphabetical("association__name"), "starts_on", "pk")
        .values_list(
            *("pk", "title", "status", "association", "association__name"),
            *("taken_hundredths", "capacity_hundredths", "is_accepted", "cents"),
        )
    )
    waiting, live, secured = [], [], 0
    for pk, title, status, association_id, association, taken, capacity, is_accepted, cents in rows:
        if status in ContractOffer.LIVE:
            secured += cents
            if capacity:
                live.append((f"{title}, {association}" if len(standings) > 1 else title, taken, capacity))
        elif not is_accepted and association_id in standings:
            waiting.append((title, association, reverse("contracts:offer", args=[standings[association_id].slug, pk])))
    return waiting, live, secured


def arrivals(farm, standings, today):
    """What the bank statement should show: [(association, [text], url)]. One query."""
    waiting = Instalment.objects.filter(
        Q(status=Instalment.Status.HANDED_OVER) | Q(status=Instalment.Status.DECLARED, deposit_not_before__lte=today),
        farm=farm,
    )
    rows = waiting.order_by(Alphabetical("association__name"), "status").values_list(
        "association", "association__name", "status"
    )
    found = {}
    for association_id, name, status, count, cents in rows.annotate(Count("pk"), Sum("amount_cents")):
        if association_id not in standings:
            continue
        url = reverse("contracts:farm_payments", args=[standings[association_id].slug])
        _name, texts, _url = found.setdefault(association_id, (name, [], url))
        if status == Instalment.Status.HANDED_OVER:
            text = ngettext("%(count)s cheque to cash, %(sum)s", "%(count)s cheques to cash, %(sum)s", count)
        else:
            text = ngettext("%(count)s transfer to confirm, %(sum)s", "%(count)s transfers to confirm, %(sum)s", count)
        texts.append(text % {"count": count, "sum": euros_text(cents)})
    return list(found.values())
