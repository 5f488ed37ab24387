"""A whole document: what it stands for, and the margin of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from margincore._core import (
    Account,
    Contract,
    Contracts,
    InvalidInput,
    Market,
    Methodology,
    Products,
    __document_version__,
    check_version,
)
from margincore._pickles import Record
from margincore.analysis.compare import compare
from margincore.documents.checks import items, mapping, only, place, printable, required
from margincore.documents.kinds import only_of
from margincore.documents.parts import (
    account_from_document,
    contract_from_document,
    market_from_document,
    products_from_document,
)
from margincore.documents.rulebooks import methodology_from_document, rulebooks_from_document, with_securities
from margincore.engine import margin

__all__ = ["Read", "evaluate", "held", "read_document", "recipe_from_document", "schema"]

_KEYS = {
    "version", "account", "market", "methodology", "methodologies", "contracts", "products", "securities", "standalone",
}  # fmt: skip


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the documents that :func:`evaluate` takes, every rulebook's parameters with them.

    Numbers have bounds and, as ``x-unit``, their unit. What changes a preset may leave anything out; lists replace
    those of the preset and are whole.

    >>> schema()["title"], schema()["$defs"]["tims"]["properties"]["minimum_rate"]["x-unit"]
    ('margincore document', 'money per unit')
    """
    document, rulebooks = (
        json.loads(files("margincore").joinpath(f"schema/{name}.json").read_text(encoding="utf-8"))
        for name in ("document", "rulebooks")
    )
    return {**document, "$defs": {**document["$defs"], **rulebooks["$defs"]}}


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
    with printable():
        return _evaluated(document)


@dataclass(frozen=True)
class Read(Record):
    """What a document stands for: an account, its market (``None`` where it has none), its rulebooks, and the contracts
    it names beside those held."""

    account: Account
    market: Market | None
    rulebooks: tuple[Methodology, ...]
    contracts: tuple[Contract, ...]


def read_document(document: Mapping[str, Any]) -> Read:
    """The objects of a document that :func:`evaluate` takes, which raises the same errors.

    >>> read = read_document({
    ...     "account": {"positions": [{"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"},
    ...                                "quantity": 100}]},
    ...     "market": {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"XYZ": 50.0}},
    ...     "methodologies": [{"name": "tims"}, {"name": "reg-t"}]})
    >>> read.account, [rulebook.name for rulebook in read.rulebooks]
    (Account(1 positions), ['OCC TIMS', 'Reg T'])
    """
    with printable():
        account, market, contracts, _ = held(document)
        return Read(account, market, tuple(rulebooks_from_document(document)), tuple(contracts))


def recipe_from_document(
    document: Mapping[str, Any], contracts: Contracts | None = None
) -> tuple[Methodology, Contracts, Market | None]:
    """The rulebook, the table of contracts and the market of a document, for many accounts: it has no account.

    `contracts` is a table in place of the document's own ``contracts``. Raises the same errors as the objects the
    document stands for, with the place in the document in front.

    >>> rulebook, table, market = recipe_from_document({
    ...     "contracts": [{"kind": "stock", "underlying": "XYZ", "currency": "USD"}],
    ...     "market": {"valuation": "2026-11-20T16:00:00-05:00", "spot": {"XYZ": 50.0}},
    ...     "methodology": {"name": "tims"}})
    >>> rulebook.name, table.ids, market.spot
    ('OCC TIMS', ('XYZ',), {'XYZ': 50.0})
    """
    with printable():
        for key in ("account", "methodologies", "standalone"):
            if mapping(document, "document").get(key) is not None:
                raise InvalidInput(f"document: {key} has no place in a plan for many accounts", where=key)
        if contracts is not None and document.get("contracts"):
            raise InvalidInput("contracts: given in the document and beside it: give them once", code="contradiction")
        rest = {key: value for key, value in document.items() if key != "methodology"}
        stated = with_securities(
            mapping(required(document, "document", "methodology"), "methodology"), document.get("securities")
        )
        methodology = methodology_from_document(stated)
        if contracts is None:
            _, market, listed, _ = held({**rest, "account": {"positions": []}})
            with place("contracts"):
                return methodology, Contracts(listed), market
        _, _, _, products = held({**rest, "account": {"positions": []}, "market": None})
        if document.get("market") is None:
            return methodology, contracts, None
        market = market_from_document(mapping(document["market"], "market"), products, {*contracts.ids})
        return methodology, contracts, market


def held(document: Mapping[str, Any]) -> tuple[Account, Market | None, list[Contract], Products]:
    """What a document says beside its rulebooks: account, market, more contracts, the product table."""
    if "version" in mapping(document, "document"):  # first: another version may have other keys
        check_version("document", document["version"], 1, __document_version__)
    only_of(document, "document", "a document with an account", ("document",))
    only(document, "document", _KEYS)
    products = products_from_document(mapping(document.get("products", {}), "products"))
    account = account_from_document(mapping(required(document, "document", "account"), "account"), products)
    contracts = [
        contract_from_document(mapping(terms, f"contracts[{i}]"), f"contracts[{i}]")
        for i, terms in enumerate(items(document.get("contracts", []), "contracts"))
    ]
    market = None
    if document.get("market") is not None:
        ids = {contract.id for contract in (*(p.contract for p in account.positions), *contracts)}
        market = market_from_document(mapping(document["market"], "market"), products, ids)
    return account, market, contracts, products


def _evaluated(document: Mapping[str, Any]) -> dict[str, Any]:
    account, market, contracts, _ = held(document)
    standalone = document.get("standalone", False)
    if not isinstance(standalone, bool):
        raise InvalidInput("standalone: true or false is needed")
    rulebooks = rulebooks_from_document(document)
    if "methodology" in document:
        return margin(account, market, rulebooks[0], contracts=contracts, standalone=standalone).to_dict()
    return compare(account, market, rulebooks, contracts=contracts, strict=True).to_dict()
