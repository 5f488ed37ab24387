"""The table of standard futures and options: what exchanges' contract specifications say, with their sources.

The table is ``futures.json`` beside this file. Nothing is derived from a name: a root that is not in it is refused by
those who need its terms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from margincore.calendars import BusinessDays

__all__ = ["business_days", "future_row", "index_option_row", "option_row", "roots", "rows"]


@cache
def _table() -> Mapping[str, Any]:
    text = files("margincore.symbols").joinpath("futures.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def rows() -> list[dict[str, Any]]:
    """The rows of futures, each with its source; a new list.

    >>> next(row["multiplier"] for row in rows() if row["root"] == "ES")
    50
    """
    return [dict(row) for row in _table()["futures"]]


def future_row(root: str, vocabulary: str = "root", market_sector: str | None = None) -> Mapping[str, Any] | None:
    """The row of a future by its root in a vocabulary: ``root`` (the exchange's own), ``clearing`` or ``bloomberg``.

    Bloomberg's roots mean something together with their market sector only: ``ES Comdty`` is no E-mini.

    >>> future_row("TY", "bloomberg", "Comdty")["root"], future_row("ES", "bloomberg", "Comdty")
    ('ZN', None)
    """
    found = [
        row
        for row in _table()["futures"]
        if row.get(vocabulary) == root and (vocabulary != "bloomberg" or row["market_sector"] == market_sector)
    ]
    return found[0] if len(found) == 1 else None


def option_row(root: str) -> Mapping[str, Any] | None:
    """The row of options on a future by their Globex root."""
    return next((row for row in _table()["options"] if root in row["roots"]), None)


def index_option_row(root: str) -> Mapping[str, Any] | None:
    """The row of Eurex's options on an index by their product code."""
    return next((row for row in _table()["index_options"] if row["root"] == root), None)


def roots(kind: str) -> list[str]:
    """The roots that the table knows, of ``futures``, ``options`` (on futures) or ``index_options``.

    >>> roots("index_options")
    ['ODAX']
    """
    found = _table()[kind]
    return sorted(root for row in found for root in row.get("roots", [row.get("root")]))


@cache
def business_days(exchange: str) -> BusinessDays:
    """The business days of an exchange: those of CME Group are one calendar.

    >>> business_days("COMEX").name, business_days("EUREX").is_business("2026-04-06")
    ('CME', False)
    """
    name = "EUREX" if exchange == "EUREX" else "CME"
    return BusinessDays(**_table()["calendars"][name])
