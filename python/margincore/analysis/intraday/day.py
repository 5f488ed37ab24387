"""One account's day: the intraday margin level around every transaction, and the day's intraday margin deficit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from margincore import _core
from margincore._core import Account, NotApplicable, Position, Prepared
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.intraday.kinds import instance
from margincore.analysis.intraday.rule import RULE, SOURCE, Choices, Rule, applies, minor_limit
from margincore.analysis.intraday.schedule import date_of, listed, scheduled
from margincore.analysis.intraday.transactions import Cash, Charge, Exercise, Expiry, Securities, Transaction
from margincore.engine import holder

__all__ = ["Day", "Excess", "Level", "Step", "day", "excess", "explained"]


@dataclass(frozen=True, slots=True)
class Level(Record):
    """Equity and maintenance requirement at one moment, in the report's currency."""

    equity: float
    maintenance: float

    @property
    def margin(self) -> float:
        """The intraday margin level (IML): equity less maintenance requirement; negative for a deficit."""
        return self.equity - self.maintenance


@dataclass(frozen=True, slots=True)
class Step(Record):
    """One transaction: the levels right before and right after it, at the same marks.

    `transaction` is its number among those given, from 0; where the choices count some from the start of the day, those
    come first. `reducing` says whether it is an IML-reducing transaction,
    `why` the reason; `marks` at which marks it was looked at.
    """

    transaction: int
    text: str
    before: Level
    after: Level
    reducing: bool
    why: str
    marks: str


@dataclass(frozen=True, slots=True)
class Day(Record):
    """A margin account's day under FINRA 4210(d)(2). Amounts are in the report's currency.

    `deficit` is the intraday margin deficit (IMD): the most negative level right after an IML-reducing transaction, as
    a positive amount; 0 without one. `made_by` is that step, `minor` whether the deficit is at most `minor_limit`
    (`None` without a deficit). `order_assumed` says whether the order was not known, so that the steps have the one
    with the highest deficit; `highest` is the deficit that no order exceeds, above `deficit` only where too many orders
    were possible to look at each. `overnight` is the maintenance deficit at the open that is left out by choice.
    `deposits` are the day's net deposits of cash and securities at their marks, `caused` what the customer's
    transactions together did to the level.
    """

    on: dt.date
    opening: Level
    closing: Level
    steps: tuple[Step, ...]
    deficit: float
    made_by: Step | None
    minor: bool | None
    minor_limit: float | None
    order_assumed: bool
    highest: float
    overnight: float
    deposits: float
    caused: float
    currency: str
    choices: Choices
    rule: str = RULE
    source: str = SOURCE

    @property
    def gap(self) -> float:
        """How far the deficit of an order not looked at could lie above `deficit`; 0 where it is exact."""
        return self.highest - self.deficit

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {**asdict(self), "on": self.on.isoformat(), "gap": self.gap}

    def __str__(self) -> str:
        kind = "" if self.minor is None else " (minor)" if self.minor else " (not minor)"
        head = f"intraday margin deficit on {self.on}: {self.deficit:,.2f} {self.currency}{kind}"
        if self.gap > 0:
            head += f", at most {self.highest:,.2f} in any order"
        return "\n".join([head, *(f"  {step.text}: {step.why} [{step.marks}]" for step in self.steps)])


@dataclass(frozen=True, slots=True)
class Excess(Record):
    """A portfolio margin account's day: equity less requirement around every transaction. Never a deficit of (d)(2).

    Below 5 million of equity FINRA 4210(g)(1)(J)-(K) has intraday risk margined substantially as at the end of the day:
    `lowest` is the smallest intraday excess right after a transaction that lowered it, `None` without one.
    """

    on: dt.date
    opening: Level
    closing: Level
    steps: tuple[Step, ...]
    lowest: float | None
    currency: str


def day(
    prepared: Prepared,
    account: Account | Iterable[Position],
    transactions: Iterable[Transaction],
    *,
    updates: Iterable[tuple[str | dt.datetime, Prepared]] = (),
    on: dt.date | str | None = None,
    choices: Choices | None = None,
    haircuts: Mapping[str, float] | None = None,
    rule: Rule = "4210(d)(2)",
    phased_in: bool = True,
) -> Day:
    """The intraday margin deficit of a margin account's day, transaction by transaction.

    `account` is the account at the open, `prepared` a Reg T rulebook over everything held and traded at the marks of
    the open, `updates` later marks, each with the instant they are in force from: preparations of the same table. `on`
    is the date of the opening market, and of every time given, in that market's zone. Transactions of one instant,
    and those without a time, are taken in the order that gives the highest deficit: exactly where the requirements
    separate (stock) and for up to 16 transactions in an underlying elsewhere; beyond that `highest` bounds it.

    Raises :class:`Unsupported` for days the rule is not in force on and accounts that are not `phased_in`,
    :class:`NotApplicable` for cash and portfolio margin accounts (:func:`excess`), :class:`InvalidInput` for what is
    out of range.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T09:30:00-05:00", spot={"XYZ": 100.0})
    >>> opening = mc.Engine(mc.methods.RegT()).prepare([stock], market)
    >>> lower = opening.update(spot={"XYZ": 98.0})
    >>> fills = [mc.intraday.Fill(stock, 300, 100.0, time="2026-11-20T10:00:00-05:00"),
    ...          mc.intraday.Fill(stock, 200, 100.0, time="2026-11-20T11:00:00-05:00"),
    ...          mc.intraday.Fill(stock, -300, 98.0, time="2026-11-20T13:00:00-05:00")]
    >>> day = mc.intraday.day(opening, mc.Account([], cash={"USD": 10_000.0}), fills,
    ...                       updates=[("2026-11-20T12:00:00-05:00", lower)])
    >>> print(day)
    intraday margin deficit on 2026-11-20: 2,500.00 USD (not minor)
      buy 300 XYZ at 100: level 10,000.00 to 2,500.00, lowered [given]
      buy 200 XYZ at 100: level 2,500.00 to -2,500.00, lowered [given]
      sell 300 XYZ at 98: level -3,250.00 to 4,100.00, not lowered [given]
    """
    return explained(
        prepared, account, transactions, updates, date_of(prepared, on), choices, haircuts, rule, phased_in, timed=True
    )


def explained(
    prepared: Prepared,
    account: Account | Iterable[Position],
    transactions: Iterable[Transaction],
    updates: Iterable[tuple[str | dt.datetime, Prepared]],
    on: dt.date,
    choices: Choices | None = None,
    haircuts: Mapping[str, float] | None = None,
    rule: Rule = "4210(d)(2)",
    phased_in: bool = True,
    *,
    timed: bool,
) -> Day:
    """As :func:`day`; where it is not `timed`, the instants are an order only and the opening marks may be older."""
    choices = _chosen(choices)
    opened, all_listed = holder(account), listed(transactions)
    applies(on, rule, given.flag("intraday: phased_in", phased_in))
    plan = scheduled(prepared, opened, all_listed, updates, choices, on if timed else None)
    rows, opening, closing, bound = _core.intraday_day(plan.markets, opened, plan.rows, haircuts=haircuts)
    steps = _steps(plan.texts, plan.kinds, plan.marks, rows)
    overnight = max(0.0, -Level(*opening).margin) if choices.overnight_deficit == "excluded" else 0.0
    lowered = [step for step in steps if step.reducing]
    lowest = min(lowered, key=lambda step: step.after.margin, default=None)
    deficit = 0.0 if lowest is None else max(0.0, -(lowest.after.margin + overnight))
    made_by = lowest if deficit > 0.0 else None
    limit = None if made_by is None else minor_limit(made_by.after.equity)
    caused = [(kind, step.after, step.before) for step, kind in zip(steps, _kinds(plan.kinds, rows), strict=True)]
    return Day(
        on=on,
        opening=Level(*opening),
        closing=Level(*closing),
        steps=steps,
        deficit=deficit,
        made_by=made_by,
        minor=None if limit is None else deficit <= limit,
        minor_limit=limit,
        order_assumed=plan.is_free,
        highest=deficit if bound is None else max(deficit, -(bound + overnight)),
        overnight=overnight,
        # A deposit is worth what it adds to the equity.
        deposits=sum((after.equity - before.equity for kind, after, before in caused if kind in _DEPOSITS), 0.0),
        caused=sum((after.margin - before.margin for kind, after, before in caused if kind is not Charge), 0.0),
        currency=prepared.currency,
        choices=choices,
    )


def excess(
    prepared: Prepared,
    account: Account | Iterable[Position],
    transactions: Iterable[Transaction],
    *,
    updates: Iterable[tuple[str | dt.datetime, Prepared]] = (),
    on: dt.date | str | None = None,
    choices: Choices | None = None,
    haircuts: Mapping[str, float] | None = None,
) -> Excess:
    """The intraday excess of a portfolio margin account (FINRA 4210(g)(1)(J)-(K)), transaction by transaction.

    Arguments as of :func:`day`, `prepared` a portfolio margin rulebook (TIMS). Raises :class:`NotApplicable` for other
    rulebooks and for an account whose equity at the open is 5 million dollars or more.
    """
    name = prepared.methodology.name
    if name != "OCC TIMS":
        raise NotApplicable(f"intraday excess is that of portfolio margin accounts: {name} is not that rulebook")
    choices = _chosen(choices)
    opened, all_listed = holder(account), listed(transactions)
    taken_on = date_of(prepared, on)
    applies(taken_on, RULE, phased_in=True)
    plan = scheduled(prepared, opened, all_listed, updates, choices, taken_on)
    rows, opening, closing, _ = _core.intraday_day(plan.markets, opened, plan.rows, haircuts=haircuts, separated=False)
    if opening[0] >= 5_000_000.0:
        raise NotApplicable(
            f"intraday excess: equity of {opening[0]:,.2f}: from 5,000,000 on FINRA 4210(g)(1)(J)-(K) asks for none"
        )
    steps = _steps(plan.texts, plan.kinds, plan.marks, rows)
    lowest = min((step.after.margin for step in steps if step.reducing), default=None)
    return Excess(taken_on, Level(*opening), Level(*closing), steps, lowest, prepared.currency)


_DEPOSITS = (Cash, Securities)
_NEVER = {
    Charge: "interest, fees and dividends are no transaction",
    Expiry: "expiries do not count by choice",
    Exercise: "exercises and assignments do not count by choice",
}
_Row = tuple[int, float, float, float, float, bool]


def _kinds(kinds: list[type], rows: list[_Row]) -> list[type]:
    return [kinds[row[0]] for row in rows]


def _steps(texts: list[str], kinds: list[type], marks: list[str], rows: list[_Row]) -> tuple[Step, ...]:
    steps = []
    for number, *levels, reducing in rows:
        before, after = Level(*levels[:2]), Level(*levels[2:])
        moved = f"level {before.margin:,.2f} to {after.margin:,.2f}"
        if reducing:
            why = f"{moved}, lowered"
        elif after.margin < before.margin and kinds[number] in _NEVER:
            why = f"{moved}: {_NEVER[kinds[number]]}"
        else:
            why = f"{moved}, not lowered"
        steps.append(Step(number, texts[number], before, after, reducing, why, marks[number]))
    return tuple(steps)


def _chosen(choices: Choices | None) -> Choices:
    return instance("intraday: choices", choices, Choices | None, "a Choices") or Choices()
