"""A search that its limit stops: never worse than the greedy pairing, and its gap said by account."""

from __future__ import annotations

import pickle
import random
from typing import Any, Literal

import numpy as np
import pytest

import margincore as mc
from margincore import importers

EXPIRIES = ("2026-12-18", "2027-01-15", "2027-03-19")
LIMITS = (1, 2, 5, 10, 50)
CENT = 1e-6
SIDES: tuple[Literal["call", "put"], ...] = ("call", "put")
EQUITIES = dict.fromkeys(("AAA", "BBB"), "equity")


def series(chance: random.Random) -> list[mc.Contract]:
    """Options of two names on a grid of strikes, and the stocks."""
    made = [mc.Stock(name, currency="USD") for name in ("AAA", "BBB")]
    for name in ("AAA", "BBB"):
        keys = [(right, 80.0 + 4.0 * k, expiry) for right in SIDES for k in range(11) for expiry in EXPIRIES]
        made += [
            mc.Option(
                name, right, strike, expiry=expiry, settles="pm", exercise="american", multiplier=100, currency="USD"
            )
            for right, strike, expiry in chance.sample(keys, chance.randint(8, 26))
        ]
    return made


def market(table: list[mc.Contract], chance: random.Random, **more: float) -> mc.Market:
    price = {c.id: round(chance.uniform(0.05, 20.0), 2) for c in table if c.kind == "option"} | more
    return mc.Market("2026-11-20T21:00:00Z", spot={"AAA": 100.0, "BBB": 96.0}, price=price)


def book(table: list[mc.Contract], chance: random.Random) -> list[mc.Position]:
    sizes = [chance.choice([-300, -100, 0, 100, 250]) if c.kind == "stock" else chance.randint(-4, 4) for c in table]
    return [mc.Position(c, size) for c, size in zip(table, sizes, strict=True) if size]


@pytest.mark.parametrize("seed", range(40))
def test_a_search_that_stops_is_never_worse_than_the_greedy_pairing(seed: int) -> None:
    chance = random.Random(seed)
    table = series(chance)
    at, positions = market(table, chance), book(table, chance)
    methods: list[Literal["optimal", "two_leg"]] = ["optimal", "optimal", "two_leg"]
    pairing = chance.choice(methods)
    preset = chance.choice(["reg-t", "reg-t-ibkr"])
    kind = chance.choice(["margin", "margin", "margin", "cash"])
    account = mc.Account([p for p in positions if kind == "margin" or p.quantity > 0], kind=kind)
    proven = mc.margin(account, at, mc.methods.RegT(preset, pairing=pairing, classes=EQUITIES))
    for limit in LIMITS:
        rule = mc.methods.RegT(preset, pairing=pairing, node_limit=limit, classes=EQUITIES)
        prepared = mc.Engine(rule).prepare(table, at)
        report = prepared.margin(account)
        gaps = []
        for date, lowest in (("initial", proven.details["initial"]), ("held", proven.details["held"])):
            found = report.details[date]
            assert found["equity_required"] <= found["greedy_equity_required"] + CENT
            # The truth lies between the bound and the answer.
            assert found["proven_bound"] - CENT <= lowest["equity_required"]
            assert lowest["proven_bound"] <= found["equity_required"] + CENT
            assert found["gap"] >= 0.0
            gaps.append(found["gap"])
        batch = prepared.margin_many([account])
        assert batch.initial[0] == report.requirement.initial
        assert max(gaps) - CENT <= batch.pairing_gap[0] <= sum(gaps) + CENT
    assert proven.details["initial"]["gap"] == 0.0


def test_the_limit_is_met_and_the_greedy_pairing_answers() -> None:
    """A hundred series of one name: ten nodes find nothing as good as the greedy pairing."""
    table = mc.Contracts.from_columns(
        kind="option", underlying="XYZ", right=["call" if i % 2 else "put" for i in range(100)],
        strike=[70.0 + (i % 25) * 2.4 for i in range(100)],
        expiry=[["2026-12-18", "2027-01-15", "2027-03-19", "2027-06-18"][i // 25] for i in range(100)],
        settles="pm", exercise="american", multiplier=100.0, currency="USD",
    )  # fmt: skip
    at = mc.Market("2026-11-18T16:00:00-05:00", spot={"XYZ": 100.0}, price=dict.fromkeys(table.ids, 3.0))
    lots = np.where(np.arange(100) % 3, -3, 5)
    accounts = mc.Accounts.from_columns(table, account=np.zeros(100, np.uint32), contract=np.arange(100), lots=lots)
    words: dict[str, Any] = {"classes": {"XYZ": "equity"}}
    greedy = mc.Engine(mc.methods.RegT(pairing="greedy", **words)).prepare(table, at).margin_many(accounts)
    stopped = mc.Engine(mc.methods.RegT(node_limit=10, **words)).prepare(table, at).margin_many(accounts)
    assert stopped.initial[0] <= greedy.initial[0]
    assert stopped.pairing_gap[0] > 0.0
    assert greedy.pairing_gap[0] == 0.0


def test_the_gap_is_a_column_where_positions_are_paired() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    chance = random.Random(3)
    table = series(chance)
    at = market(table, chance)
    accounts = [mc.Account(book(table, chance)) for _ in range(20)]
    batch = mc.Engine(mc.methods.RegT(node_limit=1, classes=EQUITIES)).prepare(table, at).margin_many(accounts)
    assert (batch.pairing_gap >= 0.0).all()
    assert (batch.pairing_gap > 0.0).any()
    again = pickle.loads(pickle.dumps(batch))
    assert again.pairing_gap.tobytes() == batch.pairing_gap.tobytes()
    assert importers.arrow.batch(batch).column("pairing_gap").type == pyarrow.float64()
    scan = (
        mc.Engine(mc.methods.Tims(no_vol="borrow", vol_floor=0.3))
        .prepare(table[:2], at)
        .margin_many([[mc.Position(table[0], 1)], []])
    )
    assert np.isnan(scan.pairing_gap).all()
    assert "pairing_gap" not in importers.arrow.batch(scan).column_names
    assert np.isnan(pickle.loads(pickle.dumps(scan)).pairing_gap).all()


def test_a_part_of_a_combined_rulebook_keeps_its_gap() -> None:
    chance = random.Random(5)
    table = series(chance)
    future = mc.Future("ES", expiry="2026-12-18", multiplier=50, currency="USD", settles="am")
    at = market(table, chance, **{future.id: 5000.0})
    accounts = [mc.Account(book(table, chance)) for _ in range(20)]
    rule = mc.methods.RegT(node_limit=1, classes=EQUITIES)
    alone = mc.Engine(rule).prepare(table, at).margin_many(accounts)
    flat = mc.methods.HistoricalVar(
        {"ES": [5000.0, 4900.0, 5100.0]}, returns="relative", measure="order_ceil", confidence="0.9"
    )
    both = mc.methods.Combined([(lambda c: c.kind != "future", rule), (lambda c: c.kind == "future", flat)])
    joined = mc.Engine(both).prepare([*table, future], at).margin_many([*accounts, [mc.Position(future, 1)]])
    assert joined.pairing_gap[:-1].tobytes() == alone.pairing_gap.tobytes()
    assert alone.pairing_gap.max() > 0.0
    assert np.isnan(joined.pairing_gap[-1])
