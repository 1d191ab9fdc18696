"""People write anything into any text: every page, paper, list, calendar and letter is made all the same, and shows it
as text (reliability.md R8 in small; T7, T8).
"""

import csv
import io

import pytest
import time_machine
from django.apps import apps
from django.db.models import CharField, TextField
from django.test import Client
from icalendar import Calendar
from lxml import html
from openpyxl import load_workbook

from amap import letters
from amap.lists import EXPORTS
from amap.models import Letter
from contracts.models import Delivery, Signature, Subscription
from deliveries.actions import harvests
from tests.cast import NOW
from tests.test_access import GET, POST, TABLE, address, visitor
from tests.world import World

# Begins a formula, then a script, a header, templates, a turn of the writing, a control character.
POISON = "=1+1<script>alert(1)</script>\r\nBcc: all@example.org {{ x }}{% y %}%s{0.x} \"'&amp; \u202egnp.exe 🥕👩‍🌾\x0b"
TYPED = {
    *("name", "title", "label", "unit", "product", "origin", "address", "city", "instructions", "description", "news"),
    *("legal_name", "contact_name", "payee", "certification", "practices", "file_name", "price_reason"),
    *("composition", "member_commitments", "farmer_commitments", "common_commitments", "hazard_clause", "note"),
    *("absence_clause", "shortage_rule", "termination_clause", "mediation_contact", "exceptional_reason", "bank"),
    *("drawer", "remarks", "collected_by", "volunteer"),
}
EMPTY = {"amap.Heartbeat"}  # the worker's, nobody types there


@pytest.fixture
def world(db):
    """One row of everything, every text that somebody types poisoned."""
    with time_machine.travel(NOW, tick=False):
        world = World()
        world.amap.offer(kind="by_date", title="Épicerie", status="open")
        harvests.post_harvest(
            Delivery.objects.get(pk=world.ids["delivery"]),
            items=[{"product": "Poireaux", "unit": "g", "total": 4000}],
            by=world.amap.farmer,
            now=NOW,
        )
        Signature.objects.create(
            subscription=Subscription.objects.get(), side="household", name="Mina", content_sha256="x", at=NOW
        )
        for model in apps.get_models():
            if model._meta.app_label in {"amap", "contracts", "deliveries"} and model._meta.label not in EMPTY:
                poison(model)
        yield world


def poison(model):
    for field in model._meta.fields:
        if field.name in TYPED and isinstance(field, CharField | TextField):
            for pk in model.objects.values_list("pk", flat=True):
                text = POISON[: (field.max_length or 10_000) - 6] + f" {pk}"
                model.objects.filter(pk=pk).update(**{field.name: text})


def got(world, line, query=""):
    client = Client()
    if user := visitor(world, line):
        client.force_login(user)
    answer = client.get(address(world, line[0], line[2])[0] + query)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code in {200, 302, 503}, line
    assert "Bcc" not in answer.headers
    return answer.headers.get("Content-Type", ""), body


def test_pages_show_it_as_text_and_paper_is_made(world):
    shown = 0
    for line in TABLE:
        if line[1] == POST or line[0] == "site:start":  # there only before the first association
            continue
        kind, body = got(world, line)
        if kind.startswith("text/html") and body:
            scripts = [script.text for script in html.fromstring(body).iter("script") if script.text]
            assert not any("alert(1)" in script for script in scripts), line
            shown += b"&lt;script&gt;alert(1)" in body
        elif kind == "application/pdf":
            assert body.startswith(b"%PDF-"), line
        elif kind.startswith("text/calendar"):
            calendar = Calendar.from_ical(body)
            assert len(calendar.walk("VEVENT")) == body.count(b"BEGIN:VEVENT") > 0
            assert b"\nBcc:" not in body
    assert shown > 40


def test_lists_hold_no_formula_and_no_line_too_many(world):
    line = next(line for line in TABLE if line[0] == "amap:export")
    for name, export in EXPORTS.items():
        for query, _label in export.files(world.amap.association):
            one = (line[0], GET, name, line[3])
            _kind, body = got(world, one, query)
            rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))
            assert not [cell for row in rows for cell in row if cell.lstrip()[:1] in {"=", "+", "-", "@"}], name
            assert {len(row) for row in rows} == {len(rows[0])}
            assert any("alert(1)" in cell for row in rows for cell in row), name
            _kind, book = got(world, one, f"{query}&format=xlsx")
            cells = [cell for row in load_workbook(io.BytesIO(book)).active.iter_rows() for cell in row]
            assert "f" not in {cell.data_type for cell in cells}, name
            assert max(cell.row for cell in cells) == len(rows)


def test_letters_get_no_header_and_leave_all(world):
    for line in TABLE:
        if line[1] == POST and (user := visitor(world, line)):
            client = Client()
            client.force_login(user)
            url, form = address(world, line[0], line[2])
            assert client.post(url, form).status_code < 500
    posted = list(Letter.objects.exclude(pk=world.ids["letter"]))
    assert len({letter.kind for letter in posted}) >= 4
    for letter in posted:
        message = letters.message([letter]).message()
        assert set(message) == {
            "Content-Type",
            "MIME-Version",
            "Content-Transfer-Encoding",
            "Subject",
            "From",
            "To",
        } | (set(message) & {"Date", "Message-ID"})
        assert "\n" not in str(message["Subject"]).replace("\n ", "")
    assert "Bcc" not in letters.message(posted).message()
