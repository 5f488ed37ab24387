"""Every number is finite, or refused: absurd inputs under every rulebook and in every door."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import margincore as mc

ABSURD = (1.7e308, 1e300, 1e200, 1e155, 1e80, 1e-80, 1e-155, 1e-300, 5e-324)
MOST = 2**53


def rulebooks() -> dict[str, mc.Methodology]:
    history = {"XYZ": np.linspace(90.0, 110.0, 18) + np.tile([3.0, -2.0], 9)}
    zero = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
    return {
        "tims": mc.methods.Tims(),
        "reg-t": mc.methods.RegT(),
        "span-like": mc.methods.SpanLike({"XYZ": {"price_scan": 0.06, "vol_scan": 0.25}}, american_model="W"),
        "var": mc.methods.HistoricalVar(history, returns="relative", measure="order_floor", confidence="0.9"),
        "deribit": mc.methods.Deribit(),
        "deribit standard": mc.methods.Deribit("standard"),
        "okx": mc.methods.Okx(stated=zero),
        "paradex": mc.methods.Paradex(),
    }


CRYPTO = ("deribit", "deribit standard", "okx", "paradex")


def world(symbol: str, **changed: float) -> tuple[list[mc.Contract], mc.Market, mc.Account]:
    """A stock (or a perpetual on a coin), two options and cash, one term of it absurd."""
    term = {
        "multiplier": 100.0, "strike": 100.0, "lot": 1.0, "spot": 100.0, "price": 3.0, "vol": 0.3, "rate": 0.04,
        "dividend_yield": 0.0, "fx": 1.1, "cash": 1e6, "collateral": 1e6, "quantity": 5,
    } | changed  # fmt: skip
    common = {"expiry": "2026-12-18T21:00:00Z", "exercise": "european", "currency": "USD"}
    stock = mc.Stock("XYZ", currency="USD", lot=term["lot"])
    if symbol != "XYZ":
        unit = {"multiplier": 1, "multiplier_unit": "coin", "lot": term["lot"]}
        stock = mc.Perpetual(symbol, currency="USD", **unit)
    call = mc.Option(symbol, "call", term["strike"], multiplier=term["multiplier"], **common)
    put = mc.Option(symbol, "put", 95.0, multiplier=100.0, **common)
    market = mc.Market(
        "2026-11-20T21:00:00Z",
        spot={symbol: term["spot"]},
        price={call.id: term["price"], put.id: 3.0, stock.id: term["spot"]},
        vol={call.id: term["vol"], put.id: 0.3},
        rate={"USD": term["rate"]},
        dividend_yield={symbol: term["dividend_yield"]},
        fx={"EUR/USD": term["fx"]},
    )
    quantity = term["quantity"]
    held = [mc.Position(call, -quantity), mc.Position(put, quantity), mc.Position(stock, 100 * term["lot"])]
    cash = {"USD": term["cash"], "EUR": term["cash"]}
    return [stock, call, put], market, mc.Account(held, cash=cash, collateral={"EUR": term["collateral"]})


def numbers(value: object) -> Iterator[float]:
    """Every number of an answer, however deep."""
    if isinstance(value, float | np.floating):
        yield float(value)
    elif isinstance(value, np.ndarray):
        yield from map(float, value.ravel())
    elif isinstance(value, dict):
        yield from itertools.chain.from_iterable(numbers(v) for v in value.values())
    elif isinstance(value, list | tuple):
        yield from itertools.chain.from_iterable(map(numbers, value))
    elif isinstance(value, mc.Requirement):
        yield from (value.initial, value.maintenance)
    elif isinstance(value, mc.MarginReport):
        yield from numbers(value.to_dict())
    elif isinstance(value, mc.WhatIf):
        yield from numbers((value.before, value.after, value.change))
    elif isinstance(value, mc.Decision):
        yield from numbers((value.before, value.after, value.worst, value.excess_before, value.excess_after))
    else:
        assert value is None or isinstance(value, str | int | bool), type(value)


def answered(door: str, ask: Callable[[], object]) -> bool:
    """Whether a number came, each of them finite; a refusal is the other way out."""
    try:
        value = ask()
    except mc.MarginError:
        return False
    for number in numbers(value):
        assert math.isfinite(number), f"{door}: {number}"
    return True


TERMS = ("multiplier", "strike", "lot", "spot", "price", "vol", "rate", "dividend_yield", "fx", "cash", "collateral")


def answers_of(door: str, contracts: list[mc.Contract], prepared: mc.Prepared, account: mc.Account) -> int:
    """How many of everything there is to ask were answered with numbers."""
    stock, call, _ = contracts

    def many() -> object:
        return prepared.margin_many([account, account]).initial

    answers = answered(f"{door}: margin", lambda: prepared.margin(account)) + answered(f"{door}: many", many)
    try:
        live = prepared.open(account)
    except mc.MarginError:
        return answers
    lot = stock.lot
    limit = mc.Limit(max_requirement=1e12, min_excess=-1e12)
    for what, ask in {
        "margin": lambda: live.margin,
        "equity": lambda: live.equity,
        "excess": lambda: live.excess,
        "worst": lambda: live.worst,
        "cash": lambda: live.cash,
        "margin_after": lambda: live.margin_after(1, MOST),
        "band_after": lambda: live.band_after(1, MOST),
        "what_if": lambda: live.what_if([(call, float(MOST))]),
        "check": lambda: live.check(mc.Order("a", call, "buy", 5, 1.0), limit),
        "check at an absurd price": lambda: live.check(mc.Order("b", call, "buy", 5, 1.7e308), limit),
        "deposit": lambda: live.deposit("USD", 1.7e308),
        "apply": lambda: live.apply([(stock, lot, 1.7e308, 1.7e308)]),
        "cash after": lambda: live.cash,
        "margin after": lambda: live.margin,
    }.items():
        answers += answered(f"{door}: {what}", ask)
    return answers


@pytest.mark.parametrize("term", TERMS)
def test_a_rulebook_answers_a_number_or_refuses(term: str) -> None:
    answers = 0
    for name, methodology in rulebooks().items():
        symbol = "BTC" if name in CRYPTO else "XYZ"
        for value, quantity in itertools.product([*ABSURD, -1e300, -1e155], (5, MOST)):
            door = f"{name}, {term}={value}, {quantity} lots"
            try:
                contracts, market, account = world(symbol, **{term: value, "quantity": quantity})
                prepared = mc.Engine(methodology).prepare(contracts, market)
            except mc.MarginError:
                continue
            answers += answers_of(door, contracts, prepared, account)
    assert answers > 20, "almost everything was refused: this shows nothing"


PRICED = ("spot", "strike", "years", "rate", "dividend_yield", "vol")
USUAL = {"spot": 100.0, "strike": 100.0, "years": 0.5, "rate": 0.05, "dividend_yield": 0.03, "vol": 0.2}


@pytest.mark.parametrize("exercise", ["european", "american"])
def test_a_price_is_a_number_or_refused(exercise: str) -> None:
    answers = 0
    for first, second in itertools.combinations_with_replacement(PRICED, 2):
        for a, b in itertools.product([*ABSURD, -1e300, -1e80, -50.0], repeat=2):
            terms = USUAL | {first: a, second: b}
            for right in ("call", "put"):
                door = f"{exercise} {right}, {first}={a}, {second}={terms[second]}"
                price = lambda t=terms, r=right: mc.pricing.price(**t, right=r, exercise=exercise)  # noqa: E731
                answers += answered(f"price of {door}", price)
                if exercise == "european":
                    greeks = lambda t=terms, r=right: [  # noqa: E731
                        np.asarray(g) for g in vars_of(mc.pricing.greeks(**t, right=r))
                    ]
                    answers += answered(f"greeks of {door}", greeks)
    assert answers > 50


def vars_of(greeks: object) -> list[object]:
    return [getattr(greeks, name) for name in ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga")]


def test_moves_give_numbers_or_are_refused() -> None:
    for move, vol_move in itertools.product([*ABSURD, -1.0], [*ABSURD, -1e300]):
        grid = lambda m=move, v=vol_move: mc.pricing.price_grid(  # noqa: E731
            np.array([100.0, 1e150]), 100.0, 0.5, 0.05, 0.0, 0.2, "call", np.array([0.0, m]), np.array([0.0, v])
        )
        answered(f"grid under {move}, {vol_move}", grid)
