"""Futures and options on them: exchange codes with a month letter, and the same with vendors' marks around them.

CME Globex writes options with the option's own root and month and a strike in digits whose unit depends on the
product (``LOZ6 C6500`` is 65 dollars): the table of :mod:`margincore.symbols.standard` says which, and a root that is
not in it is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from margincore._core import MissingData
from margincore.symbols import standard
from margincore.symbols.parts import (
    CODES,
    MONTHS,
    Form,
    bad,
    date_of,
    decimal_text,
    month_code,
    month_name,
    needed,
    right_of,
    strike_of,
    year_of,
)
from margincore.symbols.symbol import Symbol

__all__ = ["FORMS", "code_of", "named"]

_CODE = r"(?P<root>[A-Z0-9]{1,5})(?P<code>[A-Z])(?P<year>\d{1,2})"
_STRIKE = r"(?P<strike>[\d.]+)"
_MICS = {"CME": "XCME", "CBOT": "XCBT", "NYMEX": "XNYM", "COMEX": "XCEC"}
"""The market codes that dxFeed puts after a colon."""
_VENUES = {
    "CME": "CME", "CME_MINI": "CME", "CBOT": "CBOT", "CBOT_MINI": "CBOT", "NYMEX": "NYMEX", "COMEX": "COMEX",
    "EUREX": "EUREX",
}  # fmt: skip
"""The exchanges that TradingView puts before one."""


def code_of(symbol: Symbol, digits: int) -> str:
    """``ESZ6`` or ``ESZ26``: root, month code and year."""
    year = needed(symbol.year, "contract month")
    if not 2000 <= year <= 2099:
        raise bad(f"year {year} does not fit: 2000 to 2099", year, "out_of_range")
    return f"{symbol.root}{CODES[needed(symbol.month, 'contract month') - 1]}{year % 10**digits:0{digits}}"


def named(root: str, code: str, digits: str, on: dt.date | None, dialect: str, exchange: str | None = None) -> Symbol:
    """A future from root, month code and the digits of its year."""
    month = month_code(code)
    return Symbol("future", root, dialect, year=year_of(digits, month, on), month=month, exchange=exchange)


def _future(dialect: str, example: str, before: str, after: str, digits: int) -> Form:
    """A code between two marks; one or two digits of a year are read, `digits` are written."""

    def read(match: re.Match[str], on: dt.date | None) -> Symbol:
        return named(match["root"], match["code"], match["year"], on, dialect)

    pattern = re.compile(re.escape(before) + _CODE + re.escape(after), re.ASCII)
    return Form(dialect, "future", example, pattern, read, lambda s: before + code_of(s, digits) + after)


def _scale(root: str) -> int:
    found = standard.option_row(root)
    if found is None:
        raise MissingData(
            f"no source here says in which unit Globex writes strikes of {root!r} options: use a dialect that writes "
            "them as prices, such as clearing or tastytrade",
            code="missing_product",
            value=root,
        )
    return int(found["strike_scale"])


def _globex_option(dialect: str, example: str, digits: int) -> Form:
    pattern = re.compile(rf"{_CODE} (?P<right>[A-Z])(?P<strike>\d+)", re.ASCII)

    def read(match: re.Match[str], on: dt.date | None) -> Symbol:
        future = named(match["root"], match["code"], match["year"], on, dialect)
        strike = strike_of(match["strike"]) / _scale(match["root"])
        right = right_of(match["right"])
        return Symbol(
            "future_option", future.root, dialect, year=future.year, month=future.month, right=right, strike=strike
        )

    def write(s: Symbol) -> str:
        strike = Decimal(decimal_text(s.strike)) * _scale(s.root)
        if strike != int(strike):
            raise bad(f"strike {decimal_text(s.strike)} has more decimals than {s.root} options", s.strike)
        return f"{code_of(s, digits)} {needed(s.right, 'right')[0].upper()}{int(strike)}"

    return Form(dialect, "future_option", example, pattern, read, write)


def _read_dxfeed(match: re.Match[str], on: dt.date | None) -> Symbol:
    exchange = {mic: name for name, mic in _MICS.items()}.get(match["mic"])
    if exchange is None:
        raise bad(f"market code {match['mic']!r} is none of {', '.join(_MICS.values())}", match["mic"])
    return named(match["root"], match["code"], match["year"], on, "dxfeed", exchange)


def _read_dxfeed_option(match: re.Match[str], on: dt.date | None) -> Symbol:
    right, strike = right_of(match["right"]), strike_of(match["strike"])
    return replace(_read_dxfeed(match, on), kind="future_option", right=right, strike=strike)


def _mic(s: Symbol) -> str:
    option = standard.option_row(s.root) if s.kind == "future_option" else None
    row = standard.future_row(s.root if option is None else option["underlying"])
    exchange = s.exchange if s.exchange in _MICS or row is None else row["exchange"]
    if exchange not in _MICS:
        raise bad(f"dxFeed says the exchange ({', '.join(_MICS)}), which is not known of {s.root}", code="not_stated")
    return _MICS[exchange]


def _write_dxfeed(s: Symbol) -> str:
    if s.right is None:
        return f"/{code_of(s, 2)}:{_mic(s)}"
    return f"./{code_of(s, 2)}{s.right[0].upper()}{decimal_text(s.strike)}:{_mic(s)}"


def _read_tastytrade(match: re.Match[str], on: dt.date | None) -> Symbol:
    day = match["day"]
    expiry = date_of(2000 + int(day[:2]), int(day[2:4]), int(day[4:]), day)
    # The option's year is that of its day; its future's lies near it.
    option = named(match["option"], match["option_code"], match["option_year"], expiry.replace(day=1), "tastytrade")
    future = named(match["root"], match["code"], match["year"], expiry.replace(day=1), "tastytrade")
    return Symbol(
        "future_option", option.root, "tastytrade", expiry, option.year, option.month, right_of(match["right"]),
        strike_of(match["strike"]), underlying=code_of(future, 2),
    )  # fmt: skip


def _write_tastytrade(s: Symbol) -> str:
    expiry, underlying = needed(s.expiry, "day of expiry"), needed(s.underlying, "future it is on")
    future = f"{underlying[:-2]}{underlying[-1]}"
    return f"./{future} {code_of(s, 1)} {expiry:%y%m%d}{needed(s.right, 'right')[0].upper()}{decimal_text(s.strike)}"


def _read_year(match: re.Match[str], _: dt.date | None) -> Symbol:
    month, venue = month_code(match["code"]), match["venue"]
    if venue is not None and venue not in _VENUES:
        raise bad(f"{venue!r} is none of {', '.join(_VENUES)}", venue)
    exchange = None if venue is None else _VENUES[venue]
    return Symbol("future", match["root"], "tradingview", year=int(match["year"]), month=month, exchange=exchange)


def _read_dated(match: re.Match[str], _: dt.date | None) -> Symbol:
    month = month_name(match["month"])
    expiry = date_of(2000 + int(match["year"]), month, int(match["day"]), match[0])
    return Symbol("future", match["root"], "ibkr", expiry)


def _write_dated(s: Symbol) -> str:
    expiry = needed(s.expiry, "day of expiry")
    return f"{s.root} {expiry:%d}{MONTHS[expiry.month - 1]}{expiry:%y}"


def _read_clearing(match: re.Match[str], _: dt.date | None) -> Symbol:
    period = match["period"]
    said: dict[str, Any] = {"year": int(period[:4]), "month": int(period[4:])}
    if "right" not in match.groupdict():
        return Symbol("future", match["root"], "clearing", **said)
    right, strike = right_of(match["right"]), strike_of(match["strike"])
    return Symbol("future_option", match["root"], "clearing", right=right, strike=strike, **said)


def _write_clearing(s: Symbol) -> str:
    head = f"{s.root} {needed(s.year, 'contract month')}{needed(s.month, 'contract month'):02}"
    return head if s.right is None else f"{head} {s.right[0].upper()} {decimal_text(s.strike)}"


_CLEARING = r"(?P<root>[A-Z0-9]{1,5}) (?P<period>\d{4}(?:0[1-9]|1[0-2]))"

FORMS = (
    _future("globex", "ESZ6", "", "", 1),
    _globex_option("globex", "ESZ6 C4500", 1),
    _future("globex_long", "ESZ26", "", "", 2),
    _globex_option("globex_long", "EW3Z26 P4450", 2),
    _future("tastytrade", "/ESZ6", "/", "", 1),
    Form(
        "tastytrade", "future_option", "./ESZ6 E3BZ6 261215C4500",
        re.compile(
            rf"\./{_CODE} (?P<option>[A-Z0-9]{{1,5}})(?P<option_code>[A-Z])(?P<option_year>\d{{1,2}}) "
            rf"(?P<day>\d{{6}})(?P<right>[A-Z]){_STRIKE}", re.ASCII,
        ),
        _read_tastytrade, _write_tastytrade,
    ),
    _future("thinkorswim", "/ESZ26", "/", "", 2),
    Form(
        "dxfeed", "future", "/ESZ26:XCME", re.compile(rf"/{_CODE}:(?P<mic>[A-Z]+)", re.ASCII),
        _read_dxfeed, _write_dxfeed,
    ),
    Form(
        "dxfeed", "future_option", "./ESZ26C4500:XCME",
        re.compile(rf"\./{_CODE}(?P<right>[A-Z]){_STRIKE}:(?P<mic>[A-Z]+)", re.ASCII),
        _read_dxfeed_option, _write_dxfeed,
    ),
    Form(
        "tradingview", "future", "ESZ2026",
        re.compile(r"(?:(?P<venue>[A-Z_]+):)?(?P<root>[A-Z0-9]{1,5})(?P<code>[A-Z])(?P<year>20\d\d)", re.ASCII),
        _read_year, lambda s: f"{code_of(s, 2)[:-2]}{s.year}",
    ),
    _future("ibkr", "ESZ6", "", "", 1),
    _globex_option("ibkr", "ESZ6 C4500", 1),
    Form(
        "ibkr", "future", "ES 18DEC26",
        re.compile(r"(?P<root>[A-Z0-9]+) (?P<day>\d{2})(?P<month>[A-Z]{3})(?P<year>\d{2})", re.ASCII),
        _read_dated, _write_dated,
    ),
    Form("clearing", "future", "ES 202612", re.compile(_CLEARING, re.ASCII), _read_clearing, _write_clearing),
    Form(
        "clearing", "future_option", "ES 202612 P 6400",
        re.compile(rf"{_CLEARING} (?P<right>[A-Z]) {_STRIKE}", re.ASCII), _read_clearing, _write_clearing,
    ),
)  # fmt: skip
