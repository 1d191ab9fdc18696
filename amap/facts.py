"""Answers of many kinds in one statement: a subquery folded into one JSON list.

Pages that must say a little about many things (rights, desks) ask for all of it at once instead of once each. Dates
and times come back as ISO text.
"""

from datetime import UTC, datetime

from django.db import models
from django.utils import timezone


class Facts(models.Subquery):
    """The rows of a queryset of values, as one JSON list of lists. `columns` are their names, in SQL."""

    output_field = models.JSONField()

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


def moment(text):
    """A moment read from facts, as local time. SQLite keeps UTC and does not say so."""
    read = datetime.fromisoformat(text)
    return timezone.localtime(read if read.tzinfo else read.replace(tzinfo=UTC))
