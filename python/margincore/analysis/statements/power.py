"""Buying power by class of thing bought: what the excess buys at the rulebook's own rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from margincore._core import Account, Contract, Market, Methodology, Position, Prepared
from margincore.analysis.statements.money import Valuation
from margincore.analysis.statements.plain import Part
from margincore.methods.base import Rulebook
from margincore.portfolio import Etf, Stock

__all__ = ["BuyingPower", "Rates", "affordable", "class_rates", "rates_of"]

_FUNDS = (2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Rates(Part):
    """What one unit of value bought requires, initially and for maintenance: fractions, 1 where paid in full."""

    of: str
    initial: float
    maintenance: float


@dataclass(frozen=True, slots=True)
class BuyingPower(Part):
    """How much of one class can be bought without a call, in the report's currency.

    ``min(max(SMA, initial excess) / initial rate, maintenance excess / maintenance rate)``, not below zero, and held to
    what can be paid in full where the equity does not reach the minimum.
    """

    of: str
    initial_rate: float
    maintenance_rate: float
    amount: float


def affordable(rates: Rates, sma: float | None, initial_excess: float, maintenance_excess: float) -> BuyingPower:
    """The formula, at given rates. Without `sma` the initial excess stands alone, which is never more.

    >>> affordable(Rates("stock", 0.5, 0.25), 10_000.0, -6_000.0, 3_500.0).amount
    14000.0
    """
    free = initial_excess if sma is None else max(sma, initial_excess)
    amount = max(0.0, min(free / rates.initial, maintenance_excess / rates.maintenance))
    return BuyingPower(rates.of, rates.initial, rates.maintenance, amount)


def _alone(prepared: Prepared, contract: Contract, of: str) -> Rates | None:
    """The rates of a long holding by itself; `None` where it has no positive value."""
    position = Position(contract, max(contract.lot, 1.0))
    report = prepared.margin([position])
    value = Valuation(prepared, Account([]), None).of([position])
    if not value > 0.0:
        return None
    maintenance = report.maintenance / value
    return Rates(of, max(report.initial / value, maintenance), maintenance)


def rates_of(prepared: Prepared, contracts: Iterable[Contract]) -> tuple[Rates, ...]:
    """The rates of stock and funds that the table has, each bought alone, at its own price."""
    found = (_alone(prepared, c, c.id) for c in contracts if c.kind in ("stock", "etf"))
    return tuple(rates for rates in found if rates is not None and rates.initial > 0.0)


def class_rates(methodology: Methodology, valuation: str, currency: str) -> tuple[Rates, ...]:
    """The rates of any marginable stock and of leveraged funds under a Reg T rulebook, asked of it.

    They are those of a made-up stock and of made-up funds at 100, so that a house's percentages are in them. Empty for
    a rulebook that is not built from a document; raises what the rulebook raises.
    """
    if not isinstance(methodology, Rulebook):
        return ()
    parameters = methodology.to_dict()
    name = parameters.pop("name")
    funds = {f"FUND{leverage:g}": {"class": "etf", "leverage": leverage} for leverage in _FUNDS}
    parameters["underlyings"] = {**parameters.get("underlyings", {}), **funds}
    table = {Stock("STOCK", currency=currency): "marginable stock"}
    for symbol, terms in funds.items():
        table[Etf(symbol, currency=currency)] = f"fund of leverage {terms['leverage']:g}"
    market = Market(valuation, spot={contract.underlying: 100.0 for contract in table})
    prepared = Rulebook(name, parameters).prepare(list(table), market)
    found = [_alone(prepared, contract, of) for contract, of in table.items()]
    return tuple(rates for rates in found if rates is not None)
