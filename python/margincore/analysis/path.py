"""The requirement along a sequence of trades: what legging into a position costs on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from margincore._core import Account, Contract, Market, Methodology, Position, read_trades
from margincore._deprecation import warn_cash_required
from margincore._pickles import Record
from margincore.engine import beside, holder, rulebook, snapshot
from margincore.portfolio import Trade

__all__ = ["MarginPath", "Step", "margin_path"]


@dataclass(frozen=True)
class Step(Record):
    """The account after one trade. Amounts are in the report's currency, on liquidating equity.

    `trade` is the one done; `None` for the account before the first. `cash_balance_required` is the cash that must
    stand in the account once the trades have settled, as in a report.
    """

    trade: Trade | None
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
        """How far the peak lies above both ends of the path: zero where the sequence of the trades costs nothing."""
        return self.peak.initial - max(self.steps[0].initial, self.steps[-1].initial)


def margin_path(
    account: Account | Iterable[Position],
    trades: Iterable[Trade],
    market: Market | None,
    methodology: Methodology,
    *,
    effect: Literal["open", "close"] | None = None,
    contracts: Iterable[Contract] = (),
) -> MarginPath:
    """Margins an account after each of a sequence of trades (:data:`margincore.Trade`).

    Every step is a full margin of the whole account, with the trade booked as :meth:`margincore.LiveAccount.apply`
    books it: cash follows those that state a price, and `effect` is needed where the account keeps long and short
    apart. `contracts` adds what options are written on, as in :func:`margincore.margin`. Raises what the rulebook
    raises for any of the states.

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
    account = holder(account)
    done = read_trades(trades)
    table = dict.fromkeys([*(p.contract for p in account.positions), *(trade[0] for trade in done), *beside(contracts)])
    live = rulebook(methodology).prepare(list(table), snapshot(market)).open(account)

    def step(trade: Trade | None) -> Step:
        if trade is not None:
            live.apply([trade], effect=effect)
        r = live.report()
        return Step(trade, r.initial, r.maintenance, r.net_option_value, r.cash_balance_required)

    return MarginPath(tuple(step(trade) for trade in (None, *done)))
