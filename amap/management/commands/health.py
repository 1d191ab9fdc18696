from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from amap import clock, health


class Command(BaseCommand):
    help = "Says whether the database, the worker and the letters are well; fails if one is not."
    requires_system_checks: list[str] = []

    def handle(self, **options):
        findings = health.findings(now=clock.now(), machine_now=timezone.now())
        for finding in findings:
            self.stdout.write(f"{'well' if finding.is_well else 'NOT WELL':<8} {finding.name}: {finding.says}")
        if not all(finding.is_well for finding in findings):
            raise CommandError("Something is not well.")
