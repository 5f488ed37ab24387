"""The least equity of an account: 2,000 of a margin account or the cost in full, and that of a regime or a house."""

from __future__ import annotations

from dataclasses import dataclass

from margincore._core import Account, Position
from margincore.analysis.qualify import Monitoring, least_equity
from margincore.analysis.statements.money import Valuation
from margincore.analysis.statements.plain import Part

__all__ = ["MinimumEquity", "minimum_equity"]


@dataclass(frozen=True, slots=True)
class MinimumEquity(Part):
    """The least equity, in the report's currency, whether it is there, and what stands where it is not.

    `met` is `None` where the equity is not known.
    """

    required: float
    met: bool | None
    because: str
    source: str
    grade: str


def minimum_equity(
    regime: str,
    account: Account,
    equity: float | None,
    valuation: Valuation,
    *,
    monitoring: Monitoring | None = None,
    house: float | None = None,
) -> MinimumEquity:
    """The minimum of a regime, or the house's where that is higher.

    A margin account needs 2,000, but never more than what its long positions cost in full where it is only long
    (FINRA 4210(b)(4)); an account without positions needs nothing. The cost is that at the marks. Raises
    :class:`margincore.MissingData` where something that decides is not stated.
    """
    held = any(p.long or p.short for p in account.positions)
    if regime == "reg_t":
        rule = least_equity("reg_t")
        required, because = float(rule["amount"]), f"{rule['amount']:,} with short positions"
        if not any(p.short for p in account.positions):
            cost = valuation.of([Position(p.contract, p.long) for p in account.positions])
            because = f"{rule['amount']:,}, or the cost in full of what is only long"
            required = min(required, cost)
        source, grade = rule["source"], rule["grade"]
        if not held:
            required, because = 0.0, "nothing is held"
    else:
        unlisted = any(p.contract.kind == "option" and not p.contract.listed for p in account.positions)
        rule = least_equity(regime, monitoring=monitoring, unlisted=unlisted)
        required, because, source, grade = (
            float(rule["amount"]),
            f"to use {regime.replace('_', ' ')}",
            rule["source"],
            rule["grade"],
        )
    if house is not None and house > required:
        required, because, source, grade = float(house), "the house's minimum", "given", "house rule"
    return MinimumEquity(required, None if equity is None else equity >= required, because, source, grade)
