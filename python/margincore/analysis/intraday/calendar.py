"""Business days: the exchange's holidays as dated data, or the user's own."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from importlib.resources import files

from margincore._core import InvalidInput, MissingData

__all__ = ["BusinessDays", "nyse"]


class BusinessDays:
    """Weekdays that are no holidays, from `first` to `last`, both included. Immutable.

    `holidays` are dates (or ISO texts) of one exchange. Outside the dates it knows it refuses, with
    :class:`margincore.MissingData`: a holiday nobody has published would move every date after it.

    >>> import margincore as mc
    >>> days = mc.intraday.nyse()
    >>> days.after("2026-11-20", 5)               # Thanksgiving between
    datetime.date(2026, 11, 30)
    >>> days.after("2028-12-20", 15)
    Traceback (most recent call last):
        ...
    margincore.MissingData: business days: 2029-01-01 is outside 2026-01-01 to 2028-12-31 of NYSE: give holidays to it
    """

    __slots__ = ("_holidays", "first", "last", "name", "source")

    def __init__(
        self,
        holidays: Iterable[dt.date | str],
        *,
        first: dt.date | str,
        last: dt.date | str,
        name: str = "the user's",
        source: str = "given",
    ) -> None:
        self.first, self.last = date(first, "first"), date(last, "last")
        self.name, self.source = name, source
        self._holidays = frozenset(date(day, "holidays") for day in holidays)
        if self.first > self.last:
            raise InvalidInput(f"business days: first {self.first} is after last {self.last}")
        outside = sorted(day for day in self._holidays if not self.first <= day <= self.last)
        if outside:
            raise InvalidInput(f"business days: the holiday {outside[0]} is outside {self.first} to {self.last}")

    @property
    def holidays(self) -> tuple[dt.date, ...]:
        """The holidays, in order."""
        return tuple(sorted(self._holidays))

    def is_business(self, day: dt.date | str) -> bool:
        """Whether a day is a business day. Raises :class:`margincore.MissingData` outside the dates known."""
        day = date(day, "day")
        if not self.first <= day <= self.last:
            raise MissingData(
                f"business days: {day} is outside {self.first} to {self.last} of {self.name}: give holidays to it"
            )
        return day.weekday() < 5 and day not in self._holidays

    def after(self, day: dt.date | str, count: int) -> dt.date:
        """The `count`-th business day after a day, which need not be one itself. Raises as :meth:`is_business`."""
        day = date(day, "day")
        while count > 0:
            day += dt.timedelta(days=1)
            count -= self.is_business(day)
        return day


def nyse() -> BusinessDays:
    """The New York Stock Exchange's, 2026 to 2028, as published on 23 December 2025."""
    data = json.loads(files("margincore.analysis.intraday").joinpath("nyse_holidays.json").read_text(encoding="utf-8"))
    return BusinessDays(
        data["holidays"], first=data["first"], last=data["last"], name=data["name"], source=data["source"]
    )


def date(value: dt.date | str, what: str) -> dt.date:
    """A date from a date, a datetime or an ISO text."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInput(f"{what}: {value!r} is not a date such as '2026-11-20'") from None
