"""Offers, and who signs them: proposed, accepted, opened, signed evening after evening; the next season prepared."""

from datetime import date, timedelta
from uuid import UUID, uuid5

from django.utils import timezone

from amap.demo import season
from contracts.actions import drafts, offers, places, subscriptions
from contracts.signing import Proposal, look_around

NAMESPACE = UUID("5a1d2a52-5b8f-4a53-9a5a-7b6c2f0e2026")
# Eleven households pay by bank transfer.
BY_TRANSFER = frozenset((3, 9, 17, 21, 26, 28, 34, 38, 45, 52, 56))


def propose(year, day, one):
    """Written by the farm, accepted by both sides."""
    farm, farmer, now = year.farms[one.farm], year.users[one.farm], year.moment(day)
    offer = drafts.create(
        year.association,
        farm=farm,
        place=year.place,
        title=one.title,
        code=one.code,
        kind=one.kind,
        by=farmer,
        now=now,
        reference_price_cents=one.price_cents,
        capacity_hundredths=one.capacity,
        instalment_counts=list(one.counts),
        open_on=one.open_on + year.shift,
        composition="Au moins 5 variétés de saison à chaque distribution."
        if one.kind == "harvest_share"
        else "Les mêmes produits de la ferme à chaque livraison.",
        **one.fields,
    )
    year.offers[one.key] = offer
    if one.kind == "by_date":
        items = [{"name": name, "unit": unit, "price_cents": cents} for name, unit, cents in one.items]
        drafts.edit(offer, by=farmer, now=now, products=items)
        drafts.set_days(offer, days=[written + year.shift for written in one.days], by=farmer, now=now)
    else:
        sizes = [
            {
                "label": label,
                "coefficient_hundredths": part,
                "price_cents": cents,
                "price_reason": ""
                if cents * 100 == one.price_cents * part
                else "Autant de gestes pour une petite part",
            }
            for label, part, cents in one.items
        ]
        drafts.edit(offer, by=farmer, now=now, sizes=sizes)
        drafts.set_calendar(
            offer,
            starts_on=one.first + year.shift,
            ends_on=one.last + year.shift,
            weekday=season.THURSDAY,
            interval_weeks=one.interval,
            closures=[written + year.shift for written in one.closures],
            by=farmer,
            now=now,
        )
    if one.budget:
        drafts.set_budget(
            offer,
            lines=one.budget,
            amap_share_hundredths=one.amap_share,
            planned_equivalents_hundredths=one.capacity,
            by=farmer,
            now=now,
        )
    offers.propose(offer, by=farmer, now=now)
    later = year.moment(day + timedelta(days=3), 20)
    offers.accept(offer, side="farm", by=farmer, now=later)
    offers.accept(offer, side="committee", by=year.users[1], now=later + timedelta(hours=1))


def sign_up(year, day, one):
    """The offer opens; every evening some households sign."""
    offer = year.offers[one.key]
    offers.open(offer, by=year.users[1], now=year.moment(day, 8))
    items = list(offer.products.all() if offer.is_by_date else offer.sizes.all())
    for rank, (number, item, quantity, turn) in enumerate(one.takers):
        now = year.moment(day + timedelta(days=1 + rank % 20), 20, rank % 60)
        if offer.is_by_date:
            ranks = offer.deliveries.values_list("rank", flat=True)
            choices = [(each, items[item].pk, quantity) for each in ranks]
        else:
            choices = [(items[item].pk, quantity, turn)]
        sign(year, offer, number, choices, now)


def sign(year, offer, number, choices, now):
    household, user = year.households[number], year.users.get(number)
    proposal = Proposal(look_around(offer, household.pk, timezone.localdate(now)), now=now)
    quote = proposal.quote(proposal.settle(choices))
    counts = [count for count in offer.instalment_counts if quote.total_cents // count >= 1000]
    return subscriptions.sign(
        offer,
        household=household,
        choices=choices,
        instalment_count=max(counts) if offer.code.startswith("LEG") or number % 3 else 1,
        method="transfer" if number in BY_TRANSFER else "cheque",
        client_token=uuid5(NAMESPACE, f"{offer.code}-{number}"),
        name=household.members.first().name,
        expected_total_cents=quote.total_cents,
        is_paper=user is None,
        by=user or year.users[2],
        now=now,
    )


def ask_for_vegetables(year, day):
    """Those who came when the forty-two shares were signed for."""
    offer = year.offers["vegetables"]
    half = offer.sizes.get(coefficient_hundredths=50)
    for rank, number in enumerate((*season.WAITING, 63, 64)):
        places.wait(
            offer,
            household=year.households[number],
            equivalents_hundredths=100 if rank == 0 else half.coefficient_hundredths,
            client_token=uuid5(NAMESPACE, f"wait-{number}"),
            by=year.users.get(number) or year.users[2],
            now=year.moment(day, 10 + rank),
        )


def prepare_next_season(year, day):
    """The farm has accepted version 2 of next year's vegetables; the bread of spring is a draft."""
    farmer, now = year.users["saules-gris"], year.moment(day)
    running = year.offers["vegetables"]
    offer = drafts.create(
        year.association,
        farm=running.farm,
        place=year.place,
        title="Légumes 2027-28",
        code="LEG27",
        kind=running.kind,
        by=farmer,
        now=now,
        start_from=running,
    )
    drafts.set_calendar(
        offer,
        starts_on=date(2027, 4, 1) + year.shift,
        ends_on=date(2028, 3, 23) + year.shift,
        weekday=season.THURSDAY,
        closures=[written + year.shift for written in (
            date(2027, 8, 12), date(2027, 8, 19), date(2027, 12, 23), date(2027, 12, 30),
        )],
        by=farmer,
        now=now,
    )  # fmt: skip
    drafts.edit(offer, open_on=date(2027, 2, 1) + year.shift, by=farmer, now=now)
    offers.propose(offer, by=farmer, now=now)
    drafts.set_budget(
        offer,
        lines=season.NEXT_BUDGET,
        amap_share_hundredths=7000,
        planned_equivalents_hundredths=4200,
        by=farmer,
        now=now,
    )
    drafts.edit(
        offer,
        reference_price_cents=2160,
        sizes=[
            {"label": "Part entière", "coefficient_hundredths": 100, "price_cents": 2160, "price_reason": ""},
            {"label": "Demi-part", "coefficient_hundredths": 50, "price_cents": 1080, "price_reason": ""},
        ],
        by=farmer,
        now=now,
    )
    offers.propose(offer, by=farmer, now=now)
    offers.accept(offer, side="farm", by=farmer, now=now + timedelta(hours=1))
    bread = year.offers["bread"]
    drafts.create(
        year.association,
        farm=bread.farm,
        place=year.place,
        title="Pain printemps 2027",
        code="PAIN27",
        kind=bread.kind,
        by=year.users["vieux-noyer"],
        now=now,
    )
