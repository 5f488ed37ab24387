"""The live account under every rulebook: fresh margins' bits, cash, open orders and quantities by brute force."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import random
from collections.abc import Callable

import pytest

import margincore as mc

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _equity() -> tuple[list[mc.Contract], mc.Market]:
    stock = mc.Stock("XYZ", currency="USD")
    future = mc.Future("XYZ", expiry="2026-03-20", settles="pm", multiplier=10, currency="USD")
    options = [
        mc.Option(
            "XYZ", right, strike, expiry=expiry, settles="pm", exercise="european", multiplier=100, currency="USD"
        )
        for expiry in ("2026-02-20", "2026-03-20")
        for strike in (90, 100, 110, 150)
        for right in ("call", "put")
    ]
    price = {o.id: float(mc.pricing.price(100.0, o.strike, 0.15, 0.04, 0.0, 0.3, o.right)) for o in options}
    market = mc.Market(
        "2026-01-02T16:00:00-05:00",
        spot={"XYZ": 100.0},
        rate={"USD": 0.04},
        vol={o.id: 0.3 for o in options},
        price=price | {future.id: 100.5},
    )
    return [stock, future, *options], market


def _crypto() -> tuple[list[mc.Contract], mc.Market]:
    expiries = [(NOW + dt.timedelta(days=days)).isoformat() for days in (9, 45)]
    terms = {"multiplier": 1, "currency": "USD", "lot": 0.1}
    options = [
        mc.Option("BTC", right, strike, expiry=expiry, exercise="european", **terms)  # type: ignore[arg-type]
        for expiry in expiries
        for strike in (54_000, 60_000, 66_000, 120_000)
        for right in ("call", "put")
    ]
    unit = {"multiplier_unit": "coin"} | terms
    future = mc.Future("BTC", expiry=expiries[1], **unit)  # type: ignore[arg-type]
    perpetual = mc.Perpetual("BTC", **unit)  # type: ignore[arg-type]
    years = {e: (dt.datetime.fromisoformat(e) - NOW).days / 365 for e in expiries}
    price = {
        o.id: float(mc.pricing.price(60_000.0, o.strike, years[e], 0.0, 0.0, 0.6, o.right))
        for o, e in zip(options, [e for e in expiries for _ in range(8)], strict=True)
    }
    market = mc.Market(
        NOW,
        spot={"BTC": 60_000.0},
        forward={("BTC", e): 60_100.0 for e in expiries},
        vol={o.id: 0.6 for o in options},
        price=price | {future.id: 60_100.0, perpetual.id: 60_050.0},
    )
    return [future, perpetual, *options], market


def _history() -> mc.Methodology:
    draw = random.Random(2)
    prices = [100.0]
    for _ in range(60):
        prices.append(prices[-1] * (1 + draw.gauss(0.0, 0.02)))
    return mc.methods.HistoricalVar({"XYZ": prices}, returns="relative", measure="order_floor", confidence="0.95")


def _of_future(contract: mc.Contract) -> bool:
    return contract.kind == "future"


def _house(base: mc.Methodology) -> mc.Methodology:
    rules = {
        "percentages": [{"name": "40 %", "long": {"maintenance": 0.4}, "short": {"maintenance": 0.5}}],
        "contracts": [{"name": "a contract", "short": 250.0}],
    }
    return mc.methods.House(base, rules, name="a house", source="a test", date="2026-01-02")


RANGES = {"XYZ": {"price_scan": 0.06, "vol_scan": 0.25, "short_option_minimum": 20.0, "calendar_charge": 5.0}}
CLASS = {"XYZ": {"class": "equity"}}
NO_OPPOSITE_VEGA = {"*": {"charges": {"stated": {"opposite_vega": 0.0}}}}
ZERO = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
STATED = {"option_contingency": 1.0, "option_vega": 2.0, "future_delta": 3.0}
RULEBOOKS: dict[str, tuple[Callable[[], tuple[list[mc.Contract], mc.Market]], Callable[[], mc.Methodology], bool]] = {
    "tims": (_equity, mc.methods.Tims, True),
    "reg-t": (_equity, lambda: mc.methods.RegT(underlyings=CLASS), False),
    "reg-t greedy": (_equity, lambda: mc.methods.RegT(underlyings=CLASS, pairing="greedy"), False),
    "reg-t house": (_equity, lambda: mc.methods.RegT(preset="reg-t-ibkr", underlyings=CLASS), False),
    "span-like": (_equity, lambda: mc.methods.SpanLike(RANGES), True),
    "historical var": (_equity, _history, True),
    "combined": (
        _equity,
        lambda: mc.methods.Combined(
            [
                (_of_future, mc.methods.SpanLike(RANGES)),
                (lambda c: not _of_future(c), mc.methods.RegT(underlyings=CLASS)),
            ]
        ),
        True,
    ),
    "reg-t under a house": (_equity, lambda: _house(mc.methods.RegT(underlyings=CLASS)), False),
    "tims under a house": (_equity, lambda: _house(mc.methods.Tims()), True),
    "deribit": (_crypto, mc.methods.Deribit, True),
    "deribit 2026": (_crypto, lambda: mc.methods.Deribit(vintage="2026"), True),
    "deribit old": (_crypto, lambda: mc.methods.Deribit(vintage="old-a", rules=NO_OPPOSITE_VEGA), True),
    "deribit standard": (_crypto, lambda: mc.methods.Deribit("standard"), True),
    "okx": (_crypto, lambda: mc.methods.Okx(stated=ZERO), True),
    "bybit": (_crypto, lambda: mc.methods.Bybit(stated=STATED), True),
    "paradex": (_crypto, mc.methods.Paradex, True),
    "span16": (_crypto, mc.methods.Span16, True),
}


@functools.cache
def world(name: str) -> tuple[mc.Prepared, list[mc.Contract]]:
    """A prepared rulebook and the contracts that may be traded under it."""
    table, methodology, futures = RULEBOOKS[name]
    contracts, market = table()
    if not futures:
        contracts = [c for c in contracts if c.kind != "future"]
    return mc.Engine(methodology()).prepare(contracts, market), contracts


def _price(prepared: mc.Prepared, contract: mc.Contract) -> float:
    assert prepared.market is not None
    document = prepared.market.to_dict()
    return float(document["price"].get(contract.id, document["spot"].get(contract.underlying)))


def _fresh(prepared: mc.Prepared, live: mc.LiveAccount, trades: list[tuple[mc.Contract, float]]) -> mc.MarginReport:
    positions = [*live.positions, *(mc.Position(c, q) for c, q in trades)]
    return prepared.margin(mc.Account(positions, cash=live.cash))


def _quantity(draw: random.Random, contract: mc.Contract, most: int = 12) -> float:
    return draw.choice([-1, 1]) * draw.randint(1, most) * contract.lot


@pytest.mark.parametrize("name", RULEBOOKS)
def test_random_trades_have_the_bits_of_fresh_margins(name: str) -> None:
    prepared, contracts = world(name)
    compared = 0
    for seed in range(4):
        draw = random.Random(seed)
        live = prepared.open(mc.Account([], cash={"USD": 1e6}))
        for step in range(25):
            trades = [(c, _quantity(draw, c)) for c in draw.choices(contracts, k=draw.randint(1, 3))]
            report = _fresh(prepared, live, trades)
            after = live.what_if(trades).after
            assert (after.initial, after.maintenance) == (report.requirement.initial, report.requirement.maintenance)
            contract, quantity = trades[0]
            order = mc.Order(f"o{step}", contract, "buy" if quantity > 0 else "sell", abs(quantity), 1.0)
            decision = live.check(order, mc.Limit(1e15))
            assert decision, decision.message
            one = _fresh(prepared, live, trades[:1]).requirement.initial
            assert decision.after.initial == one
            row, lots = live.index(contract), round(quantity / contract.lot)
            assert abs(live.margin_after(row, lots) - one) <= live.band_after(row, lots)
            assert live.apply(trades).initial == report.requirement.initial
            compared += 2
    print(f"{name}: {compared} margins compared")


@pytest.mark.parametrize("name", RULEBOOKS)
def test_a_large_purchase_is_refused_for_cash(name: str) -> None:
    """Far out of the money, far above its value: the requirement hardly moves, the cash is gone."""
    prepared, contracts = world(name)
    call = max((c for c in contracts if c.kind == "option" and c.right == "call"), key=lambda c: c.strike or 0.0)
    live = prepared.open(mc.Account([], cash={"USD": 10_000.0}))
    size = 1_000 if call.underlying == "XYZ" else 100
    price = _price(prepared, call) + 20_000.0 / (size * call.multiplier)
    order = mc.Order("1", call, "buy", size, price)
    decision = live.check(order, mc.Limit(1e9, min_excess=0.0))
    assert (decision.accepted, decision.reason) == (False, "min_excess"), decision
    assert decision.excess_after is not None
    assert decision.excess_after < -9_000.0
    # Its requirement alone would have let it pass.
    assert live.check(order, mc.Limit(1e9)).accepted


@pytest.mark.parametrize("name", RULEBOOKS)
def test_open_orders_count_in_their_worst_case(name: str) -> None:
    """Every way the orders may fill, by hand."""
    prepared, contracts = world(name)
    exact = 0
    for seed in range(6):
        draw = random.Random(seed + 50)
        held = [mc.Position(c, _quantity(draw, c, 6)) for c in draw.sample(contracts, 3)]
        account = mc.Account(held, cash={"USD": 1e6})
        live = prepared.open(account)
        orders = []
        for i, contract in enumerate(draw.sample(contracts, 3)):
            quantity = _quantity(draw, contract, 3)
            price = _price(prepared, contract) * draw.uniform(0.9, 1.1)
            whole = draw.random() < 0.3
            side = "buy" if quantity > 0 else "sell"
            orders.append((contract, quantity, price, whole))
            live.reserve(mc.Order(f"o{i}", contract, side, abs(quantity), price, all_or_none=whole))
        worst, least = 0.0, float("inf")
        new = contracts[seed]
        for fills in itertools.product(
            *([0, 1] if whole else range(round(abs(q) / c.lot) + 1) for c, q, _, whole in orders)
        ):
            one = prepared.open(account)
            trades = []
            for (c, q, price, whole), n in zip(orders, fills, strict=True):
                filled = q * n if whole else n * c.lot * (1 if q > 0 else -1)
                if n:
                    trades.append((c, filled, price))
            worst = max(worst, one.apply(trades).initial)
            one.apply([(new, new.lot, _price(prepared, new))])
            least = min(least, one.excess)
        decision = live.check(mc.Order("new", new, "buy", new.lot, _price(prepared, new)), mc.Limit(min_excess=-1e12))
        assert decision.excess_after is not None, decision
        close = 1e-9 * (1e6 + worst)
        if decision.coverage == "bound":
            assert live.worst >= worst - close
            assert decision.excess_after <= least + close
        else:
            assert decision.coverage in ("exact", "every_fill")
            assert live.worst == pytest.approx(worst, abs=close)
            assert decision.excess_after == pytest.approx(least, abs=close)
            exact += 1
    print(f"{name}: {exact} of 6 exact")


@pytest.mark.parametrize("name", RULEBOOKS)
def test_the_largest_quantity_is_that_of_trying_every_one(name: str) -> None:
    prepared, contracts = world(name)
    most = 25
    for seed in range(6):
        draw = random.Random(seed + 90)
        held = [mc.Position(c, _quantity(draw, c, 6)) for c in draw.sample(contracts, 3)]
        live = prepared.open(mc.Account(held, cash={"USD": 2e5}))
        contract = draw.choice(contracts)
        side = draw.choice(["buy", "sell"])
        sign = 1 if side == "buy" else -1
        far = live.what_if([(contract, sign * most * contract.lot)]).after.initial
        limit = mc.Limit(live.margin.initial + draw.uniform(0.2, 1.0) * abs(far - live.margin.initial))
        passes = [True] + [
            live.check(mc.Order(f"{q}", contract, side, q * contract.lot, 1.0), limit).accepted  # type: ignore[arg-type]
            for q in range(1, most + 1)
        ]
        found = live.max_quantity(contract, side, limit, most=most * contract.lot)  # type: ignore[arg-type]
        first = passes.index(False) if False in passes else most + 1
        assert found == pytest.approx((first - 1) * contract.lot)
        whole = mc.Limit(limit.max_requirement, complete_only=True)
        last = max(
            q
            for q in range(most + 1)
            if q == 0 or live.check(mc.Order(f"{q}", contract, side, q * contract.lot, 1.0), whole)  # type: ignore[arg-type]
        )
        complete = live.max_quantity_complete(contract, side, limit, most=most * contract.lot)  # type: ignore[arg-type]
        assert complete == pytest.approx(last * contract.lot)


@pytest.mark.parametrize("name", RULEBOOKS)
def test_every_part_an_order_may_fill_in_is_judged(name: str) -> None:
    """Fills of none, a part and all of an order, by fresh margins: a part counts where it needs more than none."""
    prepared, contracts = world(name)
    for seed in range(30):
        draw = random.Random(seed + 130)
        held = [mc.Position(c, _quantity(draw, c, 6)) for c in draw.sample(contracts, 4)]
        account = mc.Account(held, cash={"USD": 1e6})
        live = prepared.open(account)
        contract = draw.choice([p.contract for p in held])
        side = draw.choice(["buy", "sell"])
        lots = draw.randint(2, 14)
        price = _price(prepared, contract) * draw.uniform(0.95, 1.05)
        order = mc.Order("new", contract, side, lots * contract.lot, price, fees=0.5 * lots)  # type: ignore[arg-type]
        fills = []
        for part in range(lots + 1):
            one = prepared.open(account)
            if part:
                quantity = part * contract.lot * (1 if side == "buy" else -1)
                one.apply([(contract, quantity, price, 0.5 * part)])
            fills.append((one.margin.initial, one.excess))
        none, complete = fills[0], fills[-1]
        close = 1e-9 * (1e6 + abs(complete[0]))
        # Rounding may let a part that needs what none does count, or not.
        for tie in (close, -close):
            most = max([complete[0], *(f[0] for f in fills if f[0] > none[0] + tie)])
            least = min([complete[1], *(f[1] for f in fills if f[1] < none[1] - tie)])
            decision = live.check(order, mc.Limit(1e12, -1e12))
            assert decision.excess_after is not None, decision
            sign = 1 if tie > 0 else -1
            assert sign * (decision.worst - most) >= -close
            assert sign * (least - decision.excess_after) >= -close


HELD_IN_PART: dict[str, tuple[dict[tuple[str, int, str], float], tuple[str, int, str], int]] = {
    # Few long calls are paired with the wrong shorts first.
    "reg-t greedy": (
        {
            ("2026-02-20", 100, "put"): 6, ("2026-03-20", 150, "call"): -3, ("2026-03-20", 90, "put"): -1,
            ("2026-02-20", 100, "call"): 2, ("2026-02-20", 150, "call"): -2,
        },
        ("2026-03-20", 110, "call"), 8,
    ),
    # A quantile is not convex.
    "historical var": (
        {
            ("2026-03-20", 150, "put"): -4, ("2026-03-20", 110, "put"): -5, ("2026-02-20", 100, "call"): -5,
            ("2026-02-20", 150, "call"): 2, ("2026-02-20", 110, "call"): -3, ("2026-03-20", 90, "call"): -5,
        },
        ("2026-03-20", 110, "put"), 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD_IN_PART)
def test_an_order_can_need_most_when_filled_in_part(name: str) -> None:
    """Neither none nor all of it breaks the limit, and it is refused."""
    prepared, contracts = world(name)
    held, traded, lots = HELD_IN_PART[name]

    def find(terms: tuple[str, int, str]) -> mc.Contract:
        expiry, strike, right = terms
        return next(c for c in contracts if c.id.startswith(f"XYZ {expiry} {strike} {right}"))

    live = prepared.open(mc.Account([mc.Position(find(t), q) for t, q in held.items()], cash={"USD": 1e6}))
    needs = [live.what_if([(find(traded), q)] if q else []).after.initial for q in range(lots + 1)]
    ends = max(needs[0], needs[-1])
    assert max(needs) > 1.01 * ends
    order = mc.Order("1", find(traded), "buy", lots, 1.0)
    decision = live.check(order, mc.Limit(1.01 * ends))
    assert (decision.accepted, decision.reason, decision.worst) == (False, "max_requirement", max(needs))
    assert decision.after.initial == needs[-1]
    assert live.check(order, mc.Limit(1.01 * ends, complete_only=True))
    assert live.check(order, mc.Limit(max(needs)))
    whole = mc.Order("1", find(traded), "buy", lots, 1.0, all_or_none=True)
    assert live.check(whole, mc.Limit(1.01 * ends))


def test_an_order_that_mends_a_broken_limit_passes() -> None:
    """Its partial fills leave the limit broken, but less than no order at all."""
    prepared, contracts = world("reg-t")
    call = next(c for c in contracts if c.kind == "option" and c.right == "call")
    live = prepared.open(mc.Account([mc.Position(call, -10)], cash={"USD": 1e6}))
    limit = mc.Limit(live.margin.initial / 2)
    assert live.check(mc.Order("1", call, "buy", 10, 1.0), limit)
    assert live.check(mc.Order("2", call, "buy", 1, 1.0), limit).reason == "max_requirement"
    assert live.check(mc.Order("3", call, "sell", 1, 1.0), limit).reason == "max_requirement"


def test_an_order_too_large_to_judge_in_parts_is_refused() -> None:
    """Unless the limit says that its complete fill is enough."""
    prepared, contracts = world("reg-t")
    live = prepared.open(mc.Account([], cash={"USD": 1e9}))
    order = mc.Order("1", contracts[1], "buy", 70_000, 1.0)
    decision = live.check(order, mc.Limit(1e12))
    assert (decision.accepted, decision.reason) == (False, "open_orders")
    assert "complete_only" in decision.message
    assert live.check(order, mc.Limit(1e12, complete_only=True))


def test_too_many_ways_to_fill_are_refused() -> None:
    """Without a closed form, what cannot be margined one by one is a refusal, unless the orders are all or none."""
    prepared, contracts = world("reg-t")
    live = prepared.open(mc.Account([], cash={"USD": 1e6}))
    options = [c for c in contracts if c.kind == "option"]
    for whole in (False, True):
        for i, contract in enumerate(options[:3]):
            live.reserve(mc.Order(f"{whole}{i}", contract, "sell", 100, 1.0, all_or_none=whole))
        decision = live.check(mc.Order("new", options[4], "buy", 1, 1.0), mc.Limit(1e9))
        assert decision.reason == ("accepted" if whole else "open_orders")
        for i in range(3):
            live.cancel(f"{whole}{i}")
    live.reserve(mc.Order("whole", options[0], "sell", 10, 1.0, all_or_none=True))
    with pytest.raises(mc.InvalidInput, match="all or none"):
        live.fill("whole", "e", 5, 1.0)


GROSS = {"span-like", "historical var"}
"""Rulebooks that margin the sides of a gross account apart; any other refuses it."""


@pytest.mark.parametrize("name", RULEBOOKS)
def test_a_gross_account_s_sides_never_net(name: str) -> None:
    prepared, contracts = world(name)
    contract = next(c for c in contracts if c.kind != "future")

    def account(long: float, short: float, *, gross: bool) -> mc.Account:
        held = mc.Position(contract, long=long * contract.lot, short=short * contract.lot)
        return mc.Account([held], gross=gross)

    assert prepared.margin(account(10, 10, gross=False)).requirement.initial == 0.0
    long, short = (prepared.margin(account(*sides, gross=False)).requirement.initial for sides in ((10, 0), (0, 10)))
    assert long > 0.0
    assert short > 0.0
    for sides in ((10, 10), (10, 0)):
        gross = account(*sides, gross=True)
        if name in GROSS:
            both = long + short if sides == (10, 10) else long
            assert prepared.margin(gross).requirement.initial == pytest.approx(both, rel=1e-12)
            assert prepared.open(gross).margin.initial == prepared.margin(gross).requirement.initial
            continue
        with pytest.raises(mc.NotApplicable, match="gross"):
            prepared.margin(gross)
        with pytest.raises(mc.NotApplicable, match="gross"):
            prepared.margin_many([gross])
        with pytest.raises(mc.NotApplicable, match="gross"):
            prepared.open(gross)


def test_a_gross_account_goes_where_it_is_margined() -> None:
    """A part that nets refuses its own share only, and an open account does not move to a rulebook that nets."""
    combined, contracts = world("combined")
    stock, future = contracts[:2]
    futures = mc.Account([mc.Position(future, long=2, short=3)], gross=True)
    assert combined.margin(futures).requirement.initial > 0.0
    assert combined.open(futures).margin.initial == combined.margin(futures).requirement.initial
    with pytest.raises(mc.NotApplicable, match="gross"):
        combined.margin(mc.Account([mc.Position(future, long=2, short=3), mc.Position(stock, 1)], gross=True))
    live = world("span-like")[0].open(futures)
    before = live.margin.initial
    with pytest.raises(mc.NotApplicable, match="gross"):
        live.rebase(world("tims")[0])
    assert live.margin.initial == before
    market = world("tims")[0].market
    comparison = mc.compare(futures, market, [mc.methods.Tims(), mc.methods.SpanLike(RANGES)])
    assert [outcome.report is None for outcome in comparison.outcomes] == [True, False]


PAIRINGS: dict[str, dict[str, object]] = {
    "cheapest": {},
    "greedy": {"pairing": "greedy"},
    "two legs": {"pairing": "two_leg"},
    "house": {"preset": "reg-t-ibkr"},
    "maintenance binds": {"initial_at_least_maintenance": True},
}


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_the_worst_fill_of_a_stock_order_is_found_without_margining_them_all(pairing: str, adjusted: bool) -> None:
    """Against every fill. Stock that covers options needs less in whole covers, more between them."""
    draw = random.Random(3)
    contracts, market = _equity()
    stock = contracts[0]
    odd = mc.Option("XYZ", "call", 105, expiry="2026-02-20", settles="pm", exercise="european", multiplier=150,
                    currency="USD", id="adjusted")  # fmt: skip
    options = [c for c in contracts if c.kind == "option"] + [odd] * adjusted
    quotes = mc.Market(
        market.valuation, spot={"XYZ": 100.0}, price={o.id: market.to_dict()["price"].get(o.id, 2.0) for o in options}
    )
    rulebook = mc.methods.RegT(underlyings=CLASS, **PAIRINGS[pairing])  # type: ignore[arg-type]
    prepared = mc.Engine(rulebook).prepare([stock, *options], quotes)
    bent = 0
    for i in range(40):
        held = [mc.Position(o, draw.randint(-5, 3)) for o in draw.sample(options, 4)]
        shares = draw.choice([-430, -100, -1, 0, 99, 250, 500])
        account = mc.Account([*held, *([mc.Position(stock, shares)] if shares else [])], cash={"USD": 1e6})
        live = prepared.open(account)
        quantity = draw.choice([draw.randint(2, 700), 100 * draw.randint(1, 5)])
        side, price = draw.choice(["buy", "sell"]), draw.choice([90.0, 100.0, 103.0])
        sign = 1 if side == "buy" else -1
        initial = [live.what_if([(stock, sign * n)] if n else []).after.initial for n in range(quantity + 1)]
        equity = [live.equity - sign * n * (price - 100.0) - 7.0 * n / quantity for n in range(quantity + 1)]
        excess = [e - m for e, m in zip(equity, initial, strict=True)]
        decision = live.check(mc.Order(str(i), stock, side, quantity, price, fees=7.0), mc.Limit(1e9, min_excess=-1e9))  # type: ignore[arg-type]
        assert decision, decision.message
        worse = [m for m in initial[1:-1] if m > initial[0]]
        assert decision.worst == pytest.approx(max([initial[-1], *worse]), rel=1e-12)
        less = [e for e in excess[1:-1] if e < excess[0]]
        assert decision.excess_after == pytest.approx(min([excess[-1], *less]), rel=1e-12)
        bent += decision.worst > max(initial[0], initial[-1]) + 1.0
    assert bent > 0


def test_a_stock_order_of_any_size_is_checked_under_reg_t() -> None:
    prepared, contracts = world("reg-t")
    stock, option = contracts[0], contracts[2]
    live = prepared.open(mc.Account([mc.Position(option, -300), mc.Position(stock, -40)], cash={"USD": 1e9}))
    fits = live.what_if([(stock, 70_000)]).after.initial
    order = mc.Order("1", stock, "buy", 70_000, 100.0)
    assert live.check(order, mc.Limit(fits + 1.0))
    assert live.check(order, mc.Limit(fits - 1.0)).reason == "max_requirement"
    # Options cover whole hundreds: every contract is a way of its own.
    assert live.check(mc.Order("2", option, "buy", 70_000, 1.0), mc.Limit(1e12)).reason == "open_orders"
    # An open order in the stock moves the hundreds.
    live.reserve(mc.Order("3", stock, "buy", 2, 100.0))
    assert live.check(order, mc.Limit(1e12)).reason == "open_orders"
