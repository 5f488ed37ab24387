"""A market that moves a little at a time: what was compiled is shared, and every bit is that of preparing anew."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import margincore as mc

NAMES = [f"N{i:02d}" for i in range(12)]
EUROS = NAMES[9:]
SHARE = 128  # contracts of a VaR table that are shared or copied together

Words = dict[str, Any]
Rulebook = mc.methods.Rulebook | mc.methods.Combined | mc.methods.House


def contracts(order: str) -> mc.Contracts:
    """Some 450 rows, by name or strike by strike: what moves is together, or all over the table."""
    made: list[tuple[Any, mc.Contract]] = []
    for i, name in enumerate(NAMES):
        currency = "EUR" if name in EUROS else "USD"
        made.append(((-1, i), mc.Stock(name, currency=currency)))
        for k in range(18):
            for right in ("call", "put"):
                contract = mc.Option(
                    name, right, 60.0 + 5.0 * k, expiry="2027-02-19", settles="pm", currency=currency,
                    exercise="american" if i % 2 else "european", multiplier=100, id=f"{name} {right} {k}",
                )  # fmt: skip
                made.append(((k, i), contract))
    if order == "strike":
        made.sort(key=lambda one: one[0])
    return mc.Contracts([contract for _, contract in made])


def first(table: mc.Contracts, marked: bool) -> Words:
    words: Words = {
        "valuation": "2026-11-20T16:00:00-05:00",
        "spot": {name: 90.0 + 2.0 * i for i, name in enumerate(NAMES)},
        "rate": {"USD": 0.04, "EUR": 0.02},
        "dividend_yield": {"N03": 0.01},
        "dividends": {"N05": [("2027-01-05", 0.6)]},
        "vol": {id_: 0.25 + 0.001 * i for i, id_ in enumerate(table.ids) if " " in id_},
        "price": {},
        "fx": {"EURUSD": 1.1},
    }  # fmt: skip
    if marked:
        words["price"] = {"N01 call 8": 6.0, "N02": 93.9, "N10 put 3": 1.5}
    return words


def change(chance: np.random.Generator, at: Words, table: mc.Contracts) -> Words:
    """A few numbers, moved by a percent; marks come with the spots they are quoted on."""

    def moved(values: dict[str, float], most: int) -> dict[str, float]:
        names = chance.choice(list(values), min(len(values), int(chance.integers(1, most + 1))), replace=False)
        return {str(n): values[str(n)] * float(1.0 + 0.01 * chance.standard_normal()) for n in names}

    made: Words = {}
    for what, most, likely in (("spot", 3, 0.7), ("vol", 20, 0.4), ("rate", 1, 0.15), ("dividend_yield", 1, 0.1)):
        if chance.random() < likely:
            made[what] = moved(at[what], most)
    if chance.random() < 0.2:
        made["fx"] = {"EURUSD": at["fx"]["EURUSD"] * float(1.0 + 0.01 * chance.standard_normal())}
    if at["price"]:
        made["price"] = {id_: mark * float(1.0 + 0.001 * chance.random()) for id_, mark in at["price"].items()}
        # A stock's quote is its spot's.
        if "N02" in made.get("spot", {}):
            made["price"]["N02"] = made["spot"]["N02"]
        elif "spot" not in made:
            del made["price"]
    return made


def after(at: Words, moved: Words) -> Words:
    whole = copy.deepcopy(at)
    for what, values in moved.items():
        whole[what].update(values)
    return whole


def tims() -> mc.methods.Tims:
    return mc.methods.Tims(steps=30, default_range={"down": -0.15, "up": 0.15}, currency="USD")


def var(**words: Any) -> mc.methods.HistoricalVar:
    chance = np.random.default_rng(11)
    history = {name: np.exp(np.cumsum(0.01 * chance.standard_normal(41))) for name in [*NAMES, "EURUSD", "VOL"]}
    return mc.methods.HistoricalVar(
        history, returns="log", measure="es_discrete", confidence="0.9", window=40, steps=30, currency="USD", **words
    )


RULES: dict[str, Callable[[], Rulebook]] = {
    "var": var,
    "var of vols and rates": lambda: var(vol_map={"N04": "VOL"}, fx={"EUR": "EURUSD"}),
    "var with floors": lambda: var(option_floor={"ticks": dict.fromkeys(NAMES, 0.01)}),
    "var in sets": lambda: var(
        netting_sets=[{"name": "some", "members": NAMES[:5]}, {"name": "rest"}], position_rounding=0.01
    ),
    "combined": lambda: mc.methods.Combined(
        [(lambda c: c.underlying in NAMES[:4], tims()), (lambda c: c.underlying not in NAMES[:4], var())]
    ),
}


def answers(prepared: mc.Prepared, table: mc.Contracts) -> list[Any]:
    """Numbers of accounts that hold every row, and one account explained."""
    chance = np.random.default_rng(5)
    rows = np.concatenate([chance.permutation(len(table)), chance.integers(0, len(table), 600)])
    accounts = mc.Accounts.from_columns(
        table, account=chance.integers(0, 25, rows.size), contract=rows, lots=chance.integers(-9, 10, rows.size)
    )
    batch = prepared.margin_many(accounts)
    some = [mc.Position(table[int(row)], 3 - 2 * (i % 4)) for i, row in enumerate(rows[:40])]
    report = prepared.margin(some)
    numbers: list[Any] = [batch.initial, batch.maintenance, batch.net_option_value, batch.worst_scenario]
    return [*(column.tobytes() for column in numbers), report.to_dict()]


@pytest.mark.parametrize("order", ["name", "strike"])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("marked", [False, True])
def test_updates_have_the_bits_of_preparing_anew(name: str, order: str, marked: bool) -> None:
    chance = np.random.default_rng([len(name), len(order), marked])
    table = contracts(order)
    assert len(table) > 3 * SHARE
    at = first(table, marked)
    engine = mc.Engine(RULES[name]())
    prepared = engine.prepare(table, mc.Market(**at))
    for step in range(5):
        moved = change(chance, at, table)
        at = after(at, moved)
        old, before = prepared, answers(prepared, table) if step == 2 else None
        prepared = prepared.update(**moved)
        anew = engine.prepare(table, mc.Market(**at))
        assert answers(prepared, table) == answers(anew, table)
        # What is shared is not written to.
        assert before is None or answers(old, table) == before
    whole = prepared.with_market(mc.Market(**at))
    assert whole.repriced[0] == 0
    assert answers(whole, table) == answers(prepared, table)


@pytest.mark.parametrize("marked", [False, True])
def test_updates_of_tims_have_the_bits_of_preparing_anew(marked: bool) -> None:
    """In one currency."""
    chance = np.random.default_rng(31 + marked)
    table = mc.Contracts([c for c in contracts("name") if c.currency == "USD"])
    at = first(table, marked)
    if marked:
        del at["price"]["N10 put 3"]
    engine = mc.Engine(tims())
    prepared = engine.prepare(table, mc.Market(**at))
    for _ in range(8):
        moved = change(chance, at, table)
        at = after(at, moved)
        prepared = prepared.update(**moved)
        assert answers(prepared, table) == answers(engine.prepare(table, mc.Market(**at)), table)


def regt() -> mc.methods.RegT:
    return mc.methods.RegT(underlyings={name: {"class": "equity"} for name in NAMES})


def spanlike(**words: Any) -> mc.methods.SpanLike:
    ranges: dict[str, Words] = {name: {"price_scan": 0.05 + 0.01 * i, "vol_scan": 0.2} for i, name in enumerate(NAMES)}
    ranges["N04"] = {"price_scan": 0.4, "vol_scan": 0.05, "vol_scan_absolute": True, "calendar_charge": 5.0}
    return mc.methods.SpanLike(ranges, **words)


def stressed() -> mc.methods.Tims:
    points: list[Words] = [{"price": -0.3, "vol": 0.1}, {"price": 0.0, "vol": -0.2, "vol_move": "relative"}]
    return mc.methods.Tims(
        steps=30, default_range={"down": -0.15, "up": 0.15}, currency="USD", vol="sticky_moneyness",
        overlays=[{"name": "house", "points": points}],
    )  # fmt: skip


# Rulebooks in one currency, and the ids that each is given marks of.
IN_DOLLARS: dict[str, tuple[Callable[[], Rulebook], Callable[[int], bool]]] = {
    "TIMS": (tims, lambda i: i % 7 == 0),
    "TIMS with an overlay": (stressed, lambda _: False),
    "Reg T": (regt, lambda _: True),
    "SPAN-like": (spanlike, lambda i: i % 5 == 0),
    "SPAN-like, quadratic": (lambda: spanlike(american_model="W"), lambda _: False),
    "VaR": (var, lambda i: i % 9 == 0),
    "TIMS and SPAN-like": (
        lambda: mc.methods.Combined(
            [(lambda c: c.underlying in NAMES[:4], tims()), (lambda c: c.underlying not in NAMES[:4], spanlike())]
        ),
        lambda i: i % 5 == 0,
    ),
    "a house over Reg T": (
        lambda: mc.methods.House(
            regt(),
            {"contracts": [{"name": "a contract", "short": 250.0}]},
            name="a house",
            source="a test",
            date="2026-01-02",
        ),
        lambda _: True,
    ),
}


def mark(table: mc.Contracts, spot: dict[str, float], marked: Callable[[int], bool]) -> dict[str, float]:
    """Above what exercise pays, for the options to be marked."""
    made = {}
    for i, id_ in enumerate(table.ids):
        if " " in id_ and marked(i):
            name, right, k = id_.split()
            pays = (spot[name] - 60.0 - 5.0 * int(k)) * (1.0 if right == "call" else -1.0)
            made[id_] = max(pays, 0.0) + 2.0 + 0.01 * (i % 50)
    return made


@pytest.mark.parametrize("order", ["name", "strike"])
@pytest.mark.parametrize("name", IN_DOLLARS)
def test_each_thing_that_moves_has_the_bits_of_preparing_anew(name: str, order: str) -> None:
    """Spots, vols, marks, a rate, a yield, the instant: one after the other, and nothing at all."""
    rulebook, marked = IN_DOLLARS[name]
    table = mc.Contracts([c for c in contracts(order) if c.currency == "USD"])
    at = first(table, marked=False)
    at["price"] = mark(table, at["spot"], marked)

    def spots(*names: str) -> Words:
        moved = {own: at["spot"][own] * 1.013 for own in names}
        on = mark(table, {**at["spot"], **moved}, marked)
        return {"spot": moved, "price": {id_: price for id_, price in on.items() if id_.split()[0] in moved}}

    def few(what: str) -> Words:
        return {what: {id_: 1.01 * at[what][id_] for id_ in list(at[what])[3:250:40]}}

    engine = mc.Engine(rulebook())
    prepared = engine.prepare(table, mc.Market(**at))
    moves: list[Callable[[], Words]] = [
        lambda: spots("N03"),
        lambda: spots("N00", "N04", "N05", "N07"),
        lambda: few("vol"),
        lambda: few("price"),
        lambda: {"rate": {"USD": 0.045}},
        lambda: {"dividend_yield": {"N03": 0.02, "N06": 0.01}},
        lambda: {"valuation": "2026-11-20T16:30:00-05:00"},
        lambda: {"valuation": "2026-11-23T10:00:00-05:00"},
        lambda: spots("N01"),
        dict,
    ]  # fmt: skip
    for move in moves:
        moved = {what: value for what, value in move().items() if value}
        at = copy.deepcopy(at)
        for what, value in moved.items():
            if what == "valuation":
                at[what] = value
            else:
                at[what].update(value)
        old, before = prepared, answers(prepared, table)
        prepared = prepared.update(**moved)
        assert answers(prepared, table) == answers(engine.prepare(table, mc.Market(**at)), table), moved
        # What is shared is not written to.
        assert answers(old, table) == before


@pytest.mark.parametrize("name", ["Reg T", "SPAN-like"])
def test_marks_that_were_kept_are_asked_for_again(name: str) -> None:
    """A call above its underlying: kept while the spot fell, refused in a market that says it is of one time."""
    table = mc.Contracts([c for c in contracts("name") if c.currency == "USD"])
    at = first(table, marked=False)
    at["price"] = mark(table, at["spot"], IN_DOLLARS["Reg T"][1])
    engine = mc.Engine(IN_DOLLARS[name][0]())
    prepared = engine.prepare(table, mc.Market(**at))
    kept = prepared.update(spot={"N03": 30.0}, marks="keep")
    fallen = mc.Market(**after(at, {"spot": {"N03": 30.0}}))
    with pytest.raises(mc.InvalidInput, match="N03 call"):
        engine.prepare(table, fallen)
    with pytest.raises(mc.InvalidInput, match="N03 call"):
        kept.with_market(fallen)
    # A smaller fall is accepted anew, and is the same.
    fallen = mc.Market(**after(at, {"spot": {"N03": 90.0}}))
    kept = prepared.update(spot={"N03": 90.0}, marks="keep")
    assert answers(kept, table)[:4] == answers(engine.prepare(table, fallen), table)[:4]


def test_an_update_of_coins_has_the_bits_of_preparing_anew() -> None:
    expiry = "2026-12-25T08:00:00Z"
    table = mc.Contracts([
        mc.Option(name, right, level * k, expiry=expiry, exercise="european", multiplier=1, currency="USD")
        for name, level in (("BTC", 60_000.0), ("ETH", 3_000.0)) for right in ("call", "put") for k in (0.9, 1.0, 1.1)
    ])  # fmt: skip
    at: Words = {
        "valuation": "2026-11-20T08:00:00Z", "spot": {"BTC": 60_000.0, "ETH": 3_000.0},
        "forward": {("BTC", expiry): 60_100.0, ("ETH", expiry): 3_010.0}, "rate": {"USD": 0.03},
        "vol": {own.id: 0.6 for own in table}, "price": {own.id: 0.07 * (own.strike or 0.0) for own in table},
    }  # fmt: skip
    engine = mc.Engine(mc.methods.Span16())
    prepared = engine.prepare(table, mc.Market(**at))
    eth = {own.id: 0.08 * (own.strike or 0.0) for own in table if own.underlying == "ETH"}
    moves: list[Words] = [
        {"spot": {"ETH": 3_050.0}, "forward": {("ETH", expiry): 3_060.0}, "price": eth},
        {"vol": {table.ids[0]: 0.7}}, {"rate": {"USD": 0.04}}, {"valuation": "2026-11-20T09:00:00Z"}, {},
    ]  # fmt: skip
    for moved in moves:
        at = {what: moved[what] if what == "valuation" and what in moved else
              {**old, **moved.get(what, {})} if isinstance(old, dict) else old for what, old in at.items()}  # fmt: skip
        prepared = prepared.update(**moved)
        assert answers(prepared, table) == answers(engine.prepare(table, mc.Market(**at)), table), moved


def test_a_quote_below_zero_is_refused_also_by_an_update() -> None:
    table = contracts("name")
    prepared = mc.Engine(tims()).prepare(
        mc.Contracts([c for c in table if c.currency == "USD"]), mc.Market(**first(table, marked=False))
    )
    parts: list[Words] = [{"price": {"N01 put 4": -1.0}}, {"vol": {"N01 put 4": -0.1}}]
    for part in [*parts, {"vol": {"N01 put 4": float("nan")}}]:
        with pytest.raises(mc.InvalidInput, match="N01 put 4"):
            prepared.update(**part)
