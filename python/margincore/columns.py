"""Columns of whatever library: Series and frames of pandas and polars, Arrow tables, DuckDB relations, taken or refused
by name and row.

Nothing here imports such a library: what a value offers says what it is. Numbers become ``float64`` arrays, text a list
of strings, dates ISO text.
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from margincore._core import InvalidInput

__all__ = [
    "aligned", "by_day", "by_name", "cells", "dated", "days", "is_column", "is_frame", "keeps_series", "numbers",
    "refuse", "table",
]  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")

_PLAIN = (float, int, np.ndarray, np.generic, str, list, tuple, type(None))
_LISTS = ("to_list", "tolist", "to_pylist")
"""How a column gives its values as Python's own: polars; pandas; pyarrow."""


def is_column(value: object) -> bool:
    """Whether it is a Series or an Arrow array: one column, and no NumPy array or list.

    >>> is_column([1.0]), is_column(np.array([1.0]))
    (False, False)
    """
    if isinstance(value, (*_PLAIN, Mapping)) or is_frame(value):
        return False
    return any(hasattr(value, name) for name in _LISTS) and hasattr(value, "__len__")


def is_frame(value: object) -> bool:
    """Whether it has columns by name: a DataFrame, an Arrow table, a DuckDB relation.

    >>> is_frame({"XYZ": [1.0]}), is_frame(np.eye(2))
    (False, False)
    """
    if isinstance(value, (*_PLAIN, Mapping)):
        return False
    if hasattr(value, "collect_schema") and hasattr(value, "lazy"):  # polars: columns of a plan take work
        return True
    return hasattr(value, "column_names") or (hasattr(value, "columns") and not inspect.isclass(value))


def refuse(what: str, value: object, needed: str, row: object = None, code: str = "wrong_type") -> NoReturn:
    """The refusal of a cell, with its column and row."""
    place = what if row is None else f"{what}: row {row}"
    raise InvalidInput(f"{place} is {value!r}: {needed}", code=code, where=place, value=value)


def cells(what: str, column: Any) -> list[Any]:
    """The values of a column as Python's own, ``None`` for what is absent.

    >>> cells("right", np.array(["call", "put"]))
    ['call', 'put']
    """
    for name in _LISTS:
        if hasattr(column, name):
            return [None if _absent(cell) else cell for cell in getattr(column, name)()]
    if isinstance(column, Iterable) and not isinstance(column, str | bytes | Mapping):
        return [None if _absent(cell) else cell for cell in column]
    raise InvalidInput(f"{what}: a column is needed, not {type(column).__name__}", code="wrong_type", where=what)


def _absent(cell: object) -> bool:
    """None, NaN, NaT, and pandas' NA, which is not equal to itself and has no truth."""
    if cell is None:
        return True
    try:
        return bool(cell != cell)
    except (TypeError, ValueError):
        return True


def numbers(what: str, column: Any) -> NDArray[np.float64]:
    """A column of numbers: floats, whole numbers, nullable ones, decimals. Text, flags, dates and absent values raise
    :class:`margincore.InvalidInput` with their row, counted from 0.

    >>> numbers("strike", [95, 100.0])
    array([ 95., 100.])
    """
    plain = _plain(column)
    if plain.dtype.kind in "fiu" and plain.ndim == 1 and np.isfinite(plain).all():
        return plain.astype(np.float64)
    found = cells(what, column)
    for row, cell in enumerate(found):
        if cell is None:
            refuse(what, cell, "a number is needed: leave out rows that have none", row, "not_stated")
        # A decimal is no Real; it is a number all the same.
        if isinstance(cell, bool | np.bool_) or not (isinstance(cell, Real) or hasattr(cell, "as_tuple")):
            refuse(what, cell, "a number is needed", row)
    return np.array([float(cell) for cell in found], np.float64)


def _plain(column: Any) -> NDArray[Any]:
    """A column as NumPy has it; Arrow's without its promise that nothing is copied."""
    if hasattr(column, "to_pylist"):
        column = column.to_numpy(zero_copy_only=False)
    return np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)


def days(what: str, column: Any) -> list[str]:
    """ISO dates of a column or index of dates, times (their own day) or ISO text.

    >>> days("dates", np.array(["2026-01-02", "2026-01-05"], "datetime64[D]"))
    ['2026-01-02', '2026-01-05']
    """
    return [_day(what, cell, row) for row, cell in enumerate(cells(what, column))]


def _day(what: str, cell: object, row: int) -> str:
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, np.datetime64):
        return str(cell.astype("datetime64[D]"))
    if isinstance(cell, str):
        try:
            return dt.date.fromisoformat(cell).isoformat()
        except ValueError:
            pass
    refuse(what, cell, "a date is needed, 2026-01-02", row, "bad_time")


def table(what: str, frame: Any) -> tuple[dict[str, Any], Any]:
    """The columns of a frame by name, and its index where it has one that says more than the row's number.

    >>> import pandas as pd
    >>> columns, index = table("history", pd.DataFrame({"SPX": [1.0, 2.0]}, index=["2026-01-02", "2026-01-05"]))
    >>> list(columns), list(index)
    (['SPX'], ['2026-01-02', '2026-01-05'])
    """
    if hasattr(frame, "collect") and not hasattr(frame, "to_dict"):  # a lazy frame is a plan, not a table
        refuse(what, type(frame).__name__, "collect() it first")
    names = list(getattr(frame, "column_names", None) or frame.columns)
    for place, name in enumerate(names):
        if not isinstance(name, str):
            refuse(f"{what}: name of column {place}", name, "text is needed")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        refuse(f"{what}: column", twice, "two columns have this name", code="duplicate")
    if hasattr(frame, "fetchall"):  # DuckDB: a query, run once
        rows = frame.fetchall()
        return {name: [row[i] for row in rows] for i, name in enumerate(names)}, None
    index = getattr(frame, "index", None)
    if index is None or callable(index) or _is_count(index):
        index = None
    return {name: frame[name] for name in names}, index


def _is_count(index: Any) -> bool:
    """Whether an index is the number of the row: pandas' own where none was given."""
    return hasattr(index, "start") and hasattr(index, "step")


def dated(what: str, frame: Any) -> tuple[dict[str, Any], list[str] | None]:
    """The columns of a frame, and the dates of its rows: its index, or its column ``date``; none where it has neither.

    >>> import pandas as pd
    >>> dated("history", pd.DataFrame({"date": ["2026-01-02", "2026-01-05"], "SPX": [1.0, 2.0]}))[1]
    ['2026-01-02', '2026-01-05']
    """
    columns, index = table(what, frame)
    named = [name for name in columns if name.lower() == "date"]
    if index is not None:
        if named:
            refuse(f"{what}: column", named[0], "the index has the dates already: leave one out", code="contradiction")
        return columns, days(f"{what}: index", index)
    if not named:
        return columns, None
    return {k: v for k, v in columns.items() if k != named[0]}, days(f"{what}: {named[0]}", columns[named[0]])


def aligned(what: str, columns: Mapping[str, Any]) -> tuple[dict[str, Any], list[str] | None]:
    """Columns with any Series among them as arrays, and the dates of the index that all Series share.

    Indexes that differ raise :class:`margincore.InvalidInput`: by row the numbers would be of different days.

    >>> import pandas as pd
    >>> aligned("history", {"SPX": pd.Series([1.0], index=pd.to_datetime(["2026-01-02"]))})
    ({'SPX': array([1.])}, ['2026-01-02'])
    """
    indexed = {name: c for name, c in columns.items() if hasattr(getattr(c, "index", None), "equals")}
    found: dict[str, Any] = {
        name: numbers(f"{what}: factor '{name}'", c) if is_column(c) else c for name, c in columns.items()
    }
    if not indexed:
        return found, None
    first_name, first = next(iter(indexed.items()))
    _one_index({f"{what}: factor '{name}'": c for name, c in indexed.items()})
    dates = getattr(first.index, "dtype", None)
    is_dates = getattr(dates, "kind", "") == "M"
    return found, days(f"{what}: factor '{first_name}': index", first.index) if is_dates else None


def _one_index(indexed: Mapping[str, Any]) -> None:
    first_name, first = next(iter(indexed.items()))
    for name, other in indexed.items():
        if not first.index.equals(other.index):
            raise InvalidInput(
                f"{first_name} and {name} have different indexes: row by row they are of different things: reindex one",
                code="contradiction",
                where=name,
            )


def by_name(what: str, given: Any) -> dict[Any, float]:
    """Numbers by name: a Series by its index, or a frame of one column of names (or an index) and one of numbers.

    >>> import pandas as pd
    >>> by_name("spot", pd.Series({"XYZ": 50.0, "SPX": 4500.0}))
    {'XYZ': 50.0, 'SPX': 4500.0}
    """
    if is_frame(given):
        columns, index = table(what, given)
        keys = index
        if keys is None and columns:
            first = next(iter(columns))
            keys = columns.pop(first)
        if len(columns) != 1:
            refuse(what, list(columns), "one column of numbers is needed, by an index or beside a column of names")
        ((name, column),) = columns.items()
        return _paired(f"{what}: {name}", cells(f"{what}: names", keys), column)
    index = getattr(given, "index", None)
    if index is None or callable(index) or _is_count(index):
        refuse(what, type(given).__name__, "numbers by name are needed: a Series with an index, a mapping or a frame")
    return _paired(what, cells(f"{what}: index", index), given)


def _paired(what: str, keys: Sequence[Any], column: Any) -> dict[Any, float]:
    found: dict[Any, float] = {}
    for row, (key, number) in enumerate(zip(keys, numbers(what, column).tolist(), strict=True)):
        if not isinstance(key, str | tuple):
            refuse(f"{what}: name", key, "text is needed", row)
        if key in found:
            refuse(f"{what}: name", key, "it is there twice", row, "duplicate")
        found[key] = number
    return found


def by_day(what: str, given: Any) -> dict[str, float]:
    """Numbers by date: a Series whose index is dates.

    >>> import pandas as pd
    >>> by_day("rate: USD", pd.Series([0.05, 0.04], index=pd.to_datetime(["2026-12-18", "2027-12-17"])))
    {'2026-12-18': 0.05, '2027-12-17': 0.04}
    """
    index = getattr(given, "index", None)
    if index is None or callable(index) or _is_count(index):
        refuse(what, type(given).__name__, "a Series with dates as its index, a mapping or a number is needed")
    return _paired(what, days(f"{what}: index", index), given)


def keeps_series(function: Callable[P, R]) -> Callable[P, R]:
    """A function of columns that takes Series as well, and then gives Series: with the index of those given.

    Series whose indexes differ are refused: by row they would be of different things.
    """
    names = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def wrapped(*args: P.args, **keywords: P.kwargs) -> R:
        if all(isinstance(a, _PLAIN) for a in args) and (
            not keywords or all(isinstance(a, _PLAIN) for a in keywords.values())
        ):
            return function(*args, **keywords)
        given: dict[str, Any] = {}

        def plain(name: str, value: Any) -> Any:
            if not is_column(value):
                return value
            given[name] = value
            return _array(name, value)

        flat = [plain(name, value) for name, value in zip(names, args, strict=False)]
        named = {name: plain(name, value) for name, value in keywords.items()}
        result: Any = cast("Callable[..., Any]", function)(*flat, **named)
        if not given or keywords.get("out") is not None:
            return cast("R", result)
        return cast("R", _as_series(function.__name__, result, given))

    return wrapped


def _array(what: str, column: Any) -> NDArray[Any]:
    """What a pricing function takes for a column: numbers, or words as they are."""
    found = _plain(column)
    if found.dtype.kind in "fiu":
        return found  # an absent one is NaN, which is refused with its row
    words = cells(what, column)
    return np.array(words, object) if any(isinstance(cell, str) for cell in words) else numbers(what, column)


def _as_series(name: str, result: Any, given: dict[str, Any]) -> Any:
    indexed = {key: column for key, column in given.items() if hasattr(getattr(column, "index", None), "equals")}
    first = next(iter((indexed or given).values()))
    if indexed:
        _one_index(indexed)

    def series(name: str, values: Any) -> Any:
        if not isinstance(values, np.ndarray) or values.shape != (len(first),):
            return values
        if indexed:
            return type(first)(values, index=first.index, name=name)
        return type(first)(name, values) if hasattr(first, "to_list") else values

    if isinstance(result, tuple):
        fields: Sequence[str] = getattr(result, "_fields", (name, "status"))
        made = [series(field, values) for field, values in zip(fields, result, strict=True)]
        return type(result)(*made) if hasattr(result, "_fields") else tuple(made)
    return series(name, result)
