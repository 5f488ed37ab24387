"""Arrow tables that another program filled: what breaks Arrow's rules or ours is refused in our own terms."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import margincore as mc

pa = pytest.importorskip("pyarrow")
from margincore.importers import arrow  # noqa: E402

BASE = {"kind": ["etf", "etf"], "underlying": ["SPY", "QQQ"], "currency": ["USD", "USD"]}
HELD = {"account": ["a", "b"], "contract": ["SPY", "QQQ"], "lots": [1, 2]}


@dataclass
class Text:
    """A column of text whose offsets are written when the table is made: pyarrow looks at them before."""

    column: Any
    places: np.ndarray
    offsets: tuple[int, ...]


def text_of(data: bytes, *offsets: int, nulls: bytes | None = None) -> Text:
    places = np.zeros(len(offsets), np.int32)
    buffers = [None if nulls is None else pa.py_buffer(nulls), pa.py_buffer(places), pa.py_buffer(data)]
    return Text(pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers), places, offsets)


def table_of(columns: dict[str, Any]) -> Any:
    """A table as another program would have filled it."""
    late = [column for column in columns.values() if isinstance(column, Text)]
    for column in late:
        column.places[:] = 0
    made = pa.table({name: column.column if isinstance(column, Text) else column for name, column in columns.items()})
    for column in late:
        column.places[:] = column.offsets
    return made


def contracts(**changes: Any) -> mc.Contracts:
    return arrow.contracts(table_of({**BASE, **changes}))


def accounts(**changes: Any) -> tuple[mc.Accounts, list[str]]:
    return arrow.accounts(contracts(), table_of({**HELD, **changes}))


def codes_of(codes: list[int], values: list[str | None]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(values, pa.string()), safe=False)


class Broken:
    """A producer whose stream raises, at once or after a batch."""

    def __init__(self, error: BaseException, batches: int) -> None:
        self.error, self.batches = error, batches

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        if not self.batches:
            raise self.error
        schema = pa.schema({name: pa.string() for name in BASE})
        return pa.RecordBatchReader.from_batches(schema, self._made(schema)).__arrow_c_stream__(requested_schema)

    def _made(self, schema: Any) -> Iterator[Any]:
        for _ in range(self.batches):
            yield pa.record_batch(BASE, schema=schema)
        raise self.error


ERRORS = [
    *(kind("x") for kind in (ValueError, KeyError, OSError, RuntimeError, OverflowError, ZeroDivisionError)),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    pa.ArrowInvalid("x"),
    pa.ArrowNotImplementedError("x"),
]


@pytest.mark.parametrize(
    ("attempt", "error", "words"),
    [
        (lambda: contracts(multiplier=[1, 2**53 + 1]), mc.InvalidInput, "row 1: 9007199254740993"),
        (lambda: contracts(multiplier=[1, -(2**53) - 1]), mc.InvalidInput, "'multiplier' row 1"),
        (lambda: contracts(lot=pa.array([2**64 - 1, 1], pa.uint64())), mc.InvalidInput, "'lot' row 0"),
        (lambda: contracts(underlying=text_of(b"S\xffY", 0, 3, 3)), mc.InvalidInput, "'underlying' is no"),
        (lambda: contracts(underlying=text_of(b"SPY", 0, 90, 90)), mc.InvalidInput, "cannot be read"),
        (lambda: contracts(underlying=text_of(b"SPY", 3, 0, 3)), mc.InvalidInput, "'underlying' is no"),
        (lambda: contracts(underlying=text_of(b"SPYQQQ", 0, 3, 6, nulls=b"\x02")), mc.MissingData, "is missing"),
        (lambda: contracts(underlying=codes_of([0, 5], ["SPY"])), mc.InvalidInput, "'underlying' is no"),
        (lambda: contracts(underlying=codes_of([0, -1], ["SPY"])), mc.InvalidInput, "'underlying' is no"),
        (lambda: contracts(underlying=codes_of([0, 1], ["SPY", None])), mc.MissingData, "is missing"),
        (lambda: contracts(underlying=pa.array([b"SPY", b"QQQ"])), mc.InvalidInput, "text is needed, not binary"),
        (lambda: contracts(underlying=pa.array([["SPY"], ["QQQ"]])), mc.InvalidInput, "text is needed, not list"),
        (lambda: contracts(expiry=pa.array([2**31 - 1, None], pa.date32())), mc.MarginError, ""),
        (lambda: contracts(expiry=pa.array([2**62, None], pa.date64())), mc.MarginError, ""),
        (lambda: arrow.contracts(pa.table([["etf"]] * 2, names=["kind"] * 2)), mc.InvalidInput, "more than one"),
        (lambda: arrow.contracts(pa.table({})), mc.MissingData, "'kind'"),
        (lambda: contracts(**{"": ["x", "y"]}), mc.InvalidInput, "unknown column ''"),
        (lambda: accounts(contract=codes_of([0, 5], ["SPY"])), mc.InvalidInput, "'contract' is no"),
        (lambda: accounts(contract=["SPY", "SPY\0"]), mc.MissingData, "row 1: contract 'SPY\0'"),
        (lambda: accounts(contract=["SPY", " SPY"]), mc.MissingData, "' SPY'"),
        (lambda: accounts(lots=pa.array([1, 2**63], pa.uint64())), mc.InvalidInput, "row 1: column 'lots': 922"),
        (lambda: accounts(lots=[1, 2**63 - 1]), mc.InvalidInput, "row 1: column 'lots': 922"),
        (lambda: accounts(account=["a", "a\0\0"]), mc.InvalidInput, "nobody sees"),
        (lambda: accounts(account=["a", "a "]), mc.InvalidInput, "blanks around"),
        (lambda: accounts(account=["a", "\u00a0a"]), mc.InvalidInput, "blanks around"),
        (lambda: accounts(account=["a", ""]), mc.InvalidInput, "empty"),
        (lambda: accounts(account=["a", "a\u200b"]), mc.InvalidInput, "nobody sees"),
        (lambda: accounts(account=["a", "a\u202eb"]), mc.InvalidInput, "nobody sees"),
        (lambda: accounts(account=["a", "a\ufe0f"]), mc.InvalidInput, "nobody sees"),
        (lambda: accounts(account=["a", "a\u3164"]), mc.InvalidInput, "nobody sees"),
        *[
            (lambda e=e, n=n: arrow.contracts(Broken(e, n)), mc.InvalidInput, "cannot be read")
            for e in ERRORS
            for n in (0, 2)
        ],
    ],
)  # fmt: skip
def test_what_breaks_the_rules_is_refused(attempt: Callable[[], object], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        attempt()
    assert words in str(caught.value)


def test_names_that_are_no_text_are_refused() -> None:
    table = contracts()
    held, _ = accounts()
    market = mc.Market("2026-11-18T16:00:00-05:00", spot={"SPY": 450.0, "QQQ": 400.0})
    margins = mc.Engine(mc.methods.RegT()).prepare(table, market).margin_many(held)
    for names in (["a", "\ud800"], ["a", 1], ["a", b"\xff"]):
        with pytest.raises(mc.InvalidInput):
            arrow.batch(margins, names)  # type: ignore[arg-type]


def test_every_form_of_text_gives_the_same_table() -> None:
    plain = contracts()
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        columns = {name: pa.array(values).cast(kind) for name, values in BASE.items()}
        assert arrow.contracts(pa.table(columns)).digest == plain.digest
    pieces = pa.concat_tables([pa.table({k: v[i : i + 1] for k, v in BASE.items()}) for i in range(2)])
    assert arrow.contracts(pieces).digest == plain.digest
    assert arrow.contracts(pa.table(pieces.schema.empty_table())).ids == ()


def test_accounts_come_in_the_order_of_their_names() -> None:
    names = [f"{i:03}" for i in range(200)]
    random.Random(3).shuffle(names)
    table = pa.table({"account": names, "contract": ["SPY"] * 200, "lots": [int(name) + 1 for name in names]})
    held, labels = arrow.accounts(contracts(), table)
    assert labels == sorted(names)
    market = mc.Market("2026-11-18T16:00:00-05:00", spot={"SPY": 100.0, "QQQ": 400.0})
    initial = mc.Engine(mc.methods.RegT()).prepare(contracts(), market).margin_many(held).initial
    assert initial.tolist() == [50.0 * (i + 1) for i in range(200)]


def test_mutated_buffers_are_refused_or_read_soon() -> None:
    draw = random.Random("buffers")
    data, offsets = bytearray(b"SPYQQQ"), [0, 3, 6]
    for _ in range(300):
        text, places, nulls = bytearray(data), list(offsets), draw.choice((None, None, bytes([draw.randrange(256)])))
        for _ in range(draw.choice((1, 2, 5))):
            if draw.random() < 0.5:
                text[draw.randrange(6)] = draw.randrange(256)
            else:
                places[draw.randrange(3)] = draw.choice((-1, 0, 1, 3, 5, 7, 2**31 - 1, -(2**31)))
        broken = text_of(bytes(text), *places, nulls=nulls)
        coded = codes_of([draw.randrange(-3, 5) for _ in range(2)], ["SPY", draw.choice(("QQQ", "", "\0", None))])
        for attempt in (
            lambda column=broken: contracts(underlying=column),
            lambda column=broken: accounts(account=column),
            lambda column=broken: accounts(contract=column),
            lambda column=coded: contracts(underlying=column),
            lambda column=coded: accounts(contract=column),
        ):
            start = time.perf_counter()
            with contextlib.suppress(mc.MarginError):
                attempt()
            assert time.perf_counter() - start < 2.0
