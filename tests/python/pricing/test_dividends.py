"""Proportional dividends, the sensitivity to the yield, and exercise boundaries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore import pricing

AT: dict[str, Any] = {"strike": [95.0, 105.0], "years": [0.5, 1.0], "rate": 0.04, "dividend_yield": 0.01, "vol": 0.25}
PAID = [(0.25, 0.02), (0.75, 0.03), (1.5, 0.9)]


def test_the_forward_is_the_spot_s_share_carried() -> None:
    call, put = (pricing.price(100.0, **AT, right=right, proportional_dividends=PAID) for right in (1, -1))
    years = np.array(AT["years"])
    forward = 100.0 * np.array([0.98, 0.98 * 0.97]) * np.exp(0.03 * years)
    np.testing.assert_allclose(call - put, np.exp(-0.04 * years) * (forward - np.array(AT["strike"])), rtol=1e-12)
    wanted = pricing.black76.price(forward, AT["strike"], years=years, vol=0.25, rate=0.04, right=1)
    np.testing.assert_allclose(call, wanted, rtol=1e-13)
    vol = pricing.implied_vol(call, 100.0, *(AT[k] for k in ("strike", "years", "rate", "dividend_yield")), 1,
                              proportional_dividends=iter(PAID))  # fmt: skip
    np.testing.assert_allclose(vol, 0.25, rtol=1e-12)


def test_greeks_and_grids_are_of_the_whole_spot() -> None:
    def price(spot: float = 100.0, later: float = 0.0, **changed: Any) -> Any:
        moved = {**AT, **changed, "years": np.array(AT["years"]) - later}
        return pricing.price(spot, **moved, right=1, proportional_dividends=[(when - later, f) for when, f in PAID])

    greeks = pricing.greeks(100.0, **AT, right=1, proportional_dividends=PAID)
    h = 1e-3
    np.testing.assert_allclose(greeks.delta, (price(100 + h) - price(100 - h)) / (2 * h), rtol=1e-7)
    np.testing.assert_allclose(greeks.gamma, (price(100.1) - 2 * price() + price(99.9)) / 0.01, rtol=1e-4)
    np.testing.assert_allclose(greeks.theta, (price(later=1e-5) - price(later=-1e-5)) / 2e-5, rtol=1e-6)
    np.testing.assert_allclose(greeks.rho, (price(rate=0.0401) - price(rate=0.0399)) / 2e-4, rtol=1e-6)
    up, down = (
        pricing.greeks(100.0, **{**AT, "vol": vol}, right=1, proportional_dividends=PAID).delta
        for vol in (0.2501, 0.2499)
    )
    np.testing.assert_allclose(greeks.vanna, (up - down) / 2e-4, rtol=1e-5)
    rolled = pricing.price_grid(100.0, **AT, right=1, price_moves=[-0.1, 0.2], roll=0.3, proportional_dividends=PAID)
    np.testing.assert_allclose(rolled, np.stack([price(90.0, 0.3), price(120.0, 0.3)], axis=1), rtol=1e-12)
    one = pricing.greeks(100.0, 95.0, 0.5, 0.04, 0.01, 0.25, 1, proportional_dividends=PAID)
    assert float(one.delta) == greeks.delta[0]
    cash = pricing.greeks(100.0, 95.0, 0.5, 0.04, 0.01, 0.25, 1, dividends=iter([(0.25, 2.0)]))
    assert float(cash.rho) == pricing.greeks(100.0, [95.0], 0.5, 0.04, 0.01, 0.25, 1, dividends=[(0.25, 2.0)]).rho[0]


def test_dividends_that_no_method_has_are_refused() -> None:
    for more, error, message in (
        ({"exercise": "american"}, mc.Unsupported, "no method here prices them with American exercise"),
        ({"dividends": [(0.1, 1.0)]}, mc.Unsupported, "cash or a fraction"),
    ):
        with pytest.raises(error, match=message):
            pricing.price(100.0, **AT, right=1, proportional_dividends=PAID, **more)
    for wrong in ((0.1, 1.0), (0.1, -0.1), (0.1, 2.0), (np.nan, 0.1)):
        with pytest.raises(mc.InvalidInput, match="proportional_dividends: 1 is"):
            pricing.price(100.0, **AT, right=1, proportional_dividends=[(0.1, 0.1), wrong])


@pytest.mark.parametrize("more", [{}, {"dividends": [(0.2, 3.0), (0.8, 2.0)]}, {"proportional_dividends": PAID}])
def test_dividend_rho_is_the_slope_in_the_yield(more: Any) -> None:
    for right in (1, -1):
        got = pricing.dividend_rho(100.0, **AT, right=right, **more)
        high, low = (pricing.price(100.0, **{**AT, "dividend_yield": y}, right=right, **more) for y in (0.0101, 0.0099))
        np.testing.assert_allclose(got, (high - low) / 2e-4, rtol=1e-6)


def test_dividend_rho_of_american_options() -> None:
    # Never exercised early: the European one. Else between that and nothing.
    call = {"years": 0.5, "rate": 0.05, "dividend_yield": -0.02, "vol": 0.3, "right": "call"}
    european, american = (pricing.dividend_rho(100.0, 110.0, **call, exercise=e) for e in ("european", "american"))
    assert float(american) == pytest.approx(float(european), rel=1e-6)
    put = {"years": 1.0, "rate": 0.05, "dividend_yield": 0.02, "vol": 0.3, "right": "put"}
    european, american = (
        float(pricing.dividend_rho(100.0, 100.0, **put, exercise=e)) for e in ("european", "american")
    )
    assert 0.0 < american < european
    with pytest.raises(mc.Unsupported, match="collocation only"):
        pricing.dividend_rho(100.0, 100.0, **put, exercise="american", dividends=[(0.5, 1.0)])


def test_boundaries_part_exercise_from_waiting() -> None:
    at = {"years": np.array([0.05, 0.5, 2.0]), "rate": 0.05, "dividend_yield": 0.03, "vol": 0.3}
    for right in (1, -1):
        boundary = pricing.exercise_boundary(100.0, **at, right=right, accuracy="precise")
        spots = boundary * np.array([[0.98], [1.0], [1.02]])
        columns = (100.0, *at.values(), right)
        extra = pricing.price(spots, *columns, "american", accuracy="precise") - right * (spots - 100.0)
        assert np.abs(extra[1]).max() < 2e-5
        assert (extra[0 if right > 0 else 2] > 5e-4).all()
        assert np.abs(extra[2 if right > 0 else 0]).max() < 2e-5
        near = pricing.exercise_boundary(100.0, **at, right=right)
        np.testing.assert_allclose(near, boundary, rtol=2e-4)


def test_boundaries_have_their_limits() -> None:
    at = {"rate": 0.05, "dividend_yield": 0.0, "vol": 0.2, "right": "put"}
    left = np.array([1e-6, 0.01, 0.1, 1.0, 10.0, 60.0])
    curve = pricing.exercise_boundary(100.0, years=left, **at, accuracy="precise")
    assert (np.diff(curve) < 0.0).all()
    assert curve[0] == pytest.approx(100.0, rel=2e-3)
    perpetual = 100.0 * 2.5 / 3.5  # Merton (1973): k / (1 + k), k = 2 rate / vol^2
    assert curve[-1] == pytest.approx(perpetual, rel=1e-3)
    # A yield above the rate: near expiry the boundary is at rate / yield of the strike.
    low = pricing.exercise_boundary(100.0, years=1e-7, rate=0.02, dividend_yield=0.05, vol=0.2, right="put")
    assert float(low) == pytest.approx(40.0, rel=1e-3)
    never = pricing.exercise_boundary(100.0, years=1.0, rate=0.05, dividend_yield=0.0, vol=0.2, right=[1, -1])
    assert never[0] == np.inf
    assert pricing.exercise_boundary(100.0, years=1.0, rate=0.0, dividend_yield=0.0, vol=0.2, right=-1) == 0.0
    with pytest.raises(mc.Unsupported, match="no single exercise boundary"):
        pricing.exercise_boundary(100.0, years=1.0, rate=-0.01, dividend_yield=-0.05, vol=0.2, right=-1)
    with pytest.raises(mc.InvalidInput, match="accuracy"):
        pricing.exercise_boundary(100.0, years=1.0, rate=0.1, dividend_yield=0.0, vol=0.2, right=-1, accuracy="x")  # type: ignore[arg-type]
