"""``margincore span``, ``span-info`` and ``risk-array``; part of :mod:`margincore.cli.commands`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table
from rich.text import Text

from margincore._core import Account, InvalidInput, MarginReport, SpanFile
from margincore.cli import positions as beside
from margincore.cli.console import said, stdout
from margincore.cli.progress import working
from margincore.cli.stdin import from_stdin
from margincore.engine import margin
from margincore.importers.span import lot_sizes, positions_in, read_positions
from margincore.importers.text import read_source, text_rows
from margincore.methods.span import Span, risk_array

__all__ = ["risk_array_command", "span", "span_info"]

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]


def span(
    file: Annotated[Path, typer.Argument(help="A .spn or .pa2 file, plain, gzipped or zipped, or a cache.")],
    positions: Annotated[
        Path,
        typer.Argument(
            help="CSV: exchange, product, kind (PHY FUT CMB OOF OOP OOC), period, right (C, P), strike, quantity "
            "(signed contracts); or symbol, quantity with the ids that span-info --contracts lists; or a broker's or "
            "clearing house's own file, as margin takes it.",
            callback=from_stdin,
        ),
    ],
    account: Annotated[
        Literal["member", "hedger", "speculator"], typer.Option(help="Whose level of the file.")
    ] = "speculator",
    anov: Annotated[Literal["file", "capped", "pooled"], typer.Option(help="How option value counts.")] = "file",
    lots: Annotated[
        Path | None,
        typer.Option(
            help="CSV of symbol, lot: quantities are then lots of so many of the file's contracts.", callback=from_stdin
        ),
    ] = None,
    lenient: beside.Lenient = False,
    map: beside.Map = None,
    account_id: beside.AccountId = None,
    leave_out: beside.LeaveOut = None,
    terms: beside.TermsOption = None,
    as_json: Json = False,
) -> None:
    """Margin one account on a SPAN parameter file, every component explained."""
    with working(f"reading {file.name}"):
        parsed = Span.file(file)
    method = Span(parsed, anov=anov, lot_sizes={} if lots is None else lot_sizes(lots))
    table = {c.id: c for c in parsed.contracts()}
    given = beside.Beside(
        lenient=lenient, map=map, account_id=account_id, leave_out=tuple(leave_out or ()), terms=tuple(terms or ())
    )
    if not given.stated() and _is_own(positions):
        report = margin(Account(read_positions(positions, table), kind=account), None, method)
        left_out = None
    else:
        read = beside.read(positions, [], None, given)
        held = positions_in(read.file.positions, table)
        report = margin(Account(held, kind=account), None, method)
        left_out = read.file.left_out
        if not as_json:
            read.show()
    if as_json:
        more = {"left_out": [each.to_dict() for each in left_out]} if left_out else {}
        print(json.dumps({**report.to_dict(), **more}, allow_nan=False))
    else:
        _show(report)


def _is_own(path: Path) -> bool:
    """Whether a file's first row names the columns of a CSV of SPAN positions, or some that are near to them."""
    name, text = read_source(path)
    if text.lstrip()[:1] in ("{", "[", "<"):
        return False
    _, head = next(text_rows(text, name), (1, ["quantity"]))
    return not {"quantity", "symbol"}.isdisjoint(cell.strip() for cell in head)


def _show(report: MarginReport) -> None:
    console = stdout()
    info = report.details["file"]
    said(console, f"{info['organisation']} {info['business_date']} {info['run']} ({info['file']})")
    table = Table("commodity", "component")
    for heading in ("initial", "maintenance"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("currency")
    for line in report.lines:
        table.add_row(
            Text(line.scope), Text(line.component), f"{line.initial:,.2f}", f"{line.maintenance:,.2f}", line.currency
        )
    console.print(table)
    console.print(f"requirement {report.initial:,.2f} {report.currency}")
    console.print(f"net option value {report.net_option_value:,.2f}")
    console.print(f"requirement less option value {report.equity_required - report.net_option_value:,.2f}")


def span_info(
    file: Annotated[Path, typer.Argument(help="A .spn or .pa2 file, plain, gzipped or zipped, or a cache.")],
    contracts: Annotated[bool, typer.Option(help="List the ids of all contracts.")] = False,
    save_cache: Annotated[Path | None, typer.Option(help="Write the binary cache here.")] = None,
    as_json: Json = False,
) -> None:
    """What a SPAN file holds, and what was met in it and not read."""
    with working(f"reading {file.name}"):
        parsed = SpanFile(file)
    if save_cache is not None:
        save_cache.write_bytes(parsed.cache())
    document: dict[str, Any] = {"info": parsed.info, "summary": parsed.summary}
    if contracts:
        document["contracts"] = parsed.ids()
    if as_json:
        print(json.dumps(document, allow_nan=False))
        return
    for section in document.values():
        for key, value in section.items() if isinstance(section, dict) else enumerate(section):
            print(f"{key}: {value}" if isinstance(section, dict) else value)


def risk_array_command(
    underlying: Annotated[float, typer.Option(help="Value of the underlying, in money.")],
    price_scan: Annotated[float, typer.Option(help="Price scan range, in money.")],
    model: Annotated[
        Literal["BS", "B", "M", "W", "WS", "WB", "CA", "CE", "I", "N"] | None,
        typer.Option(help="SPAN's code of the pricing model; left out for a future."),
    ] = None,
    right: Annotated[Literal["call", "put"] | None, typer.Option()] = None,
    strike: Annotated[float, typer.Option()] = 0.0,
    days: Annotated[float, typer.Option(help="Days to expiry, over 365.")] = 0.0,
    rate: Annotated[float, typer.Option()] = 0.0,
    dividend_yield: Annotated[float, typer.Option()] = 0.0,
    vol: Annotated[float, typer.Option()] = 0.0,
    vol_scan: Annotated[float, typer.Option(help="A fraction of the vol.")] = 0.0,
    lookahead: Annotated[float, typer.Option(help="Years.")] = 0.004,
    multiplier: Annotated[float, typer.Option(help="Of the extreme move.")] = 3.0,
    cover: Annotated[float, typer.Option(help="Fraction of the extreme move that is charged.")] = 0.33,
) -> None:
    """One contract's 16 values and its deltas from parameters, as JSON. Losses are positive."""
    if model is None and any((days, rate, dividend_yield, vol, vol_scan)):
        raise InvalidInput(
            "days, rate, dividend-yield, vol and vol-scan belong to an option: name its --model", code="contradiction"
        )
    made = risk_array(
        underlying=underlying,
        price_scan=price_scan,
        model=model,
        right=right,
        strike=strike,
        years=days / 365.0,
        rate=rate,
        dividend_yield=dividend_yield,
        vol=vol,
        vol_scan=vol_scan,
        vol_scan_percent=True,
        lookahead=lookahead if model is not None else 0.0,
        extreme=(multiplier, cover),
    )
    print(json.dumps(made))
