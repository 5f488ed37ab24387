"""What a positions file holds, and what was refused in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    MarginError,
    Market,
    MissingData,
    ParseError,
    Position,
    did_you_mean,
)
from margincore._pickles import Record

SHOWN = 20
"""So many refusals stand in a message; the rest are counted."""


@dataclass(frozen=True)
class Refusal(Record):
    """A row that is no position and no cash: where it stands, what it says, why, and what would mend it.

    `place` is ``file:line``, or the place in a JSON document; `mend` an option of the command line such as
    ``--equity AAPL``, empty where there is none.
    """

    place: str
    text: str
    reason: str
    code: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"

    def to_dict(self) -> dict[str, str]:
        """The refusal as a document."""
        return {
            "place": self.place, "text": self.text, "reason": self.reason, "code": self.code, "mend": self.mend,
        }  # fmt: skip


def refused(file: str, refusals: tuple[Refusal, ...], errors: list[MarginError], rows: int) -> MarginError:
    """One error for all the refused rows of a file."""
    if len(errors) == 1:
        [error] = errors
        error.refusals = refusals
        return error
    kind = ParseError if all(isinstance(error, ParseError) for error in errors) else InvalidInput
    lines = [f"{file}: {len(refusals)} of {rows} rows refused:", *(f"  {each}" for each in refusals[:SHOWN])]
    if len(refusals) > SHOWN:
        lines.append(f"  and {len(refusals) - SHOWN} more")
    mends = list(dict.fromkeys(each.mend for each in refusals if each.mend))
    if mends:
        lines.append(f"what would mend it: {' '.join(mends[: 4 * SHOWN])}")
    codes = {error.code for error in errors}
    made = kind("\n".join(lines), code=codes.pop() if len(codes) == 1 else None, where=file)
    made.refusals = refusals
    return made


@dataclass(frozen=True)
class PositionsFile(Record):
    """What a file of positions holds.

    - `positions` with their contracts, quantities in contracts; `cash` by currency.
    - `marks` by contract id, in the contract's quote; `spots` by symbol; `vols` by contract id, annual fractions; `fx`
      by pair (``"EURUSD"``): what the file itself quotes. A price of 0 or NaN is none.
    - `format`: the name of the format; `file`: what messages call it; `account_id`: the account that was chosen, and
      `accounts` all that the file names; `as_of`: the day it says, `None` where it says none.
    - `left_out`: the rows that ``lenient=True`` left out; `notes`: what is in the file and no holding, such as
      sections of trades, lots beside their sum, footers.
    - `written_on`: the futures that options held are on, for ``contracts=`` of a rulebook.
    """

    positions: tuple[Position, ...]
    cash: Mapping[str, float]
    marks: Mapping[str, float] = field(default_factory=dict)
    spots: Mapping[str, float] = field(default_factory=dict)
    vols: Mapping[str, float] = field(default_factory=dict)
    fx: Mapping[str, float] = field(default_factory=dict)
    format: str = ""
    file: str = ""
    account_id: str | None = None
    accounts: tuple[str, ...] = ()
    as_of: dt.date | None = None
    left_out: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    written_on: tuple[Contract, ...] = ()

    def __repr__(self) -> str:
        out = f", {len(self.left_out)} rows left out" if self.left_out else ""
        return f"PositionsFile({self.format}: {len(self.positions)} positions{out})"

    def account(self, kind: str | None = None, *, gross: bool = False) -> Account:
        """The account: `kind` is the rulebook's own word for it, `gross` keeps long and short apart."""
        return Account(self.positions, cash=dict(self.cash) or None, kind=kind, gross=gross)

    def missing(self, quotes: Any = None) -> tuple[str, ...]:
        """The symbols without a quote: options and futures without a mark or vol, then shares, coins and what options
        are on without a spot price. `quotes` are those of :func:`margincore.importers.read_quotes`.
        """
        marks = {**self.marks, **self.vols}
        spots = {*self.spots}
        if quotes is not None:
            marks |= {**quotes.price, **quotes.vol}
            spots |= {*quotes.spot}
        return (*self._unmarked(marks), *(name for name in self.underlyings() if name not in spots))

    def _unmarked(self, marks: Mapping[str, float]) -> tuple[str, ...]:
        derivatives = ("option", "future", "perpetual")
        held = (*(p.contract for p in self.positions if p.contract.kind in derivatives), *self.written_on)
        return tuple(dict.fromkeys(contract.id for contract in held if contract.id not in marks))

    def underlyings(self) -> tuple[str, ...]:
        """The symbols that need a spot price: shares and coins held, and what options and venues' contracts are on;
        what is written on a future has its price.
        """
        names: dict[str, None] = {}
        futures = {p.contract.id for p in self.positions if p.contract.kind == "future"}
        futures |= {contract.id for contract in self.written_on}
        for position in self.positions:
            contract = position.contract
            dated_future = contract.kind == "future" and contract.venue is None
            if not dated_future and contract.underlying not in futures:
                names[contract.underlying] = None
        return tuple(names)

    def remarks(self, valuation: str, quotes: Any = None) -> tuple[str, ...]:
        """What is suspicious of the file beside its quotes and a valuation, and cannot be refused.

        Quotes of what it does not hold, and prices of another day than they are valued at.

        >>> from margincore.importers import read_positions, read_quotes
        >>> file = read_positions("symbol,quantity\\nSPY,100\\n")
        >>> file.remarks("2026-11-25T16:00:00-05:00", read_quotes("symbol,spot\\nSPYY,671\\n"))
        ('a quote of SPYY, which the file does not hold; did you mean SPY?',)
        """
        found = []
        if quotes is not None:
            derivatives = {contract.id for contract in (*(p.contract for p in self.positions), *self.written_on)}
            held = derivatives | {*self.underlyings()}
            for name in dict.fromkeys((*quotes.price, *quotes.vol, *quotes.spot)):
                if name not in held:
                    hint = did_you_mean(name, sorted(held)).replace("'", "")
                    found.append(f"a quote of {name}, which the file does not hold{hint}")
        if self.as_of is not None and self.as_of.isoformat() != valuation[:10]:
            found.append(f"the file is of {self.as_of}, and valued on {valuation[:10]}")
        return tuple(found)

    def market(
        self,
        valuation: str | dt.datetime | None = None,
        *,
        quotes: Any = None,
        rate: float | Mapping[str, float] | None = None,
        close: str | None = None,
    ) -> Market:
        """The market of the file's own quotes and of `quotes` (:func:`margincore.importers.read_quotes`): they lead.

        `valuation` is an instant with its zone; without one, that of `quotes`, or the day of the file at `close`, a
        time and zone such as ``"16:00 America/New_York"``. `rate` is the annual rate of every currency held
        (of dollars, for what venues of coins list), or by currency. Raises :class:`margincore.MissingData` where
        nothing says when.
        """
        return Market(**self.market_document(valuation, quotes=quotes, rate=rate, close=close))

    def market_document(
        self,
        valuation: str | dt.datetime | None = None,
        *,
        quotes: Any = None,
        rate: float | Mapping[str, float] | None = None,
        close: str | None = None,
    ) -> dict[str, Any]:
        """The arguments of :meth:`market` as the market of a document."""
        parts: dict[str, dict[str, Any]] = {
            "spot": dict(self.spots), "price": dict(self.marks), "vol": dict(self.vols), "fx": dict(self.fx),
        }  # fmt: skip
        if quotes is not None:
            for name in ("spot", "price", "vol", "fx"):
                parts[name] |= getattr(quotes, name)
            parts["dividend_yield"] = dict(quotes.dividend_yield)
            parts["rate"] = dict(quotes.rate)
            valuation = valuation or quotes.valuation
        if rate is not None:
            held = [p.contract for p in self.positions]
            currencies = {"USD" if c.venue is not None else c.currency for c in held} | {*self.cash}
            given = dict(rate) if isinstance(rate, Mapping) else dict.fromkeys(sorted(currencies), rate)
            parts["rate"] = {**parts.get("rate", {}), **given}
        when = valuation if valuation is not None else self._closing(close)
        return {"valuation": when, **{name: part for name, part in parts.items() if part}}

    def _closing(self, close: str | None) -> str:
        from zoneinfo import ZoneInfo

        if close is None:
            day = (
                "" if self.as_of is None else f" (the file is of {self.as_of}: close='16:00 America/New_York' takes it)"
            )
            raise MissingData(
                f"{self.file}: valuation: which instant are its prices of? Give one with its zone, "
                f"2026-11-25T16:00:00-05:00 (--valuation, or a market: --market){day}",
                code="not_stated",
                where="valuation",
            )
        if self.as_of is None:
            raise MissingData(
                f"{self.file}: close is given, and the file says no day: give valuation", code="not_stated"
            )
        try:
            clock, zone = close.split()
            moment = dt.datetime.combine(self.as_of, dt.time.fromisoformat(clock), ZoneInfo(zone))
        except (ValueError, KeyError, OSError):
            raise InvalidInput(
                f"close {close!r}: a time and a zone are needed, such as 16:00 America/New_York", code="bad_time"
            ) from None
        return moment.isoformat()
