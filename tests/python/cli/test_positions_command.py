"""From a broker's raw file to a number, in one command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from helpers import commodity, family, future, spn
from margincore.cli.commands import app

WHEN = ("--valuation", "2026-11-25T16:00:00-05:00")
SCHWAB = (
    '"Positions for account Margin ...77 as of 04:30 PM ET, 2026/11/25","","","",""\n\n'
    '"Symbol","Qty (Quantity)","Price","Mkt Val (Market Value)","Security Type"\n'
    '"NVDA","300","$180.50","$54,150.00","Equity"\n'
    '"NVDA 12/18/2026 200.00 C","-3","$2.40","-$720.00","Option"\n'
    '"Cash & Cash Investments","--","--","$1,000.00","Cash and Money Market"\n'
    '"Account Total","--","--","$54,430.00","--"\n'
)
FIDELITY = (
    "Account Number,Symbol,Description,Quantity,Last Price,Current Value,Type\n"
    "Z9,SPAXX**,HELD IN MONEY MARKET,,,$1000.00,Cash,\n"
    "Z9,NVDA,NVIDIA CORP,300,$180.50,$54150.00,Margin,\n"
    "Z9, -NVDA261218C200,NVDA DEC 18 2026 $200 CALL,-3,$2.40,-$720.00,Margin,\n\n"
    '"Date downloaded Nov-25-2026 4:30 p.m ET"\n'
)
FLEX = (
    '"ClientAccountID","CurrencyPrimary","AssetClass","Symbol","UnderlyingSymbol","UnderlyingSecurityID","Multiplier",'
    '"ReportDate","Quantity","MarkPrice","Side"\n'
    '"U1","USD","STK","NVDA","","","1","20261125","300","180.5","Long"\n'
    '"U1","USD","OPT","NVDA  261218C00200000","NVDA","US67066G1040","100","20261125","-3","2.40","Short"\n'
)
ETRADE = (
    "Account Summary\nAccount,Net Account Value\nBrokerage -77,54430\n\n"
    "Symbol,Last Price $,Change $,Change %,Qty #,Price Paid $,Day's Gain $,Total Gain $,Total Gain %,Value $\n"
    "NVDA,180.50,1,1,300,100,0,0,0,54150.00\nNVDA Dec 18 '26 $200 Call,2.40,0,0,-3,1,0,0,0,-720.00\n"
    "CASH,,,,,,,,,1000.00,\nTOTAL,,,,,,0,0,0,54430.00,\nGenerated at Nov 25 2026 04:30 PM ET\n"
)
TASTYTRADE = (
    "Account,Symbol,Type,Quantity,Exp Date,DTE,Strike Price,Call/Put,Mark\n5W,NVDA,Equity,300,,,,,180.50\n"
    "5W,NVDA,Equity Option,-3,2026-12-18,23d,200,Call,2.40\n"
)
OWN = "symbol,quantity,kind,price\nNVDA,300,stock,180.50\nNVDA261218C00200000,-3,,2.40\n"
FILES = {"schwab": SCHWAB, "fidelity": FIDELITY, "flex": FLEX, "etrade": ETRADE, "tastytrade": TASTYTRADE, "own": OWN}
WANT = 0.5 * 300 * 180.50 - 3 * 240
"""Half of the stock; the calls are covered, and their premium pays (Regulation T, 12 CFR 220.12)."""


def run(*arguments: Any, input: str | None = None) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=input)


@pytest.mark.parametrize("name", FILES)
def test_a_raw_file_becomes_a_number_in_one_command(name: str, tmp_path: Path) -> None:
    path = tmp_path / "positions"
    path.write_text(FILES[name])
    result = run("margin", path, "--method", "reg-t", *WHEN, "--equity", "NVDA", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["requirement"]["initial"] == pytest.approx(WANT)
    assert "left_out" not in report


def test_standard_input_and_the_day_of_the_file() -> None:
    close = ("--close", "16:00 America/New_York")
    result = run("margin", "-", "--method", "reg-t", *close, "--json", input=SCHWAB)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["requirement"]["initial"] == pytest.approx(WANT)
    shown = run("margin", "-", "--method", "reg-t", *close, input=SCHWAB).stdout
    assert "standard input: schwab, 2 positions, account Margin ...77, of 2026-11-25" in shown


def test_refusals_come_at_once_and_what_mends_them_does(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text(FIDELITY)
    result = run("margin", path, "--method", "reg-t", *WHEN)
    assert result.exit_code == 2
    assert f"{path}:3: " in result.stderr
    assert f"{path}:4: " in result.stderr
    assert "what would mend it: --equity NVDA\n" in result.stderr
    assert "hint:" in result.stderr


def test_lenient_leaves_out_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(SCHWAB.replace('"Cash &', '"912828XY1","5","$99","$1","Fixed Income"\n"Cash &'))
    assert "Fixed Income" in run("margin", path, "--method", "reg-t", *WHEN).stderr
    shown = run("margin", path, "--method", "reg-t", *WHEN, "--lenient")
    assert shown.exit_code == 0
    assert "left out, and not margined: 1 rows" in shown.stdout
    assert "s.csv:6" in shown.stdout
    report = json.loads(run("margin", path, "--method", "reg-t", *WHEN, "--lenient", "--json").stdout)
    assert report["requirement"]["initial"] == pytest.approx(WANT)
    assert [each["place"] for each in report["left_out"]] == [f"{path}:6"]
    assert "912828XY1" in report["left_out"][0]["text"]


def test_missing_quotes_are_listed_and_the_template_mends_them(tmp_path: Path) -> None:
    path, quotes = tmp_path / "a.csv", tmp_path / "q.csv"
    path.write_text("symbol,quantity\nSPXW261218P06400000,-2\nSPY,100\n")
    options = ("margin", path, "--method", "tims")
    assert (
        "missing quotes (3): SPXW261218P06400000, SPX, SPY: margincore quotes-template" in run(*options, *WHEN).stderr
    )
    text = run("quotes-template", path).stdout
    text = text.replace("SPX,-,-,,", "SPX,-,-,6700,").replace("SPY,-,-,,", "SPY,-,-,671,")
    quotes.write_text(text.replace("SPXW261218P06400000,,", "SPXW261218P06400000,55.25,"))
    assert "--rate" in run(*options, *WHEN, "--quotes", quotes).stderr
    result = run(*options, *WHEN, "--quotes", quotes, "--rate", "0.04", "--json")
    assert result.exit_code == 0, result.output
    quotes.write_text(quotes.read_text().replace("valuation,-,-,-,-,-,-,", f"valuation,-,-,-,-,-,-,{WHEN[1]}"))
    again = run(*options, "--quotes", quotes, "--rate", "0.04", "--json")
    assert again.stdout == result.stdout


def test_columns_terms_accounts_and_names_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "Depot;Ticker;Stk;Kurs;Art\nA;NVDA;300;180,50;Stock\nB;NVDA;100;180,50;Stock\nB;/ESZ26;1;6700,25;Future\n"
    )
    columns = ("--map", "symbol=Ticker,quantity=Stk,price=Kurs,kind=Art,account=Depot")
    options = ("margin", path, "--method", "reg-t", *WHEN, "--json", *columns)
    assert "A, B" in run(*options).stderr
    assert json.loads(run(*options, "--account-id", "A").stdout)["requirement"]["initial"] == pytest.approx(150 * 180.5)
    assert "ESZ26" in run(*options, "--account-id", "B").stderr  # Regulation T has no futures
    report = json.loads(run(*options, "--account-id", "B", "--leave-out", "ESZ26").stdout)
    assert report["requirement"]["initial"] == pytest.approx(50 * 180.5)
    assert "by name" in report["left_out"][0]["reason"]
    assert "name=value" in run("margin", path, "--method", "reg-t", "--map", "symbol").stderr
    for terms, words in (
        ("ES", "ROOT:name=value"),
        ("ES:size=5", "'size' is not one of"),
        ("ES:multiplier=x", "multiplier"),
    ):
        assert words in run(*options, "--terms", terms).stderr


def test_options_of_files_are_refused_beside_a_document(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text('{"positions": []}')
    for option in (WHEN, ("--lenient",), ("--map", "symbol=a,quantity=b"), ("--quotes", path)):
        assert f"{option[0]} is of a CSV account" in run("margin", path, "--method", "tims", *option).stderr


def test_a_market_beside_a_file_must_not_contradict_it(tmp_path: Path) -> None:
    path, market = tmp_path / "s.csv", tmp_path / "m.json"
    path.write_text(SCHWAB)
    market.write_text(json.dumps({"valuation": WHEN[1], "spot": {"NVDA": 180.5}}))
    options = ("margin", path, "--method", "reg-t", "--market", market)
    assert json.loads(run(*options, "--json").stdout)["requirement"]["initial"] == pytest.approx(WANT)
    assert "leave --valuation" in run(*options, *WHEN).stderr
    market.write_text(json.dumps({"valuation": WHEN[1], "spot": {"NVDA": 170.0}}))
    assert "spot of 'NVDA' is 180.5 here and 170.0" in run(*options).stderr


def test_a_statement_takes_the_same_files(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(SCHWAB)
    result = run("statement", path, "--method", "reg-t", "--close", "16:00 America/New_York", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["initial"] == pytest.approx(WANT)


BASKET = [
    {"exchange": "NFO", "tradingsymbol": "NIFTY26DECFUT", "transaction_type": "SELL", "quantity": 150},
    {"exchange": "NFO", "tradingsymbol": "BANKNIFTY26DECFUT", "transaction_type": "BUY", "quantity": 30},
]


def test_a_basket_is_margined_on_a_span_file_in_units(tmp_path: Path) -> None:
    """Two lots of 75 are 150 contracts of one unit in the file, at a scan range of 10: 1,500; 30 at 9: 270."""
    file, path = tmp_path / "a.spn", tmp_path / "basket.json"
    families = family("NIFTY", future(1, "20261229", 10), "INR") + family("BANKNIFTY", future(2, "20261229", 9), "INR")
    file.write_bytes(spn("NSE", families, commodity("NIFTY", "INR", "NSE") + commodity("BANKNIFTY", "INR", "NSE")))
    path.write_text(json.dumps(BASKET))
    terms = ("--terms", "NIFTY:multiplier=75,expiry=2026-12-29", "--terms", "BANKNIFTY:multiplier=30,expiry=2026-12-29")
    result = run("span", file, path, *terms, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["requirement"]["initial"] == pytest.approx(150 * 10 + 30 * 9)
    assert "--terms NIFTY:multiplier=" in run("span", file, path).stderr
    late = tuple(term.replace("12-29", "12-30") for term in terms)
    refused = run("span", file, path, *late).stderr
    assert "the SPAN file has not: NIFTY 2026-12-30 future (nearest: NSE:NIFTY:FUT:20261229" in refused


def test_a_quote_of_nothing_held_and_prices_of_another_day_are_told(tmp_path: Path) -> None:
    path, quotes = tmp_path / "a.csv", tmp_path / "q.csv"
    path.write_text(
        '"Positions for account X ...1 as of 04:30 PM ET, 2026/11/25"\n'
        "Symbol,Quantity,Price,Market Value,Security Type\nSPY,100,$671,$67100,ETF\n"
    )
    quotes.write_text("symbol,spot\nSPYY,300\n")
    told = run("margin", path, "--method", "reg-t", "--valuation", "2026-10-01T16:00:00-04:00", "--quotes", quotes)
    assert told.exit_code == 0, told.output
    assert f"note: {path}: a quote of SPYY, which the file does not hold; did you mean SPY?" in told.stderr
    assert f"note: {path}: the file is of 2026-11-25, and valued on 2026-10-01" in told.stderr
    assert "note:" not in run("margin", path, "--method", "reg-t", *WHEN).stderr
