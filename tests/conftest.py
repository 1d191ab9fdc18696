"""What every test stands on: quick hashes, letters in memory, no way out to the network, short transactions."""

import socket

import pytest
import time_machine
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import override_settings
from django.utils import translation

from amap import pdf
from tests.cast import NOW
from tests.races import new_template

LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0", None, ""}  # noqa: S104

IN_MEMORY = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}

_for_tests = override_settings(
    LANGUAGE_CODE="en",  # the words in the code; what is said in French, tests ask for in French
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    CACHES={name: IN_MEMORY | {"LOCATION": name} for name in ("default", "q")},
    STORAGES={
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
)


def pytest_configure():
    _for_tests.enable()


def pytest_unconfigure():
    _for_tests.disable()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, tmp_path_factory):
    """SQLite's tests run on a file, as people do: in memory, locks and write-ahead behave differently."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "tests.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _guards_rest_while_tables_are_emptied():
    """Money and audit rows cannot be deleted; between tests that commit, they must be."""
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def unguarded_flush(self, statements):
        if connection.vendor == "postgresql":
            return flush(self, ["SET LOCAL session_replication_role = replica", *statements])
        with connection.cursor() as cursor:
            guards = cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        drops = [f"DROP TRIGGER {name}" for name, _ in guards]
        return flush(self, [*drops, *statements, *(sql for _, sql in guards)])

    operations.execute_sql_flush = unguarded_flush
    yield
    operations.execute_sql_flush = flush


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """The address of an empty database with its tables, which `tests.races` copies for each server it starts."""
    return new_template(tmp_path_factory.mktemp("migrated"))


@pytest.fixture(autouse=True)
def _one_day(request):
    """It is the same morning whenever the tests are run; `real_time` for those in which other processes take part."""
    if request.node.get_closest_marker("real_time"):
        yield
    else:
        with time_machine.travel(NOW):
            yield


@pytest.fixture(autouse=True)
def _nothing_left_over():
    """Neither what the last test counted nor the language its last reader spoke."""
    cache.clear()
    translation.deactivate()


@pytest.fixture(autouse=True, scope="session")
def _no_way_out():
    """Only this machine may be called: whatever else is tried fails the test."""
    connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self, address):
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise AssertionError(f"A test tried to reach {address[0]}.")
        return connect(self, address)

    def guarded_getaddrinfo(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in LOOPBACK:
            raise AssertionError(f"A test tried to look up {name}.")
        return getaddrinfo(host, *args, **kwargs)

    socket.socket.connect, socket.getaddrinfo = guarded_connect, guarded_getaddrinfo
    yield
    socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo


def in_transaction() -> bool:
    """Whether our code has a transaction open; the one a test itself runs in does not count."""
    return any(not block._from_testcase for block in connection.atomic_blocks)


@pytest.fixture(autouse=True)
def _nothing_slow_in_a_transaction(monkeypatch):
    """Letters leave and PDFs are made outside transactions: they would hold locks for seconds."""
    send, render = EmailMessage.send, pdf.render

    def guarded_send(self, *args, **kwargs):
        assert not in_transaction(), "An e-mail was sent inside a transaction."
        return send(self, *args, **kwargs)

    def guarded_render(*args, **kwargs):
        assert not in_transaction(), "A PDF was made inside a transaction."
        return render(*args, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", guarded_send)
    monkeypatch.setattr(pdf, "render", guarded_render)
