"""Rows of which many are written the same way: the INSERT of a model is made once, later ones only bring values.

Django makes the statement anew for each row it creates, which takes it several times longer than the database needs
to write it.
"""

from functools import cache

from django.db import connection
from django.db.models import BooleanField, CharField, ForeignKey, IntegerField, TextField

# Fields whose values the database takes as they are.
PLAIN = (BooleanField, CharField, ForeignKey, IntegerField, TextField)


def insert(rows, *, skip_known=False):
    """Write some unsaved rows of one model in one statement; each gets its id. No signals, no `auto_now`.

    With `skip_known`, those that break a uniqueness rule are passed over in silence, and no row gets an id.
    Raises `IntegrityError`.
    """
    if not rows:
        return
    fields, start, row, end = _insertion(type(rows[0]))
    values = [
        getattr(one, name) if prepare is None else prepare(getattr(one, name), connection)
        for one in rows
        for name, prepare in fields
    ]
    statement = start + ", ".join([row] * len(rows))
    with connection.cursor() as cursor:
        if skip_known:
            cursor.execute(f"{statement} ON CONFLICT DO NOTHING", values)
            return
        cursor.execute(statement + end, values)
        for one, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            one.pk = pk
            one._state.adding, one._state.db = False, connection.alias


@cache
def _insertion(model):
    """The columns to fill, each with what prepares its values, and the statement: its start, one row of it, its end."""
    quote = connection.ops.quote_name
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return (
        [(field.attname, None if isinstance(field, PLAIN) else field.get_db_prep_save) for field in fields],
        f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ",  # noqa: S608 -- the names are those of our models
        f"({places})",
        f" RETURNING {quote(model._meta.pk.column)}",
    )
