"""United States listed options as brokers and vendors spell them, and tickers.

Ten spellings are the engine's (:meth:`margincore.OsiSymbol.spelled`), which reads and prints them here too; those
beside them are the same facts in other places of the text, so that the engine checks their dates and strikes as well.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from margincore._core import OsiSymbol
from margincore.symbols.forms import Form, day, printed, said_by
from margincore.symbols.parts import bad, decimal_text, needed
from margincore.symbols.symbol import Right, Symbol

__all__ = ["FORMS", "ticker"]

_ENGINE = {
    "osi": ("AAPL  261218C00290000", r"(?=.{21}\Z)[A-Z0-9]+ *\d{6}[A-Z]\d{8}"),
    "compact": ("AAPL261218C00290000", r"[A-Z0-9]+\d{6}[A-Z]\d{8}"),
    "spaced": ("AAPL 261218C00290000", r"[A-Z0-9]+ \d{6}[A-Z]\d{8}"),
    "massive": ("O:AAPL261218C00290000", r"O:[A-Z0-9]+\d{6}[A-Z]\d{8}"),
    "plain": ("AAPL261218C290", r"[A-Z0-9]+?\d{6}[A-Z](?!\d{8}\Z)[\d.]+"),
    "tastytrade": (".AAPL261218C290", r"\.[A-Z0-9]+?\d{6}[A-Z][\d.]+"),
    "fidelity": (" -AAPL261218C290", r" ?-[A-Z0-9]+?\d{6}[A-Z][\d.]+"),
    "thinkorswim": ("AAPL_121826C290", r"[A-Z0-9]+_\d{6}[A-Z][\d.]+"),
    "schwab": ("AAPL 12/18/2026 290.00 C", r"[A-Z0-9]+ \d+/\d+/\d{4} [\d.]+ [A-Z]"),
    "ibkr": ("AAPL 18DEC26 290 C", r"[A-Z0-9]+ \d+[A-Z]{3}\d{2} [\d.]+ [A-Z]"),
}
"""The engine's spellings: an example, and what tells one from another."""

_DAY = r"(?P<root>[A-Z0-9]+) (?P<month>[A-Za-z]{3}) (?P<day>\d{1,2})"
_TIGHT = _DAY.replace(r"3}) (", r"3}) ?(")
"""As TWS writes it in places: ``Dec18'26``."""
_WORD = r"(?P<right>[A-Za-z]+)"
_STRIKE = r"(?P<strike>[\d.,]+)"


def _from_engine(symbol: OsiSymbol, dialect: str) -> Symbol:
    right: Right = "call" if symbol.right == "call" else "put"
    expiry = dt.date.fromisoformat(symbol.expiry)
    return Symbol("option", symbol.root, dialect, expiry, right=right, strike=symbol.strike)


def _engine(symbol: Symbol) -> OsiSymbol:
    """The engine's symbol of an option that has a day; it prints it."""
    expiry, right, strike = day(symbol), needed(symbol.right, "right"), symbol.strike
    if not 2000 <= expiry.year <= 2099:
        raise bad(f"expiry {expiry} does not fit two digits of a year: 2000 to 2099", expiry, "out_of_range")
    thousandths = Decimal(decimal_text(strike)) * 1000
    if thousandths != int(thousandths) or thousandths > 99_999_999:
        raise bad(f"strike {decimal_text(strike)} does not fit eight digits of thousandths", strike, "out_of_range")
    return OsiSymbol(f"{symbol.root}{expiry:%y%m%d}{right[0].upper()}{int(thousandths):08}")


_ALSO = {"schwab": "osi", "ibkr": "osi", "tastytrade": "osi", "thinkorswim": "tastytrade", "dxfeed": "tastytrade"}
"""What is written in other places by those who have a spelling of their own: files, interfaces, platforms."""


def _of_engine(name: str, dialect: str) -> Form:
    example, pattern = _ENGINE[name]

    def read(match: re.Match[str], _: dt.date | None) -> Symbol:
        return _from_engine(OsiSymbol(match[0]), dialect)

    def write(symbol: Symbol) -> str:
        return _engine(symbol).spelled(name)

    return Form(dialect, "option", example, re.compile(pattern, re.ASCII), read, write)


def _words(name: str, example: str, pattern: str, template: str) -> Form:
    """A form of words: root, month by name or number, day, year, strike and right, in any order."""

    def read(match: re.Match[str], _: dt.date | None) -> Symbol:
        found = said_by(match, name, places=3)
        _engine(found)  # strike and root are what an option symbol can hold
        return found

    return Form(name, "option", example, re.compile(pattern, re.ASCII), read, printed(template))


def _read_dashed(match: re.Match[str], _: dt.date | None) -> Symbol:
    return _from_engine(OsiSymbol(match[0].replace("-", " ")), "etrade_key")


def _read_tradestation(match: re.Match[str], _: dt.date | None) -> Symbol:
    return _from_engine(OsiSymbol(match["root"] + match["rest"]), "tradestation")


_TICKER = re.compile(
    r"(?!\w+(?:USD[TC]|PERP)\Z)\d{0,3}[A-Z]{1,15}(?:&[A-Z]{1,5})?(?:[./ ][A-Z]{1,2}|-(?!PERP)[A-Z]{1,5})?", re.ASCII
)
"""Capitals, with a class or an exchange behind a mark, kept as written; NSE's may begin with digits. Venues' perpetuals
are none."""


def ticker(dialect: str) -> Form:
    """What a stock or fund is called by: the same at every broker of a country."""

    def read(match: re.Match[str], _: dt.date | None) -> Symbol:
        return Symbol("stock", match[0], dialect)

    return Form(dialect, "stock", "AAPL", _TICKER, read, lambda s: s.root)


_SLASHED = rf"(?P<root>[A-Z0-9]+) {{}}/(?P<year>\d\d) \$?{_STRIKE} {_WORD}"
_MONTH_DAY, _DAY_MONTH = r"(?P<month>\d{1,2})/(?P<day>\d{1,2})", r"(?P<day>\d{1,2})/(?P<month>\d{1,2})"

FORMS = (
    *(_of_engine(name, name) for name in _ENGINE),
    *(_of_engine(name, dialect) for dialect, name in _ALSO.items()),
    Form(
        "etrade_key", "option", "AAPL--261218C00290000",
        re.compile(r"(?=.{21}\Z)[A-Z0-9]+-+\d{6}[A-Z]\d{8}", re.ASCII), _read_dashed,
        lambda s: _engine(s).spelled("osi").replace(" ", "-"),
    ),
    Form(
        "tradestation", "option", "AAPL 261218C290",
        re.compile(r"(?P<root>[A-Z0-9]+) (?P<rest>\d{6}[A-Z](?!\d{8}\Z)[\d.]+)", re.ASCII), _read_tradestation,
        lambda s: f"{s.root} {_engine(s).spelled('plain').removeprefix(s.root)}",
    ),
    _words(
        "etrade", "AAPL Dec 18 '26 $290 Call", rf"{_DAY} '(?P<year>\d{{2}}) \${_STRIKE} {_WORD}",
        "<root> <Mon> <d> '<yy> $<strike> <Call>",
    ),
    _words(
        "tws", "AAPL Dec 18 '26 290 Call", rf"{_TIGHT} ?'(?P<year>\d{{2}}) {_STRIKE} {_WORD}",
        "<root> <Mon> <d> '<yy> <strike> <Call>",
    ),
    _words(
        "fidelity_text", "AAPL DEC 18 2026 $290 CALL", rf"{_DAY} (?P<year>\d{{4}}) \${_STRIKE} {_WORD}",
        "<root> <MON> <dd> <yyyy> $<strike> <CALL>",
    ),
    _words(
        "robinhood", "AAPL 12/18/2026 Call $290.00",
        rf"(?P<root>[A-Z0-9]+) {_MONTH_DAY}/(?P<year>\d{{4}}) {_WORD} \${_STRIKE}",
        "<root> <m>/<d>/<yyyy> <Call> $<strike.00>",
    ),
    _words("month_first", "AAPL 12/18/26 290 C", _SLASHED.format(_MONTH_DAY), "<root> <mm>/<dd>/<yy> <strike> <C>"),
    _words("day_first", "AAPL 18/12/26 290 C", _SLASHED.format(_DAY_MONTH), "<root> <dd>/<mm>/<yy> <strike> <C>"),
    ticker("ticker"),
)  # fmt: skip
