"""The demonstration's figures are those of the book of rules (domain.md §5, Appendix A)."""

from datetime import date
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db.models import Sum

from amap import ibans
from amap.demo.people import iban
from amap.demo.year import REFERENCE, Year
from amap.models import Association, Membership
from contracts.models import ContractOffer, Instalment, Subscription, WaitingListEntry
from deliveries.models import Distribution

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]

CENTS = {
    "Légumes 2026-27": 4_233_600,
    "Chèvre 2026": 535_500,
    "Pain automne-hiver 2026": 452_160,
    "Œufs 2026-27": 334_880,
    "Volaille 2026-27": 273_600,
    "Pommes 2026-27": 322_560,
}


@pytest.fixture(scope="module")
def lived(django_db_setup, django_db_blocker):
    """The whole year, lived once for all the tests of this file, then undone."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        Year(REFERENCE, weeks=0).live()
        yield
        transaction.set_rollback(True)


def test_61523_euros_are_secured_to_six_farms():
    live = Subscription.objects.live()
    assert dict(live.values_list("offer__title").annotate(Sum("total_cents"))) == CENTS
    counted = Instalment.objects.filter(status__in=Instalment.COUNTS).aggregate(cents=Sum("amount_cents"))["cents"]
    assert counted == sum(CENTS.values()) == 6_152_300
    assert live.values("offer__farm").distinct().count() == 6


def test_vegetables_are_full_with_42_equivalents_and_four_wait():
    offer = ContractOffer.objects.get(title="Légumes 2026-27")
    assert (offer.taken_hundredths, offer.capacity_hundredths, offer.status) == (4200, 4200, "running")
    assert offer.deliveries.filter(status="held").count() == 32
    assert offer.deliveries.count() == 48
    waiting = WaitingListEntry.objects.filter(offer=offer).order_by("created_at")
    assert list(waiting.values_list("household__number", flat=True)) == [60, 61, 63, 64]


def test_ascension_kept_its_rank():
    assert ContractOffer.objects.get(code="LEG26").deliveries.get(rank=7).day == date(2026, 5, 13)


def test_fees_of_the_year():
    sums = Membership.objects.filter(period__starts_on=date(2026, 9, 1)).aggregate(
        amap=Sum("amap_cents"), network=Sum("network_cents"), solidarity=Sum("solidarity_cents")
    )
    assert sums == {"amap": 74_400, "network": 49_600, "solidarity": 41_000}


def test_two_payments_are_late_and_one_cheque_was_replaced():
    late = Instalment.objects.overdue(REFERENCE, 7)
    assert sorted(late.values_list("household__number", "subscription__offer__code")) == [(21, "LEG26"), (34, "LEG26")]
    assert Instalment.objects.get(status="rejected").replaced_by.status == "cashed"


def test_every_running_contract_is_valid():
    assert set(Subscription.objects.values_list("status", flat=True)) == {"active"}


def test_next_years_vegetables_wait_for_the_committee_at_21_60():
    offer = ContractOffer.objects.get(code="LEG27")
    assert (offer.status, offer.version, offer.reference_price_cents) == ("proposed", 2, 2160)
    assert [acceptance.side for acceptance in offer.acceptances.filter(version=2)] == ["farm"]


def test_past_evenings_are_closed_and_the_roster_has_holes_ahead():
    assert not Distribution.objects.filter(day__lt=REFERENCE).exclude(status="closed").exists()
    next_one = Distribution.objects.get(day=date(2026, 11, 26))
    missing = sum(shift.needed - shift.taken for shift in next_one.shifts.all())
    assert 0 < missing < 4


def test_the_books_add_up():
    out = StringIO()
    call_command("check_books", stdout=out)
    assert "add up" in out.getvalue()


def test_ibans_of_the_demonstration_have_valid_keys_and_no_bank():
    assert all(ibans.normalise(iban(account))[4:9] == "99999" for account in range(1, 7))


def test_everybodys_address_is_proved():
    assert not EmailAddress.objects.filter(verified=False).exists()


def test_the_demo_keeps_away_from_other_databases(settings):
    with pytest.raises(CommandError, match="not a demo"):
        call_command("demo")
    settings.DEMO = True
    before = Subscription.objects.count()
    call_command("demo")
    assert Subscription.objects.count() == before
    Association.objects.update(is_demo=False)
    with pytest.raises(CommandError, match="real association"):
        call_command("demo")
    Association.objects.update(is_demo=True)


def test_its_doors_do_not_exist_outside_the_demo(client):
    assert client.get("/demo/").status_code == 404
    assert client.post("/demo/enter/member/").status_code == 404
