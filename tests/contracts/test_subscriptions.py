"""Signing up: totals, capacity, late joiners, the three keys, the waiting list, and the pages that lead there."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amap.errors import Refused
from amap.models import AuditEntry, Letter, Membership, Movement
from contracts import signing, tasks
from contracts.actions import subscriptions
from contracts.models import (
    ContractDocument,
    Delivery,
    Instalment,
    Signature,
    Subscription,
    SubscriptionLine,
    WaitingListEntry,
)
from tests.cast import NOW, PARIS, Amap

SPRING = date(2027, 4, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


@pytest.fixture
def offer(amap):
    """48 weekly deliveries ahead, 2 April 2026 shifted into the future: whole 21.00, half 10.50."""
    return amap.offer(status="open", deliveries=10, start=date(2026, 12, 3))


def whole(offer, quantity=1, turn="every"):
    return [(offer.sizes.get(coefficient_hundredths=100).pk, quantity, turn)]


def half(offer, quantity=1, turn="every"):
    return [(offer.sizes.get(coefficient_hundredths=50).pk, quantity, turn)]


def sign(offer, household, by, *, choices=None, total=None, now=NOW, count=1, **more):
    choices = choices or whole(offer)
    if total is None:
        proposal = signing.Proposal(offer, now=now)
        total = proposal.quote(proposal.settle(choices)).total_cents
    answers = {"method": "cheque", "name": "Mina Membre", "client_token": uuid4(), "instalment_count": count} | more
    return subscriptions.sign(
        offer, household=household, choices=choices, expected_total_cents=total, by=by, now=now, **answers
    )


# What a signature writes


def test_sign_copies_prices_totals_and_instalments_br_16(amap, offer):
    signed = sign(offer, amap.household, amap.member, count=3)
    assert (signed.status, signed.total_cents, signed.deliveries_count) == ("awaiting_documents", 21000, 10)
    assert (signed.first_rank, signed.last_rank, signed.equivalents_hundredths) == (1, 10, 100)
    line = signed.lines.get()
    assert (line.quantity, line.unit_price_cents, line.turn) == (1, 2100, "every")
    assert [(i.amount_cents, i.deposit_not_before) for i in signed.instalments.all()] == [
        (7000, date(2026, 12, 1)),
        (7000, date(2027, 1, 1)),
        (7000, date(2027, 2, 1)),
    ]
    assert Movement.objects.balance(f"due:{signed.pk}") == 21000
    assert Movement.objects.get().key == f"contract:{signed.pk}:signed"
    offer.refresh_from_db()
    assert offer.taken_hundredths == 100


def test_sign_records_who_when_from_where_and_what_br_22(amap, offer):
    signed = sign(offer, amap.household, amap.member, ip="192.0.2.7", name="Mina M.")
    signature = Signature.objects.get(subscription=signed)
    assert (signature.name, signature.by, signature.at, signature.ip) == ("Mina M.", amap.member, NOW, "192.0.2.7")
    assert signature.content_sha256 == signed.document.content_sha256
    assert AuditEntry.objects.filter(verb="subscription.signed", about_id=signed.pk, by=amap.member).count() == 1
    assert list(Letter.objects.filter(kind="contract_signed").values_list("to", flat=True)) == [amap.member.email]


def test_sign_takes_as_many_statements_for_few_deliveries_as_for_many_p8(amap, django_assert_max_num_queries):
    few = amap.offer(status="open", deliveries=4, start=date(2026, 12, 3))
    many = amap.offer(status="open", deliveries=48, start=date(2026, 12, 3))
    for one in (few, many):
        with CaptureQueriesContext(connection, ) as captured:
            sign(one, amap.household, amap.member, total=one.deliveries.count() * 2100)
        said = [q["sql"] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "SELECT COUNT"))]
        # One of them is this test's own look for the size.
        assert len(said) <= 12 + 1, "\n".join(said)
