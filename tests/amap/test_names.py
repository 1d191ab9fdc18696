"""Names stand where a reader looks for them, whatever the database."""

import re

import pytest
from django.conf import settings
from django.db.models import Value

from amap.forms.people import HouseholdFilter
from amap.models import Farm, Household
from amap.names import Alphabetical, alphabetical
from tests.cast import TODAY, Amap

pytestmark = pytest.mark.django_db
IN_ORDER = ["abeille", "D’Œuf", "Eloi", "Éluard", "emery", "Etienne", "Étoile", "Nuñez", "œillet", "Řehoř", "Zola"]


@pytest.fixture
def households():
    amap = Amap()
    known = list(amap.association.households.values_list("pk", flat=True))
    for name in sorted(IN_ORDER):
        amap.new_household(name, paid=False)
    return amap.association.households.exclude(pk__in=known)


def test_names_are_in_alphabetical_order_accents_and_capitals_or_not(households):
    assert [household.name for household in households.all()] == IN_ORDER
    assert [household.name for household in households.all()[2:5]] == IN_ORDER[2:5]
    assert list(households.order_by(Alphabetical("name").desc()).values_list("name", flat=True)) == IN_ORDER[::-1]
    assert sorted(IN_ORDER, key=alphabetical) == IN_ORDER


def test_names_that_differ_stand_apart_so_that_rows_may_be_grouped():
    for slug, name in (("a", "Éole"), ("b", "Eole"), ("c", "Éole"), ("d", "Eole")):
        Farm.objects.create(slug=slug, name=name)
    names = list(Farm.objects.values_list("name", flat=True))
    assert names == sorted(names)


@pytest.mark.parametrize("words", ["Élodie Œ", "élodie œ", "elodie oe", "ELODIE OE", "E\u0301lodie"])
def test_a_name_is_found_with_its_accents_and_capitals_or_without(words):
    amap = Amap()
    by_person, by_name = amap.household, amap.new_household("Élodie Œuvrard", paid=False)
    by_person.members.filter(user=amap.member).update(name="Élodie Œuvrard")
    paid = Household.objects.alias(is_paid=Value(True))
    for found in (Household.objects.called(words), HouseholdFilter({"q": words}).apply(paid, today=TODAY)):
        assert set(found) == {by_person, by_name}


def test_a_town_is_found_without_its_accents():
    amap = Amap()
    Household.objects.filter(pk=amap.household.pk).update(city="Évry")
    paid = Household.objects.alias(is_paid=Value(True))
    assert list(HouseholdFilter({"q": "evry"}).apply(paid, today=TODAY)) == [amap.household]


def test_every_list_by_name_is_alphabetical():
    plain = re.compile(r'(order_by\(|ordering = \[)([^()\]]|\([^()]*\))*"(\w+__)*(name|title)"')
    sources = [path for app in ("amap", "contracts", "deliveries") for path in (settings.BASE_DIR / app).rglob("*.py")]
    found = {path.name for path in sources if "migrations" not in path.parts and plain.search(path.read_text())}
    assert found == set()
