"""Where tables and texts go: a terminal, or a pipe in which nothing is cut to a width nobody has."""

from __future__ import annotations

import os
import textwrap

from rich.console import Console

__all__ = ["said", "stdout"]

_WIDE = 1000


def stdout() -> Console:
    """Standard output; as wide as its tables are where it is neither a terminal nor given ``COLUMNS``."""
    console = Console()
    return console if console.is_terminal or os.environ.get("COLUMNS") else Console(width=_WIDE)


def said(console: Console, text: str) -> None:
    """A line of words as it is, what does not fit continued below, two columns to the right."""
    indent = len(text) - len(text.lstrip())
    for line in textwrap.wrap(
        text, console.width, subsequent_indent=" " * (indent + 2), break_long_words=False, break_on_hyphens=False
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
