"""Lists in and out: households, farms, fees. Files are built here as AMAPs really keep them."""

import io
from datetime import date, datetime

import pytest
import time_machine
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.translation import override

from amap import jobs
from amap.actions import people
from amap.euros import euros_text
from amap.imports.farms import Farms
from amap.imports.households import Households
from amap.models import (
    CommitteeSeat,
    Farm,
    Farmer,
    Household,
    Import,
    Job,
    Letter,
    Member,
    Membership,
    Movement,
    Partnership,
    User,
)
from tests.amap.test_spreadsheets import ods
from tests.cast import NOW, Amap

pytestmark = pytest.mark.django_db

MESSY = """Liste des adhérents 2026;;;;;;;;;;
;;;;;;;;;;
N°;NOM;Prénom;Courriel;Tél. portable;Prénom conjoint;Mail conjoint;Adresse;CP;Ville;Adhésion payée
41;LEFÈVRE;Noëlle;NOELLE@exemple.org;06.39.98.00.11;;;12, rue de l’Église;01000;Bourg;oui
42;Nguyen;Linh;linh@exemple.org;639980012;Paul;paul@exemple.org;8 impasse des Lilas;99100;Belombre;20,00 chq
;;;;;;;;;;
43;D’Œuf;Anaïs;;;;;Le Moulin;99200;Aulnette;non
Total;3;;;;;;;;;
"""


@pytest.fixture(autouse=True)
def _english():
    with override("en"):
        yield


@pytest.fixture
def a():
    return Amap()


class Desk:
    """The committee's browser at the import pages."""

    def __init__(self, client, amap, user=None):
        self.client, self.slug = client, amap.slug
        client.force_login(user or amap.committee)

    def url(self, name, *args):
        return reverse(f"amap:{name}", args=[self.slug, *args])

    def send(self, kind, data, name="liste.csv", **options):
        if isinstance(data, str):
            data = data.encode()
        defaults = {"paid_on": "2026-11-21", "method": "cheque", "period": ""}
        answer = self.client.post(
            self.url("import_new", kind), defaults | options | {"file": SimpleUploadedFile(name, data)}
        )
        if answer.status_code != 302:
            return answer
        self.batch = Import.objects.latest("pk")
        return self.look()

    def look(self, **query):
        return self.client.get(self.url("import", self.batch.pk), query)

    def states(self, **query):
        return [(line.number, line.state, line.title) for line in self.look(**query).context["page"]]

    def reasons(self):
        return {line.number: line.reason for line in self.look(show="wrong").context["page"]}

    def confirm(self, **extra):
        seen = self.look().context["plan"].fingerprint
        answer = self.client.post(self.url("import_confirm", self.batch.pk), {"seen": seen, **extra}, follow=True)
        return [str(message) for message in answer.context["messages"]]

    def undo(self):
        answer = self.client.post(self.url("import_undo", self.batch.pk), follow=True)
        return [str(message) for message in answer.context["messages"]]


@pytest.fixture
def desk(client, a):
    time = datetime(2026, 11, 21, 10, 0, tzinfo=NOW.tzinfo)
    with time_machine.travel(time, tick=False):
        yield Desk(client, a)


def rows_of(association):
    """Everything an import may touch, to compare before and after."""
    return [
        list(model.objects.filter(**where).order_by("pk").values())
        for model, where in (
            (Household, {"association": association}),
            (Member, {"association": association}),
            (Membership, {"association": association}),
            (Partnership, {"association": association}),
            (Farm, {}),
        )
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_messy_list_is_understood_and_nothing_is_written_before_the_confirmation(desk, a, encoding):
    before = rows_of(a.association)
    page = desk.send("households", MESSY.encode(encoding, errors="replace"), period=a.period.pk)
    plan = page.context["plan"]
    assert [(line.number, line.state) for line in plan.lines] == [(4, "new"), (5, "new"), (7, "new")]
    assert (plan.table.blank, plan.table.totals) == (1, [8])
    assert rows_of(a.association) == before
    assert b"Skipped as totals: line 8" in page.content

    assert "3 new, 0 changed" in desk.confirm()[0]
    noelle = Household.objects.get(association=a.association, number=41)
    assert (noelle.name, noelle.postal_code, noelle.city) == ("LEFÈVRE", "01000", "Bourg")
    assert list(noelle.members.values_list("name", "email", "phone")) == [
        ("Noëlle LEFÈVRE", "noelle@exemple.org", "+33639980011")
    ]
    couple = Household.objects.get(association=a.association, number=42)
    assert list(couple.members.values_list("name", "email", "phone")) == [
        ("Linh Nguyen", "linh@exemple.org", "+33639980012"),
        ("Paul Nguyen", "paul@exemple.org", ""),
    ]
    fees = Membership.objects.paid().filter(household__number__in=[41, 42, 43], period=a.period)
    assert list(fees.order_by("household__number").values_list("household__number", "total_cents", "method")) == [
        (41, 2000, "cheque"),
        (42, 2000, "cheque"),
    ]
    assert Movement.objects.balance("cheques") == 4000
    assert not Letter.objects.exists()  # what everybody knows is not announced


def test_the_same_file_again_changes_nothing(desk, a):
    desk.send("households", MESSY, period=a.period.pk)
    desk.confirm()
    before = rows_of(a.association)
    desk.send("households", MESSY, period=a.period.pk)
    assert {state for _line, state, _title in desk.states()} == {"unchanged"}
    assert desk.confirm() == ["There is nothing to write: everything is here already."]
    assert rows_of(a.association) == before


def test_an_import_is_undone_to_the_last_row(desk, a):
    before = rows_of(a.association)
    desk.send("households", MESSY, period=a.period.pk)
    desk.confirm()
    assert desk.undo() == ["The import has been undone."]
    assert rows_of(a.association) == before
    assert Movement.objects.balance("cheques") == 0
    assert desk.undo()[0].startswith("This import is undone")


def test_a_confirmed_file_is_forgotten(desk, a):
    desk.send("households", MESSY)
    assert "exemple.org" in str(desk.batch.sheets)
    desk.confirm()
    desk.batch.refresh_from_db()
    assert desk.batch.sheets == []


def test_it_cannot_be_undone_once_something_depends_on_it(desk, a):
    desk.send("households", MESSY)
    desk.confirm()
    a.subscribe(Household.objects.get(number=43), a.offer())
    assert desk.undo() == [
        "It can no longer be undone: since then D’Œuf has been invited, has joined or signed something."
    ]
    assert Household.objects.filter(number=43).exists()


def test_it_cannot_be_undone_once_somebody_has_an_account(desk, a):
    desk.send("households", MESSY)
    desk.confirm()
    Member.objects.filter(email="linh@exemple.org").update(user=a.user("linh", "Linh"))
    assert "Nguyen has been invited" in desk.undo()[0]


def test_people_who_have_an_account_here_find_their_household(desk, a):
    founder = User.objects.create_user("paul@exemple.org", name="Paul")
    CommitteeSeat.objects.create(association=a.association, user=founder, role="committee", starts_on=date(2026, 1, 1))
    desk.send("households", MESSY)
    desk.confirm()
    assert a.household_of(founder).name == "Nguyen"
    assert desk.undo() == ["The import has been undone."]


def test_changes_are_shown_written_and_taken_back(desk, a):
    desk.send("households", MESSY)
    desk.confirm()
    moved = MESSY.replace("8 impasse des Lilas", "1 place Neuve").replace("639980012", "0639980099")
    desk.send("households", moved)
    (line,) = [line for line in desk.look().context["plan"].lines if line.state == "changed"]
    assert line.details == [
        "address: 8 impasse des Lilas → 1 place Neuve",
        "telephone of Linh Nguyen: 06 39 98 00 12 → 06 39 98 00 99",
    ]
    assert "0 new, 1 changed" in desk.confirm()[0]
    household = Household.objects.get(number=42)
    assert household.address == "1 place Neuve"
    # The telephone was changed again since: it stays; the address goes back.
    Member.objects.filter(email="linh@exemple.org").update(phone="+33639980055")
    assert desk.undo()[1].startswith("1 change was left as it is")
    household.refresh_from_db()
    assert household.address == "8 impasse des Lilas"
    assert Member.objects.get(email="linh@exemple.org").phone == "+33639980055"


def test_wrong_lines_say_why_and_stop_everything_until_left_out_on_purpose(desk, a):
    before = rows_of(a.association)
    desk.send(
        "households",
        "Nom;Prénom;E-mail;Téléphone;N° adhérent;Adhésion le\n"
        "Un;Une;une@exemple.org;;;12/09/2025\n"
        "Deux;Double;une@exemple.org;;;\n"
        ";;seul@exemple.org;;;\n"
        "Quatre;;pas une adresse;;;\n"
        "Cinq;;;06 12;;\n"
        "Six;;;;douze;\n"
        "Sept;;;;;31/02/2025\n"
        "Huit;;;;1;\n",
    )
    reasons = desk.reasons()
    assert list(reasons) == [3, 4, 5, 6, 7, 8, 9]
    assert reasons[3] == "Already on line 2. A household is one line, with all its people."
    assert reasons[4] == "No name."
    assert reasons[5].startswith("E-mail, person 1 “pas une adresse”: Not an e-mail address")
    assert reasons[6].startswith("Telephone, person 1 “06 12”: Incomplete number")
    assert reasons[7].startswith("“douze” is not a member number")
    assert reasons[8].startswith("“31/02/2025” is not a date")
    assert reasons[9].startswith("Number 1 is Comité here")
    assert desk.confirm() == ["7 lines are wrong: correct the file, or tick that they are left out."]
    assert rows_of(a.association) == before
    assert "1 new" in desk.confirm(without_wrong="on")[0]
    assert Household.objects.get(name="Un").joined_on == date(2025, 9, 12)


def test_what_changed_since_the_preview_is_not_written_blindly(desk, a):
    desk.send("households", MESSY)
    seen = desk.look().context["plan"].fingerprint
    other = a.new_household("Nguyen")
    Member.objects.create(association=a.association, household=other, name="Linh Nguyen", email="linh@exemple.org")
    answer = desk.client.post(desk.url("import_confirm", desk.batch.pk), {"seen": seen}, follow=True)
    assert [str(one) for one in answer.context["messages"]] == [
        "Something has changed since you looked. Nothing was written: look again, then confirm."
    ]
    assert not Household.objects.filter(number=41).exists()


def test_a_file_is_confirmed_once(desk, a):
    desk.send("households", MESSY)
    seen = desk.look().context["plan"].fingerprint
    for _twice in range(2):
        answer = desk.client.post(desk.url("import_confirm", desk.batch.pk), {"seen": seen}, follow=True)
    assert [str(one) for one in answer.context["messages"]] == [
        "This import is brought in: that cannot be done any more."
    ]
    assert Household.objects.filter(number=41).count() == 1


def test_the_columns_can_be_corrected(desk, a):
    page = desk.send("households", "A;B;C\nMartin;Zoé;1 rue Basse\n")
    assert page.context["plan"].problem == "Say which column holds the name: of the household, or of person 1."
    page = desk.client.post(
        desk.url("import_match", desk.batch.pk),
        {
            "sheet": 0,
            "heading_line": 1,
            "column_0": "last_1",
            "column_1": "first_1",
            "column_2": "address",
            "period": "",
            "paid_on": "2026-11-21",
            "method": "cash",
        },
        follow=True,
    )
    (line,) = page.context["plan"].lines
    assert (line.state, line.title, line.details) == ("new", "Martin", ["Zoé Martin", "1 rue Basse"])
    page = desk.client.post(
        desk.url("import_match", desk.batch.pk),
        {"heading_line": 1, "column_0": "last_1", "column_1": "last_1", "paid_on": "2026-11-21", "method": "cash"},
    )
    assert page.status_code == 422
    assert b"Chosen for two columns." in page.content


def test_ambiguous_names_are_not_guessed(desk, a):
    for street in ("1 rue A", "2 rue B"):
        household = a.new_household("Martin")
        household.address = street
        household.save()
        Member.objects.create(association=a.association, household=household, name="Jo Martin")
    desk.send("households", "Nom;Prénom;Adresse\nMartin;Jo;2 rue B\nMartin;Jo;\nMartin;Ada;\n")
    states = [state for _line, state, _title in desk.states()]
    assert states == ["unchanged", "wrong", "new"]
    assert desk.reasons()[3].startswith("Several households could be meant: H-")


def test_br1_an_address_of_a_household_that_has_left_comes_in_with_a_new_one(desk, a):
    people.leave(a.household, on=date(2026, 11, 20), by=a.committee, now=NOW)
    desk.send("households", f"Nom;Prénom;E-mail\nAilleurs;Ada;{a.member.email}\n")
    assert [state for _line, state, _title in desk.states()] == ["new"]
    desk.confirm()
    assert list(Member.objects.filter(email=a.member.email).values_list("name", flat=True)) == ["Ada Ailleurs"]
    desk.send("households", "Nom;Prénom\nMembre;Mina\n")
    assert "left on 20 November 2026" in desk.reasons()[2]


def test_br3_a_reduced_fee_and_a_free_price_are_taken_as_they_are(desk, a):
    a.period.reduced_from = date(2027, 5, 1)
    a.period.save()
    lines = "Nom;Adhésion 2026-2027\nUn;10,00\nDeux;12,50\nTrois;oui\nQuatre;9,00\n"
    desk.send("households", lines, period=a.period.pk)
    assert desk.reasons() == {5: "€9.00 is less than the fee of €10.00."}
    desk.confirm(without_wrong=True)
    paid = Membership.objects.filter(household__name__in=["Un", "Deux", "Trois"]).order_by("household__number")
    assert list(paid.values_list("amap_cents", "network_cents", "donation_cents")) == [
        (600, 400, 0),
        (600, 400, 250),
        (1200, 800, 0),
    ]
    a.period.free_minimum_cents = 500
    a.period.save()
    desk.send("households", "Nom;Adhésion 2026-2027\nCinq;5,00\nSix;4,99\n", period=a.period.pk)
    assert desk.reasons() == {3: "€4.99 is less than the fee of €5.00."}


def test_br3_yes_means_the_fee_of_the_day_the_household_joined(desk, a):
    """The day in the file, else the one that is here, else the day they paid."""
    a.period.reduced_from = date(2026, 11, 1)
    a.period.save()
    late = a.new_household("Présente", paid=False)
    Household.objects.filter(pk=late.pk).update(joined_on=date(2026, 11, 10))
    a.new_household("Ancienne", paid=False)
    lines = (
        "Tard;10/11/2026;oui;\nTôt;30/10/2026;oui;\nPrésente;;oui;\nAncienne;;oui;\nJadis;;oui;05/09/2026\nNeuf;;oui;\n"
    )
    page = desk.send("households", "Nom;Arrivée;Adhésion payée;Payé le\n" + lines, period=a.period.pk)
    fees = {"Tard": 1000, "Tôt": 2000, "Présente": 1000, "Ancienne": 2000, "Jadis": 2000, "Neuf": 1000}
    for line, cents in zip(page.context["plan"].lines, fees.values(), strict=True):
        assert f"fee of {euros_text(cents)} paid" in line.details[-1]
    desk.confirm()
    paid = Membership.objects.paid().filter(household__name__in=fees)
    assert dict(paid.values_list("household__name", "total_cents")) == fees


def test_fees_are_read_as_people_note_them(desk, a):
    desk.send(
        "households",
        "Nom;Adhésion 2026-2027;Mode de règlement;Payé le\n"
        "Un;x;virement;05/09/2026\n"
        "Deux;25,00;espèces;\n"
        "Trois;chèque;;\n"
        "Quatre;12/10/2026;;\n"
        "Cinq;10,00;;\n"
        "Six;peut-être;;\n"
        "Sept;oui;;25/12/2026\n"
        "Huit;;;\n",
        period=a.period.pk,
    )
    assert desk.reasons() == {
        6: "€10.00 is less than the fee of €20.00.",
        7: "“peut-être” does not say whether the fee is paid. Write yes, no, or the amount.",
        8: "The day of payment is still to come.",
    }
    desk.confirm(without_wrong="on")
    found = Membership.objects.paid().filter(household__number__gt=6).order_by("household__number")
    assert list(found.values_list("household__name", "total_cents", "donation_cents", "method", "paid_on")) == [
        ("Un", 2000, 0, "transfer", date(2026, 9, 5)),
        ("Deux", 2500, 500, "cash", date(2026, 11, 21)),
        ("Trois", 2000, 0, "cheque", date(2026, 11, 21)),
        ("Quatre", 2000, 0, "cheque", date(2026, 10, 12)),
    ]


def test_a_fee_that_is_a_digit_to_python_only_is_refused_by_the_line(desk, a):
    desk.send("households", "Nom;Adhésion 2026-2027\nUn;²\n", period=a.period.pk)
    assert desk.reasons()[2].startswith("“²” does not say whether the fee is paid.")


def test_without_a_period_fees_are_not_read(desk, a):
    desk.send("households", MESSY)
    desk.confirm()
    assert not Membership.objects.filter(household__number=42).exists()


HEADINGS = {
    "N° adhérent": "number",
    "Nº": "number",
    "N° Adh.": "number",
    "Foyer": "household",
    "NOM": "last_1",
    "Nom de famille": "last_1",
    "Nom 2": "last_2",
    "Prénom": "first_1",
    "Prénom(s)": "first_1",
    "Prénom du conjoint": "first_2",
    "lastName2": "last_2",
    "Amapien·ne": "person_1",
    "Nom et prénom": "person_1",
    "Adulte 1": "person_1",
    "Conjoint(e)": "person_2",
    "Co-adhérent": "person_2",
    "Courriel": "email_1",
    "E-mail n°2": "email_2",
    "Mail conjoint": "email_2",
    "Adresse mail": "email_1",
    "Mél.": "email_1",
    "E-mails": "email_1",
    "Email payeur": "email_1",
    "Prénom Mme": "first_1",
    "Tél. port.": "phone_1",
    "Téléphones": "phone_1",
    "Tél. portable": "phone_1",
    "Tel2": "phone_2",
    "Téléphone fixe": "phone_1",
    "Adresse": "address",
    "CP": "postal_code",
    "Code postal": "postal_code",
    "CP / Ville": "postal_city",
    "Commune": "city",
    "Complément d'adresse": "address_more",
    "Adhérent depuis": "joined_on",
    "Date d'adh.": "joined_on",
    "Adhésion payée": "fee",
    "Cotisation 2026-27": "fee",
    "Cotis. 2026": "fee",
    "Adh. 26/27": "fee",
    "Adhésion payée le": "fee_on",
    "Montant": "",
    "Payé le": "fee_on",
    "Mode de règlement": "fee_method",
    "N° chèque": "fee_reference",
    "Remarques": "",
}


@pytest.mark.parametrize(("heading", "key"), HEADINGS.items())
def test_headings_are_understood(heading, key):
    kind = Households()
    assert kind.recognise([heading], kind.columns({}), {}) == [key]


def test_a_heading_met_twice_is_about_the_second_person_and_a_landline_gives_way():
    kind = Households()
    headings = ["Nom", "Prénom", "Mail", "Tél. fixe", "Portable", "Nom", "Prénom", "Mail"]
    assert kind.recognise(headings, kind.columns({}), {}) == [
        *("last_1", "first_1", "email_1", "landline", "phone_1", "last_2", "first_2", "email_2"),
    ]


def test_of_several_years_the_fee_of_the_period_is_meant(a):
    kind = Households()
    headings = ["Nom", "Cotisation 2024", "Cotis. 2025-2026", "Cotisation 2026", "Adhésion 2027"]
    options = {"period": a.period}
    assert kind.recognise(headings, kind.columns(options), options) == ["last_1", "", "", "fee", ""]


def test_monsieur_and_madame_are_two_people_in_the_order_of_the_file():
    kind = Households()
    headings = ["Nom Mme", "Prénom Mme", "Nom M.", "Prénom M.", "Mail Mme", "Mail M.", "Tél. dom."]
    assert kind.recognise(headings, kind.columns({}), {}) == [
        *("last_1", "first_1", "last_2", "first_2", "email_1", "email_2", "phone_1")
    ]


@pytest.mark.parametrize(
    ("line", "household", "people"),
    [
        (
            "MARTIN Paul et Julie;paul@exemple.org / julie@exemple.org;0639980011 / 06 39 98 00 12",
            "MARTIN Paul et Julie",
            ["MARTIN Paul, paul@exemple.org, 06 39 98 00 11", "Julie MARTIN, julie@exemple.org, 06 39 98 00 12"],
        ),
        (
            "Paul & Julie Petit;paul@exemple.org, julie@exemple.org;06-39/98 00 11",
            "Paul & Julie Petit",
            ["Paul Petit, paul@exemple.org, 06 39 98 00 11", "Julie Petit, julie@exemple.org"],
        ),
        (
            "Ngô Linh / Trân Minh;Linh <linh@exemple.org>, mailto:minh@exemple.org;",
            "Ngô Linh / Trân Minh",
            ["Ngô Linh, linh@exemple.org", "Trân Minh, minh@exemple.org"],
        ),
        ("Famille Roux;pas de mail;néant", "Famille Roux", ["Famille Roux"]),
        (
            "Zoé Blanc;zoe@exemple.org.;06 39 98 00 14 (bureau)",
            "Zoé Blanc",
            ["Zoé Blanc, zoe@exemple.org, 06 39 98 00 14"],
        ),
        ("Jean-Marie d'Œuf;-;?", "Jean-Marie d'Œuf", ["Jean-Marie d'Œuf"]),
        (
            "Luc Seul;luc@exemple.org;01 99 00 00 01 - 06 39 98 00 13",
            "Luc Seul",
            ["Luc Seul, luc@exemple.org, 01 99 00 00 01"],
        ),
    ],
)
def test_one_cell_may_speak_of_two_people(desk, line, household, people):
    """BR-1: several people, one household."""
    desk.send("households", f"Nom et prénom;E-mails;Téléphones\n{line}\n")
    (found,) = desk.look().context["plan"].lines
    assert (found.state, found.title, found.details) == ("new", household, people)
    desk.confirm()
    desk.send("households", f"Nom et prénom;E-mails;Téléphones\n{line}\n")
    assert [state for _number, state, _title in desk.states()] == ["unchanged"]


def test_a_name_that_is_somebodys_here_stays_whole(desk):
    desk.send("households", "Foyer\nMartin et Petit\n")
    desk.confirm()
    desk.send("households", b"".join(desk.client.get(desk.url("export", "households")).streaming_content))
    assert {state for _number, state, _title in desk.states()} == {"unchanged"}


def test_two_first_names_or_two_last_names_in_a_cell_are_two_people(desk):
    desk.send("households", "NOM;Prénom(s)\nMARTIN / PETIT;Paul / Julie\nROUX;Zoé et Ali\n")
    assert [(line.title, line.details) for line in desk.look().context["plan"].lines] == [
        ("MARTIN – PETIT", ["Paul MARTIN", "Julie PETIT"]),
        ("ROUX", ["Zoé ROUX", "Ali ROUX"]),
    ]


def test_a_wrong_address_among_two_is_named(desk):
    desk.send("households", "Nom;Mail\nMartin;paul@exemple.org / julie@exemple\nRoux;caro roux@exemple\n")
    assert desk.reasons() == {
        2: "E-mail, person 1 “julie@exemple”: Not an e-mail address. Type one only, for example name@example.org.",
        3: "E-mail, person 1 “caro roux@exemple”: Not an e-mail address. Type one only, for example name@example.org.",
    }


def test_an_address_may_stand_in_one_column_or_in_several(desk):
    desk.send(
        "households",
        "Nom;Adresse;Complément\nUn;2 rue du Puits, 99100 Belombre;\nDeux;Le Moulin;Bât. B\nTrois;3 rue X 1000 Y;\n",
    )
    assert [line.details[1:] for line in desk.look().context["plan"].lines] == [
        ["2 rue du Puits", "99100", "Belombre"],
        ["Le Moulin, Bât. B"],
        ["3 rue X 1000 Y"],
    ]


def test_a_landline_is_kept_where_there_is_no_other_number(desk):
    desk.send("households", "Nom;Tél. fixe;Portable\nUn;0199000001;\nDeux;0199000002;0639980002\n")
    assert [line.details[0] for line in desk.look().context["plan"].lines] == [
        "Un, 01 99 00 00 01",
        "Deux, 06 39 98 00 02",
    ]


def test_a_list_without_headings_is_read_from_its_first_line(desk):
    desk.send("households", "Martin;Paul;paul@exemple.org\nPetit;Julie;julie@exemple.org\n")
    assert (desk.batch.heading_line, desk.look().context["plan"].problem) == (
        0,
        "Say which column holds the name: of the household, or of person 1.",
    )
    columns = {"column_0": "last_1", "column_1": "first_1", "column_2": "email_1"}
    answers = {"period": "", "paid_on": "", "method": "", "sheet": "0"}
    desk.client.post(desk.url("import_match", desk.batch.pk), answers | columns | {"heading_line": "0"})
    assert desk.states() == [(1, "new", "Martin"), (2, "new", "Petit")]


def test_columns_chosen_together_with_another_line_of_headings_are_kept(desk):
    desk.send("households", "Liste;2026\nFamille;Contact\nMartin;paul@exemple.org\n")
    answers = {"period": "", "paid_on": "", "method": "", "sheet": "0", "heading_line": "0"}
    chosen = {"column_0": "last_1", "column_1": "email_1"}
    desk.client.post(desk.url("import_match", desk.batch.pk), answers | chosen)
    desk.batch.refresh_from_db()
    assert (desk.batch.heading_line, desk.batch.columns) == (0, ["last_1", "email_1"])


def test_of_a_sheet_a_year_the_last_is_proposed(desk):
    answer = io.BytesIO()
    made = xlsxwriter.Workbook(answer, {"in_memory": True})
    for name in ("Adhérents 2025", "2026-2027", "Adhérents 2024", "Notes 2030"):
        made.add_worksheet(name).write_row(0, 0, ["x"] if "Notes" in name else ["Nom", "Prénom"])
    made.close()
    desk.send("households", answer.getvalue(), "adherents.xlsx")
    assert desk.batch.sheets[desk.batch.sheet]["name"] == "2026-2027"


def test_headings_said_again_and_letters_of_an_index_are_no_households(desk):
    desk.send("households", "Nom;Prénom\nA;\nAdam;Rose\nB;\nNom;Prénom\nBlin;Eva\nNombre de foyers : 2;\n")
    assert desk.states() == [(3, "new", "Adam"), (6, "new", "Blin")]
    table = desk.look().context["plan"].table
    assert (table.blank, table.totals) == (3, [7])


def test_columns_that_are_not_read_are_named(desk):
    desk.send("households", "Nom;Commentaire;N° rue;Vide\nUn;végétarien;;\nDeux;;12;\n")
    assert b"Columns left out: Commentaire, N\xc2\xb0 rue</p>" in desk.look().content


def test_headings_alone_are_said_to_be_alone(desk):
    desk.send("households", "Nom;Prénom;Mail\n")
    assert desk.look().context["plan"].problem == "There is no line under the headings."


def workbook(rows):
    answer = io.BytesIO()
    made = xlsxwriter.Workbook(answer, {"in_memory": True})
    day = made.add_format({"num_format": "dd/mm/yyyy"})
    page = made.add_worksheet("Adhérents")
    for n, row in enumerate(rows):
        for m, cell in enumerate(row):
            if isinstance(cell, date):
                page.write_datetime(n, m, cell, day)
            else:
                page.write(n, m, cell)
    made.close()
    return answer.getvalue()


def test_a_workbook_with_dates_and_numbers_is_read(desk, a):
    desk.send(
        "households",
        workbook(
            [
                ["Nom", "Prénom", "Téléphone", "CP", "Adhésion le", "Entrée"],
                ["Ain", "Ana", 639980044, 1000, date(2024, 1, 18), ""],
                ["Jura", "Joe", "", 39000, 45310, ""],
            ]
        ),
        "liste.xlsx",
    )
    desk.confirm()
    found = Household.objects.filter(name__in=["Ain", "Jura"]).order_by("name")
    assert list(found.values_list("postal_code", "joined_on", "members__phone")) == [
        ("01000", date(2024, 1, 18), "+33639980044"),
        ("39000", date(2024, 1, 19), ""),
    ]


def test_an_opendocument_is_read(desk):
    rows = [["Nom", "Courriel"], ["Ode", "ode@exemple.org"]]
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    desk.send("households", ods(["".join(cell.format(one) for one in row) for row in rows]), "liste.ods")
    assert desk.states() == [(2, "new", "Ode")]


def test_tabs_and_an_apostrophe_before_formulas_are_read(desk):
    desk.send("households", "Nom\tAdresse\n=1+1\t'=HYPERLINK(x)\n", "liste.txt")
    desk.confirm()
    assert Household.objects.filter(name="=1+1", address="=HYPERLINK(x)").exists()
    csv = b"".join(desk.client.get(desk.url("export", "households")).streaming_content).decode()
    assert '"\'=1+1"' in csv
    assert '"\'=HYPERLINK(x)"' in csv


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("vide.csv", b"", "empty"),
        ("blanc.csv", b"\n\n;;\n", "The file is empty."),
        ("photo.xlsx", b"\x89PNG\r\n\x1a\n\x00\x00", "not a list"),
        ("faux.xlsx", b"PK\x03\x04nothing", "not a list"),
        ("lourd.csv", b"a" * 5_000_001, "larger than 5 MB"),
        ("long.csv", b"a;b\n" * 20_001, "too large: 20000 rows"),
    ],
)
def test_odd_files_are_refused_in_words(desk, name, data, words):
    answer = desk.send("households", data, name)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Import.objects.exists()


def test_a_name_of_a_file_is_made_harmless(desk):
    desk.send("households", "Nom\nUn\n", "..\\..\\x<script>\r\ny.csv")
    assert desk.batch.file_name == "x_script_"


def test_poison_is_refused_by_the_line(desk):
    desk.send("households", "Nom;Prénom\nUn\u202e;A\n" + "x" * 300 + ";B\n{{ 7 }}<b>;C\n")
    assert desk.states()[2][1] == "new"
    reasons = desk.reasons()
    assert "not allowed" in reasons[2]
    assert "100 characters at most" in reasons[3]
    assert b"&lt;b&gt;" in desk.look().content


@pytest.mark.parametrize("sign", ["(a", "<a", "a<", "1 ", "/a", "a@ ", " - a", " et a"])
def test_a_cell_made_to_tire_us_is_refused_at_once(desk, sign):
    endless = sign * (120_000 // len(sign))
    desk.send("households", "Nom;Prénom;Mail;Tél;Adresse\n" + f"Un;{endless};{endless};{endless};{endless}\n")
    assert desk.states()[0][1] == "wrong"


def many(count):
    lines = [f"Nom{n};Prénom{n};p{n}@exemple.org;c{n}@exemple.org;0639{n:06};99100;Ville" for n in range(count)]
    return "Nom;Prénom;Mail;Mail conjoint;Tél;CP;Ville\n" + "\n".join(lines)


def test_a_big_file_is_previewed_with_few_queries(desk, django_assert_max_num_queries):
    desk.send("households", "Nom\nUn\n")
    Import.objects.update(
        sheets=[{"name": "x", "rows": [line.split(";") for line in many(5000).splitlines()]}],
        columns=["last_1", "first_1", "email_1", "email_2", "phone_1", "postal_code", "city"],
    )
    with django_assert_max_num_queries(10):
        page = desk.look(page=9999)
    assert page.context["plan"].count("new") == 5000
    assert [line.title for line in page.context["page"]][-1] == "Nom4999"


def test_hundreds_of_households_are_written_in_few_statements(desk, django_assert_max_num_queries):
    desk.send("households", many(600))
    with django_assert_max_num_queries(90):
        assert "600 new" in desk.confirm()[0]
    assert Household.objects.filter(name="Nom599").exists()
    with django_assert_max_num_queries(90):
        assert desk.undo() == ["The import has been undone."]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", ["households", "memberships", "farms"])
@pytest.mark.parametrize(("out", "back"), [("en", "en"), ("fr", "fr"), ("fr", "en"), ("en", "fr")])
def test_what_is_taken_out_comes_in_again_unchanged(desk, a, kind, file_format, out, back):
    """Whoever takes it out, whoever brings it in."""
    desk.send("households", MESSY, period=a.period.pk)
    desk.confirm()
    for name in ("lea", "tom", "zoe"):
        a.household.members.create(association=a.association, name=name, email=f"{name}@example.org", position=2)
    desk.send("farms", FARMS)
    desk.confirm()
    User.objects.update(language=out)
    answer = desk.client.get(desk.url("export", kind), {"format": file_format})
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    User.objects.update(language=back)
    period = {} if kind == "farms" else {"period": a.period.pk}
    desk.send("households" if kind == "memberships" else kind, data, f"x.{file_format}", **period)
    plan = desk.look().context["plan"]
    assert {line.state for line in plan.lines} == {"unchanged"}
    assert len(plan.lines) == (3 if kind == "farms" else a.association.households.count())


def test_br1_four_people_of_a_household_go_out_and_come_in_again(desk, a):
    for n, name in enumerate(("Léa", "Tom", "Zoé"), start=1):
        a.household.members.create(association=a.association, name=name, phone=f"063998000{n}", position=n)
    csv = b"".join(desk.client.get(desk.url("export", "households")).streaming_content)
    a.household.members.exclude(position=0).delete()
    desk.send("households", csv)
    desk.confirm()
    assert list(a.household.members.values_list("name", flat=True)) == ["Mina Membre", "Léa", "Tom", "Zoé"]


# Farms

FARMS = """\
Ferme,Raison sociale,Produits,Contact,Mail,Tél,CP,SIRET,IBAN,Ordre des chèques,Depuis
Fournil du Moulin,Jo Levain EI,Pain et farine,Jo Levain,jo@exemple.org,01 99 00 00 09,99200,732 829 320 00074,\
FR76 3000 6000 0112 3456 7890 189,Jo Levain,01/03/2015
La Chèvre,,Fromages de chèvre,,,,,,,,
"""


def test_farms_become_partners(desk, a):
    desk.send("farms", FARMS)
    assert [state for _line, state, _title in desk.states()] == ["new", "new"]
    desk.confirm()
    moulin = Farm.objects.get(name="Fournil du Moulin")
    assert (moulin.kind, moulin.siret, moulin.iban, moulin.payee) == (
        *("bread", "73282932000074", "FR7630006000011234567890189", "Jo Levain"),
    )
    assert Partnership.objects.get(farm=moulin, association=a.association).since == date(2015, 3, 1)
    assert Farm.objects.get(name="La Chèvre").kind == "cheese"
    desk.send("farms", FARMS)
    assert {state for _line, state, _title in desk.states()} == {"unchanged"}


def test_the_farmer_names_the_farm_only_where_nothing_else_does(desk):
    kind = Farms()
    for headings, keys in (
        (["Producteur", "Exploitation", "Contrat"], ["contact_name", "name", "kind"]),
        (["Nom de la ferme", "Paysan·ne"], ["name", "contact_name"]),
        (["Producteur", "Produits"], ["name", "kind"]),
    ):
        assert kind.recognise(headings, kind.columns({}), {}) == keys
    desk.send("farms", "Ferme;Depuis\nLes Saules;2019\nLe Moulin;mars 2021\n")
    desk.confirm()
    assert [str(one.since) for one in Partnership.objects.filter(farm__name__startswith="Le").order_by("since")] == [
        "2019-01-01",
        "2021-03-01",
    ]


def test_a_wrong_bic_or_iban_is_not_brought_in(desk):
    desk.send("farms", "Ferme,IBAN,BIC\nLes Saules,,hello\nLe Moulin,FR76,\n")
    assert desk.reasons() == {
        2: "BIC “hello”: A BIC has 8 or 11 letters and digits.",
        3: "IBAN “FR76”: This is not a whole IBAN. A French one has 27 signs and begins with FR.",
    }


def test_farms_are_taken_back_unless_they_have_offers(desk, a):
    before = rows_of(a.association)
    desk.send("farms", FARMS)
    desk.confirm()
    assert desk.undo() == ["The import has been undone."]
    assert rows_of(a.association) == before
    desk.send("farms", FARMS)
    desk.confirm()
    a.offer(farm=Farm.objects.get(name="La Chèvre"))
    assert desk.undo() == ["It can no longer be undone: since then La Chèvre has an offer, a liaison or an account."]


def test_a_farm_of_another_association_is_neither_found_nor_touched(desk, a):
    """BR-76: the same SIRET and address elsewhere make a farm of our own."""
    theirs = Amap("ailleurs", "Ailleurs")
    Farm.objects.filter(pk=theirs.farm.pk).update(siret="73282932000074", email="jo@exemple.org")
    before = list(Farm.objects.filter(pk=theirs.farm.pk).values())
    desk.send("farms", FARMS)
    assert [state for _line, state, _title in desk.states()] == ["new", "new"]
    desk.confirm()
    assert list(Farm.objects.filter(pk=theirs.farm.pk).values()) == before
    assert Farm.objects.filter(siret="73282932000074").count() == 2


def test_what_a_farm_keeps_itself_is_not_changed_by_a_list(desk, a):
    line = f"Ferme;IBAN;Tél\n{a.farm.name};FR7630006000011234567890189;01 99 00 00 77\n"
    desk.send("farms", line)
    assert desk.reasons()[2].startswith("Ferme des Saules Gris keeps this itself: IBAN.")
    Farmer.objects.filter(farm=a.farm).delete()
    assert desk.states()[0][1] == "changed"
    Partnership.objects.create(
        association=Amap("ailleurs", "Ailleurs").association, farm=a.farm, since=date(2026, 1, 1)
    )
    assert desk.reasons()[2].startswith("Ferme des Saules Gris keeps this itself: Telephone, IBAN.")
    csv = b"".join(desk.client.get(desk.url("export", "farms")).streaming_content).decode()
    assert a.farm.iban not in csv


# Who may


@pytest.mark.parametrize(
    ("who", "households", "farms"),
    [("committee", 200, 200), ("secretary", 200, 403), ("treasurer", 403, 403), ("member", 403, 403)],
)
def test_who_may_bring_in_and_take_out(client, a, who, households, farms):
    desk = Desk(client, a, getattr(a, who))
    for name in ("import_new", "export", "import_example"):
        assert client.get(desk.url(name, "households")).status_code == households
        assert client.get(desk.url(name, "farms")).status_code == farms


def test_the_secretary_records_no_fees(desk, a, client):
    """BR-5: fees are the treasurer's and the committee's."""
    theirs = Desk(client, a, a.secretary)
    page = theirs.send("households", MESSY, period=a.period.pk)
    assert "period" not in page.context["options"].fields
    assert "3 new" in theirs.confirm()[0]
    assert not Membership.objects.filter(household__number=42).exists()


def test_br5_the_secretary_neither_confirms_nor_undoes_a_list_with_fees(desk, a, client):
    desk.send("households", MESSY, period=a.period.pk)
    seen = desk.look().context["plan"].fingerprint
    for name in ("import_confirm", "import_undo", "import_match", "import_discard"):
        client.force_login(a.secretary)
        assert client.post(desk.url(name, desk.batch.pk), {"seen": seen}).status_code == 404
        assert desk.batch not in client.get(desk.url("imports")).context["page"]
        client.force_login(a.committee)
        if name == "import_confirm":
            assert "3 new" in desk.confirm()[0]
    client.force_login(a.committee)
    desk.send("households", MESSY)
    client.force_login(a.secretary)
    assert desk.look().status_code == 200


def test_a_file_of_another_association_does_not_exist(desk, a, client):
    desk.send("households", MESSY)
    pk = desk.batch.pk
    theirs = Desk(client, Amap("ailleurs", "Ailleurs"))
    for name in ("import_match", "import_confirm", "import_undo", "import_discard"):
        assert client.post(theirs.url(name, pk)).status_code == 404
    assert client.get(theirs.url("import", pk)).status_code == 404
    assert client.get(theirs.url("import_new", "nothing")).status_code == 404


def test_the_secretary_sees_no_list_of_farms(desk, a, client):
    desk.send("farms", FARMS)
    theirs = Desk(client, a, a.secretary)
    assert client.get(theirs.url("import", desk.batch.pk)).status_code == 404
    assert b"liste.csv" not in client.get(theirs.url("imports")).content


def test_the_page_of_lists_and_the_example_file(desk, a, django_assert_max_num_queries):
    desk.send("households", MESSY)
    with django_assert_max_num_queries(10):
        page = desk.client.get(desk.url("imports"))
    assert b"liste.csv" in page.content
    example = b"".join(desk.client.get(desk.url("import_example", "households")).streaming_content)
    desk.send("households", example, period=a.period.pk)
    assert [key for key in desk.batch.columns if not key] == []


def test_a_file_can_be_put_aside(desk):
    desk.send("households", MESSY)
    desk.client.post(desk.url("import_discard", desk.batch.pk))
    assert not Import.objects.exists()


def test_a_long_list_is_written_by_the_worker(desk, a, monkeypatch):
    monkeypatch.setattr(Households, "most_at_once", 5)
    desk.send("households", MESSY, period=a.period.pk)
    seen = desk.look().context["plan"].fingerprint
    waiting = desk.client.post(desk.url("import_confirm", desk.batch.pk), {"seen": seen}, follow=True)
    assert "Bringing in liste.csv" in waiting.content.decode()
    assert not Household.objects.filter(number=41).exists()
    jobs.run(Job.objects.get().pk)
    assert Household.objects.filter(association=a.association, number=41).exists()
    ready = desk.client.get(waiting.request["PATH_INFO"]).content.decode()
    assert desk.url("import", desk.batch.pk) in ready
    assert Import.objects.get(pk=desk.batch.pk).new_count == 3


def test_a_long_list_that_is_refused_says_so_where_one_waits(desk, a, monkeypatch):
    monkeypatch.setattr(Households, "most_at_once", 5)
    desk.send("households", MESSY, period=a.period.pk)
    waiting = desk.client.post(desk.url("import_confirm", desk.batch.pk), {"seen": "old"}, follow=True)
    jobs.run(Job.objects.get().pk)
    text = desk.client.get(waiting.request["PATH_INFO"]).content.decode()
    assert "Something has changed since you looked" in text
    assert desk.url("import", desk.batch.pk) in text
    assert Job.objects.get().status == "done"
    assert not Household.objects.filter(number=41).exists()
