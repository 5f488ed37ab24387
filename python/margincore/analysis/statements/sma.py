"""The special memorandum account of Reg T: what each transaction adds or takes, and the day's close.

SMA = max(old SMA + the day's entries, Reg T excess at the close): gains of the market raise it, losses never lower it.
An entry is the change of (equity - Reg T requirement) that a transaction makes at its own price: a purchase takes its
Reg T requirement, a sale gives it back, a deposit or dividend adds itself, a withdrawal takes itself. Every
requirement is asked of the rulebook, for the whole account before and after.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from margincore._core import Account, Contract, InvalidInput, Market, Position, Prepared
from margincore.analysis.statements.calls import Call, Carried, due_on, met
from margincore.analysis.statements.money import Valuation
from margincore.analysis.statements.plain import Part
from margincore.calendars import BusinessDays

__all__ = ["Close", "Entry", "Money", "Trade", "Transaction", "close", "entries", "opening", "priced", "traded"]

_MONEY = {"deposit": 1.0, "dividend": 1.0, "withdrawal": -1.0}


@dataclass(frozen=True, slots=True)
class Trade(Part):
    """A trade: signed quantity in contracts, price in the contract's quote, fees in its currency, not negative."""

    contract: Contract
    quantity: float
    price: float
    fees: float = 0.0

    def __post_init__(self) -> None:
        for name in ("quantity", "price", "fees"):
            if not math.isfinite(getattr(self, name)):
                raise InvalidInput(f"trade: {name} is {getattr(self, name)}: a finite number is needed", where=name)

    def __str__(self) -> str:
        side = "bought" if self.quantity > 0 else "sold"
        return f"{side} {abs(self.quantity):,g} {self.contract.id} at {self.price:,g}"


@dataclass(frozen=True, slots=True)
class Money(Part):
    """Money that comes or goes beside trades: ``deposit``, ``dividend`` or ``withdrawal``. The amount is positive."""

    kind: str
    amount: float
    currency: str = "USD"

    def __post_init__(self) -> None:
        if self.kind not in _MONEY:
            raise InvalidInput(f"money: unknown kind {self.kind!r}: one of {', '.join(_MONEY)}", where="kind")
        if not (math.isfinite(self.amount) and self.amount >= 0.0):
            raise InvalidInput(f"money: amount is {self.amount}: the kind says its sign", where="amount")

    def __str__(self) -> str:
        return f"{self.kind} of {self.amount:,.2f} {self.currency}"


Transaction: TypeAlias = Trade | Money | Sequence[Trade]
"""One transaction; trades in a list were executed together and are one."""


@dataclass(frozen=True, slots=True)
class Entry(Part):
    """What one transaction did to SMA, in the report's currency: positive adds."""

    what: str
    amount: float


@dataclass(frozen=True, slots=True)
class Close(Part):
    """A day's close: SMA, the Reg T excess it is not below, and the calls, of today and of earlier days.

    `sma` is never negative; `new` is the call that the day's transactions make, if any.
    """

    opening: float
    entries: tuple[Entry, ...]
    excess: float
    sma: float
    new: Call | None
    calls: tuple[Call, ...]

    @property
    def total(self) -> float:
        """The day's entries, added up."""
        return math.fsum(entry.amount for entry in self.entries)


def legs_of(transaction: Transaction) -> list[Trade]:
    """The trades of one transaction; none of money that comes or goes."""
    if isinstance(transaction, Money):
        return []
    legs = [transaction] if isinstance(transaction, Trade) else list(transaction)
    for leg in legs:
        if not isinstance(leg, Trade):
            raise InvalidInput(f"transactions: a Trade, Money or list of trades is needed, not {type(leg).__name__}")
    return legs


def traded(transactions: Iterable[Transaction]) -> list[Contract]:
    """The contracts traded, in order."""
    return [leg.contract for transaction in transactions for leg in legs_of(transaction)]


def opening(account: Account, transactions: Iterable[Transaction]) -> Account:
    """The account before the day's transactions, of the account after them. Cash is left out."""
    held: dict[Contract, float] = {}
    for position in account.positions:
        held[position.contract] = held.get(position.contract, 0.0) + position.quantity
    for transaction in transactions:
        for leg in legs_of(transaction):
            held[leg.contract] = held.get(leg.contract, 0.0) - leg.quantity
    return Account([Position(c, q) for c, q in held.items() if q], kind=account.kind)


def priced(market: Market | None, transactions: Iterable[Transaction]) -> Market | None:
    """A market that also quotes what was traded away in the day: at its first trade, where nothing else does."""
    if market is None or market.contracts is not None:
        return market
    parts = market.to_dict()
    spot, price = dict(parts.get("spot", {})), dict(parts.get("price", {}))
    vol = parts.get("vol", {})
    for leg in (leg for transaction in transactions for leg in legs_of(transaction)):
        contract = leg.contract
        if contract.kind == "option":
            if contract.id not in vol:
                price.setdefault(contract.id, leg.price)
        elif contract.id not in price:
            spot.setdefault(contract.underlying, leg.price)
    return Market(**{**parts, "spot": spot, "price": price})


def entries(account: Account, transactions: Iterable[Transaction], prepared: Prepared) -> tuple[Entry, ...]:
    """What each transaction does to SMA, in order; `account` is the one before the first.

    The requirement before and after a trade is that of the whole account with the traded contracts at their own
    prices, everything else at its mark. Fees are part of the entry. Raises what the rulebook raises.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 52.0})
    >>> prepared = mc.Engine(mc.methods.RegT()).prepare([stock], market)
    >>> day = [Money("deposit", 1_000.0), Trade(stock, 100, 50.0), Trade(stock, -40, 55.0)]
    >>> [entry.amount for entry in entries(mc.Account([]), day, prepared)]       # itself, 50 % of 5,000, 50 % of 2,200
    [1000.0, -2500.0, 1100.0]
    """
    money = Valuation(prepared, account, None)
    quoted = {} if prepared.market is None else prepared.market.to_dict().get("price", {})
    held = {position.contract: position.quantity for position in account.positions}
    made = []
    for transaction in transactions:
        if isinstance(transaction, Money):
            amount = _MONEY[transaction.kind] * transaction.amount * money.rate(transaction.currency)
            made.append(Entry(str(transaction), amount))
            continue
        legs = legs_of(transaction)
        spot = {leg.contract.underlying: leg.price for leg in legs if leg.contract.kind != "option"}
        price = {
            leg.contract.id: leg.price for leg in legs if leg.contract.kind == "option" or leg.contract.id in quoted
        }
        at = prepared.update(spot=spot or None, price=price or None, marks="keep")
        live = at.open(Account([Position(c, q) for c, q in held.items() if q], kind=account.kind))
        change = live.what_if([(leg.contract, leg.quantity) for leg in legs]).change.initial
        fees = math.fsum(leg.fees * money.rate(leg.contract.currency) for leg in legs)
        made.append(Entry(", ".join(map(str, legs)), -change - fees))
        for leg in legs:
            held[leg.contract] = held.get(leg.contract, 0.0) + leg.quantity
    return tuple(made)


def close(
    carried: Carried,
    made: Sequence[Entry],
    excess: float,
    currency: str,
    date: dt.date | None,
    days: BusinessDays,
    waive_up_to: float | None = None,
) -> Close:
    """SMA at the close, and the calls.

    Net credits of the day meet open initial calls first, the oldest first, and what meets a call is not in SMA as well.
    A new call is what SMA falls short of zero by; one of `waive_up_to` or less is marked as waived (12 CFR 220.4(d)
    lets a creditor take no action up to 1,000).
    """
    if carried.sma is None:
        raise InvalidInput("carried: sma is not there: an account that carries none has no close of it", where="sma")
    total = math.fsum(entry.amount for entry in made)
    open_calls = carried.open("reg_t_initial")
    if total > 0.0:
        open_calls, total = met(open_calls, total)
    sma = max(carried.sma + total, excess)
    new = None
    if sma < 0.0:
        waived = waive_up_to is not None and -sma <= waive_up_to
        new = Call("reg_t_initial", -sma, -sma, currency, date, due_on("reg_t_initial", date, days), waived)
    calls = tuple(c for c in open_calls if c.left > 0.0) + (() if new is None else (new,))
    return Close(carried.sma, tuple(made), excess, max(sma, 0.0), new, calls)
