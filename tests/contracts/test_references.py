import pytest
import segno.helpers
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from contracts import references

IBAN = "FR7630006000011234567890189"
VECTOR = {"payee": "EARL Ferme des Saules Gris", "iban": IBAN, "amount_cents": 8400, "reference": "AMAP-LEG26-H017-03"}


def test_the_reference_of_br_40():
    assert references.transfer_reference("LEG26", 17, 3) == "AMAP-LEG26-H017-03"
    assert references.transfer_reference("leg26", 1234, 12) == "AMAP-LEG26-H1234-12"


@given(st.sets(st.tuples(st.integers(1, 2000), st.integers(1, 60)), min_size=2))
def test_two_instalments_never_share_a_reference_br_40(instalments):
    assert len({references.transfer_reference("LEG26", *each) for each in instalments}) == len(instalments)


def test_the_qr_payload_of_br_40():
    assert references.epc_payload(**VECTOR).split("\n") == [
        "BCD",
        "002",
        "1",
        "SCT",
        "",
        "EARL Ferme des Saules Gris",
        IBAN,
        "EUR84.00",
        "",
        "",
        "AMAP-LEG26-H017-03",
    ]


def test_the_qr_code_is_the_one_another_maker_draws_br_40():
    ours = references.qr_code(references.epc_payload(**VECTOR | {"amount_cents": 8425}))
    theirs = segno.helpers.make_epc_qr(
        name=VECTOR["payee"], iban=IBAN, amount="84.25", text=VECTOR["reference"], encoding="utf-8"
    )
    assert (ours.matrix, ours.error) == (theirs.matrix, "M")


TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


@given(TEXT, TEXT, st.integers(1, 99_999_999_999))
def test_any_payee_and_reference_make_a_code_that_can_be_read_br_40(payee, reference, cents):
    payload = references.epc_payload(payee=payee, iban=IBAN, amount_cents=cents, reference=reference)
    lines = payload.split("\n")
    assert len(lines) == 11
    assert (len(lines[5]) <= 70, len(lines[10]) <= 140) == (True, True)
    assert round(float(lines[7].removeprefix("EUR")) * 100) == cents


def test_the_longest_code_stays_within_version_13_br_40():
    payload = references.epc_payload(
        payee="é" * 70, iban="FR" + "7" * 32, amount_cents=99_999_999_999, reference="É" * 140, bic="BREDFRPPXXX"
    )
    assert int(references.qr_code(payload).version) <= 13


@pytest.mark.parametrize("cents", [0, -1, 100_000_000_000])
def test_there_is_no_transfer_of_nothing_br_40(cents):
    with pytest.raises(ValueError):
        references.epc_payload(**VECTOR | {"amount_cents": cents})


def test_the_drawing_has_a_text_alternative_and_no_inline_style():
    svg = etree.fromstring(references.qr_svg(references.epc_payload(**VECTOR), title="Transfer of €84.00 & more"))
    assert svg.findtext("title") == "Transfer of €84.00 & more"
    assert "viewBox" in svg.attrib
    assert not [element for element in svg.iter() if "style" in element.attrib]
