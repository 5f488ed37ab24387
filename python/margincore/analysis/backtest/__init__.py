"""Does the margin cover? Statistics of margins against the losses that followed, and anti-procyclicality tools.

Arrays in, numbers out; a loss and a margin are positive amounts, one per date, ``margin[i]`` known before
``loss[i]`` happened. NumPy only: the tails that the tests need have closed forms.

What each test asks, and what it cannot see:

- :func:`kupiec`, :func:`traffic_light`: the number of breaches. Not when they came.
- :func:`kupiec_tuff`: the date of the first one, nothing else.
- :func:`christoffersen`, :func:`conditional_coverage`: a breach right after a breach. Not two days after.
- :func:`haas_independence`, :func:`haas`, :func:`christoffersen_pelletier`: the times between breaches.
- :func:`dynamic_quantile`: whether breaches are foretold by earlier ones or by the margin itself.
- :func:`es_z1`, :func:`es_z2`, :func:`es_z3`: how large the losses beyond VaR are, against expected shortfall.
- :func:`plus_factor`, :func:`multiplier`: what Basel makes of a count.
"""

from margincore.analysis.backtest.covered import AccountCoverage, Coverage, account_coverage, coverage
from margincore.analysis.backtest.cycles import Procyclicality, max_ratio, max_to_min, peak_to_trough, procyclicality
from margincore.analysis.backtest.durations import (
    WeibullDurations,
    christoffersen_pelletier,
    gaps,
    haas,
    haas_independence,
    kupiec_tuff,
)
from margincore.analysis.backtest.frequency import (
    LikelihoodRatio,
    TrafficLight,
    kupiec,
    kupiec_range,
    multiplier,
    plus_factor,
    traffic_light,
    zone_starts,
)
from margincore.analysis.backtest.independence import (
    Transitions,
    breaches,
    christoffersen,
    conditional_coverage,
    transitions,
)
from margincore.analysis.backtest.quantiles import DynamicQuantile, dynamic_quantile
from margincore.analysis.backtest.shortfall import Z1, Z2, Z3, es_z1, es_z2, es_z3
from margincore.analysis.backtest.smoothing import buffer, cap, long_run_floor, speed_limit, stress_weight
from margincore.analysis.backtest.whole import Backtest, report

__all__ = [
    "Z1",
    "Z2",
    "Z3",
    "AccountCoverage",
    "Backtest",
    "Coverage",
    "DynamicQuantile",
    "LikelihoodRatio",
    "Procyclicality",
    "TrafficLight",
    "Transitions",
    "WeibullDurations",
    "account_coverage",
    "breaches",
    "buffer",
    "cap",
    "christoffersen",
    "christoffersen_pelletier",
    "conditional_coverage",
    "coverage",
    "dynamic_quantile",
    "es_z1",
    "es_z2",
    "es_z3",
    "gaps",
    "haas",
    "haas_independence",
    "kupiec",
    "kupiec_range",
    "kupiec_tuff",
    "long_run_floor",
    "max_ratio",
    "max_to_min",
    "multiplier",
    "peak_to_trough",
    "plus_factor",
    "procyclicality",
    "report",
    "speed_limit",
    "stress_weight",
    "traffic_light",
    "transitions",
    "zone_starts",
]
