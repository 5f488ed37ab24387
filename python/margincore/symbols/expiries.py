"""When a standard contract expires: the rules of contract specifications, counted in the exchange's business days."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from margincore._core import Contract, InvalidInput
from margincore.calendars import BusinessDays

__all__ = ["expiry_date", "expiry_terms"]

_DAY = dt.timedelta(days=1)
_CLOCKS = {
    "America/Chicago": ("cme", dt.time(8, 30)),
    "America/New_York": ("us", dt.time(9, 30)),
    "Europe/Berlin": ("eurex", dt.time(12)),
}
"""Zones, each by an exchange of the engine's table and the local time of its ``am``: what they are in UTC on a day says
whether the zone has summer time then."""


def expiry_date(rule: Mapping[str, int], year: int, month: int, days: BusinessDays) -> dt.date:
    """The day a rule of ``futures.json`` gives for a contract month.

    Raises :class:`margincore.MissingData` where a day it has to count is outside the dates whose holidays are known.

    >>> from margincore.symbols.standard import business_days
    >>> cme = business_days("CME")
    >>> expiry_date({"before": 25, "days": 3, "if_closed": 4, "month": -1}, 2027, 1, cme)     # CLF7: the 25th is closed
    datetime.date(2026, 12, 21)
    >>> expiry_date({"nth": 3, "weekday": 4}, 2026, 6, cme)                                   # ESM6: Juneteenth
    datetime.date(2026, 6, 18)
    """
    at = year * 12 + month - 1 + rule.get("month", 0)
    year, month = at // 12, at % 12 + 1
    if "last" in rule:
        last = dt.date(year, month, calendar.monthrange(year, month)[1])
        return days.add(last + _DAY, -rule["last"])
    if "before" in rule:
        day = dt.date(year, month, rule["before"])
        count = rule["days"] if days.is_business(day) else rule.get("if_closed", rule["days"])
        return days.add(day, -count)
    if "delivery" in rule:
        day = dt.date(year, month, rule["delivery"])
        return days.add(days.add(day - _DAY, 1), -rule["days"])
    if "before_nth" in rule:
        return days.add(_nth(year, month, rule["before_nth"], rule["weekday"]), -rule["days"])
    return days.add(_nth(year, month, rule["nth"], rule["weekday"]) + _DAY, -1)


def _nth(year: int, month: int, n: int, weekday: int) -> dt.date:
    first = dt.date(year, month, 1)
    day = first + _DAY * ((weekday - first.weekday()) % 7 + 7 * (n - 1))
    if day.month != month:
        raise InvalidInput(f"{first:%Y-%m} has no weekday {weekday} number {n}", code="bad_time")
    return day


def expiry_terms(date: dt.date, at: str) -> dict[str, Any]:
    """The terms of a contract that say when it expires: a day with am or pm of an exchange, or an instant.

    >>> expiry_terms(dt.date(2026, 12, 18), "am cme")
    {'expiry': '2026-12-18', 'settles': 'am', 'exchange': 'cme'}
    >>> expiry_terms(dt.date(2026, 7, 29), "12:30 America/Chicago")
    {'expiry': '2026-07-29T12:30:00-05:00'}
    """
    hour, place = at.split(" ")
    if hour in ("am", "pm"):
        return {"expiry": date.isoformat(), "settles": hour, "exchange": place}
    return {"expiry": _instant(date, hour, place)}


@cache
def _instant(date: dt.date, hour: str, zone: str) -> str:
    """An instant in a zone, whose offset on that day is the engine's."""
    exchange, local = _CLOCKS[zone]
    probe = Contract(
        kind="future", underlying="X", expiry=date, settles="am", exchange=exchange, multiplier=1.0, currency="USD"
    )
    assert probe.expires is not None
    utc = dt.datetime.fromisoformat(probe.expires).replace(tzinfo=None)
    offset = dt.timezone(dt.datetime.combine(date, local) - utc)
    return dt.datetime.combine(date, dt.time.fromisoformat(hour), offset).isoformat()
