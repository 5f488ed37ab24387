"""How many breaches: Kupiec's proportion of failures, Basel's zones and multipliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.backtest.chances import binomial_cdf, chi2_tail, times_log
from margincore.analysis.backtest.columns import counts

__all__ = [
    "LikelihoodRatio",
    "TrafficLight",
    "kupiec",
    "kupiec_range",
    "multiplier",
    "plus_factor",
    "traffic_light",
    "zone_starts",
]


@dataclass(frozen=True)
class LikelihoodRatio(Record):
    """A likelihood ratio and the probability of a larger one where the margin is right."""

    statistic: float
    p_value: float


def kupiec(observations: int, failures: int, p: float) -> LikelihoodRatio:
    """Kupiec's proportion of failures (1995): are there as many breaches as the confidence promises?

    `p` is the promised rate of breaches. Without breaches, and with breaches only, the statistic is the limit.

    >>> test = kupiec(1043, 57, 0.05)
    >>> round(test.statistic, 5), round(test.p_value, 5)
    (0.46147, 0.49694)
    """
    counts(observations, failures, p)
    held, rate = observations - failures, failures / observations
    promised = times_log(held, 1.0 - p) + times_log(failures, p)
    found = times_log(held, 1.0 - rate) + times_log(failures, rate)
    statistic = -2.0 * (promised - found)
    return LikelihoodRatio(statistic, chi2_tail(statistic, 1))


def kupiec_range(observations: int, p: float, *, significance: float = 0.05) -> tuple[int, int]:
    """The fewest and the most breaches that :func:`kupiec` does not reject.

    >>> kupiec_range(255, 0.01), kupiec_range(1000, 0.01)
    ((1, 6), (5, 16))
    """
    accepted = [x for x in range(observations + 1) if kupiec(observations, x, p).p_value >= significance]
    if not accepted:
        raise InvalidInput(f"{observations} observations at p = {p}: every count is rejected")
    return accepted[0], accepted[-1]


@dataclass(frozen=True)
class TrafficLight(Record):
    """Basel's zones (1996): probabilities of at most (``cumulative``) and at least (``type_one``) as many breaches."""

    cumulative: float
    type_one: float
    zone: Literal["green", "yellow", "red"]


def traffic_light(observations: int, failures: int, p: float) -> TrafficLight:
    """Green below 95 % of the binomial distribution, yellow below 99.99 %, else red.

    >>> traffic_light(250, 4, 0.01).zone, traffic_light(250, 5, 0.01).zone, traffic_light(250, 10, 0.01).zone
    ('green', 'yellow', 'red')
    """
    counts(observations, failures, p)
    cumulative = binomial_cdf(failures, observations, p)
    zone: Literal["green", "yellow", "red"] = (
        "green" if cumulative < 0.95 else "yellow" if cumulative < 0.9999 else "red"
    )
    return TrafficLight(cumulative, 1.0 - binomial_cdf(failures - 1, observations, p), zone)


def zone_starts(observations: int, p: float) -> tuple[int, int]:
    """The fewest breaches in the yellow and in the red zone.

    >>> zone_starts(250, 0.01), zone_starts(750, 0.005)
    ((5, 10), (7, 13))
    """
    zones = [traffic_light(observations, x, p).zone for x in range(observations + 1)]
    return zones.index("yellow"), zones.index("red")


def plus_factor(failures: int) -> float:
    """What Basel adds to the multiplier for so many breaches in 250 days at 99 %.

    >>> [plus_factor(x) for x in (4, 5, 7, 12)]
    [0.0, 0.4, 0.65, 1.0]
    """
    # Basel Committee, Supervisory framework for backtesting (January 1996), table 2.
    return _by_zone(failures, (0.40, 0.50, 0.65, 0.75, 0.85), 0.0, 1.0)


#: What each edition multiplies with up to four breaches, from five to nine, and from ten, at 99 % over 250 days.
_MULTIPLIERS = {
    # MAR32.9, table 1 (January 2019, in force since January 2023): 1.5 and an add-on of 0.20 to 0.50.
    "2019": ((1.70, 1.76, 1.83, 1.88, 1.92), 1.50, 2.00),
    # Amendment to the capital accord (January 1996): 3 and the plus factor.
    "1996": ((3.40, 3.50, 3.65, 3.75, 3.85), 3.0, 4.0),
}


def multiplier(failures: int, *, basel: Literal["2019", "1996"] = "2019") -> float:
    """What Basel multiplies a bank's modelled requirement with, for so many breaches in 250 days at 99 %.

    `basel` is the edition: that of 2019 (MAR32.9 and MAR99) starts at 1.5, that of 1996 at 3 and adds
    :func:`plus_factor`. Raises :class:`InvalidInput` for what is no count of breaches, and for another edition.

    >>> [multiplier(x) for x in (0, 4, 5, 6, 7, 8, 9, 10)]
    [1.5, 1.5, 1.7, 1.76, 1.83, 1.88, 1.92, 2.0]
    >>> multiplier(5, basel="1996")
    3.4
    """
    yellow, least, most = _MULTIPLIERS[given.name("basel", basel, _MULTIPLIERS)]
    return _by_zone(failures, yellow, least, most)


def _by_zone(failures: int, yellow: tuple[float, ...], green: float, red: float) -> float:
    """The number of a count of breaches: one for the green zone, one for each count in the yellow, one for the red."""
    if failures < 0 or not float(failures).is_integer():
        given.refuse("failures", failures, f"{failures} breaches: a whole count is needed", "out_of_range")
    return green if failures < 5 else yellow[int(failures) - 5] if failures < 10 else red
