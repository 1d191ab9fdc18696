"""Parts of addresses: ids as large as a database key, and names of associations."""

import re

from django.urls.converters import SlugConverter

from amap.models.people import RESERVED_SLUGS


class IdConverter:
    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value):
        return int(value)

    def to_url(self, value):
        return str(value)


def id_in(text):
    """The id that somebody's form or address names, as an int; None when it is none."""
    return int(text) if re.fullmatch(IdConverter.regex, text, re.ASCII) else None


class AssociationConverter(SlugConverter):
    """The slug of an association; never one of the site's own first words, which then simply do not exist."""

    def to_python(self, value):
        if value in RESERVED_SLUGS:
            raise ValueError(value)
        return value
