"""Exercise, assignment, expiry and dividends, worked by hand, and against the reference arithmetic."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import margincore as mc
from margincore import events
from margincore.reference import events as reference

VALUATION = "2026-11-20T16:00:00-05:00"
ON = "2026-12-18"
STOCK = mc.Stock("XYZ", currency="USD")
REG_T = mc.methods.RegT(classes={"XYZ": "equity"})
FUTURE = mc.Future("ES", expiry="2027-03-19", settles="am", exchange="cme", multiplier=50, currency="USD")


def option(right: Any, strike: float, exercise: Any = "american", underlying: str = "XYZ", **terms: Any) -> mc.Contract:
    given = {"expiry": ON, "settles": "pm", "multiplier": 100, "currency": "USD", **terms}
    return mc.Option(underlying, right, strike, exercise=exercise, **given)


def market(spot: float, marks: dict[mc.Contract, float] | None = None, **rest: Any) -> mc.Market:
    price = {c.id: mark for c, mark in (marks or {}).items()}
    return mc.Market(VALUATION, **{"spot": {"XYZ": spot}, "price": price, **rest})


def book(positions: dict[mc.Contract, float], cash: float = 0.0) -> mc.Account:
    return mc.Account([mc.Position(c, q) for c, q in positions.items()], cash={"USD": cash})


def held(account: mc.Account) -> dict[str, float]:
    return {p.contract.id: p.quantity for p in account.positions}


# ---- exercise and assignment


def test_a_covered_call_that_is_assigned_leaves_the_strike_in_cash() -> None:
    call = option("call", 50.0)
    start = book({STOCK: 300, call: -2})
    done = events.assignment(start, market(55.0, {call: 5.5}), REG_T, call, 2)
    assert held(done.account) == {"XYZ": 100.0}
    assert done.account.cash == {"USD": 10_000.0}
    assert done.moved == {call.id: 2.0, "XYZ": -200.0}
    # 16,500 of stock less 1,100 of calls; then 100 shares at 55 and 10,000: the time value of 0.50 is ours.
    assert (done.equity_before, done.equity) == (15_400.0, 15_500.0)
    assert done.after.initial == 0.5 * 5_500.0
    assert done.excess == 15_500.0 - 2_750.0
    assert done.change.initial == done.after.initial - done.before.initial
    assert done.call == 0.0


def test_a_long_put_is_exercised_with_the_shares_and_without_them() -> None:
    put = option("put", 50.0)
    quotes = market(45.0, {put: 5.25})
    done = events.exercise(book({STOCK: 100, put: 1}), quotes, REG_T, put, 1)
    assert (held(done.account), done.account.cash) == ({}, {"USD": 5_000.0})
    assert done.after.initial == 0.0
    short = events.exercise(book({put: 2}, 4_000.0), quotes, REG_T, put.id, 1, contracts=[STOCK])
    assert held(short.account) == {put.id: 1.0, "XYZ": -100.0}
    assert short.account.cash == {"USD": 9_000.0}


def test_american_options_may_be_exercised_early_and_european_ones_only_on_their_date() -> None:
    put = option("put", 50.0, "european")
    early = market(45.0, {put: 4.8})
    with pytest.raises(mc.NotApplicable, match=f"is European: not exercised before {ON}"):
        events.exercise(book({put: 1}), early, REG_T, put, 1, contracts=[STOCK])
    late = mc.Market("2026-12-18T12:00:00-05:00", spot={"XYZ": 45.0}, price={put.id: 5.0})
    assert events.exercise(book({put: 1}), late, REG_T, put, 1, contracts=[STOCK]).cash == {"USD": 5_000.0}


@pytest.mark.parametrize("quantity", [0, -1, 3, float("nan"), True, "1"])
def test_more_than_is_held_or_no_number_is_refused(quantity: Any) -> None:
    put = option("put", 50.0)
    with pytest.raises(mc.InvalidInput, match="the account is long 2 of them"):
        events.exercise(book({put: 2}), market(45.0, {put: 5.2}), REG_T, put, quantity, contracts=[STOCK])


def test_the_other_side_or_another_contract_is_refused() -> None:
    put = option("put", 50.0)
    quotes = market(45.0, {put: 5.2})
    with pytest.raises(mc.InvalidInput, match="the account is short 0 of them"):
        events.assignment(book({put: 2}), quotes, REG_T, put, 1, contracts=[STOCK])
    with pytest.raises(mc.InvalidInput, match="holds no option 'XYZ'"):
        events.exercise(book({STOCK: 2}), quotes, REG_T, "XYZ", 1)


def test_what_an_option_delivers_is_not_guessed() -> None:
    put = option("put", 50.0)
    quotes = market(45.0, {put: 5.2})
    with pytest.raises(mc.MissingData, match="does not say whether it settles in cash") as refused:
        events.exercise(book({put: 1}), quotes, REG_T, put, 1)
    assert (refused.value.code, refused.value.where) == ("not_stated", put.id)
    odd = option("call", 40.0, deliverable={"shares": {"XYZ": 50, "NEW": 20}})
    quotes = mc.Market(VALUATION, spot={"XYZ": 45.0, "NEW": 9.0}, price={odd.id: 5.2})
    rules = mc.methods.RegT(classes={"XYZ": "equity", "NEW": "equity"})
    with pytest.raises(mc.MissingData, match=r"delivers NEW: say what that is, contracts="):
        events.exercise(book({odd: 1, STOCK: 1}), quotes, rules, odd, 1)


def test_an_adjusted_option_delivers_what_is_stated_with_cash_in_lieu() -> None:
    """A 1-for-3 reverse split of a call at 10: 33 shares, a third of one in cash at 30, for 1,000."""
    call = option("call", 10.0, deliverable={"shares": {"XYZ": 33}, "cash": 10.0})
    tims = mc.methods.Tims()
    quotes = market(36.0, {call: 2.0}, rate={"USD": 0.04}, vol={call.id: 0.4})
    terms = {"contracts": [STOCK]}
    done = events.exercise(book({call: 2}), quotes, tims, call, 2, **terms)
    assert done.moved == {call.id: -2.0, "XYZ": 66.0}
    assert done.cash == {"USD": 2 * (10.0 - 1_000.0)}
    # At expiry 33 shares at 30 and 10 are worth the 1,000 paid: at the money, nothing is exercised.
    flat = events.expiry(book({call: 2}), quotes, tims, ON, {"XYZ": 30.0}, **terms)
    assert (flat.moved, flat.cash) == ({call.id: -2.0}, {})
    up = events.expiry(book({call: 2}), quotes, tims, ON, {"XYZ": 30.04}, **terms)  # 1.32 over 1,000
    assert up.moved == {call.id: -2.0, "XYZ": 66.0}
    whole = option("call", 10.0, deliverable={"shares": {"XYZ": 33.3}})
    quotes = market(36.0, {whole: 2.0}, rate={"USD": 0.04}, vol={whole.id: 0.4})
    with pytest.raises(mc.InvalidInput, match="cash in lieu of a fraction"):
        events.exercise(book({whole: 1}), quotes, tims, whole, 1, **terms)


def test_an_american_option_on_an_index_pays_its_intrinsic_value() -> None:
    call = option("call", 1_000.0, underlying="OEX", deliverable="cash")
    own = mc.Market(VALUATION, spot={"OEX": 1_030.0}, price={call.id: 45.0})
    reg_t = mc.methods.RegT(classes={"OEX": "broad_index"})
    done = events.assignment(book({call: -1}, 50_000.0), own, reg_t, call, 1)
    assert (done.cash, held(done.account)) == ({"USD": -3_000.0}, {})


def test_accounts_that_keep_long_and_short_apart_are_refused() -> None:
    put = option("put", 50.0)
    gross = mc.Account([mc.Position(put, long=1, short=1)], gross=True)
    with pytest.raises(mc.Unsupported, match="long and short apart"):
        events.exercise(gross, market(45.0, {put: 5.2}), REG_T, put, 1)


# ---- expiry


def test_an_index_condor_settles_in_cash() -> None:
    legs = {("put", 4200.0): 1, ("put", 4300.0): -1, ("call", 4700.0): -1, ("call", 4800.0): 1}
    own = {
        option(right, strike, "european", "SPX", settles="am", deliverable="cash"): q
        for (right, strike), q in legs.items()
    }
    quotes = mc.Market(VALUATION, spot={"SPX": 4500.0}, price={c.id: 10.0 for c in own})
    for settled, paid in ((4500.0, 0.0), (4250.0, -5_000.0), (4100.0, -10_000.0), (4712.34, -1_234.0)):
        done = events.expiry(book(own, 20_000.0), quotes, mc.methods.RegT(), ON, {"SPX": settled})
        assert held(done.account) == {}
        assert done.account.cash["USD"] == pytest.approx(20_000.0 + paid)
        assert done.equity == pytest.approx(20_000.0 + paid)
        assert (done.after.initial, done.after.maintenance) == (0.0, 0.0)


@pytest.mark.parametrize(("settled", "exercised"), [(50.0, False), (50.009, False), (50.01, True), (50.02, True)])
def test_a_cent_in_the_money_is_exercised(settled: float, exercised: bool) -> None:
    call = option("call", 50.0)
    done = events.expiry(book({call: 1}, 6_000.0), market(50.0, {call: 1.0}), REG_T, ON, {"XYZ": settled},
                         contracts=[STOCK])  # fmt: skip
    assert held(done.account) == ({"XYZ": 100.0} if exercised else {})
    assert done.cash == ({"USD": -5_000.0} if exercised else {})
    assert done.equity == pytest.approx(6_000.0 + (100 * settled - 5_000.0 if exercised else 0.0))


def test_the_threshold_and_instructions_change_what_is_exercised() -> None:
    call = option("call", 50.0)
    asked = {"on": ON, "prices": {"XYZ": 50.5}, "contracts": [STOCK]}
    quotes = market(50.0, {call: 1.0})
    assert held(events.expiry(book({call: 4}), quotes, REG_T, threshold=0.75, **asked).account) == {}  # type: ignore[arg-type]
    told = events.expiry(book({call: 4}), quotes, REG_T, instructions={call.id: 1}, **asked)  # type: ignore[arg-type]
    assert held(told.account) == {"XYZ": 100.0}
    assert f"{call.id}: 1 exercised as instructed" in told.assumptions
    for wrong in ({call.id: 5}, {call.id: "1"}, {"other": 1}):
        with pytest.raises(mc.InvalidInput, match="instructions for"):
            events.expiry(book({call: 4}), quotes, REG_T, instructions=wrong, **asked)  # type: ignore[arg-type]


def test_options_of_other_dates_stay_and_are_repriced() -> None:
    near, far = option("call", 50.0), option("call", 50.0, expiry="2027-01-15")
    quotes = market(50.0, {near: 1.0, far: 2.0}, rate={"USD": 0.04}, vol={far.id: 0.3})
    done = events.expiry(book({near: -1, far: 1}, 5_000.0), quotes, REG_T, ON, {"XYZ": 52.0}, contracts=[STOCK])
    assert held(done.account) == {far.id: 1.0, "XYZ": -100.0}
    mark = float(mc.pricing.price(52.0, 50.0, 28 / 365, 0.04, 0.0, 0.3, "call", "american"))
    assert done.equity == pytest.approx(10_000.0 - 5_200.0 + 100 * mark)
    assert done.market.valuation.startswith("2026-12-18T16:00:00")
    # Short stock at 52 and a long call: 50 % of the stock, and the call in full, on equity.
    own = mc.Market(done.market.valuation, spot={"XYZ": 54.0}, price={far.id: 4.5})
    chosen = events.expiry(book({near: -1, far: 1}, 5_000.0), quotes, REG_T, ON, {"XYZ": 52.0}, contracts=[STOCK],
                           after=own)  # fmt: skip
    assert chosen.equity == pytest.approx(10_000.0 - 5_400.0 + 450.0)


def test_an_option_on_a_future_becomes_the_future() -> None:
    call = option("call", 4500.0, underlying=FUTURE.id, exchange="cme", multiplier=50)
    quotes = mc.Market(VALUATION, price={FUTURE.id: 4550.0, call.id: 80.0}, rate={"USD": 0.04}, vol={call.id: 0.2})
    tims = mc.methods.Tims()
    done = events.expiry(book({FUTURE: 1, call: -3}, 90_000.0), quotes, tims, ON, {FUTURE.id: 4580.0})
    assert held(done.account) == {FUTURE.id: -2.0}
    # The future held gains 30 points; three futures sold at 4500 settle to 4580.
    assert done.cash == {"USD": 50 * 30.0 - 3 * 50 * 80.0}
    assert done.market.to_dict()["price"][FUTURE.id] == 4580.0
    early = events.assignment(book({FUTURE: 1, call: -3}, 90_000.0), quotes, tims, call, 1)
    assert held(early.account) == {call.id: -2.0}
    assert early.cash == {"USD": -50 * 50.0}


def test_an_option_and_its_future_of_one_day_leave_cash() -> None:
    future = mc.Future("ES", expiry=ON, settles="am", exchange="cme", multiplier=50, currency="USD")
    put = option("put", 4600.0, underlying=future.id, settles="am", exchange="cme", multiplier=50)
    quotes = mc.Market(VALUATION, price={future.id: 4550.0, put.id: 90.0}, rate={"USD": 0.04}, vol={put.id: 0.2})
    done = events.expiry(book({future: 3, put: 1}), quotes, mc.methods.Tims(), ON, {future.id: 4500.0})
    assert held(done.account) == {}
    assert done.cash == {"USD": 3 * 50 * -50.0 + 50 * 100.0}


def test_what_is_needed_for_an_expiry_is_named() -> None:
    call = option("call", 50.0)
    quotes = market(50.0, {call: 1.0})
    with pytest.raises(mc.MissingData, match=r"no settlement price of 'XYZ': give prices="):
        events.expiry(book({call: 1}), quotes, REG_T, ON, {}, contracts=[STOCK])
    with pytest.raises(mc.InvalidInput, match=f"expires on 2026-12-11: its dates are {ON}"):
        events.expiry(book({call: 1}), quotes, REG_T, "2026-12-11", {"XYZ": 50.0}, contracts=[STOCK])
    with pytest.raises(mc.InvalidInput, match="is no date"):
        events.expiry(book({call: 1}), quotes, REG_T, "soon", {"XYZ": 50.0})
    with pytest.raises(mc.InvalidInput, match="a positive number is needed"):
        events.expiry(book({call: 1}), quotes, REG_T, ON, {"XYZ": -1.0}, contracts=[STOCK])


def test_a_consequence_is_a_document() -> None:
    call = option("call", 50.0)
    done = events.expiry(book({call: 1}, 6_000.0), market(50.0, {call: 1.0}), REG_T, ON, {"XYZ": 51.0},
                         contracts=[STOCK])  # fmt: skip
    written = json.loads(json.dumps(done.to_dict()))
    assert written["positions"] == {"XYZ": 100.0}
    assert written["excess"] == done.equity - done.report.initial
    assert mc.MarginReport.from_dict(written["report"]).initial == done.after.initial


# ---- the scan


def pinned(cash: float, methodology: mc.Methodology = REG_T) -> events.ExpiryScan:
    short, long = option("put", 100.0), option("put", 95.0)
    quotes = market(101.0, {short: 2.2, long: 0.8})
    return events.expiry_scan(book({short: -10, long: 10}, cash), quotes, methodology, ON, contracts=[STOCK])


def test_a_put_spread_between_its_strikes_is_long_shares() -> None:
    scan = pinned(8_000.0)
    at = {p.price: p for p in scan.by_the_rule}
    # Above: nothing. Between: 1,000 shares bought at 100. Below: bought at 100, sold at 95.
    assert (at[101.0].equity, at[101.0].maintenance, dict(at[101.0].moved)) == (8_000.0, 0.0, {})
    assert at[97.5].moved == {"XYZ": 1_000.0}
    assert at[97.5].equity == pytest.approx(8_000.0 - 100_000.0 + 97_500.0)
    assert at[97.5].maintenance == pytest.approx(0.25 * 97_500.0)
    assert at[97.5].call == pytest.approx(24_375.0 - 5_500.0)
    assert (at[94.99].equity, dict(at[94.99].moved)) == (3_000.0, {})
    assert scan.calls == ((95.0, 99.99),)
    assert scan.strikes == (95.0, 100.0)


def test_pinned_at_its_own_strike_the_short_is_assigned_alone() -> None:
    [alone] = pinned(8_000.0).pinned
    assert (alone.price, alone.case, dict(alone.moved)) == (100.0, "assigned at the strike", {"XYZ": 1_000.0})
    assert (alone.equity, alone.initial, alone.maintenance, alone.call) == (8_000.0, 50_000.0, 25_000.0, 17_000.0)


def test_the_edge_of_a_call_is_found_to_a_cent() -> None:
    put = option("put", 100.0)
    scan = events.expiry_scan(book({put: -1}, 2_700.0), market(101.0, {put: 2.2}), REG_T, ON, contracts=[STOCK])
    # 2,700 - 10,000 + 100 p = 25 p at p = 97.333...
    [(low, high)] = scan.calls
    assert low == scan.points[0].price
    assert high == pytest.approx(97.3333, abs=0.01)
    assert high < 97.3334


def test_a_scan_of_several_underlyings_takes_the_prices_of_the_others() -> None:
    other = mc.Stock("ABC", currency="USD")
    ours, theirs = option("call", 50.0), option("call", 20.0, underlying="ABC")
    quotes = mc.Market(VALUATION, spot={"XYZ": 50.0, "ABC": 20.0}, price={ours.id: 1.0, theirs.id: 1.0})
    reg_t = mc.methods.RegT(classes={"XYZ": "equity", "ABC": "equity"})
    own = book({ours: -1, theirs: 1}, 50_000.0)
    with pytest.raises(mc.InvalidInput, match=r"options on ABC, XYZ expire: name one"):
        events.expiry_scan(own, quotes, reg_t, ON, contracts=[STOCK, other])
    with pytest.raises(mc.MissingData, match="no settlement price of 'ABC'"):
        events.expiry_scan(own, quotes, reg_t, ON, symbol="XYZ", contracts=[STOCK, other])
    scan = events.expiry_scan(own, quotes, reg_t, ON, symbol="XYZ", prices={"ABC": 25.0}, contracts=[STOCK, other])
    assert all(p.moved["ABC"] == 100.0 for p in scan.points)
    assert scan.strikes == (50.0,)


def test_a_scan_has_a_table_and_a_document() -> None:
    scan = pinned(8_000.0)
    rows = str(scan).splitlines()
    assert len(rows) == len(scan.points) + 1
    assert any("+1,000 XYZ (assigned at the strike)" in row for row in rows)
    written = json.loads(json.dumps(scan.to_dict()))
    assert written["calls"] == [[95.0, 99.99]]
    assert len(written["points"]) == len(scan.points)
    assert [p["price"] for p in written["points"]] == sorted(p["price"] for p in written["points"])


def test_a_scan_has_a_picture() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from margincore.analysis.plot import plot_expiry

    axes = plot_expiry(pinned(8_000.0))
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"call", "strikes", "equity", "maintenance requirement"} <= set(labels)
    assert any("assigned alone at their strike: a call" in label for label in labels)


# ---- dividends


def test_a_dividend_is_received_for_long_and_owed_for_short() -> None:
    for quantity in (100, -100):
        done = events.ex_dividend(book({STOCK: quantity}, 8_000.0), market(50.0), REG_T, "XYZ", 0.75)
        assert done.cash == {"USD": quantity * 0.75}
        assert done.equity == done.equity_before  # the price falls by it
        assert done.market.spot == {"XYZ": 49.25}
    stays = events.ex_dividend(book({STOCK: -100}, 8_000.0), market(50.0), REG_T, "XYZ", 0.75, price_falls=False)
    assert (stays.equity - stays.equity_before, stays.change.initial) == (-75.0, 0.0)


def test_options_keep_their_strike_and_lose_the_dividend_that_is_paid() -> None:
    call = option("call", 50.0)
    coming = {"XYZ": [("2026-11-23", 0.75)]}
    quotes = market(50.0, {call: 1.2}, rate={"USD": 0.04}, vol={call.id: 0.3}, dividends=coming)
    done = events.ex_dividend(book({STOCK: 100, call: -1}), quotes, REG_T, "XYZ", 0.75)
    assert held(done.account) == {"XYZ": 100.0, call.id: -1.0}
    mark = float(mc.pricing.price(49.25, 50.0, 28 / 365, 0.04, 0.0, 0.3, "call", "american"))
    assert done.equity == pytest.approx(75.0 + 4_925.0 - 100 * mark)
    assert done.market.to_dict().get("dividends", {}).get("XYZ", []) == []


@pytest.mark.parametrize("amount", [0.0, -1.0, 50.0, float("nan"), "1"])
def test_a_dividend_is_an_amount_below_the_price(amount: Any) -> None:
    with pytest.raises(mc.InvalidInput):
        events.ex_dividend(book({STOCK: 100}), market(50.0), REG_T, "XYZ", amount)


def test_short_calls_with_less_time_value_than_the_dividend_are_named() -> None:
    deep, near, out = (option("call", strike) for strike in (40.0, 49.0, 60.0))
    later = option("call", 45.0, expiry="2026-11-27")  # expires before the ex-date
    european = option("call", 40.0, "european", id="european")
    own = {deep: -2, near: -1, out: -1, later: -1, european: -1, STOCK: 300}
    dividends = {"XYZ": [("2026-12-10", 0.75)]}
    quotes = market(50.0, {deep: 10.10, near: 2.00, out: 0.05, later: 5.01}, dividends=dividends)
    [named] = events.early_assignment(book(own), quotes)
    assert (named.option, named.quantity, named.source) == (deep, -2.0, "mark")
    assert named.time_value == pytest.approx(0.10)
    assert named.gain == pytest.approx(0.65)
    assert named.to_dict()["ex_date"] == "2026-12-10"
    # Larger: the near call too, the one with more to gain first.
    both = events.early_assignment(book(own), quotes, dividends={"XYZ": ("2026-12-10", 1.50)})
    assert [row.option for row in both] == [deep, near]
    assert events.early_assignment(book({deep: 2}), quotes) == ()


def test_a_call_without_a_mark_is_valued_by_the_model_and_one_without_either_is_refused() -> None:
    deep = option("call", 40.0)
    parts = {"rate": {"USD": 0.0}, "dividends": {"XYZ": [("2026-12-10", 0.75)]}}
    [named] = events.early_assignment(book({deep: -1}), market(50.0, vol={deep.id: 0.2}, **parts))
    assert named.source == "model"
    assert 0.0 <= named.time_value < 0.1
    with pytest.raises(mc.MissingData, match="neither a mark nor a vol"):
        events.early_assignment(book({deep: -1}), market(50.0, **parts))


# ---- the reference arithmetic

STRIKES = (90.0, 95.0, 100.0, 105.0)
OWN = [option(right, strike) for right in ("call", "put") for strike in STRIKES]
SHADOWS = [
    reference.Option(c.id, 1 if c.right == "call" else -1, float(c.strike or 0.0), 100.0, "XYZ", "units") for c in OWN
]
QUANTITIES = st.lists(st.integers(-5, 5), min_size=len(OWN), max_size=len(OWN))
PRICES = st.one_of(st.sampled_from(STRIKES), st.integers(8_000, 12_000).map(lambda cents: cents / 100))


@settings(deadline=None, max_examples=60)
@given(quantities=QUANTITIES, shares=st.integers(-300, 300), settled=PRICES)
def test_exercise_at_expiry_makes_no_value_and_loses_none(quantities: list[int], shares: int, settled: float) -> None:
    own = {c: q for c, q in zip(OWN, quantities, strict=True) if q}
    if not own:
        return
    start = book({**own, **({STOCK: shares} if shares else {})}, 1_000.0)
    quotes = market(100.0, dict.fromkeys(OWN, 6.0))
    done = events.expiry(start, quotes, REG_T, ON, {"XYZ": settled}, contracts=[STOCK])
    before = {**held(start), reference.CASH: 1_000.0}
    after = reference.expired(before, SHADOWS, {"XYZ": settled}, 0.01)
    mine = {**held(done.account), reference.CASH: done.account.cash["USD"]}
    assert {n: q for n, q in mine.items() if q} == pytest.approx(after)
    # Value is conserved to the cent that is left unexercised, on either side.
    worth = reference.value(before, SHADOWS, {"XYZ": settled})
    assert reference.value(after, SHADOWS, {"XYZ": settled}) == pytest.approx(worth, abs=1e-6)
    assert done.equity == pytest.approx(worth, abs=1e-6)
    # Every share that came or went did so for an option exercised.
    in_money = [s for s in SHADOWS if s.right * (settled - s.strike) > 0.005]
    units = sum(s.right * s.multiplier * before.get(s.name, 0.0) for s in in_money)
    assert held(done.account).get("XYZ", 0.0) - shares == pytest.approx(units)


def test_the_reference_settles_in_cash_units_and_futures() -> None:
    left = {
        "cash": {"cash": 150.0},
        "future": {"cash": 150.0, "XYZ": 50.0},
        "units": {"cash": -2_350.0, "XYZ": 50.0},
    }
    for settles, expected in left.items():
        call = reference.Option("c", 1, 47.0, 50.0, "XYZ", settles)
        assert reference.exercised({"c": 1.0}, call, 1.0, 50.0) == expected
        assert reference.value(expected, [call], {"XYZ": 50.0}) == 150.0  # 50 units, 3 in the money
