"""``margincore watch --account``: one's own accounts under one's own rulebook, read again when their files change."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from margincore._core import Contracts, InvalidInput, MarginError, MissingData
from margincore.cli.refusals import LIMIT_BREACHED, STALE
from margincore.documents import Read, read_document
from margincore.engine import Engine
from margincore.monitoring import Monitor
from margincore.monitoring.events import Status

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["Limits", "Look", "look", "show_once", "watch_files"]

_COLOURS = {"ok": "green", "margin_call": "yellow", "liquidation": "bold red"}
_WORDS = {"ok": "ok", "margin_call": "call", "liquidation": "LIQUIDATE"}


@dataclass(frozen=True)
class Limits:
    """What makes an account stand out: an initial requirement, a part of equity, seconds that a market may be old."""

    requirement: float | None = None
    utilisation: float | None = None
    max_age: float | None = None


@dataclass(frozen=True)
class Look:
    """Accounts at one moment."""

    rulebook: str
    currency: str
    valuation: dt.datetime
    age: float
    statuses: tuple[Status, ...]
    breaches: tuple[str, ...]
    max_age: float | None

    @property
    def stale(self) -> bool:
        """Whether the market is older than it may be."""
        return self.max_age is not None and self.age > self.max_age

    def at(self, now: dt.datetime) -> Look:
        """The same accounts and market, looked at by another clock."""
        return replace(self, age=(now - self.valuation).total_seconds())

    @property
    def code(self) -> int:
        """The exit code: old data first, for what it says of limits cannot be relied on."""
        return STALE if self.stale else LIMIT_BREACHED if self.breaches else 0

    def to_dict(self) -> dict[str, Any]:
        """As plain values; a utilisation without equity is ``None``."""
        return {
            "rulebook": self.rulebook,
            "currency": self.currency,
            "valuation": self.valuation.isoformat(),
            "age": self.age,
            "stale": self.stale,
            "breaches": list(self.breaches),
            "accounts": [_plain(status) for status in self.statuses],
        }


def _plain(status: Status) -> dict[str, Any]:
    row = {name: getattr(status, name) for name in ("account", "equity", "initial", "maintenance", "level")}
    row |= {"to_call": status.to_call, "to_liquidation": status.to_liquidation}
    row["utilisation"] = status.utilisation if math.isfinite(status.utilisation) else None
    return row


def _market_of(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The market of all accounts: each file may add marks of its own, and none may say another than the others."""
    market: dict[str, Any] = {}
    for name, document in documents.items():
        for part, value in (document.get("market") or {}).items():
            if not isinstance(value, Mapping):
                if market.setdefault(part, value) != value:
                    raise InvalidInput(f"{name}: {part} differs from another account's: one market for all is needed")
                continue
            table = market.setdefault(part, {})
            for key, own in value.items():
                if table.setdefault(key, own) != own:
                    raise InvalidInput(
                        f"{name}: {part} of '{key}' is {own}, and {table[key]} in another account's file",
                        code="contradiction",
                        where=name,
                    )
    if not market:
        raise MissingData("watch: a market is needed: give --market", code="not_stated", where="--market")
    return market


def look(documents: Mapping[str, Mapping[str, Any]], limits: Limits, call: float, now: dt.datetime) -> Look:
    """Accounts by name, each a document of the same rulebook and market, as they stand."""
    market = _market_of(documents)
    reads: dict[str, Read] = {name: read_document({**d, "market": market}) for name, d in documents.items()}
    rulebook = next(iter(reads.values())).rulebooks[0]
    contracts = {p.contract.id: p.contract for read in reads.values() for p in read.account.positions}
    prepared = Engine(rulebook).prepare(Contracts(list(contracts.values())), next(iter(reads.values())).market)
    monitor = Monitor(prepared, {name: read.account for name, read in reads.items()}, call=call)
    statuses = tuple(monitor.status(name) for name in monitor.accounts)
    valuation = dt.datetime.fromisoformat(str(market["valuation"]))
    breaches = tuple(_breaches(statuses, limits))
    seen = Look(rulebook.name, prepared.currency, valuation, 0.0, statuses, breaches, limits.max_age)
    return seen.at(now)


def _breaches(statuses: Iterable[Status], limits: Limits) -> Iterable[str]:
    for s in statuses:
        if s.level != "ok":
            yield f"{s.account}: {s.level.replace('_', ' ')}: equity {s.equity:,.2f}, initial {s.initial:,.2f}"
        if limits.requirement is not None and s.initial > limits.requirement:
            yield f"{s.account}: initial {s.initial:,.2f} is above the limit of {limits.requirement:,.2f}"
        if limits.utilisation is not None and s.utilisation > limits.utilisation:
            used = "all of it" if math.isinf(s.utilisation) else f"{s.utilisation:.1%}"
            yield f"{s.account}: {used} of its equity is used, above the limit of {limits.utilisation:.1%}"


def _table(seen: Look) -> Table:
    """The accounts within seventy columns."""
    from rich.table import Table

    table = Table(title=_title(seen), title_justify="left", box=None, pad_edge=False)
    table.add_column("account", overflow="ellipsis", no_wrap=True, max_width=18)
    for heading in ("equity", "initial", "excess", "used"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("level", no_wrap=True)
    for s in seen.statuses:
        used = "-" if math.isinf(s.utilisation) else f"{s.utilisation:.0%}"
        amounts = (f"{amount:,.0f}" for amount in (s.equity, s.initial, s.equity - s.initial))
        table.add_row(s.account, *amounts, used, f"[{_COLOURS[s.level]}]{_WORDS[s.level]}[/]")
    return table


def _title(seen: Look) -> str:
    old = f", {seen.age:,.0f} s old: STALE" if seen.stale else ""
    return f"{seen.rulebook}, {seen.currency}, {seen.valuation:%Y-%m-%d %H:%M:%S%z}{old}"


def show_once(seen: Look, as_json: bool) -> None:
    """Prints accounts, and below them what is breached."""
    if as_json:
        print(json.dumps(seen.to_dict(), indent=2, allow_nan=False, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console()
    console.print(_table(seen))
    for line in seen.breaches:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _stamps(paths: Sequence[Path]) -> tuple[tuple[int, int] | None, ...]:
    def stamp(path: Path) -> tuple[int, int] | None:
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    return tuple(stamp(path) for path in paths)


def watch_files(read: Callable[[], Look], paths: Sequence[Path], pause: float) -> None:
    """Shows accounts until it is interrupted, read again when a file changes.

    A file that is refused leaves the numbers as they were, with the refusal below them: it may be half written.
    """
    from rich.console import Console, Group
    from rich.live import Live

    console = Console()
    # Where nobody looks at a screen that is drawn again, what is new is written below what was.
    with Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext() as live:
        for seen, refusal, is_new in _looks(read, paths, pause):
            page = Group(_table(seen), *_remarks(seen, refusal))
            if live is not None:
                live.update(page, refresh=True)
            elif is_new:
                console.print(page)


def _looks(read: Callable[[], Look], paths: Sequence[Path], pause: float) -> Iterator[tuple[Look, str, bool]]:
    """Accounts every so often, why a file could not be read again, and whether there is anything new."""
    seen, stamps, refusal, is_new = read(), _stamps(paths), "", True
    while True:
        seen = seen.at(dt.datetime.now(dt.UTC))
        yield seen, refusal, is_new
        time.sleep(pause)
        now, before = _stamps(paths), refusal
        is_new = now != stamps
        if not (is_new or refusal):
            continue
        try:
            seen, refusal = read(), ""
        except (MarginError, OSError) as error:
            refusal = " ".join(str(error).split())
        is_new, stamps = is_new or refusal != before, now


def _remarks(seen: Look, refusal: str) -> list[Text]:
    from rich.text import Text

    lines = [Text(line, style="bold red") for line in seen.breaches]
    return [*lines, *([Text(f"not read again: {refusal}", style="yellow")] if refusal else [])]
