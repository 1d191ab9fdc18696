"""What the worker does about contracts."""

from datetime import date

import pytest

from amap.actions import membership
from amap.models import Membership
from contracts import tasks
from contracts.models import Instalment
from tests.cast import NOW, Amap

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
