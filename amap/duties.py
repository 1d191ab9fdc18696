"""What is done without anybody asking: every minute, every quarter of an hour, and once a day. Part of the roof.

The queue has one schedule, `tick`, made by `manage.py prepare`. The rarer duties are jobs with the quarter or the day
in their key: each runs once whatever the number of ticks, is tried again when it fails, and ends on the committee's
desk when it cannot succeed.
"""

from datetime import UTC, time

from django.utils import timezone
from django.utils.module_loading import import_string

from amap import clock, jobs, letters
from amap.models import Heartbeat
from contracts import tasks as contracts
from deliveries import tasks as deliveries

# Idempotent functions of `now`, quick when there is nothing to do.
EVERY_MINUTE = [
    jobs.sweep,
    letters.send_waiting,
    contracts.turn_last_keys,
    contracts.ask_for_documents,
    contracts.let_leavers_go,
    deliveries.let_leavers_go,
]

# Dotted paths of idempotent functions of `now`: what has its hour in the week of an AMAP.
EVERY_QUARTER = [
    "deliveries.tasks.lock_due",
    "deliveries.tasks.announce_baskets",
    "deliveries.tasks.alert_missing_harvests",
    "deliveries.tasks.call_for_help",
]

# From this local hour on; dotted paths of functions of `now`. Reminders are ready when the day's letters leave.
EVERY_DAY = [
    (time(0, 1), "deliveries.tasks.hold_the_past"),
    (time(0, 5), "contracts.tasks.start_and_end_seasons"),
    (time(0, 10), "contracts.tasks.follow_the_calendar"),
    (time(0, 15), "deliveries.tasks.plan_ahead"),
    (time(0, 20), "contracts.tasks.give_places_back"),
    (time(1, 0), "contracts.books.nightly"),
    (time(2, 0), "amap.backup.nightly"),
    (time(3, 0), "amap.jobs.forget"),
    (time(3, 5), "amap.accounts.forget_sessions"),
    (time(6, 0), "deliveries.tasks.close_forgotten"),
    (time(8, 0), "contracts.tasks.remind_of_payments"),
    (time(8, 5), "deliveries.tasks.remind_of_shifts"),
]


def tick():
    """One minute's work. Called by the worker."""
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})
    now = clock.now()
    for duty in EVERY_MINUTE:
        duty(now)
    local = timezone.localtime(now)
    # The hour in UTC: the one that comes twice in October has two keys.
    due = [(duty, f"{now.astimezone(UTC):%Y-%m-%dT%H}:{local.minute // 15}") for duty in EVERY_QUARTER]
    due += [(duty, str(local.date())) for hour, duty in EVERY_DAY if local.time() >= hour]
    for duty, turn in due:
        import_string(duty)
        jobs.enqueue(duty, key=f"{duty}:{turn}", now=now)
