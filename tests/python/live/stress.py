"""What stopped the interpreter for good, as programs of their own: a watchdog outside ends one that hangs.

``python stress.py KIND ROUNDS`` prints what it did; the kinds are the functions of :data:`KINDS`.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

import margincore as mc

STOCK = mc.Stock("XYZ", currency="USD")
OPTIONS = [
    mc.Option(
        "XYZ", "call", float(k), expiry="2026-12-18", settles="pm", exercise="european", multiplier=100, currency="USD"
    )
    for k in range(50, 150)
]
MARKET = mc.Market("2026-11-20T21:00:00Z", spot={"XYZ": 100.0}, rate={"USD": 0.04}, vol={o.id: 0.3 for o in OPTIONS})


def opened() -> tuple[mc.Prepared, mc.LiveAccount]:
    prepared = mc.Engine(mc.methods.Tims()).prepare([STOCK, *OPTIONS], MARKET)
    held = [mc.Position(o, -1) for o in OPTIONS] + [mc.Position(STOCK, 100)]
    return prepared, prepared.open(mc.Account(held, cash={"USD": 1e6}))


ROWS = np.tile(np.arange(100, dtype=np.uint32), 40)
LOTS = np.full(len(ROWS), -1, np.int64)


def read(live: mc.LiveAccount) -> None:
    """Short questions, and one that takes longer than a millisecond: it is asked of a copy, without the interpreter."""
    for _ in range(20):
        _ = live.margin
    live.rank(ROWS, LOTS)


def together(work: Callable[[], object], beside: Callable[[], object], rounds: int) -> None:
    """So many rounds of one thing while another thread does the other."""
    done = threading.Event()

    def others() -> None:
        while not done.is_set():
            beside()

    thread = threading.Thread(target=others, daemon=True)
    thread.start()
    for _ in range(rounds):
        work()
    done.set()
    thread.join()


def generator(rounds: int) -> str:
    """Trades made by Python code that reads the account they are for; another thread reads it too."""
    _, live = opened()

    def halves(sign: int) -> Iterator[tuple[mc.Contract, float]]:
        held = next(p.long for p in live.positions if p.contract.id == STOCK.id)
        yield STOCK, sign * held / 2 // 1

    def work() -> None:
        live.what_if(halves(-1))
        live.apply(halves(-1))
        live.apply((contract, 100.0 - quantity) for contract, quantity in halves(1))
        live.what_if((STOCK, -1.0) for _ in range(50))

    together(work, lambda: read(live), rounds)
    return f"{getattr(live, 'contended', -1)} contended"


def threads(rounds: int) -> str:
    """Checks and changes in one thread, whatever else there is to ask in two others."""
    prepared, live = opened()
    moved = prepared.update(spot={"XYZ": 101.0})
    limit = mc.Limit(max_requirement=1e12)
    numbers = iter(range(10**9))

    def work() -> None:
        n = next(numbers)
        order = mc.Order(f"o{n}", OPTIONS[n % 100], "sell", 2, 3.0)
        live.check(order, limit, reserve=True)
        live.fill(order.id, "f", 1, 3.0)
        live.cancel(order.id)
        live.apply((OPTIONS[n % 100], 1.0) for _ in range(1))
        live.what_if((STOCK, -1.0) for _ in range(200))
        if n % 10 == 0:
            live.rebase(moved if n % 20 else prepared)

    def ask() -> None:
        _ = (live.positions, live.orders, live.open_orders, live.cash, live.equity, repr(live), live.worst)
        live.max_quantity(OPTIONS[3], "sell", limit, most=50)
        live.what_if([(STOCK, 5)])
        live.margin_after(1, 2)

    done = threading.Event()

    def others() -> None:
        while not done.is_set():
            ask()

    thread = threading.Thread(target=others, daemon=True)
    thread.start()
    together(work, lambda: read(live), rounds)
    done.set()
    thread.join()
    assert len(live.orders) == rounds, "an order is lost"
    live.rebase(prepared)
    fresh = prepared.margin(mc.Account(live.positions, cash=live.cash)).requirement
    assert live.margin.initial == fresh.initial, "the account is not what its messages make it"
    return f"{getattr(live, 'contended', -1)} contended"


class Node:
    """A ring that the collector has to take apart, with a finaliser in Python."""

    account: mc.LiveAccount

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        for _ in range(100):
            pass
        _ = self.account.margin


def finalisers(rounds: int) -> str:
    """The collector runs Python wherever an object is made: while an account's answer is built."""
    gc.set_threshold(50, 5, 5)
    _, live = opened()
    Node.account = live
    for i in range(200):
        live.reserve(mc.Order(f"o{i}", STOCK, "buy", 1, 50.0))

    def work() -> None:
        for _ in range(20):
            Node()
        _ = (live.orders, live.positions)

    together(work, lambda: read(live), rounds)
    return f"{getattr(live, 'contended', -1)} contended"


def forks(rounds: int) -> str:
    """Children that are forked while another thread is inside the account: each answers, or says that it cannot."""
    prepared, live = opened()
    moved = prepared.update(spot={"XYZ": 101.0})
    answered = refused = 0

    def fork() -> None:
        nonlocal answered, refused
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(10)
            try:
                _ = live.margin
                live.what_if([(STOCK, 1)])
                code = 0
            except mc.CalculationError:
                code = 3
            # What is opened in the child works, whatever was held in the parent.
            own = moved.open(mc.Account([mc.Position(STOCK, 1)], cash={"USD": 1.0}))
            own.apply([(STOCK, 1)])
            os._exit(code)
        _, status = os.waitpid(child, 0)
        assert status in (0, 3 << 8), f"a child ended with status {status}: 14 is the watchdog's"
        answered += status == 0
        refused += status != 0

    def move() -> None:
        live.rebase(moved)
        live.rebase(prepared)

    together(fork, move, rounds)
    return f"{answered} answered, {refused} refused"


KINDS = {kind.__name__: kind for kind in (generator, threads, finalisers, forks)}

if __name__ == "__main__":
    start = time.perf_counter()
    told = KINDS[sys.argv[1]](int(sys.argv[2]))
    print(f"{sys.argv[1]}: {sys.argv[2]} rounds in {time.perf_counter() - start:.1f} s: {told}")
