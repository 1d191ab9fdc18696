"""Prints what pages, sign-ups and PDFs cost, as ratios. Run `bench_fill` before, in a database of its own."""

import subprocess
import sys
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from amap import clock
from amap.bench import meters, paper, reading
from amap.bench.pages import pages
from amap.models import Association
from contracts.actions import subscriptions
from contracts.models import ContractDocument, ContractOffer
from contracts.signing import Proposal


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
        self.sign_up(Association.objects.get(slug="small-1"))
        self.stdout.write("")
        for line in paper.figures(self.content, rounds):
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

    def sign_up(self, association):
        """P8: the sign-up beside the same statements through the bare driver; both rolled back."""
        offer = ContractOffer.objects.filter(association=association).order_by("-pk").first()
        signed = offer.subscriptions.values("household")
        household = association.households.exclude(pk__in=signed).first() or association.households.first()
        offer.subscriptions.filter(household=household).update(status="withdrawn")
        now = clock.now()
        proposal = Proposal(offer, now=now)
        choices = [(offer.sizes.get().pk, 1, "every")]
        quote = proposal.quote(choices)

        def sign():
            with transaction.atomic():
                subscriptions.sign(
                    offer,
                    household=household,
                    choices=choices,
                    instalment_count=max(proposal.plans(quote)),
                    method="cheque",
                    client_token=uuid4(),
                    name="Banc d'essai",
                    expected_total_cents=quote.total_cents,
                    by=None,
                    now=now,
                )
                self.content = ContractDocument.objects.order_by("-pk").values_list("content", flat=True)[0]
                transaction.set_rollback(True)

        seen = []

        def note(execute, sql, parameters, many, context):
            seen.append((sql, parameters))
            return execute(sql, parameters, many, context)

        with connection.execute_wrapper(note):
            sign()
        seen.pop()  # reading the content back is ours

        is_sqlite = connection.vendor == "sqlite"

        def bare():
            with transaction.atomic():
                cursor = connection.connection.cursor()
                for sql, parameters in seen:
                    if sql.startswith(("SAVEPOINT", "RELEASE", "BEGIN")):
                        continue
                    cursor.execute(sql.replace("%s", "?") if is_sqlite else sql, parameters or ())
                    if cursor.description:
                        cursor.fetchall()
                transaction.set_rollback(True)

        ms, ratio = meters.in_turn(sign, bare, self.rounds)
        statements = sum(not sql.startswith(("SAVEPOINT", "RELEASE", "BEGIN")) for sql, _parameters in seen)
        self.stdout.write(f"\nsign-up: {ms:.1f} ms, {ratio:.1f}× the bare driver, {statements} statements")

    def start(self):
        """P15: what starting costs, beside Django alone."""
        ours = _start(
            "import django; django.setup(); from django.core.management import call_command; call_command('check')"
        )
        bare = _start(
            "from django.conf import settings; settings.configure(INSTALLED_APPS=['django.contrib.contenttypes',"
            "'django.contrib.auth','django.contrib.sessions','django.contrib.messages','django.contrib.staticfiles'],"
            "DATABASES={'default':{'ENGINE':'django.db.backends.sqlite3','NAME':':memory:'}},ROOT_URLCONF=None);"
            "import django; django.setup(); from django.core.management import call_command; call_command('check')"
        )
        self.stdout.write(f"\nstart (check): {ours * 1000:.0f} ms, {ours / bare:.2f}× Django alone")


def _start(code):
    """The least CPU seconds of five starts of a fresh interpreter."""
    timed = f"import time\n{code}\nprint(time.process_time())"
    runs = [
        subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True, cwd=settings.BASE_DIR)
        for _run in range(5)
    ]
    return min(float(run.stdout.split()[-1]) for run in runs)
