"""Fitted volatilities feed the filtered rulebook to the last bits; published sigma rules by hand."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore import tails, volatility


def _returns(seed: int, count: int = 1500) -> np.ndarray[Any, np.dtype[np.float64]]:
    chance = np.random.default_rng(seed)
    out, variance = [], 1e-4
    for z in chance.standard_t(8, count) * math.sqrt(6 / 8):
        out.append(z * math.sqrt(variance))
        variance = 2e-6 + 0.08 * out[-1] ** 2 + 0.90 * variance
    return np.array(out)


@pytest.mark.parametrize("innovations", ["normal", "t"])
def test_the_volatilities_are_those_of_arch(innovations: Any) -> None:
    from arch import arch_model

    r = _returns(1)
    fitted = volatility.fit_garch(r, innovations=innovations)
    unit = math.sqrt(float((r * r).mean()))
    own = arch_model(r / unit, mean="Zero", vol="GARCH", p=1, q=1, dist=innovations, rescale=False).fit(disp="off")
    known = fitted.volatility(r)
    assert np.allclose(known[:-1], unit * np.asarray(own.conditional_volatility), rtol=1e-9)
    assert known[-1] ** 2 == pytest.approx(unit**2 * float(own.forecast(horizon=1).variance.iloc[-1, 0]), rel=1e-9)
    assert (fitted.degrees is None) == (innovations == "normal")
    # The likelihood in the units of the returns, from the volatilities.
    if innovations == "normal":
        z = r / known[:-1]
        assert fitted.log_likelihood == pytest.approx(
            float((-0.5 * math.log(2 * math.pi) - np.log(known[:-1]) - 0.5 * z * z).sum()), rel=1e-9
        )
    # Returns in per cent have the same shape and variances of their own unit.
    percent = volatility.fit_garch(100.0 * r, innovations=innovations)
    assert percent.alpha == pytest.approx(fitted.alpha, abs=1e-6)
    assert percent.first_variance == pytest.approx(1e4 * fitted.first_variance, rel=1e-6)


def test_a_fit_feeds_the_rulebook() -> None:
    """The engine's filtered simulation with the fit's filter, against the fit's own scenarios put in as returns."""
    r = _returns(2)
    prices = 100.0 * np.exp(np.concatenate([[0.0], np.cumsum(r)]))
    fitted = volatility.fit_garch(np.diff(np.log(prices)))
    stock = mc.Stock("XYZ", currency="USD")
    market = mc.Market("2026-11-20T16:00:00Z", spot={"XYZ": float(prices[-1])})
    book = [mc.Position(stock, 100)]
    rule = mc.methods.HistoricalVar(
        {"XYZ": prices}, returns="log", measure="es_acerbi", confidence="0.99", filter=fitted.filter()
    )
    ready_made = mc.methods.HistoricalVar(
        volatility.filtered({"XYZ": np.diff(np.log(prices))}, {"XYZ": fitted}),
        returns="log", measure="es_acerbi", confidence="0.99",
    )  # fmt: skip
    losses = 100.0 * prices[-1] * -np.expm1(fitted.scenarios(np.diff(np.log(prices))))
    expected = tails.measure(losses, "es_acerbi", "0.99")
    assert mc.margin(book, market, rule).initial == pytest.approx(expected, rel=1e-9)
    assert mc.margin(book, market, ready_made).initial == pytest.approx(expected, rel=1e-9)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(mc.Unsupported, match=r"margincore\[garch\]"):
        volatility.fit_garch(_returns(3, 200))


def test_sigma_ranges_by_hand() -> None:
    closes = [100.0, 103.0, 99.0]
    variance = 0.02**2
    for r in (math.log(1.03), math.log(99 / 103)):
        variance = 0.995 * variance + 0.005 * r * r
    found = volatility.sigma_range(closes, "nse-stock-2024", first_volatility=0.02)
    assert found == pytest.approx(6.0 * math.sqrt(2.0 * variance), rel=1e-14)
    assert volatility.sigma_range(closes, "nse-index-long-2024", first_volatility=0.001) == 0.177
    old = volatility.SIGMA_RANGES["varma-index-1998"]
    assert old.of(0.02) == pytest.approx(math.exp(0.06) - 1.0)
    scan = volatility.sigma_range([100.0, 100.0], "varma-index-1998", first_volatility=0.02)
    assert scan == pytest.approx(math.expm1(3.0 * 0.02 * math.sqrt(0.94)), rel=1e-12)
    for rule in volatility.SIGMA_RANGES.values():
        assert rule.source
        assert len(rule.published) == 10


def test_a_scan_range_goes_to_the_rulebook() -> None:
    scan = volatility.sigma_range([100.0, 100.5, 100.1], "nse-index-2024", first_volatility=0.01)
    future = mc.Future("NIFTY", expiry="2026-12-29", settles="pm", multiplier=65, currency="INR")
    market = mc.Market("2026-11-20T10:00:00Z", spot={"NIFTY": 24_000.0}, price={future.id: 24_100.0},
                       rate={"INR": 0.06})  # fmt: skip
    rule = mc.methods.SpanLike({"NIFTY": {"price_scan": scan, "vol_scan": 0.25}})
    report = mc.margin([mc.Position(future, 1)], market, rule)
    assert report.initial == pytest.approx(65 * 24_100.0 * scan, rel=0.02)


MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: volatility.fit_garch([0.01] * 99), "at least 100"),
    (lambda: volatility.fit_garch([0.01] * 200), "that differ"),
    (lambda: volatility.fit_garch([0.01] * 200, innovations="ged"), "one of normal, t"),  # type: ignore[arg-type]
    (lambda: volatility.filtered({"X": [0.1]}, {}), "no fit of factor 'X'"),
    (lambda: volatility.sigma_range([1.0], "nse-stock-2024", first_volatility=0.01), "at least two"),
    (lambda: volatility.sigma_range([1.0, -1.0], "nse-stock-2024", first_volatility=0.01), "positive amounts"),
    (lambda: volatility.sigma_range([1.0, 2.0], "nse-2024", first_volatility=0.01), "one of nse-index-2024"),  # type: ignore[arg-type]
    (lambda: volatility.sigma_range([1.0, 2.0], "nse-stock-2024", first_volatility=-0.01), "from 0"),
]


@pytest.mark.parametrize(("mistake", "why"), MISTAKES)
def test_mistakes_are_refused_by_name(mistake: Callable[[], Any], why: str) -> None:
    with pytest.raises(mc.InvalidInput, match=why):
        mistake()
