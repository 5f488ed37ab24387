"""The same positions on every engine: rows a second, CPU time and memory of all its processes, bits equal.

``python -m benches.engines --positions 10000000`` writes the positions once (text ids; files of whole accounts, and a
table in random order), then runs each engine in its own environment (``make engines`` makes them) and prints a table in
Markdown. From files, a task margins a file and writes one; from the table, the engine brings accounts together first.
Times start when the engine runs, the plan not prepared, and end when the requirements lie on disk. CPU time and memory
(proportional set size) are those of all processes that the engine started, sampled from ``/proc``: Linux only.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import margincore as mc

ROOT = Path(__file__).resolve().parents[1]
NAMES, STRIKES, ACCOUNT, HELD = 200, 50, 50, 5  # names and strikes of the table; positions and names of an account
FILES, CORES = 16, 2
MARK = "MARGINCORE_BENCH"
TICKS = os.sysconf("SC_CLK_TCK")


def plan() -> mc.batch.Plan:
    """20,000 American options on 200 names under TIMS."""
    names, right, strike = (a.reshape(-1) for a in np.meshgrid(
        [f"N{i:03}" for i in range(NAMES)], ["call", "put"], np.linspace(75.0, 125.0, STRIKES).round(1), indexing="ij"
    ))  # fmt: skip
    columns = {"underlying": names, "right": right, "strike": strike}
    terms = {"settles": "pm", "exercise": "american", "multiplier": 100.0, "currency": "USD"}
    expiries = ("2027-01-15", "2027-06-18")
    parts = [mc.Contracts.from_columns(kind="option", expiry=e, **terms, **columns) for e in expiries]
    table = mc.Contracts([contract for part in parts for contract in part])
    spot = dict.fromkeys(names.tolist(), 100.0)
    market = mc.Market(
        "2026-11-18T16:00:00-05:00", spot=spot, rate={"USD": 0.04}, contracts=table, vol=np.full(len(table), 0.3)
    )
    return mc.batch.Plan(mc.methods.Tims(), table, market)


def write(folder: Path, positions: int) -> None:
    """Files of whole accounts in ``files``, and their rows in random order in ``table``; a row group per 500,000."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    draw = np.random.default_rng(1)
    accounts = positions // ACCOUNT
    ids = pa.array(plan().contracts.ids)
    per_name = len(ids) // NAMES // 2
    held = draw.integers(0, NAMES, (accounts, HELD))[:, draw.integers(0, HELD, ACCOUNT)].reshape(-1)
    expiry = draw.integers(0, 2, held.size)
    row = expiry * (len(ids) // 2) + held * per_name + draw.integers(0, per_name, held.size)
    number = np.repeat(np.arange(accounts), ACCOUNT)
    labels = pa.array(np.char.add("A", np.char.zfill(np.arange(accounts).astype(str), 9)))
    quantity = draw.integers(1, 20, held.size) * draw.choice((-1, 1), held.size)

    def rows(which: Any) -> Any:
        columns = [labels.take(pa.array(number[which])), ids.take(pa.array(row[which])), pa.array(quantity[which])]
        return pa.table(columns, names=["account_id", "contract_id", "quantity"])

    for name in ("files", "table"):
        (folder / name).mkdir(parents=True)
    shuffled = draw.permutation(number.size)
    for i, piece in enumerate(np.array_split(np.arange(accounts), FILES)):
        at = slice(piece[0] * ACCOUNT, (piece[-1] + 1) * ACCOUNT)
        pq.write_table(rows(at), folder / "files" / f"part-{i:02}.parquet", row_group_size=500_000)
        pq.write_table(rows(shuffled[at]), folder / "table" / f"part-{i:02}.parquet", row_group_size=500_000)


# What each engine does. A form is a generator: it starts its engine, yields, and margins.
Form = Callable[[Path, Path, mc.batch.Plan], Iterator[None]]


def names(folder: Path) -> list[str]:
    return sorted(map(str, folder.iterdir()))


def save(source: Any, out: Path, plan: mc.batch.Plan) -> None:
    """Margins a stream of grouped rows into one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out.mkdir()
    reader = pa.RecordBatchReader.from_stream(plan.margins(source))
    with pq.ParquetWriter(out / "all.parquet", reader.schema) as file:
        for batch in reader:
            file.write_batch(batch)


def plain_files(files: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    out.mkdir()
    yield
    for file in names(files):
        mc.batch.part(file, out, plan)
    mc.batch.manifest(out)


def plain_table(table: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    import pyarrow.dataset as ds

    yield
    save(ds.dataset(table).scanner(batch_size=500_000).to_reader(), out, plan.replace(order="any"))


def polars_table(table: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    import polars as pl

    yield
    save(pl.scan_parquet(table).sort("account_id").collect(engine="streaming"), out, plan)


def duckdb_table(table: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    import duckdb

    duckdb.sql(f"set threads = {CORES}")
    yield
    save(duckdb.sql(f"from '{table}/*.parquet' order by account_id").to_arrow_reader(500_000), out, plan)


def datafusion_table(table: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    import datafusion

    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(CORES))
    yield
    save(context.read_parquet(str(table)).sort("account_id"), out, plan)


def page(name: str) -> Any:
    from engines.pages import Page  # type: ignore[import-not-found]

    return Page(name)


def spark_files(files: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    from engines.spark_job import session  # type: ignore[import-not-found]

    recipes, spark = page("spark"), session(CORES)
    yield
    recipes["parts"](spark, names(files), str(out), plan)


def spark_table(table: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    from engines.spark_job import session

    recipes, spark = page("spark"), session(CORES)
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "10000")
    yield
    recipes["requirements"](spark.read.parquet(str(table)), plan, 2 * CORES).write.parquet(str(out))


@functools.cache
def sail_server() -> Any:
    """Sail, which ends when nobody holds it: the cache does."""
    from pysail.spark import SparkConnectServer  # type: ignore[import-not-found]

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    return server


def sail() -> Any:
    from pyspark.sql import SparkSession  # type: ignore[import-not-found]

    address, port = sail_server().listening_address
    return SparkSession.builder.remote(f"sc://{address}:{port}").getOrCreate()


def sail_files(files: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    recipes, spark = page("spark"), sail()
    yield
    recipes["parts_of_a_table"](spark, names(files), str(out), plan)


def sail_table(table: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    recipes, spark = page("spark"), sail()
    yield
    recipes["requirements_unsorted"](spark.read.parquet(str(table)), plan, 2 * CORES).write.parquet(str(out))


def ray() -> Any:
    import ray

    ray.init(num_cpus=CORES, include_dashboard=False, object_store_memory=3 << 30, log_to_driver=False)
    return ray


def ray_files(files: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    recipes, _ = page("ray"), ray()
    yield
    recipes["parts"](names(files), str(out), plan)


def ray_table(table: Path, out: Path, plan: mc.batch.Plan) -> Iterator[None]:
    recipes, engine = page("ray"), ray()
    engine.data.DataContext.get_current().enable_progress_bars = False
    yield
    recipes["requirements"](engine.data.read_parquet(str(table)), plan, 2 * CORES).write_parquet(str(out))


#: Form by engine and input, with its environment.
FORMS: dict[str, tuple[str, str, Form]] = {
    "one process": ("frames", "files", plain_files),
    "Sail, tasks": ("sail", "files", sail_files),
    "Spark, tasks": ("spark", "files", spark_files),
    "Ray, tasks": ("ray", "files", ray_files),
    "one process, order=any": ("frames", "table", plain_table),
    "polars, sort": ("frames", "table", polars_table),
    "DuckDB, order by": ("frames", "table", duckdb_table),
    "DataFusion, sort": ("frames", "table", datafusion_table),
    "Sail, repartition": ("sail", "table", sail_table),
    "Spark, repartition": ("spark", "table", spark_table),
    "Ray Data, repartition": ("ray", "table", ray_table),
}


def child(form: str, folder: Path, out: Path) -> None:
    """Runs a form in its environment, and waits at its start and end to be measured."""
    _, source, run = FORMS[form]
    steps = run(folder / source, out, plan())
    next(steps)
    for word in ("ready", "done"):
        print(f"\n{word}", flush=True)
        sys.stdin.readline()
        next(steps, None)


@dataclass
class Use:
    """CPU seconds of processes by number, and the most memory that all had at a time, in bytes."""

    seconds: dict[int, float]
    memory: int = 0

    def sample(self, mark: bytes) -> float:
        """Looks at every process that was started with a mark; the CPU seconds of all so far."""
        memory = 0
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    if mark not in (process / "environ").read_bytes():
                        continue
                    fields = (process / "stat").read_text().rpartition(")")[2].split()
                    rollup = (process / "smaps_rollup").read_text()
                except OSError:  # gone
                    continue
                self.seconds[int(process.name)] = (int(fields[11]) + int(fields[12])) / TICKS
                memory += sum(int(line.split()[1]) << 10 for line in rollup.splitlines() if line.startswith("Pss:"))
        self.memory = max(self.memory, memory)
        return sum(self.seconds.values())


def measured(form: str, folder: Path, out: Path) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and peak memory of a form."""
    environment = os.environ | {
        MARK: str(os.getpid()),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]),
        "POLARS_MAX_THREADS": str(CORES),
    }
    command = [ROOT / f".venv-{FORMS[form][0]}" / "bin" / "python", "-m", "benches.engines"]
    process = subprocess.Popen(
        [*map(str, command), "--child", form, str(folder), str(out)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    use, mark, stop = Use({}), f"{MARK}={os.getpid()}\0".encode(), threading.Event()

    def until(word: str) -> None:
        for line in process.stdout or ():
            if line.strip() == word:
                return
        raise SystemExit(f"{form}: its process ended with {process.wait()}")

    def watch() -> None:
        while not stop.wait(0.3):
            use.sample(mark)

    until("ready")
    before, start = use.sample(mark), time.monotonic()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        process.stdin.write("\n")
        process.stdin.flush()
        until("done")
        wall = time.monotonic() - start
    finally:
        stop.set()
        watcher.join()
    seconds = use.sample(mark) - before
    process.stdin.close()
    process.wait()
    return wall, seconds, use.memory


def digest(out: Path) -> str:
    """Of the numbers in a folder of requirements, ascending by account."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = ["account_id", "initial", "maintenance", "net_option_value", "worst_scenario"]
    files = [file for file in sorted(out.rglob("*.parquet")) if not file.name.startswith((".", "_"))]
    tables = [pq.read_table(file, columns=columns) for file in files]
    schema = pa.schema(zip(columns, [pa.string(), *3 * [pa.float64()], pa.int32()], strict=True))
    table = pa.concat_tables(t.replace_schema_metadata().cast(schema) for t in tables).sort_by("account_id")
    hash = hashlib.sha256()
    for column in table.itercolumns():
        hash.update("\n".join(column.to_pylist()).encode() if pa.types.is_string(column.type) else column.to_numpy())
    return hash.hexdigest()


def table(forms: list[str], positions: int, folder: Path) -> Iterator[str]:
    """The rows of the table in Markdown, as they are measured."""
    write(folder, positions)
    yield f"{positions:,} positions, {positions // ACCOUNT:,} accounts; load {os.getloadavg()[0]:.1f} at the start\n"
    yield "| engine | input | wall s | rows/s | CPU s | peak MB | bits |\n|---|---|---:|---:|---:|---:|---|"
    first = None
    for form in forms:
        environment, source, _ = FORMS[form]
        if not (ROOT / f".venv-{environment}" / "bin" / "python").exists():
            yield f"| {form} | {source} | not installed | | | | |"
            continue
        wall, seconds, memory = measured(form, folder, folder / "out")
        bits = digest(folder / "out")
        first = first or bits
        cells = f"{wall:.1f} | {positions / wall:,.0f} | {seconds:.1f} | {memory / 1e6:,.0f}"
        yield f"| {form} | {source} | {cells} | {'same' if bits == first else '**DIFFER**'} |"
        shutil.rmtree(folder / "out")
    yield f"\nload {os.getloadavg()[0]:.1f} at the end"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.engines", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--positions", type=int, default=2_000_000)
    parser.add_argument("--only", action="append", help="an engine of the table, by a part of its name")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child[0], Path(given.child[1]), Path(given.child[2]))
        return
    forms = [form for form in FORMS if not given.only or any(part in form for part in given.only)]
    with tempfile.TemporaryDirectory() as folder:
        for line in table(forms, given.positions, Path(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
