"""The worst case of open orders, by a named policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from margincore import _core

__all__ = ["OpenOrder", "OpenSizes", "Policy", "WorstOrders", "margin_with_orders", "open_sizes"]

Policy = Literal["none", "side_wise", "worst_subset"]


@dataclass(frozen=True)
class OpenOrder:
    """An order that may fill: a contract and a signed quantity in contracts (positive buys)."""

    contract: _core.Contract
    quantity: float


@dataclass(frozen=True)
class OpenSizes:
    """What one contract's orders can open on each side, and its position."""

    buy: float
    sell: float
    position: float

    @property
    def worst(self) -> float:
        """The signed position if the larger side fills."""
        return self.buy if self.buy >= self.sell else -self.sell


@dataclass(frozen=True)
class WorstOrders:
    """The requirement in the worst case of a policy, and the fills (contract id: quantity) that give it."""

    policy: Policy
    initial: float
    maintenance: float
    report: _core.MarginReport
    fills: Mapping[str, float]


def open_sizes(positions: Iterable[_core.Position], orders: Sequence[OpenOrder]) -> dict[str, OpenSizes]:
    """Open size by contract as OKX and Paradex count it: max(0, buys + position) and max(0, sells - position).

    >>> import margincore as mc
    >>> perp = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    >>> open_sizes([mc.Position(perp, -1)], [OpenOrder(perp, 3), OpenOrder(perp, -2)])[perp.id]
    OpenSizes(buy=2.0, sell=3.0, position=-1.0)
    """
    held: dict[str, float] = {}
    for position in positions:
        held[position.contract.id] = held.get(position.contract.id, 0.0) + position.quantity
    buys: dict[str, float] = {}
    sells: dict[str, float] = {}
    for order in orders:
        side = buys if order.quantity > 0 else sells
        side[order.contract.id] = side.get(order.contract.id, 0.0) + abs(order.quantity)
    return {
        name: OpenSizes(
            max(0.0, buys.get(name, 0.0) + held.get(name, 0.0)),
            max(0.0, sells.get(name, 0.0) - held.get(name, 0.0)),
            held.get(name, 0.0),
        )
        for name in sorted({*held, *buys, *sells})
    }


def _merged(
    positions: Sequence[_core.Position], fills: Mapping[str, tuple[_core.Contract, float]]
) -> list[_core.Position]:
    extra = [_core.Position(contract, quantity) for contract, quantity in fills.values() if quantity != 0.0]
    return [*positions, *extra]


def _cells(report: _core.MarginReport) -> dict[tuple[str, int], float]:
    """Profit and loss by unit and scenario before dampening and offsets."""
    rows: dict[tuple[str, int], float] = {}
    units: Mapping[str, Any] = report.details["units"]
    for name, unit in units.items():
        for i, scenario in enumerate(unit["scenarios"]):
            rows[name, i] = scenario.get("sum", scenario["pnl"])
    return rows


def margin_with_orders(
    prepared: _core.Prepared,
    positions: Iterable[_core.Position] | _core.Account,
    orders: Sequence[OpenOrder],
    *,
    policy: Policy,
) -> WorstOrders:
    """The requirement of an account in the worst case of its open orders.

    - ``"none"``: orders are ignored.
    - ``"side_wise"``: per contract, the side with the larger open size fills whole; a venue's rule, not a bound.
    - ``"worst_subset"``: over every subset of orders and every partial fill, the largest scan: in each scenario the
      orders that lose there fill. For each scenario the account with those fills is margined, charges included, and
      the largest initial requirement counts; the scan in it is exact, the charges beside it are those of its fills.

    >>> import margincore as mc
    >>> perp = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    >>> market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 1e5}, price={perp.id: 1e5})
    >>> prepared = mc.methods.Deribit().prepare([perp], market)
    >>> orders = [OpenOrder(perp, 2), OpenOrder(perp, -5)]
    >>> worst = margin_with_orders(prepared, [mc.Position(perp, 1)], orders, policy="worst_subset")
    >>> worst.fills, round(worst.initial, 6)      # the sells: four coins short
    ({'BTC perpetual': -5.0}, 68000.0)
    """
    account = positions if isinstance(positions, _core.Account) else _core.Account(list(positions))
    held = list(account.positions)

    def margin(fills: Mapping[str, tuple[_core.Contract, float]]) -> WorstOrders:
        filled = _core.Account(
            _merged(held, fills),
            cash=account.cash,
            collateral=account.collateral,
            kind=account.kind,
            equity=account.equity,
        )
        report = prepared.margin(filled)
        need = report.requirement
        named = {name: quantity for name, (_, quantity) in fills.items()}
        return WorstOrders(policy, need.initial, need.maintenance, report, named)

    contracts = {order.contract.id: order.contract for order in orders}
    if policy == "none":
        return margin({})
    if policy == "side_wise":
        sizes = open_sizes(held, orders)
        return margin({name: (c, sizes[name].worst - sizes[name].position) for name, c in contracts.items()})
    if policy != "worst_subset":
        raise _core.InvalidInput(f"policy {policy!r}: use none, side_wise or worst_subset")
    rows = [_cells(prepared.margin([_core.Position(order.contract, order.quantity)])) for order in orders]
    worst = margin({})
    tried: set[tuple[bool, ...]] = {(False,) * len(orders)}
    for cell in sorted({cell for row in rows for cell in row}):
        losing = tuple(row.get(cell, 0.0) < 0.0 for row in rows)
        if losing in tried:
            continue
        tried.add(losing)
        fills: dict[str, tuple[_core.Contract, float]] = {}
        for order, loses in zip(orders, losing, strict=True):
            if loses:
                quantity = fills.get(order.contract.id, (order.contract, 0.0))[1]
                fills[order.contract.id] = (order.contract, quantity + order.quantity)
        found = margin(fills)
        if found.initial > worst.initial:
            worst = found
    return worst
