"""What a text alone does not decide is refused with its candidates, and what no grammar reads with the nearest one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import margincore as mc
from margincore import symbols

ON = "2026-11-25"


@pytest.mark.parametrize(
    ("text", "candidates", "dialect", "says"),
    [
        ("BTC-25DEC26-100000-C", ["at deribit settled in BTC", "at bybit settled in USDC"], "bybit", "settled in USDC"),
        ("BTC-25DEC26", ["(deribit)", "(bybit)"], "deribit", "settled in BTC"),
        ("BTCUSDT", ["(binance)", "(bybit)"], "binance", "perpetual BTC at binance"),
        ("BTCUSD", ["stock BTCUSD (ticker)", "(bybit)"], "ticker", "stock BTCUSD"),
        ("NIFTY28MAR2420800CE", ["2028-03 call 2420800 (kite)", "2024-03-28 call 20800 (openalgo)"], "openalgo",
         "2024-03-28 call 20800"),
        ("NIFTY30JUN2623700CE", ["2030-06 call 2623700 (kite)", "2026-06-30 call 23700 (openalgo)"], "kite",
         "2030-06 call 2623700"),
        ("NIFTY26DEC25500PE", ["2026-12 put 25500 (kite)", "2025-12-26 put 500 (openalgo)"], "kite",
         "2026-12 put 25500"),
        ("AAPL 12/11/26 290 C", ["2026-12-11 call 290 (month_first)", "2026-11-12 call 290 (day_first)"], "day_first",
         "2026-11-12"),
    ],
)  # fmt: skip
def test_two_readings_are_refused_with_both(text: str, candidates: list[str], dialect: str, says: str) -> None:
    with pytest.raises(mc.InvalidInput) as caught:
        symbols.parse(text)
    message = str(caught.value)
    assert message.startswith(f"symbol {text!r} may say: ")
    assert message.endswith(": say dialect=")
    assert all(candidate in message for candidate in candidates), message
    assert (caught.value.code, caught.value.value) == ("not_stated", text)
    assert says in symbols.parse(text, dialect=dialect).said()


@pytest.mark.parametrize("text", ["ESZ6", "/ESZ6", "ESZ6 C4500", "ESZ6 Index", "CLF7 Comdty", "C Z6 Comdty"])
def test_a_year_of_one_digit_needs_a_date(text: str) -> None:
    with pytest.raises(mc.InvalidInput, match=r"may be 201\d, 202\d or 203\d: say on=") as caught:
        symbols.parse(text)
    assert caught.value.code == "not_stated"
    assert symbols.parse(text, on=ON).year in (2026, 2027)


@pytest.mark.parametrize(
    ("text", "on", "year"),
    [
        ("ESZ6", "2026-12-31", 2026), ("ESZ6", "2027-01-01", 2036), ("ESZ6", "2016-12-01", 2016), ("ESX6", ON, 2026),
        ("ESV6", ON, 2036), ("ESF0", "2029-12-31", 2030), ("ESZ26", "2027-01-01", 2026), ("ESZ9", "2020-01-01", 2029),
    ],
)  # fmt: skip
def test_the_nearest_year_whose_month_is_not_over(text: str, on: str, year: int) -> None:
    assert symbols.parse(text, on=on).year == year


def test_a_date_drops_an_expired_reading_only_where_nothing_else_differs() -> None:
    assert str(symbols.parse("AAPL 12/11/26 290 C", on=ON).expiry) == "2026-12-11"
    assert str(symbols.parse("AAPL 11/12/26 290 C", on=ON).expiry) == "2026-12-11"
    with pytest.raises(mc.InvalidInput, match="may say"):
        symbols.parse("AAPL 12/11/26 290 C", on="2026-11-01")  # both are alive
    with pytest.raises(mc.InvalidInput, match="may say"):
        symbols.parse("NIFTY28MAR2420800CE", on=ON)  # another strike: a wrong date would pick a wrong number


@pytest.mark.parametrize(
    "text",
    ["RELIANCE", "BAJFINANCE", "M&M", "BAJAJ-AUTO", "360ONE", "AAPL", "BRK.B", "BRK/B", "BRK B", "SPY", "CE", "PE"],
)
def test_an_equity_is_no_option(text: str) -> None:
    said = symbols.parse(text)
    assert (said.kind, said.root, said.strike) == ("stock", text, None)
    for broker in ("kite", "schwab", "ibkr"):
        at_broker = symbols.parse(text, dialect=broker)
        assert at_broker == replace(said, dialect=broker)
        assert symbols.spell(at_broker, broker) == text
    with pytest.raises(mc.InvalidInput):
        symbols.parse(text, dialect="globex")


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("NIFTY26DEC26000PE", "option", "NIFTY 2026-12 put 26000"),
        ("NIFTY26D0826000PE", "option", "NIFTY 2026-12-08 put 26000"),
        ("NIFTY2660223700CE", "option", "NIFTY 2026-06-02 call 23700"),
        ("NIFTY26O2023700CE", "option", "NIFTY 2026-10-20 call 23700"),
        ("NIFTY26N0323700CE", "option", "NIFTY 2026-11-03 call 23700"),
        ("NIFTYNXT5026DEC70000CE", "option", "NIFTYNXT50 2026-12 call 70000"),
        ("RELIANCE26DEC1400CE", "option", "RELIANCE 2026-12 call 1400"),
        ("BAJFINANCE26DECFUT", "future", "BAJFINANCE 2026-12"),
        ("M&M26DEC3500CE", "option", "M&M 2026-12 call 3500"),
        ("VEDL25APR24292.5CE", "option", "VEDL 2024-04-25 call 292.5"),
        ("CRUDEOIL26DEC5000PE", "option", "CRUDEOIL 2026-12 put 5000"),
        ("USDINR26DEC88.25CE", "option", "USDINR 2026-12 call 88.25"),
        ("NSE:NIFTY26N0323700CE", "option", "NIFTY 2026-11-03 call 23700 at NSE"),
        ("NSE:RELIANCE-EQ", "stock", "RELIANCE at NSE"),
        ("EW3Z26 P4450", "future_option", "EW3 2026-12 put 4450"),
        ("LOZ26 C6550", "future_option", "LO 2026-12 call 65.5"),
        ("SR3Z26", "future", "SR3 2026-12"),
        ("6EZ26", "future", "6E 2026-12"),
        ("CME_MINI:ESZ2026", "future", "ES 2026-12 at CME"),
        ("./CLZ2 LO1X2 221104C91", "future_option", "LO1 2022-11 2022-11-04 call 91 on CLZ22"),
        ("ODAX SI 20210319 CS EU C 14000.00 0", "option", "ODAX 2021-03-19 call 14000 european cash"),
        ("FGBL MAR 23", "future", "FGBL 2023-03"),
        ("P BMW  20221216 72 M", "option", "BMW 2022-12-16 put 72"),
        ("./EX3H26P6450:XCME", "future_option", "EX3 2026-03 put 6450 at CME"),
        ("AAPL Dec18'26 290 CALL", "option", "AAPL 2026-12-18 call 290"),
        ("RTX 3/20/2026 Call $185.00", "option", "RTX 2026-03-20 call 185"),
        ("MSFT 110122C27.5", "option", "MSFT 2011-01-22 call 27.5"),
        ("SPY_081718C290", "option", "SPY 2018-08-17 call 290"),
        ("SPX Jul 14 '26 7595 Call", "option", "SPX 2026-07-14 call 7595"),
        ("AAPL Dec 18 '26 $1,290.50 Call", "option", "AAPL 2026-12-18 call 1290.5"),
        ("AAPL--261219C00200000", "option", "AAPL 2026-12-19 call 200"),
        ("AAPL US 12/18/26 C290 EQUITY", "option", "AAPL 2026-12-18 call 290 at US Equity"),
        ("SPX 12/18/26 P4700 Index", "option", "SPX 2026-12-18 put 4700 Index"),
        ("BRK/B US Equity", "stock", "BRK/B at US Equity"),
    ],
)
def test_what_files_and_documents_hold(text: str, kind: str, says: str) -> None:
    said = symbols.parse(text) if text != "VEDL25APR24292.5CE" else symbols.parse(text, dialect="openalgo")
    assert (said.kind, said.said()) == (kind, f"{kind.replace('_', ' ')} {says}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ESA6", "nearest to globex (as 'ESZ6'), but month code 'A' is none of FGHJKMNQUVXZ"),
        ("/ESA6", "month code 'A' is none of FGHJKMNQUVXZ"),
        ("ESZ6 X4500", "'X' stands where C or P belongs"),
        ("NIFTY26DEX26000PE", "nearest to kite (as 'NIFTY26DEC26000PE'), but 'DEX' is none of JAN FEB"),
        ("NIFTY26DEC26000XE", "'XE' stands where CE or PE belongs"),
        ("NIFTY26D3226000PE", "is not a date"),
        ("NIFTY26D08026000PE", "strike '026000' is not a plain decimal number"),
        ("AAPL Dec 32 '26 $290 Call", "nearest to etrade"),
        ("AAPL Dec 18 '26 $290 Cal", "'CAL' stands where CALL or PUT belongs"),
        ("AAPL 30/02/26 290 C", "is not a date"),
        ("AAPL 18/12/2026 290 C", "did you mean '12/18/2026'"),
        ("AAPL261218C0290000", "has 7 digits"),
        ("ODAX SI 20210319 XS EU C 14000.00 0", "'XS' is none of CS, PS"),
        ("ODAX SI 20210319 CS EU C 14000.00 1", "version 1 marks a series that a corporate action adjusted"),
        ("ES1 Index", "generic future, which rolls"),
        ("ESZ6 Indx", "yellow key 'Indx' is none of Index, Comdty, Curncy"),
        ("/ESZ26:XXXX", "market code 'XXXX' is none of"),
        ("BTC-32DEC26-100000-C", "day"),
        ("aapl  261218c00290000", "it is in lower case: did you mean 'AAPL  261218C00290000'?"),
        ("AAPL\u00a0261218C00290000", "the character U+00A0 at position 5 belongs in no symbol"),
        ("\uff21APL", "U+FF21"),
        ("AAPL\n", "U+000A"),
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("A" * 81, "it has 81 characters"),
        ("hello world", "no grammar reads it; the nearest is"),
        ("ESZ2A", "no grammar reads it; the nearest is globex, as 'ESZ6': 'A' is too much"),
    ],
)
def test_what_no_grammar_reads_is_refused_with_the_nearest(text: str, words: str) -> None:
    with pytest.raises(mc.InvalidInput, match=re.escape(words)) as caught:
        symbols.parse(text, on=ON)
    assert str(caught.value).startswith(f"symbol {text!r}: ")
    assert caught.value.value == text
    assert caught.value.code in mc.error_codes()


@pytest.mark.parametrize("text", ["SR3Z26 C9662", "OZNZ26 C1105", "OGZ26 C2700", "XYZZ26 P1"])
def test_a_strike_of_unknown_unit_is_missing(text: str) -> None:
    """CME cuts digits off some strikes (SR3: 96.625 is written 9662), so that no scale is right for them."""
    with pytest.raises(mc.MissingData, match="no source here says in which unit") as caught:
        symbols.parse(text)
    assert caught.value.code == "missing_product"
    root, rest = text.split("Z26 ")
    assert symbols.parse(f"{root} 202612 {rest[0]} {rest[1:]}", dialect="clearing").strike == float(rest[1:])


def test_a_bloomberg_root_is_bloomberg_s() -> None:
    """``ES Comdty`` is Euroswiss and ``MES Index`` the MSCI future: no contract is made of them."""
    for text in ("ESZ6 Comdty", "MESZ6 Index", "YMZ6 Comdty"):
        with pytest.raises(mc.MissingData, match="no table of standard futures"):
            symbols.contract(text, on=ON)
    assert symbols.contract("DMZ6 Index", on=ON).id == "YMZ26"
