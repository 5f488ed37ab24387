"""What an account is after an event, and the two that happen at today's prices: exercise and assignment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    MarginReport,
    Market,
    Methodology,
    MissingData,
    NotApplicable,
    Requirement,
)
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.events.account import Changes, Holder, Start
from margincore.analysis.events.delivery import Terms, settlement
from margincore.analysis.repricing import price_of

__all__ = ["Consequence", "assignment", "exercise"]


@dataclass(frozen=True, slots=True)
class Consequence(Record):
    """An account after an event, its report, and the difference. Amounts are in the report's currency but for `cash`.

    `moved` are changes of positions by contract id, in contracts, positive for what came in; `cash` those of cash
    balances by currency, variation of futures included. `market` is the one that `report` is of. `equity` is
    liquidating equity as :attr:`margincore.LiveAccount.equity` has it. `assumptions` are what was taken for granted.
    """

    event: str
    account: Account
    market: Market
    report: MarginReport
    moved: Mapping[str, float]
    cash: Mapping[str, float]
    before: Requirement
    equity_before: float
    equity: float
    assumptions: tuple[str, ...] = field(default=())

    @property
    def after(self) -> Requirement:
        """The requirement of the account after the event."""
        return self.report.requirement

    @property
    def change(self) -> Requirement:
        """After less before; negative where the event lowers the requirement."""
        after, before = self.after, self.before
        return Requirement.from_dict(
            {"initial": after.initial - before.initial, "maintenance": after.maintenance - before.maintenance}
        )

    @property
    def excess_before(self) -> float:
        """Equity less initial requirement before the event."""
        return self.equity_before - self.before.initial

    @property
    def excess(self) -> float:
        """Equity less initial requirement after the event; negative for a deficit."""
        return self.equity - self.after.initial

    @property
    def call(self) -> float:
        """What equity lacks of the maintenance requirement after the event; 0 where it lacks nothing."""
        return max(0.0, self.after.maintenance - self.equity)

    def to_dict(self) -> dict[str, Any]:
        """The event as a document of plain values: positions by contract id, the report whole."""
        return {
            "event": self.event,
            "positions": {p.contract.id: p.quantity for p in self.account.positions},
            "moved": dict(self.moved),
            "cash": dict(self.cash),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "change": self.change.to_dict(),
            "equity_before": self.equity_before,
            "equity": self.equity,
            "excess_before": self.excess_before,
            "excess": self.excess,
            "call": self.call,
            "assumptions": list(self.assumptions),
            "report": self.report.to_dict(),
        }


def consequence_of(
    start: Start, event: str, changes: Changes, market: Market, assumptions: tuple[str, ...] = ()
) -> Consequence:
    account = start.after(changes, market)
    report, equity = start.margin(account, market)
    cash = {c: a - start.account.cash.get(c, 0.0) for c, a in account.cash.items()}
    return Consequence(
        event=event,
        account=account,
        market=market,
        report=report,
        moved={name: q for name, q in changes.positions.items() if q},
        cash={currency: amount for currency, amount in cash.items() if amount},
        before=start.requirement,
        equity_before=start.equity,
        equity=equity,
        assumptions=assumptions,
    )


def settle(changes: Changes, terms: Terms, quantity: float, price: Mapping[str, float]) -> None:
    """Exercises a signed number of contracts: those held long, or negative those assigned."""
    option = terms.option
    changes.position(option, -quantity)
    if terms.kind == "units":
        for contract, units in terms.units:
            changes.position(contract, terms.sign * quantity * units)
        changes.money(option.currency, terms.sign * quantity * (terms.cash - terms.paid))
        return
    # A future opened at the strike settles to its price at once: its variation is the intrinsic value.
    if terms.kind == "future":
        for contract, units in terms.units:
            changes.position(contract, terms.sign * quantity * units)
    value = terms.intrinsic(price)
    if option.settlement == "inverse":
        value /= price[option.underlying]
    changes.money(option.currency, quantity * value)


def _prices(start: Start, terms: Terms) -> dict[str, float]:
    """What the market quotes of what a settlement in money is measured by."""
    if terms.kind == "units":
        return {}
    name = terms.option.underlying
    on = start.known.get(name)
    price = start.parts.get("spot", {}).get(name) if on is None else price_of(start.parts, on)
    if price is None:
        raise MissingData(f"events: no price of '{name}': add it to the market", code="missing_price", where=name)
    return {name: float(price)}


def _number_of(start: Start, option: Contract | str, quantity: float, kind: str) -> tuple[Contract, float]:
    """The option meant and how many contracts of it, no more than are held on the side that the event is about."""
    if not isinstance(option, str | Contract):
        given.refuse(f"{kind}: option", option, "an option or its id is needed", "wrong_type")
    name = option if isinstance(option, str) else option.id
    held, side = start.held.get(name), 1.0 if kind == "exercise" else -1.0
    own = 0.0 if held is None else max(0.0, side * held[1])
    if held is None or held[0].kind != "option":
        raise InvalidInput(f"{kind}: the account holds no option '{name}'", code="unknown_name", where=name)
    if not isinstance(quantity, int | float) or isinstance(quantity, bool) or not 0.0 < quantity <= own:
        word = "long" if side > 0 else "short"
        raise InvalidInput(
            f"{kind}: {quantity!r} contracts of '{name}': the account is {word} {own:g} of them",
            code="out_of_range",
            where=name,
            value=quantity,
        )
    return held[0], float(quantity)


def _early(
    kind: str,
    account: Holder,
    market: Market,
    methodology: Methodology,
    option: Contract | str,
    quantity: float,
    contracts: Iterable[Contract],
    haircuts: Mapping[str, float] | None,
) -> Consequence:
    start = Start(account, market, methodology, contracts, haircuts)
    own, number = _number_of(start, option, quantity, kind)
    if own.exercise != "american" and (own.days_from(market.valuation) or 0) > 0:
        raise NotApplicable(
            f"{kind}: '{own.id}' is European: not exercised before {own.expiry} (events.expiry settles that date)",
            where=own.id,
        )
    terms = settlement(own, start.known)
    changes = Changes()
    settle(changes, terms, number if kind == "exercise" else -number, _prices(start, terms))
    return consequence_of(start, f"{kind} of {number:g} {own.id}", changes, market)


def exercise(
    account: Holder,
    market: Market,
    methodology: Methodology,
    option: Contract | str,
    quantity: float,
    *,
    contracts: Iterable[Contract] = (),
    haircuts: Mapping[str, float] | None = None,
) -> Consequence:
    """The account after it exercises `quantity` contracts of a long option, at today's prices.

    Shares change hands at the strike, an option on a future becomes that future, a cash-settled one pays its intrinsic
    value (negative out of the money). `contracts` are what options are written on where the account does not hold it:
    a stock, an index (it settles in cash), a future, what an adjusted option delivers. `haircuts` are those of
    :meth:`margincore.Prepared.open`. Raises :class:`InvalidInput` for more than is held, :class:`NotApplicable` for a
    European option before its date, and what the rulebook raises.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> put = mc.Option("XYZ", "put", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
    ...                 currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 45.0}, price={put.id: 5.25})
    >>> account = mc.Account([mc.Position(stock, 100), mc.Position(put, 1)], cash={"USD": 0.0})
    >>> done = mc.events.exercise(account, market, mc.methods.RegT(classes={"XYZ": "equity"}), put, 1)
    >>> done.account.positions, done.cash                          # the shares are sold at 50
    ((), {'USD': 5000.0})
    >>> done.equity_before, done.equity                            # its time value is given away
    (5025.0, 5000.0)
    """
    return _early("exercise", account, market, methodology, option, quantity, contracts, haircuts)


def assignment(
    account: Holder,
    market: Market,
    methodology: Methodology,
    option: Contract | str,
    quantity: float,
    *,
    contracts: Iterable[Contract] = (),
    haircuts: Mapping[str, float] | None = None,
) -> Consequence:
    """The account after `quantity` contracts of a short option are assigned to it, at today's prices.

    Arguments and errors as those of :func:`exercise`.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> call = mc.Option("XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
    ...                  currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 55.0}, price={call.id: 5.5})
    >>> covered = mc.Account([mc.Position(stock, 100), mc.Position(call, -1)])
    >>> done = mc.events.assignment(covered, market, mc.methods.RegT(classes={"XYZ": "equity"}), call, 1)
    >>> done.cash, done.before.initial, done.after.initial
    ({'USD': 5000.0}, 2700.0, 0.0)
    """
    return _early("assignment", account, market, methodology, option, quantity, contracts, haircuts)


def positive(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < float("inf"):
        raise InvalidInput(
            f"events: '{what}' is {value!r}: a positive number is needed", code="out_of_range", where=what, value=value
        )
    return float(value)
