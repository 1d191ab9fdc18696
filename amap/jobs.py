"""Work done outside the request. A `Job` row commits or vanishes with its cause; the queue only says "run job N".

The row counts its starts *before* working, so that a job that kills its worker is given up like any other, and shown
to the committee. Jobs are idempotent: a worker may die between the work and the word "done".
"""

import inspect
import json
import logging
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.module_loading import import_string
from django_q.tasks import async_task

from amap import clock
from amap.errors import Refused
from amap.models import Job

STARTS = 3
BACKOFF = timedelta(minutes=5)
KEPT = timedelta(days=40)
PAPERS_KEPT = timedelta(days=1)
# Beyond so many rows a paper is made by the worker: its reader waits on a page of its own.
MOST_AT_ONCE = 150

logger = logging.getLogger(__name__)


def enqueue(kind, *, key, now, association=None, **arguments):
    """Ask the worker to call `kind` (a dotted path) with the arguments (plain JSON), and `now` if it asks for it.

    The same key is enqueued once, ever. Returns the Job. Safe inside a transaction: the queue lives in the same
    database.
    """
    return _enqueue(key, kind=kind, arguments=arguments, association=association, created_at=now, next_try_at=now)


def ask(kind, *, title, by, association, now, url="", **arguments):
    """The same for somebody who waits for it on the page `amap:work` of the Job returned.

    The work may ask for `by` too, speaks their language, and answers a PDF or leaves what it did at `url`.
    What it refuses in words is an answer. Asked twice within a minute, it is done once.
    """
    asked = json.dumps([kind, by.pk, association.pk, arguments, f"{now:%Y%m%d%H%M}"], sort_keys=True)
    return _enqueue(
        f"asked:{sha256(asked.encode()).hexdigest()}",
        kind=kind,
        arguments=arguments,
        association=association,
        created_at=now,
        next_try_at=now,
        by=by,
        title=title[:100],
        url=url,
    )


def _enqueue(key, **columns):
    job, is_new = Job.objects.get_or_create(key=key[:150], defaults=columns)
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
    job = Job.objects.select_related("by").get(pk=job_id)
    try:
        end = {"status": Job.Status.DONE, "finished_at": now, "error": ""} | _work(job, now)
    except Exception as error:
        # The one place that catches everything: a job's failure is a row somebody will see, not a dead worker.
        logger.exception("Job %s (%s) failed", job.pk, job.kind)
        end = {
            "status": Job.Status.PARKED if job.starts >= STARTS else Job.Status.WAITING,
            "next_try_at": now + BACKOFF * 3 ** (job.starts - 1),
            "error": f"{type(error).__name__}: {error}"[:500],
        }
    Job.objects.filter(pk=job_id).update(**end)


def _work(job, now):
    """Do what a job says; returns what its row tells of it."""
    work = import_string(job.kind)
    wanted = inspect.signature(work).parameters
    known = {name: value for name, value in (("now", now), ("by", job.by)) if name in wanted}
    try:
        with translation.override(job.by.language if job.by else settings.LANGUAGE_CODE):
            made = work(**job.arguments, **known)
    except Refused as refused:
        if job.by is None:
            raise
        return {"error": str(refused)[:500]}
    return {"pdf": made} if job.by else {}


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
    """Delete the rows of work done long ago, and what somebody waited for a day later. Daily."""
    done = Job.objects.filter(status=Job.Status.DONE)
    done.filter(finished_at__lt=now - KEPT).delete()
    done.exclude(by=None).filter(finished_at__lt=now - PAPERS_KEPT).delete()
