"""Intraday margin deficits of many accounts over a stream of events and days, with a journal."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from margincore._core import Account, InvalidInput, Market, ParseError, Prepared, check_version
from margincore._pickles import Record
from margincore.analysis import given, intraday
from margincore.analysis.intraday.day import explained
from margincore.analysis.intraday.kinds import instance, whole
from margincore.analysis.intraday.schedule import date_of
from margincore.calendars import BusinessDays, nyse
from margincore.engine import ready, thread_count
from margincore.monitoring.events import CashEvent, Event, FillEvent, MarketEvent
from margincore.monitoring.journal import Journal, encode

# The stream is that of the other monitor, and is written as that writes it.
from margincore.monitoring.monitor import _document, _event, _market_document, watched_accounts

__all__ = ["CloseEvent", "Closed", "CorrectionEvent", "IntradayMonitor"]

VERSION = 1
"""The version of the records that an intraday monitor writes to its journal."""


@dataclass(frozen=True, slots=True)
class CloseEvent(Record):
    """The close of a business day, at the marks then in force. What comes after belongs to the next."""

    number: int
    on: str


@dataclass(frozen=True, slots=True)
class CorrectionEvent(Record):
    """A fill or movement of cash, by the number of its event, was another (`instead`) or none (`None`)."""

    number: int
    corrects: int
    instead: FillEvent | CashEvent | None = None


@dataclass(frozen=True, slots=True)
class Closed(Record):
    """A day's deficit of one account, in the report's currency.

    Of a day that was closed already and is computed again after a correction, `previous` is the deficit it had.
    """

    account: str
    on: str
    deficit: float
    minor: bool
    previous: float | None = None


Movement = FillEvent | CashEvent
AnyEvent = Event | CloseEvent | CorrectionEvent


@dataclass(slots=True)
class _Book:
    """One account's day: how it began, and what happened."""

    opening: Account
    # The deficits before the day.
    deficits: dict[str, Any]
    movements: list[Movement] = field(default_factory=list)
    deficit: float = 0.0


@dataclass(slots=True)
class _Session:
    """A day of all accounts. `marks` are in force from the event of that number on."""

    opening: Prepared
    books: dict[str, _Book]
    # The number of its first event.
    first: int
    marks: list[tuple[int, Prepared]] = field(default_factory=list)
    on: str | None = None


class IntradayMonitor:
    """Keeps the intraday margin deficits of margin accounts (FINRA 4210(d)(2)) over a stream of events and days.

    Takes the events of :class:`Monitor`, in whose order they happened, and two of its own: :class:`CloseEvent` ends a
    day, whose deficits it gives; :class:`CorrectionEvent` has its day, and those after it, computed again. Orders and
    cancels are passed over; the same execution of an order again changes nothing. `choices` are those of
    :func:`margincore.intraday.day`; `satisfied_by`, `practice`, `prompt_days` and `calendar` those of
    :class:`margincore.intraday.Deficits`. Corrections reach back fifteen closed days, as far as a deficit can be
    outstanding; one of an earlier day is refused by name.

    With a `journal`, every event is on disk, with the deficits it gave, before it counts. Made again with the same
    journal, under the market that the journal was begun with, the monitor takes its events again: the deficits have to
    be those written, or :class:`margincore.InvalidInput` is raised. A source that knows an event was taken gives its
    number as `at_least`: a journal that was cut shorter raises :class:`margincore.ParseError`. Raises
    :class:`margincore.InvalidInput` also for a gap in the numbers, an unknown account or contract, and a correction of
    what is no fill and no cash of the days kept.

    When the journal fails, or an event is interrupted on its way there, the monitor answers for no account any more:
    make it again from its journal.

    >>> import margincore as mc
    >>> from margincore.monitoring import CloseEvent, CorrectionEvent, FillEvent, IntradayMonitor
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T09:30:00-05:00", spot={"XYZ": 100.0})
    >>> prepared = mc.Engine(mc.methods.RegT()).prepare([stock], market)
    >>> monitor = IntradayMonitor(prepared, {"a": mc.Account([], cash={"USD": 10_000.0})})
    >>> for event in (FillEvent(1, "a", "XYZ", 500, 100.0), CloseEvent(2, "2026-11-20"),
    ...               CorrectionEvent(3, 1, FillEvent(1, "a", "XYZ", 400, 100.0))):
    ...     for closed in monitor.take(event):
    ...         print(closed.on, closed.deficit, closed.previous)
    2026-11-20 2500.0 None
    2026-11-20 0.0 2500.0
    """

    def __init__(
        self,
        prepared: Prepared,
        accounts: Mapping[str, Account],
        *,
        choices: intraday.Choices | None = None,
        satisfied_by: intraday.SatisfiedBy = "customer",
        practice: bool | intraday.Practice | None = None,
        prompt_days: int | None = None,
        calendar: BusinessDays | None = None,
        haircuts: Mapping[str, float] | None = None,
        journal: str | os.PathLike[str] | None = None,
        sync: bool = True,
        at_least: int = 0,
        threads: int = 1,
    ) -> None:
        prepared = ready(prepared)
        accounts = watched_accounts("intraday monitor", accounts)
        at_least = whole("intraday monitor: at_least", at_least, least=0)
        instance("intraday monitor: choices", choices, intraday.Choices | None, "a Choices")
        self._choices = choices or intraday.Choices()
        self._terms: dict[str, Any] = {"satisfied_by": satisfied_by, "practice": practice, "prompt_days": prompt_days}
        self._calendar = nyse() if calendar is None else calendar
        self._haircuts = {} if haircuts is None else given.numbers("haircuts", haircuts)
        self._threads = thread_count(threads)
        self._by_id = {contract.id: contract for contract in prepared.contracts}
        self._prepared = prepared
        self._deficits = {name: self._ledger() for name in accounts}
        # As they are now.
        self._accounts = dict(accounts)
        self._number = 0
        self._sessions = [self._next()]
        self._executions: set[tuple[str, str, str]] = set()
        self._failed = False
        self._journal: Journal | None = None
        if journal is not None:
            own = Journal(journal, sync=given.flag("intraday monitor: sync", sync))
            try:
                self._resume(own, os.fspath(journal), at_least)
            except BaseException:
                own.close()
                raise
            self._journal = own

    # ---- questions

    @property
    def number(self) -> int:
        """The last event taken; 0 before the first."""
        return self._number

    @property
    def journal_removed(self) -> int:
        """How many bytes of a record cut short were taken away when the journal was opened."""
        return 0 if self._journal is None else self._journal.removed

    def day(self, account: str) -> intraday.Day:
        """The day of an account so far, transaction by transaction. Its date is that of the marks in force."""
        self._answers()
        self._known(account)
        return self._day(self._sessions[-1], self._sessions[-1].books[account], None)

    def deficits(self, account: str) -> list[intraday.Standing]:
        """The deficits of an account as of the last day closed, the oldest first; none before the first."""
        self._answers()
        self._known(account)
        closed = [session.on for session in self._sessions if session.on is not None]
        return self._deficits[account].standing(closed[-1]) if closed else []

    def close(self) -> None:
        """Close the journal. The monitor takes no event afterwards where it has one."""
        if self._journal is not None:
            self._journal.close()

    # ---- the stream

    def run(self, events: Iterable[AnyEvent]) -> Iterator[Closed]:
        """Take events in order and yield the deficits of days closed. Known events are passed over."""
        for event in events:
            yield from self.take(event)

    def take(self, event: AnyEvent) -> list[Closed]:
        """Take one event; the deficits it gives: of a day it closes, or of closed days that a correction changed."""
        self._answers()
        if event.number <= self._number:
            return []
        if event.number != self._number + 1:
            raise InvalidInput(f"intraday monitor: event {event.number} after event {self._number}: there is a gap")
        document = _written(event)
        encode(document, f"intraday monitor: event {event.number}")
        outcome = self._tried(event)
        # What is interrupted between the journal and here may be in one of them only.
        self._failed = True
        if self._journal is not None:
            self._journal.append({"event": document, "closed": [asdict(closed) for closed in outcome.closed]})
        self._commit(event, outcome)
        self._failed = False
        return outcome.closed

    def _answers(self) -> None:
        if self._failed:
            raise InvalidInput(
                "intraday monitor: an earlier event failed half way: make the monitor again from its journal"
            )

    def _tried(self, event: AnyEvent) -> _Outcome:
        """What an event makes, beside what is here: nothing has changed where it is refused."""
        match event:
            case MarketEvent():
                if event.market is not None:
                    return _Outcome(prepared=self._prepared.with_market(event.market, threads=self._threads))
                return _Outcome(prepared=self._prepared.update(threads=self._threads, **event.changes))
            case FillEvent() | CashEvent():
                self._known(event.account)
                if self._is_known(event):
                    return _Outcome()
                return _Outcome(accounts={event.account: self._moved(self._accounts[event.account], [event])})
            case CloseEvent():
                return self._closing(event)
            case CorrectionEvent():
                return self._corrected(event)
            case _:
                self._known(event.account)
                return _Outcome()

    def _commit(self, event: AnyEvent, outcome: _Outcome) -> None:
        session = self._sessions[-1]
        self._number = event.number
        is_new = isinstance(event, FillEvent | CashEvent) and not self._is_known(event)
        self._accounts.update(outcome.accounts)
        self._deficits.update(outcome.deficits)
        if outcome.prepared is not None:
            self._prepared = outcome.prepared
            session.marks.append((event.number, outcome.prepared))
        if isinstance(event, FillEvent | CashEvent) and is_new:
            session.books[event.account].movements.append(event)
            if isinstance(event, FillEvent) and event.order is not None and event.execution is not None:
                self._executions.add((event.account, event.order, event.execution))
        for own, name, book in outcome.books:
            own.books[name] = book
        if isinstance(event, CloseEvent):
            session.on = event.on
            self._sessions.append(self._next())
            # A correction reaches back as far as a deficit can be outstanding.
            del self._sessions[: -(_KEPT + 1)]

    # ---- days

    def _ledger(self) -> intraday.Deficits:
        return intraday.Deficits(calendar=self._calendar, **self._terms)

    def _known(self, account: str) -> None:
        if account not in self._accounts:
            raise InvalidInput(f"intraday monitor: no account '{account}'")

    def _is_known(self, event: Movement) -> bool:
        if not isinstance(event, FillEvent) or event.order is None or event.execution is None:
            return False
        return (event.account, event.order, event.execution) in self._executions

    def _moved(self, account: Account, movements: Iterable[Movement]) -> Account:
        """An account with movements done."""
        live = self._prepared.open(account, haircuts=self._haircuts)
        for movement in movements:
            if isinstance(movement, CashEvent):
                live.deposit(movement.currency, movement.amount)
            else:
                if movement.contract not in self._by_id:
                    raise InvalidInput(f"intraday monitor: event {movement.number}: no contract '{movement.contract}'")
                contract = self._by_id[movement.contract]
                live.apply([(contract, movement.quantity, movement.price, movement.fees)])
        # What cannot be valued is refused now, not at the close.
        _ = live.equity
        return Account(
            live.positions, cash=live.cash, collateral=account.collateral, kind=account.kind, gross=account.gross
        )

    def _day(self, session: _Session, book: _Book, on: str | None) -> intraday.Day:
        moves: list[intraday.Transaction] = []
        for movement in book.movements:
            time, name = _instant(movement.number), str(movement.number)
            if isinstance(movement, CashEvent):
                moves.append(intraday.Cash(movement.amount, movement.currency, time=time, id=name))
            else:
                contract = self._by_id[movement.contract]
                fill = intraday.Fill(contract, movement.quantity, movement.price, movement.fees, time=time, id=name)
                moves.append(fill)
        return explained(
            session.opening,
            book.opening,
            moves,
            # An event has a number and no time, and a day may open at the marks of the one before it.
            timed=False,
            updates=[(_instant(number), marks) for number, marks in session.marks],
            on=date_of(self._prepared, on),
            choices=self._choices,
            haircuts=self._haircuts,
        )

    def _settled(self, session: _Session, book: _Book, on: str) -> tuple[intraday.Day, intraday.Deficits]:
        """A day closed: what it came to, and the deficits after it."""
        day = self._day(session, book, on)
        ledger = self._ledger()
        ledger.restore(book.deficits)
        ledger.close(day)
        return day, ledger

    def _closing(self, event: CloseEvent) -> _Outcome:
        session, outcome = self._sessions[-1], _Outcome()
        for name, book in session.books.items():
            day, outcome.deficits[name] = self._settled(session, book, event.on)
            outcome.books.append((session, name, replace(book, deficit=day.deficit)))
            if day.deficit > 0.0:
                outcome.closed.append(Closed(name, event.on, day.deficit, bool(day.minor)))
        return outcome

    def _next(self) -> _Session:
        books = {name: _Book(account, self._deficits[name].to_dict()) for name, account in self._accounts.items()}
        return _Session(self._prepared, books, self._number + 1)

    def _corrected(self, event: CorrectionEvent) -> _Outcome:
        first, name, at = self._found(event.corrects)
        instead = event.instead
        if instead is not None and (instead.account != name or instead.number != event.corrects):
            raise InvalidInput(
                f"intraday monitor: event {event.number}: instead has to be event {event.corrects} of account '{name}'"
            )
        outcome = _Outcome()
        opening = self._sessions[first].books[name].opening
        deficits = self._sessions[first].books[name].deficits
        for place, session in enumerate(self._sessions[first:], start=first):
            old = session.books[name]
            movements = list(old.movements)
            if place == first:
                movements[at : at + 1] = [] if instead is None else [instead]
            book = _Book(opening, deficits, movements)
            opening = self._moved(opening, movements)
            if session.on is not None:
                day, ledger = self._settled(session, book, session.on)
                book.deficit, deficits = day.deficit, ledger.to_dict()
                outcome.deficits[name] = ledger
                if day.deficit != old.deficit:
                    outcome.closed.append(Closed(name, session.on, day.deficit, bool(day.minor), old.deficit))
            outcome.books.append((session, name, book))
        outcome.accounts[name] = opening
        return outcome

    def _found(self, number: int) -> tuple[int, str, int]:
        """The session, account and place of a movement."""
        for place, session in enumerate(self._sessions):
            for name, book in session.books.items():
                for at, movement in enumerate(book.movements):
                    if movement.number == number:
                        return place, name, at
        if number < self._sessions[0].first:
            raise InvalidInput(
                f"intraday monitor: event {number} is of a day before the last {_KEPT} closed: a correction reaches "
                "back as far as a deficit can be outstanding",
                code="out_of_range", where="corrects", value=number,
            )  # fmt: skip
        raise InvalidInput(f"intraday monitor: event {number} is no fill and no cash of the last {_KEPT} days")

    # ---- the journal

    def _begin(self) -> dict[str, Any]:
        practice = self._terms["practice"]
        market = self._prepared.market
        return {
            "version": VERSION,
            "contracts": self._prepared.contracts.digest,
            "parameters": self._prepared.methodology.parameters["digest"],
            "choices": asdict(self._choices),
            "deficits": {
                **self._terms,
                "practice": asdict(practice) if isinstance(practice, intraday.Practice) else practice,
            },
            "holidays": [day.isoformat() for day in self._calendar.holidays],
            "haircuts": self._haircuts,
            "accounts": {name: _opened(book.opening) for name, book in sorted(self._sessions[0].books.items())},
            "market": None if market is None else _market_document(market),
        }

    def _resume(self, journal: Journal, path: str, at_least: int) -> None:
        begin = self._begin()
        for i, record in enumerate(journal.records):
            if i == 0:
                self._restart(record.get("begin"), begin, path)
                continue
            event = _read(record["event"])
            outcome = self._tried(event)
            found = [asdict(closed) for closed in outcome.closed]
            if found != record["closed"]:
                raise InvalidInput(
                    f"intraday monitor: event {event.number}: the journal has {record['closed']}, "
                    f"and now it is {found}",
                    code="contradiction",
                )
            self._commit(event, outcome)
        if self._number < at_least:
            raise ParseError(f"{path}: the last event is {self._number}, and at least {at_least} is asked for")
        if journal.count == 0:
            journal.append({"begin": begin})

    def _restart(self, begun: dict[str, Any] | None, begin: dict[str, Any], path: str) -> None:
        """Go back to how a journal was begun. A process made again has a market of its own; the first one counts."""
        if begun is not None and "version" in begun:
            check_version(f"{path}: records of an intraday monitor", begun["version"], VERSION, VERSION)
        if begun is None or begun | {"market": None} != begin | {"market": None}:
            raise InvalidInput("intraday monitor: the journal was begun with other accounts or terms")
        if begun["market"] is not None:
            market = Market(**begun["market"])
            self._prepared = self._prepared.with_market(market, marks="keep", threads=self._threads)
            self._sessions = [self._next()]


@dataclass(slots=True)
class _Outcome:
    """What an event makes, before it counts."""

    closed: list[Closed] = field(default_factory=list)
    prepared: Prepared | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    deficits: dict[str, intraday.Deficits] = field(default_factory=dict)
    books: list[tuple[_Session, str, _Book]] = field(default_factory=list)


# Closed days that a correction reaches.
_KEPT = 15


def _instant(number: int) -> dt.datetime:
    """Events are in the order of their numbers: one stands for its time."""
    return dt.datetime(2000, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=number)


def _opened(account: Account) -> dict[str, Any]:
    return {
        "cash": dict(account.cash),
        "collateral": dict(account.collateral),
        "kind": account.kind,
        "gross": account.gross,
        "positions": [[position.contract.id, position.long, position.short] for position in account.positions],
    }


def _written(event: AnyEvent) -> dict[str, Any]:
    match event:
        case CloseEvent():
            return {"kind": "close", **asdict(event)}
        case CorrectionEvent():
            instead = None if event.instead is None else _document(event.instead)
            return {"kind": "correction", "number": event.number, "corrects": event.corrects, "instead": instead}
        case _:
            return _document(event)


def _read(document: dict[str, Any]) -> AnyEvent:
    match document["kind"]:
        case "close":
            return CloseEvent(document["number"], document["on"])
        case "correction":
            instead = None if document["instead"] is None else _event(document["instead"])
            if not isinstance(instead, FillEvent | CashEvent | None):
                raise InvalidInput(f"intraday monitor: event {document['number']}: instead is no fill and no cash")
            return CorrectionEvent(document["number"], document["corrects"], instead)
        case _:
            return _event(document)
