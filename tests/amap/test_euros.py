from contextlib import suppress

import pytest
from django import forms
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from amap import euros
from amap.errors import Refused

MODES = ("first", "last", "spread", "euro_first")


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


@pytest.mark.parametrize(
    ("total", "n", "mode", "parts"),
    [
        (10000, 3, "first", [3334, 3333, 3333]),
        (73500, 9, "first", [8172] + [8166] * 8),
        (45012, 7, "first", [6432] + [6430] * 6),
        (9999, 4, "first", [2502] + [2499] * 3),
        (100800, 12, "first", [8400] * 12),
        (10000, 3, "last", [3333, 3333, 3334]),
        (73500, 9, "spread", [8167] * 6 + [8166] * 3),
        (10000, 3, "euro_first", [3400, 3300, 3300]),
        (73500, 9, "euro_first", [8700] + [8100] * 8),
    ],
)
def test_split_gives_the_worked_parts_of_br_34(total, n, mode, parts):
    assert euros.split(total, n, mode) == parts


@given(st.integers(0, 10**8), st.integers(1, 60), st.sampled_from(MODES))
def test_split_never_loses_or_makes_a_cent_and_never_leaves_an_empty_part_br_34(total, n, mode):
    parts = euros.split(total, n, mode)
    assert (len(parts), sum(parts)) == (n, total)
    assert min(parts) >= (1 if total >= n else 0)
    assert len(set(parts)) <= 2


@pytest.mark.parametrize(("total", "n", "mode"), [(100, 0, "first"), (-1, 2, "first"), (100, 2, "middle")])
def test_split_refuses_nonsense(total, n, mode):
    with pytest.raises(ValueError):
        euros.split(total, n, mode)


@pytest.mark.parametrize(
    ("cents", "french", "english"),
    [
        (100800, "1\u202f008,00\u00a0€", "€1,008.00"),
        (6152300, "61\u202f523,00\u00a0€", "€61,523.00"),
        (5, "0,05\u00a0€", "€0.05"),
        (0, "0,00\u00a0€", "€0.00"),
        (-4200, "\u221242,00\u00a0€", "\u2212€42.00"),
    ],
)
def test_amounts_are_written_in_the_readers_language_br_74(cents, french, english):
    assert euros.euros_text(cents, "fr") == french
    assert euros.euros_text(cents) == english
    with override("fr"):
        assert euros.euros_text(cents) == french


def test_whole_amounts_can_be_written_short():
    assert euros.euros_short(1_000_000, "fr") == "10\u202f000\u00a0€"
    assert euros.euros_short(1_000_000) == "€10,000"
    assert euros.euros_short(123) == "€1.23"


@pytest.mark.parametrize(
    ("hundredths", "french", "english"),
    [(4200, "42", "42"), (50, "0,5", "0.5"), (4225, "42,25", "42.25"), (10000, "100", "100"), (0, "0", "0")],
)
def test_equivalents_are_written_without_useless_zeros(hundredths, french, english):
    assert euros.equivalents_text(hundredths, "fr") == french
    assert euros.equivalents_text(hundredths) == english


def test_percentages_are_written_in_the_readers_language():
    assert euros.percent_text(7000, "fr") == "70\u00a0%"
    assert euros.percent_text(550) == "5.5%"


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("12", 1200),
        ("12,5", 1250),
        ("12,50", 1250),
        ("12.50", 1250),
        ("1 234,56", 123456),
        ("1\u00a0234,56\u00a0€", 123456),
        ("1\u202f234,56", 123456),
        ("1.234,56", 123456),
        ("1,234.56", 123456),
        ("€1,008.00", 100800),
        ("12 €", 1200),
        (" 12 EUR ", 1200),
        ("1 234", 123400),
        ("0,05", 5),
        ("012", 1200),
    ],
)
def test_an_amount_is_understood_as_people_type_and_paste_it(typed, cents):
    assert euros.parse_cents(typed) == cents


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Give an amount, for example 12.50."),
        ("  €", "Give an amount, for example 12.50."),
        ("abc", "“abc” is not an amount. Example: 12.50."),
        ("1e5", "“1e5” is not an amount. Example: 12.50."),
        ("0x10", "“0x10” is not an amount. Example: 12.50."),
        ("NaN", "“NaN” is not an amount. Example: 12.50."),
        ("٣", "“٣” is not an amount. Example: 12.50."),
        ("1_000", "“1_000” is not an amount. Example: 12.50."),
        ("12 34", "“12 34” is not an amount. Example: 12.50."),
        ("1.234.56", "“1.234.56” is not an amount. Example: 12.50."),
        ("12,505", "Two digits at most after the decimal point."),
        ("0,123", "Two digits at most after the decimal point."),
        ("1234,567", "Two digits at most after the decimal point."),
        ("1,234", "Ambiguous amount: €1.23 or €1,234? Write 1234 or 1.23."),
        ("-5", "The amount must be more than 0."),
        ("0", "The amount must be more than 0."),
        ("999999999", "The amount is over €10,000. Check what you typed."),
        ("9" * 5000, "The amount is over €10,000. Check what you typed."),
    ],
)
def test_what_is_no_amount_is_refused_in_words(typed, message):
    with pytest.raises(Refused) as refused:
        euros.parse_cents(typed)
    assert str(refused.value) == message


def test_bounds_are_said_in_the_refusal():
    with pytest.raises(Refused, match="at least €5"):
        euros.parse_cents("4,99", min_cents=500)
    with pytest.raises(Refused, match="cannot be negative"):
        euros.parse_cents("-1", min_cents=0)
    assert euros.parse_cents("0", min_cents=0) == 0
    assert euros.parse_cents("-42", min_cents=-10000) == -4200


@given(st.integers(1, euros.HIGHEST_CENTS), st.sampled_from(["fr", "en"]))
def test_every_amount_we_write_can_be_typed_back(cents, language):
    assert euros.parse_cents(euros.euros_text(cents, language)) == cents
    assert euros.parse_cents(euros.decimal_text(cents, language)) == cents


@given(st.text(max_size=12))
def test_any_text_is_an_amount_within_bounds_or_refused(text):
    with suppress(Refused):
        assert 1 <= euros.parse_cents(text) <= euros.HIGHEST_CENTS


@pytest.mark.parametrize(("typed", "hundredths"), [("0,5", 50), ("42", 4200), ("70 %", 7000), ("42.25", 4225)])
def test_a_number_with_decimals_is_understood(typed, hundredths):
    assert euros.parse_hundredths(typed) == hundredths


@pytest.mark.parametrize("typed", ["", "-1", "1,234", "½", "1e2", "99999999"])
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(Refused):
        euros.parse_hundredths(typed)


class PriceForm(forms.Form):
    price = euros.EuroField(max_cents=50_000)
    gift = euros.EuroField(required=False)
    capacity = euros.HundredthsField()


def test_the_fields_clean_to_cents_and_hundredths():
    form = PriceForm({"price": "21,50", "gift": "", "capacity": "42,5"})
    assert form.is_valid()
    assert form.cleaned_data == {"price": 2150, "gift": None, "capacity": 4250}


def test_the_fields_explain_what_is_wrong_and_keep_what_was_typed():
    form = PriceForm({"price": "", "gift": "1,234", "capacity": "lots"})
    assert form.errors["price"] == ["Give an amount, for example 12.50."]
    assert "Ambiguous" in form.errors["gift"][0]
    assert "“lots”" in form.errors["capacity"][0]
    assert form["gift"].value() == "1,234"
    assert 'value="lots"' in str(form["capacity"])


def test_the_fields_start_with_the_amount_in_the_readers_language():
    form = PriceForm(initial={"price": 2150, "capacity": 4200})
    assert form["price"].value() == "21.50"
    assert 'inputmode="decimal"' in str(form["price"])
    with override("fr"):
        assert form["price"].value() == "21,50"
        assert form["capacity"].value() == "42"


def test_a_field_left_as_it_was_has_not_changed():
    form = PriceForm({"price": "21,50", "capacity": "42,0"}, initial={"price": 2150, "capacity": 4200})
    assert form.changed_data == []
