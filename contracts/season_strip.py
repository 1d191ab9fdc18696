"""A season at a glance: dates → the months `ui/calendar_strip.html` draws."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from operator import itemgetter

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.words import pair
from contracts import calendars

Entry = tuple[date, str, str] | tuple[date, str, str, str]


def months(days: Iterable[Entry]) -> list[dict]:
    """(day, state, words, perhaps an address) in any order → one entry per month; words may be empty.

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


def season(offer, deliveries, *, today: date) -> list[dict]:
    """The months of an offer: deliveries past and to come, moved or on another weekday, and the dates left out."""
    deliveries = list(deliveries)
    ahead = [one.day for one in deliveries if one.day >= today and one.status != "cancelled"]
    following = min(ahead, default=None)
    entries: list[Entry] = []
    for one in deliveries:
        state, words = _said(offer, one, today)
        entries.append((one.day, f"{state} next".strip() if one.day == following else state, words))
    taken = {day for one in deliveries for day in (one.day, one.moved_from)}
    entries += [(day, "off", _("no delivery")) for day in gaps(offer, taken)]
    return months(entries)


def legend(months: list[dict]) -> list[dict]:
    """What the marks of a season mean, as far as it has them."""
    marks = [
        ("done", _("past")),
        ("next", _("the next one")),
        ("", _("delivery")),
        ("moved", _("another day than usual")),
        ("off", _("no delivery")),
    ]
    there = {mark for month in months for day in month["days"] for mark in day["state"].split() or [""]}
    return [{"state": mark, "text": text} for mark, text in marks if mark in there]


def _said(offer, delivery, today):
    """(state, words) of a delivery on its day."""
    if delivery.status == "cancelled":
        return "off", _("cancelled")
    if delivery.moved_from:
        return "moved", _("instead of %(day)s") % {"day": date_format(delivery.moved_from, "l j F")}
    if delivery.day < today:
        return "done", _("past")
    if delivery.day.weekday() != offer.weekday:
        return "moved", _("another day than usual")
    return "", _("delivery")


def gaps(offer, taken) -> list[date]:
    """The dates the rhythm would have and the season has not: closures, and dates taken out by hand."""
    if not offer.starts_on or not offer.ends_on:
        return []
    usual = calendars.rhythm(offer.starts_on, offer.ends_on, offer.weekday, offer.interval_weeks)
    return [day for day in usual if day not in taken]
