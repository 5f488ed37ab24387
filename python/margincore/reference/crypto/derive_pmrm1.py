"""Derive PMRM v1: the first portfolio margin of Derive (Lyra v2), one underlying per account.

Source: the public contracts (v2-core, PMRM and PMRMLib), verified on their unit-test vectors. Unlike PMRM_2 it has no
tails and no skews, discounts only positive expiry value, values options without discounting, and multiplies one set of
contingencies by the initial factor. Initial and maintenance margin are net: mark value less requirement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from margincore.reference.pricing import black76

SECONDS_PER_YEAR = 31_536_000.0


@dataclass(frozen=True)
class Expiry:
    """One expiry's feeds: `forward` is the part that still moves, `fixed` the part already settled by the average."""

    sec: float
    forward: float
    rate: float
    conf: float = 1.0
    fixed: float = 0.0


@dataclass(frozen=True)
class Option:
    """An option position: signed amount, vol of its strike."""

    sec: float
    strike: float
    right: int
    amount: float
    vol: float


@dataclass(frozen=True)
class Book:
    """What the account holds and the feeds that value it; `base` is the underlying coin held as collateral."""

    spot: float
    expiries: dict[float, Expiry]
    options: list[Option] = field(default_factory=list)
    cash: float = 0.0
    perps: float = 0.0
    base: float = 0.0
    perp_price: float = 0.0
    perp_unrealised: float = 0.0
    spot_conf: float = 1.0
    perp_conf: float = 1.0
    stable: float = 1.0


@dataclass(frozen=True)
class Result:
    """Net initial and maintenance margin with every number on the way (contingencies as positive charges)."""

    initial: float
    maintenance: float
    min_span: float
    scenario_pnl: list[float]
    forward_contingency: float
    option_contingency: float
    perp_contingency: float
    base_contingency: float
    confidence_contingency: float
    portfolio_mtm: float


def vol_multipliers(sec: float, p: dict[str, float]) -> tuple[float, float]:
    """Up and down multipliers of the vol of an expiry `sec` seconds away."""
    power = p["sp"] if sec <= 30 * 86_400.0 else p["lp"]
    scale = (30 * 86_400.0 / max(sec, p["fl"])) ** power
    return 1.0 + p["vu"] * scale, max(0.0, 1.0 - p["vd"] * scale)


def _value(options: list[Option], expiry: Expiry, move: float, op: str, p: dict[str, float]) -> float:
    up, down = vol_multipliers(expiry.sec, p)
    factor = {"Up": up, "Down": down, "None": 1.0}[op]
    years = expiry.sec / SECONDS_PER_YEAR
    return sum(
        o.amount * black76(expiry.fixed + expiry.forward * move, o.strike, years, o.vol * factor, o.right)
        for o in options
    )


def margin(book: Book, scenarios: list[tuple[float, str]], p: dict[str, float]) -> Result:
    """Net initial and maintenance margin; `p` holds the parameters under the names of the test vectors."""
    by_expiry = {sec: [o for o in book.options if o.sec == sec] for sec in sorted({o.sec for o in book.options})}
    marks = {sec: _value(held, book.expiries[sec], 1.0, "None", p) for sec, held in by_expiry.items()}
    base_value = book.base * book.spot / book.stable

    forward_contingency = 0.0
    for sec, held in by_expiry.items():
        moves = [_value(held, book.expiries[sec], p[side], "None", p) - marks[sec] for side in ("up", "dn")]
        forward_contingency += min(*moves, 0.0) * (p["add"] + p["mult"] * sec / SECONDS_PER_YEAR)

    pnls = []
    for move, op in scenarios:
        pnl = book.perps * (move - 1.0) * book.perp_price + base_value * (move - 1.0)
        for sec, held in by_expiry.items():
            expiry = book.expiries[sec]
            value = _value(held, expiry, move, op, p)
            if value > 0.0:
                shock = max(expiry.rate, 0.0) * p["rm"] + p["ra"]
                value *= p["disc"] * math.exp(-sec / SECONDS_PER_YEAR * shock)
            pnl += value - marks[sec]
        pnls.append(pnl)
    # The loss never counts for less than the forward contingency.
    min_span = min([*pnls, forward_contingency])

    net_by_strike: dict[tuple[float, float], float] = {}
    for o in book.options:
        net_by_strike[o.sec, o.strike] = net_by_strike.get((o.sec, o.strike), 0.0) + o.amount
    option = p["opt"] * book.spot * sum(max(-q, 0.0) for q in net_by_strike.values())
    perp = p["perp"] * abs(book.perps) * book.spot
    base = p["base"] * book.base * book.spot
    static = option + perp + base

    conf = book.spot_conf if book.perps == 0.0 else min(book.spot_conf, book.perp_conf)

    def charge(confidence: float, notional: float) -> float:
        return (1.0 - confidence) * p["confM"] * notional if confidence < p["confT"] else 0.0

    confidence = charge(conf, (abs(book.perps) + book.base) * book.spot)
    for sec, held in by_expiry.items():
        confidence += charge(min(conf, book.expiries[sec].conf), sum(abs(o.amount) for o in held) * book.spot)

    mtm = sum(marks.values()) + base_value + book.perp_unrealised + book.cash
    peg = max(0.0, p["pegT"] - book.stable) * p["pegF"]
    span = min_span - static
    return Result(
        initial=span * (p["im"] + peg) - confidence + mtm,
        maintenance=span + mtm,
        min_span=min_span,
        scenario_pnl=pnls,
        forward_contingency=forward_contingency,
        option_contingency=option,
        perp_contingency=perp,
        base_contingency=base,
        confidence_contingency=confidence,
        portfolio_mtm=mtm,
    )
