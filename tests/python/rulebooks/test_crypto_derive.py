"""Derive's managers against the reference engines on random accounts."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

import margincore as mc
from margincore.reference.crypto import derive_pmrm1 as v1
from margincore.reference.crypto import derive_pmrm2 as v2
from margincore.reference.crypto import derive_srm as srm
from margincore.reference.crypto.settlement import split

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SPOT = 3000.0
PARAMS: dict[str, Any] = {
    "scenarios": [
        *([1.0 + m, op, 1.0] for m in (0.18, 0.09, 0.0, -0.09, -0.18) for op in ("Up", "None", "Down")),
        *([1.0 + m, "Up", w] for m, w in ((-0.66, 0.21), (0.5, 0.27), (5.0, 0.027))),
        [1.0, "LINEAR", 1.0],
        [1.0, "ABS", 0.5],
    ],
    "skew": {
        "LINEAR_SCALE_CAP": 0.25,
        "LINEAR_CBASE": -0.1,
        "ABS_SCALE_CAP": 0.25,
        "ABS_CBASE": -0.1,
        "MIN_K_STAR": 0.01,
        "MIN_WIDTH_SCALE": 4.0,
        "VOL_PARAM_STATIC": 0.6,
        "VOL_PARAM_SCALE": -0.1,
    },
    "vol": {
        "VOLRANGEUP": 0.5,
        "VOLRANGEDOWN": 0.275,
        "SHORTTERMPOWER": 0.3,
        "LONGTERMPOWER": 0.13,
        "DTE_FLOOR": 1.0,
        "MIN_VOL_EVAL_SHOCKED": 0.4,
    },
    "margin": {
        "MM_LOSS_FACTOR": 0.8,
        "IM_LOSS_FACTOR": 1.0,
        "SHORT_RATE_MULTSCALE": 0.5,
        "LONG_RATE_MULTSCALE": 1.0,
        "SHORT_RATE_ADDSCALE": 0.08,
        "LONG_RATE_ADDSCALE": 0.08,
        "BASE_STATIC_DISCOUNT": 0.95,
        "BASE_STATIC_DISCOUNT_NEG": 1.04,
    },
    "basis": {
        "SCENARIO_SPOT_UP": 1.045,
        "SCENARIO_SPOT_DOWN": 0.955,
        "BASIS_CONT_ADD_FACTOR": 0.5,
        "BASIS_CONT_MULT_FACTOR": 2.0,
    },
    "other": {
        "PEG_LOSS_THRESHOLD": 0.99,
        "PEG_LOSS_FACTOR": 4.0,
        "CONF_THRESHOLD": 0.55,
        "CONF_MARGIN": 1.0,
        "MM_PERP_PERCENT": 0.03,
        "IM_PERP_PERCENT": 0.01,
        "MM_OPTION_PERCENT": 0.003,
        "IM_OPTION_PERCENT": 0.002,
    },
}
SECONDS = (600, 90_000, 794_852, 3_214_052, 18_938_852)


def at(seconds: float) -> str:
    return (NOW + dt.timedelta(seconds=seconds)).isoformat()


class Account:
    """Random options, perpetuals and feeds in plain values."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.stable = draw.choice([1.0, 0.97])
        self.spot_conf, self.perp_conf = draw.choice([1.0, 0.4]), draw.choice([1.0, 0.3])
        self.cash = draw.uniform(-5000, 5000)
        self.perps = draw.choice([0.0, draw.randint(-30, 30) / 10])
        self.expiries = {
            s: {
                "forward": SPOT * draw.uniform(0.98, 1.1),
                "rate": draw.uniform(-0.1, 0.4),
                "conf": draw.choice([1.0, 0.5]),
                "average": SPOT * draw.uniform(0.97, 1.03),
            }
            for s in draw.sample(SECONDS, 3)
        }
        self.options = [
            (
                s,
                round(SPOT * draw.uniform(0.6, 1.7), -2),
                draw.choice([1, -1]),
                draw.choice([-1, 1]) * draw.randint(1, 50) / 10,
                draw.uniform(0.3, 1.3),
            )
            for s in self.expiries
            for _ in range(draw.randint(0, 4))
        ]

    def bind(self, feed: dict[str, Any]) -> tuple[mc.Account, mc.Market, dict[str, Any], list[mc.Contract]]:
        """As contracts, market and feeds; `feed` is added to them."""
        positions, vol = [], {}
        for i, (seconds, strike, right, amount, iv) in enumerate(self.options):
            option = mc.Option(
                "ETH",
                "call" if right > 0 else "put",
                strike,
                expiry=at(seconds),
                exercise="european",
                multiplier=1,
                currency="USDC",
                lot=0.1,
                id=f"o{i}",
            )
            vol[option.id] = iv
            positions.append(mc.Position(option, amount))
        perp = mc.Perpetual("ETH", multiplier=1, currency="USDC", lot=0.1)
        if self.perps:
            positions.append(mc.Position(perp, self.perps))
        forward = {("ETH", at(s)): e["forward"] for s, e in self.expiries.items()}
        market = mc.Market(
            NOW, spot={"ETH": SPOT, "WETH": SPOT * 1.01}, vol=vol, forward=forward, price={perp.id: SPOT * 1.002}
        )
        feeds = {
            "stable": self.stable,
            "underlyings": {"ETH": {"spot_confidence": self.spot_conf, "perp_confidence": self.perp_conf}},
            "expiries": [
                {
                    "underlying": "ETH",
                    "expiry": at(s),
                    "rate": e["rate"],
                    "forward_confidence": e["conf"],
                    "settlement_average": e["average"],
                }
                for s, e in self.expiries.items()
            ],
            **feed,
        }
        return mc.Account(positions, cash={"USDC": self.cash}), market, feeds, [perp]


def close(expected: float) -> object:
    return pytest.approx(expected, rel=1e-11, abs=1e-8)


@pytest.mark.parametrize("seed", range(60))
def test_pmrm_2(seed: int) -> None:
    own = Account(seed)
    terms = {"confidence": 0.9, "risk_cancelling": seed % 2 == 0, "im_haircut": 0.01, "mm_haircut": 0.03}
    account, market, feeds, extra = own.bind({"collateral": {"WETH": terms}})
    account = mc.Account(account.positions, cash={"USDC": own.cash}, collateral={"WETH": 1.5})
    expiries = {}
    for seconds, e in own.expiries.items():
        fixed, moving = split(e["forward"], seconds, 1800.0, e["average"])
        expiries[float(seconds)] = v2.Expiry(seconds, moving, e["rate"], fwd_conf=e["conf"], fixed=fixed)
    book = v2.Book(
        SPOT,
        expiries,
        [v2.Option(s, k, w, q, iv) for s, k, w, q, iv in own.options],
        [v2.Collateral(1.5, SPOT * 1.01, 0.9, seed % 2 == 0, 0.01, 0.03)],
        own.cash,
        own.perps,
        0.0,
        SPOT * 1.002,
        own.spot_conf,
        own.perp_conf,
        own.stable,
    )
    groups = {key: value for key, value in PARAMS.items() if key != "scenarios"}
    expected = v2.margin(book, [tuple(s) for s in PARAMS["scenarios"]], groups)
    report = mc.margin(account, market, mc.methods.Derive.from_params(PARAMS, feeds=feeds), contracts=extra)
    assert report.adds_up()
    (unit,) = report.details["units"].values()
    assert (unit["initial_margin"], unit["maintenance_margin"]) == (
        close(expected.initial),
        close(expected.maintenance),
    )
    assert unit["mark_to_market"] - report.requirement.initial == close(expected.initial)
    for row, pnl in zip(unit["scenarios"], expected.scenario_pnl, strict=True):
        assert row["pnl"] == close(pnl), row["label"]


@pytest.mark.parametrize("seed", range(40))
def test_pmrm_1(seed: int) -> None:
    own = Account(seed + 1000)
    account, market, feeds, extra = own.bind({})
    expiries = {}
    for seconds, e in own.expiries.items():
        fixed, moving = split(e["forward"], seconds, 3600.0, e["average"])
        expiries[float(seconds)] = v1.Expiry(seconds, moving, e["rate"], e["conf"], fixed)
    book = v1.Book(
        SPOT,
        expiries,
        [v1.Option(s, k, w, q, iv) for s, k, w, q, iv in own.options],
        own.cash,
        own.perps,
        0.0,
        SPOT * 1.002,
        0.0,
        own.spot_conf,
        own.perp_conf,
        own.stable,
    )
    p = {
        "up": 1.05,
        "dn": 0.95,
        "add": 0.25,
        "mult": 0.01,
        "pegT": 0.98,
        "pegF": 2.0,
        "confT": 0.6,
        "confM": 0.5,
        "base": 0.02,
        "perp": 0.02,
        "opt": 0.01,
        "im": 1.3,
        "disc": 0.95,
        "rm": 4.0,
        "ra": 0.05,
        "vu": 0.45,
        "vd": 0.3,
        "sp": 0.3,
        "lp": 0.13,
        "fl": 86_400.0,
    }
    scenarios = [(1.0 + m, op) for m in (0.15, 0.10, 0.05, 0.0, -0.05, -0.10, -0.15) for op in ("Up", "None", "Down")]
    expected = v1.margin(book, scenarios, p)
    report = mc.margin(account, market, mc.methods.Derive("pmrm1-tests", feeds=feeds), contracts=extra)
    (unit,) = report.details["units"].values()
    assert (unit["initial_margin"], unit["maintenance_margin"]) == (
        close(expected.initial),
        close(expected.maintenance),
    )


@pytest.mark.parametrize("seed", range(40))
def test_standard_manager(seed: int) -> None:
    own = Account(seed + 2000)
    account, market, feeds, extra = own.bind({})
    params = {
        "max": 0.15,
        "min": 0.1,
        "mmc": 0.075,
        "mmp": 0.075,
        "mmpm": 0.075,
        "unIM": 1.2,
        "unMM": 1.1,
        "off": 1.05,
        "conf_option": 0.4,
        "conf_perp": 0.4,
        "conf_base": 0.4,
        "conf_factor": 0.4,
        "depeg_threshold": 0.98,
        "depeg_factor": 1.2,
        "base_factor": 0.1,
        "base_im_scale": 1.0,
        "perp_IM": 0.065,
        "perp_MM": 0.05,
    }
    options = []
    for seconds, strike, right, amount, iv in own.options:
        e = own.expiries[seconds]
        forward = sum(split(e["forward"], seconds, 3600.0, e["average"]))
        options.append(srm.Option(seconds, strike, right, amount, iv, None, forward, e["conf"]))
    held = srm.Market(SPOT, params, options, own.perps, 0.7, SPOT * 1.002, 0.0, own.spot_conf, own.perp_conf)
    expected = srm.margin({"ETH": held}, own.cash, own.stable)
    account = mc.Account(account.positions, cash={"USDC": own.cash}, collateral={"ETH": 0.7})
    report = mc.margin(account, market, mc.methods.Derive("srm-tests", feeds=feeds), contracts=extra)
    assert report.adds_up()
    assert report.details["initial_margin"] == close(expected.initial)
    assert report.details["maintenance_margin"] == close(expected.maintenance)


def test_a_manager_holds_one_underlying() -> None:
    perps = [mc.Perpetual(s, multiplier=1, currency="USDC") for s in ("BTC", "ETH")]
    market = mc.Market(NOW, spot={"BTC": 9e4, "ETH": 3e3}, price={p.id: 1e3 for p in perps})
    with pytest.raises(mc.NotApplicable, match="one underlying"):
        mc.margin([mc.Position(p, 1) for p in perps], market, mc.methods.Derive())


def test_inside_the_settlement_window_the_average_is_asked_for() -> None:
    option = mc.Option("ETH", "call", 3000, expiry=at(600), exercise="european", multiplier=1, currency="USDC")
    market = mc.Market(
        NOW, spot={"ETH": SPOT}, forward={("ETH", at(600)): SPOT}, vol={option.id: 0.5}, rate={"USDC": 0.0}
    )
    with pytest.raises(mc.MissingData, match="settlement_average"):
        mc.margin([mc.Position(option, 1)], market, mc.methods.Derive())


EXTREMES = {
    "skew": {
        "LINEAR_SCALE_CAP": (0.0, 10.0),
        "LINEAR_CBASE": (-10.0, 10.0),
        "ABS_SCALE_CAP": (0.0, 10.0),
        "ABS_CBASE": (-10.0, 10.0),
        "MIN_K_STAR": (0.001, 10.0),
        "MIN_WIDTH_SCALE": (0.0, 10.0),
        "VOL_PARAM_STATIC": (0.0, 10.0),
        "VOL_PARAM_SCALE": (-10.0, 10.0),
    },
    "vol": {
        "VOLRANGEUP": (0.0, 10.0),
        "VOLRANGEDOWN": (0.0, 10.0),
        "SHORTTERMPOWER": (0.0, 2.0),
        "LONGTERMPOWER": (0.0, 10.0),
        "DTE_FLOOR": (0.01, 100.0),
        "MIN_VOL_EVAL_SHOCKED": (0.0, 2.0),
    },
    "margin": {
        "MM_LOSS_FACTOR": (0.0, 10.0),
        "IM_LOSS_FACTOR": (0.5, 10.0),
        "SHORT_RATE_MULTSCALE": (0.0, 10.0),
        "LONG_RATE_MULTSCALE": (0.0, 10.0),
        "SHORT_RATE_ADDSCALE": (0.0, 10.0),
        "LONG_RATE_ADDSCALE": (0.0, 10.0),
        "BASE_STATIC_DISCOUNT": (0.0, 1.1),
        "BASE_STATIC_DISCOUNT_NEG": (0.9, 10.0),
    },
    "basis": {
        "SCENARIO_SPOT_UP": (1.0, 3.0),
        "SCENARIO_SPOT_DOWN": (0.0, 1.0),
        "BASIS_CONT_ADD_FACTOR": (0.0, 10.0),
        "BASIS_CONT_MULT_FACTOR": (0.0, 10.0),
    },
    "other": {
        "PEG_LOSS_THRESHOLD": (0.0, 100.0),
        "PEG_LOSS_FACTOR": (0.0, 20.0),
        "CONF_THRESHOLD": (0.0, 1.0),
        "CONF_MARGIN": (0.0, 20.0),
        "MM_PERP_PERCENT": (0.0, 2.0),
        "IM_PERP_PERCENT": (0.0, 2.0),
        "MM_OPTION_PERCENT": (0.0, 2.0),
        "IM_OPTION_PERCENT": (0.0, 2.0),
    },
}


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [(g, n, v) for g, names in EXTREMES.items() for n, values in names.items() for v in values],
)
def test_pmrm_2_at_the_ends_of_every_parameter(group: str, name: str, value: float) -> None:
    own = Account(len(name) + int(value))
    groups: dict[str, Any] = {key: dict(p) for key, p in PARAMS.items() if key != "scenarios"}
    groups[group][name] = value
    account, market, feeds, extra = own.bind({})
    expiries = {}
    for seconds, e in own.expiries.items():
        fixed, moving = split(e["forward"], seconds, 1800.0, e["average"])
        expiries[float(seconds)] = v2.Expiry(seconds, moving, e["rate"], fwd_conf=e["conf"], fixed=fixed)
    options = [v2.Option(s, k, w, q, iv) for s, k, w, q, iv in own.options]
    confidences = (own.spot_conf, own.perp_conf, own.stable)
    book = v2.Book(SPOT, expiries, options, [], own.cash, own.perps, 0.0, SPOT * 1.002, *confidences)
    expected = v2.margin(book, [tuple(s) for s in PARAMS["scenarios"]], groups)
    params = {"scenarios": PARAMS["scenarios"], **groups}
    report = mc.margin(account, market, mc.methods.Derive.from_params(params, feeds=feeds), contracts=extra)
    (unit,) = report.details["units"].values()
    assert (unit["initial_margin"], unit["maintenance_margin"]) == (
        close(expected.initial),
        close(expected.maintenance),
    )
    for row, pnl in zip(unit["scenarios"], expected.scenario_pnl, strict=True):
        assert row["pnl"] == close(pnl), row["label"]
