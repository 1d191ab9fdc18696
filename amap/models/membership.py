"""Membership of a period, and its fee (BR-2 to BR-4). The payee is the association."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from amap.models.people import Association, Household, User


class MembershipPeriod(models.Model):
    """A membership year and its fee: the AMAP's part and the network's."""

    association = models.ForeignKey(Association, models.CASCADE, related_name="periods")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    amap_part_cents = models.PositiveIntegerField(_("part of the AMAP"))
    network_part_cents = models.PositiveIntegerField(_("part of the network"), default=0)

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["association", "starts_on"], name="period_once"),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="period_ends_after_it_starts",
                violation_error_message=_("The end precedes the start."),
            ),
        ]

    def __str__(self):
        return f"{self.starts_on:%d/%m/%Y} – {self.ends_on:%d/%m/%Y}"

    @property
    def fee_cents(self):
        return self.amap_part_cents + self.network_part_cents


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
        ordering = ["household__name"]
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
