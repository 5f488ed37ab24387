"""One position, one scenario: the part every crypto portfolio margin shares.

A leg is valued in its settlement currency: coin for inverse contracts, dollars (or a stable coin) for linear ones. A
scenario moves every forward of the underlying by the same fraction and shocks every vol by a law that depends on the
days to expiry. Everything a venue adds lives in its own file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from margincore.reference.pricing import black76, normal_cdf


@dataclass(frozen=True)
class Leg:
    """A position. `quantity` is signed coin; `kind` is option, future, perpetual or spot; `forward` is its own price.

    For an inverse future or perpetual of N dollars the quantity is N over its mark.
    """

    kind: str
    quantity: float
    forward: float
    inverse: bool = False
    strike: float = 0.0
    right: int = 0
    years: float = 0.0
    vol: float = 0.0

    @property
    def days(self) -> float:
        """Days to expiry."""
        return self.years * 365.0


@dataclass(frozen=True)
class VolLaw:
    """How a vol moves: base shocks, powers of (30 / days) below and from 30 days, floors; `relative` or absolute.

    `days_offset` is added to the days to expiry first.
    """

    up: float
    down: float
    power_short: float = 0.0
    power_long: float = 0.0
    floor_days: float = 0.0
    min_vol_up: float = 0.0
    relative: bool = True
    days_offset: float = 0.0
    nodes: tuple[tuple[float, float], ...] = ()

    def scale(self, days: float) -> float:
        """The time factor of the shock."""
        days += self.days_offset
        floored = max(days, self.floor_days)
        if floored <= 0.0:
            return math.inf
        return float((30.0 / floored) ** (self.power_short if days < 30.0 else self.power_long))

    def base(self, days: float, side: int) -> float:
        """The size of the shock at a number of days: the law, or linear between published nodes."""
        if not self.nodes:
            return (self.up if side > 0 else self.down) * self.scale(days)
        if days >= self.nodes[-1][0]:
            return self.nodes[-1][1]
        for (x0, y0), (x1, y1) in zip(self.nodes, self.nodes[1:], strict=False):
            if days <= x1:
                return y0 + (y1 - y0) * (days - x0) / (x1 - x0)
        raise ValueError("vol nodes do not cover the days to expiry")

    def shocked(self, vol: float, days: float, side: int) -> float:
        """The vol after a shock up (+1), down (-1) or none (0)."""
        if side == 0:
            return vol
        size = self.base(days, side)
        moved = vol * (1.0 + side * size) if self.relative else vol + side * size
        return max(moved, self.min_vol_up) if side > 0 else max(moved, 0.0)


@dataclass(frozen=True)
class Scenario:
    """A price move (fraction), a vol side (+1, 0, -1) and the weight its P&L enters with."""

    move: float
    side: int
    weight: float = 1.0


def value(leg: Leg, move: float, vol: float) -> float:
    """Value of one coin's worth of the leg after a move, in its settlement currency."""
    price = leg.forward * (1.0 + move)
    if leg.kind == "option":
        black = black76(price, leg.strike, leg.years, vol, leg.right)
        return black / price if leg.inverse else black
    if leg.inverse:
        return -leg.forward / price
    return price


def pnl(leg: Leg, scenario: Scenario, law: VolLaw) -> float:
    """Unweighted P&L of a leg in a scenario, in its settlement currency.

    >>> law = VolLaw(up=0.5, down=0.25)
    >>> round(pnl(Leg("perpetual", 0.314538364, 65910.57, inverse=True), Scenario(-0.16, 0), law), 12)
    -0.059912069333
    """
    shocked = law.shocked(leg.vol, leg.days, scenario.side) if leg.kind == "option" else 0.0
    return leg.quantity * (value(leg, scenario.move, shocked) - value(leg, 0.0, leg.vol))


def delta(leg: Leg) -> float:
    """Delta in coin: of an option d(Black)/dF, of everything else the quantity."""
    if leg.kind != "option":
        return leg.quantity
    deviation = leg.vol * math.sqrt(max(leg.years, 0.0))
    if deviation <= 0.0:
        unit = float(leg.right) if leg.right * (leg.forward - leg.strike) > 0.0 else 0.0
    else:
        d1 = math.log(leg.forward / leg.strike) / deviation + 0.5 * deviation
        unit = leg.right * normal_cdf(leg.right * d1)
    return leg.quantity * unit


def scan(legs: Iterable[Leg], scenarios: list[Scenario], law: VolLaw) -> list[float]:
    """Weighted P&L of a portfolio in every scenario."""
    held = list(legs)
    return [s.weight * sum(pnl(leg, s, law) for leg in held) for s in scenarios]


def grid(limit: float, steps: int, sides: tuple[int, ...]) -> list[Scenario]:
    """2 steps + 1 equidistant moves from -limit to +limit, each with every vol side, move by move."""
    return [Scenario(limit * k / steps, side) for k in range(-steps, steps + 1) for side in sides]
