"""An account on one page: worked numbers of margin accounts, SMA over days, calls and what meets them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

import margincore as mc
from margincore.analysis.statements import Carried, Money
from margincore.calendars import nyse

VALUATION = "2026-11-20T16:00:00-05:00"
FRIDAY = dt.date(2026, 11, 20)
STOCK = mc.Stock("ABC", currency="USD")


def market(last: float, **parts: Any) -> mc.Market:
    return mc.Market(parts.pop("valuation", VALUATION), spot={"ABC": last}, **parts)


def option(right: str, strike: float) -> mc.Contract:
    return mc.Option(
        "ABC", right, strike, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100, currency="USD"
    )  # fmt: skip


def stated(price: float, shares: float, cash: float, **terms: Any) -> mc.Statement:
    account = mc.Account([mc.Position(STOCK, shares)], cash={"USD": cash})
    return mc.statement(account, market(price), mc.methods.RegT(), **terms)


def power(page: mc.Statement) -> dict[str, float]:
    return {row.of: row.amount for row in page.buying_power}


def absent(page: mc.Statement) -> dict[str, str]:
    return {a.what: a.because for a in page.absent}


# ---- section 1: the words


def test_straddles_bought_bring_what_they_cost() -> None:
    legs = {option("call", 65): 2.0, option("put", 65): 2.25}
    quotes = market(65.25, price={c.id: p for c, p in legs.items()})
    account = mc.Account([mc.Position(c, 5) for c in legs], cash={"USD": 2_125.0 - 2_125.0})
    page = mc.statement(account, quotes, mc.methods.RegT(classes={"ABC": "equity"}))
    assert (page.equity_required, page.cash_balance_required) == (2_125.0, 0.0)
    assert page.initial_excess == 0.0
    assert page.to_bring == 2_125.0


def test_a_put_spread_brings_less_than_must_stand_there_and_a_new_account_meets_the_minimum() -> None:
    legs = {option("put", 70): (-5, 5.0), option("put", 65): (5, 1.25)}
    quotes = market(65.25, price={c.id: p for c, (_, p) in legs.items()})
    account = mc.Account([mc.Position(c, n) for c, (n, _) in legs.items()], cash={"USD": 625.0 + 1_875.0})
    page = mc.statement(account, quotes, mc.methods.RegT(classes={"ABC": "equity"}))
    assert (page.equity_required, page.cash_balance_required) == (625.0, 2_500.0)
    assert page.minimum is not None
    assert (page.minimum.required, page.minimum.met, page.to_bring) == (2_000.0, False, 2_000.0)
    assert [r.what for r in page.restrictions] == ["no new positions, no withdrawals"]


def test_an_iron_condor() -> None:
    legs = [("put", 4200, 1, 10.0), ("put", 4300, -1, 20.0), ("call", 4700, -1, 14.9235), ("call", 4800, 1, 8.0)]
    contracts = {
        mc.Option(
            "SPX", right, strike, expiry="2026-12-18", settles="am", exercise="european", multiplier=100, currency="USD"
        ): (n, p)
        for right, strike, n, p in legs
    }
    quotes = mc.Market(VALUATION, spot={"SPX": 4500.0}, price={c.id: p for c, (_, p) in contracts.items()})
    account = mc.Account([mc.Position(c, n) for c, (n, _) in contracts.items()], cash={"USD": 10_000.0})
    page = mc.statement(account, quotes, mc.methods.RegT())
    assert page.equity_required == pytest.approx(8_307.65)
    assert page.cash_balance_required == pytest.approx(10_000.0)
    assert page.initial_excess == pytest.approx(0.0, abs=1e-9)


def test_shares_half_lent() -> None:
    page = stated(50.0, 100, -2_500.0)
    assert (page.equity_required, page.cash_balance_required, page.initial_excess) == (2_500.0, -2_500.0, 0.0)


# ---- section 2: Reg T


def test_a_maintenance_call() -> None:
    page = stated(50.0, 240, -10_000.0)
    assert page.equity is not None
    assert (page.equity.total, page.maintenance) == (2_000.0, 3_000.0)
    (call,) = page.calls
    assert (call.kind, call.amount, call.made_on) == ("maintenance", 1_000.0, FRIDAY)
    assert call.due_on == nyse().add(FRIDAY, 15)
    assert not call.overdue(call.due_on)
    assert call.overdue(call.due_on + dt.timedelta(days=1))


def test_what_meets_a_call_is_margined_again() -> None:
    deposit, sale = stated(50.0, 240, -10_000.0).cures
    assert (deposit.action, deposit.amount, deposit.exact) == ("deposit", 1_000.0, True)
    assert (sale.action, sale.amount, sale.quantity, sale.left, sale.exact) == ("sell", 4_000.0, 80.0, 0.0, True)
    after = stated(50.0, 240 - 80, -10_000.0 + 80 * 50.0)
    assert after.calls == ()
    assert stated(50.0, 240 - 79, -10_000.0 + 79 * 50.0).calls[0].left == pytest.approx(12.5)


def test_a_sale_that_does_not_do_says_what_is_left() -> None:
    short = option("call", 60)
    quotes = market(50.0, price={short.id: 1.0})
    account = mc.Account([mc.Position(STOCK, 240), mc.Position(short, -2)], cash={"USD": -9_900.0})
    page = mc.statement(account, quotes, mc.methods.RegT(classes={"ABC": "equity"}))
    (call,) = page.calls
    _, sale = page.cures
    assert not sale.exact  # shares that cover calls set more free, or less, than they need alone
    live = mc.Engine(mc.methods.RegT(classes={"ABC": "equity"})).prepare([STOCK, short], quotes).open(account)
    assert sale.quantity is not None
    after = live.what_if([(STOCK, -sale.quantity)]).after.maintenance - live.equity
    assert sale.left == pytest.approx(max(0.0, after))
    assert call.left > 0.0


def test_shares_that_rose_have_an_excess_and_it_is_sma() -> None:
    page = stated(70.0, 1_000, -25_000.0, carried=Carried(dt.date(2026, 11, 19), 0.0), transactions=[])
    assert page.equity is not None
    assert (page.equity.total, page.initial, page.initial_excess, page.sma) == (45_000.0, 35_000.0, 10_000.0, 10_000.0)
    assert power(page)["marginable stock"] == 20_000.0


def test_buying_power_is_held_by_maintenance() -> None:
    page = stated(38.0, 1_000, -25_000.0, carried=Carried(dt.date(2026, 11, 19), 10_000.0), transactions=[])
    assert page.sma == 10_000.0
    assert page.maintenance_excess == 3_500.0
    assert power(page)["marginable stock"] == 14_000.0
    assert power(page)["ABC"] == 14_000.0
    assert page.calls == ()


def test_a_leveraged_fund_takes_its_own_rate() -> None:
    page = stated(70.0, 1_000, -25_000.0)
    own = power(page)
    assert own["fund of leverage 3"] == pytest.approx(10_000.0 / 0.75)
    assert own["fund of leverage 2"] == pytest.approx(20_000.0)
    assert own["options, paid in full"] == 10_000.0
    fund = mc.Etf("UPRO", currency="USD")
    account = mc.Account([], cash={"USD": 3_000.0})
    page = mc.statement(account, mc.Market(VALUATION, spot={"UPRO": 80.0}), mc.methods.RegT(), contracts=[fund])
    assert power(page)["UPRO"] == pytest.approx(4_000.0)


def test_a_house_percentage_is_in_the_buying_power() -> None:
    house = mc.methods.RegT(numbers={"stock_maintenance": 0.4, "stock_initial": 0.6})
    account = mc.Account([mc.Position(STOCK, 100)], cash={"USD": 1_000.0})
    page = mc.statement(account, market(50.0), house)
    assert power(page)["marginable stock"] == pytest.approx(min(3_000.0 / 0.6, 4_000.0 / 0.4))


@pytest.mark.parametrize(("price", "least"), [(10.0, 1_000.0), (15.0, 1_500.0), (30.0, 2_000.0), (50.0, 2_500.0)])
def test_a_first_purchase_brings_the_minimum_or_the_cost_in_full(price: float, least: float) -> None:
    page = stated(price, 100, least - 100 * price)
    assert page.to_bring == least
    assert page.minimum is not None
    assert page.minimum.met
    assert stated(price, 100, least - 100 * price - 1.0).minimum.met is (least > 2_000.0)  # type: ignore[union-attr]


def test_short_positions_have_no_exception_and_an_empty_account_needs_nothing() -> None:
    assert stated(10.0, -10, 1_000.0).minimum.required == 2_000.0  # type: ignore[union-attr]
    assert mc.statement([], market(10.0), mc.methods.RegT()).minimum.required == 0.0  # type: ignore[union-attr]


def test_below_the_minimum_only_what_is_paid_in_full_can_be_bought() -> None:
    page = mc.statement(mc.Account([], cash={"USD": 1_500.0}), market(10.0), mc.methods.RegT())
    assert power(page)["marginable stock"] == 1_500.0
    assert power(stated(10.0, 50, 1_000.0))["marginable stock"] == 1_000.0
    assert power(stated(10.0, -10, 1_500.0))["marginable stock"] == 0.0


# ---- SMA over days


def test_a_purchase_without_money_is_called_and_a_deposit_meets_it_and_nothing_else() -> None:
    opened = Carried(dt.date(2026, 11, 19), 0.0)
    bought = stated(50.0, 100, -5_000.0, carried=opened, transactions=[(STOCK, 100, 50.0)])
    initial, maintenance = bought.calls
    assert (initial.kind, initial.amount, initial.due_on) == ("reg_t_initial", 2_500.0, dt.date(2026, 11, 25))
    assert maintenance.amount == 1_250.0
    monday = market(50.0, valuation="2026-11-23T16:00:00-05:00")
    account = mc.Account([mc.Position(STOCK, 100)], cash={"USD": -4_000.0})
    later = mc.statement(
        account, monday, mc.methods.RegT(), carried=bought.carry(), transactions=[Money("deposit", 1_000.0)]
    )
    initial, maintenance = later.calls
    assert (initial.amount, initial.left, initial.made_on) == (2_500.0, 1_500.0, FRIDAY)
    assert (maintenance.amount, maintenance.left, maintenance.made_on) == (1_250.0, 250.0, FRIDAY)
    assert later.sma == 0.0
    account = mc.Account([mc.Position(STOCK, 100)], cash={"USD": -2_300.0})
    tuesday = market(50.0, valuation="2026-11-24T16:00:00-05:00")
    last = mc.statement(
        account, tuesday, mc.methods.RegT(), carried=later.carry(), transactions=[Money("deposit", 1_700.0)]
    )
    assert last.calls == ()
    assert last.sma == 200.0


def test_a_rise_of_the_market_meets_no_initial_call_and_a_fall_takes_no_sma() -> None:
    opened = Carried(dt.date(2026, 11, 19), 0.0)
    bought = stated(50.0, 100, -5_000.0, carried=opened, transactions=[(STOCK, 100, 50.0)])
    account = mc.Account([mc.Position(STOCK, 100)], cash={"USD": -5_000.0})
    for day, price, sma in ((23, 120.0, 1_000.0), (24, 90.0, 1_000.0)):
        quotes = market(price, valuation=f"2026-11-{day}T16:00:00-05:00")
        bought = mc.statement(account, quotes, mc.methods.RegT(), carried=bought.carry(), transactions=[])
        assert bought.sma == sma
        assert [c.left for c in bought.calls if c.kind == "reg_t_initial"] == [2_500.0]
    overdue = mc.statement(
        account, market(120.0), mc.methods.RegT(), date="2026-11-27", carried=bought.carry(), transactions=[]
    )
    assert "positions may be liquidated" in [r.what for r in overdue.restrictions]


def test_calls_up_to_a_thousand_may_be_waived() -> None:
    opened = Carried(dt.date(2026, 11, 19), 1_600.0)
    terms: dict[str, Any] = {"carried": opened, "transactions": [(STOCK, 100, 50.0)]}
    page = stated(50.0, 100, -3_400.0, **terms)
    assert [c.waived for c in page.calls] == [False]
    page = stated(50.0, 100, -3_400.0, waive_up_to=1_000.0, **terms)
    assert [(c.amount, c.waived) for c in page.calls] == [(900.0, True)]
    assert page.cures == ()
    assert page.carry().calls == ()
    assert [c.waived for c in stated(50.0, 100, -3_400.0, waive_up_to=899.0, **terms).calls] == [False]


def entries(account: mc.Account, day: list[Any], quotes: mc.Market, **classes: str) -> list[float]:
    table = dict.fromkeys([*(p.contract for p in account.positions), *mc.analysis.statements.sma.traded(day)])
    prepared = mc.Engine(mc.methods.RegT(classes=classes or {"ABC": "equity"})).prepare(list(table), quotes)
    return [e.amount for e in mc.statements.entries(account, day, prepared)]


def test_entries_are_at_the_transaction_s_own_price() -> None:
    call = option("call", 60)
    quotes = market(55.0, price={call.id: 4.0})
    day = [
        (STOCK, 200, 50.0), (STOCK, -100, 60.0, 5.0), (STOCK, -200, 40.0), (STOCK, 100, 44.0),
        (call, 3, 2.0), (call, -3, 5.0), Money("dividend", 12.5), Money("withdrawal", 70.0),
    ]  # fmt: skip
    # Buy, sell half with a fee, sell the rest and go short, cover; options in full.
    assert entries(mc.Account([]), day, quotes) == [
        -5_000.0, 3_000.0 - 5.0, 2_000.0 - 2_000.0, 2_200.0, -600.0, 1_500.0, 12.5, -70.0,
    ]  # fmt: skip


def test_trades_executed_together_are_one_transaction() -> None:
    low, high = option("put", 65), option("put", 70)
    quotes = market(65.25, price={low.id: 1.25, high.id: 5.0})
    legs = [(high, -5, 5.0), (low, 5, 1.25)]
    (spread,) = entries(mc.Account([]), [legs], quotes)
    assert spread == -625.0
    assert len(entries(mc.Account([]), [*legs], quotes)) == 2


def test_what_was_bought_and_sold_in_the_day_needs_no_mark_at_the_close() -> None:
    other = mc.Stock("DEF", currency="USD")
    day = [(other, 10, 20.0), (other, -10, 22.0)]
    page = stated(50.0, 100, 20.0, carried=Carried(dt.date(2026, 11, 19), 500.0), transactions=day)
    assert page.close is not None
    assert [e.amount for e in page.close.entries] == [-100.0, 110.0]
    assert page.sma == page.initial_excess == 2_520.0


# ---- what is not stated is absent by name


def test_nothing_is_guessed() -> None:
    page = stated(50.0, 100, -4_000.0)
    said = absent(page)
    assert page.sma is None
    assert "carried" in said["SMA"]
    assert "SMA is not known" in said["initial call"]
    assert "interest_rate" in said["interest on debits"]
    assert "settled" in said["settled cash"]
    with pytest.raises(mc.MissingData, match="carry: SMA is not known"):
        page.carry()
    said = absent(stated(50.0, 100, -2_000.0, carried=Carried(dt.date(2026, 11, 19), 0.0)))
    assert "transactions" in said["SMA"]


def test_collateral_without_a_haircut_leaves_the_equity_open() -> None:
    account = mc.Account([mc.Position(STOCK, 100)], cash={"USD": 100.0}, collateral={"BOND": 1_000.0})
    quotes = market(50.0, fx={"BOND/USD": 0.99})
    page = mc.statement(account, quotes, mc.methods.RegT())
    assert page.equity is page.initial_excess is page.maintenance_excess is None
    assert "no haircut of the collateral BOND" in absent(page)["equity"]
    assert page.calls == page.cures == page.buying_power == ()
    page = mc.statement(account, quotes, mc.methods.RegT(), haircuts={"BOND": 0.1})
    assert page.equity is not None
    assert page.equity.total == pytest.approx(5_000.0 + 100.0 + 891.0)
    assert page.equity.collateral[0].value == pytest.approx(891.0)


def test_dates_outside_the_calendar_are_named() -> None:
    account = mc.Account([mc.Position(STOCK, 240)], cash={"USD": -10_000.0})
    late = market(50.0, valuation="2028-12-20T16:00:00-05:00")
    page = mc.statement(account, late, mc.methods.RegT())
    assert page.calls[0].due_on is None
    assert "give holidays" in absent(page)["last day of the maintenance call"]
    page = mc.statement(account, late, mc.methods.RegT(), holidays=["2028-12-25", "2029-01-01"])
    assert page.calls[0].due_on == dt.date(2029, 1, 12)


def test_a_transaction_has_its_price_and_is_a_trade() -> None:
    opened = Carried(dt.date(2026, 11, 19), 0.0)
    with pytest.raises(mc.MissingData, match="the trade of ABC has no price"):
        stated(50.0, 100, 0.0, carried=opened, transactions=[(STOCK, 100)])
    for wrong in (5, [(STOCK, 1, 2.0), 5], ("ABC", 1, 2.0), None):
        with pytest.raises(mc.InvalidInput):
            stated(50.0, 100, 0.0, carried=opened, transactions=[wrong])


@pytest.mark.parametrize(
    ("terms", "where"),
    [
        ({"regime": "reg-t"}, "regime"),
        ({"initial_ratio": 1.1}, "initial_ratio"),
        ({"restrictions": ["roth"]}, "restrictions"),
        ({"restrictions": "ira"}, "restrictions"),
        ({"date": "yesterday"}, "date"),
        ({"holidays": "2026-12-25"}, "holidays"),
        ({"carried": Carried(FRIDAY, 0.0)}, "carried"),
        ({"interest_rate": {"USD": 0.08}, "days_in_year": 12}, "days_in_year"),
    ],
)
def test_bad_terms_say_where(terms: dict[str, Any], where: str) -> None:
    with pytest.raises(mc.InvalidInput) as refused:
        stated(50.0, 100, -100.0, **terms)
    assert refused.value.where == where


# ---- cash


def test_cash_that_may_be_withdrawn_makes_no_call() -> None:
    page = stated(70.0, 1_000, -25_000.0)
    assert (page.cash.withdrawable, page.cash.limit) == (10_000.0, "SMA or initial excess")
    assert stated(70.0, 1_000, -35_000.0).initial_excess == 0.0
    small = stated(30.0, 100, 0.0)
    assert (small.cash.withdrawable, small.cash.limit) == (1_000.0, "minimum equity")


def test_a_cash_account_has_what_has_settled() -> None:
    account = mc.Account([mc.Position(STOCK, 100)], cash={"USD": 1_000.0}, kind="cash")
    page = mc.statement(account, market(50.0), mc.methods.RegT())
    assert page.regime == "cash"
    assert page.cash.withdrawable is None
    page = mc.statement(account, market(50.0), mc.methods.RegT(), settled={"USD": 600.0})
    assert (page.cash.withdrawable, page.cash.limit) == (600.0, "settled cash")
    assert page.cash.unsettled == {"USD": 400.0}
    assert power(page) == {"anything, paid in full": 1_000.0}


def test_a_debit_costs_interest_only_at_a_rate_that_is_given() -> None:
    page = stated(50.0, 1_000, -18_000.0, interest_rate={"USD": 0.08})
    assert [(i.debit, i.per_day) for i in page.interest] == [(18_000.0, pytest.approx(4.0))]
    assert "no interest rate" in absent(stated(50.0, 1_000, -18_000.0, interest_rate={}))["interest on debits"]


def test_a_restricted_account_says_what_breaks_it() -> None:
    call = option("call", 60)
    account = mc.Account([mc.Position(STOCK, -100), mc.Position(call, -1)], cash={"USD": 20_000.0, "EUR": -5.0})
    quotes = market(50.0, price={call.id: 1.0}, fx={"EURUSD": 1.1})
    page = mc.statement(account, quotes, mc.methods.RegT(classes={"ABC": "equity"}), restrictions=["ira"])
    assert [r.because for r in page.restrictions if r.broken] == [
        "a debit of 5.00 EUR", "100 ABC short", f"uncovered call: {call.id}",
    ]  # fmt: skip
    page = mc.statement(mc.Account([], cash={"USD": 5_000.0}), quotes, mc.methods.RegT(), restrictions=["ira"])
    assert power(page) == {"anything, paid in full": 5_000.0}


# ---- faces


def test_a_page_is_eighty_columns_and_comes_back_from_its_document() -> None:
    opened = Carried(dt.date(2026, 11, 19), 0.0)
    day = [(STOCK, 240, 50.0)]
    page = stated(50.0, 240, -10_000.0, carried=opened, transactions=day, interest_rate={"USD": 0.08})
    text = str(page)
    assert max(map(len, text.splitlines())) <= 80
    for word in ("12,000.00", "liquidating equity", "SMA at the close", "maintenance call", "sell ABC", "2026-12-14"):
        assert word in text
    document = json.loads(json.dumps(page.to_dict()))
    assert next(iter(document)) == "version"
    again = mc.Statement.from_dict(document)
    assert again.to_dict() == page.to_dict()
    assert str(again) == text
    assert {frozenset(row) for row in page.rows()} == {frozenset(("section", "item", "amount", "unit", "note"))}
    assert page._repr_html_().count("<tr>") >= len(page.rows())
    assert repr(page).startswith("Statement(Reg T: equity 2,000.00")
    carried = page.carry()
    assert Carried.from_dict(json.loads(json.dumps(carried.to_dict()))) == carried
    with pytest.raises(mc.ParseError, match="version"):
        mc.Statement.from_dict({**document, "version": 99})
    with pytest.raises(mc.InvalidInput, match="unknown key"):
        mc.Statement.from_dict({**document, "nonsense": 1})
    with pytest.raises(mc.MissingData, match="report"):
        mc.Statement.from_dict({k: v for k, v in document.items() if k != "report"})
