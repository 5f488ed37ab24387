"""SPAN against its pure-Python reference, on random parameter sets and portfolios."""

from __future__ import annotations

import random
from typing import Any

import pytest

import margincore as mc
from margincore.methods import Span
from margincore.methods.span import contract_id
from margincore.reference import span as ref

EXPIRY = "2099-12-31T00:00:00Z"
PERIODS = ["202601", "202602", "202603", "202606"]
SIDES = {1: "A", -1: "B"}


def _leg(code: str, rng: random.Random, side: int, tiers: int, between: bool) -> tuple[dict[str, Any], ref.Leg]:
    ratio = rng.choice([1.0, 1.0, 2.0, 0.5, 1.32])
    tier = rng.randrange(tiers + 1)
    period = rng.choice(PERIODS) if not between and rng.random() < 0.2 else None
    tier = 0 if period else tier
    rate = rng.choice([None, None, 0.4])
    if not between:
        rate = None
    document = {"commodity": code, "ratio": ratio, "side": side, "tier": tier, "period": period, "rate": rate}
    return document, ref.Leg(code, ratio, SIDES[side], tier, period, rate)


def _world(rng: random.Random) -> tuple[dict[str, Any], ref.Parameters, list[tuple[str, dict[str, Any]]]]:
    """The same random parameters twice: a document for the engine, dataclasses for the reference."""
    codes = ["AA", "BB", "CC", "DD"][: rng.randrange(1, 5)]
    document: dict[str, Any] = {"extreme": [3.0, 0.33], "contracts": [], "commodities": []}
    contracts: dict[str, ref.Contract] = {}
    commodities: dict[str, ref.Commodity] = {}
    rates = {("EUR", "USD"): 1.0823}
    names = []
    for code in codes:
        currency = rng.choice(["USD", "USD", "EUR"])
        tiers = rng.choice([0, 0, 2])
        bounds = [(1, PERIODS[0], PERIODS[1]), (2, PERIODS[2], PERIODS[3])][:tiers]
        rows = [{"number": n, "start": a, "end": b} for n, a, b in bounds]
        own = [ref.Tier(n, a, b) for n, a, b in bounds]
        scan = rng.random() < 0.5
        spreads, ref_spreads = [], []
        for priority in range(1, rng.randrange(1, 5)):
            pairs = [_leg(code, rng, side, tiers, False) for side in rng.sample([1, -1, -1, 1], rng.randrange(2, 4))]
            if {p[0]["side"] for p in pairs} != {1, -1}:
                continue
            method = rng.choice(["F", "F", "W"])
            rate = rng.choice([35.0, 120.0]) if method == "F" else 0.3
            spreads.append({"priority": priority, "method": method, "rate": rate, "legs": [p[0] for p in pairs]})
            ref_spreads.append(ref.Spread(priority, tuple(p[1] for p in pairs), rate, method))
        som = rng.choice([0.0, 15.0])
        commodity = {
            "code": code,
            "currency": currency,
            "risk_exponent": rng.choice([0, 0, 1]),
            "cap_anov": rng.random() < 0.5,
            "wfpr": rng.choice(["NORMAL", "SCANRANGE_CAP", "SCANRANGE"]),
            "som_method": rng.choice(["GROSS", "MAX"]),
            "scan_tiers": rows if scan else [],
            "intra_tiers": rows,
            "inter_tiers": rows,
            "som_tiers": [{"number": 0, "rate": som}],
            "spreads": spreads,
            "spot_rates": [{"period": PERIODS[0], "spread": 11.0, "outright": 23.0}] if rng.random() < 0.3 else [],
            "levels": {"speculator": {"initial": 1.1, "maintenance": 0.9}},
        }
        document["commodities"].append(commodity)
        commodities[code] = ref.Commodity(
            code, currency, commodity["risk_exponent"], commodity["cap_anov"], commodity["wfpr"],
            commodity["som_method"], ref.Combination(), own if scan else [], own, own, [ref.Tier(0, rate=som)],
            ref_spreads, [ref.SpotRate(s["period"], s["spread"], s["outright"]) for s in commodity["spot_rates"]],
            initial_factor=1.1, maintenance_factor=0.9,
        )  # fmt: skip
        psr = rng.choice([100.0, 955.0])
        scale = rng.choice([1.0, 0.2])
        for period in PERIODS:
            for right in ("", "C", "P"):
                delta = 1.0 if not right else (1 if right == "C" else -1) * round(rng.uniform(0.05, 0.95), 4)
                skew = [rng.uniform(-9, 9) if right else 0.0 for _ in range(16)]
                base = ref.future_array(psr)
                array = [delta * b + s for b, s in zip(base, skew, strict=True)]
                kind = "OOP" if right else "FUT"
                value = round(rng.uniform(1.0, 300.0), 2)
                futures_style = bool(right) and code == "DD"
                row = {
                    "product": code, "kind": kind, "period": period, "commodity": code, "array": array, "delta": delta,
                    "value": value, "price_scan": psr, "delta_scale": scale, "futures_style": futures_style,
                }  # fmt: skip
                if right:
                    row |= {"right": right, "strike": 10.0}
                document["contracts"].append(row)
                name = contract_id(code, period, kind=kind, right=right or None, strike=10.0)
                contracts[name] = ref.Contract(name, code, kind, period, array, delta, value, psr, right,
                                               not futures_style, 1.0, scale, currency)  # fmt: skip
                names.append((name, {"kind": kind, "right": right, "currency": currency}))
    document["rates"] = [{"from": "EUR", "to": "USD", "factor": 1.0823}]
    groups: dict[str, list[ref.Spread]] = {"super_spreads": [], "inter_spreads": []}
    for key, spreads_of in groups.items():
        document[key] = []
        for priority in range(1, rng.randrange(1, 5)):
            if len(codes) < 2:
                break
            chosen = rng.sample(codes, rng.randrange(2, min(len(codes), 3) + 1))
            scanning = rng.random() < 0.3
            pairs = [_leg(c, rng, side, 0, True) for c, side in zip(chosen, [1, -1, rng.choice([1, -1])], strict=False)]
            if scanning:
                target = rng.randrange(len(pairs))
                for i, (d, _) in enumerate(pairs):
                    d |= {"target": i == target, "required": rng.random() < 0.5}
                pairs = [(d, ref.Leg(d["commodity"], d["ratio"], SIDES[d["side"]], 0, None, d["rate"], "",
                                     d["required"], d["target"])) for d, _ in pairs]  # fmt: skip
            rate = rng.choice([0.5, 0.8])
            document[key].append({"priority": priority, "method": "W", "rate": rate, "scanning": scanning,
                                  "legs": [p[0] for p in pairs]})  # fmt: skip
            spreads_of.append(ref.Spread(priority, tuple(p[1] for p in pairs), rate, "W", scanning))
    parameters = ref.Parameters(
        ref.STANDARD_POINTS, contracts, commodities, groups["super_spreads"], groups["inter_spreads"], [], rates,
        base_currency="USD",
    )  # fmt: skip
    return document, parameters, names


def _contract(name: str, terms: dict[str, Any]) -> mc.Contract:
    shared = {"expiry": EXPIRY, "multiplier": 1, "currency": terms["currency"], "id": name}
    if terms["right"]:
        word = "call" if terms["right"] == "C" else "put"
        return mc.Option("X", word, 10.0, exercise="european", **shared)
    return mc.Future("X", **shared)


@pytest.mark.parametrize("seed", range(150))
def test_engine_is_the_reference(seed: int) -> None:
    rng = random.Random(seed)
    document, parameters, names = _world(rng)
    rounding = rng.choice(["none", "half_even", "half_down"])
    whole = rng.random() < 0.2
    inter = rng.random() < 0.3
    span = Span.from_document(
        document, base_currency="USD", delta_rounding=rounding, whole_spreads=whole, delivery_counts_inter=inter
    )
    table = [_contract(name, terms) for name, terms in names]
    prepared = mc.Engine(span).prepare(table)
    for _ in range(6):
        only_long = rng.random() < 0.15
        pool = [i for i, n in enumerate(names) if n[1]["right"]] if only_long else range(len(names))
        rows = rng.sample(list(pool), rng.randrange(0, min(9, len(pool))))
        held = {i: rng.choice([1, 2, 5] if only_long else [-7, -2, -1, 1, 2, 5]) for i in rows}
        report = prepared.margin(mc.Account([mc.Position(table[i], q) for i, q in held.items()]))
        assert report.adds_up()
        options = ref.Options(rounding, whole, "file", inter)
        want = ref.margin(parameters, {names[i][0]: float(q) for i, q in held.items()}, options)
        close = {"rel": 1e-9, "abs": 1e-7}
        got = report.details["commodities"]
        assert set(got) == set(want.commodities)
        for code, result in want.commodities.items():
            for field in ("scan", "wfpr", "intra", "delivery", "super_credit", "inter_credit", "som", "nov", "risk",
                          "span_requirement", "net_delta", "time_risk", "vol_risk", "price_risk"):  # fmt: skip
                assert got[code][field] == pytest.approx(getattr(result, field), **close), (seed, code, field)
        assert report.cash_required == pytest.approx(want.requirement, **close), seed
        maintenance = report.requirement.maintenance - report.net_option_value
        assert maintenance == pytest.approx(want.maintenance, **close), seed


def test_a_position_the_file_does_not_have_is_named() -> None:
    document, _, names = _world(random.Random(1))
    stranger = mc.Future("Z", expiry=EXPIRY, multiplier=1, currency="USD", id="Z-2026")
    with pytest.raises(mc.MissingData, match="Z-2026"):
        mc.margin([mc.Position(stranger, 1)], None, Span.from_document(document))
    assert names


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    document, _, _ = _world(random.Random(2))
    document["contracts"][0]["array"][3] = bad
    with pytest.raises(mc.InvalidInput):
        Span.from_document(document)


def test_broken_files_are_parse_errors_with_their_place() -> None:
    for data in (b"", b"\n", b"<", b"<spanFile>", b"hello", b"\xff\xfe<\x00", b"PK\x03\x04", b"\x1f\x8b\x08"):
        with pytest.raises(mc.ParseError):
            mc._core.SpanFile.parse(data, "broken.spn")
    with pytest.raises(mc.ParseError, match=r"x.spn: byte \d+"):
        mc._core.SpanFile.parse(b"<spanFile><pointInTime><date>2025</pointInTime></spanFile>", "x.spn")
