"""The people of the tests: one small AMAP with every role, and a second one whose people must never see the first.

Rows are made directly, so that a test of one action does not depend on another. Dates stand around Saturday 21
November 2026.
"""

from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from amap.models import (
    Association,
    CommitteeSeat,
    Farm,
    Farmer,
    FarmLiaison,
    Household,
    Member,
    Membership,
    MembershipPeriod,
    Partnership,
    PickupPlace,
    User,
)
from contracts.models import ContractOffer, Delivery, Instalment, Product, ShareSize, Subscription, SubscriptionLine

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=PARIS)
LONG_AGO = date(2026, 1, 1)


class Amap:
    """One association: `.association`, `.place`, `.period`, `.farm`, and its people as users: `.committee`,
    `.treasurer`, `.secretary`, `.lead`, `.liaison`, `.farmer`, `.member`; the member's household is `.household`.
    """

    def __init__(self, slug="belombre", name="Les Paniers de Belombre"):
        self.slug = slug
        self.association = Association.objects.create(
            slug=slug, name=name, address="1 place du Marché", postal_code="99100", city="Belombre-sur-Aulne"
        )
        self.place = PickupPlace.objects.create(
            association=self.association, name="Préau de l'école", address="3 rue des Écoles, Belombre-sur-Aulne"
        )
        self.period = MembershipPeriod.objects.create(
            association=self.association,
            starts_on=date(2026, 9, 1),
            ends_on=date(2027, 8, 31),
            amap_part_cents=1200,
            network_part_cents=800,
        )
        self.farm = Farm.objects.create(
            slug=f"saules-gris-{slug}",
            name="Ferme des Saules Gris",
            legal_name="EARL Ferme des Saules Gris",
            contact_name="Maëlle Kerdavid",
            address="Les Saules",
            postal_code="99200",
            city="Aulnette",
            email=f"ferme@{slug}.example.org",
            phone="0199000001",
            payee="EARL Ferme des Saules Gris",
            iban="FR7699999000100123456789071",
        )
        self.partnership = Partnership.objects.create(association=self.association, farm=self.farm, since=LONG_AGO)
        self.committee = self.person("Camille Comité", seat="committee")
        self.treasurer = self.person("Théo Trésor", seat="treasurer")
        self.secretary = self.person("Sacha Plume", seat="secretary")
        self.lead = self.person("Dominique Clé", seat="distribution_lead")
        self.liaison = self.person("Lou Lien")
        FarmLiaison.objects.create(partnership=self.partnership, user=self.liaison, starts_on=LONG_AGO)
        self.farmer = self.user("maelle", "Maëlle Kerdavid")
        Farmer.objects.create(farm=self.farm, user=self.farmer)
        self.member = self.person("Mina Membre")
        self.household = self.household_of(self.member)

    def user(self, local, name):
        return User.objects.create_user(f"{local}@{self.slug}.example.org", name=name, language="en")

    def person(self, name, seat=None):
        """A user with a household of their own, membership paid, and a seat if named."""
        user = self.user(name.split()[0].lower(), name)
        household = self.new_household(name.split()[-1])
        Member.objects.create(
            association=self.association,
            household=household,
            user=user,
            name=name,
            email=user.email,
            phone="0639980001",
        )
        if seat:
            CommitteeSeat.objects.create(association=self.association, user=user, role=seat, starts_on=LONG_AGO)
        return user

    def new_household(self, name="Martin", *, paid=True):
        """A household without accounts, its membership of the period paid."""
        number = self.association.households.count() + 1
        household = Household.objects.create(
            association=self.association,
            number=number,
            name=name,
            address="2 rue du Puits",
            postal_code="99100",
            city="Belombre-sur-Aulne",
            joined_on=LONG_AGO,
        )
        if paid:
            Membership.objects.create(
                association=self.association,
                period=self.period,
                household=household,
                status=Membership.Status.PAID,
                amap_cents=1200,
                network_cents=800,
                total_cents=2000,
                method="cheque",
                paid_on=date(2026, 9, 5),
            )
        return household

    def household_of(self, user):
        return Household.objects.get(association=self.association, members__user=user)

    def offer(self, *, title="Légumes 2026-27", status="running", deliveries=10, start=date(2026, 10, 1), **fields):
        """A weekly vegetable offer: whole share 21.00, half 10.50, capacity 42. Deliveries before TODAY are held."""
        defaults = {
            "association": self.association,
            "farm": self.farm,
            "place": self.place,
            "title": title,
            "code": f"LEG{ContractOffer.objects.count() + 1}",
            "status": status,
            "starts_on": start,
            "ends_on": start + timedelta(weeks=deliveries - 1),
            "weekday": start.weekday(),
            "reference_price_cents": 2100,
            "capacity_hundredths": 4200,
            "instalment_counts": [1, 3, 6, 12],
            "composition": "Au moins 5 variétés de saison.",
            "member_commitments": "Venir chercher son panier.",
            "farmer_commitments": "Cultiver, livrer, expliquer.",
            "common_commitments": "Se parler.",
            "hazard_clause": "Les aléas sont partagés.",
            "absence_clause": "Un panier non retiré est donné.",
            "shortage_rule": "Ce qui manque est remplacé quand c'est possible.",
            "termination_clause": "Le contrat peut être repris par un autre foyer.",
            "mediation_contact": "Le collectif",
        }
        offer = ContractOffer.objects.create(**defaults | fields)
        days = [start + timedelta(weeks=week * offer.interval_weeks) for week in range(deliveries)]
        Delivery.objects.bulk_create(
            Delivery(
                association=self.association,
                offer=offer,
                place=self.place,
                rank=rank,
                day=day,
                status=Delivery.Status.HELD if day < TODAY else Delivery.Status.SCHEDULED,
            )
            for rank, day in enumerate(days, start=1)
        )
        if offer.is_by_date:
            Product.objects.create(offer=offer, name="Farine de blé", unit="1 kg", price_cents=280)
            Product.objects.create(offer=offer, name="Huile", unit="50 cl", price_cents=650, position=1)
        else:
            ShareSize.objects.create(offer=offer, label="Part entière", price_cents=2100)
            ShareSize.objects.create(
                offer=offer, label="Demi-part", coefficient_hundredths=50, price_cents=1050, position=1
            )
        return offer

    def subscribe(self, household, offer, *, size=None, quantity=1, turn="every", status="active", instalments=3):
        """A live subscription to every delivery of the offer, with cheque instalments still awaited."""
        size = size or offer.sizes.first()
        ranks = [
            rank
            for rank in offer.deliveries.values_list("rank", flat=True)
            if turn == "every" or rank % 2 == (turn == "odd")
        ]
        total = len(ranks) * quantity * size.price_cents
        equivalents = size.coefficient_hundredths * quantity // (1 if turn == "every" else 2)
        subscription = Subscription.objects.create(
            association=self.association,
            offer=offer,
            household=household,
            status=status,
            first_rank=1,
            last_rank=max(ranks),
            deliveries_count=len(ranks),
            equivalents_hundredths=equivalents,
            total_cents=total,
            method="cheque",
            client_token=uuid4(),
            signed_at=NOW - timedelta(days=60),
            reserved_until=NOW - timedelta(days=50),
        )
        SubscriptionLine.objects.create(
            subscription=subscription, size=size, quantity=quantity, turn=turn, unit_price_cents=size.price_cents
        )
        base, rest = divmod(total, instalments)
        for number in range(1, instalments + 1):
            Instalment.objects.create(
                association=self.association,
                farm=offer.farm,
                household=household,
                subscription=subscription,
                number=number,
                amount_cents=base + (rest if number == 1 else 0),
                method="cheque",
                deposit_not_before=offer.starts_on + timedelta(days=30 * (number - 1)),
                reference=f"AMAP-{offer.code}-H{household.number:03d}-{number:02d}",
            )
        offer.taken_hundredths += equivalents
        offer.save(update_fields=["taken_hundredths"])
        return subscription
