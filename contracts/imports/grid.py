"""The contracts of an offer as the grid that can be brought in again."""

from collections import defaultdict

from amap.imports import household_columns
from amap.names import Alphabetical
from contracts.imports.columns import common
from contracts.models import Delivery, Instalment, Subscription, SubscriptionLine


def exported(offer):
    """(headings, rows) of what households have signed for the offer: by share, or by product and delivery."""
    labels = {column.key: str(column.label) for column in [*household_columns.COLUMNS, *common()]}
    grid = defaultdict(dict)
    lines = SubscriptionLine.objects.filter(subscription__offer=offer, subscription__status__in=Subscription.HOLDS)
    for subscription, size, turn, product, rank, quantity in lines.values_list(
        "subscription", "size", "turn", "product", "delivery__rank", "quantity"
    ):
        grid[subscription, product or turn][rank if product else size] = quantity
    signed = (
        Subscription.objects.filter(offer=offer, status__in=Subscription.HOLDS)
        .select_related("household")
        .prefetch_related("household__members", "instalments")
        .order_by(Alphabetical("household__name"), "pk")
    )
    items = list(offer.products.all() if offer.is_by_date else offer.sizes.all())
    turns = {"every": "", "odd": "A", "even": "B"}
    who = [labels[key] for key in ("number", "household", "email_1")]
    if offer.is_by_date:
        deliveries = list(offer.deliveries.exclude(status=Delivery.Status.CANCELLED).order_by("rank"))
        headings = [*who, labels["count"], labels["item"], *(f"{one.day:%d/%m/%Y}" for one in deliveries)]
        rows = (
            [*_who(one), str(item), *(grid[one.pk, item.pk].get(delivery.rank) for delivery in deliveries)]
            for one in signed
            for item in items
            if (one.pk, item.pk) in grid
        )
    else:
        headings = [*who, labels["count"], *(str(item) for item in items), labels["turn"]]
        rows = (
            [*_who(one), *(grid[one.pk, turn].get(item.pk) for item in items), mark]
            for one in signed
            for turn, mark in turns.items()
            if (one.pk, turn) in grid
        )
    return headings, rows


def _who(subscription):
    household = subscription.household
    email = next((member.email for member in household.members.all() if member.email), "")
    counted = [one for one in subscription.instalments.all() if one.status in Instalment.COUNTS]
    return [household.number, household.name, email, len(counted)]
