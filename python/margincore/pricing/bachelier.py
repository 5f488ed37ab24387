"""Bachelier's normal model: European options on a forward of any sign, at a vol in price units.

`vol` is the standard deviation of the forward after one year, in units of price (80 basis points on a rate: 0.0080).
Everything else is as in :mod:`margincore.pricing.black76`: `rate` discounts, ``futures_style=True`` does not.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from margincore.columns import keeps_series
from margincore.pricing import _forwards
from margincore.pricing._columns import Floats
from margincore.pricing._forwards import MovesIn, OnError
from margincore.pricing._greeks import Greeks

__all__ = ["greeks", "implied_vol", "price", "price_grid"]


@keeps_series
def price(
    forward: ArrayLike,
    strike: ArrayLike,
    *,
    years: ArrayLike,
    vol: ArrayLike,
    right: Any,
    rate: ArrayLike | None = None,
    futures_style: bool = False,
    out: Floats | None = None,
) -> Floats:
    """The price of each option, in the shape the inputs broadcast to.

    Relative error of the time value below 3e-13; zero years or vol give the intrinsic value. Bachelier, "Theorie de la
    speculation" (1900).

    >>> float(price(100.0, 100.0, years=1.0, rate=0.0, vol=20.0, right="call").round(4))  # 20 / sqrt(2 pi)
    7.9788
    >>> price(-3.0, [5.0, -5.0], years=0.25, rate=0.04, vol=16.0, right=["call", "put"]).round(4)
    array([0.6599, 2.268 ])
    """
    return _forwards.price("normal", forward, strike, years, rate, vol, right, futures_style, out)


@keeps_series
def price_grid(
    forward: ArrayLike,
    strike: ArrayLike,
    *,
    years: ArrayLike,
    vol: ArrayLike,
    right: Any,
    price_moves: ArrayLike,
    vol_moves: ArrayLike = 0.0,
    roll: float = 0.0,
    moves_in: MovesIn = "fraction",
    rate: ArrayLike | None = None,
    futures_style: bool = False,
    out: Floats | None = None,
) -> Floats:
    """The price of each option under each scenario: the shape of the inputs, then scenarios.

    `price_moves` are fractions of the forward (-0.08), or with ``moves_in="price"`` amounts that are added to it;
    `vol_moves` are added to vol: each one list for all options, or a table with a row per option. `roll` years are
    taken off the time to expiry. A forward that is not positive has no fractions: give amounts. It may be moved below
    zero.

    >>> book = {"years": 0.25, "vol": 16.0, "futures_style": True, "right": "put", "moves_in": "price"}
    >>> price_grid(2.0, [5.0], price_moves=[-15.0, 0.0, 15.0], vol_moves=[4.0, 0.0, 0.0], **book).round(3)
    array([[18.143,  4.913,  0.234]])
    """
    return _forwards.price_grid(
        "normal", forward, strike, years, rate, vol, right, price_moves, vol_moves, roll, moves_in, futures_style, out
    )


@keeps_series
def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    *,
    years: ArrayLike,
    vol: ArrayLike,
    right: Any,
    rate: ArrayLike | None = None,
    futures_style: bool = False,
    out: Floats | None = None,
) -> Greeks:
    """Price and seven sensitivities in one pass; `price` has the bits of :func:`price`.

    `delta`, `gamma` and `vega` are per unit of the forward and of the normal vol, `theta` per year; all with the
    forward held. Names and order as in :class:`~margincore.pricing.Greeks`.

    >>> g = greeks(100.0, 100.0, years=1.0, rate=0.05, vol=20.0, right="call")
    >>> [float(x.round(4)) for x in (g.price, g.delta, g.gamma, g.vega)]
    [7.5897, 0.4756, 0.019, 0.3795]
    """
    return _forwards.greeks("normal", forward, strike, years, rate, vol, right, futures_style, out)


@keeps_series
def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    *,
    years: ArrayLike,
    right: Any,
    rate: ArrayLike | None = None,
    futures_style: bool = False,
    out: Floats | None = None,
    on_error: OnError = "raise",
    return_status: bool = False,
) -> Any:
    """The normal vol at which :func:`price` returns each price, in price units per square root of a year.

    Any price above the intrinsic value has one. Relative error below 1e-14 at and out of the money; in the money it is
    what the subtraction of the intrinsic value leaves. A time value below 1e-290 of the distance to the strike is none.
    Prices without a vol raise :class:`~margincore.CalculationError` naming rows, or leave NaN with ``on_error="nan"``;
    ``return_status=True`` returns ``(vol, status)``, as :func:`margincore.pricing.implied_vol` does.

    >>> round(float(implied_vol(7.978845608, 100.0, 100.0, years=1.0, rate=0.0, right="call")), 6)
    20.0
    >>> vol, status = implied_vol(3.0, 7.0, 4.0, years=1.0, rate=0.0, right="call", on_error="nan", return_status=True)
    >>> int(status)
    1
    """
    return _forwards.implied_vol(
        "normal", price, forward, strike, years, rate, right, futures_style, out, on_error, return_status
    )
