"""How names stand in lists: é beside e, capitals beside small letters, in Python and in both databases."""

import unicodedata
from functools import lru_cache

from django.db.backends.signals import connection_created
from django.db.models import Func
from django.db.models.lookups import Contains
from django.dispatch import receiver

LIGATURES = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "’": "'"}


@lru_cache(maxsize=10_000)
def alphabetical(name):
    """Sorting key that puts Éloi beside Eloi; its first character is the letter people look under."""
    plain = unicodedata.normalize("NFKD", name.translate(str.maketrans(LIGATURES)))
    return "".join(c for c in plain if not unicodedata.combining(c)).lower()


# The letters with accents of Europe's languages, and what is under them.
ACCENTED = {c: p for c in map(chr, range(0xC0, 0x180)) for p in [unicodedata.normalize("NFKD", c)[0]] if p.isascii()}


class Alphabetical(Func):
    """The same key of a column, to order rows by: `order_by(Alphabetical("household__name"))`. Names that differ have
    keys that differ, so that rows may be grouped.
    """

    function = "alphabetical"
    arity = 1

    def as_postgresql(self, compiler, connection):
        name, parameters = compiler.compile(self.source_expressions[0])
        plain, all_parameters = name, list(parameters)
        for ligature, letters in LIGATURES.items():
            plain = f"replace({plain}, %s, %s)"
            all_parameters += [ligature, letters]
        all_parameters += ["".join(ACCENTED), "".join(ACCENTED.values()), *parameters]
        return f'(lower(translate({plain}, %s, %s)) || chr(9) || {name}) COLLATE "C"', all_parameters


def contains(column, words):
    """The condition that a name contains the words, accents and capitals or not: elodie finds Élodie."""
    return Contains(Alphabetical(column), alphabetical(words))


def _key(name):
    return name and f"{alphabetical(name)}\t{name}"


@receiver(connection_created)
def _teach_sqlite(connection, **_kwargs):
    if connection.vendor == "sqlite":
        connection.connection.create_function("alphabetical", 1, _key, deterministic=True)
