"""Open orders and open accounts at every venue, by brute force."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from typing import Any

import pytest

import margincore as mc
from margincore import crypto
from margincore.reference.crypto.orders import worst_subset

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SPOT = 60_000.0
DAYS = (2.0, 9.0, 45.0, 200.0)
ZERO = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
BYBIT = {"option_contingency": 0.0, "option_vega": 0.0, "future_delta": 0.0}
FEEDS = {"underlyings": {"BTC": {"spot_confidence": 1.0, "perp_confidence": 0.4}}}
VENUES: dict[str, mc.Methodology] = {
    "deribit 2024": mc.methods.Deribit(vintage="2024"),
    "deribit 2026": mc.methods.Deribit(vintage="2026"),
    "deribit old c": mc.methods.Deribit(vintage="old-c"),
    "deribit standard": mc.methods.Deribit("standard"),
    "okx": mc.methods.Okx(stated=ZERO),
    "bybit": mc.methods.Bybit(stated=BYBIT),
    "paradex": mc.methods.Paradex(),
    "paradex cross": mc.methods.Paradex("cross"),
    "span 16": mc.methods.Span16(),
    "derive pmrm2": mc.methods.Derive(feeds=FEEDS),
    "derive pmrm1": mc.methods.Derive("pmrm1", feeds=FEEDS),
    "derive srm": mc.methods.Derive("srm", feeds=FEEDS),
}


def at(days: float) -> str:
    return (NOW + dt.timedelta(days=days)).isoformat()


def market(draw: random.Random) -> tuple[list[mc.Contract], mc.Market]:
    """A dozen options and a perpetual, with everything any venue reads."""
    contracts: list[mc.Contract] = [mc.Perpetual("BTC", multiplier=1, currency="USDC", lot=0.1)]
    vol: dict[str, float] = {}
    for i in range(12):
        option = mc.Option(
            "BTC",
            draw.choice(["call", "put"]),
            round(SPOT * draw.uniform(0.7, 1.4), -3),
            expiry=at(draw.choice(DAYS)),
            exercise="european",
            multiplier=1,
            currency="USDC",
            lot=0.1,
            id=f"o{i}",
        )
        vol[option.id] = draw.uniform(0.3, 1.1)
        contracts.append(option)
    forward = {("BTC", at(days)): SPOT * (1.0 + 0.0003 * days) for days in DAYS}
    quotes = mc.Market(
        NOW,
        spot={"BTC": SPOT},
        price={contracts[0].id: SPOT * 1.001},
        forward=forward,
        vol=vol,
        fx={"USDC/USD": 0.999},
        rate={"USDC": 0.04},
    )
    return contracts, quotes


def holding(draw: random.Random, contracts: list[mc.Contract], count: int) -> list[mc.Position]:
    return [mc.Position(c, draw.choice([-1, 1]) * draw.randint(1, 30) / 10) for c in draw.choices(contracts, k=count)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("venue", VENUES)
def test_no_fill_needs_more_than_the_worst_subset(venue: str, seed: int) -> None:
    draw = random.Random(seed)
    contracts, quotes = market(draw)
    prepared = VENUES[venue].prepare(contracts, quotes)
    held = holding(draw, contracts, draw.randint(0, 6))
    orders = [crypto.OpenOrder(p.contract, p.quantity) for p in holding(draw, contracts, 4)]
    worst = crypto.margin_with_orders(prepared, held, orders, policy="worst_subset")
    assert worst.exact
    assert worst.initial == worst.report.requirement.initial

    def need(shares: tuple[float, ...]) -> float:
        fills = [
            mc.Position(o.contract, round(o.quantity * share / o.contract.lot) * o.contract.lot)
            for o, share in zip(orders, shares, strict=True)
        ]
        return prepared.margin([*held, *(p for p in fills if p.quantity != 0.0)]).requirement.initial

    whole = max(need(shares) for shares in itertools.product((0.0, 1.0), repeat=4))
    assert worst.initial == pytest.approx(whole, rel=1e-12, abs=1e-9)
    for _ in range(60):
        partly = need(tuple(draw.choice((0.0, 0.2, 0.5, 0.8, 1.0)) for _ in orders))
        assert partly <= worst.initial * (1.0 + 1e-12) + 1e-9
    none = crypto.margin_with_orders(prepared, held, orders, policy="none")
    side = crypto.margin_with_orders(prepared, held, orders, policy="side_wise")
    assert none.initial == prepared.margin(held).requirement.initial
    assert worst.initial >= max(none.initial, side.initial) - 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_the_closed_form_of_a_scan_is_the_worst_subset(seed: int) -> None:
    """Max over scenarios of the book's loss plus every order's own, with no charge beside the scan."""
    draw = random.Random(seed)
    contracts, quotes = market(draw)
    prepared = VENUES["span 16"].prepare(contracts, quotes)
    held = holding(draw, contracts, 4)
    orders = [crypto.OpenOrder(p.contract, p.quantity) for p in holding(draw, contracts, 20)]

    def row(positions: list[mc.Position]) -> list[float]:
        (unit,) = prepared.margin(positions).details["units"].values()
        return [s["pnl"] for s in unit["scenarios"]]

    expected = worst_subset(row(held), [row([mc.Position(o.contract, o.quantity)]) for o in orders])
    worst = crypto.margin_with_orders(prepared, held, orders, policy="worst_subset")
    assert worst.initial == pytest.approx(max(expected, 0.0), rel=1e-9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("venue", ["derive pmrm2", "derive pmrm1", "span 16"])
def test_protected_orders_fill_up_to_their_limit(venue: str, seed: int) -> None:
    draw = random.Random(seed)
    contracts, quotes = market(draw)
    # Oracles are trusted: a perpetual whose oracle is not changes a rate as soon as any is held.
    trusted = {"derive pmrm2": mc.methods.Derive(), "derive pmrm1": mc.methods.Derive("pmrm1")}
    prepared = trusted.get(venue, VENUES[venue]).prepare(contracts, quotes)
    held = holding(draw, contracts, 2)
    # One order a contract: in tenths, so that every partial fill is a whole number of lots.
    chosen = draw.sample(contracts, 3)
    orders = [crypto.OpenOrder(c, draw.choice([-1, 1]) * draw.randint(2, 6) / 10, mmp=True) for c in chosen]
    limit = draw.randint(1, 12) / 10
    worst = crypto.margin_with_orders(prepared, held, orders, policy="worst_subset", mmp_limit=limit)
    assert sum(abs(q) for q in worst.fills.values()) <= limit + 1e-9

    steps = [range(round(abs(o.quantity) * 10) + 1) for o in orders]
    brute = 0.0
    for tenths in itertools.product(*steps):
        if sum(tenths) <= round(limit * 10):
            fills = [
                mc.Position(o.contract, (n if o.quantity > 0 else -n) / 10)
                for o, n in zip(orders, tenths, strict=True)
                if n
            ]
            brute = max(brute, prepared.margin([*held, *fills]).requirement.initial)
    assert worst.initial == pytest.approx(brute, rel=1e-12, abs=1e-9)


def test_more_orders_than_can_be_combined() -> None:
    draw = random.Random(1)
    contracts, quotes = market(draw)
    orders = [crypto.OpenOrder(c, 1.0) for c in contracts]
    prepared = VENUES["deribit standard"].prepare(contracts, quotes)
    with pytest.raises(mc.Unsupported, match="at most 12"):
        crypto.margin_with_orders(prepared, [], orders, policy="worst_subset")
    scanned = crypto.margin_with_orders(
        VENUES["deribit 2024"].prepare(contracts, quotes), [], orders, policy="worst_subset"
    )
    assert not scanned.exact


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("venue", VENUES)
def test_an_open_account_has_the_bits_of_a_fresh_margin(venue: str, seed: int) -> None:
    draw = random.Random(seed)
    contracts, quotes = market(draw)
    prepared = VENUES[venue].prepare(contracts, quotes)
    book: dict[str, mc.Position] = {}

    def requirement() -> Any:
        return prepared.margin(list(book.values())).requirement

    live = prepared.open([])
    for _ in range(25):
        trades = [(p.contract, p.quantity) for p in holding(draw, contracts, draw.randint(1, 3))]
        after = dict(book)
        for contract, quantity in trades:
            known = after[contract.id].quantity if contract.id in after else 0.0
            lots = round((known + quantity) / contract.lot)
            after[contract.id] = mc.Position(contract, lots * contract.lot)
        fresh = prepared.margin([p for p in after.values() if p.quantity]).requirement
        asked = live.what_if(trades)
        assert (asked.before.initial, asked.before.maintenance) == (live.margin.initial, live.margin.maintenance)
        assert (asked.after.initial, asked.after.maintenance) == (fresh.initial, fresh.maintenance)
        (contract, quantity), row = trades[0], live.index(trades[0][0])
        lots = round(quantity / contract.lot)
        estimate, band = live.margin_after(row, lots), live.band_after(row, lots)
        assert abs(estimate - live.what_if(trades[:1]).after.initial) <= band
        assert band <= 1e-6
        if draw.random() < 0.7:
            live.apply(trades)
            book = {key: p for key, p in after.items() if p.quantity}
            now = requirement()
            assert (live.margin.initial, live.margin.maintenance) == (now.initial, now.maintenance)


def test_liquidation_prices_of_two_underlyings() -> None:
    perps = {s: mc.Perpetual(s, multiplier=1, currency="USDC") for s in ("BTC", "ETH")}
    quotes = mc.Market(
        NOW, spot={"BTC": SPOT, "ETH": 3e3}, price={p.id: {"BTC": SPOT, "ETH": 3e3}[s] for s, p in perps.items()}
    )
    account = mc.Account([mc.Position(perps["BTC"], 1), mc.Position(perps["ETH"], -2)], cash={"USDC": 12_000})
    # What a coin adds to the rate is not published for ETH: it is stated.
    rules = mc.methods.Deribit("standard", standard={"ETH": {"future": {"im": 0.02, "mm": 0.01, "slope": 5e-5}}})
    falling = crypto.first_breaches(account, quotes, rules)
    rising = crypto.first_breaches(account, quotes, rules, moves=[0.01 * k for k in range(1, 500)])
    # Falling: 12,000 - (60,000 - P) meets 1.005 % of P and 1.01 % of 6,000; the short ETH gains as it falls.
    assert falling["BTC"] == pytest.approx((48_000.0 + 60.6) / (1.0 - 0.01005), rel=1e-6)
    assert falling["ETH"] is None
    assert rising["BTC"] is None
    # Rising: 12,000 - 2 (P - 3,000) meets 603 and 1.01 % of 2 P.
    assert rising["ETH"] == pytest.approx((18_000.0 - 603.0) / 2.0202, rel=1e-6)
    inverse = mc.Perpetual("BTC", multiplier=1, multiplier_unit="USD", settlement="inverse", currency="BTC")
    with pytest.raises(mc.NotApplicable, match="linear"):
        crypto.first_breaches([mc.Position(inverse, 1)], quotes, rules)
