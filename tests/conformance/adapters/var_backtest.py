"""Backtests: published test statistics, margins through real histories, anti-procyclicality tools, a negative price."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore import backtest as bt
from margincore.methods import hvar

from ..cases import Check, Entry, MalformedCase, required
from .var_portfolios import VALUATION, columns, printed


def statistics_case(entry: Entry) -> list[Check]:
    """Kupiec, Christoffersen, both, the traffic light and its tables."""
    case = entry.document
    checks = []

    def ratio(name: str, row: dict[str, Any], test: bt.LikelihoodRatio | None) -> None:
        assert test is not None, name
        checks.append(printed(f"{name} LR", row["LR"], test.statistic))
        checks.append(printed(f"{name} p", row["pvalue"], test.p_value))

    def pairs(row: dict[str, Any]) -> bt.Transitions:
        return bt.Transitions(row["n00"], row["n01"], row["n10"], row["n11"])

    for row in case.get("kupiec_pof", []):
        ratio(f"kupiec {row['N']}/{row['x']}", row, bt.kupiec(row["N"], row["x"], row["p"]))
    for row in case.get("christoffersen_independence", []):
        ratio("independence", row, bt.christoffersen(pairs(row)))
    for row in case.get("conditional_coverage", []):
        ratio("conditional coverage", row, bt.conditional_coverage(row["N"], row["x"], row["p"], pairs(row)))
    for row in case.get("traffic_light_binomial", []):
        light = bt.traffic_light(row["N"], row["x"], row["p"])
        checks.append(printed("cumulative", row["cum"], light.cumulative))
        checks.append(printed("type one", row["typeI"], light.type_one))
        checks.append(Check(f"zone {light.zone} is {row['zone']}", 1.0, float(light.zone == row["zone"])))
    for row in case.get("kupiec_nonrejection_95pct_p01", []):
        low, high = bt.kupiec_range(row["T"], 0.01)
        checks.append(Check(f"not rejected of {row['T']}: least", row["min_x"], low))
        checks.append(Check(f"not rejected of {row['T']}: most", row["max_x"], high))
    for x, percent in enumerate(case.get("basel_cumulative_pct_250_p01", [])):
        checks.append(printed(f"cumulative {x}", percent, 100.0 * bt.traffic_light(250, x, 0.01).cumulative))
    for key, factor in case.get("basel_plus_factor", {}).items():
        for x in _range(key):
            checks.append(Check(f"plus factor {x}", factor, bt.plus_factor(x)))
    for row in case.get("zone_starts", []):
        yellow, red = bt.zone_starts(row["n"], row["p"])
        checks.append(Check(f"yellow of {row['n']} at {row['p']}", row["yellow"], yellow))
        checks.append(Check(f"red of {row['n']} at {row['p']}", row["red"], red))
    if case.get("edge_cases"):
        n, p = 100, 0.02
        checks.append(Check("no breach", -2.0 * n * np.log(1.0 - p), bt.kupiec(n, 0, p).statistic, rel=1e-12))
        checks.append(Check("only breaches", -2.0 * n * np.log(p), bt.kupiec(n, n, p).statistic, rel=1e-12))
        checks.append(Check("no failures: none", 1.0, float(bt.christoffersen(bt.Transitions(99, 0, 0, 0)) is None)))
    return checks


def _range(key: str) -> list[int]:
    if key.endswith("+"):
        return [int(key[:-1]), int(key[:-1]) + 7]
    ends = [int(x) for x in key.split("-")]
    return list(range(ends[0], ends[-1] + 1))


MODELS: dict[str, dict[str, Any]] = {
    "hs": {"measure": "order_floor", "confidence": "0.99"},
    "brw": {"measure": "weighted", "confidence": "0.99", "age_decay": 0.995},
    "fhs": {
        "measure": "order_floor", "confidence": "0.99",
        "filter": hvar.ewma(0.97, seed="mean_square", seed_returns=250),
    },
    "es_97.5_discrete": {"measure": "es_discrete", "confidence": "0.975"},
}  # fmt: skip


def history_entry(entry: Entry) -> list[Check]:
    """One asset under several models: every forecast, the losses that followed, and their statistics."""
    case = entry.context
    key = entry.document["key"]
    expected = case["expected"][key]
    rule = re.fullmatch(r"max\(first index with date>=start, (\d+)\); start = (.+)", case["first_forecast_rule"])
    starts = rule.group(2).split(" / ") if rule else []
    if rule is None or not len(starts) == len(case["data"]) == len(case["expected"]):
        raise MalformedCase(f"{entry.id}: another rule, or not one data file and one start for each asset")
    # Assets, files and starts are listed in one order.
    at = list(case["expected"]).index(key)
    start = starts[at]
    data = columns(case["data"][at])
    dates, close = data["date"], data["close"].astype(float)
    first = dates[max(int(np.searchsorted(dates, start)), int(rule.group(1)))]
    checks = []
    for model, parameters in MODELS.items():
        methodology = mc.methods.HistoricalVar(
            hvar.History({key: close}, dates=dates), returns="log", window=case["conventions"]["window"], **parameters
        )
        rolled = methodology.rolling({key: 1.0}, first=str(first))
        margins, losses = rolled.observed()
        own = required(expected, model, dict, entry.id)
        checks += _named(f"{model} ", own, _model_numbers(margins, losses))
        if model == "hs":
            checks.append(Check("n_forecasts", expected["n_forecasts"], margins.size))
            checks.append(Check("first date", 1.0, float(rolled.dates[0] == expected["first_forecast_date"])))
            last = rolled.dates[margins.size - 1]
            checks.append(Check("last date", 1.0, float(last == expected["last_forecast_date"])))
    return checks


def _model_numbers(margins: Any, losses: Any) -> dict[str, float]:
    found = bt.report(margins, losses, 0.01)
    cover, pairs, pof, cost = found.coverage, found.transitions, found.kupiec, found.procyclicality
    ind, cc = found.independence, found.conditional_coverage
    assert ind is not None
    assert cc is not None
    return {
        "breaches": cover.breaches, "rate": 1.0 - cover.coverage, "coverage": cover.coverage,
        "LR_pof": pof.statistic, "p_pof": pof.p_value,
        "n00": pairs.n00, "n01": pairs.n01, "n10": pairs.n10, "n11": pairs.n11,
        "LR_ind": ind.statistic, "LR_cc": cc.statistic, "p_cc": cc.p_value,
        "mean_margin": cost.mean, "max_margin": cost.max, "min_margin": cost.min,
        # The case divides the largest margin by the smallest, also where the smallest came later.
        "peak_to_trough": bt.max_to_min(margins),
        "max_5d_ratio": cost.max_5d, "last_margin": float(margins[-1]),
        "mean": cost.mean, "max": cost.max, "last": float(margins[-1]),
    }  # fmt: skip


def _named(prefix: str, expected: dict[str, float], actual: dict[str, float]) -> list[Check]:
    """Counts exactly, likelihood ratios to 1e-9, margins to 1e-12: the case's own tolerances."""
    checks = []
    for name, number in expected.items():
        tolerance = 0.0 if isinstance(number, int) else 1e-9 if name[:2] in ("LR", "p_") else 1e-12
        checks.append(Check(prefix + name, number, actual[name], abs_=tolerance))
    return checks


def apc_case(entry: Entry) -> list[Check]:
    """Article 28's tools on single margins and on a series."""
    case = entry.document
    inputs, expected = required(case, "inputs", dict, entry.id), required(case, "expected", dict, entry.id)
    tools: dict[str, Callable[[], Any]] = {
        "a_buffer_25": lambda: bt.buffer([inputs["margin"]], inputs["release_level"]),
        "b_stress_weight_25": lambda: bt.stress_weight([inputs["current"]], [inputs["stressed"]]),
        "c_10y_floor": lambda: bt.long_run_floor([inputs["current"]], [inputs["ten_year_vol_margin"]]),
        "speed_limit": lambda: bt.speed_limit(inputs["series"], inputs["limit"], days=inputs["n_day"]),
        "cap": lambda: bt.cap([inputs["margin"]], inputs["cap"]),
    }
    tool = required(case, "tool", str, entry.id)
    if tool not in tools:
        raise MalformedCase(f"{entry.id}: no tool is known as {tool}")
    made = tools[tool]()
    numbers = expected.get("series", [expected.get("required")])
    checks = [Check(f"{tool} {i}", number, float(made[i]), rel=1e-12) for i, number in enumerate(numbers)]
    if tool in ACCOUNT and "required" in expected:
        checks += _of_an_account(tool, inputs, expected)
    return checks


def _given(name: str, risk: float, **parameters: Any) -> dict[str, Any]:
    return hvar.component(name, measure="order_floor", confidence="0.99", given={"portfolio": risk}, **parameters)


Parts = tuple[list[dict[str, Any]], list[dict[str, Any]]]
ACCOUNT: dict[str, Callable[[dict[str, float]], Parts]] = {
    "a_buffer_25": lambda i: (
        [_given("VaR", i["margin"])],
        [hvar.stage("buffer", "buffer", rate=0.25, release=i["release_level"])],
    ),
    "b_stress_weight_25": lambda i: (
        [_given("VaR", i["current"], weight=0.75), _given("stress", i["stressed"], weight=0.25)], [],
    ),
    "c_10y_floor": lambda i: (
        [_given("VaR", i["current"]), _given("ten years", i["ten_year_vol_margin"], role="floor")], [],
    ),
    "cap": lambda i: ([_given("VaR", i["margin"])], [hvar.stage("cap", "cap", amount=i["cap"])]),
}  # fmt: skip


def _of_an_account(tool: str, inputs: dict[str, float], expected: dict[str, float]) -> list[Check]:
    """The same tool in an account's margin: a component or a stage, each a line of its own."""
    stock = mc.Stock("X", currency="USD")

    def margin(inputs: dict[str, float]) -> mc.MarginReport:
        components, stages = ACCOUNT[tool](inputs)
        rule = mc.methods.HistoricalVar(components=components, stages=stages)
        return mc.margin([mc.Position(stock, 1)], mc.Market(VALUATION, spot={"X": 1.0}), rule)

    report = margin(inputs)
    checks = [Check(f"{tool} of an account", expected["required"], report.requirement.initial, rel=1e-12)]
    if "buffer_used" in expected:
        # Of the full quarter, what the release level has freed.
        free = margin({**inputs, "release_level": 1e12})
        used = free.requirement.initial - report.requirement.initial
        checks.append(Check("buffer_used", expected["buffer_used"], used, rel=1e-12))
    return checks


def negative_price(entry: Entry) -> list[Check]:
    """A price below zero: refused by name under log and relative returns, a loss of that size under absolute ones."""
    case = entry.document
    window = required(case, "window", dict, entry.id)
    data = columns(case["data"])
    dates, close = data["date"], data["close"].astype(float)
    for date, price in window.items():
        assert close[dates == date][0] == price, f"{date}: the data file differs from the case"
    last = max(window)
    day = min(date for date in window if window[date] <= 0.0)
    until = dates <= last
    history = hvar.History({"WTI": close[until]}, dates=dates[until])
    checks = []
    for returns in ("log", "relative"):
        rule = mc.methods.HistoricalVar(
            history, returns=returns, window=1000, measure="order_floor", confidence="0.999"
        )
        crude = mc.Stock("WTI", currency="USD")
        market = mc.Market(f"{last}T21:00:00Z", spot={"WTI": window[last]})
        with pytest.raises(mc.InvalidInput) as refused:
            mc.margin([mc.Position(crude, 1000)], market, rule)
        named = all(word in str(refused.value) for word in ("non-positive price", day, "WTI"))
        checks.append(Check(f"{returns} returns: {refused.value}", 1.0, float(named)))
    rule = mc.methods.HistoricalVar(history, returns="absolute", window=1000, measure="order_floor", confidence="0.999")
    report = mc.margin([mc.Position(crude, 1000)], market, rule)
    worst = report.details["netting_sets"]["portfolio"]["components"]["VaR"]["worst"][0]
    loss = _number(case["expect"], r"long 1,000 bbl: ([\d,]+) USD is the worst")
    falls = _number(case["expect"], r"absolute returns work: (-[\d.]+)")
    rises = _number(case["expect"], r"then \+([\d.]+)")
    checks.append(Check("worst loss", loss, worst["loss"], rel=1e-12))
    checks.append(Check("margin", loss, report.requirement.initial, rel=1e-12))
    checks.append(Check("worst date", 1.0, float(worst["date"] == day)))
    rolled = rule.rolling({"WTI": 1.0}, first=str(dates[until][-4]))
    moves = dict(zip(rolled.dates, -rolled.realised, strict=False))
    before = [date for date in rolled.dates if date < day][-1]
    checks.append(printed("absolute return down", falls, moves[before]))
    checks.append(printed("absolute return up", rises, moves[day]))
    return checks


def _number(texts: list[str], pattern: str) -> float:
    for text in texts:
        found = re.search(pattern, text)
        if found:
            return float(found.group(1).replace(",", ""))
    raise MalformedCase(f"no text matches {pattern}")
