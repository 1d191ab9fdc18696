"""Who may go where: the whole policy of the site, one line a page or deed (BR-5, BR-76; reliability.md R5).

A page missing from the table fails the test, and so does a line that names no page. Each line says how the page is asked,
what stands for the `<…>` of its address, and what each person gets:

    o  enters           x  refused, told whom to ask (403)
    L  sign in first    -  does not exist for them (404)
"""

import pytest
import time_machine
from django.db import transaction
from django.urls import URLPattern, get_resolver, reverse

from tests.cast import NOW
from tests.world import World

PEOPLE = [
    *("anonymous", "stranger", "member", "other member", "farmer", "other farmer", "liaison", "other liaison"),
    *("treasurer", "secretary", "lead", "solidarity", "committee", "their treasurer", "their farmer"),
]
GET, POST = "get", "post"

# fmt: off
#                                                                                       anonymous, stranger
#                                                                                       |  member, other member
#                                                                                       |  |  farmer, other farmer
#                                                                                       |  |  |  liaison, other liaison
#                                                                                       |  |  |  |  treasurer, secretary
#                                                                                       |  |  |  |  |  lead, solidarity
#                                                                                       |  |  |  |  |  |  committee
#                                                                                       |  |  |  |  |  |  | their treasurer
#                                                                                       |  |  |  |  |  |  | | their farmer
TABLE = [
]
# fmt: on

# django-allauth's own pages: how they answer is its business; that each is known is ours.
SIGNING_IN = {
    *("account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate"),
    *("account_email", "account_email_verification_sent", "account_change_password", "account_set_password"),
    *("account_reset_password", "account_confirm_login_code", "account_reset_password_from_key_done"),
    *("account_reset_password_from_key", "account_reset_password_done", "account_request_login_code"),
}


def routes(patterns=None, prefix="", namespace=""):
    """{route name: names of what its address asks for} of the whole site."""
    found = {}
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            name = f"{namespace}:{pattern.name}" if namespace else pattern.name
            found[name] = [*prefix, *pattern.pattern.converters]
        else:
            inner = [*prefix, *pattern.pattern.converters]
            found |= routes(pattern.url_patterns, inner, pattern.namespace or namespace)
    return found


ROUTES = routes()


def test_every_page_has_its_line():
    assert {line[0] for line in TABLE} | SIGNING_IN == set(ROUTES)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Made once for the whole table, then undone."""
    with django_db_blocker.unblock(), time_machine.travel(NOW, tick=False), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


def address(world, route, rows):
    values = iter(rows.split(", ") if rows else ())
    kwargs = {
        name: world.ids["association"] if name == "association" else _value(world, next(values))
        for name in ROUTES[route]
    }
    return reverse(route, kwargs=kwargs)


def _value(world, row):
    return world.ids.get(row, row)


def answers(client, world, method, url):
    """One letter for each person."""
    letters = []
    for name in PEOPLE:
        client.logout()
        if user := world.people[name]:
            client.force_login(user)
        point = transaction.savepoint()
        answer = getattr(client, method)(url)
        transaction.savepoint_rollback(point)
        assert answer.status_code < 500, f"{name}: {answer.status_code}"
        if answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/"):
            letters.append("L")
        else:
            letters.append({403: "x", 404: "-"}.get(answer.status_code, "o"))
    return "".join(letters)


@pytest.mark.django_db
@pytest.mark.parametrize(("route", "method", "rows", "expected"), TABLE, ids=[f"{line[0]}-{line[1]}" for line in TABLE])
def test_each_person_gets_what_the_table_says(client, world, route, method, rows, expected):
    with time_machine.travel(NOW, tick=False):
        got = answers(client, world, method, address(world, route, rows))
    wrong = {
        name: f"{letter} instead of {wanted}"
        for name, letter, wanted in zip(PEOPLE, got, expected.replace(" ", ""), strict=True)
        if letter != wanted
    }
    assert not wrong


@pytest.mark.django_db
@pytest.mark.parametrize(
    "route", [line[0] for line in TABLE if line[1] == POST], ids=lambda route: route
)
def test_deeds_are_not_done_by_looking(client, world, route):
    """A link that is only followed, or fetched ahead by a browser, changes nothing (T17)."""
    lines = [line for line in TABLE if line[0] == route]
    if any(line[1] == GET for line in lines):
        pytest.skip("has a page of its own")
    client.force_login(world.people["committee"])
    assert client.get(address(world, route, lines[0][2])).status_code in {403, 404, 405}
