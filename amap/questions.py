"""Facts asked often, by a statement made once.

Making a statement of many subqueries takes Django ten times longer than the database needs to answer it. Where that
counts, in signing up, on the member's home and on the cards of desks, a `Question` has Django make it the first time,
and later sends the same with other values.
"""

import json
from datetime import timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models


class Given(models.Expression):
    """Stands in a `Question` for a value that comes with each asking under this name, of that kind of field.

    A day or moment may be moved: `Given("today", DateField()) + timedelta(days=3)`.
    """

    def __init__(self, name, output_field, moved_by=None):
        super().__init__(output_field=output_field)
        self.name, self.moved_by = name, moved_by

    def __add__(self, delta):
        return Given(self.name, self.output_field, (self.moved_by or timedelta()) + delta)

    def __sub__(self, delta):
        return self + -delta

    def among(self, values):
        """The value itself, as the database takes it."""
        value = values[self.name]
        return self.output_field.get_db_prep_value(value + self.moved_by if self.moved_by else value, connection)

    def as_sql(self, compiler, connection):
        return "%s", [self]

    def __conform__(self, protocol):
        """Its name stands for it where SQLite shows the statement (Django's log of queries)."""
        return self.name


class Question:
    """Facts about one row, for the asking.

    `ask` returns a queryset of that row: `values_list` of facts, in which `Given` stands for what differs each time.
    What does not differ is written into the statement: SQLite would plan it anew for each `status = ?` that an index
    for one status may serve.
    """

    def __init__(self, ask):
        self._ask = ask
        self._made = None

    def __call__(self, **values):
        """The answers, in the order of the facts. Raises `ObjectDoesNotExist` when there is no such row."""

        def note(execute, sql, parameters, many, context):
            self._made = _with_constants(sql, parameters)
            return execute(self._made[0], _filled(self._made[1], values), many, context)

        if self._made is None:
            with connection.execute_wrapper(note):
                return self._ask().get()
        sql, parameters = self._made
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(parameters, values))
            answers = cursor.fetchone()
        if answers is None:
            raise ObjectDoesNotExist
        return tuple(json.loads(answer) for answer in answers)


def _with_constants(sql, parameters):
    """The statement with its texts and numbers written out, and the parameters left, by the name each now has in it."""
    quote = connection.schema_editor().quote_value
    shown, left = [], {}
    for place, one in enumerate(parameters):
        if isinstance(one, str | int):
            shown.append(quote(one).replace("%", "%%"))
        else:
            left[f"v{place}"] = one
            shown.append(f"%(v{place})s")
    return sql.replace("%%", "%%%%") % tuple(shown), left


def _filled(parameters, values):
    return {name: one.among(values) if isinstance(one, Given) else one for name, one in parameters.items()}
