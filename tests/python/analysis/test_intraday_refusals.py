"""What a day, its transactions and recorded deficits refuse, with the code and the place."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import pytest

import margincore as mc
from margincore import intraday

NAN = math.nan
STOCK: Any = mc.Stock("ABC", currency="USD")
FUTURE: Any = mc.Future("CL", expiry="2026-12-18T21:00:00Z", multiplier=1000, currency="USD", id=":CL:FUT:202612")
CALL: Any = mc.Option("ABC", "call", 100.0, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
                      currency="USD")  # fmt: skip
PREPARED: Any = mc.Engine(mc.methods.RegT()).prepare(
    [STOCK], mc.Market("2026-11-20T09:30:00-05:00", spot={"ABC": 100.0})
)
OLD: Any = mc.Engine(mc.methods.RegT()).prepare([STOCK], mc.Market("2025-11-20T09:30:00-05:00", spot={"ABC": 100.0}))
TEN: Any = mc.Account([], cash={"USD": 10_000.0})
TIME = "2026-11-20T10:00:00-05:00"
ANY: Any = "x"


def record(**terms: Any) -> None:
    intraday.Deficits().record("2026-11-20", **{"level": 0.0, **terms})


def after(day: str) -> None:
    deficits = intraday.Deficits()
    deficits.record("2026-11-20", level=0.0)
    deficits.record(day, level=0.0)


def day(moves: Any = (), prepared: Any = PREPARED, **terms: Any) -> intraday.Day:
    return intraday.day(prepared, TEN, moves, **terms)


def fill(time: str | None = None, name: str | None = None) -> intraday.Fill:
    return intraday.Fill(STOCK, 1, 100.0, time=time, id=name)


def many(prepared: Any = PREPARED, **terms: Any) -> intraday.Days:
    accounts = mc.Accounts.from_columns(PREPARED.contracts, account=[], contract=[], lots=[], count=1)
    columns: dict[str, Any] = {"cash": [10_000.0], "account": [0], "contract": [0], "lots": [1], "price": [100.0]}
    return intraday.many(prepared, accounts, **{**columns, **terms})


REFUSED: list[tuple[Callable[[], Any], str, str]] = [
    *((lambda n=n, v=v: record(**{n: v}), code, f"deficits: {n} is")
      for n in ("level", "deposits", "caused", "deficit")
      for v, code in ((NAN, "not_finite"), (-math.inf, "not_finite"), ("x", "wrong_type"), (True, "wrong_type"))),
    (lambda: record(deficit=-1.0), "out_of_range", "deficits: deficit"),
    (lambda: record(minor="no"), "wrong_type", "deficits: minor"),
    (lambda: after("2026-12-01"), "bad_time", "2026-11-23 is missing"),
    (lambda: after("2026-11-20"), "bad_time", "closed in order"),
    (lambda: intraday.Fill(STOCK, 1, -1.0), "out_of_range", "Fill: price"),
    (lambda: intraday.Fill(STOCK, 1, NAN), "not_finite", "Fill: price"),
    (lambda: intraday.Fill(FUTURE, 1, NAN), "not_finite", "Fill: price"),
    (lambda: intraday.Fill(STOCK, 0, 1.0), "out_of_range", "Fill: quantity"),
    (lambda: intraday.Fill(STOCK, NAN, 1.0), "not_finite", "Fill: quantity"),
    (lambda: intraday.Fill(STOCK, 1, 1.0, NAN), "not_finite", "Fill: fees"),
    (lambda: intraday.Fill(ANY, 1, 1.0), "wrong_type", "Fill: contract"),
    (lambda: intraday.Fill(STOCK, 1, 1.0, id=1), "wrong_type", "Fill: id"),  # type: ignore[arg-type]
    (lambda: intraday.Cash(NAN), "not_finite", "Cash: amount"),
    (lambda: intraday.Cash(True), "wrong_type", "Cash: amount"),
    (lambda: intraday.Charge(math.inf), "not_finite", "Charge: amount"),
    (lambda: intraday.Securities(STOCK, NAN), "not_finite", "Securities: quantity"),
    (lambda: intraday.Expiry(CALL, NAN), "not_finite", "Expiry: quantity"),
    (lambda: intraday.Exercise(CALL, NAN, STOCK), "not_finite", "Exercise: quantity"),
    (lambda: intraday.Exercise(ANY, 1), "wrong_type", "Exercise: contract"),
    (lambda: intraday.Package(ANY), "wrong_type", "Package: fills"),
    (lambda: intraday.Package((ANY,)), "wrong_type", r"Package: fills\[0\]"),
    (lambda: day([fill("2026-11-21T10:00:00-05:00")]), "bad_time", "transaction 0.*2026-11-21.*2026-11-20"),
    # Of the day in its own zone, and of the next in the market's.
    (lambda: day([fill(), fill("2026-11-20T23:00:00-08:00")]), "bad_time", "transaction 1.*2026-11-21"),
    (lambda: day(updates=[("2026-11-19T10:00:00-05:00", PREPARED)]), "bad_time", r"updates\[0\].*2026-11-19"),
    (lambda: day(prepared=OLD, on="2026-11-20"), "contradiction", "2026-11-20.*2025-11-20"),
    (lambda: many(OLD, on="2026-11-20"), "contradiction", "2026-11-20.*2025-11-20"),
    (lambda: day([(STOCK, 1)]), "wrong_type", "transaction 0"),
    (lambda: day(fill()), "wrong_type", "transactions"),
    (lambda: day([fill(name="a"), fill(), fill(name="a")]), "duplicate", "transaction 2.*'a' of transaction 0"),
    (lambda: day(choices="close"), "wrong_type", "choices"),
    (lambda: day(updates=["x"]), "wrong_type", r"updates\[0\]"),
    (lambda: day(updates=[(TIME, "x")]), "wrong_type", r"updates\[0\]"),
    (lambda: day(phased_in="no"), "wrong_type", "phased_in"),
    (lambda: intraday.Deficits(prompt_days=ANY), "wrong_type", "prompt_days"),
    (lambda: intraday.Deficits(prompt_days=16), "out_of_range", "prompt_days"),
    (lambda: intraday.Deficits(practice=ANY), "wrong_type", "practice"),
    (lambda: intraday.Deficits(calendar=ANY), "wrong_type", "calendar"),
    (lambda: intraday.Practice(ANY, 1), "wrong_type", "Practice: count"),
    (lambda: intraday.Practice(1, NAN), "wrong_type", "Practice: months"),  # type: ignore[arg-type]
    (lambda: intraday.Practice(-1, 0), "out_of_range", "Practice: count"),
    (lambda: intraday.Choices(expiry_counts=ANY), "wrong_type", "expiry_counts"),
    (lambda: many(price=[-1.0]), "out_of_range", r"price\[0\]"),
    (lambda: many(price=[NAN]), "not_finite", r"price\[0\]"),
    (lambda: many(price=["x"]), "wrong_type", "price"),
    (lambda: many(fees=[math.inf]), "not_finite", r"fees\[0\]"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code", "says"), REFUSED)
def test_it_refuses(call: Callable[[], Any], code: str, says: str) -> None:
    with pytest.raises(mc.InvalidInput, match=says) as refused:
        call()
    assert refused.value.code == code
    assert refused.value.where is not None


def test_what_is_in_order_is_taken() -> None:
    assert intraday.Fill(FUTURE, 1, -37.63).price == -37.63
    record(level=-1_000.0)
    after("2026-11-23")
    assert day([fill(TIME, "a"), fill(TIME, "b"), fill()], on=dt.date(2026, 11, 20)).deficit == 0.0
    assert day([fill("2026-11-20T23:00:00+00:00")]).deficit == 0.0
    assert many().deficit.tolist() == [0.0]
    deficits = intraday.Deficits()
    deficits.record("2026-11-20", level=0.0, deficit=1.0, minor=many().minor[0])  # type: ignore[arg-type]
    assert deficits.to_dict()["deficits"][0]["minor"] is False
