"""Rulebooks with a table of contracts and a market each: what books are drawn from."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import margincore as mc

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
Table = tuple[list[mc.Contract], mc.Market | None]


@dataclass(frozen=True)
class World:
    """A rulebook over a table; `gross` where it margins two sides, `kinds` its words for accounts."""

    table: Callable[[], Table]
    methodology: Callable[[], mc.Methodology]
    gross: bool = False
    kinds: tuple[str | None, ...] = (None,)


def equity(exercise: str = "european", *, cash: bool = False, futures: bool = True, marks: bool = False) -> Table:
    stocks = [mc.Stock(s, currency="USD") for s in ("XYZ", "ABC")]
    future = mc.Future("XYZ", expiry="2026-03-20", settles="pm", multiplier=10, currency="USD")
    options = [
        mc.Option(s, right, strike, expiry=expiry, settles="pm", exercise=exercise, multiplier=100, currency="USD")
        for s, strikes in (("XYZ", (80, 90, 95, 100, 105, 110, 150)), ("ABC", (45, 50, 55)))
        for expiry in ("2026-02-20", "2026-03-20")
        for strike in strikes
        for right in ("call", "put")
    ]
    spot = {"XYZ": 100.0, "ABC": 50.0}
    vol = {o.id: 0.25 + 0.001 * i for i, o in enumerate(options)}
    marked = [o for i, o in enumerate(options) if i % 3 or marks]
    years = {"2026-02-20": 0.134, "2026-03-20": 0.211}

    def value(o: mc.Contract) -> float:
        expiry = str(o.to_dict()["expiry"])[:10]
        return float(mc.pricing.price(spot[o.underlying], o.strike, years[expiry], 0.04, 0.0, vol[o.id], o.right))

    market = mc.Market(
        "2026-01-02T16:00:00-05:00",
        spot=spot,
        rate={"USD": 0.04},
        vol=vol,
        price={o.id: round(value(o), 4) for o in marked} | ({future.id: 100.5} if futures else {}),
        dividends={"XYZ": [("2026-02-02", 0.8)]} if cash else None,
    )
    return [*stocks, *([future] if futures else []), *options], market


def options_only(exercise: str = "european") -> Table:
    return equity(exercise, futures=False, marks=True)


def coins(*, inverse: bool = False, two: bool = True, futures: bool = True) -> Table:
    expiries = [(NOW + dt.timedelta(days=days)).isoformat() for days in (9, 45)]
    table: list[mc.Contract] = []
    forward, vol, price, spot = {}, {}, {}, {}
    for name, level, strikes in (
        ("BTC", 60_000.0, (54_000, 60_000, 66_000, 120_000)),
        ("ETH", 3_000.0, (2_500, 3_000, 3_600)),
    )[: 2 if two else 1]:
        spot[name] = level
        settled: dict[str, Any] = {"currency": name, "settlement": "inverse"} if inverse else {"currency": "USD"}
        unit = {"multiplier": 1, "lot": 0.1, "multiplier_unit": "coin"} | settled
        future, perpetual = mc.Future(name, expiry=expiries[1], **unit), mc.Perpetual(name, **unit)
        table += [future, perpetual] if futures else []
        price |= {future.id: 1.002 * level, perpetual.id: 1.001 * level}
        for expiry in expiries:
            forward[name, expiry] = 1.0015 * level
            years = (dt.datetime.fromisoformat(expiry) - NOW).days / 365
            for strike in strikes:
                for right in ("call", "put"):
                    terms = {"multiplier": 1, "lot": 0.1} | settled
                    option = mc.Option(name, right, strike, expiry=expiry, exercise="european", **terms)
                    vol[option.id] = 0.6
                    worth = float(mc.pricing.price(level, strike, years, 0.0, 0.0, 0.6, right))
                    price[option.id] = worth / level if inverse else worth
                    table.append(option)
    return table, mc.Market(NOW, spot=spot, forward=forward, rate={"USD": 0.03}, vol=vol, price=price)


def history(**more: Any) -> mc.Methodology:
    draw = random.Random(2)
    prices: dict[str, list[float]] = {"XYZ": [100.0], "ABC": [50.0]}
    for _ in range(260):
        shock = draw.gauss(0.0, 0.012)
        for own in prices.values():
            own.append(own[-1] * (1 + shock + draw.gauss(0.0, 0.012)))
    given = {"returns": "relative", "measure": "order_floor", "confidence": "0.95"} | more
    return mc.methods.HistoricalVar(prices, **{k: v for k, v in given.items() if v is not None})


EXPIRY = "2099-12-31T00:00:00Z"


def _span_rows() -> list[dict[str, Any]]:
    moves = [k / 3 for k in (0, 0, 1, 1, -1, -1, 2, 2, -2, -2, 3, 3, -3, -3)]
    rows = []
    for product, scan, weight in (("X", 100.0, 1.0), ("Y", 60.0, 1.0)):
        for n, period in enumerate(("202601", "202602", "202606")):
            size = scan - 7 * n
            array = [-m * size * weight for m in moves] + [-3 * size * 0.33, 3 * size * 0.33]
            shared = {"product": product, "period": period, "commodity": product, "price_scan": size}
            rows.append({**shared, "kind": "FUT", "array": array})
            for right, sign in (("C", 1.0), ("P", -1.0)):
                own = [sign * 0.5 * a + abs(a) * 0.1 - 3 * (i % 2) for i, a in enumerate(array)]
                delta = {"delta": 0.5 * sign, "value": 12.0 + n}
                rows.append({**shared, "kind": "OOP", "right": right, "strike": 1000.0, "array": own, **delta})
    return rows


def span(**options: Any) -> mc.Methodology:
    def leg(commodity: str, side: int, ratio: float = 1.0) -> dict[str, Any]:
        return {"commodity": commodity, "side": side, "ratio": ratio}

    def spread(method: str, rate: float, *legs: dict[str, Any], priority: int) -> dict[str, Any]:
        return {"priority": priority, "method": method, "rate": rate, "legs": list(legs)}

    own = [
        {"code": c, "currency": "USD", "spreads": [spread("F", 15.0, leg(c, 1), leg(c, -1), priority=1)],
         "som_tiers": [{"number": 1, "start": "202601", "end": "202612", "rate": 4.0}]}
        for c in "XY"
    ]  # fmt: skip
    document = {
        "extreme": [3.0, 0.33],
        "contracts": _span_rows(),
        "commodities": own,
        "inter_spreads": [spread("W", 0.6, leg("X", 1), leg("Y", -1, 2.0), priority=1)],
    }
    return mc.methods.Span.from_document(document, **options)


def span_table() -> Table:
    table = []
    for item in _span_rows():
        name = mc.methods.span.contract_id(
            item["product"], item["period"], kind=item["kind"], right=item.get("right"), strike=item.get("strike")
        )
        if "right" in item:
            word = "call" if item["right"] == "C" else "put"
            shared = {"multiplier": 1, "currency": "USD", "id": name}
            table.append(mc.Option("X", word, 1000.0, exercise="european", expiry=EXPIRY, **shared))
        else:
            table.append(mc.Future("X", expiry=EXPIRY, multiplier=1, currency="USD", id=name))
    return table, None


RANGES = {
    "XYZ": {"price_scan": 0.06, "vol_scan": 0.25, "short_option_minimum": 20.0, "calendar_charge": 5.0},
    "ABC": {"price_scan": 0.09, "vol_scan": 0.04, "vol_scan_absolute": True},
}
CLASS = {"XYZ": {"class": "equity"}, "ABC": {"class": "equity"}}
GROUPS: dict[str, Any] = {
    "class_groups": {"XYZ": {"product_group": "P"}, "ABC": {"product_group": "P"}},
    "product_groups": {"P": {"offset": 0.9}},
}
VEGA = {"*": {"charges": {"stated": {"opposite_vega": 0.0}}}}
ZERO = {"mr3": 0.0, "mr5": 0.0, "mr7_options": 0.0}
STATED = {"option_contingency": 1.0, "option_vega": 2.0, "future_delta": 3.0}


def _of_future(contract: mc.Contract) -> bool:
    return contract.kind == "future"


def _combined() -> mc.Methodology:
    rest = mc.methods.RegT(underlyings=CLASS)
    return mc.methods.Combined([(_of_future, mc.methods.SpanLike(RANGES)), (lambda c: not _of_future(c), rest)])


def _halves() -> mc.Methodology:
    parts = [(lambda c: c.underlying == "XYZ", mc.methods.Tims()), (lambda c: c.underlying != "XYZ", history())]
    return mc.methods.Combined(parts)


def _house(base: mc.Methodology) -> mc.Methodology:
    rules = {
        "percentages": [{"name": "40 %", "long": {"maintenance": 0.4}, "short": {"maintenance": 0.5}}],
        "contracts": [{"name": "a contract", "short": 250.0}],
    }
    return mc.methods.House(base, rules, name="a house", source="a world", date="2026-01-02")


def _preset(name: str, **more: Any) -> Callable[[], mc.Methodology]:
    return lambda: mc.methods.Crypto(name, **more)


VENUES = {
    "deribit 2024": _preset("deribit-pm-2024"), "deribit 2026": _preset("deribit-pm-2026"),
    "deribit old a": _preset("deribit-pm-old-a", rules=VEGA), "deribit old b": _preset("deribit-pm-old-b", rules=VEGA),
    "deribit old c": _preset("deribit-pm-old-c", rules=VEGA), "deribit old d": _preset("deribit-pm-old-d", rules=VEGA),
    "deribit standard": _preset("deribit-standard"), "dederi": _preset("dederi-pm"),
    "derive pm1": _preset("derive-pmrm1"), "derive pm2": _preset("derive-pmrm2"),
    "derive standard": _preset("derive-srm"),
    "aevo": _preset("aevo-standard"), "bitcom": _preset("bitcom-standard"),
    "bybit": lambda: mc.methods.Bybit(stated=STATED), "okx": lambda: mc.methods.Okx(stated=ZERO),
    "okx standard": _preset("okx-standard"), "paradex": _preset("paradex-pm"),
    "paradex cross": _preset("paradex-cross"),
    "paradex earlier": _preset("paradex-pm-earlier"), "span16 12": _preset("span16-12pct-10pt"),
    "span16 30": _preset("span16-30pct-35pct"),
}  # fmt: skip

MEASURES = ("es_discrete", "order_ceil", "hazen", "es_hull")
# Without futures, or of one coin: what the venue publishes.
OPTIONS = ("deribit standard", "aevo", "bitcom", "okx standard")
WORLDS: dict[str, World] = {
    "tims": World(equity, mc.methods.Tims),
    "tims american": World(lambda: equity("american"), mc.methods.Tims),
    "tims american tree": World(lambda: equity("american"), lambda: mc.methods.Tims(american="tree", steps=50)),
    "tims dividends": World(lambda: equity("american", cash=True), lambda: mc.methods.Tims(steps=60)),
    "tims european dividends": World(lambda: equity(cash=True), mc.methods.Tims),
    "tims groups": World(equity, lambda: mc.methods.Tims(**GROUPS)),
    "tims market maker": World(equity, lambda: mc.methods.Tims("occ-rbh-market-maker")),
    "reg-t": World(options_only, lambda: mc.methods.RegT(underlyings=CLASS), kinds=(None, "cash")),
    "reg-t american": World(lambda: options_only("american"), lambda: mc.methods.RegT(underlyings=CLASS)),
    "reg-t greedy": World(options_only, lambda: mc.methods.RegT(underlyings=CLASS, pairing="greedy")),
    "reg-t two legs": World(options_only, lambda: mc.methods.RegT(underlyings=CLASS, pairing="two_leg")),
    "reg-t house": World(options_only, lambda: mc.methods.RegT("reg-t-ibkr", underlyings=CLASS)),
    "span": World(span_table, span, gross=True),
    "span options": World(span_table, lambda: span(anov="pooled"), gross=True, kinds=(None, "hedger")),
    "span-like": World(equity, lambda: mc.methods.SpanLike(RANGES), gross=True),
    "span-like american": World(lambda: equity("american"), lambda: mc.methods.SpanLike(RANGES), gross=True),
    "combined": World(lambda: equity(marks=True), _combined),
    "combined halves": World(equity, _halves),
    "reg-t under a house": World(options_only, lambda: _house(mc.methods.RegT(underlyings=CLASS))),
    "tims under a house": World(equity, lambda: _house(mc.methods.Tims(**GROUPS))),
    "var": World(equity, history, gross=True),
    "var filtered": World(equity, lambda: history(filter=mc.methods.hvar.ewma(0.94, seed="mean_square")), gross=True),
    **{f"var {m}": World(equity, lambda m=m: history(measure=m), gross=True) for m in MEASURES},
    "var normal": World(equity, lambda: history(measure="normal", variance="population"), gross=True),
    **{
        f"coins {name}": World(lambda n=name: coins(futures=n not in OPTIONS, two=n != "bybit"), make)
        for name, make in VENUES.items()
    },
    "inverse deribit 2026": World(lambda: coins(inverse=True), VENUES["deribit 2026"]),
    "inverse deribit standard": World(lambda: coins(inverse=True, futures=False), VENUES["deribit standard"]),
    "inverse okx": World(lambda: coins(inverse=True), VENUES["okx"]),
}
