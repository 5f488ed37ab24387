"""The commands behind :mod:`margincore.cli`; importing this module needs the extra ``cli``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from importlib.resources import files as resources
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from margincore._core import InvalidInput, MissingData, Products, __version__
from margincore.batch import Plan
from margincore.cli.batch import batch, columns, contracts_of
from margincore.cli.explaining import changed, explained
from margincore.cli.loading import add_equities, add_market, choose, known, loaded, read_kind, unique
from margincore.cli.options import (
    AccountFile,
    Equities,
    Files,
    Json,
    MarketFile,
    MaxAge,
    Method,
    Methods,
    ParametersFile,
    QuoteRate,
    takes_files,
)
from margincore.cli.positions import template
from margincore.cli.progress import working
from margincore.cli.refusals import finite, judge, refusals
from margincore.cli.rulebooks import listed
from margincore.cli.showing import show
from margincore.cli.span import risk_array_command, span, span_info
from margincore.cli.statement import written
from margincore.cli.stdin import each_from_stdin, from_stdin, is_stdin
from margincore.cli.watching import Limits, watch_accounts
from margincore.documents import Read, evaluate, read_document, recipe_from_document

app = typer.Typer(
    name="margincore",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The version of margincore.")
    ] = False,
) -> None:
    """Derivatives margin under the rulebooks that matter, with every number explained.

    Exit codes: 0 fine, 2 bad input, 3 a limit is breached, 4 a market is older than it may be, 70 a defect.
    """


@app.command()
def demo(as_json: Json = False) -> None:
    """Margin an iron condor on the S&P 500, embedded here, under Reg T and TIMS; its vols and days are printed."""
    with refusals("demo"):
        text = resources("margincore.cli").joinpath("samples/iron_condor.json").read_text(encoding="utf-8")
        document = json.loads(text)
        show(document, evaluate(document), as_json)


@app.command()
@takes_files()
def margin(
    account: AccountFile,
    method: Methods = None,
    *,
    files: Files,
    limit: Annotated[
        float | None, typer.Option(help="Equity required above which the exit code is 3, under any rulebook.")
    ] = None,
    max_age: MaxAge = None,
    as_json: Json = False,
) -> None:
    """Margin one account and explain the number."""
    with refusals("margin"):
        limits = finite(limit, "--limit"), finite(max_age, "--max-age")
        given = loaded(account, files, method or [])
        with working("margin"):
            result = given.do(evaluate)
        if given.read is not None and as_json and (left_out := given.read.left_out):
            result["left_out"] = left_out
        elif not as_json:
            given.show()
        show(given.document, result, as_json)
        judge(result, *limits)


@app.command()
@takes_files()
def explain(
    account: AccountFile,
    method: Method = None,
    *,
    files: Files,
    before: Annotated[
        Path | None,
        typer.Option(
            help="The account as it was: what made the requirement change is told instead.", callback=from_stdin
        ),
    ] = None,
    before_market: Annotated[
        Path | None, typer.Option(help="The market as it was, with --before.", callback=from_stdin)
    ] = None,
    as_json: Json = False,
) -> None:
    """One requirement step by step: lines, what each position makes of it, how it came about, parameters."""
    with refusals("explain"):

        def read(account: Path, market: Path | None) -> Read:
            given = loaded(account, replace(files, market=market), [method] if method else [])
            given.warn()
            return given.do(read_document)

        now = read(account, files.market)
        with working("explain"):
            if before is None and before_market is None:
                told = explained(now, as_json)
            else:
                told = changed(read(before or account, before_market or files.market), now, as_json)
        print(told)


@app.command()
@takes_files()
def report(
    account: AccountFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the page here: one HTML file.")],
    method: Methods = None,
    *,
    files: Files,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
) -> None:
    """An account on one HTML page: requirements side by side, pictures of profit and loss and of requirement."""
    with refusals("report"):
        given = loaded(account, files, method or [])
        given.warn()
        read = given.do(read_document)
        if read.market is None:
            raise MissingData("report: a market is needed: give --market", code="not_stated", where="--market")
        from margincore.reports import report as made

        with working("report"):
            page = given.do(
                lambda _: made(
                    read.account, read.market, list(read.rulebooks), path=output, title=title, contracts=read.contracts
                )
            )
        for words in page.missing:
            print(f"note: not on the page: {words}", file=sys.stderr)
        print(output)


@app.command()
@takes_files(without=["terms"])
def statement(
    account: AccountFile,
    method: Method = None,
    *,
    files: Files,
    terms: Annotated[
        Path | None,
        typer.Option(
            help="JSON object of the statement's terms: transactions, settled, interest_rate, holidays ...",
            callback=from_stdin,
        ),
    ] = None,
    carried: Annotated[
        Path | None, typer.Option(help="What the last statement carried, as --carry wrote it.", callback=from_stdin)
    ] = None,
    carry: Annotated[Path | None, typer.Option(help="Write what this one carries to the next, SMA and calls.")] = None,
    as_json: Json = False,
) -> None:
    """One account on one page: equity, what is left, what is called and by when, what may still be done."""
    with refusals("statement"):
        given = loaded(account, files, [method] if method else [])
        given.warn()
        with working("statement"):
            page = given.do(lambda document: written(document, terms, carried, carry, as_json))
        print(page)


@app.command()
@takes_files()
def watch(
    recording: Annotated[
        Path | None,
        typer.Argument(
            help="A recording to replay with sample accounts: a CSV of Deribit option snapshots, plain or .gz, with "
            "the columns date, instrument_name, expiry_date, strike, type (call, put), delta, mark_iv (percent).",
            callback=from_stdin,
        ),
    ] = None,
    account: Annotated[
        list[Path] | None,
        typer.Option(help="An account of one's own, as 'margin' takes it; repeat for more.", callback=each_from_stdin),
    ] = None,
    method: Method = None,
    *,
    files: Files,
    limit: Annotated[float | None, typer.Option(help="Initial requirement above which an account is told.")] = None,
    utilisation: Annotated[
        float | None, typer.Option(help="Part of equity above which an account is told (0.9 is 90 %).")
    ] = None,
    call: Annotated[float | None, typer.Option(help="Margin call: equity below so many times initial; else 1.")] = None,
    max_age: MaxAge = None,
    once: Annotated[bool, typer.Option("--once", help="Look once; the exit code says what was seen.")] = False,
    pause: Annotated[float, typer.Option(min=0.0, help="Seconds between moments, or looks at the files.")] = 0.2,
    journal: Annotated[Path | None, typer.Option(help="Of a replay: continue from, and write, this journal.")] = None,
    as_json: Json = False,
) -> None:
    """Watch accounts: equity, requirement, utilisation, margin calls. Files that change are read again.

    Exit codes with --once, and of the last look where it is interrupted: 0 fine, 3 a limit is breached or there is a
    call, 4 the market is older than --max-age.
    """
    with refusals("watch"):
        limits = Limits(finite(limit, "--limit"), finite(utilisation, "--utilisation"), finite(max_age, "--max-age"))
        own = {
            "--method": method, "--limit": limit, "--utilisation": utilisation, "--call": call, "--max-age": max_age,
            "--once": once, "--json": as_json,
        }  # fmt: skip
        if recording is not None:
            given = ["--account"] * bool(account) + [n for n, value in own.items() if value not in (None, False)]
            if given := given + files.stated():
                raise InvalidInput(
                    f"watch: a recording is replayed with sample accounts: leave {given[0]} out", code="contradiction"
                )
            from margincore.cli.watch import watch as replay

            replay(recording, pause=pause, journal=journal)
            return
        if not account:
            raise InvalidInput("watch: give --account, or a recording to replay", code="not_stated", where="--account")
        if journal is not None:
            raise InvalidInput("watch: a journal is of a replay: leave --journal out", code="contradiction")
        if not once and any(is_stdin(path) for path in (*account, *files.paths())):
            raise InvalidInput("watch: standard input cannot be read again: give --once", code="contradiction")
        watch_accounts(
            unique(account), files, method, limits, finite(call, "--call") or 1.0,
            once=once, pause=pause, as_json=as_json,
        )  # fmt: skip


@app.command(name="batch-plan")
def batch_plan(
    plan: Annotated[Path, typer.Argument(help="Write the plan here: margincore batch --plan reads it.")],
    document: Annotated[
        Path | None,
        typer.Option(
            help="JSON document as of 'margin', without an account: contracts, market, ...", callback=from_stdin
        ),
    ] = None,
    contracts: Annotated[
        Path | None,
        typer.Option(
            help="Parquet or Arrow table of contracts, columns named like a contract's terms.", callback=from_stdin
        ),
    ] = None,
    market: MarketFile = None,
    rate: QuoteRate = None,
    method: Method = None,
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
    order: Annotated[Literal["grouped", "ascending", "any"], typer.Option(help="How rows of a file come.")] = "grouped",
) -> None:
    """Write down what is to be margined and how, for margincore batch: rulebook, contracts, market, columns."""
    with refusals("batch-plan"):
        known([method] if method else [])
        stated = {} if document is None else read_kind(document, "a document without an account")
        where = plan if document is None else document
        add_equities(stated, where, equity or [])
        add_market(stated, where, market, Products().with_equities(equity or []), rate)
        choose(stated, [method] if method else [], parameters)
        parts = recipe_from_document(stated, None if contracts is None else contracts_of(contracts))
        named = {
            "account": account, "contract": contract, "quantity": quantity, "lots": lots, "long": long, "short": short,
            "cash": columns(cash or [], "--cash"), "collateral": columns(collateral or [], "--collateral"),
            "kind_column": kind_column, "kind": kind, "gross": gross, "ignore": ignore or None, "order": order,
        }  # fmt: skip
        with working("batch-plan"):
            made = Plan(*parts, **named)  # type: ignore[arg-type]
            _ = made.prepared  # what it refuses is told here, not tonight
        made.save(plan)
        print(f"{plan}: {made.methodology.name}, {len(made.contracts):,} contracts, digest {made.digest}")


@app.command(name="rulebooks")
def list_rulebooks(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="With parameter sets: from when, from where, how well known.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What may be named after --method: rulebooks and venues, one per line."""
    print(listed(verbose, as_json))


def _refusing(name: str, command: Callable[..., None]) -> Callable[..., None]:
    """A command whose refusals are one line and a hint."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        with refusals(name):
            command(*arguments, **options)

    return run


for _name, _command in (
    ("batch", batch), ("span", span), ("span-info", span_info), ("risk-array", risk_array_command),
    ("quotes-template", template),
):  # fmt: skip
    app.command(name=_name)(_refusing(_name, _command))


@app.command()
def version() -> None:
    """The version of margincore."""
    print(__version__)
