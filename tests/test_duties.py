"""What is done without anybody asking: every duty named can be found, runs, and does nothing twice."""

import inspect
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from amap import duties, jobs
from amap.accounts import forget_sessions
from amap.models import Job
from deliveries.models import Distribution
from tests.cast import NOW, PARIS, TODAY, Amap
from tests.world import World

pytestmark = pytest.mark.django_db
RARE = [*duties.EVERY_QUARTER, *(path for _hour, path in duties.EVERY_DAY)]


@pytest.fixture
def stand(monkeypatch):
    """Stand at a moment: `stand(2026, 11, 26, 0, 30)`."""

    def at(*moment):
        monkeypatch.setattr("amap.clock.now", lambda: datetime(*moment, tzinfo=PARIS))

    at(2026, 11, 21, 10)
    return at


def made():
    return sorted(Job.objects.values_list("kind", flat=True))


@pytest.mark.parametrize("path", RARE)
def test_every_duty_is_a_function_of_now_at_most(path):
    assert set(inspect.signature(import_string(path)).parameters) <= {"now"}


def test_every_duty_runs_on_a_whole_association_and_what_it_did_is_not_done_again():
    World()
    # What is made a backup of is committed, and the books of rows made without movements differ: tested elsewhere.
    elsewhere = {"amap.backup.nightly", "contracts.books.nightly"}
    todo = [*duties.EVERY_MINUTE, *(import_string(path) for path in RARE if path not in elsewhere)]
    worked = set()
    for moment in (NOW, datetime(2026, 11, 26, 0, 30, tzinfo=PARIS), datetime(2027, 4, 1, 8, tzinfo=PARIS)):
        for duty in todo:
            before = everything()
            duty(moment)
            after = everything()
            if after != before:
                worked.add(duty.__name__)
            duty(moment)
            assert everything() == after, f"{duty.__name__} at {moment}"
    assert worked == {
        *("send_waiting", "start_and_end_seasons", "follow_the_calendar", "plan_ahead", "lock_due", "close_forgotten"),
        *("announce_baskets", "remind_of_payments", "remind_of_shifts"),
    }, "The other duties find nothing to do here; each has its test."


def everything():
    """All rows there are, but the queue's: a job may wait in it twice."""
    models = [model for model in apps.get_models() if model is not OrmQ]
    return {model: list(model._base_manager.order_by("pk").values_list()) for model in models}


def test_a_day_is_done_once_whatever_the_number_of_ticks(stand):
    duties.tick()
    first = made()
    duties.tick()
    assert made() == first
    assert set(first) == {*duties.EVERY_QUARTER, *(path for hour, path in duties.EVERY_DAY if hour.hour < 10)}
    stand(2026, 11, 22, 0, 0)
    duties.tick()
    assert len(made()) == len(first) + len(duties.EVERY_QUARTER)


def test_a_quarter_is_done_once_and_the_next_one_again(stand):
    quarters = {}
    for minute in (0, 14, 15, 59):
        stand(2026, 11, 21, 0, minute)
        duties.tick()
        quarters[minute] = Job.objects.filter(kind__in=duties.EVERY_QUARTER).count() // len(duties.EVERY_QUARTER)
    assert quarters == {0: 1, 14: 1, 15: 2, 59: 3}


def test_br52_the_list_is_fixed_by_itself_eighteen_hours_before(stand):
    amap = Amap()
    amap.subscribe(amap.household, amap.offer())
    import_string("deliveries.tasks.plan_ahead")(NOW)
    evening = Distribution.objects.coming(TODAY).first()
    for moment, locked in (((2026, 11, 26, 0, 29), False), ((2026, 11, 26, 0, 30), True)):
        stand(*moment)
        duties.tick()
        for job in Job.objects.filter(kind="deliveries.tasks.lock_due", status="waiting"):
            jobs.run(job.pk)
        evening.refresh_from_db()
        assert evening.is_locked is locked


def test_what_was_typed_in_a_session_goes_with_it():
    ended, lasting = SessionStore(), SessionStore()
    for session, seconds in ((ended, -1), (lasting, 60)):
        session["unsent"] = {"url": "/", "fields": []}
        session.set_expiry(seconds)
        session.save()
    forget_sessions(NOW)
    assert list(Session.objects.values_list("pk", flat=True)) == [lasting.session_key]


def test_the_rows_of_work_done_long_ago_are_forgotten():
    rows = {"key": "a", "kind": "amap.jobs.forget", "created_at": NOW, "next_try_at": NOW}
    Job.objects.create(**rows, status="done", finished_at=NOW - timedelta(days=41))
    Job.objects.create(**rows | {"key": "b"}, status="done", finished_at=NOW - timedelta(days=39))
    Job.objects.create(**rows | {"key": "c"}, status="parked")
    jobs.forget(NOW)
    assert sorted(Job.objects.values_list("key", flat=True)) == ["b", "c"]
