"""Positions and baskets of Indian brokers' interfaces.

- Kite (Zerodha) ``portfolio/positions`` and the orders of ``margins/basket`` (https://kite.trade/docs/connect/v3/):
  rows
  by ``tradingsymbol`` and ``exchange``; of ``{"net": ..., "day": ...}`` the net book is held, the day's trades are not.
- openalgo (https://docs.openalgo.in/): ``{"positions": [{"symbol", "exchange", "action", "product", "quantity"}]}``.
- Upstox ``portfolio/short-term-positions`` (https://upstox.com/developer/api-documentation/get-positions): as Kite,
  with
  ``trading_symbol``. A request that names an instrument by its token alone (``NSE_FO|52618``) says nothing without
  Upstox's own list: refused.
- Dhan ``/v2/positions`` (https://dhanhq.co/docs/v2/portfolio/): ``tradingSymbol``, ``positionType``, ``netQty``, with
  expiry, strike and type of options in columns.

They all count units, not lots: a quantity is divided by the lot, which changes by circular and is to be stated
(``terms={"NIFTY": {"multiplier": 75}}``), as is the day of expiry where a symbol says a month only.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from margincore import symbols
from margincore._core import Contract, InvalidInput, MarginError, MissingData, Unsupported
from margincore.importers.brokers.table import Format, Row
from margincore.importers.brokers.terms import Held, Item, Passed, Terms, mended, sides
from margincore.portfolio import Stock

_SEGMENTS = {"NFO": "NFO", "NSE_FNO": "NFO", "NSE_FO": "NFO", "BFO": "BFO", "BSE_FNO": "BFO", "BSE_FO": "BFO"}
_ORDERS = {
    "status": ("status", "order_status", "orderStatus"), "filled": ("filled_quantity", "filledQty"),
}  # fmt: skip
"""What orders have and positions have not."""
_CASH = {"NSE": "NSE", "BSE": "BSE", "NSE_EQ": "NSE", "BSE_EQ": "BSE"}


def _exchange(row: Row) -> str:
    named = row.text("exchange").upper()
    return named or row.text("token").partition("|")[0].upper()


def _contract(row: Row, terms: Terms, name: str, dialects: tuple[str, ...]) -> Contract:
    exchange = _exchange(row)
    if exchange in _CASH:
        return Stock(name, currency="INR")
    if exchange not in _SEGMENTS:
        raise MissingData(
            f"{name} of {exchange or 'no exchange'}: stock and index derivatives of NFO and BFO are known here",
            code="not_stated",
            where="exchange",
        )
    refusal: MarginError | None = None
    for dialect in dialects:
        try:
            said = symbols.parse(name, dialect=dialect)
        except MarginError as error:
            refusal = refusal or error
            continue
        return _of(row, terms, name, dialect, said, _SEGMENTS[exchange])
    assert refusal is not None
    raise refusal


def _of(row: Row, terms: Terms, name: str, dialect: str, said: symbols.Symbol, exchange: str) -> Contract:
    stated: dict[str, Any] = terms.terms_of(name, said)
    if "multiplier" not in stated:
        dated = said.expiry is not None or row.has("expiry")
        raise mended(
            f"{name}: quantities are units, and the lot of {said.root} changes by circular: state the one on its date"
            f"{'' if dated else ', and the day of expiry, since the symbol says a month only'}: "
            f"terms={{{said.root!r}: {{'multiplier': ...{'' if dated else ', ' + repr('expiry') + ': ...'}}}}}",
            f"--terms {said.root}:multiplier=...{'' if dated else ',expiry=...'}",
            "not_stated",
            name,
        )
    day = row.date("expiry")
    if day is not None:
        stated.setdefault("expiry", day.isoformat())
    # NSE and BSE list a contract month's expiry within the month.
    own = said.month is not None and "expiry" in stated and dt.date.fromisoformat(str(stated["expiry"])[:10])
    if own and (own.year, own.month) != (said.year, said.month):
        raise mended(
            f"{name}: the expiry {own} that is stated is not in its month: state one for each month, "
            f"terms={{'{said.root} {said.year}-{said.month:02}': {{'expiry': ...}}}}",
            f'--terms "{said.root} {said.year}-{said.month:02}:expiry=..."',
            "contradiction",
            name,
        )
    if said.expiry is None and "expiry" not in stated:
        raise mended(
            f"{name} says a month and no day: state the day the exchange lists, "
            f"terms={{'{said.root} {said.year}-{said.month:02}': {{'expiry': ...}}}}",
            f'--terms "{said.root} {said.year}-{said.month:02}:expiry=..."',
            "not_stated",
            name,
        )
    return symbols.contract(said, **{"exchange": exchange, **stated})


def _held(row: Row, terms: Terms, dialects: tuple[str, ...]) -> Item:
    name = row.text("symbol")
    if not name:
        raise MissingData(
            f"no symbol, only the token {row.text('token')!r}: it says nothing without the broker's own list",
            code="not_stated",
            where="symbol",
        )
    status = row.text("status").upper()
    if status in ("REJECTED", "CANCELLED", "CANCELED") and not row.number("filled"):
        return Passed("orders that were rejected or cancelled")
    if status not in ("", "COMPLETE", "COMPLETED", "TRADED"):
        raise Unsupported(f"{name}: an order of status {status} is no position: only what was done is read")
    long, short = sides(row)
    if not long and not short:
        return Passed("closed positions of quantity 0")
    contract = _contract(row, terms, name, dialects)
    size = contract.multiplier
    for units in (long, short):
        if abs(units / size - round(units / size)) > 1e-9:
            raise InvalidInput(
                f"{name}: quantity {units:g} is not a whole number of lots of {size:g}", where="quantity", value=units,
                code="not_whole",
            )  # fmt: skip
    price = row.price("mark")
    if contract.kind == "stock":
        return Held(contract, long, short, spot=None if price is None else (name, price))
    return Held(contract, round(long / size), round(short / size), price)


def _kite(row: Row, terms: Terms) -> Item:
    return _held(row, terms, ("kite", "upstox"))


KITE = Format(
    "kite",
    "Kite positions, orders and baskets; Upstox positions (JSON)",
    "https://kite.trade/docs/connect/v3/portfolio/#positions, https://kite.trade/docs/connect/v3/margins/",
    needed=("symbol", "exchange", "quantity"),
    columns={
        "symbol": ("tradingsymbol",), "exchange": ("exchange",), "quantity": ("quantity",),
        "side": ("transaction_type",), "mark": ("last_price",), **_ORDERS,
    },
    read=_kite, list_of=("data.net", "net", "data", "orders"), currency="INR", units="units, whole lots",
)  # fmt: skip


def _openalgo(row: Row, terms: Terms) -> Item:
    return _held(row, terms, ("openalgo",))


OPENALGO = Format(
    "openalgo",
    "openalgo positions (JSON)",
    "https://docs.openalgo.in/",
    needed=("symbol", "exchange", "side", "quantity"),
    columns={
        "symbol": ("symbol",), "exchange": ("exchange",), "side": ("action",), "quantity": ("quantity",),
        "mark": ("ltp",), **_ORDERS,
    },
    read=_openalgo, list_of=("positions", "data"), currency="INR", units="units, whole lots",
)  # fmt: skip


def _upstox(row: Row, terms: Terms) -> Item:
    return _held(row, terms, ("upstox", "kite"))


UPSTOX = Format(
    "upstox",
    "Upstox margin requests (JSON)",
    "https://upstox.com/developer/api-documentation/margin",
    needed=("token", "quantity"),
    columns={
        "token": ("instrument_key",), "symbol": ("trading_symbol",), "exchange": ("exchange",),
        "quantity": ("quantity",), "mark": ("last_price",), "side": ("transaction_type",),
        **_ORDERS,
    },
    read=_upstox, list_of=("instruments", "data"), currency="INR", units="units, whole lots",
)  # fmt: skip


def _dhan(row: Row, terms: Terms) -> Item:
    if row.text("kind").upper() == "CLOSED":
        return Passed("closed positions of quantity 0")
    return _held(row, terms, ("dhan", "kite"))


DHAN = Format(
    "dhan",
    "Dhan positions and baskets (JSON)",
    "https://dhanhq.co/docs/v2/portfolio/",
    needed=("token", "exchange", "quantity"),
    columns={
        "symbol": ("tradingSymbol",), "token": ("securityId",), "exchange": ("exchangeSegment",),
        "quantity": ("netQty", "quantity"), "side": ("transactionType",), "kind": ("positionType",),
        "expiry": ("drvExpiryDate",), "account": ("dhanClientId",), **_ORDERS,
    },
    read=_dhan, list_of=("data", "scripList"), currency="INR", units="units, whole lots",
)  # fmt: skip
