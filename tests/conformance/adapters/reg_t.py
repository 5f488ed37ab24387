"""Cases of Reg T: one underlying, a few positions, and the numbers of a manual, an exchange's table or a broker."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import margincore as mc

from ..cases import Check, Entry, MalformedCase, entries, only, required

NUMBER = (int, float)
VALUATION = dt.datetime(2026, 10, 15, 16, 0, tzinfo=dt.timezone(dt.timedelta(hours=-4)))
"""Any day: cases state tenors in months, or calendar months of the rest of one year."""

USUAL_MONTHS = 3
"""The tenor of options whose case states none: short of nine months, as the manual's examples are."""

CLASSES = {
    "equity": ("equity", 0.20, 0.10),
    "narrow_based_index": ("narrow_index", 0.20, 0.10),
    "broad_based_index": ("broad_index", 0.15, 0.10),
    "etf_narrow": ("etf", 0.20, 0.10),
    "etf_broad": ("broad_etf", 0.15, 0.10),
    "etf_leveraged_narrow": ("etf", 0.20, 0.10),
    "etf_leveraged_broad": ("broad_etf", 0.15, 0.10),
}
"""The cases' kinds of underlying, our classes, and the percentages that both have."""

UNDERLYING_KEYS = {
    "price", "kind", "short_option_base_pct", "short_option_min_pct", "leverage_factor", "index_value_divisor",
    "note",
}  # fmt: skip
POSITION_KEYS = {
    "type", "right", "strike", "quantity", "price", "multiplier", "listed", "months_to_expiry", "style",
    "strike_scale", "symbol", "expiry", "expiry_label", "note", "notes",
}  # fmt: skip
EXPECTED_KEYS = {"initial_gross", "initial_net_deposit", "maintenance", "cash_account"}


def collect(path: Path, document: Any) -> list[Entry]:
    """One entry per case."""
    found = entries(path, document)
    for entry in found:
        case = entry.document
        required(case, "method", str, entry.id)
        only(required(case, "expected", dict, entry.id), EXPECTED_KEYS, f"{entry.id}: expected")
        required(case, "tolerance_usd", NUMBER, entry.id)
        if case.get("underlying") is not None:
            only(case["underlying"], UNDERLYING_KEYS, f"{entry.id}: underlying")
        for position in required(case, "positions", list, entry.id):
            only(position, POSITION_KEYS, f"{entry.id}: position")
    return found


def run(entry: Entry) -> list[Check]:
    """Every number the case expects, each from the report's own field of that meaning."""
    case = entry.document
    book = _Book(entry.id, case)
    details = book.details(**_presentation(case["method"]))
    actual = {
        "initial_gross": details["gross"],
        "initial_net_deposit": details["net_deposit"],
        "maintenance": details["maintenance"],
    }
    if "ib" in case["method"].split("_"):  # the broker's screen shows no cost of long options
        actual["initial_gross"] = details["initial"]["margin"]
    if "cash_account" in case["expected"]:
        actual["cash_account"] = book.details(account_kind="cash")["net_deposit"]
    return [
        Check(name, float(expected), float(actual[name]), abs_=float(case["tolerance_usd"]))
        for name, expected in case["expected"].items()
    ]


def _presentation(method: str) -> dict[str, Any]:
    """A spread's maximum loss alone, a broker's house rules, or the rulebook with its cheapest pairing."""
    if method == "max_loss":
        return {"pairing": "one_spread"}
    if "ib" in method.split("_"):
        return {"preset": "reg-t-ibkr"}
    return {}


def _expiry(position: dict[str, Any]) -> dt.date:
    label = position.get("expiry_label")
    if label is not None:
        if not label.startswith("month "):
            raise MalformedCase(f"expiry_label {label!r}")
        months = (int(label.removeprefix("month ")) - VALUATION.month) % 12
    else:
        months = position.get("months_to_expiry", USUAL_MONTHS)
    years, month = divmod(VALUATION.month - 1 + months, 12)
    return dt.date(VALUATION.year + years, month + 1, VALUATION.day)


class _Book:
    """Positions of a case, the market they stand in, and what the underlyings are."""

    def __init__(self, name: str, case: dict[str, Any]) -> None:
        self.name = name
        self.positions: list[mc.Position] = []
        self.price: dict[str, float] = {}
        self.percentages: dict[str, Any] = {}
        self.underlyings: dict[str, dict[str, Any]] = {}
        self.spot: dict[str, float] = {}
        self._underlying(case)
        for number, position in enumerate(case["positions"]):
            self._add(f"{name}-{number}", position)

    def _underlying(self, case: dict[str, Any]) -> None:
        terms = case.get("underlying")
        if terms is None:
            # The maximum loss of a spread does not depend on where the underlying stands.
            terms = {"price": case["positions"][0]["strike"], "kind": "equity"}
        kind = required(terms, "kind", str, self.name)
        stated = (terms.get("short_option_base_pct", 0.20), terms.get("short_option_min_pct", 0.10))
        known = CLASSES.get(kind)
        if known is not None and known[1:] == stated:
            name = known[0]
        else:
            name = "case"
            self.percentages["case"] = {
                "base": stated[0],
                "minimum": stated[1],
                "cash_settled": "index" in kind,
            }
        self.is_index = "index" in kind
        self.leverage = float(terms.get("leverage_factor", 1))
        self.underlyings["XYZ"] = {"class": name, "leverage": self.leverage}
        self.spot["XYZ"] = float(required(terms, "price", NUMBER, self.name))
        divisor = float(terms.get("index_value_divisor", 1))
        if divisor != 1:
            self.underlyings["XYZ"] |= {"of": "FULL", "divisor": divisor}
            self.spot = {"FULL": self.spot["XYZ"]}
            self.underlyings["FULL"] = {"class": name}

    def _add(self, identity: str, position: dict[str, Any]) -> None:
        kind = required(position, "type", str, identity)
        if kind in ("stock", "etf"):
            contract = self._shares(position)
        elif kind == "option":
            contract = self._option(identity, position)
        else:
            raise MalformedCase(f"{identity}: position of type {kind!r}")
        self.positions.append(mc.Position(contract, int(required(position, "quantity", NUMBER, identity))))

    def _shares(self, position: dict[str, Any]) -> mc.Contract:
        symbol = position.get("symbol", "FUND" if self.is_index else "XYZ")
        if symbol == "XYZ":
            contract = mc.Stock(symbol, currency="USD")
        else:
            contract = mc.Etf(symbol, currency="USD")
            self.underlyings[symbol] = {"class": "broad_etf", "tracks": "XYZ"}
        self.price[contract.id] = float(required(position, "price", NUMBER, symbol))
        self.spot.setdefault(symbol, self.price[contract.id])
        return contract

    def _option(self, identity: str, position: dict[str, Any]) -> mc.Contract:
        underlying = "XYZ"
        scale = position.get("strike_scale", 1)
        if scale != 1:
            underlying = "REDUCED"
            self.underlyings[underlying] = {
                **self.underlyings["XYZ"],
                "of": "XYZ",
                "divisor": round(1 / scale, 9),
            }
        contract = mc.Option(
            underlying,
            {"C": "call", "P": "put"}[required(position, "right", str, identity)],
            required(position, "strike", NUMBER, identity),
            expiry=_expiry(position).isoformat(),
            settles="pm",
            exercise=position.get("style", "american"),
            multiplier=required(position, "multiplier", NUMBER, identity),
            currency="USD",
            listed=position.get("listed", True),
            id=identity,  # a case may hold one series twice
        )
        # Where the source gives no premium its number does not depend on one.
        self.price[contract.id] = float(position["price"] if position.get("price") is not None else 0.0)
        return contract

    def details(self, **options: Any) -> dict[str, Any]:
        rulebook = mc.methods.RegT(underlyings=self.underlyings, percentages=self.percentages or None, **options)
        market = mc.Market(VALUATION.isoformat(), spot=self.spot, price=self.price)
        report = mc.margin(mc.Account(self.positions), market, rulebook)
        assert report.adds_up()
        details: dict[str, Any] = report.details
        assert details["initial"]["gap"] == 0.0
        return details
