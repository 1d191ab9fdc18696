"""Many people at once against a real web server: a database of its own, gunicorn's processes, plain HTTP.

    arena = Arena(place, new_template(place), seed="tests.test_races.last_places")
    answers = arena.rush(arena.story["calls"])  # arena.story: what the seed returned. All at the same
                                                # moment; a call is (session, path, fields)
    assert arena.ask("tests.test_races.places")["taken"] == 4200

Seeds and questions are functions without arguments that run in a child process, on the arena's database, and return
plain JSON. `unguarded="tests.test_races.without_guards"` starts a web server that calls this function first: the
negative control, which shows that the race would be lost without what protects us.
"""

import http.client
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
# Any value will do: the cookie and the field agree.
CSRF = "r" * 32


class Answer(NamedTuple):
    status: int
    location: str
    seconds: float


class Arena:
    """A server and its database. `story` is what the seed returned."""

    def __init__(self, place, template, seed, unguarded=""):
        self.environment = environment(place, new_database(place, template))
        self.story = self.ask(seed)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = place / "server.log"
        command = ["gunicorn", "tests.races:application", "--bind", f"127.0.0.1:{self.port}", "--no-control-socket"]
        command += ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--log-level", "warning"]
        self.server = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=self.environment | {"RACE_UNGUARDED": unguarded},
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait_until_it_listens()

    def _wait_until_it_listens(self):
        until = time.monotonic() + 60
        while self.server.poll() is None and time.monotonic() < until:
            try:
                # A whole answer: the first request loads the application.
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("GET", "/health/")
                connection.getresponse().read()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"The server did not start:\n{self.log.read_text()}")

    def rush(self, calls, kill_after=None):
        """Send all calls at the same moment; the answers in the order of the calls.

        With `kill_after` the whole server is killed (-9) once so many have been answered: None for the others.
        """
        answers, barrier = [None] * len(calls), threading.Barrier(len(calls))

        def send(number, session, path, fields):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            connection.connect()
            headers = {
                "Cookie": f"sessionid={session}; csrftoken={CSRF}",
                "X-CSRFToken": CSRF,
                "Content-Type": "application/x-www-form-urlencoded",
            }
            barrier.wait()
            start = time.monotonic()
            try:
                connection.request("POST", path, urlencode(fields, doseq=True), headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                if kill_after is None:
                    raise
                return
            answers[number] = Answer(answer.status, answer.getheader("Location", ""), time.monotonic() - start)
            connection.close()
            if kill_after and sum(map(bool, answers)) >= kill_after:
                with suppress(ProcessLookupError):
                    os.killpg(self.server.pid, signal.SIGKILL)

        threads = [threading.Thread(target=send, args=(number, *call)) for number, call in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def ask(self, function):
        """What a function answers in a process of its own, on the arena's database."""
        return in_child(self.environment, function)

    def leave(self):
        self.server.terminate()
        self.server.wait(30)


def environment(place, database):
    """A process's environment: the arena's database, the day of the tests."""
    from tests.cast import TODAY  # needs Django, which a child starts later

    return os.environ | {
        "DATABASE_URL": database,
        "AMAP_DATA": str(place),
        "AMAP_DEMO": "1",  # lets the clock stand on another day
        "AMAP_CLOCK_OFFSET_DAYS": str((TODAY - date.today()).days),
        "DJANGO_SETTINGS_MODULE": "amap.settings",
    }


def in_child(env, function):
    """What a function answers in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.races", function], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def empty_database(place):
    """The address of a database without tables."""
    address = _postgresql(f"races_{uuid4().hex}") or f"sqlite:///{place / 'races.sqlite3'}"
    _create(address)
    return address


def new_template(place):
    """The address of an empty, migrated database, to copy from."""
    address = empty_database(place)
    in_child(environment(place, address), "tests.races.migrate")
    return address


def new_database(place, template):
    """The address of a copy of the template."""
    address = _postgresql(f"race_{uuid4().hex}")
    if address:
        _create(address, f" TEMPLATE {urlsplit(template).path[1:]}")
        return address
    shutil.copy(urlsplit(template).path[1:], place / "race.sqlite3")
    return f"sqlite:///{place / 'race.sqlite3'}"


def _postgresql(name):
    """The address of a database of that name on the tests' PostgreSQL; empty on SQLite."""
    address = os.environ.get("DATABASE_URL", "")
    return urlunsplit(urlsplit(address)._replace(path=f"/{name}")) if address.startswith("postgres") else ""


def _create(address, extra=""):
    if not address.startswith("sqlite"):
        import psycopg

        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {urlsplit(address).path[1:]}{extra}")


def migrate():
    """In a child: make the tables; leave no journal beside the file, so that it can be copied."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA journal_mode=DELETE")


def session_of(user):
    """In a child: the key of a session in which the user is signed in."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "amap.accounts.StandingBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key


def _call(path):
    module, _dot, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)()


def application(*request):
    """The arena's web application; without its guards where that is asked for."""
    from django.conf import settings

    # Nobody collects static files here.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    from amap.wsgi import application as amap

    if name := os.environ.pop("RACE_UNGUARDED", ""):
        _call(name)
    return amap(*request)


if __name__ == "__main__":
    import django

    django.setup()
    answer = _call(sys.argv[1])
    sys.stdout.write(json.dumps(answer))
