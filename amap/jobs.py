"""Work done outside the request. A `Job` row commits or vanishes with its cause; the queue only says "run job N"."""

from django_q.tasks import async_task

from amap.models import Job


def enqueue(kind, *, key, now, association=None, **arguments):
    """Ask the worker to call `kind` (a dotted path) with the arguments (plain JSON). The same key is enqueued once, ever.

    Returns the Job. Safe inside a transaction: the queue's row lives in the same database.
    """
    job, is_new = Job.objects.get_or_create(
        key=key,
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
