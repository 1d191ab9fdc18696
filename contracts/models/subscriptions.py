"""What a household signed: the subscription, its lines, signature and document; and who waits for a place."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from amap.models import Association, Household, User
from amap.models.money import Due
from contracts.models.offers import ContractOffer, Delivery, Product, ShareSize


class SubscriptionQuerySet(models.QuerySet):
    def live(self):
        """Those that hold a place and (once their time has come) a basket."""
        return self.filter(status__in=Subscription.LIVE)

    def with_days(self):
        """Each with `first_day` and `last_day`, those of its deliveries wherever they were moved to (BR-13)."""
        mine = Delivery.objects.exclude(status=Delivery.Status.CANCELLED).filter(
            offer=models.OuterRef("offer"),
            rank__range=(models.OuterRef("first_rank"), models.OuterRef("last_rank")),
        )
        return self.annotate(
            first_day=models.Subquery(mine.order_by("day").values("day")[:1]),
            last_day=models.Subquery(mine.order_by("-day").values("day")[:1]),
        )

    def visible_to(self, standing):
        """The household's own; its farm's people; the committee and its officers (BR-5)."""
        if standing.runs_association:
            return self
        return self.filter(Q(household=standing.household_id) | Q(offer__farm__in=standing.looked_after_farm_ids))

    def listed_for(self, standing):
        """Those one reads as somebody's work, not as one's own: as the offers of `ContractOffer.listed_for`."""
        if standing.runs_association:
            return self
        return self.filter(offer__farm__in=standing.looked_after_farm_ids)

    def manageable_by(self, standing):
        """Who may act on a household's subscription for it: the liaison of that farm, and the committee."""
        if standing.is_committee:
            return self
        return self.filter(offer__farm__in=standing.liaison_farm_ids)


class Subscription(models.Model):
    """The nominative commitment of one household with one farm. Prices and totals are copied at the signature
    (BR-16).
    """

    class Status(models.TextChoices):
        AWAITING_DOCUMENTS = "awaiting_documents", _("waiting for its payments")
        VALIDATED = "validated", _("valid")
        ACTIVE = "active", _("running")
        COMPLETED = "completed", _("completed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    MOVES = {
        "awaiting_documents": {"validated", "withdrawn"},
        "validated": {"active", "withdrawn", "awaiting_documents"},
        "active": {"completed"},
    }
    LIVE = (Status.AWAITING_DOCUMENTS, Status.VALIDATED, Status.ACTIVE)
    HOLDS = (*LIVE, Status.COMPLETED)

    association = models.ForeignKey(Association, models.CASCADE, related_name="subscriptions", db_index=False)
    offer = models.ForeignKey(ContractOffer, models.PROTECT, related_name="subscriptions", db_index=False)
    household = models.ForeignKey(Household, models.PROTECT, related_name="subscriptions")
    status = models.CharField(max_length=20, choices=Status, default=Status.AWAITING_DOCUMENTS)
    first_rank = models.PositiveSmallIntegerField()
    last_rank = models.PositiveSmallIntegerField()
    deliveries_count = models.PositiveSmallIntegerField()
    equivalents_hundredths = models.PositiveIntegerField()
    total_cents = models.PositiveBigIntegerField()
    method = models.CharField(max_length=12, choices=Due.Method)
    client_token = models.UUIDField(unique=True)
    signed_at = models.DateTimeField()
    reserved_until = models.DateTimeField()
    # Signed on paper away from the farm: no payment is taken before that day (BR-43c).
    payments_from = models.DateField(null=True, blank=True)
    validated_at = models.DateTimeField(null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["offer", "status"], name="subscription_offer_status"),
            models.Index(fields=["association", "status"], name="subscription_status"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "household"],
                condition=Q(status__in=["awaiting_documents", "validated", "active", "completed"]),
                name="subscription_once_per_household",
            ),
            models.CheckConstraint(condition=Q(last_rank__gte=models.F("first_rank")), name="subscription_has_dates"),
        ]

    def __str__(self):
        return f"{self.offer} – {self.household}"

    def waits_until(self, today):
        """The day from which payments are taken, as long as it has not come; else None."""
        return self.payments_from if self.payments_from and today < self.payments_from else None


class SubscriptionLine(models.Model):
    """So many of a size at each due delivery, or so many of a product at one delivery (`by_date`). The unit price is
    a copy.
    """

    class Turn(models.TextChoices):
        EVERY = "every", _("every delivery")
        ODD = "odd", _("every other delivery, turn A")
        EVEN = "even", _("every other delivery, turn B")

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="lines")
    size = models.ForeignKey(ShareSize, models.PROTECT, null=True, blank=True, related_name="lines", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="lines", db_index=False)
    delivery = models.ForeignKey(Delivery, models.PROTECT, null=True, blank=True, related_name="lines")
    quantity = models.PositiveSmallIntegerField()
    turn = models.CharField(max_length=5, choices=Turn, default=Turn.EVERY)
    unit_price_cents = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(size__isnull=False, product=None, delivery=None)
                | Q(size=None, product__isnull=False, delivery__isnull=False),
                name="line_of_a_size_or_of_a_product_at_a_date",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_is_something"),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.size or self.product}"


class Signature(models.Model):
    """Who signed, when, from where, which content (BR-22). A paper signature is recorded by somebody for somebody
    (T24).
    """

    class Side(models.TextChoices):
        HOUSEHOLD = "household", _("the household")
        FARM = "farm", _("the farm")

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="signatures")
    side = models.CharField(max_length=10, choices=Side)
    name = models.CharField(max_length=100)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True, blank=True)
    is_paper = models.BooleanField(default=False)
    content_sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["subscription", "side"], name="signature_once_per_side")]

    def __str__(self):
        return self.name


class ContractDocument(models.Model):
    """The contract as signed: its frozen content, and from it one PDF, made once and kept byte for byte (BR-22)."""

    subscription = models.OneToOneField(Subscription, models.CASCADE, related_name="document")
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    pdf = models.BinaryField(null=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"{self.subscription}"


class WaitingListEntryQuerySet(models.QuerySet):
    def manageable_by(self, standing):
        """Who may take a household off the list at its wish: the liaison of that farm, and the committee."""
        if standing.is_committee:
            return self
        return self.filter(offer__farm__in=standing.liaison_farm_ids)


class WaitingListEntry(models.Model):
    """A household waiting for a place: nobody who came later overtakes it, unless too little is free for it (BR-30)."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        WITHDRAWN = "withdrawn", _("withdrawn")
        ACCEPTED = "accepted", _("signed up")

    MOVES = {"waiting": {"withdrawn", "accepted"}}

    association = models.ForeignKey(Association, models.CASCADE, related_name="waiting_list")
    offer = models.ForeignKey(ContractOffer, models.CASCADE, related_name="waiting_list")
    household = models.ForeignKey(Household, models.CASCADE, related_name="waiting_list")
    equivalents_hundredths = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    client_token = models.UUIDField(unique=True)
    created_at = models.DateTimeField()

    objects = WaitingListEntryQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "household"], condition=Q(status="waiting"), name="waiting_once_per_household"
            )
        ]

    def __str__(self):
        return f"{self.offer} – {self.household}"
