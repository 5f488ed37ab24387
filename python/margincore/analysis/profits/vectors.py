"""What accounts and their positions gain in the scenarios of a prepared rulebook, as columns; nothing is repriced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from margincore._core import (
    Account,
    Accounts,
    InvalidInput,
    MissingData,
    NotApplicable,
    Position,
    Prepared,
    Unsupported,
)
from margincore._pickles import Record
from margincore.analysis import given
from margincore.analysis.profits.components import Components, components
from margincore.engine import holder, ready
from margincore.methods.hvar import Confidence

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Profits", "of"]

Floats = NDArray[np.float64]
Holder = Account | Iterable[Position]

#: Numbers of a block of positions that are multiplied at a time.
_BLOCK = 4_000_000
#: From so many scenarios on, a product for each account is faster than sums over blocks of positions.
_WIDE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Profits(Record):
    """The profits of accounts in one set of scenarios, in `currency`; a loss is negative.

    - `scope`: whose scenarios they are, in the rulebook's own words: a class group, a commodity, a unit, a netting set
      with its component.
    - `labels`: the scenarios. `contracts`: ids of what they move, with `unit`, the profit of one contract in each
      (contracts by scenarios).
    - `accounts`: what the accounts are called. The positions of the one at ``i`` are the entries from ``start[i]``
      up to ``start[i + 1]`` of `contract` (a row of `contracts`) and `quantity` (contracts, signed); accounts that hold
      nothing of the scope have none.
    """

    scope: str
    currency: str
    labels: tuple[str, ...]
    contracts: tuple[str, ...]
    unit: Floats
    accounts: tuple[Any, ...]
    start: NDArray[np.int64]
    contract: NDArray[np.int64]
    quantity: Floats

    def __len__(self) -> int:
        return len(self.accounts)

    @property
    def by_position(self) -> Floats:
        """Profits of every position: positions by scenarios, in the order of `contract`. A new array."""
        return np.asarray(self.quantity[:, None] * self.unit[self.contract], dtype=np.float64)

    @property
    def by_account(self) -> Floats:
        """Profits of every account: accounts by scenarios, zero where it holds nothing. A new array.

        They are sums of positions, before what a rule does to sums: rounding, caps on gains, offsets of spot.
        """
        out = np.zeros((len(self), len(self.labels)))
        if len(self.labels) >= _WIDE:
            for i, (begin, end) in enumerate(zip(self.start[:-1].tolist(), self.start[1:].tolist(), strict=True)):
                if end > begin:
                    np.dot(self.quantity[begin:end], self.unit[self.contract[begin:end]], out=out[i])
            return out
        per_block = max(_BLOCK // max(len(self.labels), 1), 1)
        first = 0
        while first < len(self):
            # Whole accounts, at least one, of about so many positions.
            most = int(np.searchsorted(self.start, self.start[first] + per_block, side="right")) - 1
            last = min(max(most, first + 1), len(self))
            own = slice(int(self.start[first]), int(self.start[last]))
            rows = self.quantity[own, None] * self.unit[self.contract[own]]
            begins = self.start[first:last] - self.start[first]
            held = np.diff(self.start[first : last + 1]) > 0
            if held.any():
                out[first:last][held] = np.add.reduceat(rows, begins[held], axis=0)
            first = last
        return out

    def of_account(self, account: Any) -> tuple[tuple[str, ...], Floats]:
        """Ids of the contracts an account holds in this scope, and their profits, positions by scenarios.

        `account` is one of `accounts`. Raises :class:`MissingData` for another one.
        """
        if account not in self.accounts:
            raise MissingData(
                f"no account {account!r} among {len(self)}", code="missing_data", where="account", value=account
            )
        at = self.accounts.index(account)
        own = slice(int(self.start[at]), int(self.start[at + 1]))
        rows = self.contract[own]
        return tuple(self.contracts[row] for row in rows), self.quantity[own, None] * self.unit[rows]

    def components(self, account: Any, measure: str, confidence: Confidence) -> Components:
        """A measure of an account's losses in these scenarios, and each position's part of it: :func:`components`."""
        ids, rows = self.of_account(account)
        return components(rows, measure, confidence, names=ids)

    def to_arrow(self, by: Literal["account", "position"] = "account") -> pyarrow.Table:
        """The profits as an Arrow table (extra ``arrow``): a row an account or a position.

        Columns ``account``, with positions ``contract`` and ``quantity``, then ``profit``: a list of fixed size, an
        entry per scenario. The schema's metadata has ``margincore.scope``, ``margincore.currency`` and
        ``margincore.scenarios``, the labels as JSON. Raises :class:`Unsupported` without the extra.
        """
        import json

        given.name("by", by, ("account", "position"))
        try:
            import pyarrow as pa
        except ImportError:
            raise Unsupported('to_arrow needs pyarrow: pip install "margincore[arrow]"') from None
        columns: dict[str, Any] = {}
        if by == "account":
            columns["account"] = pa.array(list(self.accounts))
            rows = self.by_account
        else:
            names = pa.array(list(self.accounts))
            held = np.repeat(np.arange(len(self)), np.diff(self.start))
            columns["account"] = names.take(pa.array(held))
            columns["contract"] = pa.array(list(self.contracts), pa.string()).take(pa.array(self.contract))
            columns["quantity"] = pa.array(self.quantity)
            rows = self.by_position
        columns["profit"] = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), len(self.labels))
        said = {
            "margincore.scope": self.scope,
            "margincore.currency": self.currency,
            "margincore.scenarios": json.dumps(list(self.labels)),
        }
        return pa.table(columns).replace_schema_metadata(said)


def of(
    prepared: Prepared,
    accounts: Accounts | Account | Mapping[Any, Holder] | Iterable[Holder] | Iterable[Position],
    *,
    unmoved: Literal["refuse", "zero"] = "refuse",
) -> tuple[Profits, ...]:
    """What accounts gain in each scenario of a prepared rulebook, one :class:`Profits` for each of its scopes.

    `accounts` are columns, one account (or its list of positions), a mapping by name, or a list (named by number).
    The profits are those the rulebook was compiled with; no price is computed again. Scopes are not added
    up: their scenarios differ.

    What the rulebook has: TIMS' points by class group, and a house's overlay points; SPAN's arrays by combined
    commodity (of an extreme move the part that counts); the scenarios of crypto venues by unit, in its currency;
    historical VaR by netting set and component, in the report's currency. Positions are in contracts and as held, net.

    `unmoved` is about what no scenario moves (a contract that a flat rate margins, spot that is collateral only):
    ``"refuse"``, or ``"zero"`` for no profit in any scenario. Raises :class:`NotApplicable` for a rulebook without
    scenarios and, by name, for contracts that none moves; :class:`Unsupported` for Derive's portfolio manager, whose
    scenarios are weighed by expiry; :class:`InvalidInput` for gross accounts, and for columns over another table.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
    >>> [found] = mc.profits.of(prepared, {"a": [mc.Position(stock, 100)], "b": [mc.Position(stock, -40)]})
    >>> found.scope, found.labels[0], found.by_account[:, 0].tolist()
    ('XYZ', '-15 %', [-750.0, 300.0])
    """
    given.name("unmoved", unmoved, ("refuse", "zero"))
    own = ready(prepared)
    tables = own.profit_tables()
    table = own.contracts
    names, start, row, lots = _columns(own, accounts)
    lot = np.array([contract.lot for contract in table])
    moved = np.zeros(len(table), dtype=bool)
    for one in tables:
        moved[one["contracts"]] = True
    if unmoved == "refuse" and not moved[row].all():
        ids = sorted({table[int(at)].id for at in row[~moved[row]]})
        raise NotApplicable(
            f"{own.methodology.name}: no scenario moves {', '.join(ids)}: unmoved='zero' counts them as without profit",
            code="not_covered",
            where=ids[0],
        )
    found = []
    for one in tables:
        rows = one["contracts"].astype(np.int64)
        place = np.full(len(table), -1, dtype=np.int64)
        place[rows] = np.arange(rows.size)
        held = place[row] >= 0
        # Where each account's positions of this scope start: those kept before it.
        kept = np.concatenate([[0], np.cumsum(held)])
        found.append(
            Profits(
                scope=one["scope"],
                currency=one["currency"],
                labels=tuple(one["labels"]),
                contracts=tuple(table[int(at)].id for at in rows),
                unit=one["profit"] / lot[rows][:, None],
                accounts=names,
                start=kept[start],
                contract=place[row][held],
                quantity=(lots * lot[row])[held],
            )
        )
    return tuple(found)


def _columns(prepared: Prepared, accounts: Any) -> tuple[tuple[Any, ...], NDArray[np.int64], NDArray[np.int64], Floats]:
    """Names, where each account's positions start, their rows in the table, and their signed lots."""
    table = prepared.contracts
    if isinstance(accounts, Accounts):
        if accounts.contracts.digest != table.digest:
            raise InvalidInput(
                "the accounts' columns refer to another table of contracts than the prepared one",
                code="other_table",
                where="accounts",
            )
        begins, contract, lots = accounts.positions()
        labels = accounts.labels
        names = tuple(range(len(accounts))) if labels is None else tuple(labels)
        return names, begins, contract.astype(np.int64), lots.astype(np.float64)
    if isinstance(accounts, Mapping):
        held = {name: holder(account) for name, account in accounts.items()}
    elif isinstance(accounts, Account):
        held = {0: accounts}
    else:
        listed = given.rows("accounts", accounts)
        one = bool(listed) and all(isinstance(item, Position) for item in listed)
        held = {i: holder(account) for i, account in enumerate([listed] if one else listed)}
    start, rows, quantities = [0], [], []
    for name, account in held.items():
        if account.gross:
            raise InvalidInput(
                f"account {name!r} is gross: its long and short sides are two portfolios: give each as an account",
                code="wrong_type",
                where="accounts",
            )
        for position in account.positions:
            rows.append(table.index(position.contract))
            quantities.append(position.quantity / position.contract.lot)
        start.append(len(rows))
    return tuple(held), np.array(start), np.array(rows, dtype=np.int64), np.array(quantities, dtype=np.float64)
