"""Minimax coefficients of `pricing/coefficients.rs`: `python rust/kernel/fit/fit.py > rust/kernel/src/pricing/coefficients.rs`.

Needs mpmath. Rationals come from the Remez exchange with a weighted relative error; the constant terms that the
kernels need to be exact (2^0 = 1, N(0) = 1/2) are pinned. Takes some seconds.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp

mp.mp.dps = 60
Function = Callable[[mp.mpf], mp.mpf]


def mills(x: mp.mpf) -> mp.mpf:
    """The Mills ratio over sqrt(2 pi): exp(-x^2/2) * mills(x) = N(-x)."""
    return mp.exp(x * x / 2) * mp.erfc(x / mp.sqrt(2)) / 2


def slope(x: mp.mpf) -> mp.mpf:
    """Minus the derivative of `mills`."""
    return 1 / mp.sqrt(2 * mp.pi) - x * mills(x)


def one(_: mp.mpf) -> mp.mpf:
    return mp.mpf(1)


def density_weight(x: mp.mpf) -> mp.mpf:
    """Errors where the density is small hardly move a price; the floor keeps the tail's relative error small."""
    return max(mp.exp(-x * x / 2), mp.mpf("1e-7"))


def coarse_weight(x: mp.mpf) -> mp.mpf:
    """As `density_weight`, for terms of a quadrature whose own error is 1e-6."""
    return max(mp.exp(-x * x / 2), mp.mpf("1e-4"))


class Rational:
    """Remez exchange for f(x) ~ P(x) / Q(x) on [low, high], Q(0) = 1, minimising max weight * |relative error|."""

    def __init__(self, f: Function, weight: Function, low: float, high: float, top: int, bottom: int, pinned: bool):
        self.top, self.bottom, self.pinned = top, bottom, pinned
        # Points uniform in (x - low) / (x - low + 2): dense near the origin, sparse in the tail.
        last = mp.mpf(high - low) / (high - low + 2)
        self.x = [low + 2 * t / (1 - t) for t in (last * i / 1200 for i in range(1201))]
        self.f = [f(x) for x in self.x]
        self.w = [weight(x) for x in self.x]
        self.p0 = f(mp.mpf(0))
        self.p: list[mp.mpf] = []
        self.q: list[mp.mpf] = []

    def weighted_error(self, i: int) -> mp.mpf:
        x = self.x[i]
        return self.w[i] * (mp.polyval(self.p[::-1], x) / (mp.polyval(self.q[::-1], x) * self.f[i]) - 1)

    def level_on(self, reference: list[int], level: mp.mpf) -> mp.mpf:
        """Equal and alternating errors on the reference; the product level * Q is linearised, so repeat."""
        first = 1 if self.pinned else 0
        for _ in range(40):
            rows, right = [], []
            for position, i in enumerate(reference):
                x, sign = self.x[i], (-1) ** position
                ratio = 1 + sign * level / self.w[i]
                q = mp.polyval(self.q[::-1], x) if self.q else mp.mpf(1)
                rows.append(
                    [x**k / self.f[i] for k in range(first, self.top + 1)]
                    + [-ratio * x**k for k in range(1, self.bottom + 1)]
                    + [-sign * q / self.w[i]]
                )
                right.append(ratio - (self.p0 / self.f[i] if self.pinned else 0))
            solution = list(mp.lu_solve(mp.matrix(rows), mp.matrix(right)))
            split = self.top + 1 - first
            self.p = ([self.p0] if self.pinned else []) + solution[:split]
            self.q = [mp.mpf(1), *solution[split:-1]]
            level += solution[-1]
            if abs(solution[-1]) < mp.mpf("1e-6") * abs(level):
                break
        return level

    def fit(self) -> mp.mpf:
        count = self.top + self.bottom + (1 if self.pinned else 2)
        last = len(self.x) - 1
        reference = [round(last * (1 - mp.cos(mp.pi * (k + 0.5) / count)) / 2) for k in range(count)]
        level = mp.mpf(0)
        for _ in range(60):
            level = self.level_on(reference, level)
            error = [self.weighted_error(i) for i in range(len(self.x))]
            extrema = [0]
            for i in range(1, len(error)):
                if (error[i] > 0) != (error[extrema[-1]] > 0):
                    extrema.append(i)
                elif abs(error[i]) > abs(error[extrema[-1]]):
                    extrema[-1] = i
            while len(extrema) > count:
                extrema.pop(0 if abs(error[extrema[0]]) < abs(error[extrema[-1]]) else -1)
            worst = max(abs(e) for e in error)
            if len(extrema) < count:
                raise ArithmeticError(f"lost an extremum: {len(extrema)} of {count}, error {mp.nstr(worst, 3)}")
            reference = extrema
            if worst < abs(level) * mp.mpf("1.001"):
                return worst
        raise ArithmeticError("the exchange did not converge")


def polynomial(f: Function, low: mp.mpf, high: mp.mpf, degree: int) -> tuple[list[mp.mpf], mp.mpf]:
    """Interpolation at Chebyshev nodes: within a few per cent of minimax at these degrees."""
    n = degree + 1
    x = [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    c = list(mp.lu_solve(mp.matrix([[a**k for k in range(n)] for a in x]), mp.matrix([f(a) for a in x])))
    grid = [low + (high - low) * i / mp.mpf(2000) for i in range(2001)]
    return c, max(abs(mp.polyval(c[::-1], a) / f(a) - 1) for a in grid)


def bachelier_distance(w: mp.mpf) -> mp.mpf:
    """h / w^2 at which phi(h) / h - N(-h) = m, where w^2 = ln(1 + 1/m)."""
    if w < mp.mpf("1e-6"):
        return 1 / mp.sqrt(2 * mp.pi)
    target = -mp.log(mp.expm1(w * w))

    def gap(log_h: mp.mpf) -> mp.mpf:
        h = mp.exp(log_h)
        return mp.log(mp.npdf(h) / h - mp.erfc(h / mp.sqrt(2)) / 2) - target

    start = mp.log(w * w / (mp.sqrt(2 * mp.pi) + w / mp.sqrt(2)))
    return mp.exp(mp.findroot(gap, (start, start + mp.mpf("0.1")), solver="secant")) / (w * w)


def exp2_tail(x: mp.mpf) -> mp.mpf:
    return mp.expm1(x * mp.log(2)) / x if x else mp.log(2)


def exp_tail(x: mp.mpf) -> mp.mpf:
    return (mp.expm1(x) - x) / (x * x) if abs(x) > mp.mpf("1e-20") else mp.mpf(1) / 2


def atanh_tail(z: mp.mpf) -> mp.mpf:
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / s**3 if abs(z) > mp.mpf("1e-15") else mp.mpf(2) / 3 + mp.mpf(2) / 5 * z


def emit(name: str, comment: str, coefficients: list[mp.mpf]) -> None:
    print(f"\n/// {comment}\npub(crate) const {name}: [f64; {len(coefficients)}] = [")
    for c in coefficients:
        print(f"    {float(c)!r},")
    print("];", flush=True)


def emit_rational(name: str, what: str, rational: Rational) -> None:
    error = mp.nstr(rational.fit(), 2)
    if not all(c > 0 for c in rational.p + rational.q):
        raise ArithmeticError(f"{name}: a coefficient is not positive, Horner's rule would lose digits")
    emit(f"{name}_P", f"Numerator of {what}; weighted error {error}.", rational.p)
    emit(f"{name}_Q", f"Denominator of {what}.", rational.q)


def main() -> None:
    print("//! Coefficients in ascending powers, written by `rust/kernel/fit/fit.py`; do not edit.")
    print("#![allow(clippy::approx_constant)] // a fitted coefficient may be near a constant without being it")
    half = mp.mpf(1) / 2
    c, e = polynomial(exp2_tail, -half, half, 10)
    emit("EXP2", f"2^x on |x| <= 1/2; relative error of (2^x - 1) / x: {mp.nstr(e, 2)}.", [mp.mpf(1), *c])
    edge = mp.log(2) / 2 + mp.mpf("1e-6")
    c, e = polynomial(exp_tail, -edge, edge, 9)
    emit("EXP", f"exp(x) on |x| <= ln(2)/2; relative error of (exp(x) - 1 - x) / x^2: {mp.nstr(e, 2)}.", [mp.mpf(1), mp.mpf(1), *c])
    s = 3 - 2 * mp.sqrt(2)
    c, e = polynomial(atanh_tail, mp.mpf(0), s * s * mp.mpf("1.0001"), 7)
    emit("ATANH", f"(2 atanh(s) - 2 s) / s^3 in powers of s^2; relative error {mp.nstr(e, 2)}.", c)
    emit_rational("MILLS", "`N(-x) exp(x^2/2)` on [0, 38], full relative accuracy", Rational(mills, one, 0, 38, 9, 10, True))
    emit_rational(
        "MILLS_GRID",
        "`N(-x) exp(x^2/2)` on [0, 38], error weighted by max(exp(-x^2/2), 1e-7)",
        Rational(mills, density_weight, 0, 38, 7, 8, True),
    )
    emit_rational(
        "MILLS_TERM",
        "`N(-x) exp(x^2/2)` on [0, 38], error weighted by max(exp(-x^2/2), 1e-4)",
        Rational(mills, coarse_weight, 0, 38, 4, 5, True),
    )
    c, e = polynomial(exp2_tail, -half, half, 6)
    emit("EXP2_TERM", f"2^x on |x| <= 1/2; relative error of (2^x - 1) / x: {mp.nstr(e, 2)}.", [mp.mpf(1), *c])
    emit_rational(
        "SLOPE", "minus the derivative of `N(-x) exp(x^2/2)` on [-0.05, 38]", Rational(slope, one, -0.05, 38, 9, 11, False)
    )
    emit_rational(
        "DISTANCE",
        "h / w^2 where w^2 = ln(1 + 1/m) and m = phi(h)/h - N(-h), for w in [0, 26]",
        Rational(bachelier_distance, one, 0, 26, 4, 5, False),
    )


if __name__ == "__main__":
    main()
