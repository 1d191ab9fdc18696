import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries import sharing

VEGETABLES = {100: 31, 50: 22}
BASKETS = st.dictionaries(st.integers(1, 300), st.integers(0, 60), max_size=5)
AMOUNTS = st.integers(0, 1_000_000)


def given_away(shared, baskets):
    return sum(amount * baskets[size] for size, amount in shared.each.items())


@pytest.mark.parametrize(
    ("grams", "each", "used"),
    [(63_000, {100: 1500, 50: 750}, 63_000), (58_000, {100: 1350, 50: 650}, 56_150), (0, {100: 0, 50: 0}, 0)],
)
def test_carrots_and_potatoes_of_br_47(grams, each, used):
    shared = sharing.share_weight(grams, VEGETABLES)
    assert shared.each == each
    assert sharing.used(shared, VEGETABLES) == used
    assert shared.leftover == grams - used


def test_sixty_lettuces_of_br_47():
    shared = sharing.share_pieces(60, VEGETABLES)
    assert shared.each == {100: 1, 50: 1}
    assert shared.leftover == 7
    assert shared.due == {100: -43, 50: 29}


def test_tomatoes_without_a_limit_of_br_58():
    assert sharing.share_weight(126_000, VEGETABLES).each == {100: 3000, 50: 1500}


def test_one_harvest_for_two_associations_of_br_77():
    ours, theirs = {100: 31, 50: 22}, {100: 20, 50: 16}
    shared = sharing.share_weight(200_000, {100: 51, 50: 38})
    assert shared.each == {100: 2850, 50: 1400}
    assert (sharing.used(shared, ours), sharing.used(shared, theirs)) == (119_150, 79_400)
    assert shared.leftover == 1450


def test_a_basket_carried_over_counts_twice_when_given_twice():
    assert sharing.share_weight(64_500, {100: 32, 50: 22}).each == {100: 1500, 50: 750}


@given(AMOUNTS, BASKETS, st.sampled_from([1, 10, 50, 100]))
def test_a_weight_is_shared_without_loss_in_steps_and_in_proportion_br_47(grams, baskets, step):
    shared = sharing.share_weight(grams, baskets, step_grams=step)
    present = sharing.equivalents(baskets)
    assert given_away(shared, baskets) + shared.leftover == grams
    assert shared.leftover >= 0
    assert set(shared.each) == {size for size, count in baskets.items() if count}
    for size, amount in shared.each.items():
        assert amount % step == 0
        assert 0 <= size * grams - amount * present < step * present


@given(st.integers(0, 500), BASKETS, st.dictionaries(st.integers(1, 300), st.integers(-500, 500)))
def test_pieces_are_shared_without_loss_and_fairly_br_47(pieces, baskets, due):
    shared = sharing.share_pieces(pieces, baskets, due=due)
    assert given_away(shared, baskets) + shared.leftover == pieces
    assert shared.leftover >= 0
    assert all(amount >= 0 for amount in shared.each.values())
    if pieces >= 2 * sum(baskets.values()) * max(baskets, default=1):
        sizes = sorted(shared.each)
        assert [shared.each[size] for size in sizes] == sorted(shared.each.values())
        assert 0 not in shared.each.values()


def test_scarce_pieces_alternate_between_the_sizes_br_47():
    first = sharing.share_pieces(37, VEGETABLES)
    assert (first.each, first.leftover) == ({100: 1, 50: 0}, 6)
    second = sharing.share_pieces(37, VEGETABLES, due=first.due)
    assert (second.each, second.leftover) == ({100: 0, 50: 1}, 15)


@pytest.mark.parametrize("pieces", [31, 37, 45, 52])
def test_over_the_season_the_sizes_receive_in_proportion_br_47(pieces):
    received, due = {100: 0, 50: 0}, {}
    for _delivery in range(60):
        shared = sharing.share_pieces(pieces, VEGETABLES, due=due)
        due = shared.due
        for size, amount in shared.each.items():
            received[size] += amount
    assert abs(received[100] - 2 * received[50]) <= 2


def test_a_size_absent_today_keeps_what_it_is_due():
    assert sharing.share_pieces(31, {100: 31}, due={50: -29}).due == {100: 0, 50: -29}


def test_not_enough_for_any_size_goes_to_the_share_table():
    shared = sharing.share_pieces(20, VEGETABLES)
    assert (shared.each, shared.leftover) == ({100: 0, 50: 0}, 20)


def test_nobody_there_leaves_everything():
    assert sharing.share_weight(5000, {}).leftover == 5000
    assert sharing.share_pieces(12, {100: 0}) == sharing.Sharing({}, 12)


@pytest.mark.parametrize(
    ("whole", "step", "each", "total"),
    [(1500, 50, {100: 1500, 50: 750}, 63_000), (1350, 50, {100: 1350, 50: 650}, 56_150), (1, 1, {100: 1, 50: 1}, 53)],
)
def test_the_quantity_of_a_whole_share_tells_what_to_bring_br_45(whole, step, each, total):
    shared = sharing.needed(whole, VEGETABLES, step=step)
    assert shared.each == each
    assert sharing.used(shared, VEGETABLES) == total
