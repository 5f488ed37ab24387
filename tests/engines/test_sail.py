"""Sail, an engine in Rust, by the page for Spark and Spark's own client: the same bits as one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytest.importorskip("pysail", reason="Sail has an environment of its own: make engines")

from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

import margincore as mc
from engines import book
from engines.pages import Page

RETURNS = r"InvalidInput: .*account 'A\d+' returns"


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    yield session
    session.stop()
    server.stop()


@pytest.fixture(scope="module")
def shuffled(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("book") / "positions.parquet"
    pq.write_table(book.positions(shuffled=True), path)
    return spark.read.parquet(str(path))


def test_a_table_in_any_order(shuffled: Any) -> None:
    answer = Page("spark")["requirements_unsorted"](shuffled, book.plan(), 5).toArrow()
    assert book.rows(answer) == book.expected()


def test_rows_that_are_not_grouped_are_refused(shuffled: Any) -> None:
    plan = book.plan()
    # Sail 0.7 drops a sort within partitions. Where this fails it no longer does, and docs/spark.md can say so.
    with pytest.raises(Exception, match=RETURNS):
        Page("spark")["requirements"](shuffled, plan, 5).toArrow()
    with pytest.raises(Exception, match=RETURNS):
        shuffled.mapInArrow(mc.batch.map_arrow(plan), plan.ddl()).toArrow()


def test_files_of_whole_accounts(spark: Any, plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    Page("spark")["parts_of_a_table"](spark, book.names(plain / "in"), str(out), book.plan())
    assert book.contents(out) == book.contents(plain / "out")
