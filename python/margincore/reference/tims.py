"""TIMS customer portfolio margin in pure Python: ten price points, groups with offsets, minimums.

Rules: FINRA 4210(g) and Cboe 10.4; the algorithm of the Options Clearing Corporation. The underlying's
price moves at ten points; volatility and time do not. Profit and loss is measured from the current price,
positive for a gain, in the contracts' currency; requirements are positive amounts on top of an equity that
already contains option values.

The steps: :func:`points` (the grid), :func:`model_price` (one option at a point), :func:`combine` (offsets
of the groups), :func:`margin` (the account).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from margincore.reference import pricing

Grid = Literal["fifths", "even"]
Level = Literal["class_group", "product_group", "portfolio_group"]
VolRule = Literal["sticky_strike", "sticky_moneyness"]


@dataclass(frozen=True)
class Underlying:
    """One underlying: its price, the carry to price options with, and its Market Move Adjustment Factor.

    ``dividends`` are cash amounts per share, each with its time in years; at a scenario point they stay
    fixed in dollars. ``factor`` scales the range of a leveraged fund (2.0, 3.0) and turns it round for an
    inverse one (-1.0).
    """

    price: float
    rate: float = 0.0
    dividend_yield: float = 0.0
    dividends: tuple[tuple[float, float], ...] = ()
    factor: float = 1.0


@dataclass(frozen=True)
class Contract:
    """A stock, future or option, in plain values.

    ``price`` is the mark per unit (for an option the premium; a stock or future without one stands at its
    underlying's price). An option needs ``right`` (+1 call, -1 put), ``strike``, ``years`` and
    ``exercise``, and either ``vol`` or a ``price`` to imply it from. ``future_price`` makes it an option on
    that future. ``ten_values`` are OCC's own profit and loss per long contract and replace every model.
    ``minimum`` is the charge per contract, where a file gives one; otherwise the rate times the multiplier.
    An adjusted option delivers ``shares`` of its underlying and ``cash`` for its strike times ``strike_multiplier``;
    its premium is the price times the multiplier. The shares move, the cash does not: it is an option on each share,
    for the strike less the cash.
    """

    symbol: str
    kind: Literal["stock", "future", "option"]
    price: float | None = None
    multiplier: float = 1.0
    right: int = 0
    strike: float = 0.0
    years: float = 0.0
    exercise: Literal["european", "american"] = "european"
    vol: float | None = None
    future_price: float | None = None
    ten_values: tuple[float, ...] | None = None
    minimum: float | None = None
    shares: float | None = None
    cash: float = 0.0
    strike_multiplier: float | None = None

    @property
    def units(self) -> float:
        """Shares (or other units) that one contract is for."""
        return self.multiplier if self.shares is None else self.shares

    @property
    def unit_strike(self) -> float:
        """What one of them costs at exercise."""
        if self.shares is None:
            return self.strike
        paid = self.strike * (self.multiplier if self.strike_multiplier is None else self.strike_multiplier)
        return (paid - self.cash) / self.shares

    @property
    def unit_price(self) -> float | None:
        """The mark of an option on one of them."""
        if self.shares is None or self.price is None:
            return self.price
        return self.price * self.multiplier / self.shares


@dataclass(frozen=True)
class Position:
    """A contract and how many of it are held; long and short are both positive counts."""

    contract: Contract
    long: float = 0.0
    short: float = 0.0

    @property
    def net(self) -> float:
        """Long minus short."""
        return self.long - self.short


@dataclass(frozen=True)
class Parameters:
    """The rulebook's tables. A name that is in none of them is its own class, product and portfolio group.

    ``class_group`` maps symbols, ``product_group`` class groups and ``portfolio_group`` product groups to
    the level above. ``ranges`` are (down, up) as fractions of the price, by class group. Offsets are the
    share of a gain that counts against losses, by group.
    """

    class_group: Mapping[str, str] = field(default_factory=dict)
    product_group: Mapping[str, str] = field(default_factory=dict)
    portfolio_group: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    default_range: tuple[float, float] = (-0.15, 0.15)
    product_offsets: Mapping[str, float] = field(default_factory=dict)
    portfolio_offsets: Mapping[str, float] = field(default_factory=dict)
    minimum_rate: float = 0.375
    minimum_level: Level = "class_group"
    grid: Grid = "fifths"
    vol_rule: VolRule = "sticky_strike"
    base: Literal["theoretical", "mark"] = "theoretical"
    steps: int = 400


@dataclass(frozen=True)
class StressPoint:
    """An extra point of a house overlay: a price move and a change of volatility.

    ``vol`` is added to the volatility, or with ``relative`` a fraction of it: +0.15 turns 20 % into 35 % or
    23 %.
    """

    price: float
    vol: float = 0.0
    relative: bool = False


@dataclass(frozen=True)
class Overlay:
    """A house's stricter scan, charged where it exceeds the rule and never mixed into the regulatory number.

    ``points`` are stress points; ``range`` (every class group) and ``ranges`` (by class group, in its place)
    are ten-point ranges of the house's own. ``floor_per_short_option`` is money per short option contract, at
    least. A house nets inside a class group and grants no offsets between them.
    """

    name: str
    points: tuple[StressPoint, ...] = ()
    range: tuple[float, float] | None = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    floor_per_short_option: float = 0.0


@dataclass(frozen=True)
class Group:
    """One group: profit and loss at each point, and the sum of its minimums."""

    name: str
    pnl: tuple[float, ...]
    minimum: float

    @property
    def worst(self) -> int:
        """The ordinal of the largest loss, 0 being the first point; the lowest one of equals."""
        return min(range(len(self.pnl)), key=lambda k: (self.pnl[k], k))

    @property
    def loss(self) -> float:
        """The largest loss, zero where every point is a gain."""
        return max(0.0, -self.pnl[self.worst])

    @property
    def shortfall(self) -> float:
        """What the minimum asks for beyond the largest loss."""
        return max(0.0, self.minimum - self.loss)

    @property
    def binding(self) -> Literal["scan", "minimum"]:
        """Whether the largest loss or the minimum decides at this group's level."""
        return "minimum" if self.shortfall > 0.0 else "scan"


@dataclass(frozen=True)
class Result:
    """An account's requirement with everything it was made from.

    ``requirements`` is the regulatory number by portfolio group; ``house`` is what each overlay adds to it.
    """

    class_groups: Mapping[str, Group]
    product_groups: Mapping[str, Group]
    portfolio_groups: Mapping[str, Group]
    requirements: Mapping[str, float]
    house: Mapping[str, float]

    @property
    def requirement(self) -> float:
        """The regulatory requirement: the sum over portfolio groups, in name order."""
        return sum(self.requirements.values())

    @property
    def total(self) -> float:
        """The requirement with the house's add-ons."""
        return self.requirement + sum(self.house.values())


def points(down: float, up: float, grid: Grid = "fifths") -> tuple[float, ...]:
    """The ten price moves, from the lowest to the highest, without zero.

    ``fifths`` divides each side into five equal steps. ``even`` divides the whole range into ten equal
    steps and leaves out the middle one of the eleven points: two readings of "ten equidistant points" for
    an asymmetric range.

    >>> [round(100 * m, 2) for m in points(-0.08, 0.06)]
    [-8.0, -6.4, -4.8, -3.2, -1.6, 1.2, 2.4, 3.6, 4.8, 6.0]
    >>> [round(100 * m, 2) for m in points(-0.08, 0.06, "even")]
    [-8.0, -6.6, -5.2, -3.8, -2.4, 0.4, 1.8, 3.2, 4.6, 6.0]
    """
    if grid == "fifths":
        return tuple(down * k / 5 for k in (5, 4, 3, 2, 1)) + tuple(up * k / 5 for k in (1, 2, 3, 4, 5))
    return tuple(down + (up - down) * k / 10 for k in range(11) if k != 5)


def margin(
    positions: Sequence[Position],
    underlyings: Mapping[str, Underlying],
    parameters: Parameters | None = None,
    overlays: Sequence[Overlay] = (),
) -> Result:
    """The portfolio margin of an account.

    Raises ``KeyError`` for an underlying that is not given and ``ValueError`` for a contract that cannot be
    priced.

    >>> stock = Contract("XYZ", "stock")
    >>> margin([Position(stock, long=100)], {"XYZ": Underlying(50.0)}).requirement  # 15 % of 5,000
    750.0
    """
    parameters = parameters or Parameters()
    held = [position for position in positions if position.long or position.short]
    desk = _Desk(held, underlyings, parameters)
    minimums: dict[str, float] = {}
    for position in held:
        group = _class_group(position.contract.symbol, parameters)
        minimums[group] = minimums.get(group, 0.0) + desk.minimum(position)

    classes = desk.scan(lambda group: desk.ten_points(group, parameters.ranges), minimums)
    products = combine(classes, parameters.product_group, parameters.product_offsets)
    portfolios = combine(products, parameters.portfolio_group, parameters.portfolio_offsets)
    levels = {"class_group": classes, "product_group": products, "portfolio_group": portfolios}
    requirements = {
        name: group.loss
        + sum(
            child.shortfall
            for child in levels[parameters.minimum_level].values()
            if _portfolio_group(child.name, parameters.minimum_level, parameters) == name
        )
        for name, group in portfolios.items()
    }
    asked = dict(requirements)
    house: dict[str, float] = {}
    for overlay in overlays:
        wanted = dict.fromkeys(requirements, 0.0)
        for name in classes:
            portfolio = _portfolio_group(name, "class_group", parameters)
            wanted[portfolio] += desk.house_requirement(name, overlay)
        house[overlay.name] = 0.0
        for name, amount in wanted.items():
            above = max(0.0, amount - asked[name])
            asked[name] += above
            house[overlay.name] += above
    return Result(classes, products, portfolios, requirements, house)


def combine(groups: Mapping[str, Group], parent: Mapping[str, str], offsets: Mapping[str, float]) -> dict[str, Group]:
    """The level above: at every point losses count in full and gains count for the parent's offset share.

    A parent with a single group in it scales nothing, and a group that is in no table is its own parent, so
    names that the tables do not bring together never offset each other.

    >>> a, b = Group("A", (-100.0, 100.0), 0.0), Group("B", (90.0, -90.0), 0.0)
    >>> combine({"A": a, "B": b}, {"A": "index", "B": "index"}, {"index": 0.5})["index"].pnl
    (-55.0, -40.0)
    """
    members: dict[str, list[Group]] = {}
    for group in groups.values():
        members.setdefault(parent.get(group.name, group.name), []).append(group)
    combined = {}
    for name, children in sorted(members.items()):
        share = 1.0 if len(children) == 1 else offsets[name]
        pnl = [0.0] * len(children[0].pnl)
        for child in children:
            for k, value in enumerate(child.pnl):
                pnl[k] += value if value < 0.0 else share * value
        combined[name] = Group(name, tuple(pnl), sum(child.minimum for child in children))
    return combined


def model_price(contract: Contract, underlying: Underlying, move: float, vol: float, steps: int = 400) -> float:
    """An option's model price per unit, with its underlying moved by the fraction ``move``; time unchanged.

    European options by Black-Scholes (Black-76 on a future), American ones by a Cox-Ross-Rubinstein tree.
    Cash dividends until expiry are taken off the spot at their value now (escrowed) and do not move
    with it.
    """
    if move <= -1.0:
        raise ValueError(f"{contract.symbol}: a move of {move:+.0%} leaves no price")
    years, rate, strike, right = contract.years, underlying.rate, contract.unit_strike, contract.right
    american = contract.exercise == "american"
    if contract.future_price is not None:
        forward = contract.future_price * (1.0 + move)
        if american:
            return pricing.crr(forward, strike, years, rate, rate, vol, right, True, steps)
        return pricing.black76(forward, strike, years, vol, right, math.exp(-rate * years))
    spot, carry = underlying.price * (1.0 + move), underlying.dividend_yield
    if american:
        return pricing.crr(spot, strike, years, rate, carry, vol, right, True, steps, underlying.dividends)
    escrowed = sum(cash * math.exp((carry - rate) * at) for at, cash in underlying.dividends if 0.0 < at <= years)
    return pricing.black_scholes(spot - escrowed, strike, years, rate, carry, vol, right)


def implied_vol(contract: Contract, underlying: Underlying, steps: int = 400) -> float:
    """The volatility that gives the contract's price, by bisection to 1e-12.

    Raises ``ValueError`` where no volatility between 0.01 % and 400 % does.

    >>> option = Contract("XYZ", "option", price=4.76, right=1, strike=40.0, years=0.5)
    >>> round(implied_vol(option, Underlying(42.0, rate=0.10)), 3)  # Hull, example 15.6
    0.2
    """
    name = f"option on {contract.symbol}, strike {contract.strike}"
    mark = contract.unit_price
    if mark is None:
        raise ValueError(f"{name}: neither a vol nor a price is given")

    def excess(vol: float) -> float:
        try:
            return model_price(contract, underlying, 0.0, vol, steps) - mark
        except ValueError:  # so little noise that the tree has no probabilities: below the volatility looked for
            return -math.inf

    low, high = 1e-4, 4.0
    if excess(low) > 0.0 or excess(high) < 0.0:
        raise ValueError(f"{name}: no volatility gives the price {contract.price}")
    while high - low > 1e-12:
        middle = 0.5 * (low + high)
        if excess(middle) < 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@dataclass(frozen=True)
class Greeks:
    """Sensitivities of a book to one underlying: units of it, per 1.00 of its price; money per 1.00 of vol and rate."""

    delta: float = 0.0
    gamma: float = 0.0
    vega: float = 0.0
    rho: float = 0.0


def greeks(positions: Sequence[Position], underlying: Underlying, steps: int = 400) -> Greeks:
    """Differences of every contract's model value, added up; options need a ``vol``.

    The price moves by two nodes of a tree of ``steps`` steps, which fall on nodes again: in between a tree's price is
    not smooth. Vol and rate move by 0.01 and 0.001.

    >>> greeks([Position(Contract("XYZ", "stock"), long=100)], Underlying(50.0)).delta
    100.0
    """
    delta = gamma = vega = rho = 0.0
    for position in positions:
        contract, size = position.contract, position.net * position.contract.units
        if contract.kind != "option":
            delta += size
            continue
        vol = contract.vol
        assert vol is not None

        def value(
            move: float = 0.0, more: float = 0.0, rate: float = 0.0, contract: Contract = contract, vol: float = vol
        ) -> float:
            moved = replace(underlying, rate=underlying.rate + rate)
            return model_price(contract, moved, move, vol + more, steps)

        node = math.exp(2.0 * vol * math.sqrt(contract.years / steps))
        middle, up, down = value(), value(node - 1.0), value(1.0 / node - 1.0)
        above, below = underlying.price * (node - 1.0), underlying.price * (1.0 - 1.0 / node)
        rising, falling = (up - middle) / above, (middle - down) / below
        delta += size * (rising * below + falling * above) / (above + below)
        gamma += size * 2.0 * (rising - falling) / (above + below)
        vega += size * (value(more=0.01) - value(more=-0.01)) / 0.02
        rho += size * (value(rate=1e-3) - value(rate=-1e-3)) / 2e-3
    return Greeks(delta, gamma, vega, rho)


def curve_vol(curve: Sequence[tuple[float, float]], strike: float) -> float:
    """An expiry's volatility curve at a strike: straight lines between its points, flat beyond them.

    >>> curve_vol([(90.0, 0.25), (110.0, 0.15)], 100.0)
    0.2
    >>> curve_vol([(90.0, 0.25), (110.0, 0.15)], 50.0)
    0.25
    """
    if strike <= curve[0][0]:
        return curve[0][1]
    for (k0, v0), (k1, v1) in itertools.pairwise(curve):
        if strike <= k1:
            return v0 + (v1 - v0) * (strike - k0) / (k1 - k0)
    return curve[-1][1]


_Move = tuple[float, float, bool]  # price move, vol move, whether the vol move is relative


class _Desk:
    """The contracts of one account with their volatilities, ready to be valued at any point."""

    def __init__(self, held: Sequence[Position], underlyings: Mapping[str, Underlying], parameters: Parameters) -> None:
        self.held = held
        self.underlyings = underlyings
        self.parameters = parameters
        self.vols: dict[Contract, float] = {}
        for position in held:
            contract = position.contract
            if contract.kind == "option" and contract.ten_values is None:
                vol = contract.vol
                if vol is None:
                    vol = implied_vol(contract, underlyings[contract.symbol], parameters.steps)
                self.vols[contract] = vol
        self.curves = self._curves()

    def _curves(self) -> dict[tuple[str, float], list[tuple[float, float]]]:
        """Strike and vol of every expiry, ascending; a call and a put of one strike at their mean."""
        by_strike: dict[tuple[str, float], dict[float, list[float]]] = {}
        for contract, vol in self.vols.items():
            expiry = by_strike.setdefault((contract.symbol, contract.years), {})
            expiry.setdefault(contract.unit_strike, []).append(vol)
        return {
            key: sorted((strike, sum(vols) / len(vols)) for strike, vols in expiry.items())
            for key, expiry in by_strike.items()
        }

    def ten_points(self, group: str, ranges: Mapping[str, tuple[float, float]]) -> list[_Move]:
        """The ten points of a class group, without its products' factors."""
        down, up = ranges.get(group, self.parameters.default_range)
        return [(move, 0.0, False) for move in points(down, up, self.parameters.grid)]

    def scan(self, moves_of: Callable[[str], Sequence[_Move]], minimums: Mapping[str, float]) -> dict[str, Group]:
        """Profit and loss of every class group held, netted in full inside the group."""
        pnl: dict[str, list[float]] = {}
        for position in self.held:
            group = _class_group(position.contract.symbol, self.parameters)
            moves = moves_of(group)
            row = pnl.setdefault(group, [0.0] * len(moves))
            for k, move in enumerate(moves):
                row[k] += position.net * self.value(position.contract, k, move)
        return {name: Group(name, tuple(row), minimums[name]) for name, row in sorted(pnl.items())}

    def house_requirement(self, group: str, overlay: Overlay) -> float:
        """What an overlay asks for one class group: its worst stress, or its floor on short options."""
        own = [p for p in self.held if _class_group(p.contract.symbol, self.parameters) == group]
        moves = [(point.price, point.vol, point.relative) for point in overlay.points]
        own_range = overlay.ranges.get(group, overlay.range)
        if own_range is not None:
            moves += self.ten_points(group, {group: own_range})
        if moves and any(p.contract.ten_values is not None for p in own):
            raise ValueError(f"{group}: a stress needs contracts it can reprice, not ten given values")
        losses = [-sum(p.net * self.value(p.contract, 0, move) for p in own) for move in moves]
        shorts = sum(p.short for p in own if p.contract.kind == "option")
        return max([0.0, overlay.floor_per_short_option * shorts, *losses])

    def value(self, contract: Contract, ordinal: int, move: _Move) -> float:
        """Profit or loss of one long contract at a point; the underlying's factor scales the price move."""
        if contract.ten_values is not None:
            return contract.ten_values[ordinal]
        underlying = self.underlyings[contract.symbol]
        price_move = move[0] * underlying.factor
        if contract.kind != "option":
            price = underlying.price if contract.price is None else contract.price
            return price * price_move * contract.multiplier
        vol = self.vols[contract]
        base = model_price(contract, underlying, 0.0, vol, self.parameters.steps)
        if self.parameters.base == "mark" and contract.unit_price is not None:
            base = contract.unit_price
        if self.parameters.vol_rule == "sticky_moneyness":
            curve = self.curves[contract.symbol, contract.years]
            moved_strike = contract.unit_strike / (1.0 + price_move)
            vol += curve_vol(curve, moved_strike) - curve_vol(curve, contract.unit_strike)
        vol += move[1] * (self.vols[contract] if move[2] else 1.0)
        moved = model_price(contract, underlying, price_move, max(vol, 0.0), self.parameters.steps)
        return (moved - base) * contract.units

    def minimum(self, position: Position) -> float:
        """The charge per option and future: the file's, or $0.375 times the multiplier; none for stock.

        Long options are charged no more than their market value.
        """
        contract = position.contract
        if contract.kind == "stock":
            return 0.0
        charge = contract.minimum
        if charge is None:
            charge = self.parameters.minimum_rate * contract.multiplier
        if contract.kind == "future" or not position.long:
            return (position.long + position.short) * charge
        mark = contract.unit_price
        if mark is None:
            underlying = self.underlyings[contract.symbol]
            mark = model_price(contract, underlying, 0.0, self.vols[contract], self.parameters.steps)
        return position.long * min(charge, mark * contract.units) + position.short * charge


def _class_group(symbol: str, parameters: Parameters) -> str:
    return parameters.class_group.get(symbol, symbol)


def _portfolio_group(name: str, level: Level, parameters: Parameters) -> str:
    """The portfolio group above a class, product or portfolio group."""
    if level == "class_group":
        name = parameters.product_group.get(name, name)
    if level != "portfolio_group":
        name = parameters.portfolio_group.get(name, name)
    return name
