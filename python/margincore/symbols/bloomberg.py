"""Bloomberg tickers with their yellow key: futures, options on them, listed options, stocks and indices.

Roots of futures are Bloomberg's own (``TYZ6 Comdty`` is CBOT's ZN): they are kept as written, and
:func:`margincore.symbols.spell` and :func:`margincore.symbols.contract` turn them by the table of standard futures.
"""

from __future__ import annotations

import datetime as dt
import re

from margincore.symbols.forms import Form, printed, said_by
from margincore.symbols.futures import code_of
from margincore.symbols.parts import bad, decimal_text, needed
from margincore.symbols.symbol import Symbol

__all__ = ["FORMS"]

_FUTURES = ("Index", "Comdty", "Curncy")
_LISTED = ("Equity", "Index")

_SECTOR = r"(?P<sector>[A-Za-z]+)"
_CODE = r"(?P<root>[A-Z0-9]{2,4}|[A-Z] )(?P<code>[A-Z])(?P<year>\d{1,2})"
_STRIKE = r"(?P<strike>[\d.]+)"
_RIGHT = r"(?P<right>[A-Z])"
_DATE = r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{2})"
_ROOT = r"(?P<root>[A-Z0-9][A-Z0-9/]{0,11})"
_COUNTRY = r"(?P<country>[A-Z]{2})"


def _sector(text: str, sectors: tuple[str, ...]) -> str:
    """A yellow key, in any case."""
    if text.title() not in sectors:
        raise bad(f"yellow key {text!r} is none of {', '.join(sectors)}", text)
    return text.title()


def _stated(s: Symbol, sectors: tuple[str, ...]) -> str:
    if s.market_sector not in sectors:
        raise bad(f"Bloomberg says the market_sector ({', '.join(sectors)}), which is not stated", code="not_stated")
    return s.market_sector


def _read_future(match: re.Match[str], on: dt.date | None) -> Symbol:
    sector = _sector(match["sector"], _FUTURES)
    return said_by(match, "bloomberg", on, option="future_option", market_sector=sector)


def _write_future(s: Symbol) -> str:
    """A root of one letter is padded to two: ``C Z6 Comdty``."""
    sector = _stated(s, _FUTURES)
    code = f"{s.root:<2}{code_of(s, 1)[len(s.root) :]}"
    return f"{code} {sector}" if s.right is None else f"{code}{s.right[0].upper()} {decimal_text(s.strike)} {sector}"


def _read_option(match: re.Match[str], _: dt.date | None) -> Symbol:
    sector = _sector(match["sector"], _LISTED)
    return said_by(match, "bloomberg", exchange=match["country"], market_sector=sector)


_listed = printed("<mm>/<dd>/<yy> <C><strike>")


def _write_option(s: Symbol) -> str:
    country = f" {s.exchange}" if s.exchange else ""
    return f"{s.root}{country} {_listed(s)} {_stated(s, _LISTED)}"


def _read_stock(match: re.Match[str], _: dt.date | None) -> Symbol:
    _sector(match["sector"], ("Equity",))
    return Symbol("stock", match["root"], "bloomberg", exchange=match["country"], market_sector="Equity")


def _read_index(match: re.Match[str], _: dt.date | None) -> Symbol:
    if re.fullmatch(r"[A-Z]{1,2}\d", match["index"]):
        raise bad(f"{match[0]!r} is a generic future, which rolls: name a contract, as ESZ6 Index", match["index"])
    return Symbol("index", match["index"], "bloomberg", market_sector="Index")


FORMS = (
    Form(
        "bloomberg", "future", "ESZ6 Index", re.compile(f"{_CODE} {_SECTOR}", re.ASCII), _read_future, _write_future,
    ),
    Form(
        "bloomberg", "future_option", "ESZ6C 4500 Index",
        re.compile(f"{_CODE}{_RIGHT} {_STRIKE} {_SECTOR}", re.ASCII), _read_future, _write_future,
    ),
    Form(
        "bloomberg", "option", "SPX US 12/18/26 C4700 Index",
        re.compile(f"{_ROOT}(?: {_COUNTRY})? {_DATE} {_RIGHT}{_STRIKE} {_SECTOR}", re.ASCII),
        _read_option, _write_option,
    ),
    Form(
        "bloomberg", "stock", "AAPL US Equity", re.compile(f"{_ROOT} {_COUNTRY} {_SECTOR}", re.ASCII), _read_stock,
        lambda s: f"{s.root} {needed(s.exchange, 'country of the listing')} {_stated(s, ('Equity',))}",
    ),
    Form(
        "bloomberg", "index", "SPX Index",
        re.compile(rf"(?!{_CODE} )(?P<index>[A-Z0-9]{{1,12}}) (?i:index)", re.ASCII),
        _read_index, lambda s: f"{s.root} {_stated(s, ('Index',))}",
    ),
)  # fmt: skip
