"""Profit and loss over prices: now, at an instant, at the nearest expiry; smooth curves with their break-evens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from margincore._core import Account, Contract, InvalidInput, Market, NotApplicable, Position
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.sampling import roots, sampled
from margincore.analysis.worth import Worth
from margincore.engine import beside, holder, snapshot

__all__ = ["TOGETHER", "Profile", "instant_of", "moving", "profile", "profile_of", "reach", "underlying_of"]

Floats = NDArray[np.float64]
When = dt.datetime | str | None

TOGETHER = "*"
"""The symbol that stands for all underlyings of an account moving by the same fraction."""

#: Prices are followed no farther than this, as parts of today's.
_LEAST, _MOST = 0.1, 3.0
#: Farther strikes than this do not widen a picture.
_FAR_BELOW, _FAR_ABOVE = 0.4, 2.0


@dataclass(frozen=True, slots=True)
class Profile(Record):
    """Profit over prices: straight lines between the samples are the curve, within the tolerance asked for.

    - `symbol`: the underlying, or ``"*"`` where all move by the same fraction.
    - `level`: today's price, which `prices` are in; 1 where all move together. `quoted` is whose price that is.
    - `at`: the instant of the profit, as ISO text.
    - `profits`: in `currency`, positive for a gain against today's theoretical value, in the order of `prices`.
    - `break_evens`: prices of no profit, ascending; today's, where a profit of now is nothing by itself, is left out.
    - `strikes`: of the options on the underlying, as prices in its quote.
    - `exact`: whether the curve is straight between its samples, whatever the tolerance.
    """

    symbol: str
    quoted: str
    level: float
    at: str
    currency: str
    prices: Floats
    profits: Floats
    break_evens: tuple[float, ...]
    strikes: tuple[float, ...]
    exact: bool


def moving(market: Market | None) -> Market:
    """A market, which there has to be."""
    found = snapshot(market)
    if found is None:
        raise InvalidInput("market: a market to move is needed", code="not_stated", where="market")
    return found


def underlying_of(worth: Worth, symbol: str | None) -> str:
    """The underlying asked for: the only one where none is named, or all together."""
    known = list(worth.levels)
    if not known:
        raise NotApplicable("an account without positions has no profit to draw", code="not_covered")
    if symbol is None:
        return known[0] if len(known) == 1 else TOGETHER
    if symbol == TOGETHER:
        return symbol
    return given.name("symbol", symbol, known)


def instant_of(worth: Worth, at: When, symbol: str) -> dt.datetime:
    """An instant: now for `None`, the nearest expiry for ``"expiry"``, or the one that is given."""
    if at is None:
        return worth.now
    if at == "expiry":
        nearest = worth.nearest(None if symbol == TOGETHER else symbol)
        if nearest is None:
            raise NotApplicable("no option that is held expires: there is no curve at expiry", code="not_covered")
        return nearest
    try:
        found = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    except ValueError:
        given.refuse("at", at, 'an instant with its zone, or "expiry", is needed', "wrong_type")
    if not isinstance(found, dt.datetime) or found.tzinfo is None:
        given.refuse("at", at, 'an instant with its zone, or "expiry", is needed', "wrong_type")
    if found < worth.now:
        given.refuse("at", at, "an instant from the valuation on is needed", "out_of_range")
    return found


def reach(worth: Worth, symbol: str, width: float | None) -> tuple[float, float]:
    """The prices to follow, as parts of today's: `width` either way, or what strikes and volatilities ask for."""
    if width is not None:
        found = given.number("width", width, above=0.0)
        return max(1.0 - found, _LEAST), 1.0 + found
    names = list(worth.levels) if symbol == TOGETHER else [symbol]
    wide = max(0.15, *(2.5 * worth.spread(name) for name in names))
    strikes = [k / worth.levels[name].price for name in names for k in worth.strikes(name)]
    near = [k for k in strikes if _FAR_BELOW <= k <= _FAR_ABOVE]
    low = min(1.0 - wide, min(near, default=1.0) - 0.04)
    return max(low, _LEAST), min(max(1.0 + wide, max(near, default=1.0) + 0.04), _MOST)


def profile_of(
    worth: Worth,
    symbol: str,
    *,
    at: When = None,
    width: float | None = None,
    currency: str | None = None,
    vol_factor: float = 1.0,
    tolerance: float = 1e-3,
    most: int = 600,
    span: tuple[float, float] | None = None,
) -> Profile:
    """As :func:`profile`, of values that are at hand; `span` are the ends, as parts of today's price."""
    when = instant_of(worth, at, symbol)
    root = None if symbol == TOGETHER else symbol
    unit = worth.currency(root) if currency is None else currency
    low, high = reach(worth, symbol, width) if span is None else span
    roots_moved = list(worth.levels) if root is None else [root]

    def function(factors: Floats) -> Floats:
        moved = dict.fromkeys(roots_moved, factors)
        return worth.profit(moved, vol_factor=vol_factor, at=when, currency=unit, root=root)

    kinks = [k / worth.levels[name].price for name in roots_moved for k in worth.strikes(name)]
    points = [low, 1.0, high, *(k for k in kinks if low < k < high)]
    ends = [at for name in roots_moved for at in worth.expiries_of(name)]
    # Where every option is at its end, profits in the quote currency are straight between the strikes.
    exact = bool(ends) and all(end <= when for end in ends) and unit == worth.quote_of(roots_moved)
    if not exact:
        points += np.linspace(low, high, 33).tolist()
        for name in roots_moved:
            for kink, spread in worth.bends(name, when):
                points += [k for step in (-2.0, -1.0, 1.0, 2.0) if low < (k := kink * (1.0 + step * spread)) < high]
    factors, profits = sampled(function, points, tolerance=tolerance, most=most)
    found = roots(function, factors, profits)
    if when == worth.now and vol_factor == 1.0:
        found = tuple(f for f in found if f != 1.0)
    level = 1.0 if root is None else worth.levels[root].price
    return Profile(
        symbol,
        "all underlyings" if root is None else worth.levels[root].name,
        level,
        when.isoformat(),
        unit,
        factors * level,
        profits,
        tuple(f * level for f in found),
        () if root is None else worth.strikes(root),
        exact,
    )


def profile(
    account: Account | Iterable[Position],
    market: Market | None,
    symbol: str | None = None,
    *,
    at: When | Literal["expiry"] = None,
    width: float | None = None,
    currency: str | None = None,
    vol_factor: float = 1.0,
    contracts: Iterable[Contract] = (),
    tolerance: float = 1e-3,
    most: int = 600,
) -> Profile:
    """Profit and loss of an account over prices of one underlying, the others held, or of all together (``"*"``).

    - `at`: now where it is left out, ``"expiry"`` for the nearest expiry (later ones repriced), or an instant.
    - `width`: how far prices go, a fraction of today's either way; by strikes and volatilities where it is left out.
    - `currency`: that of the quotes where it is left out (dollars of coin-settled contracts); the coin, say.
    - `vol_factor`: every volatility times this.
    - `tolerance`: how far the curve may be from the straight lines between its samples, of the range of its values;
      `most` bounds their number.

    Positions only: cash and collateral are not in it. Raises as :class:`margincore.analysis.worth.Worth`.

    >>> import margincore as mc
    >>> legs = [(mc.Option("XYZ", "put", k, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100,
    ...                    currency="USD"), q) for k, q in ((45, -1), (40, 1))]
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, rate={"USD": 0.05},
    ...                    vol={c.id: 0.3 for c, _ in legs})
    >>> found = profile([mc.Position(c, q) for c, q in legs], market, at="expiry")
    >>> found.exact, found.strikes, found.profits.round(2).tolist()[:3]                 # ends, strikes, today's price
    (True, (40.0, 45.0), [-482.99, -482.99, 17.01])
    >>> [round(price, 4) for price in found.break_evens]
    [44.8299]
    """
    worth = Worth(holder(account), moving(market), beside(contracts))
    name = underlying_of(worth, symbol)
    least = given.number("tolerance", tolerance, above=0.0)
    vols = given.number("vol_factor", vol_factor, least=0.0)
    return profile_of(worth, name, at=at, width=width, currency=currency, vol_factor=vols, tolerance=least, most=most)
