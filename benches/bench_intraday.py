"""A day's fills against the intraday margin level: many accounts as columns, and the check that blocks a deficit."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

import margincore as mc
from benches.measure import OURS, REFERENCE, Bench, Case, check_equal
from margincore.reference import intraday as reference

ACCOUNTS, FILLS, NAMES, FEW = 10_000, 1_000_000, 50, 20
CASH = 10_000.0
WITHOUT = "the same check without the block"


class Fills:
    """Random fills of stock in every account, at the marks and a little off them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        self.names = [mc.Stock(f"S{k}", currency="USD") for k in range(NAMES)]
        self.spot = {name.underlying: 20.0 + k for k, name in enumerate(self.names)}
        market = mc.Market("2026-11-20T09:30:00-05:00", spot=self.spot)
        self.prepared = mc.Engine(mc.methods.RegT()).prepare(self.names, market)
        self.accounts = mc.Accounts.from_columns(self.prepared.contracts, account=[], contract=[], lots=[],
                                                 count=ACCOUNTS)  # fmt: skip
        self.account = rng.integers(0, ACCOUNTS, FILLS)
        # Eight names in an account.
        self.contract = (self.account + rng.integers(0, 8, FILLS)) % NAMES
        self.lots = rng.integers(1, 100, FILLS) * rng.choice([-1, 1], FILLS)
        self.price = np.array(list(self.spot.values()))[self.contract] + rng.normal(0.0, 0.05, FILLS).round(2)

    def days(self, threads: int) -> mc.intraday.Days:
        return mc.intraday.many(
            self.prepared, self.accounts, cash=np.full(ACCOUNTS, CASH), account=self.account, contract=self.contract,
            lots=self.lots, price=self.price, threads=threads,
        )  # fmt: skip

    def slow(self) -> list[float]:
        """The first accounts' deficits by the reference."""
        found = []
        for account in range(FEW):
            own = np.flatnonzero(self.account == account)
            order = [
                reference.Transaction(
                    ((self.names[self.contract[i]].id, float(self.lots[i]), float(self.price[i]), 0.0),), self.spot
                )
                for i in own
            ]
            lowest = reference.lowest({}, CASH, order, reference.stock_maintenance)
            found.append(0.0 if lowest is None else max(0.0, -lowest[0]))
        return found


def many(threads: int) -> Iterator[Case]:
    """Nanoseconds per fill, for ours and the reference."""
    fills = Fills()
    check_equal("intraday.many", fills.days(threads).deficit[:FEW].tolist(), fills.slow(), rel=1e-9, abs_=1e-6)
    few = int((fills.account < FEW).sum())
    calls = {OURS: lambda: fills.days(threads), REFERENCE: fills.slow}
    yield Case(calls, sizes={OURS: FILLS, REFERENCE: few}, threads=threads)


def block() -> Iterator[Case]:
    """What `block_intraday_deficit` adds to a check under Reg T."""
    fills = Fills()
    held = mc.Account([mc.Position(name, 50) for name in fills.names[:8]], cash={"USD": CASH})
    live = fills.prepared.open(held)
    order = mc.Order("o", fills.names[3], "buy", 10, 23.0)
    with_block, without = mc.Limit(min_excess=0.0, block_intraday_deficit=True), mc.Limit(min_excess=0.0)
    yield Case({OURS: lambda: live.check(order, with_block), WITHOUT: lambda: live.check(order, without)})


BENCHES = (
    *(
        Bench(f"intraday.many, {FILLS:,} fills in {ACCOUNTS:,} accounts, {threads} thread",
              functools.partial(many, threads), REFERENCE)
        for threads in (1, 2)
    ),
    Bench("live.check, block_intraday_deficit", block, WITHOUT),
)  # fmt: skip
