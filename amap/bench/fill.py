"""An association of any size, made in bulk: the shape of real data without its stories."""

from datetime import date, time, timedelta
from uuid import uuid4

from django.utils import timezone

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
from contracts.models import ContractOffer, Delivery, Instalment, ShareSize, Subscription, SubscriptionLine
from deliveries.models import Distribution, Shift, ShiftAssignment, ShiftRole

BATCH = 2000


def fill(slug, *, households, farms, contracts, deliveries, now, instalments=12):
    """One association: each household has `contracts` subscriptions among `farms`' offers of `deliveries` weeks
    around today.

    Its people sign in as `member@<slug>.example.org`, `committee@…`, `treasurer@…`, `lead@…`, `farmer@…`, `liaison@…`.
    Returns the Association.
    """
    today = timezone.localdate(now)
    association = Association.objects.create(slug=slug, name=f"AMAP {slug}", city="Banc-d'Essai")
    place = PickupPlace.objects.create(association=association, name="Préau")
    since = today - timedelta(days=400)
    period = MembershipPeriod.objects.create(
        association=association,
        starts_on=since,
        ends_on=today + timedelta(days=400),
        amap_part_cents=1200,
        network_part_cents=800,
    )
    homes = Household.objects.bulk_create(
        [
            Household(association=association, number=n, name=f"Foyer {n:04d}", city="Banc-d'Essai", joined_on=since)
            for n in range(1, households + 1)
        ],
        BATCH,
    )
    people = ["member", "committee", "treasurer", "lead", "liaison"]
    users = User.objects.bulk_create(
        [
            User(
                email=f"{people[n] if n < 5 else f'foyer{n}'}@{slug}.example.org",
                name=f"Personne {n:04d}",
            )
            for n in range(households)
        ],
        BATCH,
    )
    Member.objects.bulk_create(
        [
            Member(association=association, household=home, user=user, name=user.name, email=user.email)
            for home, user in zip(homes, users, strict=True)
        ],
        BATCH,
    )
    Membership.objects.bulk_create(
        [
            Membership(
                association=association,
                period=period,
                household=home,
                status="paid",
                amap_cents=1200,
                network_cents=800,
                total_cents=2000,
                method="cheque",
                paid_on=since,
            )
            for home in homes
        ],
        BATCH,
    )
    for role, user in (("committee", users[1]), ("treasurer", users[2]), ("distribution_lead", users[3])):
        CommitteeSeat.objects.create(association=association, user=user, role=role, starts_on=since)
    offers = [
        _offer(association, place, rank, deliveries=deliveries, today=today, since=since, user=users[4])
        for rank in range(farms)
    ]
    _subscriptions(association, homes, offers, contracts=contracts, instalments=instalments, now=now)
    _evenings(association, place, homes, deliveries=deliveries, today=today, now=now)
    return association


def _monday(today):
    return today - timedelta(days=today.weekday())


def _first_day(today, deliveries):
    """Three fifths of the season are past; deliveries fall on Thursdays."""
    return _monday(today) + timedelta(days=3) - timedelta(weeks=deliveries * 3 // 5)


def _offer(association, place, rank, *, deliveries, today, since, user):
    slug = f"ferme-{rank}-{association.slug}"
    farm = Farm.objects.create(
        slug=slug, name=f"Ferme {rank:02d}", legal_name=f"EARL {rank:02d}", payee=f"EARL {rank:02d}"
    )
    farmer = User.objects.create(
        email=f"{'farmer' if rank == 0 else slug}@{association.slug}.example.org",
        name=f"Paysanne {rank}",
    )
    Farmer.objects.create(farm=farm, user=farmer)
    partnership = Partnership.objects.create(association=association, farm=farm, since=since)
    if rank == 0:
        FarmLiaison.objects.create(partnership=partnership, user=user, starts_on=since)
    first = _first_day(today, deliveries)
    offer = ContractOffer.objects.create(
        association=association,
        farm=farm,
        place=place,
        title=f"Légumes {rank:02d}",
        code=f"B{rank:02d}",
        status="running",
        starts_on=first,
        ends_on=first + timedelta(weeks=deliveries - 1),
        reference_price_cents=2100,
        capacity_hundredths=100_000_000,
        instalment_counts=[1, 3, 6, 12],
    )
    offer.size = ShareSize.objects.create(offer=offer, label="Part entière", price_cents=2100)
    offer.rows = Delivery.objects.bulk_create(
        [
            Delivery(
                association=association,
                offer=offer,
                place=place,
                rank=week + 1,
                day=first + timedelta(weeks=week),
                status="held" if first + timedelta(weeks=week) < today else "scheduled",
            )
            for week in range(deliveries)
        ],
        BATCH,
    )
    return offer


def _subscriptions(association, homes, offers, *, contracts, instalments, now):
    signed = []
    for position, home in enumerate(homes):
        for turn in range(contracts):
            offer = offers[(position + turn) % len(offers)]
            count = len(offer.rows)
            signed.append(
                Subscription(
                    association=association,
                    offer=offer,
                    household=home,
                    status="active",
                    first_rank=1,
                    last_rank=count,
                    deliveries_count=count,
                    equivalents_hundredths=100,
                    total_cents=2100 * count,
                    method="cheque",
                    client_token=uuid4(),
                    signed_at=now - timedelta(days=250),
                    reserved_until=now - timedelta(days=240),
                    validated_at=now - timedelta(days=245),
                )
            )
    signed = Subscription.objects.bulk_create(signed, BATCH)
    SubscriptionLine.objects.bulk_create(
        [SubscriptionLine(subscription=one, size=one.offer.size, quantity=1, unit_price_cents=2100) for one in signed],
        BATCH,
    )
    Instalment.objects.bulk_create(
        [
            Instalment(
                association=association,
                farm=one.offer.farm,
                household=one.household,
                subscription=one,
                number=number,
                amount_cents=one.total_cents // instalments,
                method="cheque",
                deposit_not_before=one.offer.starts_on + timedelta(days=30 * (number - 1)),
                status="cashed" if number <= instalments // 2 else "received" if number < kept else "planned",
                reference=f"AMAP-{one.offer.code}-H{one.household.number:04d}-{number:02d}",
            )
            for position, one in enumerate(signed)
            # A valid contract has all its payments; one in ten has had its last one back.
            for kept in [instalments + bool(position % 10)]
            for number in range(1, instalments + 1)
        ],
        BATCH,
    )
    for offer in offers:
        offer.taken_hundredths = 100 * sum(one.offer_id == offer.pk for one in signed)
        offer.save(update_fields=["taken_hundredths"])


def _evenings(association, place, homes, *, deliveries, today, now):
    first = _first_day(today, deliveries)
    roles = ShiftRole.objects.bulk_create(
        [ShiftRole(association=association, name=f"Rôle {n}", needed=1, position=n) for n in range(4)]
    )
    evenings = Distribution.objects.bulk_create(
        [
            Distribution(
                association=association,
                place=place,
                day=first + timedelta(weeks=week),
                opens_at=time(18, 30),
                closes_at=time(19, 45),
                volunteers_from=time(18),
                volunteers_until=time(20),
                status="closed" if first + timedelta(weeks=week) < today else "planned",
            )
            for week in range(deliveries)
        ],
        BATCH,
    )
    shifts = Shift.objects.bulk_create(
        [Shift(distribution=evening, role=role, needed=1, taken=1) for evening in evenings for role in roles],
        BATCH,
    )
    ShiftAssignment.objects.bulk_create(
        [
            ShiftAssignment(
                association=association,
                distribution=shift.distribution,
                shift=shift,
                household=homes[(number * 4 + number // 4) % len(homes)],
                taken_at=now,
            )
            for number, shift in enumerate(shifts)
        ],
        BATCH,
        ignore_conflicts=True,
    )


def next_evening(association, today: date):
    """The distribution the sheet's figures are taken on."""
    return association.distributions.filter(day__gte=today).order_by("day").first()
