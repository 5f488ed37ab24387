"""American options under VaR: collocation beside the tree, and beside the pure-Python engine."""

from __future__ import annotations

import datetime as dt
import itertools
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pytest

import margincore as mc
from margincore.reference import hvar as reference
from margincore.reference import pricing

TODAY = dt.date(2026, 11, 20)
VALUATION = "2026-11-20T16:00:00-05:00"
SPOT, RATE, YIELD = 100.0, 0.045, 0.02
SCENARIOS = 60
SIDES: tuple[Literal["call", "put"], ...] = ("call", "put")


def walk(seed: int, step: float = 0.02, level: float = SPOT) -> list[float]:
    """A history whose last level is given."""
    moves = np.exp(np.cumsum(step * np.random.default_rng(seed).standard_normal(SCENARIOS + 1)))
    return list(level * moves / moves[-1])


def option(right: Literal["call", "put"], strike: float, days: int) -> mc.Contract:
    return mc.Option(
        "A", right, strike, expiry=(TODAY + dt.timedelta(days=days)).isoformat(), settles="pm", exercise="american",
        multiplier=100, currency="USD", id=f"{right} {strike} {days}",
    )  # fmt: skip


CHAIN = [
    option(right, strike, days)
    for days in (12, 90, 400)
    for strike in (80.0, 95.0, 100.0, 108.0, 125.0)
    for right in SIDES
]
VOLS = {c.id: 0.22 + 0.004 * abs((c.strike or 0.0) - SPOT) ** 0.8 for c in CHAIN}


def market(**parts: Any) -> mc.Market:
    base: dict[str, Any] = {"spot": {"A": SPOT}, "rate": {"USD": RATE}, "dividend_yield": {"A": YIELD}, "vol": VOLS}
    return mc.Market(VALUATION, **(base | parts))


def rule(**parts: Any) -> mc.methods.HistoricalVar:
    words: dict[str, Any] = {
        "returns": "relative", "measure": "es_discrete", "confidence": "0.95", "window": SCENARIOS,
    }  # fmt: skip
    return mc.methods.HistoricalVar({"A": walk(1), "VOL": walk(2, 0.05, 0.3)}, **(words | parts))


def years(contract: mc.Contract) -> float:
    return float(contract.id.split()[2]) / 365


def error(book: dict[mc.Contract, int], steps: int, vol: float = 1.0) -> float:
    """A tree of n steps is within S vol sqrt(T) / n of its limit, a loss is a difference of two prices, and a mean of
    the worst losses moves by no more than the losses do. Spots rise by a tenth at most."""
    per_unit = 2.0 * 1.1 * SPOT * vol / steps
    return sum((100 * per_unit * abs(q) * VOLS[c.id] * float(np.sqrt(years(c))) for c, q in book.items()), 0.0)


def initial(book: dict[mc.Contract, int], at: mc.Market, by: mc.methods.HistoricalVar) -> float:
    return mc.margin([mc.Position(c, q) for c, q in book.items()], at, by).requirement.initial


def books(seed: int) -> dict[mc.Contract, int]:
    chance = np.random.default_rng(seed)
    return {c: int(q) for c in CHAIN if (q := chance.integers(-4, 5)) and chance.random() < 0.5}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("steps", [100, 400])
def test_trees_converge_to_the_collocation(seed: int, steps: int) -> None:
    book = books(seed)
    for more in ({}, {"vol_map": {"A": "VOL"}}):
        by_tree = initial(book, market(), rule(american="tree", steps=steps, **more))
        collocated = initial(book, market(), rule(**more))
        # Vols that move are larger than quoted, by the worst day's move at most.
        largest = max(np.abs(np.diff(walk(2, 0.05, 0.3)) / walk(2, 0.05, 0.3)[:-1])) if more else 0.0
        assert abs(by_tree - collocated) <= error(book, steps, 1.0 + largest)
        assert by_tree != collocated


def test_the_collocation_agrees_with_the_reference_tree() -> None:
    """The pure-Python engine's own tree of 100 steps under every scenario."""
    book = {CHAIN[12]: -3, CHAIN[17]: 2, CHAIN[24]: 1}
    history = walk(1)
    moves = [b / a - 1.0 for a, b in itertools.pairwise(history)]
    losses = [0.0] * SCENARIOS
    for contract, lots in book.items():
        right = 1 if contract.right == "call" else -1

        def price(spot: float, c: mc.Contract = contract, right: int = right) -> float:
            return pricing.crr(spot, c.strike or 0.0, years(c), RATE, YIELD, VOLS[c.id], right, True, 100)

        base = price(SPOT)
        for s, move in enumerate(moves):
            losses[s] -= lots * 100 * (price(SPOT * (1.0 + move)) - base)
    expected = reference.risk(losses, "es_discrete", Fraction(95, 100))
    assert initial(book, market(), rule()) == pytest.approx(expected, abs=error(book, 100))


def test_collocation_is_the_default_and_named_in_the_digest() -> None:
    assert rule().parameters["digest"] == rule(american="collocation").parameters["digest"]
    assert rule().parameters["digest"] != rule(american="tree").parameters["digest"]
    with pytest.raises(mc.InvalidInput, match="american"):
        rule(american="binomial")


def test_with_cash_dividends_trees_converge_to_the_lattice() -> None:
    """Which has its own steps; the tree has as many as are asked for."""
    paying = market(dividend_yield={}, dividends={"A": [("2026-12-01", 0.5)]})
    book = {CHAIN[12]: -3, CHAIN[17]: 2}
    lattice = initial(book, paying, rule())
    assert initial(book, paying, rule(steps=50)) == lattice
    trees = [initial(book, paying, rule(american="tree", steps=steps)) for steps in (50, 51, 1600)]
    assert len({lattice, *trees}) == 4
    assert trees[2] == pytest.approx(lattice, abs=error(book, 1600))


def test_shares_and_threads_change_no_bit() -> None:
    """Prices are made in shares of rows, which grow smaller with the scenarios."""
    book = books(3)
    engine = mc.Engine(rule())
    one = engine.prepare(CHAIN, market()).margin([mc.Position(c, q) for c, q in book.items()])
    two = engine.prepare(list(reversed(CHAIN)), market(), threads=2).margin(
        [mc.Position(c, q) for c, q in reversed(book.items())]
    )
    assert one.requirement.initial == pytest.approx(two.requirement.initial, rel=1e-12)
    again = engine.prepare(CHAIN, market(), threads=2).margin([mc.Position(c, q) for c, q in book.items()])
    assert one.requirement == again.requirement
