"""Signing in: by a code, or by a password if there is one; the same answer for everybody (R16; reliability.md §5.3)."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.urls import reverse

from amap.models import User
from tests.cast import NOW, Amap

pytestmark = pytest.mark.django_db
WRONG = {"login": "mina@belombre.example.org", "password": "certainly not this"}


@pytest.fixture
def amap(time_machine):
    time_machine.move_to(NOW, tick=True)
    made = Amap()
    made.member.set_password("tournesol et courge")
    made.member.save()
    return made


def words(answer):
    """A page without what differs by itself."""
    return re.sub(r'csrf\w*"[^>]*|X-CSRFToken[^}]*|value="[^"]*"', "", answer.content.decode())


def test_a_code_sent_by_email_signs_in(client, amap):
    client.post(reverse("account_request_login_code"), {"email": amap.committee.email.upper()})
    code = re.search(r"^([A-Z0-9-]{6,})\s*$", mail.outbox[-1].body, re.MULTILINE)[1]
    answer = client.post(reverse("account_confirm_login_code"), {"code": code})
    assert answer.status_code == 302
    assert client.get(reverse("amap:settings", args=[amap.slug])).status_code == 200


@pytest.mark.parametrize("is_proved", [True, False])
def test_a_password_signs_in_once_the_address_is_proved(client, amap, is_proved):
    EmailAddress.objects.filter(user=amap.member).update(verified=is_proved)
    client.post(reverse("account_login"), WRONG | {"password": "tournesol et courge"})
    assert client.get(reverse("site:profile")).status_code == (200 if is_proved else 302)
    assert [letter.to for letter in mail.outbox] == ([] if is_proved else [[amap.member.email]])


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
    assert mail.outbox[-1].to == [amap.member.email]


@pytest.mark.parametrize("email", ["mina@belombre.example.org", "nobody@example.org"])
def test_asking_for_a_code_or_a_new_password_tells_nobody_who_is_a_member(client, amap, email):
    code = client.post(reverse("account_request_login_code"), {"email": email})
    assert (code.status_code, code["Location"]) == (302, reverse("account_confirm_login_code"))
    reset = client.post(reverse("account_reset_password"), {"email": email})
    assert (reset.status_code, reset["Location"]) == (302, reverse("account_reset_password_done"))


def test_nobody_registers_alone(client, amap):
    assert "By invitation" in client.get(reverse("account_signup")).content.decode()
    client.post(reverse("account_signup"), {"email": "new@example.org"})
    assert not User.objects.filter(email="new@example.org").exists()
