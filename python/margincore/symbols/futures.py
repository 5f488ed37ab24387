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

from margincore._core import MissingData
from margincore.symbols import standard
from margincore.symbols.forms import Form, form, printed, said_by
from margincore.symbols.parts import CODES, bad, date_of, decimal_text, month_code, needed, year_of
from margincore.symbols.symbol import Symbol

__all__ = ["FORMS", "code_of"]

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


def _future(dialect: str, example: str, before: str, after: str, digits: int) -> Form:
    """A code between two marks; one or two digits of a year are read, `digits` are written."""

    def read(match: re.Match[str], on: dt.date | None) -> Symbol:
        return said_by(match, dialect, on)

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
        said = said_by(match, dialect, on, option="future_option")
        return replace(said, strike=needed(said.strike, "strike") / _scale(said.root))

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
    return said_by(match, "dxfeed", on, option="future_option", exchange=exchange)


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


def _read_tastytrade(match: re.Match[str], _: dt.date | None) -> Symbol:
    date, code = match["date"], match["future_code"]
    # The option's year is that of its day; its future's lies near it.
    near = date_of(2000 + int(date[:2]), int(date[2:4]), 1, date)
    year = year_of(match["future_year"], month_code(code), near)
    underlying = f"{match['future']}{code}{year % 100:02}"
    return said_by(match, "tastytrade", near, option="future_option", underlying=underlying)


_day_and_right = printed("<yy><mm><dd><C><strike>")


def _write_tastytrade(s: Symbol) -> str:
    underlying = needed(s.underlying, "future it is on")
    return f"./{underlying[:-2]}{underlying[-1]} {code_of(s, 1)} {_day_and_right(s)}"


def _read_year(match: re.Match[str], _: dt.date | None) -> Symbol:
    venue = match["venue"]
    if venue is not None and venue not in _VENUES:
        raise bad(f"{venue!r} is none of {', '.join(_VENUES)}", venue)
    return said_by(match, "tradingview", exchange=None if venue is None else _VENUES[venue])


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
            rf"\./(?P<future>[A-Z0-9]{{1,5}})(?P<future_code>[A-Z])(?P<future_year>\d{{1,2}}) {_CODE} "
            rf"(?P<date>\d{{6}})(?P<right>[A-Z]){_STRIKE}", re.ASCII,
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
        _read_dxfeed, _write_dxfeed,
    ),
    Form(
        "tradingview", "future", "ESZ2026",
        re.compile(r"(?:(?P<venue>[A-Z_]+):)?(?P<root>[A-Z0-9]{1,5})(?P<code>[A-Z])(?P<year>20\d\d)", re.ASCII),
        _read_year, lambda s: f"{code_of(s, 2)[:-2]}{s.year}",
    ),
    _future("ibkr", "ESZ6", "", "", 1),
    _globex_option("ibkr", "ESZ6 C4500", 1),
    form(
        "ibkr", "future", "ES 18DEC26",
        r"(?P<root>[A-Z0-9]+) (?P<day>\d{2})(?P<month>[A-Z]{3})(?P<year>\d{2})", "<root> <dd><MON><yy>",
    ),
    form("clearing", "future", "ES 202612", _CLEARING, "<root> <contract_yyyy><contract_mm>"),
    form(
        "clearing", "future_option", "ES 202612 P 6400", rf"{_CLEARING} (?P<right>[A-Z]) {_STRIKE}",
        "<root> <contract_yyyy><contract_mm> <C> <strike>",
    ),
)  # fmt: skip
