"""The deliveries of an offer once it is open: some of them move (BR-13)."""

from django.db import transaction
from django.utils.translation import gettext as _

from amap import states
from amap.dates import date_format
from amap.errors import Refused
from contracts.models import ContractOffer, Delivery


@transaction.atomic
def move_deliveries(deliveries, *, to_day, by, now, to_place=None):
    """Move deliveries to another day or place; ranks, prices and turns stay (BR-13).

    The first promised day is remembered. For whoever moves a whole distribution, who also tells people. Refused when
    one of them is over, or its offer already delivers on that day. Returns the deliveries as they are now.
    """
    moving = list(
        Delivery.objects.select_for_update(of=("self",))
        .filter(pk__in=[delivery.pk for delivery in deliveries])
        .select_related("offer", "place")
    )
    for delivery in moving:
        if delivery.status not in (Delivery.Status.SCHEDULED, Delivery.Status.LOCKED):
            raise Refused(
                _("The delivery of %(offer)s on %(day)s is %(status)s and no longer moves.")
                % {"offer": delivery.offer, "day": _day(delivery.day), "status": delivery.get_status_display()}
            )
    clash = (
        Delivery.objects.filter(offer__in=[delivery.offer_id for delivery in moving], day=to_day)
        .exclude(pk__in=[delivery.pk for delivery in moving])
        .select_related("offer")
        .first()
    )
    if clash:
        raise Refused(_("%(offer)s already has a delivery on %(day)s.") % {"offer": clash.offer, "day": _day(to_day)})
    for delivery in moving:
        before = delivery.day
        if before != to_day:
            delivery.moved_from = None if delivery.moved_from == to_day else delivery.moved_from or before
        delivery.day, delivery.place = to_day, to_place or delivery.place
        delivery.save(update_fields=["day", "moved_from", "place"])
        states.record("delivery.moved", delivery, by=by, now=now, before=before.isoformat(), after=to_day.isoformat())
    _follow_ends({delivery.offer_id for delivery in moving})
    return moving


def _follow_ends(offer_ids):
    """A season's first and last day are those of its deliveries."""
    for offer in ContractOffer.objects.filter(pk__in=offer_ids):
        days = list(offer.deliveries.values_list("day", flat=True))
        if (min(days), max(days)) != (offer.starts_on, offer.ends_on):
            ContractOffer.objects.filter(pk=offer.pk).update(starts_on=min(days), ends_on=max(days))


def _day(day):
    return date_format(day, "DATE_FORMAT")
