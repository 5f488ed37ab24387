"""VaR of portfolios with published losses: every convention of the same tail."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

import margincore as mc
from margincore.methods import hvar

from ..cases import Check, Entry, MalformedCase, data_folder, required

VALUATION = "2026-11-20T21:00:00Z"


def printed(name: str, expected: float, actual: float) -> Check:
    """Where a case states no tolerance: half a unit of the last digit it prints."""
    places = -int(Decimal(repr(expected)).normalize().as_tuple().exponent)
    return Check(name, expected, actual, abs_=0.5000001 * 10.0**-places if places > 0 else 0.5)


def columns(name: str) -> dict[str, Any]:
    """A data file's columns, numbers where they are numbers."""
    with (data_folder() / "history" / Path(name).name).open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise MalformedCase(f"{name}: no rows")
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def hold(values: dict[str, float], currency: str = "USD") -> tuple[list[mc.Position], mc.Market]:
    """One unit of money a piece, so that positions are amounts."""
    stocks = {name: mc.Stock(name, currency=currency) for name in values}
    market = mc.Market(VALUATION, spot=dict.fromkeys(values, 1.0))
    return [mc.Position(stocks[name], amount) for name, amount in values.items()], market


NATIVE: dict[str, tuple[str, str, Any]] = {
    "DJIA": ("DJIA", "USD", None),
    "FTSE": ("FTSE100", "GBP", "USDGBP"),
    "CAC": ("CAC40", "EUR", {"inverse": "EURUSD"}),
    "NIKKEI": ("Nikkei", "JPY", {"inverse": "YENUSD"}),
}
"""Each index's column and money, and the factor of its exchange rate as the data file quotes it."""

CONSTRUCTION = "USD level = DJIA ; FTSE100*USDGBP ; CAC40/EURUSD (EUR per USD) ; Nikkei/YENUSD (JPY per USD)"


def four_index(entry: Entry) -> list[Check]:
    """Four indices in dollars, 500 days: ranks, tails, age weights, volatility scaling, parametric."""
    case = entry.document
    if case.get("risk_factor_construction") != CONSTRUCTION:
        raise MalformedCase(f"{entry.id}: another construction of the factors: {case.get('risk_factor_construction')}")
    raw = {key: column.astype(float) for key, column in columns(case["data"].split(" ")[0]).items()}
    levels = {
        "DJIA": raw["DJIA"],
        "FTSE": raw["FTSE100"] * raw["USDGBP"],
        "CAC": raw["CAC40"] / raw["EURUSD"],
        "NIKKEI": raw["Nikkei"] / raw["YENUSD"],
    }
    n = required(case, "n_scenarios", int, entry.id)
    history = {name: column[: n + 1] for name, column in levels.items()}
    amounts = {name: float(amount) for name, amount in case["portfolio_usd_thousand"].items()}
    converted, converted_market = hold(amounts)
    native = {key: column[: n + 1] for key, column in raw.items()}
    rates = {currency: fx for _, currency, fx in NATIVE.values() if fx is not None}
    stocks = {name: mc.Stock(NATIVE[name][0], currency=NATIVE[name][1]) for name in amounts}
    positions = [mc.Position(stocks[name], amount) for name, amount in amounts.items()]
    # A dollar a piece in its own money.
    market = mc.Market(
        VALUATION, spot={stock.id: 0.5 if stock.currency != "USD" else 1.0 for stock in stocks.values()},
        fx={f"{currency}/USD": 2.0 for currency in rates},
    )  # fmt: skip
    expected = required(case, "expected_thousand_usd", dict, entry.id)

    def report(measure: str, **parameters: Any) -> tuple[float, dict[str, Any]]:
        common: dict[str, Any] = {"returns": "relative", "measure": measure, "confidence": "0.99", "name": "VaR"}
        if "filter" in parameters:
            # The volatility that scales is that of the index in dollars: the factor is the converted level.
            rule = mc.methods.HistoricalVar(history, **common, **parameters)
            made = mc.margin(converted, converted_market, rule)
        else:
            rule = mc.methods.HistoricalVar(native, **common, fx=rates, **parameters)
            made = mc.margin(positions, market, rule)
        assert made.adds_up()
        return made.requirement.initial, made.details["netting_sets"]["portfolio"]["components"]["VaR"]

    checks: list[Check] = []

    def check(name: str, number: float, actual: float) -> None:
        checks.append(Check(name, number, actual, abs_=0.0005))

    def worst(name: str, table: list[list[float]], details: dict[str, Any]) -> None:
        for row, own in zip(table, details["worst"], strict=False):
            checks.append(Check(f"{name}: scenario", row[0], own["scenario"]))
            check(f"{name} {row[0]}", row[1], own["loss"])

    var, details = report("order_floor")
    check("VaR99_1d", expected["VaR99_1d"], var)
    worst("worst_losses_basic", expected["worst_losses_basic"], details)
    check("VaR99_10d_sqrt", expected["VaR99_10d_sqrt"], report("order_floor", days=10, scaling="sqrt_risk")[0])
    check("ES99_1d", expected["ES99_1d"], report("es_hull")[0])
    check("ES99_mean_of_5", expected["ES99_mean_of_5"], report("es_discrete")[0])

    decay = expected["BRW"]["lambda"]
    brw, details = report("weighted", age_decay=decay)
    check("BRW VaR99", expected["BRW"]["VaR99"], brw)
    check("BRW ES99", expected["BRW"]["ES99"], report("es_weighted", age_decay=decay)[0])
    worst("BRW", expected["BRW"]["top"], details)
    for row, own in zip(expected["BRW"]["top"], details["worst"], strict=False):
        checks.append(Check(f"BRW weight {row[0]}", row[2], own["age_weight"], abs_=0.000005))

    scaled = expected["vol_scaled_HullWhite"]
    filtered = hvar.ewma(scaled["ewma_lambda"], seed="sample_var_ddof1")
    var, details = report("order_floor", filter=filtered)
    check("vol scaled VaR99", scaled["VaR99"], var)
    check("vol scaled ES99", scaled["ES99"], report("es_hull", filter=filtered)[0])
    worst("vol scaled", scaled["worst"], details)

    for key, variance in {
        "parametric_equal_weights": "population",
        "parametric_ewma094": {"ewma": {"lambda": 0.94, "seed": "sample_var_ddof1"}},
    }.items():
        var, details = report("normal", variance=variance)
        check(f"{key} VaR99", expected[key]["VaR99"], var)
        check(f"{key} sd", expected[key]["sd"], details["deviation"])

    for name, number in case["quantile_methods_on_losses_q0.99"].items():
        checks.append(Check(f"quantile {name}", number, report(name)[0], rel=1e-12))

    whole = mc.methods.HistoricalVar(
        {name: column[: n + 2] for name, column in levels.items()}, returns="relative", measure="order_floor",
        confidence="0.99", window=n,
    )  # fmt: skip
    check("realised_loss_next_day", expected["realised_loss_next_day"], whole.rolling(amounts).realised[0])
    return checks


CONVENTIONS = {
    "hkscc_discrete": "es_discrete",
    "hull_mean": "es_hull",
    "mean_incl": "es_inclusive",
    "VaR_hull": "order_floor",
    "VaR_inverted_cdf": "inverted_cdf",
}


def tail_conventions(entry: Entry) -> list[Check]:
    """The worst losses of many scenarios; the others, which no convention reaches, are set to zero."""
    case = entry.document
    worst = required(case, "worst_losses_usd", list, entry.id)
    losses = np.zeros(required(case, "n", int, entry.id))
    losses[: len(worst)] = worst
    checks = []
    for name, expected in required(case, "expected_by_convention", dict, entry.id).items():
        measures = [measure for prefix, measure in CONVENTIONS.items() if name.startswith(prefix)] or [name]
        if len(measures) != 1:
            raise MalformedCase(f"{entry.id}: no measure is known as {name}")
        actual = hvar.measure(losses, measures[0], case["alpha"])
        checks.append(Check(name, expected, actual, rel=1e-12))
    return checks
