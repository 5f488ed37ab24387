"""Does the margin cover? Statistics of margins against the losses that followed, and anti-procyclicality tools.

Arrays in, numbers out; a loss and a margin are positive amounts, one per date, ``margin[i]`` known before
``loss[i]`` happened. NumPy only: chi-squared tails of one and two degrees of freedom have closed forms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import InvalidInput
from margincore._pickles import Record

__all__ = [
    "Z2",
    "AccountCoverage",
    "Backtest",
    "Coverage",
    "LikelihoodRatio",
    "Procyclicality",
    "TrafficLight",
    "Transitions",
    "account_coverage",
    "breaches",
    "buffer",
    "cap",
    "christoffersen",
    "conditional_coverage",
    "coverage",
    "es_z2",
    "kupiec",
    "kupiec_range",
    "long_run_floor",
    "max_ratio",
    "max_to_min",
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

Floats = NDArray[np.float64]


def _column(name: str, values: ArrayLike) -> Floats:
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name}: numbers are needed: {error}") from None
    if column.ndim != 1 or not np.isfinite(column).all():
        odd = column[~np.isfinite(column)]
        raise InvalidInput(
            f"{name}: a one-dimensional array of finite numbers is needed, not of shape {column.shape}"
            + (f" with {odd[0]}" if odd.size else "")
        )
    return column


def _positive(name: str, values: ArrayLike) -> Floats:
    """What is divided by."""
    column = _column(name, values)
    if column.size == 0 or (column <= 0.0).any():
        raise InvalidInput(f"{name}: positive amounts are needed, at least one: their ratios are asked for")
    return column


def _number(name: str, value: float, least: float, most: float = math.inf) -> float:
    if not (least <= value <= most and math.isfinite(value)):
        raise InvalidInput(f"{name} is {value}: a finite number from {least} to {most} is needed")
    return value


def _pair(margins: ArrayLike, others: ArrayLike, other: str = "loss") -> tuple[Floats, Floats]:
    m, x = _column("margins", margins), _column(f"{other} column", others)
    if m.size != x.size or m.size == 0:
        raise InvalidInput(f"{m.size} margins, {x.size} of the {other} column: one {other} for each margin is needed")
    return m, x


def chi2_tail(statistic: float, degrees: Literal[1, 2]) -> float:
    """The probability that a chi-squared variable exceeds the statistic.

    >>> round(chi2_tail(3.841458820694124, 1), 12), round(chi2_tail(5.991464547107979, 2), 12)
    (0.05, 0.05)
    """
    half = max(statistic, 0.0) / 2.0
    return math.erfc(math.sqrt(half)) if degrees == 1 else math.exp(-half)


def binomial_cdf(count: int, trials: int, probability: float) -> float:
    """The probability of at most `count` successes, terms added from the smallest.

    >>> [round(100 * binomial_cdf(x, 250, 0.01), 2) for x in (0, 4, 5)]
    [8.11, 89.22, 95.88]
    """
    if count < 0:
        return 0.0
    low, high = math.log(probability), math.log1p(-probability)
    fixed = math.lgamma(trials + 1)
    terms = [
        math.exp(fixed - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * low + (trials - k) * high)
        for k in range(min(count, trials) + 1)
    ]
    return min(math.fsum(terms), 1.0)


def _times_log(count: float, probability: float) -> float:
    """``count * ln(probability)``; a count of zero drops the term, whatever the probability."""
    return count * math.log(probability) if count else 0.0


@dataclass(frozen=True)
class LikelihoodRatio(Record):
    """A likelihood ratio and the probability of a larger one where the margin is right."""

    statistic: float
    p_value: float


def _counts(observations: int, failures: int, p: float) -> None:
    whole = all(float(count).is_integer() for count in (observations, failures))
    if not whole or not 0 <= failures <= observations or observations == 0 or not 0.0 < p <= 0.5:
        raise InvalidInput(
            f"{failures} breaches of {observations} at p = {p}: whole counts are needed, and the promised rate of "
            "breaches above 0 and up to 0.5 (0.01 for a confidence of 99 %)"
        )


def kupiec(observations: int, failures: int, p: float) -> LikelihoodRatio:
    """Kupiec's proportion of failures (1995): are there as many breaches as the confidence promises?

    `p` is the promised rate of breaches. Without breaches, and with breaches only, the statistic is the limit.

    >>> test = kupiec(1043, 57, 0.05)
    >>> round(test.statistic, 5), round(test.p_value, 5)
    (0.46147, 0.49694)
    """
    _counts(observations, failures, p)
    held, rate = observations - failures, failures / observations
    promised = _times_log(held, 1.0 - p) + _times_log(failures, p)
    found = _times_log(held, 1.0 - rate) + _times_log(failures, rate)
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
class Transitions(Record):
    """Pairs of consecutive dates: ``n01`` has no breach on the first and one on the second."""

    n00: int
    n01: int
    n10: int
    n11: int


def breaches(margins: ArrayLike, losses: ArrayLike) -> NDArray[np.bool_]:
    """Where the loss is greater than the margin.

    >>> breaches([1.0, 1.0], [1.0, 1.5]).tolist()
    [False, True]
    """
    m, x = _pair(margins, losses)
    return x > m


def transitions(breached: ArrayLike) -> Transitions:
    """Counts of consecutive pairs.

    >>> transitions([False, True, True, False])
    Transitions(n00=0, n01=1, n10=1, n11=1)
    """
    hit = np.asarray(breached)
    if hit.ndim != 1 or hit.dtype != np.bool_:
        raise InvalidInput("transitions: a one-dimensional array of True and False is needed (see breaches)")
    before, after = hit[:-1], hit[1:]
    return Transitions(
        int((~before & ~after).sum()), int((~before & after).sum()),
        int((before & ~after).sum()), int((before & after).sum()),
    )  # fmt: skip


def christoffersen(pairs: Transitions) -> LikelihoodRatio | None:
    """Christoffersen's independence (1998): is a breach as likely after a breach as after none?

    ``None`` where there is no breach, or nothing else: then there is nothing to compare.

    >>> test = christoffersen(Transitions(n00=932, n01=53, n10=53, n11=4))
    >>> round(test.statistic, 5), round(test.p_value, 5)
    (0.25866, 0.61104)
    """
    if min(pairs.n00, pairs.n01, pairs.n10, pairs.n11) < 0:
        raise InvalidInput(f"{pairs}: counts cannot be negative")
    calm, struck = pairs.n00 + pairs.n01, pairs.n10 + pairs.n11
    hits = pairs.n01 + pairs.n11
    if hits == 0 or calm == 0 or struck == 0 or hits == calm + struck:
        return None
    rate = hits / (calm + struck)
    after_none, after_hit = pairs.n01 / calm, pairs.n11 / struck
    alike = _times_log(pairs.n00 + pairs.n10, 1.0 - rate) + _times_log(hits, rate)
    apart = (
        _times_log(pairs.n00, 1.0 - after_none) + _times_log(pairs.n01, after_none)
        + _times_log(pairs.n10, 1.0 - after_hit) + _times_log(pairs.n11, after_hit)
    )  # fmt: skip
    statistic = -2.0 * (alike - apart)
    return LikelihoodRatio(statistic, chi2_tail(statistic, 1))


def conditional_coverage(observations: int, failures: int, p: float, pairs: Transitions) -> LikelihoodRatio | None:
    """Both at once: the sum of :func:`kupiec` and :func:`christoffersen`, with two degrees of freedom.

    >>> test = conditional_coverage(1043, 57, 0.05, Transitions(932, 53, 53, 4))
    >>> round(test.statistic, 5), round(test.p_value, 5)
    (0.72013, 0.69763)
    """
    count, hits = pairs.n00 + pairs.n01 + pairs.n10 + pairs.n11, pairs.n01 + pairs.n11
    if count >= observations or hits > failures:
        raise InvalidInput(f"{pairs} are not of {failures} breaches of {observations}: fewer pairs than observations")
    independence = christoffersen(pairs)
    if independence is None:
        return None
    statistic = kupiec(observations, failures, p).statistic + independence.statistic
    return LikelihoodRatio(statistic, chi2_tail(statistic, 2))


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
    _counts(observations, failures, p)
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
    if failures < 0:
        raise InvalidInput(f"{failures} breaches")
    table = {5: 0.40, 6: 0.50, 7: 0.65, 8: 0.75, 9: 0.85}
    return 0.0 if failures < 5 else table.get(failures, 1.0)


@dataclass(frozen=True)
class Coverage(Record):
    """Margins against losses. A shortfall is loss less margin where there is a breach; ``None`` without breaches.
    Loss to margin is ``None`` too where a breached margin is not positive: the ratio says nothing then.
    """

    observations: int
    breaches: int
    coverage: float
    average_shortfall: float | None
    max_shortfall: float | None
    average_loss_to_margin: float | None
    max_loss_to_margin: float | None


def coverage(margins: ArrayLike, losses: ArrayLike) -> Coverage:
    """How often and how far losses exceed margins.

    >>> coverage([1.0, 1.0, 2.0, 2.0], [0.5, 1.5, 1.0, 2.5])
    Coverage(observations=4, breaches=2, coverage=0.5, average_shortfall=0.5, max_shortfall=0.5,
             average_loss_to_margin=1.375, max_loss_to_margin=1.5)
    """
    m, x = _pair(margins, losses)
    hit = x > m
    count = int(hit.sum())
    short = x[hit] - m[hit]
    some = count > 0
    ratio = x[hit] / m[hit] if some and (m[hit] > 0.0).all() else None
    return Coverage(
        m.size, count, 1.0 - count / m.size,
        float(short.mean()) if some else None, float(short.max()) if some else None,
        None if ratio is None else float(ratio.mean()), None if ratio is None else float(ratio.max()),
    )  # fmt: skip


def max_to_min(margins: ArrayLike) -> float:
    """The largest margin over the smallest, whichever came first: some studies call this peak to trough.

    >>> max_to_min([3.0, 2.0, 1.0]), peak_to_trough([3.0, 2.0, 1.0])
    (3.0, 1.0)
    """
    m = _positive("margins", margins)
    return float(m.max() / m.min())


def peak_to_trough(margins: ArrayLike) -> float:
    """The largest ratio of a margin to an earlier one (or to itself): how far margins have risen.

    >>> peak_to_trough([2.0, 1.0, 3.0, 2.0])
    3.0
    """
    m = _positive("margins", margins)
    return float((m / np.minimum.accumulate(m)).max())


def max_ratio(margins: ArrayLike, days: int) -> float:
    """The largest ratio of a margin to the one `days` earlier.

    >>> max_ratio([2.0, 1.0, 3.0, 2.0], 1)
    3.0
    """
    m = _positive("margins", margins)
    if not 0 < days < m.size:
        raise InvalidInput(f"max_ratio: {days} days among {m.size} margins: fewer days than margins are needed")
    return float((m[days:] / m[:-days]).max())


@dataclass(frozen=True)
class Procyclicality(Record):
    """What margins cost and how fast they rose: largest ratios to the margin so many days earlier."""

    mean: float
    max: float
    min: float
    peak_to_trough: float
    max_1d: float
    max_5d: float
    max_20d: float


def procyclicality(margins: ArrayLike) -> Procyclicality:
    """The cost of margins and their rises, over at least 21 dates.

    >>> procyclicality([100.0] * 20 + [150.0]).peak_to_trough
    1.5
    """
    m = _positive("margins", margins)
    return Procyclicality(
        float(m.mean()), float(m.max()), float(m.min()), peak_to_trough(m),
        max_ratio(m, 1), max_ratio(m, 5), max_ratio(m, 20),
    )  # fmt: skip


@dataclass(frozen=True)
class Backtest(Record):
    """Every statistic of margins against the losses that followed: coverage and cost show the trade-off together."""

    coverage: Coverage
    kupiec: LikelihoodRatio
    transitions: Transitions
    independence: LikelihoodRatio | None
    conditional_coverage: LikelihoodRatio | None
    traffic_light: TrafficLight
    procyclicality: Procyclicality


def report(margins: ArrayLike, losses: ArrayLike, p: float) -> Backtest:
    """All at once; `p` is the promised rate of breaches, 0.01 for a confidence of 99 %.

    Raises :class:`InvalidInput` for a `p` above 0.5: that is the confidence, not the rate of breaches.

    A high ``kupiec.p_value`` says that the number of breaches fits, nothing about their clustering: that is
    ``independence``.

    >>> found = report([2.0] * 99 + [3.0], [1.0] * 98 + [2.5, 1.0], 0.01)
    >>> found.coverage.breaches, round(found.kupiec.p_value, 3), found.traffic_light.zone, found.procyclicality.max_1d
    (1, 1.0, 'green', 1.5)
    """
    if p > 0.5:
        raise InvalidInput(f"p is {p}: it is the rate of breaches, 0.01 for a confidence of 99 %")
    hit = breaches(margins, losses)
    cover = coverage(margins, losses)
    pairs = transitions(hit)
    n, x = cover.observations, cover.breaches
    return Backtest(
        cover, kupiec(n, x, p), pairs, christoffersen(pairs), conditional_coverage(n, x, p, pairs),
        traffic_light(n, x, p), procyclicality(margins),
    )  # fmt: skip


@dataclass(frozen=True)
class AccountCoverage(Record):
    """Coverage over accounts, as clearing houses disclose it (ISO 20022 auth.066: NbOfObsrvtns, NbOfXcptns, Cvrg,
    LrgstXcptn, AvrgXcptn). `largest_account` is where the largest shortfall was; ``None`` without one.
    """

    observations: int
    exceptions: int
    coverage: float
    largest_exception: float | None
    largest_account: str | None
    average_exception: float | None


def account_coverage(accounts: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> AccountCoverage:
    """Margins and losses of several accounts, by account: one exception for each date and account.

    >>> account_coverage({"A": ([1.0, 1.0], [0.5, 1.5]), "B": ([2.0, 2.0], [1.0, 4.0])})
    AccountCoverage(observations=4, exceptions=2, coverage=0.5, largest_exception=2.0, largest_account='B',
                    average_exception=1.25)
    """
    if not accounts:
        raise InvalidInput("account_coverage: no accounts")
    observed, short = 0, []
    for name, (margins, losses) in accounts.items():
        m, x = _pair(margins, losses)
        observed += m.size
        short += [(float(gap), name) for gap in (x - m)[x > m]]
    largest, account = max(short, key=lambda row: row[0], default=(None, None))
    average = math.fsum(gap for gap, _ in short) / len(short) if short else None
    return AccountCoverage(observed, len(short), 1.0 - len(short) / observed, largest, account, average)


@dataclass(frozen=True)
class Z2(Record):
    """Acerbi and Szekely's second statistic: 0 expected, positive where expected shortfall is too small."""

    statistic: float
    p_value: float | None


def es_z2(
    losses: ArrayLike,
    var: ArrayLike,
    es: ArrayLike,
    confidence: float,
    *,
    scenarios: ArrayLike | None = None,
    draws: int = 0,
    seed: int = 0,
) -> Z2:
    """``sum(L 1[L > VaR] / ((1 - a) T ES)) - 1``, losses positive (Acerbi and Szekely 2014, sign turned).

    With `scenarios` (dates by scenarios: the losses each date's model foresaw) and `draws`, the p-value is the share of
    histories drawn from the model whose statistic is at least as large.

    >>> es_z2([0.0, 3.0, 0.0, 0.0], [2.0] * 4, [3.0] * 4, 0.75).statistic
    0.0
    """
    x, v, e = _column("losses", losses), _column("var", var), _column("es", es)
    if not x.size == v.size == e.size > 0 or not 0.5 <= confidence < 1.0 or (e <= 0.0).any():
        raise InvalidInput(
            "es_z2: losses, var and positive es of equal length, and a confidence from 0.5 to below 1 (0.99 is 99 %)"
        )
    scale = (1.0 - confidence) * x.size

    def statistic(own: Floats) -> float:
        return float(np.where(own > v, own / e, 0.0).sum() / scale - 1.0)

    found = statistic(x)
    if scenarios is None or draws <= 0:
        return Z2(found, None)
    table = np.asarray(scenarios, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != x.size or not np.isfinite(table).all():
        raise InvalidInput("es_z2: scenarios are finite losses, one row a date")
    chance = np.random.default_rng(seed)
    rows = np.arange(x.size)
    larger = sum(statistic(table[rows, chance.integers(0, table.shape[1], x.size)]) >= found for _ in range(draws))
    return Z2(found, (1 + larger) / (1 + draws))


def buffer(margins: ArrayLike, release: float, *, rate: float = 0.25) -> Floats:
    """EMIR RTS 153/2013 Article 28 (a): ``max(m, min((1 + rate) m, release))``.

    A buffer of `rate` that is used up as margins rise towards the release level.

    >>> buffer([100.0, 80.0, 120.0], 110.0).tolist()
    [110.0, 100.0, 120.0]
    """
    m = _column("margins", margins)
    rate, release = _number("rate", rate, 0.0), _number("release", release, 0.0)
    return np.maximum(m, np.minimum((1.0 + rate) * m, release))


def stress_weight(margins: ArrayLike, stressed: ArrayLike, *, weight: float = 0.25) -> Floats:
    """Article 28 (b): at least a quarter of the weight on stressed observations.

    >>> stress_weight([100.0], [260.0]).tolist()
    [140.0]
    """
    m, s = _pair(margins, stressed, "stressed margin")
    weight = _number("weight", weight, 0.0, 1.0)
    return (1.0 - weight) * m + weight * s


def long_run_floor(margins: ArrayLike, ten_year: ArrayLike) -> Floats:
    """Article 28 (c): not below the margin from volatility over ten years.

    >>> long_run_floor([60.0, 90.0], [75.0, 75.0]).tolist()
    [75.0, 90.0]
    """
    return np.maximum(*_pair(margins, ten_year, "ten-year margin"))


def cap(margins: ArrayLike, amount: float) -> Floats:
    """Margins not above an amount.

    >>> cap([150.0, 130.0], 140.0).tolist()
    [140.0, 130.0]
    """
    return np.minimum(_column("margins", margins), _number("amount", amount, 0.0))


def speed_limit(margins: Sequence[float] | Floats, limit: float, *, days: int = 1) -> Floats:
    """Each margin at most `limit` times what was charged `days` earlier.

    >>> speed_limit([100.0, 130.0, 200.0], 1.3).tolist()
    [100.0, 130.0, 169.0]
    """
    charged = _column("margins", margins).copy()
    if days < 1:
        raise InvalidInput(f"speed_limit: {days} days: at least one is needed")
    limit = _number("limit", limit, 0.0)
    for i in range(days, charged.size):
        charged[i] = min(charged[i], charged[i - days] * limit)
    return charged
