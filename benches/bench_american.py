"""American options: ours beside QuantLib and, where present, the C floor.

The options are those of a dealer's book: a week to two years, vols of 10-80 %, rates of 0-8 %, half without a yield.
QuantLib's high-precision scheme says what is right; every candidate is checked against it first. What is not there is
named as missing.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches import floor
from benches.measure import OURS, Goal, Goals, Row, compare, missing
from margincore import pricing

OPTIONS = 200
MOVES = 0.15 * np.arange(-5, 6) / 5
QUANTLIB = "QuantLib QdFp fast"
FLOOR = "C floor"
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


class Inaccurate(Exception):
    """Prices that are not accurate enough to be timed beside others."""


def accuracy(what: str, values: Floats, exact: Floats, tolerance: float) -> None:
    """Refuses to time what is wrong: the relative error where a price exceeds 0.01 % of the strike."""
    error = np.max(np.abs(values / exact - 1)[exact > 0.01])
    if not error <= tolerance:
        raise Inaccurate(f"{what} is off by {error:.1e} where {tolerance:.0e} is allowed: not timed")


def quantlib(
    columns: list[Floats], right: NDArray[np.int8], days: NDArray[np.int64]
) -> tuple[Floats, Callable[[], Any]]:
    """High-precision prices, and a call that reprices the book by the fast scheme on prepared options."""
    import QuantLib as ql

    today = ql.Date(15, 5, 2025)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()

    def option(i: int, scheme: Any) -> Any:
        spot, strike, _, rate, dividend_yield, vol = (float(c[i]) for c in columns)
        rates, yields = (ql.YieldTermStructureHandle(ql.FlatForward(today, r, count)) for r in (rate, dividend_yield))
        vols = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, count))
        process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), yields, rates, vols)
        kind = ql.Option.Call if right[i] > 0 else ql.Option.Put
        made = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), ql.AmericanExercise(today, today + int(days[i])))
        made.setPricingEngine(ql.QdFpAmericanEngine(process, scheme))
        return made

    precise = [option(i, ql.QdFpAmericanEngine.highPrecisionScheme()) for i in range(OPTIONS)]
    fast = [option(i, ql.QdFpAmericanEngine.fastScheme()) for i in range(OPTIONS)]
    exact = np.array([o.NPV() for o in precise])
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


def rows() -> Iterator[Row]:
    """Single prices, eleven price points, a shared boundary, trees, implied vols."""
    columns, right, days = book()

    def ours(**options: Any) -> Callable[[], Any]:
        return lambda: pricing.price(*columns, right, exercise="american", **options)

    def grid() -> Floats:
        return pricing.price_grid(*columns, right, MOVES, exercise="american")

    single: dict[str, Callable[[], Any]] = {"ours": ours()}
    points: dict[str, Callable[[], Any]] = {"ours": grid}
    trees = {
        (scheme, steps): {"ours": ours(method="tree", scheme=scheme, steps=steps)}
        for scheme, steps in (("crr", 101), ("leisen_reimer", 101), ("crr", 401))
    }
    precise: dict[str, Any] = {"exercise": "american", "accuracy": "precise"}
    exact = ours(accuracy="precise")()
    try:
        exact, single[QUANTLIB] = quantlib(columns, right, days)
    except ImportError as error:
        yield missing("american.single", QUANTLIB, str(error), goals=SINGLE_GOALS)
    accurate = True
    try:
        accuracy("ours", single[OURS](), exact, 1e-4)
    except Inaccurate as error:
        accurate = False
        yield missing("american.single", QUANTLIB, str(error), goals=SINGLE_GOALS)
    smile, puts = chain()
    shared: dict[str, Callable[[], Any]] = {
        OURS: lambda: pricing.price_grid(*smile, puts, MOVES, exercise="american", share_boundaries=True)
    }
    # Ours and the floor's quadratures differ: each is held to the precise scheme, as single prices are.
    points_exact = pricing.price_grid(*columns, right, MOVES, **precise)
    shared_exact = pricing.price_grid(*smile, puts, MOVES, **precise)
    accuracy("ours", points[OURS](), points_exact, 1e-4)
    accuracy("ours", shared[OURS](), shared_exact, 1e-4)
    try:
        for name, calls, (call, values), truth in (
            ("american.single", single, floor_collocation(columns, right, np.zeros(1)), exact[:, None]),
            ("american.11_price_points", points, floor_collocation(columns, right, MOVES), points_exact),
            ("american.shared_boundary_11_points", shared, floor_shared(smile, MOVES), shared_exact),
        ):
            call()
            try:
                accuracy(FLOOR, values.T, truth, 1e-4)
                calls[FLOOR] = call
            except Inaccurate as error:
                yield missing(name, FLOOR, str(error))
        for (scheme, steps), calls in trees.items():
            calls[FLOOR], values = floor_tree(columns, right, scheme, steps)
            calls[FLOOR]()
            np.testing.assert_allclose(calls[OURS](), values, rtol=0, atol=1e-8)
    except OSError as error:
        yield missing("american", FLOOR, str(error))
        for (scheme, steps), goals in TREE_GOALS.items():
            yield missing(f"american.tree_{scheme}_{steps}", FLOOR, str(error), goals=goals)
    if accurate:
        yield from compare("american.single", single, n=OPTIONS, goals=SINGLE_GOALS)
    yield from compare("american.11_price_points", points, n=OPTIONS * 11, goals=POINTS_GOALS)
    yield from compare("american.shared_boundary_11_points", shared, n=400 * 11, goals=SHARED_GOALS)
    for (scheme, steps), calls in trees.items():
        goals = TREE_GOALS.get((scheme, steps), {})
        yield from compare(f"american.tree_{scheme}_{steps}", calls, n=OPTIONS, goals=goals)
    marks = ours()()
    inverse: dict[str, Callable[[], Any]] = {
        "ours": lambda: pricing.implied_vol(marks, *columns[:5], right, exercise="american", on_error="nan")
    }
    yield from compare("american.implied_vol", inverse, n=OPTIONS)
    sensitivities: dict[str, Callable[[], Any]] = {"ours": lambda: pricing.greeks(*columns, right, exercise="american")}
    yield from compare("american.greeks", sensitivities, n=OPTIONS)
