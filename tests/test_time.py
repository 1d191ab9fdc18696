"""Awkward days: the end of a month, of a year, of February, and the nights when the hour changes (R23)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from icalendar import Calendar

from amap import duties
from amap.actions import feeds
from amap.models import Job, Movement
from contracts.actions import payments
from deliveries.actions import distributions
from deliveries.models import Basket, Distribution
from deliveries.roster import leave_until
from tests.cast import PARIS, Amap
from tests.contracts.test_payments import paper, signed
from tests.test_access import POST, TABLE, address, visitor
from tests.test_bad_input import PAPER
from tests.world import World

AWKWARD = [
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=PARIS),
    datetime(2027, 1, 31, 12, 0, tzinfo=PARIS),
    datetime(2027, 3, 28, 3, 0, tzinfo=PARIS),  # an hour after 1:59:59
    datetime(2027, 10, 31, 2, 30, tzinfo=PARIS, fold=1),
    datetime(2028, 2, 29, 0, 0, tzinfo=PARIS),
]
# A first run that is over, an invitation that has run out, a worker that does not; and pages that lead to another.
NOT_200 = {"site:start": 404, "site:invitation": 404, "site:health": 503} | dict.fromkeys(
    ("site:entrance", "site:unsent", "amap:my_household", "contracts:withdraw_subscription"), 302
)


@pytest.mark.django_db
@pytest.mark.parametrize("moment", AWKWARD, ids=str)
def test_every_page_opens_on_awkward_days_r23(moment):
    world = World()
    with time_machine.travel(moment, tick=False):
        for line in TABLE:
            if line[1] != POST and line[0] not in PAPER:
                client = Client()
                if user := visitor(world, line):
                    client.force_login(user)
                answer = client.get(address(world, line[0], line[2])[0])
                assert answer.status_code == NOT_200.get(line[0], 200), line[0]
                assert "/accounts/" not in answer.headers.get("Location", ""), line[0]


@pytest.mark.django_db
@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 28), 8), (date(2026, 10, 25), 10)], ids=str)
def test_no_duty_is_left_out_or_done_twice_when_the_hour_changes_r23(day, hours):
    """From midnight to nine, which is after the last of the day's duties."""
    midnight = datetime.combine(day, time(), PARIS).astimezone(UTC)
    for quarter in range(4 * hours):
        with time_machine.travel(midnight + timedelta(minutes=15 * quarter), tick=False):
            duties.tick()
    kinds = list(Job.objects.values_list("kind", flat=True))
    assert {kinds.count(path) for path in duties.EVERY_QUARTER} == {4 * hours}
    assert {kinds.count(path) for _hour, path in duties.EVERY_DAY} == {1}


@pytest.mark.django_db
def test_what_is_done_after_midnight_here_belongs_to_the_new_day_whatever_the_servers_clock_r23():
    amap = Amap()
    first = signed(amap).instalments.get(number=1)
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    payments.receive([(first, paper(first, issued_on=date(2027, 1, 1)))], by=amap.liaison, now=moment)
    assert Movement.objects.latest("pk").effective_on == date(2027, 1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("day", [date(2027, 3, 28), date(2026, 10, 25), date(2028, 2, 29)], ids=str)
def test_an_evening_on_the_day_of_another_hour_is_fixed_held_and_closed_r23(day):
    amap = Amap()
    offer = amap.offer(start=day, deliveries=2)
    offer.deliveries.update(status="scheduled")
    amap.subscribe(amap.household, offer)
    distributions.plan(amap.association, today=day - timedelta(days=3))
    evening = Distribution.objects.select_related("association").get(day=day)
    assert evening.locks(18) == datetime.combine(day, time(0, 30), PARIS)
    assert leave_until(evening) == datetime.combine(day - timedelta(days=9), time(23, 59, 59), PARIS)
    distributions.lock(evening, by=None, now=evening.locks(18).astimezone(UTC))
    distributions.close(evening, by=None, now=evening.closes().astimezone(UTC))
    assert Basket.objects.get().outcome == "uncollected"


@pytest.mark.django_db
def test_a_calendar_in_reunion_shows_the_same_moment_r23(client):
    amap = Amap()
    amap.subscribe(amap.household, amap.offer(start=date(2026, 10, 22)))
    answer = client.get(f"/feeds/{feeds.renew(amap.member, now=datetime(2026, 11, 21, tzinfo=UTC))}.ics")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    starts = sorted(event["dtstart"].dt for event in events if event["uid"].startswith("collection"))
    reunion = [start.astimezone(ZoneInfo("Indian/Reunion")).time() for start in starts[:2]]
    assert reunion == [time(20, 30), time(21, 30)], "18:30 here, before and after the change of the hour"
