"""Recorded chains of Deribit's options as contracts and a market."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from margincore import _core
from margincore._pickles import Record
from margincore.crypto.names import contract, parse
from margincore.importers.text import at_line, records
from margincore.methods import Deribit
from margincore.numerals import number

__all__ = ["DeribitChain", "deribit_chain", "model_marks"]


@dataclass(frozen=True)
class DeribitChain(Record):
    """One snapshot: the table of contracts, the market, and the exchange's marks in coin by instrument."""

    contracts: _core.Contracts
    market: _core.Market
    quotes: Mapping[str, float]
    forwards: Mapping[str, float]

    def parity_errors(self) -> dict[str, float]:
        """Call less put less (1 - K / F), in coin, by the call's name, where both are quoted.

        Inverse options of one strike and expiry must satisfy call - put = 1 - K / F with the expiry's own forward.
        """
        errors = {}
        for name, call in self.quotes.items():
            put = self.quotes.get(f"{name[:-1]}P")
            if name.endswith("-C") and put is not None:
                strike = parse("deribit", name).strike
                assert strike is not None
                errors[name] = call - put - (1.0 - strike / self.forwards[name])
        return errors


_COLUMNS = ("snapshot", "ccy", "instrument", "forward", "mark_iv_pct", "mark_price_coin")


def deribit_chain(
    path: str | os.PathLike[str],
    *,
    currency: str,
    valuation: str,
    snapshot: str | None = None,
    spot: float | None = None,
    lot: float = 0.1,
) -> DeribitChain:
    """A chain of Deribit's inverse options from a CSV file (plain or ``.gz``) with the columns snapshot, ccy,
    instrument, forward, mark_iv_pct, mark_price_coin and, without `spot`, index.

    `valuation` is the instant of the quotes, with its zone: the file's own column holds a date. `snapshot` picks rows
    whose snapshot starts with it. A row without a vol keeps its quote only: its vol is implied. An expiry's forward is
    the median of its rows'.

    The spot price is the one ``index`` of all rows. Some recordings put each option's own underlying price there,
    which is the forward of its expiry, or nothing: such a file has no spot price, and `spot` must state it.

    Raises :class:`margincore.ParseError` or :class:`margincore.InvalidInput` with file and line,
    :class:`margincore.MissingData` where no row or no spot price is left.
    """
    if spot is not None and not (spot > 0.0 and math.isfinite(spot)):
        raise _core.InvalidInput(f"spot is {spot}: a positive price is needed", code="out_of_range")
    file = Path(path)
    held: list[_core.Contract] = []
    vol: dict[str, float] = {}
    price: dict[str, float] = {}
    quotes: dict[str, float] = {}
    forwards: dict[str, float] = {}
    by_expiry: dict[str, list[float]] = {}
    index: tuple[int, float] | None = None
    when = ""
    for line, row in records(file, _COLUMNS if spot is not None else (*_COLUMNS, "index")):
        if row["ccy"] != currency or not row["snapshot"].startswith(snapshot or ""):
            continue
        name = row["instrument"]
        try:
            made = contract("deribit", name, lot=lot)
            if made.kind != "option":
                raise _core.InvalidInput(f"{name!r} is no option")
            forward, quote = number(row["forward"], "forward"), number(row["mark_price_coin"], "mark_price_coin")
            if not forward > 0.0:
                raise _core.InvalidInput(f"forward is {forward}: a positive price is needed", code="out_of_range")
            iv = number(row["mark_iv_pct"], "mark_iv_pct") / 100.0 if row["mark_iv_pct"] else None
            if spot is None:
                index = _same_index(line, row["index"], index)
            if when and when != row["snapshot"]:
                raise _core.InvalidInput(f"rows of {when} and {row['snapshot']}: choose a snapshot")
        except _core.MarginError as error:
            raise at_line(file, line, error) from None
        when = row["snapshot"]
        held.append(made)
        quotes[name] = quote
        forwards[name] = forward
        if iv is None:
            price[name] = quote
        else:
            vol[name] = iv
        expiry = made.expiry
        assert expiry is not None
        by_expiry.setdefault(expiry, []).append(forward)
    if not held:
        raise _core.MissingData(f"{file}: no row of {currency} at {snapshot or 'any time'}", code="missing_parameter")
    paid = spot if index is None else index[1]
    assert paid is not None  # without a spot stated every row has the index
    market = _core.Market(
        valuation,
        spot={currency: paid},
        forward={(currency, expiry): statistics.median(rows) for expiry, rows in by_expiry.items()},
        vol=vol,
        price=price,
    )
    return DeribitChain(_core.Contracts(held), market, quotes, forwards)


def _same_index(line: int, cell: str, known: tuple[int, float] | None) -> tuple[int, float]:
    """The line and value of the first index; a row that has none or another one is refused."""
    if not cell:
        raise _core.MissingData("index is empty: state the spot price with spot=", code="not_stated")
    value = number(cell, "index")
    if known is not None and value != known[1]:
        raise _core.InvalidInput(
            f"index {value} differs from {known[1]} on line {known[0]}: rows of one snapshot have one index price; "
            "where the column holds forwards, state the spot price with spot=",
            code="not_stated",
        )
    return known or (line, value)


def model_marks(chain: DeribitChain) -> dict[str, float]:
    """Every instrument's mark in coin as the engine values it, by name."""
    prepared = Deribit().prepare(chain.contracts, chain.market)
    names = list(chain.quotes)
    return {
        name: prepared.margin([_core.Position(c, 1.0)]).net_option_value
        for name, c in zip(names, chain.contracts, strict=True)
    }
