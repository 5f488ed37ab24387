"""Cboe delayed quotes ("quotedata" CSV): one row per expiry and strike, call and put side by side.

Three lines stand before the columns: the underlying with its last price, the time of the quotes with their
zone, and the column names. Every quote becomes an :class:`OptionQuote`, or is left out with its line and
the reason.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from margincore._core import InvalidInput, MarginError, OsiSymbol, ParseError
from margincore._pickles import Record
from margincore.importers.text import at_line, rows
from margincore.numerals import decimal, number

SIDE = ("Last Sale", "Net", "Bid", "Ask", "Volume", "IV", "Delta", "Gamma", "Open Interest")
HEADER = ("Expiration Date", "Calls", *SIDE, "Strike", "Puts", *SIDE)
ZONES = {"EST": -5, "EDT": -4}
"""Hours from UTC of the zones the exchange prints."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>\d{2}) (?P<year>\d{4})", re.ASCII)
_TIME = re.compile(
    r"Date: (?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2}),? (?P<year>\d{4})(?:,| at) "
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2}) (?P<half>AM|PM) (?P<zone>[A-Z]{3})",
    re.ASCII,
)


@dataclass(frozen=True)
class OptionQuote(Record):
    """One option's quote: prices per unit; ``iv`` is the exchange's own, an annual fraction."""

    symbol: OsiSymbol
    bid: float
    ask: float
    last: float
    iv: float
    open_interest: float
    line: int

    @property
    def mid(self) -> float:
        """Half way between bid and ask."""
        return 0.5 * (self.bid + self.ask)


@dataclass(frozen=True)
class DroppedQuote(Record):
    """A quote that was left out: its symbol, the line it stands on, and why."""

    symbol: str
    line: int
    reason: str


@dataclass(frozen=True)
class CboeQuotes(Record):
    """A file of quotes: the underlying's name and last price, the time, quotes kept and left out."""

    underlying: str
    spot: float
    valuation: dt.datetime
    quotes: tuple[OptionQuote, ...]
    dropped: tuple[DroppedQuote, ...]

    def reasons(self) -> dict[str, int]:
        """How many quotes were left out, by reason."""
        counts: dict[str, int] = {}
        for drop in self.dropped:
            counts[drop.reason] = counts.get(drop.reason, 0) + 1
        return counts


def read_cboe_quotes(path: str | os.PathLike[str]) -> CboeQuotes:
    """Reads a Cboe quotes file (plain or ``.gz``).

    A quote without an ask, with a negative or crossed bid and ask, or on an expiry before the file's own
    time is left out and listed. Raises :class:`margincore.ParseError` or :class:`margincore.InvalidInput`
    with file and line for anything that is not such a file: a missing column, a number that is none, a row
    whose parts disagree.
    """
    path = Path(path)
    lines = rows(path)
    underlying, spot = _underlying(path, *_next(path, lines))
    valuation = _valuation(path, *_next(path, lines))
    line, header = _next(path, lines)
    if tuple(cell.strip() for cell in header) != HEADER:
        raise ParseError(f"{path}:{line}: not the columns of a Cboe quotes file: {', '.join(HEADER)}")
    kept: list[OptionQuote] = []
    dropped: list[DroppedQuote] = []
    seen: dict[OsiSymbol, int] = {}
    for line, cells in lines:
        if len(cells) != len(HEADER):
            raise ParseError(
                f"{path}:{line}: {len(cells)} cells in a row of {len(HEADER)} columns: is the file cut off?",
                code="damaged",
            )
        try:
            for quote in _pair(line, cells):
                first = seen.setdefault(quote.symbol, line)
                if first != line:
                    raise InvalidInput(f"'{quote.symbol.compact}' stands on line {first} already", code="duplicate")
                reason = _reason_to_drop(quote, valuation)
                if reason is None:
                    kept.append(quote)
                else:
                    dropped.append(DroppedQuote(quote.symbol.compact, line, reason))
        except MarginError as error:
            raise at_line(path, line, error) from None
    if not kept and not dropped:
        raise ParseError(f"{path}:{line}: no quotes after the column names")
    return CboeQuotes(underlying, spot, valuation, tuple(kept), tuple(dropped))


def _next(path: Path, lines: Iterator[tuple[int, list[str]]]) -> tuple[int, list[str]]:
    found = next(lines, None)
    if found is None:
        raise ParseError(f"{path}: ends before the column names of a Cboe quotes file", code="damaged")
    return found


def _underlying(path: Path, line: int, cells: list[str]) -> tuple[str, float]:
    if len(cells) != 3 or not (cells[1].startswith("Last: ") and cells[2].startswith("Change: ")):
        raise ParseError(f"{path}:{line}: not a Cboe quotes file: 'NAME,Last: PRICE,Change: ...' is expected")
    try:
        spot = decimal(cells[1].removeprefix("Last: ").strip(), "last price of the underlying")
    except MarginError as error:
        raise at_line(path, line, error) from None
    if spot <= 0.0:
        raise InvalidInput(f"{path}:{line}: last price of the underlying is {spot}", code="out_of_range")
    return cells[0].strip(), spot


def _valuation(path: Path, line: int, cells: list[str]) -> dt.datetime:
    match = _TIME.fullmatch(cells[0].strip())
    if match is None or match["month"] not in _MONTHS:
        raise ParseError(f"{path}:{line}: {cells[0]!r} is not 'Date: September 14, 2023 at 4:31 PM EDT'")
    if match["zone"] not in ZONES:
        raise ParseError(f"{path}:{line}: zone {match['zone']} is not one of {', '.join(ZONES)}")
    if not 1 <= int(match["hour"]) <= 12:
        raise ParseError(f"{path}:{line}: {cells[0]!r}: hour must be in 1..12")
    hour = int(match["hour"]) % 12 + (12 if match["half"] == "PM" else 0)
    zone = dt.timezone(dt.timedelta(hours=ZONES[match["zone"]]))
    month = 1 + _MONTHS.index(match["month"])
    try:
        return dt.datetime(int(match["year"]), month, int(match["day"]), hour, int(match["minute"]), tzinfo=zone)
    except ValueError as error:
        raise ParseError(f"{path}:{line}: {cells[0]!r}: {error}") from None


def _pair(line: int, cells: list[str]) -> tuple[OptionQuote, OptionQuote]:
    """The call and the put of a row, whose symbols must say what the row's date and strike say."""
    strike = decimal(cells[11].strip(), "strike")
    match = _DATE.fullmatch(cells[0].strip())
    if match is None or match["month"] not in _MONTHS:
        raise ParseError(f"{cells[0]!r} is not a date such as 'Fri Dec 18 2026'")
    expiry = f"{match['year']}-{1 + _MONTHS.index(match['month']):02}-{match['day']}"
    call, put = _quote(line, cells[1:11]), _quote(line, cells[12:])
    for quote, right in ((call, "call"), (put, "put")):
        symbol = quote.symbol
        if (symbol.right, symbol.strike, symbol.expiry) != (right, strike, expiry):
            raise InvalidInput(
                f"'{symbol.compact}' is not the {right} of {expiry} at {strike:g} on this row", code="bad_text"
            )
    return call, put


def _quote(line: int, cells: list[str]) -> OptionQuote:
    values = {name: number(cell.strip(), name) for name, cell in zip(SIDE, cells[1:], strict=True)}
    return OptionQuote(
        OsiSymbol(cells[0].strip()),
        values["Bid"],
        values["Ask"],
        values["Last Sale"],
        values["IV"],
        values["Open Interest"],
        line,
    )


def _reason_to_drop(quote: OptionQuote, valuation: dt.datetime) -> str | None:
    if quote.symbol.expiry < valuation.date().isoformat():
        return "expired before the quotes were taken"
    if quote.bid < 0.0 or quote.ask < 0.0:
        return "a negative bid or ask"
    if quote.ask == 0.0:
        return "no ask"
    if quote.bid > quote.ask:
        return "crossed: the bid is above the ask"
    return None
