"""A batch that is killed anywhere goes on to the same bytes, and never leaves half a part where somebody would read it.

Children of :mod:`batch.killed` die by SIGKILL before, in the middle of and after each call that changes a file, and at
random times. ``MARGINCORE_STRESS_ROUNDS`` is how many of them (20 where it is not said).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("typer")
pytest.importorskip("rich")

import pyarrow as pa
import pyarrow.parquet as pq

from batch.books import contents, plan, rows

ROUNDS = int(os.environ.get("MARGINCORE_STRESS_ROUNDS", "20"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")


class Batches:
    """The process that has children killed."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "batch.killed"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
        )

    def run(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def batches() -> Iterator[Batches]:
    running = Batches()
    yield running
    assert running.process.stdin is not None
    running.process.stdin.close()
    running.process.wait(30)


def _whole(out: Path) -> int:
    """Parts that somebody could read are whole, and a manifest belies none of them. How many parts there are."""
    stamps = {}
    for path in out.glob("*.parquet"):
        stamps[path.name] = json.loads(pq.read_metadata(path).metadata[b"margincore.part"])
        assert pq.read_table(path, page_checksum_verification=True).num_rows == stamps[path.name]["accounts"]
    if (out / "manifest.json").exists():
        said = json.loads((out / "manifest.json").read_text())
        assert {part["name"]: (said["plan"], part["input"]) for part in said["parts"]} == {
            name: (stamp["plan"], stamp["input"]) for name, stamp in stamps.items()
        }
    return len(stamps)


@pytest.mark.parametrize("world", ["new", "another market", "made whole first"])
def test_a_killed_batch_goes_on_to_the_same_bytes(tmp_path: Path, batches: Batches, world: str) -> None:
    source, out, end = tmp_path / "in", tmp_path / "out", tmp_path / "end"
    source.mkdir()
    for i in range(3):
        table = rows(i, i * 12, 12)
        if world == "made whole first":
            table = pa.concat_tables([table, rows(9, 5, 7)])
        pq.write_table(table, source / f"{i}.parquet")
    plan().save(tmp_path / "a.mcplan")
    order = {
        "plan": str(tmp_path / "a.mcplan"),
        "in": str(source),
        "cluster_by": "account_id" if world == "made whole first" else None,
    }
    before = tmp_path / "before"
    before.mkdir()
    if world == "another market":
        plan(spot=101.0).save(tmp_path / "b.mcplan")
        assert batches.run(**{**order, "plan": str(tmp_path / "b.mcplan")}, out=str(before))["ended"] == 0
    shutil.copytree(before, end)
    calls = batches.run(**order, out=str(end))["calls"]
    assert {"open", "write", "fsync", "replace"} <= set(calls)
    want = contents(end)
    draw = random.Random(ROUNDS)
    points = [
        (at, when) for at, name in enumerate(calls) for when in ("before", "after", "half")[: 2 + (name == "write")]
    ]
    rounds = max(1, ROUNDS // 3)
    planted = draw.sample(points, min(len(points), rounds * 3 // 4))
    deaths: list[dict[str, Any]] = [{"at": at, "when": when} for at, when in planted]
    deaths += [{"after": draw.random() * 0.2} for _ in range(rounds - len(deaths))]
    killed = 0
    for death in deaths:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(before, out)
        ended = batches.run(**order, **death, out=str(out))["ended"]
        assert ended == -9 or (ended == 0 and "after" in death), death
        killed += ended == -9
        _whole(out)
        assert batches.run(**order, out=str(out))["ended"] == 0, death
        assert contents(out) == want, death
    assert killed >= len(planted)
    print(f"{world}: {killed} kills of {len(deaths)} rounds, {len(points)} planted points")
