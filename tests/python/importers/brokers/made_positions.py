"""A made-up account, and files of every format that hold it."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import Any

import margincore as mc

HELD = {"MSFT": 250.0, "MSFT270115C00450000": -2.0, "QQQ": 40.0, "QQQ261218P00500000": 3.0, "MSFT261218P00400000": -1.0}
"""Quantities by contract id."""
PRICES = {
    "MSFT": 431.25, "MSFT270115C00450000": 9.85, "QQQ": 521.5,
    "QQQ261218P00500000": 4.15, "MSFT261218P00400000": 1234.5,
}  # fmt: skip
NAMES = {"MSFT": "MICROSOFT CORP", "QQQ": "INVESCO QQQ TRUST ETF"}
CASH = 8150.25


def sheet(rows: list[dict[str, str]], columns: list[str], delimiter: str = ",", quoted: bool = False) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return out.getvalue()


def dollars(value: float, form: str = "us") -> str:
    text = f"{abs(value):,.2f}"
    if form == "comma":
        text = text.translate(str.maketrans(",.", ".,"))
    if form == "brackets":
        return f"(${text})" if value < 0 else f"${text}"
    return f"{'-' if value < 0 else ''}{'' if form == 'comma' else '$'}{text}"


def count(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3f}"


def is_option(name: str) -> bool:
    return len(name) > 6


def multiplier(name: str) -> float:
    return 100.0 if is_option(name) else 1.0


def schwab(random: random.Random, form: str = "us") -> tuple[list[dict[str, str]], list[str]]:
    rows = [
        {
            "Symbol": mc.OsiSymbol(name).spelled("schwab") if is_option(name) else name,
            "Description": NAMES.get(name, "an option"),
            "Qty (Quantity)": count(quantity),
            "Price": dollars(PRICES[name], form),
            "Price Chng % (Price Change %)": "+0.36%",
            "Mkt Val (Market Value)": dollars(PRICES[name] * quantity * multiplier(name), form),
            "Cost Basis": "--",
            "Security Type": "Option"
            if is_option(name)
            else ("Equity" if name == "MSFT" else "ETFs & Closed End Funds"),
        }
        for name, quantity in HELD.items()
    ]
    rows.append(
        {
            "Symbol": "Cash & Cash Investments",
            "Description": "--",
            "Qty (Quantity)": "--",
            "Price": "--",
            "Mkt Val (Market Value)": dollars(CASH, form),
            "Security Type": "Cash and Money Market",
        }
    )
    optional = ["Description", "Price Chng % (Price Change %)", "Cost Basis"]
    columns = ["Symbol", "Qty (Quantity)", "Price", "Mkt Val (Market Value)", "Security Type"]
    return rows, columns + [name for name in optional if random.random() < 0.5]


def fidelity(random: random.Random, form: str = "us") -> tuple[list[dict[str, str]], list[str]]:
    rows = [
        {
            "Account Number": "Z1",
            "Symbol": f" {mc.OsiSymbol(name).spelled('fidelity').strip()}" if is_option(name) else name,
            "Description": NAMES.get(name, "an option"),
            "Quantity": count(quantity),
            "Last Price": dollars(PRICES[name], form),
            "Current Value": dollars(PRICES[name] * quantity * multiplier(name), form),
            "Total Gain/Loss Percent": "+3.30%",
            "Type": "Margin",
        }
        for name, quantity in HELD.items()
    ]
    rows.append(
        {
            "Account Number": "Z1",
            "Symbol": "SPAXX**",
            "Description": "HELD IN MONEY MARKET",
            "Current Value": dollars(CASH, form),
        }
    )
    optional = ["Account Number", "Total Gain/Loss Percent", "Type"]
    return rows, ["Symbol", "Description", "Quantity", "Last Price", "Current Value"] + [
        name for name in optional if random.random() < 0.5
    ]


def etrade(random: random.Random, form: str = "us") -> tuple[list[dict[str, str]], list[str]]:
    quantity_name = random.choice(["Quantity", "Qty #"])
    rows = [
        {
            "Symbol": mc.symbols.spell(mc.symbols.parse(name), "etrade") if is_option(name) else name,
            "Last Price $": dollars(PRICES[name], form),
            quantity_name: count(quantity),
            "Price Paid $": "1.00",
            "Value $": dollars(PRICES[name] * quantity * multiplier(name), form),
            "Change %": "--",
        }
        for name, quantity in HELD.items()
    ]
    rows.insert(1, {**rows[0], "Symbol": "     01/02/2026"})  # a lot below its sum
    rows.append({"Symbol": "CASH", "Value $": dollars(CASH, form)})
    optional = ["Change %"] if random.random() < 0.5 else []
    return rows, ["Symbol", "Last Price $", quantity_name, "Price Paid $", "Value $", *optional]


def flex(random: random.Random, form: str = "us") -> tuple[list[dict[str, str]], list[str]]:
    sided = random.random() < 0.5
    rows = []
    for name, quantity in HELD.items():
        said = mc.OsiSymbol(name) if is_option(name) else None
        shown = abs(quantity) if sided else quantity
        row = {
            "ClientAccountID": "U1", "CurrencyPrimary": "USD", "AssetClass": "OPT" if said else "STK",
            "Symbol": str(said) if said else name, "Quantity": f"{shown:g}", "MarkPrice": f"{PRICES[name]:g}",
            "Multiplier": f"{multiplier(name):g}", "Side": "Short" if quantity < 0 else "Long",
            "LevelOfDetail": "SUMMARY",
            "ReportDate": "20261125", "FXRateToBase": "1",
        }  # fmt: skip
        if said:
            row |= {
                "Strike": f"{said.strike:g}",
                "Expiry": said.expiry.replace("-", ""),
                "Put/Call": said.right[0].upper(),
            }
            row |= {"UnderlyingSymbol": said.root, "UnderlyingSecurityID": "US5949181045"}
        rows.append(row)
    rows.insert(1, {**rows[0], "LevelOfDetail": "LOT"})
    rows.append(
        {
            "ClientAccountID": "U1",
            "CurrencyPrimary": "USD",
            "AssetClass": "CASH",
            "Symbol": "USD",
            "Quantity": f"{CASH}",
            "LevelOfDetail": "SUMMARY",
        }
    )
    optional = ["ReportDate", "FXRateToBase", "Strike", "Expiry", "Put/Call", "Multiplier", "ClientAccountID"]
    columns = [
        "CurrencyPrimary",
        "AssetClass",
        "Symbol",
        "Quantity",
        "MarkPrice",
        "UnderlyingSymbol",
        "UnderlyingSecurityID",
    ]
    columns += ["LevelOfDetail", *(["Side"] if sided else [])]
    return rows, columns + [name for name in optional if random.random() < 0.6]


def tastytrade(random: random.Random, form: str = "us") -> tuple[list[dict[str, str]], list[str]]:
    rows = []
    for name, quantity in HELD.items():
        said = mc.OsiSymbol(name) if is_option(name) else None
        rows.append(
            {
                "Account": "5WX1",
                "Symbol": (said.root if random.random() < 0.5 else str(said)) if said else name,
                "Type": "Equity Option" if said else "Equity",
                "Quantity": count(quantity),
                "Exp Date": said.expiry if said else "",
                "Strike Price": f"{said.strike:g}" if said else "",
                "Call/Put": said.right.upper() if said else "",
                "Mark": f"{PRICES[name]:g}",
                "DTE": "23d",
                "IV Rank": "12.5",
            }
        )
    rows.append({"Account": "5WX1", "Symbol": "USD", "Type": "Cash", "Quantity": f"{CASH}"})
    columns = ["Symbol", "Type", "Quantity", "Exp Date", "Strike Price", "Call/Put", "Mark"]
    return rows, columns + [name for name in ("Account", "DTE", "IV Rank") if random.random() < 0.5]


def account(random: random.Random, form: str = "us") -> tuple[list[dict[str, str]], list[str]]:
    rows = [
        {"symbol": name, "quantity": f"{quantity:g}",
         "kind": "option" if is_option(name) else ("etf" if name == "QQQ" else "stock"),
         "price": f"{PRICES[name]:g}"}
        for name, quantity in HELD.items()
    ]  # fmt: skip
    return [*rows, {"symbol": "USD", "quantity": f"{CASH}", "kind": "cash"}], ["symbol", "quantity", "kind", "price"]


SHEETS = {
    "schwab": schwab, "fidelity": fidelity, "etrade": etrade, "ibkr-flex": flex,
    "tastytrade": tastytrade, "account": account,
}  # fmt: skip

ACTIVITY = """Statement,Header,Field Name,Field Value
Statement,Data,Title,Activity Statement
Statement,Data,Period,"November 2, 2026 - November 25, 2026"
Account Information,Header,Field Name,Field Value
Account Information,Data,Account,U7
Account Information,Data,Base Currency,USD
Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Quantity
Trades,Data,Order,Stocks,USD,MSFT,40
Cash Report,Header,Currency Summary,Currency,Total,Securities,Futures,
Cash Report,Data,Starting Cash,USD,1,1,0,
Cash Report,Data,Ending Cash,Base Currency Summary,9150.25,9150.25,0,
Cash Report,Data,Ending Cash,EUR,1000,1000,0,
Cash Report,Data,Ending Cash,USD,8150.25,8150.25,0,
Open Positions,Header,DataDiscriminator,Asset Category,Currency,Symbol,Open,Quantity,Mult,Cost,Close Price,Value,Code
Open Positions,Data,Summary,Stocks,USD,MSFT,-,250,1,400,431.25,107812.5,
Open Positions,Data,Lot,Stocks,USD,MSFT,"2026-07-07, 15:39:46",150,,400,431.25,64687.5,ST
Open Positions,Data,Lot,Stocks,USD,MSFT,"2026-08-07, 15:39:46",100,,400,431.25,43125,ST
Open Positions,Data,Summary,Stocks,USD,QQQ,-,40,1,400,521.5,20860,
Open Positions,Total,,Stocks,USD,,,,,,,128672.5,
Open Positions,Data,Summary,Equity and Index Options,USD,MSFT 15JAN27 450 C,-,-2,100,10,9.85,-1970,
Open Positions,Data,Summary,Equity and Index Options,USD,QQQ 18DEC26 500 P,-,3,100,10,4.15,1245,
Open Positions,Data,Summary,Equity and Index Options,USD,MSFT 18DEC26 400 P,-,-1,100,10,1234.5,-123450,
Open Positions,Total,,Equity and Index Options,USD,,,,,,,0,
Financial Instrument Information,Header,Asset Category,Symbol,Description,Conid,Type,Code
Financial Instrument Information,Data,Stocks,MSFT,MICROSOFT CORP,272093,COMMON,
Financial Instrument Information,Data,Stocks,QQQ,INVESCO QQQ TRUST,320227571,ETF,
"""

DERIBIT: list[dict[str, Any]] = [
    {"instrument_name": "ETH-25DEC26-4000-C", "kind": "option", "size": -12.0, "direction": "sell", "mark_price": 0.05,
     "index_price": 3000.0},
    {"instrument_name": "ETH-PERPETUAL", "kind": "future", "size": 7000, "direction": "buy", "mark_price": 3001.5,
     "index_price": 3000.0},
    {"instrument_name": "ETH-25DEC26", "kind": "future", "size": 0.0, "direction": "zero", "mark_price": 3010.0,
     "index_price": 3000.0},
]  # fmt: skip

KITE: list[dict[str, Any]] = [
    {"tradingsymbol": "BANKNIFTY26DEC52000CE", "exchange": "NFO", "product": "NRML", "quantity": -60, "multiplier": 1,
     "last_price": 310.5},
    {"tradingsymbol": "BANKNIFTY26DECFUT", "exchange": "NFO", "product": "NRML", "quantity": 30, "multiplier": 1,
     "last_price": 51990.0},
    {"tradingsymbol": "INFY", "exchange": "NSE", "product": "CNC", "quantity": 8, "multiplier": 1,
     "last_price": 1600.0},
]  # fmt: skip


def as_json(rows: Any, *wrap: str) -> str:
    for key in reversed(wrap):
        rows = {key: rows}
    return json.dumps(rows)
