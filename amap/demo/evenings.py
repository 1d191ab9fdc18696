"""The weekly rhythm: planning, harvest lists, the roster, the evening itself; and one that moved."""

from datetime import date, timedelta

from amap.demo import season
from contracts import tasks as contract_tasks
from contracts.models import ContractOffer
from deliveries import tasks
from deliveries.actions import distributions, harvests, roster
from deliveries.models import Basket, Distribution, ShiftAssignment


def move_ascension(year, day):
    """Ascension day: the distribution comes a day earlier, and keeps its rank (BR-13)."""
    written = date(2026, 5, 14)
    evening = Distribution.objects.get(association=year.association, day=written + year.shift)
    distributions.move(
        evening,
        day=date(2026, 5, 13) + year.shift,
        place=year.place,
        opens_at=evening.opens_at,
        closes_at=evening.closes_at,
        reason="Jeudi de l'Ascension",
        by=year.users[14],
        now=year.moment(day),
    )


def routine(year, day):
    """What returns: planning, harvest lists, locking, the evening."""
    if day.weekday() == season.THURSDAY:
        contract_tasks.start_and_end_seasons(year.moment(day, 0, 5))
        contract_tasks.turn_last_keys(year.moment(day, 0, 8))
        contract_tasks.follow_the_calendar(year.moment(day, 0, 10))
    if day.weekday() == 0:
        tasks.plan_ahead(year.moment(day, 3))
        fill_roster(year, day)
    tomorrow = day + timedelta(days=1)
    vegetables = year.offers["vegetables"].deliveries.filter(day=tomorrow, status="scheduled").first()
    if vegetables and vegetables.offer.status in ContractOffer.LIVE:
        post_harvest(year, vegetables, day)
    evening = year.association.distributions.filter(day=day).exclude(status="closed").first()
    if evening and day < year.today:
        hold(year, evening, day)


def post_harvest(year, delivery, day):
    month = year.written(delivery.day).month
    products = season.HARVESTS[month]
    # Not all weeks are alike: one product stays in the field, in turn; after the hail there is less of everything.
    left_out = delivery.rank % (len(products) + 1)
    lean = {date(2026, 6, 11): 60, date(2026, 6, 18): 55, date(2026, 6, 25): 65, date(2026, 7, 2): 80,
            date(2026, 7, 9): 85}.get(year.written(delivery.day), 100)  # fmt: skip
    items = [
        {"product": product, "unit": unit, "whole": max(1, quantity * lean // 100)}
        for position, (product, unit, quantity) in enumerate(products)
        if position != left_out
    ]
    harvests.post_harvest(
        delivery,
        items=items,
        news=season.NEWS.get(month, "") if delivery.day.day <= 14 else "",
        by=year.users["saules-gris"],
        now=year.moment(day, 6, 20),
    )


def fill_roster(year, day):
    """Households take shifts some weeks ahead; a few holes stay in the weeks to come."""
    coming = year.association.distributions.filter(day__gt=day, day__lte=day + timedelta(days=28))
    for evening in coming.prefetch_related("shifts"):
        weeks_ahead = (evening.day - day).days // 7
        for position, shift in enumerate(evening.shifts.all()):
            if shift.taken or position + weeks_ahead > 3:
                continue
            # The last evening before today keeps a hole at the scales, the next one two.
            if evening.day > year.today and position >= 2 and (position + evening.day.isocalendar().week) % 2:
                continue
            number = 1 + (evening.day.toordinal() // 7 * 4 + position) * 5 % 58
            if number == 40 or number not in year.users:
                number += 1
            if evening.assignments.filter(household=year.households[number]).exists():
                continue
            user = year.users[number]
            roster.take_shift(
                shift,
                household=year.households[number],
                volunteer=user.name,
                user=user,
                by=user,
                now=year.moment(day, 21),
            )


def hold(year, evening, day):
    """Lock, tick, close. Now and then somebody forgets their basket."""
    lead = year.users[14]
    distributions.lock(evening, by=None, now=year.moment(day, 0, 30))
    expected = sorted(set(Basket.objects.filter(distribution=evening).values_list("household", flat=True)))
    forgot = expected[day.toordinal() % len(expected)] if day.toordinal() // 7 % 3 == 0 else None
    distributions.collect(
        evening,
        households=[household for household in expected if household != forgot],
        by=lead,
        now=year.moment(day, 19, 10),
    )
    distributions.close(evening, by=lead, now=year.moment(day, 20))
    for assignment in evening.assignments.filter(status=ShiftAssignment.Status.CONFIRMED):
        roster.mark(assignment, to=ShiftAssignment.Status.DONE, by=lead, now=year.moment(day, 20, 5))
