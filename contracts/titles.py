"""Titles of offers in few words."""

import re


def without_years(title):
    """`Vegetables 2026-27` → `Vegetables`: on the day of a delivery everybody knows which season it is."""
    return re.sub(r"[\s,]+\d{4}(\s?[-–/]\s?\d{2,4})?$", "", title)
