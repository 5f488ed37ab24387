"""Whole pipelines: HKSCC's member margin, a Prisma-like filtered simulation, Eurex's components."""

from __future__ import annotations

from typing import Any

import numpy as np

import margincore as mc
from margincore import backtest as bt
from margincore.methods import hvar

from ..cases import Check, Entry, MalformedCase, required
from .var_portfolios import VALUATION, columns, printed

NO_SET = "non_ipo"


def hkscc_pipeline(entry: Entry) -> list[Check]:
    """The guide's worked example: scenario one, tail counts, then the charges one after the other."""
    case = entry.document
    p = required(case, "parameters", dict, entry.id)
    expected = required(case, "expected", dict, entry.id)
    book = _Member(case)
    checks: list[Check] = []

    report = book.margin([], histories=_first_scenario(case), allow_negative=True)
    for key, component in {"scenario1_hvar": "HVaR", "scenario1_svar": "SVaR"}.items():
        for name, amount in expected[key].items():
            own = report.details["netting_sets"][name]["components"][component]
            checks.append(Check(f"{key} {name}", -amount, own["risk"]))

    for component, row in required(case, "es_tail_counts", dict, entry.id).items():
        measured = book.tail(component, row["n"], row["cl"])
        checks.append(Check(f"tail of {component}", row["k"], len(measured)))

    def upto(count: int) -> mc.MarginReport:
        made = book.margin(stages[:count], given=1.0)
        assert made.adds_up()
        return made

    stages = book.stages()
    names = [s["name"] for s in stages]
    after = {name: upto(i + 1) for i, name in enumerate(names)}
    plain = upto(0)
    for name, amount in expected["weighted_per_group"].items():
        checks.append(printed(f"weighted {name}", -amount, plain.by_scope()[name].initial))
    total = after[names[-1]].by_component()

    def amount_of(name: str) -> float:
        return total[name].initial if name in total else 0.0

    liquidity = [line for line in after[names[-1]].lines if line.component == "liquidity"]
    deltas = after[names[-1]].details["stages"]["liquidity"]
    numbers = {
        "portfolio_margin_before_floor": plain.requirement.initial,
        # The floor itself: what it asks of a book whose scenarios lose nothing.
        "portfolio_margin_floor": book.margin(stages[:1], given=0.0).requirement.initial,
        "portfolio_margin": after["portfolio floor"].requirement.initial,
        "flat_rate_margin": amount_of("flat rate"),
        "instrument_lra": sum(line.initial for line in liquidity if line.scope != "account"),
        "portfolio_lra": sum(line.initial for line in liquidity if line.scope == "account"),
        "beta_hedge_total": deltas["beta_delta"],
        "lra": amount_of("liquidity"),
        "structured_product_addon": amount_of("structured product"),
        "corporate_action_margin": amount_of("corporate action"),
        "holiday_addon": amount_of("holiday"),
        "aggregate": after["holiday"].requirement.initial,
        "rounded_aggregate": after["rounding"].requirement.initial,
        "favourable_mtm": -amount_of("favourable mark"),
        "mtm": -amount_of("mark requirement"),
        "mtm_requirement": amount_of("mark requirement"),
        "net_margin": after["favourable mark"].requirement.initial,
        "net_margin_after_credit": after["credit"].requirement.initial,
        "position_limit_addon_given": amount_of("position limit"),
        "credit_risk_addon": amount_of("credit risk"),
        "adhoc_addon": amount_of("ad hoc"),
        "total_mtm_and_margin": after[names[-1]].requirement.initial,
    }
    limited = book.margin([*stages[: names.index("rounding")], book.position_limit()], given=1.0)
    numbers["position_limit_addon_by_formula"] = limited.by_component()["position limit"].initial
    for name, number in expected["delta_equivalent"].items():
        checks.append(printed(f"delta {name}", number, deltas["delta"][name]))
    done = {"scenario1_hvar", "scenario1_svar", "weighted_per_group", "delta_equivalent"}
    for name, number in expected.items():
        if name not in done:
            if name not in numbers:
                raise MalformedCase(f"{entry.id}: nothing computes {name}")
            checks.append(Check(name, number, numbers[name], rel=1e-12))
    assert p["HVaR_Measure"] == p["SVaR_Measure"] == "4 = FHS ES (Discrete)"
    return checks


def _first_scenario(case: dict[str, Any]) -> dict[str, hvar.History]:
    rows = case["scenario_1_returns"]
    return {
        name: hvar.History({factor: [change] for factor, change in rows[key].items()}, kind="returns")
        for name, key in {"HVaR": "fieldtype1_hvar", "SVaR": "fieldtype2_svar"}.items()
    }


class _Member:
    """A member's book of a case, and the rulebook with the case's parameters."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.positions: list[mc.Position] = []
        spot: dict[str, float] = {}
        paid = 0.0
        for row in case["positions"]:
            name, quantity = row["instrument"], row["quantity"]
            spot[name] = row["market_value_hkd"] / quantity
            self.positions.append(mc.Position(mc.Stock(name, currency="HKD"), quantity))
            paid -= row["contract_value_hkd"]
        # Contract values are cash still to be paid: with the positions' value they are the mark to market.
        self.account = mc.Account(self.positions, cash={"HKD": paid})
        self.market = mc.Market(VALUATION, spot=spot)

    def components(self, given: float | None) -> list[dict[str, Any]]:
        """With a multiple of the tail means that the case states, or from scenarios."""
        p, made = self.case["parameters"], []
        for name in ("HVaR", "SVaR"):
            means = {} if given is None else self.case["given_tail_means"][name]
            made.append(
                hvar.component(
                    name, measure="es_discrete", confidence=p[f"{name}_CL"], weight=p[f"{name}_WGT"], history=name,
                    given={group: -mean * (given or 0.0) for group, mean in means.items()},
                )
            )  # fmt: skip
        return made

    def margin(self, stages: list[dict[str, Any]], *, given: float | None = None, **parameters: Any) -> mc.MarginReport:
        sets = [name for name in self.case["given_tail_means"]["HVaR"] if name != NO_SET]
        rule = mc.methods.HistoricalVar(
            preset="hkscc-vp",
            returns="relative",
            components=self.components(given),
            netting_sets=[*({"name": name, "members": [name]} for name in sets), {"name": NO_SET}],
            stages=stages,
            **parameters,
        )
        # Without their stages, flat-rate and corporate-action positions would fall to the scenarios: leave them out.
        left = _outside(self.stages()) - _outside(stages)
        positions = [x for x in self.positions if x.contract.id not in left]
        return mc.margin(mc.Account(positions, cash=self.account.cash), self.market, rule)

    def tail(self, component: str, n: int, confidence: float) -> list[Any]:
        """The scenarios that count among `n`."""
        rule = mc.methods.HistoricalVar(
            hvar.History({"X": np.linspace(-0.1, 0.1, n)}, kind="returns"), returns="relative", name=component,
            measure="es_discrete", confidence=confidence,
        )  # fmt: skip
        stock = mc.Stock("X", currency="USD")
        report = mc.margin([mc.Position(stock, 1)], mc.Market(VALUATION, spot={"X": 1.0}), rule)
        return list(report.details["netting_sets"]["portfolio"]["components"][component]["tail"])

    def stages(self) -> list[dict[str, Any]]:
        """The guide's charges in its order."""
        case, p = self.case, self.case["parameters"]
        lra = case["lra_inputs"]
        flat = case["flat_rates"]
        thresholds = {
            name: {"threshold": g["threshold"], "rate": g["bucket"], "beta": g["beta"]}
            for name, g in lra["groups"].items()
        }
        products = {
            name: {"ticks": s["tick_multiplier"], "tick": s["min_tick"]}
            for name, s in case["structured_product"].items()
        }
        return [
            hvar.stage("portfolio floor", "gross_floor", rate=p["portfolio_margin_floor_rate"]),
            hvar.stage("flat rate", "flat_rate", rates=flat, groups=list(case["flat_groups"].values()),
                       multiplier=p["flat_rate_multiplier"]),
            hvar.stage("liquidity", "liquidity", underlyings=thresholds, underlying_of=lra["underlying_of"],
                       delta=lra["cash_delta"], rounding=1.0,
                       hedge={"threshold": p["hedge_threshold"], "rate": p["hedge_bucket_rate"]}),
            hvar.stage("structured product", "tick_value", products=products),
            hvar.stage("corporate action", "side_rate", rates=case["corporate_action_rates"]),
            hvar.stage("holiday", "scale", of=["scenarios", "portfolio floor", "flat rate"],
                       factor=p["Holiday_Factor"], rounding=1.0),
            hvar.stage("rounding", "round_up", unit=p["Rounding"]),
            hvar.stage("favourable mark", "favourable_mark"),
            hvar.stage("credit", "credit", amount=p["margin_credit"]),
            hvar.stage("mark requirement", "mark_requirement"),
            hvar.stage("position limit", "amount", amount=case["expected"]["position_limit_addon_given"]),
            hvar.stage("credit risk", "amount", amount=case["expected"]["credit_risk_addon"]),
            hvar.stage("ad hoc", "amount", amount=case["expected"]["adhoc_addon"]),
        ]  # fmt: skip

    def position_limit(self) -> dict[str, Any]:
        """The add-on by its formula, of what the guide calls the core."""
        given = self.case["position_limit_inputs"]
        return hvar.stage(
            "position limit", "position_limit", capital=given["apportioned_liquid_capital"],
            multiplier=given["multiplier"], cap=given["cap"], rate=given["addon_pct"], rounding=1.0,
            of=["scenarios", "portfolio floor", "flat rate", "liquidity", "structured product", "corporate action"],
            unit=self.case["parameters"]["Rounding"],
        )  # fmt: skip


def _outside(stages: list[dict[str, Any]]) -> set[str]:
    """Instruments that stages margin in the scenarios' place."""
    rules = [stage["rule"] for stage in stages if isinstance(stage["rule"], dict)]
    own = [rule[kind]["rates"] for rule in rules for kind in ("flat_rate", "side_rate") if kind in rule]
    return {name for rates in own for name in rates}


SPOT = "spot_values_lambda_"
PERIODS = {"covid": ("2020-01-01", "2020-12-31"), "financialcrisis": ("2007-06-01", "2009-03-31")}
"""The study's periods; the case names them only."""


def prisma_entry(entry: Entry) -> list[Check]:
    """One parameter set of the study: margins through the period and the study's statistics of them."""
    case = entry.context
    p = case["parameters"]
    data = columns(case["data"][0])
    # The case's name says which of the file's instruments it is about.
    names = [name for name in sorted(set(data["inst"])) if name.lower() in case["id"].split("_")]
    if len(names) != 1:
        raise MalformedCase(f"{entry.id}: no one instrument of {sorted(set(data['inst']))} is named by {case['id']}")
    name, mine = names[0], data["inst"] == names[0]
    dates, returns = data["date"][mine], data["log_ret"][mine].astype(float)
    priced = data["has_price"][mine] == "1"
    exposure = {name: {"long": 1.0, "short": -1.0}[p["side"]]}

    def components(decay: float, floored: bool) -> list[dict[str, Any]]:
        days = p["MPOR"]
        filtered = hvar.finite_ewma(
            decay, p["burn_in"] // days, mean=p["mean_adjusted"], average=days, quantile_floor_ppm=500_000
        )
        common: dict[str, Any] = {"measure": "averaged_inverted_cdf", "days": days, "scaling": "interleaved"}
        made = [
            hvar.component(
                "FHS", confidence=p["var_level"], window=p["n_day"], filter=filtered,
                multiplier=p["robustness_factor"], **common,
            )
        ]  # fmt: skip
        if floored:
            periods, levels = _stress(case, p, set(dates))
            made.append(
                hvar.component("stress", confidence=levels[0], levels=levels, periods=periods, role="floor", **common)
            )
        return made

    def rolled(decay: float, floored: bool) -> hvar.Rolling:
        rule = mc.methods.HistoricalVar(
            hvar.History({name: returns}, dates=dates, kind="returns"), returns="log",
            components=components(decay, floored),
        )  # fmt: skip
        # From the first date with a whole look-back, which is the study's first or the one after it.
        last = dates[np.searchsorted(dates, p["end"], side="right") - 1]
        return rule.rolling(exposure, last=str(last))

    if entry.document["key"] is None:
        checks = []
        for key in (key for key in case if key.startswith(SPOT)):
            made = rolled(float(key.removeprefix(SPOT).removesuffix("_fhs")), True)
            fhs = dict(zip(made.dates, made.components["FHS"], strict=True))
            checks += [printed(f"FHS {d}", x, float(fhs[d])) for d, x in case[key].items()]
            stress, stated = made.components["stress"][0], case[f"stress_period_margin_{p['liq_group']}"]
            checks.append(Check("stress", stated, float(stress), abs_=case["tolerance"]))
        return checks
    key = entry.document["key"]
    decay, model, period = key.split("|")
    if model not in ("baseline", "floor") or period not in PERIODS:
        raise MalformedCase(f"{entry.id}: unknown model or period")
    made = rolled(float(decay), model == "floor")
    start, end = PERIODS[period]
    own = np.array(made.dates)
    kept = (own >= start) & (own <= end) & priced[np.searchsorted(dates, own)]
    margins = made.margin[kept]
    # The loss of the holding period that ends on a date; a period's losses are those that end inside it.
    ended = dict(zip(dates[made.steps[: len(made.realised)] + p["MPOR"]], made.realised, strict=True))
    losses = np.array([ended[d] for d in own[kept][p["MPOR"] :]])
    cover, cost = bt.coverage(margins[: -p["MPOR"]], losses), bt.procyclicality(margins)
    numbers = {
        "n_breaches": cover.breaches, "N_observations": cover.observations, "conf_level": cover.coverage,
        "avg_shortfall": -_some(cover.average_shortfall), "max_shortfall": -_some(cover.max_shortfall),
        "costs": cost.mean, "peak_to_through": cost.peak_to_trough,
        # The study's 30 days are 20 of its dates.
        "max_1d": cost.max_1d, "max_5d": cost.max_5d, "max_30d": cost.max_20d,
        "max_ltm": _some(cover.max_loss_to_margin), "avg_ltm": _some(cover.average_loss_to_margin),
    }  # fmt: skip
    expected = case["expected_lambda|model|period"][key]
    return [
        Check(name, number, numbers[name], abs_=0.0 if isinstance(number, int) else case["tolerance"])
        for name, number in expected.items()
    ]


def _some(number: float | None) -> float:
    assert number is not None
    return number


def _stress(case: dict[str, Any], p: dict[str, Any], known: set[str]) -> tuple[list[list[str]], list[str]]:
    """The stress periods' dates with a return, and the level of each interleaved set: the first listed for it."""
    data = columns(case["data"][1])
    own = data["liq_group"] == p["liq_group"]
    periods: dict[str, list[tuple[str, str]]] = {}
    for date, level, group in zip(data["date"][own], data["conf_level"][own], data["grp"][own], strict=True):
        if date in known:
            periods.setdefault(group, []).append((date, level))
    newest = max(periods.values(), key=lambda rows: rows[-1])
    levels = [f"{float(level) / 100:.4f}" for _, level in newest[::-1][: p["MPOR"]]]
    return [[date for date, _ in rows] for rows in periods.values()], levels


def clearing_house_identities(entry: Entry) -> list[Check]:
    """Components that a clearing house states add up to its totals, as lines of a report."""
    response = required(entry.document, "response", dict, entry.id)

    def total(name: str, terms: list[tuple[str, float, float]], rest: dict[str, float] | None = None) -> float:
        """Weighted numbers (name, weight, number) of a netting set, and amounts on top."""
        given = [
            hvar.component(word, measure="order_floor", confidence="0.99", weight=weight, given={name: number})
            for word, weight, number in terms
        ]
        rule = mc.methods.HistoricalVar(
            components=given, netting_sets=[{"name": name}],
            stages=[hvar.stage(word, "amount", amount=amount) for word, amount in (rest or {}).items()],
        )  # fmt: skip
        stock = mc.Stock("X", currency="USD")
        report = mc.margin([mc.Position(stock, 1)], mc.Market(VALUATION, spot={"X": 1.0}), rule)
        assert report.adds_up()
        return report.requirement.initial

    group = response["liquidation_group"]
    words = ("liquidity_addon", "long_option_credit", "time_to_expiry_adjustment")
    made = total(group, [("market risk", 1.0, response["market_risk"])], {word: response[word] for word in words})
    # Each printed number is rounded to six decimals, and so is their sum.
    checks = [Check("initial_margin", response["initial_margin"], made, abs_=2e-6)]
    sets = response["market_risk_per_rms"]
    for rms in sets:
        # The mean over subsamples of the measure and its two adjustments.
        own = rms["rms_components"]
        words = ("risk_measure_value", "correlation_break_adjustment", "compression_adjustment")
        terms = [(f"{word} {i}", 1.0 / len(own), part[word]) for i, part in enumerate(own) for word in words]
        checks.append(Check(rms["rms_name"], rms["rms_market_risk"], total(rms["rms_name"], terms), abs_=2e-6))
    if sum(rms["weighting_factor"] for rms in sets) >= 1.0:  # otherwise some are not shown
        terms = [(rms["rms_name"], rms["weighting_factor"], rms["rms_market_risk"]) for rms in sets]
        checks.append(Check("market_risk", response["market_risk"], total(group, terms), abs_=2e-6))
    return checks
