"""The first day: the association, its households, their seats, its farms; and each year's fees."""

import unicodedata
from datetime import date, timedelta

from allauth.account.models import EmailAddress

from amap.actions import farms, membership, people
from amap.demo import people as cast
from amap.models import Association, CommitteeSeat, Farm, Farmer, Member, MembershipPeriod, PickupPlace, User
from amap.models.people import Language
from deliveries.actions import roster


def begin(year, day):
    now = year.moment(day)
    year.association = Association.objects.create(
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
    year.place = PickupPlace.objects.create(association=year.association, **cast.PLACE)
    for number, (name, *first_names) in enumerate([*cast.HOUSEHOLDS, *cast.APPLICANTS], start=1):
        add_household(year, number, name, first_names, day)
    for number, role in cast.SEATS.items():
        give_seat(year, year.users[number], role, day)
    for one in cast.FARMS:
        add_farm(year, one, day, now)
    User.objects.create_user("passant@example.org", name="Un passant")
    EmailAddress.objects.update(verified=True)  # everybody came by an invitation or a code
    rows = [{"id": None, "needed": 1} | role for role in cast.SHIFT_ROLES]
    roster.set_roles(year.association, rows, by=year.users[1], now=now)
    for starts in (date(2025, 9, 1), date(2026, 9, 1)):
        membership.add_period(
            year.association,
            starts_on=starts + year.shift,
            ends_on=starts.replace(year=starts.year + 1) + year.shift - timedelta(days=1),
            amap_part_cents=1200,
            network_part_cents=800,
            by=year.users[1],
            now=now,
        )


def add_household(year, number, name, first_names, day):
    has_email = number not in cast.NO_EMAIL
    language = Language.ENGLISH if number in cast.ENGLISH else Language.FRENCH
    household = people.add_household(
        year.association,
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
        now=year.moment(day),
    )
    year.households[number] = household
    if number <= len(cast.HOUSEHOLDS) and has_email:
        for member in household.members.all():
            user = User.objects.create_user(member.email, name=member.name, language=language)
            Member.objects.filter(pk=member.pk).update(user=user, shows_phone=number % 3 != 0)
            year.users.setdefault(number, user)


def give_seat(year, user, role, day):
    CommitteeSeat.objects.create(association=year.association, user=user, role=role, starts_on=day)


def add_farm(year, one, day, now):
    farm = farms.add_farm(
        year.association,
        since=day,
        distance_km=one.km,
        by=year.users[1],
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
        year.users.setdefault(one.slug, user)
    if one.slug in cast.COMMITTEE_FARMS:
        give_seat(year, year.users[one.slug], CommitteeSeat.Role.COMMITTEE, day)
    partnership = farm.partnerships.get()
    farms.name_liaison(partnership, user=year.users[one.liaison], starts_on=day, by=year.users[1], now=now)
    year.farms[one.slug] = farm


def fees(year, day, starts):
    """All sixty-two households settle their membership; forty-one give ten euros to the solidarity fund."""
    period = MembershipPeriod.objects.get(association=year.association, starts_on=starts + year.shift)
    for number in range(1, len(cast.HOUSEHOLDS) + 1):
        membership.pay(
            year.households[number],
            period=period,
            method="cheque" if number % 4 else "transfer",
            paid_on=day,
            solidarity_cents=1000 if number <= 41 and starts.year == 2026 else 0,
            by=year.users[8],
            now=year.moment(day, 11),
        )


def _plain(text):
    """`Maëlle Kerdavid` → `maelle.kerdavid`, for addresses."""
    folded = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("æ", "ae").replace("Œ", "oe"))
    return "".join(c for c in folded if c.isascii() and (c.isalnum() or c == " ")).lower().replace(" ", ".")
