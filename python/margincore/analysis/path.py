"""The requirement along a sequence of executions: what legging into a position costs on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from margincore._core import Account, Contract, Market, Methodology, Position
from margincore._deprecation import warn_cash_required
from margincore._pickles import Record

__all__ = ["MarginPath", "Step", "margin_path"]


@dataclass(frozen=True)
class Step(Record):
    """The account after one execution. Amounts are in the report's currency, on liquidating equity.

    `order` is the contract and signed quantity executed; `None` for the account before the first.
    `cash_balance_required` is the cash that must stand in the account once the trades have settled, as in a report.
    """

    order: tuple[Contract, float] | None
    initial: float
    maintenance: float
    net_option_value: float
    cash_balance_required: float | None = None

    @property
    def equity_required(self) -> float:
        """What the liquidating equity must reach, and what the trades up to this state need brought: `initial`."""
        return self.initial

    @property
    def cash_required(self) -> float:
        """Deprecated, version 0.2 removes it: `initial` less `net_option_value`."""
        warn_cash_required()
        return self.initial - self.net_option_value


@dataclass(frozen=True)
class MarginPath(Record):
    """Every state on the way, the starting one first."""

    steps: tuple[Step, ...]

    @property
    def peak(self) -> Step:
        """The step with the largest initial requirement; the first of equals."""
        return max(self.steps, key=lambda step: step.initial)

    @property
    def legging_cost(self) -> float:
        """How far the peak lies above both ends of the path: zero where the order of execution costs nothing."""
        return self.peak.initial - max(self.steps[0].initial, self.steps[-1].initial)


def margin_path(
    account: Account | Iterable[Position],
    orders: Iterable[tuple[Contract, float]],
    market: Market | None,
    methodology: Methodology,
    *,
    contracts: Iterable[Contract] = (),
) -> MarginPath:
    """Margins an account after each of a sequence of executions, given as (contract, signed quantity).

    Every step is a full margin of the whole account. `contracts` adds what options are written on, as in
    :func:`margincore.margin`. Raises what the rulebook raises for any of the states.

    >>> import margincore as mc
    >>> def call(strike):
    ...     return mc.Option("XYZ", "call", strike, expiry="2026-12-18", settles="pm", exercise="american",
    ...                      multiplier=100, currency="USD")
    >>> short, long = call(100), call(105)
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 100.0}, price={short.id: 3.0, long.id: 1.0})
    >>> rulebook = mc.methods.RegT(classes={"XYZ": "equity"})
    >>> path = mc.margin_path([], [(short, -1), (long, 1)], market, rulebook)
    >>> [step.initial for step in path.steps]          # uncovered on the way, then a credit spread
    [0.0, 2000.0, 300.0]
    >>> path.legging_cost
    1700.0
    """
    if not isinstance(account, Account):
        account = Account(account)
    executed = list(orders)
    table = dict.fromkeys([*(p.contract for p in account.positions), *(c for c, _ in executed), *contracts])
    prepared = methodology.prepare(table, market)
    states = [account]
    for contract, quantity in executed:
        before = states[-1]
        states.append(
            Account(
                [*before.positions, Position(contract, quantity)],
                cash=before.cash,
                collateral=before.collateral,
                kind=before.kind,
                gross=before.gross,
            )
        )
    reports = map(prepared.margin, states)
    return MarginPath(
        tuple(
            Step(order, r.initial, r.maintenance, r.net_option_value, r.cash_balance_required)
            for order, r in zip([None, *executed], reports, strict=True)
        )
    )
