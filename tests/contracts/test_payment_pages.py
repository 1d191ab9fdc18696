"""The pages of payments: who may, what is said, nothing typed lost, no query per row."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from amap.models import AuditEntry, Farmer, FarmLiaison, Partnership
from contracts.actions import payments
from contracts.models import Cheque, DepositBatch, Instalment, Subscription
from tests.cast import LONG_AGO, NOW, TODAY, Amap
from tests.contracts.test_payments import hand_over, receive, signed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today_is_21_november")]

Status = Instalment.Status


@pytest.fixture
def today_is_21_november(monkeypatch):
    monkeypatch.setattr("amap.clock.now", lambda: NOW)


@pytest.fixture
def amap():
    return Amap()


def url(amap, name, *args):
    return reverse(f"contracts:{name}", args=[amap.slug, *args])


def sign_in(client, user):
    client.force_login(user, backend="amap.accounts.StandingBackend")
    return client


def typed(household, instalments, **changes):
    """What the pile sends for a household: numbers 0001001, 0001002 …"""
    data = {
        f"bank-{household.pk}": "Banque de l'Aulne",
        f"drawer-{household.pk}": "Mme Membre",
        f"dated-{household.pk}": TODAY.isoformat(),
    }
    for rank, one in enumerate(instalments, start=1):
        data[f"number-{one.pk}"] = f"000100{rank}"
        data[f"amount-{one.pk}"] = "70,00"
    return data | changes


# The pile


def test_br43c_a_cheque_of_a_contract_signed_on_paper_has_its_day_instead_of_a_number(client, amap):
    subscription = signed(amap, status="awaiting_documents")
    Subscription.objects.update(payments_from=TODAY + timedelta(days=8))
    first = subscription.instalments.first()
    page = sign_in(client, amap.treasurer).get(url(amap, "payments")).content.decode()
    assert page.count("from 29 November 2026") == 3
    assert f"number-{first.pk}" not in page
    answer = client.post(url(amap, "receive"), typed(amap.household, [first]) | {"farm": amap.farm.slug})
    assert "its payments are accepted from 29 November 2026" in answer.content.decode()
    assert not Cheque.objects.exists()
    Subscription.objects.update(payments_from=TODAY)
    assert client.get(url(amap, "payments")).content.decode().count('name="number-') == 3


def test_the_pile_lists_every_awaited_cheque_by_household_with_its_amount(client, amap):
    signed(amap)
    page = sign_in(client, amap.treasurer).get(url(amap, "payments")).content.decode()
    assert "Membre" in page
    assert page.count('value="70.00"') == 3
    assert 'value="2026-11-21"' in page


def test_a_pile_is_saved_at_once(client, amap):
    subscription = signed(amap)
    first, second, _third = subscription.instalments.all()
    answer = sign_in(client, amap.liaison).post(
        url(amap, "receive"), typed(amap.household, [first, second]) | {"farm": amap.farm.slug}, follow=True
    )
    assert "2 cheques received, €140.00." in answer.content.decode()
    cheques = list(Cheque.objects.values_list("number", "bank", "drawer", "amount_cents", "received_by"))
    assert cheques == [
        ("0001001", "Banque de l'Aulne", "Mme Membre", 7000, amap.liaison.pk),
        ("0001002", "Banque de l'Aulne", "Mme Membre", 7000, amap.liaison.pk),
    ]
    assert 'value="Banque de l&#x27;Aulne"' in answer.content.decode()  # offered for the next cheque


def test_a_second_click_records_nothing_twice(client, amap):
    first = signed(amap).instalments.get(number=1)
    data = typed(amap.household, [first]) | {"farm": amap.farm.slug}
    sign_in(client, amap.treasurer).post(url(amap, "receive"), data)
    answer = client.post(url(amap, "receive"), data, follow=True)
    assert "1 cheque had been recorded already." in answer.content.decode()
    assert Cheque.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("number", "123456", "A cheque&#x27;s number has 7 digits"),
        ("number", "12E4567", "A cheque&#x27;s number has 7 digits"),
        ("amount", "80", "Cheque of €80.00 for an instalment of €70.00."),
        ("amount", "", "Give an amount"),
        ("amount", "1,234", "Ambiguous amount"),
        ("dated", (TODAY + timedelta(days=1)).isoformat(), "bears the date of the day"),
        ("dated", "", "Give the date written"),
        ("dated", "2025-09-30", "stale before its deposit"),
        ("drawer", " ", "Say who signed"),
    ],
)
def test_a_wrong_row_comes_back_as_typed_and_the_right_ones_are_saved(client, amap, field, value, words):
    """reliability.md §5.3, Cheque: each row wholly or not at all, the error beside it."""
    other = amap.new_household("Aubert")
    offer = amap.offer()
    wrong = signed(amap, offer=offer).instalments.get(number=1)
    right = signed(amap, other, offer=offer).instalments.get(number=1)
    pk = amap.household.pk if field in ("dated", "drawer") else wrong.pk
    data = typed(amap.household, [wrong]) | typed(other, [right], **{f"number-{right.pk}": "0009999"})
    data |= {f"{field}-{pk}": value, "farm": amap.farm.slug}
    answer = sign_in(client, amap.treasurer).post(url(amap, "receive"), data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count(words) == 2  # on top of the page and beside the field
    (at,) = re.findall(r'<li><a href="#(\w+-\d+)">', page)
    assert f'id="{at}"' in page
    assert "1 cheque received" in page
    assert Cheque.objects.get().instalment == right
    for name, kept in data.items():
        if name.endswith(f"-{wrong.pk}") and kept:
            assert f'value="{kept}"' in page


def test_a_part_is_taken_only_when_ticked(client, amap):
    first = signed(amap).instalments.get(number=1)
    data = typed(amap.household, [first]) | {f"amount-{first.pk}": "60", "farm": amap.farm.slug}
    answer = sign_in(client, amap.treasurer).post(url(amap, "receive"), data)
    assert "Tick to take it as a part" in answer.content.decode()
    client.post(url(amap, "receive"), data | {f"sure-{first.pk}": "on"})
    first.refresh_from_db()
    assert (first.status, first.amount_cents) == (Status.RECEIVED, 6000)


def test_the_same_number_twice_is_asked_about(client, amap):
    first, second, third = signed(amap).instalments.all()
    data = typed(amap.household, [first, second], farm=amap.farm.slug) | {f"number-{second.pk}": "0001001"}
    page = sign_in(client, amap.treasurer).post(url(amap, "receive"), data).content.decode()
    assert "This number is twice in the pile." in page
    page = client.post(url(amap, "receive"), typed(amap.household, [third], farm=amap.farm.slug)).content.decode()
    assert re.search(r"No. 0001001 was received on .* for AMAP-LEG\d+-H006-01", page)
    client.post(url(amap, "receive"), typed(amap.household, [third], farm=amap.farm.slug) | {f"sure-{third.pk}": "on"})
    assert Cheque.objects.count() == 2


def test_next_numbers_fill_the_empty_rows(client, amap):
    """A household hands over twelve cheques of one book: one number is typed."""
    instalments = list(signed(amap, instalments=10).instalments.all())
    data = typed(amap.household, instalments[:1]) | {f"number-{one.pk}": "" for one in instalments[1:]}
    data |= {f"number-{instalments[0].pk}": "0000998", "farm": amap.farm.slug, "fill": str(amap.household.pk)}
    sign_in(client, amap.treasurer)
    page = client.post(url(amap, "receive"), data).content.decode()
    assert all(f'value="{number:07d}"' in page for number in range(998, 1008))
    assert not Cheque.objects.exists()
    fragment = client.post(url(amap, "receive"), data, headers={"HX-Request": "true"}).content.decode()
    assert fragment.lstrip().startswith("<details")
    assert 'value="0001007"' in fragment
    for number in ("??", "9" * 5000):
        unread = client.post(url(amap, "receive"), data | {f"number-{instalments[0].pk}": number}).content.decode()
        assert "Type the first cheque&#x27;s number" in unread


def test_where_there_is_no_farm_there_is_nothing_to_receive(client, amap):
    amap.partnership.delete()
    assert sign_in(client, amap.treasurer).post(url(amap, "receive")).status_code == 404


def test_br5_a_liaison_of_bread_is_refused_the_vegetables(client, amap):
    other = Amap(slug="elsewhere")
    bread = other.farm
    partnership = Partnership.objects.create(association=amap.association, farm=bread, since=LONG_AGO)
    baker_friend = amap.person("Bea Boulange")
    FarmLiaison.objects.create(partnership=partnership, user=baker_friend, starts_on=LONG_AGO)
    first = signed(amap).instalments.get(number=1)
    sign_in(client, baker_friend)
    assert client.get(url(amap, "payments")).status_code == 200
    for name in ("payments", "deposits", "accounts"):
        assert client.get(url(amap, name), {"farm": amap.farm.slug}).status_code == 403
        assert client.get(url(amap, name), {"farm": "no-such-farm"}).status_code == 404
    answer = client.post(url(amap, "receive"), typed(amap.household, [first]) | {"farm": bread.slug})
    assert answer.status_code == 302
    assert not Cheque.objects.exists()
    assert client.get(url(amap, "instalment", first.pk)).status_code == 404


def test_br76_another_association_sees_nothing(client, amap):
    first = signed(amap).instalments.get(number=1)
    batch = hand_over(amap, receive(amap, [first]))
    other = Amap(slug="elsewhere")
    sign_in(client, other.treasurer)
    assert client.get(url(amap, "payments")).status_code == 404
    for name, pk in (("instalment", first.pk), ("deposit", batch.pk), ("deposit_slip", batch.pk)):
        assert client.get(reverse(f"contracts:{name}", args=[other.slug, pk])).status_code == 404


def test_the_pile_costs_the_same_for_one_household_as_for_twenty(client, amap, django_assert_max_num_queries):
    offer = amap.offer()
    for _n in range(20):
        amap.subscribe(amap.new_household(), offer, instalments=10)
    sign_in(client, amap.treasurer)
    with django_assert_max_num_queries(10):
        client.get(url(amap, "payments"))


# Slips


def test_br39_slip_on_screen_and_on_paper(client, amap):
    receive(amap, signed(amap).instalments.all())
    sign_in(client, amap.liaison)
    page = client.get(url(amap, "deposits")).content.decode()
    assert "2 cheques may be handed over today, €140.00." in page
    assert "1 more is agreed for later." in page
    assert page.count("checked") == 2
    chosen = list(Cheque.objects.filter(instalment__deposit_not_before__lte=TODAY).values_list("pk", flat=True))
    data = {"farm": amap.farm.slug, "chosen": chosen, "on": TODAY.isoformat()}
    answer = client.post(url(amap, "hand_over"), data, follow=True)
    assert "Slip no. 1 is made" in answer.content.decode()
    batch = DepositBatch.objects.get()
    assert (batch.cheques_count, batch.total_cents, batch.by) == (2, 14000, amap.liaison)
    again = client.post(url(amap, "hand_over"), data)
    assert again.status_code == 422
    assert "The list has changed meanwhile" in again.content.decode()
    paper = client.get(url(amap, "deposit_slip", batch.pk))
    assert paper.content.startswith(b"%PDF")
    sign_in(client, amap.farmer)
    assert "€140.00" in client.get(url(amap, "deposit", batch.pk)).content.decode()


def test_a_refused_slip_keeps_what_was_ticked(client, amap):
    cheques = receive(amap, signed(amap).instalments.all())
    data = {"farm": amap.farm.slug, "chosen": [cheques[1].pk], "on": "2026-10-15"}
    answer = sign_in(client, amap.liaison).post(url(amap, "hand_over"), data)
    assert answer.status_code == 422
    assert "waits for a later slip" in answer.content.decode()
    assert f'value="{cheques[1].pk}" checked' in answer.content.decode()
    empty = client.post(url(amap, "hand_over"), {"farm": amap.farm.slug, "on": ""})
    assert "Tick at least one line." in empty.content.decode()


@pytest.mark.parametrize(("who", "is_linked"), [("member", False), ("liaison", True), ("farmer", True)])
def test_a_payment_leads_to_its_slip_only_those_who_may_open_it(client, amap, who, is_linked):
    batch = hand_over(amap, receive(amap, signed(amap).instalments.filter(number=1)))
    page = sign_in(client, getattr(amap, who)).get(url(amap, "instalment", Instalment.objects.get(number=1).pk))
    assert (url(amap, "deposit", batch.pk) in page.content.decode()) is is_linked


def test_pages_of_slips_cost_the_same_with_many(client, amap, django_assert_max_num_queries):
    offer = amap.offer()
    for _n in range(15):
        receive(amap, signed(amap, amap.new_household(), offer=offer).instalments.all())
    for cheque in Cheque.objects.filter(instalment__number=1)[:10]:
        hand_over(amap, [cheque])
    sign_in(client, amap.treasurer)
    with django_assert_max_num_queries(10):
        client.get(url(amap, "deposits"))
    sign_in(client, amap.farmer)
    with django_assert_max_num_queries(10):
        client.get(url(amap, "farm_payments"))


# What the farm confirms


def test_br38_the_farm_confirms_cheques_and_transfers_in_bulk(client, amap):
    offer = amap.offer()
    hand_over(amap, receive(amap, signed(amap, offer=offer).instalments.filter(number__lte=2)))
    transfers = signed(amap, amap.new_household(), offer=offer, method="transfer").instalments
    sign_in(client, amap.farmer)
    page = client.get(url(amap, "farm_payments")).content.decode()
    assert "2 cheques not yet confirmed, €140.00" in page
    handed = list(Instalment.objects.filter(status=Status.HANDED_OVER).values_list("pk", flat=True))
    answer = client.post(url(amap, "cash"), {"chosen": handed, "on": "2026-11-21"}, follow=True)
    assert "2 cheques cashed, €140.00." in answer.content.decode()
    due = [transfers.get(number=1).pk, transfers.get(number=2).pk]
    answer = client.post(url(amap, "confirm"), {"chosen": due, "on": "2026-11-20"}, follow=True)
    assert "2 transfers confirmed, €140.00." in answer.content.decode()
    wrong = client.post(url(amap, "confirm"), {"chosen": [transfers.get(number=3).pk], "on": "2026-12-24"})
    assert wrong.status_code == 422
    assert "not in the future" in wrong.content.decode()


def test_transfers_announced_for_later_do_not_hide_those_expected_now(client, amap):
    now, later = signed(amap, method="transfer").instalments.order_by("number")[:2]
    Instalment.objects.filter(pk=now.pk).update(deposit_not_before=TODAY)
    Instalment.objects.filter(pk=later.pk).update(deposit_not_before=TODAY + timedelta(days=11))
    payments.declare(now, by=amap.member, now=NOW)
    payments.declare(later, by=amap.member, now=NOW)
    sign_in(client, amap.farmer)
    first = client.get(url(amap, "farm_payments")).content.decode()
    assert now.reference in first
    assert later.reference not in first
    assert later.reference in client.get(url(amap, "farm_payments") + "?show=later").content.decode()


def test_br38_a_member_marking_their_own_transfer_as_arrived_is_refused(client, amap):
    first = signed(amap, method="transfer").instalments.get(number=1)
    sign_in(client, amap.member)
    answer = client.post(url(amap, "confirm"), {"chosen": [first.pk], "on": TODAY.isoformat()})
    assert answer.status_code == 403
    assert client.post(url(amap, "correct", first.pk), {"reason": "x"}).status_code == 403


def test_br5_the_treasurer_confirms_only_where_the_association_wants_it(client, amap):
    first = signed(amap, method="transfer").instalments.get(number=1)
    data = {"chosen": [first.pk], "on": TODAY.isoformat()}
    sign_in(client, amap.treasurer)
    assert client.get(url(amap, "farm_payments")).status_code == 403
    assert client.post(url(amap, "confirm"), data).status_code == 403
    amap.association.treasurer_confirms_farm_payments = True
    amap.association.save()
    assert client.post(url(amap, "confirm"), data).status_code == 302
    first.refresh_from_db()
    assert first.status == Status.CONFIRMED


def test_a_farmer_of_another_farm_confirms_nothing_here(client, amap):
    first = signed(amap, method="transfer").instalments.get(number=1)
    other = Amap(slug="elsewhere")
    Partnership.objects.create(association=amap.association, farm=other.farm, since=LONG_AGO)
    answer = sign_in(client, other.farmer).post(url(amap, "confirm"), {"chosen": [first.pk], "on": TODAY.isoformat()})
    assert answer.status_code == 422
    first.refresh_from_db()
    assert first.status == Status.PLANNED


# One payment


def test_a_farm_that_no_database_can_hold_does_not_exist(client, amap):
    sign_in(client, amap.liaison)
    assert client.post(url(amap, "receive"), {"farm": "a\x00b"}).status_code == 404


def test_a_rejected_cheque_from_its_page_with_a_reason(client, amap):
    first = signed(amap).instalments.get(number=1)
    hand_over(amap, receive(amap, [first]))
    sign_in(client, amap.farmer)
    page = client.get(url(amap, "instalment", first.pk)).content.decode()
    assert "Rejected by the bank" in page
    assert "Take the last step back" not in page
    empty = client.post(url(amap, "reject", first.pk), {"reason": ""})
    assert empty.status_code == 422
    assert "Say why" in empty.content.decode()
    answer = client.post(url(amap, "reject", first.pk), {"reason": "no funds"}, follow=True)
    assert "Replaced by" in answer.content.decode()
    assert "no funds" in answer.content.decode()
    assert "Take the last step back" in answer.content.decode()
    back = client.post(url(amap, "correct", first.pk), {"reason": "another household's"}, follow=True)
    assert "The last step is taken back" in back.content.decode()
    assert "Replaced by" not in back.content.decode()


def test_the_liaison_gives_back_and_corrects_but_does_not_reject(client, amap):
    first, second, _third = signed(amap).instalments.all()
    receive(amap, [first, second])
    sign_in(client, amap.liaison)
    client.post(url(amap, "give_back", first.pk), {"reason": "torn"})
    client.post(url(amap, "correct", second.pk), {"reason": "wrong household"})
    assert set(Instalment.objects.values_list("status", flat=True)) == {Status.PLANNED}
    hand_over(amap, receive(amap, [first]))
    assert client.post(url(amap, "reject", first.pk), {"reason": "x"}).status_code == 403


# The household's side


def test_my_payments_say_what_when_to_whom_and_how(client, amap):
    signed(amap)
    page = sign_in(client, amap.member).get(url(amap, "my_payments")).content.decode()
    assert "3 cheques are still awaited" in page
    assert "EARL Ferme des Saules Gris" in page
    assert "€0.00 of €210.00" in page
    assert "Something is late" in page


def test_br40_transfers_come_with_reference_iban_and_code_and_are_announced_together(client, amap):
    subscription = signed(amap, method="transfer")
    sign_in(client, amap.member)
    page = client.get(url(amap, "my_payments")).content.decode()
    assert "FR76 9999 9000" in page
    assert 'class="qr"' in page
    assert subscription.instalments.get(number=1).reference in page
    chosen = list(subscription.instalments.values_list("pk", flat=True))
    client.post(url(amap, "declare"), {"chosen": chosen})
    assert set(subscription.instalments.values_list("status", flat=True)) == {Status.DECLARED}
    client.post(url(amap, "correct", chosen[0]), {"reason": "not ordered after all"})
    assert subscription.instalments.get(pk=chosen[0]).status == Status.PLANNED


def test_a_liaison_announces_the_transfers_of_a_household_without_an_account(client, amap):
    subscription = signed(amap, amap.new_household(), method="transfer")
    sign_in(client, amap.liaison)
    its_page = reverse("contracts:subscription", args=[amap.slug, subscription.pk])
    assert "All 3 transfers are ordered" in client.get(its_page).content.decode()
    first = subscription.instalments.get(number=1)
    assert "The household has ordered this transfer" in client.get(url(amap, "instalment", first.pk)).content.decode()
    chosen = list(subscription.instalments.values_list("pk", flat=True))
    assert client.post(url(amap, "declare"), {"chosen": chosen}).url == its_page
    assert set(subscription.instalments.values_list("status", flat=True)) == {Status.DECLARED}
    said = AuditEntry.objects.filter(about="contracts.instalment", after=Status.DECLARED)
    assert set(said.values_list("about_id", "by")) == {(pk, amap.liaison.pk) for pk in chosen}
    assert "transfers are ordered" not in client.get(its_page).content.decode()


def test_nobody_announces_for_a_household_that_has_an_account(client, amap):
    subscription = signed(amap, method="transfer")
    first = subscription.instalments.get(number=1)
    for user in (amap.liaison, amap.treasurer, amap.committee):
        sign_in(client, user)
        assert client.post(url(amap, "declare"), {"chosen": [first.pk]}).status_code == 404
        page = client.get(reverse("contracts:subscription", args=[amap.slug, subscription.pk])).content.decode()
        assert "transfers are ordered" not in page


def test_nobody_announces_the_transfer_of_others_or_a_cheque(client, amap):
    theirs = signed(amap, amap.new_household(), method="transfer").instalments.get(number=1)
    cheque = signed(amap).instalments.get(number=1)
    sign_in(client, amap.member)
    for pk in (theirs.pk, cheque.pk, 0, "abc"):
        assert client.post(url(amap, "declare"), {"chosen": [pk]}).status_code == 404


def test_br41_my_payments_say_that_an_announced_transfer_has_not_arrived(client, amap):
    payments.declare(*signed(amap, method="transfer").instalments.all(), by=amap.member, now=NOW)
    page = sign_in(client, amap.member).get(url(amap, "my_payments")).content.decode()
    assert page.count("has not arrived") == 2
    assert "the transfer announced for 1 October 2026 has not arrived" in page
    assert page.count("€70.00 of €210.00") == 2, "what did not come is not handed in"


def test_d3_the_schedule_on_paper(client, amap):
    subscription = signed(amap, method="transfer")
    other = signed(amap, amap.new_household())
    sign_in(client, amap.member)
    assert client.get(url(amap, "schedule", subscription.pk)).content.startswith(b"%PDF")
    assert client.get(url(amap, "schedule", other.pk)).status_code == 404


def test_my_payments_cost_the_same_with_many(client, amap, django_assert_max_num_queries):
    for _n in range(5):
        signed(amap, instalments=10)
    sign_in(client, amap.member)
    with django_assert_max_num_queries(8):
        client.get(url(amap, "my_payments"))


# Accounts


def test_the_accounts_by_farm_household_and_month_add_up(client, amap, django_assert_max_num_queries):
    offer = amap.offer()
    cheques = receive(amap, signed(amap, offer=offer).instalments.all())
    hand_over(amap, cheques[:1])
    payments.cash(cheques[0].instalment, by=amap.farmer, now=NOW)
    for _n in range(12):
        signed(amap, amap.new_household("Martin"), offer=offer)
    sign_in(client, amap.treasurer)
    with django_assert_max_num_queries(10):
        page = client.get(url(amap, "accounts")).content.decode()
    assert "€2,730.00" in page  # 13 × 210.00
    assert "€1,680.00" in page  # 12 × two late instalments
    late = client.get(url(amap, "accounts"), {"only": "late"}).content.decode()
    assert "Membre</a></th>" not in late
    assert "Martin</a></th>" in late
    named = client.get(url(amap, "accounts"), {"q": amap.household.name})
    assert [name for _pk, name in named.context["page"]] == [amap.household.name]
    assert "No household found" in client.get(url(amap, "accounts"), {"q": "Personne"}).content.decode()
    household = client.get(url(amap, "accounts"), {"farm": amap.farm.slug, "household": amap.household.pk})
    assert "€210.00 promised, €70.00 paid, €0.00 late" in household.content.decode()
    assert f'<a href="?farm={amap.farm.slug}">Accounts: {amap.farm.name}</a>' in household.content.decode()
    assert client.get(url(amap, "accounts"), {"household": "0"}).status_code == 404
    sign_in(client, amap.member)
    assert client.get(url(amap, "accounts")).status_code == 403


def test_br5_a_farmer_reads_only_the_accounts_of_their_farm(client, amap):
    other = Amap(slug="elsewhere")
    Partnership.objects.create(association=amap.association, farm=other.farm, since=LONG_AGO)
    Farmer.objects.get(user=other.farmer)
    signed(amap)
    page = sign_in(client, other.farmer).get(url(amap, "accounts")).content.decode()
    assert "Nothing promised yet" in page
    listed = b"".join(client.get(url(amap, "accounts_csv")).streaming_content).decode("utf-8-sig")
    assert len(listed.splitlines()) == 1


def test_the_list_of_payments_for_the_farms_accounts(client, amap):
    hand_over(amap, receive(amap, signed(amap).instalments.filter(number=1)))
    answer = sign_in(client, amap.farmer).get(url(amap, "accounts_csv"), {"farm": amap.farm.slug})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert '"70,00"' in lines[1]
    assert '"0001234"' in lines[1]


@pytest.mark.parametrize("typed", ["²", "9" * 30, "-1", "x"])
def test_a_number_that_is_no_payment_is_left_aside(client, amap, typed):
    """reliability.md §5.3"""
    client.force_login(amap.treasurer)
    offer = amap.offer()
    amap.subscribe(amap.household, offer)
    pile = reverse("contracts:receive", args=[amap.slug])
    assert client.post(pile, {f"number-{typed}": "1234567"}).status_code == 302
    assert client.post(pile, {"fill": typed}).status_code == 200
    client.force_login(amap.member)
    assert client.post(reverse("contracts:declare", args=[amap.slug]), {"chosen": typed}).status_code == 404
