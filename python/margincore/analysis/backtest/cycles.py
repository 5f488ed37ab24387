"""What margins cost, and how far and how fast they rise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.analysis.backtest.columns import positive

__all__ = ["Procyclicality", "max_ratio", "max_to_min", "peak_to_trough", "procyclicality"]


def max_to_min(margins: ArrayLike) -> float:
    """The largest margin over the smallest, whichever came first: some studies call this peak to trough.

    >>> max_to_min([3.0, 2.0, 1.0]), peak_to_trough([3.0, 2.0, 1.0])
    (3.0, 1.0)
    """
    m = positive("margins", margins)
    return float(m.max() / m.min())


def peak_to_trough(margins: ArrayLike) -> float:
    """The largest ratio of a margin to an earlier one (or to itself): how far margins have risen.

    >>> peak_to_trough([2.0, 1.0, 3.0, 2.0])
    3.0
    """
    m = positive("margins", margins)
    return float((m / np.minimum.accumulate(m)).max())


def max_ratio(margins: ArrayLike, days: int) -> float:
    """The largest ratio of a margin to the one `days` earlier.

    >>> max_ratio([2.0, 1.0, 3.0, 2.0], 1)
    3.0
    """
    m = positive("margins", margins)
    if not 0 < days < m.size:
        raise InvalidInput(f"max_ratio: {days} days among {m.size} margins: fewer days than margins are needed")
    return float((m[days:] / m[:-days]).max())


@dataclass(frozen=True)
class Procyclicality(Record):
    """What margins cost and how fast they rose: largest ratios to the margin so many days earlier."""

    mean: float
    max: float
    min: float
    peak_to_trough: float
    max_1d: float
    max_5d: float
    max_20d: float


def procyclicality(margins: ArrayLike) -> Procyclicality:
    """The cost of margins and their rises, over at least 21 dates.

    >>> procyclicality([100.0] * 20 + [150.0]).peak_to_trough
    1.5
    """
    m = positive("margins", margins)
    return Procyclicality(
        float(m.mean()), float(m.max()), float(m.min()), peak_to_trough(m),
        max_ratio(m, 1), max_ratio(m, 5), max_ratio(m, 20),
    )  # fmt: skip
