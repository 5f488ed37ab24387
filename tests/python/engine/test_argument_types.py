"""Every public argument with what it is not: an error of ours that says so, never one of the language or a library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import margincore as mc
from margincore import intraday, monitoring

STOCK = mc.Stock("XYZ", currency="USD")
CALL = mc.Option(
    "XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100, currency="USD"
)
VALUATION = "2026-11-20T16:00:00-05:00"
MARKET = mc.Market(VALUATION, spot={"XYZ": 50.0}, price={CALL.id: 2.0}, vol={CALL.id: 0.3}, rate={"USD": 0.04})
REG_T, TIMS = mc.methods.RegT(classes={"XYZ": "equity"}), mc.methods.Tims()
ENGINE = mc.Engine(TIMS)
PREPARED, OPENING = ENGINE.prepare([STOCK, CALL], MARKET), mc.Engine(REG_T).prepare([STOCK, CALL], MARKET)
TABLE = PREPARED.contracts
BAD: list[Any] = [5, -1, 1.5, "x", b"x", True, None, object(), [], [5], ["x"], {}, {5: 5}, {"XYZ": True}, {"XYZ": "x"},
                  {"XYZ": None}, (1, 2), (STOCK,), float("nan")]  # fmt: skip


def account() -> mc.Account:
    return mc.Account([mc.Position(STOCK, 100), mc.Position(CALL, -1)], cash={"USD": -2_000.0})


def live() -> mc.LiveAccount:
    return PREPARED.open(account())


EVENT = {"account": account(), "market": MARKET, "methodology": REG_T, "contracts": [STOCK], "haircuts": {"USD": 0.1}}
ORDER, LIMIT = mc.Order("o", STOCK, "buy", 5, 50.0), mc.Limit(min_excess=0.0)
# What is called, and good arguments of it.
CALLS: dict[str, tuple[Callable[..., object], dict[str, Any]]] = {
    "Market": (mc.Market, {
        "valuation": VALUATION, "contracts": [STOCK, CALL], "spot": {"XYZ": 50.0}, "rate": {"USD": 0.04},
        "forward": {("XYZ", "2026-12-18"): 50.0}, "dividends": {"XYZ": [("2026-12-01", 1.0)]}, "borrow": {"XYZ": 0.1},
        "dividend_yield": {"ABC": 0.01}, "price": {CALL.id: 2.0}, "vol": {CALL.id: 0.3}, "fx": {"EURUSD": 1.1},
    }),
    "Option": (mc.Option, {
        "underlying": "XYZ", "right": "call", "strike": 50, "expiry": "2026-12-18", "settles": "pm", "lot": 1.0,
        "exercise": "american", "multiplier": 100, "currency": "USD", "listed": True, "aliases": {"a": "b"},
        "deliverable": "cash", "id": "i",
    }),
    "Position": (mc.Position, {"contract": STOCK, "quantity": 5}),
    "Account": (mc.Account, {"positions": [], "cash": {"USD": 1.0}, "collateral": {"USD": 1.0}, "kind": "margin",
                             "gross": False}),
    "Limit": (mc.Limit, {"max_requirement": 1.0, "min_excess": 0.0, "max_age": 5.0, "price_collar": 0.1,
                         "max_quantity": 5.0, "max_notional": 5.0, "throttle": (5, 1.0), "complete_only": False}),
    "Order": (mc.Order, {"id": "o", "contract": STOCK, "side": "buy", "quantity": 5, "price": 50.0, "fees": 0.0,
                         "effect": None, "all_or_none": False}),
    "margin": (mc.margin, {"account": account(), "market": MARKET, "methodology": TIMS, "contracts": [STOCK],
                           "standalone": False}),
    "compare": (mc.compare, {"account": account(), "market": MARKET, "methodologies": [TIMS], "labels": ["a"],
                             "contracts": [STOCK], "strict": False}),
    "margin_path": (mc.margin_path, {"account": account(), "trades": [(STOCK, 1)], "market": MARKET,
                                     "methodology": TIMS, "contracts": [STOCK]}),
    "statement": (mc.statement, {**EVENT, "regime": "reg_t", "date": "2026-11-20", "holidays": [], "carried": None,
                                 "transactions": [], "waive_up_to": 1.0, "settled": {"USD": 1.0}, "moves": [0.1],
                                 "interest_rate": {"USD": 0.1}, "days_in_year": 360, "restrictions": []}),
    "Engine": (mc.Engine, {"methodology": TIMS}),
    "prepare": (ENGINE.prepare, {"contracts": [STOCK, CALL], "market": MARKET, "threads": 1}),
    "prepared.margin": (PREPARED.margin, {"account": account(), "standalone": False}),
    "prepared.margin_many": (PREPARED.margin_many, {"accounts": [account()], "threads": 1}),
    "prepared.open": (PREPARED.open, {"account": account(), "haircuts": {"USD": 0.1}}),
    "prepared.with_market": (PREPARED.with_market, {"market": MARKET, "marks": "keep", "threads": 1}),
    "prepared.update": (PREPARED.update, {
        "valuation": VALUATION, "spot": {"XYZ": 50.0}, "forward": {("XYZ", "2026-12-18"): 50.0}, "marks": "keep",
        "price": {CALL.id: 2.0}, "vol": {CALL.id: 0.3}, "rate": {"USD": 0.04}, "dividend_yield": {"XYZ": 0.01},
        "fx": {}, "threads": 1,
    }),
    "live.what_if": (live().what_if, {"trades": [(STOCK, 1)], "effect": None}),
    "live.apply": (live().apply, {"trades": [(STOCK, 1)], "effect": None}),
    "live.check": (live().check, {"order": ORDER, "limit": LIMIT, "now": 1.0, "reserve": False}),
    "live.deposit": (live().deposit, {"currency": "USD", "amount": 1.0}),
    "live.rebase": (live().rebase, {"prepared": PREPARED}),
    "live.reserve": (live().reserve, {"order": ORDER}),
    "live.max_quantity": (live().max_quantity, {"contract": STOCK, "side": "buy", "limit": LIMIT, "price": 50.0,
                                                "fees_per_contract": 0.0, "most": 5.0}),
    "live.hedges": (live().hedges, {"limit": LIMIT, "count": 3, "most": 5.0}),
    "live.index": (live().index, {"contract": STOCK}),
    "live.restore_orders": (live().restore_orders, {"orders": []}),
    "Contracts": (mc.Contracts, {"contracts": [STOCK]}),
    "contracts.index": (TABLE.index, {"contract": STOCK}),
    "Accounts.from_columns": (mc.Accounts.from_columns, {"contracts": TABLE, "account": [0], "contract": [0],
                                                         "lots": [1], "count": 1, "kind": "margin"}),
    "Products.with_equities": (mc.Products().with_equities, {"roots": ["AAPL"]}),
    "Products.extended": (mc.Products().extended, {"rows": []}),
    "Securities.get": (mc.Securities().get, {"symbol": "TZA", "on": "2026-11-20"}),
    "Securities.extended": (mc.Securities().extended, {"rows": []}),
    "exercise": (mc.events.exercise, {**EVENT, "account": [mc.Position(CALL, 1)], "option": CALL, "quantity": 1}),
    "assignment": (mc.events.assignment, {**EVENT, "option": CALL, "quantity": 1}),
    "expiry": (mc.events.expiry, {**EVENT, "on": "2026-12-18", "prices": {"XYZ": 50.0}, "instructions": {CALL.id: 1.0},
                                  "threshold": 0.01, "after": None}),
    "expiry_scan": (mc.events.expiry_scan, {**EVENT, "on": "2026-12-18", "symbol": "XYZ", "width": 0.1,
                                            "prices": {"XYZ": 50.0}}),
    "intraday.day": (intraday.day, {"prepared": OPENING, "account": account(), "transactions": [], "updates": [],
                                    "on": "2026-11-20", "choices": None, "haircuts": {"USD": 0.1}, "rule": "4210(d)(2)",
                                    "phased_in": True}),
    "moved": (mc.questions.moved, {"prepared": PREPARED, "account": account(), "moves": [0.1], "symbols": ["XYZ"]}),
    "rolled": (mc.questions.rolled, {"prepared": PREPARED, "account": account(), "days": [1.0]}),
    "along": (mc.questions.along, {"prepared": PREPARED, "account": account(), "path": [{"XYZ": 50.0}]}),
    "attribute": (mc.attribution.attribute, {"prepared": PREPARED, "account": account(), "kind": "incremental",
                                             "level": "initial", "threads": 1}),
    "Monitor": (monitoring.Monitor, {"prepared": PREPARED, "accounts": {"a": account()}, "haircuts": {"USD": 0.1},
                                     "call": 1.0, "liquidation": 1.0, "at_least": 0, "checkpoint": 5, "threads": 1}),
    "IntradayMonitor": (monitoring.IntradayMonitor, {
        "prepared": OPENING, "accounts": {"a": account()}, "choices": None, "satisfied_by": "customer",
        "practice": None, "prompt_days": 3, "calendar": None, "haircuts": {"USD": 0.1}, "threads": 1, "at_least": 0,
    }),
    "frames.of": (mc.frames.of, {"result": []}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_the_good_arguments_are_taken(name: str) -> None:
    call, arguments = CALLS[name]
    call(**arguments)


@pytest.mark.parametrize("name", CALLS)
def test_what_an_argument_is_not_is_an_error_of_ours(name: str) -> None:
    call, arguments = CALLS[name]
    foreign = []
    for argument in arguments:
        for bad in BAD:
            try:
                call(**{**arguments, argument: bad})
            except mc.MarginError:
                pass
            except Exception as error:
                foreign.append(f"{argument}={bad!r}: {type(error).__name__}: {error}")
    assert foreign == []
