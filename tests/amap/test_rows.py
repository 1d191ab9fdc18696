"""Rows written by one statement are those Django would have written."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from amap import rows
from amap.models import Letter, Member
from tests.cast import NOW, PARIS, Amap

pytestmark = pytest.mark.django_db


def letter(amap, **changed):
    return Letter(
        **{
            "association": amap.association,
            "key": "one",
            "kind": "invitation",
            "to": "a@example.org",
            "language": "fr",
            "context": {"name": "L'été, 100 %", "cents": 1250},
            "created_at": NOW,
            "send_after": datetime(2026, 11, 22, 12, 30, tzinfo=PARIS),
        }
        | changed
    )


def test_what_is_written_is_read_back_and_each_row_knows_its_id(django_assert_num_queries):
    amap = Amap()
    written = [letter(amap), letter(amap, key="two", context={}, association=None)]
    with django_assert_num_queries(1):
        rows.insert(written)
    columns = [field.attname for field in Letter._meta.concrete_fields]
    for one in written:
        same = Letter.objects.get(pk=one.pk)
        assert [getattr(one, name) for name in columns] == [getattr(same, name) for name in columns]
    one.to = "b@example.org"
    one.save()
    assert Letter.objects.get(pk=one.pk).to == "b@example.org"


def test_nothing_to_write_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        rows.insert([])


def test_what_is_known_is_passed_over_only_when_asked():
    amap = Amap()
    rows.insert([letter(amap)])
    again = [letter(amap, kind="waiting"), letter(amap, key="new")]
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(again)
    rows.insert(again, skip_known=True)
    assert set(Letter.objects.values_list("key", "kind")) == {("one", "invitation"), ("new", "invitation")}


def test_a_row_that_belongs_to_nobody_is_refused():
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert([Member(household_id=None, association_id=None, name="Personne")])
