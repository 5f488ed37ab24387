"""The account after all its options of a date have expired, at settlement prices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from margincore._core import Contract, InvalidInput, Market, Methodology, MissingData
from margincore.analysis import given
from margincore.analysis.events.account import Changes, Holder, Start
from margincore.analysis.events.delivery import Terms, date, instant, settlement
from margincore.analysis.events.what_if import Consequence, consequence_of, positive, settle
from margincore.analysis.mover import Mover
from margincore.analysis.repricing import price_of
from margincore.engine import snapshot

__all__ = ["expiry"]

THRESHOLD = 0.01
"""By how much in the money an option is exercised unless its holder says otherwise (OCC rule 805), per unit."""


class Expiry:
    """The expiry of one date on one account, asked at many prices."""

    def __init__(
        self,
        account: Holder,
        market: Market,
        methodology: Methodology,
        on: str | dt.date,
        *,
        threshold: float = THRESHOLD,
        contracts: Iterable[Contract] = (),
        haircuts: Mapping[str, float] | None = None,
    ) -> None:
        self.start = start = Start(account, market, methodology, contracts, haircuts)
        self.on = _date(on)
        self.threshold = positive(threshold, "threshold")
        options = [(c, q) for c, q in start.held.values() if c.kind == "option"]
        expiring = [(c, q) for c, q in options if date(c) == self.on]
        if not expiring:
            dates = ", ".join(sorted({str(date(c)) for c, _ in options})) or "none"
            raise InvalidInput(
                f"expiry: no option of the account expires on {self.on}: its dates are {dates}",
                where="on",
                value=on,
                code="bad_time",
            )
        self.at = max(instant(c) for c, _ in expiring)
        self.settled = [c for c in start.known.values() if c.kind == "future" and instant(c) <= self.at]
        self.options: list[tuple[Terms, float]] = []
        for option, quantity in expiring:
            by_cash = any(c.id == option.underlying for c in self.settled)
            self.options.append((settlement(option, start.known, by_cash=by_cash), quantity))
        self.names = sorted({name for terms, _ in self.options for name in terms.measured_by})
        gone = {c.id for c, _ in expiring}
        delivered = [c for terms, _ in self.options for c, _ in terms.units]
        table = {c.id: c for c in (*start.table, *delivered) if c.id not in gone}
        self._mover = Mover(methodology.prepare(table.values(), market))

    def price_now(self, name: str) -> float | None:
        """Today's price of what an option of the date is on."""
        on = self.start.known.get(name)
        future = on if on is not None and on.kind == "future" else None
        return self.start.parts.get("spot", {}).get(name) if future is None else price_of(self.start.parts, future)

    def consequence(
        self,
        prices: Mapping[str, float],
        instructions: Mapping[str, float] | None = None,
        after: Market | None = None,
    ) -> Consequence:
        """The account after expiry at settlement prices, each long option above the threshold exercised."""
        start, told = self.start, dict(instructions or {})
        for name in self.names:
            if name not in prices:
                raise MissingData(
                    f"expiry: no settlement price of '{name}': give prices={{{name!r}: price}}",
                    code="missing_price",
                    where=name,
                )
        market = self._market(prices) if after is None else after
        changes, said = Changes(), []
        for terms, quantity in self.options:
            option = terms.option
            ordered = told.pop(option.id, None)
            if ordered is None:
                number = abs(quantity) if terms.in_the_money(prices, self.threshold) else 0.0
            elif isinstance(ordered, int | float) and 0.0 <= ordered <= abs(quantity):
                number = float(ordered)
                said.append(f"{option.id}: {ordered:g} {'exercised' if quantity > 0 else 'assigned'} as instructed")
            else:
                raise InvalidInput(
                    f"expiry: instructions for '{option.id}': {ordered!r} of the {abs(quantity):g} held",
                    where=option.id,
                    value=ordered,
                )
            if number:
                settle(changes, terms, number if quantity > 0 else -number, prices)
            changes.position(option, -quantity + (number if quantity > 0 else -number))
        if told:
            raise InvalidInput(f"expiry: instructions for '{next(iter(told))}', which does not expire on {self.on}")
        for contract in self.settled:
            if contract.id in start.held:
                changes.position(contract, -start.held[contract.id][1])
                said.append(f"{contract.id} expires with it, at its settlement price")
        said.insert(0, f"exercised and assigned from {self.threshold:g} in the money")
        if after is None:
            said.append("everything else on these underlyings moves to the settlement prices in proportion")
        at = ", ".join(f"{name} {prices[name]:,.10g}" for name in self.names)
        own = (*said, *self._mover.assumptions)
        return consequence_of(start, f"expiry of {self.on} at {at}", changes, market, own)

    def _market(self, prices: Mapping[str, float]) -> Market:
        """The market at the settlement prices, when the last option of the date has expired."""
        factors, spots, marks = {}, {}, {}
        parts, table = self.start.parts, self._mover.prepared.contracts
        for name in self.names:
            level = positive(prices[name], name)
            on = self.start.known.get(name)
            now, symbol = self.price_now(name), name
            if on is not None and on.kind == "future":
                symbol = on.underlying
                marks[on.id] = level
            else:
                spots[name] = level
                # A stock quoted by its id, and a future whose last day it is, are at the settlement price too.
                quoted = {c.id for c in table if c.id in parts.get("price", {}) and c.kind in ("stock", "etf", "spot")}
                same = quoted | {c.id for c in self.settled}
                marks.update({c.id: level for c in table if c.underlying == name and c.id in same})
            if now is None or now <= 0.0:
                raise MissingData(
                    f"expiry: '{name}' has no positive price today to move from: add it to the market, or give the "
                    "market after the expiry (after=...)",
                    where=name,
                    code="missing_price",
                )
            factors[symbol] = level / now
        factors = {s: f for s, f in factors.items() if s in self._mover.linear or s in parts.get("spot", {})}
        # In the zone of the market it came from, whose dates dividends are counted by.
        at = max(self.at.astimezone(self.start.valuation.tzinfo), self.start.valuation)
        return self._mover.market(factors, spots=spots, prices=marks, valuation=at)


def expiry(
    account: Holder,
    market: Market,
    methodology: Methodology,
    on: str | dt.date,
    prices: Mapping[str, float],
    *,
    threshold: float = THRESHOLD,
    instructions: Mapping[str, float] | None = None,
    after: Market | None = None,
    contracts: Iterable[Contract] = (),
    haircuts: Mapping[str, float] | None = None,
) -> Consequence:
    """The account after all its options of the date `on` have expired, at settlement `prices` by underlying.

    `prices` are by the options' `underlying`: a symbol, or the id of a future. Long options in the money by
    `threshold` (per unit; a cent) are exercised, short ones assigned, the others lapse; `instructions` say otherwise,
    the number of contracts exercised or assigned by option id. Futures that have expired by then settle with it.

    The requirement is that of the next morning with nothing traded: in the market moved to the settlement prices and
    to the moment of expiry (options left are repriced as by :func:`margincore.questions.moved`), or in `after`.
    Further arguments as those of :func:`exercise`. Raises :class:`MissingData` for a price that is not given,
    :class:`InvalidInput` where nothing expires on the date, and what the rulebook raises.

    >>> import margincore as mc
    >>> put = mc.Option("SPX", "put", 4500, expiry="2026-12-18", settles="am", exercise="european", multiplier=100,
    ...                 currency="USD", deliverable="cash")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"SPX": 4600.0}, price={put.id: 40.0})
    >>> short = mc.Account([mc.Position(put, -1)], cash={"USD": 100_000.0})
    >>> mc.events.expiry(short, market, mc.methods.RegT(), "2026-12-18", {"SPX": 4470.0}).cash
    {'USD': -3000.0}
    """
    prices = given.numbers("prices", prices)
    if instructions is not None and not isinstance(instructions, Mapping):
        given.refuse("instructions", instructions, "a mapping of numbers by option id is needed", "wrong_type")
    asked = Expiry(
        account,
        market,
        methodology,
        on,
        threshold=threshold,
        contracts=contracts,
        haircuts=haircuts,
    )
    return asked.consequence(prices, instructions, snapshot(after))


def _date(on: Any) -> dt.date:
    try:
        if isinstance(on, dt.datetime):
            raise ValueError
        return on if isinstance(on, dt.date) else dt.date.fromisoformat(on)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"expiry: {on!r} is no date: write 2026-12-18", code="bad_time", where="on", value=on
        ) from None
