"""Who lives in the demonstration. Everything is invented: addresses of example.org, telephone numbers of fiction."""

from dataclasses import dataclass

TOWN = "Belombre-sur-Aulne"
POSTAL_CODE = "99100"

# Family name, first names of the adults; the position is the household's number.
HOUSEHOLDS = [
    ("Aubertin", "Claire", "Mathieu"),
    ("Bastide", "Romain"),
    ("Berthelot", "Nadège", "Sylvain"),
    ("Bonnefoy", "Inès"),
    ("Bréhier", "Julien", "Anouk"),
    ("Cantaloube", "Muriel"),
    ("Carpentras", "Hugo", "Leïla"),
    ("Chastagner", "Bernard"),
    ("Colombier", "Aurore", "Fabien"),
    ("Courtois", "Solange"),
    ("Daguerre", "Pauline"),
    ("Delaunoy", "Marc", "Sophie"),
    ("Dessaigne", "Farid", "Céline"),
    ("Duvivier", "Françoise"),
    ("Escoffier", "Thomas", "Elise"),
    ("Estienne", "Odette"),
    ("Fabrègues", "Camille", "Simon"),
    ("Faucheux", "Gaëlle"),
    ("Ferrandière", "Yves", "Martine"),
    ("Fontanel", "Amina"),
    ("Gaillardon", "Sébastien"),
    ("Garance", "Marion", "Paul"),
    ("Gautrelet", "Denis"),
    ("Grandclément", "Lucie", "Antoine"),
    ("Guillemet", "Elsa"),
    ("Hautecœur", "Patrice", "Nicole"),
    ("Herbelin", "Jeanne"),
    ("Hottinger", "Karim", "Justine"),
    ("Imbertaud", "Valérie"),
    ("Jacquemond", "Pierre", "Anne"),
    ("Jolivet", "Marguerite"),
    ("Kermarec", "Erwan", "Maud"),
    ("Labrousse", "Stéphane"),
    ("Lacassagne", "Estelle", "Jérôme"),
    ("Lafaurie", "Danielle"),
    ("Lavergne", "Bruno", "Catherine"),
    ("Leclair", "Maya"),
    ("Lestrade", "Olivier", "Hélène"),
    ("Malherbe", "Corinne"),
    ("Marceau", "Gilles", "Brigitte"),
    ("Mazières", "Noémie"),
    ("Montclar", "Adrien", "Louise"),
    ("Nadal", "Rosa"),
    ("Noirclerc", "Vincent", "Sarah"),
    ("Orsini", "Lætitia"),
    ("Pasquier", "Didier", "Monique"),
    ("Peyrelade", "Alice"),
    ("Pommereul", "Quentin", "Fanny"),
    ("Quentric", "Soizic"),
    ("Rambaud", "Nicolas", "Delphine"),
    ("Ravelle", "Thérèse"),
    ("Redfern", "Emily", "James"),
    ("Roquebrune", "Xavier"),
    ("Sabatier", "Clothilde", "Jean"),
    ("Sauvageot", "Manon"),
    ("Tardieu", "Philippe", "Agnès"),
    ("Thiébaut", "Iris"),
    ("Tournemire", "Samuel", "Eva"),
    ("Vauquelin", "Roger"),
    ("Verdier", "Cécile", "Arnaud"),
    ("Villemin", "Hortense"),
    ("Yvernault", "Loïc", "Gwenn"),
]
# Outside applicants: they wait for a place and are no members yet.
APPLICANTS = [("Zeller", "Ondine"), ("Zakarian", "David", "Lise")]

NO_EMAIL = {31}
ENGLISH = {52}

STREETS = ["rue du Puits", "rue des Écoles", "chemin du Lavoir", "place du Marché", "allée des Tilleuls", "rue Basse"]

# Six households of the committee; three farmers sit with them.
SEATS = {
    1: "committee",
    5: "committee",
    8: "treasurer",
    12: "secretary",
    14: "distribution_lead",
    20: "committee",
}
COMMITTEE_FARMS = ["vieux-noyer", "pas-de-cote", "combe-douce"]

PLACE = {
    "name": "Préau de l'école Louise-Michel",
    "address": f"4 rue Louise-Michel, {POSTAL_CODE} {TOWN}",
    "instructions": "Clés dans la boîte à code, à gauche du portail. À la fin : ranger les tables, balayer, éteindre, "
    "refermer le portail, remettre les clés.",
}


@dataclass(frozen=True)
class DemoFarm:
    slug: str
    name: str
    legal_name: str
    kind: str
    farmers: tuple
    town: str
    km: int
    liaison: int
    account: int
    practices: str


FARMS = [
    DemoFarm(
        slug="saules-gris", name="Ferme des Saules Gris", legal_name="EARL Ferme des Saules Gris", kind="vegetables",
        farmers=("Maëlle Kerdavid",), town="Aulnette", km=38, liaison=2, account=1,
        practices="Maraîchage biologique, 3,2 hectares dont douze ares de tunnels, deux saisonniers. Semences "
        "reproductibles pour un tiers des variétés.",
    ),
    DemoFarm(
        slug="vieux-noyer", name="Fournil du Vieux Noyer", legal_name="Ismaël Bonnavent", kind="bread",
        farmers=("Ismaël Bonnavent",), town="Saint-Orle", km=22, liaison=2, account=2,
        practices="Paysan-boulanger : 14 hectares de blés anciens, meule de pierre, levain naturel, four à bois.",
    ),
    DemoFarm(
        slug="fontanelle", name="Basse-cour de Fontanelle", legal_name="Odile Tranchevent", kind="eggs",
        farmers=("Odile Tranchevent",), town="Fontanelle", km=17, liaison=13, account=3,
        practices="240 poules en plein air, en trois bandes d'âges différents, aliment de la ferme.",
    ),
    DemoFarm(
        slug="pas-de-cote", name="Chèvrerie du Pas-de-Côté", legal_name="GAEC du Pas-de-Côté", kind="cheese",
        farmers=("Baptiste Lescuyer", "Noor Lescuyer"), town="Les Combes", km=29, liaison=18, account=4,
        practices="46 chèvres alpines au pâturage, traite à la main le matin, tarissement de décembre à mars.",
    ),
    DemoFarm(
        slug="combe-douce", name="Verger de la Combe Douce", legal_name="SCEA de la Combe Douce", kind="fruit",
        farmers=("Yann Perdriel",), town="Combe-la-Douce", km=44, liaison=24, account=5,
        practices="Sept variétés de pommes, haies et moutons sous les arbres, pressoir.",
    ),
    DemoFarm(
        slug="aubraie", name="Ferme de l'Aubraie", legal_name="Clémence Vautrin", kind="meat",
        farmers=("Clémence Vautrin",), town="L'Aubraie", km=31, liaison=30, account=6,
        practices="Poulets de 100 jours élevés en petits lots, sous les pommiers.",
    ),
]  # fmt: skip

SHIFT_ROLES = [
    {"name": "Responsable de soirée", "is_lead": True, "instructions": "Prendre les clés, lancer la soirée, fermer."},
    {"name": "Accueil et émargement", "instructions": "Accueillir, cocher la feuille."},
    {"name": "Pesée", "instructions": "Tarer les balances, écrire l'affiche du jour."},
    {"name": "Installation et rangement", "instructions": "Tables, cagettes, balayage."},
]


def iban(account):
    """A French IBAN of a bank that does not exist, with valid keys."""
    bank, branch, number = 99999, 10, account
    key = 97 - (89 * bank + 15 * branch + 3 * number) % 97
    bban = f"{bank:05d}{branch:05d}{number:011d}{key:02d}"
    return f"FR{98 - int(bban + '152700') % 97:02d}{bban}"
