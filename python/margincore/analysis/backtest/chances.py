"""Tails of the distributions behind the tests, in closed form."""

from __future__ import annotations

import math

__all__ = ["binomial_cdf", "chi2_tail", "times_log"]


def chi2_tail(statistic: float, degrees: int) -> float:
    """The probability that a chi-squared variable of so many degrees of freedom exceeds the statistic.

    Whole degrees have a finite sum (Abramowitz and Stegun 26.4.4 and 26.4.5); its terms are all positive.

    >>> round(chi2_tail(3.841458820694124, 1), 12), round(chi2_tail(5.991464547107979, 2), 12)
    (0.05, 0.05)
    >>> round(chi2_tail(88.491, 57), 5)
    0.00475
    """
    half = max(statistic, 0.0) / 2.0
    start = math.erfc(math.sqrt(half)) if degrees % 2 else math.exp(-half)
    if half == 0.0:
        return 1.0
    first = 0.5 if degrees % 2 else 1.0
    terms = [
        math.exp((first + j) * math.log(half) - half - math.lgamma(first + j + 1.0)) for j in range((degrees - 1) // 2)
    ]
    return min(math.fsum([start, *terms]), 1.0)


def binomial_cdf(count: int, trials: int, probability: float) -> float:
    """The probability of at most `count` successes, terms added from the smallest.

    >>> [round(100 * binomial_cdf(x, 250, 0.01), 2) for x in (0, 4, 5)]
    [8.11, 89.22, 95.88]
    """
    if count < 0:
        return 0.0
    low, high = math.log(probability), math.log1p(-probability)
    fixed = math.lgamma(trials + 1)
    terms = [
        math.exp(fixed - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * low + (trials - k) * high)
        for k in range(min(count, trials) + 1)
    ]
    return min(math.fsum(terms), 1.0)


def times_log(count: float, probability: float) -> float:
    """``count * ln(probability)``; a count of zero drops the term, whatever the probability."""
    return count * math.log(probability) if count else 0.0
