"""Tables of brokers: one account in every format, however its columns, numbers and footers are written."""

from __future__ import annotations

import gzip
import io
import random
from pathlib import Path

import pytest
from made_positions import ACTIVITY, CASH, HELD, PRICES, SHEETS, is_option, sheet

import margincore as mc
from margincore.importers import read_positions

EQUITIES = {"fidelity": ("MSFT",), "etrade": ("MSFT",)}  # no column says that MSFT is a stock


def check(file: mc.importers.PositionsFile, quotes: bool = True) -> None:
    assert {p.contract.id: p.quantity for p in file.positions} == HELD
    assert file.cash["USD"] == CASH
    kinds = {p.contract.id: p.contract.kind for p in file.positions}
    assert kinds["MSFT"] == "stock"
    assert kinds["QQQ"] == "etf"
    assert kinds["QQQ261218P00500000"] == "option"
    assert not file.left_out
    if quotes:
        assert file.spots == {name: price for name, price in PRICES.items() if not is_option(name)}
        assert file.marks == {name: price for name, price in PRICES.items() if is_option(name)}
        assert file.missing() == ()


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("seed", range(12))
def test_columns_in_any_order_and_fewer_of_them_say_the_same(name: str, seed: int) -> None:
    dice = random.Random(seed)
    rows, columns = SHEETS[name](dice)
    dice.shuffle(columns)
    if name != "etrade":
        dice.shuffle(rows)
    text = sheet(rows, columns, quoted=dice.random() < 0.5)
    file = read_positions(text, equities=EQUITIES.get(name, ()))
    assert file.format == name
    check(file)


@pytest.mark.parametrize("name", ["schwab", "fidelity", "etrade"])
@pytest.mark.parametrize(("form", "delimiter"), [("comma", ";"), ("comma", "\t"), ("comma", ","), ("brackets", ",")])
def test_numbers_with_decimal_commas_and_in_brackets_say_the_same(name: str, form: str, delimiter: str) -> None:
    rows, columns = SHEETS[name](random.Random(3), form)
    check(read_positions(sheet(rows, columns, delimiter), equities=EQUITIES.get(name, ())))


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_line_ends_and_ways_to_hand_it_over(coding: str, ends: str, tmp_path: Path) -> None:
    rows, columns = SHEETS["schwab"](random.Random(5))
    title = '"Positions for account Margin ...9 as of 04:30 PM ET, 2026/11/25",""\n\n\n'
    footer = '\n"Account Total","--","--","$1.00"\n\n"This file is for your own use only."\n'
    text = (title + sheet(rows, columns, quoted=True) + footer).replace("\r\n", "\n").replace("\n", ends)
    data = text.encode(coding)
    path = tmp_path / "no-name-says-anything"
    path.write_bytes(data)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(data))
    for source in (
        path,
        str(path),
        packed,
        data,
        gzip.compress(data),
        io.BytesIO(data),
        io.StringIO(text),
        path.open("rb"),
    ):
        file = read_positions(source)
        check(file)
        assert str(file.as_of) == "2026-11-25"
        assert file.account_id == "Margin ...9"
        assert "lines of text: 1" in file.notes
        assert "rows of sums: 1" in file.notes


def test_an_activity_statement_has_its_sections() -> None:
    file = read_positions(ACTIVITY)
    check(file)
    assert file.format == "ibkr-activity"
    assert file.cash == {"USD": CASH, "EUR": 1000.0}
    assert file.account_id == "U7"
    assert str(file.as_of) == "2026-11-25"
    assert "section Trades: 1" in file.notes
    assert "2 rows of lots beside their sum: 1" in file.notes


def test_flex_with_headers_trailers_and_other_sections() -> None:
    text = (
        '"BOF","U1","Positions","2","20261125","20261125"\n"BOA","U1"\n'
        '"HEADER","POST","ClientAccountID","CurrencyPrimary","FXRateToBase","AssetClass","Symbol","Quantity","MarkPrice"\n'
        '"DATA","POST","U1","USD","1","STK","QQQ","40","521.5"\n'
        '"DATA","POST","U1","EUR","1.16","STK","SAP","30","240"\n'
        '"HEADER","CRTT","ClientAccountID","CurrencyPrimary","EndingCash"\n'
        '"DATA","CRTT","U1","BASE_SUMMARY","99"\n"DATA","CRTT","U1","EUR","-250.5"\n'
        '"HEADER","TRNT","ClientAccountID","TradeID","Buy/Sell"\n"DATA","TRNT","U1","77","BUY"\n'
        '"EOA","U1"\n"EOF","U1"\n'
    )
    file = read_positions(text)
    assert [(p.contract.id, p.quantity, p.contract.currency) for p in file.positions] == [
        ("QQQ", 40, "USD"),
        ("SAP", 30, "EUR"),
    ]
    assert file.cash == {"EUR": -250.5}
    assert file.fx == {"EURUSD": 1.16}
    assert "rows of other sections: 1" in file.notes


def test_lots_without_a_sum_are_counted() -> None:
    text = (
        "AssetClass,Symbol,CurrencyPrimary,Quantity,MarkPrice,LevelOfDetail\nSTK,QQQ,USD,3,5,LOT\nSTK,QQQ,USD,4,5,LOT\n"
    )
    assert read_positions(text).positions[0].quantity == 7


@pytest.mark.parametrize("quantity", ["336.446", "336,446"])
def test_parts_of_shares_have_the_lot_their_decimals_imply(quantity: str) -> None:
    text = f'Symbol;Quantity;Last Price;Current Value\nQQQ;{quantity};"521,50";"1,00"\n'
    if "." in quantity:
        text = text.replace(",", ".")
    [position] = read_positions(text).positions
    assert position.quantity == 336.446
    assert position.contract.lot == 0.001
    with pytest.raises(mc.InvalidInput, match="lot"):
        read_positions(text, lot=1.0)


def test_several_accounts_are_chosen_from() -> None:
    rows = "Account Number,Symbol,Quantity,Last Price,Current Value\nA1,QQQ,5,$5,$25\nB2,QQQ,7,$5,$35\n"
    with pytest.raises(mc.InvalidInput, match="A1, B2"):
        read_positions(rows)
    with pytest.raises(mc.InvalidInput, match="did you mean"):
        read_positions(rows, account="B1")
    file = read_positions(rows, account="B2")
    assert file.positions[0].quantity == 7
    assert file.accounts == ("A1", "B2")
    every = mc.importers.read_positions_by_account(rows)
    assert {name: each.positions[0].quantity for name, each in every.items()} == {"A1": 5, "B2": 7}


def test_schwab_names_an_account_above_each_table() -> None:
    head = '"Symbol","Quantity","Price","Market Value","Security Type"\n'
    text = '"Positions for All-Accounts as of 04:30 PM ET, 2026/11/25"\n\n' + "".join(
        f'"{name}"\n{head}"QQQ","{n}","$5.00","$5.00","ETFs & Closed End Funds"\n'
        f'"Cash & Cash Investments","--","--","${n}.50","Cash and Money Market"\n'
        '"Positions Total","","--","$9","--"\n\n'
        for name, n in (("Individual ...123", 3), ("Roth IRA ...456", 4))
    )
    found = mc.importers.read_positions_by_account(text)
    assert {name: (file.positions[0].quantity, file.cash["USD"]) for name, file in found.items()} == {
        "Individual ...123": (3, 3.5), "Roth IRA ...456": (4, 4.5),
    }  # fmt: skip


def test_columns_may_be_named_by_the_caller() -> None:
    text = "Ticker|Pos|Px|Art\nQQQ|5|521.5|ETF\n"
    text += "MSFT 01/15/2027 450.00 C|-2|9.85|Option\nUSD|12.5||Cash\n/ESZ26|1|6700.25|Future\n"
    columns = {"symbol": "Ticker", "quantity": "Pos", "price": "Px", "kind": "Art"}
    file = read_positions(text, map=columns, equities=["MSFT"])
    assert {p.contract.id: p.quantity for p in file.positions} == {"QQQ": 5, "MSFT270115C00450000": -2, "ESZ26": 1}
    assert file.cash == {"USD": 12.5}
    assert file.marks["ESZ26"] == 6700.25
    with pytest.raises(mc.InvalidInput, match="map: 'qty' is not a field"):
        read_positions(text, map={"qty": "Pos"})
    with pytest.raises(mc.ParseError, match="lacks Nowhere"):
        read_positions(text, map={**columns, "symbol": "Nowhere"})


def test_rows_of_one_contract_are_one_position() -> None:
    text = "Symbol,Quantity,Last Price,Current Value,Type\nQQQ,5,$5,$25,Cash\nQQQ,7,$5,$35,Margin\nQQQ,-2,$6,$1,Short\n"
    file = read_positions(text)
    assert file.positions[0].quantity == 10
    assert file.spots == {}
    assert any("5 and 6" in note for note in file.notes)


def test_shares_of_a_class_are_written_as_options_are_on_them() -> None:
    text = "Symbol,Quantity,Price,Market Value,Security Type\n"
    text += "BRK/B,5,$500,$1,Equity\nBRKB 12/18/2026 500.00 P,-1,$5,$1,Option\n"
    assert [p.contract.underlying for p in read_positions(text).positions] == ["BRKB", "BRKB"]


@pytest.mark.parametrize("symbol", ["SHOP.T", "VOD L", "RY/V"])
def test_a_letter_that_nothing_says_is_a_class_may_be_an_exchange(symbol: str) -> None:
    text = f"Symbol,Quantity,Price,Market Value,Security Type\n{symbol},5,$500,$1,Equity\n"
    root, joined = symbol[:-2], symbol[:-2] + symbol[-1]
    words = f"may be class {symbol[-1]} of {root}, or {root} at an exchange"
    with pytest.raises(mc.MissingData, match=words) as caught:
        read_positions(text)
    assert caught.value.code == "not_stated"
    assert [p.contract.underlying for p in read_positions(text, equities=[joined]).positions] == [joined]
    row = {"symbol": joined, "kind": "stock", "source": "the listing"}
    known = read_positions(text, securities=mc.Securities().extended([row]))
    assert [p.contract.underlying for p in known.positions] == [joined]


def test_cash_summed_in_the_base_currency_alone_is_cash() -> None:
    text = (
        "Account Information,Header,Field Name,Field Value\nAccount Information,Data,Base Currency,CHF\n"
        "Cash Report,Header,Currency Summary,Currency,Total\nCash Report,Data,Ending Cash,Base Currency Summary,500.5\n"
        "Open Positions,Header,DataDiscriminator,Asset Category,Currency,Symbol,Quantity\n"
        "Open Positions,Data,Summary,Stocks,USD,SPY,5\n"
    )
    assert read_positions(text).cash == {"CHF": 500.5}
    with pytest.raises(mc.InvalidInput, match="cash in"):
        read_positions(text.replace("Base Currency,CHF", "Name,X"))


def test_the_year_of_a_future_of_one_digit_is_decided_by_a_day() -> None:
    text = "Symbol,AssetClass,CurrencyPrimary,Quantity,MarkPrice{}\nESZ6,FUT,USD,-1,6700{}\n"
    with pytest.raises(mc.InvalidInput, match="2016, 2026 or 2036"):
        read_positions(text.format("", ""))
    for file in (
        read_positions(text.format("", ""), on="2026-11-25"),
        read_positions(text.format(",ReportDate", ",20261125")),
    ):
        assert file.positions[0].contract.id == "ESZ26"
