"""Lists as people keep them: reading CSV, XLSX, ODS and XLS, and writing CSV and XLSX that open well in French Excel.

`read` answers rows of cells as they stand in the file; `as_text`, `as_number`, `as_quantity`, `as_cents` and `as_date`
say what one cell means, and refuse in words what it cannot mean.
"""

import codecs
import csv
import io
import json
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from amap.errors import Refused
from amap.euros import parse_cents

Cell = str | int | float | date | None

MOST_BYTES = 5_000_000
MOST_UNPACKED_BYTES = 150_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 300


# Reading


@dataclass(frozen=True)
class Sheet:
    """A sheet's rows, all of the same length, blank ones included: row `n` of the file is `rows[n - 1]`."""

    name: str
    rows: list[list[Cell]]


def read(data: bytes, filename: str) -> list[Sheet]:
    """The visible sheets of a file that have anything in them; a CSV file is one sheet, named after the file.

    What the file is, is seen from its bytes: CSV (`;`, `,` or tab; UTF-8, UTF-16 or Windows encoding), XLSX, ODS or
    XLS. Raises `Refused` when it is none of them, empty, protected or too large.
    """
    if len(data) > MOST_BYTES:
        raise Refused(_("The file is larger than %(most)s MB.") % {"most": MOST_BYTES // 1_000_000})
    if data.startswith(b"PK\x03\x04") or data.startswith(b"\xd0\xcf\x11\xe0"):
        found = _read_workbook(data)
    else:
        found = [(Path(filename).stem, _read_csv(data))]
    sheets = [Sheet(name, rows) for name, cells in found if (rows := _tidy(cells))]
    if not sheets:
        raise Refused(_("The file is empty."))
    return sheets


def _unreadable() -> Refused:
    return Refused(_("This file is not a list we can read. Send a CSV, XLSX, ODS or XLS file."))


def _too_large() -> Refused:
    return Refused(
        _("The list is too large: %(rows)s rows and %(columns)s columns at most.")
        % {"rows": MOST_ROWS, "columns": MOST_COLUMNS}
    )


def _tidy(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Drops what is empty below and to the right, and makes all rows equally long."""
    widths = [max((n for n, cell in enumerate(row, start=1) if cell is not None), default=0) for row in rows]
    height = max((n for n, width in enumerate(widths, start=1) if width), default=0)
    width = max(widths, default=0)
    if height > MOST_ROWS or width > MOST_COLUMNS:
        raise _too_large()
    return [[*row[:width], *[None] * (width - len(row))] for row in rows[:height]]


def _read_workbook(data: bytes) -> list[tuple[str, list[list[Cell]]]]:
    _refuse_bomb(data)
    command = [sys.executable, "-I", str(Path(__file__).with_name("workbook_reader.py"))]
    try:
        reader = subprocess.run(command, input=data, capture_output=True, env={}, timeout=30, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as gone:
        raise _too_large() from gone
    answer = json.loads(reader.stdout, object_hook=lambda found: date.fromisoformat(found["day"]))
    if answer == "password":
        raise Refused(_("The file is protected by a password. Save it without one and send it again."))
    if answer == "unreadable":
        raise _unreadable()
    return [(name, [[_plain(cell) for cell in row] for row in rows]) for name, rows in answer]


def _refuse_bomb(data: bytes) -> None:
    """A small archive may unpack to gigabytes."""
    if data.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
        except zipfile.BadZipFile as wrong:
            raise _unreadable() from wrong
        if unpacked > MOST_UNPACKED_BYTES:
            raise _too_large()


def _plain(cell: Any) -> Cell:
    if isinstance(cell, str):
        return _clean(cell) or None
    if isinstance(cell, bool) or (isinstance(cell, float) and cell.is_integer()):
        return int(cell)
    return cell


_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u200b": None, "\u00ad": None, "\ufeff": None})


def _clean(text: str) -> str:
    return text.translate(_SPACES).strip()


_GUARD = re.compile(r"'(?=\s*[=+\-@]|[\t\r])")
_NO_LIST = re.compile(r"\s*(<|%PDF|\{\\rtf)")  # a web page, a PDF or a letter under another name
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def _read_csv(data: bytes) -> list[list[Cell]]:
    text = _decode(data)
    if _CONTROL.search(text) or _NO_LIST.match(text):
        raise _unreadable()
    if named := re.match(r"sep=(.)\r?\n", text):
        delimiter, text = named[1], text[named.end() - 1 :]
    else:
        delimiter = _delimiter(text)
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), MOST_ROWS * 2))
    except csv.Error as wrong:
        raise _unreadable() from wrong
    return [[_clean(_GUARD.sub("", cell, 1) if cell.startswith("'") else cell) or None for cell in row] for row in rows]


def _decode(data: bytes) -> str:
    """UTF-8 and UTF-16 are recognised by their mark or their shape; anything else is Windows' Western encoding."""
    encodings = ["utf-8", "cp1252", "latin-1"]
    if data.startswith(codecs.BOM_UTF8):
        encodings = ["utf-8-sig"]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif 0 in data[:200]:
        encodings = ["utf-16-be" if data[:200:2].count(0) > data[1:200:2].count(0) else "utf-16-le"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable()


def _delimiter(text: str) -> str:
    """The sign that cuts the most of the first rows into the same number of cells, at least two."""

    def regularity(delimiter: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in islice(csv.reader(io.StringIO(text), delimiter=delimiter), 50))
        except csv.Error:
            return 0, 0
        return max(((count, width) for width, count in widths.items() if width > 1), default=(0, 0))

    return max(";\t,", key=regularity)


# What a cell means


def fold(text: str) -> str:
    """Text without capitals, accents and punctuation: `Prénom  Nom ` → `prenom nom`, `E-mail n°2` → `e mail n 2`."""
    plain = text.casefold().replace("œ", "oe").replace("æ", "ae")
    letters = "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[^\W_]+", letters))


def as_text(cell: Cell) -> str:
    """The cell as text on one line, `""` when empty; `12.0` is `12`, a day is `2026-04-02`."""
    return "" if cell is None else " ".join(str(cell).split())


def as_number(cell: Cell) -> Decimal | None:
    """The number in a cell, `1 234,5` or `1234.5`; None when empty. Raises `Refused` when it is something else."""
    typed = as_text(cell)
    if not typed:
        return None
    bare = typed.replace(" ", "").replace(",", ".")
    if isinstance(cell, date) or not re.fullmatch(r"-?\d{1,12}(\.\d+)?", bare, re.ASCII):
        raise Refused(_("“%(typed)s” is not a number.") % {"typed": typed[:30]})
    return Decimal(bare)


def as_quantity(cell: Cell) -> int:
    """How many, in a grid: empty is 0, a cross or a yes is 1. Raises `Refused` unless whole and not negative."""
    if fold(as_text(cell)) in {"x", "oui", "yes"}:
        return 1
    number = as_number(cell) or Decimal(0)
    if number < 0 or number != int(number):
        raise Refused(_("“%(typed)s” is not a whole quantity.") % {"typed": as_text(cell)[:30]})
    return int(number)


def as_cents(cell: Cell, *, min_cents: int = 0, max_cents: int = 100_000_000) -> int | None:
    """The amount in a cell, in cents; None when empty. Raises `Refused` as `euros.parse_cents` does."""
    if cell is None:
        return None
    typed = f"{cell:.2f}" if isinstance(cell, float) else as_text(cell)
    return parse_cents(typed, min_cents=min_cents, max_cents=max_cents)


_MONTHS = {
    start: number
    for number, starts in enumerate(
        ("jan", "fev feb", "mar", "avr apr", "mai may", "juin jun", "juil jul", "aou aug", "sep", "oct", "nov", "dec"),
        start=1,
    )
    for start in starts.split()
}
_EXCEL_EPOCH = date(1899, 12, 30)
_PLAUSIBLE_YEARS = range(1950, 2101)


def as_date(cell: Cell, within: tuple[date, date] | None = None) -> date | None:
    """The day in a cell: a date, Excel's number for one, `02/04/2026`, `2-4-26`, `2026-04-02`, `jeudi 2 avril 2026`.

    Without a year (`02/04`, `2 avr.`), it is the one that falls `within` the two days given. None when empty; raises
    `Refused` when it is no date.
    """
    if cell is None or isinstance(cell, date):
        return cell
    try:
        day = _EXCEL_EPOCH + timedelta(days=int(cell)) if isinstance(cell, int | float) else _day_in(cell, within)
    except (ValueError, OverflowError):
        day = None
    if day is None or day.year not in _PLAUSIBLE_YEARS:
        raise Refused(_("“%(typed)s” is not a date. Example: 02/04/2026.") % {"typed": as_text(cell)[:30]})
    return day


_BEGINNING = re.compile(r"(?:([a-z]+) (?=\d\d)|(\d\d?) (?=\d{4}))?(\d{4}|(?<=[a-z] )\d\d)", re.ASCII)


def as_beginning(cell: Cell) -> date | None:
    """As `as_date`; a month or a year alone (`09/2021`, `sept-21`, `2021`) is its first day."""
    if said := _BEGINNING.fullmatch(fold(as_text(cell))):
        name, number, year = said.groups()
        month = _month(name) if name else int(number or 1)
        century = 2000 if len(year) == 2 else 0
        if month and month <= 12 and int(year) + century in _PLAUSIBLE_YEARS:
            return date(int(year) + century, month, 1)
    return as_date(cell)


def _day_in(text: str, within: tuple[date, date] | None) -> date | None:
    """The day said by the numbers and the month's name in a text; what precedes the first number is a weekday."""
    words = re.findall(r"\d+|[a-z]+", re.sub(r"^\D+", "", fold(text)))
    numbers = [number for word in words if (number := int(word) if word.isdigit() else _month(word))]
    match numbers:
        case [year, month, day, *_time] if year > 31:
            return date(year, month, day)
        case [day, month, year, *_time]:
            return date(year + 2000 if year < 100 else year, month, day)
        case [day, month] if within:
            years = range(within[0].year, within[1].year + 1)
            return next((d for year in years if within[0] <= (d := date(year, month, day)) <= within[1]), None)
    return None


def _month(word: str) -> int | None:
    return next((number for start, number in _MONTHS.items() if word.startswith(start)), None)


# Writing


Row = Iterable[Any]
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
_WARY = frozenset(" =+-@")


def euros_number(cents: int) -> Decimal:
    """Cents as the number a spreadsheet adds up: `2150` → 21.50."""
    return Decimal(cents).scaleb(-2)


def write_csv(headers: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """The list as CSV for French Excel, in pieces: UTF-8 with its mark, `;`, decimal commas, `02/04/2026`.

    An apostrophe stands before a text that a spreadsheet would take for a formula; `read` takes it off again.
    """
    yield codecs.BOM_UTF8
    lines = ([_csv_cell(cell) for cell in row] for row in chain([headers], rows))
    while piece := list(islice(lines, 500)):
        page = io.StringIO()
        csv.writer(page, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(piece)
        yield page.getvalue().encode()


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell if cell.isprintable() and cell[:1] not in _WARY else _csv_text(cell)
    if cell is None or isinstance(cell, int):
        return cell and int(cell)
    if isinstance(cell, Decimal | float):
        return str(cell).replace(".", ",")
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y %H:%M" if isinstance(cell, datetime) else "%d/%m/%Y")
    return _csv_text(str(cell))


def _csv_text(text: str) -> str:
    text = _CONTROL.sub("", text)
    return f"'{text}" if _FORMULA.match(text) else text


def write_xlsx(headers: Sequence[str], rows: Iterable[Row], sheet: str = "") -> bytes:
    """The list as XLSX, one sheet: headings that stay in sight, true dates and numbers, never a formula."""
    import xlsxwriter

    answer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        answer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "remove_timezone": True,
        },
    )
    page = workbook.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", sheet).strip()[:31] or None)
    heading = workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    day, moment = (workbook.add_format({"num_format": f}) for f in ("dd/mm/yyyy", "dd/mm/yyyy hh:mm"))
    amount = workbook.add_format({"num_format": "#,##0.00"})
    widths = {column: len(header) for column, header in enumerate(headers)}
    page.write_row(0, 0, headers, heading)
    last = 0
    for last, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            match cell:
                case None:
                    continue
                case bool() | int() | float():
                    page.write_number(last, column, cell)
                case Decimal():
                    page.write_number(last, column, cell, amount)
                case datetime():
                    page.write_datetime(last, column, cell, moment)
                case date():
                    page.write_datetime(last, column, cell, day)
                case _:
                    page.write_string(last, column, _CONTROL.sub("", str(cell))[:32_767])
            widths[column] = max(widths.get(column, 8), len(str(cell)))
    for column, width in widths.items():
        page.set_column(column, column, min(width + 2, 50))
    page.freeze_panes(1, 0)
    if headers:
        page.autofilter(0, 0, last, len(headers) - 1)
    workbook.close()
    return answer.getvalue()
