"""A file of positions to a file of requirements: core-seconds and memory of ``mc.batch.part``.

    python -m benches.batch_files [accounts] [positions per account] [tims or span]

Every case is a process of its own: TIMS or SPAN's sixteen scenarios, 20,000 options on 200 names, three names an
account. Written to a folder that is removed. The cases differ in how the file holds accounts and contracts: numbers and
codes, codes of text, text.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import margincore as mc

NAMES, PER_NAME = 200, 100
CASES = ("numbers", "codes", "text", "stream of text")
BATCH = 50_000
"""Accounts that are made at a time."""


def plan(rulebook: str = "tims") -> mc.batch.Plan:
    """The rulebook, 20,000 options and their market."""
    count = NAMES * PER_NAME
    name = np.arange(count) // PER_NAME
    table = mc.Contracts.from_columns(
        kind="option",
        underlying=[f"U{i:03}" for i in name],
        right=np.where(np.arange(count) % 2, "call", "put"),
        strike=60.0 + (np.arange(count) % PER_NAME) // 2,
        expiry="2027-02-19",
        settles="pm",
        exercise="european",
        multiplier=100.0,
        currency="USD",
    )
    market = mc.Market(
        "2026-11-20T16:00:00-05:00",
        contracts=table,
        spot={f"U{i:03}": 85.0 for i in range(NAMES)},
        rate={"USD": 0.04},
        vol=np.full(count, 0.3),
    )
    ranges = {f"U{i:03}": {"price_scan": 0.1, "vol_scan": 0.25} for i in range(NAMES)}
    methodology = mc.methods.SpanLike(ranges) if rulebook == "span" else mc.methods.Tims()
    return mc.batch.Plan(methodology, table, market)


def write(path: Path, case: str, ids: tuple[str, ...], accounts: int, positions: int, *, start: int = 0) -> None:
    """Accounts with rows together, numbered from `start`; the options of an account are on three names."""
    draw = np.random.default_rng(start + 1)
    values = pa.array(ids)
    coded = case in ("numbers", "codes")
    kind = pa.dictionary(pa.int32(), pa.string()) if coded else pa.string()
    label = pa.int64() if case == "numbers" else pa.string()
    schema = pa.schema([("account_id", label), ("contract_id", kind), ("quantity", pa.int32())])
    writer = (
        pa.ipc.new_stream(str(path), schema)
        if path.suffix == ".arrows"
        else pq.ParquetWriter(path, schema, use_dictionary=coded)
    )
    with writer:
        for first in range(start, start + accounts, BATCH):
            here = min(BATCH, start + accounts - first)
            account = np.repeat(np.arange(first, first + here), positions)
            name = np.repeat(draw.integers(0, NAMES, (here, 3)), positions, axis=0)[
                np.arange(account.size), draw.integers(0, 3, account.size)
            ]
            row = pa.array((name * PER_NAME + draw.integers(0, PER_NAME, account.size)).astype(np.int32))
            contract = pa.DictionaryArray.from_arrays(row, values)
            names = pa.array([f"ACCT{i:08}" for i in range(first, first + here)])
            columns = [
                pa.array(account) if case == "numbers" else names.take(pa.array(account - first)),
                contract if coded else contract.cast(pa.string()),
                pa.array(draw.integers(-20, 21, account.size).astype(np.int32)),
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def most() -> float:
    """Megabytes of memory at most so far (Linux: what getrusage says counts the parent's too)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(path: Path, out: Path, plan_file: Path) -> None:
    """One part, in this process; the line of the table but for the case."""
    made_of = mc.batch.Plan.load(plan_file)
    _ = made_of.prepared
    base, cpu, wall = most(), time.process_time(), time.perf_counter()
    made = mc.batch.part(path, out, made_of)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    columns = (f"{made.rows:,}", f"{made.accounts:,}", f"{cpu:.1f}", f"{cpu / made.rows * 1e9:.0f}", f"{wall:.1f}")
    print(" | ".join([*columns, f"{base:.0f}", f"{most():.0f} |"]))


def main(accounts: int = 1_000_000, positions: int = 20, rulebook: str = "tims") -> None:
    made_of = plan(rulebook)
    print(
        "| ids of contracts | positions | accounts | core-seconds | ns a position | wall s | MB before | MB at most |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            (work / "out").mkdir()
            made_of.save(work / "a.mcplan")
            path = work / ("a.arrows" if case.startswith("stream") else "a.parquet")
            write(path, case, made_of.contracts.ids, accounts, positions)
            size = path.stat().st_size / 1e6
            run = [
                sys.executable,
                "-m",
                "benches.batch_files",
                "--one",
                str(path),
                str(work / "out"),
                str(work / "a.mcplan"),
            ]
            done = subprocess.run(run, check=True, capture_output=True, text=True)
            print(f"| {case}, {size:,.0f} MB | {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(*map(Path, sys.argv[2:5]))
    else:
        main(*map(int, sys.argv[1:3]), *sys.argv[3:4])
