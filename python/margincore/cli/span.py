"""``margincore span``, ``span-info`` and ``risk-array``; part of :mod:`margincore.cli.commands`."""

from __future__ import annotations

import csv
import difflib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from rich.console import Console
from rich.table import Table

from margincore._core import Account, Contract, InvalidInput, MarginReport, MissingData, ParseError, Position, SpanFile
from margincore.engine import margin
from margincore.methods.span import Span, contract_id, lot_sizes, open_text, risk_array

__all__ = ["read_positions", "risk_array_command", "span", "span_info"]

COLUMNS = ("exchange", "product", "kind", "period", "right", "strike", "quantity", "symbol")

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]


def read_positions(path: Path, contracts: dict[str, Contract]) -> list[Position]:
    """Positions from a CSV: exchange, product, kind, period, right, strike, quantity; or symbol, quantity.

    A symbol is a contract's id. Raises :class:`ParseError` with the line; an unknown contract is an error.
    """
    with open_text(path) as stream:
        reader = csv.DictReader(stream)
        columns = [c.strip() for c in reader.fieldnames or []]
        unknown = [c for c in columns if c not in COLUMNS]
        if unknown or "quantity" not in columns or not {"product", "symbol"} & set(columns):
            raise ParseError(
                f"{path.name}: line 1: the columns are symbol, quantity or exchange, product, kind, period, right, "
                f"strike, quantity; not {', '.join(unknown or columns)}"
            )
        positions = []
        for number, raw in enumerate(reader, 2):
            row = {key.strip(): (value or "").strip() for key, value in raw.items() if key is not None}
            if None in raw:
                raise ParseError(f"{path.name}: line {number}: more cells than columns")
            try:
                name = row.get("symbol") or contract_id(
                    row.get("product", ""),
                    row.get("period", ""),
                    kind=row.get("kind") or None,
                    right=row.get("right") or None,
                    strike=row.get("strike") or None,
                    exchange=row.get("exchange", ""),
                )
            except InvalidInput as error:
                raise ParseError(f"{path.name}: line {number}: {error}") from None
            if name not in contracts:
                near = difflib.get_close_matches(name, contracts, 3)
                like = f": it has {', '.join(near)}" if near else ""
                raise ParseError(f"{path.name}: line {number}: the file has no contract {name}{like}")
            try:
                quantity = int(row["quantity"])
            except ValueError:
                raise ParseError(
                    f"{path.name}: line {number}: quantity {row['quantity']!r} is not a whole number"
                ) from None
            positions.append(Position(contracts[name], quantity))
    if not positions:
        raise MissingData(f"{path.name}: no row after the column names: an account holds something")
    return positions


def span(
    file: Annotated[Path, typer.Argument(help="A .spn or .pa2 file, plain, gzipped or zipped, or a cache.")],
    positions: Annotated[
        Path,
        typer.Argument(
            help="CSV: exchange, product, kind (PHY FUT CMB OOF OOP OOC), period, right (C, P), strike, quantity "
            "(signed contracts); or symbol, quantity with the ids that span-info --contracts lists."
        ),
    ],
    account: Annotated[str, typer.Option(help="member, hedger or speculator")] = "speculator",
    anov: Annotated[str, typer.Option(help="file, capped or pooled")] = "file",
    lots: Annotated[
        Path | None,
        typer.Option(help="CSV of symbol, lot: quantities are then lots of so many of the file's contracts."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Margin one account on a SPAN parameter file, every component explained."""
    parsed = Span.file(file)
    method = Span.from_file(parsed, anov=anov, lot_sizes={} if lots is None else lot_sizes(lots))
    table = {c.id: c for c in parsed.contracts()}
    report = margin(Account(read_positions(positions, table), kind=account), None, method)
    if as_json:
        print(json.dumps(report.to_dict(), allow_nan=False))
    else:
        _show(report)


def _show(report: MarginReport) -> None:
    console = Console()
    info = report.details["file"]
    console.print(f"{info['organisation']} {info['business_date']} {info['run']} ({info['file']})")
    table = Table("commodity", "component", "initial", "maintenance", "currency")
    for line in report.lines:
        table.add_row(line.scope, line.component, f"{line.initial:,.2f}", f"{line.maintenance:,.2f}", line.currency)
    console.print(table)
    console.print(f"requirement {report.requirement.initial:,.2f} {report.currency}")
    console.print(f"net option value {report.net_option_value:,.2f}")
    console.print(f"requirement less option value {report.cash_required:,.2f}")


def span_info(
    file: Annotated[Path, typer.Argument(help="A .spn or .pa2 file, plain, gzipped or zipped, or a cache.")],
    contracts: Annotated[bool, typer.Option(help="List the ids of all contracts.")] = False,
    save_cache: Annotated[Path | None, typer.Option(help="Write the binary cache here.")] = None,
    as_json: Json = False,
) -> None:
    """What a SPAN file holds, and what was met in it and not read."""
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
    model: Annotated[str | None, typer.Option(help="BS B M W WS WB CA CE I N; left out for a future.")] = None,
    right: Annotated[str | None, typer.Option(help="call or put")] = None,
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
    if right not in (None, "call", "put"):
        raise InvalidInput(f"right is call or put, not {right!r}")
    if model is None and any((days, rate, dividend_yield, vol, vol_scan)):
        raise InvalidInput("days, rate, dividend-yield, vol and vol-scan belong to an option: name its --model")
    made = risk_array(
        underlying=underlying,
        price_scan=price_scan,
        model=model,
        right=cast(Literal["call", "put"] | None, right),
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
