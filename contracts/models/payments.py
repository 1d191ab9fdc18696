"""What a household owes a farm, and the cheques that travel towards it. The association never holds this money
(BR-31).
"""

from datetime import timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from amap.models import Association, Due, Farm, Household, Member, User
from contracts.models.subscriptions import Subscription


class InstalmentQuerySet(models.QuerySet):
    def open(self):
        """Not final: money still expected or on its way."""
        return self.exclude(status__in=Instalment.FINAL)

    def awaited(self):
        """Nothing of it has been handed over or declared."""
        return self.filter(status=Instalment.Status.PLANNED)

    def overdue(self, today, grace_days):
        """Planned date + grace passed, and nobody has seen the money: announced or not (BR-41)."""
        late = self.filter(status__in=Instalment.UNSEEN)
        return late.filter(deposit_not_before__lt=today - timedelta(days=grace_days))

    def visible_to(self, standing):
        """The household's own; the farm's people; treasurer and committee see states (BR-5)."""
        if standing.runs_association:
            return self
        return self.filter(Q(household=standing.household_id) | Q(farm__in=standing.looked_after_farm_ids))

    def manageable_by(self, standing):
        """Who receives cheques, hands them over, gives them back: liaison of the farm, treasurer, committee (BR-38)."""
        if standing.is_committee or standing.is_treasurer:
            return self
        return self.filter(farm__in=standing.liaison_farm_ids)

    def declarable_by(self, standing):
        """Whose transfers one announces: one's own household's, and those it keeps of households without an account."""
        accounts = Member.objects.filter(household=OuterRef("household"), user__isnull=False)
        return self.filter(household=standing.household_id) | self.manageable_by(standing).filter(~Exists(accounts))

    def confirmable_by(self, standing, association):
        """Who says what reached the farm's account: the farm; the treasurer where the association wants it (BR-5)."""
        if standing.is_treasurer and association.treasurer_confirms_farm_payments:
            return self
        return self.filter(farm__in=standing.farm_ids)


class Instalment(Due):
    """A part of a subscription's price. The payee is the farm."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("awaited")
        RECEIVED = "received", _("received by the AMAP")
        HANDED_OVER = "handed_over", _("handed to the farm")
        CASHED = "cashed", _("cashed")
        DECLARED = "declared", _("transfer announced")
        CONFIRMED = "confirmed", _("arrived")
        REJECTED = "rejected", _("rejected by the bank")
        RETURNED = "returned", _("given back")
        CANCELLED = "cancelled", pgettext_lazy("payment", "cancelled")

    # BR-38. Backward arrows are corrections: they need a reason and undo the movement.
    MOVES = {
        "planned": {"received", "declared", "confirmed", "cancelled"},
        "received": {"handed_over", "returned", "planned"},
        "handed_over": {"cashed", "rejected", "received"},
        "cashed": {"rejected", "handed_over"},
        "rejected": {"handed_over", "cashed"},
        "declared": {"confirmed", "planned"},
        "confirmed": {"declared"},
        "returned": {"planned"},
    }
    # Neither the AMAP nor the farm holds anything of it: late once its day and the grace are past (BR-41).
    UNSEEN = (Status.PLANNED, Status.DECLARED)
    FINAL = (Status.CASHED, Status.CONFIRMED, Status.REJECTED, Status.RETURNED, Status.CANCELLED)
    # What turns the third key (BR-21).
    HANDED_IN = (Status.RECEIVED, Status.HANDED_OVER, Status.CASHED, Status.DECLARED, Status.CONFIRMED)
    # What counts towards the price.
    COUNTS = (Status.PLANNED, *HANDED_IN)

    association = models.ForeignKey(Association, models.CASCADE, related_name="instalments", db_index=False)
    farm = models.ForeignKey(Farm, models.PROTECT, related_name="instalments", db_index=False)
    household = models.ForeignKey(Household, models.PROTECT, related_name="instalments", db_index=False)
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="instalments", db_index=False)
    number = models.PositiveSmallIntegerField()
    deposit_not_before = models.DateField(_("cashed from"))
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNED)
    reference = models.CharField(_("reference"), max_length=40)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")

    objects = InstalmentQuerySet.as_manager()

    class Meta:
        ordering = ["subscription_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "number"], name="instalment_number_once"),
            models.UniqueConstraint(fields=["association", "reference"], name="instalment_reference_once"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="instalment_is_something"),
        ]
        indexes = [
            # Carries all that the sums of an association need (contracts/ledger.py).
            models.Index(
                fields=["association", "status", "deposit_not_before", "farm", "amount_cents"], name="instalment_sums"
            ),
            models.Index(fields=["farm", "association", "status"], name="instalment_farm"),
            models.Index(fields=["household", "association", "farm"], name="instalment_household"),
        ]

    def __str__(self):
        return self.reference


class DepositBatchQuerySet(models.QuerySet):
    def visible_to(self, standing):
        """The farm, its liaisons, treasurer and committee."""
        if standing.is_committee or standing.is_treasurer:
            return self
        return self.filter(farm__in=standing.looked_after_farm_ids)


class DepositBatch(models.Model):
    """Cheques handed to one farm on one day, with their printed slip. Never changed afterwards (BR-39)."""

    association = models.ForeignKey(Association, models.CASCADE, related_name="deposit_batches")
    farm = models.ForeignKey(Farm, models.PROTECT, related_name="deposit_batches")
    number = models.PositiveIntegerField()
    handed_over_on = models.DateField()
    cheques_count = models.PositiveIntegerField()
    total_cents = models.PositiveBigIntegerField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = DepositBatchQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["association", "number"], name="batch_number_once")]

    def __str__(self):
        return f"{self.number}"


class Cheque(models.Model):
    """A cheque received for an instalment: dated the day it was written, cashed from the agreed day (BR-35).

    Void, it no longer stands for its instalment: given back, or recorded by mistake. It stays on the slip it was on.
    """

    instalment = models.ForeignKey(Instalment, models.PROTECT, related_name="cheques")
    bank = models.CharField(_("bank"), max_length=60, blank=True)
    number = models.CharField(_("number"), max_length=20)
    drawer = models.CharField(_("written by"), max_length=100)
    amount_cents = models.PositiveBigIntegerField(_("amount"))
    issued_on = models.DateField(_("dated"))
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    batch = models.ForeignKey(DepositBatch, models.PROTECT, null=True, blank=True, related_name="cheques")
    is_void = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["instalment"], condition=Q(is_void=False), name="one_cheque_at_a_time_per_instalment"
            )
        ]

    def __str__(self):
        return self.number
