"""What reading costs while another process writes (P11): on SQLite readers wait for nobody."""

import subprocess
import sys
import time
from statistics import quantiles

from django.conf import settings

from contracts.models import Instalment

SECONDS = 5
# Twenty lines of the log in a transaction, again and again, until it is told to stop.
WRITES = """
import django; django.setup()
from django.db import transaction
from amap import clock
from amap.models import AuditEntry
while True:
    with transaction.atomic():
        AuditEntry.objects.bulk_create(
            AuditEntry(association_id={association}, at=clock.now(), verb="bench.write", about="x", about_id=1)
            for _line in range(20)
        )
"""


def while_writing(association):
    """(p95 in milliseconds of a household's payments while another process writes, ratio to the p95 in peace)."""
    _reads(association, 1)
    idle = _reads(association, SECONDS)
    code = WRITES.format(association=association.pk)
    with subprocess.Popen([sys.executable, "-c", code], cwd=settings.BASE_DIR) as writer:
        try:
            time.sleep(3)
            busy = _reads(association, SECONDS)
        finally:
            writer.kill()
    return busy, busy / idle


def _reads(association, seconds):
    household = association.households.first()
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        list(Instalment.objects.filter(household=household).values_list("pk", "amount_cents")[:40])
        took.append((time.perf_counter() - started) * 1000)
        time.sleep(0.002)
    return quantiles(took, n=20)[-1]
