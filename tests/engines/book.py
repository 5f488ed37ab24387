"""One book for every engine: options and stocks of twelve names, accounts of one to forty rows, one of them refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import margincore as mc

NAMES = [f"N{i:02}" for i in range(12)]
ACCOUNTS, PARTS = 3_000, 8
REFUSED = "A000077"  #: holds a contract that no table knows


def contracts() -> mc.Contracts:
    rows = [(n, r, k) for n in NAMES for r in ("call", "put") for k in (80.0, 90.0, 100.0, 110.0, 120.0)]
    options = mc.Contracts.from_columns(
        kind="option",
        underlying=[name for name, _, _ in rows],
        right=[right for _, right, _ in rows],
        strike=[strike for _, _, strike in rows],
        expiry="2027-02-19",
        settles="pm",
        exercise="american",
        multiplier=100.0,
        currency="USD",
    )
    return mc.Contracts([mc.Stock(name, currency="USD") for name in NAMES] + list(options))


def plan() -> mc.batch.Plan:
    """The rulebook of every engine: TIMS, at one spot for all names."""
    table = contracts()
    market = mc.Market(
        "2026-11-18T16:00:00-05:00",
        spot=dict.fromkeys(NAMES, 100.0),
        rate={"USD": 0.05},
        vol={c.id: 0.3 for c in table if c.kind == "option"},
    )
    return mc.batch.Plan(mc.methods.Tims(), table, market)


def positions(accounts: int = ACCOUNTS, *, shuffled: bool = False, refused: bool = True) -> pa.Table:
    """A row per position, those of an account together, with ids as text."""
    draw = np.random.default_rng(20)
    ids = np.array(contracts().ids)
    number = np.repeat(np.arange(accounts), draw.integers(1, 41, accounts))
    held = ids[draw.integers(0, len(ids), number.size)]
    if refused:
        held = held.astype(object)
        held[np.flatnonzero(number == int(REFUSED[1:]))[0]] = "TYPO"
    table = pa.table(
        {
            "account_id": pa.array(np.char.add("A", np.char.zfill(number.astype(str), 6)), pa.string()),
            "contract_id": pa.array(held, pa.string()),
            "quantity": pa.array(draw.integers(-9, 10, number.size), pa.int64()),
        }
    )
    return table.take(pa.array(draw.permutation(number.size))) if shuffled else table


def files(folder: Path, parts: int = PARTS, accounts: int = ACCOUNTS) -> list[Path]:
    """The positions as Parquet files of whole accounts."""
    folder.mkdir(parents=True)
    table = positions(accounts)
    part = np.char.replace(table["account_id"].to_numpy(zero_copy_only=False).astype(str), "A", "").astype(int) % parts
    paths = [folder / f"part-{i:02}.parquet" for i in range(parts)]
    for i, path in enumerate(paths):
        pq.write_table(table.filter(pa.array(part == i)), path)
    return paths


def names(folder: Path) -> list[str]:
    """The files of a folder, as an engine is told them."""
    return sorted(map(str, folder.iterdir()))


def parts(out: Path) -> list[Path]:
    """The parts that stand in a folder of results."""
    return sorted(out.glob("[!._]*.parquet"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, byte for byte; a temporary one that was left there shows."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def rows(result: Any) -> list[tuple[Any, ...]]:
    """A result's rows, ascending by account, floats as their bits."""
    table = pa.table(result)
    found = sorted(tuple(v.hex() if isinstance(v, float) else v for v in row.values()) for row in table.to_pylist())
    assert len(found) == len({row[0] for row in found}), "an account twice"
    return found


@cache
def expected() -> list[tuple[Any, ...]]:
    """What one process answers to the whole table."""
    answers = rows(plan().prepared.margin_arrow(positions(), errors="column").read_all())
    assert len(answers) == ACCOUNTS
    return answers
