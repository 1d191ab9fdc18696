"""What the worker does about contracts."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from amap.actions import membership, people
from amap.letters import message
from amap.models import Letter, Membership
from contracts import signing, tasks
from contracts.actions import places, subscriptions
from contracts.models import ContractOffer, Instalment
from tests.cast import NOW, PARIS, Amap

pytestmark = pytest.mark.django_db


def test_br21_the_fee_that_comes_last_turns_the_last_key():
    amap = Amap()
    subscription = amap.subscribe(amap.new_household(paid=False), amap.offer(), status="awaiting_documents")
    subscription.signatures.create(side="household", name="Martin", at=NOW, content_sha256="x")
    tasks.turn_last_keys(NOW)
    Instalment.objects.update(status="received")
    tasks.turn_last_keys(NOW)
    subscription.refresh_from_db()
    assert subscription.status == "awaiting_documents"
    fee = membership.open_membership(subscription.household, period=amap.period, by=amap.treasurer, now=NOW)
    Membership.objects.filter(pk=fee.pk).update(status="paid")
    tasks.turn_last_keys(NOW)
    subscription.refresh_from_db()
    assert (subscription.status, subscription.validated_at.date()) == ("active", date(2026, 11, 21))


def test_br13_a_season_ends_with_the_last_day_wherever_a_delivery_was_moved_to():
    amap = Amap()
    offer = amap.offer()
    subscription = amap.subscribe(amap.household, offer)
    offer.deliveries.filter(rank=9).update(day=date(2026, 12, 10))
    for day, status in ((4, "active"), (10, "active"), (11, "completed")):
        tasks.follow_the_calendar(datetime(2026, 12, day, 0, 10, tzinfo=PARIS))
        subscription.refresh_from_db()
        assert subscription.status == status


def test_br13_a_season_begins_with_the_first_day_wherever_a_delivery_was_moved_to():
    amap = Amap()
    offer = amap.offer(status="open", start=date(2026, 12, 3))
    subscription = amap.subscribe(amap.household, offer, status="validated")
    offer.deliveries.filter(rank=1).update(day=date(2026, 12, 15))
    for day, status in ((9, "validated"), (10, "active")):
        tasks.follow_the_calendar(datetime(2026, 12, day, 0, 10, tzinfo=PARIS))
        subscription.refresh_from_db()
        assert subscription.status == status


def test_br30_a_household_that_has_left_waits_for_no_place_any_more():
    amap = Amap()
    offer = amap.offer(status="open", start=date(2026, 12, 3), capacity_hundredths=100)
    signed = amap.subscribe(amap.household, offer, status="awaiting_documents")
    gone, other = amap.new_household("Parti"), amap.new_household("Autre")
    first, second = (
        places.wait(offer, household=one, equivalents_hundredths=100, client_token=uuid4(), by=None, now=NOW)
        for one in (gone, other)
    )
    people.leave(gone, on=NOW.date() + timedelta(days=1), by=amap.committee, now=NOW)
    tasks.let_leavers_go(NOW)
    assert signing.place_in_line(second) == 2
    tasks.let_leavers_go(NOW + timedelta(days=1))
    first.refresh_from_db()
    assert (first.status, signing.place_in_line(second)) == ("withdrawn", 1)
    subscriptions.withdraw(signed, by=amap.member, now=NOW)
    freed = signing.look_around(ContractOffer.objects.get(), other.pk, NOW.date())
    assert freed.room(other.pk) == 100


@pytest.fixture
def kept():
    """A sign-up without any payment, its place kept until the end of 1 December; the season begins on the third."""
    amap = Amap()
    offer = amap.offer(status="open", start=date(2026, 12, 3))
    kept = amap.subscribe(amap.household, offer, status="awaiting_documents")
    kept.reserved_until = datetime(2026, 12, 1, 10, tzinfo=PARIS)
    kept.save()
    kept.amap = amap
    return kept


def test_br20_a_place_kept_long_enough_without_a_payment_is_given_back(kept):
    for moment, status, taken in (
        (datetime(2026, 12, 1, 23, 50, tzinfo=PARIS), "awaiting_documents", 100),
        (datetime(2026, 12, 2, 0, 20, tzinfo=PARIS), "withdrawn", 0),
        (datetime(2026, 12, 2, 0, 21, tzinfo=PARIS), "withdrawn", 0),
    ):
        tasks.give_places_back(moment)
        kept.refresh_from_db()
        kept.offer.refresh_from_db()
        assert (kept.status, kept.offer.taken_hundredths) == (status, taken)
    letters = Letter.objects.filter(kind="place_given_back").order_by("to")
    assert [letter.to for letter in letters] == [kept.amap.liaison.email, kept.amap.member.email]
    assert "until Tuesday 1 December 2026" in message([letters[0]]).body


def test_a_sign_up_by_date_that_nobody_pays_is_given_back_too(kept):
    kept.equivalents_hundredths = 0
    kept.save()
    tasks.give_places_back(datetime(2026, 12, 2, 0, 20, tzinfo=PARIS))
    kept.refresh_from_db()
    assert kept.status == "withdrawn"


@pytest.mark.parametrize("reason", ["a payment came", "the season has begun"])
def test_br21_people_decide_about_the_sign_ups_that_keep_their_place(kept, reason):
    if reason == "a payment came":
        kept.instalments.filter(number=1).update(status="received")
    else:
        kept.offer.deliveries.filter(rank=1).update(day=date(2026, 12, 2))
    tasks.give_places_back(datetime(2026, 12, 2, 0, 20, tzinfo=PARIS))
    kept.refresh_from_db()
    assert kept.status == "awaiting_documents"
