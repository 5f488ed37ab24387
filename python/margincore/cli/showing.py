"""Results as tables in the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from margincore._core import amount_text, worst_text
from margincore.analysis.compare import BASES, no_percentage, percent_text
from margincore.cli.console import said, stdout, titled
from margincore.documents import account_from_document, products_from_document, quotes_by_id

__all__ = ["show"]


def show(document: Mapping[str, Any], result: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, indent=2, allow_nan=False, ensure_ascii=False))
        return
    console = stdout()
    if "description" in document.get("account", {}):
        console.print(document["account"]["description"], markup=False, highlight=False)
    for outcome in result.get("outcomes", [{"label": None, "report": result}]):
        if outcome["report"] is None:
            text = Text.assemble((outcome["label"], "bold"), f": {_kind(outcome)}: {_why(outcome)}\n")
            console.print(text, highlight=False)
        else:
            _report(console, outcome["report"])
    if "outcomes" in result:
        _comparison(console, result)
    _assumptions(console, document)


def _report(console: Console, report: Mapping[str, Any]) -> None:
    """One report: its lines, their total, and both bases."""
    requirement = report["requirement"]
    parameters = report["parameters"]
    where = any(line.get("scenario") for line in report["lines"])
    table = Table()
    for heading in ("scope", "component", "scenario")[: 3 if where else 2]:
        table.add_column(heading)
    for heading in ("initial", "maintenance"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in report["lines"]:
        foreign = line["currency"] != report["currency"]
        unit = f" {line['currency']} at {line['fx']:g}" if foreign else ""
        table.add_row(
            *_cells(line["scope"], line["component"], *([line.get("scenario") or ""] if where else [])),
            f"{amount_text(line['initial'])}{unit}",
            f"{amount_text(line['maintenance'])}{unit}",
        )
    table.add_section()
    worst = worst_text(report.get("worst_scenario"), (x.get("scenario") for x in report["lines"]))
    table.add_row(
        *_cells("account", "total", *([worst] if where else [])),
        amount_text(requirement["initial"]), amount_text(requirement["maintenance"]), style="bold",
    )  # fmt: skip
    title = (
        f"{report['methodology']}: {parameters['name']} {parameters['version']}, effective {parameters['effective']}, "
        f"{report['currency']}"
    )
    titled(console, title, table)
    reach, stand = amount_text(requirement["initial"]), amount_text(report["cash_balance_required"])
    said(console, f"equity required {reach}: what liquidating equity must reach, the statement says what is missing")
    said(console, f"cash balance required {stand}: what must stand there once the trades have settled")
    for warning in report.get("warnings", ()):
        said(console, f"warning: {warning['message']} ({warning['source']})")
    console.print()


def _comparison(console: Console, result: Mapping[str, Any]) -> None:
    table = Table()
    table.add_column("rulebook")
    for heading in BASES.values():
        table.add_column(heading, justify="right", overflow="fold")
        table.add_column("saving", justify="right", overflow="fold")
    for outcome in result["outcomes"]:
        if outcome["report"] is None:
            table.add_row(*_cells(outcome["label"], _kind(outcome)), "", "", "")
            continue
        table.add_row(
            *_cells(outcome["label"]),
            amount_text(outcome["equity_required"]),
            percent_text(outcome["saving_on_equity"]),
            amount_text(outcome["cash_balance_required"]),
            percent_text(outcome["saving_on_cash"]),
        )
    titled(console, "side by side, initial requirements", table)
    for words in _without_savings(result["outcomes"]):
        said(console, words)


def _without_savings(outcomes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Why a percentage is not there between two amounts that are."""
    found = [outcome for outcome in outcomes if outcome["report"] is not None]
    for base, outcome in ((found[0], other) for other in found[1:]):
        for basis, words in BASES.items():
            pair = base[basis], outcome[basis]
            same = base["report"]["currency"] == outcome["report"]["currency"]
            why = None if None in pair or not same else no_percentage(*pair)
            if why is not None:
                yield f"{outcome['label']}: no saving on the {words}: {why}"


def _cells(*texts: str) -> Iterator[Text]:
    """Words of a rulebook or an account as they are: brackets are no markup."""
    return (Text(text) for text in texts)


def _kind(outcome: Mapping[str, Any]) -> str:
    return "no number" if outcome["not_applicable"] is None else "not applicable"


def _why(outcome: Mapping[str, Any]) -> str:
    return str(outcome["not_applicable"] or outcome["no_number"])


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
        said(console, f"  {key}: {value}")
