"""Stresses over an account: the market moved, positions revalued, the requirement margined again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from margincore._core import Account, MarginError, Market, MissingData, NotApplicable, Position, Prepared
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.mover import Mover
from margincore.analysis.stress.moves import Stress
from margincore.engine import holder, ready

__all__ = ["Stressed", "market", "run"]

Floats = NDArray[np.float64]
Holder = Account | Iterable[Position]


@dataclass(frozen=True, slots=True, eq=False)
class Stressed(Record):
    """An account under stresses, one row each, in `currency`: what it gains, is worth, and is asked for afterwards.

    `profit` is the change of equity, a loss negative; `initial` and `maintenance` are the requirements in the moved
    market. A stress that the rulebook refuses is NaN, and `refused` has its reason under its name. `unmoved` are the
    underlyings that no stress moved; `assumptions` say how options were repriced.
    """

    names: tuple[str, ...]
    currency: str
    profit: Floats
    equity: Floats
    initial: Floats
    maintenance: Floats
    refused: Mapping[str, str]
    unmoved: tuple[str, ...]
    assumptions: tuple[str, ...]

    @property
    def excess(self) -> Floats:
        """Equity less initial requirement."""
        return np.asarray(self.equity - self.initial, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.names)


def market(prepared: Prepared, stress: Stress, *, classes: Mapping[str, str] | None = None) -> Market:
    """The market of a prepared rulebook after a stress.

    `classes` names the class of underlyings, by symbol. Spots move with their forwards, futures and perpetuals in
    proportion, or by the same points; options keep their volatility times the stress's. Exchange rates of a coin that
    moves move with it. Raises :class:`InvalidInput` where there is no market to move, and what :class:`Market` and
    pricing refuse: a price that may not be negative, say.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> before = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], before)
    >>> day = mc.stress.library()["2020-03-16"]
    >>> round(mc.stress.market(prepared, day, classes={"XYZ": "us_equity"}).to_dict()["spot"]["XYZ"], 2)
    44.01
    """
    return _Run(ready(prepared), classes).market(stress)


def run(
    prepared: Prepared,
    account: Holder,
    stresses: Iterable[Stress] | Mapping[str, Stress] | Stress | None = None,
    *,
    classes: Mapping[str, str] | None = None,
) -> Stressed:
    """An account under each stress: the moved market margined again by the same rulebook.

    `stresses` are one, several, or those of :func:`library` where left out. `classes` names the class of underlyings,
    by symbol. Equity is cash, positions at their marks and collateral, as a live account has it; its change is the
    profit.

    Raises :class:`NotApplicable` for a rulebook that carries an exchange's own arrays, which no market moves,
    :class:`MissingData` for a class of an underlying that is not in the table; where every stress is refused, the first
    reason is raised.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> before = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], before)
    >>> account = mc.Account([mc.Position(stock, 100)], cash={"USD": -3_000.0})
    >>> days = [mc.stress.library()[day] for day in ("1987-10-19", "2020-03-16")]
    >>> found = mc.stress.run(prepared, account, days, classes={"XYZ": "us_equity"})
    >>> found.profit.round(2).tolist(), found.initial.round(2).tolist(), found.excess.round(2).tolist()
    ([-1023.5, -599.0], [596.47, 660.15], [380.03, 740.85])
    """
    from margincore.analysis.stress.library import library

    own = ready(prepared)
    if stresses is None:
        chosen = list(library().values())
    elif isinstance(stresses, Stress):
        chosen = [stresses]
    else:
        chosen = list(stresses.values()) if isinstance(stresses, Mapping) else given.rows("stresses", stresses)
    for i, one in enumerate(chosen):
        if not isinstance(one, Stress):
            given.refuse(f"stresses[{i}]", one, "a Stress is needed", "wrong_type")
    going = _Run(own, classes)
    live = own.open(holder(account))
    today = live.equity
    rows = np.full((3, len(chosen)), np.nan)
    refused: dict[str, MarginError] = {}
    for i, one in enumerate(chosen):
        try:
            live.rebase(own.with_market(going.market(one)))
            rows[:, i] = live.equity, live.margin.initial, live.margin.maintenance
        except MarginError as error:
            refused[one.name] = error
    if chosen and len(refused) == len(chosen):
        raise next(iter(refused.values()))
    moved = {symbol for one in chosen for symbol in going.symbols if going.move(one, symbol).words()}
    equity, initial, maintenance = rows
    return Stressed(
        names=tuple(one.name for one in chosen),
        currency=own.currency,
        profit=equity - today,
        equity=equity,
        initial=initial,
        maintenance=maintenance,
        refused={name: str(error) for name, error in refused.items()},
        unmoved=tuple(symbol for symbol in going.symbols if symbol not in moved),
        assumptions=going.mover.assumptions,
    )


class _Run:
    """Moves one prepared market, stress by stress."""

    def __init__(self, prepared: Prepared, classes: Mapping[str, str] | None) -> None:
        if prepared.market is None:
            raise NotApplicable(
                f"{prepared.methodology.name} carries an exchange's own arrays: no move of a market changes what "
                "it asks",
                code="not_covered",
            )
        self.mover = Mover(prepared)
        base = self.mover.base
        self.symbols = list(dict.fromkeys([*base.get("spot", {}), *self.mover.linear, *self.mover.options]))
        self.classes = dict(classes or {})
        for symbol in self.classes:
            if symbol not in self.symbols:
                raise MissingData(
                    f"classes: no underlying '{symbol}' in the prepared table or its market",
                    code="unknown_name",
                    where=symbol,
                )

    def move(self, stress: Stress, symbol: str) -> Any:
        return stress.move(symbol, self.classes.get(symbol))

    def market(self, stress: Stress) -> Market:
        base: dict[str, Any] = dict(self.mover.base)
        if stress.rates and "rate" in base:
            base["rate"] = {
                currency: _shifted(curve, stress.rate(currency)) for currency, curve in base["rate"].items()
            }
        if stress.fx and "fx" in base:
            base["fx"] = {pair: rate * stress.exchange(pair) for pair, rate in base["fx"].items()}
        factors: dict[str, float] = {}
        spots: dict[str, float] = {}
        prices: dict[str, float] = {}
        vols: dict[str, float] = {}
        for symbol in self.symbols:
            move = self.move(stress, symbol)
            if move.vol is not None:
                vols[symbol] = 1.0 + move.vol
            if move.price is not None and (symbol in base.get("spot", {}) or symbol in self.mover.linear):
                factors[symbol] = 1.0 + move.price
            if move.points is not None:
                if symbol in base.get("spot", {}):
                    spots[symbol] = base["spot"][symbol] + move.points
                for name in self.mover.linear.get(symbol, ()):
                    if name in base.get("price", {}):
                        prices[name] = base["price"][name] + move.points
                if "forward" in base:
                    base["forward"] = [
                        {**f, "price": f["price"] + move.points} if f["underlying"] == symbol else f
                        for f in base["forward"]
                    ]
        return self.mover.market(factors, stress.days, spots=spots, prices=prices, base=base, vol_factor=vols)


def _shifted(curve: Any, shift: float) -> Any:
    if isinstance(curve, Mapping):
        return {day: rate + shift for day, rate in curve.items()}
    return curve + shift
