"""An append-only, checksummed journal: what survives a crash."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from margincore._core import CalculationError, InvalidInput, ParseError, check_version

__all__ = ["Journal"]


class _End(NamedTuple):
    """Where a journal ends: its records, its bytes, and the digest the next record is chained to."""

    number: int
    length: int
    digest: str


VERSION = 1
"""The version of journals that are written, and the only one that is read."""

_FORESEEN = 100
"""Versions that a journal is asked for before it is called damaged."""


def _start(version: int) -> _End:
    """An empty journal: the version is what the first record is chained to."""
    return _End(0, 0, hashlib.sha256(f"margincore journal {version}".encode()).hexdigest())


_START = _start(VERSION)
_PREFIX = len(_START.digest) + 1


class Journal:
    """Records in a file, each chained to those before it by SHA-256.

    A record is one line: its digest, then JSON. The digest covers the digest before it and the JSON, so that nothing
    can be changed, left out or put in; that of the first record covers the version of the format, and a journal of
    another version is refused by its number. With `sync`, a record and the file's name are on disk when :meth:`append`
    returns. A journal has one writer.

    When the file is opened again, a last record cut short by a crash is taken away (:attr:`removed`), and one that
    lacks only its newline gets it back; damage anywhere else raises :class:`margincore.ParseError` with the byte
    offset. A file cut between two records is a journal too: only who knows how many there were can tell. Keep what
    :meth:`append` returns, and `at_least` so many records are asked for; fewer raise :class:`margincore.ParseError`.

    After a write or sync that failed, or was interrupted, the journal is closed and takes no record: what is on disk
    is then known only by opening it again. No record whose :meth:`append` returned is lost; the one that failed may be
    there. Raises :class:`margincore.InvalidInput` where another writer has the file open, :class:`OSError` where the
    system refuses.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.journal"
    >>> with Journal(path) as journal:
    ...     journal.append({"n": 1})
    1
    >>> with Journal(path, at_least=1) as journal:
    ...     journal.append({"n": 2})
    ...     list(journal.records)
    2
    [{'n': 1}, {'n': 2}]
    >>> _ = path.write_bytes(path.read_bytes()[:-20])   # the second record, cut short
    >>> with Journal(path) as journal:
    ...     journal.count, journal.length, journal.removed
    (1, 73, 53)
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = True, at_least: int = 0) -> None:
        self._path = os.fspath(path)
        self._sync = sync
        self._end = _START
        self._removed = 0
        self._cause: BaseException | None = None
        # Not for appending, but where it stands: the last record is written over itself below.
        self._file = open(path, "r+b", buffering=0, opener=_create)  # noqa: SIM115  (closed by close)
        self._writing = True
        try:
            self._lock()
            last = b""
            for last, end in _read(self._path):  # noqa: B007  (the last one)
                self._end = end
            if self._end.number < at_least:
                raise ParseError(f"{path}: {self._end.number} records, and at least {at_least} are asked for")
            self._removed = max(0, os.fstat(self._file.fileno()).st_size - self._end.length)
            # The last record once more, with its newline: after a failed sync the system may show what never reached
            # the disk and not write it again by itself.
            self._file.seek(self._end.length - len(last))
            self._write(last)
            self._file.truncate()
            self._flush()
            if sync:
                _sync_directory(self._path)
        except BaseException as error:
            self._fail(error)
            raise
        self._writing = False

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # a system without it: one writer is then the caller's promise
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInput(f"{self._path}: the journal has another writer") from None

    @property
    def records(self) -> Iterator[dict[str, Any]]:
        """Every record taken before the reading begins, from the first, read and checked anew."""
        here, upto = _START, self._end
        if upto.number > 0:
            for line, here in _read(self._path):
                yield json.loads(line[_PREFIX:])
                if here.number == upto.number:
                    break
        if here != upto:
            raise ParseError(f"{self._path}: {here.number} of {upto.number} records are left")

    def append(self, record: dict[str, Any]) -> int:
        """Write one record: a single write, then, with `sync`, to disk. How many records there are now.

        Raises :class:`margincore.InvalidInput`, with nothing written, for what is not JSON: numbers have to be finite
        and texts Unicode. Raises :class:`OSError` where the write or the sync fails, and
        :class:`margincore.CalculationError`, with the first error as its cause, from then on.
        """
        if self._writing or self._file.closed:
            how = "failed at an earlier record" if self._writing else "is closed"
            raise CalculationError(f"{self._path}: the journal {how}: open it again", code="reopen") from self._cause
        body = encode(record, self._path)
        digest = _chain(self._end.digest, body)
        line = digest.encode() + b" " + body + b"\n"
        # Until the end is moved, anything that comes between leaves a journal that has failed, never one out of step.
        self._writing = True
        try:
            self._write(line)
            self._flush()
        except BaseException as error:
            self._fail(error)
            raise
        self._end = _End(self._end.number + 1, self._end.length + len(line), digest)
        self._writing = False
        return self._end.number

    @property
    def count(self) -> int:
        """How many records have been taken."""
        return self._end.number

    @property
    def length(self) -> int:
        """How many bytes they are."""
        return self._end.length

    @property
    def digest(self) -> str:
        """The digest of everything written so far, in hexadecimal."""
        return self._end.digest

    @property
    def removed(self) -> int:
        """How many bytes of a record cut short were taken away when the journal was opened."""
        return self._removed

    def close(self) -> None:
        """Let go of the file. The journal takes no record afterwards, but can be read."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        written = self._file.write(line)
        if written != len(line):
            # The system says why only when asked for the rest; a record is written at once or not at all.
            raise OSError(errno.EIO, f"{written} of {len(line)} bytes written")

    def _flush(self) -> None:
        if self._sync:
            os.fsync(self._file.fileno())

    def _fail(self, error: BaseException) -> None:
        self._cause = error
        if isinstance(error, OSError) and error.filename is None:
            error.filename = self._path
        with suppress(OSError):  # the first error is the one to tell
            self._file.close()


def encode(record: dict[str, Any], name: str) -> bytes:
    """A record as JSON. Raises :class:`margincore.InvalidInput`, with `name` before it, for what is not JSON."""
    try:
        # Not escaped: text that is not Unicode then shows itself before it is written.
        return json.dumps(record, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{name}: {_wrong(record)}") from error


def _wrong(record: object) -> str:
    """What of a record is not JSON, and where in it."""
    values: list[tuple[str, object]] = [("", record)]
    seen: set[int] = set()
    for place, value in values:
        where = place or "the record"
        match value:
            case float() if not math.isfinite(value):
                return f"{where} is {value}, not a finite number"
            case str() if any("\ud800" <= c <= "\udfff" for c in value):
                return f"{where} is {value!a}, not Unicode text"
            case dict() if id(value) not in seen:
                seen.add(id(value))
                values += [(f"a key of {where}", key) for key in value]
                values += [(f"{place}.{key}".lstrip("."), item) for key, item in value.items()]
            case list() | tuple() if id(value) not in seen:
                seen.add(id(value))
                values += [(f"{place}.{i}".lstrip("."), item) for i, item in enumerate(value)]
            case None | bool() | int() | float() | str() | dict() | list() | tuple():
                pass
            case _:
                return f"{where} is of the type {type(value).__name__}, which JSON does not have"
    return "the record nests too deep, holds itself, a tuple as a key or a whole number too long"


def _chain(digest: str, body: bytes) -> str:
    return hashlib.sha256(digest.encode() + body).hexdigest()


def _read(path: str) -> Iterator[tuple[bytes, _End]]:
    """Each record as its line, and where the journal ends with it. Stops before a last record cut short."""
    end = _START
    with open(path, "rb") as file:
        for found in file:
            # Only what was being written when the process died is without its newline. Its digest tells whether the
            # newline is all that it lacks.
            whole = found.endswith(b"\n")
            line = found if whole else found + b"\n"
            digest = _chain(end.digest, line[_PREFIX:-1])
            if line[:_PREFIX] == digest.encode() + b" ":
                end = _End(end.number + 1, end.length + len(line), digest)
                yield line, end
            elif whole:
                if end == _START:
                    _refuse_other_version(path, line)
                raise ParseError(f"{path}: byte {end.length}: the record does not follow from those before it")


def _refuse_other_version(path: str, first: bytes) -> None:
    """Every version chains its first record, one line of digest and body, to its own number."""
    for version in range(1, _FORESEEN):
        if first[:_PREFIX] == _chain(_start(version).digest, first[_PREFIX:-1]).encode() + b" ":
            check_version(path, version, VERSION, VERSION)


def _create(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)


def _sync_directory(path: str) -> None:
    """The name of a new file is in its directory, and reaches the disk with that."""
    if os.name == "nt":  # directories cannot be opened there
        return
    directory = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
