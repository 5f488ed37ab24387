"""The live account from Python: medians of 1,000-call batches, beside a C no-op and a fresh margin."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

import margincore as mc
from benches.measure import OURS, Bench, Case, check_equal

POSITIONS = 100
BATCH = 1_000
NO_OP = "math.copysign (C no-op)"
FRESH = "a fresh margin"


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


class Questions:
    """An open account, trades to ask about, and the way to answer without an open account."""

    def __init__(self) -> None:
        self.prepared, self.account = book()
        self.live = self.prepared.open(self.account)
        self.contracts = list(self.prepared.contracts)
        rng = np.random.default_rng(1)
        self.index = rng.integers(0, len(self.contracts), BATCH).tolist()
        self.lots = (rng.integers(1, 20, BATCH) * rng.choice([-1, 1], BATCH)).tolist()
        some = list(itertools.islice(zip(self.index, self.lots, strict=True), 20))
        ours = [self.live.margin_after(i, q) for i, q in some]
        check_equal("live.margin_after", ours, [self.fresh(i, q) for i, q in some], rel=1e-12)

    def fresh(self, i: int, q: int) -> float:
        held = [*self.account.positions, mc.Position(self.contracts[i], q)]
        return self.prepared.margin(held).requirement.initial

    def fresh_batch(self) -> Callable[[], object]:
        return _batch(self.fresh, self.index, self.lots)


def margin_after(hot: bool) -> Iterator[Case]:
    """The same contract each time, or one after the other."""
    asked = Questions()
    # math.copysign takes two numbers and returns a float: the least a call like ours can cost.
    calls = {OURS: asked.live.margin_after, NO_OP: math.copysign, FRESH: asked.fresh}
    index, lots = ([150] * BATCH, [3] * BATCH) if hot else (asked.index, asked.lots)
    yield Case({name: _batch(call, index, lots) for name, call in calls.items()}, n=BATCH)


def what_if() -> Iterator[Case]:
    """A trade as a contract and a quantity."""
    asked = Questions()
    live, contracts = asked.live, asked.contracts
    ours = [live.what_if([(contracts[i], q)]) for i, q in zip(asked.index[:20], asked.lots, strict=False)]
    theirs = [asked.fresh(i, q) for i, q in zip(asked.index[:20], asked.lots, strict=False)]
    check_equal("live.what_if", [found.after.initial for found in ours], theirs, rel=1e-12)
    calls = {OURS: _batch(lambda i, q: live.what_if([(contracts[i], q)]), asked.index, asked.lots)}
    yield Case({**calls, FRESH: asked.fresh_batch()}, n=BATCH)


def check() -> Iterator[Case]:
    """An order against limits."""
    asked = Questions()
    limit = mc.Limit(1e12, min_excess=0.0)
    orders = [
        mc.Order(f"o{k}", asked.contracts[i], "buy" if q > 0 else "sell", abs(q), 10.0)
        for k, (i, q) in enumerate(zip(asked.index, asked.lots, strict=True))
    ]
    check = asked.live.check
    calls = {OURS: _batch(lambda k, _: check(orders[k], limit), list(range(BATCH)), asked.lots)}
    yield Case({**calls, FRESH: asked.fresh_batch()}, n=BATCH)


def rank(threads: int) -> Iterator[Case]:
    """Many candidates in one call."""
    asked, many, rng = Questions(), 100_000, np.random.default_rng(2)
    candidates = rng.integers(0, len(asked.contracts), many).astype(np.uint32)
    quantities = rng.integers(-20, 20, many)
    yield Case({OURS: lambda: asked.live.rank(candidates, quantities, threads=threads)}, n=many, threads=threads)


BENCHES = (
    Bench("live.margin_after, hot contract", functools.partial(margin_after, True), NO_OP, FRESH),
    Bench("live.margin_after, random contracts", functools.partial(margin_after, False), NO_OP, FRESH),
    Bench("live.what_if", what_if, FRESH),
    Bench("live.check", check, FRESH),
    *(Bench(f"live.rank, {threads} thread", functools.partial(rank, threads)) for threads in (1, 2)),
)
