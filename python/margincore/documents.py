"""Margin from one JSON-able document: what the command line, services and clusters exchange.

A document says what is held, the market, and the rulebook (or several, to compare)::

    {
      "account": {"positions": [{"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"},
                                 "quantity": 100},
                                {"symbol": "SPXW  261218C04700000", "quantity": -1}],
                  "cash": {"USD": 50000}},
      "market": {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"XYZ": 50.0}},
      "methodology": {"name": "tims", "preset": "occ-cpm"}
    }

A contract is written with the terms of :class:`margincore.Contract`, or as an option symbol of the product table,
which ``"products": {"equities": [...], "rows": [...]}`` extends. What symbols are, funds above all, is in the table of
securities: ``"securities": {"rows": [...]}`` puts rows of :class:`margincore.Securities` in place of those that the
shipped table has of their symbols (``"shipped": false``: in place of the whole table), for every rulebook of the
document that asks for them. The market's ``price`` and ``vol`` are by contract id or by option symbol, in any
spelling. ``"contracts"`` adds contracts that options are written on. ``"methodologies"`` in
place of ``"methodology"`` compares rulebooks. Unknown keys are refused. The JSON Schema is :func:`schema`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    MarginError,
    Market,
    Methodology,
    MissingData,
    Position,
    Products,
)
from margincore.analysis.compare import compare
from margincore.engine import margin
from margincore.methods.base import Rulebook

__all__ = [
    "account_from_document",
    "evaluate",
    "methodology_from_document",
    "products_from_document",
    "quotes_by_id",
    "schema",
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

_ASK_FOR_SECURITIES = ("reg-t", "tims")
"""The rulebooks that take a table of securities."""


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the documents that :func:`evaluate` takes.

    >>> schema()["title"]
    'margincore document'
    """
    text = files("margincore").joinpath("schema/document.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def evaluate(document: Mapping[str, Any]) -> dict[str, Any]:
    """Margin of a document, as a document: a report's `to_dict()`, or a comparison's.

    Raises the same errors as the objects the document stands for, with the place in the document in front.

    >>> result = evaluate({
    ...     "account": {"positions": [{"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"},
    ...                                "quantity": 100}]},
    ...     "market": {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"XYZ": 50.0}},
    ...     "methodology": {"name": "tims"}})
    >>> result["requirement"]["initial"], result["lines"][0]["scenario"]
    (750.0, '-15 %')
    """
    try:
        return _evaluated(document)
    except RecursionError:
        raise InvalidInput("document: nested too deep") from None
    except ValueError as error:  # a whole number of 5,000 digits, which cannot even be printed
        raise InvalidInput(f"document: {error}") from None


def _evaluated(document: Mapping[str, Any]) -> dict[str, Any]:
    _only(
        _mapping(document, "document"),
        "document",
        {"account", "market", "methodology", "methodologies", "contracts", "products", "securities", "standalone"},
    )
    products = products_from_document(_mapping(document.get("products", {}), "products"))
    account = account_from_document(_mapping(_required(document, "document", "account"), "account"), products)
    contracts = [
        _contract(_mapping(terms, f"contracts[{i}]"), f"contracts[{i}]")
        for i, terms in enumerate(_list(document.get("contracts", []), "contracts"))
    ]
    market = None
    if document.get("market") is not None:
        ids = {contract.id for contract in (*(p.contract for p in account.positions), *contracts)}
        market = _market(_mapping(document["market"], "market"), products, ids)
    standalone = document.get("standalone", False)
    if not isinstance(standalone, bool):
        raise InvalidInput("standalone: true or false is needed")
    if ("methodology" in document) == ("methodologies" in document):
        raise MissingData("document: give methodology (one rulebook) or methodologies (several, to compare)")
    securities = document.get("securities")
    if "methodology" in document:
        stated = _with_securities(_mapping(document["methodology"], "methodology"), securities)
        methodology = methodology_from_document(stated)
        return margin(account, market, methodology, contracts=contracts, standalone=standalone).to_dict()
    several = _list(document["methodologies"], "methodologies")
    if not several:
        raise InvalidInput("methodologies: an empty list: name at least one rulebook")
    rulebooks = [
        methodology_from_document(
            _with_securities(_mapping(m, f"methodologies[{i}]"), securities), f"methodologies[{i}]"
        )
        for i, m in enumerate(several)
    ]
    return compare(account, market, rulebooks, contracts=contracts, strict=True).to_dict()


def _with_securities(methodology: Mapping[str, Any], securities: Any) -> Mapping[str, Any]:
    """A rulebook's document with the securities of the whole one, where it is a rulebook that asks what symbols are."""
    if securities is None:
        return methodology
    _only(_mapping(securities, "securities"), "securities", {"rows", "shipped"})
    _list(_required(securities, "securities", "rows"), "securities.rows")
    if methodology.get("name") not in _ASK_FOR_SECURITIES:
        return methodology
    if "securities" in methodology:
        raise InvalidInput("securities: given for the document and for its rulebook: give them once")
    return {**methodology, "securities": securities}


def methodology_from_document(document: Mapping[str, Any], where: str = "methodology") -> Methodology:
    """A rulebook from ``{"name": ..., ...parameters}``.

    >>> methodology_from_document({"name": "tims", "grid": "even"}).name
    'OCC TIMS'
    """
    parameters = dict(document)
    name = parameters.pop("name", None)
    if not isinstance(name, str):
        raise MissingData(f"{where}: name is missing: which rulebook?")
    with _place(where):
        return Rulebook(name, parameters)


def account_from_document(document: Mapping[str, Any], products: Products | None = None) -> Account:
    """An account from its part of a document.

    >>> account_from_document({"positions": [{"symbol": "SPXW261218C04700000", "quantity": -1}]})
    Account(1 positions)
    """
    _only(document, "account", {"positions", "cash", "collateral", "kind", "gross"})
    table = products or Products()
    rows = _list(_required(document, "account", "positions"), "account.positions")
    positions = [
        _position(_mapping(row, f"account.positions[{i}]"), f"account.positions[{i}]", table)
        for i, row in enumerate(rows)
    ]
    rest = {key: value for key, value in document.items() if key != "positions" and value is not None}
    if not isinstance(rest.get("gross", False), bool):
        raise InvalidInput(f"account: gross: true or false is needed, not {rest['gross']}")
    with _place("account"):
        return Account(positions, **rest)


def _position(row: Mapping[str, Any], where: str, products: Products) -> Position:
    _only(row, where, {"contract", "symbol", "quantity", "long", "short"})
    if ("contract" in row) == ("symbol" in row):
        raise MissingData(f"{where}: give contract (its terms) or symbol (of a listed option)")
    with _place(where):
        if "symbol" in row:
            contract = products.contract(row["symbol"])
        else:
            contract = _contract(_mapping(row["contract"], f"{where}.contract"), f"{where}.contract")
        sides = {key: row[key] for key in ("quantity", "long", "short") if row.get(key) is not None}
        return Position(contract, **sides)


def _contract(terms: Mapping[str, Any], where: str) -> Contract:
    with _place(where):
        return Contract(**terms)


def _market(document: Mapping[str, Any], products: Products, ids: Collection[str]) -> Market:
    _only(document, "market", {"valuation", *_MARKET})
    parts = {key: value for key, value in document.items() if value is not None}
    valuation = parts.pop("valuation", None) or _missing("market", "valuation")
    if not (isinstance(valuation, str) or hasattr(valuation, "isoformat")):
        raise InvalidInput(f"market: valuation {valuation}: an instant is needed, 2026-11-20T16:00:00-05:00")
    for name, value in parts.items():
        kind, needed = _MARKET[name]
        if not isinstance(value, kind):
            raise InvalidInput(f"market: {name}: {needed}, not {value}")
    for symbol, dividends in parts.get("dividends", {}).items():
        _list(dividends, f"market: dividends: {symbol}")
    for name in ("price", "vol"):
        if name in parts:
            parts[name] = quotes_by_id(parts[name], products, f"market: {name}", ids)
    with _place("market"):
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
    for key, value in _mapping(quotes, where).items():
        id_ = key if key in ids else _listed_id(key, products)
        if id_ in by_id:
            raise InvalidInput(f"{where} of '{id_}' is given twice, in two spellings")
        by_id[id_] = value
    return by_id


def _listed_id(key: str, products: Products) -> str:
    try:
        return products.contract(key).id
    except (MarginError, TypeError, UnicodeEncodeError):  # no symbol of the table: an id, or for the market to refuse
        return key


def products_from_document(document: Mapping[str, Any]) -> Products:
    """The shipped product table, extended by the products part of a document.

    >>> products_from_document({"equities": ["IBM"]}).contract("IBM261218C00250000").underlying
    'IBM'
    """
    _only(document, "products", {"equities", "rows"})
    equities = _list(document.get("equities", []), "products.equities")
    rows = _list(document.get("rows", []), "products.rows")
    with _place("products"):
        table = Products().with_equities(equities)
        return table.extended(rows) if rows else table


@contextmanager
def _place(where: str) -> Iterator[None]:
    """Refusals with their place in the document in front; values of a wrong type or size are refused as well."""
    try:
        yield
    except MarginError as error:
        message = str(error)
        raise type(error)(message if message.startswith(where) else f"{where}: {message}") from None
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{where}: {error}") from None
    except OverflowError:
        raise InvalidInput(f"{where}: a number is out of range") from None


def _only(document: Mapping[str, Any], where: str, known: set[str]) -> None:
    for key in document:
        if key not in known:
            raise InvalidInput(f"{where}: unknown key {key!r}: known are {', '.join(sorted(known))}")


def _required(document: Mapping[str, Any], where: str, key: str) -> Any:
    return document[key] if key in document else _missing(where, key)


def _missing(where: str, key: str) -> Any:
    raise MissingData(f"{where}: {key} is missing")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{where}: an object is needed, not {type(value).__name__}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{where}: a list is needed, not {type(value).__name__}")
    return list(value)
