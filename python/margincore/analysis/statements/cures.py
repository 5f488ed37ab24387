"""What meets a call: the deposit, exactly, and each long holding whose sale would, margined again."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from margincore._core import Account, Position, Prepared
from margincore.analysis.statements.calls import Call
from margincore.analysis.statements.plain import Part
from margincore.analysis.statements.power import rates_of

__all__ = ["Cure", "cures"]


@dataclass(frozen=True, slots=True)
class Cure(Part):
    """One way to meet a call; amounts in the report's currency.

    A ``deposit`` of `amount` is exact. A ``sell`` is of `quantity` of `contract`: `amount` is call / `rate`, where
    `rate` is what the holding requires alone, and `quantity` is that amount at the mark in whole lots, at most what is
    held. `left` is what the account margined again without them still lacks; `exact` says that nothing is left and
    that a lot less would not do. Where the holding is counted together with others the formula is an approximation.
    """

    kind: str
    action: str
    contract: str | None
    amount: float
    quantity: float | None
    rate: float | None
    left: float
    exact: bool


def cures(call: Call, account: Account, prepared: Prepared) -> tuple[Cure, ...]:
    """The deposit that meets a call, and for each long holding of stock or a fund the sale of it alone."""
    found = [Cure(call.kind, "deposit", None, call.left, None, None, 0.0, True)]
    live = prepared.open(account)
    rates = {r.of: r for r in rates_of(prepared, (p.contract for p in _long(account)))}
    initial = call.kind in ("reg_t_initial", "cash_account", "futures")
    for position in _long(account):
        contract = position.contract
        if contract.id not in rates:
            continue
        rate = rates[contract.id].initial if initial else rates[contract.id].maintenance
        unit = prepared.open(Account([Position(contract, contract.lot)])).equity
        lots = min(math.ceil(call.left / rate / unit - 1e-9), round(position.quantity / contract.lot))

        def left(lots: int, position: Position = position) -> float:
            change = live.what_if([(position.contract, -lots * position.contract.lot)]).change
            return max(0.0, call.left + (change.initial if initial else change.maintenance))

        after = left(lots)
        enough = after <= 1e-9 * call.left
        exact = enough and (lots <= 1 or left(lots - 1) > 1e-9 * call.left)
        found.append(
            Cure(
                call.kind, "sell", contract.id, call.left / rate, lots * contract.lot, rate,
                0.0 if enough else after, exact,
            )
        )  # fmt: skip
    return tuple(found)


def _long(account: Account) -> Iterable[Position]:
    return [p for p in account.positions if p.contract.kind in ("stock", "etf") and p.quantity > 0 and not p.short]
