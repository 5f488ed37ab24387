"""How many cores ten million accounts need: ``python -m benches.cores`` prints a table in Markdown.

Accounts of 50 positions on 3, 10 or 45 names, out of 20,000 European options on 200 names. CPU time of one thread,
the least of five runs, with the columns in memory; cores are that times ten million, scaled linearly. The last row says
what comes on top where positions are read from Parquet by text ids. An update is a new spot of every name: once a tick
in every process.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import margincore as mc

NAMES, STRIKES, HELD = 200, 25, 50
ACCOUNTS, BOOK = 10_000, 10_000_000
SCENARIOS = 1_000
SPOT = dict.fromkeys((f"N{i:03}" for i in range(NAMES)), 100.0)
RUNS = 5


def contracts(exercise: str = "european") -> mc.Contracts:
    names, expiry, right, strike = (a.reshape(-1) for a in np.meshgrid(
        list(SPOT), ["2027-01-15", "2027-06-18"], ["call", "put"], np.linspace(76.0, 124.0, STRIKES).round(1),
        indexing="ij",
    ))  # fmt: skip
    return mc.Contracts.from_columns(
        kind="option", underlying=names, expiry=expiry, right=right, strike=strike, settles="pm", exercise=exercise,
        multiplier=100.0, currency="USD",
    )  # fmt: skip


def rulebooks() -> dict[str, Any]:
    """Rulebooks by what the table calls them; SPAN with a scan range for every name, as no file of an exchange has."""
    moves = np.random.default_rng(3).normal(0.0, 0.01, (SCENARIOS, NAMES))
    history = mc.methods.hvar.History(moves, columns=list(SPOT), kind="returns")
    return {
        "TIMS": mc.methods.Tims(),
        "SPAN-like": mc.methods.SpanLike({name: {"price_scan": 0.1, "vol_scan": 0.25} for name in SPOT}),
        f"VaR, {SCENARIOS:,} scenarios": mc.methods.HistoricalVar(
            history, returns="relative", measure="order_floor", confidence="0.99"
        ),
    }


def positions(names: int, accounts: int) -> dict[str, Any]:
    """Columns of accounts of 50 positions on so many names."""
    draw = np.random.default_rng(names)
    chosen = draw.permuted(np.tile(np.arange(NAMES), (accounts, 1)), axis=1)[:, :names]
    name = chosen[:, draw.integers(0, names, HELD)].reshape(-1)
    per_name = 4 * STRIKES
    return {
        "account": np.repeat(np.arange(accounts, dtype=np.uint32), HELD),
        "contract": (name * per_name + draw.integers(0, per_name, name.size)).astype(np.uint32),
        "lots": draw.integers(1, 20, name.size) * draw.choice((-1, 1), name.size),
    }


def cpu(call: Callable[[], Any]) -> float:
    """Seconds of CPU time of a call, the least of some."""
    best = math.inf
    for _ in range(RUNS):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def reading(plan: mc.batch.Plan, folder: Path) -> float:
    """CPU microseconds an account from Parquet with text ids to Parquet, over the margins themselves."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = positions(10, 5 * ACCOUNTS)
    ids = pa.array(plan.contracts.ids).take(pa.array(held["contract"]))
    label = pa.array(np.char.zfill(held["account"].astype(str), 9))
    pq.write_table(pa.table({"account_id": label, "contract_id": ids, "quantity": held["lots"]}), folder / "in.parquet")
    accounts = mc.Accounts.from_columns(plan.contracts, **held)
    alone = cpu(partial(plan.prepared.margin_many, accounts))
    (folder / "out").mkdir()

    def anew() -> None:
        for made in (folder / "out").iterdir():
            made.unlink()
        mc.batch.part(folder / "in.parquet", folder / "out", plan)

    return (cpu(anew) - alone) / (5 * ACCOUNTS) * 1e6


def table() -> Iterator[str]:
    """The rows of the table, as they are measured."""
    yield "| rulebook | names held | us/account | core-s, 10 M accounts | cores, 60 s | cores, 1 s | update, ms |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    options = contracts()
    market = mc.Market(
        "2026-11-18T16:00:00-05:00", spot=SPOT, rate={"USD": 0.04}, contracts=options, vol=np.full(len(options), 0.3)
    )
    for label, rulebook in rulebooks().items():
        prepared = mc.Engine(rulebook).prepare(options, market)
        tick = cpu(partial(prepared.update, spot=dict.fromkeys(SPOT, 100.5)))
        for names in (3, 10, 45):
            accounts = mc.Accounts.from_columns(options, **positions(names, ACCOUNTS))
            each = cpu(partial(prepared.margin_many, accounts)) / ACCOUNTS
            total = each * BOOK
            cores = f"{math.ceil(total / 60)} | {math.ceil(total)}"
            yield f"| {label} | {names} | {each * 1e6:.2f} | {total:.0f} | {cores} | {tick * 1e3:.0f} |"
    plan = mc.batch.Plan(mc.methods.Tims(), options, market)
    with tempfile.TemporaryDirectory() as folder:
        each = reading(plan, Path(folder))
    total = each * 1e-6 * BOOK
    yield f"| reading and writing Parquet, text ids | | {each:.2f} | {total:.0f} | {math.ceil(total / 60)} | | |"


def main() -> None:
    for line in table():
        print(line, flush=True)


if __name__ == "__main__":
    main()
