"""The liaison comes home with a pile of cheques, records it, and hands it over to the farm (BR-38, BR-39)."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from amap import clock
from contracts.models import Cheque, Instalment
from tests.journeys.looks import check_axe, check_fits


@pytest.mark.parametrize("javascript", [True, False])
def test_a_pile_is_recorded_and_handed_over(amap, browse, javascript):
    offer = amap.offer(start=clock.today() - timedelta(weeks=5))
    amap.subscribe(amap.household, offer)
    amap.subscribe(amap.new_household("Ancel"), offer, size=offer.sizes.last(), instalments=1)
    page = browse(amap.liaison, width=390, javascript=javascript)
    page.goto("/belombre/payments/")

    member = page.get_by_role("group").filter(has_text="Membre")
    expect(member.get_by_text("3 cheques awaited, €210.00")).to_be_visible()
    if not member.get_by_label("Bank").is_visible():
        member.locator("summary").click()
    member.get_by_label("Bank").fill("Crédit des champs")
    numbers = member.get_by_label("Cheque no.")
    numbers.first.fill("12 345 6")  # one digit is missing
    page.get_by_role("button", name="Save the pile").last.click()
    expect(member.get_by_text("A cheque's number has 7 digits")).to_be_visible()
    page.get_by_role("link", name="A cheque's number has 7 digits").click()
    expect(numbers.first).to_be_in_viewport()
    expect(member.get_by_label("Bank")).to_have_value("Crédit des champs")
    check_fits(page)
    if javascript:
        check_axe(page)

    numbers.first.fill("1234567")
    member.get_by_role("button", name="Next numbers").click()
    expect(numbers.last).to_have_value("1234569")
    page.get_by_role("button", name="Save the pile").last.click()
    expect(page.get_by_text("3 cheques received, €210.00")).to_be_visible()
    expect(page.get_by_role("group").filter(has_text="Membre")).to_have_count(0)
    assert list(Cheque.objects.values_list("number", "bank", "amount_cents")) == [
        (number, "Crédit des champs", 7000) for number in ("1234567", "1234568", "1234569")
    ]

    page.get_by_role("link", name="Hand over to the farm").first.click()
    expect(page.get_by_text("2 cheques may be handed over today, €140.00. 1 more is agreed for later.")).to_be_visible()
    page.get_by_role("button", name="Make the slip").click()
    expect(page.get_by_text("Slip no. 1 is made")).to_be_visible()
    check_fits(page)
    if javascript:
        check_axe(page)
    states = Instalment.objects.filter(household=amap.household).values_list("status", flat=True)
    assert list(states) == ["handed_over", "handed_over", "received"]
