"""Files of rows in any order, as files in which every account is whole.

Rows go to buckets by a hash of their account, in one pass and in their order; an account's rows are then in one bucket,
though not together, and a plan with ``order="any"`` margins a bucket at a time. In memory are a group of rows of each
bucket here, and one bucket there.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from margincore._core import InvalidInput, MissingData
from margincore.batch.atomic import remove_strays, sync_folder, written
from margincore.batch.digests import digest
from margincore.batch.tables import opened, sha256
from margincore.json_objects import json_object

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MOST", "cluster"]

MOST = 512
"""Buckets at most: each is a file that is open while rows are dealt out."""

_VERSION = 1
_STAMP = "clustered.json"
_HELD = 4_194_304
"""Rows in memory, of all buckets together, before a bucket's are written."""


def cluster(
    paths: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    account: str,
    buckets: int,
    progress: Callable[[int], None] | None = None,
) -> list[Path]:
    """Files of positions dealt out to `buckets` files in `folder`, by the column `account`. Their paths, in order.

    They are written once: where the folder says that it holds the buckets of the same files (by SHA-256), nothing is
    written. Otherwise all are written anew, each whole or not at all; the folder says what it holds last. `progress` is
    called with the bytes of each file of positions that is dealt out.

    Raises :class:`margincore.InvalidInput` for files whose columns differ, :class:`margincore.MissingData` for one
    without the column or a row without an account, and :class:`OSError` where the system refuses.

    >>> import pyarrow as pa, pyarrow.parquet as pq, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> pq.write_table(pa.table({"account": ["x", "y", "x"], "quantity": [1, 2, 3]}), folder / "a.parquet")
    >>> made = cluster([folder / "a.parquet"], folder / "buckets", account="account", buckets=3)
    >>> [pq.read_table(path)["quantity"].to_pylist() for path in made]
    [[1, 3], [2], []]
    """
    files, target = [Path(path) for path in paths], Path(folder)
    if isinstance(buckets, bool) or not isinstance(buckets, int) or not 1 <= buckets <= MOST:
        raise InvalidInput(
            f"buckets is {buckets!r}: a whole number from 1 to {MOST} is needed",
            code="out_of_range",
            where="buckets",
            value=buckets,
        )
    target.mkdir(exist_ok=True)
    remove_strays(target)
    stated = digest("cluster 1", account, buckets, [sha256(path) for path in files])
    made = [target / f"bucket-{i:04}.parquet" for i in range(buckets)]
    if _says(target) != {"version": _VERSION, "of": stated} or not all(path.exists() for path in made):
        # First of all it says no more what it held.
        (target / _STAMP).unlink(missing_ok=True)
        sync_folder(target)
        for old in target.glob("bucket-*.parquet"):
            old.unlink()
        _deal(files, made, account, progress)
        with written(target / _STAMP) as file:
            file.write(json.dumps({"version": _VERSION, "of": stated}).encode())
    elif progress is not None:
        progress(sum(path.stat().st_size for path in files))
    return made


def _says(folder: Path) -> dict[str, Any] | None:
    try:
        return json_object((folder / _STAMP).read_text(encoding="utf-8"), str(folder / _STAMP))
    except FileNotFoundError:
        return None


def _deal(files: list[Path], made: list[Path], account: str, progress: Callable[[int], None] | None) -> None:
    schema: pa.Schema | None = None
    with ExitStack() as stack:
        dealers: list[_Bucket] = []
        for path in files:
            with opened(path) as source:
                for batch in source:
                    if schema is None:
                        schema = batch.schema.remove_metadata()
                        dealers += [stack.enter_context(_Bucket(stack, to, schema, _HELD // len(made))) for to in made]
                    if not batch.schema.equals(schema):
                        raise InvalidInput(
                            f"{path}: its columns or their types are others than in {files[0]}",
                            where=str(path),
                            code="wrong_shape",
                        )
                    _deal_batch(batch, dealers, account, path)
            if progress is not None:
                progress(path.stat().st_size)
        for dealer in dealers:
            dealer.close()


def _deal_batch(batch: pa.RecordBatch, dealers: list[_Bucket], account: str, path: Path) -> None:
    import pyarrow as pa

    if account not in batch.schema.names:
        raise MissingData(f"{path}: no column '{account}'", where=str(path), code="not_stated", value=account)
    # In 16 bits a stable sort is by digits.
    bucket = (_hashes(batch.column(account), account, path) % np.uint64(len(dealers))).astype(np.uint16)
    order = np.argsort(bucket, kind="stable")
    table = batch.take(pa.array(order))
    ends = np.searchsorted(bucket[order], np.arange(len(dealers) + 1, dtype=np.uint16))
    for dealer, first, end in zip(dealers, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        if end > first:
            dealer.add(table.slice(first, end - first))


def _hashes(labels: pa.Array, account: str, path: Path) -> NDArray[np.uint64]:
    """Hashes of labels: of what they say, not of how they are coded."""
    import pyarrow as pa

    if labels.null_count:
        raise MissingData(f"{path}: column '{account}': a row without an account", where=str(path), code="not_stated")
    if pa.types.is_integer(labels.type):
        # Fibonacci hashing: the high bits of a product with 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4).
        values = labels.to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)
        mixed: NDArray[np.uint64] = (values * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
        return mixed
    if pa.types.is_dictionary(labels.type):
        hashes = _of_texts(labels.dictionary.cast(pa.large_string()))
        of_rows: NDArray[np.uint64] = hashes[labels.indices.to_numpy(zero_copy_only=False)]
        return of_rows
    return _of_texts(labels.cast(pa.large_string()))


def _of_texts(texts: pa.Array) -> NDArray[np.uint64]:
    """CRC-32 of each text's UTF-8."""
    _, ends, data = texts.buffers()
    at = np.frombuffer(ends, np.int64)[texts.offset : texts.offset + len(texts) + 1].tolist()
    held = memoryview(b"" if data is None else data)
    hashes = (zlib.crc32(held[first:end]) for first, end in pairwise(at))
    return np.fromiter(hashes, np.uint64, len(texts))


class _Bucket:
    """A file that is being written, and the rows that are not enough yet for a group."""

    def __init__(self, stack: ExitStack, path: Path, schema: pa.Schema, group: int) -> None:
        import pyarrow.parquet as pq

        file = stack.enter_context(written(path))
        self._writer = pq.ParquetWriter(file, schema, compression="lz4", write_page_checksum=True)
        self._group = group
        self._held: list[pa.RecordBatch] = []
        self._count = 0

    def __enter__(self) -> _Bucket:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # nothing where it was closed; or what was the matter already
            self._writer.close()

    def add(self, rows: pa.RecordBatch) -> None:
        self._held.append(rows)
        self._count += rows.num_rows
        if self._count >= self._group:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held).combine_chunks())
        self._held, self._count = [], 0

    def close(self) -> None:
        self._flush()
        self._writer.close()
