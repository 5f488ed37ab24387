"""Option prices, scenario grids, greeks and implied volatilities over NumPy columns.

Conventions: prices, spots and strikes per one unit of underlying in one currency; `years` to expiry; `rate` and
`dividend_yield` continuously compounded annual fractions (an option on a future: spot is the future's price and
``dividend_yield=rate``, Black 1976); `vol` an annual fraction; `right` +1 for a call and -1 for a put (``int8`` is
fastest) or the names ``"call"`` and ``"put"``. Inputs broadcast; one-dimensional ``float64`` columns and plain floats
take the fast path. Inputs are copied in blocks and checked before they are used: NaN, infinities, prices that are not
positive, negative years or vols and, of European options, vols above 1,000 % and rates or yields beyond 500 % either
way raise :class:`~margincore.InvalidInput` naming the row (of the flattened inputs); so does text for numbers.
Series of pandas and polars are taken too, and come back as Series, those of pandas with their index, which must be one.

European prices are within 5e-15 max(spot, strike) and, above 1e-12 of the spot, 1e-9 relative of 50-digit values, never
negative; zero years or vol give the intrinsic value on the forward. The bits are the same on every processor.

Rates and yields are the zero rates to each option's own expiry: rows of a term structure differ in them. Cash
`dividends` are (years to the ex-date, cash) pairs; European options take `proportional_dividends` in their place,
(years to the ex-date, fraction of the spot) pairs, of which the forward is exact.

Options on a forward or a future have models of their own, with everything by name: :mod:`.black76`, :mod:`.bachelier`
and :mod:`.shifted_lognormal`. :mod:`.smiles` fits vols by strike and moves them with the spot.

``exercise="american"`` also takes keywords: `method` (``"alo"``, spectral collocation of the exercise boundary, by
default; ``"tree"``, the default with cash `dividends`; ``"baw"``), `accuracy` (``"fast"``, ``"standard"``,
``"precise"``), `dividends` as (years to the ex-date, cash) pairs, and a tree's `steps`, `scheme` and `treatment`; grids
take `share_boundaries`.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from margincore import _core
from margincore._core import InvalidInput, Unsupported
from margincore.columns import keeps_series
from margincore.pricing import american as _american
from margincore.pricing import bachelier, black76, shifted_lognormal, smiles
from margincore.pricing import dividends as _dividends
from margincore.pricing._columns import (
    FLOAT,
    SPOT_NAMES,
    STATUSES,
    Floats,
    broadcast,
    checked_on_error,
    moves_table,
    output,
    scenario_count,
    vols_or_error,
)
from margincore.pricing._greeks import Greeks

__all__ = [
    "STATUSES", "Greeks", "bachelier", "black76", "dividend_rho", "exercise_boundary", "greeks", "implied_vol", "price",
    "price_grid", "shifted_lognormal", "smiles",
]  # fmt: skip

Exercise = Literal["european", "american"]


def _is_american(exercise: str, options: dict[str, Any]) -> bool:
    """Whether exercise is American; refuses keywords that are not this exercise's, and keeps dividends to be read
    twice."""
    for name in ("dividends", "proportional_dividends"):
        if name in options:
            options[name] = list(options[name])
    if exercise == "american":
        if options.get("proportional_dividends"):
            raise Unsupported("proportional_dividends: no method here prices them with American exercise")
        options.pop("proportional_dividends", None)
        return True
    if exercise != "european":
        raise InvalidInput(f"exercise {exercise!r}: expected 'european' or 'american'")
    if not options:
        return False
    unknown = options.keys() - {"dividends", "treatment", "proportional_dividends"}
    if unknown:
        raise InvalidInput(
            f"{', '.join(sorted(unknown))}: only American exercise takes such keywords", code="unknown_name"
        )
    return False


def _diffusing(
    spot: ArrayLike, years: ArrayLike, rate: ArrayLike, dividend_yield: ArrayLike, options: dict[str, Any]
) -> Any:
    """The spot, less the dividends that a European option's keywords name."""
    if not options:
        return spot
    cash, proportional = _dividends.european_keywords(**options)
    if proportional:
        return _american.numbers("spot", spot) * _dividends.kept(years, proportional)
    return _dividends.escrowed(spot, years, rate, dividend_yield, cash).diffusing


@keeps_series
def price(
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    right: Any,
    exercise: Exercise = "european",
    out: Floats | None = None,
    **american: Any,
) -> Floats:
    """The price of each option, per unit of underlying, in the shape the inputs broadcast to.

    `out` receives the result where given: float64, C-contiguous, of the result's shape and memory of its own.
    Black and Scholes (1973) with Merton's (1973) continuous yield.

    >>> price(42.0, 40.0, 0.5, 0.10, 0.0, 0.20, ["call", "put"]).round(2)  # Hull, example 15.6
    array([4.76, 0.81])
    >>> price(100.0, [90.0, 110.0], 0.0, 0.05, 0.0, 0.2, "call")  # expired: intrinsic
    array([10.,  0.])
    >>> price(100.0, 100.0, 1.0, 0.05, 0.0, 0.2, ["put"], exercise="american").round(4)
    array([6.0904])
    >>> two = [(2 / 12, 0.50), (5 / 12, 0.50)]  # Hull, example 15.9
    >>> float(price(40.0, 40.0, 0.5, 0.09, 0.0, 0.30, "call", dividends=two).round(2))
    3.67
    """
    if _is_american(exercise, american):
        return _american.price(spot, strike, years, rate, dividend_yield, vol, right, out=out, **american)
    spot = _diffusing(spot, years, rate, dividend_yield, american)
    columns, shape = broadcast((spot, strike, years, rate, dividend_yield, vol), right)
    result = output(out, shape)
    _core.european_prices(columns, result if len(shape) == 1 else result.reshape(-1))
    return result


@keeps_series
def price_grid(
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    right: Any,
    price_moves: ArrayLike,
    vol_moves: ArrayLike = 0.0,
    roll: float = 0.0,
    exercise: Exercise = "european",
    out: Floats | None = None,
    **american: Any,
) -> Floats:
    """The price of each option under each scenario: the shape of the inputs, then scenarios.

    `price_moves` are fractions of spot (-0.08), `vol_moves` are added to vol (+0.04): each one list for all options, or
    a table with a row per option. `roll` years are taken off the time to expiry. A spot moved to zero is worth nothing,
    further down is an error; a vol or time moved below zero counts as zero.

    >>> grid = price_grid(100.0, [100.0, 120.0], 0.25, 0.0, 0.0, 0.2, "call", [-0.1, 0.0, 0.1], [0.0, 0.0, 0.05])
    >>> grid.round(3).tolist()
    [[0.712, 3.988, 11.681], [0.006, 0.147, 2.063]]
    """
    if _is_american(exercise, american):
        return _american.price_grid(
            spot, strike, years, rate, dividend_yield, vol, right, price_moves, vol_moves, roll, out=out, **american
        )
    cash, proportional = _dividends.european_keywords(**american)
    if proportional:
        spot = _american.numbers("spot", spot) * _dividends.kept(years, proportional, roll)
    elif cash:
        # A move is a fraction of the whole spot; the escrowed part does not move.
        whole = np.asarray(spot, FLOAT)
        moving = _dividends.escrowed(whole, years, rate, dividend_yield, cash, roll).diffusing
        spot, lever = moving, whole / moving
        price_moves = np.asarray(price_moves, FLOAT) * (lever[..., None] if lever.ndim else float(lever))
    columns, shape = broadcast((spot, strike, years, rate, dividend_yield, vol), right)
    scenarios = scenario_count(price_moves, vol_moves)
    result = output(out, (*shape, scenarios))
    _core.european_grid(
        columns,
        moves_table(price_moves, "price_moves", shape, scenarios),
        moves_table(vol_moves, "vol_moves", shape, scenarios),
        roll,
        result if len(shape) == 1 else result.reshape(-1, scenarios),
    )
    return result


@keeps_series
def greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    right: Any,
    exercise: Exercise = "european",
    out: Floats | None = None,
    **american: Any,
) -> Greeks:
    """Price and seven sensitivities in one pass; `price` has the bits of :func:`price`. Units as in :class:`Greeks`.

    `out`, where given, has shape (8, ...) and its rows are the result. Without time or vol, delta steps at the strike
    and gamma, vega, vanna and volga are zero. Hull, Options, Futures, and Other Derivatives, ch. 19.

    >>> g = greeks(49.0, 50.0, 20 / 52, 0.05, 0.0, 0.20, "call")  # Hull, example 19.1 and after
    >>> float(g.price.round(1)), float(g.delta.round(3)), float(g.gamma.round(3)), float(g.vega.round(1))
    (2.4, 0.522, 0.066, 12.1)
    >>> float(g.theta.round(2)), float(g.rho.round(2))
    (-4.31, 8.91)
    """
    if _is_american(exercise, american):
        columns = _american.greeks(spot, strike, years, rate, dividend_yield, vol, right, **american)
        result = output(out, (8, *columns[0].shape))
        result[...] = columns
        return Greeks(*result)
    moving = _diffusing(spot, years, rate, dividend_yield, american)
    flat, shape = broadcast((moving, strike, years, rate, dividend_yield, vol), right)
    result = output(out, (8, *shape))
    _core.european_greeks(flat, result.reshape(8, -1))
    cash, proportional = _dividends.european_keywords(**american)
    _, delta, gamma, _, theta, rho, vanna, _ = (result[i : i + 1] for i in range(8))
    if proportional:
        # Greeks are per unit of the whole spot, of which a share moves the price.
        share = _dividends.kept(years, proportional)
        delta *= share
        gamma *= share * share
        vanna *= share
    elif cash:
        # The escrowed value depends on rate and time, and takes the price that diffuses with it.
        own = _dividends.escrowed(spot, years, rate, dividend_yield, cash)
        rho += delta * own.per_rate
        carry = np.asarray(rate, FLOAT) - np.asarray(dividend_yield, FLOAT)
        theta -= delta * carry * own.worth
    return Greeks(*result)


_YIELD_STEP = 1e-4


@keeps_series
def dividend_rho(
    spot: ArrayLike,
    strike: ArrayLike,
    *,
    years: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    right: Any,
    exercise: Exercise = "european",
    **keywords: Any,
) -> Floats:
    """What the price changes by per 1.00 of dividend yield, the rate unchanged; negative for calls.

    `keywords` are those of :func:`price`. European: ``-years`` spots deltas. American: a central difference of prices
    with yields a hundredth of a percent up and down, by the collocation (``accuracy="precise"`` where none is named).

    >>> at = {"years": 0.5, "rate": 0.05, "dividend_yield": 0.02, "vol": 0.25, "right": "call"}
    >>> round(float(dividend_rho(100.0, 105.0, **at)), 4)
    -22.7255
    >>> round(float(greeks(100.0, 105.0, **at).delta), 4)
    0.4545
    """
    if _is_american(exercise, keywords):
        if keywords.get("dividends") or keywords.get("method", "alo") != "alo":
            raise Unsupported("dividend_rho: American options by the collocation only, without cash dividends")
        keywords.setdefault("accuracy", "precise")
        middle = _american.numbers("dividend_yield", dividend_yield)
        low, high = (
            _american.price(spot, strike, years, rate, middle + step, vol, right, **keywords)
            for step in (-_YIELD_STEP, _YIELD_STEP)
        )
        return (high - low) / (2.0 * _YIELD_STEP)
    delta = greeks(spot, strike, years, rate, dividend_yield, vol, right, **keywords).delta
    moving = _american.numbers("spot", spot)
    cash, _ = _dividends.european_keywords(**keywords)
    if cash:
        # What is set apart for a dividend is worth more the more the share yields until then.
        own = _dividends.escrowed(spot, years, rate, dividend_yield, cash)
        return -delta * (own.diffusing * np.asarray(years, FLOAT) + own.per_rate)
    return -delta * moving * np.asarray(years, FLOAT)


@keeps_series
def exercise_boundary(
    strike: ArrayLike,
    *,
    years: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    right: Any,
    accuracy: _american.Accuracy = "standard",
) -> Floats:
    """The spot at which an American option with `years` left should be exercised: a put at or below it, a call above.

    For the curve of one option give the years left at the times of interest. A put that is never exercised early has 0,
    a call infinity; without time left it is the strike. From the collocation of Andersen, Lake and Offengenden (2016),
    for a continuous yield; rows with two boundaries (rate and yield negative) or without vol are
    :class:`~margincore.Unsupported`. Against ``"precise"``, over 8,000 random options of a week to two years, the
    relative difference of ``"standard"`` has a median of 3e-5, a 99th percentile of 3e-4 and a largest of 3e-3; of
    ``"fast"`` 2e-3, 1e-2 and 2.4e-2.

    >>> left = [1.0, 0.5, 0.1, 0.0]
    >>> exercise_boundary(100.0, years=left, rate=0.05, dividend_yield=0.0, vol=0.2, right="put").round(2)
    array([ 80.88,  83.92,  90.15, 100.  ])
    """
    table = _american._Table(right, [1.0, strike, years, rate, dividend_yield, vol])
    return np.asarray(_core.american_boundary(table.columns, table.right, accuracy)).reshape(table.shape)


@keeps_series
def implied_vol(
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    right: Any,
    exercise: Exercise = "european",
    out: Floats | None = None,
    *,
    on_error: Literal["raise", "nan"] = "raise",
    return_status: bool = False,
    **american: Any,
) -> Any:
    """The vol at which :func:`price` returns each price, an annual fraction.

    A price at or below the intrinsic value on the forward, at or above the most the option can be worth, without time
    to expiry, or that is no number has no vol. ``on_error="raise"`` then raises :class:`~margincore.CalculationError`
    naming rows; ``on_error="nan"`` leaves NaN. ``return_status=True`` returns ``(vol, status)``, with status numbers as
    listed in `STATUSES`. Relative error below 1e-12 for out-of-the-money prices whose time value exceeds 1e-12 of the
    forward; prices close to their bounds do not determine a vol better than their own rounding.

    >>> round(float(implied_vol(4.7594, 42.0, 40.0, 0.5, 0.10, 0.0, "call")), 4)
    0.2
    >>> prices = [4.7594, 1.0, 50.0]
    >>> vol, status = implied_vol(prices, 42.0, 40.0, 0.5, 0.10, 0.0, "call", on_error="nan", return_status=True)
    >>> status.tolist(), STATUSES[1]
    ([0, 1, 2], 'price at or below the intrinsic value on the forward')
    """
    checked_on_error(on_error)
    if _is_american(exercise, american):
        vol, status = _american.implied_vol(price, spot, strike, years, rate, dividend_yield, right, **american)
        result = output(out, vol.shape)
        result[...] = vol
        return vols_or_error(result, status, price, on_error, return_status)
    # The engine's table of columns has the price where the vol would be.
    spot = _diffusing(spot, years, rate, dividend_yield, american)
    names = (*SPOT_NAMES[:5], "price")
    columns, shape = broadcast((spot, strike, years, rate, dividend_yield, price), right, names)
    result = output(out, shape)
    status = np.empty(shape, np.uint8)
    _core.european_implied(columns, result.reshape(-1), status.reshape(-1))
    return vols_or_error(result, status, price, on_error, return_status)
