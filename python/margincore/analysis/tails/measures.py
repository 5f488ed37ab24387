"""One grammar for the tail of a sample: its losses, the name of a measure, a confidence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from margincore._core import CalculationError
from margincore.analysis import given
from margincore.analysis.backtest.columns import column
from margincore.analysis.tails.cornish import cornish_fisher
from margincore.analysis.tails.distributions import normal, student_t
from margincore.analysis.tails.pareto import pareto
from margincore.analysis.tails.tail import Confidence, Tail
from margincore.analysis.tails.weighted import weighted
from margincore.methods import hvar

__all__ = ["measure"]

#: What a fitted tail is told beside the losses.
_FITTED = {
    "normal": (),
    "student_t": ("degrees",),
    "cornish_fisher": ("moments",),
    "pareto": ("threshold", "exceedances"),
}


def measure(
    losses: ArrayLike, measure: str, confidence: Confidence, *, weights: ArrayLike | None = None, **options: Any
) -> float:
    """One measure of losses: a positive number is a loss, in the unit of `losses`.

    `measure` is one of :func:`margincore.methods.hvar.measure` (thirteen quantiles, four shortfalls, ``weighted`` and
    ``es_weighted`` with ``age_decay``), under `weights` one of :func:`weighted`'s, or of a fitted tail, with ``es_``
    before it for its shortfall:

    - ``normal``: the deviation of the losses (over ``n``) about a mean of zero, as the rulebook takes it;
    - ``student_t``: the same with ``degrees``, scaled to that deviation;
    - ``cornish_fisher``: mean, deviation, skewness and kurtosis of the losses (all over ``n``), with ``moments``;
    - ``pareto``: ``threshold`` or ``exceedances`` (:func:`pareto`).

    Raises :class:`InvalidInput` for an unknown measure or option, and what the functions named raise.
    :class:`CalculationError` where a tail has no shortfall.

    >>> import numpy as np
    >>> losses = np.random.default_rng(1).standard_t(4, 2000)
    >>> for name, options in [("linear", {}), ("es_acerbi", {}), ("es_normal", {}), ("es_student_t", {"degrees": 4}),
    ...                       ("es_pareto", {"exceedances": 100})]:
    ...     print(f"{name:14} {measure(losses, name, '0.99', **options):.3f}")
    linear         4.168
    es_acerbi      5.754
    es_normal      4.051
    es_student_t   5.610
    es_pareto      5.778
    """
    name, shortfall = (measure[3:], True) if measure.startswith("es_") else (measure, False)
    if weights is not None:
        _known(measure, options, ())
        return weighted(losses, weights, measure, confidence)
    if name not in _FITTED or measure == "normal":
        _known(measure, options, ("age_decay",))
        return hvar.measure(losses, measure, confidence, **options)
    _known(measure, options, _FITTED[name])
    tail = _tail(name, column("losses", losses), confidence, options)
    if not shortfall:
        return tail.var
    if tail.es is None:
        raise CalculationError(f"{measure}: the fitted tail has no mean beyond its quantile: it is too heavy")
    return tail.es


def _tail(name: str, x: np.ndarray, confidence: Confidence, options: dict[str, Any]) -> Tail:
    if name == "pareto":
        return pareto(x, **options).tail(confidence)
    if x.size < 2:
        given.refuse("losses", x.size, "at least two are needed for a deviation", "wrong_shape")
    if name == "normal":
        return normal(confidence, deviation=float(x.std()))
    if name == "student_t":
        return student_t(confidence, _needed(name, options, "degrees"), spread="deviation", size=float(x.std()))
    mean, wide = float(x.mean()), float(x.std())
    if wide == 0.0:
        given.refuse("losses", mean, "losses that differ are needed for a skewness", "out_of_range")
    z = (x - mean) / wide
    skewness, kurtosis = float((z**3).mean()), float((z**4).mean() - 3.0)
    moments = _needed(name, options, "moments")
    return cornish_fisher(confidence, skewness, kurtosis, moments=moments, mean=mean, deviation=wide)


def _needed(measure: str, options: dict[str, Any], name: str) -> Any:
    if name not in options:
        given.refuse(name, None, f"measure {measure!r} needs it", "missing_parameter")
    return options[name]


def _known(measure: str, options: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in options:
        if name not in known:
            takes = f"takes {', '.join(known)}" if known else "takes no options"
            given.refuse(name, options[name], f"measure {measure!r} {takes}", "unknown_name")
