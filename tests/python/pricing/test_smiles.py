"""Smiles: published parameter sets, QuantLib's numbers, fits that find what was put in, moved spots."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

import margincore as mc
from margincore.pricing import black76, smiles
from margincore.pricing.smiles.arbitrage import durrleman

# Gatheral and Jacquier (2014), section 3.4: Axel Vogt's slice, whose density is negative.
VOGT = smiles.Svi(a=-0.0410, b=0.1331, m=0.3586, rho=0.3060, sigma=0.4153, years=1.0, forward=1.0)
SLICE = smiles.Svi(a=0.01, b=0.08, rho=-0.6, m=0.02, sigma=0.12, years=0.5, forward=4500.0)
STRIKES = np.array([3000.0, 3600.0, 4000.0, 4200.0, 4400.0, 4500.0, 4600.0, 4800.0, 5000.0, 5400.0])


def density(slice: Any, strike: float) -> float:
    """The risk-neutral density by differences of Black's call prices."""
    h = 2e-3 * strike
    at = np.array([strike - h, strike, strike + h])
    calls = black76.price(slice.forward, at, years=slice.years, vol=slice.vol(at), rate=0.0, right=1)
    return float((calls[0] - 2.0 * calls[1] + calls[2]) / (h * h))


def test_vogt_s_slice_has_a_butterfly_to_sell() -> None:
    # The derivatives by mpmath, 50 digits.
    wanted = [0.0693792113008, -0.0298184615476, -0.0328633403676, -0.0277416959046]
    np.testing.assert_allclose(durrleman(VOGT, np.array([0.5, 0.8, 0.88, 1.0])), wanted, rtol=1e-10)
    found = smiles.butterfly(VOGT)
    assert not found.free
    assert found.worst == pytest.approx(-0.0328635734526, abs=1e-6)
    assert found.at == pytest.approx(0.8792625416, abs=0.01)
    assert density(VOGT, np.exp(0.88)) < 0.0 < density(VOGT, np.exp(0.5))


def test_vogt_s_slice_in_jump_wings_is_the_one_published() -> None:
    # Gatheral and Jacquier (2014), section 5.1, and what they change to take the arbitrage out.
    wanted = {"v": 0.01742625, "psi": -0.1752111, "p": 0.6997381, "c": 1.316798, "v_tilde": 0.0116249}
    wings = VOGT.jump_wings()
    assert wings == pytest.approx(wanted, rel=2e-6)
    # Their c and least variance without arbitrage: p + 2 psi, and v 4 p c / (p + c)^2.
    c = wings["p"] + 2.0 * wings["psi"]
    least = wings["v"] * 4.0 * wings["p"] * c / (wings["p"] + c) ** 2
    assert (c, least) == pytest.approx((0.3493158, 0.01548182), rel=2e-6)
    mended = smiles.Svi.from_jump_wings(wings["v"], wings["psi"], wings["p"], c, least, years=1.0, forward=1.0)
    assert smiles.butterfly(mended).free


@pytest.mark.parametrize("slice", [VOGT, SLICE, smiles.Svi(0.0, 0.2, 0.5, -0.1, 0.05, years=0.1, forward=7.0)])
def test_parameters_convert_there_and_back(slice: smiles.Svi) -> None:
    at = {"years": slice.years, "forward": slice.forward}
    for again in (
        smiles.Svi.from_natural(**slice.natural(), **at),
        smiles.Svi.from_jump_wings(**slice.jump_wings(), **at),
    ):
        for name in ("a", "b", "rho", "m", "sigma"):
            assert getattr(again, name) == pytest.approx(getattr(slice, name), rel=1e-9, abs=1e-12)


def test_the_slopes_of_wings_are_lee_s() -> None:
    steep = smiles.Svi(a=0.1, b=1.2, rho=0.8, m=0.0, sigma=0.5, years=1.0, forward=1.0)
    found = smiles.butterfly(steep)
    assert found.slopes == pytest.approx((0.24, 2.16))
    assert not found.free
    far = SLICE.total_variance(np.array([-50.0, -49.0, 49.0, 50.0]))
    assert (far[0] - far[1], far[3] - far[2]) == pytest.approx(SLICE.lee_slopes, abs=1e-6)


def test_derivatives_are_those_of_the_curve() -> None:
    k, h = np.linspace(-1.0, 1.0, 41), 1e-5
    w, slope, bend = SLICE.derivatives(k)
    np.testing.assert_allclose(slope, (SLICE.total_variance(k + h) - SLICE.total_variance(k - h)) / (2 * h), atol=1e-9)
    ends = SLICE.derivatives(k + h)[1] - SLICE.derivatives(k - h)[1]
    np.testing.assert_allclose(bend, ends / (2 * h), atol=1e-8)
    np.testing.assert_allclose(SLICE.vol(4500.0 * np.exp(k)) ** 2 * 0.5, w, rtol=1e-12)


def test_calendars_are_found_between_the_right_expiries_and_in_the_wings() -> None:
    def at(years: float, level: float, b: float = 0.05) -> smiles.Svi:
        return smiles.Svi(level, b, -0.4, 0.0, 0.1, years=years, forward=100.0 + years)

    good = [at(1.0, 0.05), at(0.25, 0.01), at(0.5, 0.02)]
    assert smiles.calendar(good).free
    bad = smiles.calendar([*good, at(0.75, 0.015)])
    assert not bad.free
    assert bad.pair == (0.5, 0.75)
    assert bad.worst == pytest.approx(-0.005)
    # Wings that cross far out, where no grid goes.
    assert not smiles.calendar([at(0.25, 0.01, 0.05), at(0.5, 5.0, 0.04)]).free
    with pytest.raises(mc.InvalidInput, match="two slices at least"):
        smiles.calendar([SLICE])


def test_surfaces_are_free_where_their_theorems_say_so() -> None:
    surface = smiles.Ssvi(
        -0.7, 1.0, 0.4, years=(0.1, 0.5, 2.0), forward=(100.0, 101.0, 104.0), theta=(0.004, 0.02, 0.09)
    )
    assert surface.is_free
    slices = [surface.slice(years) for years in (0.05, 0.1, 0.3, 0.5, 1.0, 2.0)]
    assert all(smiles.butterfly(slice).free for slice in slices)
    assert smiles.calendar(slices).free
    assert surface.slice(0.5).total_variance(0.0) == pytest.approx(0.02)
    assert not smiles.Ssvi(-0.7, 6.0, 0.5, years=(0.1,), forward=(100.0,), theta=(0.004,)).is_free
    with pytest.raises(mc.InvalidInput, match="ends at 2"):
        surface.slice(2.5)
    with pytest.raises(mc.InvalidInput, match=r"theta: 0\.01 .* comes after 0\.02"):
        smiles.Ssvi(-0.7, 1.0, 0.4, years=(0.1, 0.5), forward=(1.0, 1.0), theta=(0.02, 0.01))


# QuantLib 1.44: sabrVolatility, lognormal and (the second row of each) normal; shiftedSabrVolatility.
SABR = [
    (dict(alpha=0.2, beta=1.0, nu=1.2, rho=-0.6, years=0.5, forward=100.0), [60.0, 80.0, 100.0, 130.0],
     [0.4035274506520651, 0.2921612085863301, 0.20192, 0.18475665628314863],
     [31.571975605889076, 26.164328222506672, 20.17533333333333, 21.108532816801443]),
    (dict(alpha=0.04, beta=0.5, nu=0.6, rho=-0.3, years=2.0, forward=0.05), [0.02, 0.03, 0.05, 0.08],
     [0.38684210464271906, 0.2936630888077678, 0.18684884940136232, 0.19240396068102206],
     [0.0126142499126787, 0.011459657850901585, 0.009318591078308116, 0.01225623929369151]),
    (dict(alpha=0.008, beta=0.0, nu=0.4, rho=0.2, years=5.0, forward=0.03), [0.01, 0.03, 0.06],
     [0.5090217622914637, 0.2873283950617284, 0.26426277762007705], None),
    (dict(alpha=0.03, beta=0.5, nu=0.5, rho=-0.2, years=2.0, forward=-0.001, shift=0.03), [0.002],
     [0.17527198945138342], None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "strikes", "lognormal", "normal"), SABR)
def test_sabr_vols_are_quantlib_s(given: Any, strikes: Any, lognormal: Any, normal: Any) -> None:
    slice = smiles.Sabr(**given)
    np.testing.assert_allclose(slice.vol(strikes), lognormal, rtol=1e-12)
    if normal is not None:
        np.testing.assert_allclose(slice.normal_vol(strikes), normal, rtol=1e-12)


def test_sabr_is_smooth_at_the_money_and_without_vol_of_vol() -> None:
    slice = smiles.Sabr(0.3, 0.9, -0.5, 0.8, years=1.0, forward=100.0)
    near = slice.vol(100.0 * np.exp(np.linspace(-2e-4, 2e-4, 41)))
    assert np.abs(np.diff(near, 2)).max() < 1e-9
    flat = smiles.Sabr(0.2, 1.0, 0.0, 0.0, years=1.0, forward=100.0)
    np.testing.assert_allclose(flat.vol([50.0, 100.0, 200.0]), 0.2, rtol=1e-14)
    normal = smiles.Sabr(0.007, 0.0, -0.18, 0.29, years=0.25, forward=-0.004)
    around = normal.normal_vol(-0.004 + np.linspace(-1e-6, 1e-6, 21))
    assert np.abs(np.diff(around, 2)).max() < 1e-12


def test_sabr_s_expansion_has_arbitrage_at_low_strikes_and_long_times() -> None:
    long = smiles.Sabr(0.04, 0.5, -0.3, 0.6, years=10.0, forward=0.05)
    found = smiles.butterfly(long)
    assert not found.free
    assert found.at < 0.0
    assert density(long, 0.05 * np.exp(found.at)) < 0.0


def test_fits_find_the_slice_that_vols_were_made_from() -> None:
    fit = smiles.fit_svi(STRIKES, SLICE.vol(STRIKES), forward=4500.0, years=0.5)
    assert fit.worst < 1e-7
    assert isinstance(fit.slice, smiles.Svi)
    np.testing.assert_allclose(fit.slice.vol([2500.0, 6000.0]), SLICE.vol([2500.0, 6000.0]), atol=1e-5)
    truth = smiles.Sabr(0.25, 1.0, -0.6, 1.1, years=0.5, forward=4500.0)
    sabr = smiles.fit_sabr(STRIKES, truth.vol(STRIKES), forward=4500.0, years=0.5, beta=1.0)
    assert sabr.worst < 1e-8
    normal = smiles.Sabr(0.007, 0.0, -0.2, 0.4, years=2.0, forward=-0.002)
    rates = np.array([-0.02, -0.01, -0.002, 0.005, 0.02])
    found = smiles.fit_sabr(rates, normal.normal_vol(rates), forward=-0.002, years=2.0, beta=0.0, kind="normal")
    assert found.slice.alpha == pytest.approx(0.007, rel=1e-6)
    assert found.butterfly is None


def test_a_fit_is_kept_free_of_arbitrage_where_the_vols_are_not() -> None:
    strikes = np.exp(np.linspace(-1.2, 1.4, 27))
    vols = VOGT.vol(strikes)
    loose = smiles.fit_svi(strikes, vols, forward=1.0, years=1.0, free=False)
    assert loose.worst < 1e-6
    assert loose.butterfly is not None
    assert not loose.butterfly.free
    kept = smiles.fit_svi(strikes, vols, forward=1.0, years=1.0)
    assert kept.butterfly is not None
    assert kept.butterfly.free
    assert 1e-4 < kept.worst < 0.02
    far = np.linspace(-4.0, 4.0, 20_001)
    assert durrleman(kept.slice, far).min() >= 0.0


def test_quotes_weigh_by_their_width_and_say_how_many_are_met() -> None:
    vols = SLICE.vol(STRIKES)
    off = vols.copy()
    off[0] += 0.05  # a stale quote, and a wide one
    width = np.full(len(vols), 0.004)
    width[0] = 0.5
    even = smiles.fit_svi(STRIKES, off, forward=4500.0, years=0.5)
    fit = smiles.fit_svi(STRIKES, off, forward=4500.0, years=0.5, bid=off - width / 2, ask=off + width / 2)
    assert abs(fit.slice.vol(3600.0) - SLICE.vol(3600.0)) < 0.2 * abs(even.slice.vol(3600.0) - SLICE.vol(3600.0))
    assert fit.inside == 1.0
    none = smiles.fit_svi(STRIKES, off, forward=4500.0, years=0.5, weights=[0.0, *[1.0] * (len(vols) - 1)])
    np.testing.assert_allclose(none.slice.vol(STRIKES[1:]), vols[1:], atol=1e-6)


def test_a_surface_is_found_again_and_kept_free() -> None:
    truth = smiles.Ssvi(
        -0.65, 1.1, 0.45, years=(0.1, 0.5, 2.0), forward=(100.0, 101.0, 104.0), theta=(0.004, 0.02, 0.09)
    )
    rows = [
        (k, f, t)
        for t, f in zip(truth.years, truth.forward, strict=True)
        for k in f * np.exp(np.linspace(-0.4, 0.2, 9))
    ]
    frame = pd.DataFrame(rows, columns=["strike", "forward", "years"])
    vol = np.array([truth.slice(t).vol(k) for k, _, t in rows])
    fit = smiles.fit_ssvi(frame["strike"], vol, forward=frame["forward"], years=frame["years"])
    assert fit.worst < 1e-6
    assert fit.surface.theta == pytest.approx(truth.theta, rel=1e-4)
    noisy = vol + np.random.default_rng(2).normal(0, 0.01, len(vol))
    assert smiles.fit_ssvi(frame["strike"], noisy, forward=frame["forward"], years=frame["years"]).surface.is_free
    with pytest.raises(mc.InvalidInput, match=r"the expiry at 0\.1 years has 2: 100, 200"):
        smiles.fit_ssvi(np.arange(90.0, 99.0), vol[:9], forward=[100.0] * 8 + [200.0], years=[0.1] * 9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vol": [0.2, 0.2, np.nan, 0.2, 0.2]}, "vol: row 2 is None: a number is needed"),
        ({"vol": [0.2, -0.2, 0.2, 0.2, 0.2]}, r"row 1: vol is -0.2: a vol up to 10 \(0.18 is 18 %\)"),
        ({"vol": [20.0, 21.0, 22.0, 21.0, 20.0]}, r"row 0: vol is 20.0"),
        ({"vol": [0.2] * 4}, "vol has 4 rows, strike 5"),
        ({"strike": [90.0, 90.0, 95.0, 100.0, 105.0]}, "4 different strikes: the fit needs 5"),
        ({"strike": [-90.0, 91.0, 95.0, 100.0, 105.0]}, "row 0: strike is -90.0"),
        ({"forward": 0.0}, "forward is 0"),
        ({"years": -1.0}, "years is -1"),
        ({"bid": [0.1] * 5}, "bid and ask: give both"),
        ({"bid": [0.3] * 5, "ask": [0.2] * 5}, "row 0: the bid is above the ask"),
        ({"weights": [-1.0] * 5}, "row 0: weights is -1"),
    ],
)
def test_what_cannot_be_fitted_is_named(change: Any, message: str) -> None:
    given: dict[str, Any] = {"strike": [90.0, 95.0, 100.0, 105.0, 110.0], "vol": [0.25, 0.22, 0.2, 0.19, 0.2]}
    given |= {"forward": 100.0, "years": 0.5} | change
    strike, vol = given.pop("strike"), given.pop("vol")
    with pytest.raises(mc.InvalidInput, match=message):
        smiles.fit_svi(strike, vol, **given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: smiles.Svi(-1.0, 0.1, 0.0, 0.0, 0.1, years=1.0, forward=1.0), "least total variance"),
        (lambda: smiles.Svi(0.1, -0.1, 0.0, 0.0, 0.1, years=1.0, forward=1.0), "b is -0.1"),
        (lambda: smiles.Svi(0.1, 0.1, 1.5, 0.0, 0.1, years=1.0, forward=1.0), "rho is 1.5"),
        (lambda: smiles.Svi(0.1, "x", 0.5, 0.0, 0.1, years=1.0, forward=1.0), "b: a number is needed, not str"),  # type: ignore[arg-type]
        (lambda: smiles.Svi.from_jump_wings(0.04, 0.9, 0.6, 0.3, 0.03, years=1.0, forward=1.0), "psi is 0.9"),
        (lambda: smiles.Svi.from_jump_wings(0.04, -0.1, 0.6, 0.3, 0.05, years=1.0, forward=1.0), "v_tilde is 0.05"),
        (lambda: smiles.Svi.from_jump_wings(0.04, 0.0, 0.6, 0.6, 0.04, years=1.0, forward=1.0), "not determined"),
        (lambda: smiles.Sabr(0.2, 1.2, 0.0, 0.5, years=1.0, forward=1.0), "beta is 1.2"),
        (lambda: smiles.Sabr(0.2, 0.5, 0.0, 0.5, years=1.0, forward=-1.0), "forward plus shift is -1"),
        (lambda: SLICE.vol([4500.0, -1.0]), "row 1: strike is -1"),
        (lambda: smiles.moved_vol(SLICE, 4500.0, forward=4500.0, rule="gamma"), "rule 'gamma'"),  # type: ignore[arg-type]
    ],
)
def test_parameters_no_smile_has_are_refused(make: Any, message: str) -> None:
    with pytest.raises(mc.InvalidInput, match=message):
        make()


def test_without_scipy_the_fit_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['scipy'] = None; import margincore as mc\n"
        "try: mc.pricing.smiles.fit_svi([1., 2., 3., 4., 5.], [.2] * 5, forward=3., years=1.)\n"
        "except mc.Unsupported as e: print(e)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "margincore[smiles]"' in found.stdout


def test_moved_vols_keep_what_their_rule_says() -> None:
    down = 0.9 * SLICE.forward
    np.testing.assert_array_equal(smiles.moved_vol(SLICE, STRIKES, forward=down, rule="strike"), SLICE.vol(STRIKES))
    same = smiles.moved_vol(SLICE, 0.9 * STRIKES, forward=down, rule="moneyness")
    np.testing.assert_allclose(same, SLICE.vol(STRIKES), rtol=1e-13)
    at_delta = smiles.moved_vol(SLICE, STRIKES, forward=down, rule="delta")
    np.testing.assert_allclose(at_delta, smiles.moved_vol(SLICE, STRIKES, forward=down, rule="moneyness"), rtol=1e-13)


@pytest.mark.parametrize("years", [0.05, 0.3, 0.49])
def test_a_delta_keeps_its_vol_as_time_passes(years: float) -> None:
    forward = 0.95 * SLICE.forward
    later = smiles.moved_vol(SLICE, STRIKES, forward=forward, rule="delta", years=years)
    at: dict[str, Any] = {"futures_style": True, "right": 1}
    deltas = black76.greeks(forward, STRIKES, years=years, vol=later, **at).delta
    # On the old slice: strikes of those deltas have those vols.
    grid = SLICE.forward * np.exp(np.linspace(-3.0, 2.0, 200_001))
    old = black76.greeks(SLICE.forward, grid, years=SLICE.years, vol=SLICE.vol(grid), **at).delta
    inside = (deltas > 1e-6) & (deltas < 1 - 1e-6)
    assert inside.sum() >= 3
    wanted = np.interp(deltas[inside], old[::-1], SLICE.vol(grid)[::-1])
    np.testing.assert_allclose(later[inside], wanted, atol=1e-6)


def test_a_table_s_options_get_vols_for_a_market_that_has_moved() -> None:
    more: dict[str, Any] = {"expiry": "2026-12-18", "exercise": "european", "multiplier": 100, "currency": "USD"}
    options = [mc.Option("SPX", right, k, settles="pm", **more) for k in (4000.0, 4500.0) for right in ("call", "put")]
    other = mc.Option("XYZ", "put", 50.0, settles="pm", **more)
    contracts = mc.Contracts([*options, other])
    slices = {("SPX", "2026-12-18"): SLICE}
    now = smiles.contract_vols(contracts, slices)
    assert set(now) == {option.id for option in options}
    assert now[options[0].id] == pytest.approx(float(SLICE.vol(4000.0)))
    down = smiles.contract_vols(contracts, slices, {"SPX": 0.9}, rule="moneyness")
    assert down[options[2].id] == pytest.approx(float(SLICE.vol(4500.0 / 0.9)))
    market = mc.Market(
        "2026-06-18T16:00:00-04:00", spot={"SPX": 4500.0, "XYZ": 50.0}, vol={**now, other.id: 0.3}, rate={"USD": 0.04}
    )
    prepared = mc.Engine(mc.methods.Tims()).prepare(contracts, market)
    holding = [mc.Position(options[1], -1)]
    kept = prepared.update(spot={"SPX": 4050.0}).margin(holding)
    moved = prepared.update(spot={"SPX": 4050.0}, vol=down).margin(holding)
    # The smile that moves along gives the put, now near the money, less vol than its strike had.
    assert down[options[1].id] < now[options[1].id]
    assert moved.requirement.initial != kept.requirement.initial
    with pytest.raises(mc.MissingData, match="no slice of SPX for its expiry 2026-12-18"):
        smiles.contract_vols(contracts, {("SPX", "2027-01-15"): SLICE})
    with pytest.raises(mc.InvalidInput, match="'ABC' has no slice"):
        smiles.contract_vols(contracts, slices, {"ABC": 0.9})
