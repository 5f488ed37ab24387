"""Tools against procyclicality: buffers, stressed weights, floors, caps and speed limits (EMIR RTS 153/2013)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from margincore._core import InvalidInput
from margincore.analysis.backtest.columns import Floats, column, number, pair

__all__ = ["buffer", "cap", "long_run_floor", "speed_limit", "stress_weight"]


def buffer(margins: ArrayLike, release: float, *, rate: float = 0.25) -> Floats:
    """EMIR RTS 153/2013 Article 28 (a): ``max(m, min((1 + rate) m, release))``.

    A buffer of `rate` that is used up as margins rise towards the release level.

    >>> buffer([100.0, 80.0, 120.0], 110.0).tolist()
    [110.0, 100.0, 120.0]
    """
    m = column("margins", margins)
    rate, release = number("rate", rate, 0.0), number("release", release, 0.0)
    return np.maximum(m, np.minimum((1.0 + rate) * m, release))


def stress_weight(margins: ArrayLike, stressed: ArrayLike, *, weight: float = 0.25) -> Floats:
    """Article 28 (b): at least a quarter of the weight on stressed observations.

    >>> stress_weight([100.0], [260.0]).tolist()
    [140.0]
    """
    m, s = pair(margins, stressed, "stressed margin")
    weight = number("weight", weight, 0.0, 1.0)
    return (1.0 - weight) * m + weight * s


def long_run_floor(margins: ArrayLike, ten_year: ArrayLike) -> Floats:
    """Article 28 (c): not below the margin from volatility over ten years.

    >>> long_run_floor([60.0, 90.0], [75.0, 75.0]).tolist()
    [75.0, 90.0]
    """
    return np.maximum(*pair(margins, ten_year, "ten-year margin"))


def cap(margins: ArrayLike, amount: float) -> Floats:
    """Margins not above an amount.

    >>> cap([150.0, 130.0], 140.0).tolist()
    [140.0, 130.0]
    """
    return np.minimum(column("margins", margins), number("amount", amount, 0.0))


def speed_limit(margins: Sequence[float] | Floats, limit: float, *, days: int = 1) -> Floats:
    """Each margin at most `limit` times what was charged `days` earlier.

    >>> speed_limit([100.0, 130.0, 200.0], 1.3).tolist()
    [100.0, 130.0, 169.0]
    """
    charged = column("margins", margins).copy()
    if days < 1:
        raise InvalidInput(f"speed_limit: {days} days: at least one is needed", code="out_of_range")
    limit = number("limit", limit, 0.0)
    for i in range(days, charged.size):
        charged[i] = min(charged[i], charged[i - days] * limit)
    return charged
