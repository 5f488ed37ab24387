"""What holds for every TIMS book: riskless additions, sub-additivity, minimums, offsets, ranges nobody knows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc

TODAY = dt.date(2026, 11, 20)
VALUATION = "2026-11-20T16:00:00-05:00"
SPOT = {"A": 100.0, "B": 60.0}
STRIKES = (80.0, 95.0, 100.0, 110.0)
STOCKS = {symbol: mc.Stock(symbol, currency="USD") for symbol in SPOT}


def option(symbol: str, right: str, strike: float, days: int, exercise: str) -> mc.Contract:
    return mc.Option(
        symbol, right, strike, expiry=(TODAY + dt.timedelta(days=days)).isoformat(), settles="pm",
        exercise=exercise, multiplier=100, currency="USD", id=f"{symbol} {right} {strike} {days} {exercise}",
    )  # fmt: skip


OPTIONS = [
    option(symbol, right, strike * SPOT[symbol] / 100, days, exercise)
    for symbol in SPOT
    for right in ("call", "put")
    for strike in STRIKES
    for days in (20, 150)
    for exercise in ("american", "european")
]
TABLE = [*STOCKS.values(), *OPTIONS]
MARKET = mc.Market(
    VALUATION, spot=SPOT, rate={"USD": 0.04}, dividend_yield={"A": 0.02, "B": 0.0},
    vol={c.id: 0.2 + 0.001 * i for i, c in enumerate(OPTIONS)},
)  # fmt: skip


def groups(offset: float | None, **parameters: Any) -> mc.Prepared:
    """The table under both symbols apart, or in one product group."""
    shared: dict[str, Any] = {}
    if offset is not None:
        shared = {
            "class_groups": {s: {"product_group": "P"} for s in SPOT},
            "product_groups": {"P": {"offset": offset}},
        }
    return mc.Engine(mc.methods.Tims(**shared, **parameters)).prepare(TABLE, MARKET)


APART = groups(None)
HALF = groups(0.5)
FREE = groups(None, minimum_rate=0.0)

rows = st.lists(
    st.tuples(st.integers(0, len(TABLE) - 1), st.integers(-30, 30).filter(bool)), min_size=1, max_size=7
)  # fmt: skip
Rows = list[tuple[int, int]]


def report(prepared: mc.Prepared, held: Rows) -> mc.MarginReport:
    return prepared.margin([mc.Position(TABLE[i], q * (100 if i < len(STOCKS) else 1)) for i, q in held])


def initial(prepared: mc.Prepared, held: Rows) -> float:
    return report(prepared, held).requirement.initial


def close(scale: float) -> float:
    return 1e-9 * (1.0 + abs(scale))


@settings(max_examples=80, deadline=None)
@given(rows, rows)
@pytest.mark.parametrize("prepared", [APART, FREE], ids=["minimums", "none"])
def test_two_books_together_need_no_more_than_apart(prepared: mc.Prepared, one: Rows, other: Rows) -> None:
    """Where nothing is offset in part: a gain that counts for half may be worth more apart."""
    apart = initial(prepared, one) + initial(prepared, other)
    together = initial(prepared, one + other)
    assert together <= apart + close(apart)


@settings(max_examples=80, deadline=None)
@given(rows, st.integers(len(STOCKS), len(TABLE) - 1), st.integers(1, 20))
def test_a_long_option_adds_no_more_than_its_premium(held: Rows, added: int, lots: int) -> None:
    premium = report(APART, [(added, lots)]).net_option_value
    before = initial(APART, held)
    # What it offsets of short ones of its own only takes away.
    assert initial(APART, [*held, (added, lots)]) <= before + premium + close(before + premium)


@settings(max_examples=60, deadline=None)
@given(rows, st.sampled_from(sorted(SPOT)), st.sampled_from(STRIKES), st.sampled_from([20, 150]), st.integers(1, 9))
def test_a_riskless_package_changes_the_scan_by_the_carry_of_its_cash_only(
    held: Rows, symbol: str, strike: float, days: int, lots: int
) -> None:
    """A European conversion (stock, a put, no call) is worth the discounted strike at every point."""
    own = SPOT[symbol]
    call, put = (TABLE.index(option(symbol, right, strike * own / 100, days, "european")) for right in ("call", "put"))
    vol = mc.Market(
        VALUATION, spot=SPOT, rate={"USD": 0.04}, vol={c.id: 0.3 for c in OPTIONS}
    )  # one vol for both rights, no yield: the package moves with nothing
    prepared = mc.Engine(mc.methods.Tims(minimum_rate=0.0)).prepare(TABLE, vol)
    package = [(list(SPOT).index(symbol), lots), (put, lots), (call, -lots)]
    before, after = initial(prepared, held), initial(prepared, held + package)
    assert after == pytest.approx(before, abs=1e-7 * lots * 100 * own + close(before))


@settings(max_examples=60, deadline=None)
@given(rows, st.sampled_from([(0.1, 0.15), (0.05, 0.06), (0.15, 0.3)]))
def test_a_wider_range_never_lowers_the_largest_loss_of_linear_books(held: Rows, moves: tuple[float, float]) -> None:
    """The ten points of a wider range are not those of the narrower: only what is linear is monotone for certain."""
    stock = [(i % len(STOCKS), q) for i, q in held]
    narrow, wide = (
        mc.Engine(mc.methods.Tims(default_range={"down": -m, "up": m})).prepare(TABLE, MARKET) for m in moves
    )
    assert initial(wide, stock) >= initial(narrow, stock) - close(initial(narrow, stock))


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(2, 9))
def test_the_requirement_scales_with_the_book(held: Rows, factor: int) -> None:
    one = initial(HALF, held)
    assert initial(HALF, [(i, q * factor) for i, q in held]) == pytest.approx(factor * one, rel=1e-12, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_order_and_threads_change_no_bit(held: Rows, chance: Any) -> None:
    shuffled = list(held)
    chance.shuffle(shuffled)
    assert report(HALF, shuffled).to_dict() == report(HALF, held).to_dict()
    account, contract = np.zeros(len(held), np.uint32), np.array([i for i, _ in held], np.uint32)
    quantity = np.array([q * (100 if i < len(STOCKS) else 1) for i, q in held])
    columns = [np.concatenate([c] * 3) for c in (contract, quantity)]
    accounts = mc.Accounts.from_columns(
        HALF.contracts, account=np.concatenate([account, account + 1, account + 2]), contract=columns[0],
        lots=columns[1],
    )  # fmt: skip
    for threads in (1, 3):
        assert HALF.margin_many(accounts, threads=threads).initial.tolist() == [initial(HALF, held)] * 3


@pytest.mark.parametrize("lots", [1, 10, 333])
def test_far_short_options_cost_exactly_their_minimum(lots: int) -> None:
    far = [option("A", "put", 20.0, 30, "american"), option("A", "call", 400.0, 30, "european")]
    market = mc.Market(VALUATION, spot=SPOT, rate={"USD": 0.04}, vol={c.id: 0.2 for c in far})
    held = [mc.Position(c, -lots) for c in far]
    assert mc.margin(held, market, mc.methods.Tims()).requirement.initial == 2 * lots * 37.5


def test_minimums_bind_at_the_level_that_is_chosen() -> None:
    """Two class groups in one product group, both with minimums beyond their losses, and hedged against each other."""
    far = {s: option(s, "put", 0.2 * SPOT[s], 30, "european") for s in SPOT}
    market = mc.Market(VALUATION, spot=SPOT, rate={"USD": 0.04}, vol={c.id: 0.2 for c in far.values()})
    # Long 100 of one and short of the other: losses of 1,500 and 900 at opposite ends; offset in full 600.
    held = [
        mc.Position(STOCKS["A"], 100), mc.Position(STOCKS["B"], -100),
        mc.Position(far["A"], -50), mc.Position(far["B"], -4),
    ]  # fmt: skip

    def need(level: Any) -> float:
        tims = mc.methods.Tims(
            class_groups={s: {"product_group": "P"} for s in SPOT}, product_groups={"P": {"offset": 1.0}},
            minimum_level=level,
        )  # fmt: skip
        return mc.margin(held, market, tims).requirement.initial

    # Class groups: A has 1,875 against its loss of 1,500: 375 more; B has 150 against 900.
    assert need("class_group") == pytest.approx(600.0 + 375.0, rel=1e-12)
    # Product or portfolio group: 2,025 against 600.
    assert need("product_group") == need("portfolio_group") == pytest.approx(2025.0, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(rows)
def test_an_offset_of_one_is_one_class_group(held: Rows) -> None:
    full = groups(1.0, minimum_level="portfolio_group")
    merged = mc.Engine(
        mc.methods.Tims(products={s: {"class_group": "AB"} for s in SPOT}, minimum_level="portfolio_group")
    ).prepare(TABLE, MARKET)
    one = initial(merged, held)
    assert initial(full, held) == pytest.approx(one, rel=1e-12, abs=1e-7)


def test_a_range_that_no_public_text_gives_is_asked_for() -> None:
    future = mc.Future("VIX", expiry="2026-12-16", settles="am", multiplier=1000, currency="USD")
    market = mc.Market(VALUATION, price={future.id: 18.0})
    with pytest.raises(mc.MissingData, match="VIX"):
        mc.margin([mc.Position(future, 1)], market, mc.methods.Tims())
    stated = mc.methods.Tims(class_groups={"VIX": {"range": {"down": -0.3, "up": 0.5}}})
    assert mc.margin([mc.Position(future, -1)], market, stated).requirement.initial == 9000.0


def test_stock_baskets_are_not_silently_ignored() -> None:
    with pytest.raises(mc.Unsupported, match="basket"):
        mc.methods.Rulebook("tims", {"baskets": {"SPX": 0.05}})


@pytest.mark.parametrize(
    ("preset", "index", "small", "stock", "minimum"),
    [("occ-cpm", 8.0, 10.0, 15.0, 37.5), ("occ-rbh-market-maker", 8.0, 10.0, 15.0, 25.0),
     ("occ-rbh-broker-dealer", 10.0, 15.0, 15.0, 25.0)],
)  # fmt: skip
def test_each_kind_of_account_has_its_ranges(
    preset: str, index: float, small: float, stock: float, minimum: float
) -> None:
    held = {s: (mc.Stock if s == "XYZ" else mc.Etf)(s, currency="USD") for s in ("SPY", "IWM", "XYZ")}
    market = mc.Market(VALUATION, spot=dict.fromkeys(held, 100.0), vol={}, rate={"USD": 0.04})
    for symbol, move in (("SPY", index), ("IWM", small), ("XYZ", stock)):
        report = mc.margin([mc.Position(held[symbol], 1)], market, mc.methods.Tims(preset))
        assert report.requirement.initial == pytest.approx(move, rel=1e-12)
    far = option("A", "put", 20.0, 30, "european")
    quotes = mc.Market(VALUATION, spot=SPOT, rate={"USD": 0.04}, vol={far.id: 0.2})
    assert mc.margin([mc.Position(far, -1)], quotes, mc.methods.Tims(preset)).requirement.initial == minimum
