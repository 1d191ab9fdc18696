"""Offers: written, agreed by two sides on one version, opened, run (BR-8 to BR-15, BR-17; reliability 5.3)."""

from datetime import date, datetime, time, timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from amap.actions import settings
from amap.errors import Refused
from amap.models import Association, AuditEntry, CommitteeSeat, Farm, Farmer, Letter, Partnership, PickupPlace
from contracts import tasks, wording
from contracts.actions import drafts, offers, places
from contracts.actions.deliveries import move_deliveries
from contracts.agreement import content, missing
from contracts.documents import fingerprint
from contracts.models import ContractOffer, Delivery, OfferAcceptance, ShareSize
from contracts.price_note import PriceNote, agreed_note, price_note
from contracts.season_strip import season
from tests.cast import LONG_AGO, NOW, PARIS, TODAY, Amap

pytestmark = pytest.mark.django_db

APRIL = date(2027, 4, 1)
THURSDAY = 3
VEGETABLE_BUDGET = [
    ("charges", "Seeds, plants, fuel, water, rent", 1_848_000),
    ("depreciation", "Tractor, tunnels", 640_000),
    ("social", "MSA", 580_000),
    ("wages", "Seasonal workers", 820_000),
    ("income", "12 × 1,800", 2_160_000),
]


@pytest.fixture
def amap():
    return Amap()


def draft(amap, **fields):
    """A complete draft: 26 Thursdays from 1 April 2027."""
    return amap.offer(status="draft", start=APRIL, deliveries=26, **fields)


def proposed(amap, **fields):
    offer = draft(amap, **fields)
    offers.propose(offer, by=amap.farmer, now=NOW)
    return offer


def agreed(amap, **fields):
    offer = proposed(amap, **fields)
    offers.accept(offer, side="farm", by=amap.farmer, now=NOW)
    offers.accept(offer, side="committee", by=amap.committee, now=NOW)
    return offer


def opened(amap, **fields):
    offer = agreed(amap, **fields)
    offers.open(offer, by=amap.committee, now=NOW)
    return offer


def letters_of(kind):
    return set(Letter.objects.filter(kind=kind).values_list("to", flat=True))


# Creating


def test_a_new_offer_is_a_draft_with_french_terms(amap):
    """BR-10, BR-74: the texts a contract needs are there to be read and changed."""
    offer = drafts.create(
        amap.association,
        farm=amap.farm,
        place=amap.place,
        title="Légumes",
        kind="harvest_share",
        by=amap.farmer,
        now=NOW,
    )
    assert (offer.status, offer.version, offer.code) == ("draft", 1, "LEG26")
    assert "aléas" in offer.hazard_clause
    assert "entraide" in offer.absence_clause
    assert AuditEntry.objects.filter(verb="contractoffer.created", by=amap.farmer, about_id=offer.pk).exists()
    assert not {"member_commitments", "termination_clause", "hazard_clause"} & set(missing(offer))


def test_a_free_code_is_found_and_a_taken_one_refused(amap):
    make = {"farm": amap.farm, "place": amap.place, "kind": "harvest_share", "by": amap.farmer, "now": NOW}
    codes = [drafts.create(amap.association, title=f"Légumes {n}", **make).code for n in range(3)]
    assert codes == ["LEG26", "LEG26B", "LEG26C"]
    with pytest.raises(Refused, match="Légumes 1"):
        drafts.create(amap.association, title="Encore", code="leg26b", **make)


def test_a_copy_keeps_price_and_terms_and_proposes_the_same_weeks_later(amap):
    source = amap.offer(start=date(2026, 4, 2), deliveries=48, hazard_clause="Notre clause")
    offers_before = content(source)
    copy = drafts.create(
        amap.association,
        farm=amap.farm,
        place=amap.place,
        title="Légumes 2027-28",
        kind="harvest_share",
        start_from=source,
        by=amap.farmer,
        now=NOW,
    )
    assert (copy.starts_on, copy.starts_on.weekday()) == (APRIL, THURSDAY)
    assert copy.ends_on - copy.starts_on == source.ends_on - source.starts_on
    assert (copy.status, copy.version, copy.taken_hundredths, copy.hazard_clause) == ("draft", 1, 0, "Notre clause")
    assert content(copy)["sizes"] == offers_before["sizes"]
    assert missing(copy) == ["deliveries"]


def test_a_draft_sent_again_is_there_once_another_kind_or_place_is_another_draft(amap):
    make = {"farm": amap.farm, "title": "Légumes", "by": amap.farmer, "now": NOW}
    barn = PickupPlace.objects.create(association=amap.association, name="La grange")
    asked = [("harvest_share", amap.place), ("harvest_share", amap.place), ("by_date", amap.place), ("by_date", barn)]
    made = [drafts.create(amap.association, kind=kind, place=place, **make) for kind, place in asked]
    assert made[0] == made[1]
    assert [(one.kind, one.place) for one in made] == asked
    assert ContractOffer.objects.count() == 3


def test_an_offer_needs_a_partner_farm_and_a_place_of_the_association(amap):
    elsewhere = Amap("ailleurs", "Ailleurs")
    make = {"title": "Légumes", "kind": "harvest_share", "by": amap.committee, "now": NOW}
    with pytest.raises(Refused, match="not a partner"):
        drafts.create(amap.association, farm=elsewhere.farm, place=amap.place, **make)
    with pytest.raises(Refused, match="another association"):
        drafts.create(amap.association, farm=amap.farm, place=elsewhere.place, **make)


# Price (BR-9, BR-15)


def test_the_price_is_computed_from_the_budget(amap):
    """BR-9: 60,480.00 × 70 % ÷ (48 × 42) = 21.00."""
    offer = amap.offer(status="draft", start=date(2027, 4, 1), deliveries=48)
    drafts.set_budget(
        offer,
        lines=VEGETABLE_BUDGET,
        amap_share_hundredths=7000,
        planned_equivalents_hundredths=4200,
        by=amap.farmer,
        now=NOW,
    )
    note = price_note(offer)
    assert (note.total_cents, note.amap_cents, note.computed_cents, note.difference_cents) == (
        6_048_000,
        4_233_600,
        2100,
        0,
    )
    assert "price_reason" not in missing(offer)


def test_another_price_than_the_computed_one_says_why(amap):
    """BR-9: the difference and a reason are mandatory."""
    offer = draft(amap)
    drafts.set_budget(
        offer, lines=VEGETABLE_BUDGET, amap_share_hundredths=5000, planned_equivalents_hundredths=4200, by=None, now=NOW
    )
    assert price_note(offer).difference_cents == 2100 - 2770
    with pytest.raises(Refused, match="why the price differs"):
        offers.propose(offer, by=amap.farmer, now=NOW)
    drafts.edit(offer, price_reason="Année de transition", by=amap.farmer, now=NOW)
    offers.propose(offer, by=amap.farmer, now=NOW)


@given(
    yearly=st.lists(st.integers(1, 10**7), min_size=1, max_size=5),
    price=st.integers(1, 10**5),
)
def test_the_parts_of_a_price_add_up_to_it(yearly, price):
    categories = ["charges", "depreciation", "social", "wages", "income"]
    lines = tuple((category, "x", cents) for category, cents in zip(categories, yearly, strict=False))
    note = PriceNote(lines, 10000, 4200, 48, price, price, "")
    shown = [row["text"].replace("€", "").replace(",", "").replace(".", "") for row in note.parts()]
    assert sum(int(text) for text in shown) == price


def test_sizes_are_priced_in_proportion_unless_a_reason_is_given(amap):
    """BR-15: whole 21.00, half 10.50; another price says why."""
    offer = draft(amap)
    size = {"label": "Half", "coefficient_hundredths": 50, "price_cents": None, "price_reason": ""}
    whole = size | {"label": "Whole", "coefficient_hundredths": 100}
    drafts.edit(offer, reference_price_cents=2100, sizes=[whole, size], by=amap.farmer, now=NOW)
    assert list(offer.sizes.values_list("label", "price_cents")) == [("Whole", 2100), ("Half", 1050)]
    drafts.edit(offer, sizes=[whole, size | {"price_cents": 1150}], by=amap.farmer, now=NOW)
    assert missing(offer) == ["size_reason"]


def test_a_share_without_an_exact_half_is_not_taken_every_other_delivery_br_20_br_80(amap):
    """Two quarter shares every other delivery would count 0.26 instead of 0.25 of the capacity."""
    offer = draft(amap)
    quarter = {"label": "Quarter", "coefficient_hundredths": 25, "price_cents": None, "price_reason": ""}
    drafts.edit(offer, reference_price_cents=2100, sizes=[quarter], alternate_allowed=False, by=amap.farmer, now=NOW)
    with pytest.raises(Refused, match=r"“Quarter” \(0.25\) has no exact half. Make it 0.24 or 0.26 of a whole share"):
        drafts.edit(offer, alternate_allowed=True, by=amap.farmer, now=NOW)
    even = quarter | {"coefficient_hundredths": 26}
    drafts.edit(offer, sizes=[even], alternate_allowed=True, by=amap.farmer, now=NOW)
    with pytest.raises(Refused, match="no exact half"):
        drafts.edit(offer, sizes=[quarter], by=amap.farmer, now=NOW)


def test_a_share_cannot_cost_nothing(amap):
    offer = draft(amap)
    size = {"label": "Whole", "coefficient_hundredths": 100, "price_cents": None, "price_reason": ""}
    with pytest.raises(Refused, match="cannot cost nothing"):
        drafts.edit(offer, reference_price_cents=0, sizes=[size], by=amap.farmer, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        ShareSize.objects.create(offer=offer, label="Free", price_cents=0)


# Calendar (BR-12, BR-13)


def vegetables_2026(amap):
    offer = drafts.create(
        amap.association,
        farm=amap.farm,
        place=amap.place,
        title="Légumes 2026-27",
        kind="harvest_share",
        by=None,
        now=NOW,
    )
    drafts.set_calendar(
        offer,
        starts_on=date(2026, 4, 2),
        ends_on=date(2027, 3, 25),
        weekday=THURSDAY,
        closures=[date(2026, 8, 13), date(2026, 8, 20), date(2026, 12, 24), date(2026, 12, 31)],
        by=amap.farmer,
        now=NOW,
    )
    return offer


def test_forty_eight_thursdays_and_ascension_keeps_its_rank(amap):
    """BR-12, BR-13: 52 Thursdays less four closures; 14 May moved to Wednesday 13 May stays the seventh."""
    offer = vegetables_2026(amap)
    ascension = offer.deliveries.get(day=date(2026, 5, 14))
    [moved] = move_deliveries([ascension], to_day=date(2026, 5, 13), by=amap.committee, now=NOW)
    assert (moved.rank, moved.moved_from) == (7, date(2026, 5, 14))
    assert dict(offer.deliveries.values_list("day", "rank"))[date(2027, 1, 7)] == 37
    assert offer.deliveries.count() == 48


def test_dates_may_be_added_and_taken_out_one_by_one(amap):
    """BR-12: ranks follow the order of dates."""
    offer = draft(amap)
    days = list(offer.deliveries.values_list("day", flat=True))
    drafts.set_days(offer, days=[*days[1:], date(2027, 4, 3)], by=amap.farmer, now=NOW)
    assert list(offer.deliveries.values_list("rank", "day"))[:2] == [(1, date(2027, 4, 3)), (2, date(2027, 4, 8))]
    assert offer.starts_on == date(2027, 4, 3)
    with pytest.raises(Refused, match="twice"):
        drafts.set_days(offer, days=[days[0], days[0]], by=amap.farmer, now=NOW)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (APRIL, date(2027, 3, 1), "before the start"),
        (date(2027, 4, 2), date(2027, 4, 5), "no delivery"),
        (APRIL, date(2030, 4, 1), "120"),
    ],
)
def test_an_impossible_calendar_is_refused_and_the_old_one_kept(amap, start, end, words):
    """reliability 5.3."""
    offer = draft(amap)
    with pytest.raises(Refused, match=words):
        drafts.set_calendar(offer, starts_on=start, ends_on=end, weekday=THURSDAY, by=amap.farmer, now=NOW)
    assert offer.deliveries.count() == 26


def test_four_weeks_of_strawberries_say_why_they_are_so_few(amap):
    """BR-11: under 13 weeks, a reason."""
    offer = amap.offer(status="draft", start=date(2027, 5, 6), deliveries=5)
    with pytest.raises(Refused, match="13 weeks"):
        offers.propose(offer, by=amap.farmer, now=NOW)
    drafts.edit(offer, exceptional_reason="court cycle fraises", by=amap.farmer, now=NOW)
    offers.propose(offer, by=amap.farmer, now=NOW)
    assert offer.status == "proposed"


def test_a_delivery_moves_until_it_is_held_and_never_onto_another_of_its_offer(amap):
    """BR-13."""
    offer = opened(amap)
    first, second = offer.deliveries.all()[:2]
    with pytest.raises(Refused, match="already has a delivery"):
        move_deliveries([first], to_day=second.day, by=None, now=NOW)
    Delivery.objects.filter(pk=first.pk).update(status="held")
    with pytest.raises(Refused, match="no longer moves"):
        move_deliveries([first], to_day=date(2027, 3, 31), by=None, now=NOW)


def test_a_delivery_that_comes_back_to_its_day_was_never_moved(amap):
    offer = opened(amap)
    last = offer.deliveries.last()
    promised = last.day
    move_deliveries([last], to_day=promised + timedelta(1), by=None, now=NOW)
    offer.refresh_from_db()
    assert offer.ends_on == promised + timedelta(1)
    [back] = move_deliveries([last], to_day=promised, by=None, now=NOW)
    assert back.moved_from is None


def test_the_strip_of_a_season_says_what_a_picture_shows(amap):
    """interface.md: figures as text too; closures, moves and other days are told to a screen reader."""
    offer = vegetables_2026(amap)
    move_deliveries(offer.deliveries.filter(day=date(2026, 5, 14)), to_day=date(2026, 5, 13), by=None, now=NOW)
    strip = season(offer, offer.deliveries.all(), today=TODAY)
    assert [month["label"] for month in strip][::9] == ["April 2026", "January 2027"]
    titles = {day["title"]: day["state"] for month in strip for day in month["days"]}
    assert titles["Thursday 13 August: no delivery"] == "off"
    assert titles["Wednesday 13 May: instead of Thursday 14 May"] == "moved"
    assert "Thursday 14 May: no delivery" not in titles
    assert titles["Thursday 26 November: delivery"] == "next"
    assert len(titles) == 52


# Completeness (BR-10)


def test_a_complete_draft_lacks_nothing(amap):
    assert missing(draft(amap)) == []


@pytest.mark.parametrize(
    "key",
    [
        "member_commitments",
        "farmer_commitments",
        "common_commitments",
        "hazard_clause",
        "absence_clause",
        "termination_clause",
        "mediation_contact",
        "composition",
    ],
)
def test_an_offer_without_one_of_its_clauses_is_not_proposed(amap, key):
    """BR-10."""
    offer = draft(amap, **{key: ""})
    assert missing(offer) == [key]
    with pytest.raises(Refused, match="Still missing"):
        offers.propose(offer, by=amap.farmer, now=NOW)


def test_what_lacks_about_the_parties_and_payments_is_named(amap):
    """BR-10."""
    offer = draft(amap, accepts_cheques=False, instalment_counts=[])
    amap.partnership.liaisons.all().delete()
    Farm.objects.filter(pk=amap.farm.pk).update(iban="", legal_name="", address="")
    offer = ContractOffer.objects.get(pk=offer.pk)
    assert missing(offer) == ["farm_legal_name", "farm_address", "farm_iban", "liaison", "instalment_counts"]
    offer.accepts_transfers = False
    assert "methods" in missing(offer)


def test_each_kind_asks_for_its_own_things(amap):
    """BR-17: shares for (a) and (b), products for (c), a shortage rule for (b) and (c)."""
    assert missing(draft(amap, kind="by_date", composition="", reference_price_cents=0, capacity_hundredths=0)) == []
    assert missing(draft(amap, kind="fixed_quantity", shortage_rule="")) == ["shortage_rule"]
    assert missing(draft(amap, kind="harvest_share", shortage_rule="")) == []


# Two sides, one version (BR-8)


def test_an_offer_is_agreed_once_both_sides_accepted_the_same_version(amap):
    offer = proposed(amap)
    offers.accept(offer, side="farm", by=amap.farmer, now=NOW)
    assert offer.status == "proposed"
    offers.accept(offer, side="committee", by=amap.committee, now=NOW)
    assert offer.status == "agreed"
    assert set(OfferAcceptance.objects.values_list("version", "content_sha256")) == {(1, fingerprint(content(offer)))}
    assert letters_of("offer_proposed") == {amap.committee.email, amap.liaison.email}
    assert letters_of("offer_agreed") == {amap.farmer.email, amap.liaison.email}


def test_an_edit_makes_the_farms_acceptance_void(amap):
    """BR-8: the farm accepts v1 at 21.00, the committee makes it 20.50: v2, draft, and opening is refused."""
    offer = proposed(amap)
    offers.accept(offer, side="farm", by=amap.farmer, now=NOW)
    drafts.edit(offer, reference_price_cents=2050, by=amap.committee, now=NOW)
    assert (offer.status, offer.version, offer.acceptances.count()) == ("draft", 2, 0)
    assert list(offer.sizes.values_list("price_cents", flat=True)) == [2050, 1025], "prices in proportion follow"
    assert amap.farmer.email in letters_of("offer_changed")
    with pytest.raises(Refused, match="accepted the same version"):
        offers.open(offer, by=amap.committee, now=NOW)


@pytest.mark.parametrize("status", ["proposed", "agreed"])
def test_every_commercial_part_voids_what_was_accepted(amap, status):
    """BR-8: price, dates, shares, capacity, policies; the calendar and the budget too."""
    size = {"label": "Half", "coefficient_hundredths": 50, "price_cents": 1050, "price_reason": ""}
    days = [APRIL + timedelta(weeks=n) for n in range(20)]
    changes = [
        lambda offer: drafts.edit(offer, capacity_hundredths=4000, by=None, now=NOW),
        lambda offer: drafts.edit(offer, hazard_clause="Autre", by=None, now=NOW),
        lambda offer: drafts.edit(offer, instalment_counts=[1], by=None, now=NOW),
        lambda offer: drafts.edit(offer, sizes=[size], by=None, now=NOW),
        lambda offer: drafts.set_days(offer, days=days, by=None, now=NOW),
        lambda offer: drafts.set_budget(
            offer, lines=[("charges", "All", 100)], planned_equivalents_hundredths=4200, by=None, now=NOW
        ),
    ]
    for change in changes:
        offer = {"proposed": proposed, "agreed": agreed}[status](amap)
        change(offer)
        assert (offer.status, offer.version, offer.acceptances.count()) == ("draft", 2, 0)


def test_a_description_or_nothing_at_all_voids_nothing(amap):
    """BR-8: cosmetic fields do not."""
    offer = agreed(amap)
    sizes = list(offer.sizes.values("label", "coefficient_hundredths", "price_cents", "price_reason"))
    drafts.edit(
        offer, description="Photos et recettes", reference_price_cents=2100, sizes=sizes, by=amap.farmer, now=NOW
    )
    assert (offer.status, offer.version, offer.acceptances.count()) == ("agreed", 1, 2)


def test_editing_a_draft_keeps_its_version(amap):
    offer = draft(amap)
    drafts.edit(offer, reference_price_cents=2050, by=amap.farmer, now=NOW)
    assert offer.version == 1


def test_taking_an_offer_back_clears_acceptances(amap):
    offer = proposed(amap)
    offers.accept(offer, side="farm", by=amap.farmer, now=NOW)
    offers.withdraw(offer, by=amap.liaison, now=NOW, reason="prix à revoir")
    assert (offer.status, offer.version, offer.acceptances.count()) == ("draft", 2, 0)
    with pytest.raises(Refused, match="draft"):
        offers.withdraw(offer, by=amap.liaison, now=NOW)


def test_each_side_is_held_by_its_own_people(amap):
    """BR-8: the liaison is no farmer, the farmer no committee, another farm's farmer nobody."""
    offer = proposed(amap)
    other = Amap("ailleurs", "Ailleurs")
    for side, person in [
        ("farm", amap.committee),
        ("farm", amap.liaison),
        ("farm", other.farmer),
        ("committee", amap.farmer),
        ("committee", amap.treasurer),
        ("committee", other.committee),
    ]:
        with pytest.raises(Refused, match="Only a"):
            offers.accept(offer, side=side, by=person, now=NOW)
    assert not offer.acceptances.exists()


def test_one_person_never_accepts_for_both_sides(amap):
    CommitteeSeat.objects.create(association=amap.association, user=amap.farmer, role="committee", starts_on=LONG_AGO)
    offer = proposed(amap)
    offers.accept(offer, side="committee", by=amap.farmer, now=NOW)
    with pytest.raises(Refused, match="two people"):
        offers.accept(offer, side="farm", by=amap.farmer, now=NOW)
    partner = amap.user("noor", "Noor")
    Farmer.objects.create(farm=amap.farm, user=partner)
    offers.accept(offer, side="farm", by=partner, now=NOW)
    assert offer.status == "agreed"


def test_a_seat_that_ended_accepts_nothing(amap):
    offer = proposed(amap)
    CommitteeSeat.objects.filter(user=amap.committee).update(ends_on=TODAY - timedelta(1))
    with pytest.raises(Refused, match="committee"):
        offers.accept(offer, side="committee", by=amap.committee, now=NOW)


def test_a_version_read_before_it_changed_is_not_accepted(amap):
    offer = proposed(amap)
    drafts.edit(offer, reference_price_cents=2050, by=amap.committee, now=NOW)
    offers.propose(offer, by=amap.committee, now=NOW)
    with pytest.raises(Refused, match=r"version 1.*version 2"):
        offers.accept(offer, side="farm", version=1, by=amap.farmer, now=NOW)


def test_two_acceptances_of_different_contents_are_no_agreement(amap):
    """BR-8: same version *and* same content hash, even when the row was changed behind the actions' back."""
    offer = proposed(amap)
    offers.accept(offer, side="farm", by=amap.farmer, now=NOW)
    ContractOffer.objects.filter(pk=offer.pk).update(reference_price_cents=1)
    with pytest.raises(Refused, match="another content"):
        offers.accept(offer, side="committee", by=amap.committee, now=NOW)


# Opening, freeze, end


def test_the_committee_opens_what_both_agreed_and_everybody_is_told(amap):
    offer = agreed(amap)
    offers.open(offer, by=amap.committee, now=NOW)
    assert offer.status == "open"
    assert {amap.member.email, amap.treasurer.email} <= letters_of("offer_open")


@pytest.mark.parametrize("sides", [[], ["farm"], ["committee"]])
def test_neither_side_alone_can_open(amap, sides):
    """F3: farm alone cannot open; committee alone cannot open."""
    offer = proposed(amap)
    for side in sides:
        offers.accept(offer, side=side, by=amap.farmer if side == "farm" else amap.committee, now=NOW)
    for person in (amap.committee, amap.farmer):
        with pytest.raises(Refused):
            offers.open(offer, by=person, now=NOW)
    assert ContractOffer.objects.get(pk=offer.pk).status == "proposed"


@pytest.mark.parametrize("who", ["farmer", "liaison", "treasurer", "member"])
def test_only_the_committee_opens(amap, who):
    offer = agreed(amap)
    with pytest.raises(Refused, match="Only the committee"):
        offers.open(offer, by=getattr(amap, who), now=NOW)


def test_opening_waits_for_the_agreed_day(amap):
    offer = agreed(amap, open_on=date(2027, 2, 1))
    with pytest.raises(Refused, match=r"1 February 2027"):
        offers.open(offer, by=amap.committee, now=NOW)
    offers.open(offer, by=amap.committee, now=datetime(2027, 2, 1, 0, 1, tzinfo=PARIS))
    assert offer.status == "open"


def test_opening_needs_a_liaison_still_named(amap):
    offer = agreed(amap)
    amap.partnership.liaisons.update(ends_on=TODAY)
    with pytest.raises(Refused, match="liaison"):
        offers.open(offer, by=amap.committee, now=NOW)


def test_sign_up_does_not_open_after_the_first_delivery(amap):
    """reliability 5.3."""
    with pytest.raises(Refused, match="after the first delivery"):
        drafts.edit(draft(amap), open_on=APRIL, by=amap.farmer, now=NOW)
    waits = draft(amap, open_on=date(2027, 3, 20))
    earlier = date(2027, 3, 18)
    with pytest.raises(Refused, match="after the first delivery"):
        drafts.set_days(waits, days=[earlier, APRIL], by=amap.farmer, now=NOW)
    with pytest.raises(Refused, match="after the first delivery"):
        drafts.set_calendar(waits, starts_on=earlier, ends_on=APRIL, weekday=THURSDAY, by=amap.farmer, now=NOW)


def test_the_description_of_an_offer_opened_on_its_first_day_may_change_br_14(amap):
    offer = amap.offer(status="running", start=date(2026, 10, 1), open_on=date(2026, 10, 1))
    drafts.edit(offer, description="Bonjour", by=amap.farmer, now=NOW)
    assert ContractOffer.objects.get().description == "Bonjour"


@pytest.mark.parametrize(
    ("status", "fields", "is_open"),
    [
        ("agreed", {}, False),
        ("open", {}, True),
        ("open", {"open_on": TODAY}, True),
        ("open", {"open_on": TODAY + timedelta(days=1)}, False),
        ("running", {}, True),
        ("running", {"late_join_allowed": False}, False),
        ("closed", {}, False),
    ],
)
def test_households_may_sign_what_is_open_or_takes_people_in_later_br_23(status, fields, is_open):
    assert ContractOffer(status=status, **fields).is_open(TODAY) == is_open


def test_an_open_offer_is_frozen_but_for_its_description(amap):
    """BR-14, first half."""
    offer = opened(amap)
    amap.subscribe(amap.household, offer)
    for change in (
        lambda: drafts.edit(offer, reference_price_cents=2200, by=amap.committee, now=NOW),
        lambda: drafts.edit(offer, sizes=[], by=amap.committee, now=NOW),
        lambda: drafts.set_days(offer, days=[APRIL], by=amap.committee, now=NOW),
        lambda: drafts.set_budget(offer, lines=[], planned_equivalents_hundredths=0, by=amap.committee, now=NOW),
    ):
        with pytest.raises(Refused, match="1 contract is signed on these terms"):
            change()
    drafts.edit(offer, description="Nouvelle photo", by=amap.farmer, now=NOW)
    offer.refresh_from_db()
    assert (offer.status, offer.description, offer.reference_price_cents) == ("open", "Nouvelle photo", 2100)


def test_seasons_start_and_end_by_themselves_once(amap):
    """§2.2: running on the day of the first delivery, closed after the last; a second run changes nothing."""
    offer = opened(amap)
    amap.subscribe(amap.household, offer, status="validated")
    first_day = datetime(2027, 4, 1, 0, 30, tzinfo=PARIS)
    assert tasks.start_and_end_seasons(first_day - timedelta(hours=1)) == 0
    assert (tasks.start_and_end_seasons(first_day), tasks.start_and_end_seasons(first_day)) == (1, 0)
    after = datetime(2027, 9, 24, 0, 30, tzinfo=PARIS)
    assert tasks.start_and_end_seasons(after) == 0, "a delivery is still planned"
    offer.deliveries.update(status="held")
    assert (tasks.start_and_end_seasons(after), tasks.start_and_end_seasons(after)) == (1, 0)
    offer.refresh_from_db()
    assert offer.status == "closed"


@pytest.mark.parametrize(
    ("status", "words"),
    [("open", "starts by itself"), ("running", "ends by itself"), ("closed", "ended by itself")],
)
def test_the_committee_reads_when_and_why_a_season_moves_on(amap, client, status, words):
    offer = amap.offer(status=status)
    client.force_login(amap.committee)
    text = client.get(url(amap, "offer", offer.pk)).content.decode()
    assert words in text
    assert ("1 October 2026" if status == "open" else "3 December 2026") in text
    client.force_login(amap.member)
    assert words not in client.get(url(amap, "offer", offer.pk)).content.decode()


def test_a_season_nobody_signed_for_does_not_start(amap):
    opened(amap)
    assert tasks.start_and_end_seasons(datetime(2027, 4, 1, 8, 0, tzinfo=PARIS)) == 0


def test_an_offer_is_cancelled_with_a_reason_and_never_while_a_payment_is_held(amap):
    offer = opened(amap)
    subscription = amap.subscribe(amap.household, offer, status="awaiting_documents")
    with pytest.raises(Refused, match="Say why"):
        offers.cancel(offer, by=amap.committee, now=NOW, reason="")
    subscription.instalments.filter(number=1).update(status="received")
    with pytest.raises(Refused, match="1 payment has been handed over"):
        offers.cancel(offer, by=amap.committee, now=NOW, reason="La ferme s'arrête")
    assert ContractOffer.objects.get(pk=offer.pk).status == "open"


def test_cancelling_an_open_offer_withdraws_its_sign_ups_and_tells_everybody(amap):
    offer = opened(amap)
    subscription = amap.subscribe(amap.household, offer, status="awaiting_documents")
    offers.cancel(offer, by=amap.committee, now=NOW, reason="La ferme s'arrête")
    subscription.refresh_from_db()
    assert (offer.status, offer.taken_hundredths, subscription.status) == ("cancelled", 0, "withdrawn")
    assert {amap.member.email, amap.farmer.email} <= letters_of("offer_cancelled")


def test_whoever_waits_for_a_place_is_told_that_the_offer_is_cancelled_and_waits_no_more(amap, client):
    offer = opened(amap)
    ContractOffer.objects.filter(pk=offer.pk).update(capacity_hundredths=0)
    places.wait(offer, household=amap.household, equivalents_hundredths=50, client_token=uuid4(), by=None, now=NOW)
    offers.cancel(offer, by=amap.committee, now=NOW, reason="La ferme s'arrête")
    assert list(offer.waiting_list.values_list("status", flat=True)) == ["withdrawn"]
    assert amap.member.email in letters_of("offer_cancelled")
    client.force_login(amap.member)
    letter = Letter.objects.get(kind="offer_cancelled", to=amap.member.email)
    assert client.get(letter.context["url"]).status_code == 200


def test_nobody_waits_for_a_season_that_is_over(amap):
    offer = amap.offer(capacity_hundredths=100)
    amap.subscribe(amap.new_household(), offer)
    places.wait(offer, household=amap.household, equivalents_hundredths=50, client_token=uuid4(), by=None, now=NOW)
    offer.deliveries.update(status="held")
    tasks.start_and_end_seasons(NOW + timedelta(days=40))
    offer.refresh_from_db()
    assert offer.status == "closed"
    assert list(offer.waiting_list.values_list("status", flat=True)) == ["withdrawn"]


def test_a_running_season_is_not_cancelled(amap):
    with pytest.raises(Refused, match="no longer"):
        offers.cancel(amap.offer(), by=amap.committee, now=NOW, reason="Non")


# Words of the contract (BR-35, BR-43)


def test_the_legal_clauses_follow_what_the_offer_is(amap):
    def titles(**fields):
        offer = draft(amap, **fields)
        return [title for title, _text in wording.legal_clauses(offer)]

    text = " ".join(clause for _title, clause in wording.legal_clauses(draft(amap)))
    assert "des acomptes à valoir sur le prix, et non des arrhes" in text
    assert "L. 221-28" in text
    assert "Dates d'encaissement" not in titles(accepts_cheques=False)
    assert "Formulaire de rétractation" in titles(perishable=False)
    assert "Formulaire de rétractation" not in titles()
    assert "sept jours" in wording.legal_clauses(draft(amap, mediation_contact=""), off_premises=True)[-1][1]


def test_capacity_never_goes_under_what_is_taken(amap):
    """reliability 5.3: the database says no, whatever path leads there."""
    offer = amap.offer()
    amap.subscribe(amap.household, offer)
    with pytest.raises(IntegrityError), transaction.atomic():
        ContractOffer.objects.filter(pk=offer.pk).update(capacity_hundredths=50)


# Pages


def url(amap, name, *args):
    return reverse(f"contracts:{name}", args=[amap.slug, *args])


@pytest.fixture
def sign_in(client, time_machine):
    """A function that signs a person in, on the day of the tests."""
    time_machine.move_to(NOW, tick=False)

    def enter(user):
        client.force_login(user)
        return client

    return enter


PAGES = [
    "offer",
    "offer_edit",
    "offer_calendar",
    "offer_budget",
    "offer_shares",
    "offer_payment",
    "offer_terms",
    "cancel",
]
VERBS = ["propose", "accept", "withdraw", "offer_dates"]


@pytest.mark.parametrize("kind", ["harvest_share", "fixed_quantity", "by_date"])
@pytest.mark.parametrize("who", ["farmer", "liaison", "committee"])
def test_every_page_of_a_draft_opens_for_those_who_prepare_it(amap, sign_in, who, kind):
    offer = draft(amap, kind=kind)
    client = sign_in(getattr(amap, who))
    for name in PAGES:
        assert client.get(url(amap, name, offer.pk)).status_code == 200, name


def test_a_draft_does_not_exist_for_members_nor_for_another_farm(amap, sign_in):
    """BR-5, BR-76: outside one's own, 404, whatever the verb."""
    offer = draft(amap)
    elsewhere = Amap("ailleurs", "Ailleurs")
    Partnership.objects.create(association=amap.association, farm=elsewhere.farm, since=LONG_AGO)
    for person in (amap.member, elsewhere.farmer, elsewhere.committee):
        client = sign_in(person)
        assert [client.get(url(amap, name, offer.pk)).status_code for name in PAGES] == [404] * len(PAGES)
        assert [client.post(url(amap, name, offer.pk)).status_code for name in VERBS] == [404] * len(VERBS)
    assert sign_in(amap.member).post(url(amap, "open", offer.pk)).status_code == 403


def test_another_farms_offer_is_read_but_not_written_once_agreed(amap, sign_in):
    offer = agreed(amap)
    other = Amap("ailleurs", "Ailleurs")
    Partnership.objects.create(association=amap.association, farm=other.farm, since=LONG_AGO)
    client = sign_in(other.farmer)
    assert client.get(url(amap, "offer", offer.pk)).status_code == 200
    assert client.get(url(amap, "offer_edit", offer.pk)).status_code == 404
    assert client.post(url(amap, "withdraw", offer.pk)).status_code == 404


def test_an_offer_is_written_proposed_accepted_and_opened_through_its_pages(amap, sign_in):
    """The whole road, by the pages alone."""
    client = sign_in(amap.farmer)
    new = url(amap, "offer_new") + f"?farm={amap.farm.pk}"
    written = {"title": "Légumes 2027-28", "kind": "harvest_share", "place": amap.place.pk}
    made, again = client.post(new, written), client.post(new, written)
    offer = ContractOffer.objects.get(title="Légumes 2027-28")
    assert made.url == again.url == url(amap, "offer_calendar", offer.pk)

    def send(name, data):
        answer = client.post(url(amap, name, offer.pk), data)
        assert answer.status_code == 302, answer.context and answer.context["form"].errors
        return answer.url

    dates = {"starts_on": "2027-04-01", "ends_on": "2028-03-23", "weekday": 3, "interval_weeks": 1}
    assert send("offer_calendar", dates | {"closures": "12/08/2027; 19/08/2027, 23/12/2027 30/12/2027"}) == url(
        amap, "offer_budget", offer.pk
    )
    assert offer.deliveries.count() == 48
    lines = {
        f"line-{n}-{field}": value
        for n, (category, label, cents) in enumerate(VEGETABLE_BUDGET)
        for field, value in (("category", category), ("label", label), ("amount_cents", f"{cents // 100},00"))
    }
    budget = {"amap_share_hundredths": "70 %", "planned_equivalents_hundredths": "42", "budget_visibility": "members"}
    send("offer_budget", lines | budget | {"line-count": "6", "line-5-category": "charges"})
    page = client.get(url(amap, "offer_shares", offer.pk)).content.decode()
    assert 'value="21.00"' in page, "the computed price is proposed"
    shares = {
        "composition": "Légumes",
        "min_varieties": 5,
        "reference_price_cents": "21,00",
        "capacity_hundredths": "42",
    }
    rows = {
        "size-count": "3",
        "size-0-label": "Entière",
        "size-0-coefficient_hundredths": "1",
        "size-1-label": "Demie",
        "size-1-coefficient_hundredths": "0,5",
    }
    send("offer_shares", shares | rows | {"perishable": "on"})
    assert list(offer.sizes.values_list("price_cents", flat=True)) == [2100, 1050]
    send("offer_payment", PAYMENT | {"instalment_counts": ["1", "12"], "date_strategy": "first_of_month"})
    offer.refresh_from_db()
    terms = {name: getattr(offer, name) for name in ("member_commitments", "farmer_commitments", "common_commitments")}
    terms |= {name: getattr(offer, name) for name in ("hazard_clause", "absence_clause", "termination_clause")}
    send("offer_terms", terms | {"mediation_contact": "Le réseau", "contract_copies": 3})
    send("propose", {})
    send("accept", {"side": "farm", "version": 1})
    client = sign_in(amap.committee)
    send("accept", {"side": "committee", "version": 1})
    send("open", {})
    offer.refresh_from_db()
    assert offer.status == "open"


PAYMENT = {
    "accepts_cheques": "on",
    "instalment_counts": ["1", "3"],
    "min_instalment_cents": "10",
    "date_strategy": "custom",
    "rounding_mode": "first",
    "producer_lead_days": 7,
    "reservation_days": 10,
    "late_join_allowed": "on",
}


def test_a_farm_chooses_the_days_it_cashes_on_one_by_one_br_36(amap, sign_in):
    offer = draft(amap)
    client, page = sign_in(amap.farmer), url(amap, "offer_payment", offer.pk)
    assert "Give the days" in client.post(page, PAYMENT).content.decode()
    late = client.post(page, PAYMENT | {"payment_days": f"2/11/2026, {offer.ends_on + timedelta(days=1):%d/%m/%Y}"})
    assert "comes after the season" in late.content.decode()
    assert "2/11/2026" in late.content.decode()
    last = offer.ends_on
    client.post(page, PAYMENT | {"payment_days": f"{last:%d/%m/%Y} ; 05/01/2027"})
    offer.refresh_from_db()
    assert offer.payment_days == ["2027-01-05", last.isoformat()]
    assert f'value="05/01/2027, {last:%d/%m/%Y}"' in client.get(page).content.decode()
    shown = client.get(reverse("contracts:offer", args=[amap.association.slug, offer.pk])).content.decode()
    assert "January 5, 2027" in shown or "5 January 2027" in shown
    client.post(page, PAYMENT | {"payment_days": "05/01/2027", "date_strategy": "per_delivery"})
    offer.refresh_from_db()
    assert offer.payment_days == []


def test_days_to_choose_are_asked_for_before_anything_is_proposed_br_10_br_36(amap):
    offer = draft(amap)
    offer.date_strategy = "custom"
    assert "payment_days" in missing(offer)
    offer.payment_days = ["2027-01-05"]
    assert "payment_days" not in missing(offer)


def test_a_wrong_form_keeps_what_was_typed_and_saves_nothing(amap, sign_in):
    offer = draft(amap)
    client = sign_in(amap.farmer)
    wrong = {"starts_on": "2027-04-01", "ends_on": "2027-03-01", "weekday": 3, "interval_weeks": 1, "closures": "hier"}
    page = client.post(url(amap, "offer_calendar", offer.pk), wrong).content.decode()
    assert "“hier” is not a date" in page
    assert 'value="2027-03-01"' in page
    page = client.post(url(amap, "offer_calendar", offer.pk), wrong | {"closures": ""}).content.decode()
    assert "before the start" in page
    assert offer.deliveries.count() == 26


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("reference_price_cents", "0", "more than 0"),
        ("reference_price_cents", "vingt", "is not an amount"),
        ("capacity_hundredths", "0", "Give a number"),
        ("size-0-coefficient_hundredths", "-1", "is not a number"),
        ("size-0-price_cents", "1e6", "is not an amount"),
        ("size-count", "99999999999", "Please check"),
    ],
)
def test_bad_figures_are_answered_with_a_sentence(amap, sign_in, field, typed, words):
    """reliability 5.3."""
    offer = draft(amap)
    good = {
        "composition": "x",
        "min_varieties": 5,
        "reference_price_cents": "21",
        "capacity_hundredths": "" if field == "size-count" else "42",
        "size-count": "1",
        "size-0-label": "Entière",
        "size-0-coefficient_hundredths": "1",
    }
    answer = sign_in(amap.farmer).post(url(amap, "offer_shares", offer.pk), good | {field: typed})
    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_an_open_offer_shows_only_its_description_to_edit(amap, sign_in):
    """BR-14."""
    offer = opened(amap)
    client = sign_in(amap.committee)
    assert list(client.get(url(amap, "offer_edit", offer.pk)).context["form"].fields) == ["description"]
    client.post(url(amap, "offer_edit", offer.pk), {"description": "Neuf", "title": "Piraté"})
    offer.refresh_from_db()
    assert (offer.title, offer.description) == ("Légumes 2026-27", "Neuf")
    refused = client.post(
        url(amap, "offer_terms", offer.pk),
        dict.fromkeys([*wording.TERMS, "mediation_contact"], "x") | {"contract_copies": 3},
    )
    assert "its terms no longer change" in refused.content.decode()


def test_a_commercial_edit_says_before_and_after_what_it_voids(amap, sign_in):
    """BR-8: consequences before commitment."""
    offer = agreed(amap)
    client = sign_in(amap.liaison)
    assert "makes version 2" in client.get(url(amap, "offer_payment", offer.pk)).content.decode()
    days = [day.isoformat() for day in offer.deliveries.values_list("day", flat=True)]
    answer = client.post(url(amap, "offer_dates", offer.pk), {"day": days[:20], "extra": "2027-10-01"}, follow=True)
    assert "Saved as version 2" in answer.content.decode()
    assert offer.deliveries.count() == 21


def test_dates_that_cannot_be_come_back_as_they_were_ticked(amap, sign_in):
    offer = draft(amap, open_on=date(2027, 3, 20))
    days = [day.isoformat() for day in offer.deliveries.values_list("day", flat=True)]
    address, client = url(amap, "offer_dates", offer.pk), sign_in(amap.liaison)
    for extra, told in (("2027-03-18", "after the first delivery"), ("2127-04-01", "This year cannot be right.")):
        page = client.post(address, {"day": days[:20], "extra": extra}).content.decode()
        assert told in page
        assert f'value="{extra}"' in page
        assert [f'value="{day}"' in page for day in days] == [True] * 26
        assert page.count('name="day"') == 26
        assert page.count(" checked>") == 20
    assert offer.deliveries.count() == 26
    client.post(address, {"day": days[:20], "extra": days[0]})
    assert offer.deliveries.count() == 20, "A date both ticked and added is one date."


def test_all_lines_of_a_page_are_kept_and_the_page_says_when_it_has_no_more(amap, sign_in):
    offer = draft(amap, kind="by_date")
    products = [{"name": f"Produit {n}", "unit": "", "price_cents": 100} for n in range(59)]
    drafts.edit(offer, products=products[:50], by=amap.farmer, now=NOW)
    address, client = url(amap, "offer_shares", offer.pk), sign_in(amap.farmer)
    assert "lines at most" not in client.get(address).content.decode()
    drafts.edit(offer, products=products, by=amap.farmer, now=NOW)
    page = client.get(address)
    assert "60 lines at most." in page.content.decode()
    shown = len(page.context["rows"])
    typed = {f"product-{n}-name": f"Produit {n}" for n in range(shown)}
    typed |= {f"product-{n}-price_cents": "1,00" for n in range(shown)}
    client.post(
        address, typed | {"product-count": shown, "minimum_per_delivery_cents": "0", "minimum_per_season_cents": "0"}
    )
    assert offer.products.count() == shown == 60


@pytest.mark.parametrize(("day", "may_sign"), [(date(2026, 11, 28), False), (date(2026, 11, 29), True)])
def test_a_season_too_far_on_is_not_open_to_anybody_br_24(amap, sign_in, day, may_sign):
    """The farm needs seven days: on Saturday 21 November it can prepare Sunday 29, not Saturday 28."""
    offer = amap.offer(deliveries=2, start=day - timedelta(weeks=1))
    offers_page = sign_in(amap.member).get(url(amap, "offers")).content.decode()
    assert ("Open to you" in offers_page) == may_sign
    page = sign_in(amap.member).get(url(amap, "offer", offer.pk)).content.decode()
    assert (url(amap, "sign", offer.pk) in page) == may_sign


@pytest.mark.parametrize("status", ["cancelled", "locked", "held"])
def test_an_offer_whose_last_deliveries_are_fixed_or_called_off_is_not_open_to_anybody_br_24(amap, sign_in, status):
    """The farm needs no notice here; what is left is today's delivery and the last one."""
    offer = amap.offer(deliveries=2, start=TODAY, producer_lead_days=0)
    client = sign_in(amap.member)
    offers_page, page = url(amap, "offers"), url(amap, "offer", offer.pk)
    assert "Open to you" in client.get(offers_page).content.decode()
    offer.deliveries.filter(rank=2).update(status=status)
    assert "Open to you" not in client.get(offers_page).content.decode()
    assert url(amap, "sign", offer.pk) not in client.get(page).content.decode()


def test_a_member_sees_price_dates_people_and_the_way_to_sign(amap, sign_in):
    offer = opened(amap)
    offers_page = sign_in(amap.member).get(url(amap, "offers")).content.decode()
    assert "Open to you" in offers_page
    page = sign_in(amap.member).get(url(amap, "offer", offer.pk)).content.decode()
    for words in ("€21.00", "26 deliveries", "Lou Lien", "Préau de l&#x27;école", url(amap, "sign", offer.pk)):
        assert words in page
    assert "For the farm, its liaison and the committee" not in page
    assert sign_in(amap.member).get(url(amap, "offer_new")).status_code == 403


def test_the_budget_is_hidden_from_members_when_agreed_so(amap, sign_in):
    """BR-9: `budget_visibility`."""
    offer = draft(amap, price_reason="x")
    drafts.set_budget(
        offer,
        lines=VEGETABLE_BUDGET,
        planned_equivalents_hundredths=4200,
        budget_visibility="committee",
        by=amap.farmer,
        now=NOW,
    )
    ContractOffer.objects.filter(pk=offer.pk).update(status="open")
    assert "60,480" not in sign_in(amap.member).get(url(amap, "offer", offer.pk)).content.decode()
    assert sign_in(amap.member).get(url(amap, "price_note", offer.pk)).status_code == 404
    assert "60,480" in sign_in(amap.liaison).get(url(amap, "offer", offer.pk)).content.decode()


def test_the_price_note_is_a_pdf(amap, sign_in):
    """D17."""
    offer = draft(amap, price_reason="Année de transition")
    drafts.set_budget(
        offer, lines=VEGETABLE_BUDGET, amap_share_hundredths=7000, planned_equivalents_hundredths=4200, by=None, now=NOW
    )
    answer = sign_in(amap.farmer).get(url(amap, "price_note", offer.pk))
    text = PdfReader(BytesIO(answer.content)).pages[0].extract_text()
    for words in ("60,480.00", "42,336.00", "38.75", "Année de transition"):
        assert words in text


def test_the_price_note_stays_as_it_was_accepted_br_9(amap, sign_in):
    """D17 is archived with the agreement: another step of prices computes another price afterwards."""
    offer = draft(amap, price_reason="Année de transition")
    drafts.set_budget(
        offer, lines=VEGETABLE_BUDGET, amap_share_hundredths=7000, planned_equivalents_hundredths=4200, by=None, now=NOW
    )
    offers.propose(offer, by=amap.farmer, now=NOW)
    offers.accept(offer, side="farm", by=amap.farmer, now=NOW)
    offers.accept(offer, side="committee", by=amap.committee, now=NOW)
    agreed = price_note(offer)
    Association.objects.update(price_step_cents=100)
    offer = ContractOffer.objects.get(pk=offer.pk)
    assert price_note(offer).computed_cents == 3900
    assert agreed_note(offer) == agreed
    answer = sign_in(amap.farmer).get(url(amap, "price_note", offer.pk))
    assert "38.75" in PdfReader(BytesIO(answer.content)).pages[0].extract_text()


@pytest.mark.parametrize("fields", [{"address": "Ailleurs"}, {"opens_at": time(17)}])
def test_br8_another_place_or_hour_is_not_what_was_accepted(amap, fields):
    offer = agreed(amap)
    settings.edit_place(amap.place, by=amap.committee, now=NOW, **fields)
    with pytest.raises(Refused, match="no longer what both sides accepted"):
        offers.open(offer, by=amap.committee, now=NOW)


@pytest.mark.parametrize("page", ["offers", "offer"])
def test_pages_ask_the_same_few_questions_whatever_the_size(amap, sign_in, django_assert_max_num_queries, page):
    """P5: ten queries at most, for the committee, who see most."""
    offer = proposed(amap)
    client = sign_in(amap.committee)
    address = url(amap, "offers") if page == "offers" else url(amap, "offer", offer.pk)
    with django_assert_max_num_queries(10):
        client.get(address)
    for n in range(5):
        amap.offer(title=f"Autre {n}", deliveries=40)
    with django_assert_max_num_queries(10):
        client.get(address)
    opened_offer = ContractOffer.objects.exclude(pk=offer.pk).first()
    with django_assert_max_num_queries(10):
        client.get(url(amap, "offer", opened_offer.pk))
