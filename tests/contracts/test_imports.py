"""Contracts that run on paper already, brought in as grids (BR-2, BR-16, BR-20 to BR-23)."""

import io
from datetime import date

import pytest
import time_machine
import xlsxwriter
from django.utils.translation import override

from amap.models import Letter, MembershipPeriod, Movement, User
from contracts.models import ContractOffer, Instalment, Product, Signature, Subscription
from tests.amap.test_imports import Desk
from tests.cast import NOW, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with override("en"):
        yield


@pytest.fixture
def a():
    amap = Amap()
    for name, email in (("Martin", "jo@exemple.org"), ("Lefèvre", ""), ("D’Œuf", "")):
        household = amap.new_household(name)
        household.members.create(association=amap.association, name=f"Jo {name}", email=email)
    return amap


class Grid(Desk):
    """The committee's browser, bringing in the contracts of an offer."""

    def bring(self, offer, data, name="contrats.csv", **options):
        defaults = {"offer": offer.pk, "method": "cheque", "count": "3", "payments": "handed_in"}
        return self.send("contracts", data, name, **defaults | {"signed_on": "", "first_on": ""} | options)


@pytest.fixture
def desk(client, a):
    with time_machine.travel(NOW, tick=False):
        yield Grid(client, a)


SHARES = """Contrats légumes;;;;;
Nom;Prénom;Courriel;Part entière;Demi-part;Nb chèques
MARTIN;Jo;;1;;3
Lefevre;Jo;;;2,0;1
;;;;;
D'Œuf;Jo;;x;;
Inconnu;Max;;1;;
Total;;;2;2;
"""


def totals(offer):
    return {
        one.household.name: (one.status, one.total_cents, one.first_rank, one.instalments.count())
        for one in Subscription.objects.filter(offer=offer).select_related("household")
    }


def test_a_grid_of_shares_becomes_contracts(desk, a):
    offer = a.offer()
    desk.bring(offer, SHARES.encode("cp1252"), payments="awaited")
    plan = desk.look().context["plan"]
    assert [(line.number, line.state) for line in plan.lines] == [(3, "new"), (4, "new"), (6, "new"), (7, "wrong")]
    assert (plan.table.blank, plan.table.totals) == (1, [8])
    assert desk.reasons()[7].startswith("No household here is like that.")
    assert not Subscription.objects.exists()
    assert "3 new" in desk.confirm(without_wrong="on")[0]
    assert totals(offer) == {
        "Martin": ("awaiting_documents", 21000, 1, 3),
        "Lefèvre": ("awaiting_documents", 21000, 1, 1),
        "D’Œuf": ("awaiting_documents", 21000, 1, 3),
    }
    assert not Subscription.objects.exclude(payments_from=None).exists(), "BR-43c: these papers are signed already."
    offer.refresh_from_db()
    assert offer.taken_hundredths == 300
    signature = Signature.objects.get(subscription__household__name="Martin")
    assert (signature.is_paper, signature.name) == (True, "Martin, imported from contrats.csv")
    martin = Subscription.objects.get(household__name="Martin")
    assert Movement.objects.balance(f"due:{martin.pk}") == 21000
    assert sum(one.amount_cents for one in martin.instalments.all()) == 21000
    assert not Letter.objects.exists()


def test_payments_that_were_handed_in_make_the_contracts_valid(desk, a):
    """BR-21: membership, signature and all the cheques."""
    offer = a.offer()
    desk.bring(offer, SHARES, without_wrong="on")
    desk.confirm(without_wrong="on")
    assert {status for status, *_rest in totals(offer).values()} == {"active"}
    assert set(Instalment.objects.values_list("status", flat=True)) == {"received"}
    assert Movement.objects.balance(f"cheques_held:{a.farm.pk}") == 63000
    assert not Letter.objects.exists()


def test_transfers_that_were_ordered_are_declared(desk, a):
    offer = a.offer()
    desk.bring(offer, "Courriel;Demi-part\njo@exemple.org;1\n", method="transfer")
    desk.confirm()
    assert totals(offer)["Martin"][:2] == ("active", 10500)
    assert set(Instalment.objects.values_list("status", flat=True)) == {"declared"}


def test_the_same_grid_again_changes_nothing_and_another_quantity_is_wrong(desk, a):
    offer = a.offer()
    desk.bring(offer, SHARES)
    desk.confirm(without_wrong="on")
    before = totals(offer)
    desk.bring(offer, SHARES.replace("MARTIN;Jo;;1;", "MARTIN;Jo;;2;"))
    assert [state for _line, state, _title in desk.states()] == ["wrong", "unchanged", "unchanged", "wrong"]
    assert desk.reasons()[3] == (
        "A contract with other quantities is here already (1 × Part entière). It is changed on its page."
    )
    assert desk.confirm(without_wrong="on") == ["There is nothing to write: everything is here already."]
    assert totals(offer) == before


@pytest.mark.parametrize("payments", ["awaited", "handed_in"])
def test_contracts_are_taken_back_and_their_places_too(desk, a, payments):
    offer = a.offer()
    desk.bring(offer, SHARES, payments=payments)
    desk.confirm(without_wrong="on")
    assert desk.undo() == ["The import has been undone."]
    assert not Subscription.objects.exists()
    assert not Instalment.objects.exists()
    offer.refresh_from_db()
    assert offer.taken_hundredths == 0
    assert Movement.objects.balance(f"cheques_held:{a.farm.pk}") == 0
    assert sum(one.amount_cents for one in Movement.objects.filter(reverses=None)) == sum(
        one.amount_cents for one in Movement.objects.exclude(reverses=None)
    )
    desk.bring(offer, SHARES, payments=payments)
    assert "3 new" in desk.confirm(without_wrong="on")[0]


def test_they_stay_once_a_payment_has_moved_on(desk, a):
    offer = a.offer()
    desk.bring(offer, SHARES, payments="awaited")
    desk.confirm(without_wrong="on")
    Instalment.objects.filter(household__name="Martin", number=1).update(status="received")
    assert desk.undo() == ["It can no longer be undone: since then Martin has had a basket, or a payment has moved on."]
    assert Subscription.objects.count() == 3


def test_the_capacity_is_never_exceeded(desk, a):
    """BR-20."""
    offer = a.offer(capacity_hundredths=250)
    desk.bring(offer, SHARES)
    assert desk.reasons()[6] == "No room left: 1 asked, 0.5 free."
    seen = desk.look().context["plan"].fingerprint
    ContractOffer.objects.filter(pk=offer.pk).update(taken_hundredths=200)
    url = desk.url("import_confirm", desk.batch.pk)
    answer = desk.client.post(url, {"seen": seen, "without_wrong": "on"}, follow=True)
    assert "Something has changed since you looked" in str(next(iter(answer.context["messages"])))
    assert not Subscription.objects.exists()


def test_a_household_whose_fee_is_not_recorded_has_its_contract_and_the_fee_is_awaited_br_21(desk, a):
    household = a.new_household("Sans", paid=False)
    desk.bring(a.offer(), "Foyer;Part entière\nSans;1\n")
    desk.confirm()
    assert household.subscriptions.get().status == "awaiting_documents"
    assert household.memberships.get().status == "pending"


def test_a_household_whose_membership_has_run_out_has_no_new_contract_br_2(desk, a):
    """Its first delivery is on 1 October; the membership was over on 31 August."""
    MembershipPeriod.objects.update(starts_on=date(2025, 9, 1), ends_on=date(2026, 8, 31))
    a.new_household("Ancien")
    desk.bring(a.offer(), "Foyer;Part entière\nAncien;1\n")
    assert desk.reasons()[2].startswith("The membership of this household ran out on 31 August 2026.")
    desk.bring(a.offer(start=date(2026, 8, 27), deliveries=20), "Foyer;Part entière\nAncien;1\n")
    assert desk.reasons() == {}


def test_a_column_may_name_the_share_and_the_turn(desk, a):
    """BR-80."""
    offer = a.offer(alternate_allowed=True)
    desk.bring(
        offer,
        "Foyer;Formule;Qté;Semaine\nMartin;demi part;2;A\nLefèvre;Entière;;\nD’Œuf;Géant;;\nComité;entière;;C\n",
        count="1",
    )
    assert desk.reasons() == {
        4: "“Géant” is none of: Part entière, Demi-part.",
        5: "“C” is no turn: A, B or nothing.",
    }
    lines = {line.title: line.details[0] for line in desk.look().context["plan"].lines if line.state == "new"}
    assert list(lines.values()) == ["2 × Demi-part (every other delivery, turn A)", "1 × Part entière"]


@pytest.mark.parametrize(
    "grid",
    [
        "Foyer;Part entière\nMartin;0,5\n",
        "Foyer;Part entière\nMartin;½\n",
        "Foyer;Part entière;Demi-part\nMartin;0.5;\n",
        "Foyer;1;0,5\nMartin;;1\n",
        "Foyer;Formule\nMartin;0,5\n",
        "Foyer;Formule;Qté\nMartin;Part entière;0,5\n",
    ],
)
def test_half_a_share_may_be_written_as_a_number(desk, a, grid):
    """BR-15."""
    desk.bring(a.offer(), grid, count="1")
    assert [line.details[0] for line in desk.look().context["plan"].lines] == ["1 × Demi-part"]


@pytest.mark.parametrize("cell", ["1,5", "1.50", "1½", "1 1/2"])
def test_one_and_a_half_are_a_whole_and_a_half(desk, a, cell):
    """BR-15."""
    desk.bring(a.offer(), f"Foyer;Part entière;Demi-part\nMartin;{cell};\n", count="1")
    assert [set(line.details[0].split(", ")) for line in desk.look().context["plan"].lines] == [
        {"1 × Part entière", "1 × Demi-part"}
    ]


def test_a_number_of_shares_is_understood_however_it_is_shortened(desk, a):
    desk.bring(a.offer(), "Nom;Nbre de parts;Type de panier\nMartin;2,0;Grand\n", count="1")
    assert [line.details[0] for line in desk.look().context["plan"].lines] == ["2 × Part entière"]


def test_br33_a_small_total_has_fewer_instalments_than_the_others_unless_the_line_says_how_many(desk, a):
    offer = by_date(a)
    grid = "Nom;Produit;Nb chèques;01/10/2026;08/10/2026\nMartin;Huile;;2;2\nLefèvre;Huile;;1;\nD’Œuf;Huile;3;1;\n"
    desk.bring(offer, grid, count="3")
    assert [line.details[1] for line in desk.look().context["plan"].lines if line.details] == [
        "€26.00, 1 instalment",
        "€6.50, 1 instalment",
    ]
    assert desk.reasons() == {4: "Choose one of these numbers of instalments: 1."}


def test_a_household_is_found_by_both_its_people(desk, a):
    household = a.new_household("Martin – Petit")
    for name, email in (("Paul Martin", "paul@exemple.org"), ("Julie Petit", "julie@exemple.org")):
        household.members.create(association=a.association, name=name, email=email)
    offer = a.offer()
    for grid in (
        "Nom et prénom;Part entière\nPaul Martin et Julie Petit;1\n",
        "Nom et prénom;E-mails;Part entière\nJulie et Paul;julie@exemple.org / paul@exemple.org;1\n",
    ):
        desk.bring(offer, grid, count="1")
        assert [line.title for line in desk.look().context["plan"].lines] == [f"{household.code} Martin – Petit"]


def test_half_of_a_share_without_a_half_size_is_no_quantity(desk, a):
    offer = a.offer()
    offer.sizes.filter(coefficient_hundredths=50).delete()
    desk.bring(offer, "Foyer;Part entière\nMartin;0,5\n")
    assert desk.reasons() == {2: "“0,5” is not a whole quantity."}


def test_contracts_may_begin_later_than_the_season(desk, a):
    """BR-23."""
    offer = a.offer()
    desk.bring(offer, "Foyer;Part entière\nMartin;1\n", first_on="2026-11-01", count="1")
    desk.confirm()
    assert totals(offer)["Martin"] == ("active", 5 * 2100, 6, 1)


def by_date(a, products=("Farine de blé", "Huile")):
    offer = a.offer(kind="by_date", title="Farine", deliveries=4)
    if len(products) == 1:
        Product.objects.filter(offer=offer, name="Huile").delete()
    return offer


def test_a_grid_by_date_with_a_column_of_products(desk, a):
    """BR-81."""
    offer = by_date(a)
    desk.bring(
        offer,
        "Foyer;Produit;jeudi 1er octobre 2026;08/10;15/10/26;22 oct.\n"
        "Martin;Farine de blé;1;;2;\n"
        "Martin;Huile;;1;;\n"
        "Lefèvre;Huile;;;;1,5\n",
        count="1",
    )
    assert desk.batch.columns == ["household", "item", "rank_1", "rank_2", "rank_3", "rank_4"]
    assert desk.reasons()[4] == "“1,5” is not a whole quantity."
    desk.confirm(without_wrong="on")
    signed = Subscription.objects.get(household__name="Martin")
    assert signed.total_cents == 3 * 280 + 650
    lines = signed.lines.order_by("delivery__rank").values_list("delivery__rank", "product__name", "quantity")
    assert list(lines) == [(1, "Farine de blé", 1), (2, "Huile", 1), (3, "Farine de blé", 2)]


def sheets(**products):
    """A workbook with a sheet per product: true dates as headings, one household."""
    answer = io.BytesIO()
    book = xlsxwriter.Workbook(answer, {"in_memory": True})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for product, quantities in products.items():
        page = book.add_worksheet(product.replace("_", " "))
        page.write(0, 0, "Adhérent")
        for n, when in enumerate(quantities, start=1):
            page.write_datetime(0, n, when, day)
        page.write_row(1, 0, ["Jo Martin", *quantities.values()])
    book.close()
    return answer.getvalue()


FIRST, SECOND, THIRD = date(2026, 10, 1), date(2026, 10, 8), date(2026, 10, 15)


def test_a_sheet_per_product_with_dates_of_excel(desk, a):
    file = sheets(Farine={FIRST: 1, SECOND: 0}, Huile_50_cl={FIRST: "", SECOND: 2}, Notice={FIRST: "", SECOND: 9})
    desk.bring(by_date(a), file, "farine.xlsx", count="1")
    desk.confirm()
    assert Subscription.objects.get().total_cents == 280 + 2 * 650


def test_sheets_with_other_headings_are_not_read_under_the_wrong_dates(desk, a):
    file = sheets(Farine={FIRST: 1, SECOND: 0}, Huile={SECOND: 1, THIRD: 2})
    page = desk.bring(by_date(a), file, "farine.xlsx", count="1")
    assert page.context["plan"].problem == (
        "These sheets do not have the same headings as “Farine”: Huile. Make them alike."
    )


def test_another_contract_may_be_chosen_afterwards(desk, a):
    shares, dates = a.offer(), by_date(a)
    desk.bring(shares, "Foyer;Produit;01/10/2026\nMartin;Huile;2\n", count="1")
    assert desk.batch.columns == ["household", "item", ""]
    answers = {"offer": dates.pk, "method": "cheque", "count": "1", "payments": "awaited"}
    columns = {"sheet": 0, "heading_line": 1, "column_0": "household", "column_1": "item", "column_2": ""}
    desk.client.post(desk.url("import_match", desk.batch.pk), answers | columns)
    desk.batch.refresh_from_db()
    assert desk.batch.columns == ["household", "item", "rank_1"]
    desk.confirm()
    assert Subscription.objects.get().total_cents == 1300


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@pytest.mark.parametrize(("out", "back"), [("fr", "en"), ("en", "fr")])
def test_what_is_taken_out_comes_in_again_unchanged(desk, a, file_format, out, back):
    shares, dates = a.offer(alternate_allowed=True), by_date(a)
    desk.bring(shares, "Foyer;Part entière;Demi-part;Tour\nMartin;1;;\nMartin;;1;B\nLefèvre;;2;A\n", count="1")
    desk.confirm()
    desk.bring(dates, "Foyer;Produit;01/10/2026;08/10/2026\nMartin;Farine de blé;1;3\nMartin;Huile;;1\n", count="1")
    desk.confirm()
    for offer, lines in ((shares, 2), (dates, 1)):
        User.objects.update(language=out)
        answer = desk.client.get(desk.url("export", "contracts"), {"of": offer.pk, "format": file_format})
        data = b"".join(answer.streaming_content) if answer.streaming else answer.content
        User.objects.update(language=back)
        desk.bring(offer, data, f"x.{file_format}")
        assert [state for _line, state, _title in desk.states()] == ["unchanged"] * lines


def test_without_an_open_offer_the_page_says_what_comes_first(desk, a):
    a.offer(status="draft")
    page = desk.client.get(desk.url("import_new", "contracts")).content.decode()
    assert "None yet. Propose a season contract first, agree on it and open it." in page


def test_the_contracts_of_another_association_are_not_there(desk, a):
    """BR-76."""
    theirs = Amap("ailleurs", "Ailleurs")
    offer = theirs.offer()
    theirs.subscribe(theirs.household, offer)
    answer = desk.client.get(desk.url("export", "contracts"), {"of": offer.pk})
    assert b"".join(answer.streaming_content) == b"\xef\xbb\xbf\r\n"
    answer = desk.bring(offer, SHARES)
    assert answer.status_code == 200
    assert "valid choice" in answer.content.decode()


def test_only_the_committee_brings_in_contracts(client, a):
    desk = Desk(client, a, a.secretary)
    assert client.get(desk.url("import_new", "contracts")).status_code == 403
    assert client.get(desk.url("export", "contracts")).status_code == 403


def test_a_big_grid_takes_few_queries(desk, a, django_assert_max_num_queries):
    offer = a.offer(capacity_hundredths=100_000)
    for n in range(60):
        a.new_household(f"Foyer{n}")
    desk.bring(offer, "Foyer;Part entière\n" + "".join(f"Foyer{n};1\n" for n in range(60)))
    with django_assert_max_num_queries(10):
        page = desk.look()
    assert page.context["plan"].count("new") == 60
