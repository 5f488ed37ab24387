"""Margin ratio, distance to maintenance, the first breach along a path of shocks, partial liquidation.

The price that liquidates an account, on either side of the market, is :func:`margincore.questions.liquidation_price`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from margincore import _core
from margincore._pickles import Record
from margincore.analysis.mover import Mover

__all__ = [
    "Health",
    "LiquidationPlan",
    "LiquidationStep",
    "borrowable",
    "first_breach",
    "first_breaches",
    "health",
    "partial_liquidation",
]


FALLING = tuple(percent / -100.0 for percent in range(1, 100))
"""A path of shocks: down by one percent after another."""


@dataclass(frozen=True)
class Health(Record):
    """Where an account stands, in the report's currency. `ratio` is maintenance over equity: at 1 it is liquidated."""

    equity: float
    initial: float
    maintenance: float

    @property
    def ratio(self) -> float:
        """Maintenance over equity; infinite without equity."""
        return self.maintenance / self.equity if self.equity > 0.0 else float("inf")

    @property
    def distance(self) -> float:
        """Equity above maintenance; negative once liquidation is due."""
        return self.equity - self.maintenance

    @property
    def reduce_only(self) -> bool:
        """Whether equity is below initial margin."""
        return self.equity < self.initial


def health(report: _core.MarginReport, equity: float) -> Health:
    """An account's standing from its report and its equity (cash, collateral and option value) in that currency.

    >>> import margincore as mc
    >>> perp = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    >>> market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 1e5}, price={perp.id: 1e5})
    >>> report = mc.margin([mc.Position(perp, 25)], market, mc.methods.Deribit("standard"))
    >>> health(report, 56250.0).ratio
    0.5
    """
    return Health(equity, report.requirement.initial, report.requirement.maintenance)


def first_breach(
    reprice: Callable[[float], Health], price: float, moves: Iterable[float], *, precision: float = 1e-9
) -> float | None:
    """The price at which maintenance reaches equity along a path of shocks, or nothing where it never does.

    `reprice(move)` gives the account's standing after the underlying moved by the fraction `move`; `moves` is the
    path outwards from 0, such as ``[-0.01 * k for k in range(1, 100)]``. The first shock on the path at which the
    account is liquidated is refined by bisection against the shock before it; nothing between two shocks that both
    stand is examined. Where the account is liquidated already, its present price is returned.

    >>> state = lambda move: Health(100.0 + 500.0 * move, 20.0, 10.0)
    >>> round(first_breach(state, 1000.0, [-0.05 * k for k in range(1, 20)]), 6)
    820.0
    """
    if reprice(0.0).distance <= 0.0:
        return price
    before = 0.0
    for move in moves:
        if reprice(move).distance > 0.0:
            before = move
            continue
        alive, dead = before, move
        while abs(dead - alive) > precision:
            middle = 0.5 * (alive + dead)
            if reprice(middle).distance > 0.0:
                alive = middle
            else:
                dead = middle
        return price * (1.0 + dead)
    return None


def first_breaches(
    account: _core.Account | Iterable[_core.Position],
    market: _core.Market,
    methodology: _core.Methodology,
    *,
    moves: Iterable[float] = FALLING,
    precision: float = 1e-9,
) -> dict[str, float | None]:
    """The :func:`first_breach` of every underlying held, the others standing still; nothing where there is none.

    Along the path `moves` (fractions from 0 outwards; falling by default) an underlying's spot, forwards and marks
    move alike and volatilities stand still; options are valued by the rulebook at their vols, never at a quoted
    price. Equity is the account's cash, option value, spot, and the profit of futures since `market`. Contracts are
    linear and share one currency, else :class:`NotApplicable` is raised; an option without a vol in `market` raises
    :class:`MissingData`: its price would not move.

    >>> import margincore as mc
    >>> perp = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    >>> market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 60000.0}, price={perp.id: 60000.0})
    >>> account = mc.Account([mc.Position(perp, 1)], cash={"USDC": 12_000})
    >>> {k: round(v, 2) for k, v in first_breaches(account, market, mc.methods.Deribit("standard")).items()}
    {'BTC': 48487.3}
    """
    held = account if isinstance(account, _core.Account) else _core.Account(list(account))
    contracts = [position.contract for position in held.positions]
    currencies = {contract.currency for contract in contracts}
    if len(currencies) != 1 or any(contract.to_dict().get("settlement") == "inverse" for contract in contracts):
        raise _core.NotApplicable(
            f"first breaches need linear contracts of one currency, not {', '.join(sorted(currencies)) or 'none'}"
        )
    (currency,) = currencies
    document = market.to_dict()
    path = list(moves)
    if still := [c.id for c in contracts if c.kind == "option" and c.id not in document.get("vol", {})]:
        raise _core.MissingData(f"no vol for option {still[0]!r}: add it to market.vol", code="missing_vol")

    mover = Mover(methodology.prepare(contracts, market))

    def linear(position: _core.Position, underlying: str, move: float) -> float:
        contract = position.contract
        if contract.kind == "option":
            return 0.0
        mark = document.get("price", {}).get(contract.id) or document["spot"][contract.underlying]
        gain = move * mark if contract.underlying == underlying else 0.0
        return position.quantity * contract.multiplier * (mark + gain if contract.kind == "spot" else gain)

    def state(underlying: str, move: float) -> Health:
        report = mover.prepare({underlying: 1.0 + move}).margin(held)
        worth = held.cash.get(currency, 0.0) + report.net_option_value
        return health(report, worth + sum(linear(position, underlying, move) for position in held.positions))

    def price(underlying: str) -> float | None:
        return first_breach(
            lambda move: state(underlying, move), document["spot"][underlying], path, precision=precision
        )

    return {name: price(name) for name in sorted({contract.underlying for contract in contracts})}


@dataclass(frozen=True)
class LiquidationStep(Record):
    """One share tried: what is left of the margin, the penalty, what the account is worth, and their ratio."""

    share: float
    mmr: float
    penalty: float
    value: float
    ratio: float


@dataclass(frozen=True)
class LiquidationPlan(Record):
    """The smallest share that brings the ratio below the target (1 where none does), and every share tried."""

    share: float
    steps: tuple[LiquidationStep, ...]


def partial_liquidation(
    mmr: float, account_value: float, *, fee: float, target: float = 0.9, step: float = 0.2
) -> LiquidationPlan:
    """Paradex's partial liquidation: the share closed, in steps, until margin over value is below target.

    `fee` is the penalty as a share of the margin released. The venue's own table uses 50 %, its text says 70 %: it is
    an argument, never assumed.

    >>> partial_liquidation(88.8, 80.0, fee=0.5).share
    0.4
    """
    steps = []
    for k in range(1, round(1.0 / step)):
        share = k * step
        left, penalty = mmr * (1.0 - share), mmr * share * fee
        worth = account_value - penalty
        steps.append(LiquidationStep(share, left, penalty, worth, left / worth if worth > 0.0 else float("inf")))
    chosen = next((s.share for s in steps if s.ratio < target), 1.0)
    return LiquidationPlan(chosen, tuple(steps))


def borrowable(quantity: float, oracle_price: float, ltv: float) -> float:
    """What an asset lets a Hyperliquid account borrow, in the quote currency: quantity, oracle price, loan to value.

    >>> borrowable(10_000.0, 40.0, 0.5)
    200000.0
    """
    return quantity * oracle_price * ltv
