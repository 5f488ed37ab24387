"""``-`` where a file is taken is standard input."""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import zlib
from pathlib import Path

import typer

__all__ = ["NAME", "each_from_stdin", "from_stdin", "is_stdin", "named_in"]

NAME = "standard input"
_GZIP = b"\x1f\x8b"
_kept: list[Path] = []
"""The file of the command that is running."""


def from_stdin(context: typer.Context, path: Path | None) -> Path | None:
    """The callback of an option that takes a file.

    A path stays as it is; ``-`` becomes that of a file with what standard input has, removed when the command ends:
    readers look at a file more than once and go by its ending. JSON is told from tables by its first character. What
    is printed says ``standard input`` (:func:`named_in`). It can be read once: a second ``-`` is refused.
    """
    if context.resilient_parsing or path is None or str(path) != "-":  # resilient: a shell completes
        return path
    if _kept:
        raise typer.BadParameter("standard input is read already, by another '-': give a file")
    content = sys.stdin.buffer.read()
    try:
        start = gzip.decompress(content) if content[:2] == _GZIP else content
    except (OSError, EOFError, zlib.error) as error:
        raise typer.BadParameter(f"standard input: {error}") from None
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    ending = (".json" if text[:1] in (b"{", b"[") else ".csv") + (".gz" if content[:2] == _GZIP else "")
    handle, name = tempfile.mkstemp(suffix=ending, prefix="margincore-stdin-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    kept = Path(name)
    _kept.append(kept)

    def removed() -> None:
        _kept.remove(kept)
        kept.unlink(missing_ok=True)

    context.call_on_close(removed)
    return kept


def each_from_stdin(context: typer.Context, paths: list[Path] | None) -> list[Path] | None:
    """:func:`from_stdin` for an option that is repeated."""
    found = [from_stdin(context, path) for path in paths or ()]
    return [path for path in found if path is not None]


def is_stdin(path: Path) -> bool:
    """Whether a path is that of standard input."""
    return path in _kept


def named_in(text: str) -> str:
    """A message with standard input by its name."""
    for path in _kept:
        text = text.replace(str(path), NAME)
    return text
