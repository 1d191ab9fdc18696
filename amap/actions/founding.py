"""The first day of an association: who makes it, its first committee member, what it still has before it."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from amap import states
from amap.actions import invitations, seats
from amap.errors import Refused
from amap.models import Association, CommitteeSeat, Household, MembershipPeriod, Partnership, PickupPlace, User
from amap.models.people import normalise_email


@transaction.atomic
def found(
    *,
    name,
    slug,
    place_name,
    weekday,
    opens_at,
    closes_at,
    period_starts_on,
    period_ends_on,
    amap_part_cents,
    network_part_cents,
    person_name,
    person_email,
    now,
    today,
    city="",
    postal_code="",
    place_address="",
    volunteers_from=None,
    volunteers_until=None,
    language="fr",
    password=None,
    others=(),
):
    """The first page of a new installation: association, place, period, and its first committee member.

    `others`: (role, e-mail) pairs to invite. Returns (association, user). Refused once an association exists: later
    ones are made by the operator.
    """
    if Association.objects.exists():
        raise Refused(_("This site already has its association. Ask its committee for an invitation."))
    association = Association.objects.create(
        slug=slug, name=name, city=city, postal_code=postal_code, email=normalise_email(person_email)
    )
    PickupPlace.objects.create(
        association=association,
        name=place_name,
        address=place_address,
        weekday=weekday,
        opens_at=opens_at,
        closes_at=closes_at,
        volunteers_from=volunteers_from or opens_at,
        volunteers_until=volunteers_until or closes_at,
    )
    _name_helpers(association)
    MembershipPeriod.objects.create(
        association=association,
        starts_on=period_starts_on,
        ends_on=period_ends_on,
        amap_part_cents=amap_part_cents,
        network_part_cents=network_part_cents,
    )
    user = User.objects.create_user(person_email, password or None, name=person_name, language=language)
    states.record("association.founded", association, by=user, now=now)
    seats.seat(association, user=user, role=CommitteeSeat.Role.COMMITTEE, starts_on=today, by=user, now=now)
    for role, email in others:
        invitations.invite(association, role=role, email=email, by=user, now=now)
    return association, user


@transaction.atomic
def add_association(*, slug, name, now):
    """One more association on this site, empty: the operator's command. Its committee member sets it up. Returns it."""
    association = Association(slug=slug, name=name)
    association.full_clean()
    association.save()
    _name_helpers(association)
    states.record("association.founded", association, by=None, now=now)
    return association


@transaction.atomic
def add_committee_member(association, *, email, name, by, now):
    """The operator's way in: (invitation, token) of a committee seat, or (None, "") when the account already had it."""
    user = User.objects.filter(email=normalise_email(email), is_active=True).first()
    if user and CommitteeSeat.objects.filter(
        association=association, user=user, role=CommitteeSeat.Role.COMMITTEE, ends_on=None
    ):
        return None, ""
    return invitations.invite(association, role=CommitteeSeat.Role.COMMITTEE, email=email, name=name, by=by, now=now)


def _name_helpers(association):
    """Who holds an evening until the committee says otherwise: four people (BR-60)."""
    names = [_("Evening lead"), _("Welcome and sign-in"), _("Weighing"), _("Setting up and clearing up")]
    for position, name in enumerate(names):
        association.shift_roles.create(name=name, is_lead=position == 0, position=position)


@dataclass(frozen=True)
class Step:
    """One line of the list a new association works through."""

    text: str
    url: str
    is_done: bool


def first_steps(association):
    """What a new association still has before it: list of `Step`, empty once everything is done. One query.

    Nobody needs to tick anything: each line is true or not yet.
    """
    here = {"association": OuterRef("pk")}
    found = (
        Association.objects.filter(pk=association.pk)
        .annotate(
            has_places=Exists(PickupPlace.objects.filter(**here)),
            has_periods=Exists(MembershipPeriod.objects.filter(**here)),
            has_households=Exists(Household.objects.filter(**here)),
            has_farms=Exists(Partnership.objects.filter(**here)),
            has_offers=Exists(Association.objects.filter(pk=OuterRef("pk"), offers__isnull=False)),
        )
        .values_list("has_places", "has_periods", "has_households", "has_farms", "has_offers")
        .get()
    )
    if all(found):
        return []
    lines = [
        (_("Say where and when you distribute"), "amap:settings"),
        (_("Set the membership year and its fee"), "amap:memberships"),
        (_("Bring in your households"), "amap:households"),
        (_("Add the farms you work with"), "amap:farms"),
        (_("Propose a first season contract"), "contracts:offers"),
    ]
    return [
        Step(text, reverse(route, args=[association.slug]), is_done)
        for (text, route), is_done in zip(lines, found, strict=True)
    ]
