"""Prepare once, margin many times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from margincore._core import (
    Account,
    Contract,
    Contracts,
    InvalidInput,
    MarginReport,
    Market,
    Methodology,
    Position,
    Prepared,
)
from margincore._pickles import reduced

__all__ = ["Engine", "beside", "margin", "ready"]


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
    _pickle_version: ClassVar[int] = 1

    def __init__(self, methodology: Methodology) -> None:
        self.methodology = rulebook(methodology)

    def prepare(
        self, contracts: Contracts | Iterable[Contract], market: Market | None = None, *, threads: int = 1
    ) -> Prepared:
        """Reprice what the rulebook needs and compile it. The result is immutable.

        `market` may be left out where the methodology carries the exchange's own arrays. Raises
        :class:`MissingData` naming what is not quoted, :class:`NotApplicable` naming what is not covered.
        """
        return self.methodology.prepare(contracts, snapshot(market), threads=thread_count(threads))

    def __repr__(self) -> str:
        return f"Engine({self.methodology!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self, {"methodology": self.methodology})

    @classmethod
    def _revived(cls, version: int, state: dict[str, Any]) -> Self:
        return cls(**state)


def rulebook(methodology: Any) -> Methodology:
    """A rulebook, or :class:`InvalidInput` that says what stands in its place."""
    if isinstance(methodology, Methodology):
        return methodology
    if isinstance(methodology, type) and issubclass(methodology, Methodology):
        name = methodology.__name__
        raise InvalidInput(f"methodology: {name} is a class: call it, mc.methods.{name}()", code="wrong_type")
    raise InvalidInput(
        f"methodology: a rulebook is needed, such as mc.methods.Tims(), not {_named(methodology)}", code="wrong_type"
    )


def snapshot(market: Any) -> Market | None:
    """A market or none, or :class:`InvalidInput` that says what stands in its place."""
    if market is None or isinstance(market, Market):
        return market
    raise InvalidInput(
        f"market: a Market is needed, not {_named(market)}: the order is account, market, methodology",
        code="wrong_type",
    )


def holder(account: Any) -> Account:
    """An account, from positions where it is not one yet; :class:`InvalidInput` for anything else."""
    if isinstance(account, Account):
        return account
    if isinstance(account, Position):
        raise InvalidInput("account: one Position: put it in a list, [position]")
    if isinstance(account, str | Mapping) or not isinstance(account, Iterable):
        raise InvalidInput(
            f"account: an Account or a list of positions is needed, not {_named(account)}", code="wrong_type"
        )
    positions = list(account)
    for i, position in enumerate(positions):
        if not isinstance(position, Position):
            raise InvalidInput(
                f"account: positions[{i}]: a Position is needed, not {_named(position)}", code="wrong_type"
            )
    return Account(positions)


def beside(contracts: Any) -> list[Contract]:
    """The contracts given beside an account; :class:`InvalidInput` for what is no list of them."""
    if isinstance(contracts, str | bytes | Mapping) or not isinstance(contracts, Iterable):
        raise InvalidInput(
            f"contracts: a list of contracts is needed, not {_named(contracts)}", code="wrong_type", where="contracts"
        )
    listed = list(contracts)
    for i, contract in enumerate(listed):
        if not isinstance(contract, Contract):
            raise InvalidInput(
                f"contracts[{i}]: a Contract is needed, not {_named(contract)}",
                code="wrong_type", where=f"contracts[{i}]",
            )  # fmt: skip
    return listed


def table_of(account: Account, contracts: Iterable[Contract]) -> list[Contract]:
    """What an account holds and what is given beside it, each once.

    Two contracts under one id with different terms are both there: the table that is made of them refuses it by row.
    """
    table: dict[str, Contract] = {}
    others = []
    for contract in (*(p.contract for p in account.positions), *contracts):
        if table.setdefault(contract.id, contract) != contract:
            others.append(contract)
    return [*table.values(), *others]


def ready(prepared: Any) -> Prepared:
    """A prepared rulebook, or :class:`InvalidInput` that says what stands in its place."""
    if isinstance(prepared, Prepared):
        return prepared
    raise InvalidInput(
        f"prepared: a Prepared is needed, Engine(rulebook).prepare(contracts, market), not {_named(prepared)}",
        code="wrong_type",
        where="prepared",
    )


def thread_count(threads: int) -> int:
    """A number of threads, none of which is negative."""
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
        raise InvalidInput(f"threads is {threads!r}: a whole number is needed, 1 for one thread", code="wrong_type")
    return threads


def _named(value: Any) -> str:
    return repr(value) if isinstance(value, str | int | float) else type(value).__name__


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
    For many accounts or many questions, prepare an :class:`Engine` once instead. Raises :class:`InvalidInput` for
    arguments of another kind or in another order, and what the rulebook raises.

    >>> import margincore as mc
    >>> report = mc.margin([mc.Position(mc.Stock("XYZ", currency="USD"), -100)],
    ...                    mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}), mc.methods.Tims())
    >>> report.worst_scenario, report.adds_up()
    ('up 5/5', True)
    """
    account, market, methodology = holder(account), snapshot(market), rulebook(methodology)
    table = table_of(account, beside(contracts))
    return methodology.prepare(table, market).margin(account, standalone=standalone)
