"""A statement adds up, whatever is held; its Reg T arithmetic is that of the slow reference, day after day."""

from __future__ import annotations

import datetime as dt
import random

import pytest

import margincore as mc
from margincore.analysis.statements import Carried, Money
from margincore.calendars import nyse
from margincore.reference import statement as reference

SYMBOLS = ("A", "B", "C")
STOCKS = {symbol: mc.Stock(symbol, currency="USD") for symbol in SYMBOLS}


def held(shares: dict[str, float], cash: float) -> mc.Account:
    return mc.Account([mc.Position(STOCKS[s], n) for s, n in shares.items() if n], cash={"USD": cash})


def quotes(date: dt.date, prices: dict[str, float]) -> mc.Market:
    return mc.Market(f"{date}T16:00:00-05:00", spot=prices)


@pytest.mark.parametrize("seed", range(25))
def test_days_of_an_account_are_those_of_the_reference(seed: int) -> None:
    rng = random.Random(seed)
    date, days = dt.date(2026, 1, 2), nyse()
    prices = {s: rng.choice([3.0, 8.0, 20.0, 50.0, 120.0]) for s in SYMBOLS}
    shares: dict[str, float] = {}
    cash, carried, calls = 20_000.0, Carried(date, 0.0), ()
    cash_before, shares_before = cash, dict(shares)
    for _ in range(6):
        date = days.add(date, 1)
        trades = [
            (rng.choice(SYMBOLS), float(rng.choice([-300, -100, 100, 200, 400])), round(rng.uniform(3.0, 120.0), 2))
            for _ in range(rng.randrange(4))
        ]
        prices = {s: round(max(3.0, p * rng.uniform(0.8, 1.25)), 2) for s, p in prices.items()}
        deposit = rng.choice([0.0, 0.0, 5_000.0, -2_000.0])
        expected = reference.day(
            carried.sma or 0.0, calls, shares_before, cash_before, trades, deposit, prices
        )  # fmt: skip
        for symbol, n, price in trades:
            shares[symbol] = shares.get(symbol, 0.0) + n
            cash -= n * price
        cash += deposit
        day = [(STOCKS[s], n, p) for s, n, p in trades]
        money = [] if not deposit else [Money("deposit" if deposit > 0 else "withdrawal", abs(deposit))]
        page = mc.statement(
            held(shares, cash), quotes(date, prices), mc.methods.RegT(), carried=carried, transactions=[*day, *money]
        )
        assert page.equity is not None
        assert page.equity.total == pytest.approx(expected.equity)
        assert (page.initial, page.maintenance) == (
            pytest.approx(expected.initial),
            pytest.approx(expected.maintenance),
        )
        assert page.sma == pytest.approx(expected.sma, abs=1e-6)
        left = {kind: [c.left for c in page.calls if c.kind == kind] for kind in ("reg_t_initial", "maintenance")}
        assert left["reg_t_initial"] == pytest.approx(list(expected.initial_calls), abs=1e-6)
        assert sum(left["maintenance"]) == pytest.approx(expected.maintenance_call, abs=1e-6)
        assert page.minimum is not None
        assert page.minimum.required == pytest.approx(reference.minimum_equity(shares, prices))
        if page.equity.total >= 2_000.0:
            power = next(row.amount for row in page.buying_power if row.of == "marginable stock")
            own = (expected.sma, expected.equity - expected.initial, expected.equity - expected.maintenance)
            assert power == pytest.approx(reference.buying_power(*own, 0.5, 0.25), abs=1e-6)
        carried, calls = page.carry(), tuple(left["reg_t_initial"])
        cash_before, shares_before = cash, dict(shares)


def options(rng: random.Random) -> list[mc.Contract]:
    return [
        mc.Option(
            s, right, strike, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100, currency="USD"
        )
        for s in SYMBOLS
        for right, strike in (("call", rng.choice([40, 50])), ("put", rng.choice([45, 55])))
    ]


@pytest.mark.parametrize("rules", ["reg_t", "tims"])
@pytest.mark.parametrize("seed", range(15))
def test_a_statement_adds_up(seed: int, rules: str) -> None:
    rng = random.Random(seed)
    contracts = [*STOCKS.values(), *options(rng)]
    market = mc.Market(
        "2026-11-20T16:00:00-05:00",
        spot={s: round(rng.uniform(30.0, 70.0), 2) for s in SYMBOLS},
        vol={c.id: 0.3 for c in contracts if c.kind == "option"},
        price={c.id: round(rng.uniform(0.5, 9.0), 2) for c in contracts if c.kind == "option" and rules == "reg_t"},
        rate={"USD": 0.04},
        fx={"EURUSD": 1.1, "GOLD/USD": 2_000.0},
    )
    chosen = rng.sample(contracts, rng.randrange(1, 7))
    positions = [
        mc.Position(c, rng.choice([-300, 100, 200]) if c.kind == "stock" else rng.choice([-3, -1, 2])) for c in chosen
    ]
    account = mc.Account(
        positions,
        cash={"USD": rng.uniform(-20_000.0, 60_000.0), "EUR": rng.uniform(-500.0, 500.0)},
        collateral={"GOLD": rng.uniform(0.0, 2.0)},
    )
    method = mc.methods.RegT(classes=dict.fromkeys(SYMBOLS, "equity")) if rules == "reg_t" else mc.methods.Tims()
    page = mc.statement(account, market, method, haircuts={"GOLD": 0.2}, monitoring="real_time")
    equity = page.equity
    assert equity is not None
    live = mc.Engine(method).prepare(chosen, market).open(account, haircuts={"GOLD": 0.2})
    assert equity.total == live.equity
    assert sum(equity.parts.values()) == pytest.approx(equity.total)
    by_currency = sum(b.total * b.fx for b in equity.balances) + sum(c.value for c in equity.collateral)
    assert by_currency == pytest.approx(equity.total)
    assert page.initial_excess == equity.total - page.initial
    assert page.maintenance_excess == equity.total - page.maintenance
    cash = sum(b.cash * b.fx for b in equity.balances)
    assert cash - (page.cash_balance_required or 0.0) == pytest.approx(page.initial_excess)
    deficit = page.maintenance - equity.total
    assert sum(c.left for c in page.calls) == pytest.approx(max(0.0, deficit))  # never a call without a deficit
    for cure in page.cures:
        assert cure.left == 0.0 or cure.action == "sell"
    assert (page.cash.withdrawable or 0.0) <= max(0.0, page.initial_excess or 0.0)
    assert mc.Statement.from_dict(page.to_dict()).to_dict() == page.to_dict()
    assert max(map(len, str(page).splitlines())) <= 80
    if rules == "tims":
        assert page.portfolio is not None
        groups = [g for g in page.portfolio.groups if g.level == "portfolio group"]
        assert sum(g.requirement for g in groups) == pytest.approx(page.initial)
        for group in page.portfolio.groups:
            assert group.largest_loss == max(0.0, -min(group.profit))


def test_what_is_withdrawn_to_the_last_dollar_makes_no_call_and_one_more_would() -> None:
    rng = random.Random(7)
    for _ in range(10):
        shares = {s: float(rng.choice([0, 100, 200, -100])) for s in SYMBOLS}
        prices = {s: rng.uniform(20.0, 90.0) for s in SYMBOLS}
        terms = {"carried": Carried(dt.date(2026, 11, 19), rng.uniform(0.0, 5_000.0))}
        cash = rng.uniform(0.0, 30_000.0)

        def after(amount: float, shares=shares, prices=prices, terms=terms, cash=cash) -> mc.Statement:  # type: ignore[no-untyped-def]
            day = [Money("withdrawal", amount)] if amount else []
            market = quotes(dt.date(2026, 11, 20), prices)
            return mc.statement(held(shares, cash - amount), market, mc.methods.RegT(), transactions=day, **terms)

        most = after(0.0).cash.withdrawable
        assert most is not None
        if most == 0.0:
            continue
        last, more = after(most - 1e-6), after(most + 1.0)
        assert last.calls == ()
        assert last.minimum is not None
        assert last.minimum.met
        assert more.calls or more.minimum is None or not more.minimum.met
