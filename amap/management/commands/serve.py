"""Web server and worker under one roof: what dies or falls silent starts again, what stops leaves nothing behind."""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.tasks import async_task

from amap import health

DEATHS_A_MINUTE = 5
STOP_WITHIN = 25
LOOK_AT_WORKER_EVERY = 15
MANAGE = str(settings.BASE_DIR / "manage.py")


def die_with_parent():
    """On Linux, a child is told to stop when the supervisor is killed; elsewhere the next start ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def kill_group(pid):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


class Child:
    """One main process in a session of its own: its children can then be ended with it."""

    def __init__(self, name, *argv):
        self.name = name
        self.argv = [sys.executable, *argv]
        self.deaths = deque(maxlen=DEATHS_A_MINUTE)

    def start(self):
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.argv,
            cwd=settings.BASE_DIR,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 — the supervisor has no threads
            stdin=subprocess.DEVNULL,
        )

    @property
    def is_dead(self):
        return self.process.poll() is not None

    def ran_for(self):
        return time.monotonic() - self.started

    def restart(self):
        """Starts it again, without what its dead main process left. False after five deaths within a minute."""
        self.deaths.append(time.monotonic())
        kill_group(self.process.pid)
        self.process.wait()
        if len(self.deaths) == DEATHS_A_MINUTE and self.deaths[-1] - self.deaths[0] < 60:
            return False
        self.start()
        return True


class Command(BaseCommand):
    help = "Serves: prepares the installation, then runs the web server and the worker until stopped."

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--web-workers", type=int, default=1, help="processes of eight threads each")

    def handle(self, *, host, port, web_workers, **options):
        if settings.SECRET_KEY == settings.INSECURE_KEY and not (settings.DEMO or settings.DEBUG):
            raise CommandError(
                "AMAP_SECRET_KEY is not set. Set it, once, to what this prints: "
                'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
            )
        # Held until this process ends, however it ends: one supervisor for one data folder.
        lock = (settings.DATA_DIR / "serve.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(f"Another ./run is already serving from {settings.DATA_DIR}.") from error
        self.pids = settings.DATA_DIR / "serve.pids"
        self.end_left_overs()
        self.refuse_taken_port(host, port)
        self.prepare()
        async_task("amap.duties.tick")  # the first sign of life at once: the schedule takes half a minute
        connection.close()
        self.supervise(host, port, web_workers)

    def prepare(self):
        """Tables (and the demo's year) here, static files beside: on a first start both take their time."""
        static = subprocess.Popen([sys.executable, MANAGE, "prepare", "--only=static"], preexec_fn=die_with_parent)  # noqa: PLW1509
        call_command("prepare", only="tables")
        if settings.DEMO:
            call_command("demo")
        if static.wait():
            raise CommandError("The static files could not be collected.")

    def refuse_taken_port(self, host, port):
        try:
            socket.create_server((host, port)).close()
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used ({error.strerror}). Try --port {port + 1}") from error

    def end_left_overs(self):
        """Ends what a supervisor that was killed together with a main process could not end."""
        if not self.pids.exists():
            return
        for pid in json.loads(self.pids.read_text() or "{}").values():
            for status in Path("/proc").glob("[0-9]*/stat"):
                try:
                    group = int(status.read_text().rpartition(")")[2].split()[2])
                    is_ours = str(settings.BASE_DIR).encode() in (status.parent / "cmdline").read_bytes()
                except (OSError, ValueError):
                    continue
                if group == pid and is_ours:
                    kill_group(pid)
                    break
        self.pids.unlink()

    def supervise(self, host, port, web_workers):
        web = Child(
            "web server",
            *("-m", "gunicorn", "amap.wsgi", "--bind", f"{host}:{port}", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", str(web_workers), "--threads", "8"),
            *("--timeout", "60", "--graceful-timeout", "15", "--log-level", "warning"),
            *("--limit-request-line", "8190"),  # a sign-up on its way holds a whole grid in its address
        )
        worker = Child("worker", MANAGE, "qcluster")
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.stop)
        try:
            for child in (web, worker):
                child.start()
            self.note(web, worker)
            self.greet(web, host, port)
            self.watch(web, worker)
        finally:
            self.end(web, worker)

    def stop(self, *_):
        self.stopping = True

    def note(self, *children):
        self.pids.write_text(json.dumps({child.name: child.process.pid for child in children}))

    def greet(self, web, host, port):
        """Waits for the web server to take connections, then says where to go."""
        while not (self.stopping or web.is_dead):
            try:
                socket.create_connection((host, port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            return
        page = f"http://localhost:{port}/demo/" if settings.DEMO else settings.SITE_URL
        self.stdout.write(self.style.SUCCESS(f"\nReady: open {page} in a browser. Ctrl-C stops.\n"))
        self.stdout.flush()

    def watch(self, web, worker):
        looked = time.monotonic()
        while not self.stopping:
            time.sleep(0.5)
            for child in (web, worker):
                if child.is_dead:
                    self.begin_again(child, f"ended (code {child.process.returncode})", web, worker)
            if time.monotonic() - looked > LOOK_AT_WORKER_EVERY:
                looked = time.monotonic()
                if self.is_silent(worker):
                    self.begin_again(worker, "is silent", web, worker)

    def begin_again(self, child, why, *children):
        self.stderr.write(f"The {child.name} {why}; starting it again.")
        if not child.restart():
            raise CommandError(f"The {child.name} ended {DEATHS_A_MINUTE} times within a minute; giving up.")
        self.note(*children)

    def is_silent(self, worker):
        """Alive but without a heartbeat for three minutes: one killed helper can freeze the whole cluster."""
        limit = health.SILENT_AFTER.total_seconds()
        if worker.ran_for() < limit:
            return False
        try:
            age = health.worker_age(timezone.now())
        except DatabaseError:
            return False
        finally:
            connection.close()
        return age is None or age > limit

    def end(self, *children):
        """SIGTERM to the main processes only: a worker whose helpers get it too hangs. Then whatever is left."""
        running = [child for child in children if hasattr(child, "process")]
        for child in running:
            if not child.is_dead:
                child.process.terminate()
        until = time.monotonic() + STOP_WITHIN
        for child in running:
            try:
                child.process.wait(max(0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.stderr.write(f"The {child.name} did not stop in {STOP_WITHIN} s; killed.")
            kill_group(child.process.pid)
        self.pids.unlink(missing_ok=True)
