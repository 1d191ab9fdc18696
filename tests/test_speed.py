"""What a page may cost, in meters that do not vary: queries at two sizes, Python calls beside the floor."""

from functools import partial
from types import SimpleNamespace
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from amap.bench import meters
from amap.bench.fill import fill
from amap.bench.pages import pages
from amap.bench.signing import Driver
from amap.models import AuditEntry, Letter, Movement
from contracts.actions import subscriptions
from contracts.models import ContractDocument, Instalment, Signature, Subscription, SubscriptionLine
from contracts.signing import Proposal, look_around
from tests.cast import NOW, TODAY, Amap

pytestmark = [pytest.mark.django_db, pytest.mark.urls("amap.bench.urls")]

# The other addresses of each size are the same, so that only the number of rows differs.
SIZES = {"ten": 10, "sixty": 60}


@pytest.fixture(scope="module")
def associations(django_db_setup, django_db_blocker):
    """Ten households and sixty, five contracts each, made once for this file."""
    with django_db_blocker.unblock(), time_machine.travel(NOW, tick=False), transaction.atomic():
        yield {
            slug: fill(slug, households=count, farms=5, contracts=5, deliveries=20, now=NOW, instalments=6)
            for slug, count in SIZES.items()
        }
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _that_day():
    with time_machine.travel(NOW, tick=False):
        yield


def test_p1_the_floor_is_two_queries(associations):
    assert meters.queries(meters.signed_in("member@sixty.example.org"), "/sixty/floor/") == 2


def test_p5_no_page_makes_more_than_ten_queries_nor_more_for_more_rows(associations):
    counts = {
        slug: {
            (email.partition("@")[0], route): meters.queries(meters.signed_in(email), url)
            for email, route, url in pages(association, TODAY)
        }
        for slug, association in associations.items()
    }
    assert counts["sixty"] == counts["ten"]
    assert {page: count for page, count in counts["sixty"].items() if count > 10} == {}


def cost(email, url):
    """(queries, Python calls as a multiple of the visitor's empty page)."""
    client = meters.signed_in(email)
    return meters.queries(client, url), meters.calls(client, url) / meters.calls(client, "/sixty/floor/")


@pytest.mark.parametrize(
    ("who", "route", "queries", "floors"),
    [
        pytest.param("member", "amap:home", 6, 2.7, id="P2-member-home"),
        pytest.param("lead", "deliveries:sheet", 6, 3.0, id="P3-sheet-of-300-lines"),
        pytest.param("committee", "amap:home", 10, 3.0, id="committee-home"),
        pytest.param("committee", "amap:committee", 10, 2.7, id="dashboard"),
    ],
)
def test_a_page_stays_near_the_floor(associations, who, route, queries, floors):
    asked = {
        (email.partition("@")[0], route): (email, url) for email, route, url in pages(associations["sixty"], TODAY)
    }
    asked_queries, asked_floors = cost(*asked[who, route])
    assert asked_queries <= queries
    assert asked_floors <= floors


def test_p4_no_page_costs_more_than_three_and_a_half_empty_ones(associations):
    costs = {
        (email.partition("@")[0], route): cost(email, url)[1]
        for email, route, url in pages(associations["sixty"], TODAY)
    }
    assert {page: floors for page, floors in costs.items() if floors > 3.5} == {}


def sign_up(amap, offer, household):
    """A signature that waits to be made: a share at each delivery, in as many instalments as there may be."""
    proposal = Proposal(look_around(offer, household.pk, TODAY), now=NOW)
    choices = [(offer.sizes.first().pk, 1, "every")]
    quote = proposal.quote(choices)
    return partial(
        subscriptions.sign,
        offer,
        household=household,
        choices=choices,
        instalment_count=max(proposal.plans(quote)),
        method="cheque",
        client_token=uuid4(),
        name="Mina Membre",
        expected_total_cents=quote.total_cents,
        by=amap.member,
        now=NOW,
    )


@pytest.mark.parametrize("deliveries", [16, 50])
def test_p8_a_sign_up_is_twelve_statements_at_most_whatever_the_number_of_deliveries(deliveries):
    amap = Amap()
    sign = sign_up(amap, amap.offer(deliveries=deliveries), amap.household)
    with CaptureQueriesContext(connection) as seen:
        sign()
    statements = [one["sql"] for one in seen if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 12


def test_p8_a_sign_up_costs_less_than_an_empty_page(associations):
    amap = Amap()
    offer = amap.offer(deliveries=50)
    sign_up(amap, offer, amap.new_household())()
    floor = meters.calls(meters.signed_in("member@sixty.example.org"), "/sixty/floor/")
    assert meters.calls_of(sign_up(amap, offer, amap.household)) <= 0.75 * floor


def test_p8_the_yardstick_writes_the_rows_a_sign_up_writes():
    amap = Amap()
    offer = amap.offer(deliveries=16)
    written = (
        *(Subscription, SubscriptionLine, Instalment, Signature, ContractDocument),
        *(Movement, AuditEntry, Letter),
    )

    def counts():
        return [model.objects.count() for model in written]

    none = counts()
    signed = sign_up(amap, offer, amap.household)()
    once = counts()
    other = amap.new_household()
    other.members.create(association=amap.association, name="Autre", email="autre@example.org")
    plan = [SimpleNamespace(cents=one.amount_cents, on=one.deposit_not_before) for one in signed.instalments.all()]
    Driver().sign(offer.pk, other.pk, plan, signed.document.content, NOW)
    assert [after - before for before, after in zip(once, counts(), strict=True)] == [
        after - before for before, after in zip(none, once, strict=True)
    ]
    offer.refresh_from_db()
    assert offer.taken_hundredths == 200


def test_p15_weasyprint_and_stripe_wait_until_they_are_needed():
    import subprocess
    import sys

    code = (
        "import django, sys; django.setup(); import amap.urls; "
        "print([name for name in ('weasyprint', 'stripe') if name in sys.modules])"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "amap.settings", "PATH": "/usr/bin:/bin"}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert told.stdout.strip() == "[]"
