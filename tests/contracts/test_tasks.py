"""What the worker does about contracts."""

from datetime import date, datetime

import pytest

from amap.actions import membership
from amap.models import Membership
from contracts import tasks
from contracts.models import Instalment
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
