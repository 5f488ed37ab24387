"""The live account through the public face."""

from __future__ import annotations

import ast
import copy
import doctest
import itertools
import json
import pickle
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import margincore as mc
from margincore import _core

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
    end = time.monotonic() + 30.0
    for i in itertools.count():
        live.rebase(moved if i % 2 == 0 else prepared)
        if (i >= 500 and seen == expected) or time.monotonic() > end:
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


def answers(live: mc.LiveAccount) -> list[object]:
    """Values that the engine gives away: decisions of every kind, a what-if, requirements, lines, greeks."""
    limit = mc.Limit(1e9, min_excess=-1e9, max_age=5.0)
    order = mc.Order("1", OPTIONS[0], "buy", 1, 5.0)
    report = live.report()
    decisions = [live.check(order, limit, NOW), live.check(order, mc.Limit(1.0), NOW), live.check(order, limit, "noon")]
    trades = live.what_if([(STOCK, 100)])
    return [*decisions, trades, trades.change, *report.lines, *report.totals, *report.greeks]


def test_what_the_engine_gives_away_pickles_and_is_equal_again(live: mc.LiveAccount) -> None:
    given = answers(live)
    kinds = {mc.Decision, mc.WhatIf, mc.Requirement, mc.Line, mc.UnderlyingGreeks}
    assert {type(value) for value in given} == kinds
    for value in given:
        document = value.to_dict()
        again = pickle.loads(pickle.dumps(value))
        assert (type(again), again.to_dict(), repr(again)) == (type(value), document, repr(value))
        assert again == value == copy.deepcopy(value) == type(value).from_dict(json.loads(json.dumps(document)))
        assert (again != value) is False
        assert value != "something else"
        for name in document:
            if name not in ("digest", "version"):
                shown = getattr(value, name)
                plain = shown.to_dict() if isinstance(shown, mc.Requirement) else shown
                assert document[name] == (list(plain) if isinstance(plain, tuple) else plain)
        with pytest.raises(mc.InvalidInput, match="no 'more' is known here"):
            type(value).from_dict({**document, "more": 1})
        with pytest.raises(mc.InvalidInput, match="has to be given"):
            type(value).from_dict({})
    accepted, refused, *_ = given
    assert accepted != refused
    assert pickle.loads(pickle.dumps(accepted)).digest() == accepted.digest() == accepted.to_dict()["digest"]
    assert (bool(pickle.loads(pickle.dumps(accepted))), bool(pickle.loads(pickle.dumps(refused)))) == (True, False)
    with pytest.raises(mc.InvalidInput, match="accepted is true and the reason 'max_requirement'"):
        mc.Decision.from_dict({**refused.to_dict(), "accepted": True})


def test_a_line_and_a_report_write_the_same_document(live: mc.LiveAccount) -> None:
    report = live.report()
    document = report.to_dict()
    assert [line.to_dict() for line in report.lines] == document["lines"]
    assert [greeks.to_dict() for greeks in report.greeks] == document["greeks"]


def test_what_the_engine_gives_away_is_not_written_to(live: mc.LiveAccount, prepared: mc.Prepared) -> None:
    for value in answers(live):
        for name in value.to_dict():
            with pytest.raises(AttributeError):
                setattr(value, name, None)
    with pytest.raises(TypeError, match="read-only"):
        live.cash["USD"] = 0.0  # type: ignore[index]
    assert (live.cash, live.report().greeks[0].excluded) == ({"USD": 20_000.0}, ())
    # An array is the caller's own: a new one each time.
    batch = prepared.margin_many([live.positions])
    before = batch.initial.copy()
    batch.initial[:] = 0.0
    assert batch.initial.tolist() == before.tolist() != [0.0]


def test_a_refusal_says_which_numbers_decided(live: mc.LiveAccount) -> None:
    order = mc.Order("1", STOCK, "buy", 100, 120.0)

    def message(limit: mc.Limit, now: str | None = None) -> str:
        decision = live.check(order, limit, now)
        assert not decision
        return decision.message

    needed = live.check(order, mc.Limit(1e9))
    assert (needed.accepted, needed.message) == (True, "")
    assert message(mc.Limit(1.0)) == f"max_requirement: {_core.amount_text(needed.worst)} is above the limit of 1.00"
    excess = live.check(order, mc.Limit(min_excess=1e6)).excess_after
    assert excess is not None
    assert (
        message(mc.Limit(min_excess=1e6))
        == f"min_excess: {_core.amount_text(excess)} is below the limit of 1,000,000.00"
    )
    assert message(mc.Limit(1e9, max_notional=10_000.0)) == "max_notional: 12,000.00 is above the limit of 10,000.00"
    assert message(mc.Limit(1e9, max_quantity=99)) == "max_quantity: 100 contracts are above the limit of 99"
    collar = message(mc.Limit(1e9, price_collar=0.1))
    assert collar == "price_collar: 20.00 is above the limit of 10.00 from the mark of 100"
    late = message(mc.Limit(1e9, max_age=5.0), "2026-11-20T21:01:00Z")
    assert late == "max_age: 60 seconds between the market and now are above the limit of 5"
    assert message(mc.Limit(1e9, max_age=5.0)) == "max_age needs now, which was not given"
    throttled = message(mc.Limit(1e9, throttle=(0, 1.0)), NOW)
    assert throttled == "throttle: one message more is above the limit of 0 in 1 seconds"
    live.kill()
    assert message(mc.Limit(1e9)) == "the account is closed for orders until it is revived"


def test_an_update_names_what_it_takes(prepared: mc.Prepared) -> None:
    with pytest.raises(mc.InvalidInput, match="market change: no argument is called 'vols'; did you mean 'vol'"):
        prepared.update(vols={})
    with pytest.raises(mc.InvalidInput, match="'thread'; did you mean 'threads'"):
        prepared.update(spot={"XYZ": 100.0}, thread=2)
    assert prepared.update(spot={"XYZ": 101.0}, vol=None, marks=None, threads=2).repriced[0] > 0


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
