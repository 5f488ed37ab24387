"""The SPAN requirement of one portfolio, in the order in which the rulebook takes its steps.

Scan risk, super spreads, intra-commodity spreads, delivery, inter-commodity spreads, inter-exchange spreads, short
option minimum, option value. Everything fractional, nothing rounded, unless `Options` says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .model import Commodity, Contract, Leg, Options, Parameters, Point, Spread, Tier

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


@dataclass
class Result:
    """A portfolio's requirement: by commodity, the spreads formed, and the totals in the base currency."""

    commodities: dict[str, CommodityResult]
    spreads: list[dict[str, object]]
    span_requirement: float
    nov: float
    requirement: float
    maintenance: float


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


class _State:
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
        self.short_calls: dict[str, float] = {}
        self.short_puts: dict[str, float] = {}
        self.spot_position = 0.0
        self.long_only = True

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

    def available(self, leg: Leg, side: int, tiers: list[Tier]) -> float:
        if leg.period is not None:
            periods = [leg.period]
        else:
            tier = self.tiers(tiers, leg.tier)
            periods = [p for p in self.left if tier.holds(p)]
        return sum(max(side * self.left.get(p, 0.0), 0.0) for p in periods)

    def consume(self, leg: Leg, side: int, amount: float, tiers: list[Tier], used: dict[str, float]) -> None:
        tier = self.tiers(tiers, leg.tier)
        periods = [leg.period] if leg.period is not None else [p for p in sorted(self.left) if tier.holds(p)]
        for period in periods:
            taken = min(max(side * self.left.get(period, 0.0), 0.0), amount)
            if taken > 0.0:
                self.left[period] -= side * taken
                used[period] = used.get(period, 0.0) + taken
                amount -= taken

    def weighted(self, leg: Leg, cap_scan: bool = False) -> float:
        """WFPR of the leg's inter-commodity tier, on its deltas before any spread."""
        tier = self.tiers(self.commodity.inter_tiers, leg.tier)
        if self.merged is not None:
            net = sum(self.left.values())
        else:
            net = sum(d for p, d in self.original.items() if tier.holds(p))
        parts = price_risk(self.vector(tier), self.parameters.points)
        scan_range = max((r for p, r in self.ranges.items() if tier.holds(p)), default=0.0)
        value = wfpr(
            self.commodity.wfpr, parts["price_risk"], round_delta(net, self.options.delta_rounding), scan_range
        )
        if cap_scan and net != 0.0:
            value = min(value, parts["scan"] / abs(net))
        return value


def _form(states: Mapping[str, _State], spread: Spread, kind: str, options: Options) -> tuple[float, int]:
    """How many spreads form, and in which orientation: the better of the two, tried once."""
    best, orientation = 0.0, 1
    for direction in (1, -1):
        need: dict[tuple[str, int, str | None, int], tuple[Leg, float]] = {}
        for leg in spread.legs:
            side = direction if leg.side == "A" else -direction
            key = (leg.commodity, leg.tier, leg.period, side)
            need[key] = (leg, need.get(key, (leg, 0.0))[1] + leg.ratio)
        count = math.inf
        for (code, _, _, side), (leg, ratio) in need.items():
            state = states.get(code)
            if state is None:
                return 0.0, 1
            tiers = state.commodity.intra_tiers if kind == "intra" else state.commodity.inter_tiers
            count = min(count, state.available(leg, side, tiers) / ratio)
        if options.whole_spreads:
            count = math.floor(count)
        if count > best:
            best, orientation = count, direction
    return best, orientation


def _delta_spread(
    states: Mapping[str, _State], spread: Spread, kind: str, options: Options, log: list[dict[str, object]]
) -> None:
    count, direction = _form(states, spread, kind, options)
    if count <= 0.0:
        return
    amounts = []
    for leg in spread.legs:
        state = states[leg.commodity]
        rate = spread.rate if leg.rate is None else leg.rate
        if spread.method == "W":
            amounts.append(state.weighted(leg, cap_scan=kind == "super") * count * leg.ratio * rate)
        elif spread.method == "F":
            money = 10.0**state.commodity.risk_exponent
            amounts.append(count * rate * money / (1.0 if leg.rate is not None else len(spread.legs)))
        else:
            raise NotImplementedError(f"charge method {spread.method}")
    entry: dict[str, object] = {"kind": kind, "priority": spread.priority, "spreads": count, "rate": spread.rate}
    legs = []
    for leg, amount in zip(spread.legs, amounts, strict=True):
        state = states[leg.commodity]
        side = direction if leg.side == "A" else -direction
        intra = kind == "intra"
        tiers = state.commodity.intra_tiers if intra else state.commodity.inter_tiers
        state.consume(leg, side, count * leg.ratio, tiers, state.used_intra if intra else state.used_inter)
        result = state.result
        if intra:
            result.intra += amount
        elif kind == "super":
            result.super_credit += amount
        elif kind == "inter":
            result.inter_credit += amount
        else:
            result.exchange_credit += amount
        legs.append({"commodity": leg.commodity, "deltas": count * leg.ratio, "amount": amount})
    if kind == "intra":
        states[spread.legs[0].commodity].result.intra_spreads += count
    entry["legs"] = legs
    log.append(entry)


def _scanning_spread(
    parameters: Parameters, states: Mapping[str, _State], spread: Spread, kind: str, log: list[dict[str, object]]
) -> None:
    """Method 04: the legs' vectors are summed per scenario, gains counted at the rate; the risk moves to the target."""
    present = [leg for leg in spread.legs if leg.commodity in states and any(states[leg.commodity].vector(WHOLE))]
    codes = {leg.commodity for leg in present}
    targets = [leg for leg in spread.legs if leg.target]
    if len(codes) < max(spread.minimum_legs, 2):
        return
    if any(leg.required and not leg.target and leg.commodity not in codes for leg in spread.legs):
        return
    if spread.target_required and any(t.commodity not in codes for t in targets):
        return
    home = next((leg for leg in present if leg.target), present[0])
    target = states[home.commodity]
    rules = {rule.point: rule for rule in spread.point_rules}
    vectors = []
    for leg in present:
        state = states[leg.commodity]
        rate = parameters.fx(state.commodity.currency, target.commodity.currency)
        vectors.append([v * rate for v in state.vector(WHOLE)])
    combined = []
    for i in range(len(parameters.points)):
        column = [v[i] for v in vectors]
        losses = [x for x in column if x > 0.0]
        rule = rules.get(i + 1)
        if rule is not None and rule.maximum:
            combined.append(sum(sorted(losses, reverse=True)[: rule.losses]))
            continue
        total = sum(losses)
        for x, leg in zip(column, present, strict=True):
            if x <= 0.0:
                rate = leg.rate if leg.rate is not None else (spread.rate if rule is None else rule.rate)
                total += rate * x
        combined.append(total)
    new = price_risk(combined, parameters.points)
    for leg in present:
        state = states[leg.commodity]
        saving = state.scan() - (new["scan"] if leg is home else 0.0)
        if kind == "super":
            state.result.super_credit += saving
        else:
            state.result.inter_credit += saving
        if leg is not home:
            for period, delta in list(state.left.items()):
                target.left[period] = target.left.get(period, 0.0) + delta * home.ratio / leg.ratio
                state.left[period] = 0.0
            state.merged = [0.0] * len(combined)
    target.merged = combined
    log.append({"kind": kind, "priority": spread.priority, "scanning": True, "combined": combined,
                "legs": [leg.commodity for leg in present], "target": home.commodity,
                "requirement": new["scan"], "active": new["active"]})  # fmt: skip


def _load(parameters: Parameters, positions: Mapping[str, float], options: Options) -> dict[str, _State]:
    states: dict[str, _State] = {}

    def state_of(code: str) -> _State:
        if code not in states:
            states[code] = _State(parameters, parameters.commodities[code], options)
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
        if per_lot != 0.0:
            scan_range = contract.price_scan * money / abs(per_lot)
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
            if quantity < 0.0:
                shorts = state.short_calls if contract.right == "C" else state.short_puts
                shorts[contract.period] = shorts.get(contract.period, 0.0) - quantity * contract.scale
        if contract.kind == "PHY":
            state.spot_position += abs(quantity)
        if not (contract.right and contract.premium_style and quantity > 0.0):
            state.long_only = False
    for state in states.values():
        state.original = {p: state.original[p] for p in sorted(state.original)}
        state.left = dict(state.original)
        state.ranges = {p: r for p, r in state.ranges.items() if state.original.get(p, 0.0) != 0.0}
    return states


def _delivery(state: _State, options: Options) -> None:
    result, money = state.result, 10.0**state.commodity.risk_exponent
    for spot in state.commodity.spot_rates:
        original = abs(state.original.get(spot.period, 0.0))
        consumed = state.used_intra.get(spot.period, 0.0)
        if options.delivery_counts_inter:
            consumed += state.used_inter.get(spot.period, 0.0)
        result.delivery_spread += consumed * spot.spread * money
        result.delivery_outright += max(original - consumed, 0.0) * spot.outright * money
    result.delivery = result.delivery_spread + result.delivery_outright
    result.basis = state.spot_position * state.commodity.basis_rate * money


def _som(state: _State) -> float:
    commodity = state.commodity
    total = 0.0
    for tier in commodity.som_tiers:
        calls = sum(q for p, q in state.short_calls.items() if tier.holds(p))
        puts = sum(q for p, q in state.short_puts.items() if tier.holds(p))
        count = max(calls, puts) if commodity.som_method == "MAX" else calls + puts
        total += count * (tier.rate or 0.0) * 10.0**commodity.risk_exponent
    return total


def margin(parameters: Parameters, positions: Mapping[str, float], options: Options | None = None) -> Result:
    """Margins `positions` ({contract id: signed contracts}).

    `requirement` and `maintenance` are the two levels in the base currency, option value already taken off.

    >>> future = Contract("F", "X", "FUT", "202506", [0.0, 0.0, -10.0, 10.0], 1.0, price_scan=10.0)
    >>> points = [Point(0, 1, 1, 1), Point(0, -1, 1, 0), Point(1, 0, 1, 2), Point(-1, 0, 1, 3)]
    >>> file = Parameters(points, {"F": future}, {"X": Commodity("X", "USD")}, base_currency="USD")
    >>> margin(file, {"F": 3}).requirement
    30.0
    """
    options = options or Options()
    states = _load(parameters, positions, options)
    log: list[dict[str, object]] = []
    order = sorted(states)

    for code in order:
        state, result = states[code], states[code].result
        result.array = state.vector(WHOLE)
        parts = price_risk(result.array, parameters.points)
        result.scan = state.scan()
        result.active, result.paired = int(parts["active"]) + 1, int(parts["paired"]) + 1
        result.vol_adjusted, result.vol_risk = parts["vol_adjusted"], parts["vol_risk"]
        result.time_risk, result.price_risk = parts["time_risk"], parts["price_risk"]
        result.delta_by_period = dict(state.original)
        result.net_delta = sum(state.original.values())
        result.wfpr = state.weighted(Leg(code, 1.0, "A"))

    def run(spreads: list[Spread], kind: str) -> None:
        for spread in sorted(spreads, key=lambda s: s.priority):
            if spread.scanning:
                _scanning_spread(parameters, states, spread, kind, log)
            else:
                _delta_spread(states, spread, kind, options, log)

    run(parameters.super_spreads, "super")
    for code in order:
        state = states[code]
        for spread in sorted(state.commodity.spreads, key=lambda s: s.priority):
            _delta_spread({code: state}, spread, "intra", options, log)
        if not options.delivery_counts_inter:
            _delivery(state, options)
    run(parameters.inter_spreads, "inter")
    run(parameters.exchange_spreads, "exchange")
    if options.delivery_counts_inter:
        for code in order:
            _delivery(states[code], options)

    long_only = all(s.long_only for s in states.values())
    initial = maintenance = requirement = value = 0.0
    for code in order:
        state, result = states[code], states[code].result
        commodity = state.commodity
        charges = result.scan + result.intra + result.delivery + result.basis
        result.risk = max(charges - result.super_credit - result.inter_credit - result.exchange_credit, 0.0)
        result.som = _som(state)
        result.span_requirement = max(result.risk, result.som)
        capped = commodity.cap_anov if options.anov == "file" else options.anov == "capped"
        totals = []
        for factor in (commodity.initial_factor, commodity.maintenance_factor):
            level = factor * result.span_requirement
            if long_only:
                level = min(level, result.nov)
            totals.append(level - (min(result.nov, level) if capped else result.nov))
        result.anov = min(result.nov, result.span_requirement) if capped else result.nov
        result.total = totals[0]
        fx = parameters.fx(commodity.currency, parameters.base_currency or commodity.currency)
        initial += totals[0] * fx
        maintenance += totals[1] * fx
        requirement += result.span_requirement * fx
        value += result.nov * fx
    return Result(
        {c: states[c].result for c in order}, log, requirement, value, max(initial, 0.0), max(maintenance, 0.0)
    )
