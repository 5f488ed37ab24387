"""Symbols become contracts through dated tables; what these lack is asked for, and what contradicts them is refused."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

import margincore as mc
from margincore import crypto, symbols
from margincore.symbols import standard

ON = "2026-11-25"
TABLE = mc.Products().with_equities(["AAPL"])


def test_every_row_has_what_a_contract_needs_and_its_source() -> None:
    for row in standard.rows():
        code = f"{row['root']}{row['months'][-1]}26"
        hour: dict[str, Any] = {} if row["at"] else {"settles": "pm", "exchange": "cme"}
        if hour:
            with pytest.raises(mc.MissingData, match=r"state expiry=.*the day may be left out, 2026-12"):
                symbols.contract(code)
        contract = symbols.contract(code, **hour)
        assert (contract.kind, contract.id, contract.underlying) == ("future", code, row["underlying"])
        assert (contract.multiplier, contract.currency) == (float(row["multiplier"]), row["currency"])
        assert row["unit"]
        assert row["source"].startswith("http")
        for name in ("bloomberg", "clearing"):
            if name in row:
                text = symbols.spell(contract, name)
                assert symbols.contract(text, dialect=name, on=ON, **hour).id == code
        assert symbols.spell(contract, "globex_long") == code


def test_the_table_s_roots_are_each_one_product() -> None:
    for name in ("root", "clearing"):
        named = [row[name] for row in standard.rows() if name in row]
        assert len(named) == len(set(named))
    bloomberg = [(row["bloomberg"], row["market_sector"]) for row in standard.rows() if "bloomberg" in row]
    assert len(bloomberg) == len(set(bloomberg))
    options = standard.roots("options")
    assert len(options) == len(set(options))


@pytest.mark.parametrize(
    ("text", "id", "underlying", "expires", "exercise"),
    [
        ("ESZ6 C4500", "ESZ26 C4500", "ESZ26", "2026-12-18T14:30:00Z", "american"),
        ("EW2Z6 P4450", "EW2Z26 P4450", "ESZ26", "2026-12-11T21:00:00Z", "european"),
        ("EW3Z6 P4450", "EW3Z26 P4450", "ESH27", "2026-12-18T21:00:00Z", "european"),  # its future expired that morning
        ("EWZ6 P4450", "EWZ26 P4450", "ESH27", "2026-12-31T21:00:00Z", "european"),
        ("./ESH27 EW3Z6 261218P4450", "EW3Z26 P4450", "ESH27", "2026-12-18T21:00:00Z", "european"),
        ("./EW3F27P4450:XCME", "EW3F27 P4450", "ESH27", "2027-01-15T21:00:00Z", "european"),
        ("EW3F7 P4450", "EW3F27 P4450", "ESH27", "2027-01-15T21:00:00Z", "european"),
        ("EWX6 P4450", "EWX26 P4450", "ESZ26", "2026-11-30T21:00:00Z", "european"),
        ("E2DF7 P7100", "E2DF27 P7100", "ESH27", "2027-01-14T21:00:00Z", "european"),
        ("./ESZ6 E3BZ6 261215C4500", "E3BZ26 C4500", "ESZ26", "2026-12-15T21:00:00Z", "european"),
        ("ES 202612 P 6400", "ESZ26 P6400", "ESZ26", "2026-12-18T14:30:00Z", "american"),
    ],
)
def test_an_option_on_a_future(text: str, id: str, underlying: str, expires: str, exercise: str) -> None:
    option = symbols.contract(text, on=ON)
    assert (option.id, option.underlying, option.expires, option.exercise) == (id, underlying, expires, exercise)
    assert (option.multiplier, option.currency) == (50.0, "USD")
    assert symbols.contract(symbols.spell(option, "globex_long")) == option
    mc.Contracts([option, symbols.contract(underlying)])


def test_options_of_oil_state_their_expiry() -> None:
    with pytest.raises(mc.MissingData, match="no table here says when it expires: state expiry="):
        symbols.contract("LOZ26 C6550")
    weekly = symbols.contract("./CLZ6 LO1X6 261106C91", expiry="2026-11-06T14:30:00-05:00")
    assert (weekly.id, weekly.underlying, weekly.strike) == ("LO1X26 C9100", "CLZ26", 91.0)
    option = symbols.contract("LOZ26 C6550", expiry="2026-11-17T14:30:00-05:00")
    assert (option.strike, option.multiplier, option.underlying, option.exercise) == (65.5, 1000.0, "CLZ26", "american")


def test_eurex_index_options_state_their_expiry() -> None:
    at = "2026-12-18T13:00:00+01:00"
    by_month = symbols.contract("ODAX DEC26 23000 P", expiry=at)
    assert by_month == symbols.contract("ODAX SI 20261218 CS EU P 23000.00 0", expiry=at)
    assert (by_month.underlying, by_month.multiplier, by_month.exercise) == ("DAX", 5.0, "european")
    assert by_month.expires == "2026-12-18T12:00:00Z"
    assert symbols.contract("ODAX 18DEC26 23000 P", dialect="ibkr", expiry=at) == by_month
    with pytest.raises(mc.MissingData, match=r"state expiry=, an instant, or a day with settles= and exchange=$"):
        symbols.contract("ODAX DEC26 23000 P", settles="am", exchange="eurex")
    morning = symbols.contract("ODAX SI 20261218 CS EU P 23000.00 0", settles="am", exchange="eurex")
    assert morning.expires == "2026-12-18T11:00:00Z"
    with pytest.raises(mc.MissingData, match=re.escape("no table of Eurex options (ODAX): state multiplier=")):
        symbols.contract("OESX JAN27 5000 C")
    with pytest.raises(mc.InvalidInput, match="says european and cash"):
        symbols.contract("ODAX SI 20261218 PS EU P 23000.00 0")
    with pytest.raises(mc.MissingData, match="no table of Eurex options"):
        symbols.contract("P BMW  20261218 72 M")


@pytest.mark.parametrize(
    ("text", "stated", "error", "word"),
    [
        ("ESZ26", {"multiplier": 5}, mc.InvalidInput, "multiplier 5 is stated, and 50 is what https"),
        ("ESZ26", {"currency": "EUR"}, mc.InvalidInput, "currency 'EUR' is stated"),
        ("ESZ26", {"settles": "pm"}, mc.InvalidInput, "settles 'pm' is stated, and am cme is what https"),
        ("CLZ26", {"exchange": "cme"}, mc.InvalidInput, "and 14:30 America/New_York is what https"),
        ("ESF27", {}, mc.InvalidInput, "the exchange lists months HMUZ"),
        ("ABCZ26", {}, mc.MissingData, "state multiplier=, currency=, expiry="),
        ("ES 17DEC26", {}, mc.InvalidInput, "no ES future expires then"),
        ("./ESH7 E3BZ6 261215C4500", {}, mc.InvalidInput, "it is on ESZ26"),
        ("./ESZ6 E3BZ6 261216C4500", {}, mc.InvalidInput, "it says 2026-12-16, and the exchange's rule 2026-12-15"),
        ("ESZ6C 4500 Index", {}, mc.MissingData, "no table of options on futures"),
        ("AAPL261218C00290000", {"multiplier": 100}, mc.InvalidInput, "multiplier cannot be stated"),
        ("MSFT261218C00290000", {}, mc.MissingData, "root 'MSFT'"),
        ("VOD LN 12/18/26 C75 Equity", {}, mc.MissingData, "options of United States exchanges"),
        ("ODAX  261218P23000000", {}, mc.MissingData, "root 'ODAX' of option"),
        ("ABC DEC26 75 C", {}, mc.MissingData, "no table of Eurex options"),
        ("RELIANCE", {}, mc.MissingData, "in no table of securities"),
        ("NSE:SPY", {}, mc.MissingData, "in no table of securities"),
        ("ES 18DEC26", {"expiry": "2026-12-17", "settles": "am"}, mc.InvalidInput, "and it says 2026-12-18"),
        (
            "NIFTY26D0826000PE",
            {"exchange": "NFO", "multiplier": 65, "expiry": "2026-12-09"},
            mc.InvalidInput,
            "it says 2026-12-08",
        ),
        ("BFO:SENSEX26D0385000CE", {"exchange": "NFO", "multiplier": 20}, mc.InvalidInput, "it says 'BFO'"),
        ("SPX LN Equity", {}, mc.MissingData, "in no table of securities"),
        ("BTC-USDT-SWAP", {}, mc.MissingData, "ctVal times ctMult"),
        ("BTC-PERPETUAL", {"expiry": "2026-12-18"}, mc.InvalidInput, "the venue's name says it"),
        ("NIFTY26DEC26000PE", {}, mc.MissingData, "state exchange='NFO'"),
        ("NIFTY26DEC26000PE", {"exchange": "NFO"}, mc.MissingData, "state multiplier=, the lot"),
        ("NIFTY26DEC26000PE", {"exchange": "NFO", "multiplier": 65}, mc.MissingData, "state expiry="),
        ("MCX:CRUDEOIL26DEC5000PE", {"multiplier": 100}, mc.MissingData, "state exchange='NFO'"),
    ],
)
def test_what_is_missing_or_contradicts_is_said(
    text: str, stated: dict[str, Any], error: type[mc.MarginError], word: str
) -> None:
    with pytest.raises(error, match=re.escape(word)) as caught:
        symbols.contract(text, products=TABLE, on=ON, **stated)
    assert caught.value.code in mc.error_codes()


def test_what_is_stated_makes_the_contract() -> None:
    made = symbols.contract(
        "ABCZ26", multiplier=20, currency="CHF", expiry="2026-12-18", settles="pm", exchange="eurex"
    )
    assert (made.id, made.underlying, made.multiplier, made.currency) == ("ABCZ26", "ABC", 20.0, "CHF")
    terms: dict[str, Any] = {
        "multiplier": 100,
        "currency": "EUR",
        "expiry": "2026-12-18",
        "settles": "pm",
        "exchange": "eurex",
    }
    share = symbols.contract("P BMW  20261218 72 M", exercise="american", underlying="BMW", **terms)
    assert share == mc.Option("BMW", "put", 72, exercise="american", **terms)
    gold = symbols.contract(
        "OG 202612 C 2700", dialect="clearing", exercise="american", underlying="GCZ26", multiplier=100, currency="USD",
        expiry="2026-11-24T13:30:00-05:00",
    )  # fmt: skip
    assert (gold.underlying, gold.strike) == ("GCZ26", 2700.0)
    with pytest.raises(mc.MissingData, match=r"state exercise=, underlying=$") as caught:
        symbols.contract("P BMW  20261218 72 M", **terms)
    assert (caught.value.code, caught.value.where, caught.value.value) == ("missing_product", "exercise", "BMW")
    with pytest.raises(mc.InvalidInput, match="exercise cannot be stated"):
        symbols.contract("ESZ26 C4500", exercise="european")
    monthly = symbols.contract("NIFTY26DEC26000PE", exchange="NFO", multiplier=65, expiry="2026-12-29")
    weekly = symbols.contract("NFO:NIFTY26D2926000PE", multiplier=65)
    assert monthly == weekly
    assert (weekly.expires, weekly.exercise, weekly.currency) == ("2026-12-29T10:00:00Z", "european", "INR")
    future = symbols.contract("SENSEX26DECFUT", exchange="BFO", multiplier=20, expiry=dt.date(2026, 12, 31))
    assert (future.kind, future.multiplier, future.underlying) == ("future", 20.0, "SENSEX")
    swap = symbols.contract("BTC-USDT-SWAP", multiplier=0.01)
    assert swap == crypto.contract("okx", "BTC-USDT-SWAP", multiplier=0.01)


def test_a_ticker_of_an_indian_broker_is_no_american_fund() -> None:
    assert symbols.contract("SPY", dialect="schwab").currency == "USD"
    with pytest.raises(mc.MissingData, match="in no table of securities"):
        symbols.contract("SPY", dialect="kite")


def test_other_tables_answer_as_they_do() -> None:
    assert symbols.contract("SPY").kind == "etf"
    assert symbols.contract("SPX Index").kind == "index"
    assert symbols.contract("AAPL", products=TABLE).kind == "stock"
    for text in ("BTC-PERPETUAL", "ETH_USDC-25DEC26-4000-P", "BTC_USDC-PERPETUAL"):
        assert symbols.contract(text, dialect="deribit") == crypto.contract("deribit", text)
    spx = symbols.contract("SPX US 12/18/26 C4700 Index")
    assert spx == mc.Products().contract("SPX261218C04700000")


def option(underlying: str, **terms: Any) -> mc.Contract:
    said: dict[str, Any] = {
        "expiry": "2026-12-18", "settles": "am", "exercise": "european", "multiplier": 100, "currency": "USD",
    }  # fmt: skip
    return mc.Option(underlying, "call", 4700, **(said | terms))


def test_a_contract_is_spelled_by_its_terms_and_names() -> None:
    assert symbols.spell(option("SPX"), "compact") == "SPX261218C04700000"
    assert symbols.spell(option("SPX", settles="pm"), "compact") == "SPXW261218C04700000"
    american = option("XYZ", settles="pm", exercise="american")
    assert symbols.spell(american, "schwab") == "XYZ 12/18/2026 4700.00 C"
    assert symbols.spell(mc.Products().contract("SPXW261218C04700000"), "etrade") == "SPXW Dec 18 '26 $4700 Call"
    es = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=50, currency="USD")
    assert symbols.spell(es, "globex") == "ESZ6"
    assert symbols.spell(crypto.contract("deribit", "BTC-25DEC26-100000-C"), "deribit") == "BTC-25DEC26-100000-C"
    assert symbols.spell(mc.Etf("SPY", currency="USD"), "bloomberg") == "SPY US Equity"
    assert symbols.spell(mc.Index("SPX", currency="USD"), "bloomberg") == "SPX Index"
    assert symbols.spell(option("ABC", aliases={"kite": "ABC26D184700CE"}), "upstox") == "ABC 4700 CE 18 DEC 26"


@pytest.mark.parametrize(
    "contract",
    [
        option("XYZ"),  # no root of the table, and no standard equity option
        option("XYZ", settles="pm", exercise="american", deliverable={"shares": {"XYZ": 150}}),
        mc.Future("ES", expiry="2026-12-17", settles="am", exchange="cme", multiplier=50, currency="USD"),
        mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=7, currency="USD"),
        mc.Spot("BTC", currency="USD"),
        mc.Perpetual("BTC", multiplier=1, currency="USDC"),
    ],
    ids=lambda contract: contract.id,
)
def test_a_contract_whose_symbol_nothing_says_is_refused(contract: mc.Contract) -> None:
    with pytest.raises(mc.MissingData, match="give it an alias by the name of a dialect"):
        symbols.spell(contract, "compact")
