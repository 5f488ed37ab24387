"""Arrow tables in and out: contracts, accounts and batches as columns (extra ``arrow``).

Whatever speaks the Arrow PyCapsule interface is read by the engine itself, without a Python object per row: a table of
polars, DuckDB, pandas or pyarrow. :meth:`margincore.Contracts.from_arrow`, :meth:`margincore.Accounts.from_arrow` and
:meth:`margincore.Prepared.margin_arrow` are the same without this module, and need no pyarrow.

Source of the interface: Apache Arrow, "The Arrow PyCapsule Interface".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from margincore._core import Accounts, Contracts, InvalidInput, MarginBatch

if TYPE_CHECKING:
    import pyarrow as pa


def contracts(table: Any) -> Contracts:
    """A table of contracts from an Arrow table whose columns are named like a contract's terms.

    The same as :meth:`margincore.Contracts.from_arrow`, which says what columns may be and what is raised.

    >>> import pyarrow as pa
    >>> table = pa.table({"kind": ["option", "etf"], "underlying": ["SPY", "SPY"], "right": ["call", None],
    ...                   "strike": [500.0, None], "expiry": ["2026-12-18", None], "settles": ["pm", None],
    ...                   "exercise": ["american", None], "multiplier": [100.0, 1.0], "currency": ["USD", "USD"]})
    >>> contracts(table).ids
    ('SPY 2026-12-18 500 call', 'SPY')
    """
    return Contracts.from_arrow(table)


def accounts(
    contracts: Contracts, table: Any, *, count: int | None = None, kind: str | None = None, **columns: Any
) -> tuple[Accounts, list[str | int]]:
    """Accounts from an Arrow table with a row per position, and what they are called in the order of the batch.

    The same as :meth:`margincore.Accounts.from_arrow`, which takes `columns` by name and says what is raised. Accounts
    come in ascending order of what they are called; with `count` they are numbers from 0, so many of them.

    >>> import pyarrow as pa
    >>> table = Contracts.from_columns(kind="etf", underlying=["SPY", "QQQ"], currency="USD")
    >>> held, names = accounts(table, pa.table({"account": ["b", "a", "b"], "contract": ["SPY", "SPY", "QQQ"],
    ...                                         "lots": [100, -20, 5]}))
    >>> len(held), names
    (2, ['a', 'b'])
    """
    held = Accounts.from_arrow(contracts, table, count=count, kind=kind, **columns)
    return held, [*range(len(held))] if held.labels is None else [*held.labels]


def batch(margins: MarginBatch, names: Sequence[str] | Sequence[int] | None = None) -> pa.Table:
    """A batch of requirements as an Arrow table, with the accounts' names where given.

    ``worst_scenario`` is null where a rulebook has none; ``pairing_gap`` is a column only where positions are paired.
    Money is in the rulebook's report currency. Raises :class:`margincore.InvalidInput` for names that are not as many,
    or not of one kind.
    """
    import pyarrow as pa

    worst, gap = margins.worst_scenario, margins.pairing_gap
    columns: dict[str, Any] = {}
    if names is not None:
        if len(names) != len(margins):
            raise InvalidInput(f"arrow: {len(names)} names for {len(margins)} accounts")
        kind = pa.int64() if all(isinstance(name, int) for name in names) else pa.string()
        try:
            columns["account"] = pa.array(names, kind)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"arrow: names of accounts: {error}", code="wrong_type") from None
    columns |= {
        "initial": margins.initial,
        "maintenance": margins.maintenance,
        "net_option_value": margins.net_option_value,
        "worst_scenario": pa.array(worst, mask=worst < 0),
    }
    unpaired = np.isnan(gap)
    if not unpaired.all():
        columns["pairing_gap"] = pa.array(gap, mask=unpaired)
    return pa.table(columns)
