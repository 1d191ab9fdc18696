"""The contract as a frozen dict: everything document D1 prints, copied the day it is signed (BR-16, BR-22).

Plain JSON: names and texts as they stood, cents, ISO dates. `templates/print/contract.html` is its only reader.
"""

import json
from hashlib import sha256

from contracts import wording
from contracts.references import iban_text, transfer_reference

CLAUSES = (
    "composition",
    "member_commitments",
    "farmer_commitments",
    "common_commitments",
    "hazard_clause",
    "absence_clause",
    "shortage_rule",
    "termination_clause",
)


def content(
    offer, *, liaison, is_paper, household=None, people=(), quoted=None, proposal=None, instalments=(), method=""
):
    """What the contract says. Without `household` and `quoted` it is the blank form for signing on paper.

    `offer` has its farm, association and place; `people` the household's (name, telephone, e-mail); `instalments` unsaved rows.
    """
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
            "payee",
            "certification",
            "vat_status",
        )
        | {"iban": iban_text(offer.farm.iban)},
        "household": household and _party(household, "name", "code") | {"people": [list(person) for person in people]},
        "offer": {name: getattr(offer, name) for name in ("title", "code", "kind", "version", "bought_in_allowed")},
        "place": {
            "name": offer.place.name,
            "address": offer.place.address,
            "weekday": offer.weekday,
            "opens_at": f"{offer.place.opens_at:%H:%M}",
            "closes_at": f"{offer.place.closes_at:%H:%M}",
        },
        "clauses": {name: getattr(offer, name) for name in CLAUSES},
        "charter": wording.CHARTER,
        "legal": [list(clause) for clause in wording.legal_clauses(offer, off_premises=is_paper)],
        "liaison": liaison or "",
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


def _party(row, *names):
    return {name: getattr(row, name) for name in (*names, "address", "postal_code", "city")}


def _label(item):
    unit = getattr(item, "unit", "")
    return f"{item} ({unit})" if unit else str(item)


def _blank(proposal):
    return {
        "items": [{"label": _label(item), "unit_price_cents": item.price_cents} for item in proposal.items],
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


def reference(offer, household, number):
    return transfer_reference(offer.code, household.number, number)
