"""Mistakes that people make, one row each: which error, which code, and the words that help.

A refusal names the argument, contract or place, shows what was refused, and speaks in the words of the field: nothing
of the libraries that read the input shows through.
"""

from __future__ import annotations

import copy
import datetime as dt
import math
import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import margincore as mc

VALUATION = "2026-11-18T16:00:00-05:00"


def option(**terms: Any) -> mc.Contract:
    given = {"underlying": "SPX", "right": "call", "strike": 4700, "expiry": "2026-12-18", "settles": "am",
             "exercise": "european", "multiplier": 100, "currency": "USD"}  # fmt: skip
    return mc.Option(**{**given, **terms})


CALL = option()
STOCK = mc.Stock("XYZ", currency="USD")
ORDER = mc.Order("1", CALL, "buy", 1, 12.0)
HISTORY = {"SPX": [100.0 + day for day in range(600)]}


def market(**parts: Any) -> mc.Market:
    given = {"spot": {"SPX": 4500.0, "XYZ": 50.0}, "rate": {"USD": 0.05}, "vol": {CALL.id: 0.133}}
    return mc.Market(VALUATION, **{**given, **parts})


def prepared() -> mc.Prepared:
    return mc.Engine(mc.methods.Tims()).prepare([CALL, STOCK], market())


def live(**account: Any) -> mc.LiveAccount:
    return prepared().open(mc.Account([], cash={"USD": 1e6}, **account))


def document(**changes: Any) -> dict[str, Any]:
    base = {
        "account": {"positions": [{"contract": CALL.to_dict(), "quantity": -1}]},
        "market": market().to_dict(),
        "methodology": {"name": "tims"},
    }
    return {**copy.deepcopy(base), **changes}


def tims(**parameters: Any) -> mc.MarginReport:
    return mc.margin([mc.Position(CALL, -1)], market(), mc.methods.Tims(**parameters))


Case = tuple[str, Callable[[], object], type[mc.MarginError], str, tuple[str, ...]]

# what was done; the call; error, code, words of the message
MISTAKES: list[Case] = [
    # wrong types name the argument
    ("quantity as text", lambda: mc.Position(CALL, "1"), mc.InvalidInput, "wrong_type",
     ("quantity", "a number is needed", "str")),
    ("quantity as true", lambda: mc.Position(CALL, True), mc.InvalidInput, "wrong_type",
     ("quantity", "a number is needed", "True")),
    ("symbol for a contract", lambda: mc.Position("SPX261218C04700000", 1), mc.InvalidInput, "wrong_type",
     ("contract", "a Contract", "mc.Products().contract(symbol)", "str")),
    ("a rate that is no mapping", lambda: market(rate=0.05), mc.InvalidInput, "wrong_type",
     ("rate", "mapping", "currency", "float")),
    ("a spot that is no mapping", lambda: market(spot=4500.0), mc.InvalidInput, "wrong_type",
     ("spot", "mapping", "float")),
    ("a spot as text", lambda: market(spot={"SPX": "4500"}), mc.InvalidInput, "wrong_type",
     ("market: spot.SPX", "a number is needed", "str")),
    ("no threads", lambda: prepared().margin_many([mc.Account([])], threads=0), mc.InvalidInput, "out_of_range",
     ("threads", "a whole number from 1", "0")),
    ("threads below zero", lambda: prepared().margin_many([mc.Account([])], threads=-1), mc.InvalidInput,
     "out_of_range", ("threads", "a whole number from 1", "-1")),
    ("half a thread", lambda: prepared().margin_many([mc.Account([])], threads=1.5), mc.InvalidInput, "wrong_type",
     ("threads", "a whole number from 1", "float")),
    ("a list for a market", lambda: mc.margin([], [], mc.methods.Tims()), mc.InvalidInput, "wrong_type",
     ("market", "a Market", "list")),
    ("a name for a rulebook", lambda: mc.margin([], market(), "tims"), mc.InvalidInput, "wrong_type",
     ("methodology", "mc.methods", "tims")),
    ("a contract for a position", lambda: mc.Account([CALL]), mc.InvalidInput, "wrong_type",
     ("position 0", "Position(contract, quantity)", "Contract")),
    ("a position for a contract", lambda: mc.Contracts([mc.Position(CALL, 1)]), mc.InvalidInput, "wrong_type",
     ("contracts", "Contract", "Position")),
    ("cash as a number", lambda: mc.Account([], cash=1000.0), mc.InvalidInput, "wrong_type",
     ("cash", "mapping", "float")),
    ("gross as a word", lambda: mc.Account([], gross="yes"), mc.InvalidInput, "wrong_type",
     ("gross", "True or False", "str")),
    ("an order for a limit", lambda: live().check(ORDER, ORDER),
     mc.InvalidInput, "wrong_type", ("limit", "a Limit", "Order")),
    ("a limit as text", lambda: mc.Limit("100"), mc.InvalidInput, "wrong_type", ("max_requirement", "a number", "str")),
    ("an id that is a number", lambda: mc.Order(1, CALL, "buy", 1, 12.0), mc.InvalidInput, "wrong_type",
     ("id", "text", "int")),
    ("half a character", lambda: mc.Order("\ud800", CALL, "buy", 1, 12.0), mc.InvalidInput, "bad_text", ("id", "half")),
    ("a row that is no number", lambda: live().margin_after("0", 1), mc.InvalidInput, "wrong_type",
     ("index", "a whole number", "str")),
    ("lots that are not whole", lambda: live().margin_after(0, 1.5), mc.InvalidInput, "wrong_type",
     ("lots", "a whole number", "float")),
    ("a row below zero", lambda: live().margin_after(-1, 1), mc.InvalidInput, "out_of_range", ("index", "-1")),
    ("an account that is a number", lambda: mc.Account(5), mc.InvalidInput, "wrong_type",
     ("positions", "a list of positions", "int")),
    ("a table that is a number", lambda: prepared().methodology.prepare(5, market()), mc.InvalidInput, "wrong_type",
     ("contracts", "a list of contracts", "int")),
    ("trades that are a number", lambda: live().what_if(5), mc.InvalidInput, "wrong_type",
     ("trades", "a list of trades", "int")),
    ("accounts that are a number", lambda: prepared().margin_many(5), mc.InvalidInput, "wrong_type",
     ("accounts", "a list of accounts", "int")),
    ("an account among accounts", lambda: prepared().margin_many([5]), mc.InvalidInput, "wrong_type",
     ("accounts[0]", "an Account", "int")),
    ("forwards that are a number", lambda: market(forward=5), mc.InvalidInput, "wrong_type",
     ("forward", "mapping", "int")),
    ("dividends that are a number", lambda: market(dividends=5), mc.InvalidInput, "wrong_type",
     ("dividends", "a mapping by symbol", "int")),
    ("dividends of a symbol", lambda: market(dividends={"XYZ": 5}), mc.InvalidInput, "wrong_type",
     ("dividends of 'XYZ'", "a list of pairs", "int")),
    ("contracts beside a market", lambda: market(contracts=5), mc.InvalidInput, "wrong_type",
     ("contracts", "a list of contracts", "int")),
    ("a throttle that is a number", lambda: mc.Limit(1.0, throttle=5), mc.InvalidInput, "wrong_type",
     ("throttle", "(messages, seconds)", "int")),
    ("a throttle of true", lambda: mc.Limit(1.0, throttle=(True, 1.0)), mc.InvalidInput, "wrong_type",
     ("throttle", "a whole number", "True")),
    ("haircuts as text", lambda: prepared().open([], haircuts="x"), mc.InvalidInput, "wrong_type",
     ("haircuts", "a mapping of numbers by name", "str")),
    ("a haircut of true", lambda: prepared().open([], haircuts={"USD": True}), mc.InvalidInput, "wrong_type",
     ("haircuts", "'USD'", "a number", "True")),
    ("listed as a word", lambda: option(listed="no"), mc.InvalidInput, "wrong_type",
     ("listed", "True or False", "str")),
    ("listed as a number", lambda: option(listed=0), mc.InvalidInput, "wrong_type",
     ("listed", "True or False", "int")),
    ("a row by number", lambda: prepared().contracts.index(5), mc.InvalidInput, "wrong_type",
     ("contract", "a Contract or an id", "int")),
    ("roots that are a number", lambda: mc.Products().with_equities(5), mc.InvalidInput, "wrong_type",
     ("roots", "a list of roots", "int")),
    ("contracts beside an account", lambda: mc.margin([], market(), mc.methods.Tims(), contracts=5), mc.InvalidInput,
     "wrong_type", ("contracts", "a list of contracts", "5")),
    ("an id beside an account", lambda: mc.margin([], market(), mc.methods.Tims(), contracts=["XYZ"]), mc.InvalidInput,
     "wrong_type", ("contracts[0]", "a Contract", "XYZ")),
    ("a label that is a number", lambda: mc.compare([], market(), [mc.methods.Tims()], labels=[5]), mc.InvalidInput,
     "wrong_type", ("labels[0]", "a text", "5")),
    ("a number for an assigned option", lambda: mc.events.assignment([], market(), mc.methods.Tims(), 5, 1),
     mc.InvalidInput, "wrong_type", ("option", "an option or its id", "5")),
    ("settlement prices that are a number", lambda: mc.events.expiry([mc.Position(CALL, 1)], market(),
     mc.methods.Tims(), "2026-12-18", 5), mc.InvalidInput, "wrong_type", ("prices", "a mapping of numbers", "5")),
    ("a market for a prepared rulebook", lambda: mc.questions.moved(market(), [], [0.1]), mc.InvalidInput,
     "wrong_type", ("prepared", "a Prepared", "Market")),
    ("a date of a model without dates", lambda: mc.methods.Deribit("standard", on="2026-01-01"), mc.InvalidInput,
     "contradiction", ("on", "'standard'", "none by date", "leave on out")),
    ("a vintage of a model without dates", lambda: mc.methods.Paradex("cross", vintage="2026-08"), mc.InvalidInput,
     "contradiction", ("vintage", "'cross'", "none by date")),
    # words that are not known, with the nearest
    ("a right misspelt", lambda: option(right="cal"), mc.InvalidInput, "unknown_name", ("right", "'cal'", "'call'")),
    ("an exercise misspelt", lambda: option(exercise="amercan"), mc.InvalidInput, "unknown_name",
     ("exercise", "'amercan'", "'american'")),
    ("a side misspelt", lambda: mc.Order("1", CALL, "by", 1, 1.0), mc.InvalidInput, "unknown_name",
     ("side", "'by'", "'buy'")),
    ("an argument of Market misspelt", lambda: market(spots={}), mc.InvalidInput, "unknown_name",
     ("spots", "'spot'")),
    ("an argument of update misspelt", lambda: prepared().update(spots={}), mc.InvalidInput, "unknown_name",
     ("spots", "'spot'")),
    ("a term misspelt", lambda: mc.Contract(**{**CALL.to_dict(), "strik": 1.0}), mc.InvalidInput, "unknown_name",
     ("'strik'", "strike")),
    ("a preset misspelt", lambda: mc.methods.HistoricalVar({"SPX": [1.0, 2.0, 3.0]}, preset="eurex_prism"),
     mc.InvalidInput, "unknown_name", ("eurex_prism",)),
    ("a rulebook misspelt", lambda: mc.evaluate(document(methodology={"name": "tim"})), mc.InvalidInput, "unknown_name",
     ("'tim'", "'tims'")),
    ("a parameter misspelt", lambda: mc.evaluate(document(methodology={"name": "tims", "minimum_rat": 1})),
     mc.InvalidInput, "unknown_name", ("minimum_rat", "'minimum_rate'")),
    ("a key of a document misspelt", lambda: mc.evaluate(document(acount={})), mc.InvalidInput, "unknown_name",
     ("acount", "account")),
    ("an exchange nobody knows", lambda: option(exchange="CBO"), mc.InvalidInput, "unknown_name", ("CBO", "cme")),
    ("a column of contracts misspelt", lambda: mc.Contracts.from_columns(kind="stock", underlyin=["A"], currency="USD"),
     mc.InvalidInput, "unknown_name", ("underlyin", "underlying")),
    ("an update of a symbol nobody has", lambda: prepared().update(spot={"SXP": 4600.0}), mc.InvalidInput,
     "unknown_name", ("SXP", "SPX")),
    # numbers
    ("a NaN spot", lambda: market(spot={"SPX": math.nan}), mc.InvalidInput, "not_finite", ("spot", "SPX", "NaN")),
    ("an infinite vol", lambda: market(vol={CALL.id: math.inf}), mc.InvalidInput, "not_finite", ("vol", CALL.id)),
    ("a rate in percent", lambda: market(rate={"USD": 5.0}), mc.InvalidInput, "out_of_range",
     ("rate of USD", "5", "0.05 is 5 %")),
    ("a dividend yield in percent", lambda: market(dividend_yield={"SPX": 150.0}), mc.InvalidInput, "out_of_range",
     ("dividend_yield", "SPX", "0.015 is 1.5 %")),
    ("a vol in percent", lambda: mc.margin([mc.Position(CALL, -1)], market(vol={CALL.id: 18.0}), mc.methods.Tims()),
     mc.InvalidInput, "out_of_range", ("vol", "18", "0.18 is 18 %")),
    ("a mark below zero", lambda: mc.margin([mc.Position(CALL, -1)], market(price={CALL.id: -20.0}), mc.methods.Tims()),
     mc.InvalidInput, "out_of_range", (CALL.id, "-20")),
    ("a strike below zero", lambda: mc.Contracts([option(strike=-1.0)]), mc.InvalidInput, "out_of_range",
     ("strike", "-1")),
    ("a multiplier of zero", lambda: option(multiplier=0), mc.InvalidInput, "out_of_range", ("multiplier", "0")),
    ("half an option", lambda: mc.Position(CALL, 0.5), mc.InvalidInput, "not_whole", (CALL.id, "0.5", "lots")),
    ("too many", lambda: mc.Position(CALL, 1e300), mc.InvalidInput, "out_of_range", (CALL.id,)),
    ("a collar of nothing", lambda: mc.Limit(price_collar=-0.1, max_requirement=1.0), mc.InvalidInput, "out_of_range",
     ("price_collar", "-0.1")),
    ("a limit without a limit", lambda: mc.Limit(), mc.InvalidInput, "not_stated", ("max_requirement", "min_excess")),
    ("a parameter that is no number", lambda: mc.methods.Tims(vol_floor=math.nan), mc.InvalidInput, "not_finite",
     ("vol_floor", "nan")),
    ("a word of a rulebook that is no number", lambda: mc.methods.RegT(default_class=math.nan), mc.InvalidInput,  # type: ignore[arg-type]
     "not_finite", ("default_class", "nan")),
    ("cash that is no number", lambda: mc.Account([], cash={"USD": math.nan}), mc.InvalidInput, "not_finite",
     ("cash", "USD")),
    ("the tail for the confidence",
     lambda: mc.methods.HistoricalVar(HISTORY, returns="log", measure="es_discrete", confidence="0.01"),
     mc.InvalidInput, "out_of_range", ("confidence", "0.01", "0.99")),
    # what has to be said
    ("an option without a multiplier", lambda: option(multiplier=None), mc.MarginError, "not_stated", ("multiplier",)),
    ("an option without an exercise", lambda: option(exercise=None), mc.MarginError, "not_stated", ("exercise",)),
    ("a stock with a strike", lambda: mc.Contract(kind="stock", underlying="A", currency="USD", strike=1.0),
     mc.InvalidInput, "contradiction", ("strike", "stock")),
    ("a position without a quantity", lambda: mc.Position(CALL), mc.InvalidInput, "not_stated", ("quantity",)),
    ("a document without a market's time", lambda: mc.evaluate(document(market={})), mc.MarginError, "not_stated",
     ("market", "valuation")),
    # times and text
    ("an instant without a zone", lambda: mc.Market("2026-11-18T16:00:00"), mc.InvalidInput, "bad_time", ("zone",)),
    ("a datetime without a zone", lambda: mc.Market(dt.datetime(2026, 11, 18, 16)), mc.InvalidInput, "bad_time",
     ("zone",)),
    ("a date that is none", lambda: option(expiry="2026-02-30"), mc.InvalidInput, "bad_time", ("2026-02-30",)),
    ("an expiry that is a number", lambda: option(expiry=20261218), mc.InvalidInput, "wrong_type", ("expiry", "int")),
    ("an expiry without its hour", lambda: option(settles=None), mc.InvalidInput, "not_stated", ("settles",)),
    ("an underlying with a blank", lambda: option(underlying=" SPX"), mc.InvalidInput, "bad_text",
     ("underlying", "blank")),
    ("a symbol that is none", lambda: mc.OsiSymbol("SPX"), mc.InvalidInput, "bad_text", ("SPX",)),
    ("an unknown root", lambda: mc.Products().contract("ZZZZ  261218C00100000"), mc.MissingData, "missing_product",
     ("ZZZZ",)),
    # tables
    ("one contract twice", lambda: mc.Contracts([CALL, CALL]), mc.InvalidInput, "duplicate", (CALL.id, "row 0")),
    ("columns of two lengths",
     lambda: mc.Contracts.from_columns(kind="stock", underlying=["A", "B"], currency=["USD"] * 3), mc.InvalidInput,
     "wrong_shape", ("rows",)),
    ("prices beside no table", lambda: mc.Market(VALUATION, vol=np.array([0.1])), mc.InvalidInput, "not_stated",
     ("vol", "contracts")),
    ("prices of another length", lambda: mc.Market(VALUATION, contracts=[CALL], vol=np.array([0.1, 0.2])),
     mc.InvalidInput, "wrong_shape", ("vol", "2", "1")),
    ("a contract the table has not", lambda: prepared().margin([mc.Position(mc.Stock("QQQ", currency="USD"), 1)]),
     mc.MissingData, "missing_contract", ("QQQ", "prepare")),
    ("another contract of the same id",
     lambda: prepared().margin([mc.Position(option(id=CALL.id, strike=4800), 1)]), mc.InvalidInput, "other_table",
     (CALL.id,)),
    # what the calculation needs
    ("no spot", lambda: mc.margin([mc.Position(CALL, -1)], market(spot={}), mc.methods.Tims()), mc.MissingData,
     "missing_spot", ("SPX", "market.spot")),
    ("no rate", lambda: mc.margin([mc.Position(CALL, -1)], market(rate={}), mc.methods.Tims()), mc.MissingData,
     "missing_rate", ("USD", "market.rate")),
    ("no vol", lambda: mc.margin([mc.Position(CALL, -1)], market(vol={}), mc.methods.Tims()), mc.MissingData,
     "missing_vol", (CALL.id, "market.vol")),
    ("no mark", lambda: mc.margin([mc.Position(CALL, -1)], market(), mc.methods.RegT()), mc.MissingData,
     "missing_price", (CALL.id, "price")),
    ("a future under Reg T", lambda: mc.margin(
        [mc.Position(mc.Future("SPX", expiry="2026-12-18", settles="am", multiplier=50, currency="USD"), 1)],
        market(), mc.methods.RegT()), mc.NotApplicable, "not_covered", ("SPX",)),
    # files
    ("a file that is not there", lambda: mc.methods.Span("no/such/file.spn"), mc.InvalidInput, "unreadable",
     ("no/such/file.spn",)),
    ("an account file that is not there", lambda: mc.importers.read_account("no/such/account.csv"), mc.ParseError,
     "unreadable", ("no/such/account.csv",)),
]  # fmt: skip

#: Words of libraries, and of the language behind, that say nothing to a user.
FOREIGN = ["variant", "serde", "PyO3", "struct ", "f64", "u32", "i64", "usize", "Some(", "None)", "::", "deserialize",
           "Mapping'", "object is not an instance", "unwrap", "expected `"]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "code", "words"), [case[1:] for case in MISTAKES],
                         ids=[case[0].replace(" ", "_") for case in MISTAKES])  # fmt: skip
def test_a_mistake_is_named(
    call: Callable[[], object], kind: type[mc.MarginError], code: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(kind) as caught:
        call()
    error, message = caught.value, str(caught.value)
    assert isinstance(error, mc.MarginError)
    assert [word for word in words if word not in message] == [], message
    assert error.code == code, message
    assert [word for word in FOREIGN if word in message] == [], message
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code, again.where, repr(again.value)) == (
        type(error), message, error.code, error.where, repr(error.value))  # fmt: skip


def test_every_code_is_listed_and_every_mistake_has_one() -> None:
    codes = mc.error_codes()
    assert {case[3] for case in MISTAKES} <= set(codes)
    assert all(about.endswith(".") for about in codes.values())
    assert len(MISTAKES) >= 60


def test_an_error_about_a_value_is_a_value_error() -> None:
    assert issubclass(mc.InvalidInput, ValueError)
    assert issubclass(mc.ParseError, ValueError)
    assert not issubclass(mc.MissingData, ValueError)


def test_place_and_value_are_told_apart() -> None:
    with pytest.raises(mc.InvalidInput) as caught:
        market(rate={"USD": 5.0})
    assert (caught.value.where, caught.value.value) == ("market: rate of USD", 5.0)
    with pytest.raises(mc.InvalidInput) as caught:
        option(right="cal")
    assert caught.value.value == "cal"
    assert "right" in str(caught.value.where)


@pytest.mark.parametrize("value", [Decimal("4700"), np.float32(4700), np.int64(4700), 4700])
def test_numbers_of_every_kind_are_numbers(value: Any) -> None:
    assert option(strike=value).strike == 4700.0
    assert mc.Position(CALL, value).quantity == 4700.0
