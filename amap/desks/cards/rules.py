"""What a rule and its card are, where a rule asks, who reads the answer, and the words they share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.db.models import DateField, DateTimeField, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from amap import clock
from amap.access import Role, Standing
from amap.dates import date_format
from amap.models import Association
from amap.questions import Given

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
class Where:
    """Where a rule asks. What the question is kept with: `farm_ids`, the farms it is about, None for all of the
    association, and the association's `grace_days`. The association itself, the day and the moment come each time.
    """

    farm_ids: frozenset | None
    grace_days: int

    today = Given("today", DateField())
    now = Given("now", DateTimeField())

    def all(self, model):
        """The association's rows."""
        return model.objects.filter(association=OuterRef("pk"))

    def of_farms(self, rows, path="farm"):
        """Only what concerns the farms the visitor acts for here, where the role ends there."""
        return rows if self.farm_ids is None else rows.filter(**{f"{path}__in": self.farm_ids})


@dataclass(frozen=True)
class Desk:
    """Who looks, where and when."""

    association: Association
    standing: Standing
    now: datetime

    @property
    def today(self):
        return timezone.localdate(self.now)

    def url(self, route, *args, **query):
        """The address of a page of this association."""
        url = reverse(route, args=[self.standing.slug, *args])
        return f"{url}?{urlencode(query)}" if query else url


@dataclass(frozen=True)
class Rule:
    """What it asks, the card it makes of the answer, and the roles that see it."""

    asks: Callable
    card: Callable
    roles: frozenset

    @property
    def name(self):
        return self.card.__name__

    def where(self, desk):
        """What of the association this rule may ask about for the visitor."""
        standing, farms = desk.standing, None
        if not standing.roles & (self.roles - OF_A_FARM):
            farms = frozenset()
            if Role.LIAISON in self.roles:
                farms |= standing.liaison_farm_ids
            if Role.FARMER in self.roles:
                farms |= standing.farm_ids
        return Where(farms, desk.association.grace_days)


def rule(*roles, asks):
    """Make a rule of a function of a `Desk` and the answer to what `asks`; its card is shown to these roles."""

    def made(card):
        return Rule(asks, card, frozenset(roles))

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
