"""The example of a pricer and two shards: killed at random and started again, what shards hold is the sum of all fills,
each once, and what they margin it under is the market that they say."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

import pyarrow as pa
import pyarrow.parquet as pq

import margincore as mc
from batch.books import TABLE, market, plan

EXAMPLE = Path(__file__).parents[3] / "docs" / "shards.py"
SHARDS = 2

pytestmark = pytest.mark.skipif(not EXAMPLE.exists(), reason="docs are not here")


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("shards", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fills(count: int) -> list[dict[str, Any]]:
    draw = random.Random(5)
    return [
        {"account": f"K{draw.randrange(40):03}", "contract": draw.choice("ABC"), "quantity": draw.randint(-9, 9)}
        for _ in range(count)
    ]


def start(folder: Path, shard: int, *brokers: str) -> subprocess.Popen[bytes]:
    return process("shard", str(folder), str(shard), str(SHARDS), *brokers)


def process(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(EXAMPLE), *arguments]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


def written_again(path: Path) -> None:
    """Waits until a shard is at work: it writes between its looks at the log."""
    before = path.stat().st_ino if path.exists() else 0
    until = time.monotonic() + 60
    while not path.exists() or path.stat().st_ino == before:
        assert time.monotonic() < until
        time.sleep(0.01)


def killed_until_the_end(
    folder: Path, example: Any, send: Callable[[int, dict[str, Any]], None], *brokers: str
) -> Iterator[int]:
    """All fills sent while shards and the pricer are killed; how often they were."""
    plan().save(folder / "plan.mcplan")
    made, kills, draw = fills(3000), 0, random.Random(1)
    running = [start(folder, shard, *brokers) for shard in range(SHARDS)]
    pricer = process("pricer", str(folder), "0.02")
    for first in range(0, len(made), 500):
        for fill in made[first : first + 500]:
            send(example.shard_of(fill["account"], SHARDS), fill)
        shard = draw.randrange(SHARDS)
        written_again(folder / f"held-{shard}.parquet")
        time.sleep(draw.uniform(0.0, 0.1))
        running[shard].kill()
        running[shard].wait(30)
        running[shard] = start(folder, shard, *brokers)
        pricer.kill()
        pricer.wait(30)
        pricer = process("pricer", str(folder), "0.02")
        kills += 2
    for shard in range(SHARDS):
        send(shard, {"end": True})
    for ending in running:
        assert ending.wait(120) == 0
    pricer.kill()
    pricer.wait(30)
    yield kills


def check(folder: Path, example: Any) -> None:
    want: Counter[tuple[str, str]] = Counter()
    for fill in fills(3000):
        want[fill["account"], fill["contract"]] += fill["quantity"]
    held: dict[tuple[str, str], int] = {}
    initial: dict[str, float] = {}
    keys = sorted(want)
    columns = {"account": [k[0] for k in keys], "contract": [k[1] for k in keys], "quantity": [want[k] for k in keys]}
    # The markets as a pricer that nobody kills writes them.
    undisturbed = folder / "undisturbed"
    undisturbed.mkdir()
    pricer = example.Pricer(undisturbed, market().spot)
    spots = {0: market().spot}
    for shard in range(SHARDS):
        state, out = (pq.read_table(folder / f"{name}-{shard}.parquet") for name in ("held", "requirements"))
        assert state.schema.metadata[b"place"] == out.schema.metadata[b"place"]
        for row in state.to_pylist():
            held[row["account"], row["contract"]] = row["quantity"]
        own = dict(zip(out["account"].to_pylist(), out["initial"].to_pylist(), strict=True))
        number = int(out.schema.metadata[b"market"])
        assert number > 0
        while number not in spots:
            pricer.write()
            spots[pricer.last["number"]] = pricer.last["spot"]
        moved = mc.Market("2026-11-20T16:00:00-05:00", spot=spots[number])
        one = mc.batch.Plan(mc.methods.Tims(), TABLE, moved).margins(pa.table(columns)).read_all()
        all_of_it = dict(zip(one["account"].to_pylist(), one["initial"].to_pylist(), strict=True))
        assert own == {name: all_of_it[name] for name in own}
        initial |= own
    assert held == dict(want)
    assert set(initial) == {account for account, _ in want}
    lines = [json.loads(line) for line in (folder / "market.jsonl").read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))


def test_shards_over_files(tmp_path: Path, example: Any) -> None:
    def send(shard: int, fill: dict[str, Any]) -> None:
        with (tmp_path / f"fills-{shard}.jsonl").open("a") as file:
            file.write(json.dumps(fill) + "\n")

    assert list(killed_until_the_end(tmp_path, example, send)) == [12]
    check(tmp_path, example)


def test_shards_over_kafka(tmp_path: Path, example: Any) -> None:
    """Against the brokers that confluent-kafka imitates in this process: the client's code is the real one."""
    kafka = pytest.importorskip("confluent_kafka")
    producer = kafka.Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1})
    brokers = ",".join(f"{b.host}:{b.port}" for b in producer.list_topics(timeout=30).brokers.values())

    def send(shard: int, fill: dict[str, Any]) -> None:
        producer.produce("fills", json.dumps(fill).encode(), partition=shard)
        producer.poll(0)

    producer.list_topics("fills", timeout=30)  # who asks for a topic makes it
    assert list(killed_until_the_end(tmp_path, example, send, brokers)) == [12]
    check(tmp_path, example)


def test_half_a_line_of_a_killed_pricer_is_written_again(tmp_path: Path, example: Any) -> None:
    pricer = example.Pricer(tmp_path, {"A": 100.0})
    for _ in range(3):
        pricer.write()
    whole = pricer.path.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1]) + 1):
        pricer.path.write_bytes(whole[:-cut])
        again = example.Pricer(tmp_path, {"A": 100.0})
        assert again.last["number"] == 2
        again.write()
        assert pricer.path.read_bytes() == whole


def test_the_demonstration_goes_on_to_its_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "demo", str(tmp_path / "demo"), "2"], capture_output=True, text=True, check=True,
        timeout=240, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert "40,000 fills sent; " in done.stdout
    assert "everything applied" in done.stdout
