"""``margincore batch`` and what ``margincore batch-plan`` writes; part of :mod:`margincore.cli.commands`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from margincore._core import Contracts, InvalidInput, MarginError, Unsupported
from margincore.batch import Plan, cluster, manifest, part
from margincore.batch.atomic import remove_strays
from margincore.batch.parts import MANIFEST, part_name
from margincore.batch.tables import files_in, opened

__all__ = ["REFUSED_ACCOUNTS", "batch", "columns", "contracts_of"]

REFUSED_ACCOUNTS = 3
"""The exit code of a run that is whole and has accounts that were refused."""


def batch(
    plan: Annotated[Path, typer.Option(help="What batch-plan or Plan.save wrote.")],
    source: Annotated[Path, typer.Option("--in", help="Folder of positions: Parquet, or Arrow files or streams.")],
    out: Annotated[Path, typer.Option(help="Folder of parts: a Parquet file for each, and manifest.json last.")],
    cluster_by: Annotated[
        str | None,
        typer.Option(help="The column of accounts, where their rows are not whole within a file: rows are dealt out."),
    ] = None,
    buckets: Annotated[int, typer.Option(help="So many files of whole accounts; one is in memory per thread.")] = 64,
    threads: Annotated[int, typer.Option(help="Parts that are computed at once.")] = 1,
    resume: Annotated[bool, typer.Option(help="Go on with a folder that has parts: what changed is redone.")] = False,
    errors: Annotated[
        Literal["column", "raise"] | None,
        typer.Option(help="column: a refused account is a row that says why; raise: it ends the run."),
    ] = None,
) -> None:
    """Margin a folder of positions into a folder of requirements; a run that was killed goes on with --resume.

    Exit codes: 0 done, 3 done and some accounts were refused, 2 bad input or a full disk: nothing is half written.
    """
    _needs_arrow()
    if threads < 1:
        raise InvalidInput(f"--threads is {threads}: from 1", code="out_of_range", where="--threads", value=threads)
    made_of = Plan.load(plan)
    if errors is not None:
        made_of = made_of.replace(errors=errors)
    files = files_in(source)
    out.mkdir(exist_ok=True)
    if not resume and any(out.glob("*.parquet")):
        raise InvalidInput(f"{out}: there are parts in it: --resume goes on with them", where="--out")
    remove_strays(out)
    _ = made_of.prepared  # what it refuses is told before anything is written
    with _progress() as advanced:
        if cluster_by is not None:
            with advanced("accounts made whole", files) as done:
                files = cluster(files, out / "buckets", account=cluster_by, buckets=buckets, progress=done)
            made_of = made_of.replace(order="any")
        with advanced("margins", files) as done:
            new = _parts(files, out, made_of, threads, done)
    said = manifest(out, parts=[part_name(path) for path in files])
    print(
        f"{said['accounts']:,} accounts of {said['rows']:,} positions in {len(files):,} parts, {new:,} of them new; "
        f"{said['errors']:,} accounts were refused: {out / MANIFEST}"
    )
    if said["errors"]:
        raise typer.Exit(REFUSED_ACCOUNTS)


def _parts(files: Sequence[Path], out: Path, plan: Plan, threads: int, done: Callable[[int], None]) -> int:
    """Every file's part. How many of them were not there. The first refusal ends it, after what is being computed."""
    names = [part_name(path) for path in files]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"--in: two files make one part, {twice}: rename one", code="duplicate", where="--in")
    before = {name: _place(out / name) for name in names}
    with ThreadPoolExecutor(threads) as pool:
        sizes = {pool.submit(part, path, out, plan): path.stat().st_size for path in files}
        try:
            for future in as_completed(sizes):
                future.result()
                done(sizes[future])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sum(_place(out / name) != before[name] for name in names)


def _place(path: Path) -> tuple[int, int] | None:
    """Which file has a name; none where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


Stage = Callable[[str, Sequence[Path]], Any]


@contextmanager
def _progress() -> Iterator[Stage]:
    """Bytes of files, how many a second and the time left, on standard error; nothing where that is no terminal."""
    console = Console(stderr=True)
    shown = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*shown, console=console, disable=not console.is_terminal) as progress:

        @contextmanager
        def stage(name: str, files: Sequence[Path]) -> Iterator[Callable[[int], None]]:
            task = progress.add_task(name, total=sum(path.stat().st_size for path in files))
            yield lambda size: progress.advance(task, size)

        yield stage


def columns(pairs: Sequence[str], option: str) -> dict[str, str] | None:
    """``["USD=usd"]`` as ``{"USD": "usd"}``; none of none."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not (name and sign and column) or name in found:
            raise InvalidInput(
                f"{option} {pair}: NAME=COLUMN is needed, each name once", code="bad_text", where=option, value=pair
            )
        found[name] = column
    return found or None


def contracts_of(path: Path) -> Contracts:
    """A table of contracts from a file of Arrow's or Parquet, columns named like a contract's terms."""
    _needs_arrow()
    import pyarrow as pa

    with opened(path) as source:
        table = pa.Table.from_batches(list(source))
    try:
        return Contracts.from_arrow(table)
    except MarginError as error:
        error.named(str(path))
        raise


def _needs_arrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError:
        raise Unsupported(
            "batches need the package 'pyarrow', which is not installed: pip install 'margincore[arrow]'"
        ) from None
