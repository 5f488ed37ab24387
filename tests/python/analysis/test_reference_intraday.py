"""Every order tried in plain Python against the engine's search, and what no order of anything may change."""

from __future__ import annotations

import itertools
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc
from margincore import intraday
from margincore.reference import intraday as reference
from margincore.reference import reg_t

A, B = mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")
SPOT = {"A": 40.0, "B": 12.0}
STOCKS = mc.Engine(mc.methods.RegT()).prepare([A, B], mc.Market("2026-11-20T09:30:00-05:00", spot=SPOT))


def deficit(found: reference.Deficit | None) -> tuple[float, bool | None]:
    return (0.0, None) if found is None else (found.amount, found.minor)


def timed(transaction: Any, place: int | None) -> Any:
    time = None if place is None else f"2026-11-20T{10 + place}:00:00-05:00"
    return type(transaction)(**{**{f.name: getattr(transaction, f.name) for f in fields(transaction)}, "time": time})


PLACES = st.one_of(st.none(), st.integers(0, 2))
FILLS = st.tuples(
    st.sampled_from([A, B]),
    st.integers(-300, 300).filter(bool),
    st.sampled_from([-1.0, -0.25, 0.0, 0.5]),
    st.sampled_from([0.0, 1.5]),
    PLACES,
)
MONEY = st.tuples(st.sampled_from([-2_000.0, -500.0, 750.0, 3_000.0]), st.booleans(), PLACES)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(FILLS, max_size=4),
    st.lists(MONEY, max_size=1),
    st.integers(-200, 200),
    st.integers(-200, 200),
    st.floats(-4_000.0, 12_000.0).map(lambda x: round(x, 2)),
)
def test_stock_orders_agree_with_every_permutation(
    fills: list[Any], money: list[Any], held_a: int, held_b: int, cash: float
) -> None:
    ours: list[Any] = []
    theirs: list[reference.Transaction] = []
    for contract, quantity, off, fees, place in fills:
        price = SPOT[contract.underlying] + off
        ours.append(timed(intraday.Fill(contract, quantity, price, fees=fees), place))
        theirs.append(reference.Transaction(((contract.id, quantity, price, fees),), SPOT, place=place))
    for amount, counts, place in money:
        ours.append(timed(intraday.Cash(amount) if counts else intraday.Charge(amount), place))
        theirs.append(reference.Transaction((), SPOT, cash=amount, place=place, counts=counts))
    held = {"A": float(held_a), "B": float(held_b)}
    held = {name: units for name, units in held.items() if units}
    expected = reference.day(held, cash, theirs, reference.stock_maintenance)
    positions = [mc.Position(A if name == "A" else B, units) for name, units in held.items()]
    for order in (positions, positions[::-1]):
        for listed in (ours, ours[::-1]):
            day = intraday.day(STOCKS, mc.Account(order, cash={"USD": cash}), listed)
            assert day.deficit == pytest.approx(deficit(expected)[0], abs=1e-7)
            assert day.gap == pytest.approx(0.0, abs=1e-7)


# ---- options


def option(right: str, strike: float) -> mc.Contract:
    return mc.Option("A", right, strike, expiry="2026-12-18", settles="pm", exercise="american",  # type: ignore[arg-type]
                     multiplier=100, currency="USD")  # fmt: skip


SERIES = {("call", 40.0): 2.0, ("call", 45.0): 0.7, ("put", 35.0): 0.6, ("put", 40.0): 1.9}
OPTIONS = {terms: option(*terms) for terms in SERIES}
MARKED = mc.Engine(mc.methods.RegT(classes={"A": "equity"})).prepare(
    [A, *OPTIONS.values()],
    mc.Market("2026-11-20T09:30:00-05:00", spot={"A": 40.0},
              price={OPTIONS[terms].id: mark for terms, mark in SERIES.items()}),
)  # fmt: skip
MARKS = {"A": 40.0, **{OPTIONS[terms].id: 100.0 * mark for terms, mark in SERIES.items()}}
TERMS = {OPTIONS[terms].id: (*terms, mark) for terms, mark in SERIES.items()}


def paired(positions: reference.Amounts, _: reference.Amounts) -> float:
    """The cheapest of all partitions; shares in blocks of 100."""
    book: list[reg_t.Leg | reg_t.Stock] = []
    for name, units in positions.items():
        count, side = round(abs(units)), 1 if units > 0 else -1
        if name == "A":
            book += [reg_t.Stock(side * 100, 40.0, covers=("A",))] * (count // 100)
        else:
            right, strike, mark = TERMS[name]
            book += [reg_t.Leg(right, strike, 1.0, side, mark, 40.0, underlying="A")] * count
    return reg_t.optimal(tuple(book), True).equity if book else 0.0


TRADES = st.sampled_from([*OPTIONS.values(), A])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TRADES, st.sampled_from([1, -1]), PLACES), min_size=1, max_size=4),
       st.lists(st.tuples(TRADES, st.sampled_from([1, -1])), max_size=2),
       st.sampled_from([0.0, 600.0, 1_500.0, 4_000.0]))  # fmt: skip
def test_option_orders_agree_with_every_permutation(fills: list[Any], held: list[Any], cash: float) -> None:
    def units(contract: mc.Contract, side: int) -> float:
        return side * (100.0 if contract == A else 1.0)

    positions: dict[str, float] = {}
    for contract, side in held:
        positions[contract.id] = positions.get(contract.id, 0.0) + units(contract, side)
    positions = {name: own for name, own in positions.items() if own}
    ours, theirs = [], []
    for contract, side, place in fills:
        quoted = 40.0 if contract == A else TERMS[contract.id][2]
        ours.append(timed(intraday.Fill(contract, units(contract, side), quoted), place))
        theirs.append(reference.Transaction(((contract.id, units(contract, side), MARKS[contract.id], 0.0),), MARKS,
                                            place=place))  # fmt: skip
    expected = reference.day(positions, cash, theirs, paired)
    table = {c.id: c for c in (A, *OPTIONS.values())}
    account = mc.Account([mc.Position(table[name], own) for name, own in positions.items()], cash={"USD": cash})
    day = intraday.day(MARKED, account, ours)
    assert day.deficit == pytest.approx(deficit(expected)[0], abs=1e-6)
    assert day.gap == 0.0


# ---- more than are looked at one by one


@pytest.mark.parametrize("seed", range(8))
def test_stock_beyond_the_sets_looked_at_agrees_with_all_of_them(seed: int) -> None:
    """Seventeen fills in one name: its rule against all 131,072 sets."""
    draw = np.random.default_rng(seed)
    count, held, cash = 17, int(draw.integers(-300, 300)), float(draw.integers(-2_000, 4_000))
    lots = draw.integers(-200, 200, count) | 1
    price = SPOT["A"] + draw.choice([-2.0, 0.0, 1.0, 15.0], count)
    gain = lots * (SPOT["A"] - price)
    traded, gained = np.zeros(1), np.zeros(1)
    for quantity, own in zip(lots, gain, strict=True):
        traded, gained = np.concatenate([traded, traded + quantity]), np.concatenate([gained, gained + own])
    units = held + traded
    required = np.where(units > 0, 0.25 * units, -0.30 * units) * SPOT["A"]
    level = cash + held * SPOT["A"] + gained - required
    sets = np.arange(1 << count)
    expected = np.inf
    for bit in range(count):
        within = (sets >> bit) & 1 == 1
        lowers = within & (level < level[sets & ~(1 << bit)] - 1e-9)
        expected = min(expected, level[lowers].min(initial=np.inf))
    account = mc.Account([mc.Position(A, held)] if held else [], cash={"USD": cash})
    fills = [intraday.Fill(A, int(q), float(p)) for q, p in zip(lots, price, strict=True)]
    day = intraday.day(STOCKS, account, fills)
    true = max(0.0, -expected)
    assert day.deficit <= true + 1e-7 <= day.highest + 2e-7
    if day.gap == 0.0:
        assert day.deficit == pytest.approx(true, abs=1e-7)


def test_options_beyond_the_sets_looked_at_lie_between_what_is_found_and_its_bound() -> None:
    """Eighteen fills of which the first sets are known: every order that sells first is a deficit no bound may hide."""
    short, long = OPTIONS["call", 40.0], OPTIONS["call", 45.0]
    fills = [intraday.Fill(short, -1, 2.0)] * 9 + [intraday.Fill(long, 1, 0.7)] * 9
    account = mc.Account([], cash={"USD": 1_000.0})
    day = intraday.day(MARKED, account, fills)
    sold = intraday.day(MARKED, account, [intraday.Package(tuple(fills[:9])), intraday.Package(tuple(fills[9:]))])
    assert sold.deficit <= day.deficit <= day.highest
    for order in itertools.islice(itertools.permutations(fills), 0, 400, 40):
        known = [intraday.Fill(f.contract, f.quantity, f.price, time=f"2026-11-20T10:{k:02}:00-05:00")
                 for k, f in enumerate(order)]  # fmt: skip
        assert intraday.day(MARKED, account, known).deficit <= day.highest


def test_a_move_of_the_market_alone_makes_no_deficit() -> None:
    account = mc.Account([mc.Position(A, 400)], cash={"USD": -11_000.0})
    for spot in (10.0, 30.0, 39.0, 41.0):
        moved = STOCKS.update(spot={"A": spot})
        day = intraday.day(STOCKS, account, [], updates=[("2026-11-20T12:00:00-05:00", moved)])
        assert day.deficit == 0.0
