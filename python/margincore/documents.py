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
which ``"products": {"equities": [...], "rows": [...]}`` extends. ``"contracts"`` adds contracts that options are
written on. ``"methodologies"`` in place of ``"methodology"`` compares rulebooks. Unknown keys are refused. The JSON
Schema is :func:`schema`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from margincore.compare import compare
from margincore.engine import margin
from margincore.methods.base import Rulebook

__all__ = ["account_from_document", "evaluate", "methodology_from_document", "products_from_document", "schema"]


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
    _only(
        _mapping(document, "document"),
        "document",
        {"account", "market", "methodology", "methodologies", "contracts", "products", "standalone"},
    )
    products = products_from_document(_mapping(document.get("products", {}), "products"))
    account = account_from_document(_mapping(_required(document, "document", "account"), "account"), products)
    market = None
    if document.get("market") is not None:
        parts = dict(_mapping(document["market"], "market"))
        market = Market(parts.pop("valuation", None) or _missing("market", "valuation"), **parts)
    contracts = [
        _contract(_mapping(terms, f"contracts[{i}]"), f"contracts[{i}]")
        for i, terms in enumerate(_list(document.get("contracts", []), "contracts"))
    ]
    standalone = document.get("standalone", False)
    if not isinstance(standalone, bool):
        raise InvalidInput("standalone: true or false is needed")
    if ("methodology" in document) == ("methodologies" in document):
        raise MissingData("document: give methodology (one rulebook) or methodologies (several, to compare)")
    if "methodology" in document:
        methodology = methodology_from_document(_mapping(document["methodology"], "methodology"))
        return margin(account, market, methodology, contracts=contracts, standalone=standalone).to_dict()
    several = _list(document["methodologies"], "methodologies")
    rulebooks = [
        methodology_from_document(_mapping(m, f"methodologies[{i}]"), f"methodologies[{i}]")
        for i, m in enumerate(several)
    ]
    return compare(account, market, rulebooks, contracts=contracts).to_dict()


def methodology_from_document(document: Mapping[str, Any], where: str = "methodology") -> Methodology:
    """A rulebook from ``{"name": ..., ...parameters}``.

    >>> methodology_from_document({"name": "tims", "grid": "even"}).name
    'OCC TIMS'
    """
    parameters = dict(document)
    name = parameters.pop("name", None)
    if not isinstance(name, str):
        raise MissingData(f"{where}: name is missing: which rulebook?")
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
    try:
        return Account(positions, **rest)
    except TypeError as error:
        raise InvalidInput(f"account: {error}") from None


def _position(row: Mapping[str, Any], where: str, products: Products) -> Position:
    _only(row, where, {"contract", "symbol", "quantity", "long", "short"})
    if ("contract" in row) == ("symbol" in row):
        raise MissingData(f"{where}: give contract (its terms) or symbol (of a listed option)")
    try:
        if "symbol" in row:
            contract = products.contract(row["symbol"])
        else:
            contract = _contract(_mapping(row["contract"], f"{where}.contract"), f"{where}.contract")
        sides = {key: row[key] for key in ("quantity", "long", "short") if row.get(key) is not None}
        return Position(contract, **sides)
    except MarginError as error:
        message = str(error)
        raise type(error)(message if message.startswith(where) else f"{where}: {message}") from None
    except TypeError as error:
        raise InvalidInput(f"{where}: {error}") from None


def _contract(terms: Mapping[str, Any], where: str) -> Contract:
    try:
        return Contract(**terms)
    except MarginError as error:
        raise type(error)(f"{where}: {error}") from None


def products_from_document(document: Mapping[str, Any]) -> Products:
    """The shipped product table, extended by the products part of a document.

    >>> products_from_document({"equities": ["IBM"]}).contract("IBM261218C00250000").underlying
    'IBM'
    """
    _only(document, "products", {"equities", "rows"})
    table = Products().with_equities(_list(document.get("equities", []), "products.equities"))
    rows = _list(document.get("rows", []), "products.rows")
    return table.extended(rows) if rows else table


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
