"""Books of options with the exact minimum requirement over all pairings, and what pairs and greedy matching give."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import margincore as mc

from ..cases import Check, Entry, entry_of, only, required

NUMBER = (int, float)
VALUATION = dt.datetime(2026, 11, 20, 16, 0, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
BOOK_KEYS = {
    "underlying_price", "base_pct", "min_pct", "legs", "optimal_requirement_per_unit", "two_leg_only", "greedy",
    "all_naked",
}  # fmt: skip
LEG_KEYS = {"right", "strike", "quantity", "days_to_expiry", "price"}


def collect(path: Path, document: Any) -> list[Entry]:
    """One entry per book."""
    name = required(document, "id", str, path.name)
    tolerance = required(required(document, "tolerance", dict, name), "absolute", NUMBER, name)
    context = {"is_oracle": required(document, "is_oracle", bool, name), "tolerance": tolerance}
    found = []
    for number, book in enumerate(required(document, "books", list, name)):
        only(book, BOOK_KEYS, f"{name}: book {number}")
        for leg in required(book, "legs", list, f"{name}: book {number}"):
            only(leg, LEG_KEYS, f"{name}: book {number}")
        found.append(entry_of(path, book, f"{name}-{number:03}", context))
    return found


def run(entry: Entry) -> list[Check]:
    """The requirement on the shorts, their marks included, per unit of the underlying."""
    book = entry.document
    positions, price = [], {}
    for number, leg in enumerate(book["legs"]):
        expiry = VALUATION.date() + dt.timedelta(days=leg["days_to_expiry"])
        contract = mc.Option(
            "XYZ",
            {"C": "call", "P": "put"}[leg["right"]],
            leg["strike"],
            expiry=expiry.isoformat(),
            settles="pm",
            exercise="american",
            multiplier=1,
            currency="USD",
            id=f"leg {number:02}",  # one series may appear at two prices: the books are synthetic
        )
        positions.append(mc.Position(contract, leg["quantity"]))
        price[contract.id] = leg["price"]
    market = mc.Market(VALUATION.isoformat(), spot={"XYZ": book["underlying_price"]}, price=price)
    checks = []
    for key, pairing in (
        ("optimal_requirement_per_unit", "optimal"),
        ("two_leg_only", "two_leg"),
        ("greedy", "greedy"),
    ):
        rulebook = mc.methods.RegT(
            pairing=pairing,  # type: ignore[arg-type]
            classes={"XYZ": "book"},
            percentages={"book": {"base": book["base_pct"], "minimum": book["min_pct"]}},
        )
        report = mc.margin(positions, market, rulebook)
        assert report.adds_up()
        assert report.details["initial"]["gap"] == 0.0
        required_per_unit = report.details["short_requirement"]
        checks.append(Check(key, float(book[key]), required_per_unit, abs_=entry.context["tolerance"]))
    return checks
