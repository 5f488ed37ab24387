"""Intraday on one machine: accounts in shards, fills from a log, a market a second; killed anywhere, no fill is lost or
counted twice.

    python docs/shards.py FOLDER SHARD OF [BOOTSTRAP]

Accounts belong to shards by a hash of their name, and each shard is a process with the fills of its own partition: a
file of JSON lines in FOLDER (``fills-0.jsonl``), or the partition of that number of the topic ``fills`` where the
brokers of Kafka are named (confluent-kafka). A pricer appends markets to ``market.jsonl``; a shard takes the latest
through ``Prepared.update``. A shard writes what it holds and how far it has read into one file, at once; only then the
requirements, which say the same place. Whoever starts it again reads on from there: what was applied after that place
is not in the file, and what is in the file is not read again.

A line ``{"end": true}`` ends a shard, so that an example ends.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

import margincore as mc
from margincore.batch.atomic import remove_strays, written

BATCH = 500
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


class Shard:
    """What is held, and the place in the log that it stands for: together in one file."""

    def __init__(self, folder: Path, number: int, plan: mc.batch.Plan) -> None:
        self.state = folder / f"held-{number}.parquet"
        self.out = folder / f"requirements-{number}.parquet"
        self.prepared = plan.prepared
        self.market = ""
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

    def move(self, market: dict[str, float]) -> None:
        """The pricer's latest market: only what depends on it is priced again."""
        text = json.dumps(market)
        if text != self.market:
            self.prepared = self.prepared.update(spot=market)
            self.market = text

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
        made = self.prepared.margin_arrow(
            table, order="ascending", errors="column", metadata={"place": str(self.place)}
        )
        with written(self.out) as file:
            pq.write_table(made.read_all(), file)


def run(folder: Path, number: int, log: Log, pause: float = 0.05) -> None:
    """A shard until its log says that it ends."""
    remove_strays(folder)
    shard = Shard(folder, number, mc.batch.Plan.load(folder / "plan.mcplan"))
    markets, seen = FileLog(folder / "market.jsonl"), 0
    ended = False
    while not ended:
        for place, market in markets.read(seen):
            shard.move(market)
            seen = place
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


if __name__ == "__main__":
    where, which, shards = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if not 0 <= which < shards:
        raise SystemExit(f"shard {which} is none of {shards}")
    run(where, which, KafkaLog(sys.argv[4], which) if len(sys.argv) > 4 else FileLog(where / f"fills-{which}.jsonl"))
