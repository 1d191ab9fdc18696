"""Every page in a browser: nothing that axe finds wrong, no sideways scrolling on a phone, one first heading.

Each page in both languages, the pages most used on a wide screen too.
"""

import os

import pytest
from django.urls import reverse

from tests.journeys.looks import check_axe, check_fits
from tests.test_access import POST, TABLE, address, visitor
from tests.world import World

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") == "postgresql", reason="Looks do not depend on the database."),
]
FILES = {
    *("amap:export", "amap:import_example", "contracts:accounts_csv", "site:feed", "site:health", "contracts:blank"),
    *("contracts:price_note", "contracts:deposit_slip", "contracts:schedule", "contracts:document"),
    *(line[0] for line in TABLE if line[0].endswith("_pdf")),
}
PAGES = [line for line in TABLE if line[1] != POST and line[0] not in FILES and line[0] != "site:start"]
MOST_USED = [
    *(("member", name) for name in ("amap:home", "contracts:offer", "contracts:sign", "contracts:my_contracts")),
    *(("member", name) for name in ("contracts:my_payments", "deliveries:roster", "deliveries:distribution")),
    *(("farmer", name) for name in ("site:farm_desk", "deliveries:harvest", "contracts:farm_payments")),
    *(("treasurer", "contracts:payments"), ("lead", "deliveries:sheet"), ("committee", "amap:committee")),
]


REFUSED, MISSING = "/belombre/seats/", "/belombre/nowhere/"
# (route or address, who looks, how wide)
VISITS = [
    *((line[0], "", [390]) for line in PAGES),
    *((route, name, [390, 1280]) for name, route in MOST_USED),
    *(("account_login", None, [390]), (REFUSED, "member", [390]), (MISSING, "member", [390])),
]
PARTS = 4


@pytest.fixture
def world(transactional_db):
    return World()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_well_made(world, browse, language, part):
    rows = {line[0]: line for line in PAGES}
    windows, wrong = {}, []
    for route, name, widths in VISITS[part::PARTS]:
        line = rows.get(route)
        user = visitor(world, line) if name == "" else world.people.get(name)
        url = address(world, route, line[2])[0] if line else route if "/" in route else reverse(route)
        if user not in windows:
            windows[user] = browse(user, language=language)
        page = windows[user]
        page.set_viewport_size({"width": widths[0], "height": 844})
        answer = page.goto(url)
        expected = {REFUSED: 403, MISSING: 404}.get(route, 200)
        assert (answer.status, page.get_attribute("html", "lang")) == (expected, language), url
        page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true })")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 844})
            for check in (check_axe, check_fits, check_headings):
                try:
                    check(page)
                except AssertionError as one:
                    wrong.append(f"{width} px, {user}: {one}")
    assert not wrong, "\n".join(wrong)


def check_headings(page):
    headings = page.locator("h1").all_inner_texts()
    assert len(headings) == 1, f"{page.url}: {headings}"
