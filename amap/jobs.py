"""Work done outside the request. A `Job` row commits or vanishes with its cause; the queue only says "run job N".

The row counts its starts *before* working, so that a job that kills its worker is given up like any other, and shown
to the committee. Jobs are idempotent: a worker may die between the work and the word "done".
"""

import inspect
import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils.module_loading import import_string
from django_q.tasks import async_task

from amap import clock
from amap.models import Job

STARTS = 3
BACKOFF = timedelta(minutes=5)
KEPT = timedelta(days=40)

logger = logging.getLogger(__name__)


def enqueue(kind, *, key, now, association=None, **arguments):
    """Ask the worker to call `kind` (a dotted path) with the arguments (plain JSON), and `now` if it asks for it.

    The same key is enqueued once, ever. Returns the Job. Safe inside a transaction: the queue lives in the same
    database.
    """
    job, is_new = Job.objects.get_or_create(
        key=key[:150],
        defaults={
            "kind": kind,
            "arguments": arguments,
            "association": association,
            "created_at": now,
            "next_try_at": now,
        },
    )
    if is_new:
        async_task("amap.jobs.run", job.pk)
    return job


def run(job_id):
    """Do one job, if it is its turn and nobody else is doing it."""
    now = clock.now()
    turn = Job.objects.filter(
        pk=job_id, status__in=[Job.Status.WAITING, Job.Status.RUNNING], next_try_at__lte=now, starts__lt=STARTS
    )
    # The lease: nobody else takes the job before `next_try_at`, later after each failure.
    if not turn.update(status=Job.Status.RUNNING, starts=F("starts") + 1, next_try_at=now + BACKOFF * 2):
        return
    job = Job.objects.get(pk=job_id)
    work = import_string(job.kind)
    arguments = dict(job.arguments)
    if "now" in inspect.signature(work).parameters:
        arguments["now"] = now
    try:
        work(**arguments)
    except Exception as error:
        # The one place that catches everything: a job's failure is a row somebody will see, not a dead worker.
        logger.exception("Job %s (%s) failed", job.pk, job.kind)
        Job.objects.filter(pk=job_id).update(
            status=Job.Status.PARKED if job.starts >= STARTS else Job.Status.WAITING,
            next_try_at=now + BACKOFF * 3 ** (job.starts - 1),
            error=f"{type(error).__name__}: {error}"[:500],
        )
    else:
        Job.objects.filter(pk=job_id).update(status=Job.Status.DONE, progress=100, finished_at=now, error="")


def sweep(now):
    """Hand out again whatever is due and lost its place in the queue; give up what started too often. Called every
    minute.
    """
    open_jobs = Job.objects.filter(status__in=[Job.Status.WAITING, Job.Status.RUNNING], next_try_at__lte=now)
    open_jobs.filter(starts__gte=STARTS).update(status=Job.Status.PARKED)
    # Fresh ones are in the queue already; a minute later they are late.
    late = open_jobs.filter(starts__lt=STARTS, next_try_at__lte=now - timedelta(minutes=1))
    for pk in late.values_list("pk", flat=True)[:200]:
        with transaction.atomic():
            async_task("amap.jobs.run", pk)


def forget(now):
    """Delete the rows of work done long ago. Daily."""
    Job.objects.filter(status=Job.Status.DONE, finished_at__lt=now - KEPT).delete()
