"""Price scan ranges of Indian clearing corporations: sigmas of an exponentially weighted volatility, and a floor.

The recursion is J. R. Varma's, of the committee on risk containment in the derivatives market (1998): ``sigma_t**2 =
lambda sigma_(t-1)**2 + (1 - lambda) r_t**2`` with logarithmic returns. SEBI set lambda to 0.995 with its circular
SEBI/HO/MRD2/DCAP/CIR/P/2020/27 of 24 February 2020.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.backtest.columns import positive

__all__ = ["SIGMA_RANGES", "SigmaRange", "sigma_range"]


@dataclass(frozen=True, slots=True)
class SigmaRange(Record):
    """A published rule of a scan range: `sigmas` times the volatility times the root of `days`, at least `floor`.

    `decay` is lambda. `exponential` says that the limit of the logarithm is turned into a price, ``exp(k sigma) - 1``,
    as the report of 1998 has it; later texts state the sigmas alone. `published` is the date of the text it is taken
    from, not the day from which it was charged.
    """

    decay: float
    sigmas: float
    days: int
    floor: float
    exponential: bool
    published: str
    source: str

    def of(self, volatility: float) -> float:
        """The scan range for a daily `volatility`, both as fractions: 0.093 is 9.3 % of the price.

        >>> SIGMA_RANGES["nse-index-2024"].of(0.008), round(SIGMA_RANGES["nse-index-2024"].of(0.015), 6)
        (0.093, 0.127279)
        """
        far = self.sigmas * given.number("volatility", volatility, 0.0) * math.sqrt(self.days)
        return max(math.expm1(far) if self.exponential else far, self.floor)


_NSE = "NSE Clearing, equity derivatives, SPAN risk parameters, as updated on 4 July 2024; SEBI circular of 24 Feb 2020"

SIGMA_RANGES = {
    "nse-index-2024": SigmaRange(0.995, 6.0, 2, 0.093, False, "2024-07-04", _NSE),
    "nse-index-long-2024": SigmaRange(0.995, 6.0, 2, 0.177, False, "2024-07-04", _NSE),
    "nse-stock-2024": SigmaRange(0.995, 6.0, 2, 0.142, False, "2024-07-04", _NSE),
    "varma-index-1998": SigmaRange(
        0.94, 3.0, 1, 0.0, True, "1998-11-01",
        "J. R. Varma Committee, Risk containment in the derivatives market (SEBI, November 1998), section 3.2",
    ),
}  # fmt: skip
"""Published rules by name. ``nse-index-long`` is of index options with more than nine months to run."""


def sigma_range(
    prices: ArrayLike,
    rule: Literal["nse-index-2024", "nse-index-long-2024", "nse-stock-2024", "varma-index-1998"] | SigmaRange,
    *,
    first_volatility: float,
) -> float:
    """The scan range of an underlying after its last price, as a fraction of that price: SPAN's ``price_scan``.

    `prices` are daily closes, the oldest first; `first_volatility` is the daily volatility before the first of their
    returns, which the texts leave to the clearing corporation: with lambda 0.995 it counts for a year and more, so
    there is no default. A rule is one of ``SIGMA_RANGES`` or one's own.

    What the texts leave open, and a clearing corporation may add to: additional margins, and rounding of the published
    range; its own parameter file has the range that was charged, and :class:`margincore.methods.Span` reads it.

    Raises :class:`InvalidInput` for fewer than two prices, one that is not positive, and an unknown rule.

    >>> closes = [24_000.0, 24_150.0, 23_900.0, 24_010.0, 23_500.0]
    >>> sigma_range(closes, "nse-index-2024", first_volatility=0.009)              # the floor
    0.093
    >>> round(sigma_range(closes, "nse-stock-2024", first_volatility=0.02), 6)
    0.168684
    """
    chosen = rule if isinstance(rule, SigmaRange) else SIGMA_RANGES[given.name("rule", rule, SIGMA_RANGES)]
    levels = positive("prices", prices)
    if levels.size < 2:
        given.refuse("prices", levels.size, "at least two are needed for a return", "wrong_shape")
    variance = given.number("first_volatility", first_volatility, 0.0) ** 2
    for before, after in zip(levels[:-1].tolist(), levels[1:].tolist(), strict=True):
        variance = chosen.decay * variance + (1.0 - chosen.decay) * math.log(after / before) ** 2
    return chosen.of(math.sqrt(variance))
