"""The words of the contract. It is issued in French whatever the reader's language (BR-74), so they are French here.

`TERMS` are what a new offer starts from; a farm and its AMAP make them their own. `legal_clauses` are what the law
asks to be said (BR-35, BR-43). Nothing here is legal advice: a network should read it once.
"""

from contracts.models import ContractOffer

CHARTER = (
    "Les parties s’engagent à respecter la charte des AMAP (mars 2014), disponible auprès de l’association et du "
    "réseau des AMAP. L’association facilite ce contrat et en garde un exemplaire ; elle n’achète ni ne vend rien."
)

TERMS = {
    "member_commitments": (
        "Prendre sa part à chaque livraison jusqu’à la fin de la saison, ou la faire prendre par quelqu’un.\n"
        "Remettre tous ses règlements à l’avance, à l’ordre de la ferme, selon l’échéancier du contrat.\n"
        "Venir aux permanences de distribution auxquelles son foyer s’est inscrit.\n"
        "Accepter que le contenu de la part suive les saisons et le temps qu’il fait.\n"
        "Dire ce qui va et ce qui ne va pas, d’abord à la référente ou au référent de la ferme."
    ),
    "farmer_commitments": (
        "Produire soi-même, dans le respect de la charte des AMAP, et livrer aux dates du calendrier.\n"
        "Être présent·e aux distributions, ou s’y faire représenter par une personne de la ferme.\n"
        "Expliquer ses façons de produire, ses coûts et ses prix, et ouvrir la ferme au moins une fois par saison.\n"
        "Prévenir au plus tôt quand la récolte est compromise.\n"
        "N’encaisser les règlements qu’aux dates prévues par le contrat."
    ),
    "common_commitments": (
        "Construire une relation durable, fondée sur la confiance et la transparence.\n"
        "Chercher ensemble, avec le collectif, une solution juste à toute difficulté.\n"
        "Faire le bilan de la saison et préparer la suivante ensemble."
    ),
    "hazard_clause": (
        "Gel, grêle, sécheresse, maladie, ravageurs, accident : ces aléas sont partagés. La part peut alors être "
        "moins garnie sans que son prix change ; quand la récolte est belle, elle est plus garnie au même prix. La "
        "ferme informe l’association dans les sept jours, et les suites sont décidées ensemble."
    ),
    "absence_clause": (
        "Une part non retirée n’est ni remboursée ni gardée. En cas d’absence, chacun·e peut envoyer quelqu’un à sa "
        "place. À la fin de la distribution, {fate}."
    ),
    "shortage_rule": (
        "Si un produit manque, la ferme le livre à une date suivante ou le remplace par un produit de même valeur, "
        "en accord avec la référente ou le référent. À défaut, la suite est décidée ensemble."
    ),
    "termination_clause": (
        "L’engagement vaut pour toute la saison. Il peut s’arrêter plus tôt en cas de déménagement, de maladie "
        "grave, de perte de revenus ou de force majeure, sur demande écrite un mois à l’avance : un autre foyer "
        "reprend alors le contrat, en priorité depuis la liste d’attente. Sans repreneur, les parties et le "
        "collectif cherchent une solution juste. Si la ferme doit cesser ses livraisons, les règlements des "
        "livraisons non faites sont rendus."
    ),
}
FATES = {
    "charity": "les parts restantes sont données à une association d’entraide",
    "volunteers": "les parts restantes sont partagées entre les bénévoles présents",
}
COMPOSITION = {
    ContractOffer.Kind.HARVEST_SHARE: (
        "Une part de la récolte de la ferme, répartie également entre toutes les parts : des légumes de saison, au "
        "moins 5 variétés à chaque livraison, moins à la soudure de printemps."
    ),
    ContractOffer.Kind.FIXED_QUANTITY: "Les mêmes produits, en même quantité, à chaque livraison.",
    ContractOffer.Kind.BY_DATE: "Les produits et les quantités choisis pour chaque date à la signature.",
}


def default_terms(association, kind) -> dict[str, str]:
    """The texts a new offer starts from, by field name. `association` says the fate of uncollected baskets and the
    mediator.
    """
    return {name: text.format(fate=FATES[association.uncollected_fate]) for name, text in TERMS.items()} | {
        "composition": COMPOSITION[kind],
        "mediation_contact": association.mediation_contact,
    }


ADVANCE = (
    "Prix payé d’avance",
    "Les sommes remises d’avance sont des acomptes à valoir sur le prix, et non des arrhes : aucune des parties ne "
    "peut se dédire en les abandonnant ou en les rendant au double (article L. 214-1 du code de la consommation).",
)
CHEQUES = (
    "Dates d’encaissement",
    "Chaque chèque est daté du jour où il est signé, jamais d’un jour à venir. La ferme s’engage à ne pas "
    "l’encaisser avant la date prévue à l’échéancier, fixée dans l’année qui suit la signature.",
)
PERISHABLE = (
    "Droit de rétractation",
    "Le droit de rétractation ne s’applique pas aux produits susceptibles de se détériorer ou de se périmer "
    "rapidement (article L. 221-28, 4° du code de la consommation).",
)
WITHDRAWAL = (
    "Droit de rétractation pour les produits qui se conservent",
    "Pour les produits qui se conservent (farine, miel, huile, jus…), le membre peut se rétracter sans motif "
    "pendant quatorze jours à compter de la réception du premier produit, en l’annonçant à la ferme par une "
    "déclaration sans équivoque ; le formulaire ci-dessous peut servir. La ferme rembourse au plus tard quatorze "
    "jours après ; les frais de renvoi sont à la charge du membre.",
)
WITHDRAWAL_FORM = (
    "Formulaire de rétractation",
    "À l’attention de {farm}, {address} : je vous notifie ma rétractation du contrat portant sur les produits "
    "ci-après : ……… Commandés le ……… / reçus le ……… Nom et adresse du foyer : ……… Date et signature : ………",
)
OFF_PREMISES = (
    "Signature hors de la ferme",
    "Signé en présence des deux parties ailleurs qu’à la ferme, ce contrat ne donne lieu à aucun règlement, chèque "
    "compris, avant l’expiration d’un délai de sept jours (article L. 221-10 du code de la consommation).",
)


def legal_clauses(offer, *, off_premises=False) -> list[tuple[str, str]]:
    """(title, text) of the clauses the law asks for, in the order of the contract (BR-35, BR-43).

    `off_premises`: signed face to face away from the farm, on paper. An offer that is not wholly perishable prints
    the withdrawal notice and its form beside the exception for what perishes.
    """
    clauses = [ADVANCE]
    if offer.accepts_cheques:
        clauses.append(CHEQUES)
    clauses.append(PERISHABLE)
    if not offer.perishable:
        farm = offer.farm
        address = " ".join(filter(None, [farm.address, farm.postal_code, farm.city]))
        title, text = WITHDRAWAL_FORM
        clauses += [WITHDRAWAL, (title, text.format(farm=farm.legal_name or farm.name, address=address))]
    if off_premises:
        clauses.append(OFF_PREMISES)
    if offer.mediation_contact:
        clauses.append(
            (
                "En cas de désaccord",
                "Les parties cherchent d’abord un accord avec le collectif, puis s’adressent à : "
                f"{offer.mediation_contact}. Le membre peut aussi recourir gratuitement à un médiateur de la "
                "consommation.",
            )
        )
    return clauses
