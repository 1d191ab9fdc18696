"""The evening, what the field gave, and who took what home."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, FilteredRelation, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from amap import clock
from amap.models import Association, Household, PickupPlace, User
from contracts.models import Delivery, ShareSize, Subscription


class DistributionQuerySet(models.QuerySet):
    def coming(self, today):
        """From today on, the next one first."""
        return self.filter(day__gte=today).order_by("day", "opens_at")

    def planned(self):
        return self.filter(status=Distribution.Status.PLANNED)


class Distribution(models.Model):
    """One evening at one place. It gathers the deliveries of its day and place; hours are local. `announced_at`: those
    who collect were written to.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        LOCKED = "locked", _("list fixed")
        CLOSED = "closed", _("closed")

    MOVES = {"planned": {"locked"}, "locked": {"closed"}}

    association = models.ForeignKey(Association, models.CASCADE, related_name="distributions", db_index=False)
    place = models.ForeignKey(PickupPlace, models.PROTECT, related_name="distributions")
    day = models.DateField()
    opens_at = models.TimeField()
    closes_at = models.TimeField()
    volunteers_from = models.TimeField()
    volunteers_until = models.TimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED)
    locked_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    announced_at = models.DateTimeField(null=True, blank=True)
    remarks = models.TextField(_("remarks of the evening"), blank=True)

    objects = DistributionQuerySet.as_manager()

    class Meta:
        ordering = ["day", "opens_at"]
        constraints = [
            models.UniqueConstraint(fields=["association", "day", "place"], name="distribution_once_a_day_and_place")
        ]

    def __str__(self):
        return f"{self.place} {self.day}"

    @property
    def is_locked(self):
        """The list is fixed: what is collected is read from Baskets."""
        return self.status != self.Status.PLANNED

    @property
    def is_closed(self):
        return self.status == self.Status.CLOSED

    def opens(self) -> datetime:
        """The moment the doors open."""
        return clock.at(self.day, self.opens_at)

    def closes(self) -> datetime:
        """The moment the doors close: what nobody signed for by then is uncollected (BR-51)."""
        return clock.at(self.day, self.closes_at)

    def locks(self, hours_before) -> datetime:
        """The moment the list is fixed by itself (BR-52)."""
        return self.opens() - timedelta(hours=hours_before)


def harvest_visible(day, *, days_before, hour) -> datetime:
    """When members see the harvest list of a delivery `day`: also the farm's deadline (BR-45)."""
    return clock.at(day - timedelta(days=days_before), hour)


def list_from(day, association) -> datetime:
    """`harvest_visible` with what the association has decided."""
    return harvest_visible(day, days_before=association.harvest_days_before, hour=association.harvest_hour)


def with_hours(deliveries):
    """The deliveries, each with `opens_at` and `closes_at`: the hours of its evening (BR-13), those of its place as
    long as no evening is planned.
    """
    evening = FilteredRelation("place__distributions", condition=Q(place__distributions__day=F("day")))
    return deliveries.annotate(
        evening=evening,
        opens_at=Coalesce("evening__opens_at", "place__opens_at"),
        closes_at=Coalesce("evening__closes_at", "place__closes_at"),
    )


class HarvestList(models.Model):
    """What the farm brings to one delivery (BR-45). `updated_at`: changed after members could see it."""

    delivery = models.OneToOneField(Delivery, models.CASCADE, related_name="harvest_list")
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(null=True, blank=True)
    news = models.TextField(_("news from the farm"), blank=True)

    def __str__(self):
        return f"{self.delivery}"


class HarvestItem(models.Model):
    """One product of the list: weights in grams, or pieces. The farm counted the total, or gave the quantity of a
    `whole` share and the total follows from it.
    """

    class Unit(models.TextChoices):
        GRAM = "g", _("weighed")
        PIECE = "piece", _("by the piece")
        BUNCH = "bunch", _("by the bunch")

    harvest_list = models.ForeignKey(HarvestList, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField(default=0)
    product = models.CharField(_("product"), max_length=60)
    unit = models.CharField(_("counted"), max_length=6, choices=Unit, default=Unit.GRAM)
    total = models.PositiveIntegerField(_("total"))
    whole = models.PositiveIntegerField(_("for a whole share"), null=True, blank=True)
    leftover = models.PositiveIntegerField(default=0)
    is_bought_in = models.BooleanField(_("bought in"), default=False)
    origin = models.CharField(_("producer and origin"), max_length=100, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_bought_in=False) | ~Q(origin=""),
                name="bought_in_names_its_origin",
                violation_error_message=_("Say who grew it and where (BR-18)."),
            )
        ]

    def __str__(self):
        return self.product


class HarvestPortion(models.Model):
    """What one share of a size receives of an item, in the item's unit (BR-47). `due_hundredths`: pieces still owed
    to the size.
    """

    item = models.ForeignKey(HarvestItem, models.CASCADE, related_name="portions")
    size = models.ForeignKey(ShareSize, models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField()
    due_hundredths = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "size"], name="portion_once_per_size")]

    def __str__(self):
        return f"{self.quantity}"


class Basket(models.Model):
    """What a household takes from one delivery, fixed when the sheet locks (BR-52); afterwards only signed for or
    annotated.

    `contents`: list of [label, quantity] as printed.
    """

    class Outcome(models.TextChoices):
        EXPECTED = "expected", _("expected")
        COLLECTED = "collected", _("collected")
        UNCOLLECTED = "uncollected", _("not collected")

    class Fate(models.TextChoices):
        CHARITY = "charity", _("given to a charity")
        VOLUNTEERS = "volunteers", _("shared by the volunteers")
        KEPT = "kept", _("kept for the household")

    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="baskets", db_index=False)
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="baskets", db_index=False)
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="baskets")
    household = models.ForeignKey(Household, models.PROTECT, related_name="baskets")
    contents = models.JSONField()
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.EXPECTED)
    collected_at = models.DateTimeField(null=True, blank=True)
    ticked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    collected_by = models.CharField(_("collected by"), max_length=100, blank=True)
    fate = models.CharField(max_length=10, choices=Fate, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "subscription"], name="basket_once"),
        ]
        indexes = [models.Index(fields=["distribution", "household"], name="basket_sheet")]

    def __str__(self):
        return f"{self.household} {self.delivery}"

    @property
    def association_id(self):
        return self.distribution.association_id
