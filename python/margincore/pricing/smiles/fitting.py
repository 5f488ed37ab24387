"""Slices and surfaces from quoted vols, by least squares (SciPy).

Residuals are differences of vols, each over its own width where bids and asks are given: a wide quote counts for less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from margincore._core import CalculationError, InvalidInput, Unsupported
from margincore._pickles import Record
from margincore.pricing.smiles._slices import Floats, column, positive
from margincore.pricing.smiles.arbitrage import Butterfly, bend_of, butterfly, durrleman, reach_of
from margincore.pricing.smiles.sabr import Kind, Sabr
from margincore.pricing.smiles.ssvi import Ssvi
from margincore.pricing.smiles.svi import Svi

__all__ = ["Fit", "SurfaceFit", "fit_sabr", "fit_ssvi", "fit_svi"]

_LEAST_WIDTH = 1e-3
"""Added to the width of a quote, so that one locked quote does not decide alone: a tenth of a vol point."""
_MOST_VOL = 10.0


@dataclass(frozen=True, slots=True)
class Fit(Record):
    """A fitted slice: `rms` and `worst` are differences between its vols and those given, `inside` the share of strikes
    whose vol lies from bid to ask (`None` without quotes), `butterfly` what the check for arbitrage found (`None` of a
    SABR slice in normal vols or with a shift, which has no variance by moneyness).
    """

    slice: Svi | Sabr
    rms: float
    worst: float
    inside: float | None
    butterfly: Butterfly | None


@dataclass(frozen=True, slots=True)
class SurfaceFit(Record):
    """A fitted surface; `rms`, `worst` and `inside` as those of :class:`Fit`, over all rows."""

    surface: Ssvi
    rms: float
    worst: float
    inside: float | None


@dataclass(frozen=True, slots=True)
class _Quotes:
    """Columns of one length: strikes, vols, what residuals are multiplied by, and the quotes they come from."""

    strike: Floats
    vol: Floats
    weight: Floats
    bid: Floats | None
    ask: Floats | None

    def found(self, vol: Floats) -> tuple[float, float, float | None]:
        """rms, worst and inside of fitted vols."""
        gap = vol - self.vol
        inside = None
        if self.bid is not None and self.ask is not None:
            inside = float(np.mean((vol >= self.bid) & (vol <= self.ask)))
        return float(np.sqrt(np.mean(gap * gap))), float(np.abs(gap).max()), inside


def _quotes(
    strike: ArrayLike,
    vol: ArrayLike,
    weights: ArrayLike | None,
    bid: ArrayLike | None,
    ask: ArrayLike | None,
    least: int,
    most_vol: float = _MOST_VOL,
) -> _Quotes:
    strikes, vols = column("strike", strike), column("vol", vol)
    given = {"vol": vols}
    if (bid is None) != (ask is None):
        raise InvalidInput("bid and ask: give both or none", code="contradiction", where="bid")
    if bid is not None and ask is not None:
        given |= {"bid": column("bid", bid), "ask": column("ask", ask)}
    if weights is not None:
        given["weights"] = column("weights", weights)
    for name, values in given.items():
        if values.shape != strikes.shape:
            raise InvalidInput(f"{name} has {len(values)} rows, strike {len(strikes)}", code="wrong_shape", where=name)
        bad = ~((values >= 0.0) & (values <= (np.inf if name == "weights" else most_vol)))
        if name == "vol":
            bad |= values == 0.0
        if bad.any():
            row = int(np.argmax(bad))
            needed = "a weight of at least zero" if name == "weights" else f"a vol up to {most_vol:g} (0.18 is 18 %)"
            raise InvalidInput(
                f"row {row}: {name} is {values[row]}: {needed} is needed",
                code="out_of_range",
                where=f"row {row}: {name}",
                value=float(values[row]),
            )
    weight = given.get("weights", np.ones(len(vols)))
    if "bid" in given:
        width = given["ask"] - given["bid"]
        if (width < 0.0).any():
            row = int(np.argmax(width < 0.0))
            raise InvalidInput(f"row {row}: the bid is above the ask", code="contradiction", where=f"row {row}: bid")
        weight = weight / (width + _LEAST_WIDTH)
    if len(np.unique(strikes[weight > 0.0])) < least:
        raise InvalidInput(
            f"{len(np.unique(strikes[weight > 0.0]))} different strikes: the fit needs {least} at least",
            code="wrong_shape",
            where="strike",
        )
    weight = weight / np.sqrt(np.mean(weight * weight))
    return _Quotes(strikes, vols, weight, given.get("bid"), given.get("ask"))


def _solve(
    residuals: Callable[[Floats], Floats], starts: list[Floats], bounds: tuple[Floats, Floats]
) -> tuple[Floats, float]:
    """The best of the solutions from several starts, and its cost."""
    try:
        from scipy.optimize import least_squares  # type: ignore[import-untyped]
    except ImportError:
        raise Unsupported('smiles: fitting needs SciPy: pip install "margincore[smiles]"') from None
    low, high = bounds
    room = 1e-9 * (high - low)
    best: Any = None
    for start in starts:
        found = least_squares(
            residuals, np.clip(start, low + room, high - room), bounds=bounds, x_scale="jac", max_nfev=300
        )
        if best is None or found.cost < best.cost:
            best = found
    if best is None or not np.isfinite(best.cost):
        raise CalculationError("smiles: no parameters fit the vols", code="no_number")
    return best.x, float(best.cost)


_G_MARGIN = 1e-3
"""Where a fit is to be free of arbitrage, g is kept above this between the points at which it is looked at."""
_PENALTIES = (1.0, 10.0, 100.0, 100.0, 100.0)


def fit_svi(
    strike: ArrayLike,
    vol: ArrayLike,
    *,
    forward: float,
    years: float,
    weights: ArrayLike | None = None,
    bid: ArrayLike | None = None,
    ask: ArrayLike | None = None,
    free: bool = True,
) -> Fit:
    """The raw SVI slice nearest to the vols of one expiry, five strikes at least.

    `vol`, `bid` and `ask` are vols, annual fractions; `weights` multiply the differences. The slopes of the wings stay
    within Lee's bound; with `free`, the default, Durrleman's g is kept from falling below zero, and
    :class:`~margincore.CalculationError` says where that was not possible. ``free=False`` leaves that to the reader of
    ``fit.butterfly``.

    >>> strikes = [80.0, 90.0, 95.0, 100.0, 105.0, 110.0, 120.0]
    >>> fit = fit_svi(strikes, [0.265, 0.231, 0.216, 0.203, 0.193, 0.186, 0.181], forward=100.0, years=0.5)
    >>> fit.worst < 5e-4, fit.butterfly.free
    (True, True)
    """
    quotes = _quotes(strike, vol, weights, bid, ask, 5)
    k = np.log(_positive_strikes(quotes.strike) / positive("forward", forward))
    positive("years", years)
    total = quotes.vol**2 * years
    span = float(np.ptp(k))
    deviation = float(np.sqrt(np.interp(0.0, np.sort(k), total[np.argsort(k)])))

    def made(x: Floats) -> Svi:
        least, left, right, m, log_sigma = (float(v) for v in x)
        sigma, b = float(np.exp(log_sigma)), 0.5 * (left + right)
        rho = (right - left) / (right + left) if b > 0.0 else 0.0
        return Svi(least - sigma * float(np.sqrt(left * right)), b, rho, m, sigma, years, forward)

    reach = reach_of(deviation)
    looked_at = np.linspace(-reach, reach, 81)

    def residuals(x: Floats, penalty: float, at: Floats) -> Floats:
        slice = made(x)
        gap = quotes.weight * (np.sqrt(np.maximum(slice.total_variance(k), 1e-300) / years) - quotes.vol)
        if penalty == 0.0:
            return np.asarray(gap)
        near = np.concatenate([at, bend_of(slice, reach, 61)])
        short = np.minimum(durrleman(slice, near) - _G_MARGIN, 0.0)
        return np.concatenate([gap, penalty * short])

    bounds = (
        np.array([0.0, 0.0, 0.0, k.min() - span, np.log(1e-3 * span)]),
        np.array([float(total.max()) + 1e-12, 2.0, 2.0, k.max() + span, np.log(10.0 * span)]),
    )
    starts = _starts(k, total, quotes.weight, span)
    best, _ = _solve(lambda x: residuals(x, 0.0, looked_at), starts, bounds)
    slice = made(best)
    check = butterfly(slice)
    for penalty in _PENALTIES:
        if check.free or not free:
            break
        # Where the last one failed is looked at too, with its neighbourhood.
        looked_at = np.concatenate([looked_at, check.at + 0.01 * reach * np.linspace(-3.0, 3.0, 13)])
        starts = [best, _free_start(deviation)]
        best, _ = _solve(lambda x, p=penalty, at=looked_at: residuals(x, p, at), starts, bounds)  # type: ignore[misc]
        slice = made(best)
        check = butterfly(slice)
    if free and not check.free:
        raise CalculationError(
            f"fit_svi: no slice without arbitrage was found near these vols: g is {check.worst:.3g} at ln(strike / "
            f"forward) of {check.at:.3g}. free=False gives the nearest slice",
            code="no_number",
        )
    rms, worst, inside = quotes.found(slice.vol(quotes.strike))
    return Fit(slice, rms, worst, inside, check)


def _positive_strikes(strike: Floats) -> Floats:
    if not (strike > 0.0).all():
        row = int(np.argmax(strike <= 0.0))
        raise InvalidInput(
            f"row {row}: strike is {strike[row]}; it must be positive",
            code="out_of_range",
            where=f"row {row}: strike",
            value=float(strike[row]),
        )
    return strike


def _starts(k: Floats, total: Floats, weight: Floats, span: float) -> list[Floats]:
    """Starts of an SVI fit: at given m and sigma the rest is linear (Zeliade's quasi-explicit calibration, 2009)."""
    found: list[tuple[float, Floats]] = []
    for m in np.linspace(k.min(), k.max(), 7):
        for sigma in span * np.array([0.02, 0.1, 0.3, 1.0]):
            radius = np.sqrt((k - m) ** 2 + sigma**2)
            design = weight[:, None] * np.column_stack([np.ones_like(k), k - m, radius])
            (a, slope, b), *_ = np.linalg.lstsq(design, weight * total, rcond=None)
            b = max(b, abs(slope), 1e-6)
            left, right = np.clip([b - slope, b + slope], 1e-6, 2.0)
            off = a + slope * (k - m) + b * radius - total
            least = max(a + sigma * np.sqrt(left * right), 0.0)
            found.append((float(np.sum((weight * off) ** 2)), np.array([least, left, right, m, np.log(sigma)])))
    found.sort(key=lambda pair: pair[0])
    return [start for _, start in found[:3]]


def _free_start(deviation: float) -> Floats:
    """A start without arbitrage: a slice of SSVI within theorem 4.2 of Gatheral and Jacquier (2014)."""
    rho = -0.5
    phi = 0.8 * np.sqrt(4.0 / (1.0 - rho)) / deviation
    slice = Svi.from_natural(0.0, 0.0, rho, deviation**2, float(phi), years=1.0, forward=1.0)
    return np.array([slice.least_variance, *slice.lee_slopes, slice.m, np.log(slice.sigma)])


def fit_ssvi(
    strike: ArrayLike,
    vol: ArrayLike,
    *,
    forward: ArrayLike,
    years: ArrayLike,
    weights: ArrayLike | None = None,
    bid: ArrayLike | None = None,
    ask: ArrayLike | None = None,
) -> SurfaceFit:
    """The SSVI surface nearest to the vols of a chain: a row per strike, with the `forward` and `years` of its expiry.

    Rows with equal `years` are one expiry and have one forward. The surface is free of butterfly and calendar
    arbitrage: the sufficient conditions of Gatheral and Jacquier (2014), theorems 4.1 and 4.2, are kept. Three
    parameters serve all expiries: a slice fits less well than :func:`fit_svi` does.

    >>> truth = Ssvi(-0.6, 0.9, 0.4, years=(0.25, 1.0), forward=(100.0, 102.0), theta=(0.01, 0.045))
    >>> strikes = [80.0, 90.0, 100.0, 110.0] * 2
    >>> vols = [*truth.slice(0.25).vol(strikes[:4]), *truth.slice(1.0).vol(strikes[4:])]
    >>> fit = fit_ssvi(strikes, vols, forward=[100.0] * 4 + [102.0] * 4, years=[0.25] * 4 + [1.0] * 4)
    >>> round(fit.surface.rho, 4), round(fit.surface.eta, 4), fit.surface.is_free
    (-0.6, 0.9, True)
    """
    quotes = _quotes(strike, vol, weights, bid, ask, 3)
    forwards, times = (column(name, c) for name, c in (("forward", forward), ("years", years)))
    for name, values in (("forward", forwards), ("years", times)):
        if values.shape != quotes.strike.shape:
            raise InvalidInput(
                f"{name} has {len(values)} rows, strike {len(quotes.strike)}", code="wrong_shape", where=name
            )
        for value in np.unique(values):
            positive(name, float(value))
    expiries, of = np.unique(times, return_inverse=True)
    own = [np.unique(forwards[of == i]) for i in range(len(expiries))]
    for expiry, values in zip(expiries, own, strict=True):
        if len(values) > 1:
            raise InvalidInput(
                f"forward: the expiry at {expiry:g} years has {len(values)}: {values[0]:g}, {values[1]:g}...",
                code="contradiction",
                where="forward",
            )
    k = np.log(_positive_strikes(quotes.strike) / forwards)
    at_money = np.array([_at_money(k[of == i], (quotes.vol**2 * times)[of == i]) for i in range(len(expiries))])
    rises = np.maximum(np.diff(np.maximum.accumulate(at_money), prepend=0.0), 1e-8)

    def made(x: Floats) -> Ssvi:
        # A rise of nothing is none, and equal variances are allowed; the first must be above zero.
        theta = tuple(float(t) for t in np.cumsum(np.exp(x[3:])))
        places = tuple(float(v) for v in expiries), tuple(float(v[0]) for v in own)
        return Ssvi(float(x[0]), float(np.exp(x[1])), float(x[2]), *places, theta)

    def residuals(x: Floats) -> Floats:
        surface = made(x)
        theta = np.array(surface.theta)
        phi = np.array([surface.phi(t) for t in surface.theta])
        at, turn, rho = theta[of], phi[of], surface.rho
        total = 0.5 * at * (1.0 + rho * turn * k + np.sqrt((turn * k + rho) ** 2 + 1.0 - rho * rho))
        most = 1.0 + abs(rho)
        # Theorem 4.2, with a little room; the calendar's condition holds for the power law with a rising theta.
        over = np.maximum(np.concatenate([theta * phi * most, theta * phi * phi * most]) - 4.0 * (1.0 - 1e-6), 0.0)
        return np.concatenate([quotes.weight * (np.sqrt(total / times) - quotes.vol), 1e3 * over])

    low = np.array([-0.999, np.log(1e-3), 0.0, *np.full(len(expiries), np.log(1e-12))])
    high = np.array([0.999, np.log(50.0), 1.0, *np.full(len(expiries), np.log(100.0))])
    starts = [np.array([rho, np.log(1.0), gamma, *np.log(rises)]) for rho in (-0.5, 0.3) for gamma in (0.3, 0.5)]
    best, _ = _solve(residuals, starts, (low, high))
    surface = made(best)
    fitted = np.empty(len(k))
    for i, expiry in enumerate(expiries):
        fitted[of == i] = surface.slice(float(expiry)).vol(quotes.strike[of == i])
    return SurfaceFit(surface, *quotes.found(fitted))


def _at_money(k: Floats, total: Floats) -> float:
    order = np.argsort(k)
    return float(np.interp(0.0, k[order], total[order]))


def fit_sabr(
    strike: ArrayLike,
    vol: ArrayLike,
    *,
    forward: float,
    years: float,
    beta: float,
    kind: Kind = "lognormal",
    shift: float = 0.0,
    weights: ArrayLike | None = None,
    bid: ArrayLike | None = None,
    ask: ArrayLike | None = None,
) -> Fit:
    """The SABR slice with this `beta` nearest to the vols of one expiry, three strikes at least.

    `beta` is chosen, not fitted: a smile hardly tells it from `rho`. With ``kind="normal"`` vols, bids and asks are in
    price units per square root of a year.

    >>> truth = Sabr(alpha=0.04, beta=0.5, rho=-0.3, nu=0.6, years=2.0, forward=0.05)
    >>> strikes = [0.03, 0.04, 0.05, 0.06, 0.08]
    >>> fit = fit_sabr(strikes, truth.vol(strikes), forward=0.05, years=2.0, beta=0.5)
    >>> round(fit.slice.alpha, 6), round(fit.slice.rho, 6), round(fit.slice.nu, 6)
    (0.04, -0.3, 0.6)
    """
    if kind not in ("lognormal", "normal"):
        raise InvalidInput(f"kind {kind!r}: expected 'lognormal' or 'normal'", code="unknown_name", where="kind")
    quotes = _quotes(strike, vol, weights, bid, ask, 3, _MOST_VOL if kind == "lognormal" else np.inf)
    order = np.argsort(quotes.strike)
    level = float(np.interp(forward, quotes.strike[order], quotes.vol[order]))
    exponent = beta if kind == "normal" else beta - 1.0
    base = 1.0 if exponent == 0.0 else positive("forward plus shift", forward + shift) ** exponent

    def made(x: Floats) -> Sabr:
        return Sabr(float(np.exp(x[0])), beta, float(x[1]), float(np.exp(x[2])), years, forward, shift)

    def vols(slice: Sabr) -> Floats:
        return np.asarray(slice.vol(quotes.strike) if kind == "lognormal" else slice.normal_vol(quotes.strike))

    # In units of the vol at the money: normal vols may be of any size.
    unit = 1.0 if kind == "lognormal" else level

    def residuals(x: Floats) -> Floats:
        return quotes.weight * (vols(made(x)) - quotes.vol) / unit

    alpha = np.log(level / base)
    low, high = np.array([alpha - 7.0, -0.999, np.log(1e-3)]), np.array([alpha + 7.0, 0.999, np.log(50.0)])
    guess = np.log(0.7 / np.sqrt(max(years, 0.05)))
    starts = [np.array([alpha, rho, guess]) for rho in (-0.5, 0.0, 0.5)]
    best, _ = _solve(residuals, starts, (low, high))
    slice = made(best)
    rms, worst, inside = quotes.found(vols(slice))
    check = butterfly(slice) if kind == "lognormal" and shift == 0.0 else None
    return Fit(slice, rms, worst, inside, check)
