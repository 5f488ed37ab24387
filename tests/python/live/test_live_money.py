"""Cash moved by trades and marks, by hand: contracts sized in coins or in money, settled in coins or in money."""

from __future__ import annotations

import pytest

import margincore as mc

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T08:00:00Z"


def perpetual(multiplier: float, unit: str, settlement: str, currency: str) -> mc.Contract:
    return mc.Perpetual(
        "BTC",
        multiplier=multiplier,
        multiplier_unit=unit,
        settlement=settlement,  # type: ignore[arg-type]
        currency=currency,
    )


# Bought at 50,000 and marked at 62,500, then at 80,000. One coin gains 12,500 and 17,500 dollars: 12,500 / 62,500 = 0.2
# and 17,500 / 80,000 = 0.21875 of a coin.
CONTRACTS = {
    # Deribit BTC-PERPETUAL, 10 dollars of face: 5,000 of them are one coin at 50,000 and 0.8 coins at 62,500, which
    # gain 0.8 * 17,500 dollars, 0.175 coins.
    "face, in coin": (perpetual(10, "USD", "inverse", "BTC"), 5_000, 0.2, 0.175),
    # One coin, paid in coin.
    "coin, in coin": (perpetual(1, "coin", "inverse", "BTC"), 1, 0.2, 0.21875),
    # OKX BTC-USDT-SWAP: 0.01 coins.
    "coin, in money": (perpetual(0.01, "coin", "linear", "USD"), 100, 12_500.0, 17_500.0),
    "by the coin's name": (perpetual(0.01, "BTC", "linear", "USD"), 100, 12_500.0, 17_500.0),
    # 10 dollars of face: one coin at 50,000, 0.8 coins at 62,500.
    "face, in money": (perpetual(10, "USD", "linear", "USD"), 5_000, 12_500.0, 14_000.0),
}


def market(contract: mc.Contract, mark: float, at: str = NOW) -> mc.Market:
    return mc.Market(at, spot={"BTC": mark}, price={contract.id: mark})


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", CONTRACTS)
def test_a_fill_and_a_new_mark_move_the_cash_of_the_contract_s_size(name: str, sign: int) -> None:
    contract, quantity, first, second = CONTRACTS[name]
    engine = mc.Engine(mc.methods.Deribit())
    prepared = engine.prepare([contract], market(contract, 62_500.0))
    start = {contract.currency: 100.0}
    live = prepared.open(mc.Account([], cash=start))
    side = "buy" if sign > 0 else "sell"
    order = mc.Order("1", contract, side, quantity, 50_000.0, fees=0.0)  # type: ignore[arg-type]
    decision = live.check(order, mc.Limit(1e9, min_excess=-1e9), reserve=True)
    assert decision, decision.message
    live.fill("1", "e1", quantity, 50_000.0)
    assert live.cash[contract.currency] == pytest.approx(100.0 + sign * first, rel=1e-12)
    assert live.excess == pytest.approx(decision.excess_after, rel=1e-9)
    moved = prepared.with_market(market(contract, 80_000.0, LATER))
    live.rebase(moved)
    # An account that had this cash from the start, at the same market.
    cash = {contract.currency: 100.0 + sign * (first + second)}
    fresh = moved.open(mc.Account([mc.Position(contract, sign * quantity)], cash=cash))
    assert live.margin.initial == fresh.margin.initial
    assert live.cash[contract.currency] == pytest.approx(cash[contract.currency], rel=1e-12)
    assert live.equity == pytest.approx(fresh.equity, rel=1e-12)


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_notional_is_the_position_s_worth_whatever_its_size_counts(name: str) -> None:
    contract, quantity, _, _ = CONTRACTS[name]
    live = mc.Engine(mc.methods.Deribit()).prepare([contract], market(contract, 50_000.0)).open([])
    order = mc.Order("1", contract, "buy", quantity, 50_000.0)
    # All of them are one coin at 50,000; a book of coin-settled contracts reports in coins.
    notional = 1.0 if contract.currency == "BTC" else 50_000.0
    assert live.check(order, mc.Limit(1e9, max_notional=notional * 1.0001))
    assert live.check(order, mc.Limit(1e9, max_notional=notional * 0.9999)).reason == "max_notional"


def test_gains_are_those_of_the_rulebook_s_own_scan() -> None:
    """What cash moves by is what the scan says the account makes at that price."""
    for name, (contract, quantity, _, _) in CONTRACTS.items():
        prepared = mc.Engine(mc.methods.Deribit()).prepare([contract], market(contract, 50_000.0))
        held = mc.Account([mc.Position(contract, quantity)], cash={contract.currency: 10.0})
        (unit,) = prepared.margin(held).details["units"].values()
        scenario = next(s for s in unit["scenarios"] if s["move"] == -0.08)
        live = prepared.open(held)
        live.rebase(prepared.with_market(market(contract, 46_000.0)))
        assert live.cash[contract.currency] - 10.0 == pytest.approx(scenario["pnl"], rel=1e-9), name


def test_a_coin_option_s_premium_is_in_coins() -> None:
    option = mc.Option(
        "BTC", "call", 60_000, expiry="2026-02-27T08:00:00Z", exercise="european", multiplier=1, settlement="inverse",
        currency="BTC",
    )  # fmt: skip
    quotes = mc.Market(NOW, spot={"BTC": 50_000.0}, forward={("BTC", "2026-02-27T08:00:00Z"): 50_000.0},
                       vol={option.id: 0.6})  # fmt: skip
    live = mc.Engine(mc.methods.Deribit()).prepare([option], quotes).open(mc.Account([], cash={"BTC": 10.0}))
    live.apply([(option, 4, 0.05, 0.001)])
    assert live.cash["BTC"] == pytest.approx(10.0 - 4 * 0.05 - 0.001, rel=1e-15)
    order = mc.Order("1", option, "buy", 4, 0.05)
    assert live.check(order, mc.Limit(1e9, max_notional=0.2001))
    assert live.check(order, mc.Limit(1e9, max_notional=0.1999)).reason == "max_notional"


def test_what_has_no_cash_is_refused_before_anything_is_booked() -> None:
    face = perpetual(10, "USD", "linear", "USD")
    live = mc.Engine(mc.methods.Deribit()).prepare([face], market(face, 50_000.0)).open([])
    for price in (0.0, -1.0):
        with pytest.raises(mc.InvalidInput, match="positive"):
            live.apply([(face, 1, 50_000.0), (face, 1, price)])
    assert (live.positions, live.cash) == ((), {})
    option = mc.Option(
        "BTC", "call", 60_000, expiry="2026-02-27T08:00:00Z", exercise="european", multiplier=10,
        multiplier_unit="USD", currency="USD",
    )  # fmt: skip
    quotes = mc.Market(NOW, spot={"BTC": 50_000.0}, forward={("BTC", "2026-02-27T08:00:00Z"): 50_000.0},
                       vol={option.id: 0.6})  # fmt: skip
    live = mc.Engine(mc.methods.Deribit()).prepare([option], quotes).open([])
    with pytest.raises(mc.Unsupported, match="premium"):
        live.apply([(option, 1, 500.0)])
    assert (live.positions, live.cash) == ((), {})


HISTORY = {"XYZ": [100.0, 101.0, 99.0]}


@pytest.mark.parametrize("rulebook", [
    mc.methods.Tims(),
    mc.methods.RegT(classes={"XYZ": "equity"}),
    mc.methods.SpanLike({"XYZ": {"price_scan": 0.1, "vol_scan": 0.25}}),
    mc.methods.HistoricalVar(HISTORY, returns="relative", measure="order_floor", confidence="0.5"),
], ids=lambda m: m.name)  # fmt: skip
def test_rulebooks_of_units_refuse_a_size_in_money(rulebook: mc.Methodology) -> None:
    """Fifty dollars a point is a multiplier of 50; 50 dollars of face is another contract."""
    option = rulebook.name.startswith("Reg")

    def contract(unit: str | None) -> mc.Contract:
        terms = {"expiry": "2026-12-18", "settles": "pm", "multiplier": 50, "multiplier_unit": unit, "currency": "USD"}
        if option:
            return mc.Option("XYZ", "call", 100, exercise="american", **terms)  # type: ignore[arg-type]
        return mc.Future("XYZ", **terms)  # type: ignore[arg-type]

    quotes = mc.Market("2026-11-20T21:00:00Z", spot={"XYZ": 100.0}, rate={"USD": 0.04},
                       price={contract(None).id: 100.0})  # fmt: skip
    assert mc.margin([mc.Position(contract(None), -1)], quotes, rulebook).requirement.initial > 0.0
    with pytest.raises(mc.NotApplicable, match=r"money|units"):
        mc.margin([mc.Position(contract("USD"), -1)], quotes, rulebook)
