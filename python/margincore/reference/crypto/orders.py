"""Worst case of open orders, by policy, and where an account is liquidated along a path of shocks."""

from __future__ import annotations

from collections.abc import Callable


def worst_subset(positions: list[float], orders: list[list[float]]) -> float:
    """The exact largest loss over every subset of orders and every partial fill.

    `positions` is the book's P&L by scenario; each order's row is its full-fill P&L by scenario. Orders fill
    independently, so in a scenario the worst subset is every order that loses there.

    >>> worst_subset([1.0, -2.0], [[-3.0, 4.0], [0.5, -1.0]])
    3.0
    """
    return max(-v - sum(min(row[s], 0.0) for row in orders) for s, v in enumerate(positions))


def liquidation_move(
    ratio: Callable[[float], float], up: bool, limit: float = 0.99, step: float = 0.01
) -> float | None:
    """The first move along a path where maintenance reaches equity, `ratio(move)` = maintenance / equity >= 1."""
    sign = 1.0 if up else -1.0
    last = 0.0
    k = 1
    while k * step <= limit + 1e-12:
        move = sign * k * step
        if ratio(move) >= 1.0:
            low, high = last, move
            for _ in range(60):
                mid = 0.5 * (low + high)
                low, high = (low, mid) if ratio(mid) >= 1.0 else (mid, high)
            return high
        last = move
        k += 1
    return None
