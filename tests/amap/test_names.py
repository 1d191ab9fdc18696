"""Names stand where a reader looks for them, whatever the database."""

import re

import pytest
from django.conf import settings

from amap.models import Farm
from amap.names import Alphabetical, alphabetical
from tests.cast import Amap

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


def test_every_list_by_name_is_alphabetical():
    plain = re.compile(r'(order_by\(|ordering = \[)([^()\]]|\([^()]*\))*"(\w+__)*(name|title)"')
    sources = [path for app in ("amap", "contracts", "deliveries") for path in (settings.BASE_DIR / app).rglob("*.py")]
    found = {path.name for path in sources if "migrations" not in path.parts and plain.search(path.read_text())}
    assert found == set()
