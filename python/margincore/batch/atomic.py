"""Files that are there whole or not at all, whatever is killed when."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # a system without it: what a kill leaves there is for people to remove
    fcntl = None  # type: ignore[assignment]

__all__ = ["remove_strays", "sync_folder", "written"]

_END = ".tmp"


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the name `path` when the block ends: on disk first, and then at once.

    It is written under a name of its own beside `path`, hidden and locked. Where the block raises it is removed;
    where the process is killed it stays behind until :func:`remove_strays`. Another that wrote the same meanwhile is
    replaced. An :class:`OSError` names `path`.
    """
    try:
        name, file = _create(path)
        try:
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                if fcntl is None:  # where no open file can be renamed
                    file.close()
                os.replace(name, path)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                os.unlink(name)
            raise
        sync_folder(path.parent)
    except OSError as error:
        if error.filename is None or str(error.filename).endswith(_END):
            error.filename, error.filename2 = str(path), None
        raise


def _create(path: Path) -> tuple[str, BinaryIO]:
    """A new file beside `path` that says, by its lock, that somebody is writing it."""
    while True:
        name = str(path.with_name(f".{path.name}.{secrets.token_hex(8)}{_END}"))
        file = open(name, "xb")  # noqa: SIM115  (closed by its caller)
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_nlink:
                return name, file
        except BlockingIOError:  # taken for a stray between the two calls
            pass
        except BaseException:
            file.close()
            raise
        file.close()


def remove_strays(folder: Path) -> int:
    """Remove what killed writers left in a folder, and nothing that is being written. How many there were.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / ".a.parquet.0123456789abcdef.tmp").touch()
    >>> remove_strays(folder), remove_strays(folder)
    (1, 0)
    """
    removed = 0
    if fcntl is None:
        return removed
    for path in sorted(folder.glob(f".*{_END}")):
        with suppress(FileNotFoundError, BlockingIOError), open(path, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            removed += 1
    return removed


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk: a renamed file is only then under its new name for good."""
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
