"""One market moved many times: spots with all that hangs on them, options at their own volatility (sticky strike)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from margincore._core import Contract, Contracts, InvalidInput, Market, MissingData, Prepared
from margincore.analysis.repricing import Repricer
from margincore.engine import ready, thread_count


def snapshot_of(market: Market | None) -> dict[str, Any]:
    """A market as a document that can be moved; raises for none, and for one with array columns."""
    if market is None:
        raise InvalidInput(
            "the rulebook carries an exchange's own arrays: there is no market to move", code="unknown_name"
        )
    if market.contracts is not None:
        raise InvalidInput("markets with array columns cannot be moved: give prices and vols as mappings")
    return market.to_dict()


def root_of(contracts: Contracts, contract: Contract) -> str:
    """The symbol whose price moves a contract: an option on a future moves with the future's."""
    if contract.underlying in contracts.ids:
        own = contracts[contracts.index(contract.underlying)]
        if own.id != contract.id:
            return own.underlying
    return contract.underlying


def _fx_factor(pair: str, factors: Mapping[str, float]) -> float:
    """How an exchange rate moves with the prices of what it exchanges."""
    first, second = pair.split("/") if "/" in pair else (pair[:3], pair[3:])
    return factors.get(first, 1.0) / factors.get(second, 1.0)


class Mover:
    """Moves one market, many times."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = ready(prepared)
        self.base = snapshot_of(prepared.market)
        contracts = prepared.contracts
        self.linear: dict[str, list[str]] = {}
        self.options: dict[str, list[str]] = {}
        self.roots = {contract.id: root_of(contracts, contract) for contract in contracts}
        for contract in contracts:
            kept = self.options if contract.kind == "option" else self.linear
            kept.setdefault(self.roots[contract.id], []).append(contract.id)
        self._repricer = Repricer(contracts)
        self._vol: dict[str, float] = dict(self.base.get("vol", {}))
        self._implied: set[str] = set()
        self._used: set[str] = set()
        self._reads_marks: bool | None = None

    @property
    def reads_marks(self) -> bool:
        """Whether the rulebook needs marks of options that have a vol: it then refuses a market without them."""
        if self._reads_marks is None:
            vol, price = self.base.get("vol", {}), self.base.get("price", {})
            options = [name for names in self.options.values() for name in names]
            without = {name: mark for name, mark in price.items() if name not in options}
            known = {name: vol.get(name, 1.0) for name in options if name in vol or name in price}
            try:
                self.prepared.with_market(Market(**{**self.base, "price": without, "vol": {**vol, **known}}))
                self._reads_marks = False
            except MissingData:
                self._reads_marks = True
        return self._reads_marks

    @property
    def assumptions(self) -> tuple[str, ...]:
        """How the options of the markets made so far were repriced."""
        kept = sorted(self._used - self._implied)
        implied = sorted(self._used & self._implied)
        said = []
        if kept:
            how = "marks repriced by margincore.pricing" if self.reads_marks else "repriced by the rulebook"
            said.append(f"options keep the vol given, by strike; {how}: {', '.join(kept)}")
        if implied:
            said.append(
                "options keep the vol that their mark implies, by strike; marks repriced by margincore.pricing: "
                + ", ".join(implied)
            )
        return tuple(said)

    def market(
        self,
        factors: Mapping[str, float],
        days: float = 0.0,
        *,
        spots: Mapping[str, float] | None = None,
        prices: Mapping[str, float] | None = None,
        valuation: dt.datetime | None = None,
        base: Mapping[str, Any] | None = None,
        vol_factor: float | Mapping[str, float] = 1.0,
    ) -> Market:
        """The market with symbols moved by factors and `days` later, or at the instant `valuation`.

        The volatility of every option is taken `vol_factor` times, or that of the options on each symbol the times
        named; a `base` whose interest rates or yields differ has all options repriced. Exchange rates of a
        coin that moves move with it. `spots` by symbol and `prices` by id of a contract of the table are levels that
        stand as they are, whatever else moves; `base` is a document to move in place of the prepared market's, with
        its quotes.
        """
        parts = dict(self.base if base is None else base)
        parts["spot"] = spot = dict(parts.get("spot", {}))
        parts["price"] = price = dict(parts.get("price", {}))
        parts["vol"] = vol = dict(parts.get("vol", {}))
        for symbol, factor in factors.items():
            if symbol not in spot and symbol not in self.linear:
                raise MissingData(f"no spot price for '{symbol}' to move", code="missing_spot", where=symbol)
            if symbol in spot:
                spot[symbol] *= factor
            for name in self.linear.get(symbol, ()):
                if name in price:
                    price[name] *= factor
        if "fx" in parts:
            parts["fx"] = {pair: rate * _fx_factor(pair, factors) for pair, rate in parts["fx"].items()}
        if "forward" in parts:
            parts["forward"] = [
                {**f, "price": f["price"] * factors.get(f["underlying"], 1.0)} for f in parts["forward"]
            ]
        spot.update(spots or {})
        price.update(prices or {})
        moving = {*factors, *(spots or ()), *(self.roots[name] for name in prices or ())}
        before = dt.datetime.fromisoformat(parts["valuation"])
        after = before + dt.timedelta(days=days) if valuation is None else valuation
        if after != before:
            parts["valuation"] = after.isoformat()
        vols = dict.fromkeys(self.options, vol_factor) if isinstance(vol_factor, int | float) else dict(vol_factor)
        moving.update(symbol for symbol, times in vols.items() if times != 1.0)
        carried = any(parts.get(name) != self.base.get(name) for name in ("rate", "dividend_yield", "dividends"))
        if after != before or carried:
            moving = set(self.options)
        quoted = [n for s, names in self.options.items() if s in moving for n in names if n in price or n in vol]
        for name in quoted:
            price.pop(name, None)
        self._imply([name for name in quoted if name not in self._vol])
        self._used.update(quoted)
        vol.update({name: vols.get(self.roots[name], 1.0) * self._vol[name] for name in quoted})
        marked = [name for name in quoted if name in self._implied or self.reads_marks]
        if marked:
            price.update(self._repricer.marks(parts, {name: vol[name] for name in marked}))
        return Market(**parts)

    def _imply(self, names: Sequence[str]) -> None:
        """Takes the vols of options that have none from their marks in the market they were quoted in."""
        if names:
            self._vol.update(self._repricer.vols(self.base, {name: self.base["price"][name] for name in names}))
            self._implied.update(names)

    def prepare(
        self, factors: Mapping[str, float], days: float = 0.0, threads: int = 1, vol_factor: float = 1.0
    ) -> Prepared:
        moved = self.market(factors, days, vol_factor=vol_factor)
        return self.prepared.with_market(moved, threads=thread_count(threads))
