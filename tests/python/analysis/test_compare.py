"""Rulebooks side by side: two bases, savings within one, and no total for what a rulebook does not cover."""

from __future__ import annotations

import pytest

import margincore as mc

VALUATION = "2026-11-20T16:00:00-05:00"


def option(right: str, strike: float, expiry: str = "2026-12-18", underlying: str = "SPX") -> mc.Contract:
    exercise = "european" if underlying == "SPX" else "american"
    return mc.Option(
        underlying, right, strike, expiry=expiry, settles="pm", exercise=exercise, multiplier=100, currency="USD"
    )


@pytest.fixture
def mixed() -> tuple[mc.Account, mc.Market, mc.Contract]:
    """Stock with a covered call, an option of over nine months, an index spread, and a future."""
    stock = mc.Stock("IBM", currency="USD")
    call, leap = option("call", 105, underlying="IBM"), option("call", 100, "2027-12-17", "IBM")
    short, long = option("put", 4300), option("put", 4200)
    future = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="cme", multiplier=50, currency="USD")
    vols = {call.id: 0.25, leap.id: 0.27, short.id: 0.17, long.id: 0.19}
    prices = {call.id: 1.20, leap.id: 13.5, short.id: 17.8, long.id: 10.9, future.id: 4510.0}
    market = mc.Market(
        VALUATION,
        spot={"SPX": 4500.0, "IBM": 100.0, "ES": 4500.0},
        rate={"USD": 0.05},
        vol=vols,
        price=prices,
    )
    quantities = [(stock, 100), (call, -1), (leap, 2), (short, -1), (long, 1), (future, -1)]
    return mc.Account([mc.Position(c, q) for c, q in quantities], cash={"USD": 50_000.0}), market, future


def test_a_rulebook_that_does_not_cover_the_account_gives_no_number(
    mixed: tuple[mc.Account, mc.Market, mc.Contract],
) -> None:
    account, market, future = mixed
    split = mc.methods.Combined(
        [
            (lambda c: c.kind != "future", mc.methods.RegT(underlyings={"IBM": {"class": "equity"}})),
            (lambda c: c.kind == "future", mc.methods.SpanLike({"ES": {"price_scan": 0.06, "vol_scan": 0.25}})),
        ]
    )
    reg_t = mc.methods.RegT(underlyings={"IBM": {"class": "equity"}})
    comparison = mc.compare(account, market, [reg_t, split, mc.methods.Tims()], labels=["Reg T", "split", "TIMS"])
    alone, apart, together = comparison.outcomes
    assert alone.report is None
    assert future.id in (alone.not_applicable or "")
    assert apart.report is not None
    assert together.report is not None
    assert comparison.baseline is apart
    saving = comparison.saving(together)
    assert saving == pytest.approx(1.0 - together.report.equity_required / apart.report.equity_required)
    assert apart.report.adds_up()
    # A hundred shares at 100 are paid in full, the future is not.
    balance = apart.report.equity_required - apart.report.net_option_value - 10_000.0
    assert apart.cash_balance_required == pytest.approx(balance)
    text = str(comparison)
    for word in ("not applicable", future.id, "split", "TIMS", "IBM 2027-12-17 100 call 0.27"):
        assert word in text
    assert "<table>" in comparison._repr_html_()


def test_the_rule_is_as_wide_as_the_table(mixed: tuple[mc.Account, mc.Market, mc.Contract]) -> None:
    """A refusal of several hundred letters stands below it."""
    account, market, _ = mixed
    reg_t = mc.methods.RegT(underlyings={"IBM": {"class": "equity"}})
    comparison = mc.compare(account, market, [reg_t, mc.methods.Tims()])
    refused = comparison.outcomes[0]
    assert len(refused.reason or "") > 150
    head, rule, first, second, *below = str(comparison).splitlines()
    assert set(rule) == {"-"}
    assert len(rule) == max(map(len, (head, first, second))) < 150
    assert below[0] == f"{refused.label}: {refused.reason}"
    assert "not applicable" in first


def test_labels_tell_rulebooks_apart() -> None:
    stock = mc.Stock("IBM", currency="USD")
    market = mc.Market(VALUATION, spot={"IBM": 100.0})
    same = [mc.methods.Tims(), mc.methods.Tims(), mc.methods.Tims(default_range={"down": -0.3, "up": 0.3})]
    comparison = mc.compare([mc.Position(stock, 100)], market, same)
    assert [o.label for o in comparison.outcomes] == [
        "OCC TIMS (occ-cpm) #1", "OCC TIMS (occ-cpm) #2", "OCC TIMS (occ-cpm (changed))",
    ]  # fmt: skip
    assert mc.frames.of(comparison)["lines"]["label"] == [o.label for o in comparison.outcomes]
    with pytest.raises(mc.InvalidInput, match=r"labels\[2\] is 'a'") as caught:
        mc.compare([mc.Position(stock, 100)], market, same, labels=["a", "b", "a"])
    assert caught.value.code == "duplicate"
    with pytest.raises(mc.InvalidInput, match=r"U\+DFFF") as caught:
        mc.compare([mc.Position(stock, 100)], market, same, labels=["a", "b", "\udfff"])
    assert caught.value.code == "bad_text"


def test_a_saving_may_be_negative() -> None:
    stock = mc.Stock("IBM", currency="USD")
    market = mc.Market(VALUATION, spot={"IBM": 100.0})
    wide = mc.methods.Tims(default_range={"down": -0.6, "up": 0.6})
    reg_t = mc.methods.RegT(underlyings={"IBM": {"class": "equity"}})
    comparison = mc.compare([mc.Position(stock, 100)], market, [reg_t, wide])
    assert comparison.outcomes[0].equity_required == 5_000.0
    assert comparison.saving(comparison.outcomes[1]) == pytest.approx(-0.2)


def test_a_rulebook_without_its_data_does_not_end_the_comparison() -> None:
    put = option("put", 4300)
    market = mc.Market(VALUATION, spot={"SPX": 4500.0}, rate={"USD": 0.05}, vol={put.id: 0.17})
    held, rulebooks = [mc.Position(put, -1)], [mc.methods.RegT(), mc.methods.Tims()]
    comparison = mc.compare(held, market, rulebooks)
    unquoted, tims = comparison.outcomes
    assert (unquoted.report, unquoted.not_applicable) == (None, None)
    for word in (put.id, "Reg T reads prices", "price="):
        assert word in (unquoted.no_number or "")
    assert comparison.baseline is tims
    assert "no number" in str(comparison)
    assert comparison.to_dict()["outcomes"][0]["no_number"] == unquoted.no_number
    with pytest.raises(mc.MissingData, match="no mark for"):
        mc.compare(held, market, rulebooks, strict=True)


def test_coins_show_with_their_currency() -> None:
    perp = mc.Perpetual("BTC", multiplier=10, multiplier_unit="USD", currency="BTC", settlement="inverse")
    market = mc.Market("2026-11-20T16:00:00Z", spot={"BTC": 60_000.0}, price={perp.id: 60_000.0})
    comparison = mc.compare([mc.Position(perp, 1_000)], market, [mc.methods.Deribit("standard")])
    header, row = comparison.rows()
    report = comparison.outcomes[0].report
    assert report is not None
    assert row[header.index("currency")] == report.currency == "BTC"
    assert float(row[1]) == pytest.approx(report.equity_required, rel=1e-3)
    assert row[1] in repr(report)
