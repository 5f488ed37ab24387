"""Deribit portfolio margin, 2024 and later (risk matrix), one currency pair in its settlement currency.

Verified on engine responses that hold futures only: buckets, extended rows of futures, offset of gains, roll shock,
composition of initial and maintenance margin. Inferred and not verified: the use of the vol floors, the dampener, the
cap on offsetable gains, the exponential roll rate, the delta shock. The parameter set grades each component.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from margincore.reference.crypto.scenario import Leg, Scenario, VolLaw, delta, grid, pnl, value

EXTENDED_MOVES = (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True)
class Params:
    """One parameter set, under the venue's names. `extended_dampener` and caps are in dollars."""

    price_range: float
    volatility_range_up: float
    volatility_range_down: float
    short_term_vega_power: float = 0.30
    long_term_vega_power: float = 0.13
    min_volatility_for_shock_up: float = 0.50
    extended_table_factor: float = 1.0
    extended_dampener: float = 100_000.0
    min_annualised_move: float = 0.01
    annualised_move_risk: float = 0.075
    m_inc: float = 5e-5
    max_delta_shock: float = 0.10
    delta_total_liq_shock_threshold: float = 20_000_000.0
    mm_factor: float = 0.8
    pnl_offset: float = 0.0
    max_offsetable_pnl: float = 0.0

    @property
    def law(self) -> VolLaw:
        """The vol shock as published."""
        return VolLaw(
            self.volatility_range_up,
            self.volatility_range_down,
            self.short_term_vega_power,
            self.long_term_vega_power,
            min_vol_up=self.min_volatility_for_shock_up,
        )


@dataclass(frozen=True)
class Result:
    """The venue's own numbers, in the settlement currency; losses are negative P&L, margins positive."""

    initial_margin: float
    maintenance_margin: float
    worst_case: float
    worst_bucket: tuple[float, int]
    roll_shock: float
    delta_shock: float
    risk_matrix_margin: float
    aggregated: list[float]
    scenarios: list[Scenario] = field(default_factory=list)


def _coin(move: float, price_range: float, inverse: bool) -> float:
    """Coin conversion of an extended row: the P&L there is worth 1 + m, at the edge of the matrix 1 +- range."""
    return (1.0 + move) / (1.0 + math.copysign(price_range, move)) if inverse else 1.0


def roll_shock(legs: list[Leg], p: Params) -> float:
    """Sum over expiries of |delta| times the annualised move, at least the minimum; spot has no roll."""
    by_expiry: dict[float, float] = {}
    for leg in legs:
        if leg.kind != "spot":
            by_expiry[leg.years] = by_expiry.get(leg.years, 0.0) + (delta(leg) * (1.0 if leg.inverse else leg.forward))
    total = 0.0
    for years, amount in sorted(by_expiry.items()):
        rate = max(p.min_annualised_move, math.exp(p.annualised_move_risk * years) - 1.0)
        total += abs(amount) * rate
    return total


def delta_shock(legs: list[Leg], p: Params, index: float) -> float:
    """The liquidity charge of a large delta (inferred): long options may reduce it, never create it. In coin."""
    longs = shorts = 0.0
    for leg in legs:
        net = delta(leg)
        if leg.kind == "option" and leg.inverse:
            net -= leg.quantity * value(leg, 0.0, leg.vol)
        if leg.kind == "option" and leg.quantity > 0.0:
            longs += net
        else:
            shorts += net
    total = min(max(longs + shorts, shorts), 0.0) if shorts < 0.0 else max(min(longs + shorts, shorts), 0.0)
    size = abs(total)
    return size * min(p.max_delta_shock, p.m_inc * max(0.0, size - p.delta_total_liq_shock_threshold / index))


def margin(legs: list[Leg], p: Params, index: float, open_orders: float = 0.0, mmp: float = 0.0) -> Result:
    """Initial and maintenance margin of one currency pair; legs are all inverse or all linear."""
    inverse = any(leg.inverse for leg in legs)
    unit = index if inverse else 1.0
    scenarios = grid(p.price_range, 4, (-1, 0, 1))
    cells = [sum(pnl(leg, s, p.law) for leg in legs) for s in scenarios]
    cap = p.max_offsetable_pnl / unit
    cells = [x if x <= 0.0 else min(x * p.pnl_offset, cap) for x in cells]
    for move in EXTENDED_MOVES:
        s = Scenario(move, +1)
        factor = p.extended_table_factor * p.price_range / abs(move) * _coin(move, p.price_range, inverse)
        total = factor * sum(pnl(leg, s, p.law) for leg in legs)
        edge = (1.0 + math.copysign(p.price_range, move)) * index if inverse else 1.0
        damp = min((abs(move) / p.price_range - 1.0) * p.extended_dampener / edge, abs(total))
        total -= math.copysign(damp, total)
        cells.append(total if total <= 0.0 else min(total * p.pnl_offset, cap))
        scenarios.append(s)
    worst = min(range(len(cells)), key=lambda i: cells[i])
    roll = roll_shock(legs, p)
    liquidity = delta_shock(legs, p, index) * (1.0 if inverse else index)
    matrix = max(-cells[worst], 0.0) + roll + liquidity
    return Result(
        initial_margin=matrix + mmp + open_orders,
        maintenance_margin=p.mm_factor * matrix,
        worst_case=max(-cells[worst], 0.0),
        worst_bucket=(scenarios[worst].move, scenarios[worst].side),
        roll_shock=roll,
        delta_shock=liquidity,
        risk_matrix_margin=matrix,
        aggregated=cells,
        scenarios=scenarios,
    )
