"""A process that runs batches in children of its own and has them killed: ``python -m batch.killed``.

Reads one JSON object a line: the folders of a batch, and where its child dies. ``{"at": 7, "when": "half"}`` is in the
middle of the eighth call that changes a file, ``{"after": 0.01}`` so many seconds from its start, neither is not at
all. Answers how it ended (0, or the signal below zero) and, of a run that ended by itself, its calls.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute
import pyarrow.parquet  # noqa: F401

from margincore.batch import Plan, atomic
from margincore.cli import batch


class Points:
    """Calls that change a file, counted; at one of them the process dies."""

    def __init__(self, at: int, when: str) -> None:
        self.at, self.when = at, when
        self.calls: list[str] = []

    def call(self, name: str, do: Callable[..., Any], *args: Any, half: Callable[[], Any] = lambda: None) -> Any:
        self.calls.append(name)
        here = len(self.calls) - 1 == self.at
        if here and self.when == "half":
            half()
        if here and self.when != "after":
            os.kill(os.getpid(), signal.SIGKILL)
        done = do(*args)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def plant(self) -> None:
        """Put the counter in the way of the modules that write: in this process only, which ends soon."""
        points = self

        class File(io.BufferedWriter):
            def write(self, data: Any, /) -> int:
                def half() -> None:
                    io.BufferedWriter.write(self, bytes(data)[: len(data) // 2])
                    self.flush()

                written: int = points.call("write", super().write, data, half=half)
                return written

        class System:
            def __getattr__(self, name: str) -> Any:
                real = getattr(os, name)
                if name in ("fsync", "replace", "unlink"):
                    return lambda *args: points.call(name, real, *args)
                return real

        unlink = Path.unlink
        atomic.os = System()  # type: ignore[assignment]
        atomic.open = lambda name, mode: points.call("open", lambda: File(io.FileIO(name, mode)))  # type: ignore[attr-defined]
        Path.unlink = lambda path, missing_ok=False: points.call("unlink", unlink, path, missing_ok)  # type: ignore[method-assign]


def run(order: dict[str, Any]) -> dict[str, Any]:
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        os._exit(_child(order, told))
    os.close(told)
    if "after" in order:
        time.sleep(order["after"])
        os.kill(child, signal.SIGKILL)
    with os.fdopen(heard, "rb") as pipe:
        calls = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"ended": os.waitstatus_to_exitcode(status), "calls": json.loads(calls or b"[]")}


def _child(order: dict[str, Any], told: int) -> int:
    points = Points(order.get("at", -1), order.get("when", ""))
    try:
        sys.stdout = io.StringIO()
        points.plant()
        batch.batch(Path(order["plan"]), Path(order["in"]), Path(order["out"]), order["cluster_by"], 3, 1, True, None)
        os.write(told, json.dumps(points.calls).encode())
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        _ = Plan.load(order["plan"]).prepared
        print(json.dumps(run(order)), flush=True)


if __name__ == "__main__":
    main()
