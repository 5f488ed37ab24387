"""Margin of many accounts watched as market and fills come in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from margincore._core import (
    Account,
    InvalidInput,
    LiveAccount,
    MarginError,
    Market,
    Order,
    ParseError,
    Position,
    Prepared,
    Unsupported,
    check_version,
)
from margincore.analysis import given
from margincore.analysis.intraday.kinds import instance, whole
from margincore.engine import ready, thread_count
from margincore.monitoring.events import (
    Alert,
    CancelEvent,
    CashEvent,
    Event,
    FillEvent,
    Level,
    MarketEvent,
    OrderEvent,
    Status,
)
from margincore.monitoring.journal import Journal, encode
from margincore.read_only import ReadOnlyDict

__all__ = ["Monitor"]

VERSION = 1
"""The version of the records that a monitor writes to its journal."""


# The largest multiple of a requirement that is a level: larger ones are percentages by mistake.
_MAX_LEVEL = 10.0


class Monitor:
    """Watches accounts over a stream of events; yields an :class:`Alert` whenever one changes its level.

    A margin call is reached when equity falls below `call` times the initial requirement, liquidation below
    `liquidation` times the maintenance requirement (1.0 each by default: what is exact is the rulebook's). `haircuts`
    are the fractions taken off collateral, by asset.

    With a `journal`, every event is on disk with the alerts it caused before they are yielded. A monitor made again
    with the same journal continues where the last one stopped: :attr:`number` is the last event taken, and events
    up to it are passed over, so that a source may send them again. Its arguments have to be the ones the journal was
    begun with; the market and the accounts are the journal's. A source that knows an event was taken gives its number
    as `at_least`: a journal that was cut shorter raises :class:`margincore.ParseError`. Raises
    :class:`margincore.InvalidInput` for a gap in the numbers or an unknown account.

    When the journal fails, or an event is interrupted, the event is not taken, the monitor answers for no account any
    more and every open account refuses every order: make the monitor again from its journal.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> monitor = Monitor(prepared, {"a": mc.Account([mc.Position(stock, 100)], cash={"USD": -4_000.0})})
    >>> for alert in monitor.run([MarketEvent(1, {"spot": {"XYZ": 48.0}}), MarketEvent(2, {"spot": {"XYZ": 46.0}})]):
    ...     print(alert.number, alert.status.level, alert.status.equity, alert.status.initial)
    2 liquidation 600.0 690.0
    >>> monitor.take(OrderEvent(3, "a", "o1", "XYZ", "buy", 50, 45.0))
    []
    >>> monitor.status("a").worst                   # fifteen percent of 150 shares at 46
    1035.0
    """

    def __init__(
        self,
        prepared: Prepared,
        accounts: Mapping[str, Account],
        *,
        haircuts: Mapping[str, float] | None = None,
        call: float = 1.0,
        liquidation: float = 1.0,
        journal: str | os.PathLike[str] | None = None,
        sync: bool = True,
        at_least: int = 0,
        checkpoint: int = 256,
        threads: int = 1,
    ) -> None:
        prepared = ready(prepared)
        for name, level in (("call", call), ("liquidation", liquidation)):
            given.number(f"monitor: {name}", level)
            if not 0.0 < level <= _MAX_LEVEL:
                raise InvalidInput(
                    f"monitor: {name} is {level}: a factor above 0 and up to {_MAX_LEVEL:g} is needed (1.3 is 130 %)",
                    code="out_of_range",
                )
        checkpoint = whole("monitor: checkpoint", checkpoint, least=1)
        at_least = whole("monitor: at_least", at_least, least=0)
        watched = watched_accounts("monitor", accounts)
        self._call, self._liquidation = call, liquidation
        self._haircuts = {} if haircuts is None else given.numbers("haircuts", haircuts)
        self._checkpoint, self._threads = checkpoint, thread_count(threads)
        self._prepared = prepared
        self._kinds = {name: (account.kind, account.collateral) for name, account in watched.items()}
        self._live = {name: self._open(account) for name, account in watched.items()}
        self._by_id = {contract.id: contract for contract in prepared.contracts}
        self._number = 0
        # Orders that messages have reached since the last state was written: a state names only these.
        self._touched: dict[str, set[str]] = {name: set() for name in self._live}
        self._failed = self._closed = False
        self._journal: Journal | None = None
        self._level: dict[str, Level] = {}
        if journal is None:
            self._level = {name: self._status(name).level for name in self._live}
            return
        self._journal = Journal(journal, sync=given.flag("monitor: sync", sync))
        try:
            self._resume(self._journal, os.fspath(journal), at_least)
        except BaseException:
            self._journal.close()
            raise

    # ---- questions

    @property
    def number(self) -> int:
        """The last event taken; 0 before the first."""
        return self._number

    @property
    def prepared(self) -> Prepared:
        """The rulebook under the present market."""
        self._answers()
        return self._prepared

    @property
    def accounts(self) -> Mapping[str, LiveAccount]:
        """The open accounts by name, read-only, for what-ifs and checks; trades and orders belong into the stream."""
        self._answers()
        return ReadOnlyDict(self._live)

    @property
    def journal_digest(self) -> str | None:
        """The digest of the journal so far."""
        return None if self._journal is None else self._journal.digest

    @property
    def journal_removed(self) -> int:
        """How many bytes of a record cut short were taken away when the journal was opened."""
        return 0 if self._journal is None else self._journal.removed

    def status(self, account: str) -> Status:
        """Equity, requirement, utilisation and the distance to both levels."""
        self._answers()
        return self._status(account)

    def _status(self, account: str) -> Status:
        live = self._live[account]
        margin, equity = live.margin, live.equity
        to_call = equity - self._call * margin.initial
        to_liquidation = equity - self._liquidation * margin.maintenance
        level: Level = "liquidation" if to_liquidation < 0 else "margin_call" if to_call < 0 else "ok"
        without_equity = 0.0 if margin.initial == 0 else float("inf")
        utilisation = margin.initial / equity if equity > 0 else without_equity
        try:
            worst = live.worst
        except Unsupported:
            worst = float("inf")
        return Status(
            account, equity, margin.initial, margin.maintenance, utilisation, to_call, to_liquidation, level, worst
        )

    def close(self) -> None:
        """Close the journal. The monitor takes no event afterwards."""
        self._closed = True
        if self._journal is not None:
            self._journal.close()

    def alerts(self) -> list[Alert]:
        """Every alert of the journal: those a consumer may have missed when the process died are among them."""
        if self._journal is None:
            raise InvalidInput("monitor: without a journal past alerts are not kept", code="contradiction")
        return [_alert(document) for record in self._journal.records for document in record.get("alerts", ())]

    # ---- the stream

    def run(self, events: Iterable[Event]) -> Iterator[Alert]:
        """Take events in order and yield alerts. Known events are passed over."""
        for event in events:
            yield from self.take(event)

    def take(self, event: Event) -> list[Alert]:
        """Take one event, or raise. After an error inside it, make the monitor again from its journal."""
        self._answers()
        if self._closed:
            raise InvalidInput("monitor: it is closed")
        if event.number <= self._number:
            return []
        if event.number != self._number + 1:
            raise InvalidInput(f"monitor: event {event.number} after event {self._number}: the stream has a gap")
        document = _document(event)
        encode(document, f"monitor: event {event.number}")
        if not isinstance(event, MarketEvent) and event.account not in self._live:
            raise InvalidInput(f"monitor: event {event.number}: no account '{event.account}'")
        if isinstance(event, FillEvent | OrderEvent) and event.contract not in self._by_id:
            raise InvalidInput(f"monitor: event {event.number}: no contract '{event.contract}'")
        moved = self._moved(event)
        # Only applying an event shows whether it is refused and what it causes, so the accounts are ahead of the
        # journal until it is written. Whatever happens in between, nobody is told of that state, nor trades on it.
        self._failed = True
        try:
            alerts, levels = self._advance(event, moved)
            self._write({"event": document, "alerts": [_alert_document(a) for a in alerts]})
            self._level, self._number = levels, event.number
            self._write_checkpoint()
            self._failed = False
        finally:
            if self._failed:
                for live in self._live.values():
                    live.kill()
        return alerts

    def _answers(self) -> None:
        if self._failed:
            raise InvalidInput("monitor: an earlier event failed half way: make the monitor again from its journal")

    def _moved(self, event: Event) -> Prepared | None:
        """The rulebook after a market event: one that is refused has reached no account."""
        if not isinstance(event, MarketEvent):
            return None
        if event.market is not None:
            return self._prepared.with_market(event.market, threads=self._threads)
        return self._prepared.update(threads=self._threads, **event.changes)

    def _advance(self, event: Event, moved: Prepared | None) -> tuple[list[Alert], dict[str, Level]]:
        """Apply an event: the alerts it causes, and the levels after it."""
        try:
            touched = self._apply(event, moved)
        except (MarginError, TypeError, ValueError, OverflowError):
            # An account that refuses a message is as it was; a market may have reached some accounts and not others.
            self._failed = isinstance(event, MarketEvent)
            raise
        levels = dict(self._level)
        alerts = []
        for name in touched:
            status = self._status(name)
            if status.level != levels[name]:
                alerts.append(Alert(event.number, levels[name], status))
                levels[name] = status.level
        return alerts, levels

    def _apply(self, event: Event, moved: Prepared | None) -> Iterable[str]:
        if isinstance(event, MarketEvent):
            assert moved is not None
            for live in self._live.values():
                live.rebase(moved)
            self._prepared = moved
            return self._live
        live = self._live[event.account]
        match event:
            case CashEvent():
                live.deposit(event.currency, event.amount)
            case CancelEvent():
                live.cancel(event.order)
                self._touched[event.account].add(event.order)
            case OrderEvent():
                order = Order(
                    event.order,
                    self._by_id[event.contract],
                    event.side,
                    event.quantity,
                    event.price,
                    fees=event.fees,
                    effect=event.effect,
                    all_or_none=event.all_or_none,
                )
                if event.replaces is None:
                    live.reserve(order)
                else:
                    live.replace(event.replaces, order)
                    self._touched[event.account].add(event.replaces)
                self._touched[event.account].add(event.order)
            case FillEvent(order=None, execution=None):
                trade = (self._by_id[event.contract], event.quantity, event.price, event.fees)
                live.apply([trade], effect=event.effect)
            case FillEvent():
                self._fill(live, event)
        return (event.account,)

    def _fill(self, live: LiveAccount, event: FillEvent) -> None:
        if event.order is None or event.execution is None:
            raise InvalidInput(f"monitor: event {event.number}: order and execution go together", code="contradiction")
        known = live.order(event.order)
        side = "buy" if event.quantity > 0 else "sell"
        if known is not None and (known["order"]["contract"], known["order"]["side"]) != (event.contract, side):
            raise InvalidInput(
                f"monitor: event {event.number}: order '{event.order}' does not {side} '{event.contract}'"
            )
        live.fill(event.order, event.execution, abs(event.quantity), event.price, fees=event.fees)
        self._touched[event.account].add(event.order)

    # ---- the journal

    def _open(self, account: Account) -> LiveAccount:
        return self._prepared.open(account, haircuts=self._haircuts)

    def _write(self, record: dict[str, Any]) -> None:
        if self._journal is not None:
            self._journal.append(record)

    def _write_checkpoint(self) -> None:
        if self._journal is not None and self._number % self._checkpoint == 0:
            self._write({"state": self._state()})
            for orders in self._touched.values():
                orders.clear()

    def _begin(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "contracts": self._prepared.contracts.digest,
            "parameters": self._prepared.methodology.parameters["digest"],
            "call": self._call,
            "liquidation": self._liquidation,
            "haircuts": self._haircuts,
            "accounts": sorted(self._live),
        }

    def _state(self) -> dict[str, Any]:
        """Everything but the orders no message has reached since the last state: those are in the states before.

        An order that is done stays known, so that a message that comes again is recognised.
        """
        market = self._prepared.market
        return {
            "number": self._number,
            "market": None if market is None else _market_document(market),
            "levels": self._level,
            "accounts": {
                name: {
                    "cash": live.cash,
                    "positions": [[p.contract.id, p.long, p.short] for p in live.positions],
                    "orders": [live.order(order) for order in sorted(self._touched[name])],
                }
                for name, live in self._live.items()
            },
        }

    def _resume(self, journal: Journal, path: str, at_least: int) -> None:
        begin = self._begin()
        state: dict[str, Any] | None = None
        orders: dict[str, dict[str, Any]] = {name: {} for name in self._live}
        events: list[dict[str, Any]] = []
        for i, record in enumerate(journal.records):
            if i == 0 and _begun(record, path) != begin:
                raise InvalidInput(
                    "monitor: the journal was begun with other contracts, parameters, levels or accounts"
                )
            if "state" in record:
                state, events = record["state"], []
                for name, own in record["state"]["accounts"].items():
                    orders[name].update((known["order"]["id"], known) for known in own["orders"])
            else:
                events.append(record["event"])
        number = events[-1]["number"] if events else state["number"] if state is not None else 0
        if number < at_least:
            raise ParseError(f"{path}: the last event is {number}, and at least {at_least} is asked for")
        if state is None:
            self._level = {name: self._status(name).level for name in self._live}
            self._write({"begin": begin, "state": self._state()})
            return
        self._restore(state, orders)
        for event in map(_event, events):
            _, self._level = self._advance(event, self._moved(event))
            self._number = event.number
        if events:
            # The process may have died between an event and the state that follows it.
            self._write_checkpoint()

    def _restore(self, state: dict[str, Any], orders: dict[str, dict[str, Any]]) -> None:
        if state["market"] is not None:
            # Its marks were judged when they came; some may have been kept since.
            self._prepared = self._prepared.with_market(Market(**state["market"]), marks="keep", threads=self._threads)
        for name, own in state["accounts"].items():
            kind, collateral = self._kinds[name]
            positions = [
                Position(self._by_id[contract], long=long, short=short) for contract, long, short in own["positions"]
            ]
            account = Account(
                positions, cash=own["cash"], collateral=collateral, kind=kind, gross=self._live[name].gross
            )
            self._live[name] = self._open(account)
            self._live[name].restore_orders(list(orders[name].values()))
        self._level = dict(state["levels"])
        self._number = state["number"]


def watched_accounts(what: str, accounts: Mapping[str, Account]) -> dict[str, Account]:
    """Accounts by name, each of which is one."""
    if not isinstance(accounts, Mapping):
        given.refuse(f"{what}: accounts", accounts, "a mapping of accounts by name is needed", "wrong_type")
    for name, account in accounts.items():
        if not isinstance(name, str):
            given.refuse(f"{what}: accounts", name, "each name is text", "wrong_type")
        instance(f"{what}: account '{name}'", account, Account, "an Account")
    return dict(accounts)


def _begun(record: dict[str, Any], path: str) -> dict[str, Any] | None:
    """How a journal was begun; its records are of the version that the first one says."""
    begun: dict[str, Any] | None = record.get("begin")
    if begun is None:
        return None
    # Journals from before the version was written are of the first.
    version = begun.get("version", 1)
    check_version(f"{path}: records of a monitor", version, 1, VERSION)
    return begun | {"version": VERSION}


def _market_document(market: Market) -> dict[str, Any]:
    if market.contracts is not None:
        raise InvalidInput("monitor: a journal needs markets whose prices and vols are mappings, not arrays")
    return market.to_dict()


_TYPES: dict[str, Any] = {"order": OrderEvent, "cancel": CancelEvent, "fill": FillEvent, "cash": CashEvent}
_KINDS = {event: kind for kind, event in _TYPES.items()}


def _document(event: Event) -> dict[str, Any]:
    if isinstance(event, MarketEvent):
        market = None if event.market is None else _market_document(event.market)
        return {"kind": "market", "number": event.number, "changes": dict(event.changes), "market": market}
    return {"kind": _KINDS[type(event)], **asdict(event)}


def _event(document: dict[str, Any]) -> Event:
    fields = {key: value for key, value in document.items() if key != "kind"}
    if document["kind"] == "market":
        market = None if fields["market"] is None else Market(**fields["market"])
        return MarketEvent(fields["number"], fields["changes"], market)
    event: Event = _TYPES[document["kind"]](**fields)
    return event


_UNBOUNDED = ("utilisation", "worst")


def _alert_document(alert: Alert) -> dict[str, Any]:
    document = asdict(alert)
    for name in _UNBOUNDED:
        if document["status"][name] == float("inf"):
            document["status"][name] = None
    return document


def _alert(document: dict[str, Any]) -> Alert:
    status = dict(document["status"])
    for name in _UNBOUNDED:
        if status[name] is None:
            status[name] = float("inf")
    return Alert(document["number"], document["previous"], Status(**status))
