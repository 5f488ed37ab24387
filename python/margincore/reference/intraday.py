"""Intraday margin of FINRA 4210(d)(2) in plain Python: every order of a day's transactions tried, the worst kept.

Slow on purpose: the time grows as the factorial of the transactions whose order is not known. The maintenance
requirement is a function the caller gives, such as :func:`stock_maintenance` or one of
:mod:`margincore.reference.reg_t`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

Amounts = Mapping[str, float]
Maintenance = Callable[[Amounts, Amounts], float]


@dataclass(frozen=True)
class Transaction:
    """What was done as one. `trades` are (name, signed units, price, fees), the price `None` where no cash moves.

    `marks` are prices by name, at which the levels before and after are taken. Transactions of one `place` happened in
    an order nobody knows, after those of smaller places; with `None` at any time of the day. `counts` is false for
    interest and fees.
    """

    trades: tuple[tuple[str, float, float | None, float], ...]
    marks: Amounts
    cash: float = 0.0
    place: int | None = None
    counts: bool = True


@dataclass
class Account:
    """Units by name, and cash."""

    positions: dict[str, float] = field(default_factory=dict)
    cash: float = 0.0

    def equity(self, marks: Amounts) -> float:
        """Cash and what the positions are worth."""
        return self.cash + sum(units * marks[name] for name, units in self.positions.items())

    def level(self, marks: Amounts, maintenance: Maintenance) -> float:
        """The intraday margin level: equity less maintenance requirement."""
        return self.equity(marks) - maintenance(self.positions, marks)

    def do(self, transaction: Transaction) -> None:
        """One transaction."""
        self.cash += transaction.cash
        for name, units, price, fees in transaction.trades:
            self.positions[name] = self.positions.get(name, 0.0) + units
            if self.positions[name] == 0.0:
                del self.positions[name]
            self.cash -= fees + (0.0 if price is None else units * price)


@dataclass(frozen=True)
class Deficit:
    """The intraday margin deficit of a day, the equity right after its transaction, and whether it is minor."""

    amount: float
    equity: float
    minor: bool


def orders(transactions: Sequence[Transaction]) -> Iterator[tuple[Transaction, ...]]:
    """Every order in which transactions with places keep them."""
    for order in permutations(transactions):
        places = [t.place for t in order if t.place is not None]
        if places == sorted(places):
            yield order


def lowest(
    positions: Amounts, cash: float, order: Sequence[Transaction], maintenance: Maintenance, rounding: float = 1e-9
) -> tuple[float, float] | None:
    """The lowest level right after a transaction that lowers it, and the equity then; `None` where none does."""
    account = Account(dict(positions), cash)
    found = None
    for transaction in order:
        before = account.level(transaction.marks, maintenance)
        account.do(transaction)
        after = account.level(transaction.marks, maintenance)
        if transaction.counts and after < before - rounding and (found is None or after < found[0]):
            found = (after, account.equity(transaction.marks))
    return found


def day(
    positions: Amounts, cash: float, transactions: Sequence[Transaction], maintenance: Maintenance
) -> Deficit | None:
    """The deficit of the order that has the highest; `None` where no order has one."""
    found = [lowest(positions, cash, order, maintenance) for order in orders(transactions)]
    level, equity = min((own for own in found if own is not None), default=(0.0, 0.0))
    if level >= 0.0:
        return None
    return Deficit(-level, equity, -level <= min(equity / 20.0, 1_000.0))


def stock_maintenance(positions: Amounts, marks: Amounts) -> float:
    """FINRA 4210(c) for stock at 5 dollars and above: 25 % long; short 30 %, at least 5 dollars a share."""
    requirement = 0.0
    for name, units in positions.items():
        if units > 0:
            requirement += 0.25 * units * marks[name]
        else:
            requirement += -units * max(0.30 * marks[name], 5.0)
    return requirement
