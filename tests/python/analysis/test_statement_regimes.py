"""Statements of portfolio margin and futures accounts, and of accounts whose rules on calls nobody knows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import margincore as mc
from margincore.analysis.statements import STRESS, open_trade_equity, pretrade_cost

VALUATION = "2026-11-18T16:00:00-05:00"
LEGS = [("put", 4200, +1, 0.193), ("put", 4300, -1, 0.169), ("call", 4700, -1, 0.133), ("call", 4800, +1, 0.124)]
OPTIONS = [
    mc.Option(
        "SPX", right, strike, expiry="2026-12-18", settles="am", exercise="european", multiplier=100, currency="USD"
    )
    for right, strike, _, _ in LEGS
]
FUND, IBM = mc.Etf("FUND", currency="USD"), mc.Stock("IBM", currency="USD")
MARKET = mc.Market(
    VALUATION,
    spot={"SPX": 4500.0, "FUND": 400.0, "IBM": 200.0},
    rate={"USD": 0.05},
    dividend_yield={"SPX": 0.015},
    vol={o.id: leg[3] for o, leg in zip(OPTIONS, LEGS, strict=True)},
)
GROUPS = mc.methods.Tims(
    products={"FUND": {"class_group": "FUND", "factor": 1.0}},
    class_groups={"SPX": {"product_group": "BROAD"}, "FUND": {"product_group": "BROAD"}},
    product_groups={"BROAD": {"offset": 0.9}},
)


def condor(cash: float, **terms: Any) -> mc.Statement:
    positions = [mc.Position(o, leg[2]) for o, leg in zip(OPTIONS, LEGS, strict=True)]
    account = mc.Account([*positions, mc.Position(FUND, -30), mc.Position(IBM, 100)], cash={"USD": cash})
    return mc.statement(account, MARKET, terms.pop("rules", GROUPS), **{"monitoring": "real_time", **terms})


def absent(page: mc.Statement) -> dict[str, str]:
    return {a.what: a.because for a in page.absent}


def test_the_groups_are_a_tree_with_ten_points_each() -> None:
    page = condor(200_000.0)
    assert page.regime == "portfolio_margin"
    assert page.portfolio is not None
    groups = page.portfolio.groups
    names = [(g.level, g.name, g.within) for g in groups]
    assert names.index(("product group", "BROAD", groups[0].name)) < names.index(("class group", "SPX", "BROAD"))
    assert all(len(g.points) == len(g.profit) == 10 for g in groups)
    by_name = {(g.level, g.name): g for g in groups}
    spx, fund = by_name["class group", "SPX"], by_name["class group", "FUND"]
    product = by_name["product group", "BROAD"]
    for own, a, b in zip(product.profit, spx.profit, fund.profit, strict=True):
        assert own == pytest.approx(sum(p if p < 0 else 0.9 * p for p in (a, b)))
    assert product.worst == product.points[product.profit.index(min(product.profit))]
    assert spx.minimum == 150.0
    assert sum(g.requirement for g in groups if g.level == "portfolio group") == pytest.approx(page.initial)


def test_stress_lies_beyond_the_points_and_is_stored() -> None:
    page = condor(200_000.0)
    assert page.portfolio is not None
    assert page.equity is not None
    rows = page.portfolio.stress
    assert tuple(row.move for row in rows) == STRESS
    assert all(row.equity - row.change == pytest.approx(page.equity.total) for row in rows)
    assert all(row.excess == row.equity - row.requirement for row in rows)
    crash = rows[0]
    by_hand = 100 * 200.0 * -0.3 - 30 * 400.0 * -0.3
    assert crash.change - by_hand == pytest.approx(-10_000.0 + 1_692.35, abs=60.0)  # the put spread at its width
    assert [row["move"] for row in page.to_dict()["portfolio"]["stress"]] == list(STRESS)
    assert condor(200_000.0, moves=(-0.5,)).portfolio.stress[0].move == -0.5  # type: ignore[union-attr]
    with pytest.raises(mc.InvalidInput, match=r"moves\[0\]"):
        condor(200_000.0, moves=(float("nan"),))


def test_leverage_is_positions_over_equity() -> None:
    page = condor(200_000.0)
    assert page.portfolio is not None
    assert page.equity is not None
    options = [abs(mc.Engine(GROUPS).prepare([o], MARKET).open([mc.Position(o, 1)]).equity) for o in OPTIONS]
    assert page.portfolio.gross == pytest.approx(sum(options) + 30 * 400.0 + 100 * 200.0)
    assert page.portfolio.leverage == pytest.approx(page.portfolio.gross / page.equity.total)
    assert condor(-20_000.0).portfolio.leverage is None  # type: ignore[union-attr]


def test_a_deficiency_has_three_business_days_and_lets_only_hedges_in() -> None:
    page = condor(0.0)
    (call,) = page.calls
    assert (call.kind, call.due_on) == ("portfolio_margin", dt.date(2026, 11, 23))
    assert call.left == pytest.approx(-(page.maintenance_excess or 0.0))
    assert page.reducing_only
    assert [r.what for r in page.restrictions] == [
        "reducing orders only", "no new positions that need more margin, but hedges",
    ]  # fmt: skip
    later = condor(-500.0, date="2026-11-24", carried=page.carry())
    assert later.calls[0].due_on == dt.date(2026, 11, 23)
    assert later.calls[0].overdue("2026-11-24")
    assert "OVERDUE" in str(later).upper()


def test_the_minimum_of_portfolio_margin_depends_on_how_it_is_watched() -> None:
    assert condor(105_000.0).reducing_only is False
    assert condor(105_000.0, monitoring="other").reducing_only is True
    page = condor(105_000.0, monitoring=None)
    assert page.minimum is None
    assert "monitoring" in absent(page)["minimum equity"]
    assert condor(105_000.0, house_minimum=110_000.0).minimum.source == "given"  # type: ignore[union-attr]
    listed = {"expiry": "2026-12-18", "settles": "pm", "exercise": "european", "multiplier": 100, "currency": "USD"}
    otc = mc.Option("IBM", "call", 210, listed=False, **listed)  # type: ignore[arg-type]
    market = mc.Market(VALUATION, spot={"IBM": 200.0}, rate={"USD": 0.05}, vol={otc.id: 0.3})
    account = mc.Account([mc.Position(otc, 1)], cash={"USD": 1e6})
    assert mc.statement(account, market, mc.methods.Tims()).minimum.required == 5_000_000.0  # type: ignore[union-attr]


def test_portfolio_margin_has_no_single_buying_power() -> None:
    page = condor(200_000.0)
    assert page.buying_power == ()
    assert "max_quantity" in absent(page)["buying power"]
    assert page.sma is None
    assert page.carry().sma is None


def test_options_quoted_by_price_only_are_stressed_at_the_vol_their_price_implies() -> None:
    put = mc.Option(
        "IBM", "put", 190, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100, currency="USD"
    )
    market = mc.Market(VALUATION, spot={"IBM": 200.0}, rate={"USD": 0.05}, price={put.id: 3.0})
    page = mc.statement(
        mc.Account([mc.Position(put, -1)], cash={"USD": 2e5}), market, mc.methods.Tims(), monitoring="other"
    )
    assert page.portfolio is not None
    assert [stress.move for stress in page.portfolio.stress] == list(STRESS)
    losses = [stress.change for stress in page.portfolio.stress]
    assert losses == sorted(losses)  # a short put: the lower, the worse
    assert "stress" not in absent(page)


# ---- futures


FUTURE = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=50, currency="USD")
CALL = mc.Option(
    FUTURE.id,
    "call",
    6700,
    expiry="2026-12-18",
    settles="am",
    exchange="cme",
    exercise="european",
    multiplier=50,
    currency="USD",
)
ES = mc.Market(VALUATION, spot={"ES": 6_600.0}, price={FUTURE.id: 6_610.0}, vol={CALL.id: 0.2}, rate={"USD": 0.04})
SPAN = mc.methods.SpanLike({"ES": {"price_scan": 0.06, "vol_scan": 0.25}})


def futures(cash: float, **terms: Any) -> mc.Statement:
    account = mc.Account([mc.Position(FUTURE, 2), mc.Position(CALL, -1)], cash={"USD": cash})
    return mc.statement(account, ES, SPAN, **terms)


def test_option_value_is_inside_or_outside_and_never_mixed() -> None:
    page = futures(50_000.0, open_trade_equity={"USD": 1_000.0}, initial_ratio=1.1)
    own = page.futures
    assert own is not None
    assert page.equity is not None
    assert own.option_value < 0.0
    assert own.equity == page.equity.total == pytest.approx(51_000.0 + own.option_value)
    assert own.cash_and_open_trade_equity == pytest.approx(51_000.0)
    assert own.equity - own.risk == pytest.approx(own.cash_and_open_trade_equity - own.risk_less_option_value)
    assert own.initial == page.initial == pytest.approx(1.1 * own.risk)
    assert page.initial_excess == pytest.approx(page.equity.total - 1.1 * page.report.maintenance)
    # What must stand in cash: risk less what the positions are worth.
    assert page.cash_balance_required == pytest.approx(own.initial - own.option_value - 1_000.0)


def test_a_futures_call_restores_the_initial_requirement() -> None:
    full = futures(50_000.0, initial_ratio=1.1)
    assert full.equity is not None
    spare = full.equity.total - full.maintenance
    between = futures(50_000.0 - spare + 100.0, initial_ratio=1.1)
    assert between.calls == ()  # below initial, above maintenance: no call
    assert (between.initial_excess or 0.0) < 0.0
    below = futures(50_000.0 - spare - 100.0, initial_ratio=1.1)
    (call,) = below.calls
    assert (call.kind, call.due_on) == ("futures", None)
    assert call.left == pytest.approx(100.0 + 0.1 * below.maintenance)


def test_futures_terms_that_are_not_stated_are_named() -> None:
    said = absent(futures(50_000.0))
    assert {"open trade equity", "customers' initial requirement", "pre-trade credit"} <= set(said)
    with pytest.raises(mc.InvalidInput, match=r"initial_ratio is 0\.9"):
        futures(50_000.0, initial_ratio=0.9)


def test_the_pre_trade_credit_is_a_named_figure() -> None:
    page = futures(50_000.0, open_trade_equity={"USD": 1_000.0}, premiums=(-400.0, 250.0))
    own = page.futures
    assert own is not None
    assert own.pretrade == pytest.approx(own.risk_less_option_value - 1_000.0 - 400.0 + 250.0)
    assert own.pretrade == pretrade_cost(own.risk_less_option_value, 1_000.0, -400.0, 250.0)


def test_open_trade_equity_is_what_the_engine_settles() -> None:
    prepared = mc.Engine(SPAN).prepare([FUTURE, CALL], ES)
    positions = [mc.Position(FUTURE, -2), mc.Position(CALL, 1)]
    assert open_trade_equity(positions, {FUTURE.id: 6_600.0}, prepared) == {"USD": -1_000.0}
    with pytest.raises(mc.MissingData, match=FUTURE.id):
        open_trade_equity(positions, {}, prepared)


# ---- others


def test_a_rulebook_without_known_rules_on_calls_says_what_it_can() -> None:
    perpetual = mc.Perpetual("BTC", multiplier=1, currency="USDC", lot=0.1)
    market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 9e4}, price={perpetual.id: 9e4}, fx={"USDC/USD": 1.0})
    account = mc.Account([mc.Position(perpetual, 1)], cash={"USDC": 5_000.0})
    page = mc.statement(account, market, mc.methods.Deribit())
    assert page.regime is None
    assert page.calls == ()
    assert "give regime" in absent(page)["calls"]
    assert (page.initial_excess or 0.0) < 0.0
    assert "-- calls" not in str(page)


def test_a_market_maker_s_haircut_is_not_a_customer_s_portfolio_margin() -> None:
    rules = mc.methods.Tims("occ-rbh-market-maker", products={"FUND": {"class_group": "FUND", "factor": 1.0}})
    assert condor(200_000.0, rules=rules).regime is None
    assert condor(200_000.0, rules=rules, regime="portfolio_margin").portfolio


def test_without_a_market_the_day_is_asked_for() -> None:
    array = [0, 0, -10, -10, 10, 10, -20, -20, 20, 20, -30, -30, 30, 30, -29.7, 29.7]
    rules = mc.methods.Span.from_document(
        {
            "extreme": [3.0, 0.33],
            "contracts": [{"product": "X", "kind": "FUT", "period": "202612", "commodity": "X", "array": array}],
            "commodities": [{"code": "X", "currency": "USD"}],
        }
    )
    future = mc.Future(
        "X", expiry="2026-12-18T16:00:00Z", multiplier=1, currency="USD", id=mc.methods.span.contract_id("X", "202612")
    )
    account = mc.Account([mc.Position(future, -2)], cash={"USD": 50.0})
    page = mc.statement(account, None, rules)
    assert page.regime == "futures"
    assert [c.left for c in page.calls] == [10.0]
    assert "give date" in absent(page)["dates"]
    with pytest.raises(mc.MissingData, match="give date"):
        page.carry()
    assert mc.statement(account, None, rules, date="2026-11-20").carry().calls[0].made_on == dt.date(2026, 11, 20)
