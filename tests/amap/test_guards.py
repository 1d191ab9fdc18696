"""Money and audit rows are never rewritten, whoever asks: the database refuses."""

import pytest
from django.db import DatabaseError, connection, transaction

from amap.models import AuditEntry
from tests.cast import NOW, Amap


@pytest.fixture
def entry():
    amap = Amap()
    return AuditEntry.objects.create(
        association=amap.association, at=NOW, by=amap.committee, verb="household.joined", about="household", about_id=1
    )


@pytest.mark.django_db
def test_an_audit_entry_is_neither_changed_nor_deleted(entry):
    for deed in (lambda: AuditEntry.objects.update(verb="x"), lambda: AuditEntry.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            deed()
    assert AuditEntry.objects.get().verb == "household.joined"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", [1, 2])
def test_the_guards_are_still_there_after_a_test_that_commits(entry, attempt):
    assert AuditEntry.objects.count() == 1
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM amap_auditentry")
