"""Parameters written out as a document, as `Span.from_document` takes them, into `Parameters`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .arrays import standard_points
from .model import (
    Combination,
    Commodity,
    Contract,
    Leg,
    Parameters,
    Point,
    PointRule,
    SpotRate,
    Spread,
    Tier,
)

KINDS = ("member", "hedger", "speculator")


def _tiers(rows: list[Mapping[str, Any]]) -> list[Tier]:
    return [Tier(t["number"], t.get("start", ""), t.get("end", ""), t.get("rate")) for t in rows]


def _leg(row: Mapping[str, Any]) -> Leg:
    return Leg(
        row["commodity"], row.get("ratio", 1.0), "A" if row["side"] > 0 else "B", row.get("tier", 0),
        row.get("period"), row.get("rate"), row.get("organisation", ""), row.get("required", True),
        row.get("target", False),
    )  # fmt: skip


def _spreads(rows: list[Mapping[str, Any]]) -> list[Spread]:
    return [
        Spread(
            s["priority"],
            tuple(_leg(row) for row in s["legs"]),
            s["rate"],
            s["method"],
            s.get("scanning", False),
            s.get("target_required", False),
            s.get("minimum_legs", 2),
            tuple(
                PointRule(r["point"], r.get("maximum", False), r.get("rate", 0.0), r.get("losses", 0))
                for r in s.get("point_rules", [])
            ),
            None if s.get("per_month") is None else (s["per_month"][0], s["per_month"][1], s["per_month"][2]),
            s.get("unsupported"),
        )
        for s in rows
    ]


def _commodity(row: Mapping[str, Any]) -> Commodity:
    product, rate = row.get("basis") or ("", 0.0)
    levels = row.get("levels", {})
    return Commodity(
        row["code"],
        row["currency"],
        row.get("risk_exponent", 0),
        row.get("cap_anov", False),
        row.get("wfpr", "NORMAL"),
        row.get("som_method", "GROSS"),
        Combination(row.get("combination", "D")),
        _tiers(row.get("scan_tiers", [])),
        _tiers(row.get("intra_tiers", [])),
        _tiers(row.get("inter_tiers", [])),
        _tiers(row.get("som_tiers", [])),
        _spreads(row.get("spreads", [])),
        [SpotRate(s["period"], s["spread"], s["outright"]) for s in row.get("spot_rates", [])],
        rate,
        product,
        row.get("organisation", ""),
        {k: (levels[k]["initial"], levels[k]["maintenance"]) for k in KINDS if k in levels},
    )


def _contract(row: Mapping[str, Any], commodities: Mapping[str, Commodity]) -> Contract:
    name = f"{row.get('exchange', '')}:{row['product']}:{row['kind']}:{row['period']}"
    right = row.get("right") or ""
    delta_period = row.get("delta_period") or row["period"]
    if row["kind"] == "OOF" and delta_period != row["period"]:
        name += f"/{delta_period}"
    if right:
        name += f":{right}:{row['strike']:g}"
    return Contract(
        name,
        row["commodity"],
        row["kind"],
        delta_period,
        list(row["array"]),
        row.get("delta", 1.0),
        row.get("value") or 0.0,
        row.get("price_scan") or 0.0,
        right,
        not row.get("futures_style", False),
        row.get("scale", 1.0),
        row.get("delta_scale", 1.0),
        row.get("currency") or commodities[row["commodity"]].currency,
        [(leg["id"], leg["ratio"]) for leg in row.get("legs", [])],
        row["product"],
    )


def from_document(document: Mapping[str, Any], base_currency: str = "") -> Parameters:
    """The same parameters that the engine builds from a document; `base_currency` is the first commodity's if empty.

    >>> array = [-p.price * p.weight * 10.0 for p in standard_points(3.0, 0.33)]
    >>> row = {"product": "X", "kind": "FUT", "period": "202612", "commodity": "X", "array": array}
    >>> file = from_document({"extreme": [3.0, 0.33], "contracts": [row],
    ...                       "commodities": [{"code": "X", "currency": "USD"}]})
    >>> list(file.contracts), file.base_currency
    ([':X:FUT:202612'], 'USD')
    """
    if document.get("points"):
        points = [Point(p["price"], p["vol"], p.get("weight", 1.0), p["paired"]) for p in document["points"]]
    else:
        points = standard_points(*document["extreme"])
    commodities = {c.code: c for c in map(_commodity, document["commodities"])}
    contracts = {c.id: c for c in (_contract(row, commodities) for row in document["contracts"])}
    for contract in contracts.values():
        # An option on a combination has the combination's legs.
        contract.legs = [
            (name, ratio * inner)
            for leg, ratio in contract.legs
            for name, inner in (
                contracts[leg].legs if contract.kind == "OOC" and contracts[leg].kind == "CMB" else [(leg, 1.0)]
            )
        ]
    return Parameters(
        points,
        contracts,
        commodities,
        _spreads(document.get("super_spreads", [])),
        _spreads(document.get("inter_spreads", [])),
        _spreads(document.get("exchange_spreads", [])),
        {(r["from"], r["to"]): r["factor"] for r in document.get("rates", [])},
        document.get("contract_scale", False),
        base_currency or (document["commodities"][0]["currency"] if document["commodities"] else ""),
    )
