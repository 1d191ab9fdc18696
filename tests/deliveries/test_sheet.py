"""Who collects what, before and after the list is fixed (BR-46, BR-51, BR-52)."""

from datetime import date, datetime, timedelta
from io import BytesIO

import pytest
from django.urls import reverse
from pypdf import PdfReader

from amap import jobs
from amap.errors import Refused
from amap.models import AuditEntry, Job
from contracts.models import Delivery, Subscription, SubscriptionLine
from deliveries import tasks
from deliveries.actions import distributions, harvests
from deliveries.models import Basket, Distribution, Shift, ShiftAssignment, ShiftRole
from deliveries.sheet import season, sheet, taken_text, volunteers
from tests.cast import NOW, PARIS, TODAY, Amap

THURSDAY = date(2026, 11, 26)  # rank 9 of the cast's vegetables
EVENING = datetime(2026, 11, 26, 18, 40, tzinfo=PARIS)
AFTERWARDS = datetime(2026, 11, 26, 19, 45, tzinfo=PARIS)

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


@pytest.fixture
def offer(amap):
    return amap.offer()


def evening_of(amap, day=THURSDAY):
    distributions.plan(amap.association, today=TODAY)
    return Distribution.objects.get(association=amap.association, day=day)


def taken(read):
    return {line.name: [basket.contents for basket in line.baskets] for line in read.lines}


def test_a_household_collects_its_share_at_every_delivery(amap, offer):
    amap.subscribe(amap.household, offer)
    read = sheet(evening_of(amap))
    assert taken(read) == {"Membre": [[["Part entière", 1]]]}


def test_every_other_share_follows_the_rank_not_the_week_br_46(amap, offer):
    odd, even = amap.new_household("Impair"), amap.new_household("Pair")
    amap.subscribe(odd, offer, turn="odd")
    amap.subscribe(even, offer, turn="even")
    assert offer.deliveries.get(day=THURSDAY).rank == 9
    assert list(taken(sheet(evening_of(amap)))) == ["Impair"]
    offer.deliveries.filter(rank=9).update(day=date(2026, 11, 25), moved_from=THURSDAY)
    assert list(taken(sheet(evening_of(amap, date(2026, 11, 25))))) == ["Impair"]
    assert list(taken(sheet(evening_of(amap, date(2026, 12, 3))))) == ["Pair"]


def test_late_joiners_and_those_who_left_are_on_the_list_for_their_ranks_only_br_23(amap, offer):
    early, late, gone = (amap.new_household(name) for name in ("Avant", "Tard", "Parti"))
    for household, ranks in ((early, (1, 8)), (late, (9, 10))):
        subscription = amap.subscribe(household, offer)
        subscription.first_rank, subscription.last_rank = ranks
        subscription.save()
    amap.subscribe(gone, offer, status=Subscription.Status.WITHDRAWN)
    assert list(taken(sheet(evening_of(amap)))) == ["Tard"]


def test_chosen_quantities_are_those_of_the_date_br_81(amap, offer):
    shop = amap.offer(title="Farine", kind="by_date")
    flour, oil = shop.products.all()
    subscription = amap.subscribe(amap.household, offer)
    dated = Subscription.objects.create(
        **{
            field: getattr(subscription, field)
            for field in ("association", "household", "deliveries_count", "equivalents_hundredths", "total_cents")
        },
        offer=shop,
        status="active",
        method="cheque",
        first_rank=1,
        last_rank=10,
        client_token="12345678-1234-5678-1234-567812345678",
        signed_at=NOW,
        reserved_until=NOW,
    )
    delivery, other = shop.deliveries.get(day=THURSDAY), shop.deliveries.get(day=date(2026, 12, 3))
    for product, quantity, when in ((flour, 2, delivery), (oil, 1, delivery), (oil, 5, other)):
        SubscriptionLine.objects.create(
            subscription=dated, product=product, delivery=when, quantity=quantity, unit_price_cents=product.price_cents
        )
    read = sheet(evening_of(amap))
    assert taken(read) == {
        "Membre": [[["Farine de blé (1 kg)", 2], ["Huile (50 cl)", 1]], [["Part entière", 1]]],
    }
    assert {read.deliveries[pk].title: dict(total) for pk, total in read.totals().items()} == {
        "Farine": {"Farine de blé (1 kg)": 2, "Huile (50 cl)": 1},
        "Légumes 2026-27": {"Part entière": 1},
    }


def test_households_stand_in_alphabetical_order_accents_or_not(amap, offer):
    for name in ("Zola", "Éloi", "eluard", "Élan"):
        amap.subscribe(amap.new_household(name), offer)
    assert list(taken(sheet(evening_of(amap)))) == ["Élan", "Éloi", "eluard", "Zola"]


def test_the_lock_fixes_the_list_whatever_happens_next_br_52(amap, offer):
    amap.subscribe(amap.household, offer)
    evening = evening_of(amap)
    before = taken(sheet(evening))
    evening = distributions.lock(evening, by=amap.lead, now=NOW)
    amap.subscribe(amap.new_household("Nouveau"), offer)
    Subscription.objects.filter(household=amap.household).update(status="ended")
    assert taken(sheet(evening)) == before
    assert evening.status == "locked"
    assert evening.locked_at == NOW
    assert offer.deliveries.get(day=THURSDAY).status == Delivery.Status.LOCKED
    assert AuditEntry.objects.filter(verb="distribution.locked", by=amap.lead).count() == 1


def test_locking_twice_writes_once(amap, offer):
    amap.subscribe(amap.household, offer)
    evening = evening_of(amap)
    distributions.lock(evening, by=None, now=NOW)
    distributions.lock(evening, by=amap.lead, now=NOW)
    assert Basket.objects.count() == 1
    assert AuditEntry.objects.filter(verb="distribution.locked").count() == 1


def test_a_list_cannot_be_fixed_while_households_may_still_join_it_br_24(amap, offer):
    evening = evening_of(amap, date(2026, 12, 3))
    with pytest.raises(Refused, match="26 November"):
        distributions.lock(evening, by=amap.lead, now=NOW)
    assert not Basket.objects.exists()


@pytest.fixture
def locked(amap, offer):
    for name in ("Ancel", "Bardot", "Cendre"):
        amap.subscribe(amap.new_household(name), offer)
    return distributions.lock(evening_of(amap), by=amap.lead, now=NOW)


def ids(amap, *names):
    return [amap.association.households.get(name=name).pk for name in names]


def test_one_tap_ticks_all_baskets_of_a_household(amap, locked):
    distributions.collect(locked, households=ids(amap, "Ancel"), by=amap.lead, now=EVENING)
    read = sheet(locked)
    assert [line.is_collected for line in read.lines] == [True, False, False]
    assert read.collected == 1
    basket = Basket.objects.get(household__name="Ancel")
    assert (basket.outcome, basket.ticked_by, basket.collected_at) == ("collected", amap.lead, EVENING)


def test_the_last_tick_wins_and_both_are_kept_br_52(amap, locked):
    household = ids(amap, "Ancel")
    distributions.collect(locked, households=household, by=amap.lead, now=EVENING)
    distributions.collect(locked, households=household, collected_by="Zoé", by=amap.committee, now=EVENING)
    basket = Basket.objects.get(household__name="Ancel")
    assert (basket.ticked_by, basket.collected_by) == (amap.committee, "Zoé")
    ticks = AuditEntry.objects.filter(verb="basket.collected", about_id=basket.pk)
    assert [entry.by for entry in ticks] == [amap.lead, amap.committee]


def test_a_tick_can_be_taken_back(amap, locked):
    household = ids(amap, "Bardot")
    distributions.collect(locked, households=household, collected_by="Zoé", by=amap.lead, now=EVENING)
    distributions.uncollect(locked, households=household, by=amap.lead, now=EVENING)
    basket = Basket.objects.get(household__name="Bardot")
    assert (basket.outcome, basket.collected_at, basket.ticked_by, basket.collected_by) == ("expected", None, None, "")


def test_nothing_is_ticked_before_the_lock_nor_for_a_household_that_is_not_listed_br_7(amap, offer, locked):
    other = evening_of(amap, date(2026, 12, 3))
    with pytest.raises(Refused, match="not fixed"):
        distributions.collect(other, households=ids(amap, "Ancel"), by=amap.lead, now=EVENING)
    with pytest.raises(Refused, match="collects nothing"):
        distributions.collect(locked, households=[amap.household.pk], by=amap.lead, now=EVENING)


def test_a_note_stands_beside_the_list_with_its_author_br_52(amap, locked):
    [household] = ids(amap, "Cendre")
    distributions.annotate(locked, household=household, note="  il manquait\nles radis ", by=amap.lead, now=EVENING)
    basket = Basket.objects.get(household=household)
    assert basket.note == "il manquait les radis (Dominique Clé)"
    assert basket.contents == [["Part entière", 1]]
    assert AuditEntry.objects.get(verb="basket.noted").reason == "il manquait les radis"


def test_what_nobody_signed_for_gets_its_fate_and_no_refund_br_51(amap, locked):
    ancel, bardot, cendre = ids(amap, "Ancel", "Bardot", "Cendre")
    distributions.collect(locked, households=[ancel], by=amap.lead, now=EVENING)
    evening = distributions.close(locked, fates={bardot: "kept"}, remarks="Il a plu.", by=amap.lead, now=AFTERWARDS)
    fates = dict(Basket.objects.values_list("household", "fate"))
    assert fates == {ancel: "", bardot: "kept", cendre: "charity"}
    assert Basket.objects.filter(outcome="uncollected").count() == 2
    assert (evening.status, evening.remarks, evening.closed_at) == ("closed", "Il a plu.", AFTERWARDS)
    assert Delivery.objects.get(day=THURSDAY).status == Delivery.Status.HELD
    with pytest.raises(Refused, match="closed"):
        distributions.collect(evening, households=[bardot], by=amap.lead, now=EVENING)


def test_br51_the_dashboard_counts_three_uncollected_and_what_went_to_the_charity(amap, client, locked):
    [bardot, cendre] = ids(amap, "Bardot", "Cendre")
    # Of what Cendre takes by turns, only the turn of that day counts.
    taken = locked.baskets.get(household=cendre)
    turn, other = ("odd", "even") if taken.delivery.rank % 2 else ("even", "odd")
    line = taken.subscription.lines.get()
    SubscriptionLine.objects.filter(pk=line.pk).update(turn=turn, quantity=2)
    line.pk, line.turn = None, other
    line.save()
    distributions.close(locked, fates={bardot: "kept"}, by=amap.lead, now=AFTERWARDS)
    client.force_login(amap.committee)
    text = client.get(reverse("amap:committee", args=[amap.slug])).content.decode()
    assert "3 baskets not collected in the last twelve months. Given to a charity: 2, worth €63.00." in text


def test_an_evening_signed_on_paper_closes_in_one_go(amap, locked):
    ancel, bardot, cendre = ids(amap, "Ancel", "Bardot", "Cendre")
    distributions.close(locked, on_paper=[ancel, bardot], by=amap.lead, now=AFTERWARDS)
    outcomes = dict(Basket.objects.values_list("household", "outcome"))
    assert outcomes == {ancel: "collected", bardot: "collected", cendre: "uncollected"}


def test_br51_a_basket_is_awaited_until_the_doors_close(amap, locked):
    ancel, bardot, cendre = ids(amap, "Ancel", "Bardot", "Cendre")
    distributions.collect(locked, households=[ancel], by=amap.lead, now=EVENING)
    with pytest.raises(Refused, match="1 household may still come until 19:45"):
        distributions.close(locked, on_paper=[bardot], by=amap.lead, now=AFTERWARDS - timedelta(minutes=1))
    assert Basket.objects.filter(outcome="expected").count() == 2
    distributions.close(locked, on_paper=[bardot, cendre], by=amap.lead, now=EVENING)
    assert set(Basket.objects.values_list("outcome", flat=True)) == {"collected"}


def test_br51_a_forgotten_evening_is_closed_the_next_morning(amap, locked):
    ancel, bardot, cendre = ids(amap, "Ancel", "Bardot", "Cendre")
    distributions.collect(locked, households=[ancel], by=amap.lead, now=EVENING)
    tasks.close_forgotten(AFTERWARDS)
    assert Basket.objects.filter(outcome="expected").count() == 2
    for _n in range(2):
        tasks.close_forgotten(datetime(2026, 11, 27, 6, 0, tzinfo=PARIS))
    found = {pk: (outcome, fate) for pk, outcome, fate in Basket.objects.values_list("household", "outcome", "fate")}
    assert found == {ancel: ("collected", ""), bardot: ("uncollected", "charity"), cendre: ("uncollected", "charity")}
    assert Distribution.objects.get(pk=locked.pk).is_closed
    assert Delivery.objects.get(day=THURSDAY).status == Delivery.Status.HELD


def test_br51_a_list_on_which_nobody_was_ticked_waits_a_week_for_its_paper(amap, locked):
    tasks.close_forgotten(datetime(2026, 12, 3, 6, 0, tzinfo=PARIS))
    assert Basket.objects.filter(outcome="expected").count() == 3
    tasks.close_forgotten(datetime(2026, 12, 4, 6, 0, tzinfo=PARIS))
    assert Basket.objects.filter(outcome="uncollected", fate="charity").count() == 3


def test_an_evening_is_not_closed_before_it_begins_nor_twice(amap, locked):
    with pytest.raises(Refused, match="26 November"):
        distributions.close(locked, by=amap.lead, now=EVENING - timedelta(hours=1))
    distributions.close(locked, by=amap.lead, now=AFTERWARDS)
    with pytest.raises(Refused, match="already closed"):
        distributions.close(locked, by=amap.lead, now=AFTERWARDS)


def test_the_quantities_are_the_sums_of_the_list_before_and_after_d8(amap, offer):
    half = offer.sizes.get(coefficient_hundredths=50)
    amap.subscribe(amap.household, offer, quantity=2)
    amap.subscribe(amap.new_household("Demi"), offer, size=half)
    evening = evening_of(amap)
    [before] = sheet(evening).totals().values()
    distributions.lock(evening, by=None, now=NOW)
    [after] = sheet(distributions.lock(evening, by=None, now=NOW)).totals().values()
    assert before == after == {"Part entière": 2, "Demi-part": 1}
    read = sheet(evening)
    assert sum(after.values()) == sum(q for line in read.lines for b in line.baskets for _label, q in b.contents)


def test_the_season_says_what_a_household_takes_at_each_place(amap, offer):
    amap.subscribe(amap.household, offer, turn="even")
    evenings = season(amap.association.pk, (TODAY, date(2026, 12, 31)), amap.household.pk)
    assert {day: contents for (day, _place), [(_title, _farm, contents)] in evenings.items()} == {
        THURSDAY: None,
        date(2026, 12, 3): [("Part entière", 1)],
    }


# Pages


def populate(amap, households, offers):
    made = [amap.offer(title=f"Offre {number}") for number in range(offers)]
    for number in range(households):
        household = amap.new_household(f"Foyer {number}")
        for offer in made:
            amap.subscribe(household, offer, instalments=1)


def url(amap, name, *args):
    return reverse(f"deliveries:{name}", args=[amap.slug, *args])


def test_the_list_costs_the_same_queries_for_two_households_or_twenty_p3(
    amap, client, django_assert_max_num_queries, django_assert_num_queries
):
    populate(amap, 2, 2)
    evening = evening_of(amap)
    client.force_login(amap.lead)
    client.get(url(amap, "sheet", evening.pk))  # the first request of a process asks SQLite what it can do
    with django_assert_max_num_queries(6) as small:
        client.get(url(amap, "sheet", evening.pk))
    populate(amap, 18, 3)
    with django_assert_num_queries(len(small)):
        client.get(url(amap, "sheet", evening.pk))
    distributions.lock(evening, by=None, now=NOW)
    with django_assert_max_num_queries(6):
        response = client.get(url(amap, "sheet", evening.pk))
    assert response.content.count(b'class="sign ') == 20


def test_ticking_works_with_and_without_javascript(amap, client, locked):
    [household] = ids(amap, "Ancel")
    client.force_login(amap.lead)
    response = client.post(url(amap, "collect", locked.pk), {"household": household})
    assert response.status_code == 302
    assert response["Location"] == f"{url(amap, 'sheet', locked.pk)}#h{household}"
    response = client.post(url(amap, "uncollect", locked.pk), {"household": household}, headers={"HX-Request": "true"})
    text = response.content.decode()
    assert f'<li id="h{household}"' in text
    assert "0 of 3 households" in text
    assert "<html" not in text


@pytest.mark.parametrize(("ago", "minutes"), [("0", 0), ("900", 15), ("999999999999", 30)])
def test_a_tick_that_waited_for_the_network_keeps_its_time_br_52(amap, client, locked, time_machine, ago, minutes):
    [household] = ids(amap, "Ancel")
    now = locked.opens() + timedelta(minutes=30)
    time_machine.move_to(now, tick=False)
    client.force_login(amap.lead)
    client.post(url(amap, "collect", locked.pk), {"household": household, "ago": ago})
    assert Basket.objects.filter(household=household).first().collected_at == now - timedelta(minutes=minutes)
    assert client.post(url(amap, "collect", locked.pk), {"household": household, "ago": "-5"}).status_code == 404


def test_the_list_finds_a_household_and_those_still_to_come(amap, client, locked):
    client.force_login(amap.lead)
    distributions.collect(locked, households=ids(amap, "Ancel"), by=amap.lead, now=EVENING)
    assert "Bardot" in client.get(url(amap, "sheet", locked.pk), {"q": "BÀRD"}).content.decode()
    found = client.get(url(amap, "sheet", locked.pk), {"q": "bard", "show": "left"}).content.decode()
    assert "Bardot" in found
    assert "Cendre" not in found
    assert "Ancel" not in client.get(url(amap, "sheet", locked.pk), {"show": "left"}).content.decode()


def test_a_household_with_special_characters_is_written_not_run(amap, client, offer):
    amap.subscribe(amap.new_household("<script>x</script> %s {id}"), offer)
    evening = distributions.lock(evening_of(amap), by=None, now=NOW)
    client.force_login(amap.lead)
    text = client.get(url(amap, "sheet", evening.pk)).content.decode()
    assert "&lt;script&gt;x&lt;/script&gt; %s {id}" in text


@pytest.mark.parametrize(
    ("person", "expected"),
    [("lead", 200), ("committee", 200), ("treasurer", 403), ("liaison", 403), ("farmer", 403), ("member", 403)],
)
def test_the_list_is_for_those_who_run_the_evening(amap, client, locked, person, expected):
    client.force_login(getattr(amap, person))
    assert client.get(url(amap, "sheet", locked.pk)).status_code == expected
    assert client.get(url(amap, "sheet_pdf", locked.pk)).status_code == expected


def test_a_volunteer_of_the_evening_ticks_too_once_the_list_is_fixed(amap, client, locked):
    role = ShiftRole.objects.create(association=amap.association, name="Accueil")
    shift = Shift.objects.create(distribution=locked, role=role, needed=2, taken=1)
    ShiftAssignment.objects.create(
        association=amap.association, distribution=locked, shift=shift, household=amap.household, taken_at=NOW
    )
    [household] = ids(amap, "Ancel")
    client.force_login(amap.member)
    assert client.get(url(amap, "sheet", locked.pk)).status_code == 200
    client.post(url(amap, "collect", locked.pk), {"household": household})
    assert Basket.objects.get(household=household).ticked_by == amap.member
    assert client.post(url(amap, "close", locked.pk)).status_code == 403
    [post] = volunteers(locked)
    assert (post.role, post.people, post.missing) == ("Accueil", ["Membre"], 1)


def test_the_page_of_one_household_takes_a_name_and_a_note(amap, client, locked):
    [household] = ids(amap, "Ancel")
    client.force_login(amap.lead)
    client.post(url(amap, "collect", locked.pk), {"household": household, "collected_by": "Zoé"})
    client.post(url(amap, "annotate", locked.pk, household), {"note": "sans radis"})
    text = client.get(url(amap, "sheet_line", locked.pk, household)).content.decode()
    assert "by Zoé" in text
    assert "sans radis (Dominique Clé)" in text
    assert client.get(url(amap, "sheet_line", locked.pk, amap.household.pk)).status_code == 404


def test_closing_asks_what_became_of_each_basket(amap, client, locked, time_machine):
    time_machine.move_to(AFTERWARDS, tick=False)
    ancel, bardot, cendre = ids(amap, "Ancel", "Bardot", "Cendre")
    client.force_login(amap.lead)
    client.post(url(amap, "collect", locked.pk), {"household": ancel})
    page = client.get(url(amap, "close", locked.pk)).content.decode()
    assert f'name="fate_{bardot}"' in page
    assert f'name="fate_{ancel}"' not in page
    answers = {f"fate_{bardot}": "volunteers", f"fate_{cendre}": "collected", "remarks": "Bien."}
    client.post(url(amap, "close", locked.pk), answers)
    outcomes = dict(Basket.objects.values_list("household", "outcome"))
    assert outcomes == {ancel: "collected", bardot: "uncollected", cendre: "collected"}
    assert Basket.objects.get(household=bardot).fate == "volunteers"


def words_of(response):
    assert response["Content-Type"] == "application/pdf"
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(response.content)).pages)
    return " ".join(text.split())


def test_the_sign_in_sheet_gives_the_quantities_of_a_list_that_is_posted_d6(amap, client, offer):
    amap.subscribe(amap.household, offer, quantity=2)
    amap.subscribe(amap.new_household("Demi"), offer, size=offer.sizes.get(label="Demi-part"))
    evening = evening_of(amap)
    delivery = offer.deliveries.get(day=THURSDAY)
    items = [{"product": "Carottes", "unit": "g", "whole": 800}, {"product": "Choux", "unit": "piece", "whole": 2}]
    harvests.post_harvest(delivery, items=items, by=amap.farmer, now=NOW)
    client.force_login(amap.lead)
    text = words_of(client.get(url(amap, "sheet_pdf", evening.pk)))
    assert "Carottes 1.6 kg, Choux 4" in text
    assert "Carottes 400 g, Choux 1" in text
    assert "Printed on 21 November 2026" in text


def test_the_sign_in_sheet_on_paper_names_everybody_d6(amap, client, locked):
    client.force_login(amap.lead)
    text = words_of(client.get(url(amap, "sheet_pdf", locked.pk)))
    for words in ("Ancel", "Bardot", "Cendre", "Part entière", "3 × Part entière", "Volunteers", "Remarks"):
        assert words in text


def test_a_long_paper_is_made_by_the_worker_while_its_reader_waits_t25(amap, client, locked, monkeypatch, time_machine):
    """reliability T25, engineering: over 150 rows, a job."""
    time_machine.move_to(NOW, tick=False)
    monkeypatch.setattr(jobs, "MOST_AT_ONCE", 2)
    client.force_login(amap.lead)
    page = client.get(url(amap, "sheet_pdf", locked.pk), follow=True)
    assert client.get(url(amap, "sheet_pdf", locked.pk)).url == page.request["PATH_INFO"]
    job = Job.objects.get()
    text = page.content.decode()
    assert "Sign-in sheet of Thursday 26 November" in text
    assert "Look again" in text
    jobs.run(job.pk)
    ready = client.get(page.request["PATH_INFO"], headers={"hx-request": "true"}).content.decode()
    assert "every 2s" not in ready
    made = client.get(reverse("amap:work_pdf", args=[amap.slug, job.pk]))
    assert made.content.startswith(b"%PDF-")
    client.force_login(amap.committee)
    assert client.get(page.request["PATH_INFO"]).status_code == 404
    jobs.forget(NOW + timedelta(days=2))
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("title", "contents", "text"),
    [
        ("Légumes 2026-27", [["Demi-part", 1]], "Légumes: Demi-part"),
        ("Pain automne-hiver 2026", [["Pain de 1 kg", 2]], "2 × Pain de 1 kg"),
        ("Œufs 2026", [["6 œufs", 1]], "6 œufs"),
        ("2026", [["Cagette", 1]], "2026: Cagette"),
    ],
)
def test_what_is_taken_is_said_in_few_words(title, contents, text):
    assert taken_text(title, contents) == text
