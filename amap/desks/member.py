"""A member's home: what I collect next and with whom; what I owe or must do; what has changed. Four queries."""

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import NamedTuple

from django.db.models import BigAutoField, DateField, DateTimeField, Exists, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import clock
from amap.dates import date_format
from amap.euros import euros_text
from amap.facts import facts, moment
from amap.models import Household, Membership, MembershipPeriod
from amap.questions import Given, Question
from contracts import season_strip
from contracts.actions.subscriptions import awaited_text
from contracts.models import ContractOffer, Instalment, Subscription
from deliveries import calendar
from deliveries.harvests import harvests
from deliveries.models import Distribution, ShiftAssignment
from deliveries.models.distributions import harvest_visible
from deliveries.quantities import quantity_text
from deliveries.sheet import contents_text

LOOKS_BACK = timedelta(days=62)
LOOKS_AHEAD = timedelta(days=190)
DUE_SOON = timedelta(days=14)
NEWS_FOR = timedelta(days=14)
SHIFTS_WITHIN = timedelta(days=60)
COMES = (ShiftAssignment.Status.CONFIRMED, ShiftAssignment.Status.SWAP_REQUESTED)


class Line(NamedTuple):
    """Something to do or to know. `kind`: a badge of `ui/badge.html`, with its `word`."""

    title: str
    note: str
    url: str
    icon: str
    kind: str = ""
    word: str = ""


@dataclass
class Basket:
    """What I take from one farm; `portions`, once the farm has said it and the hour has come: [(product, quantity)]."""

    title: str
    farm: str
    contents: str
    portions: list = field(default_factory=list)
    news: str = ""


@dataclass
class PickUp:
    """The next distribution for this household. `people`: who else helps; `helps`: somebody of the household does;
    `missing`: how many more are needed.
    """

    day: date
    place: str
    address: str
    opens_at: time
    closes_at: time
    is_today: bool
    url: str
    baskets: list[Basket]
    list_from: object = None
    people: list[str] = field(default_factory=list)
    helps: bool = False
    missing: int = 0


@dataclass
class Home:
    """`pick_up` may be None. `todo` and `changed` are `Line`s, what presses first; `months`, `legend`: the season as
    `ui/calendar_strip.html` draws it.
    """

    pick_up: PickUp | None
    todo: list[Line]
    changed: list[Line]
    months: list[dict]
    legend: list[dict]


def home(standing, now):
    """The `Home` of the visitor's household in this association."""
    today = timezone.localdate(now)
    around = calendar.collections([standing.household_id], since=today - LOOKS_BACK)
    ahead = [one for one in around if clock.at(one.day, one.closes_at) >= now]
    next_one = ahead[0] if ahead else None
    evenings = _evenings(standing, next_one, today)
    affairs = _affairs(standing, now)
    lists = harvests(next_one.delivery_ids) if next_one else {}
    evening = next_one and evenings.get((next_one.day, next_one.place_id))
    visible = next_one and harvest_visible(
        next_one.day,
        days_before=affairs.harvest_days_before,
        hour=affairs.harvest_hour,
    )
    return Home(
        pick_up=next_one
        and PickUp(
            day=next_one.day,
            place=next_one.place,
            address=next_one.address,
            opens_at=next_one.opens_at,
            closes_at=next_one.closes_at,
            is_today=next_one.day == today,
            url=reverse("deliveries:distribution", args=[standing.slug, evening.pk])
            if evening
            else reverse("deliveries:distributions", args=[standing.slug]),
            baskets=_baskets(next_one, lists if now >= visible else {}),
            list_from=visible if now < visible else None,
            people=evening.people if evening else [],
            helps=bool(evening and evening.mine),
            missing=sum(left for left in evening.shifts.values() if left > 0) if evening else 0,
        ),
        todo=[
            *_payments(affairs, standing, today),
            *_contracts(affairs, standing, today),
            *_membership(affairs, standing, today),
            *_shifts(evenings, standing, today),
        ],
        changed=[*_moved(ahead, standing, today), *_news(affairs, standing, now)],
        months=_months(around, next_one, today),
        legend=[
            {"state": "done", "text": _("past")},
            {"state": "mine", "text": _("you collect")},
            {"state": "moved", "text": _("moved")},
        ],
    )


# Reading


@dataclass
class _Evening:
    pk: int
    day: date
    place_id: int
    place: str
    starts_at: time
    ends_at: time
    shifts: dict = field(default_factory=dict)
    people: list = field(default_factory=list)
    mine: list = field(default_factory=list)


def _evenings(standing, next_one, today):
    """The evening of my next basket with who helps, and those of my shifts: {(day, place id): _Evening}."""
    mine = ShiftAssignment.objects.filter(
        household=standing.household_id, status__in=COMES, distribution__day__range=(today, today + SHIFTS_WITHIN)
    )
    wanted = Q(pk__in=mine.values("distribution"))
    if next_one:
        wanted |= Q(day=next_one.day, place=next_one.place_id)
    rows = (
        Distribution.objects.filter(wanted, association=standing.association_id)
        .order_by("day", "shifts__role__position", "shifts__assignments")
        .values_list(
            *("pk", "day", "place", "place__name", "volunteers_from", "volunteers_until"),
            *("shifts", "shifts__role__name", "shifts__needed", "shifts__assignments__status"),
            *("shifts__assignments__household", "shifts__assignments__volunteer"),
            "shifts__assignments__household__name",
        )
    )
    found = {}
    for *where, shift, role, needed, status, household, volunteer, name in rows:
        evening = found.get((where[1], where[2]))
        if evening is None:
            evening = found[where[1], where[2]] = _Evening(*where)
        if shift is None:
            continue
        evening.shifts.setdefault(shift, needed)
        if status in ShiftAssignment.HOLDS:
            evening.shifts[shift] -= 1
            if household == standing.household_id:
                evening.mine.append((role, status))
            else:
                evening.people.append(volunteer or name)
    return found


class _Owed(NamedTuple):
    """A payment of a contract, or a contract alone; dates and moments as ISO text."""

    subscription: int
    status: str
    title: str
    farm: str
    payee: str
    legal_name: str
    reserved_until: str
    validated_at: str | None
    payment: str | None
    method: str | None
    cents: int | None
    day: str | None

    @property
    def is_awaited(self):
        return self.payment == Instalment.Status.PLANNED


class _Affairs(NamedTuple):
    """What the household owes, awaits and may sign.

    `owed`: payments that come due, contracts not valid yet, contracts valid since a few days.
    """

    owed: list[_Owed]
    periods: list
    offers: list
    joined_on: date
    grace_days: int
    harvest_days_before: int
    harvest_hour: time


@Question
def _asked():
    today, soon, lately = (
        Given("today", DateField()),
        Given("soon", DateField()),
        Given("lately", DateTimeField()),
    )
    mine = {"household": Given("household", BigAutoField())}
    membership = (
        Membership.objects.filter(period=OuterRef("pk"), **mine).exclude(status=Membership.Status.CANCELLED).order_by()
    )
    signed = Subscription.objects.filter(offer=OuterRef("pk"), status__in=Subscription.HOLDS, **mine)
    owed = Subscription.objects.order_by("instalments__deposit_not_before", "pk").filter(
        Q(status=Subscription.Status.AWAITING_DOCUMENTS)
        | Q(instalments__status__in=Instalment.UNSEEN, instalments__deposit_not_before__lte=soon)
        | Q(status__in=Subscription.LIVE, validated_at__gte=lately),
        **mine,
    )
    periods = (
        MembershipPeriod.objects.order_by("starts_on")
        .filter(association=OuterRef("association"), starts_on__lte=soon, ends_on__gte=today)
        .annotate(status=Subquery(membership.values("status")[:1]))
    )
    offers = ContractOffer.objects.order_by("starts_on", "pk").filter(
        ~Exists(signed), association=OuterRef("association"), status=ContractOffer.Status.OPEN
    )
    return Household.objects.filter(pk=mine["household"]).values_list(
        facts(
            owed,
            *("pk", "status", "offer__title", "offer__farm__name", "offer__farm__payee", "offer__farm__legal_name"),
            *("reserved_until", "validated_at"),
            *("instalments__status", "instalments__method", "instalments__amount_cents"),
            "instalments__deposit_not_before",
        ),
        facts(
            periods,
            *("starts_on", "ends_on", "status"),
            *("amap_part_cents", "network_part_cents", "reduced_from", "reduced_percent"),
        ),
        facts(
            offers,
            *("pk", "title", "farm__name", "starts_on", "capacity_hundredths", "taken_hundredths", "kind"),
            most=6,
        ),
        facts(
            Household.objects.filter(pk=OuterRef("pk")),
            *("joined_on", "association__grace_days", "association__harvest_days_before", "association__harvest_hour"),
        ),
    )


def _affairs(standing, now):
    today = timezone.localdate(now)
    owed, periods, offers, settings = _asked(
        household=standing.household_id, today=today, soon=today + DUE_SOON, lately=now - NEWS_FOR
    )
    ((joined_on, grace_days, days_before, hour),) = settings
    return _Affairs(
        [_Owed(*fact) for fact in owed],
        periods,
        offers,
        _iso(joined_on),
        grace_days,
        days_before,
        time.fromisoformat(hour),
    )


# Saying


def _iso(text):
    return date.fromisoformat(text)


def _baskets(one, lists):
    """What I take from each farm, with what the harvest gives it where a list may be shown."""
    baskets = []
    for (title, farm, contents), delivery in zip(one.baskets, one.delivery_ids, strict=True):
        basket = Basket(title, farm, contents_text(contents))
        if harvest := lists.get(delivery):
            basket.news = harvest.news
            basket.portions = [
                (f"{product} ({origin})" if origin else product, quantity_text(amount, unit))
                for product, amount, unit, origin in harvest.basket(contents)
            ]
        baskets.append(basket)
    return baskets


def _payments(affairs, standing, today):
    """Late payments, then coming ones, a line per contract; of those not valid yet, `_contracts` says what lacks."""
    grace = timedelta(days=affairs.grace_days)
    found = {}
    for one in affairs.owed:
        if (
            one.payment in Instalment.UNSEEN
            and one.status != Subscription.Status.AWAITING_DOCUMENTS
            and _iso(one.day) <= today + DUE_SOON
        ):
            is_late = _iso(one.day) < today - grace
            if is_late or one.is_awaited:
                found.setdefault((not is_late, one.subscription, one.payment), []).append(one)
    url = reverse("contracts:my_payments", args=[standing.slug])
    for (is_coming, _pk, payment), parts in sorted(found.items(), key=lambda entry: entry[0][0]):
        if parts[0].method == Instalment.Method.CHEQUE:
            how = ngettext(
                "a cheque to the order of %(payee)s, agreed for %(days)s: hand it to the farm liaison",
                "%(count)s cheques to the order of %(payee)s, agreed for %(days)s: hand them to the farm liaison",
                len(parts),
            )
        elif payment == Instalment.Status.DECLARED:
            how = ngettext(
                "a transfer to %(payee)s, announced for %(days)s, has not arrived: look at your bank's statement",
                "%(count)s transfers to %(payee)s, announced for %(days)s, have not arrived: look at your bank's "
                "statement",
                len(parts),
            )
        else:
            how = ngettext(
                "a transfer to %(payee)s, agreed for %(days)s: then say that it is ordered",
                "%(count)s transfers to %(payee)s, agreed for %(days)s: then say that they are ordered",
                len(parts),
            )
        figures = {
            "count": len(parts),
            "payee": parts[0].payee or parts[0].legal_name or parts[0].farm,
            "days": ", ".join(date_format(_iso(one.day), "j F") for one in parts[:4]),
        }
        kind, word = ("waiting", _("due")) if is_coming else ("late", _("late"))
        note = f"{parts[0].title} – {how % figures}"
        yield Line(euros_text(sum(one.cents for one in parts)), note, url, "money", kind, word)


def _contracts(affairs, standing, today):
    """Contracts signed and not valid yet, with what they lack (BR-21)."""
    found = {}
    for one in affairs.owed:
        if one.status == Subscription.Status.AWAITING_DOCUMENTS:
            found.setdefault(one.subscription, []).append(one)
    for pk, parts in found.items():
        first, awaited = parts[0], [one for one in parts if one.is_awaited]
        if not awaited:
            note = _("The membership of the season is still to be paid.")
        else:
            note = awaited_text(first.method, [one.cents for one in awaited])
            until = moment(first.reserved_until).date()
            if until >= today:
                kept = {"missing": note, "day": date_format(until, "j F")}
                note = _("%(missing)s; your place is kept until %(day)s.") % kept
        url = reverse("contracts:subscription", args=[standing.slug, pk])
        title = _("%(offer)s: not valid yet") % {"offer": first.title}
        yield Line(title, note, url, "contract", "waiting", _("to complete"))


def _membership(affairs, standing, today):
    for starts, ends, status, amap_cents, network_cents, reduced_from, percent in affairs.periods:
        if status == Membership.Status.PAID or (status is None and _iso(starts) > today):
            continue
        period = MembershipPeriod(
            amap_part_cents=amap_cents,
            network_part_cents=network_cents,
            reduced_from=reduced_from and _iso(reduced_from),
            reduced_percent=percent,
        )
        yield Line(
            _("Membership: %(sum)s") % {"sum": euros_text(period.fee_on(affairs.joined_on))},
            _("From %(start)s to %(end)s, to the association. Hand it to the treasurer.")
            % {"start": date_format(_iso(starts), "j F Y"), "end": date_format(_iso(ends), "j F Y")},
            reverse("amap:my_household", args=[standing.slug]),
            "person",
            "waiting",
            _("to pay"),
        )


def _shifts(evenings, standing, today):
    url = reverse("deliveries:roster", args=[standing.slug])
    for evening in evenings.values():
        for role, status in evening.mine:
            wants_out = status == ShiftAssignment.Status.SWAP_REQUESTED
            yield Line(
                capfirst(_("%(day)s: you help, %(role)s") % {"day": date_format(evening.day, "l j F"), "role": role}),
                _("%(start)s to %(end)s, %(place)s")
                % {
                    "start": date_format(evening.starts_at, "TIME_FORMAT"),
                    "end": date_format(evening.ends_at, "TIME_FORMAT"),
                    "place": evening.place,
                },
                url,
                "hand",
                "waiting" if wants_out else "mine",
                _("replacement wanted") if wants_out else _("today") if evening.day == today else _("my shift"),
            )


def _moved(ahead, standing, today):
    url = reverse("deliveries:distributions", args=[standing.slug])
    for one in ahead:
        if one.moved_from and one.day <= today + timedelta(days=31):
            yield Line(
                _("Distribution on %(day)s") % {"day": date_format(one.day, "l j F")},
                _("instead of %(day)s, at %(place)s")
                % {"day": date_format(one.moved_from, "l j F"), "place": one.place},
                url,
                "calendar",
                "waiting",
                _("moved"),
            )


def _news(affairs, standing, now):
    """Offers to sign, contracts that became valid."""
    for pk, title, farm, starts, capacity, taken, kind in affairs.offers:
        is_full = kind != ContractOffer.Kind.BY_DATE and taken >= capacity
        yield Line(
            title,
            _("%(farm)s, from %(day)s") % {"farm": farm, "day": date_format(_iso(starts), "j F Y")},
            reverse("contracts:offer", args=[standing.slug, pk]),
            "leaf",
            "off" if is_full else "waiting",
            _("full: waiting list") if is_full else _("sign-up is open"),
        )
    valid = {one.subscription: one for one in affairs.owed if one.validated_at}
    for pk, one in valid.items():
        since = moment(one.validated_at)
        if since >= now - NEWS_FOR:
            yield Line(
                one.title,
                _("Your contract with %(farm)s is valid since %(day)s.")
                % {"farm": one.farm, "day": date_format(since, "j F")},
                reverse("contracts:subscription", args=[standing.slug, pk]),
                "check",
                "done",
                _("valid"),
            )


def _months(around, next_one, today):
    entries = []
    for one in around:
        if one.day > today + LOOKS_AHEAD:
            break
        state = "done" if one.day < today else "mine"
        if one.moved_from and one.day >= today:
            state = "moved"
        words = ", ".join(title for title, _farm, _contents in one.baskets)
        entries.append((one.day, f"{state} next" if one is next_one else state, words))
    return season_strip.months(entries)
