"""Deficits over the days after: what satisfies them, how they age, and when they freeze an account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from margincore._core import InvalidInput
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.intraday.day import Day
from margincore.analysis.intraday.kinds import instance, whole
from margincore.calendars import BusinessDays, day_of, nyse

__all__ = ["Deficit", "Deficits", "Practice", "SatisfiedBy", "Standing"]

PRACTICE_TEST = 5
OUTSTANDING = 15
FREEZE = dt.timedelta(days=90)

_MEASURES = ("deposits", "customer", "any_increase")

Tested = Literal["not tested", "established", "not established", "undetermined"]
SatisfiedBy = Literal["customer", "any_increase"]
"""What satisfies a deficit: what the customer deposits or otherwise causes, or any increase of the level."""


@dataclass(frozen=True, slots=True)
class Practice(Record):
    """A practice as a member may define it: `count` deficits missed in `months` months, the one judged among them.

    A deficit is missed that is not satisfied by the close of its fifth business day. Minor ones and those of
    extraordinary circumstances establish no practice.
    """

    count: int
    months: int

    def __post_init__(self) -> None:
        whole("Practice: count", self.count, least=1)
        whole("Practice: months", self.months, least=1)


@dataclass(slots=True)
class Deficit:
    """One deficit and what has been done about it since the end of its day, in the report's currency.

    `received` are the three measures: ``deposits`` (net), ``customer`` (what the customer's transactions, deposits
    among them, did to the level) and ``any_increase`` (what became of the level, the market's moves included).
    """

    on: dt.date
    amount: float
    minor: bool
    practice_test_on: dt.date
    outstanding_until: dt.date
    extraordinary: bool = False
    prompt_by: dt.date | None = None
    received: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_MEASURES, 0.0))
    satisfied_on: dt.date | None = None
    satisfied_on_by_any_increase: dt.date | None = None

    def by(self, satisfied_by: SatisfiedBy) -> float:
        """How much of it has been brought, by one reading of what satisfies."""
        brought = max(self.received["deposits"], self.received["customer"])
        return brought if satisfied_by == "customer" else max(brought, self.received["any_increase"])


@dataclass(frozen=True, slots=True)
class Standing(Record):
    """A deficit at the close of a day.

    `remaining` is what satisfies it still, `remaining_by_any_increase` the same where market moves count too.
    `outstanding`: neither satisfied nor past its fifteenth business day. `practice` is the member's answer on the
    fifth: ``"not tested"`` before it and where it was satisfied by then, else ``"established"``,
    ``"not established"`` or ``"undetermined"``. `frozen_until` is the last day of the freeze, whatever comes of the
    deficit's age; a frozen account may not create or increase short positions or debit balances, except to close.
    """

    on: dt.date
    amount: float
    minor: bool
    extraordinary: bool
    remaining: float
    remaining_by_any_increase: float
    satisfied_on: dt.date | None
    outstanding: bool
    prompt_by: dt.date | None
    practice_test_on: dt.date
    outstanding_until: dt.date
    practice: Tested
    frozen: bool
    frozen_until: dt.date | None


class Deficits:
    """The deficits of one account over its days, first in, first out.

    Every business day is closed in turn, with its :class:`Day` where there were transactions: what it brought goes to
    the oldest deficit of earlier days, what is left over to the next. `satisfied_by` says what counts: ``"customer"``
    (default: net deposits, or an increase of the level the customer's transactions caused) or ``"any_increase"``
    (market moves too); both are shown. `practice` is the member's: `True`, `False` or :class:`Practice`; with `None`
    it stays undetermined and nothing is frozen. `prompt_days` is the house's number of business days for a call, if it
    has one. Raises :class:`InvalidInput` for days out of order or left out, :class:`MissingData` outside the calendar.

    >>> import margincore as mc
    >>> deficits = mc.intraday.Deficits(practice=True)
    >>> deficits.record("2026-11-20", level=4_100.0, deficit=2_500.0)
    >>> [(s.practice_test_on, s.outstanding_until) for s in deficits.standing("2026-11-20")]
    [(datetime.date(2026, 11, 30), datetime.date(2026, 12, 14))]
    >>> deficits.record("2026-11-23", level=5_100.0)                      # the market rose
    >>> [(s.remaining, s.remaining_by_any_increase) for s in deficits.standing("2026-11-23")]
    [(2500.0, 1500.0)]
    >>> deficits.record("2026-11-24", level=7_600.0, deposits=2_500.0, caused=2_500.0)
    >>> [(s.remaining, s.satisfied_on) for s in deficits.standing("2026-11-24")]
    [(0.0, datetime.date(2026, 11, 24))]
    """

    def __init__(
        self,
        *,
        satisfied_by: SatisfiedBy = "customer",
        practice: bool | Practice | None = None,
        prompt_days: int | None = None,
        calendar: BusinessDays | None = None,
    ) -> None:
        if satisfied_by not in get_args(SatisfiedBy):
            words = ", ".join(get_args(SatisfiedBy))
            raise InvalidInput(f"deficits: satisfied_by is {satisfied_by!r}: use one of {words}", code="unknown_name")
        if prompt_days is not None:
            whole("deficits: prompt_days", prompt_days, least=1, most=OUTSTANDING)
        instance("deficits: practice", practice, bool | Practice | None, "True, False, a Practice or None")
        instance("deficits: calendar", calendar, BusinessDays | None, "a BusinessDays")
        self.satisfied_by, self.practice, self.prompt_days = satisfied_by, practice, prompt_days
        self.calendar = nyse() if calendar is None else calendar
        self._deficits: list[Deficit] = []
        self._last: tuple[dt.date, float] | None = None

    def close(self, day: Day, *, extraordinary: bool = False) -> None:
        """Close a business day that had transactions. `extraordinary`: its deficit is due to such circumstances."""
        instance("deficits: day", day, Day, "a Day")
        self.record(
            day.on,
            level=day.closing.margin,
            deposits=day.deposits,
            caused=day.caused,
            deficit=day.deficit,
            minor=bool(day.minor),
            extraordinary=extraordinary,
        )

    def record(
        self,
        on: dt.date | str,
        *,
        level: float,
        deposits: float = 0.0,
        caused: float = 0.0,
        deficit: float = 0.0,
        minor: bool = False,
        extraordinary: bool = False,
    ) -> None:
        """Close a business day by its numbers: closing level, net deposits, what the customer caused, the deficit.

        Raises :class:`InvalidInput` for a day that is not the business day after the last one closed, and for amounts
        that are not finite or a deficit below 0.
        """
        level = given.number("deficits: level", level)
        deposits, caused = given.number("deficits: deposits", deposits), given.number("deficits: caused", caused)
        deficit = given.number("deficits: deficit", deficit, least=0.0)
        # One of the flags of :func:`many` is NumPy's.
        minor = given.flag("deficits: minor", minor.item() if isinstance(minor, np.bool_) else minor)
        extraordinary = given.flag("deficits: extraordinary", extraordinary)
        on = day_of(on, "on")
        if not self.calendar.is_business(on):
            raise InvalidInput(
                f"deficits: {on} is no business day of {self.calendar.name}", code="bad_time", where="on", value=on
            )
        if self._last is not None:
            self._in_turn(on, self._last[0])
        moved = 0.0 if self._last is None else level - self._last[1]
        self._bring(on, {"deposits": deposits, "customer": caused, "any_increase": moved})
        self._last = (on, level)
        if deficit > 0.0:
            self._deficits.append(
                Deficit(
                    on,
                    deficit,
                    minor,
                    practice_test_on=self.calendar.add(on, PRACTICE_TEST),
                    outstanding_until=self.calendar.add(on, OUTSTANDING),
                    extraordinary=extraordinary,
                    prompt_by=None if self.prompt_days is None else self.calendar.add(on, self.prompt_days),
                )
            )

    def _in_turn(self, on: dt.date, last: dt.date) -> None:
        if on <= last:
            raise InvalidInput(
                f"deficits: {on} is closed after {last}: days are closed in order",
                code="bad_time", where="on", value=on,
            )  # fmt: skip
        due = self.calendar.add(last, 1)
        if on > due:
            raise InvalidInput(
                f"deficits: {on} is closed after {last}, and {due} is missing: every business day is closed in turn",
                code="bad_time", where="on", value=on,
            )  # fmt: skip

    def _bring(self, on: dt.date, brought: dict[str, float]) -> None:
        """What a day brought, to the oldest deficit that waits for it, and what that leaves to the next."""
        for own in self._deficits:
            if own.satisfied_on is not None or not self._waits(own, on):
                continue
            for measure in _MEASURES:
                own.received[measure] += brought[measure]
            if own.satisfied_on_by_any_increase is None and own.by("any_increase") >= own.amount:
                own.satisfied_on_by_any_increase = on
            if own.by(self.satisfied_by) < own.amount:
                return
            own.satisfied_on = on
            brought = {measure: max(0.0, own.received[measure] - own.amount) for measure in _MEASURES}

    def _waits(self, own: Deficit, on: dt.date) -> bool:
        """Whether a deficit can still be satisfied: until its fifteenth day, or while it freezes the account."""
        return on <= own.outstanding_until or self._frozen_until(own, on) is not None

    def _missed(self, own: Deficit, on: dt.date) -> bool:
        """Whether it was not satisfied by the close of its fifth business day, which is over by the close of `on`."""
        return on >= own.practice_test_on and (own.satisfied_on is None or own.satisfied_on > own.practice_test_on)

    def _practice(self, own: Deficit, on: dt.date) -> Tested:
        if not self._missed(own, on):
            return "not tested"
        if self.practice is None:
            return "undetermined"
        if isinstance(self.practice, bool):
            return "established" if self.practice else "not established"
        since = _months_before(own.practice_test_on, self.practice.months)
        missed = [
            other
            for other in self._deficits
            if since < other.practice_test_on <= own.practice_test_on
            and not (other.minor or other.extraordinary)
            and self._missed(other, own.practice_test_on)
        ]
        return "established" if len(missed) >= self.practice.count else "not established"

    def _frozen_until(self, own: Deficit, on: dt.date) -> dt.date | None:
        """The last day of a freeze that a deficit has brought and that lasts at the close of a day."""
        if self._practice(own, on) != "established":
            return None
        until = own.practice_test_on + FREEZE
        is_over = on > until or (own.satisfied_on is not None and own.satisfied_on <= on)
        return None if is_over else until

    def standing(self, on: dt.date | str) -> list[Standing]:
        """Every deficit at the close of a day, the oldest first.

        Raises :class:`InvalidInput` before the last day closed.
        """
        on = day_of(on, "on")
        if self._last is not None and on < self._last[0]:
            raise InvalidInput(f"deficits: {on} is before the last day closed, {self._last[0]}")
        standings = []
        for own in self._deficits:
            until = self._frozen_until(own, on)
            is_done = own.satisfied_on is not None
            standings.append(
                Standing(
                    on=own.on,
                    amount=own.amount,
                    minor=own.minor,
                    extraordinary=own.extraordinary,
                    remaining=0.0 if is_done else max(0.0, own.amount - own.by(self.satisfied_by)),
                    remaining_by_any_increase=0.0
                    if own.satisfied_on_by_any_increase is not None or is_done
                    else max(0.0, own.amount - own.by("any_increase")),
                    satisfied_on=own.satisfied_on,
                    # At its fifteenth close it is outstanding still; right after it no more.
                    outstanding=not is_done and on <= own.outstanding_until,
                    prompt_by=own.prompt_by,
                    practice_test_on=own.practice_test_on,
                    outstanding_until=own.outstanding_until,
                    practice=self._practice(own, on),
                    frozen=until is not None,
                    frozen_until=until,
                )
            )
        return standings

    def frozen(self, on: dt.date | str) -> bool:
        """Whether the account is frozen at the close of a day."""
        return any(standing.frozen for standing in self.standing(on))

    def to_dict(self) -> dict[str, Any]:
        """The deficits and the last day closed as plain values; :meth:`restore` takes them."""
        return {
            "last": None if self._last is None else [self._last[0].isoformat(), self._last[1]],
            "deficits": [
                {name: v.isoformat() if isinstance(v, dt.date) else v for name, v in asdict(own).items()}
                for own in self._deficits
            ],
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what :meth:`to_dict` wrote, in place of what is here."""
        last = document["last"]
        self._last = None if last is None else (dt.date.fromisoformat(last[0]), last[1])
        self._deficits = [_deficit(own) for own in document["deficits"]]


_DATES = (
    "on", "practice_test_on", "outstanding_until", "prompt_by", "satisfied_on", "satisfied_on_by_any_increase",
)  # fmt: skip


def _months_before(day: dt.date, months: int) -> dt.date:
    """The same day so many months before; the last of a shorter month."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _deficit(document: Mapping[str, Any]) -> Deficit:
    dates = {name: None if document[name] is None else dt.date.fromisoformat(document[name]) for name in _DATES}
    terms: dict[str, Any] = {**document, **dates, "received": dict(document["received"])}
    return Deficit(**terms)
