"""Results as tables: columns that pandas, polars and pyarrow take as they are, for one account or many. And a
market from such tables: :func:`market`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, singledispatch
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from margincore._core import Contract, InvalidInput, Line, MarginBatch, MarginReport, UnderlyingGreeks
from margincore._pickles import Record
from margincore.analysis.attribution import Attribution, Contribution
from margincore.analysis.compare import Comparison
from margincore.analysis.events.scan import ExpiryScan, ScanPoint
from margincore.analysis.events.what_if import Consequence
from margincore.analysis.intraday.day import Day, Excess, Step
from margincore.analysis.intraday.deficits import Standing
from margincore.analysis.intraday.many import Days
from margincore.analysis.market_frames import market
from margincore.analysis.path import MarginPath
from margincore.analysis.questions import Answers
from margincore.analysis.statements.calls import Call
from margincore.analysis.statements.cash import Interest
from margincore.analysis.statements.cures import Cure
from margincore.analysis.statements.groups import Group, Stress
from margincore.analysis.statements.money import Balance, Collateral, Holding
from margincore.analysis.statements.power import BuyingPower
from margincore.analysis.statements.restrictions import Restriction
from margincore.analysis.statements.sma import Entry
from margincore.analysis.statements.whole import Absent, Statement

__all__ = ["Column", "Frame", "market", "of"]

Column = list[Any] | NDArray[Any]
"""Numbers, flags and dates are arrays, NaN or NaT for what is absent; lists are text, and flags that may be absent."""
Frame = dict[str, Column]
"""Columns by name, all of one length, as ``pandas.DataFrame``, ``polars.DataFrame`` and ``pyarrow.table`` take them."""


def of(result: object) -> dict[str, Frame]:
    """The tables of a result, by name: each a dictionary of columns.

    Takes reports, batches, statements, comparisons, paths, attributions, answers, events and their scans, intraday days
    and their deficits (:meth:`margincore.intraday.Deficits.standing`), and any list of records of one kind (alerts,
    calls, early assignments), whose table is ``"rows"``. A mapping gives the tables of its results under one another,
    with its keys as the first column ``account``. Amounts, units and signs are those of the result; a table without
    rows has its columns. Raises :class:`margincore.InvalidInput` for anything else, and where the results of a mapping
    or a list are of several kinds.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> held = {name: mc.Account([mc.Position(stock, 240)], cash={"USD": cash})
    ...         for name, cash in (("a", -10_000.0), ("b", -2_000.0))}
    >>> pages = {name: mc.statement(account, market, mc.methods.RegT()) for name, account in held.items()}
    >>> tables = mc.frames.of(pages)
    >>> tables["statement"]["account"], tables["statement"]["equity"].tolist()
    (['a', 'b'], [2000.0, 10000.0])
    >>> tables["calls"]["account"], tables["calls"]["left"].tolist(), tables["calls"]["due_on"].astype(str).tolist()
    (['a'], [1000.0], ['2026-12-14'])
    """
    if isinstance(result, Mapping):
        return _stacked(result)
    return _tables(result)


def _stacked(results: Mapping[Any, object]) -> dict[str, Frame]:
    kinds = {type(result) for result in results.values()}
    if len(kinds) > 1:
        raise InvalidInput(
            f"frames: results of one kind are needed, not {' and '.join(sorted(kind.__name__ for kind in kinds))}",
            where="frames", code="wrong_type",
        )  # fmt: skip
    parts = [(str(name), _tables(result)) for name, result in results.items()]
    stacked: dict[str, Frame] = {}
    for table in dict.fromkeys(table for _, tables in parts for table in tables):
        own = [(name, tables[table]) for name, tables in parts if table in tables]
        columns = dict.fromkeys(column for _, frame in own for column in frame)
        out: Frame = {"account": [name for name, frame in own for _ in range(_length(frame))]}
        for column in columns:
            out[column] = _joined([frame.get(column, _absent(_length(frame))) for _, frame in own])
        stacked[table] = out
    return stacked


def _length(frame: Frame) -> int:
    return len(next(iter(frame.values()), ()))


def _absent(length: int) -> Column:
    return [None] * length


def _joined(columns: Sequence[Column]) -> Column:
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.concatenate(columns)
    return [value for column in columns for value in (column if isinstance(column, list) else column.tolist())]


# ---- rows of one kind


_LINE: dict[str, Any] = {
    "scope": str, "component": str, "initial": float, "maintenance": float, "currency": str, "fx": float,
    "scenario": str,
}  # fmt: skip
_GREEKS: dict[str, Any] = {
    "underlying": str, "currency": str, "delta": float, "gamma": float, "vega": float, "theta": float, "rho": float,
}  # fmt: skip
_WARNING: dict[str, Any] = {"code": str, "where": str, "value": object, "message": str, "source": str}


@cache
def _columns(kind: type) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
    """The columns of a record's class, each with its type and how it is read; properties stand behind the fields."""
    if kind is Line or kind is UnderlyingGreeks:
        types = _LINE if kind is Line else _GREEKS
        return {name: (type_, _reader(name)) for name, type_ in types.items()}
    hints = get_type_hints(kind)
    types = {field.name: hints[field.name] for field in fields(kind)}
    for base in reversed(kind.__mro__):
        for name, own in vars(base).items():
            if isinstance(own, property) and own.fget is not None and name != "cash_required":
                types[name] = get_type_hints(own.fget)["return"]
    found: dict[str, tuple[Any, Callable[[Any], Any]]] = {}
    for name, type_ in types.items():
        read = _reader(name)
        if isinstance(type_, type) and is_dataclass(type_):
            for part, (of, then) in _columns(type_).items():
                found[f"{name}_{part}"] = (of, _behind(read, then))
        elif _is_plain(type_):
            found[name] = (type_, read)
    return found


def _reader(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, name)


def _behind(first: Callable[[Any], Any], then: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda row: then(first(row))


def _kind(type_: Any) -> tuple[Any, bool]:
    """A type without `None`, and whether that was in it. Words are text."""
    if get_origin(type_) in (Union, UnionType):
        kinds = [own for own in get_args(type_) if own is not NoneType]
        return (kinds[0] if len(kinds) == 1 else object), NoneType in get_args(type_)
    return (str if get_origin(type_) is Literal else type_), False


def _is_plain(type_: Any) -> bool:
    return _kind(type_)[0] in (float, int, bool, str, dt.date, Contract)


def _column(type_: Any, values: list[Any]) -> Column:
    kind, may_lack = _kind(type_)
    if kind is float:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if kind is dt.date:
        return np.array(values, dtype="datetime64[D]")
    if kind is bool and not may_lack:
        return np.array(values, dtype=np.bool_)
    if kind is int and not may_lack:
        return np.array(values, dtype=np.int64)
    if kind is Contract:
        return [value.id for value in values]
    return values


def _table(kind: type, rows: Iterable[Any]) -> Frame:
    all_rows = list(rows)
    return {name: _column(type_, [read(row) for row in all_rows]) for name, (type_, read) in _columns(kind).items()}


def _of_dicts(types: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Frame:
    all_rows = list(rows)
    return {name: _column(type_, [row[name] for row in all_rows]) for name, type_ in types.items()}


# ---- results


@singledispatch
def _tables(result: object) -> dict[str, Frame]:
    raise InvalidInput(
        f"frames: a result of margincore is needed, or a mapping or list of them, not {type(result).__name__}",
        where="frames", code="wrong_type",
    )  # fmt: skip


@_tables.register(list)
@_tables.register(tuple)
def _records(result: Sequence[Any]) -> dict[str, Frame]:
    kinds = {type(row) for row in result}
    if not kinds:
        return {"rows": {}}
    [kind, *others] = kinds
    if others or not (issubclass(kind, Record) or kind in (Line, UnderlyingGreeks)):
        named = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise InvalidInput(
            f"frames: a list of records of one kind is needed, not of {named}", where="frames", code="wrong_type"
        )
    return {"rows": _table(kind, result)}


def _explained(report: MarginReport) -> dict[str, Frame]:
    return {
        "lines": _table(Line, report.lines),
        "greeks": _table(UnderlyingGreeks, report.greeks),
        "warnings": _of_dicts(_WARNING, report.warnings),
    }


def _head(report: MarginReport) -> dict[str, tuple[Any, Any]]:
    return {
        "methodology": (str, report.methodology),
        "parameters": (str, report.parameters["name"]),
        "version": (str, report.parameters["version"]),
        "valuation": (str, report.valuation),
        "currency": (str, report.currency),
        "initial": (float, report.initial),
        "maintenance": (float, report.maintenance),
        "cash_balance_required": (float, report.cash_balance_required),
    }


def _single(values: Mapping[str, tuple[Any, Any]]) -> Frame:
    return {name: _column(type_, [value]) for name, (type_, value) in values.items()}


@_tables.register
def _report(result: MarginReport) -> dict[str, Frame]:
    more = {"net_option_value": (float, result.net_option_value), "worst_scenario": (str, result.worst_scenario)}
    return {"requirement": _single(_head(result) | more), **_explained(result)}


@_tables.register
def _batch(result: MarginBatch) -> dict[str, Frame]:
    names = ["initial", "maintenance", "net_option_value", "worst_scenario"]
    if not np.isnan(result.pairing_gap).all():
        names.append("pairing_gap")
    return {"requirements": {name: getattr(result, name) for name in names}}


@_tables.register
def _statement(result: Statement) -> dict[str, Frame]:
    equity, minimum, portfolio = result.equity, result.minimum, result.portfolio
    head = _head(result.report) | {
        "date": (dt.date, result.date),
        "regime": (str, result.regime),
        # A futures account's initial requirement is the customers'.
        "initial": (float, result.initial),
        "cash_balance_required": (float, result.cash_balance_required),
        "equity": (float, None if equity is None else equity.total),
        "initial_excess": (float, result.initial_excess),
        "maintenance_excess": (float, result.maintenance_excess),
        "minimum_equity": (float, None if minimum is None else minimum.required),
        "sma": (float, result.sma),
        "withdrawable": (float, result.cash.withdrawable),
        "leverage": (float, None if portfolio is None else portfolio.leverage),
    }
    groups = () if portfolio is None else portfolio.groups
    page = result.rows()
    return {
        "statement": _single(head),
        "page": _of_dicts({"section": str, "item": str, "amount": float, "unit": str, "note": str}, page),
        "positions": _table(Holding, result.positions),
        "balances": _table(Balance, () if equity is None else equity.balances),
        "collateral": _table(Collateral, () if equity is None else equity.collateral),
        "buying_power": _table(BuyingPower, result.buying_power),
        "sma": _table(Entry, () if result.close is None else result.close.entries),
        "calls": _table(Call, result.calls),
        "cures": _table(Cure, result.cures),
        "interest": _table(Interest, result.interest),
        "groups": _table(Group, groups),
        "points": _points(groups),
        "stress": _table(Stress, () if portfolio is None else portfolio.stress),
        "restrictions": _table(Restriction, result.restrictions),
        "absent": _table(Absent, result.absent),
        **_explained(result.report),
    }


def _points(groups: Sequence[Group]) -> Frame:
    """Profit of every group at every point, one under the other."""
    rows = [(g.level, g.name, *at) for g in groups for at in zip(g.points, g.profit, strict=True)]
    types = (("level", str), ("name", str), ("point", str), ("profit", float))
    return {name: _column(type_, [row[i] for row in rows]) for i, (name, type_) in enumerate(types)}


@_tables.register
def _comparison(result: Comparison) -> dict[str, Frame]:
    reports = {o.label: o.report for o in result.outcomes if o.report is not None}
    outcomes: dict[str, tuple[Any, list[Any]]] = {
        "label": (str, [o.label for o in result.outcomes]),
        "equity_required": (float, [o.equity_required for o in result.outcomes]),
        "cash_balance_required": (float, [o.cash_balance_required for o in result.outcomes]),
        "maintenance": (float, [o.maintenance for o in result.outcomes]),
        "currency": (str, [None if o.report is None else o.report.currency for o in result.outcomes]),
        "saving_on_equity": (float, [result.saving(o) for o in result.outcomes]),
        "saving_on_cash": (float, [result.saving(o, "cash_balance_required") for o in result.outcomes]),
        "reason": (str, [o.reason for o in result.outcomes]),
    }
    lines = _stacked(reports)
    # What is told apart is the rulebook.
    explained = {name: {"label": frame.pop("account"), **frame} for name, frame in lines.items()}
    explained.pop("requirement", None)
    return {"outcomes": {name: _column(type_, values) for name, (type_, values) in outcomes.items()}, **explained}


@_tables.register
def _day(result: Day) -> dict[str, Frame]:
    return {"day": _table(Day, [result]), "steps": _table(Step, result.steps)}


@_tables.register
def _excess(result: Excess) -> dict[str, Frame]:
    return {"day": _table(Excess, [result]), "steps": _table(Step, result.steps)}


@_tables.register
def _days(result: Days) -> dict[str, Frame]:
    return {"days": {field.name: getattr(result, field.name) for field in fields(result)}}


@_tables.register
def _scan(result: ExpiryScan) -> dict[str, Frame]:
    moved = [(p.price, p.case, *of) for p in result.points for of in p.moved.items()]
    types = (("price", float), ("case", str), ("contract", str), ("quantity", float))
    return {
        "points": _table(ScanPoint, result.points),
        "moved": {name: _column(type_, [row[i] for row in moved]) for i, (name, type_) in enumerate(types)},
        "calls": {end: _column(float, [pair[i] for pair in result.calls]) for i, end in enumerate(("first", "last"))},
    }


@_tables.register
def _consequence(result: Consequence) -> dict[str, Frame]:
    head = {
        "event": (str, result.event),
        "currency": (str, result.report.currency),
        "equity_before": (float, result.equity_before),
        "equity": (float, result.equity),
        "initial_before": (float, result.before.initial),
        "initial": (float, result.after.initial),
        "maintenance_before": (float, result.before.maintenance),
        "maintenance": (float, result.after.maintenance),
        "excess_before": (float, result.excess_before),
        "excess": (float, result.excess),
        "call": (float, result.call),
    }
    return {
        "consequence": _single(head),
        "moved": {"contract": list(result.moved), "quantity": _column(float, list(result.moved.values()))},
        "cash": {"currency": list(result.cash), "amount": _column(float, list(result.cash.values()))},
        **_explained(result.report),
    }


@_tables.register
def _path(result: MarginPath) -> dict[str, Frame]:
    traded = [step.trade for step in result.steps]
    table: Frame = {
        "contract": [None if trade is None else trade[0].id for trade in traded],
        "quantity": _column(float, [None if trade is None else trade[1] for trade in traded]),
    }
    kind = type(result.steps[0])
    return {"steps": table | _table(kind, result.steps)}


@_tables.register
def _attribution(result: Attribution) -> dict[str, Frame]:
    return {"contributions": _table(Contribution, result.contributions)}


@_tables.register
def _answers(result: Answers) -> dict[str, Frame]:
    names = ("equity", "initial", "maintenance", "excess", "call")
    return {"answers": {"label": list(result.label)} | {name: getattr(result, name) for name in names}}


@_tables.register
def _standing(result: Standing) -> dict[str, Frame]:
    return {"rows": _table(Standing, [result])}
