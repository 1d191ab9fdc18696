"""A question keeps its SQL and nothing of what it was asked with."""

from datetime import timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import BigAutoField, DateField, OuterRef, Q

from amap.facts import columns, facts, read
from amap.models import Association, Household, PickupPlace
from amap.questions import Given, Question
from contracts.models import ContractOffer
from tests.cast import TODAY, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture
def question():
    @Question
    def ask():
        there = Household.objects.filter(association=OuterRef("pk"))
        since = Q(joined_on__gte=Given("since", DateField()))
        return Association.objects.filter(pk=Given("association", BigAutoField())).values_list(
            facts(there.filter(since).order_by("number"), "number", "name"), facts(there.order_by("number"), "number")
        )

    return ask


def test_a_question_is_one_statement_each_time_and_answers_for_what_is_asked(question, django_assert_num_queries):
    amap, other = Amap(), Amap(slug="elsewhere")
    Household.objects.update(joined_on=TODAY)
    amap.new_household(name="Longtemps")
    for association in (amap.association, other.association, amap.association):
        with django_assert_num_queries(1):
            named, present = question(association=association.pk, since=TODAY)
        theirs = association.households.order_by("number")
        assert [tuple(row) for row in named] == list(theirs.filter(joined_on=TODAY).values_list("number", "name"))
        assert [number for (number,) in present] == [one.number for one in theirs]


def test_a_value_may_be_missing(question):
    association = Amap().association.pk
    Household.objects.update(joined_on=TODAY)
    for since in (TODAY, None, TODAY):
        named, _present = question(association=association, since=since)
        assert bool(named) is (since is not None)


def test_a_given_day_may_be_moved():
    amap = Amap()
    Household.objects.update(joined_on=TODAY)
    day = Given("day", DateField())

    @Question
    def ask():
        there = Household.objects.filter(association=OuterRef("pk"))
        later = there.filter(joined_on=day + timedelta(days=3))
        earlier = there.filter(joined_on=day - timedelta(days=1))
        return Association.objects.filter(pk=amap.association.pk).values_list(facts(later, "pk"), facts(earlier, "pk"))

    for moved, (is_later, is_earlier) in ((-3, (True, False)), (1, (False, True)), (0, (False, False))):
        later, earlier = ask(day=TODAY + timedelta(days=moved))
        assert (bool(later), bool(earlier)) == (is_later, is_earlier)


def test_where_nothing_can_be_found_the_answer_is_an_empty_list():
    amap = Amap()

    @Question
    def ask():
        return Association.objects.filter(pk=amap.association.pk).values_list(
            facts(Household.objects.filter(pk__in=[]), "pk")
        )

    assert [ask(), ask()] == [([],), ([],)]


def test_a_question_about_nothing_says_so(question):
    for _time in range(2):
        with pytest.raises(ObjectDoesNotExist):
            question(association=0, since=TODAY)


def test_what_does_not_differ_is_written_into_the_statement_as_it_is():
    amap = Amap()
    name = "100 % d'aujourd'hui, \"dit-elle\" ; %s"
    amap.new_household(name=name)

    @Question
    def ask():
        there = Household.objects.filter(association=OuterRef("pk"), name__endswith=name)
        return Association.objects.filter(pk=Given("association", BigAutoField())).values_list(facts(there, "name"))

    assert [ask(association=amap.association.pk) for _again in range(2)] == [([[name]],)] * 2


@pytest.mark.parametrize("model", [Association, ContractOffer, PickupPlace])
def test_a_row_read_from_facts_is_the_row(model):
    Amap().offer(status="open")
    (row,) = Association.objects.values_list(facts(model.objects.order_by("pk"), *columns(model), most=1)).get()[0]
    found, same = read(model, row), model.objects.order_by("pk")[0]
    assert vars(found) | {"_state": None} == vars(same) | {"_state": None}
    assert found == same
    assert not found._state.adding
