"""The arithmetic of exercise and assignment, in plain numbers: positions and cash before and after.

A book maps names to quantities, cash in one currency under `CASH`; a price is that of one unit. Options are exercised
by whoever is long and assigned to whoever is short: one rule with the sign of the quantity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CASH = "cash"
Book = dict[str, float]


@dataclass(frozen=True)
class Option:
    """An option for the arithmetic: `right` is +1 for a call and -1 for a put; `settles` in cash, units or a future."""

    name: str
    right: int
    strike: float
    multiplier: float
    on: str
    settles: str


def intrinsic(option: Option, price: float) -> float:
    """What exercise of one contract is worth, below zero out of the money."""
    return option.right * (price - option.strike) * option.multiplier


def exercised(book: Mapping[str, float], option: Option, quantity: float, price: float) -> Book:
    """The book after `quantity` contracts are exercised (positive) or assigned (negative).

    >>> call = Option("call", +1, 50.0, 100.0, "XYZ", "units")
    >>> exercised({"call": -1.0, "XYZ": 100.0}, call, -1.0, 55.0)        # a covered call, called away
    {'cash': 5000.0}
    """
    after = dict(book)
    after[option.name] = after.get(option.name, 0.0) - quantity
    units = option.right * quantity * option.multiplier
    if option.settles == "units":
        after[option.on] = after.get(option.on, 0.0) + units
        paid = units * option.strike
    elif option.settles == "future":
        # It opens at the strike and is settled to the price; the book counts the future's underlying units.
        after[option.on] = after.get(option.on, 0.0) + units
        paid = units * (option.strike - price)
    else:
        paid = -quantity * intrinsic(option, price)
    after[CASH] = after.get(CASH, 0.0) - paid
    return {name: amount for name, amount in after.items() if amount}


def expired(book: Mapping[str, float], options: list[Option], prices: Mapping[str, float], threshold: float) -> Book:
    """The book after all the options expire: those in the money by the threshold, per unit, are exercised."""
    after = dict(book)
    for option in options:
        held = after.get(option.name, 0.0)
        if round(option.right * (prices[option.on] - option.strike), 9) >= threshold:
            after = exercised(after, option, held, prices[option.on])
        after.pop(option.name, None)
    return after


def value(book: Mapping[str, float], options: list[Option], prices: Mapping[str, float]) -> float:
    """Cash and positions at these prices, options at what exercise is worth; futures are settled and worth nothing."""
    own = {option.name: max(0.0, intrinsic(option, prices[option.on])) for option in options}
    futures = {option.on for option in options if option.settles == "future"}
    worth = {CASH: 1.0, **{name: 0.0 if name in futures else price for name, price in prices.items()}, **own}
    return sum(amount * worth[name] for name, amount in book.items())
