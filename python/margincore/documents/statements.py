"""The statement of a document's account, its terms as plain values."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from margincore._core import InvalidInput, Products
from margincore.analysis.statements import Carried, Money, Statement, Transaction, statement
from margincore.documents.checks import items, mapping, only, place, printable, required
from margincore.documents.parts import position_from_document
from margincore.documents.rulebooks import methodology_from_document
from margincore.documents.whole import held
from margincore.portfolio import Trade

__all__ = ["statement_from_document"]


def statement_from_document(document: Mapping[str, Any], terms: Mapping[str, Any] | None = None) -> Statement:
    """The statement of a document's account under its one rulebook.

    `terms` are the arguments of :func:`margincore.statement` by name, as plain values: dates as ISO texts, ``carried``
    as :meth:`~margincore.analysis.statements.Carried.to_dict` wrote it, ``transactions`` as a list of trades
    (``{"symbol" or "contract", "quantity", "price", "fees"}``), of money (``{"kind", "amount", "currency"}``) and of
    lists of trades that were executed together. Raises the same errors, with the place in front.

    >>> document = {
    ...     "account": {"positions": [{"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"},
    ...                                "quantity": 240}], "cash": {"USD": -10000}},
    ...     "market": {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"XYZ": 50.0}},
    ...     "methodology": {"name": "reg-t"}}
    >>> statement_from_document(document, {"holidays": ["2026-11-26", "2026-12-25"]})
    Statement(Reg T: equity 2,000.00, initial 6,000.00, maintenance 3,000.00 USD, 1 calls)
    """
    with printable():
        return _statement(document, terms)


def _statement(document: Mapping[str, Any], terms: Mapping[str, Any] | None) -> Statement:
    account, market, contracts, products = held(document)
    if "methodology" not in document or document.get("standalone"):
        raise InvalidInput("document: a statement has one methodology, and nothing standalone")
    methodology = methodology_from_document(mapping(document["methodology"], "methodology"))
    given = dict(mapping({} if terms is None else terms, "terms"))
    known = set(inspect.signature(statement).parameters) - {"account", "market", "methodology", "contracts"}
    only(given, "terms", known)
    with place("terms"):
        if given.get("carried") is not None:
            given["carried"] = Carried.from_dict(given["carried"])
        if given.get("transactions") is not None:
            given["transactions"] = [
                _transaction(row, f"terms.transactions[{i}]", products)
                for i, row in enumerate(items(given["transactions"], "transactions"))
            ]
        return statement(account, market, methodology, contracts=contracts, **given)


def _transaction(row: Any, where: str, products: Products) -> Transaction:
    if isinstance(row, list):
        return [_trade(mapping(leg, where), where, products) for leg in row]
    row = mapping(row, where)
    if "kind" not in row:
        return _trade(row, where, products)
    with place(where):
        return Money.from_dict(row)


def _trade(row: Mapping[str, Any], where: str, products: Products) -> Trade:
    only(row, where, {"contract", "symbol", "quantity", "price", "fees"})
    named = {key: row[key] for key in ("contract", "symbol") if key in row}
    contract = position_from_document({**named, "quantity": 0}, where, products).contract
    return contract, required(row, where, "quantity"), required(row, where, "price"), row.get("fees", 0.0)
