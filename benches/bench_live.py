"""The live account from Python: medians of 1,000-call batches, beside a C no-op and a fresh margin."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

import numpy as np

import margincore as mc
from benches.measure import Row, check_equal, compare

POSITIONS = 100
BATCH = 1_000


def book() -> tuple[mc.Prepared, mc.Account]:
    """400 options on one index, 100 of them held; ten scenarios in rows of sixteen columns."""
    options = [
        mc.Option(
            "SPX",
            right,
            4000.0 + 5 * i,
            expiry="2026-12-18",
            settles="am",
            exercise="european",
            multiplier=100,
            currency="USD",
        )
        for i in range(200)
        for right in ("call", "put")
    ]
    market = mc.Market(
        "2026-11-20T16:00:00-05:00", spot={"SPX": 4500.0}, rate={"USD": 0.05}, vol={o.id: 0.18 for o in options}
    )
    prepared = mc.Engine(mc.methods.Tims()).prepare(options, market)
    positions = [mc.Position(options[i * 4 % 400], i * 7 % 23 - 11) for i in range(POSITIONS)]
    return prepared, mc.Account(positions, cash={"USD": 1e7})


def _batch(call: Callable[[int, int], object], index: list[int], lots: list[int]) -> Callable[[], object]:
    def run() -> object:
        result: object = None
        for i, q in zip(index, lots, strict=True):
            result = call(i, q)
        return result

    return run


def rows() -> Iterable[Row]:
    prepared, account = book()
    live = prepared.open(account)
    contracts = list(prepared.contracts)
    rng = np.random.default_rng(1)
    index = rng.integers(0, len(contracts), BATCH).tolist()
    lots = (rng.integers(1, 20, BATCH) * rng.choice([-1, 1], BATCH)).tolist()
    limit = mc.Limit(1e12, min_excess=0.0)
    orders = [
        mc.Order(f"o{k}", contracts[i], "buy" if q > 0 else "sell", abs(q), 10.0)
        for k, (i, q) in enumerate(zip(index, lots, strict=True))
    ]

    def fresh(i: int, q: int) -> float:
        return prepared.margin([*account.positions, mc.Position(contracts[i], q)]).requirement.initial

    some = list(itertools.islice(zip(index, lots, strict=True), 20))
    ours = [live.margin_after(i, q) for i, q in some]
    check_equal("live.margin_after", ours, [fresh(i, q) for i, q in some], rel=1e-12)
    # math.copysign takes two numbers and returns a float: the least a call like ours can cost.
    calls = {"ours": live.margin_after, "math.copysign (C no-op)": math.copysign, "a fresh margin": fresh}
    hot = {name: _batch(call, [150] * BATCH, [3] * BATCH) for name, call in calls.items()}
    yield from compare("live.margin_after, hot contract", hot, n=BATCH)
    random = {name: _batch(call, index, lots) for name, call in calls.items()}
    yield from compare("live.margin_after, random contracts", random, n=BATCH)

    what_if = {
        "ours": _batch(lambda i, q: live.what_if([(contracts[i], q)]), index, lots),
        "a fresh margin": _batch(fresh, index, lots),
    }
    yield from compare("live.what_if", what_if, n=BATCH)
    check = live.check
    numbered = list(range(BATCH))
    checks = {
        "ours": _batch(lambda k, _: check(orders[k], limit), numbered, lots),
        "a fresh margin": _batch(fresh, index, lots),
    }
    yield from compare("live.check", checks, n=BATCH)

    many = 100_000
    candidates = rng.integers(0, len(contracts), many).astype(np.uint32)
    quantities = rng.integers(-20, 20, many)
    for threads in (1, 2):
        ranked = {"ours": lambda threads=threads: live.rank(candidates, quantities, threads=threads)}
        yield from compare(f"live.rank, {threads} thread", ranked, n=many, threads=threads)
