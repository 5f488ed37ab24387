"""Object columns, nullable columns and percentages in every pricing function: taken, or refused by name and row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import margincore as mc

GOOD: dict[str, Any] = {"spot": 100.0, "strike": 95.0, "years": 0.5, "rate": 0.03, "dividend_yield": 0.01, "vol": 0.2}
NAMES = list(GOOD)
EXERCISES = ("european", "american")
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "price": mc.pricing.price,
    "greeks": mc.pricing.greeks,
    "price_grid": lambda **given: mc.pricing.price_grid(**given, price_moves=[0.0, 0.1]),
}


def series(cells: list[Any]) -> pd.Series:
    return pd.Series(cells, dtype=object)


def array(cells: list[Any]) -> Any:
    return np.array(cells, object)


def nullable(cells: list[Any]) -> pd.Series:
    return pd.Series(cells, dtype="Float64")


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("kind", "absent"),
    [(k, a) for k in (list, array, series) for a in (None, pd.NA)] + [(array, np.nan), (series, np.nan)],
)
def test_an_absent_number_is_named_with_its_row(kind: Any, name: str, absent: Any, exercise: str) -> None:
    column = kind([GOOD[name], absent, GOOD[name]])
    with pytest.raises(mc.InvalidInput, match=f"{name}: row 1 is None: a number is needed") as refused:
        mc.pricing.price(**{**GOOD, name: column}, right="put", exercise=exercise)
    assert refused.value.code == "not_stated"


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("cell", ["0.2", True, pd.Timestamp("2026-01-02"), object()])
@pytest.mark.parametrize("kind", [array, series])
def test_what_is_no_number_is_not_made_one(kind: Any, cell: Any, function: str) -> None:
    with pytest.raises(mc.InvalidInput, match="vol") as refused:
        FUNCTIONS[function](**{**GOOD, "vol": kind([0.2, cell, 0.2])}, right="put")
    assert refused.value.code == "wrong_type"


@pytest.mark.parametrize("value", ["100", True, np.datetime64("2026-01-02"), np.timedelta64(1, "D"), 1j])
@pytest.mark.parametrize("exercise", EXERCISES)
def test_scalars_of_another_kind_are_refused(value: Any, exercise: Any) -> None:
    with pytest.raises(mc.InvalidInput, match="years: numbers are needed, not"):
        mc.pricing.price(**{**GOOD, "years": value}, right=1, exercise=exercise)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_objects_that_are_numbers_price_as_numbers_do(exercise: Any) -> None:
    wanted = mc.pricing.price(**{**GOOD, "strike": [95.0, 100.0]}, right=["call", "put"], exercise=exercise)
    for cells in ([95.0, 100], [Decimal(95), np.float64(100.0)], [np.int32(95), 100.0]):
        for kind in (list, array, series):
            for right in (series(["call", "put"]), pd.Series(["C", "P"], dtype="category"), array([1, "put"])):
                got = mc.pricing.price(**{**GOOD, "strike": kind(cells)}, right=right, exercise=exercise)
                assert np.asarray(got).tolist() == wanted.tolist()
    got = mc.pricing.price(**{**GOOD, "strike": nullable([95.0, 100.0])}, right=["call", "put"], exercise=exercise)
    assert isinstance(got, pd.Series)
    assert got.tolist() == wanted.tolist()


def test_series_of_smiles_come_in_as_columns() -> None:
    frame = pd.DataFrame(
        {"strike": [90.0, 95.0, 100.0, 105.0, 110.0], "vol": [0.25, 0.22, 0.2, 0.19, 0.2]}, list("abcde")
    )
    plain = mc.pricing.smiles.fit_svi(frame["strike"].tolist(), frame["vol"].tolist(), forward=100.0, years=0.5)
    assert mc.pricing.smiles.fit_svi(frame["strike"], frame["vol"], forward=100.0, years=0.5) == plain
    with pytest.raises(mc.InvalidInput, match="vol: row 1 is None"):
        mc.pricing.smiles.fit_svi(frame["strike"], series([0.2, pd.NA, 0.2, 0.2, 0.2]), forward=100.0, years=0.5)


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("name", "value"), [("vol", 20.0), ("rate", 5.5), ("rate", -6.0), ("dividend_yield", 30.0)])
def test_percentages_are_refused_under_either_exercise(function: str, exercise: str, name: str, value: float) -> None:
    with pytest.raises(mc.InvalidInput, match=rf"row 1: {name} is {value:g}; an annual fraction between .* is needed"):
        FUNCTIONS[function](**{**GOOD, name: [GOOD[name], value]}, right=1, exercise=exercise)
    with pytest.raises(mc.InvalidInput, match="vol"):
        FUNCTIONS[function](**{**GOOD, "vol": -0.2}, right=1, exercise=exercise)
