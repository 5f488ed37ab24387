"""What a rulebook answers to seeded books, as text with every number's own bits."""

from __future__ import annotations

import random
import struct
from typing import Any

import numpy as np

import margincore as mc

from .worlds import WORLDS, World

BOOKS = 44
"""Of each world."""


def bits(value: Any) -> Any:
    """Floats as their bits, everything else as plain values."""
    if isinstance(value, float):
        return struct.pack(">d", value).hex()
    if isinstance(value, np.ndarray):
        return bits(value.tolist())
    if isinstance(value, dict):
        return {str(k): bits(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [bits(v) for v in value]
    return value if isinstance(value, str | int | bool) or value is None else bits(float(value))


def refused(call: Any) -> Any:
    """What a call gives, or how it is refused."""
    try:
        return call()
    except mc.MarginError as error:
        return f"{type(error).__name__}: {error}"


def numbers(requirement: mc.Requirement) -> list[Any]:
    return [requirement.initial, requirement.maintenance]


def _quantity(draw: random.Random, contract: mc.Contract) -> float:
    return draw.choice([-1, 1]) * draw.randint(1, 12) * contract.lot


def _account(world: World, contracts: list[mc.Contract], draw: random.Random) -> mc.Account:
    held = draw.sample(contracts, draw.randint(1, min(9, len(contracts))))
    gross = world.gross and draw.random() < 0.25
    if gross:
        positions = [mc.Position(c, long=draw.randint(0, 5) * c.lot, short=draw.randint(0, 5) * c.lot) for c in held]
    else:
        positions = [mc.Position(c, _quantity(draw, c)) for c in held]
    return mc.Account(positions, cash={"USD": 1e6}, kind=draw.choice(world.kinds), gross=gross)


def _live(prepared: mc.Prepared, account: mc.Account, contracts: list[mc.Contract], draw: random.Random) -> list[Any]:
    live = prepared.open(account)
    out: list[Any] = [numbers(live.margin)]
    gross = account.gross
    for step in range(3):
        contract = draw.choice(contracts)
        quantity = _quantity(draw, contract)
        trade = (contract, quantity)
        if not gross:
            out.append(numbers(live.what_if([trade]).after))
            row, lots = live.index(contract), round(quantity / contract.lot)
            out += [live.margin_after(row, lots), live.band_after(row, lots)]
            side = "buy" if quantity > 0 else "sell"
            order = mc.Order(f"o{step}", contract, side, abs(quantity), 1.0 + step)
            limit = mc.Limit(abs(live.margin.initial) * draw.uniform(0.5, 1.5) + 1.0, -1e9)
            decision = live.check(order, limit)
            out += [decision.accepted, str(decision.reason), decision.message, decision.worst, decision.excess_after]
            if step == 1:
                live.reserve(order)
                out.append(live.worst)
                out.append(live.max_quantity(contract, side, limit, most=12 * contract.lot))
                live.cancel(order.id)
            out.append(numbers(live.apply([trade])))
    out += [live.excess, live.equity]
    return out


def world_digest(name: str) -> dict[str, Any]:
    """Every answer of one world, by kind and book."""
    world = WORLDS[name]
    contracts, market = world.table()
    prepared = refused(lambda: mc.Engine(world.methodology()).prepare(contracts, market))
    if isinstance(prepared, str):
        return {"prepare": {"0": prepared}}
    reports: dict[str, Any] = {}
    sequences: dict[str, Any] = {}
    accounts = []
    for seed in range(BOOKS):
        draw = random.Random(f"{name}/{seed}")
        account = _account(world, contracts, draw)
        accounts.append(account)
        report = refused(lambda account=account: prepared.margin(account))
        reports[str(seed)] = report if isinstance(report, str) else bits(_answer(report))
        live = refused(lambda a=account, d=draw: _live(prepared, a, contracts, d))
        sequences[str(seed)] = bits(live)
    out = {"report": reports, "live": sequences}
    good = [a for a, (_, r) in zip(accounts, reports.items(), strict=True) if not isinstance(r, str)]
    batches = {}
    for threads in (1, 2):
        batch = prepared.margin_many(good, threads=threads)
        columns = [batch.initial, batch.maintenance, batch.net_option_value, batch.worst_scenario]
        batches[f"{threads} threads"] = bits([np.asarray(c).tolist() for c in columns])
    out["batch"] = batches
    out["update"] = _updates(prepared, market, good)
    return out


def _answer(report: mc.MarginReport) -> dict[str, Any]:
    """What a report says; the version of the document it says it in is no part of that."""
    return {key: value for key, value in report.to_dict().items() if key != "version"}


def _updates(prepared: mc.Prepared, market: mc.Market | None, accounts: list[mc.Account]) -> dict[str, Any]:
    if market is None:
        # The arrays are the exchange's own.
        return {}
    out = {}
    spot = market.to_dict()["spot"]
    first = next(iter(spot))
    for n, changes in enumerate(
        (
            {"spot": {first: spot[first] * 1.02}, "marks": "keep"},
            {"valuation": "2026-01-05T16:00:00-05:00"},
            {"vol": {k: v * 1.1 for k, v in list(market.to_dict()["vol"].items())[:5]}},
        )
    ):
        moved = refused(lambda changes=changes: prepared.update(**changes))
        if isinstance(moved, str):
            out[str(n)] = moved
            continue
        many = [refused(lambda a=a, p=moved: numbers(p.margin(a).requirement)) for a in accounts[:12]]
        out[str(n)] = bits(many)
    return out


def pricing_digest() -> dict[str, Any]:
    """Prices, grids, greeks and vols of random columns."""
    draw = np.random.default_rng(7)
    n = 300
    spot, strike = np.full(n, 100.0), draw.uniform(60, 150, n)
    years, rate, carry = draw.uniform(0.01, 2, n), draw.uniform(-0.01, 0.08, n), draw.uniform(0, 0.05, n)
    vol = draw.uniform(0.08, 0.8, n)
    right = np.where(draw.random(n) < 0.5, 1, -1).astype(np.int8)
    row = (spot, strike, years, rate, carry, vol, right)
    price = mc.pricing.price(*row)
    moves, vols = np.linspace(-0.2, 0.2, 11), np.linspace(-0.05, 0.05, 11)
    some = tuple(c[:60] for c in row)
    cash = [(0.1, 0.5), (0.35, 0.6)]
    american: dict[str, Any] = {"exercise": "american"}
    quoted = (price, *row[:5], right)
    return {
        "european": {
            "price": bits(price),
            "grid": bits(mc.pricing.price_grid(*row, moves, vols, roll=0.01)),
            "greeks": bits([np.asarray(c) for c in mc.pricing.greeks(*row)]),
            "vol": bits(mc.pricing.implied_vol(*quoted, on_error="nan")),
            "dividends": bits(mc.pricing.price(*some, dividends=cash)),
            "dividend greeks": bits([np.asarray(c) for c in mc.pricing.greeks(*some, dividends=cash)]),
        },
        "american": {
            "price": bits(mc.pricing.price(*row, **american)),
            "grid": bits(mc.pricing.price_grid(*some, moves, vols, **american)),
            "greeks": bits([np.asarray(c) for c in mc.pricing.greeks(*some, **american)]),
            "dividends": bits(mc.pricing.price(*some, dividends=cash, **american)),
            "dividends crr": bits(mc.pricing.price(*some, dividends=cash, scheme="crr", steps=80, **american)),
            "dividend greeks": bits([np.asarray(c) for c in mc.pricing.greeks(*some, dividends=cash, **american)]),
            "dividend greeks crr": bits(
                [np.asarray(c) for c in mc.pricing.greeks(*some, dividends=cash, scheme="crr", steps=80, **american)]
            ),
        },
    }
