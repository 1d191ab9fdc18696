"""A committee brings in the spreadsheets it has: its households, then the contracts that run, and changes its mind."""

from amap.models import Household
from contracts.models import Subscription
from tests.journeys.looks import check_axe, check_fits

HOUSEHOLDS = """Liste des adhérents;;;;;;
NOM;Prénom;Courriel;Remarque;Mail conjoint;CP;Adhésion payée
LEFÈVRE;Noëlle;noelle@exemple.org;sans œufs;;01000;oui
Nguyen;Linh;linh@exemple.org;;paul@exemple.org;99100;20,00 chq
Faux;Ada;pas une adresse;;;99100;non
Total;3;;;;;
"""
CONTRACTS = "Adhérent;Part entière;Demi-part\nNoëlle Lefèvre;1;\nNguyen;;2\nTotal;1;2\n"


def send(page, name, text):
    file = {"name": name, "mimeType": "text/csv", "buffer": text.encode("cp1252")}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Read the file").click()


def test_households_then_contracts_come_in_on_a_phone_without_javascript(browse, amap):
    offer = amap.offer()
    page = browse(amap.committee, width=390, javascript=False)
    page.goto(f"/{amap.slug}/imports/")
    check_fits(page)
    page.get_by_role("link", name="Choose a file Households").click()
    check_fits(page)
    send(page, "adherents.csv", HOUSEHOLDS)

    page.get_by_text("Skipped as totals: line 6.").wait_for()
    page.get_by_text("Not an e-mail address").wait_for()
    check_fits(page)
    assert not Household.objects.filter(name="Nguyen").exists()

    page.get_by_text("Columns: what we made of them").click()
    page.get_by_label("Remarque").select_option(label="Town")
    page.get_by_role("button", name="Read again like this").click()
    page.locator(".lines td", has_text="sans œufs").wait_for()
    page.get_by_text("Columns: what we made of them").click()
    page.get_by_label("Remarque").select_option(label="– left out –")
    page.get_by_role("button", name="Read again like this").click()

    page.get_by_label("Leave out the wrong line").check()
    page.get_by_role("button", name="Write 2 lines").click()
    page.get_by_text("It is done: 2 new, 0 changed.").wait_for()
    check_fits(page)
    noelle = Household.objects.get(name="LEFÈVRE")
    assert (noelle.postal_code, noelle.city) == ("01000", "")

    page.goto(f"/{amap.slug}/imports/new/contracts/")
    page.get_by_label("Number of instalments").fill("3")
    send(page, "contrats.csv", CONTRACTS)
    page.get_by_role("button", name="Write 2 lines").click()
    page.get_by_text("It is done: 2 new, 0 changed.").wait_for()
    assert set(Subscription.objects.values_list("status", "total_cents")) == {("active", 21000)}

    page.get_by_role("button", name="Undo this import").click()
    page.get_by_text("The import has been undone.").wait_for()
    assert not Subscription.objects.exists()
    offer.refresh_from_db()
    assert offer.taken_hundredths == 0


def test_the_pages_of_lists_please_everybody(browse, amap):
    amap.offer()
    for language, read in (("en", "Read the file"), ("fr", None)):
        page = browse(amap.committee, language=language)
        page.goto(f"/{amap.slug}/imports/")
        check_axe(page)
        for kind in ("households", "farms", "contracts"):
            page.goto(f"/{amap.slug}/imports/new/{kind}/")
            page.locator("main summary").click()
            check_axe(page)
        if read:
            page.goto(f"/{amap.slug}/imports/new/households/")
            send(page, "adherents.csv", HOUSEHOLDS)
            page.locator("main summary").click()
            check_axe(page)
