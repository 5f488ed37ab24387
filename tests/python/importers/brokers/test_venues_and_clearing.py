"""Replies of venues and Indian brokers, files of clearing houses: units, sides, terms that are stated."""

from __future__ import annotations

import json
import random

import pytest
from made_positions import DERIBIT, KITE, as_json, sheet

import margincore as mc
from margincore.importers import read_positions

LOT = {"BANKNIFTY": {"multiplier": 30, "expiry": "2026-12-29"}}


def held(file: mc.importers.PositionsFile) -> dict[str, float]:
    return {p.contract.id: p.quantity for p in file.positions}


@pytest.mark.parametrize("wrap", [(), ("result",), ("result", "data")])
def test_deribit_counts_dollars_and_coins(wrap: tuple[str, ...]) -> None:
    file = read_positions(as_json(DERIBIT, *wrap))
    assert held(file) == {"ETH-25DEC26-4000-C": -12, "ETH-PERPETUAL": 7000}
    assert file.spots == {"ETH": 3000.0}
    assert file.marks["ETH-PERPETUAL"] == 3001.5
    assert file.missing() == ()
    perpetual = file.positions[1].contract
    assert (perpetual.multiplier, perpetual.multiplier_unit, perpetual.settlement) == (1.0, "USD", "inverse")
    assert file.notes == ("closed positions of size 0: 1",)


def test_deribit_short_rows_may_print_a_positive_size() -> None:
    [short] = read_positions(as_json([{**DERIBIT[0], "size": 12.0}])).positions
    assert short.quantity == -12
    with pytest.raises(mc.InvalidInput, match="direction 'buy'"):
        read_positions(as_json([{**DERIBIT[0], "direction": "buy"}]))


def test_okx_counts_contracts_whose_size_is_stated() -> None:
    rows = [
        {
            "instId": "BTC-USDT-SWAP",
            "instType": "SWAP",
            "pos": "25",
            "posSide": "short",
            "markPx": "91000.5",
            "idxPx": "91000",
        },
        {
            "instId": "BTC-USD-SWAP",
            "instType": "SWAP",
            "pos": "-10",
            "posSide": "net",
            "markPx": "91010",
            "idxPx": "91000",
        },
    ]
    text = json.dumps({"code": "0", "data": rows, "msg": ""})
    with pytest.raises(mc.MissingData, match="ctVal") as caught:
        read_positions(text)
    assert caught.value.refusals[0].mend == "--terms BTC-USDT-SWAP:multiplier=..."
    file = read_positions(text, terms={"BTC-USDT-SWAP": {"multiplier": 0.01}})
    assert held(file) == {"BTC-USDT-SWAP": -25, "BTC-USD-SWAP": -10}
    assert [p.contract.multiplier for p in file.positions] == [0.01, 100.0]
    with pytest.raises(mc.InvalidInput, match="posSide"):
        read_positions(
            json.dumps([{**rows[0], "pos": "-25"}]), lenient=False, terms={"BTC-USDT-SWAP": {"multiplier": 0.01}}
        )


def test_okx_options_of_a_family_share_their_size() -> None:
    rows = [{"instId": f"BTC-USD-261225-{strike}-C", "pos": "-3", "posSide": "net"} for strike in (90000, 95000)]
    file = read_positions(as_json(rows, "data"), terms={"BTC-USD option": {"multiplier": 0.01}})
    assert [p.contract.multiplier for p in file.positions] == [0.01, 0.01]


def test_bybit_has_a_side() -> None:
    rows = [
        {"symbol": "BTCUSDT", "side": "Sell", "size": "0.5", "avgPrice": "90000", "markPrice": "91000"},
        {"symbol": "BTCUSD", "side": "Buy", "size": "3000", "avgPrice": "90000", "markPrice": "91000"},
        {"symbol": "ETHUSDT", "side": "", "size": "0", "avgPrice": "0", "markPrice": "3000"},
    ]
    file = read_positions(json.dumps({"retCode": 0, "result": {"category": "linear", "list": rows}}))
    assert held(file) == {"BTCUSDT": -0.5, "BTCUSD": 3000}
    assert file.marks == {"BTCUSDT": 91000.0, "BTCUSD": 91000.0}
    assert file.missing() == ("BTC",)


@pytest.mark.parametrize("wrap", [(), ("data", "net"), ("net",)])
def test_kite_counts_units_of_lots_that_are_stated(wrap: tuple[str, ...]) -> None:
    text = as_json(KITE, *wrap)
    with pytest.raises(mc.InvalidInput) as caught:
        read_positions(text)
    assert len(caught.value.refusals) == 2
    assert "--terms BANKNIFTY:multiplier=...,expiry=..." in str(caught.value)
    file = read_positions(text, terms=LOT)
    assert held(file) == {"BANKNIFTY 2026-12-29 52000 call": -2, "BANKNIFTY 2026-12-29 future": 1, "INFY": 8}
    assert file.marks["BANKNIFTY 2026-12-29 52000 call"] == 310.5
    assert file.spots == {"INFY": 1600.0}
    with pytest.raises(mc.InvalidInput, match="whole number of lots of 7"):
        read_positions(text, terms={"BANKNIFTY": {**LOT["BANKNIFTY"], "multiplier": 7}})
    by_month = {"BANKNIFTY": {"multiplier": 30}, "BANKNIFTY 2026-12": {"expiry": "2026-12-29"}}
    assert held(read_positions(text, terms=by_month)) == held(file)


def test_terms_that_no_row_needs_are_refused() -> None:
    with pytest.raises(mc.InvalidInput, match="'NIFTY' are stated, and no row"):
        read_positions(as_json(KITE), terms={**LOT, "NIFTY": {"multiplier": 75}})


def test_baskets_and_other_indian_shapes() -> None:
    basket = [
        {
            "exchange": "NFO",
            "tradingsymbol": "BANKNIFTY26DEC52000CE",
            "transaction_type": "SELL",
            "quantity": 60,
            "price": 1.5,
        },
        {
            "exchange": "NFO",
            "tradingsymbol": "BANKNIFTY26DEC53000CE",
            "transaction_type": "BUY",
            "quantity": 60,
            "price": 1.5,
        },
    ]
    want = {"BANKNIFTY 2026-12-29 52000 call": -2, "BANKNIFTY 2026-12-29 53000 call": 2}
    file = read_positions(as_json(basket), terms=LOT)
    assert held(file) == want
    assert file.marks == {}
    openalgo = [
        {"symbol": "BANKNIFTY29DEC2652000CE", "exchange": "NFO", "action": "SELL", "product": "NRML", "quantity": "60"},
        {"symbol": "BANKNIFTY29DEC2653000CE", "exchange": "NFO", "action": "BUY", "product": "NRML", "quantity": "60"},
    ]
    assert held(read_positions(as_json(openalgo, "positions"), terms={"BANKNIFTY": {"multiplier": 30}})) == want
    dhan = [
        {"tradingSymbol": "BANKNIFTY-Dec2026-52000-CE", "securityId": "1", "exchangeSegment": "NSE_FNO",
         "positionType": "SHORT",
         "netQty": -60, "drvExpiryDate": "2026-12-29 14:30:00"},
        {"tradingSymbol": "BANKNIFTY-Dec2026-53000-CE", "securityId": "2", "exchangeSegment": "NSE_FNO",
         "positionType": "LONG",
         "netQty": 60, "drvExpiryDate": "2026-12-29 14:30:00"},
    ]  # fmt: skip
    assert held(read_positions(as_json(dhan), terms={"BANKNIFTY": {"multiplier": 30}})) == want
    upstox = [
        {"instrument_key": "NSE_FO|52618", "quantity": 60, "transaction_type": "SELL", "product": "D", "price": 0}
    ]
    with pytest.raises(mc.MissingData, match=r"NSE_FO\|52618.*says nothing"):
        read_positions(as_json(upstox, "instruments"))


CORE = [
    "Bus_Date",
    " Exch",
    " Product_Type",
    " Product_Code",
    " Setl_Cur",
    " CVF",
    " Period",
    " Buy_Sell",
    " Qty",
    " Setl_Price",
    " Cust_Acct",
    " Put_Call",
    " Strike",
    " Expiration_Date",
]


@pytest.mark.parametrize("seed", range(4))
def test_cme_core_transactions_add_up_to_positions(seed: int) -> None:
    rows = [
        "11/24/2026,CME,FUT,NQ,USD,20,202612,Buy,5,24000.25,A,,,",
        "11/24/2026,CME,FUT,NQ,USD,20,202612,Sell,2,24000.25,A,,,",
        "11/24/2026,CME,OOF,ES,USD,50,202612,Sell,4,20.5,A,P,6000,12/18/2026",
    ]
    cells = [dict(zip(CORE, row.split(","), strict=True)) for row in rows]
    columns = CORE.copy()
    random.Random(seed).shuffle(columns)
    file = read_positions(sheet(cells, columns))
    assert file.format == "cme-core"
    assert held(file) == {"NQZ26": 3, "ESZ26 P6000": -4}
    assert (file.positions[0].long, file.positions[0].short) == (5, 2)
    assert [contract.id for contract in file.written_on] == ["ESZ26"]  # what the option is on
    assert file.missing() == ("ESZ26",)
    assert file.marks == {"NQZ26": 24000.25, "ESZ26 P6000": 20.5}
    assert str(file.as_of) == "2026-11-24"


def test_cme_core_terms_that_contradict_the_table_are_refused() -> None:
    head = ",".join(CORE)
    with pytest.raises(mc.InvalidInput, match="multiplier is 25"):
        read_positions(f"{head}\n11/24/2026,CME,FUT,NQ,USD,25,202612,Buy,5,24000.25,A,,,\n")
    with pytest.raises(mc.InvalidInput, match="expiry is 2026-12-11"):
        read_positions(f"{head}\n11/24/2026,CME,OOF,ES,USD,50,202612,Sell,4,20.5,A,P,6000,12/11/2026\n")


def test_eurex_in_its_two_forms() -> None:
    long = (
        "Product ID,Expiry Year,Expiry Month,Expiry Day,Version Number,Product Settlement Type,Call Put "
        "Flag,Exercise Price,"
        "Exercise Style Flag,Instrument Type,Long Balance,Short Balance\n"
        "FESX,2026,12,18,0,C,,,,Future,0,6\nOESX,2026,12,18,0,C,C,5600,EUROPEAN,Option,9,4\nFESX,2027,3,19,0,C,,,,Future,0,0\n"
    )
    short = (
        "Product ID,Contract Date,Call Put Flag,Exercise Price,Version Number,Net LS Balance\n"
        "FESX,20261218,,,0,-6\nOESX,20261218,C,5600,0,5\n"
    )
    hour = {"settles": "am", "exchange": "eurex"}
    terms = {"OESX": {"underlying": "SX5E", "multiplier": 10, "currency": "EUR", "exercise": "european", **hour}}
    with pytest.raises(mc.MissingData, match="'OESX' is in no table here"):
        read_positions(long)
    one, two = read_positions(long, terms=terms), read_positions(short, terms=terms)
    assert held(one) == held(two) == {one.positions[0].contract.id: -6, one.positions[1].contract.id: 5}
    assert (one.positions[1].long, one.positions[1].short) == (9, 4)
    assert one.positions[1].contract.currency == "EUR"
    assert one.account(gross=True).gross
    months = short.replace("Contract Date", "Maturity").replace("20261218", "202612")
    with pytest.raises(mc.MissingData, match="OESX DEC26: no day of expiry"):
        read_positions(months, terms=terms)
    futures = "".join(line for line in months.splitlines(keepends=True) if "OESX" not in line)
    assert held(read_positions(futures)) == {one.positions[0].contract.id: -6}
    with pytest.raises(mc.Unsupported, match="version 1"):
        read_positions(short.replace("C,5600,0", "C,5600,1"))
    dax = short.replace("OESX", "ODAX")
    with pytest.raises(mc.MissingData, match="no table here says when it expires"):
        read_positions(dax)
    [_, option] = read_positions(dax, terms={"ODAX": hour}).positions
    assert (option.contract.underlying, option.contract.expires) == ("DAX", "2026-12-18T11:00:00Z")


def test_eurex_options_on_stocks_take_what_no_column_says() -> None:
    text = (
        "Product ID,Contract Date,Call Put Flag,Exercise Price,Version Number,Exercise Style,Net LS Balance\n"
        "SIE,20261218,P,180,0,AMERICAN,-3\n"
    )
    with pytest.raises(mc.MissingData, match="SIE"):
        read_positions(text)
    terms = {"SIE": {"multiplier": 100, "currency": "EUR", "settles": "pm", "exchange": "eurex"}}
    [position] = read_positions(text, terms=terms).positions
    assert (position.contract.exercise, position.contract.strike, position.contract.multiplier) == (
        "american",
        180,
        100,
    )


def test_strata_and_cumulus9_name_exchange_and_code() -> None:
    strata = (
        "Strata Position Type,Exchange,Contract Code,Long Quantity,Short Quantity,Expiry,Put Call,Exercise Price\n"
        "FUT,XCME,ES,2,0,2026-12,,\nOPT,XCME,ES,0,3,2026-12,Put,6000\n"
    )
    cumulus = (
        "account_code,exchange_code,contract_code,contract_type,contract_expiry,contract_strike,net_position\n"
        "A,CME,ES,FUT,20261200,,2\nA,CME,ES,PUT,DEC-26,6000,-3\n"
    )
    want = {"ESZ26": 2, "ESZ26 P6000": -3}
    assert held(read_positions(strata)) == held(read_positions(cumulus)) == want
    rows = [
        dict(zip(cumulus.splitlines()[0].split(","), line.split(","), strict=True)) for line in cumulus.splitlines()[1:]
    ]
    assert held(read_positions(as_json(rows, "portfolio"))) == want
    with pytest.raises(mc.MissingData, match="'ICE'"):
        read_positions(strata.replace("FUT,XCME", "FUT,ICE"))


def test_occ_rows_are_options_by_their_parts() -> None:
    text = (
        "Account ID,Acct Type,Underlying,Type,Symbol,Exp "
        "Date,C/P,Strike,Quantity\nA,C,SPX,O,SPXW,12/18/2026,P,6000,-4\n"
        "A,C,SPY,E,SPY,,,,300\n"
    )
    assert held(read_positions(text)) == {"SPXW261218P06000000": -4, "SPY": 300}


def test_tastytrade_replies_have_directions() -> None:
    rows = [
        {"account-number": "5WX", "symbol": "QQQ   261218P00500000", "instrument-type": "Equity Option",
         "quantity": "3",
         "quantity-direction": "Short", "close-price": "NaN", "multiplier": 100},
        {"account-number": "5WX", "symbol": "BTC/USD", "instrument-type": "Cryptocurrency", "quantity": "0.25",
         "quantity-direction": "Long", "close-price": "91000.0"},
        {"account-number": "5WX", "symbol": "QQQ", "instrument-type": "Equity", "quantity": 100,
         "quantity-direction": "Long",
         "close-price": "0.0"},
    ]  # fmt: skip
    file = read_positions(as_json(rows, "data", "items"))
    assert held(file) == {"QQQ261218P00500000": -3, "BTC": 0.25, "QQQ": 100}
    assert file.marks == {}
    assert file.spots == {"BTC": 91000.0}
    assert file.missing() == ("QQQ261218P00500000", "QQQ")
