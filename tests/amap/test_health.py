"""The health page: 200 only when the database, the worker and the letters are well."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from amap import clock
from amap.models import Heartbeat, Letter

pytestmark = pytest.mark.django_db


def beat(seconds_ago=0):
    Heartbeat.objects.create(name="worker", at=timezone.now() - timedelta(seconds=seconds_ago))


def letter(waiting, status=Letter.Status.QUEUED):
    now = clock.now()
    Letter.objects.create(
        key="a",
        kind="invitation",
        to="a@example.org",
        language="fr",
        status=status,
        created_at=now,
        send_after=now - waiting,
    )


def test_all_is_well(client, django_assert_max_num_queries):
    beat(5)
    letter(timedelta(minutes=9))
    with django_assert_max_num_queries(2):
        answer = client.get("/health/")
    assert answer.status_code == 200
    assert answer.json()["well"] is True
    assert answer.json()["database"] == "The database answers."


@pytest.mark.parametrize(("seconds", "status"), [(170, 200), (190, 503)])
def test_a_silent_worker_is_not_well(client, seconds, status):
    beat(seconds)
    answer = client.get("/health/")
    assert answer.status_code == status
    assert answer.json()["worker"].startswith("The worker was last heard ")


def test_a_worker_that_never_beat_is_not_well(client):
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json()["worker"] == "The worker has not given a sign of life yet."


@pytest.mark.parametrize(
    ("status", "expected"),
    [(Letter.Status.QUEUED, 503), (Letter.Status.SENDING, 503), (Letter.Status.SENT, 200), (Letter.Status.FAILED, 200)],
)
def test_letters_that_wait_too_long_are_not_well(client, status, expected):
    beat()
    letter(timedelta(minutes=11), status)
    assert client.get("/health/").status_code == expected


def test_a_database_that_does_not_answer_is_said_so(client, monkeypatch):
    def refuse():
        raise DatabaseError("gone")

    monkeypatch.setattr(connection, "ensure_connection", refuse)
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json() == {"well": False, "database": "The database does not answer: DatabaseError."}


def test_the_command_says_the_same(capsys):
    with pytest.raises(CommandError):
        call_command("health")
    assert "NOT WELL worker: The worker has not" in capsys.readouterr().out
    beat()
    call_command("health")
    assert "NOT WELL" not in capsys.readouterr().out
