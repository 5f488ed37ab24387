"""What must be refused, by the right error and naming the place: numbers, times, names, quantities, documents."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore import backtest, crypto, questions

IBKR_UNSET = 1.7976931348623157e308
OPTION: dict[str, Any] = {
    "kind": "option", "underlying": "SPX", "right": "call", "strike": 4700.0, "expiry": "2026-12-18", "settles": "am",
    "exercise": "european", "multiplier": 100.0, "currency": "USD",
}  # fmt: skip
MARKET: dict[str, Any] = {
    "valuation": "2026-11-20T16:00:00-05:00", "spot": {"SPX": 4500.0}, "rate": {"USD": 0.05},
    "vol": {"SPX 2026-12-18 am 4700 call": 0.15},
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "account": {"positions": [{"contract": OPTION, "quantity": -1}], "cash": {"USD": 1000.0}},
    "market": MARKET,
    "methodology": {"name": "tims"},
}

NOT_NUMBERS = [math.nan, -math.nan, math.inf, -math.inf]
NOT_NUMBER_WORDS = ["NaN", "nan", "N/A", "", "1,234.5", "1.234,5", "0x10", "１２", "+5", "1e309", "9" * 400, "1_000"]


def refused(call: Callable[[], object], *kinds: type[Exception]) -> str:
    """The message of the error that `call` must raise."""
    with pytest.raises(kinds or (mc.MarginError,)) as caught:
        call()
    message = str(caught.value)
    assert message.strip(), "an error says what is wrong"
    return message


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of a document with one value replaced; `None` removes it."""
    copied = copy.deepcopy(document)
    inner: Any = copied
    *keys, last = (int(key) if key.isdigit() else key for key in path.split("/"))
    for key in keys:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return copied


def test_the_good_document_is_good() -> None:
    assert mc.evaluate(DOCUMENT)["requirement"]["initial"] > 0.0


@pytest.mark.parametrize("field", ["strike", "multiplier", "lot"])
@pytest.mark.parametrize("value", [*NOT_NUMBERS, *NOT_NUMBER_WORDS, 0.0, -0.0, -1.0, [], {}])
def test_contract_numbers(field: str, value: Any) -> None:
    message = refused(
        lambda: mc.Contract(**{**OPTION, field: value}) and mc.Contracts([mc.Contract(**{**OPTION, field: value})])
    )
    assert "SPX" in message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "swaption"),
        ("kind", "Option"),
        ("right", "x"),
        ("right", None),
        ("exercise", None),
        ("exercise", "bermudan"),
        ("strike", None),
        ("expiry", None),
        ("expiry", "2026-02-30"),
        ("expiry", "18/12/2026"),
        ("expiry", "20261218"),
        ("expiry", "26-12-18"),
        ("expiry", "2026-12-18T16:00:00"),
        ("expiry", "2026-12-18T25:00:00Z"),
        ("expiry", "2026-12-18 16:00"),
        ("expiry", "tomorrow"),
        ("expiry", ""),
        ("expiry", 20261218),
        ("settles", None),
        ("settles", "AM"),
        ("exchange", "atlantis"),
        ("currency", None),
        ("currency", ""),
        ("underlying", ""),
        ("underlying", " SPX"),
        ("underlying", "SPX "),
        ("underlying", "SP\u00a0X"),
        ("underlying", "SPX\u200b"),
        ("underlying", "\u202eXPS"),
        ("underlying", "SPX\n"),
        ("underlying", "S\0X"),
        ("settlement", "quanto"),
        ("premium", "later"),
        ("colour", "red"),
    ],
)
def test_contract_terms(field: str, value: Any) -> None:
    refused(lambda: mc.Contract(**{**OPTION, field: value}), mc.MarginError, TypeError)


def test_a_contract_is_what_it_says() -> None:
    stock = {"kind": "stock", "underlying": "IBM", "currency": "USD", "multiplier": 1.0}
    for extra in (
        {"strike": 100.0},
        {"right": "call"},
        {"expiry": "2026-12-18", "settles": "pm"},
        {"exercise": "american"},
    ):
        refused(lambda extra=extra: mc.Contract(**stock, **extra), mc.InvalidInput)


def test_ids_are_unique_in_a_table() -> None:
    message = refused(lambda: mc.Contracts([mc.Contract(**OPTION), mc.Contract(**OPTION)]), mc.InvalidInput)
    assert "row 1" in message
    refused(lambda: mc.Contracts([mc.Contract(**OPTION), "SPX"]), mc.MarginError, TypeError)  # type: ignore[list-item]


@pytest.mark.parametrize("part", ["spot/SPX", "rate/USD", "vol/SPX 2026-12-18 am 4700 call"])
@pytest.mark.parametrize("value", [*NOT_NUMBERS, *NOT_NUMBER_WORDS, IBKR_UNSET, []])
def test_market_numbers(part: str, value: Any) -> None:
    refused(lambda: mc.evaluate({**DOCUMENT, "market": changed(MARKET, part, value)}))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("spot/SPX", 0.0),
        ("spot/SPX", -4500.0),
        ("vol/SPX 2026-12-18 am 4700 call", -0.15),
        ("vol/SPX 2026-12-18 am 4700 call", 1000.0),
        ("rate/USD", 50.0),
        ("valuation", "2026-11-20T16:00:00"),
        ("valuation", "2026-11-20"),
        ("valuation", ""),
        ("valuation", 1700000000),
        ("valuation", "2026-12-19T00:00:00Z"),
        ("valuation", None),
        ("spot/SPX", None),
        ("rate/USD", None),
        ("vol/SPX 2026-12-18 am 4700 call", None),
        ("volume", {"SPX": 1}),
        ("fx", {"EURUSD": 0.0}),
        ("fx", {"EURUSD": -1.0}),
        ("fx", {"EUR": 1.0}),
        ("dividends", {"SPX": [{"date": "2026-12-01", "amount": math.nan}]}),
        ("dividends", {"SPX": [{"date": "2026-13-01", "amount": 1.0}]}),
        ("dividends", {"SPX": [{"date": "2026-12-01", "amount": -1.0}]}),
        ("forward", [{"underlying": "SPX", "expiry": "2026-12-18", "price": math.inf}]),
        ("forward", [{"underlying": "SPX", "expiry": "2026-12-18"}]),
    ],
)
def test_market_parts(part: str, value: Any) -> None:
    refused(lambda: mc.evaluate({**DOCUMENT, "market": changed(MARKET, part, value)}), mc.MarginError, TypeError)


@pytest.mark.parametrize("value", [*NOT_NUMBERS, *NOT_NUMBER_WORDS, 0.5, -1.5, 1e300, 2**60, None, [1]])
def test_quantities(value: Any) -> None:
    contract = mc.Contract(**OPTION)
    refused(lambda: mc.Position(contract, value), mc.MarginError, TypeError)
    refused(lambda: mc.evaluate(changed(DOCUMENT, "account/positions/0/quantity", value)))


def test_sides_of_a_position() -> None:
    contract = mc.Contract(**OPTION)
    refused(lambda: mc.Position(contract, long=-1), mc.InvalidInput)
    refused(lambda: mc.Position(contract, 1, long=1), mc.InvalidInput)
    refused(lambda: mc.Position(contract), mc.InvalidInput)
    refused(lambda: mc.Position("SPX", 1), mc.InvalidInput)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("account", None),
        ("account", []),
        ("account", "account"),
        ("account/positions", None),
        ("account/positions", {}),
        ("account/positions/0", []),
        ("account/positions/0/quantity", None),
        ("account/positions/0/contract", None),
        ("account/positions/0/contract", "SPX"),
        ("account/positions/0/symbol", "SPX   261218C04700000"),
        ("account/positions/0/price", 5.0),
        ("account/cash", {"USD": math.nan}),
        ("account/cash", {"USD": "1000"}),
        ("account/cash", [1000]),
        ("account/cash", {"USD": math.inf}),
        ("account/equity", 1e6),
        ("account/gross", "yes"),
        ("account/owner", "me"),
        ("market", []),
        ("methodology", None),
        ("methodology", "tims"),
        ("methodology", {}),
        ("methodology", {"name": "astrology"}),
        ("methodology", {"name": "tims", "preset": "nonsense"}),
        ("methodology", {"name": "tims", "colour": "red"}),
        ("methodology", {"name": "tims", "grid": "thirds"}),
        ("methodology", {"name": "tims", "minimum_rate": math.nan}),
        ("methodology", {"name": "tims", "minimum_rate": -1.0}),
        ("methodology", {"name": "tims", "steps": 0}),
        ("methodology", {"name": "tims", "default_range": {"down": 0.15, "up": 0.15}}),
        ("methodology", {"name": "tims", "class_groups": {"SPX": {"product_group": "nowhere"}}}),
        ("methodologies", [{"name": "tims"}]),
        ("contracts", {}),
        ("contracts", [OPTION, {"kind": "stock"}]),
        ("products", {"equities": "IBM"}),
        ("products", {"equities": ["AAPL1"]}),
        ("products", {"rows": [{"root": "ABC"}]}),
        ("contracts", [{**OPTION, "strike": 10**400}]),
        ("contracts", [{1: 2}]),
        ("account/cash", {"USD": 10**400}),
        ("account/positions/0/quantity", 10**400),
        ("market/contracts", [1]),
        ("market/rate", 0.05),
        ("market/rate", {"USD": 10**400}),
        ("market/valuation", 5),
        ("market/dividends", 5),
        ("market/dividends", {"SPX": 5}),
        ("market/spot", [4500.0]),
        ("market/forward", 4510.0),
        ("market/vol", 0.2),
        ("market/vol", {"SPX   261218C04700000": 0.2, ".SPX261218C4700": 0.2}),
        ("methodology", {"name": "tims", "minimum_rate": 10**400}),
        ("products", {"equities": [5]}),
        ("standalone", "no"),
        ("comment", "hello"),
    ],
)
def test_documents(path: str, value: Any) -> None:
    keys = path.split("/")
    assert keys[min(1, len(keys) - 1)] in refused(lambda: mc.evaluate(changed(DOCUMENT, path, value)))


def test_a_comparison_of_no_rulebooks_is_refused() -> None:
    document = {**changed(DOCUMENT, "methodology", None), "methodologies": []}
    assert "methodologies: an empty list" in refused(lambda: mc.evaluate(document), mc.InvalidInput)


@pytest.mark.parametrize("symbol", ["SPX   261218C04700000", ".SPX261218C4700", "SPX261218C04700000"])
def test_a_vol_is_found_by_any_spelling_of_its_option(symbol: str) -> None:
    held = changed(DOCUMENT, "account/positions/0", {"symbol": "SPX261218C04700000", "quantity": -1})
    assert mc.evaluate(changed(held, "market/vol", {symbol: 0.15})) == mc.evaluate(
        changed(held, "market/vol", {"SPX261218C04700000": 0.15})
    )


def test_an_id_of_one_s_own_is_not_taken_for_a_symbol() -> None:
    own = {**OPTION, "id": "SPX   261218C04700000"}
    named = changed(DOCUMENT, "account/positions/0/contract", own)
    expected = mc.evaluate(DOCUMENT)["requirement"]
    assert mc.evaluate(changed(named, "market/vol", {own["id"]: 0.15}))["requirement"] == expected


@pytest.mark.parametrize("document", [None, 3, "x", [], {}, {"account": {"positions": []}}])
def test_not_even_a_document(document: Any) -> None:
    refused(lambda: mc.evaluate(document))


def test_one_contract_with_two_sets_of_terms() -> None:
    other = {**OPTION, "multiplier": 10.0}
    document = changed(
        DOCUMENT, "account/positions", [{"contract": OPTION, "quantity": 1}, {"contract": other, "quantity": 1}]
    )
    refused(lambda: mc.evaluate(document), mc.InvalidInput)


@pytest.mark.parametrize(
    "symbol",
    [
        "", "SPX", "SPX   261218C0470000", "SPX   261218C047000000", "SPX   261232C04700000", "spx   261218C04700000",
        "SPX\u00a0\u00a0\u00a0261218C04700000", "SPX   261218C0470000\u0660", "\u0405PX   261218C04700000",
        "SPX   261218X04700000", "SPX   261218C00000000", "SPX   261218C04700000 ", "\u200bSPX   261218C04700000",
        ".SPX261218C1e3", ".SPX261218C-5", ".SPX261218CNaN", "O:SPX   261218C04700000", "SPX   261218C04700000\0",
        "SPX   261218C04700000" * 1000,
    ],
)  # fmt: skip
def test_option_symbols(symbol: str) -> None:
    refused(lambda: mc.OsiSymbol(symbol), mc.InvalidInput)
    refused(lambda: mc.Products().contract(symbol), mc.InvalidInput)


@pytest.mark.parametrize(
    "symbol", ["IBM   261218C00100000", "AAPL1 261218C00100000", "SPX   140118C01800000", "2SPX  261218C04700000"]
)
def test_roots_that_no_table_knows(symbol: str) -> None:
    refused(lambda: mc.Products().contract(symbol), mc.MissingData)


def test_adjusted_roots_need_their_terms() -> None:
    refused(lambda: mc.Products().with_equities(["AAPL1"]), mc.InvalidInput)
    row = {**mc.Products.from_rows([]).with_equities(["AAPL"]).rows()[0], "root": "AAPL1"}
    row["deliverable"] = "28 shares of AAPL and $10 in cash"
    table = mc.Products().extended([row])
    contract = table.contract("AAPL1 261218C00100000")
    assert (contract.strike_multiplier, contract.premium_multiplier, contract.adjusted) == (100.0, 100.0, True)
    assert contract.deliverable == {"shares": {"AAPL": 28.0}, "cash": 10.0}
    stated = {"multiplier": 28.0, "strike_multiplier": 100.0, "premium_multiplier": 100.0}
    assert mc.Products().extended([{**row, **stated}]).contract("AAPL1 261218C00100000").strike_multiplier == 100.0
    with pytest.raises(mc.MissingData) as missing:
        mc.Products().contract("AAPL1 261218C00100000")
    for field in set(row) - {"root", "from", "to"} | {"strike_multiplier", "premium_multiplier"}:
        assert field in str(missing.value)
    assert pickle.loads(pickle.dumps(table)).rows() == table.rows()
    for change in (
        {"multiplier": math.nan},
        {"multiplier": 0.0},
        {"multiplier": 28.0},  # the number of shares, not what strike and premium are multiplied by
        {"strike_multiplier": 0.0},
        {"premium_multiplier": math.inf},
        {"deliverable": "28 shares"},
        {"deliverable": {"shares": {"MSFT": 28.0}}},
        {"deliverable": {"shares": {"AAPL": -28.0}}},
        {"deliverable": {"share": {"AAPL": 28.0}}},
        {"exercise": "asian"},
        {"from": "2030-01-01", "to": "2020-01-01"},
    ):
        refused(lambda change=change: mc.Products().extended([{**row, **change}]), mc.InvalidInput)


def columns(**changes: Any) -> dict[str, Any]:
    """Good columns of two accounts over a table of one contract."""
    good = {
        "account": np.array([0, 1], dtype=np.uint32),
        "contract": np.array([0, 0], dtype=np.uint32),
        "lots": np.array([1, -1], dtype=np.int64),
    }
    return {**good, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"contract": np.array([0, 1], dtype=np.uint32)},
        {"account": np.array([0], dtype=np.uint32)},
        {"account": np.array([0, 5], dtype=np.uint32), "count": 2},
        {"lots": np.array([1, 2**60], dtype=np.int64)},
        {"lots": np.array([1.0, -1.0])},
        {"lots": np.array([[1, -1]], dtype=np.int64)},
        {"lots": np.array(1, dtype=np.int64)},
        {"lots": [1, -0.5]},
        {"lots": np.array([True, False])},
        {"lots": ["1", "-1"]},
        {"lots": [[1], [1, 2]]},
        {"lots": np.array([2**63, 1], dtype=np.uint64)},
        {"contract": None},
        {"contract": np.array([0, 2**32])},
        {"account": np.array([0, -1], dtype=np.int64)},
        {"account": np.array([0, 4_000_000_000], dtype=np.uint32)},
        {"account": np.array([0, 20261218])},
        {"count": 10**13},
        {"count": 4_000_000_000},
    ],
)
def test_account_columns(changes: dict[str, Any]) -> None:
    table = mc.Contracts([mc.Contract(**OPTION)])
    message = refused(lambda: mc.Accounts.from_columns(table, **columns(**changes)), mc.InvalidInput)
    assert message.startswith("accounts")


def test_columns_say_what_they_want_and_got() -> None:
    table = mc.Contracts([mc.Contract(**OPTION)])

    def message(**changes: Any) -> str:
        return refused(lambda: mc.Accounts.from_columns(table, **columns(**changes)), mc.InvalidInput)

    assert "lots is float64 of shape [2]" in message(lots=np.array([1.0, -1.0]))
    assert "int64" in message(lots=np.array([1.0, -1.0]))
    assert message(account=[0, -1]) == "accounts: account row 1: -1 does not fit uint32"
    assert "np.unique" in message(account=[0, 4_000_000_000])
    assert "account 4000000000 in a table of 2 rows" in message(account=[0, 4_000_000_000])


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4", ">i8", list, tuple])
def test_columns_of_any_integers_are_read_right(kind: Any) -> None:
    table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
    prepared = mc.Engine(mc.methods.Tims()).prepare(table, mc.Market(MARKET["valuation"], spot={"A": 50.0, "B": 20.0}))
    rows: dict[str, Any] = {"account": [2, 0], "contract": [0, 1], "lots": [100, 10]}
    held = {name: kind(values) if callable(kind) else np.array(values, kind) for name, values in rows.items()}
    accounts = mc.Accounts.from_columns(table, **held)
    assert prepared.margin_many(accounts).initial.tolist() == [30.0, 0.0, 750.0]
    assert len(mc.Accounts.from_columns(table, account=[], contract=[], lots=[])) == 0
    assert len(mc.Accounts.from_columns(table, **held, count=2_000_000)) == 2_000_000


def test_columns_of_any_layout_are_read_right() -> None:
    table = mc.Contracts([mc.Contract(**OPTION), mc.Contract(**{**OPTION, "strike": 4800.0})])
    market = mc.Market(
        MARKET["valuation"],
        spot=MARKET["spot"],
        rate=MARKET["rate"],
        contracts=table,
        vol=np.array([0.3, 0.15, 0.4, 0.1])[1::2],
    )
    prepared = mc.Engine(mc.methods.Tims()).prepare(table, market)
    plain = columns()
    strided = {name: np.repeat(values, 3)[::3] for name, values in plain.items()}
    backwards = {name: values[::-1].copy()[::-1] for name, values in plain.items()}
    expected = prepared.margin_many(mc.Accounts.from_columns(table, **plain)).initial.tobytes()
    for layout in (strided, backwards):
        for values in layout.values():
            values.flags.writeable = False
        assert prepared.margin_many(mc.Accounts.from_columns(table, **layout)).initial.tobytes() == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, IBKR_UNSET])
def test_market_columns(bad: float) -> None:
    table = mc.Contracts([mc.Contract(**OPTION), mc.Contract(**{**OPTION, "strike": 4800.0})])
    message = refused(
        lambda: mc.Market(MARKET["valuation"], contracts=table, vol=np.array([0.2, bad])), mc.InvalidInput
    )
    assert "4800" in message
    refused(lambda: mc.Market(MARKET["valuation"], contracts=table, vol=np.array([0.2])), mc.InvalidInput)
    refused(lambda: mc.Market(MARKET["valuation"], vol=np.array([0.2, 0.2])), mc.InvalidInput)


def test_a_generator_that_fails_midway_fails_the_call() -> None:
    def positions() -> Iterator[mc.Position]:
        yield mc.Position(mc.Contract(**OPTION), 1)
        raise RuntimeError("the source went away")

    refused(lambda: mc.Account(positions()), RuntimeError)


def test_a_wrong_thread_count_is_refused_or_harmless() -> None:
    prepared = mc.Engine(mc.methods.Tims()).prepare(
        [mc.Stock("XYZ", currency="USD")], mc.Market(MARKET["valuation"], spot={"XYZ": 50.0})
    )
    account = [mc.Position(prepared.contracts[0], 100)]
    refused(lambda: prepared.margin_many([account], threads=-1), mc.MarginError, OverflowError)
    assert prepared.margin_many([account], threads=64).initial.tolist() == [750.0]


def test_another_table_of_contracts_is_refused() -> None:
    market = mc.Market(MARKET["valuation"], spot={"XYZ": 50.0, "ABC": 20.0})
    prepared = mc.Engine(mc.methods.Tims()).prepare([mc.Stock("XYZ", currency="USD")], market)
    refused(lambda: prepared.margin([mc.Position(mc.Stock("ABC", currency="USD"), 1)]), mc.MissingData)
    other = mc.Contracts([mc.Stock("ABC", currency="USD")])
    refused(lambda: prepared.margin_many(mc.Accounts.from_columns(other, **columns())), mc.InvalidInput)


STOCK = mc.Stock("XYZ", currency="USD")
BOOK = [mc.Position(STOCK, 100)]
SNAPSHOT = mc.Market(MARKET["valuation"], spot={"XYZ": 50.0})
TIMS = mc.methods.Tims()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((BOOK, SNAPSHOT, "tims"), "methodology: a rulebook is needed, such as mc.methods.Tims(), not 'tims'"),
        ((BOOK, SNAPSHOT, mc.methods.Tims), "methodology: Tims is a class: call it, mc.methods.Tims()"),
        ((SNAPSHOT, BOOK, TIMS), "account: an Account or a list of positions is needed, not Market"),
        ((BOOK, TIMS, SNAPSHOT), "market: a Market is needed, not Tims: the order is account, market, methodology"),
        ((BOOK[0], SNAPSHOT, TIMS), "account: one Position: put it in a list"),
        (("XYZ", SNAPSHOT, TIMS), "not 'XYZ'"),
        ((["XYZ"], SNAPSHOT, TIMS), "account: positions[0]: a Position is needed, not 'XYZ'"),
    ],
)
def test_arguments_of_another_kind(arguments: Any, words: str) -> None:
    assert words in refused(lambda: mc.margin(*arguments), mc.InvalidInput)
    account, market, methodology = arguments
    assert words in refused(lambda: mc.compare(account, market, [methodology]), mc.InvalidInput)


def test_a_comparison_needs_rulebooks() -> None:
    for methodologies in ([], (), TIMS, "tims"):
        refused(lambda methodologies=methodologies: mc.compare(BOOK, SNAPSHOT, methodologies), mc.InvalidInput)
    assert "1 labels for 2" in refused(lambda: mc.compare(BOOK, SNAPSHOT, [TIMS, TIMS], labels=["a"]), mc.InvalidInput)


def test_an_engine_s_arguments() -> None:
    refused(lambda: mc.Engine("tims"), mc.InvalidInput)  # type: ignore[arg-type]
    engine = mc.Engine(TIMS)
    assert "threads is -1" in refused(lambda: engine.prepare([STOCK], SNAPSHOT, threads=-1), mc.InvalidInput)
    refused(lambda: engine.prepare([STOCK], "market"), mc.InvalidInput)  # type: ignore[arg-type]


def test_questions_need_numbers() -> None:
    prepared = mc.Engine(TIMS).prepare([STOCK], SNAPSHOT)
    for call, words in (
        (lambda: questions.moved(prepared, BOOK, ["x"]), "moves[0] is 'x'"),  # type: ignore[list-item]
        (lambda: questions.moved(prepared, BOOK, [0.0, math.nan]), "moves[1] is nan"),
        (lambda: questions.moved(prepared, BOOK, 0.1), "moves: a list"),  # type: ignore[arg-type]
        (lambda: questions.moved(prepared, BOOK, [0.1], threads=-1), "threads is -1"),
        (lambda: questions.moved(prepared, BOOK[0], [0.1]), "put it in a list"),  # type: ignore[arg-type]
        (lambda: questions.rolled(prepared, BOOK, [True]), "days[0] is True"),
        (lambda: questions.along(prepared, BOOK, [{"XYZ": "x"}]), "price of 'XYZ' is 'x'"),  # type: ignore[dict-item]
    ):
        assert words in refused(call, mc.InvalidInput)


def test_a_picture_needs_a_spot_price() -> None:
    pytest.importorskip("matplotlib")
    from margincore.analysis.plot import plot

    nothing = mc.Market(MARKET["valuation"])
    assert "no price of 'XYZ' to move" in refused(lambda: plot(BOOK, nothing, [TIMS]), mc.MissingData)


def test_the_rate_of_breaches_is_not_the_confidence() -> None:
    assert "rate of breaches, 0.01" in refused(lambda: backtest.report([1.0] * 9, [0.5] * 9, 0.99), mc.InvalidInput)


@pytest.mark.parametrize(
    ("positions", "kind", "words"),
    [
        ({"BTC-PERPETUAL": "10"}, mc.InvalidInput, "size of 'BTC-PERPETUAL' is '10'"),
        ({"BTC-PERPETUAL": None}, mc.InvalidInput, "size of 'BTC-PERPETUAL' is None"),
        (None, mc.InvalidInput, "a list of rows is needed"),
        ([None], mc.InvalidInput, "positions[0]: an object"),
        ([{"size": 1.0}], mc.MissingData, "positions[0]: instrument_name is missing"),
        ([{"instrument_name": "BTC-PERPETUAL"}], mc.MissingData, "positions[0]: size is missing"),
        ([{"instrument_name": "BTC-PERPETUAL", "size": math.nan}], mc.InvalidInput, "is nan"),
        ([{"instrument_name": "BTC-PERPETUAL", "size": -1, "direction": "buy"}], mc.InvalidInput, "direction 'buy'"),
        ([{"instrument_name": "BTC-PERPETUAL", "size": 1, "direction": "long"}], mc.InvalidInput, "buy, sell or zero"),
    ],
)
def test_positions_of_deribit(positions: Any, kind: type[Exception], words: str) -> None:
    assert words in refused(lambda: crypto.deribit_positions(positions), kind)


@pytest.mark.parametrize(
    ("rows", "values", "kind", "words"),
    [
        ([{"instId": "BTC-USDT-SWAP"}], {}, mc.MissingData, "positions[0]: pos is missing"),
        ([{"instId": "BTC-USDT-SWAP", "pos": None}], {}, mc.MissingData, "positions[0]: pos is missing"),
        ([{"pos": "1"}], {}, mc.MissingData, "positions[0]: instId is missing"),
        ([{"instId": "BTC-USDT-SWAP", "pos": "x"}], {"BTC-USDT-SWAP": 0.01}, mc.InvalidInput, "'x'"),
        ([{"instId": "BTC-USDT-SWAP", "pos": "nan"}], {"BTC-USDT-SWAP": 0.01}, mc.InvalidInput, "'nan'"),
        ([{"instId": "BTC-USDT-SWAP", "pos": "1"}], {"BTC-USDT-SWAP": "x"}, mc.InvalidInput, "contract value"),
        ([None], {}, mc.InvalidInput, "positions[0]: an object"),
        (None, {}, mc.InvalidInput, "a list of rows is needed"),
    ],
)
def test_positions_of_okx(rows: Any, values: Any, kind: type[Exception], words: str) -> None:
    assert words in refused(lambda: crypto.okx_positions(rows, values), kind)


def test_parameters_of_deribit() -> None:
    assert "params:1" in refused(lambda: mc.methods.Deribit.from_params("{bad"), mc.ParseError)
    refused(lambda: mc.methods.Deribit.from_params("[1]"), mc.ParseError)
    refused(lambda: mc.methods.Deribit.from_params(5), mc.InvalidInput)  # type: ignore[arg-type]
    assert "on: a date or instant" in refused(lambda: mc.methods.Deribit(on=5), mc.InvalidInput)  # type: ignore[arg-type]


SHARE = mc.Stock("XYZ", currency="USD")
RANGES = {"price_scan": 0.1, "vol_scan": 0.25}


@pytest.mark.parametrize("rulebook", [mc.methods.Tims(), mc.methods.SpanLike({"XYZ": RANGES})])
@pytest.mark.parametrize(
    "quotes",
    [
        {"spot": {"XYZ": 0.0}},
        {"spot": {"XYZ": -3.0}},
        {"price": {SHARE.id: -3.0}},
        {"price": {SHARE.id: 0.0}, "spot": {"XYZ": 50.0}},
        {"price": {SHARE.id: 500.0}, "spot": {"XYZ": 50.0}},
    ],
)
def test_a_stock_has_one_positive_price(rulebook: mc.Methodology, quotes: dict[str, Any]) -> None:
    market = mc.Market(MARKET["valuation"], **quotes)
    assert "XYZ" in refused(lambda: mc.margin([mc.Position(SHARE, 100)], market, rulebook), mc.InvalidInput)
    near = mc.Market(MARKET["valuation"], spot={"XYZ": 50.0}, price={SHARE.id: 49.0})
    assert mc.margin([mc.Position(SHARE, 100)], near, rulebook).requirement.initial > 0.0


@pytest.mark.parametrize("price", [-50.0, -0.01])
def test_orders_at_prices_that_cannot_be(price: float) -> None:
    future = mc.Future("XYZ", expiry="2026-12-18", settles="pm", multiplier=100.0, currency="USD")
    market = mc.Market(MARKET["valuation"], spot={"XYZ": 50.0}, price={future.id: 50.0})
    live = mc.Engine(mc.methods.Tims()).prepare([SHARE, future], market).open([])
    decision = live.check(mc.Order("n", SHARE, "buy", 1000, price), mc.Limit(1e9))
    assert decision.reason == "invalid_order"
    assert "price" in decision.message
    refused(lambda: live.reserve(mc.Order("n", SHARE, "buy", 1000, price)), mc.InvalidInput)
    assert live.check(mc.Order("f", future, "buy", 1, price), mc.Limit(1e9)).accepted


@pytest.mark.parametrize(
    "make",
    [
        lambda: mc.methods.SpanLike({"SPX": {**RANGES, "price_scan": 6}}),
        lambda: mc.methods.SpanLike({"SPX": {**RANGES, "vol_scan": 25}}),
        lambda: mc.methods.Tims(default_range={"down": -0.15, "up": 15}),
        lambda: mc.methods.Deribit.from_params({"price_range": -0.15}),
        lambda: mc.methods.Deribit.from_params({"price_range": 15}),
        lambda: mc.methods.Deribit.from_params({"mm_factor": 80}),
        lambda: mc.methods.Deribit.from_params({"max_delta_shock": -5}),
        lambda: mc.evaluate(changed(DOCUMENT, "market/rate/USD", 5.0)),
        lambda: mc.evaluate(changed(DOCUMENT, "market/vol/SPX 2026-12-18 am 4700 call", 18.0)),
    ],
)
def test_percentages_are_not_fractions(make: Callable[[], object]) -> None:
    def used() -> object:
        rulebook = make()
        coin = mc.Perpetual("BTC", multiplier=1, currency="BTC", multiplier_unit="USD", settlement="inverse")
        return mc.margin([mc.Position(coin, 1)], mc.Market(MARKET["valuation"], spot={"BTC": 7e4}), rulebook)  # type: ignore[arg-type]

    assert "%" in refused(used, mc.InvalidInput)
