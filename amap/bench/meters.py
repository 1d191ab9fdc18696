"""The meters: CPU in turn with the floor, queries, Python calls."""

import cProfile
import pstats
import time
from contextlib import contextmanager
from statistics import median

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from amap.models import User


@contextmanager
def bench_site():
    """The site with its floor, answering to the test client."""
    hosts = [*settings.ALLOWED_HOSTS, "testserver"]
    with override_settings(ROOT_URLCONF="amap.bench.urls", ALLOWED_HOSTS=hosts, SECURE_SSL_REDIRECT=False):
        yield


def signed_in(email):
    """A client signed in as that account."""
    client = Client(headers={"accept-language": "fr"})
    client.force_login(User.objects.get(email=email))
    return client


def queries(client, url):
    """How many queries a page makes once warm."""
    _get(client, url)
    with CaptureQueriesContext(connection) as seen:
        _get(client, url)
    return len(seen)


def calls(client, url):
    """How many Python calls a page makes once warm: the same at every try."""
    _get(client, url)
    profile = cProfile.Profile()
    profile.enable()
    _get(client, url)
    profile.disable()
    return pstats.Stats(profile).total_calls


def cpu(client, url):
    """Seconds of CPU of one request in this process."""
    started = time.process_time()
    _get(client, url)
    return time.process_time() - started


def against_floor(client, url, floor, rounds):
    """(median milliseconds, median ratio to the floor), page and floor in turn."""
    _get(client, url)
    _get(client, floor)
    pairs = [(cpu(client, url), cpu(client, floor)) for _round in range(rounds)]
    return median(page for page, _floor in pairs) * 1000, median(page / base for page, base in pairs)


def in_turn(work, yardstick, rounds):
    """(median milliseconds of `work`, median ratio to `yardstick`) in CPU time; both are functions without
    arguments."""
    work()
    yardstick()
    pairs = [(_cpu_of(work), _cpu_of(yardstick)) for _round in range(rounds)]
    return median(one for one, _other in pairs) * 1000, median(one / other for one, other in pairs)


def _cpu_of(work):
    started = time.process_time()
    work()
    return time.process_time() - started


def _get(client, url):
    answer = client.get(url)
    if answer.status_code != 200:
        raise ValueError(f"{url}: {answer.status_code}")
