"""The questions of a sign-up: what, how to pay, and the signature."""

from django import forms
from django.core import signing as seals
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from amap.dates import date_format
from amap.errors import Refused
from amap.euros import euros_text
from amap.forms.fields import NameField, WholeField
from amap.models import Due
from contracts.pricing import turn_of
from contracts.signing import MOST_OF_A_PRODUCT, MOST_OF_A_SIZE

SEAL = "contracts.sign"


class Number(WholeField):
    """How many; left empty, none."""

    def to_python(self, value):
        return super().to_python(value) or 0


class SharesForm(forms.Form):
    """How many of each size, and at which deliveries. `choices` is what was chosen, as `contracts.signing` wants it."""

    def __init__(self, *args, proposal, chosen=(), **kwargs):
        self.proposal = proposal
        initial = {f"size_{size}": quantity for size, quantity, _turn in chosen}
        if chosen:
            initial["turn"] = chosen[0][2] or "open"
        super().__init__(*args, initial=initial, **kwargs)
        for size in proposal.items:
            self.fields[f"size_{size.pk}"] = Number(
                label=f"{size.label} · {euros_text(size.price_cents)}",
                help_text=self._season_text(size),
                min_value=0,
                max_value=MOST_OF_A_SIZE,
                widget=forms.NumberInput(attrs={"class": "quantity", "inputmode": "numeric"}),
                initial=0,
            )
        if proposal.offer.alternate_allowed:
            self.fields["turn"] = forms.ChoiceField(
                label=_("How often?"),
                choices=[
                    ("every", _("At every delivery")),
                    ("open", _("Every other delivery, whichever turn needs people")),
                    ("odd", self._turn_text(_("Every other delivery, turn A"), "odd")),
                    ("even", self._turn_text(_("Every other delivery, turn B"), "even")),
                ],
                widget=forms.RadioSelect,
                initial="every",
            )

    def _season_text(self, size):
        count = len(self.proposal.deliveries)
        return ngettext(
            "%(count)s delivery: %(sum)s for the season", "%(count)s deliveries: %(sum)s for the season", count
        ) % {"count": count, "sum": euros_text(count * size.price_cents)}

    def _turn_text(self, words, turn):
        days = [delivery.day for delivery in self.proposal.deliveries if turn_of(delivery.rank) == turn]
        return f"{words} ({date_format(days[0], 'j F')}…)" if days else words

    @property
    def choices(self):
        turn = {"open": ""}.get(turn := self.cleaned_data.get("turn", "every"), turn)
        return [
            (size.pk, quantity, turn)
            for size in self.proposal.items
            if (quantity := self.cleaned_data.get(f"size_{size.pk}"))
        ]

    def clean(self):
        return quoted(self, super().clean())


class GridForm(forms.Form):
    """So many of each product at each delivery. A wrong cell is shown; the others keep what was typed (BR-81)."""

    def __init__(self, *args, proposal, chosen=(), **kwargs):
        self.proposal = proposal
        super().__init__(*args, initial={f"c_{rank}_{product}": n for rank, product, n in chosen}, **kwargs)
        for delivery in proposal.deliveries:
            for product in proposal.items:
                self.fields[f"c_{delivery.rank}_{product.pk}"] = WholeField(
                    label=f"{date_format(delivery.day, 'j F')}, {product.name}",
                    min_value=0,
                    max_value=MOST_OF_A_PRODUCT,
                    required=False,
                    widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                )

    @property
    def choices(self):
        return [
            (delivery.rank, product.pk, quantity)
            for delivery in self.proposal.deliveries
            for product in self.proposal.items
            if (quantity := self.cleaned_data.get(f"c_{delivery.rank}_{product.pk}"))
        ]

    def clean(self):
        return quoted(self, super().clean())

    def copied(self):
        """The form's data with the first delivery's quantities at every delivery."""
        data = self.data.copy()
        first = self.proposal.deliveries[0].rank
        for delivery in self.proposal.deliveries[1:]:
            for product in self.proposal.items:
                data[f"c_{delivery.rank}_{product.pk}"] = data.get(f"c_{first}_{product.pk}", "")
        return data


def quoted(form, cleaned):
    """Put the quote of a form's choices beside them, or the reason why there is none."""
    form.quote = None
    if not form.errors:
        try:
            form.quote = form.proposal.quote(form.proposal.settle(form.choices))
        except Refused as refused:
            form.add_error(None, str(refused))
    return cleaned


class PaymentForm(forms.Form):
    """How to pay, in how many instalments. `plans` is {number: [Part]}."""

    def __init__(self, *args, offer, plans, **kwargs):
        super().__init__(*args, **kwargs)
        labels = dict(Due.Method.choices)
        self.fields["method"] = forms.ChoiceField(
            label=gettext_lazy("How will you pay?"),
            choices=[(method, labels[method].capitalize()) for method in offer.methods],
            widget=forms.RadioSelect,
            initial=offer.methods[0],
        )
        self.fields["count"] = forms.TypedChoiceField(
            label=gettext_lazy("In how many instalments?"),
            coerce=int,
            choices=[(count, self._plan_text(parts)) for count, parts in plans.items()],
            widget=forms.RadioSelect,
            initial=min(plans),
            error_messages={
                "invalid_choice": _("Choose one of these numbers of instalments: %(counts)s.")
                % {"counts": ", ".join(map(str, plans))}
            },
        )

    def _plan_text(self, parts):
        amounts = {"count": len(parts), "first": euros_text(parts[0].cents), "rest": euros_text(parts[-1].cents)}
        if len(parts) == 1:
            return _("1 payment of %(first)s") % amounts
        if parts[0].cents == parts[-1].cents:
            return _("%(count)s payments of %(first)s") % amounts
        if parts[0].cents == parts[1].cents:
            return _("%(count)s payments of %(first)s and a little less") % amounts
        return _("%(count)s payments: %(first)s, then %(rest)s") % amounts


class SignForm(forms.Form):
    """The signature. `on_paper`: somebody records the paper another household has signed (BR-22)."""

    name = NameField(label=gettext_lazy("Your first and last name"))
    consent = forms.BooleanField(error_messages={"required": gettext_lazy("Tick the box to sign.")})

    def __init__(self, *args, on_paper, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autocomplete"] = "off" if on_paper else "name"
        self.fields["name"].error_messages["required"] = _("Type the name of the person who signs.")
        if on_paper:
            self.fields["name"].label = _("Who signed the paper contract?")
            self.fields["consent"].label = _("I hold the paper contract that this household has signed.")
        else:
            self.fields["consent"].label = _(
                "I have read this contract and I commit myself, with my household, until the end of the season."
            )


class WithdrawForm(forms.Form):
    """Why a household withdraws, if it cares to say."""

    reason = NameField(label=gettext_lazy("Why?"), max_length=200, required=False)


def seal(state):
    """The state of a sign-up, small enough for an address: nothing is stored before the signature."""
    return seals.dumps(state, salt=SEAL, compress=True)


def unseal(text):
    """The state behind `seal`; None when it is empty, old-fashioned or somebody else's work."""
    try:
        return seals.loads(text or "", salt=SEAL)
    except seals.BadSignature:
        return None
