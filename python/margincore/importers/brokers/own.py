"""The package's own CSV of an account, and tables whose columns the caller names."""

from __future__ import annotations

from typing import Any

from margincore import symbols
from margincore._core import InvalidInput, MarginError, OsiSymbol
from margincore.importers.account import COLUMNS, KINDS
from margincore.importers.brokers.table import Format, Row
from margincore.importers.brokers.terms import (
    Held,
    Item,
    Money,
    Terms,
    agrees_with_columns,
    is_option,
    kind_of,
    mended,
    option_parts,
    sides,
)
from margincore.numerals import decimal, whole

MAPPED = (
    "symbol", "quantity", "long", "short", "side", "kind", "price", "vol", "spot", "value", "account",
    "currency", "right",
    "strike", "expiry", "multiplier", "description", "date",
)  # fmt: skip
"""The fields that `map` may name."""

_FIELD = {"price": "mark", "date": "as_of"}


def _own(row: Row, terms: Terms) -> Item:
    symbol, kind = row.text("symbol"), row.text("kind")
    if kind and kind not in KINDS:
        raise InvalidInput(f"kind {kind!r} is not one of {', '.join(KINDS)}")
    if kind == "cash":
        if not (len(symbol) == 3 and symbol.isascii() and symbol.isalpha() and symbol.isupper()):
            raise InvalidInput(f"cash in {symbol!r}: a currency code such as USD is needed")
        if row.has("mark") or row.has("vol"):
            raise InvalidInput("cash has neither a price nor a vol", code="contradiction")
        return Money(symbol, decimal(row.text("quantity"), "amount of cash"))
    if not symbol:
        raise InvalidInput("the symbol is empty", code="bad_text")
    if kind == "option" or (not kind and (len(symbol) > 6 or symbol.startswith((".", "O:")))):
        contract = terms.osi(symbol)
    else:
        contract = terms.share(symbol, kind or None)
    text = row.text("quantity")
    quantity = decimal(text, "quantity") if contract.kind != "option" and "." in text else whole(text, "quantity")
    price = decimal(row.text("mark"), "price") if row.has("mark") else None
    vol = decimal(row.text("vol"), "vol") if row.has("vol") else None
    long, short = sides(row, quantity)
    if contract.kind == "option":
        return Held(contract, long, short, price, vol)
    return Held(contract, long, short, spot=None if price is None else (contract.underlying, price))


def _own_share(row: Row) -> tuple[str, str] | None:
    return (row.text("symbol"), row.text("kind")) if row.text("kind") in ("stock", "etf") else None


ACCOUNT = Format(
    "account",
    "margincore's own CSV of an account",
    "margincore.importers.account",
    needed=("symbol", "quantity"),
    columns={"mark" if name == "price" else name: (name,) for name in COLUMNS},
    read=_own, declares=_own_share, only=True, cash="rows of kind cash",
)  # fmt: skip


def _mapped(row: Row, terms: Terms) -> Item:
    symbol = row.needed("symbol")
    word = row.text("kind")
    kind = kind_of(word)
    if word and kind is None:
        raise InvalidInput(
            f"kind {word!r}: stock, etf, option, future, cash or coin is needed", where="kind", value=word
        )
    currency = row.text("currency") or "USD"
    if kind == "cash" or terms.is_money_fund(symbol, row.text("description")):
        amount = row.number("value") if row.has("value") else row.count()
        assert amount is not None
        return Money(symbol if len(symbol) == 3 and symbol.isupper() else currency, amount)
    long, short = (
        (row.number("long") or 0.0, row.number("short") or 0.0) if row.has("long") or row.has("short") else sides(row)
    )
    mark, vol, spot = row.price("mark"), row.number("vol"), row.price("spot")
    said: dict[str, Any] = {"multiplier": row.number("multiplier")}
    # A symbol that says all of it may stand beside the columns.
    spelled = is_option(symbol)
    parts = option_parts(row) if kind in (None, "option") and not spelled else None
    if spelled:
        agrees_with_columns(row, OsiSymbol(symbol))
    if parts is not None:
        contract = terms.listed(symbol, *parts, currency=currency, **said)
    elif kind in ("stock", "etf"):
        contract = terms.share(symbol, kind, currency)
    elif kind == "coin":
        contract = terms.coin(symbol, currency)
    elif kind is None and _is_ticker(symbol):
        contract = terms.share(symbol, None, currency)
    else:
        contract = terms.symbol(symbol, currency=row.text("currency") or None, on=row.date("as_of"), **said)
        if not spelled:
            agrees_with_columns(row, contract)
    if contract.kind in ("stock", "etf", "spot"):
        price = spot if spot is not None else mark
        return Held(contract, long, short, spot=None if price is None else (contract.underlying, price))
    return Held(contract, long, short, mark, vol, None if spot is None else (contract.underlying, spot))


def _is_ticker(symbol: str) -> bool:
    try:
        return symbols.parse(symbol).kind in ("stock", "index")
    except MarginError:
        return False


def _mapped_share(row: Row) -> tuple[str, str] | None:
    kind = kind_of(row.text("kind"))
    return (row.text("symbol"), kind) if kind in ("stock", "etf") else None


def mapped(columns: dict[str, str]) -> Format:
    """A format of the caller's own: the column of every field."""
    for name in columns:
        if name not in MAPPED:
            raise InvalidInput(
                f"map: {name!r} is not a field: {', '.join(MAPPED)}", where="map", value=name, code="unknown_name"
            )
    if "symbol" not in columns or not {"quantity", "long", "short"} & {*columns}:
        raise mended("map: a column of symbols and one of quantities are needed", "--map symbol=...,quantity=...")
    fields = {_FIELD.get(name, name): (column,) for name, column in columns.items()}
    return Format(
        "mapped", "columns named by the caller", "map", tuple(fields), fields, _mapped, declares=_mapped_share
    )
