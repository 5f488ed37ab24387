"""Arrow tables in and out: contracts, accounts and batches as columns (extra ``arrow``).

Whatever speaks the Arrow PyCapsule interface is read without a Python object per row: a table of polars, DuckDB,
pandas or pyarrow. A missing value (null) is refused unless the column says that it may be left out.

Source of the interface: Apache Arrow, "The Arrow PyCapsule Interface".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from margincore._core import Accounts, Contracts, InvalidInput, MarginBatch, MissingData

if TYPE_CHECKING:
    import pyarrow as pa

_TERMS = ("strike", "multiplier", "lot")
"""The terms of a contract that are numbers; the others are text, or dates."""


def contracts(table: Any) -> Contracts:
    """A table of contracts from an Arrow table whose columns are named like a contract's terms.

    A null in a column of text means left out, as does a null strike on a row that is no option. Dates may be Arrow
    dates. Raises :class:`margincore.InvalidInput` or :class:`margincore.MissingData`, naming column and row.

    >>> import pyarrow as pa
    >>> table = pa.table({"kind": ["option", "etf"], "underlying": ["SPY", "SPY"], "right": ["call", None],
    ...                   "strike": [500.0, None], "expiry": ["2026-12-18", None], "settles": ["pm", None],
    ...                   "exercise": ["american", None], "multiplier": [100.0, 1.0], "currency": ["USD", "USD"]})
    >>> contracts(table).ids
    ['SPY 2026-12-18 500 call', 'SPY']
    """
    arrow = _table(table)
    columns: dict[str, Any] = {}
    options = _texts(arrow, "kind") == "option"
    for name in arrow.column_names:
        if name not in _TERMS:
            columns[name] = _texts(arrow, name)
        elif name == "strike":
            columns[name] = _numbers(arrow, name, needed=options)
        else:
            columns[name] = _numbers(arrow, name)
    return Contracts.from_columns(**columns)


def accounts(
    contracts: Contracts, table: Any, *, count: int | None = None, kind: str | None = None
) -> tuple[Accounts, list[str]]:
    """Accounts from an Arrow table with a row per position, and the accounts' names in the order of the batch.

    Columns: ``account`` (text or whole numbers; accounts come in ascending order of it), ``contract`` (an id of
    ``contracts``, or its row) and ``quantity`` (whole lots, signed). Numbered accounts are rows of the batch:
    ``count`` of them, or as many as the largest number asks for.

    Raises :class:`margincore.InvalidInput` for a contract that is not in the table, a fraction or a null.

    >>> import pyarrow as pa
    >>> table = Contracts.from_columns(kind="etf", underlying=["SPY", "QQQ"], currency="USD")
    >>> held, names = accounts(table, pa.table({"account": ["b", "a", "b"], "contract": ["SPY", "SPY", "QQQ"],
    ...                                         "quantity": [100, -20, 5]}))
    >>> len(held), names
    (2, ['a', 'b'])
    """
    arrow = _table(table)
    rows = _column(arrow, "account")
    if _is_text(rows.type):
        names, account = np.unique(_texts(arrow, "account", needed=True), return_inverse=True)
        labels = [str(name) for name in names]
        count = len(labels)
    else:
        account, labels = _whole(arrow, "account"), None
    held = _column(arrow, "contract")
    contract: NDArray[np.integer[Any]]
    if _is_text(held.type):
        ids, codes = np.unique(_texts(arrow, "contract", needed=True), return_inverse=True)
        contract = np.array([contracts.index(str(one)) for one in ids], dtype=np.uint32)[codes]
    else:
        contract = _whole(arrow, "contract")
    columns = Accounts.from_columns(
        contracts,
        account=account,
        contract=contract,
        quantity=_whole(arrow, "quantity"),
        count=count,
        kind=kind,
    )
    return columns, [str(i) for i in range(len(columns))] if labels is None else labels


def batch(margins: MarginBatch, names: Sequence[str] | None = None) -> pa.Table:
    """A batch of requirements as an Arrow table, with the accounts' names where given.

    ``worst_scenario`` is null where a rulebook has none. Money is in the rulebook's report currency.
    """
    import pyarrow as pa

    if names is not None and len(names) != len(margins):
        raise InvalidInput(f"arrow: {len(names)} names for {len(margins)} accounts")
    worst = margins.worst_scenario
    columns: dict[str, Any] = {} if names is None else {"account": pa.array(names, pa.string())}
    columns |= {
        "initial": margins.initial,
        "maintenance": margins.maintenance,
        "net_option_value": margins.net_option_value,
        "worst_scenario": pa.array(worst, mask=worst < 0),
    }
    return pa.table(columns)


def _table(data: Any) -> pa.Table:
    import pyarrow as pa

    if not hasattr(data, "__arrow_c_stream__"):
        raise InvalidInput(f"arrow: {type(data).__name__} has no __arrow_c_stream__: give an Arrow table")
    return pa.table(data)


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise MissingData(f"arrow: there is no column '{name}': the table has {', '.join(table.column_names)}")
    return table.column(name)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain))


def _texts(table: pa.Table, name: str, *, needed: bool = False) -> NDArray[Any]:
    """A column of text or dates as NumPy text; null becomes ``""`` unless it is needed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _column(table, name)
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if not (_is_text(column.type) or pa.types.is_date(column.type)):
        raise InvalidInput(f"arrow: column '{name}' is {column.type}: it is text")
    if needed:
        _refuse_nulls(column, name)
    text = pc.fill_null(column.cast(pa.string()), "")
    return np.asarray(text.to_numpy(), dtype=np.str_)


def _numbers(table: pa.Table, name: str, needed: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """A column of numbers; null is refused, but where ``needed`` says that a row has no use for it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _column(table, name)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_null(column.type)):
        raise InvalidInput(f"arrow: column '{name}' is {column.type}: it is a number")
    missing = column.is_null().to_numpy()
    if (row := np.flatnonzero(missing if needed is None else missing & needed)).size:
        raise InvalidInput(f"arrow: column '{name}' row {row[0]}: null where a number is needed")
    numbers = pc.fill_null(column.cast(pa.float64()), 0.0)
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _whole(table: pa.Table, name: str) -> NDArray[np.int64]:
    import pyarrow as pa

    column = _column(table, name)
    if not pa.types.is_integer(column.type):
        raise InvalidInput(f"arrow: column '{name}' is {column.type}: it is whole numbers")
    _refuse_nulls(column, name)
    try:
        return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"arrow: column '{name}': {error}") from None


def _refuse_nulls(column: pa.ChunkedArray, name: str) -> None:
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise InvalidInput(f"arrow: column '{name}' row {row}: null")
