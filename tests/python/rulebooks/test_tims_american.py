"""TIMS on American options: the marks it implies vols from, the models beside each other, greeks."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import random
from typing import Any

import numpy as np
import pytest

import margincore as mc
from conformance.cases import data_folder
from margincore.reference import tims as reference

TODAY = dt.date(2026, 11, 20)
VALUATION = "2026-11-20T16:00:00-05:00"
SPOT, RATE = 100.0, 0.045


def option(right: str, strike: float, days: int, exercise: str = "american", symbol: str = "A") -> mc.Contract:
    return mc.Option(
        symbol, right, strike, expiry=(TODAY + dt.timedelta(days=days)).isoformat(), settles="pm",
        exercise=exercise, multiplier=100, currency="USD", id=f"{symbol} {right} {strike} {days} {exercise}",
    )  # fmt: skip


CHAIN = [
    option(right, strike, days)
    for days in (5, 40, 200, 500)
    for strike in (70.0, 85.0, 95.0, 100.0, 107.0, 130.0)
    for right in ("call", "put")
]


def market(vol: dict[str, float] | None = None, **parts: Any) -> mc.Market:
    base: dict[str, Any] = {"spot": {"A": SPOT}, "rate": {"USD": RATE}, "dividend_yield": {"A": 0.02}}
    return mc.Market(VALUATION, vol=vol or {}, **(base | parts))


def profits(report: mc.MarginReport) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(report.details["class_groups"]["A"]["profit"])


def smile(contracts: list[mc.Contract]) -> dict[str, float]:
    return {c.id: 0.22 + 0.004 * abs((c.strike or 0.0) - SPOT) ** 0.8 for c in contracts}


@pytest.mark.parametrize("american", ["collocation", "tree"])
def test_a_quoted_mark_is_returned_where_nothing_moves(american: Any) -> None:
    """Vols are implied by the model that reprices: measured from the mark or the model, the profit is the same."""
    vols = smile(CHAIN)
    tims = mc.methods.Tims(american=american, steps=100)

    def worth(at: dict[str, float]) -> dict[str, float]:
        return {c.id: mc.margin([mc.Position(c, 1)], market(at), tims).net_option_value / 100 for c in CHAIN}

    marks, lower = worth(vols), worth({id_: 0.9 * vol for id_, vol in vols.items()})
    # What is worth no more for its vol, such as what should be exercised now, implies none.
    quoted = [c for c in CHAIN if marks[c.id] > lower[c.id] + 1e-4]
    assert len(quoted) > 35
    for contract in quoted:
        position = [mc.Position(contract, 1)]
        quotes = market(price={contract.id: marks[contract.id]})
        from_mark = mc.margin(position, quotes, mc.methods.Tims(american=american, steps=100, base="mark"))
        from_model = mc.margin(position, quotes, tims)
        assert profits(from_mark) == pytest.approx(profits(from_model), abs=1e-9)
        # And the points are those at the vol the mark was made with.
        assert profits(from_model) == pytest.approx(profits(mc.margin(position, market(vols), tims)), abs=1e-6)


@pytest.mark.parametrize("steps", [100, 400, 1600])
def test_trees_converge_to_the_collocation(steps: int) -> None:
    """A tree of n steps is within S vol sqrt(T) / n of its limit, so a profit of two prices within twice that."""
    vols = smile(CHAIN)
    limit, tree = mc.methods.Tims(), mc.methods.Tims(american="tree", steps=steps)
    for contract in CHAIN:
        position = [mc.Position(contract, 1)]
        difference = profits(mc.margin(position, market(vols), limit)) - profits(
            mc.margin(position, market(vols), tree)
        )
        days = int(contract.id.split()[3])
        error = 100 * 2.0 * SPOT * vols[contract.id] * (days / 365) ** 0.5 / steps
        assert np.abs(difference).max() <= error


def test_the_collocation_agrees_with_the_reference_tree() -> None:
    """The pure-Python engine has a tree of its own: 200 steps, and the tree's error as above."""
    vols = smile(CHAIN)
    underlying = reference.Underlying(SPOT, RATE, 0.02)
    for contract in CHAIN[::5]:
        days = int(contract.id.split()[3])
        vol = vols[contract.id]
        plain = reference.Contract(
            "A", "option", multiplier=100.0, right=1 if contract.right == "call" else -1,
            strike=contract.strike or 0.0, years=days / 365, exercise="american", vol=vol,
        )  # fmt: skip
        parameters = reference.Parameters(steps=200)
        expected = reference.margin([reference.Position(plain, 0, 1)], {"A": underlying}, parameters)
        report = mc.margin([mc.Position(contract, -1)], market(vols), mc.methods.Tims())
        error = 100 * 2.0 * SPOT * vol * (days / 365) ** 0.5 / 200
        assert profits(report) == pytest.approx(expected.class_groups["A"].pnl, abs=error)


def test_where_collocation_is_refused_a_tree_prices() -> None:
    """Carry that dominates the vol, and a yield below a negative rate (two boundaries)."""
    for vol, rate, dividend_yield in ((0.02, 0.10, 0.0), (0.2, -0.02, -0.05)):
        put = option("put", 105.0, 700)
        quotes = market({put.id: vol}, rate={"USD": rate}, dividend_yield={"A": dividend_yield})
        fine = mc.margin([mc.Position(put, -1)], quotes, mc.methods.Tims())
        tree = mc.margin([mc.Position(put, -1)], quotes, mc.methods.Tims(american="tree", steps=2000))
        assert profits(fine) == pytest.approx(profits(tree), abs=1.5)


def test_prices_do_not_depend_on_the_table_or_on_threads() -> None:
    vols = smile(CHAIN)
    shuffled = random.Random(3).sample(CHAIN, len(CHAIN))
    whole = mc.Engine(mc.methods.Tims()).prepare(CHAIN, market(vols))
    other = mc.Engine(mc.methods.Tims()).prepare(shuffled, market(vols), threads=3)
    for contract in CHAIN:
        position = [mc.Position(contract, 7)]
        alone = mc.margin(position, market(vols), mc.methods.Tims()).details
        assert whole.margin(position).details == alone
        assert other.margin(position).details == alone


def test_an_update_has_the_bits_of_a_fresh_preparation() -> None:
    vols = smile(CHAIN)
    book = [mc.Position(c, q) for c, q in zip(CHAIN, (3, -5, 8, -1) * 12, strict=True)]
    prepared = mc.Engine(mc.methods.Tims()).prepare(CHAIN, market(vols))
    moved = prepared.update(vol={CHAIN[7].id: 0.5})
    assert moved.repriced == (1, len(CHAIN))
    fresh = mc.Engine(mc.methods.Tims()).prepare(CHAIN, market(vols | {CHAIN[7].id: 0.5}))
    assert moved.margin(book).to_dict() == fresh.margin(book).to_dict()


def test_with_cash_dividends_trees_converge_to_the_lattice_and_european_options_have_the_formula() -> None:
    dividends = {"A": [("2026-12-15", 1.5)]}

    def points(exercise: str, steps: int, american: Any = "tree", right: Any = "call") -> Any:
        contract = option(right, 95.0, 60, exercise)
        quotes = market({contract.id: 0.3}, dividends=dividends, dividend_yield=None)
        return profits(mc.margin([mc.Position(contract, 1)], quotes, mc.methods.Tims(american=american, steps=steps)))

    assert np.abs(points("american", 50) - points("american", 51)).max() > 1e-6
    assert points("european", 50).tolist() == points("european", 51).tolist()
    for right in ("call", "put"):
        lattice = points("american", 50, "collocation", right)
        assert points("american", 51, "collocation", right).tolist() == lattice.tolist()
        for steps in (200, 3200):
            assert points("american", steps, right=right) == pytest.approx(
                lattice, abs=100 * 2.0 * SPOT * 0.3 * (60 / 365) ** 0.5 / steps
            )
    underlying = reference.Underlying(SPOT, RATE, dividends=((25 / 365, 1.5),))
    plain = reference.Contract("A", "option", multiplier=100.0, right=1, strike=95.0, years=60 / 365, vol=0.3)
    expected = reference.margin([reference.Position(plain, 1)], {"A": underlying})
    assert points("european", 50) == pytest.approx(expected.class_groups["A"].pnl, rel=1e-11, abs=1e-9)


def test_a_mark_without_a_vol_is_refused_or_borrows_one_by_name() -> None:
    put, call = option("put", 130.0, 40), option("call", 130.0, 40)
    prices = {put.id: 30.0, call.id: 0.15}
    with pytest.raises(mc.InvalidInput, match="no_vol"):
        mc.Engine(mc.methods.Tims()).prepare([put, call], market(price=prices))
    prepared = mc.Engine(mc.methods.Tims(no_vol="borrow")).prepare([put, call], market(price=prices))
    report = prepared.margin([mc.Position(put, 1)])
    assert report.details["borrowed_vols"] == {put.id: f"no volatility reprices the mark: that of '{call.id}'"}
    assert "borrowed_vols" not in prepared.margin([mc.Position(call, 1)]).details
    alone = market(price={put.id: 30.0})
    with pytest.raises(mc.MissingData, match="vol_floor"):
        mc.Engine(mc.methods.Tims(no_vol="borrow")).prepare([put], alone)
    floored = mc.margin([mc.Position(put, 1)], alone, mc.methods.Tims(no_vol="borrow", vol_floor=0.2))
    assert "the floor of 0.2" in floored.details["borrowed_vols"][put.id]


def book() -> list[mc.Position]:
    """Stock, European and American options, over two underlyings."""
    contracts = [
        option("put", 95.0, 40), option("call", 107.0, 200), option("put", 100.0, 200, "european"),
        option("call", 100.0, 40, symbol="B"),
    ]  # fmt: skip
    held = zip(contracts, (-3, 5, 2, -4), strict=True)
    return [mc.Position(mc.Stock("A", currency="USD"), 250), *(mc.Position(c, q) for c, q in held)]


PARTS: list[dict[str, Any]] = [
    {"dividend_yield": {"A": 0.02, "B": 0.0}},
    {"dividend_yield": None, "dividends": {"A": [("2026-12-15", 0.8)], "B": [("2027-03-01", 1.0)]}},
]


@pytest.mark.parametrize("parts", PARTS, ids=["yield", "cash dividends"])
def test_greeks_are_differences_of_the_books_value(parts: dict[str, Any]) -> None:
    """Each greek against central differences of the reports' option value, end to end."""
    positions = book()
    vols = {p.contract.id: 0.3 for p in positions if p.contract.strike is not None}
    tims = mc.methods.Tims(steps=4000)

    def worth(symbol: str, spot: float = 0.0, vol: float = 0.0, rate: float = 0.0) -> float:
        own = [p for p in positions if p.contract.underlying == symbol]
        quotes = market(
            {k: v + vol for k, v in vols.items()}, spot={"A": SPOT + spot, "B": SPOT + spot},
            rate={"USD": RATE + rate}, **parts,
        )  # fmt: skip
        stock = sum(p.quantity for p in own if p.contract.kind == "stock") * (SPOT + spot)
        return mc.margin(own, quotes, tims).net_option_value + stock

    report = mc.margin(positions, market(vols, spot={"A": SPOT, "B": SPOT}, **parts), tims)
    assert [g.underlying for g in report.greeks] == ["A", "B"]
    # A tree's own differences span two nodes: both sides have their error.
    loose = 2e-2 if "dividends" in parts else 2e-4
    for greeks in report.greeks:
        s = greeks.underlying
        up, middle, down = worth(s, spot=2.0), worth(s), worth(s, spot=-2.0)
        assert greeks.currency == "USD"
        assert greeks.delta == pytest.approx((up - down) / 4.0, rel=5e-3)
        assert greeks.gamma == pytest.approx((up - 2 * middle + down) / 4.0, rel=2e-2)
        assert greeks.vega == pytest.approx((worth(s, vol=1e-3) - worth(s, vol=-1e-3)) / 2e-3, rel=loose)
        assert greeks.rho == pytest.approx((worth(s, rate=1e-3) - worth(s, rate=-1e-3)) / 2e-3, rel=loose)


def test_theta_is_the_change_over_a_day() -> None:
    """Against the value one calendar day on, dividends, volatilities and dates of expiry unchanged."""
    positions = book()
    vols = {p.contract.id: 0.3 for p in positions if p.contract.strike is not None}
    for parts in PARTS:

        def worth(day: int, parts: dict[str, Any] = parts) -> float:
            quotes = mc.Market(
                f"2026-11-{20 + day}T16:00:00-05:00", spot={"A": SPOT, "B": SPOT}, rate={"USD": RATE}, vol=vols,
                **{k: v for k, v in parts.items() if v is not None},
            )  # fmt: skip
            return mc.margin(positions, quotes, mc.methods.Tims(steps=800)).net_option_value

        quotes = market(vols, spot={"A": SPOT, "B": SPOT}, **parts)
        theta = sum(g.theta for g in mc.margin(positions, quotes, mc.methods.Tims(steps=800)).greeks)
        assert theta / 365 == pytest.approx((worth(1) - worth(-1)) / 2, rel=2e-2)


def test_greeks_agree_with_the_reference() -> None:
    """Its trees of 600 steps and their differences have an error of some percent in the book's sums."""
    contracts = [option("put", 95.0, 200), option("call", 107.0, 500), option("put", 100.0, 200, "european")]
    vols = smile(contracts)
    positions = [mc.Position(c, q) for c, q in zip(contracts, (-3, 5, 2), strict=True)]
    [own] = mc.margin(positions, market(vols), mc.methods.Tims()).greeks
    plain = [
        reference.Position(
            reference.Contract(
                "A", "option", multiplier=100.0, right=1 if c.right == "call" else -1, strike=c.strike or 0.0,
                years=int(c.id.split()[3]) / 365, vol=vols[c.id],
                exercise="european" if c.exercise == "european" else "american",
            ),
            max(p.quantity, 0), max(-p.quantity, 0),
        )
        for c, p in zip(contracts, positions, strict=True)
    ]  # fmt: skip
    expected = reference.greeks(plain, reference.Underlying(SPOT, RATE, 0.02), steps=600)
    assert own.delta == pytest.approx(expected.delta, rel=5e-3)
    assert own.gamma == pytest.approx(expected.gamma, rel=2e-2)
    assert own.vega == pytest.approx(expected.vega, rel=1e-2)
    assert own.rho == pytest.approx(expected.rho, rel=1e-2)


def test_greeks_of_an_option_on_a_future_and_what_is_left_out() -> None:
    future = mc.Future("A", expiry="2027-03-19", settles="am", multiplier=50, currency="USD")
    call = mc.Option(
        future.id, "call", 100.0, expiry="2027-03-19", settles="am", exercise="european", multiplier=50, currency="USD"
    )
    given = option("put", 90.0, 40)
    quotes = market({call.id: 0.25}, price={future.id: 101.0})
    tims = mc.methods.Tims(theoretical={given.id: {"profit": [0.0] * 10, "price": 1.0}})
    report = mc.margin([mc.Position(future, -2), mc.Position(call, 4), mc.Position(given, 1)], quotes, tims)
    [greeks] = report.greeks
    years = 119 / 365
    plain = mc.pricing.greeks(101.0, 100.0, years, RATE, RATE, 0.25, 1)
    assert greeks.delta == pytest.approx(50 * (4 * float(plain.delta) - 2), rel=1e-12)
    assert greeks.vega == pytest.approx(200 * float(plain.vega), rel=1e-12)
    # A rate does not move the future, only the discount.
    assert greeks.rho == pytest.approx(-200 * years * float(plain.price), rel=1e-12)
    assert greeks.excluded == (given.id,)
    assert report.to_dict()["greeks"][0]["excluded"] == [given.id]


def test_greeks_of_parts_are_summed_and_a_rulebook_without_prices_has_none() -> None:
    positions = book()
    vols = {p.contract.id: 0.3 for p in positions if p.contract.strike is not None}
    quotes = market(vols, spot={"A": SPOT, "B": SPOT})
    parts = mc.methods.Combined(
        [
            (lambda c: c.underlying == "B", mc.methods.Tims()),
            (lambda c: c.underlying == "A", mc.methods.Tims()),
        ]
    )
    together = mc.margin(positions, quotes, mc.methods.Tims()).greeks
    assert [repr(g) for g in mc.margin(positions, quotes, parts).greeks] == [repr(g) for g in together]
    stock = [mc.Position(mc.Stock("A", currency="USD"), 100)]
    assert mc.margin(stock, market(), mc.methods.RegT()).greeks == ()


def spy() -> tuple[mc.Contracts, mc.Market]:
    """The calls and puts of a real end-of-day file as contracts with their mids."""
    path = data_folder() / "chains" / "spy_20221230_greeks.csv.gz"
    if not path.exists():
        pytest.skip(f"no real chain at {path}: set MARGINCORE_DATA to the folder above")
    columns: dict[str, list[Any]] = {"expiry": [], "strike": [], "right": []}
    mids = []
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            for right, letter in (("call", "C"), ("put", "P")):
                bid, ask = (row[f"[{letter}_{side}]"] for side in ("BID", "ASK"))
                if bid.strip() and ask.strip() and float(ask) > 0.0:
                    columns["expiry"].append(row["[EXPIRE_DATE]"])
                    columns["strike"].append(float(row["[STRIKE]"]))
                    columns["right"].append(right)
                    mids.append(0.5 * (float(bid) + float(ask)))
    contracts = mc.Contracts.from_columns(
        kind="option", underlying="SPY", settles="pm", exercise="american", multiplier=100.0, currency="USD", **columns
    )
    quotes = mc.Market(
        "2022-12-30T16:00:00-05:00", spot={"SPY": 382.44}, rate={"USD": 0.043}, dividend_yield={"SPY": 0.016},
        contracts=contracts, price=np.array(mids),
    )  # fmt: skip
    return contracts, quotes


def test_a_real_american_chain_is_prepared_and_margined() -> None:
    contracts, quotes = spy()
    prepared = mc.Engine(mc.methods.Tims(no_vol="borrow")).prepare(contracts, quotes)
    assert len(contracts) > 7000
    draw = random.Random(1)
    rows = sorted(draw.sample(range(len(contracts)), 60))
    tree = mc.Engine(mc.methods.Tims(no_vol="borrow", american="tree", steps=400)).prepare(
        [contracts[i] for i in rows],
        mc.Market(
            "2022-12-30T16:00:00-05:00", spot={"SPY": 382.44}, rate={"USD": 0.043}, dividend_yield={"SPY": 0.016},
            price={contracts[i].id: _mid(quotes, i) for i in rows},
        ),
    )  # fmt: skip
    compared = 0
    for i in rows:
        position = [mc.Position(contracts[i], -1)]
        ours, theirs = prepared.margin(position), tree.margin(position)
        if "borrowed_vols" in ours.details or "borrowed_vols" in theirs.details:
            continue
        compared += 1
        # Vols are implied by each model from the same mark: 400 steps leave cents per contract of some thousands.
        scale = 1.0 + 2e-3 * abs(ours.requirement.initial)
        assert ours.requirement.initial == pytest.approx(theirs.requirement.initial, abs=scale)
    assert compared >= 40


def _mid(quotes: mc.Market, row: int) -> float:
    (_, (_, _, parts)) = quotes.__reduce__()
    return float(parts["price"][row])
