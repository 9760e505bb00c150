import math
from itertools import combinations, product

import pytest

from text2sql.evaluation.estimates import mcnemar, paired_difference, pass_all, pass_at, wilson


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        # Of Newcombe (1998), table I, the score method.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(20, 20)[1] == 1.0


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 3), (1, 9), (12, 3), (0, 6)])
def test_mcnemar_is_the_two_sided_binomial_test(only_a: int, only_b: int) -> None:
    pairs = only_a + only_b
    chances = [math.comb(pairs, each) / 2**pairs for each in range(pairs + 1)]
    as_rare = sum(chance for chance in chances if chance <= chances[only_a] + 1e-12)
    assert mcnemar(only_a, only_b) == pytest.approx(as_rare)
    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a)


def test_mcnemar_of_more_pairs_than_a_float_can_count_is_a_number() -> None:
    assert 0 < mcnemar(600, 750) < 0.001


def test_paired_difference_holds_the_difference_and_shrinks_with_more_pairs() -> None:
    low, high = paired_difference(3, 9, 100)
    # (10 - 4) / 102 and its standard error, reckoned by hand.
    assert (low + high) / 2 == pytest.approx(6 / 102)
    assert (high - low) / 2 == pytest.approx(
        1.959964 * math.sqrt((14 / 102 - (6 / 102) ** 2) / 102), abs=1e-6
    )
    assert low < 0.06 < high
    longer = paired_difference(30, 90, 1000)
    assert longer[1] - longer[0] < high - low
    assert paired_difference(0, 1, 1) == (pytest.approx(-0.7, abs=0.2), 1.0)


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_passes_are_the_shares_of_all_choices(tries: int) -> None:
    for right, k in product(range(tries + 1), range(1, tries + 1)):
        choices = list(combinations([True] * right + [False] * (tries - right), k))
        assert pass_at(tries, right, k) == pytest.approx(sum(map(any, choices)) / len(choices))
        assert pass_all(tries, right, k) == pytest.approx(sum(map(all, choices)) / len(choices))
