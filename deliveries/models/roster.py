"""Who holds the evening."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from amap.access import Role
from amap.models import Association, Farm, Household, User
from deliveries.models.distributions import Distribution

ROSTER_RUNNERS = (Role.COMMITTEE, Role.DISTRIBUTION_LEAD, Role.SECRETARY)


class ShiftRole(models.Model):
    """A job of the evening: how many people it needs, and without how many it cannot be done (BR-60). A role removed
    stays as it was on the evenings where somebody took it; coming ones no longer open it.
    """

    association = models.ForeignKey(Association, models.CASCADE, related_name="shift_roles")
    name = models.CharField(_("role"), max_length=60)
    needed = models.PositiveSmallIntegerField(_("people needed"), default=1)
    minimum = models.PositiveSmallIntegerField(_("at least"), default=1)
    is_lead = models.BooleanField(_("leads the evening"), default=False)
    farm = models.ForeignKey(
        Farm, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("only when this farm delivers")
    )
    instructions = models.TextField(_("what to do"), blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_removed = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["association", "name"], condition=Q(is_removed=False), name="shift_role_once"
            ),
            models.CheckConstraint(condition=Q(minimum__lte=F("needed")), name="shift_role_minimum_within_need"),
        ]

    def __str__(self):
        return self.name


class Shift(models.Model):
    """A role at a distribution. `taken` is kept by conditional updates and bounded by the database."""

    # From how long before the day a missing person is pointed out.
    HOLES_WITHIN = timedelta(days=10)

    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="shifts")
    role = models.ForeignKey(ShiftRole, models.PROTECT, related_name="shifts")
    needed = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["role__position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["distribution", "role"], name="shift_once"),
            models.CheckConstraint(condition=Q(taken__lte=F("needed")), name="shift_never_overfilled"),
        ]

    def __str__(self):
        return f"{self.role} {self.distribution}"


class ShiftAssignmentQuerySet(models.QuerySet):
    def manageable_by(self, standing):
        """A household's own, or any for those who run the roster."""
        if standing.has(*ROSTER_RUNNERS):
            return self
        return self.filter(household=standing.household_id)


class ShiftAssignment(models.Model):
    """A household on a shift (BR-62)."""

    class Status(models.TextChoices):
        CONFIRMED = "confirmed", _("coming")
        SWAP_REQUESTED = "swap_requested", _("looking for a replacement")
        REPLACED = "replaced", _("replaced")
        LEFT = "left", _("left in time")
        DONE = "done", _("done")
        NO_SHOW = "no_show", _("did not come")
        EXCUSED = "excused", _("excused")

    MOVES = {
        "confirmed": {"swap_requested", "left", "done", "no_show", "excused"},
        "swap_requested": {"confirmed", "replaced", "left", "done", "no_show", "excused"},
    }
    COMING = (Status.CONFIRMED, Status.SWAP_REQUESTED)
    HOLDS = (*COMING, Status.DONE, Status.NO_SHOW, Status.EXCUSED)

    association = models.ForeignKey(Association, models.CASCADE, related_name="shift_assignments")
    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="assignments", db_index=False)
    shift = models.ForeignKey(Shift, models.CASCADE, related_name="assignments")
    household = models.ForeignKey(Household, models.PROTECT, related_name="shift_assignments")
    volunteer = models.CharField(_("who comes"), max_length=100, blank=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=14, choices=Status, default=Status.CONFIRMED)
    taken_at = models.DateTimeField()

    objects = ShiftAssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["distribution", "household"],
                condition=Q(status__in=["confirmed", "swap_requested", "done", "no_show", "excused"]),
                name="one_shift_per_household_and_date",
            )
        ]

    def __str__(self):
        return f"{self.household} {self.shift}"
