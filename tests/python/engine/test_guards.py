"""Inputs that would give a wrong number in silence are refused at every way in, with what is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore.monitoring import MarketEvent, Monitor

INSTANT = "2026-11-18T16:00:00-05:00"


def option(right: str = "call", strike: float = 4700.0, **terms: Any) -> mc.Contract:
    given = {"settles": "am", "exercise": "european", "multiplier": 100, "currency": "USD", **terms}
    return mc.Option("SPX", right, strike, expiry="2026-12-18", **given)


CALL, PUT = option(), option("put")
FUTURE = mc.Future("SPX", expiry="2026-12-18", settles="am", multiplier=50, currency="USD")


def market(**parts: Any) -> mc.Market:
    usual: dict[str, Any] = {"spot": {"SPX": 4500.0}, "rate": {"USD": 0.05}, "vol": {CALL.id: 0.133, PUT.id: 0.15}}
    return mc.Market(INSTANT, **{**usual, **parts})


def prepared(rulebook: Any = None, **parts: Any) -> mc.Prepared:
    return mc.Engine(rulebook or mc.methods.Tims()).prepare([CALL, PUT], market(**parts))


def document(part: dict[str, Any]) -> object:
    terms = {
        "kind": "option", "underlying": "SPX", "right": "C", "strike": 4700.0, "expiry": "2026-12-18", "settles": "am",
        "exercise": "european", "multiplier": 100.0, "currency": "USD",
    }  # fmt: skip
    quotes = {"valuation": INSTANT, "spot": {"SPX": 4500.0}, "rate": {"USD": 0.05}, "vol": {CALL.id: 0.133}}
    return mc.evaluate(
        {
            "methodology": {"name": "tims"},
            "market": {**quotes, **part},
            "account": {"positions": [{"quantity": -1, "contract": terms}]},
        }
    )


WAYS: list[Callable[[dict[str, Any]], object]] = [
    lambda part: prepared(**part),
    lambda part: prepared().update(**part),
    document,
    lambda part: list(Monitor(prepared(), {}).run([MarketEvent(1, part)])),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"dividend_yield": {"SPX": 1.5}}, r"is 1.5: an annual fraction between -1 and 1 is needed \(0.015 is 1.5 %\)"),
        ({"rate": {"USD": 5.0}}, r"is 5: an annual fraction between -2 and 2 is needed \(0.05 is 5 %\)"),
        ({"vol": {CALL.id: 18.0}}, r"is 18: an annual fraction between 0 and 10 is needed \(0.18 is 18 %\)"),
        ({"price": {CALL.id: -20.0}}, "is -20: a price of this option cannot be negative"),
        ({"price": {CALL.id: 9999.0}}, "is 9999: it is worth at most 4500, its underlying discounted"),
    ],
)
def test_a_number_is_refused_at_every_way_in(way: Callable[[dict[str, Any]], object], part: Any, why: str) -> None:
    with pytest.raises(mc.InvalidInput, match=why):
        way(part)


def test_borrow_fees_are_annual_fractions() -> None:
    assert market(borrow={"GME": 5.0})
    with pytest.raises(mc.InvalidInput, match="borrow of 'GME' is 25: an annual fraction between -10 and 10"):
        market(borrow={"GME": 25.0})


@pytest.mark.parametrize("rulebook", [mc.methods.Tims(), mc.methods.RegT()])
def test_marks_are_bounded_by_what_an_option_can_be_worth(rulebook: Any) -> None:
    usual = {CALL.id: 8.0, PUT.id: 220.0}
    for marks in ({PUT.id: 6000.0}, {CALL.id: 9999.0}, {CALL.id: -1e-9}):
        with pytest.raises(mc.InvalidInput):
            prepared(rulebook, price={**usual, **marks})
    # Below its intrinsic value, at a price of another minute: chains have such marks.
    prepared(rulebook, price={**usual, PUT.id: 150.0})
    prepared(rulebook, price={**usual, PUT.id: 4800.0})


def test_columns_and_other_kinds_are_held_to_the_sign() -> None:
    with pytest.raises(mc.InvalidInput, match=r"row 0: price of .* cannot be negative"):
        market(vol=None, contracts=[CALL], price=[-1.0])
    stock = mc.Stock("A", currency="USD")
    with pytest.raises(mc.InvalidInput, match="a price of this stock cannot be negative"):
        mc.Engine(mc.methods.Tims()).prepare([stock], market(price={"A": -1.0}))
    assert market(vol=None, contracts=[FUTURE], price=[-37.6])


def test_marks_that_are_kept_are_not_held_against_a_spot_that_moved() -> None:
    deep = option(strike=500.0)
    quotes = market(vol={deep.id: 0.2}, price={deep.id: 4000.0})
    own = mc.Engine(mc.methods.Tims()).prepare([deep], quotes)
    kept = own.update(spot={"SPX": 2500.0}, marks="keep")
    assert kept.market is not None
    with pytest.raises(mc.InvalidInput, match="it is worth at most 2500"):
        own.with_market(kept.market.__class__(**kept.market.to_dict()))
    own.with_market(mc.Market(**kept.market.to_dict()), marks="keep")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"spot": {"SXP": 4600.0}}, "spot: no symbol is called 'SXP'; did you mean 'SPX'?"),
        ({"dividend_yield": {"SXP": 0.01}}, "dividend_yield: no symbol is called 'SXP'"),
        ({"forward": {("SXP", "2026-12-18"): 4600.0}}, "forward: no symbol is called 'SXP'"),
        ({"vol": {"SPX-C-4700": 0.2}}, "vol: no contract is called 'SPX-C-4700'; the nearest is 'SPX 2026"),
        ({"price": {"SPX-C-4700": 0.2}}, "price: no contract is called 'SPX-C-4700'"),
        ({"rate": {"UDS": 0.05}}, "rate: no currency is called 'UDS'; did you mean 'USD'?"),
        ({"fx": {"UDS/USD": 1.0}}, "fx: no currency is called 'UDS'"),
    ],
)
def test_a_change_of_what_nothing_uses_is_refused(change: dict[str, Any], why: str) -> None:
    own = prepared()
    with pytest.raises(mc.InvalidInput, match=why):
        own.update(**change)
    monitor = Monitor(own, {})
    with pytest.raises(mc.InvalidInput, match=why):
        monitor.take(MarketEvent(1, change))
    assert monitor.number == 0
    assert monitor.take(MarketEvent(1, {"spot": {"SPX": 4600.0}})) == []


def test_what_only_the_market_knows_may_change() -> None:
    own = prepared(spot={"SPX": 4500.0, "NDX": 20_000.0}, fx={"EUR/USD": 1.1})
    assert own.update(spot={"NDX": 20_100.0}, fx={"EUR/USD": 1.2}).repriced == (0, 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: mc.Limit(1e6, price_collar=5.0),
        lambda: mc.methods.RegT(numbers={"stock_initial": 50.0}),
        lambda: mc.methods.RegT(classes={"equity": {"base": 20.0}}),
        lambda: Monitor(prepared(), {}, call=130.0),
        lambda: mc.backtest.kupiec(250, 3, 0.99),
        lambda: mc.methods.HistoricalVar(
            {"SPX": np.arange(1.0, 99.0)}, returns="log", measure="es_discrete", confidence="0.01", window=50
        ),
    ],
)
def test_shares_and_levels_in_percent_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(mc.InvalidInput):
        make()


def test_columns_of_any_number_type_follow_the_contracts() -> None:
    import pandas

    want = market(vol=None, contracts=[CALL], price=np.array([8.0]))
    for column in ([8.0], (8,), np.array([8.0], "f4"), np.array([8]), pandas.Series([8.0], index=["x"])):
        own = market(vol=None, contracts=[CALL], price=column)
        assert own.__getnewargs_ex__()[1]["price"] == want.__getnewargs_ex__()[1]["price"]
    for bad in ("8", [True], ["8"], 8.0, [None], np.array([[8.0]])):
        with pytest.raises(mc.InvalidInput, match="price: a mapping by contract id, or an array of numbers"):
            market(contracts=[CALL], price=bad)
    with pytest.raises(mc.InvalidInput, match="needs contracts= beside it"):
        market(price=[8.0])


def test_contracts_are_keys_and_strangers_beside_a_table_are_refused() -> None:
    assert market(vol={CALL: 0.133}).to_dict()["vol"] == {CALL.id: 0.133}
    assert prepared().update(vol={CALL: 0.2}).repriced == (1, 2)
    with pytest.raises(mc.InvalidInput, match="given twice"):
        market(vol={CALL: 0.133, CALL.id: 0.133})
    with pytest.raises(mc.InvalidInput, match="market: vol: no contract is called"):
        market(contracts=[PUT], vol={CALL.id: 0.133})


@pytest.mark.parametrize("right", ["call", "Call", "CALL", "C", "c"])
def test_a_right_has_the_same_spellings_everywhere(right: str) -> None:
    assert option(right) == CALL
    assert mc.pricing.price(100.0, 100.0, 1.0, 0.0, 0.0, 0.2, right) == mc.pricing.price(
        100.0, 100.0, 1.0, 0.0, 0.0, 0.2, 1
    )


def test_pricing_takes_what_a_market_takes() -> None:
    usual: list[Any] = [4500.0, 4700.0, 30 / 365, 0.05, 0.015, 0.18, "call"]
    for at, bad in ((0, "4500"), (5, 18.0), (5, "0.18"), (3, 150.0), (4, -6.0), (1, True)):
        given = [*usual[:at], bad, *usual[at + 1 :]]
        with pytest.raises(mc.InvalidInput):
            mc.pricing.price(*given)
    with pytest.raises(mc.InvalidInput, match="spot: numbers are needed, not str"):
        mc.pricing.price("4500", *usual[1:], exercise="american")
