"""What a rule and its card are, where a rule looks, and the words they share."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from amap import clock
from amap.access import Role, Standing
from amap.dates import date_format
from amap.models import Association

LINES = 4
# Roles that see the business of their own farms only (BR-5).
OF_A_FARM = frozenset({Role.LIAISON, Role.FARMER})


@dataclass(frozen=True)
class Card:
    """A sentence with figures, and the way to where it is solved.

    `rule`: the name of the rule it comes from; `lines`: [(text, url)]; `meters` for `ui/meter.html`.
    """

    title: str
    url: str
    note: str = ""
    icon: str = "waiting"
    is_urgent: bool = False
    lines: list = field(default_factory=list)
    meters: list = field(default_factory=list)
    rule: str = ""


@dataclass(frozen=True)
class Desk:
    """Who looks, where and when. `farm_ids`: the farms a rule is asked about, None for all of the association."""

    association: Association
    standing: Standing
    now: datetime
    farm_ids: frozenset | None = None

    @property
    def today(self):
        return timezone.localdate(self.now)

    def url(self, route, *args, **query):
        """The address of a page of this association."""
        url = reverse(route, args=[self.standing.slug, *args])
        return f"{url}?{urlencode(query)}" if query else url

    def of_farms(self, rows, path="farm"):
        """Only what concerns the farms the visitor acts for here, where the role ends there."""
        return rows if self.farm_ids is None else rows.filter(**{f"{path}__in": self.farm_ids})


@dataclass(frozen=True)
class Rule:
    """A rule and the roles that see its card."""

    ask: Callable
    roles: frozenset

    @property
    def name(self):
        return self.ask.__name__

    def desk(self, desk):
        """The desk as this rule may see it."""
        if desk.standing.roles & (self.roles - OF_A_FARM):
            return desk
        standing = desk.standing
        farms = frozenset()
        if Role.LIAISON in self.roles:
            farms |= standing.liaison_farm_ids
        if Role.FARMER in self.roles:
            farms |= standing.farm_ids
        return replace(desk, farm_ids=farms)


def rule(*roles):
    """Make a rule of a generator; its card is shown to these roles."""

    def made(ask):
        return Rule(ask, frozenset(roles))

    return made


def day_text(iso):
    return date_format(date.fromisoformat(iso), "l j F")


def moment(iso_day, iso_time):
    return clock.at(date.fromisoformat(iso_day), time.fromisoformat(iso_time))


def and_more(lines, count):
    """The first lines, and how many there are beside them."""
    if count <= LINES:
        return lines[:LINES]
    return [*lines[: LINES - 1], (_("and %(count)s more") % {"count": count - LINES + 1}, "")]
