"""From the field to the evening's last basket, on a phone (items 6 and 7 of the first version)."""

from datetime import timedelta

import pytest
from django.conf import settings
from playwright.sync_api import expect

from amap import clock
from deliveries.actions import distributions, harvests
from deliveries.models import Basket, Distribution, HarvestItem
from tests.journeys.looks import check_axe, check_fits


@pytest.fixture
def season(amap):
    """Vegetables of a running season, delivered today, and five households."""
    offer = amap.offer(start=clock.today() - timedelta(weeks=3))
    offer.deliveries.filter(day=clock.today()).update(status="scheduled")
    whole, half = offer.sizes.all()
    for name, size in (("Ancel", whole), ("Bardot", half), ("Cendre", whole), ("Élan", half)):
        amap.subscribe(amap.new_household(name), offer, size=size)
    amap.subscribe(amap.household, offer)
    distributions.plan(amap.association, today=clock.today())
    return offer


@pytest.fixture
def evening(amap, season):
    return Distribution.objects.get(day=clock.today())


@pytest.mark.parametrize("javascript", [True, False])
def test_a_farmer_posts_the_harvest_from_the_field(amap, browse, season, javascript):
    before = season.deliveries.get(day=clock.today() - timedelta(weeks=1))
    season.deliveries.filter(pk=before.pk).update(status="scheduled")
    harvests.post_harvest(before, items=[{"product": "Poireaux", "unit": "g", "total": 4000}], by=None, now=clock.now())
    delivery = season.deliveries.get(day=clock.today())
    page = browse(amap.farmer, width=390, javascript=javascript)
    page.goto(f"/belombre/deliveries/{delivery.pk}/harvest/")
    check_fits(page)
    if javascript:
        check_axe(page)
    expect(page.get_by_label("Product", exact=True).first).to_have_value("Poireaux")
    page.get_by_label("How much").first.fill("8,4")
    page.get_by_label("Product", exact=True).nth(1).fill("Salade")
    page.get_by_label("How much").nth(1).fill("1")
    page.get_by_label("Counted in").nth(1).select_option("pieces")
    page.get_by_label("That is").nth(1).select_option("per whole share")
    if not javascript:
        page.get_by_role("button", name="Compute").click()
    shares = page.locator("#shares")
    expect(shares.get_by_role("row", name="Poireaux")).to_contain_text("2.1\u00a0kg")
    expect(shares.get_by_role("row", name="Salade")).to_contain_text("5")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("The list is there for everybody")).to_be_visible()
    expect(page.get_by_text("2 varieties")).to_be_visible()
    assert list(HarvestItem.objects.filter(harvest_list__delivery=delivery).values_list("product", "total")) == [
        ("Poireaux", 8400),
        ("Salade", 5),
    ]


@pytest.mark.parametrize("javascript", [True, False])
def test_ticking_the_list_at_the_door(amap, browse, evening, javascript):
    page = browse(amap.lead, width=390, javascript=javascript)
    page.goto(f"/belombre/distributions/{evening.pk}/sheet/")
    page.get_by_text("Fix the list now").click()
    page.get_by_role("button", name="Fix the list").click()
    expect(page.get_by_text("0 of 5 households")).to_be_visible()
    check_fits(page)
    if javascript:
        check_axe(page)
    page.get_by_role("button", name="Ancel").click()
    expect(page.get_by_text("1 of 5 households")).to_be_visible()
    page.get_by_role("button", name="Bardot").click()
    expect(page.get_by_text("2 of 5 households")).to_be_visible()
    page.get_by_role("button", name="Undo Bardot").click()
    expect(page.get_by_text("1 of 5 households")).to_be_visible()
    page.get_by_label("Look for a household").fill("elan")
    if not javascript:
        page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("button", name="Cendre")).to_have_count(0)
    page.get_by_role("link", name="More about Élan").click()
    page.get_by_label("Collected by").fill("Zoé")
    check_fits(page)
    page.get_by_role("button", name="Tick").click()
    expect(page.get_by_text("for them: Zoé")).to_be_visible()
    assert set(Basket.objects.filter(outcome="collected").values_list("household__name", flat=True)) == {
        "Ancel",
        "Élan",
    }


@pytest.fixture
def door(amap, browse, evening):
    """The sheet on the phone of whoever holds the table, its list fixed."""
    page = browse(amap.lead, width=390)
    page.goto(f"/belombre/distributions/{evening.pk}/sheet/")
    page.get_by_text("Fix the list now").click()
    page.get_by_role("button", name="Fix the list").click()
    expect(page.get_by_text("0 of 5 households")).to_be_visible()
    page.wait_for_load_state()
    return page


def tap(page, *names):
    for name in names:
        page.get_by_role("button", name=name).click()


def came():
    return set(Basket.objects.filter(outcome="collected").values_list("household__name", flat=True))


def test_ticks_without_network_wait_on_the_phone_and_arrive_br_52(door):
    door.context.set_offline(True)
    tap(door, "Ancel")
    expect(door.get_by_text("No network: what you tick is kept on this phone")).to_be_visible()
    tap(door, "Bardot", "Cendre")
    expect(door.locator(".sign.unsent")).to_have_count(3)
    tap(door, "Cendre")
    expect(door.locator(".sign.unsent")).to_have_count(2)
    check_axe(door)
    assert came() == set()
    door.context.set_offline(False)
    expect(door.get_by_text("2 of 5 households")).to_be_visible()
    expect(door.locator(".sign.unsent")).to_have_count(0)
    expect(door.get_by_text("No network")).to_be_hidden()
    assert came() == {"Ancel", "Bardot"}


def test_a_tick_that_waits_is_taken_back_even_when_the_network_is_there_again_br_52(door):
    door.route("**/collect/", lambda route: route.abort())
    tap(door, "Ancel", "Bardot")
    expect(door.locator(".sign.unsent")).to_have_count(2)
    door.unroute("**/collect/")
    tap(door, "Ancel")
    expect(door.locator(".sign.unsent")).to_have_count(1)
    door.evaluate("dispatchEvent(new Event('online'))")
    expect(door.get_by_text("1 of 5 households")).to_be_visible()
    assert came() == {"Bardot"}


def test_a_tick_the_network_swallowed_is_kept_too_br_52(door):
    door.evaluate("htmx.config.timeout = 200")
    door.route("**/collect/", lambda route: None)
    tap(door, "Ancel")
    expect(door.locator(".sign.unsent")).to_have_count(1)


def test_ticks_outlive_signing_in_again_br_52(door):
    door.route("**/collect/", lambda route: route.abort())
    tap(door, "Ancel")
    expect(door.locator(".sign.unsent")).to_have_count(1)
    # Signing in changes this cookie: what the open page sends is refused from then on.
    door.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    door.unroute("**/collect/")
    door.evaluate("dispatchEvent(new Event('online'))")
    expect(door.get_by_text("1 of 5 households")).to_be_visible()
    assert came() == {"Ancel"}


def test_ticks_that_come_too_late_are_named_br_52(door, evening):
    door.route("**/collect/", lambda route: route.abort())
    tap(door, "Ancel", "Bardot")
    expect(door.locator(".sign.unsent")).to_have_count(2)
    Distribution.objects.filter(pk=evening.pk).update(status="closed")
    door.unroute("**/collect/")
    door.evaluate("dispatchEvent(new Event('online'))")
    expect(door.get_by_text("not recorded, since the list no longer changes: Ancel, Bardot")).to_be_visible()
    expect(door.get_by_text("No network")).to_be_hidden()


def test_pages_of_the_evening_read_well(amap, browse, season, evening):
    delivery = season.deliveries.get(day=clock.today())
    rows = [{"product": name, "unit": "g", "total": total} for name, total in (("Carottes", 6000), ("Navets", 4000))]
    harvests.post_harvest(delivery, items=rows, news="Premières gelées.", by=amap.farmer, now=clock.now())
    lead = f"/belombre/distributions/{evening.pk}"
    for width in (390, 1280):
        for user, paths in (
            (amap.member, ("/belombre/distributions/", f"{lead}/")),
            (amap.lead, (f"{lead}/", f"{lead}/sheet/", f"{lead}/quantities/", f"{lead}/move/", f"{lead}/close/")),
        ):
            page = browse(user, width=width)
            for path in paths:
                page.goto(path)
                check_fits(page)
                check_axe(page)
