"""Scenario vectors are what the rulebook's own report says, position by position; their parts add up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import margincore as mc
from helpers import SMALL_SPN
from margincore import profits, tails
from margincore._core import SpanFile
from margincore.analysis.scenarios import scenarios
from margincore.methods import Span

NOW = "2026-11-20T16:00:00-05:00"


def _equity() -> tuple[list[mc.Position], mc.Market]:
    stock, other = mc.Stock("XYZ", currency="USD"), mc.Stock("ABC", currency="USD")
    put = mc.Option("XYZ", "put", 48, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
                    currency="USD")  # fmt: skip
    call = mc.Option("ABC", "call", 22, expiry="2027-01-15", settles="pm", exercise="american", multiplier=100,
                     currency="USD")  # fmt: skip
    market = mc.Market(NOW, spot={"XYZ": 50.0, "ABC": 20.0}, vol={put.id: 0.3, call.id: 0.45}, rate={"USD": 0.04})
    book = [mc.Position(stock, 100), mc.Position(put, -3), mc.Position(other, -40), mc.Position(call, 2)]
    return book, market


def _coins() -> tuple[list[mc.Position], mc.Market]:
    def option(right: Any, strike: float) -> mc.Contract:
        return mc.Option("BTC", right, strike, expiry="2026-12-25T08:00:00Z", exercise="european", multiplier=1,
                         currency="BTC", settlement="inverse")  # fmt: skip

    put, call = option("put", 80_000), option("call", 100_000)
    perp = mc.Perpetual("BTC", multiplier=10, multiplier_unit="USD", currency="BTC", settlement="inverse")
    market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 90_000.0}, vol={put.id: 0.55, call.id: 0.5},
                       price={perp.id: 90_050.0, put.id: 0.012, call.id: 0.02},
                       forward={("BTC", "2026-12-25T08:00:00Z"): 90_600.0})  # fmt: skip
    return [mc.Position(put, -4), mc.Position(call, 3), mc.Position(perp, -9_000)], market


def _futures() -> tuple[list[mc.Position], mc.Market]:
    future = mc.Future("NQ", expiry="2026-12-18", settles="am", multiplier=20, currency="USD")
    put = mc.Option("BTC", "put", 80_000, expiry="2026-12-25T08:00:00Z", exercise="european", multiplier=1,
                    currency="USD")  # fmt: skip
    market = mc.Market("2026-11-20T16:00:00Z", spot={"NQ": 20_000.0, "BTC": 90_000.0},
                       price={future.id: 20_100.0}, vol={put.id: 0.5}, rate={"USD": 0.04})  # fmt: skip
    return [mc.Position(future, 2), mc.Position(put, -3)], market


SPAN_LIKE = mc.methods.SpanLike(
    {"NQ": {"price_scan": 0.05, "vol_scan": 0.2}, "BTC": {"price_scan": 0.1, "vol_scan": 0.2}}
)


RULES = {"percentages": [{"name": "40 % of XYZ", "of": {"symbols": ["XYZ"]}, "long": {"maintenance": 0.4}}]}
HOUSE = mc.methods.House(mc.methods.Tims(), RULES, name="desk", source="memo", date="2026-11-20")


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (_equity, mc.methods.Tims()),
        (_coins, mc.methods.Deribit()),
        (_futures, SPAN_LIKE),
        (_equity, HOUSE),
    ],
    ids=["tims", "deribit", "span-like", "house"],
)
def test_the_report_s_scenarios(make: Callable[[], tuple[list[mc.Position], mc.Market]], rule: Any) -> None:
    book, market = make()
    prepared = mc.Engine(rule).prepare([p.contract for p in book], market)
    own = {one.scope: one for one in scenarios(prepared.margin(book))}
    found = profits.of(prepared, book)
    assert {one.scope for one in found} == set(own)
    for one in found:
        assert one.by_account[0] == pytest.approx(np.array(own[one.scope].profits), rel=1e-9, abs=1e-9)
        assert one.currency == own[one.scope].currency
        assert len(one.labels) == len(own[one.scope].labels)
        assert one.by_position.sum(axis=0) == pytest.approx(one.by_account[0], rel=1e-12, abs=1e-9)


def test_an_exchange_s_own_arrays() -> None:
    span = Span(SpanFile.parse(SMALL_SPN, "small.spn"))
    table = Span.contracts(span)
    prepared = mc.Engine(span).prepare(table)
    book = [mc.Position(table[0], 2), mc.Position(table[1], -1)]
    [own] = scenarios(prepared.margin(book))
    [found] = profits.of(prepared, book)
    assert found.by_account[0] == pytest.approx(np.array(own.profits), abs=1e-12)


def _history(seed: int = 3) -> dict[str, Any]:
    chance = np.random.default_rng(seed)
    returns = chance.standard_t(5, (401, 2)) @ np.array([[0.009, 0.006], [0.0, 0.008]])
    closes = 100.0 * np.exp(np.cumsum(returns, axis=0))
    return {"XYZ": closes[:, 0] * 50.0 / closes[-1, 0], "ABC": closes[:, 1] * 20.0 / closes[-1, 1]}


def _var(measure: str, confidence: str) -> tuple[mc.Prepared, list[mc.Position], mc.MarginReport]:
    book, market = _equity()
    rule = mc.methods.HistoricalVar(_history(), returns="log", measure=measure, confidence=confidence)
    prepared = mc.Engine(rule).prepare([p.contract for p in book], market)
    return prepared, book, prepared.margin(book)


@pytest.mark.parametrize(
    ("measure", "confidence"),
    [("order_floor", "0.99"), ("linear", "0.985"), ("hazen", "0.9"), ("es_discrete", "0.975"), ("es_acerbi", "0.9876")],
)
def test_the_requirement_out_of_the_vectors(measure: str, confidence: str) -> None:
    prepared, book, report = _var(measure, confidence)
    [found] = profits.of(prepared, {"mine": book})
    assert tails.measure(-found.by_account[0], measure, confidence) == pytest.approx(report.initial, rel=1e-9)
    parts = found.components("mine", measure, confidence)
    assert parts.total == pytest.approx(report.initial, rel=1e-9)
    assert parts.component.sum() == pytest.approx(parts.total, rel=1e-12)
    assert parts.weights.sum() == pytest.approx(1.0, abs=1e-12)
    [component] = next(iter(report.details["netting_sets"].values()))["components"].values()
    for name, amount in zip(parts.names, parts.component, strict=True):
        assert amount == pytest.approx(component["allocation"][name], rel=1e-9, abs=1e-9)
    for i, name in enumerate(parts.names):
        [alone] = [p for p in book if p.contract.id == name]
        assert parts.standalone[i] == pytest.approx(_raw(prepared, [alone], measure, confidence), rel=1e-9, abs=1e-9)
        others = [p for p in book if p.contract.id != name]
        without = _raw(prepared, others, measure, confidence)
        assert parts.incremental[i] == pytest.approx(parts.total - without, rel=1e-9, abs=1e-8)


def _raw(prepared: mc.Prepared, book: list[mc.Position], measure: str, confidence: str) -> float:
    [found] = profits.of(prepared, book)
    return tails.measure(-found.by_account[0], measure, confidence)


def test_columns_and_lists_are_one() -> None:
    """Thousands of accounts as columns, over several blocks of work, against one account at a time."""
    book, market = _equity()
    contracts = mc.Contracts([p.contract for p in book])
    prepared = mc.Engine(mc.methods.Tims()).prepare(contracts, market)
    chance = np.random.default_rng(1)
    account = np.sort(chance.integers(0, 900, 3000))
    contract = chance.integers(0, 4, 3000)
    lots = chance.integers(-9, 10, 3000)
    columns = mc.Accounts.from_columns(contracts, account=account, contract=contract, lots=lots, count=901)
    found = {one.scope: one for one in profits.of(prepared, columns)}
    start, rows, held = columns.positions()
    assert len(start) == 902
    assert not found["XYZ"].by_account[900].any()
    small = profits.vectors._BLOCK
    try:
        profits.vectors._BLOCK = 100
        again = {one.scope: one.by_account for one in profits.of(prepared, columns)}
    finally:
        profits.vectors._BLOCK = small
    for scope, one in found.items():
        assert np.array_equal(one.by_account, again[scope])
    for at in (0, 17, 512):
        own = slice(int(start[at]), int(start[at + 1]))
        positions = [mc.Position(contracts[int(r)], float(n)) for r, n in zip(rows[own], held[own], strict=True)]
        for one in profits.of(prepared, [positions]):
            assert one.by_account[0] == pytest.approx(found[one.scope].by_account[at], rel=1e-12, abs=1e-9)


def test_arrow_and_back() -> None:
    book, market = _equity()
    prepared = mc.Engine(mc.methods.Tims()).prepare([p.contract for p in book], market)
    found = {one.scope: one for one in profits.of(prepared, {"a": book, "b": [], "c": book[:1]})}["XYZ"]
    table = found.to_arrow()
    assert table.column("account").to_pylist() == ["a", "b", "c"]
    assert np.array_equal(np.array(table.column("profit").to_pylist()), found.by_account)
    positions = found.to_arrow("position")
    assert positions.column("account").to_pylist() == ["a", "a", "c"]
    assert positions.column("quantity").to_pylist() == [100.0, -3.0, 100.0]
    assert np.array_equal(np.array(positions.column("profit").to_pylist()), found.by_position)
    said = table.schema.metadata
    assert json.loads(said[b"margincore.scenarios"]) == list(found.labels)
    assert isinstance(table.schema.field("profit").type, pa.FixedSizeListType)


def test_a_combined_rulebook_names_its_parts() -> None:
    book, market = _equity()
    combined = mc.methods.Combined([
        (lambda c: c.underlying == "XYZ", mc.methods.Tims()),
        (lambda c: c.underlying != "XYZ", mc.methods.HistoricalVar(
            {"ABC": _history()["ABC"]}, returns="log", measure="es_discrete", confidence="0.975")),
    ])  # fmt: skip
    prepared = mc.Engine(combined).prepare([p.contract for p in book], market)
    found = profits.of(prepared, book)
    assert [one.scope.partition(":")[0] for one in found] == ["OCC TIMS", "Historical VaR"]
    assert [len(one.quantity) for one in found] == [2, 2]
    [alone] = profits.of(mc.Engine(mc.methods.Tims()).prepare([p.contract for p in book[:2]], market), book[:2])
    assert found[0].by_account == pytest.approx(alone.by_account)


def test_what_no_scenario_moves() -> None:
    coin, perp = mc.Spot("BTC", currency="USDC"), mc.Perpetual("BTC", multiplier=1, currency="USDC", lot=0.001)
    market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 90_000.0}, price={perp.id: 90_000.0}, fx={"USDC/USD": 1.0})
    rule = mc.methods.Crypto(
        "span16-12pct-10pt", venue="Toy", grades={"ranges": "unverified"}, spot="collateral_only")  # fmt: skip
    prepared = mc.Engine(rule).prepare([coin, perp], market)
    book = [mc.Position(coin, 1), mc.Position(perp, -0.5)]
    with pytest.raises(mc.NotApplicable, match="no scenario moves"):
        profits.of(prepared, book)
    [found] = profits.of(prepared, book, unmoved="zero")
    assert found.quantity.tolist() == [-0.5]


STOCK = mc.Stock("XYZ", currency="USD")


def _prepared(rule: Any) -> mc.Prepared:
    return mc.Engine(rule).prepare([STOCK], mc.Market(NOW, spot={"XYZ": 50.0}))


ROWS = [[1.0, -2.0], [0.5, 1.0]]
MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: profits.of(_prepared(mc.methods.RegT()), []), mc.NotApplicable, "no scenarios"),
    (lambda: profits.of("x", []), mc.InvalidInput, "a Prepared is needed"),  # type: ignore[arg-type]
    (lambda: profits.of(_prepared(mc.methods.Tims()), [[mc.Position(mc.Stock("Q", currency="USD"), 1)]]),
     mc.MissingData, "Q"),
    (lambda: profits.of(_prepared(mc.methods.Tims()), mc.Accounts.from_columns(
        mc.Contracts([mc.Stock("Q", currency="USD")]), account=[0], contract=[0], lots=[1])),
     mc.InvalidInput, "another table"),
    (lambda: profits.of(_prepared(mc.methods.Tims()), mc.Account([mc.Position(STOCK, long=1, short=2)], gross=True)),
     mc.InvalidInput, "gross"),
    (lambda: profits.of(_prepared(mc.methods.Tims()), [], unmoved="drop"), mc.InvalidInput, "refuse, zero"),  # type: ignore[arg-type]
    (lambda: profits.of(_prepared(mc.methods.Tims()), {"a": []})[0].of_account("b"), mc.MissingData, "no account"),
    (lambda: profits.components(ROWS, "es_hull", "0.5"), mc.NotApplicable, "by their rank"),
    (lambda: profits.components([1.0], "linear", "0.5"), mc.InvalidInput, "positions by scenarios"),
    (lambda: profits.components(ROWS, "linear", "0.5", names=["a"]), mc.InvalidInput, "one name for each"),
    (lambda: profits.components(ROWS, "liner", "0.5"), mc.InvalidInput, "liner"),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "error", "why"), MISTAKES)
def test_mistakes_are_refused_by_name(mistake: Callable[[], Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        mistake()
