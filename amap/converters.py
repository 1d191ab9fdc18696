"""Parts of addresses: ids as large as a database key, and names of associations."""

from django.urls.converters import SlugConverter

from amap.models.people import RESERVED_SLUGS


class IdConverter:
    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value):
        return int(value)

    def to_url(self, value):
        return str(value)


class AssociationConverter(SlugConverter):
    """The slug of an association; never one of the site's own first words, which then simply do not exist."""

    def to_python(self, value):
        if value in RESERVED_SLUGS:
            raise ValueError(value)
        return value
