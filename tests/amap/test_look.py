"""The look keeps its promises: light, no inline style or script, every icon drawn, figures drawn to scale."""

import gzip
import re
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.views.defaults import server_error

from amap import charts

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SOURCES = {path: re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.S) for path in TEMPLATES}


def found(name):
    return Path(finders.find(name)).read_bytes()


def test_what_a_first_visit_loads_stays_under_sixty_kilobytes():
    """The bar is 100 KB with the page itself (interface.md)."""
    files = ["amap/amap.css", "amap/amap.js", "amap/icons.svg", "amap/sprig.svg", "amap/favicon.svg"]
    files.append("django_htmx/htmx-2.min.js")
    assert sum(len(gzip.compress(found(name))) for name in files) <= 60_000


def test_our_style_sheet_calls_no_other_site():
    assert (
        re.findall(rb"(?:url\(|@import)\s*[\"']?(?:https?:)?//", found("amap/amap.css") + found("amap/print.css")) == []
    )


@pytest.mark.parametrize("inline", [r"\sstyle=", r"<style", r"\son[a-z]+=[\"']", r"<script(?![^>]*\bsrc=)", r"hx-on"])
def test_no_template_writes_style_or_script_into_the_page(inline):
    """The security policy refuses both, silently."""
    pages = {path: re.sub(r"{%.*?%}", "", text) for path, text in SOURCES.items()}
    assert [str(path.relative_to(settings.BASE_DIR)) for path, text in pages.items() if re.search(inline, text)] == []


def test_every_icon_asked_for_is_drawn():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', found("amap/icons.svg").decode()))
    asked = {
        name
        for text in SOURCES.values()
        for include in re.findall(r'{% include "ui/icon.html" with [^%]*%}', text)
        for name in re.findall(r'\bname="([\w-]+)"', include)
    } | {name for text in SOURCES.values() for name in re.findall(r'\b(?:action_)?icon="([\w-]+)"', text)}
    assert asked - drawn == set()


def test_every_icon_of_the_navigation_is_drawn():
    from amap.context import PLACES

    drawn = set(re.findall(r'<symbol id="([\w-]+)"', found("amap/icons.svg").decode()))
    assert {place.icon for place in PLACES} - drawn == set()


def test_bars_are_drawn_to_the_highest_figure_or_target():
    rows = charts.bars([{"value": 50, "target": 200}, {"value": 100}, {"value": -5}])
    assert [(row["percent"], row.get("second")) for row in rows] == [
        ("25.00", "100.00"),
        ("50.00", None),
        ("0.00", None),
    ]


def test_columns_of_months_say_the_year_where_it_begins():
    rows = charts.months({"month": date(2026 + n // 12, n % 12 + 1, 1), "value": n} for n in (10, 11, 12))
    assert [row["short"] for row in rows] == ["Nov 2026", "Dec", "Jan 2027"]
    assert [row["label"] for row in rows] == ["Nov 2026", "Dec 2026", "Jan 2027"]


def test_nothing_at_all_draws_nothing():
    assert charts.bars([{"value": 0}]) == [{"value": 0, "percent": "0"}]
    assert charts.stack([]) == []


def test_a_stack_lays_parts_end_to_end():
    rows = charts.stack([{"value": 1}, {"value": 2}, {"value": 1}])
    assert [(row["start"], row["percent"], row["tone"]) for row in rows] == [
        ("0.00", "25.00", 1),
        ("25.00", "50.00", 2),
        ("75.00", "25.00", 3),
    ]


def test_a_failure_has_its_page_even_before_the_static_files_are_collected(settings, rf, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    page = server_error(rf.get("/")).content.decode()
    assert "Quelque chose a cassé" in page
    assert "Something broke" in page
    linked = re.findall(r'href="/static/([^"]+)"', page)
    assert len(linked) == 2
    assert all(map(finders.find, linked))
