"""Historical VaR: many accounts, one more trade, and margins through time, beside SciPy with NumPy and the C floor.

The floor makes the profits and losses only; the quantile after it is its own partition.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

import margincore as mc
from benches import floor
from benches.measure import Row, check_equal, compare, missing
from margincore.methods import hvar
from margincore.reference import hvar as reference

Floats = NDArray[np.float64]
MARKET = "2026-11-20T21:00:00Z"


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
            self.contracts, account=self.account, contract=self.instrument, quantity=self.quantity
        )
        self.start = np.arange(0, count + 1, self.held)
        # Losses per lot, instruments by scenarios.
        self.losses = np.ascontiguousarray(-100.0 * self.moves.T)
        self.rank = self.scenarios - int(self.scenarios * (1_000_000 - hvar.ppm(self.confidence)) // 1_000_000)


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


def rows() -> Iterator[Row]:
    """All of it; the peers compute the same margins first."""
    yield from many(Scene(10_000, 100, 5_000, 512))
    scene = Scene(20_000, 50, 5_000, 1_000)
    yield from many(scene)
    yield from one_more_trade(scene)
    yield from one_account()
    yield from through_time()


def many(scene: Scene) -> Iterator[Row]:
    """Margins of many accounts in one call."""
    name = f"hvar.margin_many, {scene.accounts:,} x {scene.held} positions, {scene.scenarios} scenarios, per position"
    n = scene.accounts * scene.held
    ours = scene.prepared.margin_many(scene.batch).initial
    calls = {"ours": lambda: scene.prepared.margin_many(scene.batch)}
    try:
        import scipy.sparse as sparse

        book = sparse.csr_matrix(
            (scene.quantity.astype(np.float64), scene.instrument, scene.start), (scene.accounts, scene.instruments)
        )
        calls["SciPy CSR + np.partition"] = lambda: np.partition(book @ scene.losses, scene.rank, axis=1)[:, scene.rank]
        check_equal(name, ours, calls["SciPy CSR + np.partition"](), rel=1e-9)
    except ImportError as error:
        yield missing(name, "SciPy", str(error))
    try:
        # Its blocks hold 32 columns; the goal is stated at 512 scenarios.
        if scene.scenarios % 32:
            raise OSError(f"its blocks do not divide {scene.scenarios:,} scenarios")
        own = FloorCalls(scene)
        check_equal(name, ours, own.margins(), rel=1e-9)
        calls["C floor, losses + nth_element"] = own.margins
        calls["C floor, losses only"] = own.losses
    except OSError as error:
        yield missing(name, "C floor", str(error))
    yield from compare(name, calls, n=n, repeats=7)
    two = {"ours": lambda: scene.prepared.margin_many(scene.batch, threads=2)}
    yield from compare(name, two, n=n, threads=2, repeats=7)


def one_more_trade(scene: Scene) -> Iterator[Row]:
    """The margin after one more trade of an open account, beside NumPy on kept losses."""
    name = f"hvar.margin_after, {scene.held} positions, {scene.scenarios} scenarios, per question"
    held = [
        mc.Position(scene.contracts[int(c)], int(q))
        for c, q in zip(scene.instrument[: scene.held], scene.quantity[: scene.held], strict=True)
    ]
    live = scene.prepared.open(mc.Account(held))
    kept = scene.quantity[: scene.held] @ scene.losses[scene.instrument[: scene.held]]
    row, rank = 17, scene.rank

    def in_numpy() -> float:
        return float(np.partition(kept + 5.0 * scene.losses[row], rank)[rank])

    check_equal(name, [live.margin_after(row, 5)], [in_numpy()], rel=1e-9)
    after = live.margin_after
    yield from compare(name, {"ours": lambda: after(row, 5), "NumPy on kept losses": in_numpy})


def one_account() -> Iterator[Row]:
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
    name = "hvar.margin, 20 positions, 500 scenarios, explained, per account"
    check_equal(name, [prepared.margin(account).requirement.initial], [reference.margin(book, [component])], rel=1e-9)
    calls = {
        "ours": lambda: prepared.margin(account),
        "margincore.reference": lambda: reference.margin(book, [component]),
    }
    yield from compare(name, calls)


def through_time() -> Iterator[Row]:
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
    name = "hvar.rolling, filtered, 1,000-day window, per date"
    check_equal(name, margins, in_numpy(), rel=1e-9)
    yield from compare(name, {"ours": lambda: rule.rolling({"X": 1.0}), "NumPy loop": in_numpy}, n=margins.size)
