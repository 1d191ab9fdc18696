"""Whole stories in a real browser, against a real server, on both databases.

from tests.journeys.looks import check_axe, check_fits

def test_something(browse, amap):
    page = browse(amap.member, width=390)  # signed in, on a phone; javascript=False to go without
    page.goto("/belombre/")
    check_axe(page)
"""

import os
import shutil
import sys
from ctypes.util import find_library

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from tests.cast import Amap

QUIET = ("background-networking", "component-update", "quic", "sync")
PATIENCE = 30_000  # milliseconds: a busy machine is no reason to fail
ARGUMENTS = ["--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in QUIET)]


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium. Without one the journeys are skipped, but never in CI."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    # Playwright's own driver needs a library that a small Debian lacks.
    if program is None or (sys.platform == "linux" and not find_library("atomic")):
        reason = "No Chromium here. To run the journeys: sudo apt-get install chromium libatomic1"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def amap(transactional_db):
    """The cast, visible to the server's own connections."""
    return Amap()


@pytest.fixture
def browse(chromium, live_server):
    """Opens a page as somebody (None: a stranger), at a width in pixels; scripts that fail fail the test."""
    contexts, problems = [], []

    def open_page(user=None, *, width=1280, javascript=True, language="en"):
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 844 if width < 600 else 900},
            java_script_enabled=javascript,
            locale=language,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if user:
            client = Client()
            client.force_login(user)
            cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": n, "value": v, "url": live_server.url} for n, v in cookies.items()])
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: _note(message, problems))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems, problems


def _note(message, problems):
    # A refusal (4xx) and a network that is gone are for the journey itself to look at; everything else is ours to mend.
    expected = ("Failed to load resource", "htmx:sendError", "htmx:timeout", "htmx:afterRequest")
    if message.type == "error" and not message.text.startswith(expected):
        problems.append(message.text)
