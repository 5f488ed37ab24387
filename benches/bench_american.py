"""American options: ours beside QuantLib and, where present, the C floor.

The options are those of a dealer's book: a week to two years, vols of 10-80 %, rates of 0-8 %, half without a yield.
QuantLib's high-precision scheme says what is right; every candidate is checked against it first. The floor's shared
objects are found by ``FLOOR_BUILD``; what is not there is named as missing.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.measure import Row, compare, missing
from margincore import pricing

OPTIONS = 200
MOVES = 0.15 * np.arange(-5, 6) / 5
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


class Floor:
    """The measuring stick's shared objects, called on aligned copies."""

    def __init__(self, columns: list[Floats], right: NDArray[np.int8]) -> None:
        folder = os.environ.get("FLOOR_BUILD")
        if not folder:
            raise OSError("set FLOOR_BUILD to the folder of libalo.so and libtree.so")
        self.alo = ctypes.CDLL(os.path.join(folder, "libalo.so"))
        self.tree = ctypes.CDLL(os.path.join(folder, "libtree.so"))
        self.columns = [np.ascontiguousarray(c) for c in [*columns, right.astype(np.float64)]]

    def _pointers(self, columns: list[Floats]) -> list[ctypes.c_void_p]:
        return [ctypes.c_void_p(c.ctypes.data) for c in columns]

    def collocation(self, moves: Floats, out: Floats) -> Callable[[], Any]:
        """(7, 2, 7)-21, a boundary per option; `out` is (moves, options)."""
        factors = 1.0 + moves
        args = self._pointers(self.columns)

        def call() -> None:
            self.alo.alo2_7_2_p21(
                ctypes.c_size_t(OPTIONS), *args, ctypes.c_void_p(factors.ctypes.data),
                ctypes.c_int(len(factors)), ctypes.c_void_p(out.ctypes.data), ctypes.c_int(5),
            )  # fmt: skip

        return call

    def binomial(self, scheme: str, steps: int, out: Floats) -> Callable[[], Any]:
        """A tree per option."""
        args = self._pointers(self.columns)
        function = getattr(self.tree, scheme)
        return lambda: function(ctypes.c_size_t(OPTIONS), *args, ctypes.c_int(steps), ctypes.c_void_p(out.ctypes.data))

    def shared(self, columns: list[Floats], moves: Floats, out: Floats) -> Callable[[], Any]:
        """One boundary for the puts of an expiry."""
        factors = 1.0 + moves
        spot, strike, vol = self._pointers([columns[0], columns[1], columns[5]])
        years, rate, dividend_yield = (ctypes.c_double(float(columns[k][0])) for k in (2, 3, 4))

        def call() -> None:
            self.alo.alosh_7_2_p21(
                ctypes.c_size_t(len(columns[0])), spot, strike, years, rate, dividend_yield, vol,
                ctypes.c_void_p(factors.ctypes.data), ctypes.c_int(len(factors)),
                ctypes.c_void_p(out.ctypes.data), ctypes.c_int(5),
            )  # fmt: skip

        return call


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
        exact, single["QuantLib QdFp fast"] = quantlib(columns, right, days)
    except ImportError as error:
        yield missing("american.single", "QuantLib QdFp fast", str(error))
    accurate = True
    try:
        accuracy("ours", single["ours"](), exact, 1e-4)
    except Inaccurate as error:
        accurate = False
        yield missing("american.single", "QuantLib QdFp fast", str(error))
    smile, puts = chain()
    shared: dict[str, Callable[[], Any]] = {
        "ours": lambda: pricing.price_grid(*smile, puts, MOVES, exercise="american", share_boundaries=True)
    }
    try:
        floor = Floor(columns, right)
    except OSError as error:
        yield missing("american", "C floor", str(error))
    else:
        one, many = np.empty(OPTIONS), np.empty((11, OPTIONS))
        single["C floor"] = floor.collocation(np.zeros(1), one)
        points["C floor"] = floor.collocation(MOVES, many)
        shared["C floor"] = floor.shared(smile, MOVES, strip := np.empty((11, 400)))
        for calls in (single, points, shared):
            calls["C floor"]()
        try:
            accuracy("C floor", one, exact, 1e-4)
        except Inaccurate as error:
            del single["C floor"]
            yield missing("american.single", "C floor", str(error))
        # Ours and the floor's quadratures differ: each is held to the precise scheme, as single prices are.
        for name, calls, theirs, truth in (
            ("american.11_price_points", points, many, pricing.price_grid(*columns, right, MOVES, **precise)),
            ("american.shared_boundary_11_points", shared, strip, pricing.price_grid(*smile, puts, MOVES, **precise)),
        ):
            accuracy("ours", calls["ours"](), truth, 1e-4)
            try:
                accuracy("C floor", theirs.T, truth, 1e-4)
            except Inaccurate as error:
                del calls["C floor"]
                yield missing(name, "C floor", str(error))
        for (scheme, steps), calls in trees.items():
            values = np.empty(OPTIONS)
            calls["C floor"] = floor.binomial("tree_crr" if scheme == "crr" else "tree_lr", steps, values)
            calls["C floor"]()
            np.testing.assert_allclose(calls["ours"](), values, rtol=0, atol=1e-8)
    if accurate:
        yield from compare("american.single", single, n=OPTIONS)
    yield from compare("american.11_price_points", points, n=OPTIONS * 11)
    yield from compare("american.shared_boundary_11_points", shared, n=400 * 11)
    for (scheme, steps), calls in trees.items():
        yield from compare(f"american.tree_{scheme}_{steps}", calls, n=OPTIONS)
    marks = ours()()
    inverse: dict[str, Callable[[], Any]] = {
        "ours": lambda: pricing.implied_vol(marks, *columns[:5], right, exercise="american", on_error="nan")
    }
    yield from compare("american.implied_vol", inverse, n=OPTIONS)
    sensitivities: dict[str, Callable[[], Any]] = {"ours": lambda: pricing.greeks(*columns, right, exercise="american")}
    yield from compare("american.greeks", sensitivities, n=OPTIONS)
