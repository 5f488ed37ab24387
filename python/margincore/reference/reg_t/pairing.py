"""The cheapest pairing of a small book by trying every partition, and the two ways that brokers cut it short."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from .rules import Book, Leg, Stock, equity_required, is_spread, naked_requirement


@dataclass(frozen=True)
class Pairing:
    """The equity a book requires, and the groups (indexes into the book) that give it."""

    equity: float
    groups: tuple[tuple[int, ...], ...]


def _partition(book: Book, maintenance: bool, largest: int) -> Pairing:
    """Minimum over all partitions into recognised groups of at most `largest` items, by subset recursion."""
    n = len(book)
    cost = [inf] * (1 << n)
    for mask in range(1, 1 << n):
        if mask.bit_count() <= largest:
            cost[mask] = equity_required(tuple(book[i] for i in range(n) if mask >> i & 1), maintenance)
    best = [0.0] + [inf] * ((1 << n) - 1)
    choice = [0] * (1 << n)
    for mask in range(1, 1 << n):
        lowest = mask & -mask
        rest = mask ^ lowest
        part = rest
        while True:  # every subset that contains the lowest item
            group = part | lowest
            total = cost[group] + best[mask ^ group]
            if total < best[mask]:
                best[mask], choice[mask] = total, group
            if part == 0:
                break
            part = (part - 1) & rest
    groups = []
    mask = (1 << n) - 1
    while mask:
        groups.append(tuple(i for i in range(n) if choice[mask] >> i & 1))
        mask ^= choice[mask]
    return Pairing(best[(1 << n) - 1], tuple(groups))


def optimal(book: Book, maintenance: bool = False) -> Pairing:
    """The cheapest of all partitions. Cost grows as 3**len(book): at most a dozen contracts and stock blocks."""
    return _partition(book, maintenance, len(book))


def two_leg(book: Book, maintenance: bool = False) -> Pairing:
    """The cheapest partition into single positions and pairs."""
    return _partition(book, maintenance, 2)


def greedy(book: Book, maintenance: bool = False) -> Pairing:
    """What an order-by-order matcher charges: every step takes what looks best and none is taken back.

    Shares cover the short option with the largest requirement; then each short, the most demanding first, takes the
    long of its kind with the nearest strike that expires no earlier; then short calls and short puts are matched.
    """
    free = set(range(len(book)))
    groups: list[tuple[int, ...]] = []

    def alone(i: int) -> float:
        return equity_required((book[i],), maintenance)

    def take(i: int, partners: list[tuple[float, int]]) -> None:
        if partners:
            j = min(partners)[1]
            free.difference_update((i, j))
            together = equity_required((book[i], book[j]), maintenance)
            groups.extend([(i, j)] if together < alone(i) + alone(j) else [(i,), (j,)])

    shorts = [(-naked_requirement(x), i) for i, x in enumerate(book) if isinstance(x, Leg) and x.side < 0]
    by_demand = [i for _, i in sorted(shorts)]
    stocks = [i for i, x in enumerate(book) if isinstance(x, Stock)]
    longs = [i for i, x in enumerate(book) if isinstance(x, Leg) and x.side > 0]
    for i in by_demand:
        take(
            i,
            [(0.0, j) for j in stocks if j in free and equity_required((book[i], book[j]), maintenance) < inf],
        )
    for i in (i for i in by_demand if i in free):
        take(i, [(_gap(book[i], book[j]), j) for j in longs if j in free and _spreadable(book[i], book[j])])
    for i in (i for i in by_demand if i in free):
        if i in free:
            others = [(float(k), j) for k, j in enumerate(by_demand) if j in free and j != i]
            take(i, [(k, j) for k, j in others if equity_required((book[i], book[j]), maintenance) < inf])
    groups.extend((i,) for i in sorted(free))
    return Pairing(sum(equity_required(tuple(book[i] for i in g), maintenance) for g in groups), tuple(groups))


def _spreadable(a: Leg | Stock, b: Leg | Stock) -> bool:
    return isinstance(a, Leg) and isinstance(b, Leg) and is_spread((a, b))


def _gap(a: Leg | Stock, b: Leg | Stock) -> float:
    assert isinstance(a, Leg)
    assert isinstance(b, Leg)
    return abs(a.strike / a.scale - b.strike / b.scale)
