"""Reg T through the public API: worked numbers, the reference over all partitions, and what must always hold."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

import margincore as mc
from margincore.reference import reg_t as reference

VALUATION = "2026-11-20T16:00:00-05:00"
EXPIRIES = {1: "2026-12-18", 2: "2027-01-15", 12: "2027-12-17"}
Book = list[tuple[mc.Contract, int, float]]


def option(right: str, strike: float, months: int = 1, *, underlying: str = "XYZ", style: str = "american",
           id: str | None = None, listed: bool = True) -> mc.Contract:  # fmt: skip
    return mc.Option(
        underlying, right, strike, expiry=EXPIRIES[months], settles="pm", exercise=style,  # type: ignore[arg-type]
        multiplier=100, currency="USD", id=id, listed=listed,
    )  # fmt: skip


def margin(book: Book, spot: dict[str, float], kind: str = "margin", **changes: Any) -> mc.MarginReport:
    changes = {"classes": {"XYZ": "equity"}, **changes}
    market = mc.Market(VALUATION, spot=spot, price={c.id: price for c, _, price in book})
    account = mc.Account([mc.Position(c, n) for c, n, _ in book], kind=kind)
    report = mc.margin(account, market, mc.methods.RegT(**changes))
    assert report.adds_up()
    return report


STOCK = mc.Stock("XYZ", currency="USD")


@pytest.mark.parametrize(
    ("book", "spot", "expected"),
    [
        # Cboe Margin Manual, short straddle: the greater requirement and the other premium.
        ([(option("call", 90), -1, 7.0), (option("put", 90), -1, 3.7)], 92.63,
         {"gross": 2922.60, "net_deposit": 1852.60}),
        # A long box that is not European and cash-settled: the debit in full.
        ([(option("call", 40), 1, 15.4), (option("call", 50), -1, 7.2), (option("put", 50), 1, 1.75),
          (option("put", 40), -1, 0.4)], 50.0, {"gross": 1715.0, "net_deposit": 955.0}),
        # Short expires after the long: no spread.
        ([(option("call", 70, 1), 1, 5.0), (option("call", 70, 2), -1, 8.0)], 75.0,
         {"gross": 2800.0, "net_deposit": 2000.0}),
        # A 1 by 2 ratio: one spread, one uncovered.
        ([(option("call", 40), 1, 5.0), (option("call", 45), -2, 3.0)], 44.0, {"net_deposit": 980.0}),
        # Overlapping debit spreads need nothing beyond the debit, whichever way a matcher would pair them.
        ([(option("call", 598), 1, 8.11), (option("call", 603), -1, 4.85), (option("call", 600), 1, 6.72),
          (option("call", 605), -1, 3.77)], 600.4, {"maintenance": 0.0}),
        # Stock with options, maintenance: protective put and call, conversion, reverse conversion, collar.
        ([(STOCK, 100, 103.5), (option("put", 95), 1, 0.0)], 103.5, {"maintenance": 1800.0}),
        ([(STOCK, -100, 46.0), (option("call", 50), 1, 0.0)], 46.0, {"maintenance": 5900.0}),
        ([(STOCK, 100, 115.0), (option("put", 110), 1, 1.35), (option("call", 110), -1, 6.5)], 115.0,
         {"maintenance": 1100.0}),
        ([(STOCK, -100, 115.0), (option("call", 110), 1, 6.5), (option("put", 110), -1, 1.35)], 115.0,
         {"maintenance": 12_100.0}),
        ([(STOCK, -100, 71.9), (option("call", 75), 1, 0.0), (option("put", 75), -1, 0.0)], 71.9,
         {"maintenance": 8560.0}),
        ([(STOCK, 100, 31.75), (option("put", 30), 1, 0.5), (option("call", 35), -1, 0.5)], 31.75,
         {"maintenance": 475.0}),
    ],
)  # fmt: skip
def test_the_manual_s_numbers(book: Book, spot: float, expected: dict[str, float]) -> None:
    details = margin(book, {"XYZ": spot}).details
    assert {key: details[key] for key in expected} == pytest.approx(expected)


def test_reduced_value_series_spread_against_full_ones() -> None:
    book = [
        (option("call", 45, 12, underlying="XSP", style="european"), 10, 1.35),
        (option("call", 450, 1, underlying="SPX", style="european"), -1, 0.25),
    ]
    details = margin(book, {"SPX": 433.35}).details
    assert (details["gross"], details["net_deposit"]) == pytest.approx((1350.0, 1325.0))


def test_over_the_counter_loan_value_is_on_the_money_only() -> None:
    book = [(option("call", 665, 12, underlying="SPX", style="european", listed=False), 1, 11.0)]
    assert margin(book, {"SPX": 667.34}).details["gross"] == pytest.approx(1041.5)


def test_low_priced_and_leveraged_stock() -> None:
    low = [(STOCK, -100, 2.0)]
    report = margin(low, {"XYZ": 2.0})
    assert report.requirement.maintenance == 250.0  # $2.50 a share
    assert report.requirement.initial == 250.0  # never below maintenance
    assert [line.component for line in report.lines][-1].startswith("maintenance above")
    triple = margin([(mc.Etf("UPRO", currency="USD"), 100, 50.0)], {"UPRO": 50.0})
    assert triple.requirement.maintenance == 3750.0
    fund = margin([(mc.Etf("SPY", currency="USD"), 100, 600.0)], {"SPY": 600.0})
    assert [line.scope for line in fund.lines] == ["SPY"]  # the index it tracks is not held


def test_morning_settlement_is_earlier_only_where_asked() -> None:
    def spx(settles: str) -> mc.Contract:
        return mc.Option("SPX", "call", 4500, expiry="2026-12-18", settles=settles, exercise="european",  # type: ignore[arg-type]
                         multiplier=100, currency="USD", id=settles)  # fmt: skip

    book = [(spx("am"), 1, 50.0), (spx("pm"), -1, 50.0)]
    assert margin(book, {"SPX": 4500.0}).requirement.initial == 0.0
    assert margin(book, {"SPX": 4500.0}, expiry_order="instant").requirement.initial > 60_000.0


def test_one_spread_is_margined_as_entered_or_refused() -> None:
    legs = [(option("call", 100), -1, 5.0), (option("call", 190), 1, 0.01)]
    assert margin(legs, {"XYZ": 100.0}, pairing="one_spread").details["maintenance"] == 9000.0
    assert margin(legs, {"XYZ": 100.0}).details["maintenance"] == 2500.0
    with pytest.raises(mc.NotApplicable, match="universal spread"):
        margin([*legs, (option("call", 110), -1, 2.0)], {"XYZ": 100.0}, pairing="one_spread")


def test_cash_accounts() -> None:
    put = [(option("put", 20), -1, 1.5)]
    assert margin(put, {"XYZ": 19.5}, kind="cash").details["net_deposit"] == 1850.0
    assert margin(put, {"XYZ": 19.5}, kind="margin", account_kind="cash").details["net_deposit"] == 390.0
    for book in ([(option("call", 20), -1, 1.0)], [(STOCK, -100, 19.5)],
                 [(option("call", 20), -1, 1.0), (option("call", 25), 1, 0.1)]):  # fmt: skip
        with pytest.raises(mc.NotApplicable):
            margin(book, {"XYZ": 19.5}, kind="cash")
    with pytest.raises(mc.NotApplicable, match="hedger"):
        margin(put, {"XYZ": 19.5}, kind="hedger")


def test_missing_marks_are_named() -> None:
    contract = option("put", 20)
    market = mc.Market(VALUATION, spot={"XYZ": 19.5})
    with pytest.raises(mc.MissingData, match="20 put"):
        mc.margin([mc.Position(contract, -1)], market, mc.methods.RegT(classes={"XYZ": "equity"}))


# --- against the reference, over all partitions -----------------------------------------------------------------


class Draw:
    """A small random book in both forms: contracts of the engine, single items of the reference."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.index = draw.random() < 0.4
        self.symbol = "SPX" if self.index else "XYZ"
        self.style = "european" if self.index else "american"
        self.spot = {self.symbol: 100.0}
        self.book: Book = []
        self.items: list[reference.Leg | reference.Stock] = []
        percentages = reference.Percentages(*((0.15, 0.10) if self.index else (0.20, 0.10)))
        if draw.random() < 0.6:
            side = draw.choice([1, -1])
            blocks = draw.randint(1, 2)
            if self.index:  # 1,000 shares of a fund at a tenth of the index
                self.book.append((mc.Etf("SPY", currency="USD"), side * 1000 * blocks, 10.0))
                self.spot["SPY"] = 10.0
                stock = reference.Stock(side * 1000, 10.0, covers=("SPY",), tracks=("SPX",))
            else:
                self.book.append((STOCK, side * 100 * blocks, 100.0))
                stock = reference.Stock(side * 100, 100.0)
            self.items += [stock] * blocks
        while len(self.items) < draw.randint(4, 8):
            right = draw.choice(["call", "put"])
            strike = float(draw.choice(range(80, 121, 5)))
            months = draw.choice([1, 1, 2, 12])
            price = round(max(100.0 - strike if right == "call" else strike - 100.0, 0.0) + months**0.5
                          * 4.0 * 2.718281828 ** (-(((strike - 100.0) / 15.0) ** 2)), 2)  # fmt: skip
            quantity = draw.choice([1, 1, 2]) * draw.choice([1, -1])
            contract = option(right, strike, months, underlying=self.symbol, style=self.style)
            if any(contract == c for c, _, _ in self.book):
                continue
            self.book.append((contract, quantity, price))
            leg = reference.Leg(
                right, strike, months, 1 if quantity > 0 else -1, price, 100.0, style=self.style,
                cash_settled=self.index, long_dated=months > 9, underlying=self.symbol, percentages=percentages,
            )  # fmt: skip
            self.items += [leg] * abs(quantity)


@pytest.mark.parametrize("seed", range(250))
def test_the_optimum_is_the_cheapest_of_all_partitions(seed: int) -> None:
    draw = Draw(seed)
    assert len(draw.items) <= 9, "more partitions than can be enumerated: no book goes unchecked"
    book = tuple(draw.items)
    for pairing, oracle in (("optimal", reference.optimal), ("two_leg", reference.two_leg)):
        report = margin(draw.book, draw.spot, pairing=pairing, initial_at_least_maintenance=False)
        assert report.requirement.initial == pytest.approx(oracle(book).equity, abs=1e-6)
        assert report.requirement.maintenance == pytest.approx(oracle(book, maintenance=True).equity, abs=1e-6)
    optimal = margin(draw.book, draw.spot).details
    for date in ("initial", "held"):
        assert optimal[date]["gap"] == 0.0
        assert optimal[date]["greedy_equity_required"] >= optimal[date]["equity_required"] - 1e-6
        parts = sum(group["equity_required"] for group in optimal[date]["pairing"])
        assert parts == pytest.approx(optimal[date]["equity_required"], abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_every_contract_is_paired_once(seed: int) -> None:
    draw = Draw(seed)
    details = margin(draw.book, draw.spot).details
    for date in ("initial", "held"):
        held: dict[str, float] = {}
        for group in details[date]["pairing"]:
            for leg in group["legs"]:
                held[leg["contract"]] = held.get(leg["contract"], 0.0) + leg["quantity"]
            made_of: dict[str, float] = {}
            for part in group.get("made_of", []):
                for leg in part["legs"]:
                    made_of[leg["contract"]] = made_of.get(leg["contract"], 0.0) + leg["quantity"]
            if made_of:
                assert made_of == {leg["contract"]: leg["quantity"] for leg in group["legs"]}
        assert held == {c.id: pytest.approx(n) for c, n, _ in draw.book}


@pytest.mark.parametrize("seed", range(20))
def test_the_table_s_order_does_not_matter(seed: int) -> None:
    draw = Draw(seed)
    forward = margin(draw.book, draw.spot).requirement
    backward = margin(draw.book[::-1], draw.spot).requirement
    assert (forward.initial, forward.maintenance) == (backward.initial, backward.maintenance)


def test_names_in_the_field_s_words() -> None:
    def named(*legs: tuple[str, float, int, int]) -> set[str]:
        book = [(option(right, strike, months), n, 5.0) for right, strike, months, n in legs]
        (group,) = margin(book, {"XYZ": 100.0}, pairing="one_spread").details["held"]["pairing"]
        return {part["strategy"] for part in group.get("made_of", [group])}

    assert named(("call", 95, 1, 1), ("call", 100, 1, -2), ("call", 105, 1, 1)) == {"long butterfly"}
    assert named(("put", 95, 1, 1), ("put", 100, 1, -1), ("call", 100, 1, -1), ("call", 105, 1, 1)) == {
        "iron butterfly"
    }
    assert named(("call", 100, 1, -1), ("call", 100, 2, 1)) == {"calendar spread"}
    assert named(("call", 95, 1, 1), ("call", 105, 1, -1), ("put", 105, 1, 1), ("put", 95, 1, -1)) == {"long box"}


def test_the_valuation_date_decides_the_nine_months() -> None:
    contract = mc.Option("XYZ", "call", 100, expiry="2027-08-20", settles="pm", exercise="american",
                         multiplier=100, currency="USD")  # fmt: skip
    rulebook = mc.methods.RegT(classes={"XYZ": "equity"})
    for day, expected in ((dt.date(2026, 11, 20), 1000.0), (dt.date(2026, 11, 19), 750.0)):
        market = mc.Market(f"{day}T16:00:00-05:00", spot={"XYZ": 100.0}, price={contract.id: 10.0})
        assert mc.margin([mc.Position(contract, 1)], market, rulebook).requirement.initial == expected
