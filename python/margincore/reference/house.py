"""A house's rules over the lines of a rulebook, in plain Python: what a broker asks more, and under which rule's name.

Of every position a house asks the largest amount that any of its rules does. These, added up over the positions that
are compared together, are a floor under the rulebook's lines for them; the rules stand in one order, and each adds a
line for what it asks above those before it. Amounts are money in one currency; a rate is a fraction of market value.

No source has the arithmetic: brokers publish percentages, and keep to themselves how these meet a hedge. This is ours,
and the same as the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Held", "Line", "amounts", "lines"]

Line = tuple[str, str, float, float]
"""Group and component; initial and maintenance."""

Pair = tuple[float, float]
"""Initial and maintenance."""


@dataclass(frozen=True)
class Held:
    """A position: `symbol` and `words` (kind, class) are what rules are about, `group` what it is compared with.

    `price` is that of a unit, `units` are those of a contract, `long` and `short` are contracts.
    """

    symbol: str
    group: str
    price: float
    units: float = 1.0
    long: float = 0.0
    short: float = 0.0
    words: tuple[str, ...] = ("stock", "equity")
    leverage: float = 1.0
    option: bool = False


def _covers(of: Mapping[str, Any], held: Held) -> bool:
    symbols, classes, leverage = of.get("symbols") or (), of.get("classes") or (), of.get("leverage")
    if symbols and held.symbol not in symbols:
        return False
    if classes and not set(classes) & set(held.words):
        return False
    return leverage is None or leverage == held.leverage


def _rate(rate: Mapping[str, float] | None, held: Held, contracts: float) -> Pair:
    if rate is None:
        return 0.0, 0.0
    value = held.price * held.units * contracts
    maintenance = max(rate["maintenance"] * value, rate.get("per_share", 0.0) * held.units * contracts)
    return max(rate.get("initial", 0.0) * value, maintenance), maintenance


def _percentage(rule: Mapping[str, Any], held: Held) -> tuple[Pair, Pair]:
    none = ((0.0, 0.0), (0.0, 0.0))
    if held.option or not _covers(rule.get("of", {}), held):
        return none
    low, high = rule.get("priced_from"), rule.get("priced_below")
    if (low is not None and held.price < low) or (high is not None and held.price >= high):
        return none
    return _rate(rule.get("long"), held, held.long), _rate(rule.get("short"), held, held.short)


def _per_contract(rule: Mapping[str, Any], held: Held) -> tuple[Pair, Pair]:
    if not held.option or not _covers(rule.get("of", {}), held):
        return (0.0, 0.0), (0.0, 0.0)
    long, short = rule.get("long", 0.0) * held.long, rule.get("short", 0.0) * held.short
    return (long, long), (short, short)


def _concentration(rule: Mapping[str, Any], book: Sequence[Held]) -> Callable[[Held], tuple[Pair, Pair]]:
    named = [held for held in book if not held.option and _covers(rule.get("of", {}), held)]
    counted = {"named": named, "securities": [held for held in book if not held.option], "gross": book}
    share_of = rule["share_of"]
    if isinstance(share_of, str):
        whole = sum(held.price * held.units * (held.long + held.short) for held in counted[share_of])
    else:
        whole = share_of["equity"]

    def asked(held: Held) -> tuple[Pair, Pair]:
        if held not in named or whole <= 0.0:
            return (0.0, 0.0), (0.0, 0.0)
        found = []
        for side in ("long", "short"):
            value = sum(h.price * h.units * getattr(h, side) for h in named if h.symbol == held.symbol)
            reached = [tier for tier in rule.get(side, ()) if value / whole >= tier["from"]]
            found.append(_rate(reached[-1] if reached else None, held, getattr(held, side)))
        return found[0], found[1]

    return asked


def amounts(rules: Mapping[str, Any], book: Sequence[Held]) -> list[tuple[str, list[tuple[Pair, Pair]]]]:
    """What each rule asks of each position, long and short, in the order of the rules.

    >>> rules = {"percentages": [{"name": "40 %", "long": {"maintenance": 0.4, "initial": 0.6}}]}
    >>> amounts(rules, [Held("XYZ", "XYZ", 50.0, long=100.0)])
    [('40 %', [((3000.0, 2000.0), (0.0, 0.0))])]
    """
    found = [(r["name"], [_percentage(r, held) for held in book]) for r in rules.get("percentages", ())]
    for rule in rules.get("concentration", ()):
        asked = _concentration(rule, book)
        found.append((rule["name"], [asked(held) for held in book]))
    found += [(r["name"], [_per_contract(r, held) for held in book]) for r in rules.get("contracts", ())]
    return found


def lines(
    base: Iterable[Line],
    rules: Mapping[str, Any],
    book: Sequence[Held],
    *,
    group_of: Callable[[str], str] = str,
    stock: Sequence[str] = (),
    stricter: tuple[str, Iterable[Line]] | None = None,
) -> list[Line]:
    """The lines that a house adds to those of a rulebook (`base`: scope, component, initial, maintenance).

    `group_of` gives the group of a scope, `stock` the components that stock and funds alone make (they are then
    compared apart), `stricter` a name and the lines of the stricter rulebook.

    >>> rules = {"percentages": [{"name": "40 %", "long": {"maintenance": 0.4}}]}
    >>> lines([("XYZ", "stock", 2500.0, 1250.0)], rules, [Held("XYZ", "XYZ", 50.0, long=100.0)], stock=["stock"])
    [('XYZ', '40 %', 0.0, 750.0)]
    """
    kept: dict[tuple[str, bool], list[float]] = {}
    for scope, component, initial, maintenance in base:
        slot = kept.setdefault((group_of(scope), bool(stock) and component not in stock), [0.0, 0.0])
        slot[0] += initial
        slot[1] += maintenance
    added: list[Line] = []

    def floor(group: str, held: list[float], asked: Sequence[float], name: str) -> None:
        above = [max(a - h, 0.0) for a, h in zip(asked, held, strict=True)]
        if any(above):
            added.append((group, name, above[0], above[1]))
        held[:] = [max(a, h) for a, h in zip(asked, held, strict=True)]

    most = [[[0.0, 0.0], [0.0, 0.0]] for _ in book]
    for name, asked in amounts(rules, book):
        sums: dict[tuple[str, bool], list[float]] = {}
        for held, own, sides in zip(book, most, asked, strict=True):
            slot = sums.setdefault((held.group, bool(stock) and held.option), [0.0, 0.0])
            for side, pair in zip(own, sides, strict=True):
                for k in range(2):
                    side[k] = max(side[k], pair[k])
                    slot[k] += side[k]
        for place in sorted(sums):
            floor(place[0], kept.setdefault(place, [0.0, 0.0]), sums[place], name)
    if stricter is not None:
        name, rows = stricter
        strict: dict[str, list[float]] = {}
        for scope, _, initial, maintenance in rows:
            slot = strict.setdefault(group_of(scope), [0.0, 0.0])
            slot[0] += initial
            slot[1] += maintenance
        for group in sorted(strict):
            parts = [kept.get((group, apart), [0.0, 0.0]) for apart in (False, True)]
            floor(group, [parts[0][k] + parts[1][k] for k in range(2)], strict[group], name)
    return added
