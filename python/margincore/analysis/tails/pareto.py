"""Peaks over a threshold: a generalised Pareto distribution fitted to the losses beyond it, by maximum likelihood.

A. McNeil and R. Frey, Estimation of tail-related risk measures for heteroscedastic financial time series: an extreme
value approach, Journal of Empirical Finance 7 (2000); the likelihood in one unknown is S. Grimshaw's,
Technometrics 35 (1993).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import CalculationError, NotApplicable
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.backtest.columns import column
from margincore.analysis.tails.tail import Confidence, Tail, level
from margincore.methods.hvar import ppm

__all__ = ["ParetoTail", "pareto"]

Floats = NDArray[np.float64]

#: Below this shape the likelihood is not regular and its maximum no estimate (R. Smith, Biometrika 72, 1985).
_LEAST_SHAPE = -0.5


@dataclass(frozen=True, slots=True)
class ParetoTail(Record):
    """A generalised Pareto distribution of losses beyond a `threshold`: ``P(L > u + y | L > u) = (1 + shape y /
    scale) ** (-1 / shape)``.

    `observations` are all losses, `exceedances` those beyond the threshold. `shape_error` and `scale_error` are
    asymptotic standard errors (Smith 1987). `threshold` and `scale` have the unit of the losses.
    """

    threshold: float
    shape: float
    scale: float
    exceedances: int
    observations: int

    @property
    def shape_error(self) -> float:
        """``(1 + shape) / sqrt(exceedances)``."""
        return (1.0 + self.shape) / math.sqrt(self.exceedances)

    @property
    def scale_error(self) -> float:
        """``scale sqrt(2 (1 + shape) / exceedances)``."""
        return self.scale * math.sqrt(2.0 * (1.0 + self.shape) / self.exceedances)

    def tail(self, confidence: Confidence) -> Tail:
        """Value at risk and expected shortfall beyond the threshold.

        ``VaR = u + scale / shape ((n / N (1 - a)) ** -shape - 1)`` and ``ES = (VaR + scale - shape u) / (1 - shape)``
        (McNeil and Frey 2000); ``ES`` is ``None`` from a shape of one, where the tail has no mean.

        Raises :class:`NotApplicable` for a confidence below the threshold's own: the fit says nothing there.

        >>> ParetoTail(2.75, 0.22, 2.1, 102, 521).tail("0.99")
        Tail(var=11.569..., es=16.749...)
        """
        a = level(confidence)
        share = self.exceedances / self.observations
        if (1_000_000 - ppm(confidence)) * self.observations > 1_000_000 * self.exceedances:
            raise NotApplicable(
                f"confidence {a:g} is below the threshold's own, {1.0 - share:.6g}: only the tail beyond it is fitted",
                code="not_covered",
                where="confidence",
                value=a,
            )
        far = math.log(share / (1.0 - a))
        grown = math.expm1(self.shape * far) / self.shape if self.shape != 0.0 else far
        var = self.threshold + self.scale * grown
        if self.shape >= 1.0:
            return Tail(var, None)
        return Tail(var, (var + self.scale - self.shape * self.threshold) / (1.0 - self.shape))


def pareto(losses: ArrayLike, *, threshold: float | None = None, exceedances: int | None = None) -> ParetoTail:
    """Fits the tail of losses beyond a `threshold`, or beyond that loss which leaves so many `exceedances`.

    `losses` are positive where money is lost, in any order; one of the two is given. With `exceedances` the threshold
    is the next loss, so that as many are strictly beyond it. Equal losses at the threshold are not beyond it.

    Raises :class:`InvalidInput` for fewer than ten losses beyond the threshold, or losses that are all equal there;
    :class:`CalculationError` where the likelihood has no maximum with a shape above -0.5: the losses end too sharply.

    >>> import numpy as np
    >>> losses = np.random.default_rng(1).standard_t(4, 5000)
    >>> fit = pareto(losses, exceedances=250)
    >>> round(fit.shape, 3), round(fit.shape_error, 3), round(fit.tail("0.99").var, 3)
    (0.186, 0.075, 3.953)
    """
    x = np.sort(column("losses", losses))[::-1]
    if (threshold is None) == (exceedances is None):
        given.refuse("threshold", threshold, "one of threshold and exceedances is needed", "contradiction")
    if exceedances is not None:
        count = given.number("exceedances", exceedances, 1.0)
        if not count.is_integer() or count >= x.size:
            given.refuse("exceedances", exceedances, f"a whole number below {x.size} is needed", "out_of_range")
        start = float(x[int(count)])
    else:
        start = given.number("threshold", threshold)
    beyond = x[x > start] - start
    if beyond.size < 10:
        given.refuse("threshold", start, f"{beyond.size} losses are beyond it: at least ten are needed", "out_of_range")
    # In units of the largest: the likelihood does not know the unit of money.
    unit = float(beyond[0])
    shape, scale = _fitted(beyond / unit)
    return ParetoTail(start, shape, scale * unit, int(beyond.size), int(x.size))


def _profile(theta: float, y: Floats) -> tuple[float, float]:
    """The likelihood per loss of the best shape for ``theta = shape / scale``, and that shape (Grimshaw 1993)."""
    if abs(theta) < 1e-9:
        return -math.log(float(y.mean())) - 1.0, 0.0
    shape = float(np.log1p(theta * y).mean())
    return -math.log(shape / theta) - shape - 1.0, shape


def _fitted(y: Floats) -> tuple[float, float]:
    """The best shape and scale of exceedances of at most one: the best of a grid, then a golden section about it."""
    # theta is above -1, where the largest loss is the end of the tail; the right end is a tail far heavier than any.
    grid = np.concatenate(
        [-1.0 + np.logspace(-9, math.log10(0.9), 240), np.linspace(-0.0999, 0.1, 81), np.logspace(-1, 25, 1500)]
    )
    told = [_profile(float(theta), y) for theta in grid]
    regular = [i for i, (_, shape) in enumerate(told) if shape > _LEAST_SHAPE]
    best = max(regular, key=lambda i: told[i][0])
    if best in (regular[0], len(grid) - 1):
        raise CalculationError(
            "the losses beyond the threshold have no generalised Pareto fit with a shape above -0.5 that is best: they "
            "end too sharply, or are alike. Another threshold may have one"
        )
    low, high = float(grid[best - 1]), float(grid[best + 1])
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    for _ in range(120):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _profile(left, y)[0] < _profile(right, y)[0]:
            low = left
        else:
            high = right
    theta = 0.5 * (low + high)
    shape = _profile(theta, y)[1]
    return shape, (shape / theta if shape != 0.0 else float(y.mean()))
