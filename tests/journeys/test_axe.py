"""Every page in a browser: nothing that axe finds wrong, no sideways scrolling on a phone, one first heading.

Each page in one language, the pages most used in both, and on a wide screen too.
"""

import os

import pytest
from django.urls import reverse

from tests.journeys.looks import check_axe, check_fits
from tests.test_access import GET, TABLE, address, visitor
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
PAGES = [line for line in TABLE if line[1] == GET and line[0] not in FILES and line[0] != "site:start"]
MOST_USED = [
    *(("member", name) for name in ("amap:home", "contracts:offer", "contracts:sign", "contracts:my_contracts")),
    *(("member", name) for name in ("contracts:my_payments", "deliveries:roster", "deliveries:distribution")),
    *(("farmer", name) for name in ("site:farm_desk", "deliveries:harvest", "contracts:farm_payments")),
    *(("treasurer", "contracts:payments"), ("lead", "deliveries:sheet"), ("committee", "amap:committee")),
]


@pytest.fixture
def world(transactional_db):
    return World()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_well_made(world, browse, language):
    rows = {line[0]: line for line in PAGES}
    visits = [(visitor(world, line), address(world, line[0], line[2])[0], 390) for line in PAGES[language == "fr" :: 2]]
    for name, route in MOST_USED:
        url, _form = address(world, route, rows[route][2])
        visits += [(world.people[name], url, width) for width in (390, 1280)]
    refused, missing = "/belombre/seats/", "/belombre/nowhere/"
    visits += [(None, reverse("account_login"), 390), (world.people["member"], refused, 390)]
    visits += [(world.people["member"], missing, 390)]

    windows, wrong = {}, []
    for user, url, width in dict.fromkeys(visits):
        window = (user and user.pk, width)
        if window not in windows:
            windows[window] = browse(user, width=width, language=language)
        page = windows[window]
        answer = page.goto(url)
        expected = {refused: 403, missing: 404}.get(url, 200) if user == world.people["member"] else 200
        assert (answer.status, page.get_attribute("html", "lang")) == (expected, language), url
        page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true })")
        for check in (check_axe, check_fits, check_headings):
            try:
                check(page)
            except AssertionError as one:
                wrong.append(f"{width} px, {user}: {one}")
    assert not wrong, "\n".join(wrong)


def check_headings(page):
    headings = page.locator("h1").all_inner_texts()
    assert len(headings) == 1, f"{page.url}: {headings}"
