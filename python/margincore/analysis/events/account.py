"""An account before an event, and the same with positions and cash changed."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping

from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    MarginReport,
    Market,
    Methodology,
    Position,
    Unsupported,
)
from margincore.analysis import given
from margincore.engine import beside, holder, rulebook, snapshot

Holder = Account | Iterable[Position]
VARIATION = ("future", "perpetual")


class Changes:
    """What an event does: positions by contract id, in contracts, and cash by currency."""

    def __init__(self) -> None:
        self.contracts: dict[str, Contract] = {}
        self.positions: dict[str, float] = {}
        self.cash: dict[str, list[float]] = {}

    def position(self, contract: Contract, quantity: float) -> None:
        self.contracts[contract.id] = contract
        self.positions[contract.id] = self.positions.get(contract.id, 0.0) + quantity

    def money(self, currency: str, amount: float) -> None:
        self.cash.setdefault(currency, []).append(amount)


class Start:
    """An account in its market under its rulebook, margined."""

    def __init__(
        self,
        account: Holder,
        market: Market,
        methodology: Methodology,
        contracts: Iterable[Contract],
        haircuts: Mapping[str, float] | None,
    ) -> None:
        self.account, self.methodology = holder(account), rulebook(methodology)
        self.haircuts = None if haircuts is None else given.numbers("haircuts", haircuts)
        known = snapshot(market)
        if known is None or known.contracts is not None:
            raise InvalidInput("events: a market is needed, its prices and vols as mappings by contract id")
        if self.account.gross:
            raise Unsupported(
                "events: an account that keeps long and short apart: whose side is exercised is not stated"
            )
        self.market = known
        self.parts = known.to_dict()
        self.valuation = dt.datetime.fromisoformat(self.parts["valuation"])
        self.held: dict[str, tuple[Contract, float]] = {}
        for p in self.account.positions:
            _, before = self.held.get(p.contract.id, (p.contract, 0.0))
            self.held[p.contract.id] = (p.contract, before + p.quantity)
        self.known = {**{c.id: c for c in beside(contracts)}, **{name: c for name, (c, _) in self.held.items()}}
        # What options are written on; an index stands in no rulebook's table.
        self.futures = [c for c in self.known.values() if c.kind == "future"]
        self.table = list({c.id: c for c in (*(c for c, _ in self.held.values()), *self.futures)}.values())
        prepared = self.methodology.prepare(self.table, known)
        live = prepared.open(self.account, haircuts=haircuts)
        self.currency, self.requirement, self.equity = prepared.currency, live.margin, live.equity

    def after(self, changes: Changes, market: Market) -> Account:
        """The account with the changes made, its futures settled from this market's prices to another's."""
        quantities = {name: quantity for name, (_, quantity) in self.held.items()}
        for name, change in changes.positions.items():
            quantities[name] = quantities.get(name, 0.0) + change
        table = {**changes.contracts, **{name: c for name, (c, _) in self.held.items()}}
        positions = []
        for name, quantity in quantities.items():
            if quantity:
                try:
                    positions.append(Position(table[name], quantity))
                except InvalidInput as error:
                    if table[name].kind == "option":
                        raise
                    raise InvalidInput(
                        f"events: {error}: cash in lieu of a fraction stands in the option's deliverable, "
                        '{"shares": {...}, "cash": ...}',
                        where=name,
                        value=quantity,
                        code="out_of_range",
                    ) from None
        cash = self._varied(market)
        for currency, amounts in changes.cash.items():
            cash[currency] = math.fsum((cash.get(currency, 0.0), *amounts))
        own = self.account
        return Account(positions, cash=cash, collateral=own.collateral, kind=own.kind, gross=own.gross)

    def _varied(self, market: Market) -> dict[str, float]:
        """Cash with the variation of futures and perpetuals held, from the old prices to the new."""
        own = [(c, q) for c, q in self.held.values() if c.kind in VARIATION and q]
        if not own or market is self.market:
            return dict(self.account.cash)
        prepared = self.methodology.prepare([c for c, _ in own], self.market)
        live = prepared.open(Account([Position(c, q) for c, q in own], cash=self.account.cash, kind=self.account.kind))
        # At the old time: some of them may have expired by the new one.
        live.rebase(prepared.with_market(Market(**{**market.to_dict(), "valuation": self.market.valuation})))
        return dict(live.cash)

    def margin(self, account: Account, market: Market) -> tuple[MarginReport, float]:
        """The report and the liquidating equity of an account after an event."""
        at = dt.datetime.fromisoformat(market.valuation)
        futures = [c for c in self.futures if dt.datetime.fromisoformat(str(c.expires)) >= at]
        table = {c.id: c for c in (*(p.contract for p in account.positions), *futures)}
        live = self.methodology.prepare(table.values(), market).open(account, haircuts=self.haircuts)
        return live.report(), live.equity
