"""Contributions that come to the total exactly, and changes taken apart."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest

import margincore as mc
from margincore.analysis.attribution import Attribution, Margined, attribute, explain

STOCK = mc.Stock("XYZ", currency="USD")
OPTIONS = [
    mc.Option(
        "XYZ", right, strike, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100, currency="USD"
    )
    for strike in (80, 90, 100, 110, 120)
    for right in ("call", "put")
]
TABLE = [STOCK, *OPTIONS]


def market(spot: float = 100.0) -> mc.Market:
    price = {o.id: float(mc.pricing.price(spot, o.strike, 0.08, 0.04, 0.0, 0.3, o.right)) for o in OPTIONS}
    return mc.Market(
        "2026-11-20T21:00:00Z", spot={"XYZ": spot}, rate={"USD": 0.04}, vol=dict.fromkeys(price, 0.3), price=price
    )


RULEBOOKS = {
    "tims": mc.methods.Tims(),
    "reg-t": mc.methods.RegT(underlyings={"XYZ": {"class": "equity"}}),
    "span-like": mc.methods.SpanLike({"XYZ": {"price_scan": 0.1, "vol_scan": 0.25, "short_option_minimum": 20.0}}),
}
BOOK = [mc.Position(STOCK, 300), mc.Position(OPTIONS[4], -5), mc.Position(OPTIONS[1], 4), mc.Position(OPTIONS[7], -3)]


def adds_up(found: Attribution) -> bool:
    total = math.fsum([*(c.amount for c in found.contributions), found.residual])
    return abs(total - found.total) <= math.ulp(max(abs(found.residual), abs(found.total)))


@pytest.mark.parametrize("name", RULEBOOKS)
@pytest.mark.parametrize("level", ["initial", "maintenance"])
def test_contributions_come_to_the_total(name: str, level: str) -> None:
    prepared = mc.Engine(RULEBOOKS[name]).prepare(TABLE, market())
    draw = random.Random(4)
    for _ in range(25):
        held = [mc.Position(c, draw.choice([-7, -2, 1, 5])) for c in draw.sample(TABLE, draw.randint(1, 6))]
        total = getattr(prepared.margin(held).requirement, level)
        for kind in ("incremental", "marginal", "euler"):
            try:
                found = attribute(prepared, held, kind, level=level)  # type: ignore[arg-type]
            except mc.NotApplicable:
                # Whole contracts are paired: a larger account may be paired better, and the pairs are where it bends.
                assert (name, kind) == ("reg-t", "euler")
                continue
            if kind == "euler":
                assert abs(found.residual) <= 1e-8 * sum(abs(c.amount) for c in found.contributions)
            assert found.total == total
            assert adds_up(found)
            assert [c.contract.id for c in found.contributions] == [p.contract.id for p in held]


def test_incremental_is_the_margin_without_the_position() -> None:
    prepared = mc.Engine(RULEBOOKS["reg-t"]).prepare(TABLE, market())
    found = attribute(prepared, BOOK)
    for i, contribution in enumerate(found.contributions):
        without = prepared.margin([p for k, p in enumerate(BOOK) if k != i]).requirement.initial
        assert contribution.amount == found.total - without


def test_eulers_parts_of_a_scan_are_losses_in_the_worst_scenario() -> None:
    prepared = mc.Engine(RULEBOOKS["tims"]).prepare(TABLE, market())
    report = prepared.margin(BOOK)
    found = attribute(prepared, BOOK, "euler")
    point = report.details["class_groups"]["XYZ"]["worst_point"]
    assert report.details["class_groups"]["XYZ"]["binding"] == "scan"
    for contribution, position in zip(found.contributions, BOOK, strict=True):
        alone = prepared.margin([position]).details["class_groups"]["XYZ"]["profit"][point]
        assert contribution.amount == pytest.approx(-alone, rel=1e-6, abs=1e-4)
    assert abs(found.residual) < 1e-4


def test_marginal_is_a_lot_more_and_a_lot_less() -> None:
    prepared = mc.Engine(RULEBOOKS["span-like"]).prepare(TABLE, market())
    found = attribute(prepared, BOOK, "marginal")
    live = prepared.open(BOOK)
    for contribution, position in zip(found.contributions, BOOK, strict=True):
        sign = 1 if position.quantity > 0 else -1
        more, less = (live.what_if([(position.contract, step * sign)]).after.initial for step in (1, -1))
        assert contribution.amount == pytest.approx((more - less) / 2 * abs(position.quantity), rel=1e-12)


def test_sides_of_a_gross_account_are_apart() -> None:
    prepared = mc.Engine(RULEBOOKS["span-like"]).prepare(TABLE, market())
    gross = mc.Account([mc.Position(OPTIONS[4], long=5, short=7), mc.Position(STOCK, 10)], gross=True)
    for kind in ("incremental", "marginal", "euler"):
        found = attribute(prepared, gross, kind)  # type: ignore[arg-type]
        assert [(c.long, c.short) for c in found.contributions] == [(5, 0), (0, 7), (10, 0)]
        assert found.total == prepared.margin(gross).requirement.initial
        assert adds_up(found)
    # A net account that lists one contract twice holds it once.
    net = [mc.Position(OPTIONS[4], 5), mc.Position(OPTIONS[4], -7)]
    assert [(c.long, c.short) for c in attribute(prepared, net).contributions] == [(0, 2)]


def test_what_does_not_grow_in_proportion_is_refused() -> None:
    coin = mc.Perpetual("BTC", multiplier=1, multiplier_unit="coin", currency="USD", lot=0.1)
    quoted = mc.Market("2026-01-01T00:00:00Z", spot={"BTC": 60_000.0}, price={coin.id: 60_000.0})
    prepared = mc.Engine(mc.methods.Deribit("standard")).prepare([coin], quoted)
    with pytest.raises(mc.NotApplicable, match="incremental"):
        attribute(prepared, [mc.Position(coin, 10)], "euler")
    with pytest.raises(mc.InvalidInput, match="kind"):
        attribute(prepared, [mc.Position(coin, 10)], "shapley")  # type: ignore[arg-type]


def test_eulers_parts_that_miss_the_total_are_refused() -> None:
    """An iron condor under Reg T asks in proportion to its size, and bends at it in more than one way."""
    prepared = mc.Engine(RULEBOOKS["reg-t"]).prepare(TABLE, market())
    legs = [(OPTIONS[1], 1), (OPTIONS[3], -1), (OPTIONS[6], -1), (OPTIONS[8], 1)]
    condor = [mc.Position(contract, quantity) for contract, quantity in legs]
    scaled = [mc.Position(contract, quantity * 2**20) for contract, quantity in legs]
    assert prepared.margin(scaled).initial == 2**20 * prepared.margin(condor).initial
    for level in ("initial", "maintenance"):
        with pytest.raises(mc.NotApplicable, match=r"Reg T the requirement bends .* USD: use \"incremental\""):
            attribute(prepared, condor, "euler", level=level)  # type: ignore[arg-type]
    assert attribute(prepared, condor).total == prepared.margin(condor).initial
    # What is not paired has one slope: the requirement of one, times the number.
    for held in ([mc.Position(OPTIONS[5], -3)], [mc.Position(STOCK, 240)]):
        found = attribute(prepared, held, "euler")
        assert found.contributions[0].amount == pytest.approx(prepared.margin(held).initial, rel=1e-8)
    # A spread by itself bends once: the means of the slopes either way add up.
    one = attribute(prepared, [mc.Position(OPTIONS[5], -1), mc.Position(OPTIONS[3], 1)], "euler")
    assert math.fsum(c.amount for c in one.contributions) == pytest.approx(one.total, rel=1e-8)


def test_rounding_is_not_shown_as_a_residual() -> None:
    held = mc.attribution.Contribution(STOCK, 1.0, 0.0, 4_000.0)
    for kind, residual, shown in (
        ("euler", -1.062e-5, "0.00"),
        ("incremental", -1.062e-5, "-0.00001062"),
        ("incremental", 4e-10, "0.00"),
        ("incremental", -25.0, "-25.00"),
    ):
        own = Attribution(kind, (held,), residual, 4_000.0)  # type: ignore[arg-type]
        assert f'<td>residual</td><td class="n"></td><td class="n">{shown}</td>' in own._repr_html_()
        assert "-0.00\n" not in str(Attribution("euler", (held,), residual, 4_000.0)) or residual == -25.0


@pytest.mark.parametrize("name", RULEBOOKS)
def test_a_change_comes_apart_exactly(name: str) -> None:
    draw = random.Random(8)
    for _ in range(10):
        sides = []
        for rulebook in (RULEBOOKS[name], RULEBOOKS[draw.choice(list(RULEBOOKS))]):
            held = [mc.Position(c, draw.choice([-7, -2, 1, 5])) for c in draw.sample(TABLE, 3)]
            prepared = mc.Engine(rulebook).prepare(TABLE, market(draw.uniform(80.0, 120.0)))
            sides.append(Margined(prepared, mc.Account(held)))
        before, after = sides
        found = explain(before, after)
        assert found.before == before.prepared.margin(before.account).requirement.initial
        assert found.after == after.prepared.margin(after.account).requirement.initial
        parts = [getattr(found, f.name) for f in dataclasses.fields(found)]
        assert math.fsum(parts[:-1]) == found.after
        assert abs(found.residual) <= 1e-9 * (1 + abs(found.after) + abs(found.before))
        # One thing changed at a time is that thing's.
        same = explain(before, Margined(before.prepared, after.account))
        assert (same.market, same.parameters) == (0.0, 0.0)
        only = explain(before, Margined(mc.Engine(RULEBOOKS[name]).prepare(TABLE, market(90.0)), before.account))
        assert (only.positions, only.parameters) == (0.0, 0.0)


def test_arrays_of_an_exchange_count_as_parameters() -> None:
    def span(scan: float) -> mc.Prepared:
        array = (np.array([0, 0, 1, 1, -1, -1, 2, 2, -2, -2, 3, 3, -3, -3, 3, -3]) * scan / 3).tolist()
        document = {
            "extreme": [3.0, 0.33],
            "contracts": [
                {
                    "product": "A",
                    "kind": "FUT",
                    "period": "202612",
                    "commodity": "A",
                    "array": array,
                    "price_scan": scan,
                }
            ],
            "commodities": [{"code": "A", "currency": "USD"}],
        }
        future = mc.Future("A", expiry="2026-12-18T21:00:00Z", multiplier=1, currency="USD", id=":A:FUT:202612")
        return mc.Engine(mc.methods.Span.from_document(document)).prepare([future])

    old, new = span(100.0), span(130.0)
    future = old.contracts[0]
    one = mc.Account([mc.Position(future, 1)])
    two = mc.Account([mc.Position(future, 2)])
    found = explain(Margined(old, one), Margined(new, two))
    assert (found.before, found.positions, found.market, found.parameters) == (100.0, 100.0, 0.0, 60.0)
