"""What a person types about payments: a pile of cheques, a reason, a choice of rows."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from amap.dates import date_format
from amap.euros import EuroField, decimal_text, euros_text
from amap.forms.fields import DayField, NameField
from contracts.actions.payments import Paper, amounts_differ, paper_problem
from contracts.models import Cheque, Instalment

NUMBER = re.compile(r"[0-9]{7}")
ROW = (
    '<tr{state}><th scope="row">{day}</th><td data-label="{number_name}">{wrong}'
    '<input id="number-{pk}" name="number-{pk}" value="{number}" aria-label="{number_label}" inputmode="numeric" '
    'maxlength="12" size="9" autocomplete="off"{invalid}>{asks}</td><td data-label="{amount_name}">'
    '<input name="amount-{pk}" value="{amount}" aria-label="{amount_label}" inputmode="decimal" maxlength="20" '
    'size="9" autocomplete="off"></td></tr>'
)
# Payments of a contract signed on paper are not taken at once (BR-43c).
LATER = (
    '<tr><th scope="row">{day}</th><td data-label="{number_name}">{wrong}<span class="soft">{later}</span></td>'
    '<td data-label="{amount_name}">{amount}</td></tr>'
)
ASKS = '<label class="choice"><input type="checkbox" name="sure-{}"{}><span>{}</span></label>'


class ChequeNumberField(forms.CharField):
    """The seven digits at the bottom left of a French cheque; spaces do not matter."""

    def to_python(self, value: Any) -> str:
        text = re.sub(r"\s", "", str(value or ""))
        if text and not NUMBER.fullmatch(text):
            raise ValidationError(_("A cheque's number has 7 digits, at the bottom left."))
        return text


CHEQUE_ROW = (
    '<tr><th scope="row"><label class="choice"><input type="checkbox" name="chosen" value="{pk}"{checked}>'
    '<span>{household}</span></label></th><td data-label="{day_name}">{day}</td>'
    '<td><a href="{url}">{number}</a></td><td>{bank}</td>'
    '<td class="num key">{amount}</td></tr>'
)


def cheque_rows(cheques, *, slug: str, ticked: set[str] | None) -> SafeString:
    """Table rows to tick cheques in, all of them unless `ticked` says which (what was posted)."""
    return format_html_join(
        "",
        CHEQUE_ROW,
        (
            {
                "pk": cheque.pk,
                "checked": SafeString(" checked") if ticked is None or str(cheque.pk) in ticked else "",
                "household": cheque.instalment.household.name,
                "day_name": _("From"),
                "day": date_format(cheque.instalment.deposit_not_before, "DATE_FORMAT"),
                "url": reverse("contracts:instalment", args=[slug, cheque.instalment_id]),
                "number": cheque.number,
                "bank": cheque.bank,
                "amount": euros_text(cheque.amount_cents),
            }
            for cheque in cheques
        ),
    )


@dataclass
class Line:
    """One awaited instalment of the pile: what was typed about its cheque, and what is wrong with it.

    `opens_on`: the day from which it is taken, if that is not today.
    """

    instalment: Instalment
    opens_on: date | None = None
    number: str = ""
    amount: str = ""
    is_sure: bool = False
    errors: list[str] = field(default_factory=list)
    asks: str = ""
    paper: Paper | None = None

    @property
    def is_filled(self) -> bool:
        return bool(self.number.strip())


@dataclass
class Bundle:
    """The awaited cheques of one household, with what they usually share: bank, drawer, date."""

    household: Any
    lines: list[Line]
    bank: str = ""
    drawer: str = ""
    dated: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def cents(self) -> int:
        return sum(line.instalment.amount_cents for line in self.lines)

    @property
    def rows(self) -> SafeString:
        """The rows of the table, written here because a template would take seconds for hundreds of them."""
        now = format_html_join("", ROW, (self._row(line) for line in self.lines if not line.opens_on))
        return now + format_html_join("", LATER, (self._row(line) for line in self.lines if line.opens_on))

    def _row(self, line: Line) -> dict[str, Any]:
        day = date_format(line.instalment.deposit_not_before, "DATE_FORMAT")
        whose = f"{self.household.name}, {day}"
        wrong = "".join(f"{error} " for error in line.errors).strip()
        pk = line.instalment.pk
        return {
            "pk": pk,
            "day": day,
            "number": line.number,
            "amount": line.amount,
            "number_name": _("Cheque no."),
            "number_label": f"{_('Cheque no.')} – {whose}",
            "amount_name": _("Amount"),
            "amount_label": f"{_('Amount')} – {whose}",
            "state": SafeString(' class="bad"') if wrong or line.asks else "",
            "invalid": format_html(' aria-invalid="true" aria-describedby="wrong-{}"', pk) if wrong else "",
            "later": _("from %(day)s") % {"day": date_format(line.opens_on, "DATE_FORMAT")} if line.opens_on else "",
            "wrong": format_html('<p class="error" id="wrong-{}">{}</p>', pk, wrong) if wrong else "",
            "asks": format_html(ASKS, pk, SafeString(" checked") if line.is_sure else "", line.asks)
            if line.asks
            else "",
        }

    @property
    def is_open(self) -> bool:
        return bool(self.errors) or any(line.is_filled for line in self.lines)


class Pile:
    """A form made by hand, for speed: hundreds of rows. Rows without a number are not handed in yet.

    Fields: `bank-H`, `drawer-H`, `dated-H` of household H; `number-N`, `amount-N`, `sure-N` of instalment N.
    """

    def __init__(self, instalments, *, today: date, data=None) -> None:
        """`instalments`: awaited cheques with their household, those of one household together."""
        self.today, self.data = today, data
        self.bundles: list[Bundle] = []
        for one in instalments:
            if not self.bundles or self.bundles[-1].household.pk != one.household_id:
                self.bundles.append(Bundle(one.household, []))
            opens_on = one.subscription.waits_until(today)
            self.bundles[-1].lines.append(Line(one, opens_on, amount=decimal_text(one.amount_cents)))
        self._prefill()
        if data is not None:
            self._read()

    def _prefill(self) -> None:
        """Bank and drawer are those of the household's last cheque; the date is today."""
        households = [bundle.household.pk for bundle in self.bundles]
        cheques = Cheque.objects.filter(instalment__household__in=households, is_void=False)
        last = {
            household: (bank, drawer)
            for household, bank, drawer in cheques.order_by("pk").values_list("instalment__household", "bank", "drawer")
        }
        for bundle in self.bundles:
            bundle.bank, bundle.drawer = last.get(bundle.household.pk, ("", bundle.household.name))
            bundle.dated = self.today.isoformat()

    def _read(self) -> None:
        for bundle in self.bundles:
            for name in ("bank", "drawer", "dated"):
                setattr(bundle, name, self.data.get(f"{name}-{bundle.household.pk}", getattr(bundle, name)))
            for line in bundle.lines:
                pk = line.instalment.pk
                line.number = self.data.get(f"number-{pk}", "")
                line.amount = self.data.get(f"amount-{pk}", line.amount)
                line.is_sure = f"sure-{pk}" in self.data

    def fill(self, household_pk: int) -> "Bundle | None":
        """Give a household's rows without a number the ones that follow the last number typed before them."""
        bundle = next((one for one in self.bundles if one.household.pk == household_pk), None)
        if bundle is None:
            return None
        before = ""
        for line in bundle.lines:
            if line.is_filled:
                before = line.number.replace(" ", "")
            elif not line.opens_on and NUMBER.fullmatch(before):
                before = f"{int(before) + 1:07d}"
                line.number = before
        if not NUMBER.fullmatch(before):
            bundle.errors["fill"] = [_("Type the first cheque's number, then ask for the next ones.")]
        return bundle

    def check(self) -> list[Line]:
        """Look at every filled row; returns those that can be taken. The others say what is wrong, or ask."""
        filled = [(bundle, [line for line in bundle.lines if line.is_filled]) for bundle in self.bundles]
        for bundle, lines in filled:
            if lines:
                self._check_bundle(bundle, lines)
        ready = [line for _bundle, lines in filled for line in lines if line.paper]
        self._ask_about_twins(ready)
        return [line for line in ready if not line.asks or line.is_sure]

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """What is wrong or asked, for the top of the page: (the id it is at, whose it is, the words)."""
        found = []
        for bundle in self.bundles:
            pk, name = bundle.household.pk, bundle.household.name
            for where, errors in bundle.errors.items():
                at = f"household-{pk}" if where == "fill" else f"{where}-{pk}"
                found += [(at, name, error) for error in errors]
            for line in bundle.lines:
                day = date_format(line.instalment.deposit_not_before, "DATE_FORMAT")
                asks = [] if line.is_sure or not line.asks else [line.asks]
                found += [(f"number-{line.instalment.pk}", f"{name}, {day}", words) for words in line.errors + asks]
        return found

    def _check_bundle(self, bundle: Bundle, lines: list[Line]) -> None:
        shared = {
            "bank": NameField(max_length=60, required=False),
            "drawer": NameField(error_messages={"required": gettext_lazy("Say who signed the cheque.")}),
            "dated": DayField(error_messages={"required": gettext_lazy("Give the date written on the cheque.")}),
        }
        clean = {}
        for name, it in shared.items():
            clean[name] = _cleaned(it, getattr(bundle, name), bundle.errors.setdefault(name, []))
        bundle.errors = {name: errors for name, errors in bundle.errors.items() if errors}
        for line in lines:
            number = _cleaned(ChequeNumberField(), line.number, line.errors)
            cents = _cleaned(EuroField(), line.amount, line.errors)
            if bundle.errors or line.errors:
                continue
            paper = Paper(number, clean["drawer"], cents, clean["dated"], clean["bank"])
            if problem := paper_problem(line.instalment, paper, self.today):
                line.errors.append(problem)
                continue
            if cents < line.instalment.amount_cents:
                line.asks = _("%(differ)s Tick to take it as a part: the rest stays awaited.") % {
                    "differ": amounts_differ(line.instalment, cents)
                }
                paper = Paper(number, clean["drawer"], cents, clean["dated"], clean["bank"], is_part=line.is_sure)
            line.paper = paper

    def _ask_about_twins(self, ready: list[Line]) -> None:
        """The same number of the same bank and drawer twice is a question, not a bar (reliability.md §5.3)."""
        numbers = {line.paper.number for line in ready}
        known = {
            (number, bank.casefold(), drawer.casefold()): (reference, received_at)
            for number, bank, drawer, reference, received_at in Cheque.objects.filter(
                number__in=numbers,
                is_void=False,
                instalment__association__in={one.instalment.association_id for one in ready},
            ).values_list("number", "bank", "drawer", "instalment__reference", "received_at")
        }
        here: set[tuple[str, str, str]] = set()
        for line in ready:
            key = (line.paper.number, line.paper.bank.casefold(), line.paper.drawer.casefold())
            if key in here:
                line.asks = _("This number is twice in the pile. Tick if these are two cheques.")
            elif key in known:
                reference, received_at = known[key]
                line.asks = _(
                    "No. %(number)s was received on %(day)s for %(reference)s. Tick if this is another cheque."
                ) % {
                    "number": line.paper.number,
                    "day": date_format(received_at, "DATE_FORMAT"),
                    "reference": reference,
                }
            here.add(key)


def _cleaned(it: forms.Field, typed: str, errors: list[str]) -> Any:
    try:
        return it.clean(typed)
    except ValidationError as wrong:
        errors.extend(wrong.messages)


class ReasonForm(forms.Form):
    """Why something goes backwards; the history keeps it."""

    reason = NameField(
        label=gettext_lazy("Why"),
        max_length=200,
        error_messages={"required": gettext_lazy("Say why, in a few words: the history keeps it.")},
    )


class OnDayForm(forms.Form):
    """The day something happened: today unless said otherwise."""

    on = DayField(label=pgettext_lazy("date", "On"), error_messages={"required": gettext_lazy("Give the day.")})


class ChosenForm(OnDayForm):
    """Rows ticked in a list, and the day. `rows`: the queryset they may come from."""

    def __init__(self, *args: Any, rows: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chosen"] = forms.ModelMultipleChoiceField(
            rows,
            label=gettext_lazy("Lines"),
            error_messages={
                "required": gettext_lazy("Tick at least one line."),
                "invalid_choice": gettext_lazy("The list has changed meanwhile: look at it again."),
            },
        )
