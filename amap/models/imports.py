"""Lists brought in from spreadsheets: what the file said while it waits, and what was made of it afterwards."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from amap.models.people import Association, User


class ImportQuerySet(models.QuerySet):
    def visible_to(self, standing):
        """The committee sees all; the secretary the lists of households in which no fees are read (BR-5)."""
        if standing.is_committee:
            return self
        if "secretary" not in standing.seats:
            return self.none()
        return self.filter(models.Q(options__period__isnull=True) | models.Q(options__period=""), kind="households")


class Import(models.Model):
    """One file on its way in. Nothing is written before the confirmation; it can be undone while nothing depends on it.

    `sheets` is the file as read, [{"name", "rows"}], days as `2026-11-21`; it is forgotten once confirmed. `columns`
    says what each column means, "" for those left out. `options` are the answers asked beside the file, as typed.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("to be checked")
        DONE = "done", _("brought in")
        UNDONE = "undone", _("undone")

    MOVES = {"draft": {"done"}, "done": {"undone"}}

    association = models.ForeignKey(Association, models.CASCADE, related_name="imports")
    kind = models.CharField(max_length=20)
    status = models.CharField(max_length=6, choices=Status, default=Status.DRAFT)
    file_name = models.CharField(max_length=100)
    sheets = models.JSONField(default=list)
    sheet = models.PositiveSmallIntegerField(default=0)
    heading_line = models.PositiveIntegerField(default=1)
    columns = models.JSONField(default=list)
    options = models.JSONField(default=dict)
    new_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self):
        return self.file_name


class ImportedRow(models.Model):
    """A row an import made or changed, with its values before and after: what undoing needs."""

    batch = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    about = models.CharField(max_length=40)
    about_id = models.PositiveBigIntegerField()
    is_new = models.BooleanField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return f"{self.about} {self.about_id}"
