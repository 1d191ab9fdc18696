"""Punctuation that languages do differently."""

from django.utils.translation import gettext as _


def pair_text():
    """How the reader's language joins a name and what is said of it: `"%s: %s"`, in French with a space before it."""
    return _("%s: %s")


def pair(name, said):
    """`Bread: 2`, « Pain : 2 »."""
    return pair_text() % (name, said)
