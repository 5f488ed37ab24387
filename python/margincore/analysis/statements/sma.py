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

from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    Market,
    MissingData,
    Position,
    Prepared,
    read_trades,
)
from margincore.analysis import given
from margincore.analysis.statements.calls import Call, Carried, due_on, met
from margincore.analysis.statements.money import Valuation
from margincore.analysis.statements.plain import Part
from margincore.calendars import BusinessDays
from margincore.portfolio import Trade

__all__ = ["Close", "Entry", "Money", "Transaction", "close", "entries", "legs_of", "opening", "priced", "traded"]

_MONEY = {"deposit": 1.0, "dividend": 1.0, "withdrawal": -1.0}


@dataclass(frozen=True, slots=True)
class Money(Part):
    """Money that comes or goes beside trades: ``deposit``, ``dividend`` or ``withdrawal``. The amount is positive."""

    kind: str
    amount: float
    currency: str = "USD"

    def __post_init__(self) -> None:
        given.name("money: kind", self.kind, _MONEY)
        object.__setattr__(self, "amount", given.number("money: amount", self.amount, least=0.0))
        if not isinstance(self.currency, str):
            given.refuse("money: currency", self.currency, "a code such as 'USD' is needed", "wrong_type")

    def __str__(self) -> str:
        return f"{self.kind} of {self.amount:,.2f} {self.currency}"


Transaction: TypeAlias = Trade | Money | list[Trade]
"""One transaction. A trade has its price; trades in a list were executed together and are one."""

Leg: TypeAlias = tuple[Contract, float, float, float]


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


def legs_of(transaction: Transaction) -> list[Leg]:
    """The trades of one transaction, each with its price and fees; none of money that comes or goes.

    Raises :class:`margincore.InvalidInput` for what is no trade, :class:`margincore.MissingData` for one without its
    price.
    """
    if isinstance(transaction, Money):
        return []
    trades = list(transaction) if isinstance(transaction, list) else [transaction]
    legs: list[Leg] = []
    for contract, quantity, *rest in read_trades(trades):
        if not rest:
            raise MissingData(
                f"transactions: the trade of {contract.id} has no price", where="transactions", code="missing_price"
            )
        what = f"transactions: the trade of {contract.id}"
        size, price = given.number(f"{what}: quantity", quantity), given.number(f"{what}: price", rest[0])
        fees = given.number(f"{what}: fees", rest[1] if len(rest) > 1 else 0.0)
        legs.append((contract, size, price, fees))
    return legs


def _said(leg: Leg) -> str:
    contract, quantity, price, _ = leg
    return f"{'bought' if quantity > 0 else 'sold'} {abs(quantity):,g} {contract.id} at {price:,g}"


def read(transactions: object) -> list[Transaction]:
    """The transactions of any iterable, each of them read once and refused where it is none."""
    found: list[Transaction] = given.rows("transactions", transactions)
    for transaction in found:
        if not isinstance(transaction, Money | tuple | list):
            given.refuse("transactions", transaction, "a trade, a list of trades or Money is needed", "wrong_type")
        legs_of(transaction)
    return found


def traded(transactions: Iterable[Transaction]) -> list[Contract]:
    """The contracts traded, in order."""
    return [leg[0] for transaction in transactions for leg in legs_of(transaction)]


def opening(account: Account, transactions: Iterable[Transaction]) -> Account:
    """The account before the day's transactions, of the account after them. Cash is left out."""
    held: dict[Contract, float] = {}
    for position in account.positions:
        held[position.contract] = held.get(position.contract, 0.0) + position.quantity
    for transaction in transactions:
        for leg in legs_of(transaction):
            held[leg[0]] = held.get(leg[0], 0.0) - leg[1]
    return Account([Position(c, q) for c, q in held.items() if q], kind=account.kind)


def priced(market: Market | None, transactions: Iterable[Transaction]) -> Market | None:
    """A market that also quotes what was traded away in the day: at its first trade, where nothing else does."""
    if market is None or market.contracts is not None:
        return market
    parts = market.to_dict()
    spot, price = dict(parts.get("spot", {})), dict(parts.get("price", {}))
    vol = parts.get("vol", {})
    for contract, _, at, _ in (leg for transaction in transactions for leg in legs_of(transaction)):
        if contract.kind == "option":
            if contract.id not in vol:
                price.setdefault(contract.id, at)
        elif contract.id not in price:
            spot.setdefault(contract.underlying, at)
    return Market(**{**parts, "spot": spot, "price": price})


def entries(account: Account, transactions: Iterable[Transaction], prepared: Prepared) -> tuple[Entry, ...]:
    """What each transaction does to SMA, in order; `account` is the one before the first.

    The requirement before and after a trade is that of the whole account with the traded contracts at their own
    prices, everything else at its mark. Fees are part of the entry. Raises what the rulebook raises.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 52.0})
    >>> prepared = mc.Engine(mc.methods.RegT()).prepare([stock], market)
    >>> day = [Money("deposit", 1_000.0), (stock, 100, 50.0), (stock, -40, 55.0)]
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
        spot = {contract.underlying: at for contract, _, at, _ in legs if contract.kind != "option"}
        price = {c.id: at for c, _, at, _ in legs if c.kind == "option" or c.id in quoted}
        at_price = prepared.update(spot=spot or None, price=price or None, marks="keep")
        live = at_price.open(Account([Position(c, q) for c, q in held.items() if q], kind=account.kind))
        change = live.what_if([(contract, quantity) for contract, quantity, _, _ in legs]).change.initial
        paid = math.fsum(fees * money.rate(contract.currency) for contract, _, _, fees in legs)
        made.append(Entry(", ".join(map(_said, legs)), -change - paid))
        for contract, quantity, _, _ in legs:
            held[contract] = held.get(contract, 0.0) + quantity
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
