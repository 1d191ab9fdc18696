"""Sums, and the check of the books: silent when all is right, else it names what is wrong (reliability.md §2.9)."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amap.actions import money
from amap.models import Membership, Movement
from contracts import books, ledger
from contracts.actions import payments
from contracts.models import Cheque, ContractOffer, DepositBatch, Instalment, Subscription
from tests.cast import NOW, TODAY, Amap
from tests.contracts.test_payments import hand_over, receive, signed

pytestmark = pytest.mark.django_db

WHEN = {"today": TODAY, "grace_days": 7}


@pytest.fixture
def amap():
    return Amap()


@pytest.fixture
def season(amap):
    """Three households: cheques in all states, a transfer arrived and one announced; fees booked."""
    offer = amap.offer(deliveries=12)
    first = list(signed(amap, offer=offer, instalments=4).instalments.all())
    cheques = receive(amap, first[:3])
    hand_over(amap, cheques[:2])
    payments.cash(first[0], by=amap.farmer, now=NOW)
    second = list(signed(amap, amap.new_household(), offer=offer, method="transfer").instalments.all())
    payments.confirm(second[0], by=amap.farmer, now=NOW)
    payments.declare(second[1], by=None, now=NOW)
    third = signed(amap, amap.new_household(), offer=offer)
    payments.reject(first[1], reason="no funds", by=amap.farmer, now=NOW)
    for membership in Membership.objects.all():
        facts = {"association": amap.association, "debit": "cheques", "effective_on": TODAY, "by": None, "now": NOW}
        money.record(key=f"membership:{membership.pk}:amap", credit="fees", amount_cents=1200, **facts)
        money.record(key=f"membership:{membership.pk}:network", credit="network", amount_cents=800, **facts)
    return {"offer": offer, "first": first, "second": second, "third": third}


def test_the_sums_say_where_every_cent_is(season):
    sums = ledger.total(Instalment.objects.all(), **WHEN)
    assert sums == ledger.Sums(
        promised=3 * 25200,
        awaited=6300 + 6300 + 8400 + 25200,  # a rejected cheque, the fourth cheque, the last transfer, all of the third
        due=6300 + 8400 + 8400 + 8400,  # what was announced for October and has not come, too
        late=8400 + 8400 + 8400,
        declared=8400,
        held=6300,
        handed_over=0,
        paid=6300 + 8400,
        rejected=6300,
    )
    assert sums.promised == sums.awaited + sums.on_its_way + sums.paid
    assert (sums.percent_paid, sums.percent_handed_in) == (19, 38)


@pytest.mark.parametrize("names", [(), ("farm",), ("household",), ("month",), ("farm", "month")])
def test_groups_add_up_to_the_whole_in_one_statement(season, names, django_assert_num_queries):
    with django_assert_num_queries(1):
        sums = ledger.sums_by(Instalment.objects.all(), *names, **WHEN)
    assert {len(key) for key in sums} == {len(names)}
    assert ledger.add(sums.values()) == ledger.total(Instalment.objects.all(), **WHEN)


def test_groups_by_farm_and_month_are_told_by_either(season):
    instalments = Instalment.objects.all()
    sums = ledger.sums_by(instalments, "farm", "month", **WHEN)
    for place, name in enumerate(("farm", "month")):
        alone = {value: one for (value,), one in ledger.sums_by(instalments, name, **WHEN).items()}
        assert ledger.along(sums, place) == alone


def test_nothing_adds_up_to_nothing():
    assert ledger.total(Instalment.objects.none(), **WHEN) == ledger.add([]) == ledger.Sums()
    assert ledger.Sums().percent_paid == ledger.Sums().percent_handed_in == 0


def test_late_means_agreed_day_plus_grace_has_passed_and_nothing_was_given(amap):
    """BR-41: seven days of grace; the eighth day is late."""
    (only,) = signed(amap, instalments=1).instalments.all()
    for agreed, is_late in ((date(2026, 11, 14), False), (date(2026, 11, 13), True)):
        Instalment.objects.update(deposit_not_before=agreed)
        assert bool(ledger.total(Instalment.objects.all(), **WHEN).late) is is_late
        assert ledger.with_badges(Instalment.objects.all(), **WHEN)[0].is_late is is_late
        assert Instalment.objects.overdue(TODAY, 7).exists() is is_late
    receive(amap, [only])
    assert ledger.total(Instalment.objects.all(), **WHEN).late == 0


def test_br41_an_announced_transfer_that_does_not_arrive_is_late(amap):
    (only,) = signed(amap, instalments=1, method="transfer").instalments.all()
    Instalment.objects.update(deposit_not_before=date(2026, 11, 13))
    payments.declare(only, by=amap.member, now=NOW)
    sums = ledger.total(Instalment.objects.all(), **WHEN)
    assert (sums.awaited, sums.declared, sums.due, sums.late) == (0, *[only.amount_cents] * 3)
    assert ledger.with_badges(Instalment.objects.all(), **WHEN)[0].badge_text == "announced, not arrived"
    assert Instalment.objects.overdue(TODAY, 7).exists()
    payments.confirm(only, by=amap.farmer, now=NOW)
    assert ledger.total(Instalment.objects.all(), **WHEN).late == 0


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(Instalment.Status.values), st.integers(1, 10**9), st.integers(-400, 400)), max_size=9
    )
)
def test_br16_sums_are_exact_whatever_the_amounts(rows):
    from datetime import timedelta

    amap = Amap(slug=f"a{abs(hash(str(rows)))}")
    subscription = amap.subscribe(amap.household, amap.offer(), instalments=1)
    subscription.instalments.all().delete()
    Instalment.objects.bulk_create(
        Instalment(
            association=amap.association,
            farm=amap.farm,
            household=amap.household,
            subscription=subscription,
            number=number,
            amount_cents=cents,
            method="cheque",
            status=status,
            deposit_not_before=TODAY + timedelta(days=days),
            reference=f"R{number}",
        )
        for number, (status, cents, days) in enumerate(rows, start=1)
    )
    sums = ledger.total(amap.association.instalments, **WHEN)
    assert sums.promised == sum(cents for status, cents, _days in rows if status in Instalment.COUNTS)
    assert sums.late == sum(cents for status, cents, days in rows if status in Instalment.UNSEEN and days < -7)
    assert sums.promised == sums.awaited + sums.on_its_way + sums.paid


# The check of the books


def test_books_that_add_up_say_so(season):
    assert books.differences() == []
    answer = StringIO()
    call_command("check_books", stdout=answer)
    assert answer.getvalue() == "The books add up.\n"
    books.nightly()


def test_the_number_of_statements_does_not_grow_with_the_books(season, amap, django_assert_max_num_queries):
    for _n in range(10):
        receive(amap, signed(amap, amap.new_household(paid=False), offer=season["offer"]).instalments.all())
    with django_assert_max_num_queries(16):
        assert books.differences() == []


def raw(statement, *values):
    """What no code of ours does: the guards are taken away for one statement."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement, values)
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
            return
        guards = cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _sql in guards:
            cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(statement, values)
        for _name, sql in guards:
            cursor.execute(sql)


def lose_a_cent(season):
    Instalment.objects.filter(pk=season["third"].instalments.first().pk).update(amount_cents=F("amount_cents") - 1)


def raise_a_price(season):
    Subscription.objects.filter(pk=season["third"].pk).update(total_cents=F("total_cents") + 1)


def forget_a_place(season):
    ContractOffer.objects.update(taken_hundredths=F("taken_hundredths") - 50)


def lose_a_movement(season):
    raw("DELETE FROM amap_movement WHERE key = %s", f"instalment:{season['second'][0].pk}:confirmed")


def double_a_movement(season):
    one = Movement.objects.get(key=f"instalment:{season['second'][0].pk}:confirmed")
    one.pk, one.key = None, "again"
    one.save(force_insert=True)


def change_a_movement(season):
    raw("UPDATE amap_movement SET amount_cents = amount_cents + 100 WHERE key LIKE %s", "contract:%")


def bend_a_reversal(season):
    money.reverse(Movement.objects.filter(farm=None).first(), by=None, now=NOW, reason="test")
    raw("UPDATE amap_movement SET amount_cents = amount_cents + 100 WHERE key LIKE %s", "reverse:%")


def mix_the_books(season):
    raw("UPDATE amap_movement SET farm_id = NULL WHERE key LIKE %s", "cheque:%:received")


def tick_without_a_movement(season):
    Instalment.objects.filter(pk=season["second"][1].pk).update(status="confirmed")


def void_a_held_cheque(season):
    Cheque.objects.filter(instalment=season["first"][2]).update(is_void=True)


def put_a_held_cheque_on_a_slip(season):
    Cheque.objects.filter(instalment=season["first"][2]).update(batch=DepositBatch.objects.get())


def take_a_cheque_off_its_slip(season):
    Cheque.objects.filter(instalment=season["first"][0]).update(batch=None)


def change_a_cheque(season):
    Cheque.objects.filter(instalment=season["first"][0]).update(amount_cents=1)


def keep_a_cheque_of_an_awaited_instalment(season):
    Instalment.objects.filter(pk=season["first"][2].pk).update(status="planned")


def pay_somebody_else(season):
    other = Amap(slug="elsewhere")
    Membership.objects.filter(association=other.association).update(status="pending")
    Instalment.objects.filter(pk=season["third"].instalments.first().pk).update(farm=other.farm)


def forget_a_fee(season):
    Membership.objects.filter(pk=Membership.objects.first().pk).update(status="pending")


WAYS = [
    (lose_a_cent, "instalments add up to 25199, the price is 25200"),
    (raise_a_price, "sold for 25200, the price is 25201"),
    (forget_a_place, "hundredths taken"),
    (lose_a_movement, "farm_bank"),
    (double_a_movement, "due is"),
    (change_a_movement, "sold for 25300"),
    (bend_a_reversal, "does not mirror"),
    (mix_the_books, "wrong book"),
    (tick_without_a_movement, "sold − handed in"),
    (void_a_held_cheque, "0 live cheques"),
    (put_a_held_cheque_on_a_slip, "in two places"),
    (take_a_cheque_off_its_slip, "without a slip"),
    (change_a_cheque, "its cheque of 1"),
    (keep_a_cheque_of_an_awaited_instalment, "its state says otherwise"),
    (pay_somebody_else, "another payee"),
    (forget_a_fee, "fees paid"),
]


@pytest.mark.parametrize(("break_it", "words"), WAYS, ids=[way.__name__ for way, _words in WAYS])
def test_books_that_do_not_add_up_are_told(season, break_it, words):
    break_it(season)
    said = StringIO()
    with pytest.raises(CommandError, match="differences"):
        call_command("check_books", stderr=said, stdout=StringIO())
    assert words in said.getvalue()
    with pytest.raises(AssertionError):
        books.nightly()
