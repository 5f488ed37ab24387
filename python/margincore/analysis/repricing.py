"""Marks of options in a market that moved: repriced, since nobody quoted them there.

Each option keeps its own volatility (sticky strike): the one that is given, or else the one its mark implies in the
market it was quoted in. Time is whole days over 365, rates, dividends and forwards are the market's, and an option on
a future of the table is priced on that future (Black 1976), all as the rulebooks that reprice take them.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from margincore import pricing
from margincore._core import CalculationError, Contract, Contracts, InvalidInput, MissingData, Unsupported

Parts = Mapping[str, Any]
"""A market as its document: what :meth:`margincore.Market.to_dict` gives."""


class _Inputs(NamedTuple):
    spot: float
    strike: float
    years: float
    rate: float
    dividend_yield: float
    right: int
    dividends: tuple[tuple[float, float], ...]


def _same_expiry(written: str, contract: Contract) -> bool:
    """Whether a forward's expiry, a date or an instant, is a contract's."""
    if "T" not in written:
        return written == str(contract.expiry)[:10]
    return dt.datetime.fromisoformat(written) == dt.datetime.fromisoformat(str(contract.expires))


def forward_of(parts: Parts, symbol: str, contract: Contract) -> float | None:
    """The forward of a symbol at a contract's expiry; `None` where the market does not say."""
    for forward in parts.get("forward", ()):
        if forward["underlying"] == symbol and _same_expiry(forward["expiry"], contract):
            return float(forward["price"])
    return None


def price_of(parts: Parts, contract: Contract) -> float | None:
    """What one unit of a contract that is no option is quoted at; `None` where the market does not say.

    >>> import margincore as mc
    >>> price_of({"spot": {"XYZ": 50.0}}, mc.Stock("XYZ", currency="USD"))
    50.0
    """
    quoted = parts.get("price", {}).get(contract.id)
    if quoted is None and contract.kind == "future":
        quoted = forward_of(parts, contract.underlying, contract)
    elif quoted is None and contract.kind != "perpetual":
        quoted = parts.get("spot", {}).get(contract.underlying)
    return None if quoted is None else float(quoted)


def rate_of(parts: Parts, currency: str, date: dt.date) -> float | None:
    """The zero rate to a date: linear between the curve's dates, flat outside them."""
    curve = parts.get("rate", {}).get(currency)
    if curve is None or not isinstance(curve, Mapping):
        return None if curve is None else float(curve)
    nodes = sorted((dt.date.fromisoformat(day), float(rate)) for day, rate in curve.items())
    later = next((i for i, (day, _) in enumerate(nodes) if day >= date), len(nodes))
    if later in (0, len(nodes)):
        return nodes[min(later, len(nodes) - 1)][1]
    (start, low), (end, high) = nodes[later - 1 : later + 1]
    return low + (high - low) * ((date - start).days / (end - start).days)


class Repricer:
    """Prices options of a table in markets that are given as documents; raises for those it cannot, by name."""

    def __init__(self, contracts: Contracts | Iterable[Contract]) -> None:
        self.table = {contract.id: contract for contract in contracts}

    def marks(self, parts: Parts, vols: Mapping[str, float]) -> dict[str, float]:
        """Marks by id at these volatilities, in the market of `parts`; at expiry the intrinsic value."""
        found: dict[str, float] = {}
        for (exercise, dividends), ids, columns in self._grouped(parts, vols):
            spot, strike, years, rate, dividend_yield, right = columns
            own = [vols[name] for name in ids]
            cash: dict[str, Any] = {"dividends": list(dividends)} if dividends else {}
            prices = pricing.price(spot, strike, years, rate, dividend_yield, own, right, exercise, **cash)
            found.update(zip(ids, prices.tolist(), strict=True))
        return found

    def vols(self, parts: Parts, marks: Mapping[str, float]) -> dict[str, float]:
        """The volatilities by id at which these marks are prices in the market of `parts`; 0 at expiry."""
        found: dict[str, float] = {}
        for (exercise, dividends), ids, columns in self._grouped(parts, marks):
            cash: dict[str, Any] = {"dividends": list(dividends)} if dividends else {}
            for name, spot, strike, years, rate, dividend_yield, right in zip(ids, *columns, strict=True):
                if years == 0.0:
                    found[name] = 0.0
                    continue
                terms = (spot, strike, years, rate, dividend_yield, right)
                try:
                    vol = pricing.implied_vol(marks[name], *terms, exercise, **cash)
                except CalculationError as error:
                    why = str(error).partition(": ")[2].partition(". on_error")[0]
                    raise InvalidInput(
                        f"'{name}': no volatility reprices its mark {marks[name]} (spot {spot}, strike {strike}, "
                        f"{round(years * 365)} days): {why}; give its vol in the market (vol={{id: vol}})",
                        code="no_number",
                        where=name,
                        value=marks[name],
                    ) from None
                found[name] = float(vol)
        return found

    def _grouped(
        self, parts: Parts, names: Iterable[str]
    ) -> Iterable[tuple[tuple[Any, tuple[tuple[float, float], ...]], list[str], list[list[Any]]]]:
        """Ids that are priced in one call, with their columns: those of one exercise and one list of dividends."""
        groups: dict[Any, list[tuple[str, _Inputs]]] = {}
        for name in names:
            own = self._inputs(parts, self.table[name])
            groups.setdefault((self.table[name].exercise, own.dividends), []).append((name, own))
        for key, rows in groups.items():
            yield (
                key,
                [name for name, _ in rows],
                [list(column) for column in zip(*(own[:6] for _, own in rows), strict=True)],
            )

    def _inputs(self, parts: Parts, option: Contract) -> _Inputs:
        name, symbol = option.id, option.underlying
        if option.settlement == "inverse" or option.premium == "futures_style":
            raise Unsupported(
                f"'{name}': marks of options that settle in the coin or whose premium is paid like a future are not "
                "repriced: give its vol, or quote the moved markets yourself (questions.series)",
                where=name,
            )
        future = self.table.get(symbol)
        if future is not None and future.kind != "future":
            future = None
        spot = parts.get("spot", {}).get(symbol) if future is None else price_of(parts, future)
        if spot is None:
            kind = "spot" if future is None else "price"
            raise MissingData(
                f"'{name}': no price of '{symbol}' to reprice its mark from: add it to market.{kind}",
                code=f"missing_{kind}",
                where=name,
            )
        if not (spot > 0.0 and float(option.strike or 0.0) > 0.0):
            raise InvalidInput(
                f"'{name}': the underlying is at {spot} and the strike at {option.strike}: a lognormal model needs "
                "both positive; quote the moved markets yourself (questions.series)",
                code="out_of_range",
                where=name,
                value=spot,
            )
        expiry = dt.date.fromisoformat(str(option.expiry)[:10])
        days = option.days_from(parts["valuation"]) or 0
        years = max(days, 0) / 365.0
        rate = rate_of(parts, option.currency, expiry)
        if rate is None:
            raise MissingData(
                f"'{name}': its mark is repriced, and there is no interest rate for '{option.currency}': add it to "
                "market.rate (a number, or zero rates by date)",
                code="missing_rate",
                where=name,
            )
        dividends: tuple[tuple[float, float], ...] = ()
        if future is not None:
            carry = rate
        else:
            today = dt.datetime.fromisoformat(parts["valuation"]).date()
            dividends = tuple(
                ((days - (expiry - ex).days) / 365.0, float(dividend["amount"]))
                for dividend in parts.get("dividends", {}).get(symbol, ())
                if today < (ex := dt.date.fromisoformat(dividend["date"])) <= expiry
            )
            forward = forward_of(parts, symbol, option)
            if forward is not None and years > 0.0 and not dividends:
                carry = rate - math.log(forward / spot) / years
            else:
                carry = parts.get("dividend_yield", {}).get(symbol, 0.0)
        right = 1 if option.right == "call" else -1
        return _Inputs(float(spot), float(option.strike or 0.0), years, rate, carry, right, dividends)
