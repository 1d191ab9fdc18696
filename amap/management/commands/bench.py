"""Prints what pages, sign-ups and PDFs cost, as ratios. Run `bench_fill` before, in a database of its own."""

import subprocess
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from amap import clock
from amap.bench import meters, paper, reading, signing
from amap.bench.pages import pages
from amap.models import Association


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--rounds", type=int, default=21)

    def handle(self, *, rounds, **options):
        if not Association.objects.filter(slug="large").exists():
            raise CommandError("Nothing to measure on. First: ./run manage bench_fill, in a database of its own.")
        self.rounds = rounds
        self.stdout.write(f"{connection.vendor}, {rounds} rounds in turn; CPU of this process, medians.")
        with meters.bench_site():
            for slug in ("small-1", "large"):
                self.pages(Association.objects.get(slug=slug))
        ms, ratio, statements, content = signing.figures(rounds)
        self.stdout.write(f"\nsign-up: {ms:.1f} ms, {ratio:.1f}× the bare driver, {statements} statements\n")
        for line in paper.figures(content, rounds):
            self.stdout.write(line)
        if connection.vendor == "sqlite":
            ms, ratio = reading.while_writing(Association.objects.get(slug="large"))
            self.stdout.write(f"\nreads while another process writes: p95 {ms:.2f} ms, {ratio:.1f}× in peace")
        self.start()

    def pages(self, association):
        floor = f"/{association.slug}/floor/"
        count = association.households.count()
        self.stdout.write(
            f"\n{association.slug}: {count} households\n{'page':42} {'ms':>7} {'floor':>6} {'queries':>8}"
        )
        rows = [(f"member@{association.slug}.example.org", "floor", floor), *pages(association, clock.today())]
        for email, route, url in rows:
            client = meters.signed_in(email)
            ms, ratio = meters.against_floor(client, url, floor, self.rounds)
            name = f"{email.partition('@')[0]} {route}"
            self.stdout.write(f"{name:42} {ms:7.1f} {ratio:5.1f}× {meters.queries(client, url):8}")

    def start(self):
        """P15: what starting costs, beside Django with our models, without our pages and the apps they need."""
        ms, ratio = meters.in_turn(CHECK, WITHOUT_PAGES + CHECK, self.rounds, cost=_start)
        self.stdout.write(f"\nstart (check): {ms:.0f} ms, {ratio:.2f}× Django and our models alone")


CHECK = "import django; django.setup(); from django.core.management import call_command; call_command('check')\n"
WITHOUT_PAGES = """
from django.conf import settings
settings.INSTALLED_APPS = [
    app for app in settings.INSTALLED_APPS if app in ("amap", "contracts", "deliveries") or app.startswith("django.")
]
settings.MIDDLEWARE, settings.ROOT_URLCONF = [], None
"""


def _start(code):
    """The CPU seconds of a fresh interpreter that runs that code."""
    code = f"{code}import time; print(time.process_time())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=settings.BASE_DIR
    )
    return float(done.stdout.split()[-1])
