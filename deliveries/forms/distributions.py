"""Forms of the evening."""

from django import forms
from django.utils.translation import gettext_lazy as _

from amap.forms.fields import DayField, HourField, NameField, TextField
from amap.models import PickupPlace
from deliveries.models import Basket


class MoveForm(forms.Form):
    """Where and when instead. The cleaned data are the arguments of `distributions.move`."""

    day = DayField(label=_("New day"))
    place = forms.ModelChoiceField(PickupPlace.objects.none(), label=_("Place"), empty_label=None)
    opens_at = HourField(label=_("From"))
    closes_at = HourField(label=_("To"))
    reason = TextField(
        label=_("A word to everybody concerned"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, distribution, **kwargs):
        initial = {name: getattr(distribution, name) for name in ("day", "place", "opens_at", "closes_at")}
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["place"].queryset = PickupPlace.objects.filter(association=distribution.association_id)


class CollectForm(forms.Form):
    """Who signs for a household."""

    household = forms.IntegerField(min_value=1, max_value=10**18, widget=forms.HiddenInput)
    collected_by = NameField(
        label=_("Collected by"), required=False, max_length=100, help_text=_("Only if somebody comes in their place.")
    )
    # Seconds since the tap: without network it waits on the phone (BR-52).
    ago = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)


class NoteForm(forms.Form):
    note = NameField(
        label=_("Note"),
        required=False,
        max_length=140,
        help_text=_("What is missing, swapped or kept for later. Your name is added."),
    )


class CloseForm(forms.Form):
    """What became of the baskets nobody signed for (BR-51), and the remarks of the evening."""

    COLLECTED = "collected"

    def __init__(self, *args, lines, default, **kwargs):
        """`lines`: those of the sheet not ticked; `default`: what to suppose of them."""
        super().__init__(*args, **kwargs)
        choices = [*Basket.Fate.choices, (self.COLLECTED, _("collected, signed on paper"))]
        for line in lines:
            self.fields[f"fate_{line.household_id}"] = forms.ChoiceField(
                label=line.name, choices=choices, initial=default
            )
        self.fields["remarks"] = TextField(
            label=_("Remarks of the distribution"),
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 4}),
        )

    @property
    def fate_fields(self):
        return [self[name] for name in self.fields if name.startswith("fate_")]

    @property
    def fates(self):
        """{household id: choice} of the valid form."""
        return {int(name[5:]): value for name, value in self.cleaned_data.items() if name.startswith("fate_")}
