from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amap import ibans
from amap.errors import Refused

IBAN = "FR7630006000011234567890189"
NOT_WHOLE = "This is not a whole IBAN. A French one has 27 signs and begins with FR."


@pytest.mark.parametrize("typed", [IBAN, "fr76 3000 6000 0112 3456 7890 189", " FR76-3000-6000-0112-3456-7890-189 "])
def test_an_iban_is_taken_as_it_is_typed(typed):
    assert ibans.normalise(typed) == IBAN


def test_an_iban_of_another_country_is_taken():
    assert ibans.normalise("BE31 4354 1116 1155") == "BE31435411161155"


def test_no_iban_is_none():
    assert ibans.normalise("  ") == ""


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("FR7630006000011234567890188", "The IBAN does not match its check key. Check the digits."),
        ("XX9030006000011234567890189", "No country has an IBAN beginning with “XX”."),
        ("FR", NOT_WHOLE),
        ("FR76300060000", NOT_WHOLE),
        ("café", NOT_WHOLE),
    ],
)
def test_a_wrong_iban_is_explained(typed, message):
    with pytest.raises(Refused) as refused:
        ibans.normalise(typed)
    assert str(refused.value) == message


@given(st.text(max_size=40))
def test_any_text_is_an_iban_or_refused(typed):
    with suppress(Refused):
        assert ibans.normalise(typed).isalnum() or not typed.strip()


def test_an_iban_is_printed_in_groups_of_four():
    assert ibans.iban_text(IBAN) == "FR76 3000 6000 0112 3456 7890 189"
