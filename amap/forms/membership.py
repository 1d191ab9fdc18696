"""Forms about membership: the period, one fee, a pile of fees."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap.euros import EuroField, euros_text
from amap.forms.fields import DayField, NameField, WholeField
from amap.models import Household, Membership, MembershipPeriod


class PeriodForm(forms.Form):
    """A membership year, the two parts of its fee, and who may pay less (BR-3)."""

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
    reduced_from = DayField(
        label=gettext_lazy("Reduced for households that join from"),
        required=False,
        help_text=gettext_lazy("Left empty: the whole fee, whenever they join."),
    )
    reduced_percent = WholeField(
        label=gettext_lazy("Then they pay, in percent of the fee"),
        min_value=1,
        max_value=99,
        initial=50,
        required=False,
    )
    free_minimum_cents = EuroField(
        label=gettext_lazy("Pay what you can, from"),
        max_cents=50_000,
        required=False,
        help_text=gettext_lazy("Left empty: the fee is the same for everybody. Otherwise the least that is taken."),
    )

    def clean(self):
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        reduced = data.get("reduced_from")
        if first and last and reduced and not first < reduced <= last:
            self.add_error("reduced_from", _("This day is not within the membership year."))
        if first and last and last <= first:
            self.add_error("ends_on", _("The end precedes the start."))
        data["network_part_cents"] = data.get("network_part_cents") or 0
        data["reduced_percent"] = data.get("reduced_percent") or 50
        if data.get("amap_part_cents") is not None:
            period, least_cents = MembershipPeriod(**data), data.get("free_minimum_cents") or 0
            if period.fee_cents == 0:
                self.add_error("amap_part_cents", _("The fee must be more than 0."))
            elif least_cents > period.fee_cents:
                self.add_error("free_minimum_cents", _("The least amount cannot be more than the fee."))
            elif period.reduced_from and least_cents > period.reduced_cents:
                text = _("The least amount cannot be more than the reduced fee, %(fee)s.")
                self.add_error("free_minimum_cents", text % {"fee": euros_text(period.reduced_cents)})
        return data


class FeeForm(forms.Form):
    """A fee that has come in, with the donations beside it (BR-4). The fee is asked where there is a choice (BR-3)."""

    fee_cents = EuroField(label=gettext_lazy("Fee"), max_cents=50_000)
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

    def __init__(self, *args, period, **kwargs):
        super().__init__(*args, **kwargs)
        if period.least_cents == period.fee_cents and period.free_minimum_cents is None:
            del self.fields["fee_cents"]

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


class CancelForm(forms.Form):
    """Why a fee is no longer awaited."""

    reason = NameField(label=gettext_lazy("Why"), max_length=200)
