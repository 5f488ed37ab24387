"""Short calls that may be assigned before an ex-dividend date: those whose time value is below the dividend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from margincore._core import Contract, InvalidInput, Market, MissingData, did_you_mean
from margincore._pickles import Record
from margincore.analysis.events.account import Holder
from margincore.analysis.events.delivery import date
from margincore.analysis.events.what_if import positive
from margincore.analysis.repricing import Repricer
from margincore.calendars import day_of
from margincore.engine import beside, holder, snapshot

__all__ = ["EarlyAssignment", "early_assignment"]


@dataclass(frozen=True, slots=True)
class EarlyAssignment(Record):
    """A short call whose holder gains by exercising on the eve of `ex_date`. Amounts are per unit of the underlying.

    `quantity` is what is short, in contracts. `value` is the option's mark, or its model value where it has none
    (`source`); `time_value` is that less the `intrinsic` value, and lies below the `dividend`.
    """

    option: Contract
    quantity: float
    ex_date: str
    dividend: float
    value: float
    intrinsic: float
    source: Literal["mark", "model"]

    @property
    def time_value(self) -> float:
        """What exercising throws away."""
        return self.value - self.intrinsic

    @property
    def gain(self) -> float:
        """What the holder gains by exercising, per unit: the dividend less the time value."""
        return self.dividend - self.time_value

    def to_dict(self) -> dict[str, Any]:
        """The row as a document of plain values."""
        return {
            "option": self.option.id,
            "quantity": self.quantity,
            "ex_date": self.ex_date,
            "dividend": self.dividend,
            "value": self.value,
            "intrinsic": self.intrinsic,
            "time_value": self.time_value,
            "gain": self.gain,
            "source": self.source,
        }


def early_assignment(
    account: Holder,
    market: Market,
    *,
    dividends: Mapping[str, tuple[str | dt.date, float]] | None = None,
    contracts: Iterable[Contract] = (),
) -> tuple[EarlyAssignment, ...]:
    """The short American calls in the money whose time value is below the next dividend before they expire.

    Dividends are the market's, or `dividends`: ``{symbol: (ex-date, amount per unit)}``. The value of a call is its
    mark, or else that of the model at its vol with the market's dividends. `contracts` are futures that options are
    written on: those pay no dividend. The largest gain of the holder comes first. Raises :class:`MissingData` for a
    call with neither mark nor vol, and for one without a spot price.

    >>> import margincore as mc
    >>> call = mc.Option("XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
    ...                  currency="USD")
    >>> market = mc.Market("2026-12-09T16:00:00-05:00", spot={"XYZ": 60.0}, price={call.id: 10.2},
    ...                    dividends={"XYZ": [("2026-12-10", 0.75)]})
    >>> [named] = mc.events.early_assignment([mc.Position(call, -3)], market)
    >>> named.quantity, round(named.time_value, 2), named.dividend, round(named.gain, 2)
    (-3.0, 0.2, 0.75, 0.55)
    """
    quotes = snapshot(market)
    if quotes is None or quotes.contracts is not None:
        raise InvalidInput("early_assignment: a market is needed, its prices and vols as mappings by contract id")
    parts = quotes.to_dict()
    today = dt.datetime.fromisoformat(parts["valuation"]).date()
    held: dict[str, tuple[Contract, float]] = {}
    for p in holder(account).positions:
        _, before = held.get(p.contract.id, (p.contract, 0.0))
        held[p.contract.id] = (p.contract, before + p.quantity)
    table = {c.id: c for c in (*beside(contracts), *(c for c, _ in held.values()))}
    known = {option.underlying for option, _ in held.values()}
    given = {symbol: _dividend(symbol, stated, known) for symbol, stated in (dividends or {}).items()}
    named = []
    for option, quantity in held.values():
        on = table.get(option.underlying)
        if quantity >= 0.0 or option.right != "call" or option.exercise != "american" or option.deliverable == "cash":
            continue
        if on is not None and on.kind in ("future", "index"):
            continue
        coming = given.get(option.underlying) or _next(parts, option.underlying, today)
        if coming is None or not today < dt.date.fromisoformat(coming[0]) <= date(option):
            continue
        spot = parts.get("spot", {}).get(option.underlying)
        if spot is None:
            raise MissingData(
                f"early_assignment: no spot price for '{option.underlying}'", code="missing_spot", where=option.id
            )
        intrinsic = spot - float(option.strike or 0.0)
        if intrinsic <= 0.0:
            continue
        value, source = _value(parts, table, option)
        found = EarlyAssignment(option, quantity, coming[0], coming[1], value, intrinsic, source)
        if found.gain > 0.0:
            named.append(found)
    return tuple(sorted(named, key=lambda row: -row.gain))


def _next(parts: Mapping[str, Any], symbol: str, today: dt.date) -> tuple[str, float] | None:
    """The symbol's next dividend in the market."""
    coming = [(d["date"], float(d["amount"])) for d in parts.get("dividends", {}).get(symbol, ())]
    return min((d for d in coming if dt.date.fromisoformat(d[0]) > today), default=None)


def _value(
    parts: Mapping[str, Any], table: Mapping[str, Contract], option: Contract
) -> tuple[float, Literal["mark", "model"]]:
    mark, vol = (parts.get(what, {}).get(option.id) for what in ("price", "vol"))
    if mark is not None:
        return float(mark), "mark"
    if vol is None:
        raise MissingData(
            f"early_assignment: '{option.id}' has neither a mark nor a vol: add one to market.price or market.vol",
            code="missing_price",
            where=option.id,
        )
    return Repricer(table.values()).marks(parts, {option.id: vol})[option.id], "model"


def _dividend(symbol: str, stated: Any, known: set[str]) -> tuple[str, float]:
    """A dividend that is stated for a symbol of the account, as ``(ex-date, amount per unit)``."""
    if symbol not in known:
        raise InvalidInput(
            f"early_assignment: dividends: no option of the account is on '{symbol}'"
            + did_you_mean(str(symbol), sorted(known)),
            code="unknown_name",
            where="dividends",
            value=symbol,
        )
    if not (isinstance(stated, tuple) and len(stated) == 2):
        raise InvalidInput(
            f"early_assignment: dividends of '{symbol}': (ex-date, amount per unit) is needed, not {stated!r}",
            code="wrong_type",
            where="dividends",
        )
    return day_of(stated[0], f"dividends of '{symbol}'").isoformat(), positive(stated[1], f"dividends of '{symbol}'")
