"""Forms about the association itself: who it is, its knobs, its places."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap.forms.fields import AddressField, HourField, NameField, PhoneField, TextField, WholeField
from amap.models import Association, PickupPlace
from amap.models.people import MOST_PEOPLE


def whole(label, least, most, help_text=""):
    return WholeField(label=label, min_value=least, max_value=most, help_text=help_text)


class SettingsForm(forms.ModelForm):
    """Everything an association can decide about itself, with the defaults most AMAPs use."""

    name = NameField(label=gettext_lazy("Name"))
    address = NameField(label=gettext_lazy("Address"), max_length=200, required=False)
    postal_code = NameField(label=gettext_lazy("Postal code"), max_length=10, required=False)
    city = NameField(label=gettext_lazy("Town"), required=False)
    email = AddressField(
        label=gettext_lazy("Contact e-mail"),
        required=False,
        help_text=gettext_lazy("Members see it and may write to it."),
    )
    phone = PhoneField(required=False)
    mediation_contact = NameField(
        label=gettext_lazy("Consumer mediation contact"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Printed on the contracts: whom to ask when farm and household do not agree."),
    )
    people_per_household_max = whole(gettext_lazy("People per household, at most"), 1, MOST_PEOPLE)
    price_step_cents = whole(
        gettext_lazy("Prices are rounded to (cents)"), 1, 100, gettext_lazy("5 means 21.00, 21.05, 21.10 …")
    )
    min_commitment_weeks = whole(
        gettext_lazy("Shortest commitment (weeks)"), 1, 104, gettext_lazy("An offer that is shorter must say why.")
    )
    grace_days = whole(
        gettext_lazy("A payment is late after (days)"), 0, 90, gettext_lazy("Counted from the agreed day of deposit.")
    )
    harvest_days_before = whole(
        gettext_lazy("Harvest list due (days before)"), 0, 7, gettext_lazy("0 is the day of the distribution itself.")
    )
    harvest_hour = HourField(
        label=gettext_lazy("Harvest list due at"), help_text=gettext_lazy("From then on members can read it.")
    )
    weight_step_g = whole(
        gettext_lazy("Weights are rounded down to (grams)"), 1, 1000, gettext_lazy("The rest goes to the share table.")
    )
    lock_hours_before = whole(
        gettext_lazy("The sheet locks (hours before)"),
        0,
        168,
        gettext_lazy("Afterwards the sign-in sheet no longer changes by itself."),
    )
    drop_days = whole(
        gettext_lazy("A shift may be left until (days before)"),
        0,
        60,
        gettext_lazy("Later, one finds somebody to take one's place."),
    )
    urgent_hours = whole(
        gettext_lazy("Urgent call for volunteers (hours before)"),
        0,
        168,
        gettext_lazy("When hands are still missing then, everybody is asked."),
    )

    class Meta:
        model = Association
        fields = [
            "name",
            "address",
            "postal_code",
            "city",
            "email",
            "phone",
            "mediation_contact",
            "people_per_household_max",
            "price_step_cents",
            "min_commitment_weeks",
            "grace_days",
            "treasurer_confirms_farm_payments",
            "harvest_days_before",
            "harvest_hour",
            "weight_step_g",
            "lock_hours_before",
            "uncollected_fate",
            "drop_days",
            "urgent_hours",
        ]

    # How the page groups them: (title, names).
    GROUPS = (
        (gettext_lazy("Who we are"), ("name", "address", "postal_code", "city", "email", "phone", "mediation_contact")),
        (gettext_lazy("Households"), ("people_per_household_max",)),
        (
            gettext_lazy("Contracts and payments"),
            ("price_step_cents", "min_commitment_weeks", "grace_days", "treasurer_confirms_farm_payments"),
        ),
        (
            gettext_lazy("Harvest and distribution"),
            ("harvest_days_before", "harvest_hour", "weight_step_g", "lock_hours_before", "uncollected_fate"),
        ),
        (gettext_lazy("Roster"), ("drop_days", "urgent_hours")),
    )

    def groups(self):
        """[(title, [fields])] in the order of the page."""
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]


class PlaceForm(forms.ModelForm):
    """Where and when baskets are handed out."""

    name = NameField(label=gettext_lazy("Name"))
    address = NameField(label=gettext_lazy("Address"), max_length=200, required=False)
    opens_at = HourField(label=gettext_lazy("The distribution begins at"))
    closes_at = HourField(label=gettext_lazy("and ends at"))
    volunteers_from = HourField(label=gettext_lazy("Volunteers come at"))
    volunteers_until = HourField(label=gettext_lazy("and leave at"))
    instructions = TextField(
        label=gettext_lazy("How to get in, keys, what to do at the end"),
        required=False,
        help_text=gettext_lazy("Only volunteers of the day read it."),
    )

    class Meta:
        model = PickupPlace
        fields = [
            "name",
            "address",
            "weekday",
            "opens_at",
            "closes_at",
            "volunteers_from",
            "volunteers_until",
            "instructions",
        ]

    def clean(self):
        data = super().clean()
        if data.get("opens_at") and data.get("closes_at") and data["closes_at"] <= data["opens_at"]:
            self.add_error("closes_at", _("The distribution must end after it begins."))
        first, last = data.get("volunteers_from"), data.get("volunteers_until")
        if first and last and last <= first:
            self.add_error("volunteers_until", _("The end precedes the start."))
        name = data.get("name")
        if name and PickupPlace.objects.filter(association=self.instance.association_id, name=name).exclude(
            pk=self.instance.pk
        ):
            self.add_error("name", _("There is already a place of this name."))
        return data
