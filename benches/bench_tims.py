"""TIMS: one account, many accounts, and preparing a chain, against the reference engine and plain NumPy and SciPy."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import margincore as mc
from benches.measure import Row, check_equal, compare, missing
from margincore.reference import tims as reference

TODAY = dt.date(2026, 11, 20)
SPOT, RATE, DIVIDEND_YIELD = 4500.0, 0.05, 0.015
RANGE = (-0.08, 0.06)


@dataclass(frozen=True)
class Series:
    """One European index option in plain values."""

    right: str
    strike: float
    days: int
    vol: float

    def contract(self) -> mc.Contract:
        return mc.Option(
            "SPX", self.right, self.strike, expiry=(TODAY + dt.timedelta(days=self.days)).isoformat(), settles="am",
            exercise="european", multiplier=100, currency="USD",
        )  # fmt: skip

    def reference(self) -> reference.Contract:
        return reference.Contract(
            "SPX", "option", multiplier=100.0, right=1 if self.right == "call" else -1, strike=self.strike,
            years=self.days / 365, vol=self.vol,
        )  # fmt: skip


def chain(expiries: int, strikes: int) -> list[Series]:
    """Calls and puts over a grid of expiries and strikes, with a skew."""
    return [
        Series(right, SPOT * (0.7 + 0.6 * k / (strikes - 1)), 7 + 14 * e, 0.12 + 0.1 * abs(0.6 - k / strikes))
        for e in range(expiries)
        for k in range(strikes)
        for right in ("call", "put")
    ]


def rows() -> Iterator[Row]:
    """All of it; the peers compute the same requirement first."""
    series = chain(expiries=10, strikes=100)
    contracts = mc.Contracts([s.contract() for s in series])
    vols = np.array([s.vol for s in series])
    market = mc.Market(
        "2026-11-20T16:00:00-05:00", spot={"SPX": SPOT}, rate={"USD": RATE}, dividend_yield={"SPX": DIVIDEND_YIELD},
        contracts=contracts, vol=vols,
    )  # fmt: skip
    engine = mc.Engine(mc.methods.Tims())
    prepared = engine.prepare(contracts, market)
    yield from _prepare(engine, contracts, market, series)
    yield from _one_account(prepared, series)
    yield from _many_accounts(prepared, series)


def _underlying() -> dict[str, reference.Underlying]:
    return {"SPX": reference.Underlying(SPOT, RATE, DIVIDEND_YIELD)}


def _parameters() -> reference.Parameters:
    return reference.Parameters(ranges={"SPX": RANGE})


def _arrays(series: list[Series]) -> NDArray[np.float64]:
    """Profit and loss of one long contract at the ten points, by the reference engine."""
    moves = reference.points(*RANGE)
    underlying = _underlying()["SPX"]
    table = []
    for s in series:
        contract = s.reference()
        base = reference.model_price(contract, underlying, 0.0, s.vol)
        table.append([100.0 * (reference.model_price(contract, underlying, m, s.vol) - base) for m in moves])
    return np.array(table)


def _prepare(engine: mc.Engine, contracts: mc.Contracts, market: mc.Market, series: list[Series]) -> Iterator[Row]:
    n = len(series)
    few = mc.Contracts([contracts[i] for i in range(0, n, 20)])
    report = engine.prepare(few, market).margin([mc.Position(c, 1) for c in few])
    expected = _arrays(series[::20]).sum(axis=0)
    check_equal("tims.prepare", report.details["class_groups"]["SPX"]["profit"], expected, rel=1e-9, abs_=1e-6)
    calls = {
        "ours": lambda: engine.prepare(contracts, market),
        "margincore.reference": lambda: _arrays(series),
    }
    yield from compare(f"tims.prepare, {n:,} European options, per option", calls, n=n)


def _one_account(prepared: mc.Prepared, series: list[Series]) -> Iterator[Row]:
    chance = random.Random(1)
    held = [(i, chance.randint(1, 20) * chance.choice((-1, 1))) for i in chance.sample(range(len(series)), 100)]
    account = mc.Account([mc.Position(prepared.contracts[i], q) for i, q in held])
    table = _arrays(series)
    given = [
        reference.Position(
            reference.Contract(
                "SPX", "option", multiplier=100.0, price=0.01 * prepared.margin(
                    [mc.Position(prepared.contracts[i], 1)]
                ).net_option_value, ten_values=tuple(table[i].tolist()),
            ),
            max(q, 0), max(-q, 0),
        )
        for i, q in held
    ]  # fmt: skip
    market, parameters = _underlying(), _parameters()
    name = "tims.margin, 100 positions prepared, explained, per account"
    ours = prepared.margin(account).requirement.initial
    check_equal(name, [ours], [reference.margin(given, market, parameters).requirement], rel=1e-9)
    calls = {
        "ours": lambda: prepared.margin(account),
        "margincore.reference (values given)": lambda: reference.margin(given, market, parameters),
    }
    yield from compare(name, calls)

    rows_ = [i for i, _ in held]
    plain = [reference.Position(series[i].reference(), max(q, 0), max(-q, 0)) for i, q in held]
    methodology = mc.methods.Tims()
    loose = mc.Market(
        "2026-11-20T16:00:00-05:00", spot={"SPX": SPOT}, rate={"USD": RATE}, dividend_yield={"SPX": DIVIDEND_YIELD},
        vol={prepared.contracts[i].id: series[i].vol for i in rows_},
    )  # fmt: skip
    name = "mc.margin, 100 positions from the market up, per account"
    check_equal(name, [mc.margin(account, loose, methodology).requirement.initial], [ours], rel=1e-12)
    calls = {
        "ours": lambda: mc.margin(account, loose, methodology),
        "margincore.reference": lambda: reference.margin(plain, market, parameters),
    }
    yield from compare(name, calls)


def _many_accounts(prepared: mc.Prepared, series: list[Series]) -> Iterator[Row]:
    count, each = 20_000, 50
    generator = np.random.default_rng(3)
    account = np.repeat(np.arange(count, dtype=np.uint32), each)
    contract = generator.integers(0, len(series), count * each, dtype=np.uint32)
    quantity = generator.integers(-20, 21, count * each, dtype=np.int64)
    accounts = mc.Accounts.from_columns(
        prepared.contracts, account=account, contract=contract, quantity=quantity, count=count
    )
    table = _arrays(series)
    # What a desk would write: net per contract, one product with the table, the largest loss, the minimums.
    try:
        from scipy import sparse
    except ImportError as error:
        yield missing(
            "tims.margin_many, 20,000 accounts of 50, per position", "scipy.sparse", str(error), n=count * each
        )
        return
    worth = np.array([prepared.margin([mc.Position(c, 1)]).net_option_value for c in prepared.contracts])
    book = sparse.csr_matrix((quantity, (account, contract)), shape=(count, len(series)), dtype=np.float64)

    def by_scipy() -> NDArray[np.float64]:
        loss = np.maximum(-(book @ table).min(axis=1), 0.0)
        long, short = book.maximum(0), (-book).maximum(0)
        minimum = long @ np.minimum(37.5, worth) + short @ np.full(len(series), 37.5)
        return np.maximum(loss, minimum)

    name = f"tims.margin_many, {count:,} accounts of {each}, per position"
    check_equal(name, prepared.margin_many(accounts).initial[:500], by_scipy()[:500], rel=1e-9)
    n = count * each
    for threads in sorted({1, min(2, os.cpu_count() or 1)}):
        calls = {
            "ours": lambda threads=threads: prepared.margin_many(accounts, threads=threads),
            "scipy.sparse (book prebuilt, 1 thread)": by_scipy,
        }
        yield from compare(name, calls, n=n, threads=threads)
    columns = {
        "ours": lambda: mc.Accounts.from_columns(
            prepared.contracts, account=account, contract=contract, quantity=quantity, count=count
        ),
        "scipy.sparse": lambda: sparse.csr_matrix(
            (quantity, (account, contract)), shape=(count, len(series)), dtype=np.float64
        ),
    }
    yield from compare("Accounts.from_columns, 1,000,000 positions, per position", columns, n=n)
