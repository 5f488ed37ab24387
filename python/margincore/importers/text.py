"""Strict reading of text files: the rows of a CSV with their line numbers, and one way to say where: ``file:line``.

A file is read in blocks, so that one that is too large, unpacks to too much or is no text costs no more than a block.
What users hand over in other ways (an open file, bytes, a text) is read by the same rules with :func:`read_source`.
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
from typing import IO, BinaryIO

from margincore._core import InvalidInput, MarginError, ParseError

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

_NO_TEXT = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook: save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save the sheet as CSV"),
    (b"%PDF", "a PDF document: export the positions as CSV"),
    (b"PAR1", "a Parquet file: margincore.importers.arrow reads its table"),
    (b"\x89PNG", "a picture: export the positions as CSV"),
)
"""What people hand over in place of text, by its first bytes."""

Source = str | os.PathLike[str] | bytes | IO[str] | IO[bytes]
"""A path, the text or bytes of a file, or an open file."""


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a UTF-8 CSV file (plain or ``.gz``) with the line each one starts on, blank lines left out.

    Raises :class:`margincore.ParseError` naming the file and line for anything that is not such a file.
    """
    yield from _rows(_texts(path), str(path), ",")


def text_rows(text: str, name: str, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The rows of a text as :func:`rows` has them; `name` stands for the file.

    >>> list(text_rows("a;b\\n\\n1;2\\n", "x.csv", ";"))
    [(1, ['a', 'b']), (3, ['1', '2'])]
    """
    yield from _rows(_pieces(text), name, delimiter)


def _pieces(text: str) -> Iterator[str]:
    """A text in blocks, none of which ends between a carriage return and its line feed."""
    at = 0
    while at < len(text):
        end = at + _BLOCK
        if text[end - 1 : end + 1] == "\r\n":
            end += 1
        yield text[at:end]
        at = end


def _rows(texts: Iterator[str], path: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    start = 1
    skipped = 0  # blank lines that the reader of rows has not seen
    size = 0  # what was read since the last row ended, to within a block

    def lines() -> Iterator[str]:
        nonlocal size, skipped, start
        rest = ""
        for text in texts:
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

    reader = csv.reader(lines(), strict=True, delimiter=delimiter)
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


def read_source(source: Source, name: str | None = None) -> tuple[str, str]:
    """The name and the text of what users hand over: a path, an open file (text or bytes), bytes or the text itself.

    UTF-8, or UTF-16 with its byte order mark, plain or gzip. A `str` is a text where it has a line end or is empty or
    JSON, else a path. `name` stands for the file in messages. Raises :class:`margincore.ParseError` for what is no
    text, with what it is where the first bytes say so, and :class:`margincore.InvalidInput` for another type.

    >>> read_source(b"\\xff\\xfea\\x00\\n\\x00", "x.csv")
    ('x.csv', 'a\\n')
    >>> read_source(b"%PDF-1.7", "x.csv")
    Traceback (most recent call last):
    margincore.ParseError: x.csv: a PDF document: export the positions as CSV
    """
    if isinstance(source, str) and (not source or "\n" in source or source.lstrip()[:1] in ("{", "[")):
        return name or "text", _checked(source, name or "text")
    if isinstance(source, bytes):
        return name or "bytes", _decoded(source, name or "bytes")
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return name or str(path), _decoded(b"".join(_blocks(path)), name or str(path))
    if not hasattr(source, "read"):
        raise InvalidInput(
            f"source: a path, an open file, bytes or text is needed, not {type(source).__name__}", code="wrong_type"
        )
    name = name or str(getattr(source, "name", "file"))
    try:
        content = source.read(MAX_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ParseError(f"{name}: cannot be read: {error}", code="unreadable") from None
    if isinstance(content, bytes):
        return name, _decoded(content, name)
    return name, _checked(content, name)


def _decoded(content: bytes, name: str) -> str:
    if content[:2] == b"\x1f\x8b":
        try:
            content = b"".join(_unpacked(name, io.BytesIO(content)))
        except zlib.error as error:
            raise ParseError(f"{name}: cannot be read: {error}", code="unreadable") from None
    for first, what in _NO_TEXT:
        if content.startswith(first):
            raise ParseError(f"{name}: {what}")
    wide = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    try:
        return _checked(content.decode("utf-16" if wide else "utf-8-sig"), name)
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        raise ParseError(
            f"{name}:{line}: byte {error.start} is not {'UTF-16' if wide else 'UTF-8'}: save the file as UTF-8"
        ) from None


def _checked(text: str, name: str) -> str:
    if len(text) > MAX_BYTES:
        raise ParseError(f"{name}: more than {MAX_BYTES} bytes: no positions file is so large", code="too_large")
    if "\0" in text:
        raise ParseError(f"{name}:{1 + text.count(chr(10), 0, text.index(chr(0)))}: a NUL byte: not a text file")
    return text.removeprefix("\ufeff")


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


def _unpacked(path: Path | str, file: BinaryIO) -> Iterator[bytes]:
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
