"""Liquidating equity and what it is made of: the engine's one valuation, taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from margincore._core import Account, MissingData, Position, Prepared
from margincore.analysis import given
from margincore.analysis.statements.plain import Part
from margincore.read_only import ReadOnlyDict

__all__ = ["Balance", "Collateral", "Equity", "Holding"]


@dataclass(frozen=True, slots=True)
class Balance(Part):
    """What is held in one currency, in that currency: cash, options, and stock, funds and spot at their marks.

    Long positive, short negative. `open_trade_equity` is profit (positive) on futures that is not in the cash. `fx` is
    the report's currency for one of `currency`.
    """

    currency: str
    fx: float
    cash: float
    options: float
    holdings: float
    open_trade_equity: float = 0.0

    @property
    def total(self) -> float:
        """All of it, in `currency`."""
        return self.cash + self.options + self.holdings + self.open_trade_equity


@dataclass(frozen=True, slots=True)
class Collateral(Part):
    """One asset posted: its amount in units, the fraction taken off, and what is left in the report's currency."""

    asset: str
    amount: float
    haircut: float
    value: float


@dataclass(frozen=True, slots=True)
class Holding(Part):
    """One position: contract id, its kind and underlying, long and short in contracts, both unsigned.

    `value` is what it counts in the equity, in the report's currency (short negative; nothing for what settles to its
    mark in cash), `None` where it has no mark.
    """

    contract: str
    kind: str
    underlying: str
    currency: str
    long: float
    short: float
    value: float | None

    @property
    def quantity(self) -> float:
        """Long less short, in contracts."""
        return self.long - self.short


@dataclass(frozen=True, slots=True)
class Equity(Part):
    """Liquidating equity in the report's currency: cash, positions at their marks, collateral after haircuts."""

    currency: str
    total: float
    balances: tuple[Balance, ...]
    collateral: tuple[Collateral, ...] = ()

    @property
    def parts(self) -> ReadOnlyDict:
        """`total` by its parts, in the report's currency: they add up to it."""
        parts = {
            "cash": sum(b.cash * b.fx for b in self.balances),
            "options": sum(b.options * b.fx for b in self.balances),
            "holdings": sum(b.holdings * b.fx for b in self.balances),
            "open trade equity": sum(b.open_trade_equity * b.fx for b in self.balances),
            "collateral": sum(c.value for c in self.collateral),
        }
        return ReadOnlyDict(parts)


class Valuation:
    """Values parts of an account by opening them with the engine: there is one valuation, and no arithmetic here."""

    def __init__(self, prepared: Prepared, account: Account, haircuts: Mapping[str, float] | None) -> None:
        self.prepared = prepared
        self.account = account
        self.haircuts = {} if haircuts is None else given.numbers("haircuts", haircuts)

    def of(
        self,
        positions: list[Position],
        cash: Mapping[str, float] | None = None,
        collateral: Mapping[str, float] | None = None,
    ) -> float:
        """What these are worth together, in the report's currency."""
        part = Account(positions, cash=cash, collateral=collateral, kind=self.account.kind, gross=self.account.gross)
        return self.prepared.open(part, haircuts=self.haircuts).equity

    def rate(self, currency: str) -> float:
        """The report's currency for one of a currency or asset."""
        return 1.0 if currency == self.prepared.currency else self.of([], {currency: 1.0})

    def options(self, positions: list[Position]) -> float:
        """What the options among positions are worth, in the report's currency."""
        return self.of([p for p in positions if p.contract.kind == "option"])

    def holding(self, position: Position) -> Holding:
        """A position of the account and what it is worth."""
        contract = position.contract
        try:
            value: float | None = self.of([position])
        except MissingData:
            value = None
        terms = (contract.id, contract.kind, contract.underlying, contract.currency)
        return Holding(*terms, position.long, position.short, value)

    def equity(self, open_trade_equity: Mapping[str, float]) -> Equity:
        """The account's equity. Raises :class:`margincore.MissingData` for a mark, a rate or a haircut not given."""
        account = self.account
        unknown = sorted(a for a, amount in account.collateral.items() if amount and a not in self.haircuts)
        if unknown:
            raise MissingData(
                f"no haircut of the collateral {', '.join(unknown)}: give haircuts={{{unknown[0]!r}: fraction}}",
                where="haircuts",
            )
        by_currency: dict[str, list[Position]] = {currency: [] for currency in account.cash}
        for position in account.positions:
            by_currency.setdefault(position.contract.currency, []).append(position)
        for currency in open_trade_equity:
            by_currency.setdefault(currency, [])
        balances = []
        for currency, positions in by_currency.items():
            fx = self.rate(currency)
            options = self.options(positions)
            holdings = self.of([p for p in positions if p.contract.kind not in ("option", "future", "perpetual")])
            balances.append(
                Balance(
                    currency,
                    fx,
                    account.cash.get(currency, 0.0),
                    options / fx,
                    holdings / fx,
                    open_trade_equity.get(currency, 0.0),
                )
            )
        posted = tuple(
            Collateral(asset, amount, self.haircuts.get(asset, 0.0), self.of([], collateral={asset: amount}))
            for asset, amount in account.collateral.items()
        )
        whole = self.prepared.open(account, haircuts=self.haircuts).equity
        return Equity(
            self.prepared.currency,
            whole + sum(b.open_trade_equity * b.fx for b in balances),
            tuple(balances),
            posted,
        )
