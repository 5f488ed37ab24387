"""Filtered historical simulation by a fitted GARCH(1,1): inputs of the filtered rulebook, by the library ``arch``.

T. Bollerslev, Generalized autoregressive conditional heteroskedasticity, Journal of Econometrics 31 (1986); G.
Barone-Adesi, K. Giannopoulos and L. Vosper, VaR without correlations for portfolios of derivative securities, Journal
of Futures Markets 19 (1999).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import CalculationError, Unsupported
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.backtest.columns import column
from margincore.methods import hvar

__all__ = ["FittedGarch", "filtered", "fit_garch"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedGarch(Record):
    """A GARCH(1,1) fitted to returns: ``v' = omega + alpha r**2 + beta v``, variances of one return.

    `first_variance` is the one before the first return, `degrees` those of the innovations' t distribution (``None``
    for a normal), `log_likelihood` that of the returns as given.
    """

    omega: float
    alpha: float
    beta: float
    first_variance: float
    degrees: float | None
    log_likelihood: float

    def volatility(self, returns: ArrayLike) -> Floats:
        """The volatility known before each return, and one more: tomorrow's. One longer than `returns`.

        >>> FittedGarch(1e-6, 0.1, 0.8, 4e-4, None, 0.0).volatility([0.01]).round(6).tolist()
        [0.02, 0.018193]
        """
        variance = [self.first_variance]
        for r in column("returns", returns):
            variance.append(self.omega + self.alpha * float(r) ** 2 + self.beta * variance[-1])
        return np.asarray(np.sqrt(np.array(variance)), dtype=np.float64)

    def filter(self, **options: Any) -> dict[str, Any]:
        """The filter of a component of :class:`margincore.methods.HistoricalVar` with these parameters.

        The component's window must begin with the returns of the fit: the recursion starts at `first_variance` there.
        Keywords are those of :func:`margincore.methods.hvar.garch` beside the seed: ``target``, ``ratio``,
        ``vol_floor``.

        >>> FittedGarch(1e-6, 0.1, 0.8, 4e-4, None, 0.0).filter()["model"]["garch"]["seed"]
        {'given': 0.0004}
        """
        return hvar.garch(self.omega, self.alpha, self.beta, seed={"given": self.first_variance}, **options)

    def scenarios(self, returns: ArrayLike) -> Floats:
        """Each return over the volatility known before it, times tomorrow's: the rulebook's own filtered returns."""
        r = column("returns", returns)
        known = self.volatility(r)
        return np.asarray(r * known[-1] / known[:-1], dtype=np.float64)


def fit_garch(returns: ArrayLike, *, innovations: Literal["normal", "t"] = "normal") -> FittedGarch:
    """Fits a GARCH(1,1) with zero mean to returns by maximum likelihood, with the library ``arch`` (extra ``garch``).

    `returns` are fractions (0.01 is one per cent), one a date, the oldest first, of the same rule as the rulebook's
    (``"log"``, ``"relative"``). The returns are fitted in units of their own deviation, so that the optimiser sees
    numbers near one, and the parameters are given back in the units of `returns`. The first variance is the
    exponentially weighted mean of squares that ``arch`` starts from.

    Raises :class:`Unsupported` without the extra, :class:`InvalidInput` for fewer than 100 returns or returns that are
    all alike, :class:`CalculationError` where the optimiser does not converge.

    >>> import numpy as np
    >>> chance = np.random.default_rng(5)
    >>> r, v = [], 1e-4
    >>> for z in chance.normal(size=3000):
    ...     r.append(z * v ** 0.5)
    ...     v = 2e-6 + 0.08 * r[-1] ** 2 + 0.90 * v
    >>> fitted = fit_garch(r)
    >>> round(fitted.alpha, 2), round(fitted.beta, 2)
    (0.07, 0.91)
    """
    given.name("innovations", innovations, ("normal", "t"))
    r = column("returns", returns)
    if r.size < 100:
        given.refuse("returns", r.size, "at least 100 returns are needed to fit a volatility", "wrong_shape")
    unit = float(np.sqrt((r * r).mean()))
    if unit == 0.0 or float(np.ptp(r)) == 0.0:
        given.refuse("returns", float(r[0]), "returns that differ are needed", "out_of_range")
    try:
        from arch import arch_model
    except ImportError:
        raise Unsupported('fit_garch needs the library arch: pip install "margincore[garch]"') from None
    model = arch_model(r / unit, mean="Zero", vol="GARCH", p=1, q=1, dist=innovations, rescale=False)
    with warnings.catch_warnings():
        # What did not converge is an error below, not a warning.
        warnings.simplefilter("ignore")
        found = model.fit(disp="off", show_warning=False)
    if found.convergence_flag != 0:
        raise CalculationError(
            f"fit_garch: the optimiser of arch ended without a fit (flag {found.convergence_flag}): {r.size} returns "
            "say too little of their volatility. An EWMA filter needs no fit"
        )
    told = {name: float(value) for name, value in found.params.items()}
    return FittedGarch(
        omega=told["omega"] * unit**2,
        alpha=told["alpha[1]"],
        beta=told["beta[1]"],
        first_variance=float(found.conditional_volatility[0]) ** 2 * unit**2,
        degrees=told.get("nu"),
        log_likelihood=float(found.loglikelihood) - r.size * math.log(unit),
    )


def filtered(
    returns: Mapping[str, ArrayLike], fits: Mapping[str, FittedGarch], *, dates: Sequence[Any] | None = None
) -> hvar.History:
    """A history of filtered returns, each factor by its own fit: where one filter for all factors is not enough.

    Returns of one date stay on one row, so that what happened together is simulated together (Barone-Adesi and others
    1999). The history goes to :class:`margincore.methods.HistoricalVar` in place of prices, without a filter. Raises
    :class:`InvalidInput` where a factor has no fit.

    >>> import margincore as mc
    >>> fit = FittedGarch(1e-6, 0.1, 0.8, 4e-4, None, 0.0)
    >>> filtered({"X": [0.01, -0.02, 0.015]}, {"X": fit}).kind
    'returns'
    """
    made = {}
    for name, column_ in returns.items():
        if name not in fits:
            given.refuse("fits", sorted(fits), f"no fit of factor '{name}'", "missing_parameter")
        made[name] = fits[name].scenarios(column_)
    return hvar.History(made, dates=dates, kind="returns")
