"""A season at a glance: dates → the months `ui/calendar_strip.html` draws."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import groupby
from operator import itemgetter

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.words import pair
from contracts import calendars


def months(days: Iterable[tuple[date, str, str, str]]) -> list[dict]:
    """(day, state, words, address) in any order → one entry per month; words and address may be empty.

    A screen reader says the whole date, then the words.
    """
    strip = []
    in_order = sorted(days, key=itemgetter(0))
    for (year, _month), group in groupby(in_order, key=lambda entry: (entry[0].year, entry[0].month)):
        entries = [_square(*entry) for entry in group]
        first = entries[0]["day"]
        label = capfirst(date_format(first, "F Y" if not strip or year != strip[-1]["year"] else "F"))
        strip.append({"label": label, "year": year, "days": entries})
    return strip


def _square(day, state, words, url=""):
    said = date_format(day, "l j F")
    return {"day": day, "text": day.day, "state": state, "title": pair(said, words) if words else said, "url": url}


def own(deliveries, ranks, *, today: date) -> list[dict]:
    """The months of a season's deliveries, those whose rank is in `ranks` marked as the household's own."""
    return months(
        (
            one.day,
            ("done" if one.day < today else "mine") if one.rank in ranks else "",
            _("your basket") if one.rank in ranks else "",
        )
        for one in deliveries
        if one.status != "cancelled"
    )


def season(offer, deliveries, *, today: date, marks: Mapping[date, tuple[str, str]] | None = None) -> list[dict]:
    """The months of an offer: deliveries past and to come, moved or on another weekday, and the dates left out.

    `marks` gives (state, words) to dates that mean more to the reader, such as their own baskets.
    """
    marks = marks or {}
    deliveries = list(deliveries)
    days = {delivery.day: delivery for delivery in deliveries}
    coming = min(
        (day for day, delivery in days.items() if day >= today and delivery.status != "cancelled"), default=None
    )
    entries = []
    for day, delivery in days.items():
        if day in marks:
            state, words = marks[day]
        elif delivery.status == "cancelled":
            state, words = "off", _("cancelled")
        elif delivery.moved_from:
            state, words = "moved", _("instead of %(day)s") % {"day": date_format(delivery.moved_from, "l j F")}
        elif day < today:
            state, words = "done", _("past")
        elif day.weekday() != offer.weekday:
            state, words = "moved", _("another day than usual")
        else:
            state, words = "", _("delivery")
        entries.append((day, f"{state} next".strip() if day == coming else state, words))
    entries += [(day, "off", _("no delivery")) for day in gaps(offer, set(days) | {d.moved_from for d in deliveries})]
    return months(entries)


def gaps(offer, taken) -> list[date]:
    """The dates the rhythm would have and the season has not: closures, and dates taken out by hand."""
    if not offer.starts_on or not offer.ends_on:
        return []
    usual = calendars.rhythm(offer.starts_on, offer.ends_on, offer.weekday, offer.interval_weeks)
    return [day for day in usual if day not in taken]
