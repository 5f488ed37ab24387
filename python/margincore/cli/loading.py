"""What the files of a command say, as one document."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from margincore._core import InvalidInput, MarginError, MissingData, Products
from margincore.cli import positions
from margincore.cli.near import misspelt
from margincore.cli.options import Files
from margincore.cli.stdin import NAME, is_stdin, named_in
from margincore.documents.kinds import only_of
from margincore.importers import chain, read_cboe_quotes
from margincore.importers.documents import read_json
from margincore.methods import named_document, names

__all__ = ["Loaded", "add_equities", "add_market", "choose", "known", "loaded", "read_kind", "unique"]

T = TypeVar("T")


class Loaded(NamedTuple):
    """The document that files say, and the broker's file its account is of, where it is of one."""

    document: dict[str, Any]
    read: positions.Read | None

    def do(self, work: Callable[[dict[str, Any]], T]) -> T:
        """What is made of the document; quotes that are missing are told all at once.

        Names that look misspelt are told on standard error first.
        """
        for words in misspelt(self.document):
            print(f"note: {words}", file=sys.stderr)
        return work(self.document) if self.read is None else self.read.told(work, self.document)

    def show(self) -> None:
        """What a broker's file held, and what of it was left out, in words."""
        if self.read is not None:
            self.read.show()

    def warn(self) -> None:
        """Says on standard error which rows of a broker's file are left out."""
        for row in () if self.read is None else self.read.file.left_out:
            print(f"note: left out, and not margined: {row}", file=sys.stderr)


def loaded(account: Path, files: Files, methods: list[str]) -> Loaded:
    """The document that an account's file, what stands beside it and rulebooks by name make."""
    known(methods)
    products = Products().with_equities(list(files.equities))
    document = positions.document_of(account)
    read = None
    if document is None:
        read = positions.read(account, list(files.equities), files.lot, files.beside)
        market = None if files.market is None else _market(files.market, products, files.rate)
        rate = files.rate if market is None else None
        document = positions.document(read, files.beside, market, str(files.market), rate, products)
    else:
        stated = ["--lot"] if files.lot is not None else files.beside.stated()
        if stated:
            raise InvalidInput(
                f"{stated[0]} is of a CSV account or a broker's file of positions: a document states its own contracts "
                "and market",
                where=stated[0],
            )
        add_equities(document, account, list(files.equities))
        add_market(document, account, files.market, products, files.rate)
    choose(document, methods, files.parameters)
    return Loaded(document, read)


def known(methods: list[str]) -> None:
    """Refuses a word after ``--method`` that stands for nothing, before any file is read."""
    for method in methods:
        try:
            named_document(method)
        except MarginError as error:
            error.named("--method")
            raise


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
        return read_kind(market, "a market", "market")
    quotes = read_cboe_quotes(market)
    if rate is None:
        raise MissingData(f"{market}: quotes carry no interest rate: give --rate", code="missing_rate")
    found = chain(quotes, rate=rate, products=products)
    if found.dropped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in found.reasons().items())
        print(f"note: {named_in(str(market))}: {len(found.dropped)} quotes left out: {reasons}", file=sys.stderr)
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
        document["methodology"] = {**read_kind(parameters, "an object of parameters"), "name": methods[0]}
    elif len(methods) == 1:
        document["methodology"] = {"name": methods[0]}
    else:
        document["methodologies"] = [{"name": name} for name in methods]


def read_kind(path: Path, needed: str, *kinds: str) -> dict[str, Any]:
    """The JSON object in a file: what is `needed`, and nothing whose keys tell a kind that is none of `kinds`."""
    found = read_json(path)
    only_of(found, named_in(str(path)), needed, kinds)
    return found


def unique(paths: list[Path]) -> dict[str, Path]:
    """Files by the name of the account in them: the file's own, which may come once."""
    found: dict[str, Path] = {}
    for path in paths:
        name = NAME if is_stdin(path) else path.name.removesuffix(".gz").rpartition(".")[0] or path.name
        if name in found:
            raise InvalidInput(
                f"{path}: {found[name]} is called {name!r} as well: accounts are called by their files",
                code="duplicate",
            )
        found[name] = path
    return found
