"""Membership of a period, and its fee (BR-2 to BR-4). The payee is the association."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from amap.models.people import Association, Household, User
from amap.names import Alphabetical


class MembershipPeriod(models.Model):
    """A membership year and its fee: the AMAP's part and the network's, the whole of it by default (BR-3).

    An association may ask less of those who join from a day on, and may let everybody pay what they can from a least
    amount on.
    """

    association = models.ForeignKey(Association, models.CASCADE, related_name="periods")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    amap_part_cents = models.PositiveIntegerField(_("part of the AMAP"))
    network_part_cents = models.PositiveIntegerField(_("part of the network"), default=0)
    reduced_from = models.DateField(_("reduced for those who join from"), null=True, blank=True)
    reduced_percent = models.PositiveSmallIntegerField(_("percent of the fee they pay"), default=50)
    free_minimum_cents = models.PositiveIntegerField(_("pay what you can, at least"), null=True, blank=True)

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["association", "starts_on"], name="period_once"),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="period_ends_after_it_starts",
                violation_error_message=_("The end precedes the start."),
            ),
            models.CheckConstraint(
                condition=Q(reduced_percent__range=(1, 99)) & ~Q(free_minimum_cents=0), name="period_fee_is_something"
            ),
        ]

    def __str__(self):
        return f"{self.starts_on:%d/%m/%Y} – {self.ends_on:%d/%m/%Y}"

    @property
    def fee_cents(self):
        return self.amap_part_cents + self.network_part_cents

    @property
    def reduced_cents(self):
        """The fee of those who join late; None where everybody pays the whole."""
        return (self.fee_cents * self.reduced_percent + 50) // 100 if self.reduced_from else None

    @property
    def least_cents(self):
        """The least that can be recorded as a fee."""
        least = self.reduced_cents if self.free_minimum_cents is None else self.free_minimum_cents
        return self.fee_cents if least is None else least

    def fee_on(self, joined_on):
        """The fee to propose to a household that joined on that day."""
        return self.reduced_cents if self.reduced_from and joined_on >= self.reduced_from else self.fee_cents

    def fee_within(self, cents):
        """How much of an amount is the fee; None when it is too little. The rest is a donation."""
        if cents < self.least_cents:
            return None
        if self.free_minimum_cents is not None:
            return cents
        return self.fee_cents if cents >= self.fee_cents else self.reduced_cents

    def parts(self, fee_cents):
        """(the AMAP's part, the network's) of a fee; a smaller fee is smaller for both (BR-4)."""
        network = min(self.network_part_cents, self.network_part_cents * fee_cents // (self.fee_cents or 1))
        return fee_cents - network, network


class MembershipQuerySet(models.QuerySet):
    def paid(self):
        return self.filter(status=Membership.Status.PAID)

    def covering(self, day):
        """Paid memberships whose period covers the date (BR-2)."""
        return self.paid().filter(period__starts_on__lte=day, period__ends_on__gte=day)


class Membership(models.Model):
    """One household in one period. Its parts add up to the total, to the cent (BR-4)."""

    class Status(models.TextChoices):
        PENDING = "pending", _("fee awaited")
        PAID = "paid", _("paid")
        CANCELLED = "cancelled", _("cancelled")

    MOVES = {"pending": {"paid", "cancelled"}, "paid": {"cancelled"}, "cancelled": {"pending"}}

    class Method(models.TextChoices):
        CHEQUE = "cheque", _("cheque")
        TRANSFER = "transfer", _("bank transfer")
        CASH = "cash", _("cash")

    association = models.ForeignKey(Association, models.CASCADE, related_name="memberships")
    period = models.ForeignKey(MembershipPeriod, models.PROTECT, related_name="memberships")
    household = models.ForeignKey(Household, models.PROTECT, related_name="memberships")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    amap_cents = models.PositiveIntegerField(_("part of the AMAP"))
    network_cents = models.PositiveIntegerField(_("part of the network"))
    donation_cents = models.PositiveIntegerField(_("donation to the association"), default=0)
    solidarity_cents = models.PositiveIntegerField(_("donation to the solidarity fund"), default=0)
    total_cents = models.PositiveIntegerField(_("total"))
    method = models.CharField(_("paid by"), max_length=10, choices=Method, blank=True)
    reference = models.CharField(_("reference"), max_length=60, blank=True)
    paid_on = models.DateField(_("paid on"), null=True, blank=True)
    recorded_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = [Alphabetical("household__name")]
        constraints = [
            models.UniqueConstraint(fields=["period", "household"], name="membership_once_a_period"),
            models.CheckConstraint(
                condition=Q(
                    total_cents=F("amap_cents") + F("network_cents") + F("donation_cents") + F("solidarity_cents")
                ),
                name="membership_parts_add_up",
            ),
        ]

    def __str__(self):
        return f"{self.household} {self.period}"
