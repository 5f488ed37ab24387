"""Does expected shortfall cover the losses beyond VaR? The three tests of Acerbi and Szekely.

C. Acerbi and B. Szekely, Backtesting expected shortfall (MSCI and Risk, December 2014). Losses are
positive here and the signs turned: 0 is expected, and a positive statistic says that shortfall was stated too small.
None has a distribution of its own: probabilities come from histories drawn from the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.backtest.columns import Floats, column
from margincore.methods.hvar import Confidence, ppm

__all__ = ["Z1", "Z2", "Z3", "es_z1", "es_z2", "es_z3"]


@dataclass(frozen=True)
class _Statistic(Record):
    """0 expected, positive where expected shortfall is too small; the share of histories drawn from the model whose
    statistic is at least as large, ``None`` where none were drawn."""

    statistic: float
    p_value: float | None


class Z1(_Statistic):
    """Acerbi and Szekely's first statistic: 0 expected, positive where expected shortfall is too small."""


class Z2(_Statistic):
    """Acerbi and Szekely's second statistic: 0 expected, positive where expected shortfall is too small."""


class Z3(_Statistic):
    """Acerbi and Szekely's third statistic: 0 expected, positive where expected shortfall is too small."""


def es_z1(
    losses: ArrayLike,
    var: ArrayLike,
    es: ArrayLike,
    *,
    scenarios: ArrayLike | None = None,
    draws: int = 0,
    seed: int = 0,
) -> Z1 | None:
    """The mean of ``L / ES`` over the breaches, less one: how far losses beyond VaR go, whatever their number.

    `losses`, `var` and `es` are positive amounts by date. Blind to how many breaches there are: :func:`kupiec` is asked
    first. ``None`` without a breach.

    With `scenarios` (dates by scenarios: the losses each date's model foresaw) and `draws`, the p-value is the share of
    histories drawn from the model, among those with a breach, whose statistic is at least as large.

    Raises :class:`InvalidInput` for columns of unequal length, and an `es` that is not positive.

    >>> round(es_z1([0.0, 3.0, 0.0, 4.5], [2.0] * 4, [3.0] * 4).statistic, 12)
    0.25
    """
    x, v, e = _columns("es_z1", losses, var, es)

    def statistic(own: Floats) -> float:
        beyond = own > v
        return float((own[beyond] / e[beyond]).mean() - 1.0) if beyond.any() else math.nan

    found = statistic(x)
    if math.isnan(found):
        return None
    return Z1(found, _share("es_z1", found, statistic, x.size, scenarios, draws, seed))


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
    """``sum(L 1[L > VaR] / ((1 - a) T ES)) - 1``: number and size of the losses beyond VaR at once.

    `losses`, `var` and `es` are positive amounts by date. At 97.5 % over 250 dates a statistic above 0.70 is met
    once in twenty histories where the model is right, for tails from a normal's to a Student t's of some four degrees,
    as the paper has it.

    With `scenarios` (dates by scenarios: the losses each date's model foresaw) and `draws`, the p-value is the share of
    histories drawn from the model whose statistic is at least as large.

    >>> es_z2([0.0, 3.0, 0.0, 0.0], [2.0] * 4, [3.0] * 4, 0.75).statistic
    0.0
    """
    x, v, e = _columns("es_z2", losses, var, es)
    if not 0.5 <= confidence < 1.0:
        given.refuse("confidence", confidence, "es_z2: from 0.5 to below 1 (0.99 is 99 %)", "out_of_range")
    scale = (1.0 - confidence) * x.size

    def statistic(own: Floats) -> float:
        return float(np.where(own > v, own / e, 0.0).sum() / scale - 1.0)

    found = statistic(x)
    return Z2(found, _share("es_z2", found, statistic, x.size, scenarios, draws, seed))


def es_z3(losses: ArrayLike, scenarios: ArrayLike, confidence: Confidence, *, draws: int = 0, seed: int = 0) -> Z3:
    """Expected shortfall by ranks: what each date's model makes of how unlikely the losses of all dates were.

    `scenarios` are the losses each date's model foresaw, dates by scenarios, `losses` those that followed. The rank of
    each loss within its own date is a probability; put through the model of a date, the probabilities of all dates make
    a sample of it, whose ``k = floor((1 - a) T)`` worst are averaged, over what the model expects of that average. The
    statistic is the mean over the dates, less one. It reads the whole distribution, not VaR and shortfall alone.

    A loss between two scenarios has a rank between theirs, and ranks are put through a model by linear interpolation.
    What is expected is exact: ``E[min(B, k)]`` of binomial counts ``B`` takes the place of the integral of a beta
    function in the paper, which is the same.

    The p-value is the share of `draws` histories drawn from the scenarios whose statistic is at least as large.
    Raises :class:`InvalidInput` where a date has no scenarios, where ``(1 - a) T`` is less than one date, and where a
    model expects no loss of its tail.

    >>> import numpy as np
    >>> chance = np.random.default_rng(3)
    >>> foreseen = chance.normal(size=(250, 400))
    >>> test = es_z3(1.5 * chance.normal(size=250), foreseen, "0.975", draws=200)
    >>> round(test.statistic, 2), test.p_value < 0.05
    (0.28, True)
    """
    x = column("losses", losses)
    table = -np.sort(-_foreseen("es_z3", scenarios, x.size), axis=1)
    worst = (1_000_000 - ppm(confidence)) * x.size // 1_000_000
    if worst < 1:
        given.refuse("confidence", confidence, f"{x.size} dates have no whole one beyond it", "out_of_range")
    expected = table @ _weights(x.size, table.shape[1], worst)
    if (expected <= 0.0).any():
        first = int(np.argmax(expected <= 0.0))
        given.refuse(
            f"scenarios of date {first}", float(expected[first]), "a model whose tail loses is needed", "out_of_range"
        )

    def statistic(ranks: Floats) -> float:
        # The ranks of the worst, through every date's model.
        at = np.clip(np.sort(ranks)[:worst], 0.0, table.shape[1] - 1.0)
        low = at.astype(np.intp)
        part = at - low
        tail = table[:, low] * (1.0 - part) + table[:, np.minimum(low + 1, table.shape[1] - 1)] * part
        return float((tail.mean(axis=1) / expected).mean() - 1.0)

    greater = (table > x[:, None]).sum(axis=1)
    equal = (table == x[:, None]).sum(axis=1)
    found = statistic(greater + (equal - 1) / 2.0)
    if _drawn(draws) == 0:
        return Z3(found, None)
    chance = np.random.default_rng(seed)
    drawn = (statistic(chance.integers(0, table.shape[1], x.size).astype(np.float64)) for _ in range(draws))
    return Z3(found, (1 + sum(one >= found for one in drawn)) / (1 + draws))


def _weights(dates: int, scenarios: int, worst: int) -> Floats:
    """What each scenario, worst first, adds to the expected mean of the `worst` of so many draws: it is among them as
    often as ``min(B, worst)`` grows over its share of the probability, with `B` binomial."""
    share = np.arange(1, scenarios) / scenarios
    low, high = np.log(share), np.log1p(-share)
    below = np.zeros_like(share)
    short = np.zeros_like(share)
    for count in range(worst):
        choose = math.lgamma(dates + 1) - math.lgamma(count + 1) - math.lgamma(dates - count + 1)
        below += np.exp(choose + count * low + (dates - count) * high)
        short += below  # the sum of P(B <= i) up to worst - 1, which is what min(B, worst) lacks of `worst`
    return np.diff(np.concatenate([[0.0], worst - short, [float(worst)]])) / worst


def _columns(what: str, losses: ArrayLike, var: ArrayLike, es: ArrayLike) -> tuple[Floats, Floats, Floats]:
    x, v, e = column("losses", losses), column("var", var), column("es", es)
    if not x.size == v.size == e.size > 0 or (e <= 0.0).any():
        raise InvalidInput(f"{what}: losses, var and positive es of equal length are needed", code="wrong_shape")
    return x, v, e


def _foreseen(what: str, scenarios: ArrayLike, dates: int) -> NDArray[np.float64]:
    table = np.asarray(scenarios, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != dates or table.shape[1] == 0 or not np.isfinite(table).all():
        raise InvalidInput(f"{what}: scenarios are finite losses, one row a date", code="wrong_shape")
    return table


def _drawn(draws: int) -> int:
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 0:
        given.refuse("draws", draws, "a whole number of histories is needed", "out_of_range")
    return draws


def _share(
    what: str,
    found: float,
    statistic: Callable[[Floats], float],
    dates: int,
    scenarios: ArrayLike | None,
    draws: int,
    seed: int,
) -> float | None:
    """The share of histories drawn from the model whose statistic is at least as large; those without one are left."""
    if _drawn(draws) == 0 or scenarios is None:
        return None
    table = _foreseen(what, scenarios, dates)
    chance = np.random.default_rng(seed)
    rows = np.arange(dates)
    drawn = [statistic(table[rows, chance.integers(0, table.shape[1], dates)]) for _ in range(draws)]
    told = [one for one in drawn if not math.isnan(one)]
    return (1 + sum(one >= found for one in told)) / (1 + len(told))
