"""The list of farms: a line per farm. Each new one becomes a partner; what a farm keeps itself is left alone."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django import forms
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from amap import states
from amap.actions import farms
from amap.errors import Refused
from amap.forms.fields import AddressField, BicField, IbanField, NameField, PhoneField, SiretField
from amap.imports import (
    Column,
    Kind,
    Line,
    NoQuestions,
    State,
    by_words,
    dependents,
    imported,
    postal_code,
    restore,
    snapshot,
    some,
    stored_phone,
    words,
    wrong,
)
from amap.models import AuditEntry, Farm, Farmer, Partnership
from amap.phones import phone_text
from amap.spreadsheets import as_beginning, as_text, fold
from amap.words import pair

COLUMNS = [
    Column(
        "name",
        gettext_lazy("Name of the farm"),
        words(
            "ferme|nom|nom de la ferme|nom ferme|exploitation|producteur|productrice|paysan|paysanne|paysan ne|"
            "fournisseur|farm|name"
        ),
        ("Ferme des Saules", "Fournil du Moulin"),
    ),
    Column(
        "legal_name",
        gettext_lazy("Legal name"),
        words("raison sociale|nom legal|denomination|denomination sociale|societe|structure|entreprise"),
        ("EARL Ferme des Saules", ""),
    ),
    Column(
        "kind",
        gettext_lazy("Produce"),
        words(
            "produit|produits|production|productions|contrat|type|type de production|activite|filiere|categorie|kind|"
            "products"
        ),
        ("légumes", "pain"),
        gettext_lazy("vegetables, bread, eggs, cheese, fruit, meat; anything else is “other”"),
    ),
    Column(
        "contact_name",
        gettext_lazy("Farmers' names"),
        words(
            "contact|nom du contact|nom contact|personne|interlocuteur|paysans|producteurs|responsable|nom et prenom|"
            "nom prenom|farmer|farmers|contact name"
        ),
        ("Maëlle Kerdavid", "Jo Levain"),
    ),
    Column(
        "email",
        gettext_lazy("E-mail"),
        words("mail|courriel|mel|adresse mail|adresse e mail|adresse email|email"),
        ("saules@example.org", ""),
    ),
    Column(
        "phone",
        gettext_lazy("Telephone"),
        words("tel|tel portable|portable|mobile|telephone portable|numero de telephone|phone"),
        ("01 99 00 00 01", "06 39 98 00 09"),
    ),
    Column(
        "address", gettext_lazy("Address"), words("adresse|adresse postale|rue|lieu dit"), ("Les Saules", "Le Moulin")
    ),
    Column("postal_code", gettext_lazy("Postal code"), words("cp|c p|code postal|postcode|zip"), ("99200", "99200")),
    Column("city", gettext_lazy("Town"), words("ville|commune|localite|city"), ("Aulnette", "Aulnette")),
    Column("siret", gettext_lazy("SIRET"), words("n siret|no siret|numero siret|numero de siret|siren siret")),
    Column(
        "payee",
        gettext_lazy("Cheques payable to"),
        words(
            "ordre|ordre du cheque|ordre des cheques|ordre cheque|ordre cheques|cheques a l ordre de|a l ordre de|payee"
        ),
        ("EARL Ferme des Saules", "Jo Levain"),
    ),
    Column("iban", gettext_lazy("IBAN"), words("rib|n iban|compte|rib iban|iban rib")),
    Column("bic", gettext_lazy("BIC"), words("code bic|swift|bic swift")),
    Column(
        "certification",
        gettext_lazy("Label and certifying body"),
        words("label|labels|certification|mention|bio|agriculture biologique"),
    ),
    Column(
        "since",
        gettext_lazy("Partner since"),
        words("depuis|partenaire depuis|partenariat depuis|date de debut|debut|since"),
        (date(2015, 3, 1), ""),
    ),
]
LABELS = {column.key: column.label for column in COLUMNS}
FIELDS = {
    "name": NameField(required=False),
    "legal_name": NameField(required=False, max_length=120),
    "kind": NameField(required=False),
    "contact_name": NameField(required=False, max_length=120),
    "email": AddressField(required=False),
    "phone": PhoneField(required=False),
    "address": NameField(required=False, max_length=200),
    "postal_code": NameField(required=False, max_length=10),
    "city": NameField(required=False),
    "siret": SiretField(required=False),
    "payee": NameField(required=False, max_length=70),
    "iban": IbanField(required=False),
    "bic": BicField(required=False),
    "certification": NameField(required=False, max_length=120),
}
BANK = ("payee", "iban", "bic")
# Headings of the farm's name for want of a better one, which leaves them to be the farmer's.
FARMER_WORDS = frozenset(words("producteur|productrice|paysan|paysanne|paysan ne"))
KINDS = {
    Farm.Kind.VEGETABLES: words("legume|legumes|maraichage|maraicher|maraichere|panier|paniers|vegetable"),
    Farm.Kind.BREAD: words("pain|pains|boulangerie|boulanger|boulangere|farine|farines|fournil"),
    Farm.Kind.EGGS: words("oeuf|oeufs|poules|egg"),
    Farm.Kind.CHEESE: words("fromage|fromages|lait|laitier|laitiers|chevre|chevres|brebis|yaourts|cremerie|dairy"),
    Farm.Kind.FRUIT: words("fruit|fruits|pomme|pommes|arboriculture|verger|kiwis|agrumes"),
    Farm.Kind.MEAT: words("viande|viandes|volaille|volailles|boeuf|veau|porc|agneau|poulet|poulets|poultry|meat"),
}


@dataclass
class Deed:
    fields: dict
    since: date | None = None
    farm: Farm | None = None
    changed: dict = field(default_factory=dict)


class Farms(Kind):
    name = "farms"
    label = gettext_lazy("Farms")
    lede = gettext_lazy("A line per farm you work with: who they are, how to reach and to pay them.")
    options_form: type[forms.Form] = NoQuestions

    def columns(self, options):
        return COLUMNS

    def recognise(self, headings, columns, options):
        keys, texts = by_words(headings, columns), [fold(as_text(heading)) for heading in headings]
        farmer = next((n for n, text in enumerate(texts) if text in FARMER_WORDS), None)
        if farmer is not None:
            others = by_words(["" if n == farmer else text for n, text in enumerate(texts)], columns)
            if "name" in others:
                keys = others
                keys[farmer] = "" if "contact_name" in keys else "contact_name"
        return keys

    def plan_lines(self, association, table, options, today):
        if "name" not in table.chosen:
            raise Refused(_("Say which column holds the name of the farm."))
        return list(_Reader(association, table, today).lines())

    def write(self, batch, lines, options, *, by, now):
        rows = []
        for line in lines:
            deed = line.content
            if deed.farm is None:
                since = deed.since or timezone.localdate(now)
                farm = farms.add_farm(
                    batch.association, since=since, by=by, now=now, **{"kind": Farm.Kind.OTHER} | deed.fields
                )
                rows.append(imported(batch, line, farm))
            else:
                before = snapshot(deed.farm, deed.changed)
                farm = farms.edit_farm(deed.farm, association=batch.association, by=by, now=now, **deed.changed)
                rows.append(imported(batch, line, farm, before, snapshot(farm, deed.changed)))
        return rows

    def undo(self, batch, *, by, now):
        made = batch.rows.filter(about="amap.farm", is_new=True).values("about_id")
        partnerships = Partnership.objects.filter(farm__in=made, association=batch.association_id)
        needed = dependents(Farm, made, but=(Partnership,))
        needed.update(
            Partnership.objects.filter(farm__in=made)
            .exclude(association=batch.association_id)
            .values_list("farm", flat=True)
        )
        lent = dependents(Partnership, partnerships.values("pk"))
        needed.update(Partnership.objects.filter(pk__in=lent).values_list("farm", flat=True))
        if needed:
            names = list(Farm.objects.filter(pk__in=needed).values_list("name", flat=True))
            raise Refused(
                ngettext(
                    "It can no longer be undone: since then %(names)s has an offer, a liaison or an account.",
                    "It can no longer be undone: since then %(names)s have offers, liaisons or accounts.",
                    len(names),
                )
                % {"names": some(names)}
            )
        left = restore(Farm, batch)
        AuditEntry.objects.bulk_create(
            states.entry("partnership.removed", one, by=by, now=now) for one in partnerships.all()
        )
        partnerships.delete()
        Farm.objects.filter(pk__in=made).delete()
        return left

    def export(self, association, today, which=""):
        keys = words(
            "name|legal_name|kind|contact_name|email|phone|address|postal_code|city|siret|payee|iban|bic|certification|since"
        )
        partnerships = _partnerships(association, today)
        return [str(LABELS[key]) for key in keys], [_exported(one) for one in partnerships]


def _partnerships(association, today):
    """Today's partnerships, each with `is_shared` (another association works with the farm) and `has_account`."""
    elsewhere = Partnership.objects.filter(farm=OuterRef("farm")).exclude(association=association)
    return [
        one
        for one in Partnership.objects.filter(association=association)
        .select_related("farm")
        .annotate(is_shared=Exists(elsewhere), has_account=Exists(Farmer.objects.filter(farm=OuterRef("farm"))))
        if one.ended_on is None or one.ended_on >= today
    ]


def _keeps_bank(partnership):
    """Is it the farm that keeps its bank details? Whoever can change an IBAN can turn other people's money away."""
    return partnership.is_shared or partnership.has_account


def _exported(partnership):
    farm = partnership.farm
    payee, iban, bic = ("", "", "") if _keeps_bank(partnership) else (farm.payee, farm.iban, farm.bic)
    return [
        *(farm.name, farm.legal_name, farm.get_kind_display(), farm.contact_name, farm.email, phone_text(farm.phone)),
        *(farm.address, farm.postal_code, farm.city, farm.siret, payee, iban, bic, farm.certification),
        partnership.since,
    ]


class _Reader:
    """Reads the lines against the partners of today. Farms of other associations are not looked at (BR-76)."""

    def __init__(self, association, table, today):
        self.table = table
        self.partnerships = _partnerships(association, today)
        self.by_siret = {one.farm.siret: one for one in self.partnerships if one.farm.siret}
        self.by_email = {one.farm.email: one for one in self.partnerships if one.farm.email}
        self.by_name = defaultdict(list)
        for one in self.partnerships:
            for name in {fold(one.farm.name), fold(one.farm.legal_name)} - {""}:
                self.by_name[name].append(one)
        self.parted = {
            fold(name)
            for name in Partnership.objects.filter(association=association, ended_on__lt=today).values_list(
                "farm__name", flat=True
            )
        }
        self.lines_of = {}

    def lines(self):
        for record in self.table.records:
            title = record.text("name")[:100]
            try:
                deed = self._deed(record)
            except Refused as refused:
                yield wrong(record, title, refused)
                continue
            if deed.farm is None:
                details = [pair(LABELS[name], self._value(name, value)) for name, value in deed.fields.items()][1:]
                yield Line(record.number, State.NEW, title, details, sheet=record.sheet, content=deed)
            else:
                details = [
                    _("%(what)s: %(before)s → %(after)s")
                    % {
                        "what": LABELS[name],
                        "before": self._value(name, getattr(deed.farm, name)) or "–",
                        "after": self._value(name, value),
                    }
                    for name, value in deed.changed.items()
                ]
                state = State.CHANGED if details else State.UNCHANGED
                yield Line(record.number, state, deed.farm.name, details, sheet=record.sheet, content=deed)

    @staticmethod
    def _value(name, value):
        if name == "kind":
            return str(Farm.Kind(value).label)
        return phone_text(value) if name == "phone" else str(value)

    def _deed(self, record):
        fields = self._fields(record)
        if not fields.get("name"):
            raise Refused(_("No name."))
        partnership = self._find(fields)
        thing = partnership.pk if partnership else fold(fields["name"])
        if thing in self.lines_of:
            raise Refused(_("Already on line %(line)s.") % {"line": self.lines_of[thing]})
        self.lines_of[thing] = record.number
        if partnership is None:
            if fold(fields["name"]) in self.parted:
                raise Refused(
                    _("The partnership with %(farm)s has ended. Resume it first, on its page.")
                    % {"farm": fields["name"]}
                )
            return Deed(fields, as_beginning(record["since"]))
        farm = partnership.farm
        changed = {name: value for name, value in fields.items() if self._differs(farm, name, value)}
        locked = [name for name in changed if partnership.is_shared or (name in BANK and partnership.has_account)]
        if locked:
            raise Refused(
                _("%(farm)s keeps this itself: %(what)s. Ask the farm, or empty these cells.")
                % {"farm": farm.name, "what": ", ".join(str(LABELS[name]) for name in locked)}
            )
        return Deed(fields, farm=farm, changed=changed)

    @staticmethod
    def _differs(farm, name, value):
        here = getattr(farm, name)
        if name == "phone":
            return stored_phone(here) != value
        if name == "name":  # the line may have found the farm by its legal name
            return here.casefold() != value.casefold() and fold(value) != fold(farm.legal_name)
        return here != value

    def _find(self, fields):
        found = self.by_siret.get(fields.get("siret")) or self.by_email.get(fields.get("email"))
        if found:
            return found
        named = self.by_name[fold(fields["name"])]
        if len(named) > 1:
            raise Refused(_("Two farms here are called so. Add the SIRET or the e-mail."))
        return named[0] if named else None

    def _fields(self, record):
        said = {name: record.clean(name, form_field, LABELS[name]) for name, form_field in FIELDS.items()}
        said["kind"], said["postal_code"] = self._kind(record), postal_code(said["postal_code"])
        return {name: value for name, value in said.items() if value}

    @staticmethod
    def _kind(record):
        text = fold(as_text(record["kind"]))
        if not text:
            return ""
        for kind in Farm.Kind:
            if text in (kind.value, fold(str(kind.label))):
                return kind.value
        spoken = set(text.split())
        return next((kind for kind, listed in KINDS.items() if spoken.intersection(listed)), Farm.Kind.OTHER)
