"""Slow, readable, pure-Python engines: the oracle the Rust engine is tested against, one file per rulebook.

They use the standard library only, share no code with the Rust engine, and favour the order in which the
rulebook states its rules over speed. Users may benchmark against them.
"""

from margincore.reference import (
    crypto,
    events,
    house,
    hvar,
    intraday,
    pricing,
    reg_t,
    securities,
    span,
    statement,
    tims,
)

__all__ = [
    "crypto",
    "events",
    "house",
    "hvar",
    "intraday",
    "pricing",
    "reg_t",
    "securities",
    "span",
    "statement",
    "tims",
]
