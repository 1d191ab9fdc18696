"""The contract as a frozen dict: everything document D1 prints, copied the day it is signed (BR-16, BR-22).

Plain JSON: names and texts as they stood, cents, ISO dates. `templates/print/contract.html` is its only reader.
"""

import json
from collections import defaultdict
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby

from django.utils import timezone
from django.utils.dates import WEEKDAYS

from amap.dates import date_format
from amap.ibans import iban_text
from contracts import wording
from contracts.titles import with_unit

PLACE = ("name", "address", "opens_at", "closes_at")
CLAUSES = ("composition", *wording.TERMS)


def content(proposal, *, household=None, quoted=None, instalments=(), method=""):
    """What the contract of a `signing.Proposal` says; `instalments` are unsaved rows. Without `household` and `quoted`
    it is the blank form for signing on paper.
    """
    around, offer = proposal.around, proposal.offer
    people = [person[:3] for person in around.people]
    return {
        "association": _party(offer.association, "name", "email", "phone"),
        "farm": _party(
            offer.farm,
            "name",
            "legal_name",
            "contact_name",
            "siret",
            "email",
            "phone",
            "certification",
            "vat_status",
        )
        | {"payee": offer.farm.payee_name, "iban": iban_text(offer.farm.iban)},
        "household": household and _party(household, "name", "code") | {"people": people},
        "offer": {name: getattr(offer, name) for name in ("title", "code", "kind", "version", "bought_in_allowed")},
        "place": around.agreed_place | {"weekday": offer.weekday},
        "clauses": {name: getattr(offer, name) for name in CLAUSES},
        "charter": wording.CHARTER,
        "legal": [list(clause) for clause in wording.legal_clauses(offer, off_premises=proposal.is_paper)],
        "liaison": around.liaison,
        "agreed_by": around.agreed_by,
        "copies": offer.contract_copies,
        "method": method,
        "instalments": [
            {
                "number": one.number,
                "on": one.deposit_not_before.isoformat(),
                "cents": one.amount_cents,
                "reference": one.reference,
            }
            for one in instalments
        ],
        **(_choices(offer, quoted, proposal) if quoted else _blank(proposal)),
    }


def place_of(offer):
    """Where and when, as it stands today: the values of `PLACE`."""
    place = offer.place
    hours = (str(moment)[:5] for moment in (place.opens_at, place.closes_at))
    return dict(zip(PLACE, (place.name, place.address, *hours), strict=True))


def _party(row, *names):
    return {name: getattr(row, name) for name in (*names, "address", "postal_code", "city")}


def _label(item):
    return with_unit(str(item), getattr(item, "unit", ""))


def _blank(proposal):
    count = len(proposal.deliveries)
    return {
        "on_offer": [
            {"label": _label(item), "unit_price_cents": item.price_cents, "season_cents": count * item.price_cents}
            for item in proposal.items
        ],
        "deliveries": [{"rank": one.rank, "day": one.day.isoformat(), "cents": None} for one in proposal.deliveries],
    }


def _choices(offer, quoted, proposal):
    labels = {item.pk: _label(item) for item in proposal.items}
    return {
        "lines": [
            {
                "label": labels[line.item],
                "quantity": line.quantity,
                "turn": line.turn,
                "rank": line.ranks[0] if offer.is_by_date else None,
                "unit_price_cents": line.unit_price_cents,
                "deliveries": len(line.ranks),
                "total_cents": line.total_cents,
            }
            for line in quoted.lines
        ],
        "deliveries": [
            {"rank": rank, "day": proposal.by_rank[rank].day.isoformat(), "cents": cents}
            for rank, cents in quoted.cents_by_rank.items()
        ],
        "total_cents": quoted.total_cents,
    }


def fingerprint(content):
    """The SHA-256 of a content, as 64 hexadecimal digits: the same content, the same digits."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


# On paper

HOLDERS = ("amapien·ne", "ferme", "association")
BLANK_PAYMENTS = 12
TURNS = {"every": "", "odd": " – une livraison sur deux, semaine A", "even": " – une livraison sur deux, semaine B"}


def on_paper(content):
    """What the template needs beside the content: the same facts in the order a reader wants them. Speaks French."""
    signature = content.get("signature")
    return {
        "it": content,
        "association_name": content["association"]["name"],
        "day": content["offer"]["title"],
        "weekday": WEEKDAYS[content["place"]["weekday"]],
        "holders": HOLDERS[: content["copies"]],
        "months": _months(content["deliveries"]),
        "price_lines": _price_lines(content.get("lines", ())),
        "by_date": _by_date(content),
        "payment_lines": [one | {"day": _french(one["on"])} for one in content["instalments"]]
        or [{"number": number + 1} for number in range(BLANK_PAYMENTS)],
        "signed_at": signature and _moment(signature["at"]),
        "agreed_by": {side: (name, _moment(at)) for side, (name, at) in content.get("agreed_by", {}).items()},
    }


def _french(day):
    return date_format(date.fromisoformat(day), "j F Y")


def _moment(at):
    return date_format(timezone.localtime(datetime.fromisoformat(at)), r"j F Y à H \h i")


def _months(deliveries):
    """[("avril 2026", "2, 9, 16, 23, 30")]"""
    days = sorted(date.fromisoformat(one["day"]) for one in deliveries)
    months = groupby(days, lambda day: date_format(day, "F Y"))
    return [(month, ", ".join(str(day.day) for day in each)) for month, each in months]


def _price_lines(lines):
    """One line a share; for quantities by date, one line a product over the season."""
    merged = {}
    for line in lines:
        key = (line["label"], line["turn"], line["unit_price_cents"], line["rank"] is None and line["quantity"])
        same = merged.setdefault(key, line | {"label": line["label"] + TURNS[line["turn"]], "quantity": 0})
        if same["quantity"]:
            same["deliveries"] += 1
            same["total_cents"] += line["total_cents"]
        same["quantity"] += line["quantity"]
    return list(merged.values())


def _by_date(content):
    """(delivery, "2 × Farine de blé (1 kg), …") for each delivery of a contract whose quantities differ by date."""
    found = defaultdict(list)
    for line in content.get("lines", ()):
        if line["rank"] is not None:
            found[line["rank"]].append(f"{line['quantity']} × {line['label']}")
    return [(one, ", ".join(found[one["rank"]])) for one in content["deliveries"] if one["rank"] in found]
