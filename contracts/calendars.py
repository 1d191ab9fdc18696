"""Pure: the dates of a season. A delivery's *rank* is its 1-based place in the season, kept for ever (BR-12, BR-13)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.errors import Refused

MOST_DELIVERIES = 120


def generate(
    start: date, end: date, weekday: int, interval_weeks: int = 1, closures: Collection[date] = ()
) -> list[date]:
    """Every `interval_weeks` weeks on `weekday` (0 = Monday) from `start` to `end`, without `closures` (BR-12).

    The rank of a date is its index + 1. A closure leaves a gap, it does not shift the rhythm.
    Raises `Refused` when the end is before the start or no date, or too many dates, remain.
    """
    if end < start:
        raise Refused(
            _("The end (%(end)s) is before the start (%(start)s).")
            % {"end": date_format(end, "DATE_FORMAT"), "start": date_format(start, "DATE_FORMAT")},
            field="ends_on",
        )
    days = [day for day in rhythm(start, end, weekday, interval_weeks) if day not in closures]
    check(days)
    return days


def rhythm(start: date, end: date, weekday: int, interval_weeks: int = 1) -> list[date]:
    """Every `interval_weeks` weeks on `weekday` from `start` to `end`, closures included."""
    first = start + timedelta(days=(weekday - start.weekday()) % 7)
    steps = range(0, (end - first).days + 1, 7 * max(interval_weeks, 1))
    return [first + timedelta(days=step) for step in steps]


def check(days: Sequence[date]) -> None:
    """Raises `Refused` unless `days` can be a season: at least one, at most 120, none twice (reliability 5.3)."""
    if not days:
        raise Refused(_("There is no delivery between these dates. Check the weekday and the closures."))
    if len(days) > MOST_DELIVERIES:
        raise Refused(
            _("A season has %(most)s deliveries at most; these dates make %(count)s.")
            % {"most": MOST_DELIVERIES, "count": len(days)}
        )
    seen: set[date] = set()
    for day in days:
        if day in seen:
            raise Refused(_("%(day)s appears twice.") % {"day": date_format(day, "DATE_FORMAT")})
        seen.add(day)


def first_eligible(days: Sequence[date], now: datetime, lead_days: int, tz: tzinfo) -> int | None:
    """The rank from which somebody signing `now` can be served, or None when the season is too far on (BR-24).

    `days` are the deliveries in order of rank. A moved one may stand out of order: every rank from the answer on can
    be prepared.
    """
    rank = len(days)
    while rank and can_be_prepared(days[rank - 1], now, lead_days, tz):
        rank -= 1
    return rank + 1 if rank < len(days) else None


def can_be_prepared(day: date, now: datetime, lead_days: int, tz: tzinfo) -> bool:
    """Is the local midnight of a delivery not before `now` + `lead_days`, counted on the wall clock (BR-24)?"""
    ready = now.astimezone(tz).replace(tzinfo=None) + timedelta(days=lead_days)
    return datetime.combine(day, time.min) >= ready


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    golden, century, year_of_century = year % 19, year // 100, year % 100
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (year_of_century // 4) - epact - year_of_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def french_holidays(year: int) -> dict[date, str]:
    """The eleven public holidays of metropolitan France, in date order, named in the reader's language."""
    sunday = easter(year)
    days = {
        date(year, 1, 1): _("New Year's Day"),
        sunday + timedelta(days=1): _("Easter Monday"),
        date(year, 5, 1): _("Labour Day"),
        date(year, 5, 8): _("Victory Day"),
        sunday + timedelta(days=39): _("Ascension Day"),
        sunday + timedelta(days=50): _("Whit Monday"),
        date(year, 7, 14): _("Bastille Day"),
        date(year, 8, 15): _("Assumption Day"),
        date(year, 11, 1): _("All Saints' Day"),
        date(year, 11, 11): _("Armistice Day"),
        date(year, 12, 25): _("Christmas Day"),
    }
    return dict(sorted(days.items()))


def holidays_among(days: Iterable[date]) -> dict[date, str]:
    """Those of `days` that are public holidays, with their names: worth a warning, never a refusal."""
    days = sorted(days)
    known = {day: name for year in {day.year for day in days} for day, name in french_holidays(year).items()}
    return {day: known[day] for day in days if day in known}
