"""Historical VaR and expected shortfall in pure Python: one step after the other, for reading and for checking.

Losses are positive; scenarios are oldest first. Confidences are exact fractions (:class:`fractions.Fraction`), because
``ceil((1 - 0.994) * 1000)`` is 7 in floating point and should be 6. The steps: :func:`returns`, :func:`ewma`,
:func:`filtered`, :func:`move`, :func:`losses`, :func:`risk`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import NormalDist, fmean, pvariance, variance


class NonPositivePrice(ValueError):
    """A price of zero or less where a return needs positive ones."""


def returns(prices: Sequence[float], rule: str, *, days: int = 1, displacement: float = 0.0) -> list[float]:
    """Changes over `days`, one for every date that has one.

    >>> [round(r, 4) for r in returns([100.0, 110.0, 99.0], "relative")]
    [0.1, -0.1]
    """
    out = []
    for i in range(days, len(prices)):
        before, after = prices[i - days] + displacement, prices[i] + displacement
        if rule == "absolute":
            out.append(after - before)
            continue
        if before <= 0.0 or after <= 0.0:
            raise NonPositivePrice(f"row {i if after <= 0.0 else i - days}")
        out.append(math.log(after / before) if rule == "log" else after / before - 1.0)
    return out


def ewma(changes: Sequence[float], decay: float, first_variance: float) -> list[float]:
    """Variances known before each return, and one more: tomorrow's.

    >>> ewma([0.1], 0.9, 0.04)
    [0.04, 0.037000000000000005]
    """
    known = [first_variance]
    for r in changes:
        known.append(decay * known[-1] + (1.0 - decay) * r * r)
    return known


def filtered(
    changes: Sequence[float], decay: float, *, seed: str = "sample_var_ddof1", mid: bool = False
) -> list[float]:
    """Hull and White: each return over the volatility known before it, times tomorrow's (or half way to it)."""
    seeds = {
        "sample_var_ddof1": lambda: variance(changes),
        "sample_var_ddof0": lambda: pvariance(changes),
        "mean_square": lambda: fmean(r * r for r in changes),
    }
    vols = [math.sqrt(v) for v in ewma(changes, decay, seeds[seed]())]
    tomorrow = vols[-1]
    return [r * (0.5 * (tomorrow + vol) if mid else tomorrow) / vol for r, vol in zip(changes, vols, strict=False)]


def move(price: float, change: float, rule: str, *, displacement: float = 0.0) -> float:
    """Today's price after a scenario.

    >>> move(50.0, 0.5, "displaced", displacement=50.0)
    100.0
    """
    if rule == "relative":
        return price * (1.0 + change)
    if rule == "log":
        return price * math.exp(change)
    if rule == "absolute":
        return price + change
    return (price + displacement) * (1.0 + change) - displacement


def ranked(values: Sequence[float]) -> list[tuple[float, int]]:
    """Losses with their scenarios, worst first; equal ones by scenario.

    >>> ranked([1.0, 3.0, 3.0])
    [(3.0, 1), (3.0, 2), (1.0, 0)]
    """
    return sorted(((loss, i) for i, loss in enumerate(values)), key=lambda x: (-x[0], x[1]))


def age_weights(n: int, decay: float) -> list[float]:
    """Weights that decay with age, the newest largest, adding up to one."""
    return [decay ** (n - i) * (1.0 - decay) / (1.0 - decay**n) for i in range(1, n + 1)]


def sample_weights(stressed: int, newest: int, share: float, decay: float | None = None) -> list[float]:
    """Weights of stressed observations and of the newest ones in one sample: EMIR RTS 153/2013 Article 28 (1)(b).

    >>> sample_weights(1, 3, 0.25)
    [0.25, 0.25, 0.25, 0.25]
    """
    own = [1.0 / newest] * newest if decay is None else age_weights(newest, decay)
    return [share / stressed] * stressed + [(1.0 - share) * w for w in own]


def mirrored_weights(n: int, decay: float) -> list[float]:
    """Weights of `n` returns and then of their opposites, which are as old.

    >>> [round(w, 3) for w in mirrored_weights(2, 0.5)]
    [0.167, 0.333, 0.167, 0.333]
    """
    return [0.5 * w for w in age_weights(n, decay)] * 2


PLOTTING = {
    "interpolated_inverted_cdf": (Fraction(0), Fraction(1)), "hazen": (Fraction(1, 2), Fraction(1, 2)),
    "weibull": (Fraction(0), Fraction(0)), "linear": (Fraction(1), Fraction(1)),
    "median_unbiased": (Fraction(1, 3), Fraction(1, 3)), "normal_unbiased": (Fraction(3, 8), Fraction(3, 8)),
}  # fmt: skip


def risk(
    values: Sequence[float],
    measure: str,
    confidence: Fraction,
    *,
    decay: float = 0.0,
    weights: Sequence[float] | None = None,
) -> float:
    """One measure of losses in scenario order.

    >>> risk([3.0, -1.0, 8.0, 5.0], "es_discrete", Fraction(1, 2))
    6.5
    """
    n = len(values)
    if measure in ("order_floor", "es_hull") and n * (1 - confidence) < 1:
        raise ValueError(f"{measure} of {n} losses at {float(confidence)}: there is no such loss")
    worst = ranked(values)
    loss = [x for x, _ in worst]
    tail = n * (1 - confidence)
    floor, ceil = math.floor(tail), math.ceil(tail)
    if measure == "order_floor":
        return loss[floor - 1]
    if measure == "order_ceil":
        return loss[ceil - 1]
    if measure == "es_discrete":
        return fmean(loss[:ceil])
    if measure == "es_inclusive":
        return fmean(loss[: floor + 1])
    if measure == "es_hull":
        var = loss[floor - 1]
        return fmean([x for x in loss if x > var] or [var])
    if measure == "es_acerbi":
        rest = float(tail - floor) * (loss[floor] if floor < n else 0.0)
        return (math.fsum(loss[:floor]) + rest) / float(tail)
    if measure == "normal":
        return NormalDist().inv_cdf(float(confidence)) * math.sqrt(pvariance(values))
    if measure in ("weighted", "es_weighted"):
        own = weights or age_weights(n, decay)
        return _weighted([(x, own[i]) for x, i in worst], float(1 - confidence), measure)
    return _quantile(loss[::-1], measure, confidence)


def _weighted(worst: list[tuple[float, float]], tail: float, measure: str) -> float:
    reached, total = 0.0, 0.0
    for loss, weight in worst:
        if reached + weight >= tail:
            return loss if measure == "weighted" else (total + (tail - reached) * loss) / tail
        reached += weight
        total += weight * loss
    return worst[-1][0]


def _quantile(ascending: list[float], measure: str, p: Fraction) -> float:
    n = len(ascending)

    def at(i: int) -> float:
        return ascending[min(max(i, 0), n - 1)]

    if measure == "inverted_cdf":
        return at(math.ceil(n * p) - 1)
    if measure == "averaged_inverted_cdf":
        i = math.ceil(n * p) - 1
        return 0.5 * (at(i) + at(i + 1)) if (n * p).denominator == 1 else at(i)
    if measure == "closest_observation":
        return at(round(n * p) - 1)  # halves to the even one, counted from one
    place = (n - 1) * p
    if measure == "lower":
        return at(math.floor(place))
    if measure == "higher":
        return at(math.ceil(place))
    if measure == "nearest":
        return at(round(place))
    if measure == "midpoint":
        return 0.5 * (at(math.floor(place)) + at(math.ceil(place)))
    a, b = PLOTTING[measure]
    place = n * p + a + p * (1 - a - b) - 1
    below = math.floor(place)
    part = float(place - below)
    return (1.0 - part) * at(below) + part * at(below + 1)


@dataclass(frozen=True)
class Component:
    """One measure over the newest `window` returns; see :func:`risk` for the measures."""

    measure: str
    confidence: Fraction
    window: int
    weight: float = 1.0
    is_floor: bool = False
    days: int = 1
    scaling: str = "none"
    antithetic: bool = False
    age_decay: float = 0.0
    filter_decay: float | None = None
    seed: str = "sample_var_ddof1"
    mid: bool = False
    multiplier: float = 1.0


@dataclass(frozen=True)
class Factor:
    """A risk factor: its price history, today's level last, and how its changes are taken."""

    prices: Sequence[float]
    rule: str
    displacement: float = 0.0


@dataclass(frozen=True)
class Book:
    """Units held of things that follow a factor: (factor, today's price, signed units)."""

    positions: Sequence[tuple[str, float, float]]
    factors: Mapping[str, Factor] = field(default_factory=dict)


def scenario_changes(factor: Factor, component: Component) -> list[list[float]]:
    """The component's scenario returns of one factor: one list, or one for each interleaved set."""
    spans = component.scaling in ("overlapping", "interleaved")
    days = component.days if spans else 1
    rule = "relative" if factor.rule == "displaced" else factor.rule
    changes = returns(factor.prices, rule, days=days, displacement=factor.displacement)[-component.window :]
    stride = component.days if component.scaling == "interleaved" else 1
    sets = [changes[::-1][k::stride][::-1] for k in range(stride)]
    out = []
    for own in sets:
        if component.filter_decay is not None:
            own = filtered(own, component.filter_decay, seed=component.seed, mid=component.mid)
        if component.antithetic:
            own = own + [-r for r in own]
        if component.scaling == "sqrt_returns":
            own = [r * math.sqrt(component.days) for r in own]
        out.append(own)
    return out


def losses(book: Book, component: Component) -> list[list[float]]:
    """The book's loss in every scenario of every set."""
    changes = {name: scenario_changes(book.factors[name], component) for name, _, _ in book.positions}
    shape = next(iter(changes.values()))
    out = [[0.0] * len(own) for own in shape]
    for name, price, units in book.positions:
        factor = book.factors[name]
        for k, own in enumerate(changes[name]):
            for s, change in enumerate(own):
                moved = move(price, change, factor.rule, displacement=factor.displacement)
                out[k][s] -= units * (moved - price) * component.multiplier
    return out


def component_risk(book: Book, component: Component) -> float:
    """The mean of the sets' risks, over the holding period."""
    sets = losses(book, component)
    own = fmean(
        risk(
            s, component.measure, component.confidence, decay=component.age_decay,
            weights=mirrored_weights(len(s) // 2, component.age_decay)
            if component.antithetic and component.age_decay else None,
        )
        for s in sets
    )  # fmt: skip
    return own * (math.sqrt(component.days) if component.scaling == "sqrt_risk" else 1.0)


def margin(book: Book, components: Sequence[Component]) -> float:
    """Weighted terms added, not below any floor, nor below zero.

    >>> prices = [100.0, 98.0, 101.0, 99.0, 102.0, 95.0]
    >>> book = Book([("X", 95.0, 10.0)], {"X": Factor(prices, "relative")})
    >>> round(margin(book, [Component("order_floor", Fraction(4, 5), 5)]), 2)
    65.2
    """
    terms = math.fsum(c.weight * component_risk(book, c) for c in components if not c.is_floor)
    floors = [c.weight * component_risk(book, c) for c in components if c.is_floor]
    return max([terms, *floors, 0.0])


def finite_volatility(changes: Sequence[float], decay: float, points: int) -> tuple[list[float], list[float]]:
    """Means and volatilities with the last `points` returns under normalised weights; the volatility's deviations are
    each from the mean of its own date. Entries without enough history are NaN.
    """
    weights = [(1.0 - decay) / (1.0 - decay**points) * decay**k for k in range(points)]

    def rolling(values: Sequence[float]) -> list[float]:
        out = [math.nan] * len(values)
        for i in range(points - 1, len(values)):
            out[i] = math.fsum(w * values[i - k] for k, w in enumerate(weights))
        return out

    means = rolling(changes)
    variances = rolling([(r - m) ** 2 for r, m in zip(changes, means, strict=True)])
    return means, [math.sqrt(v) for v in variances]


def interleaved_filtered_var(
    daily: Sequence[float], days: int, window: int, confidence: Fraction, decay: float, points: int, factor: float
) -> float:
    """The shape of Eurex's Prisma: returns over `days` in interleaved sets, each divided by the volatility known before
    it, times the mean of the newest volatilities or the set's median one if that is larger; then the sets' quantiles
    are averaged.

    `daily` are log returns. The result is the loss of one unit of money held long.
    """
    sums = [math.fsum(daily[i - days + 1 : i + 1]) for i in range(days - 1, len(daily))]
    vols: list[list[float]] = []
    scaled: list[list[float]] = []
    for k in range(days):
        own = sums[::-1][k::days][::-1]
        means, volatility = finite_volatility(own, decay, points)
        vols.append(volatility)
        scaled.append([math.nan] + [(own[i] - means[i - 1]) / volatility[i - 1] for i in range(1, len(own))])
    newest = fmean(v[-1] for v in vols)
    quantiles = []
    for volatility, devolatilised in zip(vols, scaled, strict=True):
        count = window // days
        median = risk(volatility[-count:], "averaged_inverted_cdf", Fraction(1, 2))
        revolatilised = [factor * (math.exp(z * max(newest, median)) - 1.0) for z in devolatilised[-count:]]
        quantiles.append(risk([-m for m in revolatilised], "averaged_inverted_cdf", confidence))
    return fmean(quantiles)


def mean_filtered(
    changes: Sequence[float], decay: float, *, seed: str = "sample_var_ddof1", add_mean: bool = False
) -> list[float]:
    """Hull and White with an exponentially weighted mean beside the variance: ``m + (r - m_t) s_T / s_t``."""
    seeds = {"sample_var_ddof1": variance, "sample_var_ddof0": pvariance}
    mean, var = fmean(changes), seeds[seed](changes)
    known = []
    for r in changes:
        known.append((mean, var))
        var = decay * var + (1.0 - decay) * (r - mean) ** 2
        mean = decay * mean + (1.0 - decay) * r
    last = mean if add_mean else 0.0
    return [last + (r - m) * math.sqrt(var / v) for r, (m, v) in zip(changes, known, strict=True)]


def exchanged(value: float, gain: float, ratio: float, *, asset: bool) -> float:
    """A gain in the report's currency where the exchange rate becomes `ratio` times today's; `value` and `gain` are at
    today's rate. A future has no value of its own to lose.

    >>> exchanged(100.0, 10.0, 0.5, asset=True), exchanged(100.0, 10.0, 0.5, asset=False)
    (-45.0, 5.0)
    """
    return ratio * (value + gain) - value if asset else ratio * gain


def floored(value: float, least: float, *, zero_below: float = 0.5) -> float:
    """A lot of an option in a scenario, by JSCC: one tick where the scenario makes it worthless."""
    return least if value < zero_below else value


def offset(together: float, alone: Sequence[float], share: float) -> float:
    """EMIR RTS 153/2013 Article 27 (4): at most a share of the difference between alone and together is granted.

    >>> round(offset(100.0, [120.0, 80.0], 0.8), 9)
    120.0
    """
    gross = math.fsum(alone)
    return together if gross <= together else gross - share * (gross - together)


def portfolio_filtered(values: Sequence[float], decay: float) -> list[float]:
    """Hull and White on the book's own losses, seeded by their sample variance."""
    return filtered(values, decay)
