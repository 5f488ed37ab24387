"""American exercise against the pure-Python tree, and what must hold of any American price."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margincore import CalculationError, InvalidInput, Unsupported, _core, pricing
from margincore.pricing import american as _american
from margincore.reference import pricing as reference

options = st.tuples(
    st.floats(60.0, 160.0),  # spot
    st.floats(0.02, 2.0),  # years
    st.floats(0.0, 0.08),  # rate
    st.floats(0.0, 0.08),  # yield
    st.floats(0.12, 0.9),  # vol
    st.sampled_from([1, -1]),
)


@settings(max_examples=60, deadline=None)
@given(options, st.sampled_from([2, 7, 50]), st.booleans())
def test_tree_is_the_reference_tree(option, steps, american):
    spot, years, rate, q, vol, right = option
    expected = reference.crr(spot, 100.0, years, rate, q, vol, right, american=american, steps=steps)
    if american:
        ours = _american.price(spot, 100.0, years, rate, q, vol, right, method="tree", steps=steps)
    else:
        table = _american._Table(right, [spot, 100.0, years, rate, q, vol])
        ours = _american._core.tree_grid(table.columns, table.right, [0.0], [], False, "crr", steps, "escrowed")[0]
    assert ours == pytest.approx(expected, rel=1e-12, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(options)
def test_collocation_is_between_its_bounds_and_near_the_tree(option):
    spot, years, rate, q, vol, right = option
    american = float(_american.price(spot, 100.0, years, rate, q, vol, right))
    european = reference.black_scholes(spot, 100.0, years, rate, q, vol, right)
    assert american >= european - 1e-12
    assert american >= right * (spot - 100.0)
    assert american <= (spot if right > 0 else 100.0)
    fine = _american.price(spot, 100.0, years, rate, q, vol, right, method="tree", scheme="leisen_reimer", steps=801)
    assert american == pytest.approx(float(fine), abs=2e-4 * max(spot, 100.0))


def test_documented_numbers_are_the_reference_trees():
    grid = _american.price_grid(100.0, [95.0, 100.0], 0.5, 0.05, 0.0, 0.2, "put", [-0.1, 0.0, 0.1])
    for (i, strike), (j, move) in product(enumerate([95.0, 100.0]), enumerate([-0.1, 0.0, 0.1])):
        expected = np.mean(
            [reference.crr(100.0 * (1 + move), strike, 0.5, 0.05, 0.0, 0.2, -1, steps=n) for n in (500, 501)]
        )
        assert grid[i, j] == pytest.approx(expected, abs=2e-3)


def test_greeks_are_differences_of_the_price():
    spot, strike, years, rate, q, vol = 105.0, 100.0, 0.6, 0.04, 0.02, 0.3
    _, delta, gamma, vega, theta, rho, vanna, volga = _american.greeks(
        spot, strike, years, rate, q, vol, "put", accuracy="precise"
    )

    def at(s=spot, t=years, r=rate, v=vol):
        return float(_american.price(s, strike, t, r, q, v, "put", accuracy="precise"))

    h, v, t = 0.2, 1e-3, 1e-3
    assert delta == pytest.approx((at(s=spot + h) - at(s=spot - h)) / (2 * h), rel=1e-4)
    assert gamma == pytest.approx((at(s=spot + h) - 2 * at() + at(s=spot - h)) / h**2, rel=1e-3)
    assert vega == pytest.approx((at(v=vol + v) - at(v=vol - v)) / (2 * v), rel=1e-4)
    assert theta == pytest.approx(-(at(t=years + t) - at(t=years - t)) / (2 * t), rel=5e-3)
    assert rho == pytest.approx((at(r=rate + t) - at(r=rate - t)) / (2 * t), rel=1e-3)
    assert volga == pytest.approx((at(v=vol + v) - 2 * at() + at(v=vol - v)) / v**2, rel=1e-2)
    assert math.isfinite(vanna)


def test_implied_vol_reprices_marks_and_says_why_not():
    vols = np.linspace(0.1, 1.2, 23)
    marks = _american.price(100.0, 108.0, 0.4, 0.05, 0.01, vols, "put")
    found, status = _american.implied_vol(marks, 100.0, 108.0, 0.4, 0.05, 0.01, "put")
    assert not status[2:].any()
    again = _american.price(100.0, 108.0, 0.4, 0.05, 0.01, found[2:], "put")
    np.testing.assert_allclose(again, marks[2:], rtol=0, atol=1e-11)
    _, status = _american.implied_vol([8.0, 108.0, math.nan], 100.0, 108.0, 0.4, 0.05, 0.01, "put")
    assert status.tolist() == [1, 2, 3]
    cash = [(0.1, 1.5)]
    mark = _american.price(100.0, 108.0, 0.4, 0.05, 0.0, 0.3, "put", dividends=cash, steps=120)
    found, _ = _american.implied_vol(mark, 100.0, 108.0, 0.4, 0.05, 0.0, "put", dividends=cash, steps=120)
    assert found == pytest.approx(0.3, rel=1e-9)


def test_grid_of_a_tree_is_the_tree_at_each_scenario():
    cash = [(0.2, 2.0)]
    moves, vols = [-0.1, 0.05, 0.05], [0.0, 0.02, -0.01]
    for treatment in ("escrowed", "spot_drop"):
        grid = _american.price_grid(
            100.0, [95.0, 105.0], 0.5, 0.03, 0.0, 0.25, ["put", "call"], moves, vols, roll=0.01,
            dividends=cash, treatment=treatment, steps=60,
        )  # fmt: skip
        for j, (move, vol) in enumerate(zip(moves, vols, strict=True)):
            expected = _american.price(
                100.0 * (1 + move), [95.0, 105.0], 0.49, 0.03, 0.0, 0.25 + vol, ["put", "call"],
                dividends=[(0.19, 2.0)], treatment=treatment, steps=60,
            )  # fmt: skip
            np.testing.assert_allclose(grid[:, j], expected, rtol=1e-12)


def test_refusals_name_what_to_do():
    with pytest.raises(InvalidInput, match="row 1"):
        _american.price([100.0, math.nan], 100.0, 1.0, 0.05, 0.0, 0.2, "put")
    with pytest.raises(InvalidInput, match="call"):
        _american.price(100.0, 100.0, 1.0, 0.05, 0.0, 0.2, "straddle")
    with pytest.raises(InvalidInput, match="tree"):
        _american.price(100.0, 100.0, 1.0, 0.05, 0.0, 0.2, "put", method="alo", dividends=[(0.5, 1.0)])
    with pytest.raises(Unsupported, match="tree"):
        _american.price(100.0, 100.0, 1.0, -0.01, -0.03, 0.2, "put", method="baw")
    with pytest.raises(Unsupported, match="price"):
        _american.price_grid(100.0, 100.0, 1.0, 0.05, 0.0, 0.2, "put", [0.0], method="baw")


def test_greeks_with_cash_dividends_are_those_of_the_price():
    spot, strike, years, rate, q, vol = 100.0, 100.0, 0.5, 0.05, 0.01, 0.3
    cash = [(0.2, 2.0)]
    for treatment in ("escrowed", "spot_drop"):
        price, delta, gamma, vega, theta, rho, vanna, volga = _american.greeks(
            spot, strike, years, rate, q, vol, "put", dividends=cash, treatment=treatment
        )

        def at(s=spot, r=rate, v=vol, later=0.0, treatment=treatment):
            both = [
                _american.price(
                    s, strike, years - later, r, q, v, "put", steps=n, treatment=treatment,
                    dividends=[(when - later, paid) for when, paid in cash],
                )
                for n in (1200, 1201)
            ]  # fmt: skip
            return float(np.mean(both))

        h = 3.0
        assert price == pytest.approx(at(), rel=5e-4)
        assert delta == pytest.approx((at(s=spot + h) - at(s=spot - h)) / (2 * h), abs=3e-3)
        assert gamma == pytest.approx((at(s=spot + h) - 2 * at() + at(s=spot - h)) / h**2, rel=2e-2)
        assert vega == pytest.approx((at(v=0.33) - at(v=0.27)) / 0.06, rel=1e-2)
        assert rho == pytest.approx((at(r=0.055) - at(r=0.045)) / 0.01, rel=2e-2)
        assert theta == pytest.approx((at(later=0.01) - at(later=-0.01)) / 0.02, rel=3e-2)
        assert math.isfinite(vanna)
        assert math.isfinite(volga)


SEVERAL = (
    np.array([100.0, 92.0, 118.0, 75.0, 104.0, 150.0]),
    100.0,
    np.array([0.5, 0.25, 1.2, 0.6, 0.08, 0.9]),
    0.04,
    np.array([0.0, 0.02, 0.0, 0.01, 0.0, 0.0]),
    np.array([0.3, 0.25, 0.4, 0.6, 0.2, 0.3]),
    ["put", "call", "put", "put", "call", "call"],
)
CASH = [(0.004, 0.3), (0.2, 1.5), (0.7, 1.0)]


@pytest.mark.parametrize(
    "named",
    [{}, {"steps": 150}, {"scheme": "crr"}, {"scheme": "trinomial", "steps": 90}, {"treatment": "spot_drop"}],
    ids=str,
)
def test_the_price_of_greeks_is_the_price(named):
    found = _american.greeks(*SEVERAL, dividends=CASH, **named)[0]
    np.testing.assert_array_equal(found, _american.price(*SEVERAL, dividends=CASH, **named))
    assert np.all(found > np.maximum([0.0, -8.0, -18.0, 25.0, 4.0, 50.0], 0.0))  # none is at its intrinsic value


def test_greeks_with_cash_dividends_are_differences_of_fine_lattices():
    _, delta, gamma, vega, theta, rho, vanna, volga = _american.greeks(*SEVERAL, dividends=CASH)
    spot, strike, years, rate, q, vol, right = SEVERAL

    def at(s=0.0, v=0.0, r=0.0, later=0.0):
        cash = [(when - later, paid) for when, paid in CASH]
        return _american.price(
            spot + s, strike, years - later, rate + r, q, vol + v, right,
            dividends=cash, scheme="trinomial", steps=3200,
        )  # fmt: skip

    root = np.sqrt(years)
    h, w, t = 0.02 * spot * vol * root, 0.02 * vol, 1e-3
    middle = at()
    # Errors in units of the greeks' own sizes.
    expected = {
        "delta": (delta, (at(s=h) - at(s=-h)) / (2 * h), 1.0, 2e-4),
        "gamma": (gamma, (at(s=h) - 2 * middle + at(s=-h)) / h**2, 1.0 / (spot * vol * root), 2e-3),
        "vega": (vega, (at(v=w) - at(v=-w)) / (2 * w), spot * root, 5e-4),
        "theta": (theta, (at(later=t) - at(later=-t)) / (2 * t), spot * (0.1 + vol / root), 2e-3),
        "rho": (rho, (at(r=t) - at(r=-t)) / (2 * t), strike * years, 2e-3),
        "vanna": (
            vanna, (at(h, w) - at(-h, w) - at(h, -w) + at(-h, -w)) / (4 * h * w), 1.0 / vol, 2e-3,
        ),
        "volga": (volga, (at(v=w) - 2 * middle + at(v=-w)) / w**2, spot * root / vol, 1e-2),
    }  # fmt: skip
    for name, (ours, difference, size, tolerance) in expected.items():
        error = np.abs(ours - difference) / size
        assert error.max() < tolerance, (name, error)


def test_a_call_that_is_never_exercised_has_european_greeks():
    spot = np.array([80.0, 95.0, 100.0, 110.0, 140.0])
    columns = (spot, 100.0, 0.5, 0.05, 0.0, 0.3, "call")
    found = pricing.greeks(*columns, exercise="american", dividends=[(0.6, 2.0)])
    european = pricing.greeks(*columns)
    root = math.sqrt(0.5)
    sizes = {
        "price": 1e-6 * spot, "delta": 1e-5, "gamma": 1e-5 / (spot * 0.3 * root), "theta": 1e-5 * spot,
        "rho": 5e-5 * spot, "vega": 1e-3 * spot * root, "vanna": 1e-3 / 0.3, "volga": 5e-3 * spot * root / 0.3,
    }  # fmt: skip
    for name, size in sizes.items():
        error = np.abs(getattr(found, name) - getattr(european, name)) / size
        assert error.max() < 1.0, (name, error)


def test_an_option_to_exercise_now_moves_with_the_spot():
    price, delta, *others = _american.greeks(40.0, 100.0, 0.5, 0.08, 0.0, 0.2, "put", dividends=[(0.01, 0.5)])
    assert price > 60.0  # before the dividend waiting pays
    price, delta, *others = _american.greeks(40.0, 100.0, 0.5, 0.08, 0.0, 0.2, "put", dividends=[(0.49, 0.01)])
    np.testing.assert_allclose([price, delta], [60.0, -1.0], rtol=1e-12)
    np.testing.assert_allclose(others, 0.0, atol=1e-9)


def test_prices_with_dividends_do_not_depend_on_their_neighbours():
    random = np.random.default_rng(3)
    for _ in range(20):
        years = np.exp(random.uniform(np.log(0.05), np.log(2.0), 8))
        spot = 100.0 * np.exp(random.uniform(-0.1, 0.4, 8))
        cash = [(float(random.uniform(0.001, 0.02)), 2.0), (float(random.uniform(0.03, 1.0)), 1.0)]
        together = _american.price(spot, 100.0, years, 0.03, 0.0, 0.25, "call", dividends=cash)
        alone = [
            float(_american.price(s, 100.0, t, 0.03, 0.0, 0.25, "call", dividends=cash))
            for s, t in zip(spot, years, strict=True)
        ]
        np.testing.assert_array_equal(together, alone)


def test_implied_vols_with_cash_dividends_return_their_quotes():
    *columns, vol, right = SEVERAL
    for named in ({}, {"steps": 100}, {"scheme": "trinomial", "steps": 60}):
        quotes = 0.05 + _american.price(*columns, vol, right, dividends=CASH, **named)
        found, status = _american.implied_vol(quotes, *columns, right, dividends=CASH, **named)
        assert not status.any()
        again = _american.price(*columns, found, right, dividends=CASH, **named)
        np.testing.assert_allclose(again, quotes, rtol=0, atol=1e-11)
        assert np.all((found > vol) & (found < 1.25 * vol))


@pytest.mark.parametrize("named", [{}, {"scheme": "trinomial", "steps": 20}, {"treatment": "spot_drop", "steps": 50}])
def test_a_quote_without_a_vol_spoils_no_other_of_a_chain_with_cash_dividends(named):
    quotes = [6.0, 9.0, 99.99, np.nan, 6.0]
    strikes, years = [100.0, 110.0, 100.0, 100.0, 100.0], [0.5, 0.5, 1.0, 0.5, 0.0]
    columns = (quotes, 100.0, strikes, years, 0.05, 0.0, "put")
    vol, status = _american.implied_vol(*columns, dividends=CASH, **named)
    assert status.tolist() == [0, 1, 2, 3, 3]
    alone, _ = _american.implied_vol(6.0, 100.0, 100.0, 0.5, 0.05, 0.0, "put", dividends=CASH, **named)
    assert vol[0] == alone
    assert np.isnan(vol[1:]).all()
    options = {"exercise": "american", "dividends": CASH, **named}
    with pytest.raises(CalculationError, match=r"4 of 5 prices have no vol: row 1, price 9.0"):
        pricing.implied_vol(*columns, **options)
    np.testing.assert_array_equal(pricing.implied_vol(*columns, **options, on_error="nan"), vol)


def test_a_dividend_of_nothing_changes_no_greek():
    columns = (100.0, [90.0, 100.0, 110.0], 0.5, 0.05, 0.0, 0.3, "put")
    with_one = _american.greeks(*columns, dividends=[(0.2, 1e-12)])
    without = _american.greeks(*columns)
    for name, tolerance, ours, theirs in zip(
        ("price", "delta", "gamma", "vega", "theta", "rho"), (5e-4, 3e-3, 5e-3, 5e-3, 5e-3, 5e-3), with_one, without,
        strict=False,
    ):  # fmt: skip
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, err_msg=name)


def test_small_rates_do_not_lose_the_european_value():
    rates = 10.0 ** -np.linspace(3, 12, 40)
    american = _american.price(99.5, 100.0, 0.03, rates, 0.0, 0.74, "put")
    european = np.array([reference.black_scholes(99.5, 100.0, 0.03, r, 0.0, 0.74, -1) for r in rates])
    assert np.all(american >= european - 1e-12)
    assert np.all(american <= european + 100.0 * 0.03 * rates + 1e-12)


def test_dividends_take_the_trinomial_lattice_unless_a_tree_is_named():
    columns = (100.0, [95.0, 105.0], 0.5, 0.05, 0.0, 0.3, ["put", "call"])
    cash = [(0.2, 2.0)]
    default = _american.price(*columns, dividends=cash)
    named = _american.price(*columns, dividends=cash, scheme="trinomial", steps=200)
    np.testing.assert_array_equal(default, named)
    binomial = _american.price(*columns, dividends=cash, scheme="crr")
    np.testing.assert_array_equal(binomial, _american.price(*columns, dividends=cash, steps=400))
    assert np.all(default != binomial)
    np.testing.assert_allclose(default, binomial, rtol=2e-3)
    vol, _ = _american.implied_vol(default, *columns[:5], columns[6], dividends=cash)
    np.testing.assert_allclose(vol, 0.3, rtol=1e-9)
    drops = _american.price(*columns, dividends=cash, treatment="spot_drop")
    binomial = _american.price(*columns, dividends=cash, treatment="spot_drop", scheme="crr", steps=2000)
    np.testing.assert_allclose(drops, binomial, rtol=1e-3)


def test_escrowed_dividends_agree_with_finite_differences():
    ql = pytest.importorskip("QuantLib")
    today = ql.Date(15, 5, 2025)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    random = np.random.default_rng(20)
    errors = []
    for _ in range(30):
        # Without a yield: with one, QuantLib escrows dividends at the carry instead of the rate.
        days = int(np.exp(random.uniform(np.log(30), np.log(730))))
        vol, rate = float(random.uniform(0.15, 0.8)), float(random.uniform(0.0, 0.08))
        spot = float(100.0 * np.exp(random.uniform(-1.0, 1.0) * min(1.5 * vol * math.sqrt(days / 365), 0.5)))
        right = int(random.choice([1, -1]))
        ex = sorted({int(d) for d in random.integers(3, days - 3, 2)})
        cash = [(d, float(random.uniform(0.2, 2.0))) for d in ex]
        rates, none = (ql.YieldTermStructureHandle(ql.FlatForward(today, r, count)) for r in (rate, 0.0))
        vols = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, count))
        process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), none, rates, vols)
        kind = ql.Option.Call if right > 0 else ql.Option.Put
        option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, 100.0), ql.AmericanExercise(today, today + days))
        paid = ql.DividendVector([today + d for d, _ in cash], [amount for _, amount in cash])
        escrowed = ql.FdBlackScholesVanillaEngine.Escrowed
        scheme = ql.FdmSchemeDesc.Douglas()
        option.setPricingEngine(
            ql.FdBlackScholesVanillaEngine(process, paid, 600, 600, 0, scheme, False, -1.0, escrowed)
        )
        exact = option.NPV()
        dividends = [(d / 365, amount) for d, amount in cash]
        ours = float(_american.price(spot, 100.0, days / 365, rate, 0.0, vol, right, dividends=dividends))
        if exact > 0.01:
            errors.append(abs(ours / exact - 1.0))
    # The grid's own error is about 1e-4.
    assert np.quantile(errors, 0.9) < 2e-4
    assert max(errors) < 1e-3


@pytest.mark.parametrize(
    "ask",
    [
        lambda columns, right: _core.american_grid(columns, right, *[(np.zeros(1), False)] * 2, 0.0, 1, "fast", True),
        lambda columns, right: _core.american_greeks(columns, right, "fast"),
        lambda columns, right: _core.american_implied(columns, right, "fast"),
        lambda columns, right: _core.tree_grid(columns, right, [0.0], [], True, "crr", 5, "escrowed"),
        lambda columns, right: _core.tree_greeks(columns, right, [], "crr", 5, "escrowed"),
        lambda columns, right: _core.tree_implied(columns, right, [], True, "crr", 5, "escrowed"),
        lambda columns, right: _core.quadratic_prices(columns, right),
        lambda columns, right: _core.escrowed(*columns[:3], [], 0.0),
    ],
)
def test_the_engine_s_columns_are_of_one_length(ask: Callable[..., object]) -> None:
    columns = [np.full(2, value) for value in (100.0, 100.0, 1.0, 0.05, 0.0, 0.2)]
    columns[1] = columns[1][:1]
    with pytest.raises(InvalidInput, match=r"columns of \[2, 1, 2.*they must be of one length"):
        ask(columns, np.ones(2, np.int8))
