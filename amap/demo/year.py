"""Living the year: each day its deeds, through the same actions as everybody, with that day's date."""

import unicodedata
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid5

from django.utils import timezone, translation

from amap.actions import farms, membership, people
from amap.demo import people as cast
from amap.demo import season
from amap.models import (
    Association,
    CommitteeSeat,
    Farm,
    Farmer,
    Letter,
    Member,
    MembershipPeriod,
    PickupPlace,
    User,
)
from amap.models.people import Language
from contracts import tasks as contract_tasks
from contracts.actions import offers, payments, subscriptions
from contracts.models import Cheque, ContractOffer, Instalment
from contracts.signing import Proposal
from deliveries import tasks
from deliveries.actions import distributions, harvests, roster
from deliveries.models import Basket, Distribution, ShiftAssignment

# The Saturday on which the demonstration stands (domain.md §5.1).
REFERENCE = date(2026, 11, 21)
FIRST_DAY = date(2025, 9, 1)
LAST_DAY = date(2027, 7, 31)
NAMESPACE = UUID("5a1d2a52-5b8f-4a53-9a5a-7b6c2f0e2026")
BANKS = ("Banque du Val", "Crédit des Communes", "Caisse des Prés", "Banque d'Aulne")


class Year:
    """The demonstration's year up to `today`. `weeks`: how far the season is moved from the one written down."""

    def __init__(self, today, weeks):
        self.today = today
        self.shift = timedelta(weeks=weeks)
        self.deeds = defaultdict(list)
        self.offers = {}
        self.farms = {}
        self.households = {}
        self.users = {}

    # --- the calendar of deeds ---

    def on(self, written, deed, *what):
        """Note a deed for a day of the year as written."""
        self.deeds[written + self.shift].append((deed, what))

    def live(self):
        """Do everything that has happened by today, in order. In French: what people type is."""
        with translation.override("fr"):
            self.on(FIRST_DAY, self.begin)
            self.on(date(2025, 9, 10), self.fees, date(2025, 9, 1))
            for offer in season.OFFERS:
                self.on(offer.proposed_on, self.propose, offer)
                self.on(offer.open_on, self.sign_up, offer)
                self.on(offer.open_on + timedelta(days=25), self.hand_in, offer)
            self.on(date(2026, 3, 28), self.ask_for_vegetables)
            self.on(date(2026, 4, 20), self.move_ascension)
            self.on(date(2026, 8, 28), self.fees, date(2026, 9, 1))
            self.on(date(2026, 6, 12), self.bounce, 44)
            self.on(date(2026, 6, 25), self.replace_cheque, 44)
            self.on(date(2026, 11, 16), self.prepare_next_season)
            self.on(date(2026, 11, 19), self.misdrawn_cheques, (1, 5, 7, 13))
            month = date(2026, 4, 1)
            while month <= LAST_DAY:
                self.on(month + timedelta(days=2), self.deposit)
                self.on(month + timedelta(days=8), self.reach_the_bank)
                month = (month + timedelta(days=32)).replace(day=1)
            day = min(self.deeds)
            while day <= self.today:
                for deed, what in self.deeds.pop(day, ()):
                    deed(day, *what)
                if self.offers:
                    self.routine(day)
                day += timedelta(days=1)
        # What was written in the past has been read long ago.
        Letter.objects.exclude(status=Letter.Status.SENT).update(status=Letter.Status.SENT, sent_at=self.moment(day))

    def moment(self, day, hour=10, minute=0):
        return timezone.make_aware(datetime.combine(day, time(hour, minute)))

    def written(self, day):
        return day - self.shift

    # --- the association ---

    def begin(self, day):
        now = self.moment(day)
        self.association = Association.objects.create(
            slug="belombre",
            name="Les Paniers de Belombre",
            address="12 place de la Mairie",
            postal_code=cast.POSTAL_CODE,
            city=cast.TOWN,
            email="bonjour@paniers-belombre.example.org",
            phone="+33199000012",
            mediation_contact="Le collectif, puis le réseau régional des AMAP",
            is_demo=True,
        )
        self.place = PickupPlace.objects.create(association=self.association, **cast.PLACE)
        for number, (name, *first_names) in enumerate([*cast.HOUSEHOLDS, *cast.APPLICANTS], start=1):
            self.household(number, name, first_names, day, now)
        for number, role in cast.SEATS.items():
            self.seat(self.users[number], role, day)
        for one in cast.FARMS:
            self.farm(one, day, now)
        User.objects.create_user("passant@example.org", name="Un passant")
        rows = [{"id": None, "needed": 1} | role for role in cast.SHIFT_ROLES]
        roster.set_roles(self.association, rows, by=self.users[1], now=now)
        for starts in (date(2025, 9, 1), date(2026, 9, 1)):
            membership.add_period(
                self.association,
                starts_on=starts + self.shift,
                ends_on=starts.replace(year=starts.year + 1) + self.shift - timedelta(days=1),
                amap_part_cents=1200,
                network_part_cents=800,
                by=self.users[1],
                now=now,
            )

    def household(self, number, name, first_names, day, now):
        has_email = number not in cast.NO_EMAIL
        language = Language.ENGLISH if number in cast.ENGLISH else Language.FRENCH
        household = people.add_household(
            self.association,
            name=name,
            joined_on=day,
            address=f"{number * 3 % 60 + 1} {cast.STREETS[number % len(cast.STREETS)]}",
            postal_code=cast.POSTAL_CODE,
            city=cast.TOWN,
            people=[
                {
                    "name": f"{first} {name}",
                    "email": f"{_plain(first)}.{_plain(name)}@example.org" if has_email else "",
                    "phone": f"+336399{80000 + number * 10 + place:05d}",
                    "language": language,
                }
                for place, first in enumerate(first_names)
            ],
            by=None,
            now=now,
        )
        self.households[number] = household
        if number <= len(cast.HOUSEHOLDS) and has_email:
            for member in household.members.all():
                user = User.objects.create_user(member.email, name=member.name, language=language)
                Member.objects.filter(pk=member.pk).update(user=user, shows_phone=number % 3 != 0)
                self.users.setdefault(number, user)

    def seat(self, user, role, day):
        CommitteeSeat.objects.create(association=self.association, user=user, role=role, starts_on=day)

    def farm(self, one, day, now):
        farm = farms.add_farm(
            self.association,
            since=day,
            distance_km=one.km,
            by=self.users[1],
            now=now,
            name=one.name,
            legal_name=one.legal_name,
            kind=one.kind,
            contact_name=" et ".join(one.farmers),
            address=f"Lieu-dit {one.town}",
            postal_code="99200",
            city=one.town,
            email=f"ferme.{one.slug}@example.org",
            phone=f"+3319900{1000 + one.account:04d}",
            payee=one.legal_name,
            iban=cast.iban(one.account),
            certification="Agriculture biologique, certifiée par Certibelle",
            practices=one.practices,
        )
        Farm.objects.filter(pk=farm.pk).update(slug=one.slug)
        farm.slug = one.slug
        for farmer in one.farmers:
            user = User.objects.create_user(f"{_plain(farmer)}@example.org", name=farmer)
            Farmer.objects.create(farm=farm, user=user)
            self.users.setdefault(one.slug, user)
        if one.slug in cast.COMMITTEE_FARMS:
            self.seat(self.users[one.slug], CommitteeSeat.Role.COMMITTEE, day)
        partnership = farm.partnerships.get()
        farms.name_liaison(partnership, user=self.users[one.liaison], starts_on=day, by=self.users[1], now=now)
        self.farms[one.slug] = farm

    def fees(self, day, starts):
        """All sixty-two households settle their membership; forty-one give ten euros to the solidarity fund."""
        period = MembershipPeriod.objects.get(association=self.association, starts_on=starts + self.shift)
        for number in range(1, len(cast.HOUSEHOLDS) + 1):
            one = membership.open_membership(
                self.households[number], period=period, by=self.users[8], now=self.moment(day)
            )
            membership.record_fee(
                one,
                method="cheque" if number % 4 else "transfer",
                paid_on=day,
                solidarity_cents=1000 if number <= 41 and starts.year == 2026 else 0,
                by=self.users[8],
                now=self.moment(day, 11),
            )

    # --- offers and sign-ups ---

    def propose(self, day, one):
        """Written by the farm, accepted by both sides."""
        farm, farmer, now = self.farms[one.farm], self.users[one.farm], self.moment(day)
        offer = offers.create(
            self.association,
            farm=farm,
            place=self.place,
            title=one.title,
            code=one.code,
            kind=one.kind,
            by=farmer,
            now=now,
            reference_price_cents=one.price_cents,
            capacity_hundredths=one.capacity,
            instalment_counts=list(one.counts),
            open_on=one.open_on + self.shift,
            composition="Au moins 5 variétés de saison à chaque distribution."
            if one.kind == "harvest_share"
            else "Les mêmes produits de la ferme à chaque livraison.",
            **one.fields,
        )
        self.offers[one.key] = offer
        if one.kind == "by_date":
            items = [{"name": name, "unit": unit, "price_cents": cents} for name, unit, cents in one.items]
            offers.edit(offer, by=farmer, now=now, products=items)
            offers.set_days(offer, days=[written + self.shift for written in one.days], by=farmer, now=now)
        else:
            sizes = [
                {
                    "label": label,
                    "coefficient_hundredths": part,
                    "price_cents": cents,
                    "price_reason": ""
                    if cents * 100 == one.price_cents * part
                    else "Autant de gestes pour une petite part",
                }
                for label, part, cents in one.items
            ]
            offers.edit(offer, by=farmer, now=now, sizes=sizes)
            offers.set_calendar(
                offer,
                starts_on=one.first + self.shift,
                ends_on=one.last + self.shift,
                weekday=season.THURSDAY,
                interval_weeks=one.interval,
                closures=[written + self.shift for written in one.closures],
                by=farmer,
                now=now,
            )
        if one.budget:
            offers.set_budget(
                offer,
                lines=one.budget,
                amap_share_hundredths=one.amap_share,
                planned_equivalents_hundredths=one.capacity,
                by=farmer,
                now=now,
            )
        offers.propose(offer, by=farmer, now=now)
        later = self.moment(day + timedelta(days=3), 20)
        offers.accept(offer, side="farm", by=farmer, now=later)
        offers.accept(offer, side="committee", by=self.users[1], now=later + timedelta(hours=1))

    def sign_up(self, day, one):
        """The offer opens; every evening some households sign."""
        offer = self.offers[one.key]
        offers.open(offer, by=self.users[1], now=self.moment(day, 8))
        items = list(offer.products.all() if offer.is_by_date else offer.sizes.all())
        for rank, (number, item, quantity, turn) in enumerate(one.takers):
            now = self.moment(day + timedelta(days=1 + rank % 20), 20, rank % 60)
            if offer.is_by_date:
                ranks = offer.deliveries.values_list("rank", flat=True)
                choices = [(each, items[item].pk, quantity) for each in ranks]
            else:
                choices = [(items[item].pk, quantity, turn)]
            self.sign(offer, number, choices, now)

    def sign(self, offer, number, choices, now):
        household, user = self.households[number], self.users.get(number)
        proposal = Proposal(offer, now=now)
        quote = proposal.quote(proposal.settle(choices))
        counts = [count for count in offer.instalment_counts if quote.total_cents // count >= 1000]
        return subscriptions.sign(
            offer,
            household=household,
            choices=choices,
            instalment_count=max(counts) if offer.code.startswith("LEG") or number % 3 else 1,
            method="transfer" if number in self.by_transfer else "cheque",
            client_token=uuid5(NAMESPACE, f"{offer.code}-{number}"),
            name=household.members.first().name,
            expected_total_cents=quote.total_cents,
            is_paper=user is None,
            by=user or self.users[2],
            now=now,
        )

    # Eleven households pay by bank transfer.
    by_transfer = frozenset((3, 9, 17, 21, 26, 28, 34, 38, 45, 52, 56))

    def hand_in(self, day, one):
        """An evening of cheques; those who pay by transfer announce their standing order."""
        now = self.moment(day, 19)
        awaited = Instalment.objects.filter(subscription__offer=self.offers[one.key], status="planned")
        awaited = list(awaited.select_related("household").order_by("household__number", "number"))
        cheques = [instalment for instalment in awaited if instalment.method == "cheque"]
        payments.receive(
            [(instalment, self.paper(instalment, day, one.code)) for instalment in cheques], by=self.users[8], now=now
        )
        payments.declare(*[one for one in awaited if one.method == "transfer"], by=self.users[8], now=now)

    def paper(self, instalment, day, code=""):
        number = instalment.household.number
        return payments.Paper(
            number=f"{4000000 + number * 977 + instalment.number + sum(map(ord, code)) * 131:07d}",
            drawer=instalment.household.members.first().name,
            amount_cents=instalment.amount_cents,
            issued_on=day,
            bank=BANKS[number % len(BANKS)],
        )

    def ask_for_vegetables(self, day):
        """Those who came when the forty-two shares were signed for."""
        offer = self.offers["vegetables"]
        half = offer.sizes.get(coefficient_hundredths=50)
        for rank, number in enumerate((*season.WAITING, 63, 64)):
            subscriptions.wait(
                offer,
                household=self.households[number],
                equivalents_hundredths=100 if rank == 0 else half.coefficient_hundredths,
                client_token=uuid5(NAMESPACE, f"wait-{number}"),
                by=self.users.get(number) or self.users[2],
                now=self.moment(day, 10 + rank),
            )

    def prepare_next_season(self, day):
        """The farm has accepted version 2 of next year's vegetables; the bread of spring is a draft."""
        farmer, now = self.users["saules-gris"], self.moment(day)
        running = self.offers["vegetables"]
        offer = offers.create(
            self.association,
            farm=running.farm,
            place=self.place,
            title="Légumes 2027-28",
            code="LEG27",
            kind=running.kind,
            by=farmer,
            now=now,
            start_from=running,
        )
        offers.set_calendar(
            offer,
            starts_on=date(2027, 4, 1) + self.shift,
            ends_on=date(2028, 3, 23) + self.shift,
            weekday=season.THURSDAY,
            closures=[written + self.shift for written in (
                date(2027, 8, 12), date(2027, 8, 19), date(2027, 12, 23), date(2027, 12, 30),
            )],
            by=farmer,
            now=now,
        )  # fmt: skip
        offers.edit(offer, open_on=date(2027, 2, 1) + self.shift, by=farmer, now=now)
        offers.propose(offer, by=farmer, now=now)
        offers.set_budget(
            offer,
            lines=season.NEXT_BUDGET,
            amap_share_hundredths=7000,
            planned_equivalents_hundredths=4200,
            by=farmer,
            now=now,
        )
        offers.edit(
            offer,
            reference_price_cents=2160,
            sizes=[
                {"label": "Part entière", "coefficient_hundredths": 100, "price_cents": 2160, "price_reason": ""},
                {"label": "Demi-part", "coefficient_hundredths": 50, "price_cents": 1080, "price_reason": ""},
            ],
            by=farmer,
            now=now,
        )
        offers.propose(offer, by=farmer, now=now)
        offers.accept(offer, side="farm", by=farmer, now=now + timedelta(hours=1))
        bread = self.offers["bread"]
        offers.create(
            self.association,
            farm=bread.farm,
            place=self.place,
            title="Pain printemps 2027",
            code="PAIN27",
            kind=bread.kind,
            by=self.users["vieux-noyer"],
            now=now,
        )

    def move_ascension(self, day):
        """Ascension day: the distribution comes a day earlier, and keeps its rank (BR-13)."""
        written = date(2026, 5, 14)
        evening = Distribution.objects.get(association=self.association, day=written + self.shift)
        distributions.move(
            evening,
            day=date(2026, 5, 13) + self.shift,
            place=self.place,
            opens_at=evening.opens_at,
            closes_at=evening.closes_at,
            reason="Jeudi de l'Ascension",
            by=self.users[14],
            now=self.moment(day),
        )

    # --- payments ---

    def deposit(self, day):
        """The liaison hands each farm the cheques of the month."""
        for slug, farm in self.farms.items():
            cheques = list(
                Cheque.objects.filter(
                    instalment__farm=farm,
                    instalment__association=self.association,
                    instalment__status="received",
                    instalment__deposit_not_before__lte=day,
                )
            )
            if cheques:
                liaison = next(one.liaison for one in cast.FARMS if one.slug == slug)
                payments.hand_over(
                    farm,
                    association=self.association,
                    cheques=cheques,
                    on=day,
                    by=self.users[liaison],
                    now=self.moment(day, 19),
                )

    def reach_the_bank(self, day):
        """Each farm sees on its statement the cheques cashed and the transfers of the month."""
        now = self.moment(day, 21)
        for slug, farm in self.farms.items():
            mine = Instalment.objects.filter(farm=farm, association=self.association)
            if handed_over := list(mine.filter(status="handed_over")):
                payments.cash(*handed_over, by=self.users[slug], now=now)
            if arrived := list(mine.filter(status="declared", deposit_not_before__lte=day - timedelta(days=5))):
                # Two transfers of November for the vegetables do not come.
                late = {21, 34} if slug == "saules-gris" and self.written(day) > date(2026, 11, 1) else set()
                arrived = [one for one in arrived if one.household.number not in late]
                if arrived:
                    payments.confirm(*arrived, by=self.users[slug], now=now)

    def vegetable_instalment(self, number, **which):
        return Instalment.objects.filter(
            subscription__offer=self.offers["vegetables"], household=self.households[number], **which
        )

    def bounce(self, day, number):
        """The bank did not pay the cheque of June."""
        cashed = self.vegetable_instalment(number, status="cashed").order_by("-number").first()
        payments.reject(cashed, reason="Provision insuffisante", by=self.users["saules-gris"], now=self.moment(day, 9))

    def replace_cheque(self, day, number):
        awaited = self.vegetable_instalment(number, status="planned").get()
        payments.receive([(awaited, self.paper(awaited, day, "R"))], by=self.users[8], now=self.moment(day, 19))

    def misdrawn_cheques(self, day, numbers):
        """Made out to the farmer instead of her company: given back. The new ones are the treasurer's pile."""
        for number in numbers:
            for held in self.vegetable_instalment(number, status="received"):
                payments.correct(
                    held,
                    reason="Chèque à l'ordre de la paysanne au lieu de l'EARL\N{NO-BREAK SPACE}: à refaire",
                    by=self.users[8],
                    now=self.moment(day, 19, 30),
                )

    # --- the weekly rhythm ---

    def routine(self, day):
        """What returns: planning, harvest lists, locking, the evening."""
        if day.weekday() == season.THURSDAY:
            contract_tasks.start_and_end_seasons(self.moment(day, 0, 5))
            contract_tasks.turn_last_keys(self.moment(day, 0, 8))
            contract_tasks.follow_the_calendar(self.moment(day, 0, 10))
        if day.weekday() == 0:
            tasks.plan_ahead(self.moment(day, 3))
            self.fill_roster(day)
        tomorrow = day + timedelta(days=1)
        vegetables = self.offers["vegetables"].deliveries.filter(day=tomorrow, status="scheduled").first()
        if vegetables and vegetables.offer.status in ContractOffer.LIVE:
            self.post_harvest(vegetables, day)
        evening = self.association.distributions.filter(day=day).exclude(status="closed").first()
        if evening and day < self.today:
            self.hold(evening, day)

    def post_harvest(self, delivery, day):
        month = self.written(delivery.day).month
        products = season.HARVESTS[month]
        # Not all weeks are alike: one product stays in the field, in turn; after the hail there is less of everything.
        left_out = delivery.rank % (len(products) + 1)
        lean = {date(2026, 6, 11): 60, date(2026, 6, 18): 55, date(2026, 6, 25): 65, date(2026, 7, 2): 80,
                date(2026, 7, 9): 85}.get(self.written(delivery.day), 100)  # fmt: skip
        items = [
            {"product": product, "unit": unit, "whole": max(1, quantity * lean // 100)}
            for position, (product, unit, quantity) in enumerate(products)
            if position != left_out
        ]
        harvests.post_harvest(
            delivery,
            items=items,
            news=season.NEWS.get(month, "") if delivery.day.day <= 14 else "",
            by=self.users["saules-gris"],
            now=self.moment(day, 6, 20),
        )

    def fill_roster(self, day):
        """Households take shifts some weeks ahead; a few holes stay in the weeks to come."""
        coming = self.association.distributions.filter(day__gt=day, day__lte=day + timedelta(days=28))
        for evening in coming.prefetch_related("shifts"):
            weeks_ahead = (evening.day - day).days // 7
            for position, shift in enumerate(evening.shifts.all()):
                if shift.taken or position + weeks_ahead > 3:
                    continue
                # The last evening before today keeps a hole at the scales, the next one two.
                if evening.day > self.today and position >= 2 and (position + evening.day.isocalendar().week) % 2:
                    continue
                number = 1 + (evening.day.toordinal() // 7 * 4 + position) * 5 % 58
                if number == 40 or number not in self.users:
                    number += 1
                if evening.assignments.filter(household=self.households[number]).exists():
                    continue
                user = self.users[number]
                roster.take_shift(
                    shift,
                    household=self.households[number],
                    volunteer=user.name,
                    user=user,
                    by=user,
                    now=self.moment(day, 21),
                )

    def hold(self, evening, day):
        """Lock, tick, close. Now and then somebody forgets their basket."""
        lead = self.users[14]
        distributions.lock(evening, by=None, now=self.moment(day, 0, 30))
        expected = sorted(set(Basket.objects.filter(distribution=evening).values_list("household", flat=True)))
        forgot = expected[day.toordinal() % len(expected)] if day.toordinal() // 7 % 3 == 0 else None
        distributions.collect(
            evening,
            households=[household for household in expected if household != forgot],
            by=lead,
            now=self.moment(day, 19, 10),
        )
        distributions.close(evening, by=lead, now=self.moment(day, 20))
        for assignment in evening.assignments.filter(status=ShiftAssignment.Status.CONFIRMED):
            roster.mark(assignment, to=ShiftAssignment.Status.DONE, by=lead, now=self.moment(day, 20, 5))


def _plain(text):
    """`Maëlle Kerdavid` → `maelle.kerdavid`, for addresses."""
    folded = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("æ", "ae").replace("Œ", "oe"))
    return "".join(c for c in folded if c.isascii() and (c.isalnum() or c == " ")).lower().replace(" ", ".")
