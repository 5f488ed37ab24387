"""Derive PMRM_2: the second portfolio margin of Derive (Lyra v2), one underlying per account.

Source: the public contracts of Derive (v2-core, PMRM_2 and PMRMLib_2) as restated in the venue's rulebook; verified on
the contracts' own unit-test vectors, every scenario included. All amounts are in the account's stable coin.
Initial and maintenance margin are *net*: mark value less requirement, so a healthy account is positive.
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
    fwd_conf: float = 1.0
    rate_conf: float = 1.0
    vol_conf: float = 1.0
    fixed: float = 0.0

    @property
    def years(self) -> float:
        """Time to expiry in years of 365 days."""
        return self.sec / SECONDS_PER_YEAR

    @property
    def discount(self) -> float:
        """The discount factor; a negative rate counts as zero."""
        return math.exp(-max(self.rate, 0.0) * self.years)


@dataclass(frozen=True)
class Option:
    """An option position: signed amount, mark vol of its strike."""

    sec: float
    strike: float
    right: int
    amount: float
    vol: float


@dataclass(frozen=True)
class Collateral:
    """A collateral asset: amount, price, confidence, the extra initial haircut and the maintenance haircut."""

    amount: float
    price: float
    conf: float
    risk_cancelling: bool
    im_haircut_extra: float
    mm_haircut: float


@dataclass(frozen=True)
class Book:
    """What the account holds and the feeds that value it."""

    spot: float
    expiries: dict[float, Expiry]
    options: list[Option]
    collateral: list[Collateral] = field(default_factory=list)
    cash: float = 0.0
    perps: float = 0.0
    perp_unrealised: float = 0.0
    perp_price: float = 0.0
    spot_conf: float = 1.0
    perp_conf: float = 1.0
    stable: float = 1.0


@dataclass(frozen=True)
class Result:
    """Net initial and maintenance margin with every number on the way."""

    initial: float
    maintenance: float
    scenario_pnl: list[float]
    forward_contingency: float
    option_mtm: float
    portfolio_mtm: float
    worst_scenario: int
    vol_up: dict[float, float]
    vol_down: dict[float, float]


def svi_vol(strike: float, a: float, b: float, rho: float, m: float, sigma: float, forward: float, tau: float) -> float:
    """The SVI vol of a strike: log-moneyness clamped to +-4 sqrt(a + b sigma), total variance capped at 144.

    >>> round(svi_vol(100_000.0, 0.002138900837067276, 0.04163976582038121, -0.29089434907604955,
    ...     -0.026351062568175803, 0.06256307931421391, 95776.67392708939, 0.02520611364789), 12)
    0.453803924322
    """
    bound = 4.0 * math.sqrt(a + b * sigma)
    k = min(max(math.log(strike / forward), -bound), bound)
    variance = a + b * (rho * (k - m) + math.sqrt((k - m) ** 2 + sigma * sigma))
    return math.sqrt(min(variance, 144.0) / tau)


def vol_multipliers(sec: float, vol: dict[str, float]) -> tuple[float, float]:
    """Up and down multipliers of the vol of an expiry `sec` seconds away."""
    floor = vol["DTE_FLOOR"] * 86_400.0
    power = vol["SHORTTERMPOWER"] if sec <= 30 * 86_400.0 else vol["LONGTERMPOWER"]
    scale = (30 * 86_400.0 / max(sec, floor)) ** power
    return 1.0 + vol["VOLRANGEUP"] * scale, max(0.0, 1.0 - vol["VOLRANGEDOWN"] * scale)


def _skewed(strike: float, forward: float, years: float, kind: str, skew: dict[str, float]) -> float:
    """The factor of a skew scenario on one strike's vol."""
    root = math.sqrt(years)
    static, scale = skew["VOL_PARAM_STATIC"], skew["VOL_PARAM_SCALE"]
    kstar = max(skew["MIN_K_STAR"], root * skew["MIN_WIDTH_SCALE"] * (static + root * scale))
    z = math.log(strike / forward)
    z, name = (z, "LINEAR") if kind == "LINEAR" else (abs(z), "ABS")
    cap = skew[f"{name}_CBASE"] * root + skew[f"{name}_SCALE_CAP"]
    slope = z * cap / kstar
    return max(0.0, 1.0 + (min(cap, slope) if z >= 0.0 else max(-cap, slope)))


def _expiry_value(
    options: list[Option], expiry: Expiry, move: float, op: str, params: dict[str, dict[str, float]]
) -> float:
    """Value of an expiry's options at a move of the part of the forward that is not fixed yet."""
    forward = expiry.fixed + expiry.forward * move
    up, down = vol_multipliers(expiry.sec, params["vol"])
    value = 0.0
    for option in options:
        vol = option.vol
        if op == "Up":
            vol = max(vol * up, params["vol"]["MIN_VOL_EVAL_SHOCKED"])
        elif op == "Down":
            vol *= down
        elif op in ("LINEAR", "ABS"):
            vol *= _skewed(option.strike, expiry.fixed + expiry.forward, expiry.years, op, params["skew"])
        unit = black76(forward, option.strike, expiry.years, vol, option.right, expiry.discount)
        value += option.amount * unit
    return value


def _conf_charge(conf: float, notional: float, other: dict[str, float]) -> float:
    """The initial margin asked when an oracle's confidence is below the threshold."""
    return (1.0 - conf) * other["CONF_MARGIN"] * notional if conf < other["CONF_THRESHOLD"] else 0.0


def margin(book: Book, scenarios: list[tuple[float, str, float]], params: dict[str, dict[str, float]]) -> Result:
    """Net initial and maintenance margin of one account.

    `scenarios` are (spot multiple, vol operation, damping); `params` holds the groups skew, vol, margin, basis, other.
    """
    rules, other, basis = params["margin"], params["other"], params["basis"]
    by_expiry = {sec: [o for o in book.options if o.sec == sec] for sec in sorted({o.sec for o in book.options})}
    marks = {sec: _expiry_value(held, book.expiries[sec], 1.0, "None", params) for sec, held in by_expiry.items()}
    values = [c.amount * c.price / book.stable for c in book.collateral]
    cancelling = sum(v for v, c in zip(values, book.collateral, strict=True) if c.risk_cancelling)

    forward_contingency = 0.0
    for sec, held in by_expiry.items():
        up = _expiry_value(held, book.expiries[sec], basis["SCENARIO_SPOT_UP"], "None", params) - marks[sec]
        down = _expiry_value(held, book.expiries[sec], basis["SCENARIO_SPOT_DOWN"], "None", params) - marks[sec]
        weight = basis["BASIS_CONT_ADD_FACTOR"] + basis["BASIS_CONT_MULT_FACTOR"] * book.expiries[sec].years
        forward_contingency += min(up, down, 0.0) * weight

    pnls = []
    for move, op, damp in scenarios:
        pnl = book.perps * (move - 1.0) * book.perp_price * damp + cancelling * (move - 1.0) * damp
        for sec, held in by_expiry.items():
            expiry = book.expiries[sec]
            value = _expiry_value(held, expiry, move, op, params)
            rate, tau = max(expiry.rate, 0.0), expiry.years
            if value >= 0.0:
                static = rules["BASE_STATIC_DISCOUNT"] * math.exp(
                    -tau * (rate * rules["LONG_RATE_MULTSCALE"] + rules["LONG_RATE_ADDSCALE"])
                )
            else:
                grown = rules["BASE_STATIC_DISCOUNT_NEG"] * math.exp(
                    tau * (rate * rules["SHORT_RATE_MULTSCALE"] + rules["SHORT_RATE_ADDSCALE"])
                )
                static = min(1.0 / expiry.discount, grown)
            change = value * static - marks[sec]
            pnl += (-abs(change) if op in ("LINEAR", "ABS") else change) * damp
        pnls.append(pnl)

    worst = min(range(len(pnls)), key=lambda i: pnls[i])
    min_span = min(forward_contingency, pnls[worst])

    net_by_strike: dict[tuple[float, float], float] = {}
    for o in book.options:
        net_by_strike[o.sec, o.strike] = net_by_strike.get((o.sec, o.strike), 0.0) + o.amount
    shorts = sum(max(-q, 0.0) for q in net_by_strike.values())
    mmc = other["MM_PERP_PERCENT"] * abs(book.perps) * book.spot + other["MM_OPTION_PERCENT"] * book.spot * shorts
    imc = other["IM_PERP_PERCENT"] * abs(book.perps) * book.spot + other["IM_OPTION_PERCENT"] * book.spot * shorts
    spot_perp_conf = min(book.spot_conf, book.perp_conf) if book.perps != 0.0 else book.spot_conf
    imc += _conf_charge(spot_perp_conf, abs(book.perps) * book.spot, other)
    for value, c in zip(values, book.collateral, strict=True):
        mmc += value * c.mm_haircut
        imc += value * c.im_haircut_extra
        imc += _conf_charge(min(c.conf, book.spot_conf), value, other)
    for sec, held in by_expiry.items():
        e = book.expiries[sec]
        conf = min(spot_perp_conf, e.fwd_conf, e.rate_conf, e.vol_conf)
        imc += _conf_charge(conf, sum(abs(o.amount) for o in held) * book.spot, other)

    peg = max(0.0, other["PEG_LOSS_THRESHOLD"] - book.stable) * other["PEG_LOSS_FACTOR"]
    option_mtm = sum(marks.values())
    mtm = option_mtm + sum(values) + book.perp_unrealised + book.cash
    ups = {sec: vol_multipliers(sec, params["vol"]) for sec in by_expiry}
    return Result(
        initial=min_span * (rules["IM_LOSS_FACTOR"] + peg) - imc - mmc + mtm,
        maintenance=min_span * rules["MM_LOSS_FACTOR"] - mmc + mtm,
        scenario_pnl=pnls,
        forward_contingency=forward_contingency,
        option_mtm=option_mtm,
        portfolio_mtm=mtm,
        worst_scenario=worst,
        vol_up={sec: u for sec, (u, _) in ups.items()},
        vol_down={sec: d for sec, (_, d) in ups.items()},
    )
