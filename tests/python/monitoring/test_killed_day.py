"""Days of fills through both monitors, killed again and again: the same deficits, ages and freezes as undisturbed.

`MARGINCORE_STRESS_ROUNDS` is how many processes have to die.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from faults import DEATHS, Disk

import margincore as mc
from margincore import intraday
from margincore.monitoring import (
    CashEvent,
    Closed,
    CloseEvent,
    CorrectionEvent,
    Event,
    FillEvent,
    IntradayMonitor,
    Journal,
    MarketEvent,
    Monitor,
)
from margincore.monitoring.intraday import AnyEvent

KILLS = int(os.environ.get("MARGINCORE_STRESS_ROUNDS", "15"))
FIRST = 8
STOCK = mc.Stock("XYZ", currency="USD")
CALL = mc.Option(
    "XYZ", "call", 100, expiry="2027-01-15", settles="pm", exercise="american", multiplier=100, currency="USD"
)
PREPARED = mc.Engine(mc.methods.RegT(classes={"XYZ": "equity"})).prepare(
    [STOCK, CALL], mc.Market("2026-11-20T09:30:00-05:00", spot={"XYZ": 100.0}, price={CALL.id: 5.0})
)
# What a process that is started again finds, whatever the market has become in the meantime.
LATER = PREPARED.update(valuation="2026-11-24T12:00:00-05:00", spot={"XYZ": 80.0}, price={CALL.id: 1.0})
NAMES = ("a", "b", "c")
DAYS = ("2026-11-20", "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-27", "2026-11-30", "2026-12-01", "2026-12-02")


def accounts() -> dict[str, mc.Account]:
    return {
        "a": mc.Account([], cash={"USD": 10_000.0}),
        "b": mc.Account([mc.Position(STOCK, 300)], cash={"USD": -5_000.0}),
        "c": mc.Account([mc.Position(CALL, -2)], cash={"USD": 30_000.0}, collateral={"USD": 2_000.0}),
    }


def stream(seed: int) -> list[AnyEvent]:
    """Timed markets, fills (some executions twice), deposits, withdrawals and corrections over eight business days."""
    draw = random.Random(seed)
    events: list[AnyEvent] = []
    movements: list[FillEvent | CashEvent] = []
    spot = 100.0

    def add(event: Any) -> None:
        events.append(replace(event, number=len(events) + 1))
        if isinstance(event, FillEvent | CashEvent):
            movements.append(events[-1])  # type: ignore[arg-type]

    for day in DAYS:
        for minute in range(10, 50, 2):
            name = draw.choice(NAMES)
            match draw.randrange(8):
                # The first day has the marks of the opening market, which only the journal still knows.
                case 0 | 1 if day != DAYS[0]:
                    spot *= draw.uniform(0.97, 1.03)
                    time_ = f"{day}T12:{minute}:00-05:00"
                    price = {CALL.id: max(0.05, spot - 98.0)}
                    add(MarketEvent(0, {"valuation": time_, "spot": {"XYZ": spot}, "price": price}))
                case 2:
                    add(CashEvent(0, name, "USD", draw.uniform(-3_000.0, 4_000.0)))
                case 3 if movements:
                    old = movements.pop(draw.randrange(len(movements)))
                    instead = replace(old, quantity=50.0) if isinstance(old, FillEvent) else None
                    add(CorrectionEvent(0, old.number, draw.choice([None, instead])))
                case 4:
                    add(FillEvent(0, name, CALL.id, draw.choice([-2.0, -1.0, 1.0, 2.0]), 5.0, 1.3))
                case _:
                    add(FillEvent(0, name, STOCK.id, draw.choice([-200.0, -100.0, 100.0, 300.0]), spot, 0.7))
        add(CloseEvent(0, day))
    return events


def fills(events: list[AnyEvent]) -> list[Event]:
    """The same stream as the other monitor takes it, which knows no days."""
    kept = [event for event in events if not isinstance(event, CloseEvent | CorrectionEvent)]
    return [replace(event, number=number) for number, event in enumerate(kept, start=1)]


@dataclass
class Desk:
    """Both monitors over one stream; a journal each."""

    ledger: IntradayMonitor
    watch: Monitor

    @staticmethod
    def open(folder: Path, prepared: mc.Prepared = PREPARED, taken: tuple[int, int] = (0, 0)) -> Desk:
        return Desk(
            IntradayMonitor(
                prepared, accounts(), practice=intraday.Practice(1, 12), prompt_days=2, haircuts={"USD": 0.1},
                journal=folder / "ledger", at_least=taken[0],
            ),
            Monitor(
                prepared, accounts(), haircuts={"USD": 0.1}, journal=folder / "watch", at_least=taken[1], checkpoint=16
            ),
        )  # fmt: skip

    def run(self, events: list[AnyEvent]) -> Iterator[tuple[int, int]]:
        """Go on where the journals stop; says after each event what both have taken."""
        watched = iter(fills(events)[self.watch.number :])
        for event in events[self.ledger.number :]:
            self.ledger.take(event)
            yield self.ledger.number, self.watch.number
            # The two journals are not one: the ledger may be ahead by what a death came between.
            if (other := next(watched, None)) is not None:
                self.watch.take(other)
                yield self.ledger.number, self.watch.number
        for other in watched:
            self.watch.take(other)
            yield self.ledger.number, self.watch.number

    def close(self) -> None:
        self.ledger.close()
        self.watch.close()

    def answers(self) -> dict[str, Any]:
        """Deficits with their ages and freezes, the day, and what is held."""
        return {
            name: (
                self.ledger.deficits(name), self.ledger.day(name), self.watch.status(name),
                dict(self.watch.accounts[name].cash), self.watch.accounts[name].positions,
            )
            for name in NAMES
        }  # fmt: skip


def closed(folder: Path) -> list[Closed]:
    with Journal(folder / "ledger") as journal:
        return [Closed(**own) for record in journal.records for own in record.get("closed", ())]


def child(folder: Path, events: list[AnyEvent], taken: tuple[int, int], pipe: int, planted: tuple[int, int]) -> None:
    """A process that goes on with the day, and tells of every event taken. Never returns."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, planted[0], DEATHS[planted[1]])
            prepared = LATER if any(taken) else PREPARED
            for numbers in Desk.open(folder, prepared, taken).run(events):
                os.write(pipe, b"".join(n.to_bytes(4, "big") for n in numbers))
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        os._exit(1)


def survive(folder: Path, seed: int) -> int:
    """One stream, killed until it is through. How many died."""
    draw, events = random.Random(seed), stream(seed)
    (folder / "whole").mkdir(parents=True)
    whole = Desk.open(folder / "whole")
    for _ in whole.run(events):
        pass
    dead, taken = 0, (0, 0)
    while True:
        # Every other death is at one of the journals' own calls, the rest wherever the process happens to be.
        planted = (draw.randrange(120), draw.randrange(len(DEATHS))) if dead % 2 else (-1, 0)
        last, delay = draw.randrange(60), draw.uniform(0.0, 0.003)
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            child(folder, events, taken, theirs, planted)
        os.close(theirs)
        with open(ours, "rb", buffering=0) as pipe:
            for count, told in enumerate(iter(lambda pipe=pipe: pipe.read(8), b"")):  # type: ignore[misc]
                taken = (int.from_bytes(told[:4], "big"), int.from_bytes(told[4:], "big"))
                if planted[0] < 0 and count == last:
                    time.sleep(delay)
                    os.kill(pid, signal.SIGKILL)
        _, state = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(state):
            break
        dead += 1
    assert os.WEXITSTATUS(state) == 0
    for name in ("ledger", "watch"):
        assert (folder / name).read_bytes() == (folder / "whole" / name).read_bytes()
    again = Desk.open(folder, LATER, (len(events), len(fills(events))))
    assert again.answers() == whole.answers()
    assert again.watch.alerts() == whole.watch.alerts()
    again.close()
    whole.close()
    assert closed(folder) == closed(folder / "whole")
    return dead


@pytest.mark.parametrize("seed", [FIRST, FIRST + 1])
def test_the_first_streams_have_deficits_that_freeze_and_are_satisfied_and_corrected(seed: int) -> None:
    ledger = IntradayMonitor(PREPARED, accounts(), practice=intraday.Practice(1, 12), haircuts={"USD": 0.1})
    closings = list(ledger.run(stream(seed)))
    standing = [own for name in NAMES for own in ledger.deficits(name)]
    assert any(own.frozen for own in standing)
    assert any(own.satisfied_on for own in standing)
    assert any(again.previous is not None for again in closings)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_the_deficits_are_the_same(tmp_path: Path) -> None:
    dead, seed = 0, FIRST
    while dead < KILLS:
        dead += survive(tmp_path / f"{seed}", seed)
        seed += 1
    print(f"{dead} processes died over {seed - FIRST} streams")
