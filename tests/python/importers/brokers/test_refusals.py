"""What is refused: every row with file and line, all at once, with what would mend it; nothing dropped in silence."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from made_positions import SHEETS, sheet

import margincore as mc
from margincore.importers import quotes_template, read_positions, read_quotes

HEAD = "Symbol,Description,Quantity,Last Price,Current Value\n"
SCHWAB = "Symbol,Quantity,Price,Market Value,Security Type\n"


def test_every_refusal_comes_at_once_with_its_line_and_what_mends_it() -> None:
    text = HEAD + (
        "SPY,SPDR,5,$600,$3000\n"
        "NVDA,NVIDIA CORP,5,$180,$900\n"
        "-AMD261218C200,AMD CALL,1,$3,$300\n"
        "SPAXX,a fund,100,$1.00,$100\n"
        "Pending Activity,,,,-$41.20\n"
        "SPY,SPDR,many,$600,$3000\n"
        "912828XY1,US TREASURY,1000,$99,$990\n"
        "SPX,S&P INDEX,1,$6700,$6700\n"
        "-SPY261318C200,SPY CALL,1,$3,$300\n"
        "SPY,SPDR,,$600,$3000\n"
    )
    with pytest.raises(mc.InvalidInput) as caught:
        read_positions(text, name="p.csv")
    error = caught.value
    assert [refusal.place for refusal in error.refusals] == [f"p.csv:{line}" for line in range(3, 12)]
    message = str(error)
    assert message.startswith("p.csv: 9 of 10 rows refused:")
    for refusal in error.refusals:
        assert f"{refusal.place}: {refusal.reason}" in message
        assert refusal.text
        assert refusal.code in mc.error_codes()
    assert "what would mend it: --equity NVDA --equity AMD --money-fund SPAXX" in message
    file = read_positions(text, name="p.csv", lenient=True)
    assert [p.contract.id for p in file.positions] == ["SPY"]
    assert file.left_out == error.refusals
    assert pickle.loads(pickle.dumps(file.left_out[0])) == file.left_out[0]


def test_a_message_lists_twenty_and_counts_the_rest() -> None:
    text = SCHWAB + "".join(f"AAA{chr(65 + n)}X,many,$1,$1,Equity\n" for n in range(26))
    with pytest.raises(mc.InvalidInput) as caught:
        read_positions(text)
    assert len(caught.value.refusals) == 26
    assert str(caught.value).count("text:") == 21
    assert "and 6 more" in str(caught.value)


def test_one_refusal_keeps_its_class() -> None:
    with pytest.raises(mc.MissingData, match=r"p\.csv:2: .*--equity|p\.csv:2") as caught:
        read_positions(HEAD + "NVDA,NVIDIA,5,$180,$900\n", name="p.csv")
    assert caught.value.code == "missing_product"
    assert caught.value.refusals[0].mend == "--equity NVDA"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("MSFT,1.2.3,$1,$1,Equity", "not an amount"),
        ("MSFT,(5,$1,$1,Equity", "not an amount"),
        ("MSFT,--5,$1,$1,Equity", "more than one sign"),
        ("MSFT,5,$1,$1,Fixed Income", "'Fixed Income'"),
        ("MSFT,5", "2 cells in a row of 5"),
        ("MSFT,5,$1,$1,Equity,more", "6 cells in a row of 5"),
        ("MSFT 12/18/2026 400.00 C,1.5,$1,$1,Option", "lot"),
        ("MSFT 13/18/2026 400.00 C,1,$1,$1,Option", "13"),
        ("NOTATICKER,1,$1,$1,Equity", "ticker"),
        ("MSFT1 12/18/2026 400.00 C,1,$1,$1,Option", "adjusted"),
        (",1,$1,$1,Equity", "Symbol is empty"),
    ],
)
def test_a_bad_row_is_refused_by_name(row: str, words: str) -> None:
    with pytest.raises(mc.MarginError, match=words) as caught:
        read_positions(f"{SCHWAB}MSFT,5,$1,$1,Equity\n{row}\n", name="s.csv")
    assert "s.csv:3" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Symbol,AssetClass,CurrencyPrimary,Quantity,Side\nQQQ,STK,USD,-5,Long\n", "says long"),
        ("Symbol,AssetClass,CurrencyPrimary,Quantity,Side\nQQQ,STK,USD,5,Flat\n", "'flat'"),
        ("Symbol,AssetClass,CurrencyPrimary,Quantity,Side\nXS123,BOND,USD,5,Long\n", "'BOND'"),
        (
            "Symbol,AssetClass,CurrencyPrimary,Quantity,Side,Strike\nSPY   261218C00700000,OPT,USD,5,Long,690\n",
            "strike is 690",
        ),
        (
            "Symbol,AssetClass,CurrencyPrimary,Quantity,Side,Multiplier\nSPY   261218C00700000,OPT,USD,5,Long,10\n",
            "multiplier is 10",
        ),
        ("Symbol,AssetClass,CurrencyPrimary,Quantity,Side\nSPY   261218C00700000,OPT,CAD,5,Long\n", "currency is CAD"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(text: str, words: str) -> None:
    with pytest.raises(mc.InvalidInput if "BOND" not in words else mc.Unsupported, match=words):
        read_positions(text)


def test_an_option_is_standard_by_the_file_only_where_the_file_says_so() -> None:
    option = "NVDA 12/18/2026 200.00 C,-1,$1,$1,Option\n"
    with pytest.raises(mc.MissingData, match="equities"):
        read_positions(SCHWAB + option)
    assert len(read_positions(SCHWAB + "NVDA,100,$180,$1,Equity\n" + option).positions) == 2
    head = "Symbol,AssetClass,CurrencyPrimary,Quantity,UnderlyingSymbol,UnderlyingSecurityID,Multiplier\n"
    row = "NVDA  261218C00200000,OPT,USD,-1,NVDA,{},{}\n"
    assert len(read_positions(head + row.format("US67066G1040", "100")).positions) == 1
    for isin, multiplier in (("", "100"), ("US67066G1040", "10")):
        with pytest.raises(mc.MissingData):
            read_positions(head + row.format(isin, multiplier))


def test_a_money_market_fund_is_cash_where_its_row_or_the_caller_says_so() -> None:
    said = read_positions(HEAD + "SPRXX,FIDELITY MONEY MARKET,100,$1.00,$100.00\n")
    assert said.cash == {"USD": 100.0}
    assert not said.positions
    with pytest.raises(mc.MissingData, match="money_funds"):
        read_positions(HEAD + "VMFXX,VANGUARD FEDERAL,100,$1.00,$100.00\n")
    assert read_positions(HEAD + "VMFXX,VANGUARD FEDERAL,100,$1.00,\n", money_funds=["VMFXX"]).cash == {"USD": 100.0}


def test_no_known_format_says_what_the_nearest_two_lack() -> None:
    with pytest.raises(mc.ParseError) as caught:
        read_positions("Symbol,Quantity,Last Price,Note\nQQQ,5,$5,hold\n")
    message = str(caught.value)
    assert "fidelity" in message
    assert "lacks Current Value" in message
    assert message.count("lacks") == 2
    assert "--map" in message
    with pytest.raises(mc.InvalidInput, match="did you mean"):
        read_positions("a,b\n1,2\n", format="fidelty")
    with pytest.raises(mc.ParseError, match="schwab"):
        read_positions("Symbol,Quantity\nQQQ,5\n", format="schwab")


def test_columns_that_are_named_twice_are_refused() -> None:
    with pytest.raises(mc.InvalidInput, match="named twice: Quantity"):
        read_positions("Symbol,Quantity,Quantity,Last Price,Current Value\nQQQ,5,6,$5,$5\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Symbol;Quantity;Last Price;Current Value\nQQQ;1.000;5;5\n", "decimal="),
        ("Symbol;Quantity;Last Price;Current Value\nQQQ;1,5;5.25;5\n", "decimal points"),
    ],
)
def test_a_decimal_point_that_nothing_decides_is_asked_for(text: str, words: str) -> None:
    with pytest.raises(mc.InvalidInput, match=words):
        read_positions(text)


def test_a_stated_decimal_point_decides() -> None:
    text = "Symbol;Quantity;Last Price;Current Value\nQQQ;1.000;5;5\n"
    assert read_positions(text, decimal=",").positions[0].quantity == 1000
    assert read_positions(text, decimal=".").positions[0].quantity == 1


def hostile() -> list[tuple[bytes, str]]:
    sheet_of_excel = io.BytesIO()
    with zipfile.ZipFile(sheet_of_excel, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    return [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (sheet_of_excel.getvalue(), "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64), "Excel workbook"),
        (b"%PDF-1.7\n", "PDF"),
        (b"<!DOCTYPE html><html></html>", "HTML page"),
        (b"<FlexQueryResponse/>", "XML document"),
        (HEAD.encode() + b"QQQ\0,1,1,1,1\n", "2: a NUL byte"),
        (HEAD.encode() + b"QQQ" + b"x" * 10_000_000, "characters"),
        (HEAD.encode() + b"\xff\xfe\n", "is not UTF-8"),
        (gzip.compress(b"0" * 60_000_000, mtime=0), "times its size"),
        (gzip.compress(HEAD.encode(), mtime=0)[:-4], "before its packed data"),
        (b'{"a": 1', "column"),
        (b'{"result": [1, 2]}', "list of objects"),
        (b'{"result": []}', "empty list"),
        (b'{"positions": [{"foo": 1}]}', "no known format"),
        (b"[" * 100_000, "nested too deep"),
        (b'[{"instrument_name": "BTC-PERPETUAL", "size": 1e400}]', "out of range"),
        (b'[{"instrument_name": "BTC-PERPETUAL", "size": true}]', "a number is needed"),
        (b'[{"instrument_name": "BTC-PERPETUAL"}]', "no known format"),
        (b'Symbol,Quantity,Last Price,Current Value\n"QQQ,1,1,1\n', "2"),
    ]


@pytest.mark.parametrize(("content", "words"), hostile())
def test_hostile_content_is_refused_clearly(content: bytes, words: str) -> None:
    with pytest.raises(mc.MarginError, match=words):
        read_positions(content, name="a.csv")


def test_sources_that_are_none() -> None:
    with pytest.raises(mc.InvalidInput, match="a path, an open file"):
        read_positions(5)  # type: ignore[arg-type]
    with pytest.raises(mc.ParseError, match="nowhere"):
        read_positions("nowhere.csv")


@pytest.mark.parametrize("seed", range(25))
def test_every_row_ends_as_something(seed: int) -> None:
    """Rows that are cut, doubled or garbled: what is read and what is left out add up to what was there."""
    dice = random.Random(seed)
    rows, columns = SHEETS["schwab"](dice)
    lines = sheet(rows, columns).splitlines()
    for at in range(1, len(lines)):
        if dice.random() < 0.5:
            lines[at] = "".join(c if dice.random() < 0.97 else dice.choice(',x9"-') for c in lines[at])
    try:
        file = read_positions("\n".join(lines) + "\n", lenient=True)
    except mc.MarginError:
        return  # a quote that is never closed, a file of which nothing is left
    noted = sum(
        int(note.rpartition(": ")[2]) for note in file.notes if note.startswith(("rows of sums", "lines of text"))
    )
    held = len(file.positions) + bool(file.cash)
    assert held + len(file.left_out) + noted >= len({line for line in lines[1:]}) - 1
    assert held + len(file.left_out) + noted <= len(lines) - 1


def test_a_template_holds_what_is_missing_and_is_read_back(tmp_path: Path) -> None:
    file = read_positions("symbol,quantity\nSPXW261218P04500000,-2\nSPY,100\n")
    text = quotes_template(file)
    lines = text.splitlines()
    assert lines[0] == "symbol,price,vol,spot,rate,dividend_yield,fx,valuation"
    assert [line.split(",")[0] for line in lines[1:]] == ["valuation", "SPXW261218P04500000", "SPX", "SPY", "USD"]
    assert file.missing() == ("SPXW261218P04500000", "SPX", "SPY")
    filled = {
        "valuation": (7, "2026-11-25T16:00:00-05:00"),
        "SPXW261218P04500000": (1, "3.5"),
        "SPX": (3, "6700"),
        "SPY": (3, "671"),
    }
    out = []
    for line in lines:
        cells = line.split(",")
        if cells[0] in filled:
            at, value = filled[cells[0]]
            assert cells[at] == ""
            cells[at] = value
        out.append(",".join(cells))
    path = tmp_path / "q.csv"
    path.write_text("\n".join(out) + "\n")
    quotes = read_quotes(path)
    assert file.missing(quotes) == ()
    market = file.market(quotes=quotes, rate=0.04)
    assert market.spot == {"SPX": 6700.0, "SPY": 671.0}
    assert market.valuation.startswith("2026-11-25T16:00")
    assert mc.margin(file.account(), market, mc.methods.Tims()).requirement.initial > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("symbol,bid\nSPY,5\n", "column 'bid'"),
        ("price\n5\n", "no column 'symbol'"),
        ("symbol,spot\nSPY,many\nQQQ,x\n", "2 of 2 rows"),
        ("symbol,spot\nSPY,5\nSPY,6\n", "above"),
        ("symbol,spot\nSPY\n", "1 cells"),
        ("symbol,spot\n,5\n", "empty"),
    ],
)
def test_quotes_are_read_strictly(text: str, words: str) -> None:
    with pytest.raises(mc.MarginError, match=words):
        read_quotes(text)


def test_a_valuation_is_stated_or_asked_for() -> None:
    file = read_positions(
        '"Positions for account Margin ...1 as of 04:30 PM ET, 2026/11/25"\n' + SCHWAB + "SPY,5,$600,$3,Equity\n"
    )
    with pytest.raises(mc.MissingData, match="--valuation"):
        file.market()
    assert file.market(close="16:00 America/New_York").valuation == "2026-11-25T16:00:00-05:00"
    with pytest.raises(mc.InvalidInput, match="a time and a zone"):
        file.market(close="4 pm")
    with pytest.raises(mc.MissingData, match="says no day"):
        read_positions(SCHWAB + "SPY,5,$600,$3,Equity\n").market(close="16:00 America/New_York")


def test_what_is_left_out_by_name_is_listed() -> None:
    text = SCHWAB + "SPY,5,$600,$3,Equity\nQQQ,5,$500,$3,Equity\n"
    file = read_positions(text, leave_out=["QQQ"])
    assert [p.contract.id for p in file.positions] == ["SPY"]
    assert "left out by name" in file.left_out[0].reason
    with pytest.raises(mc.InvalidInput, match="does not hold IWM"):
        read_positions(text, leave_out=["IWM"])


def test_the_page_on_files_names_every_format() -> None:
    page = (Path(__file__).parents[4] / "docs/files.md").read_text(encoding="utf-8")
    table = page.partition("## Formats")[2]
    for name in mc.importers.position_formats():
        assert f"`{name}`" in table, name


def test_an_account_of_which_nothing_is_left_is_refused_even_where_rows_may_be_left_out() -> None:
    with pytest.raises(mc.MissingData, match="NVDA"):
        read_positions(HEAD + "NVDA,NVIDIA,5,$180,$900\n", lenient=True)


def test_a_pair_of_currencies_is_no_cash() -> None:
    head = "Symbol,AssetClass,CurrencyPrimary,Quantity,Side\n"
    assert read_positions(head + "EUR,CASH,EUR,5,Long\n").cash == {"EUR": 5.0}
    with pytest.raises(mc.Unsupported, match=r"EUR\.USD"):
        read_positions(head + "EUR.USD,CASH,USD,5,Long\n")


def test_terms_may_be_of_one_account_of_several() -> None:
    text = (
        "account_code,exchange_code,contract_code,contract_type,contract_expiry,contract_strike,net_position\n"
        "A,CME,ES,FUT,202612,,2\nB,EUREX,SIE,CALL,20261218,180,-3\n"
    )
    stated = {
        "SIE": {"multiplier": 100, "currency": "EUR", "settles": "pm", "exchange": "eurex", "exercise": "american"}
    }
    found = mc.importers.read_positions_by_account(text, terms=stated)
    assert found["B"].positions[0].contract.multiplier == 100
    with pytest.raises(mc.InvalidInput, match="'XYZ' are stated"):
        mc.importers.read_positions_by_account(text, terms={**stated, "XYZ": {"multiplier": 1}})


def test_a_book_in_two_currencies_asks_for_their_price(tmp_path: Path) -> None:
    etd = (
        "Product ID,Expiry Year,Expiry Month,Expiry Day,Version Number,Product Settlement Type,Call Put Flag,"
        "Exercise Price,Exercise Style Flag,Instrument Type,Assigned/Notified Balance,Exercised/Allocated Balance,"
        "Long Balance,Short Balance\n"
        "ODAX,2026,12,18,0,C,P,23000,EUROPEAN,Option,0,0,0,10\n"
        "ABBN,2026,12,18,0,S,C,60,AMERICAN,Option,0,0,10,7\n"
    )
    terms: dict[str, Any] = {
        "ABBN": {"multiplier": 100.0, "currency": "CHF", "exercise": "american", "settles": "pm"},
        "ODAX": {"expiry": "2026-12-18T13:00:00+01:00"},
    }
    file = read_positions(etd, terms=terms)
    lines = quotes_template(file).splitlines()
    assert lines[-1] == "CHFEUR,-,-,-,-,-,,-"
    given = {"DAX": "spot", "ABBN": "spot", "EUR": "rate", "CHF": "rate", "CHFEUR": "fx"}
    numbers = {"DAX": "23900", "ABBN": "58", "EUR": "0.02", "CHF": "0.005", "CHFEUR": "1.07"}
    head = lines[0].split(",")
    filled = [lines[0]]
    for line in lines[1:]:
        cells = dict(zip(head, line.split(","), strict=True))
        name = cells["symbol"]
        column = "valuation" if name == "valuation" else given.get(name, "vol")
        assert cells[column] == ""
        cells[column] = "2026-11-25T17:00:00+01:00" if name == "valuation" else numbers.get(name, "0.2")
        filled.append(",".join(cells.values()))
    market = file.market(quotes=read_quotes("\n".join(filled) + "\n"))
    assert market.to_dict()["fx"] == {"CHFEUR": 1.07}
    ranges = {name: {"price_scan": 0.1, "vol_scan": 0.2} for name in ("DAX", "ABBN")}
    report = mc.margin(file.account(), market, mc.methods.SpanLike(ranges))
    assert report.requirement.initial > 0.0
    assert {line.currency for line in report.lines} == {"EUR", "CHF"}
