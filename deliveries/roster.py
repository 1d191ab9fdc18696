"""Read only: the evenings of the roster: who helps, who is missing, and what a visitor may do about it (BR-62)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Prefetch
from django.utils import timezone

from amap.dates import date_format
from deliveries.models import Distribution, Shift, ShiftAssignment
from deliveries.sheet import when_and_where

PAST_REACHES = timedelta(days=200)


@dataclass(slots=True)
class Row:
    """A shift and the assignments of those who are on it."""

    shift: Shift
    people: list[ShiftAssignment]
    may_take: bool

    @property
    def missing(self):
        return max(0, self.shift.needed - len(self.people))


@dataclass(slots=True)
class Evening:
    """A distribution as the roster shows it. `is_pressing`: soon enough to point out who is missing."""

    distribution: Distribution
    rows: list[Row]
    is_mine: bool
    is_over: bool
    is_pressing: bool
    may_leave: bool

    @property
    def pk(self):
        return self.distribution.pk

    @property
    def day(self):
        return self.distribution.day

    @property
    def spoken(self):
        return date_format(self.day, "l j F")

    @property
    def where(self):
        """When and where the volunteers are expected."""
        one = self.distribution
        return when_and_where(one.volunteers_from, one.volunteers_until, one.place.name)

    @property
    def missing(self):
        return sum(row.missing for row in self.rows)


def evenings(association, standing, *, now, past=False):
    """The evenings from today on, or those before, the latest first: list of `Evening`.

    Three queries whatever the length of the season.
    """
    today = timezone.localdate(now)
    days = {"day__lt": today, "day__gte": today - PAST_REACHES} if past else {"day__gte": today}
    held = ShiftAssignment.objects.filter(status__in=ShiftAssignment.HOLDS).select_related("household")
    distributions = (
        association.distributions.filter(**days)
        .select_related("place", "association")
        .prefetch_related(
            Prefetch("shifts", Shift.objects.select_related("role").order_by("role__position", "pk")),
            Prefetch("assignments", held),
        )
        .order_by("-day" if past else "day")
    )
    return [_evening(distribution, standing, now, today) for distribution in distributions]


def _evening(distribution, standing, now, today):
    on_shift = defaultdict(list)
    for assignment in distribution.assignments.all():
        on_shift[assignment.shift_id].append(assignment)
    is_mine = any(one.household_id == standing.household_id for one in distribution.assignments.all())
    is_over = distribution.day < today or distribution.status == Distribution.Status.CLOSED
    may_help = standing.is_member and not is_mine and not is_over
    return Evening(
        distribution,
        rows=[
            Row(shift, on_shift[shift.pk], may_take=may_help and len(on_shift[shift.pk]) < shift.needed)
            for shift in distribution.shifts.all()
        ],
        is_mine=is_mine,
        is_over=is_over,
        is_pressing=distribution.day <= today + Shift.HOLES_WITHIN,
        may_leave=now <= leave_until(distribution),
    )


def leave_until(distribution):
    """The last moment a shift of that evening may be left freely: the end of the day `drop_days` + 1 before (BR-62).

    With 8 days and an evening on Thursday 26 November: Tuesday 17 November, 23:59.
    """
    last = distribution.day - timedelta(days=distribution.association.drop_days + 1)
    return timezone.make_aware(datetime.combine(last, time(23, 59, 59)))
