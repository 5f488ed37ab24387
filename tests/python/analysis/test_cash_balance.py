"""What must be brought, and what must stand in the account once the trades have settled: worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore._core import amount_text

VALUATION = "2026-11-20T16:00:00-05:00"
STOCK = mc.Stock("XYZ", currency="USD")


def option(right: Any, strike: float, underlying: str = "XYZ") -> mc.Contract:
    return mc.Option(
        underlying,
        right,
        strike,
        expiry="2026-12-18",
        settles="pm",
        exercise="american",
        multiplier=100,
        currency="USD",
    )


def market(spot: float, marks: dict[mc.Contract, float], **rest: Any) -> mc.Market:
    return mc.Market(VALUATION, spot={"XYZ": spot}, price={c.id: mark for c, mark in marks.items()}, **rest)


def reg_t(kind: str = "equity") -> mc.Methodology:
    return mc.methods.RegT(classes={"XYZ": kind})  # type: ignore[dict-item]


def report_of(positions: dict[mc.Contract, float], spot: float, marks: dict[mc.Contract, float]) -> mc.MarginReport:
    held = [mc.Position(c, q) for c, q in positions.items()]
    return mc.margin(held, market(spot, marks), reg_t())


def test_options_bought_need_their_cost_brought_and_no_balance() -> None:
    call, put = option("call", 65), option("put", 65)
    report = report_of({call: 5, put: 5}, 65.0, {call: 2.25, put: 2.0})  # five straddles at 4.25 cost 2,125
    assert (report.equity_required, report.cash_balance_required) == (2_125.0, 0.0)


def test_a_spread_sold_needs_its_loss_brought_and_its_width_in_cash() -> None:
    short, long = option("put", 70), option("put", 65)
    report = report_of({short: -5, long: 5}, 65.25, {short: 5.5, long: 1.75})  # sold at 3.75, five wide
    assert (report.equity_required, report.cash_balance_required) == (625.0, 2_500.0)
    # The cash brought and the premium received make the balance.
    assert report.equity_required + 5 * 375.0 == report.cash_balance_required


def test_an_iron_condor_needs_its_width_in_cash_and_less_brought() -> None:
    legs = {option("put", 4200): 1, option("put", 4300): -1, option("call", 4700): -1, option("call", 4800): 1}
    marks = dict(zip(legs, (10.0, 20.0, 14.9235, 8.0), strict=True))  # a credit of 16.9235
    report = report_of(legs, 4_500.0, marks)
    assert report.equity_required == pytest.approx(8_307.65)
    assert report.cash_balance_required == pytest.approx(10_000.0)


def test_stock_counts_at_its_mark() -> None:
    report = report_of({STOCK: 100}, 50.0, {})
    assert (report.equity_required, report.cash_balance_required) == (2_500.0, -2_500.0)
    short = report_of({STOCK: -100}, 50.0, {})
    assert short.cash_balance_required == short.equity_required + 5_000.0


def test_a_live_account_agrees_with_its_equity_and_knows_its_haircuts() -> None:
    held = mc.Account([mc.Position(STOCK, 100)], cash={"USD": 1_000.0}, collateral={"BOND": 10.0})
    known = market(50.0, {}, fx={"BOND/USD": 100.0})
    prepared = reg_t().prepare([STOCK], known)
    assert prepared.margin(held).cash_balance_required is None  # of unknown haircut
    live = prepared.open(held, haircuts={"BOND": 0.1})
    balance = live.report().cash_balance_required
    assert balance == 2_500.0 - 5_000.0 - 900.0
    assert live.excess == pytest.approx(1_000.0 - balance)  # what stands there less what must


def test_what_cannot_be_valued_is_absent() -> None:
    future = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=50, currency="USD")
    rulebook = mc.methods.SpanLike({"ES": {"price_scan": 0.06, "vol_scan": 0.25}})
    quoted = mc.Market(VALUATION, spot={"ES": 4_500.0}, price={future.id: 4_500.0})
    report = mc.margin([mc.Position(future, -1)], quoted, rulebook)
    assert report.cash_balance_required == report.equity_required  # nothing is paid in full
    unpriced = mc.Account([mc.Position(future, -1)], collateral={"BOND": 1.0})
    live = rulebook.prepare([future], quoted).open(unpriced)
    assert live.report().cash_balance_required is None
    with pytest.raises(mc.MissingData, match="BOND"):
        _ = live.equity


def test_documents_carry_it_and_old_ones_are_read() -> None:
    report = report_of({STOCK: 100}, 50.0, {})
    document = report.to_dict()
    assert document["cash_balance_required"] == -2_500.0
    assert mc.MarginReport.from_dict(document).cash_balance_required == -2_500.0
    del document["cash_balance_required"]
    old = mc.MarginReport.from_dict(document)
    assert old.cash_balance_required is None
    assert (old.initial, old.maintenance) == (report.requirement.initial, report.requirement.maintenance)
    with pytest.raises(mc.InvalidInput, match="cash_balance_required"):
        mc.MarginReport.from_dict({**document, "cash_balance_required": float("nan")})


def test_the_old_name_keeps_its_value_and_says_what_to_use() -> None:
    short, long = option("put", 70), option("put", 65)
    quoted = market(65.25, {short: 5.5, long: 1.75})
    held = [mc.Position(short, -5), mc.Position(long, 5)]
    comparison = mc.compare(held, quoted, [reg_t()])
    step = mc.margin_path([], [(long, 5), (short, -5)], quoted, reg_t()).steps[-1]
    for old in (mc.margin(held, quoted, reg_t()), comparison.outcomes[0], step):
        with pytest.warns(DeprecationWarning, match="cash_balance_required") as caught:
            assert old.cash_required == 2_500.0
        assert caught[0].filename == __file__
        assert old.cash_balance_required == 2_500.0
        assert (old.equity_required, old.initial) == (625.0, 625.0)
    stock = mc.margin([mc.Position(STOCK, 100)], market(50.0, {}), reg_t())
    with pytest.warns(DeprecationWarning, match="equity_required"):
        assert stock.cash_required == 2_500.0  # what it was: stock not counted


def test_tables_say_what_equity_must_reach_and_what_must_stand_there() -> None:
    short, long = option("put", 70), option("put", 65)
    comparison = mc.compare(
        [mc.Position(short, -5), mc.Position(long, 5)], market(65.25, {short: 5.5, long: 1.75}), [reg_t()]
    )
    header, row = comparison.rows()
    assert row[header.index("equity required")] == "625.00"
    assert row[header.index("cash balance after settlement")] == "2,500.00"
    report = comparison.outcomes[0].report
    assert report is not None
    for html in (report._repr_html_(), comparison._repr_html_()):
        assert "equity required" in html
        assert "cash balance after settlement" in html
        assert "2,500.00" in html


def test_savings_are_within_one_basis_and_one_currency() -> None:
    put = option("put", 60)
    quoted = mc.Market(VALUATION, spot={"XYZ": 65.25}, price={put.id: 1.0}, vol={put.id: 0.4}, rate={"USD": 0.05})
    comparison = mc.compare([mc.Position(put, -1)], quoted, [reg_t(), mc.methods.Tims()])
    base, other = comparison.outcomes
    for basis in ("equity_required", "cash_balance_required"):
        want = 1.0 - getattr(other, basis) / getattr(base, basis)
        assert comparison.saving(other, basis) == want
    with pytest.raises(ValueError, match="cash_balance_required"):
        comparison.saving(other, "maintenance")


def test_no_percentage_of_or_against_what_is_below_zero() -> None:
    """Stock and short puts: under one rulebook cash must stand there, under the other it may be borrowed."""
    put, stock = option("put", 60), mc.Position(STOCK, 1_000)
    quoted = mc.Market(VALUATION, spot={"XYZ": 65.25}, price={put.id: 1.0}, vol={put.id: 0.4}, rate={"USD": 0.05})
    held = [stock, mc.Position(put, -100)]
    tight = mc.methods.Tims(default_range={"down": -0.05, "up": 0.05})
    comparison = mc.compare(held, quoted, [reg_t(), tight], labels=["wide", "tight"])
    base, other = comparison.outcomes
    assert (base.cash_balance_required or 0.0) > 0.0 > (other.cash_balance_required or 0.0)
    assert comparison.saving(other) == 1.0 - (other.equity_required or 0.0) / (base.equity_required or 0.0)
    assert comparison.saving(other, "cash_balance_required") is None
    document = comparison.to_dict()["outcomes"][1]
    assert (document["saving_on_cash"], document["saving_on_equity"]) == (None, comparison.saving(other))
    balance = amount_text(other.cash_balance_required)
    why = f"tight: no saving on the cash balance after settlement: {balance} is below zero"
    assert comparison.notes == (why,)
    _, _, row = comparison.rows()
    assert row[2].endswith(" %")
    assert row[4] == ""
    assert why in str(comparison)
    assert why in comparison._repr_html_()
    assert np.isnan(mc.frames.of(comparison)["outcomes"]["saving_on_cash"][1])
    # The other way round, the baseline is the negative one.
    turned = mc.compare(held, quoted, [tight, reg_t()], labels=["tight", "wide"])
    assert turned.saving(turned.outcomes[1], "cash_balance_required") is None
    assert turned.notes == (
        f"wide: no saving on the cash balance after settlement: the baseline's {balance} is not above zero",
    )
