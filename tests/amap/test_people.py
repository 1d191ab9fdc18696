"""Households, persons, roles, farms: who may do what, and what stays true (BR-1, BR-5, BR-6, BR-76)."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from amap import phones, states
from amap.actions import farms, founding, invitations, membership, people, seats
from amap.actions import settings as settings_actions
from amap.errors import Refused
from amap.models import (
    Association,
    AuditEntry,
    CommitteeSeat,
    Farm,
    Farmer,
    FarmLiaison,
    Household,
    Invitation,
    Letter,
    Member,
    Partnership,
    User,
)
from tests.cast import NOW, TODAY, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _day(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def amap():
    return Amap()


def url(amap, route, *args):
    return reverse(f"amap:{route}", args=[amap.slug, *args])


def signed_in(client, user):
    client.force_login(user)
    return client


NEW = {
    "name": "Durand-Le Goff",
    "joined_on": "2026-11-21",
    "person_name": "Anaïs Durand",
    "person_email": " Anais@Example.ORG ",
    "person_phone": "06 12 34 56 78",
    "other_name": "Yann Le Goff",
    "other_email": "",
    "address": "3 rue du Four",
    "invite": "on",
}


# --- households


def test_a_household_has_several_people_and_those_with_an_email_are_invited(client, amap):
    """BR-1"""
    answer = signed_in(client, amap.secretary).post(url(amap, "household_new"), NEW)
    made = Household.objects.get(name="Durand-Le Goff")
    assert answer["Location"] == url(amap, "household", made.pk)
    assert list(made.members.values_list("name", "email", "phone")) == [
        ("Anaïs Durand", "anais@example.org", "+33612345678"),
        ("Yann Le Goff", "", ""),
    ]
    assert made.number == amap.association.households.count()
    assert list(Invitation.objects.values_list("email", "member__name")) == [("anais@example.org", "Anaïs Durand")]
    assert list(Letter.objects.filter(kind="invitation").values_list("to", flat=True)) == ["anais@example.org"]


def test_an_email_belongs_to_one_person_of_an_association_whatever_its_capitals(client, amap):
    """BR-1"""
    answer = signed_in(client, amap.secretary).post(
        url(amap, "household_new"), NEW | {"person_email": amap.member.email.upper()}
    )
    assert answer.status_code == 200
    assert "is already the address of Mina Membre" in answer.content.decode()
    assert "Anaïs Durand" in answer.content.decode()  # nothing typed is lost
    assert not Household.objects.filter(name="Durand-Le Goff").exists()


def test_the_same_email_in_two_associations_is_two_persons(amap):
    """BR-76"""
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    member = people.add_member(other.household, name="Mina", email=amap.member.email, by=other.committee, now=NOW)
    assert member.user is None
    assert amap.member.memberships_of_households.get().association == amap.association


def test_a_household_sent_twice_is_one_household(client, amap):
    signed_in(client, amap.secretary)
    data = {"name": "Zola", "joined_on": "2026-11-21", "person_name": "Émile Zola"}
    first, again = (client.post(url(amap, "household_new"), data) for _n in range(2))
    assert first.url == again.url
    assert amap.association.households.filter(name="Zola").count() == 1
    client.post(url(amap, "household_new"), data | {"person_name": "Denise Zola"})
    client.post(url(amap, "household_new"), data | {"other_name": "Denise Zola"})
    assert amap.association.households.filter(name="Zola").count() == 3


def test_a_household_holds_at_most_so_many_people(amap):
    """BR-1: users_per_household_max=4"""
    for name in ("B", "C", "D"):
        people.add_member(amap.household, name=name, by=amap.committee, now=NOW)
    with pytest.raises(Refused, match="already has 4 people"):
        people.add_member(amap.household, name="E", by=amap.committee, now=NOW)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("person_email", "a@b", "Not an e-mail address"),
        ("person_email", "a@b.fr, c@d.fr", "Not an e-mail address"),
        ("person_email", "jean @b.fr", "Not an e-mail address"),
        ("person_email", "jean@b.fr\nBcc: x@y.fr", "Not an e-mail address"),
        ("person_name", "   ", "This field is required"),
        ("person_name", "x" * 200, "100 characters at most"),
        ("person_name", "Jean\u202eseitrap", "characters that are not allowed"),
        ("person_name", "Je\x07an", "characters that are not allowed"),
        ("person_phone", "06 12", "Incomplete number"),
        ("person_phone", "zéro six", "Incomplete number"),
        ("joined_on", "01/01/0001", "year cannot be right"),
        ("joined_on", "hier", "valid date"),
    ],
)
def test_what_is_typed_wrong_is_said_and_nothing_is_written(client, amap, field, typed, said):
    """reliability.md §5.3, sign-up"""
    answer = signed_in(client, amap.secretary).post(url(amap, "household_new"), NEW | {field: typed})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Household.objects.filter(name="Durand-Le Goff").exists()


@pytest.mark.parametrize("typed", ["06 12 34 56 78", "+33 6 12 34 56 78", "0033612345678", "06.12.34.56.78"])
def test_a_telephone_has_one_spelling(typed):
    assert phones.normalise(typed) == "+33612345678"


def test_a_member_keeps_their_household_but_not_another(client, amap):
    """BR-76: a household one may not see is not there; one's own is written on."""
    signed_in(client, amap.member)
    other = amap.household_of(amap.treasurer)
    assert client.get(url(amap, "household", amap.household.pk)).status_code == 200
    assert client.get(url(amap, "household", other.pk)).status_code == 404
    assert client.get(url(amap, "household_edit", other.pk)).status_code == 404
    client.post(url(amap, "household_edit", amap.household.pk), {"name": "Membre et Cie", "city": "Aulnette"})
    amap.household.refresh_from_db()
    assert (amap.household.name, amap.household.city) == ("Membre et Cie", "Aulnette")
    assert client.get(url(amap, "households")).status_code == 403


def test_a_liaison_reads_households_but_does_not_write_on_them(client, amap):
    signed_in(client, amap.liaison)
    assert client.get(url(amap, "households")).status_code == 200
    fee = f'href="{url(amap, "membership", amap.household.pk, amap.period.pk)}"'
    assert fee not in client.get(url(amap, "household", amap.household.pk)).content.decode()
    assert client.get(url(amap, "household_edit", amap.household.pk)).status_code == 403
    assert client.get(url(amap, "member_edit", amap.household.members.get().pk)).status_code == 403


def test_the_treasurer_goes_from_a_household_to_its_fee_and_payments(client, amap):
    amap.subscribe(amap.household, amap.offer())
    signed_in(client, amap.treasurer)
    page = client.get(url(amap, "household", amap.household.pk)).content.decode()
    for there in (url(amap, "membership", amap.household.pk, amap.period.pk), f"household={amap.household.pk}"):
        assert f'{there}"' in page


def test_nobody_of_another_association_reaches_a_household(client, amap):
    """BR-76"""
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    signed_in(client, other.committee)
    member = amap.household.members.get()
    for route, pk in [
        ("household", amap.household.pk),
        ("household_edit", amap.household.pk),
        ("member_edit", member.pk),
    ]:
        assert client.get(url(amap, route, pk)).status_code == 404
        assert client.get(url(other, route, pk)).status_code == 404
    for route in ("member_remove", "member_invite"):
        assert client.post(url(other, route, member.pk)).status_code == 404


def test_households_are_found_by_name_person_email_number_and_telephone(client, amap):
    Member.objects.filter(household=amap.household).update(phone="+33612345678")
    signed_in(client, amap.committee)
    for words in ("membre", "Mina", "mina@", amap.household.code, "06 12 34 56", f"{amap.household.number}"):
        assert "Membre" in client.get(url(amap, "households"), {"q": words}).content.decode(), words
    for words in ("%", "_", "'", '"', "\\", "zzz", "x" * 10_000):
        assert client.get(url(amap, "households"), {"q": words}).status_code == 200


@pytest.mark.parametrize("show", ["unpaid", "no_account", "no_email", "left"])
def test_the_filters_show_whom_they_name(client, amap, show):
    paper = amap.new_household("Papier", paid=False)
    Member.objects.create(association=amap.association, household=paper, name="Odile Papier")
    gone = amap.new_household("Parti", paid=False)
    Household.objects.filter(pk=gone.pk).update(left_on=TODAY)
    page = signed_in(client, amap.committee).get(url(amap, "households"), {"show": show}).content.decode()
    assert ("Papier" in page, "Parti<" in page) == ((False, True) if show == "left" else (True, False))
    assert ">Membre<" not in page


def test_the_list_asks_as_many_questions_for_ten_households_as_for_a_hundred(
    client, amap, django_assert_max_num_queries
):
    """P5"""
    signed_in(client, amap.committee)

    def add(count):
        for n in range(count):
            household = amap.new_household(f"Foyer {n}", paid=False)
            Member.objects.create(association=amap.association, household=household, name=f"P{n}")

    add(5)
    with django_assert_max_num_queries(10) as few:
        client.get(url(amap, "households"))
    add(60)
    with django_assert_max_num_queries(10) as many:
        client.get(url(amap, "households"))
    assert len(few) == len(many)


def test_a_household_leaves_only_when_no_contract_runs(amap):
    """BR-26"""
    offer = amap.offer()
    subscription = amap.subscribe(amap.household, offer)
    with pytest.raises(Refused, match="still has 1 running contract"):
        people.leave(amap.household, on=TODAY, by=amap.committee, now=NOW)
    subscription.status = "ended"
    subscription.save(update_fields=["status"])
    people.leave(amap.household, on=TODAY, by=amap.committee, now=NOW)
    amap.household.refresh_from_db()
    assert amap.household.left_on == TODAY


def test_br1_an_address_is_free_again_once_its_household_has_left(amap):
    """BR-1: "at most one household per association at a time"."""
    person = {"name": "Mina Ailleurs", "email": amap.member.email}
    new = amap.new_household("Nouveau")
    with pytest.raises(Refused, match="already the address of Mina Membre"):
        people.add_member(new, **person, by=amap.committee, now=NOW)
    people.leave(amap.household, on=TODAY + timedelta(days=1), by=amap.committee, now=NOW)
    with pytest.raises(Refused, match="already the address of Mina Membre"):
        people.add_member(new, **person, by=amap.committee, now=NOW)
    people.leave(amap.household, on=TODAY, by=amap.committee, now=NOW)
    member = people.add_member(new, **person, by=amap.committee, now=NOW)
    former = Member.objects.get(household=amap.household)
    assert (former.name, former.email, former.user) == ("Mina Membre", "", None)
    _invitation, token = invitations.invite(amap.association, member=member, by=amap.committee, now=NOW)
    invitations.accept(token, by=amap.member, now=NOW)
    member.refresh_from_db()
    assert member.user == amap.member


def test_br1_an_account_follows_from_a_household_that_has_left_whatever_the_address(amap):
    member = people.add_member(amap.new_household("Nouveau"), name="Mina", by=amap.committee, now=NOW)
    with pytest.raises(Refused, match="already belong to another household"):
        invitations.link(member, amap.member, by=amap.member, now=NOW)
    people.leave(amap.household, on=TODAY, by=amap.committee, now=NOW)
    invitations.link(member, amap.member, by=amap.member, now=NOW)
    assert Member.objects.get(user=amap.member) == member


def test_who_has_left_sees_the_association_no_more_until_they_are_back(client, amap):
    """R17: at the next request"""
    signed_in(client, amap.member)
    assert client.get(url(amap, "household", amap.household.pk)).status_code == 200
    people.leave(amap.household, on=TODAY + timedelta(days=1), by=amap.committee, now=NOW)
    assert client.get(url(amap, "household", amap.household.pk)).status_code == 200
    people.leave(amap.household, on=TODAY, by=amap.committee, now=NOW)
    assert client.get(url(amap, "household", amap.household.pk)).status_code == 404
    people.come_back(amap.household, by=amap.committee, now=NOW)
    assert client.get(url(amap, "household", amap.household.pk)).status_code == 200


def test_the_last_person_of_a_household_stays(amap):
    with pytest.raises(Refused, match="only person"):
        people.remove_member(amap.household.members.get(), by=amap.committee, now=NOW)
    second = people.add_member(amap.household, name="Milo", by=amap.member, now=NOW)
    people.remove_member(second, by=amap.member, now=NOW)
    assert amap.household.members.count() == 1


def test_an_address_with_an_account_is_changed_by_its_person_only(amap):
    with pytest.raises(Refused, match="changes the address there"):
        people.edit_member(amap.household.members.get(), email="other@example.org", by=amap.committee, now=NOW)


# --- roles


def test_a_role_has_dates_and_counts_only_between_them(client, amap):
    """BR-5"""
    signed_in(client, amap.member)
    assert client.get(url(amap, "memberships")).status_code == 403
    seats.seat(amap.association, user=amap.member, role="treasurer", starts_on=TODAY, by=amap.committee, now=NOW)
    assert client.get(url(amap, "memberships")).status_code == 200
    CommitteeSeat.objects.filter(user=amap.member).update(starts_on=date(2025, 1, 1), ends_on=TODAY - timedelta(days=1))
    assert client.get(url(amap, "memberships")).status_code == 403


def test_a_role_is_not_given_twice_at_once(amap):
    with pytest.raises(Refused, match="already holds this role"):
        seats.seat(amap.association, user=amap.treasurer, role="treasurer", starts_on=TODAY, by=amap.committee, now=NOW)


def test_a_refusal_stands_beside_the_field_it_is_about(client, amap):
    signed_in(client, amap.committee)
    dates = {"starts_on": "2027-05-01", "ends_on": "2026-05-01"}
    page = client.post(url(amap, "seat_new"), {"user": amap.member.pk, "role": "treasurer"} | dates)
    assert page.context["form"].errors == {"ends_on": ["The end precedes the start."]}
    taken = {"name": "Double", "email": amap.member.email, "language": "fr"}
    page = client.post(url(amap, "member_new", amap.household_of(amap.committee).pk), taken)
    assert list(page.context["form"].errors) == ["email"]


def test_an_ended_role_is_gone_at_the_next_request_and_stays_in_the_history(client, amap):
    """R17, R22"""
    seat = CommitteeSeat.objects.get(user=amap.treasurer)
    client.force_login(amap.treasurer)
    assert client.get(url(amap, "memberships")).status_code == 200
    seats.end_seat(seat, today=TODAY, by=amap.committee, now=NOW)
    assert client.get(url(amap, "memberships")).status_code == 403
    seat.refresh_from_db()
    assert seat.ends_on == TODAY - timedelta(days=1)
    assert AuditEntry.objects.filter(verb="seat.ended", by=amap.committee).count() == 1


@pytest.mark.parametrize("kind", ["seat", "liaison", "partnership"])
def test_what_has_ended_ends_no_second_time(client, amap, kind):
    """R22: an old page, or two clicks, do not rewrite the last day."""
    seat, liaison = CommitteeSeat.objects.get(user=amap.treasurer), amap.partnership.liaisons.get()
    thing, route = {
        "seat": (seat, url(amap, "seat_end", seat.pk)),
        "liaison": (liaison, url(amap, "liaison_end", amap.farm.slug, liaison.pk)),
        "partnership": (amap.partnership, url(amap, "partnership_end", amap.farm.slug)),
    }[kind]
    field = "ended_on" if kind == "partnership" else "ends_on"
    type(thing).objects.filter(pk=thing.pk).update(**{field: date(2026, 3, 31)})
    client.force_login(amap.committee)
    assert client.post(route).status_code == 302
    thing.refresh_from_db()
    assert getattr(thing, field) == date(2026, 3, 31)
    assert not AuditEntry.objects.filter(verb=f"{kind}.ended").exists()


def test_somebody_remains_on_the_committee(amap):
    seat = CommitteeSeat.objects.get(user=amap.committee)
    with pytest.raises(Refused, match="Somebody must remain"):
        seats.end_seat(seat, today=TODAY, by=amap.committee, now=NOW)
    seats.seat(amap.association, user=amap.member, role="committee", starts_on=TODAY, by=amap.committee, now=NOW)
    seats.end_seat(seat, today=TODAY, by=amap.committee, now=NOW)
    assert list(CommitteeSeat.objects.current(TODAY).filter(role="committee").values_list("user", flat=True)) == [
        amap.member.pk
    ]


def test_only_people_of_the_association_can_be_chosen_for_a_role(client, amap):
    """BR-76"""
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    signed_in(client, amap.committee)
    data = {"user": other.member.pk, "role": "treasurer", "starts_on": "2026-11-21"}
    answer = client.post(url(amap, "seat_new"), data)
    assert answer.status_code == 200
    assert "Mina Membre" in answer.content.decode()
    assert not CommitteeSeat.objects.filter(user=other.member).exists()


# --- farms


SHEET = {
    "name": "Fournil du Moulin",
    "kind": "bread",
    "vat_status": "exempt",
    "since": "2026-11-21",
    "iban": "fr76 9999 9000 1001 2345 6789 071",
}


def test_the_committee_writes_a_farm_down(client, amap):
    answer = signed_in(client, amap.committee).post(url(amap, "farm_new"), SHEET)
    farm = Farm.objects.get(slug="fournil-du-moulin")
    assert answer["Location"] == url(amap, "farm", farm.slug)
    assert farm.iban == "FR7699999000100123456789071"
    assert Partnership.objects.get(farm=farm).association == amap.association


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("FR76 9999 9000 1001 2345 6789 072", "does not match its check key"),
        ("FR76", "not a whole IBAN"),
        ("hello", "not a whole IBAN"),
    ],
)
def test_an_iban_with_a_wrong_key_is_refused(client, amap, typed, said):
    """reliability.md §5.3"""
    answer = signed_in(client, amap.committee).post(url(amap, "farm_new"), SHEET | {"iban": typed})
    assert said in answer.content.decode()


def test_two_farms_of_one_name_have_two_addresses(amap):
    places = (amap, Amap("ailleurs", "AMAP d'Ailleurs"))
    made = [farms.add_farm(at.association, name="Les Saules", since=TODAY, by=at.committee, now=NOW) for at in places]
    assert [farm.slug for farm in made] == ["les-saules", "les-saules-2"]


def test_a_farm_is_written_down_once(client, amap):
    count = Farm.objects.count()
    sheet = SHEET | {"name": amap.farm.name.upper()}
    answer = signed_in(client, amap.committee).post(url(amap, "farm_new"), sheet)
    assert f"{amap.farm.name.upper()} is a partner already." in answer.content.decode()
    farms.end_partnership(amap.partnership, today=TODAY, by=amap.committee, now=NOW)
    answer = client.post(url(amap, "farm_new"), sheet)
    assert "has ended. Resume it first" in answer.content.decode()
    assert Farm.objects.count() == count


def test_only_the_farm_changes_its_bank_details(client, amap):
    signed_in(client, amap.committee)
    fields = {
        "name": "Ferme des Saules",
        "kind": "vegetables",
        "vat_status": "liable",
        "iban": "FR7699999000100123456789071",
    }
    client.post(url(amap, "farm_edit", amap.farm.slug), fields | {"iban": "", "payee": "Somebody else"})
    amap.farm.refresh_from_db()
    assert (amap.farm.name, amap.farm.payee) == ("Ferme des Saules", "EARL Ferme des Saules Gris")
    assert amap.farm.iban
    signed_in(client, amap.farmer).post(url(amap, "farm_edit", amap.farm.slug), fields | {"payee": "EARL Gris"})
    amap.farm.refresh_from_db()
    assert amap.farm.payee == "EARL Gris"
    assert AuditEntry.objects.filter(verb="farm.bank_details_changed", by=amap.farmer).exists()


def test_the_iban_is_for_the_farm_and_for_those_who_pay_it(client, amap):
    """BR-5"""
    iban = amap.farm.iban
    page = url(amap, "farm", amap.farm.slug)
    for who in (amap.committee, amap.treasurer, amap.liaison, amap.member):
        assert iban not in signed_in(client, who).get(page).content.decode()
    assert iban in signed_in(client, amap.farmer).get(page).content.decode()
    amap.subscribe(amap.household, amap.offer())
    assert iban in signed_in(client, amap.member).get(page).content.decode()


def test_a_farm_of_two_associations_is_written_on_by_its_own_people_only(client, amap):
    """BR-76: one association never rewrites what the other reads."""
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    Partnership.objects.create(association=other.association, farm=amap.farm, since=TODAY)
    for place, who in ((amap, amap.committee), (amap, amap.liaison), (other, other.committee)):
        assert signed_in(client, who).get(url(place, "farm_edit", amap.farm.slug)).status_code == 403
    assert signed_in(client, amap.farmer).get(url(other, "farm_edit", amap.farm.slug)).status_code == 200


def test_a_farm_unknown_here_and_one_unknown_anywhere_look_the_same(client, amap):
    """BR-76"""
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    signed_in(client, amap.committee)
    theirs = client.get(url(amap, "farm", other.farm.slug))
    nobodys = client.get(url(amap, "farm", "no-such-farm"))
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    Farm.objects.filter(pk=other.farm.pk).update(name="Verger d'Ailleurs")
    made = farms.add_farm(amap.association, name="Verger d'Ailleurs", since=TODAY, by=amap.committee, now=NOW)
    assert made.pk != other.farm.pk


def test_a_liaison_is_named_and_ends(client, amap):
    signed_in(client, amap.committee)
    client.post(
        url(amap, "liaison_new", amap.farm.slug), {"user": amap.member.pk, "starts_on": (TODAY - timedelta(days=9))}
    )
    liaison = FarmLiaison.objects.get(user=amap.member)
    client.post(url(amap, "liaison_end", amap.farm.slug, liaison.pk))
    liaison.refresh_from_db()
    assert liaison.ends_on == TODAY - timedelta(days=1)


def test_a_partnership_ends_when_no_contract_is_open(amap):
    offer = amap.offer()
    with pytest.raises(Refused, match="open or running contract"):
        farms.end_partnership(amap.partnership, today=TODAY, by=amap.committee, now=NOW)
    offer.status = "closed"
    offer.save(update_fields=["status"])
    farms.end_partnership(amap.partnership, today=TODAY, by=amap.committee, now=NOW)
    amap.partnership.refresh_from_db()
    assert amap.partnership.ended_on == TODAY - timedelta(days=1)
    assert not FarmLiaison.objects.current(TODAY).filter(partnership=amap.partnership).exists()


def test_a_farm_keeps_somebody_who_acts_for_it(amap):
    farmer = Farmer.objects.get(user=amap.farmer)
    with pytest.raises(Refused, match="Somebody must remain"):
        farms.remove_farmer(farmer, association=amap.association, by=amap.farmer, now=NOW)


# --- settings, places, profile, history


def test_the_knobs_are_turned_by_the_committee(client, amap):
    page = url(amap, "settings")
    assert signed_in(client, amap.member).get(page).status_code == 403
    form = signed_in(client, amap.committee).get(page).context["form"]
    data = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    data["treasurer_confirms_farm_payments"] = ""
    answer = client.post(page, data | {"grace_days": "10", "harvest_hour": "18h30", "phone": "06 12 34 56 78"})
    assert answer.status_code == 302
    amap.association.refresh_from_db()
    assert (amap.association.grace_days, str(amap.association.harvest_hour)) == (10, "18:30:00")
    assert amap.association.phone == "+33612345678"
    wrong = client.post(page, data | {"grace_days": "-1"})
    assert wrong.status_code == 200


def test_a_place_is_added_and_two_never_share_a_name(client, amap):
    signed_in(client, amap.committee)
    data = {
        "name": "Salle des fêtes",
        "weekday": "1",
        "opens_at": "18:00",
        "closes_at": "19:00",
        "volunteers_from": "17:30",
        "volunteers_until": "19:30",
    }
    assert client.post(url(amap, "place_new"), data).status_code == 302
    assert "already a place of this name" in client.post(url(amap, "place_new"), data).content.decode()
    late = client.post(url(amap, "place_new"), data | {"name": "Autre", "closes_at": "17:00"})
    assert "must end after it begins" in late.content.decode()
    place = amap.association.places.get(name="Salle des fêtes")
    assert client.post(url(amap, "place_edit", place.pk), data | {"weekday": "2"}).status_code == 302
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    assert client.get(url(amap, "place_edit", other.place.pk)).status_code == 404


def test_a_profile_says_the_name_the_language_and_the_telephone(client, amap):
    member = amap.household.members.get()
    data = {"name": "Mina M.", "language": "fr", f"phone_{member.pk}": "0612345678", f"shows_phone_{member.pk}": "on"}
    answer = signed_in(client, amap.member).post(reverse("site:profile"), data)
    assert answer.status_code == 302
    amap.member.refresh_from_db()
    member.refresh_from_db()
    assert (amap.member.name, amap.member.language) == ("Mina M.", "fr")
    assert (member.phone, member.shows_phone) == ("+33612345678", True)
    short = client.post(reverse("site:profile"), data | {f"phone_{member.pk}": "06 12"})
    assert short.status_code == 200
    assert "06 12" in short.content.decode()


def test_a_profile_takes_no_other_persons_fields(client, amap):
    """R5: mass assignment"""
    other = amap.household_of(amap.treasurer).members.get()
    before = other.phone
    data = {
        "name": "Mina",
        "language": "en",
        f"phone_{other.pk}": "0612345678",
        "email": "x@example.org",
        "is_active": "",
    }
    signed_in(client, amap.member).post(reverse("site:profile"), data)
    other.refresh_from_db()
    amap.member.refresh_from_db()
    assert (other.phone, amap.member.email, amap.member.is_active) == (before, "mina@belombre.example.org", True)


def test_the_history_tells_in_words_and_only_of_ones_own_association(client, amap):
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    people.edit_household(amap.household, name="Membre-Bis", by=amap.secretary, now=NOW)
    people.edit_household(other.household, name="Canari", by=other.secretary, now=NOW)
    settings_actions.edit_association(amap.association, grace_days=9, by=amap.committee, now=NOW)
    page = signed_in(client, amap.committee).get(url(amap, "history")).content.decode()
    assert "Membre-Bis" in page
    assert "name or address changed" in page
    assert "settings changed" in page
    assert "Sacha Plume" in page
    assert "Canari" not in page
    assert signed_in(client, amap.treasurer).get(url(amap, "history")).status_code == 403


def test_the_history_tells_deliveries_of_one_day_apart(client, amap):
    for title in ("Légumes", "Pain"):
        delivery = amap.offer(title=title).deliveries.last()
        states.move(delivery, to="cancelled", by=amap.lead, now=NOW)
    page = signed_in(client, amap.committee).get(url(amap, "history")).content.decode()
    for title in ("Légumes", "Pain"):
        assert f" · {title}</span>" in page


# --- the first day


START = {
    "name": "Les Paniers de l'Aulne",
    "city": "Aulnette",
    "place_name": "Salle des fêtes",
    "weekday": "3",
    "opens_at": "18:30",
    "closes_at": "19:45",
    "period_starts_on": "2026-09-01",
    "period_ends_on": "2027-08-31",
    "amap_part_cents": "12,00",
    "network_part_cents": "8.00",
    "person_name": "Camille Premier",
    "person_email": "camille@example.org",
    "treasurer_email": "theo@example.org",
}


def test_br6_a_gaec_of_three_is_one_partner_without_fee_or_household(amap):
    gaec = farms.add_farm(amap.association, name="Chèvrerie", legal_name="GAEC", since=TODAY, by=None, now=NOW)
    for local in ("un", "deux", "trois"):
        _invitation, token = invitations.invite(
            amap.association, farm=gaec, email=f"{local}@gaec.example.org", by=amap.committee, now=NOW
        )
        invitations.accept(token, name=local, language="fr", now=NOW)
    assert gaec.farmers.count() == 3
    assert amap.association.partnerships.filter(farm=gaec).count() == 1
    assert not Household.objects.filter(members__user__farming__farm=gaec).exists()


def test_an_empty_site_leads_to_its_first_page(client):
    assert client.get("/")["Location"] == reverse("site:start")
    assert client.get(reverse("site:start")).status_code == 200


def test_the_first_page_makes_the_association_and_signs_its_founder_in(client):
    answer = client.post(reverse("site:start"), START)
    association = Association.objects.get()
    assert answer["Location"] == reverse("amap:home", args=["les-paniers-de-laulne"])
    assert association.periods.get().fee_cents == 2000
    assert association.places.get().get_weekday_display() == "Thursday"
    assert list(association.shift_roles.values_list("name", "needed", "is_lead")) == [
        ("Evening lead", 1, True),
        ("Welcome and sign-in", 1, False),
        ("Weighing", 1, False),
        ("Setting up and clearing up", 1, False),
    ]
    founder = User.objects.get()
    assert list(association.seats.values_list("user", "role", "starts_on")) == [(founder.pk, "committee", TODAY)]
    assert client.get(reverse("amap:settings", args=[association.slug])).status_code == 200
    assert list(Invitation.objects.values_list("email", "role")) == [("theo@example.org", "treasurer")]


def test_the_first_page_exists_once(client):
    client.post(reverse("site:start"), START)
    client.logout()
    assert client.get(reverse("site:start")).status_code == 404
    assert client.post(reverse("site:start"), START | {"name": "Other"}).status_code == 404
    assert client.get("/")["Location"].startswith(reverse("account_login"))
    with pytest.raises(Refused, match="already has its association"):
        founding.found(
            name="Other",
            slug="other",
            place_name="Place",
            weekday=3,
            opens_at="18:30",
            closes_at="19:30",
            period_starts_on=TODAY,
            period_ends_on=TODAY + timedelta(days=300),
            amap_part_cents=1000,
            network_part_cents=0,
            person_name="X",
            person_email="x@example.org",
            now=NOW,
            today=TODAY,
        )


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("slug", "accounts", "used by the site itself"),
        ("slug", "Les Paniers", "valid “slug”"),
        ("closes_at", "18:00", "must end after it begins"),
        ("period_ends_on", "2026-08-01", "The end precedes the start"),
        ("amap_part_cents", "abc", "is not an amount"),
        ("password", "azerty123", "too common"),
        ("password", "court", "too short"),
    ],
)
def test_the_first_page_explains_what_is_wrong(client, field, typed, said):
    answer = client.post(reverse("site:start"), START | {field: typed})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Association.objects.exists()


def test_the_first_steps_vanish_one_by_one_and_then_all(amap, django_assert_num_queries):
    with django_assert_num_queries(1):
        steps = founding.first_steps(amap.association)
    assert [step.is_done for step in steps] == [True, True, True, True, False]
    assert steps[4].url.startswith(f"/{amap.slug}/")
    amap.offer()
    assert founding.first_steps(amap.association) == []


def test_a_role_to_come_says_until_when(client, amap):
    seats.seat(
        amap.association,
        user=amap.member,
        role="treasurer",
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 8, 31),
        by=amap.committee,
        now=NOW,
    )
    page = signed_in(client, amap.committee).get(url(amap, "seats")).content.decode()
    assert "from 1 December 2026 until 31 August 2027" in page


@pytest.mark.parametrize(("who", "is_shown"), [("committee", True), ("treasurer", True), ("secretary", False)])
def test_a_household_without_membership_leads_to_its_fee(client, amap, who, is_shown):
    """BR-2"""
    unpaid = amap.new_household("Neuve", paid=False)
    link = url(amap, "membership", unpaid.pk, amap.period.pk)
    page = signed_in(client, getattr(amap, who)).get(url(amap, "household", unpaid.pk)).content.decode()
    assert (link in page) is is_shown
    paid = client.get(url(amap, "household", amap.household.pk)).content.decode()
    assert "Record the fee" not in paid


def test_an_awaited_fee_is_said_on_its_own_page_as_the_period_has_it_now(client, amap):
    """A period's fee may have changed since the membership was opened."""
    unpaid = amap.new_household("Neuve", paid=False)
    membership.open_membership(unpaid, period=amap.period, by=amap.committee, now=NOW)
    amap.association.periods.update(amap_part_cents=3100)
    signed_in(client, amap.committee)
    assert "€20.00" not in client.get(url(amap, "household", unpaid.pk)).content.decode()
    assert "€39.00" in client.get(url(amap, "membership", unpaid.pk, amap.period.pk)).content.decode()


def test_a_home_without_anything_says_where_to_look(client, amap):
    user = amap.user("nora", "Nora Neuve")
    seats.seat(amap.association, user=user, role="treasurer", starts_on=TODAY, by=amap.committee, now=NOW)
    page = signed_in(client, user).get(url(amap, "home")).content.decode()
    assert "Nothing waits for you" in page
    assert 'href="/help/"' in page
