"""From a broker's raw file to a document: what ``margin`` and ``statement`` do with a file that is no document."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from margincore._core import InvalidInput, MissingData, Products, did_you_mean
from margincore.cli.stdin import NAME, from_stdin, is_stdin
from margincore.documents import quotes_by_id
from margincore.documents.kinds import only_of
from margincore.importers import PositionsFile, Quotes, quotes_template, read_positions, read_quotes
from margincore.importers.documents import read_json
from margincore.importers.text import read_source
from margincore.json_objects import json_object

T = TypeVar("T")

QuotesFile = Annotated[
    Path | None,
    typer.Option(
        help="CSV of quotes beside the positions: symbol, price, vol, spot, rate ... (see quotes-template).",
        callback=from_stdin,
    ),
]
Valuation = Annotated[
    str | None, typer.Option(help="The instant of the prices with its zone: 2026-11-25T16:00:00-05:00.")
]
Close = Annotated[
    str | None,
    typer.Option(help='The day the file itself says, at this time and zone: "16:00 America/New_York".'),
]
Lenient = Annotated[bool, typer.Option("--lenient", help="Leave out rows that are refused; they are listed.")]
Map = Annotated[str | None, typer.Option(help="Columns of another table: symbol=Sym,price=Last ...")]
AccountId = Annotated[str | None, typer.Option(help="Which account of a file of several.")]
FileFormat = Annotated[str | None, typer.Option("--format", help="The format, where the columns are of several.")]
TermsOption = Annotated[
    list[str] | None,
    typer.Option("--terms", help="What a file does not say: NIFTY:multiplier=75; repeat for more."),
]
MoneyFunds = Annotated[
    list[str] | None, typer.Option("--money-fund", help="A money-market fund to take as cash; repeat for more.")
]
LeaveOut = Annotated[list[str] | None, typer.Option(help="Id of a contract to leave out, and list; repeat for more.")]
Kind = Annotated[str | None, typer.Option(help="The rulebook's own word for the account: margin, cash ...")]

_NUMBERS = ("multiplier",)
_TERMS = ("multiplier", "expiry", "settles", "exchange", "currency", "underlying", "exercise", "settlement", "premium")
_DOCUMENT_ROW = {"contract", "symbol", "quantity", "long", "short"}


@dataclass(frozen=True)
class Beside:
    """What the command line says beside a file of positions."""

    quotes: Path | None = None
    valuation: str | None = None
    close: str | None = None
    lenient: bool = False
    map: str | None = None
    account_id: str | None = None
    format: str | None = None
    terms: tuple[str, ...] = ()
    money_funds: tuple[str, ...] = ()
    kind: str | None = None
    leave_out: tuple[str, ...] = ()

    def stated(self) -> list[str]:
        """The options that are given."""
        named = {
            "--quotes": self.quotes, "--valuation": self.valuation, "--close": self.close, "--lenient": self.lenient,
            "--map": self.map, "--account-id": self.account_id, "--format": self.format, "--terms": self.terms,
            "--money-fund": self.money_funds, "--kind": self.kind, "--leave-out": self.leave_out,
        }  # fmt: skip
        return [name for name, value in named.items() if value]


@dataclass(frozen=True)
class Read:
    """A file of positions and the quotes beside it."""

    file: PositionsFile
    quotes: Quotes | None

    def told(self, work: Callable[[dict[str, Any]], T], document: dict[str, Any]) -> T:
        """What is made of a document; a quote it lacks is told together with all the others that are missing."""
        try:
            return work(document)
        except MissingData as error:
            missing = self.file.missing(self.quotes)
            if not missing:
                if error.code in ("missing_rate", "missing_forward"):
                    raise MissingData(f"{error} (--rate)", code=error.code, where=error.where) from None
                raise
            shown = ", ".join(missing[:12]) + (f" and {len(missing) - 12} more" if len(missing) > 12 else "")
            raise MissingData(
                f"{error}; missing quotes ({len(missing)}): {shown}: margincore quotes-template {self.file.file} > "
                "quotes.csv writes them down, --quotes quotes.csv reads them",
                code=error.code,
                where=error.where,
                value=error.value,
            ) from None

    @property
    def left_out(self) -> tuple[dict[str, Any], ...]:
        """Rows that are not margined, as plain values."""
        return tuple(each.to_dict() for each in self.file.left_out)

    def show(self, stderr: bool = False) -> None:
        """What was read, and what was left out, in words."""
        file, console = self.file, Console(soft_wrap=True, stderr=stderr)
        of = f", of {file.as_of}" if file.as_of else ""
        who = f", account {file.account_id}" if file.account_id else ""
        console.print(
            f"{file.file}: {file.format}, {len(file.positions)} positions{who}{of}", markup=False, highlight=False
        )
        if file.left_out:
            console.print(f"left out, and not margined: {len(file.left_out)} rows", style="bold red")
            for each in file.left_out:
                console.print(f"  {each}", markup=False, highlight=False)


def document_of(path: Path) -> dict[str, Any] | None:
    """The document in a file, where it is one of the package's own; `None` for positions as others write them."""
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return None
    name, text = read_source(path)
    if text.lstrip()[:1] != "{":
        return None
    found = json_object(text, name)
    only_of(found, name, "an account", ("account", "document"))
    rows = found.get("positions")
    if "account" in found:
        return read_json(path)
    own = isinstance(rows, list) and all(isinstance(row, dict) and not {*row} - _DOCUMENT_ROW for row in rows)
    return {"account": read_json(path)} if own else None


def read(path: Path, equities: list[str], lot: float | None, beside: Beside) -> Read:
    """A file of positions."""
    file = read_positions(
        path,
        name=NAME if is_stdin(path) else None,
        format=beside.format,
        map=None if beside.map is None else _pairs(beside.map, "--map"),
        equities=equities,
        lot=lot,
        lenient=beside.lenient,
        account=beside.account_id,
        terms=terms_of(beside.terms),
        money_funds=beside.money_funds,
        leave_out=beside.leave_out,
        on=None if beside.valuation is None else beside.valuation[:10],
    )
    return Read(file, None if beside.quotes is None else read_quotes(beside.quotes))


def document(
    given: Read, beside: Beside, market: dict[str, Any] | None, market_name: str, rate: float | None, products: Products
) -> dict[str, Any]:
    """The document of a file of positions: its account, and its quotes in the market, or as one."""
    file = given.file
    made: dict[str, Any] = {
        "account": {
            "positions": [_position(p) for p in file.positions],
            "cash": dict(file.cash),
        }
    }
    if beside.kind is not None:
        made["account"]["kind"] = beside.kind
    if file.written_on:
        made["contracts"] = [contract.to_dict() for contract in file.written_on]
    if market is None:
        says_when = beside.valuation or beside.close or (given.quotes is not None and given.quotes.valuation)
        if says_when or file.marks or file.vols or file.spots or given.quotes is not None or rate is not None:
            made["market"] = file.market_document(beside.valuation, quotes=given.quotes, rate=rate, close=beside.close)
            _remark(given, made["market"])
        return made
    if beside.valuation or beside.close or beside.quotes:
        raise InvalidInput(
            "--market has its own valuation and quotes: leave --valuation, --close and --quotes out",
            code="contradiction",
        )
    made["market"] = market
    for name, values in (("price", file.marks), ("vol", file.vols), ("spot", file.spots)):
        if not values:
            continue
        known = market.get(name, {})
        market[name] = dict(known) if name == "spot" else quotes_by_id(known, products, f"{market_name}: {name}")
        for id_, value in values.items():
            if market[name].setdefault(id_, value) != value:
                raise InvalidInput(
                    f"{file.file}: {name} of '{id_}' is {value} here and {market[name][id_]} in {market_name}",
                    code="contradiction",
                )
    _remark(given, market)
    return made


def _remark(given: Read, market: Mapping[str, Any]) -> None:
    """Says on standard error what is suspicious of a file beside its market."""
    for remark in given.file.remarks(str(market.get("valuation", "")), given.quotes):
        print(f"note: {given.file.file}: {remark}", file=sys.stderr)


def _position(position: Any) -> dict[str, Any]:
    held: dict[str, Any] = {"contract": position.contract.to_dict()}
    if position.long and position.short:
        return {**held, "long": position.long, "short": position.short}
    return {**held, "quantity": position.quantity}


def _pairs(text: str, option: str) -> dict[str, str]:
    """``symbol=Ticker,quantity=Qty`` as a mapping."""
    found = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InvalidInput(
                f"{option} {text!r}: name=value, separated by commas, is needed", where=option, value=text
            )
        found[name.strip()] = value.strip()
    return found


def terms_of(options: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """``--terms ROOT:name=value,...`` as terms by root."""
    terms: dict[str, dict[str, Any]] = {}
    for option in options:
        root, colon, rest = option.partition(":")
        if not colon:
            raise InvalidInput(
                f"--terms {option!r}: ROOT:name=value is needed, NIFTY:multiplier=75", where="--terms", value=option
            )
        for name, value in _pairs(rest, "--terms").items():
            if name not in _TERMS:
                raise InvalidInput(
                    f"--terms {root}: {name!r} is not one of {', '.join(_TERMS)}{did_you_mean(name, list(_TERMS))}",
                    where="--terms",
                    value=name,
                    code="unknown_name",
                )
            terms.setdefault(root.strip(), {})[name] = _number(root, value) if name in _NUMBERS else value
    return terms


def _number(root: str, value: str) -> float:
    from margincore.numerals import decimal

    return decimal(value, f"--terms {root}: multiplier")


def template(
    positions: Annotated[
        Path, typer.Argument(help="A broker's, clearing house's or venue's file of positions.", callback=from_stdin)
    ],
    equity: Annotated[list[str] | None, typer.Option(help="A stock whose options are standard; repeat.")] = None,
    lot: Annotated[float | None, typer.Option(help="Least quantity of a share.")] = None,
    lenient: Lenient = False,
    map: Map = None,
    account_id: AccountId = None,
    format: FileFormat = None,
    terms: TermsOption = None,
    money_fund: MoneyFunds = None,
) -> None:
    """Write a CSV with an empty cell for every quote that a file of positions lacks; --quotes reads it back."""
    beside = Beside(
        lenient=lenient, map=map, account_id=account_id, format=format, terms=tuple(terms or ()),
        money_funds=tuple(money_fund or ()),
    )  # fmt: skip
    print(quotes_template(read(positions, equity or [], lot, beside).file), end="")
