"""TIMS on American options: a real SPY chain, and a synthetic universe of 1.5 million series under ten points.

``python -m benches universe`` prints the time on one thread; peak memory stands in the name of the row. The chain is
read from ``MARGINCORE_DATA`` (default ``../shared/data`` beside the project).
"""

from __future__ import annotations

import csv
import functools
import gzip
import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import margincore as mc
from benches.measure import OURS, Bench, Case, Unavailable

UNDERLYINGS, EXPIRIES, STRIKES = 5_000, 10, 15
SPY, TREE = "tims, SPY chain of 30 Dec 2022", "our tree of 400 steps"


def peak() -> float:
    """Most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def universe(underlyings: int = UNDERLYINGS) -> tuple[mc.Contracts, mc.Market]:
    """Calls and puts on many underlyings, half of them with a yield, as columns."""
    random = np.random.default_rng(11)
    names = np.char.add("U", np.char.zfill(np.arange(underlyings).astype(str), 5))
    spot = np.round(np.exp(random.normal(4.0, 1.0, underlyings)), 2)
    paid = np.round(random.uniform(0.005, 0.06, underlyings), 4)
    dividend_yield = np.where(random.random(underlyings) < 0.5, 0.0, paid)
    days = np.array([4, 11, 18, 39, 67, 95, 158, 249, 431, 613])[:EXPIRIES]
    dates = np.datetime64("2026-11-20") + days
    shape = (underlyings, EXPIRIES, STRIKES, 2)
    moneyness = np.linspace(0.7, 1.3, STRIKES)
    strike = np.round(np.broadcast_to((spot[:, None] * moneyness)[:, None, :, None], shape), 2)
    level = random.uniform(0.2, 0.7, underlyings)
    vol = np.broadcast_to((level[:, None] + 0.3 * (moneyness - 1) ** 2)[:, None, :, None], shape)

    def every(values: Any, axis: int) -> Any:
        index = [None] * 4
        index[axis] = slice(None)  # type: ignore[call-overload]
        return np.broadcast_to(values[tuple(index)], shape).reshape(-1)

    contracts = mc.Contracts.from_columns(
        kind="option", underlying=every(names, 0), expiry=every(dates, 1), right=every(np.array(["call", "put"]), 3),
        strike=strike.reshape(-1), settles="pm", exercise="american", multiplier=100.0, currency="USD",
    )  # fmt: skip
    market = mc.Market(
        "2026-11-20T16:00:00-05:00", spot=dict(zip(names.tolist(), spot.tolist(), strict=True)), rate={"USD": 0.045},
        dividend_yield=dict(zip(names.tolist(), dividend_yield.tolist(), strict=True)),
        contracts=contracts, vol=np.ascontiguousarray(vol.reshape(-1)),
    )  # fmt: skip
    return contracts, market


def spy() -> tuple[mc.Contracts, mc.Market]:
    """Every quoted option of the close of 30 December 2022, at its mid."""
    folder = Path(os.environ.get("MARGINCORE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    columns: dict[str, list[Any]] = {"expiry": [], "strike": [], "right": []}
    mids = []
    with gzip.open(folder / "chains" / "spy_20221230_greeks.csv.gz", "rt") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            for right in ("call", "put"):
                bid, ask = (row[f"[{right[0].upper()}_{side}]"].strip() for side in ("BID", "ASK"))
                if bid and ask and float(ask) > 0.0:
                    columns["expiry"].append(row["[EXPIRE_DATE]"])
                    columns["strike"].append(float(row["[STRIKE]"]))
                    columns["right"].append(right)
                    mids.append(0.5 * (float(bid) + float(ask)))
    contracts = mc.Contracts.from_columns(
        kind="option", underlying="SPY", settles="pm", exercise="american", multiplier=100.0, currency="USD", **columns
    )
    market = mc.Market(
        "2022-12-30T16:00:00-05:00", spot={"SPY": 382.44}, rate={"USD": 0.043}, dividend_yield={"SPY": 0.016},
        contracts=contracts, price=np.array(mids),
    )  # fmt: skip
    return contracts, market


class Chain:
    """The chain prepared from its marks."""

    def __init__(self) -> None:
        try:
            self.contracts, self.market = spy()
        except OSError as error:
            raise Unavailable(str(error)) from error
        self.engine = mc.Engine(mc.methods.Tims(no_vol="borrow"))
        self.prepared = self.engine.prepare(self.contracts, self.market)
        self.positions = [mc.Position(contract, -1) for contract in self.contracts]

    def __len__(self) -> int:
        return len(self.contracts)


chain = functools.cache(Chain)


def from_marks() -> Iterator[Case]:
    """Implied vols and ten points."""
    spy = chain()
    borrowed = len(spy.prepared.margin(spy.positions).details["borrowed_vols"])
    yield Case(
        {OURS: lambda: spy.engine.prepare(spy.contracts, spy.market)}, n=len(spy),
        title=f"{SPY}: {len(spy):,} options prepared from their marks ({borrowed} vols borrowed), per option",
    )  # fmt: skip


def by_trees() -> Iterator[Case]:
    """A part of the chain at given vols: American prices by collocation and by trees."""
    spy = chain()
    part = list(spy.contracts)[:: len(spy) // 100]
    every = {c.id: spy.prepared.margin([mc.Position(c, -1)]) for c in part}
    vols = {c.id: v for c, v in zip(part, _vols(part, spy.market), strict=True) if np.isfinite(v)}
    part = [c for c in part if c.id in vols and "borrowed_vols" not in every[c.id].details]
    quotes = mc.Market(
        "2022-12-30T16:00:00-05:00", spot={"SPY": 382.44}, rate={"USD": 0.043}, dividend_yield={"SPY": 0.016}, vol=vols
    )
    calls: dict[str, Callable[[], object]] = {}
    margins = {}
    for label, american in ((OURS, "collocation"), (TREE, "tree")):
        other = mc.Engine(mc.methods.Tims(american=american))  # type: ignore[arg-type]
        made = other.prepare(part, quotes)
        margins[label] = np.array([made.margin([mc.Position(c, -1)]).requirement.initial for c in part])
        calls[label] = functools.partial(other.prepare, part, quotes)
    apart = np.max(np.abs(margins[OURS] - margins[TREE]) / (1.0 + margins[OURS]))
    yield Case(
        calls, n=len(part),
        title=f"{SPY}: {len(part)} of them at given vols (short margins at most {apart:.1e} apart), per option",
    )  # fmt: skip


def one_account() -> Iterator[Case]:
    """Short one of each."""
    spy = chain()
    yield Case(
        {OURS: lambda: spy.prepared.margin(spy.positions)},
        title=f"{SPY}: an account short one of each, {len(spy):,} positions, explained, greeks included",
    )


def _vols(part: list[mc.Contract], market: mc.Market) -> Any:
    """Vols of some of the contracts, NaN where the mark gives none."""
    parts = market.__getnewargs_ex__()[1]
    mid = parts["price"][[parts["contracts"].index(c) for c in part]]
    today = np.datetime64("2022-12-30")
    years = np.array([(np.datetime64(c.expiry) - today).astype(int) / 365 for c in part])
    alive = years > 0.0
    vol = np.full(len(part), np.nan)
    right = np.array([1 if c.right == "call" else -1 for c in part], np.int8)
    strike = np.array([c.strike for c in part], np.float64)
    vol[alive] = mc.pricing.implied_vol(
        mid[alive], 382.44, strike[alive], years[alive], 0.043, 0.016, right[alive], exercise="american", on_error="nan"
    )
    return vol


def whole_universe() -> Iterator[Case]:
    """Every series on one thread."""
    before = peak()
    start = time.perf_counter()
    contracts, market = universe()
    columns = time.perf_counter() - start
    table = peak()
    engine = mc.Engine(mc.methods.Tims())
    n = len(contracts)
    prepared = engine.prepare(contracts, market)
    after = peak()
    prepared.margin([mc.Position(contracts[n // 2], -10)])
    del prepared
    title = (
        f"tims, universe of {n:,} American series x 10 points prepared, per series "
        f"(peak {after:,.0f} MB: {before:,.0f} MB before, {table - before:,.0f} for the table and its market, made "
        f"from columns in {columns:.1f} s, {after - table:,.0f} more to prepare)"
    )
    yield Case({OURS: lambda: engine.prepare(contracts, market)}, n=n, title=title, options={"repeats": 5})


BENCHES = (
    Bench(f"{SPY}: prepared from its marks, per option", from_marks),
    Bench(f"{SPY}: a part at given vols, per option", by_trees, TREE),
    Bench(f"{SPY}: an account short one of each, explained", one_account),
    Bench("tims, universe of American series x 10 points prepared, per series", whole_universe),
)
