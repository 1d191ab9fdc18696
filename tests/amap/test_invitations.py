"""Invitations: one link, one address, once, seven days, on POST only (T5, R16, R18; reliability.md §5.3)."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse

from amap import jobs, letters, tokens
from amap.actions import founding, invitations, people
from amap.errors import Refused
from amap.models import (
    Association,
    AuditEntry,
    CommitteeSeat,
    Farm,
    Farmer,
    Invitation,
    Job,
    Letter,
    Member,
    Partnership,
    User,
)
from tests.cast import NOW, TODAY, Amap

pytestmark = pytest.mark.django_db
NO_LONGER = "This link is no longer valid. Ask your AMAP for a new one."


@pytest.fixture(autouse=True)
def _day(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def amap():
    return Amap()


@pytest.fixture
def anais(amap):
    """Somebody of a household, with an e-mail and no account."""
    return people.add_member(
        amap.household, name="Anaïs", email="anais@example.org", language="en", by=amap.committee, now=NOW
    )


def invited(amap, member):
    _invitation, token = invitations.invite(amap.association, member=member, by=amap.committee, now=NOW)
    return reverse("site:invitation", args=[token])


ANSWERS = {"name": "Anaïs Durand", "language": "en"}


def test_a_link_makes_the_account_signs_it_in_and_gives_its_household(client, amap, anais):
    link = invited(amap, anais)
    page = client.get(link)
    assert page.status_code == 200
    assert amap.household.name in page.content.decode()
    answer = client.post(link, ANSWERS)
    assert answer["Location"] == reverse("amap:home", args=[amap.slug])
    anais.refresh_from_db()
    assert (anais.user.email, anais.user.name, anais.user.language) == ("anais@example.org", "Anaïs Durand", "en")
    assert not anais.user.has_usable_password()
    assert EmailAddress.objects.get(user=anais.user).verified
    assert client.get(reverse("amap:household", args=[amap.slug, amap.household.pk])).status_code == 200


def test_a_password_is_kept_when_one_is_chosen(client, amap, anais):
    client.post(invited(amap, anais), ANSWERS | {"password": "tournesol et courge"})
    assert User.objects.get(email="anais@example.org").check_password("tournesol et courge")


def test_a_long_password_is_a_password(client, amap, anais):
    client.post(invited(amap, anais), ANSWERS | {"password": "tournesol-" * 12})
    assert User.objects.get(email="anais@example.org").check_password("tournesol-" * 12)


@pytest.mark.parametrize(
    "password", ["azerty123", "court", "1234567890123", "Les Paniers de Belombre", "lespaniersdebelombre2026"]
)
def test_a_weak_password_is_refused_and_the_link_still_works(client, amap, anais, password):
    link = invited(amap, anais)
    page = client.post(link, ANSWERS | {"password": password})
    assert page.status_code == 200
    assert not User.objects.filter(email="anais@example.org").exists()
    assert client.post(link, ANSWERS).status_code == 302


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "Ana\u202eis"])
def test_a_name_is_asked_for(client, amap, anais, name):
    page = client.post(invited(amap, anais), ANSWERS | {"name": name})
    assert page.status_code == 200
    assert not User.objects.filter(email="anais@example.org").exists()


def test_looking_changes_nothing(client, amap, anais):
    """R18: mail programs open links before people do."""
    link = invited(amap, anais)
    users, before = User.objects.count(), Invitation.objects.values().get()
    for _time in range(3):
        assert client.get(link).status_code == 200
        assert client.head(link).status_code == 200
        client.options(link)
    assert (User.objects.count(), Invitation.objects.values().get()) == (users, before)
    assert client.post(link, ANSWERS).status_code == 302


def _unknown(amap, member):
    return reverse("site:invitation", args=[tokens.token_of("guess")])


def _used(amap, member):
    link = invited(amap, member)
    invitations.accept(link.split("/")[2], name="A", now=NOW)
    return link


def _expired(amap, member):
    link = invited(amap, member)
    Invitation.objects.update(expires_at=NOW - timedelta(seconds=1))
    return link


def _revoked(amap, member):
    link = invited(amap, member)
    invitations.revoke(Invitation.objects.get(), by=amap.committee, now=NOW)
    return link


def _replaced(amap, member):
    link = invited(amap, member)
    invitations.resend(Invitation.objects.get(), by=amap.committee, now=NOW)
    return link


@pytest.mark.parametrize("way", [_unknown, _used, _expired, _revoked, _replaced])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_does_not_open_says_the_same_whatever_the_reason(client, amap, anais, way, method):
    """R16, R18: unknown, used, too old, taken back, replaced"""
    link, users = way(amap, anais), User.objects.count()
    answer = getattr(client, method)(link, ANSWERS)
    nothing = client.get(reverse("site:invitation", args=["never-existed"]))
    strip = re.compile(r'csrf\w*"[^>]*|X-CSRFToken[^}]*|value="[^"]*"')
    assert answer.status_code == 404
    assert NO_LONGER in answer.content.decode()
    assert strip.sub("", answer.content.decode()) == strip.sub("", nothing.content.decode())
    assert User.objects.count() == users


def test_a_link_works_for_seven_days(amap, anais):
    token = invited(amap, anais).split("/")[2]
    assert invitations.open_invitation(token, now=NOW + timedelta(days=7, seconds=-1))
    assert invitations.open_invitation(token, now=NOW + timedelta(days=7)) is None


def test_a_link_is_for_its_own_address_only(client, amap, anais):
    """R18: another user who holds the link gets nothing from it."""
    link = invited(amap, anais)
    client.force_login(amap.treasurer)
    for answer in (client.get(link), client.post(link, ANSWERS)):
        assert answer.status_code == 404
        assert NO_LONGER in answer.content.decode()
        assert "sign out and open the link again" in answer.content.decode()
    anais.refresh_from_db()
    assert anais.user is None
    with pytest.raises(Refused):
        invitations.accept(link.split("/")[2], by=amap.treasurer, now=NOW)


def test_an_existing_account_signs_in_first_and_is_then_linked(client, amap, anais):
    known = User.objects.create_user("anais@example.org", name="Anaïs D.")
    link = invited(amap, anais)
    page = client.get(link).content.decode()
    assert f"{reverse('account_login')}?next={link}" in page
    client.post(link, ANSWERS)  # not signed in: nothing happens
    anais.refresh_from_db()
    assert anais.user is None
    client.force_login(known)
    client.post(link)
    anais.refresh_from_db()
    known.refresh_from_db()
    assert (anais.user, known.name) == (known, "Anaïs D.")


def test_a_closed_account_accepts_nothing(client, amap, anais):
    User.objects.create_user("anais@example.org", name="A", is_active=False)
    assert client.get(invited(amap, anais)).status_code == 404


def test_one_household_a_person_in_an_association(amap):
    """BR-1"""
    other = amap.new_household("Autre")
    member = Member.objects.create(association=amap.association, household=other, name="M", email="m@example.org")
    _invitation, token = invitations.invite(amap.association, member=member, by=amap.committee, now=NOW)
    user = User.objects.create_user("m@example.org", name="M")
    Member.objects.filter(household=amap.household).update(user=user)
    with pytest.raises(Refused, match="already belong to another household"):
        invitations.accept(token, by=user, now=NOW)


def test_the_database_and_the_letter_never_hold_the_token(amap, anais):
    """T5"""
    token = invited(amap, anais).split("/")[2]
    assert len(token) >= 43  # 256 bits
    invitation, letter = Invitation.objects.get(), Letter.objects.get(kind="invitation")
    assert invitation.token_sha256 == tokens.digest(token)
    assert token not in str(Letter.objects.values().get(pk=letter.pk))
    email = letters.message([letter])
    assert f"/invitations/{token}/" in email.body
    assert "Anaïs" in email.body
    assert amap.household.name in email.body
    assert email.to == ["anais@example.org"]


@pytest.mark.parametrize(
    "what",
    [{"role": "treasurer"}, {"farm_name": "Le Fournil"}, {"farm": True}],
    ids=["role", "new farm", "farmer"],
)
def test_each_letter_says_what_for(amap, what):
    if "farm" in what:
        what = {"farm": amap.farm}
    invitations.invite(amap.association, email="x@example.org", language="en", by=None, now=NOW, **what)
    body = letters.message([Letter.objects.get(kind="invitation")]).body
    assert {"role": "treasurer", "farm_name": "Le Fournil", "farm": amap.farm.name}[next(iter(what))] in body


def test_a_flood_of_letters_to_one_address_stops(amap, anais):
    """R16"""
    for _time in range(5):
        invitations.invite(amap.association, member=anais, by=amap.committee, now=NOW)
    with pytest.raises(Refused, match="Wait a day"):
        invitations.invite(amap.association, member=anais, by=amap.committee, now=NOW)
    assert invitations.invite(amap.association, member=anais, by=amap.committee, now=NOW + timedelta(days=2))
    assert Invitation.objects.open(NOW).count() == 1


def test_who_holds_no_seat_does_not_write_to_the_whole_world(client, amap):
    """R16: another address, or another person, each time."""
    client.force_login(amap.member)
    for n in range(8):
        person = {"name": "Ami", "email": f"a{n}@example.org", "phone": "", "language": "en"}
        client.post(reverse("amap:member_new", args=[amap.slug, amap.household.pk]), person)
        member = amap.household.members.get(email=person["email"])
        answer = client.post(reverse("amap:member_invite", args=[amap.slug, member.pk]), follow=True)
        client.post(reverse("amap:member_remove", args=[amap.slug, member.pk]))
    assert "You have sent 5 invitations since yesterday." in answer.content.decode()
    assert AuditEntry.objects.filter(verb="invitation.sent").count() == 5
    for n in range(8):
        invitations.invite(amap.association, role="secretary", email=f"b{n}@example.org", by=amap.committee, now=NOW)


def test_an_account_is_given_to_a_household_by_those_with_a_seat_or_its_holder(client, amap):
    """A member who writes the farmer's address into their household invites the farmer, who accepts or not."""
    client.force_login(amap.member)
    person = {"name": "Maëlle", "email": amap.farmer.email, "phone": "", "language": "en"}
    client.post(reverse("amap:member_new", args=[amap.slug, amap.household.pk]), person)
    maelle = amap.household.members.get(email=amap.farmer.email)
    client.post(reverse("amap:member_edit", args=[amap.slug, maelle.pk]), person | {"name": "Maëlle K."})
    maelle.refresh_from_db()
    assert (maelle.name, maelle.user) == ("Maëlle K.", None)
    link = invited(amap, maelle)
    client.force_login(amap.farmer)
    client.post(link, {"name": "", "language": "en"})
    maelle.refresh_from_db()
    assert maelle.user == amap.farmer


def test_two_clicks_send_one_letter_whose_link_works(client, amap, anais):
    client.force_login(amap.secretary)
    for _click in range(2):
        client.post(reverse("amap:member_invite", args=[amap.slug, anais.pk]))
        letters.send_waiting(NOW)
    for pk in Job.objects.filter(kind="amap.letters.send_urgent").values_list("pk", flat=True):
        jobs.run(pk)
    (letter,) = mail.outbox
    client.logout()
    link = re.search(r"/invitations/\S+/", letter.body)[0]
    assert client.get(link).status_code == 200
    assert set(Job.objects.values_list("status", flat=True)) == {"done"}


def test_everybody_not_yet_invited_is_invited_once(client, amap, anais):
    paper = amap.new_household("Papier")
    Member.objects.create(association=amap.association, household=paper, name="Odile")
    bob = people.add_member(paper, name="Bob", email="bob@example.org", by=amap.committee, now=NOW)
    invitations.invite(amap.association, member=bob, by=amap.committee, now=NOW)
    client.force_login(amap.secretary)
    for _time in range(2):
        client.post(reverse("amap:invite_all", args=[amap.slug]))
    assert sorted(Invitation.objects.values_list("email", flat=True)) == ["anais@example.org", "bob@example.org"]
    token = tokens.token_of(Letter.objects.get(to="anais@example.org").context["seed"])
    assert invitations.accept(token, name="Anaïs", now=NOW).memberships_of_households.get() == anais


def test_a_role_begins_when_its_holder_accepts(client, amap):
    _invitation, token = invitations.invite(
        amap.association, role="treasurer", email="Theo2@example.org", by=amap.committee, now=NOW
    )
    assert not CommitteeSeat.objects.filter(user__email="theo2@example.org").exists()
    client.post(reverse("site:invitation", args=[token]), {"name": "Théo", "language": "fr"})
    seat = CommitteeSeat.objects.get(user__email="theo2@example.org")
    assert (seat.role, seat.starts_on) == ("treasurer", TODAY)


def test_an_officer_is_also_the_person_of_their_household(amap):
    """Whoever signs in with an address already known in the association is that person."""
    _invitation, token = invitations.invite(amap.association, role="secretary", email="s@example.org", by=None, now=NOW)
    before = people.add_member(amap.household, name="S", email="s@example.org", by=amap.committee, now=NOW)
    user = invitations.accept(token, name="S", now=NOW)
    before.refresh_from_db()
    assert before.user == user
    _invitation, token = invitations.invite(amap.association, role="secretary", email="t@example.org", by=None, now=NOW)
    later = invitations.accept(token, name="T", now=NOW)
    assert people.add_member(amap.household, name="T", email="t@example.org", by=amap.committee, now=NOW).user == later


def test_a_farmer_is_invited_by_the_farm(client, amap):
    client.force_login(amap.farmer)
    client.post(reverse("amap:farmer_invite", args=[amap.slug, amap.farm.slug]), {"email": "second@example.org"})
    token = tokens.token_of(Letter.objects.get(to="second@example.org").context["seed"])
    client.logout()
    client.post(reverse("site:invitation", args=[token]), {"name": "Second", "language": "fr"})
    assert Farmer.objects.filter(farm=amap.farm, user__email="second@example.org").exists()
    client.force_login(amap.committee)  # the farm speaks for itself now
    page = client.get(reverse("amap:farmer_invite", args=[amap.slug, amap.farm.slug]))
    assert page.status_code == 403


def test_a_farm_of_this_site_comes_with_its_own_people_or_not_at_all(client, amap):
    """BR-76: the association types a name and an address, and learns nothing by it."""
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    client.force_login(amap.committee)
    client.post(reverse("amap:farm_welcome", args=[amap.slug]), {"farm_name": "Saules", "email": other.farmer.email})
    link = reverse("site:invitation", args=[tokens.token_of(Letter.objects.get(to=other.farmer.email).context["seed"])])
    assert not Partnership.objects.filter(association=amap.association, farm=other.farm).exists()
    client.force_login(other.farmer)
    not_mine = client.post(link, {"farm": amap.farm.pk})
    assert not_mine.status_code == 200
    client.post(link, {"farm": other.farm.pk})
    assert Partnership.objects.filter(association=amap.association, farm=other.farm).exists()
    assert client.get(reverse("amap:farm", args=[amap.slug, other.farm.slug])).status_code == 200


def test_a_farm_new_to_this_site_gets_its_sheet_by_accepting(client, amap):
    _invitation, token = invitations.invite(
        amap.association, farm_name="Chèvrerie des Pins", email="pins@example.org", by=amap.committee, now=NOW
    )
    client.force_login(amap.committee)
    listed = client.get(reverse("amap:farms", args=[amap.slug])).content.decode()
    assert "Chèvrerie des Pins" in listed
    assert "pins@example.org" in listed
    client.force_login(amap.member)
    assert "pins@example.org" not in client.get(reverse("amap:farms", args=[amap.slug])).content.decode()
    client.logout()
    answer = client.post(reverse("site:invitation", args=[token]), {"name": "Paul Pin", "language": "fr"})
    farm = Farm.objects.get(slug="chevrerie-des-pins")
    assert answer.url == reverse("amap:farm_edit", args=[amap.slug, farm.slug])
    assert farm.farmers.get().user.email == "pins@example.org"
    assert farm.partnerships.get().association == amap.association


def test_invitations_are_sent_again_and_taken_back_by_those_who_may(client, amap, anais):
    invited(amap, anais)
    invitation = Invitation.objects.get()
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    for who, place, status in [(other.committee, other, 404), (amap.treasurer, amap, 404), (amap.member, amap, 302)]:
        client.force_login(who)
        answer = client.post(reverse("amap:invitation_resend", args=[place.slug, invitation.pk]))
        assert answer.status_code == status, who
        assert client.get(reverse("amap:invitation_resend", args=[place.slug, invitation.pk])).status_code == 405
    client.force_login(amap.secretary)
    again = reverse("amap:invitation_resend", args=[amap.slug, invitation.pk])
    assert client.post(again, {"from_list": "1"}).url == reverse("amap:invitations", args=[amap.slug])
    again = reverse("amap:invitation_resend", args=[amap.slug, Invitation.objects.open(NOW).get().pk])
    assert client.post(again).url == reverse("amap:household", args=[amap.slug, invitation.member.household_id])
    for one in Invitation.objects.all():
        client.post(reverse("amap:invitation_revoke", args=[amap.slug, one.pk]))
    assert not Invitation.objects.open(NOW).exists()


def test_a_farmer_without_a_household_has_no_part_in_the_committees_invitations(client, amap):
    one, _token = invitations.invite(
        amap.association, role="treasurer", email="theo2@example.org", by=amap.committee, now=NOW
    )
    client.force_login(amap.farmer)
    for deed in ("invitation_resend", "invitation_revoke"):
        assert client.post(reverse(f"amap:{deed}", args=[amap.slug, one.pk])).status_code == 404
    assert Invitation.objects.open(NOW).get() == one


def test_the_operator_makes_a_committee_member(client, amap):
    out = StringIO()
    call_command("create_committee_member", amap.slug, "ops@example.org", "Olga Opératrice", stdout=out)
    link = re.search(r"(/invitations/\S+/)", out.getvalue())[1]
    client.post(link, {"name": "Olga", "language": "fr"})
    user = User.objects.get(email="ops@example.org")
    assert CommitteeSeat.objects.get(user=user).role == "committee"
    call_command("create_committee_member", amap.slug, "ops@example.org", "Olga", stdout=out)
    assert "already" in out.getvalue()


@pytest.mark.parametrize(("slug", "email"), [("nowhere", "a@example.org"), ("belombre", "not an address")])
def test_the_operator_is_told_what_is_wrong(amap, slug, email):
    with pytest.raises(CommandError):
        call_command("create_committee_member", slug, email, "X")
    assert not Invitation.objects.exists()


def test_the_operator_makes_one_more_association_whose_steps_begin_at_the_beginning(amap):
    """BR-76"""
    out = StringIO()
    call_command("create_association", "les-voisins", "Les Voisins", stdout=out)
    made = Association.objects.get(slug="les-voisins")
    assert [step.is_done for step in founding.first_steps(made)] == [False] * 5
    call_command("create_committee_member", "les-voisins", "ops@example.org", "Olga", stdout=out)
    assert Invitation.objects.get().association == made


@pytest.mark.parametrize("slug", ["belombre", "accounts", "Les Voisins"])
def test_an_association_needs_an_address_of_its_own(amap, slug):
    with pytest.raises(CommandError):
        call_command("create_association", slug, "Les Voisins")
    assert Association.objects.count() == 1
