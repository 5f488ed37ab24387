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
    steps: int,
    treatment: Treatment,
) -> tuple[Floats, ...]:
    """Price and seven sensitivities from Cox-Ross-Rubinstein trees of `steps` and one more step, averaged.

    Spots are moved by two nodes of the tree, so that its nodes, and their error, stay where they are; vols by 8 %,
    rates by 0.001. Theta is that of the pricing equation between ex-dates. Differences of prices that are good to about
    1e-4: expect delta to 1e-3, volga to a fifth of its value, the rest to a percent.
    """
    spot, strike, years, rate, dividend_yield, vol = columns
    if np.any(vol * years <= 0.0):
        raise Unsupported("greeks: with cash dividends every row needs time to expiry and a vol above zero")

    def values(spots: Floats, rates: Floats, vols: Floats) -> Floats:
        table = [spots, strike, years, rates, dividend_yield, vols]
        at = [_core.tree_grid(table, right, [0.0], dividends, True, "crr", n, treatment) for n in (steps, steps + 1)]
        return np.asarray(0.5 * (at[0] + at[1]))

    worth = escrowed(years, rate, dividends) if treatment == "escrowed" else np.zeros(len(spot))
    diffusing = left_to_diffuse(spot, worth)
    node = np.exp(2.0 * vol * np.sqrt(years / steps))
    above, below = diffusing * (node - 1.0), diffusing * (1.0 - 1.0 / node)
    vol_step, rate_step = 0.08 * vol, 1e-3
    more, less = vol + vol_step, vol - vol_step

    def slope(low: Floats, high: Floats) -> Floats:
        return np.asarray((high - low) / (above + below))

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
    # The escrowed value grows at the rate, and leaves the price that diffuses.
    carried = rate * middle - (rate - dividend_yield) * diffusing * delta - delta * rate * worth
    theta = carried - 0.5 * (vol * diffusing) ** 2 * gamma
    exercised = middle <= right * (spot - strike)
    return middle, delta, gamma, vega, np.where(exercised, 0.0, theta), rho, vanna, volga
