"""Cases of the crypto venues. Every file has its own shape, so every model has its own translation.

Quantities that a case states with more digits than any lot are held in a contract whose lot is that quantity.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import margincore as mc
from margincore import crypto, importers

from ..cases import CannotRun, Check, Entry, MalformedCase, data_folder, entry_of, required
from . import crypto_derive
from .crypto_common import NOW, Judge, at, only_unit, option_contract


def collect(path: Path, document: Any) -> list[Entry]:
    """One entry per case, per row of a published table, or per vector of a list."""
    name = required(document, "id", str, path.name)
    family = _family(name, document)
    if family is None:
        raise MalformedCase(f"{path.name}: no translation for {name}")
    if "cases" in document:
        rows = required(document, "cases", list, name)
        return [entry_of(path, row, f"{name}/{row.get('name', i)}", document) for i, row in enumerate(rows)]
    if family == "crypto_03":
        return [entry_of(path, row, f"{name}/{i}", document) for i, row in enumerate(document["expected"])]
    if family == "crypto_12":
        return [entry_of(path, row, f"{name}/{row['name']}", document) for row in document["examples"]]
    if family == "crypto_15":
        return [entry_of(path, {"key": key}, f"{name}/{key}", document) for key in _SENTENCES]
    if family == "crypto_50":
        rows = []
        for book, vols in document["results"].items():
            for vol, expected in vols.items():
                row = {"book": book, "vol": float(vol.removeprefix("vol_")), "expected": expected}
                rows.append(entry_of(path, row, f"{name}/{book}/{vol}", document))
        return rows
    return [entry_of(path, document)]


def run(entry: Entry) -> list[Check]:
    """The entry's numbers against the engine's."""
    family = _family(entry.id, entry.context or entry.document)
    assert family is not None
    return _RUNNERS[family](entry)


def _family(name: str, document: dict[str, Any]) -> str | None:
    """The translation of a case: by its number, else by venue and model."""
    known = next((key for key in _RUNNERS if name.startswith(key)), None)
    venue, model = document.get("venue"), str(document.get("model", ""))
    if known is None and document.get("kind") == "reply of the venue's simulator":
        return "recorded"
    if known is None and venue == "derive":
        models = {"PMRM_2": "crypto_20", "PMRM v1": "crypto_41", "SRM": "crypto_40"}
        return next((key for text, key in models.items() if text in model), None)
    if known is None and venue == "deribit" and "PME" in model:
        return "crypto_02"
    return known


# Deribit ----------------------------------------------------------------------------------------------------------


def _deribit_pme(entry: Entry) -> list[Check]:
    """Inverse futures and perpetuals sized in coin, in the venue's own parameters."""
    case = entry.document
    judge = Judge(case)
    market, expected = case["market"], case["expected"]
    symbol = expected["unit"] if "unit" in expected else case["positions"][0]["instrument"].split("-")[0]
    index = market["index"].get(f"{symbol.lower()}_usd") or next(iter(market["index"].values()))
    positions, prices = [], {}
    for position in case["positions"]:
        name, kind = position["instrument"], position["type"]
        lot = {"multiplier": 1, "multiplier_unit": "coin", "currency": symbol, "settlement": "inverse", "lot": 1e-9}
        if "perpetual" in kind:
            contract = mc.Perpetual(symbol, id=name, **lot)
        elif "future" in kind:
            contract = mc.Future(symbol, id=name, expiry=crypto.parse("deribit", name).expiry, **lot)
        else:
            raise CannotRun(f"{kind}: the case has no option inputs")
        prices[name] = market["mark"][name]
        positions.append(mc.Position(contract, position["size_base"]))
    when = dt.datetime.fromtimestamp(case["source"].get("timestamp_ms", 1718619740501) / 1000, dt.UTC)
    extra = {key: expected[key] for key in ("mmp_margin", "open_orders_margin") if expected.get(key)}
    params = {key: value for key, value in case["params"].items()}
    rules = mc.methods.Deribit.from_params(params, currency=symbol.lower(), initial_only=extra)
    report = mc.margin(positions, mc.Market(when, spot={symbol: index}, price=prices), rules)
    assert report.adds_up()
    unit = only_unit(report)
    for key in (
        "worst_case",
        "roll_shock",
        "delta_shock",
        "risk_matrix_margin",
        "initial_margin",
        "maintenance_margin",
    ):
        if key in expected:
            judge.add(key, expected[key], unit[key])
    judge.add("requirement.initial", expected["initial_margin"], report.requirement.initial)
    buckets = [s["pnl"] for s in unit["scenarios"] if s["vol"] == "same"]
    for name, values in (("aggregated", expected.get("aggregated_by_bucket")),):
        for i, value in enumerate(values or []):
            judge.add(f"{name}[{i}]", value, buckets[i])
    for position, contract in zip(case["positions"], positions, strict=True):
        values = expected.get(f"{position['instrument']}_by_bucket")
        if values:
            # Alone, so that the rows of one instrument are seen; gains are kept in full to see them too.
            alone = mc.methods.Deribit.from_params(
                {**params, "pnl_offset": 1, "max_offsetable_pnl": 1e15}, currency=symbol.lower()
            )
            own = only_unit(mc.margin([contract], mc.Market(when, spot={symbol: index}, price=prices), alone))
            rows = [s["pnl"] for s in own["scenarios"] if s["vol"] == "same"]
            for i, value in enumerate(values):
                judge.add(f"{position['instrument']}[{i}]", value, rows[i])
    return judge.checks


def _recorded(entry: Entry) -> list[Check]:
    """What a user recorded of the venue's own simulator: sizes as the venue counts them."""
    case = entry.document
    judge = Judge(case)
    market, expected = case["market"], case["expected"]
    unit = expected["unit"]
    sizes = {row["instrument"]: row["size"] for row in case["positions"]}
    positions = crypto.deribit_positions(sizes)
    forwards = {(p.contract.underlying, p.contract.expiry): market["forward"].get(p.contract.id) for p in positions}
    quotes = mc.Market(
        case["source"]["taken"],
        spot={positions[0].contract.underlying: market["index"]},
        price={name: mark for name, mark in market["mark"].items() if name not in market["vol"]},
        vol=market["vol"],
        forward={key: value for key, value in forwards.items() if value is not None},
    )
    rules = mc.methods.Deribit.from_params(case["params"], currency=unit.lower())
    own = only_unit(mc.margin(positions, quotes, rules))
    for key in ("initial_margin", "maintenance_margin"):
        if key in expected:
            judge.add(key, expected[key], own[key])
    return judge.checks


def _deribit_linear(entry: Entry) -> list[Check]:
    row = entry.document
    judge = Judge(entry.context)
    symbol, currency = row["sym"].split("_")
    perp = mc.Perpetual(symbol, multiplier=1, currency=currency)
    market = mc.Market(NOW, spot={symbol: row["price"]}, price={perp.id: row["price"]})
    own = entry.context["params"][row["sym"]]
    formula = {"im": own["im_base"], "mm": own["mm_base"], "slope": own["slope_per_coin"]}
    for rules in (
        mc.methods.Deribit("standard"),
        mc.methods.Deribit("standard", standard={symbol: {"future": formula}}),
    ):
        report = mc.margin([mc.Position(perp, row["size"])], market, rules)
        assert report.adds_up()
        judge.add("im", row["im_usdc"], report.requirement.initial)
        if "mm_usdc" in row:
            judge.add("mm", row["mm_usdc"], report.requirement.maintenance)
    return judge.checks


def _bitcom(entry: Entry) -> list[Check]:
    case = entry.document
    judge = Judge(case)
    given, held = case["market"], case["positions"][0]
    contract = option_contract("ETH", "put", given["strike"], 86_400.0, "USDT")
    market = mc.Market(NOW, spot={"ETH": given["underlying"]}, price={contract.id: given["mark"]})
    unit = only_unit(mc.margin([mc.Position(contract, held["qty"])], market, mc.methods.BitCom()))
    one = only_unit(mc.margin([mc.Position(contract, -1)], market, mc.methods.BitCom()))
    expected = case["expected"]
    judge.add("im", expected["im"], unit["initial_margin"])
    judge.add("mm", expected["mm"], unit["maintenance_margin"])
    judge.add("im_per", expected["im_per"], one["initial_margin"])
    judge.add("mm_per", expected["mm_per"], one["maintenance_margin"])
    return judge.checks


_SENTENCES = ("A_options", "A_futures", "A_vol", "B_options", "C_strike", "D_factor")


def _old_deribit(entry: Entry) -> list[Check]:
    """The worked sentences of the published vintages."""
    key = entry.document["key"]
    judge = Judge(entry.context)
    spot = 10_000.0
    perp = mc.Perpetual("BTC", multiplier=1, multiplier_unit="coin", settlement="inverse", currency="BTC")
    future = mc.Future(
        "BTC", expiry=at(30 * 86_400), multiplier=1, multiplier_unit="coin", settlement="inverse", currency="BTC"
    )
    call = option_contract("BTC", "call", 20_000.0, 30 * 86_400, "BTC", settlement="inverse")
    put = option_contract("BTC", "put", 20_000.0, 30 * 86_400, "BTC", settlement="inverse")
    market = mc.Market(NOW, spot={"BTC": spot}, price={perp.id: spot, future.id: spot}, vol={call.id: 0.5, put.id: 0.5})
    vintage = f"old-{key[0].lower()}"
    rules = mc.methods.Deribit(vintage=vintage)

    def unit(*held: tuple[mc.Contract, float]) -> dict[str, Any]:
        account = [mc.Position(contract, quantity) for contract, quantity in held]
        return only_unit(mc.margin(account, market, rules, contracts=[future]))

    if key == "A_options":
        judge.add("200 options", 2.0, unit((call, 100), (put, -100))["option_contingency"])
    elif key == "B_options":
        judge.add("200 options", 1.0, unit((call, 100), (put, -100))["option_contingency"])
    elif key == "A_futures":
        judge.add("long 100, short 100", 2.0, unit((perp, 100), (future, -100))["future_contingency"])
    elif key == "C_strike":
        judge.add("call +10, put -20", 0.1, unit((call, 10), (put, -20))["option_contingency"])
    elif key == "A_vol":
        # A vol of 1 at 15 days, priced at the shocked vol, is the up cell at no move.
        near = option_contract("BTC", "call", 10_000.0, 15 * 86_400, "BTC", settlement="inverse")
        shock = entry.context["recomputed"]["A_15dte_vol"]
        quote = mc.Market(NOW, spot={"BTC": spot}, forward={("BTC", at(15 * 86_400)): spot}, vol={near.id: 1.0})
        moved = mc.Market(NOW, spot={"BTC": spot}, forward={("BTC", at(15 * 86_400)): spot}, vol={near.id: 1.0 + shock})
        rows = only_unit(mc.margin([mc.Position(near, 1)], quote, rules))
        after = only_unit(mc.margin([mc.Position(near, 1)], moved, rules))
        up = next(s["pnl"] for s in rows["scenarios"] if s["move"] == 0.0 and s["vol"] == "up")
        judge.add("value at the shocked vol", after["options_value"], rows["options_value"] + up)
    else:
        rows = unit((perp, 10))
        judge.add("IM = 1.2 MM", 1.2 * rows["maintenance_margin"], rows["initial_margin"])
        judge.add("0.6 % of futures", 0.06, rows["future_contingency"])
    return judge.checks


def _dederi(entry: Entry) -> list[Check]:
    """The grid and the contingency of one future."""
    case = entry.document
    judge = Judge(case)
    expected, given = case["expected"], case["market"]
    seconds = given["days"] * 86_400
    future = mc.Future("ETH", expiry=at(seconds), multiplier=1, currency="USDT")
    market = mc.Market(NOW, spot={"ETH": given["index"]}, forward={("ETH", at(seconds)): case["recomputed"]["F0"]})
    report = mc.margin([mc.Position(future, case["positions"][0]["qty"])], market, mc.methods.Dederi())
    unit = only_unit(report)
    judge.add("future contingency", case["recomputed"]["cont"], unit["future_contingency"])
    judge.add("future contingency, printed", expected["future_contingency"], unit["future_contingency"])
    judge.add("15 %", case["recomputed"]["pnl15"], max(s["pnl"] for s in unit["scenarios"]))
    for key, value in expected["pnl"].items():
        move = float(key.rstrip("%")) / 100.0
        (pnl,) = {s["pnl"] for s in unit["scenarios"] if abs(s["move"] - move) < 1e-9 and s["vol"] == "same"}
        judge.add(f"{key}, printed", value, pnl)
    return judge.checks


def _inverse_mark(entry: Entry) -> list[Check]:
    """A whole real chain, and the sample that the case prints."""
    case = entry.document
    judge = Judge(case)
    file = data_folder() / "crypto" / "deribit_normalized.csv.gz"
    chain = importers.deribit_chain(
        file, currency="BTC", snapshot="2025-12-05", valuation="2025-12-05T01:09:53Z", spot=92529.81
    )
    marks = importers.model_marks(chain)
    errors = {name: abs(marks[name] - quote) for name, quote in chain.quotes.items()}
    if len(errors) != 676:
        raise MalformedCase(f"{file.name}: {len(errors)} options, not 676")
    judge.add("worst of 676", 0.0, max(errors.values()))
    judge.add("median of 676", case["all_676"]["median_abs_err_btc"], statistics.median(errors.values()), abs_=1e-6)
    for row in case["sample"]:
        judge.add(row["instrument"], row["mark_price_btc"], marks[row["instrument"]])
    return judge.checks


# Other exchanges --------------------------------------------------------------------------------------------------


def _okx(entry: Entry) -> list[Check]:
    case = entry.document
    judge = Judge(case)
    # Tether's dollar price that the venue used is the ratio of its dollar delta to the position's own.
    first = case["positions"][0]
    rate = first["deltaUsd"] / (first["pos"] * first["ctVal_coin"] * first["markPx"])
    positions, spot, price, loss = [], {}, {}, 0.0
    for row in case["positions"]:
        symbol = row["instId"].split("-")[0]
        swap = mc.Perpetual(symbol, id=row["instId"], multiplier=row["ctVal_coin"], currency="USDT")
        spot[symbol], price[swap.id] = row["markPx"], row["markPx"]
        positions.append(mc.Position(swap, row["pos"]))
    expected = case["expected"]
    loss = expected["account"]["eq"] / rate
    market = mc.Market(NOW, spot=spot, price=price, fx={"USDT/USD": rate})
    report = mc.margin(mc.Account(positions, cash={"USDT": loss}), market, mc.methods.Okx())
    assert report.adds_up()
    for symbol in ("BTC", "LTC"):
        unit, own = report.details["units"][symbol], expected[symbol]
        for key in ("mr1", "mr6", "mmr", "imr"):
            # The venue's own index snapshots differ by 0.015 % (the case's notes): 2e-4 there.
            judge.add(f"{symbol} {key}", own[key], unit[key], rel=2e-4)
        for key in ("mr2", "mr4", "mr7"):
            judge.add(f"{symbol} {key}", own[key], unit[key])
        judge.add(f"{symbol} IMR / MMR", own["imr"] / own["mmr"], unit["imr"] / unit["mmr"])
    for key, value in expected["BTC"].get("mr1_scenarios", {}).items():
        (pnl,) = {
            s["pnl"]
            for s in report.details["units"]["BTC"]["scenarios"]
            if abs(s["move"] - float(key)) < 1e-9 and s["vol"] == "same"
        }
        judge.add(f"BTC {key}", value, pnl, rel=2e-4)
    (line,) = [x for x in report.lines if x.component == "mr8"]
    account = expected["account"]
    judge.add("borrow MMR", account["borrowMmr"], line.maintenance * line.fx)
    judge.add("borrow IMR", account["borrowImr"], line.initial * line.fx)
    judge.add("total MMR", account["totalMmr"], report.requirement.maintenance, rel=2e-4)
    result = crypto.okx_result(report, equity=account["eq"])
    judge.add("marginRatio", account["marginRatio"], result["marginRatio"], rel=2e-4)
    judge.add("total IMR", account["totalImr"], report.requirement.initial, rel=2e-4)
    return judge.checks


def _okx_mr9(entry: Entry) -> list[Check]:
    case = entry.document
    judge = Judge(case)
    tiers = [tuple(tier) for tier in case["input"]["tiers"]]
    judge.add("mr9", case["expected"]["mr9"], mc.methods.Okx.mr9(case["input"]["hedged_usd"], tiers))
    swap = mc.Perpetual("BTC", multiplier=1, currency="USD")
    rules = mc.methods.Okx(mr9_hedged=case["input"]["hedged_usd"], mr9_tiers=tiers)
    market = mc.Market(NOW, spot={"BTC": 1e5}, price={swap.id: 1e5})
    report = mc.margin([mc.Position(swap, 1)], market, rules)
    judge.add("in a report", case["expected"]["mr9"], report.details["units"]["BTC"]["mr9"])
    return judge.checks


def _bybit(entry: Entry) -> list[Check]:
    case = entry.document
    judge = Judge(case)
    fit, expected = case["recomputed"]["black76_fit"], case["expected"]
    perp_row, option_row, spot_row = case["positions"]
    seconds = fit["T_days"] * 86_400
    perp = mc.Perpetual("BTC", multiplier=1, currency="USDT", lot=0.001)
    call = option_contract("BTC", "call", 80_000.0, seconds, "USDT", lot=0.01)
    coin = mc.Spot("BTC", currency="USDT", lot=1e-8)
    index = spot_row["price_implied"]
    market = mc.Market(
        NOW,
        spot={"BTC": index},
        forward={("BTC", at(seconds)): fit["F"]},
        vol={call.id: fit["iv"]},
        price={perp.id: perp_row["scenario_base_price_implied"], coin.id: index},
    )
    contingency = expected["contingency"]
    stated = {
        "option_contingency": contingency["option"],
        "option_vega": contingency["option_vega"],
        "future_delta": contingency["future_delta"],
    }
    rules = mc.methods.Bybit(stated=stated, spot="in_matrix")

    def unit(*held: mc.Position) -> dict[str, Any]:
        return only_unit(mc.margin(list(held), market, rules))

    held = [
        mc.Position(perp, perp_row["qty"]),
        mc.Position(call, option_row["qty"]),
        mc.Position(coin, spot_row["spot_hedge_btc"]),
    ]
    whole, option = unit(*held), unit(held[1])
    rows = iter(option["scenarios"])
    for move, cells in expected["option_pnl"].items():
        for value in cells:
            judge.add(f"option {move}", value, next(rows)["pnl"])
    judge.add("worst total", expected["worst_total"], -whole["max_loss"])
    judge.add("perp -10%", expected["perp_pnl_-10%"], min(s["pnl"] for s in unit(held[0])["scenarios"]))
    judge.add("spot hedge -10%", expected["spot_hedge_pnl_-10%"], max(s["pnl"] for s in unit(held[2])["scenarios"]))
    judge.add("future contingency", contingency["future"], whole["future"])
    judge.add("assetMM", expected["assetMM"], whole["assetMM"])
    judge.add("IM / MM", case["recomputed"]["IM_over_MM"], whole["assetIM"] / whole["assetMM"])
    judge.add("assetIM", expected["assetIM"], whole["assetIM"])
    return judge.checks


def _paradex_delta(entry: Entry) -> list[Check]:
    """The call's delta is the case's: its forward is where the normal distribution says 0.3."""
    case = entry.document
    judge = Judge(case)
    spot = case["market"]["spot"]
    held = case["positions"][1]
    perp = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    call = option_contract("BTC", "call", spot, 365 * 86_400, "USDC")
    d1 = statistics.NormalDist().inv_cdf(held["delta_each"])
    vol = 0.5
    forward = spot * math.exp(vol * d1 - vol * vol / 2)
    market = mc.Market(
        NOW,
        spot={"BTC": spot},
        price={perp.id: spot},
        forward={("BTC", at(365 * 86_400)): forward},
        vol={call.id: vol},
    )
    book = [mc.Position(perp, case["positions"][0]["perp"]), mc.Position(call, held["qty"])]
    unit = only_unit(mc.margin(book, market, mc.methods.Paradex()))
    judge.add("min_delta_risk", case["expected"]["min_delta_risk"], unit["min_delta_risk"])
    return judge.checks


def _paradex_orders(entry: Entry) -> list[Check]:
    case = entry.document
    judge = Judge(case)
    mark = case["market"]["mark"]
    perp = mc.Perpetual("BTC", multiplier=1, currency="USDC")
    market = mc.Market(NOW, spot={"BTC": mark}, price={perp.id: mark})
    rules = mc.methods.Paradex("cross", standard={"*": {"future": {"im": case["params"]["imf"]}}})
    prepared = mc.Engine(rules).prepare([perp], market)
    orders = [crypto.OpenOrder(perp, case["orders"]["buy"]), crypto.OpenOrder(perp, -case["orders"]["sell"])]
    held = [mc.Position(perp, case["positions"][0]["perp"])]
    sizes = crypto.open_sizes(held, orders)[perp.id]
    judge.add("buy_open_size", case["expected"]["buy_open_size"], sizes.buy)
    judge.add("sell_open_size", case["expected"]["sell_open_size"], sizes.sell)
    worst = crypto.margin_with_orders(prepared, held, orders, policy="side_wise")
    judge.add("net_imr", case["expected"]["net_imr"], worst.initial)
    return judge.checks


def _paradex_liquidation(entry: Entry) -> list[Check]:
    case = entry.document
    judge = Judge(case)
    params, expected = case["params"], case["expected"]
    positions, spot, price, upnl = [], {}, {}, 0.0
    for row in case["positions"]:
        symbol = row["sym"].split("-")[0]
        perp = mc.Perpetual(symbol, multiplier=1, currency="USDC", lot=0.1)
        spot[symbol], price[perp.id] = row["mark"], row["mark"]
        upnl += row["qty"] * (row["mark"] - row["entry"])
        positions.append(mc.Position(perp, row["qty"]))
    rules = mc.methods.Paradex("cross", standard={"*": {"future": {"mm": params["mmf"]}}})
    market = mc.Market(NOW, spot=spot, price=price)
    report = mc.margin(positions, market, rules)
    judge.add("mmr", expected["mmr"], report.requirement.maintenance)
    plan = crypto.partial_liquidation(
        report.requirement.maintenance,
        case["collateral"] + upnl,
        fee=params["liquidation_fee_used_in_table"],
        target=params["target_margin_ratio"],
        step=params["share_step"],
    )
    judge.add("chosen_share", expected["chosen_share"], plan.share)
    for row, own in zip(expected["table"], plan.steps, strict=True):
        for key, places in (("share", None), ("mmr", None), ("penalty", None), ("value", None), ("ratio", 5e-4)):
            judge.add(f"{row['share']} {key}", row[key], getattr(own, key), abs_=places)
    return judge.checks


def _hyperliquid(entry: Entry) -> list[Check]:
    case = entry.document
    judge = Judge(case)
    given = case["input"]
    own = crypto.borrowable(given["collateral"], given["price"], given["ltv"])
    judge.add("borrowable", case["expected"]["borrowable_usdc"], own)
    return judge.checks


# The brief --------------------------------------------------------------------------------------------------------


def _brief(entry: Entry) -> list[Check]:
    """Books in linear dollars, forward = spot, one vol; results to a cent."""
    row, case = entry.document, entry.context
    judge = Judge(case)
    book = row["book"].rsplit("_", 1)[0] if row["book"].endswith("dte") else row["book"]
    days = int(row["book"].rsplit("_", 1)[1].removesuffix("dte")) if row["book"].endswith("dte") else None
    spot = case["market"]
    positions, vol, forward = [], {}, {}
    for leg in case["portfolios"][book]["legs"]:
        if leg[0] == "S":
            contract = mc.Spot(leg[1], currency="USD", lot=1e-8)
            positions.append(mc.Position(contract, leg[2]))
            continue
        _, symbol, right, strike, own_days, quantity = leg
        seconds = 86_400.0 * (own_days if days is None else days)
        contract = option_contract(symbol, {"C": "call", "P": "put"}[right], strike, seconds, "USD")
        positions.append(mc.Position(contract, quantity))
        vol[contract.id] = row["vol"]
        forward[symbol, at(seconds)] = spot[symbol]
    market = mc.Market(NOW, spot=spot, vol=vol, forward=forward)
    stated = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
    cent = {"rel": 0.0, "abs_": 0.0051}

    def units(rules: mc.Methodology) -> dict[str, Any]:
        report = mc.margin(positions, market, rules)
        assert report.adds_up()
        return {key.split("/")[0]: unit for key, unit in report.details["units"].items()}

    for key, value in row["expected"].items():
        spot_treatment = "collateral_only" if key.endswith("_spot_excluded") else "in_matrix"
        model = key.removesuffix("_spot_excluded")
        if model == "option_mtm":
            own = units(mc.methods.Deribit())
            judge.add(key, value, sum(u["options_value"] for u in own.values()), **cent)
        elif model == "deribit_sm_im_mm":
            own = units(mc.methods.Deribit("standard"))
            judge.add("sm im", value[0], sum(u["initial_margin"] for u in own.values()), **cent)
            judge.add("sm mm", value[1], sum(u["maintenance_margin"] for u in own.values()), **cent)
        elif model.startswith("deribit_pm_"):
            own = units(mc.methods.Deribit(vintage=model.removeprefix("deribit_pm_"), spot=spot_treatment))
            for symbol, numbers in value.items():
                unit = own[symbol]
                judge.add(f"{key} {symbol} scan", numbers["scan"], unit["worst_case"], **cent)
                judge.add(f"{key} {symbol} roll", numbers["roll"], unit["roll_shock"], **cent)
                judge.add(f"{key} {symbol} total", numbers["total"], unit["risk_matrix_margin"], **cent)
        elif model == "paradex_pm":
            own = units(mc.methods.Paradex(spot=spot_treatment))
            for symbol, number in value.items():
                judge.add(f"{key} {symbol}", number, own[symbol]["imr"], **cent)
        elif model == "okx_mr1_mr6":
            own = units(mc.methods.Okx(spot=spot_treatment, stated=stated))
            for symbol, number in value.items():
                judge.add(f"{key} {symbol}", number, own[symbol]["mr1_mr6"], **cent)
        elif model.startswith("span16_"):
            own = units(mc.methods.Span16(_SPAN[model], spot=spot_treatment))
            for symbol, number in value.items():
                judge.add(f"{key} {symbol}", number, own[symbol]["worst_case"], **cent)
        else:
            raise MalformedCase(f"{entry.id}: no translation for {key}")
    return judge.checks


_SPAN = {"span16_psr12pct_vsr10pt": "12pct-10pt", "span16_psr30pct_vsr35pct": "30pct-35pct"}


def _not_run(entry: Entry) -> list[Check]:
    raise CannotRun("the source's own numbers contradict each other")


_RUNNERS: dict[str, Callable[[Entry], list[Check]]] = {
    "recorded": _recorded,
    "crypto_01": _deribit_pme,
    "crypto_02": _deribit_pme,
    "crypto_03": _deribit_linear,
    "crypto_04": _bitcom,
    "crypto_05": _okx,
    "crypto_06": _okx_mr9,
    "crypto_07": _bybit,
    "crypto_08": _paradex_delta,
    "crypto_09": _paradex_orders,
    "crypto_10": _paradex_liquidation,
    "crypto_11": _hyperliquid,
    "crypto_12": crypto_derive.srm_docs,
    "crypto_13": _not_run,
    "crypto_14": _dederi,
    "crypto_15": _old_deribit,
    "crypto_16": _inverse_mark,
    "crypto_20": crypto_derive.pmrm2,
    "crypto_40": crypto_derive.srm,
    "crypto_41": crypto_derive.pmrm1,
    "crypto_50": _brief,
}
_RUNNERS |= {f"crypto_{n}": crypto_derive.pmrm2 for n in range(21, 40)}
