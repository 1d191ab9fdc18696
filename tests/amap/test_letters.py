"""Letters: none lost, none twice, one digest per reader and day (BR-75)."""

import smtplib
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from amap import jobs, letters
from amap.models import Job, Letter
from tests.cast import NOW, PARIS, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


def write(amap, key, **how):
    return letters.post(
        "shift_replaced",
        association=amap.association,
        to=amap.household,
        key=key,
        now=how.pop("now", NOW),
        **how,
    )


def worker(moment):
    """What the worker does in the minute of that moment."""
    with time_machine.travel(moment, tick=False):
        letters.send_waiting(moment)
        for pk in list(Job.objects.filter(status="waiting").values_list("pk", flat=True)):
            jobs.run(pk)


class Refusing(EmailBackend):
    """A server that answers what it is told to, then works."""

    answers: list = []

    def send_messages(self, messages):
        if self.answers:
            raise self.answers.pop(0)
        return super().send_messages(messages)


@pytest.fixture
def server(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    Refusing.answers = []
    return Refusing.answers


def test_the_same_event_writes_once_to_a_reader(amap):
    write(amap, "one")
    write(amap, "one")
    assert Letter.objects.count() == 1


def test_an_urgent_letter_leaves_at_once_and_only_once(amap):
    write(amap, "one", is_urgent=True)
    worker(NOW)
    worker(NOW)
    assert [message.to for message in mail.outbox] == [[amap.member.email]]


def test_one_digest_a_day_whatever_comes_after_it(amap):
    half_past_twelve = datetime(2026, 11, 21, 12, 30, tzinfo=PARIS)
    write(amap, "one")
    write(amap, "two")
    worker(NOW)
    assert mail.outbox == []
    worker(half_past_twelve)
    assert len(mail.outbox) == 1
    write(amap, "three", now=half_past_twelve + timedelta(minutes=5))
    worker(half_past_twelve + timedelta(hours=3))
    assert len(mail.outbox) == 1
    assert Letter.objects.get(key__startswith="three").send_after == half_past_twelve + timedelta(days=1)


@pytest.mark.parametrize("answer", [smtplib.SMTPResponseException(451, "later"), ConnectionRefusedError("no")])
def test_a_refusal_is_tried_again_later(amap, server, answer):
    server.append(answer)
    write(amap, "one", is_urgent=True)
    worker(NOW)
    assert Letter.objects.get().status == "queued"
    worker(NOW + timedelta(minutes=6))
    assert (Letter.objects.get().status, len(mail.outbox)) == ("sent", 1)


def test_a_broken_line_is_never_sent_twice_by_itself(amap, server):
    server.append(smtplib.SMTPServerDisconnected("gone"))
    write(amap, "one", is_urgent=True)
    worker(NOW)
    worker(NOW + timedelta(days=1))
    assert (Letter.objects.get().status, mail.outbox) == ("unknown", [])


def test_a_letter_the_worker_died_with_is_shown_not_repeated(amap):
    write(amap, "one", is_urgent=True)
    Letter.objects.update(status="sending", claimed_at=NOW - timedelta(minutes=11))
    worker(NOW)
    assert (Letter.objects.get().status, mail.outbox) == ("unknown", [])


def test_one_poisoned_letter_does_not_stop_the_others(amap):
    write(amap, "one", is_urgent=True)
    Letter.objects.create(
        association=amap.association, key="bad", kind="shift_replaced", to="x@example.org\r\nBcc: y@example.org",
        language="fr", is_urgent=True, created_at=NOW, send_after=NOW - timedelta(hours=1),
    )  # fmt: skip
    worker(NOW)
    assert [message.to for message in mail.outbox] == [[amap.member.email]]


DONE = []


def good(now):
    DONE.append(now)


def bad():
    raise ZeroDivisionError("always")


def start_again(job):
    Job.objects.filter(pk=job.pk).update(next_try_at=NOW - timedelta(days=1))
    jobs.run(job.pk)
    job.refresh_from_db()


def test_a_job_is_done_once():
    DONE.clear()
    job = jobs.enqueue(f"{__name__}.good", key="k", now=NOW - timedelta(days=1))
    assert jobs.enqueue(f"{__name__}.good", key="k", now=NOW) == job
    start_again(job)
    start_again(job)
    assert (len(DONE), job.status) == (1, "done")


def test_a_job_that_always_fails_is_given_up_after_three_starts():
    job = jobs.enqueue(f"{__name__}.bad", key="k", now=NOW)
    for _turn in range(5):
        start_again(job)
    assert (job.status, job.starts) == ("parked", 3)
    assert "ZeroDivisionError: always" in job.error


def test_a_job_that_kills_its_worker_is_given_up_by_the_sweep():
    job = jobs.enqueue(f"{__name__}.good", key="k", now=NOW)
    Job.objects.filter(pk=job.pk).update(status="running", starts=3)
    jobs.sweep(NOW + timedelta(hours=1))
    job.refresh_from_db()
    assert job.status == "parked"
