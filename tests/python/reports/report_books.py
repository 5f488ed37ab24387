"""Books that pages are made of: one of each kind that people hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import margincore as mc
from margincore.analysis.worth import Worth
from margincore.crypto import contract

Book = tuple[mc.Account, mc.Market, list[mc.Methodology]]


def option(symbol: str, right: Any, strike: float, expiry: str = "2026-12-18", **terms: Any) -> mc.Contract:
    style: dict[str, Any] = {"exercise": "american", "multiplier": 100, "currency": "USD", "settles": "pm", **terms}
    return mc.Option(symbol, right, strike, expiry=expiry, **style)


def marked(positions: Sequence[mc.Position], market: mc.Market) -> mc.Market:
    """The market with a mark of every option at its volatility, for rulebooks that read marks."""
    worth = Worth(mc.Account(positions), market)
    marks = {p.contract.id: worth.mark(p.contract.id) for p in positions if p.contract.kind == "option"}
    parts = market.to_dict()
    return mc.Market(**{**parts, "price": {**parts.get("price", {}), **marks}})


def condor() -> Book:
    legs = [("put", 4200, +1, 0.193), ("put", 4300, -1, 0.169), ("call", 4700, -1, 0.133), ("call", 4800, +1, 0.124)]
    options = [option("SPX", right, k, exercise="european", settles="am") for right, k, _, _ in legs]
    vol = {o.id: leg[3] for o, leg in zip(options, legs, strict=True)}
    market = mc.Market(
        "2026-11-18T16:00:00-05:00",
        spot={"SPX": 4500.0}, dividend_yield={"SPX": 0.015}, rate={"USD": 0.05}, vol=vol,
    )  # fmt: skip
    positions = [mc.Position(o, leg[2]) for o, leg in zip(options, legs, strict=True)]
    account = mc.Account(positions, cash={"USD": 50_000.0})
    return account, marked(positions, market), [mc.methods.RegT(), mc.methods.Tims(), mc.methods.Deribit()]


def covered_call() -> Book:
    call = option("XYZ", "call", 55, "2027-01-15")
    market = mc.Market(
        "2026-11-20T16:00:00-05:00",
        spot={"XYZ": 50.0}, price={call.id: 1.2}, rate={"USD": 0.04}, dividends={"XYZ": [("2026-12-10", 0.5)]},
    )  # fmt: skip
    held = [mc.Position(mc.Stock("XYZ", currency="USD"), 300), mc.Position(call, -3)]
    account = mc.Account(held, cash={"USD": -4_000.0})
    return account, market, [mc.methods.RegT(classes={"XYZ": "equity"}), mc.methods.Tims()]


def several() -> Book:
    """Ten positions on three underlyings, two expiries."""
    held, vol, spot = [], {}, {"AAA": 100.0, "BBB": 40.0, "CCC": 250.0}
    for i, (symbol, price) in enumerate(spot.items()):
        for right, part, quantity, expiry in (
            ("call", 1.05, -2, "2026-12-18"),
            ("put", 0.95, -1, "2026-12-18"),
            ("call", 1.1, 3, "2027-01-15"),
        ):
            own = option(symbol, right, round(price * part), expiry)
            held.append(mc.Position(own, quantity))
            vol[own.id] = 0.25 + 0.1 * i
    held.append(mc.Position(mc.Stock("AAA", currency="USD"), 150))
    market = mc.Market("2026-11-20T16:00:00-05:00", spot=spot, vol=vol, rate={"USD": 0.04})
    rulebooks = [mc.methods.Tims(), mc.methods.RegT(classes=dict.fromkeys(spot, "equity")), mc.methods.Deribit()]
    return mc.Account(held, cash={"USD": 80_000.0}), marked(held, market), rulebooks


def coin() -> Book:
    """Options and a perpetual that settle in the coin."""
    call, put = (contract("deribit", name) for name in ("BTC-31JUL26-78000-C", "BTC-28AUG26-65000-P"))
    perpetual = contract("deribit", "BTC-PERPETUAL")
    market = mc.Market(
        "2026-05-29T08:26:24Z",
        spot={"BTC": 73_700.0}, forward={("BTC", call.expiry): 73_900.0, ("BTC", put.expiry): 74_100.0},
        vol={call.id: 0.34, put.id: 0.42}, price={perpetual.id: 73_710.0},
    )  # fmt: skip
    held = [mc.Position(call, -2), mc.Position(put, -1), mc.Position(perpetual, -3_000)]
    methods = mc.methods
    rulebooks = [methods.Deribit(vintage="2024"), methods.Deribit("standard"), methods.Tims()]
    return mc.Account(held, cash={"BTC": 1.5}), market, rulebooks


def futures() -> Book:
    """Futures and options on them, under ranges of one's own."""
    es = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=50, currency="USD")
    put = option(es.id, "put", 4400, settles="am", exchange="cme", multiplier=50)
    market = mc.Market("2026-11-20T16:00:00-05:00", price={es.id: 4520.0}, vol={put.id: 0.18}, rate={"USD": 0.05})
    account = mc.Account([mc.Position(es, 2), mc.Position(put, -3)], cash={"USD": 100_000.0})
    return account, market, [mc.methods.SpanLike({"ES": {"price_scan": 0.06, "vol_scan": 0.25}}), mc.methods.RegT()]


def history() -> mc.Methodology:
    closes = 4500.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(7).standard_normal(301)))
    days = np.datetime64("2025-11-18") + np.arange(301)
    return mc.methods.HistoricalVar(
        {"SPX": closes}, dates=days, returns="log", measure="es_discrete", confidence="0.975", window=300
    )


def tail() -> Book:
    account, market, _ = condor()
    return account, market, [history(), mc.methods.Tims()]


def stocks() -> Book:
    """No option at all."""
    held = [mc.Position(mc.Stock(s, currency="USD"), q) for s, q in (("AAA", 100), ("BBB", -50))]
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"AAA": 50.0, "BBB": 20.0})
    return mc.Account(held), market, [mc.methods.Tims()]


BOOKS: Mapping[str, Any] = {
    "condor": condor,
    "covered call": covered_call,
    "several": several,
    "coin": coin,
    "futures": futures,
    "tail": tail,
    "stocks": stocks,
}
