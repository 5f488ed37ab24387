"""Frames in: Series and tables of real pandas, polars, pyarrow and DuckDB, taken or refused by column and row."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import margincore as mc

pl: Any = pytest.importorskip("polars")
duckdb: Any = pytest.importorskip("duckdb")

VALUATION = "2026-11-20T16:00:00-05:00"
DAYS = ["2026-01-02", "2026-01-05", "2026-01-06", "2026-01-07"]
SPX = [100.0, 99.0, 101.0, 98.0]
OPTION = (100.0, np.array([95.0, 100.0, 105.0]), 0.5, 0.03, 0.0, 0.2)
RIGHTS = ["call", "put", "call"]
EXERCISES = ("european", "american")


PRICES = {"XYZ": 50.0, "SPX": 4500.0}


def relation() -> Any:
    rows = ", ".join(f"(DATE '{day}', {price})" for day, price in zip(DAYS, SPX, strict=True))
    return duckdb.sql(f"SELECT * FROM (VALUES {rows}) AS t(date, SPX)")


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize(
    "right",
    [
        pd.Series(RIGHTS),
        pd.Series(RIGHTS, dtype=object),
        pd.Series(RIGHTS, dtype="category"),
        pd.Series(RIGHTS, dtype="string"),
        pd.Series([1, -1, 1], dtype="Int8"),
        np.array(["c", "P", "CALL"], dtype=object),
        pl.Series(RIGHTS),
        pl.Series(RIGHTS, dtype=pl.Categorical),
        pl.Series(RIGHTS, dtype=pl.Enum(["call", "put"])),
        pa.array(RIGHTS),
        pa.chunked_array([RIGHTS[:1], RIGHTS[1:]]),
    ],
)
def test_rights_of_any_column(right: Any, exercise: Any) -> None:
    wanted = mc.pricing.price(*OPTION, RIGHTS, exercise=exercise)
    assert np.asarray(mc.pricing.price(*OPTION, right, exercise=exercise)).tolist() == wanted.tolist()


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("wrong", [None, "cal", 2, "", float("nan")])
@pytest.mark.parametrize("kind", [list, pd.Series, lambda cells: np.array(cells, object)])
def test_a_wrong_right_is_named_with_its_row(kind: Callable[[Any], Any], wrong: Any, exercise: Any) -> None:
    with pytest.raises(mc.InvalidInput, match=r"right: row 1 is .*neither call \(\+1\) nor put"):
        mc.pricing.price(*OPTION, kind(["call", wrong, "put"]), exercise=exercise)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_series_give_series_with_their_index(exercise: Any) -> None:
    frame = pd.DataFrame({"strike": OPTION[1], "right": RIGHTS}, index=["a", "b", "c"])
    columns = (100.0, frame["strike"], 0.5, 0.03, 0.0, 0.2, frame["right"])
    wanted = mc.pricing.price(*OPTION, RIGHTS, exercise=exercise)
    prices: Any = mc.pricing.price(*columns, exercise=exercise)
    pd.testing.assert_series_equal(prices, pd.Series(wanted, index=frame.index, name="price"))
    greeks: Any = mc.pricing.greeks(*columns, exercise=exercise)
    assert greeks.delta["b"] == mc.pricing.greeks(*OPTION, RIGHTS, exercise=exercise).delta[1]
    vols: Any = mc.pricing.implied_vol(prices, *columns[:5], frame["right"], exercise=exercise)
    assert list(vols.index) == ["a", "b", "c"]
    assert np.allclose(vols, 0.2, atol=1e-6)
    own: Any = mc.pricing.price(100.0, pl.Series(OPTION[1]), 0.5, 0.03, 0.0, 0.2, pl.Series(RIGHTS), exercise=exercise)
    assert isinstance(own, pl.Series)
    assert own.to_list() == wanted.tolist()


def test_series_of_other_rows_are_refused() -> None:
    strike = pd.Series([95.0, 100.0], index=["a", "b"])
    vol = pd.Series([0.2, 0.3], index=["b", "a"])
    with pytest.raises(mc.InvalidInput, match="strike and vol have different indexes"):
        mc.pricing.price(100.0, strike, 0.5, 0.03, 0.0, vol, "call")


@pytest.mark.parametrize(
    ("strike", "words"),
    [
        (pd.Series([95, None, 100], dtype="Int64"), "row 1: strike is NaN"),
        (pd.Series([95.0, None, 100.0]), "row 1: strike is NaN"),
        (pd.Series([95, "x", 100], dtype=object), "strike: row 1 is 'x': a number is needed"),
        (pd.Series([True, False, True]), "strike: row 0 is True"),
        (pl.Series([95.0, None, 100.0]), "row 1: strike is NaN"),
    ],
)
def test_a_wrong_number_is_named_with_its_row(strike: Any, words: str) -> None:
    with pytest.raises(mc.InvalidInput, match=words):
        mc.pricing.price(100.0, strike, 0.5, 0.03, 0.0, 0.2, "call")


def test_decimals_are_numbers() -> None:
    strike = pd.Series([Decimal("95"), Decimal("100"), Decimal("105")])
    found: Any = mc.pricing.price(100.0, strike, 0.5, 0.03, 0.0, 0.2, pd.Series(RIGHTS))
    assert found.tolist() == mc.pricing.price(*OPTION, RIGHTS).tolist()


def var(history: Any, **more: Any) -> Any:
    return mc.methods.HistoricalVar(history, returns="log", measure="order_floor", confidence="0.5", **more)


@pytest.mark.parametrize(
    "history",
    [
        lambda: pd.DataFrame({"SPX": SPX}, index=pd.to_datetime(DAYS)),
        lambda: pd.DataFrame({"SPX": SPX}, index=pd.to_datetime(DAYS).tz_localize("America/New_York")),
        lambda: pd.DataFrame({"SPX": SPX}, index=[dt.date.fromisoformat(day) for day in DAYS]),
        lambda: pd.DataFrame({"SPX": SPX}, index=DAYS),
        lambda: pd.DataFrame({"date": pd.to_datetime(DAYS), "SPX": SPX}),
        lambda: pd.DataFrame({"Date": DAYS, "SPX": pd.Series([Decimal(str(x)) for x in SPX], dtype=object)}),
        lambda: {"SPX": pd.Series(SPX, index=pd.to_datetime(DAYS))},
        lambda: pl.DataFrame({"date": [dt.date.fromisoformat(day) for day in DAYS], "SPX": SPX}),
        lambda: pa.table({"date": DAYS, "SPX": SPX}),
        relation,
    ],
)
def test_a_history_of_any_frame(history: Callable[[], Any]) -> None:
    made = var(history())
    wanted = var({"SPX": SPX}, dates=DAYS)
    assert made.to_dict() == wanted.to_dict()
    rolled = [rule.rolling({"SPX": 100.0}, first=2).margin.tolist() for rule in (made, wanted)]
    assert rolled[0] == rolled[1]


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (pd.DataFrame({"SPX": [100.0, None, 101.0]}), r"history: factor 'SPX': row 1 is None"),
        (pd.DataFrame({"SPX": [100.0, "x", 101.0]}), r"history: factor 'SPX': row 1 is 'x'"),
        (pd.DataFrame({"SPX": [100.0, 99.0]}, index=["a", "b"]), r"history: index: row 0 is 'a': a date"),
        (pd.DataFrame({"SPX": [1.0, 2.0]}, index=pd.to_datetime(["2026-01-02", None])), "history: index: row 1 is"),
        (pd.DataFrame({5: [100.0, 99.0]}), r"history: name of column 0 is 5"),
        (pd.DataFrame([[1.0, 2.0]], columns=["SPX", "SPX"]), r"history: column is 'SPX': two columns"),
        (
            {"A": pd.Series([1.0, 2.0], index=DAYS[:2]), "B": pd.Series([1.0, 2.0], index=DAYS[1:3])},
            "different indexes",
        ),
        (pl.DataFrame({"SPX": SPX}).lazy(), "collect"),
    ],
)
def test_a_wrong_history_is_named(history: Any, words: str) -> None:
    with pytest.raises(mc.InvalidInput, match=words):
        var(history)


def test_dates_beside_a_frame_must_be_its_own() -> None:
    frame = pd.DataFrame({"SPX": SPX}, index=pd.to_datetime(DAYS))
    assert var(frame, dates=frame.index).to_dict() == var(frame).to_dict()
    with pytest.raises(mc.InvalidInput, match="dates differ"):
        var(frame, dates=["2025-01-02", *DAYS[1:]])


@pytest.mark.parametrize(
    "spot",
    [
        pd.Series({"XYZ": 50.0, "SPX": 4500}),
        pd.Series([50.0, 4500.0], index=pd.CategoricalIndex(["XYZ", "SPX"])),
        pd.DataFrame({"last": [50.0, 4500.0]}, index=["XYZ", "SPX"]),
        pd.DataFrame({"symbol": pd.Series(["XYZ", "SPX"], dtype="category"), "last": [Decimal(50), Decimal(4500)]}),
        pl.DataFrame({"symbol": ["XYZ", "SPX"], "last": [50.0, 4500.0]}),
        pl.DataFrame({"symbol": ["XYZ", "SPX"], "last": [50, 4500]}).cast({"symbol": pl.Categorical, "last": pl.Int32}),
        pa.table({"symbol": pa.array(["XYZ", "SPX"]).dictionary_encode(), "last": [50.0, 4500.0]}),
        {"XYZ": 50.0, "SPX": 4500.0},
    ],
)
def test_a_market_of_any_frame(spot: Any) -> None:
    made = mc.frames.market(VALUATION, spot=spot, price=spot, vol=pd.Series({"XYZ": 0.2}))
    assert made.to_dict() == mc.Market(VALUATION, spot=PRICES, price=PRICES, vol={"XYZ": 0.2}).to_dict()


def test_a_market_of_a_relation() -> None:
    spot = duckdb.sql("SELECT * FROM (VALUES ('XYZ', 50.0), ('SPX', 4500)) AS t(symbol, last)")
    assert mc.frames.market(VALUATION, spot=spot).spot == {"XYZ": 50.0, "SPX": 4500.0}


def test_curves_by_date() -> None:
    index = pd.to_datetime(["2026-12-18", "2027-12-17"])
    curve = {"2026-12-18": 0.05, "2027-12-17": 0.04}
    frame = pd.DataFrame({"USD": [0.05, 0.04], "EUR": [0.02, 0.03]}, index=index)
    wanted = {"USD": curve, "EUR": {"2026-12-18": 0.02, "2027-12-17": 0.03}}

    def rates(given: Any) -> Any:
        return mc.frames.market(VALUATION, rate=given).to_dict()["rate"]

    assert rates(frame) == mc.Market(VALUATION, rate=wanted).to_dict()["rate"]
    alone = mc.Market(VALUATION, rate={"USD": curve}).to_dict()["rate"]
    assert rates({"USD": frame["USD"]}) == alone
    assert rates(pl.DataFrame({"date": [d.date() for d in index], "USD": [0.05, 0.04]})) == alone
    flat = mc.Market(VALUATION, rate={"USD": 0.05}).to_dict()["rate"]
    assert rates(pd.Series({"USD": 0.05})) == flat == rates({"USD": 0.05}) != alone


def test_forwards_by_underlying_and_expiry() -> None:
    forward = {("SPX", "2026-12-18T16:00:00-05:00"): 4510.0}
    made = mc.frames.market(VALUATION, spot={"SPX": 4500.0}, forward=pd.Series(forward))
    assert made.to_dict() == mc.Market(VALUATION, spot={"SPX": 4500.0}, forward=forward).to_dict()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"spot": pd.Series([50.0, 51.0], index=["XYZ", "XYZ"])}, "spot: name: row 1 is 'XYZ': it is there twice"),
        ({"spot": pd.Series({"XYZ": None, "SPX": 1.0})}, "spot: row 0 is None"),
        ({"spot": pd.Series([50.0])}, "spot is 'Series': numbers by name"),
        ({"spot": pd.Series({5: 50.0})}, "spot: name: row 0 is 5"),
        ({"spot": pd.DataFrame({"a": ["X"], "b": [1.0], "c": [2.0]})}, "one column of numbers"),
        ({"rate": pd.DataFrame({"USD": [0.05]})}, "rate: a frame of rates has dates"),
        ({"rate": pd.DataFrame({"USD": [0.05, 0.06]}, index=["2026-12-18"] * 2)}, "row 1 is '2026-12-18'"),
        ({"spto": pd.Series({"XYZ": 50.0})}, "spto"),
        ({"vol": pd.Series({"XYZ": "high"})}, "vol: row 0 is 'high'"),
    ],
)
def test_a_wrong_market_is_named(parts: dict[str, Any], words: str) -> None:
    with pytest.raises(mc.InvalidInput, match=words):
        mc.frames.market(VALUATION, **parts)


CONTRACTS: dict[str, list[Any]] = {
    "kind": ["option", "etf"], "underlying": ["SPY", "SPY"], "right": ["call", None], "strike": [500.0, None],
    "expiry": ["2026-12-18", None], "settles": ["pm", None], "exercise": ["american", None],
    "multiplier": [100.0, 1.0], "currency": ["USD", "USD"],
}  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    [
        lambda: pd.DataFrame(CONTRACTS),
        lambda: pd.DataFrame(CONTRACTS).astype({"kind": "category", "right": "category", "strike": "Float64"}),
        lambda: pd.DataFrame(CONTRACTS).astype({"kind": object, "underlying": object}),
        lambda: pl.DataFrame(CONTRACTS),
        lambda: pl.DataFrame(CONTRACTS).with_columns(pl.col("kind").cast(pl.Categorical)),
        lambda: pl.DataFrame(CONTRACTS).with_columns(pl.col("kind").cast(pl.Enum(["option", "etf"]))),
        lambda: duckdb.from_arrow(pa.table(CONTRACTS)),
    ],
)
def test_contracts_and_accounts_of_any_frame(frame: Callable[[], Any]) -> None:
    table = mc.Contracts.from_arrow(frame())
    assert table.ids == mc.Contracts.from_arrow(pa.table(CONTRACTS)).ids
    held = pd.DataFrame({"account": pd.Categorical(["b", "a"]), "contract": [*table.ids], "lots": [1, -100]})
    accounts = mc.Accounts.from_arrow(table, held)
    assert list(accounts.labels or ()) == ["a", "b"]


def test_no_library_of_frames_is_loaded() -> None:
    code = (
        "import sys, margincore as mc; mc.pricing.price(100.0, [95.0], 0.5, 0.0, 0.0, 0.2, ['call']);"
        "mc.frames.market('2026-11-20T16:00:00Z', spot={'XYZ': 50.0});"
        "print([m for m in ('pandas', 'polars', 'pyarrow', 'duckdb') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
