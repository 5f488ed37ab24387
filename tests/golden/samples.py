"""One object of every class that pickles, and one document of every kind, with the values that golden files hold.

What an engine would compute is written out here: a golden file must not change where a number does.
"""

from __future__ import annotations

import datetime as dt
from operator import attrgetter
from typing import Any

import numpy as np

import margincore as mc
from margincore import (
    _core,
    analysis,
    batch,
    calendars,
    crypto,
    documents,
    importers,
    methods,
    monitoring,
    pricing,
    symbols,
)
from margincore.analysis import (
    attribution,
    backtest,
    events,
    intraday,
    profiles,
    profits,
    questions,
    scenarios,
    statements,
    stress,
    surfaces,
    tails,
    volatility,
)
from margincore.crypto import liquidation
from margincore.crypto import table as crypto_table
from margincore.methods import hvar
from margincore.pricing import quotes, smiles

INSTANT = "2026-11-20T16:00:00-05:00"
_AWARE = dt.datetime(2026, 11, 20, 21, tzinfo=dt.UTC)

STOCK = mc.Stock("XYZ", currency="USD")
PUT = mc.Option(
    "XYZ", "put", 45, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100, currency="USD"
)

_ARRAY = "".join(f"<a>{a}</a>" for a in (0, 0, -3, -3, 3, 3, -6, -6, 6, 6, -9, -9, 9, 9, -9, 9))
_FUTURE = f"<fut><pe>202506</pe><p>10.5</p><ra><r>1</r>{_ARRAY}<d>1</d></ra></fut>"
_ORGANISATION = (
    f"<clearingOrg><ec>X</ec><futPf><pfCode>F</pfCode><cvf>1</cvf>{_FUTURE}</futPf>"
    "<ccDef><cc>F</cc><currency>USD</currency></ccDef></clearingOrg>"
)
SPN = f"<spanFile><pointInTime><date>20250601</date>{_ORGANISATION}</pointInTime></spanFile>".encode()

EVALUATED: dict[str, Any] = {
    "version": 1,
    "account": {
        "positions": [{"contract": {"kind": "stock", "underlying": "XYZ", "currency": "USD"}, "quantity": 100}],
        "cash": {"USD": 1000.0},
    },
    "market": {"valuation": INSTANT, "spot": {"XYZ": 50.0}},
    "methodology": {"name": "tims"},
}

_LINE = {
    "scope": "XYZ", "component": "scan risk", "initial": 750.0, "maintenance": 600.0, "currency": "USD", "fx": 1.0,
    "scenario": "-15 %",
}  # fmt: skip
_GREEKS = {
    "underlying": "XYZ", "currency": "USD", "delta": 100.0, "gamma": 0.5, "vega": -2.0, "theta": 3.0, "rho": 4.0,
    "excluded": ["a"],
}  # fmt: skip
REPORT: dict[str, Any] = {
    "version": 1,
    "requirement": {
        "initial": 750.0, "maintenance": 600.0, "net_option_value": 12.5, "worst_scenario": 0,
    },
    "worst_scenario": "-15 %",
    "methodology": "OCC TIMS",
    "parameters": {
        "name": "occ-cpm", "version": "1", "effective": "2026-01-01", "source": "made up", "digest": "0" * 64,
    },
    "valuation": INSTANT,
    "currency": "USD",
    "lines": [_LINE],
    "details": {"any": [1, 2.5, "x", None, True]},
    "greeks": [_GREEKS],
    "standalone_sum": 800.0,
}  # fmt: skip
STATEMENT: dict[str, Any] = {
    "version": 1, "date": "2026-11-20", "valuation": INSTANT, "regime": "reg_t", "currency": "USD",
    "initial": 1.0, "maintenance": 2.0, "cash_balance_required": None,
    "equity": {
        "currency": "USD", "total": 3.0,
        "balances": [
            {"currency": "USD", "fx": 1.0, "cash": 1.5, "options": 0.5, "holdings": 1.0, "open_trade_equity": 0.0}
        ],
        "collateral": [{"asset": "GOLD", "amount": 2.0, "haircut": 0.25, "value": 0.0}],
    },
    "minimum": {"required": 4.0, "met": False, "because": "a", "source": "b", "grade": "c"},
    "buying_power": [{"of": "stock", "initial_rate": 0.5, "maintenance_rate": 0.25, "amount": 5.0}],
    "close": {
        "opening": 6.0, "entries": [{"what": "deposit", "amount": 7.0}], "excess": -1.0, "sma": 13.0, "new": None,
        "calls": [],
    },
    "calls": [
        {
            "kind": "maintenance", "amount": 8.0, "left": 7.5, "currency": "USD", "made_on": "2026-11-19",
            "due_on": "2026-12-11", "waived": False,
        }
    ],
    "cures": [
        {
            "kind": "maintenance", "action": "sell", "contract": "XYZ", "amount": 30.0, "quantity": 1.0, "rate": 0.25,
            "left": 0.5, "exact": False,
        }
    ],
    "cash": {"settled": {"USD": 1.0}, "unsettled": {"USD": 0.5}, "withdrawable": 0.0, "limit": "minimum equity"},
    "interest": [{"currency": "USD", "debit": 360.0, "rate": 0.1, "days_in_year": 360, "per_day": 0.1}],
    "portfolio": {
        "groups": [
            {
                "level": "class group", "name": "XYZ", "within": "B", "points": ["-15 %"], "profit": [-9.0],
                "largest_loss": 9.0, "worst": "-15 %", "minimum": 1.0, "offset": 1.0, "requirement": 9.0,
            }
        ],
        "stress": [{"move": -0.3, "equity": 1.0, "change": -2.0, "requirement": 3.0}],
        "gross": 6.0, "leverage": 2.0,
    },
    "futures": {"risk": 1.0, "initial": 1.1, "option_value": 0.2, "equity": 3.0, "pretrade": None},
    "restrictions": [{"what": "reducing orders only", "because": "a", "broken": False}],
    "absent": [{"what": "SMA", "because": "give carried"}],
    "report": REPORT,
}  # fmt: skip
_BEFORE, _AFTER = {"initial": 1.0, "maintenance": 2.0}, {"initial": 4.0, "maintenance": 8.0}
WHAT_IF = {"version": 1, "before": _BEFORE, "after": _AFTER, "change": {"initial": 3.0, "maintenance": 6.0}}
DECISION = {
    "version": 1, "accepted": False, "reason": "min_excess", "message": "min_excess: -1.00 is below the limit of 0.00",
    "before": _BEFORE, "after": _AFTER, "worst": 4.0, "excess_before": 2.0, "excess_after": -1.0, "headroom": -1.0,
    "coverage": "none", "market_age": None, "epoch": 2, "sequence": 3, "digest": "a" * 64,
}  # fmt: skip


def _array(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


def samples() -> dict[str, Any]:
    """An object of every public class that pickles, by its public name."""
    contracts = mc.Contracts([STOCK, PUT])
    market = mc.Market(
        INSTANT, contracts=contracts, spot={"XYZ": 50.0}, rate={"USD": {"2026-12-18": 0.05}}, fx={"EURUSD": 1.1},
        dividends={"XYZ": [("2026-12-01", 0.5)]}, price=_array(50.0, 1.25), vol={PUT.id: 0.3},
    )  # fmt: skip
    account = mc.Account(
        [mc.Position(STOCK, 100), mc.Position(PUT, long=2, short=3)],
        cash={"USD": 1.5}, collateral={"BTC": 0.25}, kind="margin", gross=True,
    )  # fmt: skip
    report = mc.MarginReport.from_dict(REPORT)
    outcome = analysis.Outcome("TIMS", report, None)
    step = analysis.Step((PUT, -1.0), 3.0, 2.0, 1.0)
    reason = analysis.Reason(True, "an account", "rule", "made up")
    contribution = attribution.Contribution(PUT, 1.0, 2.0, 3.0)
    two = np.array([0.5, 1.5])
    ratio, transitions = backtest.LikelihoodRatio(1.5, 0.25), backtest.Transitions(90, 4, 5, 1)
    light = backtest.TrafficLight(0.5, 0.25, "green")
    coverage = backtest.Coverage(100, 5, 0.95, 1.0, 2.0, None, 4.0)
    cycle = backtest.Procyclicality(2.0, 3.0, 1.0, 3.0, 0.1, 0.2, 0.3)
    quote = importers.OptionQuote(mc.OsiSymbol("XYZ261218P00045000"), 1.0, 1.5, 1.25, 0.3, 10.0, 2)
    dropped = importers.DroppedQuote("XYZ", 3, "no bid")
    refusal = importers.Refusal("a.csv:3", "QQ,1", "root 'QQ' has no terms", "missing_product", "--equity QQ")
    status = monitoring.Status("a", 600.0, 690.0, 690.0, 1.15, -90.0, -90.0, "liquidation", float("inf"))
    terms = quotes.ExpiryTerms(0.25, 101.0, 0.99, 9, 0.01)
    svi = smiles.Svi(0.01, 0.25, -0.5, 0.125, 0.5, 0.5, 100.0)
    ssvi = smiles.Ssvi(-0.5, 1.0, 0.5, (0.25, 0.5), (100.0, 101.0), (0.01, 0.02))
    span_file = _core.SpanFile.parse(SPN, "x.spn")
    array = [float(i) for i in range(16)]
    future = {"product": "X", "kind": "FUT", "period": "202612", "commodity": "X", "array": array}
    span = {"contracts": [future], "commodities": [{"code": "X", "currency": "USD"}], "extreme": [3.0, 0.33]}
    levels = hvar.History({"XYZ": [50.0, 51.0, 49.0]}, dates=["2026-01-02", "2026-01-05", "2026-01-06"])
    page = mc.Statement.from_dict(STATEMENT)
    held = statements.PortfolioMargin.from_dict(STATEMENT["portfolio"])
    worth = statements.Equity.from_dict(STATEMENT["equity"])
    day = statements.Close.from_dict(STATEMENT["close"])
    level = intraday.Level(10_000.0, 7_500.0)
    fill = intraday.Fill(STOCK, 300.0, 100.0, fees=1.0, time=INSTANT, id="a")
    moved = intraday.Step(0, "buy 300 XYZ at 100", level, intraday.Level(10_000.0, 12_500.0), True, "lower", "given")
    point = events.ScanPoint(45.0, "by the rule", {"XYZ": 100.0}, 5.0, 4.0, 3.0)
    step_down = liquidation.LiquidationStep(0.5, 1.0, 2.0, 3.0, 4.0)
    return {
        "Account": account,
        "Accounts": mc.Accounts.from_columns(
            contracts,
            account=[1, 0],
            contract=[0, 1],
            long=[5, 2],
            short=[1, 0],
            gross=True,
            count=3,
            kind=["margin", None, "cash"],
            cash={"USD": [1.5, np.nan, -2.0]},
            collateral={"BTC": [np.nan, 0.5, np.nan]},
            labels=["a", "b", "c"],
        ),
        "Comparison": mc.Comparison((outcome,), {"currency": "USD"}),
        "Contract": PUT,
        "Contracts": contracts,
        "CrossMargin": mc.CrossMargin(report, report),
        "Decision": mc.Decision.from_dict(DECISION),
        "Engine": mc.Engine(methods.Tims()),
        "Limit": mc.Limit(
            10.0,
            -5.0,
            max_age=60.0,
            price_collar=0.1,
            max_quantity=7,
            max_notional=1e6,
            throttle=(5, 1.0),
            complete_only=True,
        ),
        "Line": mc.Line.from_dict(_LINE),
        "MarginBatch": mc.MarginBatch.from_columns([1.0, 2.0], [0.5, 1.5], [0.0, -1.0], [-1, 3]),
        "MarginPath": mc.MarginPath((step,)),
        "MarginReport": report,
        "Market": market,
        "Order": mc.Order("o1", PUT, "sell", 3, 1.25, fees=-0.5, effect="open", all_or_none=True),
        "OsiSymbol": mc.OsiSymbol("XYZ261218P00045000"),
        "Position": mc.Position(PUT, long=2, short=3),
        "Products": mc.Products.from_rows(mc.Products().rows()[:1]),
        "Qualification": mc.Qualification("portfolio margin", "OCC", (reason,)),
        "Report": mc.Report("a title", "<!doctype html>"),
        "Requirement": mc.Requirement.from_dict(_BEFORE),
        "Securities": mc.Securities.from_rows(
            [{"symbol": "SPY", "kind": "etf", "tracks": "SPX", "leverage": 1.0, "class": "broad", "source": "a name"}]
        ),
        "analysis.intraday.Cash": intraday.Cash(-500.0, "USD", time=INSTANT),
        "analysis.intraday.Charge": intraday.Charge(-12.5),
        "analysis.intraday.Choices": intraday.Choices(marks="close", expiry_counts=False),
        "analysis.intraday.Day": intraday.Day(
            dt.date(2026, 11, 20),
            level,
            moved.after,
            (moved,),
            2_500.0,
            moved,
            False,
            500.0,
            False,
            2_500.0,
            0.0,
            0.0,
            -2_500.0,
            "USD",
            intraday.Choices(),
        ),
        "analysis.intraday.Days": intraday.Days(
            _array(2_500.0), np.array([False]), _array(-2_500.0), _array(10_000.0), np.array([1]), _array(4_100.0)
        ),
        "analysis.intraday.Excess": intraday.Excess(dt.date(2026, 11, 20), level, level, (moved,), -2_500.0, "USD"),
        "analysis.intraday.Exercise": intraday.Exercise(PUT, 1.0, shares=STOCK),
        "analysis.intraday.Expiry": intraday.Expiry(PUT, 2.0, time=INSTANT),
        "analysis.intraday.Fill": fill,
        "analysis.intraday.Level": level,
        "analysis.intraday.Package": intraday.Package((fill,)),
        "analysis.intraday.Practice": intraday.Practice(3, 12),
        "analysis.intraday.Securities": intraday.Securities(STOCK, -100.0),
        "analysis.intraday.Standing": intraday.Standing(
            dt.date(2026, 11, 20),
            2_500.0,
            False,
            False,
            2_500.0,
            1_000.0,
            None,
            True,
            None,
            dt.date(2026, 11, 30),
            dt.date(2026, 12, 14),
            "not tested",
            False,
            None,
        ),
        "analysis.intraday.Step": moved,
        "monitoring.CloseEvent": monitoring.CloseEvent(7, "2026-11-20"),
        "monitoring.Closed": monitoring.Closed("a", "2026-11-20", 2_500.0, False, 1_000.0),
        "monitoring.CorrectionEvent": monitoring.CorrectionEvent(8, 5),
        "SpanFile": span_file,
        "Statement": page,
        "UnderlyingGreeks": mc.UnderlyingGreeks.from_dict(_GREEKS),
        "WhatIf": mc.WhatIf.from_dict(WHAT_IF),
        "analysis.Outcome": outcome,
        "analysis.Reason": reason,
        "analysis.Step": step,
        "analysis.attribution.Attribution": attribution.Attribution("incremental", (contribution,), 0.5, 3.5),
        "analysis.attribution.Change": attribution.Change(1.0, 2.0, 3.0, 4.0, 5.0, 15.0),
        "analysis.attribution.Contribution": contribution,
        "analysis.backtest.AccountCoverage": backtest.AccountCoverage(10, 1, 0.9, 2.0, "a", 2.0),
        "analysis.backtest.Backtest": backtest.Backtest(coverage, ratio, transitions, None, ratio, light, cycle),
        "analysis.backtest.Coverage": coverage,
        "analysis.backtest.DynamicQuantile": backtest.DynamicQuantile(2.5, 0.75, 6),
        "analysis.backtest.LikelihoodRatio": ratio,
        "analysis.backtest.Procyclicality": cycle,
        "analysis.backtest.TrafficLight": light,
        "analysis.backtest.Transitions": transitions,
        "batch.Part": batch.Part("a.parquet", "0" * 64, "1" * 64, 20, 3, 1),
        "analysis.profits.Components": profits.Components(
            "linear", 2.0, ("a", "b"), two, two, two, np.array([0.0, 1.0])
        ),
        "analysis.profits.Profits": profits.Profits(
            "XYZ",
            "USD",
            ("down", "up"),
            ("XYZ stock",),
            np.array([[-1.0, 1.0]]),
            ("a",),
            np.array([0, 1]),
            np.array([0]),
            np.array([100.0]),
        ),
        "analysis.stress.Move": stress.Move(price=-0.25, vol=0.5),
        "analysis.stress.Stress": stress.Stress("gap", all=-0.25, fx={"EUR/CHF": -0.125}, rates={"*": 0.0625}),
        "analysis.stress.Stressed": stress.Stressed(
            ("gap", "fall"), "USD", two, two, two, two, {"fall": "no price"}, ("XYZ",), ()
        ),
        "analysis.tails.ParetoTail": tails.ParetoTail(10.0, 0.25, 3.0, 50, 1000),
        "analysis.tails.Tail": tails.Tail(2.5, 3.5),
        "analysis.volatility.FittedGarch": volatility.FittedGarch(1e-6, 0.0625, 0.875, 1e-4, None, 3.5),
        "analysis.volatility.SigmaRange": volatility.SigmaRange(0.5, 6.0, 2, 0.125, False, "2024-07-04", "a text"),
        "analysis.backtest.WeibullDurations": backtest.WeibullDurations(3.5, 0.0625, 0.75),
        "analysis.backtest.Z1": backtest.Z1(0.25, 0.125),
        "analysis.backtest.Z2": backtest.Z2(-0.5, None),
        "analysis.backtest.Z3": backtest.Z3(0.5, None),
        "analysis.events.Consequence": events.Consequence(
            "an event",
            account,
            market,
            report,
            {"XYZ": 100.0},
            {"USD": -1.0},
            mc.Requirement.from_dict(_BEFORE),
            3.0,
            4.0,
            ("assumed",),
        ),
        "analysis.events.EarlyAssignment": events.EarlyAssignment(PUT, -1.0, "2026-12-01", 0.5, 6.0, 5.75, "mark"),
        "analysis.events.ExpiryScan": events.ExpiryScan("XYZ", "2026-12-18", "USD", 50.0, (45.0,), (point,), ("x",)),
        "analysis.events.ScanPoint": point,
        "analysis.profiles.Profile": profiles.Profile(
            "XYZ", "XYZ", 50.0, INSTANT, "USD", _array(40.0, 60.0), _array(-1.0, 1.0), (50.0,), (45.0,), True
        ),
        "analysis.questions.Answers": questions.Answers(("now",), _array(1.0), _array(2.0), _array(3.0)),
        "analysis.questions.LiquidationPrice": questions.LiquidationPrice(41.5, None),
        "analysis.scenarios.Scenarios": scenarios.Scenarios("XYZ", "USD", ("-15 %",), (-1.0,), (-0.15,), (True,)),
        "analysis.statements.Absent": page.absent[0],
        "analysis.statements.Balance": worth.balances[0],
        "analysis.statements.BuyingPower": page.buying_power[0],
        "analysis.statements.Call": page.calls[0],
        "analysis.statements.Carried": statements.Carried(dt.date(2026, 11, 20), 13.0, page.calls),
        "analysis.statements.Cash": page.cash,
        "analysis.statements.Close": day,
        "analysis.statements.Collateral": worth.collateral[0],
        "analysis.statements.Cure": page.cures[0],
        "analysis.statements.Entry": day.entries[0],
        "analysis.statements.Equity": worth,
        "analysis.statements.FuturesAccount": statements.FuturesAccount.from_dict(STATEMENT["futures"]),
        "analysis.statements.Group": held.groups[0],
        "analysis.statements.Holding": statements.Holding("XYZ", "stock", "XYZ", "USD", 100.0, 0.0, 5_000.0),
        "analysis.statements.Interest": page.interest[0],
        "analysis.statements.MinimumEquity": statements.MinimumEquity.from_dict(STATEMENT["minimum"]),
        "analysis.statements.Money": statements.Money("withdrawal", 5.0, "EUR"),
        "analysis.statements.PortfolioMargin": held,
        "analysis.statements.Rates": statements.Rates("stock", 0.5, 0.25),
        "analysis.statements.Restriction": page.restrictions[0],
        "analysis.statements.Rule": statements.Rule("a call", 3, "soon", "somebody", "inferred"),
        "analysis.statements.Stress": held.stress[0],
        "analysis.surfaces.Surface": surfaces.Surface(
            "initial", "XYZ", "vol", "TIMS", "USD", _array(-0.1, 0.0), _array(0.0), np.array([[1.0, 2.0]]), ("why",)
        ),
        "calendars.BusinessDays": calendars.BusinessDays((dt.date(2026, 12, 25),), name="a", source="b"),
        "crypto.Health": crypto.Health(3.0, 2.0, 1.0),
        "crypto.Instrument": crypto.Instrument("deribit", "BTC", "BTC", "option", _AWARE, 90_000.0, "call"),
        "crypto.LiquidationPlan": crypto.LiquidationPlan(0.5, (step_down,)),
        "crypto.OpenOrder": crypto.OpenOrder(PUT, -2.0, mmp=True),
        "crypto.OpenSizes": crypto.OpenSizes(1.0, 2.0, -3.0),
        "crypto.WorstOrders": crypto.WorstOrders("worst", 2.0, 1.0, report, {PUT.id: -2.0}, exact=False),
        "crypto.liquidation.LiquidationStep": step_down,
        "crypto.table.Book": crypto_table.Book("straddle", (("call", "30d", 1.0, -1, 0.5),), 0.6),
        "crypto.table.Row": crypto_table.Row("straddle", "Deribit", "flat", None, 2.0, 1.0),
        "importers.AccountFile": importers.AccountFile(account, {STOCK.id: 50.0}, {PUT.id: 0.3}),
        "importers.CboeQuotes": importers.CboeQuotes("XYZ", 50.0, _AWARE, (quote,), (dropped,)),
        "importers.Chain": importers.Chain(contracts, market, {"2026-12-18": 50.5}, (dropped,)),
        "importers.DeribitChain": importers.DeribitChain(contracts, market, {PUT.id: 1.25}, {"2026-12-18": 50.5}),
        "importers.DroppedQuote": dropped,
        "importers.OptionQuote": quote,
        "symbols.Symbol": symbols.Symbol("option", "XYZ", "osi", dt.date(2026, 12, 18), right="put", strike=45.0),
        "documents.Read": documents.Read(account, None, (methods.Tims(),), (STOCK,)),
        "importers.PositionsFile": importers.PositionsFile(
            (mc.Position(STOCK, 100), mc.Position(PUT, -1)),
            {"USD": 10.0},
            {PUT.id: 1.25},
            {"XYZ": 50.0},
            {PUT.id: 0.3},
            {"EURUSD": 1.25},
            "account",
            "a.csv",
            "A",
            ("A", "B"),
            dt.date(2026, 11, 20),
            (refusal,),
            ("rows of sums: 1",),
        ),
        "importers.Quotes": importers.Quotes(
            {PUT.id: 1.25}, {}, {"XYZ": 50.0}, {"USD": 0.25}, {}, {"EURUSD": 1.25}, INSTANT
        ),
        "importers.Refusal": refusal,
        "importers.Snapshot": importers.Snapshot(_AWARE, {"2026-12-18": 50.5}, {PUT.id: 0.3}),
        "methods.Aevo": methods.Aevo(),
        "methods.BitCom": methods.BitCom(),
        "methods.Bybit": methods.Bybit(),
        "methods.Combined": methods.Combined([(attrgetter("listed"), methods.Tims())]),
        "methods.Crypto": methods.Crypto("span16-12pct-10pt", venue="Toy venue"),
        "methods.Dederi": methods.Dederi(),
        "methods.Deribit": methods.Deribit(vintage="2024"),
        "methods.Derive": methods.Derive(),
        "methods.HistoricalVar": methods.HistoricalVar(levels, returns="log", measure="order_floor", confidence="0.5"),
        "methods.House": methods.House(
            methods.RegT(),
            {"percentages": [{"name": "40 %", "long": {"maintenance": 0.4}}]},
            name="a house",
            source="a sample",
            date="2026-11-20",
        ),
        "methods.Okx": methods.Okx("2025"),
        "methods.Paradex": methods.Paradex(vintage="2026-08"),
        "methods.RegT": methods.RegT(),
        "methods.Rulebook": methods.Rulebook("tims", {"preset": "occ-cpm"}),
        "methods.Span": methods.Span.from_document(span, level={"initial": 1.5, "maintenance": 1.0}),
        "methods.Span16": methods.Span16(),
        "methods.SpanLike": methods.SpanLike({"XYZ": {"price_scan": 0.15, "vol_scan": 0.25}}, extreme=(3.0, 0.33)),
        "methods.Tims": methods.Tims(),
        "methods.hvar.History": levels,
        "methods.hvar.Rolling": hvar.Rolling(
            ["2026-01-02"], np.array([1]), _array(1.0), {"a": _array(1.0)}, _array(2.0), _array(3.0)
        ),
        "monitoring.Alert": monitoring.Alert(2, "ok", status),
        "monitoring.CancelEvent": monitoring.CancelEvent(4, "a", "o1"),
        "monitoring.CashEvent": monitoring.CashEvent(5, "a", "USD", -1.5),
        "monitoring.FillEvent": monitoring.FillEvent(3, "a", "XYZ", 50.0, 45.0, -0.5, "o1", "e1"),
        "monitoring.MarketEvent": monitoring.MarketEvent(1, {"spot": {"XYZ": 48.0}}, mc.Market(INSTANT)),
        "monitoring.OrderEvent": monitoring.OrderEvent(2, "a", "o1", "XYZ", "buy", 50.0, 45.0, 1.0, "open", True, "o0"),
        "monitoring.Status": status,
        "pricing.Greeks": pricing.Greeks(*(_array(float(i)) for i in range(8))),
        "pricing.quotes.ExpiryTerms": terms,
        "pricing.quotes.ImpliedQuotes": quotes.ImpliedQuotes(
            (terms,), _array(1.25), _array(0.3), _array(0.05), _array(0.01), np.array([False]), np.array([""])
        ),
        "pricing.smiles.Butterfly": smiles.Butterfly(True, 0.25, -0.5, (0.5, 0.25)),
        "pricing.smiles.Calendar": smiles.Calendar(False, -0.25, 0.5, (0.25, 0.5)),
        "pricing.smiles.Fit": smiles.Fit(svi, 0.125, 0.25, 0.5, smiles.Butterfly(True, 0.25, -0.5, (0.5, 0.25))),
        "pricing.smiles.Sabr": smiles.Sabr(0.25, 0.5, -0.25, 0.5, 0.5, 100.0),
        "pricing.smiles.Ssvi": ssvi,
        "pricing.smiles.SurfaceFit": smiles.SurfaceFit(ssvi, 0.125, 0.25, None),
        "pricing.smiles.Svi": svi,
    }


def plain(value: Any) -> Any:
    """Everything a value holds, as plain values that compare."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, plain(value.tolist())
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return [plain(inner) for inner in value]
    reduced = value.__reduce__() if type(value).__module__.startswith("margincore") else None
    return repr(value) if reduced is None else (type(value), plain(reduced[1]))
