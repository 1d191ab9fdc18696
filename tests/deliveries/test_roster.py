"""The roster: needs, taking, leaving, replacing (BR-60, BR-62)."""

from datetime import date, datetime, time, timedelta

import pytest
from django.db.models import Sum

from amap.actions import people
from amap.errors import Refused
from amap.letters import message
from amap.models import Farm, Letter, Member, PickupPlace
from deliveries import tasks
from deliveries.actions import roster
from deliveries.models import Distribution, Shift, ShiftAssignment, ShiftRole
from tests.cast import NOW, PARIS, TODAY, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


def evening(amap, day=date(2026, 11, 26), place=None):
    return Distribution.objects.create(
        association=amap.association,
        place=place or amap.place,
        day=day,
        opens_at=time(18, 30),
        closes_at=time(19, 45),
        volunteers_from=time(18),
        volunteers_until=time(20),
    )


def shift(amap, day=date(2026, 11, 26), needed=1, name="Pesée"):
    role, _ = ShiftRole.objects.get_or_create(association=amap.association, name=name, defaults={"needed": needed})
    distribution = amap.association.distributions.filter(day=day).first() or evening(amap, day)
    return Shift.objects.create(distribution=distribution, role=role, needed=needed)


def take(amap, some_shift, household=None, now=NOW):
    return roster.take_shift(some_shift, household=household or amap.household, by=amap.member, now=now)


def reminders():
    letters = Letter.objects.filter(kind="shift_reminder").order_by("pk")
    return list(letters.values_list("context__days", flat=True))


def at(*moment):
    return datetime(*moment, tzinfo=PARIS)


def test_br62_a_household_that_leaves_gives_its_shifts_to_others_from_that_day_on(amap):
    days = [date(2026, 11, 19), date(2026, 11, 26), date(2026, 12, 3), date(2026, 12, 10)]
    shifts = [shift(amap, day) for day in days]
    taken = [take(amap, one, now=at(2026, 11, 1, 9)) for one in shifts]
    roster.request_swap(taken[3], by=amap.member, now=NOW)
    people.leave(amap.household, on=date(2026, 12, 1), by=amap.committee, now=NOW)
    tasks.let_leavers_go(NOW)
    tasks.let_leavers_go(NOW)
    assert list(ShiftAssignment.objects.values_list("status", flat=True)) == ["confirmed", "confirmed", "left", "left"]
    assert list(Shift.objects.order_by("pk").values_list("taken", flat=True)) == [1, 1, 0, 0]
    tasks.remind_of_shifts(at(2026, 12, 1, 8, 5))
    assert reminders() == []


def test_br60_an_evening_opens_the_roles_it_needs(amap):
    offer = amap.offer()
    ShiftRole.objects.create(association=amap.association, name="Accueil", needed=2)
    ShiftRole.objects.create(association=amap.association, name="Légumes", farm=offer.farm)
    amap.offer(status="draft", start=date(2027, 6, 3))
    with_farm, without = evening(amap), evening(amap, date(2027, 6, 3))
    for _again in range(2):
        roster.open_shifts(amap.association, today=TODAY)
    assert list(with_farm.shifts.values_list("role__name", "needed")) == [("Accueil", 2), ("Légumes", 1)]
    assert list(without.shifts.values_list("role__name", "needed")) == [("Accueil", 2)]


def test_br60_a_farms_role_opens_on_evenings_planned_before_the_farm_came(amap):
    other = Farm.objects.create(slug="fournil", name="Fournil")
    ShiftRole.objects.create(association=amap.association, name="Pain", farm=other)
    amap.offer()
    tasks.plan_ahead(NOW)
    assert not Shift.objects.exists()
    bread = amap.offer(title="Pain", kind="fixed_quantity", farm=other)
    tasks.plan_ahead(NOW)
    assert Shift.objects.count() == bread.deliveries.filter(day__gte=TODAY).count()


def test_br60_four_roles_on_48_evenings_are_192_slots(amap):
    rows = [{"id": None, "name": name, "needed": 1} for name in ("Clés", "Accueil", "Pesée", "Rangement")]
    roster.set_roles(amap.association, rows, by=amap.committee, now=NOW)
    amap.offer(start=date(2026, 11, 26), deliveries=48)
    tasks.plan_ahead(NOW)
    assert Shift.objects.aggregate(Sum("needed"))["needed__sum"] == 192


def test_br62_one_role_per_household_and_date(amap):
    take(amap, shift(amap))
    with pytest.raises(Refused, match="one shift each"):
        take(amap, shift(amap, name="Accueil"))


def test_a_full_shift_refuses_and_writes_nothing(amap):
    only = shift(amap)
    take(amap, only)
    with pytest.raises(Refused, match="just been filled"):
        take(amap, only, amap.new_household())
    assert ShiftAssignment.objects.count() == 1
    assert Letter.objects.filter(kind="shift_taken").count() == 1


def test_a_past_evening_refuses(amap):
    with pytest.raises(Refused, match="over"):
        take(amap, shift(amap, date(2026, 11, 19)))


@pytest.mark.parametrize(("moment", "may_leave"), [(at(2026, 11, 17, 23, 59), True), (at(2026, 11, 18, 0, 0), False)])
def test_br62_a_shift_is_left_freely_until_eight_days_before(amap, moment, may_leave):
    assignment = take(amap, shift(amap), now=at(2026, 11, 1, 9, 0))
    if may_leave:
        roster.leave_shift(assignment, by=amap.member, now=moment)
        assert Shift.objects.get().taken == 0
    else:
        with pytest.raises(Refused, match="replacement"):
            roster.leave_shift(assignment, by=amap.member, now=moment)
        assert Shift.objects.get().taken == 1


def test_br62_a_replacement_takes_the_place_over_once(amap):
    assignment = take(amap, shift(amap))
    roster.request_swap(assignment, by=amap.member, now=NOW)
    other = amap.household_of(amap.treasurer)
    roster.replace(assignment, household=other, by=amap.treasurer, now=NOW)
    with pytest.raises(Refused, match="already taken"):
        roster.replace(assignment, household=amap.household_of(amap.lead), by=amap.lead, now=NOW)
    assert (Shift.objects.get().taken, list(ShiftAssignment.objects.values_list("household", "status"))) == (
        1,
        [(amap.household.pk, "replaced"), (other.pk, "confirmed")],
    )
    assert Letter.objects.get(kind="shift_replaced").is_urgent


def test_a_replacement_written_in_that_is_refused_changes_nothing(amap, client):
    """Somebody who already helps that evening cannot replace; nobody is said to look for a replacement then (BR-62)."""
    evening = shift(amap, needed=2)
    assignment, busy = take(amap, evening), amap.household_of(amap.treasurer)
    take(amap, evening, busy)
    client.force_login(amap.lead)
    page = f"/belombre/roster/assignments/{assignment.pk}/replace/"
    assert "already on the roster that day" in client.post(page, {"household": busy.pk}).content.decode()
    assignment.refresh_from_db()
    assert assignment.status == "confirmed"
    client.post(page, {"household": amap.household_of(amap.secretary).pk})
    assignment.refresh_from_db()
    assert assignment.status == "replaced"


def test_reminders_leave_seven_and_two_days_before_and_once(amap):
    take(amap, shift(amap))
    for day in (18, 19, 19, 20, 24):
        tasks.remind_of_shifts(at(2026, 11, day, 7, 0))
    assert reminders() == [7, 2]


@pytest.mark.parametrize(("days", "sent"), [((18, 21, 25), [5, 1]), ((18, 25), [1]), ((26,), [])])
def test_br75_a_reminder_missed_leaves_the_next_day_that_letters_leave(amap, days, sent):
    take(amap, shift(amap))
    for day in days:
        tasks.remind_of_shifts(at(2026, 11, day, 7, 0))
    assert reminders() == sent


def test_roles_change_for_the_evenings_to_come_only(amap):
    past, coming = shift(amap, date(2026, 11, 19)), shift(amap)
    role = ShiftRole.objects.get()
    rows = [{"id": role.pk, "name": "Pesée", "needed": 3}, {"id": None, "name": "Clés", "needed": 1, "is_lead": True}]
    roster.set_roles(amap.association, rows, by=amap.committee, now=NOW)
    past.refresh_from_db()
    coming.refresh_from_db()
    assert (past.needed, coming.needed) == (1, 3)
    assert list(coming.distribution.shifts.values_list("role__name", flat=True)) == ["Pesée", "Clés"]


def test_br60_a_removed_role_stays_where_people_took_it_and_opens_nowhere_else(amap):
    taken, free = shift(amap, needed=2), shift(amap, date(2026, 12, 3))
    take(amap, taken)
    roster.set_roles(amap.association, [{"id": None, "name": "Clés", "needed": 1}], by=amap.committee, now=NOW)
    roster.open_shifts(amap.association, today=TODAY)
    taken.refresh_from_db()
    assert taken.needed == 1
    assert list(free.distribution.shifts.values_list("role__name", flat=True)) == ["Clés"]


def test_br60_a_role_removed_and_named_again_is_the_same(amap, client):
    some = shift(amap)
    take(amap, some)
    client.force_login(amap.committee)
    data = {"roles-TOTAL_FORMS": "2", "roles-INITIAL_FORMS": "1", "roles-0-id": some.role_id, "roles-0-needed": "1"}
    client.post("/belombre/roster/roles/", data | {"roles-1-name": "Pesée", "roles-1-needed": "2"})
    assert list(Shift.objects.values_list("role", "needed", "taken")) == [(some.role_id, 2, 1)]


def test_br60_two_roles_swap_their_names(amap, client):
    first, second = shift(amap).role, shift(amap, name="Clés").role
    client.force_login(amap.committee)
    data = {
        "roles-TOTAL_FORMS": "2",
        "roles-INITIAL_FORMS": "2",
        "roles-0-id": first.pk,
        "roles-0-name": "Clés",
        "roles-0-needed": "1",
        "roles-1-id": second.pk,
        "roles-1-name": "Pesée",
        "roles-1-needed": "1",
    }
    assert client.post("/belombre/roster/roles/", data).status_code == 302
    assert dict(ShiftRole.objects.values_list("pk", "name")) == {first.pk: "Clés", second.pk: "Pesée"}


URGENT_FROM = at(2026, 11, 24, 18, 30)


def called():
    return set(Letter.objects.filter(kind="shift_urgent").values_list("to", flat=True))


def test_br62_within_48_hours_everybody_not_on_the_evening_is_asked_once(amap):
    some = shift(amap, needed=3)
    ShiftRole.objects.update(needed=3, minimum=3)
    take(amap, some)
    tasks.call_for_help(URGENT_FROM - timedelta(minutes=1))
    assert called() == set()
    for minutes in (0, 15):
        tasks.call_for_help(URGENT_FROM + timedelta(minutes=minutes))
    everybody = set(Member.objects.filter(association=amap.association).values_list("email", flat=True))
    assert called() == everybody - {amap.member.email}
    letter = Letter.objects.filter(kind="shift_urgent").first()
    assert letter.is_urgent
    text = message([letter])
    assert text.subject == "2 people are missing at the distribution of Thursday 26 November 2026"
    assert f"/belombre/roster/#evening-{some.distribution_id}" in text.body


def test_br62_somebody_who_looks_for_a_replacement_is_missing(amap):
    assignment = take(amap, shift(amap))
    tasks.call_for_help(URGENT_FROM)
    assert called() == set()
    roster.request_swap(assignment, by=amap.member, now=URGENT_FROM)
    tasks.call_for_help(URGENT_FROM)
    assert amap.treasurer.email in called()


def test_br65_no_call_while_the_minimum_is_there(amap):
    take(amap, shift(amap, needed=2))
    tasks.call_for_help(URGENT_FROM)
    assert called() == set()


def test_the_page_shows_the_holes_and_takes_a_shift_in_one_tap(amap, client):
    some = shift(amap, needed=2)
    client.force_login(amap.member)
    page = client.get("/belombre/roster/").content.decode()
    assert "2 people are still needed." in page
    answer = client.post(f"/belombre/roster/shifts/{some.pk}/take/", follow=True)
    assert "You are on the roster" in answer.content.decode()
    assert ShiftAssignment.objects.get().household == amap.household


def test_a_member_acts_on_their_own_shifts_only(amap, client):
    theirs = take(amap, shift(amap), amap.household_of(amap.treasurer))
    client.force_login(amap.member)
    assert client.post(f"/belombre/roster/assignments/{theirs.pk}/leave/").status_code == 404
    assert client.get(f"/belombre/roster/assignments/{theirs.pk}/replace/").status_code == 403


def test_the_number_of_queries_does_not_depend_on_the_season(amap, client, django_assert_num_queries):
    client.force_login(amap.member)
    shift(amap)
    client.get("/belombre/roster/")
    with django_assert_num_queries(6) as few:
        client.get("/belombre/roster/")
    for week in range(1, 5):
        take(amap, shift(amap, date(2026, 12, week), needed=3))
    with django_assert_num_queries(len(few)):
        client.get("/belombre/roster/")


def test_d10_prints_the_grid(amap, client):
    take(amap, shift(amap))
    client.force_login(amap.member)
    answer = client.get("/belombre/roster/roster.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [("roles-0-needed", "0", "1 at least."), ("roles-0-name", "", "Name at least one role")],
)
def test_settings_explain_bad_input_and_keep_the_rest(amap, client, field, value, sentence):
    client.force_login(amap.committee)
    data = {
        "roles-TOTAL_FORMS": "1",
        "roles-INITIAL_FORMS": "0",
        "roles-0-name": "Pesée",
        "roles-0-needed": "2",
        "roles-0-instructions": "Balance et cagettes",
    } | {field: value}
    answer = client.post("/belombre/roster/roles/", data)
    assert sentence in answer.content.decode()
    assert "Balance et cagettes" in answer.content.decode()
    assert not ShiftRole.objects.exists()


def test_two_places_on_one_day_each_have_their_evening_in_the_season(amap, client):
    other = PickupPlace.objects.create(association=amap.association, name="Autre lieu", address="x")
    shift(amap)
    evening(amap, place=other)
    client.force_login(amap.member)
    page = client.get("/belombre/roster/").content.decode()
    assert all(page.count(f"#evening-{one.pk}") for one in Distribution.objects.all())


def test_the_letters_of_a_shift_lead_to_it(amap):
    some = shift(amap, date(2026, 11, 28))
    take(amap, some)
    tasks.remind_of_shifts(NOW)
    for kind in ("shift_taken", "shift_reminder"):
        assert (
            f"/belombre/roster/#evening-{some.distribution_id}" in message([Letter.objects.filter(kind=kind)[0]]).body
        )
