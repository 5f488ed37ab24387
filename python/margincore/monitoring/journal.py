"""An append-only, checksummed journal: what survives a crash."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

from margincore._core import ParseError

__all__ = ["Journal"]

_START = b"margincore journal 1"


class Journal:
    """Records in a file, each chained to those before it by SHA-256.

    A record is one line: its digest, then JSON. The digest covers the digest before it and the JSON, so that nothing
    can be changed, left out or put in. A last record cut short by a crash is taken away when the file is opened
    again; damage anywhere else raises :class:`margincore.ParseError` with the byte offset. With `sync`, a record is on
    disk when :meth:`append` returns. A journal has one writer.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.journal"
    >>> with Journal(path) as journal:
    ...     journal.append({"n": 1})
    >>> with Journal(path) as journal:
    ...     list(journal.records)
    [{'n': 1}]
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = True) -> None:
        self._path = os.fspath(path)
        self._file = open(path, "a+b", buffering=0)  # noqa: SIM115  (closed by close)
        self._sync = sync
        self._digest = hashlib.sha256(_START).hexdigest()
        try:
            self._lock()
            good = 0
            for _, digest, offset in _read(self._path):
                self._digest, good = digest, offset
            self._file.truncate(good)
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # a system without it: one writer is then the caller's promise
            return
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def records(self) -> Iterator[dict[str, Any]]:
        """Every record from the first, read and checked anew."""
        for body, _, _ in _read(self._path):
            yield json.loads(body)

    def append(self, record: dict[str, Any]) -> None:
        """Write one record: a single write, then, with `sync`, to disk. Numbers have to be finite."""
        body = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
        digest = _chain(self._digest, body)
        line = digest.encode() + b" " + body + b"\n"
        written = self._file.write(line)
        if written != len(line):
            raise OSError(f"journal: {written} of {len(line)} bytes written")
        if self._sync:
            os.fsync(self._file.fileno())
        self._digest = digest

    @property
    def digest(self) -> str:
        """The digest of everything written so far, in hexadecimal."""
        return self._digest

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _chain(digest: str, body: bytes) -> str:
    return hashlib.sha256(digest.encode() + body).hexdigest()


def _read(path: str) -> Iterator[tuple[bytes, str, int]]:
    """Each record's JSON, the digest after it, and the offset behind it. Stops before a last record cut short."""
    digest = hashlib.sha256(_START).hexdigest()
    offset = 0
    with open(path, "rb") as file:
        for line in file:
            body = line[65:-1]
            expected = _chain(digest, body)
            if not line.endswith(b"\n"):
                return  # only what was being written when the process died is without its end
            if line[:65] != expected.encode() + b" ":
                raise ParseError(f"{path}: byte {offset}: the record does not follow from those before it")
            digest = expected
            offset += len(line)
            yield body, digest, offset
