"""Days in few letters."""

from django.utils.formats import date_format
from django.utils.translation import get_language


def short_day(day, form="D j M"):
    """`jeu 26 nov` / `Thu 26 Nov`: French writes days and months small. `form`: as `date_format` reads it."""
    text = date_format(day, form)
    return text.lower() if (get_language() or "").startswith("fr") else text
