"""TIMS against the pure-Python engine on random books, and the invariants every rulebook keeps."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc
from margincore.reference import tims as reference

TODAY = dt.date(2026, 11, 20)
VALUATION = "2026-11-20T16:00:00-05:00"
SYMBOLS = ("A", "B", "C")
STEPS = 30


@dataclass(frozen=True)
class Leg:
    """One position in plain values, and the two engines' words for it."""

    symbol: str
    kind: str
    quantity: int
    right: str = "call"
    strike: float = 100.0
    days: int = 30
    exercise: str = "european"
    vol: float = 0.3
    future: float | None = None

    def contract(self) -> mc.Contract:
        expiry = (TODAY + dt.timedelta(days=self.days)).isoformat()
        if self.kind == "stock":
            return mc.Stock(self.symbol, currency="USD")
        if self.kind == "future":
            return mc.Future(self.symbol, expiry=expiry, settles="pm", multiplier=50, currency="USD")
        return mc.Option(
            self.symbol, self.right, self.strike, expiry=expiry, settles="pm", exercise=self.exercise,
            multiplier=100, currency="USD",
            id=f"{self.symbol} {self.right} {self.strike} {self.days} {self.exercise}",
        )  # fmt: skip

    def reference(self) -> reference.Position:
        long, short = max(self.quantity, 0), max(-self.quantity, 0)
        years = self.days / 365
        if self.kind == "option":
            contract = reference.Contract(
                self.symbol, "option", multiplier=100.0, right=1 if self.right == "call" else -1,
                strike=self.strike, years=years, exercise=self.exercise, vol=self.vol,
            )  # fmt: skip
        elif self.kind == "future":
            contract = reference.Contract(self.symbol, "future", price=self.future, multiplier=50.0)
        else:
            contract = reference.Contract(self.symbol, "stock")
        return reference.Position(contract, long, short)


@dataclass(frozen=True)
class Scene:
    """A book, a market and parameters, for both engines."""

    legs: tuple[Leg, ...]
    spot: dict[str, float]
    rate: float
    dividend_yield: dict[str, float]
    factor: dict[str, float]
    ranges: dict[str, tuple[float, float]]
    product: dict[str, str]
    product_offset: float
    portfolio: dict[str, str]
    portfolio_offset: float
    options: dict[str, Any]
    overlays: tuple[reference.Overlay, ...] = ()

    def account(self) -> mc.Account:
        return mc.Account([mc.Position(leg.contract(), leg.quantity) for leg in self.legs])

    def market(self) -> mc.Market:
        futures = {leg.contract().id: leg.future for leg in self.legs if leg.kind == "future"}
        vols = {leg.contract().id: leg.vol for leg in self.legs if leg.kind == "option"}
        return mc.Market(
            VALUATION,
            spot=self.spot,
            rate={"USD": self.rate},
            dividend_yield=self.dividend_yield,
            price=futures,
            vol=vols,
        )

    def methodology(self) -> mc.methods.Tims:
        class_groups: dict[str, dict[str, Any]] = {
            name: {"range": {"down": down, "up": up}} for name, (down, up) in self.ranges.items()
        }
        for name, product in self.product.items():
            class_groups[name]["product_group"] = product
        groups = {"P": {"offset": self.product_offset}}
        if self.portfolio:
            groups = {name: {"offset": self.product_offset, "portfolio_group": "F"} for name in self.portfolio}
        return mc.methods.Tims(
            class_groups=class_groups,
            product_groups=groups,
            portfolio_groups={"F": {"offset": self.portfolio_offset}},
            products={symbol: {"class_group": symbol, "factor": f} for symbol, f in self.factor.items()},
            overlays=[_overlay(overlay) for overlay in self.overlays],
            american="tree",
            steps=STEPS,
            **self.options,
        )

    def margin(self) -> mc.MarginReport:
        return mc.margin(self.account(), self.market(), self.methodology())

    def reference(self) -> reference.Result:
        options = {("vol_rule" if key == "vol" else key): value for key, value in self.options.items()}
        parameters = reference.Parameters(
            product_group=self.product,
            portfolio_group=self.portfolio,
            ranges=self.ranges,
            product_offsets=dict.fromkeys({"P", *self.portfolio}, self.product_offset),
            portfolio_offsets={"F": self.portfolio_offset},
            steps=STEPS,
            **options,
        )
        underlyings = {
            s: reference.Underlying(self.spot[s], self.rate, self.dividend_yield[s], factor=self.factor[s])
            for s in SYMBOLS
        }
        return reference.margin([leg.reference() for leg in self.legs], underlyings, parameters, self.overlays)


def _overlay(overlay: reference.Overlay) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": overlay.name,
        "points": [
            {"price": p.price, "vol": p.vol, "vol_move": "relative" if p.relative else "absolute"}
            for p in overlay.points
        ],
        "ranges": {name: {"down": down, "up": up} for name, (down, up) in overlay.ranges.items()},
        "floor_per_short_option": overlay.floor_per_short_option,
    }
    if overlay.range is not None:
        document["range"] = {"down": overlay.range[0], "up": overlay.range[1]}
    return document


symbols = st.sampled_from(("A", "A", "A", *SYMBOLS))
quantities = st.integers(-20, 20).filter(bool)
fractions = st.sampled_from([0.0, 0.5, 0.75, 0.9, 1.0])
stocks = st.builds(Leg, symbols, st.just("stock"), st.integers(-2000, 2000).filter(bool))
futures = st.builds(
    Leg,
    symbols,
    st.just("future"),
    quantities,
    days=st.sampled_from([30, 120]),
    future=st.sampled_from([95.0, 104.5]),
)
options = st.builds(
    Leg, symbols, st.just("option"), quantities, st.sampled_from(["call", "put"]),
    st.sampled_from([60.0, 80.0, 95.0, 100.0, 110.0, 140.0]), st.sampled_from([1, 20, 20, 20, 400]),
    st.sampled_from(["european", "american"]), st.sampled_from([0.12, 0.25, 0.4, 0.8]),
)  # fmt: skip
books = st.lists(
    st.one_of(stocks, futures, options),
    max_size=8,
    unique_by=lambda leg: replace(leg, quantity=1, vol=0.3, future=None),
)
ranges = st.fixed_dictionaries({s: st.sampled_from([(-0.15, 0.15), (-0.08, 0.06), (-0.1, 0.1)]) for s in SYMBOLS})
points = st.builds(
    reference.StressPoint,
    st.sampled_from([-0.25, -0.1, 0.0, 0.2]),
    st.sampled_from([-0.1, 0.0, 0.15]),
    st.booleans(),
)
overlays = st.builds(
    reference.Overlay, st.sampled_from(["house"]), st.lists(points, min_size=1, max_size=3).map(tuple),
    st.sampled_from([None, (-0.2, 0.2)]), st.sampled_from([{}, {"A": (-0.3, 0.25)}]),
    st.sampled_from([0.0, 75.0]),
)  # fmt: skip


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    grouping = draw(st.sampled_from(["alone", "product", "portfolio"]))
    return Scene(
        legs=tuple(draw(books)),
        spot=draw(st.fixed_dictionaries({s: st.sampled_from([80.0, 100.0, 123.4]) for s in SYMBOLS})),
        rate=draw(st.sampled_from([0.0, 0.03, 0.055])),
        dividend_yield=draw(st.fixed_dictionaries({s: st.sampled_from([0.0, 0.02]) for s in SYMBOLS})),
        factor=draw(st.fixed_dictionaries({s: st.sampled_from([1.0, 1.0, 2.0, -3.0]) for s in SYMBOLS})),
        ranges=draw(ranges),
        product={"A": "P", "B": "P"}
        if grouping == "product"
        else {s: f"P{s}" for s in "AB"}
        if grouping == "portfolio"
        else {},
        product_offset=draw(fractions),
        portfolio={"PA": "F", "PB": "F"} if grouping == "portfolio" else {},
        portfolio_offset=draw(fractions),
        options={
            "grid": draw(st.sampled_from(["fifths", "even"])),
            "vol": draw(st.sampled_from(["sticky_strike", "sticky_moneyness"])),
            "minimum_level": draw(st.sampled_from(["class_group", "product_group", "portfolio_group"])),
        },
        overlays=tuple(draw(st.lists(overlays, max_size=1))),
    )


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_the_engine_agrees_with_the_reference(scene: Scene) -> None:
    report, expected = scene.margin(), scene.reference()
    scale = sum(abs(leg.quantity) for leg in scene.legs) * 100.0 * 123.4
    close = {"rel": 1e-9, "abs": 1e-11 * scale + 1e-9}
    assert report.adds_up()
    assert report.requirement.initial == report.requirement.maintenance
    assert report.requirement.initial == pytest.approx(expected.total, **close)
    house = sum(line.initial for line in report.lines if line.component == "house")
    assert house == pytest.approx(sum(expected.house.values()), **close)
    for name, group in expected.class_groups.items():
        detail = report.details["class_groups"][name]
        assert detail["profit"] == pytest.approx(group.pnl, **close)
        assert detail["minimum"] == pytest.approx(group.minimum, **close)
        assert detail["profit"][detail["worst_point"]] == min(detail["profit"])


def bits(report: mc.MarginReport) -> tuple[Any, ...]:
    """Everything that must not change by a single bit."""
    return (
        report.requirement.initial.hex(), report.net_option_value.hex(), report.worst_scenario_index,
        [(line.scope, line.component, line.initial.hex(), line.scenario) for line in report.lines],
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(scenes(), st.randoms(use_true_random=False))
def test_neither_order_nor_splitting_nor_empty_rows_change_a_bit(scene: Scene, chance: random.Random) -> None:
    contracts = [leg.contract() for leg in scene.legs]
    prepared = mc.Engine(scene.methodology()).prepare(contracts, scene.market())
    rows = list(zip(contracts, (leg.quantity for leg in scene.legs), strict=True))
    expected = bits(prepared.margin([mc.Position(c, q) for c, q in rows]))
    split = [(c, part) for c, q in rows for part in (q - 3, 3)] + [(c, 0) for c in contracts]
    for candidate in (rows[::-1], split):
        chance.shuffle(candidate)
        assert bits(prepared.margin([mc.Position(c, q) for c, q in candidate])) == expected


@settings(max_examples=40, deadline=None)
@given(scenes(), st.integers(1, 5))
def test_powers_of_two_scale_exactly(scene: Scene, power: int) -> None:
    one = scene.margin().requirement.initial
    double = replace(scene, legs=tuple(replace(leg, quantity=leg.quantity << power) for leg in scene.legs))
    assert double.margin().requirement.initial == one * 2**power


@settings(max_examples=40, deadline=None)
@given(scenes())
def test_a_requirement_is_finite_and_never_negative(scene: Scene) -> None:
    requirement = scene.margin().requirement.initial
    assert np.isfinite(requirement)
    assert requirement >= 0.0


@settings(max_examples=40, deadline=None)
@given(st.lists(options.map(lambda leg: replace(leg, quantity=abs(leg.quantity), symbol="A")), min_size=1, max_size=4))
def test_long_options_never_need_more_than_they_are_worth(legs: list[Leg]) -> None:
    table = {leg.contract().id: leg for leg in legs}
    positions = [mc.Position(leg.contract(), leg.quantity) for leg in table.values()]
    market = mc.Market(
        VALUATION, spot={"A": 100.0}, rate={"USD": 0.02}, vol={id_: leg.vol for id_, leg in table.items()}
    )
    report = mc.margin(positions, market, mc.methods.Tims(steps=STEPS))
    assert report.requirement.initial <= report.net_option_value * (1 + 1e-12) + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.lists(stocks, min_size=1, max_size=4))
def test_flipping_a_linear_book_flips_every_point(legs: list[Leg]) -> None:
    market = mc.Market(VALUATION, spot=dict.fromkeys(SYMBOLS, 100.0))

    def profits(sign: int) -> dict[str, list[float]]:
        report = mc.margin(
            [mc.Position(leg.contract(), sign * leg.quantity) for leg in legs], market, mc.methods.Tims()
        )
        return {name: group["profit"] for name, group in report.details["class_groups"].items()}

    assert {name: [-p for p in row] for name, row in profits(-1).items()} == profits(+1)


@settings(max_examples=30, deadline=None)
@given(scenes())
def test_a_stricter_overlay_never_lowers_the_total(scene: Scene) -> None:
    bare = replace(scene, overlays=()).margin().requirement.initial
    assert scene.margin().requirement.initial >= bare


def test_an_offset_of_one_is_one_class_group() -> None:
    leg = Leg("A", "stock", 100)
    apart = Scene(
        legs=(leg, replace(leg, symbol="B", quantity=-80)), spot=dict.fromkeys(SYMBOLS, 100.0), rate=0.0,
        dividend_yield=dict.fromkeys(SYMBOLS, 0.0), factor=dict.fromkeys(SYMBOLS, 1.0),
        ranges=dict.fromkeys(SYMBOLS, (-0.15, 0.15)), product={"A": "P", "B": "P"}, product_offset=1.0,
        portfolio={}, portfolio_offset=0.0, options={},
    )  # fmt: skip
    assert apart.margin().requirement.initial == 300.0


def test_batches_and_threads_give_the_bits_of_single_accounts() -> None:
    chance = random.Random(7)
    contracts = [
        Leg("A", "option", 1, right, strike, days, "european").contract()
        for right in ("call", "put")
        for strike in (80.0, 90.0, 100.0, 110.0)
        for days in (10, 60)
    ]
    market = mc.Market(
        VALUATION,
        spot={"A": 100.0},
        rate={"USD": 0.03},
        vol={c.id: chance.uniform(0.1, 0.6) for c in contracts},
    )
    prepared = mc.Engine(mc.methods.Tims()).prepare(contracts, market)
    rows = [(a, c, chance.randint(-9, 9)) for a in range(1000) for c in chance.sample(range(16), chance.randint(0, 12))]
    accounts = mc.Accounts.from_columns(
        prepared.contracts,
        account=np.array([a for a, _, _ in rows], dtype=np.uint32),
        contract=np.array([c for _, c, _ in rows], dtype=np.uint32),
        lots=np.array([q for _, _, q in rows], dtype=np.int64),
        count=1000,
    )
    single = prepared.margin_many(accounts, threads=1)
    for threads in (2, 7):
        batch = prepared.margin_many(accounts, threads=threads)
        assert batch.initial.tobytes() == single.initial.tobytes()
        assert batch.worst_scenario.tobytes() == single.worst_scenario.tobytes()
    for a in (0, 17, 999):
        positions = [mc.Position(contracts[c], q) for b, c, q in rows if a == b]
        assert prepared.margin(positions).requirement.initial == single.initial[a]


@pytest.mark.parametrize(("right", "moves"), [("call", [0.05, 0.1]), ("put", [0.05, 0.1])])
def test_cash_dividends_price_as_the_reference_does(right: str, moves: list[float]) -> None:
    leg = Leg("A", "option", -5, right, 100.0, 90, "american", 0.3)
    market = mc.Market(
        VALUATION, spot={"A": 100.0}, rate={"USD": 0.04}, vol={leg.contract().id: 0.3},
        dividends={"A": [("2026-12-15", 1.5), ("2027-06-15", 1.5)]},
    )  # fmt: skip
    tims = mc.methods.Tims(american="tree", steps=STEPS)
    report = mc.margin([mc.Position(leg.contract(), -5)], market, tims)
    underlying = reference.Underlying(100.0, rate=0.04, dividends=((25 / 365, 1.5), (207 / 365, 1.5)))
    expected = reference.margin([leg.reference()], {"A": underlying}, reference.Parameters(steps=STEPS))
    assert report.requirement.initial == pytest.approx(expected.requirement, rel=1e-9)


def test_occ_values_are_taken_as_they_are() -> None:
    option = Leg("A", "option", 1).contract()
    profit = [-500.0, -400, -300, -200, -100, 90, 180, 270, 360, 450]
    methodology = mc.methods.Tims(theoretical={option.id: {"profit": profit, "price": 7.0}})
    report = mc.margin([mc.Position(option, 2)], None, methodology)
    assert report.details["class_groups"]["A"]["profit"] == [2 * p for p in profit]
    assert (report.requirement.initial, report.net_option_value) == (1000.0, 1400.0)
