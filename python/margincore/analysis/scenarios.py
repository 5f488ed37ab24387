"""The scenarios behind a report, as its rulebook ran them: what the account gains and loses in each.

Read from the report's details, whose shape is the rulebook's: TIMS' class groups, the units of crypto venues, SPAN's
arrays, the tails of VaR. Nothing is repriced here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from margincore._core import MarginReport
from margincore._pickles import Record

__all__ = ["Scenarios", "scenarios"]


@dataclass(frozen=True, slots=True)
class Scenarios(Record):
    """One set of scenarios of a report.

    - `scope`: whose they are, in the rulebook's own words: a class group, a unit, a commodity, a component.
    - `labels`, `profits`: the scenarios and what the account gains in each, in `currency`; a loss is negative.
    - `moves`: each scenario's move of the price, a fraction; `None` where the rulebook names none.
    - `plain`: those that move nothing but the price.
    - `complete`: false where the report has the worst ones only (VaR).
    """

    scope: str
    currency: str
    labels: tuple[str, ...]
    profits: tuple[float, ...]
    moves: tuple[float, ...] | None = None
    plain: tuple[bool, ...] = ()
    complete: bool = True

    @property
    def worst(self) -> int:
        """The scenario of the largest loss; the first of equals."""
        return min(range(len(self.profits)), key=self.profits.__getitem__)


def scenarios(report: MarginReport) -> tuple[Scenarios, ...]:
    """The scenarios of a report, a set for each scope; none for a rulebook without scenarios.

    >>> import margincore as mc
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> report = mc.margin([mc.Position(mc.Stock("XYZ", currency="USD"), 100)], market, mc.methods.Tims())
    >>> [found] = scenarios(report)
    >>> found.scope, found.labels[found.worst], found.profits[found.worst]
    ('XYZ', '-15 %', -750.0)
    """
    currencies = {line.scope: line.currency for line in report.lines}
    found = []
    for own in _found(report.details, (), ()):
        # The lines of a scope say its currency; sets within a scope (the components of a VaR) are in the report's.
        currency = currencies.get(own.scope) or own.currency or report.currency
        found.append(replace(own, currency=currency))
    return tuple(found)


def _found(
    details: Mapping[str, Any], path: tuple[str, ...], points: Sequence[Mapping[str, Any]]
) -> Iterator[Scenarios]:
    points = details.get("scan_points", points)
    for name, value in details.items():
        if not isinstance(value, Mapping):
            continue
        here = (*path, name)
        one = _one(value, here, points)
        if one is None:
            yield from _found(value, here, points)
        elif one.profits:
            yield one


#: Names of folders in the details, which say nothing about whose the scenarios are.
_FOLDERS = ("class_groups", "units", "commodities", "netting_sets", "components")


def _one(own: Mapping[str, Any], path: tuple[str, ...], points: Sequence[Mapping[str, Any]]) -> Scenarios | None:
    """The scenarios that stand here, with what is said here of their currency; `None` where there are none."""
    # Parts of a combined rulebook are numbered in the details and named in the lines.
    scope = ": ".join(re.sub(r"^\d+: ", "", part) for part in path if part not in _FOLDERS)
    if "points" in own and "profit" in own:
        labels = tuple(str(label) for label in own["points"])
        return Scenarios(scope, "", labels, tuple(map(float, own["profit"])), plain=(True,) * len(labels))
    rows: Any = own.get("scenarios")
    if _rows(rows, "label", "sum"):
        settled = path[-1].partition("/")[2]
        return Scenarios(
            scope,
            settled,
            tuple(str(row["label"]) for row in rows),
            tuple(float(row["sum"]) for row in rows),
            tuple(float(row["move"]) for row in rows) if all("move" in row for row in rows) else None,
            tuple(row.get("vol") == "same" for row in rows),
        )
    if "array" in own and "active" in own and len(own["array"]) == len(points):
        labels = tuple(map(_point, points))
        # SPAN's arrays are losses.
        return Scenarios(scope, str(own.get("currency", "")), labels, tuple(-float(a) for a in own["array"]))
    worst: Any = own.get("worst")
    if _rows(worst, "loss"):
        labels = tuple(str(row.get("date") or row.get("scenario")) for row in worst)
        profits = tuple(-float(row["loss"]) for row in worst)
        return Scenarios(scope, "", labels, profits, complete=False)
    return None


def _rows(value: Any, *keys: str) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str) and bool(value)
    return is_list and all(isinstance(row, Mapping) and all(key in row for key in keys) for row in value)


def _point(point: Mapping[str, Any]) -> str:
    """A scenario of SPAN: moves in scan ranges, and how much of the loss counts where that is not all."""
    weight = float(point.get("weight", 1.0))
    covered = "" if weight == 1.0 else f", {weight:.0%} of it"
    return f"price {_signed(point['price'])}, vol {_signed(point['vol'])} ranges{covered}"


def _signed(value: float) -> str:
    return f"{value:+.3g}" if value else "0"
