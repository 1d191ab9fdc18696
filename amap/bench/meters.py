"""The meters: CPU in turn with the floor, queries, Python calls."""

import cProfile
import gc
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
    return calls_of(lambda: _get(client, url))


def calls_of(work):
    """How many Python calls a function without arguments makes."""
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    return pstats.Stats(profile).total_calls


def against_floor(client, url, floor, rounds):
    """(median milliseconds, median ratio to the floor), page and floor in turn."""
    return in_turn(lambda: _get(client, url), lambda: _get(client, floor), rounds)


def cpu(work):
    """Seconds of CPU of this process that a function without arguments takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def in_turn(work, yardstick, rounds, *, cost=cpu):
    """(median milliseconds of `work`, median ratio to `yardstick`): the `cost` of both in turn, `rounds` times."""
    cost(work)
    cost(yardstick)
    # What is in memory already is not searched for garbage again at the expense of one of the two.
    gc.collect()
    gc.freeze()
    pairs = [(cost(work), cost(yardstick)) for _round in range(rounds)]
    gc.unfreeze()
    return median(one for one, _other in pairs) * 1000, median(one / other for one, other in pairs)


def _get(client, url):
    answer = client.get(url)
    if answer.status_code != 200:
        raise ValueError(f"{url}: {answer.status_code}")
