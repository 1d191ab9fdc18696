"""What time it is. Only views, tasks and commands ask; actions and models are told."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """The moment, aware. The demo may stand a number of days away from the machine's clock."""
    return timezone.now() + timedelta(days=settings.CLOCK_OFFSET_DAYS)


def today() -> date:
    """The local date (Europe/Paris)."""
    return timezone.localdate(now())


def at(day: date, hour) -> datetime:
    """The aware local moment of a date and a `datetime.time`."""
    return timezone.make_aware(datetime.combine(day, hour))
