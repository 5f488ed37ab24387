"""Prepare once, margin many times."""

from __future__ import annotations

from collections.abc import Iterable

from margincore._core import (
    Account,
    Contract,
    Contracts,
    MarginReport,
    Market,
    Methodology,
    Position,
    Prepared,
)

__all__ = ["Engine", "margin"]


class Engine:
    """One rulebook, ready to be prepared for tables of contracts.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> prepared.margin([mc.Position(stock, 100)]).requirement.initial
    750.0
    """

    __slots__ = ("methodology",)

    def __init__(self, methodology: Methodology) -> None:
        self.methodology = methodology

    def prepare(
        self, contracts: Contracts | Iterable[Contract], market: Market | None = None, *, threads: int = 1
    ) -> Prepared:
        """Reprice what the rulebook needs and compile it. The result is immutable.

        `market` may be left out where the methodology carries the exchange's own arrays. Raises
        :class:`MissingData` naming what is not quoted, :class:`NotApplicable` naming what is not covered.
        """
        return self.methodology.prepare(contracts, market, threads=threads)

    def __repr__(self) -> str:
        return f"Engine({self.methodology!r})"


def margin(
    account: Account | Iterable[Position],
    market: Market | None,
    methodology: Methodology,
    *,
    contracts: Iterable[Contract] = (),
    standalone: bool = False,
) -> MarginReport:
    """The margin of one account under one rulebook, explained.

    `contracts` adds what the account does not hold but its options are written on, such as their futures.
    For many accounts or many questions, prepare an :class:`Engine` once instead.

    >>> import margincore as mc
    >>> report = mc.margin([mc.Position(mc.Stock("XYZ", currency="USD"), -100)],
    ...                    mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}), mc.methods.Tims())
    >>> report.worst_scenario, report.adds_up()
    ('up 5/5', True)
    """
    if not isinstance(account, Account):
        account = Account(account)
    table: dict[str, Contract] = {}
    for contract in (*(p.contract for p in account.positions), *contracts):
        if table.setdefault(contract.id, contract) != contract:
            # Two positions under one id with different terms: let the table refuse it by row.
            return methodology.prepare([*table.values(), contract], market).margin(account)
    return methodology.prepare(table.values(), market).margin(account, standalone=standalone)
