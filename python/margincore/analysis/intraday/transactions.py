"""What happens to an account in a day, in the words of the rule: what may lower its intraday margin level."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from margincore._core import Contract, InvalidInput, Unsupported
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.intraday.kinds import instance, text

__all__ = ["Cash", "Charge", "Exercise", "Expiry", "Fill", "Package", "Securities", "Trade", "Transaction"]

Time = str | dt.datetime | None
# As the engine takes one: contract, signed quantity, and price and fees where cash follows.
Trade = tuple[Contract, float] | tuple[Contract, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Record):
    """What every transaction has: an instant with its zone, where it is known, and a name of the user's own.

    An `id` is unique among a day's transactions where it is given.
    """

    time: Time = None
    id: str | None = None

    def __post_init__(self) -> None:
        if self.id is not None:
            text(self._what("id"), self.id)
        self._read()

    def _read(self) -> None:
        """Refuse what the fields of the class cannot be."""

    def _what(self, name: str) -> str:
        return f"{type(self).__name__}: {name}"

    def _of_contract(self, contract: object, quantity: object) -> None:
        instance(self._what("contract"), contract, Contract, "a Contract")
        given.number(self._what("quantity"), quantity)

    def _of_cash(self, amount: object, currency: object) -> None:
        given.number(self._what("amount"), amount)
        text(self._what("currency"), currency)

    def trades(self) -> list[Trade]:
        """What it does to the positions."""
        return []

    def cash(self) -> dict[str, float]:
        """What it does to cash beside its trades."""
        return {}


@dataclass(frozen=True, slots=True)
class Fill(Event):
    """A trade: signed quantity in contracts, price in the contract's quote, fees in its currency.

    Without a `time` it may have been at any time of the day. Only a future's price may be negative.
    """

    contract: Contract
    quantity: float
    price: float
    fees: float = 0.0

    def _read(self) -> None:
        self._of_contract(self.contract, self.quantity)
        if self.quantity == 0:
            given.refuse(self._what("quantity"), self.quantity, "a number other than 0 is needed", "out_of_range")
        given.number(self._what("price"), self.price, least=least_price(self.contract))
        given.number(self._what("fees"), self.fees)

    def trades(self) -> list[Trade]:
        """What it does to the positions."""
        return [(self.contract, self.quantity, self.price, self.fees)]

    def __str__(self) -> str:
        side = "buy" if self.quantity > 0 else "sell"
        return f"{side} {abs(self.quantity):,.10g} {self.contract.id} at {self.price:,.10g}"


@dataclass(frozen=True, slots=True)
class Package(Event):
    """Legs executed together: one transaction. The legs' own times are not looked at."""

    fills: tuple[Fill, ...]

    def _read(self) -> None:
        for i, fill in enumerate(instance(self._what("fills"), self.fills, tuple | list, "a tuple of Fill")):
            instance(self._what(f"fills[{i}]"), fill, Fill, "a Fill")

    def trades(self) -> list[Trade]:
        """What it does to the positions."""
        return [trade for fill in self.fills for trade in fill.trades()]

    def __str__(self) -> str:
        return "together: " + ", ".join(str(fill) for fill in self.fills)


@dataclass(frozen=True, slots=True)
class Money(Event):
    """What moves an amount of cash and no position."""

    amount: float
    currency: str = "USD"

    def _read(self) -> None:
        self._of_cash(self.amount, self.currency)

    def cash(self) -> dict[str, float]:
        """What it does to cash beside its trades."""
        return {self.currency: self.amount}


@dataclass(frozen=True, slots=True)
class Cash(Money):
    """A deposit (positive) or withdrawal (negative) of cash."""

    def __str__(self) -> str:
        return f"{'deposit' if self.amount > 0 else 'withdraw'} {abs(self.amount):,.2f} {self.currency}"


@dataclass(frozen=True, slots=True)
class Securities(Event):
    """Securities that come in (positive) or are withdrawn (negative), in contracts: no cash moves."""

    contract: Contract
    quantity: float

    def _read(self) -> None:
        self._of_contract(self.contract, self.quantity)

    def trades(self) -> list[Trade]:
        """What it does to the positions."""
        return [(self.contract, self.quantity)]

    def __str__(self) -> str:
        return f"{'receive' if self.quantity > 0 else 'deliver out'} {abs(self.quantity):,.10g} {self.contract.id}"


@dataclass(frozen=True, slots=True)
class Expiry(Event):
    """Options that expire without value: positive were held, negative written. No cash moves."""

    contract: Contract
    quantity: float

    def _read(self) -> None:
        self._of_contract(self.contract, self.quantity)

    def trades(self) -> list[Trade]:
        """What it does to the positions."""
        return [(self.contract, -self.quantity)]

    def __str__(self) -> str:
        side = "long" if self.quantity > 0 else "short"
        return f"{abs(self.quantity):,.10g} {side} {self.contract.id} expire"


@dataclass(frozen=True, slots=True)
class Exercise(Event):
    """Options exercised (positive) or assigned (negative), in contracts.

    `shares` is the stock or fund delivered at the strike; or `settlement` the price of the underlying that a
    cash-settled option is paid on.
    """

    contract: Contract
    quantity: float
    shares: Contract | None = None
    settlement: float | None = None

    def _read(self) -> None:
        self._of_contract(self.contract, self.quantity)
        instance(self._what("shares"), self.shares, Contract | None, "a Contract")
        if self.settlement is not None:
            given.number(self._what("settlement"), self.settlement)
        if self.contract.strike is None:
            raise InvalidInput(f"exercise: '{self.contract.id}' is not an option")
        if self.contract.adjusted:
            raise Unsupported(
                f"exercise of '{self.contract.id}': an adjusted option delivers something else: give what moves as "
                "Securities and Cash",
                where=self.contract.id,
            )
        if (self.shares is None) == (self.settlement is None):
            raise InvalidInput(f"exercise of '{self.contract.id}': give shares, or settlement of a cash-settled option")

    def trades(self) -> list[Trade]:
        """What it does to the positions."""
        gone: Trade = (self.contract, -self.quantity)
        if self.shares is None:
            return [gone]
        bought = self.quantity * self.contract.multiplier * (1.0 if self.contract.right == "call" else -1.0)
        return [gone, (self.shares, bought, _strike(self.contract), 0.0)]

    def cash(self) -> dict[str, float]:
        """What it does to cash beside its trades."""
        if self.settlement is None:
            return {}
        above = self.settlement - _strike(self.contract)
        intrinsic = max(above if self.contract.right == "call" else -above, 0.0)
        return {self.contract.currency: self.quantity * self.contract.multiplier * intrinsic}

    def __str__(self) -> str:
        what = "exercised" if self.quantity > 0 else "assigned"
        return f"{abs(self.quantity):,.10g} {self.contract.id} {what}"


@dataclass(frozen=True, slots=True)
class Charge(Money):
    """Interest, a fee or a dividend on the account: it moves the level and is no transaction of the rule."""

    def __str__(self) -> str:
        return f"{'credit' if self.amount > 0 else 'charge'} of {abs(self.amount):,.2f} {self.currency}"


Transaction = Fill | Package | Cash | Securities | Expiry | Exercise | Charge
"""What may happen to an account within a day."""


def least_price(contract: Contract) -> float | None:
    """The lowest price a contract trades at; `None` for a future, whose price may be negative."""
    return None if contract.kind == "future" else 0.0


def _strike(contract: Contract) -> float:
    return math.nan if contract.strike is None else contract.strike


def instant(time: Time, what: str) -> dt.datetime | None:
    """A time with its zone, or `None` where there is none."""
    if time is None:
        return None
    if isinstance(time, str):
        try:
            time = dt.datetime.fromisoformat(time)
        except ValueError:
            raise InvalidInput(
                f"{what}: time {time!r} is not an instant such as '2026-11-20T11:00:00-05:00'", code="bad_time"
            ) from None
    if not isinstance(time, dt.datetime) or time.tzinfo is None:
        raise InvalidInput(f"{what}: time {time!r}: an instant with its zone is needed", code="bad_time")
    return time
