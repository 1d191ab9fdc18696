"""What paper costs, beside fpdf2 drawing the same rows cell by cell (P12, P13)."""

import resource
from datetime import date, time
from types import SimpleNamespace

from django.utils.html import format_html_join

from amap import clock, pdf
from amap.bench import meters
from contracts.tasks import contract_pdf

DAY = date(2026, 4, 2)


def figures(content, rounds):
    """Lines to print: the sign-in sheet of 60 and 300 rows, a contract of that content, the memory of a hundred."""
    rounds = max(3, rounds // 3)
    ms, ratio = meters.in_turn(lambda: sheet(60), lambda: drawn_sheet(60), rounds)
    yield f"sign-in sheet, 60 rows: {ms:.0f} ms, {ratio:.1f}× fpdf2"
    ms, ratio = meters.in_turn(lambda: sheet(300), lambda: sheet(60), rounds)
    yield f"sign-in sheet, 300 rows: {ms:.0f} ms, {ratio:.1f}× the 60"
    ms, ratio = meters.in_turn(lambda: contract_pdf(content), lambda: drawn_contract(content), rounds)
    yield f"contract: {ms:.0f} ms, {ratio:.2f}× fpdf2"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _copy in range(100):
        contract_pdf(content)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield f"a hundred contracts: {more:.0f} MB more at the peak"


def sheet(count):
    """The sign-in sheet (D6) of an evening with `count` households and one delivery."""
    rows = ((f"Foyer {n:03d}", f"H-{n:03d}", "1 × part entière") for n in range(count))
    context = {
        "evening": SimpleNamespace(
            day=DAY, place=SimpleNamespace(name="Préau"), opens_at=time(18, 30), closes_at=time(19, 45), is_locked=True
        ),
        "association_name": "AMAP du banc d'essai",
        "day": DAY,
        "deliveries": [SimpleNamespace(title="Légumes", farm="Ferme des Saules")],
        "rows": format_html_join("", '<tr><th>{} <small>{}</small></th><td>{}</td><td class="sign"></td></tr>', rows),
        "households": count,
        "printed_at": clock.now(),
    }
    return pdf.render("print/sign_in_sheet.html", context, language="fr")


def drawn_sheet(count):
    """The same rows by hand."""
    paper = _paper()
    for n in range(count):
        for width, text in ((60, f"Foyer {n:03d} H-{n:03d}"), (70, "1 × part entière"), (50, "")):
            paper.cell(width, 9, text, border=1)
        paper.ln()
    return paper.output()


def drawn_contract(content):
    """The contract's own words and tables by hand, once for each copy."""
    paper = _paper()
    texts = [text for text in _texts(content) if len(text) > 3]
    for _copy in range(content["copies"]):
        paper.add_page()
        for text in texts:
            paper.multi_cell(0, 5, text, new_x="LMARGIN", new_y="NEXT", align="J")
        for one in content["instalments"]:
            for width, text in ((20, str(one.get("number", ""))), (60, str(one["on"])), (60, "84,00"), (40, "")):
                paper.cell(width, 7, text, border=1)
            paper.ln()
    return paper.output()


def _paper():
    from fpdf import FPDF

    paper = FPDF()
    paper.add_font("DejaVu", fname="/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    paper.set_font("DejaVu", size=10)
    paper.add_page()
    return paper


def _texts(value):
    """Every piece of text in a nest of dicts and lists."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return [str(value)] if value else []
    return [text for one in value for text in _texts(one)]
