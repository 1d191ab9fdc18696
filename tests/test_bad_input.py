"""Whatever is sent, every page answers in words: never with an error of the server (reliability.md R4 in small, §5).

Looking writes nothing, and what is written leaves a trace in the history (R22).

Each page is asked with odd addresses, and each of its forms is sent empty, and with what people paste and attackers try
in every field.
"""

import os
import re

import pytest
import time_machine
from django import forms
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve, reverse
from lxml import html

from tests.cast import NOW
from tests.test_access import GET, PEOPLE, POST, ROUTES, TABLE, address, world

__all__ = ["world"]  # the fixture

HUGE = "9" * 30
QUERIES = [
    "page=0&q=%27%22%3Cscript%3E&order=password&show=x&kind=x&of=x&format=x&side=x&month=2026-13&on=2026-02-30",
    "page=-1&q=%25_%5C&household=abc&farm=0&offer=abc&period=-1&place=abc&year=99999&step=pay&s=%F0%9F%A5%95&show=%D9%A3",
    f"page={HUGE}&household={HUGE}&farm={HUGE}&offer={HUGE}&period={HUGE}&place={HUGE}&year={HUGE}&q={'x' * 9000}",
    "page=%C2%B2&household=%C2%B2&farm=%C2%B2&from=%C2%B2&offer=%C2%B2&period=%C2%B2&of=%C2%B2",  # ², a digit to Python
    "q=%00",
]
POISON = [
    *("", " ", "abc", "0", "-1", "1e5", "1,234", "12,505", "NaN", HUGE, str(2**63), "999999999", "1.5", "٣", "²", "7"),
    *(
        "31/02/2026",
        "01/01/0001",
        "1/1/26",
        "9999-12-31",
        "25:00",
        "18h30",
        "2026-13-45T99:99",
        "on",
        "None",
        "[]",
        "{}",
    ),
    *("<script>alert(1)</script>", '"><b>', "'; DROP TABLE x; --", "=HYPERLINK(1)", "+1", "@SUM(A1)", "\t=1"),
    *(
        "Jean\r\nBcc: all@example.org",
        "a\x00b",
        "a\x0bb",
        "a\u202eb",
        "\ufeff",
        "🥕" * 50,
        "{{ x }}{% y %}%s{0.x}",
    ),
    *("a@b", "a@example.org, b@example.org", "06 12", "FR7612345", "../../etc/passwd", "x" * 10_000),
]
WRITES = re.compile(r'(?:INSERT (?:OR IGNORE )?INTO|UPDATE|DELETE FROM) "(\w+)"')
UNSEEN = {"django_session", "amap_cache"}
LEAVES_NO_TRACE = {
    *("amap:import_match", "amap:import_discard"),  # a file that was never confirmed has changed nothing
    "deliveries:plan",  # the distributions that the night would have made
    "site:profile",  # the name of somebody who belongs to no association
    # A draft saved as it was; its description, which binds nobody.
    *("contracts:offer_edit", "contracts:offer_calendar", "contracts:offer_dates", "contracts:offer_budget"),
    *("contracts:offer_shares", "contracts:offer_payment", "contracts:offer_terms"),
}
ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "1"))
# Paper takes a second a sheet, and reads nothing that is sent.
PAPER = {
    *("contracts:blank", "contracts:price_note", "contracts:deposit_slip", "contracts:schedule"),
    *(line[0] for line in TABLE if line[0].endswith("_pdf")),
}
PAGES = [line for line in TABLE if line[1] != POST and line[0] not in PAPER]


@pytest.fixture
def ask(world):
    """ask(line, method, address, form) as who may enter there; what it did is undone; whatever broke fails the test."""
    clients, broken = {}, []

    def client_for(line, turn):
        allowed = [name for name, letter in zip(PEOPLE, line[3].replace(" ", ""), strict=True) if letter == "o"]
        # The committee first: it sees most. Then one after the other, whose pages hold less or other forms.
        allowed.sort(key=lambda name: name != "committee")
        name = allowed[turn % len(allowed)] if allowed else "anonymous"
        if name not in clients:
            clients[name] = Client(raise_request_exception=False)
            if user := world.people[name]:
                clients[name].force_login(user)
        return name, clients[name]

    def ask(line, method, url, form=None, turn=0):
        name, client = client_for(line, turn)
        point = transaction.savepoint()
        with CaptureQueriesContext(connection) as seen:
            answer = getattr(client, method)(url, form)
            page = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.savepoint_rollback(point)
        written = {found[1] for one in seen if (found := WRITES.match(one["sql"] or ""))} - UNSEEN
        if written and method == GET:
            broken.append(f"{url[:150]}: looking wrote {written}")
        if written and "amap_auditentry" not in written and route_of(url) not in LEAVES_NO_TRACE:
            broken.append(f"{method} {url[:150]}: {written} without a trace in the history")
        if name != "anonymous" and answer.headers.get("Location", "").startswith("/accounts/login/"):
            broken.append(f"{method} {url[:150]}: {name} is asked to sign in")
        # 503 is how the health page says that something is not well.
        if answer.status_code >= 500 and answer.status_code != 503:
            broken.append(
                f"{method} {url[:150]} {form and str(form)[:900]}: {answer.exc_info and answer.exc_info[1]!r}"
            )
        return page

    with time_machine.travel(NOW, tick=False):
        yield ask
    assert not broken, "\n".join(broken)


def route_of(url):
    return resolve(url.partition("?")[0]).view_name


def forms_of(page, url):
    """(address, {field: its values}) of each form on the page that changes something, but for signing out."""
    if not page.lstrip().startswith(b"<"):
        return
    for form in html.fromstring(page).forms:
        if form.method == "POST" and form.action != reverse("account_logout"):
            fields = {name: [] for name in form.fields if name}
            for name, value in form.form_values():
                fields[name].append(value)
            yield form.action or url, fields


@pytest.mark.django_db
@pytest.mark.parametrize("line", PAGES, ids=lambda line: line[0])
def test_odd_addresses_and_forms_are_answered(world, ask, line):
    url, _form = address(world, line[0], line[2])
    for turn in range(ROUNDS):
        for query in QUERIES:
            ask(line, GET, f"{url}?{query}", turn=turn)
        for action, fields in forms_of(ask(line, GET, url, turn=turn), url):
            ask(line, "post", action, {}, turn=turn)
            poisons = [POISON[(turn * 16 + position) % len(POISON)] for position in range(len(fields))]
            ask(line, "post", action, dict(zip(fields, poisons, strict=True)), turn=turn)
            # A few one at a time, the others as the page gave them: that gets past the first check.
            for position, name in enumerate(fields):
                if position % 4 == turn % 4:
                    ask(line, "post", action, fields | {name: poisons[position]}, turn=turn)


@pytest.mark.django_db
@pytest.mark.parametrize("line", [line for line in TABLE if line[1] == POST], ids=lambda line: line[0])
def test_an_empty_form_is_answered(world, ask, line):
    ask(line, "post", address(world, line[0], line[2])[0], {})


def test_every_text_day_and_hour_goes_through_our_fields():
    """They refuse what is invisible and years of another age, and take 18h30 and 31/12/2026 (§5.1, §5.3)."""
    plain = {
        forms.CharField,
        forms.EmailField,
        forms.DateField,
        forms.TimeField,
        forms.DateTimeField,
        forms.DecimalField,
    }
    kept_as_typed = {"password", "q", "seen"}

    def all_of(form):
        for one in form.__subclasses__():
            yield one
            yield from all_of(one)

    ours = [
        form for form in all_of(forms.BaseForm) if form.__module__.startswith(("amap.", "contracts.", "deliveries."))
    ]
    assert len(ours) > 50
    for form in ours:
        fields = getattr(form, "declared_fields", {})
        assert {name for name, field in fields.items() if type(field) in plain} <= kept_as_typed, form


@pytest.mark.django_db
def test_another_sites_name_is_refused_in_words(client):
    """T9: whatever machine the address claims to be."""
    answer = client.get("/start/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "did not understand" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/contrats/0/", "/belombre/offers/0/", "/x/..%2f..%2fetc/passwd", "/x/" + "x" * 3000 + "/"]
)
def test_an_address_that_leads_nowhere_says_so_and_leads_home(client, path):
    answer = client.get(path, headers={"accept-language": "fr"})
    assert answer.status_code == 404
    text = answer.content.decode()
    assert '<html lang="fr"' in text
    assert 'href="/"' in text


@pytest.mark.parametrize("number", ["0", str(2**63), str(10**30), "-1", "abc", "1.5", "٣", "../1"])
def test_no_such_number_is_no_such_page(number):
    """404, whatever the noun: a household, an offer, a distribution."""
    for route, names in ROUTES.items():
        if numbers := {"pk", "household_pk", "household"} & set(names):
            values = {name: "1" if name in numbers else "belombre" for name in names}
            url = reverse(route, kwargs=values).replace("/1", f"/{number}")
            with pytest.raises(Resolver404):
                resolve(url)
