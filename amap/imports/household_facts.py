"""What each line of a list of households says: its people, their address, the fee paid."""

import re
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from amap.actions.membership import refuse_other_fee
from amap.errors import Refused
from amap.forms.fields import AddressField, NameField, PhoneField
from amap.imports import postal_code, words
from amap.imports.couples import addresses_in, numbers_in, pieces_of
from amap.imports.household_columns import LABELS, PEOPLE
from amap.models import Membership
from amap.models.people import normalise_email
from amap.spreadsheets import as_beginning, as_cents, as_date, as_text, fold

YES = frozenset(words("oui|o|x|ok|1|yes|y|paye|payee|regle|reglee|vrai|true|fait"))
NO = frozenset(words("|non|n|0|no|faux|false|a payer|impaye|impayee|en attente|attente"))
METHODS = {
    **dict.fromkeys(words("cheque|chq|ch|chque"), Membership.Method.CHEQUE),
    **dict.fromkeys(words("virement|vir|vrt|transfer"), Membership.Method.TRANSFER),
    **dict.fromkeys(words("especes|espece|liquide|esp|cash"), Membership.Method.CASH),
}

# A whole address: street, postal code, town.
ADDRESS = re.compile(r"(.+?)[\s,;–-]*\b(\d{5})\b[\s,;–-]*([^\W\d].*)")
NAME = NameField(required=False)
FIELDS = {
    **{f"email_{n}": AddressField(required=False) for n in PEOPLE},
    **{f"phone_{n}": PhoneField(required=False) for n in PEOPLE},
    "landline": PhoneField(required=False),
    "address": NameField(required=False, max_length=200),
    "postal_code": NameField(required=False, max_length=10),
    "fee_reference": NameField(required=False, max_length=60),
}


@dataclass
class Person:
    """What a line says of one adult; `is_named` is False when only an address or a number is known of them."""

    name: str
    email: str
    phone: str
    is_named: bool


@dataclass
class Fee:
    paid_on: date
    method: str
    reference: str = ""
    fee_cents: int | None = None  # None: the line says that it is paid, not how much
    donation_cents: int = 0


@dataclass
class Facts:
    """What a line of the file says, cleaned."""

    number: int | None
    name: str
    is_named: bool
    people: list[Person]
    fields: dict
    fee: Fee | None


def same_name(one, other):
    """Names are compared whatever their capitals and the order of first and last name."""
    return sorted(one.casefold().split()) == sorted(other.casefold().split())


def number_in(record):
    """The member number of a line: `17`, `017`, `H-017`; None when empty."""
    text = record.text("number")
    found = re.fullmatch(r"\D{0,3}0*([1-9]\d{0,5})", text)
    if text and not found:
        raise Refused(
            _("“%(number)s” is not a member number. Correct it, or leave that column out.") % {"number": text[:30]}
        )
    return int(found[1]) if found else None


class FactsReader:
    """Reads lines; the `directory` knows the names and addresses that are here already."""

    def __init__(self, directory, options, today):
        self.directory, self.options, self.today = directory, options, today

    def read(self, record):
        """The Facts of a Record. Raises `Refused` with what cannot be."""
        given = self._clean(record, "household")
        last_names = []
        for last in (*pieces_of(self._clean(record, "last_1")), *pieces_of(self._clean(record, "last_2"))):
            if not any(same_name(last, other) for other in last_names):
                last_names.append(last)
        persons = self._people(record)
        together = " – ".join(last_names) or self._clean(record, "person_1")
        name = given or together[:100] or next((one.name for one in persons if one.name), "")
        if not name:
            raise Refused(_("No name."))
        found, addresses = [], set()
        for person in persons:
            if person.is_named or person.email or person.phone:
                person.name = person.name or name
                if person.email in addresses:
                    person.email = ""  # one address for two people: it signs one of them in
                addresses.add(person.email)
                found.append(person)
        return Facts(number_in(record), name, bool(given), found, self._fields(record), self._fee(record))

    @staticmethod
    def _clean(record, key, text=None):
        return record.clean(key, FIELDS.get(key, NAME), LABELS[key], text)

    def _people(self, record):
        """The adults of a line, one for each person it has columns for; what a cell says twice is the next one's."""
        people = [Person("", "", "", is_named=False) for _n in PEOPLE]
        readers = {"name": self._names, "email": self._emails, "phone": self._phones}
        more = []
        for n, person in zip(PEOPLE, people, strict=True):
            for attribute, read in readers.items():
                first, *others = read(record, n) or [""]
                setattr(person, attribute, first)
                more += [(attribute, other) for other in others]
            person.is_named = bool(record.text(f"person_{n}") or record.text(f"first_{n}"))
        for attribute in readers:
            for value in [value for wanted, value in more if wanted == attribute]:
                self._give(people, attribute, value)
        people[0].phone = people[0].phone or self._clean(record, "landline")
        return people

    @staticmethod
    def _give(people, attribute, value):
        """A name is the next person's; an address that of somebody who has none, or who is new; a number needs one."""
        without = [one for one in people if not getattr(one, attribute)]
        there = [one for one in without if one.is_named or one.email]
        whose = {"name": without, "email": there or without, "phone": there}[attribute]
        if whose:
            setattr(whose[0], attribute, value)
            whose[0].is_named = whose[0].is_named or attribute == "name"

    def _names(self, record, n):
        full, firsts = self._clean(record, f"person_{n}"), pieces_of(self._clean(record, f"first_{n}"))
        if full:
            return [name[:100] for name in self.directory.names_in(full)]
        lasts = pieces_of(self._clean(record, f"last_{n}"))
        if firsts and not lasts:
            lasts = pieces_of(self._clean(record, "last_1"))
        if not (firsts and lasts):
            return firsts or lasts[:1]
        return [f"{first} {lasts[min(k, len(lasts) - 1)]}"[:100] for k, first in enumerate(firsts)]

    def _emails(self, record, n):
        key = f"email_{n}"
        found = []
        for text in addresses_in(record.text(key)):
            email = normalise_email(text)
            found.append(email if email in self.directory.by_email else self._clean(record, key, text))
        return found

    def _phones(self, record, n):
        return [self._clean(record, f"phone_{n}", text) for text in numbers_in(record.text(f"phone_{n}"))]

    def _fields(self, record):
        lines = [self._clean(record, "address"), self._clean(record, "address_more")]
        said = {
            "address": ", ".join(line for line in lines if line)[:200],
            "postal_code": self._clean(record, "postal_code"),
            "city": self._clean(record, "city"),
            "joined_on": as_beginning(record["joined_on"]),
        }
        together = re.fullmatch(r"(\d{4,5})?\W*(.*)", self._clean(record, "postal_city"))
        if together:
            said["postal_code"] = said["postal_code"] or together[1] or ""
            said["city"] = said["city"] or together[2]
        behind = ADDRESS.fullmatch(said["address"])
        if behind and not said["postal_code"] and not said["city"]:
            said["address"], said["postal_code"], said["city"] = behind.groups()
        said["postal_code"] = postal_code(said["postal_code"])
        return {name: value for name, value in said.items() if value}

    def _fee(self, record):
        period, cell = self.options.get("period"), record["fee"]
        said = as_text(cell)
        if period is None or (fold(said) in NO and (said or record["fee_on"] is None)):
            return None
        fee = Fee(as_date(record["fee_on"]) or self.options["paid_on"], self.options["method"])
        method = fold(record.text("fee_method"))
        if method:
            fee.method = self._method(method)
        fee.reference = self._clean(record, "fee_reference")
        rest = []
        for piece in said.split():
            if fold(piece) in METHODS:
                fee.method = METHODS[fold(piece)]
            elif fold(piece) not in YES:
                rest.append(piece)
        if isinstance(cell, date):
            fee.paid_on = cell
        elif rest:
            self._amount_or_day(" ".join(rest), fee, period)
        if fee.paid_on > self.today:
            raise Refused(_("The day of payment is still to come."))
        return fee

    @staticmethod
    def _method(text):
        found = next((METHODS[word] for word in text.split() if word in METHODS), None)
        if found is None:
            raise Refused(_("“%(typed)s” is neither cheque, transfer nor cash.") % {"typed": text[:30]})
        return found

    @staticmethod
    def _amount_or_day(text, fee, period):
        try:
            cents = as_cents(text, max_cents=100_000)
        except Refused:
            try:
                if "€" in text:  # several amounts, or words about one
                    raise
                fee.paid_on = as_date(int(text) if text.isdecimal() else text, (period.starts_on, period.ends_on))
            except Refused:
                raise Refused(
                    _("“%(typed)s” does not say whether the fee is paid. Write yes, no, or the amount.")
                    % {"typed": text[:30]}
                ) from None
            return
        fee.fee_cents = period.fee_within(cents) or cents
        fee.donation_cents = cents - fee.fee_cents
        refuse_other_fee(period, fee.fee_cents)
