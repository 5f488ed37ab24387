"""A file layer under the journal that counts its calls and lets a test break any one of them."""

from __future__ import annotations

import builtins
import errno
import os
import signal
import stat
from collections.abc import Callable
from typing import Any

import pytest

from margincore.monitoring import journal

Fault = Callable[..., Any]
"""What happens in place of one call: gets the call's name, the call itself, and its arguments."""


class Disk:
    """The journal's calls in their order, by name; the one of index `at` is `fault`'s."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int = -1, fault: Fault | None = None) -> None:
        self.calls: list[str] = []
        self.at, self.fault = at, fault
        monkeypatch.setattr(journal, "open", self._open, raising=False)
        monkeypatch.setattr(journal, "os", _System(self))

    def call(self, name: str, do: Callable[..., Any], *args: Any) -> Any:
        self.calls.append(name)
        if self.fault is not None and len(self.calls) - 1 == self.at:
            return self.fault(name, do, *args)
        return do(*args)

    def _open(self, path: str, mode: str, **options: Any) -> Any:
        file = builtins.open(path, mode, **options)  # noqa: SIM115  (the journal closes it)
        return file if mode == "rb" else _File(file, self)


class _File:
    """The file a journal writes to."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self.file, self.disk = file, disk

    def write(self, data: bytes) -> Any:
        return self.disk.call("write", self.file.write, data)

    def truncate(self) -> Any:
        return self.disk.call("truncate", self.file.truncate)

    def seek(self, at: int) -> Any:
        return self.disk.call("seek", self.file.seek, at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


class _System:
    """The module `os` as a journal sees it."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk

    def open(self, path: str, *rest: int) -> Any:
        return self.disk.call("open", os.open, path, *rest)

    def fsync(self, fd: int) -> Any:
        name = "fsync directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else "fsync"
        return self.disk.call(name, os.fsync, fd)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def refused(error: type[BaseException]) -> Fault:
    """The call is not made."""

    def fault(name: str, do: Callable[..., Any], *args: Any) -> Any:
        raise error(errno.EIO, "injected")

    return fault


def late(error: type[BaseException]) -> Fault:
    """The call is made, and the error comes before anything is done with its answer."""

    def fault(name: str, do: Callable[..., Any], *args: Any) -> Any:
        if name != "open":  # nobody could close it
            do(*args)
        raise error(errno.EIO, "injected")

    return fault


def short(name: str, do: Callable[..., Any], *args: Any) -> Any:
    """A write that takes half and says so; any other call fails."""
    if name != "write" or not args[0]:
        raise OSError(errno.EIO, "injected")
    return do(args[0][: len(args[0]) // 2])


FAULTS: dict[str, tuple[Fault, type[BaseException]]] = {
    "an error": (refused(OSError), OSError),
    "an error afterwards": (late(OSError), OSError),
    "an interrupt": (refused(KeyboardInterrupt), KeyboardInterrupt),
    "an interrupt afterwards": (late(KeyboardInterrupt), KeyboardInterrupt),
    "no memory": (late(MemoryError), MemoryError),
    "half a write": (short, OSError),
}


def killed(name: str, do: Callable[..., Any], *args: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_after(name: str, do: Callable[..., Any], *args: Any) -> Any:
    do(*args)
    killed(name, do)


def killed_within(name: str, do: Callable[..., Any], *args: Any) -> Any:
    if name == "write":
        do(args[0][: len(args[0]) * 2 // 3])
    killed(name, do)


DEATHS: list[Fault] = [killed, killed_after, killed_within]
"""The process dies in place of the call, right after it, or with two thirds of what it wrote."""
