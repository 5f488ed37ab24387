"""Files of positions as streams of record batches: Parquet, and Arrow's own formats."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from margincore._core import InvalidInput, ParseError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["ROWS", "Source", "files_in", "foreign_errors", "opened", "sha256", "stated"]

ROWS = 131_072
"""Rows that are in memory at a time."""

ENDINGS = (".parquet", ".arrow", ".arrows", ".feather", ".ipc")
_STREAM = b"\xff\xff\xff\xff"


def files_in(folder: Path) -> list[Path]:
    """The files of positions in a folder, by name. Raises :class:`InvalidInput` where there is none, or another's."""
    names = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "_"))]
    other = next((path for path in names if path.suffix not in ENDINGS or path.is_dir()), None)
    if other is not None:
        raise InvalidInput(
            f"{other}: no file whose name ends in {', '.join(ENDINGS)}: only files of positions may be in the folder "
            "(names that begin with _ or . are passed over)",
            where=str(other),
        )
    if not names:
        raise InvalidInput(f"{folder}: no file of positions ({', '.join(ENDINGS)}) is in it", where=str(folder))
    return names


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Source:
    """A file that is open: its rows a batch at a time, and how many there were."""

    def __init__(self, path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch], missing: list[str]) -> None:
        self._path = path
        self._schema = schema
        self._batches = batches
        self.missing = missing
        """Columns that were to be passed over and are not there."""
        self.texts: dict[str, pa.DataType] = {}
        """Columns that come as codes here, and as what the file says they are."""
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while (batch := self._next()) is not None:
            for first in range(0, batch.num_rows, ROWS):
                piece = batch.slice(first, ROWS)
                self.rows += piece.num_rows
                yield piece
        if not self.rows:  # the columns are read all the same
            yield _empty(self._schema)

    def _next(self) -> pa.RecordBatch | None:
        with foreign_errors(self._path):
            return next(self._batches, None)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.record_batch([pa.nulls(0, field.type) for field in schema], schema=schema)


@contextmanager
def opened(
    path: Path, *, codes: Collection[str] = (), labels: Collection[str] = (), without: Collection[str] = ()
) -> Iterator[Source]:
    """The rows of a file, read in order and as few at a time as its format has them.

    `codes` are columns of text that repeats, `labels` those that repeat within a group of rows: where Parquet holds
    codes of it they stay codes. `without` are columns that are not read. Raises :class:`ParseError` for a file that is
    damaged or of another format.
    """
    with path.open("rb") as file:
        with foreign_errors(path):
            source = _read(path, file, codes, labels, without)
        yield source


def _read(
    path: Path, file: BinaryIO, codes: Collection[str], labels: Collection[str], without: Collection[str]
) -> Source:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"PAR1"):
        return _parquet(path, file, codes, labels, without)
    if start == b"ARROW1" or start.startswith(_STREAM):
        return _ipc(path, file, start.startswith(_STREAM), without)
    raise ParseError(f"{path}: neither Parquet nor a file or stream of Arrow's", where=str(path))


@contextmanager
def foreign_errors(path: Path) -> Iterator[None]:
    """Arrow's own refusals of a file as ours, with the path in front; errors of the system name the path."""
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        raise _damaged(path, error) from None
    except OSError as error:
        if error.errno is None:  # Arrow's words for bytes that are no Parquet
            raise _damaged(path, error) from None
        if error.filename is None:
            error.filename = str(path)
        raise


def _damaged(path: Path, error: Exception) -> ParseError:
    text = " ".join(str(error).split())
    return ParseError(f"{path}: it ends too early or is damaged: {text}", code="damaged", where=str(path))


def _parquet(
    path: Path, file: BinaryIO, codes: Collection[str], labels: Collection[str], without: Collection[str]
) -> Source:
    import pyarrow.parquet as pq

    footer = pq.read_metadata(file)
    file.seek(0)
    kept = [name for name in codes if _coded(footer, name)]
    kept += [name for name in labels if all(_repeats(chunk) for chunk in _coded(footer, name) or [None])]
    # Read as it comes: a buffer ahead would hold whole groups of rows.
    read = pq.ParquetFile(file, metadata=footer, read_dictionary=kept, pre_buffer=False)
    schema, missing = _without(read.schema_arrow, without)
    batches = read.iter_batches(batch_size=ROWS, columns=schema.names, use_threads=False)
    source = Source(path, schema, batches, missing)
    own = footer.schema.to_arrow_schema()
    source.texts = {name: own.field(name).type for name in kept}
    return source


def _coded(footer: pq.FileMetaData, name: str) -> list[pq.ColumnChunkMetaData]:
    """The pieces of a column that is one of codes in the file: to make codes of others costs more than it saves."""
    if name not in footer.schema.names:
        return []
    at = footer.schema.names.index(name)
    chunks = [footer.row_group(group).column(at) for group in range(footer.num_row_groups)]
    is_coded = all(c.physical_type == "BYTE_ARRAY" and c.dictionary_page_offset is not None for c in chunks)
    return chunks if is_coded else []


def _repeats(chunk: pq.ColumnChunkMetaData | None) -> bool:
    """Whether nearly all of a piece is codes: writers go on with text where codes grow many, and say so nowhere.

    Text takes four bytes a row before its first letter (Parquet's plain encoding), so that less than that is codes.
    """
    return chunk is not None and chunk.total_uncompressed_size < 4 * chunk.num_values


def _ipc(path: Path, file: BinaryIO, is_stream: bool, without: Collection[str]) -> Source:
    import pyarrow as pa

    batches: Iterator[pa.RecordBatch]
    if is_stream:
        stream = pa.ipc.open_stream(file)
        schema, batches = stream.schema, iter(stream)
    else:
        reader = pa.ipc.open_file(file)
        schema, batches = reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
    schema, missing = _without(schema, without)
    return Source(path, schema, (batch.select(schema.names) for batch in batches), missing)


def _without(schema: pa.Schema, names: Collection[str]) -> tuple[pa.Schema, list[str]]:
    """The columns that are read, and which of the others are not there."""
    import pyarrow as pa

    kept = pa.schema([field for field in schema if field.name not in names])
    return kept, [name for name in names if name not in schema.names]


def stated(path: str | os.PathLike[str]) -> tuple[int, int, int]:
    """What of a file changes when somebody writes it: size, time, place."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino
