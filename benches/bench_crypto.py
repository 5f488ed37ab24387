"""Crypto: preparing 1,000 instruments, one requirement, what-ifs a second, against the reference engine."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np

import margincore as mc
from benches.measure import Row, check_equal, compare
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


def rows() -> Iterator[Row]:
    """The same numbers first, then the times."""
    contracts, market, legs = instruments()
    rules = mc.methods.Deribit(
        rules={
            "*/USDC": {"charges": {"roll": {"annualised": 0.075}}, "scenarios": {"extended": {"dampener": 100_000.0}}}
        }
    )
    venues = {
        "deribit 35 scenarios": rules,
        # The grid of BTC for both.
        "bybit 33 scenarios": mc.methods.Bybit(
            stated={"option_contingency": 0, "option_vega": 0, "future_delta": 0}, rules={"ETH": {}}
        ),
    }
    for name, methodology in venues.items():
        prepared = mc.Engine(methodology)
        yield from compare(
            f"crypto.prepare 1,000 instruments, {name}", {"ours": lambda p=prepared: p.prepare(contracts, market)}
        )
        # The next snapshot of the same table, which stays placed: no quote is the old one.
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
        # It is prepared while the last one is still in use.
        state = {"book": prepared.prepare(contracts, market)}
        snapshots = itertools.cycle(turn)

        def fresh(snapshots: Iterator[mc.Market] = snapshots, state: dict[str, mc.Prepared] = state) -> None:
            state["book"] = state["book"].with_market(next(snapshots))

        yield from compare(f"crypto.prepare 1,000 instruments, {name}, next snapshot", {"ours": fresh})

    prepared = mc.Engine(rules).prepare(contracts, market)
    draw = random.Random(2)
    held = sorted(draw.sample(range(1000), 100))
    lots = [draw.choice([-3, -2, -1, 1, 2, 3]) for _ in held]
    account = mc.Account([mc.Position(contracts[row], q) for row, q in zip(held, lots, strict=True)])
    parameters = reference.Params(0.16, 0.5, 0.25)

    def slow() -> float:
        total = 0.0
        for symbol, first in (("BTC", 0), ("ETH", 500)):
            own = [
                Leg("option", float(q), leg.forward, strike=leg.strike, right=leg.right, years=leg.years, vol=leg.vol)
                for row, q in zip(held, lots, strict=True)
                if first <= row < first + 500
                for leg in [legs[row]]
            ]
            total += reference.margin(own, parameters, SPOT[symbol]).initial_margin
        return total

    check_equal("crypto.requirement", [prepared.margin(account).requirement.initial], [slow()], rel=1e-9)
    many = 1000
    accounts = mc.Accounts.from_columns(
        contracts,
        account=np.repeat(np.arange(many, dtype=np.uint32), 100),
        contract=np.tile(np.array(held, dtype=np.uint32), many),
        quantity=np.tile(np.array(lots, dtype=np.int64), many),
        count=many,
    )
    check_equal("crypto.margin_many", prepared.margin_many(accounts).initial[:1], [slow()], rel=1e-9)
    yield from compare(
        "crypto.requirement, 100 positions, 35 scenarios",
        {"ours": lambda: prepared.margin_many(accounts, threads=1)},
        n=many,
    )
    live = prepared.open(account)
    yield from compare("crypto.margin_after among 100 positions", {"ours": lambda: live.margin_after(500, 3)})
    bought = [(contracts[500], 3)]
    yield from compare("crypto.what_if among 100 positions", {"ours": lambda: live.what_if(bought)})
    yield from compare(
        "crypto.margin explained, 100 positions",
        {"ours": lambda: prepared.margin(account), "margincore.reference": slow},
    )


def market_forwards(market: mc.Market) -> Iterator[tuple[tuple[str, str], float]]:
    """The forwards of a market, as they are given."""
    for row in market.to_dict()["forward"]:
        yield (row["underlying"], row["expiry"]), row["price"]
