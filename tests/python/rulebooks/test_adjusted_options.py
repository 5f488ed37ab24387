"""Options that deliver something else than a hundred shares (OCC by-laws; Options Disclosure Document).

Worked by hand: with D the value of what is delivered, uncovered is the premium and the larger of base x D less the
amount out of the money and minimum x D (call) or minimum x strike x its multiplier (put).
"""

from __future__ import annotations

import json
import math
import pickle
import random
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore.reference import reg_t
from margincore.reference import tims as reference

VALUATION = "2026-11-20T16:00:00-05:00"
EXPIRY = "2026-12-18"
YEARS = 28 / 365
EQUITY = {"XYZ": "equity", "ABC": "equity", "MNO": "equity", "AAPL": "equity"}


def option(
    symbol: str, right: str, strike: float, deliverable: Any = None, *, multiplier: float = 100,
    exercise: str = "american", **terms: Any,
) -> mc.Contract:  # fmt: skip
    return mc.Option(
        symbol, right, strike, expiry=EXPIRY, settles="pm", exercise=exercise, multiplier=multiplier,  # type: ignore[arg-type]
        currency="USD", deliverable=deliverable, **terms,
    )  # fmt: skip


def stock(symbol: str) -> mc.Contract:
    return mc.Stock(symbol, currency="USD")


Book = list[tuple[mc.Contract, int, float]]


def margin(book: Book, spot: dict[str, float], kind: str = "margin", **changes: Any) -> mc.MarginReport:
    market = mc.Market(VALUATION, spot=spot, price={c.id: price for c, _, price in book})
    account = mc.Account([mc.Position(c, n) for c, n, _ in book], kind=kind)
    report = mc.margin(account, market, mc.methods.RegT(**{"classes": EQUITY, **changes}))
    assert report.adds_up()
    return report


@pytest.mark.parametrize(
    ("contract", "price", "spot", "changes", "gross"),
    [
        # Three for two: 150 shares for 40 x 100.
        (option("MNO", "call", 40, "150 shares of MNO"), 1.0, {"MNO": 24.0}, {}, 460.0),
        # The same, its put: deep in the money.
        (option("MNO", "put", 40, {"shares": {"MNO": 150}}), 4.5, {"MNO": 24.0}, {}, 450 + 0.2 * 3600),
        # One for twenty of a fund that is twice leveraged: 5 shares for 2 x 100, out of the money.
        (option("TSDD", "call", 2, "5 shares of TSDD"), 0.10, {"TSDD": 35.0},
         {"underlyings": {"TSDD": {"class": "etf", "leverage": 2.0}}}, 55.0),
        # A merger: shares and cash.
        (option("AAPL", "call", 100, "28 shares of AAPL and $10 in cash"), 0.50, {"AAPL": 350.0}, {}, 1822.0),
        # A spin-off: shares of two. D = 100 x 50 + 10 x 20 = 5,200; 52 x 100 is at the money.
        (option("XYZ", "put", 52, "100 shares of XYZ and 10 shares of ABC"), 2.0, {"XYZ": 50.0, "ABC": 20.0}, {},
         200 + 0.2 * 5200),
        # The minimum of a put is on the strike: 0.1 x 10 x 100.
        (option("AAPL", "put", 10, "28 shares of AAPL and $10 in cash"), 0.05, {"AAPL": 350.0}, {}, 105.0),
        # Multipliers of their own: strike x 100, premium x 10.
        (option("XYZ", "call", 40, multiplier=150, strike_multiplier=100, premium_multiplier=10), 1.0, {"XYZ": 24.0},
         {}, 10 + 360.0),
    ],
)  # fmt: skip
def test_uncovered_options_by_what_they_deliver(
    contract: mc.Contract, price: float, spot: dict[str, float], changes: dict[str, Any], gross: float
) -> None:
    report = margin([(contract, -1, price)], spot, **changes)
    assert report.details["gross"] == pytest.approx(gross, abs=1e-9)
    assert report.details["proceeds"] == price * contract.premium_multiplier


def test_a_root_of_the_product_table_is_margined_by_its_row() -> None:
    [row] = mc.Products.from_rows([]).with_equities(["AAPL"]).rows()
    row |= {"root": "AAPL1", "deliverable": {"shares": {"AAPL": 28}, "cash": 10.0}}
    document = {
        "products": {"rows": [row]},
        "methodology": {"name": "reg-t", "underlyings": {"AAPL": {"class": "equity"}}},
        "market": {"valuation": VALUATION, "spot": {"AAPL": 350.0}, "price": {"AAPL1 261218C00100000": 0.5}},
        "account": {"positions": [{"symbol": "AAPL1 261218C00100000", "quantity": -1}]},
    }
    assert mc.evaluate(document)["details"]["gross"] == pytest.approx(1822.0)


def test_cover_is_all_of_the_shares() -> None:
    call, mno = option("MNO", "call", 20, "150 shares of MNO"), stock("MNO")
    spot = {"MNO": 24.0}

    def strategies(shares: int) -> list[str]:
        report = margin([(call, -1, 17.0), (mno, shares, 24.0)], spot)
        return sorted(group["strategy"] for group in report.details["held"]["pairing"])

    assert strategies(150) == ["covered call"]
    assert strategies(100) == strategies(149) == ["long stock", "uncovered call"]
    # 25 % of 150 x 24 less what it is in the money: carried at the strike, 2,000.
    assert margin([(call, -1, 17.0), (mno, 150, 24.0)], spot).details["held"]["stock_requirement"] == 500.0
    # A cash account holds no part of a cover.
    assert margin([(call, -1, 17.0), (mno, 150, 24.0)], spot, "cash").requirement.initial > 0.0
    with pytest.raises(mc.NotApplicable, match="no uncovered short calls"):
        margin([(call, -1, 17.0), (mno, 149, 24.0)], spot, "cash")


def test_several_securities_cover_together_or_not_at_all() -> None:
    call = option("XYZ", "call", 52, "100 shares of XYZ and 10 shares of ABC")
    spot = {"XYZ": 50.0, "ABC": 20.0}

    def found(xyz: int, abc: int, right: mc.Contract = call) -> list[str]:
        book = [(right, -1, 2.0), (stock("XYZ"), xyz, 50.0), (stock("ABC"), abc, 20.0)]
        report = margin([leg for leg in book if leg[1]], spot)
        return sorted(group["strategy"] for group in report.details["initial"]["pairing"])

    assert found(100, 10) == ["covered call"]
    assert found(100, 0) == ["long stock", "uncovered call"]
    assert found(100, 9) == found(99, 10) == ["long stock", "long stock", "uncovered call"]
    put = option("XYZ", "put", 52, "100 shares of XYZ and 10 shares of ABC")
    assert found(-100, -10, put) == ["covered put"]
    assert found(100, 10, put) == ["long stock", "long stock", "uncovered put"]
    covered = margin([(call, -1, 2.0), (stock("XYZ"), 100, 50.0), (stock("ABC"), 10, 20.0)], spot)
    assert covered.details["initial"]["stock_requirement"] == 0.5 * 5200
    assert covered.details["held"]["stock_requirement"] == 0.25 * 5200


def test_only_options_on_the_same_are_set_against_each_other() -> None:
    standard, adjusted = option("XYZ", "call", 40), option("XYZ", "call", 45, "150 shares of XYZ")
    like = option("XYZ", "call", 40, {"shares": {"XYZ": 150}})
    other = option("XYZ", "call", 40, {"shares": {"XYZ": 150}}, strike_multiplier=50)
    spot = {"XYZ": 30.0}

    def short(long: mc.Contract) -> float:
        return float(margin([(long, 1, 4.0), (adjusted, -1, 1.0)], spot).details["short_requirement"])

    alone = margin([(adjusted, -1, 1.0)], spot).details["short_requirement"]
    assert short(standard) == alone
    assert short(other) == alone
    assert short(like) == 0.0  # the lower strike, on the same
    # Short call and short put: the other side's mark alone on the same, both requirements on another.
    put = option("XYZ", "put", 40)
    sides = margin([(put, -1, 10.0), (adjusted, -1, 1.0)], spot).details["short_requirement"]
    assert sides == alone + margin([(put, -1, 10.0)], spot).details["short_requirement"]
    same = option("XYZ", "put", 40, "150 shares of XYZ")
    sides = margin([(same, -1, 1.0), (adjusted, -1, 1.0)], spot).details["short_requirement"]
    assert sides < alone + margin([(same, -1, 1.0)], spot).details["short_requirement"]


def leg(contract: mc.Contract, side: int, price: float, spot: dict[str, float]) -> reg_t.Leg:
    deliverable = contract.deliverable if contract.adjusted else None
    delivers: tuple[tuple[str, float, float], ...] = ()
    cash = 0.0
    if isinstance(deliverable, dict):
        delivers = tuple((s, n, spot[s]) for s, n in sorted(deliverable["shares"].items()))
        cash = deliverable["cash"]
    return reg_t.Leg(
        str(contract.right), contract.strike or 0.0, 1.0, side, price, spot[contract.underlying],
        multiplier=contract.premium_multiplier or 0.0, underlying=contract.underlying, delivers=delivers, cash=cash,
        strike_multiplier=contract.strike_multiplier,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_the_optimum_is_the_cheapest_of_all_partitions(seed: int) -> None:
    rng = random.Random(seed)
    spot = {"XYZ": 50.0, "ABC": 20.0}
    whole = rng.choice(
        ["150 shares of XYZ", "28 shares of XYZ and $10 in cash", "100 shares of XYZ and 10 shares of ABC"]
    )
    need = {"150": {"XYZ": 150}, "28 ": {"XYZ": 28}, "100": {"XYZ": 100, "ABC": 10}}[whole[:3]]
    worth = sum(n * spot[s] for s, n in need.items()) / 100
    book: Book = []
    items: list[reg_t.Leg | reg_t.Stock] = []
    held = rng.random() < 0.6
    for _ in range(rng.randint(2, 5)):
        # Shares that are held are one block to the reference: all of the deliverable, and no part of it for others.
        adjusted = held or rng.random() < 0.7
        centre = worth if adjusted else 50.0
        strike = round(centre * rng.choice([0.8, 0.9, 1.0, 1.1, 1.2]), 2)
        right = rng.choice(["call", "put"])
        contract = option("XYZ", right, strike, whole if adjusted else None)
        if any(contract.id == c.id for c, _, _ in book):
            continue
        intrinsic = max(centre - strike if right == "call" else strike - centre, 0.0)
        side, price = rng.choice([1, -1]), round(intrinsic + rng.choice([0.5, 1.0, 2.0]), 2)
        book.append((contract, side, price))
        items.append(leg(contract, side, price, spot))
    if held:
        sign = rng.choice([1, -1])
        for symbol, shares in need.items():
            book.append((stock(symbol), sign * shares, spot[symbol]))
            items.append(reg_t.Stock(sign * shares, spot[symbol], covers=(symbol,)))
    details = margin(book, spot).details
    for date, maintenance in (("initial", False), ("held", True)):
        expected = reg_t.optimal(tuple(items), maintenance).equity
        assert details[date]["equity_required"] == pytest.approx(expected, abs=1e-6), date
        assert details[date]["gap"] == 0.0


def tims(positions: list[mc.Position], spot: dict[str, float], **quotes: Any) -> mc.MarginReport:
    market = mc.Market(VALUATION, spot=spot, rate={"USD": 0.04}, **quotes)
    return mc.margin(positions, market, mc.methods.Tims())


def profit(report: mc.MarginReport, symbol: str) -> list[float]:
    return list(report.details["class_groups"][symbol]["profit"])


@pytest.mark.parametrize("exercise", ["american", "european"])
@pytest.mark.parametrize("right", ["call", "put"])
@pytest.mark.parametrize("quoted", ["vol", "price"])
def test_tims_prices_an_option_on_each_share(exercise: str, right: str, quoted: str) -> None:
    adjusted = option("MNO", right, 40, "150 shares of MNO", exercise=exercise)
    by_hand = option("MNO", right, 4000 / 150, multiplier=150, exercise=exercise)
    # A price of the adjusted one is for 100, of the other for 150.
    quotes = {"vol": (0.4, 0.4), "price": (6.0, 4.0)}[quoted]
    spot = {"MNO": 24.0}
    first, second = (
        tims([mc.Position(c, -1)], spot, **{quoted: {c.id: quote}})
        for c, quote in zip((adjusted, by_hand), quotes, strict=True)
    )
    assert profit(first, "MNO") == pytest.approx(profit(second, "MNO"), rel=1e-9)
    assert first.net_option_value == pytest.approx(second.net_option_value, rel=1e-12)
    greeks = [
        [getattr(r.greeks[0], name) for name in ("delta", "gamma", "vega", "theta", "rho")] for r in (first, second)
    ]
    assert greeks[0] == pytest.approx(greeks[1], rel=1e-8)
    assert first.details["class_groups"]["MNO"]["minimum"] == 37.5
    assert second.details["class_groups"]["MNO"]["minimum"] == 0.375 * 150


def test_tims_leaves_the_cash_where_it_is() -> None:
    spot, vol = 350.0, 0.3
    call = option("AAPL", "call", 100, "28 shares of AAPL and $10 in cash", exercise="european")
    found = profit(tims([mc.Position(call, 1)], {"AAPL": spot}, vol={call.id: vol}), "AAPL")

    def value(price: float) -> float:
        """The mean of what D is above the strike, over the lognormal distribution."""
        z = np.linspace(-9.0, 9.0, 200_001)
        ended = price * np.exp((0.04 - vol**2 / 2) * YEARS + vol * math.sqrt(YEARS) * z)
        payoff = np.maximum(28 * ended + 10.0 - 100 * 100, 0.0) * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        return math.exp(-0.04 * YEARS) * float(payoff.sum() * (z[1] - z[0]))

    moves = [0.15 * k / 5 for k in (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)]
    assert found == pytest.approx([value(spot * (1 + m)) - value(spot) for m in moves], abs=1e-3)


@pytest.mark.parametrize("exercise", ["american", "european"])
def test_tims_agrees_with_the_reference(exercise: str) -> None:
    call = option("AAPL", "call", 100, "28 shares of AAPL and $10 in cash", exercise=exercise)
    put = option("AAPL", "put", 95, "28 shares of AAPL and $10 in cash", exercise=exercise)
    prices = {call.id: 2.5, put.id: 1.5}
    held = [mc.Position(call, -2), mc.Position(put, 1), mc.Position(stock("AAPL"), 28)]
    report = tims(held, {"AAPL": 350.0}, price=prices)
    terms = {"years": YEARS, "exercise": exercise, "shares": 28.0, "cash": 10.0, "multiplier": 100.0}
    own = [
        reference.Contract("AAPL", "option", 2.5, right=1, strike=100.0, **terms),  # type: ignore[arg-type]
        reference.Contract("AAPL", "option", 1.5, right=-1, strike=95.0, **terms),  # type: ignore[arg-type]
        reference.Contract("AAPL", "stock"),
    ]
    counts = [
        reference.Position(own[0], short=2),
        reference.Position(own[1], long=1),
        reference.Position(own[2], long=28),
    ]
    expected = reference.margin(counts, {"AAPL": reference.Underlying(350.0, rate=0.04)})
    assert report.requirement.initial == pytest.approx(expected.requirement, rel=2e-3)
    group = report.details["class_groups"]["AAPL"]
    assert group["minimum"] == expected.class_groups["AAPL"].minimum == 3 * 37.5


def test_tims_refuses_what_no_single_share_moves() -> None:
    several = option("XYZ", "call", 52, "100 shares of XYZ and 10 shares of ABC")
    cash = option("XYZ", "call", 52, {"cash": 5000.0})
    spot = {"XYZ": 50.0, "ABC": 20.0}
    for contract in (several, cash):
        with pytest.raises(mc.Unsupported, match="theoretical values") as refused:
            tims([mc.Position(contract, -1)], spot, vol={contract.id: 0.3})
        assert contract.id in str(refused.value)
    rich = option("XYZ", "call", 52, "100 shares of XYZ and 6000 in cash")
    with pytest.raises(mc.Unsupported, match="more cash"):
        tims([mc.Position(rich, -1)], spot, vol={rich.id: 0.3})
    given = {several.id: {"profit": [-700.0 + 100.0 * k for k in range(10)], "price": 2.0}}
    report = mc.margin([mc.Position(several, 1)], mc.Market(VALUATION, spot=spot), mc.methods.Tims(theoretical=given))
    assert report.requirement.initial == 700.0
    assert report.net_option_value == 200.0


def test_reg_t_refuses_what_it_has_no_percentages_for() -> None:
    several = option("XYZ", "call", 52, "100 shares of XYZ and 10 shares of ABC")
    with pytest.raises(mc.Unsupported, match="percentages of 'ABC'"):
        margin([(several, -1, 2.0)], {"XYZ": 50.0, "ABC": 20.0}, classes={"XYZ": "equity", "ABC": "broad_etf"})
    with pytest.raises(mc.MissingData, match="ABC"):
        margin([(several, -1, 2.0)], {"XYZ": 50.0})
    four = option("XYZ", "call", 52, {"shares": dict.fromkeys(["XYZ", "ABC", "MNO", "AAPL"], 10.0)})
    with pytest.raises(mc.Unsupported, match="more than 3 securities"):
        margin([(four, -1, 2.0)], dict.fromkeys(["XYZ", "ABC", "MNO", "AAPL"], 50.0))


@pytest.mark.parametrize(
    "method",
    [
        lambda: mc.methods.SpanLike({"MNO": {"price_scan": 0.1, "vol_scan": 0.2}}),
        lambda: mc.methods.Deribit(),
        lambda: mc.methods.Crypto("span16-12pct-10pt"),
        lambda: mc.methods.HistoricalVar(
            {"MNO": [24.0, 23.0, 25.0, 24.0]}, returns="relative", measure="order_floor", confidence="0.6"
        ),
    ],
)
def test_other_rulebooks_refuse_them_by_name(method: Any) -> None:
    contract = option("MNO", "call", 40, "150 shares of MNO")
    market = mc.Market(
        VALUATION, spot={"MNO": 24.0}, vol={contract.id: 0.4}, rate={"USD": 0.04}, price={contract.id: 1.0}
    )
    with pytest.raises(mc.NotApplicable, match="no rule for adjusted options") as refused:
        mc.margin([mc.Position(contract, -1)], market, method())
    assert contract.id in str(refused.value)


def test_a_hundred_shares_and_no_cash_are_the_standard_contract_to_the_last_bit() -> None:
    rng = random.Random(7)
    for _ in range(20):
        strike, right = round(rng.uniform(30, 70), 2), rng.choice(["call", "put"])
        multiplier = rng.choice([100, 150, 10])
        standard = option("XYZ", right, strike, "shares", multiplier=multiplier)
        for written in (f"{multiplier} shares of XYZ", {"shares": {"XYZ": multiplier}, "cash": 0.0}):
            stated = option(
                "XYZ", right, strike, written, multiplier=multiplier,
                strike_multiplier=multiplier, premium_multiplier=multiplier,
            )  # fmt: skip
            assert stated == standard
            assert stated.id == standard.id
            assert not stated.adjusted
            assert stated.to_dict() == standard.to_dict()
            assert mc.Contracts([stated]).digest == mc.Contracts([standard]).digest
            quotes = {"price": {standard.id: 25.0 + max(0.0, strike - 50)}, "vol": {standard.id: 0.4}}
            market = mc.Market(VALUATION, spot={"XYZ": 50.0}, rate={"USD": 0.04}, **quotes)
            for method in (mc.methods.RegT(classes=EQUITY), mc.methods.Tims()):
                reports = [
                    mc.margin([mc.Position(c, -1), mc.Position(stock("XYZ"), 100)], market, method).to_dict()
                    for c in (stated, standard)
                ]
                assert reports[0] == reports[1]


def test_near_the_standard_the_formulas_meet_it() -> None:
    """A multiplier that differs in its last bit takes the way of adjusted options, to the number of standard ones."""
    standard = option("XYZ", "call", 52)
    near = option("XYZ", "call", 52, multiplier=100.0 * (1 + 2**-52), strike_multiplier=100, premium_multiplier=100)
    assert near.adjusted
    for contract in (standard, near):
        regt = margin([(contract, -1, 2.0), (stock("XYZ"), 50, 50.0)], {"XYZ": 50.0}).requirement
        scan = tims([mc.Position(contract, -1)], {"XYZ": 50.0}, price={contract.id: 2.0})
        if contract is standard:
            expected = regt, scan
    assert regt.initial == pytest.approx(expected[0].initial, rel=1e-14)
    assert regt.maintenance == pytest.approx(expected[0].maintenance, rel=1e-14)
    assert scan.requirement.initial == pytest.approx(expected[1].requirement.initial, rel=1e-11)
    assert scan.net_option_value == expected[1].net_option_value


def test_deliverables_come_through_every_door() -> None:
    basket = {"shares": {"AAPL": 28.0}, "cash": 10.0}
    words = "28 shares of AAPL and $10 in cash"
    contract = option("AAPL", "call", 100, basket)
    assert option("AAPL", "call", 100, words) == contract
    assert contract.deliverable == basket
    assert contract.id == "AAPL 2026-12-18 100 call for 28 shares of AAPL and 10 in cash"
    assert pickle.loads(pickle.dumps(contract)) == contract
    assert mc.Contract.from_dict(json.loads(json.dumps(contract.to_dict()))) == contract
    terms = {k: v for k, v in contract.to_dict().items() if k not in ("deliverable", "aliases")}
    for column in (basket, words, [basket], np.array([words])):
        assert mc.Contracts.from_columns(**terms, deliverable=column)[0] == contract
    pa = pytest.importorskip("pyarrow")
    rows = {
        name: [value, None] for name, value in terms.items() if name not in ("settlement", "premium", "lot", "listed")
    }
    rows |= {
        "kind": ["option", "stock"],
        "id": [contract.id, "AAPL"],
        "underlying": ["AAPL"] * 2,
        "currency": ["USD"] * 2,
    }
    rows |= {"multiplier": [100.0, 1.0], "strike_multiplier": [None, None], "premium_multiplier": [100.0, None]}
    table = mc.importers.arrow.contracts(pa.table({**rows, "deliverable": [words, None]}))
    assert table[0] == contract
    assert table[1] == stock("AAPL")


@pytest.mark.parametrize(
    ("deliverable", "words"),
    [
        ("100 bushels", "'100 bushels' is not understood"),
        ("150 shares", "is not understood"),
        ({"shares": {"AAPL": "28"}}, "a number is needed"),
        ({"shares": {"AAPL": True}}, "a number is needed"),
        ({"shares": {}, "cash": 0.0}, "neither shares nor cash"),
        ({"shares": {"AAPL": math.inf}}, "a finite number is needed"),
        ({"shares": {"AAPL": 28.0}, "cash": -10.0}, "cannot be negative"),
        ({"stock": {"AAPL": 28.0}}, "no 'stock' is known here: use shares or cash"),
        ({"shares": {"MSFT": 28.0}}, "name a security that is delivered"),
        (28.0, "deliverable"),
    ],
)
def test_what_is_not_clear_is_refused_by_name(deliverable: Any, words: str) -> None:
    with pytest.raises(mc.InvalidInput, match=words.replace("?", r"\?")):
        option("AAPL", "call", 100, deliverable)


def test_terms_of_options_belong_to_options() -> None:
    for term in ({"strike_multiplier": 1.0}, {"premium_multiplier": 1.0}, {"deliverable": {"cash": 1.0}}):
        with pytest.raises(mc.InvalidInput, match="belongs to options"):
            mc.Contract(kind="stock", underlying="A", currency="USD", **term)
    assert mc.Contract(kind="stock", underlying="A", currency="USD", deliverable="shares").deliverable == "shares"


def test_a_live_account_pays_the_premium_by_its_multiplier() -> None:
    contract = option("XYZ", "call", 52, "150 shares of XYZ")
    market = mc.Market(VALUATION, spot={"XYZ": 30.0}, price={contract.id: 1.0})
    prepared = mc.Engine(mc.methods.RegT(classes=EQUITY)).prepare([contract], market)
    account = prepared.open(mc.Account([], cash={"USD": 10_000.0}))
    account.apply([(contract, -1, 1.0)])
    assert account.cash == {"USD": 10_100.0}
    # The requirement on top of option values, and 100 that the short option is worth.
    assert account.equity == 10_000.0


def test_a_spot_that_moves_makes_the_quotes_of_all_that_deliver_it_stale() -> None:
    several = option("XYZ", "call", 52, "100 shares of XYZ and 10 shares of ABC")
    market = mc.Market(VALUATION, spot={"XYZ": 50.0, "ABC": 20.0}, price={several.id: 2.0})
    prepared = mc.Engine(mc.methods.RegT(classes=EQUITY)).prepare([several], market)
    with pytest.raises(mc.MissingData, match="is not that of the moved market"):
        prepared.update(spot={"ABC": 21.0})
