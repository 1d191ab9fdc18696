"""A season at a glance: dates → the months `ui/calendar_strip.html` draws."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import groupby

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from amap.dates import date_format
from contracts import calendars


def months(days: Iterable[tuple[date, str, str]]) -> list[dict]:
    """(day, state, words) in any order → one entry per month. A screen reader says the whole date, then the words."""
    strip = []
    for (year, _month), group in groupby(sorted(days), key=lambda entry: (entry[0].year, entry[0].month)):
        entries = list(group)
        first = entries[0][0]
        label = capfirst(date_format(first, "F Y" if not strip or year != strip[-1]["year"] else "F"))
        strip.append(
            {
                "label": label,
                "year": year,
                "days": [
                    {
                        "text": day.day,
                        "state": state,
                        "title": ": ".join(filter(None, [date_format(day, "l j F"), str(words)])),
                    }
                    for day, state, words in entries
                ],
            }
        )
    return strip


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
