"""The SPAN requirement of one portfolio, in the order in which the rulebook takes its steps.

Scan risk, super spreads, intra-commodity spreads, delivery, inter-commodity spreads, inter-exchange spreads, short
option minimum, option value. Everything fractional, nothing rounded, unless `Options` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .model import Commodity, Leg, Options, Parameters, Spread
from .spreads import delta_spread, scanning_spread
from .state import WHOLE, CommodityResult, State, load, price_risk


@dataclass
class Result:
    """A portfolio's requirement: by commodity, the spreads formed, and the totals in the base currency."""

    commodities: dict[str, CommodityResult]
    spreads: list[dict[str, object]]
    span_requirement: float
    nov: float
    requirement: float
    maintenance: float


def margin(parameters: Parameters, positions: Mapping[str, float], options: Options | None = None) -> Result:
    """Margins `positions` ({contract id: signed contracts}).

    `requirement` and `maintenance` are the two levels in the base currency, option value already taken off. Raises
    :class:`Unsupported` where a spread forms that no public text explains.

    >>> from margincore.reference.span import Contract, Point
    >>> future = Contract("F", "X", "FUT", "202506", [0.0, 0.0, -10.0, 10.0], 1.0, price_scan=10.0)
    >>> points = [Point(0, 1, 1, 1), Point(0, -1, 1, 0), Point(1, 0, 1, 2), Point(-1, 0, 1, 3)]
    >>> file = Parameters(points, {"F": future}, {"X": Commodity("X", "USD")}, base_currency="USD")
    >>> margin(file, {"F": 3}).requirement
    30.0
    """
    options = options or Options()
    states = load(parameters, positions, options)
    log: list[dict[str, object]] = []
    order = sorted(states)
    for code in order:
        _scan(states[code])

    def run(spreads: list[Spread], kind: str) -> None:
        for spread in sorted(spreads, key=lambda s: s.priority):
            if spread.scanning:
                scanning_spread(parameters, states, spread, kind, log)
            else:
                delta_spread(states, spread, kind, options, log)

    run(parameters.super_spreads, "super")
    for code in order:
        state = states[code]
        for spread in sorted(state.commodity.spreads, key=lambda s: s.priority):
            delta_spread({code: state}, spread, "intra", options, log)
        if not options.delivery_counts_inter:
            state.delivery()
    run(parameters.inter_spreads, "inter")
    run(parameters.exchange_spreads, "exchange")
    if options.delivery_counts_inter:
        for code in order:
            states[code].delivery()

    long_only = all(s.long_only for s in states.values())
    initial = maintenance = requirement = value = 0.0
    for code in order:
        state = states[code]
        levels = _requirement(state, long_only, options)
        fx = parameters.fx(state.commodity.currency, parameters.base_currency or state.commodity.currency)
        initial += levels[0] * fx
        maintenance += levels[1] * fx
        requirement += state.result.span_requirement * fx
        value += state.result.nov * fx
    return Result(
        {c: states[c].result for c in order}, log, requirement, value, max(initial, 0.0), max(maintenance, 0.0)
    )


def margin_gross(
    parameters: Parameters, longs: Mapping[str, float], shorts: Mapping[str, float], options: Options | None = None
) -> tuple[Result, Result]:
    """A gross account: its long side and its short side as two portfolios that do not net.

    `longs` and `shorts` are unsigned. The account owes the sum of the two.

    >>> from margincore.reference.span import Contract, Point
    >>> future = Contract("F", "X", "FUT", "202506", [0.0, 0.0, -10.0, 10.0], 1.0, price_scan=10.0)
    >>> points = [Point(0, 1, 1, 1), Point(0, -1, 1, 0), Point(1, 0, 1, 2), Point(-1, 0, 1, 3)]
    >>> file = Parameters(points, {"F": future}, {"X": Commodity("X", "USD")}, base_currency="USD")
    >>> [side.requirement for side in margin_gross(file, {"F": 3}, {"F": 2})]
    [30.0, 20.0]
    """
    return margin(parameters, longs, options), margin(parameters, {c: -q for c, q in shorts.items()}, options)


def _scan(state: State) -> None:
    """Scan risk of the positions as held, with everything that explains it."""
    result = state.result
    result.array = state.vector(WHOLE)
    parts = price_risk(result.array, state.parameters.points)
    result.scan = state.scan()
    result.active, result.paired = int(parts["active"]) + 1, int(parts["paired"]) + 1
    result.vol_adjusted, result.vol_risk = parts["vol_adjusted"], parts["vol_risk"]
    result.time_risk, result.price_risk = parts["time_risk"], parts["price_risk"]
    result.delta_by_period = dict(state.original)
    result.net_delta = sum(state.original.values())
    result.wfpr = state.weighted(Leg(result.code, 1.0, "A"))


def _factors(commodity: Commodity, options: Options) -> tuple[float, float]:
    return options.level or commodity.levels.get(options.account_kind, (1.0, 1.0))


def _requirement(state: State, long_only: bool, options: Options) -> tuple[float, float]:
    """max(risk, minimum) at the two levels, less the option value that counts."""
    result, commodity = state.result, state.commodity
    charges = result.scan + result.intra + result.delivery + result.basis
    result.risk = max(charges - result.super_credit - result.inter_credit - result.exchange_credit, 0.0)
    result.som = state.som()
    result.span_requirement = max(result.risk, result.som)
    capped = commodity.cap_anov if options.anov == "file" else options.anov == "capped"
    totals = []
    for factor in _factors(commodity, options):
        level = factor * result.span_requirement
        if long_only:
            level = min(level, result.nov)
        totals.append(level - (min(result.nov, level) if capped else result.nov))
    result.anov = min(result.nov, result.span_requirement) if capped else result.nov
    result.total = totals[0]
    return totals[0], totals[1]
