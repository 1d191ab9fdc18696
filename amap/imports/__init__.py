"""Bringing in the lists people keep: what all lists have in common. A module here (or in `contracts`) says the rest.

A list is read three times over with the same code: for the preview, again at the confirmation, and when the same file
comes back next month and must change nothing.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap import phones
from amap.access import Role
from amap.errors import Refused
from amap.models import ImportedRow
from amap.spreadsheets import Cell, as_text, fold
from amap.words import pair

HEADINGS_WITHIN = 20
TOTALS = frozenset({"total", "totaux", "somme", "moyenne", "nombre", "nbre", "nb"})


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


@dataclass(frozen=True)
class Column:
    """What a column of a file may mean: `words` are the headings understood, folded; `examples` fill the example file;
    `help` is a sentence for whoever fills it in.
    """

    key: str
    label: Any
    words: tuple[str, ...] = ()
    examples: tuple[Any, ...] = ()
    help: Any = ""


@dataclass(frozen=True)
class Record:
    """A line of the file by what its columns mean."""

    number: int
    cells: dict[str, Cell]
    sheet: str = ""

    def __getitem__(self, key: str) -> Cell:
        return self.cells.get(key)

    def text(self, key: str) -> str:
        return as_text(self.cells.get(key))

    def clean(self, key: str, form_field: forms.Field, label: Any, text: str | None = None) -> Any:
        """The cell, or a `text` that stands in it, as a form would take it. Raises `Refused` with the column's name,
        what stands there and what is wrong with it.
        """
        text = self.text(key) if text is None else text
        try:
            return form_field.clean(text) if text else ""
        except ValidationError as wrong:
            where = _("%(column)s “%(typed)s”") % {"column": label, "typed": text[:60]}
            raise Refused(pair(where, " ".join(wrong.messages))) from wrong


class State:
    NEW, CHANGED, UNCHANGED, WRONG = "new", "changed", "unchanged", "wrong"


STATE_NAMES = {
    State.NEW: gettext_lazy("new"),
    State.CHANGED: gettext_lazy("changed"),
    State.UNCHANGED: gettext_lazy("unchanged"),
    State.WRONG: gettext_lazy("wrong"),
}


@dataclass
class Line:
    """What a line of the file comes to. `details` says what will be written, `reason` why it cannot be."""

    number: int
    state: str
    title: str
    details: list[str] = field(default_factory=list)
    reason: str = ""
    sheet: str = ""
    content: Any = None


@dataclass
class Table:
    """A sheet cut into headings and records; blank lines and totals are set aside, and said."""

    headings: list[str]
    chosen: list[str]
    samples: list[str]
    records: list[Record]
    blank: int
    totals: list[int]

    @property
    def left_out(self) -> list[str]:
        """The headings of the columns that say something, and are not read."""
        columns = zip(self.headings, self.chosen, self.samples, strict=False)
        return [heading for heading, key, sample in columns if heading and sample and not key]


@dataclass
class Plan:
    """Everything the preview shows. `options` is the form of the answers; `problem`: why nothing can be said line by
    line yet.
    """

    table: Table
    options: forms.Form
    lines: list[Line]
    problem: str = ""

    def count(self, state: str) -> int:
        return sum(line.state == state for line in self.lines)

    @property
    def fingerprint(self) -> str:
        """Changes when the preview would show something else: what was confirmed is what is written."""
        seen = [(line.sheet, line.number, line.state, line.title, line.details) for line in self.lines]
        return hashlib.sha256(json.dumps([self.problem, seen]).encode()).hexdigest()


class NoQuestions(forms.Form):
    """Nothing to ask beside the file."""

    def __init__(self, *args, association, today, **kwargs):
        super().__init__(*args, **kwargs)


class Kind:
    """One kind of list that can be brought in and taken out. Subclasses say what its lines mean."""

    name: ClassVar[str]
    label: ClassVar[Any]
    lede: ClassVar[Any]
    roles: ClassVar[frozenset] = frozenset({Role.COMMITTEE})
    options_form: ClassVar[type[forms.Form]]
    reserved: ClassVar[dict[str, frozenset]] = {}  # questions for some roles only; left out, they are not answered
    most_at_once: ClassVar[int] = 2000  # lines; the worker writes a longer list

    # What the lines mean

    def columns(self, options: dict) -> list[Column]:
        """The columns understood, in the order of the example file. `options` are the cleaned answers."""
        raise NotImplementedError

    def recognise(self, headings: Sequence[Cell], columns: list[Column], options: dict) -> list[str]:
        """A key for each heading, "" for those that say nothing to us; no key twice."""
        raise NotImplementedError

    def plan_lines(self, association, table: Table, options: dict, today: date) -> list[Line]:
        """A `Line` for each record. Raises `Refused` when a column without which nothing can be said is missing."""
        raise NotImplementedError

    def write(self, batch, lines: list[Line], options: dict, *, by, now) -> Iterable[ImportedRow]:
        """Writes the new and changed lines; answers the unsaved ImportedRows that undoing needs."""
        raise NotImplementedError

    def undo(self, batch, *, by, now) -> int:
        """Takes back what `write` did; answers how many changed rows were left because they have changed since."""
        raise NotImplementedError

    def export(self, association, today: date, which: str = "") -> tuple[list[str], Iterable[list]]:
        """(headings, rows) in the shape that can be brought in again; `which` of the files."""
        raise NotImplementedError

    def exports(self, association) -> list[tuple[str, Any]]:
        """The files that can be taken out, as (query, label) pairs: one, unless a list says otherwise."""
        return [("?", self.label)]

    # The same for all

    def options(self, association, today, typed=None, roles=None):
        """The form of what is asked beside the file; with `roles`, of what people holding them may answer."""
        form = self.options_form(typed, association=association, today=today)
        return form if roles is None else self.for_roles(form, roles)

    def for_roles(self, form: forms.Form, roles: frozenset) -> forms.Form:
        for name, needed in self.reserved.items():
            if needed.isdisjoint(roles):
                del form.fields[name]
        return form

    def propose(self, rows: list[list[Cell]], options: dict) -> tuple[int, list[str]]:
        """(line of the headings, a key for each column): the line that says the most among the first ones."""
        columns = self.columns(options)
        found = [(0, 1, [""] * len(rows[0]) if rows else [])]
        for number, row in enumerate(rows[:HEADINGS_WITHIN], start=1):
            keys = self.recognise(row, columns, options)
            found.append((len([key for key in keys if key]), -number, keys))
        score, number, keys = max(found[1:] or found, key=lambda each: each[:2])
        if score:
            return abs(number), keys
        number = _first_filled(rows)
        # An address in it: that is somebody already, not a heading.
        return (0 if any("@" in as_text(cell) for cell in rows[number - 1]) else number), keys

    def plan(self, batch, today: date) -> Plan:
        """What a batch would write today. Refusals about the whole list stand in `problem`."""
        form = self.options(batch.association, today, batch.options)
        options = form.cleaned_data if form.is_valid() else {}
        table = cut(batch, [chosen_sheet(batch)])
        if form.errors:
            return Plan(table, form, [], _("Answer the questions below first."))
        try:
            table = cut(batch, self.sheets_of(batch, options))
            lines = self.plan_lines(batch.association, table, options, today)
            return Plan(table, form, lines, "" if lines else _("There is no line under the headings."))
        except Refused as refused:
            return Plan(table, form, [], str(refused))

    def sheets_of(self, batch, options: dict) -> list[dict]:
        """The sheets read together: the chosen one, unless a list says otherwise."""
        return [chosen_sheet(batch)]


def chosen_sheet(batch) -> dict:
    return batch.sheets[min(batch.sheet, len(batch.sheets) - 1)]


def _first_filled(rows):
    return next((number for number, row in enumerate(rows, start=1) if any(cell is not None for cell in row)), 1)


def cut(batch, sheets: list[dict]) -> Table:
    """The records of the sheets, all with the same headings line and columns; heading line 0: there is none.

    Headings that are said again, as at the top of each printed page, and a letter alone, as in an index, are blank.
    """
    rows, chosen = sheets[0]["rows"], list(batch.columns)
    width = max((len(sheet["rows"][0]) for sheet in sheets if sheet["rows"]), default=0)
    chosen += [""] * (width - len(chosen))
    head = rows[batch.heading_line - 1] if 0 < batch.heading_line <= len(rows) else [None] * width
    samples = [
        next((as_text(row[n])[:40] for row in rows[batch.heading_line :] if n < len(row) and row[n] is not None), "")
        for n in range(width)
    ]
    table = Table([as_text(cell) for cell in head], chosen, samples, [], 0, [])
    for sheet in sheets:
        for number, cells in enumerate(sheet["rows"], start=1):
            if number <= batch.heading_line:
                continue
            row = [cell if _says_something(cell) else None for cell in cells]
            texts = [as_text(cell) for cell in row]
            if len("".join(texts)) < 2 or texts == table.headings:
                table.blank += 1
            elif is_total(row):
                table.totals.append(number)
            else:
                said = {key: cell for key, cell in zip(chosen, row, strict=False) if key and cell is not None}
                table.records.append(Record(number, said, sheet["name"]))
    return table


def _says_something(cell: Cell) -> bool:
    """A dash or a question mark stands in many an empty cell."""
    return not isinstance(cell, str) or any(sign.isalnum() for sign in cell)


def is_total(row: list[Cell]) -> bool:
    """A line that sums up the others: its first words say so."""
    words = fold(next((cell for cell in row if isinstance(cell, str)), "")).split()
    return bool(words) and (words[0] in TOTALS or words[:2] in (["sous", "total"], ["grand", "total"]))


def meanings(columns: list[Column]) -> dict[str, str]:
    """What a heading, folded, means: a column's words, and its label in every language, because a list that one person
    takes out another brings in.
    """
    found = {word: column.key for column in columns for word in column.words}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found |= {fold(str(column.label)): column.key for column in columns}
    return found


def by_words(headings: Sequence[Cell], columns: list[Column]) -> list[str]:
    """A key for each heading that means a column; the first heading wins."""
    meaning = meanings(columns)
    keys: list[str] = []
    for heading in headings:
        key = meaning.get(fold(as_text(heading)), "")
        keys.append("" if key in keys else key)
    return keys


def wrong(record: Record, title: str, refused: Exception | str) -> Line:
    return Line(record.number, State.WRONG, title, reason=str(refused), sheet=record.sheet)


def postal_code(text: str) -> str:
    """As people write it: a spreadsheet drops the zero of 01000."""
    return f"0{text}" if re.fullmatch(r"\d{4}", text, re.ASCII) else text


def stored_phone(number: str) -> str:
    """A number that is here already, in the spelling the file's are compared in; one we cannot read stays as it is."""
    try:
        return phones.normalise(number)
    except Refused:
        return number


def some(names: Sequence[str]) -> str:
    """The first five names of a list, and whether there are more."""
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def dependents(model, ids, *, but=()):
    """Which of the rows `ids` (a queryset) another row points to, in whatever app; `but` names models that may."""
    found: set[int] = set()
    for relation in model._meta.related_objects:
        if relation.related_model not in but:
            pointing = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": ids})
            found.update(pointing.values_list(relation.field.attname, flat=True))
    return found


def imported(batch, line: Line, thing, before: dict | None = None, after: dict | None = None) -> ImportedRow:
    """The unsaved note that a line made `thing` or, with `before`, changed it."""
    return ImportedRow(
        batch=batch,
        line=line.number,
        about=thing._meta.label_lower,
        about_id=thing.pk,
        is_new=before is None,
        before=before or {},
        after=after or {},
    )


def plain(value: Any) -> Any:
    """A field's value as JSON keeps it."""
    return value.isoformat() if isinstance(value, date) else value


def snapshot(row, names: Iterable[str]) -> dict:
    return {name: plain(getattr(row, name)) for name in names}


def restore(model, batch) -> int:
    """Gives changed rows their former values back, unless somebody changed them since; answers how many were left."""
    about, left = model._meta.label_lower, 0
    changes = {row.about_id: row for row in batch.rows.filter(about=about, is_new=False)}
    for row in model.objects.filter(pk__in=batch.rows.filter(about=about, is_new=False).values("about_id")):
        change = changes[row.pk]
        if snapshot(row, change.after) != change.after:
            left += 1
            continue
        for name, value in change.before.items():
            setattr(row, name, row._meta.get_field(name).to_python(value))
        row.save(update_fields=list(change.before))
    return left
