"""Business days: the exchange's holidays as shipped, and the user's own."""

from __future__ import annotations

import datetime as dt

import pytest

import margincore as mc
from margincore.calendars import BusinessDays, nyse


def test_shipped_holidays_follow_the_exchange_s_rules() -> None:
    """Nine or ten a year on weekdays, the movable ones where the calendar puts them."""
    days = nyse()
    by_year: dict[int, list[dt.date]] = {}
    for day in days.holidays:
        assert day.weekday() < 5
        by_year.setdefault(day.year, []).append(day)
    assert {year: len(found) for year, found in by_year.items()} == {2025: 11, 2026: 10, 2027: 10, 2028: 9}
    for year, found in by_year.items():
        months = {(day.month, day.weekday()): day.day for day in found if day != dt.date(2025, 1, 9)}
        assert 15 <= months[1, 0] <= 21  # the third Monday
        assert 15 <= months[2, 0] <= 21
        assert months[5, 0] >= 25  # the last Monday
        assert months[9, 0] <= 7
        assert 22 <= months[11, 3] <= 28  # the fourth Thursday
        assert good_friday(year) in found
    assert days.source.startswith("NYSE Group")


def good_friday(year: int) -> dt.date:
    """Two days before Easter, by Gauss's and Butcher's rule."""
    a, (b, c) = year % 19, divmod(year, 100)
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return dt.date(year, month, day + 1) - dt.timedelta(days=2)


def test_adding_and_counting_are_each_other_s_inverse() -> None:
    days = nyse()
    start = dt.date(2026, 11, 1)
    for offset in range(40):
        day = start + dt.timedelta(days=offset)
        for n in (-7, -1, 0, 1, 3, 15):
            end = days.add(day, n)
            if n > 0 or days.is_business(day):
                assert days.between(day, end) == n
            assert n == 0 or days.is_business(end)
    assert days.add("2026-11-25", 1) == dt.date(2026, 11, 27)


def test_outside_the_dates_known_nothing_is_guessed() -> None:
    for ask in (lambda: nyse().is_business("2029-01-02"), lambda: nyse().between("2024-12-30", "2025-01-02")):
        with pytest.raises(mc.MissingData, match="NYSE holidays") as refused:
            ask()
        assert refused.value.where == "holidays"


def test_the_user_s_own() -> None:
    own = BusinessDays(["2026-12-25", dt.date(2027, 1, 1)], name="TSE")  # type: ignore[arg-type]
    assert (own.first, own.last) == (dt.date(2026, 1, 1), dt.date(2027, 12, 31))
    assert own.add("2026-12-24", 1) == dt.date(2026, 12, 28)
    assert own == BusinessDays(("2027-01-01", "2026-12-25"), name="TSE")  # type: ignore[arg-type]
    assert BusinessDays(()).add("2040-01-06", 1) == dt.date(2040, 1, 9)
    with pytest.raises(mc.InvalidInput, match="a list of dates"):
        BusinessDays("2026-12-25")  # type: ignore[arg-type]
    with pytest.raises(mc.InvalidInput, match="outside"):
        BusinessDays((dt.date(2026, 12, 25),), first=dt.date(2027, 1, 1), last=dt.date(2027, 12, 31))
    with pytest.raises(AttributeError):
        own.first = None  # type: ignore[misc]
