"""What is prepared once per process, whoever asks for it, from however many threads.

No lock is held while anything is made, and none that another thread may hold is waited for in a child of a fork: an
entry that another process was making when it forked is not waited for, one that was made is used.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from margincore._core import Prepared

__all__ = ["KEPT", "once"]

KEPT = 4
"""So many rulebooks, the latest, stay prepared in a process whose plans are gone: tasks come with a plan each."""


class _Entry:
    __slots__ = ("finished", "prepared", "process")

    def __init__(self) -> None:
        self.process = os.getpid()
        self.finished = threading.Event()
        self.prepared: Prepared | None = None


_entries: dict[str, _Entry] = {}


def once(digest: str, make: Callable[[], Prepared]) -> Prepared:
    """What `make` made for this digest, the first time it was asked for in this process.

    Threads that ask meanwhile wait for it. Where `make` raises, it raises for who called it, and another tries again.
    """
    while True:
        mine = _Entry()
        entry = _entries.setdefault(digest, mine)
        if entry is mine:
            return _make(digest, mine, make)
        if entry.prepared is None and entry.process == os.getpid():
            entry.finished.wait()
        if entry.prepared is not None:
            return entry.prepared
        _forget(digest, entry)


def _make(digest: str, entry: _Entry, make: Callable[[], Prepared]) -> Prepared:
    try:
        entry.prepared = made = make()
    except BaseException:
        _forget(digest, entry)
        raise
    finally:
        entry.finished.set()
    finished = [key for key, other in list(_entries.items()) if other.prepared is not None]
    for key in finished[:-KEPT]:
        _entries.pop(key, None)
    return made


def _forget(digest: str, entry: _Entry) -> None:
    # Between the two another thread may have put its own: then that one is made twice, to the same bits.
    if _entries.get(digest) is entry:
        _entries.pop(digest, None)
