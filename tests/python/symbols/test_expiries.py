"""Expiry rules against days worked out by hand from the specifications, and against a second counting of the days."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

import margincore as mc
from margincore import symbols
from margincore.calendars import nyse
from margincore.symbols import standard
from margincore.symbols.expiries import expiry_date, expiry_terms
from margincore.symbols.parts import CODES

BY_HAND = {
    "ESZ25": "2025-12-19", "ESM26": "2026-06-18",  # the third Friday is Juneteenth
    "ESZ26": "2026-12-18", "MNQH27": "2027-03-19", "YMM27": "2027-06-17",  # Juneteenth is kept on the Friday
    "CLF26": "2025-12-19", "CLZ25": "2025-11-20", "CLG26": "2026-01-20", "CLF27": "2026-12-21",  # the 25th is closed
    "NGF26": "2025-12-29", "GCZ25": "2025-12-29", "GCG26": "2026-02-25", "SIZ25": "2025-12-29", "HGZ25": "2025-12-29",
    "ZNZ25": "2025-12-19", "ZBZ25": "2025-12-19", "ZFZ25": "2025-12-31", "ZTZ25": "2025-12-31",
    "ZCZ25": "2025-12-12", "ZSX25": "2025-11-14", "ZWZ25": "2025-12-12",
    "6EZ25": "2025-12-15", "6JZ25": "2025-12-15", "6CZ25": "2025-12-16",
    "FDAXZ25": "2025-12-19", "FESXZ25": "2025-12-19", "FGBLZ25": "2025-12-08", "FGBLH26": "2026-03-06",
}  # fmt: skip


@pytest.mark.parametrize(("code", "day"), BY_HAND.items())
def test_a_future_expires_on_the_day_of_its_specification(code: str, day: str) -> None:
    contract = symbols.contract(code, **({"settles": "pm", "exchange": "cme"} if code.startswith("ZW") else {}))
    assert contract.id == code
    assert (contract.expiry or "")[:10] == day


def counted(rule: dict[str, int], year: int, month: int, closed: set[dt.date]) -> dt.date:
    """The same rules by listing the days of three months, without :class:`margincore.calendars.BusinessDays`."""
    at = year * 12 + month - 1 + rule.get("month", 0)
    start = dt.date(at // 12, at % 12 + 1, 1)
    around = [start + dt.timedelta(days=n) for n in range(-40, 70)]
    business = [day for day in around if day.weekday() < 5 and day not in closed]
    inside = [day for day in around if (day.year, day.month) == (start.year, start.month)]
    if "last" in rule:
        return [day for day in business if day in inside][-rule["last"]]
    if "delivery" in rule:
        delivery = next(day for day in business if day >= start.replace(day=rule["delivery"]))
        return [day for day in business if day < delivery][-rule["days"]]
    if "before" in rule:
        mark = start.replace(day=rule["before"])
        count = rule["days"] if mark in business else rule.get("if_closed", rule["days"])
        return [day for day in business if day < mark][-count]
    n = rule.get("nth", rule.get("before_nth", 0))
    nth = [day for day in inside if day.weekday() == rule["weekday"]][n - 1]
    if "before_nth" in rule:
        return [day for day in business if day < nth][-rule["days"]]
    return [day for day in business if day <= nth][-1]


def test_every_rule_counts_as_a_second_hand_counts() -> None:
    rows = [*standard.rows(), *(standard.option_row(r) or {} for r in standard.roots("options"))]
    checked = 0
    for row in rows:
        if row.get("expiry") is None:
            continue
        exchange = row.get("exchange", "CME")
        days = standard.business_days(exchange)
        for year, month in [(2025, 4), (2026, 1), (2026, 6), (2026, 12), (2027, 3), (2027, 5), (2028, 11)]:
            if CODES[month - 1] not in row["months"]:
                continue
            try:
                day = expiry_date(row["expiry"], year, month, days)
            except mc.InvalidInput:
                assert row["expiry"]["nth"] == 5  # a month without a fifth such day
                continue
            assert day == counted(row["expiry"], year, month, set(days.holidays)), (row, year, month)
            checked += 1
    assert checked > 200


def test_the_calendar_is_the_exchanges_own() -> None:
    """CME closes on NYSE's holidays, and did not close on the day of mourning of January 2025."""
    cme = standard.business_days("CBOT")
    assert set(nyse().holidays) - set(cme.holidays) == {dt.date(2025, 1, 9)}
    assert set(cme.holidays) < set(nyse().holidays)
    assert cme.is_business("2025-01-09")
    assert standard.business_days("COMEX") is cme or standard.business_days("COMEX") == cme
    assert not standard.business_days("EUREX").is_business("2026-04-06")


def test_dates_whose_holidays_nobody_has_said_are_missing() -> None:
    with pytest.raises(mc.MissingData, match="2028-12-31, the dates whose CME holidays are known: state expiry="):
        symbols.contract("ESZ29")
    stated = symbols.contract("ESZ29", expiry="2029-12-21", settles="am", exchange="cme")
    assert (stated.id, stated.expires) == ("ESZ29", "2029-12-21T14:30:00Z")


@pytest.mark.parametrize("zone", ["America/Chicago", "America/New_York", "Europe/Berlin"])
def test_hours_follow_summer_time(zone: str) -> None:
    day = dt.date(2025, 1, 1)
    while day.year < 2029:
        terms = expiry_terms(day, f"12:30 {zone}")
        wanted = dt.datetime(day.year, day.month, day.day, 12, 30, tzinfo=ZoneInfo(zone))
        assert dt.datetime.fromisoformat(terms["expiry"]) == wanted
        day += dt.timedelta(days=3)
