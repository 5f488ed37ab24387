"""Cash dividends behind :mod:`margincore.pricing`: European options in closed form, sensitivities of American ones.

Escrowed: the spot less the present value of the dividends before expiry is what diffuses (Hull, Options, Futures, and
Other Derivatives, ch. 15). `dividends` are (years to the ex-date, cash per unit), the same for all rows; those not
after today or after expiry do not count. An ex-date at expiry does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore import _core
from margincore._core import InvalidInput, Unsupported

Floats = NDArray[np.float64]
Dividends = Iterable[tuple[float, float]]
Treatment = Literal["escrowed", "spot_drop"]


def escrowed(years: ArrayLike, rate: ArrayLike, dividends: Dividends, roll: float = 0.0, weight: float = 0.0) -> Any:
    """The present value, `roll` years from now, of the dividends still to come before expiry, by row.

    With `weight` 1.0 each is multiplied by its time: minus the derivative by the rate.

    >>> round(float(escrowed(0.5, 0.09, [(2 / 12, 0.50), (5 / 12, 0.50)])), 4)  # Hull, example 15.9
    0.9742
    """
    times, rates = np.asarray(years, np.float64) - roll, np.asarray(rate, np.float64)
    worth: Any = np.zeros(np.broadcast_shapes(times.shape, rates.shape))
    for number, (when, cash) in enumerate(dividends):
        if not (math.isfinite(when) and math.isfinite(cash) and cash >= 0.0):
            raise InvalidInput(f"dividend {number}: ({when}, {cash}): expected years and cash that is not negative")
        ahead = when - roll
        paid = (ahead > 0.0) & (ahead <= times)
        worth = worth + np.where(paid, cash * np.exp(-rates * ahead) * ahead**weight, 0.0)
    return worth


def left_to_diffuse(spot: ArrayLike, worth: Any) -> Any:
    """Spot less escrowed dividends; refuses rows where nothing is left."""
    left = np.asarray(spot, np.float64) - worth
    if np.any(left <= 0.0):
        row = int(np.argmax(np.ravel(left <= 0.0)))
        raise InvalidInput(
            f"row {row}: the dividends before expiry are worth more than the spot: nothing is left to diffuse"
        )
    return left


def european_keywords(dividends: Dividends = (), treatment: Treatment = "escrowed") -> list[tuple[float, float]]:
    """The dividends of a European price; refuses what has no closed form."""
    if treatment != "escrowed":
        raise Unsupported(
            f"treatment {treatment!r}: European options have a closed form with escrowed dividends only; a tree prices "
            'the spot-drop treatment: exercise="american", method="tree"'
        )
    return list(dividends)


def american_greeks(
    columns: list[Floats],
    right: NDArray[np.int8],
    dividends: list[tuple[float, float]],
    scheme: str,
    steps: int,
    treatment: Treatment,
) -> tuple[Floats, ...]:
    """Price and seven sensitivities, by the scheme that prices.

    Theta is that of the pricing equation between ex-dates; where exercise is due now it is 0.
    """
    spot, strike, years, rate, dividend_yield, vol = columns
    if np.any(vol * years <= 0.0):
        raise Unsupported("greeks: with cash dividends every row needs time to expiry and a vol above zero")
    worth = escrowed(years, rate, dividends) if treatment == "escrowed" else np.zeros(len(spot))
    diffusing = left_to_diffuse(spot, worth)
    if scheme == "trinomial" and treatment == "escrowed":
        price, delta, gamma, *others = _lattice_greeks(columns, right, dividends, steps)
    else:
        price, delta, gamma, *others = _tree_greeks(columns, right, dividends, diffusing, scheme, steps, treatment)
    # The escrowed value grows at the rate, and leaves the price that diffuses.
    carried = rate * price - (rate - dividend_yield) * diffusing * delta - delta * rate * worth
    theta = carried - 0.5 * (vol * diffusing) ** 2 * gamma
    # To the rounding of the trees.
    exercised = price <= right * (spot - strike) + 1e-13 * (spot + strike)
    vega, rho, vanna, volga = others
    return price, delta, gamma, vega, np.where(exercised, 0.0, theta), rho, vanna, volga


def _lattice_greeks(
    columns: list[Floats], right: NDArray[np.int8], dividends: list[tuple[float, float]], steps: int
) -> tuple[Floats, ...]:
    """All but theta from the trinomial lattices: delta and gamma from their nodes, the rest with vols and rates moved.

    Vols are moved by 6 %: by less, the lattice's own error shows in volga; by more, the curvature in vega. Rates by
    0.001.
    """
    *_, rate, _, vol = columns
    vol_step, rate_step = 0.06 * vol, 1e-3
    spot, strike, years, _, dividend_yield, _ = (np.tile(c, 5) for c in columns)
    rates = np.concatenate([rate, rate, rate, rate + rate_step, rate - rate_step])
    vols = np.concatenate([vol, vol + vol_step, vol - vol_step, vol, vol])
    table = [spot, strike, years, rates, dividend_yield, vols]
    curves = _core.tree_curves(table, np.tile(right, 5), dividends, steps)
    prices, deltas, gammas = (c.reshape(5, -1) for c in curves)
    price, more, less, dear, cheap = prices
    vega = (more - less) / (2.0 * vol_step)
    volga = (more - 2.0 * price + less) / vol_step**2
    vanna = (deltas[1] - deltas[2]) / (2.0 * vol_step)
    return price, deltas[0], gammas[0], vega, (dear - cheap) / (2.0 * rate_step), vanna, volga


def _tree_greeks(
    columns: list[Floats],
    right: NDArray[np.int8],
    dividends: list[tuple[float, float]],
    diffusing: Any,
    scheme: str,
    steps: int,
    treatment: Treatment,
) -> tuple[Floats, ...]:
    """The price of the tree of `steps` steps, and all but theta from it and one of one more step, averaged.

    Spots are moved by two nodes of the tree, so that its nodes, and their error, stay where they are; vols by 8 %,
    rates by 0.001.
    """
    spot, strike, years, rate, dividend_yield, vol = columns

    def tree(spots: Floats, rates: Floats, vols: Floats, count: int) -> Floats:
        table = [spots, strike, years, rates, dividend_yield, vols]
        return _core.tree_grid(table, right, [0.0], dividends, True, scheme, count, treatment)

    def values(spots: Floats, rates: Floats, vols: Floats) -> Floats:
        return 0.5 * (tree(spots, rates, vols, steps) + tree(spots, rates, vols, steps + 1))

    node = np.exp(2.0 * vol * np.sqrt(years / steps))
    above, below = diffusing * (node - 1.0), diffusing * (1.0 - 1.0 / node)
    vol_step, rate_step = 0.08 * vol, 1e-3
    more, less = vol + vol_step, vol - vol_step

    def slope(low: Floats, high: Floats) -> Floats:
        return np.asarray((high - low) / (above + below))

    price = tree(spot, rate, vol, steps)
    middle = values(spot, rate, vol)
    up, down = values(spot + above, rate, vol), values(spot - below, rate, vol)
    first, second = (up - middle) / above, (middle - down) / below
    delta = (below * first + above * second) / (above + below)
    gamma = 2.0 * (first - second) / (above + below)
    high, low = values(spot, rate, more), values(spot, rate, less)
    vega = (high - low) / (2.0 * vol_step)
    volga = (high - 2.0 * middle + low) / vol_step**2
    steep = slope(values(spot - below, rate, more), values(spot + above, rate, more))
    flat = slope(values(spot - below, rate, less), values(spot + above, rate, less))
    vanna = (steep - flat) / (2.0 * vol_step)
    rho = (values(spot, rate + rate_step, vol) - values(spot, rate - rate_step, vol)) / (2.0 * rate_step)
    return price, delta, gamma, vega, rho, vanna, volga
