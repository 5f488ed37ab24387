"""What the translations of the crypto venues share."""

from __future__ import annotations

import datetime as dt
from typing import Any

import margincore as mc

from ..cases import Check, required

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
COIN = "UND"
"""The underlying where a case does not name one."""


class Judge:
    """Collects checks at the tolerance of the case."""

    def __init__(self, case: dict[str, Any]) -> None:
        tolerance = required(case, "tolerance", dict, case.get("id", "case"))
        self.rel = tolerance.get("relative", 0.0)
        self.abs_ = tolerance.get("absolute", 0.0)
        self.checks: list[Check] = []

    def add(
        self, name: str, expected: float, actual: float, rel: float | None = None, abs_: float | None = None
    ) -> None:
        self.checks.append(
            Check(name, expected, actual, self.rel if rel is None else rel, self.abs_ if abs_ is None else abs_)
        )


def at(seconds: float) -> str:
    return (NOW + dt.timedelta(seconds=seconds)).isoformat()


def option_contract(symbol: str, right: str, strike: float, seconds: float, currency: str, **terms: Any) -> mc.Contract:
    return mc.Option(
        symbol, right, strike, expiry=at(seconds), exercise="european", multiplier=1, currency=currency, **terms
    )


def only_unit(report: mc.MarginReport) -> dict[str, Any]:
    (unit,) = report.details["units"].values()
    return unit
