"""How long until a breach: the first one (Kupiec), each one (Haas), and their spread (Christoffersen and Pelletier)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.backtest.chances import chi2_tail, times_log
from margincore.analysis.backtest.columns import Floats, rate, truths
from margincore.analysis.backtest.frequency import LikelihoodRatio, kupiec

__all__ = [
    "WeibullDurations",
    "christoffersen_pelletier",
    "gaps",
    "haas",
    "haas_independence",
    "kupiec_tuff",
]


def gaps(breached: ArrayLike) -> tuple[int, ...]:
    """Dates up to the first breach, then from each breach to the next; none without a breach.

    `breached` is as :func:`breaches` gives it, in the order of the dates. The dates after the last breach end no gap.

    >>> gaps([False, False, True, True, False, True, False])
    (3, 1, 2)
    """
    hit = np.flatnonzero(truths("gaps", breached))
    return tuple(int(gap) for gap in np.diff(hit, prepend=-1))


def _gap(what: str, dates: object) -> int:
    found = given.number(what, dates, 1.0)
    if not found.is_integer():
        given.refuse(what, dates, "a whole number of dates is needed, at least one", "out_of_range")
    return int(found)


def _waited(dates: int, p: float) -> float:
    """Twice the log likelihood ratio of a geometric waiting time: at the rate that fits it best, and at `p`."""
    found = times_log(1, 1.0 / dates) + times_log(dates - 1, 1.0 - 1.0 / dates)
    return 2.0 * (found - math.log(p) - times_log(dates - 1, 1.0 - p))


def kupiec_tuff(first: int, p: float) -> LikelihoodRatio:
    """Kupiec's time until first failure (1995): did the first breach come when the confidence promises it?

    `first` is the number of the date of the first breach, counted from one (the first of :func:`gaps`); `p` the
    promised rate of breaches. Chi-squared with one degree of freedom. It says little: one date is all it reads.

    Raises :class:`InvalidInput` for a `first` below one, and a `p` that is no rate of breaches.

    Source: P. Kupiec, Techniques for verifying the accuracy of risk measurement models, Journal of Derivatives 3
    (1995); the example is MathWorks', page of ``varbacktest.tuff``.

    >>> test = kupiec_tuff(58, 0.05)
    >>> round(test.statistic, 4), round(test.p_value, 5)
    (1.7354, 0.18773)
    """
    statistic = _waited(_gap("first", first), rate(p))
    return LikelihoodRatio(statistic, chi2_tail(statistic, 1))


def haas_independence(waits: Iterable[int], p: float) -> LikelihoodRatio | None:
    """Haas's time between failures (2001): :func:`kupiec_tuff` of every breach, added up.

    `waits` are as :func:`gaps` gives them; `p` is the promised rate of breaches. Chi-squared with as many degrees of
    freedom as there are breaches: breaches that cluster, and those that come too regularly, are both found.
    ``None`` without a breach. Raises :class:`InvalidInput` as :func:`kupiec_tuff`.

    Source: M. Haas, New methods in backtesting, Research Center Caesar (2001).

    >>> haas_independence([58], 0.05) == kupiec_tuff(58, 0.05)
    True
    """
    found = [_gap("waits", dates) for dates in given.rows("waits", waits)]
    promised = rate(p)
    if not found:
        return None
    statistic = math.fsum(_waited(dates, promised) for dates in found)
    return LikelihoodRatio(statistic, chi2_tail(statistic, len(found)))


def haas(observations: int, waits: Iterable[int], p: float) -> LikelihoodRatio | None:
    """Haas's mixed test (2001): :func:`kupiec` and :func:`haas_independence` at once, their sum.

    `observations` is the number of dates, `waits` are as :func:`gaps` gives them. One more degree of freedom than
    breaches. ``None`` without a breach. Raises :class:`InvalidInput` where the gaps do not fit into the dates.

    >>> test = haas(250, [10, 3, 1, 90], 0.01)
    >>> round(test.statistic, 3), round(test.p_value, 4)
    (18.311, 0.0026)
    """
    found = [_gap("waits", dates) for dates in given.rows("waits", waits)]
    if sum(found) > observations:
        given.refuse(
            "waits", sum(found), f"gaps of {observations} observations are no longer than these", "out_of_range"
        )
    independence = haas_independence(found, p)
    frequency = kupiec(observations, len(found), p)
    if independence is None:
        return None
    statistic = frequency.statistic + independence.statistic
    return LikelihoodRatio(statistic, chi2_tail(statistic, len(found) + 1))


@dataclass(frozen=True)
class WeibullDurations(Record):
    """Christoffersen and Pelletier's statistic, its probability, and the `shape` that fits the waiting times best.

    A shape below one is clustering: after a breach the next is likelier at first. One has no memory.
    """

    statistic: float
    p_value: float
    shape: float


def christoffersen_pelletier(breached: ArrayLike, p: float | None = None) -> WeibullDurations | None:
    """Christoffersen and Pelletier's duration test (2004): have the times between breaches a memory?

    `breached` is as :func:`breaches` gives it, in the order of the dates. A Weibull distribution of the times
    between breaches, where the first and the last are cut off by the sample, against the exponential one it contains:
    chi-squared with one degree of freedom. With a promised rate `p` the exponential must be its own
    (their conditional coverage): two degrees of freedom.

    ``None`` where there is nothing to fit: fewer than two breaches, or waiting times all alike (none of them longer
    than those that end in a breach), whose best fit has no bound. Raises :class:`InvalidInput` for what is no array
    of True and False, and for a `p` that is no rate of breaches. The probability is the asymptotic one; with a
    handful of breaches it is rough.

    Source: P. Christoffersen and D. Pelletier, Backtesting value-at-risk: a duration-based approach, Journal of
    Financial Econometrics 2 (2004).

    >>> import numpy as np
    >>> hit = np.zeros(500, dtype=bool)
    >>> hit[[100, 102, 103, 106, 300, 301, 305, 306]] = True          # in two swarms
    >>> test = christoffersen_pelletier(hit)
    >>> round(test.statistic, 2), round(test.p_value, 4), round(test.shape, 2)
    (16.3, 0.0001, 0.37)
    """
    hit = truths("christoffersen_pelletier", breached)
    promised = None if p is None else rate(p)
    waits, ended = _spells(hit)
    shape = _shape(waits, ended)
    if shape is None:
        return None
    best = _log_likelihood(waits, ended, shape, _scale(waits, ended, shape))
    plain = _log_likelihood(waits, ended, 1.0, _scale(waits, ended, 1.0) if promised is None else promised)
    statistic = max(2.0 * (best - plain), 0.0)
    return WeibullDurations(statistic, chi2_tail(statistic, 1 if promised is None else 2), shape)


def _spells(hit: np.ndarray) -> tuple[Floats, np.ndarray]:
    """Waiting times, and which of them ended in a breach that a breach had begun.

    The one before the first breach has no known beginning and the one after the last no known end: both are cut off,
    unless the sample begins, or ends, with a breach.
    """
    at = np.flatnonzero(hit)
    if at.size == 0:
        return np.zeros(0), np.zeros(0, dtype=bool)
    between = np.diff(at)
    before = [int(at[0]) + 1] if at[0] > 0 else []
    after = [hit.size - 1 - int(at[-1])] if at[-1] < hit.size - 1 else []
    ended = [*[False] * len(before), *[True] * between.size, *[False] * len(after)]
    return np.array([*before, *between, *after], dtype=np.float64), np.array(ended, dtype=bool)


def _scale(waits: Floats, ended: np.ndarray, shape: float) -> float:
    """The rate of the Weibull that fits best for a shape: the `a` of ``a**b b t**(b-1) exp(-(a t)**b)``."""
    return float((ended.sum() / np.sum(waits**shape)) ** (1.0 / shape))


def _log_likelihood(waits: Floats, ended: np.ndarray, shape: float, scale: float) -> float:
    """Densities of the times that ended, survival of those cut off."""
    hazard = math.log(shape) + shape * math.log(scale) + (shape - 1.0) * np.log(waits[ended])
    return float(hazard.sum() - np.sum((scale * waits) ** shape))


def _shape(waits: Floats, ended: np.ndarray) -> float | None:
    """The shape that fits best: the one root of the score, which falls as the shape grows."""
    if ended.sum() < 1:
        return None
    logs = np.log(waits)
    mean, longest = float(logs[ended].mean()), float(logs.max())
    if mean >= longest - 1e-12:
        return None

    def score(shape: float) -> float:
        weights = np.exp(shape * (logs - longest))  # the longest is one: no overflow
        return 1.0 / shape + mean - float(weights @ logs / weights.sum())

    low, high = 1.0, 1.0
    while score(low) < 0.0:
        low /= 2.0
    while score(high) > 0.0:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (middle, high) if score(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)
