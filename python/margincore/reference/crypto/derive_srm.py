"""Derive SRM: the standard manager of Derive (Lyra v2), several underlyings in one account.

Source: the public contracts (StandardManager), verified on their unit-test vectors and on the documentation's examples.
Initial and maintenance margin are net; every component is a signed contribution (charges are negative).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from margincore.reference.pricing import black76

SECONDS_PER_YEAR = 31_536_000.0


@dataclass(frozen=True)
class Option:
    """An option position: signed amount, and either the vol of its strike or its mark price per unit."""

    sec: float
    strike: float
    right: int
    amount: float
    vol: float | None = None
    mark: float | None = None
    forward: float = 0.0
    conf: float = 1.0

    def mark_to_market(self) -> float:
        """Signed value of the position; the contracts value options without discounting."""
        if self.mark is not None:
            return self.amount * self.mark
        if self.vol is None:
            raise ValueError("an option needs a vol or a mark")
        return self.amount * black76(self.forward, self.strike, self.sec / SECONDS_PER_YEAR, self.vol, self.right)


@dataclass(frozen=True)
class Market:
    """One underlying: its prices, its parameters, what the account holds in it."""

    spot: float
    params: dict[str, float]
    options: list[Option] = field(default_factory=list)
    perps: float = 0.0
    base: float = 0.0
    perp_price: float = 0.0
    perp_unrealised: float = 0.0
    spot_conf: float = 1.0
    perp_conf: float = 1.0


@dataclass(frozen=True)
class Result:
    """Net margins and their components by name, initial and maintenance."""

    initial: float
    maintenance: float
    components_initial: dict[str, float]
    components_maintenance: dict[str, float]


def isolated(option: Option, spot: float, p: dict[str, float], initial: bool) -> float:
    """Margin of one short option alone (negative); a long option has none."""
    if option.amount > 0.0:
        return 0.0
    mtm = option.mark_to_market()
    out = max(option.right * (option.strike - spot), 0.0) / spot
    base = max(p["max"] - out, p["min"]) * spot * option.amount + mtm
    if option.right > 0:
        return base if initial else p["mmc"] * spot * option.amount + mtm
    maintenance = min(p["mmp"] * spot * option.amount, p["mmpm"] * mtm) + mtm
    return min(base, maintenance * p["off"]) if initial else maintenance


def bounded(options: list[Option], forward: float, p: dict[str, float], initial: bool) -> float:
    """Margin by the worst payoff at zero and at every strike, plus the calls nothing covers."""
    prices = [0.0, *(o.strike for o in options)]
    payoff = [sum(o.amount * max(o.right * (x - o.strike), 0.0) for o in options) for x in prices]
    calls = sum(o.amount for o in options if o.right > 0)
    return min(min(x, 0.0) for x in payoff) + p["unIM" if initial else "unMM"] * forward * min(calls, 0.0)


def margin(markets: dict[str, Market], cash: float = 0.0, stable: float = 1.0) -> Result:
    """Net initial and maintenance margin of one account."""
    totals: dict[bool, dict[str, float]] = {}
    for initial in (True, False):
        parts = dict.fromkeys(("cash", "option", "perp", "base", "unrealised", "oracle", "depeg"), 0.0)
        parts["cash"] = cash
        for m in markets.values():
            p = m.params
            sign = "IM" if initial else "MM"
            shorts = 0.0
            for sec in sorted({o.sec for o in m.options}):
                held = [o for o in m.options if o.sec == sec]
                alone = sum(isolated(o, m.spot, p, initial) for o in held)
                parts["option"] += max(alone, bounded(held, held[0].forward, p, initial))
                short = -sum(min(o.amount, 0.0) for o in held)
                shorts += short
                conf = min([m.spot_conf, *(o.conf for o in held)])
                if m.perps != 0.0:
                    conf = min(conf, m.perp_conf)
                if initial and conf < p["conf_option"]:
                    parts["oracle"] -= (1.0 - conf) * p["conf_factor"] * m.spot * short
            parts["perp"] -= abs(m.perps) * m.perp_price * p[f"perp_{sign}"]
            parts["unrealised"] += m.perp_unrealised
            parts["base"] += m.base * m.spot * p["base_factor"] * (p["base_im_scale"] if initial else 1.0)
            if initial:
                conf = min(m.spot_conf, m.perp_conf)
                if m.perps != 0.0 and conf < p["conf_perp"]:
                    parts["oracle"] -= (1.0 - conf) * p["conf_factor"] * m.spot * abs(m.perps)
                if m.base != 0.0 and m.spot_conf < p["conf_base"]:
                    parts["oracle"] -= (1.0 - m.spot_conf) * p["conf_factor"] * m.spot * m.base
                if stable < p["depeg_threshold"]:
                    charge = (p["depeg_threshold"] - stable) * p["depeg_factor"]
                    parts["depeg"] -= charge * m.spot * (shorts + abs(m.perps))
        totals[initial] = parts
    return Result(sum(totals[True].values()), sum(totals[False].values()), totals[True], totals[False])
