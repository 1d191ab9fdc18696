"""What the evenings need without anybody asking. Idempotent functions of `now`, quick when there is nothing to do."""

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from amap import pdf
from amap.letters import post
from amap.models import Association, FarmLiaison, User
from contracts.models import ContractOffer, Delivery
from deliveries import papers
from deliveries.actions import distributions, harvests, roster
from deliveries.models import Basket, Distribution, ShiftAssignment
from deliveries.models.distributions import list_from
from deliveries.sheet import deliveries_of, due_lines

MISSING_HOURS = 24
PAPER_WAITS = timedelta(days=7)
# Reminders of a shift leave so many days before.
REMINDED = (2, 7)
# The most an association's `urgent_hours` can be set to, in days.
URGENT_DAYS = timedelta(days=7)


def plan_ahead(now):
    """Every association's distributions and their shifts (daily)."""
    for association in Association.objects.all():
        today = timezone.localdate(now)
        distributions.plan(association, today=today)
        roster.open_shifts(association, today=today)


def hold_the_past(now):
    """Deliveries that took place without an evening kept here are over (daily)."""
    distributions.hold_the_past(now=now)


def let_leavers_go(now):
    """Households that have left leave their shifts to others from that day on (BR-62)."""
    coming = ShiftAssignment.objects.filter(
        status__in=ShiftAssignment.COMING,
        distribution__day__gte=timezone.localdate(now),
        household__left_on__lte=F("distribution__day"),
    )
    for assignment in coming:
        roster.free(assignment, by=None, now=now)


def remind_of_shifts(now):
    """Letters 7 and 2 days before a shift, or the next day that letters leave (BR-75). Each is written once."""
    today = timezone.localdate(now)
    coming = ShiftAssignment.objects.filter(
        distribution__day__gt=today,
        distribution__day__lte=today + timedelta(days=max(REMINDED)),
        status__in=ShiftAssignment.COMING,
    ).select_related("household", "shift__role", "distribution__place", "distribution__association")
    for assignment in coming:
        days = (assignment.distribution.day - today).days
        roster.remind(assignment, step=min(step for step in REMINDED if days <= step), now=now)


def call_for_help(now):
    """Ask for people within the association's `urgent_hours` of an evening (BR-62)."""
    today = timezone.localdate(now)
    soon = Distribution.objects.filter(day__range=(today, today + URGENT_DAYS))
    for distribution in soon.exclude(status=Distribution.Status.CLOSED).select_related("association", "place"):
        opens = distribution.opens()
        if opens - timedelta(hours=distribution.association.urgent_hours) <= now < opens:
            roster.call_for_help(distribution, now=now)


def lock_due(now):
    """Fix the lists whose hour has come (BR-52). An empty one waits until the doors open: contracts on paper may be
    brought in on the day itself.
    """
    soon = Distribution.objects.exclude(status=Distribution.Status.CLOSED)
    soon = soon.filter(day__lte=timezone.localdate(now) + timedelta(days=8))
    for distribution in soon.select_related("association"):
        if now < distribution.locks(distribution.association.lock_hours_before):
            continue
        planned = [one for one in deliveries_of(distribution).values() if one.status == Delivery.Status.SCHEDULED]
        if planned and (now >= distribution.opens() or due_lines(planned).exists()):
            distributions.lock(distribution, by=None, now=now)


def announce_baskets(now):
    """Write to those who collect, from the hour at which they may see what the farms bring (BR-45, BR-75)."""
    today = timezone.localdate(now)
    waiting = Distribution.objects.filter(announced_at=None, day__range=(today, today + timedelta(days=7)))
    for distribution in waiting.select_related("association", "place"):
        if list_from(distribution.day, distribution.association) <= now < distribution.opens():
            harvests.announce(distribution, now=now)


def close_forgotten(now):
    """Close the distributions of the days before: what nobody signed for is uncollected (BR-51, daily).

    Where nobody was ticked at all, the list was probably signed on paper: whoever has it is given a week to say so.
    """
    today = timezone.localdate(now)
    ticked = Basket.objects.filter(distribution=OuterRef("pk"), outcome=Basket.Outcome.COLLECTED)
    forgotten = Distribution.objects.filter(
        Exists(ticked) | Q(day__lt=today - PAPER_WAITS), status=Distribution.Status.LOCKED, day__lt=today
    )
    for distribution in forgotten:
        distributions.close(distribution, by=None, now=now)


def alert_missing_harvests(now):
    """A day before the doors open, the farm and its liaisons hear that no list is there (BR-45)."""
    today = timezone.localdate(now)
    evenings = Distribution.objects.filter(day__range=(today, today + timedelta(days=2))).select_related("association")
    for distribution in evenings:
        if not distribution.opens() - timedelta(hours=MISSING_HOURS) <= now < distribution.opens():
            continue
        missing = Delivery.objects.filter(
            association=distribution.association_id,
            day=distribution.day,
            place=distribution.place_id,
            status__in=[Delivery.Status.SCHEDULED, Delivery.Status.LOCKED],
            offer__kind=ContractOffer.Kind.HARVEST_SHARE,
            offer__status__in=ContractOffer.LIVE,
            harvest_list=None,
        )
        for delivery in missing.select_related("offer__farm"):
            _tell_missing(delivery, distribution, now)


def _tell_missing(delivery, distribution, now):
    association, farm = distribution.association, delivery.offer.farm
    liaisons = FarmLiaison.objects.of(association, farm, timezone.localdate(now))
    post(
        "harvest_missing",
        association=association,
        to=[farm, *User.objects.filter(liaisons__in=liaisons).distinct()],
        key=f"harvest_missing:{delivery.pk}",
        now=now,
        is_urgent=True,
        context={
            "farm": farm.name,
            "offer": delivery.offer.title,
            "day": delivery.day.isoformat(),
            "opens_at": distribution.opens_at.isoformat(),
            "url": reverse("deliveries:harvest", args=[association.slug, delivery.pk]),
        },
    )


def make_paper(*, name, distribution_id, farm_ids, now):
    """The PDF of a paper too long for a request."""
    evening = Distribution.objects.select_related("place", "association").get(pk=distribution_id)
    paper = papers.PAPERS[name](evening, farm_ids, now=now)
    return pdf.render(paper.template, paper.context)
