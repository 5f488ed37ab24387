"""Requirements of a stream of positions: the same bits however it is cut, labels as they came, errors by account."""

from __future__ import annotations

import pickle
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore import _core

pa = pytest.importorskip("pyarrow")

COUNT = 400


def contracts() -> mc.Contracts:
    rows = [(u, r, k) for u in ("A", "B", "C") for r in ("call", "put") for k in (90.0, 100.0, 110.0)]
    options = mc.Contracts.from_columns(
        kind="option",
        underlying=[r[0] for r in rows],
        right=[r[1] for r in rows],
        strike=[r[2] for r in rows],
        expiry="2027-02-19",
        settles="pm",
        exercise="american",
        multiplier=100.0,
        currency="USD",
    )
    return mc.Contracts([mc.Stock(u, currency="USD") for u in ("A", "B", "C")] + list(options))


TABLE = contracts()
MARKET = mc.Market(
    "2026-11-18T16:00:00-05:00",
    spot=dict.fromkeys("ABC", 100.0),
    rate={"USD": 0.05},
    vol={c.id: 0.3 for c in TABLE if c.kind == "option"},
    price={c.id: 5.0 for c in TABLE if c.kind == "option"},
)
TIMS = mc.Engine(mc.methods.Tims()).prepare(TABLE, MARKET)


def book(seed: int = 1) -> dict[str, np.ndarray]:
    """Accounts of one to twelve rows, contracts more than once, in an order that does not ascend."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(COUNT)
    account = np.repeat(order, draw.integers(1, 13, COUNT))
    return {
        "account": account * 7 + 5_000_000_000,
        "contract": draw.integers(0, len(TABLE), account.size),
        "quantity": draw.integers(-9, 10, account.size),
    }


BOOK = book()
IDS = np.array(TABLE.ids)


def expected(prepared: mc.Prepared = TIMS) -> dict[int, tuple[float, float, float, int]]:
    labels, account = np.unique(BOOK["account"], return_inverse=True)
    held = mc.Accounts.from_columns(
        TABLE, account=account.astype(np.uint32), contract=BOOK["contract"], lots=BOOK["quantity"]
    )
    margins = prepared.margin_many(held)
    columns = margins.initial, margins.maintenance, margins.net_option_value, margins.worst_scenario
    return {
        int(label): row for label, row in zip(labels, zip(*(c.tolist() for c in columns), strict=True), strict=True)
    }


WANT = expected()


def rows_of(table: Any) -> dict[Any, tuple[float, float, float, int]]:
    assert table["account"].to_pylist() == list(dict.fromkeys(table["account"].to_pylist())), "an account twice"
    worst = [-1 if w is None else w for w in table["worst_scenario"].to_pylist()]
    columns = [table[name].to_pylist() for name in ("initial", "maintenance", "net_option_value")]
    return dict(zip(table["account"].to_pylist(), zip(*columns, worst, strict=True), strict=True))


def pieces(table: Any, seed: int) -> Iterator[Any]:
    """A table cut anywhere, some of the pieces empty."""
    draw = random.Random(seed)
    (batch,) = table.combine_chunks().to_batches()
    at = 0
    while at < batch.num_rows:
        size = draw.choice((0, 1, 2, 17, 400))
        yield batch.slice(at, size)
        at += size


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("order", ["grouped", "any"])
def test_the_same_bits_however_the_rows_are_cut(seed: int, order: str) -> None:
    table = pa.table({**BOOK, "contract": IDS[BOOK["contract"]]})
    reader = TIMS.margin_arrow(pieces(table, seed), order=order, threads=1 + seed % 2)
    assert rows_of(reader.read_all()) == WANT
    stream = pa.RecordBatchReader.from_batches(table.schema, pieces(table, seed))
    assert rows_of(TIMS.margin_arrow(stream, order=order).read_all()) == WANT


def test_accounts_come_as_they_came_or_ascending() -> None:
    table = pa.table(BOOK)
    grouped = TIMS.margin_arrow(table).read_all()
    assert grouped["account"].to_pylist() == list(dict.fromkeys(BOOK["account"].tolist()))
    assert grouped.schema.field("account").type == pa.int64()
    ascending = TIMS.margin_arrow(table, order="any").read_all()
    assert ascending["account"].to_pylist() == sorted(set(BOOK["account"].tolist()))
    sorted_rows = table.sort_by("account")
    assert TIMS.margin_arrow(sorted_rows, order="ascending").read_all().equals(ascending)


FORMS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "uint64 and text": (lambda a: a.cast(pa.uint64()), lambda c: c),
    "decimal and large text": (lambda a: a.cast(pa.decimal128(20)), lambda c: c.cast(pa.large_string())),
    "text and views": (lambda a: a.cast(pa.string()), lambda c: c.cast(pa.string_view())),
    "large text and codes": (lambda a: a.cast(pa.large_string()), lambda c: c.dictionary_encode()),
    "views and small codes": (
        lambda a: a.cast(pa.string()).cast(pa.string_view()),
        lambda c: c.cast(pa.dictionary(pa.int8(), pa.string())),
    ),
    "codes and codes of views": (
        lambda a: a.cast(pa.string()).dictionary_encode(),
        lambda c: pa.DictionaryArray.from_arrays(
            c.dictionary_encode().indices.cast(pa.uint16()), c.dictionary_encode().dictionary.cast(pa.string_view())
        ),
    ),
    "codes of numbers and rows": (lambda a: a.dictionary_encode(), lambda c: pa.array(BOOK["contract"], pa.int16())),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", ["grouped", "any"])
def test_labels_and_ids_of_any_form(form: str, order: str) -> None:
    account, contract = FORMS[form]
    table = pa.table(
        {
            "account": account(pa.array(BOOK["account"])),
            "contract": contract(pa.array(IDS[BOOK["contract"]])),
            "quantity": BOOK["quantity"],
        }
    )
    got = TIMS.margin_arrow(table, order=order).read_all()
    assert got.schema.field("account").type == table.schema.field("account").type
    assert {int(label): row for label, row in rows_of(got).items()} == WANT
    # A slice of a longer column, and chunks.
    rest = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    assert TIMS.margin_arrow(rest, order=order).read_all().equals(got)


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.int16(), pa.int64(), pa.float32(), pa.float64(), pa.decimal128(25, 0), pa.decimal128(25, 4)],
    ids=str,
)
def test_quantities_of_any_type_that_are_whole(kind: Any) -> None:
    table = pa.table({**BOOK, "quantity": pa.array(BOOK["quantity"]).cast(kind)})
    assert rows_of(TIMS.margin_arrow(table).read_all()) == WANT


def test_long_and_short_net_unless_gross() -> None:
    long, short = np.maximum(BOOK["quantity"], 0) + 3, np.maximum(-BOOK["quantity"], 0) + 3
    table = pa.table({"account": BOOK["account"], "contract": BOOK["contract"], "long": long, "short": short})
    assert rows_of(TIMS.margin_arrow(table).read_all()) == WANT
    with pytest.raises(mc.NotApplicable, match="the account is gross"):
        TIMS.margin_arrow(table, gross=True).read_all()
    moves = 0.01 * np.random.default_rng(2).standard_normal(250)
    spot = 100.0 * np.exp(np.cumsum(np.append(0.0, moves)))
    days = np.datetime64("2025-11-03") + np.arange(251)
    history = {u: spot * 100.0 / spot[-1] for u in "ABC"}
    rulebook = mc.methods.HistoricalVar(
        history, dates=days, returns="log", window=250, measure="linear", confidence="0.99"
    )
    stocks = mc.Contracts(list(TABLE)[:3])
    prepared = mc.Engine(rulebook).prepare(stocks, mc.Market(MARKET.valuation, spot=dict.fromkeys("ABC", 100.0)))
    rows = pa.table({"account": ["x", "x", "y"], "contract": ["A", "B", "A"], "long": [5, 0, 2], "short": [2, 4, 2]})
    for gross in (False, True):
        got = prepared.margin_arrow(rows, gross=gross).read_all()
        held = [[("A", 5, 2), ("B", 0, 4)], [("A", 2, 2)]]
        for initial, own in zip(got["initial"].to_pylist(), held, strict=True):
            positions = [mc.Position(stocks[stocks.index(i)], long=long, short=short) for i, long, short in own]
            assert initial == prepared.margin(mc.Account(positions, gross=gross)).initial


def test_the_money_of_accounts_travels_in_columns() -> None:
    """On each row or on one; with a row that holds nothing, an account of money only."""
    table = pa.table(
        {
            "account_id": ["x", "x", "y", "z"],
            "contract_id": ["A", "B", "A", None],
            "quantity": [100, -50, 10, None],
            "usd": [1000.0, 1000.0, None, 7.0],
            "kind": ["margin", None, "cash", None],
        }
    )
    prepared = mc.Engine(mc.methods.RegT()).prepare(TABLE, MARKET)
    with pytest.raises(mc.InvalidInput, match="column 'usd' is not known"):
        prepared.margin_arrow(table)
    got = prepared.margin_arrow(table, cash={"USD": "usd"}, kind_column="kind").read_all()
    stocks = dict(zip("ABC", TABLE, strict=False))
    accounts = [
        mc.Account([mc.Position(stocks["A"], 100), mc.Position(stocks["B"], -50)], cash={"USD": 1000.0}, kind="margin"),
        mc.Account([mc.Position(stocks["A"], 10)], kind="cash"),
        mc.Account([], cash={"USD": 7.0}),
    ]
    assert got["initial"].to_pylist() == [prepared.margin(account).initial for account in accounts]
    differs = table.set_column(3, "usd", pa.array([1000.0, 1001.0, None, None]))
    with pytest.raises(mc.InvalidInput, match=r"account 'x': column 'usd': 1000 in one row and 1001 in another"):
        prepared.margin_arrow(differs, cash={"USD": "usd"}, ignore=["kind"]).read_all()


def test_an_account_that_returns_is_refused() -> None:
    rows = {"account": ["a", "b", "a"], "contract": ["A", "A", "B"], "quantity": [1, 2, 3]}
    for batches in (pa.table(rows), pa.table(rows).to_batches(max_chunksize=1)):
        with pytest.raises(mc.InvalidInput, match=r"row 2: account 'a' returns") as caught:
            TIMS.margin_arrow(batches).read_all()
        assert caught.value.code == "contradiction"
    with pytest.raises(mc.InvalidInput, match="account 'a' comes after one that is greater"):
        TIMS.margin_arrow(pa.table(rows), order="ascending").read_all()
    assert TIMS.margin_arrow(pa.table(rows), order="any").read_all().num_rows == 2


def test_bad_accounts_are_a_column_or_the_first_of_them_an_error() -> None:
    names = [f"A{i:04}" for i in range(1000)]
    ids: list[str | None] = ["A"] * 1000
    quantities: list[float | None] = [100.0] * 1000
    ids[999], ids[10], quantities[500], quantities[700] = "TYPO", None, 1.5, None
    table = pa.table({"account": names, "contract": ids, "quantity": quantities})
    got = TIMS.margin_arrow(table, errors="column").read_all()
    bad = [i for i, kind in enumerate(got["error_kind"].to_pylist()) if kind is not None]
    assert bad == [10, 500, 700, 999]
    assert [got[name][999].as_py() for name in ("error_kind", "error_code")] == ["MissingData", "missing_contract"]
    assert got["error"][999].as_py().startswith("contract 'TYPO' is not in the prepared table")
    assert [got["error_code"][i].as_py() for i in bad[:3]] == ["not_stated", "not_whole", "not_stated"]
    for i in range(1000):
        assert (got["initial"][i].as_py() is None) == (i in bad)
    good = [x for x in got["initial"].to_pylist() if x is not None]
    assert good == [TIMS.margin([mc.Position(TABLE[0], 100)]).initial] * 996
    with pytest.raises(mc.MissingData, match=r"account 'A0999': row 996: contract 'TYPO'"):
        TIMS.margin_arrow(table.filter([i not in bad[:3] for i in range(1000)])).read_all()
    # However the rows are cut: nothing that is written down depends on it.
    again = TIMS.margin_arrow(table.to_batches(max_chunksize=3), errors="column").read_all()
    assert again.equals(got)


def test_accounts_that_a_rulebook_refuses_are_a_column_too() -> None:
    prepared = mc.Engine(mc.methods.RegT()).prepare(TABLE, MARKET)
    kinds = ["margin", "nonsense"] * 3
    table = pa.table({"account": range(6), "contract": ["A"] * 6, "quantity": [10] * 6, "kind": kinds})
    got = prepared.margin_arrow(table, kind_column="kind", errors="column").read_all()
    assert [e is None for e in got["error"].to_pylist()] == [True, False] * 3
    assert got["initial"].to_pylist()[0] == 500.0
    with pytest.raises(mc.MarginError, match="account 1"):
        prepared.margin_arrow(table, kind_column="kind").read_all()


@pytest.mark.parametrize(
    ("columns", "arguments", "error", "words"),
    [
        ({"cash": [1.0]}, {}, mc.InvalidInput, "column 'cash' is not known"),
        ({"account_id": ["y"]}, {}, mc.InvalidInput, "the columns 'account' and 'account_id'"),
        ({"lots": [1]}, {}, mc.InvalidInput, "more than one of the columns quantity, lots"),
        ({}, {"quantity": "amount"}, mc.MissingData, "no column 'amount'"),
        ({}, {"quantity": "quantity", "lots": "quantity"}, mc.InvalidInput, "one of the three"),
        ({}, {"account": "contract"}, mc.InvalidInput, "named for two things"),
        ({}, {"gross": True}, mc.InvalidInput, "give the two columns"),
        ({}, {"order": "sorted"}, mc.InvalidInput, "no order is called 'sorted'"),
        ({}, {"errors": "columns"}, mc.InvalidInput, "did you mean 'column'"),
        ({}, {"ignore": ["cash"]}, mc.MissingData, "no column 'cash'"),
        ({}, {"threads": 0}, mc.InvalidInput, "from 1"),
        ({}, {"ignore": ["quantity"]}, mc.InvalidInput, "ignore= says that it is passed over"),
        ({"usd": [1.0]}, {"cash": {"USD ": "usd"}}, mc.InvalidInput, "blanks around"),
        ({"btc": [1.0]}, {"collateral": {"": "btc"}}, mc.InvalidInput, "empty"),
        ({}, {"metadata": {"margincore.market": "x"}}, mc.InvalidInput, "what made the numbers"),
        ({"quantity": ["1"]}, {}, mc.InvalidInput, "a number is needed, not string"),
        ({"account": [1.0]}, {}, mc.InvalidInput, "text or whole numbers are needed, not double"),
        ({"account": [None]}, {}, mc.InvalidInput, "column 'account'"),
        ({"contract": [1.0]}, {}, mc.InvalidInput, "whole numbers (rows of the table) are needed"),
        ({"contract": [21]}, {}, mc.InvalidInput, "contract row 21 of a table of 21"),
        ({"contract": [-1]}, {}, mc.InvalidInput, "contract row -1 of a table of 21"),
        ({"quantity": [2**60]}, {}, mc.InvalidInput, "at most 2^53"),
        ({"quantity": [float("nan")]}, {}, mc.InvalidInput, "quantity"),
        ({"account": ["x "]}, {}, mc.InvalidInput, "blanks around"),
        ({"account": ["x\u200b"]}, {}, mc.InvalidInput, "nobody sees"),
    ],
)
def test_columns_that_are_not_known_or_not_right(
    columns: dict[str, Any], arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    table = pa.table({"account": ["x"], "contract": ["A"], "quantity": [1], **columns})
    with pytest.raises(error) as caught:
        TIMS.margin_arrow(table, **arguments).read_all()
    assert words in str(caught.value)


def test_sources_of_other_kinds() -> None:
    table = pa.table(BOOK)
    one = TIMS.margin_arrow(table.to_batches()[0])
    assert rows_of(one.read_all()) == WANT
    for wrong in (5, "x", [1], {"account": [1]}, None):
        with pytest.raises(mc.InvalidInput):
            TIMS.margin_arrow(wrong)
    assert list(TIMS.margin_arrow(iter(()))) == []
    with pytest.raises(mc.MissingData, match="no batch"):
        _ = TIMS.margin_arrow(iter(())).schema
    assert TIMS.margin_arrow(table.slice(0, 0)).read_all().num_rows == 0

    def broken() -> Iterator[Any]:
        yield from table.to_batches(max_chunksize=10)[:2]
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        TIMS.margin_arrow(broken()).read_all()
    changed = [table.to_batches()[0], table.select(["contract", "account", "quantity"]).to_batches()[0]]
    with pytest.raises(mc.InvalidInput, match="other columns than those before it"):
        TIMS.margin_arrow(changed).read_all()


def test_a_reader_is_a_stream_for_others_and_read_once() -> None:
    table = pa.table(BOOK)
    reader = TIMS.margin_arrow(table)
    assert rows_of(pa.table(reader)) == WANT
    with pytest.raises(mc.InvalidInput, match="used up"):
        reader.read_all()
    late = pa.table({"account": [1, 2, 1], "contract": ["A"] * 3, "quantity": [1] * 3})
    with pytest.raises(Exception, match="account 1 returns"):
        pa.table(TIMS.margin_arrow(late))
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(TIMS.margin_arrow(polars.DataFrame(BOOK)))
    assert rows_of(frame.to_arrow()) == WANT


def test_the_schema_says_what_made_the_numbers() -> None:
    reader = TIMS.margin_arrow(pa.table(BOOK), metadata={"run": "7"})
    said = {k.decode(): v.decode() for k, v in reader.schema.metadata.items()}
    assert said["run"] == "7"
    assert said["margincore.digest"] == TIMS.digest
    assert said["margincore.contracts"] == TABLE.digest
    assert said["margincore.market"] == MARKET.digest
    assert said["margincore.methodology"] == "OCC TIMS"
    moved = TIMS.update(spot={"A": 101.0}, marks="keep")
    assert moved.digest != TIMS.digest
    assert moved.market is not None
    assert moved.market.digest != MARKET.digest


def test_what_is_prepared_pickles_as_what_it_was_made_of() -> None:
    again = pickle.loads(pickle.dumps(TIMS))
    assert again.digest == TIMS.digest
    assert isinstance(again.methodology, mc.methods.Tims)
    assert rows_of(again.margin_arrow(pa.table(BOOK)).read_all()) == WANT
    function, (name, version, state) = TIMS.__reduce__()
    with pytest.raises(mc.ParseError, match="prepare it here"):
        function(name, version, {**state, "digest": "0" * 64})


def test_accounts_pickle_with_their_money_and_names() -> None:
    table = pa.table(
        {
            "account": ["y", "x", "x"],
            "contract": ["A", "B", "A"],
            "long": [3, 0, 9],
            "short": [1, 4, 2],
            "usd": [5.0, None, None],
            "btc": [None, 0.5, None],
        }
    )
    for gross in (False, True):
        held = mc.Accounts.from_arrow(TABLE, table, cash={"USD": "usd"}, collateral={"BTC": "btc"}, gross=gross)
        again = pickle.loads(pickle.dumps(held))
        assert again.labels == held.labels == ("x", "y")
        assert pickle.dumps(again) == pickle.dumps(held)


def test_numbers_of_accounts_are_labels_or_places() -> None:
    table = pa.table({"account": [3, 900_001], "contract": ["A", "A"], "lots": [1, 2]})
    assert mc.Accounts.from_arrow(TABLE, table).labels == (3, 900_001)
    held = mc.Accounts.from_arrow(TABLE, table.slice(0, 1), count=5)
    assert (len(held), held.labels) == (5, None)
    with pytest.raises(mc.InvalidInput, match="none of 5 numbered from 0"):
        mc.Accounts.from_arrow(TABLE, table, count=5)


def test_kept_marks_pickle_and_another_market_is_another_digest() -> None:
    call = mc.Option(
        "A", "call", 50, expiry="2027-02-19", settles="pm", exercise="american", multiplier=100, currency="USD"
    )
    market = mc.Market(MARKET.valuation, spot={"A": 50.0}, price={call.id: 2.0}, vol={call.id: 0.4}, rate={"USD": 0.04})
    kept = mc.Engine(mc.methods.Tims()).prepare([call], market).update(spot={"A": 1.5}, marks="keep")
    again = pickle.loads(pickle.dumps(kept))
    held = [mc.Position(call, -1)]
    assert again.digest == kept.digest
    assert [w["code"] for w in again.margin(held).warnings] == ["kept_marks"]
    fresh = kept.update(spot={"A": 46.0}, price={call.id: 4.9})
    assert fresh.margin(held).warnings == ()


def test_the_digest_of_a_span_file_has_its_options_in_it() -> None:
    array = "".join(f"<a>{i}</a>" for i in range(16))
    future = f"<fut><pe>202612</pe><p>10.5</p><ra><r>1</r>{array}<d>1</d></ra></fut>"
    pool = f"<clearingOrg><ec>X</ec><futPf><pfCode>F</pfCode><cvf>1</cvf>{future}</futPf><ccDef><cc>F</cc>"
    text = f"<spanFile><pointInTime>{pool}<currency>USD</currency></ccDef></clearingOrg></pointInTime></spanFile>"
    file = _core.SpanFile.parse(text.encode(), "x.spn")
    plain, again, other = mc.methods.Span(file), mc.methods.Span(file), mc.methods.Span(file, whole_spreads=True)
    digests = [mc.Engine(span).prepare(mc.Contracts([])).digest for span in (plain, again, other)]
    assert digests[0] == digests[1] != digests[2]


def test_several_threads_on_one_stream_take_turns() -> None:
    table = pa.table(BOOK)
    stream = pa.RecordBatchReader.from_stream(TIMS.margin_arrow(table.to_batches(max_chunksize=7)))
    found: list[Any] = []

    def read() -> None:
        try:
            while True:
                found.append(stream.read_next_batch())
        except StopIteration:
            return

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows_of(pa.Table.from_batches(found)) == WANT


@pytest.mark.parametrize(
    "labels", [["x", "x"], ["", "y"], [None, "y"], [" x", "y"], ["x\u200b", "y"], ["x"], [True, 2]]
)
def test_labels_are_names_of_one_account_each(labels: list[Any]) -> None:
    with pytest.raises(mc.InvalidInput):
        mc.Accounts.from_columns(TABLE, account=[0, 1], contract=[0, 0], lots=[1, 2], labels=labels)


def test_the_index_that_pandas_keeps_is_no_column_of_the_table() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"account": ["x", "x", "y"], "contract": ["A"] * 3, "quantity": [1, 0, 4]})
    held = frame[frame.quantity != 0]
    assert TIMS.margin_arrow(held).read_all()["account"].to_pylist() == ["x", "y"]
    assert mc.Accounts.from_arrow(TABLE, held).labels == ("x", "y")


def test_what_has_rows_by_number_only_is_no_source() -> None:
    class Lazy:
        def __getitem__(self, row: int) -> object:
            raise TypeError("not subscriptable")

    with pytest.raises(mc.InvalidInput, match="record batch"):
        TIMS.margin_arrow(Lazy())
