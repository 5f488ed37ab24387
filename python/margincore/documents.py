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
spelling. ``"contracts"`` adds contracts that options are written on. ``"methodologies"`` in place of ``"methodology"``
compares rulebooks. ``"version"`` is that of the format, the present one where it is left out; answers say theirs, and a
version this build does not read raises :class:`margincore.ParseError`. Unknown keys are refused. The JSON Schema is
:func:`schema`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from margincore._core import (
    Account,
    Contract,
    Contracts,
    InvalidInput,
    MarginError,
    Market,
    Methodology,
    MissingData,
    Position,
    Products,
    __document_version__,
    check_version,
    did_you_mean,
)
from margincore._pickles import Record
from margincore.analysis.compare import compare
from margincore.analysis.statements import Carried, Money, Statement, Transaction, statement
from margincore.engine import margin
from margincore.methods import named, named_document
from margincore.portfolio import Trade

__all__ = [
    "Read",
    "account_from_document",
    "evaluate",
    "methodology_from_document",
    "products_from_document",
    "quotes_by_id",
    "read_document",
    "recipe_from_document",
    "schema",
    "statement_from_document",
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

_ASK_FOR_SECURITIES = ("house", "reg-t", "tims")
"""The rulebooks that take a table of securities."""


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
    with _printable():
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
    with _printable():
        account, market, contracts, _ = _held(document)
        return Read(account, market, tuple(_rulebooks(document)), tuple(contracts))


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
    with _printable():
        return _statement(document, terms)


def _statement(document: Mapping[str, Any], terms: Mapping[str, Any] | None) -> Statement:
    account, market, contracts, products = _held(document)
    if "methodology" not in document or document.get("standalone"):
        raise InvalidInput("document: a statement has one methodology, and nothing standalone")
    methodology = methodology_from_document(_mapping(document["methodology"], "methodology"))
    given = dict(_mapping({} if terms is None else terms, "terms"))
    known = set(inspect.signature(statement).parameters) - {"account", "market", "methodology", "contracts"}
    _only(given, "terms", known)
    with _place("terms"):
        if given.get("carried") is not None:
            given["carried"] = Carried.from_dict(given["carried"])
        if given.get("transactions") is not None:
            given["transactions"] = [
                _transaction(row, f"terms.transactions[{i}]", products)
                for i, row in enumerate(_list(given["transactions"], "transactions"))
            ]
        return statement(account, market, methodology, contracts=contracts, **given)


def _transaction(row: Any, where: str, products: Products) -> Transaction:
    if isinstance(row, list):
        return [_trade(_mapping(leg, where), where, products) for leg in row]
    row = _mapping(row, where)
    if "kind" not in row:
        return _trade(row, where, products)
    with _place(where):
        return Money.from_dict(row)


def _trade(row: Mapping[str, Any], where: str, products: Products) -> Trade:
    _only(row, where, {"contract", "symbol", "quantity", "price", "fees"})
    named = {key: row[key] for key in ("contract", "symbol") if key in row}
    contract = _position({**named, "quantity": 0}, where, products).contract
    return contract, _required(row, where, "quantity"), _required(row, where, "price"), row.get("fees", 0.0)


def _held(document: Mapping[str, Any]) -> tuple[Account, Market | None, list[Contract], Products]:
    """What a document says beside its rulebooks: account, market, more contracts, the product table."""
    if "version" in _mapping(document, "document"):  # first: another version may have other keys
        check_version("document", document["version"], 1, __document_version__)
    _only(
        document,
        "document",
        {
            "version",
            "account",
            "market",
            "methodology",
            "methodologies",
            "contracts",
            "products",
            "securities",
            "standalone",
        },
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
    return account, market, contracts, products


def _evaluated(document: Mapping[str, Any]) -> dict[str, Any]:
    account, market, contracts, _ = _held(document)
    standalone = document.get("standalone", False)
    if not isinstance(standalone, bool):
        raise InvalidInput("standalone: true or false is needed")
    rulebooks = _rulebooks(document)
    if "methodology" in document:
        return margin(account, market, rulebooks[0], contracts=contracts, standalone=standalone).to_dict()
    return compare(account, market, rulebooks, contracts=contracts, strict=True).to_dict()


def _rulebooks(document: Mapping[str, Any]) -> list[Methodology]:
    """The rulebooks of a document: its one, or those it compares."""
    if ("methodology" in document) == ("methodologies" in document):
        raise MissingData(
            "document: give methodology (one rulebook) or methodologies (several, to compare)", code="not_stated"
        )
    securities = document.get("securities")
    if "methodology" in document:
        stated = _with_securities(_mapping(document["methodology"], "methodology"), securities)
        return [methodology_from_document(stated)]
    several = _list(document["methodologies"], "methodologies")
    if not several:
        raise InvalidInput("methodologies: an empty list: name at least one rulebook", code="not_stated")
    return [
        methodology_from_document(
            _with_securities(_mapping(m, f"methodologies[{i}]"), securities), f"methodologies[{i}]"
        )
        for i, m in enumerate(several)
    ]


def _with_securities(methodology: Mapping[str, Any], securities: Any) -> Mapping[str, Any]:
    """A rulebook's document with the securities of the whole one, where it is a rulebook that asks what symbols are."""
    if securities is None:
        return methodology
    _only(_mapping(securities, "securities"), "securities", {"rows", "shipped"})
    _list(_required(securities, "securities", "rows"), "securities.rows")
    name = methodology.get("name")
    if not isinstance(name, str) or named_document(name)["name"] not in _ASK_FOR_SECURITIES:
        return methodology
    if name.startswith("house") and isinstance(methodology.get("base"), Mapping):
        methodology = {**methodology, "base": _with_securities(methodology["base"], securities)}
    if "securities" in methodology:
        raise InvalidInput("securities: given for the document and for its rulebook: give them once", code="not_stated")
    return {**methodology, "securities": securities}


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
    with _printable():
        for key in ("account", "methodologies", "standalone"):
            if _mapping(document, "document").get(key) is not None:
                raise InvalidInput(f"document: {key} has no place in a plan for many accounts", where=key)
        if contracts is not None and document.get("contracts"):
            raise InvalidInput("contracts: given in the document and beside it: give them once", code="contradiction")
        held = {key: value for key, value in document.items() if key != "methodology"}
        stated = _with_securities(
            _mapping(_required(document, "document", "methodology"), "methodology"), document.get("securities")
        )
        methodology = methodology_from_document(stated)
        if contracts is None:
            _, market, listed, _ = _held({**held, "account": {"positions": []}})
            with _place("contracts"):
                return methodology, Contracts(listed), market
        _, _, _, products = _held({**held, "account": {"positions": []}, "market": None})
        if document.get("market") is None:
            return methodology, contracts, None
        return methodology, contracts, _market(_mapping(document["market"], "market"), products, {*contracts.ids})


def methodology_from_document(document: Mapping[str, Any], where: str = "methodology") -> Methodology:
    """A rulebook from ``{"name": ..., ...parameters}``; the name as :func:`margincore.methods.named` takes it.

    >>> methodology_from_document({"name": "tims", "grid": "even"}).name
    'OCC TIMS'
    >>> methodology_from_document({"name": "deribit@2026-05-06"}).parameters["name"]
    'deribit-pm-2026'
    """
    parameters = dict(document)
    name = parameters.pop("name", None)
    if not isinstance(name, str):
        raise MissingData(f"{where}: name is missing: which rulebook?", code="not_stated", where=where)
    with _place(where):
        return named(name, **parameters)


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
        raise InvalidInput(f"account: gross: true or false is needed, not {rest['gross']}", code="wrong_type")
    with _place("account"):
        return Account(positions, **rest)


def _position(row: Mapping[str, Any], where: str, products: Products) -> Position:
    _only(row, where, {"contract", "symbol", "quantity", "long", "short"})
    if ("contract" in row) == ("symbol" in row):
        raise MissingData(f"{where}: give contract (its terms) or symbol (of a listed option)")
    with _place(where):
        if "symbol" in row:
            contract = _listed(row["symbol"], products)
        else:
            contract = _contract(_mapping(row["contract"], f"{where}.contract"), f"{where}.contract")
        sides = {key: row[key] for key in ("quantity", "long", "short") if row.get(key) is not None}
        return Position(contract, **sides)


def _listed(symbol: str, products: Products) -> Contract:
    """The contract of a listed option's symbol; the grammars beside the engine's are loaded when one is asked for."""
    try:
        return products.contract(symbol)
    except InvalidInput:
        from margincore.symbols.contracts import listed_option

        return listed_option(symbol, products)


def _contract(terms: Mapping[str, Any], where: str) -> Contract:
    with _place(where):
        return Contract(**terms)


def _market(document: Mapping[str, Any], products: Products, ids: Collection[str]) -> Market:
    _only(document, "market", {"valuation", *_MARKET})
    parts = {key: value for key, value in document.items() if value is not None}
    valuation = parts.pop("valuation", None) or _missing("market", "valuation")
    if not (isinstance(valuation, str) or hasattr(valuation, "isoformat")):
        raise InvalidInput(
            f"market: valuation {valuation}: an instant is needed, 2026-11-20T16:00:00-05:00", code="bad_time"
        )
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
    _only(document, "products", {"equities", "rows"})
    equities = _list(document.get("equities", []), "products.equities")
    rows = _list(document.get("rows", []), "products.rows")
    with _place("products"):
        table = Products().with_equities(equities)
        return table.extended(rows) if rows else table


@contextmanager
def _printable() -> Iterator[None]:
    """Refuses documents that are nested too deep, or have a number that cannot even be printed (of 5,000 digits)."""
    try:
        yield
    except MarginError:
        raise
    except RecursionError:
        raise InvalidInput("document: nested too deep", code="too_large") from None
    except ValueError as error:
        raise InvalidInput(f"document: {error}") from None


@contextmanager
def _place(where: str) -> Iterator[None]:
    """Refusals with their place in the document in front; values of a wrong type or size are refused as well."""
    try:
        yield
    except MarginError as error:
        if not str(error).startswith(where):
            error.named(where)
        raise
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{where}: {error}", code="wrong_type") from None
    except OverflowError:
        raise InvalidInput(f"{where}: a number is out of range", code="out_of_range") from None


def _only(document: Mapping[str, Any], where: str, known: set[str]) -> None:
    for key in document:
        if key not in known:
            hint = did_you_mean(str(key), sorted(known))
            raise InvalidInput(
                f"{where}: unknown key {key!r}: known are {', '.join(sorted(known))}{hint}",
                code="unknown_name",
                where=where,
                value=key,
            )


def _required(document: Mapping[str, Any], where: str, key: str) -> Any:
    return document[key] if key in document else _missing(where, key)


def _missing(where: str, key: str) -> Any:
    raise MissingData(f"{where}: {key} is missing", code="not_stated", where=where)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{where}: an object is needed, not {type(value).__name__}", code="wrong_type")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{where}: a list is needed, not {type(value).__name__}", code="wrong_type")
    return list(value)
