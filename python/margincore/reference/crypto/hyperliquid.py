"""Hyperliquid portfolio margin has no scenario model: balances borrow against a loan-to-value ratio."""

from __future__ import annotations


def borrowable(quantity: float, oracle_price: float, ltv: float) -> float:
    """What an asset lets the account borrow, in the quote currency.

    >>> borrowable(10_000.0, 40.0, 0.5)
    200000.0
    """
    return quantity * oracle_price * ltv
