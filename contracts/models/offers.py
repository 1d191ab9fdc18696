"""What a farm and the committee agree on: an offer, its price, its calendar, its terms."""

from datetime import date

from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, When
from django.utils.translation import gettext_lazy as _

from amap.models import Association, Farm, PickupPlace, User
from amap.names import Alphabetical


class ContractOfferQuerySet(models.QuerySet):
    def visible_to(self, standing):
        """Members see what both sides agreed; drafts are seen by the farm, its liaisons and the committee."""
        if standing.runs_association:
            return self
        return self.filter(Q(status__in=ContractOffer.PUBLIC) | Q(farm__in=standing.looked_after_farm_ids))

    def with_last_day(self):
        """Each with `last_day`: that of its last delivery that is not called off, None once its list is fixed."""
        planned = Delivery.objects.filter(offer=OuterRef("pk")).exclude(status=Delivery.Status.CANCELLED)
        to_come = planned.annotate(to_come=Case(When(status=Delivery.Status.SCHEDULED, then="day")))
        return self.annotate(last_day=Subquery(to_come.order_by("-rank").values("to_come")[:1]))

    def listed_for(self, standing):
        """Whose contracts and waiting list one reads: the farm's people, and those who run the association (BR-5)."""
        if standing.runs_association:
            return self
        return self.filter(farm__in=standing.looked_after_farm_ids)

    def manageable_by(self, standing):
        """The farm, its liaisons, and the committee."""
        if standing.is_committee:
            return self
        return self.filter(farm__in=standing.looked_after_farm_ids)


class ContractOffer(models.Model):
    """A season contract proposed by a farm, agreed with the committee, then open to households.

    Sizes and capacity are counted in hundredths of a share (BR-20); `taken_hundredths` is kept by conditional updates
    and bounded by the database, so that no race can oversell.
    """

    class Kind(models.TextChoices):
        HARVEST_SHARE = "harvest_share", _("share of the harvest")
        FIXED_QUANTITY = "fixed_quantity", _("same items each time")
        BY_DATE = "by_date", _("quantities chosen by date")

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PROPOSED = "proposed", _("proposed")
        AGREED = "agreed", _("agreed")
        OPEN = "open", _("open")
        RUNNING = "running", _("running")
        CLOSED = "closed", _("closed")
        CANCELLED = "cancelled", _("cancelled")

    MOVES = {
        "draft": {"proposed", "cancelled"},
        "proposed": {"draft", "agreed", "cancelled"},
        "agreed": {"draft", "open", "cancelled"},
        "open": {"running", "cancelled"},
        "running": {"closed"},
    }
    IN_PREPARATION = (Status.DRAFT, Status.PROPOSED, Status.AGREED)
    PUBLIC = (Status.AGREED, Status.OPEN, Status.RUNNING, Status.CLOSED)
    LIVE = (Status.OPEN, Status.RUNNING)

    class Rounding(models.TextChoices):
        FIRST = "first", _("the first takes the remainder")
        LAST = "last", _("the last takes the remainder")
        SPREAD = "spread", _("one cent more on the first ones")
        EURO_FIRST = "euro_first", _("whole euros, the first takes the rest")

    class DateStrategy(models.TextChoices):
        FIRST_OF_MONTH = "first_of_month", _("the first of each month")
        FIFTH_OF_MONTH = "fifth_of_month", _("the 5th of each month")
        FIRST_DELIVERY_OF_MONTH = "first_delivery_of_month", _("the first delivery of each month")
        PER_DELIVERY = "per_delivery", _("each delivery")
        CUSTOM = "custom", _("days of your choice")

    association = models.ForeignKey(Association, models.CASCADE, related_name="offers")
    farm = models.ForeignKey(Farm, models.PROTECT, related_name="offers")
    place = models.ForeignKey(PickupPlace, models.PROTECT, related_name="offers", verbose_name=_("place"))
    title = models.CharField(_("title"), max_length=80)
    code = models.CharField(_("short code"), max_length=8)
    kind = models.CharField(_("kind of contract"), max_length=16, choices=Kind, default=Kind.HARVEST_SHARE)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    # Cosmetic: may change at any time (BR-8).
    description = models.TextField(_("in a few words"), blank=True)

    # Calendar (BR-12)
    starts_on = models.DateField(_("first delivery"), null=True, blank=True)
    ends_on = models.DateField(_("last delivery"), null=True, blank=True)
    weekday = models.PositiveSmallIntegerField(
        _("day"), choices=PickupPlace.Weekday, default=PickupPlace.Weekday.THURSDAY
    )
    interval_weeks = models.PositiveSmallIntegerField(_("every … weeks"), default=1)

    # Price and capacity (BR-9, BR-15, BR-20)
    reference_price_cents = models.PositiveIntegerField(_("price of a whole share per delivery"), default=0)
    price_reason = models.CharField(_("why the price differs from the budget's"), max_length=300, blank=True)
    budget_visibility = models.CharField(
        _("budget shown to"),
        max_length=10,
        choices={"members": _("members"), "committee": _("the committee only")},
        default="members",
    )
    capacity_hundredths = models.PositiveIntegerField(_("capacity (shares)"), default=0)
    taken_hundredths = models.PositiveIntegerField(default=0)
    alternate_allowed = models.BooleanField(_("a share may be taken every other delivery"), default=False)
    minimum_per_delivery_cents = models.PositiveIntegerField(_("least amount per delivery"), default=0)
    minimum_per_season_cents = models.PositiveIntegerField(_("least amount for the season"), default=0)

    # Signing and paying (BR-23, BR-24, BR-32 to BR-36)
    open_on = models.DateField(_("sign-up opens on"), null=True, blank=True)
    late_join_allowed = models.BooleanField(_("one may join during the season"), default=True)
    producer_lead_days = models.PositiveSmallIntegerField(_("notice for the farm (days)"), default=7)
    reservation_days = models.PositiveSmallIntegerField(
        _("a place is kept without its payments for (days)"), default=10
    )
    accepts_cheques = models.BooleanField(_("cheques"), default=True)
    accepts_transfers = models.BooleanField(_("bank transfers"), default=True)
    instalment_counts = models.JSONField(_("numbers of instalments"), default=list)
    min_instalment_cents = models.PositiveIntegerField(_("least amount of an instalment"), default=1000)
    rounding_mode = models.CharField(_("cents left over"), max_length=12, choices=Rounding, default=Rounding.FIRST)
    date_strategy = models.CharField(
        _("cheques are cashed"), max_length=24, choices=DateStrategy, default=DateStrategy.FIRST_OF_MONTH
    )
    payment_days = models.JSONField(_("days of your choice"), default=list, blank=True)  # ISO dates, in order

    # Terms (BR-10)
    composition = models.TextField(_("what a share is made of"), blank=True)
    min_varieties = models.PositiveSmallIntegerField(_("varieties, at least"), default=5)
    member_commitments = models.TextField(_("commitments of the member"), blank=True)
    farmer_commitments = models.TextField(_("commitments of the farmer"), blank=True)
    common_commitments = models.TextField(_("common commitments"), blank=True)
    hazard_clause = models.TextField(_("hazards: sharing risks and benefits"), blank=True)
    absence_clause = models.TextField(_("absences and uncollected baskets"), blank=True)
    shortage_rule = models.TextField(_("when items are missing"), blank=True)
    termination_clause = models.TextField(_("early end and replacement"), blank=True)
    mediation_contact = models.CharField(_("in case of disagreement"), max_length=200, blank=True)
    contract_copies = models.PositiveSmallIntegerField(_("copies"), default=3)
    bought_in_allowed = models.BooleanField(
        _("may contain produce of other farms, named with its origin"), default=False
    )
    perishable = models.BooleanField(_("all products are perishable"), default=True)
    exceptional_reason = models.CharField(_("why the season is shorter than usual"), max_length=200, blank=True)

    objects = ContractOfferQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_on", Alphabetical("title")]
        indexes = [models.Index(fields=["association", "status"], name="offer_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["association", "code"],
                name="offer_code_once",
                violation_error_message=_("Another offer already has this short code."),
            ),
            models.CheckConstraint(
                condition=Q(taken_hundredths__lte=F("capacity_hundredths")), name="offer_never_oversold"
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def free_hundredths(self):
        return self.capacity_hundredths - self.taken_hundredths

    def is_open(self, today):
        """May households sign today? From the agreed day on; once the season has begun, where one may join late
        (BR-23).
        """
        has_begun = self.status == self.Status.RUNNING or (self.starts_on and self.starts_on <= today)
        if has_begun and not self.late_join_allowed:
            return False
        return self.status in self.LIVE and not (self.open_on and self.open_on > today)

    @property
    def is_by_date(self):
        return self.kind == self.Kind.BY_DATE

    @property
    def chosen_payment_days(self):
        """The days payments are cashed on, where the farm has chosen them one by one (BR-36)."""
        return [date.fromisoformat(day) for day in self.payment_days]

    @property
    def methods(self):
        """The payment methods the farm accepts, as values of `Due.Method` (BR-32)."""
        return [m for m, ok in (("cheque", self.accepts_cheques), ("transfer", self.accepts_transfers)) if ok]


class ShareSize(models.Model):
    """A size of share and its price per delivery, VAT included (BR-15)."""

    offer = models.ForeignKey(ContractOffer, models.CASCADE, related_name="sizes")
    label = models.CharField(_("name"), max_length=60)
    coefficient_hundredths = models.PositiveIntegerField(_("part of a whole share"), default=100)
    price_cents = models.PositiveIntegerField(_("price per delivery"))
    price_reason = models.CharField(_("why the price is not in proportion"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(coefficient_hundredths__gt=0), name="size_is_something"),
            models.CheckConstraint(condition=Q(price_cents__gt=0), name="size_has_a_price"),
        ]

    def __str__(self):
        return self.label


class Product(models.Model):
    """What can be chosen date by date (BR-81); price per unit, VAT included."""

    offer = models.ForeignKey(ContractOffer, models.CASCADE, related_name="products")
    name = models.CharField(_("name"), max_length=80)
    unit = models.CharField(_("unit"), max_length=30, blank=True)
    price_cents = models.PositiveIntegerField(_("price"))
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.CheckConstraint(condition=Q(price_cents__gt=0), name="product_has_a_price")]

    def __str__(self):
        return self.name


class Closure(models.Model):
    """A date without delivery: holidays, the farm's break (BR-12)."""

    offer = models.ForeignKey(ContractOffer, models.CASCADE, related_name="closures")
    day = models.DateField()

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["offer", "day"], name="closure_once")]

    def __str__(self):
        return f"{self.day}"


class Delivery(models.Model):
    """A promised date of an offer. Its rank never changes, even when the date moves (BR-12, BR-13)."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("planned")
        LOCKED = "locked", _("list fixed")
        HELD = "held", _("held")
        CANCELLED = "cancelled", _("cancelled")

    MOVES = {"scheduled": {"locked", "held", "cancelled"}, "locked": {"held"}, "held": set()}

    association = models.ForeignKey(Association, models.CASCADE, related_name="deliveries", db_index=False)
    offer = models.ForeignKey(ContractOffer, models.CASCADE, related_name="deliveries", db_index=False)
    place = models.ForeignKey(PickupPlace, models.PROTECT, related_name="deliveries")
    rank = models.PositiveSmallIntegerField()
    day = models.DateField()
    moved_from = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.SCHEDULED)

    class Meta:
        ordering = ["day", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "rank"], name="delivery_rank_once"),
            models.UniqueConstraint(fields=["offer", "day"], name="delivery_day_once"),
        ]
        indexes = [models.Index(fields=["association", "day"], name="delivery_day")]

    def __str__(self):
        return f"{self.offer} {self.rank}"


class FarmBudget(models.Model):
    """What the price is built from (BR-9). Amounts per year, in cents."""

    offer = models.OneToOneField(ContractOffer, models.CASCADE, related_name="budget")
    amap_share_hundredths = models.PositiveIntegerField(_("part borne by this AMAP (%)"), default=10000)
    planned_equivalents_hundredths = models.PositiveIntegerField(_("shares planned"), default=0)

    def __str__(self):
        return f"{self.offer}"

    @property
    def total_cents(self):
        return sum(line.amount_cents for line in self.lines.all())


class FarmBudgetLine(models.Model):
    class Category(models.TextChoices):
        CHARGES = "charges", _("running costs")
        DEPRECIATION = "depreciation", _("depreciation")
        SOCIAL = "social", _("social contributions")
        WAGES = "wages", _("wages")
        INCOME = "income", _("farmer's income")

    budget = models.ForeignKey(FarmBudget, models.CASCADE, related_name="lines")
    category = models.CharField(_("kind of cost"), max_length=12, choices=Category)
    label = models.CharField(_("what for"), max_length=120)
    amount_cents = models.PositiveBigIntegerField(_("amount per year"))

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.label


class OfferAcceptance(models.Model):
    """One side's yes to one version, with what was read (BR-8). A commercial edit deletes it."""

    class Side(models.TextChoices):
        FARM = "farm", _("the farm")
        COMMITTEE = "committee", _("the committee")

    offer = models.ForeignKey(ContractOffer, models.CASCADE, related_name="acceptances")
    side = models.CharField(max_length=10, choices=Side)
    version = models.PositiveIntegerField()
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["offer", "side", "version"], name="acceptance_once")]

    def __str__(self):
        return f"{self.side} {self.version}"
