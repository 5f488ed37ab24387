"""Strict reading of comma-separated text: rows with their line numbers, and numbers in one plain form."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from margincore._core import InvalidInput, MarginError, ParseError

MAX_BYTES = 512 * 1024 * 1024
"""Files larger than this (unpacked) are refused: no account or quotes file is."""

_DECIMAL = re.compile(r"-?([0-9]{1,15}(\.[0-9]{1,12})?|\.[0-9]{1,12})", re.ASCII)
_SCIENTIFIC = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)


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


def records(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file by column name, with the line each starts on; columns beside those needed are kept.

    Raises :class:`margincore.ParseError` with file and line for a missing column or a row that is too short or long.
    """
    lines = rows(path)
    line, head = next(lines, (1, []))
    columns = [cell.strip() for cell in head]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise ParseError(
            f"{path}:{line}: no column {', '.join(map(repr, missing))}: the first row names the columns, "
            f"which must have {', '.join(needed)}"
        )
    for line, cells in lines:
        if len(cells) != len(columns):
            raise ParseError(f"{path}:{line}: {len(cells)} cells in a row of {len(columns)} columns")
        yield line, dict(zip(columns, (cell.strip() for cell in cells), strict=True))


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, plain or ``.gz``, or :class:`margincore.ParseError`."""
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ParseError(f"{path}: cannot be read: {error}") from None
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


def decimal(text: str, what: str) -> float:
    """A plain decimal number such as ``-12.50``: no exponent, no thousands separator, no words.

    >>> decimal("12.50", "price")
    12.5
    >>> decimal(".2", "vol")
    0.2
    >>> decimal("1,250.00", "price")
    Traceback (most recent call last):
    margincore.InvalidInput: price '1,250.00' is not a plain decimal number such as 12.50
    """
    if not _DECIMAL.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a plain decimal number such as 12.50")
    return float(text)


def number(text: str, what: str) -> float:
    """A decimal number that may be printed with an exponent, as programs write small ones.

    >>> number("3.555e-05", "mark price")
    3.555e-05
    """
    if not _SCIENTIFIC.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a number such as 12.50 or 1e-05")
    return float(text)


def whole(text: str, what: str) -> int:
    """A whole number such as ``-5``.

    >>> whole("-5", "quantity")
    -5
    """
    if not _WHOLE.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a whole number such as -5")
    return int(text)


def at_line(path: Path, line: int, error: MarginError) -> MarginError:
    """The same kind of error with ``file:line`` in front of its message."""
    return type(error)(f"{path}:{line}: {error}")
