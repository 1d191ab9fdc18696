import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django_q.models import Schedule

from amap import backup


class Command(BaseCommand):
    help = "Makes the installation ready to serve: tables (after a backup), schedule, static files."

    def add_arguments(self, parser):
        parser.add_argument("--only", choices=("tables", "static"), help="one half, to run both at once")

    def handle(self, *, only=None, **options):
        if only != "static":
            self.tables()
        if only != "tables":
            self.collect()

    def tables(self):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            if executor.loader.applied_migrations:
                written = backup.write(timezone.now())
                self.stdout.write(f"Before the tables change, a backup: {written}")
            call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        self.schedule()
        self.check(databases=["default"])

    def schedule(self):
        """The queue's only schedule: one tick a minute, from which amap.duties does everything else."""
        Schedule.objects.exclude(name="tick").delete()
        tick = {"func": "amap.duties.tick", "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
        Schedule.objects.update_or_create(name="tick", defaults=tick | {"next_run": timezone.now()})

    def collect(self):
        """Collects the static files when one of them has changed: it costs seconds, so not at every start."""
        seen = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
        for finder in get_finders():
            for path, storage in finder.list(None):
                seen.update(f"{path} {storage.size(path)} {storage.get_modified_time(path)}\n".encode())
        stamp = settings.STATIC_ROOT / ".stamp"
        if not stamp.exists() or stamp.read_text() != seen.hexdigest():
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            stamp.write_text(seen.hexdigest())
