"""Offers and products in few words."""

import re


def without_years(title):
    """`Vegetables 2026-27` → `Vegetables`: on the day of a delivery everybody knows which season it is."""
    return re.sub(r"[\s,]+\d{4}(\s?[-–/]\s?\d{2,4})?$", "", title)


def with_unit(product, unit):
    """`Flour`, `1 kg` → `Flour (1 kg)`; without a unit the name alone."""
    return f"{product} ({unit})" if unit else product
