"""Greeks of accounts in reports, against differences of account values computed here from public prices."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

import margincore as mc

NOW = dt.datetime(2026, 11, 20, 21, tzinfo=dt.UTC)
FIELDS = ("delta", "gamma", "vega", "theta", "rho")


class Move(NamedTuple):
    """What is added to every price of an underlying, every vol, the clock (years) and every rate."""

    price: float = 0.0
    vol: float = 0.0
    time: float = 0.0
    rate: float = 0.0


@dataclass
class Leg:
    """A position and what it is worth after a move, in dollars."""

    position: mc.Position
    symbol: str
    worth: Callable[[Move], float]
    price: float


def difference(worth: Callable[[Move], float], field: str, step: float) -> float:
    """A central difference of fourth order."""
    at = lambda k: worth(Move(**{field: k * step}))  # noqa: E731
    return (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * step)


def second(worth: Callable[[Move], float], step: float) -> float:
    at = lambda k: worth(Move(price=k * step))  # noqa: E731
    return (16.0 * (at(1) + at(-1)) - (at(2) + at(-2)) - 30.0 * at(0)) / (12.0 * step * step)


def expected(legs: list[Leg], spread: float = 1e-3) -> dict[str, tuple[float, float]]:
    """Of each greek: the sum over the legs, and the sum of its absolute values."""
    parts: dict[str, list[float]] = {field: [] for field in FIELDS}
    for leg in legs:
        parts["delta"].append(difference(leg.worth, "price", spread * leg.price))
        parts["gamma"].append(second(leg.worth, 4.0 * spread * leg.price))
        parts["vega"].append(difference(leg.worth, "vol", 1e-3))
        parts["theta"].append(difference(leg.worth, "time", 1e-4))
        parts["rho"].append(difference(leg.worth, "rate", 1e-4))
    return {field: (math.fsum(own), math.fsum(map(abs, own))) for field, own in parts.items()}


def agree(greeks: mc.UnderlyingGreeks, legs: list[Leg], tolerance: dict[str, float]) -> None:
    found = expected(legs)
    for field, (total, size) in found.items():
        assert getattr(greeks, field) == pytest.approx(total, abs=tolerance[field] * size + 1e-9), (
            greeks.underlying,
            field,
        )


EXACT = {"delta": 1e-7, "gamma": 1e-5, "vega": 1e-7, "theta": 1e-6, "rho": 1e-7}

# ---- crypto venues

FORWARDS = {"BTC": (60_000.0, 60_150.0, 61_200.0), "ETH": (3_000.0, 3_012.0, 3_090.0)}
DAYS = (9, 120)
EXPIRIES = [(NOW + dt.timedelta(days=days, hours=11)).isoformat() for days in DAYS]
YEARS = [(days + 11 / 24) / 365 for days in DAYS]
RATE = 0.06


def black(forward: float, strike: float, years: float, vol: float, right: str, rate: float) -> float:
    """On the forward, discounted at the rate: zero where the venue does not discount."""
    return float(mc.pricing.price(forward, strike, years, rate, rate, vol, right))


def crypto_legs(seed: int, settlement: str, coins: tuple[str, ...], discounted: bool) -> tuple[list[Leg], mc.Market]:
    """Calls, puts, futures, perpetuals and spot, long and short, over two expiries of every coin."""
    draw = random.Random(seed)
    inverse = settlement == "inverse"
    legs: list[Leg] = []
    price, vols = {}, {}

    def quantity(lot: float) -> float:
        return draw.choice([-1, 1]) * draw.randint(1, 30) * lot

    for coin in coins:
        spot, *forwards = FORWARDS[coin]
        currency = coin if inverse else settlement
        paid: dict[str, Any] = {"currency": currency, "settlement": "inverse" if inverse else "linear"}
        for expiry, years, forward in zip(EXPIRIES, YEARS, forwards, strict=True):
            for right in ("call", "put"):
                for share in (0.9, 1.0, 1.15):
                    strike, size, vol = round(spot * share), draw.choice([1, 0.5]), draw.uniform(0.4, 0.9)
                    option = mc.Option(
                        coin, right, strike, expiry=expiry, exercise="european", multiplier=size, lot=0.1, **paid
                    )
                    vols[option.id] = vol
                    held = quantity(0.1)

                    def worth(
                        m: Move, n: float = held * size, f: float = forward, k: float = strike, t: float = years,
                        v: float = vol, right: str = right,
                    ) -> float:  # fmt: skip
                        rate = RATE + m.rate if discounted else 0.0
                        return n * black(f + m.price, k, t - m.time, v + m.vol, right, rate)

                    legs.append(Leg(mc.Position(option, held), coin, worth, forward))
        units = ("USD", coin, "coin") if inverse else (coin, "coin", "USD")
        linear: list[tuple[mc.Contract, float, str]] = []
        for unit, expiry, forward in zip(units[:2], EXPIRIES, forwards, strict=True):
            size = 10 if unit == "USD" else 0.5
            linear.append(
                (mc.Future(coin, expiry=expiry, multiplier=size, multiplier_unit=unit, **paid), forward, unit)
            )
        unit = draw.choice(units)
        size = 10 if unit == "USD" else 1
        linear.append((mc.Perpetual(coin, multiplier=size, multiplier_unit=unit, **paid), spot * 1.001, unit))
        for contract, mark, unit in linear:
            price[contract.id] = mark
            held = quantity(contract.lot)
            in_dollars = unit not in ("coin", coin)

            def worth(
                m: Move, n: float = held * contract.multiplier, f: float = mark, in_dollars: bool = in_dollars
            ) -> float:
                moved = f + m.price
                # A dollar's worth of coin then and now: in coin n / f - n / moved, paid out at the moved price.
                return (n / f - n / moved) * moved if in_dollars else n * (moved - f)

            legs.append(Leg(mc.Position(contract, held), coin, worth, mark))
    market = mc.Market(
        NOW,
        spot={coin: FORWARDS[coin][0] for coin in coins},
        forward={(coin, e): f for coin in coins for e, f in zip(EXPIRIES, FORWARDS[coin][1:], strict=True)},
        vol=vols,
        price=price,
        rate={c: RATE for c in ("USD", "USDC", "USDT", *coins)},
        fx={"USDC/USD": 1.0, "USDT/USD": 1.0},
    )
    return legs, market


def derive(manager: str) -> mc.Methodology:
    everything = {"spot_confidence": 1.0, "perp_confidence": 1.0}
    expiries = [
        {
            "underlying": "ETH", "expiry": e, "rate": RATE, "forward_confidence": 1.0, "rate_confidence": 1.0,
            "vol_confidence": 1.0,
        }
        for e in EXPIRIES
    ]  # fmt: skip
    return mc.methods.Derive(manager, feeds={"stable": 1.0, "underlyings": {"ETH": everything}, "expiries": expiries})


BOTH = ("BTC", "ETH")
OPPOSITE = {"*": {"charges": {"stated": {"opposite_vega": 0.0}}}}
STATED = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
CONTINGENT = {"option_contingency": 1.0, "option_vega": 2.0, "future_delta": 3.0}
VENUES: dict[str, tuple[Callable[[], mc.Methodology], str, tuple[str, ...], bool]] = {
    "deribit inverse": (mc.methods.Deribit, "inverse", BOTH, False),
    "deribit linear": (mc.methods.Deribit, "USDC", BOTH, False),
    "deribit 2026 inverse": (lambda: mc.methods.Deribit(vintage="2026"), "inverse", BOTH, False),
    "deribit old": (lambda: mc.methods.Deribit(vintage="old-a", rules=OPPOSITE), "inverse", BOTH, False),
    "okx inverse": (lambda: mc.methods.Okx(stated=STATED), "inverse", BOTH, False),
    "okx linear": (lambda: mc.methods.Okx(stated=STATED), "USDT", BOTH, False),
    "bybit": (lambda: mc.methods.Bybit(stated=CONTINGENT), "USDC", ("BTC",), False),
    "paradex": (mc.methods.Paradex, "USDC", ("BTC",), False),
    "span16": (mc.methods.Span16, "USD", BOTH, False),
    "derive pmrm1": (lambda: derive("pmrm1"), "USDC", ("ETH",), False),
    "derive pmrm2": (lambda: derive("pmrm2"), "USDC", ("ETH",), True),
}  # fmt: skip


@pytest.mark.parametrize("name", VENUES)
def test_crypto_accounts_greeks_are_differences_of_their_value(name: str) -> None:
    methodology, settlement, coins, discounted = VENUES[name]
    rulebook = methodology()
    for seed in range(3):
        legs, market = crypto_legs(seed, settlement, coins, discounted)
        report = mc.margin([leg.position for leg in legs], market, rulebook)
        assert [g.underlying for g in report.greeks] == list(coins)
        for greeks in report.greeks:
            own = [leg for leg in legs if leg.symbol == greeks.underlying]
            assert greeks.currency == ("USD" if settlement == "inverse" else settlement)
            assert greeks.excluded == ()
            agree(greeks, own, EXACT)
            assert (greeks.rho != 0.0) == discounted


@pytest.mark.parametrize("name", VENUES)
def test_greeks_are_sums_over_positions_and_turn_with_their_sign(name: str) -> None:
    methodology, settlement, coins, discounted = VENUES[name]
    legs, market = crypto_legs(7, settlement, coins, discounted)
    prepared = mc.Engine(methodology()).prepare([leg.position.contract for leg in legs], market)
    whole = {g.underlying: g for g in prepared.margin([leg.position for leg in legs]).greeks}
    against = prepared.margin([mc.Position(leg.position.contract, -leg.position.quantity) for leg in legs]).greeks
    for greeks in against:
        assert [getattr(greeks, f) for f in FIELDS] == [-getattr(whole[greeks.underlying], f) for f in FIELDS]
    alone = [(leg.symbol, prepared.margin([leg.position]).greeks) for leg in legs]
    for symbol, greeks in whole.items():
        parts = [g for s, [g] in alone if s == symbol]
        for field in FIELDS:
            own = [getattr(g, field) for g in parts]
            size = math.fsum(map(abs, own))
            assert getattr(greeks, field) == pytest.approx(math.fsum(own), abs=1e-13 * size)


def test_a_venue_s_formula_on_marks_prices_nothing() -> None:
    legs, market = crypto_legs(1, "inverse", BOTH, False)
    options = [leg for leg in legs if leg.position.contract.kind == "option"]
    assert mc.margin([leg.position for leg in options], market, mc.methods.Deribit("standard")).greeks == ()


# ---- securities and futures

SPOTS = {"A": 100.0, "B": 55.0}
YIELDS = {"A": 0.02, "B": 0.0}
# Days to expiry, and the hours by which daylight saving time brings it forward.
DATES = {"2026-12-18": (28, 0), "2027-06-18": (210, 1)}


def security_legs(seed: int, seconds: bool, exercise: str, accuracy: str) -> tuple[list[Leg], mc.Market]:
    """Stock, futures, and options on stock and on futures. Days are whole over 365, or seconds."""
    draw = random.Random(seed)
    legs: list[Leg] = []
    price, vols = {}, {}
    how: dict[str, Any] = {"exercise": exercise} | ({"accuracy": accuracy} if exercise == "american" else {})

    def quantity() -> int:
        return draw.choice([-1, 1]) * draw.randint(1, 9)

    def option(
        underlying: str, symbol: str, moneyness: float, right: str, expiry: str, level: float, carry: float
    ) -> None:
        strike, vol, size = round(level * moneyness), draw.uniform(0.2, 0.6), 100
        contract = mc.Option(
            underlying, right, strike, expiry=expiry, settles="pm", exercise=exercise, multiplier=size,  # type: ignore[arg-type]
            currency="USD",
        )  # fmt: skip
        vols[contract.id] = vol
        days, earlier = DATES[expiry]
        years = (days - (earlier / 24 if seconds else 0.0)) / 365
        on_future = underlying != symbol
        held = quantity()

        def worth(m: Move) -> float:
            rate = 0.05 + m.rate
            q = rate if on_future else carry
            own = mc.pricing.price(level + m.price, strike, years - m.time, rate, q, vol + m.vol, right, **how)
            return held * size * float(own)

        legs.append(Leg(mc.Position(contract, held), symbol, worth, level))

    for symbol, spot in SPOTS.items():
        held = 100 * quantity()
        legs.append(
            Leg(mc.Position(mc.Stock(symbol, currency="USD"), held), symbol, lambda m, n=held: n * m.price, spot)
        )
        for expiry in DATES:
            future = mc.Future(symbol, expiry=expiry, settles="pm", multiplier=50, currency="USD")
            price[future.id] = level = spot * 1.01
            held = quantity()
            legs.append(Leg(mc.Position(future, held), symbol, lambda m, n=50 * held: n * m.price, level))
            for right in ("call", "put"):
                # Away from where American options are exercised: their gamma jumps there.
                for moneyness in (0.85, 0.95, 1.0) if right == "put" else (1.0, 1.05, 1.15):
                    option(symbol, symbol, moneyness, right, expiry, spot, YIELDS[symbol])
                option(future.id, symbol, 1.0, right, expiry, level, 0.0)
    market = mc.Market(
        "2026-11-20T16:00:00-05:00", spot=SPOTS, dividend_yield=YIELDS, rate={"USD": 0.05}, vol=vols, price=price,
    )  # fmt: skip
    return legs, market


def history() -> mc.Methodology:
    draw = random.Random(2)
    closes: dict[str, list[float]] = {"A": [100.0], "B": [55.0]}
    for path in closes.values():
        for _ in range(60):
            path.append(path[-1] * (1 + draw.gauss(0.0, 0.02)))
    return mc.methods.HistoricalVar(closes, returns="relative", measure="order_floor", confidence="0.95")


RANGES = {s: {"price_scan": 0.06, "vol_scan": 0.25, "short_option_minimum": 20.0} for s in SPOTS}
HOUSES: dict[str, Callable[[], mc.Methodology]] = {
    "tims": mc.methods.Tims,
    "historical var": history,
    "span-like": lambda: mc.methods.Span.from_parameters(RANGES),
}


@pytest.mark.parametrize("exercise", ["european", "american"])
@pytest.mark.parametrize("name", HOUSES)
def test_securities_accounts_greeks_are_differences_of_their_value(name: str, exercise: str) -> None:
    """American options in reports are priced as the rulebook does: trees, in historical VaR, have their own error."""
    for seed in range(2):
        legs, market = security_legs(seed, name == "span-like", exercise, "precise")
        report = mc.margin([leg.position for leg in legs], market, HOUSES[name]())
        assert [(g.underlying, g.currency) for g in report.greeks] == [("A", "USD"), ("B", "USD")]
        loose = {"european": EXACT, "american": AMERICAN.get(name, CLOSE)}[exercise]
        for greeks in report.greeks:
            assert greeks.excluded == ()
            agree(greeks, [leg for leg in legs if leg.symbol == greeks.underlying], loose)


CLOSE = {"delta": 1e-4, "gamma": 2e-3, "vega": 1e-4, "theta": 2e-3, "rho": 2e-4}
AMERICAN = {"historical var": {"delta": 5e-3, "gamma": 3e-2, "vega": 1e-2, "theta": 3e-2, "rho": 1e-2}}


def test_american_options_on_futures_feel_a_rate_as_their_price_does() -> None:
    """Deep in the money they are exercised: nothing is left to discount."""
    future = mc.Future("A", expiry="2027-06-18", settles="pm", multiplier=50, currency="USD")
    put = mc.Option(
        future.id, "put", 160.0, expiry="2027-06-18", settles="pm", exercise="american", multiplier=50, currency="USD"
    )
    market = mc.Market(
        "2026-11-20T16:00:00-05:00", spot=SPOTS, rate={"USD": 0.05}, vol={put.id: 0.2}, price={future.id: 101.0}
    )
    [greeks] = mc.margin([mc.Position(put, 3), mc.Position(future, 1)], market, mc.methods.Tims()).greeks
    assert greeks.delta == pytest.approx(-100.0, rel=1e-6)
    assert greeks.rho == pytest.approx(0.0, abs=1e-6)
    assert greeks.theta == pytest.approx(0.0, abs=1e-6)
