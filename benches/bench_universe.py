"""TIMS on American options: a real SPY chain, and a synthetic universe of 1.5 million series under ten points.

``python -m benches universe`` prints the time on one thread; peak memory stands in the name of the row. The chain is
read from ``MARGINCORE_DATA`` (default ``../shared/data`` beside the project).
"""

from __future__ import annotations

import csv
import gzip
import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import margincore as mc
from benches.measure import Row, compare, missing

UNDERLYINGS, EXPIRIES, STRIKES = 5_000, 10, 15


def peak() -> float:
    """Most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def universe(underlyings: int = UNDERLYINGS) -> tuple[mc.Contracts, mc.Market]:
    """Calls and puts on many underlyings, half of them with a yield, as columns."""
    random = np.random.default_rng(11)
    names = np.char.add("U", np.char.zfill(np.arange(underlyings).astype(str), 5))
    spot = np.round(np.exp(random.normal(4.0, 1.0, underlyings)), 2)
    dividend_yield = np.where(random.random(underlyings) < 0.5, 0.0, np.round(random.uniform(0.005, 0.06, underlyings), 4))
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


def chain_rows() -> Iterator[Row]:
    """The chain from its marks: implied vols and ten points; the same by trees for a part of it; one account."""
    name = "tims, SPY chain of 30 Dec 2022"
    try:
        contracts, market = spy()
    except OSError as error:
        yield missing(name, "itself", str(error))
        return
    engine = mc.Engine(mc.methods.Tims(no_vol="borrow"))
    prepared = engine.prepare(contracts, market)
    positions = [mc.Position(contract, -1) for contract in contracts]
    borrowed = len(prepared.margin(positions).details["borrowed_vols"])
    n = len(contracts)
    yield from compare(
        f"{name}: {n:,} options prepared from their marks ({borrowed} vols borrowed), per option",
        {"ours": lambda: engine.prepare(contracts, market)}, n=n,
    )  # fmt: skip
    part = list(contracts)[:: n // 100]
    every = {c.id: prepared.margin([mc.Position(c, -1)]) for c in part}
    vols = {c.id: v for c, v in zip(part, _vols(part, market), strict=True) if np.isfinite(v)}
    part = [c for c in part if c.id in vols and "borrowed_vols" not in every[c.id].details]
    quotes = mc.Market(
        "2022-12-30T16:00:00-05:00", spot={"SPY": 382.44}, rate={"USD": 0.043}, dividend_yield={"SPY": 0.016}, vol=vols
    )
    calls: dict[str, Callable[[], Any]] = {}
    margins = {}
    for label, american in (("ours", "collocation"), ("our tree of 400 steps", "tree")):
        other = mc.Engine(mc.methods.Tims(american=american))  # type: ignore[arg-type]
        made = other.prepare(part, quotes)
        margins[label] = np.array([made.margin([mc.Position(c, -1)]).requirement.initial for c in part])
        calls[label] = lambda other=other: other.prepare(part, quotes)  # type: ignore[misc]
    apart = np.max(np.abs(margins["ours"] - margins["our tree of 400 steps"]) / (1.0 + margins["ours"]))
    yield from compare(
        f"{name}: {len(part)} of them at given vols (short margins at most {apart:.1e} apart), per option",
        calls, n=len(part),
    )  # fmt: skip
    yield from compare(
        f"{name}: an account short one of each, {n:,} positions, explained, greeks included",
        {"ours": lambda: prepared.margin(positions)},
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


def rows() -> Iterator[Row]:
    """The chain, then the universe."""
    yield from chain_rows()
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
    name = (
        f"tims, universe of {n:,} American series x 10 points prepared, per series "
        f"(peak {after:,.0f} MB: {before:,.0f} MB before, {table - before:,.0f} for the table and its market, made "
        f"from columns in {columns:.1f} s, {after - table:,.0f} more to prepare)"
    )
    yield from compare(name, {"ours": lambda: engine.prepare(contracts, market)}, n=n, repeats=5)
