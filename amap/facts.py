"""Answers of many kinds in one statement: a subquery folded into one JSON list.

Pages that must say a little about many things (rights, desks) ask for all of it at once instead of once each. Dates
and times come back as ISO text. Making such a statement takes Django many times longer than the database needs to
answer it: one that is asked often is a `Question`.
"""

import json
from datetime import UTC, datetime, timedelta
from functools import cache

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models
from django.utils import timezone


class Facts(models.Subquery):
    """The rows of a queryset of values, as one JSON list of lists. `columns` are their names, in SQL."""

    output_field = models.JSONField()
    empty_result_set_value = "[]"  # where Django sees without asking that there is no row

    def as_sqlite(self, compiler, connection, **extra):
        template = "(SELECT json_group_array(json_array(%(columns)s)) FROM (%(subquery)s) facts)"
        return super().as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler, connection, **extra):
        template = "(SELECT coalesce(jsonb_agg(jsonb_build_array(%(columns)s)), '[]') FROM (%(subquery)s) facts)"
        return super().as_sql(compiler, connection, template=template, **extra)


def facts(queryset, *columns, most=None):
    """An annotation: a list of lists, one per row (`most` rows at most), with the columns named."""
    rows = queryset.values(*columns)
    return Facts(rows[:most] if most else rows, columns=", ".join(f'"{name}"' for name in columns))


def columns(model):
    """The names of all columns of a model, for facts that `read` turns into rows of it."""
    return [field.attname for field in model._meta.concrete_fields]


def read(model, values):
    """A row of the model, as if read from the database, of the values of its `columns`."""
    names, conversions = _reading(model)
    for place, convert in conversions:
        if values[place] is not None:
            values[place] = convert(values[place])
    return model.from_db(connection.alias, names, values)


@cache
def _reading(model):
    """The columns of a model, and (place, function) for those that are not texts or numbers."""
    conversions = [(place, _conversion(field)) for place, field in enumerate(model._meta.concrete_fields)]
    return columns(model), [(place, convert) for place, convert in conversions if convert]


def _conversion(field):
    match field:
        case models.DateTimeField():
            return moment
        case models.BooleanField() | models.DateField() | models.TimeField():
            return field.to_python
        case models.JSONField():  # text on SQLite
            return lambda value: json.loads(value) if isinstance(value, str) else value
    return None


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
    """Facts asked often: Django makes their SQL the first time, later the same SQL is sent with other values.

    `ask` returns a queryset of one row: `values_list` of facts, in which `Given` stands for what differs each time.
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


def moment(text):
    """A moment read from facts, as local time. SQLite keeps UTC and does not say so."""
    read = datetime.fromisoformat(text)
    return timezone.localtime(read if read.tzinfo else read.replace(tzinfo=UTC))
