"""Whether breaches follow breaches: Christoffersen on pairs of consecutive dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.analysis.backtest.chances import chi2_tail, times_log
from margincore.analysis.backtest.columns import pair, truths
from margincore.analysis.backtest.frequency import LikelihoodRatio, kupiec

__all__ = [
    "Transitions",
    "breaches",
    "christoffersen",
    "conditional_coverage",
    "transitions",
]


@dataclass(frozen=True)
class Transitions(Record):
    """Pairs of consecutive dates: ``n01`` has no breach on the first and one on the second."""

    n00: int
    n01: int
    n10: int
    n11: int


def breaches(margins: ArrayLike, losses: ArrayLike) -> NDArray[np.bool_]:
    """Where the loss is greater than the margin.

    >>> breaches([1.0, 1.0], [1.0, 1.5]).tolist()
    [False, True]
    """
    m, x = pair(margins, losses)
    return x > m


def transitions(breached: ArrayLike) -> Transitions:
    """Counts of consecutive pairs.

    >>> transitions([False, True, True, False])
    Transitions(n00=0, n01=1, n10=1, n11=1)
    """
    hit = truths("transitions", breached)
    before, after = hit[:-1], hit[1:]
    return Transitions(
        int((~before & ~after).sum()), int((~before & after).sum()),
        int((before & ~after).sum()), int((before & after).sum()),
    )  # fmt: skip


def christoffersen(pairs: Transitions) -> LikelihoodRatio | None:
    """Christoffersen's independence (1998): is a breach as likely after a breach as after none?

    ``None`` where there is no breach, or nothing else: then there is nothing to compare.

    >>> test = christoffersen(Transitions(n00=932, n01=53, n10=53, n11=4))
    >>> round(test.statistic, 5), round(test.p_value, 5)
    (0.25866, 0.61104)
    """
    if min(pairs.n00, pairs.n01, pairs.n10, pairs.n11) < 0:
        raise InvalidInput(f"{pairs}: counts cannot be negative", code="out_of_range")
    calm, struck = pairs.n00 + pairs.n01, pairs.n10 + pairs.n11
    hits = pairs.n01 + pairs.n11
    if hits == 0 or calm == 0 or struck == 0 or hits == calm + struck:
        return None
    rate = hits / (calm + struck)
    after_none, after_hit = pairs.n01 / calm, pairs.n11 / struck
    alike = times_log(pairs.n00 + pairs.n10, 1.0 - rate) + times_log(hits, rate)
    apart = (
        times_log(pairs.n00, 1.0 - after_none) + times_log(pairs.n01, after_none)
        + times_log(pairs.n10, 1.0 - after_hit) + times_log(pairs.n11, after_hit)
    )  # fmt: skip
    statistic = -2.0 * (alike - apart)
    return LikelihoodRatio(statistic, chi2_tail(statistic, 1))


def conditional_coverage(observations: int, failures: int, p: float, pairs: Transitions) -> LikelihoodRatio | None:
    """Both at once: the sum of :func:`kupiec` and :func:`christoffersen`, with two degrees of freedom.

    `pairs` are one fewer than the observations, or as many where the date before the first is known; several series
    counted together leave out one for each. Raises :class:`InvalidInput` where pairs and counts cannot be of the same
    dates.

    >>> test = conditional_coverage(1043, 57, 0.05, Transitions(932, 53, 53, 4))
    >>> round(test.statistic, 5), round(test.p_value, 5)
    (0.72013, 0.69763)
    >>> pairs = Transitions(218, 14, 14, 6)                # Jorion, Value at Risk (3rd ed., ch. 6): J.P. Morgan, 1998
    >>> round(conditional_coverage(252, 20, 0.05, pairs).statistic, 2)
    13.44
    """
    count, hits = pairs.n00 + pairs.n01 + pairs.n10 + pairs.n11, pairs.n01 + pairs.n11
    # Each date that no pair ends at (the first of a series) may be a breach or not.
    if count > observations or not 0 <= failures - hits <= observations - count:
        raise InvalidInput(
            f"{pairs} are not of {failures} breaches of {observations}: fewer pairs than observations, or as many "
            "where the date before the first is known, and the breaches they end at",
            code="out_of_range",
        )
    independence = christoffersen(pairs)
    if independence is None:
        return None
    statistic = kupiec(observations, failures, p).statistic + independence.statistic
    return LikelihoodRatio(statistic, chi2_tail(statistic, 2))
