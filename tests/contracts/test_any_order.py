"""Whatever people do, in any order and on any day, the books add up and nobody has a place too many (R9)."""

from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from amap.errors import Refused
from contracts import tasks
from contracts.actions import offers, payments, subscriptions
from contracts.models import Instalment, Subscription
from deliveries.tasks import hold_the_past
from tests.any_order import SECONDS, AnyOrder, try_any_order
from tests.cast import NOW, TODAY, Amap
from tests.contracts.test_payments import books_add_up, paper

Status = Instalment.Status


class Season(AnyOrder):
    """Three households and an offer with room for two whole shares, from the sign-ups to after the last delivery.

    The first has handed in its cheques, two of them are at the farm; the second pays by one transfer.
    """

    @initialize()
    def open(self):
        self.now = NOW
        self.amap = Amap()
        self.offer = self.amap.offer(
            status="open",
            start=TODAY + timedelta(days=12),
            deliveries=4,
            date_strategy="per_delivery",
            capacity_hundredths=200,
            accepts_cheques=True,
            accepts_transfers=True,
            min_instalment_cents=100,
        )
        self.households = [self.amap.household, self.amap.new_household("Deux"), self.amap.new_household("Trois")]
        self.sign(0, 0, 3, "cheque")
        self.sign(1, 1, 1, "transfer")
        Instalment.objects.update(deposit_not_before=TODAY)
        first, second, third = Instalment.objects.filter(method="cheque")
        payments.receive([(one, paper(one)) for one in (first, second, third)], by=None, now=NOW)
        self.hand(first, second)

    @rule(
        who=st.integers(0, 2),
        size=st.integers(0, 1),
        parts=st.sampled_from([1, 3]),
        method=st.sampled_from(["cheque", "transfer"]),
    )
    def sign(self, who, size, parts, method):
        size = list(self.offer.sizes.all())[size]
        ahead = self.offer.deliveries.filter(day__gte=timezone.localdate(self.now) + timedelta(days=8)).count()
        with suppress(Refused):
            subscriptions.sign(
                self.offer,
                household=self.households[who],
                choices=[(size.pk, 1, "every")],
                instalment_count=parts,
                method=method,
                client_token=uuid4(),
                name="M. Membre",
                expected_total_cents=size.price_cents * ahead,
                by=None,
                now=self.now,
            )

    @rule(data=st.data())
    def withdraw(self, data):
        if found := list(Subscription.objects.all()):
            with suppress(Refused):
                subscriptions.withdraw(data.draw(st.sampled_from(found)), by=None, now=self.now)

    @rule(seriously=st.integers(0, 4))
    def give_the_offer_up(self, seriously):
        if seriously == 4:
            with suppress(Refused):
                offers.cancel(self.offer, by=self.amap.committee, now=self.now, reason="grêle")

    @rule(days=st.integers(1, 15))
    def wait(self, days):
        self.now += timedelta(days=days)
        for duty in (
            hold_the_past,
            tasks.start_and_end_seasons,
            tasks.follow_the_calendar,
            tasks.give_places_back,
            tasks.turn_last_keys,
            tasks.remind_of_payments,
        ):
            duty(self.now)

    def some(self, data, *statuses, **known):
        rows = list(Instalment.objects.filter(status__in=statuses, **known))
        return data.draw(st.lists(st.sampled_from(rows), min_size=1, unique=True)) if rows else []

    @rule(data=st.data(), is_part=st.booleans())
    def receive(self, data, is_part):
        def cheque(one):
            cents = max(1, one.amount_cents // 2) if is_part else one.amount_cents
            return paper(one, amount_cents=cents, is_part=is_part, issued_on=timezone.localdate(self.now))

        chosen = self.some(data, Status.PLANNED, method="cheque")
        with suppress(Refused):
            payments.receive([(one, cheque(one)) for one in chosen], by=None, now=self.now)

    @rule(data=st.data())
    def declare(self, data):
        payments.declare(*self.some(data, Status.PLANNED, method="transfer"), by=None, now=self.now)

    @rule(data=st.data())
    def hand_over(self, data):
        if ready := self.some(data, Status.RECEIVED, deposit_not_before__lte=timezone.localdate(self.now)):
            self.hand(*ready)

    def hand(self, *instalments):
        payments.hand_over(
            self.amap.farm,
            association=self.amap.association,
            cheques=[one.cheques.get(is_void=False) for one in instalments],
            on=timezone.localdate(self.now),
            by=None,
            now=self.now,
        )

    @rule(data=st.data())
    def cash(self, data):
        payments.cash(*self.some(data, Status.HANDED_OVER), by=None, now=self.now)

    @rule(data=st.data())
    def confirm(self, data):
        payments.confirm(*self.some(data, Status.PLANNED, Status.DECLARED, method="transfer"), by=None, now=self.now)

    @rule(data=st.data())
    def reject(self, data):
        for one in self.some(data, Status.HANDED_OVER, Status.CASHED):
            payments.reject(one, reason="no funds", by=None, now=self.now)

    @rule(data=st.data())
    def give_back(self, data):
        for one in self.some(data, Status.RECEIVED):
            payments.give_back(one, reason="torn", by=None, now=self.now)

    @rule(data=st.data())
    def correct(self, data):
        for one in self.some(data, *Status):
            with suppress(Refused):
                payments.correct(one, reason="mistake", by=None, now=self.now)

    @invariant()
    def the_books_add_up(self):
        assert books_add_up() == []

    @invariant()
    def nobody_has_a_place_too_many(self):
        self.offer.refresh_from_db()
        assert self.offer.taken_hundredths <= self.offer.capacity_hundredths
        if self.offer.status == "cancelled":
            assert not self.offer.subscriptions.live().exists()

    @invariant()
    def a_valid_contract_says_since_when(self):
        for one in Subscription.objects.exclude(status="withdrawn"):
            assert (one.validated_at is None) == (one.status == "awaiting_documents")


@pytest.mark.django_db
@pytest.mark.timeout(SECONDS)
def test_any_order_of_deeds_keeps_the_books_balanced_r9():
    try_any_order(Season)
