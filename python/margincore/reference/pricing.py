"""Textbook option prices in pure Python: Black-Scholes-Merton, Black-76, Bachelier, Cox-Ross-Rubinstein.

Conventions, here and in the engine: ``right`` is +1 for a call and -1 for a put; ``years`` is time to expiry in
years; ``rate`` and ``dividend_yield`` are continuously compounded annual fractions; prices are per one unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def normal_cdf(x: float) -> float:
    """The standard normal distribution function, with full relative accuracy in the left tail.

    >>> normal_cdf(0.0)
    0.5
    """
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_pdf(x: float) -> float:
    """The standard normal density.

    >>> round(normal_pdf(0.0), 12)
    0.398942280401
    """
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def black76(forward: float, strike: float, years: float, vol: float, right: int, discount: float = 1.0) -> float:
    """Black (1976) on a forward, times a discount factor; intrinsic when time or vol is zero.

    >>> round(black76(100.0, 100.0, 1.0, 0.2, +1), 10)
    7.9655674554
    """
    deviation = vol * math.sqrt(max(years, 0.0))
    if deviation <= 0.0 or strike <= 0.0 or forward <= 0.0:
        return discount * max(right * (forward - strike), 0.0)
    d1 = math.log(forward / strike) / deviation + 0.5 * deviation
    d2 = d1 - deviation
    value = right * (forward * normal_cdf(right * d1) - strike * normal_cdf(right * d2))
    return discount * max(value, 0.0)


def black_scholes(
    spot: float, strike: float, years: float, rate: float, dividend_yield: float, vol: float, right: int
) -> float:
    """Black-Scholes-Merton with a continuous yield. Hull, Options, Futures, and Other Derivatives, ch. 15 and 17.

    >>> round(black_scholes(42.0, 40.0, 0.5, 0.10, 0.0, 0.20, +1), 2)  # Hull, example 15.6
    4.76
    """
    forward = spot * math.exp((rate - dividend_yield) * max(years, 0.0))
    return black76(forward, strike, years, vol, right, math.exp(-rate * max(years, 0.0)))


def bachelier(
    forward: float, strike: float, years: float, normal_vol: float, right: int, discount: float = 1.0
) -> float:
    """Bachelier's normal model; `normal_vol` is in price units per square root of a year.

    >>> round(bachelier(100.0, 100.0, 1.0, 20.0, -1), 10)
    7.978845608
    """
    deviation = normal_vol * math.sqrt(max(years, 0.0))
    moneyness = right * (forward - strike)
    if deviation <= 0.0:
        return discount * max(moneyness, 0.0)
    d = moneyness / deviation
    return discount * max(moneyness * normal_cdf(d) + deviation * normal_pdf(d), 0.0)


def crr(
    spot: float,
    strike: float,
    years: float,
    rate: float,
    dividend_yield: float,
    vol: float,
    right: int,
    american: bool = True,
    steps: int = 400,
    dividends: Sequence[tuple[float, float]] = (),
) -> float:
    """Cox-Ross-Rubinstein binomial tree with a continuous yield (J. Financial Economics 7, 1979).

    ``dividends`` are (years, cash) per unit. They are escrowed: the spot less their value diffuses, and those
    still to come are added back for the exercise decision (Hull, section 21.3). What is set apart for them earns the
    yield, so that they are discounted at rate less yield.

    >>> round(crr(50.0, 50.0, 5 / 12, 0.10, 0.0, 0.40, -1, steps=5), 2)  # Hull, example 21.1
    4.49
    >>> round(crr(52.0, 50.0, 5 / 12, 0.10, 0.0, 0.40, -1, steps=5, dividends=[(3.5 / 12, 2.06)]), 2)  # 21.4
    4.44
    """
    if years <= 0.0:
        return max(right * (spot - strike), 0.0)

    def to_come(now: float) -> float:
        return sum(cash * math.exp((dividend_yield - rate) * (at - now)) for at, cash in dividends if now < at <= years)

    spot -= to_come(0.0)
    dt = years / steps
    if vol <= 0.0:
        # Without noise the best exercise date is one of the grid's.
        values = [
            math.exp(-rate * t) * max(right * (spot * math.exp((rate - dividend_yield) * t) + to_come(t) - strike), 0.0)
            for t in ([i * dt for i in range(steps + 1)] if american else [years])
        ]
        return max(values)
    up = math.exp(vol * math.sqrt(dt))
    down = 1.0 / up
    p = (math.exp((rate - dividend_yield) * dt) - down) / (up - down)
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"crr: probability {p} outside [0, 1]: use more steps for this vol and carry")
    discount = math.exp(-rate * dt)
    values = [max(right * (spot * up ** (steps - 2 * i) - strike), 0.0) for i in range(steps + 1)]
    for step in range(steps - 1, -1, -1):
        values = [discount * (p * values[i] + (1.0 - p) * values[i + 1]) for i in range(step + 1)]
        if american:
            cash = to_come(step * dt)
            values = [
                max(value, right * (spot * up ** (step - 2 * i) + cash - strike)) for i, value in enumerate(values)
            ]
    return values[0]
