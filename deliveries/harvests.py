"""Read only: what farms bring, and what every basket receives of it (BR-45, BR-47)."""

from dataclasses import dataclass, field

from contracts.models import ContractOffer
from deliveries import sharing
from deliveries.models import HarvestItem, HarvestList, HarvestPortion
from deliveries.quantities import GRAM


@dataclass(slots=True)
class Item:
    """A product: amounts in its unit (grams or pieces), and what one basket of each size label receives."""

    product: str
    unit: str
    total: int
    whole: int | None
    leftover: int
    origin: str
    portions: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Harvest:
    """A farm's list for one delivery."""

    delivery_id: int
    posted_at: object
    updated_at: object
    news: str
    items: list[Item] = field(default_factory=list)

    @property
    def sizes(self):
        """The size labels that receive something, the largest first."""
        return list(dict.fromkeys(label for item in self.items for label in item.portions))

    def basket(self, contents):
        """What a household receives: list of (product, amount, unit, origin) for its [label, quantity] pairs."""
        return [
            (item.product, amount, item.unit, item.origin)
            for item in self.items
            if (amount := sum(quantity * item.portions.get(label, 0) for label, quantity in contents))
        ]


def harvests(delivery_ids):
    """The harvest lists of these deliveries, by delivery id, in one query."""
    lists, items = {}, {}
    for delivery, posted, updated, news, pk, product, unit, total, whole, leftover, origin, size, portion in (
        HarvestList.objects.filter(delivery__in=delivery_ids)
        .order_by("items__position", "items__pk", "-items__portions__size__coefficient_hundredths")
        .values_list(
            "delivery",
            "posted_at",
            "updated_at",
            "news",
            "items",
            "items__product",
            "items__unit",
            "items__total",
            "items__whole",
            "items__leftover",
            "items__origin",
            "items__portions__size__label",
            "items__portions__quantity",
        )
    ):
        harvest = lists.setdefault(delivery, Harvest(delivery, posted, updated, news))
        if pk is None:
            continue
        if pk not in items:
            items[pk] = Item(product, unit, total, whole, leftover, origin)
            harvest.items.append(items[pk])
        if size is not None:
            items[pk].portions[size] = portion
    return lists


def latest_before(delivery):
    """The offer's last list before this delivery, to start from; None for the first."""
    earlier = HarvestList.objects.filter(delivery__offer=delivery.offer_id, delivery__day__lt=delivery.day)
    latest = earlier.exclude(items=None).order_by("-delivery__day")
    pk = latest.values_list("delivery", flat=True).first()
    return harvests([pk])[pk] if pk else None


def dues_before(delivery):
    """Pieces still to be evened out: {product: {coefficient: hundredths}}, from the offer's earlier lists (BR-47)."""
    dues = {}
    for product, coefficient, due in (
        HarvestPortion.objects.filter(
            item__harvest_list__delivery__offer=delivery.offer_id, item__harvest_list__delivery__day__lt=delivery.day
        )
        .exclude(item__unit=HarvestItem.Unit.GRAM)
        .order_by("item__harvest_list__delivery__day")
        .values_list("item__product", "size__coefficient_hundredths", "due_hundredths")
    ):
        dues.setdefault(product.casefold(), {})[coefficient] = due
    return dues


def share(*, unit, total, whole, baskets, step_grams, due):
    """Divide a product into the baskets present: (total, `Sharing`).

    `whole`, what a whole share gets, decides when it is given; otherwise `total`. A whole share gets what was typed,
    even when it is no multiple of the step.
    """
    if whole is not None:
        step = step_grams if unit == GRAM and whole % step_grams == 0 else 1
        shared = sharing.needed(whole, baskets, step=step)
        return sharing.used(shared, baskets), sharing.Sharing(shared.each, 0, dict(due))
    if unit == GRAM:
        return total, sharing.share_weight(total, baskets, step_grams=step_grams)
    return total, sharing.share_pieces(total, baskets, due=due)


def varieties(products):
    """How many different products a list names, for the contract's least number."""
    return len({product.strip().casefold() for product in products})


def too_few(offer, products):
    """Whether a share has fewer varieties than its contract says: a warning, never a refusal (BR-45)."""
    return offer.kind == ContractOffer.Kind.HARVEST_SHARE and varieties(products) < offer.min_varieties
