"""Readers of what a backtest is given: columns of numbers, counts of breaches."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import InvalidInput

__all__ = ["Floats", "column", "counts", "number", "pair", "positive", "rate", "truths"]

Floats = NDArray[np.float64]


def column(name: str, values: ArrayLike) -> Floats:
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name}: numbers are needed: {error}", code="wrong_type") from None
    if column.ndim != 1 or not np.isfinite(column).all():
        odd = column[~np.isfinite(column)]
        raise InvalidInput(
            f"{name}: a one-dimensional array of finite numbers is needed, not of shape {column.shape}"
            + (f" with {odd[0]}" if odd.size else ""),
            code="wrong_type",
        )
    return column


def positive(name: str, values: ArrayLike) -> Floats:
    """What is divided by."""
    found = column(name, values)
    if found.size == 0 or (found <= 0.0).any():
        raise InvalidInput(
            f"{name}: positive amounts are needed, at least one: their ratios are asked for", code="out_of_range"
        )
    return found


def number(name: str, value: float, least: float, most: float = math.inf) -> float:
    if not (least <= value <= most and math.isfinite(value)):
        raise InvalidInput(f"{name} is {value}: a finite number from {least} to {most} is needed", code="not_finite")
    return value


def pair(margins: ArrayLike, others: ArrayLike, other: str = "loss") -> tuple[Floats, Floats]:
    m, x = column("margins", margins), column(f"{other} column", others)
    if m.size != x.size or m.size == 0:
        raise InvalidInput(f"{m.size} margins, {x.size} of the {other} column: one {other} for each margin is needed")
    return m, x


def counts(observations: int, failures: int, p: float) -> None:
    whole = all(float(count).is_integer() for count in (observations, failures))
    if not whole or not 0 <= failures <= observations or observations == 0 or not 0.0 < p <= 0.5:
        raise InvalidInput(
            f"{failures} breaches of {observations} at p = {p}: whole counts are needed, and the promised rate of "
            "breaches above 0 and up to 0.5 (0.01 for a confidence of 99 %)",
            code="out_of_range",
        )


def truths(name: str, values: ArrayLike) -> NDArray[np.bool_]:
    """Where there was a breach, by date."""
    found = np.asarray(values)
    if found.ndim != 1 or found.dtype != np.bool_:
        raise InvalidInput(
            f"{name}: a one-dimensional array of True and False is needed (see breaches)", code="wrong_type"
        )
    return found


def rate(p: float) -> float:
    """The promised rate of breaches."""
    if isinstance(p, bool) or not 0.0 < p <= 0.5:
        raise InvalidInput(
            f"p is {p}: the promised rate of breaches is above 0 and up to 0.5 (0.01 for a confidence of 99 %)",
            code="out_of_range",
            where="p",
            value=p,
        )
    return float(p)
