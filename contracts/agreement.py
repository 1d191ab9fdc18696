"""What a farm and the committee agree on: the commercial content of an offer, its fingerprint, and what it still
lacks.
"""

from dataclasses import asdict
from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from amap.models import FarmLiaison
from contracts.documents import place_of
from contracts.models import ContractOffer
from contracts.price_note import price_note
from contracts.pricing import share_price

# Everything else about an offer is commercial, so that a new field is agreed on unless somebody says otherwise (BR-8).
NOT_COMMERCIAL = {"id", "association", "status", "version", "created_by", "description", "taken_hundredths"}


def content(offer) -> dict:
    """The commercial content of an offer as plain JSON: the same offer gives the same dict (BR-8)."""
    fields = {
        field.attname: _plain(getattr(offer, field.attname))
        for field in ContractOffer._meta.concrete_fields
        if field.name not in NOT_COMMERCIAL
    }
    note = price_note(offer)
    return fields | {
        "sizes": [
            [size.label, size.coefficient_hundredths, size.price_cents, size.price_reason] for size in offer.sizes.all()
        ],
        "products": [[product.name, product.unit, product.price_cents] for product in offer.products.all()],
        "deliveries": [[delivery.rank, _plain(delivery.day), delivery.place_id] for delivery in offer.deliveries.all()],
        "closures": [_plain(closure.day) for closure in offer.closures.all()],
        "place": place_of(offer),
        "price_note": note and asdict(note),
    }


def _plain(value):
    return value.isoformat() if isinstance(value, date) else value


# What BR-10 asks for, as words; the keys are those of `missing`, grouped by the page that can supply them.
NEEDS = {
    "parties": {
        "farm_legal_name": _("the farm's legal name"),
        "farm_address": _("the farm's address"),
        "farm_contact": _("the farm's telephone or e-mail"),
        "farm_payee": _("whom cheques are payable to"),
        "farm_iban": _("the farm's IBAN, since transfers are accepted"),
        "liaison": _("a liaison for this farm"),
        "place_address": _("the address of the place"),
    },
    "calendar": {
        "deliveries": _("the delivery dates"),
        "season_length": _("a longer season, or the reason why it is short"),
    },
    "shares": {
        "items": _("at least one share or product"),
        "composition": _("what a share is made of"),
        "price": _("the price of a whole share"),
        "capacity": _("how many shares the farm can grow"),
        "price_reason": _("why the price differs from the budget's"),
        "size_reason": _("why a size is not priced in proportion"),
    },
    "payment": {
        "methods": _("how households may pay"),
        "instalment_counts": _("in how many payments"),
        "payment_days": _("the days on which payments are cashed"),
    },
    "terms": {
        "member_commitments": _("the member's commitments"),
        "farmer_commitments": _("the farmer's commitments"),
        "common_commitments": _("the common commitments"),
        "hazard_clause": _("the clause on hazards"),
        "absence_clause": _("the clause on absences and uncollected baskets"),
        "shortage_rule": _("what happens when items are missing"),
        "termination_clause": _("the clause on early end and replacement"),
        "mediation_contact": _("whom to turn to in case of disagreement"),
        "contract_copies": _("the number of copies"),
    },
}
WORDS = {key: words for needs in NEEDS.values() for key, words in needs.items()}


def season_is_short(offer, days) -> bool:
    """BR-11: less than the association's shortest commitment between the first and the last delivery."""
    return max(days) - min(days) < timedelta(weeks=offer.association.min_commitment_weeks)


def missing(offer) -> list[str]:
    """The keys of `NEEDS` an offer still lacks before it can be proposed, in the order of a contract (BR-10, BR-11)."""
    lacking = _lacking(offer)
    return [key for key in WORDS if key in lacking]


def _lacking(offer) -> set[str]:
    farm, days = offer.farm, [delivery.day for delivery in offer.deliveries.all()]
    sizes, note = list(offer.sizes.all()), price_note(offer)
    liaisons = FarmLiaison.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=min(days)) if days else Q(ends_on=None),
        partnership__association=offer.association_id,
        partnership__farm=farm,
    )
    wanting = {
        "farm_legal_name": not farm.legal_name,
        "farm_address": not (farm.address and farm.city),
        "farm_contact": not (farm.phone or farm.email),
        "farm_payee": offer.accepts_cheques and not farm.payee,
        "farm_iban": offer.accepts_transfers and not farm.iban,
        "liaison": not liaisons.exists(),
        "place_address": not offer.place.address,
        "deliveries": not days,
        "season_length": bool(days) and season_is_short(offer, days) and not offer.exceptional_reason,
        "methods": not offer.methods,
        "instalment_counts": not offer.instalment_counts,
        "payment_days": offer.date_strategy == ContractOffer.DateStrategy.CUSTOM and not offer.payment_days,
        "shortage_rule": offer.kind != ContractOffer.Kind.HARVEST_SHARE and not offer.shortage_rule,
        "contract_copies": not offer.contract_copies,
    }
    for key in NEEDS["terms"].keys() - wanting.keys():
        wanting[key] = not getattr(offer, key)
    if offer.is_by_date:
        wanting["items"] = not offer.products.all()
    else:
        wanting |= {
            "items": not sizes,
            "composition": not offer.composition,
            "price": not offer.reference_price_cents,
            "capacity": not offer.capacity_hundredths,
            "price_reason": note is not None and note.needs_reason,
            "size_reason": any(
                size.price_cents != share_price(offer.reference_price_cents, size.coefficient_hundredths)
                and not size.price_reason
                for size in sizes
            ),
        }
    return {key for key, wanted in wanting.items() if wanted}
