"""Who is asking, and what they are here.

A visitor's standing in every association is read together with the account, in one query, so that no page pays for
rights. Two questions, two places: *may this person see or change this row?* is answered by `visible_to` /
`manageable_by` on the QuerySets (a row outside is a 404); *may this person enter this room?* by `role_required` (a
403 that says whom to ask).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from amap.facts import facts


class Role(StrEnum):
    """What a person can be in an association (BR-5). Roles add up."""

    MEMBER = "member"
    FARMER = "farmer"
    LIAISON = "liaison"
    COMMITTEE = "committee"
    TREASURER = "treasurer"
    SECRETARY = "secretary"
    DISTRIBUTION_LEAD = "distribution_lead"
    SOLIDARITY = "solidarity"


ROLE_NAMES = {
    Role.MEMBER: _("members"),
    Role.FARMER: _("the farmers"),
    Role.LIAISON: _("the farm liaisons"),
    Role.COMMITTEE: _("the committee"),
    Role.TREASURER: _("the treasurer"),
    Role.SECRETARY: _("the secretary"),
    Role.DISTRIBUTION_LEAD: _("the distribution leads"),
    Role.SOLIDARITY: _("the solidarity group"),
}


@dataclass(frozen=True)
class Standing:
    """What one account is in one association. Ids, not rows: enough to filter by."""

    user_id: int
    association_id: int
    slug: str
    association_name: str
    household_id: int | None = None
    household_name: str = ""
    seats: frozenset = frozenset()
    liaison_farm_ids: frozenset = frozenset()
    farm_ids: frozenset = frozenset()

    @property
    def roles(self):
        """All roles held here, as a set of `Role`."""
        roles = {Role(seat) for seat in self.seats}
        if self.household_id:
            roles.add(Role.MEMBER)
        if self.farm_ids:
            roles.add(Role.FARMER)
        if self.liaison_farm_ids:
            roles.add(Role.LIAISON)
        return frozenset(roles)

    def has(self, *roles):
        """True when at least one of the roles is held here."""
        return not self.roles.isdisjoint(roles)

    @property
    def looked_after_farm_ids(self):
        """The farms this person is a farmer or a liaison of."""
        return self.farm_ids | self.liaison_farm_ids

    @property
    def is_member(self):
        return self.household_id is not None

    @property
    def is_farmer(self):
        return bool(self.farm_ids)

    @property
    def is_liaison(self):
        return bool(self.liaison_farm_ids)

    @property
    def is_committee(self):
        return Role.COMMITTEE in self.seats

    @property
    def is_treasurer(self):
        return Role.TREASURER in self.seats

    @property
    def is_distribution_lead(self):
        return Role.DISTRIBUTION_LEAD in self.seats

    @property
    def runs_association(self):
        """Committee, treasurer or secretary: they read the whole association's lists."""
        return not self.seats.isdisjoint({Role.COMMITTEE, Role.TREASURER, Role.SECRETARY})


@dataclass
class _Draft:
    slug: str
    name: str
    household_id: int | None = None
    household_name: str = ""
    seats: set = field(default_factory=set)
    liaison_farm_ids: set = field(default_factory=set)
    farm_ids: set = field(default_factory=set)


def with_standings(users, today):
    """The users, each with what `standings_of` needs, read in the same query. Mandates count on the date given."""
    from amap.models import CommitteeSeat, Farmer, FarmLiaison, Member

    mine = {"user": OuterRef("pk")}
    here = ("association_id", "association__slug", "association__name")
    there = (
        "partnership__association_id",
        "partnership__association__slug",
        "partnership__association__name",
    )
    through = tuple(f"farm__partnerships__association{end}" for end in ("_id", "__slug", "__name"))
    return users.annotate(
        member_facts=facts(
            Member.objects.order_by().filter(Q(household__left_on=None) | Q(household__left_on__gt=today), **mine),
            *here,
            "household_id",
            "household__name",
        ),
        seat_facts=facts(CommitteeSeat.objects.order_by().current(today).filter(**mine), *here, "role"),
        liaison_facts=facts(
            FarmLiaison.objects.order_by().current(today).filter(**mine), *there, "partnership__farm_id"
        ),
        farm_facts=facts(
            Farmer.objects.order_by()
            .filter(**mine)
            .filter(
                Q(farm__partnerships=None)
                | Q(farm__partnerships__ended_on=None)
                | Q(farm__partnerships__ended_on__gte=today)
            ),
            *through,
            "farm_id",
            "farm__slug",
            "farm__name",
        ),
    )


def standings_of(user):
    """All standings of an account read through `with_standings`, by association slug, in the order of their names."""
    drafts = {}

    def draft(pk, slug, name):
        return drafts.setdefault(pk, _Draft(slug, name))

    for pk, slug, name, household_id, household_name in user.member_facts:
        here = draft(pk, slug, name)
        here.household_id, here.household_name = household_id, household_name
    for pk, slug, name, role in user.seat_facts:
        draft(pk, slug, name).seats.add(role)
    for pk, slug, name, farm_id in user.liaison_facts:
        draft(pk, slug, name).liaison_farm_ids.add(farm_id)
    for pk, slug, name, farm_id, *_farm in user.farm_facts:
        if pk is not None:
            draft(pk, slug, name).farm_ids.add(farm_id)
    return {
        d.slug: Standing(
            user_id=user.pk,
            association_id=pk,
            slug=d.slug,
            association_name=d.name,
            household_id=d.household_id,
            household_name=d.household_name,
            seats=frozenset(d.seats),
            liaison_farm_ids=frozenset(d.liaison_farm_ids),
            farm_ids=frozenset(d.farm_ids),
        )
        for pk, d in sorted(drafts.items(), key=lambda item: item[1].name)
    }


def farms_of(user):
    """The farms an account acts for: list of (id, slug, name)."""
    return sorted({tuple(fact[3:6]) for fact in user.farm_facts}, key=lambda farm: farm[2])


def only_for(*roles):
    """The exception to raise where none of the roles is held: a 403 that says whom to ask."""
    return PermissionDenied(", ".join(str(ROLE_NAMES[role]) for role in roles))


def role_required(*roles):
    """Only people holding one of the roles in this association enter; others get a 403 that says whom to ask."""

    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if not request.standing.has(*roles):
                raise only_for(*roles)
            return view(request, *args, **kwargs)

        guarded.roles = roles
        return guarded

    return decorate


def among(rows):
    """An annotation: whether a row is one of these, such as those somebody manages. Saves a query of its own."""
    return Exists(rows.filter(pk=OuterRef("pk")).order_by())


def own_farm(request, slug):
    """The farm of that slug if the visitor acts for it; else 404, as for a farm that never existed (BR-76)."""
    from amap.models import Farm

    if slug not in {farm[1] for farm in farms_of(request.user)}:
        raise Http404
    return get_object_or_404(Farm, slug=slug)
