"""Curves that look smooth at any width: more samples where a function bends, few where it is straight; its roots."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["roots", "sampled"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

#: Points inside an interval where a function is held against the straight line between the interval's ends.
_PROBES = (0.25, 0.5, 0.75)
_ROUNDS = 12


def sampled(
    function: Function, points: Iterable[float], *, tolerance: float = 1e-3, most: int = 600
) -> tuple[Floats, Floats]:
    """Samples of a function between the least and the greatest of `points`, all of which are among them.

    Each interval is halved, worst first, until the straight line between neighbours is within `tolerance` times the
    range of the values, or there are `most` samples. What is straight between the points keeps only them: kinks that
    are given are exact. The function takes an array and gives one.

    >>> x, y = sampled(lambda x: abs(x - 1.0), [0.0, 1.0, 3.0])
    >>> x.tolist(), y.tolist()
    ([0.0, 1.0, 3.0], [1.0, 0.0, 2.0])
    >>> x, y = sampled(np.square, [-1.0, 1.0])
    >>> bool(abs(np.interp(0.3, x, y) - 0.09) < 1e-3)
    True
    """
    x = np.unique(np.fromiter(points, dtype=np.float64))
    y = function(x)
    open_ = np.arange(len(x) - 1)
    for _ in range(_ROUNDS):
        if not len(open_) or len(x) >= most:
            break
        left, right = x[open_], x[open_ + 1]
        inside = np.stack([left + part * (right - left) for part in _PROBES])
        straight = np.stack([y[open_] + part * (y[open_ + 1] - y[open_]) for part in _PROBES])
        values = function(inside.reshape(-1)).reshape(inside.shape)
        span = max(float(np.ptp(y)), float(np.ptp(values)))
        error = np.abs(values - straight).max(axis=0)
        # Values that never leave rounding are flat: there is nothing to follow in them.
        bent = np.flatnonzero(error > max(tolerance * span, 1e-12 * float(np.abs(y).max(initial=0.0))))
        if len(bent) > most - len(x):
            bent = np.sort(bent[np.argsort(-error[bent], kind="stable")[: most - len(x)]])
        at = open_[bent] + 1
        x, y = np.insert(x, at, inside[1, bent]), np.insert(y, at, values[1, bent])
        open_ = np.sort(np.concatenate([at - 1 + np.arange(len(at)), at + np.arange(len(at))]))
    return x, y


def roots(function: Function, x: Floats, y: Floats) -> tuple[float, ...]:
    """Where a sampled function crosses zero, ascending: bisected to the last bit between samples of opposite sign.

    A sample that is zero is a root, and of samples in a row that are all zero the first and the last.

    >>> x = np.array([0.0, 1.0, 2.0])
    >>> [round(root, 9) for root in roots(lambda x: x * x - 2.0, x, x * x - 2.0)]
    [1.414213562]
    """
    zero = np.flatnonzero(y == 0.0)
    inner = [i for i in zero if 0 < i < len(y) - 1 and y[i - 1] == 0.0 and y[i + 1] == 0.0]
    found = {float(x[i]) for i in zero if i not in inner}
    crossed = np.flatnonzero(y[:-1] * y[1:] < 0.0)
    low, high, sign = x[crossed].copy(), x[crossed + 1].copy(), np.sign(y[crossed])
    for _ in range(60):
        middle = (low + high) / 2.0
        if not len(middle) or bool(np.all((middle == low) | (middle == high))):
            break
        before = np.sign(function(middle)) == sign
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return tuple(sorted(found | {float(root) for root in high}))
