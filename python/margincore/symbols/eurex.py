"""Eurex series: T7's contract mnemonic, the month in words, and Interactive Brokers' local symbols there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Literal

from margincore.symbols.parts import (
    MONTHS,
    Form,
    bad,
    date_of,
    decimal_text,
    month_name,
    needed,
    right_of,
    strike_of,
)
from margincore.symbols.symbol import Symbol

__all__ = ["FORMS"]

_ROOT = r"(?P<root>[A-Z0-9]{1,5})"
_DATE = r"(?P<date>\d{8})"
_STRIKE = r"(?P<strike>[\d.]+)"
_RIGHT = r"(?P<right>[A-Z])"
_MONTH = r"(?P<month>[A-Z]{3})"
_YEAR = r"(?P<year>\d{2})"

_DELIVERY: dict[str, Literal["cash", "physical"]] = {"CS": "cash", "PS": "physical"}
_EXERCISE: dict[str, Literal["european", "american"]] = {"EU": "european", "AM": "american"}


def _day(text: str) -> dt.date:
    return date_of(int(text[:4]), int(text[4:6]), int(text[6:]), text)


def _read_mnemonic(match: re.Match[str], _: dt.date | None) -> Symbol:
    said = match.groupdict()
    if said.get("version", "0") != "0":
        raise bad(f"version {said['version']} marks a series that a corporate action adjusted", said["version"])
    delivery = _DELIVERY.get(said["delivery"])
    if delivery is None:
        raise bad(f"{said['delivery']!r} is none of {', '.join(_DELIVERY)}", said["delivery"])
    expiry = _day(said["date"])
    if "right" not in said:
        return Symbol("future", said["root"], "eurex_t7", expiry, delivery=delivery)
    exercise = _EXERCISE.get(said["exercise"])
    if exercise is None:
        raise bad(f"{said['exercise']!r} is none of {', '.join(_EXERCISE)}", said["exercise"])
    return Symbol(
        "option", said["root"], "eurex_t7", expiry, right=right_of(said["right"]), strike=strike_of(said["strike"]),
        exercise=exercise, delivery=delivery,
    )  # fmt: skip


def _write_mnemonic(s: Symbol) -> str:
    expiry, delivery = needed(s.expiry, "day of expiry"), needed(s.delivery, "delivery, cash or physical")
    head = f"{s.root} SI {expiry:%Y%m%d} {delivery[0].upper()}S"
    if s.right is None:
        return head
    exercise = needed(s.exercise, "exercise, european or american")
    return f"{head} {exercise[:2].upper()} {s.right[0].upper()} {decimal_text(s.strike, 2)} 0"


def _by_month(dialect: str) -> Callable[[re.Match[str], dt.date | None], Symbol]:
    def read(match: re.Match[str], _: dt.date | None) -> Symbol:
        said = match.groupdict()
        year, month = 2000 + int(said["year"]), month_name(said["month"])
        if "right" not in said:
            return Symbol("future", said["root"], dialect, year=year, month=month)
        right, strike = right_of(said["right"]), strike_of(said["strike"])
        return Symbol("option", said["root"], dialect, year=year, month=month, right=right, strike=strike)

    return read


def _month(s: Symbol, gap: str = "") -> str:
    return f"{MONTHS[needed(s.month, 'contract month') - 1]}{gap}{needed(s.year, 'contract month') % 100:02}"


def _read_local(match: re.Match[str], _: dt.date | None) -> Symbol:
    return Symbol(
        "option", match["root"], "ibkr_eurex", _day(match["date"]), right=right_of(match["right"]),
        strike=strike_of(match["strike"]),
    )  # fmt: skip


def _write_local(s: Symbol) -> str:
    right, expiry = needed(s.right, "right"), needed(s.expiry, "day of expiry")
    return f"{right[0].upper()} {s.root:<4} {expiry:%Y%m%d} {decimal_text(s.strike)} M"


FORMS = (
    Form(
        "eurex", "future", "FDAX DEC26",
        re.compile(rf"{_ROOT} {_MONTH}{_YEAR}", re.ASCII), _by_month("eurex"), lambda s: f"{s.root} {_month(s)}",
    ),
    Form(
        "eurex", "option", "ODAX DEC26 23000 P",
        re.compile(rf"{_ROOT} {_MONTH}{_YEAR} {_STRIKE} {_RIGHT}", re.ASCII), _by_month("eurex"),
        lambda s: f"{s.root} {_month(s)} {decimal_text(s.strike)} {needed(s.right, 'right')[0].upper()}",
    ),
    Form(
        "eurex_t7", "future", "FDAX SI 20261218 CS",
        re.compile(rf"{_ROOT} SI {_DATE} (?P<delivery>[A-Z]{{2}})", re.ASCII), _read_mnemonic, _write_mnemonic,
    ),
    Form(
        "eurex_t7", "option", "ODAX SI 20261218 CS EU P 23000.00 0",
        re.compile(
            rf"{_ROOT} SI {_DATE} (?P<delivery>[A-Z]{{2}}) (?P<exercise>[A-Z]{{2}}) {_RIGHT} {_STRIKE} (?P<version>\d)",
            re.ASCII,
        ),
        _read_mnemonic, _write_mnemonic,
    ),
    Form(
        "ibkr_eurex", "future", "FGBL DEC 26",
        re.compile(rf"{_ROOT} {_MONTH} {_YEAR}", re.ASCII), _by_month("ibkr_eurex"),
        lambda s: f"{s.root} {_month(s, ' ')}",
    ),
    Form(
        "ibkr_eurex", "option", "P BMW  20261218 72 M",
        re.compile(rf"{_RIGHT} (?=.{{4}} )(?P<root>[A-Z0-9]{{1,4}}) * {_DATE} {_STRIKE} M", re.ASCII),
        _read_local, _write_local,
    ),
)  # fmt: skip
