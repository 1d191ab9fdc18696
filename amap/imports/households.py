"""The list of households: a line per household, with two adults, an address and perhaps the fee paid."""

import re
from dataclasses import dataclass, field
from datetime import date

from django import forms
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from amap import states
from amap.access import Role
from amap.actions import membership, people
from amap.errors import Refused
from amap.euros import euros_text
from amap.forms.fields import AddressField, DayField, NameField, PhoneField
from amap.imports import Column, Kind, Line, State, by_words, dependents, imported, restore, snapshot, words, wrong
from amap.imports.directory import Directory, name_key
from amap.models import AuditEntry, Household, Member, Membership, MembershipPeriod, User
from amap.models.people import normalise_email
from amap.phones import normalise, phone_text
from amap.spreadsheets import as_cents, as_date, as_text, euros_number, fold

COLUMNS = [
    Column(
        "number",
        gettext_lazy("Member number"),
        words(
            "n|no|num|numero|n adherent|no adherent|num adherent|numero adherent|numero d adherent|adherent n|"
            "n foyer|code adherent"
        ),
        (1, 2, 3),
        gettext_lazy("left out, numbers are given in the order of the file"),
    ),
    Column(
        "household",
        gettext_lazy("Household"),
        words("foyer|famille|nom du foyer|nom foyer|nom de la famille|family|name of the household|household name"),
        ("Martin – Petit", "Nguyen", "Lefèvre"),
        gettext_lazy("left out, it is made from the last names"),
    ),
    Column("last_1", gettext_lazy("Last name, person 1"), (), ("Martin", "Nguyen", "Lefèvre")),
    Column("first_1", gettext_lazy("First name, person 1"), (), ("Paul", "Linh", "Noëlle")),
    Column("person_1", gettext_lazy("Full name, person 1")),
    Column("email_1", gettext_lazy("E-mail, person 1"), (), ("paul@example.org", "linh@example.org", "")),
    Column("phone_1", gettext_lazy("Telephone, person 1"), (), ("06 39 98 00 01", "", "01 99 00 00 03")),
    Column("last_2", gettext_lazy("Last name, person 2"), (), ("Petit", "", "")),
    Column("first_2", gettext_lazy("First name, person 2"), (), ("Julie", "", "")),
    Column("person_2", gettext_lazy("Full name, person 2")),
    Column("email_2", gettext_lazy("E-mail, person 2"), (), ("julie@example.org", "", "")),
    Column("phone_2", gettext_lazy("Telephone, person 2"), (), ("06 39 98 00 02", "", "")),
    Column(
        "address",
        gettext_lazy("Address"),
        words("adresse|adresse postale|adresse complete|adresse 1|rue|voie|domicile|street|postal address"),
        ("2 rue du Puits", "8 impasse des Lilas", "Le Moulin"),
    ),
    Column(
        "postal_code",
        gettext_lazy("Postal code"),
        words("cp|c p|code postal|code post|postcode|zip|zip code"),
        ("99100", "99100", "99200"),
    ),
    Column("city", gettext_lazy("Town"), words("ville|commune|localite|city"), ("Belombre", "Belombre", "Aulnette")),
    Column(
        "postal_city",
        gettext_lazy("Postal code and town in one column"),
        words("cp ville|cp et ville|code postal ville|code postal et ville|ville cp"),
    ),
    Column(
        "joined_on",
        gettext_lazy("Joined on"),
        words(
            "adhesion le|date adhesion|date d adhesion|adherent depuis|adherente depuis|membre depuis|depuis|entree|"
            "date entree|date d entree|arrivee|date d arrivee|inscription|date inscription|date d inscription|"
            "inscrit le|joined|member since"
        ),
        (date(2019, 9, 12), date(2026, 9, 3), date(2024, 1, 18)),
    ),
    Column(
        "fee",
        gettext_lazy("Fee paid"),
        words(
            "adhesion payee|cotisation payee|adhesion reglee|cotisation reglee|adhesion|cotisation|a jour|"
            "a jour de cotisation|paye|payee|regle|reglee|adhesion ok|cotisation ok|montant adhesion|"
            "montant cotisation|montant de la cotisation|membership paid|fee"
        ),
        ("oui", "non", "25,00"),
        gettext_lazy("yes, no, an amount (what exceeds the fee is a donation), a date, or cheque, transfer, cash"),
    ),
    Column(
        "fee_on",
        gettext_lazy("Fee paid on"),
        words(
            "payee le|paye le|regle le|reglee le|date paiement|date de paiement|date reglement|date de reglement|"
            "date cotisation|date de la cotisation|paid on"
        ),
        (date(2026, 9, 3), "", date(2026, 9, 10)),
    ),
    Column(
        "fee_method",
        gettext_lazy("Fee paid by"),
        words(
            "mode paiement|mode de paiement|mode reglement|mode de reglement|moyen de paiement|paiement|reglement|"
            "paid by|payment"
        ),
        ("chèque", "", "espèces"),
        gettext_lazy("cheque, transfer or cash"),
    ),
    Column(
        "fee_reference",
        gettext_lazy("Reference of the payment"),
        words("n cheque|no cheque|numero cheque|numero de cheque|n de cheque|cheque n|reference"),
    ),
]
LABELS = {column.key: column.label for column in COLUMNS}

# Headings about a person: what is left once the words that say which person are taken away.
PERSON_WORDS = {
    word: key
    for key, listed in {
        "last": words("nom|nom famille|last name|surname|family name"),
        "first": words("prenom|first name|given name"),
        "person": words(
            "|nom prenom|nom et prenom|prenom nom|prenom et nom|nom complet|adherent|adherente|membre|adulte|personne|"
            "contact|titulaire|full name|name|adult|person|member"
        ),
        "email": words(
            "mail|mails|e mail|email|emails|courriel|mel|adresse mail|adresse e mail|adresse email|adresse courriel|"
            "adresse electronique|courrier electronique|mail address|e mail address|email address"
        ),
        "phone": words(
            "tel|telephone|portable|mobile|tel portable|telephone portable|tel mobile|telephone mobile|gsm|"
            "numero telephone|numero tel|phone|phone number|telephone number|mobile phone"
        ),
        "landline": words("fixe|tel fixe|telephone fixe|tel domicile|telephone domicile|landline"),
    }.items()
    for word in listed
}
FIRST = frozenset(words("1|un|principal|principale"))
SECOND = frozenset(words("2|deux|conjoint|conjointe|second|seconde|secondaire|partenaire|partner|co"))
FILLERS = frozenset(words("de|du|des|d|la|le|l|n|no|e"))
ROLE_WORDS = frozenset(words("adulte|personne|membre|adherent|adherente|titulaire|contact|adult|person|member"))

YES = frozenset(words("oui|o|x|ok|1|yes|y|paye|payee|regle|reglee|vrai|true|fait"))
NO = frozenset(words("|non|n|0|no|faux|false|a payer|impaye|impayee|en attente|attente"))
METHODS = {
    **dict.fromkeys(words("cheque|chq|ch|chque"), Membership.Method.CHEQUE),
    **dict.fromkeys(words("virement|vir|vrt|transfer"), Membership.Method.TRANSFER),
    **dict.fromkeys(words("especes|espece|liquide|esp|cash"), Membership.Method.CASH),
}

NAME = NameField(required=False)
FIELDS = {
    **dict.fromkeys(words("email_1|email_2"), AddressField(required=False)),
    **dict.fromkeys(words("phone_1|phone_2"), PhoneField(required=False)),
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


class OptionsForm(forms.Form):
    """What is asked beside the file: about the fee, for which membership and how it was paid."""

    period = forms.ModelChoiceField(
        label=gettext_lazy("The fees in the file are those of"),
        queryset=MembershipPeriod.objects.none(),
        required=False,
    )
    paid_on = DayField(label=gettext_lazy("Day of payment, where the file says none"))
    method = forms.ChoiceField(label=gettext_lazy("Paid by, where the file does not say"), choices=Membership.Method)

    def __init__(self, *args, association, today, **kwargs):
        super().__init__(*args, **kwargs)
        periods = association.periods.all()
        self.fields["period"].queryset = periods
        self.fields["period"].empty_label = _("– leave the fees out –")
        current = next((one for one in periods if one.starts_on <= today <= one.ends_on), None)
        self.initial = {"period": current and current.pk, "paid_on": today, "method": Membership.Method.CHEQUE}


class Households(Kind):
    name = "households"
    label = gettext_lazy("Households")
    lede = gettext_lazy("A line per household: two adults, their e-mails and telephones, the address, the fee.")
    roles = frozenset({Role.COMMITTEE, Role.SECRETARY})
    options_form = OptionsForm

    def columns(self, options):
        return COLUMNS

    def recognise(self, headings, columns, options):
        keys = by_words(headings, columns)
        seen = set()
        for n, heading in enumerate(headings):
            text = fold(as_text(heading))
            if keys[n] or not text:
                continue
            # A heading met twice is about two people: Nom, Prénom, Mail, Nom, Prénom, Mail.
            key = about_person(text, again=text in seen)
            seen.add(text)
            if key and key not in keys:
                keys[n] = key
            elif not key and re.fullmatch(r"(adhesion|cotisation)( \d{2,4})+", text) and "fee" not in keys:
                keys[n] = "fee"
        for n, heading in enumerate(headings):  # a landline, only for want of better
            key = about_person(fold(as_text(heading)), landline=True)
            if not keys[n] and key and key not in keys:
                keys[n] = key
        return keys

    def plan_lines(self, association, table, options, today):
        if not {"household", "last_1", "person_1"}.intersection(table.chosen):
            raise Refused(_("Say which column holds the name: of the household, or of person 1."))
        return list(_Reader(association, table, options, today).lines())

    def write(self, batch, lines, options, *, by, now):
        rows = _write_new(batch, [line for line in lines if line.state == State.NEW], by=by, now=now)
        for line in lines:
            if line.state == State.CHANGED:
                rows += _write_changes(batch, line, by=by, now=now)
            if line.content.fee:
                rows.append(_write_fee(batch, line, options["period"], by=by, now=now))
        return rows

    def undo(self, batch, *, by, now):
        made = {
            model: batch.rows.filter(about=model._meta.label_lower, is_new=True).values("about_id")
            for model in (Household, Member, Membership)
        }
        _refuse_if_needed(batch, made)
        fees = batch.rows.filter(about="amap.membership").values("about_id")
        for paid in Membership.objects.paid().filter(pk__in=fees):
            membership.correct(paid, reason=_("import undone"), by=by, now=now)
        Membership.objects.filter(pk__in=made[Membership]).delete()
        left = restore(Household, batch) + restore(Member, batch)
        households = Household.objects.filter(pk__in=made[Household])
        AuditEntry.objects.bulk_create(
            [states.entry("household.removed", one, by=by, now=now, before=one.code) for one in households],
            batch_size=500,
        )
        Member.objects.filter(pk__in=made[Member]).delete()
        households.delete()
        return left

    def export(self, association, today, which=""):
        keys = words(
            "number|household|person_1|email_1|phone_1|person_2|email_2|phone_2|address|postal_code|city|joined_on"
        )
        households = Household.objects.filter(association=association).present(today).prefetch_related("members")
        return [str(LABELS[key]) for key in keys], (_exported(one) for one in households)


def export_memberships(association, today, which=""):
    """The fees of the period that runs, or of the last one: it can be brought in again as a list of households."""
    keys = words("number|household|fee|fee_on|fee_method|fee_reference")
    period = association.periods.filter(starts_on__lte=today).first() or association.periods.first()
    paid = {}
    if period:
        paid = {one.household_id: one for one in Membership.objects.paid().filter(period=period)}
    households = Household.objects.filter(association=association).present(today)
    return [str(LABELS[key]) for key in keys], (_exported_fee(one, paid.get(one.pk)) for one in households)


def _exported(household):
    people = list(household.members.all())[:2]
    cells = [[one.name, one.email, phone_text(one.phone)] for one in people] + [["", "", ""]] * (2 - len(people))
    return [
        *(household.number, household.name, *cells[0], *cells[1]),
        *(household.address, household.postal_code, household.city, household.joined_on),
    ]


def _exported_fee(household, paid):
    if paid is None:
        return [household.number, household.name, _("no"), None, "", ""]
    fee = euros_number(paid.total_cents)
    return [household.number, household.name, fee, paid.paid_on, paid.get_method_display(), paid.reference]


def about_person(text, *, again=False, landline=False):
    """`mail conjoint` → `email_2`; "" when the heading is about no person."""
    tokens = re.findall(r"[^\W\d]+|\d+", text)
    rank = 2 if SECOND.intersection(tokens) or (again and not FIRST.intersection(tokens)) else 1
    rest = [token for token in tokens if token not in FIRST | SECOND | FILLERS]
    if not tokens:
        return ""
    without_role = [token for token in rest if token not in ROLE_WORDS]
    what = PERSON_WORDS.get(" ".join(rest)) or PERSON_WORDS.get(" ".join(without_role or rest))
    if what == "landline":
        what = "phone" if landline else None
    return f"{what}_{rank}" if what else ""


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


class _Reader:
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
        last = self._clean(record, "last_1")
        persons = [self._person(record, 1, last), self._person(record, 2, last)]
        last_names = [last] if last else []
        last_2 = self._clean(record, "last_2")
        if last and last_2 and not _same_name(last, last_2):
            last_names.append(last_2)
        name = given or " – ".join(last_names)[:100] or next((one.name for one in persons if one and one.name), "")
        if not name:
            raise Refused(_("No name."))
        found = []
        for person in persons:
            if person and (person.is_named or person.email or person.phone):
                person.name = person.name or name
                found.append(person)
        if len(found) == 2 and found[0].email and found[0].email == found[1].email:
            found[1].email = ""  # one address for two people: it signs one of them in
        return Facts(number_in(record), name, bool(given), found, self._fields(record), self._fee(record))

    @staticmethod
    def _clean(record, key):
        return record.clean(key, FIELDS.get(key, NAME), LABELS[key])

    def _person(self, record, n, last_name):
        full, first, last = (self._clean(record, f"{part}_{n}") for part in ("person", "first", "last"))
        if n == 2 and first and not last:
            last = last_name
        name = full or f"{first} {last}".strip()
        email = normalise_email(record.text(f"email_{n}"))
        if email not in self.directory.by_email:
            email = self._clean(record, f"email_{n}")
        person = Person(name[:100], email, self._clean(record, f"phone_{n}"), bool(full or first))
        return person if person.name or person.email or person.phone else None

    def _fields(self, record):
        said = {
            "address": self._clean(record, "address"),
            "postal_code": self._clean(record, "postal_code"),
            "city": self._clean(record, "city"),
            "joined_on": as_date(record["joined_on"]),
        }
        together = re.fullmatch(r"(\d{4,5})?\W*(.*)", self._clean(record, "postal_city"))
        if together:
            said["postal_code"] = said["postal_code"] or together[1] or ""
            said["city"] = said["city"] or together[2]
        if re.fullmatch(r"\d{4}", said["postal_code"], re.ASCII):
            said["postal_code"] = f"0{said['postal_code']}"  # a spreadsheet dropped the zero of 01000
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
                fee.paid_on = as_date(int(text) if text.isdigit() else text, (period.starts_on, period.ends_on))
            except Refused:
                raise Refused(
                    _("“%(typed)s” does not say whether the fee is paid. Write yes, no, or the amount.")
                    % {"typed": text[:30]}
                ) from None
            return
        if cents < period.fee_cents:
            raise Refused(
                _("%(paid)s is less than the fee of %(fee)s.")
                % {"paid": euros_text(cents), "fee": euros_text(period.fee_cents)}
            )
        fee.donation_cents = cents - period.fee_cents

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
                raise Refused(_("Already on line %(line)s.") % {"line": self.lines_of[thing]})
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
        if person.phone and _known_phone(member.phone) != person.phone:
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
            cents = self.options["period"].fee_cents + deed.fee.donation_cents
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


def _known_phone(stored):
    try:
        return normalise(stored)
    except Refused:
        return stored


def _person_text(person):
    return ", ".join(part for part in (person.name, person.email, phone_text(person.phone)) if part)


# Writing


def _write_new(batch, lines, *, by, now):
    """Many households in few statements."""
    association, today = batch.association, timezone.localdate(now)
    taken = set(association.households.values_list("number", flat=True))
    taken.update(line.content.facts.number for line in lines if line.content.facts.number)
    following = association.households.aggregate(last=Max("number"))["last"] or 0
    made, people_made = [], []
    for line in lines:
        facts, number = line.content.facts, line.content.facts.number
        while number is None:
            following += 1
            number = None if following in taken else following
        made.append(
            Household(association=association, number=number, name=facts.name, **{"joined_on": today} | facts.fields)
        )
    Household.objects.bulk_create(made, batch_size=200)
    for line, household in zip(lines, made, strict=True):
        line.content.household = household
        people_made += [(line, _new_member(household, person, n)) for n, person in enumerate(line.content.newcomers)]
    Member.objects.bulk_create([member for _line, member in people_made], batch_size=200)
    entries = [states.entry("household.added", one, by=by, now=now) for one in made]
    AuditEntry.objects.bulk_create(entries, batch_size=200)
    _link([member for _line, member in people_made], by=by, now=now)
    rows = [imported(batch, line, household) for line, household in zip(lines, made, strict=True)]
    return rows + [imported(batch, line, member, after={"user_id": member.user_id}) for line, member in people_made]


def _new_member(household, person, position):
    return Member(
        association_id=household.association_id,
        household=household,
        name=person.name,
        email=person.email,
        phone=person.phone,
        position=position,
    )


def _link(members, *, by, now):
    """Those who already have an account here, such as the committee, find their household (BR-1)."""
    addresses = {member.email: member for member in members if member.email}
    waiting = Member.objects.filter(pk__in=[member.pk for member in addresses.values()]).values("email")
    for email in User.objects.filter(email__in=waiting).values_list("email", flat=True):
        people.link_known(addresses[email], by=by, now=now)


def _write_changes(batch, line, *, by, now):
    deed, rows = line.content, []
    household = deed.household
    if deed.fields:
        before = snapshot(household, deed.fields)
        household = people.edit_household(household, by=by, now=now, **deed.fields)
        rows.append(imported(batch, line, household, before, snapshot(household, deed.fields)))
    for member, changed in deed.members:
        before = snapshot(member, [*changed, "user_id"])
        edited = people.edit_member(member, by=by, now=now, **changed)
        rows.append(imported(batch, line, edited, before, snapshot(edited, [*changed, "user_id"])))
    for person in deed.newcomers:
        member = people.add_member(household, name=person.name, email=person.email, phone=person.phone, by=by, now=now)
        rows.append(imported(batch, line, member, after={"user_id": member.user_id}))
    return rows


def _write_fee(batch, line, period, *, by, now):
    deed = line.content
    known = Membership.objects.filter(period=period, household=deed.household).exists()
    owed = membership.open_membership(deed.household, period=period, by=by, now=now)
    membership.record_fee(
        owed,
        method=deed.fee.method,
        paid_on=deed.fee.paid_on,
        reference=deed.fee.reference,
        donation_cents=deed.fee.donation_cents,
        by=by,
        now=now,
        is_old_news=True,
    )
    return imported(batch, line, owed, None if not known else {})


def _refuse_if_needed(batch, made):
    """Raises `Refused` when somebody or something leans on a household this import made."""
    needed = dependents(Household, made[Household], but=(Member, Membership))
    for model in (Member, Membership):
        others = model.objects.filter(household__in=made[Household]).exclude(pk__in=made[model])
        needed.update(others.values_list("household_id", flat=True))
    linked = {row.about_id: row.after.get("user_id") for row in batch.rows.filter(about="amap.member", is_new=True)}
    leaning = dependents(Member, made[Member])
    for pk, household_id, user_id in Member.objects.filter(
        Q(pk__in=made[Member]) & (~Q(user=None) | Q(pk__in=leaning))
    ).values_list("pk", "household_id", "user_id"):
        if pk in leaning or user_id != linked.get(pk):
            needed.add(household_id)
    if needed:
        names = Household.objects.filter(pk__in=needed).values_list("name", flat=True)
        raise Refused(
            ngettext(
                "It can no longer be undone: since then %(names)s has been invited, has joined or signed something.",
                "It can no longer be undone: since then %(names)s have been invited, have joined or signed something.",
                len(needed),
            )
            % {"names": ", ".join(names[:5]) + (" …" if len(needed) > 5 else "")}
        )
