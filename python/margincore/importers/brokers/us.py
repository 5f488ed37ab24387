"""Positions as brokers of the United States let them be downloaded: Schwab, Fidelity, tastytrade, E*TRADE.

What the columns mean is read off public descriptions and readers of these exports:

- Schwab: https://github.com/vroonhof/opensteuerauszug (``importers/schwab/formats.md``) and beancount-reds-importers;
  a title per account, ``Qty (Quantity)`` or ``Quantity``, the row ``Cash & Cash Investments``, ``Account Total`` or
  ``Positions Total``. ``Security Type`` says what a row is, money-market funds too (``Cash and Money Market``).
- Fidelity: https://github.com/open-portfolio/FINporterFido; core positions carry ``**`` behind the symbol
  (``SPAXX**``, ``FCASH**``) and ``HELD IN MONEY MARKET`` or ``HELD IN FCASH`` as description; option symbols begin with
  a minus; ``Type`` is the type of account. ``Pending Activity`` is money of trades that have not settled: refused.
- tastytrade: the columns of its positions table (``Symbol``, ``Type``, ``Quantity``, ``Exp Date``, ``Strike Price``,
  ``Call/Put``, ``Mark``, ``Underlying Last Price``), of which an export has those shown.
- E*TRADE ``PortfolioDownload.csv``: https://github.com/gmadrid/etrade-csv-tool; an account summary first, then
  ``Symbol, Last Price $, Change $, Change %, Qty # (or Quantity), Price Paid $, ... Value $``, lots below their sum
  with a date for a symbol, the rows ``CASH`` and ``TOTAL``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from margincore import symbols
from margincore._core import Contract, InvalidInput, MissingData, OsiSymbol, Unsupported
from margincore.importers.brokers.table import Format, Row
from margincore.importers.brokers.terms import (
    Held,
    Item,
    Money,
    Terms,
    agrees_with_columns,
    is_option,
    kind_of,
    option_parts,
    sides,
)

_SYMBOL = ("Symbol", "Symbol/CUSIP")
_QUANTITY = ("Quantity", "Qty (Quantity)", "Qty", "Qty #", "Quantity #")
_DATE_FOR_SYMBOL = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}|\d{4}-\d{2}-\d{2}")


def _money_fund(row: Row, symbol: str) -> Money:
    """A money-market fund, or the cash of an account, as cash: its value, else shares at their price."""
    value = row.number("value")
    if value is None:
        quantity, price = row.number("quantity"), row.number("mark")
        if quantity is None:
            raise MissingData(f"{symbol!r}: neither a value nor a quantity", where="value", code="not_stated")
        value = quantity * (1.0 if price is None else price)
    return Money(row.text("currency") or "USD", value)


def _share(row: Row, terms: Terms, symbol: str, kind: str | None) -> Held:
    contract = terms.share(symbol, kind, row.text("currency") or "USD")
    long, short = sides(row)
    price = row.price("mark")
    spot = None if price is None else (contract.underlying, price)
    return Held(contract, long, short, spot=spot)


def _option(row: Row, terms: Terms, symbol: str) -> Held:
    agrees_with_columns(row, OsiSymbol(symbol.strip()))
    contract = terms.osi(symbol, multiplier=row.number("multiplier"), currency=row.text("currency") or "USD")
    return _marked(row, contract)


def _marked(row: Row, contract: Contract) -> Held:
    """An option with its mark, and the price of what it is on."""
    long, short = sides(row)
    spot = row.price("spot")
    return Held(
        contract, long, short, row.price("mark"),
        spot=None if spot is None else (contract.underlying, spot),
    )  # fmt: skip


def _schwab(row: Row, terms: Terms) -> Item:
    symbol, word = row.needed("symbol"), row.text("kind")
    if word in ("Cash and Money Market", "Cash") or terms.is_money_fund(symbol, row.text("description")):
        return _money_fund(row, symbol)
    kind = kind_of(word)
    if kind == "option" or (kind is None and is_option(symbol)):
        return _option(row, terms, symbol)
    if kind in ("future", "future_option"):
        return _future(row, terms, symbol)
    if word and kind is None:
        raise Unsupported(f"{symbol!r} is {word!r}: nothing here margins that")
    return _share(row, terms, symbol, kind)


def _schwab_share(row: Row) -> tuple[str, str] | None:
    kind = kind_of(row.text("kind"))
    return (row.text("symbol"), kind) if kind in ("stock", "etf") else None


SCHWAB = Format(
    "schwab",
    "Schwab positions (CSV)",
    "https://github.com/vroonhof/opensteuerauszug, importers/schwab/formats.md",
    needed=("symbol", "quantity", "value", "kind"),
    columns={
        "symbol": _SYMBOL, "quantity": ("Qty (Quantity)", "Quantity", "Qty"), "mark": ("Price", "Last Price"),
        "value": ("Mkt Val (Market Value)", "Market Value"), "kind": ("Security Type", "Asset Type"),
        "description": ("Description", "Name"), "account": ("Account",),
    },
    month_first=True, read=_schwab, declares=_schwab_share,
    totals=("account total", "positions total", "futures positions market value"),
    cash="rows of type Cash and Money Market",
)  # fmt: skip


def _fidelity(row: Row, terms: Terms) -> Item:
    symbol, description = row.text("symbol"), row.text("description").upper()
    if symbol.upper() == "PENDING ACTIVITY" or description == "PENDING ACTIVITY":
        raise Unsupported(
            f"pending activity of {row.text('value') or 'an unstated amount'}: trades that have not settled "
            f"are neither "
            "a position nor cash yet: leave the row out (lenient) and say the cash you count"
        )
    symbol = row.needed("symbol")
    core = symbol.endswith("**") and description.startswith(("HELD IN", "FDIC", "CASH"))
    if core or terms.is_money_fund(symbol, description):
        return _money_fund(row, symbol)
    if symbol.startswith("-") or is_option(symbol):
        return _option(row, terms, symbol.replace("- ", "-"))
    return _share(row, terms, symbol.rstrip("*"), None)


FIDELITY = Format(
    "fidelity",
    "Fidelity portfolio positions (CSV)",
    "https://github.com/open-portfolio/FINporterFido",
    needed=("symbol", "quantity", "mark", "value"),
    columns={
        "symbol": ("Symbol",), "quantity": ("Quantity",), "mark": ("Last Price",), "value": ("Current Value",),
        "description": ("Description",), "account": ("Account Number", "Account Name"), "currency": ("Currency",),
    },
    month_first=True, read=_fidelity, totals=("account total", "grand total", "total"),
    cash="core positions (** and HELD IN ...), descriptions with MONEY MARKET",
)  # fmt: skip


def _future(row: Row, terms: Terms, symbol: str) -> Held:
    contract = terms.symbol(symbol, multiplier=row.number("multiplier"))
    long, short = sides(row)
    return Held(contract, long, short, row.price("mark"))


def _tastytrade(row: Row, terms: Terms) -> Item:
    symbol, word = row.needed("symbol"), row.text("kind")
    kind = kind_of(word)
    if kind == "cash":
        return _money_fund(row, symbol)
    if kind == "coin":
        contract = terms.coin(symbol)
        long, short = sides(row)
        price = row.price("mark")
        return Held(contract, long, short, spot=(price and (contract.underlying, price)) or None)
    if kind in ("future", "future_option"):
        return _future(row, terms, symbol)
    if kind == "option" and not is_option(symbol):  # the underlying's symbol, and the parts in columns
        parts = option_parts(row)
        if parts is None:
            raise MissingData(f"{symbol!r}: an option without expiry, strike and right", code="not_stated")
        return _marked(row, terms.listed(symbol, *parts))
    if kind == "option":
        return _option(row, terms, symbol)
    if kind in ("stock", "etf"):
        return _share(row, terms, symbol, kind)
    raise Unsupported(f"{symbol!r} is of type {word!r}: nothing here margins that")


TASTYTRADE = Format(
    "tastytrade",
    "tastytrade positions (CSV)",
    "the columns of tastytrade's positions table; https://developer.tastytrade.com/ for the words of Type",
    needed=("symbol", "kind", "quantity", "strike", "right"),
    columns={
        "symbol": ("Symbol",), "kind": ("Type", "Instrument Type", "instrument-type"), "quantity": ("Quantity",),
        "expiry": ("Exp Date", "Expiration Date", "Expires"), "strike": ("Strike Price", "Strike"),
        "right": ("Call/Put", "Option Type"), "mark": ("Mark", "Mark Price", "Close Price"), "account": ("Account",),
        "spot": ("Underlying Last Price",), "side": ("Direction", "Quantity Direction", "quantity-direction"),
        "value": ("Net Liq", "Market Value"),
    },
    month_first=True, read=_tastytrade, declares=_schwab_share, totals=("total",), cash="rows of type Cash",
)  # fmt: skip

TASTYTRADE_API = Format(
    "tastytrade-json",
    "tastytrade positions (JSON of its API)",
    "https://developer.tastytrade.com/ (accounts/{number}/positions)",
    needed=("symbol", "kind", "quantity", "side"),
    columns={
        "symbol": ("symbol",), "kind": ("instrument-type",), "quantity": ("quantity",),
        "side": ("quantity-direction",), "mark": ("mark-price", "mark", "close-price"), "account": ("account-number",),
        "multiplier": ("multiplier",),
    },
    read=_tastytrade, declares=_schwab_share, list_of=("items", "data.items"),
)  # fmt: skip


def _etrade(row: Row, terms: Terms) -> Item:
    symbol = row.needed("symbol")
    if symbol.upper() == "CASH":
        return _money_fund(row, symbol)
    if terms.is_money_fund(symbol, row.text("description")):
        return _money_fund(row, symbol)
    if is_option(symbol):
        return _option(row, terms, symbol)
    if " " in symbol:
        found = _in_words(symbol)
        if found is not None:
            return _option(row, terms, found)
        raise Unsupported(f"{symbol!r} is neither a ticker nor an option: bonds and deposits are not margined here")
    return _share(row, terms, symbol, None)


def _in_words(symbol: str) -> str | None:
    """The compact symbol of an option in words: ``QQQ Dec 31 '26 $600 Put``."""
    try:
        return symbols.spell(symbols.parse(symbol), "compact")
    except (InvalidInput, MissingData, ValueError):
        return None


def _etrade_rows(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Rows without the lots that stand below their sum with a date for a symbol."""
    lots = [row for row in rows if _DATE_FOR_SYMBOL.fullmatch(row.text("symbol"))]
    if not lots:
        return list(rows), []
    gone = {id(row) for row in lots}
    return [row for row in rows if id(row) not in gone], [f"{len(lots)} rows of lots below their sum"]


ETRADE = Format(
    "etrade",
    "E*TRADE PortfolioDownload (CSV)",
    "https://github.com/gmadrid/etrade-csv-tool",
    needed=("symbol", "mark", "quantity", "cost"),
    columns={
        "symbol": ("Symbol",), "mark": ("Last Price $", "Last Price"), "value": ("Value $", "Value", "Market Value $"),
        "quantity": ("Qty #", "Quantity", "Quantity #", "Qty"), "cost": ("Price Paid $", "Price Paid"),
        "description": ("Description",),
    },
    month_first=True, read=_etrade, totals=("total",), rows=_etrade_rows, cash="the row CASH",
)  # fmt: skip
