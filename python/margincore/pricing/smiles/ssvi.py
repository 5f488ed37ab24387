"""SSVI: one surface of SVI slices by their variance at the money.

w(k, theta) = theta / 2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)) with the power law
phi(theta) = eta / (theta^gamma (1 + theta)^(1 - gamma)). Gatheral and Jacquier (2014), section 4 and equation 4.5.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from dataclasses import dataclass

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.pricing.smiles._slices import checked, positive
from margincore.pricing.smiles.svi import Svi

__all__ = ["Ssvi"]


@dataclass(frozen=True, slots=True)
class Ssvi(Record):
    """A surface: `rho`, `eta` and `gamma` for all expiries, and by expiry `years`, `forward` and `theta`, the total
    variance at the money, in order of years. Variance at the money may not fall with time: that is calendar arbitrage.

    >>> surface = Ssvi(rho=-0.6, eta=1.0, gamma=0.5, years=(0.25, 1.0), forward=(100.0, 102.0), theta=(0.01, 0.045))
    >>> surface.slice(1.0).vol([90.0, 102.0]).round(4)
    array([0.2496, 0.2121])
    >>> surface.is_free  # of butterflies and of calendars, by theorems 4.1 and 4.2
    True
    """

    rho: float
    eta: float
    gamma: float
    years: tuple[float, ...]
    forward: tuple[float, ...]
    theta: tuple[float, ...]

    def __post_init__(self) -> None:
        checked("rho", self.rho, -1.0, 1.0, strict=True)
        positive("eta", self.eta)
        checked("gamma", self.gamma, 0.0, 1.0)
        if not (len(self.years) == len(self.forward) == len(self.theta) > 0):
            raise InvalidInput(
                f"years, forward and theta have {len(self.years)}, {len(self.forward)} and {len(self.theta)} values: "
                "one of each is needed per expiry",
                code="wrong_shape",
            )
        for name in ("years", "forward", "theta"):
            for value in getattr(self, name):
                positive(name, value)
        for name, least in (("years", 1e-12), ("theta", 0.0)):
            values = getattr(self, name)
            for row, (before, after) in enumerate(itertools.pairwise(values), start=1):
                if after - before < least:
                    raise InvalidInput(
                        f"{name}: {after:g} (expiry {row}) comes after {before:g}: it must grow with the expiry",
                        code="out_of_range",
                        where=name,
                        value=after,
                    )

    def phi(self, theta: float) -> float:
        """The power law."""
        return self.eta / (math.pow(theta, self.gamma) * math.pow(1.0 + theta, 1.0 - self.gamma))

    @property
    def is_free(self) -> bool:
        """Whether the sufficient conditions of theorems 4.1 and 4.2 hold at every expiry of the surface."""
        most = 1.0 + abs(self.rho)
        limit = math.inf if self.rho == 0.0 else (1.0 + math.sqrt(1.0 - self.rho**2)) / self.rho**2
        for theta in self.theta:
            phi = self.phi(theta)
            # d(theta phi) / d theta over phi, of the power law.
            growth = (1.0 - self.gamma) / (1.0 + theta)
            if theta * phi * most >= 4.0 or theta * phi * phi * most > 4.0 or not 0.0 <= growth <= limit:
                return False
        return True

    def slice(self, years: float) -> Svi:
        """The slice of an expiry: one of the surface's, or between two, variance at the money linear in time and the
        forward's logarithm too. Before the first expiry variance grows from zero, at the first forward; after the last
        there is none.
        """
        positive("years", years)
        if years > self.years[-1]:
            raise InvalidInput(
                f"years is {years}: the surface ends at {self.years[-1]:g}",
                code="out_of_range",
                where="years",
                value=years,
            )
        at = bisect_left(self.years, years)
        if at == 0:
            theta, forward = self.theta[0] * years / self.years[0], self.forward[0]
        else:
            part = (years - self.years[at - 1]) / (self.years[at] - self.years[at - 1])
            theta = self.theta[at - 1] + part * (self.theta[at] - self.theta[at - 1])
            forward = self.forward[at - 1] * (self.forward[at] / self.forward[at - 1]) ** part
        return Svi.from_natural(0.0, 0.0, self.rho, theta, self.phi(theta), years=years, forward=forward)
