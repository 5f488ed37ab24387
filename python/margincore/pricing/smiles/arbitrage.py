"""Arbitrage in smiles: negative densities within an expiry, and variance that falls from one expiry to the next."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.pricing.smiles._slices import Floats, Slice
from margincore.pricing.smiles.svi import Svi

__all__ = ["Butterfly", "Calendar", "bend_of", "butterfly", "calendar", "durrleman", "reach_of"]

_POINTS = 2_001
_FAR = 12.0
"""How many deviations at the money the grid of a slice reaches either way."""
_LEE = 2.0


@dataclass(frozen=True, slots=True)
class Butterfly(Record):
    """What :func:`butterfly` finds: `worst` is the least of Durrleman's g, at the log-moneyness `at`; `slopes` are
    those of total variance in the far left and right (of the ends of the grid, where a slice has no formula for them).
    """

    free: bool
    worst: float
    at: float
    slopes: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Calendar(Record):
    """What :func:`calendar` finds: `worst` is the least growth of total variance from one expiry to the next, at the
    log-moneyness `at`, between the expiries `pair` (in years).
    """

    free: bool
    worst: float
    at: float
    pair: tuple[float, float]


def reach_of(deviation: float) -> float:
    """How far the grid of a slice goes either way, in log-moneyness, by its deviation at the money."""
    return max(_FAR * deviation, 0.5)


def bend_of(slice: Svi, reach: float, points: int) -> Floats:
    """Points around the bend of a slice, which is as wide as its sigma: that may be less than a step of a grid."""
    bend = max(slice.sigma, 1e-4) * np.sinh(np.linspace(-7.0, 7.0, points))
    return slice.m + np.clip(bend, -2.0 * reach, 2.0 * reach)


def _grid(slices: Sequence[Slice]) -> Floats:
    reach = reach_of(max(float(np.sqrt(s.total_variance(0.0))) for s in slices))
    bends = [bend_of(s, reach, 401) for s in slices if isinstance(s, Svi)]
    return np.unique(np.concatenate([np.linspace(-reach, reach, _POINTS), *bends]))


def _derivatives(smile: Slice, k: Floats) -> tuple[Floats, Floats, Floats]:
    if isinstance(smile, Svi):
        return smile.derivatives(k)
    # A smile without formulas: differences, whose error is far below what a check is about.
    h = 1e-3 * max(float(np.sqrt(smile.total_variance(0.0))), 1e-3)
    left, here, right = (np.asarray(smile.total_variance(k + by)) for by in (-h, 0.0, h))
    return here, (right - left) / (2.0 * h), (right - 2.0 * here + left) / (h * h)


def durrleman(smile: Slice, log_moneyness: Floats) -> Floats:
    """g(k), which has the sign of the density: (1 - k w'/(2 w))^2 - w'^2/4 (1/w + 1/4) + w''/2.

    Gatheral and Jacquier (2014), equation 2.1.
    """
    w, slope, bend = _derivatives(smile, log_moneyness)
    w = np.maximum(w, 1e-300)
    return (1.0 - 0.5 * log_moneyness * slope / w) ** 2 - 0.25 * slope**2 * (1.0 / w + 0.25) + 0.5 * bend


def butterfly(smile: Slice, *, tolerance: float = 1e-9) -> Butterfly:
    """Whether the density of a slice is negative somewhere: a butterfly that pays to be held.

    Durrleman's g is taken on a grid of twelve deviations either way, finer around the bend of an SVI slice, and the
    slopes of total variance in the wings are held to Lee's bound of 2. Below minus `tolerance` is arbitrage.

    >>> vogt = Svi(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153, years=1.0, forward=1.0)
    >>> found = butterfly(vogt)  # Axel Vogt's example: Gatheral and Jacquier (2014), section 3.4
    >>> found.free, round(found.worst, 2), round(found.at, 2)
    (False, -0.03, 0.88)
    """
    k = _grid([smile])
    g = durrleman(smile, k)
    worst = int(np.argmin(g))
    if isinstance(smile, Svi):
        slopes = smile.lee_slopes
    else:
        _, slope, _ = _derivatives(smile, k[[0, -1]])
        slopes = (float(-slope[0]), float(slope[1]))
    free = bool(g[worst] >= -tolerance and max(slopes) <= _LEE)
    return Butterfly(free, float(g[worst]), float(k[worst]), slopes)


def calendar(slices: Sequence[Slice], *, tolerance: float = 1e-9) -> Calendar:
    """Whether total variance falls with time at some moneyness: a calendar spread that pays to be held.

    The slices of at least two expiries, in any order; held against the next by ``ln(strike / forward)`` on the grid of
    :func:`butterfly`, and by the slopes of SVI slices in the wings.

    >>> near = Svi(0.01, 0.05, -0.5, 0.0, 0.1, years=0.25, forward=100.0)
    >>> calendar([near, Svi(0.012, 0.03, -0.5, 0.0, 0.1, years=0.5, forward=101.0)]).free
    False
    """
    if len(slices) < 2:
        raise InvalidInput(f"calendar: two slices at least are needed, not {len(slices)}", code="wrong_shape")
    ordered = sorted(slices, key=lambda s: s.years)
    found: list[Calendar] = []
    for near, far in itertools.pairwise(ordered):
        if near.years == far.years:
            raise InvalidInput(f"calendar: two slices have {near.years} years", code="duplicate", where="years")
        k = _grid([near, far])
        growth = np.asarray(far.total_variance(k)) - np.asarray(near.total_variance(k))
        at = int(np.argmin(growth))
        free = bool(growth[at] >= -tolerance)
        if isinstance(near, Svi) and isinstance(far, Svi):
            free = free and all(b >= a - tolerance for a, b in zip(near.lee_slopes, far.lee_slopes, strict=True))
        found.append(Calendar(free, float(growth[at]), float(k[at]), (near.years, far.years)))
    return min(found, key=lambda c: (c.free, c.worst))
