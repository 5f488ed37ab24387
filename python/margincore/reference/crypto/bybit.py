"""Bybit portfolio margin (unified account), one base coin: 11 prices times 3 vols, plus contingencies.

Verified on the venue's own example: the sum of P&L cells, the futures contingency, initial = 1.2 times maintenance.
Inferred from that example: the vol shocks. The futures-delta and USDT-USDC contingencies are not published in a
readable form; the caller states them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from margincore.reference.crypto.scenario import Leg, VolLaw, grid, scan


@dataclass(frozen=True)
class Params:
    """One base coin's parameters."""

    price_range: float = 0.10
    steps: int = 5
    law: VolLaw = field(default_factory=lambda: VolLaw(0.24, 0.20, 0.30, 0.30, days_offset=1.0))
    short_option_rate: float = 0.0
    vega_rate: float = 0.0003
    future_rate: float = 0.0003
    im_factor: float = 1.2


def short_options(legs: list[Leg]) -> float:
    """Net short option quantity per expiry, strike and right, summed."""
    nets: dict[tuple[float, float, int], float] = {}
    for x in legs:
        if x.kind == "option":
            nets[x.years, x.strike, x.right] = nets.get((x.years, x.strike, x.right), 0.0) + x.quantity
    return sum(max(-q, 0.0) for q in nets.values())


def margin(
    legs: list[Leg], index: float, p: Params, future_delta: float = 0.0, stable: float = 0.0
) -> tuple[float, float, dict[str, float], list[float]]:
    """Initial, maintenance, contingencies by name and every cell (price major, vol up, same, down)."""
    cells = scan(legs, grid(p.price_range, p.steps, (1, 0, -1)), p.law)
    futures = sum(abs(x.quantity) for x in legs if x.kind in ("future", "perpetual"))
    parts = {
        "option": p.short_option_rate * short_options(legs) * index,
        "future": p.future_rate * futures * index,
        "future_delta": future_delta,
        "usdt_usdc": stable,
    }
    maintenance = max(-min(cells), 0.0) + sum(parts.values())
    return p.im_factor * maintenance, maintenance, parts, cells
