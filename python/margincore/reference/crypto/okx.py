"""OKX portfolio margin: MR1 to MR9 of one risk unit (an underlying), and the account's borrow margin (MR8).

Verified on the venue's own example: the structure, MR1, MR4 and MR6 of perpetuals, the factor 1.3, borrow, MR9.
Inferred: the vol shocks of MR1 and the MR7 rates of perpetuals. Not published in a readable form: MR3 and MR5 (the
caller states them) and MR7 of options.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from margincore.reference.crypto.scenario import Leg, Scenario, VolLaw, delta, grid, pnl, value

OLD_SLIPPAGE_TIERS = ((1e4, 1.0), (7e4, 2.0), (1.7e5, 4.0), (3e5, 6.0), (4.7e5, 8.0), (7e5, 10.0), (math.inf, 12.0))
OLD_VOL_NODES = ((0.0, 0.50), (30.0, 0.35), (60.0, 0.25))


@dataclass(frozen=True)
class Params:
    """One tier of underlyings."""

    max_move: float
    extreme_move: float
    annualised_move: float
    perp_rate: float
    mr7_perp_rate: float = 0.0
    extreme_weight: float = 0.5
    steps: int = 3
    imr_factor: float = 1.3
    law: VolLaw = field(default_factory=lambda: VolLaw(0.0, 0.0, nodes=OLD_VOL_NODES))


@dataclass(frozen=True)
class RiskUnit:
    """One risk unit's numbers, in dollars, under the venue's names."""

    mr1: float
    mr2: float
    mr3: float
    mr4: float
    mr5: float
    mr6: float
    mr7: float
    mr9: float
    mmr: float
    imr: float
    mr1_scenarios: list[float]


def mr9(hedged_usd: float, tiers: list[tuple[float, float, float]]) -> float:
    """Marginal tiers (from, to, rate) over the amount hedged between stable coins, in dollars.

    >>> mr9(1e7, [(0.0, 1e6, 0.0075), (1e6, 5e6, 0.0175), (5e6, 1e7, 0.025)])
    202500.0
    """
    return sum(rate * max(0.0, min(hedged_usd, high) - low) for low, high, rate in tiers)


def hedge_pairs(usdt: float, usdc: float, usd: float) -> list[tuple[str, float]]:
    """Amounts hedged between quote currencies, matched in the order USDT-USD, USDT-USDC, USDC-USD.

    >>> hedge_pairs(10.0, -4.0, -3.0)
    [('USDT-USD', 3.0), ('USDT-USDC', 4.0), ('USDC-USD', 0.0)]
    """
    left = {"USDT": usdt, "USDC": usdc, "USD": usd}
    pairs = []
    for one, two in (("USDT", "USD"), ("USDT", "USDC"), ("USDC", "USD")):
        matched = min(abs(left[one]), abs(left[two])) if left[one] * left[two] < 0.0 else 0.0
        for name in (one, two):
            left[name] -= math.copysign(matched, left[name])
        pairs.append((f"{one}-{two}", matched))
    return pairs


def mr4(legs: list[Leg], p: Params) -> float:
    """Basis risk: per expiry |delta| in dollars times the annualised move, at least the perpetual's rate."""
    by_expiry: dict[float, float] = {}
    for leg in legs:
        if leg.kind != "spot":
            by_expiry[leg.years] = by_expiry.get(leg.years, 0.0) + delta(leg) * leg.forward
    return sum(
        abs(amount) * max(p.perp_rate, math.exp(p.annualised_move * years) - 1.0)
        for years, amount in sorted(by_expiry.items())
    )


def risk_unit(
    legs: list[Leg], p: Params, fx: float = 1.0, mr3: float = 0.0, mr5: float = 0.0, mr9_charge: float = 0.0
) -> RiskUnit:
    """Maintenance and initial margin of one risk unit; `fx` converts the settlement currency into dollars."""
    cells = [fx * sum(pnl(x, s, p.law) for x in legs) for s in grid(p.max_move, p.steps, (-1, 0, 1))]
    mr1 = max(-min(cells), 0.0)
    extreme = min(sum(pnl(x, Scenario(m, 0), p.law) for x in legs) for m in (-p.extreme_move, p.extreme_move))
    mr6 = max(-extreme * p.extreme_weight * fx, 0.0)
    decay = 0.0
    for leg in legs:
        if leg.kind == "option":
            later = replace(leg, years=max(leg.years - 1.0 / 365.0, 0.0))
            decay += leg.quantity * (value(later, 0.0, leg.vol) - value(leg, 0.0, leg.vol))
    mr2 = max(-decay * fx, 0.0)
    basis = fx * mr4(legs, p)
    raw = p.mr7_perp_rate * fx * sum(abs(x.quantity) * x.forward for x in legs if x.kind == "perpetual")
    mr7 = raw * next(multiplier for most, multiplier in OLD_SLIPPAGE_TIERS if raw <= most)
    mmr = max(max(mr1, mr2, mr6) + mr3 + basis + mr5 + mr9_charge, mr7)
    return RiskUnit(mr1, mr2, mr3, basis, mr5, mr6, mr7, mr9_charge, mmr, p.imr_factor * mmr, cells)


def borrow(liability_usd: float, mmr_rate: float, imr_rate: float) -> tuple[float, float]:
    """MR8: initial and maintenance margin of a borrowed amount.

    >>> [round(x, 3) for x in borrow(78553.21889, 0.02, 0.1)]
    [7855.322, 1571.064]
    """
    return liability_usd * imr_rate, liability_usd * mmr_rate
