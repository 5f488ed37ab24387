"""SVI slices: Gatheral's stochastic-volatility-inspired total variance of one expiry.

Raw, with k = ln(strike / forward): w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)). The natural and the
jump-wings parameters are others for the same curve. Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces",
Quantitative Finance 14 (2014), sections 3.1 to 3.3, whose names are used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.pricing.smiles._slices import Floats, checked, positive, strikes_of

__all__ = ["Svi"]


@dataclass(frozen=True, slots=True)
class Svi(Record):
    """A raw SVI slice. `b` and `sigma` are not negative, `rho` within -1 and 1, the least variance not negative.

    Such a slice may still hold arbitrage: :func:`~margincore.pricing.smiles.butterfly` tells.

    >>> slice = Svi(a=0.01, b=0.25, rho=-0.5, m=0.02, sigma=0.1, years=0.5, forward=4500.0)
    >>> slice.vol([4000.0, 4500.0]).round(4)
    array([0.3736, 0.2757])
    >>> slice.lee_slopes  # of total variance, left and right; 2 is the most there can be
    (0.375, 0.125)
    """

    a: float
    b: float
    rho: float
    m: float
    sigma: float
    years: float
    forward: float

    def __post_init__(self) -> None:
        checked("a", self.a)
        checked("b", self.b, 0.0)
        checked("rho", self.rho, -1.0, 1.0)
        checked("m", self.m)
        checked("sigma", self.sigma, 0.0)
        positive("years", self.years)
        positive("forward", self.forward)
        if self.least_variance < -1e-15:
            raise InvalidInput(
                f"the least total variance is {self.least_variance:g}: a + b sigma sqrt(1 - rho^2) is below 0",
                code="out_of_range",
                where="a",
                value=self.a,
            )

    @classmethod
    def from_natural(
        cls, delta: float, mu: float, rho: float, omega: float, zeta: float, *, years: float, forward: float
    ) -> Self:
        """From the natural parameters (equation 3.2); `zeta` positive and `rho` strictly within -1 and 1.

        >>> Svi.from_natural(0.01, 0.0, -0.5, 0.04, 5.0, years=1.0, forward=100.0).b
        0.1
        """
        positive("zeta", zeta)
        checked("omega", omega, 0.0)
        root = math.sqrt(1.0 - checked("rho", rho, -1.0, 1.0, strict=True) ** 2)
        return cls(
            a=delta + 0.5 * omega * root * root,
            b=0.5 * omega * zeta,
            rho=rho,
            m=mu - rho / zeta,
            sigma=root / zeta,
            years=years,
            forward=forward,
        )

    def natural(self) -> dict[str, float]:
        """The natural parameters: delta, mu, rho, omega, zeta (lemma 3.1).

        >>> natural = Svi.from_natural(0.01, 0.0, -0.5, 0.04, 5.0, years=1.0, forward=100.0).natural()
        >>> {name: round(value, 12) + 0.0 for name, value in natural.items()}
        {'delta': 0.01, 'mu': 0.0, 'rho': -0.5, 'omega': 0.04, 'zeta': 5.0}
        """
        root = math.sqrt(1.0 - self.rho**2)
        if root == 0.0 or self.sigma == 0.0:
            raise InvalidInput("a slice with rho of -1 or 1, or sigma of 0, has no natural parameters")
        omega = 2.0 * self.b * self.sigma / root
        return {
            "delta": self.a - 0.5 * omega * root * root,
            "mu": self.m + self.rho * self.sigma / root,
            "rho": self.rho,
            "omega": omega,
            "zeta": root / self.sigma,
        }

    @classmethod
    def from_jump_wings(
        cls, v: float, psi: float, p: float, c: float, v_tilde: float, *, years: float, forward: float
    ) -> Self:
        """From variance and skew at the money, slopes of the put and call wings, and the least variance (lemma 3.2).

        `v` and `v_tilde` are annual variances (0.04 is a vol of 20 %). Raises :class:`~margincore.InvalidInput` where
        no slice has them.

        >>> slice = Svi.from_jump_wings(0.04, -0.1, 0.6, 0.3, 0.035, years=0.5, forward=100.0)
        >>> {name: round(value, 12) for name, value in slice.jump_wings().items()}
        {'v': 0.04, 'psi': -0.1, 'p': 0.6, 'c': 0.3, 'v_tilde': 0.035}
        """
        positive("v", v)
        checked("v_tilde", v_tilde, 0.0, v)
        checked("p", p, 0.0)
        checked("c", c, 0.0)
        checked("psi", psi)
        root = math.sqrt(v * positive("years", years))
        b = 0.5 * root * (c + p)
        if b == 0.0:
            raise InvalidInput("p and c are both 0: a flat smile has no wings to be given by", code="out_of_range")
        rho = 1.0 - p * root / b
        beta = rho - 2.0 * psi * root / b
        if abs(beta) > 1.0:
            raise InvalidInput(
                f"psi is {psi}: the skew at the money is outside of the wings', {-0.5 * p:g} to {0.5 * c:g}",
                code="out_of_range",
                where="psi",
                value=psi,
            )
        cut = math.sqrt(1.0 - rho * rho)
        gap = (v - v_tilde) * years
        # With m = sigma beta / sqrt(1 - beta^2): the variance at the money less the least one is b sigma times this.
        edge = math.sqrt(1.0 - beta * beta)
        rise = math.inf if edge == 0.0 else (1.0 - rho * beta) / edge - cut
        if edge == 0.0:
            # The limit of sigma to 0: two straight wings that meet at m.
            m = gap / (b * (1.0 - rho * beta)) * beta if rho * beta != 1.0 else 0.0
            return cls(a=v_tilde * years, b=b, rho=rho, m=m, sigma=0.0, years=years, forward=forward)
        if rise <= 1e-14:
            raise InvalidInput(
                "v and v_tilde: the skew says that the least variance is at the money, where the curvature is then not "
                "determined: give raw or natural parameters",
                code="out_of_range",
                where="v_tilde",
                value=v_tilde,
            )
        sigma = gap / (b * rise)
        return cls(
            a=v_tilde * years - b * sigma * cut,
            b=b,
            rho=rho,
            m=sigma * beta / edge,
            sigma=sigma,
            years=years,
            forward=forward,
        )

    def jump_wings(self) -> dict[str, float]:
        """v, psi, p, c and v_tilde (equation 3.5)."""
        w = float(self.total_variance(0.0))
        if w <= 0.0:
            raise InvalidInput("without variance at the money there are no jump-wings parameters")
        root, radius = math.sqrt(w), math.hypot(self.m, self.sigma)
        turn = self.m / radius if radius > 0.0 else 0.0
        return {
            "v": w / self.years,
            "psi": 0.5 * self.b * (self.rho - turn) / root,
            "p": self.b * (1.0 - self.rho) / root,
            "c": self.b * (1.0 + self.rho) / root,
            "v_tilde": self.least_variance / self.years,
        }

    @property
    def least_variance(self) -> float:
        """The least total variance of any strike."""
        return self.a + self.b * self.sigma * math.sqrt(1.0 - self.rho**2)

    @property
    def lee_slopes(self) -> tuple[float, float]:
        """The slopes of total variance in the far left and right, as positive numbers.

        More than 2 is arbitrage: Lee, "The moment formula for implied volatility at extreme strikes", Mathematical
        Finance 14 (2004).
        """
        return self.b * (1.0 - self.rho), self.b * (1.0 + self.rho)

    def total_variance(self, log_moneyness: ArrayLike) -> Any:
        """w(k) at ``k = ln(strike / forward)``."""
        return self.derivatives(log_moneyness)[0]

    def derivatives(self, log_moneyness: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """w(k), its slope and its curvature."""
        x = np.asarray(log_moneyness, np.float64) - self.m
        radius = np.sqrt(x * x + self.sigma**2)
        safe = np.where(radius > 0.0, radius, 1.0)
        return (
            np.maximum(self.a + self.b * (self.rho * x + radius), 0.0),
            self.b * (self.rho + x / safe),
            self.b * self.sigma**2 / safe**3,
        )

    def vol(self, strike: ArrayLike) -> Any:
        """Vols at strikes, annual fractions."""
        return np.sqrt(self.total_variance(np.log(strikes_of(strike) / self.forward)) / self.years)
