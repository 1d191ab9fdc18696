"""The money engine: balanced, append-only, each event once (reliability.md §2.3, R2 and R3)."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from amap.actions import money
from amap.models import AuditEntry, Movement
from tests.cast import NOW, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


def facts(amap, **changes):
    return {
        "association": amap.association,
        "farm": amap.farm,
        "key": "cheque:1:received",
        "debit": f"cheques_held:{amap.farm.pk}",
        "credit": "due:1",
        "amount_cents": 2804,
        "effective_on": date(2026, 11, 21),
        "by": amap.treasurer,
        "now": NOW,
    } | changes


def test_a_movement_is_written_once_under_its_key(amap):
    first = money.record(**facts(amap))
    assert money.record(**facts(amap)) == first
    assert Movement.objects.count() == 1
    assert Movement.objects.balance("due:1") == -2804
    assert Movement.objects.balance(f"cheques_held:{amap.farm.pk}") == 2804


def test_a_known_key_with_another_amount_is_refused(amap):
    money.record(**facts(amap))
    with pytest.raises(ValueError, match="another content"):
        money.record(**facts(amap, amount_cents=2805))
    with pytest.raises(ValueError, match="another content"):
        money.record_all([money.movement(**facts(amap, amount_cents=2805))])


def test_many_movements_are_written_in_two_statements_and_only_once(amap, django_assert_num_queries):
    many = [money.movement(**facts(amap, key=f"cheque:{n}:received", credit=f"due:{n}")) for n in range(60)]
    with django_assert_num_queries(4):  # with its savepoint
        money.record_all(many)
    money.record_all([money.movement(**facts(amap, key=f"cheque:{n}:received", credit=f"due:{n}")) for n in range(61)])
    assert Movement.objects.count() == 61


def test_a_reversal_mirrors_a_movement_once(amap):
    movement = money.record(**facts(amap))
    mirror = money.reverse(movement, by=amap.treasurer, now=NOW, reason="wrong household")
    assert money.reverse(movement, by=amap.treasurer, now=NOW, reason="again") == mirror
    assert (mirror.debit, mirror.credit, mirror.reverses) == (movement.credit, movement.debit, movement)
    assert Movement.objects.balance("due:1") == 0


def test_an_event_undone_and_done_again_gets_the_next_key_of_its_line(amap):
    event = "cheque:1:received"
    assert money.keys([event]) == {event: event}
    first = money.record(**facts(amap))
    assert money.keys([event]) == {event: event}
    assert money.standing([event]) == {event: first}
    money.reverse(first, by=None, now=NOW, reason="error")
    assert money.standing([event]) == {}
    assert money.keys([event]) == {event: f"{event}:2"}
    second = money.record(**facts(amap, key=f"{event}:2"))
    assert money.standing([event]) == {event: second}
    money.reverse_all([second], by=None, now=NOW, reason="error")
    assert money.keys([event]) == {event: f"{event}:3"}


def test_br31_the_two_books_never_mix(amap):
    with pytest.raises(ValueError, match="book"):
        money.record(**facts(amap, credit="fees"))
    with pytest.raises(ValueError, match="book"):
        money.record(**facts(amap, farm=None))
    fee = money.record(**facts(amap, farm=None, key="fee:1", debit="bank", credit="fees"))
    assert fee.farm is None


@pytest.mark.parametrize(
    "wrong", [{"amount_cents": 0}, {"amount_cents": -1}, {"credit": "cheques_held:1", "debit": "cheques_held:1"}]
)
def test_the_database_refuses_a_movement_that_moves_nothing(amap, wrong):
    with pytest.raises(DatabaseError), transaction.atomic():
        money.record(**facts(amap, **wrong))
    assert not Movement.objects.exists()


ATTEMPTS = {
    "save": lambda row: row.save(),
    "update": lambda row: type(row).objects.update(association_id=F("association_id")),
    "bulk_update": lambda row: type(row).objects.bulk_update([row], ["by"]),
    "delete": lambda row: row.delete(),
    "delete all": lambda row: type(row).objects.all()._raw_delete("default"),
    "raw update": lambda row: run(f"UPDATE {row._meta.db_table} SET by_id = NULL"),  # noqa: S608
    "raw delete": lambda row: run(f"DELETE FROM {row._meta.db_table}"),  # noqa: S608
    "replace": lambda row: run(
        f"INSERT OR REPLACE INTO {row._meta.db_table} SELECT * FROM {row._meta.db_table}"  # noqa: S608
        if connection.vendor == "sqlite"
        else f"INSERT INTO {row._meta.db_table} SELECT * FROM {row._meta.db_table} "  # noqa: S608
        "ON CONFLICT (id) DO UPDATE SET by_id = NULL"
    ),
    "truncate": lambda row: run(
        f"DELETE FROM {row._meta.db_table}"  # noqa: S608 (SQLite has no TRUNCATE: this is its name there)
        if connection.vendor == "sqlite"
        else f"TRUNCATE {row._meta.db_table} CASCADE"
    ),
}


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("model", [Movement, AuditEntry])
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nobody_rewrites_movements_nor_the_audit_trail(amap, model, attempt):
    if model is Movement:
        row = money.record(**facts(amap))
    else:
        row = AuditEntry.objects.create(
            association=amap.association, at=NOW, by=amap.treasurer, verb="x", about="amap.household", about_id=1
        )
    connection.check_constraints()  # PostgreSQL truncates nothing that still waits for its foreign keys to be looked at
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ATTEMPTS[attempt](row)
    assert model.objects.get().by == amap.treasurer
