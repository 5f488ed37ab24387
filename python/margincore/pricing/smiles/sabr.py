"""SABR slices: Hagan's expansions of the lognormal and the normal vol.

dF = A F^beta dW, dA = nu A dZ, dW dZ = rho dt, A = alpha now. Hagan, Kumar, Lesniewski and Woodward, "Managing smile
risk", Wilmott Magazine (September 2002), equation 2.17 for the lognormal vol, appendix A for the normal one. Far from
the money, and for long expiries, the expansions hold arbitrage: :func:`~margincore.pricing.smiles.butterfly` tells
where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from margincore._core import NotApplicable
from margincore._pickles import Record
from margincore.pricing.smiles._slices import Floats, checked, positive, strikes_of

__all__ = ["Sabr"]

Kind = Literal["lognormal", "normal"]


@dataclass(frozen=True, slots=True)
class Sabr(Record):
    """A SABR slice. :meth:`vol` is lognormal, an annual fraction; :meth:`normal_vol` in price units per root year.

    `alpha` is positive, `beta` from 0 to 1, `rho` strictly within -1 and 1, `nu` not negative. `shift` is added to
    forward and strike, as in :mod:`margincore.pricing.shifted_lognormal`, whose vol :meth:`vol` then is. With `beta` of
    0, :meth:`normal_vol` takes any forward and strike.

    >>> slice = Sabr(alpha=0.04, beta=0.5, rho=-0.3, nu=0.6, years=2.0, forward=0.05)
    >>> slice.vol([0.03, 0.05, 0.08]).round(8)  # QuantLib 1.44, sabrVolatility
    array([0.29366309, 0.18684885, 0.19240396])
    >>> normal = Sabr(alpha=0.007, beta=0.0, rho=-0.18, nu=0.29, years=0.25, forward=-0.00383)
    >>> float(normal.normal_vol(-0.003).round(4))
    0.007
    """

    alpha: float
    beta: float
    rho: float
    nu: float
    years: float
    forward: float
    shift: float = 0.0

    def __post_init__(self) -> None:
        positive("alpha", self.alpha)
        checked("beta", self.beta, 0.0, 1.0)
        checked("rho", self.rho, -1.0, 1.0, strict=True)
        checked("nu", self.nu, 0.0)
        positive("years", self.years)
        checked("forward", self.forward)
        checked("shift", self.shift)
        if self.beta > 0.0:
            positive("forward plus shift", self.forward + self.shift)

    def vol(self, strike: ArrayLike) -> Any:
        """Lognormal vols at strikes (of forward plus shift, where there is one), annual fractions."""
        forward = self._moved()
        moved = strikes_of(strike, -self.shift) + self.shift
        one = 1.0 - self.beta
        log, product = np.log(forward / moved), (forward * moved) ** one
        root, square = np.sqrt(product), (one * log) ** 2
        correction = self._correction(one * one * self.alpha**2 / (24.0 * product), root)
        level = self.alpha / (root * (1.0 + square / 24.0 + square * square / 1920.0))
        return level * self._skewed(self.nu / self.alpha * root * log) * correction

    def normal_vol(self, strike: ArrayLike) -> Any:
        """Normal vols at strikes, in price units per square root of a year."""
        one = 1.0 - self.beta
        if self.beta == 0.0:
            moved = strikes_of(strike, -np.inf)
            return (
                self.alpha
                * self._skewed(self.nu / self.alpha * (self.forward - moved))
                * (1.0 + (2.0 - 3.0 * self.rho**2) / 24.0 * self.nu**2 * self.years)
            )
        forward = self._moved()
        moved = strikes_of(strike, -self.shift) + self.shift
        log, product = np.log(forward / moved), (forward * moved) ** one
        root, far, square = np.sqrt(product), log**2, (one * log) ** 2
        drift = -self.beta * (2.0 - self.beta) * self.alpha**2 / (24.0 * product)
        shape = (1.0 + far / 24.0 + far**2 / 1920.0) / (1.0 + square / 24.0 + square**2 / 1920.0)
        level = self.alpha * (forward * moved) ** (0.5 * self.beta) * shape
        return level * self._skewed(self.nu / self.alpha * root * log) * self._correction(drift, root)

    def total_variance(self, log_moneyness: ArrayLike) -> Any:
        """The lognormal vol squared times years, at ``ln(strike / forward)``; of slices without a shift."""
        if self.shift != 0.0:
            raise NotApplicable("a slice with a shift has no variance by moneyness: its vol is of forward plus shift")
        k = np.asarray(log_moneyness, np.float64)
        return self.vol(self.forward * np.exp(k)) ** 2 * self.years

    def _moved(self) -> float:
        return positive("forward plus shift", self.forward + self.shift)

    def _correction(self, first: Floats, root: Floats) -> Floats:
        second = 0.25 * self.rho * self.beta * self.nu * self.alpha / root
        third = (2.0 - 3.0 * self.rho**2) * self.nu**2 / 24.0
        return 1.0 + (first + second + third) * self.years

    def _skewed(self, z: Floats) -> Floats:
        """z / x(z), by its series near the money."""
        z = np.asarray(z)
        rho = self.rho
        near = np.abs(z) < 1e-5
        safe = np.where(near, 1.0, z)
        # For z below rho the argument of the logarithm cancels: it is the reciprocal's, the other way round.
        root = np.sqrt(1.0 - 2.0 * rho * safe + safe * safe)
        up = np.log((root + np.abs(safe - rho)) / np.where(safe >= rho, 1.0 - rho, 1.0 + rho))
        # (root + z - rho) (root - z + rho) = 1 - rho^2.
        x = np.where(safe >= rho, up, -up)
        series = 1.0 - 0.5 * rho * z + (2.0 - 3.0 * rho * rho) / 12.0 * z * z
        return np.where(near, series, safe / np.where(near, 1.0, x))
