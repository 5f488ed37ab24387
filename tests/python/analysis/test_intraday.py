"""A day's intraday margin deficit: the rule's worked days, its dates and choices, and orders nobody knows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

import margincore as mc
from margincore import intraday

STOCK = mc.Stock("XYZ", currency="USD")
OPEN = mc.Market("2026-11-20T09:30:00-05:00", spot={"XYZ": 100.0})
PREPARED = mc.Engine(mc.methods.RegT()).prepare([STOCK], OPEN)
LOWER = PREPARED.update(spot={"XYZ": 98.0})
CASH = mc.Account([], cash={"USD": 10_000.0})


def at(hour: int, minute: int = 0) -> str:
    return f"2026-11-20T{hour:02}:{minute:02}:00-05:00"


def fill(quantity: float, price: float = 100.0, time: str | None = None, fees: float = 0.0) -> intraday.Fill:
    return intraday.Fill(STOCK, quantity, price, fees=fees, time=time)


BOUGHT = [fill(300, time=at(10)), fill(200, time=at(11))]


def levels(day: intraday.Day) -> list[tuple[float, float]]:
    return [(step.before.margin, step.after.margin) for step in day.steps]


# ---- worked by hand


def test_two_purchases_make_a_deficit() -> None:
    day = intraday.day(PREPARED, CASH, BOUGHT)
    assert levels(day) == [(10_000.0, 2_500.0), (2_500.0, -2_500.0)]
    assert (day.deficit, day.minor, day.minor_limit) == (2_500.0, False, 500.0)
    assert day.made_by is day.steps[1]
    assert (day.gap, day.order_assumed) == (0.0, False)


def test_the_market_makes_no_deficit_but_is_inside_the_level() -> None:
    updates = [(at(12), LOWER)]
    passive = intraday.day(PREPARED, CASH, BOUGHT, updates=updates)
    assert (passive.deficit, passive.closing.margin) == (2_500.0, -3_250.0)
    one_more = intraday.day(PREPARED, CASH, [*BOUGHT, fill(1, 98.0, at(13))], updates=updates)
    assert levels(one_more)[-1] == (-3_250.0, -3_274.5)
    assert one_more.deficit == 3_274.5
    sold = intraday.day(PREPARED, CASH, [*BOUGHT, fill(-300, 98.0, at(13))], updates=updates)
    assert (sold.deficit, sold.closing.margin) == (2_500.0, 4_100.0)
    assert not sold.steps[-1].reducing


def test_a_day_without_transactions_has_no_deficit_whatever_the_market_does() -> None:
    held = mc.Account([mc.Position(STOCK, 500)], cash={"USD": -40_000.0})
    day = intraday.day(PREPARED, held, [], updates=[(at(12), LOWER)])
    assert (day.deficit, day.made_by, day.minor) == (0.0, None, None)
    assert day.closing.margin == -3_250.0


@pytest.mark.parametrize("fills", [[fill(300), fill(200)], [fill(200), fill(300)], [fill(500), fill(-300)],
                                   [fill(-300), fill(500)]])  # fmt: skip
def test_without_times_the_order_with_the_highest_deficit_is_assumed(fills: list[intraday.Fill]) -> None:
    day = intraday.day(PREPARED, CASH, fills)
    assert (day.deficit, day.gap) == (2_500.0, 0.0)


def test_what_was_timed_keeps_its_order_and_what_was_not_is_placed_at_its_worst() -> None:
    timed = [fill(300, time=at(10)), fill(-300, time=at(11))]
    assert intraday.day(PREPARED, CASH, timed).deficit == 0.0
    between = intraday.day(PREPARED, CASH, [*timed, fill(200)])
    assert between.deficit == 2_500.0
    assert between.order_assumed
    # Before or after the purchase at ten it comes to the same; never after the sale.
    assert [step.transaction for step in between.steps] in ([0, 2, 1], [2, 0, 1])


def test_the_field_case() -> None:
    for quantity, spot, cash, expected in (
        (300, 100.0, -20_000.0, 2_500.0),
        (500, 100.0, -40_000.0, -2_500.0),
        (500, 98.0, -40_000.0, -3_250.0),
        (200, 98.0, -10_600.0, 4_100.0),
    ):
        prepared = PREPARED.update(spot={"XYZ": spot})
        account = mc.Account([mc.Position(STOCK, quantity)], cash={"USD": cash})
        assert intraday.day(prepared, account, []).opening.margin == expected


# ---- minor deficits


def test_a_minor_deficit_includes_its_boundary() -> None:
    # 420 shares: 42,000 at 25 %, 10,500 against 10,000: exactly 5 % of the equity.
    day = intraday.day(PREPARED, CASH, [fill(420, time=at(10))])
    assert (day.deficit, day.minor) == (500.0, True)
    more = intraday.day(PREPARED, CASH, [fill(421, time=at(10))])
    assert (more.deficit, more.minor) == (525.0, False)


def test_a_minor_deficit_is_never_above_a_thousand() -> None:
    rich = mc.Account([], cash={"USD": 100_000.0})
    assert intraday.day(PREPARED, rich, [fill(4_040, time=at(10))]).minor is True
    assert intraday.day(PREPARED, rich, [fill(4_041, time=at(10))]).minor is False


def test_a_later_larger_deficit_of_the_day_wins() -> None:
    fills = [fill(420, time=at(10)), fill(-100, time=at(11)), fill(400, time=at(12))]
    day = intraday.day(PREPARED, CASH, fills)
    assert (day.deficit, day.minor) == (8_000.0, False)


# ---- what counts


def test_withdrawals_count_and_interest_does_not() -> None:
    held = mc.Account([mc.Position(STOCK, 300)], cash={"USD": -20_000.0})  # a level of 2,500
    withdrawn = intraday.day(PREPARED, held, [intraday.Cash(-3_000.0, time=at(10))])
    assert (withdrawn.deficit, withdrawn.deposits) == (500.0, -3_000.0)
    charged = intraday.day(PREPARED, held, [intraday.Charge(-3_000.0, time=at(10))])
    assert (charged.deficit, charged.caused) == (0.0, 0.0)
    assert "no transaction" in charged.steps[0].why


def test_securities_withdrawn_lower_the_level_by_their_loan_value() -> None:
    held = mc.Account([mc.Position(STOCK, 300)], cash={"USD": -20_000.0})
    day = intraday.day(PREPARED, held, [intraday.Securities(STOCK, -100, time=at(10))])
    assert levels(day) == [(2_500.0, -5_000.0)]
    assert day.deposits == -10_000.0


def test_loss_against_the_mark_and_commission_are_inside() -> None:
    day = intraday.day(PREPARED, CASH, [fill(300, 101.0, at(10), fees=10.0)])
    assert levels(day) == [(10_000.0, 2_190.0)]


def test_a_short_sale_is_at_thirty_per_cent() -> None:
    day = intraday.day(PREPARED, CASH, [fill(-400, time=at(10))])
    assert levels(day) == [(10_000.0, -2_000.0)]


def test_a_package_is_one_transaction() -> None:
    together = intraday.Package((fill(500), fill(-300)), time=at(10))
    assert intraday.day(PREPARED, CASH, [together]).deficit == 0.0


# ---- marks


def test_marks_of_fills_without_a_time() -> None:
    fills, updates = [fill(500, 98.0)], [(at(12), LOWER)]
    given = intraday.day(PREPARED, CASH, fills, updates=updates)
    close = intraday.day(PREPARED, CASH, fills, updates=updates, choices=intraday.Choices(marks="close"))
    trade = intraday.day(PREPARED, CASH, fills, choices=intraday.Choices(marks="trade"))
    assert [(d.steps[0].marks, d.deficit) for d in (given, close, trade)] == [
        ("given", 1_500.0), ("close", 2_250.0), ("trade", 2_250.0),
    ]  # fmt: skip
    assert trade.closing.margin == -1_500.0  # the marks given, not the fill's
    with pytest.raises(mc.InvalidInput, match="marks is 'last'"):
        intraday.Choices(marks="last")  # type: ignore[arg-type]


# ---- choices


def test_an_overnight_deficit_is_inside_unless_it_is_left_out() -> None:
    held = mc.Account([mc.Position(STOCK, 500)], cash={"USD": -40_000.0})  # a call of 2,500 at the open
    buy = [fill(100, time=at(10))]
    assert intraday.day(PREPARED, held, buy).deficit == 5_000.0
    left_out = intraday.day(PREPARED, held, buy, choices=intraday.Choices(overnight_deficit="excluded"))
    assert (left_out.deficit, left_out.overnight) == (2_500.0, 2_500.0)


def test_net_deposits_may_count_from_the_start() -> None:
    moves = [*BOUGHT, intraday.Cash(3_000.0, time=at(15)), intraday.Cash(-1_000.0, time=at(16))]
    assert intraday.day(PREPARED, CASH, moves).deficit == 2_500.0
    first = intraday.day(PREPARED, CASH, moves, choices=intraday.Choices(deposits_from_start=True))
    assert (first.deficit, first.deposits) == (500.0, 2_000.0)
    assert first.closing == intraday.day(PREPARED, CASH, moves).closing


def test_closes_of_what_was_held_may_count_from_the_start() -> None:
    held = mc.Account([mc.Position(STOCK, 300)], cash={"USD": -20_000.0})
    moves = [fill(200, time=at(10)), fill(-400, time=at(11), fees=4.0)]
    assert intraday.day(PREPARED, held, moves).deficit == 2_500.0
    first = intraday.day(PREPARED, held, moves, choices=intraday.Choices(closes_from_start=True))
    assert first.deficit == 0.0
    assert [step.text for step in first.steps] == [
        "sell 300 XYZ at 100", "buy 200 XYZ at 100", "sell 100 XYZ at 100",
    ]  # fmt: skip
    assert first.closing == intraday.day(PREPARED, held, moves).closing


# ---- dates, accounts


def test_before_the_rule_and_outside_the_phase_in_it_refuses() -> None:
    with pytest.raises(mc.Unsupported, match=r"in force since 2026-06-04.*4210\(f\)\(8\)\(B\)"):
        intraday.day(PREPARED, CASH, [], on="2026-06-03")
    first = mc.Engine(mc.methods.RegT()).prepare([STOCK], mc.Market("2026-06-04T09:30:00-04:00", spot={"XYZ": 100.0}))
    assert intraday.day(first, CASH, [], on="2026-06-04").deficit == 0.0
    with pytest.raises(mc.Unsupported, match="not phased in"):
        intraday.day(PREPARED, CASH, [], phased_in=False)
    with pytest.raises(mc.InvalidInput, match="until 2027-10-20"):
        intraday.day(PREPARED, CASH, [], on="2027-10-21", phased_in=False)
    with pytest.raises(mc.Unsupported, match="day-trading"):
        intraday.day(PREPARED, CASH, [], rule="4210(f)(8)(B)")
    with pytest.raises(mc.InvalidInput, match="rule"):
        intraday.day(PREPARED, CASH, [], rule="4210")  # type: ignore[arg-type]


def test_cash_and_portfolio_margin_accounts_have_no_deficit() -> None:
    with pytest.raises(mc.NotApplicable, match="cash account"):
        intraday.day(PREPARED, mc.Account([], cash={"USD": 1.0}, kind="cash"), [])
    tims = mc.Engine(mc.methods.Tims()).prepare([STOCK], OPEN)
    with pytest.raises(mc.NotApplicable, match=r"4210\(d\)\(2\)"):
        intraday.day(tims, CASH, BOUGHT)
    found = intraday.excess(tims, CASH, [fill(600, time=at(10))])
    assert found.lowest == 1_000.0  # 15 % of 60,000 against 10,000
    with pytest.raises(mc.NotApplicable, match="5,000,000"):
        intraday.excess(tims, mc.Account([], cash={"USD": 5_000_000.0}), [])
    with pytest.raises(mc.NotApplicable, match="portfolio margin"):
        intraday.excess(PREPARED, CASH, [])


def test_times_and_updates_are_read_strictly() -> None:
    with pytest.raises(mc.InvalidInput, match="transaction 0: time '10:00'"):
        intraday.day(PREPARED, CASH, [fill(1, time="10:00")])
    with pytest.raises(mc.InvalidInput, match="with its zone"):
        intraday.day(PREPARED, CASH, [fill(1, time="2026-11-20T10:00:00")])
    with pytest.raises(mc.InvalidInput, match="before the one in front"):
        intraday.day(PREPARED, CASH, [], updates=[(at(12), LOWER), (at(11), PREPARED)])
    other = mc.Engine(mc.methods.RegT()).prepare([mc.Stock("ABC", currency="USD")],
                                                 mc.Market(at(9), spot={"ABC": 1.0}))  # fmt: skip
    with pytest.raises(mc.InvalidInput, match="another table"):
        intraday.day(PREPARED, CASH, [], updates=[(at(12), other)])


# ---- options


def call(strike: float) -> mc.Contract:
    return mc.Option("XYZ", "call", strike, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
                     currency="USD")  # fmt: skip


SHORT, LONG = call(100), call(105)
MARKED = mc.Market(at(9, 30), spot={"XYZ": 100.0}, price={SHORT.id: 3.0, LONG.id: 1.0})
OPTIONS = mc.Engine(mc.methods.RegT(classes={"XYZ": "equity"})).prepare([SHORT, LONG, STOCK], MARKED)
# Equity 700 - 300 + 100 = 500 against 300 for the spread.
SPREAD = mc.Account([mc.Position(SHORT, -1), mc.Position(LONG, 1)], cash={"USD": 700.0})
SELL_LONG, BUY_SHORT = intraday.Fill(LONG, -1, 1.0), intraday.Fill(SHORT, 1, 3.0)


def test_a_spread_whose_long_leg_is_sold_first() -> None:
    """Uncovered on the way: 20 % of 10,000 against 500."""
    for legs in ([SELL_LONG, BUY_SHORT], [BUY_SHORT, SELL_LONG]):
        day = intraday.day(OPTIONS, SPREAD, legs)
        assert (day.deficit, day.minor, day.gap) == (1_500.0, False, 0.0)
        assert [step.text[:4] for step in day.steps] == ["sell", "buy "]
    known = [replace(BUY_SHORT, time=at(10)), replace(SELL_LONG, time=at(11))]
    assert intraday.day(OPTIONS, SPREAD, known).deficit == 0.0
    assert intraday.day(OPTIONS, SPREAD, [intraday.Package((SELL_LONG, BUY_SHORT))]).deficit == 0.0


def test_the_expiry_of_a_long_option_leaves_its_short_uncovered() -> None:
    worthless = OPTIONS.update(price={LONG.id: 0.0})
    gone = [intraday.Expiry(LONG, 1, time=at(16))]
    day = intraday.day(worthless, SPREAD, gone)
    # 700 - 300 against 2,000.
    assert day.deficit == 1_600.0
    not_counted = intraday.day(worthless, SPREAD, gone, choices=intraday.Choices(expiry_counts=False))
    assert not_counted.deficit == 0.0
    assert "by choice" in not_counted.steps[0].why


def test_an_assignment_delivers_at_the_strike() -> None:
    account = mc.Account([mc.Position(SHORT, -1)], cash={"USD": 3_000.0})
    assigned = [intraday.Exercise(SHORT, -1, shares=STOCK, time=at(16))]
    day = intraday.day(OPTIONS, account, assigned)
    # Option gone, 100 shares short at the strike: 3,000 of equity against 30 % of 10,000.
    assert levels(day) == [(700.0, 0.0)]
    assert day.steps[0].reducing
    assert not intraday.day(OPTIONS, account, assigned,
                            choices=intraday.Choices(exercise_counts=False)).steps[0].reducing  # fmt: skip
    with pytest.raises(mc.InvalidInput, match="give shares, or settlement"):
        intraday.Exercise(SHORT, -1)


def test_a_cash_settled_exercise_pays_its_intrinsic_value() -> None:
    assert intraday.Exercise(SHORT, 2, settlement=104.0).cash() == {"USD": 800.0}
    assert intraday.Exercise(SHORT, -2, settlement=96.0).cash() == {"USD": 0.0}


# ---- many transactions


def test_stock_is_exact_however_many_fills_have_no_time() -> None:
    fills = [fill(10 + k) for k in range(30)] + [fill(-(10 + k)) for k in range(30)]
    day = intraday.day(PREPARED, CASH, fills)
    # Sold short first, at 30 %; bought first it would be 25 %.
    assert (day.deficit, day.gap) == (30.0 * sum(10 + k for k in range(30)) - 10_000.0, 0.0)
    assert intraday.day(PREPARED, CASH, fills[:30]).deficit == 25.0 * sum(10 + k for k in range(30)) - 10_000.0


def test_beyond_what_is_looked_at_options_have_an_interval() -> None:
    many = [intraday.Fill(SHORT, -1, 3.0) for _ in range(10)] + [intraday.Fill(LONG, 1, 1.0) for _ in range(10)]
    account = mc.Account([], cash={"USD": 5_000.0})
    day = intraday.day(OPTIONS, account, many)
    assert day.deficit == 15_000.0  # ten uncovered calls before the first is covered
    assert day.highest >= day.deficit
    assert day.gap == day.highest - day.deficit
    few = intraday.day(OPTIONS, account, many[2:18])
    assert (few.deficit, few.gap) == (11_000.0, 0.0)


def test_several_names_are_at_their_worst_together() -> None:
    names = [mc.Stock(f"S{k}", currency="USD") for k in range(6)]
    prepared = mc.Engine(mc.methods.RegT()).prepare(names, mc.Market(at(9), spot={n.underlying: 50.0 for n in names}))
    fills = [intraday.Fill(n, q, 50.0) for n in names for q in (100, -100, 60, -60)]
    day = intraday.day(prepared, mc.Account([], cash={"USD": 5_000.0}), fills)
    # 160 sold short of each, at 15 dollars.
    assert (day.deficit, day.gap) == (6 * 160 * 15.0 - 5_000.0, 0.0)


def test_a_day_is_plain_data_and_prints_its_steps() -> None:
    day = intraday.day(PREPARED, CASH, BOUGHT)
    document = day.to_dict()
    assert (document["on"], document["deficit"], document["choices"]["marks"]) == ("2026-11-20", 2_500.0, "given")
    assert str(day).splitlines()[0] == "intraday margin deficit on 2026-11-20: 2,500.00 USD (not minor)"


# ---- many accounts


def test_columns_give_what_each_day_gives() -> None:
    table = PREPARED.contracts
    accounts = mc.Accounts.from_columns(table, account=[0, 1], contract=[0, 0], lots=[0, 300], count=3)
    rows: list[Any] = [(0, 300, 100.0, 0.0), (1, 200, 100.0, 1.0), (0, 200, 100.0, 0.0), (2, -500, 99.0, 0.0),
                       (1, -300, 101.0, 0.0)]  # fmt: skip
    account, quantity, price, fees = (list(column) for column in zip(*rows, strict=True))
    cash = [10_000.0, -20_000.0, 20_000.0]
    days = intraday.many(PREPARED, accounts, cash=cash, account=account, contract=[0] * 5, lots=quantity,
                         price=price, fees=fees, threads=2)  # fmt: skip
    for k, held in enumerate((0, 300, 0)):
        positions = [mc.Position(STOCK, held)] if held else []
        times = itertools.count()
        own = [fill(q, p, at(10, next(times)), f) for a, q, p, f in rows if a == k]
        day = intraday.day(PREPARED, mc.Account(positions, cash={"USD": cash[k]}), own)
        assert (days.deficit[k], bool(days.minor[k])) == (day.deficit, bool(day.minor))
        assert days.closing[k] == day.closing.margin
    assert days.fill.tolist() == [2, 1, 3]
    with pytest.raises(mc.InvalidInput, match="price has 4 rows"):
        intraday.many(PREPARED, accounts, cash=cash, account=account, contract=[0] * 5, lots=quantity,
                      price=price[:4])  # fmt: skip
    with pytest.raises(mc.InvalidInput, match="account 3 of 3"):
        intraday.many(PREPARED, accounts, cash=cash, account=[3], contract=[0], lots=[1], price=[1.0])
    with pytest.raises(mc.InvalidInput, match="whole numbers"):
        intraday.many(PREPARED, accounts, cash=cash, account=[0], contract=[0], lots=[1.5], price=[1.0])
