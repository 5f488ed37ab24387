"""``-`` where a file is taken is standard input."""

from __future__ import annotations

import atexit
import gzip
import os
import sys
import tempfile
from pathlib import Path

import typer

__all__ = ["NAME", "from_stdin", "is_stdin", "named_in", "spooled"]

NAME = "standard input"
_GZIP = b"\x1f\x8b"
_kept: list[Path] = []


def from_stdin(context: typer.Context, path: Path | None) -> Path | None:
    """The callback of an option that takes a file: :func:`spooled`, and nothing while a shell completes."""
    return path if context.resilient_parsing or path is None else spooled(path)


def spooled(path: Path) -> Path:
    """A path as it is; for ``-`` that of a file with what standard input has, removed when the process ends.

    Readers look at a file more than once and go by its ending: JSON is told from tables by its first character. What
    is printed says ``standard input`` (:func:`named_in`). It can be read once: a second ``-`` is refused.
    """
    if str(path) != "-":
        return path
    if _kept:
        raise typer.BadParameter("standard input is read already, by another '-': give a file")
    content = sys.stdin.buffer.read()
    start = gzip.decompress(content) if content[:2] == _GZIP else content
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    ending = (".json" if text[:1] in (b"{", b"[") else ".csv") + (".gz" if content[:2] == _GZIP else "")
    handle, name = tempfile.mkstemp(suffix=ending, prefix="margincore-stdin-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    kept = Path(name)
    _kept.append(kept)
    atexit.register(kept.unlink, missing_ok=True)
    return kept


def is_stdin(path: Path) -> bool:
    """Whether a path is that of standard input."""
    return str(path) == "-" or path in _kept


def named_in(text: str) -> str:
    """A message with standard input by its name."""
    for path in _kept:
        text = text.replace(str(path), NAME)
    return text
