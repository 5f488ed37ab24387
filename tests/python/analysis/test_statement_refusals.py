"""What a statement refuses: every term is judged when it is given, whether or not it is used."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import margincore as mc
from margincore.analysis.statements import Call, Carried, Money

NAN = float("nan")
STOCK = mc.Stock("ABC", currency="USD")
MARKET = mc.Market("2026-11-20T16:00:00-05:00", spot={"ABC": 38.0})
CARRIED = Carried(dt.date(2026, 11, 19), sma=10_000.0)
HELD = [mc.Position(STOCK, 1000)]
CASH = {"USD": -25_000.0}
TIMS = mc.methods.Tims(products={"ABC": {"class_group": "ABC", "factor": 1.0}})


def stated(kind: Any = None, rules: Any = None, **terms: Any) -> mc.Statement:
    account = mc.Account(HELD, cash=CASH, kind=kind)
    return mc.statement(account, MARKET, mc.methods.RegT() if rules is None else rules, **terms)


@pytest.mark.parametrize(
    ("kind", "rules", "regime", "remedy"),
    [
        (None, mc.methods.RegT(), "cash", "RegT(account_kind='cash')"),
        (None, mc.methods.RegT(account_kind="cash"), "reg_t", "RegT(account_kind='margin')"),
        ("margin", mc.methods.RegT(), "cash", "Account(kind='cash')"),
        ("cash", mc.methods.RegT(), "reg_t", "Account(kind='margin')"),
        (None, mc.methods.RegT(), "portfolio_margin", "the rulebook is reg-t"),
        (None, mc.methods.RegT(), "futures", "the rulebook is reg-t"),
        (None, TIMS, "reg_t", "the rulebook is tims"),
    ],
)
def test_a_regime_that_contradicts_is_refused(kind: Any, rules: Any, regime: Any, remedy: str) -> None:
    with pytest.raises(mc.InvalidInput) as refused:
        stated(kind, rules, regime=regime)
    assert (refused.value.code, refused.value.where, refused.value.value) == ("contradiction", "regime", regime)
    assert remedy in str(refused.value)


def test_a_cash_account_pays_in_full() -> None:
    page = stated("cash", regime="cash")
    assert page.regime == "cash"
    assert page.initial == 38_000.0


@pytest.mark.parametrize("carried", [None, CARRIED])
@pytest.mark.parametrize(
    ("terms", "code", "where"),
    [
        ({"regime": "reg-t"}, "unknown_name", "regime"),
        ({"regime": 5}, "wrong_type", "regime"),
        ({"house_minimum": NAN}, "not_finite", "house_minimum"),
        ({"house_minimum": -1.0}, "out_of_range", "house_minimum"),
        ({"waive_up_to": "x"}, "wrong_type", "waive_up_to"),
        ({"waive_up_to": -1.0}, "out_of_range", "waive_up_to"),
        ({"interest_rate": {"USD": 8.0}}, "out_of_range", "interest_rate['USD']"),
        ({"interest_rate": {"USX": 0.08}}, "unknown_name", "interest_rate"),
        ({"interest_rate": 0.08}, "wrong_type", "interest_rate"),
        ({"settled": {"USD": NAN}}, "not_finite", "settled['USD']"),
        ({"settled": {"USX": 1.0}}, "unknown_name", "settled"),
        ({"settled": 5}, "wrong_type", "settled"),
        ({"moves": [-1.0]}, "out_of_range", "moves[0]"),
        ({"moves": [0.1, 11.0]}, "out_of_range", "moves[1]"),
        ({"moves": 0.1}, "wrong_type", "moves"),
        ({"days_in_year": 364}, "out_of_range", "days_in_year"),
        ({"days_in_year": "x"}, "wrong_type", "days_in_year"),
        ({"initial_ratio": "x"}, "wrong_type", "initial_ratio"),
        ({"initial_ratio": NAN}, "not_finite", "initial_ratio"),
        ({"initial_ratio": 1.1}, "contradiction", "initial_ratio"),
        ({"premiums": (1.0,)}, "wrong_shape", "premiums"),
        ({"premiums": (1.0, NAN)}, "not_finite", "premiums[1]"),
        ({"monitoring": "often"}, "unknown_name", "monitoring"),
        ({"restrictions": 5}, "wrong_type", "restrictions"),
        ({"restrictions": [[]]}, "wrong_type", "restrictions"),
        ({"holidays": 5}, "wrong_type", "holidays"),
        ({"holidays": [5]}, "bad_time", "holidays"),
        ({"open_trade_equity": 5}, "wrong_type", "open_trade_equity"),
        ({"open_trade_equity": {"USD": NAN}}, "not_finite", "open_trade_equity['USD']"),
        ({"contracts": 5}, "wrong_type", "contracts"),
        ({"contracts": ["ABC"]}, "wrong_type", "contracts"),
        ({"transactions": 5}, "wrong_type", "transactions"),
        ({"transactions": [5]}, "wrong_type", "transactions"),
        ({"transactions": [(STOCK, 100, 38.0, NAN)]}, "not_finite", None),
        ({"transactions": [(STOCK, 100, NAN)]}, "not_finite", None),
        ({"transactions": [(STOCK, NAN, 38.0)]}, "not_finite", None),
    ],
)
def test_terms_are_judged_when_given(carried: Carried | None, terms: dict[str, Any], code: str, where: str) -> None:
    with pytest.raises(mc.InvalidInput) as refused:
        stated(carried=carried, **terms)
    assert refused.value.code == code
    assert where is None or refused.value.where == where


@pytest.mark.parametrize("carried", [5, "2026-11-19", {"date": "2026-11-19"}])
def test_what_is_not_carried_is_refused(carried: Any) -> None:
    with pytest.raises(mc.InvalidInput, match=r"carried is .*: a Carried is needed"):
        stated(carried=carried)


def test_a_misspelt_regime_has_the_nearest() -> None:
    with pytest.raises(mc.InvalidInput, match="did you mean 'reg_t'"):
        stated(regime="reg-t")


DAY: Any = "2026-11-19"
TEXT: Any = "x"
NUMBER: Any = 5


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Money("deposit", TEXT), "wrong_type"),
        (lambda: Money("deposit", NAN), "not_finite"),
        (lambda: Money("deposit", -1.0), "out_of_range"),
        (lambda: Money("gift", 1.0), "unknown_name"),
        (lambda: Money("deposit", 1.0, NUMBER), "wrong_type"),
        (lambda: Carried(CARRIED.date, TEXT), "wrong_type"),
        (lambda: Carried(CARRIED.date, NAN), "not_finite"),
        (lambda: Carried(CARRIED.date, -1.0), "out_of_range"),
        (lambda: Carried(TEXT, 0.0), "bad_time"),
        (lambda: Carried(NUMBER, 0.0), "bad_time"),
        (lambda: Carried(CARRIED.date, 0.0, NUMBER), "wrong_type"),
        (lambda: Carried(CARRIED.date, 0.0, (NUMBER,)), "wrong_type"),
        (lambda: Carried.from_dict(NUMBER), "wrong_type"),
        (lambda: Call("futures", 1.0, 2.0, "USD"), "contradiction"),
        (lambda: Call("futures", TEXT, 0.0, "USD"), "wrong_type"),
    ],
)
def test_parts_are_refused_by_name(make: Any, code: str) -> None:
    with pytest.raises(mc.InvalidInput) as refused:
        make()
    assert refused.value.code == code


def test_what_was_carried_takes_text_and_instants_as_dates() -> None:
    assert Carried(DAY, 10_000.0) == CARRIED
    assert Carried(dt.datetime(2026, 11, 19, 16), 10_000.0) == CARRIED


@pytest.mark.parametrize("field", ["equity", "minimum", "date"])
def test_a_document_says_why_a_part_is_not_there(field: str) -> None:
    document = stated().to_dict()
    assert mc.Statement.from_dict(document).to_dict() == document
    with pytest.raises(mc.InvalidInput) as refused:
        mc.Statement.from_dict({**document, field: None})
    assert (refused.value.code, refused.value.where) == ("contradiction", f"Statement.{field}")
