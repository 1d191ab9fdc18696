"""What is written down for later: deeds, letters, jobs, and the worker's pulse."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from amap.models.people import Association, Language, User


class AuditEntry(models.Model):
    """Who did what to which row, when and why (BR-75). Append-only by trigger."""

    association = models.ForeignKey(Association, models.PROTECT, null=True, related_name="audit_entries")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=60)
    about = models.CharField(max_length=40)
    about_id = models.PositiveBigIntegerField()
    before = models.CharField(max_length=40, blank=True)
    after = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["about", "about_id"], name="audit_about")]

    def __str__(self):
        return f"{self.verb} {self.about} {self.about_id}"


class Letter(models.Model):
    """One piece of news for one reader: a row before it is an e-mail, unique per event and reader.

    Urgent letters leave alone and at once; the others are gathered into one digest per reader and day (BR-75).
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("perhaps sent")
        FAILED = "failed", _("not sent")
        SETTLED = "settled", _("settled otherwise")

    # Somebody's decision; the rest of a letter's way is the worker's (amap/letters.py).
    MOVES = {"failed": {"queued", "settled"}, "unknown": {"queued", "settled"}}

    association = models.ForeignKey(Association, models.CASCADE, null=True, related_name="letters")
    key = models.CharField(max_length=150, unique=True)
    kind = models.CharField(max_length=40)
    to = models.EmailField()
    language = models.CharField(max_length=2, choices=Language)
    context = models.JSONField(default=dict)
    is_urgent = models.BooleanField(default=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    created_at = models.DateTimeField()
    send_after = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    digest_on = models.DateField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["send_after"], name="letter_waiting", condition=models.Q(status__in=["queued", "sending"])
            ),
            models.Index(fields=["to", "digest_on"], name="letter_digest"),
        ]

    def __str__(self):
        return f"{self.kind} → {self.to}"


class Job(models.Model):
    """Work for the worker. The queue only says "run job N"; this row counts its starts before working and gives up
    after a few.

    `by`: who asked for it and waits on its page, under its `title`; what comes of it is the `pdf`, or stands at `url`.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        PARKED = "parked", _("given up")
        SETTLED = "settled", _("settled otherwise")

    # Somebody's decision; the rest of a job's way is the worker's (amap/jobs.py).
    MOVES = {"parked": {"waiting", "settled"}}

    association = models.ForeignKey(Association, models.CASCADE, null=True, related_name="jobs")
    key = models.CharField(max_length=150, unique=True)
    kind = models.CharField(max_length=60)
    arguments = models.JSONField(default=dict)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    starts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    title = models.CharField(max_length=100, blank=True)
    url = models.CharField(max_length=200, blank=True)
    pdf = models.BinaryField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["next_try_at"], name="job_waiting", condition=models.Q(status__in=["waiting", "running"])
            )
        ]

    def __str__(self):
        return f"{self.kind} {self.key}"

    @property
    def is_over(self):
        return self.status not in (self.Status.WAITING, self.Status.RUNNING)

    @property
    def is_done(self):
        """Did it do what was asked?"""
        return self.status == self.Status.DONE and not self.error


class Heartbeat(models.Model):
    """The last sign of life of a part of the machinery (machine time, not the demo's)."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self):
        return self.name
