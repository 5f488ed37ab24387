"""What a symbol says, whoever spelled it: one frozen record."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from margincore._core import InvalidInput
from margincore._pickles import Record

__all__ = ["Kind", "Right", "Symbol"]

Kind = Literal["option", "future", "future_option", "perpetual", "stock", "index"]
Right = Literal["call", "put"]

_ROOT = re.compile(r"[A-Z0-9][A-Z0-9&./_ -]{0,29}", re.ASCII)
_LARGEST_STRIKE = 1e12


@dataclass(frozen=True)
class Symbol(Record):
    """What a symbol says; what it does not say is `None`. Raises :class:`margincore.InvalidInput` where it contradicts
    itself.

    - `kind`: ``option`` (on a stock, a fund, an index, a coin), ``future``, ``future_option``, ``perpetual``,
      ``index``, or ``stock``: a ticker, which may as well be a fund's.
    - `root`: what it begins with, in the dialect's own words: ``SPXW``, ``ES``, ``NIFTY``, ``TY`` at Bloomberg.
    - `dialect`: whose spelling it is, one of :func:`margincore.symbols.dialects`.
    - `expiry`: the day of expiry, where one is said. `year` and `month`: the contract month, where one is said, which
      need not be the month of expiry.
    - `right` ``call`` or ``put``, and `strike` in units of price, of an option.
    - `exchange`: the exchange, country or venue that the symbol names.
    - `underlying`: the future that an option is on, as ``ESZ26``, where the symbol names it.
    - `settle`: the settlement currency of a crypto venue's contract.
    - `market_sector`: Bloomberg's yellow key: ``Equity``, ``Index``, ``Comdty`` or ``Curncy``.
    - `exercise` ``european`` or ``american``, and `delivery` ``cash`` or ``physical``, where the symbol says so.

    >>> Symbol("future", "ES", "globex", year=2026, month=12)
    Symbol(future ES 2026-12, globex)
    """

    kind: Kind
    root: str
    dialect: str
    expiry: dt.date | None = None
    year: int | None = None
    month: int | None = None
    right: Right | None = None
    strike: float | None = None
    exchange: str | None = None
    underlying: str | None = None
    settle: str | None = None
    exercise: Literal["european", "american"] | None = None
    delivery: Literal["cash", "physical"] | None = None
    market_sector: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise _bad(f"kind {self.kind!r} is not one of {', '.join(get_args(Kind))}", "kind", self.kind)
        if not isinstance(self.root, str) or not _ROOT.fullmatch(self.root):
            raise _bad(f"root {self.root!r} is not made of capitals and digits", "root", self.root)
        if self.expiry is not None and (not isinstance(self.expiry, dt.date) or isinstance(self.expiry, dt.datetime)):
            raise _bad(f"expiry {self.expiry!r} is not a date", "expiry", self.expiry)
        if (self.year is None) != (self.month is None):
            raise _bad("a contract month has a year and a month", "month", self.month)
        if self.month is not None and self.month not in range(1, 13):
            raise _bad(f"month {self.month!r} is not 1 to 12", "month", self.month)
        dated = self.expiry is not None or self.month is not None
        if dated != (self.kind in ("option", "future", "future_option")):
            what = "has no expiry" if dated else "needs an expiry or a contract month"
            raise _bad(f"a {self.kind.replace('_', ' ')} {what}", "expiry", None)
        is_option = self.kind in ("option", "future_option")
        if is_option and self.right not in get_args(Right):
            raise _bad(f"right {self.right!r} is not call or put", "right", self.right)
        if is_option and not (
            isinstance(self.strike, int | float) and math.isfinite(self.strike) and 0 < self.strike < _LARGEST_STRIKE
        ):
            raise _bad(f"strike {self.strike!r} is not a positive price", "strike", self.strike)
        if not is_option and (self.right is not None or self.strike is not None):
            raise _bad(f"a {self.kind} has neither right nor strike", "strike", self.strike)

    def __repr__(self) -> str:
        return f"Symbol({self.said()}, {self.dialect})"

    def said(self) -> str:
        """What it says, in a line.

        >>> Symbol("option", "AAPL", "osi", dt.date(2026, 12, 18), right="call", strike=290.0).said()
        'option AAPL 2026-12-18 call 290'
        """
        words = [self.kind.replace("_", " "), self.root]
        if self.month is not None:
            words.append(f"{self.year}-{self.month:02}")
        if self.expiry is not None:
            words.append(self.expiry.isoformat())
        if self.right is not None and self.strike is not None:
            words += [self.right, f"{self.strike:.15g}"]
        if self.underlying is not None:
            words.append(f"on {self.underlying}")
        if self.exchange is not None:
            words.append(f"at {self.exchange}")
        if self.settle is not None:
            words.append(f"settled in {self.settle}")
        words += [word for word in (self.exercise, self.delivery, self.market_sector) if word is not None]
        return " ".join(words)

    @property
    def last_day(self) -> dt.date | None:
        """The last day it can be alive: its expiry, else the last day of its month; `None` for what does not expire.

        >>> Symbol("future", "ES", "globex", year=2026, month=12).last_day
        datetime.date(2026, 12, 31)
        """
        if self.expiry is not None or self.year is None or self.month is None:
            return self.expiry
        return dt.date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])


def _bad(message: str, where: str, value: object) -> InvalidInput:
    code = "not_stated" if value is None else "bad_text"
    return InvalidInput(f"symbol: {message}", where=where, value=value, code=code)
