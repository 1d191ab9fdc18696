from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from amap import backup


class Command(BaseCommand):
    help = "Writes a checked copy of the database into the data folder's backups, and removes old ones."

    def handle(self, **options):
        try:
            file = backup.write(timezone.now())
        except backup.BackupFailed as error:
            raise CommandError(error) from error
        self.stdout.write(f"Written and checked: {file} ({file.stat().st_size / 1e6:.1f} MB)")
        for old in backup.rotate():
            self.stdout.write(f"Removed, no longer needed: {old.name}")
