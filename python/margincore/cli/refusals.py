"""How a command ends: its exit code, and what is refused as one line and a hint."""

from __future__ import annotations

import datetime as dt
import math
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
from margincore.cli.stdin import named_in

__all__ = ["BAD_INPUT", "LIMIT_BREACHED", "STALE", "finite", "is_stale", "judge", "refusals"]

BAD_INPUT = 2
LIMIT_BREACHED = 3
STALE = 4

_CLOCKS = 60.0
"""Seconds by which two machines' clocks may differ."""

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
        message = named_in(str(error))
        if len(error.refusals) < 2:  # those of several come a line each
            message = " ".join(message.split())
        hint = next((text for kind, text in HINTS.items() if isinstance(error, kind)), "nothing was calculated")
        print(f"error: {message}\nhint: {hint.format(command=command)}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        if error.filename is None:  # no file that was named: a closed pipe, say
            raise
        hint = "see that it can be read and written, and that the disk has room"
        print(f"error: {named_in(str(error.filename))}: {error.strerror}\nhint: {hint}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None


def finite(value: float | None, option: str) -> float | None:
    """A limit as it is; one that is no finite number above zero would hold nothing back."""
    if value is not None and not (math.isfinite(value) and value >= 0.0):
        raise InvalidInput(f"{option} is {value}: a finite number from 0 is needed", where=option, value=value)
    return value


def is_stale(age: float, max_age: float | None) -> bool:
    """Whether a market of so many seconds is too old; :class:`InvalidInput` where it is of the future by as much."""
    if max_age is None:
        return False
    if -age > max(max_age, _CLOCKS):
        raise InvalidInput(
            f"market.valuation is {-age:,.0f} seconds after this machine's clock: its age cannot be told",
            where="--max-age",
            code="contradiction",
        )
    return age > max_age


def judge(result: Mapping[str, Any], limit: float | None, max_age: float | None) -> None:
    """Ends a command whose market is too old, which is told first, or whose requirement is too high or not known."""
    outcomes = result.get("outcomes", [{"label": result.get("methodology"), "report": result, **result}])
    if max_age is not None:
        stated = next((o["report"]["valuation"] for o in outcomes if o["report"] is not None), None)
        if stated is None:
            raise InvalidInput("--max-age: no report, so no market's age", where="--max-age", code="contradiction")
        age = (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(stated)).total_seconds()
        if is_stale(age, max_age):
            print(f"stale: the market is of {stated}, {age:,.0f} seconds old", file=sys.stderr)
            raise typer.Exit(STALE)
    if limit is None:
        return
    breached = False
    for outcome in outcomes:
        if outcome["report"] is None:
            print(f"limit: {outcome['label']}: no number, so not known to be below", file=sys.stderr)
        elif (required := outcome["equity_required"]) > limit:
            currency = outcome["report"]["currency"]
            print(f"limit: {outcome['label']}: {required:,.2f} is above {limit:,.2f} {currency}", file=sys.stderr)
        else:
            continue
        breached = True
    if breached:
        raise typer.Exit(LIMIT_BREACHED)
