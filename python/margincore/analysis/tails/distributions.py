"""Tails of the normal and of Student's t distribution, of losses: a positive number is a loss.

A. McNeil, R. Frey and P. Embrechts, Quantitative Risk Management (2nd ed. 2015), chapter 2.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal

from margincore.analysis import given
from margincore.analysis.tails.tail import Confidence, Tail, level

__all__ = ["normal", "student_t"]

_NORMAL = NormalDist()


def normal(confidence: Confidence, *, mean: float = 0.0, deviation: float = 1.0) -> Tail:
    """Value at risk and expected shortfall of a normal loss of this `mean` and standard `deviation`.

    ``VaR = mean + deviation z`` with the normal quantile ``z``, ``ES = mean + deviation phi(z) / (1 - a)``. Units are
    those of the losses; a `confidence` is written as in :mod:`margincore.methods.hvar` (``"0.975"``). Raises
    :class:`InvalidInput` for what is no confidence, and a negative deviation.

    >>> tail = normal("0.975")
    >>> round(tail.var, 6), round(tail.es, 6)
    (1.959964, 2.337803)
    """
    a, centre = level(confidence), given.number("mean", mean)
    wide = given.number("deviation", deviation, 0.0)
    z = _NORMAL.inv_cdf(a)
    return Tail(centre + wide * z, centre + wide * _NORMAL.pdf(z) / (1.0 - a))


def student_t(
    confidence: Confidence,
    degrees: float,
    *,
    spread: Literal["deviation", "scale"],
    mean: float = 0.0,
    size: float = 1.0,
) -> Tail:
    """Value at risk and expected shortfall of a loss with Student's t distribution of so many `degrees` of freedom.

    `spread` says what `size` is, and has no default because half the field means the other one: ``"deviation"`` is the
    standard deviation of the losses (the t is scaled to unit variance, which needs more than two degrees), ``"scale"``
    what the plain t is multiplied with, whose variance is ``degrees / (degrees - 2)``. `degrees` need not be whole.

    ``ES = mean + scale f(q) / (1 - a) (degrees + q**2) / (degrees - 1)`` with the density ``f`` and the quantile ``q``
    of the plain t; ``None`` up to one degree, where a t has no mean. Raises :class:`InvalidInput` for degrees that are
    not positive, or not above two with ``spread="deviation"``.

    >>> plain, unit = student_t("0.99", 4, spread="scale"), student_t("0.99", 4, spread="deviation")
    >>> round(plain.var, 4), round(plain.es, 4), round(unit.var, 4), round(unit.es, 4)
    (3.7469, 5.2206, 2.6495, 3.6915)
    """
    a, centre, wide = level(confidence), given.number("mean", mean), given.number("size", size, 0.0)
    nu = given.number("degrees", degrees, above=0.0)
    if given.name("spread", spread, ("deviation", "scale")) == "deviation":
        if nu <= 2.0:
            given.refuse("degrees", nu, "more than two are needed for a standard deviation", "out_of_range")
        wide *= math.sqrt((nu - 2.0) / nu)
    q = _quantile(a, nu)
    beyond = None
    if nu > 1.0:
        beyond = centre + wide * _density(q, nu) / (1.0 - a) * (nu + q * q) / (nu - 1.0)
    return Tail(centre + wide * q, beyond)


def _density(x: float, nu: float) -> float:
    fixed = math.lgamma((nu + 1.0) / 2.0) - math.lgamma(nu / 2.0) - 0.5 * math.log(nu * math.pi)
    return math.exp(fixed - 0.5 * (nu + 1.0) * math.log1p(x * x / nu))


def _beyond(x: float, nu: float) -> float:
    """The probability above `x`, at least zero: half the incomplete beta function (Abramowitz and Stegun 26.7.1)."""
    square = x * x
    return 0.5 * _incomplete_beta(nu / (nu + square), square / (nu + square), nu / 2.0, 0.5)


def _incomplete_beta(x: float, other: float, a: float, b: float) -> float:
    """The regularised incomplete beta function at `x`, with `other` = 1 - x, by its continued fraction (26.5.8)."""
    if other <= 0.0:
        return 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(other, x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(other))
    # Lentz's method: every second term of the fraction has another form.
    tiny = 1e-300
    c, d = 1.0, 1.0 / max(1.0 - (a + b) * x / (a + 1.0), tiny)
    value = d
    for m in range(1, 20_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 / (1.0 + term * d or tiny)
            c = 1.0 + term / c or tiny
            value *= c * d
        if abs(c * d - 1.0) < 1e-16:
            break
    return front * value / a


def _quantile(a: float, nu: float) -> float:
    """By bisection, to the last bit but few; symmetric about zero."""
    if a < 0.5:
        return -_quantile(1.0 - a, nu)
    low, high = 0.0, 1.0
    while _beyond(high, nu) > 1.0 - a:
        low, high = high, 2.0 * high
        if math.isinf(high * high):
            given.refuse("degrees", nu, "a quantile that can be written is needed: more degrees", "out_of_range")
    for _ in range(200):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (middle, high) if _beyond(middle, nu) > 1.0 - a else (low, middle)
    return 0.5 * (low + high)
