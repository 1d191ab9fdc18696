"""Days in words: French says « 1er », and an hour has no day."""

from datetime import date, time

import pytest
from django.utils import translation

from amap.dates import date_format, short_day


@pytest.mark.parametrize(
    ("language", "value", "form", "text"),
    [
        ("fr", date(2026, 11, 1), "l j F Y", "dimanche 1er novembre 2026"),
        ("fr", date(2026, 11, 11), "j F", "11 novembre"),
        ("fr", date(2026, 12, 21), "DATE_FORMAT", "21 décembre 2026"),
        ("fr", time(18, 30), "TIME_FORMAT", "18:30"),
        ("en", date(2026, 11, 1), "j F Y", "1 November 2026"),
    ],
)
def test_the_first_of_a_month_in_french(language, value, form, text):
    with translation.override(language):
        assert date_format(value, form) == text


@pytest.mark.parametrize(
    ("language", "value", "text"),
    [
        ("fr", date(2026, 11, 26), "jeu 26 nov."),
        ("en", date(2026, 11, 26), "Thu 26 Nov"),
        ("fr", date(2026, 9, 1), "mar 1er sept."),
    ],
)
def test_a_day_in_few_letters(language, value, text):
    with translation.override(language):
        assert short_day(value) == text
