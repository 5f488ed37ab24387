"""The table of standard futures and options on them: what exchanges' contract specifications say, with their dates."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["exchange_of", "future_row", "option_roots", "option_row", "rows"]


@cache
def _table() -> dict[str, Any]:
    path = files("margincore.symbols").joinpath("futures.json")
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


def rows() -> list[dict[str, Any]]:
    """The rows of futures, each with its source; new dictionaries.

    >>> next(row["multiplier"] for row in rows() if row["root"] == "ES")
    50
    """
    return [dict(row) for row in _table()["futures"]]


def future_row(root: str, vocabulary: str = "root") -> dict[str, Any] | None:
    """The row of a future by its root in a vocabulary: ``root`` (Globex's or Eurex's own), ``bloomberg``, ``clearing``."""
    found = [row for row in _table()["futures"] if row.get(vocabulary) == root]
    return found[0] if len(found) == 1 else None


def option_row(root: str) -> dict[str, Any] | None:
    """The row of an option on a future by its Globex root."""
    return next((row for row in _table()["options"] if root in row["roots"]), None)


def option_roots() -> list[str]:
    """The Globex roots of options that the table knows."""
    return sorted(root for row in _table()["options"] for root in row["roots"])


def exchange_of(root: str) -> str | None:
    """The exchange of a future's root, where the table has it."""
    row = future_row(root)
    return None if row is None else str(row["exchange"])
