"""What one cell says of several people: `MARTIN Paul et Julie`, `paul@… ; julie@…`, `06 … / 07 …`."""

import re

from amap import phones
from amap.errors import Refused
from amap.imports import words
from amap.spreadsheets import fold

_BETWEEN = re.compile(r"\s*[;,/]\s*|\s+(?:et|ou|and|or|&|-|–)\s+", re.IGNORECASE)
_BETWEEN_NAMES = re.compile(r"\s*[;/]\s*|\s+(?:et|and|&|\+)\s+", re.IGNORECASE)
_BRACKETS = re.compile(r"^[^<>]*<([^<>]+)>$")
_NOTE = re.compile(r" ?\([^()\d]{1,40}\)")  # 06 39 98 00 01 (Paul)
# What people write where there is nothing to write.
_NOTHING = frozenset(
    words(
        "aucun|aucune|neant|non|rien|sans|na|n a|pas de mail|pas d e mail|pas d email|pas d adresse|pas de tel|"
        "pas de telephone|none|no"
    )
)


def names_in(text: str) -> list[str]:
    """The names in a cell. A first name alone takes the last name said beside it: in capitals, or after another."""
    names = pieces_of(text)
    if len(names) < 2:
        return names
    several = [name.split() for name in names if " " in name]
    family = " ".join(word for word in (several[0] if several else []) if len(word) > 1 and word.isupper())
    if not family and several and " " not in names[0]:
        family = " ".join(several[-1][1:])
    return [name if " " in name or not family else f"{name} {family}" for name in names]


def pieces_of(text: str) -> list[str]:
    """The last or the first names in a cell: `MARTIN / PETIT`, `Paul et Julie`."""
    return [name for name in _BETWEEN_NAMES.split(text) if name]


def addresses_in(text: str) -> list[str]:
    """The e-mails in a cell, `Julie <julie@…>` and `mailto:julie@…` among them; none where it says there is none."""
    if fold(text) in _NOTHING:
        return []
    found = []
    for piece in _BETWEEN.split(text):
        several = piece.split()
        found += several if len(several) > 1 and all("@" in one for one in several) else [piece]
    return [_BRACKETS.sub(r"\1", one).removeprefix("mailto:").rstrip(".") for one in found if one]


def numbers_in(text: str) -> list[str]:
    """The telephone numbers in a cell: one, unless it only makes sense as several; none where it says there is none."""
    if not text or fold(text) in _NOTHING:
        return []
    text = _NOTE.sub("", text)
    try:
        phones.normalise(text)
    except Refused:
        return [piece for piece in _BETWEEN.split(text) if piece]
    return [text]
