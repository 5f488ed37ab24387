"""Whether anything known beforehand foretells a breach: Engle and Manganelli's dynamic quantile test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.backtest.chances import chi2_tail
from margincore.analysis.backtest.columns import pair, rate

__all__ = ["DynamicQuantile", "dynamic_quantile"]


@dataclass(frozen=True)
class DynamicQuantile(Record):
    """The statistic of a dynamic quantile test, its probability, and the `degrees` of freedom it has."""

    statistic: float
    p_value: float
    degrees: int


def dynamic_quantile(
    margins: ArrayLike, losses: ArrayLike, p: float, *, lags: int = 4, margin: bool = True
) -> DynamicQuantile:
    """Engle and Manganelli's dynamic quantile (2004), out of sample: is a breach foretold by what was known before?

    ``hit = 1[loss > margin] - p`` is regressed on a constant, on itself of the `lags` dates before, and on the margin
    of the date (left out with `margin` false). Under a right model nothing explains it, and the explained sum of
    squares over ``p (1 - p)`` is chi-squared. Columns that add nothing, such as a margin that never changed, take no
    degree of freedom. `margins` and `losses` are amounts by date, of equal length; `p` is the promised rate of
    breaches.

    Raises :class:`InvalidInput` for columns of unequal length, and for too few dates: more are needed beyond the lags
    than the regression has columns.

    Source: R. Engle and S. Manganelli, CAViaR: conditional autoregressive value at risk by regression quantiles,
    Journal of Business and Economic Statistics 22 (2004), with the instruments of their application.

    >>> import numpy as np
    >>> chance = np.random.default_rng(1)
    >>> losses = chance.normal(size=1000)
    >>> test = dynamic_quantile(np.full(1000, 1.645), losses, 0.05)
    >>> round(test.statistic, 3), round(test.p_value, 3), test.degrees
    (2.403, 0.791, 5)
    """
    m, x = pair(margins, losses)
    promised = rate(p)
    before = given.number("lags", lags, 0.0)
    if not before.is_integer():
        given.refuse("lags", lags, "a whole number of dates is needed", "out_of_range")
    back, with_margin = int(before), given.flag("margin", margin)
    columns = 1 + back + with_margin
    if m.size - back <= columns:
        given.refuse("margins", m.size, f"more than {back + columns} dates are needed with {back} lags", "wrong_shape")
    hit = (x > m) - promised
    own = hit[back:]
    known = [np.ones(own.size), *(hit[back - k : hit.size - k] for k in range(1, back + 1))]
    if with_margin:
        # The scale of the margins is no matter of the test: about their mean, in their own spread.
        spread = float(np.ptp(m[back:]))
        known.append((m[back:] - m[back:].mean()) / spread if spread > 0.0 else np.zeros(own.size))
    left, sizes, _ = np.linalg.svd(np.column_stack(known), full_matrices=False)
    kept = left[:, sizes > sizes[0] * own.size * np.finfo(np.float64).eps]
    explained = kept.T @ own
    statistic = float(explained @ explained) / (promised * (1.0 - promised))
    return DynamicQuantile(statistic, chi2_tail(statistic, kept.shape[1]), kept.shape[1])
