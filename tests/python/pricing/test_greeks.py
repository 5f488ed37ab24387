"""Greeks of `margincore.pricing` against differences of its prices, in the limits, and under put-call symmetry."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from margincore import pricing

NAMES = ("delta", "gamma", "vega", "theta", "rho", "vanna", "volga")


def table(n: int, seed: int, widest: float = 6.0) -> dict[str, Any]:
    """Days to years, calm to wild, strikes as far as `widest` deviations away."""
    draw = np.random.default_rng(seed)
    spot = draw.uniform(20, 400, n)
    years, vol = np.exp(draw.uniform(np.log(0.01), np.log(5.0), n)), draw.uniform(0.05, 1.2, n)
    return {
        "spot": spot,
        "strike": spot * np.exp(draw.uniform(-widest, widest, n) * vol * np.sqrt(years)),
        "years": years,
        "rate": draw.uniform(-0.02, 0.12, n),
        "dividend_yield": draw.uniform(0, 0.08, n),
        "vol": vol,
        "right": np.where(draw.random(n) < 0.5, 1, -1).astype(np.int8),
    }


def difference(values: Any, of: dict[str, Any], name: str, step: Any) -> Any:
    """A central difference of fourth order: the steps h and 2h, extrapolated by Richardson."""

    def at(k: int) -> Any:
        return values({**of, name: of[name] + k * step})

    return (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * step)


def european(of: dict[str, Any]) -> pricing.Greeks:
    return pricing.greeks(*of.values())


def test_european_greeks_are_differences_over_wide_inputs() -> None:
    """Each to a ten-millionth of its natural size; second derivatives are differences of the first."""
    o = table(20_000, 11)
    found = european(o)
    root = np.sqrt(o["years"])
    deviation = np.minimum(o["vol"] * root, 1.0)
    forward = o["spot"] * np.exp(-o["dividend_yield"] * o["years"])
    spot_step, vol_step, time_step = 1e-2 * deviation * o["spot"], 5e-3 * o["vol"], 1e-2 * o["years"]
    price = lambda of: pricing.price(*of.values())  # noqa: E731
    delta, vega = (lambda of: european(of).delta), (lambda of: european(of).vega)
    expected = {
        "delta": (difference(price, o, "spot", spot_step), np.ones_like(root)),
        "gamma": (difference(delta, o, "spot", spot_step), 1.0 / (o["spot"] * deviation)),
        "vega": (difference(price, o, "vol", vol_step), forward * root),
        "theta": (-difference(price, o, "years", time_step), (forward + o["strike"]) * (1.0 + o["vol"] / root)),
        "rho": (difference(price, o, "rate", 1e-3 / (1.0 + o["years"])), (forward + o["strike"]) * o["years"]),
        "vanna": (difference(delta, o, "vol", vol_step), 1.0 / o["vol"]),
        "volga": (difference(vega, o, "vol", vol_step), forward * root / o["vol"]),
    }
    for name, (want, size) in expected.items():
        error = np.abs(getattr(found, name) - want) / size
        assert error.max() < 1e-7, (name, error.max())


LIMITS = """
import hashlib, itertools, numpy as np
from margincore import pricing
edges = itertools.product((1e-9, 1e-6, 1e-3, 1.0), (1e-12, 1e-9, 1e-4, 0.01, 3.0),
                          (0.5, 0.999999, 1.0, 1.000001, 2.0, 1e3), (-0.01, 0.0, 0.05), (0.0, 0.03))
none = ((0.0, 0.2), (1.0, 0.0), (0.0, 0.0))
rows = np.array([(100.0, 100.0 * m, t, r, q, v) for t, v, m, r, q in edges] +
                [(100.0, 100.0 * m, t, r, q, v) for m in (0.5, 1.0, 2.0) for t, v in none
                 for r in (0.0, 0.05) for q in (0.0, 0.03)])
for exercise in ("european", "american"):
    for right in (1, -1):
        found = np.array(pricing.greeks(*rows.T.copy(), right, exercise=exercise))
        bad = ~np.isfinite(found).all(axis=0)
        assert not bad.any(), (exercise, right, rows[bad][:3], found[:, bad][:, :3])
        price, delta, gamma, vega = found[:4]
        assert (price >= 0).all() and (np.abs(delta) <= 1 + 1e-6).all(), (exercise, right)
        print(exercise, right, hashlib.sha256(found.tobytes()).hexdigest())
"""


def test_in_the_limits_every_greek_is_a_number_and_has_the_same_bits_everywhere() -> None:
    """No time, no vol, next to none, at and beside the strike, a thousandfold away: at every level of instructions."""
    printed = set()
    for level in ("baseline", "avx2", "avx512"):
        environment = {**os.environ, "MARGINCORE_SIMD": level}
        run = subprocess.run(
            [sys.executable, "-c", LIMITS], env=environment, text=True, capture_output=True, check=False
        )
        assert run.returncode == 0, run.stderr
        printed.add(run.stdout)
    assert len(printed) == 1


def test_the_wings_vanish_with_the_price() -> None:
    """Beyond forty deviations nothing is left: out of the money zero, in the money the discounted forward's."""
    spot, years, rate, q, vol = 100.0, 0.25, 0.05, 0.02, 0.1
    far = spot * np.exp(np.array([3.0, 20.0]))
    out = pricing.greeks(spot, far, years, rate, q, vol, "call")
    for name in ("price", *NAMES):
        assert np.abs(getattr(out, name)).max() < 1e-250, name
    deep = pricing.greeks(spot, far, years, rate, q, vol, "put")
    np.testing.assert_allclose(deep.delta, -np.exp(-q * years), rtol=1e-15)
    np.testing.assert_allclose(deep.rho, -years * far * np.exp(-rate * years), rtol=1e-14)
    np.testing.assert_allclose(
        deep.theta, rate * far * np.exp(-rate * years) - q * spot * np.exp(-q * years), rtol=1e-14
    )


def american(of: dict[str, Any], accuracy: str) -> pricing.Greeks:
    return pricing.greeks(*of.values(), exercise="american", accuracy=accuracy)


def test_american_greeks_are_differences_over_wide_inputs() -> None:
    """Away from the exercise boundary, where gamma jumps, and from a rate of zero, where exercise sets in.

    At high carry a lattice prices, whose error is not smooth.
    """
    o = table(3_000, 5, 2.0)
    o["vol"] = np.maximum(o["vol"], 0.1)
    o["years"] = np.maximum(o["years"], 0.05)
    o["rate"] = np.where(np.abs(o["rate"]) < 1e-3, 0.03, o["rate"])
    found = american(o, "precise")
    root = np.sqrt(o["years"])
    deviation = np.minimum(o["vol"] * root, 1.0)
    intrinsic = o["right"] * (o["spot"] - o["strike"])
    alive = found.price > np.maximum(intrinsic, 0.0) + 5e-3 * o["strike"] * deviation
    assert alive.mean() > 0.4
    price = lambda of: pricing.price(*of.values(), exercise="american", accuracy="precise")  # noqa: E731
    spot_step, vol_step, time_step = 2e-2 * deviation * o["spot"], 1e-2 * o["vol"], 1e-2 * o["years"]
    delta, vega = (lambda of: american(of, "precise").delta), (lambda of: american(of, "precise").vega)
    expected = {
        "delta": (difference(price, o, "spot", spot_step), np.ones_like(root), 2e-4),
        "gamma": (difference(delta, o, "spot", spot_step), 1.0 / (o["spot"] * deviation), 5e-3),
        "vega": (difference(price, o, "vol", vol_step), o["spot"] * root, 1e-4),
        "theta": (-difference(price, o, "years", time_step), o["spot"] * (0.1 + o["vol"] / root), 5e-3),
        "rho": (difference(price, o, "rate", 1e-4), o["strike"] * o["years"], 1e-3),
        "vanna": (difference(delta, o, "vol", vol_step), 1.0 / o["vol"], 5e-4),
        "volga": (difference(vega, o, "vol", vol_step), o["spot"] * root / o["vol"], 5e-3),
    }
    lattice = np.abs(o["rate"] - o["dividend_yield"]) * root > 1.25 * o["vol"]
    assert 0 < (alive & lattice).sum() < 0.1 * alive.sum()
    for name, (want, size, tolerance) in expected.items():
        error = np.abs(getattr(found, name) - want) / size
        assert error[alive & ~lattice].max() < tolerance, (name, error[alive & ~lattice].max())
        assert error[alive & lattice].max() < 2e-2, (name, error[alive & lattice].max())


@pytest.mark.parametrize("exercise", ["european", "american"])
def test_put_call_symmetry_of_greeks(exercise: str) -> None:
    """McDonald and Schroder 1998: C(S, K, r, q) = P(K, S, q, r), and so for every derivative.

    The call's delta is the put's derivative to its strike, by homogeneity (P - K P_S) / S in the put's letters.
    """
    o = table(2_000, 8, 2.0) | {"right": 1}
    o["rate"], o["dividend_yield"] = np.abs(o["rate"]) + 0.005, o["dividend_yield"] + 0.005
    mirror = {
        "spot": o["strike"], "strike": o["spot"], "years": o["years"], "rate": o["dividend_yield"],
        "dividend_yield": o["rate"], "vol": o["vol"], "right": -1,
    }  # fmt: skip
    how: dict[str, Any] = {"exercise": exercise} | ({"accuracy": "precise"} if exercise == "american" else {})
    call, put = (pricing.greeks(*of.values(), **how) for of in (o, mirror))
    spot, strike, root = o["spot"], o["strike"], np.sqrt(o["years"])
    tight = 1e-11 if exercise == "european" else 1e-6
    deviation = np.minimum(o["vol"] * root, 1.0)
    pairs = {
        "price": (call.price, put.price, spot, tight),
        "delta": (call.delta, (put.price - strike * put.delta) / spot, 1.0, 1e2 * tight),
        "gamma": (call.gamma, put.gamma * (strike / spot) ** 2, 1.0 / (spot * deviation), 3e3 * tight),
        "vega": (call.vega, put.vega, spot * root, 1e2 * tight),
        "volga": (call.volga, put.volga, spot * root / o["vol"], 1e4 * tight),
        "vanna": (call.vanna, (put.vega - strike * put.vanna) / spot, root + 1.0 / o["vol"], 1e4 * tight),
        "theta": (call.theta, put.theta, spot * (1.0 + o["vol"] / root), 3e3 * tight),
    }
    for name, (left, right, size, tolerance) in pairs.items():
        error = np.abs(left - right) / size
        assert error.max() < tolerance, (name, error.max())
