"""Strict reading of text files: the rows of a CSV with their line numbers, and one way to say where: ``file:line``."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from margincore._core import MarginError, ParseError

MAX_BYTES = 512 * 1024 * 1024
"""Files larger than this (unpacked) are refused: no account or quotes file is."""


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a UTF-8 CSV file (plain or ``.gz``) with the line each one starts on, blank lines left out.

    Raises :class:`margincore.ParseError` naming the file and line for anything that is not such a file.
    """
    lines = read_text(path).splitlines(keepends=True)
    reader = csv.reader(lines, strict=True)
    start = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ParseError(f"{path}:{reader.line_num}: {error}") from None
        if any(cell.strip() for cell in row):
            yield start, row
        start = reader.line_num + 1


def records(
    path: Path, needed: Sequence[str], *, known: Sequence[str] | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file by column name, with the line each starts on.

    Columns beside those needed are kept; with `known`, one that is not among them, or that is named twice, is refused.
    Raises :class:`margincore.ParseError` with file and line for a missing column or a row that is too short or long.
    """
    lines = rows(path)
    line, head = next(lines, (1, []))
    columns = [cell.strip(" \t") for cell in head]
    if known is not None:
        unknown = [name for name in columns if name not in known]
        if unknown:
            raise ParseError(f"{path}:{line}: unknown column {unknown[0]!r}: the columns are {', '.join(known)}")
        if len(set(columns)) != len(columns):
            raise ParseError(f"{path}:{line}: a column is named twice: {', '.join(columns)}")
    missing = [name for name in needed if name not in columns]
    if missing:
        empty = "" if columns else "the file is empty: "
        raise ParseError(
            f"{path}:{line}: no column {', '.join(map(repr, missing))}: {empty}the first row names the columns, "
            f"which must have {', '.join(needed)}"
        )
    for line, cells in lines:
        if len(cells) != len(columns):
            raise ParseError(f"{path}:{line}: {len(cells)} cells in a row of {len(columns)} columns")
        yield line, dict(zip(columns, (cell.strip(" \t") for cell in cells), strict=True))


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, plain or ``.gz``, or :class:`margincore.ParseError`."""
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ParseError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise ParseError(f"{path}: larger than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ParseError(f"{path}:{line}: byte {error.start} is not UTF-8: save the file as UTF-8") from None
    if "\0" in text:
        raise ParseError(f"{path}:{text.count(chr(10), 0, text.index(chr(0))) + 1}: a NUL byte: not a text file")
    return text


def at_line(path: Path, line: int, error: MarginError) -> MarginError:
    """The same kind of error with ``file:line`` in front of its message."""
    return type(error)(f"{path}:{line}: {error}")
