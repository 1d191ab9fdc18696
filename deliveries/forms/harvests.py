"""The farm's list of a delivery: rows of products, and a word of news."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap.euros import HundredthsField
from amap.forms.fields import NameField, TextField
from deliveries.quantities import GRAM, from_hundredths, to_hundredths

MOST_ROWS = 60
SPARE_ROWS = 2
MOST_FOR_ONE_SHARE = 100_00  # in hundredths: 100 kg, or 100 pieces

PRODUCT_ATTRS = {"autocapitalize": "sentences", "autocomplete": "off", "enterkeyhint": "next"}


class RowForm(forms.Form):
    """A product. The amount is in kilograms or in pieces, in all or for a whole share; 0 says: none this week."""

    TOTAL, WHOLE = "total", "whole"

    product = NameField(
        label=gettext_lazy("Product"), max_length=60, required=False, widget=forms.TextInput(attrs=PRODUCT_ATTRS)
    )
    amount = HundredthsField(label=gettext_lazy("How much"), required=False)
    unit = forms.ChoiceField(
        label=gettext_lazy("Counted in"),
        choices=[(GRAM, gettext_lazy("kg")), ("piece", gettext_lazy("pieces")), ("bunch", gettext_lazy("bunches"))],
    )
    basis = forms.ChoiceField(
        label=gettext_lazy("That is"),
        choices=[(TOTAL, gettext_lazy("in all")), (WHOLE, gettext_lazy("per whole share"))],
        initial=TOTAL,
    )
    origin = NameField(
        label=gettext_lazy("If bought in: who grew it, and where"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args, bought_in_allowed, **kwargs):
        super().__init__(*args, **kwargs)
        if not bought_in_allowed:
            del self.fields["origin"]
        for field in self.fields.values():
            field.template_name = "deliveries/harvests/_field.html"

    def clean(self):
        data = super().clean()
        amount, unit = data.get("amount"), data.get("unit")
        if amount is None or not unit:
            if data.get("product") and "amount" not in self.errors:
                self.add_error("amount", _("How much? Write 0 if there is none this week."))
            return data
        if amount and not data.get("product"):
            self.add_error("product", _("Which product?"))
        if amount > MOST_FOR_ONE_SHARE and data.get("basis") == self.WHOLE:
            self.add_error("amount", _("So much for one share? Perhaps it is the whole harvest."))
        data["counted"] = from_hundredths(amount, unit)
        if data["counted"] is None:
            self.add_error("amount", _("Whole pieces only."))
        return data

    def item(self):
        """The row as `post_harvest` takes it; None for an empty row or none this week."""
        data = self.cleaned_data
        if not data.get("counted"):
            return None
        item = {"product": data["product"], "unit": data["unit"], data["basis"]: data["counted"]}
        return item | {"origin": data["origin"]} if data.get("origin") else item


class BaseRows(forms.BaseFormSet):
    def items(self):
        """The products of a valid list, in their order."""
        return [item for form in self.forms if (item := form.item())]

    def clean(self):
        if len(self.forms) > MOST_ROWS:
            raise ValidationError(_("At most %(most)s products.") % {"most": MOST_ROWS})


Rows = forms.formset_factory(RowForm, formset=BaseRows, extra=SPARE_ROWS, max_num=MOST_ROWS, absolute_max=MOST_ROWS + 1)


class NewsForm(forms.Form):
    news = TextField(
        label=gettext_lazy("News from the farm"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("A word about the fields, the week, a recipe. It is read with the list."),
    )


def rows_of(harvest):
    """The rows of a `deliveries.harvests.Harvest`, to start from."""
    if harvest is None:
        return []
    return [
        {
            "product": item.product,
            "amount": to_hundredths(item.total if item.whole is None else item.whole, item.unit),
            "unit": item.unit,
            "basis": RowForm.TOTAL if item.whole is None else RowForm.WHOLE,
            "origin": item.origin,
        }
        for item in harvest.items
    ]
