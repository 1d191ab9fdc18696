"""Reading the lines of a list of contracts: whose each is, what they add up to, what that costs."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap.errors import Refused
from amap.euros import equivalents_text, euros_text
from amap.imports import Line, State, words, wrong
from amap.imports.couples import addresses_in
from amap.imports.directory import Directory
from amap.imports.household_facts import number_in
from amap.models import Household
from amap.models.people import normalise_email
from amap.spreadsheets import as_quantity, as_text, fold
from contracts import signing
from contracts.imports.columns import HALF, PARTS, WHO, item_called
from contracts.models import Subscription, SubscriptionLine

TURNS = {
    **dict.fromkeys(words("|toutes|tous|chaque|hebdo|hebdomadaire|every|toutes les semaines|every delivery"), "every"),
    **dict.fromkeys(words("a|odd|impaire|impaires|impair|1|semaine a|groupe a|tour a"), "odd"),
    **dict.fromkeys(words("b|even|paire|paires|pair|2|semaine b|groupe b|tour b"), "even"),
}
# A number of shares and half a one, or only that.
AND_A_HALF = re.compile(r"(\d*)(?:[.,]50?| ?½| ?1/2)", re.ASCII)


@dataclass
class Deed:
    """A contract to be written down: what is chosen, in how many instalments."""

    household: Household
    choices: list
    count: int


@dataclass
class _Basket:
    """What all lines about one household add up to."""

    record: object
    household: Household
    chosen: dict = field(default_factory=lambda: defaultdict(int))
    count: int = 0


class Reader:
    """Reads the grid against the households, the offer and its contracts of today."""

    def __init__(self, association, table, options, today):
        self.table, self.options, self.today = table, options, today
        self.offer, self.proposal = options["offer"], options["proposal"]
        self.items, self.by_pk = self.proposal.items, self.proposal.by_item
        self.first_rank = self.proposal.deliveries[0].rank
        self.directory = Directory(association, today)
        self.signed = self._signed()
        households = association.households.annotate(known=signing.memberships_of(OuterRef("pk")))
        self.memberships = dict(households.values_list("pk", "known"))
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
        emails = [normalise_email(text) for text in addresses_in(record.text("email_1"))]
        full = self.directory.names_in(person) if record.text("person_1") or record.text("first_1") else []
        number = number_in(record)
        found = self.directory.find(number=number, emails=emails, people=full, name=name or person)
        person = " ".join(full) or person
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
                self._add(chosen, self.by_pk[int(pk)], turn, cell)
            elif kind == "rank":
                if item is None:
                    raise Refused(_("Which product? Add a column naming it, or a sheet per product."))
                if int(pk) >= self.first_rank:
                    self._set(chosen, (int(pk), item.pk), self._quantity(cell))
        if record.text("item") and not any(key.startswith("rank_") for key in self.table.chosen):
            self._add(chosen, item, turn, 1 if record["quantity"] is None else record["quantity"])
        return chosen

    def _item(self, record):
        named = record.text("item")
        if named:
            found = item_called(named, self.items)
            if found is None:
                raise Refused(
                    _("“%(typed)s” is none of: %(items)s.")
                    % {"typed": named[:40], "items": ", ".join(str(item) for item in self.items)}
                )
            return found
        return item_called(record.sheet, self.items) or (self.items[0] if len(self.items) == 1 else None)

    def _add(self, chosen, item, turn, cell):
        """So many at each delivery. Half a share, as in `0,5` or `1½`, is one of half the size, where there is one."""
        if self.offer.is_by_date:
            for delivery in self.proposal.deliveries:
                self._set(chosen, (delivery.rank, item.pk), self._quantity(cell))
            return
        half = self._half_of(item)
        said = AND_A_HALF.fullmatch(as_text(cell)) if half else None
        if said or (half and PARTS.get(fold(as_text(cell))) == HALF):
            self._set(chosen, (half.pk, turn), 1)
            cell = said[1] if said else None
        self._set(chosen, (item.pk, turn), self._quantity(cell))

    def _half_of(self, size):
        return next((one for one in self.items if one.coefficient_hundredths * 2 == size.coefficient_hundredths), None)

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
        choices = self._choices(basket.chosen)
        quote = self.proposal.quote(choices)
        deed = Deed(basket.household, choices, basket.count or self._usual_count(quote))
        first_day = self.proposal.by_rank[quote.ranks[0]].day
        signing.refuse_run_out(self.memberships[basket.household.pk], self.today, first_day)
        plan = self.proposal.plan(quote, deed.count)
        self._take(quote.equivalents_hundredths)
        return deed, quote, plan

    def _usual_count(self, quote):
        """As many instalments as is said for all lines, or the next smaller number where that many are not offered."""
        wanted = self.options["count"]
        return max((count for count in self.proposal.plans(quote) if count <= wanted), default=wanted)

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
