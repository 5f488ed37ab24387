"""One unit and one way to say a trade, at every place that takes one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import margincore as mc

VALUATION = "2026-11-20T16:00:00-05:00"
STOCK = mc.Stock("XYZ", currency="USD")
MARKET = mc.Market(VALUATION, spot={"XYZ": 50.0})
PREPARED = mc.Engine(mc.methods.Tims()).prepare([STOCK], MARKET)
LIMIT = mc.Limit(max_requirement=1e9)


def live(contract: mc.Contract = STOCK, cash: float = 1e6) -> mc.LiveAccount:
    prepared = mc.Engine(mc.methods.Tims()).prepare([contract], MARKET)
    return prepared.open(mc.Account([], cash={"USD": cash}))


TRADES: dict[str, Callable[[Any], object]] = {
    "what_if": lambda trades: live().what_if(trades),
    "apply": lambda trades: live().apply(trades),
    "margin_path": lambda trades: mc.margin_path([], trades, MARKET, mc.methods.Tims()),
}
CONTRACT: dict[str, Callable[[Any], object]] = {
    "position": lambda contract: mc.Position(contract, 1),
    "order": lambda contract: mc.Order("a", contract, "buy", 1, 50.0),
    "open order": lambda contract: mc.crypto.OpenOrder(contract, 1),
    "max_quantity": lambda contract: live().max_quantity(contract, "buy", LIMIT),
    "max_quantity_complete": lambda contract: live().max_quantity_complete(contract, "buy", LIMIT),
    "index": lambda contract: live().index(contract),
    "table": lambda contract: mc.Contracts([contract]),
    **{name: lambda contract, take=take: take([(contract, 1)]) for name, take in TRADES.items()},  # type: ignore[misc]
}


@pytest.mark.parametrize("place", CONTRACT)
def test_a_contract_is_taken_everywhere_and_its_id_nowhere(place: str) -> None:
    CONTRACT[place](STOCK)
    with pytest.raises(mc.InvalidInput, match=r"contract: a Contract is needed, not str: .*contracts\.index\(id\)"):
        CONTRACT[place](STOCK.id)


@pytest.mark.parametrize("event", [mc.monitoring.FillEvent, mc.monitoring.OrderEvent])
def test_an_event_holds_the_id(event: Any) -> None:
    terms = {"side": "buy", "order": "a"} if event is mc.monitoring.OrderEvent else {}
    event(1, "one", contract=STOCK.id, quantity=1.0, price=50.0, **terms)
    with pytest.raises(mc.InvalidInput, match=r"contract: an event holds the id of a contract, contract\.id"):
        event(1, "one", contract=STOCK, quantity=1.0, price=50.0, **terms)


@pytest.mark.parametrize("place", TRADES)
@pytest.mark.parametrize("trade", [(STOCK, 1), (STOCK, 1.0, 50.0), (STOCK, -1, 50, 0.25), (STOCK, np.float64(2))])
def test_every_place_takes_every_form(place: str, trade: Any) -> None:
    TRADES[place]([trade])
    TRADES[place](iter([trade, trade]))


@pytest.mark.parametrize("place", TRADES)
@pytest.mark.parametrize(
    ("trade", "why"),
    [
        ([STOCK, 1], 'trade 1 is [Contract("XYZ"), 1]: a tuple (contract, quantity), '),
        ((STOCK,), "a tuple (contract, quantity), "),
        ((STOCK, 1, 50.0, 0.0, "open"), "a tuple (contract, quantity), "),
        (STOCK, 'trade 1 is Contract("XYZ"): a tuple'),
        ((STOCK, "1"), "trade 1 in 'XYZ': quantity: a number is needed, not str"),
        ((STOCK, True), "trade 1 in 'XYZ': quantity: a number is needed, not True"),
        ((STOCK, 1, None), "trade 1 in 'XYZ': price: a number is needed, not None"),
        ((STOCK, 1, 50.0, "0"), "trade 1 in 'XYZ': fees: a number is needed, not str"),
        ((STOCK, 0.5), "trade 1 in 'XYZ': quantity 0.5 is not a whole number of lots of 1"),
        ((STOCK, float("nan")), "trade 1 in 'XYZ': quantity is NaN"),
        ((1, STOCK), "trade 1: contract: a Contract is needed, not int"),
    ],
)
def test_every_place_refuses_alike(place: str, trade: Any, why: str) -> None:
    with pytest.raises(mc.InvalidInput, match=re.escape(why)):
        TRADES[place]([(STOCK, 1), trade])


def test_a_gross_account_says_open_or_close_in_every_place() -> None:
    future = mc.Future("ES", expiry="2026-12-18T14:30:00Z", multiplier=50, currency="USD")
    market = mc.Market(VALUATION, spot={"ES": 4500.0}, price={future.id: 4500.0})
    rule = mc.methods.SpanLike({"ES": {"price_scan": 0.05, "vol_scan": 0.2}})
    account = mc.Account([mc.Position(future, long=2, short=1)], gross=True)
    opened = rule.prepare([future], market).open(account)
    calls: list[Callable[..., object]] = [
        lambda **effect: opened.what_if([(future, 1)], **effect),
        lambda **effect: mc.margin_path(account, [(future, 1)], market, rule, **effect),
    ]
    for call in calls:
        call(effect="close")
        with pytest.raises(mc.InvalidInput, match="open"):
            call()
        with pytest.raises(mc.InvalidInput, match="use open or close"):
            call(effect="opening")
    closed = mc.margin_path(account, [(future, 1)], market, rule, effect="close")
    assert closed.steps[1].initial < closed.steps[0].initial


@pytest.mark.parametrize(("lot", "quantity", "most", "passes"), [
    (100, 500, 100, False), (100, 500, 500, True), (100, 500, 499.9, False), (1, 100, 99, False), (1, 99, 99.5, True),
    (0.1, 0.3, 0.3, True), (0.1, 0.4, 0.3, False), (0.001, 1.0, 55, True), (1, 1, 0, False), (1e-8, 0.3, 0.3, True),
])  # fmt: skip
def test_a_limit_counts_contracts(lot: float, quantity: float, most: float, passes: bool) -> None:
    stock = mc.Stock("XYZ", currency="USD", lot=lot)
    decision = live(stock).check(mc.Order("a", stock, "buy", quantity, 50.0), mc.Limit(1e9, max_quantity=most))
    assert decision.accepted == passes
    if not passes:
        assert decision.message == f"max_quantity: {quantity:g} contracts are above the limit of {most:g}"


def test_what_max_quantity_says_is_a_limit_that_takes_it() -> None:
    for lot in (1e-8, 0.001, 0.1, 0.3, 1.0, 7.0, 100.0):
        stock = mc.Stock("XYZ", currency="USD", lot=lot)
        account = live(stock)
        most = account.max_quantity(stock, "buy", mc.Limit(max_requirement=1e4))
        assert most
        limit = mc.Limit(max_requirement=1e4, max_quantity=most)
        assert account.check(mc.Order("a", stock, "buy", most, 50.0), limit).accepted
        assert account.check(mc.Order("b", stock, "buy", most + lot, 50.0), limit).reason == "max_quantity"


@pytest.mark.parametrize("most", [float("nan"), float("inf"), -1.0])
def test_a_limit_of_contracts_is_a_number_from_0(most: float) -> None:
    with pytest.raises(mc.InvalidInput, match="limit: max_quantity is "):
        mc.Limit(1e9, max_quantity=most)


def test_quantities_are_the_decimal_numbers_they_were() -> None:
    for lot, quantity in ((0.1, 0.3), (0.001, 55.557), (0.01, 1.13), (1e-8, 0.12345678), (0.25, 0.75), (2.5, 7.5)):
        stock = mc.Stock("XYZ", currency="USD", lot=lot)
        assert mc.Position(stock, quantity).quantity == quantity
        account = live(stock)
        account.reserve(mc.Order("a", stock, "buy", quantity, 50.0))
        assert account.open_orders == {"a": quantity}


@pytest.mark.parametrize("quantity", [1.5, 0.5, float("nan"), float("inf"), 1e300])
def test_an_order_of_part_of_a_lot_says_so(quantity: float) -> None:
    account = live()
    order = mc.Order("a", STOCK, "buy", quantity, 50.0)
    decision = account.check(order, LIMIT)
    assert decision.reason == "invalid_order"
    assert decision.message.startswith("order 'a': quantity ")
    for book in (account.reserve, lambda order: account.replace("b", order)):
        with pytest.raises(mc.MarginError):
            book(order)
    if quantity == 1.5:
        assert decision.message == "order 'a': quantity 1.5 is not a whole number of lots of 1"


@pytest.mark.parametrize("date", ["2026-12-18", dt.date(2026, 12, 18), np.datetime64("2026-12-18")])
def test_a_date_is_taken_in_every_form_everywhere(date: Any) -> None:
    def option(**terms: Any) -> mc.Contract:
        return mc.Option(**{**dict(underlying="SPX", right="call", strike=4700, settles="am", exercise="european",
                                   multiplier=100, currency="USD"), **terms})  # fmt: skip

    made = option(expiry=date)
    assert made == option(expiry="2026-12-18")
    assert mc.Contract.from_dict({**made.to_dict(), "expiry": date}) == made
    columns: dict[str, Any] = dict(kind="option", underlying=["SPX"], right="call", strike=4700.0, settles="am",
                                   exercise="european", multiplier=100.0, currency="USD")  # fmt: skip
    assert mc.Contracts.from_columns(expiry=[date], **columns)[0] == made
    plain = mc.Market(VALUATION, spot={"SPX": 4500.0}, rate={"USD": {"2026-12-18": 0.05}},
                      forward={("SPX", "2026-12-18"): 4510.0}, dividends={"SPX": [("2026-12-18", 1.0)]})  # fmt: skip
    for forward in ({("SPX", date): 4510.0}, [{"underlying": "SPX", "expiry": date, "price": 4510.0}]):
        for dividends in ([(date, 1.0)], [{"date": date, "amount": 1.0}]):
            for rate in ({"USD": {date: 0.05}}, {("USD", date): 0.05}):
                market = mc.Market(VALUATION, spot={"SPX": 4500.0}, rate=rate, forward=forward,
                                   dividends={"SPX": dividends})  # fmt: skip
                assert market.to_dict() == plain.to_dict()
    dated = mc.methods.Deribit(on=date)
    assert dated.parameters["digest"] == mc.methods.Deribit(on="2026-12-18").parameters["digest"]


@pytest.mark.parametrize("instant", ["2026-12-18T14:30:00Z", dt.datetime(2026, 12, 18, 14, 30, tzinfo=dt.UTC)])
def test_an_instant_is_taken_in_every_form(instant: Any) -> None:
    future = mc.Future("ES", expiry=instant, multiplier=50, currency="USD")
    assert future.expires == "2026-12-18T14:30:00Z"
    assert mc.Market(instant).to_dict()["valuation"] in ("2026-12-18T14:30:00Z", "2026-12-18T14:30:00+00:00")


def test_an_instant_without_a_zone_is_refused_in_every_form() -> None:
    for naive in ("2026-12-18T14:30:00", dt.datetime(2026, 12, 18, 14, 30), np.datetime64("2026-12-18T14:30", "ns")):
        with pytest.raises(mc.InvalidInput):
            mc.Future("ES", expiry=naive, multiplier=50, currency="USD")
        with pytest.raises(mc.InvalidInput):
            mc.Market(naive)  # type: ignore[arg-type]
