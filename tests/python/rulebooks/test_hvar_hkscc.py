"""The worked example of HKSCC's guide, number by number.

HKEX/HKSCC, "VaR Platform - Initial Margin Calculation Guide" v1.4 (October 2025), sections 3.1 to 3.2.8 and 4.1. The
guide prints the tail means of its scenario files and not the files, so those are given. It prints 487,332 as the
position-limit add-on where its own formula gives 487,169: here the formula is tested.
"""

from __future__ import annotations

from typing import Any

import pytest

import margincore as mc
from margincore.methods import hvar

VALUATION = "2026-11-20T21:00:00Z"
# Instrument: quantity, contract value, market value.
POSITIONS = {
    "658": (-10_000_000, -62_000_000, -60_000_000), "700": (-1_000_000, -384_000_000, -400_000_000),
    "1299": (1_000_000, 80_000_000, 80_000_000), "1876": (100_000, 2_700_000, 3_000_000),
    "2823": (1_000_000, 30_000_000, 30_000_000), "3456": (10_000, 910_000, 750_000),
    "3457": (-50_000, -360_000, -300_000), "3606": (1_000_000, 28_000_000, 30_000_000),
    "3690": (100_000, 6_900_000, 7_000_000), "26883": (110_000_000, 3_000_000, 2_000_000),
    "DSP700": (-1_000_000, 0, -4_000_000), "DIV1299": (1_000_000, -1_000_000, 0),
    "SRI3606": (2_000_000, 0, 1_000_000), "60954": (120_000_000, 8_000_000, 10_000_000),
}  # fmt: skip
HVAR = {"1876": 7_546.5, "3690": 19_369.0, "non_ipo": 4_793_885.67}
SVAR = {"1876": 23_535.29, "3690": 60_407.67, "non_ipo": 16_147_985.33}
FLAT = hvar.stage(
    "flat rate", "flat_rate", rates={"658": 0.12, "3456": 0.3, "3457": 0.55, "3606": 0.12},
    groups=[["658", "3606"], ["3456"], ["3457"]], multiplier=2,
)  # fmt: skip
CORPORATE = hvar.stage(
    "corporate action", "side_rate",
    rates={"DSP700": {"long": 0.5, "short": -0.5}, "DIV1299": {"long": 0, "short": -1},
           "SRI3606": {"long": 0.5, "short": 0}},
)  # fmt: skip
LIQUIDITY = hvar.stage(
    "liquidity", "liquidity", rounding=1.0,
    underlyings={
        "700": {"threshold": 300e6, "rate": 0.0022, "beta": 0.9},
        "1299": {"threshold": 100e6, "rate": 0.0025, "beta": 1.1},
        "1876": {"threshold": 200e6, "rate": 0.002, "beta": 1.2},
        "2823": {"threshold": 250e6, "rate": 0.002, "beta": 1.0},
        "3690": {"threshold": 300e6, "rate": 0.0022, "beta": 1.3},
    },
    underlying_of={"26883": "700", "60954": "1299"},
    delta={"700": 400, "26883": 0.1784, "1299": 80, "60954": -0.63167, "1876": 30, "2823": 30, "3690": 70},
    hedge={"threshold": 250e6, "rate": 0.002},
)  # fmt: skip
CORE = ["scenarios", "portfolio floor", "flat rate", "liquidity", "structured product", "corporate action"]
STAGES = [
    hvar.stage("portfolio floor", "gross_floor", rate=0.025),
    FLAT,
    LIQUIDITY,
    hvar.stage("structured product", "tick_value", products={"26883": {"ticks": 5, "tick": 0.001}}),
    CORPORATE,
    hvar.stage("holiday", "scale", of=["scenarios", "portfolio floor", "flat rate"], days=3, rounding=1.0),
    hvar.stage("rounding", "round_up", unit=10_000),
    hvar.stage("favourable mark", "favourable_mark"),
    hvar.stage("credit", "credit", amount=5_000_000),
    hvar.stage("mark requirement", "mark_requirement"),
    hvar.stage("credit risk", "amount", amount=12_000_000),
    hvar.stage("ad hoc", "amount", amount=600_000),
]
LIMIT = hvar.stage(
    "position limit", "position_limit", capital=75e6, multiplier=4, cap=280e6, rate=0.25, unit=10_000, rounding=1.0,
    of=CORE,
)  # fmt: skip


def member(stages: list[dict[str, Any]]) -> mc.MarginReport:
    components = [
        hvar.component("HVaR", measure="es_discrete", confidence="0.994", weight=0.75, history="HVaR", given=HVAR),
        hvar.component("SVaR", measure="es_discrete", confidence="0.98", weight=0.25, history="SVaR", given=SVAR),
    ]
    rule = mc.methods.HistoricalVar(
        preset="hkscc-vp", components=components, stages=stages,
        netting_sets=[*({"name": stock, "members": [stock]} for stock in ("1876", "3690")), {"name": "non_ipo"}],
    )  # fmt: skip
    market = mc.Market(VALUATION, spot={name: value / quantity for name, (quantity, _, value) in POSITIONS.items()})
    positions = [mc.Position(mc.Stock(name, currency="HKD"), row[0]) for name, row in POSITIONS.items()]
    paid = -float(sum(row[1] for row in POSITIONS.values()))
    report = mc.margin(mc.Account(positions, cash={"HKD": paid}), market, rule)
    assert report.adds_up()
    return report


def test_the_guide_s_charges() -> None:
    report = member(STAGES)
    amounts = {name: part.initial for name, part in report.by_component().items()}
    scenarios = {name: report.by_scope()[name].initial for name in HVAR}
    printed = {"1876": 11_543.70, "3690": 29_628.67, "non_ipo": 7_632_410.59}
    assert scenarios == pytest.approx(printed, abs=0.005)
    # The floor of 10,000,000 is 2.5 % of 400,000,000 short.
    assert sum(scenarios.values()) + amounts["portfolio floor"] == pytest.approx(10_000_000)
    assert amounts["flat rate"] == pytest.approx(15_180_000)
    own = [line.initial for line in report.lines if line.component == "liquidity"]
    assert own == [176_827.0, 90_038.0]
    stated = report.details["stages"]["liquidity"]
    assert stated["delta"]["700"] == pytest.approx(-380_376_000)
    assert stated["delta"]["1299"] == pytest.approx(4_199_600)
    assert stated["beta_delta"] == pytest.approx(-295_018_840)
    assert amounts["structured product"] == pytest.approx(550_000)
    assert amounts["corporate action"] == pytest.approx(2_500_000)
    assert amounts["holiday"] == 18_433_039
    assert amounts["mark requirement"] == pytest.approx(12_700_000)
    # 46,929,904 rounded up, less 5,000,000, plus 12,700,000 and the add-ons.
    assert report.requirement.initial == pytest.approx(46_930_000 - 5_000_000 + 12_700_000 + 12_000_000 + 600_000)


def test_the_guide_s_position_limit_by_its_formula() -> None:
    assert member([*STAGES[:6], LIMIT]).by_component()["position limit"].initial == 487_169
