"""Read only: what lies ahead of a person — baskets to collect, shifts, payments — and their private calendar feed."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import Case, F, Q, Sum, Value, When
from django.db.models.functions import Mod
from django.db.models.lookups import Exact
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from amap.euros import euros_text
from amap.names import Alphabetical
from contracts.models import Delivery, Instalment, Subscription
from deliveries.models import ShiftAssignment
from deliveries.models.distributions import with_hours

# How far back a feed goes: a telephone keeps what it has seen, it need not be told again.
FEED_GOES_BACK = timedelta(days=60)


@dataclass
class Collection:
    """What a household collects on one day at one place.

    `baskets`: [(offer title, farm name, [(label, quantity)])]; `delivery_ids`: their deliveries, in the same order;
    `moved_from`: the day first promised, if one of them was moved.
    """

    day: date
    place_id: int
    place: str
    address: str
    opens_at: time
    closes_at: time
    association_id: int
    moved_from: date | None = None
    baskets: list = field(default_factory=list)
    delivery_ids: list = field(default_factory=list)


def collections(household_ids, *, since, days=None):
    """The households' coming collections from `since` on, in one query: list of `Collection` by day.

    Follows live subscriptions, their ranks, turns and dated lines (BR-23, BR-46, BR-80, BR-81). `days`: at most so
    many.
    """
    served = Q(offer__subscriptions__lines__delivery=F("pk")) | Q(
        Q(offer__subscriptions__lines__turn="every") | Q(offer__subscriptions__lines__turn=F("side")),
        offer__subscriptions__lines__delivery=None,
    )
    rows = (
        with_hours(Delivery.objects.alias(side=_side()))
        .filter(
            served,
            day__gte=since,
            offer__subscriptions__household__in=household_ids,
            offer__subscriptions__status__in=Subscription.LIVE,
            offer__subscriptions__first_rank__lte=F("rank"),
            offer__subscriptions__last_rank__gte=F("rank"),
        )
        .exclude(status=Delivery.Status.CANCELLED)
        .order_by(
            "day", "opens_at", "place", Alphabetical("offer__farm__name"), "offer_id", "offer__subscriptions__lines__pk"
        )
        .values_list(
            "day",
            "place",
            "place__name",
            "place__address",
            "opens_at",
            "closes_at",
            "association",
            "pk",
            "moved_from",
            "offer__title",
            "offer__farm__name",
            "offer__subscriptions__lines__size__label",
            "offer__subscriptions__lines__product__name",
            "offer__subscriptions__lines__quantity",
        )
    )
    found = {}
    for day, place, *where, delivery, moved_from, title, farm, size, product, quantity in rows:
        collection = found.get((day, place))
        if collection is None:
            if days and len(found) == days:
                break
            collection = found[day, place] = Collection(day, place, *where)
        collection.moved_from = collection.moved_from or moved_from
        if not collection.baskets or collection.baskets[-1][:2] != (title, farm):
            collection.baskets.append((title, farm, []))
            collection.delivery_ids.append(delivery)
        collection.baskets[-1][2].append((size or product, quantity))
    return list(found.values())


def _side():
    """Whose turn a delivery is, after its rank: `odd` or `even`."""
    return Case(When(Exact(Mod("rank", 2), 1), then=Value("odd")), default=Value("even"))


def feed(user, now):
    """The iCalendar file of a person: collections, shifts and payments due of all their households, in their
    language."""
    from icalendar import Calendar

    today = timezone.localdate(now)
    households = [standing.household_id for standing in user.standings.values() if standing.household_id]
    slugs = {standing.association_id: standing.slug for standing in user.standings.values()}
    with override(user.language):
        calendar = Calendar()
        calendar.add("prodid", "-//AMAP//calendar//")
        calendar.add("version", "2.0")
        calendar.add("x-wr-calname", _("My AMAP"))
        for event in (
            *_collections(households, slugs, today),
            *_shifts(households, slugs, today),
            *_payments(households, slugs, today),
        ):
            event.add("dtstamp", now)
            calendar.add_component(event)
        calendar.add_missing_timezones()
        return calendar.to_ical()


def _event(uid, summary, *, starts, ends=None, where="", text="", url=""):
    from icalendar import Event

    event = Event()
    event.add("uid", f"{uid}@amap")
    event.add("summary", summary)
    event.add("dtstart", starts)
    if ends:
        event.add("dtend", ends)
    if where:
        event.add("location", where)
    if text:
        event.add("description", text)
    event.add("url", settings.SITE_URL + url)
    return event


def _collections(households, slugs, today):
    for one in collections(households, since=today - FEED_GOES_BACK):
        text = "\n".join(
            f"{title} ({farm}): " + ", ".join(f"{quantity} × {label}" for label, quantity in contents)
            for title, farm, contents in one.baskets
        )
        yield _event(
            f"collection-{one.association_id}-{one.day}-{one.place_id}",
            _("Basket: %(what)s") % {"what": ", ".join(title for title, _farm, _contents in one.baskets)},
            starts=datetime.combine(one.day, one.opens_at, timezone.get_default_timezone()),
            ends=datetime.combine(one.day, one.closes_at, timezone.get_default_timezone()),
            where=", ".join(filter(None, [one.place, one.address])),
            text=text,
            url=reverse("amap:home", args=[slugs[one.association_id]]),
        )


def _shifts(households, slugs, today):
    mine = ShiftAssignment.objects.filter(
        household__in=households,
        status__in=[ShiftAssignment.Status.CONFIRMED, ShiftAssignment.Status.SWAP_REQUESTED],
        distribution__day__gte=today - FEED_GOES_BACK,
    ).select_related("distribution__place", "shift__role")
    for assignment in mine:
        evening = assignment.distribution
        yield _event(
            f"shift-{assignment.pk}",
            _("Shift: %(role)s") % {"role": assignment.shift.role.name},
            starts=datetime.combine(evening.day, evening.volunteers_from, timezone.get_default_timezone()),
            ends=datetime.combine(evening.day, evening.volunteers_until, timezone.get_default_timezone()),
            where=", ".join(filter(None, [evening.place.name, evening.place.address])),
            text=assignment.shift.role.instructions,
            url=reverse("deliveries:roster", args=[slugs[assignment.association_id]]),
        )


def _payments(households, slugs, today):
    """One all-day event per day, farm and way to pay, with the sum of what is not on the farm's account yet (BR-38)."""
    expected = (
        Instalment.objects.open()
        .filter(household__in=households, deposit_not_before__gte=today - FEED_GOES_BACK)
        .order_by("deposit_not_before", Alphabetical("farm__name"), "method")
        .values_list("association", "deposit_not_before", "farm__name", "method")
        .annotate(Sum("amount_cents"))
    )
    for association, day, farm, method, cents in expected:
        if method == Instalment.Method.CHEQUE:
            words = _("Cheque to be cashed: %(sum)s by %(farm)s")
        else:
            words = _("Transfer due: %(sum)s to %(farm)s")
        yield _event(
            f"payment-{association}-{day}-{farm}-{method}",
            words % {"sum": euros_text(cents), "farm": farm},
            starts=day,
            url=reverse("contracts:my_payments", args=[slugs[association]]),
        )
