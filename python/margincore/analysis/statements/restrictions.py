"""What the account may not do now: restrictions it stands under, and what breaks those it was opened with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from margincore._core import Account, MarginReport
from margincore.analysis import given
from margincore.analysis.statements.plain import Part

__all__ = ["OPENED_WITH", "Restriction", "breaches", "known"]

OPENED_WITH = {
    "ira": "no borrowing, no short stock, no uncovered options",
    "limited_margin": "unsettled proceeds may be traded on; no borrowing, no short stock, no uncovered options",
}
"""Restrictions an account may be opened with, and what they forbid (broker practice)."""

_UNCOVERED = ("uncovered call", "uncovered put", "short straddle", "short strangle")


@dataclass(frozen=True, slots=True)
class Restriction(Part):
    """One restriction: what is forbidden, and why. `broken` where the account as it stands does what is forbidden."""

    what: str
    because: str
    broken: bool = False


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Names of :data:`OPENED_WITH`, or :class:`margincore.InvalidInput`."""
    return tuple(given.name("restrictions", name, OPENED_WITH) for name in given.rows("restrictions", names))


def breaches(names: Iterable[str], account: Account, report: MarginReport) -> tuple[Restriction, ...]:
    """What each restriction forbids, and what in the account breaks it: debits, short stock, uncovered options.

    Uncovered options are named by the strategies of a Reg T report.
    """
    found = []
    for name in names:
        found.append(Restriction(OPENED_WITH[name], f"opened as {name}"))
        broken = [f"a debit of {-amount:,.2f} {currency}" for currency, amount in account.cash.items() if amount < 0.0]
        for position in account.positions:
            if position.contract.kind in ("stock", "etf") and position.short:
                broken.append(f"{position.short:,g} {position.contract.id} short")
        paired = report.details.get("initial")
        for strategy in paired["pairing"] if isinstance(paired, Mapping) and "pairing" in paired else ():
            if strategy["strategy"] in _UNCOVERED:
                broken.append(f"{strategy['strategy']}: {', '.join(leg['contract'] for leg in strategy['legs'])}")
        found.extend(Restriction(f"{name}: not allowed", text, broken=True) for text in broken)
    return tuple(found)
