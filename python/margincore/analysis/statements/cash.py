"""Cash: what has settled, what may be withdrawn without a call, and what a debit costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from margincore._core import InvalidInput, MissingData
from margincore.analysis.statements.plain import Part

__all__ = ["Cash", "Interest", "interest", "withdrawable"]


@dataclass(frozen=True, slots=True)
class Cash(Part):
    """Settled and unsettled cash by currency, each in its own, and what may be withdrawn, in the report's currency.

    `settled` and `unsettled` are `None` where nobody said what has settled, `withdrawable` where something it depends
    on is not known. `limit` names what stops a larger withdrawal.
    """

    settled: dict[str, float] | None
    unsettled: dict[str, float] | None
    withdrawable: float | None
    limit: str | None


@dataclass(frozen=True, slots=True)
class Interest(Part):
    """What a debit balance costs a day: ``debit * rate / days_in_year``, simple, in the currency of the debit."""

    currency: str
    debit: float
    rate: float
    days_in_year: int
    per_day: float


def withdrawable(bounds: Mapping[str, float]) -> tuple[float, str]:
    """The least of named bounds, not below zero, and its name.

    >>> withdrawable({"initial excess": 3_000.0, "minimum equity": -50.0})
    (0.0, 'minimum equity')
    """
    name = min(bounds, key=lambda key: bounds[key])
    return max(0.0, bounds[name]), name


def interest(cash: Mapping[str, float], rates: Mapping[str, float], days_in_year: int) -> tuple[Interest, ...]:
    """What each debit balance costs a day at annual rates by currency (0.08 is 8 %).

    Raises :class:`margincore.MissingData` for a debit without a rate.

    >>> [round(row.per_day, 2) for row in interest({"USD": -10_000.0, "EUR": 500.0}, {"USD": 0.09}, 360)]
    [2.5]
    """
    if days_in_year not in (360, 365):
        raise InvalidInput(
            f"days_in_year is {days_in_year!r}: 360 or 365",
            where="days_in_year",
            value=days_in_year,
            code="out_of_range",
        )
    rows = []
    for currency, balance in cash.items():
        if balance >= 0.0:
            continue
        if currency not in rates:
            raise MissingData(f"no interest rate of the debit in {currency}", where="interest", code="missing_rate")
        rate = rates[currency]
        if not math.isfinite(rate):
            raise InvalidInput(f"interest: the rate of {currency} is {rate}", where="interest", code="not_finite")
        rows.append(Interest(currency, -balance, rate, days_in_year, -balance * rate / days_in_year))
    return tuple(rows)
