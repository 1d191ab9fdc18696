from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from amap import clock
from amap.bench.fill import fill
from amap.models import Association


class Command(BaseCommand):
    help = "Makes associations to measure on: one of 1,000 households, and a hundred of 60. In an empty database only."

    def add_arguments(self, parser):
        parser.add_argument("--households", type=int, default=1000, help="households of the large one")
        parser.add_argument("--small", type=int, default=100, help="how many associations of 60 households")

    def handle(self, *, households, small, **options):
        if Association.objects.exists():
            raise CommandError("This database is not empty. Measure in one of your own: AMAP_DATA=/tmp/bench.")
        now = clock.now()
        with transaction.atomic():
            fill("large", households=households, farms=10, contracts=3, deliveries=50, now=now)
            for number in range(1, small + 1):
                fill(f"small-{number}", households=60, farms=5, contracts=5, deliveries=50, now=now)
        self.stdout.write(f"Made one association of {households} households and {small} of 60.")
