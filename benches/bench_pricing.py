"""European prices, grids and vols: against NumPy with SciPy, numba, QuantLib, the C floor, and the peers of `peers`.

The floor's grid takes inputs that are prepared, so it is what the machine can do and not what a caller would see. A
peer without a grid prices one scenario after the other: sixteen of its prices stand beside our grid.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches import floor, peers
from benches.measure import OURS, REFERENCE, Bench, Case, Goal, Goals, Repeated, check_equal
from margincore import pricing
from margincore.reference import pricing as reference

Floats = NDArray[np.float64]
Columns = dict[str, Floats]

FLOOR = "C floor"
NUMPY = "numpy + scipy ndtr"
NUMBA = "numba"
QUANTLIB = "QuantLib blackFormula"
BY_REFERENCE = 1_000
QUANTLIB_ENGINE = "QuantLib engine, options built, a quote moved"
PRICE_GOALS: dict[int, Goals] = {
    1_000: {},
    100_000: {FLOOR: Goal(1 / 1.35), "numba with SVML": Goal(1.1), "py_vollib_vectorized": Goal(50)},
}
GRID_GOALS: dict[int, Goals] = {
    1_000: {FLOOR: Goal(1 / 1.5)},
    100_000: {
        FLOOR: Goal(1 / 1.35),
        NUMPY: Goal(17),
        "numba with SVML": Goal(2.5),
        "torch compiled": Goal(6),
        "fast-vollib": Goal(28),
        "pyvolr": Goal(35),
        "py_vollib_vectorized": Goal(120),
    },
}
ENGINE_GOALS: Goals = {QUANTLIB_ENGINE: Goal(180)}
AVX2_GOALS: Goals = {FLOOR: Goal(1 / 1.7)}
VOL_GOALS: dict[int, Goals] = {
    1_000: {},
    100_000: {
        OURS: Goal(ns=45),
        FLOOR: Goal(1 / 1.5),
        "fast-vollib": Goal(11),
        "pyvolr": Goal(13),
        "py_vollib_vectorized": Goal(16),
    },
}

# SPAN's sixteen scenarios: the price scan range in thirds with vol up and down, and twice it with vol as it is.
THIRDS = np.array([0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0])
PRICE_MOVES = 0.08 * np.concatenate([THIRDS, THIRDS, [2.0, -2.0]])
VOL_MOVES = np.repeat([0.04, -0.04, 0.0], [7, 7, 2])


def columns(n: int) -> tuple[Columns, NDArray[np.int8]]:
    """Random options: two days to two years, vols of 10 % to 80 %."""
    random = np.random.default_rng(1)
    spot = random.uniform(50, 150, n)
    found = {
        "spot": spot,
        "strike": spot * np.exp(random.normal(0, 0.25, n)),
        "years": np.exp(random.uniform(np.log(2 / 365), np.log(2.0), n)),
        "rate": np.full(n, 0.04),
        "dividend_yield": random.uniform(0, 0.03, n),
        "vol": random.uniform(0.1, 0.8, n),
    }
    return found, np.where(random.random(n) < 0.5, 1, -1).astype(np.int8)


def numpy_price(c: Columns, right: NDArray[Any]) -> Floats:
    from scipy.special import ndtr

    deviation = c["vol"] * np.sqrt(c["years"])
    d1 = (np.log(c["spot"] / c["strike"]) + (c["rate"] - c["dividend_yield"]) * c["years"]) / deviation + deviation / 2
    owned = c["spot"] * np.exp(-c["dividend_yield"] * c["years"]) * ndtr(right * d1)
    paid = c["strike"] * np.exp(-c["rate"] * c["years"]) * ndtr(right * (d1 - deviation))
    return np.asarray(right * (owned - paid))


def numpy_grid(c: Columns, right: NDArray[Any]) -> Floats:
    moves = zip(PRICE_MOVES, VOL_MOVES, strict=True)
    moved = [c | {"spot": c["spot"] * (1 + p), "vol": c["vol"] + v} for p, v in moves]
    return np.stack([numpy_price(m, right) for m in moved], axis=1)


def numba_price() -> Callable[..., Any]:
    import math

    import numba

    @numba.njit(fastmath=True, error_model="numpy")  # type: ignore[untyped-decorator]
    def price(s: Floats, k: Floats, t: Floats, r: Floats, q: Floats, v: Floats, a: Any, out: Floats) -> None:
        for i in range(len(s)):
            deviation = v[i] * math.sqrt(t[i])
            d1 = (math.log(s[i] / k[i]) + (r[i] - q[i]) * t[i]) / deviation + 0.5 * deviation
            owned = s[i] * math.exp(-q[i] * t[i]) * 0.5 * math.erfc(-a[i] * d1 * math.sqrt(0.5))
            paid = k[i] * math.exp(-r[i] * t[i]) * 0.5 * math.erfc(-a[i] * (d1 - deviation) * math.sqrt(0.5))
            out[i] = a[i] * (owned - paid)

    return price  # type: ignore[no-any-return]


class Grid(ctypes.Structure):
    """The floor's scenarios: groups that share a vol move."""

    _fields_ = (
        ("groups", ctypes.c_int),
        ("start", ctypes.c_int * 5),
        ("vol", ctypes.c_double * 4),
        ("factor", ctypes.c_double * 64),
        ("log", ctypes.c_double * 64),
    )

    @classmethod
    def scenarios(cls) -> Grid:
        grid = cls(3, (ctypes.c_int * 5)(0, 7, 14, 16), (ctypes.c_double * 4)(0.04, -0.04, 0.0))
        for j, move in enumerate(PRICE_MOVES):
            grid.factor[j], grid.log[j] = 1 + move, np.log(1 + move)
        return grid


def prices(n: int) -> Iterator[Case]:
    """One price per option."""
    c, right = columns(n)
    out = np.empty(n)
    case = Case(
        {OURS: lambda: pricing.price(**c, right=right, out=out)}, n=n, goals=PRICE_GOALS[n], title="european price"
    )
    with one_by_one(case, c, right, out):
        with case.optional(NUMPY):
            check_equal(NUMPY, out, numpy_price(c, right), rel=1e-9, abs_=1e-12)
            case.calls[NUMPY] = lambda: numpy_price(c, right)
        with case.optional(FLOOR):
            theirs = floor.aligned(np.zeros(n))
            inputs = map(floor.aligned, [*c.values(), right])
            call = floor.call(floor.library("kernels_avx512").naive_T2, ctypes.c_size_t(n), *inputs, theirs)
            call()
            check_equal(FLOOR, out, theirs, rel=1e-9, abs_=1e-12)
            case.calls[FLOOR] = call
        yield case


@contextlib.contextmanager
def one_by_one(case: Case, c: Columns, right: NDArray[np.int8], out: Floats) -> Iterator[None]:
    """Peers without a grid, beside us and in processes of their own, and the reference, which prices a few.

    Where the case is a grid, they price one scenario after the other: so many of their prices stand beside it.
    """
    n, scenarios = len(out), case.n // len(out)
    pricing.price(**c, right=right, out=out)
    found: dict[str, Callable[[], object]] = {}
    with case.optional(NUMBA):
        compiled, theirs = numba_price(), np.empty(n)
        compiled(*c.values(), right, theirs)
        check_equal(NUMBA, out, theirs, rel=1e-9, abs_=1e-12)
        found[NUMBA] = lambda: compiled(*c.values(), right, theirs)
    with case.optional(QUANTLIB):
        import QuantLib as ql

        carry = c["rate"] - c["dividend_yield"]
        forward, discount = c["spot"] * np.exp(carry * c["years"]), np.exp(-c["rate"] * c["years"])
        deviation = c["vol"] * np.sqrt(c["years"])
        kinds = np.where(right > 0, ql.Option.Call, ql.Option.Put).tolist()
        table = list(zip(kinds, *(a.tolist() for a in (c["strike"], forward, deviation, discount)), strict=True))

        def quantlib() -> list[float]:
            return [ql.blackFormula(*row) for row in table]

        check_equal(QUANTLIB, out, quantlib(), rel=1e-4, abs_=1e-12)
        found[QUANTLIB] = quantlib
    few = [column[:BY_REFERENCE].tolist() for column in (*c.values(), right)]

    def by_reference() -> list[float]:
        return [reference.black_scholes(*row) for row in zip(*few, strict=True)]

    check_equal(REFERENCE, out[:BY_REFERENCE], by_reference(), rel=1e-9, abs_=1e-12)
    found[REFERENCE], case.sizes = by_reference, {REFERENCE: scenarios * BY_REFERENCE}
    with peers.running("price", peers.PRICES, {**c, "right": right}, out) as (others, absent):
        found |= others
        case.absent |= absent
        case.calls |= {name: Repeated(call, scenarios) for name, call in found.items()} if scenarios > 1 else found
        yield


def our_grid(n: int) -> tuple[Callable[[], object], Floats]:
    """A ready call of ours and where it writes."""
    c, right = columns(n)
    out = np.empty((n, 16))
    return lambda: pricing.price_grid(**c, right=right, price_moves=PRICE_MOVES, vol_moves=VOL_MOVES, out=out), out


def floor_grid(n: int) -> tuple[Callable[[], object], Floats]:
    """The floor's on its prepared inputs; raises ``OSError`` where there is none."""
    c, right = columns(n)
    root = np.sqrt(c["years"])
    forward = c["spot"] * np.exp(-c["dividend_yield"] * c["years"])
    strike = c["strike"] * np.exp(-c["rate"] * c["years"])
    inputs = [forward, strike, np.log(forward / strike), right, c["vol"], root]
    out = floor.aligned(np.zeros(16 * n))
    kernel = floor.library("kernels_avx512").gridom_T2
    last = (ctypes.byref(Grid.scenarios()), out)
    return floor.call(kernel, ctypes.c_size_t(n), *map(floor.aligned, inputs), *last), out


def grid(n: int) -> Iterator[Case]:
    """Every option under each scenario."""
    c, right = columns(n)
    ours, out = our_grid(n)
    ours()
    case = Case(
        {OURS: ours}, n=16 * n, goals=GRID_GOALS[n], title="european grid, 16 scenarios",
        options={"slowest_seconds": 5.0},
    )  # fmt: skip
    checked = out[:5_000].reshape(-1)
    with one_by_one(case, c, right, np.empty(n)):
        with case.optional(NUMPY):
            check_equal(NUMPY, checked, numpy_grid(c, right)[:5_000].reshape(-1), rel=1e-9, abs_=1e-12)
            case.calls[NUMPY] = lambda: numpy_grid(c, right)
        with case.optional(FLOOR):
            call, theirs = floor_grid(n)
            call()
            check_equal(FLOOR, checked, theirs[: checked.size], rel=1e-8, abs_=1e-11)
            case.calls[FLOOR] = call
        yield case


def grid_by_engine(n: int) -> Iterator[Case]:
    """QuantLib's way of scenarios: instruments that follow their quotes. It counts in whole days."""
    c, right = columns(n)
    days = np.ceil(c["years"] * 365).astype(int)
    c["years"] = days / 365
    out = np.empty((n, 16))
    moves = {"price_moves": PRICE_MOVES, "vol_moves": VOL_MOVES}
    case = Case({OURS: lambda: pricing.price_grid(**c, right=right, **moves, out=out)}, n=16 * n, goals=ENGINE_GOALS)
    case.calls[OURS]()
    with case.optional(QUANTLIB_ENGINE):
        import QuantLib as ql

        today, count = ql.Date(2, 1, 2026), ql.Actual365Fixed()
        ql.Settings.instance().evaluationDate = today

        def curve(rate: float) -> Any:
            return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count))

        built = []
        for i in range(n):
            spot, vol = ql.SimpleQuote(c["spot"][i]), ql.SimpleQuote(c["vol"][i])
            surface = ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(vol), count)
            process = ql.BlackScholesMertonProcess(
                ql.QuoteHandle(spot), curve(c["dividend_yield"][i]), curve(c["rate"][i]),
                ql.BlackVolTermStructureHandle(surface),
            )  # fmt: skip
            payoff = ql.PlainVanillaPayoff(ql.Option.Call if right[i] > 0 else ql.Option.Put, c["strike"][i])
            option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + int(days[i])))
            option.setPricingEngine(ql.AnalyticEuropeanEngine(process))
            spots, vols = c["spot"][i] * (1 + PRICE_MOVES), c["vol"][i] + VOL_MOVES
            built.append((option, spot, vol, spots.tolist(), vols.tolist()))

        def quantlib() -> list[float]:
            found = []
            for option, spot, vol, spots, vols in built:
                for j in range(16):
                    spot.setValue(spots[j])
                    vol.setValue(vols[j])
                    found.append(option.NPV())
            return found

        check_equal(QUANTLIB_ENGINE, out.reshape(-1), quantlib(), rel=1e-4, abs_=1e-9)
        case.calls[QUANTLIB_ENGINE] = quantlib
    yield case


def grid_by_avx2(n: int) -> Iterator[Case]:
    """Our AVX2 level, which takes a process of its own, beside the floor's AVX-512; both levels have the same bits."""
    c, right = columns(n)
    ours, out = our_grid(n)
    ours()
    inputs = {**c, "right": right, "price_moves": PRICE_MOVES, "vol_moves": VOL_MOVES}
    by_avx2 = peers.Peer("margincore", "grid", inputs, [sys.executable], MARGINCORE_SIMD="avx2")
    with contextlib.closing(by_avx2):
        np.testing.assert_array_equal(by_avx2.values, out.reshape(-1))
        case = Case({OURS: by_avx2}, n=16 * n, goals=AVX2_GOALS)
        with case.optional(FLOOR):
            case.calls[FLOOR], _ = floor_grid(n)
        yield case


def vols(n: int) -> Iterator[Case]:
    """Vols of options out of the money."""
    c, _ = columns(n)
    forward = c["spot"] * np.exp((c["rate"] - c["dividend_yield"]) * c["years"])
    right = np.where(forward < c["strike"], 1, -1).astype(np.int8)
    # No further from the money than four deviations.
    c["vol"] = np.maximum(c["vol"], np.abs(np.log(forward / c["strike"])) / 4 / np.sqrt(c["years"]))
    quotes = pricing.price(**c, right=right)
    known = {name: c[name] for name in ("spot", "strike", "years", "rate", "dividend_yield")}
    out = np.empty(n)
    case = Case(
        {OURS: lambda: pricing.implied_vol(quotes, **known, right=right, out=out)}, n=n, goals=VOL_GOALS[n],
        title="european implied vol",
    )  # fmt: skip
    case.calls[OURS]()
    check_equal("european implied vol", out, c["vol"], rel=1e-12)
    with case.optional(FLOOR):
        theirs = floor.aligned(np.zeros(n))
        # It wants its forwards prepared.
        inputs = [quotes, forward, c["strike"], c["years"], right, np.exp(-c["rate"] * c["years"])]
        call = floor.call(floor.library("iv").iv2, ctypes.c_size_t(n), *map(floor.aligned, inputs), theirs)
        call()
        check_equal(FLOOR, out, theirs, rel=1e-11)
        case.calls[FLOOR] = call
    given = {**known, "vol": c["vol"], "price": quotes, "right": right}
    with peers.running("vol", peers.VOLS, given, out) as (others, absent):
        case.calls |= others
        case.absent |= absent
        yield case


ONE_BY_ONE = (NUMBA, QUANTLIB, REFERENCE, *peers.PRICES)
# Multiples of 8: the floor works on whole vectors.
BENCHES = (
    *(
        bench
        for n in (1_000, 100_000)
        for bench in (
            Bench(f"european price, {n:,} options", functools.partial(prices, n), NUMPY, FLOOR, *ONE_BY_ONE),
            Bench(f"european grid, 16 scenarios, {n:,} options", functools.partial(grid, n), NUMPY, FLOOR, *ONE_BY_ONE),
            Bench(f"european implied vol, {n:,} options", functools.partial(vols, n), FLOOR, *peers.VOLS),
        )
    ),
    Bench("european grid, 16 scenarios, whole days", functools.partial(grid_by_engine, 200), QUANTLIB_ENGINE),
    Bench("european grid, 16 scenarios, ours by AVX2", functools.partial(grid_by_avx2, 100_000), FLOOR),
)
