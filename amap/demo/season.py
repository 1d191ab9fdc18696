"""What the demonstration's farms offer, and what their fields give. Dates are those of the year 2026-27."""

from dataclasses import dataclass, field
from datetime import date

THURSDAY = 3


@dataclass(frozen=True)
class DemoOffer:
    """An offer and who signs for it: `takers` are (household number, index of the size or product, quantity, turn)."""

    key: str
    farm: str
    title: str
    code: str
    kind: str
    proposed_on: date
    open_on: date
    first: date
    last: date
    interval: int
    closures: tuple
    price_cents: int
    capacity: int
    items: tuple
    takers: list
    counts: tuple
    budget: tuple = ()
    amap_share: int = 10000
    days: tuple = ()
    fields: dict = field(default_factory=dict)


def _takers(*groups):
    return [(number, item, quantity, turn) for numbers, item, quantity, turn in groups for number in numbers]


def _without(numbers, *left_out):
    return [number for number in numbers if number not in left_out]


VEGETABLE_BUDGET = (
    ("charges", "Semences, plants, terreau, carburant, eau, fermage, assurances, certification, comptable", 1848000),
    ("depreciation", "Amortissements : tunnels, tracteur, chambre froide", 640000),
    ("social", "Cotisations sociales (MSA)", 580000),
    ("wages", "Deux saisonniers, quatre mois", 820000),
    ("income", "Revenu de la paysanne : 12 × 1 800 €", 2160000),
)
NEXT_BUDGET = (
    ("charges", "Semences, plants, terreau, carburant, eau, fermage, assurances, certification, comptable", 1898000),
    ("depreciation", "Amortissements : tunnels, tracteur, chambre froide", 640000),
    ("social", "Cotisations sociales (MSA)", 596000),
    ("wages", "Deux saisonniers, quatre mois", 866800),
    ("income", "Revenu de la paysanne : 12 × 1 850 €", 2220000),
)

# Of the 58 who eat vegetables: 26 whole shares, ten households that share five (each every other delivery), 22 halves.
SHARING_ODD, SHARING_EVEN = (11, 33, 38, 45, 50), (12, 36, 41, 48, 56)
HALVES = (4, 6, 10, 14, 16, 18, 20, 23, 25, 27, 29, 31, 35, 37, 39, 43, 47, 49, 51, 53, 55, 57)
WHOLES = tuple(_without(range(1, 59), *SHARING_ODD, *SHARING_EVEN, *HALVES))
WAITING = (60, 61)

OFFERS = [
    DemoOffer(
        "vegetables", "saules-gris", "Légumes 2026-27", "LEG26", "harvest_share",
        date(2026, 1, 20), date(2026, 3, 1), date(2026, 4, 2), date(2027, 3, 25), 1,
        (date(2026, 8, 13), date(2026, 8, 20), date(2026, 12, 24), date(2026, 12, 31)),
        2100, 4200, (("Part entière", 100, 2100), ("Demi-part", 50, 1050)),
        _takers(
            (WHOLES, 0, 1, "every"), (SHARING_ODD, 0, 1, "odd"), (SHARING_EVEN, 0, 1, "even"), (HALVES, 1, 1, "every")
        ),
        (1, 3, 6, 12), VEGETABLE_BUDGET, 7000, fields={"alternate_allowed": True},
    ),
    DemoOffer(
        "goat", "pas-de-cote", "Chèvre 2026", "CHEV26", "fixed_quantity",
        date(2026, 1, 22), date(2026, 2, 3), date(2026, 4, 2), date(2026, 11, 26), 2, (date(2026, 8, 20),),
        1700, 1900, (("Petite assiette", 50, 900), ("Grande assiette", 100, 1700)),
        _takers((range(3, 21), 0, 1, "every"), (range(40, 49), 1, 1, "every")), (1, 3),
    ),
    DemoOffer(
        "bread", "vieux-noyer", "Pain automne-hiver 2026", "PAIN26", "fixed_quantity",
        date(2026, 6, 1), date(2026, 6, 15), date(2026, 9, 3), date(2027, 2, 25), 1,
        (date(2026, 12, 24), date(2026, 12, 31)),
        640, 4000, (("Pain de 1 kg", 100, 640), ("Pain de 500 g", 50, 340)),
        _takers((range(1, 23), 0, 1, "every"), (range(45, 59), 1, 1, "every")), (1, 3),
    ),
    DemoOffer(
        "eggs", "fontanelle", "Œufs 2026-27", "OEUF26", "fixed_quantity",
        date(2026, 6, 2), date(2026, 6, 16), date(2026, 9, 3), date(2027, 7, 22), 2, (date(2026, 12, 24),),
        520, 3000, (("6 œufs", 50, 260), ("12 œufs", 100, 520)),
        _takers((range(10, 44), 0, 1, "every"), (_without(range(50, 63), 56, 57), 1, 1, "every")), (1, 3, 6),
    ),
    DemoOffer(
        "chicken", "aubraie", "Volaille 2026-27", "VOL26", "by_date",
        date(2026, 6, 4), date(2026, 6, 18), date(2026, 9, 10), date(2027, 2, 11), 4, (),
        0, 0, (("Poulet fermier, prêt à cuire", "1,5 à 2,5 kg", 2400),),
        _takers((range(17, 36), 0, 1, "every")), (1, 3),
        days=(date(2026, 9, 10), date(2026, 10, 8), date(2026, 11, 12), date(2026, 12, 10), date(2027, 1, 14),
              date(2027, 2, 11)),
    ),
    DemoOffer(
        "apples", "combe-douce", "Pommes 2026-27", "POM26", "fixed_quantity",
        date(2026, 7, 1), date(2026, 7, 15), date(2026, 10, 8), date(2027, 3, 25), 2, (date(2026, 12, 31),),
        840, 3600, (("Cagette de 3 kg", 100, 840),),
        _takers((range(18, 38), 0, 1, "every"), ((1, 7, 40, 44, 59, 62), 0, 2, "every")), (1, 3),
    ),
]  # fmt: skip

# What the vegetable field gives to 42 shares: (product, unit, quantity of a whole share in grams or pieces) by month.
HARVESTS = {
    1: [("Poireaux", "g", 900), ("Carottes", "g", 1000), ("Courge musquée", "g", 1200), ("Mâche", "g", 150),
        ("Pommes de terre", "g", 1350)],
    2: [("Poireaux", "g", 800), ("Panais", "g", 600), ("Chou frisé", "piece", 1), ("Betteraves", "g", 800),
        ("Pommes de terre", "g", 1350)],
    3: [("Épinards", "g", 500), ("Poireaux", "g", 700), ("Radis", "bunch", 1), ("Carottes", "g", 800),
        ("Blettes", "g", 600)],
    4: [("Radis", "bunch", 1), ("Épinards", "g", 500), ("Blettes", "g", 700), ("Laitue", "piece", 1),
        ("Poireaux", "g", 600)],
    5: [("Laitue", "piece", 1), ("Radis", "bunch", 1), ("Fèves", "g", 800), ("Oignons nouveaux", "bunch", 1),
        ("Petits pois", "g", 500)],
    6: [("Laitue", "piece", 1), ("Courgettes", "g", 1000), ("Carottes nouvelles", "bunch", 1), ("Blettes", "g", 600),
        ("Fèves", "g", 600)],
    7: [("Tomates", "g", 1500), ("Courgettes", "g", 1200), ("Concombres", "piece", 1), ("Haricots verts", "g", 500),
        ("Basilic", "bunch", 1)],
    8: [("Tomates", "g", 2000), ("Aubergines", "g", 700), ("Poivrons", "g", 600), ("Courgettes", "g", 1000),
        ("Melon", "piece", 1)],
    9: [("Tomates", "g", 1800), ("Poivrons", "g", 700), ("Haricots verts", "g", 500), ("Laitue", "piece", 1),
        ("Pommes de terre", "g", 1500), ("Oignons", "g", 600)],
    10: [("Courge butternut", "g", 1500), ("Carottes", "g", 1500), ("Poireaux", "g", 700), ("Laitue", "piece", 1),
         ("Pommes de terre", "g", 1350)],
    11: [("Carottes", "g", 1500), ("Pommes de terre", "g", 1350), ("Poireaux", "g", 900), ("Chou pommé", "piece", 1),
         ("Épinards", "g", 400)],
    12: [("Courge musquée", "g", 1300), ("Poireaux", "g", 900), ("Panais", "g", 600), ("Mâche", "g", 150),
         ("Carottes", "g", 1000)],
}  # fmt: skip

NEWS = {
    4: "Les premiers radis sont là. Merci à toutes celles et ceux qui ont signé : la saison est lancée.",
    6: "Grêle mardi soir : les salades ont souffert, les courgettes repartent. On vous tient au courant.",
    9: "Belle fin d'été : les tomates sont généreuses, profitez-en pour les bocaux.",
    11: "Les dernières carottes avant le gel. Le samedi on bâche les tunnels, coups de main bienvenus.",
}
