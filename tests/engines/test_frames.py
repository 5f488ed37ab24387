"""DuckDB, polars and DataFusion sort, `margin_arrow` reads their streams, and they read its answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytest.importorskip("datafusion", reason="DuckDB, polars and DataFusion have an environment of their own: make engines")

import datafusion
import duckdb
import polars as pl

import margincore as mc
from engines import book


def by_duckdb(path: str) -> Any:
    return duckdb.sql(f"select * from '{path}' order by account_id").to_arrow_reader(1000)


def by_polars(path: str) -> Any:
    return pl.scan_parquet(path).sort("account_id").collect(engine="streaming")


def by_datafusion(path: str) -> Any:
    return datafusion.SessionContext().read_parquet(path).sort("account_id")


ENGINES: list[Callable[[str], Any]] = [by_duckdb, by_polars, by_datafusion]


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("book") / "positions.parquet"
    pq.write_table(book.positions(shuffled=True), path)
    return str(path)


@pytest.mark.parametrize("order", ["grouped", "ascending"])
@pytest.mark.parametrize("source", ENGINES)
def test_streams_of_sorted_rows(shuffled: str, source: Callable[[str], Any], order: Any) -> None:
    answer = book.plan().prepared.margin_arrow(source(shuffled), order=order, errors="column")
    assert book.rows(answer.read_all()) == book.expected()


@pytest.mark.parametrize("order", ["grouped", "ascending"])
def test_rows_in_any_order_are_refused(shuffled: str, order: Any) -> None:
    rows = pl.read_parquet(shuffled)
    with pytest.raises(mc.InvalidInput, match=r"account 'A\d+'"):
        book.plan().prepared.margin_arrow(rows, order=order, errors="column").read_all()


def test_the_answer_is_a_stream_for_them() -> None:
    prepared = book.plan().prepared
    want = sum(float.fromhex(row[1]) for row in book.expected() if row[1] is not None)

    def answer() -> Any:
        return prepared.margin_arrow(book.positions(), errors="column")

    assert pl.DataFrame(answer())["initial"].sum() == pytest.approx(want)
    margins = answer().read_all()
    assert duckdb.sql("select sum(initial), count(error) from margins").fetchall() == [(pytest.approx(want), 1)]
    frame = datafusion.SessionContext().from_arrow(margins)
    assert frame.filter(datafusion.col("error").is_not_null()).count() == 1


def test_files_of_whole_accounts_by_processes(plain: Path, tmp_path: Path) -> None:
    out, plan = str(tmp_path / "out"), book.plan()
    (tmp_path / "out").mkdir()
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for task in [pool.submit(mc.batch.part, path, out, plan) for path in book.names(plain / "in")]:
            task.result()
    mc.batch.manifest(out)
    assert book.contents(tmp_path / "out") == book.contents(plain / "out")
