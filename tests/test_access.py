"""Who may go where: the whole policy of the site, one line a page or deed (BR-5, BR-76; reliability.md R5).

A page missing from the table fails the test, and so does a line that names no page. Each line says how the page is
asked (FORM: looked at and sent in), what stands for the `<…>` of its address, and what each person gets:

    o  enters           x  refused, told whom to ask (403)
    L  sign in first    -  does not exist for them (404)
"""

from urllib.parse import parse_qsl

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
GET, POST, FORM = "get", "post", "form"

# fmt: off
#                                                                                   anonymous, stranger
#                                                                                   |  member, other member
#                                                                                   |  |  farmer, other farmer
#                                                                                   |  |  |  liaison, other liaison
#                                                                                   |  |  |  |  treasurer, secretary
#                                                                                   |  |  |  |  |  lead, solidarity
#                                                                                   |  |  |  |  |  |  committee
#                                                                                   |  |  |  |  |  |  | their treasurer
#                                                                                   |  |  |  |  |  |  | | their farmer
TABLE = [
    ("site:entrance",                   GET,  "",                                  "Lo oo oo oo oo oo o o o"),
    ("site:language",                   POST, "",                                  "oo oo oo oo oo oo o o o"),
    ("site:start",                      FORM, "",                                  "-- -- -- -- -- -- - - -"),
    ("site:invitation",                 FORM, "token",                             "o- -- -- -- -- -- - - -"),
    ("site:profile",                    FORM, "",                                  "Lo oo oo oo oo oo o o o"),
    ("site:help_page",                  GET,  "committee",                         "Lo oo oo oo oo oo o o o"),
    ("site:farm_desk",                  GET,  "farm",                              "L- -- o- -- -- -- - - -"),
    ("site:calendar",                   GET,  "",                                  "Lo oo oo oo oo oo o o o"),
    ("site:renew_calendar",             POST, "",                                  "Lo oo oo oo oo oo o o o"),
    ("site:withdraw_calendar",          POST, "",                                  "Lo oo oo oo oo oo o o o"),
    ("site:feed",                       GET,  "feed",                              "oo oo oo oo oo oo o o o"),
    ("site:unsent",                     GET,  "",                                  "Lo oo oo oo oo oo o o o"),
    ("amap:home",                       GET,  "",                                  "L- oo oo oo oo oo o - -"),
    ("amap:committee",                  GET,  "",                                  "L- xx xx xx oo xx o - -"),
    ("amap:my_household",               GET,  "",                                  "L- oo -- oo oo oo o - -"),
    ("amap:households",                 GET,  "",                                  "L- xx xx oo oo xx o - -"),
    ("amap:household_new",              FORM, "",                                  "L- xx xx xx xo xx o - -"),
    ("amap:invite_all",                 POST, "",                                  "L- xx xx xx xo xx o - -"),
    ("amap:household",                  GET,  "household",                         "L- o- -- oo oo -- o - -"),
    ("amap:household_edit",             FORM, "household",                         "L- o- -- xx xo -- o - -"),
    ("amap:household_leave",            FORM, "household",                         "L- xx xx xx xo xx o - -"),
    ("amap:household_return",           POST, "paper household",                   "L- xx xx xx xo xx o - -"),
    ("amap:member_new",                 FORM, "household",                         "L- o- -- xx xo -- o - -"),
    ("amap:member_edit",                FORM, "member",                            "L- o- -- xx xo -- o - -"),
    ("amap:member_remove",              POST, "member",                            "L- o- -- xx xo -- o - -"),
    ("amap:member_invite",              POST, "unlinked",                          "L- -- -- xx xo -- o - -"),
    ("amap:invitations",                GET,  "",                                  "L- xx xx xx xo xx o - -"),
    ("amap:invitation_resend",          POST, "invitation",                        "L- -- -- -- -o -- o - -"),
    ("amap:invitation_revoke",          POST, "invitation",                        "L- -- -- -- -o -- o - -"),
    ("amap:seats",                      GET,  "",                                  "L- xx xx xx xx xx o - -"),
    ("amap:seat_new",                   FORM, "",                                  "L- xx xx xx xx xx o - -"),
    ("amap:seat_invite",                FORM, "",                                  "L- xx xx xx xx xx o - -"),
    ("amap:seat_end",                   POST, "seat",                              "L- xx xx xx xx xx o - -"),
    ("amap:farms",                      GET,  "",                                  "L- oo oo oo oo oo o - -"),
    ("amap:farm_new",                   FORM, "",                                  "L- xx xx xx xx xx o - -"),
    ("amap:farm_welcome",               FORM, "",                                  "L- xx xx xx xx xx o - -"),
    ("amap:farm",                       GET,  "farm",                              "L- oo oo oo oo oo o - -"),
    ("amap:farm_edit",                  FORM, "farm",                              "L- xx ox ox xx xx o - -"),
    ("amap:partnership_edit",           FORM, "farm",                              "L- xx xx xx xx xx o - -"),
    ("amap:partnership_end",            POST, "farm",                              "L- xx xx xx xx xx o - -"),
    ("amap:partnership_resume",         POST, "farm",                              "L- xx xx xx xx xx o - -"),
    ("amap:farmer_invite",              FORM, "farm",                              "L- xx ox xx xx xx x - -"),
    ("amap:farmer_remove",              POST, "farm, farmer",                      "L- xx ox xx xx xx x - -"),
    ("amap:liaison_new",                FORM, "farm",                              "L- xx xx xx xx xx o - -"),
    ("amap:liaison_end",                POST, "farm, liaison",                     "L- xx xx xx xx xx o - -"),
    ("amap:memberships",                GET,  "",                                  "L- xx xx xx oo xx o - -"),
    ("amap:membership_correct",         POST, "membership",                        "L- xx xx xx ox xx o - -"),
    ("amap:membership_cancel",          POST, "membership",                        "L- xx xx xx ox xx o - -"),
    ("amap:membership",                 GET,  "household, period",                 "L- o- -- xx oo -- o - -"),
    ("amap:membership",                 POST, "unpaid household, period",          "L- -- -- xx ox -- o - -"),
    ("amap:period_new",                 FORM, "",                                  "L- xx xx xx ox xx o - -"),
    ("amap:period_edit",                FORM, "period",                            "L- xx xx xx ox xx o - -"),
    ("amap:receive_fees",               POST, "period",                            "L- xx xx xx ox xx o - -"),
    ("amap:settings",                   FORM, "",                                  "L- xx xx xx xx xx o - -"),
    ("amap:place_new",                  FORM, "",                                  "L- xx xx xx xx xx o - -"),
    ("amap:place_edit",                 FORM, "place",                             "L- xx xx xx xx xx o - -"),
    ("amap:imports",                    GET,  "",                                  "L- xx xx xx oo xx o - -"),
    ("amap:import_new",                 FORM, "households",                        "L- xx xx xx xo xx o - -"),
    ("amap:import_example",             GET,  "households",                        "L- xx xx xx xo xx o - -"),
    ("amap:export",                     GET,  "households",                        "L- xx xx xx xo xx o - -"),
    ("amap:history",                    GET,  "",                                  "L- xx xx xx xx xx o - -"),
    ("amap:troubles",                   GET,  "",                                  "L- xx xx xx xo xx o - -"),
    ("amap:work",                       GET,  "job",                               "L- -- -- -- -- -- o - -"),
    ("amap:work_pdf",                   GET,  "job",                               "L- -- -- -- -- -- o - -"),
    ("contracts:offers",                GET,  "",                                  "L- oo oo oo oo oo o - -"),
    ("contracts:offer_new",             FORM, "",                                  "L- xx oo oo xx xx o - -"),
    ("contracts:offer",                 GET,  "offer",                             "L- oo oo oo oo oo o - -"),
    ("contracts:offer_edit",            FORM, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:offer_calendar",        FORM, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:offer_dates",           POST, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:offer_budget",          FORM, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:offer_shares",          FORM, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:offer_payment",         FORM, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:offer_terms",           FORM, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:propose",               POST, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:accept",                POST, "proposed?side=committee&version=1", "L- -- o- o- -- -- o - -"),
    ("contracts:withdraw",              POST, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:open",                  POST, "draft",                             "L- xx xx xx xx xx o - -"),
    ("contracts:cancel",                FORM, "draft",                             "L- -- o- o- -- -- o - -"),
    ("contracts:price_note",            GET,  "offer",                             "L- oo oo oo oo oo o - -"),
    ("contracts:sign",                  FORM, "offer",                             "L- oo -- oo oo oo o - -"),
    ("contracts:waiting_list",          GET,  "offer",                             "L- oo oo oo oo oo o - -"),
    ("contracts:blank",                 GET,  "offer",                             "L- oo oo oo oo oo o - -"),
    ("contracts:stop_waiting",          POST, "waiting",                           "L- o- -- o- -- -- o - -"),
    ("contracts:payments",              GET,  "",                                  "L- xx xx oo ox xx o - -"),
    ("contracts:receive",               POST, "",                                  "L- xx xx oo ox xx o - -"),
    ("contracts:hand_over",             POST, "",                                  "L- xx xx oo ox xx o - -"),
    ("contracts:cash",                  POST, "",                                  "L- xx oo xx xx xx x - -"),
    ("contracts:confirm",               POST, "",                                  "L- xx oo xx xx xx x - -"),
    ("contracts:declare",               POST, "",                                  "L- -- xx -- -- -- - - -"),
    ("contracts:instalment",            GET,  "instalment",                        "L- o- o- o- oo -- o - -"),
    ("contracts:reject",                POST, "instalment",                        "L- x- o- x- xx -- x - -"),
    ("contracts:give_back",             POST, "instalment",                        "L- x- x- x- xx -- x - -"),
    ("contracts:correct",               POST, "instalment",                        "L- x- x- o- ox -- o - -"),
    ("contracts:my_payments",           GET,  "",                                  "L- oo xx oo oo oo o - -"),
    ("contracts:farm_payments",         GET,  "",                                  "L- xx oo xx xx xx x - -"),
    ("contracts:deposits",              GET,  "",                                  "L- xx oo oo ox xx o - -"),
    ("contracts:deposit",               GET,  "batch",                             "L- xx o- o- ox xx o - -"),
    ("contracts:deposit_slip",          GET,  "batch",                             "L- xx o- o- ox xx o - -"),
    ("contracts:accounts",              GET,  "",                                  "L- xx oo oo oo xx o - -"),
    ("contracts:accounts",              GET,  "?household=household",              "L- xx o- o- oo xx o - -"),
    ("contracts:accounts_csv",          GET,  "",                                  "L- xx oo oo oo xx o - -"),
    ("contracts:schedule",              GET,  "subscription",                      "L- o- o- o- oo -- o - -"),
    ("contracts:my_contracts",          GET,  "",                                  "L- oo -- oo oo oo o - -"),
    ("contracts:subscriptions",         GET,  "",                                  "L- xx oo oo oo xx o - -"),
    ("contracts:subscription",          GET,  "subscription",                      "L- o- o- o- oo -- o - -"),
    ("contracts:document",              GET,  "subscription",                      "L- o- o- o- oo -- o - -"),
    ("contracts:validate",              POST, "subscription",                      "L- -- -- o- -- -- o - -"),
    ("contracts:withdraw_subscription", FORM, "subscription",                      "L- o- -- o- -- -- o - -"),
    ("deliveries:distributions",        GET,  "",                                  "L- oo oo oo oo oo o - -"),
    ("deliveries:plan",                 POST, "",                                  "L- xx xx xx xx ox o - -"),
    ("deliveries:distribution",         GET,  "distribution",                      "L- oo oo oo oo oo o - -"),
    ("deliveries:move",                 FORM, "distribution",                      "L- xx xx xx xx ox o - -"),
    ("deliveries:lock",                 POST, "distribution",                      "L- xx xx xx xx ox o - -"),
    ("deliveries:sheet",                GET,  "distribution",                      "L- xx xx xx xx ox o - -"),
    ("deliveries:sheet_pdf",            GET,  "distribution",                      "L- xx xx xx xx ox o - -"),
    ("deliveries:sheet_line",           GET,  "distribution, household",           "L- xx xx xx xx ox o - -"),
    ("deliveries:annotate",             POST, "distribution, household",           "L- xx xx xx xx ox o - -"),
    ("deliveries:collect",              POST, "distribution?household=household",  "L- xx xx xx xx ox o - -"),
    ("deliveries:uncollect",            POST, "distribution?household=household",  "L- xx xx xx xx ox o - -"),
    ("deliveries:close",                FORM, "distribution",                      "L- xx xx xx xx ox o - -"),
    ("deliveries:board_pdf",            GET,  "distribution",                      "L- xx oo oo xx ox o - -"),
    ("deliveries:quantities",           GET,  "distribution",                      "L- xx o- o- xx ox o - -"),
    ("deliveries:quantities_pdf",       GET,  "distribution",                      "L- xx o- o- xx ox o - -"),
    ("deliveries:harvest",              FORM, "delivery",                          "L- -- o- o- -- -- o - -"),
    ("deliveries:roster",               GET,  "",                                  "L- oo oo oo oo oo o - -"),
    ("deliveries:roster_pdf",           GET,  "",                                  "L- oo oo oo oo oo o - -"),
    ("deliveries:roster_settings",      FORM, "",                                  "L- xx xx xx xo ox o - -"),
    ("deliveries:take_shift",           POST, "shift",                             "L- oo xx oo oo oo o - -"),
    ("deliveries:assign",               FORM, "shift",                             "L- xx xx xx xo ox o - -"),
    ("deliveries:leave_shift",          POST, "assignment",                        "L- o- -- -- -o o- o - -"),
    ("deliveries:request_swap",         POST, "assignment",                        "L- o- -- -- -o o- o - -"),
    ("deliveries:keep_shift",           POST, "assignment",                        "L- o- -- -- -o o- o - -"),
    ("deliveries:take_over",            POST, "assignment",                        "L- oo xx oo oo oo o - -"),
    ("deliveries:replace",              FORM, "assignment",                        "L- xx xx xx xo ox o - -"),
    ("deliveries:mark",                 POST, "assignment",                        "L- xx xx xx xo ox o - -"),
    ("site:health",                     GET,  "",                                  "oo oo oo oo oo oo o o o"),
    ("site:help",                       GET,  "",                                  "Lo oo oo oo oo oo o o o"),
    ("amap:import",                     GET,  "import",                            "L- xx xx xx xo xx o - -"),
    ("amap:import_match",               POST, "import",                            "L- xx xx xx xo xx o - -"),
    ("amap:import_confirm",             POST, "import",                            "L- xx xx xx xo xx o - -"),
    ("amap:import_undo",                POST, "import",                            "L- xx xx xx xo xx o - -"),
    ("amap:import_discard",             POST, "import",                            "L- xx xx xx xo xx o - -"),
    ("amap:send_again",                 POST, "letter",                            "L- xx xx xx xo xx o - -"),
    ("amap:settle_letter",              POST, "letter",                            "L- xx xx xx xo xx o - -"),
    ("amap:try_again",                  POST, "job",                               "L- xx xx xx xo xx o - -"),
    ("amap:settle_job",                 POST, "job",                               "L- xx xx xx xo xx o - -"),
]
# fmt: on

# What stands on no page and in no list but for these people: the other association, a household's address (its
# exports are the secretary's), where a farm's money goes.
SECRETS = {
    b"ocheval": {"their treasurer", "their farmer"},
    b"autre@belombre.example.org": {"other member", "secretary", "committee"},
    b"9999 9000 1001": {"member", "farmer"},
}

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
    around = transaction.atomic()
    around._from_testcase = True  # the guard against slow work in transactions means ours, not this one
    with django_db_blocker.unblock(), time_machine.travel(NOW, tick=False), around:
        yield World()
        transaction.set_rollback(True)


def address(world, route, asked):
    """(address, what is posted) of a line: `subscription?side=farm` fills the address, then the form."""
    rows, _mark, form = asked.partition("?")
    values = iter(rows.split(", ") if rows else ())
    kwargs = {
        name: world.ids["association"] if name == "association" else _value(world, next(values))
        for name in ROUTES[route]
    }
    return reverse(route, kwargs=kwargs), {name: _value(world, value) for name, value in parse_qsl(form)}


def visitor(world, line):
    """Somebody who may go there: the committee where it may."""
    allowed = [name for name, letter in zip(PEOPLE, line[3].replace(" ", ""), strict=True) if letter == "o"]
    return next((world.people[name] for name in ("committee", "farmer", *allowed) if name in allowed), None)


def _value(world, row):
    return world.ids.get(row, row)


def answers(client, world, method, url, form):
    """One letter for each person."""
    letters = []
    for name in PEOPLE:
        client.logout()
        if user := world.people[name]:
            client.force_login(user)
        point = transaction.savepoint()
        answer = getattr(client, method)(url, form)
        page = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.savepoint_rollback(point)
        told = {secret for secret, readers in SECRETS.items() if name not in readers and secret in page}
        assert not told, f"{name} reads {told} at {url}"
        # 503 is how the health page says that something is not well.
        assert answer.status_code not in {405, 500}, f"{name}: {answer.status_code}"
        if answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/"):
            letters.append("L")
        else:
            letters.append({403: "x", 404: "-"}.get(answer.status_code, "o"))
    return "".join(letters)


@pytest.mark.django_db
@pytest.mark.parametrize("line", TABLE, ids=[f"{line[0]}-{line[1]}" for line in TABLE])
def test_each_person_gets_what_the_table_says(client, world, line):
    route, way, asked, expected = line
    wrong = {}
    for method in (GET, POST) if way == FORM else (way,):
        with time_machine.travel(NOW, tick=False):
            got = answers(client, world, method, *address(world, route, asked))
        for name, letter, wanted in zip(PEOPLE, got, expected.replace(" ", ""), strict=True):
            if letter != wanted:
                wrong[name, method] = f"{letter} instead of {wanted}"
    assert not wrong


@pytest.mark.django_db
@pytest.mark.parametrize("route", [line[0] for line in TABLE if line[1] == POST], ids=lambda route: route)
def test_deeds_are_not_done_by_looking(client, world, route):
    """A link that is only followed, or fetched ahead by a browser, changes nothing (T17)."""
    lines = [line for line in TABLE if line[0] == route]
    if any(line[1] != POST for line in lines):
        pytest.skip("has a page of its own")
    client.force_login(world.people["committee"])
    assert client.get(address(world, route, lines[0][2])[0]).status_code in {403, 404, 405}
