"""Where tables and texts go: a terminal, or a pipe in which nothing is cut to a width nobody has."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["columns", "said", "stdout", "titled", "wrapped"]

_PIPE = 10_000
"""Columns where nobody has any: tables are as wide as what they hold, and words stay in one line."""


def columns() -> int | None:
    """The width that standard output has: ``COLUMNS`` where it is a number above zero, else the terminal's; ``None``
    in a pipe or a file."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isascii() and stated.isdigit() and int(stated) > 0:
        return int(stated)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def stdout() -> Console:
    """Standard output, as wide as :func:`columns` says, and as what it holds where that says nothing."""
    if sys.stdout.isatty():
        return Console()  # follows a terminal whose window is resized
    # With a height, or Rich takes 80 columns where FORCE_COLOR makes a pipe a terminal and TERM says that it is dumb.
    return Console(width=columns() or _PIPE, height=shutil.get_terminal_size().lines)


def titled(console: Console, title: str, table: Table) -> None:
    """A table below its title; Rich's own titles are wrapped to the width of their table."""
    for line in wrapped(title, "", width=console.width):
        console.print(Text(line, style="italic"), highlight=False)
    console.print(table)


def said(console: Console, text: str) -> None:
    """A line of words as it is, what does not fit continued below, two columns to the right."""
    indent = len(text) - len(text.lstrip())
    for line in wrapped(text, " " * (indent + 2), width=console.width):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def wrapped(text: str, below: str, *, first: str = "", width: int | None = None) -> list[str]:
    """Words as lines of `width` columns (:func:`columns` where it is left out), no word broken.

    `first` stands before the first line, `below` before those that follow.
    """
    return textwrap.wrap(
        text, width or columns() or _PIPE, initial_indent=first, subsequent_indent=below, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
