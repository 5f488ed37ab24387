"""Quotes beside positions: a template of what is missing, and the file that it becomes.

The columns are ``symbol, price, vol, spot, rate, dividend_yield, fx, valuation``, of which a file has `symbol` and
those it needs: a row per contract (``price`` or ``vol``), per underlying (``spot``), per currency (``rate``), per pair
of currencies (``fx``, the price of the first in the second), and one whose symbol is ``valuation``. An empty cell is a
quote that is not given; a minus is printed where a row has none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

from margincore._core import InvalidInput, MarginError, OsiSymbol, ParseError
from margincore._pickles import Record
from margincore.importers.brokers.record import PositionsFile, Refusal, refused
from margincore.importers.text import Source, read_source, text_rows
from margincore.numerals import number

__all__ = ["Quotes", "quotes_template", "read_quotes"]

COLUMNS = ("symbol", "price", "vol", "spot", "rate", "dividend_yield", "fx", "valuation")


@dataclass(frozen=True)
class Quotes(Record):
    """What a quotes file says: `price` and `vol` by contract id, `spot` and `dividend_yield` by symbol, `rate` by
    currency, `fx` by pair, and the `valuation`, `None` where it has none. Vols, yields and rates are annual fractions.
    """

    price: Mapping[str, float] = field(default_factory=dict)
    vol: Mapping[str, float] = field(default_factory=dict)
    spot: Mapping[str, float] = field(default_factory=dict)
    rate: Mapping[str, float] = field(default_factory=dict)
    dividend_yield: Mapping[str, float] = field(default_factory=dict)
    fx: Mapping[str, float] = field(default_factory=dict)
    valuation: str | None = None


def read_quotes(source: Source, *, name: str | None = None) -> Quotes:
    """Quotes from a CSV with the columns `symbol` and any of price, vol, spot, rate, dividend_yield, fx,
    valuation.

    Option symbols are taken in any spelling. Raises :class:`margincore.ParseError` for another table, and
    :class:`margincore.InvalidInput` for all the rows that are refused, each with file and line.

    >>> quotes = read_quotes("symbol,price,spot,rate\\nAAPL 12/18/2026 290.00 C,3.05,,\\nAAPL,,275.10,\\nUSD,,,0.04\\n")
    >>> quotes.price, quotes.spot, quotes.rate
    ({'AAPL261218C00290000': 3.05}, {'AAPL': 275.1}, {'USD': 0.04})
    """
    called, text = read_source(source, name)
    rows = text_rows(text, called)
    line, head = next(rows, (1, []))
    header = [cell.strip().casefold() for cell in head]
    for column in header:
        if column not in COLUMNS or header.count(column) > 1:
            raise ParseError(
                f"{called}:{line}: column {column!r}: each of {', '.join(COLUMNS)} once, symbol first of all"
            )
    if "symbol" not in header:
        raise ParseError(f"{called}:{line}: no column 'symbol': the columns are {', '.join(COLUMNS)}")
    given: dict[str, dict[str, float]] = {column: {} for column in COLUMNS[1:-1]}
    valuation: str | None = None
    refusals: list[Refusal] = []
    errors: list[MarginError] = []
    count = 0
    for line, cells in rows:
        count += 1
        try:
            valuation = _row(header, cells, given) or valuation
        except MarginError as error:
            place = f"{called}:{line}"
            refusals.append(Refusal(place, ",".join(cells)[:120], str(error), error.code))
            error.named(place)
            errors.append(error)
    if errors:
        raise refused(called, tuple(refusals), errors, count)
    return Quotes(**given, valuation=valuation)


def _row(header: list[str], cells: list[str], given: dict[str, dict[str, float]]) -> str | None:
    if len(cells) != len(header):
        raise ParseError(f"{len(cells)} cells in a row of {len(header)} columns")
    row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    symbol = _id(row["symbol"])
    if symbol == "valuation":
        return row.get("valuation") or None
    for column, values in given.items():
        cell = row.get(column, "")
        if cell in ("", "-"):
            continue
        value = number(cell, column)
        if values.setdefault(symbol, value) != value:
            raise InvalidInput(f"{column} of {symbol} is {value:g} here and {values[symbol]:g} above", code="duplicate")
    return None


def _id(symbol: str) -> str:
    """The id of a listed option in any spelling, else the symbol itself."""
    if not symbol:
        raise InvalidInput("the symbol is empty", code="bad_text")
    try:
        return OsiSymbol(symbol).compact
    except InvalidInput:
        return symbol


def quotes_template(file: PositionsFile) -> str:
    """A quotes CSV with an empty cell for every quote that a file of positions lacks.

    Contracts need a price or a vol, what they are on a spot price, currencies a rate, and all of it an instant with its
    zone. Which of these a rulebook asks for is its own affair: Reg T needs no rate.

    >>> from margincore.importers import read_positions
    >>> print(quotes_template(read_positions("symbol,quantity\\nSPXW261218P04500000,-2\\n")), end="")
    symbol,price,vol,spot,rate,dividend_yield,fx,valuation
    valuation,-,-,-,-,-,-,
    SPXW261218P04500000,,,-,-,-,-,-
    SPX,-,-,,-,,-,-
    USD,-,-,-,,-,-,-
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow(_line("valuation", "valuation"))
    contracts = {p.contract.id: p.contract for p in file.positions} | {c.id: c for c in file.written_on}
    spots = {*file.underlyings()}
    for name in file.missing():
        contract = contracts.get(name)
        if contract is not None and contract.kind in ("option", "future", "perpetual"):
            writer.writerow(_line(name, "price", *(["vol"] if contract.kind == "option" else [])))
        elif name in spots:
            writer.writerow(_line(name, "spot", "dividend_yield"))
    currencies = list(dict.fromkeys(contract.currency for contract in contracts.values()))
    for currency in currencies:
        writer.writerow(_line(currency, "rate"))
    # Any rulebook's currency is reached through one of them.
    money = list(dict.fromkeys([*currencies, *file.cash]))
    base = "USD" if "USD" in money else money[0] if money else ""
    for currency in money:
        if currency != base and not {currency + base, base + currency} & {*file.fx}:
            writer.writerow(_line(currency + base, "fx"))
    return out.getvalue()


def _line(symbol: str, *empty: str) -> list[str]:
    """A row that asks for some columns."""
    return [symbol, *("" if column in empty else "-" for column in COLUMNS[1:])]
