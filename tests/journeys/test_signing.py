"""A member signs for a season on a phone, with scripts and without; a liaison does it for a household on paper."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from amap import clock
from contracts.models import ContractOffer, Subscription
from tests.journeys.looks import check_axe, check_fits


@pytest.fixture
def offer(amap):
    today = clock.today()
    amap.period.starts_on, amap.period.ends_on = today - timedelta(days=90), today + timedelta(days=275)
    amap.period.save()
    return amap.offer(status="open", start=today + timedelta(weeks=2), alternate_allowed=True)


def look(page, javascript):
    check_fits(page)
    if javascript:
        check_axe(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_member_signs_on_a_phone(amap, offer, browse, javascript):
    page = browse(amap.member, width=390, javascript=javascript)
    page.goto(f"/{amap.slug}/offers/{offer.pk}/sign/")
    look(page, javascript)
    if javascript:
        page.get_by_role("button", name="One more: Part entière").click()
        expect(page.locator("#price")).to_contain_text("€210.00")
    else:
        page.get_by_role("spinbutton", name="Part entière").fill("1")
    page.get_by_role("button", name="Continue").click()
    look(page, javascript)
    page.get_by_label("Cheque").check()
    page.get_by_label("3 payments of €70.00").check()
    page.get_by_role("button", name="Continue").click()
    look(page, javascript)
    expect(page.get_by_text("For the season").first).to_be_visible()
    page.get_by_label("Your first and last name").fill("Mina Membre")
    page.get_by_label("I have read this contract").check()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_text("Signed! The contract is below")).to_be_visible()
    expect(page.get_by_text("3 cheques missing (€210.00)")).to_be_visible()
    look(page, javascript)
    signed = Subscription.objects.get()
    assert (signed.household, signed.total_cents, signed.instalments.count()) == (amap.household, 21000, 3)
    page.goto(f"/{amap.slug}/my-contracts/")
    look(page, javascript)


def test_quantities_by_date_on_a_phone_and_in_french(amap, offer, browse):
    grocery = amap.offer(title="Épicerie", kind="by_date", status="open", deliveries=3, start=offer.starts_on)
    page = browse(amap.member, width=390, language="fr")
    page.goto(f"/{amap.slug}/offers/{grocery.pk}/sign/")
    page.locator("table.grid tbody tr").first.locator("input").first.fill("2")
    expect(page.locator("#price")).to_contain_text("5,60")
    look(page, True)
    page.locator("button[value=copy]").click()
    expect(page.locator("#price")).to_contain_text("16,80")


def test_a_liaison_records_a_paper_contract_and_sees_the_waiting_list(amap, offer, browse):
    household = amap.new_household("Sans-Courriel")
    page = browse(amap.committee)
    page.goto(f"/{amap.slug}/offers/{offer.pk}/sign/?household={household.pk}")
    page.get_by_role("spinbutton", name="Demi-part").fill("1")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Who signed the paper contract?").fill("Odette Sans-Courriel")
    page.get_by_label("I hold the paper contract").check()
    page.get_by_role("button", name="Record the signature").click()
    expect(page.get_by_text("Odette Sans-Courriel, on paper; written down by Camille Comité")).to_be_visible()
    check_axe(page)
    ContractOffer.objects.filter(pk=offer.pk).update(taken_hundredths=4200)
    late = amap.new_household("Tardif")
    page.goto(f"/{amap.slug}/offers/{offer.pk}/sign/?household={late.pk}")
    check_axe(page)
    page.get_by_role("spinbutton", name="Part entière").fill("1")
    page.get_by_role("button", name="Join the waiting list").click()
    expect(page.get_by_role("listitem").filter(has_text="Tardif")).to_be_visible()
    check_axe(page)
    page.goto(f"/{amap.slug}/subscriptions/?offer={offer.pk}")
    check_axe(page)
