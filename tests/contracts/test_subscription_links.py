"""The way from a household without e-mail to writing down the contract it signed on paper."""

import pytest

from tests.cast import Amap

pytestmark = pytest.mark.django_db


def test_a_households_page_leads_to_recording_its_contract_for_a_chosen_offer(client):
    amap = Amap()
    offer = amap.offer(status="open")
    paper = amap.new_household("Jolivet")
    client.force_login(amap.liaison)
    assert (
        f'href="/belombre/subscriptions/?household={paper.pk}"'
        in client.get(f"/belombre/households/{paper.pk}/").content.decode()
    )
    choice = client.get(f"/belombre/subscriptions/?household={paper.pk}").content.decode()
    assert f'href="/belombre/offers/{offer.pk}/sign/?household={paper.pk}"' in choice
