"""A day's fills of many accounts as columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore import _core
from margincore._core import Accounts, InvalidInput, Prepared
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.intraday.rule import Rule, applies
from margincore.analysis.intraday.schedule import of_its_day
from margincore.analysis.intraday.transactions import least_price
from margincore.calendars import day_of
from margincore.engine import thread_count

__all__ = ["Days", "many"]


@dataclass(frozen=True, slots=True)
class Days(Record):
    """One entry per account, amounts in the report's currency.

    `deficit` is the intraday margin deficit, 0 without one; `minor` whether it is one that is minor; `lowest` the
    lowest level right after a fill that lowered it and `equity` the equity then (NaN where none did), `fill` the row of
    that fill (-1); `closing` the level at the close.
    """

    deficit: NDArray[np.float64]
    minor: NDArray[np.bool_]
    lowest: NDArray[np.float64]
    equity: NDArray[np.float64]
    fill: NDArray[np.int64]
    closing: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.deficit)


def many(
    markets: Prepared | Sequence[Prepared],
    accounts: Accounts,
    *,
    cash: ArrayLike,
    account: ArrayLike,
    contract: ArrayLike,
    lots: ArrayLike,
    price: ArrayLike,
    fees: ArrayLike | None = None,
    market: ArrayLike | None = None,
    on: dt.date | str | None = None,
    rule: Rule = "4210(d)(2)",
    threads: int = 1,
) -> Days:
    """The intraday margin deficits of many margin accounts over one day's fills, in the order they happened.

    `accounts` are the positions at the open, `cash` one balance per account in the report's currency. One entry per
    fill: `account` and `contract` (row of the table) from 0, `lots` signed whole lots, `price` in the contract's
    quote, `fees` in its currency, and `market` the entry of `markets` that has its marks (the first where left out).
    The last of `markets` are the marks of the close. The same bits for any number of `threads`. Raises as
    :func:`margincore.intraday.day`.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> prepared = mc.Engine(mc.methods.RegT()).prepare(
    ...     [stock], mc.Market("2026-11-20T09:30:00-05:00", spot={"XYZ": 100.0}))
    >>> accounts = mc.Accounts.from_columns(prepared.contracts, account=[], contract=[], lots=[], count=2)
    >>> days = mc.intraday.many(prepared, accounts, cash=[10_000.0, 50_000.0], account=[0, 1, 0], contract=[0, 0, 0],
    ...                         lots=[300, 300, 200], price=[100.0, 100.0, 100.0])
    >>> days.deficit.tolist(), days.fill.tolist()
    ([2500.0, 0.0], [2, 1])
    """
    listed = [markets] if isinstance(markets, Prepared) else list(markets)
    if not listed:
        raise InvalidInput("intraday: markets: at least one preparation is needed", code="out_of_range")
    if on is None and listed[0].market is not None:
        on = listed[0].market.valuation[:10]
    if on is None:
        raise InvalidInput("intraday: on: the date of the day is needed where there is no market", code="unknown_name")
    taken_on = day_of(on, "on")
    applies(taken_on, rule, phased_in=True)
    of_its_day(listed[0], taken_on)
    rows = np.asarray(account).size
    traded, prices = _whole("contract", contract, np.uint32), _amounts("price", price)
    _prices(listed[0], traded, prices)
    lowest, equity, fill, closing = _core.intraday_many(
        listed,
        accounts,
        _amounts("cash", cash),
        (
            _whole("account", account, np.uint32),
            traded,
            _whole("lots", lots, np.int64),
            _whole("market", [] if market is None else market, np.uint32),
        ),
        (prices, _amounts("fees", np.zeros(rows) if fees is None else fees)),
        thread_count(threads),
    )
    deficit = np.where(lowest < 0.0, -lowest, 0.0)
    minor = (deficit > 0.0) & (deficit <= np.minimum(equity / 20.0, 1_000.0))
    return Days(deficit, minor, lowest, equity, fill, closing)


def _amounts(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = _vector(name, values)
    if array.size and array.dtype.kind not in "iuf":
        raise InvalidInput(f"intraday: {name} is {array.dtype}: numbers are needed", code="wrong_type", where=name)
    for row in np.flatnonzero(~np.isfinite(array))[:1] if array.size else ():
        given.number(f"intraday: {name}[{row}]", array[row].item())
    return np.ascontiguousarray(array, dtype=np.float64)


def _prices(prepared: Prepared, contract: NDArray[Any], price: NDArray[np.float64]) -> None:
    """Refuse a negative price of anything but a future; rows outside the table are the engine's to refuse."""
    for row in np.flatnonzero(price < 0.0):
        if row < contract.size and contract[row] < len(prepared.contracts):
            traded = prepared.contracts[int(contract[row])]
            given.number(f"intraday: price[{row}]", float(price[row]), least=least_price(traded))


def _whole(name: str, values: ArrayLike, kind: type[Any]) -> NDArray[Any]:
    array = _vector(name, values)
    if array.size == 0:
        return np.zeros(0, dtype=kind)
    if array.dtype.kind not in "iu":
        raise InvalidInput(f"intraday: {name} is {array.dtype}: whole numbers are needed", code="wrong_type")
    bounds = np.iinfo(kind)
    if int(array.min()) < bounds.min or int(array.max()) > bounds.max:
        raise InvalidInput(f"intraday: {name} has a number that does not fit {np.dtype(kind)}", code="contradiction")
    return np.ascontiguousarray(array, dtype=kind)


def _vector(name: str, values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise InvalidInput(f"intraday: {name} is of shape {array.shape}: one dimension is needed", code="wrong_shape")
    return array
