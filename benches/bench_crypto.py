"""Crypto: preparing 1,000 instruments, one requirement, what-ifs a second, against the reference engine."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import margincore as mc
from benches.measure import OURS, REFERENCE, Bench, Case, check_equal
from margincore.reference.crypto import deribit as reference
from margincore.reference.crypto.scenario import Leg

SPOT = {"BTC": 90_000.0, "ETH": 3_000.0}
EXPIRIES = (7, 14, 28, 56, 91, 182, 273, 364)
NOW = "2026-01-02T08:00:00Z"


def instruments() -> tuple[mc.Contracts, mc.Market, list[Leg]]:
    """500 linear options of BTC and 500 of ETH with a smile, as contracts and market and as reference legs."""
    made, vols, legs, forward = [], [], [], {}
    draw = random.Random(1)
    for symbol, spot in SPOT.items():
        for i in range(500):
            days = EXPIRIES[i % len(EXPIRIES)]
            expiry = (np.datetime64("2026-01-02T08:00:00") + np.timedelta64(days, "D")).astype(str) + "Z"
            strike = round(spot * (0.5 + i / 500), 2)
            right = "call" if i % 2 else "put"
            vol = 0.5 + 0.3 * abs(strike / spot - 1.0) + 0.01 * draw.random()
            price = spot * (1.0 + 0.0001 * days)
            forward[symbol, expiry] = price
            made.append(
                mc.Option(
                    symbol,
                    right,
                    strike,
                    expiry=expiry,
                    exercise="european",
                    multiplier=1,
                    currency="USDC",
                    id=f"{symbol} {i}",
                )
            )
            vols.append(vol)
            legs.append(
                Leg("option", 1.0, price, strike=strike, right=1 if right == "call" else -1, years=days / 365, vol=vol)
            )
    contracts = mc.Contracts(made)
    market = mc.Market(NOW, spot=SPOT, forward=forward, contracts=contracts, vol=np.array(vols))
    return contracts, market, legs


def market_forwards(market: mc.Market) -> Iterator[tuple[tuple[str, str], float]]:
    """The forwards of a market, as they are given."""
    for row in market.to_dict()["forward"]:
        yield (row["underlying"], row["expiry"]), row["price"]


@functools.cache
def deribit() -> mc.methods.Deribit:
    """35 scenarios."""
    return mc.methods.Deribit(
        rules={
            "*/USDC": {"charges": {"roll": {"annualised": 0.075}}, "scenarios": {"extended": {"dampener": 100_000.0}}}
        }
    )


@functools.cache
def bybit() -> mc.methods.Bybit:
    """33 scenarios: the grid of BTC for both."""
    return mc.methods.Bybit(stated={"option_contingency": 0, "option_vega": 0, "future_delta": 0}, rules={"ETH": {}})


def prepare(rules: Callable[[], Any]) -> Iterator[Case]:
    """All instruments, from contracts and market."""
    contracts, market, _ = instruments()
    engine = mc.Engine(rules())
    yield Case({OURS: lambda: engine.prepare(contracts, market)})


def next_snapshot(rules: Callable[[], Any]) -> Iterator[Case]:
    """The next snapshot of the same table, which stays placed: no quote is the old one."""
    contracts, market, _ = instruments()
    turn = [
        mc.Market(
            NOW,
            spot=SPOT,
            forward=dict(market_forwards(market)),
            contracts=contracts,
            vol=np.full(1000, 0.5 + 0.001 * k),
        )
        for k in range(64)
    ]
    snapshots = itertools.cycle(turn)
    # It is prepared while the last one is still in use.
    book = mc.Engine(rules()).prepare(contracts, market)

    def fresh() -> None:
        nonlocal book
        book = book.with_market(next(snapshots))

    yield Case({OURS: fresh})


class Held:
    """A hundred of the instruments, as an account and by the reference."""

    def __init__(self) -> None:
        contracts, market, self.legs = instruments()
        self.prepared = mc.Engine(deribit()).prepare(contracts, market)
        draw = random.Random(2)
        self.rows = sorted(draw.sample(range(1000), 100))
        self.lots = [draw.choice([-3, -2, -1, 1, 2, 3]) for _ in self.rows]
        self.account = mc.Account([mc.Position(contracts[row], q) for row, q in zip(self.rows, self.lots, strict=True)])

    def by_reference(self) -> float:
        total = 0.0
        for symbol, first in (("BTC", 0), ("ETH", 500)):
            own = [
                Leg("option", float(q), leg.forward, strike=leg.strike, right=leg.right, years=leg.years, vol=leg.vol)
                for row, q in zip(self.rows, self.lots, strict=True)
                if first <= row < first + 500
                for leg in [self.legs[row]]
            ]
            total += reference.margin(own, reference.Params(0.16, 0.5, 0.25), SPOT[symbol]).initial_margin
        return total


def requirement() -> Iterator[Case]:
    """The account a thousand times over, in one call; the reference takes it once."""
    held, many = Held(), 1000
    accounts = mc.Accounts.from_columns(
        held.prepared.contracts,
        account=np.repeat(np.arange(many, dtype=np.uint32), 100),
        contract=np.tile(np.array(held.rows, dtype=np.uint32), many),
        lots=np.tile(np.array(held.lots, dtype=np.int64), many),
        count=many,
    )
    check_equal("crypto.margin_many", held.prepared.margin_many(accounts).initial[:1], [held.by_reference()], rel=1e-9)
    calls = {OURS: lambda: held.prepared.margin_many(accounts, threads=1), REFERENCE: held.by_reference}
    yield Case(calls, n=many, sizes={REFERENCE: 1})


def margin_after() -> Iterator[Case]:
    """One more trade of an open account."""
    held = Held()
    live = held.prepared.open(held.account)
    yield Case({OURS: lambda: live.margin_after(500, 3)})


def what_if() -> Iterator[Case]:
    """The same question with its answer explained."""
    held = Held()
    live = held.prepared.open(held.account)
    bought = [(held.prepared.contracts[500], 3)]
    yield Case({OURS: lambda: live.what_if(bought)})


def explained() -> Iterator[Case]:
    """One report."""
    held = Held()
    ours = held.prepared.margin(held.account).requirement.initial
    check_equal("crypto.requirement", [ours], [held.by_reference()], rel=1e-9)
    yield Case({OURS: lambda: held.prepared.margin(held.account), REFERENCE: held.by_reference})


BENCHES = (
    *(
        Bench(f"crypto.prepare 1,000 instruments, {venue}{what}", functools.partial(make, rules))
        for venue, rules in (("deribit 35 scenarios", deribit), ("bybit 33 scenarios", bybit))
        for what, make in (("", prepare), (", next snapshot", next_snapshot))
    ),
    Bench("crypto.requirement, 100 positions, 35 scenarios", requirement, REFERENCE),
    Bench("crypto.margin_after among 100 positions", margin_after),
    Bench("crypto.what_if among 100 positions", what_if),
    Bench("crypto.margin explained, 100 positions", explained, REFERENCE),
)
