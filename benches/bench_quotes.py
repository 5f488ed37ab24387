"""Quotes to market on real option chains: how many rows invert, how fast, and that repricing returns the mids.

The chains (Cboe delayed quotes and one end-of-day file with both rights on a line) are read from ``MARGINCORE_DATA``
(default ``../shared/data`` beside the project), ``chains/*.csv.gz``; they are not part of the project.
``python -m benches.bench_quotes`` prints a row per chain and, below, why rows were left out.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import gzip
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benches.measure import OURS, Bench, Case, Unavailable, compare, readable
from margincore import pricing, quotes
from margincore.importers import read_cboe_quotes

Floats = NDArray[np.float64]
YEAR = 365.0 * 86_400.0
AMERICAN = ("spy",)


@dataclass(frozen=True)
class Quoted:
    """One chain's quotes as :func:`margincore.pricing.quotes.imply` takes them."""

    name: str
    spot: float
    strike: Floats
    years: Floats
    right: NDArray[np.int8]
    bid: Floats
    ask: Floats
    refused: int
    """Quotes the importer itself left out."""

    @property
    def rate(self) -> float:
        """What cash yielded then, roughly: parity of American quotes does not say."""
        day = next(part for part in self.name.split("_") if part.isdigit())
        return {"202202": 0.002, "202212": 0.043, "202309": 0.053}[day[:6]]

    @property
    def american(self) -> bool:
        return any(part in AMERICAN for part in self.name.split("_"))

    def imply(self) -> quotes.ImpliedQuotes:
        return quotes.imply(
            self.spot, self.strike, self.years, self.right, self.bid, self.ask,
            rate=self.rate if self.american else None, exercise="american" if self.american else "european",
        )  # fmt: skip

    def reprice(self, found: quotes.ImpliedQuotes) -> Floats:
        """The largest distance of a kept row's price at its vol from its mid, over the spot."""
        k = found.kept
        again = pricing.price(
            self.spot, self.strike[k], self.years[k], found.rate[k], found.dividend_yield[k], found.vol[k],
            self.right[k], "american" if self.american else "european",
        )  # fmt: skip
        return np.abs(again - found.mid[k]) / self.spot


def folder() -> Path:
    data = os.environ.get("MARGINCORE_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(data) / "chains"


def _cboe(path: Path) -> Quoted:
    file = read_cboe_quotes(path)
    rows = [
        (q.symbol.strike, _years(q.symbol.expiry, file.valuation), q.symbol.right, q.bid, q.ask) for q in file.quotes
    ]
    strike, years, right, bid, ask = (np.array(c) for c in zip(*rows, strict=True))
    name = path.name.removesuffix(".csv.gz")
    sign = np.where(right == "call", 1, -1).astype(np.int8)
    return Quoted(name, file.spot, strike, years, sign, bid, ask, len(file.dropped))


def _years(expiry: str, valuation: dt.datetime) -> float:
    """To sixteen hours in New York; daylight saving is left aside, an hour of error."""
    day = dt.date.fromisoformat(expiry)
    closes = dt.datetime(day.year, day.month, day.day, 16, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    return (closes - valuation).total_seconds() / YEAR


def _both_rights(path: Path) -> Quoted:
    """The end-of-day file: bid and ask of call and put around the strike."""
    with gzip.open(path, "rt", newline="") as lines:
        table = [{k.strip(" []"): v.strip() for k, v in row.items()} for row in csv.DictReader(lines)]

    def column(name: str) -> Floats:
        return np.array([float(row[name]) if row[name] else np.nan for row in table])

    years = (column("EXPIRE_UNIX") - column("QUOTE_UNIXTIME")) / YEAR
    right = np.repeat(np.array([1, -1], np.int8), len(table))
    bid, ask = (np.concatenate([column(f"C_{side}"), column(f"P_{side}")]) for side in ("BID", "ASK"))
    name = path.name.removesuffix(".csv.gz")
    spot = float(table[0]["UNDERLYING_LAST"])
    return Quoted(name, spot, np.tile(column("STRIKE"), 2), np.tile(years, 2), right, bid, ask, 0)


def chains() -> Iterator[Quoted]:
    """Every chain found."""
    yield from map(read, sorted(folder().glob("*.csv.gz")))


def read(path: Path) -> Quoted:
    """The chain of one file."""
    return _cboe(path) if path.name.startswith("cboe_") else _both_rights(path)


def one_chain(path: Path) -> Iterator[Case]:
    """Nanoseconds per quote, forwards and vols together."""
    chain = read(path)
    found = chain.imply()
    if not chain.american and not chain.reprice(found).max() < 1e-14:
        raise AssertionError(f"{chain.name}: vols do not give the mids back")
    yield Case({OURS: chain.imply}, n=len(chain.strike))


def no_chain() -> Iterator[Case]:
    """Stands in the table where none is there."""
    raise Unavailable(f"none in {folder()}")
    yield


BENCHES = tuple(
    Bench(f"quotes to vols, {path.name.removesuffix('.csv.gz')}", functools.partial(one_chain, path))
    for path in sorted(folder().glob("*.csv.gz"))
) or (Bench("quotes to vols, real chains", no_chain),)


def main() -> None:
    print("| chain | rows | with a vol | per row | expiries | largest |price - mid| / spot |")
    print("|---|---:|---:|---:|---:|---:|")
    dropped: Counter[str] = Counter()
    total = kept = 0
    for chain in chains():
        implied = chain.imply()
        (timed,) = compare(chain.name, {OURS: chain.imply}, n=len(chain.strike))
        rows_in = len(chain.strike) + chain.refused
        worst = float(chain.reprice(implied).max())
        stay = int(implied.kept.sum())
        time = readable(timed.ours_ns or 0.0)
        print(f"| {chain.name} | {rows_in:,} | {stay:,} | {time} | {len(implied.terms)} | {worst:.1e} |")
        for reason, count in implied.report().items():
            if reason not in ("kept", "of these, vol borrowed"):
                dropped[reason] += count
        dropped["refused by the importer"] += chain.refused
        total, kept = total + rows_in, kept + stay
    print(f"\n{kept:,} of {total:,} rows have a vol; left out:")
    for reason, count in dropped.most_common():
        print(f"  {count:6,}  {reason}")


if __name__ == "__main__":
    main()
