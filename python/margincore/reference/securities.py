"""What a security is, read from the rows of a table of securities, for the slow engines.

A row is a plain mapping with the keys of a securities table: ``symbol``, ``kind``, ``tracks``, ``leverage``, ``class``,
``class_group``, ``portfolio_margin``, ``from``, ``to``. The dates are texts, ``yyyy-mm-dd``, which order as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

HIGH_CAPITALISATION = frozenset({"SPX", "OEX", "DJX"})
"""Broad-based indexes that move by -8 and +6 % under customer portfolio margin; other broad ones by 10 % either way."""


def on_date(rows: Sequence[Row], symbol: str, date: str) -> Row | None:
    """The row that says what a symbol is on a date, futures left out; none where no row does.

    >>> rows = [{"symbol": "A", "kind": "etf", "to": "2020-03-31", "leverage": 3.0},
    ...         {"symbol": "A", "kind": "etf", "from": "2020-04-01", "leverage": 2.0}]
    >>> on_date(rows, "A", "2020-03-31")["leverage"], on_date(rows, "A", "2021-01-01")["leverage"]
    (3.0, 2.0)
    """
    for row in rows:
        begins, ends = row.get("from") or "", row.get("to") or "9999"
        if row["symbol"] == symbol and row["kind"] != "future" and begins <= date <= ends:
            return row
    return None


def tims_terms(row: Row) -> tuple[str, float]:
    """The class group and the Market Move Adjustment Factor: what nets in full, and by which multiple.

    >>> tims_terms({"symbol": "TZA", "tracks": "RUT", "leverage": -3.0})
    ('RUT', -3.0)
    """
    group = row.get("class_group") or row.get("tracks") or row["symbol"]
    return str(group), float(row.get("leverage") or 1.0)


def tims_range(row: Row) -> tuple[float, float] | None:
    """The range (down, up) of what a security follows; none where no public text gives one.

    >>> tims_range({"symbol": "TZA", "kind": "etf", "tracks": "RUT", "class": "broad"})
    (-0.1, 0.1)
    """
    kind, name = row.get("class"), tims_terms(row)[0]
    if kind == "broad":
        return (-0.08, 0.06) if name in HIGH_CAPITALISATION else (-0.10, 0.10)
    if kind in ("equity", "narrow", "commodity") or (kind is None and row["kind"] in ("stock", "adr")):
        return (-0.15, 0.15)
    return None


def tims_loss(row: Row, long: bool) -> float | None:
    """The largest loss of a share held alone, as a fraction of its price.

    >>> spxs = {"symbol": "SPXS", "kind": "etf", "tracks": "SPX", "class": "broad", "leverage": -3.0}
    >>> round(tims_loss(spxs, long=True), 4)
    0.18
    """
    found = tims_range(row)
    if found is None:
        return None
    moves = [tims_terms(row)[1] * move for move in found]
    return max(-move if long else move for move in moves)


def reg_t_size(row: Row) -> float:
    """The size of the leverage, which multiplies the percentages of Reg T (FINRA Regulatory Notice 09-53)."""
    return abs(float(row.get("leverage") or 1.0))
