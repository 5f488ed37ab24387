"""Nothing stops the interpreter: accounts under generators, threads, finalisers and forks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import stress

import margincore as mc

ROUNDS = int(os.environ.get("MARGINCORE_STRESS_ROUNDS", "1000"))
"""`make campaign` asks for 10,000."""


@pytest.mark.parametrize("kind", stress.KINDS)
def test_nothing_hangs(kind: str) -> None:
    if kind == "forks" and not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    script = str(Path(stress.__file__))
    limit = 60 + ROUNDS / 10  # a watchdog: a hundred times what it takes
    done = subprocess.run(
        [sys.executable, script, kind, str(ROUNDS)], capture_output=True, text=True, timeout=limit, check=False
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout.strip())


def test_a_process_may_fork_whatever_is_being_made_for_the_first_time() -> None:
    """What is made once (a digest, terms of payment, nodes of a quadrature) leaves no lock behind in a child."""
    program = """
import os, signal, threading
import numpy as np
import margincore as mc
options = [mc.Option("XYZ", "call", float(k), expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
                     currency="USD") for k in range(1, 3000)]
market = mc.Market("2026-11-20T21:00:00Z", spot={"XYZ": 100.0}, rate={"USD": 0.04}, vol={o.id: 0.3 for o in options})
engine = mc.Engine(mc.methods.Tims())
shared, stop = [], threading.Event()
def make():
    while not stop.is_set():
        table = mc.Contracts(options)
        prepared = engine.prepare(table, market)
        shared[:] = [prepared, table]
        prepared.open(mc.Account([mc.Position(options[5], 1)]))
        mc.Accounts.from_columns(table, account=np.zeros(1, np.uint32), contract=np.zeros(1, np.uint32),
                                 lots=np.ones(1, np.int64))
maker = threading.Thread(target=make)
maker.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        for prepared in shared[:1]:
            prepared.open(mc.Account([mc.Position(options[7], -2)])).margin
            prepared.margin_many([mc.Account([mc.Position(options[7], -2)])] * 200, threads=2)
        mc.pricing.price(100.0, 100.0, 0.5, 0.05, 0.0, 0.2, "put", exercise="american")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
stop.set()
"""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_a_call_gives_the_interpreter_back_after_a_millisecond() -> None:
    """A large order under Reg T is margined once a contract: long, and other threads go on in the meantime."""
    for doubled in range(8):  # 5,000 contracts are quick on a fast machine
        took, longest = a_long_check(5_000 << doubled)
        if took > 0.3:
            break
    assert longest < took / 4, f"another thread stood still for {longest:.2f} of {took:.2f} s"


def a_long_check(quantity: int) -> tuple[float, float]:
    """How long a check of so many contracts takes, and the longest that another thread stood still in it."""
    live, order = hard_order(quantity)
    longest, stop = 0.0, threading.Event()

    def tick() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not stop.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            longest = max(longest, now - last)
            last = now

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    decision = live.check(order, mc.Limit(max_requirement=1e12))
    took = time.perf_counter() - start
    stop.set()
    thread.join()
    assert decision.accepted
    return took, longest


def reg_t() -> mc.Prepared:
    options = [
        mc.Option(
            "XYZ", right, k, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100, currency="USD"
        )
        for k in range(50, 150)
        for right in ("call", "put")
    ]
    market = mc.Market(
        "2026-11-20T21:00:00Z",
        spot={"XYZ": 100.0},
        rate={"USD": 0.04},
        vol={o.id: 0.3 for o in options},
        price={o.id: 3.0 for o in options},
    )
    return mc.Engine(mc.methods.RegT()).prepare([stress.STOCK, *options], market)


def hard_order(quantity: int = 20_000) -> tuple[mc.LiveAccount, mc.Order]:
    prepared = reg_t()
    stock, *options = prepared.contracts
    held = [mc.Position(options[7 * i], (-4, -3, 3, 5)[i % 4]) for i in range(16)]
    live = prepared.open(mc.Account([*held, mc.Position(stock, 700)], cash={"USD": 1e9}))
    return live, mc.Order("a", options[100], "sell", quantity, 3.0)
