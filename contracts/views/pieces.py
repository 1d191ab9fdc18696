"""Parts of pages that several views show: a contract's terms, and what it is made of."""

from itertools import groupby

from contracts.models import ContractOffer, SubscriptionLine


def clauses(offer, names):
    """(title, text) of the offer's terms of these names, those that are written."""
    fields = [ContractOffer._meta.get_field(name) for name in names]
    return [(field.verbose_name, text) for field in fields if (text := getattr(offer, field.name))]


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
