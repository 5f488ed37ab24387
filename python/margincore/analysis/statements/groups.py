"""A portfolio margin account as brokers print it: groups with their ten points, stress beyond them, leverage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from margincore._core import Account, MarginReport, Position, Prepared
from margincore.analysis.statements.money import Valuation
from margincore.analysis.statements.plain import Part

__all__ = ["STRESS", "Group", "PortfolioMargin", "Stress", "gross_value", "stress", "tree"]

STRESS = (-0.3, -0.2, -0.1, 0.1, 0.2, 0.3)
"""Moves of every symbol beyond the points of the rulebook, as fractions."""


@dataclass(frozen=True, slots=True)
class Group(Part):
    """One group: portfolio group, product group or class group; amounts in the report's currency.

    `profit` is at the ten `points`, gains positive, after offsets below it; `worst` names the point of `largest_loss`.
    `minimum` is the sum of per-contract minimums and `offset` the fraction of a gain that counts between its members.
    `requirement` of a portfolio group is its part of the total; of the others it is what they would need alone.
    """

    level: str
    name: str
    within: str | None
    points: tuple[str, ...]
    profit: tuple[float, ...]
    largest_loss: float
    worst: str | None
    minimum: float
    offset: float
    requirement: float


@dataclass(frozen=True, slots=True)
class Stress(Part):
    """Equity, its change and the requirement after every symbol moved by a fraction; nothing else changed."""

    move: float
    equity: float
    change: float
    requirement: float

    @property
    def excess(self) -> float:
        """Equity less requirement after the move."""
        return self.equity - self.requirement


@dataclass(frozen=True, slots=True)
class PortfolioMargin(Part):
    """The groups, each before its members; the stress; positions at their marks over the equity.

    `gross` is the value of long positions and of short ones, both positive, in the report's currency; futures count
    nothing in it. `leverage` is `None` where the equity is not positive or not known.
    """

    groups: tuple[Group, ...]
    stress: tuple[Stress, ...]
    gross: float | None
    leverage: float | None


def _worst(profit: Sequence[float], points: Sequence[str]) -> tuple[float, str | None]:
    loss = max(0.0, -min(profit))
    return loss, points[profit.index(min(profit))] if loss > 0.0 else None


def tree(report: MarginReport) -> tuple[Group, ...]:
    """The groups of a TIMS report, from its details; empty where it has none."""
    details = report.details
    classes: Mapping[str, Any] = details.get("class_groups", {})
    found = []
    for name, portfolio in details.get("portfolio_groups", {}).items():
        members = portfolio["class_groups"]
        products: dict[str, list[str]] = {}
        for member in members:
            products.setdefault(classes[member]["product_group"], []).append(member)
        points = tuple(classes[members[0]]["points"])
        profit = tuple(portfolio["profit"])
        scopes = {name, *members, *products}
        found.append(
            Group(
                "portfolio group",
                name,
                None,
                points,
                profit,
                *_worst(profit, points),
                math.fsum(classes[member]["minimum"] for member in members),
                portfolio["offset"],
                math.fsum(line.initial * line.fx for line in report.lines if line.scope in scopes),
            )
        )
        for product, inside in products.items():
            offset = classes[inside[0]]["product_group_offset"]
            found.append(_product(product, name, inside, classes, offset))
            found.extend(_class(member, product, classes[member]) for member in inside)
    return tuple(found)


def _product(name: str, within: str, members: Sequence[str], classes: Mapping[str, Any], offset: float) -> Group:
    points = tuple(classes[members[0]]["points"])
    kept = 1.0 if len(members) == 1 else offset
    rows = [classes[member]["profit"] for member in members]
    profit = tuple(math.fsum(p if p < 0.0 else kept * p for p in column) for column in zip(*rows, strict=True))
    loss, worst = _worst(profit, points)
    minimum = math.fsum(classes[member]["minimum"] for member in members)
    return Group("product group", name, within, points, profit, loss, worst, minimum, offset, max(loss, minimum))


def _class(name: str, within: str, group: Mapping[str, Any]) -> Group:
    points, profit = tuple(group["points"]), tuple(group["profit"])
    loss, worst = _worst(profit, points)
    minimum = group["minimum"]
    return Group("class group", name, within, points, profit, loss, worst, minimum, 1.0, max(loss, minimum))


def stress(prepared: Prepared, account: Account, equity: float, moves: Sequence[float]) -> tuple[Stress, ...]:
    """The account after moves of every symbol, repriced by the rulebook.

    Raises :class:`margincore.MissingData` where an option has a price and no vol, as
    :func:`margincore.analysis.questions.moved` does.
    """
    from margincore.analysis.questions import moved  # which waits until it is asked for

    answers = moved(prepared, account, moves)
    return tuple(
        Stress(float(move), float(after), float(after) - equity, float(requirement))
        for move, after, requirement in zip(answers.label, answers.equity, answers.maintenance, strict=True)
    )


def gross_value(account: Account, valuation: Valuation) -> float:
    """Long positions at their marks and short ones, both positive."""
    long = [Position(p.contract, p.long) for p in account.positions if p.long]
    short = [Position(p.contract, -p.short) for p in account.positions if p.short]
    return valuation.of(long) - valuation.of(short)
