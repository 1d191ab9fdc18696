"""The harvest list: posting, sharing out, showing at the hour, writing to the members (BR-18, BR-45, BR-47)."""

from datetime import date, datetime

import pytest
from django.urls import reverse

from amap.errors import Refused
from amap.letters import message
from amap.models import Letter
from deliveries import tasks
from deliveries.actions import distributions, harvests
from deliveries.harvests import harvests as lists_of
from deliveries.models import Distribution, HarvestItem, HarvestList, HarvestPortion
from deliveries.quantities import from_hundredths, quantity_text, to_hundredths
from tests.cast import NOW, PARIS, TODAY, Amap

THURSDAY = date(2026, 11, 26)
BEFORE = datetime(2026, 11, 25, 11, 59, tzinfo=PARIS)
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=PARIS)
MORNING = datetime(2026, 11, 26, 6, 5, tzinfo=PARIS)

CARROTS = {"product": "Carottes", "unit": "g", "total": 63_000}
POTATOES = {"product": "Pommes de terre", "unit": "g", "total": 58_000}
LETTUCES = {"product": "Laitue", "unit": "piece", "total": 60}

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


@pytest.fixture
def offer(amap):
    """31 whole and 22 half shares, in three subscriptions: what counts is the number of baskets."""
    offer = amap.offer(capacity_hundredths=5000)
    whole, half = offer.sizes.all()
    amap.subscribe(amap.household, offer, size=whole)
    amap.subscribe(amap.new_household("Trente"), offer, size=whole, quantity=30)
    amap.subscribe(amap.new_household("Demis"), offer, size=half, quantity=22)
    distributions.plan(amap.association, today=TODAY)
    return offer


@pytest.fixture
def delivery(offer):
    return offer.deliveries.get(day=THURSDAY)


def post(delivery, *items, by=None, now=NOW, **more):
    return harvests.post_harvest(delivery, items=list(items), by=by, now=now, **more)


def portions(harvest):
    return {
        item.product: ({p.size.label: p.quantity for p in item.portions.select_related("size")}, item.leftover)
        for item in harvest.items.all()
    }


def test_a_harvest_is_divided_by_the_shares_present_br_47(amap, delivery):
    harvest = post(delivery, CARROTS, POTATOES, LETTUCES, by=amap.farmer)
    assert portions(harvest) == {
        "Carottes": ({"Part entière": 1500, "Demi-part": 750}, 0),
        "Pommes de terre": ({"Part entière": 1350, "Demi-part": 650}, 1850),
        "Laitue": ({"Part entière": 1, "Demi-part": 1}, 7),
    }
    assert HarvestPortion.objects.get(item__product="Laitue", size__label="Demi-part").due_hundredths == 29
    assert harvest.posted_by == amap.farmer


def test_the_quantity_of_a_share_gives_the_total_to_bring(delivery):
    harvest = post(
        delivery,
        {"product": "Carottes", "unit": "g", "whole": 1500},
        {"product": "Radis", "unit": "bunch", "whole": 1},
        {"product": "Ail", "unit": "g", "whole": 130},
    )
    assert list(harvest.items.values_list("product", "total", "whole")) == [
        ("Carottes", 63_000, 1500),
        ("Radis", 53, 1),
        ("Ail", 31 * 130 + 22 * 65, 130),
    ]
    assert portions(harvest)["Carottes"] == ({"Part entière": 1500, "Demi-part": 750}, 0)


def test_pieces_owed_to_a_size_are_remembered_from_list_to_list_br_47(offer, delivery):
    post(delivery, LETTUCES)
    following = offer.deliveries.get(rank=10)
    post(following, LETTUCES | {"product": "laitue"})
    due = HarvestPortion.objects.get(item__harvest_list__delivery=following, size__label="Demi-part").due_hundredths
    assert due == 58


def test_what_is_posted_again_replaces_and_is_marked_after_the_hour_br_45(amap, delivery):
    post(delivery, CARROTS, LETTUCES, now=NOW)
    post(delivery, CARROTS, now=BEFORE)
    harvest = HarvestList.objects.get()
    assert (harvest.posted_at, harvest.updated_at) == (NOW, None)
    post(delivery, POTATOES, news="Gel cette nuit.", now=MORNING)
    harvest = HarvestList.objects.get()
    assert (harvest.updated_at, harvest.news) == (MORNING, "Gel cette nuit.")
    assert list(harvest.items.values_list("product", flat=True)) == ["Pommes de terre"]


def test_the_lock_divides_again_by_the_baskets_there_really_are_br_47(amap, offer, delivery):
    post(delivery, CARROTS)
    for number in range(4):
        amap.subscribe(amap.new_household(f"Tardif {number}"), offer)
    distributions.lock(Distribution.objects.get(day=THURSDAY), by=None, now=NOW)
    assert portions(HarvestList.objects.get()) == {"Carottes": ({"Part entière": 1350, "Demi-part": 650}, 1450)}
    post(delivery, CARROTS, now=MORNING)
    assert portions(HarvestList.objects.get())["Carottes"][1] == 1450


def test_bought_in_produce_needs_the_contracts_word_and_an_origin_br_18(amap, offer, delivery):
    lemons = {"product": "Citrons", "unit": "g", "total": 8400, "origin": "Gaec du Soleil, Menton"}
    with pytest.raises(Refused, match="does not allow"):
        post(delivery, lemons)
    offer.bought_in_allowed = True
    offer.save()
    post(delivery, lemons)
    item = HarvestItem.objects.get()
    assert (item.is_bought_in, item.origin) == (True, "Gaec du Soleil, Menton")


@pytest.mark.parametrize("status", ["cancelled", "held"])
def test_no_list_for_a_delivery_that_is_over_or_cancelled(delivery, status):
    delivery.status = status
    delivery.save()
    with pytest.raises(Refused):
        post(delivery, CARROTS)


def test_an_empty_list_is_refused_and_a_fixed_contract_takes_news_only_br_17(amap, delivery):
    with pytest.raises(Refused, match="at least one product"):
        post(delivery, news="  ")
    bread = amap.offer(title="Pain", kind="fixed_quantity").deliveries.get(day=THURSDAY)
    with pytest.raises(Refused, match="fixed"):
        post(bread, CARROTS)
    assert post(bread, news="Nouveau four !").news == "Nouveau four !"


def test_nothing_is_divided_while_nobody_has_signed(amap):
    delivery = amap.offer(title="Vide").deliveries.get(day=THURSDAY)
    assert portions(post(delivery, CARROTS, LETTUCES)) == {"Carottes": ({}, 63_000), "Laitue": ({}, 60)}


# Letters


def test_members_hear_at_the_agreed_hour_what_is_in_their_own_basket_br_45(amap, delivery):
    post(delivery, CARROTS, LETTUCES, news="Premières gelées.")
    tasks.announce_baskets(BEFORE)
    assert not Letter.objects.exists()
    tasks.announce_baskets(NOON)
    [letter] = Letter.objects.all()
    assert (letter.kind, letter.to, letter.is_urgent) == ("basket_of_the_week", amap.member.email, False)
    [basket] = letter.context["baskets"]
    assert basket["portions"] == [["Carottes", 1500, "g", ""], ["Laitue", 1, "piece", ""]]
    text = message([letter]).body
    assert "You collect on Thursday 26 November 2026 from 18:30 to 19:45: Préau de l'école.\n3 rue des Écoles" in text
    assert "- Carottes: 1.5\xa0kg\n- Laitue: 1\n" in text
    assert "Premières gelées." in text


def test_br75_who_has_bread_only_hears_of_it_without_waiting_for_vegetables(amap, delivery):
    bread = amap.offer(title="Pain", kind="fixed_quantity")
    amap.subscribe(amap.household, bread)
    amap.subscribe(amap.household_of(amap.lead), bread, quantity=2)
    tasks.announce_baskets(NOON)
    [letter] = Letter.objects.all()
    assert letter.to == amap.lead.email
    assert "Pain (Ferme des Saules Gris)\n- 2 × Part entière\n" in message([letter]).body
    post(delivery, CARROTS, now=NOON)
    for _n in range(2):
        tasks.announce_baskets(datetime(2026, 11, 25, 17, 0, tzinfo=PARIS))
    later = Letter.objects.exclude(pk=letter.pk).get()
    assert later.to == amap.member.email
    text = message([later]).body
    assert "- Carottes: 1.5\xa0kg\n\nPain (Ferme des Saules Gris)\n- 1 × Part entière\n" in text


def test_two_ticks_at_once_write_once(amap, delivery):
    post(delivery, CARROTS)
    waiting = Distribution.objects.get(day=THURSDAY)
    tasks.announce_baskets(NOON)
    harvests.announce(waiting, now=NOON)
    tasks.announce_baskets(NOON)
    assert Letter.objects.count() == 1


def test_a_list_that_does_not_come_keeps_nobody_from_their_letter_br_75(amap, delivery):
    tasks.announce_baskets(datetime(2026, 11, 26, 11, 29, tzinfo=PARIS))
    assert not Letter.objects.exists()
    tasks.announce_baskets(datetime(2026, 11, 26, 11, 30, tzinfo=PARIS))
    letter = Letter.objects.get()
    assert letter.send_after == datetime(2026, 11, 26, 12, 30, tzinfo=PARIS)
    assert "- 1 × Part entière\n" in message([letter]).body
    post(delivery, CARROTS, now=MORNING)
    tasks.announce_baskets(datetime(2026, 11, 26, 13, tzinfo=PARIS))
    assert Letter.objects.count() == 1


def test_a_letter_too_late_for_the_digest_leaves_at_once(amap, delivery):
    tasks.announce_baskets(datetime(2026, 11, 26, 15, tzinfo=PARIS))
    assert Letter.objects.get().is_urgent


def test_a_missing_list_alerts_farm_and_liaison_a_day_before_once_br_45(amap, delivery):
    tasks.alert_missing_harvests(datetime(2026, 11, 25, 18, 29, tzinfo=PARIS))
    assert not Letter.objects.exists()
    for minute in (30, 31):
        tasks.alert_missing_harvests(datetime(2026, 11, 25, 18, minute, tzinfo=PARIS))
    assert set(Letter.objects.values_list("to", "is_urgent")) == {
        (amap.farmer.email, True),
        (amap.liaison.email, True),
    }
    assert "/harvest/" in message([Letter.objects.first()]).body


def test_no_alert_for_a_list_that_is_there_or_needs_none(amap, delivery):
    post(delivery, CARROTS)
    amap.offer(title="Pain", kind="fixed_quantity")
    tasks.alert_missing_harvests(datetime(2026, 11, 26, 9, 0, tzinfo=PARIS))
    assert not Letter.objects.exists()


# Pages


def url(amap, name, *args):
    return reverse(f"deliveries:{name}", args=[amap.slug, *args])


def rows(*typed, do="post", **more):
    data = {"form-TOTAL_FORMS": len(typed), "form-INITIAL_FORMS": 0, "do": do} | more
    for number, values in enumerate(typed):
        names = ("product", "amount", "unit", "basis", "origin")
        data |= {f"form-{number}-{name}": value for name, value in zip(names, values, strict=False)}
    return data


def test_a_farmer_posts_from_the_page(amap, client, delivery):
    client.force_login(amap.farmer)
    page = url(amap, "harvest", delivery.pk)
    typed = rows(
        ("Carottes", "63,0", "g", "total"),
        ("Laitue", "1", "piece", "whole"),
        ("Fenouil", "0", "g", "total"),
        ("", "", "g", "total"),
        news="Bonne semaine",
    )
    response = client.post(page, typed, follow=True)
    assert response.redirect_chain[-1][0] == url(amap, "distribution", Distribution.objects.get(day=THURSDAY).pk)
    text = response.content.decode()
    assert "2 varieties: the contract promises at least 5" in text
    assert "Members see it from Wednesday 25 November 2026 at 12:00" in text
    assert list(HarvestItem.objects.values_list("product", "total", "whole")) == [
        ("Carottes", 63_000, None),
        ("Laitue", 53, 1),
    ]


def test_last_weeks_list_is_the_start(amap, client, offer, delivery):
    post(offer.deliveries.get(rank=10), {"product": "Plus tard", "unit": "g", "total": 1000})
    held = offer.deliveries.get(rank=8)
    offer.deliveries.filter(pk=held.pk).update(status="scheduled")
    post(held, {"product": "Poireaux", "unit": "g", "whole": 900}, LETTUCES)
    client.force_login(amap.farmer)
    text = client.get(url(amap, "harvest", delivery.pk)).content.decode()
    assert 'value="Poireaux"' in text
    assert 'value="0.9"' in text
    assert 'value="60"' in text
    assert "Plus tard" not in text


def test_the_page_shows_what_each_share_gets_without_writing_anything(amap, client, delivery):
    client.force_login(amap.farmer)
    typed = rows(("Pommes de terre", "58", "g", "total"), do="preview")
    whole = client.post(url(amap, "harvest", delivery.pk), typed)
    part = client.post(url(amap, "harvest", delivery.pk), typed, headers={"HX-Request": "true"})
    for response in (whole, part):
        text = response.content.decode()
        for words in (
            "1.35\xa0kg",
            "650\xa0g",
            "1.85\xa0kg",
            "1 variety: the contract promises at least 5",
            "Divided by 42 whole shares",
        ):
            assert words in text
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert not HarvestList.objects.exists()


def test_more_rows_keep_what_was_typed(amap, client, delivery):
    client.force_login(amap.farmer)
    text = client.post(url(amap, "harvest", delivery.pk), rows(("Panais", "12", "g", "total"), do="more")).content
    assert b'value="Panais"' in text
    assert b'name="form-3-product"' in text
    assert not HarvestList.objects.exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("Courges", "", "piece", "total"), "How much?"),
        (("Courges", "1,5", "piece", "total"), "Whole pieces only"),
        (("", "3", "piece", "total"), "Which product?"),
        (("Courges", "-3", "piece", "total"), "is not a number"),
        (("Courges", "600", "g", "whole"), "the whole harvest"),
        (("Cour\u202eges", "3", "g", "total"), "characters that are not allowed"),
        (("C" * 61, "3", "g", "total"), "60 characters at most"),
        (("Courges", "3", "tonnes", "total"), "Select a valid choice"),
    ],
)
def test_a_wrong_row_is_explained_and_nothing_typed_is_lost(amap, client, delivery, typed, words):
    client.force_login(amap.farmer)
    good = ("Poireaux", "12", "g", "total")
    text = client.post(url(amap, "harvest", delivery.pk), rows(good, typed, news="Bonjour")).content.decode()
    assert text.count(words) == 2  # on top of the page and beside the field
    assert 'value="Poireaux"' in text
    assert "Bonjour" in text
    assert not HarvestList.objects.exists()


@pytest.mark.parametrize("count", ["", "abc", "-1", "61", "999999999999"])
def test_a_broken_number_of_rows_never_breaks_the_page(amap, client, delivery, count):
    client.force_login(amap.farmer)
    for deed in ("post", "more", "preview"):
        data = rows(("Panais", "12", "g", "total"), do=deed) | {"form-TOTAL_FORMS": count}
        assert client.post(url(amap, "harvest", delivery.pk), data).status_code == 200
    assert not HarvestList.objects.exists()


@pytest.mark.parametrize(
    ("person", "expected"),
    [("farmer", 200), ("liaison", 200), ("committee", 200), ("member", 404), ("lead", 404), ("treasurer", 404)],
)
def test_the_farm_its_liaisons_and_the_committee_post(amap, client, delivery, person, expected):
    client.force_login(getattr(amap, person))
    assert client.get(url(amap, "harvest", delivery.pk)).status_code == expected


def test_a_farmer_of_elsewhere_cannot_post_here(amap, client, delivery):
    other = Amap("ailleurs", "AMAP d'ailleurs")
    client.force_login(other.farmer)
    assert client.get(url(amap, "harvest", delivery.pk)).status_code == 404
    assert client.get(url(other, "harvest", delivery.pk)).status_code == 404


def test_members_see_the_list_from_the_hour_on_the_farm_at_once_br_45(amap, client, delivery, time_machine):
    post(delivery, CARROTS)
    page = url(amap, "distribution", Distribution.objects.get(day=THURSDAY).pk)
    time_machine.move_to(BEFORE, tick=False)
    client.force_login(amap.member)
    assert "Carottes" not in client.get(page).content.decode()
    client.force_login(amap.farmer)
    assert "Carottes" in client.get(page).content.decode()
    time_machine.move_to(NOON, tick=False)
    client.force_login(amap.member)
    text = client.get(page).content.decode()
    assert "Carottes: <strong>1.5\xa0kg</strong>" in text
    assert "updated" not in text
    post(delivery, POTATOES, now=MORNING)
    assert "updated" in client.get(page).content.decode()


def test_the_board_says_origin_and_news_and_the_farms_quantities_the_totals_d7_d8(amap, client, offer, delivery):
    from io import BytesIO

    from pypdf import PdfReader

    offer.bought_in_allowed = True
    offer.save()
    lemons = {"product": "Citrons", "unit": "g", "total": 8400, "origin": "Menton"}
    post(delivery, CARROTS, lemons, news="Il gèle.")
    evening = Distribution.objects.get(day=THURSDAY)
    client.force_login(amap.farmer)

    def words(name):
        content = client.get(url(amap, name, evening.pk)).content
        return " ".join("".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())

    board = words("board_pdf")
    for said in ("Carottes", "1.5 kg", "750 g", "bought in from Menton", "Il gèle."):
        assert said in board
    quantities = words("quantities_pdf")
    for said in ("Part entière 31", "Demi-part 22", "Carottes 63 kg", "Provisional"):
        assert said in quantities


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [(1350, "g", "1.35\xa0kg"), (58_000, "g", "58\xa0kg"), (750, "g", "750\xa0g"), (1, "bunch", "1 bunch")],
)
def test_quantities_in_words(amount, unit, text):
    assert quantity_text(amount, unit) == text
    assert from_hundredths(to_hundredths(amount, unit), unit) == amount


def test_lists_are_read_in_one_query_whatever_their_number(offer, django_assert_num_queries):
    for rank in (9, 10):
        post(offer.deliveries.get(rank=rank), CARROTS, POTATOES, LETTUCES)
    deliveries = list(offer.deliveries.values_list("pk", flat=True))
    with django_assert_num_queries(1):
        read = lists_of(deliveries)
    assert {len(harvest.items) for harvest in read.values()} == {3}
