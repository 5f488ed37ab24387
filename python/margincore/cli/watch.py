"""``margincore watch``: a recorded market replayed against an account, margin shown in the terminal.

Needs the extra ``cli`` (`rich`). A recording (:mod:`margincore.importers.recording`) holds no prices: forwards are
reconstructed from delta and volatility, and everything shown is labelled so.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from margincore import methods
from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    Market,
    Methodology,
    Position,
    Prepared,
)
from margincore.crypto.names import parse
from margincore.engine import Engine
from margincore.importers.recording import Snapshot, read_recording
from margincore.monitoring import Alert, Event, MarketEvent, Monitor
from margincore.portfolio import Option

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["LABEL", "sample_accounts", "watch"]

LABEL = "prices reconstructed from delta and mark volatility; not quotes"
CALL = 1.25
"""A margin call here: equity below this many times the initial requirement."""


def _contracts(snapshots: Sequence[Snapshot], coin: str) -> list[Contract]:
    """Options quoted at every moment, as options on the coin settled in dollars."""
    names = set.intersection(*(set(s.vol) for s in snapshots))
    contracts = []
    for name in sorted(names):
        option = parse("deribit", name)
        if option.kind != "option" or option.right is None or option.strike is None or option.expiry is None:
            raise InvalidInput(f"instrument_name {name!r} is no option")
        contracts.append(
            Option(
                coin,
                option.right,
                option.strike,
                expiry=option.expiry,
                exercise="european",
                multiplier=1.0,
                currency="USD",
                id=name,
            )
        )
    return contracts


def sample_accounts(prepared: Prepared, spot: float) -> dict[str, Account]:
    """Three accounts near the money of the second expiry, each with a little more equity than a margin call leaves.

    A short strangle, a put spread and a long straddle; the last needs next to nothing and is half paid for.
    """
    expiries = sorted({c.expiry for c in prepared.contracts if c.expiry is not None})
    chain = [c for c in prepared.contracts if c.expiry == expiries[min(1, len(expiries) - 1)]]

    def near(right: str, level: float) -> Contract:
        return min((c for c in chain if c.right == right), key=lambda c: (abs((c.strike or 0.0) - spot * level), c.id))

    def funded(*positions: Position) -> Account:
        report = prepared.margin(positions)
        equity = max((CALL + 0.05) * report.equity_required, 0.5 * report.net_option_value)
        cash = equity - report.net_option_value
        return Account(positions, cash={"USD": round(cash, 2)})

    return {
        "short strangle": funded(Position(near("call", 1.08), -10), Position(near("put", 0.92), -10)),
        "put spread": funded(Position(near("put", 1.0), -20), Position(near("put", 0.95), 20)),
        "long straddle": funded(Position(near("call", 1.0), 5), Position(near("put", 1.0), 5)),
    }


def _events(
    snapshots: Sequence[Snapshot], contracts: Sequence[Contract], coin: str
) -> Iterator[tuple[Snapshot, Event]]:
    for count, snapshot in enumerate(snapshots, start=1):
        yield snapshot, MarketEvent(count, market=_market(snapshot, contracts, coin))


def _market(snapshot: Snapshot, contracts: Sequence[Contract], coin: str) -> Market:
    return Market(
        snapshot.time.isoformat(),
        spot={coin: snapshot.spot},
        rate={"USD": 0.0},
        vol={c.id: snapshot.vol[c.id] for c in contracts},
    )


def _table(monitor: Monitor) -> Table:
    from rich.table import Table

    table = Table()
    table.add_column("account")
    for name in ("equity", "initial", "maintenance", "used", "to margin call", "to liquidation"):
        table.add_column(name, justify="right")
    table.add_column("level")
    colours = {"ok": "green", "margin_call": "yellow", "liquidation": "red"}
    for name in monitor.accounts:
        s = monitor.status(name)
        amounts = (s.equity, s.initial, s.maintenance)
        used = "" if math.isinf(s.utilisation) else f"{s.utilisation:.1%}"
        table.add_row(
            name,
            *(f"{amount:,.0f}" for amount in amounts),
            used,
            f"{s.to_call:,.0f}",
            f"{s.to_liquidation:,.0f}",
            f"[{colours[s.level]}]{s.level.replace('_', ' ')}[/]",
        )
    return table


def watch(
    path: str | os.PathLike[str],
    *,
    accounts: Mapping[str, Account] | None = None,
    methodology: Methodology | None = None,
    coin: str = "BTC",
    pause: float = 0.2,
    journal: str | os.PathLike[str] | None = None,
    console: Console | None = None,
) -> list[Alert]:
    """Replay a recording in the terminal and return the alerts.

    Without `accounts`, :func:`sample_accounts`; without `methodology`, TIMS with a range of 15 % either way: a
    demonstration of the monitor, not a venue's margin. `pause` is seconds between moments. With a `journal`, a replay
    that was interrupted continues where it stopped.
    """
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from margincore.cli.console import stdout

    snapshots = read_recording(path)
    contracts = _contracts(snapshots, coin)
    rulebook = methodology or methods.Tims(default_range={"down": -0.15, "up": 0.15})
    prepared = Engine(rulebook).prepare(contracts, _market(snapshots[0], contracts, coin))
    held = dict(accounts) if accounts is not None else sample_accounts(prepared, snapshots[0].spot)
    alerts: list[Alert] = []
    lines: list[Text] = []
    colours = {"ok": "green", "margin_call": "yellow", "liquidation": "bold red"}
    caption = Text(f"{rulebook.name}, USD; margin call at {CALL:.0%} of initial; {LABEL}", style="italic dim")
    with (
        closing(Monitor(prepared, held, call=CALL, journal=journal)) as monitor,
        Live(console=console or stdout(), refresh_per_second=10) as live,
    ):
        for snapshot, event in _events(snapshots, contracts, coin):
            if event.number <= monitor.number:
                continue
            for alert in monitor.take(event):
                alerts.append(alert)
                s = alert.status
                text = (
                    f"{snapshot.time:%d %b %H:%M}  {s.account}: {alert.previous.replace('_', ' ')} -> "
                    f"{s.level.replace('_', ' ')}; equity {s.equity:,.0f}, initial {s.initial:,.0f}"
                )
                lines.append(Text(text, style=colours[s.level]))
            title = Text(f"{snapshot.time:%Y-%m-%d %H:%M} UTC   {coin} {snapshot.spot:,.0f}", style="italic")
            live.update(Group(title, _table(monitor), caption, *lines[-8:]), refresh=True)
            time.sleep(pause)
    return alerts
