"""How a price is built: from the farm's yearly costs to the price of a whole share per delivery (BR-9, document
D17).
"""

from dataclasses import dataclass

from amap.charts import stack
from amap.euros import equivalents_text, euros_text, percent_text
from contracts.models import ContractOffer, FarmBudgetLine
from contracts.pricing import price_from_budget


@dataclass(frozen=True)
class PriceNote:
    """A farm's budget and what it comes to. Amounts in cents; `lines` are (category, label, cents per year)."""

    lines: tuple[tuple[str, str, int], ...]
    amap_share_hundredths: int
    equivalents_hundredths: int
    deliveries: int
    computed_cents: int | None
    agreed_cents: int
    reason: str

    @property
    def total_cents(self) -> int:
        return sum(cents for _category, _label, cents in self.lines)

    @property
    def amap_cents(self) -> int:
        """The part of the budget this AMAP bears, rounded to the cent."""
        return (self.total_cents * self.amap_share_hundredths + 5000) // 10000

    @property
    def difference_cents(self) -> int:
        """Agreed minus computed; 0 as long as nothing can be computed."""
        return 0 if self.computed_cents is None else self.agreed_cents - self.computed_cents

    @property
    def needs_reason(self) -> bool:
        """BR-9: a price that is not the computed one says why."""
        return self.difference_cents != 0 and not self.reason

    @property
    def figures(self) -> dict[str, str]:
        """The terms of the division, as text in the reader's language."""
        return {
            "total": euros_text(self.total_cents),
            "share": percent_text(self.amap_share_hundredths),
            "part": euros_text(self.amap_cents),
            "deliveries": str(self.deliveries),
            "equivalents": equivalents_text(self.equivalents_hundredths),
            "computed": "" if self.computed_cents is None else euros_text(self.computed_cents),
            "agreed": euros_text(self.agreed_cents),
            "difference": ("+" if self.difference_cents > 0 else "") + euros_text(self.difference_cents),
        }

    def parts(self) -> list[dict]:
        """What each kind of cost takes of the agreed price, for `ui/stack.html`; the parts add up to the price."""
        labels = dict(FarmBudgetLine.Category.choices)
        yearly = dict.fromkeys(labels, 0)
        for category, _label, cents in self.lines:
            yearly[category] += cents
        rows, before = [], 0
        for category, cents in yearly.items():
            if cents:
                start, before = before, before + cents
                part = _portion(self.agreed_cents, before, self.total_cents) - _portion(
                    self.agreed_cents, start, self.total_cents
                )
                rows.append({"label": labels[category], "value": cents, "text": euros_text(part)})
        return stack(rows)


def _portion(price: int, upto: int, total: int) -> int:
    return (2 * price * upto + total) // (2 * total)


def agreed_note(offer) -> PriceNote | None:
    """The price note both sides accepted; as long as they have not, the one of today (BR-9, D17)."""
    is_agreed = offer.status not in (ContractOffer.Status.DRAFT, ContractOffer.Status.PROPOSED)
    yes = offer.acceptances.filter(version=offer.version).first() if is_agreed else None
    if yes is None:
        return price_note(offer)
    note = yes.content.get("price_note")
    return note and PriceNote(**note | {"lines": tuple(tuple(line) for line in note["lines"])})


def price_note(offer) -> PriceNote | None:
    """The price note of an offer today; None as long as its farm gave no budget. One query, plus the deliveries."""
    lines = list(FarmBudgetLine.objects.filter(budget__offer=offer).select_related("budget"))
    if not lines:
        return None
    budget, deliveries = lines[0].budget, len(offer.deliveries.all())
    return PriceNote(
        lines=tuple((line.category, line.label, line.amount_cents) for line in lines),
        amap_share_hundredths=budget.amap_share_hundredths,
        equivalents_hundredths=budget.planned_equivalents_hundredths,
        deliveries=deliveries,
        computed_cents=price_from_budget(
            sum(line.amount_cents for line in lines),
            budget.amap_share_hundredths,
            deliveries,
            budget.planned_equivalents_hundredths,
            offer.association.price_step_cents,
        ),
        agreed_cents=offer.reference_price_cents,
        reason=offer.price_reason,
    )
