"""Reg T: the cheapest pairing beside margin-estimator, our greedy matcher and the reference over all partitions."""

from __future__ import annotations

import datetime as dt
import functools
import random
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

import margincore as mc
from benches.measure import OURS, REFERENCE, Bench, Case, Median, check_equal
from margincore.reference import reg_t as reference

VALUATION = "2026-11-20T16:00:00-05:00"
MONTHS = {1: "2026-12-18", 2: "2027-01-15", 3: "2027-02-19", 12: "2027-12-17"}
MANY = 10_000
ESTIMATOR, GREEDY = "margin-estimator", "our greedy matcher"


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
        lots=np.tile(np.array([n for _, n in held], dtype=np.int64), count),
    )


class Condor:
    """Four legs: what order entry asks most often."""

    def __init__(self) -> None:
        held = [(option("put", 90), 1), (option("put", 95), -1), (option("call", 105), -1), (option("call", 110), 1)]
        self.engine = prepared(held)
        self.many = columns(self.engine, held, MANY)
        self.one = account(held)
        self.found = self.engine.margin(self.one).requirement.initial
        self.legs = tuple(
            reference.Leg(c.right or "", c.strike or 0.0, 1, n, price(c.right or "", c.strike or 0.0, 1), 100.0)
            for c, n in held
        )

    def add_peers(self, case: Case) -> None:
        """Those that margin one account at a time."""
        check_equal("condor", [self.found], [reference.optimal(self.legs).equity], rel=1e-12)
        case.calls[REFERENCE] = lambda: reference.optimal(self.legs)
        with case.optional(ESTIMATOR):
            import margin_estimator as estimator

            theirs = [
                estimator.Option(
                    expiration=dt.date.fromisoformat(MONTHS[1]),
                    price=Decimal(str(leg.price)),
                    quantity=leg.side,
                    strike=Decimal(str(leg.strike)),
                    type=estimator.OptionType("C" if leg.right == "call" else "P"),
                )
                for leg in self.legs
            ]
            underlying = estimator.Underlying(price=Decimal(100))
            their_answer = estimator.calculate_margin(theirs, underlying).margin_requirement
            check_equal("condor", [self.found], [float(their_answer)], rel=1e-9)
            case.calls[ESTIMATOR] = lambda: estimator.calculate_margin(theirs, underlying)


def condor_batch() -> Iterator[Case]:
    """Ours over a batch of columns, peers one account at a time; nanoseconds per account for all."""
    condor = Condor()
    check_equal("condor", condor.engine.margin_many(condor.many).initial[:1], [condor.found], rel=0.0)
    case = Case({OURS: lambda: condor.engine.margin_many(condor.many)}, sizes={OURS: MANY})
    condor.add_peers(case)
    yield case


def condor_report() -> Iterator[Case]:
    """One account, explained."""
    condor = Condor()
    case = Case({OURS: lambda: condor.engine.margin(condor.one)})
    condor.add_peers(case)
    yield case


def partitions() -> Iterator[Case]:
    """Eight single contracts: the reference tries every partition."""
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
    calls = {OURS: lambda: engine.margin_many(many), REFERENCE: lambda: reference.optimal(tuple(legs))}
    yield Case(calls, sizes={OURS: len(many)})


def larger(series: int, books: int, stock: bool, name: str) -> Iterator[Case]:
    """Median over different random books, beside what the greedy matcher takes and what it charges more."""
    drawn = [book(series, 1000 * series + k, stock=stock) for k in range(books)]
    optimal = [prepared(held, node_limit=100 if series > 100 else 5_000) for held in drawn]
    greedy = [prepared(held, pairing="greedy") for held in drawn]
    ours, theirs, charged, open_ = [], [], [], 0
    for held, best, matcher in zip(drawn, optimal, greedy, strict=True):
        own, other = columns(best, held, 1), columns(matcher, held, 1)
        a, b = best.margin_many(own).initial[0], matcher.margin_many(other).initial[0]
        if b < a * (1 - 1e-9) - 1e-6:
            raise AssertionError(f"{series} series: greedy {b} below the optimum {a}")
        charged.append(b / a - 1.0)
        details = best.margin(account(held)).details
        open_ += sum(details[date]["gap"] > 1e-6 for date in ("initial", "held"))
        ours.append(functools.partial(best.margin_many, own))
        theirs.append(functools.partial(matcher.margin_many, other))
    note = f"greedy charges {100 * float(np.mean(charged)):.1f} % more; {open_} of {2 * books} left with a gap"
    yield Case(
        {OURS: Median(ours), GREEDY: Median(theirs)}, title=f"{name} ({note})",
        options={"repeats": 3, "batch_seconds": 0.002, "slowest_seconds": 2.0},
    )  # fmt: skip


def _larger(series: int, books: int, stock: bool) -> Bench:
    name = f"Reg T {series} series{' and stock' if stock else ''}, median of {books} books"
    return Bench(name, functools.partial(larger, series, books, stock, name), GREEDY)


BENCHES = (
    Bench(f"Reg T condor, batch of {MANY:,}", condor_batch, REFERENCE, ESTIMATOR),
    Bench("Reg T condor, one explained report", condor_report, REFERENCE, ESTIMATOR),
    Bench("Reg T 8 series, batch of 1,000", partitions, REFERENCE),
    _larger(30, 41, False),
    _larger(30, 41, True),
    _larger(60, 9, False),
    _larger(200, 1, False),
)
