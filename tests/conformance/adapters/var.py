"""Cases of VaR and expected shortfall: portfolios, pipelines, backtests. A case's shape picks its reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..cases import Check, Entry, MalformedCase, entries, entry_of, required
from .var_backtest import (
    apc_case,
    history_entry,
    negative_price,
    statistics_case,
)
from .var_pipelines import clearing_house_identities, hkscc_pipeline, prisma_entry
from .var_portfolios import four_index, tail_conventions

Run = Callable[[Entry], list[Check]]


def collect(path: Path, document: Any) -> list[Entry]:
    """One entry per case; per tool, asset or parameter set where a case lists them."""
    found = []
    for entry in entries(path, document):
        case = entry.document
        if "cases" in case:
            rows = required(case, "cases", list, entry.id)
            found += [entry_of(path, row, f"{entry.id}/{i}-{row.get('tool')}", case) for i, row in enumerate(rows)]
        elif "expected_lambda|model|period" in case:
            keys = required(case, "expected_lambda|model|period", dict, entry.id)
            found += [entry_of(path, {"key": key}, f"{entry.id}/{key.replace('|', '-')}", case) for key in keys]
            found.append(entry_of(path, {"key": None}, f"{entry.id}/spot-values", case))
        elif "first_forecast_rule" in case:
            assets = required(case, "expected", dict, entry.id)
            found += [entry_of(path, {"key": key}, f"{entry.id}/{key}", case) for key in assets]
        else:
            found.append(entry)
    for entry in found:
        _reader(entry)
    return found


def run(entry: Entry) -> list[Check]:
    """Every number of the entry, through the public API."""
    return _reader(entry)(entry)


def _reader(entry: Entry) -> Run:
    case = entry.document
    whole = entry.context if isinstance(entry.context, dict) else case
    readers: list[tuple[bool, Run]] = [
        ("portfolio_usd_thousand" in case, four_index),
        ("expected_by_convention" in case, tail_conventions),
        ("expected_lambda|model|period" in whole, prisma_entry),
        ("es_tail_counts" in case, hkscc_pipeline),
        ("kupiec_pof" in case, statistics_case),
        ("response" in case, clearing_house_identities),
        ("first_forecast_rule" in whole, history_entry),
        ("tool" in case, apc_case),
        ("window" in case and "expect" in case, negative_price),
    ]
    for matches, reader in readers:
        if matches:
            return reader
    raise MalformedCase(f"{entry.id}: no reader for a case with {sorted(case)}")
