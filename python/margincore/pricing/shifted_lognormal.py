"""The shifted (displaced) lognormal model: Black's on forward and strike that a shift is added to.

`shift` is an amount in price units that makes forward plus shift and strike plus shift positive (3 % on a rate: 0.03),
and `vol` is the lognormal vol of the forward plus shift. Everything else is as in :mod:`margincore.pricing.black76`.
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
    shift: ArrayLike,
    rate: ArrayLike | None = None,
    futures_style: bool = False,
    out: Floats | None = None,
) -> Floats:
    """The price of each option, in the shape the inputs broadcast to.

    A forward or strike that is not positive after the shift is refused. Rubinstein, "Displaced diffusion option
    pricing", J. Finance 38 (1983).

    >>> caplet = price(-0.002, 0.001, shift=0.03, years=2.0, rate=0.0, vol=0.25, right="call")
    >>> float(caplet.round(6))
    0.002808
    >>> float(price(100.0, 100.0, shift=0.0, years=0.5, rate=0.0, vol=0.2, right="call").round(4))  # no shift: Black's
    5.6372
    """
    return _forwards.price("shifted", forward, strike, years, rate, vol, right, futures_style, out, shift)


@keeps_series
def price_grid(
    forward: ArrayLike,
    strike: ArrayLike,
    *,
    years: ArrayLike,
    vol: ArrayLike,
    right: Any,
    price_moves: ArrayLike,
    shift: ArrayLike,
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
    taken off the time to expiry. A forward that is not positive has no fractions: give amounts.

    >>> rates = {"shift": 0.03, "years": 2.0, "vol": 0.25, "rate": 0.0, "right": "call", "moves_in": "price"}
    >>> price_grid(-0.002, [0.001], price_moves=[-0.01, 0.0, 0.01], **rates).round(6)
    array([[0.000222, 0.002808, 0.009111]])
    """
    return _forwards.price_grid(
        "shifted",
        forward,
        strike,
        years,
        rate,
        vol,
        right,
        price_moves,
        vol_moves,
        roll,
        moves_in,
        futures_style,
        out,
        shift,
    )


@keeps_series
def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    *,
    years: ArrayLike,
    vol: ArrayLike,
    right: Any,
    shift: ArrayLike,
    rate: ArrayLike | None = None,
    futures_style: bool = False,
    out: Floats | None = None,
) -> Greeks:
    """Price and seven sensitivities in one pass; `price` has the bits of :func:`price`.

    `delta` and `gamma` are per unit of the forward, the shift held, as the rate is but for `rho`. Units as in
    :class:`~margincore.pricing.Greeks`.

    >>> g = greeks(-0.002, 0.001, shift=0.03, years=2.0, rate=0.0, vol=0.25, right="call")
    >>> [float(x.round(4)) for x in (g.delta, g.vega)]
    [0.4558, 0.0157]
    """
    return _forwards.greeks("shifted", forward, strike, years, rate, vol, right, futures_style, out, shift)


@keeps_series
def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    *,
    years: ArrayLike,
    right: Any,
    shift: ArrayLike,
    rate: ArrayLike | None = None,
    futures_style: bool = False,
    out: Floats | None = None,
    on_error: OnError = "raise",
    return_status: bool = False,
) -> Any:
    """The vol of forward plus shift at which :func:`price` returns each price, an annual fraction.

    Prices without a vol raise :class:`~margincore.CalculationError` naming rows, or leave NaN with ``on_error="nan"``;
    ``return_status=True`` returns ``(vol, status)``, as :func:`margincore.pricing.implied_vol` does.

    >>> round(float(implied_vol(0.00280773, -0.002, 0.001, shift=0.03, years=2.0, rate=0.0, right="call")), 4)
    0.25
    """
    return _forwards.implied_vol(
        "shifted", price, forward, strike, years, rate, right, futures_style, out, on_error, return_status, shift
    )
