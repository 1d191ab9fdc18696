from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from amap import backup
from amap.models import Association, Household, User


class Command(BaseCommand):
    help = "Puts a backup into this installation's database, which must be empty, and says what is in it."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *, file, **options):
        try:
            backup.restore(file)
        except backup.BackupFailed as error:
            raise CommandError(error) from error
        call_command("prepare")
        counts = {
            "associations": Association.objects.count(),
            "households": Household.objects.count(),
            "people": User.objects.count(),
        }
        self.stdout.write(f"Restored from {file.name}: {', '.join(f'{n} {what}' for what, n in counts.items())}.")
