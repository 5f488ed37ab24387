"""Processes that die in the middle: workers by their own hand, drivers by that of the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import margincore as mc


def die_once(flag: Path | str) -> None:
    """Ends this process as the kernel's memory killer would, if no other has died by this flag."""
    try:
        os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


class DyingMap:
    """A `map_arrow` of which one worker dies once it has given its third batch."""

    def __init__(self, plan: mc.batch.Plan, flag: Path) -> None:
        self.map, self.flag = mc.batch.map_arrow(plan), str(flag)

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        for number, batch in enumerate(self.map(batches)):
            yield batch
            if number == 2:
                die_once(self.flag)


def slow_part(path: str, out: str, plan: mc.batch.Plan) -> mc.batch.Part:
    """A part, and time to be killed in."""
    made = mc.batch.part(path, out, plan)
    time.sleep(0.3)
    return made


def dying_part(path: str, out: str, plan: mc.batch.Plan) -> mc.batch.Part:
    """A part whose worker dies, once for all parts, when it is written and nobody knows yet."""
    made = mc.batch.part(path, out, plan)
    die_once(Path(out).with_suffix(".died"))
    return made


def with_batch(**names: Any) -> SimpleNamespace:
    """What a page imports as `mc`, with other functions under some names of `mc.batch`."""
    return SimpleNamespace(batch=SimpleNamespace(**{**vars(mc.batch), **names}))


def killed(job: list[str], when: Callable[[], bool]) -> None:
    """Runs ``python -m engines.JOB`` in a session of its own and kills all of that as soon as `when` says so."""
    process = subprocess.Popen(
        [sys.executable, "-m", *job], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    end = time.monotonic() + 600
    try:
        while not when():
            assert process.poll() is None, process.communicate()[0].decode()
            assert time.monotonic() < end, f"{job} is not there yet"
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
