"""What every slice of a smile offers, and the checks that its numbers go through."""

from __future__ import annotations

import math
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from margincore._core import InvalidInput
from margincore.columns import is_column, numbers

__all__ = ["Floats", "Slice", "checked", "column", "positive", "strikes_of"]

Floats = NDArray[np.float64]


@runtime_checkable
class Slice(Protocol):
    """The smile of one expiry: years to it, its forward, vols by strike and total variance by log-moneyness."""

    @property
    def years(self) -> float:
        """Years to expiry."""
        ...

    @property
    def forward(self) -> float:
        """The forward that the slice belongs to."""
        ...

    def vol(self, strike: ArrayLike) -> Any:
        """The lognormal vol at strikes, an annual fraction, in their shape."""
        ...

    def total_variance(self, log_moneyness: ArrayLike) -> Any:
        """Vol squared times years at ``ln(strike / forward)``."""
        ...


def checked(
    what: str, value: float, least: float = -math.inf, most: float = math.inf, *, strict: bool = False
) -> float:
    """A parameter as a float within its bounds; `strict` leaves the bounds out."""
    if isinstance(value, bool | str) or not isinstance(value, int | float | np.floating | np.integer):
        raise InvalidInput(f"{what}: a number is needed, not {type(value).__name__}", code="wrong_type", where=what)
    number = float(value)
    inside = least < number < most if strict else least <= number <= most
    if not inside or not math.isfinite(number):
        bounds = f"{'between' if strict else 'from'} {least:g} {'and' if strict else 'to'} {most:g}"
        raise InvalidInput(
            f"{what} is {value}; a finite number {bounds} is needed", code="out_of_range", where=what, value=number
        )
    return number


def positive(what: str, value: float) -> float:
    """A parameter above zero."""
    return checked(what, value, 0.0, strict=True)


def column(what: str, values: ArrayLike) -> Floats:
    """A vector of finite numbers, also from a Series."""
    found = np.atleast_1d(numbers(what, values if is_column(values) else np.atleast_1d(np.asarray(values))))
    if found.ndim != 1:
        raise InvalidInput(f"{what}: one column is needed, not shape {found.shape}", code="wrong_shape", where=what)
    return found


def strikes_of(strike: ArrayLike, least: float = 0.0) -> Floats:
    """Strikes as floats in their own shape, each above `least`."""
    given = np.asarray(strike)
    if given.dtype.kind not in "iuf":
        given = column("strike", strike).reshape(given.shape)
    found = given.astype(np.float64)
    bad = ~(np.isfinite(found) & (found > least))
    if bad.any():
        row = int(np.argmax(bad))
        value = found.reshape(-1)[row]
        raise InvalidInput(
            f"row {row}: strike is {value}; a finite number above {least:g} is needed",
            code="out_of_range",
            where=f"row {row}: strike",
            value=float(value),
        )
    return found
