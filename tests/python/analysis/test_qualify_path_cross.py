"""Account qualification, the requirement along executions, cross-margining."""

from __future__ import annotations

import pytest

import margincore as mc

VALUATION = "2026-11-20T16:00:00-05:00"


def spx(right: str, strike: float) -> mc.Contract:
    return mc.Option("SPX", right, strike, expiry="2026-12-18", settles="am", exercise="european",  # type: ignore[arg-type]
                     multiplier=100, currency="USD")  # fmt: skip


def test_the_order_of_legging_in_shows_as_the_peak() -> None:
    legs = [(spx("put", 4200), 1), (spx("put", 4300), -1), (spx("call", 4700), -1), (spx("call", 4800), 1)]
    marks = dict(zip((c.id for c, _ in legs), (10.0, 20.0, 25.0, 8.0), strict=True))
    market = mc.Market(VALUATION, spot={"SPX": 4500.0}, price=marks)
    longs_first = sorted(legs, key=lambda leg: -leg[1])
    shorts_first = longs_first[::-1]
    cheap = mc.margin_path([], longs_first, market, mc.methods.RegT())
    dear = mc.margin_path([], shorts_first, market, mc.methods.RegT())
    assert cheap.steps[-1].initial == dear.steps[-1].initial == 7300.0
    assert dear.peak.initial > 40_000.0 > cheap.peak.initial
    assert dear.peak.trade is not None
    assert dear.legging_cost == dear.peak.initial - 7300.0
    assert dear.steps[-1].cash_balance_required == 10_000.0
    assert cheap.steps[0].trade is None


def test_a_path_starts_from_the_account_as_it_is() -> None:
    put = spx("put", 4300)
    market = mc.Market(VALUATION, spot={"SPX": 4500.0}, price={put.id: 20.0})
    account = mc.Account([mc.Position(put, -1)], kind="cash")
    path = mc.margin_path(account, [(put, 1)], market, mc.methods.RegT())
    assert path.steps[0].initial == 430_000.0 - 2000.0
    assert path.steps[1].initial == 0.0
    assert path.legging_cost == 0.0


def test_conditions_and_their_grades() -> None:
    answer = mc.qualify("reg_t", equity=2500.0, products=["stock", "listed_option"])
    assert answer.eligible
    assert {reason.grade for reason in answer.reasons} >= {"verified"}
    assert "eligible" in str(answer)
    futures = mc.qualify("reg_t", equity=2500.0, products=["stock", "future"])
    assert not futures.eligible
    unlisted = mc.qualify(
        "portfolio_margin", equity=4e6, products=["unlisted_derivative"], approval="uncovered", monitoring="real_time"
    )
    assert [reason.met for reason in unlisted.reasons] == [True, False, True, True]
    level = mc.qualify(
        "portfolio_margin", equity=1e6, products=["listed_option"], approval="spreads", monitoring="other"
    )
    assert not level.eligible


def test_keeping_an_account_open_asks_less() -> None:
    def ask(existing: bool) -> bool:
        return mc.qualify(
            "portfolio_margin", equity=105_000.0, products=["stock"], approval="uncovered", monitoring="real_time",
            broker="ibkr", existing=existing,
        ).eligible  # fmt: skip

    assert ask(existing=True)
    assert not ask(existing=False)


@pytest.mark.parametrize(
    ("regime", "said", "word"),
    [
        ("portfolio_margin", {"equity": 1e6, "products": ["stock"], "approval": "uncovered"}, "monitoring"),
        ("portfolio_margin", {"equity": 1e6, "products": ["stock"], "monitoring": "other"}, "approval"),
        ("reg_t", {"products": ["stock"]}, "equity"),
        ("reg_t", {"equity": 1e6}, "products"),
        ("crypto_portfolio_margin", {"equity": 1e6, "products": ["crypto"]}, "overlay"),
        ("reg_t", {"equity": 1e6, "products": ["stock"], "broker": "ibkr"}, "overlay"),
    ],
)
def test_what_is_not_known_is_not_guessed(regime: str, said: dict[str, object], word: str) -> None:
    with pytest.raises(mc.MissingData, match=word):
        mc.qualify(regime, **said)  # type: ignore[arg-type]
    with pytest.raises(mc.InvalidInput):
        mc.qualify("margin of error", equity=1.0, products=["stock"])


def test_apart_and_together() -> None:
    put = spx("put", 4400)
    future = mc.Future("ES", expiry="2026-12-18", settles="am", exchange="us", multiplier=50, currency="USD")
    market = mc.Market(VALUATION, spot={"SPX": 4500.0, "ES": 4510.0}, price={future.id: 4510.0, put.id: 45.0},
                       vol={put.id: 0.18}, rate={"USD": 0.05})  # fmt: skip
    tims = mc.methods.Tims()
    alone = mc.methods.SpanLike({"ES": {"price_scan": 0.06, "vol_scan": 0.25}})
    parts = [(lambda c: c.kind == "option", tims), (lambda c: c.kind == "future", alone)]
    result = mc.cross_margin([mc.Position(put, 4), mc.Position(future, 4)], market, parts, tims)
    assert result.benefit > 0.0
    assert result.benefit == result.apart.requirement.initial - result.together.requirement.initial
    assert "benefit, at most" in str(result)
