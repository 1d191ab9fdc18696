"""A farmer writes next season's offer, the committee agrees and opens it (BR-8 to BR-12)."""

from playwright.sync_api import expect

from contracts.models import ContractOffer
from tests.journeys.looks import check_axe, check_fits


def test_a_farmer_and_the_committee_agree_on_an_offer(browse, amap):
    """On a phone for the farmer, without JavaScript for the committee."""
    amap.association.mediation_contact = "Le réseau"
    amap.association.save()
    page = browse(amap.farmer, width=390)
    page.goto(f"/{amap.slug}/offers/new/")
    page.get_by_role("link", name="A new kind of offer").click()
    page.get_by_label("Title").fill("Légumes 2027-28")
    page.get_by_role("button", name="Make the draft").click()

    page.get_by_label("First delivery, from").fill("2027-04-01")
    page.get_by_label("Last delivery, until").fill("2028-03-23")
    page.get_by_label("Dates without delivery").fill("12/08/2027, 19/08/2027, 23/12/2027, 30/12/2027")
    check_axe(page)
    page.get_by_role("button", name="Save and continue").click()

    for n, (what, cents) in enumerate([("Semences", "18480"), ("Tracteur", "42000")]):
        page.locator(f"[name=line-{n}-label]").fill(what)
        page.locator(f"[name=line-{n}-amount_cents]").fill(cents)
    page.get_by_label("Part of the farm's budget").fill("70 %")
    page.get_by_label("Whole shares the budget is divided by").fill("42")
    check_axe(page)
    check_fits(page)
    page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_label("Price of a whole share")).to_have_value("21.00")
    check_axe(page)
    check_fits(page)
    page.get_by_role("button", name="Save and continue").click()
    check_axe(page)
    page.get_by_role("button", name="Save and continue").click()
    check_axe(page)
    page.get_by_role("button", name="Save and continue").click()

    page.get_by_role("button", name="Propose version 1").click()
    page.get_by_role("button", name="Accept version 1 for the farm").click()
    page.get_by_text("Waiting for: the committee.").wait_for()
    check_axe(page)
    check_fits(page)

    page = browse(amap.committee, javascript=False)
    page.goto(f"/{amap.slug}/offers/")
    page.get_by_role("link", name="Légumes 2027-28").click()
    page.get_by_role("button", name="Accept version 1 for the committee").click()
    page.get_by_role("button", name="Open sign-up").click()
    page.get_by_text("Sign-up is open, and every household is told.").wait_for()
    offer = ContractOffer.objects.get(title="Légumes 2027-28")
    assert (offer.status, offer.reference_price_cents, offer.deliveries.count()) == ("open", 2100, 48)

    page = browse(amap.member, width=390)
    page.goto(f"/{amap.slug}/offers/{offer.pk}/")
    page.get_by_role("link", name="Sign up").wait_for()
    check_axe(page)
    check_fits(page)
