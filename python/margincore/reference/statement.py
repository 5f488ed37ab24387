"""The arithmetic of a margin account's statement in plain Python, for stock bought, sold and sold short.

Sources: 12 CFR 220.4 and 220.5 (margin account, special memorandum account), FINRA 4210(b)(4), (c) and (f)(6). Amounts
are in one currency. Reg T asks for half of what is bought or sold short; maintenance is a quarter of long stock, and of
short stock 30 % or 5 a share, whichever is more (below 5 a share: the price, or 2.50). Where maintenance is more
than half, it is the initial requirement too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Trade = tuple[str, float, float]
"""Symbol, signed shares, price."""


def maintenance(shares: float, price: float) -> float:
    """What a holding of one stock needs every day.

    >>> maintenance(240, 50.0), maintenance(-100, 10.0)
    (3000.0, 500.0)
    """
    if shares >= 0:
        return shares * price * 0.25
    return -shares * (max(0.3 * price, 5.0) if price >= 5.0 else max(price, 2.5))


def initial(shares: float, price: float) -> float:
    """What a holding of one stock needs under Reg T, and never less than maintenance."""
    return max(abs(shares) * price * 0.5, maintenance(shares, price))


def equity(cash: float, held: Mapping[str, float], prices: Mapping[str, float]) -> float:
    """Cash and stock at its mark, long positive, short negative."""
    total = cash
    for symbol, shares in held.items():
        total += shares * prices[symbol]
    return total


def entries(held: Mapping[str, float], trades: Iterable[Trade]) -> list[float]:
    """What each trade does to SMA: the requirement of its stock before, less that after, at its own price."""
    held = dict(held)
    made = []
    for symbol, shares, price in trades:
        before = held.get(symbol, 0.0)
        made.append(initial(before, price) - initial(before + shares, price))
        held[symbol] = before + shares
    return made


@dataclass(frozen=True)
class Day:
    """The end of a day: SMA, what is left of the initial calls (the oldest first, the day's own last), maintenance."""

    equity: float
    initial: float
    maintenance: float
    sma: float
    initial_calls: tuple[float, ...]
    maintenance_call: float


def day(
    opening_sma: float,
    open_calls: Sequence[float],
    held: Mapping[str, float],
    cash: float,
    trades: Sequence[Trade],
    deposit: float,
    prices: Mapping[str, float],
) -> Day:
    """One day: from holdings and cash before it, its trades and its deposit (a withdrawal is negative), to its close.

    Net credits meet open calls first. SMA is then the old one with what is left of the entries, or the excess at the
    close if that is more; what it lacks to zero is a call.
    """
    total = sum(entries(held, trades)) + deposit
    calls = []
    for call in open_calls:
        paid = min(call, max(total, 0.0))
        total -= paid
        calls.append(call - paid)
    after = dict(held)
    cash += deposit
    for symbol, shares, price in trades:
        after[symbol] = after.get(symbol, 0.0) + shares
        cash -= shares * price
    worth = equity(cash, after, prices)
    first = sum(initial(shares, prices[symbol]) for symbol, shares in after.items())
    kept = sum(maintenance(shares, prices[symbol]) for symbol, shares in after.items())
    sma = max(opening_sma + total, worth - first)
    if sma < 0.0:
        calls.append(-sma)
    left = tuple(call for call in calls if call > 0.0)
    return Day(worth, first, kept, max(sma, 0.0), left, max(0.0, kept - worth))


def buying_power(
    sma: float, initial_excess: float, maintenance_excess: float, initial_rate: float, maintenance_rate: float
) -> float:
    """How much can be bought at two rates without a call.

    >>> buying_power(10_000.0, -6_000.0, 3_500.0, 0.5, 0.25)
    14000.0
    """
    return max(0.0, min(max(sma, initial_excess) / initial_rate, maintenance_excess / maintenance_rate))


def minimum_equity(held: Mapping[str, float], prices: Mapping[str, float]) -> float:
    """2,000, but not more than the cost in full of what is only long; nothing where nothing is held.

    >>> minimum_equity({"A": 100}, {"A": 15.0}), minimum_equity({"A": -1}, {"A": 15.0})
    (1500.0, 2000.0)
    """
    if any(shares < 0 for shares in held.values()):
        return 2_000.0
    return min(2_000.0, sum(shares * prices[symbol] for symbol, shares in held.items()))
