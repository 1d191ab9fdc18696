"""Telephone numbers: stored as `+33612345678`, typed and shown as people write them."""

import re

from django.utils.translation import gettext as _

from amap.errors import Refused


def normalise(text: str) -> str:
    """`06 12 34 56 78`, `+33 (0)6…`, `0033…` → `+33612345678`; other countries keep their code (reliability 5.3).

    Of a French number, a spreadsheet may have dropped the zero (nine digits) or the plus (33 and nine digits). Raises
    `Refused` when digits are missing or the text is no number; empty text is answered with empty text.
    """
    typed = text.strip()
    if not typed:
        return ""
    bare = re.sub(r"[\s.\-/\u00a0\u202f]|\(0\)|[()]", "", typed)
    number = re.sub(r"^00", "+", bare)
    if french := re.fullmatch(r"(?:\+?33)?0?([1-9]\d{8})", number, re.ASCII):
        return f"+33{french[1]}"
    if not number.startswith("+33") and re.fullmatch(r"\+[1-9]\d{7,14}", number, re.ASCII):
        return number
    raise Refused(_("Incomplete number: 10 digits, or with the country code."))


def phone_text(number: str) -> str:
    """A stored number as it is read aloud: `06 12 34 56 78`. A foreign one stays as it is."""
    if french := re.fullmatch(r"\+33(\d)(\d\d)(\d\d)(\d\d)(\d\d)", number):
        return f"0{french[1]} {' '.join(french.groups()[1:])}"
    return number
