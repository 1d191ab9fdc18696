"""The disk is full, or can only be read; the power goes (R24, R3b). SQLite, whose files are ours to look after."""

import random
import sqlite3
from contextlib import closing

import pytest
from django.db import connection
from django.test import Client

from contracts.models import Cheque
from tests.cast import TODAY, Amap
from tests.contracts.test_payments import books_add_up, signed
from tests.races import Arena

pytestmark = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks after its own files")


def pragma(text):
    with connection.cursor() as cursor:
        return (cursor.execute(f"PRAGMA {text}").fetchone() or [None])[0]


@pytest.fixture(params=["full", "read-only"])
def broken_disk(request, transactional_db):
    """break() and mend(): not a page more may be written, or none at all."""
    if request.param == "full":
        most = pragma("max_page_count")
        yield lambda: pragma(f"max_page_count = {pragma('page_count')}"), lambda: pragma(f"max_page_count = {most}")
        pragma(f"max_page_count = {most}")
    else:
        yield lambda: pragma("query_only = ON"), lambda: pragma("query_only = OFF")
        pragma("query_only = OFF")


def test_a_full_or_read_only_disk_is_told_loses_nothing_and_is_over_when_there_is_room_again_r24(broken_disk):
    amap = Amap()
    offer = amap.offer(capacity_hundredths=100_00)
    families = [signed(amap, amap.new_household(f"F{n}"), offer=offer).instalments.all() for n in range(60)]
    client = Client(raise_request_exception=False)
    client.force_login(amap.liaison)

    def receive(family):
        household = family[0].household_id
        numbers = {f"number-{one.pk}": f"{1000000 + one.pk}" for one in family}
        shared = {f"bank-{household}": "B" * 60, f"drawer-{household}": "Un Foyer", f"dated-{household}": TODAY}
        return client.post(f"/belombre/payments/receive/?farm={amap.farm.slug}", numbers | shared)

    break_it, mend_it = broken_disk
    break_it()
    answers = []
    for family in families:
        answers.append(receive(family))
        if answers[-1].status_code != 302:
            break
    *taken, refused = answers
    assert refused.status_code == 500
    assert "nothing was half done" in refused.content.decode()
    assert client.get("/belombre/payments/").status_code == 200, "What is there can still be read."
    assert Cheque.objects.count() == 3 * len(taken)
    assert books_add_up() == []
    assert pragma("integrity_check") == "ok"

    mend_it()
    assert receive(families[len(taken)]).status_code == 302
    assert Cheque.objects.count() == 3 * len(answers)
    assert books_add_up() == []


CUTS = 20
# SQLite's journal: a header, then frames of a page each; from so many on it is copied into the file and begun again.
HEADER, FRAME, CHECKPOINT = 32, 24 + 4096, 1000


@pytest.mark.race
@pytest.mark.real_time
@pytest.mark.timeout(300)
def test_a_power_cut_leaves_whole_contracts_and_all_that_was_on_the_disk_r3b(tmp_path, migrated):
    """The server is killed while people sign, and its journal cut and torn wherever the disk may have been.

    What was answered is before the cut: every commit waits for the disk (`synchronous=FULL`).
    """
    arena = Arena(tmp_path, migrated, seed="tests.test_races.last_places")
    assert arena.ask("tests.test_disk.promises") == ["wal", 2]
    answers = [answer for answer in arena.rush(arena.story["calls"], kill_after=8) if answer]
    file = tmp_path / "race.sqlite3"
    journal = file.with_name(f"{file.name}-wal").read_bytes()
    assert len(journal) < HEADER + CHECKPOINT * FRAME, "Cut anywhere, the journal goes with the file."
    untouched = file.read_bytes()

    def after(journal):
        """What whoever starts the machine again finds: the contracts, in the order of their signatures."""
        cut = tmp_path / "cut.sqlite3"
        cut.write_bytes(untouched)
        cut.with_name("cut.sqlite3-wal").write_bytes(journal)
        with closing(sqlite3.connect(cut)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
            signed = [pk for (pk,) in database.execute("SELECT id FROM contracts_subscription ORDER BY id")]
            for parts in (
                "contracts_subscriptionline",
                "contracts_instalment",
                "contracts_signature",
                "contracts_contractdocument",
                "amap_movement",
            ):
                assert database.execute(f"SELECT count(*) FROM {parts}").fetchone() == (len(signed),), parts  # noqa: S608
            taken = database.execute("SELECT taken_hundredths FROM contracts_contractoffer").fetchone()
            assert taken == (2200 + 100 * len(signed),)
        return signed

    everything = after(journal)
    told = {int(answer.location.split("/")[3]) for answer in answers if "/subscriptions/" in answer.location}
    assert told
    assert told <= set(everything)
    left = []
    for cut in random.sample(range(HEADER, len(journal)), CUTS):
        signed = after(journal[:cut] + random.randbytes(random.choice([0, 100, FRAME])))  # noqa: S311
        assert signed == everything[: len(signed)]
        left.append(len(signed))
    assert min(left) < len(everything)


def promises():
    """In a child: the journal, and whether a commit waits for the disk."""
    return [pragma("journal_mode"), pragma("synchronous")]
