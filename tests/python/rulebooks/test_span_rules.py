"""Every charge and credit of SPAN on a case small enough to add up by hand; the reference engine has to agree."""

from __future__ import annotations

from typing import Any

import pytest

import margincore as mc
from margincore.methods import Span
from margincore.methods.span import contract_id, kite, nse_exposure
from margincore.reference import span as ref

EXPIRY = "2099-12-31T00:00:00Z"
EXTREME = [3.0, 0.33]
Json = dict[str, Any]


def row(product: str, period: str, scan_range: float, **terms: Any) -> Json:
    """A contract that gains `scan_range` when the price goes up by its range (an option loses where it is short)."""
    array = [-p.price * p.weight * scan_range for p in ref.STANDARD_POINTS]
    shared = {"product": product, "kind": "FUT", "period": period, "commodity": product, "array": array}
    return {**shared, "price_scan": scan_range, **terms}


def option(product: str, period: str, right: str, strike: float, **terms: Any) -> Json:
    shared = {"kind": "OOP", "right": right, "strike": strike, "value": 0.0, "delta": 0.0}
    return row(product, period, 0.0, **{**shared, **terms})


def leg(commodity: str, side: int, ratio: float = 1.0, **terms: Any) -> Json:
    return {"commodity": commodity, "side": side, "ratio": ratio, **terms}


def spread(method: str, rate: float, *legs: Json, priority: int = 1, **terms: Any) -> Json:
    return {"priority": priority, "method": method, "rate": rate, "legs": list(legs), **terms}


def document(contracts: list[Json], *commodities: Json, **more: Any) -> Json:
    own = list(commodities) or [{"code": "X"}]
    return {
        "extreme": EXTREME,
        "contracts": contracts,
        "commodities": [{"currency": "USD", **c} for c in own],
        **more,
    }


def name_of(item: Json) -> str:
    return contract_id(
        item["product"], item["period"], kind=item["kind"], right=item.get("right"), strike=item.get("strike")
    )


def contract_of(item: Json, currencies: dict[str, str]) -> mc.Contract:
    shared = {"multiplier": 1, "currency": item.get("currency") or currencies[item["commodity"]], "id": name_of(item)}
    if "right" in item:
        word = "call" if item["right"] == "C" else "put"
        return mc.Option("X", word, item["strike"], exercise="european", expiry=EXPIRY, **shared)
    return mc.Future("X", expiry=EXPIRY, **shared)


def margin(parameters: Json, held: list[int], *, kind: str | None = None, **options: Any) -> mc.MarginReport:
    """Margins `held` contracts (one number for each of the document's) and compares the total with the reference."""
    currencies = {c["code"]: c["currency"] for c in parameters["commodities"]}
    table = [contract_of(item, currencies) for item in parameters["contracts"]]
    account = mc.Account([mc.Position(c, q) for c, q in zip(table, held, strict=True) if q], kind=kind)
    report = mc.margin(account, None, Span.from_document(parameters, **options))
    assert report.adds_up()
    book = {name_of(item): float(q) for item, q in zip(parameters["contracts"], held, strict=True)}
    choices = {k: v for k, v in options.items() if k != "base_currency"}
    want = ref.margin(
        ref.from_document(parameters, options.get("base_currency", "")),
        book,
        ref.Options(**choices, account_kind=kind or "speculator"),
    )
    assert report.cash_balance_required == pytest.approx(want.requirement, rel=1e-12, abs=1e-9)
    return report


def lines(report: mc.MarginReport) -> dict[tuple[str, str], float]:
    return {(line.scope, line.component): line.initial for line in report.lines}


def test_a_gross_account_s_sides_do_not_net() -> None:
    parameters = document([row("X", "202601", 100.0), row("X", "202602", 90.0)],
                          {"code": "X", "spreads": [spread("F", 10.0, leg("X", 1), leg("X", -1))]})  # fmt: skip
    near, far = (contract_of(item, {"X": "USD"}) for item in parameters["contracts"])
    span = Span.from_document(parameters)
    held = [mc.Position(near, long=3, short=2), mc.Position(far, long=0, short=4)]
    # Net: +1 and -4, 4 x 90 - 100, one calendar spread. Gross: 3 x 100 on one side, 2 x 100 + 4 x 90 on the other.
    assert mc.margin(mc.Account(held), None, span).requirement.initial == 270.0
    gross = mc.margin(mc.Account(held, gross=True), None, span)
    assert gross.requirement.initial == 860.0
    assert lines(gross) == {("X long", "scan"): 300.0, ("X short", "scan"): 560.0}
    assert gross.details["short"]["commodities"]["X"]["net_delta"] == -6.0


def test_delivery_months_pay_for_deltas_in_spreads_and_outright() -> None:
    rates = [{"period": "202601", "spread": 11.0, "outright": 23.0}, {"period": "202602", "spread": 5.0, "outright": 7}]
    parameters = document(
        [row("X", p, 100.0) for p in ("202601", "202602", "202603")],
        {"code": "X", "spot_rates": rates, "spreads": [spread("F", 10.0, leg("X", 1), leg("X", -1))]},
    )
    # Scan 200; three spreads at 10; January 3 x 11 + 2 x 23, February 3 x 5.
    report = margin(parameters, [5, -3, 0])
    assert lines(report) == {("X", "scan"): 200.0, ("X", "intra_commodity"): 30.0, ("X", "delivery"): 94.0}
    assert report.requirement.initial == 324.0
    assert report.details["commodities"]["X"]["nReq"]["pd"][0] == {
        "pe": "202601", "od": 5.0, "gd": 3.0, "rd": 2.0, "drs": 33.0, "dro": 46.0,
    }  # fmt: skip


def test_inter_commodity_spreads_leave_delivery_months_alone_on_request() -> None:
    rates = [{"period": "202601", "spread": 0.0, "outright": 23.0}]
    parameters = document(
        [row("X", "202601", 100.0), row("X", "202603", 100.0), row("Y", "202603", 100.0)],
        {"code": "X", "spot_rates": rates},
        {"code": "Y"},
        inter_spreads=[spread("W", 0.5, leg("X", 1), leg("Y", -1))],
    )
    # Two deltas outright in delivery cost 46 either way; three or one spread credits 2 x 50.
    assert margin(parameters, [2, 1, -3]).requirement.initial == 600.0 + 46.0 - 300.0
    months = margin(parameters, [2, 1, -3], delivery_months_in_inter=False)
    assert months.requirement.initial == 600.0 + 46.0 - 100.0
    # A delta that an inter-commodity spread used is in a spread for the delivery charge too, where that is chosen.
    counted = margin(parameters, [2, 1, -3], delivery_counts_inter=True)
    assert counted.requirement.initial == 600.0 - 300.0


def test_delivery_method_11_charges_spot_positions() -> None:
    physicals = [row(p, "202601", 40.0, kind="PHY", commodity="X") for p in ("CASH", "OTHER")]
    parameters = document([*physicals, row("X", "202601", 40.0)], {"code": "X", "basis": ["CASH", 7.0]})
    # 4 units of the charged product, whichever way; the other product and the future are not spot positions of it.
    report = margin(parameters, [-4, 2, 2])
    assert lines(report) == {("X", "scan"): 0.0, ("X", "basis"): 28.0}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_butterfly_comes_before_the_calendar_of_lower_priority(sign: int) -> None:
    periods = ["202601", "202602", "202603"]
    wings = [leg("X", side, ratio, period=p) for p, side, ratio in zip(periods, (1, -1, 1), (1, 2, 1), strict=True)]
    calendar = spread("F", 80.0, leg("X", 1), leg("X", -1), priority=2)
    parameters = document([row("X", p, 100.0) for p in periods],
                          {"code": "X", "spreads": [calendar, spread("F", 100.0, *wings)]})  # fmt: skip
    # Three butterflies (3, 6, 3) at 100; of -2 and +1 left, one calendar at 80; the net delta is one.
    report = margin(parameters, [3 * sign, -8 * sign, 4 * sign])
    assert lines(report) == {("X", "scan"): 100.0, ("X", "intra_commodity"): 380.0}
    assert [s["spreads"] for s in report.details["spreads"]] == [3.0, 1.0]


def test_charge_method_p_is_refused_unless_its_inferred_form_is_chosen() -> None:
    months = spread("P", 0.0, leg("X", 1, period="202601"), leg("X", -1, period="202604"), per_month=[20.0, 3.0, 1.5])
    parameters = document([row("X", "202601", 100.0), row("X", "202604", 100.0)], {"code": "X", "spreads": [months]})
    with pytest.raises(mc.Unsupported, match="charge method P"):
        margin(parameters, [2, -2])
    # 20 + 1.5 + 3 x 3 months, twice.
    assert margin(parameters, [2, -2], per_month="additive").requirement.initial == 61.0
    assert margin(parameters, [2, 0]).requirement.initial == 200.0


@pytest.mark.parametrize(
    ("method", "book", "want"),
    [
        # Split: the legs' arrays and deltas. 2 x (100 - 90), and two calendar spreads at 15.
        ("S", [0, 0, 2, 0], {"scan": 20.0, "intra_commodity": 30.0}),
        ("M", [0, 0, 2, 0], {"scan": 20.0, "intra_commodity": 30.0}),
        # Delta split: its own array of range 12, deltas to the legs.
        ("D", [0, 0, 2, 0], {"scan": 24.0, "intra_commodity": 30.0}),
        # The combination's legs take part in spreads with the months themselves: -2 and +2 are gone.
        ("S", [-2, 2, 2, 0], {"scan": 0.0}),
        # An option on the combination: half a delta to each leg, the array stays. Short 2: 2 x 6, one spread.
        ("D", [0, 0, 0, -2], {"scan": 12.0, "intra_commodity": 15.0}),
    ],
)
def test_combinations(method: str, book: list[int], want: dict[str, float]) -> None:
    legs = [{"id": ":X:FUT:202601", "ratio": 1.0}, {"id": ":X:FUT:202603", "ratio": -1.0}]
    calendar = row("CAL", "202601", 12.0, kind="CMB", commodity="X", legs=legs)
    on_it = row("OCAL", "202601", 6.0, kind="OOC", commodity="X", right="C", strike=1.0, delta=0.5, value=3.0,
                legs=[{"id": ":CAL:CMB:202601", "ratio": 1.0}])  # fmt: skip
    parameters = document(
        [row("X", "202601", 100.0), row("X", "202603", 90.0), calendar, on_it],
        {"code": "X", "combination": method, "spreads": [spread("F", 15.0, leg("X", 1), leg("X", -1))]},
    )
    report = margin(parameters, book)
    assert lines(report) == {("X", name): pytest.approx(amount, abs=1e-12) for name, amount in want.items()}
    assert report.net_option_value == 3.0 * book[3]


def test_short_option_minimums_by_tier_gross_and_the_larger_side() -> None:
    options = [option("X", p, r, 10.0) for p, r in (("202601", "C"), ("202601", "P"), ("202603", "C"))]
    tiers = [{"number": 1, "start": "202601", "end": "202602", "rate": 10.0},
             {"number": 2, "start": "202603", "end": "202612", "rate": 20.0}]  # fmt: skip
    gross = document(options, {"code": "X", "som_tiers": tiers})
    larger = document(options, {"code": "X", "som_tiers": tiers, "som_method": "MAX"})
    assert lines(margin(gross, [-3, -2, -1]))["X", "short_option_minimum"] == 5 * 10.0 + 20.0
    assert lines(margin(larger, [-3, -2, -1]))["X", "short_option_minimum"] == 3 * 10.0 + 20.0
    # Long options count for nothing.
    assert margin(gross, [3, 2, 1]).requirement.initial == 0.0


def test_option_value_capped_per_commodity_or_pooled() -> None:
    parameters = document(
        [option("X", "202601", "C", 10.0, value=500.0, array=row("X", "", 100.0)["array"]), row("Y", "202601", 700.0)],
        {"code": "X"},
        {"code": "Y"},
    )
    # X: risk 100, value 500. Y: risk 700.
    assert margin(parameters, [1, 1], anov="pooled").cash_balance_required == 300.0
    assert margin(parameters, [1, 1], anov="capped").cash_balance_required == 700.0
    parameters["commodities"][0]["cap_anov"] = True
    assert margin(parameters, [1, 1]).cash_balance_required == 700.0


def test_the_account_kind_chooses_the_level_and_the_factor_spares_option_value() -> None:
    levels = {"member": {"initial": 1.0, "maintenance": 1.0}, "hedger": {"initial": 1.05, "maintenance": 1.0},
              "speculator": {"initial": 1.1, "maintenance": 1.0}}  # fmt: skip
    short = option("X", "202601", "C", 10.0, value=30.0, array=row("X", "", 100.0)["array"])
    parameters = document([short], {"code": "X", "levels": levels})
    for kind, factor in (("member", 1.0), ("hedger", 1.05), ("speculator", 1.1), (None, 1.1)):
        report = margin(parameters, [-2], kind=kind)
        assert report.requirement.initial == pytest.approx(factor * 200.0)
        assert report.cash_balance_required == pytest.approx(factor * 200.0 + 60.0)
        assert report.requirement.maintenance == 200.0
    with pytest.raises(mc.InvalidInput, match="member, hedger and speculator"):
        mc.margin(mc.Account([mc.Position(contract_of(short, {"X": "USD"}), 1)], kind="trader"), None,
                  Span.from_document(parameters))  # fmt: skip


@pytest.mark.parametrize(
    ("method", "delta", "want"),
    [
        # A range of 50 on a delta of 0.1: 500 per delta, far above the scan range of 100.
        ("NORMAL", 0.1, 500.0),
        ("SCANRANGE_CAP", 0.1, 100.0),
        ("SCANRANGE", 0.1, 100.0),
        ("NORMAL", 2.0, 25.0),
        ("SCANRANGE_CAP", 2.0, 25.0),
        ("SCANRANGE", 2.0, 100.0),
    ],
)
def test_weighted_futures_price_risk(method: str, delta: float, want: float) -> None:
    parameters = document(
        [row("X", "202601", 50.0, delta=delta, price_scan=100.0), row("Y", "202601", 400.0)],
        {"code": "X", "wfpr": method},
        {"code": "Y"},
        inter_spreads=[spread("W", 0.5, leg("X", 1), leg("Y", -1))],
    )
    report = margin(parameters, [1, -5])
    assert report.details["commodities"]["X"]["wfpr"] == pytest.approx(want)
    # As many spreads as X has deltas; half of X's price risk per delta and of Y's 400 is given back.
    assert report.details["commodities"]["X"]["inter_credit"] == pytest.approx(delta * want * 0.5)
    assert report.details["commodities"]["Y"]["inter_credit"] == pytest.approx(delta * 400.0 * 0.5)


def test_super_spreads_come_first_and_cap_the_price_risk_at_scan_risk_per_delta() -> None:
    array = row("X", "", 80.0)["array"]
    array[0] = array[1] = -20.0
    # Time risk -20 makes a price risk of 100 out of a scan risk of 80.
    contracts = [row("X", "202601", 80.0, array=array), row("Y", "202601", 500.0)]
    pair = spread("W", 0.5, leg("X", 1), leg("Y", -1))
    inter = margin(document(contracts, {"code": "X"}, {"code": "Y"}, inter_spreads=[pair]), [2, -2])
    assert inter.details["commodities"]["X"]["inter_credit"] == 2 * 100.0 * 0.5
    above = margin(document(contracts, {"code": "X"}, {"code": "Y"}, super_spreads=[pair]), [2, -2])
    assert above.details["commodities"]["X"]["super_credit"] == 2 * 80.0 * 0.5
    # What the super spread used is gone for the spread between commodities.
    both = margin(
        document(contracts, {"code": "X"}, {"code": "Y"}, super_spreads=[pair], inter_spreads=[pair]), [2, -2]
    )
    assert [s["group"] for s in both.details["spreads"]] == ["super"]


def test_tiers_of_scanning_and_of_spreads() -> None:
    tiers = [{"number": 1, "start": "202601", "end": "202602"}, {"number": 2, "start": "202603", "end": "202612"}]
    contracts = [row("X", "202601", 100.0), row("X", "202603", 60.0), row("Y", "202601", 400.0)]
    scan = document(contracts, {"code": "X", "scan_tiers": tiers}, {"code": "Y"})
    # Long near and short far no longer offset: each tier is scanned alone.
    assert margin(scan, [2, -2, 0]).requirement.initial == 2 * 100.0 + 2 * 60.0
    inter = document(
        contracts,
        {"code": "X", "inter_tiers": tiers},
        {"code": "Y"},
        inter_spreads=[spread("W", 0.5, leg("X", 1, tier=2), leg("Y", -1))],
    )
    # Only the three far deltas spread, at the far tier's price risk of 60.
    report = margin(inter, [5, 3, -4])
    assert report.details["commodities"]["X"]["inter_credit"] == 3 * 60.0 * 0.5
    assert report.details["commodities"]["X"]["delta_left"] == {"202601": 5.0, "202603": 0.0}


def test_rates_by_leg_and_a_negative_rate_is_a_charge() -> None:
    parameters = document(
        [row("X", "202601", 100.0), row("Y", "202601", 80.0)],
        {"code": "X"},
        {"code": "Y"},
        inter_spreads=[spread("W", 0.9, leg("X", 1, rate=0.5), leg("Y", -1, 2.0, rate=-0.1))],
    )
    # Two spreads of 1 against 2: X is credited 2 x 100 x 0.5, Y charged 2 x 2 x 80 x 0.1.
    report = margin(parameters, [2, -5])
    assert lines(report)["X", "inter_commodity_credit"] == -100.0
    assert lines(report)["Y", "inter_commodity_credit"] == pytest.approx(32.0)


def test_a_scanning_based_spread_moves_risk_and_deltas_to_its_target() -> None:
    pair = spread("W", 0.5, leg("X", 1, target=True), leg("Y", 1, 2.0), scanning=True)
    later = spread("W", 1.0, leg("X", 1), leg("Z", -1), priority=2)
    parameters = document(
        [row(c, "202601", r) for c, r in (("X", 100.0), ("Y", 60.0), ("Z", 50.0))],
        {"code": "X"},
        {"code": "Y"},
        {"code": "Z"},
        inter_spreads=[pair, later],
    )
    # +3 X and -4 Y: up, a gain of 300 counted half and a loss of 240; down, a loss of 300 and a gain of 240, half.
    report = margin(parameters, [3, -4, 0])
    assert report.requirement.initial == 300.0 - 120.0
    assert report.details["spreads"][0]["requirement"] == 180.0
    # The target's delta is then 3 - 4 / 2 = 1 with a price risk of 180, which the next spread pairs with one Z.
    report = margin(parameters, [3, -4, -2])
    formed = report.details["spreads"][1]
    assert (formed["spreads"], [entry["amount"] for entry in formed["legs"]]) == (1.0, [180.0, 50.0])


def test_the_largest_losses_alone_where_a_scan_point_says_so() -> None:
    rules = [{"point": p, "maximum": True, "losses": 1} for p in range(1, 17)]
    legs = [leg("X", 1, target=True), leg("Y", 1)]
    parameters = document(
        [row("X", "202601", 100.0), row("Y", "202601", 60.0)],
        {"code": "X"},
        {"code": "Y"},
        inter_spreads=[spread("W", 0.5, *legs, scanning=True, point_rules=rules)],
    )
    assert margin(parameters, [1, 1]).requirement.initial == 100.0


def test_legs_in_several_currencies_with_minimum_and_delivery_charge() -> None:
    # Build 610 of PC-SPAN added up such legs wrongly.
    contracts = [row("X", "202601", 100.0), row("Y", "202601", 50.0), option("Y", "202602", "C", 10.0)]
    parameters = document(
        contracts,
        {"code": "X", "spot_rates": [{"period": "202601", "spread": 1.0, "outright": 9.0}]},
        {"code": "Y", "currency": "EUR", "som_tiers": [{"number": 0, "rate": 400.0}]},
        rates=[{"from": "EUR", "to": "USD", "factor": 1.2}],
        inter_spreads=[spread("W", 0.5, leg("X", 1, target=True), leg("Y", 1), scanning=True)],
    )
    report = margin(parameters, [2, -3, -1], base_currency="USD")
    # In dollars: 200 against 180 counted half: 200 - 90 = 110 on X, and nothing is left of Y's scan risk. X's
    # delivery month adds 18; Y still owes its minimum of 400 euros.
    assert lines(report)["X", "delivery"] == 18.0
    assert lines(report)["Y", "short_option_minimum"] == 400.0
    assert report.requirement.initial == pytest.approx(110.0 + 18.0 + 400.0 * 1.2)


def test_contract_scale_and_delta_scale() -> None:
    contracts = [row("X", "202601", 100.0, scale=0.5), row("Y", "202601", 100.0)]
    pair = [spread("W", 1.0, leg("X", 1), leg("Y", -1))]
    by_delta = document(contracts, {"code": "X", "wfpr": "SCANRANGE"}, {"code": "Y"}, inter_spreads=pair)
    # Delta scale: 4 contracts are 2 deltas of 200 each.
    report = margin(by_delta, [4, -3])
    assert lines(report)["X", "scan"] == 400.0
    assert lines(report)["X", "inter_commodity_credit"] == -400.0
    # Contract scale: 4 contracts are 2, arrays and deltas alike, of 100 a delta.
    report = margin({**by_delta, "contract_scale": True}, [4, -3])
    assert lines(report)["X", "scan"] == 200.0
    assert lines(report)["X", "inter_commodity_credit"] == -200.0


def nse() -> Json:
    none = [0.0] * 16
    spot = row("NIFTY", "000000", 0.0, kind="PHY", price=24_000.0, value=24_000.0)
    future = row("NIFTY", "20260630", 2_000.0, value=24_100.0)
    strikes = [option("NIFTY", "20260630", r, k, array=none) for r, k in (("C", 24e3), ("C", 27e3), ("P", 21e3))]
    far = option("NIFTY", "20270630", "C", 24e3, array=none)
    stock = [row("ABC", "000000", 0.0, kind="PHY", price=100.0, value=100.0), row("ABC", "20260630", 10.0, value=101.0)]
    return document([spot, future, *strikes, far, *stock], {"code": "NIFTY", "currency": "INR"},
                    {"code": "ABC", "currency": "INR"}, business_date="20260601")  # fmt: skip


def test_exposure_beside_span() -> None:
    parameters = nse()
    table = [contract_of(item, {"NIFTY": "INR", "ABC": "INR"}) for item in parameters["contracts"]]
    held = [mc.Position(table[i], q) for i, q in ((1, 2), (2, -1), (3, -1), (4, 5), (5, -1), (7, 3))]
    general = nse_exposure()
    report = mc.margin(held, None, Span.from_document(parameters, exposure=general))
    # Index: 2 % of two futures, 2 % of spot for the short call at the money, 3 % for the one 12.5 % out, nothing for
    # long puts, 5 % for the one beyond nine months. Stock: 3.5 % of three futures.
    assert lines(report)["NIFTY", "exposure"] == pytest.approx(0.02 * 2 * 24_100 + 24_000 * (0.02 + 0.03 + 0.05))
    assert lines(report)["ABC", "exposure"] == pytest.approx(0.035 * 3 * 101)
    table_rates = {**general, "table": {"ABC": {"other": 0.0525, "far_out": 0.07}}}
    report = mc.margin(held, None, Span.from_document(parameters, exposure=table_rates))
    assert lines(report)["ABC", "exposure"] == pytest.approx(0.0525 * 3 * 101)
    # Lots of 65 and 250 shares.
    sizes = {"NIFTY": 65.0, "ABC": 250.0}
    lots = mc.margin(held, None, Span.from_document(parameters, exposure=general, lot_sizes=sizes))
    assert lines(lots)["ABC", "exposure"] == pytest.approx(250 * 0.035 * 3 * 101)
    assert lines(lots)["NIFTY", "scan"] == 65 * 2 * 2_000.0
    shares = mc.margin([mc.Position(p.contract, p.quantity * sizes[p.contract.id.split(":")[1]]) for p in held], None,
                       Span.from_document(parameters, exposure=general))  # fmt: skip
    assert kite(lots) == pytest.approx(kite(shares), rel=1e-12)
    with pytest.raises(mc.MissingData, match="no lot size for 'ABC'"):
        mc.margin(held, None, Span.from_document(parameters, lot_sizes={"NIFTY": 65}))
    # Long and short futures of a gross account are exposed both.
    both = mc.Account([mc.Position(table[1], long=1, short=1)], gross=True)
    gross = mc.margin(both, None, Span.from_document(parameters, exposure=general))
    assert lines(gross)["NIFTY", "exposure"] == pytest.approx(2 * 0.02 * 24_100)
