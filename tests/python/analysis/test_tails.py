"""Tails: printed values, scipy's distributions, NumPy's quantiles, and simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import margincore as mc
from margincore import tails

LEVELS = ("0.5", "0.9", "0.95", "0.975", "0.99", "0.999", "0.999999")


@pytest.mark.parametrize("confidence", LEVELS)
def test_normal_and_t_against_scipy(confidence: str) -> None:
    a = float(confidence)
    found = tails.normal(confidence, mean=0.1, deviation=2.0)
    assert found.var == pytest.approx(0.1 + 2.0 * stats.norm.ppf(a), rel=1e-10)
    assert found.es == pytest.approx(0.1 + 2.0 * stats.norm.pdf(stats.norm.ppf(a)) / (1.0 - a), rel=1e-9)
    for degrees in (0.7, 1.0, 1.5, 2.5, 3.0, 4.0, 10.0, 250.0, 1e5):
        plain = tails.student_t(confidence, degrees, spread="scale", size=2.0)
        assert plain.var == pytest.approx(2.0 * stats.t.ppf(a, degrees), rel=1e-8, abs=1e-12), degrees
        if degrees <= 1.0:
            assert plain.es is None
            continue
        beyond = integrate.quad(lambda p, d=degrees: stats.t.isf(p, d), 0.0, 1.0 - a)[0] / (1.0 - a)
        assert plain.es == pytest.approx(2.0 * beyond, rel=2e-5)


def test_unit_variance_is_what_it_says() -> None:
    unit = tails.student_t("0.99", 5, spread="deviation")
    plain = tails.student_t("0.99", 5, spread="scale", size=math.sqrt(3 / 5))
    assert unit.var == pytest.approx(plain.var, rel=1e-14)
    # With many degrees it is the normal.
    assert tails.student_t("0.99", 1e7, spread="deviation").es == pytest.approx(tails.normal("0.99").es, rel=1e-6)


@pytest.mark.parametrize(("skewness", "kurtosis"), [(0.0, 0.0), (0.0, 4.0), (0.5, 1.5), (-0.6, 2.0), (1.2, 3.2)])
@pytest.mark.parametrize("confidence", ["0.95", "0.99", "0.9999"])
def test_cornish_fisher_by_integration(skewness: float, kurtosis: float, confidence: str) -> None:
    a = float(confidence)

    def bent(z: float) -> float:
        s, k = skewness, kurtosis
        return z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36

    found = tails.cornish_fisher(confidence, skewness, kurtosis, moments="parameters", mean=1.0, deviation=3.0)
    z = float(stats.norm.ppf(a))
    assert found.var == pytest.approx(1.0 + 3.0 * bent(z), rel=1e-10)
    beyond = integrate.quad(lambda u: bent(u) * stats.norm.pdf(u), z, 12.0)[0] / (1.0 - a)
    assert found.es == pytest.approx(1.0 + 3.0 * beyond, rel=1e-8)


def test_matched_moments_are_the_distribution_s_own() -> None:
    grid = np.linspace(-9.0, 9.0, 200_001)
    density = stats.norm.pdf(grid)
    for skewness, kurtosis in ((0.0, 3.0), (0.5, 1.5), (-0.8, 3.0), (1.5, 6.0)):
        from margincore.analysis.tails.cornish import _cubic, _matched

        s, k, unit = _matched(skewness, kurtosis)
        w = np.polynomial.polynomial.polyval(grid, _cubic(s, k)) / unit
        moments = [float(integrate.simpson(w**n * density, x=grid)) for n in (1, 2, 3, 4)]
        assert moments == pytest.approx([0.0, 1.0, skewness, 3.0 + kurtosis], abs=1e-7)


def test_the_domain_is_where_quantiles_rise() -> None:
    z = np.linspace(-12.0, 12.0, 4001)
    chance = np.random.default_rng(0)
    seen = set()
    for s, k in zip(chance.uniform(-3, 3, 3000), chance.uniform(-2, 12, 3000), strict=True):
        slope = z * z * (k / 8 - s * s / 6) + z * s / 3 + 1 - k / 8 + 5 * s * s / 36
        rises = bool((slope >= 0.0).all()) and k / 8 - s * s / 6 >= 0.0
        assert tails.cornish_fisher_domain(float(s), float(k)) == rises or abs(slope.min()) < 1e-3
        seen.add(rises)
        if abs(s) > 6.0 * (math.sqrt(2.0) - 1.0):
            assert not rises
    assert seen == {True, False}
    # Maillard (2012): without skewness the domain of the excess kurtosis is from 0 to 8.
    assert [tails.cornish_fisher_domain(0.0, k) for k in (-0.01, 0.0, 8.0, 8.01)] == [False, True, True, False]


@pytest.mark.parametrize("shape", [-0.3, -0.05, 0.0, 0.2, 0.6, 1.2])
def test_pareto_against_scipy(shape: float) -> None:
    losses = stats.genpareto.rvs(shape, scale=7.0, size=2500, random_state=3) + 10.0
    found = tails.pareto(losses, threshold=10.0)
    own, _, scale = stats.genpareto.fit(losses - 10.0, shape, floc=0.0, scale=7.0)

    def likelihood(shape: float, scale: float) -> float:
        return float(stats.genpareto.logpdf(losses - 10.0, shape, scale=scale).sum())

    assert likelihood(found.shape, found.scale) >= likelihood(own, scale) - 1e-6
    assert found.shape == pytest.approx(own, abs=2e-3)
    assert abs(found.shape - shape) < 4.0 * found.shape_error
    assert abs(found.scale - 7.0) < 4.0 * found.scale_error
    # Another unit of money, another place: the same shape.
    moved = tails.pareto(1e6 * losses, threshold=1e7)
    assert moved.shape == pytest.approx(found.shape, abs=1e-7)
    assert moved.scale == pytest.approx(1e6 * found.scale, rel=1e-6)


def test_pareto_s_tail_is_the_distribution_s() -> None:
    fit = tails.ParetoTail(10.0, 0.25, 3.0, 50, 1000)
    law = stats.genpareto(0.25, scale=3.0)
    found = fit.tail("0.99")
    assert found.var == pytest.approx(10.0 + law.ppf(1.0 - 0.01 / 0.05), rel=1e-12)
    beyond = integrate.quad(law.isf, 0.0, 0.2)[0] / 0.2
    assert found.es == pytest.approx(10.0 + beyond, rel=1e-6)
    assert tails.ParetoTail(10.0, 1.2, 3.0, 50, 1000).tail("0.99").es is None
    plain = tails.ParetoTail(10.0, 0.0, 3.0, 50, 1000).tail("0.99")
    assert plain.var == pytest.approx(10.0 + 3.0 * math.log(5.0), rel=1e-12)


@pytest.mark.parametrize(
    "printed",
    [
        [
            (1.392526, 3.549663),
            (2.079958, 5.427241),
            (3.602491, 9.585723),
            (5.509216, 14.793548),
            (15.020921, 40.772793),
        ],
        [
            (1.3429886, 3.081368),
            (2.1260213, 4.492982),
            (3.6116033, 7.171118),
            (5.2149448, 10.061545),
            (11.5398391, 21.463761),
        ],
    ],
)
def test_mcneil_and_frey_s_measures_as_printed(printed: list[tuple[float, float]]) -> None:
    """SpringerPlus 4 (2015), article 1306, table 4: measures of risk of two tails by R's generalised Pareto fit. Shape
    and scale are read off the rows of 95 % and 97.5 %; the rest must follow."""
    (var, es), (next_var, next_es) = printed[:2]
    shape = 1.0 - (next_var - var) / (next_es - es)
    fit = tails.ParetoTail(var, shape, (es - var) * (1.0 - shape), 50, 1000)
    for confidence, row in zip(("0.95", "0.975", "0.99", "0.995", "0.999"), printed, strict=True):
        found = fit.tail(confidence)
        assert (found.var, found.es) == pytest.approx(row, rel=2e-4)


def test_pareto_of_a_number_of_losses() -> None:
    losses = np.random.default_rng(5).standard_t(3, 3000)
    fit = tails.pareto(losses, exceedances=150)
    assert (fit.exceedances, fit.observations) == (150, 3000)
    assert fit.threshold == np.sort(losses)[-151]
    assert fit == tails.pareto(losses[::-1].copy(), threshold=fit.threshold)
    assert fit.tail("0.95").var == pytest.approx(fit.threshold, rel=1e-9)


@pytest.mark.parametrize(
    "measure", ["inverted_cdf", "averaged_inverted_cdf", "interpolated_inverted_cdf", "hazen", "es_acerbi"]
)
def test_equal_weights_are_none(measure: str) -> None:
    chance = np.random.default_rng(7)
    for n in (4, 10, 101, 500):
        losses = np.round(chance.normal(size=n), 2)  # with ties
        for confidence in LEVELS[:-1]:
            found = tails.measure(losses, measure, confidence, weights=np.full(n, 2.5))
            assert found == pytest.approx(mc.methods.hvar.measure(losses, measure, confidence), rel=1e-9, abs=1e-12)


def test_weights_are_copies() -> None:
    """A loss of weight three is three losses; a loss of weight zero is none."""
    losses, weights = [5.0, 1.0, 3.0, 9.0], [1.0, 3.0, 2.0, 0.0]
    long = np.array([5.0, 1.0, 1.0, 1.0, 3.0, 3.0])
    for measure in ("inverted_cdf", "averaged_inverted_cdf", "es_acerbi"):
        for confidence in ("0.3", "0.5", "0.6", "0.9"):
            assert tails.weighted(losses, weights, measure, confidence) == pytest.approx(
                tails.measure(long, measure, confidence), rel=1e-12
            )


def test_age_weights_are_the_rulebook_s() -> None:
    losses = np.random.default_rng(2).normal(size=300)
    weights = 0.99 ** np.arange(299, -1, -1)
    own = tails.measure(losses, "es_weighted", "0.975", age_decay=0.99)
    assert tails.weighted(losses, weights, "es_acerbi", "0.975") == pytest.approx(own, rel=1e-9)


def test_hazen_is_the_interpolation_of_boudoukh_and_others() -> None:
    """Half of a loss's weight lies on either side: the 95 % loss between the third and second worst, by hand."""
    losses, weights = [10.0, 8.0, 6.0, 0.0], [0.02, 0.02, 0.04, 0.92]
    # Middles from the worst: 0.01, 0.03, 0.06; 0.05 lies two thirds of the way from 8 to 6.
    assert tails.weighted(losses, weights, "hazen", "0.95") == pytest.approx(8.0 - 2.0 * 2.0 / 3.0)


def test_one_grammar() -> None:
    losses = np.random.default_rng(1).standard_t(5, 1500)
    wide = float(losses.std())
    assert tails.measure(losses, "normal", "0.99") == pytest.approx(tails.normal("0.99", deviation=wide).var, rel=1e-9)
    assert tails.measure(losses, "es_normal", "0.99") == tails.normal("0.99", deviation=wide).es
    own = tails.student_t("0.99", 5, spread="deviation", size=wide)
    assert tails.measure(losses, "student_t", "0.99", degrees=5) == own.var
    fit = tails.pareto(losses, exceedances=75).tail("0.99")
    assert tails.measure(losses, "es_pareto", "0.99", exceedances=75) == fit.es
    centred = (losses - losses.mean()) / wide
    bent = tails.cornish_fisher(
        "0.99", stats.skew(losses), stats.kurtosis(losses), moments="matched", mean=losses.mean(), deviation=wide
    )
    assert centred.size == 1500
    assert tails.measure(losses, "cornish_fisher", "0.99", moments="matched") == pytest.approx(bent.var, rel=1e-9)


TEN = list(range(1, 31))
MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: tails.normal("1.5"), mc.InvalidInput, "between 0 and 1"),
    (lambda: tails.normal("0.99", deviation=-1.0), mc.InvalidInput, "from 0"),
    (lambda: tails.student_t("0.99", 2.0, spread="deviation"), mc.InvalidInput, "more than two"),
    (lambda: tails.student_t("0.99", 0.0, spread="scale"), mc.InvalidInput, "above 0"),
    (lambda: tails.student_t("0.99", 5, spread="variance"), mc.InvalidInput, "one of deviation, scale"),  # type: ignore[arg-type]
    (lambda: tails.cornish_fisher("0.99", 1.0, 0.0, moments="parameters"), mc.NotApplicable, "outside the domain"),
    (lambda: tails.cornish_fisher("0.99", 0.0, 80.0, moments="matched"), mc.NotApplicable, "no Cornish-Fisher"),
    (lambda: tails.cornish_fisher("0.99", 0.0, -0.5, moments="matched"), mc.NotApplicable, "no Cornish-Fisher"),
    (lambda: tails.cornish_fisher("0.99", 0.0, 1.0, moments="both"), mc.InvalidInput, "one of parameters, matched"),  # type: ignore[arg-type]
    (lambda: tails.pareto(TEN), mc.InvalidInput, "one of threshold and exceedances"),
    (lambda: tails.pareto(TEN, threshold=25.0), mc.InvalidInput, "at least ten"),
    (lambda: tails.pareto(TEN, exceedances=30), mc.InvalidInput, "below 30"),
    (lambda: tails.pareto([0.0] * 20 + [1.0] * 15, threshold=0.5), mc.CalculationError, "end too sharply"),
    (lambda: tails.ParetoTail(1.0, 0.1, 1.0, 10, 100).tail("0.5"), mc.NotApplicable, "below the threshold's own"),
    (lambda: tails.weighted(TEN, [1.0], "hazen", "0.9"), mc.InvalidInput, "one weight for each"),
    (lambda: tails.weighted([1.0, 2.0], [1.0, -1.0], "hazen", "0.9"), mc.InvalidInput, "not all zero"),
    (lambda: tails.weighted([1.0, 2.0], [0.0, 0.0], "hazen", "0.9"), mc.InvalidInput, "not all zero"),
    (lambda: tails.weighted([1.0, 2.0], [1.0, 1.0], "linear", "0.9"), mc.NotApplicable, "not defined with weights"),
    (lambda: tails.measure(TEN, "student_t", "0.9"), mc.InvalidInput, "needs it"),
    (lambda: tails.measure(TEN, "student_t", "0.9", nu=4), mc.InvalidInput, "takes degrees"),
    (lambda: tails.measure(TEN, "hazen", "0.9", weights=TEN, degrees=4), mc.InvalidInput, "takes no options"),
    (lambda: tails.measure([1.0] * 9, "cornish_fisher", "0.9", moments="matched"), mc.InvalidInput, "that differ"),
    (lambda: tails.measure(np.r_[np.arange(50.0), 10.0 ** np.arange(2, 20)], "es_pareto", "0.99", exceedances=20),
     mc.CalculationError, "no mean beyond"),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "error", "why"), MISTAKES)
def test_mistakes_are_refused_by_name(mistake: Callable[[], Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        mistake()
