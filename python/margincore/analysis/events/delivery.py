"""What an option is settled with when it is exercised: its intrinsic value, securities, or a future."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from margincore._core import Contract, MissingData, Unsupported

__all__ = ["settlement"]


@dataclass(frozen=True, slots=True)
class Terms:
    """How one long contract of an option settles. Amounts are in the option's currency, per contract.

    `paid` is the strike in money; `units` and `cash` are what a call brings for it. `kind` is ``"cash"`` (the
    intrinsic value), ``"units"`` or ``"future"`` (a position opened at the strike).
    """

    option: Contract
    kind: str
    paid: float
    units: tuple[tuple[Contract, float], ...] = ()
    cash: float = 0.0

    @property
    def sign(self) -> int:
        return 1 if self.option.right == "call" else -1

    @property
    def strike_multiplier(self) -> float:
        return self.paid / float(self.option.strike or 0.0)

    @property
    def measured_by(self) -> tuple[str, ...]:
        """The names whose prices say what exercise is worth: symbols, or the id of a future."""
        return tuple(c.underlying for c, _ in self.units) if self.kind == "units" else (self.option.underlying,)

    def intrinsic(self, price: Mapping[str, float]) -> float:
        """The value of exercise, below zero out of the money; `price` is that of one unit, by contract id or symbol."""
        if self.kind == "units":
            worth = sum(quantity * price[contract.underlying] for contract, quantity in self.units) + self.cash
        else:
            worth = self.strike_multiplier * price[self.option.underlying]
        return self.sign * (worth - self.paid)

    def in_the_money(self, price: Mapping[str, float], threshold: float) -> bool:
        """Whether it is in the money by the threshold, an amount per unit of the strike's multiplier."""
        # Nine decimals: 50.01 - 50 is a cent.
        return round(self.intrinsic(price) / self.strike_multiplier, 9) >= threshold


def settlement(option: Contract, known: Mapping[str, Contract], *, by_cash: bool = False) -> Terms:
    """How an option settles, from its deliverable or from the contract it is written on; refuses what neither says.

    `known` are the contracts by id that the account holds or that came beside it; `by_cash` where the future that it is
    on has settled too.
    """
    name = option.id
    if option.premium == "futures_style" or option.multiplier_unit not in (None, option.underlying):
        what = "a premium paid like a future" if option.premium == "futures_style" else "a multiplier that counts money"
        raise Unsupported(f"events: '{name}' has {what}: its exercise is not built", where=name)
    paid = float(option.strike or 0.0) * option.multiplier
    on = known.get(option.underlying)
    if on is not None and on.kind == "future":
        if on.settlement != "linear":
            raise Unsupported(f"events: '{name}' is on a future that settles in the coin", where=name)
        units = ((on, option.multiplier / on.multiplier),)
        return Terms(option, "cash" if by_cash else "future", paid, units)
    if isinstance(option.deliverable, Mapping):
        return _adjusted(option, option.deliverable, list(known.values()))
    written = on_symbol(option.underlying, list(known.values()))
    if option.deliverable == "cash" or option.settlement == "inverse":
        return Terms(option, "cash", paid)
    if written is not None and written.kind == "index" and option.deliverable is None:
        return Terms(option, "cash", paid)
    if written is None or written.kind == "index":
        raise MissingData(
            f'events: \'{name}\' does not say whether it settles in cash: give its deliverable ("cash", "shares"), '
            f"or what it is on, contracts=[mc.Stock({option.underlying!r}, ...)], an mc.Etf, mc.Index or mc.Future",
            code="not_stated",
            where=name,
        )
    return Terms(option, "units", paid, ((written, option.multiplier),))


def _adjusted(option: Contract, delivers: Mapping[str, Any], contracts: list[Contract]) -> Terms:
    """How an adjusted option settles: what its terms say it delivers, against its strike multiplier."""
    units = []
    for symbol, shares in delivers["shares"].items():
        share = on_symbol(symbol, contracts)
        if share is None or share.kind == "index":
            raise MissingData(
                f"events: '{option.id}' delivers {symbol}: say what that is, "
                f"contracts=[mc.Stock({symbol!r}, ...)] or an mc.Etf",
                code="missing_contract",
                where=option.id,
                value=symbol,
            )
        units.append((share, shares))
    paid = float(option.strike or 0.0) * float(option.strike_multiplier or option.multiplier)
    return Terms(option, "units", paid, tuple(units), delivers.get("cash", 0.0))


def on_symbol(symbol: str, contracts: Iterable[Contract]) -> Contract | None:
    """The share, coin or index that stands for a symbol."""
    for kinds in (("stock", "etf", "spot"), ("index",)):
        for contract in contracts:
            if contract.kind in kinds and contract.underlying == symbol:
                return contract
    return None


def instant(option: Contract) -> dt.datetime:
    """When an option expires."""
    return dt.datetime.fromisoformat(str(option.expires))


def date(option: Contract) -> dt.date:
    """The date an option expires on, in the zone of its expiry."""
    return dt.date.fromisoformat(str(option.expiry)[:10])
