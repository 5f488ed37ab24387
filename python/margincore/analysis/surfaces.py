"""Profit, and requirement margined again, over moves of the price and of volatility, or of the price and time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from margincore._core import Account, MarginError, NotApplicable, Position, Prepared
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.mover import Mover
from margincore.analysis.profiles import TOGETHER, instant_of, reach, underlying_of
from margincore.analysis.worth import Worth
from margincore.engine import holder, ready

__all__ = ["Surface", "profit_surface", "requirement_curve", "requirement_surface", "resolution_of"]

Against = Literal["vol", "time"]
Quantity = Literal["initial", "maintenance"]

#: Volatilities from half to half as much again.
_VOLS = 0.5


@dataclass(frozen=True, slots=True)
class Surface(Record):
    """Numbers over two moves. ``values[j, i]`` is at ``moves[i]`` and ``steps[j]``, in `currency`.

    - `of`: ``"profit"``, ``"initial"`` or ``"maintenance"``; `rulebook` names whose requirement it is.
    - `symbol`: the underlying that moves, or ``"*"`` for all by the same fraction. `moves` are fractions of its price.
    - `against`: ``"vol"``, steps are changes of every volatility as fractions of it; ``"time"``, steps are days.
    - `refused`: why there is no number at some places, which are NaN, each reason once.
    """

    of: str
    symbol: str
    against: str
    rulebook: str
    currency: str
    moves: NDArray[np.float64]
    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    refused: tuple[str, ...] = ()

    @property
    def today(self) -> tuple[int, int]:
        """Row and column of today's market in `values`."""
        return (len(self.steps) // 2 if self.against == "vol" else 0), len(self.moves) // 2


def resolution_of(resolution: Sequence[int]) -> tuple[int, int]:
    """Columns and rows of a surface, both odd, so that today's market is one of the places."""
    found = given.rows("resolution", resolution)
    if len(found) != 2 or any(isinstance(n, bool) or not isinstance(n, int) for n in found):
        given.refuse("resolution", resolution, "two whole numbers are needed, (columns, rows)", "wrong_type")
    columns, rows = found
    if not (3 <= columns <= 201 and 3 <= rows <= 201 and columns % 2 and rows % 2):
        given.refuse("resolution", resolution, "odd numbers from 3 to 201 are needed", "out_of_range")
    return columns, rows


def _moves(worth: Worth, symbol: str, columns: int, width: float | None) -> NDArray[np.float64]:
    """Moves either side of none, as far as a profile goes."""
    low, high = reach(worth, symbol, width)
    half = columns // 2
    below, above = np.linspace(low - 1.0, 0.0, half + 1), np.linspace(0.0, high - 1.0, half + 1)
    return np.concatenate([below, above[1:]])


def _steps(worth: Worth, symbol: str, against: Against, rows: int) -> tuple[NDArray[np.float64], list[dt.datetime]]:
    """Changes of volatility, or days from now on to the nearest expiry, with their instants."""
    if given.name("against", against, ("vol", "time")) == "vol":
        steps = np.linspace(-_VOLS, _VOLS, rows)
        return steps, [worth.now] * rows
    last = instant_of(worth, "expiry", symbol)
    parts = [i / (rows - 1) for i in range(rows)]
    instants = [worth.now + part * (last - worth.now) for part in parts[:-1]] + [last]
    return np.array([(at - worth.now) / dt.timedelta(days=1) for at in instants]), instants


def profit_surface(
    worth: Worth,
    symbol: str | None = None,
    *,
    against: Against = "vol",
    resolution: Sequence[int] = (21, 11),
    width: float | None = None,
    currency: str | None = None,
) -> Surface:
    """The profit of positions over moves of the price and of volatility, or of time up to the nearest expiry.

    >>> import margincore as mc
    >>> call = mc.Option("XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100,
    ...                  currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, vol={call.id: 0.3}, rate={"USD": 0.05})
    >>> found = profit_surface(Worth(mc.Account([mc.Position(call, -1)]), market), resolution=(3, 3))
    >>> found.steps.tolist(), found.values[:, 1].round(2).tolist()          # a short call loses as volatility rises
    ([-0.5, 0.0, 0.5], [82.49, 0.0, -82.54])
    """
    name = underlying_of(worth, symbol)
    columns, rows = resolution_of(resolution)
    moves = _moves(worth, name, columns, width)
    steps, instants = _steps(worth, name, against, rows)
    root = None if name == TOGETHER else name
    unit = worth.currency(root) if currency is None else currency
    factors = dict.fromkeys(worth.levels if root is None else [root], 1.0 + moves)
    vols = 1.0 + steps if against == "vol" else np.ones(rows)
    values = np.stack(
        [
            worth.profit(factors, vol_factor=float(vol), at=at, currency=unit, root=root)
            for vol, at in zip(vols, instants, strict=True)
        ]
    )
    return Surface("profit", name, against, "", unit, moves, steps, values)


def requirement_surface(
    prepared: Prepared,
    account: Account | Iterable[Position],
    worth: Worth,
    symbol: str | None = None,
    *,
    of: Quantity = "initial",
    against: Against = "vol",
    resolution: Sequence[int] = (21, 11),
    width: float | None = None,
    label: str | None = None,
) -> Surface:
    """The requirement of an account, margined again in each moved market, over the places of :func:`profit_surface`.

    Options are repriced as :mod:`margincore.analysis.questions` says. A place that the rulebook refuses is NaN, and
    its reason is in `refused`; where it refuses all, the first reason is raised. `label` names the rulebook. Raises
    :class:`margincore.NotApplicable` for a rulebook that carries an exchange's own arrays: no market moves it.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> account = mc.Account([mc.Position(stock, 100)])
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> found = requirement_surface(prepared, account, Worth(account, market), resolution=(3, 3), width=0.1)
    >>> found.values[1].round(6).tolist()
    [675.0, 750.0, 825.0]
    """
    again = _Again(prepared, account, given.name("of", of, ("initial", "maintenance")))
    name = underlying_of(worth, symbol)
    columns, rows = resolution_of(resolution)
    moves = _moves(worth, name, columns, width)
    steps, instants = _steps(worth, name, against, rows)
    vols = 1.0 + steps if against == "vol" else np.ones(rows)
    values = np.stack([again.row(worth, name, moves, at, float(vol)) for at, vol in zip(instants, vols, strict=True)])
    again.check(values)
    words = label or again.prepared.methodology.name
    unit = again.prepared.currency
    return Surface(of, name, against, words, unit, moves, steps, values, tuple(again.refused))


def requirement_curve(
    prepared: Prepared,
    account: Account | Iterable[Position],
    worth: Worth,
    symbol: str | None = None,
    *,
    of: Quantity = "initial",
    points: int = 41,
    width: float | None = None,
    label: str | None = None,
) -> Surface:
    """The requirement of an account over moves of the price alone: a :class:`Surface` of one row, of today.

    Takes and raises what :func:`requirement_surface` does; `points` is odd.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> account = mc.Account([mc.Position(stock, 100)])
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> found = requirement_curve(prepared, account, Worth(account, market), points=3, width=0.1)
    >>> found.values[0].round(6).tolist()
    [675.0, 750.0, 825.0]
    """
    again = _Again(prepared, account, given.name("of", of, ("initial", "maintenance")))
    name = underlying_of(worth, symbol)
    moves = _moves(worth, name, resolution_of((points, 3))[0], width)
    values = again.row(worth, name, moves, worth.now, 1.0)[None, :]
    again.check(values)
    words = label or again.prepared.methodology.name
    unit = again.prepared.currency
    return Surface(of, name, "vol", words, unit, moves, np.zeros(1), values, tuple(again.refused))


class _Again:
    """Margins one account again in moved markets, and keeps why a market was refused."""

    def __init__(self, prepared: Prepared, account: Account | Iterable[Position], of: str) -> None:
        self.prepared, self.account, self.of = ready(prepared), holder(account), of
        if self.prepared.market is None:
            raise NotApplicable(
                f"{self.prepared.methodology.name} carries an exchange's own arrays: no move of a market changes "
                "what it asks",
                code="not_covered",
            )
        self.mover = Mover(self.prepared)
        self.refused: dict[str, MarginError] = {}

    def row(
        self, worth: Worth, symbol: str, moves: NDArray[np.float64], at: dt.datetime, vol: float
    ) -> NDArray[np.float64]:
        """The requirement at each move, NaN where it is refused."""
        moving = list(worth.levels) if symbol == TOGETHER else [symbol]
        values = np.full(len(moves), np.nan)
        for i, move in enumerate(moves):
            try:
                market = self.mover.market(dict.fromkeys(moving, 1.0 + float(move)), valuation=at, vol_factor=vol)
                batch = self.prepared.with_market(market).margin_many([self.account])
            except MarginError as error:
                self.refused.setdefault(str(error), error)
                continue
            values[i] = (batch.initial if self.of == "initial" else batch.maintenance)[0]
        return values

    def check(self, values: NDArray[np.float64]) -> None:
        """Raises the first reason where there is no number at all."""
        if bool(np.isnan(values).all()):
            raise next(iter(self.refused.values()))
