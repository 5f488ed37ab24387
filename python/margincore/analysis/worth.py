"""What an account's positions gain and lose as prices, volatilities and time move: the values behind the pictures.

Values are theoretical: options by :mod:`margincore.pricing` at their own volatility (sticky strike), the one that is
given or else the one their mark implies; everything else moves in proportion with its underlying. Cash and collateral
are left out. Time to a date is whole days over 365, to an instant seconds over 365 days. An option for whose currency
no rate is given is valued on its forward without a discount, as crypto venues do; coin-settled options always are.
A basis (a forward or future over its spot) runs off evenly in the logarithm until the expiry.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from margincore import pricing
from margincore._core import Account, Contract, Contracts, InvalidInput, Market, MissingData, Unsupported
from margincore.analysis.mover import root_of, snapshot_of
from margincore.analysis.repricing import Repricer, forward_of, price_of, rate_of

Floats = NDArray[np.float64]
_YEAR = dt.timedelta(days=365)
_STILL = np.ones(1)


class Level(NamedTuple):
    """What moves the contracts of one underlying: its price today, and whose price that is (a symbol or contract)."""

    name: str
    price: float


class _Terms(NamedTuple):
    """An option's inputs before its underlying moves: the price it is written on and how that runs off to spot."""

    price: float
    run_off: float  # the logarithm of spot over that price, reached at `until`
    until: dt.datetime | None
    rate: float
    carry: float
    cash: tuple[tuple[dt.date, float], ...]


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def years_to(contract: Contract, at: dt.datetime) -> float:
    """Years to an expiry, none of them negative."""
    if "T" in str(contract.expiry):
        return max((_instant(str(contract.expires)) - at) / _YEAR, 0.0)
    return max(contract.days_from(at) or 0, 0) / 365.0


class Worth:
    """Values of an account's positions in one market, and in those it may become.

    `contracts` adds what options are written on. Raises :class:`margincore.MissingData` for what is not quoted,
    :class:`margincore.Unsupported` for contracts without a value here (adjusted options), by name.

    >>> import margincore as mc
    >>> call = mc.Option("XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
    ...                  currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, vol={call.id: 0.3}, rate={"USD": 0.05})
    >>> worth = Worth(mc.Account([mc.Position(call, -1)]), market)
    >>> worth.profit({"XYZ": np.array([1.0, 1.1])}, at=worth.nearest()).round(2).tolist()      # the premium, less 500
    [175.12, -324.88]
    """

    def __init__(self, account: Account, market: Market, contracts: Iterable[Contract] = ()) -> None:
        self.parts: dict[str, Any] = snapshot_of(market)
        self.now = _instant(self.parts["valuation"])
        held = {p.contract.id: p.contract for p in account.positions}
        self.table = Contracts({**held, **{c.id: c for c in contracts}}.values())
        self.quantity: dict[str, float] = {}
        for p in account.positions:
            self.quantity[p.contract.id] = self.quantity.get(p.contract.id, 0.0) + p.quantity
        self.held = held
        self.roots = {name: root_of(self.table, contract) for name, contract in held.items()}
        for contract in held.values():
            if contract.adjusted or (contract.kind == "option" and contract.multiplier_unit == "USD"):
                why = "an adjusted option" if contract.adjusted else "an option whose multiplier counts money"
                raise Unsupported(f"'{contract.id}': {why} has no value in pictures", where=contract.id)
        self.levels = {root: self._level(root) for root in dict.fromkeys(self.roots.values())}
        self._terms = {name: self._option(c) for name, c in held.items() if c.kind == "option"}
        self.vols = self._vols()
        self._base = {name: float(value[0]) for name, value in self._values(held, {}, 1.0, self.now).items()}

    def _vols(self) -> dict[str, float]:
        options = [c for c in self.held.values() if c.kind == "option"]
        given = self.parts.get("vol", {})
        without = [c.id for c in options if c.id not in given]
        marks = self.parts.get("price", {})
        if unquoted := [name for name in without if name not in marks]:
            raise MissingData(
                f"no vol and no price of '{unquoted[0]}': add one to market.vol or market.price",
                code="missing_vol",
                where=unquoted[0],
            )
        vols = {c.id: float(given[c.id]) for c in options if c.id in given}
        for name in without:
            vols[name] = self._implied(self.held[name], float(marks[name]))
        return vols

    def _implied(self, option: Contract, mark: float) -> float:
        terms = self._terms[option.id]
        if option.settlement == "inverse" or not self._discounted(option):
            money = mark * terms.price if option.settlement == "inverse" else mark
            right = 1 if option.right == "call" else -1
            years = years_to(option, self.now)
            found = pricing.implied_vol(money, terms.price, float(option.strike or 0.0), years, 0.0, 0.0, right)
            return float(found)
        return Repricer(self.table).vols(self.parts, {option.id: mark})[option.id]

    def _level(self, root: str) -> Level:
        """The spot of a symbol, or else the price of what expires first on it, perpetuals before futures."""
        spot = self.parts.get("spot", {}).get(root)
        if spot is not None:
            return Level(root, float(spot))
        linear = [c for c in self.table if c.underlying == root and c.kind in ("perpetual", "future")]
        for contract in sorted(linear, key=lambda c: str(c.expires or "")):
            price = price_of(self.parts, contract)
            if price is not None:
                if price <= 0.0:
                    raise Unsupported(
                        f"'{contract.id}' is at {price}: moves are fractions of a positive price", where=contract.id
                    )
                return Level(contract.id, price)
        raise MissingData(
            f"no price of '{root}' to move: add it to market.spot, or a future of it to market.price",
            code="missing_spot",
            where=root,
        )

    def _discounted(self, option: Contract) -> bool:
        """Whether an option is valued with a rate: not one settled in the coin, nor one whose currency has none."""
        if option.settlement == "inverse":
            return False
        expiry = dt.date.fromisoformat(str(option.expiry)[:10])
        return rate_of(self.parts, option.currency, expiry) is not None

    def _future(self, contract: Contract) -> tuple[float, float, dt.datetime]:
        """A future's price, and how it runs off to spot: the logarithm of spot over it, reached at its expiry."""
        price = price_of(self.parts, contract)
        if price is None:
            raise MissingData(
                f"no price of '{contract.id}': add it to market.price", code="missing_price", where=contract.id
            )
        return price, self._run_off(contract.underlying, price), _instant(str(contract.expires))

    def _run_off(self, symbol: str, price: float) -> float:
        spot = self.parts.get("spot", {}).get(symbol)
        return math.log(spot / price) if spot is not None and price > 0.0 and spot > 0.0 else 0.0

    def _option(self, option: Contract) -> _Terms:
        if option.premium == "futures_style":
            raise Unsupported(
                f"'{option.id}': an option whose premium is paid like a future has no value in pictures",
                where=option.id,
            )
        symbol = option.underlying
        expiry = dt.date.fromisoformat(str(option.expiry)[:10])
        rate = rate_of(self.parts, option.currency, expiry)
        own = self.table[self.table.index(symbol)] if symbol in self.table.ids else None
        if own is not None and own.kind == "future":
            price, run_off, until = self._future(own)
            rate = rate if rate is not None and option.settlement != "inverse" else 0.0
            return _Terms(price, run_off, until, rate, rate, ())
        years = years_to(option, self.now)
        forward = self._forward(option)
        spot = self.parts.get("spot", {}).get(symbol)
        if self._discounted(option) and spot is not None:
            today = self.now.date()
            cash = tuple(
                (ex, float(d["amount"]))
                for d in self.parts.get("dividends", {}).get(symbol, ())
                if today < (ex := dt.date.fromisoformat(d["date"])) <= expiry
            )
            carry = float(self.parts.get("dividend_yield", {}).get(symbol, 0.0))
            if forward is not None and years > 0.0 and not cash:
                carry = float(rate or 0.0) - math.log(forward / spot) / years
            return _Terms(float(spot), 0.0, None, float(rate or 0.0), carry, cash)
        if forward is None and rate is not None and spot is not None:
            carry = float(self.parts.get("dividend_yield", {}).get(symbol, 0.0))
            forward = spot * math.exp((rate - carry) * years)
        if forward is None:
            raise MissingData(
                f"no forward of '{option.id}', and no rate of {option.currency}: add one to market.forward or "
                "market.rate",
                code="missing_forward",
                where=option.id,
            )
        return _Terms(forward, self._run_off(symbol, forward), _instant(str(option.expires)), 0.0, 0.0, ())

    def _forward(self, option: Contract) -> float | None:
        """The market's forward at an option's expiry, or the mark of a future of the table that expires with it."""
        forward = forward_of(self.parts, option.underlying, option)
        if forward is not None:
            return forward
        for c in self.table:
            if c.kind == "future" and c.underlying == option.underlying and c.expires == option.expires:
                return price_of(self.parts, c)
        return None

    def _moved(self, price: float, run_off: float, until: dt.datetime | None, at: dt.datetime) -> float:
        """A forward price at an instant, nothing but time having moved."""
        if until is None or run_off == 0.0 or until <= self.now:
            return price
        return price * math.exp(run_off * min((at - self.now) / (until - self.now), 1.0))

    def _values(
        self, names: Iterable[str], factors: Mapping[str, Floats], vol_factor: float, at: dt.datetime
    ) -> dict[str, Floats]:
        """What one of each contract is worth, or has gained since today where it settles to its mark, in its currency.

        Options of one exercise and the same dividends are priced together, in one call.
        """
        found: dict[str, Floats] = {}
        groups: dict[Any, list[tuple[str, Floats, tuple[float, ...]]]] = {}
        for name in names:
            contract, own = self.held[name], factors.get(self.roots[name], _STILL)
            if contract.kind != "option":
                found[name] = self._linear(contract, own, at)
                continue
            underlying, years, cash = self._state(contract, own, at)
            terms = self._terms[name]
            right = 1.0 if contract.right == "call" else -1.0
            row = (float(contract.strike or 0.0), years, terms.rate, terms.carry, vol_factor * self.vols[name], right)
            groups.setdefault((contract.exercise, cash, len(own)), []).append((name, underlying, row))
        for (exercise, cash, _), rows in groups.items():
            underlying = np.stack([own for _, own, _ in rows])
            strike, years, rate, carry, vol, right = np.array([row for *_, row in rows]).T[:, :, None]
            more: dict[str, Any] = {"dividends": list(cash)} if cash else {}
            prices = pricing.price(underlying, strike, years, rate, carry, vol, right.astype(np.int8), exercise, **more)
            for (name, own, _), value in zip(rows, prices, strict=True):
                contract = self.held[name]
                found[name] = contract.multiplier * (value / own if contract.settlement == "inverse" else value)
        return found

    def _state(
        self, option: Contract, factors: Floats, at: dt.datetime
    ) -> tuple[Floats, float, tuple[tuple[float, float], ...]]:
        """What an option is written on at an instant, the years left to it, and dividends as (years to them, cash)."""
        terms, end = self._terms[option.id], _instant(str(option.expires))
        at = min(at, end)
        years = 0.0 if at == end else years_to(option, at)
        ahead = ((ex - at.date()).days / 365.0 for ex, _ in terms.cash)
        cash = tuple((t, amount) for t, (_, amount) in zip(ahead, terms.cash, strict=True) if t > 0.0 and years > 0.0)
        return factors * self._moved(terms.price, terms.run_off, terms.until, at), years, cash

    def _linear(self, contract: Contract, factors: Floats, at: dt.datetime) -> Floats:
        """As :meth:`_values`, of what is no option."""
        if contract.kind == "future":
            start, run_off, until = self._future(contract)
            end = factors * self._moved(start, run_off, until, at)
        else:
            quoted = price_of(self.parts, contract)
            if quoted is None:
                raise MissingData(
                    f"no price of '{contract.id}': add it to market.price", code="missing_price", where=contract.id
                )
            start, end = quoted, factors * quoted
        if contract.kind not in ("future", "perpetual"):
            return contract.multiplier * end
        # A multiplier that counts money holds fewer units the higher the price; what is paid in the coin is worth less.
        units = contract.multiplier / start if contract.multiplier_unit == "USD" else contract.multiplier
        gain = units * (end - start)
        return gain / end if contract.settlement == "inverse" else gain

    # ---- what pictures ask

    def expiries_of(self, root: str) -> tuple[dt.datetime, ...]:
        """The instants at which options held on an underlying expire."""
        options = [c for n, c in self.held.items() if c.kind == "option" and self.roots[n] == root]
        return tuple(sorted({_instant(str(c.expires)) for c in options}))

    def bends(self, root: str, at: dt.datetime) -> list[tuple[float, float]]:
        """Where a profit bends at an instant: strikes as parts of today's level, each with its standard deviation."""
        found = []
        for name, c in self.held.items():
            if c.kind == "option" and self.roots[name] == root:
                terms = self._terms[name]
                kink = float(c.strike or 0.0) / self._moved(terms.price, terms.run_off, terms.until, at)
                found.append((kink, self.vols[name] * math.sqrt(years_to(c, at))))
        return found

    def nearest(self, root: str | None = None) -> dt.datetime | None:
        """The first expiry of options that are held, of one underlying or of all; `None` without one."""
        options = [c for n, c in self.held.items() if c.kind == "option" and root in (None, self.roots[n])]
        ahead = [at for c in options if (at := _instant(str(c.expires))) > self.now]
        return min(ahead, default=None)

    def currency(self, root: str | None = None) -> str:
        """The one currency that positions are quoted in, of one underlying or of all.

        Dollars of coin-settled contracts. Raises :class:`margincore.InvalidInput` where there are several.
        """
        names = {self.quoted_in(c) for n, c in self.held.items() if root in (None, self.roots[n])}
        if len(names) != 1:
            raise InvalidInput(
                f"positions are quoted in {', '.join(sorted(names)) or 'no currency'}: say in which currency to draw",
                code="contradiction",
            )
        return names.pop()

    def mark(self, name: str) -> float:
        """The theoretical quote of an option that is held, today."""
        return self._base[name] / self.held[name].multiplier

    def quote_of(self, roots: Iterable[str]) -> str | None:
        """The one currency that positions on these underlyings are quoted in; `None` where there are several."""
        names = {self.quoted_in(c) for n, c in self.held.items() if self.roots[n] in set(roots)}
        return names.pop() if len(names) == 1 else None

    @staticmethod
    def quoted_in(contract: Contract) -> str:
        """The currency of a contract's quote: dollars where it settles in the coin."""
        return "USD" if contract.settlement == "inverse" else contract.currency

    def strikes(self, root: str) -> tuple[float, ...]:
        """The strikes of options held on an underlying, as prices of its level: where their underlying is there."""
        level = self.levels[root].price
        found = set()
        for name, c in self.held.items():
            if c.kind == "option" and self.roots[name] == root:
                terms = self._terms[name]
                expiry = _instant(str(c.expires))
                found.add(float(c.strike or 0.0) / self._moved(terms.price, terms.run_off, terms.until, expiry) * level)
        return tuple(sorted(found))

    def spread(self, root: str) -> float:
        """The widest standard deviation to an expiry among the options of an underlying, a fraction; 0 without one."""
        options = [c for n, c in self.held.items() if c.kind == "option" and self.roots[n] == root]
        return max((self.vols[c.id] * math.sqrt(years_to(c, self.now)) for c in options), default=0.0)

    def gains(
        self,
        factors: Mapping[str, Floats],
        *,
        vol_factor: float = 1.0,
        at: dt.datetime | None = None,
        root: str | None = None,
    ) -> dict[str, Floats]:
        """The profit of each position since today, or of those on one underlying, by contract id, in its own currency.

        `factors` are prices over today's by underlying, all of one length; an underlying that is not named stays.
        `vol_factor` multiplies every volatility, `at` is the instant, now where it is left out.
        """
        names = [name for name in self.held if root in (None, self.roots[name])]
        values = self._values(names, factors, vol_factor, self.now if at is None else at)
        return {name: self.quantity[name] * (value - self._base[name]) for name, value in values.items()}

    def profit(
        self,
        factors: Mapping[str, Floats],
        *,
        vol_factor: float = 1.0,
        at: dt.datetime | None = None,
        currency: str | None = None,
        root: str | None = None,
    ) -> Floats:
        """The profit of all positions since today, or of those on one underlying, in `currency`.

        That is the currency they are quoted in where it is left out. What is paid in a coin counts at the moved price
        of the coin, other currencies at the market's rates.
        """
        unit = self.currency(root) if currency is None else currency
        gains = self.gains(factors, vol_factor=vol_factor, at=at, root=root)
        total = np.zeros(max((len(f) for f in factors.values()), default=1))
        for name in self.held:  # in their order, so that sums do not depend on how options are priced
            if name in gains:
                total = total + gains[name] * self.rate(self.held[name].currency, unit, factors)
        return total

    def rate(self, currency: str, unit: str, factors: Mapping[str, Floats]) -> Floats | float:
        """Units of `unit` for one of `currency` at moved prices; raises :class:`margincore.MissingData` without."""
        if currency == unit:
            return 1.0
        if currency in self.levels and self.coin_settled(currency):
            dollars = self.levels[currency].price * factors.get(currency, _STILL)
            return dollars * self.rate("USD", unit, factors)
        if unit in self.levels and self.coin_settled(unit):
            dollars = self.levels[unit].price * factors.get(unit, _STILL)
            return self.rate(currency, "USD", factors) / dollars
        fx = self.parts.get("fx", {})
        for pair, rate in fx.items():
            names = tuple(pair.split("/")) if "/" in pair else (pair[:3], pair[3:])
            if names == (currency, unit):
                return float(rate)
            if names == (unit, currency):
                return 1.0 / float(rate)
        raise MissingData(
            f"no exchange rate of {currency} in {unit}: add it to market.fx", code="missing_fx", where=currency
        )

    def coin_settled(self, root: str) -> bool:
        """Whether a contract of the table on an underlying settles in the underlying itself."""
        return any(c.settlement == "inverse" and c.currency == root for c in self.table)
