"""A rule that says no where no form takes it: a sentence on the page one came from."""

import pytest
from django.urls import reverse

from contracts.actions import subscriptions
from tests.cast import NOW, Amap
from tests.contracts.test_subscriptions import sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap(time_machine):
    time_machine.move_to(NOW, tick=False)
    return Amap()


def test_the_sentence_stands_on_the_page_one_came_from(amap, client):
    client.force_login(amap.committee)
    page = reverse("amap:seats", args=[amap.slug])
    seat = amap.association.seats.get(user=amap.committee)
    answer = client.post(reverse("amap:seat_end", args=[amap.slug, seat.pk]), headers={"referer": page}, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    assert "Somebody must remain on the committee." in answer.content.decode()


def test_a_page_that_refuses_itself_since_is_left_for_home_and_the_sentence_is_said_once(amap, client):
    """The page of a withdrawal stands open; the contract is withdrawn elsewhere; then one presses the button."""
    signed = sign(amap.offer(status="open", start=amap.period.starts_on.replace(month=12)), amap.household, amap.member)
    client.force_login(amap.member)
    page = reverse("contracts:withdraw_subscription", args=[amap.slug, signed.pk])
    assert client.get(page).status_code == 200
    subscriptions.withdraw(signed, by=amap.member, now=NOW)
    answer = client.post(page, {"reason": ""}, headers={"referer": page}, follow=True)
    assert [url for url, _status in answer.redirect_chain] == [page, reverse("amap:home", args=[amap.slug])]
    assert len(set(map(str, answer.context["messages"]))) == 1
    assert answer.content.decode().count(str(next(iter(answer.context["messages"])))) == 1
