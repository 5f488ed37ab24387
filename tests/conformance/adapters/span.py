"""Cases of SPAN: manuals' examples as inline parameters, a real file's arrays and portfolios, array generation.

The keys of a case's inputs say what it is. Cases that only add up given amounts exercise no engine: they are reported,
not counted, unless their inputs are enough to run.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import margincore as mc
from margincore.methods import Span
from margincore.methods.span import contract_id, risk_array, settlement_price

from ..cases import CannotRun, Check, Entry, MalformedCase, data_folder, entries, required

EXPIRY = "2099-12-31T00:00:00Z"
EXTREME = (3.0, 0.33)


def collect(path: Path, document: Any) -> list[Entry]:
    """One entry per case, or per portfolio, option or record of a case that lists several."""
    found = []
    for entry in entries(path, document):
        case = entry.document
        kind = _kind(case)
        if kind is None:
            given = str(case.get("checks", ""))
            if not given.startswith("arithmetic"):
                raise MalformedCase(f"{entry.id}: the adapter does not know inputs {sorted(case.get('inputs', {}))}")
            found.append(Entry(entry.id, (None, case, None), False, "adds up given amounts; no engine input"))
            continue
        parts = _parts(kind, case)
        for name, part in parts:
            found.append(Entry(f"{entry.id}/{name}" if name else entry.id, (kind, case, part), entry.is_oracle))
    return found


def run(entry: Entry) -> list[Check]:
    """Every number of the entry that the engine gives."""
    kind, case, part = entry.document
    if kind is None:
        raise CannotRun("amounts are given, not derived")
    return RUNNERS[kind](case, part)


def _kind(case: Mapping[str, Any]) -> str | None:
    inputs = case.get("inputs")
    if not isinstance(inputs, dict):
        raise MalformedCase(f"{case.get('id')}: no inputs")
    keys = set(inputs)
    expected = case.get("expected", {})
    if {"arrays", "portfolios"} <= keys:
        return "arrays"
    if {"legs", "leg_arrays", "credit_rate"} <= keys:
        return "scanning"
    if {"legs", "spread"} <= keys:
        return "one_credit"
    if keys and all(isinstance(v, dict) and {"legs", "ratios"} <= set(v) for v in inputs.values()):
        return "credits"
    if {"spot", "psr", "rate_cc"} <= keys:
        return "carried_future"
    if "flat_vol" in keys:
        return "extracts"
    if {"scan_points", "options"} <= keys:
        return "option_arrays"
    if {"period_deltas", "delivery"} <= keys:
        return "delivery"
    if {"array", "net_delta", "psr"} <= keys:
        return "wfpr"
    if {"deltas", "psr", "ratios"} <= keys:
        return "ratio_spread"
    if isinstance(expected, dict) and {"arrays", "settlement_decode"} <= set(expected):
        return "expanded_records"
    rows = [row for rows in inputs.values() if isinstance(rows, list) for row in rows]
    if rows and all(isinstance(row, dict) and {"product", "kind", "period", "qty"} <= set(row) for row in rows):
        return "portfolios"
    return None


def _parts(kind: str, case: Mapping[str, Any]) -> list[tuple[str, Any]]:
    inputs = case["inputs"]
    if kind == "arrays":
        return [(name, name) for name in inputs["portfolios"]]
    if kind in ("credits", "portfolios"):
        return [(name, name) for name in inputs]
    if kind == "option_arrays":
        return [
            (f"{o['product']}-{o['period']}-{o['right']}-{o['strike']}", i) for i, o in enumerate(inputs["options"])
        ] + [("whole-file", None)]
    if kind == "extracts":
        return [(name, name) for name in inputs["spot"]]
    if kind == "expanded_records":
        records = case["expected"]
        return [(a["contract"].replace(" ", "-"), ("array", i)) for i, a in enumerate(records["arrays"])] + [
            (f"{p['field']}-{p['alignment'].strip() or 'plain'}", ("price", i))
            for i, p in enumerate(records["settlement_decode"])
        ]
    return [("", None)]


# Inline parameter sets


def _future(product: str, period: str = "202612", currency: str = "USD") -> mc.Contract:
    name = contract_id(product, period)
    return mc.Future(product, expiry=EXPIRY, multiplier=1, currency=currency, id=name)


def _contract(product: str, array: Sequence[float], **terms: Any) -> dict[str, Any]:
    row = {"product": product, "kind": "FUT", "period": "202612", "commodity": product, "array": list(array)}
    return {**row, **terms}


def _range_array(psr: float, extreme: tuple[float, float] = EXTREME) -> list[float]:
    made: list[float] = risk_array(underlying=psr, price_scan=psr, extreme=extreme)["array"]
    return made


def _leg(commodity: str, ratio: float, side: int, rate: float | None = None) -> dict[str, Any]:
    return {"commodity": commodity, "ratio": ratio, "side": side, "rate": rate}


def _margin(parameters: Mapping[str, Any], book: Mapping[str, int], **options: Any) -> mc.MarginReport:
    positions = [mc.Position(_future(*name.split("@")), quantity) for name, quantity in book.items()]
    report = mc.margin(mc.Account(positions), None, Span.from_document({"extreme": EXTREME, **parameters}, **options))
    assert report.adds_up()
    return report


def _tolerance(case: Mapping[str, Any]) -> float:
    tolerance = required(case, "tolerance", (int, float), case["id"])
    # A case that asks for exact equality of decimal numbers means the printed digits.
    return float(max(tolerance, 1e-9))


def _commodities(names: Sequence[str], **terms: Any) -> list[dict[str, Any]]:
    return [{"code": name, "currency": "USD", **terms} for name in names]


def _arrays(case: Mapping[str, Any], name: str) -> list[Check]:
    inputs, want, tolerance = case["inputs"], case["expected"][name], _tolerance(case)
    contracts = [_contract(c, array, commodity="CC") for c, array in inputs["arrays"].items()]
    report = _margin({"contracts": contracts, "commodities": _commodities(["CC"])}, inputs["portfolios"][name])
    got = report.details["commodities"]["CC"]
    checks = [
        Check("scan_risk", want["scan_risk"], got["scan"], abs_=tolerance),
        Check("active_scenario", want["active_scenario"], got["active"]),
        Check("requirement", want["scan_risk"], report.requirement.initial, abs_=tolerance),
    ]
    pairs = zip(want["combined_array"], got["array"], strict=True)
    return checks + [Check(f"array[{i}]", a, b, abs_=tolerance) for i, (a, b) in enumerate(pairs, 1)]


def _scanning(case: Mapping[str, Any], _: object) -> list[Check]:
    inputs, want, tolerance = case["inputs"], case["expected"], _tolerance(case)
    names = list(inputs["leg_arrays"])
    # The arrays are the position's: one contract stands for the whole position.
    contracts = [_contract(n, a) for n, a in inputs["leg_arrays"].items()]
    spread = {"priority": 1, "method": "W", "rate": inputs["credit_rate"], "scanning": True,
              "legs": [_leg(n, 1.0, 1) for n in names]}  # fmt: skip
    parameters = {"contracts": contracts, "commodities": _commodities(names), "inter_spreads": [spread]}
    report = _margin(parameters, dict.fromkeys(names, 1))
    got = report.details["spreads"][0]
    checks = [
        Check("requirement", want["requirement"], report.requirement.initial, abs_=tolerance),
        Check("active_scenario", want["active_scenario"], got["active"]),
    ]
    pairs = zip(want["combined_array"], got["combined"], strict=True)
    return checks + [Check(f"combined[{i}]", a, b, abs_=tolerance) for i, (a, b) in enumerate(pairs, 1)]


def _credit(book: Mapping[str, int], psr: Mapping[str, float], legs: list[dict[str, Any]], rate: float,
            extreme: tuple[float, float] = EXTREME) -> mc.MarginReport:  # fmt: skip
    parameters = {
        "extreme": extreme,
        "contracts": [_contract(name, _range_array(psr[name], extreme), price_scan=psr[name]) for name in book],
        "commodities": _commodities(list(book)),
        "inter_spreads": [{"priority": 1, "method": "W", "rate": rate, "legs": legs}],
    }
    return _margin(parameters, book)


def _side(quantity: float) -> int:
    return 1 if quantity > 0 else -1


def _one_credit(case: Mapping[str, Any], _: object) -> list[Check]:
    inputs, want, tolerance = case["inputs"], case["expected"], _tolerance(case)
    rows = {leg["cc"]: leg for leg in inputs["legs"]}
    spread = inputs["spread"]
    legs = [_leg(name, spread["ratios"][name], 1 if leg["side"] == "A" else -1) for name, leg in rows.items()]
    book = {name: leg["qty"] for name, leg in rows.items()}
    report = _credit(book, {n: leg["psr"] for n, leg in rows.items()}, legs, spread["credit_rate"])
    details = report.details["commodities"]
    formed = report.details["spreads"][0]
    checks = [
        Check("requirement", want["requirement"], report.requirement.initial, abs_=tolerance),
        Check("spreads_formed", want["spreads_formed"], formed["spreads"], abs_=tolerance),
    ]
    for name in rows:
        checks += [
            Check(f"{name} scan", want["scan"][name], details[name]["scan"], abs_=tolerance),
            Check(f"{name} wfpr", want["wfpr"][name], details[name]["wfpr"], abs_=tolerance),
            Check(f"{name} credit", want["credit"][name], details[name]["inter_credit"], abs_=tolerance),
        ]
    return checks


def _credits(case: Mapping[str, Any], name: str) -> list[Check]:
    inputs, want, tolerance = case["inputs"][name], case["expected"][name], _tolerance(case)
    rows = inputs["legs"]
    pairs = zip(rows.items(), inputs["ratios"], strict=True)
    legs = [_leg(n, ratio, _side(leg["qty"]), leg.get("rate")) for (n, leg), ratio in pairs]
    book = {n: leg["qty"] for n, leg in rows.items()}
    report = _credit(book, {n: leg["psr"] for n, leg in rows.items()}, legs, inputs.get("credit_rate", 0.0))
    scan = sum(line.initial for line in report.lines if line.component == "scan")
    credit = sum(-line.initial for line in report.lines if line.component == "inter_commodity_credit")
    return [
        Check("outright", want["outright"], scan, abs_=tolerance),
        Check("credit", want["credit"], credit, abs_=tolerance),
        Check("requirement", want["requirement"], report.requirement.initial, abs_=tolerance),
    ]


def _ratio_spread(case: Mapping[str, Any], _: object) -> list[Check]:
    inputs, want, tolerance = case["inputs"], case["expected"], _tolerance(case)
    deltas = inputs["deltas"]
    legs = [_leg(n, inputs["ratios"][n], _side(d)) for n, d in deltas.items()]
    extreme = (inputs["extreme"]["multiplier"], inputs["extreme"]["cover"])
    report = _credit(deltas, inputs["psr"], legs, inputs["credit_rate"], extreme)
    details = report.details["commodities"]
    checks = [
        Check("requirement", want["requirement"], report.requirement.initial, abs_=tolerance),
        Check("spreads", want["spreads"], report.details["spreads"][0]["spreads"], abs_=tolerance),
    ]
    for name in deltas:
        left = sum(abs(d) for d in details[name]["delta_left"].values())
        checks += [
            Check(f"{name} scan", want["scan"][name], details[name]["scan"], abs_=tolerance),
            Check(f"{name} credit", want["credit"][name], details[name]["inter_credit"], abs_=tolerance),
            Check(f"{name} remaining", want["remaining_deltas"][name], left, abs_=tolerance),
        ]
    return checks


def _delivery(case: Mapping[str, Any], _: object) -> list[Check]:
    inputs, want, tolerance = case["inputs"], case["expected"], _tolerance(case)
    periods = {name: f"2026{month:02d}" for month, name in enumerate(inputs["period_deltas"], 1)}
    array = _range_array(inputs["psr"])
    calendar = {"priority": 1, "method": "F", "rate": inputs["intra_charge_per_spread"],
                "legs": [_leg("CC", 1.0, 1), _leg("CC", 1.0, -1)]}  # fmt: skip
    rates = inputs["delivery"]
    spot = {"period": periods["spot"], "spread": rates["rate_spread"], "outright": rates["rate_outright"]}
    parameters = {
        "contracts": [_contract("CC", array, period=p, price_scan=inputs["psr"]) for p in periods.values()],
        "commodities": _commodities(["CC"], spreads=[calendar], spot_rates=[spot]),
    }
    book = {f"CC@{periods[name]}": delta for name, delta in inputs["period_deltas"].items()}
    report = _margin(parameters, book)
    got = report.details["commodities"]["CC"]
    checks = [Check("risk", want["risk"], report.requirement.initial, abs_=tolerance)]
    for key in ("scan", "intra", "intra_spreads", "delivery"):
        checks.append(Check(key, want[key], got[key], abs_=tolerance))
    for key, amount in want["delivery_parts"].items():
        checks.append(Check(f"delivery {key}", amount, got[f"delivery_{key}"], abs_=tolerance))
    for row in inputs.get("som", []):
        for method, name in (("GROSS", "sum"), ("MAX", "max")):
            checks.append(Check(f"som {name}", want["som"][name], _som(row, method), abs_=tolerance))
    return checks


def _som(row: Mapping[str, float], method: str) -> float:
    """A book of short options without scan risk: its minimum."""
    none = [0.0] * 16
    contracts = [
        _contract("O", none, kind="OOP", commodity="CC", right=right, strike=1.0, value=0.0, delta=0.0)
        for right in ("C", "P")
    ]
    tiers = [{"number": 0, "rate": row["rate"]}]
    parameters = {
        "extreme": EXTREME,
        "contracts": contracts,
        "commodities": _commodities(["CC"], som_method=method, som_tiers=tiers),
    }
    positions = []
    for right, word, count in (("C", "call", row["short_calls"]), ("P", "put", row["short_puts"])):
        name = contract_id("O", "202612", right=right, strike=1.0)
        option = mc.Option("O", word, 1.0, expiry=EXPIRY, exercise="european", multiplier=1, currency="USD", id=name)
        positions.append(mc.Position(option, -int(count)))
    report = mc.margin(mc.Account(positions), None, Span.from_document(parameters))
    return report.requirement.initial


def _wfpr(case: Mapping[str, Any], _: object) -> list[Check]:
    inputs, want, tolerance = case["inputs"], case["expected"], _tolerance(case)
    contract = _contract("CC", inputs["array"], delta=inputs["net_delta"], price_scan=inputs["psr"])

    def details(method: str, **options: Any) -> Mapping[str, Any]:
        parameters = {"contracts": [contract], "commodities": _commodities(["CC"], wfpr=method)}
        got: Mapping[str, Any] = _margin(parameters, {"CC": 1}, **options).details["commodities"]["CC"]
        return got

    normal = details("NORMAL")
    checks = [Check(key, value, normal[key], abs_=tolerance) for key, value in want["decomposition"].items()]
    parts = normal["price_risk"] + normal["time_risk"] + normal["vol_risk"]
    methods = {
        "normal": normal,
        "normal_rounded_delta": details("NORMAL", delta_rounding="half_even"),
        "capped": details("SCANRANGE_CAP"),
        "scanrange": details("SCANRANGE"),
    }
    checks += [Check(k, want["wfpr"][k], d["wfpr"], abs_=tolerance) for k, d in methods.items() if k in want["wfpr"]]
    return [*checks, Check("scan is the sum of its parts", normal["scan"], parts, abs_=1e-12)]


# Arrays from parameters


def _carried_future(case: Mapping[str, Any], _: object) -> list[Check]:
    i, tolerance = case["inputs"], _tolerance(case)
    got = risk_array(
        underlying=i["spot"], price_scan=i["psr"], years=i["t_years"], lookahead=i["lookahead_years"],
        rate=i["rate_cc"], spot_carry=True, extreme=(i["extreme"]["multiplier"], i["extreme"]["cover"]),
    )["array"]  # fmt: skip
    pairs = zip(case["expected"]["array"], got, strict=True)
    return [Check(f"array[{k}]", a, b, abs_=tolerance) for k, (a, b) in enumerate(pairs, 1)]


def _extracts(case: Mapping[str, Any], name: str) -> list[Check]:
    i, want = case["inputs"], case["expected"]
    files = [f for f in case["source"]["files"] if name in f]
    rows = list(csv.DictReader(_lines(data_folder() / "span" / Path(files[0]).name)))
    day = dt.date.fromisoformat(i["trade_date"])
    spot, vol = i["spot"][name], i["flat_vol"][name]
    far = {key.split()[1]: value for key, value in i["psr_pct_of_spot"].items() if key.startswith("expiry ")}
    # The look-ahead is whole days, printed as a fraction to six decimals.
    lookahead = round(i["lookahead_years"] * 365) / 365
    worst = worst_delta = 0.0
    for row in rows:
        expiry = dt.date.fromisoformat(row["expiry"])
        made = risk_array(
            model="BS",
            underlying=spot,
            strike=float(row["strike"]),
            years=((expiry - day).days + 1) / 365,
            lookahead=lookahead,
            rate=i["rate_cc"],
            vol=vol,
            vol_scan=i["vsr_absolute"],
            price_scan=far.get(row["expiry"], i["psr_pct_of_spot"]["default"]) * spot,
            right="call" if row["type"] == "C" else "put",
            extreme=(i["extreme"]["multiplier"], i["extreme"]["cover"]),
        )
        worst = max(worst, abs(float(row["worst_RA_per_unit"]) + min(made["array"])))
        worst_delta = max(worst_delta, abs(float(row["delta_in_rpf"]) - made["delta"]))
    return [
        Check("rows", want["rows_per_file"], len(rows)),
        Check("largest error of the worst value", 0.0, worst, abs_=_tolerance(case)),
        Check("largest error of delta", 0.0, worst_delta, abs_=5.1e-5),
    ]


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise CannotRun(f"no data file {path.name}: set MARGINCORE_DATA")
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        return list(stream)


def _option_arrays(case: Mapping[str, Any], index: int | None) -> list[Check]:
    i = case["inputs"]
    if index is None:
        return _whole_file(case)
    o, want = i["options"][index], case["expected"][index]
    pairs = {p["point"]: k for k, p in enumerate(i["scan_points"])}
    points = [
        {"price": p["price"], "vol": p["vol"], "weight": p["weight"], "paired": pairs[p["point"]]}
        for p in i["scan_points"]
    ]
    made = risk_array(
        model="M", underlying=o["underlying_money"], strike=o["strike_money"], years=round(o["t_years"] * 365) / 365,
        rate=o["r"], dividend_yield=o["q"], vol=o["vol"], right="call" if o["right"] == "C" else "put",
        price_scan=o["psr_money"], vol_scan=o["vol_scan_pct"], vol_scan_percent=True, lookahead=o["lookahead"],
        points=points, delta_points=i["delta_points"],
    )  # fmt: skip
    tolerance = 4e-7 * o["underlying_money"]
    pairs_ = zip(want["array"], made["array"], strict=True)
    delta = case["tolerance"]["composite_delta"]
    return [
        *(Check(f"array[{k}]", a, b, abs_=tolerance) for k, (a, b) in enumerate(pairs_, 1)),
        Check("composite_delta", want["composite_delta"], made["composite_delta"], abs_=delta),
    ]


@cache
def _file(name: str) -> tuple[mc.methods.Span, Any]:
    path = data_folder() / "span" / Path(name).name
    if not path.is_file():
        raise CannotRun(f"no data file {path.name}: set MARGINCORE_DATA")
    return Span(path), Span.file(path)


def _whole_file(case: Mapping[str, Any]) -> list[Check]:
    _, file = _file(case["source"]["file"])
    rows, arrays, deltas, underlying = file.regenerate("takasbank")
    error = np.abs(arrays - file.arrays()[rows]).max(axis=1) / underlying
    options = sum(":OOP:" in name for name in np.array(file.ids())[rows])
    want = case["full_file"]
    return [
        Check("options", want["options"], options),
        Check("futures", want["futures"], len(rows) - options),
        Check("largest array error of underlying", 0.0, float(error.max()), abs_=4e-7),
        Check("largest delta error", 0.0, float(np.abs(deltas - file.composite_deltas()[rows]).max()), abs_=1e-6),
    ]


def _portfolios(case: Mapping[str, Any], name: str) -> list[Check]:
    span, file = _file(case["source"]["file"])
    want = case["expected"][name]
    money, delta = case["tolerance"]["money"], case["tolerance"]["delta"]
    table = {c.id: c for c in file.contracts()}
    positions = []
    for row in case["inputs"][name]:
        key = contract_id(row["product"], row["period"], kind=row["kind"], right=row["right"], strike=row["strike"],
                          exchange="BIST")  # fmt: skip
        positions.append(mc.Position(table[key], row["qty"]))
    account = mc.Account(positions)
    report = mc.margin(account, None, span)
    assert report.adds_up()
    checks = []
    for code, numbers in want["commodities"].items():
        got = report.details["commodities"][code]
        for key, value in numbers.items():
            if key == "array":
                pairs = zip(value, got[key], strict=True)
                checks += [Check(f"{code} array[{k}]", a, b, abs_=money) for k, (a, b) in enumerate(pairs, 1)]
            elif key == "delta_by_period":
                checks += [Check(f"{code} delta {p}", d, got[key][p], abs_=delta) for p, d in value.items()]
            else:
                checks.append(Check(f"{code} {key}", value, got[key], abs_=money))
    formed = [s for s in report.details["spreads"] if s["group"] != "intra"]
    checks.append(Check("spreads formed", len(want["spreads"]), len(formed)))
    for spread, got in zip(want["spreads"], formed, strict=True):
        where = f"spread {spread['priority']}"
        checks.append(Check(f"{where} priority", spread["priority"], got["priority"]))
        checks.append(Check(f"{where} spreads", spread["spreads"], got["spreads"], abs_=delta))
        for leg in got["legs"]:
            expected = spread["legs"][leg["commodity"]]
            checks.append(Check(f"{where} {leg['commodity']} deltas", expected["deltas"], leg["deltas"], abs_=delta))
            checks.append(Check(f"{where} {leg['commodity']} credit", expected["credit"], leg["amount"], abs_=money))
    path = data_folder() / "span" / Path(case["source"]["file"]).name
    for anov in ("capped", "pooled"):
        whole = mc.margin(account, None, Span(path, anov=anov))
        total = whole.equity_required - whole.net_option_value
        checks.append(Check(f"requirement_{anov}", want[f"requirement_{anov}"], total, abs_=money))
    checks.append(Check("nov", want["nov"], report.net_option_value, abs_=money))
    return checks


def _expanded_records(case: Mapping[str, Any], part: tuple[str, int]) -> list[Check]:
    what, index = part
    tolerance = _tolerance(case)
    if what == "price":
        row = case["expected"]["settlement_decode"][index]
        got = settlement_price(row["field"], row["locator"], row["alignment"])
        return [Check("price", row["value"], got, abs_=tolerance)]
    row = case["expected"]["arrays"][index]
    extreme = (row["extreme_multiplier"], row["cover"])
    made = risk_array(underlying=row["psr"], price_scan=row["psr"], extreme=extreme, rounding=1.0)["array"]
    checks = [Check(f"recomputed[{k}]", a, b) for k, (a, b) in enumerate(zip(row["recomputed"], made, strict=True), 1)]
    pairs = zip(row["array_in_file"], made, strict=True)
    return checks + [Check(f"in file[{k}]", a, b) for k, (a, b) in enumerate(pairs, 1) if a is not None]


RUNNERS: Mapping[str, Callable[[Mapping[str, Any], Any], list[Check]]] = {
    "arrays": _arrays,
    "scanning": _scanning,
    "one_credit": _one_credit,
    "credits": _credits,
    "ratio_spread": _ratio_spread,
    "delivery": _delivery,
    "wfpr": _wfpr,
    "carried_future": _carried_future,
    "extracts": _extracts,
    "option_arrays": _option_arrays,
    "portfolios": _portfolios,
    "expanded_records": _expanded_records,
}
