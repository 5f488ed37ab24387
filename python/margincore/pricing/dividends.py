"""The dividends of a European option's keywords; what cash is worth is the kernel's to say.

Escrowed: the spot less the value of the dividends before expiry is what diffuses (Hull, Options, Futures, and Other
Derivatives, ch. 15). What is set apart for a dividend earns the yield until it is paid, so that its value is the cash
discounted at rate less yield, and the forward is that of carrying the share. `dividends` are (years to the ex-date,
cash per unit), the same for all rows; those not after today or after expiry do not count. An ex-date at expiry does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore import _core
from margincore._core import InvalidInput, Unsupported

Floats = NDArray[np.float64]
Dividends = Iterable[tuple[float, float]]
Treatment = Literal["escrowed", "spot_drop"]


class Escrowed(NamedTuple):
    """By row: what is left of the spot to diffuse, the escrowed value, and what that falls by per 1.00 of the rate."""

    diffusing: Floats
    worth: Floats
    per_rate: Floats


def escrowed(
    spot: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    dividends: Dividends,
    roll: float = 0.0,
) -> Escrowed:
    """The spot split, `roll` years from now; refuses rows where nothing is left to diffuse.

    >>> round(float(escrowed(40.0, 0.5, 0.09, 0.0, [(2 / 12, 0.50), (5 / 12, 0.50)]).worth), 4)  # Hull, example 15.9
    0.9742
    """
    columns = np.broadcast_arrays(*(np.asarray(c, np.float64) for c in (spot, years, rate, dividend_yield)))
    spots, lives, rates, yields = (np.ascontiguousarray(c).reshape(-1) for c in columns)
    found = _core.escrowed(spots, lives, rates - yields, list(dividends), roll)
    return Escrowed(*(c.reshape(columns[0].shape) for c in found))


def kept(years: ArrayLike, proportional: Dividends, roll: float = 0.0) -> Floats:
    """The share of the spot that proportional dividends leave, by the years to expiry; `roll` years from now.

    A dividend is (years to the ex-date, fraction of the spot then): the forward is that of the spot times the product
    of one less the fractions, whatever the spot does until then.

    >>> kept([0.1, 0.5, 1.0], [(0.25, 0.02), (0.75, 0.03)]).round(4)
    array([1.    , 0.98  , 0.9506])
    """
    lives = np.asarray(years, np.float64)
    share = np.ones(lives.shape)
    for row, (when, fraction) in enumerate(proportional):
        if not (np.isfinite(when) and 0.0 <= fraction < 1.0):
            raise InvalidInput(
                f"proportional_dividends: {row} is {(when, fraction)}: (years to the ex-date, fraction of the spot) is "
                "needed, the fraction from 0 and below 1",
                code="out_of_range",
                where=f"proportional_dividends: {row}",
                value=fraction,
            )
        share = np.where((when > roll) & (when <= lives), share * (1.0 - fraction), share)
    return share


class Taken(NamedTuple):
    """The dividends of a European option's keywords: cash, or fractions of the spot."""

    cash: list[tuple[float, float]]
    proportional: list[tuple[float, float]]


def european_keywords(
    dividends: Dividends = (), treatment: Treatment = "escrowed", proportional_dividends: Dividends = ()
) -> Taken:
    """The dividends of a European price; refuses what has no closed form."""
    if treatment != "escrowed":
        raise Unsupported(
            f"treatment {treatment!r}: European options have a closed form with escrowed dividends only; a tree prices "
            'the spot-drop treatment: exercise="american", method="tree"'
        )
    found = Taken(list(dividends), list(proportional_dividends))
    if found.cash and found.proportional:
        raise Unsupported(
            "dividends and proportional_dividends together: a dividend is cash or a fraction of the spot, not both here"
        )
    return found
