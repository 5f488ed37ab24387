"""What figures draw: curves that follow the prices, break-evens that are roots, points that lie on the curve."""

from __future__ import annotations

import datetime as dt
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from report_books import BOOKS, coin, condor, covered_call, futures, history, marked, option, several

import margincore as mc
from margincore.analysis.profiles import TOGETHER, profile
from margincore.analysis.sampling import roots, sampled
from margincore.analysis.scenarios import Scenarios, scenarios
from margincore.analysis.surfaces import profit_surface, requirement_curve, requirement_surface
from margincore.analysis.worth import Worth
from margincore.crypto import table

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed() -> Any:
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def drawn(ax: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in ax.get_lines()}


def said(ax: Any) -> str:
    legend = ax.get_legend()
    return " | ".join(text.get_text() for text in legend.get_texts()) if legend else ""


def worth_of(name: str) -> Worth:
    account, market, _ = BOOKS[name]()
    return Worth(account, market)


def of_root(worth: Worth, symbol: str, factors: np.ndarray, **terms: Any) -> np.ndarray:
    moving = worth.levels if symbol == TOGETHER else [symbol]
    root = None if symbol == TOGETHER else symbol
    return worth.profit(dict.fromkeys(moving, factors), root=root, **terms)


# ---- curves


PANELS = [
    ("condor", "SPX"), ("covered call", "XYZ"), ("several", "BBB"), ("several", TOGETHER), ("coin", "BTC"),
    ("futures", "ES"),
]  # fmt: skip


@pytest.mark.parametrize("at", [None, "expiry"])
@pytest.mark.parametrize(("name", "symbol"), PANELS)
def test_a_curve_follows_a_dense_repricing(name: str, symbol: str, at: Any) -> None:
    """Straight lines between the samples are within the tolerance of the range, everywhere."""
    account, market, _ = BOOKS[name]()
    found = profile(account, market, symbol, at=at)
    dense = np.linspace(found.prices[0], found.prices[-1], 4_001)
    when = None if at is None else dt.datetime.fromisoformat(found.at)
    exact = of_root(worth_of(name), symbol, dense / found.level, at=when)
    error = np.abs(np.interp(dense, found.prices, found.profits) - exact).max()
    assert error <= (1e-9 if found.exact else 1.1e-3) * np.ptp(exact)
    assert len(found.prices) <= 600


@pytest.mark.parametrize("at", [None, "expiry"])
@pytest.mark.parametrize(("name", "symbol"), PANELS)
def test_break_evens_are_roots_and_all_of_them(name: str, symbol: str, at: Any) -> None:
    account, market, _ = BOOKS[name]()
    found = profile(account, market, symbol, at=at)
    worth = worth_of(name)
    when = None if at is None else dt.datetime.fromisoformat(found.at)
    scale = np.ptp(found.profits)
    if found.break_evens:
        there = of_root(worth, symbol, np.array(found.break_evens) / found.level, at=when)
        assert np.abs(there).max() < 1e-9 * scale
    dense = np.linspace(found.prices[0], found.prices[-1], 4_000)  # even: today's price is none of them
    values = of_root(worth, symbol, dense / found.level, at=when)
    crossings = int((np.sign(values[:-1]) * np.sign(values[1:]) < 0).sum())
    assert len(found.break_evens) + (at is None) == crossings


def test_at_expiry_the_curve_is_exact_between_strikes() -> None:
    account, market, _ = condor()
    found = profile(account, market, at="expiry")
    assert found.exact
    assert found.strikes == (4200.0, 4300.0, 4700.0, 4800.0)
    assert [round(price, 9) for price in found.prices[1:-1]] == [4200.0, 4300.0, 4500.0, 4700.0, 4800.0]
    credit = float(found.profits[3])
    assert [round(x, 6) for x in found.break_evens] == [round(4300 - credit / 100, 6), round(4700 + credit / 100, 6)]
    assert found.profits[0] == pytest.approx(credit - 10_000)


def test_a_kink_between_samples_is_not_missed() -> None:
    """A butterfly of one day, a thousandth wide, in a picture of fifty percent."""
    legs = [
        (option("XYZ", "call", k, "2026-11-21", exercise="european"), q) for k, q in ((99.9, 1), (100, -2), (100.1, 1))
    ]
    market = mc.Market(
        "2026-11-20T16:00:00-05:00", spot={"XYZ": 90.0}, rate={"USD": 0.0}, vol={c.id: 0.05 for c, _ in legs}
    )
    account = mc.Account([mc.Position(c, q) for c, q in legs])
    for at in (None, "expiry"):
        found = profile(account, market, at=at, width=0.5)
        dense = np.linspace(99.5, 100.5, 2_001)
        when = dt.datetime.fromisoformat(found.at)
        exact = Worth(account, market).profit({"XYZ": dense / 90.0}, at=when)
        assert exact.max() > 1.0
        assert np.abs(np.interp(dense, found.prices, found.profits) - exact).max() < 2e-3 * exact.max()


def test_sampling_is_bounded_and_keeps_what_is_given() -> None:
    x, y = sampled(lambda x: np.sin(1e4 * x), [0.0, 0.3, 1.0], most=200)
    assert len(x) == 200
    assert 0.3 in x
    assert bool((np.diff(x) > 0).all())
    assert (y == np.sin(1e4 * x)).all()
    x, _ = sampled(lambda x: 3.0 * x, [0.0, 1.0])
    assert x.tolist() == [0.0, 1.0]


def test_a_stretch_of_zeros_has_two_ends() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    assert roots(lambda x: np.maximum(x - 2.0, 0.0), x, np.maximum(x - 2.0, 0.0)) == (0.0, 2.0)
    assert roots(np.ones_like, x, np.ones(5)) == ()


# ---- values are the rulebooks'


def test_profits_are_those_that_rulebooks_reprice() -> None:
    account, market, _ = condor()
    worth = Worth(account, market)
    [found] = scenarios(mc.margin(account, market, mc.methods.Tims()))
    factors = np.array([1.0 + float(label.split()[0]) / 100.0 for label in found.labels])
    assert worth.profit({"SPX": factors}) == pytest.approx(np.array(found.profits), rel=1e-9, abs=1e-6)
    account, market, rulebooks = coin()
    [found] = scenarios(mc.margin(account, market, rulebooks[0]))
    assert found.currency == "BTC"
    assert found.moves is not None
    factors = 1.0 + np.array(found.moves)
    plain = np.array(found.plain)
    own = Worth(account, market).profit({"BTC": factors}, currency="BTC")
    assert own[plain] == pytest.approx(np.array(found.profits)[plain], abs=1e-12)


@pytest.mark.parametrize("book", table.books(), ids=lambda book: book.name)
def test_every_crypto_example_is_drawn_on_the_points_of_its_venue(book: table.Book) -> None:
    positions, market = table.account_and_market(book)
    rulebooks = [mc.methods.Deribit(vintage="2024"), mc.methods.Deribit("standard")]
    axes = mc.plot.plot(positions, market, rulebooks)
    assert "Deribit portfolio margin: equity required" in said(axes)
    worth = Worth(mc.Account(positions), market)
    for found in scenarios(mc.margin(positions, market, rulebooks[0])):
        symbol = found.scope.partition("/")[0]
        factors = 1.0 + np.array(found.moves)
        own = worth.profit({symbol: factors}, root=symbol)
        plain = np.array(found.plain)
        assert own[plain] == pytest.approx(np.array(found.profits)[plain], rel=1e-9, abs=1e-6)


def test_profits_are_changes_of_the_engines_equity() -> None:
    """Marks repriced: what an open account gains as its market moves."""
    for name in ("covered call", "several"):
        account, market, rulebooks = BOOKS[name]()
        market = marked(account.positions, market)
        prepared = mc.Engine(rulebooks[0]).prepare([p.contract for p in account.positions], market)
        moves = [-0.1, 0.0, 0.1]
        worth = Worth(account, market)
        answers = mc.questions.moved(prepared, account, moves)
        own = worth.profit(dict.fromkeys(worth.levels, 1.0 + np.array(moves)))
        assert own == pytest.approx(answers.equity - answers.equity[1], abs=1e-6), name


def test_volatility_implied_by_a_mark_reprices_it() -> None:
    account, market, _ = covered_call()
    worth = Worth(account, market)
    assert worth.mark(account.positions[1].contract.id) == pytest.approx(1.2, abs=1e-9)
    account, market, _ = coin()
    priced = Worth(account, market)
    call = account.positions[0].contract
    parts = market.to_dict()
    vol = {name: v for name, v in parts["vol"].items() if name != call.id}
    price = {**parts["price"], call.id: priced.mark(call.id)}
    assert Worth(account, mc.Market(**{**parts, "vol": vol, "price": price})).vols[call.id] == pytest.approx(0.34)


# ---- surfaces


def test_surfaces_margin_again_at_every_place() -> None:
    account, market, rulebooks = condor()
    rulebook = rulebooks[1]
    contracts = [p.contract for p in account.positions]
    prepared = mc.Engine(rulebook).prepare(contracts, market)
    worth = Worth(account, market)
    vols = requirement_surface(prepared, account, worth, resolution=(5, 3))
    assert vols.values[1, 2] == mc.margin(account, market, rulebook).initial
    parts = market.to_dict()
    for j, step in enumerate(vols.steps):
        for i, move in enumerate(vols.moves):
            there = {
                "spot": {"SPX": 4500.0 * (1.0 + move)}, "price": {},
                "vol": {name: v * (1.0 + step) for name, v in parts["vol"].items()},
            }  # fmt: skip
            fresh = mc.margin(account, mc.Market(**{**parts, **there}), rulebook)
            assert vols.values[j, i] == pytest.approx(fresh.initial, rel=1e-12)
    time = requirement_surface(prepared, account, worth, against="time", of="maintenance", resolution=(3, 3))
    last = option("SPX", "put", 1, settles="am").expires
    at = mc.Market(**{**parts, "valuation": last, "price": {}})
    assert time.values[2, 1] == pytest.approx(mc.margin(account, at, rulebook).maintenance, rel=1e-12)
    assert time.steps[0] == 0.0
    assert not time.refused
    curve = requirement_curve(prepared, account, worth, points=5)
    assert curve.values[0].tolist() == vols.values[1].tolist()
    profit = profit_surface(worth, resolution=(5, 3))
    assert profit.values[1] == pytest.approx(worth.profit({"SPX": 1.0 + profit.moves}))
    assert profit.values[0] == pytest.approx(worth.profit({"SPX": 1.0 + profit.moves}, vol_factor=0.5))


def test_coin_surfaces_move_forwards_and_perpetuals_too() -> None:
    account, market, rulebooks = coin()
    contracts = [p.contract for p in account.positions]
    prepared = mc.Engine(rulebooks[0]).prepare(contracts, market)
    found = requirement_surface(prepared, account, Worth(account, market), resolution=(3, 3), width=0.1)
    parts = market.to_dict()
    up = {
        "spot": {"BTC": 73_700.0 * 1.1},
        "forward": [{**f, "price": f["price"] * 1.1} for f in parts["forward"]],
        "price": {"BTC-PERPETUAL": 73_710.0 * 1.1},
    }
    fresh = mc.margin(account, mc.Market(**{**parts, **up}), rulebooks[0])
    assert found.values[1, 2] == pytest.approx(fresh.initial, rel=1e-9)


def test_a_place_that_is_refused_is_empty_and_says_why() -> None:
    account, market, _ = condor()
    put = account.positions[0].contract
    parts = market.to_dict()
    marks = mc.Market(**{**parts, "vol": {}})
    rulebook = mc.methods.RegT()
    prepared = mc.Engine(rulebook).prepare([p.contract for p in account.positions], marks)
    found = requirement_surface(prepared, account, Worth(account, marks), resolution=(3, 3), width=0.1)
    assert not np.isnan(found.values).any()
    assert put.id in marks.to_dict()["price"]
    no_market = mc.Engine(history()).prepare([mc.Stock("SPX", currency="USD")], market)
    with pytest.raises(mc.MarginError):  # nothing of the account is in this table
        requirement_surface(no_market, account, Worth(account, market), resolution=(3, 3))
    ax = mc.plot.heatmap(account, market, mc.methods.Tims(), resolution=(3, 3))
    assert ax.get_title() == "initial requirement, OCC TIMS, USD"


# ---- pictures


def test_a_payoff_has_its_curves_points_and_rings() -> None:
    account, market, rulebooks = condor()
    ax = mc.plot.payoff(account, market, rulebooks, width=0.12)
    lines = drawn(ax)
    report = mc.margin(account, market, rulebooks[1])
    _, profits = lines["OCC TIMS: equity required 4,457.90 USD"]
    assert profits.tolist() == list(report.details["class_groups"]["SPX"]["profit"])
    assert "Reg T: equity required 8,307.65 USD" in lines
    assert "Deribit portfolio margin: no number" in said(ax)
    assert "at expiry, 2026-12-18; break-even 4,283.08 and 4,716.92" in said(ax)
    assert ax.get_xlim() == pytest.approx((4500 * 0.88, 4500 * 1.12))
    assert ax.get_xlabel() == "SPX (4,500 today)"


def test_several_underlyings_are_drawn_one_at_a_time_and_together() -> None:
    account, market, rulebooks = several()
    assert mc.plot.payoff(account, market, rulebooks).get_xlabel() == "all prices together"
    ax = mc.plot.payoff(account, market, rulebooks, symbol="BBB")
    assert "OCC TIMS: scenarios of BBB" in said(ax)
    with pytest.raises(mc.InvalidInput, match="AAA, BBB, CCC"):
        mc.plot.payoff(account, market, rulebooks, symbol="DDD")


def test_coin_can_be_drawn_as_it_is_paid() -> None:
    account, market, rulebooks = coin()
    dollars = mc.plot.payoff(account, market, rulebooks)
    coins = mc.plot.payoff(account, market, rulebooks, currency="BTC")
    assert dollars.get_ylabel() == "profit and loss, USD"
    assert coins.get_ylabel() == "profit and loss, BTC"
    x, y = next(v for k, v in drawn(coins).items() if k.startswith("now"))
    there, usd = next(v for k, v in drawn(dollars).items() if k.startswith("now"))
    assert np.interp(60_000.0, x, y) * 60_000.0 == pytest.approx(np.interp(60_000.0, there, usd), rel=2e-2)


def test_bars_are_the_reports_numbers() -> None:
    account, market, rulebooks = futures()
    report = mc.margin(account, market, rulebooks[0])
    ax = mc.plot.scenarios(report)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == [-loss for loss in report.details["commodities"]["ES"]["array"]]
    prepared = mc.Engine(rulebooks[0]).prepare([p.contract for p in account.positions], market)
    own = mc.attribution.attribute(prepared, account)
    ax = mc.plot.attribution(own, currency="USD")
    assert [bar.get_width() for bar in ax.patches] == [c.amount for c in own.contributions] + [own.residual, own.total]
    comparison = mc.compare(account, market, rulebooks)
    ax = mc.plot.comparison(comparison)
    assert [bar.get_width() for bar in ax.patches] == [report.equity_required, 0.0]
    assert [text.get_text() for text in ax.texts] == ["59,162.64", "not applicable"]
    account, market, rulebooks = condor()
    without = mc.margin(account, market, rulebooks[0])
    with pytest.raises(mc.NotApplicable, match="no scenarios"):
        mc.plot.scenarios(without)


def test_bars_of_two_currencies_are_refused() -> None:
    account, market, rulebooks = coin()
    comparison = mc.compare(account, market, rulebooks[:2])
    other = comparison.outcomes[0].report
    assert other is not None
    document = {**other.to_dict(), "currency": "ETH"}
    for line in document["lines"]:
        line["currency"] = "ETH"
    moved = mc.analysis.Outcome("other", mc.MarginReport.from_dict(document), None)
    with pytest.raises(mc.InvalidInput, match="BTC, ETH"):
        mc.plot.comparison(mc.Comparison((comparison.outcomes[1], moved), {}))


def test_tails_show_the_worst_days_only() -> None:
    account, market, rulebooks = BOOKS["tail"]()
    [found] = scenarios(mc.margin(account, market, rulebooks[0]))
    assert not found.complete
    assert found.worst == 0
    assert found.labels[0][:4] in ("2025", "2026")
    assert isinstance(found, Scenarios)


def test_adjusted_options_and_columns_are_refused_by_name() -> None:
    adjusted = option("MNO", "call", 40, deliverable={"shares": {"MNO": 150}})
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"MNO": 30.0}, vol={adjusted.id: 0.3}, rate={"USD": 0.05})
    with pytest.raises(mc.Unsupported, match="MNO 2026-12-18 40 call for 150 shares"):
        mc.plot.payoff([mc.Position(adjusted, 1)], market)
    stock = mc.Stock("XYZ", currency="USD")
    columns = mc.Market("2026-11-20T16:00:00-05:00", contracts=[stock], price=np.array([50.0]))
    with pytest.raises(mc.InvalidInput, match="array columns"):
        mc.plot.payoff([mc.Position(stock, 1)], columns)
    with pytest.raises(mc.InvalidInput, match="a market to move"):
        mc.plot.payoff([mc.Position(stock, 1)], None)  # type: ignore[arg-type]
    call = option("XYZ", "call", 50)
    terms: dict[str, Any] = {"spot": {"XYZ": 50.0}}
    with pytest.raises(mc.MissingData, match="no forward of 'XYZ 2026-12-18 50 call', and no rate of USD"):
        mc.plot.payoff([mc.Position(call, 1)], mc.Market("2026-11-20T16:00:00-05:00", **terms))
    terms["rate"] = {"USD": 0.05}
    with pytest.raises(mc.MissingData, match="no vol and no price"):
        mc.plot.payoff([mc.Position(call, 1)], mc.Market("2026-11-20T16:00:00-05:00", **terms))
    future = mc.Future("ES", expiry="2026-12-18", settles="am", multiplier=50, currency="USD")
    with pytest.raises(mc.MissingData, match="no price of 'ES' to move"):
        mc.plot.payoff([mc.Position(future, 1)], mc.Market("2026-11-20T16:00:00-05:00", **terms))


def test_heat_maps_take_other_colours_and_axes() -> None:
    import matplotlib.pyplot as plt

    account, market, rulebooks = covered_call()
    _, ax = plt.subplots()
    assert mc.plot.heatmap(account, market, against="time", resolution=(5, 3), cmap="viridis", ax=ax) is ax
    ax = mc.plot.requirement(account, market, rulebooks, points=5)
    lines = drawn(ax)
    assert lines["Reg T"][1][2] == pytest.approx(mc.margin(account, market, rulebooks[0]).initial, rel=1e-9)
    with pytest.raises(mc.InvalidInput, match="resolution"):
        mc.plot.heatmap(account, market, resolution=(4, 3))


def test_parts_of_a_combined_rulebook_keep_their_currencies() -> None:
    account, market, rulebooks = coin()
    stock = mc.Stock("AAA", currency="USD")
    parts = market.to_dict()
    both = mc.methods.Combined([
        (lambda c: c.underlying == "AAA", mc.methods.Tims()), (lambda c: c.underlying == "BTC", rulebooks[0])
    ])  # fmt: skip
    more = mc.Market(**{**parts, "spot": {**parts["spot"], "AAA": 50.0}, "fx": {"BTC/USD": 73_700.0}})
    held = [*account.positions, mc.Position(stock, 100)]
    tims, coins = scenarios(mc.margin(held, more, both))
    assert (tims.scope, tims.currency, tims.profits[tims.worst]) == ("OCC TIMS: AAA", "USD", -750.0)
    [alone] = scenarios(mc.margin(account, market, rulebooks[0]))
    assert (coins.scope, coins.currency) == ("Deribit portfolio margin: BTC", "BTC")
    assert coins.profits == alone.profits
    ax = mc.plot.payoff(held, more, [both], symbol="BTC", currency="BTC")
    _, profits = drawn(ax)["Combined: scenarios of Deribit portfolio margin: BTC"]
    assert set(profits.tolist()) <= set(alone.profits)


def test_a_picture_reaches_as_far_as_a_rulebook_moves_the_price() -> None:
    stock = mc.Stock("XYZ", currency="USD")
    market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    wide = mc.methods.Tims(default_range={"down": -0.45, "up": 0.45})
    ax = mc.plot.plot([mc.Position(stock, 100)], market, [wide])
    assert ax.get_xlim() == pytest.approx((50.0 * 0.53, 50.0 * 1.47))
    _, profits = drawn(ax)["OCC TIMS: equity required 2,250.00 USD"]
    assert profits.min() == -2_250.0
    assert len(profits) == 10
    with pytest.raises(mc.NotApplicable, match="at least one rulebook"):
        mc.plot.plot([mc.Position(stock, 100)], market, [])
