"""NSE, BSE and MCX: the exchanges' compact trading symbols, and brokers' forms of the same.

An equity may end in ``CE`` or ``PE`` (``RELIANCE``, ``BAJFINANCE``) and a root may end in digits (``NIFTYNXT50``): no
form here takes letters before ``CE`` for a strike, and none takes digits of a root for a year, since roots that hold
digits are either known or begin with them (``360ONE``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from margincore.symbols.parts import (
    MONTHS,
    Form,
    date_of,
    decimal_text,
    month_name,
    needed,
    right_of,
    strike_of,
)
from margincore.symbols.symbol import Kind, Symbol

__all__ = ["FORMS"]

_EXCHANGES = ("NSE", "NFO", "BSE", "BFO", "CDS", "BCD", "MCX", "NCO")
_EXCHANGE = rf"(?:(?P<exchange>{'|'.join(_EXCHANGES)}):)?"
_ROOT = r"(?P<root>NIFTYNXT50|SENSEX50|\d{0,3}[A-Z&-]*[A-Z])"
_YEAR = r"(?P<year>\d{2})"
_MONTH = r"(?P<month>[A-Za-z]{3})"
_DAY = r"(?P<day>\d{2})"
_STRIKE = r"(?P<strike>\d+(?:\.\d+)?)"
_RIGHT = r"(?P<right>[A-Z]E)"

_WEEKLY = "123456789OND"
"""Months of weekly symbols: January to September by their digit, then by their first letter."""


def _read(dialect: str) -> Callable[[re.Match[str], dt.date | None], Symbol]:
    """What the groups of a match say: a day where there is one, else the contract month."""

    def read(match: re.Match[str], _: dt.date | None) -> Symbol:
        said = match.groupdict()
        year = int(said["year"]) + (2000 if len(said["year"]) == 2 else 0)
        month = _WEEKLY.index(said["letter"]) + 1 if "letter" in said else month_name(said["month"])
        expiry = date_of(year, month, int(said["day"]), match[0]) if "day" in said else None
        named: dict[str, Any] = {} if expiry else {"year": year, "month": month}
        exchange = said.get("exchange")
        if "strike" not in said:
            return Symbol("future", said["root"], dialect, expiry, exchange=exchange, **named)
        right = right_of(said["right"], "CE", "PE") if len(said["right"]) == 2 else right_of(said["right"])
        return Symbol(
            "option", said["root"], dialect, expiry, right=right, strike=strike_of(said["strike"]), exchange=exchange,
            **named,
        )  # fmt: skip

    return read


def _read_stock(match: re.Match[str], _: dt.date | None) -> Symbol:
    return Symbol("stock", match["root"], "kite", exchange=match["exchange"])


def _form(dialect: str, example: str, pattern: str, write: Callable[[Symbol], str]) -> Form:
    kind: Kind = "option" if "strike" in pattern else "future"
    return Form(dialect, kind, example, re.compile(pattern, re.ASCII), _read(dialect), write)


def _prefix(s: Symbol) -> str:
    return f"{s.exchange}:" if s.exchange in _EXCHANGES else ""


def _tail(s: Symbol) -> str:
    """Strike and right, or the mark of a future."""
    return "FUT" if s.right is None else f"{decimal_text(s.strike)}{s.right[0].upper()}E"


def _monthly(s: Symbol) -> str:
    year, month = needed(s.year, "contract month"), needed(s.month, "contract month")
    return f"{_prefix(s)}{s.root}{year % 100:02}{MONTHS[month - 1]}{_tail(s)}"


def _weekly(s: Symbol) -> str:
    day = needed(s.expiry, "day of expiry")
    return f"{_prefix(s)}{s.root}{day:%y}{_WEEKLY[day.month - 1]}{day:%d}{_tail(s)}"


def _day(s: Symbol) -> str:
    day = needed(s.expiry, "day of expiry")
    return f"{day:%d}{MONTHS[day.month - 1]}{day:%y}"


def _full(s: Symbol) -> str:
    return f"{s.root}{_day(s)}{_tail(s)}"


def _shoonya(s: Symbol) -> str:
    return f"{s.root}{_day(s)}" + ("F" if s.right is None else f"{s.right[0].upper()}{decimal_text(s.strike)}")


def _dhan(s: Symbol) -> str:
    year, month = needed(s.year, "contract month"), needed(s.month, "contract month")
    tail = "FUT" if s.right is None else f"{decimal_text(s.strike)}-{s.right[0].upper()}E"
    return f"{s.root}-{MONTHS[month - 1].title()}{year}-{tail}"


def _upstox(s: Symbol) -> str:
    day = needed(s.expiry, "day of expiry")
    middle = "FUT" if s.right is None else f"{decimal_text(s.strike)} {s.right[0].upper()}E"
    return f"{s.root} {middle} {day:%d} {MONTHS[day.month - 1]} {day:%y}"


_COMPACT = f"{_EXCHANGE}{_ROOT}{_YEAR}"
_LETTER = rf"(?P<letter>[{_WEEKLY}]){_DAY}"
_FULL = f"{_ROOT}{_DAY}{_MONTH}{_YEAR}"

FORMS = (
    _form("kite", "NIFTY26DEC26000PE", f"{_COMPACT}{_MONTH}{_STRIKE}{_RIGHT}", _monthly),
    _form("kite", "NIFTY26D0826000PE", f"{_COMPACT}{_LETTER}{_STRIKE}{_RIGHT}", _weekly),
    _form("kite", "NIFTY26DECFUT", f"{_COMPACT}{_MONTH}FUT", _monthly),
    _form("kite", "USDINR26D04FUT", f"{_COMPACT}{_LETTER}FUT", _weekly),
    Form(
        "kite", "stock", "NSE:RELIANCE",
        re.compile(r"(?P<exchange>NSE|BSE):(?P<root>\d{0,3}[A-Z]+(?:&[A-Z]+)?(?:-(?!EQ\Z)[A-Z]+)?)(?:-EQ)?", re.ASCII),
        _read_stock, lambda s: f"{needed(_prefix(s) or None, 'exchange')}{s.root}",
    ),
    _form("openalgo", "NIFTY28MAR2420800CE", f"{_FULL}{_STRIKE}{_RIGHT}", _full),
    _form("openalgo", "BANKNIFTY24APR24FUT", f"{_FULL}FUT", _full),
    _form("shoonya", "NIFTY30JUN26C23700", rf"{_FULL}(?P<right>[A-Z]){_STRIKE}", _shoonya),
    _form("shoonya", "NIFTY30JUN26F", f"{_FULL}F", _shoonya),
    _form("dhan", "NIFTY-Dec2026-26000-PE", rf"{_ROOT}-{_MONTH}(?P<year>\d{{4}})-{_STRIKE}-{_RIGHT}", _dhan),
    _form("dhan", "NIFTY-Dec2026-FUT", rf"{_ROOT}-{_MONTH}(?P<year>\d{{4}})-FUT", _dhan),
    _form("upstox", "NIFTY 26000 PE 29 DEC 26", f"{_ROOT} {_STRIKE} {_RIGHT} {_DAY} {_MONTH} {_YEAR}", _upstox),
    _form("upstox", "NIFTY FUT 29 DEC 26", f"{_ROOT} FUT {_DAY} {_MONTH} {_YEAR}", _upstox),
)  # fmt: skip
