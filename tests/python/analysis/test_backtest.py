"""Backtests: published statistics retyped from their sources, one call for all of them, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore import backtest as bt


def test_kupiec_and_christoffersen_as_printed() -> None:
    """MathWorks, Risk Management Toolbox, pages of varbacktest.pof, cci and cc."""
    assert [round(x, 5) for x in vars(bt.kupiec(1043, 57, 0.05)).values()] == [0.46147, 0.49694]
    second = bt.kupiec(1043, 17, 0.01)
    assert (round(second.statistic, 4), round(second.p_value, 6)) == (3.5118, 0.060933)
    pairs = bt.Transitions(932, 53, 53, 4)
    independence, both = bt.christoffersen(pairs), bt.conditional_coverage(1043, 57, 0.05, pairs)
    assert independence is not None
    assert both is not None
    assert (round(independence.statistic, 5), round(independence.p_value, 5)) == (0.25866, 0.61104)
    assert (round(both.statistic, 5), round(both.p_value, 5)) == (0.72013, 0.69763)
    light = bt.traffic_light(1043, 57, 0.05)
    assert (round(light.cumulative, 5), round(light.type_one, 5), light.zone) == (0.77913, 0.26396, "green")


@pytest.mark.parametrize(("observations", "least", "most"), [(255, 1, 6), (510, 2, 10), (1000, 5, 16)])
def test_kupiec_s_table_of_what_is_not_rejected(observations: int, least: int, most: int) -> None:
    """Kupiec (1995), at one per cent and 95 % confidence; by the exact ratio no breach of 255 is rejected too."""
    assert bt.kupiec_range(observations, 0.01) == (least, most)


def test_basel_s_table() -> None:
    """Basel Committee, Supervisory framework for backtesting (January 1996), table 2."""
    printed = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.60, 99.89, 99.97, 99.99]
    found = [bt.traffic_light(250, x, 0.01) for x in range(11)]
    assert [round(100.0 * light.cumulative, 2) for light in found] == printed
    assert [light.zone for light in found] == ["green"] * 5 + ["yellow"] * 5 + ["red"]
    assert [bt.plus_factor(x) for x in range(11)] == [0.0] * 5 + [0.40, 0.50, 0.65, 0.75, 0.85, 1.0]


def test_limits_of_the_statistics() -> None:
    assert bt.kupiec(250, 0, 0.01).statistic == pytest.approx(-500.0 * math.log(0.99))
    assert bt.kupiec(10, 10, 0.01).statistic == pytest.approx(-20.0 * math.log(0.01))
    assert bt.christoffersen(bt.Transitions(99, 0, 0, 0)) is None
    alone = bt.christoffersen(bt.Transitions(n00=97, n01=1, n10=1, n11=0))
    assert alone is not None
    assert math.isfinite(alone.statistic)


def test_one_call_gives_every_statistic() -> None:
    chance = np.random.default_rng(5)
    margins, losses = 2.3 + 0.1 * chance.random(500), chance.normal(size=500)
    found = bt.report(margins, losses, 0.01)
    assert found.coverage == bt.coverage(margins, losses)
    assert found.kupiec == bt.kupiec(500, found.coverage.breaches, 0.01)
    assert found.transitions == bt.transitions(bt.breaches(margins, losses))
    assert found.independence == bt.christoffersen(found.transitions)
    assert found.traffic_light == bt.traffic_light(500, found.coverage.breaches, 0.01)
    cost = found.procyclicality
    assert (cost.mean, cost.max, cost.min) == (margins.mean(), margins.max(), margins.min())
    assert cost.max_20d == max(margins[k + 20] / margins[k] for k in range(480))
    assert cost.peak_to_trough == max(margins[k] / margins[: k + 1].min() for k in range(500))


def test_a_breached_margin_of_zero_has_no_ratio() -> None:
    found = bt.coverage([0.0, 1.0], [1.0, 0.5])
    assert (found.breaches, found.max_shortfall, found.max_loss_to_margin) == (1, 1.0, None)


def test_accounts_together() -> None:
    quiet = bt.account_coverage({"A": ([1.0], [0.5])})
    assert (quiet.coverage, quiet.largest_account, quiet.average_exception) == (1.0, None, None)
    found = bt.account_coverage({"A": ([1.0, 1.0, 1.0], [1.5, 2.0, 0.0]), "B": ([5.0], [7.0])})
    assert found == bt.AccountCoverage(4, 3, 0.25, 2.0, "B", pytest.approx(3.5 / 3))


NAN = math.nan
MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: bt.coverage([1.0, NAN], [1.0, 2.0]), "with nan"),
    (lambda: bt.coverage(["x"], [1.0]), "numbers are needed"),
    (lambda: bt.coverage([1.0], [1.0, 2.0]), "one loss for each margin"),
    (lambda: bt.kupiec(250, 3, 99), "whole counts are needed"),
    (lambda: bt.kupiec(250.5, 3, 0.01), "whole counts are needed"),  # type: ignore[arg-type]
    (lambda: bt.traffic_light(250, 300, 0.01), "whole counts are needed"),
    (lambda: bt.christoffersen(bt.Transitions(-1, 2, 3, 4)), "cannot be negative"),
    (lambda: bt.conditional_coverage(10, 1, 0.01, bt.Transitions(50, 1, 1, 0)), "fewer pairs"),
    (lambda: bt.transitions([0.5, NAN]), "True and False"),
    (lambda: bt.plus_factor(-1), "-1 breaches"),
    (lambda: bt.peak_to_trough([0.0, 1.0]), "positive amounts"),
    (lambda: bt.peak_to_trough([]), "positive amounts"),
    (lambda: bt.max_to_min([0.0, 1.0]), "positive amounts"),
    (lambda: bt.max_ratio([1.0, 2.0], 2), "fewer days than margins"),
    (lambda: bt.procyclicality([1.0] * 20), "20 days among 20 margins"),
    (lambda: bt.buffer([100.0], NAN), "release is nan"),
    (lambda: bt.buffer([100.0], 110.0, rate=-0.25), "rate is -0.25"),
    (lambda: bt.stress_weight([100.0], [260.0], weight=25), "weight is 25"),
    (lambda: bt.stress_weight([1.0, 2.0, 3.0], [2.0, 1.0]), "one stressed margin for each margin"),
    (lambda: bt.long_run_floor([1.0, 2.0, 3.0], [2.0, 1.0]), "one ten-year margin for each margin"),
    (lambda: bt.cap([100.0], NAN), "amount is nan"),
    (lambda: bt.speed_limit([100.0, 2.0], -1.0), "limit is -1"),
    (lambda: bt.account_coverage({}), "no accounts"),
]


@pytest.mark.parametrize(("mistake", "why"), MISTAKES)
def test_mistakes_are_refused_by_name(mistake: Callable[[], Any], why: str) -> None:
    with pytest.raises(mc.InvalidInput, match=why):
        mistake()
