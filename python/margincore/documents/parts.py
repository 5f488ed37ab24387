"""What is held and quoted: contracts, accounts and markets from their parts of a document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from margincore._core import Account, Contract, InvalidInput, MarginError, Market, MissingData, Position, Products
from margincore.documents.checks import items, mapping, missing, only, place, required
from margincore.documents.kinds import only_of

__all__ = [
    "account_from_document",
    "contract_from_document",
    "market_from_document",
    "position_from_document",
    "products_from_document",
    "quotes_by_id",
]

_MARKET: dict[str, tuple[type | tuple[type, ...], str]] = {
    "spot": (Mapping, 'prices by symbol are needed, {"SPX": 4500.0}'),
    "forward": ((list, tuple, Mapping), 'a list is needed, [{"underlying": "SPX", "expiry": ..., "price": 4510.0}]'),
    "dividends": (Mapping, 'lists by symbol are needed, {"XYZ": [{"date": "2026-12-01", "amount": 0.5}]}'),
    "dividend_yield": (Mapping, 'annual fractions by symbol are needed, {"SPX": 0.015}'),
    "rate": (Mapping, 'a number or curve by currency is needed, {"USD": 0.05}'),
    "borrow": (Mapping, 'annual fractions by symbol are needed, {"XYZ": 0.01}'),
    "price": (Mapping, 'prices by contract id or option symbol are needed, {"XYZ": 50.0}'),
    "vol": (Mapping, 'annual fractions by contract id or option symbol are needed, {"SPXW261218C04700000": 0.15}'),
    "fx": (Mapping, 'rates by pair are needed, {"EURUSD": 1.1}'),
}
"""The parts of a market beside its valuation, and what each must be."""


def account_from_document(document: Mapping[str, Any], products: Products | None = None) -> Account:
    """An account from its part of a document.

    >>> account_from_document({"positions": [{"symbol": "SPXW261218C04700000", "quantity": -1}]})
    Account(1 positions)
    """
    only_of(document, "account", "an account", ("account",))
    only(document, "account", {"positions", "cash", "collateral", "kind", "gross"})
    table = products or Products()
    rows = items(required(document, "account", "positions"), "account.positions")
    positions = [
        position_from_document(mapping(row, f"account.positions[{i}]"), f"account.positions[{i}]", table)
        for i, row in enumerate(rows)
    ]
    rest = {key: value for key, value in document.items() if key != "positions" and value is not None}
    if not isinstance(rest.get("gross", False), bool):
        raise InvalidInput(f"account: gross: true or false is needed, not {rest['gross']}", code="wrong_type")
    with place("account"):
        return Account(positions, **rest)


def position_from_document(row: Mapping[str, Any], where: str, products: Products) -> Position:
    """A position of a row with a contract or a symbol; `where` stands in front of what is refused."""
    only(row, where, {"contract", "symbol", "quantity", "long", "short"})
    if ("contract" in row) == ("symbol" in row):
        raise MissingData(f"{where}: give contract (its terms) or symbol (of a listed option)")
    with place(where):
        if "symbol" in row:
            contract = _listed(row["symbol"], products)
        else:
            contract = contract_from_document(mapping(row["contract"], f"{where}.contract"), f"{where}.contract")
        sides = {key: row[key] for key in ("quantity", "long", "short") if row.get(key) is not None}
        return Position(contract, **sides)


def _listed(symbol: str, products: Products) -> Contract:
    """The contract of a listed option's symbol; the grammars beside the engine's are loaded when one is asked for."""
    try:
        return products.contract(symbol)
    except InvalidInput:
        from margincore.symbols.contracts import listed_option

        return listed_option(symbol, products)


def contract_from_document(terms: Mapping[str, Any], where: str) -> Contract:
    """A contract of its terms."""
    with place(where):
        return Contract(**terms)


def market_from_document(document: Mapping[str, Any], products: Products, ids: Collection[str]) -> Market:
    """A market; prices and vols are by id, of `ids` first, or by option symbol."""
    only_of(document, "market", "a market", ("market",))
    only(document, "market", {"valuation", *_MARKET})
    parts = {key: value for key, value in document.items() if value is not None}
    valuation = parts.pop("valuation", None) or missing("market", "valuation")
    if not (isinstance(valuation, str) or hasattr(valuation, "isoformat")):
        raise InvalidInput(
            f"market: valuation {valuation}: an instant is needed, 2026-11-20T16:00:00-05:00", code="bad_time"
        )
    for name, value in parts.items():
        kind, needed = _MARKET[name]
        if not isinstance(value, kind):
            raise InvalidInput(f"market: {name}: {needed}, not {value}")
    for symbol, dividends in parts.get("dividends", {}).items():
        items(dividends, f"market: dividends: {symbol}")
    for name in ("price", "vol"):
        if name in parts:
            parts[name] = quotes_by_id(parts[name], products, f"market: {name}", ids)
    with place("market"):
        return Market(valuation, **parts)


def quotes_by_id(
    quotes: Mapping[str, Any], products: Products, where: str, ids: Collection[str] = ()
) -> dict[str, Any]:
    """Prices or vols by contract id, from ones keyed by contract id or by any spelling of an option symbol.

    A key that is one of `ids`, or that `products` cannot read, is an id already. Two spellings of one contract raise
    :class:`InvalidInput` with `where` in front.

    >>> quotes_by_id({"SPX   261218C04700000": 0.2, "my own id": 0.3}, Products(), "vol")
    {'SPX261218C04700000': 0.2, 'my own id': 0.3}
    """
    by_id: dict[str, Any] = {}
    for key, value in mapping(quotes, where).items():
        id_ = key if key in ids else _listed_id(key, products)
        if id_ in by_id:
            raise InvalidInput(f"{where} of '{id_}' is given twice, in two spellings", code="duplicate")
        by_id[id_] = value
    return by_id


def _listed_id(key: str, products: Products) -> str:
    try:
        return _listed(key, products).id
    except (MarginError, TypeError, UnicodeEncodeError):  # no symbol of the table: an id, or for the market to refuse
        return key


def products_from_document(document: Mapping[str, Any]) -> Products:
    """The shipped product table, extended by the products part of a document.

    >>> products_from_document({"equities": ["IBM"]}).contract("IBM261218C00250000").underlying
    'IBM'
    """
    only(document, "products", {"equities", "rows"})
    equities = items(document.get("equities", []), "products.equities")
    rows = items(document.get("rows", []), "products.rows")
    with place("products"):
        table = Products().with_equities(equities)
        return table.extended(rows) if rows else table
