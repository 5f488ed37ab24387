"""Black's model (1976): European options on a forward or a future, at a lognormal vol.

Conventions as in :mod:`margincore.pricing`: prices, forwards and strikes per unit of underlying, `years` to expiry,
`vol` and `rate` annual fractions, `right` +1 or ``"call"``, -1 or ``"put"``. The premium is paid now and discounted at
`rate`; with ``futures_style=True`` the option is margined like a future, which discounts nothing, and takes no rate.
Everything but forward and strike is given by name. Errors, guards and bits are those of
:func:`margincore.pricing.price`. American options on a future whose premium is paid are
``margincore.pricing.price(future, strike, ..., dividend_yield=rate, exercise="american")``; futures-style ones are
never exercised early, and are priced here.
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
    """The price of each option, in the shape the inputs broadcast to: ``exp(-rate years)`` times Black's.

    `out` receives the result where given. Black, "The pricing of commodity contracts", J. Financial Economics 3 (1976).

    >>> float(price(20.0, 20.0, years=4 / 12, rate=0.09, vol=0.25, right="put").round(2))  # Hull, example 18.6
    1.12
    >>> price(100.0, [90.0, 110.0], years=0.5, vol=0.2, right="call", futures_style=True).round(4)
    array([11.7725,  2.2112])
    """
    return _forwards.price("forward", forward, strike, years, rate, vol, right, futures_style, out)


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
    taken off the time to expiry. What is left of a forward is never below zero.

    >>> price_grid(100.0, [100.0], years=0.25, vol=0.2, rate=0.0, right="call", price_moves=[-0.1, 0.0, 0.1]).round(3)
    array([[ 0.712,  3.988, 10.954]])
    >>> put = {"years": 0.25, "vol": 0.2, "futures_style": True, "right": "put", "moves_in": "price"}
    >>> price_grid(80.0, 75.0, price_moves=[-4.0, 0.0, 4.0], vol_moves=[0.05, 0.0, 0.0], **put).round(3)
    array([3.284, 1.212, 0.509])
    """
    return _forwards.price_grid(
        "forward", forward, strike, years, rate, vol, right, price_moves, vol_moves, roll, moves_in, futures_style, out
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

    `delta` is per unit of the forward: discounted, or with ``futures_style=True`` the forward delta. All are with the
    forward held; `rho` is ``-years`` prices. Units as in :class:`~margincore.pricing.Greeks`.

    >>> g = greeks(20.0, 20.0, years=4 / 12, rate=0.09, vol=0.25, right="put")
    >>> [float(x.round(3)) for x in (g.price, g.delta, g.vega, g.theta, g.rho)]
    [1.117, -0.457, 4.459, -1.572, -0.372]
    """
    return _forwards.greeks("forward", forward, strike, years, rate, vol, right, futures_style, out)


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
    """The vol at which :func:`price` returns each price, an annual fraction.

    Prices without a vol raise :class:`~margincore.CalculationError` naming rows, or leave NaN with ``on_error="nan"``;
    ``return_status=True`` returns ``(vol, status)``, as :func:`margincore.pricing.implied_vol` does.

    >>> round(float(implied_vol(1.1166414, 20.0, 20.0, years=4 / 12, rate=0.09, right="put")), 6)
    0.25
    """
    return _forwards.implied_vol(
        "forward", price, forward, strike, years, rate, right, futures_style, out, on_error, return_status
    )
