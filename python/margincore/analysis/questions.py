"""What people ask about an account: margin tomorrow, after a move, along a path; the price that liquidates it.

Moves of a symbol's spot take its forwards, futures and perpetuals with them in proportion. Options keep their
volatility (sticky strike): the one given, or else the one their mark implies. A rulebook that prices options reprices
them; one that reads marks (Reg T, say) gets marks repriced by :mod:`margincore.pricing` with the option's exercise,
rates and dividends. Answers name what was assumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from margincore._core import (
    Account,
    Contract,
    Contracts,
    InvalidInput,
    Market,
    Methodology,
    MissingData,
    Position,
    Prepared,
)
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.mover import Mover
from margincore.engine import holder, rulebook

__all__ = ["Answers", "LiquidationPrice", "along", "liquidation_price", "moved", "rolled", "series"]

Holder = Account | Iterable[Position]


@dataclass(frozen=True, slots=True)
class Answers(Record):
    """One row per question: label, equity, initial and maintenance requirement, in the report's currency.

    `call` marks rows whose equity is below the initial requirement. `assumptions` say how options were repriced.
    """

    label: tuple[Any, ...]
    equity: NDArray[np.float64]
    initial: NDArray[np.float64]
    maintenance: NDArray[np.float64]
    assumptions: tuple[str, ...] = ()

    @property
    def excess(self) -> NDArray[np.float64]:
        """Equity less initial requirement."""
        return self.equity - self.initial

    @property
    def call(self) -> NDArray[np.bool_]:
        return self.equity < self.initial

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True, slots=True)
class LiquidationPrice(Record):
    """The nearest prices at which equity falls to the maintenance requirement; `None` where none is within range.

    `assumptions` say how options were repriced.
    """

    below: float | None
    above: float | None
    assumptions: tuple[str, ...] = ()


def _number(value: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise InvalidInput(f"{what} is {value!r}: a finite number is needed", code="not_finite")
    return float(value)


def _numbers(values: Iterable[float], what: str) -> list[float]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidInput(f"{what}: a list of numbers is needed, not {values!r}", code="wrong_type")
    return [_number(value, f"{what}[{i}]") for i, value in enumerate(values)]


def _answers(
    prepared: Iterable[tuple[Any, Prepared]], start: Prepared, account: Holder, mover: Mover | None = None
) -> Answers:
    live = start.open(holder(account))
    rows = []
    for label, moved_to in prepared:
        live.rebase(moved_to)
        margin = live.margin
        rows.append((label, live.equity, margin.initial, margin.maintenance))
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    equity, initial, maintenance = (np.array(column, dtype=np.float64) for column in columns[1:])
    return Answers(tuple(columns[0]), equity, initial, maintenance, mover.assumptions if mover else ())


def moved(
    prepared: Prepared,
    account: Holder,
    moves: Sequence[float],
    *,
    symbols: Sequence[str] | None = None,
    threads: int = 1,
) -> Answers:
    """Equity and requirement after spot moves by each fraction (-0.1 is ten percent down), all symbols or some.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> account = mc.Account([mc.Position(stock, 100)], cash={"USD": -4_000.0})
    >>> moved(prepared, account, [-0.1, 0.0, 0.1]).excess.round(6).tolist()
    [-175.0, 250.0, 675.0]
    """
    mover = Mover(prepared)
    names = list(mover.base.get("spot", {})) if symbols is None else given.rows("symbols", symbols)
    steps = ((m, mover.prepare(dict.fromkeys(names, 1.0 + m), threads=threads)) for m in _numbers(moves, "moves"))
    return _answers(steps, prepared, account, mover)


def rolled(prepared: Prepared, account: Holder, days: Sequence[float] = (1.0,), *, threads: int = 1) -> Answers:
    """Equity and requirement with nothing changed but the time, by calendar days.

    >>> import margincore as mc
    >>> put = mc.Option("XYZ", "put", 50, expiry="2026-12-18", settles="pm", exercise="european",
    ...                 multiplier=100, currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, rate={"USD": 0.04}, vol={put.id: 0.3})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([put], market)
    >>> answers = rolled(prepared, mc.Account([mc.Position(put, -1)], cash={"USD": 1_000.0}), [0.0, 1.0, 7.0])
    >>> bool((answers.equity[1:] > answers.equity[:-1]).all())      # a short option gains as time goes by
    True
    """
    mover = Mover(prepared)
    steps = ((d, mover.prepare({}, d, threads=threads)) for d in _numbers(days, "days"))
    return _answers(steps, prepared, account, mover)


def along(prepared: Prepared, account: Holder, path: Iterable[Mapping[str, float]], *, threads: int = 1) -> Answers:
    """Equity and requirement along a path of prices: each step maps symbols to their spot.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> account = mc.Account([mc.Position(stock, 100)], cash={"USD": -4_000.0})
    >>> along(prepared, account, [{"XYZ": 49.0}, {"XYZ": 47.0}, {"XYZ": 44.0}]).call.tolist()
    [False, True, True]
    """
    mover = Mover(prepared)
    spot = mover.base.get("spot", {})

    def factors(step: Mapping[str, float]) -> dict[str, float]:
        if not isinstance(step, Mapping):
            given.refuse("path", step, "each step is a mapping of prices by symbol", "wrong_type")
        missing = [s for s in step if s not in spot]
        if missing:
            raise MissingData(f"no spot price for '{missing[0]}' to move", code="missing_spot")
        return {s: _number(value, f"price of '{s}'") / spot[s] for s, value in step.items()}

    taken = ((step, factors(step)) for step in given.rows("path", path))
    steps = ((dict(step), mover.prepare(own, threads=threads)) for step, own in taken)
    return _answers(steps, prepared, account, mover)


#: Steps a side that a search may take: each margins the account once.
_MOST_STEPS = 100_000


def liquidation_price(
    prepared: Prepared,
    account: Holder,
    symbol: str,
    *,
    level: float = 1.0,
    reach: float = 0.9,
    steps: int = 60,
    threads: int = 1,
) -> LiquidationPrice:
    """The nearest prices of `symbol` below and above at which equity falls to `level` times maintenance.

    Looks as far as the fractions ``-reach`` and ``+reach`` in `steps` even steps a side, then bisects to the last bit
    that moves; a breach that opens and closes inside one step is not seen.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> account = mc.Account([mc.Position(stock, 100)], cash={"USD": -4_000.0})
    >>> found = liquidation_price(prepared, account, "XYZ")     # 100 p - 4000 = 15 % of 100 p
    >>> round(found.below, 6), found.above
    (47.058824, None)
    """
    if not (0.0 < reach < 1.0 and 1 <= steps <= _MOST_STEPS and 0.0 < level < math.inf):
        raise InvalidInput(
            f"liquidation_price: reach is {reach}, steps {steps} and level {level}: reach lies between 0 and 1, there "
            f"are 1 to {_MOST_STEPS} steps, and level is a positive number (1 is the maintenance requirement)",
            code="out_of_range",
        )
    mover = Mover(prepared)
    if symbol not in mover.base.get("spot", {}):
        raise MissingData(f"no spot price for '{symbol}'", code="missing_spot")
    spot = mover.base["spot"][symbol]
    held = holder(account)

    def distance(move: float) -> float:
        live = prepared.open(held)
        live.rebase(mover.prepare({symbol: 1.0 + move}, threads=threads))
        return live.equity - level * live.margin.maintenance

    def side(sign: float) -> float | None:
        inside = 0.0
        for k in range(1, steps + 1):
            outside = sign * reach * k / steps
            if distance(outside) < 0.0:
                for _ in range(60):
                    middle = (inside + outside) / 2
                    if middle in (inside, outside):
                        break
                    if distance(middle) < 0.0:
                        outside = middle
                    else:
                        inside = middle
                return float(spot * (1.0 + outside))
            inside = outside
        return None

    if distance(0.0) < 0.0:
        return LiquidationPrice(spot, spot, mover.assumptions)
    below, above = side(-1.0), side(1.0)
    return LiquidationPrice(below, above, mover.assumptions)


def series(
    account: Holder,
    contracts: Contracts | Iterable[Contract],
    dates: Iterable[tuple[Any, Methodology, Market]],
    *,
    threads: int = 1,
) -> Answers:
    """Equity and requirement over dated markets, each with the rulebook of its day: `(date, methodology, market)`.

    Futures and perpetuals settle from one date's marks to the next. `call` marks the margin-call days.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> days = [(day, mc.methods.Tims(), mc.Market(f"2026-11-{day}T16:00:00-05:00", spot={"XYZ": price}))
    ...         for day, price in ((18, 50.0), (19, 46.0), (20, 48.0))]
    >>> answers = series(mc.Account([mc.Position(stock, 100)], cash={"USD": -4_000.0}), [stock], days)
    >>> list(zip(answers.label, answers.call.tolist()))
    [(18, False), (19, True), (20, False)]
    """
    table = contracts if isinstance(contracts, Contracts) else Contracts(contracts)
    last: tuple[Methodology, Prepared] | None = None
    steps: list[tuple[Any, Prepared]] = []
    for label, methodology, market in dates:
        rulebook(methodology)
        if last is not None and last[0] is methodology:
            own = last[1].with_market(market, threads=threads)
        else:
            own = methodology.prepare(table, market, threads=threads)
        last = (methodology, own)
        steps.append((label, own))
    if not steps:
        return Answers((), np.empty(0), np.empty(0), np.empty(0))
    return _answers(steps, steps[0][1], account)
