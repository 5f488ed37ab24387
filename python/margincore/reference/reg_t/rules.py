"""What each recognised strategy requires, on the basis of liquidating equity.

Every amount is the equity (cash + stock + option value) that must stand behind the strategy, in dollars: long
options at what they cost less their loan value, short options at their requirement less their mark, long stock at
its margin, short stock at its margin above the sale proceeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf


@dataclass(frozen=True)
class Percentages:
    """Short-option percentages and the leverage factor of one underlying (FINRA 4210(f)(2)(E), RN 09-53)."""

    base: float = 0.20
    minimum: float = 0.10
    leverage: float = 1.0


@dataclass(frozen=True)
class Leg:
    """One option contract held once: `side` +1 long, -1 short. `price` is per unit; dollars = price x multiplier.

    `scale` is 0.1 for a series on a tenth of the index: its strike and `spot` are on the reduced level.
    `delivers` are the shares one adjusted contract delivers, by symbol with their price, `cash` the cash beside them;
    the strike of an adjusted contract is multiplied by `strike_multiplier`, its price by `multiplier`.
    `expiry` only has to order the legs; `long_dated` is the nine-month test, made by the caller.
    """

    right: str
    strike: float
    expiry: float
    side: int
    price: float
    spot: float
    multiplier: float = 100.0
    style: str = "american"
    listed: bool = True
    cash_settled: bool = False
    long_dated: bool = False
    scale: float = 1.0
    underlying: str = "XYZ"
    percentages: Percentages = field(default_factory=Percentages)
    delivers: tuple[tuple[str, float, float], ...] = ()
    cash: float = 0.0
    strike_multiplier: float | None = None

    @property
    def value(self) -> float:
        """Dollars that what one contract delivers is worth."""
        if not self.adjusted:
            return self.spot * self.multiplier
        return sum(shares * price for _, shares, price in self.delivers) + self.cash

    @property
    def adjusted(self) -> bool:
        return bool(self.delivers or self.cash)

    @property
    def paid(self) -> float:
        """Dollars that exercise pays, or is paid, for it."""
        return self.strike * (self.multiplier if self.strike_multiplier is None else self.strike_multiplier)

    @property
    def same(self) -> tuple[object, ...]:
        """Equal for legs that are on the same, whatever it is worth."""
        if not self.adjusted:
            return (self.underlying,)
        return (self.underlying, self.delivers, self.cash, self.strike_multiplier, self.multiplier)

    @property
    def mark(self) -> float:
        """Dollar value of one contract, positive."""
        return self.price * self.multiplier

    @property
    def units(self) -> float:
        """Full-value units of the underlying one contract stands for."""
        return self.multiplier * self.scale

    def gain(self, value: float) -> float:
        """Dollars of intrinsic value where what is delivered is worth `value`."""
        return max(value - self.paid if self.right == "call" else self.paid - value, 0.0)

    def intrinsic(self, spot: float) -> float:
        """Dollars of intrinsic value at a spot of the (reduced) index."""
        return self.gain(spot * self.multiplier)

    @property
    def in_the_money(self) -> float:
        return self.gain(self.value)

    @property
    def out_of_the_money(self) -> float:
        return max(self.paid - self.value if self.right == "call" else self.value - self.paid, 0.0)


@dataclass(frozen=True)
class Stock:
    """A block of shares that may stand against one option contract: `shares` signed."""

    shares: float
    price: float
    covers: tuple[str, ...] = ("XYZ",)
    tracks: tuple[str, ...] = ()  # indexes whose options the shares cover without being their underlying
    leverage: float = 1.0

    @property
    def value(self) -> float:
        return abs(self.shares) * self.price


Book = tuple[Leg | Stock, ...]


def naked_requirement(leg: Leg) -> float:
    """Gross requirement of one uncovered short contract, the mark included (FINRA 4210(f)(2)(E)(i))."""
    p = leg.percentages
    percentage = max(
        p.base * p.leverage * leg.value - leg.out_of_the_money,
        p.minimum * p.leverage * (leg.value if leg.right == "call" else leg.paid),
    )
    return leg.mark + percentage


def long_cost(leg: Leg) -> float:
    """What a long option standing alone must be paid with: options over nine months have a quarter of loan value."""
    if not leg.long_dated:
        return leg.mark
    lendable = leg.mark if leg.listed else min(leg.in_the_money, leg.mark)
    return leg.mark - 0.25 * lendable


def stock_rate(stock: Stock) -> float:
    """Maintenance percentage of a stock block (FINRA 4210(c), RN 09-53)."""
    if stock.shares > 0:
        return min(0.25 * stock.leverage, 1.0)
    percentage = min(0.30 * stock.leverage, 1.0)
    floor = 5.0 / stock.price if stock.price >= 5 else max(1.0, 2.5 / stock.price)
    return max(percentage, floor)


def maximum_loss(legs: Sequence[Leg]) -> float:
    """Largest loss at intrinsic over zero and every strike, not below zero (Cboe 10.3(a)(5), universal spread)."""
    worst = 0.0
    if any(leg.adjusted for leg in legs):  # all are on one deliverable, which may be worth anything
        for value in [0.0, *(leg.paid for leg in legs)]:
            worst = max(worst, -sum(leg.side * leg.gain(value) for leg in legs))
        return worst
    for spot in [0.0, *(leg.strike / leg.scale for leg in legs)]:
        loss = -sum(leg.side * leg.intrinsic(spot * leg.scale) for leg in legs)
        worst = max(worst, loss)
    return worst


def is_spread(legs: Sequence[Leg]) -> bool:
    """The universal spread conditions: one underlying, style and kind of listing, balanced, shorts expire first."""
    if len({(leg.same, leg.style, leg.listed) for leg in legs}) != 1 or len(legs) < 2:
        return False
    for right in ("call", "put"):
        side = [leg for leg in legs if leg.right == right]
        if abs(sum(leg.side * leg.units for leg in side)) > 1e-9:
            return False
        for cut in {leg.expiry for leg in side}:  # enough longs at or beyond every expiry (Hall)
            if sum(leg.side * leg.units for leg in side if leg.expiry >= cut) < -1e-9:
                return False
    return True


def _spread(legs: Sequence[Leg]) -> float:
    paid = sum(leg.mark for leg in legs if leg.side > 0)
    received = sum(leg.mark for leg in legs if leg.side < 0)
    return paid + maximum_loss(legs) - received


def _box(legs: Sequence[Leg]) -> float:
    """Long box of European cash-settled options: half the strike difference."""
    if len(legs) != 4 or any(leg.style != "european" or not leg.cash_settled for leg in legs):
        return inf
    if len({(leg.expiry, leg.scale, leg.multiplier, leg.same, leg.listed) for leg in legs}) != 1:
        return inf
    found = {(leg.right, leg.side): leg for leg in legs}
    if len(found) != 4:
        return inf
    low, high = found["call", 1], found["call", -1]
    if low.strike >= high.strike or found["put", 1].strike != high.strike or found["put", -1].strike != low.strike:
        return inf
    return 0.5 * (high.paid - low.paid)


def _two_sided(a: Leg, b: Leg) -> float:
    if a.side > 0 or b.side > 0 or a.right == b.right or a.same != b.same:
        return inf
    if a.units != b.units:
        return inf
    ra, rb = naked_requirement(a), naked_requirement(b)
    greater, other = (ra, b) if ra >= rb else (rb, a)
    return greater + other.mark - a.mark - b.mark


def _with_stock(stock: Stock, legs: Sequence[Leg], maintenance: bool) -> float:
    """Covered, protected and converted stock. The block must be exactly what one contract of each leg needs."""
    value, rate = stock.value, stock_rate(stock)
    own = all(leg.underlying in stock.covers for leg in legs)
    if not own and not all(leg.underlying in stock.tracks and leg.cash_settled for leg in legs):
        return inf
    for leg in legs:
        if leg.adjusted:  # all of the shares; what needs those of another security too is not covered by these
            if len(leg.delivers) != 1:
                return inf
            enough = leg.delivers[0][1]
        else:
            enough = leg.multiplier if own else leg.spot * leg.multiplier / stock.price
        if abs(abs(stock.shares) - enough) > 1e-9:
            return inf
    initial = 0.5 * value
    long = stock.shares > 0
    writing = "call" if long else "put"
    short = [leg for leg in legs if leg.side < 0 and leg.right == writing]
    hedge = [leg for leg in legs if leg.side > 0 and leg.right != writing]
    if len(short) + len(hedge) != len(legs) or len(short) > 1 or len(hedge) > 1:
        return inf
    paid = sum(leg.mark for leg in hedge) if maintenance else sum(long_cost(leg) for leg in hedge)
    # The stock is carried at no more (short: no less) than the strike of the option written on it.
    written = sum(leg.in_the_money - leg.mark for leg in short)
    if not maintenance:
        return initial + paid + written
    if hedge and not own:
        return inf
    if not hedge:
        carried = max(value - short[0].in_the_money, 0.0) if long else value
        return rate * carried + written
    h = hedge[0]
    strike = h.paid
    if not short:
        alone = rate * value
        return (
            min(0.10 * strike + h.out_of_the_money, alone) + paid
            if long
            else (min(1.10 * strike + h.out_of_the_money, alone + value) - value + paid)
        )
    w = short[0]
    if w.expiry != h.expiry or w.same != h.same:
        return inf
    if w.strike == h.strike:
        return 0.10 * strike + paid + written if long else 1.10 * strike - value + paid + written
    if long and h.strike < w.strike:
        collar = min(0.10 * strike + h.out_of_the_money, rate * w.paid)
        return collar + paid + written
    return inf


def _with_several(stocks: Sequence[Stock], leg: Leg, maintenance: bool) -> float:
    """A written option that delivers several securities, covered by all the shares of each."""
    long = leg.right == "call"
    if leg.side > 0 or len(stocks) != len(leg.delivers):
        return inf
    for symbol, shares, _ in leg.delivers:
        if not any(symbol in s.covers and s.shares == (shares if long else -shares) for s in stocks):
            return inf
    written = leg.in_the_money - leg.mark
    whole = sum(stock.value for stock in stocks)
    if not maintenance:
        return 0.5 * whole + written
    carried = max(1.0 - leg.in_the_money / whole, 0.0) if long else 1.0
    return sum(stock_rate(stock) * stock.value * carried for stock in stocks) + written


def equity_required(items: Book, maintenance: bool = False) -> float:
    """Equity one strategy made of exactly these items requires; infinite where no rule recognises them together."""
    stocks = [x for x in items if isinstance(x, Stock)]
    legs = [x for x in items if isinstance(x, Leg)]
    if len(stocks) > 1:
        return _with_several(stocks, legs[0], maintenance) if len(legs) == 1 else inf
    if stocks:
        if legs:
            return _with_stock(stocks[0], legs, maintenance)
        return stocks[0].value * (stock_rate(stocks[0]) if maintenance else 0.5)
    if len(legs) == 1:
        leg = legs[0]
        return long_cost(leg) if leg.side > 0 else naked_requirement(leg) - leg.mark
    best = _two_sided(legs[0], legs[1]) if len(legs) == 2 else inf
    best = min(best, _box(legs))
    if is_spread(legs):
        best = min(best, _spread(legs))
    return best
