"""Intraday on one machine: accounts in shards, fills from a log, a market a second; killed anywhere, no fill is lost or
counted twice.

    python docs/shards.py demo FOLDER [SECONDS]           a pricer, two shards and fills for them, with rates
    python docs/shards.py shard FOLDER SHARD OF [BROKERS]
    python docs/shards.py pricer FOLDER [PAUSE]

Accounts belong to shards by a hash of their name, and each shard is a process with the fills of its own partition: a
file of JSON lines in FOLDER (``fills-0.jsonl``), or the partition of that number of the topic ``fills`` where the
brokers of Kafka are named (confluent-kafka). A pricer appends a market a second to ``market.jsonl``, each with its
number; a shard takes the latest through ``Prepared.update``. A shard writes what it holds and how far it has read into
one file, at once; only then the requirements, which say the same place and the market's number. Whoever starts it again
reads on from there: what was applied after that place is not in the file, and what is in the file is not read again. A
pricer that is started again goes on from its last whole line.

A line ``{"end": true}`` ends a shard, so that an example ends.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

import margincore as mc
from margincore.batch.atomic import remove_strays, written

BATCH = 10_000
"""Fills that are taken together."""


class Log(Protocol):
    """Fills of a shard by their place: those from one on, as ``(next place, fill)``, as many as there are now."""

    def read(self, place: int) -> Iterator[tuple[int, dict[str, Any]]]: ...


class FileLog:
    """Lines of JSON that somebody appends to; a place is a byte. A line without its end is not there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, place: int) -> Iterator[tuple[int, dict[str, Any]]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(place)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                place += len(line)
                yield place, json.loads(line)


class KafkaLog:
    """A partition of the topic ``fills``; a place is an offset. No group: where a shard stands is in its own file."""

    def __init__(self, brokers: str, shard: int) -> None:
        from confluent_kafka import Consumer

        self.shard = shard
        self.consumer = Consumer({"bootstrap.servers": brokers, "group.id": "none", "enable.auto.commit": False})

    def read(self, place: int) -> Iterator[tuple[int, dict[str, Any]]]:
        from confluent_kafka import KafkaException, TopicPartition

        self.consumer.assign([TopicPartition("fills", self.shard, place)])
        while (message := self.consumer.poll(0.5)) is not None:
            if message.error():
                raise KafkaException(message.error())
            yield message.offset() + 1, json.loads(message.value())


def shard_of(account: str, shards: int) -> int:
    """Which shard has an account: the same in every process and every language that has CRC-32."""
    return zlib.crc32(account.encode()) % shards


class Pricer:
    """Markets of prices that walk, one line each: ``{"number": 3, "spot": {"A": 100.2}}``. The next depends on the last
    alone, so that one that was killed and started again writes what it would have written."""

    def __init__(self, folder: Path, spot: dict[str, float]) -> None:
        self.path = folder / "market.jsonl"
        lines = self.path.read_bytes() if self.path.exists() else b""
        whole = lines[: lines.rfind(b"\n") + 1]
        if whole != lines:  # half a line, of one that was killed
            os.truncate(self.path, len(whole))
        self.last = json.loads(whole.splitlines()[-1]) if whole else {"number": 0, "spot": spot}

    def write(self) -> None:
        """The next market, at once."""
        number = self.last["number"] + 1
        draw = random.Random(number)
        spot = {name: price * (1.0 + draw.gauss(0.0, 0.001)) for name, price in self.last["spot"].items()}
        self.last = {"number": number, "spot": spot}
        with self.path.open("ab") as file:
            file.write(json.dumps(self.last).encode() + b"\n")


class Shard:
    """What is held, and the place in the log that it stands for: together in one file."""

    def __init__(self, folder: Path, number: int, plan: mc.batch.Plan) -> None:
        self.state = folder / f"held-{number}.parquet"
        self.out = folder / f"requirements-{number}.parquet"
        self.prepared = plan.prepared
        self.market = 0
        self.place = 0
        self.held: dict[tuple[str, str], int] = {}
        if self.state.exists():
            table = pq.read_table(self.state)
            self.place = int(table.schema.metadata[b"place"])
            keys = zip(table["account"].to_pylist(), table["contract"].to_pylist(), strict=True)
            self.held = dict(zip(keys, table["quantity"].to_pylist(), strict=True))

    def apply(self, place: int, fill: dict[str, Any]) -> None:
        """One fill, and the place behind it."""
        key = (fill["account"], fill["contract"])
        self.held[key] = self.held.get(key, 0) + fill["quantity"]
        self.place = place

    def move(self, market: dict[str, Any]) -> None:
        """The pricer's latest market: only what depends on it is priced again."""
        if market["number"] > self.market:
            self.prepared = self.prepared.update(spot=market["spot"])
            self.market = market["number"]

    def write(self) -> None:
        """What is held with its place, at once; then the requirements of that."""
        keys = sorted(self.held)
        columns = {
            "account": pa.array([account for account, _ in keys], pa.string()),
            "contract": pa.array([contract for _, contract in keys], pa.string()),
            "quantity": pa.array([self.held[key] for key in keys], pa.int64()),
        }
        table = pa.table(columns).replace_schema_metadata({"place": str(self.place)})
        with written(self.state) as file:
            pq.write_table(table, file)
        stamp = {"place": str(self.place), "market": str(self.market)}
        made = self.prepared.margin_arrow(table, order="ascending", errors="column", metadata=stamp)
        with written(self.out) as file:
            pq.write_table(made.read_all(), file)


def run(folder: Path, number: int, log: Log, pause: float = 0.05) -> None:
    """A shard until its log says that it ends."""
    remove_strays(folder)
    shard = Shard(folder, number, mc.batch.Plan.load(folder / "plan.mcplan"))
    markets, seen = FileLog(folder / "market.jsonl"), 0
    ended = False
    while not ended:
        if new := list(markets.read(seen)):
            seen, market = new[-1]  # the latest alone counts
            shard.move(market)
        count = 0
        for place, fill in log.read(shard.place):
            ended = "end" in fill
            if ended:
                break
            shard.apply(place, fill)
            count += 1
            if count == BATCH:
                break
        shard.write()
        if not (ended or count):
            time.sleep(pause)


def book(names: int = 50, strikes: int = 40) -> mc.batch.Plan:
    """What the demonstration margins: options on stocks under TIMS."""
    symbols = [f"S{i:02}" for i in range(names)]
    options = [
        mc.Option(symbol, "put" if k % 2 else "call", 80.0 + k, expiry="2027-01-15", settles="pm", exercise="american",
                  multiplier=100, currency="USD")
        for symbol in symbols for k in range(strikes)
    ]  # fmt: skip
    market = mc.Market(
        "2026-11-20T10:00:00-05:00", spot=dict.fromkeys(symbols, 100.0), rate={"USD": 0.04},
        vol={option.id: 0.3 for option in options},
    )  # fmt: skip
    return mc.batch.Plan(mc.methods.Tims(), options, market)


def feed(folder: Path, ids: tuple[str, ...], seconds: float, shards: int) -> Iterator[int]:
    """Fills of 2,000 accounts as they would come, twenty thousand a second at most; how many, after each second."""
    draw, count, second = random.Random(1), 0, time.monotonic()
    with ExitStack() as stack:
        logs = [stack.enter_context((folder / f"fills-{shard}.jsonl").open("a")) for shard in range(shards)]
        for _ in range(int(seconds)):
            for _ in range(20_000):
                account = f"K{draw.randrange(2_000):04}"
                fill = {"account": account, "contract": draw.choice(ids), "quantity": draw.randint(-9, 9)}
                logs[shard_of(account, shards)].write(json.dumps(fill) + "\n")
                count += 1
            for log in logs:
                log.flush()
            second += 1.0
            time.sleep(max(0.0, second - time.monotonic()))
            yield count
        for log in logs:
            log.write('{"end": true}\n')


def demo(folder: Path, seconds: float = 10.0, shards: int = 2) -> None:
    """A pricer, shards and their fills on this machine; a line a second says how far everybody is."""
    plan = book()
    folder.mkdir(parents=True, exist_ok=True)
    plan.save(folder / "plan.mcplan")
    own = [sys.executable, __file__]
    pricer = subprocess.Popen([*own, "pricer", str(folder)])
    running = [subprocess.Popen([*own, "shard", str(folder), str(i), str(shards)]) for i in range(shards)]
    try:
        for sent in feed(folder, plan.contracts.ids, seconds, shards):
            print(f"{sent:,} fills sent; " + "; ".join(_standing(folder, i) for i in range(shards)), flush=True)
        began = time.monotonic()
        for process in running:
            process.wait()
        print(f"everything applied {time.monotonic() - began:.1f} s after the last fill")
    finally:
        for process in (pricer, *running):
            process.kill()
            process.wait()


def _standing(folder: Path, shard: int) -> str:
    """How far a shard is, as its requirements say."""
    path = folder / f"requirements-{shard}.parquet"
    if not path.exists():
        return f"shard {shard} starts"
    footer, log = pq.read_metadata(path), folder / f"fills-{shard}.jsonl"
    stamp = pq.read_schema(path).metadata
    behind = log.stat().st_size - int(stamp[b"place"])
    return f"shard {shard}: {footer.num_rows:,} accounts at market {stamp[b'market'].decode()}, {behind:,} bytes behind"


def main(what: str, where: str, *rest: str) -> None:
    folder = Path(where)
    if what == "demo":
        demo(folder, *map(float, rest[:1]))
    elif what == "pricer":
        plan = mc.batch.Plan.load(folder / "plan.mcplan")
        assert plan.market is not None
        pricer = Pricer(folder, plan.market.spot)
        while True:
            pricer.write()
            time.sleep(float(rest[0]) if rest else 1.0)
    elif what == "shard":
        number, shards = int(rest[0]), int(rest[1])
        if not 0 <= number < shards:
            raise SystemExit(f"shard {number} is none of {shards}")
        run(folder, number, KafkaLog(rest[2], number) if rest[2:] else FileLog(folder / f"fills-{number}.jsonl"))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
