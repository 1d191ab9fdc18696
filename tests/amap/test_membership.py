"""Membership and its fee (BR-2, BR-3, BR-4), in the association's own book (BR-31)."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amap import letters
from amap.actions import membership
from amap.errors import Refused
from amap.models import AuditEntry, Letter, Membership, MembershipPeriod, Movement
from tests.cast import NOW, TODAY, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _day(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def amap():
    return Amap()


@pytest.fixture
def fresh(amap):
    """A household whose fee is awaited."""
    return amap.new_household("Neuve", paid=False)


def url(amap, route, *args):
    return reverse(f"amap:{route}", args=[amap.slug, *args])


def record(amap, household, **fields):
    opened = membership.open_membership(household, period=amap.period, by=amap.treasurer, now=NOW)
    fields = {"method": "cheque", "paid_on": TODAY} | fields
    return membership.record_fee(opened, **fields, by=amap.treasurer, now=NOW)


def test_the_lines_of_a_fee_add_up(amap, fresh):
    """BR-4: 12.00 + 8.00 + donation 5.00 to the solidarity fund = 25.00"""
    paid = record(amap, fresh, solidarity_cents=500)
    assert (paid.amap_cents, paid.network_cents, paid.donation_cents, paid.solidarity_cents) == (1200, 800, 0, 500)
    assert paid.total_cents == 2500
    assert paid.status == "paid"
    balance = Movement.objects.filter(association=amap.association).balance
    assert {name: balance(name) for name in ("cheques", "fees", "network", "donations", "solidarity")} == {
        "cheques": 2500,
        "fees": -1200,
        "network": -800,
        "donations": 0,
        "solidarity": -500,
    }
    assert not Movement.objects.exclude(farm=None).exists()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    parts=st.tuples(*[st.integers(0, 100_000)] * 4).filter(lambda parts: parts[0] + parts[1] > 0),
    method=st.sampled_from(["cheque", "transfer", "cash"]),
)
def test_whatever_the_parts_the_book_holds_exactly_the_total(parts, method):
    """BR-4, generated"""
    with transaction.atomic():
        amap = Amap("generated", "Generated")
        MembershipPeriod.objects.update(amap_part_cents=parts[0], network_part_cents=parts[1])
        amap.period.refresh_from_db()
        household = amap.new_household("Neuve", paid=False)
        paid = record(amap, household, method=method, donation_cents=parts[2], solidarity_cents=parts[3])
        book = Movement.objects.filter(association=amap.association)
        assert paid.total_cents == sum(parts)
        assert book.balance({"cheque": "cheques", "transfer": "bank", "cash": "cash"}[method]) == sum(parts)
        assert [-book.balance(name) for name in ("fees", "network", "donations", "solidarity")] == list(parts)
        transaction.set_rollback(True)


def test_the_database_refuses_parts_that_do_not_add_up(amap, fresh):
    """BR-4"""
    paid = record(amap, fresh)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=paid.pk).update(total_cents=2001)


@pytest.mark.parametrize("day", [date(2026, 9, 1), date(2027, 3, 1), date(2027, 8, 30)])
def test_the_fee_is_whole_whenever_one_joins(amap, fresh, day):
    """BR-3: joining 1 March → 20.00"""
    moment = NOW + (day - TODAY)
    opened = membership.open_membership(fresh, period=amap.period, by=amap.treasurer, now=moment)
    assert opened.total_cents == 2000


def test_br3_who_joins_from_the_agreed_day_on_pays_the_reduced_fee(amap):
    """`fee_reduction=("05-01", 50)`, joining 10 May → 10.00; whoever was there before owes the whole."""
    MembershipPeriod.objects.update(reduced_from=date(2027, 5, 1), reduced_percent=50)
    amap.period.refresh_from_db()
    may = NOW.replace(year=2027, month=5, day=10)
    owed = {}
    for joined_on in (date(2027, 5, 10), date(2027, 4, 30)):
        household = amap.new_household("Mai", paid=False)
        household.joined_on = joined_on
        household.save()
        opened = membership.open_membership(household, period=amap.period, by=amap.treasurer, now=may)
        owed[joined_on] = (opened.total_cents, opened.amap_cents, opened.network_cents)
        paid = membership.record_fee(opened, method="cash", paid_on=may.date(), by=amap.treasurer, now=may)
        assert (paid.total_cents, paid.amap_cents, paid.network_cents) == owed[joined_on]
    assert owed == {date(2027, 5, 10): (1000, 600, 400), date(2027, 4, 30): (2000, 1200, 800)}
    book = Movement.objects.filter(association=amap.association)
    assert (book.balance("cash"), book.balance("fees"), book.balance("network")) == (3000, -1800, -1200)


def test_br3_a_free_price_has_a_least_amount(amap, fresh):
    """Free price from 5.00 on; the parts still add up (BR-4)."""
    MembershipPeriod.objects.update(free_minimum_cents=500)
    amap.period.refresh_from_db()
    with pytest.raises(Refused, match=r"€4.99 is less than the fee of €5.00"):
        record(amap, fresh, fee_cents=499)
    paid = record(amap, fresh, fee_cents=500)
    assert (paid.total_cents, paid.amap_cents, paid.network_cents) == (500, 300, 200)
    generous = record(amap, amap.new_household("Large", paid=False), fee_cents=3000)
    assert (generous.total_cents, generous.amap_cents, generous.network_cents) == (3000, 2200, 800)


def test_br3_a_fee_is_one_of_the_periods(amap, fresh):
    with pytest.raises(Refused, match=r"€19.00 is less than the fee of €20.00"):
        record(amap, fresh, fee_cents=1900)
    with pytest.raises(Refused, match=r"The fee is €20.00; write the remaining €5.00 as a donation"):
        record(amap, fresh, fee_cents=2500)


def test_a_membership_covers_its_period_once_paid(amap, fresh):
    """BR-2"""
    opened = membership.open_membership(fresh, period=amap.period, by=amap.treasurer, now=NOW)
    assert not fresh.memberships.covering(TODAY).exists()
    membership.record_fee(opened, method="cash", paid_on=TODAY, by=amap.treasurer, now=NOW)
    assert fresh.memberships.covering(date(2026, 9, 1)).exists()
    assert fresh.memberships.covering(date(2027, 8, 31)).exists()
    assert not fresh.memberships.covering(date(2027, 9, 1)).exists()


def test_one_membership_a_household_and_period(amap, fresh):
    """BR-1"""
    first = membership.open_membership(fresh, period=amap.period, by=amap.treasurer, now=NOW)
    assert membership.open_membership(fresh, period=amap.period, by=amap.treasurer, now=NOW) == first


def test_a_fee_is_recorded_once(amap, fresh):
    record(amap, fresh)
    movements = Movement.objects.count()
    with pytest.raises(Refused, match="already recorded"):
        record(amap, fresh)
    assert Movement.objects.count() == movements


def test_a_fee_is_not_received_tomorrow(amap, fresh):
    with pytest.raises(Refused, match="still to come"):
        record(amap, fresh, paid_on=TODAY + timedelta(days=1))
    assert not Movement.objects.exists()


def test_a_fee_recorded_by_mistake_is_undone_and_recorded_again(amap, fresh):
    """R-g: a reversal, not an edit"""
    paid = record(amap, fresh, donation_cents=500)
    membership.correct(paid, reason="It was the neighbour's cheque", by=amap.treasurer, now=NOW)
    paid.refresh_from_db()
    assert (paid.status, paid.total_cents, paid.paid_on) == ("pending", 2000, None)
    assert Movement.objects.filter(association=amap.association).balance("cheques") == 0
    assert AuditEntry.objects.filter(about="amap.membership", reason="It was the neighbour's cheque").count() == 2
    again = record(amap, fresh, method="transfer")
    assert again.status == "paid"
    assert Movement.objects.filter(association=amap.association).balance("bank") == 2000
    membership.correct(again, reason="And again", by=amap.treasurer, now=NOW)
    assert Movement.objects.filter(association=amap.association).balance("bank") == 0


def waiting(amap, household):
    return membership.open_membership(household, period=amap.period, by=amap.treasurer, now=NOW)


def test_a_fee_that_will_not_come_is_no_longer_awaited_and_the_history_says_why(amap, fresh):
    """BR-2: what a sign-up opened, once that is withdrawn."""
    opened = waiting(amap, fresh)
    membership.cancel(opened, reason="Signed by mistake", by=amap.treasurer, now=NOW)
    opened.refresh_from_db()
    assert opened.status == "cancelled"
    entry = AuditEntry.objects.get(verb="membership.cancelled", about_id=opened.pk)
    assert (entry.by, entry.before, entry.reason) == (amap.treasurer, "pending", "Signed by mistake")
    with pytest.raises(Refused, match="is not awaited: there is nothing to cancel"):
        membership.cancel(opened, reason="Again", by=amap.treasurer, now=NOW)


def test_a_fee_that_is_there_is_not_cancelled_br_3(amap, fresh):
    paid = record(amap, fresh)
    with pytest.raises(Refused, match="nothing to cancel"):
        membership.cancel(paid, reason="They left", by=amap.treasurer, now=NOW)
    paid.refresh_from_db()
    assert paid.status == "paid"


def test_a_fee_a_contract_waits_for_is_not_cancelled_br_2(amap, fresh):
    opened, offer = waiting(amap, fresh), amap.offer()
    subscription = amap.subscribe(fresh, offer, status="awaiting_documents")
    with pytest.raises(Refused, match="Neuve has signed Légumes 2026-27, which needs this fee"):
        membership.cancel(opened, reason="No", by=amap.treasurer, now=NOW)
    type(subscription).objects.filter(pk=subscription.pk).update(status="withdrawn")
    membership.cancel(opened, reason="Withdrawn", by=amap.treasurer, now=NOW)


def test_a_cancelled_membership_is_awaited_again_when_it_is_asked_for(amap, fresh):
    opened = waiting(amap, fresh)
    membership.cancel(opened, reason="Not this year", by=amap.treasurer, now=NOW)
    MembershipPeriod.objects.update(amap_part_cents=1500)
    amap.period.refresh_from_db()
    again = waiting(amap, fresh)
    assert (again.pk, again.status, again.total_cents, again.amap_cents) == (opened.pk, "pending", 2300, 1500)
    membership.cancel(again, reason="Nor now", by=amap.treasurer, now=NOW)
    assert record(amap, fresh).status == "paid"


def test_the_household_is_told(amap):
    paid = Membership.objects.get(household=amap.household)
    paid.delete()
    record(amap, amap.household, solidarity_cents=500)
    letter = Letter.objects.get(kind="fee_received")
    assert letter.to == amap.member.email
    body = letters.message([letter]).body
    assert "€25.00" in body
    assert "€5.00" in body
    assert f"/{amap.slug}/households/{amap.household.pk}/" in body


# --- pages


def test_the_treasurer_records_a_fee_with_donations(client, amap, fresh):
    client.force_login(amap.treasurer)
    page = url(amap, "membership", fresh.pk, amap.period.pk)
    data = {"method": "cheque", "paid_on": "2026-11-20", "reference": "1234567", "solidarity_cents": "5,00"}
    assert client.post(page, data)["Location"] == page
    receipt = client.get(page).content.decode()
    for words in ("€12.00", "€8.00", "€5.00", "€25.00", "1234567"):
        assert words in receipt
    again = client.post(page, data, follow=True)
    assert "This fee had been recorded already." in again.content.decode()


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("solidarity_cents", "abc", "is not an amount"),
        ("donation_cents", "1e5", "is not an amount"),
        ("donation_cents", "12,505", "Two digits at most"),
        ("donation_cents", "1,234", "Ambiguous amount"),
        ("donation_cents", "-5", "cannot be negative"),
        ("donation_cents", "999999999", "Check what you typed"),
        ("paid_on", "2027-01-01", "still to come"),
        ("method", "bitcoin", "valid choice"),
    ],
)
def test_a_fee_typed_wrong_is_explained_and_kept(client, amap, field, typed, said):
    client.force_login(amap.treasurer)
    fresh = amap.new_household("Neuve", paid=False)
    data = {"method": "cheque", "paid_on": "2026-11-20", "reference": "CHQ 77", field: typed}
    page = client.post(url(amap, "membership", fresh.pk, amap.period.pk), data)
    assert page.status_code == 200
    assert said in page.content.decode()
    assert "CHQ 77" in page.content.decode()
    assert not Movement.objects.exists()


def test_a_fee_that_is_refused_opens_no_membership(client, amap, fresh):
    client.force_login(amap.treasurer)
    data = {"method": "cheque", "paid_on": "2026-11-22"}
    page = client.post(url(amap, "membership", fresh.pk, amap.period.pk), data)
    assert page.context["form"].errors == {"paid_on": ["The day of payment is still to come."]}
    assert not fresh.memberships.exists()


def test_br3_the_treasurer_sets_who_pays_less_and_the_page_of_a_fee_proposes_it(client, amap, fresh):
    client.force_login(amap.treasurer)
    page = url(amap, "membership", fresh.pk, amap.period.pk)
    assert "fee_cents" not in client.get(page).context["form"].fields
    terms = {"starts_on": "2026-09-01", "ends_on": "2027-08-31", "amap_part_cents": "12", "network_part_cents": "8"}
    terms |= {"reduced_from": "2026-11-01", "reduced_percent": "50", "free_minimum_cents": "5"}
    edit = url(amap, "period_edit", amap.period.pk)
    for wrong, said in (
        ({"reduced_from": "2027-09-01"}, "not within the membership year"),
        ({"reduced_percent": "100"}, "99 at most."),
        ({"free_minimum_cents": "21"}, "cannot be more than the fee."),
        ({"free_minimum_cents": "10,50"}, "cannot be more than the reduced fee, €10.00."),
    ):
        assert said in client.post(edit, terms | wrong).content.decode()
    assert client.post(edit, terms).status_code == 302
    assert "€10.00" in client.get(url(amap, "memberships")).content.decode()
    assert client.get(page).context["form"].initial["fee_cents"] == 2000
    fresh.joined_on = date(2026, 11, 10)
    fresh.save()
    assert client.get(page).context["form"].initial["fee_cents"] == 1000
    data = {"method": "cheque", "paid_on": "2026-11-20", "fee_cents": "4,50"}
    assert "less than the fee" in client.post(page, data).content.decode()
    client.post(page, data | {"fee_cents": "7,50", "donation_cents": "2"})
    paid = Membership.objects.get(household=fresh)
    assert (paid.status, paid.amap_cents, paid.network_cents, paid.donation_cents) == ("paid", 450, 300, 200)


def test_a_pile_is_received_at_once_and_the_same_pile_twice_counts_once(client, amap, fresh):
    client.force_login(amap.treasurer)
    other = amap.new_household("Autre", paid=False)
    data = {"households": [fresh.pk, other.pk], "method": "cheque", "paid_on": "2026-11-21"}
    for _time in range(2):
        client.post(url(amap, "receive_fees", amap.period.pk), data)
    assert Movement.objects.filter(association=amap.association).balance("cheques") == 4000
    assert Membership.objects.paid().filter(household__in=[fresh, other]).count() == 2


def test_a_pile_with_a_mistake_comes_back_with_its_ticks(client, amap, fresh):
    client.force_login(amap.treasurer)
    pile = {"households": [fresh.pk], "method": "cheque"}
    for day, said in (("", "This field is required."), ("2026-12-24", "The day of payment is still to come.")):
        answer = client.post(url(amap, "receive_fees", amap.period.pk), pile | {"paid_on": day})
        assert (answer.status_code, answer.context["pile"].errors) == (422, {"paid_on": [said]})
        assert f'value="{fresh.pk}" checked' in answer.content.decode()


def test_a_pile_holds_no_household_of_another_association(client, amap, fresh):
    """BR-76"""
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    theirs = other.new_household("Canari", paid=False)
    client.force_login(amap.treasurer)
    data = {"households": [theirs.pk], "method": "cheque", "paid_on": "2026-11-21"}
    page = client.post(url(amap, "receive_fees", amap.period.pk), data, follow=True)
    assert "Canari" not in page.content.decode()
    assert not Movement.objects.exists()
    assert client.post(url(amap, "receive_fees", other.period.pk), data).status_code == 404


def test_the_list_shows_the_networks_part_as_owed_to_it(client, amap, fresh):
    """BR-4: the network part is a liability"""
    client.force_login(amap.treasurer)
    page = client.get(url(amap, "memberships")).content.decode()
    paid = Membership.objects.paid().count()
    assert "Owed to the network" in page
    assert f"€{paid * 8}.00" in page
    assert f"€{paid * 20}.00" in page
    assert "Neuve" in client.get(url(amap, "memberships"), {"show": "awaited"}).content.decode()
    assert "Neuve" not in client.get(url(amap, "memberships"), {"show": "paid"}).content.decode()


def test_the_list_asks_as_many_questions_for_few_as_for_many(client, amap, fresh, django_assert_max_num_queries):
    """P5"""
    client.force_login(amap.treasurer)
    with django_assert_max_num_queries(10) as few:
        client.get(url(amap, "memberships"))
    for n in range(60):
        amap.new_household(f"Foyer {n}", paid=bool(n % 2))
    with django_assert_max_num_queries(10) as many:
        client.get(url(amap, "memberships"))
    assert len(few) == len(many)


def test_a_member_reads_the_receipt_of_their_own_household_only(client, amap, fresh):
    client.force_login(amap.member)
    mine = url(amap, "membership", amap.household.pk, amap.period.pk)
    assert "€20.00" in client.get(mine).content.decode()
    assert client.get(url(amap, "membership", fresh.pk, amap.period.pk)).status_code == 404
    assert client.post(mine, {"method": "cash", "paid_on": "2026-11-21"}).status_code == 403
    assert client.get(url(amap, "memberships")).status_code == 403
    client.force_login(amap.liaison)
    assert client.get(url(amap, "membership", fresh.pk, amap.period.pk)).status_code == 403
    client.force_login(amap.secretary)
    assert client.get(url(amap, "memberships")).status_code == 200
    assert client.post(url(amap, "receive_fees", amap.period.pk), {}).status_code == 403


def test_another_associations_treasurer_finds_nothing(client, amap):
    """BR-76"""
    other = Amap("ailleurs", "AMAP d'Ailleurs")
    client.force_login(other.treasurer)
    paid = Membership.objects.get(household=amap.household)
    for place in (amap, other):
        assert client.get(url(place, "membership", amap.household.pk, amap.period.pk)).status_code == 404
        assert client.post(url(place, "membership_correct", paid.pk), {"reason": "x"}).status_code == 404
        assert client.get(url(place, "period_edit", amap.period.pk)).status_code == 404


def test_a_correction_needs_a_reason(client, amap, fresh):
    paid = record(amap, fresh)
    client.force_login(amap.treasurer)
    client.post(url(amap, "membership_correct", paid.pk), {"reason": " "})
    paid.refresh_from_db()
    assert paid.status == "paid"
    client.post(url(amap, "membership_correct", paid.pk), {"reason": "Wrong household"})
    paid.refresh_from_db()
    assert paid.status == "pending"


def test_the_treasurer_cancels_a_membership_on_its_page_with_a_reason(client, amap, fresh):
    opened, page = waiting(amap, fresh), url(amap, "membership", fresh.pk, amap.period.pk)
    client.force_login(amap.treasurer)
    assert "The fee will not come" in client.get(page).content.decode()
    client.post(url(amap, "membership_cancel", opened.pk), {"reason": " "})
    opened.refresh_from_db()
    assert opened.status == "pending"
    answer = client.post(url(amap, "membership_cancel", opened.pk), {"reason": "Moved away"}, follow=True)
    text = answer.content.decode()
    assert "The fee of Neuve is no longer awaited." in text
    assert "The fee will not come" not in text
    assert "Record the fee" in text
    listed = client.get(url(amap, "memberships"), {"show": "cancelled"}).context
    assert [household.name for household, *_more in listed["rows"]] == ["Neuve"]
    assert (listed["households"], listed["awaited"]) == (listed["sums"]["count"], 0)
    assert client.get(url(amap, "memberships"), {"show": "awaited"}).context["rows"] == []


def test_the_fees_of_each_period_are_taken_out(client, amap):
    amap.new_household("Nouveau", paid=False)
    earlier = membership.add_period(
        amap.association,
        starts_on=date(2025, 9, 1),
        ends_on=date(2026, 8, 31),
        amap_part_cents=1000,
        network_part_cents=0,
        by=amap.treasurer,
        now=NOW,
    )
    membership.receive(
        amap.association,
        households=[amap.household],
        period=earlier,
        method="cash",
        paid_on=date(2025, 9, 4),
        by=amap.treasurer,
        now=NOW,
    )
    client.force_login(amap.treasurer)
    page = client.get(url(amap, "memberships"), {"period": earlier.pk}).content.decode()
    link = f"{url(amap, 'export', 'memberships')}?of={earlier.pk}"
    assert f'href="{link}"' in page
    rows = b"".join(client.get(link).streaming_content).decode().splitlines()[1:]
    assert [row for row in rows if "10,00" in row] == [
        f'"{amap.household.number}";"{amap.household.name}";"10,00";"04/09/2025";"cash";""'
    ]


def test_periods_follow_each_other_without_overlapping(client, amap):
    client.force_login(amap.treasurer)
    proposed = client.get(url(amap, "period_new")).context["form"].initial
    assert (proposed["starts_on"], proposed["ends_on"]) == (date(2027, 9, 1), date(2028, 8, 31))
    data = {"starts_on": "2027-09-01", "ends_on": "2028-08-31", "amap_part_cents": "13", "network_part_cents": "8,50"}
    assert client.post(url(amap, "period_new"), data).status_code == 302
    assert MembershipPeriod.objects.filter(association=amap.association).first().fee_cents == 2150
    again = client.post(url(amap, "period_new"), data | {"starts_on": "2027-08-31"})
    assert "overlap" in again.content.decode()
    wrong = client.post(url(amap, "period_new"), data | {"ends_on": "2027-01-01"})
    assert "The end precedes the start" in wrong.content.decode()
    client.post(url(amap, "period_edit", amap.period.pk), data | {"starts_on": "2026-09-01", "ends_on": "2027-08-31"})
    assert Membership.objects.get(household=amap.household).total_cents == 2000  # recorded fees keep their amounts
