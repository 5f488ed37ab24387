"""The worst case of open orders, by a named policy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from margincore import _core
from margincore._pickles import Record

__all__ = ["OpenOrder", "OpenSizes", "Policy", "WorstOrders", "margin_with_orders", "open_sizes"]

Policy = Literal["none", "side_wise", "worst_subset"]


MOST = 12
"""Orders whose every combination of fills is margined: 4,096 accounts."""


@dataclass(frozen=True)
class OpenOrder(Record):
    """An order that may fill: a contract and a signed quantity, as those of a :data:`margincore.Trade`.

    `mmp` marks an order under market-maker protection: all of those together fill up to a limit, then they are pulled.
    """

    contract: _core.Contract
    quantity: float
    mmp: bool = False

    def __post_init__(self) -> None:
        _core.read_trades([(self.contract, self.quantity)])


@dataclass(frozen=True)
class OpenSizes(Record):
    """What one contract's orders can open on each side, and its position."""

    buy: float
    sell: float
    position: float

    @property
    def worst(self) -> float:
        """The signed position if the larger side fills."""
        return self.buy if self.buy >= self.sell else -self.sell


@dataclass(frozen=True)
class WorstOrders(Record):
    """The requirement in the worst case of a policy, and the fills (contract id: quantity) that give it.

    `exact` says whether every combination of fills was margined.
    """

    policy: Policy
    initial: float
    maintenance: float
    report: _core.MarginReport
    fills: Mapping[str, float]
    exact: bool = True


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
        for i, scenario in enumerate(unit.get("scenarios", ())):
            rows[name, i] = scenario.get("sum", scenario["pnl"])
    return rows


def _one_per_side(orders: Sequence[OpenOrder]) -> list[OpenOrder]:
    """Orders of one contract, side and protection as one: between them only the sum of their fills counts."""
    sums: dict[tuple[str, bool, bool], OpenOrder] = {}
    for order in orders:
        key = (order.contract.id, order.quantity > 0, order.mmp)
        known = sums.get(key)
        quantity = order.quantity + (known.quantity if known else 0.0)
        sums[key] = OpenOrder(order.contract, quantity, order.mmp)
    return list(sums.values())


def _corners(orders: Sequence[OpenOrder], limit: float | None) -> Iterator[tuple[float, ...]]:
    """The corners of what can fill: every subset whole; where protected orders reach their limit, one of them partly.

    A requirement that is convex in the fills is largest at a corner.
    """
    protected = [i for i, order in enumerate(orders) if order.mmp and limit is not None]
    for mask in itertools.product((False, True), repeat=len(orders)):
        fills = [order.quantity if fills else 0.0 for order, fills in zip(orders, mask, strict=True)]
        left = (limit or 0.0) - sum(abs(fills[i]) for i in protected)
        if left < 0.0:
            continue
        yield tuple(fills)
        for i in protected:
            lot = orders[i].contract.lot
            part = math.floor(left / lot + 1e-9) * lot
            if not mask[i] and 0.0 < part < abs(orders[i].quantity):
                yield (*fills[:i], math.copysign(part, orders[i].quantity), *fills[i + 1 :])


def margin_with_orders(
    prepared: _core.Prepared,
    positions: Iterable[_core.Position] | _core.Account,
    orders: Sequence[OpenOrder],
    *,
    policy: Policy,
    mmp_limit: float | None = None,
) -> WorstOrders:
    """The requirement of an account in the worst case of its open orders.

    - ``"none"``: orders are ignored.
    - ``"side_wise"``: per contract, the side with the larger open size fills whole; a venue's rule, not a bound.
    - ``"worst_subset"``: the largest requirement over every subset of orders and every partial fill, charges included.
      Up to ``MOST`` orders (those of one contract and side count as one) every corner of what can fill is
      margined, which is exact where the requirement is convex in the fills: under every rulebook here but for a
      capped liquidity charge (Deribit, above its threshold), rolled shorts (Deribit's vintage D, Dederi), stepped
      slippage (OKX's MR7), spot in use or as an upside offset, and a perpetual whose oracle is distrusted (Derive:
      holding any changes a rate). With more orders the scan alone is exact: in each scenario the orders that lose
      there fill, and the charges are those of its fills; ``exact`` is then false, and rulebooks without scenarios
      raise :class:`Unsupported`. `mmp_limit` caps how much the orders under market-maker protection fill in all, in
      contracts.

    >>> import margincore as mc
    >>> perp = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    >>> market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 1e5}, price={perp.id: 1e5})
    >>> prepared = mc.methods.Deribit().prepare([perp], market)
    >>> orders = [OpenOrder(perp, 2), OpenOrder(perp, -5, mmp=True)]
    >>> worst = margin_with_orders(prepared, [mc.Position(perp, 1)], orders, policy="worst_subset")
    >>> worst.fills, round(worst.initial, 6)      # the sells: four coins short
    ({'BTC perpetual': -5.0}, 60000.0)
    >>> capped = margin_with_orders(prepared, [mc.Position(perp, 1)], orders, policy="worst_subset", mmp_limit=1)
    >>> capped.fills                              # protection pulls the sells after one: the buys are worse
    {'BTC perpetual': 2.0}
    """
    account = positions if isinstance(positions, _core.Account) else _core.Account(list(positions))
    held = list(account.positions)

    def filled(fills: Mapping[str, tuple[_core.Contract, float]]) -> _core.Account:
        return _core.Account(
            _merged(held, fills),
            cash=account.cash,
            collateral=account.collateral,
            kind=account.kind,
        )

    def margin(fills: Mapping[str, tuple[_core.Contract, float]], exact: bool = True) -> WorstOrders:
        report = prepared.margin(filled(fills))
        need = report.requirement
        named = {name: quantity for name, (_, quantity) in fills.items() if quantity != 0.0}
        return WorstOrders(policy, need.initial, need.maintenance, report, named, exact)

    if policy == "none":
        return margin({})
    if policy == "side_wise":
        sizes = open_sizes(held, orders)
        contracts = {order.contract.id: order.contract for order in orders}
        return margin({name: (c, sizes[name].worst - sizes[name].position) for name, c in contracts.items()})
    if policy != "worst_subset":
        raise _core.InvalidInput(f"policy {policy!r}: use none, side_wise or worst_subset")
    if mmp_limit is not None and not (math.isfinite(mmp_limit) and mmp_limit >= 0.0):
        raise _core.InvalidInput(f"mmp_limit is {mmp_limit}: a number of contracts is needed", code="out_of_range")
    sides = _one_per_side(orders)

    def by_contract(quantities: Iterable[float]) -> dict[str, tuple[_core.Contract, float]]:
        fills: dict[str, tuple[_core.Contract, float]] = {}
        for order, quantity in zip(sides, quantities, strict=True):
            known = fills.get(order.contract.id, (order.contract, 0.0))[1]
            fills[order.contract.id] = (order.contract, known + quantity)
        return fills

    if len(sides) <= MOST:
        corners = [by_contract(corner) for corner in _corners(sides, mmp_limit)]
        needs = prepared.margin_many([filled(fills) for fills in corners]).initial
        return margin(corners[int(needs.argmax())])
    rows = [_cells(prepared.margin([_core.Position(order.contract, order.quantity)])) for order in sides]
    cells = sorted({cell for row in rows for cell in row})
    if mmp_limit is not None or not cells:
        raise _core.Unsupported(
            f"worst_subset: {len(sides)} orders under a limit of fills, or under a rulebook without scenarios: "
            f"at most {MOST} are margined in every combination"
        )
    worst = margin({}, exact=False)
    tried: set[tuple[bool, ...]] = set()
    for cell in cells:
        losing = tuple(row.get(cell, 0.0) < 0.0 for row in rows)
        if losing not in tried:
            tried.add(losing)
            found = margin(
                by_contract(o.quantity if loses else 0.0 for o, loses in zip(sides, losing, strict=True)), exact=False
            )
            worst = found if found.initial > worst.initial else worst
    return worst
