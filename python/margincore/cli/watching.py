"""``margincore watch --account``: one's own accounts under one's own rulebook, read again when their files change."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from margincore._core import Contract, Contracts, InvalidInput, MarginError, MissingData
from margincore.cli.console import columns, said, stdout, titled
from margincore.cli.loading import Loaded, loaded
from margincore.cli.options import Files
from margincore.cli.progress import working
from margincore.cli.refusals import LIMIT_BREACHED, STALE, is_stale
from margincore.documents import Read, read_document
from margincore.engine import Engine
from margincore.monitoring import Monitor
from margincore.monitoring.events import Status

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Limits", "Look", "look", "watch_accounts"]

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
        return is_stale(self.age, self.max_age)

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


def look(accounts: Mapping[str, Loaded], limits: Limits, call: float, now: dt.datetime) -> Look:
    """Accounts by name, each of the same rulebook and market, as they stand."""
    market = _market_of({name: given.document for name, given in accounts.items()})
    reads: dict[str, Read] = {name: read_document({**g.document, "market": market}) for name, g in accounts.items()}
    rulebook, *others = (one for read in reads.values() for one in read.rulebooks)
    if any((o.name, o.parameters) != (rulebook.name, rulebook.parameters) for o in others):
        raise InvalidInput("watch: one rulebook for all accounts is needed", code="contradiction", where="methodology")
    contracts: dict[str, Contract] = {}
    for name, read in reads.items():
        for contract in (*read.contracts, *(p.contract for p in read.account.positions)):
            if contracts.setdefault(contract.id, contract) != contract:
                raise InvalidInput(f"{name}: '{contract.id}' has other terms in another account", code="contradiction")
    quoted = next(iter(reads.values())).market
    if quoted is None:
        raise MissingData("watch: a market is needed: give --market", code="not_stated", where="--market")

    prepared = Engine(rulebook).prepare(Contracts(list(contracts.values())), quoted)
    monitor = Monitor(prepared, {name: read.account for name, read in reads.items()}, call=call)
    statuses = tuple(monitor.status(name) for name in monitor.accounts)
    valuation = dt.datetime.fromisoformat(quoted.valuation)
    seen = Look(
        rulebook.name, prepared.currency, valuation, 0.0, statuses, tuple(_breaches(statuses, limits)), limits.max_age
    )  # fmt: skip
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
    """The accounts within the columns that there are, seventy at least; in a pipe with their names in full."""
    from rich.table import Table
    from rich.text import Text

    table, wide = Table(box=None, pad_edge=False), columns()
    table.add_column(
        "account", overflow="ellipsis", no_wrap=True, max_width=None if wide is None else max(18, wide - 52)
    )
    for heading in ("equity", "initial", "excess", "used"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("level", no_wrap=True)
    for s in seen.statuses:
        used = "-" if math.isinf(s.utilisation) else f"{s.utilisation:.0%}"
        amounts = (f"{amount:,.0f}" for amount in (s.equity, s.initial, s.equity - s.initial))
        table.add_row(Text(s.account), *amounts, used, f"[{_COLOURS[s.level]}]{_WORDS[s.level]}[/]")
    return table


def _title(seen: Look) -> str:
    old = f", {seen.age:,.0f} s old: STALE" if seen.stale else ""
    return f"{seen.rulebook}, {seen.currency}, {seen.valuation:%Y-%m-%d %H:%M:%S%z}{old}"


def _shown(seen: Look, as_json: bool, indent: int | None = None) -> None:
    """Prints accounts, and below them what is breached."""
    if as_json:
        print(json.dumps(seen.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False), flush=True)
        return
    console = stdout()
    titled(console, _title(seen), _table(seen))
    for line in seen.breaches:
        said(console, line)


def _stamps(paths: Sequence[Path]) -> tuple[tuple[int, int] | None, ...]:
    def stamp(path: Path) -> tuple[int, int] | None:
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    return tuple(stamp(path) for path in paths)


def watch_accounts(
    paths: Mapping[str, Path],
    files: Files,
    method: str | None,
    limits: Limits,
    call: float,
    *,
    once: bool,
    pause: float,
    as_json: bool,
) -> None:
    """Shows accounts once, or until it is interrupted; ends with the exit code of what was seen last.

    Away from a terminal, and as JSON, every look at changed files is printed below the last one. A file that is
    refused leaves the numbers as they were, and is told: it may be half written.
    """

    def read() -> Look:
        accounts = {name: loaded(path, files, [method] if method else []) for name, path in paths.items()}
        for given in accounts.values():
            given.warn()
        return look(accounts, limits, call, dt.datetime.now(dt.UTC))

    with working("watch"):
        seen = read()
    if once:
        _shown(seen, as_json, indent=2)
        raise typer.Exit(seen.code)
    watched = [*paths.values(), *files.paths()]
    looks = _looks(read, seen, watched, pause)
    try:
        if as_json or not sys.stdout.isatty():
            for seen, refusal in _changes(looks):
                if refusal:
                    print(f"not read again: {refusal}", file=sys.stderr, flush=True)
                else:
                    _shown(seen, as_json)
        else:
            _live(looks)
    except KeyboardInterrupt:
        raise typer.Exit(seen.code) from None


def _looks(read: Callable[[], Look], seen: Look, paths: Sequence[Path], pause: float) -> Iterator[tuple[Look, str]]:
    """The accounts at every moment, with why files that changed could not be read, if so."""
    stamps, refusal = _stamps(paths), ""
    while True:
        yield seen.at(dt.datetime.now(dt.UTC)), refusal
        time.sleep(pause)
        now = _stamps(paths)
        if now == stamps:
            continue
        try:
            seen, refusal = read(), ""
        except (MarginError, OSError) as error:
            refusal = " ".join(str(error).split())
        stamps = now


def _changes(looks: Iterable[tuple[Look, str]]) -> Iterator[tuple[Look, str]]:
    """Those that say something else than the one before, but for their age."""
    last: tuple[Any, ...] | None = None
    for seen, refusal in looks:
        said = (seen.statuses, seen.valuation, seen.stale, refusal)
        if said != last:
            yield seen, refusal
        last = said


def _live(looks: Iterable[tuple[Look, str]]) -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(), auto_refresh=False) as live:
        for seen, refusal in looks:
            lines = [Text(line, style="bold red") for line in seen.breaches]
            if refusal:
                lines.append(Text(f"not read again: {refusal}", style="yellow"))
            live.update(Group(Text(_title(seen), style="italic"), _table(seen), *lines), refresh=True)
