"""`Limit(block_intraday_deficit=True)`: what would create or increase an intraday margin deficit is refused."""

from __future__ import annotations

import pickle
import random

import pytest

import margincore as mc
from margincore import intraday

STOCK = mc.Stock("XYZ", currency="USD")
MARKET = mc.Market("2026-11-20T11:00:00-05:00", spot={"XYZ": 100.0})
PREPARED = mc.Engine(mc.methods.RegT()).prepare([STOCK], MARKET)
BLOCK = mc.Limit(block_intraday_deficit=True)
# The level is 2,500.
HELD = mc.Account([mc.Position(STOCK, 300)], cash={"USD": -20_000.0})


def order(side: str, quantity: float, price: float = 100.0, name: str = "o", **terms: object) -> mc.Order:
    return mc.Order(name, STOCK, side, quantity, price, **terms)  # type: ignore[arg-type]


def test_the_second_purchase_of_the_worked_day_is_refused_with_both_numbers() -> None:
    decision = PREPARED.open(HELD).check(order("buy", 200), BLOCK)
    assert (decision.accepted, decision.reason) == (False, "intraday_deficit")
    assert decision.message == (
        "intraday_deficit: the intraday margin level would fall from 2,500.00 to -2,500.00, below zero"
    )
    assert decision.headroom == -2_500.0


def test_a_level_of_zero_is_no_deficit() -> None:
    live = PREPARED.open(HELD)
    assert live.check(order("buy", 100), BLOCK).accepted
    assert not live.check(order("buy", 100, 100.01), BLOCK).accepted
    assert not live.check(order("buy", 100, fees=0.01), BLOCK).accepted
    assert live.max_quantity(STOCK, "buy", BLOCK) == 100.0


def test_what_raises_the_level_passes_in_a_deficit() -> None:
    live = PREPARED.open(mc.Account([mc.Position(STOCK, 500)], cash={"USD": -40_000.0}))
    assert live.check(order("sell", 500), BLOCK).accepted
    assert live.check(order("buy", 1), BLOCK).reason == "intraday_deficit"
    # Beyond what is held it sells short, at 30 %: 1,500 shares need 45,000 of 10,000.
    assert live.check(order("sell", 2_000), BLOCK).reason == "intraday_deficit"
    assert live.max_quantity(STOCK, "buy", BLOCK) == 0.0


def test_a_deficit_of_the_market_refuses_only_what_lowers_the_level_further() -> None:
    live = PREPARED.open(mc.Account([mc.Position(STOCK, 500)], cash={"USD": -37_500.0}))
    live.rebase(PREPARED.update(spot={"XYZ": 98.0}))
    assert live.check(order("buy", 1, 98.0), BLOCK).message.endswith("from -750.00 to -774.50, below zero")
    assert live.check(order("sell", 1, 98.0), BLOCK).accepted


def test_open_orders_are_counted_in_their_worst_case() -> None:
    live = PREPARED.open(HELD)
    assert live.check(order("buy", 60, name="a"), BLOCK, reserve=True).accepted
    decision = live.check(order("buy", 60, name="b"), BLOCK)
    assert (decision.reason, decision.coverage) == ("intraday_deficit", "every_fill")
    assert decision.message.endswith("from 1,000.00 to -500.00, below zero")
    assert live.check(order("buy", 40, name="b"), BLOCK).accepted
    assert live.max_quantity(STOCK, "buy", BLOCK) == 40.0


def test_it_stands_after_the_other_limits_and_beside_them() -> None:
    live = PREPARED.open(HELD)
    both = mc.Limit(min_excess=0.0, block_intraday_deficit=True)
    assert live.check(order("buy", 200), both).reason == "min_excess"
    loose = mc.Limit(min_excess=-1e6, block_intraday_deficit=True)
    assert live.check(order("buy", 200), loose).reason == "intraday_deficit"


def test_where_the_rule_does_not_apply_the_limit_is_refused() -> None:
    tims = mc.Engine(mc.methods.Tims()).prepare([STOCK], MARKET).open(HELD)
    decision = tims.check(order("sell", 1), BLOCK)
    assert decision.reason == "invalid_limit"
    assert "4210(d)(2)" in decision.message
    cash = PREPARED.open(mc.Account([], cash={"USD": 1e5}, kind="cash"))
    assert cash.check(order("buy", 1), BLOCK).reason == "invalid_limit"
    with pytest.raises(mc.NotApplicable):
        tims.max_quantity(STOCK, "buy", BLOCK)


def test_limits_without_it_are_written_as_they_were() -> None:
    assert "block_intraday_deficit" not in mc.Limit(min_excess=0.0).__reduce__()[1][2]
    assert pickle.loads(pickle.dumps(BLOCK)) == BLOCK
    with pytest.raises(mc.InvalidInput, match="block_intraday_deficit"):
        mc.Limit()


def call(strike: float) -> mc.Contract:
    return mc.Option("XYZ", "call", strike, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
                     currency="USD")  # fmt: skip


LOW, HIGH = call(100), call(110)
OPTIONS = mc.Engine(mc.methods.RegT(classes={"XYZ": "equity"})).prepare(
    [STOCK, LOW, HIGH], mc.Market("2026-11-20T11:00:00-05:00", spot={"XYZ": 100.0}, price={LOW.id: 4.0, HIGH.id: 1.0})
)


@pytest.mark.parametrize("seed", range(12))
def test_no_fill_of_an_accepted_order_makes_a_deficit(seed: int) -> None:
    """Every fill of random orders against a day of that fill alone."""
    draw = random.Random(seed)
    positions = [mc.Position(STOCK, 100 * draw.randint(-2, 3)), mc.Position(LOW, draw.randint(-3, 3)),
                 mc.Position(HIGH, draw.randint(-3, 3))]  # fmt: skip
    account = mc.Account(positions, cash={"USD": draw.uniform(-5_000.0, 20_000.0)})
    live = OPTIONS.open(account)
    for contract, mark in ((LOW, 4.0), (HIGH, 1.0), (STOCK, 100.0)):
        for sign in (1, -1):
            quantity = draw.randint(1, 6) * (50 if contract == STOCK else 1)
            fills = range(1, quantity + 1)
            steps = [intraday.day(OPTIONS, account, [intraday.Fill(contract, sign * k, mark)]).steps[0] for k in fills]
            bad = [step.reducing and step.after.margin < 0.0 for step in steps]
            decision = live.check(mc.Order("o", contract, "buy" if sign > 0 else "sell", quantity, mark), BLOCK)
            assert decision.accepted == (not any(bad)), (contract, sign, quantity)
            found = live.max_quantity(contract, "buy" if sign > 0 else "sell", BLOCK, most=quantity)
            assert found == (bad.index(True) if any(bad) else quantity)
