"""Ray: the page's recipes, the same bits as one process, and what is killed on the way. One cluster for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("ray", reason="Ray has an environment of its own: make engines")

import ray

import margincore as mc
from engines import book, kills
from engines.pages import Page


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of this machine, which outlives a driver that is killed."""
    for attempt in range(3):
        try:
            started = ray.init(num_cpus=2, include_dashboard=False, object_store_memory=1 << 30, log_to_driver=False)
            break
        except Exception:  # its processes have half a minute to come up, which a busy machine may not give them
            ray.shutdown()
            if attempt == 2:
                raise
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield started.address_info["gcs_address"]
    ray.shutdown()


@pytest.fixture
def page(cluster: str) -> Page:
    return Page("ray")


def table_of(dataset: Any) -> pa.Table:
    return pa.concat_tables(ray.get(dataset.to_arrow_refs()))


def shuffled() -> Any:
    table = book.positions(shuffled=True)
    quarter = -(-table.num_rows // 4)
    return ray.data.from_arrow([table.slice(at, quarter) for at in range(0, table.num_rows, quarter)])


class DyingMapper(mc.batch.Mapper):
    """A mapper of which one actor dies when it was given its second block."""

    flag = ""
    seen = 0

    def __call__(self, block: Any) -> Any:
        self.seen += 1
        if self.seen == 2:
            kills.die_once(self.flag)
        return super().__call__(block)


def test_a_table_in_any_order(page: Page) -> None:
    answer = table_of(page["requirements"](shuffled(), book.plan(), 4))
    assert book.rows(answer) == book.expected()


def test_an_actor_that_dies_in_the_middle_is_replaced(page: Page, tmp_path: Path) -> None:
    dying = type("DyingMapper", (DyingMapper,), {"flag": str(tmp_path / "died")})
    page["mc"] = kills.with_batch(Mapper=dying)
    answer = table_of(page["requirements"](shuffled(), book.plan(), 4))
    assert (tmp_path / "died").exists()
    assert book.rows(answer) == book.expected()


def test_rows_that_are_not_grouped_are_refused(cluster: str) -> None:
    blocks = shuffled()
    naive = blocks.map_batches(
        mc.batch.Mapper,
        fn_constructor_args=(book.plan(),),
        batch_size=1000,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=1),
    )
    with pytest.raises(Exception, match=r"InvalidInput: .*account 'A\d+' returns"):
        naive.materialize()


def test_files_of_whole_accounts(page: Page, plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    page["mc"] = kills.with_batch(part=kills.dying_part)
    page["parts"](book.names(plain / "in"), str(out), book.plan())
    assert out.with_suffix(".died").exists()
    assert book.contents(out) == book.contents(plain / "out")


def test_a_driver_that_was_killed_is_started_again(page: Page, cluster: str, plain: Path, tmp_path: Path) -> None:
    (tmp_path / "in").symlink_to(plain / "in")
    out = tmp_path / "out"
    kills.killed(["engines.ray_job", cluster, str(tmp_path)], lambda: len(book.parts(out)) >= 3)
    assert not (out / "manifest.json").exists()
    before = {path: path.stat().st_mtime_ns for path in book.parts(out)}
    assert 3 <= len(before) < book.PARTS
    page["parts"](book.names(plain / "in"), str(out), book.plan())
    assert {path: path.stat().st_mtime_ns for path in before} == before, "parts that were there were made again"
    assert book.contents(out) == book.contents(plain / "out")
