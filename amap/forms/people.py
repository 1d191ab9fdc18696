"""Forms about people: the first day, invitations, households and their persons, roles, one's own account."""

from datetime import date

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap.euros import EuroField
from amap.forms.fields import AddressField, DayField, HourField, NameField, PhoneField
from amap.models import Association, CommitteeSeat, Household, Member, PickupPlace, User
from amap.models.people import Language, normalise_email
from amap.names import Alphabetical, contains

NO_NAME = {"required": gettext_lazy("Give your name.")}


class PasswordMixin:
    """A password nobody needs: left empty, one signs in with a code sent by e-mail."""

    def clean_password(self):
        password = self.cleaned_data["password"]
        if password:
            validate_password(password, User(email=self.data.get("person_email", ""), name=self.data.get("name", "")))
        return password


def password_field():
    return forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Not needed: you can always sign in with a code sent by e-mail. 10 characters or more."),
    )


class StartForm(PasswordMixin, forms.Form):
    """Everything a new installation needs to know to begin."""

    OTHERS = {
        "treasurer_email": CommitteeSeat.Role.TREASURER,
        "secretary_email": CommitteeSeat.Role.SECRETARY,
        "distribution_lead_email": CommitteeSeat.Role.DISTRIBUTION_LEAD,
    }

    name = NameField(label=gettext_lazy("Name of the association"))
    slug = forms.SlugField(
        label=gettext_lazy("Its address on this site"),
        required=False,
        max_length=50,
        help_text=gettext_lazy("Small letters, digits and hyphens. Left empty, it is made from the name."),
    )
    postal_code = NameField(label=gettext_lazy("Postal code"), max_length=10, required=False)
    city = NameField(label=gettext_lazy("Town"), required=False)

    place_name = NameField(label=gettext_lazy("Name of the place"), help_text=gettext_lazy("For example: school yard."))
    place_address = NameField(label=gettext_lazy("Address of the place"), max_length=200, required=False)
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("Day of distribution"), choices=PickupPlace.Weekday, coerce=int, initial=3
    )
    opens_at = HourField(label=gettext_lazy("From"), initial="18:30")
    closes_at = HourField(label=gettext_lazy("To"), initial="19:45")

    period_starts_on = DayField(label=gettext_lazy("Membership year from"))
    period_ends_on = DayField(label=gettext_lazy("Until"))
    amap_part_cents = EuroField(
        label=gettext_lazy("Part of the AMAP"),
        min_cents=0,
        max_cents=50_000,
        help_text=gettext_lazy("In euros, per household and year."),
    )
    network_part_cents = EuroField(
        label=gettext_lazy("Part of the network"),
        min_cents=0,
        max_cents=50_000,
        required=False,
        help_text=gettext_lazy("What you pass on to it. The fee is the two together."),
    )

    person_name = NameField(
        label=gettext_lazy("Your name"), error_messages=NO_NAME, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    person_email = AddressField(
        label=gettext_lazy("Your e-mail"), help_text=gettext_lazy("You sign in with it: look twice at what you typed.")
    )
    password = password_field()

    treasurer_email = AddressField(label=gettext_lazy("E-mail of the treasurer"), required=False)
    secretary_email = AddressField(label=gettext_lazy("E-mail of the secretary"), required=False)
    distribution_lead_email = AddressField(label=gettext_lazy("E-mail of a distribution lead"), required=False)

    def clean(self):
        data = super().clean()
        data["slug"] = data.get("slug") or slugify(data.get("name", ""))[:50]
        if data.get("name"):
            try:
                Association._meta.get_field("slug").run_validators(data["slug"])
            except ValidationError as wrong:
                self.add_error("slug", wrong)
        if data.get("opens_at") and data.get("closes_at") and data["closes_at"] <= data["opens_at"]:
            self.add_error("closes_at", _("The distribution must end after it begins."))
        first, last = data.get("period_starts_on"), data.get("period_ends_on")
        if first and last and last <= first:
            self.add_error("period_ends_on", _("The end precedes the start."))
        data["network_part_cents"] = data.get("network_part_cents") or 0
        return data

    def founding(self):
        """All that is said of the association and its first person, as `founding.found` takes it."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.OTHERS}

    def others(self):
        """(role, e-mail) of everybody else named."""
        named = [(role, self.cleaned_data[name]) for name, role in self.OTHERS.items()]
        return [(role, email) for role, email in named if email and email != self.cleaned_data["person_email"]]


def membership_year(today):
    """The year from September to August that holds a date."""
    start = date(today.year if today.month >= 9 else today.year - 1, 9, 1)
    return start, date(start.year + 1, 8, 31)


class AcceptForm(PasswordMixin, forms.Form):
    """What a new account needs: a name and a language."""

    name = NameField(
        label=gettext_lazy("Your name"), error_messages=NO_NAME, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=Language)
    password = password_field()


class WelcomeFarmForm(forms.Form):
    """Which farm accepts a partnership: one of mine, or a new one."""

    farm = forms.ModelChoiceField(
        label=gettext_lazy("Your farm"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("a new farm on this site"),
    )

    def __init__(self, *args, farms, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["farm"].queryset = farms


class HouseholdForm(forms.ModelForm):
    """A household's name and address."""

    name = NameField(label=gettext_lazy("Name of the household"), help_text=gettext_lazy("As the lists show it."))
    address = NameField(
        label=gettext_lazy("Address"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("The season contract prints it."),
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    postal_code = NameField(
        label=gettext_lazy("Postal code"),
        max_length=10,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    city = NameField(
        label=gettext_lazy("Town"), required=False, widget=forms.TextInput(attrs={"autocomplete": "address-level2"})
    )

    class Meta:
        model = Household
        fields = ["name", "address", "postal_code", "city"]


class NewHouseholdForm(HouseholdForm):
    """A household with its first one or two persons."""

    joined_on = DayField(label=gettext_lazy("Joined on"))
    person_name = NameField(label=gettext_lazy("First person"))
    person_email = AddressField(
        required=False, help_text=gettext_lazy("Without an e-mail, a liaison does the paperwork for them.")
    )
    person_phone = PhoneField(required=False)
    other_name = NameField(label=gettext_lazy("Second person"), required=False)
    other_email = AddressField(required=False)
    other_phone = PhoneField(required=False)
    invite = forms.BooleanField(label=gettext_lazy("Send the invitations now"), required=False, initial=True)

    def clean(self):
        data = super().clean()
        if (data.get("other_email") or data.get("other_phone")) and not data.get("other_name"):
            self.add_error("other_name", _("Give the name of the second person."))
        if data.get("other_email") and data["other_email"] == data.get("person_email"):
            self.add_error("other_email", _("Each person has an e-mail of their own. Leave this one empty."))
        return data

    def people(self):
        """The persons, as `people.add_household` takes them."""
        data = self.cleaned_data
        return [
            {"name": data[f"{who}_name"], "email": data[f"{who}_email"], "phone": data[f"{who}_phone"]}
            for who in ("person", "other")
            if data[f"{who}_name"]
        ]


class MemberForm(forms.ModelForm):
    """A person of a household."""

    name = NameField(label=gettext_lazy("Name"))
    email = AddressField(
        required=False, help_text=gettext_lazy("Without an e-mail, a liaison does the paperwork for them.")
    )
    phone = PhoneField(required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language of the letters"), choices=Language)

    class Meta:
        model = Member
        fields = ["name", "email", "phone", "language"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.user_id:
            for name in ("email", "language"):
                del self.fields[name]


class LeaveForm(forms.Form):
    """The day a household leaves, and why."""

    on = DayField(label=gettext_lazy("Leaves on"))
    reason = NameField(label=gettext_lazy("Why"), max_length=200, required=False)


class HouseholdFilter(forms.Form):
    """What to look for in the list of households; nonsense is simply no filter."""

    q = forms.CharField(label=gettext_lazy("Name, e-mail, telephone, number"), required=False, max_length=100)
    show = forms.ChoiceField(
        label=gettext_lazy("Show"),
        required=False,
        choices=[
            ("", gettext_lazy("all present households")),
            ("unpaid", gettext_lazy("membership not paid")),
            ("no_account", gettext_lazy("somebody without an account")),
            ("no_email", gettext_lazy("nobody with an e-mail")),
            ("left", gettext_lazy("households that have left")),
        ],
    )

    def apply(self, households, *, today):
        """Those asked for; `households` come with `is_paid`, whether their membership of today is."""
        self.is_valid()
        show, words = self.cleaned_data.get("show", ""), self.cleaned_data.get("q", "").strip()
        households = households.filter(left_on__lte=today) if show == "left" else households.present(today)
        persons = Member.objects.filter(household=OuterRef("pk"))
        if show == "unpaid":
            households = households.filter(is_paid=False)
        elif show == "no_account":
            households = households.filter(Exists(persons.filter(user=None)))
        elif show == "no_email":
            households = households.exclude(Exists(persons.exclude(email="")))
        return households.filter(self._called(words, persons)) if words else households

    @staticmethod
    def _called(words, persons):
        """The condition on a household's name, town or number, or on one of its `persons`."""
        digits = "".join(c for c in words if c.isascii() and c.isdigit())
        person = Q(contains("name", words)) | Q(email__icontains=normalise_email(words))
        if len(digits) >= 4:  # the beginning of a telephone number, without its zero
            person |= Q(phone__contains=digits.lstrip("0"))
        found = Q(contains("name", words)) | Q(contains("city", words)) | Exists(persons.filter(person))
        return found | Q(number=int(digits)) if 0 < len(digits) < 6 else found


class SeatForm(forms.Form):
    """A role for somebody who already has an account here."""

    user = forms.ModelChoiceField(label=gettext_lazy("Person"), queryset=None, empty_label=gettext_lazy("Choose…"))
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=CommitteeSeat.Role)
    starts_on = DayField(label=gettext_lazy("From"))
    ends_on = DayField(label=gettext_lazy("Until"), required=False)

    def __init__(self, *args, association, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.known_to(association.pk).order_by(Alphabetical("name"))


class SeatInvitationForm(forms.Form):
    """A role for somebody who has no account here yet."""

    email = AddressField()
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=CommitteeSeat.Role)


class ProfileForm(forms.Form):
    """One's own name and language, and in each association the telephone."""

    name = NameField(
        label=gettext_lazy("Your name"), error_messages=NO_NAME, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=Language, help_text=gettext_lazy("Of the pages and of your letters.")
    )

    def __init__(self, *args, members, **kwargs):
        super().__init__(*args, **kwargs)
        self.members = members
        for member in members:
            of = f" ({member.association.name})" if len(members) > 1 else ""
            self.fields[f"phone_{member.pk}"] = PhoneField(
                label=_("Your telephone%(of)s") % {"of": of}, required=False, initial=member.phone
            )
            self.fields[f"shows_phone_{member.pk}"] = forms.BooleanField(
                label=_("It may stand on the sign-in sheet of the distribution%(of)s") % {"of": of},
                required=False,
                initial=member.shows_phone,
            )

    def phones(self):
        """{member: {phone, shows_phone}}"""
        return {
            member: {name: self.cleaned_data[f"{name}_{member.pk}"] for name in ("phone", "shows_phone")}
            for member in self.members
        }
