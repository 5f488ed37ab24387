"""Times between breaches, dynamic quantiles and expected shortfall: printed values, other libraries, size under H0."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import margincore as mc
from margincore import backtest as bt
from margincore.analysis.backtest.chances import chi2_tail


def test_times_as_printed() -> None:
    """MathWorks, Risk Management Toolbox, pages of varbacktest.tuff, tbfi and tbf: 57 breaches of 1,043."""
    first = bt.kupiec_tuff(58, 0.05)
    assert (round(first.statistic, 4), round(first.p_value, 5)) == (1.7354, 0.18773)
    assert round(chi2_tail(88.491, 57), 7) == pytest.approx(0.0047475, abs=2e-7)
    assert round(bt.kupiec(1043, 57, 0.05).statistic + 88.491, 3) == 88.952
    assert chi2_tail(88.952, 58) == pytest.approx(0.0055565, abs=5e-7)
    assert bt.kupiec_tuff(1, 0.05).statistic == pytest.approx(-2.0 * math.log(0.05))


def test_kupiec_s_range_of_the_first_failure() -> None:
    """Kupiec (1995): at one per cent a first breach from the 7th to the 438th date is not rejected at 5 %."""
    held = [n for n in range(1, 600) if bt.kupiec_tuff(n, 0.01).p_value >= 0.05]
    assert (held[0], held[-1]) == (7, 438)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 10, 57, 58, 200])
def test_chi_squared_against_scipy(degrees: int) -> None:
    at = np.concatenate([[0.0, 1e-9], np.linspace(0.1, 4.0, 9) * degrees, [40.0 + degrees * 5.0]])
    found = [chi2_tail(float(x), degrees) for x in at]
    assert np.allclose(found, stats.chi2.sf(at, degrees), rtol=1e-10, atol=0.0)


def test_sums_over_the_breaches() -> None:
    breached = np.zeros(400, dtype=bool)
    breached[[11, 12, 150, 300, 399]] = True
    waits = bt.gaps(breached)
    assert waits == (12, 1, 138, 150, 99)
    alone = bt.haas_independence(waits, 0.01)
    mixed = bt.haas(400, waits, 0.01)
    assert alone is not None
    assert mixed is not None
    assert alone.statistic == pytest.approx(math.fsum(bt.kupiec_tuff(n, 0.01).statistic for n in waits), rel=1e-14)
    assert alone.p_value == pytest.approx(stats.chi2.sf(alone.statistic, 5), rel=1e-12)
    assert mixed.statistic == pytest.approx(alone.statistic + bt.kupiec(400, 5, 0.01).statistic, rel=1e-14)
    assert bt.gaps(np.zeros(5, dtype=bool)) == ()
    assert bt.haas_independence((), 0.01) is None
    assert bt.haas(400, (), 0.01) is None


def _by_scipy(breached: np.ndarray[Any, Any]) -> tuple[float, float]:
    """The statistic and the shape by scipy's own censored fit; the first and the last time are cut off."""
    at = np.flatnonzero(breached)
    cut = [at[0] + 1] if at[0] > 0 else []
    cut += [breached.size - 1 - at[-1]] if at[-1] < breached.size - 1 else []
    data = stats.CensoredData(uncensored=np.diff(at).astype(float), right=np.array(cut, dtype=float))
    shape, _, scale = stats.weibull_min.fit(data, floc=0.0)
    _, plain = stats.expon.fit(data, floc=0.0)

    def total(shape: float, scale: float) -> float:
        return float(
            stats.weibull_min.logpdf(np.diff(at), shape, scale=scale).sum()
            + stats.weibull_min.logsf(np.array(cut, dtype=float), shape, scale=scale).sum()
        )

    return 2.0 * (total(shape, scale) - total(1.0, plain)), shape


@pytest.mark.parametrize("seed", range(6))
def test_weibull_against_scipy(seed: int) -> None:
    chance = np.random.default_rng(seed)
    breached = chance.random(800) < np.where(np.arange(800) % 200 < 60, 0.08, 0.02)
    breached[0], breached[-1] = seed % 2 == 0, seed % 3 == 0
    found = bt.christoffersen_pelletier(breached)
    assert found is not None
    statistic, shape = _by_scipy(breached)
    assert found.statistic == pytest.approx(statistic, abs=2e-4)
    assert found.shape == pytest.approx(shape, rel=2e-3)
    both = bt.christoffersen_pelletier(breached, 0.05)
    assert both is not None
    assert both.statistic >= found.statistic


def test_nothing_to_fit() -> None:
    once = np.zeros(100, dtype=bool)
    once[40] = True
    assert bt.christoffersen_pelletier(once) is None
    assert bt.christoffersen_pelletier(np.zeros(100, dtype=bool)) is None
    regular = np.arange(100) % 10 == 9
    assert bt.christoffersen_pelletier(regular) is None
    regular[19] = False
    found = bt.christoffersen_pelletier(regular)
    assert found is not None
    assert found.shape > 3.0


def _regression(margins: np.ndarray[Any, Any], losses: np.ndarray[Any, Any], p: float, lags: int) -> float:
    """The textbook form: Hit' X (X'X)^-1 X' Hit / (p (1 - p)), row by row."""
    hit = [float(x > m) - p for m, x in zip(margins, losses, strict=True)]
    rows = [[1.0, *(hit[t - k] for k in range(1, lags + 1)), margins[t]] for t in range(lags, len(hit))]
    x, y = np.array(rows), np.array(hit[lags:])
    return float(y @ x @ np.linalg.inv(x.T @ x) @ x.T @ y / (p * (1 - p)))


@pytest.mark.parametrize("lags", [0, 1, 4])
def test_dynamic_quantile_by_the_book(lags: int) -> None:
    chance = np.random.default_rng(lags)
    margins = 1.6 + 0.3 * chance.random(700)
    losses = chance.normal(size=700)
    found = bt.dynamic_quantile(margins, losses, 0.05, lags=lags)
    assert found.statistic == pytest.approx(_regression(margins, losses, 0.05, lags), rel=1e-9)
    assert found.degrees == lags + 2
    # The unit of money is no matter.
    scaled = bt.dynamic_quantile(1e7 * margins, 1e7 * losses, 0.05, lags=lags)
    assert scaled.statistic == pytest.approx(found.statistic, rel=1e-9)


def test_size_where_the_model_is_right() -> None:
    """Independent losses at their own quantile: about one in twenty is rejected at 5 %."""
    chance = np.random.default_rng(20)
    rejected = np.zeros(4)
    for _ in range(400):
        losses = chance.normal(size=1000)
        margins = np.full(1000, 1.6448536) * (1.0 + 1e-9 * chance.random(1000))
        hit = bt.breaches(margins, losses)
        weibull = bt.christoffersen_pelletier(hit)
        assert weibull is not None
        waits = bt.gaps(hit)
        haas = bt.haas(1000, waits, 0.05)
        assert haas is not None
        rejected += [
            weibull.p_value < 0.05,
            bt.dynamic_quantile(margins, losses, 0.05, margin=False).p_value < 0.05,
            bt.kupiec_tuff(waits[0], 0.05).p_value < 0.05,
            haas.p_value < 0.05,
        ]
    assert ((rejected / 400 > 0.015) & (rejected / 400 < 0.10))[:3].all(), rejected
    # The likelihood ratio of one waiting time is larger than chi-squared, and it adds up: a known fault of the test.
    assert 0.05 < rejected[3] / 400 < 0.45


def test_clusters_are_found() -> None:
    chance = np.random.default_rng(4)
    sigma = np.where(np.arange(1000) % 250 < 50, 2.5, 0.7)
    losses = sigma * chance.normal(size=1000)
    margins = np.full(1000, float(np.quantile(losses, 0.95)))
    found = bt.report(margins, losses, 0.05)
    assert found.durations is not None
    assert found.durations.p_value < 1e-6
    assert found.durations.shape < 1.0
    assert found.dynamic_quantile is not None
    assert found.dynamic_quantile.p_value < 1e-6
    assert found.between_failures is not None
    assert found.between_failures.p_value < 1e-6
    assert found.kupiec.p_value > 0.5


def test_z1_and_z2_say_the_same_of_the_breaches() -> None:
    """Acerbi and Szekely, the relation of their first two statistics: Z2 = (1 + Z1) N / (T (1 - a)) - 1."""
    chance = np.random.default_rng(8)
    losses = 1.3 * chance.normal(size=500)
    var, es = np.full(500, 1.96), np.full(500, 2.338)
    first, second = bt.es_z1(losses, var, es), bt.es_z2(losses, var, es, 0.975)
    count = int((losses > var).sum())
    assert first is not None
    assert second.statistic == pytest.approx((1.0 + first.statistic) * count / 12.5 - 1.0, rel=1e-12)
    assert bt.es_z1([1.0], [2.0], [3.0]) is None


def test_z2_s_critical_level() -> None:
    """Acerbi and Szekely: 0.70 at 5 % for 250 dates at 97.5 %, whatever the tail up to some t of four."""
    chance = np.random.default_rng(1)
    for draws, dist in (
        (chance.normal(size=(6000, 250)), stats.norm()),
        (chance.standard_t(10, (6000, 250)), stats.t(10)),
    ):
        var = float(dist.ppf(0.975))
        es = float(dist.expect(lambda x: x, lb=var) / 0.025)
        found = [bt.es_z2(row, np.full(250, var), np.full(250, es), 0.975).statistic for row in draws]
        assert np.quantile(found, 0.95) == pytest.approx(0.70, abs=0.06)


def test_what_z3_expects() -> None:
    """The exact expectation of the mean of the worst against 40,000 drawn histories."""
    from margincore.analysis.backtest.shortfall import _weights

    chance = np.random.default_rng(2)
    scenarios = -np.sort(-chance.standard_t(4, 300))
    weights = _weights(200, 300, 5)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert (weights >= 0.0).all()
    drawn = scenarios[np.sort(chance.integers(0, 300, (40_000, 200)), axis=1)[:, :5]].mean(axis=1)
    assert weights @ scenarios == pytest.approx(drawn.mean(), abs=4.0 * drawn.std() / 200.0)


def test_z3_by_the_book() -> None:
    """One model for all dates: the mean of the worst losses over what is expected of it."""
    chance = np.random.default_rng(5)
    model = chance.normal(size=500)
    losses = chance.choice(model, 250)
    found = bt.es_z3(losses, np.tile(model, (250, 1)), 0.975)
    worst = np.sort(losses)[-6:].mean()
    expected = np.mean([np.sort(chance.choice(model, 250))[-6:].mean() for _ in range(8000)])
    assert found.statistic == pytest.approx(worst / expected - 1.0, abs=5e-3)
    assert found.p_value is None


def test_shortfall_tests_hold_their_size() -> None:
    chance = np.random.default_rng(6)
    rejected = np.zeros(2)
    model = chance.normal(size=(250, 1000))
    var, es = np.full(250, 1.96), np.full(250, 2.338)
    for seed in range(60):
        losses = chance.normal(size=250)
        first = bt.es_z1(losses, var, es, scenarios=model, draws=99, seed=seed)
        third = bt.es_z3(losses, model, "0.975", draws=99, seed=seed)
        assert first is None or first.p_value is not None
        assert third.p_value is not None
        rejected += [first is not None and (first.p_value or 1.0) <= 0.1, third.p_value <= 0.1]
    assert (rejected <= 14).all(), rejected
    assert (rejected >= 1).all(), rejected


def test_basel_s_multipliers() -> None:
    """MAR32.9, table 1: 1.5 and add-ons of 0.20, 0.26, 0.33, 0.38, 0.42, 0.50."""
    added = [round(bt.multiplier(x) - 1.5, 2) for x in range(12)]
    assert added == [0.0] * 5 + [0.20, 0.26, 0.33, 0.38, 0.42, 0.50, 0.50]
    assert [bt.multiplier(x, basel="1996") for x in range(12)] == [3.0 + bt.plus_factor(x) for x in range(12)]


def test_pairs_where_the_day_before_is_known() -> None:
    """Jorion, Value at Risk (3rd ed., ch. 6), J.P. Morgan 1998: 3.91, 9.53 and 13.44 of 252 days and 252 pairs."""
    pairs = bt.Transitions(218, 14, 14, 6)
    both = bt.conditional_coverage(252, 20, 0.05, pairs)
    assert both is not None
    assert round(both.statistic, 2) == 13.44
    # Three series together leave out three dates.
    assert bt.conditional_coverage(255, 22, 0.05, pairs) is not None


YES, NO = [True, False, True], [False] * 3
MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: bt.kupiec_tuff(0, 0.01), "from 1 is needed"),
    (lambda: bt.kupiec_tuff(2.5, 0.01), "whole number of dates"),  # type: ignore[arg-type]
    (lambda: bt.kupiec_tuff(5, 0.99), "promised rate"),
    (lambda: bt.gaps([0.0, 1.0]), "True and False"),
    (lambda: bt.haas(10, [5, 6], 0.01), "no longer than these"),
    (lambda: bt.haas_independence(5, 0.01), "a list is needed"),  # type: ignore[arg-type]
    (lambda: bt.christoffersen_pelletier([1.0, 0.0]), "True and False"),
    (lambda: bt.christoffersen_pelletier(YES, 0.95), "promised rate"),
    (lambda: bt.dynamic_quantile([1.0] * 9, [1.0] * 9, 0.05), "more than 10 dates"),
    (lambda: bt.dynamic_quantile([1.0] * 99, [1.0] * 99, 0.05, lags=-1), "from 0 is needed"),
    (lambda: bt.dynamic_quantile([1.0] * 99, [1.0] * 98, 0.05), "one loss for each margin"),
    (lambda: bt.es_z1([1.0], [1.0], [0.0]), "positive es"),
    (lambda: bt.es_z2([1.0], [1.0], [1.0], 0.01), "0.99 is 99 %"),
    (lambda: bt.es_z1([2.0], [1.0], [1.0], scenarios=[[1.0], [2.0]], draws=9), "one row a date"),
    (lambda: bt.es_z1([2.0], [1.0], [1.0], scenarios=[[1.0]], draws=-1), "whole number of histories"),
    (lambda: bt.es_z3([1.0] * 9, np.ones((9, 4)), "0.9"), "no whole one"),
    (lambda: bt.es_z3([1.0] * 10, -np.ones((10, 4)), "0.9"), "whose tail loses"),
    (lambda: bt.es_z3([1.0] * 10, np.ones((10, 0)), "0.9"), "one row a date"),
    (lambda: bt.multiplier(-1), "whole count"),
    (lambda: bt.multiplier(3, basel="2016"), "one of 2019, 1996"),  # type: ignore[arg-type]
    (lambda: bt.conditional_coverage(252, 21, 0.05, bt.Transitions(218, 14, 14, 6)), "are not of 21 breaches"),
    (lambda: bt.conditional_coverage(251, 20, 0.05, bt.Transitions(218, 14, 14, 6)), "are not of 20 breaches"),
]


@pytest.mark.parametrize(("mistake", "why"), MISTAKES)
def test_mistakes_are_refused_by_name(mistake: Callable[[], Any], why: str) -> None:
    with pytest.raises(mc.InvalidInput, match=why):
        mistake()
