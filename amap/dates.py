"""Days in words. In French the first of a month is « 1er », and days and months are written small."""

from django.utils import formats
from django.utils.translation import get_language


def date_format(value, form=None):
    """As Django's own, also for a time, with « 1er novembre » where French says so. `form`: a format or its name."""
    text = formats.date_format(value, form)
    if getattr(value, "day", None) == 1 and _is_french():
        return _first(text, formats.date_format(value, "F"))
    return text


def short_day(day, form="D j M"):
    """`jeu 26 nov` / `Thu 26 Nov`. `form`: as `date_format` reads it."""
    if not _is_french():
        return formats.date_format(day, form)
    text = formats.date_format(day, form.replace("M", "N")).lower()
    return _first(text, formats.date_format(day, "N").lower()) if day.day == 1 else text


def _first(text, month):
    return text.replace(f"1 {month}", f"1er {month}")


def _is_french():
    return (get_language() or "").startswith("fr")
