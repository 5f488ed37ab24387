"""The engine through its public face: equal bits however it is called, and errors that say what is wrong."""

from __future__ import annotations

import math
import multiprocessing
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import margincore as mc

VALUATION = "2026-11-20T16:00:00-05:00"


def chain() -> list[mc.Contract]:
    options = [
        mc.Option(
            "SPX", right, strike, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100, currency="USD"
        )
        for strike in range(4000, 5001, 50)
        for right in ("call", "put")
    ]
    return [mc.Etf("SPY", currency="USD"), mc.Stock("XYZ", currency="USD"), *options]


def market(contracts: list[mc.Contract], **changes: object) -> mc.Market:
    parts: dict[str, object] = {
        "spot": {"SPX": 4500.0, "SPY": 450.0, "XYZ": 50.0},
        "rate": {"USD": 0.05},
        "vol": {c.id: 0.18 for c in contracts if c.kind == "option"},
    }
    return mc.Market(VALUATION, **{**parts, **changes})


@pytest.fixture(scope="module")
def prepared() -> mc.Prepared:
    contracts = chain()
    return mc.Engine(mc.methods.Tims()).prepare(contracts, market(contracts))


def book(prepared: mc.Prepared, seed: int, size: int = 20) -> list[mc.Position]:
    rng = random.Random(seed)
    return [mc.Position(rng.choice(list(prepared.contracts)), rng.randint(-9, 9)) for _ in range(size)]


def test_position_order_splits_and_merges_do_not_change_a_bit(prepared: mc.Prepared) -> None:
    positions = book(prepared, 1)
    report = prepared.margin(positions)
    assert report.adds_up()
    shuffled = positions[:]
    random.Random(2).shuffle(shuffled)
    split = [mc.Position(p.contract, side) for p in shuffled for side in (p.quantity - 3, 3)]
    for other in (shuffled, split):
        again = prepared.margin(other)
        assert again.requirement.initial == report.requirement.initial
        assert again.to_dict() == report.to_dict()


def test_an_empty_account_needs_nothing(prepared: mc.Prepared) -> None:
    report = prepared.margin([])
    assert (report.requirement.initial, report.lines, report.worst_scenario) == (0.0, (), None)


def test_batches_columns_and_single_accounts_agree(prepared: mc.Prepared) -> None:
    books = [book(prepared, seed) for seed in range(300)]
    singles = [prepared.margin(b).requirement.initial for b in books]
    rows = [(a, prepared.contracts.index(p.contract), int(p.quantity)) for a, b in enumerate(books) for p in b]
    account, contract, quantity = (np.array(column) for column in zip(*rows, strict=True))
    accounts = mc.Accounts.from_columns(
        prepared.contracts,
        account=account.astype(np.uint32),
        contract=contract.astype(np.uint32),
        lots=quantity.astype(np.int64),
    )
    for threads in (1, 2, 7):
        assert prepared.margin_many(accounts, threads=threads).initial.tolist() == singles
    assert prepared.margin_many(books).initial.tolist() == singles


@pytest.mark.parametrize("positions", [5, 4_000])  # fewer than the table's contracts, and more
def test_greatest_is_the_first_largest_sum_of_each_account(prepared: mc.Prepared, positions: int) -> None:
    rng, table, count = np.random.default_rng(5), prepared.contracts, 40
    account, contract = rng.integers(0, count - 1, positions), rng.integers(0, len(table), positions)
    quantity = rng.integers(-9, 10, positions)
    accounts = mc.Accounts.from_columns(
        table, account=account.astype(np.uint32), contract=contract.astype(np.uint32), lots=quantity, count=count
    )
    values = rng.integers(-3, 4, (len(table), 16)).astype(np.float64)  # sums are exact, and many are equal
    sums = np.zeros((count, 16))
    np.add.at(sums, account, quantity[:, None] * values[contract])
    for layout in (values, np.asfortranarray(values)):
        greatest, column = accounts.greatest(layout)
        assert greatest.tolist() == sums.max(axis=1).tolist()
        assert column.tolist() == sums.argmax(axis=1).tolist()
    for bad in (math.nan, math.inf, -math.inf):
        values[1, 2] = bad
        with pytest.raises(mc.InvalidInput, match=r"values row 1: .* in column 2"):
            accounts.greatest(values)
    with pytest.raises(mc.InvalidInput, match="a row of 16"):
        accounts.greatest(values[:, :15])


def test_many_threads_share_a_prepared_rulebook(prepared: mc.Prepared) -> None:
    expected = [prepared.margin(book(prepared, s)).requirement.initial for s in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda s: prepared.margin(book(prepared, s)).requirement.initial, range(40))) == expected


def _in_child(queue: multiprocessing.Queue, prepared: mc.Prepared) -> None:
    queue.put(prepared.margin_many([book(prepared, 1)] * 200, threads=2).initial[0])


def test_it_works_in_a_forked_child(prepared: mc.Prepared) -> None:
    prepared.margin_many([book(prepared, 1)] * 200, threads=2)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue, prepared))
    child.start()
    assert queue.get(timeout=60) == prepared.margin(book(prepared, 1)).requirement.initial
    child.join(timeout=60)
    assert child.exitcode == 0


def test_what_makes_a_margin_is_pickled(prepared: mc.Prepared) -> None:
    contracts = chain()
    account = mc.Account(book(prepared, 5), cash={"USD": 1e6}, kind="customer")
    methodology = mc.methods.Tims(grid="even")
    again = pickle.loads(pickle.dumps((account, market(contracts), methodology, mc.Contracts(contracts))))
    expected = mc.margin(account, market(contracts), methodology)
    assert mc.margin(*again[:3]).to_dict() == expected.to_dict()
    assert again[3].digest == mc.Contracts(contracts).digest
    assert pickle.loads(pickle.dumps(prepared)).digest == prepared.digest


def test_decimal_quantities_divide_into_decimal_lots() -> None:
    coin = mc.Spot("BTC", currency="USD", lot=1e-8)
    rng = np.random.default_rng(3)
    for lots in [*rng.integers(1, 10**6, 500), *rng.integers(1, 10**12, 500)]:
        assert mc.Position(coin, float(f"{lots}e-8")).quantity == pytest.approx(lots * 1e-8, rel=1e-15)
    for fraction in (0.5, 0.1, 1e-3):
        with pytest.raises(mc.InvalidInput, match="whole number of lots"):
            mc.Position(coin, (11_170_000 + fraction) * 1e-8)


def test_columns_make_the_same_table_as_objects() -> None:
    contracts = mc.Contracts(c for c in chain() if c.kind == "option")
    strikes = np.repeat(np.arange(4000.0, 5001.0, 50.0), 2)
    columns = mc.Contracts.from_columns(
        kind="option",
        underlying="SPX",
        right=np.tile(np.array(["call", "put"]), len(strikes) // 2),
        strike=strikes,
        expiry=np.full(len(strikes), np.datetime64("2026-12-18")),
        settles="pm",
        exercise="european",
        multiplier=100,
        currency="USD",
    )
    assert columns.digest == contracts.digest
    vol = np.full(len(columns), 0.18)
    by_column = mc.Market(VALUATION, spot={"SPX": 4500.0}, rate={"USD": 0.05}, contracts=columns, vol=vol)
    by_id = market(list(contracts))
    position = [mc.Position(columns[7], -3)]
    results = [mc.margin(position, m, mc.methods.Tims()).requirement.initial for m in (by_column, by_id)]
    assert results[0] == results[1]
    with pytest.raises(mc.InvalidInput, match="has 2 rows where others have 3"):
        mc.Contracts.from_columns(kind="stock", underlying=["A", "B"], currency="USD", strike=[1.0, 2.0, 3.0])
    with pytest.raises(mc.InvalidInput, match="row 1: contract 'SPX': strike"):
        mc.Contracts.from_columns(
            kind="option", underlying="SPX", right="call", strike=[1.0, math.nan], expiry="2026-12-18", settles="pm",
            exercise="european", multiplier=100, currency="USD",
        )  # fmt: skip
    with pytest.raises(mc.MissingData, match="the option has no multiplier"):
        mc.Contracts.from_columns(
            kind="option", underlying="SPX", right="call", strike=[1.0], expiry="2026-12-18", settles="pm",
            exercise="european", currency="USD",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("attempt", "error", "words"),
    [
        (lambda: mc.Market("2026-11-20T16:00:00", spot={}), mc.InvalidInput, "zone"),
        (lambda: mc.Market(VALUATION, spot={"A": math.inf}), mc.InvalidInput, "spot of 'A'"),
        (lambda: mc.Market(VALUATION, spots={}), mc.InvalidInput, "market: no argument is called 'spots'; .* 'spot'"),
        (lambda: mc.Market(VALUATION, dividend_yields={}), mc.InvalidInput, "did you mean 'dividend_yield'"),
        (lambda: mc.Market(VALUATION, vols=None), mc.InvalidInput, "did you mean 'vol'"),
        (lambda: mc.Market(VALUATION, vol=np.array([0.2])), mc.InvalidInput, "contracts="),
        (lambda: mc.Stock("A ", currency="USD"), mc.InvalidInput, "blanks"),
        (lambda: mc.Position(mc.Stock("A", currency="USD"), 0.5), mc.InvalidInput, "whole number of lots"),
        (lambda: mc.Position(mc.Stock("A", currency="USD"), math.nan), mc.InvalidInput, "quantity is"),
        (lambda: mc.Account([mc.Stock("A", currency="USD")]), mc.InvalidInput, "position 0: a Position"),
        (lambda: mc.Account([], cash={"USD": math.nan}), mc.InvalidInput, "cash of USD"),
        (lambda: mc.methods.Tims(grid="odd"), mc.InvalidInput, "grid: 'odd' is not known: use fifths or even"),
        (lambda: mc.methods.Tims(preset="nobody"), mc.InvalidInput, "occ-cpm"),
        (lambda: mc.methods.Rulebook("nothing", {}), mc.InvalidInput, "tims"),
        (lambda: mc.Contracts([mc.Stock("A", currency="USD")] * 2), mc.InvalidInput, "already row 0"),
    ],
)
def test_bad_input_is_refused_by_name(attempt: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        attempt()


def test_what_the_market_does_not_quote_is_named(prepared: mc.Prepared) -> None:
    contracts = chain()
    bare = market(contracts, vol={})
    with pytest.raises(mc.MissingData, match="SPX 2026-12-18 pm 4000 call".replace(" pm", "")):
        mc.Engine(mc.methods.Tims()).prepare(contracts, bare)
    late = mc.Market("2026-12-18T16:00:01-05:00", spot={"SPX": 4500.0}, rate={"USD": 0.05})
    with pytest.raises(mc.InvalidInput, match="row 0: 'SPX 2026-12-18 4000 call' expired"):
        mc.Engine(mc.methods.Tims()).prepare(contracts[2:3], late)
    stranger = mc.Position(mc.Stock("ZZZ", currency="USD"), 1)
    with pytest.raises(mc.MissingData, match="position 0: contract 'ZZZ' is not in the prepared table"):
        prepared.margin([stranger])
    with pytest.raises(mc.NotApplicable, match="BTC"):
        mc.margin([mc.Position(mc.Spot("BTC", currency="USD"), 1)], market(contracts), mc.methods.Tims())


def test_a_mark_below_intrinsic_is_refused_with_its_contract() -> None:
    call = mc.Option(
        "XYZ", "call", 40, expiry="2026-12-18", settles="pm", exercise="european", multiplier=100, currency="USD"
    )
    low = mc.Market(VALUATION, spot={"XYZ": 50.0}, rate={"USD": 0.05}, price={call.id: 9.0})
    with pytest.raises(mc.InvalidInput, match="'XYZ 2026-12-18 40 call': no volatility reprices its mark 9"):
        mc.margin([mc.Position(call, 1)], low, mc.methods.Tims())


def test_negative_zero_is_zero(prepared: mc.Prepared) -> None:
    flat = prepared.margin([mc.Position(prepared.contracts[0], -0.0)])
    assert math.copysign(1.0, flat.requirement.initial) == 1.0


def _two_names(puts: int) -> mc.MarginReport:
    """Long A beside a short or long of B: both lose downwards, or each its own way."""
    stocks = [mc.Stock(name, currency="USD") for name in ("A", "B")]
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 50.0, "B": 80.0})
    return mc.margin([mc.Position(stocks[0], 100), mc.Position(stocks[1], puts)], market, mc.methods.Tims())


def test_one_worst_scenario_only_where_there_is_one() -> None:
    assert _two_names(100).worst_scenario == "down 5/5"
    apart = _two_names(-100)
    assert (apart.worst_scenario, apart.worst_scenario_index) == (None, None)
    assert "worst per line" in repr(apart)
    assert len({line.scenario for line in apart.lines if line.scenario}) == 2


def test_reports_and_batches_pickle_to_the_last_bit() -> None:
    report = _two_names(-100)
    again = pickle.loads(pickle.dumps(report))
    assert (again.to_dict(), repr(again)) == (report.to_dict(), repr(report))
    assert again.adds_up()
    document = report.to_dict()
    document["requirement"]["initial"] += 1.0
    with pytest.raises(mc.InvalidInput, match="add up"):
        mc.MarginReport.from_dict(document)
    stock = mc.Stock("A", currency="USD")
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 50.0})
    batch = mc.Engine(mc.methods.Tims()).prepare([stock], market).margin_many([[mc.Position(stock, 7)], []])
    other = pickle.loads(pickle.dumps(batch))
    for name in ("initial", "maintenance", "net_option_value", "worst_scenario"):
        assert getattr(other, name).tobytes() == getattr(batch, name).tobytes()
