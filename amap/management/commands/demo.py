from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from amap import clock
from amap.demo import year
from amap.models import Association


class Command(BaseCommand):
    help = "Fills an empty database with the demonstration's year. Done already, it changes nothing."

    def handle(self, **options):
        if not settings.DEMO:
            raise CommandError("This is not a demo (AMAP_DEMO is off): its database is left alone.")
        if Association.objects.filter(is_demo=True).exists():
            return
        if Association.objects.exists():
            raise CommandError("This database holds a real association: the demo does not touch it.")
        today = clock.today()
        # A day that was asked for within the written year is that day; else the season moves by whole weeks.
        is_within = (
            settings.CLOCK_FILE.exists() and year.REFERENCE.replace(year=2026, month=4) <= today <= year.LAST_DAY
        )
        weeks = 0 if is_within else (today - year.REFERENCE).days // 7
        self.stdout.write("Living a year in an AMAP …")
        with transaction.atomic():
            year.Year(today, weeks).live()
