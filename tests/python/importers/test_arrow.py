"""Arrow tables in and out: the same rows, and nothing that is missing goes unnoticed."""

import datetime as dt

import numpy as np
import pytest

import margincore as mc

pa = pytest.importorskip("pyarrow")
from margincore.importers import arrow  # noqa: E402

CHAIN = {
    "kind": ["option", "option", "etf"],
    "underlying": ["SPX", "SPX", "SPY"],
    "right": ["call", "put", None],
    "strike": [4700.0, 4300.0, None],
    "expiry": [dt.date(2026, 12, 18), dt.date(2026, 12, 18), None],
    "settles": ["am", "am", None],
    "exercise": ["european", "european", None],
    "multiplier": [100, 100, 1],
    "currency": ["USD"] * 3,
}


def chain(**changes: object) -> pa.Table:
    return pa.table({**CHAIN, **changes})


def market(contracts: mc.Contracts) -> mc.Market:
    vols = dict.fromkeys(contracts.ids[:2], 0.16)
    return mc.Market("2026-11-18T16:00:00-05:00", spot={"SPX": 4500.0, "SPY": 450.0}, rate={"USD": 0.05}, vol=vols)


def test_a_chain_and_its_accounts_give_the_margins_of_the_same_objects() -> None:
    contracts = arrow.contracts(chain())
    options = [
        mc.Option("SPX", right, strike, expiry="2026-12-18", settles="am", exercise="european", multiplier=100,
                  currency="USD")
        for right, strike in (("call", 4700.0), ("put", 4300.0))
    ]  # fmt: skip
    assert list(contracts.ids[:2]) == [option.id for option in options]
    prepared = mc.Engine(mc.methods.Tims()).prepare(contracts, market(contracts))
    held, names = arrow.accounts(
        contracts,
        pa.table(
            {
                "account": pa.array(["zoe", "ann", "zoe"]).dictionary_encode(),
                "contract": [options[0].id, options[1].id, options[1].id],
                "lots": pa.array([-2, 1, -3], pa.int32()),
            }
        ),
    )
    batch = arrow.batch(prepared.margin_many(held), names)
    assert batch.column("account").to_pylist() == ["ann", "zoe"]
    books = [[(options[1], 1)], [(options[0], -2), (options[1], -3)]]
    for row, book in zip(batch.to_pylist(), books, strict=True):
        report = prepared.margin(mc.Account([mc.Position(*one) for one in book]))
        assert (row["initial"], row["maintenance"]) == (report.requirement.initial, report.requirement.maintenance)


def test_rows_may_be_numbers() -> None:
    contracts = arrow.contracts(chain())
    rows = pa.table({"account": [2, 0], "contract": [1, 0], "lots": [1, -1]})
    held, names = arrow.accounts(contracts, rows, count=3)
    assert names == [0, 1, 2]
    assert len(held) == 3
    prepared = mc.Engine(mc.methods.Tims()).prepare(contracts, market(contracts))
    table = arrow.batch(prepared.margin_many(held))
    assert table.column("initial").to_pylist()[1] == 0.0
    assert table.column("worst_scenario").type == pa.int32()


def test_a_batch_without_scenarios_has_null_for_the_worst() -> None:
    contracts = mc.Contracts.from_columns(kind="stock", underlying=["IBM"], currency="USD")
    prices = mc.Market("2026-11-18T16:00:00-05:00", spot={"IBM": 100.0})
    prepared = mc.Engine(mc.methods.RegT()).prepare(contracts, prices)
    held, _ = arrow.accounts(contracts, pa.table({"account": [0], "contract": [0], "lots": [10]}))
    table = arrow.batch(prepared.margin_many(held))
    assert table.column("worst_scenario").to_pylist() == [None]
    assert table.column("initial").to_pylist() == [500.0]


@pytest.mark.parametrize(
    ("attempt", "error", "words"),
    [
        (lambda: arrow.contracts([1, 2]), mc.InvalidInput, "record batch"),
        (lambda: arrow.contracts(chain(strike=[None, 4300.0, None])), mc.InvalidInput, "'strike' row 0: null"),
        (lambda: arrow.contracts(chain(multiplier=[100, None, 1])), mc.InvalidInput, "'multiplier' row 1: null"),
        (lambda: arrow.contracts(chain(strike=["a", "b", "c"])), mc.InvalidInput, "a number is needed, not string"),
        (lambda: arrow.contracts(chain(strike=[1.0, float("nan"), None])), mc.InvalidInput, "row 1: .*strike"),
        (lambda: arrow.contracts(chain(currency=[1, 2, 3])), mc.InvalidInput, "'currency': text is needed, not int64"),
        (lambda: arrow.contracts(chain(colour=["x"] * 3)), mc.InvalidInput, "unknown column 'colour': known are id"),
        (lambda: positions(contract=["SPX 1999", "SPX 1999"]), mc.MissingData, "'SPX 1999'"),
        (lambda: positions(contract=["SPY", None]), mc.InvalidInput, "row 1: the contract is null"),
        (lambda: positions(contract=[-1, 0]), mc.InvalidInput, "row 0: contract row -1 of"),
        (lambda: positions(contract=[0, 99]), mc.InvalidInput, "99"),
        (lambda: positions(lots=[1.5, 2.0]), mc.InvalidInput, "'lots': whole numbers are needed, not double"),
        (lambda: positions(lots=[1, None]), mc.InvalidInput, "row 1: column 'lots': null"),
        (lambda: arrow.accounts(arrow.contracts(chain()), pa.table({"account": [0]})), mc.MissingData, "'contract'"),
    ],
)  # fmt: skip
def test_what_is_missing_or_of_the_wrong_kind_is_named(attempt, error, words) -> None:
    with pytest.raises(error, match=words):
        attempt()


def positions(**changes: object) -> object:
    columns: dict[str, object] = {"account": ["a", "b"], "contract": ["SPY", "SPY"], "lots": [1, 2]}
    return arrow.accounts(arrow.contracts(chain()), pa.table({**columns, **changes}))


def test_account_numbers_are_labels_or_rows_of_the_batch() -> None:
    table = arrow.contracts(chain())
    rows = {"contract": [0], "lots": [1]}
    for number in (4_000_000_000, 87_654_321, -1, 2**40):
        held, labels = arrow.accounts(table, pa.table({"account": [number], **rows}))
        assert (len(held), labels) == (1, [number])
        with pytest.raises(mc.InvalidInput, match=f"account {number} is none of 5 numbered from 0"):
            arrow.accounts(table, pa.table({"account": [number], **rows}), count=5)
    with pytest.raises(mc.InvalidInput, match="10000000000000"):
        arrow.accounts(table, pa.table({"account": [0], **rows}), count=10**13)


def test_names_must_fit_the_batch() -> None:
    contracts = arrow.contracts(chain())
    prepared = mc.Engine(mc.methods.Tims()).prepare(contracts, market(contracts))
    held = mc.Accounts.from_columns(
        contracts, account=np.array([0], np.uint32), contract=np.array([0], np.uint32), lots=np.array([1])
    )
    with pytest.raises(mc.InvalidInput, match="2 names for 1 accounts"):
        arrow.batch(prepared.margin_many(held), ["a", "b"])


def test_contracts_need_their_kind() -> None:
    with pytest.raises(mc.MissingData, match="'kind'"):
        arrow.contracts(pa.table({"underlying": ["SPY"], "currency": ["USD"]}))


@pytest.mark.parametrize("name", ["delta", "index_level_0", "__index_level_x__", "Strike", "strik"])
@pytest.mark.parametrize("value", [0.1, "x", True, dt.date(2026, 1, 1)])
def test_a_column_that_is_no_term_is_refused_whatever_it_holds(name: str, value: object) -> None:
    with pytest.raises(mc.InvalidInput, match=f"unknown column '{name}': known are id, kind") as caught:
        arrow.contracts(chain(**{name: [value] * 3}))
    assert (caught.value.code, caught.value.value) == ("unknown_name", name)
    assert ("did you mean 'strike'?" in str(caught.value)) == (name.lower().startswith("strik"))


def test_flags_are_true_or_false() -> None:
    assert [one.listed for one in arrow.contracts(chain(listed=[True, False, True]))] == [True, False, True]
    with pytest.raises(mc.InvalidInput, match="column 'listed': true or false is needed, not string"):
        arrow.contracts(chain(listed=["yes"] * 3))
    with pytest.raises(mc.InvalidInput, match="column 'listed' row 1: null"):
        arrow.contracts(chain(listed=[True, None, True]))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_midnights_without_a_zone_are_dates(unit: str) -> None:
    day = dt.datetime(2026, 12, 18)
    times = pa.array([day, day, None], pa.timestamp(unit))
    assert arrow.contracts(chain(expiry=times)).ids == arrow.contracts(chain()).ids
    late = pa.array([day, day.replace(hour=16), None], pa.timestamp(unit))
    words = "'expiry' row 1: text or a date is needed, not the time 2026-12-18T16:00:00"
    with pytest.raises(mc.InvalidInput, match=words) as caught:
        arrow.contracts(chain(expiry=late))
    assert (caught.value.code, caught.value.value) == ("wrong_type", "2026-12-18T16:00:00")
    zoned = pa.array([day, day, None], pa.timestamp(unit, "UTC"))
    with pytest.raises(mc.InvalidInput, match=r"text or a date is needed, not timestamp.*tz=UTC"):
        arrow.contracts(chain(expiry=zoned))


@pytest.mark.parametrize("name", ["kind", "underlying", "currency", "right", "settles"])
def test_a_date_is_no_text_where_no_date_belongs(name: str) -> None:
    with pytest.raises(mc.InvalidInput, match=f"column '{name}': text is needed, not date32"):
        arrow.contracts(chain(**{name: [dt.date(2026, 12, 18)] * 3}))


def test_a_frame_of_pandas_is_its_columns() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({
        "kind": "option", "underlying": "SPX", "right": ["put", "call", "put"], "strike": [4300.0, 4700.0, 4000.0],
        "expiry": pd.Timestamp("2026-12-18"), "settles": "am", "exercise": "european", "multiplier": 100.0,
        "currency": "USD",
    })  # fmt: skip
    ids = arrow.contracts(frame).ids
    assert arrow.contracts(frame.assign(expiry="2026-12-18")).ids == ids
    assert arrow.contracts(frame.sort_values("strike")).ids == (ids[2], ids[0], ids[1])
    assert arrow.contracts(frame.set_index([pd.Index([5, 6, 7]), pd.Index(["a", "b", "c"])])).ids == ids
    named = arrow.contracts(frame.set_index(pd.Index(["one", "two", "three"], name="id")))
    assert named.ids == ("one", "two", "three")
