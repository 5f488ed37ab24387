"""Cases of OCC TIMS: class groups with a price, a range and positions; expected is the portfolio margin."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import margincore as mc

from ..cases import CannotRun, Check, Entry, MalformedCase, entries, only, required

NUMBER = (int, float)
VALUATION = dt.datetime(2007, 2, 23, 16, 0, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
"""The close the published table is for; cases count days from it."""

CLASS_GROUP_KEYS = {
    "price", "down_move", "up_move", "style", "dividend_yield", "positions", "product_group", "factor",
}  # fmt: skip
POSITION_KEYS = {
    "type", "right", "strike", "quantity", "price", "days_to_expiry", "multiplier", "implied_vol", "symbol",
    "expiry",
}  # fmt: skip
OPTION_KEYS = ("grid", "vol", "minimum_level")
GROUP_KEYS = ("product_groups", "portfolio_groups", "product_group_offset")
INPUT_WORDS = ("group", "offset", "overlay", "factor", "minimum", "theoretical", "market")
"""What the name of an input that this adapter does not translate would contain; other unknown keys describe."""


def collect(path: Path, document: Any) -> list[Entry]:
    """One entry per case."""
    found = entries(path, document)
    for entry in found:
        case = entry.document
        inputs = {key: value for key, value in case.items() if any(word in key for word in INPUT_WORDS)}
        only(inputs, {"class_groups", *OPTION_KEYS, *GROUP_KEYS}, entry.id)
        required(case, "class_groups", dict, entry.id)
        required(required(case, "expected", dict, entry.id), "portfolio_margin", NUMBER, entry.id)
        for name, group in case["class_groups"].items():
            only(group, CLASS_GROUP_KEYS, f"{entry.id}: {name}")
            for position in required(group, "positions", list, f"{entry.id}: {name}"):
                only(position, POSITION_KEYS, f"{entry.id}: {name}")
    return found


def run(entry: Entry) -> list[Check]:
    """The account's requirement against the published or derived number."""
    case = entry.document
    tolerance = case.get("tolerance_rel")
    if not isinstance(tolerance, NUMBER) or case.get("model") is None:
        raise CannotRun("no tolerance or no inputs")
    book = _Book(case["model"])
    for name, group in case["class_groups"].items():
        book.add(entry.id, name, group)
    report = mc.margin(mc.Account(book.positions), book.market(), _methodology(entry.id, case))
    assert report.adds_up()
    return [
        Check(
            "portfolio_margin",
            case["expected"]["portfolio_margin"],
            report.requirement.initial,
            rel=tolerance,
        )
    ]


def _methodology(name: str, case: dict[str, Any]) -> mc.methods.Tims:
    """The case's ranges and groups as parameters of the rulebook."""
    class_groups: dict[str, Any] = {}
    products: dict[str, Any] = {}
    for group_name, group in case["class_groups"].items():
        where = f"{name}: {group_name}"
        entry: dict[str, Any] = {
            "range": {
                "down": required(group, "down_move", NUMBER, where),
                "up": required(group, "up_move", NUMBER, where),
            }
        }
        if "product_group" in group:
            entry["product_group"] = group["product_group"]
        class_groups[group_name] = entry
        for symbol in {group_name, *(p.get("symbol", group_name) for p in group["positions"])}:
            products[symbol] = {"class_group": group_name}
            if "factor" in group:
                products[symbol]["factor"] = group["factor"]
    options = {key: case[key] for key in OPTION_KEYS if key in case}
    product_groups: dict[str, Any] = {}
    if "product_group_offset" in case:
        members = {"offset": case["product_group_offset"], "class_groups": list(class_groups)}
        product_groups = _join({"case": members}, "class_groups", class_groups, "product_group", name)
    if "product_groups" in case:
        product_groups = _join(case["product_groups"], "class_groups", class_groups, "product_group", name)
    portfolio_groups: dict[str, Any] = {}
    if "portfolio_groups" in case:
        groups = case["portfolio_groups"]
        portfolio_groups = _join(groups, "product_groups", product_groups, "portfolio_group", name)
    return mc.methods.Tims(
        securities=mc.Securities.from_rows([]),  # what symbols are is for the case to say
        class_groups=class_groups,
        products=products,
        product_groups=product_groups,
        portfolio_groups=portfolio_groups,
        **options,
    )


def _join(groups: dict[str, Any], members: str, below: dict[str, Any], parent: str, case: str) -> dict[str, Any]:
    """Groups with their offsets; every member below gets its parent's name."""
    joined = {}
    for name, group in groups.items():
        only(group, ("offset", members), f"{case}: {name}")
        joined[name] = {"offset": required(group, "offset", NUMBER, f"{case}: {name}")}
        for member in group.get(members, []):
            required(below, member, dict, f"{case}: {name}")[parent] = name
    return joined


class _Book:
    """Positions of a case and the market they stand in."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.positions: list[mc.Position] = []
        self.rate = required(model, "rate", NUMBER, "model")
        self.spot: dict[str, float] = {}
        self.dividend_yield: dict[str, float] = {}
        self.price: dict[str, float] = {}
        self.vol: dict[str, float] = {}

    def add(self, case: str, name: str, group: dict[str, Any]) -> None:
        if group.get("price") is None:
            raise CannotRun(f"{name}: no price of the underlying")
        self.spot[name] = required(group, "price", NUMBER, f"{case}: {name}")
        if "dividend_yield" in group:
            self.dividend_yield[name] = required(group, "dividend_yield", NUMBER, f"{case}: {name}")
        for position in group["positions"]:
            kind = required(position, "type", str, f"{case}: {name}")
            if kind == "stock":
                contract = self._stock(name, position)
            elif kind == "future":
                contract = self._future(f"{case}: {name}", name, position)
            elif kind == "option":
                contract = self._option(f"{case}: {name}", name, group, position)
            else:
                raise MalformedCase(f"{case}: {name}: position of type {kind!r}")
            quantity = required(position, "quantity", NUMBER, f"{case}: {name}")
            self.positions.append(mc.Position(contract, quantity))

    def _stock(self, name: str, position: dict[str, Any]) -> mc.Contract:
        symbol = position.get("symbol", name)
        if symbol != name:
            self.spot[symbol] = required(position, "price", NUMBER, symbol)
        return mc.Stock(symbol, currency="USD")

    def _future(self, where: str, name: str, position: dict[str, Any]) -> mc.Contract:
        # A future's date does not enter TIMS; where the case gives none, any day after the valuation will do.
        expiry = VALUATION.date() + dt.timedelta(days=position.get("days_to_expiry") or 30)
        multiplier = required(position, "multiplier", NUMBER, where)
        contract = mc.Future(name, expiry=expiry.isoformat(), settles="pm", multiplier=multiplier, currency="USD")
        self.price[contract.id] = required(position, "price", NUMBER, where)
        return contract

    def _option(self, where: str, name: str, group: dict[str, Any], position: dict[str, Any]) -> mc.Contract:
        if position.get("days_to_expiry") is None:
            raise CannotRun("no days to expiry")
        expiry = VALUATION.date() + dt.timedelta(days=required(position, "days_to_expiry", int, where))
        contract = mc.Option(
            name,
            {"C": "call", "P": "put"}[required(position, "right", str, where)],
            required(position, "strike", NUMBER, where),
            expiry=expiry.isoformat(),
            settles="pm",
            exercise=required(group, "style", str, where),
            multiplier=required(position, "multiplier", NUMBER, where),
            currency="USD",
        )
        if position.get("price") is not None:
            self.price[contract.id] = required(position, "price", NUMBER, where)
        if position.get("implied_vol") is not None:
            self.vol[contract.id] = required(position, "implied_vol", NUMBER, where)
        return contract

    def market(self) -> mc.Market:
        return mc.Market(
            valuation=VALUATION.isoformat(),
            spot=self.spot,
            rate={"USD": self.rate},
            dividend_yield=self.dividend_yield,
            price=self.price,
            vol=self.vol,
        )
