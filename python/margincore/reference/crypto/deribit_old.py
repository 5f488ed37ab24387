"""Deribit's portfolio margin before 2024, its published vintages, and the venues that copied it (Dederi).

Loss = worst cell of a grid of price columns and three vol rows, plus contingencies. Vintage D: maintenance is the loss
plus contingencies and initial is 1.2 times that. Vintages A to C are published as sentences with their own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from margincore.reference.crypto.scenario import Leg, VolLaw, grid, scan


@dataclass(frozen=True)
class Vintage:
    """One published parameter set."""

    price_range: float
    steps: int
    law: VolLaw
    future_contingency: float
    option_contingency: str
    option_rate: float
    atm_range: float = 0.0
    vega_calendar: float = 0.0
    im_factor: float = 1.2
    future_larger_side: bool = False


VINTAGES = {
    "A": Vintage(
        0.125, 5, VolLaw(0.40, 0.40, 0.5, 0.5), 0.02, "all", 0.01, vega_calendar=0.25, future_larger_side=True
    ),
    "B": Vintage(0.10, 5, VolLaw(0.27, 0.27, 0.5, 0.5), 0.01, "all", 0.005),
    "C": Vintage(0.10, 5, VolLaw(0.38, 0.38, 0.30, 0.30), 0.01, "net_short_strike", 0.01),
    "D": Vintage(0.15, 5, VolLaw(0.45, 0.30, 0.30, 0.13), 0.006, "rolled", 0.01, atm_range=0.10),
}


def vol_move(vintage: Vintage, days: float) -> float:
    """The relative vol shock upwards at a number of days to expiry.

    >>> round(vol_move(VINTAGES["A"], 15.0), 6)
    0.565685
    """
    return vintage.law.base(days, +1)


def future_contingency(legs: list[Leg], vintage: Vintage) -> float:
    """Rate times the futures and perpetual positions, in coin.

    Later vintages say the sum of absolute positions. Vintage A charges 2 BTC for 100 long against 100 short at 2 %:
    the larger side (how it treats an outright is inferred).

    >>> future_contingency([Leg("future", 100.0, 1.0), Leg("perpetual", -100.0, 1.0)], VINTAGES["A"])
    2.0
    """
    sizes = [x.quantity for x in legs if x.kind in ("future", "perpetual")]
    longs, shorts = sum(max(q, 0.0) for q in sizes), sum(max(-q, 0.0) for q in sizes)
    return vintage.future_contingency * (max(longs, shorts) if vintage.future_larger_side else longs + shorts)


def rolled_shorts(nets: list[tuple[float, float]], spot: float, atm_range: float) -> float:
    """Net shorts of one expiry after rolling them against longs further out of the money (inferred order).

    `nets` are (strike, net quantity over calls and puts). Inside the at-the-money band a position counts by
    |S - K| / (S band). Strikes above spot are covered from above, strikes below from below.
    """
    total = 0.0
    for side in (sorted((x for x in nets if x[0] >= spot), reverse=True), sorted(x for x in nets if x[0] < spot)):
        carried = 0.0
        for strike, net in side:
            carried += net * min(abs(spot - strike) / (spot * atm_range), 1.0)
            if carried < 0.0:
                total -= carried
                carried = 0.0
    return total


def option_contingency(legs: list[Leg], spot: float, vintage: Vintage) -> float:
    """The option contingency in coin, by the vintage's rule.

    >>> book = [Leg("option", 10.0, 1.0, strike=5.0, right=1), Leg("option", -20.0, 1.0, strike=5.0, right=-1)]
    >>> option_contingency(book, 1.0, VINTAGES["C"])
    0.1
    """
    options = [x for x in legs if x.kind == "option"]
    if vintage.option_contingency == "all":
        return vintage.option_rate * sum(abs(x.quantity) for x in options)
    nets: dict[tuple[float, float], float] = {}
    for x in options:
        nets[x.years, x.strike] = nets.get((x.years, x.strike), 0.0) + x.quantity
    if vintage.option_contingency == "net_short_strike":
        return vintage.option_rate * sum(max(-q, 0.0) for q in nets.values())
    total = 0.0
    for years in sorted({y for y, _ in nets}):
        total += rolled_shorts([(k, q) for (y, k), q in nets.items() if y == years], spot, vintage.atm_range)
    return vintage.option_rate * total


def margin(legs: list[Leg], spot: float, vintage: Vintage) -> tuple[float, float, list[float]]:
    """Initial, maintenance and every cell; contingencies are converted into the legs' settlement currency."""
    cells = scan(legs, grid(vintage.price_range, vintage.steps, (-1, 0, 1)), vintage.law)
    unit = 1.0 if any(x.inverse for x in legs) else spot
    add = (future_contingency(legs, vintage) + option_contingency(legs, spot, vintage)) * unit
    maintenance = max(-min(cells), 0.0) + add
    return vintage.im_factor * maintenance, maintenance, cells
