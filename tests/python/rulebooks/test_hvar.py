"""Historical VaR: against the pure-Python engine, the traps of order statistics and filters, and what is refused."""

from __future__ import annotations

import datetime as dt
import math
import pickle
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc
from margincore import backtest
from margincore.methods import hvar
from margincore.reference import hvar as reference
from margincore.reference import pricing

VALUATION = "2026-11-20T21:00:00Z"
QUANTILES = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "nearest", "midpoint",
)  # fmt: skip
RANKS = ("order_floor", "order_ceil", "es_discrete", "es_hull", "es_inclusive", "es_acerbi")
WEIGHTED = ("weighted", "es_weighted")
RULES: dict[str, tuple[Any, str, float]] = {
    "A": ("relative", "relative", 0.0), "B": ("log", "log", 0.0),
    "C": ("absolute", "absolute", 0.0), "D": ({"displaced": 40.0}, "displaced", 40.0),
}  # fmt: skip


def prices(seed: int, rows: int) -> dict[str, list[float]]:
    """Random walks; the last two go below zero at times."""
    chance = random.Random(seed)
    walks: dict[str, list[float]] = {}
    for name in RULES:
        level = 80.0 if name in "AB" else 5.0
        walk = [level]
        for _ in range(rows - 1):
            step = chance.gauss(0.0, 0.02)
            walk.append(walk[-1] * math.exp(step) if name in "AB" else walk[-1] + 20.0 * step)
        walks[name] = walk
    return walks


def spot(symbol: str) -> mc.Contract:
    """Something that moves with its factor, a unit a piece."""
    return mc.Stock(symbol, currency="USD")


def market(history: dict[str, list[float]]) -> mc.Market:
    """The history's last prices."""
    return mc.Market(VALUATION, spot={name: walk[-1] for name, walk in history.items()})


def engine_margin(history: dict[str, list[float]], units: dict[str, int], components: list[dict[str, Any]]) -> float:
    rule = mc.methods.HistoricalVar(history, returns={k: v[0] for k, v in RULES.items()}, components=components)
    report = mc.margin([mc.Position(spot(k), q) for k, q in units.items()], market(history), rule)
    assert report.adds_up()
    return report.requirement.initial


def reference_margin(
    history: dict[str, list[float]], units: dict[str, int], components: list[reference.Component]
) -> float:
    factors = {k: reference.Factor(history[k], RULES[k][1], RULES[k][2]) for k in history}
    book = reference.Book([(k, history[k][-1], float(q)) for k, q in units.items()], factors)
    return reference.margin(book, components)


@st.composite
def measures(draw: st.DrawFn) -> tuple[str, Fraction, float | None]:
    measure = draw(st.sampled_from([*QUANTILES, *RANKS, *WEIGHTED, "normal"]))
    level = draw(st.sampled_from([500_000, 900_000, 950_000, 975_000, 990_000, 994_000, 997_000]))
    decay = draw(st.sampled_from([0.9, 0.98, 0.995])) if measure in WEIGHTED else None
    return measure, Fraction(level, 1_000_000), decay


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=300), measures())
@settings(max_examples=300, deadline=None)
def test_every_measure_is_the_reference_s_also_with_ties(
    losses: list[int], case: tuple[str, Fraction, float | None]
) -> None:
    measure, level, decay = case
    values = [float(x) for x in losses]
    if measure in ("order_floor", "es_hull") and len(values) * (1 - level) < 1:
        with pytest.raises(mc.InvalidInput, match="no loss to take"):
            hvar.measure(values, measure, str(float(level)))
        return
    mine = hvar.measure(values, measure, str(float(level)), age_decay=decay)
    theirs = reference.risk(values, measure, level, decay=decay or 0.0)
    assert mine == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("method", QUANTILES)
def test_quantiles_are_numpy_s(method: str) -> None:
    chance = np.random.default_rng(7)
    for n in (3, 10, 251, 1000):
        losses = chance.normal(size=n)
        for level in ("0.5", "0.75", "0.9375", "0.99"):
            expected = np.quantile(losses, float(level), method=method)
            assert hvar.measure(losses, method, level) == pytest.approx(float(expected), rel=1e-12, abs=1e-14)


@st.composite
def components(draw: st.DrawFn) -> tuple[dict[str, Any], reference.Component]:
    measure, level, decay = draw(measures())
    scaling = draw(st.sampled_from(["none", "sqrt_returns", "sqrt_risk", "overlapping", "interleaved"]))
    days = 1 if scaling == "none" else draw(st.sampled_from([2, 3]))
    window = draw(st.sampled_from([30, 60, 90]))
    if measure in ("order_floor", "es_hull"):
        level = min(level, Fraction(9, 10))  # of ten scenarios in the smallest set
    words: dict[str, Any] = {
        "window": window, "days": days, "scaling": scaling, "antithetic": draw(st.booleans()),
        "multiplier": draw(st.sampled_from([1.0, 1.37])),
    }  # fmt: skip
    own: dict[str, Any] = dict(words)
    if draw(st.booleans()):
        words["filter"] = hvar.ewma(0.94, seed="sample_var_ddof1", target=draw(st.sampled_from(["current", "mid"])))
        own |= {"filter_decay": 0.94, "mid": words["filter"]["target"] == "mid"}
    if decay is not None:
        words["age_decay"] = own["age_decay"] = decay
    if measure == "normal":
        words["variance"] = "population"
    name = draw(st.sampled_from(["x", "y"]))
    return (
        hvar.component(name, measure=measure, confidence=str(float(level)), **words),
        reference.Component(measure, level, **own),
    )


BOOKS = st.dictionaries(st.sampled_from(list(RULES)), st.integers(-9, 9).filter(bool), min_size=1)


@given(st.integers(0, 10_000), BOOKS, components(), components(), st.floats(0.1, 0.9))
@settings(max_examples=60, deadline=None)
def test_margins_are_the_reference_s(
    seed: int,
    units: dict[str, int],
    first: tuple[dict[str, Any], reference.Component],
    second: tuple[dict[str, Any], reference.Component],
    weight: float,
) -> None:
    history = prices(seed, 101)
    mine = [{**first[0], "name": "a", "weight": weight}, {**second[0], "name": "b", "role": "floor"}]
    theirs = [
        reference.Component(**{**vars(first[1]), "weight": weight}),
        reference.Component(**{**vars(second[1]), "is_floor": True}),
    ]
    expected = reference_margin(history, units, theirs)
    assert engine_margin(history, units, mine) == pytest.approx(expected, rel=1e-9, abs=1e-7)


def test_one_less_a_confidence_is_not_a_binary_fraction() -> None:
    assert math.ceil((1 - 0.994) * 1000) == 7  # what must not happen
    worst_first = np.arange(1000.0)[::-1]
    for confidence in ("0.994", 0.994):
        assert hvar.measure(worst_first, "es_discrete", confidence) == 996.5  # six of a thousand
    assert hvar.measure(np.arange(500.0), "es_discrete", "0.99") == 497.0  # five of five hundred
    with pytest.raises(mc.InvalidInput, match="parts per million"):
        hvar.ppm("0.99999999")


def report_of(rule: mc.Methodology, units: dict[str, int], history: dict[str, list[float]]) -> mc.MarginReport:
    return mc.margin([mc.Position(spot(k), q) for k, q in units.items()], market(history), rule)


def test_measure_and_confidence_have_no_default() -> None:
    history = prices(1, 50)
    with pytest.raises(mc.InvalidInput, match="no default"):
        mc.methods.HistoricalVar(history, returns="relative", measure="order_floor")
    with pytest.raises(mc.InvalidInput, match="no components"):
        mc.methods.HistoricalVar(history, returns="relative")
    rule = mc.methods.HistoricalVar({"A": history["A"]}, measure="order_floor", confidence="0.9")
    with pytest.raises(mc.MissingData, match="no return rule for factor 'A'"):
        report_of(rule, {"A": 1}, history)


def test_ties_are_broken_by_scenario_and_explained_by_date() -> None:
    days = [dt.date(2026, 11, 1) + dt.timedelta(days=k) for k in range(6)]
    walk = [100.0, 90.0, 100.0, 90.0, 100.0, 95.0]
    rule = mc.methods.HistoricalVar(
        hvar.History({"A": walk}, dates=days), returns="absolute", measure="order_floor", confidence="0.5"
    )
    report = report_of(rule, {"A": 1}, {"A": walk})
    component = report.details["netting_sets"]["portfolio"]["components"]["VaR"]
    assert [(row["scenario"], row["date"], row["loss"]) for row in component["worst"][:3]] == [
        (1, "2026-11-02", 10.0), (3, "2026-11-04", 10.0), (5, "2026-11-06", 5.0),
    ]  # fmt: skip
    assert report.worst_scenario == "2026-11-02"
    assert [row["scenario"] for row in component["tail"]] == [3]  # the second worst of five


@pytest.mark.parametrize("returns", ["log", "relative"])
def test_a_price_that_is_not_positive_is_refused_by_name(returns: str) -> None:
    history = hvar.History({"WTI": [18.31, -36.98, 8.91]}, dates=["2020-04-17", "2020-04-20", "2020-04-21"])
    rule = mc.methods.HistoricalVar(history, returns=returns, measure="order_floor", confidence="0.5")
    with pytest.raises(mc.InvalidInput, match=r"non-positive price.*'WTI' on 2020-04-20"):
        report_of(rule, {"WTI": 1000}, {"WTI": [8.91]})
    works = mc.methods.HistoricalVar(history, returns="absolute", measure="order_floor", confidence="0.5")
    assert report_of(works, {"WTI": 1000}, {"WTI": [8.91]}).requirement.initial == pytest.approx(55_290.0)


def test_a_negative_price_today_moves_by_amounts() -> None:
    history = {"WTI": [18.31, -36.98, 8.91, -2.0]}
    rule = mc.methods.HistoricalVar(history, returns="absolute", measure="order_floor", confidence="0.5")
    assert report_of(rule, {"WTI": 10}, history).requirement.initial == pytest.approx(552.9)


def test_the_future_does_not_enter() -> None:
    history = hvar.History({"A": [1.0, 2.0, 3.0]}, dates=["2026-11-19", "2026-11-20", "2026-11-21"])
    rule = mc.methods.HistoricalVar(history, returns="relative", measure="order_floor", confidence="0.5")
    with pytest.raises(mc.InvalidInput, match="cannot know the future"):
        report_of(rule, {"A": 1}, {"A": [3.0]})


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    with pytest.raises(mc.InvalidInput, match="'A' on row 2 is"):
        mc.methods.HistoricalVar({"A": [1.0, bad, 2.0]}, returns="relative", measure="linear", confidence="0.5")
    with pytest.raises(mc.InvalidInput, match="loss 1"):
        hvar.measure([1.0, bad], "linear", "0.5")


def test_what_is_missing_or_wrong_is_named() -> None:
    history = prices(2, 40)
    common: dict[str, Any] = {"returns": "absolute", "measure": "order_floor", "confidence": "0.9"}
    with pytest.raises(mc.MissingData, match=r"50 returns are needed.*has 39"):
        report_of(mc.methods.HistoricalVar(history, **common, window=50), {"A": 1}, history)
    with pytest.raises(mc.MissingData, match="no factor 'Z'"):
        report_of(mc.methods.HistoricalVar(history, **common), {"Z": 1}, {"Z": [1.0]})
    with pytest.raises(mc.InvalidInput, match="needs scaling"):
        mc.methods.HistoricalVar(history, **common, days=10)
    with pytest.raises(mc.InvalidInput, match="age_decay"):
        mc.methods.HistoricalVar(history, **{**common, "measure": "weighted"})
    with pytest.raises(mc.InvalidInput, match="different lengths"):
        mc.methods.HistoricalVar({"A": [1.0, 2.0], "B": [1.0]}, **common)
    with pytest.raises(mc.InvalidInput, match="dates ascend"):
        mc.methods.HistoricalVar({"A": [1.0, 2.0]}, dates=["2026-01-02", "2026-01-02"], **common)
    flat = {"A": [5.0] * 20}
    rule = mc.methods.HistoricalVar(flat, **common, filter=hvar.ewma(0.9, seed="mean_square"))
    with pytest.raises(mc.CalculationError, match="volatility known before"):
        report_of(rule, {"A": 1}, flat)


def test_devolatilising_uses_the_volatility_before_the_return() -> None:
    calm = [100.0 + 0.1 * (-1) ** k for k in range(60)]
    history = {"A": [*calm, 90.0]}
    filtered = hvar.ewma(0.9, seed="mean_square", seed_returns=20)
    rule = mc.methods.HistoricalVar(
        history, returns="relative", measure="order_ceil", confidence="0.99", filter=filtered
    )
    own = reference.returns(history["A"], "relative")
    variances = reference.ewma(own[20:], 0.9, math.fsum(r * r for r in own[:20]) / 20)
    worst = -own[-1] * math.sqrt(variances[-1] / variances[-2])
    assert report_of(rule, {"A": 1}, history).requirement.initial == pytest.approx(90.0 * worst, rel=1e-12)


def test_netting_sets_add_up_and_do_not_net() -> None:
    history = prices(3, 80)
    common: dict[str, Any] = {"returns": "absolute", "measure": "es_discrete", "confidence": "0.95"}
    units = {"A": 5, "B": -4, "C": 7}
    sets = [{"name": "one", "members": ["A"], "group": "G"}, {"name": "rest"}]
    apart = report_of(mc.methods.HistoricalVar(history, **common, netting_sets=sets), units, history)
    whole = mc.methods.HistoricalVar(history, **common)
    one = report_of(whole, {"A": 5}, history).requirement.initial
    rest = report_of(whole, {"B": -4, "C": 7}, history).requirement.initial
    assert apart.requirement.initial == pytest.approx(one + rest, rel=1e-14)
    assert [line.scope for line in apart.lines] == ["G/one", "rest"]
    assert report_of(whole, units, history).requirement.initial < apart.requirement.initial
    only = mc.methods.HistoricalVar(history, **common, netting_sets=sets[:1])
    with pytest.raises(mc.NotApplicable, match="no netting set takes 'B'"):
        report_of(only, units, history)


def test_allocations_add_up_to_the_risk_exactly() -> None:
    history = prices(4, 200)
    for measure in (*RANKS, *QUANTILES, *WEIGHTED, "normal"):
        extra: dict[str, Any] = {"age_decay": 0.99} if measure in WEIGHTED else {}
        extra |= {"variance": "sample"} if measure == "normal" else {}
        rule = mc.methods.HistoricalVar(
            history, returns="absolute", measure=measure, confidence="0.97", name="x", **extra
        )
        report = report_of(rule, {"A": 5, "B": -4, "C": 7, "D": 1}, history)
        component = report.details["netting_sets"]["portfolio"]["components"]["x"]
        total = 0.0
        for amount in component["allocation"].values():
            total += amount
        residual = component["allocation_residual"]
        assert total + residual == component["risk"] == report.requirement.initial, measure
        assert abs(residual) <= 1e-13 * abs(component["risk"]), measure


def test_options_are_repriced_in_every_scenario() -> None:
    history = {"X": prices(5, 120)["A"], "X vol": [0.2 + 0.001 * (k % 7) for k in range(120)]}
    now = history["X"][-1]
    contract = mc.Option(
        "X", "put", round(now), expiry="2027-02-19", settles="pm", exercise="european", multiplier=100, currency="USD"
    )
    snapshot = mc.Market(VALUATION, spot={"X": now}, rate={"USD": 0.03}, vol={contract.id: 0.25})
    for vol_map in ({}, {"X": "X vol"}):
        rule = mc.methods.HistoricalVar(
            history, returns={"X": "relative", "X vol": "absolute"}, measure="order_floor", confidence="0.95",
            vol_map=vol_map, roll_days=1.0,
        )  # fmt: skip
        report = mc.margin([mc.Position(contract, -3)], snapshot, rule)
        years = (dt.date(2027, 2, 19) - dt.date(2026, 11, 20)).days / 365

        def value(level: float, vol: float, years: float = years) -> float:
            return pricing.black_scholes(level, round(now), years, 0.03, 0.0, vol, -1)

        moves = reference.returns(history["X"], "relative")
        vols = reference.returns(history["X vol"], "absolute") if vol_map else [0.0] * len(moves)
        losses = [
            300.0 * (value(now * (1 + m), 0.25 + v, years - 1 / 365) - value(now, 0.25))
            for m, v in zip(moves, vols, strict=True)
        ]
        expected = reference.risk(losses, "order_floor", Fraction(19, 20))
        assert report.requirement.initial == pytest.approx(expected, rel=1e-9)
        assert report.net_option_value == pytest.approx(-300.0 * value(now, 0.25), rel=1e-9)


def test_options_refuse_scenarios_without_a_price() -> None:
    history = {"X": [10.0, 2.0, 9.0, 1.0]}
    contract = mc.Option(
        "X", "call", 1, expiry="2027-02-19", settles="pm", exercise="european", multiplier=1, currency="USD"
    )
    snapshot = mc.Market(VALUATION, spot={"X": 1.0}, rate={"USD": 0.0}, vol={contract.id: 0.5})
    rule = mc.methods.HistoricalVar(history, returns="absolute", measure="order_floor", confidence="0.5")
    with pytest.raises(mc.CalculationError, match="to or below zero"):
        mc.margin([mc.Position(contract, 1)], snapshot, rule)


def test_another_currency_is_converted() -> None:
    history = {"A": prices(6, 50)["A"]}
    rule = mc.methods.HistoricalVar(history, returns="relative", measure="order_floor", confidence="0.9")
    euro = mc.Stock("A", currency="EUR")
    here = mc.Market(VALUATION, spot={"A": history["A"][-1]}, fx={"EURUSD": 1.25})
    dollars = report_of(rule, {"A": 4}, history).requirement.initial
    assert mc.margin([mc.Position(euro, 4)], here, rule).requirement.initial == pytest.approx(1.25 * dollars, rel=1e-14)
    with pytest.raises(mc.MissingData, match="no exchange rate"):
        mc.margin([mc.Position(euro, 4)], market(history), rule)


@pytest.mark.parametrize("measure", ["order_floor", "es_discrete", "weighted", "linear"])
def test_batches_threads_and_live_accounts_agree_to_the_last_bit(measure: str) -> None:
    rows, names = 300, [f"F{k}" for k in range(40)]
    chance = np.random.default_rng(3)
    history = hvar.History(100.0 * np.exp(np.cumsum(chance.normal(0, 0.01, (rows, 40)), axis=0)), columns=names)
    extra: dict[str, Any] = {"age_decay": 0.99} if measure == "weighted" else {}
    rule = mc.methods.HistoricalVar(history, returns="log", measure=measure, confidence="0.99", **extra)
    contracts = mc.Contracts([spot(name) for name in names])
    prepared = mc.Engine(rule).prepare(contracts, mc.Market(VALUATION, spot=dict.fromkeys(names, 100.0)))
    count = 1200
    account = np.repeat(np.arange(count, dtype=np.uint32), 6)
    contract = chance.integers(0, 40, account.size).astype(np.uint32)
    quantity = chance.integers(-20, 21, account.size)
    accounts = mc.Accounts.from_columns(contracts, account=account, contract=contract, lots=quantity)
    batch = prepared.margin_many(accounts)
    again = prepared.margin_many(accounts, threads=3)
    assert batch.initial.tobytes() == again.initial.tobytes()
    assert batch.worst_scenario.tolist() == again.worst_scenario.tolist()
    for a in (0, 511, 512, count - 1):
        own = account == a
        held = mc.Account([
            mc.Position(contracts[int(c)], int(q)) for c, q in zip(contract[own], quantity[own], strict=True)
        ])  # fmt: skip
        assert prepared.margin(held).requirement.initial == batch.initial[a]
        live = prepared.open(held)
        for row in (0, 7):
            more = mc.Account([*held.positions, mc.Position(contracts[row], 9)])
            fresh = prepared.margin(more).requirement.initial
            assert live.margin_after(row, 9) == pytest.approx(fresh, rel=1e-12, abs=1e-9)
            assert live.what_if([(contracts[row], 9)]).after.initial == fresh


def test_every_preset_says_what_it_is_and_needs_its_history() -> None:
    chance = np.random.default_rng(11)
    walk = 100.0 * np.exp(np.cumsum(chance.normal(0, 0.01, 3000)))
    changes = hvar.History({"A": chance.normal(0, 0.01, 1018)}, kind="returns")
    extra: dict[str, dict[str, Any]] = {
        "hkscc-vp": {"histories": {"HVaR": changes, "SVaR": changes}},
        "span2-like": {"histories": {"stress": changes}},
    }
    presets = (
        "hkscc-vp", "prisma-like", "span2-like", "irm2-like", "jscc-like", "nodal-like", "lch-pairs-like",
        "euronext-fire-like",
    )  # fmt: skip
    for preset in presets:
        with pytest.raises(mc.MissingData, match="reads the history"):
            mc.methods.HistoricalVar(preset=preset)
        rule = mc.methods.HistoricalVar({"A": walk}, preset=preset, currency="USD", **extra.get(preset, {}))
        report = report_of(rule, {"A": 100}, {"A": [float(walk[-1])]})
        assert report.requirement.initial > 0.0
        assert report.adds_up()
        assert "not certified" in report.details["calibration"]
    with pytest.raises(mc.InvalidInput, match="unknown preset"):
        mc.methods.HistoricalVar(preset="certified")


def test_a_methodology_pickles_with_its_history_and_its_digest_holds_it() -> None:
    history = prices(8, 60)
    rule = mc.methods.HistoricalVar(history, returns="absolute", measure="linear", confidence="0.9")
    copy = pickle.loads(pickle.dumps(rule))
    assert copy.parameters["digest"] == rule.parameters["digest"]
    history["A"][0] += 1e-9
    other = mc.methods.HistoricalVar(history, returns="absolute", measure="linear", confidence="0.9")
    assert other.parameters["digest"] != rule.parameters["digest"]


def test_rolling_margins_see_only_their_past() -> None:
    history = prices(9, 150)
    units = {"A": 2.0, "B": -1.0}
    common: dict[str, Any] = {
        "returns": {"A": "relative", "B": "log"}, "measure": "es_discrete", "confidence": "0.95", "window": 60,
        "filter": hvar.ewma(0.95, seed="mean_square", seed_returns=20),
    }  # fmt: skip
    two = {name: history[name] for name in units}
    rolled = mc.methods.HistoricalVar(two, **common).rolling(units, threads=2)
    assert rolled.steps[0] == 79
    assert len(rolled.realised) == len(rolled.margin) - 1
    for i in (0, 17, len(rolled.margin) - 1):
        past = {name: walk[: rolled.steps[i] + 2] for name, walk in two.items()}
        alone = mc.methods.HistoricalVar(past, **common).rolling(units)
        assert alone.margin[-1] == rolled.margin[i]
    margins, losses = rolled.observed()
    assert backtest.coverage(margins, losses).observations == len(losses)
    with pytest.raises(mc.InvalidInput, match="lies after"):
        mc.methods.HistoricalVar(two, **common).rolling(units, first=120, last=100)


def test_holding_periods_are_aligned_with_the_losses_that_follow() -> None:
    walk = [100.0, 101.0, 99.0, 98.0, 97.0, 99.0, 95.0, 96.0]
    rule = mc.methods.HistoricalVar(
        {"A": walk}, returns="relative", measure="order_floor", confidence="0.5", days=3, scaling="overlapping",
        window=2,
    )  # fmt: skip
    rolled = rule.rolling({"A": 1.0})
    for step, loss in zip(rolled.steps, rolled.realised, strict=False):
        assert loss == pytest.approx(1.0 - walk[step + 1 + 3] / walk[step + 1])
    assert len(rolled.realised) == len(rolled.steps) - 3


def test_acerbi_and_szekely_s_second_statistic() -> None:
    chance = np.random.default_rng(2)
    table = np.sort(chance.normal(size=(400, 1000)), axis=1)
    var, es = table[:, 974], table[:, 975:].mean(axis=1)
    right = backtest.es_z2(chance.normal(size=400), var, es, 0.975, scenarios=table, draws=300)
    wrong = backtest.es_z2(2.0 * chance.normal(size=400), var, es, 0.975, scenarios=table, draws=300)
    assert right.p_value is not None
    assert wrong.p_value is not None
    assert right.p_value > 0.05 > wrong.p_value
    assert wrong.statistic > 1.0


def test_a_document_holds_its_history() -> None:
    words = {"columns": ["A"], "kind": "levels", "values": [[100.0], [90.0], [95.0]]}
    document = {
        "account": {"positions": [
            {"contract": {"kind": "stock", "underlying": "A", "currency": "USD"}, "quantity": 10},
        ]},
        "market": {"valuation": VALUATION, "spot": {"A": 95.0}},
        "methodology": {
            "name": "hvar", "histories": {"history": words}, "returns": {"*": "relative"},
            "components": [{"name": "VaR", "measure": "order_floor", "confidence_ppm": 500_000}],
        },
    }  # fmt: skip
    assert mc.evaluate(document)["requirement"]["initial"] == pytest.approx(95.0)
    words["values"] = [[100.0], [90.0, 1.0]]
    with pytest.raises(mc.InvalidInput, match="values row 1 has 2 numbers"):
        mc.evaluate(document)


def test_the_interleaved_filter_is_the_reference_s() -> None:
    chance = random.Random(21)
    daily = [chance.gauss(0.0, 0.01) * (1.0 + (k // 60) % 3) for k in range(420)]
    rule = mc.methods.HistoricalVar(
        hvar.History({"X": daily}, kind="returns"), returns="log", measure="averaged_inverted_cdf", confidence="0.978",
        window=150, days=3, scaling="interleaved", multiplier=1.37,
        filter=hvar.finite_ewma(0.97, 40, mean=True, average=3, quantile_floor_ppm=500_000),
    )  # fmt: skip
    rolled = rule.rolling({"X": 1.0})
    for i in (0, 1, 20, len(rolled.margin) - 1):
        past = daily[: rolled.steps[i] + 1]
        expected = reference.interleaved_filtered_var(past, 3, 150, Fraction(978, 1000), 0.97, 40, 1.37)
        assert rolled.margin[i] == pytest.approx(expected, rel=1e-10)
    assert rolled.steps[0] == 2 + 3 * 79 + 150 - 1  # the first return, twice the points less one, the window


def test_volatility_scaling_of_the_portfolio() -> None:
    history = prices(13, 90)
    rule = mc.methods.HistoricalVar(
        history, returns="absolute", measure="es_discrete", confidence="0.95",
        portfolio_filter=hvar.ewma(0.94, seed="sample_var_ddof1"),
    )  # fmt: skip
    units = {"A": 3, "C": -2}
    changes = {name: reference.returns(history[name], "absolute") for name in units}
    losses = [-sum(q * changes[name][s] for name, q in units.items()) for s in range(89)]
    expected = reference.risk(reference.portfolio_filtered(losses, 0.94), "es_discrete", Fraction(95, 100))
    assert report_of(rule, units, history).requirement.initial == pytest.approx(expected, rel=1e-10)


def test_periods_of_stress_do_not_reach_before_themselves() -> None:
    days = [str(dt.date(2026, 1, 1) + dt.timedelta(days=k)) for k in range(12)]
    daily = [0.0, -0.5, 0.125, -0.25, 0.375, -0.5, 0.5, -0.75, 0.125, 0.125, -0.25, 0.5]
    history = hvar.History({"X": daily}, dates=days, kind="returns")
    common: dict[str, Any] = {"measure": "order_floor", "confidence": "0.5", "periods": [days[2:6], days[7:10]]}
    overlapping = mc.methods.HistoricalVar(
        history, returns="absolute", components=[hvar.component("s", days=2, scaling="overlapping", **common)]
    )
    report = report_of(overlapping, {"X": 100}, {"X": [1.0]})
    worst = report.details["netting_sets"]["portfolio"]["components"]["s"]["worst"]
    # Sums of two days that lie in one period both: the falls of -0.375 and -0.25 into a period are not among them.
    assert [(row["date"], round(row["loss"], 9)) for row in worst] == [
        (days[8], 62.5), (days[3], 12.5), (days[5], 12.5), (days[4], -12.5), (days[9], -25.0),
    ]  # fmt: skip
    gap = [[days[0], days[2]]]
    for dates, scaling in [(gap, {"days": 2, "scaling": "overlapping"}), ([gap[0][::-1]], {})]:
        wrong = hvar.component("s", **{**common, "periods": dates}, **scaling)
        with pytest.raises(mc.InvalidInput, match="dates ascend, and where returns span days a period has no gaps"):
            report_of(mc.methods.HistoricalVar(history, returns="absolute", components=[wrong]), {"X": 1}, {"X": [1.0]})
    single = hvar.component("s", **{**common, "periods": gap})
    rule = mc.methods.HistoricalVar(history, returns="absolute", components=[single])
    assert report_of(rule, {"X": -100}, {"X": [1.0]}).requirement.initial == pytest.approx(12.5)


def stage_amounts(stages: list[dict[str, Any]], *, paid: float = 0.0, risk: float = 1000.0) -> dict[str, float]:
    """Stages on a book of 100 A at 50, short 40 B at 20, long 10 C at 5; the scenarios' risk is given."""
    rule = mc.methods.HistoricalVar(
        components=[hvar.component("VaR", measure="order_floor", confidence="0.99", given={"portfolio": risk})],
        stages=stages,
    )  # fmt: skip
    account = mc.Account(
        [mc.Position(spot("A"), 100), mc.Position(spot("B"), -40), mc.Position(spot("C"), 10)], cash={"USD": paid}
    )
    report = mc.margin(account, mc.Market(VALUATION, spot={"A": 50.0, "B": 20.0, "C": 5.0}), rule)
    assert report.adds_up()
    amounts = {name: part.initial for name, part in report.by_component().items()}
    return {**amounts, "total": report.requirement.initial}


STAGES: list[tuple[list[dict[str, Any]], float]] = [
    # 30 % of 5,050 long, less the 1,000 of the scenarios.
    ([hvar.stage("x", "gross_floor", rate=0.3)], 515.0),
    # Long 5,000 at 10 % and short 800 at 50 %, the larger of them or both; twice.
    ([hvar.stage("x", "flat_rate", rates={"A": 0.1, "B": 0.5}, groups=[["A", "B"]], multiplier=2.0)], 1000.0),
    ([hvar.stage("x", "flat_rate", rates={"A": 0.1, "B": 0.5}, multiplier=2.0)], 1800.0),
    # 5,000 of delta above 2,000 at 1 %.
    ([hvar.stage("x", "liquidity", underlyings={"A": {"threshold": 2000.0, "rate": 0.01}})], 30.0),
    # B counts as A's: 5,000 - 40 * 25, above 2,000; and the hedge sees twice that, above 7,500.
    ([hvar.stage("x", "liquidity", underlyings={"A": {"threshold": 2000.0, "rate": 0.01, "beta": 2.0}},
                 underlying_of={"B": "A"}, delta={"B": 25.0}, hedge={"threshold": 7500.0, "rate": 0.1})], 70.0),
    ([hvar.stage("x", "tick_value", products={"C": {"ticks": 5.0, "tick": 0.1}})], 5.0),
    # Long 5,000 at 10 %, short 800 at 25 %.
    ([hvar.stage("x", "side_rate", rates={"A": {"long": 0.1, "short": 9.0}, "B": {"long": 9.0, "short": 0.25}})],
     700.0),
    ([hvar.stage("x", "scale", of=["scenarios"], factor=0.7)], 700.0),
    ([hvar.stage("x", "scale", of=["scenarios"], days=4.0)], 1000.0),
    ([hvar.stage("x", "round_up", unit=300.0)], 200.0),
    ([hvar.stage("x", "round_up", unit=250.0)], 0.0),
    # Net 4,250, of which 2,125 lie beyond 2,125: half of 1,200 at 25 %.
    ([hvar.stage("x", "position_limit", capital=425.0, multiplier=5.0, cap=9e9, rate=0.25, of=["scenarios"],
                 unit=600.0)], 150.0),
    ([hvar.stage("x", "credit", amount=400.0)], -400.0),
    ([hvar.stage("x", "credit", amount=4000.0)], -1000.0),
    ([hvar.stage("x", "amount", amount=17.0)], 17.0),
    ([hvar.stage("x", "buffer", rate=0.25, release=1100.0)], 100.0),
    ([hvar.stage("x", "cap", amount=900.0)], -100.0),
    ([hvar.stage("x", "speed_limit", previous=500.0, limit=1.5)], -250.0),
]  # fmt: skip


@pytest.mark.parametrize(("stages", "expected"), STAGES)
def test_stages(stages: list[dict[str, Any]], expected: float) -> None:
    amounts = stage_amounts(stages)
    assert amounts.get("x", 0.0) == pytest.approx(expected, rel=1e-12)
    assert amounts["total"] == pytest.approx(1000.0 + expected, rel=1e-12)


def test_the_mark_against_what_was_paid() -> None:
    both = [hvar.stage("gain", "favourable_mark"), hvar.stage("loss", "mark_requirement")]
    assert stage_amounts(both, paid=-4000.0)["gain"] == -250.0  # worth 4,250
    assert stage_amounts(both, paid=-3000.0)["total"] == 0.0
    assert stage_amounts(both, paid=-4500.0)["loss"] == 250.0
    with pytest.raises(mc.InvalidInput, match="no earlier stage"):
        stage_amounts([hvar.stage("x", "scale", of=["y"], factor=1.0)])
    with pytest.raises(mc.InvalidInput, match="two stages are named"):
        stage_amounts([hvar.stage("x", "amount", amount=1.0)] * 2)
    with pytest.raises(mc.InvalidInput, match="cannot be negative"):
        stage_amounts([hvar.stage("x", "credit", amount=-1.0)])
