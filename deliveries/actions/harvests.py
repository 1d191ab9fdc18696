"""Saying what the farm brings."""

from collections import defaultdict
from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from amap.errors import Refused
from amap.letters import next_digest, post
from amap.models import Member
from amap.states import record
from contracts.models import ContractOffer, Delivery
from deliveries.harvests import dues_before, harvests, share
from deliveries.models import Distribution, HarvestItem, HarvestList, HarvestPortion
from deliveries.models.distributions import list_from
from deliveries.sheet import baskets_present, sheet

# Before the doors open: whoever has no list by then is written to without it.
LAST_CALL = timedelta(hours=7)


@transaction.atomic
def post_harvest(delivery, *, items, news="", by, now):
    """Write (or write again) the harvest list of a delivery, shared out over the baskets present (BR-45, BR-47).

    `items`: dicts with `product`, `unit` ("g", "piece", "bunch") and either `total` or `whole` (for a whole share), in
    grams or pieces; `origin` (who grew it, where) if it was bought in (BR-18). Returns the list.
    """
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("offer", "association")
    delivery = rows.get(pk=delivery.pk)
    offer, association = delivery.offer, delivery.association
    _refuse_unless_awaited(delivery)
    if not items and not news.strip():
        raise Refused(_("Write at least one product, or a word of news."))
    if items and offer.kind != ContractOffer.Kind.HARVEST_SHARE:
        raise Refused(_("The contents of this contract are fixed. Only news can be added."))
    for item in items:
        if item.get("origin") and not offer.bought_in_allowed:
            raise Refused(
                _("%(product)s: this contract does not allow produce of other farms (charter: only the farm's own).")
                % {"product": item["product"]}
            )
    visible = list_from(delivery.day, association)
    harvest, is_new = HarvestList.objects.get_or_create(
        delivery=delivery, defaults={"posted_at": now, "posted_by": by, "news": news.strip()}
    )
    if not is_new:
        harvest.posted_by, harvest.news = by, news.strip()
        harvest.updated_at = now if now >= visible else harvest.updated_at
        harvest.save()
    harvest.items.all().delete()
    HarvestItem.objects.bulk_create(
        HarvestItem(
            harvest_list=harvest,
            position=position,
            product=item["product"].strip(),
            unit=item["unit"],
            total=item.get("total") or 0,
            whole=item.get("whole"),
            is_bought_in=bool(item.get("origin")),
            origin=item.get("origin", ""),
        )
        for position, item in enumerate(items)
    )
    _share_out(delivery, harvest, step_grams=association.weight_step_g)
    record("harvest.posted" if is_new else "harvest.updated", delivery, by=by, now=now)
    return harvest


@transaction.atomic
def announce(distribution, *, now):
    """Write to everybody who collects at this distribution: what, where and when, with the lists of the farms (BR-45,
    BR-75). Once each, whoever asks how often.

    Who still misses a list is written to once it is there, at the latest some hours before the doors open. The letter
    waits for the day's digest, unless that would come after the doors open.
    """
    evening = sheet(distribution)
    lists = harvests(evening.deliveries)
    shares = {pk for pk, one in evening.deliveries.items() if one.kind == ContractOffer.Kind.HARVEST_SHARE}
    missing = shares - lists.keys()
    is_last_call = now >= distribution.opens() - LAST_CALL
    alike = defaultdict(list)
    for line in evening.lines:
        if is_last_call or missing.isdisjoint(basket.delivery_id for basket in line.baskets):
            taken = tuple((basket.delivery_id, tuple(map(tuple, basket.contents))) for basket in line.baskets)
            alike[taken].append(line.household_id)
    members = defaultdict(list)
    everybody = [household for households in alike.values() for household in households]
    for member in Member.objects.filter(household__in=everybody).select_related("user"):
        members[member.household_id].append(member)
    association = distribution.association
    for taken, households in alike.items():
        post(
            "basket_of_the_week",
            association=association,
            to=[member for household in households for member in members[household]],
            key=f"basket:{distribution.pk}",
            now=now,
            is_urgent=next_digest(now) >= distribution.opens(),
            context={
                "day": distribution.day.isoformat(),
                "place": distribution.place.name,
                "address": distribution.place.address,
                "opens_at": distribution.opens_at.isoformat(),
                "closes_at": distribution.closes_at.isoformat(),
                "baskets": [_basket(evening.deliveries[pk], lists.get(pk), contents) for pk, contents in taken],
                "url": reverse("deliveries:distribution", args=[association.slug, distribution.pk]),
            },
        )
    if is_last_call or not missing:
        Distribution.objects.filter(pk=distribution.pk).update(announced_at=now)


def _basket(delivery, harvest, contents):
    """What the letter says of one delivery: `portions`, what the farm brings of it, where it has said so."""
    return {
        "farm": delivery.farm,
        "offer": delivery.title,
        "contents": contents,
        "portions": harvest.basket(contents) if harvest else [],
        "news": harvest.news if harvest else "",
    }


def share_again(deliveries, *, step_grams):
    """Once the baskets are fixed, divide what was posted by the number there really is."""
    lists = HarvestList.objects.filter(delivery__in=deliveries, items__isnull=False).distinct()
    for harvest in lists.select_related("delivery"):
        _share_out(harvest.delivery, harvest, step_grams=step_grams)


def _refuse_unless_awaited(delivery):
    if delivery.offer.status not in ContractOffer.LIVE:
        raise Refused(_("This contract is not running: nobody awaits a harvest list."))
    if delivery.status == Delivery.Status.CANCELLED:
        raise Refused(_("This delivery is cancelled."))
    if delivery.status == Delivery.Status.HELD:
        raise Refused(_("This delivery is over: its list no longer changes."))


def _share_out(delivery, harvest, *, step_grams):
    baskets, dues = baskets_present(delivery), dues_before(delivery)
    sizes = list(delivery.offer.sizes.all())
    items, portions = list(harvest.items.all()), []
    HarvestPortion.objects.filter(item__harvest_list=harvest).delete()
    for item in items:
        item.total, shared = share(
            unit=item.unit,
            total=item.total,
            whole=item.whole,
            baskets=baskets,
            step_grams=step_grams,
            due=dues.get(item.product.casefold(), {}),
        )
        item.leftover = shared.leftover
        portions += [
            HarvestPortion(
                item=item,
                size=size,
                quantity=shared.each[size.coefficient_hundredths],
                due_hundredths=shared.due.get(size.coefficient_hundredths, 0),
            )
            for size in sizes
            if size.coefficient_hundredths in shared.each
        ]
    HarvestItem.objects.bulk_update(items, ["total", "leftover"])
    HarvestPortion.objects.bulk_create(portions)
