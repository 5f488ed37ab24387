"""Historical VaR's rules about money and products: exchange rates, offsets in part, worthless options, Bachelier's
model, stressed weights, gross accounts. Against the pure-Python engine and published numbers.
"""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc
from margincore.methods import hvar
from margincore.reference import hvar as reference
from margincore.reference import pricing

VALUATION = "2026-11-20T21:00:00Z"
VAR: dict[str, Any] = {"measure": "order_floor", "confidence": "0.9"}


def walk(seed: int, rows: int, start: float, size: float = 0.02) -> list[float]:
    chance = random.Random(seed)
    out = [start]
    for _ in range(rows - 1):
        out.append(out[-1] * math.exp(chance.gauss(0.0, size)))
    return out


def component(report: mc.MarginReport, name: str = "VaR", netting_set: str = "portfolio") -> dict[str, Any]:
    return dict(report.details["netting_sets"][netting_set]["components"][name])


# Exchange rates


@st.composite
def rates(draw: st.DrawFn) -> tuple[Any, str, float, bool]:
    """How the rate's changes are taken (for the engine, for the reference), and whether it is quoted inversely."""
    rule = draw(st.sampled_from([("relative", "relative", 0.0), ("log", "log", 0.0), ("absolute", "absolute", 0.0),
                                 ({"displaced": 0.5}, "displaced", 0.5)]))  # fmt: skip
    return *rule, draw(st.booleans())


@given(st.integers(0, 10_000), rates(), st.integers(-9, 9).filter(bool), st.integers(-9, 9).filter(bool))
@settings(max_examples=40, deadline=None)
def test_money_moves_with_its_exchange_rate(
    seed: int, rate: tuple[Any, str, float, bool], stocks: int, futures: int
) -> None:
    rule, word, displacement, inverse = rate
    history = {"A": walk(seed, 61, 50.0), "X": walk(seed + 1, 61, 0.8 if inverse else 1.25, 0.01)}
    quoted = history["X"][-1]
    today = 1.0 / quoted if inverse else quoted
    stock = mc.Stock("A", currency="EUR")
    future = mc.Future("A", expiry="2026-12-18", settles="am", multiplier=10, currency="EUR")
    market = mc.Market(VALUATION, spot={"A": history["A"][-1]}, price={future.id: 52.0}, fx={"EUR/USD": today})
    made = mc.methods.HistoricalVar(
        history, returns={"A": "relative", "X": rule}, fx={"EUR": {"inverse": "X"} if inverse else "X"}, **VAR
    )
    report = mc.margin([mc.Position(stock, stocks), mc.Position(future, futures)], market, made)

    changes = reference.returns(history["A"], "relative")
    moves = reference.returns(history["X"], "relative" if word == "displaced" else word, displacement=displacement)
    losses = []
    for change, move in zip(changes, moves, strict=True):
        moved = reference.move(quoted, move, word, displacement=displacement)
        ratio = quoted / moved if inverse else moved / quoted
        worth, lot = stocks * history["A"][-1] * today, futures * 52.0 * 10 * today
        losses.append(
            -reference.exchanged(worth, worth * change, ratio, asset=True)
            - reference.exchanged(lot, lot * change, ratio, asset=False)
        )
    expected = max(reference.risk(losses, "order_floor", Fraction(9, 10)), 0.0)
    assert report.requirement.initial == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_converted_history_and_an_exchange_rate_factor_are_the_same_scenarios() -> None:
    own, dollars = walk(1, 101, 40.0), walk(2, 101, 1.3, 0.01)
    apart = mc.methods.HistoricalVar({"A": own, "GBPUSD": dollars}, returns="relative", fx={"GBP": "GBPUSD"}, **VAR)
    market = mc.Market(VALUATION, spot={"A": own[-1]}, fx={"GBP/USD": dollars[-1]})
    converted = [a * d for a, d in zip(own, dollars, strict=True)]
    together = mc.methods.HistoricalVar({"A": converted}, returns="relative", **VAR)
    one = mc.margin([mc.Position(mc.Stock("A", currency="GBP"), 100)], market, apart)
    other = mc.margin(
        [mc.Position(mc.Stock("A", currency="USD"), 100)], mc.Market(VALUATION, spot={"A": converted[-1]}), together
    )
    assert one.requirement.initial == pytest.approx(other.requirement.initial, rel=1e-12)
    assert one.worst_scenario == other.worst_scenario


@pytest.mark.parametrize("premium", ["upfront", "futures_style"])
def test_an_option_paid_for_loses_with_its_money(premium: Any) -> None:
    history = {"A": walk(3, 101, 50.0), "X": walk(4, 101, 1.2, 0.01)}
    spot, dollars = history["A"][-1], history["X"][-1]
    option = mc.Option(
        "A", "put", 50.0, expiry="2027-01-15", settles="pm", exercise="european", multiplier=10, currency="EUR",
        premium=premium,
    )  # fmt: skip
    market = mc.Market(VALUATION, spot={"A": spot}, rate={"EUR": 0.03}, vol={option.id: 0.3}, fx={"EUR/USD": dollars})
    rule = mc.methods.HistoricalVar(history, returns="relative", fx={"EUR": "X"}, **VAR)

    def value(price: float) -> float:
        return 50.0 * dollars * pricing.black_scholes(price, 50.0, 56 / 365, 0.03, 0.0, 0.3, -1)

    losses = [
        -reference.exchanged(value(spot), value(spot * (1 + r)) - value(spot), 1 + x, asset=premium == "upfront")
        for r, x in zip(*(reference.returns(column, "relative") for column in history.values()), strict=True)
    ]
    expected = reference.risk(losses, "order_floor", Fraction(9, 10))
    report = mc.margin([mc.Position(option, 5)], market, rule)
    assert report.requirement.initial == pytest.approx(expected, rel=1e-9)


def test_a_rate_s_factor_is_named_when_it_is_wrong() -> None:
    history = {"A": walk(1, 21, 40.0)}
    market = mc.Market(VALUATION, spot={"A": 40.0}, fx={"GBP/USD": 1.25})
    held = [mc.Position(mc.Stock("A", currency="GBP"), 1)]
    rule = mc.methods.HistoricalVar(history, returns="relative", fx={"GBP": "cable"}, **VAR)
    with pytest.raises(mc.MissingData, match="no factor 'cable'"):
        mc.margin(held, market, rule)
    with pytest.raises(mc.InvalidInput, match="USD is the report's own currency"):
        mc.methods.HistoricalVar(history, returns="relative", fx={"USD": "A"}, **VAR)
    with pytest.raises(mc.Unsupported, match="exposures are in the report's money"):
        rule.rolling({"A": 1.0})
    fall = {"A": [40.0, 41.0, 40.0], "cable": [3.0, 1.0, 1.25]}
    rule = mc.methods.HistoricalVar(
        fall, returns={"A": "relative", "cable": "absolute"}, fx={"GBP": "cable"}, measure="order_floor",
        confidence="0.5",
    )  # fmt: skip
    with pytest.raises(mc.CalculationError, match=r"exchange rate of GBP to or below zero in scenario 1"):
        mc.margin(held, market, rule)


# Offsets in part


@given(st.integers(0, 10_000), st.lists(st.integers(-9, 9), min_size=3, max_size=3), st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_offsets_between_products_are_granted_in_part(seed: int, lots: list[int], share: float) -> None:
    names = ["A", "B", "C"]
    history = {name: walk(seed + k, 61, 50.0) for k, name in enumerate(names)}
    market = mc.Market(VALUATION, spot={name: column[-1] for name, column in history.items()})
    common: dict[str, Any] = {"returns": "relative", "measure": "es_discrete", "confidence": "0.9"}
    products = {"A": "first", "B": "first"}
    capped = mc.methods.HistoricalVar(history, **common, offset_cap={"share": share, "products": products})
    plain = mc.methods.HistoricalVar(history, **common)
    held = [mc.Position(mc.Stock(name, currency="USD"), q) for name, q in zip(names, lots, strict=True) if q]

    def alone(keep: list[str]) -> float:
        own = [p for p in held if p.contract.id in keep]
        return mc.margin(own, market, plain).requirement.initial if own else 0.0

    if not held:
        return
    report = mc.margin(held, market, capped)
    expected = reference.offset(alone(names), [alone(["A", "B"]), alone(["C"])], share)
    assert report.requirement.initial == pytest.approx(expected, rel=1e-12, abs=1e-9)
    assert report.adds_up()
    stated = report.details["netting_sets"]["portfolio"]["offset_cap"]["alone"]
    assert math.fsum(stated.values()) == pytest.approx(alone(["A", "B"]) + alone(["C"]), rel=1e-12, abs=1e-9)
    prepared = mc.Engine(capped).prepare(mc.Contracts([p.contract for p in held]), market)
    live = prepared.open(mc.Account(held))
    more = [*held, mc.Position(held[0].contract, 3)]
    fresh = prepared.margin(more).requirement.initial
    assert live.what_if([(held[0].contract, 3)]).after.initial == fresh
    assert live.margin_after(0, 3) == fresh
    row = np.zeros(len(held), dtype=np.uint32)
    accounts = mc.Accounts.from_columns(
        prepared.contracts, account=row, contract=np.arange(len(held), dtype=np.uint32),
        lots=np.array([p.quantity for p in held], dtype=np.int64),
    )  # fmt: skip
    assert prepared.margin_many(accounts).initial[0] == report.requirement.initial


def test_four_fifths_of_the_difference() -> None:
    # Two opposite bets on one history: alone 10 each, together nothing; at most 80 % of 20 is granted.
    history = {name: [100.0, 110.0, 100.0, 90.0, 100.0] for name in "AB"}
    rule = mc.methods.HistoricalVar(
        history, returns="absolute", measure="order_floor", confidence="0.5", offset_cap={"share": 0.8}
    )
    held = [mc.Position(mc.Stock("A", currency="USD"), 1), mc.Position(mc.Stock("B", currency="USD"), -1)]
    report = mc.margin(held, mc.Market(VALUATION, spot={"A": 100.0, "B": 100.0}), rule)
    assert report.requirement.initial == pytest.approx(4.0)
    assert [line.component for line in report.lines][-1] == "offset cap"
    with pytest.raises(mc.InvalidInput, match="a fraction from 0 to 1"):
        mc.methods.HistoricalVar(history, returns="absolute", **VAR, offset_cap={"share": 80})
    with pytest.raises(mc.Unsupported, match="offset caps are for accounts"):
        rule.rolling({"A": 1.0})


# Worthless options


JSCC_FLOORS = [
    # tick, contract unit, floor in yen: JSCC, news of 27 January 2025, reference 1.
    (1.0, 1000.0, 1000.0), (1.0, 100.0, 100.0), (0.1, 10_000.0, 1000.0), (0.0001, 10_000.0, 1.0),
    (0.0001, 1000.0, 1.0), (0.01, 1_000_000.0, 10_000.0), (0.1, 100.0, 10.0), (1.0, 1.0, 1.0), (1.0, 100.0, 100.0),
]  # fmt: skip


@pytest.mark.parametrize(("tick", "unit", "floor"), JSCC_FLOORS)
def test_a_worthless_option_counts_as_one_tick(tick: float, unit: float, floor: float) -> None:
    option = mc.Option(
        "N", "call", 900.0, expiry="2026-12-11", settles="am", exercise="european", multiplier=unit, currency="JPY"
    )
    market = mc.Market(VALUATION, spot={"N": 100.0}, rate={"JPY": 0.0}, vol={option.id: 0.2})
    rule = mc.methods.HistoricalVar(
        {"N": walk(3, 101, 100.0)}, returns="relative", currency="JPY", option_floor={"ticks": {"N": tick}}, **VAR
    )
    assert mc.margin([mc.Position(option, -3)], market, rule).requirement.initial == pytest.approx(3.0 * floor)
    assert mc.margin([mc.Position(option, 3)], market, rule).requirement.initial == 0.0


def test_what_a_scenario_leaves_of_value_keeps_it() -> None:
    history = {"N": [100.0, 95.0, 100.0, 101.0, 100.0]}
    option = mc.Option(
        "N", "call", 100.0, expiry="2026-12-11", settles="am", exercise="european", multiplier=1000.0, currency="JPY"
    )
    market = mc.Market(VALUATION, spot={"N": 100.0}, rate={"JPY": 0.0}, vol={option.id: 0.02})
    rule = mc.methods.HistoricalVar(
        history, returns="absolute", currency="JPY", measure="order_floor", confidence="0.75",
        option_floor={"ticks": {"N": 1.0}},
    )  # fmt: skip

    def value(price: float) -> float:
        return 1000.0 * pricing.black_scholes(price, 100.0, 21 / 365, 0.0, 0.0, 0.02, 1)

    # Falling by five it is worth 1e-20 yen, which counts as 1,000; short, the rise by five is the worst.
    assert value(95.0) < 0.5
    losses = [reference.floored(value(100.0 + d), 1000.0) - value(100.0) for d in (-5.0, 5.0, 1.0, -1.0)]
    short = mc.margin([mc.Position(option, -1)], market, rule)
    found = sorted((row["scenario"], row["loss"]) for row in component(short)["worst"])
    assert [loss for _, loss in found] == pytest.approx(losses, rel=1e-9)
    bare = mc.methods.HistoricalVar(
        history, returns="absolute", preset="jscc-like",
        components=[hvar.component("VaR", measure="order_floor", confidence="0.75")],
    )  # fmt: skip
    with pytest.raises(mc.MissingData, match="no tick of the option"):
        mc.margin([mc.Position(option, -1)], market, bare)
    with pytest.raises(mc.InvalidInput, match="must be positive"):
        mc.methods.HistoricalVar(history, returns="absolute", **VAR, option_floor={"ticks": {"N": 0.0}})


# Bachelier


def oil_option(strike: float, right: Any = "call", exercise: Any = "european") -> tuple[mc.Contract, mc.Contract]:
    future = mc.Future("CL", expiry="2027-02-19", settles="pm", exchange="cme", multiplier=1000, currency="USD")
    option = mc.Option(
        future.id, right, strike, expiry="2027-01-15", settles="pm", exchange="cme", exercise=exercise,
        multiplier=1000, currency="USD",
    )  # fmt: skip
    return future, option


@given(
    st.integers(0, 10_000), st.floats(-20.0, 20.0), st.floats(-10.0, 10.0), st.sampled_from(["call", "put"]),
    st.booleans(), st.floats(0.0, 20.0),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_options_under_the_normal_model_are_the_textbook_s(
    seed: int, price: float, strike: float, right: str, with_vol: bool, roll: float
) -> None:
    future, option = oil_option(strike, right)
    chance = random.Random(seed)
    ends = {"CL": (-40.0, 40.0), "vol": (5.0, 30.0)}
    history = {name: [chance.uniform(*own) for _ in range(61)] for name, own in ends.items()}
    rule = mc.methods.HistoricalVar(
        history, returns="absolute", map={"CL": "CL"}, vol_map={"CL": "vol"} if with_vol else None,
        option_models={"CL": "normal"}, roll_days=roll, **VAR,
    )  # fmt: skip
    market = mc.Market(VALUATION, spot={}, price={future.id: price}, rate={"USD": 0.04}, vol={option.id: 15.0})
    years = 56 / 365
    left = max(years - roll / 365, 0.0)

    def value(forward: float, vol: float, time: float) -> float:
        sign = 1 if right == "call" else -1
        return 1000.0 * pricing.bachelier(forward, strike, time, vol, sign, math.exp(-0.04 * time))

    changes = reference.returns(history["CL"], "absolute")
    moves = reference.returns(history["vol"], "absolute") if with_vol else [0.0] * 60
    losses = [
        2.0 * (value(price + change, max(15.0 + move, 0.0), left) - value(price, 15.0, years)) - 1000.0 * change
        for change, move in zip(changes, moves, strict=True)
    ]
    expected = max(reference.risk(losses, "order_floor", Fraction(9, 10)), 0.0)
    report = mc.margin([mc.Position(option, -2), mc.Position(future, 1)], market, rule)
    assert report.requirement.initial == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert report.net_option_value == pytest.approx(-2.0 * value(price, 15.0, years), rel=1e-9, abs=1e-6)


def test_the_normal_model_says_what_it_needs() -> None:
    future, option = oil_option(5.0, exercise="american")
    history = {"CL": [18.31, -36.98, 8.91, 10.0]}
    common: dict[str, Any] = {"returns": "absolute", "measure": "order_floor", "confidence": "0.5"}
    rule = mc.methods.HistoricalVar(history, **common, option_models={"CL": "normal"})
    market = mc.Market(VALUATION, spot={}, price={future.id: 10.0}, rate={"USD": 0.0}, vol={option.id: 40.0})
    held = [mc.Position(option, 1), mc.Position(future, 1)]
    with pytest.raises(mc.Unsupported, match="American exercise"):
        mc.margin(held, market, rule)
    future, option = oil_option(5.0)
    held = [mc.Position(option, -1), mc.Position(future, 1)]
    quiet = mc.Market(VALUATION, spot={}, price={future.id: 10.0, option.id: 7.0}, rate={"USD": 0.0})
    with pytest.raises(mc.MissingData, match=r"market\.vol, in units of the price"):
        mc.margin(held, quiet, rule)
    market = mc.Market(VALUATION, spot={}, price={future.id: 10.0}, rate={"USD": 0.0}, vol={option.id: 40.0})
    lognormal = mc.Market(VALUATION, spot={}, price={future.id: 10.0}, rate={"USD": 0.0}, vol={option.id: 0.4})
    with pytest.raises(mc.CalculationError, match="option_models has the normal one"):
        mc.margin(held, lognormal, mc.methods.HistoricalVar(history, **common))
    report = mc.margin(held, market, rule)
    assert report.greeks[0].delta == pytest.approx(1000.0 * (1.0 - 0.5 - 0.5 * math.erf(
        (5.0 / (40.0 * math.sqrt(56 / 365))) / math.sqrt(2.0))), rel=1e-9)  # fmt: skip
    moved = mc.Engine(rule).prepare(mc.Contracts([future, option]), market).update(price={future.id: -3.0})
    again = mc.Market(VALUATION, spot={}, price={future.id: -3.0}, rate={"USD": 0.0}, vol={option.id: 40.0})
    assert moved.margin(held).requirement.initial == mc.margin(held, again, rule).requirement.initial


# Filters and weights


@pytest.mark.parametrize("add_mean", [False, True])
def test_a_filter_with_a_mean(add_mean: bool) -> None:
    history = {"A": walk(5, 81, 30.0)}
    extra = {"add_mean": True} if add_mean else {}
    rule = mc.methods.HistoricalVar(
        history, returns="log", filter=hvar.ewma(0.94, seed="sample_var_ddof1", mean=True, **extra), **VAR
    )
    own = reference.mean_filtered(reference.returns(history["A"], "log"), 0.94, add_mean=add_mean)
    losses = [-history["A"][-1] * (math.exp(r) - 1.0) for r in own]
    report = mc.margin([mc.Position(mc.Stock("A", currency="USD"), 7)], mc.Market(VALUATION, spot={
        "A": history["A"][-1]}), rule)  # fmt: skip
    expected = 7.0 * reference.risk(losses, "order_floor", Fraction(9, 10))
    assert report.requirement.initial == pytest.approx(expected, rel=1e-10)
    meanless = hvar.ewma(0.94, seed="mean_square", add_mean=True)
    with pytest.raises(mc.InvalidInput, match="add_mean without a mean"):
        mc.methods.HistoricalVar(history, returns="log", filter=meanless, **VAR)
    with pytest.raises(mc.Unsupported, match="portfolio filter"):
        mc.methods.HistoricalVar(
            history, returns="log", portfolio_filter=hvar.ewma(0.94, seed="mean_square", mean=True), **VAR
        )


@pytest.mark.parametrize("measure", ["weighted", "es_weighted"])
@pytest.mark.parametrize("decay", [None, 0.97])
def test_stressed_observations_have_a_quarter_of_the_weight(measure: str, decay: float | None) -> None:
    days = [str(np.datetime64("2026-01-01") + k) for k in range(200)]
    daily = [random.Random(8).gauss(0.0, 0.01)] + [random.Random(k).gauss(0.0, 0.01) for k in range(1, 200)]
    for k in range(10, 20):
        daily[k] *= 6.0
    # Two of the dates stand apart from the others: single days need no neighbours.
    stress = [*range(10, 18), 30, 40]
    rule = mc.methods.HistoricalVar(
        hvar.History({"A": daily}, dates=days, kind="returns"), returns="absolute", measure=measure,
        confidence="0.95", window=100, periods=[[days[k] for k in stress]], stress_weight=0.25,
        **({} if decay is None else {"age_decay": decay}),
    )  # fmt: skip
    losses = [-daily[k] for k in [*stress, *range(100, 200)]]
    weights = reference.sample_weights(10, 100, 0.25, decay)
    expected = reference.risk(losses, measure, Fraction(95, 100), weights=weights)
    held = [mc.Position(mc.Stock("A", currency="USD"), 1000)]
    report = mc.margin(held, mc.Market(VALUATION, spot={"A": 1.0}), rule)
    assert report.requirement.initial == pytest.approx(1000.0 * expected, rel=1e-10)
    assert rule.rolling({"A": 1.0}).margin[-1] == pytest.approx(expected, rel=1e-10)
    for wrong, why in [
        ({"measure": "order_floor"}, "stress_weight needs"), ({"stress_weight": 25}, "above 0 and below")
    ]:  # fmt: skip
        words = {"measure": "weighted", "window": 100, "periods": [days[10:12]], "stress_weight": 0.25, **wrong}
        with pytest.raises((mc.Unsupported, mc.InvalidInput), match=why):
            mc.methods.HistoricalVar(
                hvar.History({"A": daily}, dates=days, kind="returns"), returns="absolute", confidence="0.95", **words
            )


def test_a_mirrored_return_is_as_old_as_the_return() -> None:
    daily = [0.05, 0.0, 0.0, 0.01]
    rule = mc.methods.HistoricalVar(
        hvar.History({"A": daily}, kind="returns"), returns="absolute", measure="weighted", confidence="0.5",
        age_decay=0.5, antithetic=True,
    )  # fmt: skip
    report = mc.margin([mc.Position(mc.Stock("A", currency="USD"), 100)], mc.Market(VALUATION, spot={"A": 1.0}), rule)
    own = {row["scenario"]: row["age_weight"] for row in component(report)["worst"]}
    assert own[1] == own[5] == pytest.approx(0.5 / 15)
    assert own[4] == own[8] == pytest.approx(4.0 / 15)


# Gross accounts


def test_the_sides_of_a_gross_account_do_not_net() -> None:
    history = {"A": walk(1, 61, 50.0), "B": walk(2, 61, 20.0)}
    market = mc.Market(VALUATION, spot={name: column[-1] for name, column in history.items()})
    rule = mc.methods.HistoricalVar(history, returns="relative", **VAR)
    a, b = (mc.Stock(name, currency="USD") for name in "AB")
    longs, shorts = [mc.Position(a, 10), mc.Position(b, 5)], [mc.Position(a, -8)]
    gross = mc.Account([*longs, *shorts], gross=True)
    report = mc.margin(gross, market, rule)
    sides = [mc.margin(side, market, rule).requirement.initial for side in (longs, shorts)]
    assert report.requirement.initial == sides[0] + sides[1]
    assert [line.scope for line in report.lines] == ["long/portfolio", "short/portfolio"]
    assert list(report.details["netting_sets"]) == ["long/portfolio", "short/portfolio"]
    assert mc.margin([*longs, *shorts], market, rule).requirement.initial < report.requirement.initial
    prepared = mc.Engine(rule).prepare(mc.Contracts([a, b]), market)
    assert prepared.margin_many([gross]).initial[0] == report.requirement.initial


# Charges


def test_close_out_and_impact_are_in_the_report_s_money() -> None:
    stock = mc.Stock("A", currency="EUR")
    future = mc.Future("B", expiry="2026-12-18", settles="am", multiplier=10, currency="USD")
    market = mc.Market(VALUATION, spot={"A": 50.0, "B": 30.0}, price={future.id: 30.0}, fx={"EUR/USD": 1.25})
    risk = hvar.component("VaR", measure="order_floor", confidence="0.99", given={"portfolio": 0.0})

    def charge(*stages: dict[str, Any]) -> float:
        rule = mc.methods.HistoricalVar(components=[risk], stages=list(stages))
        held = [mc.Position(stock, 400), mc.Position(future, -9)]
        return mc.margin(held, market, rule).requirement.initial

    depth = {"A": {"spread": 0.1, "volume": 100.0}, "B": {"spread": 0.2, "volume": 900.0}}
    # Half of 0.1 on 400 of 1.25 dollars, (1 + 0.5 * 4^1.5); half of 0.2 on 9 of 10, (1 + 0.5 * 0.01^1.5).
    expected = 25.0 * (1.0 + 0.5 * 8.0) + 9.0 * (1.0 + 0.5 * 0.001)
    assert charge(hvar.stage("x", "close_out", products=depth, kappa=0.5, beta=1.5)) == pytest.approx(expected)
    daily = {"A": {"vol": 0.02, "volume": 100.0}}
    # 2 % of 25,000 dollars times the root of four days' volume.
    assert charge(hvar.stage("x", "impact", products=daily, scale=0.7)) == pytest.approx(0.7 * 0.02 * 2.0 * 25_000.0)
    assert charge(hvar.stage("x", "tick_value", products={"A": {"ticks": 5.0, "tick": 0.01}})) == pytest.approx(25.0)
    thresholds = {"A": {"threshold": 5000.0, "rate": 0.1}}
    liquidity = hvar.stage("x", "liquidity", underlyings=thresholds, delta={"A": 50.0})
    assert charge(liquidity) == pytest.approx(0.1 * (400 * 50.0 * 1.25 - 5000.0))
    with pytest.raises(mc.InvalidInput, match="volume of 'A' is 0"):
        charge(hvar.stage("x", "impact", products={"A": {"vol": 0.02, "volume": 0.0}}, scale=1.0))


# Mistakes


def test_mistakes_are_named() -> None:
    prices = {"A": [100.0, 98.0, 101.0, 99.0, 102.0, 95.0]}
    common: dict[str, Any] = {"returns": "relative", "measure": "order_floor", "confidence": "0.8"}
    build = mc.methods.HistoricalVar
    for confidence in (99, "99", "99%", "abc", math.nan, True, "", [0.9]):
        with pytest.raises(mc.InvalidInput, match="a fraction between 0 and 1"):
            build(prices, **{**common, "confidence": confidence})
    for column, why in [
        (["1", "x", "2"], "factor 'A': numbers are needed"), (5.0, "one-dimensional array"),
        (np.ones((3, 2)), "one-dimensional array"), (np.array([1 + 2j, 3]), "type complex"),
        (np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), "1 values are masked"), ([1.0, None, 2.0], "row 2 is NaN"),
    ]:  # fmt: skip
        with pytest.raises(mc.InvalidInput, match=why):
            build({"A": column}, **common)
    days = np.datetime64("2026-11-01") + np.arange(6)
    with pytest.raises(mc.InvalidInput, match="a History has its own"):
        build(hvar.History(prices), dates=days, **common)
    with pytest.raises(mc.InvalidInput, match="two histories are named 'history'"):
        build(prices, histories={"history": hvar.History(prices)}, **common)
    for wrong in (days[::-1], np.repeat(days[0], 6)):
        with pytest.raises(mc.InvalidInput, match="dates ascend"):
            build(prices, dates=wrong, **common)
    with pytest.raises(mc.InvalidInput, match="one-dimensional"):
        hvar.measure([[1.0, 2.0]], "linear", "0.9")
    held = [mc.Position(mc.Stock("A", currency="USD"), 1)]
    market = mc.Market(VALUATION, spot={"A": 95.0})
    for measure in ("order_floor", "es_hull"):
        few = build(prices, **{**common, "measure": measure, "confidence": "0.99"})
        with pytest.raises(mc.InvalidInput, match=r"no loss to take among 5 scenarios: at least 100 are needed"):
            mc.margin(held, market, few)
    assert mc.margin(held, market, build(prices, **{**common, "measure": "order_ceil", "confidence": "0.99"}))
    twice = hvar.component("x", measure="order_floor", confidence="0.8")
    with pytest.raises(mc.InvalidInput, match="two components are named 'x'"):
        build(prices, returns="relative", components=[twice, twice])
    with pytest.raises(mc.InvalidInput, match="two netting sets are named 'x'"):
        build(prices, **common, netting_sets=[{"name": "x", "members": ["A"]}, {"name": "x", "members": ["B"]}])
    with pytest.raises(mc.InvalidInput, match="'portfolo', which is no netting set"):
        build(prices, **common, given={"portfolo": 5.0})
    partly = hvar.component("x", measure="order_floor", confidence="0.8", given={"a": 5.0})
    rule = build(components=[partly], netting_sets=[{"name": "a", "members": ["Z"]}, {"name": "b"}])
    with pytest.raises(mc.MissingData, match="no risk is given in its place"):
        mc.margin(held, market, rule)
    with pytest.raises(mc.MissingData, match="after 50 that make the first volatility"):
        mc.margin(held, market, build(prices, filter=hvar.ewma(0.9, seed="mean_square", seed_returns=50), **common))
    with pytest.raises(mc.InvalidInput, match="count from zero"):
        build(prices, **common).rolling({"A": 1.0}, first=-2)
    with pytest.raises(mc.InvalidInput, match="no exposure"):
        build(prices, **common).rolling({})
    for absent in ("occ-stans", "bme", "euronext-eq", "iceu-cds", "nasdaq-oms2", "asx-hsvar"):
        with pytest.raises(mc.Unsupported, match=f"no preset '{absent}'"):
            build(prices, preset=absent)


def test_times_and_numpy_dates_are_days() -> None:
    import datetime as dt

    prices = {"A": [100.0, 98.0, 101.0, 99.0]}
    days = [dt.datetime(2026, 11, k, 16) for k in range(1, 5)]
    made = [
        mc.methods.HistoricalVar(prices, dates=own, returns="relative", measure="order_floor", confidence="0.5")
        for own in (days, np.array(days, dtype="datetime64[ns]"), list(np.array(days, dtype="datetime64[s]")))
    ]
    assert len({rule.parameters["digest"] for rule in made}) == 1
    assert made[0].rolling({"A": 1.0}, first=np.datetime64("2026-11-03")).dates[0] == "2026-11-03"


def test_event_scenarios_are_a_history_of_two_returns() -> None:
    # Eurex, single-stock dividend futures from 9 April 2021: log shifts of -53.3 % and +35.5 %.
    rule = mc.methods.HistoricalVar(
        histories={"history": hvar.History({"D": walk(4, 101, 3.0)}),
                   "events": hvar.History({"D": [-0.533, 0.355]}, kind="returns")},
        returns="log",
        components=[
            hvar.component("VaR", measure="order_floor", confidence="0.99"),
            hvar.component("event risk", measure="order_ceil", confidence="0.99", history="events", role="floor"),
        ],
    )  # fmt: skip
    future = mc.Future("D", expiry="2026-12-18", settles="am", multiplier=1000, currency="USD")
    market = mc.Market(VALUATION, spot={}, price={future.id: 3.0})
    for lots, shift in [(2, -0.533), (-2, 0.355)]:
        report = mc.margin([mc.Position(future, lots)], market, rule)
        assert report.requirement.initial == pytest.approx(-lots * 3000.0 * (math.exp(shift) - 1.0), rel=1e-12)


def test_the_worst_on_the_way_to_the_end_of_the_holding_period() -> None:
    # BME: a margin at D against the worst of the losses D to D + 1 ... D + N.
    levels = [100.0, 101.0, 90.0, 97.0, 99.0, 103.0]
    rule = mc.methods.HistoricalVar(
        {"A": levels}, returns="absolute", measure="order_floor", confidence="0.5", days=2, scaling="overlapping",
        window=2,
    )  # fmt: skip
    rolled = rule.rolling({"A": 10.0}, first=2)
    assert rolled.realised.tolist() == [-60.0]
    assert rolled.worst.tolist() == [-20.0]
    # Without a window, from the first date with as many scenarios as the measure needs.
    grown = mc.methods.HistoricalVar({"A": walk(1, 41, 30.0)}, returns="log", **VAR).rolling({"A": 1.0})
    assert grown.steps[0] == 9
    assert [column.tolist() for column in rolled.observed(on_the_way=True)] == [rolled.margin[:1].tolist(), [-20.0]]
