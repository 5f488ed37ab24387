"""Cornish and Fisher's expansion: a normal quantile bent by skewness and kurtosis, within its domain of validity.

E. Cornish and R. Fisher, Moments and cumulants in the specification of distributions, Revue de l'Institut
International de Statistique 5 (1937); D. Maillard, A user's guide to the Cornish Fisher expansion (2012).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from margincore._core import NotApplicable
from margincore.analysis import given
from margincore.analysis.tails.tail import Confidence, Tail, level

__all__ = ["cornish_fisher", "cornish_fisher_domain"]

_NORMAL = NormalDist()

#: Moments of a standard normal variable, from the 0th to the 12th: a cubic has a fourth power of that degree.
_MOMENTS = np.array([0.0 if k % 2 else math.prod(range(1, k, 2)) for k in range(13)], dtype=np.float64)


def cornish_fisher_domain(skewness: float, kurtosis: float) -> bool:
    """Whether the expansion with these parameters is a distribution: its quantiles rise with the confidence.

    `kurtosis` is in excess of a normal's 3. The slope of the expansion, ``z**2 (K/8 - S**2/6) + z S/3 + 1 - K/8 +
    5 S**2/36``, may be negative for no ``z`` (Maillard 2012). No skewness beyond ``6 (sqrt(2) - 1)`` = 2.485
    is inside.

    >>> cornish_fisher_domain(0.0, 3.0), cornish_fisher_domain(0.0, 9.0), cornish_fisher_domain(1.0, 0.0)
    (True, False, False)
    """
    s, k = given.number("skewness", skewness), given.number("kurtosis", kurtosis)
    return _rises(s, k)


def _rises(s: float, k: float) -> bool:
    square, slope, fixed = k / 8.0 - s * s / 6.0, s / 3.0, 1.0 - k / 8.0 + 5.0 * s * s / 36.0
    # A parabola without a negative value opens upwards and has no two roots.
    return square >= 0.0 and fixed >= 0.0 and slope * slope <= 4.0 * square * fixed


def cornish_fisher(
    confidence: Confidence,
    skewness: float,
    kurtosis: float,
    *,
    moments: Literal["parameters", "matched"],
    mean: float = 0.0,
    deviation: float = 1.0,
) -> Tail:
    """Value at risk and expected shortfall of a loss with this skewness and kurtosis, by the fourth-order expansion.

    ``w(z) = z + (z**2 - 1) S/6 + (z**3 - 3 z) K/24 - (2 z**3 - 5 z) S**2/36`` of the normal quantile ``z``, and its
    mean beyond it, which is exact: ``phi(z) / (1 - a) (1 + z S/6 + (z**2 - 1) K/24 - (2 z**2 - 1) S**2/36)``.

    `skewness` and `kurtosis` are of losses: a heavy tail of losses has a positive skewness, and 3 is taken from the
    kurtosis. `moments` has no default: ``"parameters"`` puts them into the expansion as they are, whose own skewness
    and kurtosis are then other ones; ``"matched"`` looks for the parameters that give them (and unit variance), as
    Maillard advises. `mean` and `deviation` are of the losses.

    Raises :class:`NotApplicable` outside the domain (:func:`cornish_fisher_domain`), where quantiles fall as the
    confidence rises, and for moments that no parameters inside it have.

    >>> plain = cornish_fisher("0.99", 0.5, 1.5, moments="parameters")
    >>> round(plain.var, 4), round(plain.es, 4)
    (2.9506, 3.735)
    >>> matched = cornish_fisher("0.99", 0.5, 1.5, moments="matched")
    >>> round(matched.var, 4), round(matched.es, 4)
    (2.8074, 3.4851)
    """
    a, centre, wide = level(confidence), given.number("mean", mean), given.number("deviation", deviation, 0.0)
    s, k = given.number("skewness", skewness), given.number("kurtosis", kurtosis)
    if given.name("moments", moments, ("parameters", "matched")) == "matched":
        s, k, unit = _matched(s, k)
        wide /= unit
    elif not _rises(s, k):
        raise NotApplicable(
            f"skewness {s:g} and excess kurtosis {k:g} are outside the domain of the Cornish-Fisher expansion: its "
            "quantiles fall where they should rise (Maillard 2012). A t distribution or peaks over threshold may fit",
            code="not_covered",
            where="skewness, kurtosis",
            value=(s, k),
        )
    z = _NORMAL.inv_cdf(a)
    bent = np.polynomial.polynomial.polyval(z, _cubic(s, k))
    tail = _NORMAL.pdf(z) / (1.0 - a)
    beyond = tail * (1.0 + z * s / 6.0 + (z * z - 1.0) * k / 24.0 - (2.0 * z * z - 1.0) * s * s / 36.0)
    return Tail(centre + wide * float(bent), centre + wide * beyond)


def _cubic(s: float, k: float) -> NDArray[np.float64]:
    """The expansion as a polynomial of the normal quantile."""
    return np.array([-s / 6.0, 1.0 - k / 8.0 + 5.0 * s * s / 36.0, s / 6.0, k / 24.0 - s * s / 18.0])


def _own(s: float, k: float) -> tuple[float, float, float]:
    """Skewness, excess kurtosis and standard deviation of the expansion: moments of a cubic of a normal variable.

    Its mean is zero, by construction.
    """
    power, found = np.ones(1), []
    for _ in range(4):
        power = np.convolve(power, _cubic(s, k))
        found.append(float(power @ _MOMENTS[: power.size]))
    _, second, third, fourth = found
    return third / second**1.5, fourth / second**2 - 3.0, math.sqrt(second)


def _matched(skewness: float, kurtosis: float) -> tuple[float, float, float]:
    """The parameters whose expansion has these moments, and its standard deviation: Newton's method, from a normal."""
    s, k = 0.0, 0.0
    # In steps from a normal, whose parameters are its moments: each start is near its end.
    steps = 24
    for step in range(1, steps + 1):
        want = np.array([skewness, kurtosis]) * step / steps
        for _ in range(60):
            here = np.array(_own(s, k)[:2])
            if np.abs(here - want).max() < 1e-13 * (1.0 + np.abs(want).max()):
                break
            h = 1e-6
            slopes = np.column_stack(
                [
                    (np.array(_own(s + h, k)[:2]) - np.array(_own(s - h, k)[:2])) / (2.0 * h),
                    (np.array(_own(s, k + h)[:2]) - np.array(_own(s, k - h)[:2])) / (2.0 * h),
                ]
            )
            if abs(float(np.linalg.det(slopes))) < 1e-9:
                break
            move = np.linalg.solve(slopes, want - here)
            s, k = s + float(move[0]), k + float(move[1])
            if not (math.isfinite(s) and math.isfinite(k) and abs(s) < 10.0 and abs(k) < 100.0):
                break
    own = _own(s, k) if math.isfinite(s) and math.isfinite(k) and abs(s) < 10.0 and abs(k) < 100.0 else None
    if own is None or max(abs(own[0] - skewness), abs(own[1] - kurtosis)) > 1e-9 or not _rises(s, k):
        raise NotApplicable(
            f"no Cornish-Fisher expansion inside its domain has skewness {skewness:g} and excess kurtosis {kurtosis:g} "
            "(Maillard 2012). A t distribution or peaks over threshold may fit",
            code="not_covered",
            where="skewness, kurtosis",
            value=(skewness, kurtosis),
        )
    return s, k, own[2]
