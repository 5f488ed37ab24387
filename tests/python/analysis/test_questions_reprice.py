"""Questions under rulebooks that read marks: the marks of a moved market are repriced, and what was assumed is said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import margincore as mc
from margincore import questions
from margincore.analysis.repricing import Repricer
from margincore.pricing import implied_vol, price

VALUATION = "2026-11-20T16:00:00-05:00"
STOCK = mc.Stock("XYZ", currency="USD")
REG_T = mc.methods.RegT(classes={"XYZ": "equity"})
YEARS = 28 / 365


def option(right: Any, strike: float, exercise: Any = "american", underlying: str = "XYZ", **terms: Any) -> mc.Contract:
    given = {"expiry": "2026-12-18", "settles": "pm", "multiplier": 100, "currency": "USD", **terms}
    return mc.Option(underlying, right, strike, exercise=exercise, **given)


PUT = option("put", 95.0)
CALL = option("call", 105.0)
EUROPEAN = option("call", 100.0, "european", id="european")


def market(**parts: Any) -> mc.Market:
    return mc.Market(VALUATION, **{"spot": {"XYZ": 100.0}, "rate": {"USD": 0.04}, **parts})


def numbers(answers: questions.Answers) -> list[tuple[float, ...]]:
    return list(zip(answers.equity.tolist(), answers.initial.tolist(), answers.maintenance.tolist(), strict=True))


def test_reg_t_after_a_move_is_reg_t_in_a_market_of_repriced_marks() -> None:
    book = mc.Account([mc.Position(STOCK, 100), mc.Position(PUT, -2), mc.Position(CALL, -1)], cash={"USD": 9_000.0})
    vol = {PUT.id: 0.35, CALL.id: 0.28}
    dividends = [(20 / 365, 0.5)]  # 2026-12-10

    def at(spot: float, days: int = 0) -> mc.Market:
        own = {}
        for contract, right in ((PUT, "put"), (CALL, "call")):
            cash = [(t - days / 365, amount) for t, amount in dividends]
            own[contract.id] = float(
                price(spot, contract.strike, YEARS - days / 365, 0.04, 0.0, vol[contract.id], right, "american",
                      dividends=cash)
            )  # fmt: skip
        when = dt.datetime.fromisoformat(VALUATION) + dt.timedelta(days=days)
        return mc.Market(when, spot={"XYZ": spot}, price=own)

    base = market(price=at(100.0).to_dict()["price"], vol=vol, dividends={"XYZ": [("2026-12-10", 0.5)]})
    prepared = mc.Engine(REG_T).prepare([STOCK, PUT, CALL], base)

    def by_hand(markets: list[mc.Market]) -> list[tuple[float, ...]]:
        found = []
        for own in markets:
            live = mc.Engine(REG_T).prepare([STOCK, PUT, CALL], own).open(book)
            found.append((live.equity, live.margin.initial, live.margin.maintenance))
        return found

    moved = questions.moved(prepared, book, [-0.1, 0.0, 0.1])
    for own, hand in zip(numbers(moved), by_hand([at(s) for s in (100.0 * 0.9, 100.0, 100.0 * 1.1)]), strict=True):
        assert own == pytest.approx(hand, abs=1e-9)
    rolled = questions.rolled(prepared, book, [1.0, 7.0])
    for own, hand in zip(numbers(rolled), by_hand([at(100.0, 1), at(100.0, 7)]), strict=True):
        assert own == pytest.approx(hand, abs=1e-9)
    assert moved.assumptions == (
        f"options keep the vol given, by strike; marks repriced by margincore.pricing: {CALL.id}, {PUT.id}",
    )


def test_a_mark_without_a_vol_implies_it_and_nothing_moves_where_nothing_moves() -> None:
    book = mc.Account([mc.Position(CALL, -1), mc.Position(EUROPEAN, 1)], cash={"USD": 20_000.0})
    marks = {CALL.id: 1.30, EUROPEAN.id: 3.10}
    prepared = mc.Engine(REG_T).prepare([CALL, EUROPEAN], market(price=marks))
    answers = questions.moved(prepared, book, [0.0, 0.05])
    live = prepared.open(book)
    assert numbers(answers)[0] == pytest.approx((live.equity, live.margin.initial, live.margin.maintenance), abs=1e-6)
    vols = {
        CALL.id: implied_vol(1.30, 100.0, 105.0, YEARS, 0.04, 0.0, "call", "american"),
        EUROPEAN.id: implied_vol(3.10, 100.0, 100.0, YEARS, 0.04, 0.0, "call"),
    }
    value = 100 * float(price(105.0, 100.0, YEARS, 0.04, 0.0, vols[EUROPEAN.id], "call"))
    value -= 100 * float(price(105.0, 105.0, YEARS, 0.04, 0.0, vols[CALL.id], "call", "american"))
    assert answers.equity[1] == pytest.approx(20_000.0 + value, abs=1e-6)
    assert "the vol that their mark implies" in answers.assumptions[0]


def test_the_price_that_liquidates_a_short_option_under_reg_t() -> None:
    call = mc.Option("SPX", "call", 4700, expiry="2026-12-18", settles="am", exercise="european", multiplier=100,
                     currency="USD")  # fmt: skip
    own = mc.Market("2026-11-18T16:00:00-05:00", spot={"SPX": 4500.0}, rate={"USD": 0.05}, vol={call.id: 0.133},
                    price={call.id: 12.85})  # fmt: skip
    prepared = mc.Engine(mc.methods.RegT()).prepare([call], own)
    book = mc.Account([mc.Position(call, -1)], cash={"USD": 100_000.0})
    found = questions.liquidation_price(prepared, book, "SPX")
    assert found.below is None
    assert found.above is not None
    # The deficit there, by hand: a mark and 15 % of the index less what it is out of the money.
    mark = 100 * float(price(found.above, 4700.0, 30 / 365, 0.05, 0.0, 0.133, "call"))
    requirement = max(0.15 * 100 * found.above - 100 * max(0.0, 4700 - found.above), 0.10 * 100 * found.above)
    assert 100_000.0 - mark - requirement == pytest.approx(0.0, abs=0.01)
    assert found.assumptions


def test_tims_is_repriced_by_the_rulebook_where_a_vol_is_given() -> None:
    prepared = mc.Engine(mc.methods.Tims()).prepare([CALL], market(price={CALL.id: 1.3}, vol={CALL.id: 0.3}))
    book = [mc.Position(CALL, -1)]
    answers = questions.moved(prepared, book, [0.05])
    bare = mc.Engine(mc.methods.Tims()).prepare([CALL], market(spot={"XYZ": 105.0}, vol={CALL.id: 0.3}))
    assert numbers(answers) == [(bare.open(book).equity, bare.margin(book).initial, bare.margin(book).maintenance)]
    assert "repriced by the rulebook" in answers.assumptions[0]


def test_tims_marks_alone_are_enough() -> None:
    prepared = mc.Engine(mc.methods.Tims()).prepare([CALL], market(price={CALL.id: 1.3}))
    book = mc.Account([mc.Position(CALL, -1)], cash={"USD": 5_000.0})
    answers = questions.moved(prepared, book, [0.0, 0.05])
    live = prepared.open(book)
    assert numbers(answers)[0] == pytest.approx((live.equity, live.margin.initial, live.margin.maintenance), abs=1e-6)


def test_an_option_on_a_future_is_repriced_on_it() -> None:
    future = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=50, currency="USD")
    call = mc.Option(future.id, "call", 4600, expiry="2026-12-11", settles="pm", exchange="cme", exercise="american",
                     multiplier=50, currency="USD")  # fmt: skip
    curve = {"2026-12-01": 0.03, "2026-12-21": 0.05}  # 4 % on 11 December
    parts = {"valuation": VALUATION, "price": {future.id: 4550.0}, "rate": {"USD": curve}}
    marks = Repricer([future, call]).marks(parts, {call.id: 0.2})
    assert marks[call.id] == pytest.approx(float(price(4550.0, 4600.0, 21 / 365, 0.04, 0.04, 0.2, "call", "american")))


def test_a_forward_sets_the_carry_and_a_curve_the_rate() -> None:
    parts = market(forward={("XYZ", "2026-12-18"): 101.0}).to_dict()
    marks = Repricer([EUROPEAN]).marks(parts, {EUROPEAN.id: 0.2})
    hand = float(price(101.0, 100.0, YEARS, 0.04, 0.04, 0.2, "call"))  # Black 1976 on the forward
    assert marks[EUROPEAN.id] == pytest.approx(hand, rel=1e-12)


def test_the_days_are_those_of_the_option_s_zone() -> None:
    """An evening in New York is the next day in UTC: the expiry is as many days away as it is there."""
    evening = "2026-11-21T01:00:00Z"
    assert CALL.days_from(evening) == 28
    assert CALL.days_from("2026-12-19T12:00:00-05:00") == -1
    assert STOCK.days_from(evening) is None
    with pytest.raises(mc.InvalidInput, match="instant with a zone"):
        CALL.days_from("2026-11-21T01:00:00")
    there = Repricer([EUROPEAN]).marks({**market().to_dict(), "valuation": evening}, {EUROPEAN.id: 0.2})
    assert there == Repricer([EUROPEAN]).marks(market().to_dict(), {EUROPEAN.id: 0.2})


@pytest.mark.parametrize(
    ("parts", "error", "said"),
    [
        ({"rate": {}, "vol": {CALL.id: 0.3}}, mc.MissingData, "no interest rate for 'USD': add it to market.rate"),
        ({"price": {CALL.id: 0.0}}, mc.InvalidInput, r"no volatility reprices its mark 0.*give its vol in the market"),
    ],
)
def test_what_cannot_be_repriced_is_refused_with_what_to_give(parts: Any, error: type[Exception], said: str) -> None:
    prepared = mc.Engine(REG_T).prepare([CALL], market(**{"price": {CALL.id: 1.3}, **parts}))
    with pytest.raises(error, match=said):
        questions.moved(prepared, [mc.Position(CALL, -1)], [0.1])


def test_options_that_settle_in_the_coin_are_refused() -> None:
    inverse = mc.Option("BTC", "call", 90_000, expiry="2026-12-25T08:00:00Z", exercise="european", multiplier=1,
                        currency="BTC", settlement="inverse")  # fmt: skip
    with pytest.raises(mc.Unsupported, match=r"settle in the coin .*questions\.series"):
        Repricer([inverse]).marks({"valuation": VALUATION, "spot": {"BTC": 90_000.0}}, {inverse.id: 0.5})
