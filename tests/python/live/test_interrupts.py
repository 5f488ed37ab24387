"""A signal is answered within a tenth of a second in every long native call, and nothing is half done."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from stress import OPTIONS, STOCK
from test_threads import hard_order, reg_t

import margincore as mc
from helpers import commodity, family, future, spn
from margincore._core import SpanFile

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")

DELAY = 0.1
"""Seconds of work before the signal."""

ANSWERED = 0.5
"""Seconds that are too long for an answer. A tenth is promised; other work on the machine is allowed for."""


class Told(Exception):
    """What the signal's handler raises: as KeyboardInterrupt, but the test runner's own is left alone."""


@pytest.fixture
def sent() -> Iterator[list[float]]:
    """When a signal was sent, once one is."""

    def tell(*_: object) -> None:
        raise Told

    before = signal.signal(signal.SIGUSR1, tell)
    times: list[float] = []
    yield times
    signal.signal(signal.SIGUSR1, before)


def told(work: Callable[[], object], sent: list[float]) -> float:
    """Seconds from the signal to the answer of work that is still going on when it is sent."""
    is_over = False

    def send() -> None:
        time.sleep(DELAY)
        if not is_over:
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        work()
        is_over = True
        pytest.fail(f"over in less than {DELAY} s, or not told")
    except Told:
        answered = time.perf_counter()
    finally:
        thread.join()
    return answered - sent[0]


def american_with_dividends(count: int) -> tuple[mc.Contracts, mc.Market]:
    """Options that only a tree prices: a prepare of seconds."""
    table = mc.Contracts.from_columns(
        kind="option",
        underlying="XYZ",
        right="put",
        strike=np.linspace(50.0, 150.0, count),
        expiry="2026-12-18",
        settles="pm",
        exercise="american",
        multiplier=100.0,
        currency="USD",
    )
    market = mc.Market(
        "2026-11-20T21:00:00Z",
        spot={"XYZ": 100.0},
        rate={"USD": 0.04},
        dividends={"XYZ": [("2026-12-01", 1.0), ("2026-12-10", 1.0)]},
        vol={one: 0.3 for one in table.ids},
    )
    return table, market


def prepare() -> Callable[[], object]:
    table, market = american_with_dividends(20_000)
    return lambda: mc.Engine(mc.methods.Tims()).prepare(table, market, threads=2)


def reg_t_batch() -> Callable[[], object]:
    prepared = reg_t()
    rng = np.random.default_rng(1)
    count = 400_000
    accounts = mc.Accounts.from_columns(
        prepared.contracts,
        account=np.repeat(np.arange(count // 20, dtype=np.uint32), 20),
        contract=rng.integers(0, 201, count).astype(np.uint32),
        lots=rng.integers(-5, 6, count),
    )
    return lambda: prepared.margin_many(accounts, threads=2)


def var_batch() -> Callable[[], object]:
    rng = np.random.default_rng(3)
    prices = {f"S{i}": 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 2500))) for i in range(100)}
    stocks = [mc.Stock(name, currency="USD") for name in prices]
    rule = mc.methods.HistoricalVar(prices, returns="relative", measure="es_acerbi", confidence="0.99")
    market = mc.Market("2026-11-20T21:00:00Z", spot=dict.fromkeys(prices, 100.0))
    prepared = mc.Engine(rule).prepare(stocks, market)
    count = 1_000_000
    accounts = mc.Accounts.from_columns(
        prepared.contracts,
        account=np.repeat(np.arange(count // 100, dtype=np.uint32), 100),
        contract=np.tile(np.arange(100, dtype=np.uint32), count // 100),
        lots=rng.integers(1, 9, count),
    )
    return lambda: prepared.margin_many(accounts)


def span_file() -> Callable[[], object]:
    contracts = "".join(future(i, "202612", 100.0) for i in range(300_000))
    data = spn("E", family("F", contracts), commodity("F"))
    return lambda: SpanFile.parse(data, "large.spn")


def many_small_batches() -> Callable[[], object]:
    """Each of them is too short to be asked about a signal."""
    pa = pytest.importorskip("pyarrow")
    prepared = reg_t()
    rows = pa.record_batch({"account": [1] * 10, "contract": [0] * 10, "quantity": [1] * 10})
    return lambda: prepared.margin_arrow(itertools.repeat(rows, 2_000_000)).read_all()


def accounts_of_columns() -> Callable[[], object]:
    table = mc.Contracts([STOCK, *OPTIONS])
    rng = np.random.default_rng(2)
    count = 12_000_000
    columns = {
        "account": rng.integers(0, 300_000, count).astype(np.uint32),
        "contract": rng.integers(0, len(table), count).astype(np.uint32),
        "lots": rng.integers(-5, 6, count),
    }
    return lambda: mc.Accounts.from_columns(table, **columns)


def contracts_of_columns() -> Callable[[], object]:
    strikes = np.linspace(50.0, 150.0, 600_000)
    terms = {"kind": "option", "underlying": "XYZ", "right": "put", "expiry": "2026-12-18", "settles": "pm"}
    return lambda: mc.Contracts.from_columns(
        **terms, exercise="american", strike=strikes, multiplier=100.0, currency="USD"
    )


def most_lots() -> Callable[[], object]:
    live, order = hard_order()
    return lambda: live.max_quantity(order.contract, "sell", mc.Limit(max_requirement=1e12), price=3.0, most=20_000)


def ranked() -> Callable[[], object]:
    live, _ = hard_order()
    rows = np.tile(np.arange(200, dtype=np.uint32), 100)
    return lambda: live.rank(rows, np.full(len(rows), -1, np.int64))


def line(low: float, high: float, count: int) -> np.ndarray:
    return np.linspace(low, high, count)


CALLS: dict[str, Callable[[], Callable[[], object]]] = {
    "European implied vols": lambda: (
        lambda: mc.pricing.implied_vol(line(9.0, 11.0, 12_000_000), 100.0, 100.0, 0.5, 0.05, 0.0, "call")
    ),
    "American prices": lambda: (
        lambda: mc.pricing.price(line(90.0, 110.0, 1_000_000), 100.0, 0.5, 0.05, 0.03, 0.2, "put", exercise="american")
    ),
    "American greeks": lambda: (
        lambda: mc.pricing.greeks(line(90.0, 110.0, 300_000), 100.0, 0.5, 0.05, 0.03, 0.2, "put", exercise="american")
    ),
    "American implied vols": lambda: (
        lambda: mc.pricing.implied_vol(
            line(6.0, 11.0, 300_000), 100.0, 100.0, 0.5, 0.05, 0.03, "put", exercise="american"
        )
    ),
    "prepare": prepare,
    "Reg T batch": reg_t_batch,
    "VaR batch": var_batch,
    "SPAN file": span_file,
    "accounts of columns": accounts_of_columns,
    "Arrow, a batch at a time": many_small_batches,
    "contracts of columns": contracts_of_columns,
    "max_quantity": most_lots,
    "rank": ranked,
}


@pytest.mark.parametrize("name", CALLS)
def test_a_signal_is_answered(name: str, sent: list[float]) -> None:
    """A call of seconds, told to stop after a tenth of one."""
    work = CALLS[name]()
    took = told(work, sent)
    print(f"{name}: answered after {1000 * took:.0f} ms")
    assert took < ANSWERED


def test_a_check_that_is_told_to_stop_has_reserved_nothing(sent: list[float]) -> None:
    live, order = hard_order()
    limit = mc.Limit(max_requirement=1e12)
    before = (live.margin.initial, live.cash, live.open_orders, live.epoch)
    assert told(lambda: live.check(order, limit, reserve=True), sent) < ANSWERED
    assert (live.margin.initial, live.cash, live.open_orders, live.epoch) == before
    # And it is asked again as if nothing had been.
    small = mc.Order("b", order.contract, "sell", 1, 3.0)
    assert live.check(small, limit, reserve=True).accepted
    assert list(live.open_orders) == ["b"]


def test_a_handler_may_ask_the_account_it_interrupts() -> None:
    live, order = hard_order()
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(live.margin.initial))
    try:
        thread = threading.Timer(DELAY, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        thread.start()
        assert live.check(order, mc.Limit(max_requirement=1e12)).accepted
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [live.margin.initial]


def test_a_thread_that_is_not_the_main_one_is_not_told(sent: list[float]) -> None:
    """Python runs handlers in the main thread: work in another one goes on."""
    live, order = hard_order()
    decided: list[mc.Decision] = []
    done = threading.Event()

    def check() -> None:
        decided.append(live.check(order, mc.Limit(max_requirement=1e12)))
        done.set()

    threading.Thread(target=check).start()
    assert told(done.wait, sent) < ANSWERED
    assert not decided
    assert done.wait(60)
    assert decided[0].accepted
