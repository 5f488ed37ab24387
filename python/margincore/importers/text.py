"""Strict reading of comma-separated text: rows with their line numbers, and numbers in one plain form."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from margincore._core import InvalidInput, MarginError, ParseError

MAX_BYTES = 512 * 1024 * 1024
"""Files larger than this (unpacked) are refused: no account or quotes file is."""

_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?", re.ASCII)
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
    >>> decimal("1,250.00", "price")
    Traceback (most recent call last):
    margincore._core.InvalidInput: price '1,250.00' is not a plain decimal number such as 12.50
    """
    if not _DECIMAL.fullmatch(text):
        raise InvalidInput(f"{what} {text!r} is not a plain decimal number such as 12.50")
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
