"""Pairs of exchange rates are read by one reader: every spelling and direction gives every feature the same rate."""

from __future__ import annotations

import pytest

import margincore as mc

VALUATION = "2026-11-20T16:00:00-05:00"
# A rate whose inverse is exact, so that an inverse pair gives the same bits.
SPELLINGS = [{"EUR/USD": 1.25}, {"EURUSD": 1.25}, {"USD/EUR": 0.8}, {"USDEUR": 0.8}]
STOCK = mc.Stock("XYZ", currency="USD")


def market(fx: dict[str, float], **parts: object) -> mc.Market:
    return mc.Market(VALUATION, spot={"XYZ": 50.0}, fx=fx, **parts)


@pytest.mark.parametrize("fx", SPELLINGS, ids=str)
def test_cash_and_collateral_of_a_live_account(fx: dict[str, float]) -> None:
    prepared = mc.Engine(mc.methods.Tims()).prepare([STOCK], market(fx))
    live = prepared.open(mc.Account([], cash={"EUR": 1000.0}))
    assert live.equity == 1250.0
    live = prepared.open(
        mc.Account([mc.Position(STOCK, 10)], cash={"EUR": 1000.0, "USD": 10.0}, collateral={"EUR": 8.0})
    )
    assert live.equity == 1250.0 + 10.0 + 10.0 + 500.0
    assert live.excess == live.equity - live.margin.initial
    # Paid at its mark: only the requirement of the stock is taken from the excess.
    order = mc.Order("a", STOCK, "buy", 1, 50.0)
    decision = live.check(order, mc.Limit(min_excess=0.0, max_notional=50.0))
    assert decision.accepted, decision.message
    assert decision.excess_after == live.equity - decision.after.initial


@pytest.mark.parametrize("fx", SPELLINGS, ids=str)
def test_orders_in_another_currency_than_the_account_s(fx: dict[str, float]) -> None:
    own, other = (
        mc.Stock("XYZ", currency="USD"),
        mc.Future("F", currency="EUR", multiplier=10, expiry="2026-12-18", settles="pm"),
    )
    # Two parts report in dollars and euros; the whole in the first one's.
    parts = [
        (lambda c: c.currency == "USD", mc.methods.Tims()),
        (lambda c: c.currency == "EUR", mc.methods.SpanLike({"F": {"price_scan": 0.05, "vol_scan": 0.1}})),
    ]
    both = mc.methods.Combined(parts)
    prepared = mc.Engine(both).prepare([own, other], market(fx, price={other.id: 100.0}))
    report = prepared.margin([mc.Position(other, 1)])
    (line,) = [line for line in report.totals if line.currency == "EUR"]
    assert line.fx == 1.25
    live = prepared.open(mc.Account([mc.Position(other, 1)], cash={"EUR": 1000.0}))
    assert live.equity == 1250.0
    # 2 contracts of 10 at 100 euros are 2,500 dollars.
    order = mc.Order("a", other, "buy", 2, 100.0)
    assert live.check(order, mc.Limit(1e9, max_notional=2500.0)).accepted
    assert live.check(order, mc.Limit(1e9, max_notional=2499.0)).reason == "max_notional"


@pytest.mark.parametrize("fx", [{"USDC/USD": 0.5}, {"USD/USDC": 2.0}], ids=str)
def test_cash_in_coins_by_pairs_of_any_length(fx: dict[str, float]) -> None:
    swap = mc.Perpetual("LTC", multiplier=1.0, multiplier_unit="coin", currency="USDT")
    moment = mc.Market("2025-01-15T10:26:41Z", spot={"LTC": 100.0}, price={swap.id: 100.0}, fx={"USDT/USD": 1.0, **fx})
    prepared = mc.Engine(mc.methods.Okx()).prepare([swap], moment)
    assert prepared.open(mc.Account([], cash={"USDT": 5.0, "USDC": 2.0})).equity == 6.0


@pytest.mark.parametrize("before", SPELLINGS, ids=str)
@pytest.mark.parametrize("after", [{"EUR/USD": 2.0}, {"EURUSD": 2.0}, {"USD/EUR": 0.5}, {"USDEUR": 0.5}], ids=str)
def test_an_update_replaces_a_pair_however_it_was_written(before: dict[str, float], after: dict[str, float]) -> None:
    prepared = mc.Engine(mc.methods.Tims()).prepare([STOCK], market(before))
    live = prepared.update(fx=after).open(mc.Account([], cash={"EUR": 1000.0}))
    assert live.equity == 2000.0


def test_one_pair_has_one_rate() -> None:
    with pytest.raises(mc.InvalidInput, match="one pair has one rate"):
        market({"EUR/USD": 1.25, "EURUSD": 1.2})
    market({"EUR/USD": 1.25, "EURUSD": 1.25})
