"""An empty site becomes an association's: the first page, the treasurer invited, the households brought in."""

import re

import pytest
from playwright.sync_api import expect

from amap import letters
from amap.models import CommitteeSeat, Household, Letter
from tests.journeys.looks import check_axe, check_fits

HOUSEHOLDS = "Nom;Prénom;Courriel\nLEFÈVRE;Noëlle;noelle@exemple.org\nNguyen;Linh;linh@exemple.org\n"


@pytest.mark.django_db(transaction=True)
def test_a_committee_begins_invites_and_brings_its_households_in(browse):
    page = browse(width=390)
    page.goto("/")
    expect(page.get_by_role("heading", name="Let us begin")).to_be_visible()
    check_fits(page)
    check_axe(page)
    for label, text in (
        ("Name of the association", "Les Paniers de Belombre"),
        ("Name of the place", "Préau de l'école"),
        ("Part of the AMAP", "12,00"),
        ("Your name", "Camille Comité"),
        ("Your e-mail", "camille@example.org"),
        ("E-mail of the treasurer", "theo@example.org"),
    ):
        page.get_by_label(re.compile(f"^{label}")).fill(text)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Welcome! Les Paniers de Belombre has its place here now.")).to_be_visible()

    letter = letters.message([Letter.objects.get(kind="invitation")])
    assert letter.to == ["theo@example.org"]
    treasurer = browse(width=390)
    treasurer.goto(re.search(r"/invitations/[^/\s]+/", letter.body)[0])
    treasurer.get_by_label("Your name").fill("Théo Trésor")
    treasurer.get_by_role("button", name="Accept").click()
    expect(treasurer.get_by_text("Welcome! You belong to Les Paniers de Belombre now.")).to_be_visible()
    assert CommitteeSeat.objects.get(role="treasurer").user.name == "Théo Trésor"

    page.goto("/les-paniers-de-belombre/imports/")
    page.get_by_role("link", name="Choose a file Households").click()
    file = {"name": "foyers.csv", "mimeType": "text/csv", "buffer": HOUSEHOLDS.encode("cp1252")}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Read the file").click()
    page.get_by_role("button", name="Write 2 lines").click()
    expect(page.get_by_text("It is done: 2 new, 0 changed.")).to_be_visible()
    page.goto("/les-paniers-de-belombre/households/")
    expect(page.get_by_role("link", name="Lefèvre")).to_be_visible()
    assert Household.objects.count() >= 2
