"""How a command ends: its exit code, and what is refused as one line and a hint."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer

from margincore._core import (
    CalculationError,
    InvalidInput,
    MarginError,
    MissingData,
    NotApplicable,
    ParseError,
    Unsupported,
)

__all__ = ["BAD_INPUT", "LIMIT_BREACHED", "STALE", "judge", "refusals"]

BAD_INPUT = 2
LIMIT_BREACHED = 3
STALE = 4

HINTS: Mapping[type[MarginError], str] = {
    MissingData: "nothing is guessed: give what is missing; see 'margincore {command} --help'",
    NotApplicable: "choose a rulebook that covers every position (margincore rulebooks lists them)",
    ParseError: "see 'margincore {command} --help' for the columns and keys",
    InvalidInput: "correct that value; see 'margincore {command} --help' for the formats",
    Unsupported: "it is not implemented, or needs what is not installed; nothing was calculated",
    CalculationError: "nothing was calculated; check the market's numbers",
}


@contextmanager
def refusals(command: str) -> Iterator[None]:
    """Bad input of a command, or a file the system refuses, as one line and a hint on standard error, exit code 2."""
    try:
        yield
    except MarginError as error:
        message = " ".join(str(error).split())
        hint = next((text for kind, text in HINTS.items() if isinstance(error, kind)), "nothing was calculated")
        print(f"error: {message}\nhint: {hint.format(command=command)}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        if error.filename is None:  # no file that was named: a closed pipe, say
            raise
        hint = "see that it can be read and written, and that the disk has room"
        print(f"error: {error.filename}: {error.strerror}\nhint: {hint}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None


def judge(document: Mapping[str, Any], result: Mapping[str, Any], limit: float | None, max_age: float | None) -> None:
    """Ends a command whose market is too old, which is told first, or whose requirement is too high."""
    if max_age is not None:
        valuation = dt.datetime.fromisoformat(str(document["market"]["valuation"]))
        age = (dt.datetime.now(dt.UTC) - valuation).total_seconds()
        if age > max_age:
            print(f"stale: the market is of {valuation.isoformat()}, {age:,.0f} seconds old", file=sys.stderr)
            raise typer.Exit(STALE)
    if limit is None:
        return
    outcomes = result.get("outcomes", [{"label": result.get("methodology"), **result}])
    above = [o for o in outcomes if o.get("equity_required") is not None and o["equity_required"] > limit]
    for outcome in above:
        print(f"limit: {outcome['label']}: {outcome['equity_required']:,.2f} is above {limit:,.2f}", file=sys.stderr)
    if above:
        raise typer.Exit(LIMIT_BREACHED)
