"""What lies ahead of a household, and its private calendar (T4, R18)."""

import re
from datetime import date, time
from urllib.parse import urlsplit

import pytest
import time_machine
from icalendar import Calendar

from amap.actions import feeds
from contracts.actions import payments
from contracts.models import Delivery, SubscriptionLine
from deliveries.actions import distributions
from deliveries.calendar import collections
from deliveries.models import Distribution, Shift, ShiftAssignment, ShiftRole
from tests.cast import NOW, TODAY, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


def days(amap, household=None, **how):
    return [one.day for one in collections([(household or amap.household).pk], since=TODAY, **how)]


def test_collections_follow_the_deliveries_to_come(amap):
    offer = amap.offer()
    amap.subscribe(amap.household, offer, quantity=2)
    assert days(amap) == [date(2026, 11, 26), date(2026, 12, 3)]
    assert days(amap, days=1) == [date(2026, 11, 26)]
    [next_one] = collections([amap.household.pk], since=TODAY, days=1)
    assert next_one.baskets == [(offer.title, offer.farm.name, [("Part entière", 2)])]


def test_br80_every_other_delivery_follows_the_rank(amap):
    amap.subscribe(amap.household, amap.offer(), turn="even")
    assert days(amap) == [date(2026, 12, 3)]


def test_br23_a_late_joiner_collects_from_their_first_rank(amap):
    subscription = amap.subscribe(amap.household, amap.offer())
    subscription.first_rank = 10
    subscription.save()
    assert days(amap) == [date(2026, 12, 3)]


def test_br81_dated_lines_are_collected_on_their_date_only(amap):
    offer = amap.offer(kind="by_date")
    whole = amap.offer()
    subscription = amap.subscribe(amap.household, whole)
    subscription.lines.all().delete()
    subscription.offer = offer
    subscription.save()
    SubscriptionLine.objects.create(
        subscription=subscription,
        product=offer.products.first(),
        delivery=offer.deliveries.get(day=date(2026, 12, 3)),
        quantity=1,
        unit_price_cents=280,
    )
    assert days(amap) == [date(2026, 12, 3)]


def test_what_is_cancelled_or_withdrawn_is_not_collected(amap):
    offer = amap.offer()
    amap.subscribe(amap.household, offer)
    offer.deliveries.filter(day=date(2026, 11, 26)).update(status=Delivery.Status.CANCELLED)
    amap.subscribe(amap.new_household(), offer, status="withdrawn")
    assert days(amap) == [date(2026, 12, 3)]
    assert days(amap, amap.association.households.last()) == []


def test_br13_the_hours_are_those_of_the_evening_and_of_the_place_where_none_is_planned(amap):
    amap.subscribe(amap.household, amap.offer())
    distributions.plan(amap.association, today=TODAY)
    moved = Distribution.objects.get(day=date(2026, 11, 26))
    distributions.move(moved, day=moved.day, place=moved.place, opens_at=time(17), closes_at=time(18), by=None, now=NOW)
    Distribution.objects.exclude(pk=moved.pk).delete()
    amap.place.opens_at = time(19)
    amap.place.save()
    hours = [(one.opens_at, one.closes_at) for one in collections([amap.household.pk], since=TODAY)]
    assert hours == [(time(17), time(18)), (time(19), time(19, 45))]


def put_on_roster(amap):
    evening = Distribution.objects.create(
        association=amap.association, place=amap.place, day=date(2026, 11, 26), opens_at=time(18, 30),
        closes_at=time(19, 45), volunteers_from=time(18), volunteers_until=time(20),
    )  # fmt: skip
    role = ShiftRole.objects.create(association=amap.association, name="Pesée")
    shift = Shift.objects.create(distribution=evening, role=role, needed=1, taken=1)
    ShiftAssignment.objects.create(
        association=amap.association, distribution=evening, shift=shift, household=amap.household, taken_at=NOW
    )


@time_machine.travel(NOW, tick=False)
def test_the_feed_holds_collections_shifts_and_payments_of_this_person_only(amap, client):
    handed_in(amap.subscribe(amap.household, amap.offer()), amap.treasurer)
    amap.subscribe(amap.household_of(amap.treasurer), amap.offer(title="Autre"))
    put_on_roster(amap)
    key = feeds.renew(amap.member, now=NOW)
    answer = client.get(f"/feeds/{key}.ics")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    kinds = sorted(str(event["uid"]).split("-")[0] for event in events)
    assert (kinds.count("shift"), kinds.count("collection"), kinds.count("payment")) == (1, 10, 3)
    assert b"Autre" not in answer.content
    shift = next(event for event in events if str(event["uid"]).startswith("shift"))
    assert shift["dtstart"].dt.isoformat() == "2026-11-26T18:00:00+01:00"


def handed_in(subscription, by):
    """A valid contract: all its cheques are held."""
    payments.receive(
        [
            (one, payments.Paper("1234567", "M. Membre", one.amount_cents, TODAY))
            for one in subscription.instalments.all()
        ],
        by=by,
        now=NOW,
    )


def due(amap, client):
    """{day: [words]} of the payments in the member's feed."""
    answer = client.get(f"/feeds/{feeds.renew(amap.member, now=NOW)}.ics")
    found = {}
    for event in Calendar.from_ical(answer.content).walk("VEVENT"):
        if event["uid"].startswith("payment"):
            found.setdefault(event["dtstart"].dt, []).append(str(event["summary"]))
    return found


@time_machine.travel(NOW, tick=False)
def test_br38_the_feed_says_when_cheques_are_cashed_and_transfers_due_until_they_are(amap, client):
    """Valid contracts: all cheques held, all transfers announced. Agreed for 1 and 31 October, and 30 November."""
    cheques, transfers = (amap.subscribe(amap.household, amap.offer(title=title)) for title in ("Légumes", "Pain"))
    handed_in(cheques, amap.treasurer)
    transfers.instalments.update(method="transfer")
    payments.declare(*transfers.instalments.all(), by=amap.member, now=NOW)
    both = ["Cheque to be cashed: €70.00 by Ferme des Saules Gris", "Transfer due: €70.00 to Ferme des Saules Gris"]
    assert due(amap, client) == dict.fromkeys([date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 30)], both)
    payments.confirm(transfers.instalments.first(), by=amap.farmer, now=NOW)
    assert due(amap, client)[date(2026, 10, 1)] == both[:1]


@time_machine.travel(NOW, tick=False)
def test_the_key_is_stored_hashed_and_dies_when_renewed_or_withdrawn(amap, client):
    old = feeds.renew(amap.member, now=NOW)
    assert old not in amap.member.feed_key_sha256
    new = feeds.renew(amap.member, now=NOW)
    assert [client.get(f"/feeds/{key}.ics").status_code for key in (old, new, "guess", "%00")] == [404, 200, 404, 400]
    feeds.withdraw(amap.member, now=NOW)
    assert client.get(f"/feeds/{new}.ics").status_code == 404


@time_machine.travel(NOW, tick=False)
def test_the_page_shows_the_address_once(amap, client):
    client.force_login(amap.member)
    page = client.post("/calendar/renew/", follow=True).content.decode()
    (address,) = re.findall(r"<code>(\S+/feeds/\S+\.ics)</code>", page)  # there to read, not only to copy with a script
    assert f'href="webcal:{address.partition(":")[2]}"' in page
    assert client.get(urlsplit(address).path).status_code == 200
    assert "/feeds/" not in client.get("/calendar/").content.decode()
