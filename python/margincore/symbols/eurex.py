"""Eurex series: T7's contract mnemonic, the month in words, and Interactive Brokers' local symbols there."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Literal

from margincore.symbols.forms import Form, day, form, said_by
from margincore.symbols.parts import bad, decimal_text, needed
from margincore.symbols.symbol import Symbol

__all__ = ["FORMS"]

_ROOT = r"(?P<root>[A-Z0-9]{1,5})"
_DATE = r"(?P<date>\d{8})"
_STRIKE = r"(?P<strike>[\d.]+)"
_RIGHT = r"(?P<right>[A-Z])"
_MONTH = r"(?P<month>[A-Z]{3})"
_YEAR = r"(?P<year>\d{2})"
_DELIVERED = r"(?P<delivery>[A-Z]{2})"

_DELIVERY: dict[str, Literal["cash", "physical"]] = {"CS": "cash", "PS": "physical"}
_EXERCISE: dict[str, Literal["european", "american"]] = {"EU": "european", "AM": "american"}


def _known(words: dict[str, Any], word: str) -> Any:
    if word not in words:
        raise bad(f"{word!r} is none of {', '.join(words)}", word)
    return words[word]


def _read_mnemonic(match: re.Match[str], _: dt.date | None) -> Symbol:
    said = match.groupdict()
    if said.get("version", "0") != "0":
        raise bad(f"version {said['version']} marks a series that a corporate action adjusted", said["version"])
    more = {"delivery": _known(_DELIVERY, said["delivery"])}
    if "exercise" in said:
        more["exercise"] = _known(_EXERCISE, said["exercise"])
    return said_by(match, "eurex_t7", **more)


def _write_mnemonic(s: Symbol) -> str:
    expiry, delivery = day(s), needed(s.delivery, "delivery, cash or physical")
    head = f"{s.root} SI {expiry:%Y%m%d} {delivery[0].upper()}S"
    if s.right is None:
        return head
    exercise = needed(s.exercise, "exercise, european or american")
    return f"{head} {exercise[:2].upper()} {s.right[0].upper()} {decimal_text(s.strike, 2)} 0"


def _write_local(s: Symbol) -> str:
    right = needed(s.right, "right")
    return f"{right[0].upper()} {s.root:<4} {day(s):%Y%m%d} {decimal_text(s.strike)} M"


FORMS = (
    form("eurex", "future", "FDAX DEC26", rf"{_ROOT} {_MONTH}{_YEAR}", "<root> <contract_MON><contract_yy>"),
    form(
        "eurex", "option", "ODAX DEC26 23000 P", rf"{_ROOT} {_MONTH}{_YEAR} {_STRIKE} {_RIGHT}",
        "<root> <contract_MON><contract_yy> <strike> <C>",
    ),
    Form(
        "eurex_t7", "future", "FDAX SI 20261218 CS", re.compile(rf"{_ROOT} SI {_DATE} {_DELIVERED}", re.ASCII),
        _read_mnemonic, _write_mnemonic,
    ),
    Form(
        "eurex_t7", "option", "ODAX SI 20261218 CS EU P 23000.00 0",
        re.compile(
            rf"{_ROOT} SI {_DATE} {_DELIVERED} (?P<exercise>[A-Z]{{2}}) {_RIGHT} {_STRIKE} (?P<version>\d)", re.ASCII
        ),
        _read_mnemonic, _write_mnemonic,
    ),
    form(
        "ibkr_eurex", "future", "FGBL DEC 26", rf"{_ROOT} {_MONTH} {_YEAR}",
        "<root> <contract_MON> <contract_yy>",
    ),
    form(
        "ibkr_eurex", "option", "P BMW  20261218 72 M",
        rf"{_RIGHT} (?=.{{4}} )(?P<root>[A-Z0-9]{{1,4}}) * {_DATE} {_STRIKE} M", _write_local,
    ),
)  # fmt: skip
