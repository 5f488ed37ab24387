"""``margincore explain``: one requirement step by step, or what made it another than it was."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from margincore._core import Account, Contracts, InvalidInput, MarginReport, amount_text
from margincore.analysis.attribution import Margined, attribute, explain
from margincore.analysis.scenarios import scenarios
from margincore.cli.console import wrapped
from margincore.documents import Read
from margincore.engine import Engine, table_of

__all__ = ["changed", "explained"]

_LONGEST = 24
"""Numbers of a list that are shown; more are counted."""


def _margined(read: Read) -> Margined:
    if len(read.rulebooks) != 1:
        raise InvalidInput("explain: one rulebook at a time: give one --method", code="contradiction", where="--method")
    table = Contracts(table_of(read.account, read.contracts))
    return Margined(Engine(read.rulebooks[0]).prepare(table, read.market), read.account)


def explained(read: Read, as_json: bool) -> str:
    """The requirement of a document: its lines, what each position makes of it, how it came about, its parameters."""
    margined = _margined(read)
    report = margined.prepared.margin(read.account)
    parts = attribute(margined.prepared, read.account, kind="incremental")
    if as_json:
        contributions = [
            {"contract": c.contract.id, "long": c.long, "short": c.short, "amount": c.amount}
            for c in parts.contributions
        ]
        document = {
            "report": report.to_dict(),
            "worst_scenarios": [asdict(each) for each in _worst(margined, report)],
            "contributions": {"kind": parts.kind, "positions": contributions, "residual": parts.residual},
        }
        return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    return "\n".join(_pages(report, str(parts), _worst(margined, report)))


@dataclass(frozen=True)
class Worst:
    """What an account gains in the worst scenario of a scope, and each position in it; losses are negative."""

    scope: str
    scenario: str
    currency: str
    profit: float
    positions: dict[str, float]


def _worst(margined: Margined, report: MarginReport) -> list[Worst]:
    """The worst scenario of each scope whose profit is the sum of what its positions make of it alone.

    Of a scope with charges that no single position has (offsets, nets of greeks), or of which only the worst
    scenarios are known, nothing is told.
    """
    account = margined.account
    alone = [
        (
            position,
            {own.scope: own for own in scenarios(margined.prepared.margin(Account([position], kind=account.kind)))},
        )
        for position in account.positions
    ]
    found = []
    for whole in scenarios(report):
        if not whole.complete:
            continue
        label = whole.labels[whole.worst]
        parts: dict[str, float] = {}
        for position, sets in alone:
            own = sets.get(whole.scope)
            if own is not None and own.labels == whole.labels:
                id_ = position.contract.id
                parts[id_] = parts.get(id_, 0.0) + own.profits[whole.worst]
        profit = whole.profits[whole.worst]
        if math.isclose(math.fsum(parts.values()), profit, rel_tol=1e-9, abs_tol=1e-6):
            found.append(Worst(whole.scope, label, whole.currency, profit, parts))
    return found


def changed(before: Read, after: Read, as_json: bool) -> str:
    """What of a change came from positions, from the market and from parameters."""
    change = explain(_margined(before), _margined(after))
    if as_json:
        return json.dumps(asdict(change), indent=2, allow_nan=False, ensure_ascii=False)
    return str(change)


def _pages(report: MarginReport, contributions: str, worst: Sequence[Worst]) -> Iterator[str]:
    own = report.requirement
    head = f"{report.methodology}: initial {amount_text(own.initial)}, maintenance {amount_text(own.maintenance)}"
    yield from _wrapped(f"{head} {report.currency}, at {report.valuation}", 0)
    yield ""
    yield "1. Lines, which add up to it (initial, maintenance)"
    for line in report.lines:
        unit = line.currency if line.fx == 1.0 else f"{line.currency} at {line.fx:g}"
        at = f" at {line.scenario}" if line.scenario else ""
        yield from _wrapped(
            f"{line.scope}, {line.component}{at}: {amount_text(line.initial)}, {amount_text(line.maintenance)} {unit}"
        )
    yield ""
    yield "2. What each position makes of it: with it less without it"
    yield from (f"   {line}" for line in contributions.splitlines())
    yield "   residual: what positions take from one another"
    yield ""
    yield "3. The worst scenario, and what each position gains in it"
    for each in worst:
        yield from _wrapped(f"{each.scope}, {each.scenario} ({each.currency})")
        wide = max(map(len, each.positions), default=0)
        for id_, profit in (*each.positions.items(), ("together", each.profit)):
            yield f"     {id_:<{max(wide, 8)}}  {amount_text(profit):>16}"
    if not worst:
        yield from _wrapped("none that is the sum of what its positions gain in it")
    yield ""
    yield "4. How it came about"
    yield from _told(report.details, 3)
    yield ""
    yield "5. Parameters"
    for key, value in report.parameters.items():
        if value:
            yield from _wrapped(f"{key}: {value}")
    for warning in report.warnings:
        yield from _wrapped(f"warning: {warning['message']}")


def _wrapped(text: str, indent: int = 3) -> list[str]:
    blank = " " * indent
    return wrapped(text, f"{blank}  ", first=blank) or [blank]


def _told(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    """A report's details as lines: tables of points side by side, lists in one line, the rest by name."""
    points = value.get("points")
    for key, item in value.items():
        name = key.replace("_", " ")
        if isinstance(item, Mapping):
            yield " " * indent + f"{name}:"
            yield from _told(item, indent + 2)
        elif isinstance(item, Sequence) and not isinstance(item, str):
            if key == "points" or not item:
                continue
            if all(isinstance(row, Mapping) for row in item):
                for number, row in enumerate(item, 1):
                    yield " " * indent + f"{name} {number}:"
                    yield from _told(row, indent + 2)
                continue
            cells = [_cell(cell) for cell in item]
            if isinstance(points, Sequence) and len(points) == len(cells):
                cells = [f"{point}: {cell}" for point, cell in zip(points, cells, strict=True)]
            more = [f"and {len(cells) - _LONGEST} more"] if len(cells) > _LONGEST else []
            yield from _wrapped(f"{name}: {'; '.join([*cells[:_LONGEST], *more])}", indent)
        else:
            yield from _wrapped(f"{name}: {_cell(item)}", indent)


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return amount_text(value) if isinstance(value, float) else str(value)
