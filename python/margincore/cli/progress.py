"""Work that takes a while shows that it goes on, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

__all__ = ["working"]


AFTER = 0.7
"""Seconds until it shows: what is quicker than that shows nothing."""


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner with the time on standard error while something is done; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=True, redirect_stdout=False) as progress:
        progress.add_task(what, total=None)

        def show() -> None:
            progress.disable = False
            progress.start()

        timer = Timer(AFTER, show)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
