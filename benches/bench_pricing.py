"""European prices, grids and vols: against NumPy with SciPy, numba, QuantLib, the C floor, and the peers of `peers`.

The C floor is compiled from ``MARGINCORE_FLOOR`` (default ``../shared/floor`` beside the project) with g++, where both
exist; its grid takes inputs that are prepared, so it is what the machine can do and not what a caller would see.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches import peers
from benches.measure import Row, check_equal, compare, missing
from margincore import pricing

Floats = NDArray[np.float64]
Columns = dict[str, Floats]

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


class Floor:
    """The hand-written C++ kernels."""

    def __init__(self, folder: str) -> None:
        source = Path(os.environ.get("MARGINCORE_FLOOR", Path(__file__).parents[2] / "shared" / "floor")) / "c"
        if not source.is_dir():
            raise FileNotFoundError(f"no {source.name} folder under MARGINCORE_FLOOR")
        compiler = shutil.which("g++")
        if compiler is None:
            raise FileNotFoundError("g++ is not installed")
        flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-fno-math-errno", "-fPIC", "-shared"]
        libraries = []
        for name in ("kernels_avx512", "iv"):
            library = Path(folder) / f"{name}.so"
            subprocess.run([compiler, *flags, str(source / f"{name}.cpp"), "-o", str(library)], check=True)
            libraries.append(ctypes.CDLL(str(library)))
        self.kernels, self.iv = libraries


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


def aligned(values: Floats) -> Floats:
    """A copy at a cache line, as the floor's loads want it."""
    memory = np.empty(values.size * 8 + 64, np.uint8)
    at = -memory.ctypes.data % 64
    copy = memory[at : at + values.size * 8].view(np.float64)
    copy[:] = values.reshape(-1)
    return copy


def call(function: Any, n: int, inputs: list[Floats], last: list[Any]) -> Callable[[], object]:
    """A ready call; the arrays stay alive with it."""
    kept = [aligned(np.asarray(a, np.float64)) for a in inputs]
    arguments = [ctypes.c_size_t(n), *(ctypes.c_void_p(a.ctypes.data) for a in kept), *last]
    return lambda kept=kept: function(*arguments)  # type: ignore[misc]


def rows() -> Iterator[Row]:
    """Every comparison; results are checked equal before they are timed."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            floor: Floor | None = Floor(folder)
            reason = ""
        except (OSError, subprocess.CalledProcessError) as error:
            floor, reason = None, str(error)
        # Multiples of 8: the floor works on whole vectors.
        for n in (1_000, 100_000):
            yield from prices(n, floor, reason)
            yield from grids(n, floor, reason)
            yield from vols(n, floor, reason)


def prices(n: int, floor: Floor | None, reason: str) -> Iterator[Row]:
    bench = "european price"
    c, right = columns(n)
    out = np.empty(n)
    calls: dict[str, Callable[[], object]] = {"ours": lambda: pricing.price(**c, right=right, out=out)}
    calls["ours"]()
    check_equal(bench, out, numpy_price(c, right), rel=1e-9, abs_=1e-12)
    calls["numpy + scipy ndtr"] = lambda: numpy_price(c, right)
    try:
        compiled, theirs = numba_price(), np.empty(n)
        compiled(*c.values(), right, theirs)
        check_equal(bench, out, theirs, rel=1e-9, abs_=1e-12)
        calls["numba"] = lambda: compiled(*c.values(), right, theirs)
    except ImportError as error:
        yield missing(bench, "numba", str(error), n=n)
    try:
        import QuantLib as ql

        carry = c["rate"] - c["dividend_yield"]
        forward, discount = c["spot"] * np.exp(carry * c["years"]), np.exp(-c["rate"] * c["years"])
        deviation = c["vol"] * np.sqrt(c["years"])
        kinds = np.where(right > 0, ql.Option.Call, ql.Option.Put).tolist()
        table = list(zip(kinds, *(a.tolist() for a in (c["strike"], forward, deviation, discount)), strict=True))

        def quantlib() -> list[float]:
            return [ql.blackFormula(*row) for row in table]

        check_equal(bench, out, quantlib(), rel=1e-4, abs_=1e-12)
        calls["QuantLib blackFormula"] = quantlib
    except ImportError as error:
        yield missing(bench, "QuantLib", str(error), n=n)
    if floor is None:
        yield missing(bench, "C floor", reason, n=n)
    else:
        theirs_c = aligned(np.zeros(n))
        calls["C floor"] = call(
            floor.kernels.naive_T2, n, [*c.values(), right], [ctypes.c_void_p(theirs_c.ctypes.data)]
        )
        calls["C floor"]()
        check_equal(bench, out, theirs_c, rel=1e-9, abs_=1e-12)
    found = list(compare(bench, calls, n=n))
    yield from found
    yield from peers.rows(bench, "price", out, found[0].ours_ns, {**c, "right": right}, peers.PRICES)


def grids(n: int, floor: Floor | None, reason: str) -> Iterator[Row]:
    bench = "european grid, 16 scenarios"
    c, right = columns(n)
    out = np.empty((n, 16))

    def ours() -> object:
        return pricing.price_grid(**c, right=right, price_moves=PRICE_MOVES, vol_moves=VOL_MOVES, out=out)

    ours()
    check_equal(bench, out[: min(n, 5_000)].reshape(-1), numpy_grid(c, right)[:5_000].reshape(-1), rel=1e-9, abs_=1e-12)
    calls: dict[str, Callable[[], object]] = {"ours": ours, "numpy + scipy ndtr": lambda: numpy_grid(c, right)}
    if floor is None:
        yield missing(bench, "C floor", reason, n=16 * n)
    else:
        root = np.sqrt(c["years"])
        forward = c["spot"] * np.exp(-c["dividend_yield"] * c["years"])
        strike = c["strike"] * np.exp(-c["rate"] * c["years"])
        inputs = [forward, strike, np.log(forward / strike), right.astype(np.float64), c["vol"], root]
        grid, theirs = Grid.scenarios(), aligned(np.zeros(16 * n))
        last = [ctypes.byref(grid), ctypes.c_void_p(theirs.ctypes.data)]
        calls["C floor, inputs prepared"] = call(floor.kernels.gridom_T2, n, inputs, last)
        calls["C floor, inputs prepared"]()
        check_equal(bench, out[:5_000].reshape(-1), theirs[: out[:5_000].size], rel=1e-8, abs_=1e-11)
    yield from compare(bench, calls, n=16 * n)


def vols(n: int, floor: Floor | None, reason: str) -> Iterator[Row]:
    bench = "european implied vol"
    c, _ = columns(n)
    forward = c["spot"] * np.exp((c["rate"] - c["dividend_yield"]) * c["years"])
    right = np.where(forward < c["strike"], 1, -1).astype(np.int8)
    # No further from the money than four deviations.
    c["vol"] = np.maximum(c["vol"], np.abs(np.log(forward / c["strike"])) / 4 / np.sqrt(c["years"]))
    quotes = pricing.price(**c, right=right)
    known = {name: c[name] for name in ("spot", "strike", "years", "rate", "dividend_yield")}
    out = np.empty(n)
    calls: dict[str, Callable[[], object]] = {
        "ours": lambda: pricing.implied_vol(quotes, **known, right=right, out=out)
    }
    calls["ours"]()
    check_equal(bench, out, c["vol"], rel=1e-12)
    if floor is None:
        yield missing(bench, "C floor", reason, n=n)
    else:
        theirs = aligned(np.zeros(n))
        inputs = [quotes, forward, c["strike"], c["years"], right, np.exp(-c["rate"] * c["years"])]
        last = [ctypes.c_void_p(theirs.ctypes.data)]
        calls["C floor, forwards prepared"] = call(floor.iv.iv2, n, inputs, last)
        calls["C floor, forwards prepared"]()
        check_equal(bench, out, theirs, rel=1e-11)
    measured = list(compare(bench, calls, n=n))
    yield from measured
    inputs = {**known, "vol": c["vol"], "price": quotes, "right": right}
    yield from peers.rows(bench, "vol", out, measured[0].ours_ns, inputs, peers.VOLS)
