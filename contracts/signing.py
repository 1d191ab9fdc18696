"""Read-only: what a household can sign for today, what it would cost and when it would be paid.

The pages and the signature ask the same questions here, so that what was shown is what is signed (BR-16).

A household's *choices* are plain triples: (size, quantity, turn) for shares, the turn empty when it is left open;
(rank, product, quantity) for quantities chosen by date.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from django.db.models import BigAutoField, DateField, F, OuterRef, Q, Sum, UUIDField
from django.db.models.fields.json import KT
from django.utils import timezone
from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.errors import Refused
from amap.euros import euros_text
from amap.facts import columns, facts, moment, read
from amap.models import Association, Farm, FarmLiaison, Member, Membership, PickupPlace
from amap.questions import Given, Question
from contracts import calendars, pricing
from contracts.documents import PLACE, place_of
from contracts.models import (
    ContractOffer,
    Delivery,
    Instalment,
    OfferAcceptance,
    Product,
    ShareSize,
    Subscription,
    SubscriptionLine,
    WaitingListEntry,
)

MOST_OF_A_SIZE = 20
MOST_OF_A_PRODUCT = 99


def refuse_unless_open(offer, today):
    """Raises `Refused` unless households may sign this offer today, those who join late included (BR-23)."""
    status = ContractOffer.Status
    if offer.is_open(today):
        return
    if offer.status in (status.CLOSED, status.CANCELLED):
        raise Refused(_("Sign-up for “%(offer)s” is over.") % {"offer": offer.title})
    if offer.status not in ContractOffer.LIVE:
        raise Refused(_("Sign-up for “%(offer)s” is not open yet.") % {"offer": offer.title})
    if offer.open_on and offer.open_on > today:
        raise Refused(_("Sign-up opens on %(day)s.") % {"day": date_format(offer.open_on, "DATE_FORMAT")})
    raise Refused(_("The season has begun, and this farm takes nobody in before the next one."))


def memberships_of(household):
    """An annotation: the (first day, last day) of a household's memberships, paid or awaited, as ISO text."""
    known = Membership.objects.order_by().filter(household=household).exclude(status=Membership.Status.CANCELLED)
    return facts(known, "period__starts_on", "period__ends_on")


class PlannedDelivery(NamedTuple):
    pk: int
    rank: int
    day: date
    status: str


# An offer, and the rows its contracts name.
ITS_OWN = {"pk": ContractOffer, "association": Association, "farm": Farm, "place": PickupPlace}


@Question
def _around():
    offer, household = Given("offer", BigAutoField()), Given("household", BigAutoField())
    today, token = Given("today", DateField()), Given("token", UUIDField())
    mine = Q(client_token=token) | Q(offer=OuterRef("pk"), status__in=Subscription.HOLDS)
    line = WaitingListEntry.objects.filter(offer=OuterRef("pk"), status=WaitingListEntry.Status.WAITING)
    liaisons = FarmLiaison.objects.of(OuterRef("association"), OuterRef("farm"), today)
    before = Instalment.objects.filter(household=household, subscription__offer=OuterRef("pk"))
    people = ("name", "phone", "email", "language", "user__email", "user__language")
    planned = Delivery.objects.filter(offer=OuterRef("pk")).exclude(status=Delivery.Status.CANCELLED).order_by("rank")
    where = {key: KT(f"content__place__{key}") for key in PLACE}
    agreed = OfferAcceptance.objects.filter(offer=OuterRef("pk"), version=OuterRef("version")).annotate(**where)
    return ContractOffer.objects.filter(pk=offer).values_list(
        *[facts(model.objects.filter(pk=OuterRef(name)), *columns(model)) for name, model in ITS_OWN.items()],
        *[facts(model.objects.filter(offer=OuterRef("pk")), *columns(model)) for model in (ShareSize, Product)],
        facts(planned, *PlannedDelivery._fields),
        facts(Subscription.objects.filter(mine, household=household).order_by("-pk"), "pk", most=1),
        facts(line, "pk", "household_id", "equivalents_hundredths"),
        memberships_of(household),
        facts(liaisons, "user__name", most=1),
        facts(before.order_by(), "pk"),
        facts(Member.objects.filter(household=household).order_by("position", "pk"), *people),
        facts(agreed, "side", "by__name", "at", *PLACE),
    )


@dataclass(frozen=True)
class Around:
    """An offer as it stands now, and all that a household's signature needs to know around it."""

    offer: ContractOffer  # with its association, farm and place
    items: list  # its sizes or products
    season: list[PlannedDelivery]
    signed_already: int | None  # the household's contract
    line: list  # who waits, in order: (entry, household, hundredths)
    memberships: list  # the household's, as `memberships_of`
    liaison: str
    instalments_before: int  # that the household has had with this offer
    people: list  # of the household: name, phone, e-mail, language, e-mail and language of the account
    agreed_by: dict  # {side: (name, ISO time)} of who accepted this version (BR-8)
    agreed_place: dict  # where and when both sides agreed to meet: `PLACE`

    def room(self, household_id):
        """The hundredths a household may take: what is free, less what those ahead of it in the line can use (BR-30).

        Nobody on the waiting list is overtaken by somebody who came later.
        """
        free = self.offer.free_hundredths
        for _entry, waiting_id, wanted in self.line:
            if waiting_id == household_id:
                break
            if wanted <= free:
                free -= wanted
        return free

    def waiting_already(self, household_id):
        """The id of the household's place in the line, or None."""
        return next((entry for entry, waiting_id, _wanted in self.line if waiting_id == household_id), None)

    def readers(self):
        """The (e-mail, language) pairs of the household's people."""
        people = [(email or own, language or own_language) for *_who, own, own_language, email, language in self.people]
        return [(email, language) for email, language in people if email]


def look_around(offer, household_id, today, client_token=None) -> Around:
    """Reads an offer afresh, with all that is around it for this household (None: for nobody), in one statement."""
    *rows, sizes, products, planned, signed, line, memberships, liaisons, before, people, agreed = _around(
        offer=offer.pk, household=household_id, today=today, token=client_token
    )
    rows = [read(model, row) for model, (row,) in zip(ITS_OWN.values(), rows, strict=True)]
    offer, offer.association, offer.farm, offer.place = rows
    item, items = (Product, products) if offer.is_by_date else (ShareSize, sizes)
    return Around(
        offer=offer,
        items=[read(item, one) for one in items],
        season=[PlannedDelivery(pk, rank, date.fromisoformat(day), status) for pk, rank, day, status in planned],
        signed_already=signed[0][0] if signed else None,
        line=line,
        memberships=memberships,
        liaison=liaisons[0][0] if liaisons else "",
        instalments_before=len(before),
        people=people,
        agreed_by={side: [name, moment(at).isoformat()] for side, name, at, *_place in agreed},
        agreed_place=dict(zip(PLACE, agreed[0][3:], strict=True)) if agreed else place_of(offer),
    )


def signed_by(household, offer, client_token=None):
    """The household's contract for this offer, or the one signed with that token; None when there is none."""
    mine = Subscription.objects.filter(household=household)
    same = Q(offer=offer, status__in=Subscription.HOLDS)
    if client_token:
        same |= Q(client_token=client_token)
    return mine.filter(same).order_by("-pk").first()


def is_member(memberships, *days):
    """Does one of the memberships (`memberships_of`) cover one of the days?"""
    return any(first <= day.isoformat() <= last for first, last in memberships for day in days)


def refuse_run_out(memberships, today, first_day):
    """Raises `Refused` when a household's membership has run out, and none covers today or the contract's first
    delivery (BR-2). A household that never had one signs: its fee is a key of the contract, not of the signature
    (BR-21).
    """
    run_out = [last for _first, last in memberships if last < today.isoformat()]
    if run_out and not is_member(memberships, today, first_day):
        raise Refused(
            _(
                "The membership of this household ran out on %(day)s. Pay the fee of the new year to the treasurer; "
                "once it is recorded, this contract can be signed."
            )
            % {"day": date_format(date.fromisoformat(max(run_out)), "DATE_FORMAT")}
        )


def left_open(choices):
    """Is a turn still to be decided? (A quantity by date is never 0.)"""
    return any(not turn for _size, _quantity, turn in choices)


class Proposal:
    """What remains of an offer for somebody signing `now`.

    Raises `Refused` when no delivery can be prepared any more. `is_paper`: signed face to face away from the farm,
    where nothing may be paid for seven days (BR-43c). `first_rank`: a contract that runs already begins where it began.
    """

    def __init__(self, around, *, now, is_paper=False, first_rank=None):
        self.around, self.offer = around, around.offer
        self.is_paper = is_paper
        self.today = timezone.localdate(now)
        self.items, season = around.items, around.season
        self.season_count = len(season)
        if first_rank:
            self.deliveries = [delivery for delivery in season if delivery.rank >= first_rank]
            return
        # A list that is fixed takes nobody in, however short the farm's notice (BR-52).
        days = [one.day if one.status == Delivery.Status.SCHEDULED else date.min for one in season]
        first = calendars.first_eligible(days, now, self.offer.producer_lead_days, timezone.get_default_timezone())
        if first is None:
            raise Refused(
                _("No delivery is left that the farm could prepare: it needs %(days)s days’ notice.")
                % {"days": self.offer.producer_lead_days}
            )
        self.deliveries = season[first - 1 :]

    @cached_property
    def by_rank(self):
        return {delivery.rank: delivery for delivery in self.deliveries}

    @cached_property
    def by_item(self):
        return {item.pk: item for item in self.items}

    @property
    def joins_late(self):
        """Does a season seen from today lack its beginning?"""
        return len(self.deliveries) < self.season_count

    def settle(self, choices):
        """The choices with every turn decided: one left open goes to the turn with fewer shares (BR-80)."""
        if not left_open(choices):
            return list(choices)
        taken = dict(
            SubscriptionLine.objects.filter(
                subscription__offer=self.offer, subscription__status__in=Subscription.LIVE, turn__in=("odd", "even")
            )
            .values_list("turn")
            .annotate(hundredths=Sum(F("quantity") * F("size__coefficient_hundredths")))
        )
        lighter = pricing.lighter_turn(taken.get("odd", 0), taken.get("even", 0))
        return [(size, quantity, turn or lighter) for size, quantity, turn in choices]

    def quote(self, choices):
        """What settled choices come to (BR-16). Raises `Refused` for nothing at all and under the minimums (BR-81).

        A size or product of another offer, a negative quantity, a turn that is not offered: ValueError or KeyError.
        """
        if self.offer.is_by_date:
            prices = {item.pk: item.price_cents for item in self.items}
            cells = {(rank, product): quantity for rank, product, quantity in choices}
            quoted = pricing.quote_grid(cells, prices, self.by_rank)
        else:
            quoted = pricing.quote([self._choice(*choice) for choice in choices], self.by_rank)
        if not quoted.lines:
            raise Refused(_("Choose at least one basket."))
        self._refuse_too_little(quoted)
        return quoted

    def _choice(self, size, quantity, turn):
        if turn not in SubscriptionLine.Turn or (turn != "every" and not self.offer.alternate_allowed):
            raise ValueError(f"no turn {turn}")
        item = self.by_item[size]
        return pricing.Choice(size, quantity, item.price_cents, item.coefficient_hundredths, turn)

    def _refuse_too_little(self, quoted):
        shorts = pricing.below_minimum(
            quoted,
            per_delivery_cents=self.offer.minimum_per_delivery_cents,
            per_season_cents=self.offer.minimum_per_season_cents,
            remaining=len(self.deliveries),
            season=self.season_count,
        )
        if shorts:
            raise Refused(" ".join(self._short_text(short) for short in shorts))

    def _short_text(self, short):
        amounts = {"sum": euros_text(short.cents), "least": euros_text(short.minimum_cents)}
        if short.rank is None:
            return _("The season comes to %(sum)s; the farm needs %(least)s at least.") % amounts
        day = date_format(self.by_rank[short.rank].day, "l j F")
        return _("%(day)s: %(sum)s; the farm needs %(least)s at least per delivery, or nothing.") % {
            "day": day,
            **amounts,
        }

    def plans(self, quoted):
        """The ways to pay in instalments: {number: [Part]}, fewest first (BR-33, BR-34, BR-36).

        No part is planned later than a cheque written today can be deposited (BR-35).
        """
        days = [self.by_rank[rank].day for rank in quoted.ranks]
        latest = pricing.last_deposit(self.today)
        start = pricing.instruments_from(self.today, off_premises=self.is_paper)
        chosen = self.offer.chosen_payment_days
        dates = pricing.schedule_dates(self.offer.date_strategy, days, start, chosen)
        dates = [day for day in dates if day <= latest] or [start]
        counts = pricing.instalment_counts(
            quoted.total_cents, self.offer.instalment_counts, self.offer.min_instalment_cents, len(dates)
        )
        return {count: pricing.schedule(quoted.total_cents, count, dates, self.offer.rounding_mode) for count in counts}

    def plan(self, quoted, count):
        """The plan in `count` instalments. Raises `Refused`, naming the numbers offered."""
        plans = self.plans(quoted)
        if count not in plans:
            raise Refused(
                _("Choose one of these numbers of instalments: %(counts)s.")
                % {"counts": ", ".join(str(each) for each in plans)}
            )
        return plans[count]


def place_in_line(entry):
    """The 1-based place of a waiting-list entry among those still waiting."""
    line = WaitingListEntry.objects.filter(offer_id=entry.offer_id, status=WaitingListEntry.Status.WAITING)
    return line.filter(created_at__lt=entry.created_at).count() + (
        line.filter(created_at=entry.created_at, pk__lte=entry.pk).count()
    )


def due_days(lines, deliveries, first_rank, last_rank):
    """The deliveries at which a subscription's lines are due, in order of day.

    `lines` are (turn, delivery_id) pairs, `deliveries` the offer's. A cancelled delivery is nobody's.
    """
    by_date = {delivery_id for _turn, delivery_id in lines if delivery_id}
    turns = {turn for turn, delivery_id in lines if not delivery_id}
    return [
        delivery
        for delivery in sorted(deliveries, key=lambda one: one.day)
        if delivery.status != Delivery.Status.CANCELLED
        and first_rank <= delivery.rank <= last_rank
        and (delivery.pk in by_date or any(pricing.takes(turn, delivery.rank) for turn in turns))
    ]
