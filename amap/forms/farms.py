"""Forms about farms: the sheet, the partnership, the people."""

from django import forms
from django.utils.translation import gettext_lazy

from amap.forms.fields import (
    AddressField,
    BicField,
    DayField,
    IbanField,
    NameField,
    PhoneField,
    SiretField,
    TextField,
    WholeField,
)
from amap.models import Farm, User
from amap.names import Alphabetical

BANK = ("payee", "iban", "bic")


class FarmForm(forms.ModelForm):
    """A farm's sheet; its bank details only for those who may write them."""

    name = NameField(label=gettext_lazy("Name"))
    legal_name = NameField(
        label=gettext_lazy("Legal name"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("The contract is signed with it: EARL, GAEC, first and last name …"),
    )
    siret = SiretField(label="SIRET", required=False)
    contact_name = NameField(label=gettext_lazy("Farmers' names"), max_length=120, required=False)
    address = NameField(label=gettext_lazy("Address"), max_length=200, required=False)
    postal_code = NameField(label=gettext_lazy("Postal code"), max_length=10, required=False)
    city = NameField(label=gettext_lazy("Town"), required=False)
    email = AddressField(required=False)
    phone = PhoneField(required=False)
    certification = NameField(label=gettext_lazy("Label and certifying body"), max_length=120, required=False)
    practices = TextField(
        label=gettext_lazy("Practices and land"),
        required=False,
        help_text=gettext_lazy("What members like to know: fields, animals, seeds, how you work."),
    )
    payee = NameField(label=gettext_lazy("Cheques payable to"), max_length=70, required=False)
    iban = IbanField(
        label="IBAN",
        required=False,
        help_text=gettext_lazy("Members who pay by transfer see it, nobody else outside the farm."),
    )
    bic = BicField(label="BIC", required=False)

    class Meta:
        model = Farm
        fields = [
            "name",
            "legal_name",
            "kind",
            "siret",
            "contact_name",
            "address",
            "postal_code",
            "city",
            "email",
            "phone",
            "certification",
            "vat_status",
            "practices",
            *BANK,
        ]

    def __init__(self, *args, with_bank, **kwargs):
        super().__init__(*args, **kwargs)
        if not with_bank:
            for name in BANK:
                del self.fields[name]


class PartnershipForm(forms.Form):
    """Since when the farm and the association work together, and the distance."""

    since = DayField(label=gettext_lazy("Partner since"))
    distance_km = WholeField(label=gettext_lazy("Distance (km)"), min_value=0, max_value=2000, required=False)


class FarmInvitationForm(forms.Form):
    """A farm invited by e-mail, which may already be on this site."""

    farm_name = NameField(label=gettext_lazy("Name of the farm"))
    email = AddressField(label=gettext_lazy("E-mail of the farmer"))


class FarmerInvitationForm(forms.Form):
    """One more person who acts for a farm."""

    email = AddressField(label=gettext_lazy("E-mail of the farmer"))


class LiaisonForm(forms.Form):
    """A member who becomes the link to a farm."""

    user = forms.ModelChoiceField(label=gettext_lazy("Person"), queryset=None, empty_label=gettext_lazy("Choose…"))
    starts_on = DayField(label=gettext_lazy("From"))

    def __init__(self, *args, association, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.known_to(association.pk).order_by(Alphabetical("name"))
