"""Spark: the page's recipes, the same bits as one process, and what is killed on the way. One session for all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("pyspark.core", reason="Spark has an environment of its own: make engines")

from pyspark.sql import SparkSession

import margincore as mc
from engines import book, kills
from engines.pages import Page
from engines.spark_job import session


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    running = session(2)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shuffled(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("book") / "positions.parquet"
    pq.write_table(book.positions(shuffled=True), path)
    return spark.read.parquet(str(path))


@pytest.fixture
def page() -> Page:
    return Page("spark")


def written(folder: Path) -> pa.Table:
    return pa.concat_tables(pq.read_table(path) for path in sorted(folder.rglob("*.parquet")))


def test_a_table_in_any_order(page: Page, shuffled: Any) -> None:
    answer = page["requirements"](shuffled, book.plan(), 5).toArrow()
    assert book.rows(answer) == book.expected()


def test_a_worker_that_dies_in_the_middle_is_replaced(page: Page, shuffled: Any, tmp_path: Path) -> None:
    page["mc"] = kills.with_batch(map_arrow=lambda plan: kills.DyingMap(plan, tmp_path / "died"))
    answer = page["requirements"](shuffled, book.plan(), 3).toArrow()
    assert (tmp_path / "died").exists()
    assert book.rows(answer) == book.expected()


def test_rows_that_are_not_grouped_are_refused(shuffled: Any) -> None:
    plan = book.plan()
    with pytest.raises(Exception, match=r"InvalidInput: .*account 'A\d+' returns"):
        shuffled.mapInArrow(mc.batch.map_arrow(plan), plan.ddl()).toArrow()


@pytest.mark.parametrize("recipe", ["parts", "parts_of_a_table"])
def test_files_of_whole_accounts(page: Page, spark: SparkSession, recipe: str, plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    page["mc"] = kills.with_batch(part=kills.dying_part)
    page[recipe](spark, book.names(plain / "in"), str(out), book.plan())
    assert out.with_suffix(".died").exists()
    assert book.contents(out) == book.contents(plain / "out")


def test_a_driver_that_was_killed_is_started_again(page: Page, spark: Any, plain: Path, tmp_path: Path) -> None:
    (tmp_path / "in").symlink_to(plain / "in")
    out = tmp_path / "out"
    kills.killed(["engines.spark_job", "parts", str(tmp_path)], lambda: len(book.parts(out)) >= 3)
    assert not (out / "manifest.json").exists()
    before = {path: path.stat().st_mtime_ns for path in book.parts(out)}
    assert 3 <= len(before) < book.PARTS
    page["parts"](spark, book.names(plain / "in"), str(out), book.plan())
    assert {path: path.stat().st_mtime_ns for path in before} == before, "parts that were there were made again"
    assert book.contents(out) == book.contents(plain / "out")


def test_files_that_arrive_exactly_once(page: Page, spark: SparkSession, plain: Path, tmp_path: Path) -> None:
    folders = incoming, out, checkpoint = [tmp_path / name for name in ("in", "out", "checkpoint")]
    incoming.mkdir()
    first, last = book.names(plain / "in")[:-1], book.names(plain / "in")[-1]
    for file in first[:5]:
        shutil.copy(file, incoming)
    # Somebody is still writing this one: its name says so, and half of it is no Parquet file.
    half = incoming / f"_{Path(last).name}"
    half.write_bytes(Path(last).read_bytes()[:-1000])
    job = ["engines.spark_job", "stream", str(tmp_path)]
    kills.killed(job, lambda: len(list(checkpoint.glob("commits/[0-9]*"))) >= 2)
    committed = {int(path.name) for path in checkpoint.glob("commits/[0-9]*")}
    assert 2 <= len(committed) < 5, "it ended before it was killed"

    for file in first[5:]:
        shutil.copy(file, incoming)
    start = [str(folder) for folder in folders]
    page["stream"](spark, *start, book.plan()).awaitTermination()
    part_of = {row["account_id"] for row in pq.read_table(last, columns=["account_id"]).to_pylist()}
    want = [row for row in book.expected() if row[0] not in part_of]
    assert book.rows(written(out)) == want

    shutil.copy(last, half)
    os.rename(half, incoming / Path(last).name)
    page["stream"](spark, *start, book.plan()).awaitTermination()
    assert book.rows(written(out)) == book.expected()
    assert sorted(path.name for path in out.iterdir()) == sorted(f"batch={n}" for n in range(book.PARTS))
