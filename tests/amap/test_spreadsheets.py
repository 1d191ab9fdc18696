import codecs
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
import xlsxwriter
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from amap import spreadsheets
from amap.errors import Refused

LIST = "Nom;Prénom;Cotisation\r\nLefèvre;Noël;20,00\r\nD’Œuf;;12,50\r\n"
ROWS = [["Nom", "Prénom", "Cotisation"], ["Lefèvre", "Noël", "20,00"], ["D’Œuf", None, "12,50"]]


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


def rows_of(data, filename="list.csv"):
    (sheet,) = spreadsheets.read(data, filename)
    return sheet.rows


def workbook(fill):
    answer = io.BytesIO()
    made = xlsxwriter.Workbook(answer, {"in_memory": True})
    fill(made)
    made.close()
    return answer.getvalue()


def ods(rows):
    """A small OpenDocument spreadsheet; a row is the XML of its cells."""
    spaces = "".join(
        f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    answer = io.BytesIO()
    with zipfile.ZipFile(answer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind, zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content{spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="Foyers">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return answer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_csv_is_read_whatever_wrote_it(encoding):
    assert rows_of(LIST.encode(encoding)) == ROWS


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_the_one_that_cuts_regularly(delimiter):
    quoted = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line.split(";")) for line in LIST.strip().split("\r\n"))
    assert rows_of(quoted.encode()) == ROWS


def test_decimal_commas_do_not_mislead():
    assert rows_of(b"Pain;Prix\n1 kg;6,40\n500 g;3,40\n") == [["Pain", "Prix"], ["1 kg", "6,40"], ["500 g", "3,40"]]
    assert rows_of(b"Prix\n6\n3\n") == [["Prix"], ["6"], ["3"]]


def test_the_delimiter_excel_names_is_believed():
    assert rows_of(b"sep=,\r\na,b;c\r\nd,e\r\n") == [[None, None], ["a", "b;c"], ["d", "e"]]


def test_blank_rows_are_kept_so_that_numbers_stay_true_and_empty_margins_dropped():
    assert rows_of(b"Liste;;\n\nA;1;\n\n;;\n") == [["Liste", None], [None, None], ["A", "1"]]


def test_invisible_signs_are_not_kept():
    assert rows_of("Nom;\u200bYann\u200b\nLe\u00a0Goff;Ma\u00adrie\n".encode()) == [
        ["Nom", "Yann"],
        ["Le Goff", "Marie"],
    ]


def test_a_cell_may_hold_two_lines():
    assert rows_of(b'Nom;Note\n"A";"un\ndeux"\n')[1] == ["A", "un\ndeux"]


def test_a_workbook_is_read_sheet_by_sheet():
    def fill(made):
        page = made.add_worksheet("Foyers")
        page.write_row(1, 1, ["Prénom", 12, 21.5, True])
        page.write_datetime(2, 1, datetime(2026, 4, 2), made.add_format({"num_format": "dd/mm/yyyy"}))
        page.write_datetime(2, 2, datetime(2026, 4, 2, 18, 30), made.add_format({"num_format": "dd/mm/yyyy hh:mm"}))
        made.add_worksheet("Vide")
        made.add_worksheet("Autre").write(0, 0, "x")
        hidden = made.add_worksheet("Cachée")
        hidden.write(0, 0, "secret")
        hidden.hide()

    foyers, other = spreadsheets.read(workbook(fill), "list.xlsx")
    assert foyers.name == "Foyers"
    assert foyers.rows == [
        [None, None, None, None, None],
        [None, "Prénom", 12, 21.5, 1],
        [None, date(2026, 4, 2), "2026-04-02 18:30", None, None],
    ]
    assert (other.name, other.rows) == ("Autre", [["x"]])


def test_an_opendocument_is_read_with_its_endless_empty_rows():
    rows = [
        '<table:table-cell office:value-type="string"><text:p>Prénom</text:p></table:table-cell>'
        '<table:table-cell office:value-type="float" office:value="12"/>'
        '<table:table-cell office:value-type="date" office:date-value="2026-04-02"/>',
        '<table:table-cell table:number-columns-repeated="16384"/>',
    ]
    assert rows_of(ods(rows), "list.ods") == [["Prénom", 12, date(2026, 4, 2)]]


@pytest.mark.parametrize("last", [(1_048_575, 16_383), (1_048_575, 30)])
def test_a_cell_far_away_does_not_bring_the_server_down(last):
    def fill(made):
        page = made.add_worksheet()
        page.write(0, 0, "x")
        page.write(*last, "y")

    with pytest.raises(Refused, match="too large: 20000 rows and 300 columns"):
        spreadsheets.read(workbook(fill), "bomb.xlsx")


def test_a_cell_repeated_without_end_is_refused():
    cell = '<table:table-cell office:value-type="string" table:number-columns-repeated="16384"><text:p>x</text:p>'
    with pytest.raises(Refused, match="too large"):
        spreadsheets.read(ods([f"{cell}</table:table-cell>"] * 2000), "bomb.ods")


def test_an_archive_that_unpacks_to_gigabytes_is_refused():
    answer = io.BytesIO()
    with zipfile.ZipFile(answer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 151_000_000)
    assert len(answer.getvalue()) < 200_000
    with pytest.raises(Refused, match="too large"):
        spreadsheets.read(answer.getvalue(), "bomb.xlsx")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty."),
        (b";;\n;;\n", "The file is empty."),
        (b"a" * 5_000_001, "The file is larger than 5 MB."),
        (b"x\n" * 20_001, "The list is too large: 20000 rows and 300 columns at most."),
        (b";".join([b"x"] * 301), "The list is too large: 20000 rows and 300 columns at most."),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00\x01", "This file is not a list we can read."),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This file is not a list we can read."),
        (b"PK\x03\x04 cut short", "This file is not a list we can read."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 cut short", "This file is not a list we can read."),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1200 + "EncryptedPackage".encode("utf-16-le"),
            "The file is protected by a password.",
        ),
        (b"%PDF-1.4\nof printable signs only\n", "This file is not a list we can read."),
        (rb"{\rtf1\ansi Nom}", "This file is not a list we can read."),
        (b"<html><table><tr><td>Nom</td></tr></table></html>", "This file is not a list we can read."),
        (b"x" * 200_000, "This file is not a list we can read."),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(data, message):
    with pytest.raises(Refused) as refused:
        spreadsheets.read(data, "list.csv")
    assert str(refused.value).startswith(message)


def test_a_protected_opendocument_asks_for_one_without_password():
    answer = io.BytesIO()
    with zipfile.ZipFile(answer, "w") as archive:
        archive.writestr("content.xml", b"\x8e\x01secret")
        archive.writestr("META-INF/manifest.xml", "<manifest:encryption-data/>")
    with pytest.raises(Refused, match="protected by a password"):
        spreadsheets.read(answer.getvalue(), "list.ods")


def test_another_archive_is_no_list():
    answer = io.BytesIO()
    with zipfile.ZipFile(answer, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(Refused, match="not a list we can read"):
        spreadsheets.read(answer.getvalue(), "letter.docx")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_refused(data):
    try:
        sheets = spreadsheets.read(b"x" + data, "list.csv")
    except Refused:
        return
    assert all(len(row) == len(sheet.rows[0]) for sheet in sheets for row in sheet.rows)


# What a cell means


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Prénom Nom ", "prenom nom"),
        ("E-MAIL n°2", "e mail n 2"),
        ("Œufs (douzaine)", "oeufs douzaine"),
        ("Tél.\u00a0portable", "tel portable"),
        ("  ", ""),
    ],
)
def test_headings_are_compared_without_accents_and_signs(text, folded):
    assert spreadsheets.fold(text) == folded


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1 234,5", "1234.5"), ("12", "12"), (12, "12"), (0.5, "0.5"), ("-3", "-3"), ("", None), (None, None)],
)
def test_numbers_are_read_with_their_comma(cell, number):
    assert spreadsheets.as_number(cell) == (number and Decimal(number))


@pytest.mark.parametrize("cell", ["douze", "1e5", "1.234,5", float("nan"), date(2026, 4, 2), "٣"])
def test_what_is_no_number_is_refused(cell):
    with pytest.raises(Refused, match="is not a number"):
        spreadsheets.as_number(cell)


@pytest.mark.parametrize(
    ("cell", "quantity"), [(None, 0), ("", 0), ("x", 1), ("X ", 1), ("oui", 1), ("2", 2), (3.0, 3)]
)
def test_a_grid_is_filled_with_numbers_or_crosses(cell, quantity):
    assert spreadsheets.as_quantity(cell) == quantity


@pytest.mark.parametrize("cell", ["1,5", -1, "-2"])
def test_a_quantity_is_whole(cell):
    with pytest.raises(Refused, match="is not a whole quantity"):
        spreadsheets.as_quantity(cell)


@pytest.mark.parametrize(
    ("cell", "cents"), [("21,50 €", 2150), (21.5, 2150), (20, 2000), (0.1 + 0.2, 30), ("0", 0), (None, None)]
)
def test_amounts_are_read_to_the_cent(cell, cents):
    assert spreadsheets.as_cents(cell) == cents


@pytest.mark.parametrize(
    "cell",
    [
        date(2026, 4, 2),
        46114,
        46114.0,
        "02/04/2026",
        "2/4/26",
        "2-4-2026",
        "02.04.2026",
        "2026-04-02",
        "2026-04-02T18:30",
        "02/04/2026 18:30",
        "2 avril 2026",
        "Jeudi 2 AVRIL 2026",
        "le 2 avr. 2026",
        "mar. 02/04/2026",
    ],
)
def test_a_day_is_read_as_people_and_excel_write_it(cell):
    assert spreadsheets.as_date(cell) == date(2026, 4, 2)


@pytest.mark.parametrize(
    ("cell", "day"),
    [("02/04", "2026-04-02"), ("7 janv.", "2027-01-07"), ("1er août", "2026-08-01"), ("mar. 2 mars", "2027-03-02")],
)
def test_a_day_without_year_lies_within_the_season(cell, day):
    assert spreadsheets.as_date(cell, (date(2026, 4, 2), date(2027, 3, 25))).isoformat() == day


@pytest.mark.parametrize(
    "cell", ["31/06/2026", "02/04", "demain", "01/01/1812", 12, "2026", "9" * 5000, float("inf"), "1/2/" + "9" * 30]
)
def test_what_is_no_day_is_refused(cell):
    with pytest.raises(Refused, match=r"is not a date\. Example: 02/04/2026\."):
        spreadsheets.as_date(cell)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("12/09/2019", "2019-09-12"),
        ("09/2021", "2021-09-01"),
        ("sept-19", "2019-09-01"),
        ("Mars 2021", "2021-03-01"),
        ("2019", "2019-01-01"),
        (2019, "2019-01-01"),
        (46114, "2026-04-02"),
    ],
)
def test_a_beginning_may_be_a_month_or_a_year(cell, day):
    assert spreadsheets.as_beginning(cell).isoformat() == day


@pytest.mark.parametrize("cell", ["12/11", "13/2020", "truc 2020", "1812", "août 7"])
def test_what_is_no_beginning_is_refused(cell):
    with pytest.raises(Refused, match=f"“{cell}” is not a date"):
        spreadsheets.as_beginning(cell)


def test_a_day_outside_the_season_is_refused_and_no_day_is_none():
    with pytest.raises(Refused, match="is not a date"):
        spreadsheets.as_date("26/03", (date(2026, 4, 2), date(2027, 3, 25)))
    assert spreadsheets.as_date(None) is None


# Writing

HEADERS = ["Foyer", "Montant", "Le", "Nombre"]
POISON = ["=1+1", "+33 1", "-2", "@x", "\t=1", "  =1", "\rx", '=HYPERLINK("http://example.org")', "'=1"]


def test_a_csv_opens_in_french_excel():
    row = ["Lefèvre; Noël", spreadsheets.euros_number(-2150), date(2026, 4, 2), 3]
    data = b"".join(spreadsheets.write_csv(HEADERS, [row, [None, 0.5, datetime(2026, 4, 2, 18, 30, tzinfo=UTC), True]]))
    assert data.startswith(codecs.BOM_UTF8)
    assert data.decode("utf-8-sig").split("\r\n") == [
        '"Foyer";"Montant";"Le";"Nombre"',
        '"Lefèvre; Noël";"-21,50";"02/04/2026";"3"',
        '"";"0,5";"02/04/2026 18:30";"1"',
        "",
    ]


@pytest.mark.parametrize("poison", POISON)
def test_a_text_is_never_a_formula_in_csv(poison):
    data = b"".join(spreadsheets.write_csv(["Nom", "n"], [[poison, 1]])).decode("utf-8-sig")
    assert data.split("\r\n", 1)[1].startswith("\"'")
    assert rows_of(data.encode())[1][0] == poison.strip().removeprefix("'" if poison == "'=1" else "")


@pytest.mark.parametrize("poison", POISON)
def test_a_text_is_never_a_formula_in_xlsx(poison):
    page = openpyxl.load_workbook(io.BytesIO(spreadsheets.write_xlsx(["Nom"], [[poison]]))).active
    assert (page["A2"].data_type, page["A2"].hyperlink) == ("s", None)


def test_an_xlsx_holds_true_dates_and_numbers():
    moment = datetime(2026, 4, 2, 18, 30, tzinfo=UTC)
    rows = [["Noël\x00", spreadsheets.euros_number(2150), date(2026, 4, 2), 3], [None, None, moment, None, "beyond"]]
    page = openpyxl.load_workbook(io.BytesIO(spreadsheets.write_xlsx(HEADERS, rows, "Foyers: 2026/27"))).active
    assert page.title == "Foyers  2026 27"
    assert [cell.value for cell in page[1]][:4] == HEADERS
    assert [cell.value for cell in page[2]][:4] == ["Noël", 21.5, datetime(2026, 4, 2), 3]
    assert page["C3"].value == datetime(2026, 4, 2, 18, 30)
    assert page.freeze_panes == "A2"


def test_an_empty_list_still_has_its_headings():
    assert b"".join(spreadsheets.write_csv(HEADERS, [])).decode("utf-8-sig") == '"Foyer";"Montant";"Le";"Nombre"\r\n'
    assert rows_of(spreadsheets.write_xlsx(HEADERS, []), "list.xlsx") == [HEADERS]


CELLS = st.one_of(
    st.none(),
    st.integers(-(10**9), 10**9),
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=20),
)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_what_is_written_is_read_back(rows):
    def told(rows):
        return [[spreadsheets.as_text(cell).replace("\u00a0", " ").lstrip("'") for cell in row] for row in rows]

    data = b"".join(spreadsheets.write_csv(["a", "b"], rows))
    as_dates = [[f"{cell:%d/%m/%Y}" if isinstance(cell, date) else cell for cell in row] for row in rows]
    while as_dates and not any(spreadsheets.as_text(cell).strip("'") for cell in as_dates[-1]):
        as_dates.pop()
    assert told(rows_of(data)[1:])[: len(as_dates)] == told(as_dates)


def test_a_long_list_is_written_in_pieces():
    pieces = list(spreadsheets.write_csv(["n"], ([n] for n in range(1200))))
    assert len(pieces) == 4
    assert len(rows_of(b"".join(pieces))) == 1201
