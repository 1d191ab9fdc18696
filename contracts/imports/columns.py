"""What a list of contracts may have as columns: who, and in a grid or in columns of their own, what and how much."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap.dates import short_day
from amap.errors import Refused
from amap.imports import Column, household_columns, meanings, words
from amap.spreadsheets import as_date, as_text, fold

WHO = ("number", "household", "last_1", "first_1", "person_1", "email_1")
ITEM_WORDS = (
    "part|parts|formule|panier|paniers|type de panier|taille|contrat|produit|produits|article|share|product|size"
)
QUANTITY_WORDS = (
    "quantite|qte|nombre|nbre|nb|nombre de parts|nbre de parts|nbre parts|nb de parts|nb parts|nombre de paniers|"
    "nbre de paniers|nbre paniers|nb de paniers|nb paniers|quantity"
)
TURN_WORDS = "semaine|semaines|tour|groupe|rythme|frequence|alternance|week|turn"
COUNT_WORDS = (
    "cheques|nb cheques|nbre cheques|nombre de cheques|nbre de cheques|nb de cheques|echeances|nb echeances|"
    "nombre d echeances|instalments"
)
HALF = 50
# What a size is often called by its part of a whole share.
PARTS = {
    **dict.fromkeys(words("1|entier|entiere|entiers|entieres|grand|grande|plein|whole"), 100),
    **dict.fromkeys(words("1 2|0 5|0 50|demi|demie|demis|petit|petite|half"), HALF),
}


def columns(options):
    """The columns understood: who signed, then what each took, as far as the contract is known."""
    who = [column for column in household_columns.COLUMNS if column.key in WHO]
    proposal = options.get("proposal")
    if proposal is None:
        return [*who, *common(), *_examples()]
    items = [
        Column(f"item_{item.pk}", _("Quantity: %(item)s") % {"item": item}, (fold(str(item)),))
        for item in proposal.items
    ]
    if not proposal.offer.is_by_date:
        return [*who, *items, *common()]
    days = [Column(f"rank_{one.rank}", short_day(one.day, "D j M Y")) for one in options["season"]]
    return [*who, *common(), *days, *items]


def common():
    """Those that mean the same in every list."""
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


def recognise(headings, columns, options):
    """A key for each heading, "" for those that say nothing to us: a person, a share or product, a delivery day."""
    keys = [key if key in WHO else "" for key in household_columns.recognise(headings, columns)]
    known = meanings(columns)
    proposal = options.get("proposal")
    items, offer = (proposal.items, proposal.offer) if proposal else ([], None)
    by_day = {one.day: f"rank_{one.rank}" for one in options["season"]} if offer and offer.is_by_date else {}
    for n, heading in enumerate(headings):
        key = known.get(fold(as_text(heading)), "") or keys[n]
        if not key and by_day:
            key = by_day.get(_day(heading, offer), "")
        if not key and isinstance(heading, str) and (item := item_called(heading, items)):
            key = f"item_{item.pk}"
        keys[n] = "" if key in keys[:n] else key
    return keys


def _day(heading, offer):
    """The delivery day a heading names; None when it names none."""
    if heading is None or (isinstance(heading, int | float) and heading < 10_000):
        return None
    try:
        return as_date(heading, (offer.starts_on, offer.ends_on))
    except Refused:
        return None


def item_called(text, items):
    """The only size or product that a text can mean: its name, a part of it, or its part of a whole share."""
    asked = fold(text)
    if not asked:
        return None
    parts = {PARTS[asked]} if asked in PARTS else {PARTS[word] for word in asked.split() if word in PARTS}
    same = [item for item in items if fold(str(item)) == asked]
    # Three letters or fewer stand in too many names.
    alike = [item for item in items if fold(str(item)) in asked or (len(asked) > 3 and asked in fold(str(item)))]
    of_that_part = [item for item in items if {getattr(item, "coefficient_hundredths", None)} == parts]
    return next((found[0] for found in (same, alike, of_that_part) if len(found) == 1), None)
