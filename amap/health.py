"""Is this installation well? One answer for the health page, the operator's command and the supervisor."""

from datetime import timedelta
from typing import NamedTuple

from django.db import DatabaseError, connection

from amap.models import Heartbeat, Letter

SILENT_AFTER = timedelta(seconds=180)
LETTERS_WAIT_AT_MOST = timedelta(minutes=10)


class Finding(NamedTuple):
    name: str
    is_well: bool
    says: str


def worker_age(machine_now):
    """Seconds since the worker last gave a sign of life; None if it never did."""
    beat = Heartbeat.objects.filter(name="worker").values_list("at", flat=True).first()
    return beat and max(0, round((machine_now - beat).total_seconds()))


def findings(*, now, machine_now) -> list[Finding]:
    """What an operator wants to know, most basic first.

    `now` is the application's clock, by which letters leave; `machine_now` is the machine's, by which the worker beats.
    """
    try:
        connection.ensure_connection()
        age = worker_age(machine_now)
        late = Letter.objects.filter(
            status__in=[Letter.Status.QUEUED, Letter.Status.SENDING], send_after__lt=now - LETTERS_WAIT_AT_MOST
        ).count()
    except DatabaseError as error:
        return [Finding("database", False, f"The database does not answer: {type(error).__name__}.")]
    if age is None:
        worker = Finding("worker", False, "The worker has not given a sign of life yet.")
    else:
        worker = Finding("worker", age <= SILENT_AFTER.total_seconds(), f"The worker was last heard {age} s ago.")
    mail = f"{late} letters have waited for more than 10 minutes." if late else "No letter waits too long."
    return [Finding("database", True, "The database answers."), worker, Finding("letters", not late, mail)]
