"""Adding up a million positions under 16 scenarios: the scan alone and TIMS around it, against what else does it.

Every candidate has the same sorted positions and gives the same worst sum per account, checked first. The C floor and
SciPy get their arrays prepared; TIMS nets, takes minimums and option value into account, and says which
point is the worst.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import margincore as mc
from benches import floor
from benches.measure import OURS, Bench, Case, Goal, Goals, Unavailable, check_equal

FLOOR = "C floor (arrays prepared)"
SCIPY = "scipy CSR @ dense (prebuilt)"
POLARS = "polars join, group_by"
SCAN_GOALS: Goals = {FLOOR: Goal(1 / 1.3), SCIPY: Goal(3), POLARS: Goal(60)}
ONE_THREAD = "ours, one thread"
THREADS_GOALS: Goals = {ONE_THREAD: Goal(1.6)}
POSITIONS, ACCOUNTS, CONTRACTS, SCENARIOS = 1_000_000, 10_000, 5_000, 16
Floats = NDArray[np.float64]


class Book:
    """Sorted positions, one per account and contract, and losses under 16 scenarios."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        account = random.integers(0, ACCOUNTS, POSITIONS)
        contract = random.integers(0, CONTRACTS, POSITIONS)
        held = np.unique(account * CONTRACTS + contract)
        self.account = (held // CONTRACTS).astype(np.uint32)
        self.contract = (held % CONTRACTS).astype(np.uint32)
        self.quantity = random.integers(1, 51, len(held)) * random.choice((-1, 1), len(held))
        self.start = np.searchsorted(self.account, np.arange(ACCOUNTS + 1)).astype(np.uint32)
        self.losses = np.round(random.normal(0.0, 100.0, (CONTRACTS, SCENARIOS)), 2)

    def __len__(self) -> int:
        return len(self.account)


def floor_scan(book: Book) -> tuple[Callable[[], Any], Floats]:
    """The hand-written C++ loop, and where it writes."""
    worst = np.empty(ACCOUNTS)
    columns = (book.start, book.contract, book.quantity.astype(np.float64), floor.aligned(book.losses))
    return floor.call(floor.library("agg").agg_sorted, ctypes.c_size_t(ACCOUNTS), *columns, None, worst), worst


def by_scipy(book: Book) -> Callable[[], Floats]:
    from scipy import sparse

    csr = sparse.csr_matrix(
        (book.quantity.astype(np.float64), book.contract.astype(np.int32), book.start.astype(np.int32)),
        shape=(ACCOUNTS, CONTRACTS),
    )
    return lambda: np.asarray((csr @ book.losses).max(axis=1))


def by_polars(book: Book) -> Callable[[], Floats]:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    import polars as pl

    names = [f"s{i}" for i in range(SCENARIOS)]
    positions = pl.DataFrame({"account": book.account, "contract": book.contract, "quantity": book.quantity})
    values = {name: book.losses[:, i] for i, name in enumerate(names)}
    losses = pl.DataFrame({"contract": np.arange(CONTRACTS, dtype=np.uint32), **values})
    sums = [(pl.col(name) * pl.col("quantity")).sum() for name in names]

    def call() -> Floats:
        joined = positions.lazy().join(losses.lazy(), on="contract").group_by("account").agg(sums)
        worst = joined.select("account", pl.max_horizontal(names).alias("worst")).sort("account").collect()
        return worst["worst"].to_numpy()

    return call


class Batch(Book):
    """The book as ours has it, and the peers that scan it."""

    def __init__(self) -> None:
        super().__init__()
        self.contracts = mc.Contracts.from_columns(
            kind="option", underlying="U", right="call", strike=1.0 + np.arange(CONTRACTS), expiry="2026-12-18",
            settles="pm", exercise="european", multiplier=100.0, currency="USD",
        )  # fmt: skip
        self.accounts = mc.Accounts.from_columns(
            self.contracts, account=self.account, contract=self.contract, lots=self.quantity, count=ACCOUNTS
        )
        self.name = f"aggregation of {len(self):,} positions in {ACCOUNTS:,} accounts x {SCENARIOS} scenarios"

    def add_peers(self, case: Case) -> None:
        """The scan by others, which gives what ours does."""
        scan = self.accounts.greatest(self.losses)[0]
        with case.optional(FLOOR):
            call, worst = floor_scan(self)
            call()
            check_equal(self.name, scan, worst, rel=1e-12, abs_=1e-8)
            case.calls[FLOOR] = call
        for peer, make in {SCIPY: by_scipy, POLARS: by_polars}.items():
            with case.optional(peer):
                made = make(self)
                check_equal(self.name, scan, made(), rel=1e-12, abs_=1e-8)
                case.calls[peer] = made


batch = functools.cache(Batch)


def the_scan() -> Iterator[Case]:
    """The largest loss per account."""
    book = batch()
    case = Case(
        {OURS: lambda: book.accounts.greatest(book.losses)},
        n=len(book), goals=SCAN_GOALS, title=f"{book.name}: the scan",
    )  # fmt: skip
    book.add_peers(case)
    yield case


@functools.cache
def tims() -> mc.Prepared:
    """TIMS on the book's losses at ten points, checked against NumPy, on one thread and on two."""
    book = batch()
    profit = -book.losses[:, :10]
    ids = book.contracts.ids
    rule = mc.methods.Tims(theoretical={ids[i]: {"profit": profit[i].tolist(), "price": 2.5} for i in range(CONTRACTS)})
    prepared = mc.Engine(rule).prepare(book.contracts)
    largest = np.maximum(book.accounts.greatest(np.pad(book.losses[:, :10], ((0, 0), (0, 6))))[0], 0.0)
    lots = np.abs(book.quantity) * 37.5
    minimum = np.bincount(book.account, weights=lots, minlength=ACCOUNTS)
    both = [prepared.margin_many(book.accounts, threads=threads).initial for threads in (1, 2)]
    check_equal("tims", both[0], np.maximum(largest, minimum), rel=1e-12)
    if both[0].tobytes() != both[1].tobytes():
        raise AssertionError("tims: two threads give other bits than one")
    return prepared


def by_tims(threads: int) -> Iterator[Case]:
    """The rulebook's whole requirement: on one thread beside the scans, on two beside one."""
    book, prepared = batch(), tims()
    case = Case(
        {OURS: lambda: prepared.margin_many(book.accounts, threads=threads)}, n=len(book), threads=threads,
        title=f"{book.name}: TIMS margin_many, minimums and option value included",
    )  # fmt: skip
    if threads == 1:
        book.add_peers(case)
    else:
        case.goals = THREADS_GOALS
        with case.optional(ONE_THREAD):
            if len(os.sched_getaffinity(0)) < 2:
                raise Unavailable("needs two cores")
            case.calls[ONE_THREAD] = lambda: prepared.margin_many(book.accounts)
    yield case


_NAME = f"aggregation in {ACCOUNTS:,} accounts x {SCENARIOS} scenarios"
BENCHES = (
    Bench(f"{_NAME}: the scan", the_scan, FLOOR, SCIPY, POLARS),
    Bench(f"{_NAME}: TIMS margin_many, threads: 1", functools.partial(by_tims, 1), FLOOR, SCIPY, POLARS),
    Bench(f"{_NAME}: TIMS margin_many, threads: 2", functools.partial(by_tims, 2), ONE_THREAD),
)
