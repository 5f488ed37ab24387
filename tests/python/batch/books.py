"""A table, a market and files of positions that the tests of batches share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import margincore as mc

TABLE = mc.Contracts([mc.Stock(symbol, currency="USD") for symbol in ("A", "B", "C")])


def market(spot: float = 100.0) -> mc.Market:
    return mc.Market("2026-11-20T16:00:00-05:00", spot={"A": spot, "B": 20.0, "C": 30.0})


def plan(spot: float = 100.0, **options: Any) -> mc.batch.Plan:
    return mc.batch.Plan(mc.methods.Tims(), TABLE, market(spot), **options)


def rows(seed: int, first: int, accounts: int) -> pa.Table:
    """Whole accounts, numbered from `first`, their rows together; text ids."""
    draw = np.random.default_rng(seed)
    account = np.repeat(np.arange(first, first + accounts), draw.integers(1, 5, accounts))
    return pa.table(
        {
            "account_id": [f"K{i:05}" for i in account],
            "contract_id": np.array(["A", "B", "C"])[draw.integers(0, 3, account.size)],
            "quantity": draw.integers(-90, 90, account.size),
        }
    )


def write(folder: Path, files: int = 4, accounts: int = 30) -> list[Path]:
    """So many files of positions in a new folder."""
    folder.mkdir(parents=True)
    paths = [folder / f"book-{i}.parquet" for i in range(files)]
    for i, path in enumerate(paths):
        pq.write_table(rows(i, i * accounts, accounts), path)
    return paths


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
