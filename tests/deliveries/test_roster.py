"""The roster: needs, taking, leaving, replacing (BR-60, BR-62)."""

from datetime import date, datetime, time

import pytest

from amap.errors import Refused
from amap.models import Letter, PickupPlace
from deliveries.actions import roster
from deliveries.models import Distribution, Shift, ShiftAssignment, ShiftRole
from tests.cast import NOW, PARIS, Amap

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


def at(*moment):
    return datetime(*moment, tzinfo=PARIS)


def test_br60_an_evening_opens_the_roles_it_needs(amap):
    offer = amap.offer()
    ShiftRole.objects.create(association=amap.association, name="Accueil", needed=2)
    ShiftRole.objects.create(association=amap.association, name="Légumes", farm=offer.farm)
    with_farm, without = evening(amap), evening(amap, date(2027, 6, 3))
    assert (roster.open_shifts(with_farm), roster.open_shifts(without)) == (2, 1)
    assert roster.open_shifts(with_farm) == 0
    assert list(with_farm.shifts.values_list("role__name", "needed")) == [("Accueil", 2), ("Légumes", 1)]


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


def test_reminders_leave_seven_and_two_days_before_and_once(amap):
    take(amap, shift(amap))
    for day in (19, 19, 20, 24):
        roster.remind(at(2026, 11, day, 7, 0))
    kinds = Letter.objects.filter(kind="shift_reminder").order_by("pk").values_list("context__days", flat=True)
    assert list(kinds) == [7, 2]


def test_roles_change_for_the_evenings_to_come_only(amap):
    past, coming = shift(amap, date(2026, 11, 19)), shift(amap)
    role = ShiftRole.objects.get()
    rows = [{"id": role.pk, "name": "Pesée", "needed": 3}, {"id": None, "name": "Clés", "needed": 1, "is_lead": True}]
    roster.set_roles(amap.association, rows, by=amap.committee, now=NOW)
    past.refresh_from_db()
    coming.refresh_from_db()
    assert (past.needed, coming.needed) == (1, 3)
    assert list(coming.distribution.shifts.values_list("role__name", flat=True)) == ["Pesée", "Clés"]


def test_a_role_that_people_took_stays_when_it_is_removed(amap):
    take(amap, shift(amap))
    roster.set_roles(amap.association, [{"id": None, "name": "Clés", "needed": 1}], by=amap.committee, now=NOW)
    assert set(ShiftRole.objects.values_list("name", flat=True)) == {"Pesée", "Clés"}


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
    assert client.post(f"/belombre/roster/places/{theirs.pk}/leave/").status_code == 404
    assert client.get(f"/belombre/roster/places/{theirs.pk}/replace/").status_code == 403


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
    [("roles-0-needed", "0", "greater than or equal to 1"), ("roles-0-name", "", "Name at least one role")],
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
