"""The live account through the public face."""

from __future__ import annotations

import ast
import doctest
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

import margincore as mc

STOCK = mc.Stock("XYZ", currency="USD")


def option(right: str, strike: float) -> mc.Contract:
    return mc.Option(
        "XYZ", right, strike, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100, currency="USD"
    )


OPTIONS = [option(right, strike) for strike in (80, 90, 100, 110, 120) for right in ("call", "put")]
MARKET = mc.Market("2026-11-20T21:00:00Z", spot={"XYZ": 100.0}, rate={"USD": 0.04}, vol={o.id: 0.3 for o in OPTIONS})
NOW = "2026-11-20T21:00:01Z"


@pytest.fixture
def prepared() -> mc.Prepared:
    return mc.Engine(mc.methods.Tims()).prepare([STOCK, *OPTIONS], MARKET)


@pytest.fixture
def live(prepared: mc.Prepared) -> mc.LiveAccount:
    return prepared.open(mc.Account([mc.Position(OPTIONS[4], -5), mc.Position(STOCK, 300)], cash={"USD": 20_000.0}))


def test_the_stub_s_examples_run() -> None:
    stub = Path(mc.__file__).with_name("_core.pyi")
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for node in ast.walk(ast.parse(stub.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            runner.run(doctest.DocTestParser().get_doctest(text, {}, node.name, str(stub), node.lineno))
    assert runner.tries > 10
    assert runner.failures == 0


def test_what_if_check_and_apply_equal_a_fresh_margin(prepared: mc.Prepared, live: mc.LiveAccount) -> None:
    rng = np.random.default_rng(7)
    for i in range(200):
        contract = [STOCK, *OPTIONS][rng.integers(11)]
        quantity = int(rng.integers(1, 30)) * (1 if rng.random() < 0.5 else -1)
        fresh = prepared.margin([*live.positions, mc.Position(contract, quantity)]).requirement.initial
        assert live.what_if([(contract, quantity)]).after.initial == fresh
        side = "buy" if quantity > 0 else "sell"
        decision = live.check(mc.Order(f"o{i}", contract, side, abs(quantity), 5.0), mc.Limit(1e12))
        assert decision.after.initial == fresh
        row = live.index(contract)
        assert abs(live.margin_after(row, quantity) - fresh) <= live.band_after(row, quantity)
        assert live.apply([(contract, quantity)]).initial == fresh


def test_bad_data_is_a_refusal_and_not_an_exception(live: mc.LiveAccount) -> None:
    limit = mc.Limit(1e9, max_age=5.0)
    good = mc.Order("1", STOCK, "buy", 10, 100.0)
    assert live.check(good, limit, NOW)
    cases = {
        "invalid_order": mc.Order("2", STOCK, "buy", float("nan"), 100.0),
        "unknown_contract": mc.Order("2", mc.Stock("ABC", currency="USD"), "buy", 1, 1.0),
    }
    for reason, order in cases.items():
        decision = live.check(order, limit, NOW)
        assert (decision.accepted, decision.reason) == (False, reason)
    for order in (
        mc.Order("2", STOCK, "buy", 10, float("inf")),
        mc.Order("2", STOCK, "buy", 1.5, 1.0),
        mc.Order("2", STOCK, "buy", -1, 1.0),
        mc.Order("", STOCK, "buy", 1, 1.0),
    ):
        assert live.check(order, limit, NOW).reason == "invalid_order"
    for now, reason in ((None, "no_time"), ("yesterday", "no_time"), ("2026-11-20T21:01:00Z", "stale_market")):
        assert live.check(good, limit, now).reason == reason
    with pytest.raises(mc.InvalidInput):
        mc.Limit()


def test_a_decision_has_a_digest_of_what_it_was_made_from(live: mc.LiveAccount) -> None:
    limit = mc.Limit(1e9)
    first = live.check(mc.Order("1", STOCK, "buy", 10, 100.0), limit)
    second = live.check(mc.Order("1", STOCK, "buy", 11, 100.0), limit)
    assert len(first.digest()) == 64
    assert first.digest() == first.digest() != second.digest()


def test_an_order_lives_from_reservation_to_fill(live: mc.LiveAccount) -> None:
    order = mc.Order("1", OPTIONS[0], "sell", 10, 20.5, fees=10.0)
    before = live.worst
    assert live.check(order, mc.Limit(1e9), reserve=True)
    assert live.open_orders == {"1": -10.0}
    assert live.worst > before
    cash = live.cash["USD"]
    assert live.fill("1", "e1", 4, 20.5, fees=4.0)
    assert not live.fill("1", "e1", 4, 20.5, fees=4.0)
    assert live.cash["USD"] == cash + 4 * 100 * 20.5 - 4.0
    assert live.cancel("1")
    assert live.open_orders == {}
    with pytest.raises(mc.MissingData):
        live.fill("unknown", "e", 1, 1.0)


def test_an_update_equals_a_fresh_preparation(prepared: mc.Prepared, live: mc.LiveAccount) -> None:
    moved = prepared.update(spot={"XYZ": 91.0})
    assert moved.market is not None
    fresh = mc.Engine(prepared.methodology).prepare(prepared.contracts, moved.market)
    live.rebase(moved)
    assert live.margin.initial == fresh.margin(live.positions).requirement.initial
    assert live.epoch == 1
    other = mc.Engine(mc.methods.Tims()).prepare([STOCK], MARKET)
    with pytest.raises(mc.InvalidInput, match="extension"):
        live.rebase(other)
    assert live.epoch == 1


def test_threads_see_one_market_or_the_other(prepared: mc.Prepared, live: mc.LiveAccount) -> None:
    moved = prepared.update(spot={"XYZ": 91.0})
    expected = {prepared.open(live.positions).margin.initial, moved.open(live.positions).margin.initial}
    seen: set[float] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(live.what_if([]).after.initial)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for i in range(20_000):
        live.rebase(moved if i % 2 == 0 else prepared)
        if i >= 500 and seen == expected:
            break
    done.set()
    for reader in readers:
        reader.join()
    assert seen == expected


@pytest.mark.parametrize("methodology", [mc.methods.Tims(), mc.methods.RegT()], ids=["tims", "reg_t"])
def test_a_purchase_is_refused_for_cash_under_every_rulebook(methodology: mc.Methodology) -> None:
    call = option("call", 120)
    market = mc.Market(
        "2026-11-20T21:00:00Z", spot={"XYZ": 100.0}, rate={"USD": 0.04}, vol={call.id: 0.3}, price={call.id: 0.2}
    )
    live = mc.Engine(methodology).prepare([STOCK, call], market).open(mc.Account([], cash={"USD": 10_000.0}))
    decision = live.check(mc.Order("1", call, "buy", 1_000, 0.2), mc.Limit(1e9, min_excess=0.0))
    assert (decision.accepted, decision.reason) == (False, "min_excess")
    assert live.check(mc.Order("1", call, "buy", 1_000, 0.2), mc.Limit(1e9))
    assert live.check(mc.Order("2", call, "buy", 400, 0.2), mc.Limit(1e9, min_excess=0.0)).after.initial <= 8_000.0


@pytest.mark.parametrize("methodology", [mc.methods.Tims(), mc.methods.RegT()], ids=["tims", "reg_t"])
def test_every_rulebook_has_the_bits_of_a_fresh_margin(methodology: mc.Methodology) -> None:
    quoted = {o.id: 5.0 for o in OPTIONS}
    market = mc.Market(
        "2026-11-20T21:00:00Z", spot={"XYZ": 100.0}, rate={"USD": 0.04}, vol={o.id: 0.3 for o in OPTIONS}, price=quoted
    )
    prepared = mc.Engine(methodology).prepare([STOCK, *OPTIONS], market)
    live = prepared.open(mc.Account([mc.Position(OPTIONS[4], -5), mc.Position(STOCK, 300)], cash={"USD": 20_000.0}))
    rng = np.random.default_rng(3)
    for i in range(40):
        contract = [STOCK, *OPTIONS][rng.integers(11)]
        quantity = int(rng.integers(1, 9))
        positions = mc.Account([*live.positions, mc.Position(contract, quantity)], cash=live.cash)
        fresh = prepared.margin(positions).requirement.initial
        assert live.what_if([(contract, quantity)]).after.initial == fresh
        assert live.margin_after(live.index(contract), quantity) == pytest.approx(fresh, rel=1e-12, abs=1e-9)
        assert live.check(mc.Order(f"o{i}", contract, "buy", quantity, 5.0), mc.Limit(1e12)).accepted
        assert live.apply([(contract, quantity)]).initial == fresh
    live.reserve(mc.Order("open", OPTIONS[2], "sell", 3, 5.0))
    assert live.worst >= live.margin.initial


def test_ranking_is_many_what_ifs(live: mc.LiveAccount) -> None:
    index = np.arange(11, dtype=np.uint32).repeat(7)
    lots = np.tile(np.arange(-3, 4), 11)
    after = live.rank(index, lots, threads=2)
    for row, quantity, value in zip(index, lots, after, strict=True):
        contract = [STOCK, *OPTIONS][row]
        assert value == live.what_if([(contract, int(quantity))]).after.initial
    best = live.hedges(count=3)
    assert best[0][3] < 0
    assert [h[2] for h in best] == sorted(h[2] for h in best)


def test_orders_and_limits_pickle() -> None:
    order = mc.Order("1", STOCK, "buy", 10, 100.0, fees=1.0, effect="open")
    assert repr(pickle.loads(pickle.dumps(order))) == repr(order)
    limit = mc.Limit(5.0, min_excess=1.0, throttle=(3, 1.0))
    assert pickle.loads(pickle.dumps(limit)) == limit


def test_gross_accounts_say_open_or_close() -> None:
    ranges = {"XYZ": {"price_scan": 0.1, "vol_scan": 0.25}}
    prepared = mc.Engine(mc.methods.SpanLike(ranges)).prepare([STOCK, *OPTIONS], MARKET)
    gross = mc.Account([mc.Position(OPTIONS[0], long=5, short=3)], gross=True)
    live = prepared.open(gross)
    with pytest.raises(mc.InvalidInput, match="open"):
        live.what_if([(OPTIONS[0], 1)])
    live.apply([(OPTIONS[0], 2)], effect="close")
    assert (live.positions[0].long, live.positions[0].short) == (5, 1)
    with pytest.raises(mc.InvalidInput, match="larger"):
        live.apply([(OPTIONS[0], 2)], effect="close")


def test_quotes_do_not_outlive_the_spot_they_belong_to() -> None:
    option = mc.Option("XYZ", "call", 90, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100,
                       currency="USD")  # fmt: skip
    forward = {("XYZ", "2026-12-18"): 90.3}
    terms = {"rate": {"USD": 0.04}, "spot": {"XYZ": 90.0}}
    valuation = "2026-11-20T16:00:00-05:00"
    for market in (
        mc.Market(valuation, **terms, price={option.id: 3.0}),
        mc.Market(valuation, **terms, price={option.id: 3.0}, vol={option.id: 0.3}),
        mc.Market(valuation, **terms, contracts=[option], price=np.array([3.0]), vol=np.array([0.3])),
    ):
        prepared = mc.Engine(mc.methods.Tims()).prepare([option], market)
        live = prepared.open([mc.Position(option, 1)])
        with pytest.raises(mc.MissingData, match="is not that of the moved market"):
            prepared.update(spot={"XYZ": 92.0})
        with pytest.raises(mc.MissingData, match="is not that of the moved market"):
            prepared.update(forward=forward)
        live.rebase(prepared.update(spot={"XYZ": 92.0}, marks="keep"))
        assert live.equity == 300.0
        live.rebase(prepared.update(spot={"XYZ": 92.0}, price={option.id: 4.25}))
        assert live.equity == 425.0
        live.rebase(prepared.update(price={option.id: 3.25}))
        assert live.equity == 325.0
        with pytest.raises(mc.InvalidInput, match="marks"):
            prepared.update(spot={"XYZ": 92.0}, marks="forget")
    by_vol = mc.Market(valuation, **terms, vol={option.id: 0.3})
    prepared = mc.Engine(mc.methods.Tims()).prepare([option], by_vol)
    assert prepared.update(spot={"XYZ": 95.0}).open([mc.Position(option, 1)]).equity > 500.0
    with_forward = mc.Market(valuation, **terms, vol={option.id: 0.3}, forward=forward)
    prepared = mc.Engine(mc.methods.Tims()).prepare([option], with_forward)
    with pytest.raises(mc.MissingData, match="forward of 'XYZ' for 2026-12-18"):
        prepared.update(spot={"XYZ": 95.0})
    assert prepared.update(spot={"XYZ": 95.0}, forward={("XYZ", "2026-12-18"): 95.3}).repriced == (1, 1)
