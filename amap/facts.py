"""Answers of many kinds in one statement: a subquery folded into one JSON list.

Pages that must say a little about many things (rights, desks) ask for all of it at once instead of once each. Dates
and times come back as ISO text.
"""

import json
from datetime import UTC, datetime
from functools import cache

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


def moment(text):
    """A moment read from facts, as local time. SQLite keeps UTC and does not say so."""
    read = datetime.fromisoformat(text)
    return timezone.localtime(read if read.tzinfo else read.replace(tzinfo=UTC))
