"""Desks: each card appears with its cause and vanishes when solved; homes say what concerns their reader, first."""

from datetime import date, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from amap.access import standings_of, with_standings
from amap.bench.meters import calls
from amap.desks import cards as desk
from amap.desks import views
from amap.models import (
    CommitteeSeat,
    FarmLiaison,
    Invitation,
    Job,
    Letter,
    Membership,
    MembershipPeriod,
    Partnership,
    User,
)
from contracts.models import (
    ContractOffer,
    Delivery,
    Instalment,
    OfferAcceptance,
    Subscription,
    WaitingListEntry,
)
from deliveries.models import Basket, Distribution, HarvestList, Shift, ShiftAssignment, ShiftRole
from tests.cast import NOW, PARIS, TODAY, Amap

pytestmark = pytest.mark.django_db
THURSDAY = date(2026, 11, 26)
Status = Instalment.Status


@pytest.fixture
def amap():
    return Amap()


@pytest.fixture
def now(monkeypatch):
    """Stand at another moment: `now(2026, 11, 26, 18)`."""

    def stand(*moment):
        monkeypatch.setattr("amap.clock.now", lambda: datetime(*moment, tzinfo=PARIS) if moment else NOW)

    stand()
    return stand


def at(*moment):
    return datetime(*moment, tzinfo=PARIS)


def standing(amap, user, today=TODAY):
    return standings_of(with_standings(User.objects.filter(pk=user.pk), today).get())[amap.slug]


def cards(amap, user, moment=NOW):
    """The visitor's cards by rule, in the order shown."""
    return {card.rule: card for card in desk.cards(amap.association, standing(amap, user), moment)}


def page(user, path):
    client = Client()
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def evening(amap, day=THURSDAY, **fields):
    hours = {
        "opens_at": time(18, 30),
        "closes_at": time(19, 45),
        "volunteers_from": time(18),
        "volunteers_until": time(20),
    }
    return Distribution.objects.create(association=amap.association, place=amap.place, day=day, **hours | fields)


def shift(amap, distribution, *, needed=2, name="Accueil"):
    role, _made = ShiftRole.objects.get_or_create(association=amap.association, name=name, defaults={"needed": needed})
    return Shift.objects.create(distribution=distribution, role=role, needed=needed)


def take(amap, one, household, **fields):
    Shift.objects.filter(pk=one.pk).update(taken=one.taken + 1)
    return ShiftAssignment.objects.create(
        association=amap.association,
        distribution=one.distribution,
        shift=one,
        household=household,
        taken_at=NOW,
        **fields,
    )


# Cards


def test_a_quiet_association_shows_no_card(amap):
    amap.subscribe(amap.household, amap.offer())
    Instalment.objects.update(status=Status.CASHED)
    for user in (amap.committee, amap.treasurer, amap.secretary, amap.lead, amap.liaison, amap.farmer):
        assert cards(amap, user) == {}


def test_what_one_association_asks_is_not_what_another_is_told(amap):
    """The SQL of a question is kept; whom it is asked for, and when, is not."""
    other = Amap(slug="elsewhere")
    other.offer(status="proposed")
    for one, offers in ((amap, 0), (other, 1), (amap, 0), (other, 1)):
        assert ("offers_to_accept" in cards(one, one.committee)) == bool(offers)
    amap.offer(status="agreed", open_on=TODAY + timedelta(days=3))
    for moment, is_open in ((NOW, False), (NOW + timedelta(days=3), True), (NOW, False)):
        assert ("offers_to_open" in cards(amap, amap.committee, moment)) is is_open


def test_all_cards_of_a_visitor_cost_one_query(amap, django_assert_num_queries):
    amap.offer()
    someone = standing(amap, amap.committee)
    association = amap.association
    with django_assert_num_queries(1):
        desk.cards(association, someone, NOW)


def test_a_member_without_a_role_costs_no_query_and_has_no_card(amap, django_assert_num_queries):
    someone = standing(amap, amap.member)
    with django_assert_num_queries(0):
        assert desk.cards(amap.association, someone, NOW) == []


def test_br8_an_offer_waits_for_the_side_that_has_not_accepted(amap):
    offer = amap.offer(status="proposed")
    assert cards(amap, amap.committee)["offers_to_accept"].title == "1 offer waits for the committee's yes"
    assert cards(amap, amap.farmer)["offers_for_the_farm"].lines == [
        ("Légumes 2026-27 (Ferme des Saules Gris)", f"/belombre/offers/{offer.pk}/")
    ]
    for side, user, rule in (
        ("committee", amap.committee, "offers_to_accept"),
        ("farm", amap.farmer, "offers_for_the_farm"),
    ):
        OfferAcceptance.objects.create(
            offer=offer, side=side, version=1, content={}, content_sha256="x", by=user, at=NOW
        )
        assert rule not in cards(amap, user)
    offer.version = 2
    offer.save()
    assert "offers_to_accept" in cards(amap, amap.committee)


def test_an_agreed_offer_can_open_from_its_day_on(amap):
    offer = amap.offer(status="agreed", open_on=TODAY)
    assert cards(amap, amap.committee)["offers_to_open"].url == f"/belombre/offers/{offer.pk}/"
    offer.open_on = TODAY + timedelta(days=1)
    offer.save()
    assert "offers_to_open" not in cards(amap, amap.committee)


def test_a_season_that_cannot_move_on_says_why(amap):
    offer = amap.offer(status="open")
    lines = cards(amap, amap.liaison)["seasons_that_wait"].lines
    assert lines[0][0] == "Légumes 2026-27: its first day has come, and no sign-up is valid"
    offer.status, offer.ends_on = "running", TODAY - timedelta(days=1)
    offer.save()
    assert "a delivery is not closed" in cards(amap, amap.committee)["seasons_that_wait"].lines[0][0]
    offer.status = "closed"
    offer.save()
    assert "seasons_that_wait" not in cards(amap, amap.committee)


def test_shares_signed_are_shown_against_shares_needed_until_they_suffice(amap):
    offer = amap.offer(status="open", start=date(2027, 1, 7), capacity_hundredths=200)
    amap.subscribe(amap.household, offer)
    card = cards(amap, amap.farmer)["shares_to_sign"]
    assert [(meter["text"], meter["percent"]) for meter in card.meters] == [("1 of 2 shares", 50)]
    amap.subscribe(amap.new_household(), offer)
    assert "shares_to_sign" not in cards(amap, amap.farmer)


def test_br30_a_waiting_list_is_urgent_when_a_place_is_free(amap):
    offer = amap.offer(capacity_hundredths=100)
    amap.subscribe(amap.household, offer)
    entry = WaitingListEntry.objects.create(
        association=amap.association,
        offer=offer,
        household=amap.new_household(),
        equivalents_hundredths=100,
        client_token=uuid4(),
        created_at=NOW,
    )
    card = cards(amap, amap.liaison)["waiting_lists"]
    assert (card.title, card.is_urgent) == ("1 household waits for a place", False)
    ContractOffer.objects.update(taken_hundredths=0)
    assert cards(amap, amap.liaison)["waiting_lists"].is_urgent
    entry.status = "accepted"
    entry.save()
    assert "waiting_lists" not in cards(amap, amap.liaison)


def test_a_farm_without_liaison_is_named(amap):
    FarmLiaison.objects.update(ends_on=TODAY - timedelta(days=1))
    assert cards(amap, amap.committee)["farms_without_liaison"].lines[0][0] == "Ferme des Saules Gris"
    Partnership.objects.update(ended_on=TODAY)
    assert "farms_without_liaison" not in cards(amap, amap.committee)


def test_br21_signups_wait_until_their_keys_are_turned(amap):
    offer = amap.offer(status="open", start=date(2027, 1, 7))
    amap.subscribe(amap.household, offer, status="awaiting_documents")
    Subscription.objects.update(reserved_until=at(2026, 11, 24, 9))
    card = cards(amap, amap.treasurer)["signups_waiting"]
    assert (card.title, card.note) == (
        "1 sign-up waits for a key",
        "The first place is kept until Tuesday 24 November.",
    )
    assert card.url == f"/belombre/subscriptions/?offer={offer.pk}&status=awaiting_documents"
    Subscription.objects.update(status="validated")
    assert "signups_waiting" not in cards(amap, amap.treasurer)


def test_br41_late_payments_are_added_up_until_something_comes(amap):
    amap.subscribe(amap.household, amap.offer())
    card = cards(amap, amap.treasurer)["late_payments"]
    assert (card.title, card.note.split(".")[0]) == (
        "2 payments are late: 140.00 €".replace("140.00 €", "€140.00"),
        "1 household",
    )
    Instalment.objects.update(status=Status.RECEIVED)
    assert "late_payments" not in cards(amap, amap.treasurer)


def test_br21_a_contract_that_runs_without_one_of_its_payments_is_a_card_of_those_who_collect_them(amap):
    signed = amap.subscribe(amap.household, amap.offer())
    for user in (amap.committee, amap.treasurer, amap.liaison):
        card = cards(amap, user)["running_without_payment"]
        assert (card.title, card.url) == (
            "1 running contract lacks a payment",
            f"/belombre/subscriptions/{signed.pk}/",
        )
        assert [text for text, _url in card.lines] == ["Membre, Légumes 2026-27: €70.00"]
    assert "running_without_payment" not in cards(amap, amap.farmer)
    Instalment.objects.update(status=Status.RECEIVED)
    assert "running_without_payment" not in cards(amap, amap.committee)


def test_br39_cheques_are_to_hand_over_from_their_day_on(amap):
    amap.subscribe(amap.household, amap.offer())
    Instalment.objects.update(status=Status.RECEIVED)
    card = cards(amap, amap.liaison)["cheques_to_hand_over"]
    assert card.title == "2 cheques to hand over"
    assert card.url == f"/belombre/deposits/?farm={amap.farm.slug}"
    Instalment.objects.update(status=Status.HANDED_OVER)
    assert "cheques_to_hand_over" not in cards(amap, amap.liaison)


def test_br38_what_the_bank_statement_should_show_waits_for_the_farm(amap):
    amap.subscribe(amap.household, amap.offer())
    Instalment.objects.update(status=Status.HANDED_OVER)
    assert cards(amap, amap.farmer)["payments_to_confirm"].title == "3 payments to confirm"
    assert "payments_to_confirm_for_farms" not in cards(amap, amap.treasurer)
    amap.association.treasurer_confirms_farm_payments = True
    amap.association.save()
    assert "payments_to_confirm_for_farms" in cards(amap, amap.treasurer)
    Instalment.objects.update(status=Status.CASHED)
    assert "payments_to_confirm" not in cards(amap, amap.farmer)


@pytest.mark.parametrize(
    ("moment", "farm", "committee"),
    [
        (at(2026, 11, 22, 12), None, None),
        (at(2026, 11, 24, 12), False, None),
        (at(2026, 11, 25, 18, 29), False, None),
        (at(2026, 11, 25, 18, 30), True, True),
        (at(2026, 11, 26, 19, 46), None, None),
    ],
)
def test_br45_a_missing_harvest_list_is_urgent_a_day_before(amap, moment, farm, committee):
    """The farm sees it three days ahead, the committee in the last 24 hours; after the evening nobody."""
    amap.offer()
    for user, expected in ((amap.farmer, farm), (amap.liaison, farm), (amap.committee, committee)):
        card = cards(amap, user, moment).get("missing_harvest_lists")
        assert (card and card.is_urgent) is expected


def test_a_posted_harvest_list_is_missing_no_more(amap):
    delivery = amap.offer().deliveries.get(day=THURSDAY)
    moment = at(2026, 11, 26, 8)
    assert (
        cards(amap, amap.farmer, moment)["missing_harvest_lists"].url == f"/belombre/deliveries/{delivery.pk}/harvest/"
    )
    HarvestList.objects.create(delivery=delivery, posted_at=moment)
    assert "missing_harvest_lists" not in cards(amap, amap.farmer, moment)


def test_br13_the_missing_list_counts_from_the_hours_the_evening_was_moved_to(amap):
    amap.offer()
    evening(amap, opens_at=time(17), closes_at=time(18))
    assert cards(amap, amap.committee, at(2026, 11, 25, 17))["missing_harvest_lists"].is_urgent
    assert "missing_harvest_lists" not in cards(amap, amap.committee, at(2026, 11, 26, 18, 1))


def test_holes_in_the_roster_are_counted_ten_days_ahead_and_urgent_in_the_last_hours(amap):
    one = shift(amap, evening(amap))
    shift(amap, evening(amap, TODAY + timedelta(days=11)), name="Pesée")
    card = cards(amap, amap.lead)["holes_in_the_roster"]
    assert (card.title, card.is_urgent) == ("2 people are missing on the roster", False)
    assert card.lines == [("Thursday 26 November: 2 people", f"/belombre/roster/#evening-{one.distribution_id}")]
    assert not cards(amap, amap.lead, at(2026, 11, 24, 17))["holes_in_the_roster"].is_urgent
    assert cards(amap, amap.lead, at(2026, 11, 24, 18))["holes_in_the_roster"].is_urgent
    Shift.objects.update(taken=2)
    assert "holes_in_the_roster" not in cards(amap, amap.lead)


def test_somebody_who_looks_for_a_replacement_is_named(amap):
    assignment = take(amap, shift(amap, evening(amap)), amap.household, status="swap_requested", volunteer="Mina")
    assert cards(amap, amap.lead)["replacements_wanted"].lines[0][0] == "Thursday 26 November: Mina, Accueil"
    assignment.status = "confirmed"
    assignment.save()
    assert "replacements_wanted" not in cards(amap, amap.lead)


def test_br52_evenings_to_fix_and_to_close(amap):
    amap.offer()
    one = evening(amap)
    assert "evenings_to_close" not in cards(amap, amap.lead, at(2026, 11, 26, 0, 29))
    (line,) = cards(amap, amap.lead, at(2026, 11, 26, 0, 30))["evenings_to_close"].lines
    assert line == ("Thursday 26 November: fix the list", f"/belombre/distributions/{one.pk}/")
    one.status = "locked"
    one.save()
    assert "evenings_to_close" not in cards(amap, amap.lead, at(2026, 11, 26, 19))
    assert "close the distribution" in cards(amap, amap.lead, at(2026, 11, 26, 20))["evenings_to_close"].lines[0][0]
    one.status = "closed"
    one.save()
    assert "evenings_to_close" not in cards(amap, amap.lead, at(2026, 11, 26, 20))


def test_an_evening_nobody_delivers_to_needs_no_list(amap):
    evening(amap)
    assert "evenings_to_close" not in cards(amap, amap.lead, at(2026, 11, 26, 12))


def test_br2_fees_awaited_are_counted_recorded_as_awaited_or_not_at_all(amap):
    membership = Membership.objects.get(household=amap.household)
    membership.status = "pending"
    membership.save()
    assert cards(amap, amap.treasurer)["fees_awaited"].title == "1 membership fee is awaited"
    newcomer = amap.new_household("Neuf", paid=False)
    assert cards(amap, amap.treasurer)["fees_awaited"].title == "1 membership fee is awaited"
    amap.subscribe(newcomer, amap.offer())
    card = cards(amap, amap.treasurer)["fees_awaited"]
    assert card.title == "2 membership fees are awaited"
    assert "Neuf" in page(amap.treasurer, card.url)
    membership.status = "paid"
    membership.save()
    newcomer.subscriptions.update(status="withdrawn")
    assert "fees_awaited" not in cards(amap, amap.treasurer)


def test_br2_a_contract_that_outlives_its_membership_is_noticed(amap):
    household = amap.new_household(paid=False)
    amap.subscribe(household, amap.offer())
    over = MembershipPeriod.objects.create(
        association=amap.association, starts_on=date(2025, 9, 1), ends_on=date(2026, 8, 31), amap_part_cents=2000
    )
    paid = {"association": amap.association, "household": household, "status": "paid", "total_cents": 2000}
    Membership.objects.create(period=over, amap_cents=2000, network_cents=0, **paid)
    card = cards(amap, amap.secretary)["contracts_without_membership"]
    assert card.title == "1 household has a contract, and its membership has run out"
    assert "fees_awaited" not in cards(amap, amap.secretary)
    Membership.objects.create(period=amap.period, amap_cents=1200, network_cents=800, **paid)
    assert "contracts_without_membership" not in cards(amap, amap.secretary)


def test_memberships_end_until_they_are_renewed(amap):
    moment = at(2027, 8, 1, 10)
    people = amap.association.households.count()
    card = cards(amap, amap.treasurer, moment)["memberships_ending"]
    assert (card.title, card.url) == (f"{people} memberships end on Tuesday 31 August", "/belombre/periods/new/")
    following = MembershipPeriod.objects.create(
        association=amap.association, starts_on=date(2027, 9, 1), ends_on=date(2028, 8, 31), amap_part_cents=2000
    )
    assert cards(amap, amap.treasurer, moment)["memberships_ending"].url == "/belombre/memberships/"
    for household in amap.association.households.all():
        Membership.objects.create(
            association=amap.association,
            period=following,
            household=household,
            amap_cents=2000,
            network_cents=0,
            total_cents=2000,
        )
    assert "memberships_ending" not in cards(amap, amap.treasurer, moment)


def test_of_two_years_that_end_soon_the_first_is_named(amap):
    short = MembershipPeriod.objects.create(
        association=amap.association, starts_on=date(2027, 9, 1), ends_on=date(2027, 9, 30), amap_part_cents=100
    )
    Membership.objects.create(
        association=amap.association,
        period=short,
        household=amap.new_household(paid=False),
        status="paid",
        amap_cents=100,
        network_cents=0,
        total_cents=100,
    )
    card = cards(amap, amap.treasurer, at(2027, 8, 25, 10))["memberships_ending"]
    assert card.title.endswith("Tuesday 31 August")


def test_an_invitation_not_accepted_after_three_days_is_counted(amap):
    invitation = Invitation.objects.create(
        association=amap.association,
        email="lent@example.org",
        role="secretary",
        token_sha256="a" * 64,
        created_at=NOW - timedelta(days=8),
        expires_at=NOW - timedelta(days=1),
    )
    card = cards(amap, amap.secretary)["invitations_unanswered"]
    assert (card.title, card.note) == ("1 invitation is not accepted", "1 link is too old: send it again.")
    invitation.accepted_at = NOW
    invitation.save()
    assert "invitations_unanswered" not in cards(amap, amap.secretary)


def test_a_mandate_that_ends_within_six_weeks_is_named(amap):
    seats = CommitteeSeat.objects.filter(user=amap.treasurer)
    seats.update(ends_on=date(2026, 12, 31))
    assert cards(amap, amap.committee)["mandates_ending"].lines[0][0] == "Théo Trésor: treasurer (Thursday 31 December)"
    seats.update(ends_on=None)
    assert "mandates_ending" not in cards(amap, amap.committee)


def letter(association, status="failed"):
    return Letter.objects.create(
        association=association,
        key=f"k:{uuid4()}",
        kind="offer_open",
        to="perdue@example.org",
        language="en",
        status=status,
        created_at=NOW,
        send_after=NOW,
    )


def job(association=None):
    return Job.objects.create(
        association=association,
        key=f"j:{uuid4()}",
        kind="amap.backup.nightly",
        status="parked",
        created_at=NOW,
        next_try_at=NOW,
    )


def test_letters_and_work_that_did_not_go_through_wait_until_dealt_with(amap, now):
    failed, unknown, parked, broken = letter(amap.association), letter(amap.association, "unknown"), job(), job()
    found = cards(amap, amap.committee)
    assert found["letters_not_sent"].title == "2 letters may not have arrived"
    assert found["work_given_up"].title == "2 pieces of work were given up"
    client = Client()
    client.force_login(amap.committee)
    text = client.get(found["letters_not_sent"].url).content.decode()
    assert "perdue@example.org" in text
    assert "the backup of the night" in text
    for verb in (
        f"letters/{failed.pk}/send-again/",
        f"letters/{unknown.pk}/settle/",
        f"work/{parked.pk}/try-again/",
        f"work/{broken.pk}/settle/",
    ):
        assert client.post(f"/belombre/{verb}").status_code == 302
    assert cards(amap, amap.committee) == {}
    assert sorted(Letter.objects.values_list("status", flat=True)) == ["queued", "settled"]
    assert sorted(Job.objects.values_list("status", flat=True)) == ["settled", "waiting"]


def test_every_letter_and_duty_has_its_words():
    from django.conf import settings

    from amap import duties
    from amap.views import records

    assert set(records.LETTERS) == {path.stem for path in (settings.BASE_DIR / "templates/letters").glob("*.txt")}
    assert set(records.WORK) >= {*duties.EVERY_QUARTER, *(path for _hour, path in duties.EVERY_DAY)}


def test_urgent_cards_come_first(amap):
    amap.subscribe(amap.household, amap.offer())
    shift(amap, evening(amap))
    assert list(cards(amap, amap.committee, at(2026, 11, 26, 8)))[:2] == [
        "missing_harvest_lists",
        "holes_in_the_roster",
    ]


def test_br5_a_liaison_and_a_farmer_see_cards_of_their_farm_only(amap):
    from amap.models import Farm

    other = Farm.objects.create(slug="fournil", name="Fournil", payee="Fournil")
    Partnership.objects.create(association=amap.association, farm=other, since=TODAY)
    bread = amap.offer(title="Pain", farm=other)
    amap.subscribe(amap.household, bread)
    amap.subscribe(amap.new_household(), amap.offer(title="Autre pain", farm=other), status="awaiting_documents")
    assert set(cards(amap, amap.treasurer)) >= {"late_payments", "signups_waiting"}
    assert cards(amap, amap.liaison) == cards(amap, amap.farmer) == {}


def test_br76_nothing_of_another_association_makes_a_card(amap):
    """Every cause there is, in the other association; no card and no figure here."""
    other = Amap("ailleurs", "Les Paniers d'ailleurs")
    offer = other.offer()
    other.subscribe(other.household, offer)
    other.subscribe(other.new_household(paid=False), offer, status="awaiting_documents")
    other.offer(title="Demain", status="proposed")
    other.offer(title="Prêt", status="agreed")
    other.offer(title="Ouvert", status="open")
    shift(other, evening(other))
    letter(other.association)
    Membership.objects.filter(household=other.household).update(status="pending")
    assert len(cards(other, other.committee)) > 7
    for user in (amap.committee, amap.treasurer, amap.secretary, amap.lead, amap.liaison, amap.farmer):
        assert cards(amap, user) == {}
        text = page(user, f"/{amap.slug}/")
        assert "ailleurs" not in text.casefold()
        client = Client()
        client.force_login(user)
        assert client.get(f"/{other.slug}/").status_code == 404
        assert client.get(f"/{other.slug}/committee/").status_code == 404


def test_br76_a_letter_of_another_association_is_not_found(amap):
    other = Amap("ailleurs", "Ailleurs")
    stuck = letter(other.association)
    client = Client()
    client.force_login(amap.committee)
    assert client.post(f"/belombre/letters/{stuck.pk}/send-again/").status_code == 404
    assert stuck.to not in client.get("/belombre/troubles/").content.decode()


# Homes


def season(amap, household=None):
    """A household with a contract, and the next evening with one helper and one hole."""
    offer = amap.offer()
    amap.subscribe(household or amap.household, offer)
    one = shift(amap, evening(amap))
    take(amap, one, amap.new_household("Dupont"), volunteer="Anne Dupont")
    return offer


def test_a_members_home_says_what_is_collected_next_and_with_whom(amap, now):
    season(amap)
    text = page(amap.member, "/belombre/")
    for words in (
        "Thursday 26 November 2026",
        "Préau de l&#x27;école",
        "Part entière",
        "Anne Dupont",
        "1 person is still missing",
    ):
        assert words in text
    assert text.index("Thursday 26 November") < text.index("For you to do") < text.index("My baskets")


def test_br45_the_harvest_stands_on_the_home_from_the_agreed_hour_only(amap, now):
    from deliveries.models import HarvestItem, HarvestPortion

    offer = season(amap)
    posted = HarvestList.objects.create(
        delivery=offer.deliveries.get(day=THURSDAY), posted_at=NOW, news="Les poireaux sont là."
    )
    item = HarvestItem.objects.create(harvest_list=posted, product="Poireaux", unit="g", total=60000)
    HarvestPortion.objects.create(item=item, size=offer.sizes.get(label="Part entière"), quantity=1350)
    now(2026, 11, 25, 11, 59)
    assert "Poireaux" not in page(amap.member, "/belombre/")
    now(2026, 11, 25, 12)
    text = page(amap.member, "/belombre/")
    assert "Poireaux" in text
    assert "1.35" in text
    assert "Les poireaux sont là." in text


def test_once_the_evening_is_over_the_home_shows_the_following_one(amap, now):
    season(amap)
    now(2026, 11, 26, 19, 45)
    assert "Today you collect" in page(amap.member, "/belombre/")
    now(2026, 11, 26, 19, 46)
    text = page(amap.member, "/belombre/")
    assert "Today you collect" not in text
    assert "Thursday 3 December 2026" in text


def test_a_members_home_says_what_is_late_what_is_due_and_how_to_pay(amap, now):
    amap.subscribe(amap.household, amap.offer())
    now(2026, 11, 25, 9)
    text = page(amap.member, "/belombre/")
    assert "€140.00" in text
    assert "2 cheques to the order of EARL Ferme des Saules Gris, agreed for 1 October, 31 October" in text
    assert text.index("€140.00") < text.index("€70.00")
    Instalment.objects.update(status=Status.RECEIVED)
    assert "Nothing to pay" in page(amap.member, "/belombre/")


def test_br41_a_members_home_says_which_announced_transfers_have_not_arrived(amap, now):
    """Agreed for 1 and 31 October, and 30 November: that one is announced, and there is nothing to do."""
    amap.subscribe(amap.household, amap.offer())
    Instalment.objects.update(method="transfer", status=Status.DECLARED)
    now(2026, 11, 25, 9)
    text = page(amap.member, "/belombre/")
    assert "announced for 1 October, 31 October, have not arrived" in text
    assert "30 November" not in text


def test_a_members_home_says_what_a_new_contract_lacks(amap, now):
    amap.subscribe(amap.household, amap.offer(status="open", start=date(2027, 1, 7)), status="awaiting_documents")
    Subscription.objects.update(reserved_until=at(2026, 12, 1))
    assert "3 cheques missing (€210.00); your place is kept until 1 December." in page(amap.member, "/belombre/")
    Subscription.objects.update(status="validated", validated_at=NOW)
    assert "is valid since 21 November" in page(amap.member, "/belombre/")


def test_a_members_home_shows_my_shifts_and_the_membership_to_pay(amap, now):
    one = shift(amap, evening(amap))
    take(amap, one, amap.household)
    assert "Thursday 26 November: you help, Accueil" in page(amap.member, "/belombre/")
    Membership.objects.filter(household=amap.household).update(status="pending")
    assert "Membership: €20.00" in page(amap.member, "/belombre/")
    MembershipPeriod.objects.update(reduced_from=amap.household.joined_on)
    assert "Membership: €10.00" in page(amap.member, "/belombre/")


def test_who_already_helps_that_evening_is_not_asked_to(amap, now):
    season(amap)
    assert "I come to help" in page(amap.member, "/belombre/")
    own = ShiftAssignment.objects.get()
    ShiftAssignment.objects.filter(pk=own.pk).update(household=amap.household, volunteer="Anne Dupont")
    text = page(amap.member, "/belombre/")
    assert "1 person is still missing" in text
    assert "I come to help" not in text
    assert "Anne Dupont" not in text


def test_a_members_home_says_what_has_changed(amap, now):
    offer = season(amap)
    offer.deliveries.filter(day=THURSDAY).update(moved_from=date(2026, 11, 25))
    new = amap.offer(title="Pommes 2027", status="open", start=date(2027, 1, 7))
    text = page(amap.member, "/belombre/")
    assert "instead of Wednesday 25 November" in text
    assert f'href="/belombre/offers/{new.pk}/"' in text
    amap.subscribe(amap.household, new)
    assert "sign-up is open" not in page(amap.member, "/belombre/")


def test_a_household_never_sees_anothers_debt_or_shift(amap, now):
    season(amap, amap.new_household("Secret"))
    text = page(amap.member, "/belombre/")
    assert "€70.00" not in text
    assert "No basket ahead" in text


def test_the_distribution_lead_has_the_sheet_one_tap_away(amap, now):
    one = evening(amap)
    text = page(amap.lead, "/belombre/")
    assert f'href="/belombre/distributions/{one.pk}/sheet/"' in text
    assert f'href="/belombre/distributions/{one.pk}/sheet/"' not in page(amap.member, "/belombre/")


def test_p5_the_home_costs_as_many_queries_for_a_long_season_as_for_a_short_one(
    amap, now, django_assert_max_num_queries
):
    """P2: a member's home within six; with any roles, within ten (P5)."""
    CommitteeSeat.objects.create(
        association=amap.association, user=amap.committee, role="distribution_lead", starts_on=date(2026, 1, 1)
    )
    season(amap)
    big = [amap.offer(title=f"Contrat {n}") for n in range(4)]
    for offer in big:
        amap.subscribe(amap.household, offer, instalments=5)
        amap.subscribe(amap.household_of(amap.committee), offer, instalments=5)
    HarvestList.objects.create(delivery=big[0].deliveries.get(day=THURSDAY), posted_at=NOW)
    now(2026, 11, 26, 10)
    for user, most in ((amap.member, 6), (amap.committee, 10), (amap.farmer, 10)):
        client = Client()
        client.force_login(user)
        with django_assert_max_num_queries(most):
            assert client.get("/belombre/").status_code == 200


def test_p5_the_dashboard_and_the_farms_desk_cost_ten_queries_at_two_sizes(amap, now, django_assert_max_num_queries):
    season(amap)
    counts = []
    for households in (1, 12):
        for number in range(households):
            offer = amap.offer(title=f"Légumes {households} {number}")
            amap.subscribe(amap.new_household(), offer)
            evening(amap, TODAY + timedelta(days=40 * households + number))
        counts.append([])
        for user, path in ((amap.committee, "/belombre/committee/"), (amap.farmer, f"/farms/{amap.farm.slug}/")):
            client = Client()
            client.force_login(user)
            with django_assert_max_num_queries(10) as queries:
                assert client.get(path).status_code == 200
            counts[-1].append(len(queries))
    assert counts[0] == counts[1]


# The dashboard


def test_the_dashboard_draws_the_season_with_its_figures(amap, now):
    season(amap)
    text = page(amap.committee, "/belombre/committee/")
    assert "1 of 42" in text
    assert "1 person missing" in text
    assert "Handed in: €0.00 of €210.00 promised" in text


def test_the_first_steps_of_a_new_association_stand_on_the_dashboard_until_done(amap, now):
    assert "First steps" in page(amap.committee, "/belombre/committee/")
    amap.offer()
    assert "First steps" not in page(amap.committee, "/belombre/committee/")


def test_a_member_is_told_whom_to_ask_for_the_dashboard(amap, now):
    client = Client()
    client.force_login(amap.member)
    assert client.get("/belombre/committee/").status_code == 403


# A farm's desk


def test_br77_the_farms_desk_adds_up_the_next_day_over_its_associations(amap, now):
    other = Amap("ailleurs", "Les Paniers d'ailleurs")
    Partnership.objects.create(association=other.association, farm=amap.farm, since=TODAY)
    here, there = amap.offer(), other.offer(farm=amap.farm)
    amap.subscribe(amap.household, here, quantity=2)
    amap.subscribe(amap.new_household(), here, size=here.sizes.get(label="Demi-part"))
    other.subscribe(other.household, there)
    text = " ".join(page(amap.farmer, f"/farms/{amap.farm.slug}/").split())
    assert "Thursday 26 November 2026" in text
    by_association = "Les Paniers d&#x27;ailleurs: 1, Les Paniers de Belombre: 2"
    assert f'Part entière<br><small class="soft">{by_association}</small></th><td class="num">3</td>' in text
    assert '>Demi-part</th><td class="num">1</td>' in text
    assert '<td class="num">3.5</td>' in text
    assert f'href="/belombre/deliveries/{here.deliveries.get(day=THURSDAY).pk}/harvest/"' in text


def test_br52_once_the_list_is_fixed_the_farms_desk_reads_it(amap, now):
    offer = amap.offer()
    subscription = amap.subscribe(amap.household, offer)
    delivery = offer.deliveries.get(day=THURSDAY)
    Basket.objects.create(
        distribution=evening(amap, status="locked"),
        delivery=delivery,
        subscription=subscription,
        household=amap.household,
        contents=[["Part entière", 5]],
    )
    Delivery.objects.filter(pk=delivery.pk).update(status="locked")
    assert '<td class="num">5</td>' in page(amap.farmer, f"/farms/{amap.farm.slug}/")


def test_br13_the_farms_desk_and_a_members_home_say_the_hours_the_evening_was_moved_to(amap, now):
    amap.subscribe(amap.household, amap.offer())
    evening(amap, opens_at=time(17), closes_at=time(18))
    assert "17:00" in page(amap.farmer, f"/farms/{amap.farm.slug}/")
    assert "17:00 – 18:00" in page(amap.member, "/belombre/")


def test_the_farms_desk_says_what_waits_for_the_farm(amap, now):
    amap.subscribe(amap.household, amap.offer())
    amap.offer(title="Saison prochaine", status="proposed")
    Instalment.objects.filter(number=1).update(status=Status.HANDED_OVER)
    text = page(amap.farmer, f"/farms/{amap.farm.slug}/")
    assert "Saison prochaine" in text
    assert "1 cheque to cash, €70.00" in text
    assert "of €210.00 promised" in text


def test_br76_another_farms_desk_is_not_found(amap):
    other = Amap("ailleurs", "Ailleurs")
    client = Client()
    client.force_login(other.farmer)
    assert client.get(f"/farms/{amap.farm.slug}/").status_code == 404


def test_br64_after_the_evening_the_lead_says_who_came(amap, now):
    """What the help for the distribution lead promises."""
    assignment = take(amap, shift(amap, evening(amap)), amap.household)
    client = Client()
    client.force_login(amap.lead)
    button = f"/belombre/roster/assignments/{assignment.pk}/mark/"
    assert button not in client.get("/belombre/roster/").content.decode()
    now(2026, 11, 26, 20)
    assert button in client.get("/belombre/roster/").content.decode()
    now(2026, 11, 27, 9)
    past = "/belombre/roster/?show=past"
    assert button in client.get(past).content.decode()
    assert client.post(button, {"to": "done"}).url == past
    assert button not in client.get(past).content.decode()


# Ways in


@pytest.mark.parametrize("name", ["", *(f"{name}/" for name, *_words in views.HELP)])
def test_help_is_there_for_every_role(amap, now, name):
    assert "<h1>" in page(amap.member, f"/help/{name}")


def test_there_is_no_help_about_something_else(amap):
    client = Client()
    client.force_login(amap.member)
    assert client.get("/help/base/").status_code == 404


def test_the_entrance_leads_straight_to_the_only_place_one_has(amap):
    for user, path in ((amap.member, "/belombre/"), (amap.farmer, f"/farms/{amap.farm.slug}/")):
        client = Client()
        client.force_login(user)
        assert client.get("/").url == path


def test_the_entrance_offers_several_places(amap):
    other = Amap("ailleurs", "Les Paniers d'ailleurs")
    CommitteeSeat.objects.create(association=other.association, user=amap.member, role="secretary", starts_on=TODAY)
    text = page(amap.member, "/")
    assert 'href="/belombre/"' in text
    assert 'href="/ailleurs/"' in text


@pytest.mark.parametrize("path", ["/profile/", "/help/member/", "/calendar/", "/accounts/password/set/"])
def test_who_knows_one_association_keeps_its_navigation_above_it(amap, path):
    text = page(amap.member, path)
    assert amap.association.name in text
    assert 'href="/belombre/roster/"' in text
    other = Amap("ailleurs", "Les Paniers d'ailleurs")
    CommitteeSeat.objects.create(association=other.association, user=amap.member, role="secretary", starts_on=TODAY)
    assert 'href="/belombre/roster/"' not in page(amap.member, path)


def test_the_phones_bar_has_five_links_at_most_and_each_leads_somewhere(amap, now):
    from amap import context

    class Request:
        path = "/"

    for user in (amap.committee, amap.treasurer, amap.secretary, amap.lead, amap.liaison, amap.farmer, amap.member):
        client = Client()
        client.force_login(user)
        request = Request()
        request.user = with_standings(User.objects.filter(pk=user.pk), TODAY).get()
        request.user.standings = standings_of(request.user)
        request.standing = request.user.standings[amap.slug]
        links = context.navigation(request)
        assert len(links["main"]) <= context.AT_HAND
        for link in links["main"] + links["more"]:
            assert client.get(link.url, follow=True).status_code == 200, (user, link.url)


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("", "Home"),
        ("subscriptions/1/", "My contracts"),
        ("payments/1/", "My payments"),
        ("deliveries/1/harvest/", "Distributions"),
        ("offers/1/", "Season contracts"),
    ],
)
def test_the_navigation_marks_one_place_also_beside_a_list(amap, path, marked):
    from amap import context

    class Request:
        user = with_standings(User.objects.filter(pk=amap.member.pk), TODAY).get()

    request = Request()
    request.path = f"/belombre/{path}"
    request.user.standings = standings_of(request.user)
    request.standing = request.user.standings[amap.slug]
    links = context.navigation(request)
    assert [str(link.label) for link in links["main"] + links["more"] if link.is_current] == [marked]


# Speed


@pytest.mark.urls("amap.bench.urls")
def test_p2_a_members_home_costs_three_empty_pages_at_most(amap, now):
    """Five contracts, ten deliveries, five payments each."""
    season(amap)
    for number in range(4):
        amap.subscribe(amap.household, amap.offer(title=f"Contrat {number}"), instalments=5)
    client = Client()
    client.force_login(amap.member)
    assert calls(client, "/belombre/") <= 3 * calls(client, "/belombre/floor/")
