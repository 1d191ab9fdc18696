from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.utils.translation import override
from hypothesis import assume, given
from hypothesis import strategies as st

from amap.errors import Refused
from contracts import calendars, pricing
from contracts.pricing import Choice, Line, Part, Quote, Short

WHOLE, HALF = 1, 2
TURNS = st.sampled_from(["every", "odd", "even"])
STRATEGIES = ["first_of_month", "fifth_of_month", "first_delivery_of_month", "per_delivery"]


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


def vegetable_days():
    closures = [date(2026, 8, 13), date(2026, 8, 20), date(2026, 12, 24), date(2026, 12, 31)]
    days = calendars.generate(date(2026, 4, 2), date(2027, 3, 25), 3, closures=closures)
    days[6] = date(2026, 5, 13)
    return days


DAYS = vegetable_days()
FIRSTS = [date(2026 + (m > 12), (m - 1) % 12 + 1, 1) for m in range(4, 16)]


# The price of a share


def test_the_vegetable_price_of_br_9():
    lines = [1_848_000, 640_000, 580_000, 820_000, 2_160_000]
    assert sum(lines) == 6_048_000
    assert pricing.price_from_budget(sum(lines), 7000, 48, 4200, 5) == 2100


def test_the_networks_price_of_br_9():
    assert pricing.price_from_budget(100_000, 10_000, 1, 5000) == 2000


def test_there_is_no_price_before_deliveries_and_shares_are_known_br_9():
    assert pricing.price_from_budget(6_048_000, 7000, 0, 4200) is None
    assert pricing.price_from_budget(6_048_000, 7000, 48, 0) is None


@given(st.integers(0, 10**9), st.integers(1, 10_000), st.integers(1, 120), st.integers(1, 20_000), st.integers(1, 100))
def test_the_price_is_the_nearest_step_half_up_br_9(total, share, deliveries, shares, step):
    price = pricing.price_from_budget(total, share, deliveries, shares, step)
    below_and_above = 2 * total * share - 2 * price * 100 * deliveries * shares
    assert price % step == 0
    assert -step * 100 * deliveries * shares <= below_and_above < step * 100 * deliveries * shares


@pytest.mark.parametrize(("coefficient", "price"), [(100, 2100), (50, 1050), (25, 525), (150, 3150), (33, 693)])
def test_a_size_costs_its_part_of_the_whole_br_15(coefficient, price):
    assert pricing.share_price(2100, coefficient) == price


def test_half_of_an_odd_price_is_rounded_up_br_15():
    assert pricing.share_price(2105, 50) == 1053


# Turns and share-equivalents


def taken(turn, first, last):
    return [rank for rank in range(first, last + 1) if pricing.takes(turn, rank)]


def test_two_turns_share_the_season_in_halves_br_46():
    assert len(taken("odd", 1, 48)) == len(taken("even", 1, 48)) == 24
    ranks = {day: rank for rank, day in enumerate(DAYS, start=1)}
    assert pricing.takes("even", ranks[date(2026, 12, 17)])
    assert pricing.takes("odd", ranks[date(2027, 1, 7)])


@given(st.integers(1, 60), st.integers(1, 60))
def test_the_turns_alternate_and_leave_nobody_out_br_46_br_80(first, last):
    odd, even = taken("odd", first, last), taken("even", first, last)
    assert sorted([*odd, *even]) == taken("every", first, last) == list(range(first, last + 1))
    assert all(rank % 2 for rank in odd)


@pytest.mark.parametrize(
    ("coefficient", "quantity", "turn", "expected"),
    [
        (100, 26, "every", 2600),
        (50, 22, "every", 1100),
        (50, 1, "odd", 25),
        (100, 1, "even", 50),
        (25, 1, "odd", 13),
        (25, 2, "odd", 25),
    ],
)
def test_capacity_counts_the_coefficient_and_the_rhythm_br_20_br_80(coefficient, quantity, turn, expected):
    assert pricing.equivalents(coefficient, quantity, turn) == expected


def test_nine_fortnightly_halves_left_open_make_five_and_four_br_80():
    taken = {"odd": 0, "even": 0}
    for _household in range(9):
        turn = pricing.lighter_turn(taken["odd"], taken["even"])
        taken[turn] += pricing.equivalents(50, 1, turn)
    assert taken == {"odd": 5 * 25, "even": 4 * 25}


# Quotes


@pytest.mark.parametrize(
    ("choice", "first_rank", "deliveries", "total", "equivalents"),
    [
        (Choice(WHOLE, 1, 2100), 1, 48, 100_800, 100),
        (Choice(HALF, 1, 1050, 50), 1, 48, 50_400, 50),
        (Choice(WHOLE, 1, 2100), 14, 35, 73_500, 100),
        (Choice(HALF, 1, 1050, 50), 14, 35, 36_750, 50),
        (Choice(HALF, 1, 1050, 50, "odd"), 1, 24, 25_200, 25),
        (Choice(WHOLE, 1, 2100), 21, 28, 58_800, 100),
    ],
)
def test_a_quote_counts_the_due_deliveries_br_16_br_23_br_80(choice, first_rank, deliveries, total, equivalents):
    quoted = pricing.quote([choice], range(first_rank, 49))
    assert (quoted.deliveries, quoted.total_cents, quoted.equivalents_hundredths) == (deliveries, total, equivalents)


def test_sizes_and_turns_add_up_line_by_line_br_16():
    quoted = pricing.quote([Choice(WHOLE, 2, 2100), Choice(HALF, 1, 1050, 50, "even"), Choice(3, 0, 500)], range(1, 4))
    assert quoted.lines == (
        Line(WHOLE, 2, 2100, (1, 2, 3), "every", 200),
        Line(HALF, 1, 1050, (2,), "even", 25),
    )
    assert quoted.cents_by_rank == {1: 4200, 2: 5250, 3: 4200}
    assert quoted.cents_by_item == {WHOLE: 12_600, HALF: 1050}
    assert quoted.total_cents == 13_650


def test_a_turn_that_has_no_delivery_left_costs_nothing():
    assert pricing.quote([Choice(WHOLE, 1, 2100, turn="odd")], [48]) == Quote(())


def test_a_negative_choice_is_no_choice():
    with pytest.raises(ValueError):
        pricing.quote([Choice(WHOLE, -1, 2100)], [1])
    with pytest.raises(ValueError):
        pricing.quote_grid({(1, 7): -1}, {7: 360})


CHOICES = st.builds(Choice, st.integers(1, 5), st.integers(0, 6), st.integers(1, 9999), st.integers(1, 300), TURNS)


@given(st.lists(CHOICES, max_size=6), st.integers(1, 60), st.integers(1, 60))
def test_every_way_of_summing_a_quote_gives_its_total_br_16(choices, first, last):
    quoted = pricing.quote(choices, range(first, last + 1))
    due = [len(taken(choice.turn, first, last)) for choice in choices]
    by_hand = sum(c.quantity * c.unit_price_cents * n for c, n in zip(choices, due, strict=True))
    assert quoted.total_cents == by_hand
    assert sum(quoted.cents_by_rank.values()) == sum(quoted.cents_by_item.values()) == by_hand


def test_a_grid_of_23_products_and_13_deliveries_adds_up_its_41_cells_br_81():
    prices = {product: 100 + 10 * product for product in range(23)}
    cells = {(rank, product): 0 for rank in range(1, 14) for product in range(23)}
    filled = [(rank, (rank * 7 + n * 5) % 23) for n in range(4) for rank in range(1, 14)][:41]
    cells |= {cell: 1 + cell[1] % 3 for cell in filled}
    quoted = pricing.quote_grid(cells, prices, range(1, 14))
    assert len(quoted.lines) == 41
    assert quoted.total_cents == sum(cells[cell] * prices[cell[1]] for cell in filled)
    assert quoted.equivalents_hundredths == 0
    assert [line.ranks for line in quoted.lines] == sorted(line.ranks for line in quoted.lines)


def test_a_grid_refuses_a_cell_outside_of_it_br_81():
    with pytest.raises(ValueError):
        pricing.quote_grid({(1, 8): 1}, {7: 360}, [1])
    with pytest.raises(ValueError):
        pricing.quote_grid({(2, 7): 1}, {7: 360}, [1])


def test_minimums_hold_for_filled_deliveries_and_for_the_season_br_81():
    quoted = pricing.quote_grid({(1, 7): 1, (2, 7): 0, (3, 7): 3}, {7: 400}, [1, 2, 3])
    limits = {"per_delivery_cents": 800, "per_season_cents": 2000}
    assert pricing.below_minimum(quoted, **limits, remaining=13, season=13) == [
        Short(1, 400, 800),
        Short(None, 1600, 2000),
    ]


def test_a_late_joiners_season_minimum_is_prorated_down_br_81():
    quoted = pricing.quote_grid({(9, 7): 2}, {7: 384}, [9])
    assert pricing.below_minimum(quoted, per_delivery_cents=0, per_season_cents=2000, remaining=5, season=13) == [
        Short(None, 768, 769)
    ]
    assert not pricing.below_minimum(quoted, per_delivery_cents=768, per_season_cents=1996, remaining=5, season=13)


# Instalments


@pytest.mark.parametrize(
    ("total", "allowed", "dates", "offered"),
    [
        (5980, [1, 3, 6], None, [1, 3]),
        (5000, [1, 3, 5, 6], None, [1, 3, 5]),
        (100_800, [12, 1, 3, 6], None, [1, 3, 6, 12]),
        (73_500, [1, 3, 6, 12], 9, [1, 3, 6, 9]),
        (73_500, [1, 3, 6, 12], 2, [1, 2]),
        (480, [1, 3], None, [1]),
        (5980, [3, 6], 1, [1]),
    ],
)
def test_the_instalments_offered_respect_the_minimum_and_the_dates_br_33_br_36(total, allowed, dates, offered):
    assert pricing.instalment_counts(total, allowed, 1000, dates) == offered


def test_a_signer_before_the_season_pays_on_the_first_of_twelve_months_br_36():
    assert pricing.schedule_dates("first_of_month", DAYS, date(2026, 3, 14)) == FIRSTS


def test_a_late_joiner_has_the_remaining_dates_only_br_36():
    dates = pricing.schedule_dates("first_of_month", DAYS[13:], date(2026, 6, 24))
    assert (len(dates), dates[0], dates[-1]) == (9, date(2026, 7, 1), date(2027, 3, 1))
    assert pricing.schedule(73_500, 9, dates)[:2] == [Part(date(2026, 7, 1), 8172), Part(date(2026, 8, 1), 8166)]


@pytest.mark.parametrize(
    ("strategy", "count", "first", "last"),
    [
        ("fifth_of_month", 12, "2026-04-05", "2027-03-05"),
        ("first_delivery_of_month", 12, "2026-04-02", "2027-03-04"),
        ("per_delivery", 48, "2026-04-02", "2027-03-25"),
    ],
)
def test_the_other_dates_of_br_36(strategy, count, first, last):
    dates = pricing.schedule_dates(strategy, DAYS, date(2026, 3, 14))
    assert (len(dates), dates[0].isoformat(), dates[-1].isoformat()) == (count, first, last)


def test_days_chosen_one_by_one_count_from_the_signature_to_the_last_delivery_br_36():
    chosen = [date(2026, 3, 1), date(2026, 5, 20), date(2026, 11, 2), date(2027, 4, 15)]
    assert pricing.schedule_dates("custom", DAYS, date(2026, 3, 14), chosen) == chosen[1:3]
    assert pricing.schedule_dates("custom", DAYS, date(2026, 12, 1), chosen) == [date(2026, 12, 1)]


def test_a_month_without_delivery_borrows_no_date_twice_br_36():
    days = [date(2026, 7, 30), date(2026, 9, 3), date(2026, 9, 17)]
    assert pricing.schedule_dates("first_delivery_of_month", days, date(2026, 6, 1)) == days[:2]


def test_when_no_date_remains_the_whole_is_paid_at_the_signature_br_36():
    assert pricing.schedule_dates("first_of_month", DAYS[-1:], date(2027, 3, 15)) == [date(2027, 3, 15)]
    assert pricing.schedule_dates("first_of_month", [], date(2027, 3, 15)) == [date(2027, 3, 15)]


@given(st.sampled_from(STRATEGIES), st.integers(0, 47), st.dates(date(2025, 9, 1), date(2027, 4, 30)))
def test_payment_dates_lie_between_the_signature_and_the_last_delivery_br_36(strategy, skipped, signed_on):
    dates = pricing.schedule_dates(strategy, DAYS[skipped:], signed_on)
    assert dates == sorted(set(dates))
    assert dates == [signed_on] or all(signed_on <= day <= DAYS[-1] for day in dates)


def test_fewer_instalments_are_spread_evenly_from_the_first_date():
    assert [day.month for day in pricing.chosen_dates(FIRSTS, 3)] == [4, 8, 12]
    assert [day.month for day in pricing.chosen_dates(FIRSTS, 1)] == [4]
    assert [day.month for day in pricing.chosen_dates(FIRSTS, 5)] == [4, 6, 8, 11, 1]


@pytest.mark.parametrize("count", [0, -1, 13])
def test_more_instalments_than_dates_are_refused(count):
    with pytest.raises(Refused, match="from 1 to 12 instalments"):
        pricing.chosen_dates(FIRSTS, count)


@given(
    st.lists(CHOICES, min_size=1, max_size=4),
    st.integers(0, 47),
    st.sampled_from(STRATEGIES),
    st.integers(1, 48),
    st.sampled_from(["first", "last", "spread", "euro_first"]),
)
def test_instalments_add_up_to_the_total_to_the_cent_br_16(choices, skipped, strategy, count, mode):
    quoted = pricing.quote(choices, range(skipped + 1, 49))
    dates = pricing.schedule_dates(strategy, DAYS[skipped:], date(2026, 3, 1) + timedelta(days=7 * skipped))
    assume(count <= len(dates))
    parts = pricing.schedule(quoted.total_cents, count, dates, mode)
    assert len(parts) == count
    assert sum(part.cents for part in parts) == quoted.total_cents
    assert all(part.on < later.on for part, later in pairwise(parts))


# Cheques


def test_a_cheque_can_be_deposited_for_a_year_and_is_stale_eight_days_later_br_35():
    signed = date(2026, 3, 14)
    assert pricing.last_deposit(signed) == date(2027, 3, 14)
    assert pricing.stale_after(signed) == date(2027, 3, 22)
    assert pricing.last_deposit(date(2028, 2, 29)) == date(2029, 2, 28)


def test_a_deposit_planned_after_a_year_is_refused_br_35():
    assert pricing.cheque_problem(date(2026, 3, 14), date(2027, 3, 14)) is None
    problem = pricing.cheque_problem(date(2026, 3, 14), date(2027, 4, 1))
    assert problem.startswith("The cheque would be stale before its deposit on 1 April 2027")
    assert "until 14 March 2027" in problem


def test_a_cheque_is_never_dated_later_than_today_br_35():
    today = date(2026, 3, 14)
    assert pricing.cheque_problem(today, date(2026, 5, 1), today) is None
    assert "the day it is written" in pricing.cheque_problem(date(2026, 3, 15), date(2026, 5, 1), today)


def test_signed_away_from_the_farm_payments_wait_seven_full_days_br_43():
    assert pricing.instruments_from(date(2026, 3, 12), off_premises=True) == date(2026, 3, 20)
    assert pricing.instruments_from(date(2026, 3, 12), off_premises=False) == date(2026, 3, 12)
