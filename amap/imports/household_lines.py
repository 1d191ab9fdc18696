"""Reading the lines of a list of households: what each says, whom it is about, what it changes."""

import re
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from amap.actions.membership import refuse_other_fee
from amap.dates import date_format
from amap.errors import Refused
from amap.euros import euros_text
from amap.forms.fields import AddressField, NameField, PhoneField
from amap.imports import Line, State, postal_code, stored_phone, words, wrong
from amap.imports.couples import addresses_in, numbers_in, pieces_of
from amap.imports.directory import Directory, name_key
from amap.imports.household_columns import LABELS, PEOPLE
from amap.models import Household, Member, Membership
from amap.models.people import normalise_email
from amap.phones import phone_text
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
    fee_cents: int = 0
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


@dataclass
class Deed:
    """What is to be done about a line: a new household, or changes to one."""

    facts: Facts
    household: Household | None = None
    fields: dict = field(default_factory=dict)
    members: list = field(default_factory=list)  # (member, changed fields)
    newcomers: list = field(default_factory=list)  # Person
    fee: Fee | None = None


def _same_name(one, other):
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


class Reader:
    """Reads the lines against the households of today."""

    def __init__(self, association, table, options, today):
        self.association, self.table, self.options, self.today = association, table, options, today
        self.directory = Directory(association, today)
        period = options.get("period") if "fee" in table.chosen or "fee_on" in table.chosen else None
        self.paid = set()
        if period:
            self.paid = set(Membership.objects.paid().filter(period=period).values_list("household_id", flat=True))
        self.lines_of = {}  # what a line has already spoken of: a household, a number, an address

    def lines(self):
        for record in self.table.records:
            title = self._title(record)
            try:
                facts = self._read(record)
                title = facts.name
                household = self._find(facts)
                self._refuse_twice(record, facts, household)
                deed = self._deed(facts, household)
                details = self._details(deed)
            except Refused as refused:
                yield wrong(record, title, refused)
                continue
            state = State.NEW if household is None else State.CHANGED if details else State.UNCHANGED
            if household is not None:
                title = f"{household.code} {household.name}"
            yield Line(record.number, state, title, details, sheet=record.sheet, content=deed)

    @staticmethod
    def _title(record):
        names = [record.text(key) for key in ("household", "last_1", "first_1", "person_1", "email_1")]
        return next((name for name in names if name), "")[:100]

    # What the line says

    def _read(self, record):
        given = self._clean(record, "household")
        last_names = []
        for last in (*pieces_of(self._clean(record, "last_1")), *pieces_of(self._clean(record, "last_2"))):
            if not any(_same_name(last, other) for other in last_names):
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
        fee.fee_cents = period.fee_cents
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

    # Whom it is about

    def _find(self, facts):
        """The household of today the line is about, or None for a new one. Raises `Refused` when in doubt."""
        return self.directory.find(
            number=facts.number,
            emails=[one.email for one in facts.people],
            people=[one.name for one in facts.people if one.is_named],
            name=facts.name,
            lives_there=lambda household: self._lives_there(facts, household),
        )

    @staticmethod
    def _lives_there(facts, household):
        said = {name: value for name, value in facts.fields.items() if name in ("address", "postal_code")}
        return bool(said) and all(fold(getattr(household, name)) == fold(value) for name, value in said.items())

    def _refuse_twice(self, record, facts, household):
        spoken = [("person", one.email) for one in facts.people if one.email]
        if facts.number:
            spoken.append(("number", facts.number))
        if household is not None:
            spoken.append(("household", household.pk))
        elif not spoken:
            spoken.append(("name", facts.name, *(one.name for one in facts.people), facts.fields.get("address")))
        for thing in spoken:
            if thing in self.lines_of:
                raise Refused(
                    _("Already on line %(line)s. A household is one line, with all its people.")
                    % {"line": self.lines_of[thing]}
                )
        self.lines_of.update(dict.fromkeys(spoken, record.number))

    # What it changes

    def _deed(self, facts, household):
        if household is None:
            newcomers = facts.people or [Person(facts.name, "", "", True)]
            self._refuse_crowd(facts.name, len(newcomers))
            return Deed(facts, newcomers=newcomers, fee=facts.fee)
        deed = Deed(facts, household, fee=None if household.pk in self.paid else facts.fee)
        said = facts.fields | ({"name": facts.name} if facts.is_named else {})
        for name, value in said.items():
            if getattr(household, name) != value and not (name == "name" and _same_name(household.name, value)):
                deed.fields[name] = value
        members = list(household.members.all())
        free = list(members)
        for n, person in enumerate(facts.people):
            member = self._member(person, free, members[n] if n < len(members) else None)
            if member is None:
                deed.newcomers.append(person)
                continue
            free.remove(member)
            changed = self._changes(member, person)
            if changed:
                deed.members.append((member, changed))
        if deed.newcomers:
            self._refuse_crowd(household.name, len(members) + len(deed.newcomers))
        return deed

    def _refuse_crowd(self, name, count):
        most = self.association.people_per_household_max
        if count > most:
            raise Refused(
                _("%(name)s would have %(count)s people; %(most)s at most.")
                % {"name": name, "count": count, "most": most}
            )

    @staticmethod
    def _member(person, free, same_place):
        """Who of the household is meant: same e-mail, same name, or same place when nothing speaks against it."""
        for member in free:
            if person.email and member.email == person.email:
                return member
        for member in free:
            if person.is_named and name_key(member.name) == name_key(person.name):
                return member
        if same_place in free:
            common = not set(fold(same_place.name).split()).isdisjoint(fold(person.name).split())
            if not person.is_named or (common and not (person.email and same_place.email)):
                return same_place
        return None

    def _changes(self, member, person):
        changed = {}
        if person.is_named and not _same_name(member.name, person.name):
            changed["name"] = person.name
        if person.email and member.email != person.email:
            if member.user_id:
                raise Refused(_("%(name)s has an account and changes the address there.") % {"name": member.name})
            changed["email"] = person.email
        if person.phone and stored_phone(member.phone) != person.phone:
            changed["phone"] = person.phone
        return changed

    # In words

    def _details(self, deed):
        if deed.household is None:
            lines = [_person_text(one) for one in deed.newcomers]
            lines += [self._value(name, value) for name, value in deed.facts.fields.items()]
        else:
            lines = [
                _("%(what)s: %(before)s → %(after)s")
                % {
                    "what": Household._meta.get_field(name).verbose_name,
                    "before": self._value(name, getattr(deed.household, name)) or "–",
                    "after": self._value(name, value),
                }
                for name, value in deed.fields.items()
            ]
            lines += [
                _("%(what)s of %(who)s: %(before)s → %(after)s")
                % {
                    "what": Member._meta.get_field(name).verbose_name,
                    "who": member.name,
                    "before": phone_text(getattr(member, name)) or "–",
                    "after": phone_text(value),
                }
                for member, changed in deed.members
                for name, value in changed.items()
            ]
            lines += [_("one more person: %(who)s") % {"who": _person_text(one)} for one in deed.newcomers]
        if deed.fee:
            cents = deed.fee.fee_cents + deed.fee.donation_cents
            lines.append(
                _("fee of %(sum)s paid on %(day)s (%(method)s)")
                % {
                    "sum": euros_text(cents),
                    "day": date_format(deed.fee.paid_on, "SHORT_DATE_FORMAT"),
                    "method": Membership.Method(deed.fee.method).label,
                }
            )
        return lines

    @staticmethod
    def _value(name, value):
        return date_format(value, "SHORT_DATE_FORMAT") if name == "joined_on" else str(value)


def _person_text(person):
    return ", ".join(part for part in (person.name, person.email, phone_text(person.phone)) if part)
