"""The evening: planned, its list fixed, ticked, closed, sometimes moved."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import states
from amap.dates import date_format
from amap.errors import Refused
from amap.letters import post, readers
from amap.models import AuditEntry, Household, Member, PickupPlace, User
from contracts.actions.deliveries import move_deliveries
from contracts.models import ContractOffer, Delivery
from deliveries.actions.harvests import share_again
from deliveries.models import Basket, Distribution, ShiftAssignment
from deliveries.sheet import deliveries_of, sheet

# By hand the list may be fixed this early: whoever signs up later than that is not yet due (BR-24, BR-52).
LOCK_DAYS_AHEAD = 7
MOVE_AT_MOST = timedelta(days=183)


@transaction.atomic
def plan(association, *, today):
    """Make the distribution of every day and place at which something is delivered from today on. Idempotent.

    An evening that lost all its deliveries and has no volunteers goes. Returns the distributions made.
    """
    promised = Delivery.objects.filter(
        association=association, day__gte=today, offer__status__in=ContractOffer.LIVE
    ).exclude(status=Delivery.Status.CANCELLED)
    wanted = set(promised.order_by().values_list("day", "place").distinct())
    ahead = association.distributions.filter(day__gte=today)
    planned = set(ahead.values_list("day", "place"))
    places = {place.pk: place for place in PickupPlace.objects.filter(association=association)}
    Distribution.objects.bulk_create(
        [
            Distribution(
                association=association,
                place=places[place],
                day=day,
                opens_at=places[place].opens_at,
                closes_at=places[place].closes_at,
                volunteers_from=places[place].volunteers_from,
                volunteers_until=places[place].volunteers_until,
            )
            for day, place in sorted(wanted - planned)
        ],
        ignore_conflicts=True,
    )
    if planned - wanted:
        deliveries = promised.filter(day=OuterRef("day"), place=OuterRef("place"))
        held = ShiftAssignment.objects.filter(distribution=OuterRef("pk"), status__in=ShiftAssignment.HOLDS)
        ahead.planned().filter(~Exists(deliveries), ~Exists(held)).delete()
    new = ahead.select_related("place", "association")
    return [distribution for distribution in new if (distribution.day, distribution.place_id) not in planned]


@transaction.atomic
def lock(distribution, *, by, now):
    """Fix who collects what: one Basket per subscription and delivery (BR-52).

    What is fixed already stays as it is; deliveries that came to the evening since are fixed too. What a farm posted is
    divided again by the baskets there really are. An understaffed evening is no obstacle.
    """
    distribution = _locked(distribution)
    evening = sheet(distribution)
    planned = [pk for pk, delivery in evening.deliveries.items() if delivery.status == Delivery.Status.SCHEDULED]
    if distribution.is_closed or (distribution.is_locked and not planned):
        return distribution
    if distribution.day > timezone.localdate(now) + timedelta(days=LOCK_DAYS_AHEAD):
        raise Refused(
            _("The list can be fixed from %(day)s on: until then households may still join.")
            % {"day": date_format(distribution.day - timedelta(days=LOCK_DAYS_AHEAD), "l j F")}
        )
    if not planned:
        raise Refused(_("Nothing is delivered that day: there is no list to fix."))
    Basket.objects.bulk_create(
        [
            Basket(
                distribution=distribution,
                delivery_id=basket.delivery_id,
                subscription_id=basket.subscription_id,
                household_id=line.household_id,
                contents=basket.contents,
            )
            for line in evening.lines
            for basket in line.baskets
            if basket.delivery_id in planned
        ],
        batch_size=500,
    )
    if not distribution.is_locked:
        distribution.locked_at = now
        distribution.save(update_fields=["locked_at"])
        states.move(distribution, to=Distribution.Status.LOCKED, by=by, now=now)
    deliveries = list(Delivery.objects.filter(pk__in=planned))
    for delivery in deliveries:
        states.move(delivery, to=Delivery.Status.LOCKED, by=by, now=now)
    share_again(deliveries, step_grams=distribution.association.weight_step_g)
    return distribution


@transaction.atomic
def collect(distribution, *, households, collected_by="", by, now, at=None):
    """Households signed for all their baskets of the evening; `collected_by` names who came in their place (BR-50).

    `households`: ids; `at`: when they signed, if the word of it comes later. The last writer wins; every tick leaves
    its trace (BR-52).
    """
    _write(
        _baskets(distribution, households),
        Basket.Outcome.COLLECTED,
        collected_at=at or now,
        ticked_by=by,
        collected_by=collected_by.strip()[:100],
        by=by,
        now=now,
    )


@transaction.atomic
def uncollect(distribution, *, households, by, now):
    """Take a tick back."""
    _write(_baskets(distribution, households), Basket.Outcome.EXPECTED, by=by, now=now)


@transaction.atomic
def annotate(distribution, *, household, note, by, now):
    """What happened with a household's baskets, in words signed by their author: the list itself stays (BR-52)."""
    basket = _baskets(distribution, [household])[0]
    note = " ".join(note.split())
    basket.note = f"{note[:140]} ({by})"[:200] if note else ""
    basket.save(update_fields=["note"])
    states.record("basket.noted", basket, by=by, now=now, reason=note)


@transaction.atomic
def close(distribution, *, on_paper=(), fates=None, remarks="", by, now):
    """End the evening: whatever nobody signed for is uncollected, and its fate is written down; no refund (BR-51).
    Before the doors close, only once everybody has come.

    `on_paper`: ids of households that signed on paper. `fates`: {household id: `Basket.Fate`} for those that differ
    from the association's rule. The deliveries are held.
    """
    distribution = _locked(distribution)
    if distribution.is_closed:
        raise Refused(_("This distribution is already closed."))
    if not distribution.is_locked:
        raise Refused(_("Fix the list first: nothing has been signed for yet."))
    if now < distribution.opens():
        raise Refused(
            _("The distribution begins on %(moment)s: it can be closed from then on.")
            % {"moment": date_format(timezone.localtime(distribution.opens()), "l j F, H:i")}
        )
    distribution = lock(distribution, by=by, now=now)
    if on_paper:
        collect(distribution, households=on_paper, by=by, now=now)
    if now < distribution.closes():
        _refuse_while_awaited(distribution)
    left = defaultdict(list)
    for basket in distribution.baskets.select_for_update().filter(outcome=Basket.Outcome.EXPECTED):
        basket.distribution = distribution
        left[(fates or {}).get(basket.household_id, distribution.association.uncollected_fate)].append(basket)
    for fate, baskets in left.items():
        _write(baskets, Basket.Outcome.UNCOLLECTED, fate=fate, by=by, now=now)
    distribution.closed_at, distribution.remarks = now, remarks.strip()
    distribution.save(update_fields=["closed_at", "remarks"])
    states.move(distribution, to=Distribution.Status.CLOSED, by=by, now=now)
    for delivery in Delivery.objects.filter(pk__in=deliveries_of(distribution), status=Delivery.Status.LOCKED):
        states.move(delivery, to=Delivery.Status.HELD, by=by, now=now)
    return distribution


@transaction.atomic
def hold_the_past(*, now):
    """Deliveries whose day is past, and which no evening kept here gathers, were held all the same: their offer was
    opened in the middle of its season.
    """
    gathered = Distribution.objects.filter(
        association=OuterRef("association"), day=OuterRef("day"), place=OuterRef("place")
    ).exclude(status=Distribution.Status.CLOSED)
    past = Delivery.objects.select_for_update(of=("self",)).filter(
        ~Exists(gathered),
        status=Delivery.Status.SCHEDULED,
        day__lt=timezone.localdate(now),
        offer__status__in=ContractOffer.LIVE,
    )
    for delivery in past:
        states.move(delivery, to=Delivery.Status.HELD, by=None, now=now)


@dataclass
class Concerned:
    """Whom a change of the evening touches: names of those who collect, help and deliver; who can be written to."""

    households: list
    helpers: list
    farms: list
    people: list


def concerned(distribution):
    """Who must know when a distribution changes (BR-13)."""
    evening = sheet(distribution)
    holds = ShiftAssignment.objects.filter(distribution=distribution, status__in=ShiftAssignment.HOLDS)
    helpers = list(Household.objects.filter(shift_assignments__in=holds).values_list("pk", "name"))
    ids = {line.household_id for line in evening.lines} | {pk for pk, _name in helpers}
    farms = {delivery.farm_id: delivery.farm for delivery in evening.deliveries.values()}
    members = Member.objects.filter(household__in=ids).select_related("user")
    farmers = User.objects.filter(farming__farm__in=farms).distinct()
    return Concerned(
        households=[line.name for line in evening.lines],
        helpers=[name for _pk, name in helpers],
        farms=list(farms.values()),
        people=sorted(set(readers([*members, *farmers]))),
    )


def refuse_move(distribution, *, day, place, opens_at, closes_at, now):
    """Raises `Refused` where a distribution cannot move to; asked before the consequences are shown, too."""
    if distribution.is_closed:
        raise Refused(_("This distribution has taken place: it no longer moves."))
    if day < timezone.localdate(now):
        raise Refused(_("%(day)s is past.") % {"day": date_format(day, "l j F Y")}, field="day")
    if abs(day - distribution.day) > MOVE_AT_MOST:
        raise Refused(_("That is over half a year from the day promised. Is the year right?"), field="day")
    if closes_at <= opens_at:
        raise Refused(_("The distribution must end after it begins."), field="closes_at")
    now_there = (distribution.day, distribution.place_id, distribution.opens_at, distribution.closes_at)
    if now_there == (day, place.pk, opens_at, closes_at):
        raise Refused(_("Nothing changes: the distribution is already then and there."))
    others = Distribution.objects.filter(association=distribution.association_id, day=day, place=place)
    if others.exclude(pk=distribution.pk).exists():
        raise Refused(
            _("There is already a distribution at %(place)s on %(day)s.")
            % {"place": place, "day": date_format(day, "l j F Y")},
            field="day",
        )


@transaction.atomic
def move(distribution, *, day, place, opens_at, closes_at, reason="", by, now):
    """Move an evening, with all it gathers, to another day, place or hour; everybody concerned is told at once (BR-13).

    Prices, ranks, turns, shifts and a fixed list stay; the volunteers' hours follow the opening and the closing.
    """
    distribution = _locked(distribution)
    refuse_move(distribution, day=day, place=place, opens_at=opens_at, closes_at=closes_at, now=now)
    before = (distribution.day, distribution.place_id, distribution.opens_at, distribution.closes_at)
    told = concerned(distribution).people
    old = {"old_day": distribution.day.isoformat(), "old_place": distribution.place.name}
    if (day, place.pk) != before[:2]:
        gathered = Delivery.objects.filter(pk__in=deliveries_of(distribution))
        move_deliveries(gathered, to_day=day, to_place=place, by=by, now=now)
    distribution.volunteers_from = _later(distribution.volunteers_from, distribution.opens_at, opens_at)
    distribution.volunteers_until = _later(distribution.volunteers_until, distribution.closes_at, closes_at)
    distribution.day, distribution.place = day, place
    distribution.opens_at, distribution.closes_at = opens_at, closes_at
    distribution.save()
    states.record(
        "distribution.moved",
        distribution,
        by=by,
        now=now,
        before=f"{before[0]} {before[2]:%H:%M}",
        after=f"{day} {opens_at:%H:%M}",
        reason=reason,
    )
    post(
        "distribution_moved",
        association=distribution.association,
        to=told,
        key=f"distribution_moved:{distribution.pk}:{now:%Y%m%d%H%M%S}",
        now=now,
        is_urgent=True,
        context=old
        | {
            "day": day.isoformat(),
            "place": place.name,
            "address": place.address,
            "opens_at": opens_at.isoformat(),
            "closes_at": closes_at.isoformat(),
            "reason": reason.strip(),
            "url": reverse("deliveries:distribution", args=[distribution.association.slug, distribution.pk]),
        },
    )
    return distribution


def _later(hour, old, new):
    """`hour` moved by as much as `old` was moved to become `new`, within the day."""
    day = datetime(2000, 1, 2)  # noqa: DTZ001 - any day: only the hour is kept
    moved = datetime.combine(day, hour) + (datetime.combine(day, new) - datetime.combine(day, old))
    return moved.time() if moved.date() == day.date() else new


def _locked(distribution):
    rows = Distribution.objects.select_for_update(of=("self",)).select_related("association", "place")
    return rows.get(pk=distribution.pk)


def _baskets(distribution, households):
    """The baskets of these households, locked; refused before the list is fixed and after the evening is closed."""
    distribution = _locked(distribution)
    if not distribution.is_locked:
        raise Refused(_("The list is not fixed yet: nothing can be signed for."))
    if distribution.is_closed:
        raise Refused(_("This distribution is closed: its list no longer changes."))
    baskets = list(distribution.baskets.select_for_update().filter(household__in=households).order_by("pk"))
    if not baskets:
        raise Refused(_("This household collects nothing here today."))
    for basket in baskets:
        basket.distribution = distribution
    return baskets


def _refuse_while_awaited(distribution):
    awaited = distribution.baskets.filter(outcome=Basket.Outcome.EXPECTED).values("household").distinct().count()
    if awaited:
        raise Refused(
            ngettext(
                "%(count)s household may still come until %(hour)s: close the distribution then.",
                "%(count)s households may still come until %(hour)s: close the distribution then.",
                awaited,
            )
            % {"count": awaited, "hour": date_format(distribution.closes_at, "TIME_FORMAT")}
        )


def _write(baskets, outcome, *, by, now, fate="", collected_at=None, ticked_by=None, collected_by=""):
    """The same outcome for all these locked baskets, each with its trace."""
    Basket.objects.filter(pk__in=[basket.pk for basket in baskets]).update(
        outcome=outcome, fate=fate, collected_at=collected_at, ticked_by=ticked_by, collected_by=collected_by
    )
    AuditEntry.objects.bulk_create(
        [
            states.entry(f"basket.{outcome}", basket, by=by, now=now, after=outcome, reason=collected_by)
            for basket in baskets
        ],
        batch_size=500,
    )
