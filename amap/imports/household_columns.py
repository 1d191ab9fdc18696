"""What a list of households may have as columns, and the headings people give them."""

import re
from datetime import date

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from amap.imports import Column, by_words, words
from amap.models.people import MOST_PEOPLE
from amap.spreadsheets import as_text, fold

# As many people of a household as a line can hold.
PEOPLE = range(1, MOST_PEOPLE + 1)
PARTS = {
    "last": gettext_lazy("Last name, person"),
    "first": gettext_lazy("First name, person"),
    "person": gettext_lazy("Full name, person"),
    "email": gettext_lazy("E-mail, person"),
    "phone": gettext_lazy("Telephone, person"),
}
EXAMPLES = {
    ("last", 1): ("Martin", "Nguyen", "Lefèvre"),
    ("first", 1): ("Paul", "Linh", "Noëlle"),
    ("email", 1): ("paul@example.org", "linh@example.org", ""),
    ("phone", 1): ("06 39 98 00 01", "", "01 99 00 00 03"),
    ("last", 2): ("Petit", "", ""),
    ("first", 2): ("Julie", "", ""),
    ("email", 2): ("julie@example.org", "", ""),
    ("phone", 2): ("06 39 98 00 02", "", ""),
}
COLUMNS = [
    Column(
        "number",
        gettext_lazy("Member number"),
        words(
            "n|no|num|numero|n adherent|no adherent|num adherent|numero adherent|numero d adherent|adherent n|"
            "n adh|no adh|num adh|n adhesion|numero adhesion|n foyer|no foyer|numero foyer|code adherent"
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
    *(
        Column(f"{part}_{n}", format_lazy("{part} {n}", part=label, n=n), (), EXAMPLES.get((part, n), ()))
        for n in PEOPLE
        for part, label in PARTS.items()
    ),
    Column(
        "landline",
        gettext_lazy("Telephone of the home"),
        help=gettext_lazy("kept where person 1 has no other number"),
    ),
    Column(
        "address",
        gettext_lazy("Address"),
        words("adresse|adresse postale|adresse complete|adresse 1|address1|rue|voie|domicile|street|postal address"),
        ("2 rue du Puits", "8 impasse des Lilas", "Le Moulin"),
        gettext_lazy("postal code and town may stand behind it"),
    ),
    Column(
        "address_more",
        gettext_lazy("Address, second line"),
        words("complement|complement adresse|complement d adresse|adresse 2|address2|adresse suite|batiment|residence"),
    ),
    Column(
        "postal_code",
        gettext_lazy("Postal code"),
        words("cp|c p|code postal|code post|postcode|zip|zip code|zipcode"),
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
            "adhesion le|date adhesion|date d adhesion|date adh|date d adh|adherent depuis|adherente depuis|"
            "membre depuis|depuis|entree|"
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
            "montant cotisation|montant de la cotisation|montant tarif|adh|cotis|membership paid|fee"
        ),
        ("oui", "non", "25,00"),
        gettext_lazy("yes, no, an amount (what exceeds the fee is a donation), a date, or cheque, transfer, cash"),
    ),
    Column(
        "fee_on",
        gettext_lazy("Fee paid on"),
        words(
            "payee le|paye le|regle le|reglee le|adhesion payee le|adhesion reglee le|cotisation payee le|"
            "cotisation reglee le|date paiement|date de paiement|date reglement|date de reglement|"
            "date cotisation|date de la cotisation|paid on"
        ),
        (date(2026, 9, 3), "", date(2026, 9, 10)),
    ),
    Column(
        "fee_method",
        gettext_lazy("Fee paid by"),
        words(
            "mode|mode paiement|mode de paiement|mode reglement|mode de reglement|moyen de paiement|paiement|reglement|"
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
        "last": words("nom|noms|nom famille|last name|lastname|surname|family name"),
        "first": words("prenom|prenoms|first name|firstname|given name"),
        "person": words(
            "|nom prenom|noms prenoms|nom et prenom|noms et prenoms|prenom nom|prenom et nom|nom complet|adherent|"
            "adherente|amapien|amapienne|membre|adulte|personne|contact|titulaire|full name|name|adult|person|member"
        ),
        "email": words(
            "mail|mails|e mail|e mails|email|emails|courriel|courriels|mel|mels|"
            "adresse mail|adresse e mail|adresse email|adresse courriel|"
            "adresse electronique|courrier electronique|mail address|e mail address|email address"
        ),
        "phone": words(
            "tel|tels|telephone|telephones|portable|portables|mobile|"
            "tel portable|tel port|port|telephone portable|tel mobile|telephone mobile|gsm|"
            "numero telephone|numero tel|phone|phone number|telephone number|mobile phone"
        ),
        "landline": words("fixe|tel fixe|telephone fixe|tel dom|tel domicile|telephone domicile|landline"),
    }.items()
    for word in listed
}
RANKS = {
    **dict.fromkeys(words("1|un|principal|principale"), 1),
    **dict.fromkeys(words("2|deux|conjoint|conjointe|second|seconde|secondaire|partenaire|partner|co"), 2),
    **{str(n): n for n in PEOPLE[2:]},
}
CIVILITIES = {**dict.fromkeys(words("m|mr|monsieur"), "m"), **dict.fromkeys(words("mme|madame"), "mme")}
FILLERS = frozenset(words("de|du|des|d|la|le|l|n|no|e|ne|s"))
ROLE_WORDS = frozenset(
    words(
        "adulte|personne|membre|adherent|adherente|amapien|amapienne|titulaire|contact|payeur|foyer|famille|"
        "adult|person|member"
    )
)
FEE_OF_A_YEAR = re.compile(r"(?:adhesion|adh|cotisation|cotis) (\d{2,4})(?: \d{2,4})*")


def recognise(headings, columns, period=None):
    """A key for each heading, "" for those that say nothing to us: by its words, then by the person it is about.

    Of several years' fees, that of the `period` is meant.
    """
    keys = by_words(headings, columns)
    texts = [fold(as_text(heading)) for heading in headings]
    # Who of Monsieur and Madame stands first is person 1.
    couple = list(dict.fromkeys(CIVILITIES[word] for text in texts for word in text.split() if word in CIVILITIES))
    seen = set()
    for n, text in enumerate(texts):
        if keys[n] or not text:
            continue
        # A heading met twice is about two people: Nom, Prénom, Mail, Nom, Prénom, Mail.
        key = about_person(text, again=text in seen, couple=couple)
        seen.add(text)
        if key and key not in keys:
            keys[n] = key
        elif not key and "fee" not in keys and is_fee(text, period):
            keys[n] = "fee"
    if "landline" in keys and "phone_1" not in keys:  # for want of better
        keys[keys.index("landline")] = "phone_1"
    return keys


def is_fee(text, period):
    """Is it the heading of the period's fee? `Cotisation 2026-27` is that of the year that begins in 2026."""
    year = FEE_OF_A_YEAR.fullmatch(text)
    return bool(year) and (period is None or int(year[1]) % 100 == period.starts_on.year % 100)


def about_person(text, *, again=False, couple=()):
    """`mail conjoint` → `email_2`, `tel fixe` → `landline`; "" when the heading is about no person."""
    tokens = re.findall(r"[^\W\d]+|\d+", text)
    ranks = [RANKS[token] for token in tokens if token in RANKS]
    ranks += [couple.index(CIVILITIES[token]) + 1 for token in tokens if token in CIVILITIES]
    rank = max(ranks, default=2 if again else 1)
    rest = [token for token in tokens if not (token in FILLERS or token in RANKS or token in CIVILITIES)]
    if not tokens:
        return ""
    without_role = [token for token in rest if token not in ROLE_WORDS]
    what = PERSON_WORDS.get(" ".join(rest)) or PERSON_WORDS.get(" ".join(without_role or rest))
    if what == "landline":
        return what
    return f"{what}_{rank}" if what else ""
