"""The questions an offer is made of, one subject per page."""

import re
from copy import copy
from datetime import date, datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from amap.dates import date_format
from amap.euros import EuroField, HundredthsField
from amap.forms.fields import DayField, NameField, TextField
from contracts.models import ContractOffer, FarmBudgetLine
from contracts.wording import TERMS

MOST_DAYS = 60


class Rows:
    """A list of small forms on one page: lines of a budget, sizes, products. A line left empty does not count.

    Works without script: there are always some empty lines, and saving makes more, up to `most` in all.
    """

    most = 60

    def __init__(self, form_class, prefix, *, data=None, initial=(), blank=2):
        self.prefix = prefix
        count = min(len(initial) + blank, self.most)
        if data is not None:
            typed = data.get(self.count_name, "")
            count = min(int(typed), self.most) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
        starts = [*initial, *[None] * count][:count]
        self.forms = [form_class(data, prefix=f"{prefix}-{n}", initial=start) for n, start in enumerate(starts)]

    @property
    def count_name(self):
        return f"{self.prefix}-count"

    def is_valid(self):
        return not [form for form in self.forms if not (form.is_blank() or form.is_valid())]

    @property
    def cleaned(self):
        return [form.cleaned_data for form in self.forms if not form.is_blank()]

    def __iter__(self):
        return iter(self.forms)

    def __len__(self):
        return len(self.forms)


class Row(forms.Form):
    """One line of `Rows`. `typed` are the fields that show somebody wrote on it."""

    use_required_attribute = False
    typed: tuple[str, ...] = ()

    def is_blank(self):
        return self.is_bound and not any(self[name].data for name in self.typed)


class NewOfferForm(forms.ModelForm):
    """What is offered, and where it is handed out; the rest has pages of its own."""

    title = NameField(
        label=gettext_lazy("Title"), max_length=80, help_text=gettext_lazy("For example “Vegetables 2027-28”.")
    )

    class Meta:
        model = ContractOffer
        fields = ("title", "kind", "place")
        widgets = {"kind": forms.RadioSelect}

    def __init__(self, *args, association, source=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = ContractOffer.Kind.choices
        self.fields["place"].queryset = association.places.all()
        self.fields["place"].empty_label = None
        if source:
            del self.fields["kind"]
            self.initial = {"title": source.title, "place": source.place_id} | self.initial


class PartForm(forms.ModelForm):
    """A part of an offer. Nothing is saved here: `cleaned_data` goes to the action, on the row it has locked."""

    def __init__(self, data=None, *, offer):
        super().__init__(data, instance=copy(offer))
        for name, field in self.fields.items():
            if isinstance(field, TextField):
                field.label = capfirst(ContractOffer._meta.get_field(name).verbose_name)
                field.widget.attrs["rows"] = 5


class BasicsForm(PartForm):
    title = NameField(label=gettext_lazy("Title"), max_length=80)
    code = forms.RegexField(
        r"^[A-Za-z0-9]{2,8}$",
        label=gettext_lazy("Short code"),
        help_text=gettext_lazy("2 to 8 letters or digits. It stands in the references of bank transfers."),
        error_messages={"invalid": gettext_lazy("Use 2 to 8 letters or digits, without accents or spaces.")},
    )
    description = TextField(required=False, help_text=gettext_lazy("May be changed at any time."))

    class Meta:
        model = ContractOffer
        fields = ("title", "kind", "place", "code", "description")
        widgets = {"kind": forms.RadioSelect}

    def __init__(self, data=None, *, offer):
        super().__init__(data, offer=offer)
        self.fields["kind"].choices = ContractOffer.Kind.choices
        self.fields["place"].queryset = offer.association.places.all()
        self.fields["place"].empty_label = None


class DescriptionForm(PartForm):
    """All that may still change from the opening on (BR-14)."""

    description = TextField(required=False)

    class Meta:
        model = ContractOffer
        fields = ("description",)


class DaysField(forms.CharField):
    """Several dates in one line: `24/12/2026, 31/12/2026`."""

    def to_python(self, value):
        days = set()
        for word in re.split(r"[,;\s]+", super().to_python(value).strip()):
            if word:
                days.add(self._day(word))
        if len(days) > MOST_DAYS:
            raise ValidationError(_("%(most)s dates at most.") % {"most": MOST_DAYS})
        return sorted(days)

    def _day(self, word):
        for pattern in ("%d/%m/%Y", "%Y-%m-%d", "%d/%m/%y"):
            try:
                return datetime.strptime(word, pattern).date()  # noqa: DTZ007
            except ValueError:
                continue
        raise ValidationError(_("“%(typed)s” is not a date. Example: 24/12/2026.") % {"typed": word[:30]})

    def prepare_value(self, value):
        return value if isinstance(value, str) or value is None else ", ".join(f"{day:%d/%m/%Y}" for day in value)


class CalendarForm(forms.Form):
    """The rhythm of a season (BR-12)."""

    starts_on = DayField(label=gettext_lazy("First delivery, from"))
    ends_on = DayField(label=gettext_lazy("Last delivery, until"))
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("Day"), coerce=int, choices=ContractOffer._meta.get_field("weekday").choices
    )
    interval_weeks = forms.TypedChoiceField(
        label=gettext_lazy("How often"),
        coerce=int,
        choices=[
            (1, gettext_lazy("every week")),
            (2, gettext_lazy("every 2 weeks")),
            (3, gettext_lazy("every 3 weeks")),
            (4, gettext_lazy("every 4 weeks")),
        ],
    )
    closures = DaysField(
        label=gettext_lazy("Dates without delivery"),
        required=False,
        max_length=1000,
        help_text=gettext_lazy("Holidays, the farm's break. For example 24/12/2026, 31/12/2026."),
    )
    exceptional_reason = NameField(
        label=gettext_lazy("Why the season is shorter than usual"), required=False, max_length=200
    )

    def __init__(self, data=None, *, offer):
        initial = {
            name: getattr(offer, name)
            for name in ("starts_on", "ends_on", "weekday", "interval_weeks", "exceptional_reason")
        } | {"closures": [closure.day for closure in offer.closures.all()]}
        super().__init__(data, initial=initial)
        weeks = offer.association.min_commitment_weeks
        self.fields["exceptional_reason"].help_text = ngettext_lazy(
            "Only when the season is shorter than %(count)s week: it has to be long enough to share the risks.",
            "Only when the season is shorter than %(count)s weeks: it has to be long enough to share the risks.",
            weeks,
        ) % {"count": weeks}


class DatesForm(forms.Form):
    """The dates of a season one by one: the ticked ones and one more. `choices`: (day, label, whether it is kept)."""

    day = forms.TypedMultipleChoiceField(
        label=gettext_lazy("All dates"),
        coerce=date.fromisoformat,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    extra = DayField(label=gettext_lazy("Add a date"), required=False)

    def __init__(self, data=None, *, choices):
        super().__init__(data, initial={"day": [day for day, _label, is_kept in choices if is_kept]})
        self.fields["day"].choices = [(day.isoformat(), label) for day, label, _is_kept in choices]

    def days(self):
        """In order, each once."""
        return sorted({*self.cleaned_data["day"], self.cleaned_data["extra"]} - {None})


class BudgetForm(forms.Form):
    """What the farm's yearly costs are shared over (BR-9)."""

    amap_share_hundredths = HundredthsField(
        label=gettext_lazy("Part of the farm's budget borne by this AMAP (%)"),
        minimum=1,
        maximum=10000,
        help_text=gettext_lazy("100 if the farm sells nowhere else; 70 if this AMAP takes 70 % of what it grows."),
    )
    planned_equivalents_hundredths = HundredthsField(
        label=gettext_lazy("Whole shares the budget is divided by"),
        minimum=1,
        help_text=gettext_lazy("A half share counts 0.5."),
    )
    budget_visibility = forms.ChoiceField(
        label=gettext_lazy("The budget is shown to"),
        choices=ContractOffer._meta.get_field("budget_visibility").choices,
        widget=forms.RadioSelect,
    )


class BudgetLineForm(Row):
    typed = ("label", "amount_cents")

    label = NameField(label=gettext_lazy("What for"), max_length=120, widget=forms.TextInput({"class": "long"}))
    category = forms.ChoiceField(label=gettext_lazy("Kind of cost"), choices=FarmBudgetLine.Category)
    amount_cents = EuroField(label=gettext_lazy("Euros per year"), max_cents=100_000_000_00)


class SharesForm(PartForm):
    """Kinds (a) and (b): what a share is, its price and how many there are (BR-15, BR-20)."""

    composition = TextField(help_text=gettext_lazy("For example: seasonal vegetables, at least 5 varieties."))
    reference_price_cents = EuroField(
        label=gettext_lazy("Price of a whole share, each delivery"), help_text=gettext_lazy("VAT included.")
    )
    capacity_hundredths = HundredthsField(
        label=gettext_lazy("How many whole shares the farm can grow"),
        minimum=1,
        help_text=gettext_lazy("A half share counts 0.5, a share every other delivery too."),
    )

    class Meta:
        model = ContractOffer
        fields = (
            "composition",
            "min_varieties",
            "reference_price_cents",
            "price_reason",
            "capacity_hundredths",
            "alternate_allowed",
            "bought_in_allowed",
            "perishable",
        )

    def __init__(self, data=None, *, offer):
        super().__init__(data, offer=offer)
        label = capfirst(ContractOffer._meta.get_field("price_reason").verbose_name)
        self.fields["price_reason"] = NameField(label=label, max_length=300, required=False)
        if offer.kind != ContractOffer.Kind.HARVEST_SHARE:
            del self.fields["min_varieties"]


class ProductsForm(PartForm):
    """Kind (c): what can be chosen date by date (BR-81)."""

    minimum_per_delivery_cents = EuroField(
        label=gettext_lazy("Least amount for a delivery"), min_cents=0, help_text=gettext_lazy("0 if there is none.")
    )
    minimum_per_season_cents = EuroField(
        label=gettext_lazy("Least amount for the season"), min_cents=0, help_text=gettext_lazy("0 if there is none.")
    )

    class Meta:
        model = ContractOffer
        fields = ("minimum_per_delivery_cents", "minimum_per_season_cents", "bought_in_allowed", "perishable")


class SizeForm(Row):
    typed = ("label", "coefficient_hundredths", "price_cents")

    label = NameField(label=gettext_lazy("Name"), max_length=60)
    coefficient_hundredths = HundredthsField(label=gettext_lazy("Part of a whole share"), minimum=1, maximum=10000)
    price_cents = EuroField(
        label=gettext_lazy("Price"), required=False, help_text=gettext_lazy("Left empty: in proportion.")
    )
    price_reason = NameField(label=gettext_lazy("Why another price"), required=False, max_length=200)


class ProductForm(Row):
    typed = ("name", "price_cents")

    name = NameField(label=gettext_lazy("Product"), max_length=80)
    unit = NameField(
        label=gettext_lazy("Unit"), required=False, max_length=30, help_text=gettext_lazy("1 kg, 50 cl, a piece…")
    )
    price_cents = EuroField(label=gettext_lazy("Price of a unit"))


class PaymentForm(PartForm):
    """How and when households pay the farm (BR-32 to BR-36), and when they may sign (BR-23, BR-24)."""

    instalment_counts = forms.TypedMultipleChoiceField(
        label=gettext_lazy("In how many payments?"),
        coerce=int,
        choices=[(n, str(n)) for n in range(1, 13)],
        widget=forms.CheckboxSelectMultiple({"class": "numbers"}),
        help_text=gettext_lazy("Households choose among these."),
    )
    min_instalment_cents = EuroField(label=gettext_lazy("Least amount of a payment"))
    payment_days = DaysField(
        label=gettext_lazy("Days of your choice"),
        required=False,
        max_length=1000,
        help_text=gettext_lazy(
            "Only where cheques are cashed on days of your choice. For example 05/10/2026, 05/01/2027."
        ),
    )
    open_on = DayField(
        label=gettext_lazy("Sign-up opens on"),
        required=False,
        help_text=gettext_lazy("Empty: as soon as the committee opens it."),
    )

    class Meta:
        model = ContractOffer
        fields = (
            "accepts_cheques",
            "accepts_transfers",
            "instalment_counts",
            "min_instalment_cents",
            "date_strategy",
            "payment_days",
            "rounding_mode",
            "open_on",
            "producer_lead_days",
            "late_join_allowed",
            "reservation_days",
        )

    def __init__(self, data=None, *, offer):
        super().__init__(data, offer=offer)
        self.initial["payment_days"] = offer.chosen_payment_days

    def clean_payment_days(self):
        """ISO dates, where the farm cashes on days of its choice; they come before the last delivery (BR-36)."""
        if self.cleaned_data.get("date_strategy") != ContractOffer.DateStrategy.CUSTOM:
            return []
        days, last = self.cleaned_data["payment_days"], self.instance.ends_on
        if not days:
            raise ValidationError(_("Give the days on which payments are cashed."))
        if last and days[-1] > last:
            raise ValidationError(
                _("%(day)s comes after the season: the last payment is cashed by %(last)s.")
                % {"day": date_format(days[-1], "DATE_FORMAT"), "last": date_format(last, "DATE_FORMAT")}
            )
        return [day.isoformat() for day in days]

    def clean(self):
        if not self.cleaned_data.get("accepts_cheques") and not self.cleaned_data.get("accepts_transfers"):
            raise ValidationError(_("Households need a way to pay: cheques, transfers or both."))
        return self.cleaned_data


class TermsForm(PartForm):
    """The words of the contract, in French (BR-10, BR-74)."""

    mediation_contact = NameField(
        label=gettext_lazy("In case of disagreement, whom to turn to"),
        max_length=200,
        help_text=gettext_lazy("The mediator or network the association has chosen."),
    )
    contract_copies = forms.IntegerField(label=gettext_lazy("Copies of the contract"), min_value=1, max_value=3)

    class Meta:
        model = ContractOffer
        fields = (*TERMS, "mediation_contact", "contract_copies")

    def __init__(self, data=None, *, offer):
        super().__init__(data, offer=offer)
        for name in TERMS:
            label = capfirst(ContractOffer._meta.get_field(name).verbose_name)
            required = name != "shortage_rule" or offer.kind != ContractOffer.Kind.HARVEST_SHARE
            self.fields[name] = TextField(label=label, required=required)
            self.fields[name].widget.attrs |= {"rows": 5, "lang": "fr"}


class CancelForm(forms.Form):
    reason = NameField(
        label=gettext_lazy("Why?"),
        max_length=200,
        help_text=gettext_lazy("Both sides and the households will read it."),
    )
