"""Form fields for what people type about themselves: one spelling each, and a sentence for every mistake."""

import unicodedata
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum.exceptions import ValidationError as BadNumber
from stdnum.fr import siret

from amap import ibans, phones
from amap.errors import Refused
from amap.models.people import normalise_email

EARLIEST, LATEST = date(1950, 1, 1), date(2100, 12, 31)


def refuse_invisible(text):
    """Control characters and the marks that turn writing round have no place in a name (reliability.md §5.3)."""
    for character in text:
        is_line = character in "\n\r\t"
        if not is_line and (
            unicodedata.category(character) in {"Cc", "Cs"}
            or character in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        ):
            raise ValidationError(_("This text contains characters that are not allowed."), code="invisible")


# Short words for what Django says at length.
IN_SHORT: dict[str, Any] = {
    "max_length": gettext_lazy("%(limit_value)d characters at most."),
    "min_value": gettext_lazy("%(limit_value)s at least."),
    "max_value": gettext_lazy("%(limit_value)s at most."),
}


class NameField(forms.CharField):
    """A name of a person or a thing, 100 characters at most unless said otherwise; spaces inside become one."""

    default_error_messages = IN_SHORT

    def __init__(self, *, max_length=100, **kwargs):
        super().__init__(max_length=max_length, **kwargs)

    def to_python(self, value):
        text = super().to_python(value)
        refuse_invisible(text)
        return " ".join(text.split())


class WholeField(forms.IntegerField):
    """A whole number between two others."""

    default_error_messages = IN_SHORT


class TextField(forms.CharField):
    """Longer text, in lines."""

    default_error_messages = IN_SHORT
    widget = forms.Textarea

    def __init__(self, *, max_length=5000, **kwargs):
        super().__init__(max_length=max_length, **kwargs)

    def to_python(self, value):
        text = super().to_python(value)
        refuse_invisible(text)
        return text


class AddressField(forms.EmailField):
    """One e-mail address, in the one spelling we keep."""

    default_error_messages = IN_SHORT

    def __init__(self, **kwargs):
        kwargs.setdefault("label", gettext_lazy("E-mail"))
        wrong = gettext_lazy("Not an e-mail address. Type one only, for example name@example.org.")
        kwargs.setdefault("error_messages", {}).setdefault("invalid", wrong)
        super().__init__(max_length=254, **kwargs)

    def widget_attrs(self, widget):
        return super().widget_attrs(widget) | {"autocomplete": "off", "inputmode": "email"}

    def to_python(self, value):
        return normalise_email(super().to_python(value))


class PhoneField(forms.CharField):
    """A telephone number; the cleaned value is the stored spelling, `+33612345678`."""

    def __init__(self, **kwargs):
        kwargs.setdefault("label", gettext_lazy("Telephone"))
        super().__init__(max_length=30, widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}), **kwargs)

    def to_python(self, value):
        try:
            return phones.normalise(super().to_python(value))
        except Refused as refused:
            raise ValidationError(str(refused), code="invalid") from refused

    def prepare_value(self, value):
        return phones.phone_text(value) if value else value


class DayField(forms.DateField):
    """A date of our time, in the browser's own calendar; `21/11/2026` is understood where it has none."""

    def __init__(self, **kwargs):
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(widget=widget, input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y"], **kwargs)

    def to_python(self, value):
        day = super().to_python(value)
        if day and not EARLIEST <= day <= LATEST:
            raise ValidationError(_("This year cannot be right."), code="year")
        return day


class HourField(forms.TimeField):
    """A time of day: `18:30`, `18h30` or `18h`."""

    def __init__(self, **kwargs):
        widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
        super().__init__(widget=widget, input_formats=["%H:%M", "%H:%M:%S", "%Hh%M", "%Hh"], **kwargs)


class IbanField(forms.CharField):
    """An IBAN as printed, with spaces and small letters; the cleaned value has neither. The key is checked."""

    def __init__(self, **kwargs):
        super().__init__(
            max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}), **kwargs
        )

    def to_python(self, value):
        try:
            return ibans.normalise(super().to_python(value))
        except Refused as refused:
            raise ValidationError(str(refused), code="invalid") from refused

    def prepare_value(self, value):
        return ibans.iban_text(value) if value else value


class BicField(forms.CharField):
    """A BIC; the cleaned value is in capitals, without spaces."""

    def __init__(self, **kwargs):
        super().__init__(max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"}), **kwargs)

    def to_python(self, value):
        bic = super().to_python(value).upper().replace(" ", "")
        if bic and (len(bic) not in (8, 11) or not bic.isalnum() or not bic.isascii()):
            raise ValidationError(_("A BIC has 8 or 11 letters and digits."), code="invalid")
        return bic


class SiretField(forms.CharField):
    """The fourteen digits of a French business; the key is checked."""

    def __init__(self, **kwargs):
        super().__init__(max_length=30, widget=forms.TextInput(attrs={"inputmode": "numeric"}), **kwargs)

    def to_python(self, value):
        typed = super().to_python(value)
        try:
            return siret.validate(typed) if typed else ""
        except BadNumber as wrong:
            raise ValidationError(_("A SIRET has 14 digits, the last one a check digit."), code="invalid") from wrong
