"""Strict reading of text files: the rows of a CSV with their line numbers, and one way to say where: ``file:line``.

A file is read in blocks, so that one that is too large, unpacks to too much or is no text costs no more than a block.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from margincore._core import MarginError, ParseError

MAX_BYTES = 512 * 1024 * 1024
"""Files larger than this (unpacked) are refused: no account or quotes file is."""

MAX_RATIO = 200
"""A packed file that unpacks to more than this many times its size is refused, as in a SPAN file's container: rows of
digits do not shrink that far, and a file made to fill the memory shrinks a thousandfold."""

SMALL = 1024 * 1024
"""The ratio counts from so many unpacked bytes on: a small file that repeats itself harms nobody."""

MAX_ROW = 64 * 1024
"""A row of more characters than this is refused: a file without line ends is no table."""

_BLOCK = 16 * 1024
_PACKED_BLOCK = 4 * 1024
"""Small, since what follows the end of a member of a packed file is copied once a member."""

_GZIP = 16 + zlib.MAX_WBITS


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a UTF-8 CSV file (plain or ``.gz``) with the line each one starts on, blank lines left out.

    Raises :class:`margincore.ParseError` naming the file and line for anything that is not such a file.
    """
    start = 1
    skipped = 0  # blank lines that the reader of rows has not seen
    size = 0  # what was read since the last row ended, to within a block

    def lines() -> Iterator[str]:
        nonlocal size, skipped, start
        rest = ""
        for text in _texts(path):
            if not rest and start == skipped + reader.line_num + 1:  # between rows
                body = text.lstrip("\r\n")
                ends = text[: len(text) - len(body)]
                blank = ends.count("\n") + ends.count("\r") - ends.count("\r\n")
                text, skipped, start = body, skipped + blank, start + blank
                if not text:
                    continue
            size += len(text)
            if size > MAX_ROW:
                raise ParseError(f"{path}:{start}: a row of more than {MAX_ROW} characters", code="too_large")
            found = list(io.StringIO(text, newline=""))
            found[0] = rest + found[0]
            rest = "" if found[-1].endswith(("\r", "\n")) else found.pop()
            yield from found
        if rest:
            yield rest

    reader = csv.reader(lines(), strict=True)
    try:
        for row in reader:
            size = 0
            if row and any(cell.strip() for cell in row):
                yield start, row
            start = skipped + reader.line_num + 1
    except csv.Error as error:
        raise ParseError(f"{path}:{skipped + reader.line_num}: {error}") from None


def records(
    path: Path, needed: Sequence[str], *, known: Sequence[str] | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file by column name, with the line each starts on.

    Columns beside those needed are kept; with `known`, one that is not among them is refused. Raises
    :class:`margincore.ParseError` with file and line for a missing column, one of these that is named twice, or a row
    that is too short or long.
    """
    lines = rows(path)
    line, head = next(lines, (1, []))
    columns = [cell.strip(" \t") for cell in head]
    if known is not None:
        unknown = [name for name in columns if name not in known]
        if unknown:
            raise ParseError(f"{path}:{line}: unknown column {unknown[0]!r}: the columns are {', '.join(known)}")
    for name in known or needed:
        if columns.count(name) > 1:
            raise ParseError(f"{path}:{line}: a column is named twice: {name}")
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
    return "".join(_texts(path))


def at_line(path: Path, line: int, error: MarginError) -> MarginError:
    """The error with ``file:line`` in front of its message."""
    error.named(f"{path}:{line}")
    return error


def _texts(path: Path) -> Iterator[str]:
    """The text of a file in blocks, none of which ends between a carriage return and its line feed."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=False)
    line, read = 1, 0
    for block in chain(_blocks(path), (b"",)):
        begun = len(decoder.getstate()[0])  # bytes of a character that the block before did not end
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line += error.object.count(b"\n", 0, error.start)
            at = read - begun + error.start
            raise ParseError(f"{path}:{line}: byte {at} is not UTF-8: save the file as UTF-8") from None
        if "\0" in text:
            line += text.count("\n", 0, text.index("\0"))
            raise ParseError(f"{path}:{line}: a NUL byte: not a text file")
        line += text.count("\n")
        read += len(block)
        if text:
            yield text


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file in blocks, unpacked."""
    size = 0
    too_large = ParseError(f"{path}: larger than {MAX_BYTES} bytes", code="too_large", where=str(path))
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise too_large
            plain = iter(lambda: file.read(_BLOCK), b"")
            for block in _unpacked(path, file) if path.suffix.lower() == ".gz" else plain:
                size += len(block)
                if size > MAX_BYTES:
                    raise too_large
                yield block
    except ParseError:
        raise
    except (OSError, ValueError, zlib.error) as error:  # ValueError: a path with a NUL
        raise ParseError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}", code="unreadable"
        ) from None


def _unpacked(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """A gzip file in blocks: one member or several, each with its checksum."""
    unpacked = 0
    member = zlib.decompressobj(_GZIP)
    while packed := file.read(_PACKED_BLOCK):
        while packed:
            if member.eof:
                packed = packed.lstrip(b"\0")  # some systems fill the last block of a file with zeros
                if not packed:
                    break
                member = zlib.decompressobj(_GZIP)
            block = member.decompress(packed, _BLOCK)
            packed = member.unused_data if member.eof else member.unconsumed_tail
            unpacked += len(block)
            # By what was read so far: a file that is small at its end has filled the memory before.
            if unpacked > SMALL and unpacked > MAX_RATIO * (file.tell() - len(packed)):
                raise ParseError(f"{path}: unpacks to more than {MAX_RATIO} times its size: refused", code="too_large")
            if block:
                yield block
    if not member.eof:
        raise ParseError(f"{path}: cannot be read: it ends before its packed data does", code="unreadable")
