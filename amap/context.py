"""What every template may lean on: where we are, and the way to everything else, as one list of links by role."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from amap import clock
from amap.access import Role, farms_of

EVERYBODY = frozenset(Role)


@dataclass(frozen=True)
class Place:
    """A line of the navigation: a route of the current association, the roles that see it, and those that have it at
    hand at once. `beside`: where else one is there, when no other line says so.
    """

    route: str
    label: str | Promise
    icon: str
    roles: frozenset = EVERYBODY
    main: frozenset = frozenset()
    beside: str = ""


def _of(*roles):
    return frozenset(roles)


MEMBER, FARMER, LIAISON = Role.MEMBER, Role.FARMER, Role.LIAISON
COMMITTEE, TREASURER, SECRETARY, LEAD = Role.COMMITTEE, Role.TREASURER, Role.SECRETARY, Role.DISTRIBUTION_LEAD
OFFICE = _of(COMMITTEE, TREASURER, SECRETARY)

# In the order people want them: first what a role does every week. The first five main ones are the bar of a phone.
AT_HAND = 5
PLACES = [
    Place("amap:home", _("Home"), "home", main=EVERYBODY),
    Place("amap:committee", _("Dashboard"), "check", OFFICE, main=_of(COMMITTEE)),
    Place(
        "contracts:payments", _("Cheques"), "cheque", _of(COMMITTEE, TREASURER, LIAISON), main=_of(TREASURER, LIAISON)
    ),
    Place("amap:memberships", _("Memberships"), "money", OFFICE, main=_of(TREASURER, SECRETARY)),
    Place("amap:households", _("Households"), "people", OFFICE | _of(LIAISON), main=_of(SECRETARY)),
    Place("deliveries:distributions", _("Distributions"), "basket", main=EVERYBODY, beside="deliveries/"),
    Place(
        "contracts:subscriptions", _("Contracts signed"), "contract", OFFICE | _of(LIAISON, FARMER), main=_of(LIAISON)
    ),
    Place(
        "contracts:my_contracts", _("My contracts"), "contract", _of(MEMBER), main=_of(MEMBER), beside="subscriptions/"
    ),
    Place("contracts:my_payments", _("My payments"), "money", _of(MEMBER), main=_of(MEMBER), beside="payments/"),
    Place("deliveries:roster", _("Roster"), "roster", main=EVERYBODY - _of(FARMER)),
    Place("contracts:offers", _("Season contracts"), "leaf", main=_of(FARMER)),
    Place("contracts:farm_payments", _("Payments to the farm"), "money", _of(FARMER), main=_of(FARMER)),
    Place("contracts:deposits", _("Deposit slips"), "cheque", _of(COMMITTEE, TREASURER, LIAISON, FARMER)),
    Place("contracts:accounts", _("Accounts of the farms"), "money", OFFICE | _of(LIAISON, FARMER)),
    Place("amap:my_household", _("My household"), "person", _of(MEMBER), beside="households/"),
    Place("amap:farms", _("Farms"), "farm"),
    Place("amap:seats", _("Roles"), "hand", _of(COMMITTEE)),
    Place("amap:imports", _("Lists in and out"), "upload", OFFICE),
    Place("amap:settings", _("Settings"), "settings", _of(COMMITTEE)),
    Place("amap:history", _("History"), "clock", _of(COMMITTEE)),
]


@dataclass(frozen=True)
class Link:
    label: str | Promise
    url: str
    icon: str
    is_current: bool


def navigation(request):
    """{"main": [Link], "more": [Link]} for this visitor, here or above associations; empty for who is not signed in."""
    # A request refused for its form has not been asked who it is from.
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return {"main": [], "more": []}
    standing, path = _standing(request), request.path
    farms = farms_of(request.user)
    desks = [
        _link(name if len(farms) > 1 else _("My farm"), reverse("site:farm_desk", args=[slug]), "sprout", path)
        for _id, slug, name in farms
    ]
    others = [
        _link(other.association_name, reverse("amap:home", args=[other.slug]), "door", path)
        for other in request.user.standings.values()
        if other != standing
    ]
    help_ = Link(_("Help"), reverse("site:help"), "info", path.startswith(reverse("site:help")))
    if standing is None:
        main, more = desks + others, [help_]
    else:
        main, more = _places(standing, path)
        main[1:1] = desks
        if standing.is_member:
            more.append(_link(_("My calendar"), reverse("site:calendar"), "calendar", path))
        more += [help_, *others]
    return {"main": main[:AT_HAND], "more": main[AT_HAND:] + more}


def _standing(request):
    """What the visitor is here; above associations, what they are in the only one they know, if it is one."""
    standing = getattr(request, "standing", None)
    if standing or not hasattr(request, "user") or not request.user.is_authenticated:
        return standing
    # Whoever is just signing in has not been read with their standings yet.
    known = list(getattr(request.user, "standings", {}).values())
    return known[0] if len(known) == 1 else None


def _link(label, url, icon, path):
    return Link(label, url, icon, path == url)


def _places(standing, path):
    """(links at hand, further links) to the places of the association that the visitor's roles see."""
    seen = {reverse(place.route, args=[standing.slug]): place for place in PLACES if standing.roles & place.roles}
    home = reverse("amap:home", args=[standing.slug])
    current = {url for url in seen if path == url or (url != home and path.startswith(url))}
    current = current or {url for url, place in seen.items() if place.beside and path.startswith(home + place.beside)}
    main, more = [], []
    for url, place in seen.items():
        links = main if standing.roles & place.main else more
        links.append(Link(place.label, url, place.icon, url in current))
    return main, more


def around(request):
    """Context processor. `here` is the slug of the association one is in, or empty."""
    standing = _standing(request)
    return {
        "here": standing.slug if standing else "",
        "standing": standing,
        "navigation": SimpleLazyObject(lambda: navigation(request)),
        "clock_today": clock.today(),
        "is_demo": settings.DEMO,
    }
