"""Parts of pages that several views show: a season at a glance, what a contract is made of."""

from itertools import groupby

from django.utils.translation import gettext as _

from amap.dates import date_format
from contracts.models import Delivery, SubscriptionLine


def months(deliveries, mine, today):
    """The months of a season's deliveries, those whose ranks are in `mine` marked as the household's own."""
    shown = sorted((one for one in deliveries if one.status != Delivery.Status.CANCELLED), key=lambda one: one.day)
    return [
        {
            "label": date_format(first, "F").capitalize(),
            "days": [_day(one, one.rank in mine, today) for one in shown if one.day.replace(day=1) == first],
        }
        for first, _days in groupby(one.day.replace(day=1) for one in shown)
    ]


def _day(delivery, is_mine, today):
    title = date_format(delivery.day, "l j F Y")
    return {
        "text": delivery.day.day,
        "state": ("done" if delivery.day < today else "mine") if is_mine else "",
        "title": _("%(day)s: your basket") % {"day": title} if is_mine else title,
    }


def made_of(entries):
    """What `contracts/subscriptions/_lines.html` shows of a contract's lines.

    An entry is (label, quantity, turn, unit price in cents, number of deliveries, day); the day is None for shares.
    """
    entries = list(entries)
    if entries and entries[0][-1]:
        by_day = groupby(sorted(entries, key=lambda entry: entry[-1]), lambda entry: entry[-1])
        return {"by_date": [_date(day, list(each)) for day, each in by_day]}
    turns = dict(SubscriptionLine.Turn.choices) | {"every": ""}
    return {
        "lines": [
            {
                "label": label,
                "quantity": quantity,
                "turn": turns[turn],
                "unit_cents": cents,
                "count": count,
                "total_cents": quantity * cents * count,
            }
            for label, quantity, turn, cents, count, _day in entries
        ]
    }


def _date(day, entries):
    words = ", ".join(f"{quantity} × {label}" for label, quantity, *_rest in entries)
    return day, words, sum(quantity * cents for _label, quantity, _turn, cents, *_rest in entries)
