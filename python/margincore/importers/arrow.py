"""Arrow tables in and out: contracts, accounts and batches as columns (extra ``arrow``).

Whatever speaks the Arrow PyCapsule interface is read without a Python object per row: a table of polars, DuckDB,
pandas or pyarrow. A missing value (null) is refused unless the column says that it may be left out.

Source of the interface: Apache Arrow, "The Arrow PyCapsule Interface".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from margincore._core import (
    Accounts,
    Contract,
    Contracts,
    InvalidInput,
    MarginBatch,
    MarginError,
    MissingData,
    did_you_mean,
)
from margincore.importers.text import check_name

if TYPE_CHECKING:
    import pyarrow as pa

_OWN_MULTIPLIERS = ("strike_multiplier", "premium_multiplier")
_NUMBERS = ("strike", "multiplier", *_OWN_MULTIPLIERS, "lot")
"""The terms of a contract that are numbers; the others are text."""
_FLAGS = ("listed",)
"""The terms that are true or false."""
_DATES = ("expiry",)
"""The terms that may be dates beside text."""
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")
"""What pandas calls an index without a name where it becomes a column: no data of the table's."""


def contracts(table: Any) -> Contracts:
    """A table of contracts from an Arrow table whose columns are named like a contract's terms.

    A null in a column of text means left out, as does a null strike on a row that is no option; a null multiplier of
    strike or premium is the row's multiplier. What an adjusted option delivers is text: ``"150 shares of MNO"``. Dates
    may be Arrow dates, or timestamps without a zone that are all at midnight. The index that pandas adds to a table is
    passed over. Raises :class:`margincore.InvalidInput` or :class:`margincore.MissingData`, naming column and row, for
    data that breaks Arrow's own rules too.

    >>> import pyarrow as pa
    >>> table = pa.table({"kind": ["option", "etf"], "underlying": ["SPY", "SPY"], "right": ["call", None],
    ...                   "strike": [500.0, None], "expiry": ["2026-12-18", None], "settles": ["pm", None],
    ...                   "exercise": ["american", None], "multiplier": [100.0, 1.0], "currency": ["USD", "USD"]})
    >>> contracts(table).ids
    ('SPY 2026-12-18 500 call', 'SPY')
    """
    with _refusals():
        arrow = _table(table)
        columns: dict[str, Any] = {}
        names = [name for name in arrow.column_names if not _PANDAS_INDEX.fullmatch(name)]
        _refuse_unknown(names)
        options = _texts(arrow, "kind") == "option"
        for name in names:
            if name == "strike":
                columns[name] = _numbers(arrow, name, needed=options)
            elif name in _OWN_MULTIPLIERS:
                left_out = _column(arrow, name).is_null().to_numpy()
                given = _numbers(arrow, name, needed=~left_out)
                columns[name] = np.where(left_out, _numbers(arrow, "multiplier"), given)
            elif name in _NUMBERS:
                columns[name] = _numbers(arrow, name)
            elif name in _FLAGS:
                columns[name] = _flags(arrow, name)
            else:
                columns[name] = _texts(arrow, name)
        return Contracts.from_columns(**columns)


def accounts(
    contracts: Contracts, table: Any, *, count: int | None = None, kind: str | None = None
) -> tuple[Accounts, list[str]]:
    """Accounts from an Arrow table with a row per position, and the accounts' names in the order of the batch.

    Columns: ``account`` (text or whole numbers; accounts come in ascending order of it), ``contract`` (an id of
    ``contracts``, or its row) and ``lots`` (whole, signed). Numbered accounts are rows of the batch:
    ``count`` of them, or as many as the largest number asks for.

    Raises :class:`margincore.MissingData` for a contract that is not in the table, :class:`margincore.InvalidInput` for
    a fraction, a null, and an account's name with blanks around it or characters that nobody sees.

    >>> import pyarrow as pa
    >>> table = Contracts.from_columns(kind="etf", underlying=["SPY", "QQQ"], currency="USD")
    >>> held, names = accounts(table, pa.table({"account": ["b", "a", "b"], "contract": ["SPY", "SPY", "QQQ"],
    ...                                         "lots": [100, -20, 5]}))
    >>> len(held), names
    (2, ['a', 'b'])
    """
    with _refusals():
        arrow = _table(table)
        account: NDArray[np.integer[Any]]
        contract: NDArray[np.integer[Any]]
        if _is_text(_column(arrow, "account").type):
            names, account = _coded(arrow, "account", needed=True)
            order = sorted(range(len(names)), key=names.__getitem__)
            labels = [names[i] for i in order]
            for label in labels:
                check_name(label, "arrow: account")
            account, count = np.argsort(order)[account], len(labels)
        else:
            account, labels = _whole(arrow, "account"), None
        if _is_text(_column(arrow, "contract").type):
            ids, codes = _coded(arrow, "contract", needed=True)
            contract = np.array([contracts.index(one) for one in ids], dtype=np.uint32)[codes]
        else:
            contract = _whole(arrow, "contract")
        columns = Accounts.from_columns(
            contracts,
            account=account,
            contract=contract,
            lots=_whole(arrow, "lots"),
            count=count,
            kind=kind,
        )
        return columns, [str(i) for i in range(len(columns))] if labels is None else labels


def batch(margins: MarginBatch, names: Sequence[str] | None = None) -> pa.Table:
    """A batch of requirements as an Arrow table, with the accounts' names where given.

    ``worst_scenario`` is null where a rulebook has none; ``pairing_gap`` is a column only where positions are paired.
    Money is in the rulebook's report currency.
    """
    import pyarrow as pa

    if names is not None and len(names) != len(margins):
        raise InvalidInput(f"arrow: {len(names)} names for {len(margins)} accounts")
    worst, gap = margins.worst_scenario, margins.pairing_gap
    columns: dict[str, Any] = {}
    if names is not None:
        with _refusals():
            columns["account"] = pa.array(names, pa.string())
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


@contextmanager
def _refusals() -> Iterator[None]:
    """What Arrow and NumPy refuse, in our own terms."""
    import pyarrow as pa

    try:
        yield
    except MarginError:
        raise
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"arrow: the table cannot be read: {error}") from None


def _table(data: Any) -> pa.Table:
    import pyarrow as pa

    if not hasattr(data, "__arrow_c_stream__"):
        raise InvalidInput(
            f"arrow: {type(data).__name__} has no __arrow_c_stream__: give an Arrow table", code="wrong_type"
        )
    if isinstance(data, pa.Table):
        return data  # as it is: the size of a buffer gets lost on the way through a stream
    try:
        return pa.table(data)
    except Exception as error:  # a stream is its maker's code, which may raise anything
        raise InvalidInput(
            f"arrow: the table cannot be read: {type(error).__name__}: {error}", code="wrong_type"
        ) from None


def _refuse_unknown(names: Sequence[str]) -> None:
    for name in names:
        if name not in Contract.TERMS:
            message = f"arrow: unknown column {name!r}: known are {', '.join(Contract.TERMS)}"
            hint = did_you_mean(name, Contract.TERMS)
            raise InvalidInput(message + hint, code="unknown_name", where=name, value=name)


def _wrong_type(name: str, needed: str, column: pa.ChunkedArray, *, row: int | None = None) -> InvalidInput:
    place = f"column '{name}'" if row is None else f"column '{name}' row {row}"
    found = {} if row is None else {"value": str(column[row].as_py())}
    message = f"arrow: {place}: {needed} needed, not {column.type}"
    return InvalidInput(message, code="wrong_type", where=place, **found)


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column, once its buffers are what they say: another program has filled them."""
    import pyarrow as pa

    found = table.column_names.count(name)
    if not found:
        raise MissingData(
            f"arrow: there is no column '{name}': the table has {', '.join(table.column_names)}",
            code="missing_parameter",
        )
    if found > 1:
        raise InvalidInput(f"arrow: there are {found} columns '{name}'")
    column = table.column(name)
    try:
        column.validate(full=True)
    except pa.ArrowException as error:
        raise InvalidInput(f"arrow: column '{name}' is no valid Arrow data: {error}") from None
    return column


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain))


def _coded(table: pa.Table, name: str, *, needed: bool = False) -> tuple[list[str], NDArray[np.integer[Any]]]:
    """The distinct values of a column of text, and which of them each row holds; null is ``""`` unless needed.

    Dates are read where they belong. A NUL is refused here: NumPy would take it away from the end of a name.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _column(table, name)
    if name in _DATES:
        column = _dates(column, name)
    elif not (_is_text(column.type) or pa.types.is_null(column.type)):
        raise _wrong_type(name, "text is", column)
    text = column.cast(pa.large_string()).combine_chunks()
    if needed:
        _refuse_nulls(text, name)
    coded = pc.fill_null(text, "").dictionary_encode()
    values, codes = coded.dictionary.to_pylist(), np.asarray(coded.indices)
    for code, value in enumerate(values):
        if "\0" in value:
            row = int(np.flatnonzero(codes == code)[0])
            raise InvalidInput(f"arrow: column '{name}' row {row}: a NUL does not belong in {value!r}")
    return values, codes


def _dates(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """A column of text or dates; timestamps are dates where each is a midnight of no zone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if _is_text(kind) or pa.types.is_date(kind) or pa.types.is_null(kind):
        return column
    needed = "text or a date is"
    if not pa.types.is_timestamp(kind) or kind.tz is not None:
        raise _wrong_type(name, needed, column)
    midnight = pc.fill_null(pc.equal(pc.floor_temporal(column, unit="day"), column), True)
    if (row := np.flatnonzero(~midnight.to_numpy())).size:
        raise _wrong_type(name, needed, column, row=int(row[0]))
    return column.cast(pa.date32())


def _flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    """A column of true and false; null is refused."""
    import pyarrow as pa

    column = _column(table, name)
    if not pa.types.is_boolean(column.type):
        raise _wrong_type(name, "true or false is", column)
    _refuse_nulls(column, name)
    return np.asarray(column.to_numpy(), dtype=np.bool_)


def _texts(table: pa.Table, name: str) -> NDArray[Any]:
    """A column of text as objects; null becomes ``""``."""
    values, codes = _coded(table, name)
    return np.take(np.array(values, dtype=object), codes)


def _numbers(table: pa.Table, name: str, needed: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """A column of numbers; null is refused, but where ``needed`` says that a row has no use for it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _column(table, name)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_null(column.type)):
        raise _wrong_type(name, "a number is", column)
    missing = column.is_null().to_numpy()
    if (row := np.flatnonzero(missing if needed is None else missing & needed)).size:
        raise InvalidInput(f"arrow: column '{name}' row {row[0]}: null where a number is needed", code="wrong_type")
    if pa.types.is_integer(column.type):
        _refuse_beyond(column, name, 2**53)
    numbers = pc.fill_null(column.cast(pa.float64()), 0.0)
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _whole(table: pa.Table, name: str) -> NDArray[np.int64]:
    import pyarrow as pa

    column = _column(table, name)
    if not pa.types.is_integer(column.type):
        raise _wrong_type(name, "whole numbers are", column)
    _refuse_nulls(column, name)
    _refuse_beyond(column, name, 2**63 - 1)
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)


def _refuse_nulls(column: pa.ChunkedArray | pa.Array, name: str) -> None:
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise InvalidInput(f"arrow: column '{name}' row {row}: null")


def _refuse_beyond(column: pa.ChunkedArray, name: str, largest: int) -> None:
    """Refuses whole numbers that a number of the engine cannot hold exactly."""
    import pyarrow.compute as pc

    values = pc.fill_null(column, 0).to_numpy()
    if (row := np.flatnonzero((values > largest) | (values < -largest))).size:
        raise InvalidInput(
            f"arrow: column '{name}' row {row[0]}: {values[row[0]]} is out of range", code="out_of_range"
        )
