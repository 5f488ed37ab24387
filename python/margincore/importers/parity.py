"""A chain of index option quotes as contracts and a market that reprices every one of them.

European options only. Every expiry's forward comes from put-call parity, so no dividend forecast is needed. The call
and the put of a strike share one volatility: the out-of-the-money one, whose price is all time value, keeps its
mid, and the in-the-money one is marked at that plus the discounted intrinsic value. OCC too has one volatility per
strike (SR-OCC-2019-005).
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from margincore._core import Contract, Contracts, InvalidInput, Market, MissingData, Products, Unsupported
from margincore._pickles import Record
from margincore.importers.cboe import CboeQuotes, DroppedQuote, OptionQuote

PARITY_STRIKES = 9
"""The strikes nearest the money whose median parity forward is taken: their quotes are the tightest."""


@dataclass(frozen=True)
class Chain(Record):
    """Contracts and a market for them; ``dropped`` lists every quote left out, from the first line of the file on."""

    contracts: Contracts
    market: Market
    forwards: Mapping[str, float]
    dropped: tuple[DroppedQuote, ...]

    def reasons(self) -> dict[str, int]:
        """How many quotes were left out, by reason."""
        counts: dict[str, int] = {}
        for drop in self.dropped:
            counts[drop.reason] = counts.get(drop.reason, 0) + 1
        return counts


def chain(quotes: CboeQuotes, *, rate: float, products: Products | None = None) -> Chain:
    """Contracts and market of a file of European index options.

    ``rate`` is the continuously compounded annual rate to discount with. Raises :class:`margincore.MissingData` for a
    root that no product table knows, :class:`margincore.Unsupported` for American options and
    :class:`margincore.InvalidInput` where the options are on more than one underlying or nothing is left.
    """
    if not math.isfinite(rate):
        raise InvalidInput(f"rate is {rate}: an annual fraction is needed (0.05 is 5 %)", code="out_of_range")
    table = products or Products()
    dropped = list(quotes.dropped)
    live: dict[str, dict[float, list[_Quoted]]] = {}
    for quote in quotes.quotes:
        contract = table.contract(quote.symbol.compact)
        if contract.exercise != "european":
            raise Unsupported(f"'{contract.id}' is American: a chain's forwards and marks come from put-call parity")
        if contract.adjusted:
            raise Unsupported(f"'{contract.id}' is adjusted: put-call parity gives the price of all that it delivers")
        if _instant(contract) <= quotes.valuation:
            dropped.append(DroppedQuote(contract.id, quote.line, "expired before the quotes were taken"))
            continue
        by_strike = live.setdefault(f"{quote.symbol.expiry} {quote.symbol.root}", {})
        by_strike.setdefault(quote.symbol.strike, []).append(_Quoted(quote, contract))
    contracts: list[Contract] = []
    price: dict[str, float] = {}
    forwards: dict[str, float] = {}
    for expiry, strikes in live.items():
        discount = _discount(rate, _years(strikes, quotes.valuation))
        forward = _parity_forward(strikes, discount)
        if forward is None:
            dropped += [
                DroppedQuote(q.contract.id, q.quote.line, "no strike of the expiry is quoted on both sides")
                for pair in strikes.values()
                for q in pair
            ]
            continue
        forwards[expiry] = forward
        for marked in _marks(strikes, forward, discount):
            if isinstance(marked, DroppedQuote):
                dropped.append(marked)
            else:
                contract, price[contract.id] = marked
                contracts.append(contract)
    names = {contract.underlying for contract in contracts}
    if len(names) != 1:
        raise InvalidInput(
            f"options on one underlying are needed, not on {', '.join(sorted(names)) or 'none'}", code="contradiction"
        )
    market = market_parts(quotes, names.pop(), rate, price, _by_instant(live, forwards))
    dropped.sort(key=lambda drop: drop.line)
    return Chain(Contracts(contracts), Market(**market), forwards, tuple(dropped))


def market_parts(
    quotes: CboeQuotes, underlying: str, rate: float, price: Mapping[str, float], forwards: list[dict[str, Any]]
) -> dict[str, Any]:
    """The market of a chain as a document."""
    return {
        "valuation": quotes.valuation.isoformat(),
        "spot": {underlying: quotes.spot},
        "rate": {"USD": rate},
        "forward": forwards,
        "price": dict(price),
    }


@dataclass(frozen=True)
class _Quoted:
    quote: OptionQuote
    contract: Contract

    @property
    def two_sided(self) -> bool:
        return self.quote.bid > 0.0


def _instant(contract: Contract) -> dt.datetime:
    if contract.expires is None:
        raise MissingData(f"'{contract.id}' has no expiry")
    return dt.datetime.fromisoformat(contract.expires)


def _years(strikes: Mapping[float, list[_Quoted]], valuation: dt.datetime) -> float:
    """Whole calendar days over 365, as TIMS counts them."""
    symbol = next(iter(strikes.values()))[0].quote.symbol
    return (dt.date.fromisoformat(symbol.expiry) - valuation.date()).days / 365


def _discount(rate: float, years: float) -> float:
    if abs(rate * years) > 100.0:  # no money is left, or more than there is
        raise InvalidInput(
            f"rate is {rate}: over {years:.1f} years that is no discount: 5 % is 0.05", code="out_of_range"
        )
    return math.exp(-rate * years)


def _parity_forward(strikes: Mapping[float, list[_Quoted]], discount: float) -> float | None:
    """The median of K + (C - P) / D over the strikes nearest the money."""
    pairs = []
    for strike, found in strikes.items():
        sides = {q.contract.right: q.quote.mid for q in found if q.two_sided}
        if len(sides) == 2:
            gap = sides["call"] - sides["put"]
            pairs.append((abs(gap), strike + gap / discount))
    nearest = sorted(pairs)[:PARITY_STRIKES]
    return statistics.median(forward for _, forward in nearest) if nearest else None


def _marks(
    strikes: Mapping[float, list[_Quoted]], forward: float, discount: float
) -> Iterator[tuple[Contract, float] | DroppedQuote]:
    """A mark for every option of an expiry: its strike's time value and its own discounted intrinsic value."""
    for strike, found in strikes.items():
        right_out = "call" if strike >= forward else "put"
        intrinsic = {"call": discount * max(forward - strike, 0.0), "put": discount * max(strike - forward, 0.0)}
        by_right = {q.contract.right: q for q in found}
        source = by_right.get(right_out)
        time_value = source.quote.mid if source is not None else 0.0
        if source is None:
            (only,) = by_right.values()
            time_value = only.quote.mid - intrinsic[str(only.contract.right)]
        for quoted in found:
            if time_value <= 0.0:
                reason = "no time value: only the option in the money is quoted, below its intrinsic value"
                yield DroppedQuote(quoted.contract.id, quoted.quote.line, reason)
            else:
                yield quoted.contract, time_value + intrinsic[str(quoted.contract.right)]


def _by_instant(
    live: Mapping[str, Mapping[float, list[_Quoted]]], forwards: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Forwards keyed by the instant of expiry, so that an AM and a PM series of one date keep their own."""
    entries = []
    for expiry, forward in forwards.items():
        contract = next(iter(live[expiry].values()))[0].contract
        entries.append({"underlying": contract.underlying, "expiry": contract.expires, "price": forward})
    return entries
