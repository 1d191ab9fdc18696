import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from amap import phones
from amap.errors import Refused


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("06 39 98 12 34", "+33639981234"),
        ("0639981234", "+33639981234"),
        ("06.39.98.12.34", "+33639981234"),
        ("06-39/98 12\u00a034", "+33639981234"),
        ("+33 6 39 98 12 34", "+33639981234"),
        ("+33 (0)6 39 98 12 34", "+33639981234"),
        ("0033 6 39 98 12 34", "+33639981234"),
        ("639981234", "+33639981234"),
        ("33639981234", "+33639981234"),
        ("+32 470 12 34 56", "+32470123456"),
        ("0041 22 345 67 89", "+41223456789"),
        ("", ""),
    ],
)
def test_a_number_is_understood_as_people_write_it(typed, stored):
    assert phones.normalise(typed) == stored


@pytest.mark.parametrize("typed", ["06 12", "061234567", "06123456789", "+33 612", "call me", "٠٦٣٩٩٨١٢٣٤", "+", "000"])
def test_an_incomplete_number_is_refused(typed):
    with override("en"), pytest.raises(Refused, match="Incomplete number: 10 digits, or with"):
        phones.normalise(typed)


@given(st.integers(100_000_000, 999_999_999))
def test_a_stored_number_is_shown_as_it_can_be_typed(digits):
    stored = f"+33{digits}"
    assert phones.normalise(phones.phone_text(stored)) == phones.normalise(stored) == stored
    assert len(phones.phone_text(stored)) == 14


def test_a_foreign_number_is_shown_with_its_country():
    assert phones.phone_text("+32470123456") == "+32470123456"
