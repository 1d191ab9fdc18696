"""The contracts of a season under way: a grid of households by share or by date, or a column naming the share.

`columns` knows the headings, `lines` reads what is under them, `grid` takes contracts out in the same shape.
"""

from datetime import datetime, time, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from amap.actions import money
from amap.converters import id_in
from amap.errors import Refused
from amap.forms.fields import DayField
from amap.imports import Kind, chosen_sheet, dependents, imported, some
from amap.models import Due, Household
from amap.names import Alphabetical
from amap.spreadsheets import as_text
from amap.words import pair
from contracts import signing
from contracts.actions import copies, payments
from contracts.imports import columns
from contracts.imports.grid import exported
from contracts.imports.lines import Reader
from contracts.models import (
    Cheque,
    ContractDocument,
    ContractOffer,
    Instalment,
    Signature,
    Subscription,
    SubscriptionLine,
)


class OptionsForm(forms.Form):
    """What the papers say for all lines: which contract, since when, how it is paid."""

    offer = forms.TypedChoiceField(
        label=gettext_lazy("Contract"), help_text=gettext_lazy("Those that are open or running.")
    )
    signed_on = DayField(
        label=gettext_lazy("The papers were signed on"),
        required=False,
        help_text=gettext_lazy("Left empty: two weeks before the first delivery, or today if that is still to come."),
    )
    first_on = DayField(
        label=gettext_lazy("The contracts begin with the delivery of"),
        required=False,
        help_text=gettext_lazy("Left empty: the first one of the season."),
    )
    method = forms.ChoiceField(label=gettext_lazy("Paid by"), choices=Due.Method)
    count = forms.IntegerField(
        label=gettext_lazy("Number of instalments"),
        min_value=1,
        max_value=52,
        help_text=gettext_lazy("Unless a column says otherwise; fewer where a total is too small for so many."),
    )
    payments = forms.ChoiceField(
        label=gettext_lazy("The payments"),
        choices={
            "awaited": gettext_lazy("are still awaited"),
            "handed_in": gettext_lazy("have been handed in: all cheques are there, the transfers are ordered"),
        },
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, association, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        live = (
            association.offers.filter(status__in=ContractOffer.LIVE)
            .select_related("farm")
            .order_by(Alphabetical("title"))
        )
        offers = {str(offer.pk): offer for offer in live}
        choices = [(pk, f"{offer.title} – {offer.farm}") for pk, offer in offers.items()]
        self.fields["offer"].choices = choices if len(choices) == 1 else [("", "–"), *choices]
        self.fields["offer"].coerce = offers.get
        if not offers:
            self.fields["offer"].help_text = _("None yet. Propose a season contract first, agree on it and open it.")
        self.initial = {"method": Due.Method.CHEQUE, "count": 1, "payments": "handed_in"}

    def clean_signed_on(self):
        day = self.cleaned_data["signed_on"]
        if day and day > self.today:
            raise forms.ValidationError(_("This day is still to come."))
        return day

    def clean(self):
        """Beside the answers: `season`, all deliveries, and `proposal`, those the contracts begin with."""
        data = super().clean()
        offer = data.get("offer")
        if offer and data.get("method") and data["method"] not in offer.methods:
            self.add_error("method", _("Choose one of the ways to pay that the farm accepts."))
        if offer:
            data["signed_at"] = self._signed_at()
            around = signing.look_around(offer, None, self.today)
            proposal = signing.Proposal(around, now=data["signed_at"], is_paper=True, first_rank=1)
            first_on, data["season"], data["proposal"] = data.get("first_on"), proposal.deliveries, proposal
            proposal.deliveries = [one for one in proposal.deliveries if first_on is None or one.day >= first_on]
            if not proposal.deliveries:
                self.add_error("first_on", _("No delivery is left from that day on."))
        return data

    def _signed_at(self):
        """When the papers were signed, at noon."""
        first = self.cleaned_data["offer"].starts_on - timedelta(days=14)
        day = self.cleaned_data.get("signed_on") or min(first, self.today)
        return timezone.make_aware(datetime.combine(day, time(12)))


class Contracts(Kind):
    name = "contracts"
    most_at_once = 150
    label = gettext_lazy("Running contracts")
    lede = gettext_lazy(
        "The contracts signed on paper for an open or running offer: households in lines, shares or dates in columns."
    )
    options_form = OptionsForm

    def columns(self, options):
        return columns.columns(options)

    def recognise(self, headings, known, options):
        return columns.recognise(headings, known, options)

    def plan_lines(self, association, table, options, today):
        if not set(columns.WHO).intersection(table.chosen):
            raise Refused(_("Say which column tells the household: its number, an e-mail or the name."))
        if not any(key == "item" or key.startswith(("item_", "rank_")) for key in table.chosen):
            raise Refused(_("Say which columns hold the quantities, or which one names the share."))
        return list(Reader(association, table, options, today).lines())

    def sheets_of(self, batch, options):
        """A sheet per product, when the offer has products and several sheets are named after them."""
        proposal = options.get("proposal")
        if proposal is None or not proposal.offer.is_by_date or "item" in batch.columns:
            return super().sheets_of(batch, options)
        chosen = chosen_sheet(batch)
        named = [sheet for sheet in batch.sheets if columns.item_called(sheet["name"], proposal.items)]
        if chosen not in named:
            return [chosen]
        other = [sheet["name"] for sheet in named if _headings(sheet, batch) != _headings(chosen, batch)]
        if other:
            raise Refused(
                _("These sheets do not have the same headings as “%(sheet)s”: %(others)s. Make them alike.")
                % {"sheet": chosen["name"], "others": ", ".join(other)}
            )
        return named

    def write(self, batch, lines, options, *, by, now):
        rows, instalments = [], []
        offer, proposal = options["offer"], options["proposal"]
        for line in lines:
            deed = line.content
            signed = copies.copy(
                offer,
                household=deed.household,
                choices=deed.choices,
                instalment_count=deed.count,
                method=options["method"],
                name=_("%(household)s, imported from %(file)s")
                % {"household": deed.household.name[:40], "file": batch.file_name[:40]},
                first_rank=proposal.deliveries[0].rank,
                signed_at=options["signed_at"],
                by=by,
                now=now,
            )
            rows.append(imported(batch, line, signed, after={"payments": options["payments"]}))
            instalments += signed.instalments.all()
        if options["payments"] == "handed_in":
            _hand_in(instalments, options["method"], proposal.today, by=by, now=now)
        return rows

    def undo(self, batch, *, by, now):
        made = batch.rows.filter(about="contracts.subscription", is_new=True).values("about_id")
        _refuse_if_moved_on(made, batch.options["payments"])
        reason = _("import undone")
        cheques = Cheque.objects.filter(instalment__subscription__in=made)
        received = money.standing([f"cheque:{pk}:received" for pk in cheques.values_list("pk", flat=True)])
        money.reverse_all(received.values(), by=by, now=now, reason=reason)
        cheques.delete()
        Instalment.objects.filter(subscription__in=made).delete()
        for subscription in Subscription.objects.filter(pk__in=made).order_by("pk"):
            copies.erase(subscription, by=by, now=now, reason=reason)
        return 0

    def export(self, association, today, which=""):
        offer = association.offers.filter(pk=id_in(which)).first()
        return exported(offer) if offer else ([], [])

    def exports(self, association):
        """A file per offer that households have signed."""
        signed = association.offers.filter(subscriptions__status__in=Subscription.HOLDS).distinct()
        return [(f"?of={pk}", pair(self.label, title)) for pk, title in signed.values_list("pk", "title")]


def _headings(sheet, batch):
    """What stands on a sheet's line of headings; nothing when there is no such line."""
    lines = sheet["rows"][batch.heading_line - 1 : batch.heading_line] if batch.heading_line else []
    return [as_text(cell) for line in lines for cell in line if cell is not None]


def _hand_in(instalments, method, signed_on, *, by, now):
    if method == Due.Method.TRANSFER:
        payments.declare(*instalments, by=by, now=now, is_old_news=True)
        return
    pile = [
        (
            one,
            payments.Paper(number="–", drawer=one.household.name, amount_cents=one.amount_cents, issued_on=signed_on),
        )
        for one in instalments
    ]
    payments.receive(pile, by=by, now=now, is_old_news=True)


def _refuse_if_moved_on(made, handed_in):
    """Raises `Refused` when a payment has moved on or a basket was given out since."""
    needed = dependents(Subscription, made, but=(SubscriptionLine, Signature, Instalment, ContractDocument))
    status = Instalment.Status
    still = [status.RECEIVED, status.DECLARED] if handed_in == "handed_in" else [status.PLANNED]
    moved = Instalment.objects.filter(subscription__in=made).exclude(status__in=still, cheques__batch=None)
    needed.update(moved.values_list("subscription", flat=True))
    if needed:
        names = list(Household.objects.filter(subscriptions__in=needed).values_list("name", flat=True))
        raise Refused(
            ngettext(
                "It can no longer be undone: since then %(names)s has had a basket, or a payment has moved on.",
                "It can no longer be undone: since then %(names)s have had baskets, or payments have moved on.",
                len(needed),
            )
            % {"names": some(names)}
        )
