"""NSE, BSE and MCX: the exchanges' compact trading symbols, and brokers' forms of the same.

An equity may end in ``CE`` or ``PE`` (``RELIANCE``, ``BAJFINANCE``) and a root may end in digits (``NIFTYNXT50``): no
form here takes letters before ``CE`` for a strike, and none takes digits of a root for a year, since roots that hold
digits are either known or begin with them (``360ONE``).
"""

from __future__ import annotations

import datetime as dt
import re

from margincore.symbols.forms import Form, printed, said_by
from margincore.symbols.parts import WEEKLY, needed
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


def _form(dialect: str, example: str, pattern: str, template: str) -> Form:
    """A form; the exchange stands before the compact symbols where one is said."""
    kind: Kind = "option" if "strike" in pattern else "future"
    write = printed(template)

    def read(match: re.Match[str], _: dt.date | None) -> Symbol:
        said = match.groupdict()
        month = WEEKLY.index(said["letter"]) + 1 if "letter" in said else None
        return said_by(match, dialect, month=month, exchange=said.get("exchange"))

    def prefixed(s: Symbol) -> str:
        return (f"{s.exchange}:" if "exchange" in pattern and s.exchange in _EXCHANGES else "") + write(s)

    return Form(dialect, kind, example, re.compile(pattern, re.ASCII), read, prefixed)


def _read_stock(match: re.Match[str], _: dt.date | None) -> Symbol:
    return Symbol("stock", match["root"], "kite", exchange=match["exchange"])


def _write_stock(s: Symbol) -> str:
    return f"{needed(s.exchange if s.exchange in _EXCHANGES else None, 'exchange')}:{s.root}"


_COMPACT = f"{_EXCHANGE}{_ROOT}{_YEAR}"
_LETTER = rf"(?P<letter>[{WEEKLY}]){_DAY}"
_FULL = f"{_ROOT}{_DAY}{_MONTH}{_YEAR}"

FORMS = (
    _form(
        "kite", "NIFTY26DEC26000PE", f"{_COMPACT}{_MONTH}{_STRIKE}{_RIGHT}",
        "<root><contract_yy><contract_MON><strike><C>E",
    ),
    _form("kite", "NIFTY26D0826000PE", f"{_COMPACT}{_LETTER}{_STRIKE}{_RIGHT}", "<root><yy><letter><dd><strike><C>E"),
    _form("kite", "NIFTY26DECFUT", f"{_COMPACT}{_MONTH}FUT", "<root><contract_yy><contract_MON>FUT"),
    _form("kite", "USDINR26D04FUT", f"{_COMPACT}{_LETTER}FUT", "<root><yy><letter><dd>FUT"),
    Form(
        "kite", "stock", "NSE:RELIANCE",
        re.compile(r"(?P<exchange>NSE|BSE):(?P<root>\d{0,3}[A-Z]+(?:&[A-Z]+)?(?:-(?!EQ\Z)[A-Z]+)?)(?:-EQ)?", re.ASCII),
        _read_stock, _write_stock,
    ),
    _form("openalgo", "NIFTY28MAR2420800CE", f"{_FULL}{_STRIKE}{_RIGHT}", "<root><dd><MON><yy><strike><C>E"),
    _form("openalgo", "BANKNIFTY24APR24FUT", f"{_FULL}FUT", "<root><dd><MON><yy>FUT"),
    _form("shoonya", "NIFTY30JUN26C23700", rf"{_FULL}(?P<right>[A-Z]){_STRIKE}", "<root><dd><MON><yy><C><strike>"),
    _form("shoonya", "NIFTY30JUN26F", f"{_FULL}F", "<root><dd><MON><yy>F"),
    _form(
        "dhan", "NIFTY-Dec2026-26000-PE", rf"{_ROOT}-{_MONTH}(?P<year>\d{{4}})-{_STRIKE}-{_RIGHT}",
        "<root>-<contract_Mon><contract_yyyy>-<strike>-<C>E",
    ),
    _form(
        "dhan", "NIFTY-Dec2026-FUT", rf"{_ROOT}-{_MONTH}(?P<year>\d{{4}})-FUT",
        "<root>-<contract_Mon><contract_yyyy>-FUT",
    ),
    _form(
        "upstox", "NIFTY 26000 PE 29 DEC 26", f"{_ROOT} {_STRIKE} {_RIGHT} {_DAY} {_MONTH} {_YEAR}",
        "<root> <strike> <C>E <dd> <MON> <yy>",
    ),
    _form("upstox", "NIFTY FUT 29 DEC 26", f"{_ROOT} FUT {_DAY} {_MONTH} {_YEAR}", "<root> FUT <dd> <MON> <yy>"),
)  # fmt: skip
