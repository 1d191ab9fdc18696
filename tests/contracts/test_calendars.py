from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from amap.errors import Refused
from contracts import calendars

PARIS = ZoneInfo("Europe/Paris")
THURSDAY = 3
CLOSURES = [date(2026, 8, 13), date(2026, 8, 20), date(2026, 12, 24), date(2026, 12, 31)]


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


@pytest.fixture
def vegetables():
    days = calendars.generate(date(2026, 4, 2), date(2027, 3, 25), THURSDAY, closures=CLOSURES)
    days[days.index(date(2026, 5, 14))] = date(2026, 5, 13)
    return days


def test_the_vegetable_calendar_of_br_12(vegetables):
    assert len(calendars.generate(date(2026, 4, 2), date(2027, 3, 25), THURSDAY)) == 52
    assert len(vegetables) == 48
    ranks = {day: rank for rank, day in enumerate(vegetables, start=1)}
    assert {day.isoformat(): ranks[day] for day in ranks if ranks[day] in (7, 14, 32, 33, 34, 36, 37)} == {
        "2026-05-13": 7,
        "2026-07-02": 14,
        "2026-11-19": 32,
        "2026-11-26": 33,
        "2026-12-03": 34,
        "2026-12-17": 36,
        "2027-01-07": 37,
    }
    assert sum(day <= date(2026, 11, 21) for day in vegetables) == 32


def test_a_closure_does_not_shift_a_fortnightly_rhythm_br_12():
    def goat(closures):
        return calendars.generate(date(2026, 4, 2), date(2026, 11, 26), THURSDAY, 2, closures)

    assert len(goat([])) == 18
    assert len(goat(CLOSURES)) == 17
    assert goat(CLOSURES)[-1] == date(2026, 11, 26)


def test_the_season_starts_on_the_first_such_weekday():
    assert calendars.generate(date(2026, 3, 28), date(2026, 4, 9), THURSDAY) == [date(2026, 4, 2), date(2026, 4, 9)]


@given(
    start=st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    length=st.integers(7, 700),
    weekday=st.integers(0, 6),
    interval=st.integers(1, 4),
    closed=st.sets(st.integers(0, 700), max_size=20),
)
def test_every_date_is_in_season_on_the_weekday_in_rhythm_and_open_br_12(start, length, weekday, interval, closed):
    end = start + timedelta(days=length)
    closures = {start + timedelta(days=n) for n in closed}
    try:
        days = calendars.generate(start, end, weekday, interval, closures)
    except Refused:
        return
    whole = calendars.generate(start, end, weekday, interval)
    assert days == [day for day in whole if day not in closures]
    assert all(start <= day <= end and day.weekday() == weekday for day in whole)
    assert all((later - day).days == 7 * interval for day, later in pairwise(whole))
    assert (whole[0] - start).days < 7
    assert (end - whole[-1]).days < 7 * interval


@pytest.mark.parametrize(
    ("start", "end", "closures", "message"),
    [
        ("2026-04-02", "2026-04-01", [], "The end (1 April 2026) is before the start (2 April 2026)."),
        ("2026-04-03", "2026-04-08", [], "There is no delivery between these dates."),
        ("2026-04-02", "2026-04-08", [date(2026, 4, 2)], "There is no delivery between these dates."),
        ("2026-04-02", "2033-04-02", [], "A season has 120 deliveries at most; these dates make 366."),
    ],
)
def test_an_impossible_season_is_refused_in_words(start, end, closures, message):
    with pytest.raises(Refused) as refused:
        calendars.generate(date.fromisoformat(start), date.fromisoformat(end), THURSDAY, closures=closures)
    assert str(refused.value).startswith(message)


def test_a_date_given_twice_is_refused():
    with pytest.raises(Refused, match=r"1 May 2026 appears twice\."):
        calendars.check([date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 1)])


@pytest.mark.parametrize(
    ("now", "first"),
    [("2026-11-23T10:00", "2026-12-03"), ("2026-06-24T10:00", "2026-07-02"), ("2026-03-01T10:00", "2026-04-02")],
)
def test_the_first_eligible_delivery_of_br_24(vegetables, now, first):
    rank = calendars.first_eligible(vegetables, datetime.fromisoformat(now).replace(tzinfo=PARIS), 7, PARIS)
    assert rank == vegetables.index(date.fromisoformat(first)) + 1


def test_the_notice_is_counted_to_local_midnight_br_24(vegetables):
    midnight = datetime(2026, 11, 19, 0, 0, tzinfo=PARIS)
    assert calendars.first_eligible(vegetables, midnight, 7, PARIS) == 33
    assert calendars.first_eligible(vegetables, midnight + timedelta(seconds=1), 7, PARIS) == 34
    assert calendars.first_eligible(vegetables, midnight.astimezone(UTC), 7, PARIS) == 33


def test_the_notice_ignores_the_change_of_hour_br_24(vegetables):
    before_winter_time = datetime(2026, 10, 22, 0, 0, tzinfo=PARIS)
    assert vegetables[calendars.first_eligible(vegetables, before_winter_time, 7, PARIS) - 1] == date(2026, 10, 29)


def test_nobody_can_join_when_the_season_is_ending_br_24(vegetables):
    assert calendars.first_eligible(vegetables, datetime(2027, 3, 20, tzinfo=PARIS), 7, PARIS) is None
    assert calendars.first_eligible([], datetime(2027, 3, 20, tzinfo=PARIS), 7, PARIS) is None


def test_a_delivery_moved_late_does_not_promise_an_earlier_one_br_24():
    days = [date(2026, 4, 2), date(2026, 4, 20), date(2026, 4, 16), date(2026, 4, 23)]
    assert calendars.first_eligible(days, datetime(2026, 4, 10, tzinfo=PARIS), 7, PARIS) == 4


def test_the_public_holidays_of_france():
    assert [day.isoformat() for day in calendars.french_holidays(2026)] == [
        "2026-01-01",
        "2026-04-06",
        "2026-05-01",
        "2026-05-08",
        "2026-05-14",
        "2026-05-25",
        "2026-07-14",
        "2026-08-15",
        "2026-11-01",
        "2026-11-11",
        "2026-12-25",
    ]
    assert calendars.french_holidays(2027)[date(2027, 5, 6)] == "Ascension Day"


@pytest.mark.parametrize(
    ("year", "day"), [(1818, "03-22"), (1943, "04-25"), (2000, "04-23"), (2024, "03-31"), (2038, "04-25")]
)
def test_easter_falls_where_the_almanacs_say(year, day):
    assert calendars.easter(year).isoformat() == f"{year}-{day}"


def test_holidays_among_the_deliveries_are_named(vegetables):
    assert calendars.holidays_among([*vegetables, date(2026, 5, 14)]) == {date(2026, 5, 14): "Ascension Day"}
