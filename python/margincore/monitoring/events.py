"""What reaches a watched account, and what is said of it: events, statuses and alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from margincore._core import InvalidInput, Market
from margincore._pickles import Record

__all__ = ["Alert", "CancelEvent", "CashEvent", "Event", "FillEvent", "Level", "MarketEvent", "OrderEvent", "Status"]

Level = Literal["ok", "margin_call", "liquidation"]
"""Where an account stands: below the initial requirement it is a call, below the maintenance one a liquidation."""


def _check_id(event: str, contract: object) -> None:
    """Events are written down: they hold the id of a contract, which a table reads."""
    if not isinstance(contract, str):
        kind = type(contract).__name__
        raise InvalidInput(f"{event}: contract: an event holds the id of a contract, contract.id, not a {kind}")


@dataclass(frozen=True, slots=True)
class MarketEvent(Record):
    """A change of the market (by the names of :meth:`margincore.Prepared.update`), or a whole new one.

    `number` counts the events of the stream from 1 without gaps.
    """

    number: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    market: Market | None = None


@dataclass(frozen=True, slots=True)
class OrderEvent(Record):
    """An order sent: counted in its worst case from now on. With `replaces`, that order is cancelled by it.

    The same order again changes nothing; another under its id is refused. Terms as of :class:`margincore.Order`.
    """

    number: int
    account: str
    order: str
    contract: str
    side: Literal["buy", "sell"]
    quantity: float
    price: float
    fees: float = 0.0
    effect: Literal["open", "close"] | None = None
    all_or_none: bool = False
    replaces: str | None = None

    def __post_init__(self) -> None:
        _check_id("order event", self.contract)


@dataclass(frozen=True, slots=True)
class CancelEvent(Record):
    """An order is done, filled or not. What is not open any more stays so."""

    number: int
    account: str
    order: str


@dataclass(frozen=True, slots=True)
class FillEvent(Record):
    """A trade of an account: signed quantity in contracts, price in the contract's quote, fees in its currency.

    The words are those of :data:`margincore.Trade`, with `effect` where the account keeps long and short apart. With
    `order` and `execution` it fills an order of :class:`OrderEvent`, and the same execution again changes nothing.
    """

    number: int
    account: str
    contract: str
    quantity: float
    price: float
    fees: float = 0.0
    order: str | None = None
    execution: str | None = None
    effect: Literal["open", "close"] | None = None

    def __post_init__(self) -> None:
        _check_id("fill event", self.contract)


@dataclass(frozen=True, slots=True)
class CashEvent(Record):
    """A deposit (positive) or withdrawal (negative)."""

    number: int
    account: str
    currency: str
    amount: float


Event = MarketEvent | OrderEvent | CancelEvent | FillEvent | CashEvent
"""What a monitor takes."""


@dataclass(frozen=True, slots=True)
class Status(Record):
    """One account now, in the report's currency.

    `utilisation` is initial requirement over equity (infinite without equity). `to_call` and `to_liquidation` are how
    much equity may fall before the level is reached; negative once it is. Levels are those of the positions; `worst` is
    the initial requirement with open orders in their worst case (infinite where that cannot be established).
    """

    account: str
    equity: float
    initial: float
    maintenance: float
    utilisation: float
    to_call: float
    to_liquidation: float
    level: Level
    worst: float


@dataclass(frozen=True, slots=True)
class Alert(Record):
    """An account reached another level with event `number`. `previous` is the level before."""

    number: int
    previous: Level
    status: Status
