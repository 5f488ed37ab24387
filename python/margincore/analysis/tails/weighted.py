"""Quantiles and shortfall of losses that count by weights: by age, by likelihood, by stress.

Every convention is named as NumPy names it without weights, and equals it where the weights are equal. Others of
Hyndman and Fan (1996) count observations, which weights have none of: they are refused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import NotApplicable
from margincore.analysis import given
from margincore.analysis.backtest.columns import column
from margincore.analysis.tails.tail import Confidence, level

__all__ = ["WEIGHTED", "weighted"]

#: Conventions that weights are defined for.
WEIGHTED = ("inverted_cdf", "averaged_inverted_cdf", "interpolated_inverted_cdf", "hazen", "es_acerbi")

Floats = NDArray[np.float64]


def weighted(losses: ArrayLike, weights: ArrayLike, measure: str, confidence: Confidence) -> float:
    """A quantile, or the expected shortfall, of losses under weights.

    `losses` and `weights` are of equal length, in any order; weights are not negative and are divided by their sum. A
    loss of weight zero is none. With cumulative weights ``W`` from the smallest loss up:

    - ``inverted_cdf``: the smallest loss with ``W >= a``;
    - ``averaged_inverted_cdf``: the same, and half way to the next loss where ``W = a``;
    - ``interpolated_inverted_cdf``: the line through the losses at ``W``;
    - ``hazen``: the line through the losses at the middle of their own weight, ``W - w / 2``: the interpolation of
      Boudoukh, Richardson and Whitelaw, The best of both worlds, Risk 11 (1998);
    - ``es_acerbi``: the mean of the weight ``1 - a`` of the worst (Acerbi and Tasche 2002).

    Beyond the first and the last point of a line its end counts. ``W >= a`` is taken to a part in 1e12, so that weights
    that add up to a confidence in decimals do so here. Raises :class:`InvalidInput` for weights that are negative or
    all zero, :class:`NotApplicable` for a measure that is not defined with weights.

    >>> losses, weights = [10.0, 20.0, 30.0, 40.0], [0.1, 0.2, 0.3, 0.4]
    >>> [round(weighted(losses, weights, name, "0.7"), 6) for name in WEIGHTED]
    [40.0, 40.0, 32.5, 37.142857, 40.0]
    """
    a = level(confidence)
    x, w = column("losses", losses), column("weights", weights)
    if x.size != w.size:
        given.refuse("weights", w.size, f"one weight for each of {x.size} losses is needed", "wrong_shape")
    if w.size == 0 or (w < 0.0).any() or float(w.sum()) <= 0.0:
        given.refuse("weights", float(w.min()) if w.size else None, "weights from zero, not all zero", "out_of_range")
    if measure not in WEIGHTED:
        raise NotApplicable(
            f"measure {measure!r} is not defined with weights: {', '.join(WEIGHTED)} are",
            code="not_covered",
            where="measure",
            value=measure,
        )
    x, w = x[w > 0.0], w[w > 0.0] / w.sum()
    order = np.argsort(x, kind="stable")
    x, w = x[order], w[order]
    upto = np.cumsum(w)
    if measure == "es_acerbi":
        # The worst first; of the last one only what is missing.
        taken = np.diff(np.minimum(np.concatenate([[0.0], np.cumsum(w[::-1])]), 1.0 - a))
        return float(taken @ x[::-1] / taken.sum())
    if measure == "interpolated_inverted_cdf":
        return float(np.interp(a, upto, x))
    if measure == "hazen":
        return float(np.interp(a, upto - 0.5 * w, x))
    at = min(int(np.searchsorted(upto, a - 1e-12)), x.size - 1)
    if measure == "averaged_inverted_cdf" and abs(float(upto[at]) - a) <= 1e-12 and at + 1 < x.size:
        return float(0.5 * (x[at] + x[at + 1]))
    return float(x[at])
