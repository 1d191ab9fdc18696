"""Contracts and cheques when many people act at once, and when the machine stops in the middle (R1b, R3, R3b).

Over HTTP, on a real server, on both databases, as `tests/test_races.py`; `R1_ROUNDS=10` runs ten rounds.
"""

import random

import pytest

from tests.races import Arena, session_of
from tests.test_races import ROUNDS

pytestmark = [pytest.mark.race, pytest.mark.real_time, pytest.mark.timeout(300)]
PEOPLE, FREE = 100, 2050  # hundredths
LEAVERS = 30
FAMILIES, CHEQUES = 12, 3


@pytest.fixture(params=ROUNDS)
def arena(request, tmp_path, migrated):
    """arena(seed): a server on a database of its own."""

    def start(seed):
        arena = Arena(tmp_path, migrated, seed=f"tests.contracts.test_races.{seed}")
        request.addfinalizer(arena.leave)
        return arena

    return start


def test_whole_and_half_shares_come_and_go_at_once_br_20_r1b(arena):
    """100 households sign for whole and half shares, each twice, while 30 give theirs back, each twice."""
    arena = arena("a_crowd")
    calls = shuffled(arena.story["signers"] * 2 + arena.story["leavers"] * 2)
    answers = arena.rush(calls)
    # Who came when it was full and is told that there is room again presses once more.
    again = [call for call, answer in zip(calls, answers, strict=True) if answer.status == 200]
    answers += arena.rush(again) if again else []
    assert [answer.status for answer in answers if answer.status != 302] == [200] * len(again)
    left = arena.ask("tests.contracts.test_races.crowd")
    assert left["differences"] == []
    assert left["withdrawn"] == LEAVERS
    assert left["signed"] + left["waiting"] == left["households"] == PEOPLE
    # Nobody waits while there is room: at most what the leavers gave back came too late for those who had asked.
    assert left["capacity"] - 50 * LEAVERS - 50 < left["taken"] <= left["capacity"]
    assert left["is_in_order"]


def test_nobody_signs_an_offer_that_is_given_up_at_the_same_moment(arena):
    arena = arena("a_crowd")
    answers = arena.rush(shuffled(arena.story["signers"][:40] + arena.story["cancels"]))
    assert max(answer.status for answer in answers) < 500
    left = arena.ask("tests.contracts.test_races.crowd")
    assert (left["status"], left["signed"], left["taken"]) == ("cancelled", 0, 0)
    assert left["differences"] == []


def test_a_pile_is_received_corrected_handed_over_and_cashed_by_several_at_once_br_38_br_39(arena):
    """The treasurer and the liaison with the same cheques in two windows, the farmer at the bank."""
    arena = arena("a_pile")
    answers = arena.rush(shuffled([call for calls in arena.story.values() for call in calls]))
    assert max(answer.status for answer in answers) < 500
    assert arena.ask("tests.contracts.test_races.books")["differences"] == []


def test_a_server_killed_in_the_middle_loses_no_cheque_it_answered_r3(arena):
    """kill -9: the pile of a household is recorded as a whole, or not at all."""
    arena = arena("a_pile")
    calls = arena.story["piles"][:FAMILIES]
    answers = arena.rush(calls, kill_after=FAMILIES // 3)
    left = arena.ask("tests.contracts.test_races.books")
    told = {number for number, answer in enumerate(answers) if answer and answer.status == 302}
    assert 0 < len(told) < FAMILIES
    assert all(left["received"][number] == CHEQUES for number in told)
    assert set(left["received"]) <= {0, CHEQUES}
    assert left["differences"] == []


def test_a_household_and_an_offer_sent_four_times_at_once_are_written_once(arena):
    arena = arena("two_new_things")
    answers = arena.rush(shuffled(arena.story * 4))
    assert {answer.status for answer in answers} == {302}
    assert len({answer.location for answer in answers}) == 2
    assert arena.ask("tests.contracts.test_races.written") == [1, 1]


def shuffled(calls):
    return random.sample(calls, len(calls))


# In children, on the arena's database


def a_crowd():
    """An offer with 20.5 shares left; 100 households about to sign, 30 about to withdraw, the committee about to
    give it up.
    """
    from datetime import timedelta
    from uuid import uuid4

    from contracts.forms.subscriptions import seal
    from contracts.models import ContractOffer
    from tests.cast import TODAY, Amap
    from tests.contracts.test_payments import signed

    amap = Amap()
    offer = amap.offer(status="open", start=TODAY + timedelta(weeks=2))
    whole, half = offer.sizes.all()
    leavers = []
    for number in range(LEAVERS):
        user = amap.person(f"L{number} Partant")
        one = signed(amap, amap.household_of(user), offer=offer, size=half, status="awaiting_documents")
        leavers.append([session_of(user), f"/belombre/subscriptions/{one.pk}/withdraw/", {"reason": "déménagement"}])
    signers = []
    for number in range(PEOPLE):
        user = amap.person(f"P{number} Partante")
        size = whole if number % 3 == 0 else half
        state = {"o": offer.pk, "h": amap.household_of(user).pk, "t": uuid4().hex, "c": [[size.pk, 1, "every"]]}
        sealed = seal(state | {"m": "cheque", "n": 1, "e": size.price_cents * 10})
        path = f"/belombre/offers/{offer.pk}/sign/?step=check&s={sealed}"
        signers.append([session_of(user), path, {"name": user.name, "consent": "on"}])
    ContractOffer.objects.update(capacity_hundredths=50 * LEAVERS + FREE)
    give_up = [session_of(amap.committee), f"/belombre/offers/{offer.pk}/cancel/", {"reason": "grêle"}]
    return {"signers": signers, "leavers": leavers, "cancels": [give_up] * 10}


def two_new_things():
    """The calls with which a household and an offer are written down."""
    from tests.cast import Amap

    amap = Amap()
    session = session_of(amap.committee)
    household = {"name": "Double", "joined_on": "2026-11-21", "person_name": "Dora Double"}
    offer = {"title": "Légumes 2027-28", "kind": "harvest_share", "place": amap.place.pk}
    return [
        [session, "/belombre/households/new/", household],
        [session, f"/belombre/offers/new/?farm={amap.farm.pk}", offer],
    ]


def written():
    """How many of them there are."""
    from amap.models import Household
    from contracts.models import ContractOffer

    return [Household.objects.filter(name="Double").count(), ContractOffer.objects.count()]


def a_pile():
    """The calls with which 12 households' cheques of 3 are received twice, handed over, taken back and cashed; half
    of them were received before, a third of these handed over.
    """
    from contracts.models import Instalment
    from tests.cast import Amap
    from tests.contracts.test_payments import hand_over, receive, signed

    amap = Amap()
    offer = amap.offer()
    families = [
        list(signed(amap, amap.new_household(f"F{n}"), offer=offer).instalments.all()) for n in range(2 * FAMILIES)
    ]
    Instalment.objects.update(deposit_not_before=offer.starts_on)
    held = [receive(amap, family) for family in families[FAMILIES:]]
    hand_over(amap, [cheque for cheques in held[: FAMILIES // 3] for cheque in cheques])
    keepers = [session_of(amap.liaison), session_of(amap.treasurer)]
    piles = [
        [keeper, f"/belombre/payments/receive/?farm={amap.farm.slug}", typed(family)]
        for keeper in keepers
        for family in families[:FAMILIES]
    ]
    slips = [
        [keeper, f"/belombre/payments/hand-over/?farm={amap.farm.slug}", {"chosen": [cheque.pk], "on": "2026-11-21"}]
        for cheques in held[FAMILIES // 3 :]
        for cheque in cheques
        for keeper in keepers
    ]
    backs = [
        [keeper, f"/belombre/payments/{cheque.instalment_id}/{step}/", {"reason": "erreur"}]
        for cheques in held
        for cheque, step in zip(cheques, ("correct", "give-back", "correct"), strict=True)
        for keeper in keepers
    ]
    bank = {"chosen": [cheque.instalment_id for cheques in held[: FAMILIES // 3] for cheque in cheques[1:]]}
    cashed = [[session_of(amap.farmer), "/belombre/payments/cash/", bank | {"on": "2026-11-21"}]] * 2
    return {"piles": piles, "slips": slips, "backs": backs, "cashed": cashed}


def typed(family):
    household = family[0].household_id
    numbers = {f"number-{one.pk}": f"{1000000 + one.pk}" for one in family}
    return numbers | {f"drawer-{household}": "Un Foyer", f"dated-{household}": "2026-11-21"}


def crowd():
    """How it ended for the offer."""
    from contracts.models import ContractOffer, Subscription, WaitingListEntry

    offer = ContractOffer.objects.get()
    live = Subscription.objects.live()
    line = list(WaitingListEntry.objects.filter(status="waiting").values_list("pk", "household_id"))
    return {
        "status": offer.status,
        "taken": offer.taken_hundredths,
        "capacity": offer.capacity_hundredths,
        "signed": live.count(),
        "withdrawn": Subscription.objects.filter(status="withdrawn").count(),
        "waiting": len(line),
        "households": len({*live.values_list("household", flat=True), *(household for _pk, household in line)}),
        "is_in_order": line == sorted(line),
        "differences": books()["differences"],
    }


def books():
    """What does not add up, and how many cheques of each household are recorded, in the order of the piles."""
    from django.db.models import Count, Q

    from contracts.models import Subscription
    from tests.contracts.test_payments import books_add_up

    live = Count("instalments__cheques", Q(instalments__cheques__is_void=False))
    received = Subscription.objects.order_by("pk").annotate(live=live).values_list("live", flat=True)
    return {"differences": books_add_up(), "received": list(received)[:FAMILIES]}
