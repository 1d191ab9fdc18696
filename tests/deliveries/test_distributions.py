"""The evening itself: planned, locked at its hour, moved, seen by those it concerns (BR-12, BR-13, BR-52)."""

import threading
from datetime import date, datetime, time

import pytest
from django.db import connection
from django.urls import reverse

from amap.errors import Refused
from amap.letters import message
from amap.models import AuditEntry, Letter, PickupPlace
from contracts.models import Delivery
from deliveries import tasks
from deliveries.actions import distributions, harvests
from deliveries.models import Basket, Distribution, Shift, ShiftAssignment, ShiftRole
from deliveries.sheet import sheet
from tests.cast import NOW, PARIS, TODAY, Amap

THURSDAY = date(2026, 11, 26)
WEDNESDAY = date(2026, 11, 25)

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


@pytest.fixture
def offer(amap):
    return amap.offer()


@pytest.fixture
def evening(amap, offer):
    amap.subscribe(amap.household, offer)
    distributions.plan(amap.association, today=TODAY)
    return Distribution.objects.get(day=THURSDAY)


def url(amap, name, *args):
    return reverse(f"deliveries:{name}", args=[amap.slug, *args])


# Planning


def test_every_day_and_place_of_delivery_ahead_becomes_a_distribution_with_the_hours_of_its_place(amap, offer):
    amap.offer(title="Pain", kind="fixed_quantity")
    amap.offer(title="Brouillon", status="draft", start=date(2026, 10, 2))
    offer.deliveries.filter(rank=10).update(status=Delivery.Status.CANCELLED)
    made = distributions.plan(amap.association, today=TODAY)
    assert [(d.day, d.opens_at, d.closes_at, d.volunteers_from) for d in made] == [
        (THURSDAY, time(18, 30), time(19, 45), time(18)),
        (date(2026, 12, 3), time(18, 30), time(19, 45), time(18)),
    ]
    assert distributions.plan(amap.association, today=TODAY) == []
    assert Distribution.objects.count() == 2


def test_an_evening_without_deliveries_goes_unless_somebody_already_helps(amap, offer):
    distributions.plan(amap.association, today=TODAY)
    role = ShiftRole.objects.create(association=amap.association, name="Accueil")
    for evening in Distribution.objects.all():
        Shift.objects.create(distribution=evening, role=role, needed=1)
    kept = Distribution.objects.get(day=THURSDAY)
    ShiftAssignment.objects.create(
        association=amap.association,
        distribution=kept,
        shift=kept.shifts.get(),
        household=amap.household,
        taken_at=NOW,
    )
    offer.deliveries.filter(day__gte=TODAY).update(status=Delivery.Status.CANCELLED)
    distributions.plan(amap.association, today=TODAY)
    assert [d.day for d in Distribution.objects.all()] == [THURSDAY]


def test_each_association_has_its_own_evenings_br_76(amap, offer):
    other = Amap("ailleurs", "AMAP d'ailleurs")
    other.offer(start=date(2026, 11, 26), deliveries=1)
    tasks.plan_ahead(NOW)
    assert amap.association.distributions.count() == 2
    assert other.association.distributions.count() == 1


# The lock at its hour


def test_the_list_is_fixed_eighteen_hours_before_br_52(amap, evening):
    tasks.lock_due(datetime(2026, 11, 26, 0, 29, tzinfo=PARIS))
    assert not Basket.objects.exists()
    for minute in (30, 31):
        tasks.lock_due(datetime(2026, 11, 26, 0, minute, tzinfo=PARIS))
    assert Basket.objects.count() == 1
    assert AuditEntry.objects.filter(verb="distribution.locked", by=None).count() == 1


def test_a_delivery_that_comes_to_an_evening_already_fixed_has_its_list_fixed_at_the_next_tick_br_52(amap, evening):
    due = datetime(2026, 11, 26, 0, 45, tzinfo=PARIS)
    tasks.lock_due(due)
    bread = amap.offer(title="Pain", kind="fixed_quantity")
    amap.subscribe(amap.household, bread)
    evening.refresh_from_db()
    tasks.lock_due(due)
    assert sorted(Basket.objects.values_list("delivery__offer__title", flat=True)) == ["Légumes 2026-27", "Pain"]
    assert bread.deliveries.get(day=THURSDAY).status == Delivery.Status.LOCKED
    assert AuditEntry.objects.filter(verb="distribution.locked").count() == 1


def test_what_comes_to_the_evening_at_the_last_minute_is_closed_with_it(amap, evening):
    distributions.lock(evening, by=amap.lead, now=NOW)
    bread = amap.offer(title="Pain", kind="fixed_quantity")
    amap.subscribe(amap.household, bread)
    distributions.close(evening, by=amap.lead, now=datetime(2026, 11, 26, 20, tzinfo=PARIS))
    assert bread.deliveries.get(day=THURSDAY).status == Delivery.Status.HELD
    assert set(Basket.objects.values_list("outcome", flat=True)) == {"uncollected"}


def test_an_empty_list_stays_open_until_the_doors_do(amap, offer):
    """Contracts on paper may be brought in on the day itself."""
    distributions.plan(amap.association, today=TODAY)
    tasks.lock_due(datetime(2026, 11, 26, 18, 15, tzinfo=PARIS))
    amap.subscribe(amap.household, offer)
    tasks.lock_due(datetime(2026, 11, 26, 18, 20, tzinfo=PARIS))
    assert Basket.objects.count() == 1
    offer.subscriptions.update(status="ended")
    tasks.lock_due(datetime(2026, 12, 3, 18, 30, tzinfo=PARIS))
    assert Distribution.objects.get(day=date(2026, 12, 3)).is_locked


def test_a_delivery_past_that_no_evening_gathers_has_been_held(amap, offer):
    """An offer opened in the middle of its season: what came before was distributed without this software."""
    distributions.plan(amap.association, today=TODAY)
    offer.deliveries.filter(rank__lte=2).update(status=Delivery.Status.SCHEDULED)
    tasks.hold_the_past(datetime(2026, 11, 27, 0, 1, tzinfo=PARIS))
    statuses = list(offer.deliveries.order_by("rank").values_list("status", flat=True))
    assert statuses == ["held"] * 8 + ["scheduled"] * 2
    assert AuditEntry.objects.filter(verb="delivery.held", by=None).count() == 2


def test_an_evening_without_deliveries_stops_no_other(amap, evening):
    Distribution.objects.create(
        association=amap.association,
        place=amap.place,
        day=date(2026, 11, 20),
        opens_at=time(18),
        closes_at=time(19),
        volunteers_from=time(18),
        volunteers_until=time(19),
    )
    tasks.lock_due(datetime(2026, 11, 26, 1, 0, tzinfo=PARIS))
    evening.refresh_from_db()
    assert evening.is_locked


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_the_same_moment_fix_the_list_once(amap, evening):
    due, failures = datetime(2026, 11, 26, 1, 0, tzinfo=PARIS), []
    ready = threading.Barrier(4)

    def tick():
        try:
            ready.wait()
            tasks.lock_due(due)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Basket.objects.count() == 1
    assert AuditEntry.objects.filter(verb="distribution.locked").count() == 1


def test_a_draft_of_the_same_day_is_not_part_of_the_evening(amap, evening):
    draft = amap.offer(title="Brouillon", status="draft")
    distributions.lock(evening, by=None, now=NOW)
    assert draft.deliveries.get(day=THURSDAY).status == Delivery.Status.SCHEDULED
    assert [delivery.title for delivery in sheet(evening).deliveries.values()] == ["Légumes 2026-27"]


# Moving


def move(evening, by, **changes):
    where = {name: getattr(evening, name) for name in ("day", "place", "opens_at", "closes_at")} | changes
    return distributions.move(evening, **where, by=by, now=NOW)


def test_a_moved_evening_takes_its_deliveries_along_and_their_ranks_stay_br_13(amap, offer, evening):
    bread = amap.offer(title="Pain", kind="fixed_quantity")
    hall = PickupPlace.objects.create(association=amap.association, name="Salle des fêtes", weekday=2)
    moved = move(evening, amap.lead, day=WEDNESDAY, place=hall, opens_at=time(17, 30), closes_at=time(18, 45))
    for delivery in (offer.deliveries.get(rank=9), bread.deliveries.get(rank=9)):
        assert (delivery.day, delivery.moved_from, delivery.place) == (WEDNESDAY, THURSDAY, hall)
    assert (moved.pk, moved.day, moved.volunteers_from, moved.volunteers_until) == (
        evening.pk,
        WEDNESDAY,
        time(17),
        time(19),
    )
    assert distributions.plan(amap.association, today=TODAY) == []
    entry = AuditEntry.objects.get(verb="distribution.moved")
    assert (entry.before, entry.after, entry.by) == ("2026-11-26 18:30", "2026-11-25 17:30", amap.lead)


def test_those_who_collect_help_and_deliver_are_told_at_once_br_13(amap, evening):
    helper = amap.household_of(amap.secretary)
    role = ShiftRole.objects.create(association=amap.association, name="Accueil")
    shift = Shift.objects.create(distribution=evening, role=role, needed=1)
    ShiftAssignment.objects.create(
        association=amap.association, distribution=evening, shift=shift, household=helper, taken_at=NOW
    )
    distributions.move(
        evening,
        day=WEDNESDAY,
        place=amap.place,
        opens_at=time(18, 30),
        closes_at=time(19, 45),
        reason="Jeudi est férié.",
        by=amap.lead,
        now=NOW,
    )
    letters = Letter.objects.filter(kind="distribution_moved", is_urgent=True)
    assert {letter.to for letter in letters} == {amap.member.email, amap.secretary.email, amap.farmer.email}
    text = message([letters[0]])
    assert text.subject == "The distribution of Thursday 26 November 2026 is moved"
    assert "Wednesday 25 November 2026" in text.body
    assert "Jeudi est férié." in text.body


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Nothing changes"),
        ({"day": date(2026, 11, 20)}, "is past"),
        ({"day": date(2026, 12, 3)}, "already a distribution"),
        ({"closes_at": time(18)}, "must end after"),
        ({"day": date(9999, 12, 31)}, "half a year"),
    ],
)
def test_a_move_that_cannot_be_is_refused_with_its_reason(amap, offer, evening, changes, words):
    with pytest.raises(Refused, match=words):
        move(evening, amap.lead, **changes)
    assert offer.deliveries.get(rank=9).day == THURSDAY
    assert not Letter.objects.exists()


def test_an_evening_moves_with_its_fixed_list_br_13_br_52(amap, client, offer, evening, time_machine):
    time_machine.move_to(NOW, tick=False)
    distributions.lock(evening, by=amap.lead, now=NOW)
    before = [line.name for line in sheet(evening).lines]
    amap.subscribe(amap.new_household("Nouveau"), offer)
    client.force_login(amap.lead)
    assert url(amap, "move", evening.pk) in client.get(url(amap, "distribution", evening.pk)).content.decode()
    typed = {"day": "2026-11-25", "place": amap.place.pk, "opens_at": "18:30", "closes_at": "19:45"}
    text = client.post(url(amap, "move", evening.pk), typed | {"do": "look"}).content.decode()
    assert "list stays as it is fixed" in text
    client.post(url(amap, "move", evening.pk), typed | {"do": "move"})
    evening.refresh_from_db()
    assert (evening.day, evening.status) == (WEDNESDAY, "locked")
    assert [line.name for line in sheet(evening).lines] == before
    assert (offer.deliveries.get(rank=9).day, offer.deliveries.get(rank=9).status) == (WEDNESDAY, "locked")
    later = datetime(2026, 11, 25, 20, tzinfo=PARIS)
    distributions.close(evening, by=amap.lead, now=later)
    assert offer.deliveries.get(rank=9).status == "held"
    with pytest.raises(Refused, match="has taken place"):
        distributions.move(
            evening, day=THURSDAY, place=amap.place, opens_at=time(18), closes_at=time(19), by=amap.lead, now=later
        )


def test_moving_first_says_whom_it_touches_then_does_it(amap, client, evening, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(amap.lead)
    page = url(amap, "move", evening.pk)
    typed = {"day": "2026-11-25", "place": amap.place.pk, "opens_at": "18:30", "closes_at": "19:45", "reason": "Férié"}
    text = client.post(page, typed | {"do": "look"}).content.decode()
    assert "What this changes" in text
    assert "Ferme des Saules Gris" in text
    assert not Letter.objects.exists()
    response = client.post(page, typed | {"do": "move"}, follow=True)
    assert "2 people are being told" in response.content.decode()
    evening.refresh_from_db()
    assert evening.day == WEDNESDAY


def test_a_refused_move_keeps_what_was_typed(amap, client, evening, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(amap.lead)
    typed = {"day": "2026-12-03", "place": amap.place.pk, "opens_at": "18:30", "closes_at": "19:45", "reason": "Neige"}
    text = client.post(url(amap, "move", evening.pk), typed | {"do": "move"}).content.decode()
    assert "already a distribution" in text
    assert "Neige" in text
    assert 'value="2026-12-03"' in text


@pytest.mark.parametrize(
    ("changes", "field"), [({"day": "2026-11-01"}, "day"), ({"opens_at": "19:00", "closes_at": "18:00"}, "closes_at")]
)
def test_what_a_move_changes_is_shown_only_where_it_can_be(amap, client, evening, time_machine, changes, field):
    time_machine.move_to(NOW, tick=False)
    client.force_login(amap.lead)
    data = {"day": "2026-11-27", "place": amap.place.pk, "opens_at": "18:30", "closes_at": "19:45", "do": "look"}
    page = client.post(url(amap, "move", evening.pk), data)
    assert "What this changes" in page.content.decode()
    page = client.post(url(amap, "move", evening.pk), data | changes)
    assert list(page.context["form"].errors) == [field]
    assert "What this changes" not in page.content.decode()


# Pages


def test_the_season_and_the_evening_say_what_i_collect(amap, client, evening, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(amap.member)
    season = client.get(url(amap, "distributions")).content.decode()
    assert "You collect: Légumes: Part entière" in " ".join(season.split()).replace("</span>", "")
    assert "day mine next" in season
    text = client.get(url(amap, "distribution", evening.pk)).content.decode()
    assert "Part entière" in text
    assert "Ferme des Saules Gris" in text


def test_br65_how_to_get_in_is_read_by_those_who_help_or_run_the_evening(amap, client, evening):
    amap.place.instructions = "Code de la boîte : 4711"
    amap.place.save()
    role = ShiftRole.objects.create(association=amap.association, name="Accueil")
    ShiftAssignment.objects.create(
        association=amap.association,
        distribution=evening,
        shift=Shift.objects.create(distribution=evening, role=role, needed=1, taken=1),
        household=amap.household_of(amap.treasurer),
        taken_at=NOW,
    )
    readers = set()
    for name in ("member", "farmer", "liaison", "treasurer", "lead", "committee"):
        client.force_login(getattr(amap, name))
        if "4711" in client.get(url(amap, "distribution", evening.pk)).content.decode():
            readers.add(name)
    assert readers == {"treasurer", "lead", "committee"}


def test_a_member_sees_only_their_own_basket(amap, client, offer, evening):
    amap.subscribe(amap.new_household("Indiscret"), offer)
    client.force_login(amap.member)
    assert "Indiscret" not in client.get(url(amap, "distribution", evening.pk)).content.decode()


@pytest.mark.parametrize("verb", ["lock", "plan", "collect", "uncollect"])
def test_changes_are_posted(amap, client, evening, verb):
    client.force_login(amap.lead)
    args = [] if verb == "plan" else [evening.pk]
    assert client.get(url(amap, verb, *args)).status_code == 405


@pytest.mark.parametrize(
    ("person", "expected"),
    [("lead", 302), ("committee", 302), ("treasurer", 403), ("liaison", 403), ("farmer", 403), ("member", 403)],
)
def test_only_those_who_run_the_evening_fix_and_move_it(amap, client, evening, person, expected, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(getattr(amap, person))
    assert client.post(url(amap, "plan")).status_code == expected
    assert client.get(url(amap, "move", evening.pk)).status_code == (200 if expected == 302 else 403)
    assert client.post(url(amap, "lock", evening.pk)).status_code == expected


def test_a_farmer_sees_the_quantities_of_their_farm_only_d8(amap, client, offer, evening):
    from amap.models import Farm, Farmer

    bakery = Farm.objects.create(slug="fournil", name="Fournil")
    bread = amap.offer(title="Pain", kind="fixed_quantity")
    bread.farm = bakery
    bread.save()
    amap.subscribe(amap.household, bread)
    baker = amap.user("ismael", "Ismaël")
    Farmer.objects.create(farm=bakery, user=baker)
    bakery.partnerships.create(association=amap.association, since=date(2026, 1, 1))
    client.force_login(baker)
    text = client.get(url(amap, "quantities", evening.pk)).content.decode()
    assert "Pain" in text
    assert "Légumes" not in text
    client.force_login(amap.lead)
    assert "Légumes" in client.get(url(amap, "quantities", evening.pk)).content.decode()
    bread.deliveries.filter(day=THURSDAY).delete()
    client.force_login(baker)
    assert client.get(url(amap, "quantities", evening.pk)).status_code == 404


def test_an_evening_of_another_association_does_not_exist_br_76(amap, client, evening):
    other = Amap("ailleurs", "AMAP d'ailleurs")
    client.force_login(other.committee)
    for name in ("distribution", "sheet", "sheet_pdf", "quantities", "board_pdf", "move", "close"):
        assert client.get(url(other, name, evening.pk)).status_code == 404
        assert client.get(url(amap, name, evening.pk)).status_code == 404
    for name in ("lock", "collect", "uncollect"):
        assert client.post(url(other, name, evening.pk), {"household": amap.household.pk}).status_code == 404


def test_pages_cost_the_same_queries_for_a_few_and_for_many_p5(
    amap, client, offer, evening, django_assert_max_num_queries, django_assert_num_queries, time_machine
):
    time_machine.move_to(NOW, tick=False)
    role = ShiftRole.objects.create(association=amap.association, name="Accueil", needed=9)
    shift = Shift.objects.create(distribution=evening, role=role, needed=9)
    client.force_login(amap.committee)
    amap.subscribe(amap.household_of(amap.committee), offer)
    pages = [url(amap, "distributions"), *(url(amap, name, evening.pk) for name in ("distribution", "quantities"))]
    pages.append(url(amap, "harvest", offer.deliveries.get(day=THURSDAY).pk))
    client.get(pages[0])
    few = []
    for page in pages:
        with django_assert_max_num_queries(10) as queries:
            client.get(page)
        few.append(len(queries))
    for number in range(6):
        household = amap.new_household(f"Foyer {number}")
        more = amap.offer(title=f"Offre {number}", deliveries=12)
        amap.subscribe(household, more, instalments=1)
        amap.subscribe(amap.household_of(amap.committee), more, instalments=1)
        ShiftAssignment.objects.create(
            association=amap.association, distribution=evening, shift=shift, household=household, taken_at=NOW
        )
        harvests.post_harvest(
            more.deliveries.get(day=THURSDAY),
            items=[{"product": f"Produit {n}", "unit": "g", "total": 9000} for n in range(6)],
            by=None,
            now=NOW,
        )
    distributions.plan(amap.association, today=TODAY)
    for page, count in zip(pages, few, strict=True):
        with django_assert_num_queries(count):
            client.get(page)
