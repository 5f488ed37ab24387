"""Reg T and strategy-based margin in plain Python: the rules one by one, and every pairing tried.

Slow on purpose. `rules` states the requirement of each recognised strategy, `pairing` tries every partition of a
small book into them. The Rust engine shares no code with it and is tested against it.

Sources: 12 CFR 220, FINRA Rule 4210(f)(2), Cboe Rule 10.3, Cboe Margin Manual, FINRA RN 12-44 (universal spreads).
"""

from .pairing import Pairing, greedy, optimal, two_leg
from .rules import Book, Leg, Percentages, Stock, equity_required, maximum_loss, naked_requirement

__all__ = [
    "Book",
    "Leg",
    "Pairing",
    "Percentages",
    "Stock",
    "equity_required",
    "greedy",
    "maximum_loss",
    "naked_requirement",
    "optimal",
    "two_leg",
]
