"""Rows that were lost, doubled or misread in silence: each is a position, or a refusal that names it."""

from __future__ import annotations

from typing import Any

import pytest

import margincore as mc
from margincore.importers import read_positions, read_positions_by_account
from margincore.importers.brokers.terms import Terms

H = "Symbol,Description,Qty (Quantity),Price,Mkt Val (Market Value),Security Type\n"
F = "Account Number,Symbol,Description,Quantity,Last Price,Current Value\n"
FLEX = "ClientAccountID,AssetClass,Symbol,CurrencyPrimary,Quantity,MarkPrice,Multiplier,Strike,Expiry,Put/Call,"
FLEX += "LevelOfDetail\n"


def held(text: str, **options: Any) -> dict[str, float]:
    return {p.contract.id: p.quantity for p in read_positions(text, **options).positions}


def refused(text: str, words: str, **options: Any) -> None:
    with pytest.raises(mc.MarginError, match=words):
        read_positions(text, **options)


def kite(*rows: tuple[str, int], **more: str) -> str:
    items = [
        f'{{"exchange":"NFO","tradingsymbol":"{name}","quantity":{quantity}'
        + "".join(f',"{key}":"{value}"' for key, value in more.items())
        + "}"
        for name, quantity in rows
    ]
    return f"[{','.join(items)}]"


def test_an_expiry_is_of_one_month() -> None:
    both = kite(("NIFTY26NOV26000PE", -75), ("NIFTY26DEC26000PE", 75))
    terms = {"NIFTY": {"multiplier": 75, "expiry": "2026-12-29"}}
    refused(both, "not in its month: state one for each month", terms=terms)
    refused(kite(("NIFTY26NOVFUT", 75)), "not in its month", terms=terms)
    each = {
        "NIFTY": {"multiplier": 75},
        "NIFTY 2026-11": {"expiry": "2026-11-24"},
        "NIFTY 2026-12": {"expiry": "2026-12-29"},
    }
    assert sorted(held(both, terms=each).values()) == [-1, 1]
    # Elsewhere a contract month may end in the month before it, and still in one only.
    columns = "Strata Position Type,Exchange,Contract Code,Quantity,Expiry\n"
    own = {"ZZ": {"multiplier": 10, "currency": "USD", "expiry": "2026-12-18"}}
    rows = columns + "FUT,CME,ZZ,1,2026-12\nFUT,CME,ZZ,-1,2027-03\n"
    refused(rows, "is that of ZZ 2026-12 already: state one for each month", terms=own)


@pytest.mark.parametrize("name", ["EOS", "BOF", "EOF", "BOA"])
def test_a_ticker_is_no_trailer(name: str) -> None:
    assert held(H + f"{name},SOME CORP,-1000,$5.00,-$5000.00,Equity\n") == {name: -1000}
    assert held(f"symbol,quantity,kind\n{name},5,stock\n") == {name: 5}
    flex = "Symbol,AssetClass,CurrencyPrimary,Quantity,MarkPrice\n"
    assert held(flex + f"{name},STK,USD,7,5\nEOF,U1\n") == {name: 7}


@pytest.mark.parametrize("name", ["TOTAL", "TOTALS"])
def test_a_row_of_a_quantity_is_no_sum(name: str) -> None:
    assert held(f"symbol,quantity,kind\n{name},5,stock\n") == {name: 5}
    assert held(H + f"{name},SOME CORP,5,$5.00,$25.00,Equity\nTotal,--,--,--,$25.00,--\n") == {name: 5}


def test_a_fund_of_the_money_market_that_is_traded_is_a_fund() -> None:
    rows = "PMMF,ISHARES PRIME MONEY MARKET ETF,100,$100.00,$10000.00,{}\n"
    option = "PMMF 12/18/2026 100.00 C,CALL ISHARES PRIME MONEY MARKET ETF,-2,$0.45,-$90.00,Option\n"
    file = read_positions(H + rows.format("ETFs & Closed End Funds") + option)
    assert {p.contract.id: p.quantity for p in file.positions} == {"PMMF": 100, "PMMF261218C00100000": -2}
    assert not file.cash
    refused(F + "A,PMMF,ISHARES PRIME MONEY MARKET ETF,100,$100.00,$10000.00\n", "--equity|stock or a fund")
    assert read_positions(F + "A,SPRXX,FIDELITY MONEY MARKET,100,$1.00,$100.00\nA,SPY,S,1,$1,$1\n").cash == {
        "USD": 100.0
    }


@pytest.mark.parametrize("first", ["", "#", "*"])
def test_a_blank_first_cell_ends_no_table(first: str) -> None:
    text = f"{first},Symbol,Description,Quantity,Last Price,Current Value\n"
    text += "1,SPY,S,1,$600,$600\n,QQQ,Q,2,$500,$1000\n*,IWM,I,3,$200,$600\n"
    assert held(text) == {"SPY": 1, "QQQ": 2, "IWM": 3}


def test_a_row_like_the_header_is_a_row() -> None:
    text = "Account,Symbol,Security Type,Quantity,Price,Market Value\nAccount,SPY,ETF,1,$600,$600\nB,QQQ,ETF,2,$5,$10\n"
    assert {name: len(file.positions) for name, file in read_positions_by_account(text).items()} == {
        "Account": 1,
        "B": 1,
    }


def test_part_of_an_option_is_no_share() -> None:
    columns = {"symbol": "S", "quantity": "Q", "right": "R", "strike": "K", "expiry": "E"}
    head = "S,Q,R,K,E\n"
    assert held(head + "SPY,-3,C,600,2026-12-18\nSPY,5,,,\nQQQ,1,,0,\n", map=columns) == {
        "SPY261218C00600000": -3, "SPY": 5, "QQQ": 1,
    }  # fmt: skip
    for row in ("SPY,-3,C,600,", "SPY,-3,,600,2026-12-18", "SPY,-3,C,,2026-12-18"):
        refused(head + row + "\n", "a row of an option without", map=columns)
    occ = "Account ID,Symbol,Underlying,Exp Date,C/P,Strike,Quantity\n"
    refused(occ + "A,SPY,SPY,12/18/2026,,600,5\n", "a row of an option without C/P")
    assert held(occ + "A,SPY,SPY,,,,5\n") == {"SPY": 5}


def test_lots_that_are_closed_are_not_held() -> None:
    rows = "U1,STK,SPY,USD,60,600,1,,,,SUMMARY\nU1,STK,SPY,USD,60,600,1,,,,CLOSED_LOT\n"
    assert held(FLEX + rows) == {"SPY": 60}
    assert "1 rows of closed lots: 1" in read_positions(FLEX + rows).notes
    refused(FLEX + "U1,STK,SPY,USD,60,600,1,,,,EXECUTION\n", "level of detail EXECUTION is no open position")


def test_orders_that_were_not_done_are_not_held() -> None:
    terms = {"NIFTY": {"multiplier": 75, "expiry": "2026-12-29"}}
    done = kite(("NIFTY26DECFUT", 75), status="COMPLETE")
    assert sum(held(done, terms=terms).values()) == 1
    both = f"{done[:-1]},{kite(('NIFTY26DECFUT', 75), status='REJECTED')[1:]}"
    assert sum(held(both, terms=terms).values()) == 1
    for status in ("OPEN", "TRIGGER PENDING"):
        refused(kite(("NIFTY26DECFUT", 75), status=status), "is no position", terms=terms)
    part = kite(("NIFTY26DECFUT", 150), status="CANCELLED", filled_quantity="75")
    refused(part, "is no position", terms=terms)


@pytest.mark.parametrize(
    "row",
    ["AAPL 12/18/2026 290.00 C,CALL APPLE INC,\N{MINUS SIGN}2,n/a", "SPY,SPDR S&P 500,1 000", "SPY,SPDR S&P 500,(5)"],
)
def test_a_short_row_with_a_number_is_no_footer(row: str) -> None:
    refused(H + "QQQ,INVESCO,1,$500,$500,ETFs & Closed End Funds\n" + row + "\n", "cells in a row of 6")


def test_a_date_that_could_be_either_is_not_guessed() -> None:
    head = "ReportDate," + FLEX
    flex = read_positions(head + "04/12/2026,U1,STK,SPY,USD,1,600,1,,,,SUMMARY\n")
    assert flex.as_of is None
    assert any("could be 2026-04-12 or 2026-12-04" in note for note in flex.notes)
    assert str(read_positions(head + "20261204,U1,STK,SPY,USD,1,600,1,,,,SUMMARY\n").as_of) == "2026-12-04"
    columns = {"symbol": "S", "quantity": "Q", "right": "R", "strike": "K", "expiry": "E"}
    refused("S;Q;R;K;E\nSPY;-3;C;600;04/12/2026\n", "could be 2026-04-12 or 2026-12-04", map=columns)
    refused(FLEX + "U1,OPT,SPY 04DEC26 600 C,USD,1,5,100,600,04/12/2026,C,SUMMARY\n", "could be")
    # The United States print the month first.
    schwab = '"Positions for account X ...1 as of 04:30 PM ET, 04/12/2026"\n' + H + "SPY,S,1,$600,$600,ETF\n"
    assert str(read_positions(schwab).as_of) == "2026-04-12"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("U1,OPT,SPY   261218C00600000,USD,1,5,100,600,20261218,P,SUMMARY", "right is put in its column and call"),
        ("U1,OPT,SPY   261218C00600000,USD,1,5,100,650,20261218,C,SUMMARY", "strike is 650.0 in its column and 600"),
        ("U1,OPT,SPY   261218C00600000,USD,1,5,100,600,20261219,C,SUMMARY", "expiry is 2026-12-19 in its column"),
        ("U1,FOP,EW3Z6 P6400,USD,1,5,50,6400,20261218,C,SUMMARY", "right is call in its column and put"),
        ("U1,FOP,EW3Z6 P6400,USD,1,5,50,6500,20261218,P,SUMMARY", "strike is 6500.0 in its column and 6400"),
        ("U1,STK,SPY,USD,1,5,100,,,,SUMMARY", "a multiplier of 100 of a share"),
    ],
)
def test_columns_that_contradict_the_symbol_are_refused(row: str, words: str) -> None:
    refused("ReportDate," + FLEX + "20261125," + row + "\n", words)


def test_a_future_with_a_strike_and_an_option_in_another_currency_are_refused() -> None:
    cme = "Product_Type,Product_Code,Period,Buy_Sell,Qty,Setl_Cur,CVF,Put_Call,Strike\n"
    refused(cme + "FUT,ES,202612,Buy,1,USD,50,P,6400\n", "a future with Put_Call or Strike")
    head = F.strip() + ",Currency\n"
    refused(head + "A, -SPY261218C700,SPY CALL,-2,$3.05,-$610.00,CAD\n", "currency is CAD in the file and USD")


def test_what_stands_behind_a_dot_is_a_class_or_an_exchange() -> None:
    assert held(H + "BRK.B,BERKSHIRE,5,$500,$2500,Equity\n") == {"BRKB": 5}
    refused(H + "SHOP.T,SHOPIFY,5,$100,$500,Equity\n", "'SHOP.T' may be class T of SHOP")


def test_points_and_commas_that_could_each_be_either_are_refused() -> None:
    head = "Symbol,Quantity,Price,Market Value,Security Type\n"
    refused(head + 'SPY,"1.500","600,250","900,375",ETF\n', "nothing says whether its mark is a decimal point")
    assert held(head + 'SPY,"1.500","600,250","900,375",ETF\n', decimal=",") == {"SPY": 1500}
    assert held(head + 'SPY,"1,500","600.25","900,375.00",ETF\n') == {"SPY": 1500}


def test_tickers_that_look_like_nothing_and_coins_by_their_word() -> None:
    assert held(H + "NA,NANO LABS,5,$5,$25,Equity\nNAN,NUVEEN,7,$11,$77,Equity\n") == {"NA": 5, "NAN": 7}
    columns = {"symbol": "S", "quantity": "Q", "kind": "K"}
    assert held("S,Q,K\nBTC,2,coin\n", map=columns) == {"BTC": 2}


def test_a_price_below_zero_is_refused_where_it_stands() -> None:
    refused(H + "SPY,S,1,-$600,$600,ETF\n", r":2: spot of SPY is -600: below zero")
    refused(H + "SPY 12/18/2026 600.00 C,C,1,-$6,$600,Option\n", r":2: mark of SPY261218C00600000 is -6: below zero")


def test_advice_names_no_cell_that_is_no_ticker() -> None:
    with pytest.raises(mc.InvalidInput) as caught:
        read_positions(F + "A,=CMD|' /C calc'!A0,x,5,$5,$25\n")
    assert not caught.value.refusals[0].mend


def test_what_is_made_of_the_tables_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made again for every root or account, files of thousands of them took minutes."""
    counts = {"tables": 0, "extensions": 0}
    begin, standard = Terms.__init__, Terms.standard

    def counted(self: Terms, *arguments: Any) -> None:
        counts["tables"] += 1
        begin(self, *arguments)

    def extended(self: Terms, roots: Any) -> None:
        known = self.products
        standard(self, roots)
        counts["extensions"] += self.products is not known

    monkeypatch.setattr(Terms, "__init__", counted)
    monkeypatch.setattr(Terms, "standard", extended)
    names = [f"{a}{b}Q" for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJ"]
    rows = (f"{n},X,5,$5.00,$25.00,Equity\n{n} 12/18/2026 5.00 C,X,-1,$0.50,-$50.00,Option\n" for n in names)
    assert len(held(H + "".join(rows))) == 200
    assert counts == {"tables": 1, "extensions": 1}
    counts |= {"tables": 0, "extensions": 0}
    files = read_positions_by_account(F + "".join(f"A{n},SPY,S,1,$600,$600\n" for n in range(100)))
    assert len(files) == 100
    assert counts == {"tables": 1, "extensions": 0}
