"""A misspelt name in a market or among cash is told where one that is used lacks what it was given; no other is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from margincore.cli.commands import app
from margincore.cli.near import misspelt

SPY = {"kind": "etf", "underlying": "SPY", "currency": "USD"}
MARKET: dict[str, Any] = {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"SPY": 450.0}, "rate": {"USD": 0.04}}


def document(market: dict[str, Any], cash: dict[str, float] | None = None) -> dict[str, Any]:
    return {
        "account": {"positions": [{"contract": SPY, "quantity": 100}], "cash": cash or {"USD": 1000.0}},
        "market": {**MARKET, **market},
        "methodology": {"name": "tims"},
    }


@pytest.mark.parametrize(
    ("market", "said"),
    [
        ({"dividend_yield": {"SPYY": 0.01}}, "market: dividend_yield of 'SPYY'"),
        ({"dividend_yield": {"SYP": 0.01}}, "market: dividend_yield of 'SYP'"),
        ({"borrow": {"spy": 0.01, "SPYX": 0.01}}, "market: borrow of 'SPYX'"),
        ({"spot": {"SPYY": 450.0}}, "market: spot of 'SPYY'"),
        ({"rate": {"UDS": 0.04}}, "market: rate of 'UDS'"),
        ({"price": {"SPYY": 450.0}}, "market: price of 'SPYY'"),
        ({"dividends": {"SPYY": [{"date": "2026-12-18", "amount": 1.9}]}}, "market: dividends of 'SPYY'"),
    ],
)
def test_a_near_name_of_one_that_lacks_it_is_told(market: dict[str, Any], said: str) -> None:
    [words] = misspelt(document(market))
    assert words.startswith(said)
    assert "did you mean 'SPY'?" in words or "did you mean 'USD'?" in words


def test_cash_of_a_currency_that_is_near_is_told() -> None:
    assert misspelt(document({}, {"USDD": 1000.0})) == ["cash of 'USDD': nothing refers to it; did you mean 'USD'?"]
    assert misspelt(document({}, {"USD": 1000.0, "USDD": 5.0, "EUR": 5.0})) == []


def test_a_large_market_drowns_no_small_book() -> None:
    names = [f"SP{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXZ"] + ["SPYG", "SPYD", "XSPY"]
    of_all = dict.fromkeys([*names, "SPY"], 0.01)
    rates = {"USD": 0.04, "USDT": 0.05, "AUD": 0.04}
    market = {"spot": {**of_all, "SPY": 450.0}, "dividend_yield": of_all, "borrow": of_all, "rate": rates}
    assert misspelt(document(market)) == []
    assert misspelt(document({"dividend_yield": dict.fromkeys(["SPX", "SPA", "QQQ"], 0.01)})) == []
    assert misspelt({"account": {}}) == []


@pytest.mark.parametrize("command", ["margin", "explain", "statement"])
def test_commands_tell_it_on_standard_error(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("document.json").write_text(json.dumps(document({"dividend_yield": {"SPYY": 0.01}})))
    done = CliRunner().invoke(app, [command, "document.json", "--json"])
    assert done.exit_code == 0, done.output
    assert done.stderr == "note: market: dividend_yield of 'SPYY': nothing refers to it; did you mean 'SPY'?\n"
    json.loads(done.stdout)
