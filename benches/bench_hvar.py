"""Historical VaR: many accounts, one more trade, and margins through time, beside SciPy with NumPy and the C floor.

The floor makes the profits and losses only; the quantile after it is its own partition.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

import margincore as mc
from benches import floor
from benches.measure import OURS, REFERENCE, Bench, Case, Unavailable, check_equal
from margincore.methods import hvar
from margincore.reference import hvar as reference

Floats = NDArray[np.float64]
MARKET = "2026-11-20T21:00:00Z"
SCIPY = "SciPy CSR + np.partition"
FLOOR = "C floor, losses + nth_element"
FLOOR_LOSSES = "C floor, losses only"
KEPT = "NumPy on kept losses"
LOOP = "NumPy loop"
# Accounts, positions of each, instruments and scenarios; the reference takes a few of the accounts.
SMALL = 10_000, 100, 5_000, 512
LARGE = 20_000, 50, 5_000, 1_000
BY_REFERENCE = 5


@dataclass
class Scene:
    """Accounts over instruments that each follow a factor of their own, and the scenarios' P&L per lot."""

    accounts: int
    held: int
    instruments: int
    scenarios: int
    confidence: str = "0.99"

    def __post_init__(self) -> None:
        chance = np.random.default_rng(3)
        self.moves = chance.normal(0.0, 0.01, (self.scenarios, self.instruments))
        names = [f"I{k}" for k in range(self.instruments)]
        self.contracts = mc.Contracts([mc.Stock(name, currency="USD") for name in names])
        history = hvar.History(self.moves, columns=names, kind="returns")
        self.rule = mc.methods.HistoricalVar(
            history, returns="relative", measure="order_floor", confidence=self.confidence
        )
        self.prepared = mc.Engine(self.rule).prepare(
            self.contracts, mc.Market(MARKET, spot=dict.fromkeys(names, 100.0))
        )
        # Distinct instruments per account, ascending: what netting leaves.
        count = self.accounts * self.held
        draws = np.sort(chance.integers(0, self.instruments - self.held, (self.accounts, self.held)), axis=1)
        self.instrument = (draws + np.arange(self.held)).reshape(-1).astype(np.uint32)
        self.account = np.repeat(np.arange(self.accounts, dtype=np.uint32), self.held)
        self.quantity = chance.integers(1, 51, count) * chance.choice([-1, 1], count)
        self.batch = mc.Accounts.from_columns(
            self.contracts, account=self.account, contract=self.instrument, lots=self.quantity
        )
        self.start = np.arange(0, count + 1, self.held)
        # Losses per lot, instruments by scenarios.
        self.losses = np.ascontiguousarray(-100.0 * self.moves.T)
        self.rank = self.scenarios - int(self.scenarios * (1_000_000 - hvar.ppm(self.confidence)) // 1_000_000)

    def reference_book(self, account: int) -> reference.Book:
        """One account as the reference engine takes it: prices that have the scenarios as their returns."""
        held = slice(self.start[account], self.start[account + 1])
        factors, lots = {}, []
        for i, q in zip(self.instrument[held].tolist(), self.quantity[held].tolist(), strict=True):
            walk = np.concatenate([[1.0], np.cumprod(1.0 + self.moves[:, i])])
            factors[f"I{i}"] = reference.Factor(walk.tolist(), "relative")
            lots.append((f"I{i}", 100.0, float(q)))
        return reference.Book(lots, factors)


class FloorCalls:
    """The floor on a scene: profits and losses, then the quantile of each account."""

    def __init__(self, scene: Scene) -> None:
        s = scene
        self.out, self.quantiles = floor.aligned(np.empty(s.accounts * s.scenarios)), np.empty(s.accounts)
        book = (s.start.astype(np.uint32), s.instrument, floor.aligned(s.quantity))
        accounts, scenarios = ctypes.c_size_t(s.accounts), s.scenarios
        table, scratch = floor.aligned(s.losses), floor.aligned(np.empty(s.instruments * 16))
        library = floor.library("agg")
        self._losses = floor.call(
            library.hvar, accounts, ctypes.c_size_t(s.instruments), scenarios, *book, table, scratch, self.out, 16
        )
        self._quantiles = floor.call(library.quant, accounts, scenarios, s.rank, self.out, self.quantiles)

    def losses(self) -> Floats:
        self._losses()
        return self.out

    def margins(self) -> Floats:
        self._losses()
        self._quantiles()
        return self.quantiles


@functools.lru_cache(1)
def scene(*sizes: int) -> Scene:
    """The scene of the benchmark that runs: benchmarks of one scene follow each other."""
    return Scene(*sizes)


def many(sizes: tuple[int, ...], title: str, threads: int) -> Iterator[Case]:
    """Margins of many accounts in one call; on two threads ours alone."""
    s = scene(*sizes)
    ours = s.prepared.margin_many(s.batch).initial
    case = Case(
        {OURS: lambda: s.prepared.margin_many(s.batch, threads=threads)},
        n=s.accounts * s.held, threads=threads, title=title, options={"repeats": 7},
    )  # fmt: skip
    if threads > 1:
        check_equal(title, s.prepared.margin_many(s.batch, threads=threads).initial, ours, rel=0.0)
        yield case
        return
    with case.optional(SCIPY):
        import scipy.sparse as sparse

        book = sparse.csr_matrix((s.quantity.astype(np.float64), s.instrument, s.start), (s.accounts, s.instruments))

        def by_scipy() -> Floats:
            return np.partition(book @ s.losses, s.rank, axis=1)[:, s.rank]

        check_equal(title, ours, by_scipy(), rel=1e-9)
        case.calls[SCIPY] = by_scipy
    with case.optional(FLOOR, FLOOR_LOSSES):
        # Its blocks hold 32 columns; the goal is stated at 512 scenarios.
        if s.scenarios % 32:
            raise Unavailable(f"its blocks do not divide {s.scenarios:,} scenarios")
        own = FloorCalls(s)
        check_equal(title, ours, own.margins(), rel=1e-9)
        case.calls |= {FLOOR: own.margins, FLOOR_LOSSES: own.losses}
    books = [s.reference_book(account) for account in range(BY_REFERENCE)]
    component = reference.Component("order_floor", Fraction(s.confidence), s.scenarios)

    def by_reference() -> list[float]:
        return [reference.margin(book, [component]) for book in books]

    check_equal(title, ours[:BY_REFERENCE], by_reference(), rel=1e-9)
    case.calls[REFERENCE], case.sizes = by_reference, {REFERENCE: BY_REFERENCE * s.held}
    yield case


def one_more_trade() -> Iterator[Case]:
    """The margin after one more trade of an open account, beside NumPy on kept losses."""
    s = scene(*LARGE)
    held = [
        mc.Position(s.contracts[int(c)], int(q))
        for c, q in zip(s.instrument[: s.held], s.quantity[: s.held], strict=True)
    ]
    live = s.prepared.open(mc.Account(held))
    kept = s.quantity[: s.held] @ s.losses[s.instrument[: s.held]]
    row, rank = 17, s.rank

    def in_numpy() -> float:
        return float(np.partition(kept + 5.0 * s.losses[row], rank)[rank])

    check_equal("hvar.margin_after", [live.margin_after(row, 5)], [in_numpy()], rel=1e-9)
    after = live.margin_after
    yield Case({OURS: lambda: after(row, 5), KEPT: in_numpy})


def one_account() -> Iterator[Case]:
    """One account with its explanation, beside the reference engine."""
    chance = np.random.default_rng(5)
    prices = {f"I{k}": (100.0 * np.exp(np.cumsum(chance.normal(0, 0.01, 501)))).tolist() for k in range(20)}
    rule = mc.methods.HistoricalVar(prices, returns="log", measure="es_discrete", confidence="0.975")
    spot = {name: walk[-1] for name, walk in prices.items()}
    contracts = {name: mc.Stock(name, currency="USD") for name in prices}
    prepared = mc.Engine(rule).prepare(contracts.values(), mc.Market(MARKET, spot=spot))
    units = {name: int(chance.integers(1, 50)) for name in prices}
    account = mc.Account([mc.Position(contracts[name], q) for name, q in units.items()])
    factors = {name: reference.Factor(walk, "log") for name, walk in prices.items()}
    book = reference.Book([(name, spot[name], float(q)) for name, q in units.items()], factors)
    component = reference.Component("es_discrete", Fraction(975, 1000), 500)
    ours = prepared.margin(account).requirement.initial
    check_equal("hvar.margin", [ours], [reference.margin(book, [component])], rel=1e-9)
    yield Case({OURS: lambda: prepared.margin(account), REFERENCE: lambda: reference.margin(book, [component])})


def through_time() -> Iterator[Case]:
    """Filtered margins as of every date of a history, beside a NumPy loop over dates."""
    chance = np.random.default_rng(7)
    walk = 100.0 * np.exp(np.cumsum(chance.normal(0, 0.01, 4001)))
    rule = mc.methods.HistoricalVar(
        {"X": walk}, returns="log", measure="order_floor", confidence="0.99", window=1000,
        filter=hvar.ewma(0.97, seed="mean_square", seed_returns=250),
    )  # fmt: skip

    def in_numpy() -> Floats:
        r = np.diff(np.log(walk))
        known = np.zeros(r.size + 1)
        known[250] = np.mean(r[:250] ** 2)
        for i in range(250, r.size):
            known[i + 1] = 0.97 * known[i] + 0.03 * r[i] ** 2
        vol = np.sqrt(known)
        scaled = r[250:] / vol[250:-1]
        losses = (1.0 - np.exp(scaled[i - 1249 : i - 249] * vol[i + 1]) for i in range(1249, r.size))
        return np.array([np.partition(own, 990)[990] for own in losses])

    margins = rule.rolling({"X": 1.0}).margin
    check_equal("hvar.rolling", margins, in_numpy(), rel=1e-9)
    yield Case({OURS: lambda: rule.rolling({"X": 1.0}), LOOP: in_numpy}, n=margins.size)


def _many_benches(*sizes: int) -> Iterator[Bench]:
    accounts, held, _, scenarios = sizes
    title = f"hvar.margin_many, {accounts:,} x {held} positions, {scenarios} scenarios, per position"
    peers = (SCIPY, FLOOR, FLOOR_LOSSES, REFERENCE)
    yield Bench(f"{title}, threads: 1", functools.partial(many, sizes, title, 1), *peers)
    yield Bench(f"{title}, threads: 2", functools.partial(many, sizes, title, 2))


BENCHES = (
    *_many_benches(*SMALL),
    *_many_benches(*LARGE),
    Bench(f"hvar.margin_after, {LARGE[1]} positions, {LARGE[3]} scenarios, per question", one_more_trade, KEPT),
    Bench("hvar.margin, 20 positions, 500 scenarios, explained, per account", one_account, REFERENCE),
    Bench("hvar.rolling, filtered, 1,000-day window, per date", through_time, LOOP),
)
