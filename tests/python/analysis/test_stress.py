"""Stresses: levels, what they do to a market and to an account, by hand; every shipped one has a source."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import margincore as mc
from helpers import SMALL_SPN
from margincore import stress
from margincore._core import SpanFile
from margincore.methods import Span

NOW = "2026-11-20T16:00:00-05:00"
STOCK, BOND = mc.Stock("XYZ", currency="USD"), mc.Stock("GOV", currency="USD")
PUT = mc.Option("XYZ", "put", 48, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100,
                currency="USD")  # fmt: skip
MARKET = mc.Market(NOW, spot={"XYZ": 50.0, "GOV": 100.0}, vol={PUT.id: 0.3}, rate={"USD": 0.04})
CLASSES = {"XYZ": "us_equity", "GOV": "bond"}


def _prepared(rule: Any = None, market: mc.Market = MARKET) -> mc.Prepared:
    return mc.Engine(rule or mc.methods.Tims()).prepare([STOCK, BOND, PUT], market)


def test_the_nearest_level_wins_part_by_part() -> None:
    one = stress.Stress(
        "levels", all={"price": -0.1, "vol": 0.5}, classes={"bond": {"price": 0.02}, "us_equity": {"vol": 1.0}},
        underlyings={"XYZ": {"points": -3.0}},
    )  # fmt: skip
    assert one.move("XYZ", "us_equity").words() == {"points": -3.0, "vol": 1.0}
    assert one.move("GOV", "bond").words() == {"price": 0.02, "vol": 0.5}
    assert one.move("GOV").words() == {"price": -0.1, "vol": 0.5}
    assert stress.Stress("nothing").move("XYZ").words() == {}
    after = stress.market(_prepared(), one, classes=CLASSES).to_dict()
    assert after["spot"] == {"XYZ": 47.0, "GOV": 102.0}
    assert after["vol"][PUT.id] == 0.6


def test_profit_is_the_change_of_value() -> None:
    account = mc.Account([mc.Position(STOCK, 100), mc.Position(PUT, -2)], cash={"USD": 1_000.0})
    prepared = _prepared(mc.methods.RegT(), mc.Market(
        NOW, spot={"XYZ": 50.0, "GOV": 100.0}, vol={PUT.id: 0.3}, rate={"USD": 0.04}, price={PUT.id: 1.0}))  # fmt: skip
    one = stress.Stress("down", all={"price": -0.2, "vol": 0.5}, rates={"USD": 0.01})
    found = stress.run(prepared, account, one)
    years = 28 / 365.0
    put = float(mc.pricing.price(40.0, 48.0, years, 0.05, 0.0, 0.45, "put"))
    assert found.profit[0] == pytest.approx(-1000.0 - 200.0 * (put - 1.0), abs=0.05)
    again = stress.market(prepared, one)
    assert found.initial[0] == mc.margin(account, again, mc.methods.RegT()).initial
    assert found.equity[0] - found.profit[0] == pytest.approx(1_000.0 + 5_000.0 - 200.0)
    assert found.unmoved == ()


def test_the_rulebook_asks_again() -> None:
    account = mc.Account([mc.Position(STOCK, 100)])
    found = stress.run(_prepared(), account, [stress.Stress("half", all=-0.5), stress.Stress("as it was")])
    assert found.initial.round(6).tolist() == [375.0, 750.0]
    assert found.maintenance.tolist() == found.initial.tolist()
    assert found.profit.tolist() == [-2500.0, 0.0]
    assert found.excess.tolist() == (found.equity - found.initial).tolist()
    assert (len(found), found.currency) == (2, "USD")
    table = {name: getattr(found, name) for name in ("names", "profit")}
    assert table["names"] == ("half", "as it was")


@pytest.mark.parametrize("name", ["1987-10-19", "2020-03-16", "2018-02-05", "rates +200", "all -20 %, vol +50 %"])
@pytest.mark.parametrize(
    "rule",
    [
        mc.methods.Tims(),
        mc.methods.SpanLike({name: {"price_scan": 0.1, "vol_scan": 0.2} for name in ("XYZ", "GOV")}),
        mc.methods.HistoricalVar(
            {"XYZ": 50.0 + np.sin(np.arange(300.0)), "GOV": 100.0 + np.cos(np.arange(300.0))},
            returns="log", measure="es_discrete", confidence="0.975",
        ),
    ],
    ids=["tims", "span-like", "var"],
)  # fmt: skip
def test_over_any_rulebook(rule: Any, name: str) -> None:
    account = mc.Account([mc.Position(STOCK, 100), mc.Position(PUT, -2), mc.Position(BOND, 10)])
    found = stress.run(_prepared(rule), account, stress.library()[name], classes=CLASSES)
    assert np.isfinite(found.profit).all()
    again = mc.margin(account, stress.market(_prepared(rule), stress.library()[name], classes=CLASSES), rule)
    assert found.initial[0] == pytest.approx(again.initial, rel=1e-12)
    if not name.startswith("rates"):
        assert found.profit[0] < 0.0


def test_the_library_is_of_facts() -> None:
    """Fractions again from the levels that the sources state."""
    days = stress.library()
    closes = {"1987-10-19": (282.70, 224.84), "2008-10-15": (998.01, 907.84), "2018-02-05": (2762.13, 2648.94),
              "2020-03-16": (2711.02, 2386.13)}  # fmt: skip
    for day, (before, after) in closes.items():
        assert days[day].move("SPX", "us_equity").price == pytest.approx(after / before - 1.0, abs=6e-5)
    for day, (before, after) in {
        "2008-10-15": (55.13, 69.25),
        "2018-02-05": (17.31, 37.32),
        "2020-03-16": (57.83, 82.69),
    }.items():
        assert days[day].move("SPX", "us_equity").vol == pytest.approx(after / before - 1.0, abs=6e-5)
    assert days["2020-04-20"].move("CL").points == pytest.approx(-37.63 - 17.73)
    assert days["2020-03-12"].move("BTC").price == pytest.approx(4857.1 / 7938.05 - 1.0, abs=2e-4)
    assert days["2015-01-15"].exchange("EUR/CHF") == pytest.approx(1.0280 / 1.2010, abs=6e-5)
    brexit = days["2016-06-24"]
    assert brexit.exchange("EUR/GBP") == pytest.approx(0.80750 / 0.76595, abs=6e-5)
    assert brexit.exchange("GBP/USD") * brexit.exchange("EUR/GBP") == pytest.approx(
        brexit.exchange("EUR/USD"), abs=1e-4
    )
    for name, one in days.items():
        assert one.source, name
        assert one.date == (name if name[:2] in ("19", "20") else "")
        assert stress.Stress.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_exchange_rates_either_way_round() -> None:
    one = stress.library()["2015-01-15"]
    assert one.exchange("CHF/EUR") * one.exchange("EURCHF") == pytest.approx(1.0)
    assert one.exchange("EUR/USD") == 1.0
    stock = mc.Stock("NESN", currency="CHF")
    before = mc.Market(NOW, spot={"NESN": 80.0}, fx={"EUR/CHF": 1.0, "CHF/USD": 1.1})
    prepared = mc.Engine(mc.methods.Tims()).prepare(
        [STOCK], mc.Market(NOW, spot={"XYZ": 5.0}, fx=before.to_dict()["fx"])
    )
    assert stress.market(prepared, one).to_dict()["fx"] == {"EUR/CHF": pytest.approx(0.856), "CHF/USD": 1.1}
    assert stock.currency == "CHF"


def test_a_price_below_zero() -> None:
    """Oil of April 2020 over a future at 20 dollars: points make it negative, and the holder owes the difference."""
    future = mc.Future("CL", expiry="2026-12-21", settles="pm", multiplier=1000, currency="USD")
    market = mc.Market("2026-11-20T16:00:00Z", price={future.id: 20.0})
    history = {"CL": 20.0 + np.sin(np.arange(300.0))}
    rule = mc.methods.HistoricalVar(history, returns="absolute", measure="es_discrete", confidence="0.975")
    prepared = mc.Engine(rule).prepare([future], market)
    day = stress.library()["2020-04-20"]
    after = stress.market(prepared, day).to_dict()
    assert after["price"][future.id] == pytest.approx(20.0 - 55.36)
    span = Span(SpanFile.parse(SMALL_SPN, "small.spn"))
    with pytest.raises(mc.NotApplicable, match="own arrays"):
        stress.run(mc.Engine(span).prepare(Span.contracts(span)), [], day)


def test_one_that_is_refused_is_named() -> None:
    account = mc.Account([mc.Position(STOCK, 10)])
    bad = stress.Stress("below zero", underlyings={"XYZ": {"points": -60.0}})
    found = stress.run(_prepared(), account, [bad, stress.Stress("fine", all=0.1)])
    assert list(found.refused) == ["below zero"]
    assert math.isnan(found.profit[0])
    assert found.profit[1] == pytest.approx(50.0)
    assert found.unmoved == ()
    with pytest.raises(mc.MarginError):
        stress.run(_prepared(), account, bad)


def test_a_file_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "stresses.json"
    path.write_text(json.dumps([one.to_dict() for one in stress.library().values()]), encoding="utf-8")
    assert stress.load(path) == stress.library()
    path.write_text("[{", encoding="utf-8")
    with pytest.raises(mc.ParseError, match="not a list of stresses"):
        stress.load(path)


MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: stress.Stress("x", all={"price": -0.1, "points": 3.0}), "not both"),
    (lambda: stress.Stress("x", all=-1.0), "above -1"),
    (lambda: stress.Stress("x", all={"vol": -1.5}), "above -1"),
    (lambda: stress.Stress("x", all={"spot": -0.5}), "one of price, points, vol"),
    (lambda: stress.Stress("x", underlyings={"A": "down"}), "underlyings: A"),
    (lambda: stress.Stress("x", classes=[("A", 1.0)]), "a mapping of moves"),  # type: ignore[arg-type]
    (lambda: stress.Stress("x", fx={"EURO": 0.1}), "a pair such as"),
    (lambda: stress.Stress("x", rates={"USD": "up"}), "a number is needed"),  # type: ignore[dict-item]
    (lambda: stress.Stress("x", days=-1.0), "from 0"),
    (lambda: stress.Stress.from_dict({"name": "x", "moves": {}}), "one of name, all"),
    (lambda: stress.Stress.from_dict({"all": 0.1}), "has a name"),
    (lambda: stress.load([{"name": "x"}, {"name": "x"}]), "stands once"),
    (lambda: stress.load([{"name": "x"}, {"name": "y", "all": -2.0}]), r"stresses\[1\]"),
    (lambda: stress.run(_prepared(), [], ["x"]), "a Stress is needed"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("mistake", "why"), MISTAKES)
def test_mistakes_are_refused_by_name(mistake: Callable[[], Any], why: str) -> None:
    with pytest.raises(mc.InvalidInput, match=why):
        mistake()


def test_a_class_of_what_is_not_there() -> None:
    with pytest.raises(mc.MissingData, match="no underlying 'SPX'"):
        stress.run(_prepared(), [], classes={"SPX": "us_equity"})
