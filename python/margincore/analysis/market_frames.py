"""A market from Series and frames: numbers by their index, curves by their dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from margincore import columns
from margincore._core import InvalidInput, Market

__all__ = ["market"]

_BY_NAME = ("spot", "forward", "dividend_yield", "borrow", "price", "vol", "fx")


def market(valuation: Any, *, rate: Any = None, **parts: Any) -> Market:
    """A :class:`margincore.Market` whose parts may be Series or frames of pandas, polars, pyarrow or DuckDB.

    `spot`, `dividend_yield`, `borrow`, `price`, `vol` and `fx`: a Series by symbol or contract id, or a frame of one
    column of names (or an index of them) and one of numbers; `forward`: with an index of (underlying, expiry). `rate`:
    a Series by currency, or a frame with dates as its index or in a column ``date`` and a column per currency, or a
    mapping of currency to number, curve or Series by date. All else, and units, are those of
    :class:`margincore.Market`. Names that are there twice, and cells that are absent or no numbers, raise
    :class:`margincore.InvalidInput` with part, column and row.

    >>> import pandas as pd
    >>> curve = pd.DataFrame({"USD": [0.05, 0.04]}, index=pd.to_datetime(["2026-12-18", "2027-12-17"]))
    >>> made = market("2026-11-20T16:00:00-05:00", spot=pd.Series({"XYZ": 50.0}), rate=curve)
    >>> made.spot["XYZ"], [node for node in made.to_dict()["rate"]["USD"].items()]
    (50.0, [('2026-12-18', 0.05), ('2027-12-17', 0.04)])
    """
    given = dict(parts)
    for name in _BY_NAME:
        if columns.is_frame(given.get(name)) or (columns.is_column(given.get(name)) and "contracts" not in given):
            given[name] = columns.by_name(name, given[name])
    if rate is not None:
        given["rate"] = _rates(rate)
    return Market(valuation, **given)


def _rates(rate: Any) -> Any:
    if columns.is_column(rate):
        return columns.by_name("rate", rate)
    if columns.is_frame(rate):
        found, dates = columns.dated("rate", rate)
        if dates is None:
            raise InvalidInput(
                "rate: a frame of rates has dates as its index or in a column 'date', and a column per currency",
                code="not_stated",
                where="rate",
            )
        return {
            currency: _curve(f"rate: {currency}", dates, columns.numbers(f"rate: {currency}", column).tolist())
            for currency, column in found.items()
        }
    if isinstance(rate, Mapping):
        return {
            currency: columns.by_day(f"rate: {currency}", curve) if columns.is_column(curve) else curve
            for currency, curve in rate.items()
        }
    return rate


def _curve(what: str, dates: list[str], rates: list[float]) -> dict[str, float]:
    curve: dict[str, float] = {}
    for row, (date, rate) in enumerate(zip(dates, rates, strict=True)):
        if date in curve:
            columns.refuse(f"{what}: date", date, "it is there twice", row, "duplicate")
        curve[date] = rate
    return curve
