"""Documents: the schema accepts what `evaluate` accepts, and both refuse the same mistakes."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

import margincore as mc
from margincore.documents import schema

CONDOR: dict[str, Any] = {
    "account": {
        "positions": [
            {"symbol": "SPXW  261218P04200000", "quantity": 1},
            {"symbol": "SPXW261218P04300000", "quantity": -1},
            {"symbol": ".SPXW261218C4700", "quantity": -1},
            {"symbol": "SPXW261218C04800000", "quantity": 1},
            {"contract": {"kind": "etf", "underlying": "SPY", "currency": "USD"}, "quantity": 100},
        ],
        "cash": {"USD": 50000},
    },
    "market": {
        "valuation": "2026-11-20T16:00:00-05:00",
        "spot": {"SPX": 4500.0, "SPY": 450.0},
        "rate": {"USD": {"2026-12-18": 0.05}},
        "dividend_yield": {"SPX": 0.015},
        "vol": {
            "SPXW261218P04200000": 0.193,
            "SPXW261218P04300000": 0.169,
            "SPXW261218C04700000": 0.133,
            "SPXW261218C04800000": 0.124,
        },
    },
    "methodology": {"name": "tims"},
}


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(CONDOR)
    inner: Any = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


def test_a_document_is_evaluated_and_survives_json() -> None:
    jsonschema.validate(CONDOR, schema())
    result = mc.evaluate(json.loads(json.dumps(CONDOR)))
    assert result["requirement"]["initial"] > 0
    assert result["totals"][0]["initial"] == result["requirement"]["initial"]
    assert json.loads(json.dumps(result)) == result


def test_several_rulebooks_are_compared() -> None:
    document = copy.deepcopy(CONDOR)
    del document["methodology"]
    document["methodologies"] = [{"name": "tims", "vol": "sticky_moneyness"}, {"name": "tims"}]
    jsonschema.validate(document, schema())
    outcomes = mc.evaluate(document)["outcomes"]
    assert outcomes[0]["saving_on_equity"] is None
    assert outcomes[1]["saving_on_equity"] is not None


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        (changed(("acount",), {}), mc.InvalidInput, "unknown key 'acount'"),
        (changed(("market", "valuation"), "2026-11-20T16:00:00"), mc.InvalidInput, "zone"),
        (
            changed(("account", "positions", 4, "contract", "kind"), "share"),
            mc.InvalidInput,
            r"positions\[4\].contract",
        ),
        (changed(("account", "positions", 0, "symbol"), "ZZZQ  261218P04200000"), mc.MissingData, "'ZZZQ'"),
        (changed(("account", "positions", 0), {"quantity": 1}), mc.MissingData, r"positions\[0\]"),
        (changed(("methodology",), {"name": "tims", "gird": "even"}), mc.InvalidInput, "gird"),
        (changed(("account", "positions"), {}), mc.InvalidInput, "a list is needed"),
        (changed(("market", "spot", "SPX"), "NaN"), mc.InvalidInput, "market: spot.SPX: a number is needed, not str"),
    ],
)
def test_mistakes_are_refused_with_their_place(document: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        mc.evaluate(document)
