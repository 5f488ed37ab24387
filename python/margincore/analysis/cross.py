"""Cross-margining: the same positions in separate accounts and in one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from margincore._core import Account, Contract, MarginReport, Market, Methodology, Position
from margincore._pickles import Record
from margincore.engine import beside, margin
from margincore.methods import Combined

__all__ = ["CrossMargin", "cross_margin"]


@dataclass(frozen=True)
class CrossMargin(Record):
    """The account margined apart, each part under its own rulebook, and together under one."""

    apart: MarginReport
    together: MarginReport

    @property
    def benefit(self) -> float:
        """Initial requirement apart less together, on liquidating equity, in the report's currency.

        An upper bound of what cross-margining would save: a programme may recognise less of the offset, charge
        minimums or keep the parts' own add-ons. Negative where the parts cost less.
        """
        return self.apart.requirement.initial - self.together.requirement.initial

    def __str__(self) -> str:
        rows = [
            *((f"apart: {scope}", r.initial) for scope, r in self.apart.by_scope().items()),
            ("apart", self.apart.requirement.initial),
            ("together", self.together.requirement.initial),
            ("benefit, at most", self.benefit),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {amount:>16,.2f}" for name, amount in rows)


def cross_margin(
    account: Account | Iterable[Position],
    market: Market | None,
    apart: Sequence[tuple[Callable[[Contract], bool], Methodology]],
    together: Methodology,
    *,
    contracts: Iterable[Contract] = (),
) -> CrossMargin:
    """Margins the account split by contract and as a whole.

    `apart` says which rulebook each contract is held under, as in :class:`margincore.methods.Combined`;
    `together` has the rulebook that nets them, for example TIMS with index options and index futures in one class
    group. Option value counts once: every requirement here is liquidating equity. Raises :class:`NotApplicable`
    where a rulebook does not cover its part.

    >>> import margincore as mc
    >>> put = mc.Option("SPX", "put", 4400, expiry="2026-12-18", settles="am", exercise="european",
    ...                 multiplier=100, currency="USD")
    >>> future = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="us", multiplier=50, currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"SPX": 4500.0, "ES": 4510.0},
    ...                    price={future.id: 4510.0}, vol={put.id: 0.18}, rate={"USD": 0.05})
    >>> book = [mc.Position(put, 2), mc.Position(future, 4)]
    >>> tims = mc.methods.Tims()
    >>> futures = mc.methods.SpanLike({"ES": {"price_scan": 0.06, "vol_scan": 0.25}})    # not CME's own arrays
    >>> result = mc.cross_margin(book, market, [(lambda c: c.kind == "option", tims),
    ...                                         (lambda c: c.kind == "future", futures)], tims)
    >>> result.benefit > 0
    True
    """
    if not isinstance(account, Account):
        account = Account(account)
    contracts = beside(contracts)
    return CrossMargin(
        apart=margin(account, market, Combined(apart), contracts=contracts),
        together=margin(account, market, together, contracts=contracts),
    )
