"""Expiry at many settlement prices: which of them lead to a call the next morning."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, Literal

from margincore._core import Account, Contract, InvalidInput, Market, Methodology, MissingData, Position
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.events.expiry import THRESHOLD, Expiry
from margincore.analysis.events.what_if import Consequence

__all__ = ["ExpiryScan", "ScanPoint", "expiry_scan"]

TICK = 0.01
"""How finely the prices where a call begins or ends are found."""


@dataclass(frozen=True, slots=True)
class ScanPoint(Record):
    """One settlement price. Amounts are in the report's currency.

    `case` is ``"by the rule"`` (long and short options in the money by the threshold are exercised and assigned) or
    ``"assigned at the strike"``: the short options whose strike is this price are assigned in full although they are
    not in the money, and nothing is exercised in return. `moved` are contracts that came in or, negative, went, by id,
    expired options left out.
    """

    price: float
    case: Literal["by the rule", "assigned at the strike"]
    moved: Mapping[str, float]
    equity: float
    initial: float
    maintenance: float

    @property
    def excess(self) -> float:
        """Equity less initial requirement."""
        return self.equity - self.initial

    @property
    def call(self) -> float:
        """What equity lacks of the maintenance requirement; 0 where it lacks nothing."""
        return max(0.0, self.maintenance - self.equity)


@dataclass(frozen=True, slots=True)
class ExpiryScan(Record):
    """An account after the expiry of `on`, over settlement prices of `symbol`. Amounts are in `currency`.

    `strikes` are those that expire on it, `spot` its price now. `points` are in the order of their prices; between two
    neighbours by the rule that disagree on a call lies at most a cent (or the spot's millionth, where that is more).
    """

    symbol: str
    on: str
    currency: str
    spot: float
    strikes: tuple[float, ...]
    points: tuple[ScanPoint, ...]
    assumptions: tuple[str, ...] = ()

    @property
    def by_the_rule(self) -> tuple[ScanPoint, ...]:
        """The points where everything in the money is exercised and assigned, and nothing else."""
        return tuple(p for p in self.points if p.case == "by the rule")

    @property
    def pinned(self) -> tuple[ScanPoint, ...]:
        """The points at a short strike where the short options are assigned alone."""
        return tuple(p for p in self.points if p.case != "by the rule")

    @property
    def calls(self) -> tuple[tuple[float, float], ...]:
        """Ranges of settlement prices, first and last found, that lead to a call by the rule."""
        runs = [(call, list(run)) for call, run in groupby(self.by_the_rule, key=lambda point: point.call > 0.0)]
        return tuple((run[0].price, run[-1].price) for call, run in runs if call)

    def to_dict(self) -> dict[str, Any]:
        """The scan as a document of plain values, with a row per point."""
        return {
            "symbol": self.symbol,
            "on": self.on,
            "currency": self.currency,
            "spot": self.spot,
            "strikes": list(self.strikes),
            "calls": [list(pair) for pair in self.calls],
            "points": [
                {
                    "price": p.price,
                    "case": p.case,
                    "moved": dict(p.moved),
                    "equity": p.equity,
                    "initial": p.initial,
                    "maintenance": p.maintenance,
                    "excess": p.excess,
                    "call": p.call,
                }
                for p in self.points
            ],
            "assumptions": list(self.assumptions),
        }

    def __str__(self) -> str:
        head = f"{self.symbol:>12}  {'equity':>14}  {'initial':>14}  {'maintenance':>14}  {'call':>12}  what moves"
        rows = [head]
        for p in self.points:
            moved = ", ".join(f"{quantity:+,.10g} {name}" for name, quantity in p.moved.items()) or "nothing"
            amounts = f"{p.equity:>14,.2f}  {p.initial:>14,.2f}  {p.maintenance:>14,.2f}  {p.call:>12,.2f}"
            alone = "" if p.case == "by the rule" else f" ({p.case})"
            rows.append(f"{p.price:>12,.2f}  {amounts}  {moved}{alone}")
        return "\n".join(rows)


def expiry_scan(
    account: Account | Iterable[Position],
    market: Market,
    methodology: Methodology,
    on: str | dt.date,
    *,
    symbol: str | None = None,
    prices: Mapping[str, float] | None = None,
    width: float = 0.1,
    threshold: float = THRESHOLD,
    contracts: Iterable[Contract] = (),
    haircuts: Mapping[str, float] | None = None,
) -> ExpiryScan:
    """The account after the expiry of `on` and its requirement next morning, over settlement prices of one underlying.

    The grid is the strikes, `threshold` below and above each, the points between, the price now, and `width` (a
    fraction) beyond the outer ones; where neighbours disagree on a call it is halved down to a cent. A price that
    stands on a short strike is asked twice: by the rule, and with the shorts assigned alone (:class:`ScanPoint`).
    `symbol` is the underlying (or the future's id) where several expire; `prices` are then those of the others.
    Further arguments and errors as those of :func:`expiry`.

    A put spread of 100 and 95, ten times, on an account that cannot hold 1,000 shares:

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> short, long = (mc.Option("XYZ", "put", strike, expiry="2026-12-18", settles="pm", exercise="american",
    ...                          multiplier=100, currency="USD") for strike in (100, 95))
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 101.0}, price={short.id: 2.2, long.id: 0.8})
    >>> account = mc.Account([mc.Position(short, -10), mc.Position(long, 10)], cash={"USD": 8_000.0})
    >>> scan = mc.events.expiry_scan(account, market, mc.methods.RegT(classes={"XYZ": "equity"}), "2026-12-18",
    ...                              contracts=[stock])
    >>> scan.calls                                              # long 1,000 shares between the strikes
    ((95.0, 99.99),)
    >>> [(p.price, dict(p.moved), p.call) for p in scan.pinned]      # at 100: 8,000 for a maintenance of 25,000
    [(100.0, {'XYZ': 1000.0}, 17000.0)]
    """
    asked = Expiry(
        account,
        market,
        methodology,
        on,
        threshold=threshold,
        contracts=contracts,
        haircuts=haircuts,
    )
    if symbol is None:
        if len(asked.names) != 1:
            raise InvalidInput(
                f"expiry_scan: options on {', '.join(asked.names)} expire: name one, symbol=...", code="bad_text"
            )
        symbol = asked.names[0]
    elif symbol not in asked.names:
        raise InvalidInput(
            f"expiry_scan: no option on '{symbol}' expires: {', '.join(asked.names)}",
            where="symbol",
            value=symbol,
            code="bad_text",
        )
    if not 0.0 < given.number("expiry_scan: width", width) < 1.0:
        raise InvalidInput(
            f"expiry_scan: width is {width!r}: a fraction between 0 and 1 is needed",
            where="width",
            value=width,
            code="out_of_range",
        )
    spot = asked.price_now(symbol)
    if spot is None:
        raise MissingData(f"expiry_scan: no price of '{symbol}' today", where=symbol, code="missing_price")
    own = [(terms, q) for terms, q in asked.options if symbol in terms.measured_by]
    strikes = sorted({float(terms.option.strike or 0.0) for terms, _ in own})
    others = {} if prices is None else given.numbers("prices", prices)
    said: dict[str, None] = {}

    def at(price: float, instructions: Mapping[str, float] | None = None) -> Consequence:
        done = asked.consequence({**others, symbol: price}, instructions)
        said.update(dict.fromkeys(done.assumptions if instructions is None else ()))
        return done

    found = {price: at(price) for price in _grid(strikes, spot, width, threshold)}
    apart = max(TICK, spot * 1e-6)
    pairs = list(pairwise(sorted(found)))
    while pairs:
        low, high = pairs.pop()
        if (found[low].call > 0.0) != (found[high].call > 0.0) and high - low > apart * (1 + 1e-9):
            middle = round((low + high) / 2, 2) if high - low > 4 * TICK else (low + high) / 2
            found[middle] = at(middle)
            pairs += [(low, middle), (middle, high)]
    gone = {terms.option.id for terms, _ in asked.options}
    points = [_point(price, "by the rule", done, gone) for price, done in found.items()]
    for strike in strikes:
        here = [(terms.option.id, q) for terms, q in own if terms.option.strike == strike]
        if any(q < 0 for _, q in here):
            alone = {name: max(0.0, -q) for name, q in here}
            points.append(_point(strike, "assigned at the strike", at(strike, alone), gone))
    points.sort(key=lambda p: (p.price, p.case != "by the rule"))
    return ExpiryScan(symbol, str(asked.on), asked.start.currency, spot, tuple(strikes), tuple(points), tuple(said))


def _grid(strikes: list[float], spot: float, width: float, threshold: float) -> list[float]:
    """The prices asked first: where exercise changes, halfway between, and beyond."""
    kinks = sorted({spot, *strikes})
    low, high = kinks[0] * (1.0 - width), kinks[-1] * (1.0 + width)
    near = {round(k + step, 9) for k in strikes for step in (-threshold, 0.0, threshold)}
    middles = {round((a + b) / 2, 2) for a, b in pairwise(kinks)}
    outer = {round(low, 2), round((low + kinks[0]) / 2, 2), round((high + kinks[-1]) / 2, 2), round(high, 2)}
    return sorted(price for price in {spot, *near, *middles, *outer} if price > 0.0)


def _point(
    price: float, case: Literal["by the rule", "assigned at the strike"], done: Consequence, gone: set[str]
) -> ScanPoint:
    moved = {name: quantity for name, quantity in done.moved.items() if name not in gone}
    return ScanPoint(price, case, moved, done.equity, done.after.initial, done.after.maintenance)
