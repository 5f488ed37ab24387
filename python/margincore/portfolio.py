"""What can be held: one function per kind of contract, positions and accounts.

Every function returns a :class:`margincore.Contract`. Nothing is assumed about an option's style, expiry or
currency: they are stated. An expiry is an instant with its zone (``"2026-12-18T08:00:00Z"`` or an aware
``datetime``), or a date (text, a ``date`` or NumPy's ``datetime64`` in days) together with ``settles`` (``"am"`` or
``"pm"``) and, where it is not a United States options exchange, ``exchange``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from margincore._core import Account, Accounts, Contract, Contracts, Position

__all__ = [
    "Account",
    "Accounts",
    "Contract",
    "Contracts",
    "Etf",
    "Future",
    "Index",
    "Option",
    "Perpetual",
    "Position",
    "Spot",
    "Stock",
    "Trade",
]

Trade = tuple[Contract, float] | tuple[Contract, float, float] | tuple[Contract, float, float, float]
"""A trade, wherever one is taken: ``(contract, quantity[, price[, fees]])``.

The :class:`margincore.Contract` itself, not its id; a signed quantity in contracts, positive buys; the price it was
done at, in the contract's quote, where cash is to follow; fees for all of it in the contract's currency, negative for a
rebate. Where an account keeps long and short apart, the call says ``effect="open"`` or ``"close"`` for the trades it
takes. What is written down (events, documents, journals) holds the id of a contract in its place.
"""

When = str | dt.date | dt.datetime | np.datetime64
Settles = Literal["am", "pm"]
Exercise = Literal["european", "american"]
Settlement = Literal["linear", "inverse"]
PremiumStyle = Literal["upfront", "futures_style"]


def Option(
    underlying: str,
    right: Literal["call", "put"],
    strike: float,
    *,
    expiry: When,
    exercise: Exercise,
    multiplier: float,
    currency: str,
    settles: Settles | None = None,
    exchange: str | None = None,
    settlement: Settlement = "linear",
    premium: PremiumStyle = "upfront",
    multiplier_unit: str | None = None,
    strike_multiplier: float | None = None,
    premium_multiplier: float | None = None,
    lot: float = 1.0,
    deliverable: str | Mapping[str, Any] | None = None,
    listed: bool = True,
    venue: str | None = None,
    aliases: dict[str, str] | None = None,
    id: str | None = None,
) -> Contract:
    """An option on a symbol, or on another contract: then ``underlying`` is that contract's id.

    ``multiplier`` is units of the underlying per contract. Raises :class:`margincore.InvalidInput`.

    An adjusted option (a split, a merger) says in ``deliverable`` what one contract delivers: ``{"shares": {symbol:
    number}, "cash": amount}``, or such words as ``"28 shares of AAPL and $10 in cash"``. Its strike and its price have
    multipliers of their own, ``multiplier`` where they are left out: since 2007 mostly 100, whatever is delivered.

    >>> import margincore as mc
    >>> mc.Option("SPX", "call", 4700, expiry="2026-12-18", settles="am", exercise="european",
    ...           multiplier=100, currency="USD").id
    'SPX 2026-12-18 am 4700 call'
    >>> mc.Option("MNO", "call", 40, expiry="2026-12-18", settles="pm", exercise="american",     # after a 3-for-2 split
    ...           multiplier=100, currency="USD", deliverable={"shares": {"MNO": 150}}).id
    'MNO 2026-12-18 40 call for 150 shares of MNO'
    """
    return Contract(
        kind="option",
        underlying=underlying,
        right=right,
        strike=strike,
        expiry=expiry,
        settles=settles,
        exchange=exchange,
        exercise=exercise,
        multiplier=multiplier,
        multiplier_unit=multiplier_unit,
        strike_multiplier=strike_multiplier,
        premium_multiplier=premium_multiplier,
        settlement=settlement,
        premium=premium,
        currency=currency,
        lot=lot,
        deliverable=deliverable,
        listed=listed,
        venue=venue,
        aliases=aliases,
        id=id,
    )


def Future(
    underlying: str,
    *,
    expiry: When,
    multiplier: float,
    currency: str,
    settles: Settles | None = None,
    exchange: str | None = None,
    settlement: Settlement = "linear",
    multiplier_unit: str | None = None,
    lot: float = 1.0,
    venue: str | None = None,
    aliases: dict[str, str] | None = None,
    id: str | None = None,
) -> Contract:
    """A dated future. ``multiplier`` is units of the underlying per contract (or of ``multiplier_unit``).

    >>> import margincore as mc
    >>> mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=50, currency="USD").multiplier
    50.0
    """
    return Contract(
        kind="future",
        underlying=underlying,
        expiry=expiry,
        settles=settles,
        exchange=exchange,
        multiplier=multiplier,
        multiplier_unit=multiplier_unit,
        settlement=settlement,
        currency=currency,
        lot=lot,
        venue=venue,
        aliases=aliases,
        id=id,
    )


def Perpetual(
    underlying: str,
    *,
    multiplier: float,
    currency: str,
    settlement: Settlement = "linear",
    multiplier_unit: str | None = None,
    lot: float = 1.0,
    venue: str | None = None,
    aliases: dict[str, str] | None = None,
    id: str | None = None,
) -> Contract:
    """A perpetual swap.

    >>> import margincore as mc
    >>> mc.Perpetual("BTC", multiplier=1, currency="USDC", venue="deribit").id
    'BTC perpetual'
    """
    return Contract(
        kind="perpetual",
        underlying=underlying,
        multiplier=multiplier,
        multiplier_unit=multiplier_unit,
        settlement=settlement,
        currency=currency,
        lot=lot,
        venue=venue,
        aliases=aliases,
        id=id,
    )


def _cash(
    kind: str, symbol: str, currency: str, lot: float, venue: str | None, aliases: dict[str, str] | None, id: str | None
) -> Contract:
    return Contract(
        kind=kind, underlying=symbol, currency=currency, lot=lot, venue=venue, aliases=aliases, id=id, multiplier=1.0
    )


def Stock(
    symbol: str,
    *,
    currency: str,
    lot: float = 1.0,
    venue: str | None = None,
    aliases: dict[str, str] | None = None,
    id: str | None = None,
) -> Contract:
    """A share; one contract is one share.

    >>> import margincore as mc
    >>> mc.Stock("IBM", currency="USD").kind
    'stock'
    """
    return _cash("stock", symbol, currency, lot, venue, aliases, id)


def Etf(
    symbol: str,
    *,
    currency: str,
    lot: float = 1.0,
    venue: str | None = None,
    aliases: dict[str, str] | None = None,
    id: str | None = None,
) -> Contract:
    """A share of an exchange-traded fund.

    >>> import margincore as mc
    >>> mc.Etf("SPY", currency="USD").kind
    'etf'
    """
    return _cash("etf", symbol, currency, lot, venue, aliases, id)


def Index(symbol: str, *, currency: str, id: str | None = None) -> Contract:
    """An index level: something to write options on, not to hold.

    >>> import margincore as mc
    >>> mc.Index("SPX", currency="USD").kind
    'index'
    """
    return _cash("index", symbol, currency, 1.0, None, None, id)


def Spot(
    symbol: str,
    *,
    currency: str,
    lot: float = 1e-8,
    venue: str | None = None,
    aliases: dict[str, str] | None = None,
    id: str | None = None,
) -> Contract:
    """A coin or currency held outright, quoted in ``currency``, in steps of ``lot``.

    >>> import margincore as mc
    >>> mc.Position(mc.Spot("BTC", currency="USD"), 0.25).quantity
    0.25
    """
    return _cash("spot", symbol, currency, lot, venue, aliases, id)
