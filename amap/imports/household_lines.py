"""The lines of a list of households against those that are here: whom each is about, what it changes."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.errors import Refused
from amap.euros import euros_text
from amap.imports import Line, State, stored_phone, wrong
from amap.imports.directory import Directory, name_key
from amap.imports.household_facts import Facts, FactsReader, Fee, Person, same_name
from amap.models import Household, Member, Membership
from amap.phones import phone_text
from amap.spreadsheets import fold


@dataclass
class Deed:
    """What is to be done about a line: a new household, or changes to one."""

    facts: Facts
    household: Household | None = None
    fields: dict = field(default_factory=dict)
    members: list = field(default_factory=list)  # (member, changed fields)
    newcomers: list = field(default_factory=list)  # Person
    fee: Fee | None = None


class Reader:
    """Reads the lines against the households of today."""

    def __init__(self, association, table, options, today):
        self.association, self.table = association, table
        self.directory = Directory(association, today)
        self.facts = FactsReader(self.directory, options, today)
        self.period = options.get("period") if "fee" in table.chosen or "fee_on" in table.chosen else None
        self.paid = set()
        if self.period:
            paid = Membership.objects.paid().filter(period=self.period)
            self.paid = set(paid.values_list("household_id", flat=True))
        self.lines_of = {}  # what a line has already spoken of: a household, a number, an address

    def lines(self):
        for record in self.table.records:
            title = self._title(record)
            try:
                facts = self.facts.read(record)
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
            return Deed(facts, newcomers=newcomers, fee=self._fee(facts, household))
        deed = Deed(facts, household, fee=None if household.pk in self.paid else self._fee(facts, household))
        said = facts.fields | ({"name": facts.name} if facts.is_named else {})
        for name, value in said.items():
            if getattr(household, name) != value and not (name == "name" and same_name(household.name, value)):
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

    def _fee(self, facts, household):
        """Where the line does not say how much: the fee of the day they joined, at the latest when they paid (BR-3)."""
        fee = facts.fee
        if fee and fee.fee_cents is None:
            joined_on = facts.fields.get("joined_on") or (household.joined_on if household else fee.paid_on)
            fee.fee_cents = self.period.fee_on(joined_on)
        return fee

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
        if person.is_named and not same_name(member.name, person.name):
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
