"""What the files of a command say, as one document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from margincore._core import InvalidInput, MissingData, Products
from margincore.documents import quotes_by_id
from margincore.importers import chain, read_account, read_cboe_quotes
from margincore.importers.documents import read_json
from margincore.methods import names

__all__ = ["add_equities", "add_market", "choose", "loaded", "unique"]


def loaded(
    account: Path, market: Path | None, equities: list[str], rate: float | None, lot: float | None
) -> dict[str, Any]:
    """The document that the files say, without its rulebook where they name none."""
    products = Products().with_equities(equities)
    if account.suffix.lower() in (".csv", ".gz"):
        held = read_account(account, equities=equities, lot=1.0 if lot is None else lot)
        document: dict[str, Any] = {
            "account": {
                "positions": [
                    {"contract": p.contract.to_dict(), "quantity": p.quantity} for p in held.account.positions
                ],
                "cash": held.account.cash,
            }
        }
        quotes: dict[str, dict[str, float]] = {"price": held.price, "vol": held.vol}
    else:
        if lot is not None:
            raise InvalidInput(
                "--lot is of a CSV account: in a document every contract states its lot", where="--lot", value=lot
            )
        document = read_json(account)
        if "positions" in document:
            document = {"account": document}
        add_equities(document, account, equities)
        quotes = {}
    add_market(document, account, market, products, rate)
    for name, values in quotes.items():
        if values and market is None:
            raise MissingData(f"{account}: a {name} needs a market beside it, with its valuation: give --market")
        if not values:
            continue
        given = quotes_by_id(document["market"].get(name, {}), products, f"{market}: {name}")
        document["market"][name] = given
        for id_, value in values.items():
            known = given.setdefault(id_, value)
            if known != value:
                raise InvalidInput(
                    f"{account}: {name} of '{id_}' is {value} here and {known} in {market}", code="contradiction"
                )
    return document


def add_equities(document: dict[str, Any], where: Path, equities: list[str]) -> None:
    """The stocks of the command line among the products of a document."""
    if equities:
        stated = document.setdefault("products", {})
        if not isinstance(stated, dict) or not isinstance(stated.get("equities", []), list):
            raise InvalidInput(f"{where}: products: an object with a list of equities is needed")
        stated["equities"] = [*stated.get("equities", []), *equities]


def add_market(
    document: dict[str, Any], where: Path, market: Path | None, products: Products, rate: float | None
) -> None:
    """The market of the command line in a document that has none."""
    if market is not None:
        if document.get("market") is not None:
            raise InvalidInput(
                f"{where}: the document has a market of its own: leave --market out", code="contradiction"
            )
        document["market"] = _market(market, products, rate)
    elif rate is not None:
        raise InvalidInput(
            "--rate belongs to a quotes CSV: give --market, or state rates in the document", code="contradiction"
        )


def _market(market: Path, products: Products, rate: float | None) -> dict[str, Any]:
    """A market file as a document; what a quotes file leaves out is said on standard error."""
    if market.suffix.lower() not in (".csv", ".gz"):
        if rate is not None:
            raise InvalidInput(f"--rate belongs to a quotes CSV; {market} states its own rates", code="contradiction")
        return read_json(market)
    quotes = read_cboe_quotes(market)
    if rate is None:
        raise MissingData(f"{market}: quotes carry no interest rate: give --rate", code="missing_rate")
    found = chain(quotes, rate=rate, products=products)
    if found.dropped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in found.reasons().items())
        print(f"note: {market}: {len(found.dropped)} quotes left out: {reasons}", file=sys.stderr)
    return found.market.to_dict()


def choose(document: dict[str, Any], methods: list[str], parameters: Path | None) -> None:
    """Adds the rulebooks of the command line to a document that names none."""
    named = "methodology" in document or "methodologies" in document
    if named and (methods or parameters):
        raise InvalidInput("the document names its rulebook: leave --method and --parameters out", code="contradiction")
    if named:
        return
    if not methods:
        raise MissingData(f"which rulebook? give --method, one of {', '.join(names())}", code="not_stated")
    if parameters is not None:
        if len(methods) > 1:
            raise InvalidInput("--parameters belong to one rulebook: give one --method", code="contradiction")
        document["methodology"] = {**read_json(parameters), "name": methods[0]}
    elif len(methods) == 1:
        document["methodology"] = {"name": methods[0]}
    else:
        document["methodologies"] = [{"name": name} for name in methods]


def unique(paths: list[Path]) -> dict[str, Path]:
    """Files by the name of the account in them: the file's own, which may come once."""
    found: dict[str, Path] = {}
    for path in paths:
        name = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
        if name in found:
            raise InvalidInput(
                f"{path}: {found[name]} is called {name!r} as well: accounts are called by their files",
                code="duplicate",
            )
        found[name] = path
    return found
