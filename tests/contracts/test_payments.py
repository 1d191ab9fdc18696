"""Cheques and transfers on their way to a farm: states, rules, movements (BR-31, BR-35, BR-38 to BR-41)."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction

from amap.actions import money
from amap.errors import Refused
from amap.letters import message
from amap.models import AuditEntry, Letter, Movement
from contracts import books, tasks
from contracts.actions import payments
from contracts.actions.payments import Paper
from contracts.models import Cheque, DepositBatch, Instalment, Signature, Subscription
from tests.cast import NOW, TODAY, Amap

pytestmark = pytest.mark.django_db

Status = Instalment.Status


def signed(amap, household=None, **options):
    """A subscription of the cast with its first movement, as a signature makes it."""
    offer = options.pop("offer", None) or amap.offer()
    method = options.pop("method", "cheque")
    subscription = amap.subscribe(household or amap.household, offer, **options)
    subscription.instalments.update(method=method)
    Signature.objects.create(subscription=subscription, side="household", name="M. Membre", at=NOW)
    money.record(
        association=amap.association,
        farm=amap.farm,
        key=f"contract:{subscription.pk}:signed",
        debit=f"due:{subscription.pk}",
        credit=f"sold:{subscription.pk}",
        amount_cents=subscription.total_cents,
        effective_on=date(2026, 9, 20),
        by=None,
        now=NOW,
    )
    return subscription


def paper(instalment, **changes):
    facts = {"number": "0001234", "drawer": "M. Membre", "amount_cents": instalment.amount_cents, "issued_on": TODAY}
    return Paper(**facts | changes)


def receive(amap, instalments):
    return payments.receive([(one, paper(one)) for one in instalments], by=amap.liaison, now=NOW)


def hand_over(amap, cheques, on=TODAY):
    return payments.hand_over(amap.farm, association=amap.association, cheques=cheques, on=on, by=amap.liaison, now=NOW)


def balance(account):
    return Movement.objects.balance(account)


@pytest.fixture
def amap():
    return Amap()


def books_add_up():
    """Fees of the cast were never booked: only farms' books are looked at."""
    return [one for one in books.differences() if not one.startswith("association")]


def test_br38_the_way_of_a_cheque_with_who_when_and_its_movements(amap):
    subscription = signed(amap)
    first = subscription.instalments.get(number=1)
    (cheque,) = payments.receive([(first, paper(first, issued_on=TODAY - timedelta(days=3)))], by=amap.liaison, now=NOW)
    assert cheque.received_by == amap.liaison
    assert cheque.received_at == NOW
    assert balance(f"cheques_held:{amap.farm.pk}") == first.amount_cents
    batch = hand_over(amap, [cheque])
    assert (batch.cheques_count, batch.total_cents, batch.number) == (1, first.amount_cents, 1)
    assert balance(f"cheques_held:{amap.farm.pk}") == 0
    assert balance(f"cheques_sent:{amap.farm.pk}") == first.amount_cents
    payments.cash(first, by=amap.farmer, now=NOW, on=TODAY - timedelta(days=1))
    first.refresh_from_db()
    assert first.status == Status.CASHED
    assert balance(f"farm_bank:{amap.farm.pk}") == first.amount_cents
    assert balance(f"due:{subscription.pk}") == subscription.total_cents - first.amount_cents
    history = AuditEntry.objects.filter(about="contracts.instalment", about_id=first.pk)
    assert list(history.values_list("before", "after", "by")) == [
        ("planned", "received", amap.liaison.pk),
        ("received", "handed_over", amap.liaison.pk),
        ("handed_over", "cashed", amap.farmer.pk),
    ]
    assert books_add_up() == []


def test_br21_the_last_cheque_makes_a_subscription_valid(amap):
    """11 of 12 cheques leave it waiting; the twelfth turns the key."""
    subscription = signed(amap, instalments=12, status="awaiting_documents")
    instalments = list(subscription.instalments.all())
    receive(amap, instalments[:11])
    subscription.refresh_from_db()
    assert subscription.status == Subscription.Status.AWAITING_DOCUMENTS
    receive(amap, instalments[11:])
    subscription.refresh_from_db()
    assert subscription.status != Subscription.Status.AWAITING_DOCUMENTS


def test_br35_no_post_dated_and_no_stale_cheque(amap):
    first, _second, third = signed(amap).instalments.all()
    for wrong, words in (
        (paper(first, issued_on=TODAY + timedelta(days=1)), "bears the date"),
        (paper(first, issued_on=first.deposit_not_before - timedelta(days=366)), "stale before its deposit"),
    ):
        with pytest.raises(Refused, match=words):
            payments.receive([(first, wrong)], by=amap.liaison, now=NOW)
    Instalment.objects.filter(pk=third.pk).update(deposit_not_before=date(2026, 1, 1))
    with pytest.raises(Refused, match="too old for a bank"):
        payments.receive([(third, paper(third, issued_on=date(2025, 11, 12)))], by=amap.liaison, now=NOW)
    assert not Cheque.objects.exists()


def test_a_cheque_of_another_amount_is_refused_unless_it_is_a_part(amap):
    subscription = signed(amap)
    first = subscription.instalments.get(number=1)
    with pytest.raises(Refused, match="for an instalment of"):
        payments.receive([(first, paper(first, amount_cents=6000))], by=amap.liaison, now=NOW)
    with pytest.raises(Refused, match="for an instalment of"):
        payments.receive([(first, paper(first, amount_cents=8000, is_part=True))], by=amap.liaison, now=NOW)
    payments.receive([(first, paper(first, amount_cents=6000, is_part=True))], by=amap.liaison, now=NOW)
    rest = subscription.instalments.get(number=4)
    assert (rest.amount_cents, rest.status, rest.deposit_not_before) == (1000, "planned", first.deposit_not_before)
    assert rest.reference.endswith("-04")
    assert books_add_up() == []


def test_a_pile_is_all_or_nothing(amap):
    first, second, third = signed(amap).instalments.all()
    receive(amap, [second])
    with pytest.raises(Refused, match="has moved on"):
        receive(amap, [first, second, third])
    assert Cheque.objects.count() == 1


def test_the_number_of_statements_does_not_grow_with_the_pile(amap, django_assert_max_num_queries):
    offer = amap.offer()
    many = [
        one
        for _n in range(12)
        for one in signed(amap, amap.new_household(), offer=offer, instalments=5).instalments.all()
    ]
    with django_assert_max_num_queries(14):
        cheques = receive(amap, many)
    due = [one for one in cheques if one.instalment.deposit_not_before <= TODAY]
    with django_assert_max_num_queries(17):
        hand_over(amap, due)
    with django_assert_max_num_queries(12):
        payments.cash(*[one.instalment for one in due], by=amap.farmer, now=NOW)


def test_br39_a_slip_of_58_cheques_is_3528_euros(amap):
    """26 × 84.00 + 10 × 42.00 (sharing households paying half each) + 22 × 42.00."""
    offer = amap.offer(deliveries=4, capacity_hundredths=100_00)
    whole, half = offer.sizes.all()
    for size, count in ((whole, 26), (half, 10), (half, 22)):
        for _n in range(count):
            amap.subscribe(amap.new_household(), offer, size=size, instalments=1)
    batch = hand_over(amap, receive(amap, Instalment.objects.all()))
    assert (batch.cheques_count, batch.total_cents) == (58, 352_800)


def test_br39_a_slip_takes_no_cheque_agreed_for_later_nor_one_handed_over_before(amap):
    first, second, third = receive(amap, signed(amap).instalments.all())
    with pytest.raises(Refused, match="waits for a later slip"):
        hand_over(amap, [first, second, third])
    hand_over(amap, [first])
    with pytest.raises(Refused, match="was handed over on"):
        hand_over(amap, [first, second])
    with pytest.raises(Refused, match="not in the future"):
        hand_over(amap, [second], on=TODAY + timedelta(days=1))
    with pytest.raises(Refused, match="at least one"):
        hand_over(amap, [])
    assert hand_over(amap, [second]).number == 2


def test_br39_a_slip_never_changes(amap):
    batch = hand_over(amap, receive(amap, [signed(amap).instalments.get(number=1)]))
    for attempt in (
        lambda: DepositBatch.objects.update(total_cents=1),
        lambda: DepositBatch.objects.filter(pk=batch.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()


def test_a_cheque_is_not_cashed_before_it_was_written(amap):
    """A year typed wrong, for instance."""
    first, second, _third = signed(amap).instalments.all()
    hand_over(amap, receive(amap, [first, second]))
    Cheque.objects.filter(instalment=first).update(issued_on=TODAY - timedelta(days=9))
    with pytest.raises(Refused, match="dated 21 November 2026"):
        payments.cash(first, second, by=amap.farmer, now=NOW, on=TODAY - timedelta(days=1))
    payments.cash(first, by=amap.farmer, now=NOW, on=TODAY - timedelta(days=1))


def test_a_transfer_does_not_arrive_before_its_contract_was_signed(amap):
    subscription = signed(amap, method="transfer")
    day = subscription.signed_at.date()
    first, second, _third = subscription.instalments.all()
    with pytest.raises(Refused, match="signed on"):
        payments.confirm(first, second, by=amap.farmer, now=NOW, on=day - timedelta(days=1))
    payments.confirm(first, second, by=amap.farmer, now=NOW, on=day)
    assert set(Movement.objects.filter(key__endswith=":confirmed").values_list("effective_on", flat=True)) == {day}


def test_br41_a_rejected_cheque_becomes_a_new_linked_instalment(amap):
    subscription = signed(amap)
    first = subscription.instalments.get(number=1)
    hand_over(amap, receive(amap, [first]))
    with pytest.raises(Refused, match="Say why"):
        payments.reject(first, reason=" ", by=amap.farmer, now=NOW)
    new = payments.reject(first, reason="no funds", by=amap.farmer, now=NOW)
    first.refresh_from_db()
    subscription.refresh_from_db()
    assert first.status == Status.REJECTED
    assert (new.replaces, new.amount_cents, new.status) == (first, first.amount_cents, Status.PLANNED)
    assert new.reference.endswith("-04")
    assert balance(f"due:{subscription.pk}") == subscription.total_cents
    assert subscription.status == Subscription.Status.ACTIVE
    assert Letter.objects.get(kind="payment_missing").to == amap.member.email
    assert books_add_up() == []


def test_br41_a_cheque_cashed_then_bounced_leaves_the_farms_account(amap):
    first = signed(amap).instalments.get(number=1)
    hand_over(amap, receive(amap, [first]))
    payments.cash(first, by=amap.farmer, now=NOW)
    payments.reject(first, reason="no funds", by=amap.farmer, now=NOW)
    assert balance(f"farm_bank:{amap.farm.pk}") == 0
    assert books_add_up() == []


@pytest.mark.parametrize("lay", ["at the bank", "on the account"])
def test_br38_a_rejection_recorded_by_mistake_is_taken_back_and_its_letter_with_it(amap, lay):
    subscription = signed(amap)
    first = subscription.instalments.get(number=1)
    hand_over(amap, receive(amap, [first]))
    if lay == "on the account":
        payments.cash(first, by=amap.farmer, now=NOW)
    was = Instalment.objects.get(pk=first.pk).status
    for _again in range(2):
        new = payments.reject(first, reason="no funds", by=amap.farmer, now=NOW)
        payments.correct(first, reason="another household's", by=amap.farmer, now=NOW)
        first.refresh_from_db()
        new.refresh_from_db()
        assert (first.status, new.status) == (was, Status.CANCELLED)
        assert books_add_up() == []
        assert not Letter.objects.filter(kind="payment_missing").exists()
    new = payments.reject(first, reason="no funds", by=amap.farmer, now=NOW)
    assert new.replaces == first
    assert Letter.objects.filter(kind="payment_missing").count() == 1


def test_br38_a_rejection_stands_once_another_cheque_has_come(amap):
    first = signed(amap).instalments.get(number=1)
    hand_over(amap, receive(amap, [first]))
    new = payments.reject(first, reason="no funds", by=amap.farmer, now=NOW)
    payments.receive([(new, paper(new, amount_cents=3000, is_part=True))], by=amap.liaison, now=NOW)
    with pytest.raises(Refused, match="has moved on"):
        payments.correct(first, reason="mistake", by=amap.farmer, now=NOW)
    payments.correct(new, reason="mistake", by=amap.liaison, now=NOW)
    with pytest.raises(Refused, match="no step to take back"):
        payments.correct(first, reason="mistake", by=amap.farmer, now=NOW)
    assert books_add_up() == []


def test_a_cheque_given_back_is_awaited_again_while_the_subscription_holds(amap):
    first = signed(amap).instalments.get(number=1)
    (cheque,) = receive(amap, [first])
    payments.give_back(first, reason="wrong payee", by=amap.treasurer, now=NOW)
    first.refresh_from_db()
    cheque.refresh_from_db()
    assert (first.status, cheque.is_void) == (Status.PLANNED, True)
    receive(amap, [first])
    assert books_add_up() == []


@pytest.mark.parametrize("step", [payments.correct, payments.give_back])
def test_br21_a_cheque_taken_back_before_the_first_delivery_takes_the_validity_with_it(amap, step):
    subscription = signed(
        amap, offer=amap.offer(status="open", start=TODAY + timedelta(days=12)), status="awaiting_documents"
    )
    receive(amap, subscription.instalments.all())
    subscription.refresh_from_db()
    assert subscription.status == "validated"
    first = subscription.instalments.first()
    step(first, reason="another household's", by=amap.treasurer, now=NOW)
    subscription.refresh_from_db()
    assert (subscription.status, subscription.validated_at) == ("awaiting_documents", None)
    assert subscription.reserved_until == NOW + timedelta(days=10)
    entry = AuditEntry.objects.filter(about="contracts.subscription", after="awaiting_documents").get()
    assert (entry.before, entry.reason, entry.by) == ("validated", "another household's", amap.treasurer)
    receive(amap, [first])
    subscription.refresh_from_db()
    assert subscription.status == "validated"


def test_br21_a_contract_that_runs_goes_on_when_a_cheque_is_taken_back(amap):
    subscription = signed(amap, status="awaiting_documents")
    receive(amap, subscription.instalments.all())
    payments.correct(subscription.instalments.first(), reason="another household's", by=amap.treasurer, now=NOW)
    subscription.refresh_from_db()
    assert subscription.status == "active"


def test_a_cheque_of_a_withdrawn_subscription_is_given_back_for_good(amap):
    subscription = signed(amap)
    first = subscription.instalments.get(number=1)
    receive(amap, [first])
    Subscription.objects.filter(pk=subscription.pk).update(status="withdrawn")
    payments.give_back(first, reason="withdrawn", by=amap.treasurer, now=NOW)
    first.refresh_from_db()
    assert first.status == Status.RETURNED
    assert balance(f"cheques_held:{amap.farm.pk}") == 0


def test_a_transfer_is_announced_then_confirmed_by_the_farm(amap):
    subscription = signed(amap, method="transfer", status="awaiting_documents")
    first, second, third = subscription.instalments.all()
    payments.declare(first, second, by=amap.member, now=NOW)
    assert balance(f"due:{subscription.pk}") == subscription.total_cents
    payments.confirm(first, third, by=amap.farmer, now=NOW)
    assert balance(f"farm_bank:{amap.farm.pk}") == first.amount_cents + third.amount_cents
    subscription.refresh_from_db()
    assert subscription.status != Subscription.Status.AWAITING_DOCUMENTS
    with pytest.raises(Refused, match="has moved on"):
        payments.declare(first, by=amap.member, now=NOW)
    with pytest.raises(Refused, match="paid by bank transfer"):
        receive(amap, [second])
    with pytest.raises(Refused, match="not in the future"):
        payments.confirm(second, by=amap.farmer, now=NOW, on=TODAY + timedelta(days=1))
    assert books_add_up() == []


def test_a_cheque_cannot_be_announced_as_a_transfer(amap):
    first = signed(amap).instalments.get(number=1)
    with pytest.raises(Refused, match="paid by cheque"):
        payments.declare(first, by=amap.member, now=NOW)
    with pytest.raises(Refused, match="paid by cheque"):
        payments.confirm(first, by=amap.farmer, now=NOW)


def test_br38_every_step_can_be_taken_back_with_a_reason_and_done_again(amap):
    subscription = signed(amap)
    first = subscription.instalments.get(number=1)
    (cheque,) = receive(amap, [first])
    batch = hand_over(amap, [cheque])
    payments.cash(first, by=amap.farmer, now=NOW)
    with pytest.raises(Refused, match="Say why"):
        payments.correct(first, reason="", by=amap.farmer, now=NOW)
    payments.correct(first, reason="another cheque", by=amap.farmer, now=NOW)
    payments.cash(first, by=amap.farmer, now=NOW)
    for expected in (Status.HANDED_OVER, Status.RECEIVED, Status.PLANNED):
        payments.correct(first, reason="mistake", by=amap.treasurer, now=NOW)
        first.refresh_from_db()
        assert first.status == expected
        assert books_add_up() == []
    assert list(batch.cheques.values_list("is_void", flat=True)) == [True]
    assert balance(f"due:{subscription.pk}") == subscription.total_cents
    with pytest.raises(Refused, match="no step to take back"):
        payments.correct(first, reason="mistake", by=amap.treasurer, now=NOW)
    last = AuditEntry.objects.filter(about_id=first.pk, about="contracts.instalment").last()
    assert (last.before, last.after, last.reason) == ("received", "planned", "mistake")
    hand_over(amap, receive(amap, [first]))
    assert books_add_up() == []


def test_br38_transfers_are_taken_back_too(amap):
    first = signed(amap, method="transfer").instalments.get(number=1)
    payments.confirm(first, by=amap.farmer, now=NOW)
    payments.correct(first, reason="another household", by=amap.farmer, now=NOW)
    payments.confirm(first, by=amap.farmer, now=NOW)
    payments.correct(first, reason="another household", by=amap.farmer, now=NOW)
    payments.correct(first, reason="another household", by=amap.farmer, now=NOW)
    first.refresh_from_db()
    assert first.status == Status.PLANNED
    assert balance(f"farm_bank:{amap.farm.pk}") == 0
    assert books_add_up() == []


def test_br75_late_payments_are_reminded_once_to_the_household_then_to_the_liaison(amap):
    signed(amap)  # agreed for 1 and 31 October, and 30 November
    tasks.remind_of_payments(NOW)
    tasks.remind_of_payments(NOW)
    letters = Letter.objects.filter(kind="payment_missing")
    assert {(one.to, one.context["count"]) for one in letters} == {(amap.member.email, 2), (amap.liaison.email, 2)}
    assert letters.count() == 2


def test_br41_what_is_late_after_a_rejected_cheque_is_reminded_as_well(amap):
    """The cheque that replaces the rejected one has the highest number; it stays late, and so does the next one."""
    subscription = signed(amap)  # agreed for 1 and 31 October, and 30 November
    hand_over(amap, receive(amap, subscription.instalments.filter(number=1)))
    payments.reject(subscription.instalments.get(number=1), reason="no funds", by=amap.farmer, now=NOW)
    letters = Letter.objects.filter(kind="payment_missing", to=amap.member.email, key__startswith="payment_late")
    for days, count in ((0, 1), (8, 2), (17, 3), (18, 3)):
        tasks.remind_of_payments(NOW + timedelta(days=days))
        assert letters.count() == count, days
    assert [letter.context["count"] for letter in letters.order_by("pk")] == [1, 2, 3]


def test_br41_a_transfer_announced_that_does_not_arrive_is_reminded_with_its_own_words(amap):
    payments.declare(*signed(amap, method="transfer").instalments.all(), by=amap.member, now=NOW)
    tasks.remind_of_payments(NOW)
    letter = Letter.objects.get(kind="payment_missing", to=amap.member.email)
    assert letter.context["count"] == 2
    assert "It had been announced" in message([letter]).body


def test_br75_what_is_missing_is_asked_for_before_a_reservation_ends(amap):
    offer = amap.offer(start=date(2027, 4, 1))
    subscription = signed(amap, offer=offer, status="awaiting_documents")
    Subscription.objects.filter(pk=subscription.pk).update(reserved_until=NOW + timedelta(days=4))
    tasks.remind_of_payments(NOW)
    assert not Letter.objects.exists()
    for day in (2, 3):
        tasks.remind_of_payments(NOW + timedelta(days=day))
    assert Letter.objects.get().context["total_cents"] == subscription.total_cents


def test_br75_a_place_kept_once_more_is_asked_for_once_more(amap):
    """A cheque taken back makes the place be kept for another ten days: their end is announced too."""
    offer = amap.offer(start=date(2027, 4, 1))
    subscription = signed(amap, offer=offer, status="awaiting_documents", instalments=1)
    Subscription.objects.filter(pk=subscription.pk).update(reserved_until=NOW + timedelta(days=2))
    tasks.remind_of_payments(NOW)
    receive(amap, subscription.instalments.all())
    payments.correct(subscription.instalments.get(), reason="another household's", by=amap.treasurer, now=NOW)
    for day in (6, 7, 8):
        tasks.remind_of_payments(NOW + timedelta(days=day))
    assert Letter.objects.filter(kind="payment_missing").count() == 2
