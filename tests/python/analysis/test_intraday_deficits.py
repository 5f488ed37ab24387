"""Deficits after their day: what satisfies them, business days, practice and freeze."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import margincore as mc
from margincore import calendars, intraday
from margincore.analysis.intraday.deficits import FREEZE

DAY = dt.date(2026, 11, 20)
NYSE = calendars.nyse()


def after(count: int) -> dt.date:
    return NYSE.add(DAY, count)


def begun(**terms: object) -> intraday.Deficits:
    """A deficit of 2,500 on a day that closed at 4,100."""
    deficits = intraday.Deficits(**terms)  # type: ignore[arg-type]
    deficits.record(DAY, level=4_100.0, deposits=100.0, caused=-3_000.0, deficit=2_500.0)
    return deficits


def idle(deficits: intraday.Deficits, count: int, level: float = 4_100.0) -> None:
    """Closes the next business days, up to the `count`-th after the deficit, with nothing done."""
    for k in range(1, count + 1):
        if deficits._last is not None and after(k) > deficits._last[0]:
            deficits.record(after(k), level=level)


# ---- business days


def test_the_dates_around_thanksgiving() -> None:
    [standing] = begun(prompt_days=2).standing(DAY)
    assert (standing.practice_test_on, standing.outstanding_until) == (dt.date(2026, 11, 30), dt.date(2026, 12, 14))
    assert standing.prompt_by == dt.date(2026, 11, 24)
    assert begun().standing(DAY)[0].prompt_by is None


def test_the_shipped_calendar_refuses_what_it_does_not_know() -> None:
    assert not NYSE.is_business("2027-06-18")
    assert NYSE.is_business("2027-12-31")  # no New Year's Day is observed in 2028
    assert len([day for day in NYSE.holidays if day.year > 2025]) == 29
    with pytest.raises(mc.MissingData, match="2029-01-01 is outside"):
        NYSE.add("2028-12-29", 1)
    own = calendars.BusinessDays(["2026-12-24"], first="2026-01-01", last="2026-12-31")
    assert own.add("2026-12-23", 1) == dt.date(2026, 12, 25)
    with pytest.raises(mc.InvalidInput, match="2027-01-01 is outside"):
        calendars.BusinessDays(["2027-01-01"], first="2026-01-01", last="2026-12-31")
    with pytest.raises(mc.InvalidInput, match="no business day"):
        intraday.Deficits().record("2026-11-26", level=0.0)


# ---- what satisfies


def test_the_same_days_sale_does_not_satisfy() -> None:
    [standing] = begun().standing(DAY)
    assert (standing.remaining, standing.satisfied_on, standing.outstanding) == (2_500.0, None, True)


def test_deposits_of_the_deficit_satisfy_it() -> None:
    deficits = begun()
    deficits.record(after(1), level=6_599.0, deposits=2_499.0, caused=2_499.0)
    assert deficits.standing(after(1))[0].remaining == 1.0
    deficits.record(after(2), level=6_600.0, deposits=1.0, caused=1.0)
    assert deficits.standing(after(2))[0].satisfied_on == after(2)


def test_a_close_higher_by_the_deficit_satisfies_it_where_the_customer_caused_it() -> None:
    """Without a deposit, 6,600 at unchanged prices: shares sold."""
    deficits = begun()
    deficits.record(after(1), level=6_600.0, caused=2_500.0)
    assert deficits.standing(after(1))[0].satisfied_on == after(1)


def test_a_deposit_satisfies_though_it_is_traded_on() -> None:
    deficits = begun()
    deficits.record(after(1), level=4_600.0, deposits=2_500.0, caused=500.0)
    assert deficits.standing(after(1))[0].satisfied_on == after(1)


def test_what_is_withdrawn_again_does_not_satisfy() -> None:
    deficits = begun()
    deficits.record(after(1), level=6_100.0, deposits=2_000.0, caused=2_000.0)
    deficits.record(after(2), level=5_100.0, deposits=-1_000.0, caused=-1_000.0)
    deficits.record(after(3), level=6_100.0, deposits=1_000.0, caused=1_000.0)
    [standing] = deficits.standing(after(3))
    assert (standing.remaining, standing.satisfied_on) == (500.0, None)


def test_the_markets_rise_counts_by_the_other_reading_and_both_are_shown() -> None:
    customer, any_increase = begun(), begun(satisfied_by="any_increase")
    for deficits in (customer, any_increase):
        deficits.record(after(1), level=6_600.0)
    [by_customer], [by_any] = customer.standing(after(1)), any_increase.standing(after(1))
    assert (by_customer.remaining, by_customer.remaining_by_any_increase) == (2_500.0, 0.0)
    assert by_any.satisfied_on == after(1)
    with pytest.raises(mc.InvalidInput, match="satisfied_by"):
        intraday.Deficits(satisfied_by="anything")  # type: ignore[arg-type]


def test_several_are_satisfied_first_in_first_out() -> None:
    deficits = begun()
    deficits.record(after(1), level=4_100.0, deficit=1_000.0)
    deficits.record(after(2), level=7_100.0, deposits=3_000.0, caused=3_000.0)
    first, second = deficits.standing(after(2))
    assert (first.satisfied_on, first.remaining) == (after(2), 0.0)
    assert (second.satisfied_on, second.remaining) == (None, 500.0)


def test_a_days_own_deposits_are_for_earlier_deficits_only() -> None:
    deficits = begun()
    deficits.record(after(1), level=7_600.0, deposits=3_500.0, caused=3_500.0, deficit=1_000.0)
    first, second = deficits.standing(after(1))
    assert first.satisfied_on == after(1)
    assert second.remaining == 1_000.0


# ---- age


def test_a_deficit_is_outstanding_until_the_close_of_its_fifteenth_day() -> None:
    deficits = begun()
    idle(deficits, 15)
    assert deficits.standing(after(15))[0].outstanding
    assert not deficits.standing(after(16))[0].outstanding


@pytest.mark.parametrize(
    ("practice", "answer", "frozen"),
    [(None, "undetermined", False), (False, "not established", False), (True, "established", True)],
)
def test_missing_the_fifth_close_freezes_who_makes_a_practice_of_it(
    practice: bool | None, answer: str, frozen: bool
) -> None:
    deficits = begun(practice=practice)
    idle(deficits, 4)
    assert (deficits.standing(after(4))[0].practice, deficits.frozen(after(4))) == ("not tested", False)
    idle(deficits, 5)
    [standing] = deficits.standing(after(5))
    assert (standing.practice, standing.frozen) == (answer, frozen)
    assert standing.frozen_until == (after(5) + FREEZE if frozen else None)


def test_satisfied_by_the_fifth_close_is_not_tested() -> None:
    deficits = begun(practice=True)
    idle(deficits, 4)
    deficits.record(after(5), level=6_600.0, deposits=2_500.0, caused=2_500.0)
    assert (deficits.standing(after(5))[0].practice, deficits.frozen(after(5))) == ("not tested", False)


def test_the_freeze_lasts_ninety_days_whatever_becomes_of_the_deficit() -> None:
    deficits = begun(practice=True)
    idle(deficits, 16)
    until = after(5) + FREEZE
    assert until == dt.date(2027, 2, 28)
    [standing] = deficits.standing(after(16))
    assert (standing.outstanding, standing.frozen) == (False, True)
    assert deficits.frozen(until)
    assert not deficits.frozen(until + dt.timedelta(days=1))


def test_the_freeze_ends_when_the_deficit_is_satisfied_even_after_it_expired() -> None:
    deficits = begun(practice=True)
    idle(deficits, 16)
    deficits.record(after(17), level=6_600.0, deposits=2_500.0, caused=2_500.0)
    assert deficits.standing(after(17))[0].satisfied_on == after(17)
    assert not deficits.frozen(after(17))


def test_an_expired_deficit_that_froze_nothing_takes_no_more_money() -> None:
    deficits = begun(practice=False)
    idle(deficits, 15)
    deficits.record(after(16), level=4_100.0, deficit=300.0)
    deficits.record(after(17), level=4_400.0, deposits=300.0, caused=300.0)
    first, second = deficits.standing(after(17))
    assert (first.satisfied_on, second.satisfied_on) == (None, after(17))


def test_a_practice_may_be_a_number_in_months_without_minor_ones() -> None:
    terms = {"practice": intraday.Practice(2, 12)}
    once = begun(**terms)
    idle(once, 5)
    assert once.standing(after(5))[0].practice == "not established"
    for changes, answer in (
        ({}, "established"),
        ({"minor": True}, "not established"),
        ({"extraordinary": True}, "not established"),
    ):
        twice = begun(**terms)
        twice.record(after(1), level=4_100.0, deficit=600.0, **changes)  # type: ignore[arg-type]
        idle(twice, 6)
        first, second = twice.standing(after(6))
        assert first.practice == "not established"
        assert second.practice == answer
        # Minor ones exist and are to be satisfied all the same.
        assert second.remaining == 600.0
    with pytest.raises(mc.InvalidInput, match="a number from 1"):
        intraday.Practice(0, 12)


def test_days_are_closed_in_order() -> None:
    deficits = begun()
    with pytest.raises(mc.InvalidInput, match="closed in order"):
        deficits.record(DAY, level=0.0)
    with pytest.raises(mc.InvalidInput, match="before the last day"):
        deficits.standing("2026-11-19")


def test_a_closed_day_is_recorded_as_it_is() -> None:
    stock = mc.Stock("XYZ", currency="USD")
    market = mc.Market("2026-11-20T09:30:00-05:00", spot={"XYZ": 100.0})
    prepared = mc.Engine(mc.methods.RegT()).prepare([stock], market)
    account = mc.Account([], cash={"USD": 10_000.0})
    moves = [intraday.Fill(stock, 500, 100.0, time="2026-11-20T10:00:00-05:00"),
             intraday.Cash(1_000.0, time="2026-11-20T11:00:00-05:00")]  # fmt: skip
    deficits = intraday.Deficits()
    deficits.close(intraday.day(prepared, account, moves))
    [standing] = deficits.standing(DAY)
    assert (standing.amount, standing.minor, standing.remaining) == (2_500.0, False, 2_500.0)


def test_deficits_are_plain_data() -> None:
    deficits = begun(practice=True)
    deficits.record(after(1), level=5_100.0, deposits=1_000.0, caused=1_000.0, deficit=50.0, minor=True)
    document = json.loads(json.dumps(deficits.to_dict()))
    restored = intraday.Deficits(practice=True)
    restored.restore(document)
    for each in (deficits, restored):
        idle(each, 5)
    assert restored.standing(after(5)) == deficits.standing(after(5))
