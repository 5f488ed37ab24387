"""A day's transactions as the engine takes them: at which marks, in which places, counted or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from margincore._core import Account, InvalidInput, Prepared
from margincore.analysis.intraday.rule import Choices
from margincore.analysis.intraday.transactions import (
    Cash,
    Charge,
    Exercise,
    Expiry,
    Fill,
    Package,
    Securities,
    Transaction,
    instant,
)

__all__ = ["Plan", "scheduled"]


@dataclass(slots=True)
class Plan:
    """What the engine is given, and what its answers are told by: one entry per transaction."""

    markets: list[Prepared]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    kinds: list[type] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)

    @property
    def is_free(self) -> bool:
        """Whether the order of some transactions is not known."""
        places = [row[4] for row in self.rows]
        return len(places) > 1 and (None in places or len(set(places)) < len(places))


def scheduled(
    prepared: Prepared,
    account: Account,
    transactions: list[Transaction],
    updates: Iterable[tuple[str | dt.datetime, Prepared]],
    choices: Choices,
) -> Plan:
    """Transactions with their marks and places."""
    moves = _moves(prepared, updates)
    plan = Plan([prepared, *(later for _, later in moves)])
    last = len(plan.markets) - 1
    times = [instant(transaction.time, f"transaction {i}") for i, transaction in enumerate(transactions)]
    # Places from 1: what counts from the start is at 0.
    places = {time: place for place, time in enumerate(sorted({time for time in times if time is not None}), start=1)}
    for transaction, time in _from_start(account, list(zip(transactions, times, strict=True)), choices):
        is_first = time == _START
        place = 0 if is_first else None if time is None else places[time]
        if time is None or is_first:
            market = last if choices.marks == "close" and not is_first else 0
        else:
            market = sum(1 for moment, _ in moves if moment <= time)
        marks = "close" if market == last and choices.marks == "close" and time is None else "given"
        if choices.marks == "trade" and isinstance(transaction, Fill | Package):
            plan.markets.append(_at_own_prices(plan.markets[market], transaction))
            market, marks = len(plan.markets) - 1, "trade"
        plan.rows.append((transaction.trades(), transaction.cash(), market, _counts(transaction, choices), place))
        plan.texts.append(str(transaction))
        plan.kinds.append(type(transaction))
        plan.marks.append(marks)
    if len(plan.markets) - 1 != last:
        # The day closes at its last marks, not at the price of a fill.
        plan.markets.append(plan.markets[last])
    return plan


# Of what counts from the start of the day, whatever its own time.
_START = dt.datetime.min.replace(tzinfo=dt.UTC)
_Timed = tuple[Transaction, dt.datetime | None]


def _moves(prepared: Prepared, updates: Iterable[tuple[Any, Prepared]]) -> list[tuple[dt.datetime, Prepared]]:
    moves: list[tuple[dt.datetime, Prepared]] = []
    for i, (moment, later) in enumerate(updates):
        time = instant(moment, f"updates[{i}]")
        if time is None:
            raise InvalidInput(f"intraday: updates[{i}]: an instant is needed", code="bad_time")
        if later.contracts.digest != prepared.contracts.digest:
            raise InvalidInput(
                f"intraday: updates[{i}]: a preparation of another table of contracts", code="other_table"
            )
        if moves and time < moves[-1][0]:
            raise InvalidInput(f"intraday: updates[{i}]: {time} is before the one in front of it", code="bad_time")
        moves.append((time, later))
    return moves


def _counts(transaction: Transaction, choices: Choices) -> bool:
    match transaction:
        case Charge():
            return False
        case Expiry():
            return choices.expiry_counts
        case Exercise():
            return choices.exercise_counts
        case _:
            return True


def _at_own_prices(market: Prepared, transaction: Fill | Package) -> Prepared:
    """The marks with those of the contracts traded at their own prices."""
    spot, price = {}, {}
    for fill in [transaction] if isinstance(transaction, Fill) else transaction.fills:
        if fill.contract.kind in ("stock", "etf"):
            spot[fill.contract.underlying] = fill.price
        price[fill.contract.id] = fill.price
    return market.update(spot=spot or None, price=price, marks="keep")


def _from_start(account: Account, timed: list[_Timed], choices: Choices) -> list[_Timed]:
    """What the choices count from the start of the day gets its place before everything else."""
    if choices.deposits_from_start:
        timed = _deposits_first(timed)
    if choices.closes_from_start:
        timed = _closes_first(account, timed)
    return timed


def _deposits_first(timed: list[_Timed]) -> list[_Timed]:
    """Net deposits by currency, and by contract, where they are positive: as one at the start. The rest stays."""
    net: dict[str, float] = {}
    received: dict[str, float] = {}
    for transaction, _ in timed:
        if isinstance(transaction, Cash):
            net[transaction.currency] = net.get(transaction.currency, 0.0) + transaction.amount
        elif isinstance(transaction, Securities):
            name = transaction.contract.id
            received[name] = received.get(name, 0.0) + transaction.quantity
    first: list[_Timed] = []
    rest: list[_Timed] = []
    for transaction, time in timed:
        if isinstance(transaction, Cash) and net[transaction.currency] >= 0.0:
            if net[transaction.currency] > 0.0:
                first.append((Cash(net[transaction.currency], transaction.currency), _START))
                net[transaction.currency] = 0.0
        elif isinstance(transaction, Securities) and received[transaction.contract.id] >= 0.0:
            if received[transaction.contract.id] > 0.0:
                first.append((Securities(transaction.contract, received[transaction.contract.id]), _START))
                received[transaction.contract.id] = 0.0
        else:
            rest.append((transaction, time))
    return first + rest


def _closes_first(account: Account, timed: list[_Timed]) -> list[_Timed]:
    """Fills against positions held at the open, as far as they close them; the rest of a fill keeps its time."""
    held: dict[str, float] = {}
    for position in account.positions:
        held[position.contract.id] = held.get(position.contract.id, 0.0) + position.quantity
    result: list[_Timed] = []
    for transaction, time in timed:
        if not isinstance(transaction, Fill):
            result.append((transaction, time))
            continue
        open_ = held.get(transaction.contract.id, 0.0)
        closes = min(abs(transaction.quantity), abs(open_)) if transaction.quantity * open_ < 0.0 else 0.0
        if closes == 0.0:
            result.append((transaction, time))
            continue
        share = closes / abs(transaction.quantity)
        signed = closes if transaction.quantity > 0.0 else -closes
        held[transaction.contract.id] = open_ + signed
        result.append((replace(transaction, quantity=signed, fees=transaction.fees * share), _START))
        if share < 1.0:
            left = replace(transaction, quantity=transaction.quantity - signed, fees=transaction.fees * (1.0 - share))
            result.append((left, time))
    return result
