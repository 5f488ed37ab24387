"""The rule as a dated choice: when FINRA 4210(d)(2) applies, and what of it is the member's to choose."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, get_args

from margincore._core import InvalidInput, Unsupported
from margincore._pickles import Record
from margincore.analysis import given

__all__ = ["EFFECTIVE", "PHASE_IN_ENDS", "RULE", "SOURCE", "Choices", "applies", "minor_limit"]

RULE = "4210(d)(2)"
"""The rule that results name."""

SOURCE = (
    "FINRA Rule 4210(a)(17)-(19), (d)(2), (g)(1)(J)-(K): SR-FINRA-2025-017, SEC release 34-105226, "
    "Regulatory Notice 26-10"
)
"""Where the rule's text is."""

EFFECTIVE = dt.date(2026, 6, 4)
"""The first day that the rule is about."""

PHASE_IN_ENDS = dt.date(2027, 10, 20)
"""The last day on which a member may still be phasing in."""

_BEFORE = "the day-trading provisions of FINRA 4210(f)(8)(B), which are not implemented"


@dataclass(frozen=True, slots=True)
class Choices(Record):
    """What the rule leaves to the member, or readers of it differ in; every result shows them.

    - `marks`: at which marks a transaction's levels are taken: ``"given"`` (default; those in force at its time, those
      of the open where it has none), ``"close"`` (the last of the day for what has no time) or ``"trade"`` (fills at
      their own prices, whatever else is held at the marks given).
    - `expiry_counts`: whether the expiry of a long option is a transaction that may lower the level.
    - `exercise_counts`: the same of exercise and assignment.
    - `overnight_deficit`: whether a maintenance deficit that stood at the open, and is called as such, is part of the
      intraday deficit: ``"included"`` (default) or ``"excluded"``.
    - `deposits_from_start`: count the day's net deposits from its start, where they are positive.
    - `closes_from_start`: count fills that close positions held at the open from its start, as far as they do; legs
      executed together keep their place.
    """

    marks: Literal["given", "close", "trade"] = "given"
    expiry_counts: bool = True
    exercise_counts: bool = True
    overnight_deficit: Literal["included", "excluded"] = "included"
    deposits_from_start: bool = False
    closes_from_start: bool = False

    def __post_init__(self) -> None:
        for name in ("expiry_counts", "exercise_counts", "deposits_from_start", "closes_from_start"):
            given.flag(f"Choices: {name}", getattr(self, name))
        for name, words in (("marks", _MARKS), ("overnight_deficit", _OVERNIGHT)):
            if getattr(self, name) not in words:
                raise InvalidInput(
                    f"intraday: {name} is {getattr(self, name)!r}: use one of {', '.join(words)}", code="unknown_name"
                )


_MARKS = ("given", "close", "trade")
_OVERNIGHT = ("included", "excluded")
Rule = Literal["4210(d)(2)", "4210(f)(8)(B)"]


def applies(on: dt.date, rule: str, phased_in: bool) -> None:
    """Refuse a day the rule is not in force on, or an account its member has not brought under it yet."""
    if rule not in get_args(Rule):
        raise InvalidInput(f"intraday: rule {rule!r}: use one of {', '.join(get_args(Rule))}", code="unknown_name")
    if rule != RULE:
        raise Unsupported(f"intraday: {_BEFORE}: the rule in force since {EFFECTIVE} is '{RULE}'")
    if on < EFFECTIVE:
        raise Unsupported(f"intraday: FINRA {RULE} is in force since {EFFECTIVE}: on {on} the rule was {_BEFORE}")
    if not phased_in and on > PHASE_IN_ENDS:
        raise InvalidInput(f"intraday: phased_in is false on {on}: members may phase in until {PHASE_IN_ENDS}")
    if not phased_in:
        raise Unsupported(f"intraday: the account is not phased in on {on}: it is under {_BEFORE}")


def minor_limit(equity: float) -> float:
    """The largest minor deficit: 5 % of the equity right after the transaction, at most 1,000; both included."""
    return min(equity / 20.0, 1_000.0)
