"""Historical VaR: many accounts, one more trade, and margins through time, beside SciPy with NumPy and the C floor.

The C floor is compiled from ``MARGINCORE_FLOOR`` (default ``../shared/floor`` beside the project) with g++, where both
are there. It makes the profits and losses only; the quantile after it is the floor's own partition.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import margincore as mc
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


class Floor:
    """The hand-written C++ aggregation."""

    def __init__(self, folder: str) -> None:
        source = Path(os.environ.get("MARGINCORE_FLOOR", Path(__file__).parents[2] / "shared" / "floor")) / "c"
        if not source.is_dir():
            raise FileNotFoundError(f"no {source.name} folder under MARGINCORE_FLOOR")
        compiler = shutil.which("g++")
        if compiler is None:
            raise FileNotFoundError("g++ is not installed")
        library = Path(folder) / "agg.so"
        flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-fopenmp", "-fPIC", "-shared"]
        subprocess.run([compiler, *flags, str(source / "agg.cpp"), "-o", str(library)], check=True)
        self.library = ctypes.CDLL(str(library))


def aligned(values: Floats) -> Floats:
    """A copy at a cache line, as the floor's loads want it."""
    memory = np.empty(values.size * 8 + 64, np.uint8)
    at = -memory.ctypes.data % 64
    copy = memory[at : at + values.size * 8].view(np.float64)
    copy[:] = values.reshape(-1)
    return copy


class FloorCalls:
    """The floor on a scene: profits and losses, then the quantile of each account."""

    def __init__(self, scene: Scene, floor: Floor) -> None:
        self.scene, self.library = scene, floor.library
        self.start = scene.start.astype(np.uint32)
        self.quantity = aligned(scene.quantity.astype(np.float64))
        self.table = aligned(scene.losses)
        self.scratch = aligned(np.empty(scene.instruments * 16))
        self.out = aligned(np.empty(scene.accounts * scene.scenarios))
        self.quantiles = np.empty(scene.accounts)

    def losses(self) -> Floats:
        s = self.scene
        self.library.hvar(
            ctypes.c_size_t(s.accounts), ctypes.c_size_t(s.instruments), s.scenarios, _at(self.start),
            _at(s.instrument), _at(self.quantity), _at(self.table), _at(self.scratch), _at(self.out), 16,
        )  # fmt: skip
        return self.out

    def margins(self) -> Floats:
        s = self.scene
        self.losses()
        self.library.quant(ctypes.c_size_t(s.accounts), s.scenarios, s.rank, _at(self.out), _at(self.quantiles))
        return self.quantiles


def _at(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def rows() -> Iterator[Row]:
    """All of it; the peers compute the same margins first."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            floor: Floor | None = Floor(folder)
            reason = ""
        except (OSError, subprocess.CalledProcessError) as error:
            floor, reason = None, str(error)
        # 512 scenarios: the floor's blocks hold 32 columns, and the goal is stated at this size.
        yield from many(Scene(10_000, 100, 5_000, 512), floor, reason)
        scene = Scene(20_000, 50, 5_000, 1_000)
        yield from many(scene, None, "its blocks do not divide 1,000 scenarios")
        yield from one_more_trade(scene)
    yield from one_account()
    yield from through_time()


def many(scene: Scene, floor: Floor | None, reason: str) -> Iterator[Row]:
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
    if floor is None:
        yield missing(name, "C floor", reason)
    else:
        own = FloorCalls(scene, floor)
        check_equal(name, ours, own.margins(), rel=1e-9)
        calls["C floor, losses + nth_element"] = own.margins
        calls["C floor, losses only"] = own.losses
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
