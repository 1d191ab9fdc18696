"""IBANs: stored without spaces, typed and shown as banks print them."""

from django.utils.translation import gettext as _
from stdnum import iban
from stdnum.exceptions import InvalidChecksum, InvalidComponent, ValidationError

from amap.errors import Refused

SHORTEST = 15


def normalise(text: str) -> str:
    """An IBAN as typed, with or without spaces and capitals → its signs only; empty text is answered with empty text.

    Raises `Refused` saying what is wrong. Any country's is taken.
    """
    typed = text.strip()
    if not typed:
        return ""
    not_whole = Refused(_("This is not a whole IBAN. A French one has 27 signs and begins with FR."))
    if len(iban.compact(typed)) < SHORTEST:
        raise not_whole
    try:
        return iban.validate(typed, check_country=False)
    except InvalidComponent as wrong:
        raise Refused(_("No country has an IBAN beginning with “%(start)s”.") % {"start": typed[:2]}) from wrong
    except InvalidChecksum as wrong:
        raise Refused(_("The IBAN does not match its check key. Check the digits.")) from wrong
    except ValidationError as wrong:
        raise not_whole from wrong


def iban_text(number: str) -> str:
    """A stored IBAN in groups of four, as banks print it."""
    return iban.format(number)
