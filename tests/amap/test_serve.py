"""The supervisor, with its real children: what dies comes back, what stops leaves nothing behind (R11)."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from django.conf import settings


def wait_for(what, seconds=100):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what.__name__} did not happen in {seconds} s")


def is_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def serving(tmp_path):
    """`manage.py serve` on a free port with a data folder of its own: the process, its folder and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"AMAP_DATA": str(tmp_path), "AMAP_SECRET_KEY": "c" * 60}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    supervisor = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stderr=subprocess.DEVNULL)
    yield supervisor, tmp_path, f"http://127.0.0.1:{port}/health/", (command, environment)
    supervisor.terminate()
    supervisor.wait(60)


@pytest.mark.real_time
@pytest.mark.skipif("os.environ.get('TEST_DATABASE') == 'postgresql'", reason="the same children on either database")
def test_web_and_worker_live_die_and_end_together(serving):
    supervisor, data, address, (command, environment) = serving

    def children():
        file = data / "serve.pids"
        return file.exists() and json.loads(file.read_text() or "null")

    def is_well():
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
                return json.load(answer)["well"]
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass

    wait_for(is_well)
    first = children()

    second = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "already serving" in second.stderr

    os.kill(first["worker"], signal.SIGKILL)

    def is_back():
        return children()["worker"] != first["worker"]

    wait_for(is_back)
    wait_for(lambda: not is_alive(first["worker"]))
    last = children()
    assert last["web server"] == first["web server"]

    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert not any(map(is_alive, last.values()))
    assert not (data / "serve.pids").exists()
