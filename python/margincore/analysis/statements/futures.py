"""A futures account: clearing and customers' requirements, option value inside or outside, the pre-trade credit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from margincore._core import Account, InvalidInput, MissingData, Position, Prepared
from margincore.analysis.statements.plain import Part
from margincore.engine import holder

__all__ = ["FuturesAccount", "futures_account", "open_trade_equity", "pretrade_cost"]


@dataclass(frozen=True, slots=True)
class FuturesAccount(Part):
    """The two comparisons of a futures account, never mixed; amounts in the report's currency.

    Option value inside: `risk`, before option value, against `equity`, which is cash, open trade equity and net option
    value. Outside: `risk_less_option_value` against `cash_and_open_trade_equity`. Both leave the same excess. `initial`
    is customers' initial requirement on the basis of `risk`, the clearing (maintenance) one. `pretrade` is what the
    published credit formula of a pre-trade service counts as used, `None` where its premiums are not stated.
    """

    risk: float
    initial: float
    option_value: float
    equity: float
    pretrade: float | None = None

    @property
    def risk_less_option_value(self) -> float:
        """`risk` less `option_value`."""
        return self.risk - self.option_value

    @property
    def cash_and_open_trade_equity(self) -> float:
        """`equity` less `option_value`."""
        return self.equity - self.option_value


def futures_account(
    maintenance: float, initial: float, option_value: float, equity: float, ratio: float | None
) -> FuturesAccount:
    """A futures account with customers' initial requirement: the rulebook's, or `ratio` times the clearing one.

    Raises :class:`margincore.InvalidInput` where both are given or the ratio is below 1.
    """
    if ratio is not None:
        if not (math.isfinite(ratio) and ratio >= 1.0):
            raise InvalidInput(
                f"initial_ratio is {ratio}: a number from 1 is needed", where="initial_ratio", code="out_of_range"
            )
        if initial != maintenance:
            raise InvalidInput(
                "initial_ratio: the rulebook has an initial requirement of its own: leave it out",
                where="initial_ratio",
                code="contradiction",
            )
        initial = ratio * maintenance
    return FuturesAccount(maintenance, initial, option_value, equity)


def pretrade_cost(
    risk_less_option_value: float, open_trade_equity: float, filled_premium: float, working_premium: float
) -> float:
    """What a pre-trade service counts against an account's credit, in one currency.

    The requirement with option value in it, less open trade equity, plus the premium of filled options (paid positive,
    received negative), plus the premium of working long options.

    >>> pretrade_cost(10_000.0, 1_500.0, 400.0, 250.0)
    9150.0
    """
    return risk_less_option_value - open_trade_equity + filled_premium + working_premium


def open_trade_equity(
    account: Account | Iterable[Position], trade_prices: Mapping[str, float], prepared: Prepared
) -> dict[str, float]:
    """Profit (positive) on futures from the prices they were traded at to their marks, by currency, each in its own.

    `trade_prices` are average prices in the contract's quote, by contract id. Raises
    :class:`margincore.MissingData` for a future without one, or without a mark.

    >>> import margincore as mc
    >>> future = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=50, currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"ES": 6_600.0}, price={future.id: 6_610.0})
    >>> rules = mc.methods.SpanLike({"ES": {"price_scan": 0.06, "vol_scan": 0.25}})
    >>> prepared = mc.Engine(rules).prepare([future], market)
    >>> open_trade_equity([mc.Position(future, 2)], {future.id: 6_600.0}, prepared)
    {'USD': 1000.0}
    """
    held = [p for p in holder(account).positions if p.contract.kind in ("future", "perpetual")]
    missing = [p.contract.id for p in held if p.contract.id not in trade_prices]
    if missing:
        raise MissingData(f"no trade price of {', '.join(missing)}", where="trade_prices", code="missing_price")
    marks = {} if prepared.market is None else prepared.market.to_dict().get("price", {})
    unmarked = [p.contract.id for p in held if p.contract.id not in marks]
    if unmarked:
        raise MissingData(
            f"no mark of {', '.join(unmarked)}: add it to market.price", where="market.price", code="missing_price"
        )
    live = prepared.open([])
    live.apply([(p.contract, p.quantity, trade_prices[p.contract.id]) for p in held])
    return dict(live.cash)
