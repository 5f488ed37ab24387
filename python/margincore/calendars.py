"""Business days: weekends, and an exchange's holidays as dated data or the user's own."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from margincore._core import InvalidInput, MissingData
from margincore._pickles import Record

__all__ = ["BusinessDays", "day_of", "nyse"]

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BusinessDays(Record):
    """Weekdays that are no holidays. Immutable.

    `holidays` are dates, or ISO texts, of one exchange. They are taken to be all of them from the first day of the
    first one's year to the last day of the last one's, or from `first` to `last` where those are given; with none of
    the three every weekday is a business day. Outside the dates it knows it raises :class:`margincore.MissingData`: a
    holiday that nobody has stated would move every date after it. `name` and `source` say whose they are.

    >>> days = nyse()
    >>> days.add("2026-11-20", 5), days.between("2026-11-20", "2026-11-30")        # Thanksgiving between
    (datetime.date(2026, 11, 30), 5)
    >>> days.add("2028-12-20", 15)
    Traceback (most recent call last):
        ...
    margincore.MissingData: 2029-01-01 is outside 2025-01-01 to 2028-12-31, the dates whose NYSE holidays are known
    """

    holidays: tuple[dt.date, ...]
    first: dt.date | None = None
    last: dt.date | None = None
    name: str = "given"
    source: str = "given"

    def __post_init__(self) -> None:
        if isinstance(self.holidays, str):
            raise InvalidInput(
                f"holidays: a list of dates is needed, not {self.holidays!r}", where="holidays", code="wrong_type"
            )
        days = sorted({day_of(day, "holidays") for day in self.holidays})
        year = (days[0].replace(month=1, day=1), days[-1].replace(month=12, day=31)) if days else (None, None)
        first = year[0] if self.first is None else day_of(self.first, "first")
        last = year[1] if self.last is None else day_of(self.last, "last")
        if first is not None and last is not None and first > last:
            raise InvalidInput(f"business days: first {first} is after last {last}", where="first", value=first)
        for day in days:
            if (first is not None and day < first) or (last is not None and day > last):
                raise InvalidInput(f"holidays: {day} is outside {first} to {last}", where="holidays", value=day)
        for key, value in {"holidays": tuple(days), "first": first, "last": last}.items():
            object.__setattr__(self, key, value)

    def is_business(self, date: dt.date | str) -> bool:
        """Whether a date is a business day. Raises :class:`margincore.MissingData` outside the dates known."""
        day = day_of(date, "date")
        if (self.first is not None and day < self.first) or (self.last is not None and day > self.last):
            raise MissingData(
                f"{day} is outside {self.first} to {self.last}, the dates whose {self.name} holidays are known",
                where="holidays",
                value=day,
            )
        return day.weekday() < 5 and day not in self.holidays

    def add(self, date: dt.date | str, n: int) -> dt.date:
        """The `n`-th business day after a date, which need not be one itself; before it where `n` is negative.

        The date itself for 0. Raises as :meth:`is_business`.
        """
        day, step = day_of(date, "date"), _DAY if n > 0 else -_DAY
        left = abs(n)
        while left:
            day += step
            left -= self.is_business(day)
        return day

    def between(self, a: dt.date | str, b: dt.date | str) -> int:
        """How many business days lie after `a`, up to and with `b`; negative where `b` is before `a`.

        ``days.between(a, days.add(a, n))`` is `n`. Raises as :meth:`is_business`.
        """
        start, end = day_of(a, "a"), day_of(b, "b")
        if end < start:
            return -sum(self.is_business(end + i * _DAY) for i in range((start - end).days))
        return sum(self.is_business(start + i * _DAY) for i in range(1, (end - start).days + 1))


@cache
def nyse() -> BusinessDays:
    """The New York Stock Exchange's business days of 2025 to 2028, as published.

    Bank holidays on which the exchange is open (Columbus Day, Veterans Day) count as business days; nothing settles on
    them. Give holidays of your own where that matters.

    >>> nyse().is_business("2026-07-03")
    False
    """
    data = json.loads(files("margincore").joinpath("nyse_holidays.json").read_text(encoding="utf-8"))
    return BusinessDays(**{key: data[key] for key in ("holidays", "first", "last", "name", "source")})


def day_of(value: dt.date | str, what: str) -> dt.date:
    """A date from a date, a datetime or an ISO text; of an instant, the date in its own zone.

    >>> day_of("2026-11-20T16:00:00-05:00", "date")
    datetime.date(2026, 11, 20)
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.datetime.fromisoformat(value).date()
    except (TypeError, ValueError):
        raise InvalidInput(
            f"{what}: {value!r} is not a date such as '2026-11-20'", where=what, value=value, code="bad_time"
        ) from None
