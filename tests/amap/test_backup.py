"""Backup and restore (R6): a copy is whole, goes back only into an empty place, and old copies are removed."""

import gzip
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from amap import backup
from tests.cast import Amap

NIGHT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def elsewhere(tmp_path):
    """An empty installation of the same kind of database: its environment, and how to read its rows."""
    place = tmp_path / "elsewhere"
    here = connection.settings_dict
    if connection.vendor == "sqlite":
        yield {"AMAP_DATA": str(place)}, lambda: sqlite3.connect(place / "amap.sqlite3")
        return
    name = f"{here['NAME']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    url = f"postgresql://{here['USER']}:{here['PASSWORD']}@/{name}?host={here['HOST']}"
    yield {"AMAP_DATA": str(place), "DATABASE_URL": url}, lambda: psycopg.connect(url)
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}"')


def here():
    place = connection.settings_dict
    if connection.vendor == "sqlite":
        return sqlite3.connect(place["NAME"])
    return psycopg.connect(host=place["HOST"], user=place["USER"], dbname=place["NAME"])


def rows(database, tables):
    with closing(database):
        return {table: sorted(map(repr, database.execute(f'SELECT * FROM "{table}"').fetchall())) for table in tables}  # noqa: S608


def restore(file, environment):
    return subprocess.run(
        [sys.executable, "manage.py", "restore", str(file)],
        cwd=settings.BASE_DIR, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_copy_restored_elsewhere_holds_the_same_rows_r6(elsewhere):
    Amap()
    Amap("voisine", "AMAP voisine")
    environment, there = elsewhere
    # The schedule of the queue is made anew wherever the software runs.
    tables = set(connection.introspection.table_names()) - {"django_q_schedule"}
    done = restore(backup.write(NIGHT), environment)
    assert done.returncode == 0, done.stderr
    assert "2 associations" in done.stdout
    assert rows(there(), tables) == rows(here(), tables)


def test_a_restore_never_overwrites(data):
    file = backup.write(NIGHT)
    with pytest.raises(CommandError, match="not empty"):
        call_command("restore", file)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="pg_restore does its own checks")
def test_a_damaged_copy_is_refused_and_leaves_the_place_empty(tmp_path, elsewhere):
    whole = backup.write(NIGHT)
    content = bytearray(gzip.decompress(whole.read_bytes()))
    content[8192 : len(content) // 2] = bytes(len(content) // 2 - 8192)
    cut_short, packed_wrong = whole.read_bytes()[:5000], bytearray(gzip.compress(content))
    packed_wrong[10] = 0xFF  # no such kind of block
    environment, _ = elsewhere
    for damaged, words in (
        (gzip.compress(content), r"(\S+ is not a database\.|\S+ does not pass SQLite's check: .*)"),
        (cut_short, r"damaged-\S+ is damaged\."),
        (packed_wrong, r"damaged-\S+ is damaged\."),
    ):
        file = tmp_path / f"damaged-{whole.name}"
        file.write_bytes(damaged)
        done = restore(file, environment)
        assert done.returncode == 1
        assert re.fullmatch(f"CommandError: {words}\n", done.stderr, re.DOTALL)
    assert restore(whole, environment).returncode == 0


def test_the_backup_command_says_what_it_wrote(data, capsys):
    call_command("backup")
    (file,) = (data / "backups").iterdir()
    assert f"Written and checked: {file}" in capsys.readouterr().out
    assert file.stat().st_mode & 0o077 == 0


def test_old_copies_go_but_one_of_each_month_stays(data):
    folder = data / "backups"
    folder.mkdir(parents=True)
    days = [datetime(2026, month, day, tzinfo=UTC) for month in range(1, 12) for day in range(1, 29)]
    for day in days:
        (folder / f"amap-{day:%Y-%m-%d-%H%M%S}.pgdump").touch()
    removed = backup.rotate()
    kept = sorted(file.name[5:15] for file in folder.iterdir())
    latest = [f"2026-11-{day}" for day in range(15, 29)]
    assert kept == [f"2026-{month:02}-28" for month in range(1, 11)] + latest
    assert len(removed) == len(days) - len(kept)
