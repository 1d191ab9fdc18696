"""Forms about membership: the period, one fee, a pile of fees."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap.euros import EuroField
from amap.forms.fields import DayField, NameField
from amap.models import Household, Membership


class PeriodForm(forms.Form):
    """A membership year and the two parts of its fee."""

    starts_on = DayField(label=gettext_lazy("From"))
    ends_on = DayField(label=gettext_lazy("Until"))
    amap_part_cents = EuroField(label=gettext_lazy("Part of the AMAP"), min_cents=0, max_cents=50_000)
    network_part_cents = EuroField(
        label=gettext_lazy("Part of the network"),
        min_cents=0,
        max_cents=50_000,
        required=False,
        help_text=gettext_lazy("What the association passes on to its network."),
    )

    def clean(self):
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last <= first:
            self.add_error("ends_on", _("The end precedes the start."))
        data["network_part_cents"] = data.get("network_part_cents") or 0
        if data.get("amap_part_cents") == 0 and data["network_part_cents"] == 0:
            self.add_error("amap_part_cents", _("The fee must be more than 0."))
        return data


class FeeForm(forms.Form):
    """A fee that has come in, with the donations beside it (BR-4)."""

    method = forms.ChoiceField(label=gettext_lazy("Paid by"), choices=Membership.Method, widget=forms.RadioSelect)
    paid_on = DayField(label=gettext_lazy("Received on"))
    reference = NameField(
        label=gettext_lazy("Reference"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Number of the cheque, words of the transfer, number of the receipt."),
    )
    donation_cents = EuroField(label=gettext_lazy("Donation to the association"), min_cents=0, required=False)
    solidarity_cents = EuroField(label=gettext_lazy("Donation to the solidarity fund"), min_cents=0, required=False)

    def clean(self):
        data = super().clean()
        for name in ("donation_cents", "solidarity_cents"):
            data[name] = data.get(name) or 0
        return data


class PileForm(forms.Form):
    """Several plain fees received the same way on the same day."""

    households = forms.ModelMultipleChoiceField(
        queryset=Household.objects.none(), error_messages={"required": gettext_lazy("Tick at least one household.")}
    )
    method = forms.ChoiceField(label=gettext_lazy("Paid by"), choices=Membership.Method)
    paid_on = DayField(label=gettext_lazy("Received on"))

    def __init__(self, *args, association, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["households"].queryset = association.households.all()

    def clean_households(self):
        households = self.cleaned_data["households"]
        if len(households) > 500:
            raise forms.ValidationError(_("500 at most at a time."))
        return households


class CorrectionForm(forms.Form):
    """Why a recorded fee is taken back."""

    reason = NameField(label=gettext_lazy("Why was it wrong?"), max_length=200)
