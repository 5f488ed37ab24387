"""Reg T: the cheapest pairing beside margin-estimator, our greedy matcher and the reference over all partitions."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

import margincore as mc
from benches.measure import Row, check_equal, compare, missing
from margincore.reference import reg_t as reference

VALUATION = "2026-11-20T16:00:00-05:00"
MONTHS = {1: "2026-12-18", 2: "2027-01-15", 3: "2027-02-19", 12: "2027-12-17"}
MANY = 10_000


def option(right: str, strike: float, month: int = 1) -> mc.Contract:
    return mc.Option("XYZ", right, strike, expiry=MONTHS[month], settles="pm", exercise="american",  # type: ignore[arg-type]
                     multiplier=100, currency="USD")  # fmt: skip


def price(right: str, strike: float, month: int) -> float:
    """One convex surface for all books: in cents, above intrinsic."""
    width = 6.0 * month**0.5
    call = width * float(np.log1p(np.exp(2.0 * (100.0 - strike) / width))) / 2.0
    return round(call if right == "call" else call - 100.0 + strike, 2)


def book(series: int, seed: int, *, most: int = 20, stock: bool = False) -> list[tuple[mc.Contract, int]]:
    """A random book of different series, long and short, with 1 to `most` contracts each."""
    draw = random.Random(seed)
    rights: list[tuple[str, float, int]] = [
        (right, 60.0 + 2.5 * k, month) for right in ("call", "put") for k in range(33) for month in MONTHS
    ]
    found = [(option(*terms), draw.randint(1, most) * draw.choice([1, -1])) for terms in draw.sample(rights, series)]
    if stock:
        found.append((mc.Stock("XYZ", currency="USD"), 100 * draw.randint(1, 20)))
    return found


def market(contracts: list[mc.Contract]) -> mc.Market:
    months = {f"{day}": month for month, day in MONTHS.items()}
    marks = {
        c.id: price(c.right or "", c.strike or 0.0, months[c.to_dict()["expiry"]])
        for c in contracts
        if c.kind == "option"
    }
    return mc.Market(VALUATION, spot={"XYZ": 100.0}, price=marks)


def prepared(held: list[tuple[mc.Contract, int]], **changes: object) -> mc.Prepared:
    contracts = [c for c, _ in held]
    rulebook = mc.methods.RegT(classes={"XYZ": "equity"}, **changes)  # type: ignore[arg-type]
    return mc.Engine(rulebook).prepare(contracts, market(contracts))


def account(held: list[tuple[mc.Contract, int]]) -> mc.Account:
    return mc.Account([mc.Position(c, n) for c, n in held])


def columns(engine: mc.Prepared, held: list[tuple[mc.Contract, int]], count: int) -> mc.Accounts:
    """The same book `count` times over, as columns."""
    size = len(held)
    return mc.Accounts.from_columns(
        engine.contracts,
        account=np.repeat(np.arange(count, dtype=np.uint32), size),
        contract=np.tile(np.arange(size, dtype=np.uint32), count),
        quantity=np.tile(np.array([n for _, n in held], dtype=np.int64), count),
    )


def condor() -> Iterator[Row]:
    """Four legs: what order entry asks most often."""
    held = [(option("put", 90), 1), (option("put", 95), -1), (option("call", 105), -1), (option("call", 110), 1)]
    engine = prepared(held)
    many = columns(engine, held, MANY)
    one = account(held)
    found = engine.margin(one).requirement.initial
    legs = tuple(
        reference.Leg(c.right or "", c.strike or 0.0, 1, n, price(c.right or "", c.strike or 0.0, 1), 100.0)
        for c, n in held
    )
    check_equal("condor", [found], [reference.optimal(legs).equity], rel=1e-12)
    peers = {"margincore.reference": lambda: reference.optimal(legs)}
    name = "Reg T condor"
    try:
        import margin_estimator as estimator
    except ImportError as error:
        yield missing(name, "margin-estimator", str(error))
    else:
        theirs = [
            estimator.Option(
                expiration=dt.date.fromisoformat(MONTHS[1]),
                price=Decimal(str(leg.price)),
                quantity=leg.side,
                strike=Decimal(str(leg.strike)),
                type=estimator.OptionType("C" if leg.right == "call" else "P"),
            )
            for leg in legs
        ]
        underlying = estimator.Underlying(price=Decimal(100))
        their_answer = estimator.calculate_margin(theirs, underlying).margin_requirement
        check_equal("condor", [found], [float(their_answer)], rel=1e-9)
        peers["margin-estimator"] = lambda: estimator.calculate_margin(theirs, underlying)
    yield from _per_account(name, engine, many, peers)
    yield from compare(f"{name}, one explained report", {"ours": lambda: engine.margin(one), **peers})


def _per_account(name: str, engine: mc.Prepared, many: mc.Accounts, peers: dict[str, object]) -> Iterator[Row]:
    """Ours over a batch of columns, peers one account at a time; nanoseconds per account for all."""
    (ours,) = compare(name, {"ours": lambda: engine.margin_many(many)}, n=len(many))
    for peer, call in peers.items():
        (row,) = compare(name, {"ours": call}, n=1)  # type: ignore[dict-item]
        yield Row(f"{name}, batch of {len(many):,}", ours.ours_ns, peer, row.ours_ns, 1)


def partitions() -> Iterator[Row]:
    """Eight single contracts: the reference tries every partition."""
    draw = random.Random(11)
    held = book(8, 11, most=1)
    engine = prepared(held)
    months = {day: month for month, day in MONTHS.items()}
    legs = []
    for c, n in held:
        month = months[c.to_dict()["expiry"]]
        right, strike = c.right or "", c.strike or 0.0
        legs.append(reference.Leg(right, strike, month, n, price(right, strike, month), 100.0, long_dated=month > 9))
    found = engine.margin(account(held)).requirement.initial
    check_equal("8 series", [found], [reference.optimal(tuple(legs)).equity], rel=1e-9, abs_=1e-6)
    many = columns(engine, held, 1_000)
    yield from _per_account(
        "Reg T 8 series", engine, many, {"margincore.reference": lambda: reference.optimal(tuple(legs))}
    )


def larger() -> Iterator[Row]:
    """Median over different random books, beside what the greedy matcher takes and what it charges more."""
    for series, books, stock in ((30, 41, False), (30, 41, True), (60, 21, False), (200, 3, False)):
        drawn = [book(series, 1000 * series + k, stock=stock) for k in range(books)]
        optimal = [prepared(held) for held in drawn]
        greedy = [prepared(held, pairing="greedy") for held in drawn]
        rows, charged, open_ = [], [], 0
        for held, best, matcher in zip(drawn, optimal, greedy, strict=True):
            own, other = columns(best, held, 1), columns(matcher, held, 1)
            a, b = best.margin_many(own).initial[0], matcher.margin_many(other).initial[0]
            if b < a * (1 - 1e-9) - 1e-6:
                raise AssertionError(f"{series} series: greedy {b} below the optimum {a}")
            charged.append(b / a - 1.0)
            details = best.margin(account(held)).details
            open_ += sum(details[date]["gap"] > 1e-6 for date in ("initial", "held"))
            calls = {
                "ours": lambda best=best, own=own: best.margin_many(own),
                "our greedy matcher": lambda matcher=matcher, other=other: matcher.margin_many(other),
            }
            rows += list(compare("", calls, repeats=3, batch_seconds=0.002, slowest_seconds=2.0))
        ours = float(np.median([row.ours_ns for row in rows]))
        theirs = float(np.median([row.peer_ns for row in rows]))
        what = f"Reg T {series} series{' and stock' if stock else ''}, median of {books} books"
        note = f"greedy charges {100 * float(np.mean(charged)):.1f} % more; {open_} of {2 * books} left with a gap"
        yield Row(f"{what} ({note})", ours, "our greedy matcher", theirs, 1)


def rows() -> Iterator[Row]:
    yield from condor()
    yield from partitions()
    yield from larger()
