"""Deficits over a stream of days: the journal, corrections, and coming back after a crash."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from faults import FAULTS, Disk

import margincore as mc
from margincore import intraday
from margincore.monitoring import (
    CashEvent,
    CloseEvent,
    CorrectionEvent,
    FillEvent,
    IntradayMonitor,
    Journal,
    MarketEvent,
    OrderEvent,
)

STOCK = mc.Stock("XYZ", currency="USD")
PREPARED = mc.Engine(mc.methods.RegT()).prepare([STOCK], mc.Market("2026-11-20T09:30:00-05:00", spot={"XYZ": 100.0}))
ACCOUNTS = {"a": mc.Account([], cash={"USD": 10_000.0}), "b": mc.Account([], cash={"USD": 50_000.0})}
DAY = [FillEvent(1, "a", "XYZ", 300, 100.0), FillEvent(2, "a", "XYZ", 200, 100.0),
       MarketEvent(3, {"spot": {"XYZ": 98.0}}), FillEvent(4, "a", "XYZ", -300, 98.0),
       CloseEvent(5, "2026-11-20")]  # fmt: skip


def monitor(journal: Path | None = None, **terms: object) -> IntradayMonitor:
    return IntradayMonitor(PREPARED, ACCOUNTS, journal=journal, **terms)  # type: ignore[arg-type]


def test_the_worked_day_in_a_stream() -> None:
    own = monitor()
    assert list(own.run(DAY[:4])) == []
    day = own.day("a")
    assert (day.deficit, day.closing.margin, [step.after.margin for step in day.steps]) == (
        2_500.0, 4_100.0, [2_500.0, -2_500.0, 4_100.0],
    )  # fmt: skip
    [closed] = own.take(DAY[4])
    assert (closed.account, closed.deficit, closed.minor, closed.previous) == ("a", 2_500.0, False, None)
    assert own.deficits("b") == []
    assert own.deficits("a")[0].remaining == 2_500.0


def test_deficits_are_carried_and_satisfied_by_the_next_days_deposit() -> None:
    own = monitor()
    list(own.run([*DAY, CashEvent(6, "a", "USD", 2_499.0), CloseEvent(7, "2026-11-23")]))
    assert own.deficits("a")[0].remaining == 1.0
    list(own.run([CashEvent(8, "a", "USD", 1.0), CloseEvent(9, "2026-11-24")]))
    assert str(own.deficits("a")[0].satisfied_on) == "2026-11-24"


def test_a_rise_of_the_market_counts_by_the_other_reading() -> None:
    events = [*DAY, MarketEvent(6, {"spot": {"XYZ": 120.0}}), CloseEvent(7, "2026-11-23")]
    for satisfied_by, remaining in (("customer", 2_500.0), ("any_increase", 0.0)):
        own = monitor(satisfied_by=satisfied_by)
        list(own.run(events))
        assert own.deficits("a")[0].remaining == remaining


def test_a_practice_freezes_and_the_dates_are_kept() -> None:
    own = monitor(practice=True)
    days = ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-27", "2026-11-30"]
    list(own.run([*DAY, *(CloseEvent(6 + k, day) for k, day in enumerate(days))]))
    [standing] = own.deficits("a")
    assert (standing.frozen, str(standing.frozen_until)) == (True, "2027-02-28")


def test_a_correction_computes_its_day_and_those_after_again_and_the_journal_has_both(tmp_path: Path) -> None:
    path = tmp_path / "j"
    own = monitor(path)
    list(own.run([*DAY, FillEvent(6, "a", "XYZ", 300, 98.0), CloseEvent(7, "2026-11-23")]))
    assert [s.amount for s in own.deficits("a")] == [2_500.0, 3_250.0]
    again = own.take(CorrectionEvent(8, 2, FillEvent(2, "a", "XYZ", 150, 100.0)))
    # 450 shares: 11,250 against 10,000; the next day 50 fewer are held.
    assert [(c.on, c.deficit, c.previous) for c in again] == [
        ("2026-11-20", 1_250.0, 2_500.0), ("2026-11-23", 1_925.0, 3_250.0),
    ]  # fmt: skip
    assert [s.amount for s in own.deficits("a")] == [1_250.0, 1_925.0]
    cancelled = own.take(CorrectionEvent(9, 6))
    assert [(c.on, c.deficit, c.previous) for c in cancelled] == [("2026-11-23", 0.0, 1_925.0)]
    assert [s.amount for s in own.deficits("a")] == [1_250.0]
    own.close()
    with Journal(path) as journal:
        written = [record["closed"] for record in journal.records if record.get("closed")]
    assert [[c["deficit"] for c in closed] for closed in written] == [[2_500.0], [3_250.0], [1_250.0, 1_925.0], [0.0]]


def test_a_correction_of_the_day_that_is_open() -> None:
    own = monitor()
    list(own.run([*DAY[:2], CorrectionEvent(3, 2)]))
    assert own.day("a").deficit == 0.0
    with pytest.raises(mc.InvalidInput, match="event 2 is no fill and no cash"):
        own.take(CorrectionEvent(4, 2))
    with pytest.raises(mc.InvalidInput, match="event 1 of account 'a'"):
        own.take(CorrectionEvent(4, 1, FillEvent(1, "b", "XYZ", 1, 100.0)))
    assert own.number == 3


def test_an_execution_that_comes_twice_counts_once() -> None:
    own = monitor()
    own.take(OrderEvent(1, "a", "o", "XYZ", "buy", 100, 100.0))
    for number in (2, 3):
        own.take(FillEvent(number, "a", "XYZ", 100, 100.0, order="o", execution="e"))
    assert len(own.day("a").steps) == 1


def stream(seed: int) -> list[object]:
    draw = random.Random(seed)
    events: list[object] = []
    movements: list[FillEvent | CashEvent] = []
    days = iter(["2026-11-20", "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-27"])
    for day in days:
        for _ in range(8):
            number = len(events) + 1
            account = draw.choice("ab")
            match draw.randrange(5):
                case 0:
                    events.append(MarketEvent(number, {"spot": {"XYZ": draw.uniform(90.0, 110.0)}}))
                case 1:
                    events.append(CashEvent(number, account, "USD", draw.uniform(-2_000.0, 2_000.0)))
                    movements.append(events[-1])  # type: ignore[arg-type]
                case 2 if movements:
                    old = draw.choice(movements)
                    movements.remove(old)
                    events.append(CorrectionEvent(number, old.number))
                case _:
                    events.append(FillEvent(number, account, "XYZ", draw.choice([-300, -100, 200, 400]), 100.0, 1.0))
                    movements.append(events[-1])  # type: ignore[arg-type]
        events.append(CloseEvent(len(events) + 1, day))
    return events


@pytest.mark.parametrize("seed", range(4))
def test_made_again_from_its_journal_it_is_what_it_was(tmp_path: Path, seed: int) -> None:
    events = stream(seed)
    whole = monitor()
    closed = list(whole.run(events))  # type: ignore[arg-type]
    path, cut = tmp_path / "j", 10 + 7 * seed
    first = monitor(path, sync=False)
    found = list(first.run(events[:cut]))  # type: ignore[arg-type]
    first.close()
    second = monitor(path, sync=False)
    assert second.number == cut
    for account in "ab":
        assert second.day(account) == first.day(account)
    found += list(second.run(events))  # type: ignore[arg-type]
    assert found == closed
    for account in "ab":
        assert second.deficits(account) == whole.deficits(account)
    second.close()
    with pytest.raises(mc.InvalidInput, match="other accounts or terms"):
        monitor(path, practice=True)


def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    own = monitor(tmp_path / "j")
    own.take(DAY[0])
    for event in (
        FillEvent(2, "nobody", "XYZ", 1, 1.0),
        FillEvent(2, "a", "nothing", 1, 1.0),
        FillEvent(2, "a", "XYZ", 1, float("nan")),
        FillEvent(2, "a", "XYZ", 0.5, 1.0),
        CashEvent(2, "a", "EUR", 1.0),
        CloseEvent(2, "2026-11-21"),
        CloseEvent(2, "2026-06-03"),
        FillEvent(3, "a", "XYZ", 1, 1.0),
    ):
        with pytest.raises(mc.MarginError):
            own.take(event)
        assert own.number == 1
    assert len(own.day("a").steps) == 1
    own.close()
    with Journal(tmp_path / "j") as journal:
        assert journal.count == 2


def test_choices_are_the_monitors() -> None:
    held = {"a": mc.Account([mc.Position(STOCK, 500)], cash={"USD": -40_000.0})}
    events = [FillEvent(1, "a", "XYZ", 100, 100.0), CloseEvent(2, "2026-11-20")]
    left_out = IntradayMonitor(PREPARED, held, choices=intraday.Choices(overnight_deficit="excluded"))
    assert [c.deficit for c in left_out.run(events)] == [2_500.0]
    assert [c.deficit for c in IntradayMonitor(PREPARED, held).run(events)] == [5_000.0]


def feed(own: IntradayMonitor, taken: list[int]) -> None:
    for event in DAY:
        own.take(event)
        taken.append(event.number)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_journal_that_fails_ends_the_monitor_and_loses_nothing(tmp_path: Path, kind: str) -> None:
    fault, error = FAULTS[kind]
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch)
        whole = monitor(tmp_path / "whole")
        opened = len(disk.calls)
        list(whole.run(DAY))
        whole.close()
    assert len(disk.calls) - opened == 2 * len(DAY)
    for at in range(opened, len(disk.calls)):
        path, taken = tmp_path / f"{at}", list[int]()
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, at, fault)
            own = monitor(path)
            with pytest.raises(error):
                feed(own, taken)
        # It may be on disk, and here it is not: nobody is answered from one of the two.
        for question in (
            lambda own=own: own.take(DAY[own.number]),
            lambda own=own: own.day("a"),
            lambda own=own: own.deficits("a"),
        ):
            with pytest.raises(mc.InvalidInput, match="half way"):
                question()
        own.close()
        again = monitor(path, at_least=len(taken))
        assert again.number in (len(taken), len(taken) + 1)
        list(again.run(DAY))
        again.close()
        assert again.deficits("a") == whole.deficits("a")
        assert path.read_bytes() == (tmp_path / "whole").read_bytes()


def test_the_market_is_the_journals_and_a_journal_cut_shorter_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j"
    own = monitor(path)
    own.take(DAY[0])
    own.close()
    fallen = PREPARED.update(spot={"XYZ": 50.0})
    again = IntradayMonitor(fallen, ACCOUNTS, journal=path, at_least=1)
    assert again.day("a") == own.day("a")
    again.close()
    with pytest.raises(mc.ParseError, match="the last event is 1, and at least 2 is asked for"):
        monitor(path, at_least=2)
    posted = ACCOUNTS | {"b": mc.Account([], cash={"USD": 50_000.0}, collateral={"USD": 1.0})}
    with pytest.raises(mc.InvalidInput, match="other accounts or terms"):
        IntradayMonitor(PREPARED, posted, journal=path)
    path.write_bytes(path.read_bytes()[:-10])
    cut = monitor(path)
    assert cut.number == 0
    assert cut.journal_removed > 0
    cut.close()


def test_a_correction_reaches_back_fifteen_closed_days_and_no_further() -> None:
    own, day = monitor(), "2026-11-20"
    own.take(FillEvent(1, "a", "XYZ", 500, 100.0))
    for number in range(2, 17):
        own.take(CloseEvent(number, day))
        day = mc.calendars.nyse().add(day, 1).isoformat()
    [closed] = own.take(CorrectionEvent(17, 1, FillEvent(1, "a", "XYZ", 400, 100.0)))
    assert (closed.on, closed.deficit, closed.previous) == ("2026-11-20", 0.0, 2_500.0)
    own.take(CloseEvent(18, day))
    with pytest.raises(mc.InvalidInput, match="event 1 is of a day before the last 15 closed") as refused:
        own.take(CorrectionEvent(19, 1))
    assert (refused.value.code, refused.value.where, refused.value.value) == ("out_of_range", "corrects", 1)
    with pytest.raises(mc.InvalidInput, match="event 3 is no fill and no cash"):
        own.take(CorrectionEvent(19, 3))
