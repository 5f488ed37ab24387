"""A house's rules over Reg T, TIMS and others: by hand, against the reference, open accounts, refusals."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
import random
from typing import Any

import pytest

import margincore as mc
from margincore.reference import house as ref

EXPIRY = "2026-12-18"
WHEN = "2026-11-20T16:00:00-05:00"
WHOSE: dict[str, Any] = {"name": "Our desk", "source": "a test", "date": "2026-11-20"}
A, B, C = (mc.Stock(symbol, currency="USD") for symbol in ("AAA", "BBB", "CCC"))
SPOT = {"AAA": 100.0, "BBB": 40.0, "CCC": 4.0}
KNOWN = {symbol: {"class": "equity"} for symbol in SPOT}
STOCK = ("stock", "stock carried at the strike", "short-sale proceeds", "maintenance above the Regulation T amount")


def option(symbol: str, right: str, strike: float) -> mc.Contract:
    return mc.Option(
        symbol, right, strike, expiry=EXPIRY, settles="pm", exercise="european", multiplier=100, currency="USD"
    )


OPTIONS = [option(s, r, k * SPOT[s]) for s in ("AAA", "BBB") for r in ("call", "put") for k in (0.9, 1.0, 1.1)]
TABLE = [A, B, C, *OPTIONS]
PRICE = {
    o.id: round(float(mc.pricing.price(SPOT[o.underlying], o.strike, 28 / 365, 0.04, 0.0, 0.3, o.right)), 4)
    for o in OPTIONS
}
MARKET = mc.Market(WHEN, spot=SPOT, price=PRICE, vol={o.id: 0.3 for o in OPTIONS}, rate={"USD": 0.04})
GROUPS: dict[str, Any] = {
    "class_groups": {"AAA": {"product_group": "P"}, "BBB": {"product_group": "P"}},
    "product_groups": {"P": {"offset": 0.9}},
}
RULES: dict[str, Any] = {
    "percentages": [
        {"name": "all", "long": {"maintenance": 0.3}, "short": {"maintenance": 0.35, "per_share": 6.0}},
        {"name": "cheap", "priced_below": 5.0, "long": {"maintenance": 1.0}, "short": {"maintenance": 1.5}},
        {"name": "AAA", "of": {"symbols": ["AAA"]}, "long": {"maintenance": 0.45, "initial": 0.7}},
    ],
    "concentration": [
        {
            "name": "large",
            "of": {"classes": ["stock"]},
            "share_of": "gross",
            "long": [{"from": 0.3, "maintenance": 0.5}, {"from": 0.6, "maintenance": 0.8, "initial": 0.9}],
            "short": [{"from": 0.4, "maintenance": 0.9}],
        }
    ],
    "contracts": [{"name": "a contract", "short": 150.0, "long": 10.0}],
}


def house(base: mc.Methodology, rules: Any = RULES, **whose: Any) -> mc.methods.House:
    return mc.methods.House(base, rules, **{**WHOSE, **whose})


BASES: dict[str, mc.Methodology] = {
    "reg-t": mc.methods.RegT(underlyings=KNOWN),
    "tims": mc.methods.Tims(),
    "tims groups": mc.methods.Tims(**GROUPS),
    "combined": mc.methods.Combined(
        [
            (lambda c: c.underlying == "AAA", mc.methods.RegT(underlyings=KNOWN)),
            (lambda c: c.underlying != "AAA", mc.methods.Tims()),
        ]
    ),
}


def book(draw: random.Random) -> list[mc.Position]:
    rows = draw.sample(TABLE, draw.randint(1, len(TABLE)))
    return [mc.Position(c, draw.choice([-1, 1]) * draw.randint(1, 5) * (100 if c.kind == "stock" else 1)) for c in rows]


def held(name: str, positions: list[mc.Position]) -> list[ref.Held]:
    """Positions as the reference sees them, in the order of the table."""

    def group(symbol: str) -> str:
        if name == "combined":
            return f"Reg T: {symbol}" if symbol == "AAA" else f"OCC TIMS: {symbol}"
        return "P" if name == "tims groups" and symbol != "CCC" else symbol

    found = []
    for p in sorted(positions, key=lambda p: TABLE.index(p.contract)):
        c = p.contract
        is_option = c.kind == "option"
        price = PRICE[c.id] if is_option else SPOT[c.underlying]
        units = 100.0 if is_option else 1.0
        found.append(ref.Held(c.underlying, group(c.underlying), price, units, p.long, p.short, option=is_option))
    return found


def rows(report: mc.MarginReport) -> list[ref.Line]:
    return [(line.scope, line.component, line.initial, line.maintenance) for line in report.lines]


@pytest.mark.parametrize("name", BASES)
def test_a_house_is_its_rulebook_and_what_the_reference_adds(name: str) -> None:
    draw = random.Random(name)
    layered, base = (mc.Engine(m).prepare(TABLE, MARKET) for m in (house(BASES[name]), BASES[name]))
    asked = 0
    for _ in range(60):
        positions = book(draw)
        report, plain = layered.margin(positions), base.margin(positions)
        assert rows(report)[: len(plain.lines)] == rows(plain), "the rulebook's lines stay as they are"
        more = rows(report)[len(plain.lines) :]
        own = held(name, positions)
        if name == "combined":
            split = [[line for line in rows(plain) if line[0].startswith(p)] for p in ("Reg T", "OCC TIMS")]
            expected = ref.lines(split[0], RULES, own, stock=STOCK)
            expected = [line for line in expected if line[0] == "Reg T: AAA"]
            expected += [line for line in ref.lines(split[1], RULES, own) if line[0] != "Reg T: AAA"]
        else:
            places = {h.group for h in own}
            into = "P" if "P" in places else ""
            expected = ref.lines(
                rows(plain),
                RULES,
                own,
                group_of=lambda scope, into=into: into if into and scope in ("AAA", "BBB", "P") else scope,
                stock=STOCK if name == "reg-t" else (),
            )
        assert totals(more) == pytest.approx(totals(expected), rel=1e-12, abs=1e-9)
        assert {line[:2] for line in more if max(line[2:]) > 1e-9} == {
            line[:2] for line in expected if max(line[2:]) > 1e-9
        }
        assert report.adds_up()
        assert report.initial >= plain.initial
        assert report.maintenance >= plain.maintenance
        assert report.net_option_value == plain.net_option_value
        asked += bool(more)
    assert asked > 30


def totals(lines: list[ref.Line]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for scope, component, initial, maintenance in lines:
        for what, amount in (("initial", initial), ("maintenance", maintenance)):
            key = (f"{scope}/{component}", what)
            found[key] = found.get(key, 0.0) + amount
    return {key: amount for key, amount in found.items() if amount > 1e-9}


@pytest.mark.parametrize("name", BASES)
def test_order_threads_and_open_accounts_change_no_bit(name: str) -> None:
    draw = random.Random(name)
    prepared = mc.Engine(house(BASES[name])).prepare(TABLE, MARKET)
    books = [book(draw) for _ in range(40)]
    fresh = [prepared.margin(b).requirement for b in books]
    for positions, requirement in zip(books, fresh, strict=True):
        again = draw.sample(positions, len(positions))
        assert prepared.margin(again).requirement == requirement
    for threads in (1, 2):
        batch = prepared.margin_many([mc.Account(b) for b in books], threads=threads)
        assert list(batch.initial) == [r.initial for r in fresh]
        assert list(batch.maintenance) == [r.maintenance for r in fresh]
    live, positions = prepared.open(books[0]), {p.contract: p.quantity for p in books[0]}
    for _ in range(40):
        contract, lots = draw.choice(TABLE), draw.choice([-300, -2, -1, 1, 2, 300])
        positions[contract] = positions.get(contract, 0) + lots
        expected = prepared.margin([mc.Position(c, n) for c, n in positions.items() if n]).requirement
        assert live.what_if([(contract, lots)]).after == expected
        assert live.margin_after(TABLE.index(contract), lots) == expected.initial
        live.apply([(contract, lots)])
        assert live.margin == expected


def test_stock_and_options_are_compared_apart_under_reg_t() -> None:
    """A premium is no cover for a percentage of stock: 45 % of 10,000 is asked beside the call's cost."""
    positions = [mc.Position(A, 100), mc.Position(OPTIONS[0], 10)]
    report = mc.margin(positions, MARKET, house(BASES["reg-t"]), contracts=TABLE)
    plain = mc.margin(positions, MARKET, BASES["reg-t"], contracts=TABLE)
    assert report.maintenance - plain.maintenance == pytest.approx(max(0.45, 0.5) * 10_000 - 2_500)


def test_money_per_share_and_per_contract_by_hand() -> None:
    rules = {
        "percentages": [{"name": "five a share", "short": {"maintenance": 0.3, "per_share": 25.0}}],
        "contracts": [{"name": "100 a contract", "short": 100.0}],
    }
    prepared = mc.Engine(house(mc.methods.Tims(), rules)).prepare(TABLE, MARKET)
    stock = prepared.margin([mc.Position(B, -100)])
    assert rows(stock)[-1] == ("BBB", "five a share", 2_500.0 - 600.0, 2_500.0 - 600.0)
    far = option("BBB", "put", 10.0)
    market = mc.Market(WHEN, spot=SPOT, vol={far.id: 0.3}, rate={"USD": 0.04})
    report = mc.margin([mc.Position(far, -3)], market, house(mc.methods.Tims(), rules))
    assert [(line.component, round(line.initial, 6)) for line in report.lines[-2:]] == [
        ("minimum per contract", 112.5), ("100 a contract", 187.5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("share_of", "share"),
    [("named", 1.0), ("securities", 10_000 / 14_000), ("gross", None), ({"equity": 25_000.0}, 0.4)],
)
def test_concentration_by_each_whole(share_of: Any, share: float | None) -> None:
    tiers = [{"from": k / 100, "maintenance": k / 100} for k in range(26, 100)]
    rule = {"name": "large", "of": {"symbols": ["AAA"]}, "share_of": share_of, "long": tiers}
    layered = house(BASES["reg-t"], {"concentration": [rule]})
    positions = [mc.Position(A, 100), mc.Position(B, 100), mc.Position(OPTIONS[0], 5)]
    report = mc.margin(positions, MARKET, layered, contracts=TABLE)
    if share is None:
        share = 10_000 / (14_000 + 500 * PRICE[OPTIONS[0].id])
    found = report.details["house"]["concentration"]["large"]["shares"]
    assert found == {"AAA": {"long": pytest.approx(share), "short": 0.0}}
    percent = min(99, int(100 * share + 1e-9))
    assert report.lines[-1].maintenance == pytest.approx(10_000 * (percent / 100 - 0.25))


def test_a_stricter_rulebook_pairs_again() -> None:
    """25 % and 15 % of the underlying: a spread stays a spread, an uncovered put costs more."""
    rule = {"name": "25 %", "parameters": {"classes": {"equity": {"base": 0.25, "minimum": 0.15}}}}
    layered = house(BASES["reg-t"], {"stricter": rule})
    at = option("AAA", "put", 100.0)
    low = option("AAA", "put", 90.0)
    alone = mc.margin([mc.Position(at, -1)], MARKET, layered, contracts=TABLE)
    assert rows(alone)[-1] == ("AAA", "25 %", pytest.approx(500.0), pytest.approx(500.0))
    spread = mc.margin([mc.Position(at, -1), mc.Position(low, 1)], MARKET, layered, contracts=TABLE)
    assert all(line.component != "25 %" for line in spread.lines)


def test_a_stricter_tims_prices_its_own_points() -> None:
    rule = {"name": "25 % down", "parameters": {"default_range": {"down": -0.25, "up": 0.2}}}
    layered = house(mc.methods.Tims(), {"stricter": rule})
    strict = mc.methods.Tims(default_range={"down": -0.25, "up": 0.2})
    positions = [mc.Position(A, 100), mc.Position(option("AAA", "put", 90.0), -2)]
    prepared = mc.Engine(layered).prepare(TABLE, MARKET)
    report = prepared.margin(positions)
    assert report.initial == pytest.approx(mc.margin(positions, MARKET, strict, contracts=TABLE).initial)
    assert report.lines[-1].component == "25 % down"
    assert report.greeks
    market = mc.Market(
        WHEN, spot={**SPOT, "AAA": 101.0}, price=PRICE, vol={o.id: 0.3 for o in OPTIONS}, rate={"USD": 0.04}
    )
    moved, fresh = prepared.update(spot={"AAA": 101.0}, marks="keep"), mc.Engine(layered).prepare(TABLE, market)
    assert moved.margin(positions).requirement == fresh.margin(positions).requirement != report.requirement


def test_a_rulebook_without_groups_is_compared_per_account() -> None:
    future = mc.Future("AAA", expiry=EXPIRY, settles="pm", multiplier=10, currency="USD")
    draw = random.Random(2)
    prices = [100.0]
    for _ in range(60):
        prices.append(prices[-1] * (1 + draw.gauss(0.0, 0.02)))
    base = mc.methods.HistoricalVar({"AAA": prices}, returns="relative", measure="order_floor", confidence="0.95")
    market = mc.Market(WHEN, spot=SPOT, price={future.id: 100.0})
    layered = house(base, {"percentages": [{"name": "30 %", "long": {"maintenance": 0.3}}]})
    for gross in (False, True):
        account = mc.Account([mc.Position(A, 100), mc.Position(future, -5)], gross=gross)
        report, plain = (mc.margin(account, market, m) for m in (layered, base))
        assert report.initial == pytest.approx(max(3_000.0, plain.initial))
        assert report.lines[-1].scope == "account"
        assert report.details["house"]["compared"] == "account"


def test_gross_accounts_are_for_rulebooks_that_take_them() -> None:
    with pytest.raises(mc.NotApplicable, match="gross"):
        mc.margin(mc.Account([mc.Position(A, 100)], gross=True), MARKET, house(BASES["tims"]), contracts=TABLE)


def test_every_shipped_house_has_its_source_and_margins() -> None:
    for preset in ("firstrade-concentration-2023", "webull-stock-2026"):
        layered = mc.methods.House(BASES["reg-t"], preset)
        report = mc.margin([mc.Position(A, 100), mc.Position(C, 100)], MARKET, layered, contracts=TABLE)
        assert report.parameters["source"].count(" + ") >= 1
        assert report.adds_up()
    assert [line.maintenance for line in report.lines if line.component == "below 3 a share"] == []
    spx = mc.Option(
        "SPX", "put", 4500, expiry=EXPIRY, settles="am", exercise="european", multiplier=100, currency="USD"
    )
    market = mc.Market(WHEN, spot={"SPX": 4_500.0}, price={spx.id: 80.0})
    layered = mc.methods.House(mc.methods.RegT(), "tastytrade-index-options-2026")
    report = mc.margin([mc.Position(spx, -1)], market, layered)
    assert report.initial == pytest.approx(0.25 * 450_000.0)  # Reg T itself: 15 %


def test_concentrated_stock_as_the_house_published_it() -> None:
    """A 40 % concentration takes 40 %, a 55 % one 50 %."""
    stocks = [mc.Stock(s, currency="USD") for s in ("XA", "XB", "XC")]
    market = mc.Market(WHEN, spot={s.underlying: 10.0 for s in stocks})
    layered = mc.methods.House(mc.methods.RegT(), "firstrade-concentration-2023")
    for shares, rate in ((400, 0.4), (550, 0.5)):
        held = [mc.Position(stocks[0], shares), mc.Position(stocks[1], (1000 - shares) // 3)]
        held.append(mc.Position(stocks[2], 1000 - shares - (1000 - shares) // 3))
        report = mc.margin(held, market, layered)
        assert report.by_scope()["XA"].maintenance == pytest.approx(rate * shares * 10.0)


REFUSED: list[tuple[dict[str, Any], type[Exception], str, str]] = [
    (
        {"percentages": [{"name": "a", "long": {"maintenance": -0.1}}]},
        mc.InvalidInput, "out_of_range", "long: maintenance",
    ),
    ({"percentages": [{"name": "a", "long": {"maintenance": 30}}]}, mc.InvalidInput, "out_of_range", "0.1 is 10 %"),
    ({"percentages": [{"name": "a", "short": {"maintenance": 30}}]}, mc.InvalidInput, "out_of_range", "from 0 to 3"),
    ({"percentages": [{"name": "a", "long": {"maintenance": float("nan")}}]}, mc.InvalidInput, "not_finite", "house"),
    ({"percentages": [{"name": "a"}]}, mc.InvalidInput, "not_stated", "neither long nor short"),
    ({"percentages": [{"name": "a", "long": {"initial": 0.5}}]}, mc.InvalidInput, "not_stated", "maintenance"),
    ({"percentages": [{"name": "a", "longs": {}}]}, mc.InvalidInput, "unknown_name", "did you mean 'long'"),
    ({"percentage": []}, mc.InvalidInput, "unknown_name", "did you mean 'percentages'"),
    ({}, mc.InvalidInput, "not_stated", "no rules"),
    (
        {"contracts": [{"name": "a", "short": 1.0, "of": {"classes": ["etfs"]}}]},
        mc.InvalidInput, "unknown_name", "did you mean 'etf'",
    ),
    ({"contracts": [{"name": "a", "short": -1.0}]}, mc.InvalidInput, "out_of_range", "cannot be negative"),
    (
        {"contracts": [{"name": "a", "short": 1.0}, {"name": "a", "long": 1.0}]},
        mc.InvalidInput, "duplicate", "two rules are called 'a'",
    ),
    (
        {"concentration": [{"name": "a", "share_of": "named", "long": [{"from": 25, "maintenance": 0.5}]}]},
        mc.InvalidInput, "out_of_range", "from",
    ),
    (
        {"concentration": [{"name": "a", "share_of": "named",
                            "long": [{"from": 0.5, "maintenance": 0.5}, {"from": 0.25, "maintenance": 0.3}]}]},
        mc.InvalidInput, "contradiction", "shares rise",
    ),
    (
        {"concentration": [{"name": "a", "share_of": "equity", "long": [{"from": 0.5, "maintenance": 0.5}]}]},
        mc.InvalidInput, "wrong_type", "share_of",
    ),
    (
        {"percentages": [{"name": "a", "priced_from": 5.0, "priced_below": 3.0, "long": {"maintenance": 0.5}}]},
        mc.InvalidInput, "contradiction", "no price is between",
    ),
    ({"stricter": {"name": "a", "parameters": {"pairings": "greedy"}}}, mc.InvalidInput, "unknown_name", "pairing"),
    ({"stricter": {"name": "a", "parameters": {"name": "tims"}}}, mc.InvalidInput, "contradiction", "its name already"),
    ({"contracts": [{"name": "a"}]}, mc.InvalidInput, "not_stated", "money per contract is needed"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "kind", "code", "says"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_rule_is_refused(rules: dict[str, Any], kind: type[Exception], code: str, says: str) -> None:
    with pytest.raises(kind, match=says.replace("(", r"\(")) as caught:
        house(BASES["reg-t"], rules)
    assert (caught.value.code, "house" in str(caught.value)) == (code, True)  # type: ignore[attr-defined]


def test_a_symbol_nobody_knows_is_refused_with_the_nearest() -> None:
    rules = {"percentages": [{"name": "a", "of": {"symbols": ["AAAA"]}, "long": {"maintenance": 0.5}}]}
    with pytest.raises(mc.InvalidInput, match="did you mean 'AAA'") as caught:
        mc.Engine(house(BASES["reg-t"], rules)).prepare(TABLE, MARKET)
    assert caught.value.code == "unknown_name"
    assert caught.value.value == "AAAA"
    skipping = house(BASES["reg-t"], {**rules, "unknown_symbols": "skip"})
    assert len(mc.margin([mc.Position(A, 100)], MARKET, skipping, contracts=TABLE).lines) == 1


def test_what_decides_and_is_not_stated_is_missing() -> None:
    rules = {"contracts": [{"name": "narrow", "of": {"classes": ["narrow"]}, "short": 100.0}]}
    with pytest.raises(mc.MissingData, match="class of 'AAA'") as caught:
        mc.Engine(house(BASES["tims"], rules)).prepare(OPTIONS, MARKET)
    assert caught.value.code == "not_stated"
    table = mc.Securities().extended([{"symbol": s, "kind": "stock", "source": "a test"} for s in ("AAA", "BBB")])
    mc.Engine(house(BASES["tims"], rules, securities=table)).prepare(OPTIONS, MARKET)
    large = {"name": "l", "share_of": "gross", "long": [{"from": 0.5, "maintenance": 0.5}]}
    unpriced = mc.Market(WHEN, spot=SPOT, vol={o.id: 0.3 for o in OPTIONS}, rate={"USD": 0.04})
    with pytest.raises(mc.MissingData, match="no mark for") as caught:
        mc.Engine(house(BASES["tims"], {"concentration": [large]})).prepare(TABLE, unpriced)
    assert caught.value.code == "missing_price"


def test_whose_rules_they_are_has_to_be_said() -> None:
    rules = {"contracts": [{"name": "a", "short": 100.0}]}
    for left in WHOSE:
        with pytest.raises(mc.MissingData, match="give name, date and source"):
            mc.methods.House(BASES["tims"], rules, **{key: WHOSE[key] for key in WHOSE if key != left})
    with pytest.raises(mc.InvalidInput, match="house: date") as caught:
        house(BASES["tims"], rules, date="last week")
    assert caught.value.code == "bad_time"
    assert house(BASES["tims"], rules, date=dt.date(2026, 11, 20)).parameters["effective"].endswith(" + 2026-11-20")
    with pytest.raises(mc.InvalidInput, match="webull-stock-2026"):
        mc.methods.House(BASES["tims"], "webull-stock")
    with pytest.raises(mc.InvalidInput, match="a rulebook is needed"):
        mc.methods.House("reg-t", rules, **WHOSE)  # type: ignore[arg-type]
    with pytest.raises(mc.NotApplicable, match="not built from a document"):
        house(BASES["combined"], {"stricter": {"name": "a", "parameters": {}}})


def test_intraday_margin_levels_are_not_for_a_house() -> None:
    prepared = mc.Engine(house(BASES["reg-t"])).prepare(TABLE, MARKET)
    with pytest.raises(mc.NotApplicable, match="4210"):
        mc.intraday.day(prepared, [mc.Position(A, 100)], [mc.intraday.Fill(A, 100, 100.0)])


def test_pickles_and_documents_are_the_same_house() -> None:
    layered = house(BASES["reg-t"])
    positions = [mc.Position(A, 100), mc.Position(OPTIONS[0], -2)]
    report = mc.margin(positions, MARKET, layered, contracts=TABLE)
    for same in (pickle.loads(pickle.dumps(layered)), copy.deepcopy(layered)):
        assert mc.margin(positions, MARKET, same, contracts=TABLE).to_dict() == report.to_dict()
    document = json.loads(json.dumps(layered.to_dict()))
    again = mc.documents.methodology_from_document(document)
    assert again.parameters == layered.parameters
    assert again.name == layered.name == "Reg T with Our desk"
    held_in_one = {
        "account": {
            "positions": [{"contract": {"kind": "stock", "underlying": "AAA", "currency": "USD"}, "quantity": 100}]
        },
        "market": {"valuation": WHEN, "spot": {"AAA": 100.0}},
        "methodology": document,
    }
    assert mc.evaluate(held_in_one)["lines"][-1]["component"] == "large"
    with pytest.raises(mc.NotApplicable, match="no document says"):
        house(BASES["combined"]).to_dict()
    twice = house(layered, {"contracts": [{"name": "more", "short": 5_000.0}]}, name="Another")
    assert mc.margin(positions, MARKET, twice, contracts=TABLE).lines[-1].component == "more"
    assert twice.to_dict()["base"]["base"]["name"] == "reg-t"


def test_a_statement_and_a_comparison_show_what_the_house_asks() -> None:
    account = mc.Account([mc.Position(A, 100)], cash={"USD": -6_000.0})
    rules = {"percentages": [{"name": "45 %", "long": {"maintenance": 0.45}}]}
    layered = house(BASES["reg-t"], rules)
    page = mc.statement(account, MARKET, layered, holidays=[dt.date(2026, 11, 26), dt.date(2026, 12, 25)])
    plain = mc.statement(account, MARKET, BASES["reg-t"], holidays=[dt.date(2026, 11, 26), dt.date(2026, 12, 25)])
    assert page.regime == plain.regime == "reg_t"
    assert not plain.calls
    assert [(call.kind, call.amount) for call in page.calls] == [("maintenance", pytest.approx(500.0))]
    compared = mc.compare(account, MARKET, [BASES["reg-t"], layered, BASES["tims"]])
    assert [round(o.maintenance, 2) for o in compared.outcomes] == [2_500.0, 4_500.0, 1_500.0]
