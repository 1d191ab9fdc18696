"""Copies of the whole database: made while everybody works, checked, kept for a while, put back into an empty place."""

import gzip
import os
import shutil
import sqlite3
import subprocess
import zlib
from contextlib import closing
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

KEEP_LATEST = 14
KEEP_MONTHS = 12


class BackupFailed(Exception):
    """The copy could not be made or put back; the message says why and what to do."""


def folder() -> Path:
    return settings.DATA_DIR / "backups"


def write(now: datetime) -> Path:
    """A checked copy of the database as it is at this instant; returns the file.

    SQLite: VACUUM INTO, the only safe way beside its backup API to copy a database in use. PostgreSQL: pg_dump.
    """
    folder().mkdir(parents=True, exist_ok=True)
    suffix = "sqlite3.gz" if connection.vendor == "sqlite" else "pgdump"
    target = folder() / f"amap-{now:%Y-%m-%d-%H%M%S}.{suffix}"
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        if connection.vendor == "sqlite":
            _copy_sqlite(unfinished)
        else:
            _run("pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}")
            _run("pg_restore", "--list", str(unfinished))
        unfinished.chmod(0o600)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def nightly() -> None:
    """The daily duty: a copy, then out with the old ones."""
    write(timezone.now())
    rotate()


def rotate() -> list[Path]:
    """Removes old copies: the latest fourteen stay, and the last one of each of the latest twelve months."""
    files = sorted(folder().glob("amap-*"), reverse=True)
    last_of_month = {}
    for file in files:
        last_of_month.setdefault(file.name[: len("amap-2026-11")], file)
    kept = {*files[:KEEP_LATEST], *list(last_of_month.values())[:KEEP_MONTHS]}
    old = [file for file in files if file not in kept]
    for file in old:
        file.unlink()
    return old


def restore(source: Path) -> None:
    """Puts a copy into the database of this installation, which must be empty."""
    if connection.introspection.table_names():
        raise BackupFailed(
            "The database is not empty, and a restore never overwrites. Point AMAP_DATA or DATABASE_URL to an empty "
            "place, restore there, look at it, then serve from it."
        )
    if not source.is_file():
        raise BackupFailed(f"{source} is not a file.")
    is_sqlite = source.name.endswith(".sqlite3.gz")
    if is_sqlite != (connection.vendor == "sqlite"):
        raise BackupFailed(f"{source.name} is a copy of the other kind of database.")
    if is_sqlite:
        place = Path(connection.settings_dict["NAME"])
        arriving = place.with_name(f".{place.name}.arriving")
        try:
            with gzip.open(source) as packed, arriving.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            _check_sqlite(arriving)
            connection.close()
            for left_over in ("", "-wal", "-shm"):
                place.with_name(place.name + left_over).unlink(missing_ok=True)
            os.replace(arriving, place)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise BackupFailed(f"{source.name} is damaged.") from error
        finally:
            arriving.unlink(missing_ok=True)
    else:
        name = connection.settings_dict["NAME"]
        _run("pg_restore", "--no-owner", "--single-transaction", f"--dbname={name}", str(source))


def _copy_sqlite(target: Path):
    plain = target.with_name(f"{target.name}.plain")
    plain.unlink(missing_ok=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(plain)])
        _check_sqlite(plain)
        with plain.open("rb") as unpacked, gzip.open(target, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(unpacked, packed)
    finally:
        plain.unlink(missing_ok=True)


def _check_sqlite(file: Path):
    try:
        with closing(sqlite3.connect(file)) as copy:
            verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
            orphan = copy.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"{file.name} is not a database.") from error
    if verdict != "ok" or orphan:
        raise BackupFailed(f"{file.name} does not pass SQLite's check: {orphan or verdict}")


def _run(program: str, *arguments: str):
    """One of PostgreSQL's programs on our database; the password goes through the environment, not the process list."""
    if not shutil.which(program):
        raise BackupFailed(f"{program} is missing. Install it with: sudo apt-get install postgresql-client")
    place = connection.settings_dict
    known = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = os.environ | {name: str(place[key]) for name, key in known.items() if place[key]}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupFailed(f"{program} failed: {done.stderr.strip()[-500:]}")
