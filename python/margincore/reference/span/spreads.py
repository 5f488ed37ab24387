"""Delta-based and scanning-based spreads, within a commodity and between commodities."""

from __future__ import annotations

import math
from collections.abc import Mapping

from margincore._core import Unsupported

from .model import Leg, Options, Parameters, Spread
from .state import WHOLE, State, price_risk


def _form(states: Mapping[str, State], spread: Spread, intra: bool, options: Options) -> tuple[float, int]:
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
            count = min(count, state.available(leg, side, intra) / ratio)
        if options.whole_spreads:
            count = math.floor(count)
        if count > best:
            best, orientation = count, direction
    return best, orientation


def _months(states: Mapping[str, State], spread: Spread) -> float:
    """Months between the first and last leg; a tier begins where it says."""
    months = []
    for leg in spread.legs:
        tiers = states[leg.commodity].commodity.intra_tiers
        start = leg.period or next((t.start for t in tiers if t.number == leg.tier), "")
        if len(start) >= 6:
            months.append(int(start[:4]) * 12 + int(start[4:6]))
    return float(max(months) - min(months)) if months else 0.0


def _amount(states: Mapping[str, State], spread: Spread, leg: Leg, kind: str, count: float, options: Options) -> float:
    """One leg's share of a spread's charge or credit."""
    state = states[leg.commodity]
    rate = spread.rate if leg.rate is None else leg.rate
    # Rates between commodities are money already; a commodity's own are scaled by its risk exponent.
    money = 10.0**state.commodity.risk_exponent if kind == "intra" else 1.0
    if spread.method == "W":
        return state.weighted(leg, cap_scan=kind == "super") * count * leg.ratio * rate
    if spread.method == "F":
        return count * rate * money / (1.0 if leg.rate is not None else len(spread.legs))
    if spread.method == "P" and options.per_month == "additive" and spread.per_month is not None:
        value, month, each = spread.per_month
        return count * money * (value + each + month * _months(states, spread)) / len(spread.legs)
    raise Unsupported(f"spread {spread.priority}: charge method {spread.method} has no published formula")


def _book(state: State, kind: str, amount: float) -> None:
    result = state.result
    if kind == "intra":
        result.intra += amount
    elif kind == "super":
        result.super_credit += amount
    elif kind == "inter":
        result.inter_credit += amount
    else:
        result.exchange_credit += amount


def delta_spread(
    states: Mapping[str, State], spread: Spread, kind: str, options: Options, log: list[dict[str, object]]
) -> None:
    """Forms a spread as often as its legs' deltas allow, charges or credits its legs and consumes their deltas."""
    intra = kind == "intra"
    count, direction = _form(states, spread, intra, options)
    if count <= 0.0:
        return
    if spread.unsupported is not None:
        raise Unsupported(f"spread {spread.priority}: {spread.unsupported}")
    amounts = [_amount(states, spread, leg, kind, count, options) for leg in spread.legs]
    legs = []
    for leg, amount in zip(spread.legs, amounts, strict=True):
        state = states[leg.commodity]
        state.consume(leg, direction if leg.side == "A" else -direction, count * leg.ratio, intra)
        _book(state, kind, amount)
        legs.append({"commodity": leg.commodity, "deltas": count * leg.ratio, "amount": amount})
    if intra:
        states[spread.legs[0].commodity].result.intra_spreads += count
    log.append({"kind": kind, "priority": spread.priority, "spreads": count, "rate": spread.rate, "legs": legs})


def scanning_spread(
    parameters: Parameters, states: Mapping[str, State], spread: Spread, kind: str, log: list[dict[str, object]]
) -> None:
    """Method 04: the legs' vectors are summed per scenario, gains counted at the rate; the risk moves to the target."""
    present = [leg for leg in spread.legs if leg.commodity in states and not states[leg.commodity].moved]
    codes = {leg.commodity for leg in present}
    targets = [leg for leg in spread.legs if leg.target]
    if len(codes) < max(spread.minimum_legs, 2):
        return
    if any(leg.required and not leg.target and leg.commodity not in codes for leg in spread.legs):
        return
    if spread.target_required and any(t.commodity not in codes for t in targets):
        return
    if spread.unsupported is not None:
        raise Unsupported(f"scanning-based spread {spread.priority}: {spread.unsupported}")
    home = next((leg for leg in present if leg.target), present[0])
    target = states[home.commodity]
    rules = {rule.point: rule for rule in spread.point_rules}
    vectors = []
    for leg in present:
        state = states[leg.commodity]
        rate = parameters.cross(state.commodity.currency, target.commodity.currency)
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
        _book(state, kind, state.scan() - (new["scan"] if leg is home else 0.0))
        if leg is not home:
            for period, delta in list(state.left.items()):
                target.left[period] = target.left.get(period, 0.0) + delta * home.ratio / leg.ratio
                state.left[period] = 0.0
            state.merged, state.merged_net, state.moved = [0.0] * len(combined), 0.0, True
    # What the spread brought together is the target's delta for its price risk from here on.
    target.merged, target.merged_net = combined, sum(target.left.values())
    log.append({"kind": kind, "priority": spread.priority, "scanning": True, "combined": combined,
                "legs": [leg.commodity for leg in present], "target": home.commodity,
                "requirement": new["scan"], "active": new["active"]})  # fmt: skip
