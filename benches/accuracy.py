"""Errors of what the benchmarks time, against oracles: 50-digit arithmetic and QuantLib's precise scheme.

European prices are compared on 18,704 rows: 8,704 of a lattice over what the kernels accept (``|ln K/S|`` to 3, five
minutes to thirty years, vols of 0.5 % to 200 %, four carries, both rights) and 10,000 random ones as markets have
them, from a fixed seed. ``python -m benches.accuracy`` prints the table; ``python -m benches`` ends with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches import bench_american
from margincore import pricing

Floats = NDArray[np.float64]
Columns = dict[str, Any]
MPMATH, QUANTLIB, PRECISE = "mpmath, 50 digits", "QuantLib QdFp high precision", "our precise scheme"


@dataclass(frozen=True)
class Figure:
    """The largest error of one calculation; without its oracle it has a reason and no value."""

    what: str
    oracle: str
    measure: str
    n: int = 0
    value: float | None = None
    goal: float | None = None
    reason: str = ""


def lattice_and_market() -> Columns:
    """The 18,704 rows."""
    away = np.geomspace(1e-6, 3.0, 8)
    moneyness = np.concatenate([-away[::-1], [0.0], away])
    years = np.geomspace(5 / 525_600, 30.0, 8)
    vols = np.geomspace(0.005, 2.0, 8)
    carries = ((0.0, 0.0), (0.05, 0.02), (0.02, 0.08), (-0.01, 0.0))
    lattice = np.array(
        [(x, t, *rates, v, a) for x, t, v, rates, a in itertools.product(moneyness, years, vols, carries, (1.0, -1.0))]
    )
    random, n = np.random.default_rng(20_261_121), 10_000
    spot = np.exp(random.uniform(np.log(5.0), np.log(5_000.0), n))
    years = np.exp(random.uniform(np.log(1 / 365), np.log(3.0), n))
    vol = np.exp(random.uniform(np.log(0.05), np.log(1.5), n))
    strike = spot * np.exp(np.clip(random.normal(0.0, 1.5, n) * vol * np.sqrt(years), -3.0, 3.0))
    rate, dividend_yield = random.uniform(-0.01, 0.08, n), random.uniform(0.0, 0.06, n)
    return {
        "spot": np.concatenate([np.full(len(lattice), 100.0), spot]),
        "strike": np.concatenate([100.0 * np.exp(lattice[:, 0]), strike]),
        "years": np.concatenate([lattice[:, 1], years]),
        "rate": np.concatenate([lattice[:, 2], rate]),
        "dividend_yield": np.concatenate([lattice[:, 3], dividend_yield]),
        "vol": np.concatenate([lattice[:, 4], vol]),
        "right": np.concatenate([lattice[:, 5], random.choice((1.0, -1.0), n)]).astype(np.int8),
    }


def exact(c: Columns) -> tuple[Floats, Floats]:
    """Prices rounded to doubles, and the vol that gives the rounded price.

    The vol is one Newton step at 50 digits from the one that gives the unrounded price, which is exact: the two are a
    rounding apart. It is NaN where the vega leaves the range of numbers.
    """
    import mpmath

    with mpmath.workdps(50):
        price, vol = np.empty(len(c["vol"])), np.empty(len(c["vol"]))
        for i, row in enumerate(zip(*(c[name].tolist() for name in c), strict=True)):
            s, k, t, r, q, v, a = map(mpmath.mpf, row)
            deviation = v * mpmath.sqrt(t)
            d1 = (mpmath.log(s / k) + (r - q) * t) / deviation + deviation / 2
            owned, paid = s * mpmath.exp(-q * t), k * mpmath.exp(-r * t)
            value = a * (owned * mpmath.ncdf(a * d1) - paid * mpmath.ncdf(a * (d1 - deviation)))
            price[i] = float(value)
            vega = owned * mpmath.npdf(d1) * mpmath.sqrt(t)
            vol[i] = float(v + (mpmath.mpf(price[i]) - value) / vega) if vega > 1e-300 else np.nan
    return price, vol


def european() -> Iterator[Figure]:
    """Price and grid: absolute and relative error, and that no price is negative or not a number."""
    c = lattice_and_market()
    try:
        truth, vol = exact(c)
    except ImportError as error:
        yield Figure("european price, grid, implied vol", MPMATH, "any", reason=str(error))
        return
    scale, n = np.maximum(c["spot"], c["strike"]), len(truth)
    for what, values in (("european price", pricing.price(**c)[:, None]), ("european grid", grid(c))):
        off = np.abs(values - truth[:, None])
        seen = truth > 1e-12 * c["spot"]
        yield Figure(what, MPMATH, "abs / max(S, K)", n, float((off / scale[:, None]).max()), 5e-15)
        relative = (off[seen] / truth[seen, None]).max()
        yield Figure(what, MPMATH, "rel where price > 1e-12 S", int(seen.sum()), float(relative), 1e-9)
        yield Figure(what, MPMATH, "prices below zero", n, float((values < 0).sum()), 0.0)
        yield Figure(what, MPMATH, "NaN", n, float(np.isnan(values).sum()), 0.0)
    yield implied(c, truth, vol)


def grid(c: Columns) -> Floats:
    """Every row as the outcome of scenarios that reach its spot and vol without rounding.

    Halving and doubling are exact, so the spot is moved by -50 % from twice its value, by 100 % from half of it; the
    vol by a half of itself from the other half. Seventeen scenarios: one more than a block of the kernel.
    """
    count = 17
    found = []
    for move, from_half in ((0.0, False), (-0.5, True), (1.0, False), (0.0, True)):
        vol = c["vol"] / 2 if from_half else c["vol"]
        moved = c | {"spot": c["spot"] / (1.0 + move), "vol": vol}
        vol_moves = np.repeat(vol[:, None], count, axis=1) if from_half else np.zeros(count)
        found.append(pricing.price_grid(**moved, price_moves=np.full(count, move), vol_moves=vol_moves))
    return np.concatenate(found, axis=1)


def implied(c: Columns, price: Floats, vol: Floats) -> Figure:
    """Vols of the options out of the money whose price exceeds 1e-12 of the forward's value and determines the vol.

    Where a price's last bit moves the vol by more than a hundred of its own, the price has saturated and the rounding
    of the inputs alone does too: no method can do better there.
    """
    forward = c["spot"] * np.exp(-c["dividend_yield"] * c["years"])
    strike = c["strike"] * np.exp(-c["rate"] * c["years"])
    outside = np.where(c["right"] > 0, forward < strike, forward > strike)
    deviation = c["vol"] * np.sqrt(c["years"])
    d1 = np.log(forward / strike) / deviation + deviation / 2
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        amplified = price / (forward * np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi) * deviation)
    rows = outside & (price > 1e-12 * forward) & (amplified < 100)
    known = {name: c[name][rows] for name in ("spot", "strike", "years", "rate", "dividend_yield", "right")}
    off = np.abs(pricing.implied_vol(price[rows], **known) / vol[rows] - 1)
    return Figure("european implied vol", MPMATH, "rel, out of the money", int(rows.sum()), float(off.max()), 1e-12)


def american() -> Iterator[Figure]:
    """The book and the chain of `bench_american`, where a price exceeds 0.01 % of the strike."""
    columns, right, days = bench_american.book()
    smile, puts = bench_american.chain()
    precise: dict[str, Any] = {"exercise": "american", "accuracy": "precise"}
    price = pricing.price(*columns, right, exercise="american")

    def figure(what: str, oracle: str, values: Floats, truth: Floats, strike: Floats, goal: float) -> Figure:
        seen = truth > 1e-4 * strike.reshape(-1, *[1] * (truth.ndim - 1))
        off = np.abs(values[seen] / truth[seen] - 1)
        return Figure(what, oracle, "rel where price > 1e-4 K", int(seen.sum()), float(off.max()), goal)

    try:
        truth, _ = bench_american.quantlib(columns, right, days)
        yield figure("american price", QUANTLIB, price, truth, columns[1], 1e-4)
        exacter = pricing.price(*columns, right, **precise)
        yield figure("american price, precise", QUANTLIB, exacter, truth, columns[1], 1e-5)
    except ImportError as error:
        yield Figure("american price", QUANTLIB, "any", reason=str(error))
    yield from wide(figure)
    moves = bench_american.MOVES
    for what, options, rights, shared in (
        ("american, 11 price points", columns, right, False),
        ("american, 11 price points, shared boundary", smile, puts, True),
    ):
        values = pricing.price_grid(*options, rights, moves, exercise="american", share_boundaries=shared)
        truth = pricing.price_grid(*options, rights, moves, **precise)
        yield figure(what, PRECISE, values, truth, options[1], 1e-4)


def wide(figure: Callable[..., Figure]) -> Iterator[Figure]:
    """10,000 random options as no market has them all: a day to ten years, vols of 5 % to 200 %, rates and yields of
    -10 % to 500 %, one exercise boundary (a put's rate, or a call's yield, above zero)."""
    random, rows = np.random.default_rng(20_261_128), []

    def rate() -> float:
        low, high = ((-0.1, 0.1), (0.0, 1.0), (0.0, 1.0), (0.0, 5.0))[random.integers(4)]
        return float(random.uniform(low, high))

    while len(rows) < 10_000:
        vol, days = np.exp(random.uniform(np.log(0.05), np.log(2.0))), np.ceil(np.exp(random.uniform(0, np.log(3650))))
        rates, right = (rate(), rate()), int(random.choice((-1, 1)))
        spot = 100.0 * np.exp(np.clip(0.7 * vol * np.sqrt(days / 365) * random.normal(), -1.0, 1.0))
        if rates[(1 - right) // 2 - 1] > 0.0 and max(map(abs, rates)) * days / 365 < 20.0:
            rows.append((spot, 100.0, days / 365, *rates, vol, right, days))
    table = np.array(rows)
    columns, right, days = list(table[:, :6].T), table[:, 6].astype(np.int8), table[:, 7].astype(np.int64)
    try:
        truth = bench_american.quantlib_precise(columns, right, days)
    except ImportError as error:
        yield Figure("american price, any rates", QUANTLIB, "any", reason=str(error))
        return
    for accuracy in ("standard", "precise"):
        price = pricing.price(*columns, right, exercise="american", accuracy=accuracy)
        yield figure(f"american price, any rates, {accuracy}", QUANTLIB, price, truth, columns[1], 1e-3)
    gamma = pricing.greeks(*columns, right, exercise="american").gamma
    worst = float(np.clip(-gamma, 0.0, None).max())
    yield Figure("american gamma, any rates", "no price is concave", "below zero", len(gamma), worst, 1e-8)


def figures() -> Iterator[Figure]:
    """Every figure."""
    yield from european()
    yield from american()


def markdown(found: Iterable[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| calculation | oracle | largest error | rows | measured | goal | met |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for f in found:
        if f.value is None:
            lines.append(f"| {f.what} | {f.oracle} | {f.measure} | | missing: {f.reason} | | not measured |")
            continue
        goal, met = ("", "") if f.goal is None else (f"≤ {f.goal:.3g}", "yes" if f.value <= f.goal else "**no**")
        lines.append(f"| {f.what} | {f.oracle} | {f.measure} | {f.n:,} | {f.value:.2g} | {goal} | {met} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(figures()))
