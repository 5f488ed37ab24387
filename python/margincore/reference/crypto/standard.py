"""Rules-based ("standard") margin of the crypto venues: a formula per position, no offsets.

All amounts per coin and in dollars; `mark` is the option's price in dollars. Long options need only their premium.
"""

from __future__ import annotations


def option(
    right: int,
    spot: float,
    strike: float,
    mark: float,
    quantity: float,
    a: float,
    b: float,
    c: float,
    base: float | None = None,
) -> tuple[float, float]:
    """Initial and maintenance margin of an option position, mark included (Deribit, Bit.com, Aevo, OKX without tiers).

    The distance out of the money is measured on `base`, the index where it is left out (OKX: the expiry's forward).

    >>> [round(x, 2) for x in option(-1, 2098.0, 1850.0, 2.4, -50.0, 0.15, 0.10, 0.075)]
    [10610.0, 7987.5]
    """
    short = max(-quantity, 0.0)
    base = spot if base is None else base
    out = max(right * (strike - base), 0.0)
    initial = max(a - out / base, b) * spot + mark
    maintenance = c * spot + mark
    if right < 0:
        maintenance = max(c * spot, c * mark) + mark
        initial = max(initial, maintenance)
    return initial * short, maintenance * short


def future(size: float, price: float, base: float, slope: float) -> float:
    """Margin of a future or perpetual whose rate grows with the size in coin.

    >>> future(25.0, 100_000.0, 0.02, 5e-5)
    53125.0
    """
    return (base + slope * abs(size)) * abs(size) * price


def side_wise(position: float, buys: float, sells: float) -> tuple[float, float]:
    """Open size on each side: orders count only as far as they open (OKX, Paradex).

    >>> side_wise(-1.0, 3.0, 2.0)
    (2.0, 3.0)
    """
    return max(0.0, buys + position), max(0.0, sells - position)


def paradex_option(
    right: int, spot: float, strike: float, mark: float, quantity: float, p: dict[str, float]
) -> tuple[float, float]:
    """Paradex cross margin of an option: short ITM and OTM rates, longs at most their mark, short puts capped.

    `p` has short_itm, short_otm, long_cap, put_cap (fractions of spot) and mm_factor. The in-the-money rate applies in
    the money and is reduced by the distance out of the money down to the floor, like the venues' common formula.
    """
    if quantity >= 0.0:
        initial = quantity * min(mark, p["long_cap"] * spot)
        return initial, initial * p["mm_factor"]
    out = max(right * (strike - spot), 0.0)
    unit = max(p["short_itm"] * spot - out, p["short_otm"] * spot)
    if right < 0:
        unit = min(unit, p["put_cap"] * spot)
    return -quantity * unit, -quantity * unit * p["mm_factor"]
