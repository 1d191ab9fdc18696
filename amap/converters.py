"""Ids in addresses: as large as a database key, no larger."""


class IdConverter:
    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value):
        return int(value)

    def to_url(self, value):
        return str(value)
