"""Money is integer cents. We record obligations and facts; we never hold a euro.

Two books that never mix (BR-31): what households owe a *farm*, and what they owe the *association*.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from amap.models.people import Association, Farm, User


class Due(models.Model):
    """An amount a household owes to exactly one payee. Subclasses say for what, and who that payee is."""

    class Method(models.TextChoices):
        CHEQUE = "cheque", _("cheque")
        TRANSFER = "transfer", _("bank transfer")

    amount_cents = models.PositiveBigIntegerField(_("amount"))
    method = models.CharField(_("paid by"), max_length=12, choices=Method)

    class Meta:
        abstract = True


class MovementQuerySet(models.QuerySet):
    def balance(self, account):
        """Σ debit − Σ credit of an account, in cents."""
        sums = self.filter(Q(debit=account) | Q(credit=account)).aggregate(
            debit=models.Sum("amount_cents", filter=Q(debit=account), default=0),
            credit=models.Sum("amount_cents", filter=Q(credit=account), default=0),
        )
        return sums["debit"] - sums["credit"]


class Movement(models.Model):
    """One balanced fact: so many cents from one account to another, in one book. Append-only by trigger; undone by
    its reverse.

    `farm` says whose book it is; empty, it is the association's. Accounts are short strings made by code
    (reliability.md §2.3): `due:42` is what subscription 42 owes, `cheques_held:7` the cheques held for farm 7.
    """

    association = models.ForeignKey(Association, models.PROTECT, related_name="movements")
    farm = models.ForeignKey(Farm, models.PROTECT, null=True, blank=True, related_name="movements")
    key = models.CharField(max_length=100, unique=True)
    debit = models.CharField(max_length=60)
    credit = models.CharField(max_length=60)
    amount_cents = models.PositiveBigIntegerField()
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")
    reason = models.CharField(max_length=200, blank=True)

    objects = MovementQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["association", "debit"], name="movement_debit"),
            models.Index(fields=["association", "credit"], name="movement_credit"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="movement_moves_something"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="movement_between_two_accounts"),
        ]

    def __str__(self):
        return f"{self.debit} ← {self.credit}: {self.amount_cents}"
