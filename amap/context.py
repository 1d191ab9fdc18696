"""What every template may lean on: where we are, and the way to everything else, as one list of links by role."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from amap import clock
from amap.access import Role, farms_of

EVERYBODY = frozenset(Role)
OFFICE = frozenset({Role.COMMITTEE, Role.TREASURER, Role.SECRETARY})


@dataclass(frozen=True)
class Place:
    """A line of the navigation: a route of the current association, and the roles that find it useful."""

    route: str
    label: str
    icon: str
    roles: frozenset = EVERYBODY
    is_main: bool = False


# In the order shown. On a phone the first five main links make the bottom bar.
PLACES = [
    Place("amap:home", _("Home"), "home", is_main=True),
    Place("deliveries:distributions", _("Distributions"), "basket", is_main=True),
    Place("deliveries:roster", _("Roster"), "roster", is_main=True),
    Place("contracts:offers", _("Contracts"), "contract", is_main=True),
    Place("contracts:my_contracts", _("My contracts"), "contract", frozenset({Role.MEMBER})),
    Place("contracts:my_payments", _("My payments"), "money", frozenset({Role.MEMBER})),
    Place(
        "contracts:payments",
        _("Cheques to record"),
        "cheque",
        frozenset({Role.COMMITTEE, Role.TREASURER, Role.LIAISON}),
    ),
    Place(
        "contracts:deposits", _("Deposit slips"), "cheque", frozenset({Role.COMMITTEE, Role.TREASURER, Role.LIAISON})
    ),
    Place(
        "contracts:subscriptions",
        _("Contracts signed"),
        "contract",
        OFFICE | {Role.LIAISON, Role.FARMER},
    ),
    Place("contracts:farm_payments", _("Payments to the farm"), "money", frozenset({Role.FARMER})),
    Place("contracts:accounts", _("Accounts of the farms"), "money", OFFICE | {Role.LIAISON, Role.FARMER}),
    Place("amap:my_household", _("My household"), "person", frozenset({Role.MEMBER})),
    Place("amap:farms", _("Farms"), "farm"),
    Place("amap:households", _("Households"), "people", OFFICE | {Role.LIAISON}),
    Place("amap:memberships", _("Memberships"), "money", OFFICE),
    Place("amap:seats", _("Roles"), "hand", frozenset({Role.COMMITTEE})),
    Place("amap:settings", _("Settings"), "settings", frozenset({Role.COMMITTEE})),
    Place("amap:history", _("History"), "clock", frozenset({Role.COMMITTEE})),
]


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    icon: str
    is_current: bool


def navigation(request):
    """{"main": [Link], "more": [Link]} for this visitor in this association; empty outside."""
    groups = {"main": [], "more": []}
    if not request.user.is_authenticated:
        return groups
    standing = getattr(request, "standing", None)
    if standing:
        for place in PLACES:
            if standing.roles & place.roles:
                url = reverse(place.route, args=[standing.slug])
                is_current = request.path == url or (place.route != "amap:home" and request.path.startswith(url))
                is_main = place.is_main and len(groups["main"]) < 5
                groups["main" if is_main else "more"].append(Link(place.label, url, place.icon, is_current))
    for _id, slug, name in farms_of(request.user):
        url = reverse("site:farm_desk", args=[slug])
        groups["more"].append(Link(name, url, "sprout", request.path.startswith(url)))
    for other in request.user.standings.values():
        if other != standing:
            groups["more"].append(Link(other.association_name, reverse("amap:home", args=[other.slug]), "door", False))
    return groups


def around(request):
    """Context processor. `here` is the slug of the association in the address, or empty."""
    standing = getattr(request, "standing", None)
    return {
        "here": standing.slug if standing else "",
        "standing": standing,
        "navigation": SimpleLazyObject(lambda: navigation(request)),
        "clock_today": clock.today(),
        "is_demo": settings.DEMO,
    }
