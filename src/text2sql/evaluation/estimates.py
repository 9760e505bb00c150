"""Shares and differences with what chance makes of them; knows nothing of questions."""

import math
from typing import TypeAlias

Z95 = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""

Interval: TypeAlias = tuple[float, float]


def wilson(right: int, of: int) -> Interval:
    """Return the Wilson score interval (95 %) of a share; of nothing it is everything (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    share, square = right / of, Z95 * Z95
    centre = share + square / (2 * of)
    half = Z95 * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (centre - half) / (1 + square / of)), min(1.0, (centre + half) / (1 + square / of))


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p-value that as many pairs as these differ one way by chance.

    It is the binomial test of the pairs that differ (McNemar 1947), twice the smaller tail.
    """
    pairs = only_a + only_b
    tail = sum(math.comb(pairs, each) for each in range(min(only_a, only_b) + 1))
    probability: float = 2 * tail / (1 << pairs)
    return min(1.0, probability)


def paired_difference(only_a: int, only_b: int, of: int) -> Interval:
    """Return the interval (95 %) of the share of B less that of A, of `of` pairs.

    It is the adjusted Wald interval of Bonett and Price (2012): one is added to each kind of differing pair.
    """
    a, b, pairs = (only_a + 1) / (of + 2), (only_b + 1) / (of + 2), of + 2
    half = Z95 * math.sqrt((a + b - (b - a) ** 2) / pairs)
    return max(-1.0, b - a - half), min(1.0, b - a + half)


def pass_at(tries: int, right: int, k: int) -> float:
    """Return how likely one of `k` of the tries is right; unbiased (Chen et al. 2021)."""
    return 1 - math.comb(tries - right, k) / math.comb(tries, k)


def pass_all(tries: int, right: int, k: int) -> float:
    """Return how likely all of `k` of the tries are right, pass^k; unbiased (Yao et al. 2024)."""
    return math.comb(right, k) / math.comb(tries, k)
