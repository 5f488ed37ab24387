"""One commodity while the steps run over it, and the loading of a portfolio into such states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .model import Commodity, Contract, Leg, Options, Parameters, Point, Tier

WHOLE = Tier(0)


@dataclass
class CommodityResult:
    """Every intermediate of one combined commodity, in its own currency."""

    code: str
    currency: str
    array: list[float] = field(default_factory=list)
    scan: float = 0.0
    active: int = 0
    paired: int = 0
    vol_adjusted: float = 0.0
    vol_risk: float = 0.0
    time_risk: float = 0.0
    price_risk: float = 0.0
    wfpr: float = 0.0
    delta_by_period: dict[str, float] = field(default_factory=dict)
    net_delta: float = 0.0
    intra: float = 0.0
    intra_spreads: float = 0.0
    delivery: float = 0.0
    delivery_spread: float = 0.0
    delivery_outright: float = 0.0
    basis: float = 0.0
    super_credit: float = 0.0
    inter_credit: float = 0.0
    exchange_credit: float = 0.0
    som: float = 0.0
    nov: float = 0.0
    risk: float = 0.0
    span_requirement: float = 0.0
    anov: float = 0.0
    total: float = 0.0


def price_risk(array: Sequence[float], points: Sequence[Point]) -> dict[str, float]:
    """Scan risk and its price, time and vol parts; scan = price + time + vol unless price risk is floored.

    >>> price_risk([1.0, 3.0], [Point(0.0, 1.0, 1.0, 1), Point(0.0, -1.0, 1.0, 0)])["time_risk"]
    2.0
    """
    active = max(range(len(array)), key=lambda i: (array[i], -i))
    if array[active] <= 0.0:
        return dict(scan=0.0, active=active, paired=points[active].paired, vol_adjusted=0.0, vol_risk=0.0,
                    time_risk=0.0, price_risk=0.0)  # fmt: skip
    paired = points[active].paired
    adjusted = (array[active] + array[paired]) / 2.0
    time = (array[0] + array[points[0].paired]) / 2.0
    return dict(scan=array[active], active=active, paired=paired, vol_adjusted=adjusted,
                vol_risk=array[active] - adjusted, time_risk=time, price_risk=max(adjusted - time, 0.0))  # fmt: skip


def round_delta(delta: float, how: str) -> float:
    """A net delta rounded to whole deltas: none, half_even or half_down.

    >>> round_delta(-2.6, "half_even"), round_delta(2.5, "half_down"), round_delta(2.5, "none")
    (-3.0, 2.0, 2.5)
    """
    if how == "none":
        return delta
    if how == "half_even":
        return float(round(delta))
    if how == "half_down":
        return math.copysign(math.ceil(abs(delta) - 0.5), delta)
    raise ValueError(f"delta_rounding {how!r}: none, half_even or half_down")


def wfpr(method: str, risk: float, net_delta: float, scan_range: float) -> float:
    """Weighted futures price risk; none where the net delta is zero.

    >>> wfpr("SCANRANGE_CAP", 2485.0, -2.0, 1000.0)
    1000.0
    """
    if method == "SCANRANGE":
        return scan_range
    if net_delta == 0.0:
        return 0.0
    normal = risk / abs(net_delta)
    if method == "NORMAL":
        return normal
    if method == "SCANRANGE_CAP":
        return min(normal, scan_range)
    raise ValueError(f"wfpr method {method!r} is not known")


class State:
    """One commodity while the steps run over it."""

    def __init__(self, parameters: Parameters, commodity: Commodity, options: Options) -> None:
        self.parameters, self.commodity, self.options = parameters, commodity, options
        self.result = CommodityResult(commodity.code, commodity.currency)
        self.cells: dict[str, list[float]] = {}
        self.original: dict[str, float] = {}
        self.left: dict[str, float] = {}
        self.ranges: dict[str, float] = {}
        self.used_intra: dict[str, float] = {}
        self.used_inter: dict[str, float] = {}
        self.merged: list[float] | None = None
        self.merged_net = 0.0
        self.moved = False
        self.short_options: dict[tuple[int, str], float] = {}
        self.spot_position = 0.0
        self.long_only = True

    def in_delivery(self, period: str) -> bool:
        return any(spot.period == period for spot in self.commodity.spot_rates)

    def tiers(self, tiers: list[Tier], number: int) -> Tier:
        for tier in tiers:
            if tier.number == number:
                return tier
        if number == 0:
            return WHOLE
        raise KeyError(f"commodity {self.commodity.code} has no tier {number}")

    def vector(self, tier: Tier) -> list[float]:
        if self.merged is not None:
            return self.merged
        total = [0.0] * len(self.parameters.points)
        for period in sorted(self.cells):
            if tier.holds(period):
                total = [a + b for a, b in zip(total, self.cells[period], strict=True)]
        return total

    def scan(self) -> float:
        if self.merged is not None:
            return price_risk(self.merged, self.parameters.points)["scan"]
        return sum(
            price_risk(self.vector(t), self.parameters.points)["scan"] for t in self.commodity.scan_tiers or [WHOLE]
        )

    def periods(self, leg: Leg, intra: bool) -> list[str]:
        """The leg's periods, nearest first, that may take part in such a spread."""
        if leg.period is not None:
            periods = [leg.period]
        else:
            tier = self.tiers(self.commodity.intra_tiers if intra else self.commodity.inter_tiers, leg.tier)
            periods = [p for p in sorted(self.left) if tier.holds(p)]
        if intra or self.options.delivery_months_in_inter:
            return periods
        return [p for p in periods if not self.in_delivery(p)]

    def available(self, leg: Leg, side: int, intra: bool) -> float:
        return sum(max(side * self.left.get(p, 0.0), 0.0) for p in self.periods(leg, intra))

    def consume(self, leg: Leg, side: int, amount: float, intra: bool) -> None:
        used = self.used_intra if intra else self.used_inter
        for period in self.periods(leg, intra):
            taken = min(max(side * self.left.get(period, 0.0), 0.0), amount)
            if taken > 0.0:
                self.left[period] -= side * taken
                used[period] = used.get(period, 0.0) + taken
                amount -= taken

    def weighted(self, leg: Leg, cap_scan: bool = False) -> float:
        """WFPR of the leg's inter-commodity tier, on its deltas before any spread.

        A tier that spreads within the commodity know and those between commodities do not stands for all of it.
        """
        known = any(tier.number == leg.tier for tier in self.commodity.inter_tiers)
        tier = self.tiers(self.commodity.inter_tiers, leg.tier) if known else WHOLE
        held = sum(d for p, d in self.original.items() if tier.holds(p))
        net = held if self.merged is None else self.merged_net
        parts = price_risk(self.vector(tier), self.parameters.points)
        scan_range = max((r for p, r in self.ranges.items() if tier.holds(p)), default=0.0)
        value = wfpr(
            self.commodity.wfpr, parts["price_risk"], round_delta(net, self.options.delta_rounding), scan_range
        )
        if cap_scan and net != 0.0:
            value = min(value, parts["scan"] / abs(net))
        return value

    def som(self) -> float:
        """The short option minimum: every short option counts in the first tier that holds its period."""
        total = 0.0
        for i, tier in enumerate(self.commodity.som_tiers):
            calls, puts = (self.short_options.get((i, right), 0.0) for right in "CP")
            count = max(calls, puts) if self.commodity.som_method == "MAX" else calls + puts
            total += count * (tier.rate or 0.0) * 10.0**self.commodity.risk_exponent
        return total

    def delivery(self) -> None:
        """Charges per delta of a delivery month, used by spreads and left outright; and the basis charge."""
        result, money = self.result, 10.0**self.commodity.risk_exponent
        for spot in self.commodity.spot_rates:
            original = abs(self.original.get(spot.period, 0.0))
            consumed = self.used_intra.get(spot.period, 0.0)
            if self.options.delivery_counts_inter:
                consumed += self.used_inter.get(spot.period, 0.0)
            result.delivery_spread += consumed * spot.spread * money
            result.delivery_outright += max(original - consumed, 0.0) * spot.outright * money
        result.delivery = result.delivery_spread + result.delivery_outright
        result.basis = self.spot_position * self.commodity.basis_rate * money


def load(parameters: Parameters, positions: Mapping[str, float], options: Options) -> dict[str, State]:
    """The positions' arrays and deltas, added up by commodity and period."""
    states: dict[str, State] = {}

    def state_of(code: str) -> State:
        if code not in states:
            states[code] = State(parameters, parameters.commodities[code], options)
        return states[code]

    def add(contract: Contract, quantity: float, with_array: bool, delta: float) -> None:
        state = state_of(contract.commodity)
        commodity = state.commodity
        money = 10.0**commodity.risk_exponent
        fx = parameters.fx(contract.currency or commodity.currency, commodity.currency)
        period = contract.period
        if with_array:
            lots = quantity * (contract.scale if parameters.contract_scale else 1.0)
            cell = state.cells.setdefault(period, [0.0] * len(parameters.points))
            for i, a in enumerate(contract.array):
                cell[i] += lots * a * money * fx
        per_lot = contract.scale * contract.delta_scale
        state.original[period] = state.original.get(period, 0.0) + delta * per_lot
        # A range per delta: where the link scales contracts, it scales the range and the delta alike.
        per_delta = contract.delta_scale * (1.0 if parameters.contract_scale else contract.scale)
        if per_delta != 0.0:
            scan_range = contract.price_scan * money * fx / abs(per_delta)
            state.ranges[period] = max(state.ranges.get(period, 0.0), scan_range)

    for id_ in sorted(positions):
        quantity = positions[id_]
        if quantity == 0.0:
            continue
        contract = parameters.contracts[id_]
        commodity = parameters.commodities[contract.commodity]
        split = commodity.combination.method
        if contract.legs and contract.kind == "CMB" and split in ("S", "M"):
            for leg_id, ratio in contract.legs:
                leg = parameters.contracts[leg_id]
                add(leg, quantity * ratio, True, quantity * ratio * leg.delta)
        elif contract.legs:
            add(contract, quantity, True, 0.0)
            for leg_id, ratio in contract.legs:
                leg = parameters.contracts[leg_id]
                add(leg, 0.0, False, quantity * contract.delta * ratio * contract.scale * leg.delta)
        else:
            add(contract, quantity, True, quantity * contract.delta)
        state = state_of(contract.commodity)
        if contract.right:
            if contract.premium_style:
                fx = parameters.fx(contract.currency or commodity.currency, commodity.currency)
                state.result.nov += quantity * contract.value * fx
            tiers = enumerate(commodity.som_tiers)
            tier = next((i for i, t in tiers if t.holds(contract.period)), None)
            if quantity < 0.0 and tier is not None:
                key = tier, contract.right
                state.short_options[key] = state.short_options.get(key, 0.0) - quantity * contract.scale
        if contract.kind == "PHY" and commodity.basis_product in ("", contract.product):
            state.spot_position += abs(quantity)
        if not (contract.right and contract.premium_style and quantity > 0.0):
            state.long_only = False
    for state in states.values():
        state.original = {p: state.original[p] for p in sorted(state.original)}
        state.left = dict(state.original)
        state.ranges = {p: r for p, r in state.ranges.items() if state.original.get(p, 0.0) != 0.0}
    return states
