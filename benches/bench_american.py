"""American options: ours beside QuantLib and, where present, the C floor.

The options are those of a dealer's book: a week to two years, vols of 10-80 %, rates of 0-8 %, half without a yield.
QuantLib's high-precision scheme says what is right; every candidate is checked against it first. What is not there is
named as missing.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches import floor
from benches.measure import OURS, REFERENCE, Bench, Case, Goal, Goals, Unavailable, check_equal
from margincore import pricing
from margincore.reference import pricing as reference

OPTIONS = 200
MOVES = 0.15 * np.arange(-5, 6) / 5
QUANTLIB = "QuantLib QdFp fast"
FLOOR = "C floor"
BY_REFERENCE = 5
PRECISE: dict[str, Any] = {"exercise": "american", "accuracy": "precise"}
SINGLE_GOALS: Goals = {QUANTLIB: Goal(14)}
POINTS_GOALS: Goals = {OURS: Goal(ns=160)}
SHARED_GOALS: Goals = {OURS: Goal(ns=75)}
TREE_GOALS: dict[tuple[str, int], Goals] = {("crr", 101): {FLOOR: Goal(1 / 1.1)}}
Floats = NDArray[np.float64]


def book() -> tuple[list[Floats], NDArray[np.int8], NDArray[np.int64]]:
    """Spot, strike, years, rate, yield and vol; rights; whole days."""
    random = np.random.default_rng(5)
    days = np.exp(random.uniform(np.log(7), np.log(730), OPTIONS)).astype(np.int64)
    spot = 100 * np.exp(random.uniform(-0.3, 0.3, OPTIONS))
    vol, rate = random.uniform(0.1, 0.8, OPTIONS), random.uniform(0.005, 0.08, OPTIONS)
    dividend_yield = np.where(random.random(OPTIONS) < 0.5, 0.0, random.uniform(0.005, 0.06, OPTIONS))
    # Calls without a yield are European and cost nothing: puts there, both rights elsewhere.
    right = np.where((random.random(OPTIONS) < 0.5) & (dividend_yield > 0), 1, -1).astype(np.int8)
    columns = [spot, np.full(OPTIONS, 100.0), days / 365.0, rate, dividend_yield, vol]
    return columns, right, days


def accuracy(
    what: str, values: Floats, exact: Floats, tolerance: float, wrong: type[Exception] = AssertionError
) -> None:
    """Refuses to time what is wrong: the relative error where a price exceeds 0.01 % of the strike."""
    error = np.max(np.abs(values / exact - 1)[exact > 0.01])
    if not error <= tolerance:
        raise wrong(f"{what} is off by {error:.1e} where {tolerance:.0e} is allowed: not timed")


def quantlib_options(columns: list[Floats], right: NDArray[np.int8], days: NDArray[np.int64], scheme: str) -> list[Any]:
    """QuantLib's options on its collocation engine, by a scheme's name."""
    import QuantLib as ql

    today = ql.Date(15, 5, 2025)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()

    def option(i: int) -> Any:
        spot, strike, _, rate, dividend_yield, vol = (float(c[i]) for c in columns)
        rates, yields = (ql.YieldTermStructureHandle(ql.FlatForward(today, r, count)) for r in (rate, dividend_yield))
        vols = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, count))
        process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), yields, rates, vols)
        kind = ql.Option.Call if right[i] > 0 else ql.Option.Put
        made = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), ql.AmericanExercise(today, today + int(days[i])))
        made.setPricingEngine(ql.QdFpAmericanEngine(process, getattr(ql.QdFpAmericanEngine, scheme)()))
        return made

    return [option(i) for i in range(len(right))]


def quantlib_precise(columns: list[Floats], right: NDArray[np.int8], days: NDArray[np.int64]) -> Floats:
    """Prices by QuantLib's scheme of high precision."""
    return np.array([o.NPV() for o in quantlib_options(columns, right, days, "highPrecisionScheme")])


def quantlib(
    columns: list[Floats], right: NDArray[np.int8], days: NDArray[np.int64]
) -> tuple[Floats, Callable[[], Any]]:
    """High-precision prices, and a call that reprices the book by the fast scheme on prepared options."""
    fast = quantlib_options(columns, right, days, "fastScheme")
    exact = quantlib_precise(columns, right, days)
    accuracy("QuantLib fast", np.array([o.NPV() for o in fast]), exact, 1e-4)

    def reprice() -> None:
        for made in fast:
            made.recalculate()

    return exact, reprice


def floor_collocation(
    columns: list[Floats], right: NDArray[np.int8], moves: Floats
) -> tuple[Callable[[], Any], Floats]:
    """(7, 2, 7)-21, a boundary per option, and where it writes: (moves, options)."""
    n, out = len(right), np.empty((len(moves), len(right)))
    inputs = map(floor.aligned, [*columns, right, 1.0 + moves])
    last = (ctypes.c_int(len(moves)), out, ctypes.c_int(5))
    return floor.call(floor.library("alo").alo2_7_2_p21, ctypes.c_size_t(n), *inputs, *last), out


def floor_shared(columns: list[Floats], moves: Floats) -> tuple[Callable[[], Any], Floats]:
    """The same with one boundary for the puts of an expiry."""
    spot, strike, *expiry, vol = columns
    n, out = len(spot), np.empty((len(moves), len(spot)))
    terms = (ctypes.c_double(float(c[0])) for c in expiry)
    inputs = [floor.aligned(spot), floor.aligned(strike), *terms, floor.aligned(vol), floor.aligned(1.0 + moves)]
    last = (ctypes.c_int(len(moves)), out, ctypes.c_int(5))
    return floor.call(floor.library("alo").alosh_7_2_p21, ctypes.c_size_t(n), *inputs, *last), out


def floor_tree(
    columns: list[Floats], right: NDArray[np.int8], scheme: str, steps: int
) -> tuple[Callable[[], Any], Floats]:
    """A tree per option."""
    out = np.empty(len(right))
    kernel = getattr(floor.library("tree"), "tree_crr" if scheme == "crr" else "tree_lr")
    inputs = map(floor.aligned, [*columns, right])
    return floor.call(kernel, ctypes.c_size_t(len(right)), *inputs, ctypes.c_int(steps), out), out


def chain() -> tuple[list[Floats], NDArray[np.int8]]:
    """Four hundred puts of one expiry with a smile."""
    strike = np.linspace(60.0, 140.0, 400)
    vol = 0.25 + 0.3 * (strike / 100 - 1) ** 2 + 0.1 * (1 - strike / 100)
    same = [np.full(400, x) for x in (100.0, 0.5, 0.045, 0.015)]
    return [same[0], strike, *same[1:], vol], np.full(400, -1, np.int8)


def add_floor(case: Case, make: Callable[[], tuple[Callable[[], Any], Floats]], exact: Floats) -> None:
    """The floor, whose quadrature is not ours: each is held to the precise scheme, and theirs may miss it."""
    with case.optional(FLOOR):
        call, values = make()
        call()
        accuracy(FLOOR, values.T, exact, 1e-4, Unavailable)
        case.calls[FLOOR] = call


def single() -> Iterator[Case]:
    """One price per option."""
    columns, right, days = book()
    case = Case({OURS: lambda: pricing.price(*columns, right, exercise="american")}, n=OPTIONS, goals=SINGLE_GOALS)
    exact = pricing.price(*columns, right, **PRECISE)
    with case.optional(QUANTLIB):
        exact, case.calls[QUANTLIB] = quantlib(columns, right, days)
    accuracy("ours", case.calls[OURS](), exact, 1e-4)
    add_floor(case, lambda: floor_collocation(columns, right, np.zeros(1)), exact[:, None])
    yield case


def points() -> Iterator[Case]:
    """Eleven price points, a boundary per option."""
    columns, right, _ = book()
    case = Case(
        {OURS: lambda: pricing.price_grid(*columns, right, MOVES, exercise="american")},
        n=OPTIONS * 11, goals=POINTS_GOALS,
    )  # fmt: skip
    exact = pricing.price_grid(*columns, right, MOVES, **PRECISE)
    accuracy("ours", case.calls[OURS](), exact, 1e-4)
    add_floor(case, lambda: floor_collocation(columns, right, MOVES), exact)
    yield case


def shared() -> Iterator[Case]:
    """Eleven price points of a chain, one boundary for the puts of an expiry."""
    smile, puts = chain()
    case = Case(
        {OURS: lambda: pricing.price_grid(*smile, puts, MOVES, exercise="american", share_boundaries=True)},
        n=400 * 11, goals=SHARED_GOALS,
    )  # fmt: skip
    exact = pricing.price_grid(*smile, puts, MOVES, **PRECISE)
    accuracy("ours", case.calls[OURS](), exact, 1e-4)
    add_floor(case, lambda: floor_shared(smile, MOVES), exact)
    yield case


def tree(scheme: str, steps: int) -> Iterator[Case]:
    """A tree per option; the reference, which has Cox-Ross-Rubinstein's, prices a few."""
    columns, right, _ = book()
    case = Case(
        {OURS: lambda: pricing.price(*columns, right, exercise="american", method="tree", scheme=scheme, steps=steps)},
        n=OPTIONS, goals=TREE_GOALS.get((scheme, steps), {}), sizes={REFERENCE: BY_REFERENCE},
    )  # fmt: skip
    ours = case.calls[OURS]()
    with case.optional(FLOOR):
        call, values = floor_tree(columns, right, scheme, steps)
        call()
        np.testing.assert_allclose(ours, values, rtol=0, atol=1e-8)
        case.calls[FLOOR] = call
    if scheme == "crr":
        few = [[*row, side] for *row, side in zip(*(c.tolist() for c in (*columns, right)), strict=True)]

        def by_reference() -> list[float]:
            return [reference.crr(*row, steps=steps) for row in few[:BY_REFERENCE]]

        check_equal("tree", ours[:BY_REFERENCE], by_reference(), rel=1e-9)
        case.calls[REFERENCE] = by_reference
    yield case


def implied_vol() -> Iterator[Case]:
    """Vols of our own prices."""
    columns, right, _ = book()
    marks = pricing.price(*columns, right, exercise="american")
    yield Case(
        {OURS: lambda: pricing.implied_vol(marks, *columns[:5], right, exercise="american", on_error="nan")}, n=OPTIONS
    )


def greeks() -> Iterator[Case]:
    """All sensitivities."""
    columns, right, _ = book()
    yield Case({OURS: lambda: pricing.greeks(*columns, right, exercise="american")}, n=OPTIONS)


BENCHES = (
    Bench("american.single", single, QUANTLIB, FLOOR),
    Bench("american.11_price_points", points, FLOOR),
    Bench("american.shared_boundary_11_points", shared, FLOOR),
    Bench("american.tree_crr_101", functools.partial(tree, "crr", 101), FLOOR, REFERENCE),
    Bench("american.tree_leisen_reimer_101", functools.partial(tree, "leisen_reimer", 101), FLOOR),
    Bench("american.tree_crr_401", functools.partial(tree, "crr", 401), FLOOR, REFERENCE),
    Bench("american.implied_vol", implied_vol),
    Bench("american.greeks", greeks),
)
