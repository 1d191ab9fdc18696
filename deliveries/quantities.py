"""Pure: quantities of food as people read and type them. Weights are grams, everything else is counted."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import ngettext

from amap.euros import NO_BREAK_SPACE

GRAM, PIECE, BUNCH = "g", "piece", "bunch"


def quantity_text(amount: int, unit: str) -> str:
    """`1350` grams → `1.35 kg`, `750` → `750 g`, `3` bunches → `3 bunches`, pieces → `3`."""
    if unit == GRAM:
        if amount < 1000:
            return f"{amount}{NO_BREAK_SPACE}g"
        return f"{number_format(Decimal(amount) / 1000)}{NO_BREAK_SPACE}kg"
    if unit == BUNCH:
        return ngettext("%(count)s bunch", "%(count)s bunches", amount) % {"count": amount}
    return str(amount)


def from_hundredths(hundredths: int, unit: str) -> int | None:
    """What was typed (kilograms, or a count) → grams or pieces; None when half a piece was typed."""
    if unit == GRAM:
        return hundredths * 10
    return None if hundredths % 100 else hundredths // 100


def to_hundredths(amount: int, unit: str) -> int:
    """The other way: what a field shows for an amount."""
    return amount // 10 if unit == GRAM else amount * 100
