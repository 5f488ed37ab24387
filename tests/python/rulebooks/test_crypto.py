"""Crypto venues against the reference engines, and the shapes around them."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Callable

import pytest

import margincore as mc
from margincore import crypto
from margincore.reference.crypto import bybit, deribit, deribit_old, okx, paradex, span16, standard
from margincore.reference.crypto.scenario import Leg
from margincore.reference.crypto.scenario import value as worth

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SPOT = 60_000.0


def at(days: float) -> str:
    return (NOW + dt.timedelta(days=days)).isoformat()


class Book:
    """A random book as contracts and as the reference's legs."""

    def __init__(self, seed: int, *, inverse: bool, spot: bool = False, currency: str = "USDC") -> None:
        draw = random.Random(seed)
        self.positions: list[mc.Position] = []
        self.legs: list[Leg] = []
        settle = "BTC" if inverse else currency
        terms = {"settlement": "inverse"} if inverse else {}
        forward: dict[tuple[str, str], float] = {}
        vol: dict[str, float] = {}
        price: dict[str, float] = {}
        for i in range(draw.randint(1, 12)):
            days = draw.choice([0.3, 2.0, 9.0, 30.0, 45.0, 200.0])
            own = SPOT * (1.0 + 0.0003 * days)
            quantity = draw.choice([-1, 1]) * draw.randint(1, 40) / 10
            kind = draw.choice(["option", "option", "option", "future", "perpetual"])
            if kind == "option":
                forward["BTC", at(days)] = own
                right = draw.choice([1, -1])
                strike = round(SPOT * draw.uniform(0.5, 1.8), -2)
                iv = draw.uniform(0.2, 1.4)
                contract = mc.Option(
                    "BTC",
                    "call" if right > 0 else "put",
                    strike,
                    expiry=at(days),
                    exercise="european",
                    multiplier=1,
                    currency=settle,
                    lot=0.1,
                    id=f"o{i}",
                    **terms,
                )
                vol[contract.id] = iv
                leg = Leg("option", quantity, own, inverse, strike, right, days / 365.0, iv)
            elif kind == "future":
                contract = mc.Future(
                    "BTC",
                    expiry=at(days),
                    multiplier=1,
                    multiplier_unit="coin",
                    currency=settle,
                    lot=0.1,
                    id=f"f{i}",
                    **terms,
                )
                price[contract.id] = own
                leg = Leg("future", quantity, own, inverse, years=days / 365.0)
            else:
                contract = mc.Perpetual(
                    "BTC", multiplier=1, multiplier_unit="coin", currency=settle, lot=0.1, id=f"p{i}", **terms
                )
                price[contract.id] = SPOT * 1.001
                leg = Leg("perpetual", quantity, SPOT * 1.001, inverse)
            self.positions.append(mc.Position(contract, quantity))
            self.legs.append(leg)
        if spot:
            coin = mc.Spot("BTC", currency=settle, lot=0.1)
            self.positions.append(mc.Position(coin, 1.3))
            self.legs.append(Leg("spot", 1.3, SPOT, inverse))
        self.market = mc.Market(NOW, spot={"BTC": SPOT}, forward=forward, vol=vol, price=price, fx={"USDT/USD": 0.999})

    def unit(self, rules: mc.Methodology) -> dict[str, float]:
        report = mc.margin(self.positions, self.market, rules)
        assert report.adds_up()
        (unit,) = report.details["units"].values()
        assert report.requirement.initial == pytest.approx(
            unit.get("initial_margin", report.requirement.initial), rel=1e-12
        )
        return unit


def close(expected: float, scale: float = SPOT) -> object:
    return pytest.approx(expected, rel=1e-10, abs=1e-10 * scale)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("inverse", [True, False])
def test_deribit_agrees_with_the_reference(seed: int, inverse: bool) -> None:
    # USD rather than USDC: the preset's own rules for that settlement differ.
    book = Book(seed, inverse=inverse, spot=not inverse and seed % 2 == 0, currency="USD")
    parameters = deribit.Params(0.16, 0.5, 0.25, delta_total_liq_shock_threshold=1e5)
    own = deribit.margin(book.legs, parameters, SPOT)
    shock = {"*": {"charges": {"delta_shock": {"threshold": 1e5}}}}
    unit = book.unit(mc.methods.Deribit(vintage="2024", rules=shock))
    scale = 1.0 if inverse else SPOT
    for name in ("worst_case", "roll_shock", "delta_shock", "initial_margin", "maintenance_margin"):
        assert unit[name] == close(getattr(own, name), scale), name
    for row, value in zip(unit["scenarios"], own.aggregated, strict=True):
        assert row["pnl"] == close(value, scale), row["label"]


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("vintage", ["A", "B", "C", "D"])
def test_older_deribit_vintages_agree_with_the_reference(seed: int, vintage: str) -> None:
    book = Book(seed + 300, inverse=seed % 2 == 0, currency="USD")
    initial, maintenance, cells = deribit_old.margin(book.legs, SPOT, deribit_old.VINTAGES[vintage])
    # Vintage A's charge on opposite vegas is not published; zero is stated.
    stated = {"*": {"charges": {"stated": {"opposite_vega": 0.0}}}} if vintage == "A" else None
    unit = book.unit(mc.methods.Deribit(vintage=f"old-{vintage.lower()}", rules=stated))
    assert unit["initial_margin"] == close(initial)
    assert unit["maintenance_margin"] == close(maintenance)
    assert [row["pnl"] for row in unit["scenarios"]] == pytest.approx(cells, rel=1e-10, abs=1e-5)


@pytest.mark.parametrize("seed", range(40))
def test_other_venues_agree_with_the_reference(seed: int) -> None:
    book = Book(seed + 700, inverse=False, spot=seed % 3 == 0, currency="USDT")
    stated = {"option_contingency": 1.0, "option_vega": 2.0, "future_delta": 3.0}
    unit = book.unit(mc.methods.Bybit(stated=stated))
    own = bybit.margin(book.legs, SPOT, bybit.Params(), future_delta=6.0)
    assert (unit["assetIM"], unit["assetMM"]) == (close(own[0]), close(own[1]))
    assert [row["pnl"] for row in unit["scenarios"]] == pytest.approx(own[3], rel=1e-10, abs=1e-5)
    needed = paradex.margin(book.legs, SPOT, paradex.BTC_ETH)
    unit = book.unit(mc.methods.Paradex(vintage="2026-08"))
    assert (unit["imr"], unit["mmr"]) == (close(needed[0]), close(needed[1]))
    assert (unit["scan_risk"], unit["min_delta_risk"]) == (close(needed[2]), close(needed[3]))
    params = okx.Params(0.12, 0.24, 0.05, 0.002, 0.0045)
    zero = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
    risk = okx.risk_unit(book.legs, params, fx=0.999)
    unit = book.unit(mc.methods.Okx("2025", stated=zero, spot="in_matrix"))
    for name in ("mr1", "mr2", "mr4", "mr6", "mr7", "mmr", "imr"):
        assert unit[name] == close(getattr(risk, name)), name
    for ranges, (price, vol, relative) in {
        "12pct-10pt": (0.12, 0.10, False),
        "30pct-35pct": (0.30, 0.35, True),
    }.items():
        expected = span16.scan_risk(book.legs, price, vol, relative)
        assert book.unit(mc.methods.Span16(ranges))["worst_case"] == close(expected)


@pytest.mark.parametrize("held", [0.5, 3.0, 9.0])
@pytest.mark.parametrize("short", [-4.0, 4.0])
def test_spot_in_use_is_what_hedges(held: float, short: float) -> None:
    perp = mc.Perpetual("BTC", multiplier=1, currency="USDT", lot=0.1)
    coin = mc.Spot("BTC", currency="USDT", lot=0.1)
    market = mc.Market(NOW, spot={"BTC": SPOT}, price={perp.id: SPOT}, fx={"USDT/USD": 1.0})
    report = mc.margin([mc.Position(perp, short), mc.Position(coin, held)], market, mc.methods.Okx())
    (unit,) = report.details["units"].values()
    used = min(held, -short) if short < 0.0 else 0.0
    assert unit["spot_in_use"] == used
    assert unit["mr1"] == pytest.approx(0.12 * SPOT * abs(short + used))
    alone = mc.margin([mc.Position(coin, held)], market, mc.methods.Okx())
    assert alone.requirement.initial == 0.0


@pytest.mark.parametrize(
    "rule", [mc.methods.Deribit(), mc.methods.Deribit("standard"), mc.methods.Bybit(), mc.methods.Derive()]
)
def test_an_underlying_without_parameters_is_refused(rule: mc.Methodology) -> None:
    perp = mc.Perpetual("DOGE", multiplier=1, currency="USDC")
    market = mc.Market(NOW, spot={"DOGE": 0.2}, price={perp.id: 0.2})
    with pytest.raises((mc.MissingData, mc.NotApplicable), match="DOGE"):
        mc.margin([mc.Position(perp, 1)], market, rule)


def test_parameters_by_date() -> None:
    assert mc.methods.Deribit(on="2025-01-01").parameters["name"] == "deribit-pm-2024"
    assert mc.methods.Deribit(on=dt.date(2026, 2, 15)).parameters["name"] == "deribit-pm-2026"
    assert mc.methods.Okx(on="2025-01-14").parameters["name"] == "okx-pm-2024"
    assert mc.methods.Okx(on="2025-01-15").parameters["name"] == "okx-pm-2025"
    assert mc.methods.Paradex(on="2026-08-02").parameters["name"] == "paradex-pm"
    with pytest.raises(mc.MissingData, match="2024-06-17"):
        mc.methods.Deribit(on="2024-06-16")
    with pytest.raises(mc.InvalidInput, match="is not a date"):
        mc.methods.Deribit(on="soon")
    with pytest.raises(mc.InvalidInput, match="no dated presets of 'bybit-pm'"):
        mc.methods.Crypto("bybit-pm", on="2026-01-01")


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: mc.methods.Deribit("cross"), "not published"),
        (lambda: mc.methods.Deribit.from_params({"correlation_set": True}), "correlation_set"),
    ],
)
def test_rules_that_are_not_published_are_unsupported(build: Callable[[], object], match: str) -> None:
    with pytest.raises(mc.Unsupported, match=match):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: mc.methods.Deribit("margin"),
        lambda: mc.methods.Deribit(vintage="2023"),
        lambda: mc.methods.Okx("2020"),
        lambda: mc.methods.Paradex("isolated"),
        lambda: mc.methods.Deribit(rules={"BTC": {"mm_factor": True}}),
        lambda: mc.methods.Deribit(rules={"BTC": {"mm_factor": -0.1}}),
        lambda: mc.methods.Deribit(rules={"BTC": {"gain_cap": float("nan")}}),
        lambda: mc.methods.Deribit(rules={"BTC": {"no_such_rule": 1.0}}),
        lambda: mc.methods.Deribit(initial_only={"mmp_margin": True}),
        lambda: mc.methods.Deribit.from_params({"price_range": True}),
        lambda: mc.methods.Deribit.from_params({"prize_range": 0.2}),
        lambda: mc.methods.Derive(feeds={"stable": float("inf")}),
        lambda: mc.methods.Derive(feeds={"expiries": [{"underlying": "ETH", "expiry": "x", "rate": True}]}),
        lambda: mc.methods.Okx(haircuts={"BTC": 1.5}),
        lambda: crypto.okx_positions([{"instId": "BTC-USDT-SWAP", "pos": True}], {"BTC-USDT-SWAP": 0.01}),
        lambda: crypto.deribit_positions({"BTC-PERPETUAL": True}),
    ],
)
def test_what_is_no_number_or_no_rule_is_refused_at_the_door(build: Callable[[], object]) -> None:
    with pytest.raises(mc.InvalidInput):
        build()


def test_deribit_s_reply_shapes_mean_the_same() -> None:
    flat = {"price_range": 0.15, "extended_dampener": 90_000.0, "mm_factor": 0.75, "buckets_count": 4}
    groups = {
        "currency_pair": {"btc_usd": {"price_range": 0.15}, "eth_usd": {"price_range": 0.3}},
        "currency": {"btc": {"extended_dampener": 90_000.0}, "usd": {"extended_dampener": 1.0}},
        "general": {"mm_factor": 0.75, "buckets_count": 4, "timestamp": 1718619740501},
    }
    shapes = [flat, {"btc": flat}, {"result": {"params": flat}}, {"result": {"model_params": groups}}]
    digests = {mc.methods.Deribit.from_params(shape, currency="btc").parameters["digest"] for shape in shapes}
    assert len(digests) == 1


@pytest.mark.parametrize("seed", range(20))
def test_standard_margin_agrees_with_the_reference(seed: int) -> None:
    draw = random.Random(seed)
    right, strike, mark = draw.choice([1, -1]), round(SPOT * draw.uniform(0.4, 1.9)), draw.uniform(0.0, 9000.0)
    quantity = float(draw.randint(-9, 9)) or 1.0
    option = mc.Option(
        "BTC", "call" if right > 0 else "put", strike, expiry=at(20), exercise="european", multiplier=1, currency="USDC"
    )
    market = mc.Market(NOW, spot={"BTC": SPOT}, price={option.id: mark})
    report = mc.margin([mc.Position(option, quantity)], market, mc.methods.Deribit("standard"))
    (unit,) = report.details["units"].values()
    initial, maintenance = standard.option(right, SPOT, strike, mark, quantity, 0.15, 0.10, 0.075)
    assert (unit["initial_margin"], unit["maintenance_margin"]) == (close(initial), close(maintenance))
    # On the basis of liquidating equity the mark of a short is not counted twice; on that of cash it is the venue's.
    assert report.cash_balance_required == close(initial)


STANDARD = {
    "deribit": (mc.methods.Deribit("standard"), 0.15, 0.10, 0.075, False),
    "bit.com": (mc.methods.BitCom(), 0.15, 0.10, 0.075, False),
    "aevo": (mc.methods.Aevo(), 0.15, 0.10, 0.10, False),
    "okx": (mc.methods.Okx("standard"), 0.15, 0.10, 0.03, True),
}


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("venue", STANDARD)
def test_books_under_standard_margin_agree_with_the_reference(venue: str, seed: int) -> None:
    rules, a, b, c, over_forward = STANDARD[venue]
    book = Book(seed + 2000, inverse=False)
    futures = venue == "deribit"
    held = [(p, x) for p, x in zip(book.positions, book.legs, strict=True) if futures or x.kind == "option"]
    if not held:
        return
    initial = maintenance = 0.0
    for _, leg in held:
        if leg.kind == "option":
            base = leg.forward if over_forward else None
            mark = worth(leg, 0.0, leg.vol)
            own = standard.option(leg.right, SPOT, leg.strike, mark, leg.quantity, a, b, c, base)
        else:
            own = tuple(standard.future(leg.quantity, leg.forward, rate, 5e-5) for rate in (0.02, 0.01))
        initial, maintenance = initial + own[0], maintenance + own[1]
    report = mc.margin([p for p, _ in held], book.market, rules)
    assert report.adds_up()
    (unit,) = report.details["units"].values()
    assert (unit["initial_margin"], unit["maintenance_margin"]) == (close(initial), close(maintenance))


@pytest.mark.parametrize("seed", range(15))
def test_paradex_cross_margin_agrees_with_the_reference(seed: int) -> None:
    book = Book(seed + 2500, inverse=False)
    terms = {"short_itm": 0.15, "short_otm": 0.10, "long_cap": 0.20, "put_cap": 0.50, "mm_factor": 0.5}
    initial = maintenance = 0.0
    for leg in book.legs:
        if leg.kind == "option":
            own = standard.paradex_option(leg.right, SPOT, leg.strike, worth(leg, 0.0, leg.vol), leg.quantity, terms)
        else:
            own = tuple(standard.future(leg.quantity, leg.forward, rate, 0.0) for rate in (0.02, 0.01))
        initial, maintenance = initial + own[0], maintenance + own[1]
    report = mc.margin(book.positions, book.market, mc.methods.Paradex("cross"))
    assert report.adds_up()
    (unit,) = report.details["units"].values()
    assert (unit["initial_margin"], unit["maintenance_margin"]) == (close(initial), close(maintenance))


@pytest.mark.parametrize("seed", range(15))
def test_dederi_agrees_with_the_reference(seed: int) -> None:
    book = Book(seed + 2700, inverse=False, currency="USDT")
    initial, maintenance, cells = deribit_old.margin(book.legs, SPOT, deribit_old.VINTAGES["D"])
    unit = book.unit(mc.methods.Dederi())
    assert (unit["initial_margin"], unit["maintenance_margin"]) == (close(initial), close(maintenance))
    assert [row["pnl"] for row in unit["scenarios"]] == pytest.approx(cells, rel=1e-10, abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_a_risk_unit_of_okx_adds_coin_at_the_scenario_s_own_price(seed: int) -> None:
    """Coin-settled beside linear contracts: what a coin position is worth in dollars after the move, less before."""
    coin, linear = Book(seed + 2900, inverse=True), Book(seed + 3100, inverse=False, currency="USDT")
    renamed, sides = [], [(coin, 1.0), (linear, 0.999)]
    quotes: dict[str, dict[str, float]] = {"vol": {}, "price": {}}
    for k, (book, _) in enumerate(sides):
        document = book.market.to_dict()
        for position in book.positions:
            terms = position.contract.to_dict()
            contract = mc.Contract(**{**terms, "id": f"{terms['id']} {k}"})
            for name, column in quotes.items():
                if terms["id"] in document.get(name, {}):
                    column[contract.id] = document[name][terms["id"]]
            renamed.append(mc.Position(contract, position.quantity))
    forward = {("BTC", at(d)): SPOT * (1.0 + 0.0003 * d) for d in (0.3, 2.0, 9.0, 30.0, 45.0, 200.0)}
    market = mc.Market(NOW, spot={"BTC": SPOT}, forward=forward, fx={"USDT/USD": 0.999}, **quotes)
    zero = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
    (unit,) = mc.margin(renamed, market, mc.methods.Okx(stated=zero)).details["units"].values()
    law = okx.Params(0.12, 0.24, 0.05, 0.002, 0.0045).law
    side = {"down": -1, "same": 0, "up": 1}
    for row in unit["scenarios"]:
        expected = 0.0
        for book, fx in sides:
            for leg in book.legs:
                vol = law.shocked(leg.vol, leg.days, side[row["vol"]]) if leg.kind == "option" else 0.0
                after, before = worth(leg, row["move"], vol), worth(leg, 0.0, leg.vol)
                # Coin gained is worth its own forward after the move.
                rate = leg.forward * (1.0 + row["move"]) if leg.inverse else fx
                expected += leg.quantity * (after - before) * rate
        weight = 0.5 if abs(row["move"]) > 0.2 else 1.0
        assert row["pnl"] == close(weight * expected), row["label"]


def test_unpublished_parts_are_asked_for() -> None:
    book = Book(3, inverse=False, currency="USDT")
    with pytest.raises(mc.Unsupported, match="mr3"):
        mc.margin(book.positions, book.market, mc.methods.Okx())
    with pytest.raises(mc.Unsupported, match=r"future_delta|option_contingency"):
        mc.margin(book.positions, book.market, mc.methods.Bybit())


def test_missing_numbers_name_the_contracts() -> None:
    option = mc.Option("BTC", "call", 7e4, expiry=at(9), exercise="european", multiplier=1, currency="USDC")
    bare = mc.Market(NOW, spot={"BTC": SPOT})
    with pytest.raises(mc.MissingData, match=r"no forward of BTC for 'BTC .*call'"):
        mc.margin([mc.Position(option, 1)], bare, mc.methods.Deribit())
    forward = mc.Market(NOW, spot={"BTC": SPOT}, forward={("BTC", at(9)): SPOT})
    with pytest.raises(mc.MissingData, match="no vol and no price for option 'BTC"):
        mc.margin([mc.Position(option, 1)], forward, mc.methods.Deribit())
    stock = mc.Stock("IBM", currency="USD")
    with pytest.raises(mc.NotApplicable, match="IBM"):
        mc.margin([mc.Position(stock, 1)], mc.Market(NOW, spot={"IBM": 1.0}), mc.methods.Deribit())


def test_settlement_currencies_stand_alone_and_convert_once() -> None:
    coin = mc.Perpetual("BTC", multiplier=10, multiplier_unit="USD", settlement="inverse", currency="BTC", id="inverse")
    linear = mc.Perpetual("BTC", multiplier=1, currency="USDC", id="linear")
    market = mc.Market(NOW, spot={"BTC": SPOT}, price={"inverse": SPOT, "linear": SPOT}, fx={"USDC/USD": 1.0})
    report = mc.margin([mc.Position(coin, 6000), mc.Position(linear, -1)], market, mc.methods.Deribit())
    assert {line.currency: line.fx for line in report.lines} == {"BTC": SPOT, "USDC": 1.0}
    assert report.adds_up()
    units = report.details["units"]
    expected = units["BTC"]["initial_margin"] * SPOT + units["BTC/USDC"]["initial_margin"]
    assert report.requirement.initial == pytest.approx(expected, rel=1e-14)


NAMES = {
    "deribit": [
        "BTC-27DEC24-70000-C",
        "BTC-27DEC24",
        "BTC-PERPETUAL",
        "BTC_USDC-27DEC24-70000-C",
        "BTC-3JAN25-90000-P",
        "XRP_USDC-28JUN24-0d5-C",
        "SOL_USDC-PERPETUAL",
    ],
    "okx": ["BTC-USD-241227-70000-C", "BTC-USDT-SWAP", "BTC-USD-SWAP", "BTC-USD-241227", "ETH-USDC-241227"],
    "binance": [
        "BTC-241227-70000-C",
        "DOGE-241227-0.25-P",
        "BTCUSDT_250926",
        "BTCUSD_PERP",
        "BTCUSDT",
        "BTCUSD_250926",
    ],
    "bybit": [
        "BTC-27DEC24-70000-C",
        "BTC-27DEC24-70000-C-USDT",
        "BTCUSDT",
        "BTCPERP",
        "BTCUSD",
        "BTC-27DEC24",
        "BTCUSDT-27DEC24",
    ],
    "derive": ["BTC-20241227-70000-C", "XRP-20241227-0_55-P", "ETH-PERP"],
}


@pytest.mark.parametrize(("venue", "name"), [(venue, name) for venue, names in NAMES.items() for name in names])
def test_names_parse_and_print(venue: str, name: str) -> None:
    parsed = crypto.parse(venue, name)
    assert crypto.instrument_name(parsed) == name
    made = crypto.contract(venue, name)
    assert (made.id, made.kind, made.underlying) == (name, parsed.kind, parsed.underlying)


@pytest.mark.parametrize("venue", NAMES)
def test_names_survive_a_round_trip(venue: str) -> None:
    draw = random.Random(venue)
    for _ in range(200):
        day = dt.datetime.combine(
            dt.date(2024, 1, 1) + dt.timedelta(days=draw.randrange(3000)), dt.time(8, tzinfo=dt.UTC)
        )
        settle = {"deribit": "USDC", "okx": "ETH", "binance": "USDT", "bybit": "USDT", "derive": "USDC"}[venue]
        strike = draw.choice([draw.randrange(1, 200_000), draw.randrange(1, 99_999) / 10_000])
        one = crypto.Instrument(venue, "ETH", settle, "option", day, float(strike), draw.choice(["call", "put"]))
        assert crypto.parse(venue, crypto.instrument_name(one)) == one


@pytest.mark.parametrize(
    ("venue", "name"),
    [
        ("deribit", "BTC-32DEC24-1-C"),
        ("deribit", "BTC-27DEC24-x-C"),
        ("deribit", "BTC-27DEC24-1-D"),
        ("okx", "BTC-EUR-SWAP"),
        ("binance", "BTC"),
        ("bybit", "BTC-27DEC24-1-C-EUR"),
        ("derive", "BTC-27DEC24-1-C"),
        ("deribit", ""),
        ("okx", "-"),
    ],
)
def test_other_names_are_refused(venue: str, name: str) -> None:
    with pytest.raises(mc.ParseError):
        crypto.parse(venue, name)


@pytest.mark.parametrize("seed", range(12))
def test_the_worst_subset_of_orders_is_the_worst(seed: int) -> None:
    draw = random.Random(seed)
    book = Book(seed + 40, inverse=False, currency="USD")
    contracts = [p.contract for p in Book(seed + 90, inverse=False, currency="USD").positions][:5]
    other = Book(seed + 90, inverse=False, currency="USD")
    renamed = [mc.Position(p.contract, p.quantity) for p in other.positions][:4]
    del contracts
    market = mc.Market(
        NOW,
        spot={"BTC": SPOT},
        forward={("BTC", at(d)): SPOT * (1.0 + 0.0003 * d) for d in (0.3, 2.0, 9.0, 30.0, 45.0, 200.0)},
        vol={p.contract.id: draw.uniform(0.3, 1.0) for p in other.positions if p.contract.kind == "option"},
        price={p.contract.id: SPOT for p in other.positions if p.contract.kind != "option"},
    )
    rules = mc.methods.Span16()
    prepared = mc.Engine(rules).prepare([p.contract for p in other.positions], market)
    held = other.positions[4:]
    orders = [crypto.OpenOrder(p.contract, p.quantity) for p in renamed]
    worst = crypto.margin_with_orders(prepared, held, orders, policy="worst_subset")
    every = [
        prepared.margin(
            [*held, *(mc.Position(o.contract, o.quantity) for o, fills in zip(orders, mask, strict=True) if fills)]
        )
        for mask in itertools.product([False, True], repeat=len(orders))
    ]
    assert worst.initial == pytest.approx(max(r.requirement.initial for r in every), rel=1e-12)
    none = crypto.margin_with_orders(prepared, held, orders, policy="none")
    assert none.initial == prepared.margin(held).requirement.initial
    assert worst.initial >= none.initial
    assert book.positions


def test_liquidation_along_a_path() -> None:
    perp = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    cash = 12_000.0

    def state(move: float) -> crypto.Health:
        price = SPOT * (1.0 + move)
        market = mc.Market(NOW, spot={"BTC": price}, price={perp.id: price})
        report = mc.margin([mc.Position(perp, 1)], market, mc.methods.Deribit("standard"))
        return crypto.health(report, cash + SPOT * move)

    found = crypto.first_breach(state, SPOT, [-0.05 * k for k in range(1, 20)])
    assert found is not None
    # Equity 12,000 - 60,000 + P meets maintenance of 1.005 % of P.
    assert found == pytest.approx(48_000.0 / (1.0 - 0.01005), rel=1e-7)
    assert crypto.first_breach(state, SPOT, [0.05, 0.5, 5.0]) is None


def test_deribit_s_own_rows_are_positions() -> None:
    rows = [
        {"instrument_name": "BTC-PERPETUAL", "size": 60_000.0, "direction": "sell", "kind": "future"},
        {"instrument_name": "BTC-27DEC30-70000-C", "size": -0.5, "direction": "sell"},
        {"instrument_name": "BTC-27DEC30-70000-P", "size": 0.5, "direction": "buy"},
        {"instrument_name": "ETH-PERPETUAL", "size": 0.0, "direction": "zero"},
    ]
    sizes = {"BTC-PERPETUAL": -60_000.0, "BTC-27DEC30-70000-C": -0.5, "BTC-27DEC30-70000-P": 0.5}
    expected = [(p.contract, p.quantity) for p in crypto.deribit_positions(sizes)]
    assert [(p.contract, p.quantity) for p in crypto.deribit_positions(rows)] == expected


def test_deribit_and_okx_shapes() -> None:
    positions = crypto.deribit_positions({"BTC-PERPETUAL": 60_000.0})
    market = mc.Market(NOW, spot={"BTC": SPOT}, price={"BTC-PERPETUAL": SPOT})
    report = mc.margin(positions, market, mc.methods.Deribit())
    result = crypto.deribit_result(report, equity=1.0)["BTC"]
    assert result["initial_margin"] == pytest.approx(0.16 / 0.84 + 0.01, rel=1e-12)
    assert result["available_funds"] == 1.0 - result["initial_margin"]
    rows = crypto.okx_positions([{"instId": "BTC-USDT-SWAP", "pos": "-10", "avgPx": "1"}], {"BTC-USDT-SWAP": 0.01})
    market = mc.Market(NOW, spot={"BTC": SPOT}, price={"BTC-USDT-SWAP": SPOT}, fx={"USDT/USD": 1.0})
    result = crypto.okx_result(mc.margin(rows, market, mc.methods.Okx()))
    (unit,) = result["riskUnitData"]
    assert unit["mr1"] == pytest.approx(0.1 * SPOT * 0.12)
    assert result["totalImr"] == pytest.approx(1.3 * result["totalMmr"])
