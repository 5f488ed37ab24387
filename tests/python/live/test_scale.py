"""An account that lives long: many open orders, many checks, many markets."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
import stress

import margincore as mc

ROUNDS = int(os.environ.get("MARGINCORE_STRESS_ROUNDS", "200"))
"""`make campaign` asks for 10,000: a million checks and ten thousand rebases."""


def seconds(work: list[tuple[object, ...]]) -> float:
    start = time.perf_counter()
    for function, *arguments in work:
        function(*arguments)  # type: ignore[operator]
    return time.perf_counter() - start


def test_open_orders_cost_what_one_costs() -> None:
    """100,000 open orders at a thousand prices: the last thousand come and go as fast as the first."""
    _, live = stress.opened()
    orders = [mc.Order(f"{i:06}", stress.STOCK, "buy", 1, 100.0 + i % 1000 / 100.0) for i in range(100_000)]
    first = seconds([(live.reserve, order) for order in orders[:1000]])
    seconds([(live.reserve, order) for order in orders[1000:-1000]])
    last = seconds([(live.reserve, order) for order in orders[-1000:]])
    filled = seconds([(live.fill, order.id, "f", 1, 100.0) for order in orders[:1000]])
    assert len(live.open_orders) == 99_000
    cancelled = seconds([(live.cancel, order.id) for order in orders[1000:2000]])
    print(f"1,000 orders: first {first:.4f} s, last {last:.4f}, filled {filled:.4f}, cancelled {cancelled:.4f}")
    # A pass over all of them would be a hundred times the first; a busy machine is not.
    assert max(last, cancelled) < 20 * first + 0.05
    assert filled < 1.0


def test_orders_of_equal_terms_are_as_many_as_one() -> None:
    """Ten orders of one lot may fill as one order of ten lots does: the worst is the same, the check as exact."""
    prepared, _ = stress.opened()
    held = [mc.Position(stress.OPTIONS[40], -3), mc.Position(stress.STOCK, 50)]
    rng = random.Random(3)
    for round_ in range(30):
        split, whole = (prepared.open(mc.Account(held, cash={"USD": 1e6})) for _ in range(2))
        for number in range(3):
            contract, side = stress.OPTIONS[rng.randrange(30, 60)], rng.choice(["buy", "sell"])
            price, lots = rng.choice([1.0, 2.5, 7.0]), rng.randrange(1, 12)
            for part in range(lots):
                split.reserve(mc.Order(f"{number} {part}", contract, side, 1, price, fees=0.5))
            whole.reserve(mc.Order(f"{number}", contract, side, lots, price, fees=0.5 * lots))
        limit = mc.Limit(min_excess=-1e9)
        new = mc.Order("new", stress.STOCK, "sell", 70, 99.0)
        one, other = split.check(new, limit), whole.check(new, limit)
        assert (one.worst, one.coverage, one.reason) == (other.worst, other.coverage, other.reason), round_
        assert one.excess_after == pytest.approx(other.excess_after, abs=1e-9)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell a process's memory")
def test_memory_is_flat_over_checks_and_markets() -> None:
    prepared, live = stress.opened()
    moved = prepared.update(spot={"XYZ": 101.0})
    limit = mc.Limit(max_requirement=1e12)
    orders = [mc.Order("a", option, "sell", 2, 3.0) for option in stress.OPTIONS]

    def pages() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    def round_() -> None:
        for order in orders:
            live.check(order, limit)
        live.rebase(moved)
        live.rebase(prepared)

    for _ in range(20):
        round_()
    before = pages()
    for _ in range(ROUNDS):
        round_()
    grown = (pages() - before) * os.sysconf("SC_PAGE_SIZE")
    print(f"{100 * ROUNDS:,} checks and {2 * ROUNDS:,} rebases: {grown / 1024:.0f} KiB more")
    assert grown < 1 << 20
