"""Signing in: by a code, or by a password if there is one; the same answer for everybody (R16; reliability.md §5.3)."""

import html
import re
from datetime import date, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from amap import jobs
from amap.models import Job, Letter, Member, User
from tests.cast import NOW, Amap

pytestmark = pytest.mark.django_db
WRONG = {"login": "mina@belombre.example.org", "password": "certainly not this"}


@pytest.fixture
def amap():
    made = Amap()
    made.member.set_password("tournesol et courge")
    made.member.save()
    return made


def words(answer):
    """A page without what differs by itself."""
    return re.sub(r'csrf\w*"[^>]*|X-CSRFToken[^}]*|value="[^"]*"', "", answer.content.decode())


def sent():
    """What the worker sends, without waiting for its minute."""
    for pk in Job.objects.filter(status="waiting").values_list("pk", flat=True):
        jobs.run(pk)
    return mail.outbox


def code_sent():
    return re.search(r"^([A-Z0-9-]{6,})\s*$", sent()[-1].body, re.MULTILINE)[1]


def test_a_code_sent_by_email_signs_in(client, amap):
    client.post(reverse("account_request_login_code"), {"email": amap.committee.email.upper()})
    code = code_sent()
    answer = client.post(reverse("account_confirm_login_code"), {"code": code})
    assert answer.status_code == 302
    assert client.get(reverse("amap:settings", args=[amap.slug])).status_code == 200


@pytest.mark.parametrize("is_proved", [True, False])
def test_a_password_signs_in_once_the_address_is_proved(client, amap, is_proved):
    EmailAddress.objects.filter(user=amap.member).update(verified=is_proved)
    client.post(reverse("account_login"), WRONG | {"password": "tournesol et courge"})
    assert client.get(reverse("site:profile")).status_code == (200 if is_proved else 302)
    assert [letter.to for letter in sent()] == ([] if is_proved else [[amap.member.email]])


@pytest.mark.parametrize("who", ["wrong", "unknown", "closed"])
def test_wrong_unknown_and_closed_are_told_the_same(client, amap, who):
    User.objects.filter(email=amap.secretary.email).update(is_active=False)
    email = {"wrong": amap.member.email, "unknown": "nobody@example.org", "closed": amap.secretary.email}[who]
    answer = client.post(reverse("account_login"), WRONG | {"login": email})
    other = client.post(reverse("account_login"), WRONG | {"login": "somebody@example.org"})
    assert answer.status_code == 200
    assert "are not correct" in answer.content.decode()
    assert words(answer) == words(other)


def test_the_eleventh_try_waits_and_other_people_do_not(client, amap):
    """R16: at most ten tries a quarter of an hour on one address; a code still signs its owner in."""
    page = reverse("account_login")
    assert [client.post(page, WRONG).status_code for _ in range(11)] == [200] * 10 + [429]
    assert "15 minutes" in client.post(page, WRONG | {"password": "tournesol et courge"}).content.decode()
    assert client.post(page, WRONG | {"login": amap.treasurer.email}).status_code == 200
    client.post(reverse("account_request_login_code"), {"email": amap.member.email})
    assert sent()[-1].to == [amap.member.email]


def test_a_code_is_forgotten_once_it_has_left(client, amap):
    """R18: what lets somebody in is not kept."""
    client.post(reverse("account_request_login_code"), {"email": amap.committee.email})
    assert code_sent()
    assert (Letter.objects.get().status, Letter.objects.get().context) == ("sent", {})


@pytest.mark.parametrize("page", ["account_request_login_code", "account_reset_password"])
def test_a_known_address_costs_as_much_as_an_unknown_one_and_nobody_waits_for_the_mail_server(page, amap):
    """R14, R16: the same answer, a letter each, which the worker sends, and as many statements, but for two reads."""
    costs = []
    for email in (amap.member.email, "nobody@example.org"):
        client = Client()
        client.get(reverse(page))
        with CaptureQueriesContext(connection) as seen:
            answer = client.post(reverse(page), {"email": email})
        costs.append((answer.status_code, answer["Location"], len(seen)))
    (*known, statements), (*unknown, fewer) = costs
    assert known == unknown
    assert 0 <= statements - fewer <= 2
    assert mail.outbox == []
    assert [letter.to for letter in sent()] == [[amap.member.email], ["nobody@example.org"]]


def test_one_password_tried_on_many_addresses_meets_the_limit_of_its_network(client, amap, settings):
    """R16"""
    assert settings.ACCOUNT_RATE_LIMITS["login_failed"].endswith("100/15m/ip")
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "10/15m/key,3/15m/ip"}
    tries = [client.post(reverse("account_login"), WRONG | {"login": f"p{n}@example.org"}) for n in range(4)]
    assert [answer.status_code for answer in tries] == [200, 200, 200, 429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post(reverse("account_login"), WRONG).status_code == 200


def test_a_new_password_ends_the_other_sessions_at_their_next_request(client, amap):
    """R17"""
    elsewhere = Client()
    for browser in (client, elsewhere):
        browser.force_login(amap.member)
    new = {"oldpassword": "tournesol et courge", "password1": "poireau et panais", "password2": "poireau et panais"}
    client.post(reverse("account_change_password"), new)
    assert client.get(reverse("site:profile")).status_code == 200
    assert elsewhere.get(reverse("site:profile")).status_code == 302


def test_a_closed_account_is_out_at_its_next_request(client, amap):
    """R17"""
    client.force_login(amap.member)
    User.objects.filter(pk=amap.member.pk).update(is_active=False)
    assert client.get(reverse("site:profile")).status_code == 302


@pytest.mark.parametrize("email", ["mina@belombre.example.org", "nobody@example.org"])
def test_asking_for_a_code_or_a_new_password_tells_nobody_who_is_a_member(client, amap, email):
    code = client.post(reverse("account_request_login_code"), {"email": email})
    assert (code.status_code, code["Location"]) == (302, reverse("account_confirm_login_code"))
    reset = client.post(reverse("account_reset_password"), {"email": email})
    assert (reset.status_code, reset["Location"]) == (302, reverse("account_reset_password_done"))


# A session that ends while one is typing


def hidden(answer):
    """The hidden fields of the form on a page."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.content.decode())
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def test_a_grid_sent_after_the_session_ended_comes_back_with_everything_typed(client, amap):
    """interface.md: forms never lose work when the session expires."""
    offer = amap.offer(kind="by_date", status="open", start=date(2026, 12, 3))
    flour = offer.products.first().pk
    page = reverse("contracts:sign", args=[amap.slug, offer.pk])
    answer = client.post(page, {f"c_1_{flour}": "2", f"c_4_{flour}": "3"}, follow=True)
    assert "Send me a code" in answer.content.decode()
    next_page = hidden(answer)["next"]
    client.post(reverse("account_request_login_code"), {"email": amap.member.email, "next": next_page})
    back = client.post(reverse("account_confirm_login_code"), {"code": code_sent(), "next": next_page}, follow=True)
    assert "Nothing is lost" in back.content.decode()
    assert f'action="{page}"' in back.content.decode()
    kept = {name: value for name, value in hidden(back).items() if name.startswith("c_")}
    assert kept == {f"c_1_{flour}": "2", f"c_4_{flour}": "3"}
    assert "step=pay" in client.post(page, kept).headers["Location"]


def test_what_was_typed_is_not_offered_to_whoever_signs_in_there_much_later(client, amap, time_machine):
    client.post("/profile/", {"name": "Mina"})
    client.force_login(amap.member)
    time_machine.move_to(NOW + timedelta(minutes=59))
    assert "Mina" in client.get(reverse("site:unsent")).content.decode()
    time_machine.move_to(NOW + timedelta(minutes=61))
    assert client.get(reverse("site:unsent")).status_code == 302


def test_what_cannot_be_kept_is_not_promised(client, amap):
    client.post("/belombre/imports/new/households/", {"file": SimpleUploadedFile("x.csv", b"Nom\nMartin\n")})
    client.post("/profile/", {"name": "x" * 50_000})
    client.post("/profile/", {"password": "secret"})
    assert client.post("/profile/", {"name": "x"}, headers={"hx-request": "true"}).headers["HX-Refresh"] == "true"
    client.force_login(amap.member)
    assert client.get(reverse("site:unsent")).status_code == 302


def test_nobody_registers_alone(client, amap):
    assert "By invitation" in client.get(reverse("account_signup")).content.decode()
    client.post(reverse("account_signup"), {"email": "new@example.org"})
    assert not User.objects.filter(email="new@example.org").exists()


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_new_address_is_proved_before_it_counts_and_follows_into_the_association(client, amap, is_taken):
    """BR-1, T4"""
    if is_taken:
        Member.objects.filter(user=amap.secretary).update(email="mina2@example.org")
    User.objects.filter(pk=amap.member.pk).update(feed_key_sha256="x" * 64)
    EmailAddress.objects.filter(user=amap.member).update(verified=True)
    client.force_login(amap.member)
    client.post(reverse("account_email"), {"email": "mina2@example.org", "action_add": ""})
    amap.member.refresh_from_db()
    assert amap.member.email == "mina@belombre.example.org"
    code = code_sent()
    client.post(reverse("account_email_verification_sent"), {"code": code})
    amap.member.refresh_from_db()
    assert (amap.member.email, amap.member.feed_key_sha256) == ("mina2@example.org", "")
    assert Member.objects.get(user=amap.member).email == (
        "mina@belombre.example.org" if is_taken else "mina2@example.org"
    )
    assert ["mina@belombre.example.org"] in [letter.to for letter in sent()]  # whoever had it is told


@pytest.mark.parametrize("typed", ["nobody", "a@b", "a@b.fr, c@d.fr"])
def test_a_wrong_new_address_changes_nothing(client, amap, typed):
    client.force_login(amap.member)
    assert client.post(reverse("account_email"), {"email": typed, "action_add": ""}).status_code == 200
    assert sent() == []


def test_another_persons_address_looks_like_any_other(client, amap):
    """reliability.md §5.3, profile: the same answer, and the holder is told."""
    client.force_login(amap.member)
    free = client.post(reverse("account_email"), {"email": "free@example.org", "action_add": ""})
    client.force_login(amap.secretary)
    taken = client.post(reverse("account_email"), {"email": amap.committee.email, "action_add": ""})
    assert (free.status_code, free["Location"]) == (taken.status_code, taken["Location"])
    amap.secretary.refresh_from_db()
    assert amap.secretary.email == "sacha@belombre.example.org"
    assert sent()[-1].to == [amap.committee.email]
