"""What is suspicious and cannot be refused is in the report as data: what was found, where, and against which bound."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

import margincore as mc

STOCK = mc.Stock("XYZ", currency="USD")


def option(right: str = "call", strike: float = 100.0, exercise: str = "american", **terms: Any) -> mc.Contract:
    given = {"expiry": "2026-12-18", "settles": "pm", "multiplier": 100, "currency": "USD"}
    return mc.Option("XYZ", right, strike, exercise=exercise, **{**given, **terms})  # type: ignore[arg-type]


def warned(contract: mc.Contract, rules: Any = None, **parts: Any) -> list[tuple[str, str, Any]]:
    given: dict[str, Any] = {"spot": {"XYZ": 100.0}, "rate": {"USD": 0.04}, "vol": {contract.id: 0.3}}
    if contract.kind != "option":
        del given["vol"]
    market = mc.Market("2026-11-20T16:00:00-05:00", **{**given, **parts})
    report = mc.margin([mc.Position(contract, -1)], market, rules or mc.methods.Tims())
    return [(w["code"], w["where"], w["value"]) for w in report.warnings]


def test_the_usual_is_not_warned_of() -> None:
    assert warned(STOCK) == warned(option()) == []
    assert warned(option(), rate={"USD": 0.25}, vol={option().id: 3.0}, dividend_yield={"XYZ": 0.25}) == []


def test_numbers_that_look_like_percentages() -> None:
    call = option()
    assert warned(call, rate={"USD": 1.5}) == [("unusual_rate", "rate of 'USD'", 1.5)]
    assert warned(call, rate={"USD": {"2026-12-01": 0.04, "2027-12-01": -0.6}}) == [
        ("unusual_rate", "rate of 'USD'", -0.6)
    ]
    assert warned(call, rate={"USD": 0.04, "JPY": 1.5}) == []
    assert warned(call, dividend_yield={"XYZ": 0.5}) == [("unusual_yield", "dividend_yield of 'XYZ'", 0.5)]
    assert warned(call, spot={"XYZ": 100.0, "ABC": 1.0}, dividend_yield={"ABC": 0.5}) == []
    for vol in (3.5, 0.003):
        assert warned(call, vol={call.id: vol}) == [("unusual_vol", f"vol of '{call.id}'", vol)]


@pytest.mark.parametrize(
    ("contract", "mark", "code"),
    [
        (option("call", 60.0), 30.0, "mark_below_bound"),
        (option("put", 140.0), 30.0, "mark_below_bound"),
        (option("call", 60.0, "european"), 30.0, "mark_below_bound"),
        (option("put", 140.0, "european"), 30.0, "mark_below_bound"),
        (option("call", 60.0), 39.5, None),
        (option("call", 60.0), 110.0, "mark_above_bound"),
        (option("put", 20.0), 22.0, "mark_above_bound"),
    ],
)
def test_marks_far_from_the_bounds_without_arbitrage(contract: mc.Contract, mark: float, code: str | None) -> None:
    expected = [] if code is None else [(code, f"price of '{contract.id}'", mark)]
    assert warned(contract, price={contract.id: mark}) == expected
    # A rulebook that prices nothing reads the mark too.
    rules = mc.methods.RegT(classes={"XYZ": "equity"})
    assert warned(contract, rules, price={contract.id: mark}, vol={}) == expected


def test_an_option_on_a_future_is_held_against_the_future() -> None:
    future = mc.Future("ES", expiry="2026-12-18", settles="pm", multiplier=50, currency="USD")
    call = mc.Option(
        future.id, "call", 4_000, expiry="2026-12-11", settles="pm", exercise="american", multiplier=50, currency="USD"
    )
    rules = mc.methods.SpanLike({"ES": {"price_scan": 0.1, "vol_scan": 0.2}})
    for mark, codes in ((505.0, []), (400.0, ["mark_below_bound"])):
        market = mc.Market(
            "2026-11-20T16:00:00-05:00", price={future.id: 4_500.0, call.id: mark}, vol={call.id: 0.2},
            rate={"USD": 0.04},
        )  # fmt: skip
        report = mc.margin([mc.Position(call, -1)], market, rules, contracts=[future])
        assert [w["code"] for w in report.warnings] == codes


def test_kept_marks_and_parameters_of_another_date() -> None:
    call = option()
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 100.0}, rate={"USD": 0.04}, price={call.id: 4.0})
    prepared = mc.Engine(mc.methods.RegT(classes={"XYZ": "equity"})).prepare([call, STOCK], market)
    kept = prepared.update(spot={"XYZ": 140.0}, marks="keep")
    [warning] = kept.margin([mc.Position(call, 1)]).warnings
    assert (warning["code"], warning["value"]) == ("kept_marks", 4.0)
    assert kept.margin([mc.Position(STOCK, 1)]).warnings == ()
    perp = mc.Perpetual("BTC", multiplier=10, multiplier_unit="USD", settlement="inverse", currency="BTC")
    quotes = {"spot": {"BTC": 80_000.0}, "price": {perp.id: 80_000.0}}
    for valuation, vintage, code in (
        ("2026-11-20T16:00:00Z", "2024", "superseded_preset"),
        ("2025-11-20T16:00:00Z", "2026", "not_yet_in_force"),
        ("2026-11-20T16:00:00Z", "2026", None),
    ):
        rules = mc.methods.Deribit(vintage=vintage)  # type: ignore[arg-type]
        report = mc.margin([mc.Position(perp, 8)], mc.Market(valuation, **quotes), rules)  # type: ignore[arg-type]
        assert [w["code"] for w in report.warnings if w["where"] == "parameters"] == ([] if code is None else [code])


def test_warnings_reach_documents_pages_and_open_accounts() -> None:
    call = option()
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 100.0}, rate={"USD": 1.5}, vol={call.id: 0.3})
    account = mc.Account([mc.Position(call, -1)], cash={"USD": 5_000.0})
    report = mc.margin(account, market, mc.methods.Tims())
    [warning] = report.warnings
    assert set(warning) == {"code", "where", "value", "message", "source"}
    assert "150" in warning["message"]
    document = json.loads(json.dumps(report.to_dict()))
    assert document["warnings"] == [dict(warning)]
    for again in (mc.MarginReport.from_dict(document), pickle.loads(pickle.dumps(report))):
        assert again.warnings == report.warnings
    del document["warnings"]
    assert mc.MarginReport.from_dict(document).warnings == ()
    assert warning["message"] in report._repr_html_().replace("&#x27;", "'")
    prepared = mc.Engine(mc.methods.Tims()).prepare([call], market)
    assert prepared.open(account).report().warnings == report.warnings
    page = mc.statement(account, market, mc.methods.Tims(), regime="portfolio_margin")
    assert warning["where"] in str(page)
    assert mc.frames.of(page)["warnings"]["code"] == ["unusual_rate"]
    with pytest.raises(TypeError):
        warning["code"] = "other"  # type: ignore[index]
    # The numbers stand: a warning changes none.
    assert report.adds_up()
