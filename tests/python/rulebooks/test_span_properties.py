"""SPAN against its pure-Python reference, on random parameter sets and portfolios that use every charge."""

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
TIERS = [(1, PERIODS[0], PERIODS[1]), (2, PERIODS[2], PERIODS[3])]
RATES = [{"from": "EUR", "to": "USD", "factor": 1.0823}, {"from": "USD", "to": "JPY", "factor": 151.25}]
FIELDS = ("scan", "wfpr", "intra", "intra_spreads", "delivery", "basis", "super_credit", "inter_credit",
          "exchange_credit", "som", "nov", "risk", "span_requirement", "net_delta", "time_risk", "vol_risk",
          "price_risk")  # fmt: skip


def _points(rng: random.Random) -> dict[str, Any]:
    """The standard 16 scenarios, or another grid: fewer than a row of 16, or more."""
    if rng.random() < 0.7:
        return {"extreme": [3.0, 0.33]}
    count = rng.choice([4, 12, 20, 34])
    points = [
        {"price": rng.uniform(-1, 1), "vol": (-1.0) ** i, "weight": 1.0, "paired": i + 1 - 2 * (i % 2)}
        for i in range(count)
    ]
    return {"points": [{"price": 0.0, "vol": 1.0, "weight": 1.0, "paired": 1}, *points[1:]]}


def _leg(code: str, rng: random.Random, side: int, tiers: int, between: bool) -> dict[str, Any]:
    period = rng.choice(PERIODS) if not between and rng.random() < 0.2 else None
    tier = 0 if period else rng.randrange(tiers + 1)
    rate = rng.choice([None, None, 0.4]) if between else None
    ratio = rng.choice([1.0, 1.0, 2.0, 0.5, 1.32])
    return {"commodity": code, "ratio": ratio, "side": side, "tier": tier, "period": period, "rate": rate}


def _intra(code: str, rng: random.Random, tiers: int) -> list[dict[str, Any]]:
    """Calendar spreads, butterflies (+1 -2 +1 over months), flat, weighted and per month."""
    spreads = []
    for priority in range(1, rng.randrange(1, 6)):
        if rng.random() < 0.25:
            months = sorted(rng.sample(PERIODS, 3))
            legs = [
                {"commodity": code, "ratio": ratio, "side": side, "period": month}
                for month, ratio, side in zip(months, (1.0, 2.0, 1.0), (1, -1, 1), strict=True)
            ]
        else:
            legs = [_leg(code, rng, side, tiers, False) for side in rng.sample([1, -1, -1, 1], rng.randrange(2, 4))]
        if {leg["side"] for leg in legs} != {1, -1}:
            continue
        method = rng.choice(["F", "F", "W", "P"])
        rate = {"F": rng.choice([35.0, 120.0]), "W": 0.3, "P": 0.0}[method]
        spread = {"priority": priority, "method": method, "rate": rate, "legs": legs}
        spreads.append(spread | ({"per_month": [20.0, 3.0, 1.5]} if method == "P" else {}))
    return spreads


def _commodity(code: str, rng: random.Random) -> dict[str, Any]:
    tiers = rng.choice([0, 0, 2])
    rows = [{"number": n, "start": a, "end": b} for n, a, b in TIERS[:tiers]]
    minimum = rng.choice([0.0, 15.0])
    months = rng.sample(PERIODS[:2], rng.randrange(0, 3))
    levels = {"member": (1.0, 1.0), "hedger": (1.0, 0.75), "speculator": (1.1, 0.9)}
    return {
        "code": code,
        "currency": rng.choice(["USD", "USD", "EUR", "JPY"]),
        "risk_exponent": rng.choice([0, 0, 1]),
        "cap_anov": rng.random() < 0.5,
        "wfpr": rng.choice(["NORMAL", "SCANRANGE_CAP", "SCANRANGE"]),
        "som_method": rng.choice(["GROSS", "MAX"]),
        "combination": rng.choice(["S", "D", "M"]),
        "scan_tiers": rows if rng.random() < 0.5 else [],
        "intra_tiers": rows,
        "inter_tiers": rows if rng.random() < 0.7 else [],
        "som_tiers": [row | {"rate": minimum * row["number"]} for row in rows] or [{"number": 0, "rate": minimum}],
        "spreads": _intra(code, rng, tiers),
        "spot_rates": [{"period": m, "spread": 11.0, "outright": 23.0} for m in months],
        "basis": ["CASH" + code, 7.0] if rng.random() < 0.3 else None,
        "levels": {kind: {"initial": i, "maintenance": m} for kind, (i, m) in levels.items()},
    }


def _contracts(commodity: dict[str, Any], points: list[ref.Point], rng: random.Random) -> list[dict[str, Any]]:
    """Futures, options on them and on the physical, the physical, a calendar combination and an option on it."""
    code, psr, scale = commodity["code"], rng.choice([100.0, 955.0]), rng.choice([1.0, 0.2])
    link = rng.choice([1.0, 1.0, 0.5])
    other = rng.choice([None, None, "USD"])
    base = ref.future_array(psr, points)
    shared = {"commodity": code, "price_scan": psr, "delta_scale": scale, "currency": other}

    def row(product: str, kind: str, period: str, delta: float, **terms: Any) -> dict[str, Any]:
        skew = [rng.uniform(-9, 9) if kind.startswith("O") else 0.0 for _ in base]
        array = [delta * b + s for b, s in zip(base, skew, strict=True)]
        return {"product": product, "kind": kind, "period": period, "delta": delta, "array": array} | shared | terms

    rows = [row("CASH" + code, "PHY", PERIODS[0], 1.0)]
    for period in PERIODS:
        rows.append(row(code, "FUT", period, 1.0, scale=link))
        for right, sign in (("C", 1.0), ("P", -1.0)):
            terms = {"right": right, "value": round(rng.uniform(1.0, 300.0), 2), "futures_style": code == "DD"}
            delta = sign * round(rng.uniform(0.05, 0.95), 4)
            rows.append(row(code, "OOP", period, delta, strike=10.0, **terms))
            if period != PERIODS[-1]:
                later = PERIODS[PERIODS.index(period) + 1]
                rows.append(row("O" + code, "OOF", period, delta, strike=20.0, delta_period=later, **terms))
    legs = [{"id": f":{code}:FUT:{m}", "ratio": r} for m, r in ((PERIODS[0], 1.0), (PERIODS[2], -1.0))]
    rows.append(row("CAL" + code, "CMB", PERIODS[0], 0.0, legs=legs))
    combined = [{"id": f":CAL{code}:CMB:{PERIODS[0]}", "ratio": 1.0}]
    rows.append(row("OC" + code, "OOC", PERIODS[0], 0.6, right="C", strike=5.0, value=12.0, legs=combined))
    return rows


def _between(codes: list[str], rng: random.Random) -> list[dict[str, Any]]:
    """Delta-based and scanning-based spreads over two or three commodities."""
    spreads = []
    for priority in range(1, rng.randrange(1, 5) if len(codes) > 1 else 1):
        chosen = rng.sample(codes, rng.randrange(2, min(len(codes), 3) + 1))
        scanning = rng.random() < 0.35
        sides = [1, -1, rng.choice([1, -1])]
        legs = [_leg(code, rng, side, 0, True) for code, side in zip(chosen, sides, strict=False)]
        spread = {"priority": priority, "method": "W", "rate": rng.choice([0.5, 0.8, -0.1]), "scanning": scanning}
        if scanning:
            target = rng.randrange(len(legs) + 1)
            for i, leg in enumerate(legs):
                leg |= {"target": i == target, "required": rng.random() < 0.5}
            spread |= {
                "target_required": rng.random() < 0.3,
                "minimum_legs": rng.choice([0, 2, 3]),
                "point_rules": [{"point": 3, "maximum": True, "losses": 1}, {"point": 4, "rate": 0.25}]
                if rng.random() < 0.3
                else [],
            }
        elif rng.random() < 0.3:
            spread |= {"method": "F", "rate": 12.5}
        spreads.append(spread | {"legs": legs})
    return spreads


def _world(rng: random.Random) -> dict[str, Any]:
    """A random parameter set as a document, which both the engine and the reference read."""
    codes = ["AA", "BB", "CC", "DD"][: rng.randrange(1, 5)]
    document: dict[str, Any] = {**_points(rng), "contract_scale": rng.random() < 0.3, "rates": RATES}
    points = ref.from_document(document | {"commodities": [], "contracts": []}).points
    document["commodities"] = [_commodity(code, rng) for code in codes]
    document["contracts"] = [row for c in document["commodities"] for row in _contracts(c, points, rng)]
    for group in ("super_spreads", "inter_spreads", "exchange_spreads"):
        document[group] = _between(codes, rng)
    return document


def _table(document: dict[str, Any]) -> list[mc.Contract]:
    """The document's contracts, under the ids the engine gives them."""
    table: list[mc.Contract] = []
    currencies = {c["code"]: c["currency"] for c in document["commodities"]}
    for row in document["contracts"]:
        period = row["period"]
        if row["kind"] == "OOF":
            period += f"/{row['delta_period']}"
        name = contract_id(row["product"], period, kind=row["kind"], right=row.get("right"), strike=row.get("strike"))
        shared = {"multiplier": 1, "currency": row["currency"] or currencies[row["commodity"]], "id": name}
        if row.get("right"):
            word = "call" if row["right"] == "C" else "put"
            table.append(mc.Option("X", word, row["strike"], exercise="european", expiry=EXPIRY, **shared))
        else:
            table.append(mc.Future("X", expiry=EXPIRY, **shared))
    return table


def _book(table: list[mc.Contract], rng: random.Random) -> dict[int, int]:
    only_long = rng.random() < 0.1
    pool = [i for i, c in enumerate(table) if c.kind == "option" or not only_long]
    rows = rng.sample(pool, rng.randrange(0, min(14, len(pool))))
    return {i: rng.choice([1, 2, 5] if only_long else [-7, -2, -1, 1, 2, 5]) for i in rows}


def _same(got: dict[str, Any], want: ref.Result, where: object) -> None:
    assert set(got) == set(want.commodities), where
    for code, result in want.commodities.items():
        for field in FIELDS:
            expected = pytest.approx(getattr(result, field), rel=1e-9, abs=1e-6)
            assert got[code][field] == expected, (where, code, field)


@pytest.mark.parametrize("seed", range(200))
def test_engine_is_the_reference(seed: int) -> None:
    rng = random.Random(seed)
    document = _world(rng)
    choices: dict[str, Any] = {
        "delta_rounding": rng.choice(["none", "half_even", "half_down"]),
        "whole_spreads": rng.random() < 0.2,
        "anov": rng.choice(["file", "file", "capped", "pooled"]),
        "delivery_counts_inter": rng.random() < 0.3,
        "delivery_months_in_inter": rng.random() < 0.6,
        "per_month": "additive",
    }
    parameters = ref.from_document(document, "USD")
    table = _table(document)
    prepared = mc.Engine(Span.from_document(document, base_currency="USD", **choices)).prepare(table)
    close = {"rel": 1e-9, "abs": 1e-6}
    for turn in range(6):
        kind = rng.choice([None, "member", "hedger", "speculator"])
        options = ref.Options(**choices, account_kind=kind or "speculator")
        held = _book(table, rng)
        where = seed, turn
        report = prepared.margin(mc.Account([mc.Position(table[i], q) for i, q in held.items()], kind=kind))
        assert report.adds_up()
        want = ref.margin(parameters, {table[i].id: float(q) for i, q in held.items()}, options)
        _same(report.details["commodities"], want, where)
        assert report.cash_balance_required == pytest.approx(want.requirement, **close), where
        maintenance = report.requirement.maintenance - report.net_option_value
        assert maintenance == pytest.approx(want.maintenance, **close), where

        # The same book with another one, long and short kept apart.
        sides = {i: (max(q, 0), max(-q, 0)) for i, q in held.items()}
        for i, q in _book(table, rng).items():
            long, short = sides.get(i, (0, 0))
            sides[i] = (long + max(q, 0), short + max(-q, 0))
        gross = prepared.margin(mc.Account([mc.Position(table[i], long=a, short=b) for i, (a, b) in sides.items()],
                                           kind=kind, gross=True))  # fmt: skip
        assert gross.adds_up()
        pair = ref.margin_gross(
            parameters,
            {table[i].id: float(a) for i, (a, _) in sides.items()},
            {table[i].id: float(b) for i, (_, b) in sides.items()},
            options,
        )
        for side, result in zip(("long", "short"), pair, strict=True):
            _same(gross.details[side]["commodities"], result, (where, side))
        assert gross.cash_balance_required == pytest.approx(pair[0].requirement + pair[1].requirement, **close), where


@pytest.mark.parametrize("seed", range(300, 340))
def test_order_and_splitting_change_no_bit_and_twice_the_book_is_twice_the_margin(seed: int) -> None:
    rng = random.Random(seed)
    document = _world(rng)
    table = _table(document)
    prepared = mc.Engine(Span.from_document(document, base_currency="USD", per_month="additive")).prepare(table)
    assert prepared.margin([]).requirement.initial == 0.0
    for _ in range(5):
        held = _book(table, rng)
        rows = [mc.Position(table[i], q) for i, q in held.items()]
        report = prepared.margin(rows)
        pieces = [mc.Position(p.contract, q) for p in rows for q in (p.quantity + 3, -3)]
        rng.shuffle(pieces)
        again = prepared.margin([*pieces, mc.Position(table[0], 0)])
        assert again.to_dict() == report.to_dict()
        twice = prepared.margin([mc.Position(p.contract, 2 * p.quantity) for p in rows]).requirement
        assert (twice.initial, twice.maintenance) == (
            2 * report.requirement.initial,
            2 * report.requirement.maintenance,
        )
        futures = [p for p in rows if p.contract.kind == "future"]
        there = prepared.margin(futures).details["commodities"]
        back = prepared.margin([mc.Position(p.contract, -p.quantity) for p in futures]).details["commodities"]
        assert {c: [-a for a in d["array"]] for c, d in there.items()} == {c: d["array"] for c, d in back.items()}


def test_the_random_worlds_use_every_charge() -> None:
    """What the property test compares is not zero against zero: every charge and credit occurs."""
    seen: set[str] = set()
    for seed in range(60):
        rng = random.Random(seed)
        document = _world(rng)
        parameters, table = ref.from_document(document, "USD"), _table(document)
        for _ in range(4):
            held = {table[i].id: float(q) for i, q in _book(table, rng).items()}
            result = ref.margin(parameters, held, ref.Options(per_month="additive"))
            for commodity in result.commodities.values():
                seen.update(field for field in FIELDS if getattr(commodity, field) != 0.0)
            seen.update("scanning" for entry in result.spreads if entry.get("scanning"))
    assert seen >= {*FIELDS, "scanning"}


def test_a_position_the_file_does_not_have_is_named() -> None:
    document = _world(random.Random(1))
    stranger = mc.Future("Z", expiry=EXPIRY, multiplier=1, currency="USD", id="Z-2026")
    with pytest.raises(mc.MissingData, match="Z-2026"):
        mc.margin([mc.Position(stranger, 1)], None, Span.from_document(document))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    document = _world(random.Random(2))
    document["contracts"][0]["array"][3] = bad
    with pytest.raises(mc.InvalidInput):
        Span.from_document(document)


def test_broken_files_are_parse_errors_with_their_place() -> None:
    for data in (b"", b"\n", b"<", b"<spanFile>", b"hello", b"\xff\xfe<\x00", b"PK\x03\x04", b"\x1f\x8b\x08"):
        with pytest.raises(mc.ParseError):
            mc._core.SpanFile.parse(data, "broken.spn")
    with pytest.raises(mc.ParseError, match=r"x.spn: byte \d+"):
        mc._core.SpanFile.parse(b"<spanFile><pointInTime><date>2025</pointInTime></spanFile>", "x.spn")
