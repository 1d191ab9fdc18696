"""Money is whole cents; other measured things are whole hundredths. This file turns both into text and back.

Nothing here knows a contract or a household: amounts are plain integers, and text appears only at the edge.
"""

import re
from typing import Any, Literal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from amap.errors import Refused

NARROW_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"
MINUS = "\u2212"

HIGHEST_CENTS = 1_000_000
"""10,000 euros: above it somebody has probably typed a comma too few."""

SplitMode = Literal["first", "last", "spread", "euro_first"]


def split(total_cents: int, n: int, mode: SplitMode = "first") -> list[int]:
    """Divide `total_cents` into `n` parts whose sum is exactly the total (BR-34).

    `first` and `last` put the odd cents on that part, `spread` one cent on each of the first parts, `euro_first` makes
    whole euros and leaves the rest to the first part. Below one euro a part, `euro_first` does as `first`: nobody
    writes a cheque of nothing.
    """
    if n < 1 or total_cents < 0:
        raise ValueError(f"cannot split {total_cents} cents into {n} parts")
    base, rest = divmod(total_cents, n)
    match mode:
        case "first":
            return [base + rest] + [base] * (n - 1)
        case "last":
            return [base] * (n - 1) + [base + rest]
        case "spread":
            return [base + 1] * rest + [base] * (n - rest)
        case "euro_first":
            base -= base % 100 if base >= 100 else 0
            return [total_cents - base * (n - 1)] + [base] * (n - 1)
    raise ValueError(f"unknown way of splitting: {mode}")


def _is_french(language: str | None) -> bool:
    return (language or get_language() or "fr").startswith("fr")


def euros_text(cents: int, language: str | None = None) -> str:
    """`100800` → `1 008,00 €` or `€1,008.00`, in `language` or the one being spoken (BR-74)."""
    whole, rest = divmod(abs(cents), 100)
    sign = MINUS if cents < 0 else ""
    if _is_french(language):
        return f"{sign}{whole:,}".replace(",", NARROW_SPACE) + f",{rest:02}{NO_BREAK_SPACE}€"
    return f"{sign}€{whole:,}.{rest:02}"


def euros_short(cents: int, language: str | None = None) -> str:
    """As `euros_text`, without the cents when there are none: `10 000 €`, `€10,000`."""
    text = euros_text(cents, language)
    return text if cents % 100 else text.replace(",00" if _is_french(language) else ".00", "")


def decimal_text(hundredths: int, language: str | None = None) -> str:
    """Hundredths as people type them, with two figures after the comma: `2150` → `21,50` or `21.50`."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}{',' if _is_french(language) else '.'}{rest:02}"


def equivalents_text(hundredths: int, language: str | None = None) -> str:
    """Share-equivalents without useless zeros: `4200` → `42`, `50` → `0,5`, `4225` → `42,25`."""
    return decimal_text(hundredths, language).rstrip("0").rstrip(",.")


def percent_text(hundredths: int, language: str | None = None) -> str:
    """Hundredths of a percent: `7000` → `70 %` or `70%`, `550` → `5,5 %` or `5.5%`."""
    return equivalents_text(hundredths, language) + (f"{NO_BREAK_SPACE}%" if _is_french(language) else "%")


_SPACES = str.maketrans({NO_BREAK_SPACE: " ", NARROW_SPACE: " ", "\u2009": " ", MINUS: "-"})
_AMOUNT = re.compile(
    r"(?P<sign>-?) ?(?P<whole>\d+|\d{1,3}(?P<group>[ .,'])\d{3}(?:(?P=group)\d{3})*)(?:(?P<point>[.,])(?P<rest>\d+))?",
    re.ASCII,
)
_THOUSANDS_OR_DECIMALS = re.compile(r"-?([1-9]\d{0,2})[.,](\d{3})", re.ASCII)


def parse_cents(text: str, *, min_cents: int = 1, max_cents: int = HIGHEST_CENTS) -> int:
    """What a person typed or pasted → cents: `12`, `12,5`, `12.50`, `1 234,56 €`, `1.234,56`, `€1,234.56`.

    Raises `Refused` with the sentence to show when it is no amount, could mean two amounts, has more than two decimals
    or lies outside `min_cents` … `max_cents`.
    """
    typed = text.translate(_SPACES).strip()
    bare = re.sub(r"^(-?) ?(?:€|EUR) ?| ?(?:€|EUR)$", r"\1", typed, flags=re.IGNORECASE)
    if not bare:
        raise Refused(_("Give an amount, for example 12.50."))
    if either := _THOUSANDS_OR_DECIMALS.fullmatch(bare):
        large = int(either[1] + either[2])
        if large * 100 > max_cents:
            raise Refused(_("Two digits at most after the decimal point."))
        small = int(either[1]) * 100 + int(either[2][:2])
        raise Refused(
            _("Ambiguous amount: %(small)s or %(large)s? Write %(plain_large)s or %(plain_small)s.")
            % {
                "small": euros_text(small),
                "large": euros_short(large * 100),
                "plain_large": large,
                "plain_small": decimal_text(small),
            }
        )
    found = _AMOUNT.fullmatch(bare)
    if not found or (found["group"] and found["group"] == found["point"]):
        raise Refused(_("“%(typed)s” is not an amount. Example: 12.50.") % {"typed": typed[:30]})
    rest = found["rest"] or ""
    if len(rest) > 2:
        raise Refused(_("Two digits at most after the decimal point."))
    cents = int(re.sub(r"\D", "", found["whole"])[:15]) * 100 + int(rest.ljust(2, "0"))
    return _within(-cents if found["sign"] else cents, min_cents, max_cents)


def _within(cents: int, min_cents: int, max_cents: int) -> int:
    if cents > max_cents:
        raise Refused(_("The amount is over %(most)s. Check what you typed.") % {"most": euros_short(max_cents)})
    if cents < min_cents:
        if min_cents == 1:
            raise Refused(_("The amount must be more than 0."))
        if min_cents == 0:
            raise Refused(_("The amount cannot be negative."))
        raise Refused(_("The amount must be at least %(least)s.") % {"least": euros_short(min_cents)})
    return cents


def parse_hundredths(text: str, *, minimum: int = 0, maximum: int = 1_000_000) -> int:
    """`0,5` → 50, `42` → 4200, `70 %` → 7000. Raises `Refused` when it is no number or outside the bounds."""
    typed = text.translate(_SPACES).strip()
    found = re.fullmatch(r"(\d{1,9})(?:[.,](\d{1,2}))?(?: ?%)?", typed.replace(" ", ""), re.ASCII)
    if not found:
        raise Refused(_("“%(typed)s” is not a number with two decimals at most. Example: 0.5.") % {"typed": typed[:30]})
    hundredths = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    if not minimum <= hundredths <= maximum:
        raise Refused(
            _("Give a number from %(least)s to %(most)s.")
            % {"least": equivalents_text(minimum), "most": equivalents_text(maximum)}
        )
    return hundredths


class HundredthsField(forms.Field):
    """A number with two decimals at most (`0,5`, `42`, `70 %`); the cleaned value is hundredths, or None when empty."""

    widget = forms.TextInput

    def __init__(self, *, minimum: int = 0, maximum: int = 1_000_000, **kwargs: Any) -> None:
        self.minimum, self.maximum = minimum, maximum
        super().__init__(**kwargs)

    def parse(self, text: str) -> int:
        return parse_hundredths(text, minimum=self.minimum, maximum=self.maximum)

    def write(self, value: int) -> str:
        return equivalents_text(value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal", "autocomplete": "off"}

    def to_python(self, value: Any) -> int | None:
        if value is None or not str(value).strip():
            return None
        try:
            return self.parse(str(value))
        except Refused as refused:
            raise ValidationError(str(refused), code="invalid") from refused

    def prepare_value(self, value: Any) -> Any:
        return self.write(value) if isinstance(value, int) else value


class EuroField(HundredthsField):
    """An amount of money as people write it; the cleaned value is cents, or None when left empty and not required."""

    default_error_messages = {"required": gettext_lazy("Give an amount, for example 12.50.")}

    def __init__(self, *, min_cents: int = 1, max_cents: int = HIGHEST_CENTS, **kwargs: Any) -> None:
        super().__init__(minimum=min_cents, maximum=max_cents, **kwargs)

    def parse(self, text: str) -> int:
        return parse_cents(text, min_cents=self.minimum, max_cents=self.maximum)

    def write(self, value: int) -> str:
        return decimal_text(value)
