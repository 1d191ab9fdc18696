"""What is done without anybody asking: every minute, and once a day. Part of the roof.

The queue has one schedule, `tick`, made by `manage.py prepare`. A daily duty is a job with the day in its key: it
runs once a day whatever the number of ticks, is tried again when it fails, and ends on the committee's desk when it
cannot succeed.
"""

from datetime import time

from django.utils import timezone
from django.utils.module_loading import import_string

from amap import clock, jobs, letters
from amap.models import Heartbeat
from contracts import tasks as contracts

# Idempotent functions of `now`, quick when there is nothing to do.
EVERY_MINUTE = [jobs.sweep, letters.send_waiting, contracts.turn_last_keys, contracts.ask_for_documents]

# From this local hour on; dotted paths of functions of `now`.
EVERY_DAY = [
    (time(0, 5), "contracts.actions.offers.advance"),
    (time(0, 10), "contracts.tasks.follow_the_calendar"),
    (time(1, 0), "contracts.books.nightly"),
    (time(2, 0), "amap.backup.nightly"),
    (time(8, 0), "contracts.actions.payments.remind"),
]


def tick():
    """One minute's work. Called by the worker."""
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})
    now = clock.now()
    for duty in EVERY_MINUTE:
        duty(now)
    local = timezone.localtime(now)
    for hour, duty in EVERY_DAY:
        if local.time() >= hour:
            import_string(duty)
            jobs.enqueue(duty, key=f"{duty}:{local.date()}", now=now)
