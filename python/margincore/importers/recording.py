"""Recorded markets: a CSV file of Deribit option snapshots with mark volatility and delta, plain or gzipped.

The columns are ``date``, ``instrument_name``, ``expiry_date``, ``strike``, ``type``, ``delta`` and ``mark_iv``; others
are left alone. There are no prices in it: forwards are reconstructed from delta and volatility.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from margincore._core import InvalidInput, MarginError, MissingData
from margincore._pickles import Record
from margincore.importers.text import at_line, records
from margincore.numerals import number

__all__ = ["Snapshot", "read_recording"]

COLUMNS = ("date", "instrument_name", "expiry_date", "strike", "type", "delta", "mark_iv")
YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Snapshot(Record):
    """One moment of a recording: forwards by expiry (reconstructed) and mark volatility by instrument."""

    time: dt.datetime
    forward: Mapping[str, float]
    vol: Mapping[str, float]

    @property
    def spot(self) -> float:
        """The nearest expiry's reconstructed forward."""
        return self.forward[min(self.forward)]


def read_recording(path: str | os.PathLike[str]) -> list[Snapshot]:
    """The snapshots of a recording in order of time.

    The forward of an expiry is the median over its calls with delta between 0.2 and 0.8 of
    ``K exp(N^-1(delta) vol sqrt(t) - vol^2 t / 2)``: the Black-76 delta turned around. Raises
    :class:`margincore.ParseError` or :class:`margincore.InvalidInput` with file and line,
    :class:`margincore.MissingData` where there is no row or a moment has no such call.
    """
    normal = statistics.NormalDist()
    forwards: dict[dt.datetime, dict[str, list[float]]] = {}
    vols: dict[dt.datetime, dict[str, float]] = {}
    file = Path(path)
    for line, row in records(file, COLUMNS):
        try:
            moment, expiry = _instant(row["date"], "date"), _instant(row["expiry_date"], "expiry_date").replace(hour=8)
            strike, delta = number(row["strike"], "strike"), number(row["delta"], "delta")
            vol = number(row["mark_iv"], "mark_iv") / 100
        except MarginError as error:
            raise at_line(file, line, error) from None
        years = (expiry - moment).total_seconds() / YEAR
        if years <= 0 or not vol > 0:
            continue
        vols.setdefault(moment, {})[row["instrument_name"]] = vol
        if row["type"] == "call" and 0.2 < delta < 0.8:
            d1 = normal.inv_cdf(delta)
            level = strike * math.exp(d1 * vol * math.sqrt(years) - vol * vol * years / 2)
            forwards.setdefault(moment, {}).setdefault(expiry.isoformat(), []).append(level)
    if not vols:
        raise MissingData(f"{file}: no row of an option with a vol that has not expired", code="missing_vol")
    snapshots = []
    for moment in sorted(vols):
        if moment not in forwards:
            raise MissingData(
                f"{file}: {moment.isoformat()}: no call with a delta between 0.2 and 0.8", code="missing_parameter"
            )
        own = {expiry: statistics.median(levels) for expiry, levels in forwards[moment].items()}
        snapshots.append(Snapshot(moment, own, vols[moment]))
    return snapshots


def _instant(text: str, what: str) -> dt.datetime:
    """A date or time, in UTC where it states no zone of its own."""
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):  # OverflowError: year 1 east of Greenwich
        raise InvalidInput(
            f"{what} {text!r} is not a date or time such as 2026-01-23T01:00:00", code="bad_time"
        ) from None
