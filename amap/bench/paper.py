"""What paper costs, beside fpdf2 drawing the same pages cell by cell (P12, P13)."""

import resource
from datetime import date, time
from types import SimpleNamespace

from django.utils.html import format_html_join

from amap import clock, pdf
from amap.bench import meters
from contracts import documents, wording
from contracts.tasks import contract_pdf

DAY = date(2026, 4, 2)


def figures(content, rounds):
    """Lines to print: the sign-in sheet of 60 and 300 rows, a contract of that content, the memory of a hundred."""
    rounds = max(3, rounds // 3)
    content = content | {"clauses": wording.TERMS}
    ms, ratio = meters.in_turn(lambda: sheet(60), lambda: drawn_sheet(60), rounds)
    yield f"sign-in sheet, 60 rows: {ms:.0f} ms, {ratio:.1f}× fpdf2"
    ms, ratio = meters.in_turn(lambda: sheet(300), lambda: sheet(60), rounds)
    yield f"sign-in sheet, 300 rows: {ms:.0f} ms, {ratio:.1f}× the 60"
    ms, ratio = meters.in_turn(lambda: contract_pdf(content), lambda: drawn_contract(content), rounds)
    yield f"contract in {len(content['instalments'])} instalments: {ms:.0f} ms, {ratio:.2f}× fpdf2"
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
    """The same sheet by hand."""
    paper = _paper("Feuille d'émargement")
    paper.texts("Préau, 18 h 30 – 19 h 45. Imprimé le 2 avril 2026.")
    paper.table((60, 60, 60), [(f"Foyer {n:03d} H-{n:03d}", "1 × part entière", "") for n in range(count)], height=11)
    for title, rows in (("En tout", 1), ("Volontaires", 2), ("Fermes", 1), ("Restes", 2), ("Remarques", 2)):
        paper.heading(title)
        paper.table((80, 50, 50), [("", "", "")] * rows)
    return paper.output()


def drawn_contract(content):
    """The same contract by hand: its words, its tables and its headings."""
    paper = _paper("Contrat d'engagement solidaire")
    printed = documents.on_paper(content)
    for part in ("farm", "household", "association"):
        paper.heading(part)
        paper.texts(", ".join(text for text in _texts(content[part])))
    paper.heading("L'objet")
    paper.texts(content["charter"])
    paper.heading("La saison et les livraisons")
    paper.texts(*(f"{month} : {days}" for month, days in printed["months"]))
    paper.heading("La part et son prix")
    names = ("label", "quantity", "unit_price_cents", "deliveries", "total_cents")
    prices = [[str(line[name]) for name in names] for line in printed["price_lines"]]
    paper.table((70, 25, 30, 30, 25), [names, *prices, ("Total", "", "", "", "")])
    paper.heading("Les règlements")
    payments = [(str(one["number"]), "chèque", "", "", "", one["day"], "84,00") for one in printed["payment_lines"]]
    paper.table((10, 18, 36, 18, 36, 36, 26), [("N°", "Moyen") + ("Banque",) * 5, *payments, ("Total",) + ("",) * 6])
    for name, text in [*content["clauses"].items(), *content["legal"]]:
        paper.heading(name)
        paper.texts(text)
    paper.heading("Signatures")
    paper.table((60, 60, 60), [("Pour le foyer", "Pour la ferme", "Pour l'association")], height=20)
    return paper.output()


def _paper(title):
    """A hand-drawn sheet of the same kind: the same three typefaces, a line at the head and foot of each page."""
    from fpdf import FPDF

    class Paper(FPDF):
        def header(self):
            self.set_font("Sans", size=9)
            self.cell(0, 9, f"AMAP du banc d'essai – {title}", new_x="LMARGIN", new_y="NEXT")

        def footer(self):
            self.set_y(-15)
            self.cell(0, 9, f"{self.page_no()} / {{nb}}", align="R")

        def heading(self, text):
            self.set_font("Serif", size=11.5)
            self.cell(0, 8, text, new_x="LMARGIN", new_y="NEXT")

        def texts(self, *texts):
            self.set_font("Sans", size=9)
            for text in texts:
                self.multi_cell(0, 4.2, text, new_x="LMARGIN", new_y="NEXT", align="L")

        def table(self, widths, rows, height=7):
            for row in rows:
                self.set_font("Bold", size=9)
                for width, text in zip(widths, row, strict=True):
                    self.cell(width, height, text, border="B")
                    self.set_font("Sans", size=9)
                self.ln()

    paper = Paper()
    for family, name in (("Sans", "DejaVuSans"), ("Bold", "DejaVuSans-Bold"), ("Serif", "DejaVuSerif-Bold")):
        paper.add_font(family, fname=f"/usr/share/fonts/truetype/dejavu/{name}.ttf")
    paper.add_page()
    paper.heading(title)
    return paper


def _texts(value):
    """Every piece of text in a nest of dicts and lists."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return [str(value)] if value else []
    return [text for one in value for text in _texts(one)]
