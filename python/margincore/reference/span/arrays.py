"""Risk arrays and composite deltas from parameters.

Loss positive, one long contract, cover included. The new value is taken at `years - lookahead` with the scenario's
vol; the old value is theoretical, at today's time and the contract's own vol.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..pricing import bachelier, black76, black_scholes, crr, normal_cdf
from .model import Point

_THIRDS = (1.0 / 3.0, 2.0 / 3.0)


def standard_points(multiplier: float, cover: float) -> list[Point]:
    """The 16 scenarios with exact thirds and an extreme move of `multiplier` ranges, `cover` of it charged.

    >>> standard_points(3.0, 0.33)[14]
    Point(price=3.0, vol=0.0, weight=0.33, paired=14)
    """
    moves = [0.0, _THIRDS[0], -_THIRDS[0], _THIRDS[1], -_THIRDS[1], 1.0, -1.0]
    points = [Point(m, v, 1.0, 2 * i + (1 - j)) for i, m in enumerate(moves) for j, v in enumerate((1.0, -1.0))]
    return [*points, Point(multiplier, 0.0, cover, 14), Point(-multiplier, 0.0, cover, 15)]


STANDARD_POINTS = standard_points(3.0, 0.33)
"""The 16 scenarios with exact thirds and CME's extreme move (3 times the range, 33 % covered)."""

STANDARD_DELTA_POINTS = [
    (-1.0, 0.037),
    (-_THIRDS[1], 0.111),
    (-_THIRDS[0], 0.217),
    (0.0, 0.270),
    (_THIRDS[0], 0.217),
    (_THIRDS[1], 0.111),
    (1.0, 0.037),
]
"""Price moves and weights of the composite delta."""

_FLOOR = 1e-8


def carry(model: str, rate: float, dividend_yield: float) -> float:
    """Cost of carry of a pricing model code.

    >>> carry("B", 0.05, 0.02), carry("BS", 0.05, 0.02)
    (0.0, 0.05)
    """
    costs = {
        "BS": rate,
        "WS": rate,
        "B": 0.0,
        "WB": 0.0,
        "N": 0.0,
        "I": 0.0,
        "M": rate - dividend_yield,
        "W": rate - dividend_yield,
        "CA": rate - dividend_yield,
        "CE": rate - dividend_yield,
    }
    if model not in costs:
        raise ValueError(f"pricing model {model!r} is not known: {', '.join(sorted(costs))}")
    return costs[model]


def option_value(
    model: str,
    underlying: float,
    strike: float,
    years: float,
    rate: float,
    dividend_yield: float,
    vol: float,
    right: int,
    steps: int = 400,
) -> float:
    """Value of one option, in the units of `underlying`; intrinsic at and after expiry.

    The quadratic approximations W, WS and WB are the engine's; here a fine tree stands in for them, so the two
    agree to the approximation's own error only. `N` reads `vol` in units of the underlying.

    >>> round(option_value("BS", 42.0, 40.0, 0.5, 0.10, 0.0, 0.20, 1), 2)
    4.76
    """
    cost = carry(model, rate, dividend_yield)
    if years <= 0.0 or model == "I":
        return max(right * (underlying - strike), 0.0)
    if model == "N":
        return bachelier(underlying, strike, years, vol, right, math.exp(-rate * years))
    spot = max(underlying, _FLOOR)
    if model in ("W", "WS", "WB", "CA", "CE"):
        return crr(spot, strike, years, rate, rate - cost, vol, right, american=model != "CE", steps=steps)
    if model == "B":
        return black76(spot, strike, years, vol, right, math.exp(-rate * years))
    return black_scholes(spot, strike, years, rate, rate - cost, vol, right)


def option_delta(
    model: str,
    underlying: float,
    strike: float,
    years: float,
    rate: float,
    dividend_yield: float,
    vol: float,
    right: int,
) -> float:
    """Spot delta of a European model (futures delta for B), as the composite delta uses it."""
    cost = carry(model, rate, dividend_yield)
    spot = max(underlying, _FLOOR)
    if years <= 0.0 or vol <= 0.0:
        return float(right) if right * (spot - strike) > 0.0 else 0.0
    deviation = vol * math.sqrt(years)
    d1 = (math.log(spot / strike) + cost * years) / deviation + 0.5 * deviation
    return right * math.exp((cost - rate) * years) * normal_cdf(right * d1)


def option_array(
    model: str,
    underlying: float,
    strike: float,
    years: float,
    rate: float,
    dividend_yield: float,
    vol: float,
    right: int,
    price_scan: float,
    vol_scan: float,
    vol_scan_percent: bool,
    lookahead: float,
    points: Sequence[Point] = STANDARD_POINTS,
) -> list[float]:
    """The risk array of one long option, in money.

    >>> array = option_array("BS", 100.0, 100.0, 0.25, 0.0, 0.0, 0.2, 1, 6.0, 0.1, True, 0.004)
    >>> round(array[10], 2), round(array[12], 2)
    (-4.12, 2.11)
    """
    base = option_value(model, underlying, strike, years, rate, dividend_yield, vol, right)
    array = []
    for point in points:
        shift = point.vol * vol_scan
        moved_vol = vol * (1.0 + shift) if vol_scan_percent else vol + shift
        moved = option_value(
            model,
            underlying + point.price * price_scan,
            strike,
            years - lookahead,
            rate,
            dividend_yield,
            moved_vol,
            right,
        )
        array.append(point.weight * (base - moved))
    return array


def future_array(
    price_scan: float,
    points: Sequence[Point] = STANDARD_POINTS,
    spot_carry: tuple[float, float, float, float] | None = None,
) -> list[float]:
    """The risk array of one long future: the move itself, or S*exp(r*T) where `spot_carry` is (S, T, rate, lookahead).

    >>> future_array(1700.0)[10:13]
    [-1700.0, -1700.0, 1700.0]
    """
    if spot_carry is None:
        return [-p.price * price_scan * p.weight for p in points]
    spot, years, rate, lookahead = spot_carry
    base = spot * math.exp(rate * years)
    left = math.exp(rate * max(years - lookahead, 0.0))
    return [p.weight * (base - (spot + p.price * price_scan) * left) for p in points]


def composite_delta(
    model: str,
    underlying: float,
    strike: float,
    years: float,
    rate: float,
    dividend_yield: float,
    vol: float,
    right: int,
    price_scan: float,
    lookahead: float,
    points: Sequence[tuple[float, float]] = STANDARD_DELTA_POINTS,
) -> float:
    """The weighted delta over the scan range, vol unshifted.

    >>> round(composite_delta("BS", 100.0, 100.0, 0.25, 0.0, 0.0, 0.2, 1, 6.0, 0.004), 4)
    0.5176
    """
    return math.fsum(
        weight
        * option_delta(
            model, underlying + move * price_scan, strike, years - lookahead, rate, dividend_yield, vol, right
        )
        for move, weight in points
    )
