"""VaR and expected shortfall of vectors of profits, and each position's part: Euler's, alone, and what it adds.

D. Tasche, Risk contributions and performance measurement (1999): a measure that grows in proportion with the book is
the sum of its positions' derivatives. Incremental is what leaving a position out would change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import NotApplicable
from margincore._pickles import Record
from margincore.analysis import given
from margincore.methods import hvar
from margincore.methods.hvar import Confidence

__all__ = ["Components", "components", "scenario_weights"]

Floats = NDArray[np.float64]

#: Measures that are no weighted sum of ranked losses, or not of their ranks alone.
_NOT_OF_RANKS = ("es_hull", "weighted", "es_weighted", "normal")


@dataclass(frozen=True, slots=True, eq=False)
class Components(Record):
    """A measure of a book's losses, in the currency of its profits: `total`, positive for a loss.

    By position, in the order given and under `names`: `component` (Euler's parts, which add up to the total to
    rounding), `standalone` (the measure of the position alone) and `incremental` (the total less the measure of the
    book without it). `weights` are what each scenario's loss counts for in the total.
    """

    measure: str
    total: float
    names: tuple[str, ...]
    component: Floats
    standalone: Floats
    incremental: Floats
    weights: Floats


def scenario_weights(count: int, measure: str, confidence: Confidence) -> Floats:
    """What each of `count` losses, worst first, counts for in a measure of :func:`margincore.methods.hvar.measure`.

    They add up to one. Raises :class:`NotApplicable` for a measure that is no weighted sum of ranks.

    >>> scenario_weights(4, "es_acerbi", "0.625").round(6).tolist()
    [0.666667, 0.333333, 0.0, 0.0]
    """
    if measure in _NOT_OF_RANKS:
        raise NotApplicable(
            f"measure {measure!r} does not weigh losses by their rank: it has no parts by scenario",
            code="not_covered",
            where="measure",
            value=measure,
        )
    # A measure of ranks is known by what it makes of steps: the k worst losses one, the others nothing.
    steps = np.zeros(count)
    upto = [0.0]
    for k in range(count):
        steps[k] = 1.0
        upto.append(hvar.measure(steps, measure, confidence))
        if upto[-1] >= 1.0:
            break
    weights = np.zeros(count)
    weights[: len(upto) - 1] = np.diff(upto)
    return weights


def components(
    profits: ArrayLike, measure: str, confidence: Confidence, *, names: Sequence[str] | None = None
) -> Components:
    """A measure of the losses of a book, and each position's part of it.

    `profits` is positions by scenarios, a loss negative: :attr:`Profits.by_position`, or one's own. Equal losses rank
    by scenario. Euler's parts of a quantile are the positions' losses in one or two scenarios and jump as these change;
    those of an expected shortfall are means over the tail.

    Raises :class:`InvalidInput` for what is no table of finite numbers with a scenario, :class:`NotApplicable` as
    :func:`scenario_weights`.

    >>> found = components([[-5.0, 1.0, -2.0, 4.0], [2.0, -3.0, -3.0, 0.0]], "es_discrete", "0.5", names=["a", "b"])
    >>> found.total, found.component.tolist(), found.standalone.tolist(), found.incremental.tolist()
    (4.0, [3.5, 0.5], [3.5, 3.0], [1.0, 0.5])
    """
    rows = np.asarray(profits, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0 or not np.isfinite(rows).all():
        given.refuse(
            "profits", rows.shape, "a table of finite numbers, positions by scenarios, is needed", "wrong_shape"
        )
    called = tuple(str(i) for i in range(len(rows))) if names is None else tuple(names)
    if len(called) != len(rows):
        given.refuse("names", len(called), f"one name for each of {len(rows)} positions is needed", "wrong_shape")
    ranked = scenario_weights(rows.shape[1], measure, confidence)
    losses = -rows
    whole = losses.sum(axis=0)

    def of(book: Floats) -> float:
        return float(ranked @ book[np.argsort(-book, kind="stable")])

    weights = np.zeros(rows.shape[1])
    weights[np.argsort(-whole, kind="stable")] = ranked
    total = of(whole)
    return Components(
        measure=measure,
        total=total,
        names=called,
        component=losses @ weights,
        standalone=np.array([of(own) for own in losses]),
        incremental=np.array([total - of(whole - own) for own in losses]),
        weights=weights,
    )
