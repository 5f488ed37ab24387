"""Paradex: portfolio margin (scan against a minimum on delta), cross margin orders, partial liquidation.

Source: the venue's documentation repository; minimum delta, orders and liquidation verified on its examples.
"""

from __future__ import annotations

from dataclasses import dataclass

from margincore.reference.crypto.scenario import Leg, Scenario, VolLaw, delta, scan


@dataclass(frozen=True)
class Params:
    """One family of underlyings."""

    scenarios: tuple[Scenario, ...]
    law: VolLaw
    unhedged: float = 0.02
    hedged: float = 0.01
    mm_factor: float = 0.5


def family(
    limit: float,
    up: float,
    down: float,
    tails: tuple[tuple[float, float], ...],
    unhedged: float,
    hedged: float,
    floor: float,
) -> Params:
    """The scenario list of a family: the two edges with vol up only, the inside with both, weighted tails with up."""
    inside = [limit * k / 4 for k in range(3, -4, -1)]
    scenarios = [Scenario(limit, 1), *(Scenario(m, s) for m in inside for s in (1, -1)), Scenario(-limit, 1)]
    scenarios += [Scenario(m, 1, w) for m, w in tails]
    law = VolLaw(up, down, 0.30, 0.13, floor_days=1.0, min_vol_up=floor)
    return Params(tuple(scenarios), law, unhedged, hedged)


BTC_ETH = family(
    0.16,
    0.40,
    0.22,
    ((-0.66, 0.18), (-0.33, 0.36), (0.5, 0.24), (1.0, 0.12), (2.0, 0.06), (3.0, 0.04), (4.0, 0.03), (5.0, 0.024)),
    0.02,
    0.01,
    0.40,
)
HYPE_CL = family(
    0.28,
    0.64,
    0.352,
    ((-0.66, 0.30), (-0.33, 0.50), (0.5, 0.40), (1.0, 0.20), (2.0, 0.10), (3.0, 0.07), (4.0, 0.05), (5.0, 0.04)),
    0.03,
    0.015,
    0.60,
)


def min_delta(deltas: list[float], spot: float, unhedged: float, hedged: float) -> float:
    """The floor of the requirement: a rate on the net delta, another on the hedged part.

    >>> min_delta([1.0, -1.5], 70_000.0, 0.02, 0.01)
    1400.0
    """
    net, gross = abs(sum(deltas)), sum(abs(x) for x in deltas)
    return (unhedged * net + hedged * (gross - net) / 2.0) * spot


def margin(legs: list[Leg], spot: float, p: Params, provisions: float = 0.0) -> tuple[float, float, float, float]:
    """Initial, maintenance, scan risk and minimum delta requirement; provisions (funding, fees) are the caller's."""
    worst = max(-min(scan(legs, list(p.scenarios), p.law)), 0.0)
    floor = min_delta([delta(x) for x in legs], spot, p.unhedged, p.hedged)
    first = max(worst, floor)
    return first + provisions, p.mm_factor * first + provisions, worst, floor


def partial_liquidation(
    mmr: float, account_value: float, fee_rate: float, target: float = 0.9, step: float = 0.2
) -> tuple[float, list[dict[str, float]]]:
    """The smallest share, in steps, after which margin over account value is below the target; all shares tried.

    >>> partial_liquidation(88.8, 80.0, 0.5)[0]
    0.4
    """
    rows = []
    chosen = 1.0
    for k in range(1, round(1.0 / step)):
        share = k * step
        left, penalty = mmr * (1.0 - share), mmr * share * fee_rate
        worth = account_value - penalty
        rows.append({"share": share, "mmr": left, "penalty": penalty, "value": worth, "ratio": left / worth})
        if chosen == 1.0 and worth > 0.0 and left / worth < target:
            chosen = share
    return chosen, rows
