"""Whatever happens to the evenings, in any order and on any day, what was promised is delivered once (BR-13, BR-51)."""

from contextlib import suppress
from datetime import time, timedelta

import pytest
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from amap import clock
from amap.errors import Refused
from contracts import tasks as contracts
from contracts.models import Delivery
from deliveries import tasks as deliveries
from deliveries.actions import distributions, harvests
from deliveries.models import Basket, Distribution, HarvestItem, HarvestPortion
from deliveries.sheet import baskets_present
from tests.any_order import SECONDS, AnyOrder, try_any_order
from tests.cast import PARIS, TODAY, Amap


class Evenings(AnyOrder):
    """Vegetables every week and bread every other one, from two days before the first evening to after the last."""

    @initialize(start=st.sampled_from([TODAY + timedelta(days=2), TODAY.replace(year=2027, month=3, day=26)]))
    def begin(self, start):
        """In November, and around the night in March when an hour is left out."""
        self.amap = Amap()
        self.now = clock.at(start - timedelta(days=2), time(10)).astimezone(PARIS)
        self.vegetables = self.amap.offer(status="open", start=start, deliveries=4)
        self.bread = self.amap.offer(
            title="Pain",
            kind="fixed_quantity",
            start=start,
            deliveries=2,
            interval_weeks=2,
            ends_on=start + timedelta(weeks=2),
        )
        Delivery.objects.update(status="scheduled")
        for number in range(3):
            household = self.amap.new_household(f"F{number}")
            self.amap.subscribe(household, self.vegetables, size=self.vegetables.sizes.all()[number % 2])
            self.amap.subscribe(household, self.bread, turn=["every", "odd", "even"][number])
        distributions.plan(self.amap.association, today=timezone.localdate(self.now))

    def one(self, data, model, **known):
        rows = list(model.objects.filter(**known))
        return data.draw(st.sampled_from(rows)) if rows else None

    @rule(data=st.data())
    def post_harvest(self, data):
        if delivery := self.one(data, Delivery, offer=self.vegetables):
            items = [
                {"product": "Poireaux", "unit": "g", "total": 4321},
                {"product": "Salade", "unit": "piece", "total": data.draw(st.integers(1, 9))},
            ]
            with suppress(Refused):
                harvests.post_harvest(delivery, items=items, by=None, now=self.now)

    @rule(data=st.data())
    def lock(self, data):
        if evening := self.one(data, Distribution):
            with suppress(Refused):
                distributions.lock(evening, by=None, now=self.now)

    @rule(data=st.data(), back=st.booleans())
    def tick(self, data, back):
        if basket := self.one(data, Basket):
            act = distributions.uncollect if back else distributions.collect
            with suppress(Refused):
                act(basket.distribution, households=[basket.household_id], by=None, now=self.now)

    @rule(data=st.data())
    def close(self, data):
        if evening := self.one(data, Distribution):
            with suppress(Refused):
                distributions.close(evening, by=None, now=self.now)

    @rule(data=st.data(), days=st.integers(-3, 9), hour=st.integers(1, 21))
    def move(self, data, days, hour):
        if evening := self.one(data, Distribution):
            day = evening.day + timedelta(days=days)
            hours = {"opens_at": time(hour, 30), "closes_at": time(hour + 1, 30)}
            with suppress(Refused):
                distributions.move(evening, day=day, place=evening.place, **hours, by=None, now=self.now)

    @rule(hours=st.integers(1, 100))
    def wait(self, hours):
        self.now = (self.now.astimezone(timezone.get_default_timezone()) + timedelta(hours=hours)).astimezone(PARIS)
        for duty in (
            deliveries.lock_due,
            deliveries.announce_baskets,
            deliveries.hold_the_past,
            contracts.start_and_end_seasons,
            contracts.follow_the_calendar,
            deliveries.plan_ahead,
            deliveries.close_forgotten,
        ):
            duty(self.now)

    @invariant()
    def what_is_fixed_is_there_once_and_where_its_evening_is(self):
        for delivery in Delivery.objects.exclude(status="scheduled").select_related("offer"):
            evening = Distribution.objects.filter(day=delivery.day, place=delivery.place).first()
            if evening is None:  # held before there was an evening
                assert not delivery.baskets.exists()
                continue
            taken = delivery.baskets.values_list("distribution", "subscription")
            due = {
                (evening.pk, one.pk)
                for one in delivery.offer.subscriptions.all()
                if one.lines.filter(turn__in=["every", "odd" if delivery.rank % 2 else "even"]).exists()
            }
            assert set(taken) == due

    @invariant()
    def a_harvest_is_shared_without_loss(self):
        for item in HarvestItem.objects.select_related("harvest_list__delivery"):
            baskets = baskets_present(item.harvest_list.delivery)
            shared = sum(
                portion.quantity * baskets.get(portion.size.coefficient_hundredths, 0)
                for portion in HarvestPortion.objects.filter(item=item).select_related("size")
            )
            assert shared + item.leftover == item.total

    @invariant()
    def closed_means_held_and_decided(self):
        for evening in Distribution.objects.filter(status="closed"):
            assert not evening.baskets.filter(outcome="expected").exists()
            assert not Delivery.objects.filter(day=evening.day, place=evening.place, status="locked").exists()

    @invariant()
    def a_season_lasts_from_its_first_delivery_to_its_last(self):
        for offer in (self.vegetables, self.bread):
            offer.refresh_from_db()
            days = sorted(offer.deliveries.values_list("day", flat=True))
            assert (offer.starts_on, offer.ends_on) == (days[0], days[-1])
            assert len(set(days)) == len(days)


@pytest.mark.django_db
@pytest.mark.timeout(SECONDS)
def test_any_order_of_evenings_delivers_what_was_promised_once():
    try_any_order(Evenings)
