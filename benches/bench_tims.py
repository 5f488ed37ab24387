"""TIMS: one account, many accounts, and preparing a chain, against the reference engine and plain NumPy and SciPy."""

from __future__ import annotations

import datetime as dt
import functools
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import margincore as mc
from benches.measure import OURS, REFERENCE, Bench, Case, check_equal
from margincore.reference import tims as reference

TODAY = dt.date(2026, 11, 20)
SPOT, RATE, DIVIDEND_YIELD = 4500.0, 0.05, 0.015
RANGE = (-0.08, 0.06)
EXPIRIES, STRIKES = 10, 100
OPTIONS = EXPIRIES * STRIKES * 2
# Accounts of a batch and positions of each; the reference takes the first few accounts.
COUNT, EACH, BY_REFERENCE = 20_000, 50, 20
VALUES_GIVEN = f"{REFERENCE} (values given)"
SCIPY = "scipy.sparse (book prebuilt, 1 thread)"
SCIPY_SPARSE = "scipy.sparse"


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


@functools.cache
def prepared_chain() -> tuple[list[Series], mc.Contracts, mc.Market, mc.Prepared]:
    """The chain, and the engine's work on them."""
    series = chain(EXPIRIES, STRIKES)
    contracts = mc.Contracts([s.contract() for s in series])
    vols = np.array([s.vol for s in series])
    market = mc.Market(
        "2026-11-20T16:00:00-05:00", spot={"SPX": SPOT}, rate={"USD": RATE}, dividend_yield={"SPX": DIVIDEND_YIELD},
        contracts=contracts, vol=vols,
    )  # fmt: skip
    return series, contracts, market, mc.Engine(mc.methods.Tims()).prepare(contracts, market)


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


def prepare() -> Iterator[Case]:
    """The chain's arrays."""
    series, contracts, market, _ = prepared_chain()
    engine, n = mc.Engine(mc.methods.Tims()), len(series)
    few = mc.Contracts([contracts[i] for i in range(0, n, 20)])
    report = engine.prepare(few, market).margin([mc.Position(c, 1) for c in few])
    expected = _arrays(series[::20]).sum(axis=0)
    check_equal("tims.prepare", report.details["class_groups"]["SPX"]["profit"], expected, rel=1e-9, abs_=1e-6)
    yield Case({OURS: lambda: engine.prepare(contracts, market), REFERENCE: lambda: _arrays(series)}, n=n)


def held_lots() -> list[tuple[int, int]]:
    """A hundred rows of the chain, long and short."""
    chance = random.Random(1)
    return [(i, chance.randint(1, 20) * chance.choice((-1, 1))) for i in chance.sample(range(OPTIONS), 100)]


def given_values(series: list[Series], prepared: mc.Prepared, lots: Iterable[tuple[int, int]]) -> list[Any]:
    """The reference's positions, with the chain's values at the points already there."""
    table = _value_table()
    return [
        reference.Position(
            reference.Contract(
                "SPX", "option", multiplier=100.0, price=0.01 * prepared.margin(
                    [mc.Position(prepared.contracts[i], 1)]
                ).net_option_value, ten_values=tuple(table[i].tolist()),
            ),
            max(q, 0), max(-q, 0),
        )
        for i, q in lots
    ]  # fmt: skip


def one_account() -> Iterator[Case]:
    """A report of a hundred positions on the prepared chain."""
    series, _, _, prepared = prepared_chain()
    held = held_lots()
    account = mc.Account([mc.Position(prepared.contracts[i], q) for i, q in held])
    given = given_values(series, prepared, held)
    market, parameters = _underlying(), _parameters()
    ours = prepared.margin(account).requirement.initial
    check_equal("tims.margin", [ours], [reference.margin(given, market, parameters).requirement], rel=1e-9)
    yield Case(
        {OURS: lambda: prepared.margin(account), VALUES_GIVEN: lambda: reference.margin(given, market, parameters)}
    )


def from_the_market_up() -> Iterator[Case]:
    """The same account with nothing prepared."""
    series, _, _, prepared = prepared_chain()
    held = held_lots()
    account = mc.Account([mc.Position(prepared.contracts[i], q) for i, q in held])
    plain = [reference.Position(series[i].reference(), max(q, 0), max(-q, 0)) for i, q in held]
    methodology, underlying, parameters = mc.methods.Tims(), _underlying(), _parameters()
    loose = mc.Market(
        "2026-11-20T16:00:00-05:00", spot={"SPX": SPOT}, rate={"USD": RATE}, dividend_yield={"SPX": DIVIDEND_YIELD},
        vol={prepared.contracts[i].id: series[i].vol for i, _ in held},
    )  # fmt: skip
    calls = {
        OURS: lambda: mc.margin(account, loose, methodology).requirement.initial,
        REFERENCE: lambda: reference.margin(plain, underlying, parameters).requirement,
    }
    ours = calls[OURS]()
    check_equal("mc.margin", [ours], [prepared.margin(account).requirement.initial], rel=1e-12)
    check_equal("mc.margin", [ours], [calls[REFERENCE]()], rel=1e-9)
    yield Case(dict(calls))


@functools.cache
def _value_table() -> NDArray[np.float64]:
    return _arrays(prepared_chain()[0])


@functools.cache
def many_positions() -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int64]]:
    """Account, contract and quantity of a million positions."""
    generator = np.random.default_rng(3)
    account = np.repeat(np.arange(COUNT, dtype=np.uint32), EACH)
    contract = generator.integers(0, len(prepared_chain()[0]), COUNT * EACH, dtype=np.uint32)
    return account, contract, generator.integers(-20, 21, COUNT * EACH, dtype=np.int64)


def many_accounts(threads: int) -> Iterator[Case]:
    """Requirements of a batch; the reference takes its first accounts only."""
    series, _, _, prepared = prepared_chain()
    account, contract, quantity = many_positions()
    accounts = mc.Accounts.from_columns(
        prepared.contracts, account=account, contract=contract, lots=quantity, count=COUNT
    )
    name = f"tims.margin_many, {COUNT:,} accounts of {EACH}, per position"
    ours = prepared.margin_many(accounts).initial
    case = Case(
        {OURS: lambda: prepared.margin_many(accounts, threads=threads)},
        n=COUNT * EACH, threads=threads, sizes={VALUES_GIVEN: BY_REFERENCE * EACH}, title=name,
    )  # fmt: skip
    # What a desk would write: net per contract, one product with the table, the largest loss, the minimums.
    with case.optional(SCIPY):
        from scipy import sparse

        table = _value_table()
        worth = np.array([prepared.margin([mc.Position(c, 1)]).net_option_value for c in prepared.contracts])
        book = sparse.csr_matrix((quantity, (account, contract)), shape=(COUNT, len(series)), dtype=np.float64)

        def by_scipy() -> NDArray[np.float64]:
            loss = np.maximum(-(book @ table).min(axis=1), 0.0)
            long, short = book.maximum(0), (-book).maximum(0)
            minimum = long @ np.minimum(37.5, worth) + short @ np.full(len(series), 37.5)
            return np.maximum(loss, minimum)

        check_equal(name, ours[:500], by_scipy()[:500], rel=1e-9)
        case.calls[SCIPY] = by_scipy
    few = BY_REFERENCE * EACH
    given = given_values(series, prepared, zip(contract[:few].tolist(), quantity[:few].tolist(), strict=True))
    books = [given[i : i + EACH] for i in range(0, few, EACH)]
    market, parameters = _underlying(), _parameters()

    def by_reference() -> list[float]:
        return [reference.margin(book, market, parameters).requirement for book in books]

    check_equal(name, ours[:BY_REFERENCE], by_reference(), rel=1e-9)
    case.calls[VALUES_GIVEN] = by_reference
    yield case


def from_columns() -> Iterator[Case]:
    """What it takes to have the batch."""
    contracts = prepared_chain()[1]
    account, contract, quantity = many_positions()
    case = Case(
        {
            OURS: lambda: mc.Accounts.from_columns(
                contracts, account=account, contract=contract, lots=quantity, count=COUNT
            )
        },
        n=COUNT * EACH,
    )
    with case.optional(SCIPY_SPARSE):
        from scipy import sparse

        case.calls[SCIPY_SPARSE] = lambda: sparse.csr_matrix(
            (quantity, (account, contract)), shape=(COUNT, len(contracts)), dtype=np.float64
        )
    yield case


BENCHES = (
    Bench(f"tims.prepare, {OPTIONS:,} European options, per option", prepare, REFERENCE),
    Bench("tims.margin, 100 positions prepared, explained, per account", one_account, VALUES_GIVEN),
    Bench("mc.margin, 100 positions from the market up, per account", from_the_market_up, REFERENCE),
    *(
        Bench(
            f"tims.margin_many, {COUNT:,} accounts of {EACH}, per position, threads: {threads}",
            functools.partial(many_accounts, threads), SCIPY, VALUES_GIVEN,
        )
        for threads in sorted({1, min(2, os.cpu_count() or 1)})
    ),
    Bench("Accounts.from_columns, 1,000,000 positions, per position", from_columns, SCIPY_SPARSE),
)  # fmt: skip
