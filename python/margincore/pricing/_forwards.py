"""What the models of options on a forward share: their columns, moves and results; see
:mod:`margincore.pricing.black76`."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from margincore import _core
from margincore._core import InvalidInput
from margincore.pricing import american as _american
from margincore.pricing._columns import (
    FLOAT,
    Floats,
    broadcast,
    checked_on_error,
    moves_table,
    output,
    scenario_count,
    vols_or_error,
)
from margincore.pricing._greeks import Greeks

__all__ = ["Model", "MovesIn", "OnError", "greeks", "implied_vol", "price", "price_grid"]

Model = Literal["forward", "shifted", "normal"]
"""Lognormal on the forward, lognormal on the forward plus a shift, normal."""
MovesIn = Literal["fraction", "price"]
OnError = Literal["raise", "nan"]

_NAMES = ("forward", "strike", "years", "rate", "rate", "vol")


def _rate(rate: ArrayLike | None, futures_style: bool) -> ArrayLike:
    if futures_style:
        if rate is not None:
            raise InvalidInput(
                "rate: an option margined like a future is not discounted: leave rate or futures_style out",
                code="contradiction",
                where="rate",
            )
        return 0.0
    if rate is None:
        raise InvalidInput(
            "rate is not stated: give the annual rate that discounts, or futures_style=True for options margined like "
            "futures",
            code="not_stated",
            where="rate",
        )
    return rate


def _shifted(name: str, value: ArrayLike, shift: ArrayLike) -> Any:
    try:
        return _american.numbers(name, value) + _american.numbers("shift", shift)
    except InvalidInput:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} and shift: {error}", code="wrong_type", where=name) from None


def _columns(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike | None,
    last: ArrayLike,
    right: Any,
    futures_style: bool,
    shift: ArrayLike | None,
    name: str = "vol",
) -> tuple[list[Any], tuple[int, ...]]:
    """Flat columns as the engine takes them, and the shape of the result."""
    if shift is not None:
        forward, strike = _shifted("forward", forward, shift), _shifted("strike", strike, shift)
    discounting = _rate(rate, futures_style)
    return broadcast((forward, strike, years, discounting, discounting, last), right, (*_NAMES[:5], name))


def price(
    model: Model,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike | None,
    vol: ArrayLike,
    right: Any,
    futures_style: bool,
    out: Floats | None,
    shift: ArrayLike | None = None,
) -> Floats:
    columns, shape = _columns(forward, strike, years, rate, vol, right, futures_style, shift)
    result = output(out, shape)
    if model == "normal":
        _core.normal_prices(columns, result.reshape(-1))
    else:
        _core.european_prices(columns, result.reshape(-1), model)
    return result


def price_grid(
    model: Model,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike | None,
    vol: ArrayLike,
    right: Any,
    price_moves: ArrayLike,
    vol_moves: ArrayLike,
    roll: float,
    moves_in: MovesIn,
    futures_style: bool,
    out: Floats | None,
    shift: ArrayLike | None = None,
) -> Floats:
    if moves_in not in ("fraction", "price"):
        raise InvalidInput(f"moves_in {moves_in!r}: expected 'fraction' or 'price'", code="unknown_name")
    columns, shape = _columns(forward, strike, years, rate, vol, right, futures_style, shift)
    scenarios = scenario_count(price_moves, vol_moves)
    result = output(out, (*shape, scenarios))
    own = np.broadcast_to(_american.numbers("forward", forward), shape).reshape(-1)
    moves = moves_table(price_moves, "price_moves", shape, scenarios)
    if moves_in == "fraction" and (own <= 0.0).any():
        row = int(np.argmax(own <= 0.0))
        raise InvalidInput(
            f"row {row}: forward is {own[row]}: a fraction of it is no move; give amounts and moves_in='price'",
            code="out_of_range",
            where=f"row {row}: forward",
            value=float(own[row]),
        )
    vols = moves_table(vol_moves, "vol_moves", shape, scenarios)
    if model == "normal":
        _core.normal_grid(columns, moves, vols, roll, result.reshape(-1, scenarios), moves_in == "price")
        return result
    if moves_in == "price" or model == "shifted":
        moves = _fractions(moves, own, np.broadcast_to(columns[0], own.shape), moves_in)
    _core.european_grid(columns, moves, vols, roll, result.reshape(-1, scenarios), model)
    return result


def _fractions(moves: Floats, forward: Floats, base: Floats, moves_in: MovesIn) -> Floats:
    """Moves of the forward as fractions of what the model moves: the forward, or the forward plus its shift."""
    if not (base > 0.0).all():
        return moves  # the engine names the row
    amounts = np.broadcast_to(moves, (len(forward), moves.shape[-1]))
    if moves_in == "fraction":
        amounts = amounts * forward[:, None]
    fractions: Floats = amounts / base[:, None]
    if (fractions < -1.0).any():
        row, scenario = (int(i) for i in np.argwhere(fractions < -1.0)[0])
        raise InvalidInput(
            f"price_moves, row {row}, scenario {scenario}: {amounts[row, scenario]} is more than there is to lose, "
            f"{base[row]}",
            code="out_of_range",
            where="price_moves",
        )
    return fractions


def greeks(
    model: Model,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike | None,
    vol: ArrayLike,
    right: Any,
    futures_style: bool,
    out: Floats | None,
    shift: ArrayLike | None = None,
) -> Greeks:
    columns, shape = _columns(forward, strike, years, rate, vol, right, futures_style, shift)
    result = output(out, (8, *shape))
    flat = result.reshape(8, -1)
    if model == "normal":
        _core.normal_greeks(columns, flat)
    else:
        _core.european_greeks(columns, flat, model)
        # The engine holds the yield, which here is the rate: all that a rate does to a held forward is to discount.
        np.multiply(flat[0], -np.asarray(columns[2], FLOAT), out=flat[5])
    return Greeks(*result)


def implied_vol(
    model: Model,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike | None,
    right: Any,
    futures_style: bool,
    out: Floats | None,
    on_error: OnError,
    return_status: bool,
    shift: ArrayLike | None = None,
) -> Any:
    checked_on_error(on_error)
    columns, shape = _columns(forward, strike, years, rate, price, right, futures_style, shift, "price")
    result = output(out, shape)
    status = np.empty(shape, np.uint8)
    if model == "normal":
        _core.normal_implied(columns, result.reshape(-1), status.reshape(-1))
    else:
        _core.european_implied(columns, result.reshape(-1), status.reshape(-1), model)
    return vols_or_error(result, status, price, on_error, return_status)
