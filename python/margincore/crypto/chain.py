"""Option chains as contracts and market."""

from __future__ import annotations

import csv
import gzip
import math
import os
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from margincore import _core
from margincore.crypto.names import contract, parse

__all__ = ["Chain", "deribit_chain", "model_marks"]


@dataclass(frozen=True)
class Chain:
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


def _rows(path: Path) -> Iterable[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def deribit_chain(
    path: str | os.PathLike[str], *, currency: str, valuation: str, snapshot: str | None = None, lot: float = 0.1
) -> Chain:
    """A chain of Deribit's inverse options from a CSV file with the columns snapshot, ccy, instrument, T_years, strike,
    forward, index, mark_iv_pct, mark_price_coin.

    `valuation` is the instant of the quotes, with its zone: the file's own column holds a date. `snapshot` picks rows
    whose snapshot starts with it. A row without a vol keeps its quote only: its vol is implied.
    Raises :class:`margincore.ParseError` with file and row, :class:`margincore.MissingData` where no row is left.
    """
    file = Path(path)
    held: list[_core.Contract] = []
    vol: dict[str, float] = {}
    price: dict[str, float] = {}
    quotes: dict[str, float] = {}
    forwards: dict[str, float] = {}
    by_expiry: dict[str, list[float]] = {}
    index, when = math.nan, ""
    for number, row in enumerate(_rows(file), start=2):
        if row["ccy"] != currency or not row["snapshot"].startswith(snapshot or ""):
            continue
        name = row["instrument"]
        try:
            made = contract("deribit", name, lot=lot)
            forward, quote = float(row["forward"]), float(row["mark_price_coin"])
            index = float(row["index"])
            iv = float(row["mark_iv_pct"]) / 100.0 if row["mark_iv_pct"] else None
        except (ValueError, KeyError, _core.MarginError) as error:
            raise _core.ParseError(f"{file.name}, line {number}: {error}") from None
        if when and when != row["snapshot"]:
            raise _core.InvalidInput(
                f"{file.name}, line {number}: rows of {when} and {row['snapshot']}: choose a snapshot"
            )
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
        raise _core.MissingData(f"{file.name}: no row of {currency} at {snapshot or 'any time'}")
    market = _core.Market(
        valuation,
        spot={currency: index},
        forward={(currency, expiry): statistics.median(rows) for expiry, rows in by_expiry.items()},
        vol=vol,
        price=price,
    )
    return Chain(_core.Contracts(held), market, quotes, forwards)


def model_marks(chain: Chain) -> dict[str, float]:
    """Every instrument's mark in coin as the engine values it, by name."""
    from margincore.methods import Deribit

    prepared = Deribit().prepare(chain.contracts, chain.market)
    names = list(chain.quotes)
    return {
        name: prepared.margin([_core.Position(c, 1.0)]).net_option_value
        for name, c in zip(names, chain.contracts, strict=True)
    }
