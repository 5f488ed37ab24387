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
    held, names = arrow.accounts(contracts, pa.table({"account": [2, 0], "contract": [1, 0], "lots": [1, -1]}))
    assert names == ["0", "1", "2"]
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
        (lambda: arrow.contracts([1, 2]), mc.InvalidInput, "list has no __arrow_c_stream__"),
        (lambda: arrow.contracts(chain(strike=[None, 4300.0, None])), mc.InvalidInput, "'strike' row 0: null"),
        (lambda: arrow.contracts(chain(multiplier=[100, None, 1])), mc.InvalidInput, "'multiplier' row 1: null"),
        (lambda: arrow.contracts(chain(strike=["a", "b", "c"])), mc.InvalidInput, "'strike' is string"),
        (lambda: arrow.contracts(chain(strike=[1.0, float("nan"), None])), mc.InvalidInput, "row 1: .*strike"),
        (lambda: arrow.contracts(chain(currency=[1, 2, 3])), mc.InvalidInput, "'currency' is int64: it is text"),
        (lambda: arrow.contracts(chain(colour=["x"] * 3)), mc.InvalidInput, "unknown text column 'colour'"),
        (lambda: positions(contract=["SPX 1999", "SPX 1999"]), mc.MissingData, "'SPX 1999'"),
        (lambda: positions(contract=["SPY", None]), mc.InvalidInput, "'contract' row 1: null"),
        (lambda: positions(contract=[-1, 0]), mc.InvalidInput, "contract row 0: -1"),
        (lambda: positions(contract=[0, 99]), mc.InvalidInput, "99"),
        (lambda: positions(lots=[1.5, 2.0]), mc.InvalidInput, "'lots' is double: it is whole numbers"),
        (lambda: positions(lots=[1, None]), mc.InvalidInput, "'lots' row 1: null"),
        (lambda: positions(account=[-4, 0]), mc.InvalidInput, "account row 0: -4"),
        (lambda: arrow.accounts(arrow.contracts(chain()), pa.table({"account": [0]})), mc.MissingData, "'contract'"),
    ],
)  # fmt: skip
def test_what_is_missing_or_of_the_wrong_kind_is_named(attempt, error, words) -> None:
    with pytest.raises(error, match=words):
        attempt()


def positions(**changes: object) -> object:
    columns: dict[str, object] = {"account": ["a", "b"], "contract": ["SPY", "SPY"], "lots": [1, 2]}
    return arrow.accounts(arrow.contracts(chain()), pa.table({**columns, **changes}))


def test_account_numbers_are_rows_of_the_batch() -> None:
    table = arrow.contracts(chain())
    rows = {"contract": [0], "lots": [1]}
    for numbers in ([4_000_000_000], [87_654_321], [-1], [2**40]):
        with pytest.raises(mc.InvalidInput, match="account"):
            arrow.accounts(table, pa.table({"account": numbers, **rows}))
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
