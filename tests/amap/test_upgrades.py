"""The tables change when new files are put in place: whatever happens meanwhile, the next start ends it (R7)."""

import os
import random
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from tests.races import empty_database, environment, in_child
from tests.test_races import ROUNDS

pytestmark = [pytest.mark.race, pytest.mark.real_time, pytest.mark.timeout(300)]
STATEMENTS = 500  # fewer than it takes to make the tables


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_start_killed_while_the_tables_change_is_ended_by_the_next_one_r7(tmp_path, migrated, _round):
    whole = in_child(environment(tmp_path, migrated), "tests.amap.test_upgrades.shape")
    place = environment(tmp_path, empty_database(tmp_path))
    dies_at = random.randrange(1, STATEMENTS)  # noqa: S311
    first = subprocess.run(
        [sys.executable, "-m", "tests.races", "tests.amap.test_upgrades.migrate_and_die"],
        cwd=settings.BASE_DIR,
        env=place | {"DIES_AT": str(dies_at)},
        check=False,
    )
    assert first.returncode == -signal.SIGKILL
    again = [sys.executable, "manage.py", "prepare", "--only", "tables"]
    done = subprocess.run(again, cwd=settings.BASE_DIR, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"killed at statement {dies_at}: {done.stderr}"
    assert in_child(place, "tests.amap.test_upgrades.shape") == whole


def migrate_and_die():
    """In a child: kill -9 before the statement of that number."""
    left = int(os.environ["DIES_AT"])

    def count(execute, *statement):
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*statement)

    with connection.execute_wrapper(count):
        call_command("migrate", verbosity=0)
    return left


def shape():
    """In a child: the tables and columns, what guards them, and which migrations were made."""
    from django.db.migrations.recorder import MigrationRecorder

    guards = (
        "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION SELECT conname FROM pg_constraint"
        " UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
    )
    with connection.cursor() as cursor:
        cursor.execute(guards)
        names = sorted(name for (name,) in cursor.fetchall())
        tables = {
            table: [str(column[:6]) for column in connection.introspection.get_table_description(cursor, table)]
            for table in sorted(connection.introspection.table_names())
        }
    made = sorted(map(list, MigrationRecorder(connection).applied_migrations()))
    return {"tables": tables, "guards": names, "migrations": made}
