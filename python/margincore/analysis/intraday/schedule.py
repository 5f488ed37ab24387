"""A day's transactions as the engine takes them: at which marks, in which places, counted or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from margincore._core import Account, InvalidInput, MissingData, Prepared
from margincore.analysis import given
from margincore.analysis.intraday.kinds import instance
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
from margincore.calendars import day_of
from margincore.engine import ready

__all__ = ["Plan", "date_of", "listed", "of_its_day", "scheduled"]


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


def date_of(prepared: Prepared, on: dt.date | str | None) -> dt.date:
    """The date of the day: the one given, or the opening market's."""
    prepared = ready(prepared)
    if on is not None:
        return day_of(on, "on")
    if prepared.market is None:
        raise MissingData("intraday: on: the date of the day is needed where there is no market", code="missing_price")
    return day_of(prepared.market.valuation, "valuation")


def of_its_day(prepared: Prepared, on: dt.date) -> None:
    """Refuse a day that is not the opening market's."""
    if prepared.market is None:
        return
    valued = day_of(prepared.market.valuation, "valuation")
    if valued != on:
        raise InvalidInput(
            f"intraday: on is {on} and the opening market is of {valued}: prepare a market of the day",
            code="contradiction", where="on", value=on,
        )  # fmt: skip


def listed(transactions: Iterable[Transaction]) -> list[Transaction]:
    """The transactions of a day, each of a class of its own and with an id that no other has."""
    found: list[Transaction] = given.rows("intraday: transactions", transactions)
    ids: dict[str, int] = {}
    for i, transaction in enumerate(found):
        what = f"intraday: transaction {i}"
        instance(what, transaction, Transaction, "a Fill, Package, Cash, Securities, Expiry, Exercise or Charge")
        if transaction.id is None:
            continue
        if transaction.id in ids:
            raise InvalidInput(
                f"{what} has the id {transaction.id!r} of transaction {ids[transaction.id]}: give each its own",
                code="duplicate", where=what, value=transaction.id,
            )  # fmt: skip
        ids[transaction.id] = i
    return found


def scheduled(
    prepared: Prepared,
    account: Account,
    transactions: list[Transaction],
    updates: Iterable[tuple[str | dt.datetime, Prepared]],
    choices: Choices,
    on: dt.date | None,
) -> Plan:
    """Transactions with their marks and places; `on` is the day of every time, `None` where times are an order only."""
    moves = _moves(prepared, updates)
    if on is not None:
        of_its_day(prepared, on)
        for i, (moment, _) in enumerate(moves):
            _on_the_day(f"intraday: updates[{i}]", moment, prepared, on)
    plan = Plan([prepared, *(later for _, later in moves)])
    last = len(plan.markets) - 1
    times = [instant(transaction.time, f"transaction {i}") for i, transaction in enumerate(transactions)]
    if on is not None:
        for i, at in enumerate(times):
            _on_the_day(f"intraday: transaction {i}", at, prepared, on)
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


def _on_the_day(what: str, time: dt.datetime | None, prepared: Prepared, on: dt.date) -> None:
    """Refuse an instant that is not of the day, in the zone of the opening market."""
    if time is None:
        return
    if prepared.market is None:
        found = time.date()
    else:
        found = time.astimezone(dt.datetime.fromisoformat(prepared.market.valuation).tzinfo).date()
    if found != on:
        raise InvalidInput(
            f"{what}: its time is on {found} and the day is {on}: give what happened on that day",
            code="bad_time", where=what, value=time,
        )  # fmt: skip


def _moves(prepared: Prepared, updates: Iterable[tuple[Any, Prepared]]) -> list[tuple[dt.datetime, Prepared]]:
    moves: list[tuple[dt.datetime, Prepared]] = []
    for i, update in enumerate(given.rows("intraday: updates", updates)):
        if not isinstance(update, tuple | list) or len(update) != 2:
            given.refuse(f"intraday: updates[{i}]", update, "an instant and a preparation are needed", "wrong_type")
        moment, later = update
        instance(f"intraday: updates[{i}]", later, Prepared, "a preparation of an engine")
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
