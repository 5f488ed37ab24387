"""50-digit prices of `pricing/reference_prices.rs`: `python rust/kernel/fit/reference.py > rust/kernel/src/pricing/reference_prices.rs`.

Needs mpmath. Wings, the money, minutes and decades, vols from half a per cent to 200 %, and both rights.
"""

import itertools

import mpmath as mp

mp.mp.dps = 50
SPOT = 100.0
LOG_STRIKES = (-3.0, -0.5, -0.05, -1e-6, 0.0, 1e-3, 0.2, 3.0)
YEARS = (1e-5, 7 / 365, 0.5, 30.0)
VOLS = (0.005, 0.2, 2.0)
CARRIES = ((0.05, 0.03), (-0.01, 0.0))


def price(strike: float, years: float, rate: float, dividend_yield: float, vol: float, right: int) -> mp.mpf:
    s, k, t, r, q, v = map(mp.mpf, (SPOT, strike, years, rate, dividend_yield, vol))
    deviation = v * mp.sqrt(t)
    d1 = (mp.log(s / k) + (r - q) * t) / deviation + deviation / 2
    d2 = d1 - deviation
    paid = k * mp.exp(-r * t) * mp.erfc(-right * d2 / mp.sqrt(2)) / 2
    return right * (s * mp.exp(-q * t) * mp.erfc(-right * d1 / mp.sqrt(2)) / 2 - paid)


def main() -> None:
    rows = []
    for log_strike, years, vol, (rate, carry) in itertools.product(LOG_STRIKES, YEARS, VOLS, CARRIES):
        strike = round(SPOT * float(mp.exp(log_strike)), 6)
        # Put and call by turns keeps the table short and both rights in every corner.
        right = 1 if len(rows) % 2 == 0 else -1
        value = price(strike, years, rate, carry, vol, right)
        rows.append((strike, years, rate, carry, vol, right, float(value) if value > mp.mpf("1e-300") else 0.0))
    print("//! 50-digit prices for a spot of 100, written by `rust/kernel/fit/reference.py`; do not edit.")
    print("\n/// (strike, years, rate, dividend yield, vol, right, price); prices below 1e-300 are given as 0.")
    print(f"pub(super) const PRICES: [(f64, f64, f64, f64, f64, i8, f64); {len(rows)}] = [")
    for row in rows:
        print(f"    ({', '.join(map(repr, row))}),")
    print("];")


if __name__ == "__main__":
    main()
