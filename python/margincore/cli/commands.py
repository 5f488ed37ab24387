"""The commands behind :mod:`margincore.cli`; importing this module needs the extra ``cli``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from margincore._core import (
    CalculationError,
    InvalidInput,
    MarginError,
    MissingData,
    NotApplicable,
    ParseError,
    Products,
    Unsupported,
    __version__,
    amount_text,
    worst_text,
)
from margincore.batch import Plan
from margincore.cli import positions
from margincore.cli.batch import batch, columns, contracts_of
from margincore.cli.span import risk_array_command, span, span_info
from margincore.cli.statement import written
from margincore.documents import (
    account_from_document,
    evaluate,
    products_from_document,
    quotes_by_id,
    recipe_from_document,
)
from margincore.importers import chain, read_cboe_quotes
from margincore.importers.documents import read_json
from margincore.methods import rulebooks

app = typer.Typer(
    name="margincore",
    help="Derivatives margin under the rulebooks that matter, with every number explained.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

HINTS: Mapping[type[MarginError], str] = {
    MissingData: "nothing is guessed: give what is missing; see 'margincore {command} --help'",
    NotApplicable: "choose a rulebook that covers every position (margincore rulebooks lists them)",
    ParseError: "see 'margincore {command} --help' for the columns and keys",
    InvalidInput: "correct that value; see 'margincore {command} --help' for the formats",
    Unsupported: "this rule is not implemented; nothing was calculated",
    CalculationError: "nothing was calculated; check the market's numbers",
}

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
AccountFile = Annotated[
    Path,
    typer.Argument(
        help="A JSON document (or its 'account' part), positions as a broker, clearing house or venue lets them be "
        "downloaded, or a CSV with the columns symbol, quantity and, if need be, kind (option, stock, etf, cash), "
        "price, vol. - is standard input."
    ),
]
MarketFile = Annotated[
    Path | None,
    typer.Option(
        help="JSON market (valuation, spot, rate, vol or price by contract id or option symbol ...), or a Cboe "
        "quotes CSV of European index options, plain or .gz."
    ),
]
QuoteRate = Annotated[
    float | None,
    typer.Option(help="Continuously compounded annual rate (0.05 is 5 %), for a quotes CSV or a file of positions."),
]
ParametersFile = Annotated[
    Path | None, typer.Option(help="JSON object with the rulebook's parameters (one --method only).")
]
Lot = Annotated[
    float | None,
    typer.Option(help="Least quantity of a share in a CSV account: 0.001 where three decimals are kept."),
]
Equities = Annotated[
    list[str] | None,
    typer.Option(help="A stock whose options are standard (American, 100 shares); repeat for more."),
]


@contextmanager
def _refusals(command: str) -> Iterator[None]:
    """Bad input of a command, or a file the system refuses, as one line and a hint on standard error, exit code 2."""
    try:
        yield
    except MarginError as error:
        message = str(error) if len(error.refusals) > 1 else " ".join(str(error).split())
        hint = next((text for kind, text in HINTS.items() if isinstance(error, kind)), "nothing was calculated")
        print(f"error: {message}\nhint: {hint.format(command=command)}", file=sys.stderr)
        raise typer.Exit(2) from None
    except OSError as error:
        if error.filename is None:  # no file that was named: a closed pipe, say
            raise
        hint = "see that it can be read and written, and that the disk has room"
        print(f"error: {error.filename}: {error.strerror}\nhint: {hint}", file=sys.stderr)
        raise typer.Exit(2) from None


@app.command()
def demo(as_json: Json = False) -> None:
    """Margin an iron condor on the S&P 500, embedded here, under Reg T and TIMS; its vols and days are printed."""
    with _refusals("demo"):
        text = files("margincore.cli").joinpath("samples/iron_condor.json").read_text(encoding="utf-8")
        document = json.loads(text)
        _show(document, evaluate(document), as_json)


@app.command()
def watch(
    recording: Annotated[
        Path,
        typer.Argument(
            help="A CSV of Deribit option snapshots, plain or .gz, with the columns date, instrument_name, "
            "expiry_date, strike, type (call, put), delta, mark_iv (percent); others are left alone."
        ),
    ],
    pause: Annotated[float, typer.Option(help="Seconds between moments.")] = 0.2,
    journal: Annotated[Path | None, typer.Option(help="Continue from, and write, this journal.")] = None,
) -> None:
    """Watch sample accounts through a recorded market: requirement, utilisation, margin calls."""
    from margincore.cli.watch import watch as replay

    with _refusals("watch"):
        replay(recording, pause=pause, journal=journal)


@app.command()
def margin(
    account: AccountFile,
    method: Annotated[list[str] | None, typer.Option(help="Rulebook by name; repeat it to compare rulebooks.")] = None,
    market: MarketFile = None,
    rate: QuoteRate = None,
    parameters: ParametersFile = None,
    equity: Equities = None,
    lot: Lot = None,
    quotes: positions.QuotesFile = None,
    valuation: positions.Valuation = None,
    close: positions.Close = None,
    lenient: positions.Lenient = False,
    map: positions.Map = None,
    account_id: positions.AccountId = None,
    format: positions.FileFormat = None,
    terms: positions.TermsOption = None,
    money_fund: positions.MoneyFunds = None,
    kind: positions.Kind = None,
    leave_out: positions.LeaveOut = None,
    as_json: Json = False,
) -> None:
    """Margin one account and explain the number."""
    with _refusals("margin"):
        beside = positions.Beside(
            quotes, valuation, close, lenient, map, account_id, format, tuple(terms or ()), tuple(money_fund or ()),
            kind, tuple(leave_out or ()),
        )  # fmt: skip
        document, read = _document(account, market, equity or [], rate, lot, beside)
        _choose(document, method or [], parameters)
        result = evaluate(document) if read is None else read.evaluated(evaluate, document)
        if read is not None and not as_json:
            read.show()
        _show(document, result, as_json)


@app.command()
def statement(
    account: AccountFile,
    method: Annotated[str | None, typer.Option(help="Rulebook by name; left out where the document names it.")] = None,
    market: MarketFile = None,
    rate: QuoteRate = None,
    parameters: ParametersFile = None,
    equity: Equities = None,
    lot: Lot = None,
    terms: Annotated[
        Path | None,
        typer.Option(help="JSON object of the statement's terms: transactions, settled, interest_rate, holidays ..."),
    ] = None,
    carried: Annotated[Path | None, typer.Option(help="What the last statement carried, as --carry wrote it.")] = None,
    carry: Annotated[Path | None, typer.Option(help="Write what this one carries to the next, SMA and calls.")] = None,
    quotes: positions.QuotesFile = None,
    valuation: positions.Valuation = None,
    close: positions.Close = None,
    lenient: positions.Lenient = False,
    map: positions.Map = None,
    account_id: positions.AccountId = None,
    leave_out: positions.LeaveOut = None,
    as_json: Json = False,
) -> None:
    """One account on one page: equity, what is left, what is called and by when, what may still be done."""
    with _refusals("statement"):
        beside = positions.Beside(quotes, valuation, close, lenient, map, account_id, leave_out=tuple(leave_out or ()))
        document, read = _document(account, market, equity or [], rate, lot, beside)
        _choose(document, [method] if method else [], parameters)
        page = written(document, terms, carried, carry, as_json)
        if read is not None and read.file.left_out:
            read.show(stderr=True)
        print(page)


@app.command(name="batch-plan")
def batch_plan(
    plan: Annotated[Path, typer.Argument(help="Write the plan here: margincore batch --plan reads it.")],
    document: Annotated[
        Path | None, typer.Option(help="JSON document as of 'margin', without an account: contracts, market, ...")
    ] = None,
    contracts: Annotated[
        Path | None,
        typer.Option(help="Parquet or Arrow table of contracts, columns named like a contract's terms."),
    ] = None,
    market: MarketFile = None,
    rate: QuoteRate = None,
    method: Annotated[str | None, typer.Option(help="Rulebook by name; left out where the document names it.")] = None,
    parameters: ParametersFile = None,
    equity: Equities = None,
    account: Annotated[str | None, typer.Option(help="Column of accounts, where not account or account_id.")] = None,
    contract: Annotated[str | None, typer.Option(help="Column of contracts, where not contract(_id).")] = None,
    quantity: Annotated[str | None, typer.Option(help="Column of signed quantities, in contracts.")] = None,
    lots: Annotated[str | None, typer.Option(help="Column of signed quantities, in lots.")] = None,
    long: Annotated[str | None, typer.Option(help="Column of what is long, beside --short.")] = None,
    short: Annotated[str | None, typer.Option(help="Column of what is short, beside --long.")] = None,
    cash: Annotated[list[str] | None, typer.Option(help="USD=COLUMN: cash in a currency; repeat for more.")] = None,
    collateral: Annotated[list[str] | None, typer.Option(help="ASSET=COLUMN: units held; repeat for more.")] = None,
    kind_column: Annotated[str | None, typer.Option(help="Column of the kinds of accounts.")] = None,
    kind: Annotated[str | None, typer.Option(help="The kind of accounts that state none.")] = None,
    gross: Annotated[bool, typer.Option(help="Long and short stay apart.")] = False,
    ignore: Annotated[list[str] | None, typer.Option(help="A column to pass over; repeat for more.")] = None,
    order: Annotated[str, typer.Option(help="grouped, ascending or any: how rows of a file come.")] = "grouped",
) -> None:
    """Write down what is to be margined and how, for margincore batch: rulebook, contracts, market, columns."""
    with _refusals("batch-plan"):
        stated = {} if document is None else read_json(document)
        where = plan if document is None else document
        _add_equities(stated, where, equity or [])
        _add_market(stated, where, market, Products().with_equities(equity or []), rate)
        _choose(stated, [method] if method else [], parameters)
        parts = recipe_from_document(stated, None if contracts is None else contracts_of(contracts))
        named = {
            "account": account, "contract": contract, "quantity": quantity, "lots": lots, "long": long, "short": short,
            "cash": columns(cash or [], "--cash"), "collateral": columns(collateral or [], "--collateral"),
            "kind_column": kind_column, "kind": kind, "gross": gross, "ignore": ignore or None, "order": order,
        }  # fmt: skip
        made = Plan(*parts, **named)  # type: ignore[arg-type]
        _ = made.prepared  # what it refuses is told here, not tonight
        made.save(plan)
        print(f"{plan}: {made.methodology.name}, {len(made.contracts):,} contracts, digest {made.digest}")


@app.command(name="rulebooks")
def list_rulebooks() -> None:
    """The rulebooks of this build, one per line."""
    for name in rulebooks():
        print(name)


def _refusing(name: str, command: Callable[..., None]) -> Callable[..., None]:
    """A command whose refusals are one line and a hint."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        with _refusals(name):
            command(*arguments, **options)

    return run


for _name, _command in (
    ("batch", batch), ("span", span), ("span-info", span_info), ("risk-array", risk_array_command),
    ("quotes-template", positions.template),
):  # fmt: skip
    app.command(name=_name)(_refusing(_name, _command))


@app.command()
def version() -> None:
    """The version of margincore."""
    print(__version__)


def _document(
    account: Path,
    market: Path | None,
    equities: list[str],
    rate: float | None,
    lot: float | None,
    beside: positions.Beside,
) -> tuple[dict[str, Any], positions.Read | None]:
    """The document that the files say, without its rulebook where they name none; and the file of "
    "positions it is of."""
    products = Products().with_equities(equities)
    document = positions.document_of(account)
    if document is None:
        read = positions.read(account, equities, lot, beside)
        beside_it = None if market is None else _market(market, products, rate)
        return positions.document(
            read, beside, beside_it, str(market), rate if market is None else None, products
        ), read
    stated = ["--lot"] if lot is not None else beside.stated()
    if stated:
        raise InvalidInput(
            f"{stated[0]} is of a CSV account or a broker's file of positions: a document states its own "
            f"contracts and market",
            where=stated[0],
        )
    _add_equities(document, account, equities)
    _add_market(document, account, market, products, rate)
    return document, None


def _add_equities(document: dict[str, Any], where: Path, equities: list[str]) -> None:
    """The stocks of the command line among the products of a document."""
    if equities:
        stated = document.setdefault("products", {})
        if not isinstance(stated, dict) or not isinstance(stated.get("equities", []), list):
            raise InvalidInput(f"{where}: products: an object with a list of equities is needed")
        stated["equities"] = [*stated.get("equities", []), *equities]


def _add_market(
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


def _choose(document: dict[str, Any], methods: list[str], parameters: Path | None) -> None:
    """Adds the rulebooks of the command line to a document that names none."""
    named = "methodology" in document or "methodologies" in document
    if named and (methods or parameters):
        raise InvalidInput("the document names its rulebook: leave --method and --parameters out", code="contradiction")
    if named:
        return
    if not methods:
        raise MissingData(f"which rulebook? give --method, one of {', '.join(rulebooks())}", code="not_stated")
    if parameters is not None:
        if len(methods) > 1:
            raise InvalidInput("--parameters belong to one rulebook: give one --method", code="contradiction")
        document["methodology"] = {**read_json(parameters), "name": methods[0]}
    elif len(methods) == 1:
        document["methodology"] = {"name": methods[0]}
    else:
        document["methodologies"] = [{"name": name} for name in methods]


def _show(document: Mapping[str, Any], result: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, indent=2, allow_nan=False, ensure_ascii=False))
        return
    console = Console()
    if "description" in document.get("account", {}):
        console.print(document["account"]["description"])
    for outcome in result.get("outcomes", [{"label": None, "report": result}]):
        if outcome["report"] is None:
            console.print(f"[bold]{outcome['label']}[/bold]: {_kind(outcome)}: {_why(outcome)}\n")
        else:
            _report(console, outcome["report"])
    if "outcomes" in result:
        _comparison(console, result)
    _assumptions(console, document)


def _report(console: Console, report: Mapping[str, Any]) -> None:
    """One report: its lines, their total, and both bases."""
    requirement = report["requirement"]
    parameters = report["parameters"]
    table = Table(
        title=f"{report['methodology']}: {parameters['name']} {parameters['version']}, "
        f"effective {parameters['effective']}",
        title_justify="left",
    )
    for heading, justify in (("scope", "left"), ("component", "left"), ("scenario", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for heading in ("initial", "maintenance"):
        table.add_column(f"{heading} ({report['currency']})", justify="right")
    for line in report["lines"]:
        foreign = line["currency"] != report["currency"]
        unit = f" {line['currency']} at {line['fx']:g}" if foreign else ""
        table.add_row(
            line["scope"],
            line["component"],
            line.get("scenario") or "",
            f"{amount_text(line['initial'])}{unit}",
            f"{amount_text(line['maintenance'])}{unit}",
        )
    table.add_section()
    table.add_row(
        "account", "total", worst_text(report.get("worst_scenario"), (x.get("scenario") for x in report["lines"])),
        amount_text(requirement["initial"]), amount_text(requirement["maintenance"]), style="bold",
    )  # fmt: skip
    console.print(table)
    bring, stand = amount_text(requirement["initial"]), amount_text(report["cash_balance_required"])
    console.print(f"equity required {bring}: to bring, and what liquidating equity must reach")
    console.print(f"cash balance required {stand}: what must stand there once the trades have settled")
    for warning in report.get("warnings", ()):
        console.print(f"warning: {warning['message']} ({warning['source']})", markup=False, highlight=False)
    console.print()


def _comparison(console: Console, result: Mapping[str, Any]) -> None:
    table = Table(title="side by side, initial requirements", title_justify="left")
    table.add_column("rulebook")
    for heading in ("equity required (to bring)", "saving", "cash balance after settlement", "saving"):
        table.add_column(heading, justify="right")
    for outcome in result["outcomes"]:
        if outcome["report"] is None:
            table.add_row(outcome["label"], _kind(outcome), "", "", "")
            continue
        table.add_row(
            outcome["label"],
            amount_text(outcome["equity_required"]),
            _percent(outcome["saving_on_equity"]),
            amount_text(outcome["cash_balance_required"]),
            _percent(outcome["saving_on_cash"]),
        )
    console.print(table)


def _kind(outcome: Mapping[str, Any]) -> str:
    return "no number" if outcome["not_applicable"] is None else "not applicable"


def _why(outcome: Mapping[str, Any]) -> str:
    return str(outcome["not_applicable"] or outcome["no_number"])


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.1f} %"


def _assumptions(console: Console, document: Mapping[str, Any]) -> None:
    """What the numbers rest on: a table without its vols and dates cannot be trusted."""
    market = document.get("market") or {}
    products = products_from_document(document.get("products", {}))
    held = {position.contract.id for position in account_from_document(document["account"], products).positions}
    console.print("[bold]assumptions[/bold]")
    for key, value in market.items():
        if isinstance(value, Mapping):
            quotes = key in ("price", "vol")
            if quotes:
                value = quotes_by_id(value, products, key, held)
            parts = [f"{name} {item}" for name, item in value.items() if not quotes or name in held]
            value = ", ".join(parts[:12]) + (f" and {len(parts) - 12} more" if len(parts) > 12 else "")
        elif isinstance(value, list):
            value = f"{len(value)} given"
        console.print(f"  {key}: {value}", highlight=False)
