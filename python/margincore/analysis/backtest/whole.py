"""Every statistic of margins against the losses that followed, in one call."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.analysis.backtest.covered import Coverage, coverage
from margincore.analysis.backtest.cycles import Procyclicality, procyclicality
from margincore.analysis.backtest.durations import (
    WeibullDurations,
    christoffersen_pelletier,
    gaps,
    haas,
    haas_independence,
    kupiec_tuff,
)
from margincore.analysis.backtest.frequency import LikelihoodRatio, TrafficLight, kupiec, traffic_light
from margincore.analysis.backtest.independence import (
    Transitions,
    breaches,
    christoffersen,
    conditional_coverage,
    transitions,
)
from margincore.analysis.backtest.quantiles import DynamicQuantile, dynamic_quantile

__all__ = ["Backtest", "report"]


@dataclass(frozen=True)
class Backtest(Record):
    """Every statistic of margins against the losses that followed: coverage and cost show the trade-off together.

    ``None`` stands where a test has nothing to read, as its function says.
    """

    coverage: Coverage
    kupiec: LikelihoodRatio
    transitions: Transitions
    independence: LikelihoodRatio | None
    conditional_coverage: LikelihoodRatio | None
    traffic_light: TrafficLight
    procyclicality: Procyclicality
    first_failure: LikelihoodRatio | None = None
    between_failures: LikelihoodRatio | None = None
    mixed: LikelihoodRatio | None = None
    durations: WeibullDurations | None = None
    dynamic_quantile: DynamicQuantile | None = None


def report(margins: ArrayLike, losses: ArrayLike, p: float) -> Backtest:
    """All at once; `p` is the promised rate of breaches, 0.01 for a confidence of 99 %.

    Raises :class:`InvalidInput` for a `p` above 0.5: that is the confidence, not the rate of breaches.

    A high ``kupiec.p_value`` says that the number of breaches fits, nothing about their clustering: that is
    ``independence``, one day after another, and ``durations`` and ``between_failures`` over any time.

    >>> found = report([2.0] * 99 + [3.0], [1.0] * 98 + [2.5, 1.0], 0.01)
    >>> found.coverage.breaches, round(found.kupiec.p_value, 3), found.traffic_light.zone, found.procyclicality.max_1d
    (1, 1.0, 'green', 1.5)
    """
    if p > 0.5:
        raise InvalidInput(f"p is {p}: it is the rate of breaches, 0.01 for a confidence of 99 %", code="out_of_range")
    hit = breaches(margins, losses)
    cover = coverage(margins, losses)
    pairs = transitions(hit)
    n, x = cover.observations, cover.breaches
    waits = gaps(hit)
    return Backtest(
        coverage=cover,
        kupiec=kupiec(n, x, p),
        transitions=pairs,
        independence=christoffersen(pairs),
        conditional_coverage=conditional_coverage(n, x, p, pairs),
        traffic_light=traffic_light(n, x, p),
        procyclicality=procyclicality(margins),
        first_failure=kupiec_tuff(waits[0], p) if waits else None,
        between_failures=haas_independence(waits, p),
        mixed=haas(n, waits, p),
        durations=christoffersen_pelletier(hit),
        dynamic_quantile=dynamic_quantile(margins, losses, p),
    )
