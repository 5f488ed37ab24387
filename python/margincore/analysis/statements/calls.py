"""What is called and by when: Reg T initial calls, maintenance calls, portfolio margin deficiencies, futures calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from margincore._core import InvalidInput, MissingData, check_version
from margincore.analysis import given
from margincore.analysis.statements.plain import Part
from margincore.calendars import BusinessDays, day_of

__all__ = ["RULES", "Call", "Carried", "Rule", "current_call", "due_on", "met", "payment_date", "settlement_days"]

_T1 = dt.date(2024, 5, 28)
_T2 = dt.date(2017, 9, 5)


@dataclass(frozen=True, slots=True)
class Rule(Part):
    """By when a call is met, and who says so. `days` are business days, `None` where no rule gives a date."""

    name: str
    days: int | None
    text: str
    source: str
    grade: str


RULES = {
    "reg_t_initial": Rule(
        "initial call",
        None,
        "one payment period: the standard settlement cycle and two business days",
        "12 CFR 220.2 (payment period), 220.4(c)",
        "inferred",
    ),
    "cash_account": Rule(
        "payment in full",
        None,
        "one payment period: the standard settlement cycle and two business days",
        "12 CFR 220.8(b)",
        "inferred",
    ),
    "maintenance": Rule(
        "maintenance call",
        15,
        "as promptly as possible, at most 15 business days",
        "FINRA 4210(f)(6)",
        "inferred",
    ),
    "portfolio_margin": Rule(
        "portfolio margin deficiency",
        3,
        "3 business days, by deposit or by hedging",
        "FINRA 4210(g)",
        "verified",
    ),
    "futures": Rule(
        "futures call",
        None,
        "when the firm says; equity is restored to the initial requirement",
        "exchange rules on customers' performance bond",
        "broker practice",
    ),
}
"""The kinds of calls."""


@dataclass(frozen=True, slots=True)
class Call(Part):
    """Money that is called, in the report's currency.

    `amount` is what was called, `left` what of it is still to be met; `made_on` the day it arose and `due_on` the last
    day to meet it, `None` where no rule or no calendar gives one. A call that is `waived` need not be met. `kind` is
    a key of :data:`RULES`.
    """

    kind: str
    amount: float
    left: float
    currency: str
    made_on: dt.date | None = None
    due_on: dt.date | None = None
    waived: bool = False

    def __post_init__(self) -> None:
        given.name("call: kind", self.kind, RULES)
        for what in ("amount", "left"):
            object.__setattr__(self, what, given.number(f"call: {what}", getattr(self, what), least=0.0))
        if self.left > self.amount:
            raise InvalidInput(
                f"call: {self.left} is left of {self.amount}", where="left", value=self.left, code="contradiction"
            )
        for what in ("made_on", "due_on"):
            if (day := getattr(self, what)) is not None:
                object.__setattr__(self, what, day_of(day, f"call: {what}"))

    @property
    def rule(self) -> Rule:
        """By when it is met, and its source."""
        return RULES[self.kind]

    def overdue(self, date: dt.date | str) -> bool:
        """Whether it is still to be met after its last day."""
        return self.due_on is not None and not self.waived and self.left > 0.0 and day_of(date, "date") > self.due_on


@dataclass(frozen=True, slots=True)
class Carried(Part):
    """What an account carries from one day's close to the next: its SMA and the calls that are open. Plain data.

    `date` is a date, a datetime or an ISO text, and kept as a date.
    `sma` is the special memorandum account in the report's currency, never negative: what is short of a call is the
    call. `None` where the account has none or where it is not known. A new account carries ``Carried(date, 0.0)``.

    >>> Carried(dt.date(2026, 11, 20), 10_000.0).to_dict()
    {'version': 1, 'date': '2026-11-20', 'sma': 10000.0, 'calls': []}
    """

    date: dt.date
    sma: float | None = None
    calls: tuple[Call, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "date", day_of(self.date, "carried: date"))
        if self.sma is not None:
            object.__setattr__(self, "sma", given.number("carried: sma", self.sma, least=0.0))
        calls = tuple(given.rows("carried: calls", self.calls))
        for call in calls:
            if not isinstance(call, Call):
                given.refuse("carried: calls", call, "each is a Call", "wrong_type")
        object.__setattr__(self, "calls", calls)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, with the version of the format first."""
        return {"version": 1, **Part.to_dict(self)}

    @classmethod
    def from_dict(cls, document: Any) -> Carried:
        """What :meth:`to_dict` wrote. Raises :class:`margincore.ParseError` for another version."""
        if not isinstance(document, Mapping):
            given.refuse("carried", document, "an object is needed, as to_dict writes it", "wrong_type")
        document = dict(document)
        check_version("carried", document.pop("version", 1), 1, 1)
        return super(Carried, cls).from_dict(document)

    def open(self, kind: str) -> tuple[Call, ...]:
        """The calls of a kind that are not met, the oldest first."""
        found = (c for c in self.calls if c.kind == kind and c.left > 0.0 and not c.waived)
        return tuple(sorted(found, key=lambda c: c.made_on or dt.date.min))


def settlement_days(date: dt.date) -> int:
    """The standard settlement cycle of United States securities, in business days after the trade.

    >>> settlement_days(dt.date(2026, 11, 20))
    1
    """
    return 1 if date >= _T1 else 2 if date >= _T2 else 3


def payment_date(date: dt.date, days: BusinessDays) -> dt.date:
    """The last day of Reg T's payment period for trades of a date. Raises as :meth:`BusinessDays.add`.

    >>> from margincore.calendars import nyse
    >>> payment_date(dt.date(2026, 11, 20), nyse())
    datetime.date(2026, 11, 25)
    """
    return days.add(date, settlement_days(date) + 2)


def due_on(kind: str, date: dt.date | None, days: BusinessDays) -> dt.date | None:
    """The last day to meet a call made on a date; `None` where no rule, date or calendar gives one."""
    if date is None:
        return None
    try:
        if kind in ("reg_t_initial", "cash_account"):
            return payment_date(date, days)
        after = RULES[kind].days
        return None if after is None else days.add(date, after)
    except MissingData:
        return None


def current_call(
    kind: str, amount: float, currency: str, date: dt.date | None, days: BusinessDays, carried: Carried | None
) -> Call | None:
    """The call on a deficit that is measured anew every day: it keeps the age of the one that was open, if any."""
    if not amount > 0.0:
        return None
    open_calls = () if carried is None else carried.open(kind)
    if not open_calls:
        return Call(kind, amount, amount, currency, date, due_on(kind, date, days))
    return replace(open_calls[0], amount=max(amount, open_calls[0].amount), left=amount)


def met(calls: Iterable[Call], credit: float) -> tuple[tuple[Call, ...], float]:
    """Calls after a credit has met the oldest first, and what is left of it."""
    after = []
    for call in calls:
        used = min(call.left, credit)
        credit -= used
        after.append(replace(call, left=call.left - used))
    return tuple(after), credit
