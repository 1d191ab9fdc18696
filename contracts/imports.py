"""The contracts of a season under way: a grid of households by share or by date, or a column naming the share."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from amap.actions import money
from amap.dates import short_day
from amap.errors import Refused
from amap.euros import equivalents_text, euros_text
from amap.forms.fields import DayField
from amap.imports import Column, Kind, Line, State, chosen_sheet, dependents, imported, some, words, wrong
from amap.imports.directory import Directory
from amap.imports.household_columns import COLUMNS as HOUSEHOLD_COLUMNS
from amap.imports.household_columns import recognise
from amap.imports.household_lines import number_in
from amap.models import Due, Household, Membership
from amap.models.people import normalise_email
from amap.spreadsheets import as_date, as_quantity, as_text, fold
from contracts import signing
from contracts.actions import payments, subscriptions
from contracts.models import (
    Cheque,
    ContractDocument,
    ContractOffer,
    Delivery,
    Instalment,
    Signature,
    Subscription,
    SubscriptionLine,
)

WHO = ("number", "household", "last_1", "first_1", "person_1", "email_1")
ITEM_WORDS = (
    "part|parts|formule|panier|paniers|type de panier|taille|contrat|produit|produits|article|share|product|size"
)
QUANTITY_WORDS = "quantite|qte|nombre|nb|nombre de parts|nb parts|nombre de paniers|nb paniers|quantity"
TURN_WORDS = "semaine|semaines|tour|groupe|rythme|frequence|alternance|week|turn"
COUNT_WORDS = "cheques|nb cheques|nombre de cheques|nb de cheques|echeances|nb echeances|nombre d echeances|instalments"
TURNS = {
    **dict.fromkeys(words("|toutes|tous|chaque|hebdo|hebdomadaire|every|toutes les semaines|every delivery"), "every"),
    **dict.fromkeys(words("a|odd|impaire|impaires|impair|1|semaine a|groupe a|tour a"), "odd"),
    **dict.fromkeys(words("b|even|paire|paires|pair|2|semaine b|groupe b|tour b"), "even"),
}
# What a size is often called by its part of a whole share.
PARTS = {
    **dict.fromkeys(words("1|entier|entiere|entiers|entieres|grand|grande|plein|whole"), 100),
    **dict.fromkeys(words("1 2|demi|demie|demis|petit|petite|half"), 50),
}


@dataclass
class Deed:
    """A contract to be written down: what is chosen, in how many instalments."""

    household: Household
    choices: list
    count: int


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
        help_text=gettext_lazy("Unless a column says otherwise. One of those the contract offers."),
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
        live = association.offers.filter(status__in=ContractOffer.LIVE).select_related("farm").order_by("title")
        offers = {str(offer.pk): offer for offer in live}
        choices = [(pk, f"{offer.title} – {offer.farm}") for pk, offer in offers.items()]
        self.fields["offer"].choices = choices if len(choices) == 1 else [("", "–"), *choices]
        self.fields["offer"].coerce = offers.get
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
            proposal = signing.Proposal(offer, now=data["signed_at"], is_paper=True, first_rank=1)
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
    label = gettext_lazy("Running contracts")
    lede = gettext_lazy(
        "The contracts signed on paper for an open or running offer: households in lines, shares or dates in columns."
    )
    options_form = OptionsForm

    def columns(self, options):
        who = [column for column in HOUSEHOLD_COLUMNS if column.key in WHO]
        proposal = options.get("proposal")
        if proposal is None:
            return [*who, *_common(), *_examples()]
        items = [
            Column(f"item_{item.pk}", _("Quantity: %(item)s") % {"item": item}, (fold(str(item)),))
            for item in proposal.items
        ]
        if not proposal.offer.is_by_date:
            return [*who, *items, *_common()]
        days = [Column(f"rank_{one.rank}", short_day(one.day, "D j M Y")) for one in options["season"]]
        return [*who, *_common(), *days, *items]

    def recognise(self, headings, columns, options):
        keys = recognise(headings, columns)
        keys = [key if key in WHO else "" for key in keys]
        known = {word: column.key for column in columns for word in (*column.words, fold(str(column.label)))}
        proposal = options.get("proposal")
        items, offer = (proposal.items, proposal.offer) if proposal else ([], None)
        by_day = {one.day: f"rank_{one.rank}" for one in options["season"]} if offer and offer.is_by_date else {}
        for n, heading in enumerate(headings):
            key = known.get(fold(as_text(heading)), "") or keys[n]
            if not key and by_day:
                key = by_day.get(_day(heading, offer), "")
            if not key and isinstance(heading, str) and (item := _item_called(heading, items)):
                key = f"item_{item.pk}"
            keys[n] = "" if key in keys[:n] else key
        return keys

    def plan_lines(self, association, table, options, today):
        if not set(WHO).intersection(table.chosen):
            raise Refused(_("Say which column tells the household: its number, an e-mail or the name."))
        if not any(key == "item" or key.startswith(("item_", "rank_")) for key in table.chosen):
            raise Refused(_("Say which columns hold the quantities, or which one names the share."))
        return list(_Reader(association, table, options, today).lines())

    def sheets_of(self, batch, options):
        """A sheet per product, when the offer has products and several sheets are named after them."""
        proposal = options.get("proposal")
        if proposal is None or not proposal.offer.is_by_date or "item" in batch.columns:
            return super().sheets_of(batch, options)
        chosen = chosen_sheet(batch)
        named = [sheet for sheet in batch.sheets if _item_called(sheet["name"], proposal.items)]
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
            signed = subscriptions.copy(
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
            subscriptions.erase_copy(subscription, by=by, now=now, reason=reason)
        return 0

    def export(self, association, today, which=""):
        offer = association.offers.filter(pk=which).first() if which.isdecimal() and len(which) < 18 else None
        if offer is None:
            return [], []
        return _exported(offer)

    def exports(self, association):
        """A file per offer that households have signed."""
        signed = association.offers.filter(subscriptions__status__in=Subscription.HOLDS).distinct()
        return [(f"?of={pk}", f"{self.label}: {title}") for pk, title in signed.values_list("pk", "title")]


def _common():
    return [
        Column("item", gettext_lazy("Share or product"), words(ITEM_WORDS), ("Part entière", "Demi-part", "Demi-part")),
        Column("quantity", gettext_lazy("Quantity"), words(QUANTITY_WORDS), (1, 2, 1)),
        Column(
            "turn",
            gettext_lazy("Turn"),
            words(TURN_WORDS),
            (),
            gettext_lazy("A or B (odd or even) for a share every other delivery, empty for every delivery"),
        ),
        Column("count", gettext_lazy("Instalments"), words(COUNT_WORDS), (12, 6, 1)),
    ]


def _examples():
    """What a grid may hold beside, before the contract is known."""
    return [
        Column(
            "",
            gettext_lazy("One column per share"),
            (),
            (),
            gettext_lazy("headed by its name, a quantity in each cell"),
        ),
        Column(
            "",
            gettext_lazy("One column per delivery"),
            help=gettext_lazy(
                "for quantities chosen by date: headed by its date; a line or a sheet per product, or one product only"
            ),
        ),
    ]


def _headings(sheet, batch):
    """What stands on a sheet's line of headings; nothing when there is no such line."""
    lines = sheet["rows"][batch.heading_line - 1 : batch.heading_line] if batch.heading_line else []
    return [as_text(cell) for line in lines for cell in line if cell is not None]


def _day(heading, offer):
    """The delivery day a heading names; None when it names none."""
    if heading is None or (isinstance(heading, int | float) and heading < 10_000):
        return None
    try:
        return as_date(heading, (offer.starts_on, offer.ends_on))
    except Refused:
        return None


def _item_called(text, items):
    """The only size or product that a text can mean: its name, a part of it, or its part of a whole share."""
    asked = fold(text)
    if not asked:
        return None
    for test in (
        lambda item: fold(str(item)) == asked,
        lambda item: fold(str(item)) in asked or (len(asked) > 3 and asked in fold(str(item))),
        lambda item: PARTS.get(asked) == getattr(item, "coefficient_hundredths", None) and asked in PARTS,
        lambda item: (
            {PARTS[word] for word in asked.split() if word in PARTS} == {getattr(item, "coefficient_hundredths", None)}
        ),
    ):
        found = [item for item in items if test(item)]
        if len(found) == 1:
            return found[0]
    return None


@dataclass
class _Basket:
    """What all lines about one household add up to."""

    record: object
    household: Household
    chosen: dict = field(default_factory=lambda: defaultdict(int))
    count: int = 0


class _Reader:
    """Reads the grid against the households, the offer and its contracts of today."""

    def __init__(self, association, table, options, today):
        self.table, self.options, self.today = table, options, today
        self.offer, self.proposal = options["offer"], options["proposal"]
        self.items, self.by_pk = self.proposal.items, self.proposal.by_item
        self.first_rank = self.proposal.deliveries[0].rank
        self.directory = Directory(association, today)
        self.signed = self._signed()
        self.members = self._members()
        self.free = self.offer.free_hundredths

    def _signed(self):
        """{household: {what is chosen: quantity}} of the contracts that are there already."""
        found = defaultdict(dict)
        lines = SubscriptionLine.objects.filter(
            subscription__offer=self.offer, subscription__status__in=Subscription.HOLDS
        )
        for household, size, turn, product, rank, quantity in lines.values_list(
            "subscription__household", "size", "turn", "product", "delivery__rank", "quantity"
        ):
            if rank is None or rank >= self.first_rank:
                found[household][(rank, product) if product else (size, turn)] = quantity
        return found

    def _members(self):
        """Households with a membership of the year: the others cannot have a contract (BR-2)."""
        memberships = Membership.objects.filter(association=self.offer.association_id)
        covering = set()
        for household, starts_on, ends_on in memberships.exclude(status=Membership.Status.CANCELLED).values_list(
            "household", "period__starts_on", "period__ends_on"
        ):
            if any(starts_on <= day <= ends_on for day in (self.today, self.offer.starts_on)):
                covering.add(household)
        return covering

    def lines(self):
        baskets, answers = {}, []
        for record in self.table.records:
            title = next((record.text(key) for key in (*WHO[1:], *WHO) if record.text(key)), "")[:100]
            try:
                household = self._household(record)
                chosen = self._chosen(record)
                if not chosen:
                    answers.append(Line(record.number, State.UNCHANGED, title, [_("nothing")], sheet=record.sheet))
                    continue
                basket = baskets.setdefault(household.pk, _Basket(record, household))
                if basket.record is record:
                    answers.append(basket)
                self._refuse_twice(basket, chosen)
                basket.chosen.update(chosen)
                basket.count = self._count(record) or basket.count
            except Refused as refused:
                answers.append(wrong(record, title, refused))
        for answer in answers:
            yield self._line(answer) if isinstance(answer, _Basket) else answer

    def _household(self, record):
        person = record.text("person_1") or f"{record.text('first_1')} {record.text('last_1')}".strip()
        name = record.text("household") or record.text("last_1")
        email = normalise_email(record.text("email_1"))
        full = [person] if record.text("person_1") or record.text("first_1") else []
        number = number_in(record)
        found = self.directory.find(number=number, emails=[email] if email else [], people=full, name=name or person)
        found = found or self.directory.containing(person) or (full and self.directory.containing(name)) or None
        if not found:
            raise Refused(_("No household here is like that. Bring in the households first, or correct the line."))
        if number and found.number != number:
            raise Refused(
                _("%(household)s is number %(here)s here, %(there)s in the file. Correct it, or leave that column out.")
                % {"household": found.name, "here": found.number, "there": number}
            )
        return found

    # What is chosen: {(size, turn): quantity} or {(rank, product): quantity}

    def _chosen(self, record):
        item = self._item(record)
        turn = self._turn(record)
        chosen = {}
        for key, cell in record.cells.items():
            kind, _sign, pk = key.partition("_")
            if kind == "item" and pk:
                self._add(chosen, int(pk), turn, self._quantity(cell))
            elif kind == "rank":
                if item is None:
                    raise Refused(_("Which product? Add a column naming it, or a sheet per product."))
                if int(pk) >= self.first_rank:
                    self._set(chosen, (int(pk), item.pk), self._quantity(cell))
        if record.text("item") and not any(key.startswith("rank_") for key in self.table.chosen):
            said = 1 if record["quantity"] is None else self._quantity(record["quantity"])
            self._add(chosen, item.pk, turn, said)
        return chosen

    def _item(self, record):
        named = record.text("item")
        if named:
            found = _item_called(named, self.items)
            if found is None:
                raise Refused(
                    _("“%(typed)s” is none of: %(items)s.")
                    % {"typed": named[:40], "items": ", ".join(str(item) for item in self.items)}
                )
            return found
        return _item_called(record.sheet, self.items) or (self.items[0] if len(self.items) == 1 else None)

    def _add(self, chosen, pk, turn, quantity):
        """So many at each delivery."""
        if self.offer.is_by_date:
            for delivery in self.proposal.deliveries:
                self._set(chosen, (delivery.rank, pk), quantity)
        else:
            self._set(chosen, (pk, turn), quantity)

    @staticmethod
    def _set(chosen, what, quantity):
        if quantity:
            if what in chosen:
                raise Refused(_("The same share is said twice."))
            chosen[what] = quantity

    def _quantity(self, cell):
        quantity = as_quantity(cell)
        most = signing.MOST_OF_A_PRODUCT if self.offer.is_by_date else signing.MOST_OF_A_SIZE
        if quantity > most:
            raise Refused(_("%(quantity)s is too many: %(most)s at most.") % {"quantity": quantity, "most": most})
        return quantity

    def _turn(self, record):
        said = fold(record.text("turn"))
        turn = TURNS.get(said)
        if turn is None:
            raise Refused(_("“%(typed)s” is no turn: A, B or nothing.") % {"typed": record.text("turn")[:30]})
        if turn != "every" and not self.offer.alternate_allowed:
            raise Refused(_("This contract has no shares every other delivery."))
        return turn

    @staticmethod
    def _count(record):
        count = as_quantity(record["count"])
        if count > 52:
            raise Refused(_("%(count)s instalments are too many.") % {"count": count})
        return count

    @staticmethod
    def _refuse_twice(basket, chosen):
        if set(basket.chosen).intersection(chosen):
            raise Refused(
                _("%(household)s is on line %(line)s already.")
                % {"household": basket.household.name, "line": basket.record.number}
            )

    # What it comes to

    def _line(self, basket):
        record, household = basket.record, basket.household
        title = f"{household.code} {household.name}"
        try:
            if household.pk in self.signed:
                return Line(record.number, State.UNCHANGED, title, [self._here(basket)], sheet=record.sheet)
            deed, quote, plan = self._deed(basket)
        except Refused as refused:
            return wrong(record, title, refused)
        details = [self._text(basket.chosen), self._price_text(quote, plan)]
        return Line(record.number, State.NEW, title, details, sheet=record.sheet, content=deed)

    def _here(self, basket):
        """What the contract that is here already says; raises `Refused` when the file says something else."""
        here = self.signed[basket.household.pk]
        if here != dict(basket.chosen):
            raise Refused(
                _("A contract with other quantities is here already (%(here)s). It is changed on its page.")
                % {"here": self._text(here)}
            )
        return self._text(here)

    def _deed(self, basket):
        if basket.household.pk not in self.members:
            raise Refused(_("Settle the membership of the year first; then this contract can be signed."))
        deed = Deed(basket.household, self._choices(basket.chosen), basket.count or self.options["count"])
        quote = self.proposal.quote(deed.choices)
        plan = self.proposal.plan(quote, deed.count)
        self._take(quote.equivalents_hundredths)
        return deed, quote, plan

    def _choices(self, chosen):
        if self.offer.is_by_date:
            return [(rank, product, quantity) for (rank, product), quantity in sorted(chosen.items())]
        return [(size, quantity, turn) for (size, turn), quantity in chosen.items()]

    def _take(self, wanted):
        if wanted > self.free:
            raise Refused(
                _("No room left: %(wanted)s asked, %(free)s free.")
                % {"wanted": equivalents_text(wanted), "free": equivalents_text(self.free)}
            )
        self.free -= wanted

    def _text(self, chosen):
        if self.offer.is_by_date:
            totals, days = defaultdict(int), {rank for rank, _product in chosen}
            for (_rank, product), quantity in chosen.items():
                totals[product] += quantity
            parts = [f"{totals[item.pk]} × {item}" for item in self.items if item.pk in totals]
            count = ngettext("%(count)d delivery", "%(count)d deliveries", len(days)) % {"count": len(days)}
            return f"{', '.join(parts)} ({count})"
        labels = dict(SubscriptionLine.Turn.choices)
        return ", ".join(
            f"{quantity} × {self.by_pk[size]}" + (f" ({labels[turn]})" if turn != "every" else "")
            for (size, turn), quantity in chosen.items()
        )

    def _price_text(self, quote, plan):
        count = ngettext("%(count)d instalment", "%(count)d instalments", len(plan)) % {"count": len(plan)}
        return f"{euros_text(quote.total_cents)}, {count}"


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


# Taking out


def _exported(offer):
    """The offer's contracts as the grid that can be brought in again."""
    labels = {column.key: str(column.label) for column in [*HOUSEHOLD_COLUMNS, *_common()]}
    grid = defaultdict(dict)
    lines = SubscriptionLine.objects.filter(subscription__offer=offer, subscription__status__in=Subscription.HOLDS)
    for subscription, size, turn, product, rank, quantity in lines.values_list(
        "subscription", "size", "turn", "product", "delivery__rank", "quantity"
    ):
        grid[subscription, product or turn][rank if product else size] = quantity
    signed = (
        Subscription.objects.filter(offer=offer, status__in=Subscription.HOLDS)
        .select_related("household")
        .prefetch_related("household__members", "instalments")
        .order_by("household__name", "pk")
    )
    items = list(offer.products.all() if offer.is_by_date else offer.sizes.all())
    turns = {"every": "", "odd": "A", "even": "B"}
    who = [labels[key] for key in ("number", "household", "email_1")]
    if offer.is_by_date:
        deliveries = list(offer.deliveries.exclude(status=Delivery.Status.CANCELLED).order_by("rank"))
        headings = [*who, labels["count"], labels["item"], *(f"{one.day:%d/%m/%Y}" for one in deliveries)]
        rows = (
            [*_who(one), str(item), *(grid[one.pk, item.pk].get(delivery.rank) for delivery in deliveries)]
            for one in signed
            for item in items
            if (one.pk, item.pk) in grid
        )
    else:
        headings = [*who, labels["count"], *(str(item) for item in items), labels["turn"]]
        rows = (
            [*_who(one), *(grid[one.pk, turn].get(item.pk) for item in items), mark]
            for one in signed
            for turn, mark in turns.items()
            if (one.pk, turn) in grid
        )
    return headings, rows


def _who(subscription):
    household = subscription.household
    email = next((member.email for member in household.members.all() if member.email), "")
    counted = [one for one in subscription.instalments.all() if one.status in Instalment.COUNTS]
    return [household.number, household.name, email, len(counted)]
