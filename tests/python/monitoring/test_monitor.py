"""Monitoring, and coming back after a crash."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from faults import FAULTS, Disk

import margincore as mc
from margincore.monitoring import CancelEvent, CashEvent, Event, FillEvent, Journal, MarketEvent, Monitor, OrderEvent

STOCK = mc.Stock("XYZ", currency="USD")
CALL = mc.Option(
    "XYZ", "call", 100, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100, currency="USD"
)
FUTURE = mc.Future("XYZ", expiry="2026-12-18", settles="pm", multiplier=10, currency="USD")
MARKET = mc.Market(
    "2026-11-20T21:00:00Z", spot={"XYZ": 100.0}, rate={"USD": 0.04}, vol={CALL.id: 0.3}, price={FUTURE.id: 100.5}
)


def prepared() -> mc.Prepared:
    return mc.Engine(mc.methods.Tims()).prepare([STOCK, CALL, FUTURE], MARKET)


def accounts() -> dict[str, mc.Account]:
    return {
        "a": mc.Account([mc.Position(CALL, -10), mc.Position(STOCK, 500)], cash={"USD": -20_000.0}),
        "b": mc.Account([mc.Position(FUTURE, 40)], cash={"USD": 9_000.0}, collateral={"USD": 1_000.0}),
        "c": mc.Account([], cash={"USD": 1_000.0}),
    }


def stream(count: int) -> list[Event]:
    """Markets, trades, cash, and orders with their fills, cancels and replacements; some messages come twice."""
    rng = random.Random(5)
    spot, events = 100.0, []
    orders: list[OrderEvent] = []
    fills: list[FillEvent] = []
    for number in range(1, count + 1):
        price = {STOCK.id: spot, CALL.id: 3.0, FUTURE.id: spot + 0.5}
        account, contract = rng.choice("abc"), rng.choice([STOCK, CALL, FUTURE]).id
        match rng.randrange(9):
            case 0 | 1:
                spot *= 1 + rng.uniform(-0.02, 0.02)
                events.append(MarketEvent(number, {"spot": {"XYZ": spot}, "price": {FUTURE.id: spot + 0.5}}))
            case 2:
                quantity = float(rng.choice([-3, -2, -1, 1, 2, 3]))
                events.append(FillEvent(number, account, contract, quantity, price[contract], 1.0))
            case 3:
                events.append(CashEvent(number, account, "USD", rng.uniform(-200, 200)))
            case 4 if orders:
                events.append(CancelEvent(number, (gone := rng.choice(orders)).account, gone.order))
                orders.remove(gone)
            case 5 if orders:
                old = rng.choice(orders)
                orders.remove(old)
                orders.append(replace(old, number=number, order=f"o{number}", replaces=old.order))
                events.append(orders[-1])
            case 6 | 7 if orders:
                order = rng.choice(orders)
                sign = 1.0 if order.side == "buy" else -1.0
                fill = FillEvent(
                    number, order.account, order.contract, sign, order.price, 0.5, order.order, f"e{number}"
                )
                if sum(f.order == order.order for f in fills) < order.quantity:
                    fills.append(fill)
                # Sometimes the last execution once more.
                events.append(replace(rng.choice([fills[-1], fills[-1], *fills[-3:]]), number=number))
            case _:
                side = rng.choice(["buy", "sell"])
                order = OrderEvent(number, account, f"o{number}", contract, side, 3.0, price[contract], 1.0)  # type: ignore[arg-type]
                orders.append(order)
                events.append(order)
    return events


def monitor(journal: Path | None, **options: object) -> Monitor:
    return Monitor(prepared(), accounts(), haircuts={"USD": 0.1}, journal=journal, checkpoint=16, **options)  # type: ignore[arg-type]


def test_levels_and_distances() -> None:
    own = monitor(None)
    status = own.status("b")
    # Long 40 futures of 10 at 100.5: fifteen percent of 40,200.
    assert status.initial == pytest.approx(0.15 * 40_200)
    assert status.equity == 9_000 + 900
    assert status.to_call == status.equity - status.initial
    assert status.utilisation == status.initial / status.equity
    first = MarketEvent(1, {"spot": {"XYZ": 88.0}, "price": {FUTURE.id: 88.5}})
    alerts = own.take(first)
    # Twelve points on 400 units are paid out in cash.
    assert own.accounts["b"].cash["USD"] == 9_000 - 12 * 400
    assert [(a.status.account, a.previous, a.status.level) for a in alerts] == [("b", "ok", "liquidation")]
    assert own.take(first) == []
    with pytest.raises(mc.InvalidInput, match="gap"):
        own.take(MarketEvent(3, {"spot": {"XYZ": 88.0}}))


def test_the_state_is_that_of_a_fresh_account() -> None:
    own = monitor(None)
    list(own.run(stream(120)))
    for live in own.accounts.values():
        assert live.margin.initial == own.prepared.margin(live.positions).requirement.initial


def test_a_bad_event_is_refused_before_anything_changes() -> None:
    own = monitor(None)
    for event in (
        FillEvent(1, "nobody", CALL.id, 1.0, 1.0),
        FillEvent(1, "a", "nothing", 1.0, 1.0),
    ):
        with pytest.raises(mc.InvalidInput):
            own.take(event)
    assert own.number == 0
    own.take(CashEvent(1, "a", "USD", 5.0))
    with pytest.raises(mc.InvalidInput):
        own.take(MarketEvent(2, {"spot": {"XYZ": 1e300}}))
    with pytest.raises(mc.InvalidInput, match="no symbol is called 'XZY'; did you mean 'XYZ'?"):
        own.take(MarketEvent(2, {"spot": {"XZY": 50.0}}))
    # No account was reached: the stream goes on.
    own.take(CashEvent(2, "a", "USD", 5.0))
    assert own.number == 2


def test_a_monitor_continues_from_its_journal(tmp_path: Path) -> None:
    events = stream(60)
    whole = monitor(tmp_path / "whole")
    alerts = list(whole.run(events))
    for cut in (0, 1, 15, 16, 17, 40):
        path = tmp_path / f"cut{cut}"
        first = monitor(path, sync=False)
        list(first.run(events[:cut]))
        del first
        again = monitor(path, sync=False)
        assert again.number == cut
        list(again.run(events))
        assert again.journal_digest == whole.journal_digest
        assert again.alerts() == alerts
        assert [again.status(n) for n in "abc"] == [whole.status(n) for n in "abc"]


def test_a_state_names_only_the_orders_messages_have_reached(tmp_path: Path) -> None:
    path, day = tmp_path / "j", 64
    own = monitor(path, sync=False)
    for number in range(1, 40 * day, 2):
        own.take(OrderEvent(number, "c", f"o{number}", STOCK.id, "buy", 1.0, 1.0))
        own.take(FillEvent(number + 1, "c", STOCK.id, 1.0, 1.0, 0.0, f"o{number}", "e"))
    own.close()
    with Journal(path) as journal:
        states = [r["state"]["accounts"]["c"]["orders"] for r in journal.records if "state" in r]
    # Sixteen messages between two states are eight orders.
    assert len(states) == 1 + 40 * day // 16
    assert {len(orders) for orders in states[1:]} == {8}
    # Every order is known again, the first as well as the last: a message that comes again changes nothing.
    again = monitor(path, sync=False)
    live, number = again.accounts["c"], again.number
    assert live.orders == own.accounts["c"].orders
    assert len(live.orders) == 20 * day
    for order in ("o1", f"o{number - 1}"):
        number += 1
        again.take(FillEvent(number, "c", STOCK.id, 1.0, 1.0, 0.0, order, "e"))
        number += 1
        again.take(OrderEvent(number, "c", order, STOCK.id, "buy", 1.0, 1.0))
    assert live.positions[0].quantity == 20 * day
    assert live.open_orders == {}


def test_other_arguments_are_refused(tmp_path: Path) -> None:
    first = monitor(tmp_path / "j")
    first.close()
    with pytest.raises(mc.InvalidInput, match="other"):
        Monitor(prepared(), accounts(), journal=tmp_path / "j")


def test_damage_is_found_and_a_torn_end_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "j"
    own = monitor(path, sync=False)
    list(own.run(stream(20)))
    own.close()
    data = path.read_bytes()
    last = data.rfind(b"\n", 0, len(data) - 1) + 1
    # Without its newline only, the last record is still one.
    for cut, number in ((last + 1, 19), ((last + len(data)) // 2, 19), (len(data) - 1, 20)):
        path.write_bytes(data[:cut])
        again = monitor(path, sync=False)
        assert (again.number, again.journal_removed) == (number, cut - last if number == 19 else 0)
        list(again.run(stream(20)))
        again.close()
        assert path.read_bytes() == data
    rng = random.Random(3)
    for _ in range(300):
        at = rng.randrange(len(data) - 1)
        damaged = bytearray(data)
        damaged[at] ^= 1 << rng.randrange(8)
        if b"\n" in (damaged[at : at + 1], data[at : at + 1]):
            continue
        path.write_bytes(damaged)
        with pytest.raises(mc.ParseError, match="byte"):
            Journal(path)


def feed(own: Monitor, events: list[Event], taken: list[int]) -> None:
    for event in events:
        own.take(event)
        taken.append(event.number)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_journal_that_fails_ends_the_monitor_and_loses_nothing(tmp_path: Path, kind: str) -> None:
    fault, error = FAULTS[kind]
    events = stream(20)
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch)
        whole = monitor(tmp_path / "whole")
        opened = len(disk.calls)
        expected = [whole.take(event) for event in events]
    # Twenty events and one state, each written and synced. Every fault at a third of them, each third with two faults.
    assert len(disk.calls) - opened == 2 * 21
    for at in range(opened + list(FAULTS).index(kind) % 3, len(disk.calls), 3):
        path = tmp_path / f"{at}"
        taken: list[int] = []
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, at, fault)
            own = monitor(path)
            held = own.accounts["a"]
            order = mc.Order("x", STOCK, "buy", 1.0, 1.0)
            with pytest.raises(error):
                feed(own, events, taken)
        # The state of sixteen events is written after the sixteenth was.
        assert own.number in (len(taken), 16)
        assert held.check(order, mc.Limit(min_excess=-1e9)).reason == "killed"
        for question in (
            lambda own=own: own.status("a"),
            lambda own=own: own.accounts,
            lambda own=own: own.prepared,
            lambda own=own: own.take(events[0]),
            lambda own=own: own.take(events[own.number]),
        ):
            with pytest.raises(mc.InvalidInput, match="half way"):
                question()
        assert own.alerts() == [alert for alerts in expected[: own.number] for alert in alerts]
        own.close()
        again = monitor(path, at_least=len(taken))
        assert (start := again.number) in (own.number, own.number + 1)
        assert list(again.run(events)) == [alert for alerts in expected[start:] for alert in alerts]
        assert again.alerts() == whole.alerts()
        assert path.read_bytes() == (tmp_path / "whole").read_bytes()
        assert [again.status(n) for n in "abc"] == [whole.status(n) for n in "abc"]
        again.close()


def test_an_event_interrupted_on_its_way_to_the_journal_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Monitor, event: Event, moved: mc.Prepared | None) -> object:
        apply(self, event, moved)
        raise KeyboardInterrupt

    own, apply = monitor(tmp_path / "j"), Monitor._apply
    own.take(CashEvent(1, "c", "USD", 5.0))
    with monkeypatch.context() as patch:
        patch.setattr(Monitor, "_apply", interrupt)
        with pytest.raises(KeyboardInterrupt):
            own.take(CashEvent(2, "c", "USD", 5.0))
    # The account has the money, the journal does not: taken again here, it would be there twice.
    with pytest.raises(mc.InvalidInput, match="half way"):
        own.take(CashEvent(2, "c", "USD", 5.0))
    own.close()
    again = monitor(tmp_path / "j")
    again.take(CashEvent(2, "c", "USD", 5.0))
    assert again.accounts["c"].cash["USD"] == 1_010.0


def test_an_event_that_cannot_be_written_is_refused_and_the_monitor_goes_on(tmp_path: Path) -> None:
    for path in (None, tmp_path / "j"):
        own = monitor(path)
        for bad, words in (
            (CashEvent(1, "a", "USD", float("nan")), "event 1: amount is nan, not a finite number"),
            (CancelEvent(1, "a", "\ud800"), "event 1: order is .*, not Unicode text"),
            (MarketEvent(1, {"spot": {"XYZ": object()}}), "event 1: changes.spot.XYZ is of the type object"),
        ):
            with pytest.raises(mc.InvalidInput, match=words):
                own.take(bad)
        own.take(CashEvent(1, "a", "USD", 1.0))
        own.close()
        with pytest.raises(mc.InvalidInput, match="closed"):
            own.take(CashEvent(2, "a", "USD", 1.0))
        assert own.status("a").account == "a"


def test_a_journal_cut_between_records_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j"
    own = monitor(path, sync=False)
    list(own.run(stream(20)))
    own.close()
    records = path.read_bytes().splitlines(keepends=True)
    # The first record is the beginning; the state of sixteen events stands behind the sixteenth.
    for kept, number in ((len(records), 20), (len(records) - 1, 19), (17, 16), (1, 0), (0, 0)):
        cut = b"".join(records[:kept])
        path.write_bytes(cut)
        with pytest.raises(mc.ParseError, match=f"j: the last event is {number}, and at least {number + 1} is asked"):
            monitor(path, sync=False, at_least=number + 1)
        assert path.read_bytes() == cut
        again = monitor(path, sync=False, at_least=number)
        assert (again.number, again.journal_removed) == (number, 0)
        again.close()


def survive(folder: Path, kills: int) -> int:
    """Kill -9 at random moments, again and again, until the stream is through and enough processes have died.

    How many died. Raises AssertionError where anything was lost or doubled.
    """
    events = stream(400)
    whole = monitor(folder / "whole", sync=False)
    expected = list(whole.run(events))
    rng = random.Random(11)
    dead = 0
    while dead < kills:
        path = folder / "killed"
        for tries in itertools.count():
            child = os.fork()
            if child == 0:
                try:
                    own = monitor(path, sync=False)
                    list(own.run(events))
                    os._exit(0)
                except BaseException as error:
                    print(error, file=sys.stderr)
                    os._exit(1)
            # Longer from try to try: on a busy machine a process may need more only to read its journal.
            time.sleep(rng.uniform(0.0, 0.03 + 0.002 * tries))
            os.kill(child, signal.SIGKILL)
            _, state = os.waitpid(child, 0)
            if not os.WIFSIGNALED(state):
                break
            dead += 1
        assert os.WEXITSTATUS(state) == 0
        assert path.read_bytes() == (folder / "whole").read_bytes()
        last = monitor(path, sync=False)
        assert last.alerts() == expected
        for name, live in last.accounts.items():
            assert (live.orders, live.cash) == (whole.accounts[name].orders, whole.accounts[name].cash)
        last.close()
        path.unlink()
    return dead


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    assert survive(tmp_path, 60) >= 60


def test_orders_reserve_fill_cancel_and_replace() -> None:
    own = monitor(None)
    start = own.status("c")
    assert start.worst == start.initial == 0.0
    own.take(OrderEvent(1, "c", "1", STOCK.id, "sell", 10.0, 100.0))
    assert own.status("c").initial == 0.0
    assert own.status("c").worst == pytest.approx(150.0)
    own.take(FillEvent(2, "c", STOCK.id, -4.0, 101.0, 1.0, "1", "e1"))
    again = FillEvent(3, "c", STOCK.id, -4.0, 101.0, 1.0, "1", "e1")
    own.take(again)
    live = own.accounts["c"]
    assert (live.positions[0].quantity, live.open_orders) == (-4.0, {"1": -6.0})
    assert live.cash["USD"] == 1_000 + 404 - 1
    own.take(OrderEvent(4, "c", "2", STOCK.id, "sell", 3.0, 102.0, replaces="1"))
    assert live.open_orders == {"2": -3.0}
    own.take(CancelEvent(5, "c", "2"))
    assert own.status("c").worst == own.status("c").initial == pytest.approx(60.0)
    # What an account refuses leaves it as it was, and the monitor goes on.
    for bad in (
        CancelEvent(6, "c", "never"),
        OrderEvent(6, "c", "2", STOCK.id, "buy", 3.0, 102.0),
        FillEvent(6, "c", STOCK.id, -9.0, 101.0, 1.0, "1", "e9"),
        FillEvent(6, "c", STOCK.id, 1.0, 101.0, 1.0, "1", "e9"),
        FillEvent(6, "c", STOCK.id, -1.0, 101.0, 1.0, "1"),
    ):
        with pytest.raises((mc.InvalidInput, mc.MissingData)):
            own.take(bad)
    own.take(CashEvent(6, "c", "USD", 1.0))
    assert own.number == 6


if __name__ == "__main__":
    # `python tests/python/monitoring/test_monitor.py 300`: as many kills as asked for.
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        print(survive(Path(folder), int(sys.argv[1])), "processes killed; nothing lost, nothing doubled")
