"""Which position makes how much of a requirement, and what made a requirement change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from margincore._cards import card
from margincore._core import (
    Account,
    Contract,
    Contracts,
    InvalidInput,
    Methodology,
    NotApplicable,
    Position,
    Prepared,
    amount_text,
)
from margincore._pickles import Record
from margincore.engine import holder, ready

__all__ = ["Attribution", "Change", "Contribution", "Margined", "attribute", "explain"]

Kind = Literal["incremental", "marginal", "euler"]
Level = Literal["initial", "maintenance"]
Holder = Account | Iterable[Position]
SCALE = 2**20
"""How many times an account is taken, so that a position once more or less is a small change of it."""
_ROUNDING = 1e-8
"""Rounding of Euler's parts beside their size: `SCALE` times the last bit of a requirement, from many terms."""


@dataclass(frozen=True, slots=True)
class Contribution(Record):
    """One position's part of the requirement, in the report's currency; negative where it takes from it."""

    contract: Contract
    long: float
    short: float
    amount: float


@dataclass(frozen=True, slots=True)
class Attribution(Record):
    """Contributions by position. ``math.fsum`` of their amounts and the residual is the total, to the last bit of both.

    The residual is what no position makes alone: of the incremental kind the offsets between positions, of the marginal
    one what does not grow in proportion with the account or bends at it, of Euler's rounding alone.
    """

    kind: Kind
    contributions: tuple[Contribution, ...]
    residual: float
    total: float

    def __str__(self) -> str:
        rows = [(c.contract.id, f"{c.long - c.short:+,.10g}", c.amount) for c in self.contributions]
        rows += [("residual", "", residual_shown(self)), ("total", "", self.total)]
        wide = max(len(r[0]) for r in rows)
        return "\n".join(f"{name:<{wide}}  {held:>12}  {amount:>16,.2f}" for name, held, amount in rows)

    def _repr_html_(self) -> str:
        rows = [(c.contract.id, f"{c.long - c.short:+,.10g}", amount_text(c.amount)) for c in self.contributions]
        rows.append(("residual", "", amount_text(residual_shown(self))))
        columns = ("position", "quantity", "amount")
        total = ("total", "", amount_text(self.total))
        return card(f"{self.kind.capitalize()} parts of the requirement", columns, rows, numbers=(1, 2), totals=[total])


def residual_shown(own: Attribution) -> float:
    """The residual as people read it: what is rounding beside the parts is zero."""
    rounding = _ROUNDING if own.kind == "euler" else 1e-12
    return own.residual if abs(own.residual) > rounding * _size(own.contributions) else 0.0


@dataclass(frozen=True, slots=True)
class Margined(Record):
    """An account under a rulebook and its market: one side of a comparison in time."""

    prepared: Prepared
    account: Account


@dataclass(frozen=True, slots=True)
class Change(Record):
    """A change of the requirement taken apart, in the report's currency.

    ``math.fsum((before, positions, market, parameters, residual))`` is `after` to the last bit; the residual is
    rounding.
    """

    before: float
    positions: float
    market: float
    parameters: float
    residual: float
    after: float

    def __str__(self) -> str:
        rows = [(name, getattr(self, name)) for name in self.__slots__]
        return "\n".join(f"{name:<10}  {amount:>16,.2f}" for name, amount in rows)


def _with(account: Account, positions: Iterable[Position], scale: int = 1) -> Account:
    return Account(
        positions,
        cash={c: amount * scale for c, amount in account.cash.items()},
        collateral={c: amount * scale for c, amount in account.collateral.items()},
        kind=account.kind,
        gross=account.gross,
    )


def _sides(account: Account) -> list[Position]:
    """The account's positions, each on one side: net, or long and short apart where the account keeps them so."""
    sums: dict[str, tuple[Contract, float, float]] = {}
    for p in account.positions:
        _, long, short = sums.get(p.contract.id, (p.contract, 0.0, 0.0))
        sums[p.contract.id] = (p.contract, long + p.long, short + p.short)
    sides = []
    for contract, long, short in sums.values():
        if account.gross:
            sides += [Position(contract, long=long, short=0.0)] if long else []
            sides += [Position(contract, long=0.0, short=short)] if short else []
        elif long != short:
            sides.append(Position(contract, long - short))
    return sides


def _sized(position: Position, scale: float, lots: float = 0.0) -> Position:
    """A position `scale` times as large, and then so many lots larger on its side."""
    step = lots * position.contract.lot
    if position.long:
        return Position(position.contract, long=position.long * scale + step, short=0.0)
    return Position(position.contract, long=0.0, short=position.short * scale + step)


def _size(parts: Iterable[Contribution]) -> float:
    return math.fsum(abs(part.amount) for part in parts)


def _rest(total: float, parts: Sequence[float]) -> float:
    """What is missing from the parts to the total, rounded once."""
    return math.fsum((total, *(-part for part in parts)))


def attribute(
    prepared: Prepared,
    account: Holder,
    kind: Kind = "incremental",
    *,
    level: Level = "initial",
    threads: int = 1,
) -> Attribution:
    """Contributions to a requirement by position, of one kind:

    - ``"incremental"``: the requirement less what it would be without the position;
    - ``"marginal"``: what the next lot adds and the last lot added, halved, times the lots held;
    - ``"euler"``: the slope of the requirement along the position, by Euler's theorem: a requirement that grows in
      proportion with the account is the sum of these parts. Taken on the account 2^20 times over, where the position
      once more or less changes no worst scenario; where it bends at the account, as between the legs of a spread under
      Reg T, the mean of the slopes either way. Of a scan alone it is the position's loss in the worst scenario. Raises
      :class:`margincore.NotApplicable` where the requirement does not grow in proportion (fixed floors, tiers, accounts
      that Reg T pairs better when they are larger), and where it bends so that the slopes do not add up to it (an iron
      condor under Reg T).

    All accounts it takes are margined in one batch. Amounts are in the report's currency.

    >>> import math, margincore as mc
    >>> a, b = (mc.Stock(symbol, currency="USD") for symbol in "AB")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 50.0, "B": 20.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([a, b], market)
    >>> print(attribute(prepared, [mc.Position(a, 100), mc.Position(b, -50)], "euler"))
    A                 +100            750.00
    B                  -50            150.00
    residual                            0.00
    total                             900.00
    """
    prepared, own = ready(prepared), holder(account)
    held = _sides(own)

    def others(i: int, scale: float = 1.0) -> list[Position]:
        return [_sized(p, scale) for k, p in enumerate(held) if k != i]

    if kind == "incremental":
        asked = [_with(own, others(i)) for i in range(len(held))]
    elif kind == "marginal":
        asked = [_with(own, [*others(i), _sized(p, 1.0, step)]) for i, p in enumerate(held) for step in (1.0, -1.0)]
    elif kind == "euler":
        asked = [
            _with(own, [*others(i, SCALE), _sized(p, SCALE + step)], SCALE)
            for i, p in enumerate(held)
            for step in (1.0, -1.0)
        ]
        asked.append(_with(own, [_sized(p, SCALE) for p in held], SCALE))
    else:
        raise InvalidInput(f"attribute: kind {kind!r}: incremental, marginal or euler")
    batch = prepared.margin_many([own, *asked], threads=threads)
    column = batch.initial if level == "initial" else batch.maintenance
    total, *values = (float(v) for v in column)
    if kind == "incremental":
        amounts = [total - value for value in values]
    else:
        lots = [1.0 if kind == "euler" else (p.long + p.short) / p.contract.lot for p in held]
        amounts = [(values[2 * i] - values[2 * i + 1]) / 2.0 * n for i, n in enumerate(lots)]
    if kind == "euler" and not math.isclose(values[-1], SCALE * total, rel_tol=1e-9, abs_tol=1e-6):
        raise NotApplicable(
            f"attribute: under {prepared.methodology.name} this account taken {SCALE} times does not need {SCALE} "
            'times the margin: use "incremental" or "marginal"',
            code="not_covered",
        )
    contributions = tuple(Contribution(p.contract, p.long, p.short, a) for p, a in zip(held, amounts, strict=True))
    residual = _rest(total, amounts)
    if kind == "euler" and abs(residual) > _ROUNDING * _size(contributions):
        raise NotApplicable(
            f"attribute: under {prepared.methodology.name} the requirement bends at this account (one contract more "
            "of a spread's leg and one less do not change it by the same), and Euler's parts miss the total by "
            f'{amount_text(residual)} {prepared.currency}: use "incremental" or "marginal"',
            code="not_covered",
        )
    return Attribution(kind, contributions, residual, total)


def explain(before: Margined, after: Margined, *, level: Level = "initial", threads: int = 1) -> Change:
    """How much of a change came from positions, from the market and from parameters, in this order:

    1. positions: the new account under the old market and the old rulebook, less the old account;
    2. market: the same account under the new market, the rulebook still the old one;
    3. parameters: the new rulebook, everything new.

    The order matters: what two of them do together falls to the later one. A rulebook that carries an exchange's own
    arrays has no market: its part is zero, and new arrays count as parameters. Every contract of both accounts has to
    be quoted in both markets; raises :class:`margincore.MissingData` naming those that are not.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> def day(spot, quantity, **parameters):
    ...     market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": spot})
    ...     prepared = mc.Engine(mc.methods.Tims(**parameters)).prepare([stock], market)
    ...     return Margined(prepared, mc.Account([mc.Position(stock, quantity)]))
    >>> print(explain(day(50.0, 100), day(40.0, 200, default_range={"down": -0.2, "up": 0.2})))
    before                750.00
    positions             750.00
    market               -300.00
    parameters            400.00
    residual                0.00
    after               1,600.00
    """
    if before.prepared.currency != after.prepared.currency:
        raise InvalidInput(
            f"explain: one report is in {before.prepared.currency}, the other in {after.prepared.currency}"
        )
    table = _union(before.prepared.contracts, after.prepared.contracts)
    old, new = before.prepared.methodology, after.prepared.methodology
    markets = (before.prepared.market, after.prepared.market)

    def requirement(methodology: Methodology, which: int, account: Account) -> float:
        report = methodology.prepare(table, markets[which], threads=threads).margin(account)
        own = report.requirement
        return own.initial if level == "initial" else own.maintenance

    start = requirement(old, 0, before.account)
    traded = requirement(old, 0, after.account)
    moved = traded if markets[1] is None else requirement(old, 1, after.account)
    end = requirement(new, 1, after.account)
    parts = (traded - start, moved - traded, end - moved)
    return Change(start, *parts, _rest(end, (start, *parts)), end)


def _union(first: Contracts, second: Contracts) -> list[Contract]:
    table = {contract.id: contract for contract in first}
    for contract in second:
        if table.setdefault(contract.id, contract) != contract:
            raise InvalidInput(
                f"explain: contract '{contract.id}' has other terms after than before", code="other_table"
            )
    return list(table.values())
